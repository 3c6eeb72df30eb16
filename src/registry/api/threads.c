#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/api/api.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/base/settings.h"
#include "registry/keys/keyring.h"
#include "registry/store/store.h"

/* What the requests run on: what each event thread has for itself, the worker's thread,
 * and the beginning and the end of them all. */

/* An opened value is as large as a record may be at most. */
#define VALUE_MAX (4U << 20)

#define WAITING_MAX 64
#define TICK_SECONDS 5
#define OPENAPI_MAX ((size_t)1 << 20)

struct api_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct exchange *first, *last;
	unsigned waiting;
	bool stop;
	void (*tick)(void *cookie);
	void *cookie;
};

static int
api_thread_init(struct api_thread *t, struct api *a, struct keyring *k, struct error *err)
{
	const struct key *audit = keyring_audit_key(k);
	unsigned char noise[8];

	t->api = a;
	buf_init_secret(&t->value, VALUE_MAX);
	if (random_bytes(noise, sizeof(noise), err) == -1)
		return -1;
	hex_text(noise, sizeof(noise), t->id_prefix);
	t->id_prefix[2 * sizeof(noise)] = '\0';
	t->reader = reader_new(a->parts.store, err);
	t->sealer = sealer_new(k, err);
	t->caller = mac_new(audit, "propseal registry idempotency caller", err);
	t->content = mac_new(audit, "propseal registry idempotency content", err);
	t->counters = counters_new(err);
	t->values = buf_pool_new(err);
	if (t->reader == NULL || t->sealer == NULL || t->caller == NULL || t->content == NULL ||
	    t->counters == NULL || t->values == NULL)
		return -1;
	return 0;
}

static void
api_thread_release(struct api_thread *t)
{
	exchange_pool_free(t);
	counters_free(t->counters);
	mac_free(t->content);
	mac_free(t->caller);
	sealer_free(t->sealer);
	reader_free(t->reader);
	buf_pool_free(t->values);
	buf_release(&t->value);
}

/* Failed logins that had no line of their own. */
static void
tell_folded(void *cookie, const char *peer, uint64_t folded)
{
	struct api *a = cookie;
	struct audit_event event = {
		.phase = AUDIT_OUTCOME, .method = "Authenticate", .client = peer, .status = 401,
		.message = "Failed logins that were not reported one by one",
		/* The line itself stands for one. */
		.has_count = folded > 1, .count = folded - 1,
	};

	audit_submit(a->parts.audit, &event, 1, NULL);
}

/* Denials that had no line of their own. */
static void
tell_denied(void *cookie, const char *principal, uint64_t folded)
{
	struct api *a = cookie;
	char user[AUTH_NAME_MAX + 8] = "";
	struct audit_event event = {
		.phase = AUDIT_OUTCOME, .method = "Denied", .status = 403,
		.message = "Denied requests that were not reported one by one",
		.has_count = folded > 1, .count = folded - 1,
	};

	if (principal != NULL) {
		(void)snprintf(user, sizeof(user), "User:%s", principal);
		event.principal = user;
	}
	audit_submit(a->parts.audit, &event, 1, NULL);
}

static void
api_fold(struct api *a, bool all)
{
	auth_folded(a->parts.auth, all, tell_folded, a);
	auth_denied_folded(a->parts.auth, all, tell_denied, a);
}

static void
api_tick(void *cookie)
{
	api_fold(cookie, false);
}

static void
worker_done(void *arg)
{
	struct exchange *x = arg;

	x->worker_done(x);
}

/* Wait for the next, but only until then; NULL: there is none.  false: the
 * end has come, and none is left. */
static bool
worker_next(struct api_worker *h, const struct timespec *until, struct exchange **x)
{
	bool more;

	pthread_mutex_lock(&h->lock);
	while (h->first == NULL && !h->stop &&
	    pthread_cond_timedwait(&h->more, &h->lock, until) == 0)
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
	struct api_worker *h = arg;
	struct timespec now, next;
	struct exchange *x;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_sec += TICK_SECONDS;
	while (worker_next(h, &next, &x)) {
		if (x != NULL) {
			x->worker_work(x);
			http_post(x->r, worker_done, x);
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec < next.tv_sec ||
		    (now.tv_sec == next.tv_sec && now.tv_nsec < next.tv_nsec))
			continue;
		h->tick(h->cookie);
		next = now;
		next.tv_sec += TICK_SECONDS;
	}
	return NULL;
}

static void
init_lock(struct api_worker *h)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->more, &attr);
	pthread_condattr_destroy(&attr);
}

/* ${tick} is called every few seconds, also while there is much to do. */
static struct api_worker *
api_worker_new(void (*tick)(void *cookie), void *cookie, struct error *err)
{
	struct api_worker *h = error_alloc(sizeof(*h), err);
	sigset_t all, before;
	int failed;

	if (h == NULL)
		return NULL;
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

/* Does what is still waiting first. */
static void
api_worker_free(struct api_worker *h)
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
api_worker_run(struct exchange *x, void (*work)(struct exchange *x),
    void (*finish)(struct exchange *x))
{
	struct api_worker *h = x->api->worker;
	bool taken;

	x->worker_work = work;
	x->worker_done = finish;
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

struct api *
api_new(const struct api_parts *p, unsigned threads, struct error *err)
{
	struct api *a = calloc(1, sizeof(*a) + threads * sizeof(a->threads[0]));

	if (a == NULL) {
		error_memory(err);
		return NULL;
	}
	a->parts = *p;
	if (watch_list_init(&a->watches) == -1) {
		free(a);
		error_memory(err);
		return NULL;
	}
	buf_init(&a->openapi, OPENAPI_MAX);
	openapi_make(&a->openapi, p->settings);
	for (; a->thread_count < threads; a->thread_count++) {
		if (api_thread_init(&a->threads[a->thread_count], a, store_keyring(p->store),
		    err) == -1) {
			a->thread_count++;
			goto fail;
		}
	}
	a->worker = api_worker_new(api_tick, a, err);
	if (p->settings->node_names != NULL &&
	    (a->forwarder = forward_new(p->settings, err)) == NULL)
		goto fail;
	if (a->worker == NULL || buf_check(&a->openapi, err) == -1)
		goto fail;
	commit_hook_begin(a);
	return a;
fail:
	api_free(a);
	return NULL;
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	forward_free(a->forwarder);
	api_worker_free(a->worker);
	watch_list_release(&a->watches);
	for (unsigned i = 0; i < a->thread_count; i++)
		api_thread_release(&a->threads[i]);
	buf_release(&a->openapi);
	free(a);
}

void
api_set_server(struct api *a, struct http_server *s)
{
	atomic_store(&a->server, s);
}

void
api_drain(struct api *a)
{
	atomic_store(&a->draining, true);
	watch_list_drain(&a->watches);
}

void
api_stop(struct api *a)
{
	forward_free(a->forwarder);
	a->forwarder = NULL;
	api_worker_free(a->worker);
	a->worker = NULL;
	api_fold(a, true);
}
