#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "estate/estate.h"
#include "file/file.h"
#include "trail/trail.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/history.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/view.h"

/* The view of the history: what was changed on this host, by whom, what became of it, and
 * whether it can be undone (act_history.c). */

#define TWO_PANES 100	/* narrower, the list has the whole width */
#define WIDE 60		/* a narrower list says less */
#define DAYS_MAX 1000000
#define TEXT_MAX ((size_t)1 << 20)
#define FINDINGS_SHOWN 20

/* Where the trail is; NULL: none is kept. */
static const char *
history_trail(const struct app *a)
{
	return a->options->trail != NULL ? a->options->trail->path : NULL;
}

/* --- the rows: days with their changes --- */

static const struct history_day *
history_day(const struct history *h, size_t i)
{
	return vec_at(&h->days, i);
}

static const struct trail_change *
history_change(const struct history *h, size_t group, size_t item)
{
	return vec_at(&h->log.changes, history_day(h, group)->last - item);
}

static size_t
history_groups(const void *history)
{
	return ((const struct history *)history)->days.len;
}

static size_t
history_items(const void *history, size_t group)
{
	return history_day(history, group)->count;
}

static struct outline_id
history_id(const void *history, size_t group, size_t item)
{
	const struct history_day *d = history_day(history, group);
	const struct trail_change *c;

	if (item == OUTLINE_HEAD)
		return (struct outline_id){ d->name, strlen(d->name), 0 };
	c = history_change(history, group, item);
	return (struct outline_id){ (const char *)&c->n, sizeof(c->n), item + 1 };
}

/* A change is searched for by its first file. */
static struct outline_id
history_text(const void *history, size_t group, size_t item)
{
	const struct trail_change *c;
	const char *text;

	if (item == OUTLINE_HEAD)
		return history_id(history, group, item);
	c = history_change(history, group, item);
	text = c->files.len > 0 ? ((const struct trail_file *)vec_at(&c->files, 0))->path :
	    c->command != NULL ? c->command : "";
	return (struct outline_id){ text, strlen(text), 0 };
}

static const struct outline_ops history_ops = {
	.groups = history_groups,
	.items = history_items,
	.id = history_id,
	.text = history_text,
};

static size_t
no_groups(const void *history)
{
	(void)history;
	return 0;
}

static const struct outline_ops no_ops = { .groups = no_groups };

void
history_open(struct history *h)
{
	memset(h, 0, sizeof(*h));
	vec_init(&h->days, sizeof(struct history_day), DAYS_MAX);
	outline_init(&h->panes.left, &history_ops, h);
	outline_init(&h->panes.right, &no_ops, h);
	h->panes.left.folded = false;
}

void
history_close(struct history *h)
{
	outline_release(&h->panes.left);
	outline_release(&h->panes.right);
	free(h->why);
	trail_log_release(&h->log);
	vec_release(&h->days);
}

static int
days_make(struct history *h)
{
	struct history_day *d = NULL;
	char text[TIME_TEXT];

	for (size_t i = h->log.changes.len; i-- > 0;) {
		const struct trail_change *c = vec_at(&h->log.changes, i);

		time_text(c->ms, TIME_SECONDS, text);
		text[10] = '\0';
		if (d == NULL || strcmp(d->name, text) != 0) {
			if ((d = vec_push(&h->days)) == NULL)
				return error_memory(&h->problem);
			memcpy(d->name, text, 11);
			d->last = i;
		}
		d->count++;
	}
	return 0;
}

void
history_read(struct app *a)
{
	static const struct trail_filter all;
	struct history *h = a->history;

	outline_hold(&h->panes.left);
	trail_log_release(&h->log);
	memset(&h->log, 0, sizeof(h->log));
	vec_release(&h->days);
	memset(&h->problem, 0, sizeof(h->problem));
	h->why_of = 0;
	if (history_trail(a) != NULL &&
	    trail_read(history_trail(a), &all, &h->log, &h->problem) == 0)
		(void)days_make(h);
	view_build(a, &h->panes.left);
}

/* --- drawing --- */

