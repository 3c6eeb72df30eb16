#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "crypto/mac.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/audit/audit.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/store/record.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

#define IDEM_MAX 255

/*
 * A change of the store on behalf of a request: the store does it, with intent and
 * outcome put on record (commit_hook_begin), then the endpoint answers.  It goes on to the
 * end when the client goes away in between.
 */
struct change {
	struct store_op op;
	struct exchange *x;
	int status;				/* of the answer when it is done */
	void (*stored)(struct change *c);	/* on the event thread; answers */
};

static void
release(void *work)
{
	struct change *c = work;

	buf_pool_give(c->x->thread->values, &c->op.value);
	store_op_release(&c->op);
	free(c);
}

/* The request's change, filled with its names and caller; NULL: answered. */
static struct change *
change_new(struct exchange *x, enum store_action action, int status,
    void (*stored)(struct change *c))
{
	struct change *c = exchange_work(x, sizeof(*c), release);
	const char *text;
	size_t n;

	if (c == NULL)
		return NULL;
	store_op_init(&c->op, action);
	c->x = x;
	c->stored = stored;
	c->status = status;
	c->op.by = request_principal(x);
	/* The names were checked: they fit. */
	text = request_param(x, PARAM_PATH, &n);
	if (text != NULL && n < sizeof(c->op.path)) {
		memcpy(c->op.path, text, n + 1);
		c->op.path_len = n;
	}
	text = request_param(x, PARAM_KEY, &n);
	if (text != NULL && n < sizeof(c->op.key)) {
		memcpy(c->op.key, text, n + 1);
		c->op.key_len = n;
	}
	c->op.version = x->version;
	return c;
}

/* The current version of the key that the condition is about; 0: none. */
static uint32_t
current(struct change *c)
{
	struct state *s = request_state(c->x);
	int64_t now = store_now(request_store(c->x));
	const struct state_path *path;
	const struct state_key *key;
	struct version_view v;
	uint32_t number = 0;

	state_lock(s);
	path = state_path_find(s, c->op.path, c->op.path_len);
	key = path != NULL ? state_key_find(path, c->op.key, c->op.key_len) : NULL;
	if (key != NULL && state_version_latest(key, now, &v))
		number = v.number;
	state_unlock(s);
	return number;
}

static bool
path_is_live(struct change *c)
{
	struct state *s = request_state(c->x);
	const struct state_path *path;
	bool live;

	state_lock(s);
	path = state_path_find(s, c->op.path, c->op.path_len);
	live = path != NULL && state_path_live(path, store_now(request_store(c->x)));
	state_unlock(s);
	return live;
}

/* Can the If-Match hold?  Then the store will see to it at the moment of the
 * change.  (A change of any version depends on the key's current one.) */
static bool
can_match(struct change *c, const char *match)
{
	uint32_t number;

	/* A path as a whole has no tag. */
	if (c->op.action == STORE_DELETE_PATH)
		return condition_is_any(match) && path_is_live(c);
	if (!condition_is_one(match, &number)) {
		number = current(c);
		if (!condition_names(match, number, false))
			number = 0;
	}
	c->op.if_match = number;
	return number != 0;
}

/**
 * change_condition(c):
 * Take over If-Match and If-None-Match: *.  false: it cannot hold, and 412 was
 * answered.
 */
static bool
change_condition(struct change *c)
{
	const char *match = http_header(c->x->r, "If-Match");
	const char *none = http_header(c->x->r, "If-None-Match");

	c->op.if_none_match = none != NULL && condition_is_any(none);
	if (match == NULL || can_match(c, match))
		return true;
	answer_fail(c->x, 412, 0, "If-Match does not hold: read the secret again");
	return false;
}

static void
change_back(void *arg)
{
	struct change *c = arg;
	struct exchange *x = c->x;

	x->offset = c->op.offset;
	/* What change_done foresaw has not come about, or nobody knows. */
	if (c->op.result == STORE_FAILED || c->op.result == STORE_UNKNOWN) {
		x->has_count = false;
		x->version = c->op.action == STORE_CREATE ? 0 : x->version;
	}
	c->stored(c);
}

/* On the writer's thread. */
static void
done(struct store_op *op)
{
	struct change *c = op->cookie;

	http_post(c->x->r, change_back, c);
}

static void
change_submit(struct change *c)
{
	c->op.done = done;
	c->op.cookie = c;
	store_submit_lazily(request_store(c->x), &c->op);
	exchange_lazily(c->x, &c->x->thread->store_lazy);
}

/* It is decided and about to be written: what the outcome tells if it is done. */
static void
change_done(struct change *c)
{
	struct exchange *x = c->x;

	x->status = c->status;
	x->offset = c->op.offset;
	switch (c->op.action) {
	case STORE_CREATE:
		x->version = c->op.version;
		return;
	case STORE_DELETE_KEY:
	case STORE_DELETE_PATH:
		x->has_count = true;
		x->count = c->op.touched_count;
		return;
	default:
		return;
	}
}

