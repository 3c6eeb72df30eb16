#include <time.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/store/store_internal.h"

/* The writer's thread, and how others reach it. */

int64_t
store_monotonic_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
store_now(const struct store *s)
{
	struct timespec t;

	if (s->now != NULL)
		return s->now(s->now_cookie);
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
store_stamp(struct store *s)
{
	int64_t now = store_now(s);

	if (now > s->last_ms)
		s->last_ms = now;
	return s->last_ms;
}

void
store_submit_lazily(struct store *s, struct store_op *op)
{
	op->next = NULL;
	(void)pthread_mutex_lock(&s->mutex);
	*s->last = op;
	s->last = &op->next;
	s->waiting++;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_wake(struct store *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_submit(struct store *s, struct store_op *op)
{
	store_submit_lazily(s, op);
	store_wake(s);
}

static struct store_op *
store_writer_take(struct store *s)
{
	struct store_op *ops = s->first;

	s->first = NULL;
	s->last = &s->first;
	s->taken = s->waiting;
	s->waiting = 0;
	return ops;
}

/* --- rotation, from other threads --- */

static void
store_writer_answer(struct store *s)
{
	struct rotate_request *q = &s->request;

	q->result = store_rotation_begin(s, q->fresh, &q->err);
	(void)pthread_mutex_lock(&s->mutex);
	q->state = REQUEST_ANSWERED;
	(void)pthread_cond_broadcast(&s->answered);
	(void)pthread_mutex_unlock(&s->mutex);
}

int
store_rotate(struct store *s, const struct master *fresh, struct error *err)
{
	struct rotate_request *q = &s->request;
	int result;

	if (!s->threaded || pthread_equal(pthread_self(), s->thread))
		return store_rotation_begin(s, fresh, err);
	(void)pthread_mutex_lock(&s->mutex);
	if (q->state != REQUEST_NONE || s->stopping) {
		(void)pthread_mutex_unlock(&s->mutex);
		return error_set(err, ERROR_BUSY, "a rotation is being started");
	}
	q->fresh = fresh;
	q->state = REQUEST_MADE;
	(void)pthread_cond_signal(&s->wake);
	while (q->state != REQUEST_ANSWERED)
		(void)pthread_cond_wait(&s->answered, &s->mutex);
	result = q->result;
	if (result != 0 && err != NULL)
		*err = q->err;
	q->state = REQUEST_NONE;
	(void)pthread_mutex_unlock(&s->mutex);
	return result;
}

void
store_rotation(struct store *s, struct rotation_state *out)
{
	(void)pthread_mutex_lock(&s->mutex);
	*out = s->rotation.shown;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_on_rotation(struct store *s, void (*tell)(void *cookie, const char *step,
    const struct rotation_state *r), void *cookie)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->rotation.tell = tell;
	s->rotation.tell_cookie = cookie;
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

/* --- the loop --- */

/* Everything but ops and rotation; the latter's steps are taken by the caller. */
static void
store_writer_look_around(struct store *s)
{
	store_wake_waiters(s);
	store_rotation_tell(s);
}

/* A log that failed is tried again even if nobody writes, since nobody may as
 * long as it is said not to be ready: the keyring once more does no harm. */
static void
probe(struct store *s)
{
	if (atomic_load(&s->unready) == NULL || s->fenced)
		return;
	s->ring_dirty = true;
	(void)store_prepare(s, NULL);
}

static bool
is_ticking(const struct store *s)
{
	return s->rotation.active || s->state->due_count > 0 ||
	    (atomic_load(&s->unready) != NULL && !s->fenced);
}

/* Nobody wants anything.  Mutex held. */
static bool
is_idle(const struct store *s)
{
	return s->first == NULL && s->request.state != REQUEST_MADE && !s->woken && !s->stopping;
}

static struct timespec
in_future(int64_t ms, long ns)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000 + ns;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Wait for something to do: ${ms} at most, -1: for ever.  Mutex held. */
static void
store_writer_wait_for_work(struct store *s, int64_t ms)
{
	struct timespec until;

	if (ms < 0) {
		(void)pthread_cond_wait(&s->wake, &s->mutex);
		return;
	}
	until = in_future(ms, 0);
	(void)pthread_cond_timedwait(&s->wake, &s->mutex, &until);
}

/*
 * Actions that came together lately will likely do so again: wait a moment for
 * the rest of them, as one commit for all costs less than two.  Mutex held.
 */
static void
store_writer_gather(struct store *s)
{
	struct timespec until;

	if (s->first == NULL || s->waiting >= s->together)
		return;
	until = clock_gather_until(s->run_ns);
	while (s->waiting < s->together && !s->stopping) {
		if (pthread_cond_timedwait(&s->wake, &s->mutex, &until) != 0)
			break;
	}
}

/* Who is told now comes again together with who came meanwhile. */
static void
store_writer_run(struct store *s, struct store_op *ops)
{
	uint64_t begun = clock_ns();

	store_run(s, ops);
	(void)pthread_mutex_lock(&s->mutex);
	s->run_ns = clock_ns() - begun;
	s->together = s->taken + s->waiting;
	(void)pthread_mutex_unlock(&s->mutex);
}

void *
store_writer(void *store)
{
	struct store *s = store;
	struct store_op *ops;
	bool more = true, stop = false, asked;

	while (!stop) {
		(void)pthread_mutex_lock(&s->mutex);
		if (!more && is_idle(s))
			store_writer_wait_for_work(s, is_ticking(s) ? STORE_TICK_MS : -1);
		store_writer_gather(s);
		ops = store_writer_take(s);
		asked = s->request.state == REQUEST_MADE;
		if (asked)
			s->request.state = REQUEST_TAKEN;
		s->woken = false;
		stop = s->stopping && ops == NULL && !asked;
		(void)pthread_mutex_unlock(&s->mutex);

		if (ops != NULL)
			store_writer_run(s, ops);
		if (asked)
			store_writer_answer(s);
		if (ops == NULL)
			probe(s);
		more = store_rotation_step(s);
		more = store_sweep(s) || more;
		store_writer_look_around(s);
	}
	return NULL;
}

void
store_step(struct store *s)
{
	struct store_op *ops;
	bool more = true;

	while (more) {
		(void)pthread_mutex_lock(&s->mutex);
		ops = store_writer_take(s);
		(void)pthread_mutex_unlock(&s->mutex);
		if (ops != NULL)
			store_run(s, ops);
		more = store_rotation_step(s);
		more = store_sweep(s) || more;
		store_writer_look_around(s);
		(void)pthread_mutex_lock(&s->mutex);
		more = more || s->first != NULL;
		(void)pthread_mutex_unlock(&s->mutex);
	}
}
