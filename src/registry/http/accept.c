#include <unistd.h>

#include "registry/http/internal.h"

/* A new connection, if there is a place for it. */

static SSL *
new_tls(struct http_server *s, int fd)
{
	SSL *ssl;

	(void)pthread_mutex_lock(&s->tls_lock);
	ssl = SSL_new(s->tls);
	(void)pthread_mutex_unlock(&s->tls_lock);
	if (ssl != NULL && SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* Without TLS the client is told why, as far as not too many are being told. */
static void
turn_away(struct http_connection *c)
{
	struct http_server *s = c->thread->server;

	atomic_fetch_add_explicit(&s->refused, 1, memory_order_relaxed);
	if (s->options.certificate == NULL) {
		c->told = true;
		if (atomic_fetch_add_explicit(&s->told, 1, memory_order_relaxed) < HTTP_TOLD_MAX) {
			c->state = HTTP_STATE_HEAD;
			http_reply_refuse(c, 503);
			return;
		}
	}
	http_connection_lost(c);
}

void
http_accept(struct http_thread *t, int fd, const struct sockaddr *sa)
{
	struct http_server *s = t->server;
	struct http_connection *c = http_connection_new(t, fd, sa);

	if (c == NULL) {
		(void)close(fd);
		return;
	}
	http_connection_enter(c);
	if (!http_source_enter(c, sa)) {
		turn_away(c);
	} else if (s->options.certificate != NULL && (c->ssl = new_tls(s, fd)) == NULL) {
		http_connection_lost(c);
	} else {
		atomic_fetch_add_explicit(&s->accepted, 1, memory_order_relaxed);
		http_connection_begin(c);
	}
	http_connection_leave(c);
}
