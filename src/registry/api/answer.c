#include "registry/api/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/api/tally.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"

void
answer_describe(const struct exchange *x, enum audit_phase phase, struct audit_event *e)
{
	bool outcome = phase == AUDIT_OUTCOME;

	memset(e, 0, sizeof(*e));
	e->phase = phase;
	e->method = x->method;
	e->principal = x->user;
	e->mechanism = x->check.mechanism;
	e->authorization = !outcome;
	e->granted = x->granted;
	e->operation = operation_name(x->op);
	if (x->granted && x->why.role[0] != '\0') {
		e->role = x->why.role;
		e->pattern = x->why.pattern;
	}
	if (!x->about_cluster) {
		e->path = x->match.params[PARAM_PATH].text;
		e->path_len = x->match.params[PARAM_PATH].len;
		e->key = x->match.params[PARAM_KEY].text;
		e->key_len = x->match.params[PARAM_KEY].len;
		e->version = x->version;
	}
	e->request_id = x->id;
	e->client = http_peer(x->r);
	e->value_hmac = x->value_hmac[0] != '\0' ? x->value_hmac : NULL;
	e->idempotency_hmac = x->idem_hmac[0] != '\0' ? x->idem_hmac : NULL;
	e->has_length = x->has_length;
	e->length = x->length;
	e->has_cas = x->has_cas;
	e->cas = x->cas;
	if (!outcome)
		return;
	e->status = x->status;
	e->message = x->message[0] != '\0' ? x->message : NULL;
	e->offset = x->offset;
	e->has_count = x->has_count;
	e->count = x->count;
	e->intent = x->intended ? x->wait.seq : 0;
}

struct json_out *
answer_json(struct exchange *x)
{
	buf_clear(&x->body);
	json_out_init(&x->json, &x->body);
	return &x->json;
}

static void
submit(struct exchange *x, const struct audit_event *events, size_t n,
    void (*done)(struct audit_wait *w))
{
	memset(&x->wait, 0, sizeof(x->wait));
	x->wait.done = done;
	x->wait.cookie = x;
	x->wait.lazy = true;
	audit_submit(x->api->parts.audit, events, n, &x->wait);
	exchange_lazily(x, &x->thread->audit_lazy);
}

/* Put an error's body in the place of what there is. */
static void
make_error(struct exchange *x, int status, int subcode, const void *message, size_t n)
{
	bool subcodes = x->api->parts.settings->subcodes && subcode != 0;

	x->status = status;
	x->etag = 0;
	x->content_type = NULL;
	x->link_name = NULL;
	buf_clear(&x->body);
	reply_error(&x->body, subcodes ? subcode : status, message, n);
}

static void
make_error_text(struct exchange *x, int status, int subcode, const char *text)
{
	(void)snprintf(x->message, sizeof(x->message), "%s", text);
	make_error(x, status, subcode, text, strlen(text));
	if (status == 503)
		http_set_header(x->r, "Retry-After", "1");
}

static void
refuse_unrecorded(struct exchange *x)
{
	make_error_text(x, 503, 50302, x->intended ? "The audit log cannot be written, so it is "
	    "not told whether this was done; see /health/ready" : "The audit log cannot be "
	    "written, so nothing is read or changed; see /health/ready");
	exchange_reply(x);
}

static void
outcome_durable(void *arg)
{
	struct exchange *x = arg;

	if (x->wait.failed != 0)
		refuse_unrecorded(x);
	else
		exchange_reply(x);
}

static void
outcome_written(struct audit_wait *w)
{
	struct exchange *x = w->cookie;

	http_post(x->r, outcome_durable, x);
}

void
answer_send(struct exchange *x, int status)
{
	struct audit_event events[2];
	size_t n = 0;

	x->status = status;
	if (x->body.failed) {
		if (x->body.why == ERROR_LIMIT)
			make_error_text(x, 422, 0, "The answer would be too large: ask for it in "
			    "pages with ?limit=");
		else
			make_error_text(x, 503, 50302, "Out of memory; try again");
	}
	if (x->unrecorded) {
		refuse_unrecorded(x);
		return;
	}
	if (!x->recorded || x->ended) {
		exchange_reply(x);
		return;
	}
	if (!x->intended)
		answer_describe(x, AUDIT_INTENT, &events[n++]);
	answer_describe(x, AUDIT_OUTCOME, &events[n++]);
	submit(x, events, n, outcome_written);
}

void
answer_fail(struct exchange *x, int status, int subcode, const char *fmt, ...)
{
	char text[sizeof(x->message)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_error_text(x, status, subcode, text);
	answer_send(x, status);
}

void
answer_fail_long(struct exchange *x, int status, int subcode, const struct buf *message)
{
	(void)snprintf(x->message, sizeof(x->message), "%.*s",
	    (int)(message->len < sizeof(x->message) ? message->len : sizeof(x->message)),
	    message->len > 0 ? (const char *)message->data : "");
	make_error(x, status, subcode, message->data, message->len);
	answer_send(x, status);
}

void
answer_deny(struct exchange *x, enum operation op, const char *path, size_t n)
{
	x->op = op;
	x->granted = false;
	x->about_cluster = path == NULL;
	/* It is on record however quiet the endpoint is otherwise. */
	x->recorded = x->user[0] != '\0';
	if (path != NULL)
		answer_fail(x, 403, 40301, "User is denied operation %s on Connector: %.*s",
		    operation_name(op), (int)n, path);
	else
		answer_fail(x, 403, 40301, "User is denied operation %s on Cluster: %s",
		    operation_name(op), x->api->parts.settings->audit_connect);
}

void
answer_error(struct exchange *x, const struct error *err)
{
	bool again = err->code == ERROR_IO || err->code == ERROR_BUSY ||
	    err->code == ERROR_MEMORY || err->code == ERROR_STALE;

	answer_fail(x, again ? 503 : 500, again ? 50302 : 50001, "%s", err->text);
}

static void
intent_durable(void *arg)
{
	struct exchange *x = arg;

	if (x->wait.failed != 0) {
		refuse_unrecorded(x);
		return;
	}
	x->intended = true;
	x->then(x);
}

static void
intent_written(struct audit_wait *w)
{
	struct exchange *x = w->cookie;

	http_post(x->r, intent_durable, x);
}

void
answer_intend(struct exchange *x, void (*then)(struct exchange *x))
{
	struct audit_event event;

	x->then = then;
	answer_describe(x, AUDIT_INTENT, &event);
	submit(x, &event, 1, intent_written);
}

void
answer_login_failed(struct exchange *x, int status, int subcode, const char *text)
{
	char user[sizeof(x->user)];
	struct audit_event event;

	tally_login_failed(x->thread->tally);
	make_error_text(x, status, subcode, text);
	if (!x->check.report_failure) {
		exchange_reply(x);
		return;
	}
	memset(&event, 0, sizeof(event));
	event.phase = AUDIT_OUTCOME;
	event.method = "Authenticate";
	/* Whose password was wrong, if it was one. */
	if (x->check.principal[0] != '\0') {
		(void)snprintf(user, sizeof(user), "User:%s", x->check.principal);
		event.principal = user;
	}
	event.mechanism = x->check.mechanism;
	event.request_id = x->id;
	event.client = http_peer(x->r);
	event.status = x->status;
	event.message = x->message;
	event.has_count = x->check.folded > 0;	/* beside this one */
	event.count = x->check.folded;
	submit(x, &event, 1, outcome_written);
}
