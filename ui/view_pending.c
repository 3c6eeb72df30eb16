#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/pending.h"
#include "ui/seal_plan.h"
#include "ui/view.h"

/* The view of the pending set: each edit with where it goes, on or off, what is written when
 * it is applied, and the change of the selected line. */

#define NARROW 30		/* a narrower pane indents less */
#define WORD_WIDTH 34		/* and a narrower one has no words */
#define NAME_MAX_BYTES 65536

/* --- what the cursor is on --- */

static const struct pending_group *
pending_here(const struct app *a)
{
	const struct outline_row *row = outline_at(&a->pending->panes.left);

	return row != NULL ? pending_group(a->pending, row->group) : NULL;
}

/* NULL: it is on a file or a destination. */
static const struct estate_entry *
pending_edit_here(const struct app *a)
{
	const struct outline_row *row = outline_at(&a->pending->panes.left);
	const struct pending_group *g = pending_here(a);

	return row == NULL || row->item == OUTLINE_HEAD ? NULL :
	    &g->file->entries[pending_edit(a->pending, g, row->item)->entry];
}

/* --- what the keys do --- */

const char *
act_pending_needs_row(const struct app *a)
{
	if (marks_count(a->model->marks) == 0)
		return "nothing is pending";
	return a->pending->panes.right_active ? "edits stand in the left pane" : NULL;
}

static void
pending_turn(struct app *a, const struct estate_file *f, const struct estate_entry *e, bool on)
{
	if (marks_set(a->model->off, f->path, e->key, e->key_len, !on) == -1)
		app_complain(a, "not enough memory");
}

/* All edits of a file. */
static void
pending_turn_file(struct app *a, const struct pending_group *g, bool on)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		pending_turn(a, g->file, &g->file->entries[pending_edit(a->pending, g, i)->entry],
		    on);
}

/* An edit goes off or on; on a file or destination, all of them. */
void
act_pending_turn(struct app *a)
{
	const struct outline_row *row = outline_at(&a->pending->panes.left);
	const struct pending_group *g = pending_here(a);
	const struct estate_entry *e = pending_edit_here(a);
	const struct pending *p = a->pending;
	size_t i;
	bool on;

	if (g == NULL)
		return;
	on = g->on + g->collide == 0;
	if (e != NULL) {
		pending_turn(a, g->file, e, marks_has(a->model->off, g->file->path, e->key,
		    e->key_len));
	} else if (g->file != NULL) {
		pending_turn_file(a, g, on);
	} else {
		for (i = row->group + 1; i < p->groups.len &&
		    pending_group(p, i)->root == row->group; i++)
			pending_turn_file(a, pending_group(p, i), on);
	}
	pending_build(a);
	act_down(a);
}

void
act_pending_clear(struct app *a)
{
	act_unmark(a);
	pending_build(a);
}

void
act_pending_back(struct app *a)
{
	app_show(a, a->former_view == VIEW_PENDING ? VIEW_FILES : a->former_view);
}

/* To the entry among the files. */
void
act_pending_open(struct app *a)
{
	const struct pending_group *g = pending_here(a);
	const struct estate_entry *e = pending_edit_here(a);

	if (e == NULL) {
		act_turn_fold(a);
		return;
	}
	files_show(a, g->file->path, e->key, e->key_len);
	app_show(a, VIEW_FILES);
}

/* Where the file of the edit, or all files of the destination, go from now on. */
void
act_pending_destination(struct app *a)
{
	const struct pending *p = a->pending;
	const struct pending_group *g;
	size_t root, from, i, n = 0;
	struct goal goal;
	bool failed = false;

	/* It may make the rows anew. */
	if (!goal_ready(a) || (g = pending_here(a)) == NULL)
		return;
	root = outline_at(&p->panes.left)->group;
	from = root + (g->file == NULL);
	for (i = from; i < p->groups.len && (n == 0 || g->file == NULL) &&
	    (g->file != NULL || pending_group(p, i)->root == root); i++)
		n++;
	goal_init(&goal);
	goal.environment = g->environment;
	if (pending_group(p, from)->remote != NULL)
		buf_append_str(&goal.remote, pending_group(p, from)->remote);
	if (goal_ask(a, pending_group(p, from)->file, n, &goal)) {
		for (i = from; i < from + n; i++)
			failed = pending_set_goal(a, pending_group(p, i)->file, &goal) == -1 ||
			    failed;
		if (failed)
			app_complain(a, "not enough memory");
		else
			app_notice(a, "goes to %s, read as %s",
			    model_show_path(a->model, goal.environment->path),
			    buf_cstr(&goal.remote));
	}
	goal_release(&goal);
	pending_build(a);
}

