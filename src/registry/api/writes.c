#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
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
#include "registry/store/reader.h"
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

static struct secret_name
change_name(const struct change *c)
{
	return (struct secret_name){ .path = c->op.path, .path_len = c->op.path_len,
	    .key = c->op.key, .key_len = c->op.key_len };
}

/* Can the If-Match hold?  Then the store will see to it at the moment of the
 * change.  (A change of any version depends on the key's current one.)  -1: that
 * cannot be read. */
static int
can_match(struct change *c, struct reader *r, const char *match, struct error *err)
{
	struct secret_name name = change_name(c);
	struct path_view path;
	struct version_view v;
	uint32_t number;
	int found;

	/* A path as a whole has no tag. */
	if (c->op.action == STORE_DELETE_PATH) {
		found = reader_path(r, c->op.path, c->op.path_len, &path, err);
		return found == -1 ? -1 : condition_is_any(match) && found == 1 && path.live;
	}
	if (!condition_is_one(match, &number)) {
		if ((found = reader_latest(r, &name, false, &v, err)) == -1)
			return -1;
		number = found == 1 && condition_names(match, v.number, false) ? v.number : 0;
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
	struct reader *r;
	struct error err;
	int can;

	c->op.if_none_match = none != NULL && condition_is_any(none);
	if (match == NULL)
		return true;
	if ((r = request_reader(c->x)) == NULL)
		return false;
	can = can_match(c, r, match, &err);
	reader_end(r);
	if (can == -1)
		answer_error(c->x, &err);
	else if (can == 0)
		answer_fail(c->x, 412, 0, "If-Match does not hold: read the secret again");
	return can == 1;
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
	case STORE_RESTORE:
		x->has_count = true;
		x->count = c->op.touched_count;
		return;
	default:
		return;
	}
}

