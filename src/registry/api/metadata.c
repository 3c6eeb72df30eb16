#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/body.h"
#include "registry/api/change.h"
#include "registry/api/exchange.h"
#include "registry/api/reply.h"
#include "registry/api/secret_json.h"
#include "registry/http/http.h"
#include "registry/store/state.h"

/* What is known of secrets beside their values. */

static void
add_version(struct buf *out, const struct version_view *v)
{
	buf_append_char(out, '{');
	reply_member(out, "version");
	reply_number(out, v->number);
	reply_member(out, "state");
	reply_text(out, secret_json_state(v));
	reply_member(out, "createdAt");
	reply_time(out, v->created_ms);
	reply_member(out, "createdBy");
	reply_text(out, v->created_by != NULL ? v->created_by : "");
	reply_member(out, "expiresAt");
	reply_time(out, v->expires_ms);
	if (v->deleted_ms != 0) {
		reply_member(out, "deletedAt");
		reply_time(out, v->deleted_ms);
		reply_member(out, "deletedBy");
		reply_text(out, v->deleted_by != NULL ? v->deleted_by : "");
	}
	buf_append_char(out, '}');
}

static void
add_versions(struct buf *out, const struct state_key *k, int64_t now)
{
	size_t count = state_version_count(k);
	struct version_view v;

	reply_member(out, "versions");
	buf_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		state_version_at(k, i, now, &v);
		add_version(out, &v);
	}
	buf_append_char(out, ']');
}

/* [[1,3],[7,7]]: numbers of which nothing else is left. */
static void
add_destroyed(struct buf *out, const struct state_key *k, size_t count)
{
	reply_member(out, "destroyed");
	buf_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		uint32_t from, to;

		state_key_destroyed(k, i, &from, &to);
		buf_append_str(out, i > 0 ? ",[" : "[");
		reply_number(out, from);
		buf_append_char(out, ',');
		reply_number(out, to);
		buf_append_char(out, ']');
	}
	buf_append_char(out, ']');
}

/* Under the state's lock: the members about one key. */
static void
add_key(struct buf *out, const struct state_key *k, int64_t now)
{
	struct version_view v;
	struct key_meta meta;
	size_t n;
	const char *name = state_key_name(k, &n);

	state_key_meta(k, &meta);
	reply_member(out, "key");
	text_append_json(out, name, n);
	reply_member(out, "currentVersion");
	reply_number(out, state_version_latest(k, now, &v) ? v.number : 0);
	reply_member(out, "highestVersion");
	reply_number(out, meta.high);
	reply_member(out, "max_versions");
	reply_number(out, meta.max_versions);
	reply_member(out, "cas_required");
	buf_append_str(out, meta.cas_required ? "true" : "false");
	reply_member(out, "metadata");
	buf_append_str(out, meta.custom != NULL && meta.custom[0] != '\0' ? meta.custom : "{}");
	reply_member(out, "cas");
	reply_number(out, meta.mcas);
	reply_member(out, "updatedAt");
	reply_time(out, meta.updated_ms);
	reply_member(out, "updatedBy");
	reply_text(out, meta.updated_by != NULL ? meta.updated_by : "");
	add_versions(out, k, now);
	add_destroyed(out, k, meta.destroyed_count);
}

static void
add_path_member(struct exchange *x)
{
	size_t n;
	const char *name = request_param(x, PARAM_PATH, &n);

	buf_append_char(&x->body, '{');
	reply_member(&x->body, "path");
	text_append_json(&x->body, name, n);
}

/* The answer for the URL's key; false: there is no such key. */
static bool
build_key(struct exchange *x)
{
	struct state *s = request_state(x);
	const struct state_key *key;
	const char *path, *name;
	size_t path_len, n;

	path = request_param(x, PARAM_PATH, &path_len);
	name = request_param(x, PARAM_KEY, &n);
	state_lock(s);
	key = state_key_known(s, path, path_len, name, n);
	if (key != NULL) {
		add_path_member(x);
		add_key(&x->body, key, store_now(request_store(x)));
		buf_append_char(&x->body, '}');
	}
	state_unlock(s);
	return key != NULL;
}

void
metadata_key(struct exchange *x)
{
	if (build_key(x))
		answer_send(x, 200);
	else
		answer_fail(x, 404, 40401, "Nothing was ever stored under this key");
}

void
metadata_path(struct exchange *x)
{
	struct state *s = request_state(x);
	int64_t now = store_now(request_store(x));
	const struct state_path *path;
	const struct state_key *key;
	size_t n;
	const char *name = request_param(x, PARAM_PATH, &n);

	state_lock(s);
	path = state_path_find(s, name, n);
	if (path == NULL) {
		state_unlock(s);
		answer_fail(x, 404, 40401, "Nothing was ever stored under this path");
		return;
	}
	add_path_member(x);
	reply_member(&x->body, "keys");
	buf_append_char(&x->body, '[');
	name = "";
	n = 0;
	while ((key = state_key_after(path, name, n)) != NULL && !x->body.failed) {
		if (x->count++ > 0)
			buf_append_char(&x->body, ',');
		buf_append_char(&x->body, '{');
		add_key(&x->body, key, now);
		buf_append_char(&x->body, '}');
		name = state_key_name(key, &n);
	}
	state_unlock(s);
	buf_append_str(&x->body, "]}");
	x->has_count = true;
	answer_send(x, 200);
}

static void
changed(struct change *c)
{
	struct exchange *x = c->x;

	if (c->op.result != STORE_DONE)
		change_fail(c);
	else if (build_key(x))
		answer_send(x, c->status);
	else
		answer_fail(x, 404, 40401, "The key was removed in the meantime");
}

/* A limit destroys the versions beyond it.  false: denied, and answered. */
static bool
may_destroy(struct exchange *x)
{
	size_t n;
	const char *path = request_param(x, PARAM_PATH, &n);

	if (request_allows(x, SECRET_DESTROY, path, n))
		return true;
	answer_deny(x, SECRET_DESTROY, path, n);
	return false;
}

void
metadata_change(struct exchange *x)
{
	struct change *c = change_new(x, STORE_META, 200, changed);
	struct body_metadata body;
	enum body_result result;
	char why[256];

	if (c == NULL)
		return;
	body_metadata_init(&body);
	result = body_metadata_parse(http_body(x->r)->data, http_body(x->r)->len, &body, why,
	    sizeof(why));
	if (result != BODY_OK) {
		body_metadata_release(&body);
		answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201,
		    "%s", why);
		return;
	}
	if (body.has_max_versions && body.max_versions > 0 && !may_destroy(x)) {
		body_metadata_release(&body);
		return;
	}
	c->op.cas = body.cas;
	x->has_cas = body.cas >= 0;
	x->cas = body.cas;
	c->op.set_max_versions = body.has_max_versions;
	c->op.max_versions = body.max_versions;
	c->op.set_cas_required = body.has_cas_required;
	c->op.cas_required = body.cas_required;
	buf_move(&c->op.custom, &body.custom);
	change_submit(c);
}