/* What became of it, in a word. */
static const char *
outcome_word(const struct trail_change *c, unsigned int *style)
{
	*style = STYLE_SEALED;
	if (c->running) {
		*style = STYLE_NOTE;
		return "at work";
	}
	if (c->outcome == TRAIL_DONE)
		return "done";
	*style = c->outcome == TRAIL_FAILED ? STYLE_CLEAR : STYLE_DANGLING;
	return c->outcome == TRAIL_FAILED ? "failed" : c->outcome == TRAIL_PARTLY ? "partly" :
	    "cut short";
}

static size_t
keys_of(const struct trail_change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->files.len; i++) {
		const struct trail_file *f = vec_at(&c->files, i);

		n += f->keys.len + f->more;
	}
	return n;
}

static void
change_draw(struct app *a, const struct trail_change *c, const struct rect *l, unsigned int extra)
{
	const struct trail_file *f = c->files.len > 0 ? vec_at(&c->files, 0) : NULL;
	int x = l->x + (l->w < WIDE ? 1 : 4), end = l->x + l->w - 1;
	const int room = l->w < WIDE + 10 ? 18 : 19;	/* "master-key generate" */
	unsigned int style;
	const char *word = outcome_word(c, &style);
	char time[TIME_TEXT], more[64] = "";

	(void)a;
	time_text(c->ms, TIME_SECONDS, time);
	time[16] = '\0';
	end -= canvas_right(l->y, x, end - x, style | extra, word) + 2;
	x += canvas_text(l->y, x, end - x, STYLE_NOTE | extra, time + 11) + 1;
	if (l->w >= WIDE) {
		canvas_text(l->y, x, 10, STYLE_TEXT | extra, c->user != NULL ? c->user : "?");
		x += 11;
		canvas_text(l->y, x, room, STYLE_FILE | extra,
		    c->command != NULL ? c->command : "?");
		x += room + 1;
		if (c->files.len > 1)
			snprintf(more, sizeof(more), ", %zu more", c->files.len - 1);
	}
	if (x >= end)
		return;
	if (f == NULL)
		canvas_text(l->y, x, end - x, STYLE_NOTE | extra, "no file");
	else {
		x += canvas_text(l->y, x, end - x - (int)strlen(more), STYLE_TEXT | extra,
		    file_basename(f->path));
		canvas_text(l->y, x, end - x, STYLE_NOTE | extra, more);
	}
}