static void
change_back(void *arg)
{
	struct change *c = arg;
	struct exchange *x = c->x;

	if (!x->ended && c->op.result == STORE_DONE)
		change_done(c);
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
change_intended(struct exchange *x)
{
	struct change *c = x->work;

	store_submit_lazily(request_store(x), &c->op);
	exchange_lazily(x);
}

/* With a topic its intent is on record first: what is there may be read by others
 * before this node has written a line about it. */
static void
change_submit(struct change *c)
{
	c->op.done = done;
	c->op.cookie = c;
	if (store_has_log(request_store(c->x)))
		answer_intend(c->x, change_intended);
	else
		change_intended(c->x);
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
	case STORE_QUOTA:
		if (c->op.current == 1)
			answer_fail(x, 413, 0, "This path has no room left (quota.path.bytes): "
			    "destroy versions of it");
		else
			answer_fail(x, 507, 0, c->op.current == 0 ? "The registry has no room left "
			    "(quota.bytes)" : "The registry's disk has no room left");
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

/*
 * On the store's writer's thread, while the event threads that submitted the
 * changes wait for them.
 */

/* Its lines are durable, and where they must be: it is done. */
static void
commit_hook_told(struct audit_wait *w)
{
	struct change *c = w->cookie;

	c->x->unrecorded = w->failed != 0;
	c->op.done(&c->op);
}

static int
commit_hook_add(struct api *a, struct change *c, struct error *err)
{
	struct audit_event events[2];
	struct exchange *x = c->x;

	answer_describe(x, AUDIT_INTENT, &events[0]);
	change_done(c);
	answer_describe(x, AUDIT_OUTCOME, &events[1]);
	memset(&x->wait, 0, sizeof(x->wait));
	x->wait.done = commit_hook_told;
	x->wait.cookie = c;
	return audit_add(a->parts.audit, events, 2, &x->wait, err);
}

static int
commit_hook_write(void *cookie, struct store_op *const *ops, size_t n, struct error *err)
{
	struct api *a = cookie;

	for (size_t i = 0; i < n; i++) {
		if (commit_hook_add(a, ops[i]->cookie, err) != 0)
			return -1;
	}
	return audit_write(a->parts.audit, err);
}

static void
commit_hook_after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	struct api *a = cookie;

	for (size_t i = 0; i < n && written; i++) {
		struct change *c = ops[i]->cookie;

		c->x->intended = c->x->ended = true;
	}
	audit_written(a->parts.audit, written);
}

static size_t
commit_hook_waiting(void *cookie)
{
	const struct api *a = cookie;

	return audit_waiting(a->parts.audit);
}

void
commit_hook_begin(struct api *a)
{
	struct store_commit_hook w = { .waiting = commit_hook_waiting, .write = commit_hook_write,
	    .after = commit_hook_after, .cookie = a };

	store_set_commit_hook(a->parts.store, &w);
}

/* POST .../versions: a secret's next version. */

/* The version's absolute URI. */
static void
create_locate(struct exchange *x, const struct store_op *op)
{
	struct buf *out = &x->link;

	answer_base(x, out);
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
	struct secret_name name = change_name(c);
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
	if (http_header_count(c->x->r, "Idempotency-Key") > 1) {
		answer_fail(c->x, 400, 0, "There is more than one Idempotency-Key");
		return -1;
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
	c->op.given_ms = body.created_ms;
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

	if (c == NULL || create_take_body(c) == -1)
		return;
	/* Who may destroy a version may say that it is older than it is. */
	if (c->op.given_ms != 0 && !request_allows(x, SECRET_DESTROY, c->op.path, c->op.path_len)) {
		answer_deny(x, SECRET_DESTROY, c->op.path, c->op.path_len);
		return;
	}
	if (take_idempotency(c) == -1 || !change_condition(c))
		return;
	if (audit_hmac(x->api->parts.audit, c->op.value.data, c->op.value.len,
	    x->value_hmac) == -1) {
		answer_fail(x, 500, 50001, "The value's HMAC for the audit log cannot be computed");
		return;
	}
	change_submit(c);
}

/* Deleting, bringing back, destroying. */

/* [1,2,...]: the versions from ${i} on that are of one key.  Where they end. */
static size_t
append_versions(struct json_out *out, const char *key, const struct store_op *op, size_t i)
{
	size_t first = i;

	json_out_array(out, key);
	for (; i < op->touched_count && op->touched[i].key_at == op->touched[first].key_at; i++)
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
		json_out_text_n(out, "key", op->names.data + op->touched[i].key_at,
		    op->touched[i].key_len);
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
	struct secret_name name = change_name(c);
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

/* [[1,3],[7,7]]: numbers of which nothing else is left: those that were given and
 * are not there. */
struct destroyed {
	struct json_out out;		/* into ${text} */
	struct buf text;
	uint32_t next;			/* all before it are told */
};

static void
add_destroyed(struct destroyed *d, uint32_t until)
{
	if (d->next < until) {
		json_out_array(&d->out, NULL);
		json_out_uint(&d->out, NULL, d->next);
		json_out_uint(&d->out, NULL, until - 1);
		json_out_end(&d->out);
	}
	d->next = until + 1;
}

/* The members about one key.  0 or -1. */
static int
metadata_add_key(struct json_out *out, struct reader *r, const struct secret_name *name,
    const struct key_settings *k, struct error *err)
{
	struct destroyed d = { .next = 1 };
	struct version_view v;
	uint32_t after = 0;
	int found = reader_latest(r, name, false, &v, err);

	if (found == -1)
		return -1;
	json_out_text_n(out, "key", name->key, name->key_len);
	json_out_uint(out, "currentVersion", found == 1 ? v.number : 0);
	json_out_uint(out, "highestVersion", k->high);
	json_out_uint(out, "max_versions", k->max_versions);
	json_out_bool(out, "cas_required", k->cas_required);
	json_out_raw(out, "metadata", k->custom[0] != '\0' ? k->custom : "{}");
	json_out_uint(out, "cas", k->mcas);
	reply_time(out, "updatedAt", k->updated_ms);
	json_out_text(out, "updatedBy", k->updated_by);
	buf_init(&d.text, EXCHANGE_BODY_MAX);
	json_out_init(&d.out, &d.text);
	json_out_array(&d.out, NULL);
	json_out_array(out, "versions");
	while ((found = reader_next(r, name, after, false, &v, err)) == 1) {
		after = v.number;
		add_destroyed(&d, v.number);
		metadata_add_version(out, &v);
	}
	json_out_end(out);
	add_destroyed(&d, k->high + 1);
	json_out_end(&d.out);
	json_out_raw_n(out, "destroyed", d.text.data, d.text.len);
	if (found == 0)
		found = buf_check(&d.text, err);
	buf_release(&d.text);
	return found;
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

/* The answer for the URL's key, or ${status} 404 with ${absent}. */
static void
answer_key(struct exchange *x, int status, const char *absent)
{
	struct reader *r = request_reader(x);
	struct secret_name name;
	struct key_settings k;
	struct json_out *out;
	struct error err;
	int found;

	if (r == NULL)
		return;
	name.path = request_param(x, PARAM_PATH, &name.path_len);
	name.key = request_param(x, PARAM_KEY, &name.key_len);
	found = reader_settings(r, &name, &k, &err);
	if (found == 1) {
		out = metadata_begin_path(x);
		if (metadata_add_key(out, r, &name, &k, &err) == -1)
			found = -1;
		json_out_end(out);
	}
	reader_end(r);
	if (found == -1)
		answer_error(x, &err);
	else if (found == 1)
		answer_send(x, status);
	else
		answer_fail(x, 404, 40401, "%s", absent);
}

void
metadata_key(struct exchange *x)
{
	answer_key(x, 200, "Nothing was ever stored under this key");
}

/* Every key of the path.  1; 0: it is not known; -1: ${err}. */
static int
add_keys(struct exchange *x, struct reader *r, struct json_out *out, struct error *err)
{
	struct secret_name name = { .key = "" };
	char key[NAME_KEY_MAX + 1];
	struct key_settings k;
	int found;

	name.path = request_param(x, PARAM_PATH, &name.path_len);
	while ((found = reader_key_after(r, name.path, name.path_len, name.key, name.key_len, key,
	    &name.key_len, err)) == 1 && !x->body.failed) {
		name.key = key;
		x->count++;
		json_out_object(out, NULL);
		if (reader_settings(r, &name, &k, err) == -1 ||
		    metadata_add_key(out, r, &name, &k, err) == -1)
			return -1;
		json_out_end(out);
	}
	return found == -1 ? -1 : x->count > 0;
}

void
metadata_path(struct exchange *x)
{
	struct reader *r = request_reader(x);
	struct json_out *out;
	struct error err;
	int found;

	if (r == NULL)
		return;
	out = metadata_begin_path(x);
	json_out_array(out, "keys");
	found = add_keys(x, r, out, &err);
	reader_end(r);
	if (found == -1) {
		answer_error(x, &err);
	} else if (found == 0) {
		answer_fail(x, 404, 40401, "Nothing was ever stored under this path");
	} else {
		json_out_end(out);
		json_out_end(out);
		x->has_count = true;
		answer_send(x, 200);
	}
}

static void
changed(struct change *c)
{
	struct exchange *x = c->x;

	if (c->op.result != STORE_DONE)
		change_fail(c);
	else
		answer_key(x, c->status, "The key was removed in the meantime");
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

/* POST .../restore: a backup in the place of all that there is. */

static void
restored(struct change *c)
{
	struct json_out *out;

	if (c->op.result != STORE_DONE) {
		change_fail(c);
		return;
	}
	out = answer_json(c->x);
	json_out_object(out, NULL);
	json_out_text(out, "file", buf_cstr(&c->op.names));
	json_out_uint(out, "versions", c->op.touched_count);
	json_out_end(out);
	answer_send(c->x, 200);
}

/* On the worker's thread. */
static void
restore_open(struct exchange *x)
{
	struct change *c = x->work;
	char file[PATH_MAX];

	(void)snprintf(file, sizeof(file), "%s/backups/%s", request_settings(x)->data,
	    buf_cstr(&c->op.names));
	c->op.backup = store_backup_open(request_store(x), file, &c->op.err);
}

static void
restore_opened(struct exchange *x)
{
	struct change *c = x->work;
	const struct error *err = &c->op.err;

	if (c->op.backup != NULL)
		change_submit(c);
	else if (err->code == ERROR_MISSING)
		answer_fail(x, 404, 0, "There is no backup of that name");
	else if (err->code == ERROR_IO || err->code == ERROR_MEMORY || err->code == ERROR_BUSY)
		answer_error(x, err);
	else
		answer_fail(x, 409, 0, "The backup cannot be restored: %s", err->text);
}

void
admin_restore(struct exchange *x)
{
	char name[BACKUP_NAME_MAX + 1];
	struct change *c;

	if (!admin_backup_name(x, name))
		return;
	if (store_has_log(request_store(x))) {
		answer_fail(x, 409, 0, "A topic is not taken back; a backup goes into a new one. "
		    "Stop the nodes; on one: `propseal registry restore DIR/backups/%s "
		    "--data DIR`, name a new kafkastore.topic in its settings, `propseal registry "
		    "copy kafka --data DIR --settings FILE`, and serve it; then the others, with "
		    "that topic and an empty DIR", name);
		return;
	}
	if ((c = change_new(x, STORE_RESTORE, 200, restored)) == NULL)
		return;
	buf_append_str(&c->op.names, name);
	api_worker_run(x, restore_open, restore_opened);
}
