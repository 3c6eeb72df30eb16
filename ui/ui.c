#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ui/app.h"
#include "ui/files.h"
#include "ui/findings.h"
#include "ui/frame.h"
#include "ui/history.h"
#include "ui/job.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/pending.h"
#include "ui/registry.h"
#include "ui/resume.h"
#include "ui/reveal.h"
#include "ui/rotating.h"
#include "ui/term.h"
#include "ui/watch.h"

#define REVEAL_MS 10000
#define COPY_MS 45000
#define LOCK_MS 300000
#define LOCK_WAIT_MS 30000	/* then a file is left, and others go on */

static int
complain(const struct error *err, int status)
{
	fprintf(stderr, "propseal: %s\n", err->text);
	if (err->hint[0] != '\0')
		fprintf(stderr, "  hint: %s\n", err->hint);
	return status;
}

/* So that nobody else need know what they are. */
static struct ui_options
with_defaults(const struct ui_options *given)
{
	static const char *const here[] = { "." };
	struct ui_options o = *given;

	if (o.path_count == 0) {
		o.paths = here;
		o.path_count = 1;
	}
	if (o.reveal_ms <= 0)
		o.reveal_ms = REVEAL_MS;
	if (o.copy_ms <= 0)
		o.copy_ms = COPY_MS;
	if (o.lock_ms <= 0)
		o.lock_ms = LOCK_MS;
	/* Nobody waits before a screen for ever. */
	if (o.lock_timeout_ms < 0 || o.lock_timeout_ms > LOCK_WAIT_MS)
		o.lock_timeout_ms = LOCK_WAIT_MS;
	return o;
}

int
ui_run(const struct ui_options *o)
{
	static unsigned long handled;	/* by all runs */
	struct ui_options options = with_defaults(o);
	struct files files;
	struct findings findings;
	struct history history;
	struct pending pending;
	struct rotating rotating;
	struct app a;
	struct error err;

	setlocale(LC_ALL, "");
	memset(&a, 0, sizeof(a));
	a.options = &options;
	a.handled = a.handled_before = handled;
	a.first_run = o->path_count == 0 && o->secrets_file == NULL;
	a.files = &files;
	a.findings = &findings;
	a.history = &history;
	a.pending = &pending;
	a.rotating = &rotating;
	keymap_bind(o->bindings);
	canvas_read_aloud(o->read_aloud);
	theme_choose(o->theme_auto ? ground_theme_of(getenv("COLORFGBG")) : o->theme, o->looks);
	if (term_open(&err) == -1)
		return complain(&err, 2);
	a.model = model_new(&options, &err);
	a.reveal = reveal_new();
	a.registry = registry_new(o->registry);
	a.jobs = jobs_new();
	a.watch = watch_new(true, &err);
	if (a.jobs == NULL || a.watch == NULL ||
	    a.model == NULL || a.reveal == NULL || a.registry == NULL) {
		term_close();
		watch_free(a.watch);
		jobs_free(a.jobs);
		model_free(a.model);
		registry_free(a.registry);
		reveal_free(a.reveal);
		error_memory(&err);
		return complain(&err, 1);
	}
	a.idle_since = clock_ms();
	files_init(&files, a.model);
	findings_open(&findings);
	history_open(&history);
	pending_init(&pending, a.model);
	view_rotation_open(&rotating);
	frame_init(&a.base);
	if (o->registry != NULL)
		term_watch(EVENT_ANSWER, o->registry->fd);
	term_watch(EVENT_JOB, jobs_fd(a.jobs));
	term_watch(EVENT_FILES, watch_fd(a.watch));
	rotating_begin(&a);
	a.resume = resume_new(&a);
	(void)loop_run(&a, &a.base);
	watch_free(a.watch);
	jobs_free(a.jobs);
	scan_end(&a);
	reveal_hide(a.reveal);
	clipboard_end(&a.clipboard);
	ground_end(&a.ground);
	term_close();
	resume_end(&a);
	registry_lock(a.registry);
	rotating_lock(&rotating);
	registry_free(a.registry);
	reveal_free(a.reveal);
	pending_release(&pending);
	view_rotation_close(&rotating);
	files_release(&files);
	findings_end(&a);
	findings_close(&findings);
	history_close(&history);
	model_free(a.model);
	notices_release(&a.notices);
	handled = a.handled;
	return a.end_signal != 0 ? 128 + a.end_signal : 0;
}
