#include "ui/loop.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "estate/estate.h"
#include "ui/app.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/model.h"
#include "ui/term.h"

#define BUDGET_MS 3	/* a key waits no longer */
#define FRAME_MS 100	/* how often a scan is shown */
#define SLOWER 10	/* so many times as long as that took, at least */
#define FIRST_MS 10	/* until its first files are */

/* One that looks for files; its estate may be gone. */
struct scan {
	struct job job;
	struct finder *finder;
	struct scan *next;
};

static void
scan_free(struct scan *s)
{
	finder_release(s->finder);
	free(s);
}

static bool
scan_goes_on(void *job)
{
	return !job_cancelled(job);
}

static int
scan_find(struct job *j, void *finder, struct error *err)
{
	(void)err;
	finder_run(finder, scan_goes_on, j);
	return 0;
}

static void
scan_done(struct app *a, struct job *j)
{
	struct scan **at = &a->scans, *s;

	while (&(*at)->job != j)
		at = &(*at)->next;
	s = *at;
	*at = s->next;
	scan_free(s);
}

/* Without a thread the files are found between two events. */
static bool
scan_gives_up(void *cookie)
{
	(void)cookie;
	return false;
}

/* Have a job look for the estate's files, unless one does, or has. */
static void
scan_start(struct app *a, struct estate *e)
{
	struct finder *f = estate_lend(e);
	struct scan *s = f != NULL ? calloc(1, sizeof(*s)) : NULL;
	struct error ignored;

	if (f == NULL)
		return;
	if (s != NULL) {
		s->job = (struct job){ .run = scan_find, .done = scan_done, .cookie = f };
		s->finder = f;
	}
	if (s == NULL || job_start(a, &s->job, &ignored) == -1) {
		finder_run(f, scan_gives_up, NULL);
		finder_release(f);
		free(s);
		return;
	}
	s->next = a->scans;
	a->scans = s;
	a->scan_at = clock_ms() + FIRST_MS;
}

void
scan_end(struct app *a)
{
	struct scan *s;

	while ((s = a->scans) != NULL) {
		a->scans = s->next;
		scan_free(s);
	}
}

/* What is looked through: what is shown, or what will take its place; NULL: nothing. */
static struct estate *
scan_estate(const struct app *a)
{
	return a->model->scanning ? a->model->estate : a->model->next;
}

uint64_t
scan_until(const struct app *a)
{
	struct estate *e = scan_estate(a);

	if (e == NULL)
		return UINT64_MAX;
	return estate_is_lent(e) ? a->scan_at : 0;
}

/* Rows are made anew for a frame, not for each piece: less often where that takes long. */
static bool
scan_show(struct app *a)
{
	uint64_t from = clock_ms();

	if (a->model->scanning && from < a->scan_at)
		return false;
	files_restore(a);
	a->scan_at = clock_ms() + FRAME_MS + SLOWER * (clock_ms() - from);
	return true;
}

bool
scan_run(struct app *a)
{
	struct estate *e = scan_estate(a);
	size_t before = estate_count(a->model->estate);
	bool looked = a->model->looked;
	struct error err;

	if (e != NULL)
		scan_start(a, e);
	if (clock_ms() < scan_until(a))
		return false;
	if (model_step(a->model, BUDGET_MS, &err) == -1) {
		model_stop(a->model);
		app_complain(a, "the scan stopped: %s", err.text);
	}
	if (!a->model->scanning && a->model->next != NULL) {
		a->scan_at = clock_ms() + FRAME_MS;
		return false;
	}
	/* With the keys that are at hand now all is told anew at once. */
	if (a->model->looked != looked)
		a->scan_at = clock_ms() + FRAME_MS;
	/* All that was found so far is shown; so is that a file of the rows is gone, which was
	 * named twice. */
	if (estate_count(a->model->estate) < before)
		a->scan_at = 0;
	return scan_show(a);
}
