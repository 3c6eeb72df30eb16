#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "registry/api/exchange.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/keys/keyring.h"
#include "registry/store/names.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"

/* More than this is given back after use. */
#define SCRATCH_KEPT ((size_t)64 << 10)

/* Bytes of names in one message: with "gives" it fits a line of the audit log. */
#define GIVEN_MAX 480

const struct settings *
request_settings(const struct exchange *x)
{
	return x->api->parts.settings;
}

struct store *
request_store(const struct exchange *x)
{
	return x->api->parts.store;
}

struct reader *
request_reader(struct exchange *x)
{
	struct error err;

	if (reader_begin(x->thread->reader, &err) == 0)
		return x->thread->reader;
	answer_error(x, &err);
	return NULL;
}

bool
request_mredjem(const struct exchange *x)
{
	return x->api->parts.settings->compat == REST_MREDJEM;
}

const char *
request_param(const struct exchange *x, enum param p, size_t *n)
{
	*n = x->match.params[p].len;
	return x->match.params[p].text;
}

const char *
request_principal(const struct exchange *x)
{
	return x->check.principal;
}

bool
request_allows(struct exchange *x, enum operation op, const char *path, size_t n)
{
	return access_allows(x->api->parts.access, x->check.principal, op, path, n, &x->why);
}

/* 1: true; 0: false or not there; -1: something else. */
static int
flag(const struct exchange *x, const char *name)
{
	const char *query = http_query(x->r);
	const char *value;
	struct buf text;
	int found, result = -1;

	if (*query == '\0')
		return 0;
	buf_init(&text, TARGET_BYTES_MAX);
	found = target_query(query, name, &text);
	value = buf_cstr(&text);
	if (found == 1 && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0))
		result = 1;
	else if (found == 0 || (found == 1 && (strcmp(value, "false") == 0 ||
	    strcmp(value, "0") == 0)))
		result = 0;
	buf_release(&text);
	return result;
}

bool
request_flag(const struct exchange *x, const char *name)
{
	return flag(x, name) == 1;
}

bool
request_flag_odd(const struct exchange *x, const char *name)
{
	return flag(x, name) == -1;
}

int
request_query(struct exchange *x, const char *name, struct buf *out)
{
	const char *query = http_query(x->r);
	int found = *query != '\0' ? target_query(query, name, out) : 0;

	if (found != -1 && !out->failed)
		return found;
	answer_fail(x, 400, 0, "the query's %s is not UTF-8 in percent-encoding", name);
	return -1;
}

/* All of ${text} as a decimal number without sign; false: none, or too large. */
static bool
request_parse(const struct buf *text, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < text->len; i++) {
		unsigned digit = (unsigned)(text->data[i] - '0');

		if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return text->len > 0;
}

int
request_number(struct exchange *x, const char *name, uint64_t low, uint64_t high, uint64_t *value)
{
	struct buf text;
	int found;

	buf_init(&text, TARGET_BYTES_MAX);
	found = request_query(x, name, &text);
	if (found == 1 && (!request_parse(&text, value) || *value < low || *value > high)) {
		answer_fail(x, 422, 0, "%s must be a number from %" PRIu64 " to %" PRIu64, name,
		    low, high);
		found = -1;
	}
	buf_release(&text);
	return found;
}

void
reply_time(struct json_out *o, const char *key, int64_t ms)
{
	char text[TIME_TEXT];

	if (ms > 0)
		(void)time_text(ms, TIME_MILLISECONDS, text);
	json_out_text(o, key, ms > 0 ? text : NULL);
}

void
reply_error(struct buf *out, int code, const void *message, size_t n)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_int(&o, "error_code", code);
	json_out_text_n(&o, "message", message, n);
	json_out_end(&o);
}

void
reply_headers(struct http_request *r, const char *id, const char *type)
{
	static const char always[] = "Cache-Control: no-store\r\n"
	    "Pragma: no-cache\r\n"
	    "X-Content-Type-Options: nosniff\r\n";

	if (id != NULL)
		http_set_header(r, "X-Request-Id", id);
	http_set_lines(r, always, sizeof(always) - 1);
	if (type != NULL)
		http_set_header(r, "Content-Type", type);
}

const char *
secret_json_state(const struct version_view *v)
{
	switch (v->status) {
	case VERSION_LIVE:
		return "live";
	case VERSION_EXPIRED:
		return "expired";
	case VERSION_DELETED:
		return "deleted";
	case VERSION_DESTROYED:
	default:
		return "destroyed";
	}
}

const struct buf *
secret_json_open(struct exchange *x, const struct secret_name *name, const struct version_view *v,
    struct error *err)
{
	struct buf *value = &x->thread->value;
	struct sealed_name bound = {
		.path = name->path, .path_len = name->path_len,
		.key = name->key, .key_len = name->key_len,
		.version = v->number,
		.created_ms = v->created_ms, .expires_ms = v->expires_ms,
	};

