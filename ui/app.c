#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "ui/app.h"

#define TWO_PANES_COLS 72	/* narrower, each pane gets the whole width */
#define THREE_PANES_COLS 160
#define HEAD_ROWS 10		/* lower, panes go without a heading */
#define DETAIL_ROWS 12		/* lower, there is no detail */

/* The ring's place of the n-th since the start. */
static struct notice *
notice_at(const struct notices *n, size_t i)
{
	return (struct notice *)&n->ring[i % NOTICES_MAX];
}

static void
notices_add(struct notices *n, bool is_error, const char *text)
{
	struct notice *slot = notice_at(n, n->count++);

	free(slot->text);
	*slot = (struct notice){ .is_error = is_error, .text = strdup(text), .at = time_now() };
}

/* The text of the last one is this now. */
static void
notices_amend(struct notices *n, const char *text)
{
	struct notice *last;
	char *copy = n->count > 0 ? strdup(text) : NULL;

	if (copy == NULL)
		return;
	last = notice_at(n, n->count - 1);
	free(last->text);
	last->text = copy;
}

void
notices_release(struct notices *n)
{
	size_t i;

	for (i = 0; i < NOTICES_MAX; i++)
		free(n->ring[i].text);
}

void
notices_append(const struct notices *n, struct buf *out)
{
	size_t kept = n->count < NOTICES_MAX ? n->count : NOTICES_MAX;
	const struct notice *e;
	char at[TIME_TEXT];
	size_t i;

	for (i = 0; i < kept; i++) {
		e = notice_at(n, n->count - 1 - i);
		if (e->text == NULL)
			continue;
		time_text(e->at, TIME_SPACED, at);
		buf_printf(out, "%c %sZ  ", e->is_error ? '!' : ' ', at + sizeof("2026-01-31"));
		text_append_visible(out, e->text, strlen(e->text));
		buf_append_char(out, '\n');
	}
}

const struct view_ops *const views[VIEW_COUNT] = {
	[VIEW_FILES] = &view_files,
	[VIEW_FINDINGS] = &view_findings,
	[VIEW_PENDING] = &view_pending,
	[VIEW_ROTATION] = &view_rotation,
	[VIEW_HISTORY] = &view_history,
	[VIEW_REGISTRY] = &view_registry,
};

static int
detail_height(int rows)
{
	if (rows < DETAIL_ROWS)
		return 0;
	if (rows < 20)
		return 3;
	return rows < 40 ? 4 : 7;
}

static struct rect
line(int y, int x, int w)
{
	return (struct rect){ .y = y, .x = x, .h = 1, .w = w };
}

/* Of what is right of the left pane the third one gets the greater part. */
static void
layout_split(struct layout *l, int cols)
{
	l->right.w = l->right_head.w = cols * 7 / 25;
	l->rule = line(l->right_head.y, l->right.x + l->right.w + 1, 0);
	l->rule.w = cols - l->rule.x;
	l->detail = (struct rect){ l->right.y, l->rule.x, l->right.h, l->rule.w };
}

void
layout_make(struct layout *l, int rows, int cols, int two_panes, bool third, int detail)
{
	int bottom = rows - 1;	/* the last row not yet given away */
	int top = 1;
	int split;

	if (detail == 0 || rows < 2 * detail)
		detail = detail_height(rows);
	memset(l, 0, sizeof(*l));
	l->usable = rows >= LAYOUT_MIN_ROWS && cols >= LAYOUT_MIN_COLS;
	if (!l->usable)
		return;
	l->two_panes = cols >= (two_panes > 0 ? two_panes : TWO_PANES_COLS);
	l->tabs = line(0, 0, cols);
	l->footer = line(bottom--, 0, cols);
	if (rows >= HEAD_ROWS)
		l->status = line(bottom--, 0, cols);
	l->three_panes = third && l->two_panes && cols >= THREE_PANES_COLS && rows >= HEAD_ROWS;
	if (detail > 0 && !l->three_panes) {
		l->detail = (struct rect){ bottom - detail + 1, 0, detail, cols };
		l->rule = line(bottom - detail, 0, cols);
		bottom -= detail + 1;
	}
	split = !l->two_panes ? cols : l->three_panes ? cols * 9 / 25 : cols * 11 / 20;
	if (rows >= HEAD_ROWS) {
		l->left_head = line(top, 0, split);
		l->right_head = line(top, 0, cols);
		top++;
	}
	l->left = (struct rect){ top, 0, bottom - top + 1, split };
	l->right = (struct rect){ top, 0, bottom - top + 1, cols };
	if (l->two_panes) {
		/* One column between them for a line. */
		l->right.x = l->right_head.x = split + 1;
		l->right.w = l->right_head.w = cols - split - 1;
	}
	if (l->three_panes)
		layout_split(l, cols);
}

