#include <sys/eventfd.h>
#include <sys/resource.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "registry/http/http_internal.h"

#define FIRST_POSTS 256U
#define TICK_MIN_MS 10U
#define TICK_MAX_MS 250U

#define THREADS_MAX 64
/* Descriptors left to files and to connections that are being turned away. */
#define FILES_LEFT (HTTP_TOLD_MAX + 128U)

/* Calls of a handler that are to come after a while. */

static void
later_free(struct http_later *l)
{
	TAILQ_REMOVE(&l->thread->laters, l, entry);
	(void)event_del(&l->timer);
	free(l);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct http_later *l = arg;
	struct http_post post = l->post;

	(void)fd;
	(void)what;
	later_free(l);
	post.run(post.arg);
}

static struct timeval
http_thread_timeval(unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	return tv;
}

void
http_later(struct http_request *r, unsigned ms, void (*run)(void *arg), void *arg)
{
	struct http_thread *t = r->connection->thread;
	struct http_later *l = malloc(sizeof(*l));
	struct timeval tv = http_thread_timeval(ms);

	if (l == NULL) {	/* sooner is better than never */
		http_thread_post(t, run, arg);
		return;
	}
	l->thread = t;
	l->post.run = run;
	l->post.arg = arg;
	TAILQ_INSERT_TAIL(&t->laters, l, entry);
	(void)evtimer_assign(&l->timer, t->base, on_later, l);
	(void)evtimer_add(&l->timer, &tv);
}

/* Forget what http_later was asked for. */
static void
http_later_drop(struct http_thread *t)
{
	while (!TAILQ_EMPTY(&t->laters))
		later_free(TAILQ_FIRST(&t->laters));
}

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
http_accept_turn_away(struct http_connection *c)
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

/* Takes over ${fd}. */
static void
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
		http_accept_turn_away(c);
	} else if (s->options.certificate != NULL && (c->ssl = new_tls(s, fd)) == NULL) {
		http_connection_lost(c);
	} else {
		atomic_fetch_add_explicit(&s->accepted, 1, memory_order_relaxed);
		http_connection_begin(c);
	}
	http_connection_leave(c);
}

