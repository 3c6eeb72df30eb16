#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/files.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/outline.h"

const char *
act_needs_left(const struct app *a)
{
	return a->files->panes.right_active ? "marks are set in the left pane" : NULL;
}

const char *
act_needs_markable(const struct app *a)
{
	if (a->files->panes.left.ranging)
		return NULL;
	return selection_get(a).kind == SELECTION_FILE ? act_needs_file_clear(a) :
	    selection_needs_plain(a);
}

/* Is it a secret in clear text that the filter shows? */
static bool
is_markable(const struct app *a, const struct estate_entry *e)
{
	return model_is_clear(e) && files_passes_entry(a->files->panes.left.filter, e);
}

const char *
act_needs_clear(const struct app *a)
{
	if (a->model->counts.clear == 0)
		return a->model->looked ? "there is no secret in clear text" : STILL_LOOKING;
	return a->files->panes.left.filter == FILES_PROBLEMS ?
	    "the filter hides what is in clear text" : NULL;
}

const char *
act_needs_file_clear(const struct app *a)
{
	const char *why = selection_needs_file(a);
	struct selection s = selection_get(a);
	size_t i;

	for (i = 0; why == NULL && i < s.file->count; i++)
		if (is_markable(a, &s.file->entries[i]))
			return NULL;
	return why != NULL ? why : "no secret in clear text of this file is shown";
}

const char *
act_needs_marks(const struct app *a)
{
	return marks_count(a->model->marks) == 0 ? "nothing is marked" : NULL;
}

static void
mark_set(struct app *a, const struct estate_file *f, const struct estate_entry *e, bool on)
{
	if (marks_set(a->model->marks, f->path, e->key, e->key_len, on) == -1)
		app_complain(a, "not enough memory");
}

static bool
is_marked(const struct app *a, const struct estate_file *f, const struct estate_entry *e)
{
	return marks_has(a->model->marks, f->path, e->key, e->key_len);
}

/* Mark the clear-text secrets of a file that the filter shows; how many were not marked before. */
static size_t
mark_file(struct app *a, const struct estate_file *f)
{
	size_t before = marks_count(a->model->marks);
	size_t i;

	for (i = 0; i < f->count; i++)
		if (is_markable(a, &f->entries[i]) && model_can_seal(&f->entries[i]))
			mark_set(a, f, &f->entries[i], true);
	return marks_count(a->model->marks) - before;
}

static void
unmark_file(struct app *a, const struct estate_file *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (is_marked(a, f, &f->entries[i]))
			mark_set(a, f, &f->entries[i], false);
}

/* The first time all of a file is marked, the next time nothing of it. */
static void
toggle_file(struct app *a, const struct estate_file *f)
{
	if (mark_file(a, f) == 0)
		unmark_file(a, f);
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
		f = estate_file(a->model->estate, row->group);
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
	if (s.kind == SELECTION_FILE)
		toggle_file(a, s.file);
	else
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
	app_notice(a, "range: move, then %s marks it, %s ends it",
	    keymap_key_of(ACTION_MARK, mark), keymap_key_of(ACTION_CANCEL, cancel));
}

void
act_mark_file(struct app *a)
{
	struct selection s = selection_get(a);

	if (mark_file(a, s.file) == 0)
		app_notice(a, "nothing more to mark in this file");
}

void
act_mark_all(struct app *a)
{
	const struct estate *e = a->model->estate;
	size_t files = 0;
	size_t i;

	for (i = 0; i < estate_count(e); i++)
		files += mark_file(a, estate_file(e, i)) > 0;
	app_notice(a, "marked more in %zu %s", files, files == 1 ? "file" : "files");
}

void
act_unmark(struct app *a)
{
	marks_clear(a->model->marks);
	app_notice(a, "no marks");
}
