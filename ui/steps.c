#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/loop.h"
#include "ui/steps.h"
#include "ui/term.h"

#define HEAD_ROWS 8	/* lower, the line of steps gives its place to the step */
#define TEXT_MAX 1024
#define STEP_TEXT_MAX ((size_t)1 << 20)

/* All steps, the one that is shown in brackets, or that one alone. */
static void
steps_line(const struct steps *s, bool all, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		if (!all && i != s->at)
			continue;
		if (all && i > 0)
			buf_printf(out, " %s ", canvas_glyph(GLYPH_HLINE));
		buf_printf(out, i == s->at ? "[%s]" : "%s", s->all[i].name);
	}
}

static void
steps_draw_line(const struct steps *s, int y, int w)
{
	char place[32];
	struct buf text;
	int used;

	snprintf(place, sizeof(place), "%zu of %zu", s->at + 1, s->count);
	used = canvas_right(y, 1, w - 2, STYLE_NOTE, place);
	buf_init(&text, TEXT_MAX);
	steps_line(s, true, &text);
	if (columns_text((const char *)text.data, text.len) > w - 4 - used) {
		buf_clear(&text);
		steps_line(s, false, &text);
	}
	canvas_text(y, 1, w - 3 - used, STYLE_HEAD, buf_cstr(&text));
	buf_release(&text);
}

/* Has the step a field, so that all characters are text? */
static bool
steps_types(const struct steps *s)
{
	return s->all[s->at].paste != NULL;
}

static void
steps_draw_footer(const struct steps *s, int y, int w)
{
	const struct step *step = &s->all[s->at];
	const char *keys = step->keys_now != NULL ? step->keys_now(s) : step->keys != NULL ?
	    step->keys : "";
	char text[256];

	if (s->why[0] != '\0') {
		canvas_text(y, 1, w - 2, STYLE_ERROR, s->why);
		return;
	}
	if (w < 50)
		snprintf(text, sizeof(text), "Enter, Esc, F1");
	else
		snprintf(text, sizeof(text), "Enter %s  Esc %s  %s%sF1 help%s",
		    s->at + 1 == s->count ? "done" : "next", s->at > s->floor ? "back" : "leave",
		    keys, keys[0] != '\0' ? "  " : "", steps_types(s) ? "" : "  q quit");
	canvas_text(y, 1, w - 2, STYLE_NOTE, text);
}

static void
steps_draw_text(struct steps *s, struct app *a, const struct rect *r)
{
	struct buf text;

	buf_init(&text, STEP_TEXT_MAX);
	s->all[s->at].text(s, a, &text);
	scroll_draw(&s->scroll, r, STYLE_TEXT, buf_cstr(&text), text.len);
	buf_release(&text);
}

static void
steps_draw(struct layer *layer, struct app *a)
{
	struct steps *s = (struct steps *)layer;
	struct rect all = { 0, 0, 0, 0 };
	struct rect body;
	int used = 0;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	if (all.w >= 50 && s->note != NULL)
		used = canvas_right(0, 1, all.w - 2, STYLE_TITLE, s->note) + 2;
	canvas_text(0, 1, all.w - 2 - used, STYLE_TITLE, s->title);
	canvas_cursor(all.h - 1, 0, true);
	body = (struct rect){ 1, 1, all.h - 2, all.w - 2 };
	if (all.h >= HEAD_ROWS) {
		steps_draw_line(s, 1, all.w);
		body.y += 2;
		body.h -= 3;
	}
	steps_draw_footer(s, all.h - 1, all.w);
	if (s->all[s->at].text != NULL)
		steps_draw_text(s, a, &body);
	else
		s->all[s->at].draw(s, a, &body);
}

static void
steps_show(struct app *a, struct steps *s, size_t at)
{
	s->at = at;
	s->scroll.first = 0;
	if (s->all[at].entered != NULL)
		s->all[at].entered(s, a);
}

void
steps_next(struct app *a, struct steps *s)
{
	const struct step *step = &s->all[s->at];

	if (step->next != NULL && !step->next(s, a))
		return;
	if (s->at + 1 < s->count) {
		steps_show(a, s, s->at + 1);
		return;
	}
	s->finished = true;
	s->layer.done = true;
}

void
steps_back(struct app *a, struct steps *s)
{
	if (s->at > s->floor)
		steps_show(a, s, s->at - 1);
	else
		s->layer.done = true;
}

/* Which way keys are read, as the step has it now. */
static void
steps_settle(struct steps *s)
{
	const struct step *step = &s->all[s->at];

	s->layer.secret = step->secret != NULL && step->secret(s);
}

static void
steps_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct steps *s = (struct steps *)layer;
	const struct step *step = &s->all[s->at];

	s->why[0] = '\0';
	if (step->key == NULL || !step->key(s, a, k)) {
		if (k == INPUT_ENTER)
			steps_next(a, s);
		else if (k == INPUT_ESCAPE)
			steps_back(a, s);
		else if (k == 'q' && !steps_types(s))
			a->quit = act_leave(a);
		else if (step->text != NULL)
			(void)scroll_key(&s->scroll, k);
	}
	steps_settle(s);
}

static void
steps_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct steps *s = (struct steps *)layer;
	const struct step *step = &s->all[s->at];

	s->why[0] = '\0';
	if (step->paste != NULL)
		step->paste(s, a, text);
	else
		snprintf(s->why, sizeof(s->why), "the pasted text was dropped: no field is open");
	steps_settle(s);
}

static void
steps_about(const struct layer *layer, struct about *out)
{
	const struct steps *s = (const struct steps *)layer;
	const struct step *step = &s->all[s->at];

	out->title = s->title;
	if (step->about != NULL)
		step->about(s, out);
	if (step->text != NULL)
		scroll_about(&s->scroll, out);
	about_key(out, INPUT_ENTER, s->at + 1 == s->count ? "done" : "next step");
	about_key(out, INPUT_ESCAPE, s->at > s->floor ? "one step back; what is typed stays" :
	    "leave");
	if (!steps_types(s))
		about_key(out, 'q', "leave propseal");
}

int
steps_text(const struct rect *r, int y, const char *text)
{
	return y < r->y + r->h ? canvas_wrapped(r, y, STYLE_TEXT, text) : y;
}

bool
steps_run(struct app *a, struct steps *s)
{
	s->layer.draw = steps_draw;
	s->layer.key = steps_key;
	s->layer.paste = steps_paste;
	s->layer.about = steps_about;
	s->layer.covers = true;
	s->finished = false;
	steps_show(a, s, s->at);
	steps_settle(s);
	return loop_run(a, &s->layer) && s->finished;
}