	if (value->cap > SCRATCH_KEPT)
		buf_release(value);
	buf_clear(value);
	if (sealer_open(x->thread->sealer, &bound, v->sealed, v->sealed_len, value, err) == 0)
		return value;
	buf_clear(value);
	counters_undecryptable(x->thread->counters);
	return NULL;
}

void
secret_json_append(const struct secret_name *name, const struct version_view *v, const void *value,
    size_t n, bool metadata, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_text_n(out, "path", name->path, name->path_len);
	json_out_text_n(out, "key", name->key, name->key_len);
	json_out_uint(out, "version", v->number);
	if (value != NULL)
		json_out_text_n(out, "secret", value, n);
	if (metadata) {
		reply_time(out, "createdAt", v->created_ms);
		json_out_text(out, "createdBy", v->created_by != NULL ? v->created_by : "");
		reply_time(out, "expiresAt", v->expires_ms);
		json_out_text(out, "state", secret_json_state(v));
	}
	json_out_end(out);
}

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
	e->client = x->client;
	e->value_hmac = x->value_hmac[0] != '\0' ? x->value_hmac : NULL;
	e->idempotency_hmac = x->idem_hmac[0] != '\0' ? x->idem_hmac : NULL;
	e->has_length = x->has_length;
	e->length = x->length;
	e->has_cas = x->has_cas;
	e->cas = x->cas;
	if (!outcome) {
		e->via = x->via;
		e->change = x->change;
		return;
	}
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
answer_submit(struct exchange *x, const struct audit_event *events, size_t n, struct audit_wait *w,
    void (*done)(struct audit_wait *w))
{
	memset(w, 0, sizeof(*w));
	w->done = done;
	w->cookie = x;
	w->lazy = true;
	audit_submit(x->api->parts.audit, events, n, w);
	exchange_lazily(x);
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
	if (vault_is_one(x))
		x->status = vault_error(status, &x->body, message, n);
	else
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

	if (atomic_load(&x->lost))
		refuse_unrecorded(x);
	else
		exchange_reply(x);
}

/* Once all lines are, the answer may leave; without one of them, not. */
static void
outcome_written(struct audit_wait *w)
{
	struct exchange *x = w->cookie;

	if (w->failed != 0)
		atomic_store(&x->lost, true);
	if (atomic_fetch_sub(&x->unsettled, 1) == 1)
		http_post(x->r, outcome_durable, x);
}

void
answer_gives(struct exchange *x, const struct secret_name *name, uint32_t version)
{
	if (x->given.len > 0)
		buf_append_char(&x->given, ' ');
	buf_append(&x->given, name->key, name->key_len);
	buf_append_char(&x->given, '@');
	number_append(&x->given, version);
	/* What cannot be put on record does not leave. */
	if (x->given.failed)
		(void)buf_fail(&x->body, x->given.why);
}

/* As many of the names, which are left, as a line has room for. */
static size_t
given_fit(const char *at, size_t left)
{
	size_t n = left < GIVEN_MAX ? left : GIVEN_MAX;

	while (n < left && n > 0 && at[n] != ' ')
		n--;
	return n;
}

/* Put the names of what is given into the outcome's message; those for which it has
 * no room, into lines of their own before.  -1: no memory, and none is. */
static int
answer_name_given(struct exchange *x)
{
	const char *at = (const char *)x->given.data, *end = at + x->given.len, *p;
	struct audit_event event;
	size_t lines = 0;

	for (p = at; p < end; p += given_fit(p, (size_t)(end - p)) + 1)
		lines++;
	if (lines > 1 && (x->more = calloc(lines - 1, sizeof(*x->more))) == NULL)
		return -1;
	atomic_store(&x->unsettled, lines);
	for (size_t i = 0; i < lines; i++) {
		size_t n = given_fit(at, (size_t)(end - at));

		(void)snprintf(x->message, sizeof(x->message), "gives %.*s", (int)n, at);
		at += n + 1;
		if (i + 1 == lines)
			break;
		answer_describe(x, AUDIT_OUTCOME, &event);
		event.intent = 0;
		answer_submit(x, &event, 1, &x->more[i], outcome_written);
	}
	return 0;
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
	atomic_store(&x->unsettled, 1);
	if (x->given.len > 0 && x->status < 300 && answer_name_given(x) == -1)
		make_error_text(x, 503, 50302, "Out of memory; try again");
	if (!x->intended)
		answer_describe(x, AUDIT_INTENT, &events[n++]);
	answer_describe(x, AUDIT_OUTCOME, &events[n++]);
	answer_submit(x, events, n, &x->wait, outcome_written);
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
	answer_send(x, x->status);
}

