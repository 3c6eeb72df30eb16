#include "ui/files.h"

#include <stdio.h>
#include <string.h>

#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/model.h"

#define UNFOLD_ROWS 300		/* a smaller estate starts unfolded */

/* --- the rows: files with their entries, and sealed entries --- */

static size_t
files_groups(const void *model)
{
	return estate_count(((const struct model *)model)->estate);
}

static size_t
files_items(const void *model, size_t group)
{
	return estate_file(((const struct model *)model)->estate, group)->count;
}

static struct outline_id
files_id(const void *model, size_t group, size_t item)
{
	const struct estate_file *f = estate_file(((const struct model *)model)->estate, group);
	const struct estate_entry *e;

	if (item == OUTLINE_HEAD)
		return (struct outline_id){ f->path, strlen(f->path), 0 };
	e = &f->entries[item];
	return (struct outline_id){ e->key, e->key_len, e->line };
}

/* A file is searched for by the path that is shown. */
static struct outline_id
files_text(const void *model, size_t group, size_t item)
{
	struct outline_id id = files_id(model, group, item);

	if (item == OUTLINE_HEAD) {
		id.bytes = model_show_path(model, id.bytes);
		id.len = strlen(id.bytes);
	}
	return id;
}

bool
files_passes_entry(unsigned int filter, const struct estate_entry *e)
{
	switch (filter) {
	case FILES_SECRETS:
		return e->state != STATE_PLAIN || e->sensitive;
	case FILES_CLEAR:
		return model_is_clear(e);
	case FILES_PROBLEMS:
		return e->state == STATE_DANGLING || e->state == STATE_DAMAGED;
	default:
		return true;
	}
}

static bool
files_passes(const void *model, unsigned int filter, size_t group, size_t item)
{
	const struct estate_file *f = estate_file(((const struct model *)model)->estate, group);
	size_t i;

	if (item != OUTLINE_HEAD)
		return files_passes_entry(filter, &f->entries[item]);
	if (filter == FILES_ALL || (filter == FILES_PROBLEMS && f->problem != NULL))
		return true;
	for (i = 0; i < f->count; i++)
		if (files_passes_entry(filter, &f->entries[i]))
			return true;
	return false;
}

static const struct outline_ops files_ops = {
	.groups = files_groups,
	.items = files_items,
	.id = files_id,
	.text = files_text,
	.passes = files_passes,
};

const char *
files_filter_name(unsigned int filter)
{
	switch (filter) {
	case FILES_SECRETS:
		return "secrets";
	case FILES_CLEAR:
		return "clear text";
	case FILES_PROBLEMS:
		return "problems";
	default:
		return "everything";
	}
}

static size_t
sealed_groups(const void *model)
{
	return ((const struct model *)model)->sealed.len;
}

static struct outline_id
sealed_id(const void *model, size_t group, size_t item)
{
	const struct model *m = model;
	struct outline_id id = { .place = 0 };

	(void)item;
	id.bytes = document_key(secrets_file_document(m->secrets),
	    *(size_t *)vec_at(&m->sealed, group), &id.len);
	return id;
}

static const struct outline_ops sealed_ops = {
	.groups = sealed_groups,
	.id = sealed_id,
};

/* --- what is selected --- */

static void
selection_left(const struct app *a, struct selection *s)
{
	const struct model *m = a->model;
	const struct outline_row *row = outline_at(&a->files->panes.left);

	if (row == NULL)
		return;
	s->file = estate_file(m->estate, row->group);
	s->kind = SELECTION_FILE;
	if (row->item == OUTLINE_HEAD)
		return;
	s->kind = SELECTION_ENTRY;
	s->entry = &s->file->entries[row->item];
	s->name = s->entry->name;
	s->name_len = s->name != NULL ? strlen(s->name) : 0;
}

static void
selection_right(const struct app *a, struct selection *s)
{
	const struct outline_row *row = outline_at(&a->files->panes.right);
	const struct model *m = a->model;

	if (m->secrets == NULL || row == NULL)
		return;
	s->kind = SELECTION_SEALED;
	s->sealed = *(size_t *)vec_at(&m->sealed, row->group);
	s->name = document_key(secrets_file_document(m->secrets), s->sealed, &s->name_len);
}

