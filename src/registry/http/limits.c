#include <sys/socket.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "base/error.h"
#include "crypto/key.h"
#include "registry/http/http_internal.h"

#define BACKLOG 1024
#define TEXT_MAX (INET6_ADDRSTRLEN + 16)

#define BUCKETS_MIN 64U
#define BUCKETS_MAX (1U << 16)

/* An address that connections come from, for as long as there are any. */
struct http_source {
	unsigned char key[HTTP_ADDRESS_KEY];
	struct http_source *next;	/* in its bucket */
	unsigned open;			/* connections that have a place */
	unsigned half;			/* of them half-open */
	unsigned holders;		/* connections, with those that were shed */
	struct http_half_open half_open;	/* the oldest first */
};

/* Cut ${text} into host and port, both in ${host} of TEXT_MAX bytes. */
static int
http_address_split(const char *text, char *host, const char **port)
{
	const char *colon = strrchr(text, ':');
	uint64_t number;
	size_t n;

	if (colon == NULL || http_token_number(colon + 1, &number) == -1 || number > 65535)
		return -1;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n) != NULL) {
		return -1;
	}
	if (n == 0 || n >= TEXT_MAX)
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	*port = colon + 1;
	return 0;
}

int
http_address_parse(struct http_address *a, const char *text, struct error *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM
	};
	struct addrinfo *found;
	char host[TEXT_MAX];
	const char *port;

	if (text == NULL || http_address_split(text, host, &port) == -1 ||
	    getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints,
	    &found) != 0) {
		error_set(err, ERROR_USAGE, "\"%s\" is no address to listen on",
		    text != NULL ? text : "");
		return error_hint(err, "write ADDR:PORT or [ADDR]:PORT, such as 127.0.0.1:8443");
	}
	memset(a, 0, sizeof(*a));
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

bool
http_address_is_loopback(const struct http_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->sa;
	const struct sockaddr_in6 *v6 = (const void *)&a->sa;

	if (a->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

void
http_address_host(const struct sockaddr *sa, char *out)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;
	const void *bytes = &v4->sin_addr;
	int family = AF_INET;

	if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		bytes = &v6->sin6_addr.s6_addr[12];
	} else if (sa->sa_family == AF_INET6) {
		bytes = &v6->sin6_addr;
		family = AF_INET6;
	}
	if (inet_ntop(family, bytes, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
}

/* What counts as one address, in HTTP_ADDRESS_KEY bytes: IPv4, or the first half of IPv6. */
static void
http_address_key(const struct sockaddr *sa, unsigned char *out)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	memset(out, 0, HTTP_ADDRESS_KEY);
	if (sa->sa_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(out, &v6->sin6_addr, HTTP_ADDRESS_KEY);
	} else {
		memcpy(out, &v6->sin6_addr, HTTP_ADDRESS_KEY / 2);
	}
}

char *
http_address_text(const struct http_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->sa;
	const struct sockaddr_in6 *v6 = (const void *)&a->sa;
	char host[INET6_ADDRSTRLEN];
	char text[TEXT_MAX];

	http_address_host((const void *)&a->sa, host);
	(void)snprintf(text, sizeof(text), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
	    (unsigned)ntohs(a->sa.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
	return strdup(text);
}

static int
set_option(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on));
}

/*
 * The first socket is bound for itself, so that a server that is there already
 * is noticed, even one that would share; only then is its port shared.
 */
static int
bind_socket(int fd, const struct http_address *a, bool first)
{
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) == -1)
		return -1;
	if (!first && set_option(fd, SOL_SOCKET, SO_REUSEPORT) == -1)
		return -1;
	if (bind(fd, (const void *)&a->sa, a->len) == -1)
		return -1;
	if (first && set_option(fd, SOL_SOCKET, SO_REUSEPORT) == -1)
		return -1;
	/* Accepted sockets inherit it: a TLS reply must not wait for the
	 * acknowledgement of the record before it. */
	return set_option(fd, IPPROTO_TCP, TCP_NODELAY);
}

