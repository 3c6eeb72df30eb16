#include <string.h>

#include "base/text.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/event.h"
#include "ui/line_edit.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/style.h"
#include "ui/tree.h"
#include "ui/view.h"

struct search {
	struct view view;
	struct line_edit line;
	size_t before;		/* the cursor */
	size_t left, right;	/* both cursors of the files' view */
	bool found;
};

const char *
act_needs_search(const struct app *a)
{
	return a->browser->search[0] == '\0' ? "nothing was searched for" : NULL;
}

static bool
matches(const char *text, size_t n, const char *needle)
{
	return needle[0] != '\0' && text_contains_nocase(text, n, needle);
}

static bool
row_matches(const struct app *a, size_t i)
{
	const struct model *m = a->model;
	const struct tree_row *row = tree_row(&m->tree, i);
	const struct estate_file *f = estate_file(m->estate, row->file);
	const char *path = model_show_path(m, f->path);

	if (row->entry == TREE_NO_ENTRY)
		return matches(path, strlen(path), a->browser->search);
	return matches(f->entries[row->entry].key, f->entries[row->entry].key_len,
	    a->browser->search);
}

/* Does a folded file hide an entry that matches? */
static bool
hides_match(const struct app *a, size_t i)
{
	const struct model *m = a->model;
	const struct tree_row *row = tree_row(&m->tree, i);
	const struct estate_file *f = estate_file(m->estate, row->file);
	size_t k;

	if (row->entry != TREE_NO_ENTRY || !tree_folded(&m->tree, f->path))
		return false;
	for (k = 0; k < f->count; k++)
		if (matches(f->entries[k].key, f->entries[k].key_len, a->browser->search))
			return true;
	return false;
}

static bool
sealed_matches(const struct app *a, size_t i)
{
	const char *name;
	size_t len;

	name = document_key(secrets_file_document(a->model->secrets),
	    *(size_t *)vec_at(&a->model->sealed, i), &len);
	return matches(name, len, a->browser->search);
}

static void
unfold_row(struct app *a, size_t i)
{
	const struct tree_row *row = tree_row(&a->model->tree, i);

	browser_remember(a->browser, a);
	(void)tree_fold(&a->model->tree, estate_file(a->model->estate, row->file)->path, false);
	(void)model_rebuild(a->model, NULL);
	browser_restore(a->browser, a);
	a->browser->left.count = tree_count(&a->model->tree);
}

/* The list that is searched. */
static struct list *
list_of(struct app *a)
{
	if (a->in_registry)
		return &a->registry->left;
	return a->browser->right_active ? &a->browser->right : &a->browser->left;
}

static void
moved(struct app *a)
{
	if (a->in_registry)
		registry_rows_moved(a->registry);
	else
		browser_moved(a->browser, a);
}

static bool
registry_row_matches(const struct app *a, size_t i)
{
	const struct registry_row *row = vec_at(&a->registry->rows, i);
	const char *name = row->key != NULL ? row->key->name : row->path->name;

	return matches(name, strlen(name), a->browser->search);
}

/* Does a folded path hide a key that matches?  Then it is unfolded. */
static bool
unfold_path(struct app *a, size_t i)
{
	const struct registry_row *row = vec_at(&a->registry->rows, i);
	size_t k;

	for (k = 0; row->key == NULL && !row->path->unfolded && k < row->path->keys.len; k++) {
		const char *name = registry_key_at(row->path, k)->name;

		if (matches(name, strlen(name), a->browser->search)) {
			row->path->unfolded = true;
			registry_rows_build(a->registry);
			return true;
		}
	}
	return false;
}

static bool
find_in_registry(struct app *a, size_t from, bool back)
{
	struct list *l = list_of(a);
	size_t step, i;

	for (step = 0; step < l->count; step++) {
		i = (back ? from + l->count - step : from + step) % l->count;
		if (registry_row_matches(a, i)) {
			a->registry->right_active = false;
			list_go(l, i);
			moved(a);
			return true;
		}
		if (!back && unfold_path(a, i))
			return find_in_registry(a, i, false);
	}
	return false;
}

/* Go to the first match from row ${from} on, or back; around the ends. */
static bool
find(struct app *a, size_t from, bool back)
{
	bool right = a->browser->right_active;
	struct list *l = list_of(a);
	size_t count = l->count;
	size_t step, i;

	if (a->in_registry)
		return find_in_registry(a, from, back);
	for (step = 0; step < count; step++) {
		i = (back ? from + count - step : from + step) % count;
		if (!right && !back && hides_match(a, i) && !row_matches(a, i)) {
			unfold_row(a, i);
			return find(a, i, false);
		}
		if (right ? sealed_matches(a, i) : row_matches(a, i)) {
			list_go(l, i);
			browser_moved(a->browser, a);
			return true;
		}
	}
	return false;
}

static void
next_match(struct app *a, bool back)
{
	const struct list *l = list_of(a);
	size_t from = l->count == 0 ? 0 : (l->cursor + (back ? l->count - 1 : 1)) % l->count;

	if (!find(a, from, back))
		app_complain(a, "no match for \"%s\"", a->browser->search);
}

void
act_next(struct app *a)
{
	next_match(a, false);
}

void
act_previous(struct app *a)
{
	next_match(a, true);
}

static void
draw(struct view *v, struct app *a)
{
	struct search *s = (struct search *)v;
	const struct rect *r = &a->layout.footer;

	canvas_fill(r->y, 0, r->w, STYLE_TEXT);
	canvas_text(r->y, 1, r->w, STYLE_KEY, "/");
	line_edit_draw(&s->line, r->y, 2, s->found || r->w < 30 ? r->w - 3 : r->w - 14);
	if (!s->found && s->line.len > 0 && r->w >= 30)
		canvas_right(r->y, r->w - 11, 10, STYLE_ERROR, "no match");
}

/* What is typed becomes the needle, in lower case as text_contains_nocase has it. */
static void
take_needle(struct app *a, const struct line_edit *l)
{
	size_t i;

	for (i = 0; i < l->len && i + 1 < sizeof(a->browser->search); i++)
		a->browser->search[i] = l->text[i] >= 'A' && l->text[i] <= 'Z' ?
		    (char)(l->text[i] + ('a' - 'A')) : l->text[i];
	a->browser->search[i] = '\0';
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	struct search *s = (struct search *)v;

	if (k == INPUT_ENTER) {
		v->done = true;
	} else if (k == INPUT_ESCAPE) {
		list_go(list_of(a), s->before);
		if (!a->in_registry) {
			list_go(&a->browser->left, s->left);
			list_go(&a->browser->right, s->right);
		}
		moved(a);
		v->done = true;
	} else if (line_edit_key(&s->line, k)) {
		take_needle(a, &s->line);
		s->found = find(a, s->before, false);
	}
}

void
act_search(struct app *a)
{
	struct search s;

	memset(&s, 0, sizeof(s));
	s.view.draw = draw;
	s.view.key = key;
	s.before = list_of(a)->cursor;
	s.left = a->browser->left.cursor;
	s.right = a->browser->right.cursor;
	s.found = true;
	line_edit_set(&s.line, "");
	(void)loop_run(a, &s.view);
}
