#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
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
add_version(struct json_out *out, const struct version_view *v)
{
	json_out_object(out, NULL);
	json_out_uint(out, "version", v->number);
	json_out_text(out, "state", secret_json_state(v));
	reply_time(out, "createdAt", v->created_ms);
	json_out_text(out, "createdBy", v->created_by != NULL ? v->created_by : "");
	reply_time(out, "expiresAt", v->expires_ms);
	if (v->deleted_ms != 0) {
		reply_time(out, "deletedAt", v->deleted_ms);
		json_out_text(out, "deletedBy", v->deleted_by != NULL ? v->deleted_by : "");
	}
	json_out_end(out);
}

static void
add_versions(struct json_out *out, const struct state_key *k, int64_t now)
{
	size_t count = state_version_count(k);
	struct version_view v;

	json_out_array(out, "versions");
	for (size_t i = 0; i < count; i++) {
		state_version_at(k, i, now, &v);
		add_version(out, &v);
	}
	json_out_end(out);
}

/* [[1,3],[7,7]]: numbers of which nothing else is left. */
static void
add_destroyed(struct json_out *out, const struct state_key *k, size_t count)
{
	json_out_array(out, "destroyed");
	for (size_t i = 0; i < count; i++) {
		uint32_t from, to;

		state_key_destroyed(k, i, &from, &to);
		json_out_array(out, NULL);
		json_out_uint(out, NULL, from);
		json_out_uint(out, NULL, to);
		json_out_end(out);
	}
	json_out_end(out);
}

/* Under the state's lock: the members about one key. */
static void
add_key(struct json_out *out, const struct state_key *k, int64_t now)
{
	struct version_view v;
	struct key_meta meta;
	size_t n;
	const char *name = state_key_name(k, &n);

	state_key_meta(k, &meta);
	json_out_text_n(out, "key", name, n);
	json_out_uint(out, "currentVersion", state_version_latest(k, now, &v) ? v.number : 0);
	json_out_uint(out, "highestVersion", meta.high);
	json_out_uint(out, "max_versions", meta.max_versions);
	json_out_bool(out, "cas_required", meta.cas_required);
	json_out_raw(out, "metadata",
	    meta.custom != NULL && meta.custom[0] != '\0' ? meta.custom : "{}");
	json_out_uint(out, "cas", meta.mcas);
	reply_time(out, "updatedAt", meta.updated_ms);
	json_out_text(out, "updatedBy", meta.updated_by != NULL ? meta.updated_by : "");
	add_versions(out, k, now);
	add_destroyed(out, k, meta.destroyed_count);
}

/* Begin the answer: an object with the path. */
static struct json_out *
begin_path(struct exchange *x)
{
	struct json_out *out = answer_json(x);
	size_t n;
	const char *name = request_param(x, PARAM_PATH, &n);

	json_out_object(out, NULL);
	json_out_text_n(out, "path", name, n);
	return out;
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
		struct json_out *out = begin_path(x);

		add_key(out, key, store_now(request_store(x)));
		json_out_end(out);
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
	struct json_out *out;
	size_t n;
	const char *name = request_param(x, PARAM_PATH, &n);

	state_lock(s);
	path = state_path_find(s, name, n);
	if (path == NULL) {
		state_unlock(s);
		answer_fail(x, 404, 40401, "Nothing was ever stored under this path");
		return;
	}
	out = begin_path(x);
	json_out_array(out, "keys");
	name = "";
	n = 0;
	while ((key = state_key_after(path, name, n)) != NULL && !x->body.failed) {
		x->count++;
		json_out_object(out, NULL);
		add_key(out, key, now);
		json_out_end(out);
		name = state_key_name(key, &n);
	}
	state_unlock(s);
	json_out_end(out);
	json_out_end(out);
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