int
http_address_listen(struct http_address *a, bool first, struct error *err)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind_socket(fd, a, first) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (void *)&a->sa, &a->len) == -1) {
		char *text = http_address_text(a);

		error_io(err, NULL, "cannot listen");
		error_place(err, text != NULL ? text : "", 0);
		free(text);
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	return fd;
}

/*
 * All is under one lock: it is taken when a connection comes and goes, and for
 * a request that does not arrive in one piece, never for others.  There is at
 * most one source for each connection, so that memory is bounded as they are.
 */

int
http_sources_init(struct http_sources *s, unsigned places, const struct http_options *o,
    struct error *err)
{
	size_t n = BUCKETS_MIN;

	while (n < places && n < BUCKETS_MAX)
		n *= 2;
	(void)pthread_mutex_init(&s->lock, NULL);
	TAILQ_INIT(&s->half_open);
	s->max_open = o->max_per_address;
	s->max_half = o->max_half_open;
	/* Whatever it is set to, one address leaves places to the others. */
	if (s->max_half > places / 2)
		s->max_half = places > 1 ? places / 2 : 1;
	s->buckets = calloc(n, sizeof(*s->buckets));
	if (s->buckets == NULL)
		return error_memory(err);
	s->mask = n - 1;
	return random_bytes(s->seed, sizeof(s->seed), err);
}

void
http_sources_free(struct http_sources *s)
{
	if (s->buckets == NULL)
		return;
	free(s->buckets);
	(void)pthread_mutex_destroy(&s->lock);
}

/* --- under the lock --- */

static struct http_source **
bucket_of(struct http_sources *s, const unsigned char *key)
{
	return &s->buckets[siphash_13(s->seed, key, HTTP_ADDRESS_KEY) & s->mask];
}

