#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/secmem.h"
#include "base/time.h"
#include "registry/http/http_internal.h"

#define REFUSAL_MAX (64U << 10)
#define PUT(out, at, literal) http_reply_put((out), (at), "" literal, sizeof(literal) - 1)

/* What a handler may ask of its request. */

enum http_method
http_method(const struct http_request *r)
{
	return r->head.method;
}

const char *
http_method_name(const struct http_request *r)
{
	return r->head.method_name;
}

const char *
http_path(const struct http_request *r)
{
	return r->head.path;
}

const char *
http_query(const struct http_request *r)
{
	return r->head.query;
}

const char *
http_header(const struct http_request *r, const char *name)
{
	size_t i = 0;
	const struct http_field *f = http_head_find(&r->head, name, &i);

	return f != NULL ? f->value : NULL;
}

size_t
http_header_count(const struct http_request *r, const char *name)
{
	size_t count = 0;
	size_t i = 0;

	while (http_head_find(&r->head, name, &i) != NULL)
		count++;
	return count;
}

const char *
http_header_at(const struct http_request *r, const char *name, size_t which)
{
	const struct http_field *f;
	size_t i = 0;

	while ((f = http_head_find(&r->head, name, &i)) != NULL && which > 0)
		which--;
	return f != NULL ? f->value : NULL;
}

struct buf *
http_body(struct http_request *r)
{
	return &r->body;
}

const char *
http_peer(const struct http_request *r)
{
	return r->connection->peer;
}

bool
http_is_tls(const struct http_request *r)
{
	return r->connection->ssl != NULL;
}

const char *
http_peer_cn(const struct http_request *r)
{
	return r->connection->certificate.cn;
}

const char *
http_peer_dn(const struct http_request *r)
{
	return r->connection->certificate.dn;
}

const char *
http_peer_san(const struct http_request *r)
{
	return r->connection->certificate.san;
}

unsigned
http_thread(const struct http_request *r)
{
	return r->connection->thread->number;
}

bool
http_gone(const struct http_request *r)
{
	return r->connection->gone;
}

void
http_post(struct http_request *r, void (*run)(void *arg), void *arg)
{
	http_thread_post(r->connection->thread, run, arg);
}

void
http_close_after(struct http_request *r)
{
	r->head.keep = false;
}

