#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/event.h"
#include "ui/list.h"
#include "ui/loop.h"
#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/registry_take.h"
#include "ui/style.h"

#define FOLLOW_MS 1000	/* between two looks at the log */
#define WIDE 100	/* a narrower screen has no date */
#define NARROW 50	/* and a narrow one only what was done, and how it ended */

/* The end of the audit log, asked for again and again while it is shown. */
struct tail {
	struct registry_wait wait;
	struct registry_answer *answer;	/* the last one with lines */
	struct list list;
	char problem[256];		/* it could not be asked for again */
};

static void
follow(struct tail *t, struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_AUDIT, .delay_ms = FOLLOW_MS };
	const struct registry_source *s = a->registry->source;
	struct error err;

	t->wait.id = s->submit(s->cookie, &req, &err);
	if (t->wait.id == 0)
		snprintf(t->problem, sizeof(t->problem), "%.255s", err.text);
}

static void
take(struct registry_wait *w, struct app *a, struct registry_answer *answer)
{
	struct tail *t = (struct tail *)w;
	bool at_end = t->list.cursor + 1 >= t->list.count;

	w->id = 0;
	if (answer->rc != 0) {
		snprintf(t->problem, sizeof(t->problem), "%.255s", answer->err.text);
		registry_answer_free(answer);
		return;
	}
	registry_answer_free(t->answer);
	t->answer = answer;
	list_fit(&t->list, answer->events.len, t->list.height);
	if (at_end && answer->events.len > 0)
		list_go(&t->list, answer->events.len - 1);
	follow(t, a);
}

/* Columns of a line: time, who, what, where, and how it ended. */
struct columns {
	int time, who, what;
};

static const char *
who_of(const struct registry_event *e)
{
	if (e->who[0] == '\0')
		return "-";
	return strncmp(e->who, "User:", 5) == 0 ? e->who + 5 : e->who;
}

static int
widest(int now, const char *text, int most)
{
	int w = columns_text(text, strlen(text));
	size_t i;

	/* What the canvas makes of control characters: \x1b. */
	for (i = 0; text[i] != '\0'; i++)
		w += (unsigned char)text[i] < ' ' || text[i] == 0x7f ? 3 : 0;
	return w < now ? now : w < most ? w : most;
}

static void
measure(const struct tail *t, int w, struct columns *c)
{
	const struct registry_event *e;
	size_t i;

	*c = (struct columns){ .time = w >= WIDE ? 19 : w >= NARROW ? 8 : 0 };
	for (i = 0; i < t->answer->events.len; i++) {
		e = vec_at(&t->answer->events, i);
		if (w >= NARROW)
			c->who = widest(c->who, who_of(e), w / 6);
		c->what = widest(c->what, e->what, 24);
	}
}

static int
draw_column(int y, int x, int w, unsigned int style, const char *text)
{
	if (w == 0)
		return 0;
	canvas_text(y, x, w, style, text);
	return w + 1;
}

/* [[2026-10-05 ]11:22:33 alice ]GetSecretVersion conn-a / password, version 1  200 */
static void
draw_event(const struct registry_event *e, const struct columns *c, int y, int w,
    unsigned int extra)
{
	unsigned int style = (e->denied || e->status >= 400 ? STYLE_ERROR : STYLE_TEXT) | extra;
	char time[20], end[24];
	int x = 1;

	snprintf(time, sizeof(time), "%.19s", e->time);
	x += draw_column(y, x, c->time, STYLE_NOTE | extra, c->time >= 19 || strlen(time) < 11 ?
	    time : time + 11);
	if (e->denied)
		snprintf(end, sizeof(end), "denied");
	else if (e->status != 0)
		snprintf(end, sizeof(end), "%d", e->status);
	else
		snprintf(end, sizeof(end), "%s", e->phase);
	w -= 2 + canvas_right(y, x, w - x - 1, style, end);
	if (x < w)
		x += draw_column(y, x, c->who < w - x ? c->who : w - x, style, who_of(e));
	if (x < w)
		x += draw_column(y, x, c->what < w - x ? c->what : w - x, style, e->what);
	if (x < w)
		canvas_text(y, x, w - x, style, e->where);
}

static void
draw(struct view *v, struct app *a)
{
	struct tail *t = (struct tail *)v;
	struct rect all = { 0, 0, 0, 0 };
	struct columns c;
	char text[512];
	unsigned int extra;
	size_t i;
	int y;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	snprintf(text, sizeof(text), all.w < 40 ? "Audit log" : "Audit log of %.400s",
	    a->registry->source->url);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, text);
	list_fit(&t->list, t->answer->events.len, (size_t)(all.h - 2));
	if (t->list.count == 0)
		canvas_text(1, 1, all.w - 2, STYLE_NOTE, "nothing was written yet");
	measure(t, all.w, &c);
	for (i = t->list.top; i < t->list.count && i - t->list.top < t->list.height; i++) {
		y = 1 + (int)(i - t->list.top);
		extra = i == t->list.cursor ? STYLE_SELECTED : 0;
		if (extra != 0) {
			canvas_fill(y, 0, all.w, STYLE_TEXT | extra);
			canvas_cursor(y, 0, true);
		}
		draw_event(vec_at(&t->answer->events, i), &c, y, all.w, extra);
	}
	if (t->problem[0] != '\0')
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_ERROR, t->problem);
	else
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_NOTE, all.w < 50 ? "Esc back" :
		    "Esc back   Up Down PgUp PgDn scroll; at the end it follows");
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	struct tail *t = (struct tail *)v;

	(void)a;
	if (k == INPUT_ESCAPE || k == 'q')
		v->done = true;
	else if (k == 'j' || k == 'k')
		(void)list_key(&t->list, k == 'j' ? INPUT_DOWN : INPUT_UP);
	else
		(void)list_key(&t->list, k);
}

void
act_registry_audit(struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_AUDIT };
	struct registry *r = a->registry;
	struct tail t;

	memset(&t, 0, sizeof(t));
	t.wait.view.draw = draw;
	t.wait.view.key = key;
	t.wait.take = take;
	t.answer = registry_ask_for(a, &req, "The audit log cannot be shown");
	if (t.answer == NULL)
		return;
	t.list.count = t.answer->events.len;
	t.list.cursor = t.list.count > 0 ? t.list.count - 1 : 0;
	r->waiting = &t.wait;
	follow(&t, a);
	(void)loop_run(a, &t.wait.view);
	r->waiting = NULL;
	if (t.wait.id != 0)
		r->source->cancel(r->source->cookie, t.wait.id);
	registry_answer_free(t.answer);
}