static void
fail_store(struct change *c)
{
	const struct error *err = &c->op.err;
	bool again = err->code == ERROR_IO || err->code == ERROR_BUSY || err->code == ERROR_MEMORY;

	answer_fail(c->x, again ? 503 : 500, again ? 50302 : 50001, "Nothing was written: %s",
	    err->text);
}

/* For what is not STORE_DONE or STORE_REPEATED: the error's answer. */
static void
change_fail(struct change *c)
{
	struct exchange *x = c->x;

	switch (c->op.result) {
	case STORE_ABSENT:
		answer_fail(x, 404, c->op.action == STORE_DELETE_VERSION ||
		    c->op.action == STORE_UNDELETE || c->op.action == STORE_DESTROY ? 40402 : 40401,
		    "There is nothing here that could be changed");
		return;
	case STORE_CAS_MISMATCH:
		answer_fail(x, 409, 40901, "\"cas\" is %lld, but the current version is %u: read "
		    "it again", (long long)c->op.cas, (unsigned)c->op.current);
		return;
	case STORE_CAS_MISSING:
		answer_fail(x, 422, 42201, "This key takes changes only with \"cas\" (the current "
		    "version, or 0)");
		return;
	case STORE_PRECONDITION:
		answer_fail(x, 412, 0, "The condition does not hold: the current version is %u",
		    (unsigned)c->op.current);
		return;
	case STORE_IDEM_MISMATCH:
		answer_fail(x, 422, 42201, "This Idempotency-Key was used with another body");
		return;
	case STORE_DESTROYED:
		answer_fail(x, 409, 0, "This version is destroyed and cannot be brought back");
		return;
	case STORE_EXHAUSTED:
		answer_fail(x, 409, 0, "This key has no version number left");
		return;
	case STORE_UNKNOWN:
		answer_fail(x, 504, 50402, "It is not known whether this was written: repeat it "
		    "with the same Idempotency-Key");
		return;
	case STORE_DONE:
	case STORE_REPEATED:
	case STORE_FAILED:
	default:
		fail_store(c);
		return;
	}
}

_Static_assert(AUDIT_CARRY_PARTS <= STORE_CARRY_PARTS, "the store takes what the audit gives");
_Static_assert(AUDIT_CARRY_SLOTS <= RECORD_SLOT_MAX + 1, "a record's key can tell each slot");

/*
 * On the store's writer's thread, while the event threads that submitted the
 * changes wait for them.
 */

static int
commit_hook_add(struct audit_commit *commit, struct change *c, struct error *err)
{
	struct audit_event intent, outcome;

	answer_describe(c->x, AUDIT_INTENT, &intent);
	change_done(c);
	answer_describe(c->x, AUDIT_OUTCOME, &outcome);
	return audit_commit_add(commit, &intent, &outcome, err);
}

static int
commit_hook_before(void *cookie, struct store_op *const *ops, size_t n, struct store_carry *parts,
    size_t *count, struct error *err)
{
	struct api *a = cookie;
	struct audit_carry carry[AUDIT_CARRY_PARTS];
	struct change *c;
	size_t i;

	a->commit = audit_commit_new(a->parts.audit, err);
	for (i = 0; a->commit != NULL && i < n; i++) {
		if (commit_hook_add(a->commit, ops[i]->cookie, err) != 0)
			goto fail;
	}
	if (a->commit == NULL || audit_commit_begin(a->commit, carry, count, err) != 0)
		goto fail;
	for (i = 0; i < n; i++) {
		c = ops[i]->cookie;
		c->x->intended = true;
		c->x->wait.seq = audit_commit_intent(a->commit, i);
	}
	for (i = 0; i < *count; i++)
		parts[i] = (struct store_carry){ carry[i].lines, carry[i].n, carry[i].slot };
	return 0;
fail:
	audit_commit_free(a->commit);
	return -1;
}

static void
commit_hook_after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	struct api *a = cookie;
	bool failed = audit_commit_end(a->commit, written) != 0;
	struct change *c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = ops[i]->cookie;
		c->x->ended = written;
		c->x->unrecorded = failed;
	}
	audit_commit_free(a->commit);
}

void
commit_hook_begin(struct api *a)
{
	struct store_commit_hook w = { .before = commit_hook_before, .after = commit_hook_after,
	    .cookie = a };

	store_set_commit_hook(a->parts.store, &w);
}

/* POST .../versions: a secret's next version. */

