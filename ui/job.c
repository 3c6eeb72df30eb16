#include <sys/eventfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "ui/app.h"
#include "ui/job.h"

#define JOBS_MAX 64
#define STACK_BYTES ((size_t)8 << 20)

struct jobs {
	int fd;
	struct vec running;	/* of struct job *; the screen's thread alone */
};

/* What the two threads share of a job. */
struct job_state {
	struct jobs *jobs;
	pthread_t thread;
	atomic_bool cancelled;
	pthread_mutex_t lock;	/* of the rest */
	struct job_progress progress;
	bool told;
	bool ended;
};

struct jobs *
jobs_new(void)
{
	struct jobs *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	vec_init(&s->running, sizeof(struct job *), JOBS_MAX);
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->fd == -1) {
		free(s);
		return NULL;
	}
	return s;
}

static struct job *
jobs_at(const struct jobs *s, size_t i)
{
	return *(struct job **)vec_at(&s->running, i);
}

/* It has ended, or is about to: wait for it, and take it off the list. */
static void
jobs_join(struct jobs *s, size_t i)
{
	struct job *j = jobs_at(s, i);
	struct job **slots = s->running.items;

	(void)pthread_join(j->state->thread, NULL);
	(void)pthread_mutex_destroy(&j->state->lock);
	free(j->state);
	j->state = NULL;
	memmove(slots + i, slots + i + 1, (s->running.len - i - 1) * sizeof(struct job *));
	s->running.len--;
}

void
jobs_free(struct jobs *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->running.len; i++)
		job_cancel(jobs_at(s, i));
	while (s->running.len > 0)
		jobs_join(s, s->running.len - 1);
	vec_release(&s->running);
	close(s->fd);
	free(s);
}

int
jobs_fd(const struct jobs *s)
{
	return s->fd;
}

static void
jobs_wake(const struct jobs *s)
{
	const uint64_t one = 1;

	/* It only fails when there is something to be read anyway. */
	(void)!write(s->fd, &one, sizeof(one));
}

/* What is new of a job since this was asked last. */
static void
job_look(struct job *j, bool *told, bool *ended)
{
	(void)pthread_mutex_lock(&j->state->lock);
	*told = j->state->told;
	*ended = j->state->ended;
	j->state->told = false;
	(void)pthread_mutex_unlock(&j->state->lock);
}

bool
jobs_take(struct app *a)
{
	struct jobs *s = a->jobs;
	bool told, ended, any = false;
	uint64_t count;
	struct job *j;
	size_t i = 0;

	(void)!read(s->fd, &count, sizeof(count));
	while (i < s->running.len) {
		j = jobs_at(s, i);
		job_look(j, &told, &ended);
		any = any || told || ended;
		if (!ended) {
			if (told && j->news != NULL)
				j->news(a, j);
			i++;
			continue;
		}
		jobs_join(s, i);
		j->done(a, j);
		/* It may have started another one. */
		i = 0;
	}
	return any;
}

static void *
job_thread(void *job)
{
	struct job *j = job;
	struct jobs *s = j->state->jobs;

	j->rc = j->run(j, j->cookie, &j->err);
	(void)pthread_mutex_lock(&j->state->lock);
	j->state->ended = true;
	(void)pthread_mutex_unlock(&j->state->lock);
	jobs_wake(s);
	return NULL;
}

/* Signals are for the screen's thread; those of a crash cannot be blocked. */
static int
job_create(struct job *j)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return -1;
	sigfillset(&all);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&j->state->thread, &attr, job_thread, j);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc == 0 ? 0 : -1;
}

int
job_start(struct app *a, struct job *j, struct error *err)
{
	struct job **slot = vec_push(&a->jobs->running);

	j->rc = -1;
	memset(&j->err, 0, sizeof(j->err));
	j->state = slot != NULL ? calloc(1, sizeof(*j->state)) : NULL;
	if (j->state == NULL) {
		a->jobs->running.len -= slot != NULL;
		return error_memory(err);
	}
	*slot = j;
	j->state->jobs = a->jobs;
	(void)pthread_mutex_init(&j->state->lock, NULL);
	if (job_create(j) == 0)
		return 0;
	a->jobs->running.len--;
	(void)pthread_mutex_destroy(&j->state->lock);
	free(j->state);
	j->state = NULL;
	return error_memory(err);
}

void
job_cancel(struct job *j)
{
	atomic_store(&j->state->cancelled, true);
}

void
jobs_lock(struct app *a)
{
	struct jobs *s = a->jobs;
	struct job *j;

	for (size_t i = s->running.len; i-- > 0;) {
		if (!(j = jobs_at(s, i))->has_keys)
			continue;
		job_cancel(j);
		jobs_join(s, i);
		j->done(a, j);
	}
}

bool
jobs_run(const struct jobs *s)
{
	return s->running.len > 0;
}

bool
job_cancelled(const struct job *j)
{
	return atomic_load(&j->state->cancelled);
}

void
job_tell(struct job *j, size_t done, size_t total, const char *text)
{
	struct job_state *s = j->state;

	(void)pthread_mutex_lock(&s->lock);
	s->progress.done = done;
	s->progress.total = total;
	snprintf(s->progress.text, sizeof(s->progress.text), "%s", text);
	s->told = true;
	(void)pthread_mutex_unlock(&s->lock);
	jobs_wake(s->jobs);
}

void
job_progress(const struct job *j, struct job_progress *out)
{
	(void)pthread_mutex_lock(&j->state->lock);
	*out = j->state->progress;
	(void)pthread_mutex_unlock(&j->state->lock);
}
