#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define REQUEST_MAX 8192
#define ANSWER_MAX 65536
#define SAMPLES_MAX 4000000

struct connection {
	int fd;
	SSL *ssl;
	char out[REQUEST_MAX];
	size_t out_len, sent;
	char in[ANSWER_MAX];
	size_t got;
	double begun_ms;
};

struct load {
	struct connection *c;
	unsigned n;
	load_request *make;
	void *cookie;
	float *samples;
	struct load_result r;
};

static int
open_socket(int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	measure_must(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* >0 bytes; 0: would block; -1: over. */
static long
transfer(struct connection *c, int writing, void *bytes, size_t n)
{
	long rc;
	int why;

	if (c->ssl == NULL) {
		rc = writing ? write(c->fd, bytes, n) : read(c->fd, bytes, n);
		if (rc > 0)
			return rc;
		return rc < 0 && errno == EAGAIN ? 0 : -1;
	}
	rc = writing ? SSL_write(c->ssl, bytes, (int)n) : SSL_read(c->ssl, bytes, (int)n);
	if (rc > 0)
		return rc;
	why = SSL_get_error(c->ssl, (int)rc);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void
send_more(struct connection *c)
{
	long n;

	while (c->sent < c->out_len) {
		n = transfer(c, 1, c->out + c->sent, c->out_len - c->sent);
		measure_must(n >= 0, "sending a request");
		if (n == 0)
			return;
		c->sent += (size_t)n;
	}
}

static void
start_request(struct load *l, struct connection *c)
{
	c->out_len = l->make(l->cookie, c->out, sizeof(c->out));
	c->sent = 0;
	c->got = 0;
	c->begun_ms = measure_wall();
	send_more(c);
}

/* Is the whole answer there? */
static int
is_whole(const struct connection *c)
{
	const char *end = memmem(c->in, c->got, "\r\n\r\n", 4);
	const char *length;

	if (end == NULL)
		return 0;
	length = memmem(c->in, (size_t)(end - c->in), "Content-Length: ", 16);
	measure_must(length != NULL, "an answer without a length");
	return c->got >= (size_t)(end - c->in) + 4 + strtoul(length + 16, NULL, 10);
}

/* Count an answer that is no 200, and show the first one. */
static void
say_once(struct load *l, const struct connection *c)
{
	if (l->r.failures++ == 0)
		fprintf(stderr, "bench: %.*s\n", (int)(c->got < 600 ? c->got : 600), c->in);
}

static void
receive(struct load *l, struct connection *c)
{
	long n;

	for (;;) {
		n = transfer(c, 0, c->in + c->got, sizeof(c->in) - c->got);
		measure_must(n >= 0, "reading an answer");
		if (n == 0)
			return;
		c->got += (size_t)n;
		if (!is_whole(c))
			continue;
		if (l->r.requests < SAMPLES_MAX)
			l->samples[l->r.requests] = (float)(measure_wall() - c->begun_ms);
		l->r.requests++;
		if (strncmp(c->in, "HTTP/1.1 200", 12) != 0)
			say_once(l, c);
		start_request(l, c);
	}
}

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void
load_run(int port, int tls, unsigned connections, double seconds, load_request *make,
    void *cookie, struct load_result *out)
{
	struct load l = { .n = connections, .make = make, .cookie = cookie };
	SSL_CTX *ctx = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
	struct epoll_event events[64];
	int poll = epoll_create1(EPOLL_CLOEXEC);
	double begin, now;
	size_t kept;

	l.c = calloc(connections, sizeof(*l.c));
	l.samples = malloc(SAMPLES_MAX * sizeof(*l.samples));
	measure_must(l.c != NULL && l.samples != NULL && poll >= 0, "memory");
	for (unsigned i = 0; i < connections; i++) {
		struct connection *c = &l.c[i];
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

		c->fd = open_socket(port);
		if (tls) {
			c->ssl = SSL_new(ctx);
			SSL_set_fd(c->ssl, c->fd);
			measure_must(SSL_connect(c->ssl) == 1, "TLS handshake");
		}
		measure_must(epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &e) == 0, "epoll");
		measure_must(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	}
	begin = measure_wall();
	for (unsigned i = 0; i < connections; i++)
		start_request(&l, &l.c[i]);
	do {
		int n = epoll_wait(poll, events, 64, 1000);

		measure_must(n > 0, "no answer within a second");
		for (int i = 0; i < n; i++)
			receive(&l, events[i].data.ptr);
		now = measure_wall();
	} while (now - begin < seconds * 1000 || l.r.requests == 0);
	l.r.seconds = (now - begin) / 1000;
	kept = l.r.requests < SAMPLES_MAX ? l.r.requests : SAMPLES_MAX;
	qsort(l.samples, kept, sizeof(*l.samples), by_value);
	if (kept > 0) {
		l.r.p50_us = 1000.0 * (double)l.samples[kept / 2];
		l.r.p99_us = 1000.0 * (double)l.samples[kept - 1 - kept / 100];
	}
	for (unsigned i = 0; i < connections; i++) {
		SSL_free(l.c[i].ssl);
		close(l.c[i].fd);
	}
	close(poll);
	SSL_CTX_free(ctx);
	free(l.c);
	free(l.samples);
	*out = l.r;
}