/* --- the left pane --- */

static void
pending_draw_root(const struct app *a, const struct pending_group *g, bool folded,
    const struct rect *l, unsigned int extra)
{
	char count[48];
	int x = l->x, used;

	snprintf(count, sizeof(count), "%zu", g->count);
	used = 1 + canvas_right(l->y, l->x, l->w - 1, STYLE_NOTE | extra, count);
	x += canvas_text(l->y, x, 1, STYLE_FILE | extra,
	    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN)) + 1;
	if (g->environment == NULL) {
		canvas_text(l->y, x, l->x + l->w - x - used - 1, STYLE_MARK | extra,
		    "where it goes is asked");
		return;
	}
	x += canvas_text(l->y, x, l->x + l->w - x - used - 1, STYLE_FILE | extra,
	    g->environment->name) + 1;
	if (l->x + l->w - x - used > 8 && l->w >= NARROW) {
		x += canvas_text(l->y, x, 1, STYLE_NOTE | extra, canvas_glyph(GLYPH_INTO)) + 1;
		canvas_tail(l->y, x, l->x + l->w - x - used - 2, STYLE_NOTE | extra,
		    model_show_path(a->model, g->environment->path));
	}
}

/* What the n-th group from one on is called, for cutting names where they differ. */
static bool
pending_name_at(const void *app, size_t row, int offset, struct buf *out)
{
	const struct app *a = app;
	const struct pending_group *g;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= a->pending->groups.len)
		return false;
	g = pending_group(a->pending, row + (size_t)offset);
	buf_append_str(out, g->file != NULL ? model_show_path(a->model, g->file->path) : "");
	return true;
}

static void
pending_draw_file(const struct app *a, size_t group, bool folded, const struct rect *l,
    unsigned int extra)
{
	const struct name_neighbours beside = { pending_name_at, a, group };
	const struct pending_group *g = pending_group(a->pending, group);
	int x = l->x + (l->w < NARROW ? 1 : 2);
	char count[48];
	struct buf name;
	int used;

	snprintf(count, sizeof(count), "%zu", g->count);
	used = 1 + canvas_right(l->y, l->x, l->w - 1, STYLE_NOTE | extra, count);
	x += canvas_text(l->y, x, 1, STYLE_FILE | extra,
	    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN)) + 1;
	buf_init(&name, NAME_MAX_BYTES);
	(void)pending_name_at(a, group, 0, &name);
	name_draw(l->y, x, l->x + l->w - x - used - 1, STYLE_FILE | extra, &name, &beside);
	buf_release(&name);
}

struct pending_siblings {
	const struct pending *pending;
	const struct pending_group *group;
};

static bool
pending_key_at(const void *siblings, size_t row, int offset, struct buf *out)
{
	const struct pending_siblings *s = siblings;
	const struct estate_entry *e;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= s->group->count)
		return false;
	e = &s->group->file->entries[pending_edit(s->pending, s->group,
	    row + (size_t)offset)->entry];
	name_append_short(e->key, e->key_len, out);
	return true;
}

