#include "base/buf_pool.h"
#include "base/secmem.h"
#include "registry/http/internal.h"

/* What may be read beyond one request: a client that sends ahead is held off
 * at HTTP_HEADERS_MAX, with one more reading under way. */
#define NEXT_MAX (HTTP_HEADERS_MAX + HTTP_READ_SIZE)

/* The rest has to come within the limit of a request, and in its turn. */
static void
wait_for_rest(struct http_connection *c)
{
	if (c->list == &c->thread->slow)
		return;
	http_connection_put(c, &c->thread->slow);
	http_source_wait(c);
}

static void
dispatch(struct http_connection *c)
{
	struct http_thread *t = c->thread;
	const struct http_options *o = &t->server->options;

	if (!http_source_ready(c)) {
		http_connection_lost(c);
		return;
	}
	c->state = HTTP_STATE_BUSY;
	http_connection_put(c, &t->busy);
	o->handle(&c->request, o->cookie);
}

/* The client waits to be told before it sends the body. */
static int
answer_expect(struct http_connection *c)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_options *o = &c->thread->server->options;
	int status = o->expect != NULL ? o->expect(&c->request, o->cookie) : 0;

	if (status != 0) {
		http_reply_refuse(c, status);
		return -1;
	}
	/* All earlier replies are sent, so that there is room for it in the socket. */
	if (http_io_write(c, line, sizeof(line) - 1) != (long)sizeof(line) - 1) {
		http_connection_lost(c);
		return -1;
	}
	return 0;
}

/* The head is read: on to the body, of which ${ahead} bytes are there already. */
static void
begin_request(struct http_connection *c, size_t ahead)
{
	const struct http_options *o = &c->thread->server->options;
	struct http_head *h = &c->request.head;
	int status = http_head_parse(h, c->in.data, c->in.len);

	if (status != 0) {
		http_reply_refuse(c, status);
		return;
	}
	if (h->length > o->body_max) {
		http_reply_refuse(c, 413);
		return;
	}
	if (!h->chunked && h->length == 0) {
		dispatch(c);
		return;
	}
	if (h->expect && ahead == 0 && answer_expect(c) == -1)
		return;
	c->state = HTTP_STATE_BODY;
	c->body_left = h->length;
	http_chunked_init(&c->chunked);
	buf_pool_take(c->thread->bodies, &c->request.body);
}

/* Take what of ${p} belongs to the head; how much that was. */
static size_t
feed_head(struct http_connection *c, const char *p, size_t n)
{
	size_t before = c->in.len;
	size_t room = HTTP_HEADERS_MAX + 1 - before;
	size_t take = n < room ? n : room;
	size_t end;
	int status;

	if (before == 0) {	/* mostly all is there: copy no more than the head */
		c->scan.line = c->scan.seen = 0;
		end = http_head_end(&c->scan, p, take, &status);
		if (end > 0)
			take = end;
		if (http_bytes_append(&c->in, p, take, HTTP_HEADERS_MAX + 1) == -1)
			status = 503;
	} else if (http_bytes_append(&c->in, p, take, HTTP_HEADERS_MAX + 1) == -1) {
		end = 0;
		status = 503;
	} else {
		end = http_head_end(&c->scan, c->in.data, c->in.len, &status);
		if (end > 0) {
			secmem_wipe(c->in.data + end, c->in.len - end);
			c->in.len = end;
			take = end - before;
		}
	}
	if (status != 0)
		http_reply_refuse(c, status);
	else if (end > 0)
		begin_request(c, n - take);
	else
		wait_for_rest(c);	/* from its first byte */
	return take;
}

static size_t
feed_body(struct http_connection *c, const char *p, size_t n)
{
	struct http_request *r = &c->request;
	int status = 0;

	if (r->head.chunked) {
		n = http_chunked_feed(&c->chunked, p, n, &r->body,
		    c->thread->server->options.body_max, &status);
	} else {
		if (n > c->body_left)
			n = (size_t)c->body_left;
		buf_append(&r->body, p, n);
		c->body_left -= n;
		if (buf_check(&r->body, NULL) == -1)
			status = 503;
		else if (c->body_left == 0)
			status = 200;
	}
	if (status == 200)
		dispatch(c);
	else if (status != 0)
		http_reply_refuse(c, status);
	else
		wait_for_rest(c);
	return n;
}

void
http_feed(struct http_connection *c, const char *p, size_t n)
{
	c->feeding = true;
	while (n > 0) {
		size_t used = n;

		switch (c->state) {
		case HTTP_STATE_HEAD:
			used = feed_head(c, p, n);
			break;
		case HTTP_STATE_BODY:
			used = feed_body(c, p, n);
			break;
		case HTTP_STATE_BUSY:
		case HTTP_STATE_WRITE:
			if (http_bytes_append(&c->next, p, n, NEXT_MAX) == -1)
				http_connection_lost(c);
			break;
		default:
			break;
		}
		p += used;
		n -= used;
	}
	c->feeding = false;
	/* The head ended the bytes: the body's limit runs from here. */
	if (c->state == HTTP_STATE_BODY)
		wait_for_rest(c);
}
