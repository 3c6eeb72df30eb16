#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry/http/internal.h"

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

long
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

bool
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

int
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

void
http_io_shutdown(struct http_connection *c)
{
	if (c->ssl != NULL && SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	(void)shutdown(c->fd, SHUT_WR);
}
