#include "registry/api/handlers.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/grant.h"
#include "registry/api/helper.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/http/http.h"
#include "registry/http/target.h"
#include "registry/base/settings.h"

/* GET, PUT, DELETE /secret/admin/role-bindings.  A binding is {"role":,
 * "principal":} with "path": or "prefix":, or neither for the registry as a
 * whole. */

/* Without the right anywhere there is nothing to look at. */
static bool
may_anything(struct exchange *x)
{
	if (access_anywhere(x->api->parts.access, request_principal(x), ALTER_ACCESS))
		return true;
	answer_deny(x, ALTER_ACCESS, NULL, 0);
	return false;
}

struct list {
	struct error err;
	int result;
	char *pattern;		/* only of this one; NULL: all */
	bool prefix;
};

static void
list_free(void *work)
{
	struct list *l = work;

	free(l->pattern);
	free(l);
}

static void
visit(void *cookie, const struct binding *b)
{
	struct exchange *x = cookie;
	const struct list *l = x->work;
	struct json_out *out = &x->json;

	if (l->pattern != NULL && (b->pattern == NULL || b->prefix != l->prefix ||
	    strcmp(b->pattern, l->pattern) != 0))
		return;
	x->count++;
	json_out_object(out, NULL);
	json_out_text(out, "role", b->role);
	json_out_text(out, "principal", b->principal);
	if (b->pattern != NULL)
		json_out_text(out, b->prefix ? "prefix" : "path", b->pattern);
	if (b->by != NULL)
		json_out_text(out, "by", b->by);
	json_out_end(out);
}

/* On the helper's thread. */
static void
read_list(struct exchange *x)
{
	struct list *l = x->work;

	json_out_array(answer_json(x), NULL);
	l->result = access_list(request_settings(x)->data, visit, x, &l->err);
	json_out_end(&x->json);
}

static void
listed(struct exchange *x)
{
	const struct list *l = x->work;

	if (l->result == -1) {
		x->count = 0;
		answer_error(x, &l->err);
		return;
	}
	x->has_count = true;
	answer_send(x, 200);
}

/* ?path= or ?prefix=: 1, 0 (neither), -1: answered. */
static int
read_pattern(struct exchange *x, struct buf *out, bool *prefix)
{
	int found = request_query(x, "path", out);

	*prefix = false;
	if (found != 0)
		return found;
	*prefix = true;
	return request_query(x, "prefix", out);
}

void
bindings_list(struct exchange *x)
{
	struct list *l;
	struct buf text;
	int found;

	if (!may_anything(x) || (l = exchange_work(x, sizeof(*l), list_free)) == NULL)
		return;
	buf_init(&text, TARGET_BYTES_MAX);
	found = read_pattern(x, &text, &l->prefix);
	if (found == 1)
		l->pattern = strdup(buf_cstr(&text));
	if (found == -1) {
		/* answered */
	} else if (found == 1 && l->pattern == NULL) {
		answer_fail(x, 503, 50302, "Out of memory; try again");
	} else if (!grant_allowed(x, l->pattern, text.len, l->prefix)) {
		answer_deny(x, ALTER_ACCESS, l->pattern, text.len);
	} else {
		helper_run(x, read_list, listed);
	}
	buf_release(&text);
}

static void
fail_shape(struct exchange *x)
{
	answer_fail(x, 422, 42201, "A binding needs \"role\" and \"principal\", and \"path\" or "
	    "\"prefix\" unless the role is for the whole registry");
}

/* From a body.  false: it makes no sense. */
static bool
take_body(struct grant *g, const json_t *root)
{
	const json_t *role = json_object_get(root, "role");
	const json_t *principal = json_object_get(root, "principal");
	const json_t *path = json_object_get(root, "path");
	const json_t *prefix = json_object_get(root, "prefix");
	const json_t *pattern = path != NULL ? path : prefix;

	if (!json_is_string(role) || json_string_length(role) >= sizeof(g->role) ||
	    !json_is_string(principal) || (path != NULL && prefix != NULL) ||
	    (pattern != NULL && !json_is_string(pattern)) ||
	    !grant_principal(g, json_string_value(principal), json_string_length(principal)))
		return false;
	memcpy(g->role, json_string_value(role), json_string_length(role));
	return pattern == NULL ? grant_pattern(g, NULL, 0, false) :
	    grant_pattern(g, json_string_value(pattern), json_string_length(pattern),
	    prefix != NULL);
}

static void
change_by_body(struct exchange *x, struct grant *g)
{
	struct buf *body = http_body(x->r);
	enum body_result result;
	json_t *root;
	char why[256];

	result = body_object(body->data, body->len, &root, why, sizeof(why));
	if (result != BODY_OK)
		answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201,
		    "%s", why);
	else if (!take_body(g, root))
		fail_shape(x);
	else
		grant_run(x);
	json_decref(root);
}

void
bindings_put(struct exchange *x)
{
	struct grant *g;

	if (may_anything(x) && (g = exchange_work(x, sizeof(*g), free)) != NULL)
		change_by_body(x, g);
}

/* From the query.  1: taken; 0: it makes no sense; -1: answered. */
static int
take_query(struct exchange *x, struct grant *g, struct buf *text)
{
	bool prefix, fine;
	int found = request_query(x, "role", text);

	if (found == -1)
		return -1;
	if (found == 0 || text->len >= sizeof(g->role))
		return 0;
	memcpy(g->role, text->data, text->len);
	buf_clear(text);
	found = request_query(x, "principal", text);
	if (found == -1)
		return -1;
	if (found == 0 || !grant_principal(g, buf_cstr(text), text->len))
		return 0;
	buf_clear(text);
	found = read_pattern(x, text, &prefix);
	if (found == -1)
		return -1;
	fine = found == 1 ? grant_pattern(g, buf_cstr(text), text->len, prefix) :
	    grant_pattern(g, NULL, 0, false);
	return fine ? 1 : 0;
}

/* Which one is told by the query, or else by a body. */
void
bindings_delete(struct exchange *x)
{
	struct grant *g;
	struct buf text;
	int taken;

	if (!may_anything(x) || (g = exchange_work(x, sizeof(*g), free)) == NULL)
		return;
	g->revoke = true;
	if (*http_query(x->r) == '\0') {
		change_by_body(x, g);
		return;
	}
	buf_init(&text, TARGET_BYTES_MAX);
	taken = take_query(x, g, &text);
	buf_release(&text);
	if (taken == 1)
		grant_run(x);
	else if (taken == 0)
		fail_shape(x);
}
