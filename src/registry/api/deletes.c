#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/change.h"
#include "registry/api/exchange.h"
#include "registry/api/reply.h"
#include "registry/api/secret_json.h"
#include "registry/http/http.h"
#include "registry/store/state.h"

/* Deleting, bringing back, destroying. */

static bool
same_key(const struct store_touched *a, const struct store_touched *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* [1,2,...]: the versions from ${i} on that are of one key.  Where they end. */
static size_t
append_versions(struct json_out *out, const char *key, const struct store_op *op, size_t i)
{
	size_t first = i;

	json_out_array(out, key);
	for (; i < op->touched_count && same_key(&op->touched[first], &op->touched[i]); i++)
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
	/* admit.c has seen to it that a destruction is allowed. */
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
