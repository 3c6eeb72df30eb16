#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/registry.h"
#include "ui/resume.h"
#include "ui/reveal.h"
#include "ui/term.h"
#include "ui/watch.h"

#define WATCH_CHANGED_MAX 100	/* more at once: all are looked for again */

static void
draw_too_small(void)
{
	int rows, cols;

	canvas_size(&rows, &cols);
	canvas_text(0, 0, cols, STYLE_TEXT, "too small");
	canvas_text(1, 0, cols, STYLE_TEXT, "need 20x5");
}

static void
draw_views(struct app *a, struct layer *layer)
{
	if (layer == NULL)
		return;
	if (!layer->covers)
		draw_views(a, layer->below);
	layer->draw(layer, a);
}

static void
loop_draw(struct app *a)
{
	const struct lessons *lessons = a->options->lessons;
	int rows, cols;

	canvas_size(&rows, &cols);
	layout_make(&a->layout, rows, cols, canvas_is_read_aloud() ? INT_MAX :
	    views[a->view]->two_panes_from, views[a->view]->third_pane && lessons == NULL,
	    lessons != NULL ? LESSON_ROWS : 0);
	canvas_begin();
	if (a->layout.usable)
		draw_views(a, a->top);
	else
		draw_too_small();
	canvas_end();
	if (a->layout.usable)
		reveal_paint(a->reveal);
}

/* Work goes on while no dialog is open, so that nothing moves under it. */
static bool
may_work(const struct app *a)
{
	return a->top->below == NULL && !a->locking;
}

/* Not while they are read anyway. */
static bool
may_watch(const struct app *a)
{
	return may_work(a) && !a->model->scanning && a->model->next == NULL;
}

static bool
is_due(const struct app *a)
{
	const struct view_ops *v = views[a->view];

	return may_work(a) && v->is_due != NULL && v->is_due(a);
}

/* Does a view hold a key of its own? */
static bool
loop_view_holds(const struct app *a)
{
	for (int i = 0; i < VIEW_COUNT; i++)
		if (views[i]->holds != NULL && views[i]->holds(a))
			return true;
	return false;
}

/* Something to protect: a key, or what stands in a dialog. */
static bool
may_lock(const struct app *a)
{
	return !a->locked && a->job == NULL && (model_keys(a->model) > 0 ||
	    loop_view_holds(a) ||
	    reveal_shown(a->reveal) || a->registry->in_use || a->top->below != NULL);
}

static uint64_t
lock_at(const struct app *a)
{
	return a->idle_since + (uint64_t)a->options->lock_ms;
}

/* Milliseconds to the next thing that happens by itself, -1 for none. */
static int
next_timer(const struct app *a)
{
	uint64_t now = clock_ms();
	uint64_t next = UINT64_MAX;
	uint64_t reveal = reveal_until(a->reveal);
	uint64_t copy = clipboard_until(&a->clipboard);

	if (is_due(a))
		return 0;
	if (may_lock(a))
		next = lock_at(a);
	if (may_work(a) && scan_until(a) < next)
		next = scan_until(a);
	/* The seconds that are left are shown. */
	if (reveal != 0) {
		if (reveal > now && !canvas_is_read_aloud())
			reveal = now + (reveal - now - 1) % 1000 + 1;
		if (reveal < next)
			next = reveal;
	}
	if (copy != 0 && copy < next)
		next = copy;
	if (resume_until(a) < next)
		next = resume_until(a);
	if (may_watch(a) && watch_until(a->watch) != 0 && watch_until(a->watch) < next)
		next = watch_until(a->watch);
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : next - now > 3600000 ? 3600000 : (int)(next - now);
}

static bool
tell_cleared(struct app *a)
{
	if (a->notice[0] == '\0')
		app_hint(a, "the clipboard is cleared");
	return true;
}

/* What is due by the clock.  True: draw. */
static bool
run_timers(struct app *a)
{
	uint64_t now = clock_ms();
	uint64_t until = reveal_until(a->reveal);
	bool draw = false;

	if (until != 0 && now >= until) {
		draw = reveal_hide(a->reveal);
		/* There is no gauge to be heard. */
		if (canvas_is_read_aloud())
			app_tell(a, "masked: its time is over");
	} else {
		draw = until != 0 && !canvas_is_read_aloud();
	}
	if (clipboard_tick(&a->clipboard, now))
		draw |= tell_cleared(a);
	if (may_lock(a) && now >= lock_at(a)) {
		a->locking = a->idled = true;
		a->given_up = a->given_up || a->top->below != NULL;
		draw = true;
	}
	return draw;
}

/* Follow what other programs have done to the files.  True: draw. */
static bool
run_watch(struct app *a)
{
	struct error err;
	struct vec changed;	/* of char * */
	bool draw = false;
	int rc = 0;

	if (!may_watch(a))
		return false;
	if (a->watched != a->model->changes + 1)
		watch_follow(a->watch, a->model->estate, a->options->scope);
	a->watched = a->model->changes + 1;
	vec_init(&changed, sizeof(char *), WATCH_CHANGED_MAX);
	if (watch_tick(a->watch, clock_ms(), &changed) || changed.len > WATCH_CHANGED_MAX / 2) {
		rc = model_look_again(a->model, &err);
	} else if (changed.len > 0) {
		/* Rows are made anew at once, too: a key may come before the next piece of the
		 * scan, and is about what is there. */
		files_hold(a);
		rc = model_refresh(a->model, changed.items, changed.len, &err);
		files_restore(a);
		draw = true;
	}
	vec_release_strings(&changed);
	if (rc == -1)
		app_complain(a, "the files could not be read again: %s", err.text);
	return draw || rc == -1;
}

