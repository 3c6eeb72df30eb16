#include <stdio.h>
#include <string.h>

#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/field.h"
#include "ui/files.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/term.h"
#include "ui/view.h"

const char *
act_needs_left(const struct app *a)
{
	return a->files->panes.right_active ? "marks are set in the left pane" : NULL;
}

/* Is it a secret in clear text that the filter shows?  ${group}: the file's row of the tree. */
static bool
is_markable(const struct app *a, size_t group, size_t item)
{
	const struct estate_file *f = tree_row(&a->model->tree, group)->file;

	return entry_is_clear(&f->entries[item]) &&
	    outline_passes(&a->files->panes.left, group, item);
}

const char *
act_needs_clear(const struct app *a)
{
	if (a->model->tree.tally.clear == 0)
		return a->model->looked ? "there is no secret in clear text" : STILL_LOOKING;
	return a->files->panes.left.filter == FILES_PROBLEMS ?
	    "the filter hides what is in clear text" : NULL;
}

const char *
act_needs_file_clear(const struct app *a)
{
	struct selection s = selection_get(a);
	const char *why;
	size_t i;

	if (s.kind == SELECTION_ENVIRONMENT)
		return act_needs_clear(a) == NULL && s.root->tally.clear == 0 ?
		    "no secret in clear text is here" : act_needs_clear(a);
	why = selection_needs_file(a);
	for (i = 0; why == NULL && i < s.file->count; i++)
		if (is_markable(a, outline_at(&a->files->panes.left)->group, i))
			return NULL;
	return why != NULL ? why : "no secret in clear text of this file is shown";
}

const char *
act_needs_markable(const struct app *a)
{
	enum selection_kind kind = selection_get(a).kind;

	if (a->files->panes.left.ranging)
		return NULL;
	return kind == SELECTION_FILE || kind == SELECTION_ENVIRONMENT ? act_needs_file_clear(a) :
	    selection_needs_plain(a);
}

const char *
act_needs_marks(const struct app *a)
{
	return marks_count(a->model->marks) == 0 ? "nothing is marked" : NULL;
}

const char *
act_needs_pending(const struct app *a)
{
	if (act_needs_marks(a) != NULL)
		return act_needs_marks(a);
	return marks_count(a->model->off) == marks_count(a->model->marks) ?
	    "all that is pending is switched off" : NULL;
}

static void
mark_set(struct app *a, const struct estate_file *f, const struct estate_entry *e, bool on)
{
	if (model_mark(a->model, f, e, on) == -1)
		app_complain(a, "not enough memory");
}

static bool
is_marked(const struct app *a, const struct estate_file *f, const struct estate_entry *e)
{
	return marks_has(a->model->marks, f->path, e->key, e->key_len);
}

/* Mark the clear-text secrets of a file that the filter shows. */
static void
mark_file(struct app *a, size_t group)
{
	const struct estate_file *f = tree_row(&a->model->tree, group)->file;
	size_t i;

	for (i = 0; i < f->count; i++)
		if (is_markable(a, group, i) && model_can_seal(&f->entries[i]))
			mark_set(a, f, &f->entries[i], true);
}

static void
unmark_file(struct app *a, size_t group)
{
	const struct estate_file *f = tree_row(&a->model->tree, group)->file;
	size_t i;

	for (i = 0; i < f->count; i++)
		if (is_marked(a, f, &f->entries[i]))
			mark_set(a, f, &f->entries[i], false);
}

/* Mark the file that the cursor is in, or all below the environment that it is
 * on; how many were not marked before. */
static size_t
mark_here(struct app *a, void (*each)(struct app *a, size_t group))
{
	const struct tree *t = &a->model->tree;
	size_t row = outline_at(&a->files->panes.left)->group;
	size_t last = tree_row(t, row)->file != NULL ? row :
	    row + tree_root(t, tree_row(t, row)->root)->tally.files;
	size_t before = marks_count(a->model->marks);

	for (; row <= last; row++)
		if (tree_row(t, row)->file != NULL)
			each(a, row);
	return marks_count(a->model->marks) - before;
}

static void
mark_range(struct app *a)
{
	struct outline *o = &a->files->panes.left;
	size_t from = o->range_from < o->list.cursor ? o->range_from : o->list.cursor;
	size_t to = o->range_from < o->list.cursor ? o->list.cursor : o->range_from;
	const struct estate_file *f;
	const struct outline_row *row;

	for (; from <= to && from < o->rows.len; from++) {
		row = outline_row(o, from);
		f = tree_row(&a->model->tree, row->group)->file;
		if (row->item != OUTLINE_HEAD && model_can_seal(&f->entries[row->item]))
			mark_set(a, f, &f->entries[row->item], true);
	}
	o->ranging = false;
	app_notice(a, "%zu marked", marks_count(a->model->marks));
}

void
act_mark(struct app *a)
{
	struct selection s = selection_get(a);

	if (a->files->panes.left.ranging) {
		mark_range(a);
		return;
	}
	/* The first time all of it is marked, the next time nothing. */
	if (s.kind != SELECTION_ENTRY && mark_here(a, mark_file) == 0)
		(void)mark_here(a, unmark_file);
	else if (s.kind == SELECTION_ENTRY)
		mark_set(a, s.file, s.entry, !is_marked(a, s.file, s.entry));
	act_down(a);
}

void
act_range(struct app *a)
{
	char mark[KEYMAP_NAME_MAX], cancel[KEYMAP_NAME_MAX];
	struct outline *o = &a->files->panes.left;

	if (o->ranging) {
		mark_range(a);
		return;
	}
	o->ranging = true;
	o->range_from = o->list.cursor;
	a->files->range_of = a->model->changes;
	app_notice(a, "range: move, then %s marks it, %s ends it",
	    keymap_key_of(ACTION_MARK, mark), keymap_key_of(ACTION_CANCEL, cancel));
}

void
act_mark_file(struct app *a)
{
	if (mark_here(a, mark_file) == 0)
		app_notice(a, "nothing more to mark here");
}

void
act_mark_all(struct app *a)
{
	const struct tree *t = &a->model->tree;
	const size_t first = marks_count(a->model->marks);
	size_t i, before, files = 0;

	for (i = 0; i < t->rows.len; i++) {
		before = marks_count(a->model->marks);
		if (tree_row(t, i)->file != NULL)
			mark_file(a, i);
		files += marks_count(a->model->marks) > before;
	}
	app_notice(a, "%zu marked more in %zu %s", marks_count(a->model->marks) - first, files,
	    files == 1 ? "file" : "files");
}

void
act_unmark(struct app *a)
{
	marks_clear(a->model->marks);
	marks_clear(a->model->off);
	app_notice(a, "no marks");
}

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
