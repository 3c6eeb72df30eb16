#ifndef UI_JOB_H
#define UI_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct app;
struct error;
struct job;
struct jobs;
struct rect;

/*
 * Long work beside the screen, each in a thread of its own.  The thread touches
 * only what is the job's, or what nobody else touches meanwhile; everything
 * else is done on the screen's thread, by the functions that are called there.
 */
struct job {
	/* In the job's thread.  0 or -1 with ${err}, which is the job's. */
	int (*run)(struct job *j, void *cookie, struct error *err);

	/* On the screen's thread: after job_tell (NULL: nothing to do), and once when it has
	 * ended, stopped or not: it may start others, and free the job. */
	void (*news)(struct app *a, struct job *j);
	void (*done)(struct app *a, struct job *j);

	void *cookie;
	bool has_keys;		/* in memory until its done */
	int rc;			/* of run; for done */
	struct error err;
	struct job_state *state;	/* the runner's */
};

#define JOB_TEXT_MAX 512

/* How far it is, as told last. */
struct job_progress {
	size_t done, total;	/* total 0: not known */
	char text[JOB_TEXT_MAX];	/* what it does; no secret */
};

/* What runs jobs.  NULL: no memory, or no descriptor. */
struct jobs *jobs_new(void);

/* Stop all that run, wait for them, and free it; their done is not called. */
void jobs_free(struct jobs *s);

/* Can be read when there is something for jobs_take. */
int jobs_fd(const struct jobs *s);

/* Call what is due of news and done.  True: draw. */
bool jobs_take(struct app *a);

/* Start it; the job (not owned) stays where it is until its done.  ERROR_MEMORY. */
int job_start(struct app *a, struct job *j, struct error *err);

/* Ask it to stop; done is called when it has. */
void job_cancel(struct job *j);

/* Keys are wiped: have those that hold some stop, wait until they have, and call done. */
void jobs_lock(struct app *a);

/* Does any job run? */
bool jobs_run(const struct jobs *s);

/* In the job's thread: has it been asked to stop? */
bool job_cancelled(const struct job *j);

/* In the job's thread: tell how far it is. */
void job_tell(struct job *j, size_t done, size_t total, const char *text);

void job_progress(const struct job *j, struct job_progress *out);

/* A job that the user waits for. */
struct job_wait {
	const char *title;
	const char *text;	/* what it does */
	const char *stops;	/* what Esc does; NULL: it cannot be stopped */
	int (*run)(struct job *j, void *cookie, struct error *err);
	void *cookie;
};

/**
 * job_await(a, w, err):
 * Run it with a gauge on the screen if it takes long.  Nothing else is drawn or
 * touched meanwhile, and keys other than Esc and those that leave are dropped;
 * leaving asks, and then waits until it has stopped.  Returns what run does.
 */
int job_await(struct app *a, const struct job_wait *w, struct error *err);

/* The same, with what ${draw} draws of it below the gauge, on the screen's thread. */
typedef void job_wait_draw(const void *cookie, const struct rect *room);
int job_await_rows(struct app *a, const struct job_wait *w, job_wait_draw *draw, struct error *err);

#endif /* !UI_JOB_H */
