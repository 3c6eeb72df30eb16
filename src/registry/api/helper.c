#include "registry/api/helper.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "registry/api/answer.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/http/http.h"

#define WAITING_MAX 64
#define TICK_SECONDS 5

struct helper {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct exchange *first, *last;
	unsigned waiting;
	bool stop;
	void (*tick)(void *cookie);
	void *cookie;
};

static void
done(void *arg)
{
	struct exchange *x = arg;

	x->help_done(x);
}

/* Wait for the next, but only for so long; NULL: there is none.  false: the
 * end has come, and none is left. */
static bool
next(struct helper *h, struct exchange **x)
{
	struct timespec until;
	bool more;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK_SECONDS;
	pthread_mutex_lock(&h->lock);
	while (h->first == NULL && !h->stop &&
	    pthread_cond_timedwait(&h->more, &h->lock, &until) == 0)
		continue;
	*x = h->first;
	if (*x != NULL) {
		h->first = (*x)->next;
		h->waiting--;
	}
	more = *x != NULL || !h->stop;
	pthread_mutex_unlock(&h->lock);
	return more;
}

static void *
run(void *arg)
{
	struct helper *h = arg;
	struct exchange *x;

	while (next(h, &x)) {
		if (x == NULL) {
			h->tick(h->cookie);
			continue;
		}
		x->helped(x);
		http_post(x->r, done, x);
	}
	return NULL;
}

static void
init_lock(struct helper *h)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->more, &attr);
	pthread_condattr_destroy(&attr);
}

struct helper *
helper_new(void (*tick)(void *cookie), void *cookie, struct error *err)
{
	struct helper *h = calloc(1, sizeof(*h));
	sigset_t all, before;
	int failed;

	if (h == NULL) {
		error_memory(err);
		return NULL;
	}
	h->tick = tick;
	h->cookie = cookie;
	init_lock(h);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&h->thread, NULL, run, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		return h;
	error_set(err, ERROR_IO, "a thread cannot be started");
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

void
helper_free(struct helper *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void
helper_run(struct exchange *x, void (*work)(struct exchange *x),
    void (*finish)(struct exchange *x))
{
	struct helper *h = x->api->helper;
	bool taken;

	x->helped = work;
	x->help_done = finish;
	x->next = NULL;
	pthread_mutex_lock(&h->lock);
	taken = h->waiting < WAITING_MAX;
	if (taken) {
		if (h->first == NULL)
			h->first = x;
		else
			h->last->next = x;
		h->last = x;
		h->waiting++;
		pthread_cond_signal(&h->more);
	}
	pthread_mutex_unlock(&h->lock);
	if (!taken)
		answer_fail(x, 503, 50302, "Too much is waiting to be done; try again");
}