void
answer_fail_long(struct exchange *x, int status, int subcode, const struct buf *message)
{
	(void)snprintf(x->message, sizeof(x->message), "%.*s",
	    (int)(message->len < sizeof(x->message) ? message->len : sizeof(x->message)),
	    message->len > 0 ? (const char *)message->data : "");
	make_error(x, status, subcode, message->data, message->len);
	answer_send(x, x->status);
}

void
answer_base(const struct exchange *x, struct buf *out)
{
	const char *base = request_settings(x)->base_url, *host;
	size_t n;

	if (base != NULL) {
		n = strlen(base);
		buf_append(out, base, n > 0 && base[n - 1] == '/' ? n - 1 : n);
		return;
	}
	host = http_header(x->r, "Host");
	buf_append_str(out, http_is_tls(x->r) ? "https://" : "http://");
	buf_append_str(out, host != NULL ? host : "localhost");
}

void
answer_relay(struct exchange *x, int status)
{
	x->status = status;
	exchange_reply(x);
}

void
answer_body(struct exchange *x, enum body_result result, const char *why)
{
	answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201, "%s",
	    why);
}

void
answer_deny(struct exchange *x, enum operation op, const char *path, size_t n)
{
	uint64_t folded = 0;

	x->op = op;
	x->granted = false;
	x->about_cluster = path == NULL;
	/* It is on record however quiet the endpoint is otherwise; those of a flood
	 * are counted. */
	x->recorded = x->user[0] != '\0' && (x->intended || auth_denied(x->api->parts.auth,
	    x->check.principal, &folded));
	x->has_count = folded > 0;	/* beside this one */
	x->count = folded;
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

	if (err->code == ERROR_UNKNOWN) {
		answer_fail(x, 504, 50402, "%s", err->text);
		return;
	}
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
	/* The outcome's, too, unless it fails. */
	if (x->change != NULL)
		(void)snprintf(x->message, sizeof(x->message), "%s", x->change);
	answer_describe(x, AUDIT_INTENT, &event);
	answer_submit(x, &event, 1, &x->wait, intent_written);
}

void
answer_login_failed(struct exchange *x, int status, int subcode, const char *text)
{
	char user[sizeof(x->user)];
	struct audit_event event;

	counters_login_failed(x->thread->counters);
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
	event.client = x->client;
	event.status = x->status;
	event.message = x->message;
	event.has_count = x->check.folded > 0;	/* beside this one */
	event.count = x->check.folded;
	atomic_store(&x->unsettled, 1);
	answer_submit(x, &event, 1, &x->wait, outcome_written);
}

static const char link_end[] = ">; rel=\"next\"";

int
page_read(struct exchange *x, struct page *p)
{
	int found;

	memset(p, 0, sizeof(*p));
	buf_init(&p->after, TARGET_BYTES_MAX);
	found = request_number(x, "limit", 1, PAGE_LIMIT_MAX, &p->limit);
	if (found == 0)
		p->limit = UINT64_MAX;
	if (found == -1 || request_query(x, "after", &p->after) == -1)
		return -1;
	return 0;
}

void
page_release(struct page *p)
{
	buf_release(&p->after);
}

const char *
page_after(const struct page *p)
{
	return p->after.len > 0 ? (const char *)p->after.data : "";
}

bool
page_is_full(const struct page *p)
{
	return p->count >= p->limit;
}

static void
page_add_parameter(struct buf *out, const char *name, size_t name_len, const void *value, size_t n)
{
	buf_append_char(out, '&');
	buf_append(out, name, name_len);
	buf_append_char(out, '=');
	text_append_percent(out, value, n);
}

void
page_link(struct exchange *x, const struct page *p, const char *last, size_t n, const char *keep)
{
	struct buf *out = &x->link;
	struct buf value;

	buf_clear(out);
	buf_append_char(out, '<');
	buf_append_str(out, http_path(x->r));
	buf_append_str(out, "?limit=");
	number_append(out, p->limit);
	buf_init(&value, TARGET_BYTES_MAX);
	while (*keep != '\0') {
		size_t len = strcspn(keep, " ");
		char name[32] = "";

		memcpy(name, keep, len < sizeof(name) ? len : sizeof(name) - 1);
		buf_clear(&value);
		if (target_query(http_query(x->r), name, &value) == 1)
			page_add_parameter(out, name, len, value.data, value.len);
		keep += len + strspn(keep + len, " ");
	}
	buf_release(&value);
	page_add_parameter(out, "after", 5, last, n);
	buf_append_str(out, link_end);
	x->link_name = "Link";
}

void
page_link_add(struct exchange *x, const char *name, const void *value, size_t n)
{
	buf_truncate(&x->link, x->link.len - strlen(link_end));
	page_add_parameter(&x->link, name, strlen(name), value, n);
	buf_append_str(&x->link, link_end);
}