/* NULL: no memory. */
static struct http_source *
find_or_add(struct http_sources *s, const struct sockaddr *sa)
{
	unsigned char key[HTTP_ADDRESS_KEY];
	struct http_source **bucket, *a;

	http_address_key(sa, key);
	bucket = bucket_of(s, key);
	for (a = *bucket; a != NULL; a = a->next) {
		if (memcmp(a->key, key, sizeof(key)) == 0)
			return a;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	memcpy(a->key, key, sizeof(key));
	TAILQ_INIT(&a->half_open);
	a->next = *bucket;
	*bucket = a;
	return a;
}

static void
http_source_drop(struct http_sources *s, struct http_source *a)
{
	struct http_source **at = bucket_of(s, a->key);

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}

static void
half_add(struct http_sources *s, struct http_connection *c)
{
	struct http_source *a = c->source;

	c->half_since = http_thread_now();
	TAILQ_INSERT_TAIL(&s->half_open, c, half_of_all);
	TAILQ_INSERT_TAIL(&a->half_open, c, half_of_source);
	a->half++;
}

static void
half_remove(struct http_sources *s, struct http_connection *c)
{
	struct http_source *a = c->source;

	TAILQ_REMOVE(&s->half_open, c, half_of_all);
	TAILQ_REMOVE(&a->half_open, c, half_of_source);
	a->half--;
}

static void
count_out(struct http_sources *s, struct http_connection *c)
{
	if (c->half)
		half_remove(s, c);
	c->source->open--;
	atomic_fetch_sub_explicit(&c->thread->server->open, 1, memory_order_relaxed);
}

/*
 * Have a connection give up its place, at once, and close it.  One of the
 * thread ${t} itself is returned, to be closed once the lock is free.  Another
 * is shut down, by which its own thread notices; its descriptor is still the
 * same one, as it is closed only after http_source_leave.
 */
static struct http_connection *
shed(struct http_sources *s, struct http_connection *v, const struct http_thread *t)
{
	count_out(s, v);
	atomic_store(&v->shed, true);
	atomic_fetch_add_explicit(&t->server->shed, 1, memory_order_relaxed);
	if (v->thread == t)
		return v;
	(void)shutdown(v->fd, SHUT_RDWR);
	return NULL;
}

/* Who is to go when all places are taken; NULL: nobody.  Of the idle ones only
 * this thread's: a list of all would cost each request a lock. */
static struct http_connection *
find_idlest(struct http_sources *s, struct http_thread *t)
{
	uint64_t now = http_thread_now();
	struct http_connection *v = TAILQ_FIRST(&s->half_open);

	if (v != NULL && v->half_since + HTTP_GRACE_MS <= now)
		return v;
	v = TAILQ_FIRST(&t->idle);
	return v != NULL && v->since + HTTP_GRACE_MS <= now && !atomic_load(&v->shed) ? v : NULL;
}

/* Make room for one more of ${a}; false: there is none.  ${*own} is to be closed. */
static bool
http_source_make_room(struct http_sources *s, struct http_source *a, struct http_thread *t,
    struct http_connection **own)
{
	struct http_connection *v;

	if (s->max_open != 0 && a->open >= s->max_open && a->half == 0)
		return false;
	if ((s->max_open != 0 && a->open >= s->max_open) ||
	    (s->max_half != 0 && a->half >= s->max_half))
		v = TAILQ_FIRST(&a->half_open);
	else if (atomic_load(&t->server->open) < t->server->places)
		return true;
	else
		v = find_idlest(s, t);
	if (v != NULL)
		*own = shed(s, v, t);
	return v != NULL;
}

/* --- with the lock free --- */

static void
close_shed(struct http_connection *v)
{
	if (v == NULL)
		return;
	http_connection_enter(v);
	http_connection_close(v);
	http_connection_leave(v);
}

bool
http_source_enter(struct http_connection *c, const struct sockaddr *sa)
{
	struct http_sources *s = &c->thread->server->sources;
	struct http_connection *v = NULL;
	struct http_source *a;
	bool fits;

	(void)pthread_mutex_lock(&s->lock);
	a = find_or_add(s, sa);
	fits = a != NULL && http_source_make_room(s, a, c->thread, &v);
	if (fits) {
		atomic_fetch_add_explicit(&c->thread->server->open, 1, memory_order_relaxed);
		a->open++;
		a->holders++;
		c->source = a;
		c->half = true;
		half_add(s, c);
	} else if (a != NULL && a->holders == 0) {
		http_source_drop(s, a);
	}
	(void)pthread_mutex_unlock(&s->lock);
	close_shed(v);
	return fits;
}

void
http_source_wait(struct http_connection *c)
{
	struct http_sources *s = &c->thread->server->sources;
	struct http_connection *v = NULL;

	if (c->half || c->source == NULL)
		return;
	c->half = true;
	(void)pthread_mutex_lock(&s->lock);
	half_add(s, c);
	if (s->max_half != 0 && c->source->half > s->max_half)
		v = shed(s, TAILQ_FIRST(&c->source->half_open), c->thread);
	(void)pthread_mutex_unlock(&s->lock);
	close_shed(v);
}

bool
http_source_ready(struct http_connection *c)
{
	struct http_sources *s = &c->thread->server->sources;
	bool alive;

	if (!c->half)
		return true;
	(void)pthread_mutex_lock(&s->lock);
	alive = !atomic_load(&c->shed);
	if (alive) {
		half_remove(s, c);
		c->half = false;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return alive;
}

void
http_source_leave(struct http_connection *c)
{
	struct http_sources *s = &c->thread->server->sources;
	struct http_source *a = c->source;

	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	if (!atomic_load(&c->shed))
		count_out(s, c);
	if (--a->holders == 0)
		http_source_drop(s, a);
	(void)pthread_mutex_unlock(&s->lock);
	c->source = NULL;
	c->half = false;
}
