#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/http/internal.h"

#define THREADS_MAX 64
/* Descriptors left to files and to connections that are being turned away. */
#define FILES_LEFT (HTTP_TOLD_MAX + 128U)

unsigned
http_server_threads(unsigned asked)
{
	cpu_set_t set;

	if (asked == 0 && sched_getaffinity(0, sizeof(set), &set) == 0)
		asked = (unsigned)CPU_COUNT(&set);
	return asked < 1 ? 1 : asked > THREADS_MAX ? THREADS_MAX : asked;
}

/* How many connections there can be: a limit of descriptors that is lower must
 * not be met, as then no file could be opened any more either. */
static unsigned
count_places(const struct http_options *o)
{
	unsigned places = o->max_connections != 0 ? o->max_connections : UINT_MAX;
	struct rlimit files;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return places;
	most = files.rlim_cur > 2 * FILES_LEFT ? files.rlim_cur - FILES_LEFT : files.rlim_cur / 2;
	return most < places ? (unsigned)most : places;
}

static int
check(const struct http_options *o, const struct http_address *a, struct error *err)
{
	if (o->certificate == NULL && o->client_ca != NULL)
		return error_set(err, ERROR_USAGE,
		    "client certificates need a certificate of the server");
	if (o->certificate != NULL || o->insecure_allowed || http_address_is_loopback(a))
		return 0;
	error_set(err, ERROR_USAGE, "plain HTTP is for the loopback address alone, not for %s",
	    o->listen);
	return error_hint(err, "set a certificate and key, or listen on 127.0.0.1");
}

static int
listen_all(struct http_server *s, struct http_address *a, struct error *err)
{
	unsigned i;

	for (i = 0; i < s->thread_count; i++) {
		int fd = http_address_listen(a, i == 0, err);

		if (fd == -1 || http_thread_init(&s->threads[i], s, i, fd, err) == -1)
			return -1;
	}
	s->address = http_address_text(a);
	return s->address != NULL ? 0 : error_memory(err);
}

struct http_server *
http_server_new(const struct http_options *o, struct error *err)
{
	struct http_address a;
	struct http_server *s;
	unsigned i;

	if (http_address_parse(&a, o->listen, err) == -1 || check(o, &a, err) == -1)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		error_memory(err);
		return NULL;
	}
	s->options = *o;
	s->started = time(NULL);
	s->thread_count = http_server_threads(o->threads);
	s->places = count_places(o);
	s->threads = calloc(s->thread_count, sizeof(*s->threads));
	(void)pthread_mutex_init(&s->tls_lock, NULL);
	if (s->threads == NULL) {
		error_memory(err);
		goto fail;
	}
	if (http_sources_init(&s->sources, s->places, o, err) == -1)
		goto fail;
	if (o->certificate != NULL && (s->tls = http_tls_new(o, err)) == NULL)
		goto fail;
	if (listen_all(s, &a, err) == -1)
		goto fail;
	for (i = 0; i < s->thread_count; i++) {
		if (http_thread_start(&s->threads[i], err) == -1)
			goto fail;
	}
	return s;
fail:
	http_server_free(s);
	return NULL;
}

const char *
http_server_address(const struct http_server *s)
{
	return s->address;
}

int
http_server_reload(struct http_server *s, const struct http_options *o, struct error *err)
{
	SSL_CTX *tls, *old;

	if ((s->tls != NULL) != (o->certificate != NULL))
		return error_set(err, ERROR_USAGE,
		    "changing between HTTP and HTTPS needs a restart");
	if (o->certificate == NULL)
		return 0;
	tls = http_tls_new(o, err);
	if (tls == NULL)
		return -1;
	(void)pthread_mutex_lock(&s->tls_lock);
	old = s->tls;
	s->tls = tls;
	(void)pthread_mutex_unlock(&s->tls_lock);
	SSL_CTX_free(old);	/* connections hold on to theirs */
	return 0;
}

void
http_server_stop(struct http_server *s)
{
	unsigned i;

	for (i = 0; i < s->thread_count; i++) {
		if (s->threads[i].running)
			http_thread_stop(&s->threads[i]);
	}
	for (i = 0; i < s->thread_count; i++) {
		if (s->threads[i].running)
			(void)pthread_join(s->threads[i].id, NULL);
		s->threads[i].running = false;
	}
}

void
http_server_free(struct http_server *s)
{
	unsigned i;

	if (s == NULL)
		return;
	if (s->threads != NULL) {
		http_server_stop(s);
		for (i = 0; i < s->thread_count; i++)
			http_thread_free(&s->threads[i]);
	}
	http_sources_free(&s->sources);
	SSL_CTX_free(s->tls);
	(void)pthread_mutex_destroy(&s->tls_lock);
	free(s->threads);
	free(s->address);
	free(s);
}

void
http_server_counts(const struct http_server *s, struct http_counts *out)
{
	out->connections = atomic_load(&s->accepted);
	out->open = atomic_load(&s->open);
	out->refused = atomic_load(&s->refused);
	out->shed = atomic_load(&s->shed);
	out->timed_out = atomic_load(&s->timed_out);
	out->bad = atomic_load(&s->bad);
}
