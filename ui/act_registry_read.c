#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/outline.h"
#include "ui/registry.h"
#include "ui/registry_names.h"
#include "ui/registry_source.h"
#include "ui/term.h"

#define NAME_MAX_BYTES 1024
#define LINES_SHOWN 8	/* numbers of lines that differ */

void
act_registry_mark(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.version == NULL)
		return;
	a->registry->marked = a->registry->marked == s.version->number ? 0 : s.version->number;
}

static const struct registry_version *
compare_find(const struct registry_key *k, unsigned int number)
{
	const struct registry_version *v;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		if (v->number == number)
			return v;
	}
	return NULL;
}

/* Which two: the marked one or the one before, and the selected or newest one. */
static bool
compare_choose(struct app *a, const struct registry_selection *s, struct registry_version *old,
    struct registry_version *new)
{
	const struct registry_version *b = s->version != NULL ? s->version :
	    registry_key_latest(s->key);
	const struct registry_version *v = a->registry->marked != 0 ?
	    compare_find(s->key, a->registry->marked) : b != NULL ?
	    registry_key_live_before(s->key, b->number) : NULL;

	if (b == NULL || v == NULL || v->number == b->number || v->state != REGISTRY_LIVE) {
		app_complain(a, a->registry->marked != 0 ?
		    "select another live version than the marked one" :
		    "no live version before this one; mark another one first");
		return false;
	}
	*old = v->number < b->number ? *v : *b;
	*new = v->number < b->number ? *b : *v;
	return true;
}

static struct registry_answer *
compare_fetch(struct app *a, struct buf *path, struct buf *key, unsigned int version)
{
	struct registry_request req = { .kind = REGISTRY_VALUE, .path = buf_cstr(path),
	    .key = buf_cstr(key), .version = version };

	return registry_ask_for(a, &req, "They cannot be compared");
}

static size_t
line_length(const struct buf *b, size_t from)
{
	const unsigned char *end = memchr(b->data + from, '\n', b->len - from);

	return end != NULL ? (size_t)(end - b->data) - from : b->len - from;
}

/* Which lines differ, by number only. */
static void
say_lines(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i = 0, k = 0, line = 0, differ = 0;
	size_t n, m;

	while (i < one->len || k < two->len) {
		n = i < one->len ? line_length(one, i) : 0;
		m = k < two->len ? line_length(two, k) : 0;
		line++;
		if ((i < one->len) != (k < two->len) ||
		    !secret_equal(one->data + i, n, two->data + k, m)) {
			if (differ < LINES_SHOWN)
				buf_printf(text, "%s%zu", differ == 0 ? " Lines that differ: " :
				    ", ", line);
			differ++;
		}
		i += i < one->len ? n + 1 : 0;
		k += k < two->len ? m + 1 : 0;
	}
	if (differ > LINES_SHOWN)
		buf_printf(text, " and %zu more", differ - LINES_SHOWN);
	buf_append_str(text, ".");
}

/* Without blanks at both ends. */
static size_t
compare_trim(const struct buf *b, size_t *from)
{
	size_t end = b->len;

	for (*from = 0; *from < end && strchr(" \t\r\n", b->data[*from]) != NULL; ++*from)
		;
	while (end > *from && strchr(" \t\r\n", b->data[end - 1]) != NULL)
		end--;
	return end - *from;
}

static void
say_difference(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i, k, n, m;

	if (secret_equal(one->data, one->len, two->data, two->len)) {
		buf_append_str(text, "The values are the same.");
		return;
	}
	n = compare_trim(one, &i);
	m = compare_trim(two, &k);
	if (one->len == 0 || two->len == 0)
		buf_append_str(text, "The values differ: one is empty.");
	else if (secret_equal(one->data + i, n, two->data + k, m))
		buf_append_str(text, "The values differ only in blanks or line ends around them.");
	else if (line_length(one, 0) < one->len || line_length(two, 0) < two->len) {
		buf_append_str(text, "The values differ.");
		say_lines(text, one, two);
	} else {
		buf_append_str(text, "The values differ.");
	}
}

static void
compare_say_version(struct buf *text, char sign, const struct registry_version *v)
{
	buf_printf(text, "%c version %-4u ********", sign, v->number);
	if (v->created[0] != '\0')
		buf_printf(text, "  %s  %s", v->created, v->created_by);
	buf_append_char(text, '\n');
}

static void
compare_compare(struct app *a, struct buf *path, struct buf *key,
    const struct registry_version *old, const struct registry_version *new)
{
	struct registry_answer *one, *two;
	struct buf text;

	if ((one = compare_fetch(a, path, key, old->number)) == NULL)
		return;
	if ((two = compare_fetch(a, path, key, new->number)) != NULL) {
		buf_init(&text, 16384);
		buf_printf(&text, "%s / %s\n\n", buf_cstr(path), buf_cstr(key));
		compare_say_version(&text, '-', old);
		compare_say_version(&text, '+', new);
		buf_append_char(&text, '\n');
		say_difference(&text, &one->value, &two->value);
		registry_answer_free(one);
		registry_answer_free(two);
		tell_message(a, "Compare versions", buf_cstr(&text));
		buf_release(&text);
		return;
	}
	registry_answer_free(one);
}

void
act_registry_compare(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct registry_version old, new;
	struct buf path, key;

	if (s.key == NULL || !compare_choose(a, &s, &old, &new))
		return;
	buf_init(&path, NAME_MAX_BYTES);
	buf_init(&key, NAME_MAX_BYTES);
	buf_append_str(&path, s.path->name);
	buf_append_str(&key, s.key->name);
	compare_compare(a, &path, &key, &old, &new);
	buf_release(&key);
	buf_release(&path);
}

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
audit_follow(struct tail *t, struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_AUDIT, .delay_ms = FOLLOW_MS };
	const struct registry_source *s = a->registry->source;
	struct error err;

	t->wait.id = s->submit(s->cookie, &req, &err);
	if (t->wait.id == 0)
		snprintf(t->problem, sizeof(t->problem), "%.255s", err.text);
}

static void
audit_take(struct registry_wait *w, struct app *a, struct registry_answer *answer)
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
	audit_follow(t, a);
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
audit_measure(const struct tail *t, int w, struct columns *c)
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
audit_draw(struct layer *layer, struct app *a)
{
	struct tail *t = (struct tail *)layer;
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
	audit_measure(t, all.w, &c);
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
audit_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct tail *t = (struct tail *)layer;

	(void)a;
	if (k == INPUT_ESCAPE || k == 'q')
		layer->done = true;
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
	t.wait.layer.draw = audit_draw;
	t.wait.layer.key = audit_key;
	t.wait.take = audit_take;
	t.answer = registry_ask_for(a, &req, "The audit log cannot be shown");
	if (t.answer == NULL)
		return;
	t.list.count = t.answer->events.len;
	t.list.cursor = t.list.count > 0 ? t.list.count - 1 : 0;
	r->waiting = &t.wait;
	audit_follow(&t, a);
	(void)loop_run(a, &t.wait.layer);
	r->waiting = NULL;
	if (t.wait.id != 0)
		r->source->cancel(r->source->cookie, t.wait.id);
	registry_answer_free(t.answer);
}
