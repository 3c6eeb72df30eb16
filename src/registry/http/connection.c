#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secmem.h"
#include "registry/http/internal.h"

/* Reads in a row from one connection before others have their turn. */
#define ROUNDS 8
/* A client must take this much of a reply within the limit of a request. */
#define PROGRESS (64U << 10)

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
disconnect(struct http_connection *c)
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
	disconnect(c);
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
read_on(struct http_connection *c)
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
	read_on(c);
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

		read_on(c);
		if (c->ended && c->state != HTTP_STATE_DEAD)
			http_connection_close(c);
		else if (paused && c->ssl != NULL && SSL_has_pending(c->ssl) == 1)
			event_active(&c->readable, EV_READ, 0);
	}
}

/* The client will send no more.  It may still wait for the answer it is owed. */
static void
on_end(struct http_connection *c)
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
			on_end(c);
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

void
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
	read_on(c);
}