struct selection
selection_get(const struct app *a)
{
	struct selection s;

	memset(&s, 0, sizeof(s));
	s.kind = SELECTION_NOTHING;
	if (a->files->panes.right_active)
		selection_right(a, &s);
	else
		selection_left(a, &s);
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
		return model_can_seal(s.entry) ? NULL : "the providers must stay readable";
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

/* --- the state of the view --- */

void
files_init(struct files *f, const struct model *m)
{
	memset(f, 0, sizeof(*f));
	outline_init(&f->panes.left, &files_ops, m);
	outline_init(&f->panes.right, &sealed_ops, m);
}

void
files_release(struct files *f)
{
	outline_release(&f->panes.left);
	outline_release(&f->panes.right);
}

void
files_hold(struct app *a)
{
	outline_hold(&a->files->panes.left);
	outline_hold(&a->files->panes.right);
}

/* Show a sealed entry on the right, if there is one of this name. */
static void
files_go_to_sealed(struct app *a, const char *name, size_t len)
{
	struct outline *o = &a->files->panes.right;
	const struct model *m = a->model;
	size_t from = 0, to = o->rows.len, entry, mid;

	if (m->secrets == NULL)
		return;
	entry = secrets_file_find(m->secrets, name, len);
	if (entry == DOCUMENT_NONE || !secrets_file_is_sealed(m->secrets, entry))
		return;
	/* Rows are in the document's order. */
	while (from < to) {
		mid = from + (to - from) / 2;
		if (*(size_t *)vec_at(&m->sealed, mid) < entry)
			from = mid + 1;
		else
			to = mid;
	}
	list_go(&o->list, from);
}

/* Its number in the estate. */
static size_t
files_index(const struct model *m, const char *path)
{
	size_t i;

	for (i = 0; i < estate_count(m->estate); i++)
		if (strcmp(estate_file(m->estate, i)->path, path) == 0)
			break;
	return i;
}

static void
files_go_to_referrer(struct app *a, const struct selection *s)
{
	struct outline *o = &a->files->panes.left;
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t row;

	if (!selection_referrer(a, s->name, s->name_len, 0, &f, &e))
		return;
	row = outline_find(o, files_index(a->model, f->path), (size_t)(e - f->entries));
	if (row < o->rows.len)
		list_go(&o->list, row);
}

void
files_link(struct app *a, struct outline *o)
{
	struct selection s = selection_get(a);

	(void)o;
	if (s.name != NULL && a->files->panes.right_active)
		files_go_to_referrer(a, &s);
	else if (s.name != NULL)
		files_go_to_sealed(a, s.name, s.name_len);
}

/* Few entries are shown at once, many are folded into their files. */
static void
files_unfold_small(struct app *a)
{
	const struct estate *e = a->model->estate;
	size_t rows = 0;
	size_t i;

	for (i = 0; i < estate_count(e); i++)
		rows += 1 + estate_file(e, i)->count;
	a->files->panes.left.folded = rows > UNFOLD_ROWS && estate_count(e) > 1;
}

/* Marks that a scan has dropped are not lost in silence. */
static void
files_tell_lost(struct app *a)
{
	size_t n = a->model->marks_lost;
	char text[128];

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%zu %s gone: changed or removed on disk", n,
	    n == 1 ? "mark is" : "marks are");
	app_add_notice(a, text);
	a->model->marks_lost = 0;
}

void
files_restore(struct app *a)
{
	struct panes *p = &a->files->panes;

	files_tell_lost(a);
	model_count(a->model);
	if (a->model->looked && !a->files->looked) {
		files_unfold_small(a);
		a->files->looked = true;
	}
	if (outline_build(&p->left) == -1 || outline_build(&p->right) == -1)
		app_complain(a, "not enough memory");
	(void)outline_restore(&p->left);
	(void)outline_restore(&p->right);
	files_link(a, &p->left);
}

void
files_moved(struct app *a, struct outline *o)
{
	files_link(a, o);
	files_hold(a);
}

void
files_go(struct app *a, const char *path, const char *key, size_t len)
{
	struct outline_id group = { path, strlen(path), 0 }, item = { key, len, 0 };
	struct outline *o = &a->files->panes.left;

	outline_hold_id(o, &group, &item);
	(void)outline_restore(o);
	files_moved(a, o);
}

void
files_unfold(struct app *a, const char *path)
{
	size_t group = files_index(a->model, path);

	files_hold(a);
	if (group < estate_count(a->model->estate))
		(void)outline_fold(&a->files->panes.left, group, false);
	files_restore(a);
}

void
files_show(struct app *a, const char *path, const char *key, size_t len)
{
	struct panes *p = &a->files->panes;

	p->left.filter = FILES_ALL;
	p->left.ranging = false;
	p->right_active = false;
	files_unfold(a, path);
	files_go(a, path, key, len);
}
