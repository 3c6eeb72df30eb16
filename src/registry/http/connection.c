#include <sys/socket.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/secmem.h"
#include "registry/http/http_internal.h"

#define FIRST_CAP 1024U
#define KEPT_CAP 4096U

/* What may be read beyond one request: a client that sends ahead is held off
 * at HTTP_HEADERS_MAX, with one more reading under way. */
#define NEXT_MAX (HTTP_HEADERS_MAX + HTTP_READ_SIZE)

/* Reads in a row from one connection before others have their turn. */
#define ROUNDS 8
/* A client must take this much of a reply within the limit of a request. */
#define PROGRESS (64U << 10)

int
http_bytes_append(struct http_bytes *b, const void *p, size_t n, size_t max)
{
	size_t cap = b->cap > 0 ? b->cap : FIRST_CAP;
	char *data;

	if (n == 0)
		return 0;
	if (n > max || b->len > max - n)
		return -1;
	if (b->cap - b->len < n) {
		while (cap - b->len < n)
			cap *= 2;
		/* Not realloc, which would leave a copy behind. */
		data = malloc(cap);
		if (data == NULL)
			return -1;
		if (b->len > 0) {
			memcpy(data, b->data, b->len);
			secmem_wipe(b->data, b->len);
		}
		free(b->data);
		b->data = data;
		b->cap = cap;
	}
	memcpy(b->data + b->len, p, n);
	b->len += n;
	return 0;
}

static void
http_bytes_free(struct http_bytes *b)
{
	secmem_wipe(b->data, b->len);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

void
http_bytes_clear(struct http_bytes *b)
{
	secmem_wipe(b->data, b->len);
	b->len = 0;
	if (b->cap > KEPT_CAP)
		http_bytes_free(b);
}

/* SSL_get_error believes what an earlier call has left behind.  To look is
 * cheaper than to clear. */
static void
forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* What an SSL call's failure means; which way it waits is noted in ${*wait}. */
static long
tls_result(struct http_connection *c, int n, int *wait)
{
	*wait = SSL_get_error(c->ssl, n);
	switch (*wait) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return HTTP_IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return HTTP_IO_END;
	default:
		ERR_clear_error();
		return HTTP_IO_ERROR;
	}
}

static long
http_io_read(struct http_connection *c, void *p, size_t n)
{
	ssize_t got;
	int wait;

	if (c->ssl != NULL) {
		forget_errors();
		got = SSL_read(c->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
		if (got > 0)
			return got;
		got = tls_result(c, (int)got, &wait);
		if (got == HTTP_IO_AGAIN && wait == SSL_ERROR_WANT_WRITE)
			(void)event_add(&c->writable, NULL);
		return got;
	}
	do
		got = recv(c->fd, p, n, 0);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0)
		return HTTP_IO_END;
	return errno == EAGAIN || errno == EWOULDBLOCK ? HTTP_IO_AGAIN : HTTP_IO_ERROR;
}

static bool
http_io_has_more(const struct http_connection *c, size_t got, size_t asked)
{
	return c->ssl != NULL ? SSL_has_pending(c->ssl) == 1 : got == asked;
}

long
http_io_write(struct http_connection *c, const void *p, size_t n)
{
	ssize_t put;
	int wait;

	if (c->ssl != NULL) {
		forget_errors();
		put = SSL_write(c->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
		/* Never for want of reading: there is no renegotiation. */
		return put > 0 ? put : tls_result(c, (int)put, &wait);
	}
	do
		put = send(c->fd, p, n, MSG_NOSIGNAL);
	while (put == -1 && errno == EINTR);
	if (put >= 0)
		return put;
	return errno == EAGAIN || errno == EWOULDBLOCK ? HTTP_IO_AGAIN : HTTP_IO_ERROR;
}

/* 1: done, 0: later, -1: failed. */
static int
http_io_handshake(struct http_connection *c)
{
	int wait, n;

	ERR_clear_error();
	n = SSL_do_handshake(c->ssl);
	if (n == 1)
		return 1;
	if (tls_result(c, n, &wait) != HTTP_IO_AGAIN)
		return -1;
	if (wait == SSL_ERROR_WANT_WRITE)
		(void)event_add(&c->writable, NULL);
	return 0;
}

int
http_io_flush(struct http_connection *c)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		struct buf *b = &c->out[i];

		if (b->len == 0)
			continue;
		while (c->out_at < b->len) {
			long n = http_io_write(c, b->data + c->out_at, b->len - c->out_at);

			if (n == HTTP_IO_AGAIN)
				return 0;
			if (n < 0)
				return -1;
			c->out_at += (size_t)n;
			c->out_progress += (size_t)n;
		}
		buf_release(b);
		c->out_at = 0;
	}
	return 1;
}

