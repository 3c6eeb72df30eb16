#include "ui/browser.h"

#include <stdlib.h>
#include <string.h>

#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/detail.h"
#include "ui/event.h"
#include "ui/keymap.h"
#include "ui/lock_screen.h"
#include "ui/model.h"
#include "ui/pane_files.h"
#include "ui/pane_secrets.h"
#include "ui/registry.h"
#include "ui/registry_view.h"
#include "ui/reveal.h"
#include "ui/selection.h"
#include "ui/status.h"
#include "ui/tree.h"

static void
draw(struct view *v, struct app *a)
{
	struct browser *b = (struct browser *)v;
	const struct layout *l = &a->layout;

	status_draw_title(a);
	if (a->in_registry) {
		registry_view_draw(a);
		status_draw(a);
		return;
	}
	if (l->two_panes || !b->right_active)
		pane_files_draw(a);
	if (l->two_panes || b->right_active)
		pane_secrets_draw(a);
	if (l->two_panes)
		canvas_vline(l->left_head.h > 0 ? l->left_head.y : l->left.y, l->right.x - 1,
		    l->left.h + l->left_head.h);
	status_draw(a);
	detail_draw(a);
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	bool was_shown = reveal_hide(a->reveal);
	enum action_id id = keymap_find(k);

	(void)v;
	/* The key that reveals masks as well. */
	if (was_shown && (id == ACTION_REVEAL || id == ACTION_CANCEL))
		return;
	if (id != ACTION_COUNT)
		keymap_run(a, id);
}

void
browser_init(struct browser *b)
{
	memset(b, 0, sizeof(*b));
	b->view.draw = draw;
	b->view.key = key;
}

static void
forget_left(struct browser *b)
{
	free(b->held_path);
	free(b->held_key);
	b->held_path = b->held_key = NULL;
}

static void
forget_right(struct browser *b)
{
	free(b->held_name);
	b->held_name = NULL;
}

void
browser_release(struct browser *b)
{
	forget_left(b);
	forget_right(b);
}

static char *
copy(const char *bytes, size_t n)
{
	char *p = malloc(n + 1);

	if (p != NULL) {
		memcpy(p, bytes, n);
		p[n] = '\0';
	}
	return p;
}

static void
remember_left(struct browser *b, const struct model *m)
{
	const struct estate_entry *e;
	const struct estate_file *f;
	const struct tree_row *row;

	if (b->left.cursor >= tree_count(&m->tree))
		return;
	forget_left(b);
	row = tree_row(&m->tree, b->left.cursor);
	f = estate_file(m->estate, row->file);
	b->held_path = strdup(f->path);
	if (row->entry == TREE_NO_ENTRY)
		return;
	e = &f->entries[row->entry];
	b->held_key = copy(e->key, e->key_len);
	b->held_key_len = e->key_len;
	b->held_line = e->line;
}

static void
remember_right(struct browser *b, const struct model *m)
{
	const char *name;

	forget_right(b);
	if (m->secrets == NULL || b->right.cursor >= m->sealed.len)
		return;
	name = document_key(secrets_file_document(m->secrets),
	    *(size_t *)vec_at(&m->sealed, b->right.cursor), &b->held_name_len);
	b->held_name = copy(name, b->held_name_len);
}

void
browser_remember(struct browser *b, const struct app *a)
{
	remember_left(b, a->model);
	remember_right(b, a->model);
}

/* The entry of the held key: on the held line, else the first of that key.
 * When the key is gone, what stands there now. */
static size_t
held_entry(const struct browser *b, const struct estate_file *f)
{
	size_t same = TREE_NO_ENTRY;
	size_t near = TREE_NO_ENTRY;
	size_t i;

	for (i = 0; b->held_key != NULL && i < f->count; i++) {
		if (near == TREE_NO_ENTRY || f->entries[near].line < b->held_line)
			near = i;
		if (f->entries[i].key_len != b->held_key_len ||
		    memcmp(f->entries[i].key, b->held_key, b->held_key_len) != 0)
			continue;
		if (same == TREE_NO_ENTRY || f->entries[i].line == b->held_line)
			same = i;
	}
	return same != TREE_NO_ENTRY ? same : near;
}

static void
restore_left(struct browser *b, const struct model *m)
{
	size_t i;

	b->left.count = tree_count(&m->tree);
	for (i = 0; b->held_path != NULL && i < estate_count(m->estate); i++) {
		const struct estate_file *f = estate_file(m->estate, i);
		size_t row;

		if (strcmp(f->path, b->held_path) != 0)
			continue;
		row = tree_find(&m->tree, i, held_entry(b, f));
		if (row < b->left.count)
			b->left.cursor = row;
		break;
	}
	list_fit(&b->left, b->left.count, b->left.height);
}

/* The row of a document entry: rows are in the document's order. */
static size_t
sealed_row(const struct model *m, size_t entry)
{
	size_t from = 0, to = m->sealed.len, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (*(size_t *)vec_at(&m->sealed, mid) < entry)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool
go_to_sealed(struct browser *b, const struct model *m, const char *name, size_t len)
{
	size_t entry;

	if (m->secrets == NULL)
		return false;
	entry = secrets_file_find(m->secrets, name, len);
	if (entry == DOCUMENT_NONE || !secrets_file_is_sealed(m->secrets, entry))
		return false;
	b->right.count = m->sealed.len;
	list_go(&b->right, sealed_row(m, entry));
	return true;
}

void
browser_restore(struct browser *b, struct app *a)
{
	const struct model *m = a->model;
	size_t rows = b->left.count;

	restore_left(b, m);
	list_fit(&b->right, m->sealed.len, b->right.height);
	if (b->held_name != NULL)
		go_to_sealed(b, m, b->held_name, b->held_name_len);
	/* A range is bound to rows, so it ends when they change. */
	if (rows != b->left.count)
		b->ranging = false;
	browser_link(b, a);
}

static void
go_to_referrer(struct browser *b, struct app *a, const struct selection *s)
{
	const struct model *m = a->model;
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t i;

	if (!selection_referrer(a, s->name, s->name_len, 0, &f, &e))
		return;
	for (i = 0; i < estate_count(m->estate) && estate_file(m->estate, i) != f; i++)
		;
	b->left.count = tree_count(&m->tree);
	i = tree_find(&m->tree, i, (size_t)(e - f->entries));
	if (i < b->left.count)
		list_go(&b->left, i);
}

void
browser_link(struct browser *b, struct app *a)
{
	struct selection s = selection_get(a);

	if (s.name != NULL && b->right_active)
		go_to_referrer(b, a, &s);
	else if (s.name != NULL)
		go_to_sealed(b, a->model, s.name, s.name_len);
}

void
browser_moved(struct browser *b, struct app *a)
{
	browser_link(b, a);
	browser_remember(b, a);
}

void
browser_go(struct browser *b, struct app *a, const char *path, const char *key, size_t len)
{
	forget_left(b);
	b->held_path = strdup(path);
	b->held_key = copy(key, len);
	b->held_key_len = len;
	b->held_line = 0;
	restore_left(b, a->model);
	browser_moved(b, a);
}

void
browser_lock(struct browser *b, struct app *a)
{
	(void)b;
	a->locking = false;
	reveal_hide(a->reveal);
	model_lock(a->model);
	registry_lock(a->registry);
	lock_screen_run(a);
}
