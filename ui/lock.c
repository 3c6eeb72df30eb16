#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/field.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/term.h"

/* Why it came, what is kept, and a field for the key. */
struct lock_screen {
	struct layer layer;
	bool idle;
	bool asks;			/* there is something that a key opens */
	struct secret_field field;
	char complaint[160];		/* why Enter did not do it */
};

/* The lines above the field. */
static int
lock_draw_why(const struct lock_screen *s, const struct app *a, int y, int x, int w)
{
	const int seconds = a->options->lock_ms / 1000;
	const int few = seconds < 120 ? seconds : seconds / 60;
	const char *unit = seconds < 120 ? "second" : "minute";
	const size_t marks = marks_count(a->model->marks);
	const bool wide = w >= 40;
	char line[96];

	if (!s->idle)
		snprintf(line, sizeof(line), "Locked.");
	else if (wide)
		snprintf(line, sizeof(line), "Locked after %d %s%s idle.", few, unit,
		    few == 1 ? "" : "s");
	else
		snprintf(line, sizeof(line), "Locked, idle %d %.3s", few, unit);
	canvas_text(y++, x, w, STYLE_HEAD, line);
	if (marks == 0)
		snprintf(line, sizeof(line), "No key is kept.");
	else
		snprintf(line, sizeof(line), wide ? "%zu %s kept, no key is." : "%zu %s kept",
		    marks, marks == 1 ? "mark is" : "marks are");
	canvas_text(y++, x, w, STYLE_TEXT, line);
	return y;
}

static void
lock_draw(struct layer *layer, struct app *a)
{
	const struct lock_screen *s = (const struct lock_screen *)layer;
	const bool typed = s->field.text.len > 0;
	struct rect all = { 0, 0, 0, 0 };
	const char *keys;
	int x = 1, y = 0, gap, used;
	bool wide;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	gap = all.h >= 10 ? 1 : 0;
	wide = all.w >= 40;
	y += 2 * gap;
	x += wide ? 2 : 0;
	y = lock_draw_why(s, a, y, x, all.w - x) + gap;
	if (s->asks) {
		used = canvas_text(y, x, all.w - x, STYLE_TEXT, wide ? "key or passphrase" : "key");
		used += wide ? 2 : 1;
		secret_field_draw(a, &s->field, y++, x + used, all.w - x - used - 1, true);
		canvas_text(y++, x, all.w - x, STYLE_ERROR, s->complaint);
	} else {
		canvas_cursor(y, x, true);
	}
	keys = typed ? "Enter unlock" : s->asks && wide ? "Enter goes on locked" :
	    "Enter goes on";
	used = canvas_text(y, x, all.w - x, STYLE_NOTE, keys);
	if (wide)
		canvas_text(y, x + used, all.w - x - used, STYLE_NOTE, "   ^C quit   F1 help");
}

/* Try it on all that is locked; what was typed is wiped either way. */
static void
lock_try(struct lock_screen *s, struct app *a)
{
	const size_t locked = model_secrets_files(a->model) - model_keys(a->model);
	struct error err;

	s->layer.done = unlock_typed(a, &s->field.text, &err) == 0;
	buf_clear(&s->field.text);
	if (s->layer.done)
		return;
	if (err.code == ERROR_KEY && locked > 1)
		snprintf(s->complaint, sizeof(s->complaint), "does not open any of %zu", locked);
	else
		snprintf(s->complaint, sizeof(s->complaint), "%.159s", err.code == ERROR_KEY ?
		    "that does not open it" : err.text);
}

static void
lock_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct lock_screen *s = (struct lock_screen *)layer;
	const bool enter = k == INPUT_ENTER || k == INPUT_LINE_FEED;

	s->complaint[0] = '\0';
	if (enter && s->field.text.len > 0)
		lock_try(s, a);
	else if (enter)
		layer->done = true;
	else if (s->asks)
		(void)secret_field_key(a, &s->field, k);
	/* The time runs for what is typed here as for any other secret. */
	a->locked = s->field.text.len == 0;
}

static void
lock_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct lock_screen *s = (struct lock_screen *)layer;

	s->complaint[0] = '\0';
	if (s->asks)
		secret_field_paste(a, &s->field, text, s->complaint, sizeof(s->complaint));
	a->locked = s->field.text.len == 0;
}

static void
lock_about(const struct layer *layer, struct about *out)
{
	const struct lock_screen *s = (const struct lock_screen *)layer;

	out->title = "the lock screen";
	out->types = true;
	if (s->asks) {
		about_key(out, INPUT_CTRL('u'), "clear what is typed");
		about_key(out, INPUT_CTRL('w'), "clear the word before the cursor");
	}
	about_key(out, INPUT_ENTER, s->field.text.len > 0 ? "try it on all that is locked" :
	    "go on without a key");
}

void
lock_screen_run(struct app *a)
{
	struct lock_screen s = { .layer = { .draw = lock_draw, .key = lock_key,
	    .paste = lock_paste, .about = lock_about, .secret = true, .covers = true },
	    .idle = a->idled, .asks = act_needs_locked(a) == NULL };

	secret_field_init(&s.field);
	a->idled = false;
	a->locked = true;
	loop_run(a, &s.layer);
	a->locked = false;
	secret_field_release(&s.field);
}
