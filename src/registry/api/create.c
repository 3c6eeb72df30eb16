#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/buf_pool.h"
#include "crypto/mac.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/body.h"
#include "registry/api/change.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/api/secret_json.h"
#include "registry/api/thread.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"
#include "registry/store/state.h"

/* POST .../versions: a secret's next version. */

#define IDEM_MAX 255

/* The version's absolute URI. */
static void
locate(struct exchange *x, const struct store_op *op)
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
	target_encode(out, op->path, op->path_len);
	buf_append_str(out, "/keys/");
	target_encode(out, op->key, op->key_len);
	buf_append_str(out, "/versions/");
	reply_number(out, op->version);
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
	locate(x, op);
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
	reply_number(&where, (uint64_t)c->op.ttl_ms);
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
take_body(struct change *c)
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

	if (c == NULL || take_body(c) == -1 || take_idempotency(c) == -1 || !change_condition(c))
		return;
	if (audit_hmac(x->api->parts.audit, c->op.value.data, c->op.value.len,
	    x->value_hmac) == -1) {
		answer_fail(x, 500, 50001, "The value's HMAC for the audit log cannot be computed");
		return;
	}
	change_submit(c);
}
