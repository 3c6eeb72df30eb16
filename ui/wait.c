#include "ui/job.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/job.h"
#include "ui/loop.h"
#include "ui/term.h"

#define QUIET_MS 100	/* what is done sooner is not shown */

struct waiting {
	struct layer layer;
	struct job job;
	const struct job_wait *what;
	job_wait_draw *draw;	/* NULL: nothing below the gauge */
	bool ended;
};

static void
waiting_draw(struct layer *layer, struct app *a)
{
	struct waiting *w = (struct waiting *)layer;
	struct rect all = canvas_page(w->what->title);
	struct job_progress p = { .total = 0 };
	struct rect text;
	char count[64];
	int y = 2, used;

	(void)a;
	if (!w->ended)
		job_progress(&w->job, &p);
	if (p.total > 0) {
		snprintf(count, sizeof(count), "%zu of %zu", p.done, p.total);
		used = canvas_right(y, 0, all.w - 1, STYLE_TEXT, count) + 2;
		canvas_gauge(y, 1, all.w - 2 - used, p.done, p.total);
		y += all.h >= 10 ? 2 : 1;
	}
	text = (struct rect){ y, 1, all.h - 1 - y, all.w - 2 };
	y = canvas_wrapped(&text, y, STYLE_TEXT, p.text[0] != '\0' ? p.text : w->what->text);
	if (w->draw != NULL && y + 1 < all.h - 2) {
		struct rect room = { y + 1, 1, all.h - 2 - (y + 1), all.w - 2 };

		w->draw(w->what->cookie, &room);
	}
	if (!w->ended && job_cancelled(&w->job) && w->draw == NULL)
		(void)canvas_wrapped(&text, y + 1, STYLE_MARK, "Stopping.");
	else if (!w->ended && job_cancelled(&w->job))
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_MARK, "Stopping.");
	else if (w->what->stops != NULL)
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_NOTE, w->what->stops);
	canvas_cursor(y, 0, true);
}

static void
waiting_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct waiting *w = (struct waiting *)layer;

	if (w->ended)
		return;
	if (k == INPUT_ESCAPE && w->what->stops != NULL)
		job_cancel(&w->job);
	else if (k == 'q')
		a->quit = act_leave(a);
	else
		a->dropped = true;
}

static void
waiting_done(struct app *a, struct job *j)
{
	struct waiting *w = j->cookie;

	(void)a;
	w->ended = w->layer.done = true;
}

static int
waiting_run(struct job *j, void *cookie, struct error *err)
{
	const struct waiting *w = cookie;

	return w->what->run(j, w->what->cookie, err);
}

/* Wait for the end without looking at anything else; for ever if ${ms} is -1. */
static void
waiting_for(struct app *a, struct waiting *w, int ms)
{
	struct pollfd pfd = { .fd = jobs_fd(a->jobs), .events = POLLIN };
	uint64_t until = clock_ms() + (uint64_t)(ms > 0 ? ms : 0), now;

	while (!w->ended) {
		now = clock_ms();
		if (ms >= 0 && now >= until)
			return;
		if (poll(&pfd, 1, ms < 0 ? -1 : (int)(until - now)) == 1)
			(void)jobs_take(a);
	}
}

int
job_await(struct app *a, const struct job_wait *what, struct error *err)
{
	return job_await_rows(a, what, NULL, err);
}

int
job_await_rows(struct app *a, const struct job_wait *what, job_wait_draw *draw, struct error *err)
{
	struct job *outer = a->job;
	struct waiting w;

	memset(&w, 0, sizeof(w));
	w.layer.draw = waiting_draw;
	w.layer.key = waiting_key;
	w.layer.covers = true;
	w.what = what;
	w.draw = draw;
	w.job.run = waiting_run;
	w.job.done = waiting_done;
	w.job.cookie = &w;
	a->job = &w.job;
	if (job_start(a, &w.job, err) == -1) {
		a->job = outer;
		return -1;
	}
	waiting_for(a, &w, QUIET_MS);
	if (!w.ended) {
		(void)loop_run(a, &w.layer);
		if (!w.ended)
			job_cancel(&w.job);
		waiting_for(a, &w, -1);
	}
	/* What was typed meanwhile was meant for the screen before it. */
	a->worked = true;
	a->job = outer;
	*err = w.job.err;
	return w.job.rc;
}
