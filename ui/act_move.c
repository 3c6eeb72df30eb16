#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/edit.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/registry.h"
#include "ui/term.h"

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
search_matches(const char *text, size_t n, const char *needle)
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
		return search_matches(path, strlen(path), a->browser->search);
	return search_matches(f->entries[row->entry].key, f->entries[row->entry].key_len,
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
		if (search_matches(f->entries[k].key, f->entries[k].key_len, a->browser->search))
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
	return search_matches(name, len, a->browser->search);
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

	return search_matches(name, strlen(name), a->browser->search);
}

/* Does a folded path hide a key that matches?  Then it is unfolded. */
static bool
unfold_path(struct app *a, size_t i)
{
	const struct registry_row *row = vec_at(&a->registry->rows, i);
	size_t k;

	for (k = 0; row->key == NULL && !row->path->unfolded && k < row->path->keys.len; k++) {
		const char *name = registry_key_at(row->path, k)->name;

		if (search_matches(name, strlen(name), a->browser->search)) {
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
search_find(struct app *a, size_t from, bool back)
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
			return search_find(a, i, false);
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

	if (!search_find(a, from, back))
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
search_draw(struct view *v, struct app *a)
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
search_key(struct view *v, struct app *a, uint32_t k)
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
		s->found = search_find(a, s->before, false);
	}
}

void
act_search(struct app *a)
{
	struct search s;

	memset(&s, 0, sizeof(s));
	s.view.draw = search_draw;
	s.view.key = search_key;
	s.before = list_of(a)->cursor;
	s.left = a->browser->left.cursor;
	s.right = a->browser->right.cursor;
	s.found = true;
	line_edit_set(&s.line, "");
	(void)loop_run(a, &s.view);
}

void
act_other_view(struct app *a)
{
	struct registry *r = a->registry;

	a->in_registry = !a->in_registry;
	if (!a->in_registry)
		return;
	/* Files may have changed since the view was shown last. */
	registry_uses_restart(&r->uses);
	registry_names_forget_uses(&r->names);
	if (r->source != NULL && r->known == REGISTRY_UNKNOWN && registry_unavailable(r) != NULL)
		(void)act_registry_ready(a);
}

static void
registry_move(struct app *a, uint32_t key)
{
	struct registry *r = a->registry;

	if (r->right_active) {
		list_key(&r->right, key);
	} else {
		list_key(&r->left, key);
		registry_rows_moved(r);
	}
}

void
act_registry_down(struct app *a)
{
	registry_move(a, INPUT_DOWN);
}

void
act_registry_up(struct app *a)
{
	registry_move(a, INPUT_UP);
}

void
act_registry_page_down(struct app *a)
{
	registry_move(a, INPUT_PAGE_DOWN);
}

void
act_registry_page_up(struct app *a)
{
	registry_move(a, INPUT_PAGE_UP);
}

void
act_registry_first(struct app *a)
{
	registry_move(a, INPUT_HOME);
}

void
act_registry_last(struct app *a)
{
	registry_move(a, INPUT_END);
}

void
act_registry_other_pane(struct app *a)
{
	a->registry->right_active = !a->registry->right_active;
}

/* Fold or unfold the path that the cursor is in. */
static void
registry_fold(struct app *a, bool folded)
{
	struct registry *r = a->registry;
	struct registry_selection s = registry_selected(r);

	if (s.path == NULL || s.path->unfolded == !folded)
		return;
	s.path->unfolded = !folded;
	registry_rows_go(r, s.path->name, NULL);
}

void
act_registry_unfold(struct app *a)
{
	registry_fold(a, false);
}

void
act_registry_fold(struct app *a)
{
	registry_fold(a, true);
}

static void
registry_fold_all(struct app *a, bool folded)
{
	struct registry *r = a->registry;
	size_t i;

	for (i = 0; i < r->names.paths.len; i++)
		registry_path_at(&r->names, i)->unfolded = !folded;
	registry_rows_build(r);
	registry_rows_moved(r);
}

void
act_registry_unfold_all(struct app *a)
{
	registry_fold_all(a, false);
}

void
act_registry_fold_all(struct app *a)
{
	registry_fold_all(a, true);
}

/* To the entry of a configuration file, in its view. */
static void
go_to_use(struct app *a, const struct registry_use *u)
{
	browser_remember(a->browser, a);
	(void)tree_fold(&a->model->tree, u->file, false);
	a->model->tree.filter = TREE_ALL;
	(void)model_rebuild(a->model, NULL);
	a->browser->right_active = false;
	a->browser->ranging = false;
	browser_go(a->browser, a, u->file, u->entry, u->entry_len);
	a->in_registry = false;
}

void
act_registry_open(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.use != NULL)
		go_to_use(a, s.use);
	else if (s.key == NULL && s.path != NULL)
		registry_fold(a, s.path->unfolded);
	else if (!a->registry->right_active && s.key != NULL)
		a->registry->right_active = true;
}

void
act_registry_cancel(struct app *a)
{
	a->registry->marked = 0;
}

void
act_registry_refresh(struct app *a)
{
	registry_refresh(a->registry);
	if (a->registry->source != NULL && registry_unavailable(a->registry) != NULL)
		(void)act_registry_ready(a);
	else
		app_notice(a, "asking anew");
}

