#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf_pool.h"
#include "base/error.h"
#include "base/secmem.h"
#include "registry/http/internal.h"

#define FIRST_POSTS 256U
#define TICK_MIN_MS 10U
#define TICK_MAX_MS 250U

uint64_t
http_thread_now(void)
{
	struct timespec ts;

	/* Ticks of a few milliseconds are enough for limits, and cost nothing. */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct timeval
http_thread_timeval(unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	return tv;
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
expire(struct http_connections *list, uint64_t now, unsigned limit)
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
	expire(&t->idle, now, o->idle_timeout_ms);
	expire(&t->slow, now, o->request_timeout_ms);
	expire(&t->linger, now, HTTP_LINGER_MS);
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

int
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
thread_main(void *arg)
{
	struct http_thread *t = arg;

	(void)event_base_dispatch(t->base);
	return NULL;
}

int
http_thread_start(struct http_thread *t, struct error *err)
{
	sigset_t all, before;
	int status;

	/* Signals are the main thread's; SIGPIPE from a gone client nobody's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&t->id, NULL, thread_main, t);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0) {
		errno = status;
		return error_io(err, NULL, "cannot start a thread");
	}
	t->running = true;
	return 0;
}

void
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

void
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