static void
history_draw_row(struct app *a, size_t i, const struct rect *l, unsigned int extra)
{
	const struct history *h = a->history;
	const struct outline_row *at = outline_row(&h->panes.left, i);
	const struct history_day *d = history_day(h, at->group);
	char count[48];

	if (at->item != OUTLINE_HEAD) {
		change_draw(a, history_change(h, at->group, at->item), l, extra);
		return;
	}
	snprintf(count, sizeof(count), "%zu change%s", d->count, d->count == 1 ? "" : "s");
	canvas_text(l->y, l->x, 1, STYLE_FILE | extra, canvas_glyph(
	    outline_folded(&h->panes.left, at->group) ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_text(l->y, l->x + 2, l->w - 3, STYLE_FILE | extra, d->name);
	canvas_text(l->y, l->x + 14, l->w - 15, STYLE_NOTE | extra, count);
}

static void
history_draw_empty(struct app *a, const struct rect *r)
{
	const struct history *h = a->history;
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[1200];
	int y;

	if (history_trail(a) == NULL) {
		canvas_wrapped(&room, r->y, STYLE_NOTE, "No trail is kept here, so there is no "
		    "history: propseal.ini(5) says how to keep one.");
	} else if (h->problem.code != ERROR_NONE) {
		y = canvas_wrapped(&room, r->y, STYLE_ERROR, h->problem.text);
		canvas_wrapped(&room, y, STYLE_NOTE, h->problem.hint);
	} else {
		snprintf(text, sizeof(text), "No change yet. Trail: %s", history_trail(a));
		canvas_wrapped(&room, r->y, STYLE_NOTE, text);
	}
}

static void
history_draw_left(struct app *a)
{
	static const struct frame_rows rows = { .draw = history_draw_row };
	struct history *h = a->history;
	const struct rect *r = &a->layout.left_head;
	char text[128];

	if (r->h > 0) {
		snprintf(text, sizeof(text), "%zu change%s", h->log.changes.len,
		    h->log.changes.len == 1 ? "" : "s");
		canvas_text(r->y, r->x + 1, r->w - 2, h->panes.right_active ? STYLE_NOTE :
		    STYLE_HEAD, text);
		canvas_right(r->y, r->x + 20, r->w - 21, STYLE_NOTE, "newest first, times in UTC");
	}
	if (h->panes.left.rows.len == 0)
		history_draw_empty(a, &a->layout.left);
	frame_draw_rows(a, &h->panes.left, &a->layout.left, !h->panes.right_active, &rows);
}

/* --- what is said of a change --- */

const struct trail_change *
history_selected(const struct app *a)
{
	const struct outline_row *row = outline_at(&a->history->panes.left);

	return row != NULL && row->item != OUTLINE_HEAD ?
	    history_change(a->history, row->group, row->item) : NULL;
}

const char *
history_why(const struct app *a)
{
	struct history *h = a->history;
	const struct trail_change *c = history_selected(a);

	/* What is kept does not change while it is shown. */
	if (h->why_of != c->n) {
		free(h->why);
		h->why = kept_why(history_trail(a), c);
		h->why_of = c->n;
	}
	return h->why;
}

static void
say_file(const struct app *a, const struct trail_file *f, struct buf *out)
{
	text_append_visible(out, model_show_path(a->model, f->path),
	    strlen(model_show_path(a->model, f->path)));
	buf_printf(out, " (%s%s%s)", f->role != NULL ? f->role : "file", f->is_new ? ", new" : "",
	    f->done ? "" : ", not done");
	for (size_t i = 0; i < f->keys.len; i++) {
		buf_append_str(out, i == 0 ? ": " : ", ");
		text_append_visible(out, vec_string(&f->keys, i), strlen(vec_string(&f->keys, i)));
	}
	if (f->more > 0)
		buf_printf(out, " and %llu more", (unsigned long long)f->more);
	if (f->error != NULL) {
		buf_append_str(out, ". ");
		text_append_visible(out, f->error, strlen(f->error));
	}
	buf_append_char(out, '\n');
}

static void
say_change(const struct app *a, const struct trail_change *c, struct buf *out)
{
	if (history_why(a) != NULL)
		buf_printf(out, "Cannot be undone: %s.\n", history_why(a));
	else
		buf_printf(out, "%s undoes it; what it replaced is kept, sealed.\n",
		    KEY(ACTION_UNMARK));
	for (size_t i = 0; i < c->files.len; i++)
		say_file(a, vec_at(&c->files, i), out);
	if (c->files.len == 0)
		buf_append_str(out, "It was about no file.\n");
}

/* For the third pane. */
static void
history_say_facts(struct words *w, const struct trail_change *c)
{
	words_fact(w, "change", "%llu", (unsigned long long)c->n);
	words_time(w, "began", c->ms, false);
	words_fact(w, "outcome", "%s%s", trail_outcome_name(c->outcome),
	    c->running ? ", it goes on" : "");
	if (c->end_ms > 0)
		words_fact(w, "took", "%lld.%03lld s", (long long)(c->end_ms - c->ms) / 1000,
		    (long long)(c->end_ms - c->ms) % 1000);
	words_fact(w, "owner", "%s, uid %llu", c->user != NULL ? c->user : "?",
	    (unsigned long long)c->uid);
	if (c->sudo != NULL)
		words_fact(w, "by sudo of", "%s", c->sudo);
	words_fact(w, "host", "%s, process %llu", c->host != NULL ? c->host : "?",
	    (unsigned long long)c->pid);
	if (c->environment != NULL)
		words_fact(w, "in", "%s", c->environment);
}

/* The same in a line or two, where only the second pane is there beside it. */
static void
history_say_line(const struct trail_change *c, struct buf *out)
{
	buf_printf(out, "Change %llu: %s%s", (unsigned long long)c->n,
	    trail_outcome_name(c->outcome), c->running ? ", it goes on" : "");
	if (c->end_ms > 0)
		buf_printf(out, " in %lld.%03lld s", (long long)(c->end_ms - c->ms) / 1000,
		    (long long)(c->end_ms - c->ms) % 1000);
	if (c->environment != NULL) {
		buf_append_str(out, "; environment ");
		text_append_visible(out, c->environment, strlen(c->environment));
	}
	buf_append_str(out, ".\n");
}

/* What became of the changes of a day. */
static void
history_say_day(const struct history *h, size_t day, struct buf *out)
{
	const size_t count = history_day(h, day)->count;
	bool first = true;

	buf_printf(out, "%zu %s: ", count, count == 1 ? "change" : "changes");
	for (enum trail_outcome o = TRAIL_UNKNOWN; o <= TRAIL_FAILED; o++) {
		size_t n = 0;

		for (size_t i = 0; i < count; i++)
			n += history_change(h, day, i)->outcome == o;
		if (n > 0)
			buf_printf(out, "%s%zu %s", first ? "" : ", ", n, trail_outcome_name(o));
		first = first && n == 0;
	}
	buf_append_str(out, ".\n");
}

static void
history_say_span(const struct history *h, size_t day, struct buf *out)
{
	const size_t count = history_day(h, day)->count;
	char first[TIME_TEXT], last[TIME_TEXT];

	time_text(history_change(h, day, count - 1)->ms, TIME_SPACED, first);
	time_text(history_change(h, day, 0)->ms, TIME_SPACED, last);
	if (count == 1)
		buf_printf(out, "At %s UTC.\n", first + strlen("2026-01-31 "));
	else
		buf_printf(out, "From %s to %s UTC.\n", first + strlen("2026-01-31 "),
		    last + strlen("2026-01-31 "));
}

static void
history_say(struct app *a, struct words *w)
{
	const struct trail_change *c = history_selected(a);
	const struct outline_row *row = outline_at(&a->history->panes.left);
	char time[TIME_TEXT];

	if (c == NULL) {
		if (row != NULL) {
			buf_append_str(&w->place, history_day(a->history, row->group)->name);
			if (!a->layout.two_panes)
				history_say_day(a->history, row->group, &w->text);
			history_say_span(a->history, row->group, &w->text);
		}
		return;
	}
	time_text(c->ms, TIME_SPACED, time);
	buf_printf(&w->place, "%s %s%s%s on %s", time, c->user != NULL ? c->user : "?",
	    c->sudo != NULL ? " by sudo of " : "", c->sudo != NULL ? c->sudo : "",
	    c->host != NULL ? c->host : "?");
	buf_printf(&w->name, "%s", c->command != NULL ? c->command : "?");
	history_say_facts(w, c);
	/* Else the second pane says it, and the third has the facts. */
	if (!a->layout.two_panes)
		say_change(a, c, &w->text);
	else if (!a->layout.three_panes)
		history_say_line(c, &w->text);
}

static void
history_draw_right(struct app *a)
{
	const struct rect *head = &a->layout.right_head, *r = &a->layout.right;
	const struct outline_row *row = outline_at(&a->history->panes.left);
	const struct trail_change *c = history_selected(a);
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	struct buf text;

	if (row == NULL)
		return;
	if (head->h > 0)
		canvas_text(head->y, head->x + 1, head->w - 2, a->history->panes.right_active ?
		    STYLE_HEAD : STYLE_NOTE, c != NULL ? "this change" : "this day");
	buf_init(&text, TEXT_MAX);
	if (c != NULL) {
		buf_printf(&text, "Change %llu: %zu %s in %zu %s\n", (unsigned long long)c->n,
		    keys_of(c), keys_of(c) == 1 ? "key" : "keys", c->files.len,
		    c->files.len == 1 ? "file" : "files");
		say_change(a, c, &text);
	} else {
		history_say_day(a->history, row->group, &text);
	}
	canvas_wrapped(&room, r->y, STYLE_TEXT, buf_cstr(&text));
	buf_release(&text);
}

/* --- what the keys do --- */

void
act_view_history(struct app *a)
{
	app_show(a, VIEW_HISTORY);
}

void
act_history_read(struct app *a)
{
	history_read(a);
	app_notice(a, "read anew");
}

void
act_history_back(struct app *a)
{
	if (a->history->panes.right_active)
		a->history->panes.right_active = false;
	else
		app_show(a, VIEW_FILES);
}

/* To the first of its files that is among those of the interface. */
void
act_history_open(struct app *a)
{
	const struct trail_change *c = history_selected(a);
	const struct estate *e = a->model->estate;
	struct buf path;
	struct error err;

	if (c == NULL) {
		act_turn_fold(a);
		return;
	}
	for (size_t i = 0; i < c->files.len; i++)
		for (size_t k = 0; k < estate_count(e); k++) {
			const struct trail_file *f = vec_at(&c->files, i);
			bool same;

			buf_init(&path, TEXT_MAX);
			same = model_absolute_path(estate_file(e, k)->path, &path, &err) == 0 &&
			    strcmp(buf_cstr(&path), f->path) == 0;
			buf_release(&path);
			if (!same || estate_file(e, k)->is_secrets_file)
				continue;
			files_show(a, estate_file(e, k)->path, f->keys.len > 0 ?
			    vec_string(&f->keys, 0) : "", f->keys.len > 0 ?
			    strlen(vec_string(&f->keys, 0)) : 0);
			app_show(a, VIEW_FILES);
			return;
		}
	app_refuse(a, "none of its configuration files is among those that are shown");
}

const char *
act_history_needs_row(const struct app *a)
{
	return outline_at(&a->history->panes.left) == NULL ? "nothing was changed yet" : NULL;
}

const char *
act_history_needs_trail(const struct app *a)
{
	return history_trail(a) == NULL ? "no trail is kept" : NULL;
}

void
act_history_check(struct app *a)
{
	struct trail_check check = { .lines = 0 };
	struct error err;
	struct buf text;

	if (trail_verify(history_trail(a), &check, &err) != 0) {
		tell_error(a, "The trail cannot be checked", &err);
	} else if (check.findings.len == 0) {
		app_notice(a, "the chain is whole: %llu lines in %zu %s",
		    (unsigned long long)check.lines, check.files,
		    check.files == 1 ? "file" : "files");
	} else {
		buf_init(&text, TEXT_MAX);
		for (size_t i = 0; i < check.findings.len && i < FINDINGS_SHOWN; i++) {
			const struct trail_finding *f = vec_at(&check.findings, i);

			buf_printf(&text, "%s:%zu: %s\n", f->file, f->line, f->text);
		}
		if (check.findings.len > FINDINGS_SHOWN)
			buf_printf(&text, "and %zu more: `propseal log verify` has all\n",
			    check.findings.len - FINDINGS_SHOWN);
		tell_message(a, "The trail is not whole", buf_cstr(&text));
		buf_release(&text);
	}
	trail_check_release(&check);
}

/* --- the view --- */

static struct panes *
history_panes(struct app *a)
{
	return &a->history->panes;
}

/* Others write to it, too.  Whoever was on no change is on the newest one. */
static void
history_entered(struct app *a)
{
	struct outline *o = &a->history->panes.left;
	const struct outline_row *row;

	history_read(a);
	row = o->list.cursor == 0 && o->rows.len > 1 ? outline_row(o, 1) : NULL;
	if (row == NULL || row->item == OUTLINE_HEAD)
		return;
	list_go(&o->list, 1);
	view_moved(a, o);
}

static void
history_title(struct app *a, struct buf *where, struct buf *state)
{
	if (history_trail(a) == NULL) {
		buf_append_str(state, "none");
		return;
	}
	buf_append_str(where, history_trail(a));
	if (a->history->log.unread > 0)
		buf_printf(state, "%llu lines unread", (unsigned long long)a->history->log.unread);
}

static void
history_draw_counts(struct app *a, const struct rect *r, int w)
{
	char text[160];

	if (a->history->log.unread == 0)
		return;
	snprintf(text, sizeof(text), "%llu lines could not be read: %s checks the chain",
	    (unsigned long long)a->history->log.unread, KEY(ACTION_AUDIT));
	canvas_text(r->y, r->x + 1, w, STYLE_DANGLING, text);
}

const struct view_ops view_history = {
	.name = "history",
	.shows = ACTION_VIEW_HISTORY,
	.only_here = "this is for the history",
	.two_panes_from = TWO_PANES,
	.third_pane = true,
	.left_leads = true,
	.panes = history_panes,
	.entered = history_entered,
	.title = history_title,
	.draw_left = history_draw_left,
	.draw_right = history_draw_right,
	.draw_counts = history_draw_counts,
	.say = history_say,
};