#define PATH_MAX_BYTES 4096

static void
move_move(struct app *a, uint32_t key)
{
	struct browser *b = a->browser;

	list_key(b->right_active ? &b->right : &b->left, key);
	browser_moved(b, a);
}

void
act_down(struct app *a)
{
	move_move(a, INPUT_DOWN);
}

void
act_up(struct app *a)
{
	move_move(a, INPUT_UP);
}

void
act_page_down(struct app *a)
{
	move_move(a, INPUT_PAGE_DOWN);
}

void
act_page_up(struct app *a)
{
	move_move(a, INPUT_PAGE_UP);
}

void
act_first(struct app *a)
{
	move_move(a, INPUT_HOME);
}

void
act_last(struct app *a)
{
	move_move(a, INPUT_END);
}

void
act_other_pane(struct app *a)
{
	a->browser->right_active = !a->browser->right_active;
	a->browser->ranging = false;
}

/* Make the rows anew, the cursor where it was. */
static void
rebuild(struct app *a)
{
	struct error err;

	if (model_rebuild(a->model, &err) == -1)
		app_complain(a, "%s", err.text);
	browser_restore(a->browser, a);
}

/* Fold or unfold the file that the cursor is in. */
static void
move_fold(struct app *a, bool folded)
{
	struct selection s = selection_get(a);

	if (s.file == NULL || s.file->count == 0 || tree_folded(&a->model->tree, s.file->path) ==
	    folded)
		return;
	browser_remember(a->browser, a);
	if (tree_fold(&a->model->tree, s.file->path, folded) == -1)
		app_complain(a, "not enough memory");
	rebuild(a);
}

void
act_unfold(struct app *a)
{
	move_fold(a, false);
}

void
act_fold(struct app *a)
{
	move_fold(a, true);
}

static void
move_fold_all(struct app *a, bool folded)
{
	browser_remember(a->browser, a);
	tree_fold_all(&a->model->tree, folded);
	rebuild(a);
}

void
act_unfold_all(struct app *a)
{
	move_fold_all(a, false);
}

void
act_fold_all(struct app *a)
{
	move_fold_all(a, true);
}

static void
move_open_secrets(struct app *a, const char *path)
{
	struct error err;
	int rc;

	browser_remember(a->browser, a);
	rc = model_open_secrets(a->model, path, &err);
	rebuild(a);
	if (rc == -1)
		tell_error(a, "The secrets file cannot be used", &err);
	else if (a->model->secrets == NULL)
		app_complain(a, "there is no file %s yet", path);
	else
		app_notice(a, "%s is open on the right",
		    model_show_path(a->model, a->model->secrets_path));
}

void
act_open_secrets(struct app *a)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	if (a->model->secrets_path != NULL)
		buf_append_str(&path, a->model->secrets_path);
	else
		(void)model_referred_path(a->model, &path);
	if (ask_text(a, "Open a secrets file", "The secrets file that is shown on the right, "
	    "and that sealed values go to.", "File:", &path) && path.len > 0)
		move_open_secrets(a, buf_cstr(&path));
	buf_release(&path);
}

/* From an entry to what it refers to, or back. */
static void
go_to_counterpart(struct app *a, const struct selection *s)
{
	const struct estate_entry *e;
	const struct estate_file *f;

	if (s->name == NULL) {
		app_complain(a, "this entry refers to no sealed entry");
		return;
	}
	if (s->kind == SELECTION_SEALED) {
		if (!selection_referrer(a, s->name, s->name_len, 0, &f, &e)) {
			app_complain(a, "no configuration file refers to this entry");
			return;
		}
		browser_remember(a->browser, a);
		(void)tree_fold(&a->model->tree, f->path, false);
		rebuild(a);
	} else if (s->entry->state == STATE_DANGLING || a->model->secrets == NULL) {
		app_complain(a, "the secrets file has no entry of this name");
		return;
	}
	browser_moved(a->browser, a);
	act_other_pane(a);
}

void
act_open(struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_FILE && s.file->is_secrets_file)
		move_open_secrets(a, s.file->path);
	else if (s.kind == SELECTION_FILE)
		move_fold(a, !tree_folded(&a->model->tree, s.file->path));
	else if (s.kind != SELECTION_NOTHING)
		go_to_counterpart(a, &s);
}

static void
set_filter(struct app *a, enum tree_filter filter)
{
	browser_remember(a->browser, a);
	a->model->tree.filter = filter;
	a->browser->ranging = false;
	rebuild(a);
}

void
act_filter(struct app *a)
{
	enum tree_filter now = a->model->tree.filter;

	set_filter(a, now == TREE_PROBLEMS ? TREE_ALL : now + 1);
	app_notice(a, "showing %s", now == TREE_ALL ? "secrets and references" :
	    tree_filter_name(a->model->tree.filter));
}

void
act_cancel(struct app *a)
{
	if (a->browser->ranging)
		a->browser->ranging = false;
	else if (a->model->tree.filter != TREE_ALL)
		set_filter(a, TREE_ALL);
}