uint64_t
http_thread_now(void)
{
	struct timespec ts;

	/* Ticks of a few milliseconds are enough for limits, and cost nothing. */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- posts --- */

void
http_thread_post(struct http_thread *t, void (*run)(void *arg), void *arg)
{
	struct http_posts *q = &t->posts;
	uint64_t one = 1;
	bool wake;

	(void)pthread_mutex_lock(&t->lock);
	if (q->count == q->cap) {
		size_t cap = q->cap > 0 ? 2 * q->cap : FIRST_POSTS;
		struct http_post *items = reallocarray(q->items, cap, sizeof(*items));

		/* A lost post would leave its request without an answer for ever. */
		if (items == NULL)
			abort();
		q->items = items;
		q->cap = cap;
	}
	q->items[q->count].run = run;
	q->items[q->count].arg = arg;
	q->count++;
	wake = !t->woken;
	t->woken = true;
	(void)pthread_mutex_unlock(&t->lock);
	if (wake && write(t->wake_fd, &one, sizeof(one)) == -1)
		abort();	/* cannot happen: a counter of 1 does not overflow */
}

static void
close_all(struct http_connections *list, bool politely)
{
	struct http_connection *c, *next;

	for (c = TAILQ_FIRST(list); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		http_connection_enter(c);
		if (politely)
			http_connection_close(c);
		else
			http_connection_lost(c);
		http_connection_leave(c);
	}
}

void
http_thread_check_end(struct http_thread *t)
{
	if (t->stopping && TAILQ_EMPTY(&t->idle) && TAILQ_EMPTY(&t->slow) &&
	    TAILQ_EMPTY(&t->linger) && TAILQ_EMPTY(&t->busy))
		(void)event_base_loopbreak(t->base);
}

static void
begin_stop(struct http_thread *t)
{
	t->stopping = true;
	t->stop_at = http_thread_now() + t->server->options.drain_timeout_ms;
	evconnlistener_free(t->listener);
	t->listener = NULL;
	close_all(&t->idle, true);
	http_thread_check_end(t);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	struct http_posts posts;
	uint64_t count;
	bool stop;
	size_t i;

	(void)what;
	if (read(fd, &count, sizeof(count)) == -1 && errno == EAGAIN)
		return;
	(void)pthread_mutex_lock(&t->lock);
	posts = t->posts;
	t->posts = t->run;
	t->woken = false;
	stop = t->stop;
	(void)pthread_mutex_unlock(&t->lock);
	for (i = 0; i < posts.count; i++)
		posts.items[i].run(posts.items[i].arg);
	posts.count = 0;
	t->run = posts;
	if (stop && !t->stopping)
		begin_stop(t);
}

/* --- when there is nothing else to do --- */

static void
on_calm(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	struct http_post post = t->calm_post;

	(void)fd;
	(void)what;
	t->calm_post.run = NULL;
	if (post.run != NULL)
		post.run(post.arg);
}

bool
http_when_idle(struct http_request *r, void (*run)(void *arg), void *arg)
{
	struct http_thread *t = r->connection->thread;

	if (t->calm_post.run != NULL)
		return false;
	t->calm_post.run = run;
	t->calm_post.arg = arg;
	event_active(t->calm, EV_TIMEOUT, 0);
	return true;
}

/* --- limits --- */

static void
http_thread_expire(struct http_connections *list, uint64_t now, unsigned limit)
{
	struct http_connection *c;

	while ((c = TAILQ_FIRST(list)) != NULL && c->since + limit <= now) {
		http_connection_enter(c);
		http_connection_expire(c);
		http_connection_leave(c);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_thread *t = arg;
	const struct http_options *o = &t->server->options;
	uint64_t now = http_thread_now();

	(void)fd;
	(void)what;
	http_thread_expire(&t->idle, now, o->idle_timeout_ms);
	http_thread_expire(&t->slow, now, o->request_timeout_ms);
	http_thread_expire(&t->linger, now, HTTP_LINGER_MS);
	if (t->accept_paused && t->listener != NULL) {
		t->accept_paused = false;
		(void)evconnlistener_enable(t->listener);
	}
	if (t->stopping && now >= t->stop_at) {
		close_all(&t->idle, false);
		close_all(&t->slow, false);
		close_all(&t->linger, false);
		close_all(&t->busy, false);
		(void)event_base_loopbreak(t->base);
	}
}

static unsigned
tick_interval(const struct http_options *o)
{
	unsigned ms = o->request_timeout_ms;

	if (o->idle_timeout_ms < ms)
		ms = o->idle_timeout_ms;
	if (o->drain_timeout_ms < ms)
		ms = o->drain_timeout_ms;
	ms /= 4;
	return ms < TICK_MIN_MS ? TICK_MIN_MS : ms > TICK_MAX_MS ? TICK_MAX_MS : ms;
}

/* --- the thread --- */

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	(void)l;
	(void)len;
	http_accept(arg, fd, sa);
}

/* Out of descriptors: the socket stays readable, so look away until the next tick. */
static void
on_accept_error(struct evconnlistener *l, void *arg)
{
	struct http_thread *t = arg;

	t->accept_paused = true;
	(void)evconnlistener_disable(l);
}

static int
init_events(struct http_thread *t, int fd)
{
	struct event_config *config = event_config_new();
	struct timeval tick = http_thread_timeval(tick_interval(&t->server->options));

	if (config == NULL)
		return -1;
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	t->base = event_base_new_with_config(config);
	event_config_free(config);
	if (t->base == NULL)
		return -1;
	/* Events are of the middle priority unless they say otherwise. */
	if (event_base_priority_init(t->base, 3) != 0 ||
	    (t->calm = event_new(t->base, -1, 0, on_calm, t)) == NULL ||
	    event_priority_set(t->calm, 2) != 0)
		return -1;
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake_fd == -1)
		return -1;
	t->wake = event_new(t->base, t->wake_fd, EV_READ | EV_PERSIST, on_wake, t);
	t->tick = event_new(t->base, -1, EV_PERSIST, on_tick, t);
	t->listener = evconnlistener_new(t->base, on_accept, t,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (t->wake == NULL || t->tick == NULL || t->listener == NULL)
		return -1;
	evconnlistener_set_error_cb(t->listener, on_accept_error);
	return event_add(t->wake, NULL) == 0 && event_add(t->tick, &tick) == 0 ? 0 : -1;
}

static int
http_thread_init(struct http_thread *t, struct http_server *s, unsigned number, int fd,
    struct error *err)
{
	t->server = s;
	t->number = number;
	t->wake_fd = -1;
	(void)pthread_mutex_init(&t->lock, NULL);
	TAILQ_INIT(&t->idle);
	TAILQ_INIT(&t->slow);
	TAILQ_INIT(&t->linger);
	TAILQ_INIT(&t->busy);
	TAILQ_INIT(&t->laters);
	t->input = secmem_map(HTTP_READ_SIZE, &t->input_cap);
	t->output = secmem_map(HTTP_WRITE_SIZE, &t->output_cap);
	t->bodies = buf_pool_new(err);
	if (t->input == NULL || t->output == NULL || t->bodies == NULL ||
	    init_events(t, fd) == -1) {
		if (t->listener == NULL)
			(void)close(fd);
		return error_memory(err);
	}
	return 0;
}

static void *
http_thread_thread_main(void *arg)
{
	struct http_thread *t = arg;

	(void)event_base_dispatch(t->base);
	return NULL;
}

static int
http_thread_start(struct http_thread *t, struct error *err)
{
	sigset_t all, before;
	int status;

	/* Signals are the main thread's; SIGPIPE from a gone client nobody's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&t->id, NULL, http_thread_thread_main, t);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0) {
		errno = status;
		return error_io(err, NULL, "cannot start a thread");
	}
	t->running = true;
	return 0;
}

static void
http_thread_stop(struct http_thread *t)
{
	uint64_t one = 1;

	(void)pthread_mutex_lock(&t->lock);
	t->stop = true;
	t->woken = true;
	(void)pthread_mutex_unlock(&t->lock);
	if (write(t->wake_fd, &one, sizeof(one)) == -1)
		abort();
}

static void
free_list(struct http_connections *list)
{
	struct http_connection *c;

	while ((c = TAILQ_FIRST(list)) != NULL) {
		http_connection_lost(c);
		http_connection_free(c);
	}
}

static void
http_thread_free(struct http_thread *t)
{
	if (t->server == NULL)
		return;
	free_list(&t->idle);
	free_list(&t->slow);
	free_list(&t->linger);
	free_list(&t->busy);
	http_later_drop(t);
	if (t->listener != NULL)
		evconnlistener_free(t->listener);
	if (t->wake != NULL)
		event_free(t->wake);
	if (t->tick != NULL)
		event_free(t->tick);
	if (t->calm != NULL)
		event_free(t->calm);
	if (t->base != NULL)
		event_base_free(t->base);
	if (t->wake_fd != -1)
		(void)close(t->wake_fd);
	free(t->posts.items);
	free(t->run.items);
	buf_pool_free(t->bodies);
	secmem_unmap(t->input, t->input_cap);
	secmem_unmap(t->output, t->output_cap);
	(void)pthread_mutex_destroy(&t->lock);
}

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
http_server_check(const struct http_options *o, const struct http_address *a, struct error *err)
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

	if (http_address_parse(&a, o->listen, err) == -1 || http_server_check(o, &a, err) == -1)
		return NULL;
	s = error_alloc(sizeof(*s), err);
	if (s == NULL)
		return NULL;
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
	out->places = s->places;
}
