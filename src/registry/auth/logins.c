#include "registry/auth/logins.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define THREADS_MAX 64
#define PEER_MAX 64

struct waiter {
	struct waiter *next;
	struct auth_check *check;
	char peer[PEER_MAX];
};

struct job {
	struct job *next;
	struct login login;
	struct waiter *waiters;
	bool taken;		/* a thread is at it */
};

struct logins {
	struct logins_calls calls;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t more;
	struct job *jobs;	/* oldest first; one that is at work, too */
	size_t queued;		/* those not taken */
	size_t waiters;
	bool ending;

	pthread_t threads[THREADS_MAX];
	unsigned count;
};

static void
job_free(struct job *j)
{
	buf_release(&j->login.password);
	free(j);
}

/* Answer everybody; the job is out of the list. */
static void
finish(struct logins *l, struct job *j, enum auth_result result)
{
	struct waiter *w, *next;

	for (w = j->waiters; w != NULL; w = next) {
		next = w->next;
		l->calls.answer(l->calls.cookie, w->check, &j->login, w->peer, result);
		free(w);
	}
	job_free(j);
}

static void
take_out(struct logins *l, struct job *j)
{
	struct job **at = &l->jobs;
	const struct waiter *w;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (!j->taken)
		l->queued--;
	for (w = j->waiters; w != NULL; w = w->next)
		l->waiters--;
}

/* All who wait for it come from addresses that are refused meanwhile. */
static bool
is_refused(const struct logins *l, const struct job *j)
{
	if (j->login.trusted)
		return false;
	for (const struct waiter *w = j->waiters; w != NULL; w = w->next)
		if (!l->calls.refused(l->calls.cookie, w->peer))
			return false;
	return true;
}

static struct job *
next_job(struct logins *l)
{
	struct job *j;

	for (j = l->jobs; j != NULL && j->taken; j = j->next)
		;
	return j;
}

static void *
work(void *arg)
{
	struct logins *l = arg;
	enum auth_result result;
	struct job *j;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->ending && (j = next_job(l)) == NULL)
			pthread_cond_wait(&l->more, &l->lock);
		if (l->ending)
			break;
		if (is_refused(l, j))
			result = AUTH_TOO_MANY;
		else {
			j->taken = true;
			l->queued--;
			pthread_mutex_unlock(&l->lock);
			result = l->calls.check(l->calls.cookie, &j->login);
			pthread_mutex_lock(&l->lock);
		}
		take_out(l, j);
		pthread_mutex_unlock(&l->lock);
		finish(l, j, result);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

struct logins *
logins_new(unsigned threads, const struct logins_calls *calls, struct error *err)
{
	struct logins *l = calloc(1, sizeof(*l));
	sigset_t all, old;
	int code = 0;

	if (l == NULL) {
		error_memory(err);
		return NULL;
	}
	l->calls = *calls;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	if (threads == 0)
		threads = 1;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (l->count < threads && code == 0) {
		code = pthread_create(&l->threads[l->count], NULL, work, l);
		if (code == 0)
			l->count++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0) {
		error_set(err, ERROR_IO, "cannot start a thread: %s", strerror(code));
		logins_free(l);
		return NULL;
	}
	return l;
}

void
logins_free(struct logins *l)
{
	struct job *j;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->ending = true;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < l->count; i++)
		pthread_join(l->threads[i], NULL);
	while ((j = l->jobs) != NULL) {
		l->jobs = j->next;
		finish(l, j, AUTH_BUSY);
	}
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* A job with the same credentials, or a new one at the end of the queue. */
static struct job *
join(struct logins *l, struct login *what)
{
	struct job **at;
	struct job *j;

	for (at = &l->jobs; *at != NULL; at = &(*at)->next) {
		if (memcmp((*at)->login.key, what->key, MAC_BYTES) == 0)
			return *at;
	}
	if (l->queued >= LOGINS_MAX || (j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->login = *what;
	buf_init_secret(&j->login.password, what->password.max);
	buf_move(&j->login.password, &what->password);
	*at = j;
	l->queued++;
	pthread_cond_signal(&l->more);
	return j;
}

bool
logins_add(struct logins *l, struct login *what, struct auth_check *c, const char *peer)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct job *j = NULL;

	if (w == NULL)
		return false;
	w->check = c;
	snprintf(w->peer, sizeof(w->peer), "%s", peer);
	pthread_mutex_lock(&l->lock);
	if (!l->ending && l->waiters < LOGINS_WAITERS)
		j = join(l, what);
	if (j != NULL) {
		w->next = j->waiters;
		j->waiters = w;
		l->waiters++;
	}
	pthread_mutex_unlock(&l->lock);
	if (j == NULL)
		free(w);
	return j != NULL;
}