static const char *
phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
		{ 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" },
		{ 410, "Gone" }, { 411, "Length Required" }, { 412, "Precondition Failed" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" }
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Unknown";
}

void
http_set_header(struct http_request *r, const char *name, const char *value)
{
	struct http_bytes *b = &r->headers;
	size_t before = b->len;
	size_t n = strlen(value);

	if (!http_token_is_token(name) || !http_token_is_value(value, n))
		return;
	if (http_bytes_append(b, name, strlen(name), HTTP_REPLY_HEADERS_MAX) == -1 ||
	    http_bytes_append(b, ": ", 2, HTTP_REPLY_HEADERS_MAX) == -1 ||
	    http_bytes_append(b, value, n, HTTP_REPLY_HEADERS_MAX) == -1 ||
	    http_bytes_append(b, "\r\n", 2, HTTP_REPLY_HEADERS_MAX) == -1)
		b->len = before;
}

void
http_set_lines(struct http_request *r, const char *lines, size_t n)
{
	(void)http_bytes_append(&r->headers, lines, n, HTTP_REPLY_HEADERS_MAX);
}

static bool
has_header(const struct http_bytes *b, const char *name)
{
	size_t n = strlen(name);
	size_t at = 0;

	while (at + n < b->len) {
		const char *lf;

		if (strncasecmp(b->data + at, name, n) == 0 && b->data[at + n] == ':')
			return true;
		lf = memchr(b->data + at, '\n', b->len - at);
		at = lf != NULL ? (size_t)(lf - b->data) + 1 : b->len;
	}
	return false;
}

static void
set_default(struct http_request *r, const char *name, const char *value)
{
	if (!has_header(&r->headers, name))
		http_set_header(r, name, value);
}

static const char *
date_now(struct http_thread *t)
{
	time_t now = time(NULL);

	if (now != t->date_second) {
		t->date_second = now;
		(void)time_text((int64_t)now * 1000, TIME_HTTP, t->date);
	}
	return t->date;
}

/* Append a text that is known to fit. */
static size_t
http_reply_put(unsigned char *out, size_t at, const char *text, size_t n)
{
	memcpy(out + at, text, n);
	return at + n;
}

static size_t
put_text(unsigned char *out, size_t at, const char *text)
{
	return http_reply_put(out, at, text, strlen(text));
}

static size_t
put_number(unsigned char *out, size_t at, size_t n)
{
	char digits[NUMBER_TEXT];

	return http_reply_put(out, at, digits, number_text(n, digits));
}

/* Status line and headers into the thread's output; their length. */
static size_t
http_reply_compose(struct http_connection *c, int status, size_t length)
{
	struct http_request *r = &c->request;
	unsigned char *out = c->thread->output;
	size_t at = PUT(out, 0, "HTTP/1.1 ");

	at = put_number(out, at, (size_t)status);
	at = PUT(out, at, " ");
	at = put_text(out, at, phrase(status));
	at = PUT(out, at, "\r\nDate: ");
	at = put_text(out, at, date_now(c->thread));
	at = PUT(out, at, "\r\n");
	if (r->headers.len > 0)
		at = http_reply_put(out, at, r->headers.data, r->headers.len);
	if (status != 204 && status != 304) {
		at = PUT(out, at, "Content-Length: ");
		at = put_number(out, at, length);
		at = PUT(out, at, "\r\n");
	}
	if (c->last)
		at = PUT(out, at, "Connection: close\r\n");
	else if (r->head.minor == 0)
		at = PUT(out, at, "Connection: keep-alive\r\n");
	return PUT(out, at, "\r\n");
}

/* Send ${n} bytes of the thread's output, or keep what cannot be sent at once. */
static int
send_output(struct http_connection *c, size_t n)
{
	const unsigned char *out = c->thread->output;
	long sent = http_io_write(c, out, n);
	size_t done = sent > 0 ? (size_t)sent : 0;

	if (sent < 0 && sent != HTTP_IO_AGAIN)
		return -1;
	if (done == n)
		return 1;
	buf_append(&c->out[0], out + done, n - done);
	return buf_check(&c->out[0], NULL);
}

/* 1: all is sent, 0: later, -1: failed. */
static int
send_reply(struct http_connection *c, int status, struct buf *body)
{
	bool with_body = c->request.head.method != HTTP_HEAD && status != 204 && status != 304;
	size_t length = body != NULL ? body->len : 0;
	size_t n = http_reply_compose(c, status, length);
	int done;

	if (with_body && length > HTTP_WRITE_SIZE - n) {
		buf_append(&c->out[0], c->thread->output, n);
		buf_move(&c->out[1], body);
		return buf_check(&c->out[0], NULL) == -1 ? -1 : http_io_flush(c);
	}
	if (with_body && length > 0)
		n = http_reply_put(c->thread->output, n, (const char *)body->data, length);
	/* Pages of a secret buffer are costly to get: they stay with their owner. */
	if (body != NULL)
		buf_clear(body);
	done = send_output(c, n);
	secmem_wipe(c->thread->output, n);
	return done;
}

/* Empties ${body} before anything else may happen: the next request may be
 * under way when this returns. */
static void
reply(struct http_connection *c, int status, struct buf *body)
{
	int done = send_reply(c, status, body);

	http_reply_end(c);
	c->state = HTTP_STATE_WRITE;
	if (done == -1) {
		http_connection_lost(c);
	} else if (done == 1) {
		http_connection_sent(c);
	} else {
		c->out_progress = 0;
		http_connection_put(c, &c->thread->slow);
		(void)event_add(&c->writable, NULL);
	}
}

void
http_reply(struct http_request *r, int status, struct buf *body)
{
	struct http_connection *c = r->connection;

	http_connection_enter(c);
	if (c->gone) {
		if (body != NULL)
			buf_clear(body);
		http_reply_end(c);
		c->state = HTTP_STATE_DEAD;
	} else {
		c->last = !r->head.keep || c->thread->stopping;
		reply(c, status, body);
	}
	http_connection_leave(c);
}

/* A refused request never got a name from the handler: one to look for it by. */
static void
name_request(struct http_server *s, struct http_request *r)
{
	char id[40];
	unsigned long long n = atomic_fetch_add_explicit(&s->refusals, 1, memory_order_relaxed);

	(void)snprintf(id, sizeof(id), "refused-%lx-%llu", (unsigned long)s->started, n + 1);
	set_default(r, "X-Request-Id", id);
}

void
http_reply_refuse(struct http_connection *c, int status)
{
	struct http_server *s = c->thread->server;
	struct http_request *r = &c->request;
	struct buf body;

	if (!http_source_ready(c)) {
		http_connection_lost(c);
		return;
	}
	buf_init(&body, REFUSAL_MAX);
	if (s->options.refuse != NULL)
		s->options.refuse(status, &body, s->options.cookie);
	if (buf_check(&body, NULL) == -1)
		buf_clear(&body);
	if (status == 400 || (status > 410 && status != 503))
		atomic_fetch_add_explicit(&s->bad, 1, memory_order_relaxed);
	if (body.len > 0)
		set_default(r, "Content-Type", "application/json");
	if (status == 503)
		set_default(r, "Retry-After", "1");
	set_default(r, "Cache-Control", "no-store");
	set_default(r, "Pragma", "no-cache");
	set_default(r, "X-Content-Type-Options", "nosniff");
	name_request(s, r);
	c->last = c->refused = true;
	reply(c, status, &body);
	buf_release(&body);
}

void
http_reply_end(struct http_connection *c)
{
	struct http_request *r = &c->request;

	if (r->body.cap > 0)
		buf_pool_give(c->thread->bodies, &r->body);
	http_bytes_clear(&c->in);
	http_bytes_clear(&r->headers);
	r->head.count = 0;
	r->head.method = HTTP_OTHER;
}

void
http_reply_drop(struct http_connection *c)
{
	buf_release(&c->out[0]);
	buf_release(&c->out[1]);
}