/* A piece of what the view that is shown does by itself.  True: draw. */
static bool
run_view(struct app *a)
{
	const struct view_ops *v = views[a->view];

	return may_work(a) && v->tick != NULL && v->tick(a);
}

static void
handle_key(struct app *a, uint32_t key)
{
	a->idle_since = clock_ms();
	app_pass_notice(a, key == INPUT_ESCAPE && a->top == &a->base);
	if (a->layout.usable && !act_beside(a, key))
		a->top->key(a->top, a, key);
	/* Too small for any question: where there is none. */
	else if (!a->layout.usable && a->top == &a->base && keymap_find(key) == ACTION_QUIT &&
	    marks_count(a->model->marks) == 0)
		a->quit = true;
}

/* What was pasted is text and never a key, wherever it comes. */
static void
handle_paste(struct app *a, const struct buf *text)
{
	a->idle_since = clock_ms();
	app_pass_notice(a, false);
	if (a->layout.usable && a->top->paste != NULL)
		a->top->paste(a->top, a, text);
	else
		app_refuse(a, "the pasted text was dropped: no field is open");
}

static void
handle_mouse(struct app *a, const struct event *e)
{
	a->idle_since = clock_ms();
	app_pass_notice(a, false);
	if (a->layout.usable && a->mouse && a->top->mouse != NULL)
		a->top->mouse(a->top, a, e);
}

/* ^C leaves as `q` does: it asks first when something would be lost. */
static void
handle_interrupt(struct app *a)
{
	bool nothing_open = a->locked || a->top->below == NULL;

	if (a->interrupted || (nothing_open && marks_count(a->model->marks) == 0)) {
		a->end_signal = SIGINT;
		return;
	}
	a->interrupted = true;
	reveal_hide(a->reveal);
	if (act_leave(a))
		a->end_signal = SIGINT;
	a->interrupted = false;
}

/* What was typed during a job was meant for the screen before it. */
static void
drop_typed(struct app *a)
{
	if (term_drop_input() || a->dropped)
		app_add_notice(a, "what was typed meanwhile was dropped");
	a->worked = a->dropped = false;
}

/* The terminal tells its ground: the theme is for that, but not once the user has begun. */
static bool
loop_follow_ground(struct app *a, const struct buf *text)
{
	enum theme theme;

	if (!ground_answer(&a->ground, text, &theme) || a->handled > a->handled_before)
		return false;
	theme_change(theme);
	return true;
}

/* True: draw. */
static bool
handle(struct app *a, const struct event *e)
{
	switch (e->kind) {
	case EVENT_PASTE:
		a->handled++;
		handle_paste(a, e->pasted);
		return true;
	case EVENT_KEY:
		a->handled++;
		handle_key(a, e->key);
		return true;
	case EVENT_MOUSE:
		a->handled++;
		handle_mouse(a, e);
		return true;
	case EVENT_CLIPBOARD:
		return clipboard_answer(&a->clipboard, e->pasted) && tell_cleared(a);
	case EVENT_GROUND:
		return loop_follow_ground(a, e->pasted);
	case EVENT_RESIZE:
		a->handled++;
		reveal_hide(a->reveal);
		term_redraw();
		return true;
	case EVENT_RESUME:
		reveal_hide(a->reveal);
		term_redraw();
		return true;
	case EVENT_FOCUS_OUT:
		a->handled++;
		reveal_hide(a->reveal);
		return true;
	case EVENT_STOP:
		reveal_hide(a->reveal);
		loop_draw(a);
		term_stop();
		return true;
	case EVENT_FILES:
		watch_read(a->watch);
		return false;
	case EVENT_JOB:
		return jobs_take(a);
	case EVENT_ANSWER:
		return registry_take(a);
	case EVENT_SIGNAL:
		if (e->signal == SIGINT)
			handle_interrupt(a);
		else
			a->end_signal = e->signal;
		return true;
	case EVENT_HANGUP:
		a->end_signal = SIGHUP;
		return false;
	default:
		return false;
	}
}

static bool
must_leave(const struct app *a, const struct layer *layer)
{
	return a->quit || a->end_signal != 0 || (a->locking && layer->below != NULL);
}

/* Wipe the keys and show the lock screen. */
static void
lock(struct app *a)
{
	a->locking = false;
	reveal_hide(a->reveal);
	jobs_lock(a);
	clipboard_end(&a->clipboard);
	model_lock(a->model);
	registry_lock(a->registry);
	for (int i = 0; i < VIEW_COUNT; i++)
		if (views[i]->wipe != NULL)
			views[i]->wipe(a);
	lock_screen_run(a);
	if (a->locking)
		return;
	if (a->given_up)
		app_notice(a, "what was open was given up, and what was typed there is wiped");
	a->given_up = false;
}

bool
loop_run(struct app *a, struct layer *layer)
{
	struct event e;
	bool draw = true;

	layer->below = a->top;
	layer->done = false;
	a->top = layer;
	while (!layer->done && !must_leave(a, layer)) {
		if (a->worked)
			drop_typed(a);
		if (draw)
			loop_draw(a);
		if (a->options->theme_auto)
			ground_ask(&a->ground);
		term_sync(a->handled, next_timer(a) != 0 && !jobs_run(a->jobs));
		term_wait(&e, next_timer(a), layer->secret);
		draw = handle(a, &e);
		term_forget(&e);
		if (run_timers(a))
			draw = true;
		if (may_work(a) && scan_run(a))
			draw = true;
		if (run_watch(a))
			draw = true;
		if (resume_run(a, may_work(a)))
			draw = true;
		if (run_view(a))
			draw = true;
		/* Again, where the time is up with something typed on the lock screen. */
		while (a->locking && layer->below == NULL) {
			lock(a);
			draw = true;
		}
	}
	a->top = layer->below;
	return layer->done;
}
