#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/interface.h"
#include "cli/remote.h"

/* An answer that waits to be taken. */
struct ready {
	struct ready *next;
	struct registry_answer *answer;
};

struct worker {
	const struct place *place;
	int fd;
	struct buf header;		/* secret */

	/* Only the thread uses these. */
	struct remote remote;
	bool open;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;		/* by the monotonic clock */
	struct job *jobs;		/* queued */
	struct ready *answers;
	unsigned long busy;		/* the job under way, 0: none is */
	bool delaying;			/* it only waits for its time */
	bool dropped;			/* nobody wants it */
	bool end;
	bool left;			/* nobody joins the thread: it frees all */
};

static atomic_int left;

static void
free_all(struct worker *w)
{
	struct ready *a;
	struct job *j;

	while ((j = w->jobs) != NULL) {
		w->jobs = j->next;
		job_free(j);
	}
	while ((a = w->answers) != NULL) {
		w->answers = a->next;
		registry_answer_free(a->answer);
		free(a);
	}
	buf_release(&w->header);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The Authorization header: the one that was given, else that of the files. */
static int
worker_read_header(const struct worker *w, struct buf *out, struct error *err)
{
	const struct login *l = &w->place->login;

	if (w->header.len > 0)
		buf_append(out, w->header.data, w->header.len);
	else if (l->token_file != NULL)
		return login_by_token(l->token_file, out, err);
	else if (l->user != NULL && l->password_file != NULL)
		return login_by_password_file(l->user, l->password_file, out, err);
	return buf_check(out, err);
}

static int
open_remote(struct worker *w, struct error *err)
{
	struct buf header;
	int rc;

	if (w->open)
		return 0;
	buf_init_secret(&header, LOGIN_HEADER_MAX);
	rc = worker_read_header(w, &header, err);
	if (rc == 0 && (rc = remote_open_at(&w->remote, &w->place->client, &header, err)) != 0)
		remote_close(&w->remote);
	buf_release(&header);
	w->open = rc == 0;
	return rc;
}

static void
close_remote(struct worker *w)
{
	if (w->open)
		remote_close(&w->remote);
	w->open = false;
}

static void
worker_run(struct worker *w, const struct job *j, struct registry_answer *out)
{
	if (open_remote(w, &out->err) != 0) {
		out->rc = -1;
		return;
	}
	job_run(j, &w->remote, out);
	/* What a connection has kept of a value goes with it. */
	if (job_is_secret(j) || out->status == 0)
		close_remote(w);
}

/* Under the lock: wait for the job's time, or until there is something else to do. */
static void
delay(struct worker *w, const struct job *j)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(j->delay_ms % 1000) * 1000000L;
	until.tv_sec += (time_t)(j->delay_ms / 1000) + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	w->delaying = true;
	while (!w->end && !w->dropped && w->jobs == NULL &&
	    pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
	w->delaying = false;
}

/* Under the lock: let the interface have the answer. */
static void
post(struct worker *w, struct registry_answer *answer)
{
	struct ready *a = malloc(sizeof(*a));
	struct ready **end = &w->answers;
	uint64_t one = 1;

	if (a == NULL || answer == NULL) {
		free(a);
		registry_answer_free(answer);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*a = (struct ready){ .next = NULL, .answer = answer };
	*end = a;
	if (write(w->fd, &one, sizeof(one)) < 0) {
		/* Only when the counter is full: then it is readable anyway. */
	}
}

/* Under the lock: one job from the queue. */
static void
worker_work(struct worker *w)
{
	struct job *j = w->jobs;
	struct registry_answer *answer;

	w->jobs = j->next;
	w->busy = j->id;
	w->dropped = false;
	if (j->delay_ms > 0)
		delay(w, j);
	if (!w->end && !w->dropped) {
		pthread_mutex_unlock(&w->lock);
		answer = registry_answer_new(j->id, j->kind);
		if (answer != NULL)
			worker_run(w, j, answer);
		pthread_mutex_lock(&w->lock);
		if (w->end || w->dropped)
			registry_answer_free(answer);
		else
			post(w, answer);
	}
	w->busy = 0;
	job_free(j);
}

static void *
worker_thread_main(void *cookie)
{
	struct worker *w = cookie;
	bool alone;

	pthread_mutex_lock(&w->lock);
	while (!w->end) {
		if (w->jobs != NULL)
			worker_work(w);
		else
			pthread_cond_wait(&w->wake, &w->lock);
	}
	alone = w->left;
	pthread_mutex_unlock(&w->lock);
	close_remote(w);
	if (alone) {
		free_all(w);
		atomic_fetch_sub(&left, 1);
	}
	return NULL;
}

/* Signals are for the interface's thread. */
static int
worker_start(struct worker *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, worker_thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : -1;
}

struct worker *
worker_new(const struct place *p, const struct buf *header, int fd, struct error *err)
{
	struct worker *w = error_alloc(sizeof(*w), err);
	pthread_condattr_t clock;

	if (w == NULL)
		return NULL;
	w->place = p;
	w->fd = fd;
	buf_init_secret(&w->header, LOGIN_HEADER_MAX);
	buf_append(&w->header, header->data, header->len);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &clock);
	pthread_condattr_destroy(&clock);
	if (buf_check(&w->header, err) == 0) {
		if (worker_start(w) == 0)
			return w;
		error_set(err, ERROR_MEMORY, "no thread can be started");
	}
	free_all(w);
	return NULL;
}

void
worker_end(struct worker *w)
{
	pthread_t thread;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	thread = w->thread;
	w->end = true;
	w->left = w->busy != 0 && !w->delaying;
	if (w->left) {
		atomic_fetch_add(&left, 1);
		pthread_detach(thread);
		pthread_mutex_unlock(&w->lock);
		return;
	}
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(thread, NULL);
	free_all(w);
}

int
worker_left(void)
{
	return atomic_load(&left);
}

int
worker_add(struct worker *w, unsigned long id, const struct registry_request *r, struct error *err)
{
	struct job *j = job_new(id, r, err);
	struct job **end;

	if (j == NULL)
		return -1;
	pthread_mutex_lock(&w->lock);
	for (end = &w->jobs; *end != NULL; end = &(*end)->next)
		;
	*end = j;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

struct registry_answer *
worker_take(struct worker *w)
{
	struct registry_answer *answer = NULL;
	struct ready *a;
	uint64_t count;

	pthread_mutex_lock(&w->lock);
	a = w->answers;
	if (a != NULL) {
		w->answers = a->next;
		answer = a->answer;
		free(a);
	} else if (read(w->fd, &count, sizeof(count)) < 0) {
		/* It was empty already. */
	}
	pthread_mutex_unlock(&w->lock);
	return answer;
}

/* Under the lock: drop what waits to be done or taken. */
static bool
drop_waiting(struct worker *w, unsigned long id)
{
	struct ready **a, *answer;
	struct job **j, *job;

	for (j = &w->jobs; (job = *j) != NULL; j = &job->next) {
		if (job->id == id) {
			*j = job->next;
			job_free(job);
			return true;
		}
	}
	for (a = &w->answers; (answer = *a) != NULL; a = &answer->next) {
		if (answer->answer->id == id) {
			*a = answer->next;
			registry_answer_free(answer->answer);
			free(answer);
			return true;
		}
	}
	return false;
}

bool
worker_drop(struct worker *w, unsigned long id)
{
	bool gone;

	pthread_mutex_lock(&w->lock);
	gone = drop_waiting(w, id) || w->busy != id;
	if (!gone && w->delaying) {
		w->dropped = true;
		pthread_cond_signal(&w->wake);
		gone = true;
	}
	pthread_mutex_unlock(&w->lock);
	return gone;
}
