#ifndef UI_WAIT_H
#define UI_WAIT_H

struct app;
struct error;
struct job;
struct rect;

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

#endif /* !UI_WAIT_H */