static void
pending_draw_edit(const struct app *a, const struct outline_row *row, const struct rect *l,
    unsigned int extra)
{
	const struct pending_group *g = pending_group(a->pending, row->group);
	const enum pending_fate fate = pending_edit(a->pending, g, row->item)->fate;
	const struct pending_siblings siblings = { a->pending, g };
	const struct name_neighbours beside = { pending_key_at, &siblings, row->item };
	const bool off = fate == PENDING_OFF, collides = !off && fate != PENDING_ON;
	int x = l->x + (l->w < NARROW ? 0 : 4);
	struct buf key;
	int used = 0;

	if (l->w >= WORD_WIDTH)
		used = 2 + canvas_right(l->y, l->x, l->w - 1, (off ? STYLE_NOTE : collides ?
		    STYLE_DAMAGED : STYLE_MARK) | extra, off ? "off" : collides ? "collides" :
		    "seal");
	x += canvas_text(l->y, x, 3, STYLE_MARK | extra, off ? "[ ]" : "[x]") + 1;
	x += canvas_text(l->y, x, 1, (collides ? STYLE_DAMAGED : STYLE_CLEAR) | extra,
	    collides ? "X" : "!") + 1;
	buf_init(&key, NAME_MAX_BYTES);
	(void)pending_key_at(&siblings, row->item, 0, &key);
	name_draw(l->y, x, l->x + l->w - x - used, (off ? STYLE_TEXT : STYLE_CLEAR) | extra, &key,
	    &beside);
	buf_release(&key);
}

static void
pending_draw_row(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct outline *o = &a->pending->panes.left;
	const struct outline_row *row = outline_row(o, i);
	bool folded = outline_folded(o, row->group);

	if (row->item != OUTLINE_HEAD)
		pending_draw_edit(a, row, line, extra);
	else if (pending_group(a->pending, row->group)->file != NULL)
		pending_draw_file(a, row->group, folded, line, extra);
	else
		pending_draw_root(a, pending_group(a->pending, row->group), folded, line, extra);
}

static void
pending_draw_left(struct app *a)
{
	static const struct frame_rows rows = { .draw = pending_draw_row };
	const struct rect *head = &a->layout.left_head, *r = &a->layout.left;
	struct pending *p = a->pending;
	char text[128];

	if (head->h > 0) {
		snprintf(text, sizeof(text), "%zu %s in %zu %s", p->on,
		    p->on == 1 ? "edit" : "edits", p->files, p->files == 1 ? "file" : "files");
		if (p->off > 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %zu off",
			    p->off);
		if (p->collide > 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %zu %s",
			    p->collide, p->collide == 1 ? "collides" : "collide");
		canvas_text(head->y, head->x + 1, head->w - 2,
		    p->panes.right_active ? STYLE_NOTE : STYLE_HEAD, text);
	}
	if (p->groups.len == 0) {
		struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };

		canvas_wrapped(&room, r->y, STYLE_NOTE, "Nothing is pending. Space marks a value "
		    "among the files, a those of a file, A all that are shown.");
	}
	frame_draw_rows(a, &p->panes.left, r, !p->panes.right_active, &rows);
}

/* --- the right pane --- */

static void
pending_draw_line(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct pending_line *l = vec_at(&a->pending->lines, i);
	const char *last = strrchr(l->text, ' ');

	canvas_middle(line->y, line->x, line->w - 1, l->style | extra, l->text, strlen(l->text),
	    l->text[0] == ' ' && last != NULL ? (int)strlen(last) : 0);
}

static void
pending_draw_right(struct app *a)
{
	static const struct frame_rows rows = { .draw = pending_draw_line };
	const struct rect *head = &a->layout.right_head;
	struct pending *p = a->pending;

	if (head->h > 0)
		canvas_text(head->y, head->x + 1, head->w - 2,
		    p->panes.right_active ? STYLE_HEAD : STYLE_NOTE, "After the apply");
	frame_draw_rows(a, &p->panes.right, &a->layout.right, p->panes.right_active, &rows);
}

/* --- the detail --- */

/* Why it is left out, and the ways out. */
static void
pending_say_collides(const struct app *a, struct words *w, const struct pending_group *g,
    const struct pending_edit *edit)
{
	const struct estate_file *other = pending_other(a, g, edit);
	const char *into = model_show_path(a->model, g->environment->path);

	if (edit->fate == PENDING_NAMESAKE)
		buf_printf(&w->text, "Collides with %s, which has the same base name and goes to "
		    "%s, too: both would use the same sealed entries. This one is left out",
		    other != NULL ? model_show_path(a->model, other->path) : "another file", into);
	else if (other != NULL)
		buf_printf(&w->text, "Collides with %s: it uses the entry of this name in %s, "
		    "which has another value. This one is left out",
		    model_show_path(a->model, other->path), into);
	else
		buf_printf(&w->text, "Collides with an entry of this name in %s, with another "
		    "value, that no other file uses. This one is left out", into);
	buf_printf(&w->text, " and stays clear; %s applies the others. %s sends it to another "
	    "secrets file%s", KEY(ACTION_APPLY), KEY(ACTION_UPDATE),
	    edit->fate != PENDING_NAMESAKE ? "." : ", and with the other one off it goes.");
}

