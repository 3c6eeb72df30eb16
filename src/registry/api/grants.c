#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/base/data_file.h"
#include "registry/http/http.h"
#include "registry/store/names.h"

/*
 * Giving and taking bindings on behalf of a request, for both interfaces (ours
 * and that of the metadata service).  Whoever may AlterAccess on the whole registry may
 * everywhere; else only on the paths where the caller has that right.  A role is granted by
 * who may itself, there, all that it allows; taken back also by others.
 */
#define GRANT_PATTERNS_MAX 64
#define DESCRIBED_MAX 512U	/* the audit's messages are not longer */
#define DESCRIBED_EXTRA 32U	/* beside a pattern's name, and for how many more */

struct grant_pattern {
	bool cluster;			/* the whole registry */
	bool prefix;
	char name[NAME_PATH_MAX + 1];
};

struct grant {
	char role[64];
	char principal[AUTH_NAME_MAX];	/* without "User:" */
	struct grant_pattern patterns[GRANT_PATTERNS_MAX];
	size_t count;
	bool revoke;
	char change[DESCRIBED_MAX];
	struct error err;
	int result;
};

struct list {
	struct error err;
	int result;
	char *pattern;		/* only of this one; NULL: all */
	bool prefix;
};

/* Take a principal as it is compared, so without "User:"; false: it is no name. */
static bool
grant_principal(struct grant *g, const char *name, size_t n)
{
	return principal_normalise(name != NULL ? name : "", n, g->principal);
}

/* Add a pattern; ${name} NULL: the cluster.  false: too long, or too many. */
static bool
grant_pattern(struct grant *g, const char *name, size_t n, bool prefix)
{
	struct grant_pattern *p = &g->patterns[g->count];

	if (g->count == GRANT_PATTERNS_MAX || n >= sizeof(p->name) ||
	    (name != NULL && memchr(name, '\0', n) != NULL))
		return false;
	p->cluster = name == NULL;
	p->prefix = prefix;
	if (name != NULL)
		memcpy(p->name, name, n);
	p->name[n] = '\0';
	g->count++;
	return true;
}

/* Does the caller have ${op} on all that a pattern covers? */
static bool
covers(struct exchange *x, enum operation op, const char *name, size_t n, bool prefix)
{
	char probe[NAME_PATH_MAX + 2];

	if (request_allows(x, op, NULL, 0))
		return true;
	if (name == NULL || n > NAME_PATH_MAX)
		return false;
	if (!prefix)
		return request_allows(x, op, name, n);
	/* No path has a control character, so only a prefix that covers all of
	 * this prefix's paths covers this one. */
	memcpy(probe, name, n);
	probe[n] = '\001';
	probe[n + 1] = '\0';
	return request_allows(x, op, probe, n + 1);
}

/* May the caller change bindings of that pattern? */
static bool
grant_allowed(struct exchange *x, const char *name, size_t n, bool prefix)
{
	return covers(x, ALTER_ACCESS, name, n, prefix);
}

/* Nobody gives what it has not itself: is that so of what the role allows there?  Else
 * ${op} is what is missing. */
static bool
has_it_all(struct exchange *x, unsigned operations, const struct grant_pattern *p,
    enum operation *op)
{
	for (unsigned i = 0; i < OPERATION_COUNT; i++) {
		*op = (enum operation)i;
		if ((operations & OPERATION_BIT(i)) != 0 &&
		    !covers(x, *op, p->cluster ? NULL : p->name, strlen(p->name), p->prefix))
			return false;
	}
	return true;
}

/* On the worker's thread.  All of the patterns, or none. */
static void
grant_work(struct exchange *x)
{
	struct grant *g = x->work;
	const char *data = request_settings(x)->data;
	struct binding bindings[GRANT_PATTERNS_MAX];

	for (size_t i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];

		bindings[i] = (struct binding){
			.role = g->role, .principal = g->principal,
			.pattern = p->cluster ? NULL : p->name, .prefix = p->prefix,
			.by = request_principal(x),
		};
	}
	if (!g->revoke) {
		g->result = access_grant(data, bindings, g->count, &g->err);
		return;
	}
	g->result = request_keeps_administrator(x, &(struct administrators_loss){
	    .bindings = bindings, .count = g->count }, &g->err);
	if (g->result == 0)
		g->result = access_revoke(data, bindings, g->count, &g->err);
}

