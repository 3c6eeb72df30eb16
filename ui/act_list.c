#include <stdio.h>
#include <string.h>

#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/field.h"
#include "ui/loop.h"
#include "ui/term.h"
#include "ui/view.h"

/* What a list shows, and in which order: in the left list of any view that has words and
 * orders. */

static struct outline *
listed(struct app *a)
{
	return &views[a->view]->panes(a)->left;
}

/* It shows something else now: the cursor stays on what it is on, and a range, which is of
 * lines, ends. */
static void
list_anew(struct app *a, struct outline *o)
{
	outline_hold(o);
	o->ranging = false;
	view_build(a, o);
}

/* --- filter words --- */

struct words_line {
	struct layer layer;
	struct line_edit line;
	char complaint[80];
};

static void
words_line_draw(struct layer *layer, struct app *a)
{
	struct words_line *l = (struct words_line *)layer;
	const struct rect *r = &a->layout.footer;
	int w = r->w - 9;

	canvas_fill(r->y, 0, r->w, STYLE_TEXT);
	canvas_text(r->y, 1, r->w, STYLE_KEY, "filter");
	if (l->complaint[0] != '\0' && r->w >= 50)
		w -= 2 + canvas_right(r->y, 9, r->w - 10, STYLE_ERROR, l->complaint);
	else if (l->line.len == 0 && r->w >= 60)
		w -= 2 + canvas_right(r->y, 9, r->w - 10, STYLE_NOTE,
		    "! D  -password  env:prod  file:server");
	line_edit_draw(&l->line, r->y, 8, w);
}

static void
words_line_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct words_line *l = (struct words_line *)layer;
	struct outline *o = listed(a);

	l->complaint[0] = '\0';
	if (k == INPUT_ESCAPE) {
		layer->done = true;
	} else if (k != INPUT_ENTER) {
		(void)line_edit_key(&l->line, k);
	} else if (filter_set(&o->words, l->line.text, o->ops->states)) {
		layer->done = true;
	} else {
		snprintf(l->complaint, sizeof(l->complaint), "at most %d words",
		    FILTER_WORDS_MAX);
	}
}

static void
words_line_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct words_line *l = (struct words_line *)layer;

	(void)a;
	if (line_edit_paste(&l->line, text, l->complaint, sizeof(l->complaint)))
		l->complaint[0] = '\0';
}

static void
words_line_about(const struct layer *layer, struct about *out)
{
	(void)layer;
	out->title = "filter words: all must fit; -word must not, ! D S are states";
	out->types = true;
	about_key(out, INPUT_ENTER, "show only what fits");
	about_key(out, INPUT_ESCAPE, "leave the list as it was");
	about_key(out, INPUT_CTRL('u'), "clear what is typed");
}

void
act_words(struct app *a)
{
	struct outline *o = listed(a);
	struct words_line l = { .layer = { .draw = words_line_draw, .key = words_line_key,
		.paste = words_line_paste, .about = words_line_about } };

	line_edit_set(&l.line, o->words.text);
	if (loop_run(a, &l.layer))
		list_anew(a, o);
}

bool
act_forget_words(struct app *a)
{
	struct outline *o = listed(a);

	if (o->words.count == 0)
		return false;
	(void)filter_set(&o->words, "", "");
	list_anew(a, o);
	return true;
}

/* --- order --- */

void
act_sort(struct app *a)
{
	struct outline *o = listed(a);

	o->order++;
	if (o->ops->orders[o->order] == NULL)
		o->order = 0;
	list_anew(a, o);
	app_notice(a, "sorted %s", o->ops->orders[o->order]);
}

void
act_flat(struct app *a)
{
	struct outline *o = listed(a);

	o->flat = !o->flat;
	list_anew(a, o);
	app_notice(a, o->flat ? "all entries in one list" : "entries below their files");
}
