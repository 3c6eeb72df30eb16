#include <stdlib.h>

#include "registry/http/internal.h"

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

void
http_later_drop(struct http_thread *t)
{
	while (!TAILQ_EMPTY(&t->laters))
		later_free(TAILQ_FIRST(&t->laters));
}
