#include <stdlib.h>
#include <string.h>

#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/registry.h"
#include "ui/reveal.h"
#include "ui/term.h"
#include "ui/view_files.h"
#include "ui/view_registry.h"

static void
get_left(const struct app *a, struct selection *s)
{
	const struct model *m = a->model;
	const struct tree_row *row;

	if (a->browser->left.cursor >= tree_count(&m->tree))
		return;
	row = tree_row(&m->tree, a->browser->left.cursor);
	s->file = estate_file(m->estate, row->file);
	s->kind = SELECTION_FILE;
	if (row->entry == TREE_NO_ENTRY)
		return;
	s->kind = SELECTION_ENTRY;
	s->entry = &s->file->entries[row->entry];
	s->name = s->entry->name;
	s->name_len = s->name != NULL ? strlen(s->name) : 0;
}

static void
get_right(const struct app *a, struct selection *s)
{
	const struct model *m = a->model;

	if (m->secrets == NULL || a->browser->right.cursor >= m->sealed.len)
		return;
	s->kind = SELECTION_SEALED;
	s->sealed = *(size_t *)vec_at(&m->sealed, a->browser->right.cursor);
	s->name = document_key(secrets_file_document(m->secrets), s->sealed, &s->name_len);
}

struct selection
selection_get(const struct app *a)
{
	struct selection s;

	memset(&s, 0, sizeof(s));
	s.kind = SELECTION_NOTHING;
	if (a->browser->right_active)
		get_right(a, &s);
	else
		get_left(a, &s);
	return s;
}

bool
selection_referrer(const struct app *a, const char *name, size_t len, size_t nth,
    const struct estate_file **file, const struct estate_entry **entry)
{
	const struct estate *e = a->model->estate;
	const struct estate_file *f;
	size_t i, k;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		for (k = 0; k < f->count; k++) {
			if (f->entries[k].name == NULL || f->entries[k].shadowed ||
			    strlen(f->entries[k].name) != len ||
			    memcmp(f->entries[k].name, name, len) != 0 || nth-- > 0)
				continue;
			*file = f;
			*entry = &f->entries[k];
			return true;
		}
	}
	return false;
}

const char *
selection_needs_file(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.file == NULL)
		return "select a configuration file or one of its entries first";
	if (s.file->is_secrets_file)
		return "this is a secrets file, not a configuration file";
	return s.file->problem != NULL ? "this file cannot be read" : NULL;
}

const char *
selection_needs_plain(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_FILE && !s.file->is_secrets_file && s.file->problem == NULL)
		return NULL;
	if (s.kind != SELECTION_ENTRY)
		return "select an entry of a configuration file first";
	switch (s.entry->state) {
	case STATE_PLAIN:
		return tree_can_seal(s.entry) ? NULL : "the providers must stay readable";
	case STATE_OTHER:
		return "the value comes from another provider already";
	default:
		return "the value is a reference to a sealed entry already";
	}
}

const char *
selection_needs_value(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return NULL;
	if (s.kind != SELECTION_ENTRY)
		return "select an entry first";
	if (s.entry->state == STATE_DANGLING)
		return "the secrets file has no such entry";
	if (s.entry->state == STATE_OTHER)
		return "only its own provider can tell the value";
	if (s.entry->state != STATE_PLAIN && a->model->secrets == NULL)
		return "no secrets file is open";
	return NULL;
}

const char *
selection_needs_sealed(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return NULL;
	if (s.kind != SELECTION_ENTRY || s.name == NULL)
		return "select a sealed entry first";
	return a->model->secrets == NULL ? "no secrets file is open" : NULL;
}

const char *
selection_needs_name(const struct app *a)
{
	struct selection s = selection_get(a);
	const struct estate_file *f;
	const struct estate_entry *e;

	if (s.kind == SELECTION_ENTRY)
		return s.entry->state == STATE_OTHER ?
		    "the value comes from another provider" : NULL;
	if (s.kind != SELECTION_SEALED)
		return "select an entry first";
	return selection_referrer(a, s.name, s.name_len, 0, &f, &e) ? NULL :
	    "no configuration file refers to it";
}

static void
browser_draw(struct view *v, struct app *a)
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
browser_key(struct view *v, struct app *a, uint32_t k)
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
	b->view.draw = browser_draw;
	b->view.key = browser_key;
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
browser_copy(const char *bytes, size_t n)
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
	b->held_key = browser_copy(e->key, e->key_len);
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
	b->held_name = browser_copy(name, b->held_name_len);
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

static void browser_link(struct browser *b, struct app *a);

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

/* Show the counterpart of the selection in the other pane. */
static void
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
	b->held_key = browser_copy(key, len);
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