void
about_key(struct about *b, uint32_t key, const char *text)
{
	if (b->count == ABOUT_KEYS)
		return;
	b->keys[b->count].key = key;
	b->keys[b->count++].text = text;
}

bool
app_asks(const struct app *a)
{
	const struct layer *l;

	for (l = a->top; l != NULL && l != &a->base; l = l->below)
		if (!l->aside)
			return true;
	return false;
}

void
app_show(struct app *a, enum view_id view)
{
	if (a->view == view)
		return;
	a->former_view = a->view;
	a->view = view;
	if (views[view]->entered != NULL)
		views[view]->entered(a);
}

static void
notice_set(struct app *a, const char *fmt, va_list ap, bool is_error, bool stays)
{
	vsnprintf(a->notice, sizeof(a->notice), fmt, ap);
	a->notice_is_error = is_error;
	a->notice_stays = stays;
	a->notice_seen = false;
}

void
view_moved(struct app *a, struct outline *o)
{
	if (views[a->view]->moved != NULL)
		views[a->view]->moved(a, o);
	else
		outline_hold(o);
}

void
view_build(struct app *a, struct outline *o)
{
	if (outline_build(o) == -1)
		app_complain(a, "not enough memory");
	(void)outline_restore(o);
	if (views[a->view]->folded != NULL)
		views[a->view]->folded(a, o);
	else
		outline_hold(o);
}

void
app_notice(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice_set(a, fmt, ap, false, false);
	va_end(ap);
	notices_add(&a->notices, false, a->notice);
}

void
app_complain(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice_set(a, fmt, ap, true, true);
	va_end(ap);
	notices_add(&a->notices, true, a->notice);
}

void
app_complain_lines(struct app *a, struct buf *lines)
{
	const char *p = buf_cstr(lines);

	for (size_t n; *p != '\0'; p += n + (p[n] == '\n'))
		if ((n = strcspn(p, "\n")) > 0)
			app_complain(a, "%.*s", (int)n, p);
}

void
app_refuse(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice_set(a, fmt, ap, true, false);
	va_end(ap);
	notices_add(&a->notices, true, a->notice);
}

void
app_tell(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice_set(a, fmt, ap, false, false);
	va_end(ap);
}

void
app_hint(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice_set(a, fmt, ap, true, false);
	va_end(ap);
}

void
app_pass_notice(struct app *a, bool leave)
{
	a->notice_seen = true;
	if (leave || !a->notice_stays)
		a->notice[0] = '\0';
}

void
app_add_notice(struct app *a, const char *text)
{
	size_t used;

	/* Not beside what is there from before. */
	if (a->notice_seen)
		app_pass_notice(a, true);
	used = strlen(a->notice);
	snprintf(a->notice + used, sizeof(a->notice) - used, "%s%s", used > 0 ? "; " : "", text);
	if (used > 0) {
		notices_amend(&a->notices, a->notice);
		return;
	}
	a->notice_is_error = a->notice_stays = a->notice_seen = false;
	notices_add(&a->notices, false, a->notice);
}

void
app_keep(struct app *a, const char *text)
{
	notices_add(&a->notices, true, text);
}