static void
grant_done(struct exchange *x)
{
	const struct grant *g = x->work;

	if (g->result == 0)
		answer_send(x, 204);
	else if (g->err.code == ERROR_USAGE)
		answer_fail(x, 422, 42201, "%s", g->err.text);
	else if (g->err.code == ERROR_MISSING)
		answer_fail(x, 404, 0, "There is no such binding");
	else if (g->err.code == ERROR_REFUSED)
		answer_fail(x, 409, 0, "%s; %s", g->err.text, g->err.hint);
	else
		answer_error(x, &g->err);
}

static void
grant_intended(struct exchange *x)
{
	api_worker_run(x, grant_work, grant_done);
}

/* For the audit: who gets or loses what.  What does not fit is counted. */
static void
grant_describe(struct exchange *x)
{
	struct grant *g = x->work;
	size_t n, i, size = sizeof(g->change);

	x->change = g->change;
	n = (size_t)snprintf(g->change, size, "%s %s %s %s on", g->revoke ? "revoke" : "grant",
	    g->role, g->revoke ? "from" : "to", g->principal);
	for (i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];

		if (n + strlen(p->name) + DESCRIBED_EXTRA > size)
			break;
		n += (size_t)snprintf(g->change + n, size - n, "%s %s%s", i > 0 ? "," : "",
		    p->cluster ? "everything" : p->prefix ? "prefix " : "path ",
		    p->cluster ? "" : p->name);
	}
	if (i < g->count)
		(void)snprintf(g->change + n, size - n, " and %zu more", g->count - i);
}

/* Check the rights to all of it, put it on record, do it, answer 204.  The
 * grant is ${x}->work. */
static void
grant_run(struct exchange *x)
{
	struct grant *g = x->work;
	unsigned operations = g->revoke ? 0 : access_role(x->api->parts.access, g->role);
	enum operation missing;

	grant_describe(x);
	for (size_t i = 0; i < g->count; i++) {
		const struct grant_pattern *p = &g->patterns[i];
		size_t n = strlen(p->name);

		if (!grant_allowed(x, p->cluster ? NULL : p->name, n, p->prefix)) {
			answer_deny(x, ALTER_ACCESS, p->cluster ? NULL : p->name, n);
			return;
		}
		if (!has_it_all(x, operations, p, &missing)) {
			answer_deny(x, missing, p->cluster ? NULL : p->name, n);
			return;
		}
	}
	/* For the audit: what it is about. */
	if (g->count > 0 && !g->patterns[0].cluster) {
		x->match.params[PARAM_PATH].text = g->patterns[0].name;
		x->match.params[PARAM_PATH].len = strlen(g->patterns[0].name);
	}
	answer_intend(x, grant_intended);
}

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

static void
list_free(void *work)
{
	struct list *l = work;

	free(l->pattern);
	free(l);
}

static void
bindings_visit(void *cookie, const struct binding *b)
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