/* The version's absolute URI. */
static void
create_locate(struct exchange *x, const struct store_op *op)
{
	const char *base = request_settings(x)->base_url;
	struct buf *out = &x->link;

	if (base != NULL) {
		size_t n = strlen(base);

		buf_append(out, base, n > 0 && base[n - 1] == '/' ? n - 1 : n);
	} else {
		const char *host = http_header(x->r, "Host");

		buf_append_str(out, http_is_tls(x->r) ? "https://" : "http://");
		buf_append_str(out, host != NULL ? host : "localhost");
	}
	buf_append_str(out, "/secret/paths/");
	text_append_percent(out, op->path, op->path_len);
	buf_append_str(out, "/keys/");
	text_append_percent(out, op->key, op->key_len);
	buf_append_str(out, "/versions/");
	number_append(out, op->version);
	x->link_name = "Location";
}

static void
created(struct change *c)
{
	struct exchange *x = c->x;
	const struct store_op *op = &c->op;
	struct secret_name name = {
		.path = op->path, .path_len = op->path_len,
		.key = op->key, .key_len = op->key_len,
	};
	struct version_view v = {
		.number = op->version, .status = VERSION_LIVE,
		.created_ms = op->created_ms, .expires_ms = op->expires_ms, .created_by = op->by,
	};
	const void *value = NULL;

	if (op->result != STORE_DONE && op->result != STORE_REPEATED) {
		change_fail(c);
		return;
	}
	x->version = op->version;
	if (request_settings(x)->echo_secret)
		value = op->value.data != NULL ? op->value.data : (const void *)"";
	secret_json_append(&name, &v, value, op->value.len, request_flag(x, "metadata"),
	    answer_json(x));
	create_locate(x, op);
	answer_send(x, c->status);
}

/* Digests of who and where, and of what: the store compares them.  -1: failed. */
static int
digest_idempotency(struct change *c, const char *key, size_t n)
{
	struct exchange *x = c->x;
	struct buf where;
	struct error err;
	int result;

	/* None of the parts holds a NUL. */
	buf_init(&where, 4096);
	buf_append(&where, c->op.by, strlen(c->op.by) + 1);
	buf_append(&where, c->op.path, c->op.path_len + 1);
	buf_append(&where, c->op.key, c->op.key_len);
	result = buf_check(&where, &err);
	if (result == 0)
		result = mac_sum(x->thread->caller, where.data, where.len, key, n, c->op.idem,
		    &err);
	buf_clear(&where);
	number_append(&where, (uint64_t)c->op.ttl_ms);
	buf_append_char(&where, ' ');
	buf_append(&where, c->op.custom.data, c->op.custom.len);
	if (result == 0 && !where.failed)
		result = mac_sum(x->thread->content, where.data, where.len, c->op.value.data,
		    c->op.value.len, c->op.idem + 32, &err);
	result = result == 0 ? buf_check(&where, &err) : result;
	buf_release(&where);
	c->op.has_idem = true;
	if (result == -1)
		answer_error(x, &err);
	return result;
}

/* -1: answered. */
static int
take_idempotency(struct change *c)
{
	const char *key = http_header(c->x->r, "Idempotency-Key");
	size_t n = key != NULL ? strlen(key) : 0;

	if (key == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (key[i] <= ' ' || key[i] > '~')
			n = 0;
	}
	if (n == 0 || n > IDEM_MAX) {
		answer_fail(c->x, 400, 0, "An Idempotency-Key has 1 to %d visible ASCII characters",
		    IDEM_MAX);
		return -1;
	}
	(void)audit_hmac(c->x->api->parts.audit, key, n, c->x->idem_hmac);
	return digest_idempotency(c, key, n);
}

static int
body_status(const struct exchange *x, enum body_result result)
{
	switch (result) {
	case BODY_SYNTAX:
		return 400;
	case BODY_LARGE:
		return 413;
	case BODY_SHAPE:
		return request_mredjem(x) ? 500 : 422;
	case BODY_OK:
	case BODY_INVALID:
	default:
		return 422;
	}
}

/* -1: answered. */
static int
create_take_body(struct change *c)
{
	struct exchange *x = c->x;
	struct buf *text = http_body(x->r);
	struct body_limits limits = {
		.secret_max = request_settings(x)->secret_max,
		.refuse_masks = request_settings(x)->refuse_masks,
	};
	struct body_create body;
	enum body_result result;
	char why[256];
	int status;

	body_create_init(&body);
	buf_pool_take(x->thread->values, &body.value);
	result = body_create_parse(text->data, text->len, &limits, &body, why, sizeof(why));
	buf_clear(text);
	if (result != BODY_OK) {
		buf_pool_give(x->thread->values, &body.value);
		body_create_release(&body);
		status = body_status(x, result);
		answer_fail(x, status, status == 413 ? 41301 : status == 422 ? 42201 : 0, "%s",
		    why);
		return -1;
	}
	buf_move(&c->op.value, &body.value);
	buf_move(&c->op.custom, &body.custom);
	c->op.cas = body.cas;
	c->op.ttl_ms = body.ttl_ms;
	x->has_cas = body.cas >= 0;
	x->cas = body.cas;
	x->has_length = true;
	x->length = c->op.value.len;
	return 0;
}