static void
http_io_shutdown(struct http_connection *c)
{
	if (c->ssl != NULL && SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	(void)shutdown(c->fd, SHUT_WR);
}

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

/* Bytes to requests. */
static void
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

void
http_connection_put(struct http_connection *c, struct http_connections *list)
{
	if (c->list != NULL)
		TAILQ_REMOVE(c->list, c, entry);
	c->list = list;
	c->since = http_thread_now();
	TAILQ_INSERT_TAIL(list, c, entry);
}

void
http_connection_enter(struct http_connection *c)
{
	c->entered++;
}

void
http_connection_leave(struct http_connection *c)
{
	if (--c->entered == 0 && c->state == HTTP_STATE_DEAD)
		http_connection_free(c);
}

void
http_connection_free(struct http_connection *c)
{
	struct http_thread *t = c->thread;

	TAILQ_REMOVE(c->list, c, entry);
	http_reply_end(c);
	http_reply_drop(c);
	http_bytes_free(&c->in);
	http_bytes_free(&c->next);
	http_bytes_free(&c->request.headers);
	buf_release(&c->request.body);
	http_tls_peer_free(&c->certificate);
	SSL_free(c->ssl);
	free(c);
	http_thread_check_end(t);
}

/* Close the socket; the handler's request, if any, goes on. */
static void
http_connection_disconnect(struct http_connection *c)
{
	struct http_server *s = c->thread->server;

	if (c->gone)
		return;
	c->gone = true;
	(void)event_del(&c->readable);
	(void)event_del(&c->writable);
	c->reading = false;
	http_source_leave(c);	/* first: until then others may shut the socket down */
	(void)close(c->fd);
	c->fd = -1;
	if (c->told)
		atomic_fetch_sub_explicit(&s->told, 1, memory_order_relaxed);
}

void
http_connection_lost(struct http_connection *c)
{
	http_connection_disconnect(c);
	if (c->state != HTTP_STATE_BUSY)
		c->state = HTTP_STATE_DEAD;
}

void
http_connection_close(struct http_connection *c)
{
	if (!c->gone && c->state != HTTP_STATE_HANDSHAKE)
		http_io_shutdown(c);
	http_connection_lost(c);
}

static void
http_connection_read_on(struct http_connection *c)
{
	if (!c->reading && !c->ended) {
		(void)event_add(&c->readable, NULL);
		c->reading = true;
	}
}

static void
read_off(struct http_connection *c)
{
	if (c->reading) {
		(void)event_del(&c->readable);
		c->reading = false;
	}
}

/*
 * Closing while bytes of the client are unread would reset the connection and
 * could destroy the answer on its way: say goodbye, and read on for a while.
 */
static void
linger(struct http_connection *c)
{
	http_io_shutdown(c);
	if (c->ended) {
		http_connection_lost(c);
		return;
	}
	c->state = HTTP_STATE_LINGER;
	http_connection_put(c, &c->thread->linger);
	http_connection_read_on(c);
}

void
http_connection_sent(struct http_connection *c)
{
	struct http_bytes next;

	if (c->refused || (c->last && c->next.len > 0)) {
		linger(c);
		return;
	}
	if (c->last || (c->ended && !c->feeding && c->next.len == 0)) {
		http_connection_close(c);
		return;
	}
	c->state = HTTP_STATE_HEAD;
	http_connection_put(c, &c->thread->idle);
	/* Called from within http_feed, the loop there goes on with what it has. */
	if (c->feeding)
		return;
	if (c->next.len > 0) {
		next = c->next;
		memset(&c->next, 0, sizeof(c->next));
		http_feed(c, next.data, next.len);
		http_bytes_free(&next);
	}
	/* A TLS record may wait inside the library, of which no event tells. */
	if (c->state == HTTP_STATE_HEAD || c->state == HTTP_STATE_BODY) {
		bool paused = !c->reading;

		http_connection_read_on(c);
		if (c->ended && c->state != HTTP_STATE_DEAD)
			http_connection_close(c);
		else if (paused && c->ssl != NULL && SSL_has_pending(c->ssl) == 1)
			event_active(&c->readable, EV_READ, 0);
	}
}

/* The client will send no more.  It may still wait for the answer it is owed. */
static void
http_connection_on_end(struct http_connection *c)
{
	c->ended = true;
	read_off(c);
	if (c->state != HTTP_STATE_BUSY && c->state != HTTP_STATE_WRITE)
		http_connection_close(c);
}

static void
discard(struct http_connection *c)
{
	ssize_t n = recv(c->fd, c->thread->input, HTTP_READ_SIZE, MSG_DONTWAIT);

	if (n > 0)
		c->lingered += (size_t)n;
	if (n == 0 || c->lingered > HTTP_LINGER_MAX)
		http_connection_lost(c);
}

static void
read_requests(struct http_connection *c)
{
	unsigned char *input = c->thread->input;
	bool more = true;
	int i;

	for (i = 0; i < ROUNDS && more && c->reading; i++) {
		long n = http_io_read(c, input, HTTP_READ_SIZE);

		if (n == HTTP_IO_AGAIN)
			return;
		if (n == HTTP_IO_END)
			http_connection_on_end(c);
		else if (n < 0)
			http_connection_lost(c);
		if (n < 0)
			return;
		more = http_io_has_more(c, (size_t)n, HTTP_READ_SIZE);
		http_feed(c, (const char *)input, (size_t)n);
		secmem_wipe(input, (size_t)n);
		if (c->state == HTTP_STATE_DEAD || c->state == HTTP_STATE_LINGER)
			return;
		/* What comes while an answer is being made is not taken without end. */
		if (c->next.len >= HTTP_HEADERS_MAX)
			read_off(c);
	}
	if (more && c->reading)
		event_active(&c->readable, EV_READ, 0);
}

static void
handshake(struct http_connection *c)
{
	int done = http_io_handshake(c);

	if (done == -1) {
		http_connection_lost(c);
		return;
	}
	if (done == 0)
		return;
	http_tls_peer_read(&c->certificate, c->ssl);
	c->state = HTTP_STATE_HEAD;
	http_connection_put(c, &c->thread->idle);
	if (c->thread->stopping)
		http_connection_close(c);
	else if (SSL_has_pending(c->ssl) == 1)
		read_requests(c);
}

static void
http_connection_readable(struct http_connection *c)
{
	http_connection_enter(c);
	if (atomic_load_explicit(&c->shed, memory_order_relaxed))
		http_connection_lost(c);
	else if (c->state == HTTP_STATE_HANDSHAKE)
		handshake(c);
	else if (c->state == HTTP_STATE_LINGER)
		discard(c);
	else if (!c->gone)
		read_requests(c);
	http_connection_leave(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_connection_readable(arg);
}

static void
write_reply(struct http_connection *c)
{
	int done = http_io_flush(c);

	if (done == -1) {
		http_connection_lost(c);
		return;
	}
	if (done == 0) {
		if (c->out_progress >= PROGRESS) {
			c->out_progress = 0;
			http_connection_put(c, &c->thread->slow);
		}
		return;
	}
	(void)event_del(&c->writable);
	http_connection_sent(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	(void)fd;
	(void)what;
	http_connection_enter(c);
	if (c->state == HTTP_STATE_WRITE) {
		write_reply(c);
	} else {
		/* A TLS handshake or read had to write first. */
		(void)event_del(&c->writable);
		http_connection_readable(c);
	}
	http_connection_leave(c);
}

void
http_connection_expire(struct http_connection *c)
{
	struct http_server *s = c->thread->server;

	if (c->list == &c->thread->slow) {
		atomic_fetch_add_explicit(&s->timed_out, 1, memory_order_relaxed);
		if (c->state == HTTP_STATE_HEAD || c->state == HTTP_STATE_BODY) {
			http_reply_refuse(c, 408);
			return;
		}
		http_connection_lost(c);
		return;
	}
	if (c->state == HTTP_STATE_HEAD)
		http_connection_close(c);
	else
		http_connection_lost(c);
}

struct http_connection *
http_connection_new(struct http_thread *t, int fd, const struct sockaddr *sa)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->thread = t;
	c->fd = fd;
	c->request.connection = c;
	buf_init_secret(&c->request.body, t->server->options.body_max);
	buf_init_secret(&c->out[0], SIZE_MAX);
	buf_init_secret(&c->out[1], SIZE_MAX);
	http_address_host(sa, c->peer);
	(void)event_assign(&c->readable, t->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	(void)event_assign(&c->writable, t->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->state = HTTP_STATE_HANDSHAKE;
	http_connection_put(c, &t->slow);
	return c;
}

void
http_connection_begin(struct http_connection *c)
{
	if (c->ssl == NULL) {
		c->state = HTTP_STATE_HEAD;
		http_connection_put(c, &c->thread->idle);
	}
	http_connection_read_on(c);
}