/* On the worker's thread. */
static void
read_list(struct exchange *x)
{
	struct list *l = x->work;

	json_out_array(answer_json(x), NULL);
	l->result = access_list(request_settings(x)->data, bindings_visit, x, &l->err);
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
bindings_read_pattern(struct exchange *x, struct buf *out, bool *prefix)
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
	found = bindings_read_pattern(x, &text, &l->prefix);
	if (found == 1)
		l->pattern = strdup(buf_cstr(&text));
	if (found == -1) {
		/* answered */
	} else if (found == 1 && l->pattern == NULL) {
		answer_fail(x, 503, 50302, "Out of memory; try again");
	} else if (!grant_allowed(x, l->pattern, text.len, l->prefix)) {
		answer_deny(x, ALTER_ACCESS, l->pattern, text.len);
	} else {
		api_worker_run(x, read_list, listed);
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
bindings_take_body(struct grant *g, const json_t *root)
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
		answer_body(x, result, why);
	else if (!bindings_take_body(g, root))
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
	found = bindings_read_pattern(x, text, &prefix);
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

/*
 * Bindings in the shape of the metadata service's interface, for scripts that
 * know that: /security/1.0/principals/{principal}/roles/{role}, and below it
 * /bindings with {"scope":...,"resourcePatterns":[{"resourceType":"Connector",
 * "name":..., "patternType":"LITERAL" or "PREFIXED"}]}.  There is one
 * registry, so the scope does not matter.
 */

/* The grant with the URL's principal and role; NULL: answered. */
static struct grant *
mds_start(struct exchange *x, bool revoke)
{
	struct grant *g;
	const char *role, *principal;
	size_t role_len, n;

	if (!access_anywhere(x->api->parts.access, request_principal(x), ALTER_ACCESS)) {
		answer_deny(x, ALTER_ACCESS, NULL, 0);
		return NULL;
	}
	g = exchange_work(x, sizeof(*g), free);
	if (g == NULL)
		return NULL;
	g->revoke = revoke;
	role = request_param(x, PARAM_ROLE, &role_len);
	principal = request_param(x, PARAM_PRINCIPAL, &n);
	if (role_len < sizeof(g->role) && grant_principal(g, principal, n)) {
		memcpy(g->role, role, role_len);
		return g;
	}
	answer_fail(x, 422, 42203, "The principal or the role is too long or empty");
	return NULL;
}

static bool
take_pattern(struct grant *g, const json_t *pattern)
{
	const json_t *type = json_object_get(pattern, "resourceType");
	const json_t *name = json_object_get(pattern, "name");
	const json_t *kind = json_object_get(pattern, "patternType");
	const char *how = kind == NULL ? "LITERAL" : json_string_value(kind);

	if (!json_is_string(type) || strcmp(json_string_value(type), "Connector") != 0 ||
	    !json_is_string(name) || how == NULL ||
	    (strcmp(how, "LITERAL") != 0 && strcmp(how, "PREFIXED") != 0))
		return false;
	return grant_pattern(g, json_string_value(name), json_string_length(name),
	    how[0] == 'P');
}

static bool
take_patterns(struct grant *g, const json_t *root)
{
	const json_t *patterns = json_object_get(root, "resourcePatterns");
	const json_t *pattern;
	size_t i;

	if (!json_is_array(patterns) || json_array_size(patterns) == 0)
		return false;
	json_array_foreach(patterns, i, pattern) {
		if (!take_pattern(g, pattern))
			return false;
	}
	return true;
}

static void
on_patterns(struct exchange *x, bool revoke)
{
	struct buf *body = http_body(x->r);
	struct grant *g = mds_start(x, revoke);
	enum body_result result;
	json_t *root;
	char why[256];

	if (g == NULL)
		return;
	result = body_object(body->data, body->len, &root, why, sizeof(why));
	if (result != BODY_OK)
		answer_body(x, result, why);
	else if (!take_patterns(g, root))
		answer_fail(x, 422, 42201, "\"resourcePatterns\" must be a list of 1 to %d of "
		    "resourceType \"Connector\", name, and patternType LITERAL or PREFIXED",
		    GRANT_PATTERNS_MAX);
	else
		grant_run(x);
	json_decref(root);
}

static void
on_cluster(struct exchange *x, bool revoke)
{
	struct grant *g = mds_start(x, revoke);

	if (g == NULL)
		return;
	(void)grant_pattern(g, NULL, 0, false);
	grant_run(x);
}

void
mds_grant(struct exchange *x)
{
	on_cluster(x, false);
}

void
mds_revoke(struct exchange *x)
{
	on_cluster(x, true);
}

void
mds_grant_on(struct exchange *x)
{
	on_patterns(x, false);
}

void
mds_revoke_on(struct exchange *x)
{
	on_patterns(x, true);
}