static void
pending_say_edit(const struct app *a, struct words *w, const struct pending_group *g,
    const struct pending_edit *edit)
{
	const struct estate_entry *e = &g->file->entries[edit->entry];
	const char *bullet = canvas_glyph(GLYPH_BULLET);
	int i;

	buf_printf(&w->place, ":%zu", e->line);
	name_append_short(e->key, e->key_len, &w->name);
	if (edit->fate == PENDING_TAKEN || edit->fate == PENDING_NAMESAKE) {
		pending_say_collides(a, w, g, edit);
		return;
	}
	buf_append_char(&w->text, '-');
	buf_append(&w->text, e->key, e->key_len);
	buf_append_char(&w->text, '=');
	for (i = 0; i < 8; i++)
		buf_append_str(&w->text, bullet);
	buf_append_str(&w->text, "\n+");
	buf_append(&w->text, e->key, e->key_len);
	if (g->environment == NULL || g->remote == NULL) {
		buf_append_str(&w->text, "=, sealed; where it goes is asked.");
	} else {
		buf_printf(&w->text, "=${securepass:%s:%s/", g->remote,
		    file_basename(g->file->path));
		buf_append(&w->text, e->key, e->key_len);
		buf_append_char(&w->text, '}');
	}
	if (edit->fate == PENDING_OFF)
		buf_append_str(&w->text, "\nSwitched off: it stays in the list, and is not "
		    "applied.");
}

static void
pending_say(struct app *a, struct words *w)
{
	const struct pending_group *g = pending_here(a);
	const struct estate_entry *e = pending_edit_here(a);

	if (g == NULL)
		return;
	if (g->environment != NULL)
		buf_append_str(&w->place, g->environment->name);
	if (g->file != NULL)
		buf_printf(&w->place, "%s%s%s%s", w->place.len > 0 ? " " : "",
		    w->place.len > 0 ? canvas_glyph(GLYPH_INTO) : "", w->place.len > 0 ? " " : "",
		    model_show_path(a->model, g->file->path));
	if (e != NULL) {
		pending_say_edit(a, w, g, pending_edit(a->pending, g,
		    outline_at(&a->pending->panes.left)->item));
		return;
	}
	buf_printf(&w->text, "%zu of %zu %s on. ", g->on, g->count,
	    g->count == 1 ? "edit is" : "edits are");
	if (g->environment == NULL) {
		buf_append_str(&w->text, "No reference and no propseal.ini says where they go: it "
		    "is asked, or say so now.");
		return;
	}
	buf_printf(&w->text, "The secrets file is %s (%s)",
	    model_show_path(a->model, g->environment->path),
	    g->environment->master != NULL ? "open" : "locked");
	if (g->remote != NULL)
		buf_printf(&w->text, ", read by services as %s", g->remote);
	buf_append_char(&w->text, '.');
}

/* --- the view --- */

static void
pending_title(struct app *a, struct buf *where, struct buf *state)
{
	views[VIEW_FILES]->title(a, where, state);
}

static void
pending_counts(struct app *a, const struct rect *r, int w)
{
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, marks_count(a->model->marks) > 0 ?
	    "Nothing is written yet." : "");
}

static struct panes *
pending_panes(struct app *a)
{
	return &a->pending->panes;
}

static size_t
pending_count(const struct app *a)
{
	return marks_count(a->model->marks);
}

const struct view_ops view_pending = {
	.name = "pending",
	.shows = ACTION_VIEW_PENDING,
	.count = pending_count,
	.only_here = "this is for the pending set",
	.panes = pending_panes,
	.entered = pending_build,
	.changed = pending_restore,
	.is_due = pending_is_due,
	.tick = pending_check,
	.title = pending_title,
	.draw_left = pending_draw_left,
	.draw_right = pending_draw_right,
	.draw_counts = pending_counts,
	.say = pending_say,
};