void
create_version(struct exchange *x)
{
	struct change *c = change_new(x, STORE_CREATE, request_mredjem(x) ? 201 : 200,
	    created);

	if (c == NULL || create_take_body(c) == -1 || take_idempotency(c) == -1 ||
	    !change_condition(c))
		return;
	if (audit_hmac(x->api->parts.audit, c->op.value.data, c->op.value.len,
	    x->value_hmac) == -1) {
		answer_fail(x, 500, 50001, "The value's HMAC for the audit log cannot be computed");
		return;
	}
	change_submit(c);
}

/* Deleting, bringing back, destroying. */

static bool
deletes_same_key(const struct store_touched *a, const struct store_touched *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* [1,2,...]: the versions from ${i} on that are of one key.  Where they end. */
static size_t
append_versions(struct json_out *out, const char *key, const struct store_op *op, size_t i)
{
	size_t first = i;

	json_out_array(out, key);
	for (; i < op->touched_count && deletes_same_key(&op->touched[first], &op->touched[i]); i++)
		json_out_uint(out, NULL, op->touched[i].version);
	json_out_end(out);
	return i;
}

/* [{"key":"a","versions":[1,2]},...] */
static void
append_keys(struct json_out *out, const struct store_op *op)
{
	size_t i = 0;

	json_out_array(out, NULL);
	while (i < op->touched_count) {
		json_out_object(out, NULL);
		json_out_text_n(out, "key", op->touched[i].key, op->touched[i].key_len);
		i = append_versions(out, "versions", op, i);
		json_out_end(out);
	}
	json_out_end(out);
}

static void
deleted(struct change *c)
{
	struct exchange *x = c->x;
	const struct store_op *op = &c->op;

	if (request_mredjem(x) && (op->result == STORE_DONE || op->result == STORE_ABSENT)) {
		answer_send(x, c->status);
		return;
	}
	if (op->result != STORE_DONE) {
		change_fail(c);
		return;
	}
	if (op->action == STORE_DELETE_PATH)
		append_keys(answer_json(x), op);
	else if (op->action == STORE_DELETE_KEY)
		(void)append_versions(answer_json(x), NULL, op, 0);
	else
		json_out_uint(answer_json(x), NULL, op->version);
	answer_send(x, c->status);
}

static void
delete(struct exchange *x, enum store_action action)
{
	struct change *c = change_new(x, action, request_mredjem(x) ? 204 : 200, deleted);

	if (c != NULL && change_condition(c))
		change_submit(c);
}

void
deletes_version(struct exchange *x)
{
	/* exchange.c has seen to it that a destruction is allowed. */
	delete(x, x->op == SECRET_DESTROY ? STORE_DESTROY : STORE_DELETE_VERSION);
}

void
deletes_key(struct exchange *x)
{
	delete(x, STORE_DELETE_KEY);
}

void
deletes_path(struct exchange *x)
{
	delete(x, STORE_DELETE_PATH);
}

static void
undone(struct change *c)
{
	struct exchange *x = c->x;
	struct secret_name name = {
		.path = c->op.path, .path_len = c->op.path_len,
		.key = c->op.key, .key_len = c->op.key_len,
	};
	struct version_view v = { .number = c->op.version };

	if (c->op.result != STORE_DONE) {
		change_fail(c);
		return;
	}
	secret_json_append(&name, &v, NULL, 0, false, answer_json(x));
	answer_send(x, c->status);
}

void
deletes_undo(struct exchange *x)
{
	struct change *c = change_new(x, STORE_UNDELETE, 200, undone);

	if (c != NULL)
		change_submit(c);
}

/* What is known of secrets beside their values. */

static void
metadata_add_version(struct json_out *out, const struct version_view *v)
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
		metadata_add_version(out, &v);
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
metadata_add_key(struct json_out *out, const struct state_key *k, int64_t now)
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
metadata_begin_path(struct exchange *x)
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
		struct json_out *out = metadata_begin_path(x);

		metadata_add_key(out, key, store_now(request_store(x)));
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
	out = metadata_begin_path(x);
	json_out_array(out, "keys");
	name = "";
	n = 0;
	while ((key = state_key_after(path, name, n)) != NULL && !x->body.failed) {
		x->count++;
		json_out_object(out, NULL);
		metadata_add_key(out, key, now);
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
		answer_body(x, result, why);
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
