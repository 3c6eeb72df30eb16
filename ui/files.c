#include "ui/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/model.h"

#define DAMAGED "it is damaged: restore it, or seal a new value"


/* --- the rows: environments, files with their entries, and sealed entries --- */

static const struct tree_row *
files_row(const void *model, size_t group)
{
	return tree_row(&((const struct model *)model)->tree, group);
}

static size_t
files_groups(const void *model)
{
	return ((const struct model *)model)->tree.rows.len;
}

static size_t
files_items(const void *model, size_t group)
{
	const struct estate_file *f = files_row(model, group)->file;

	return f != NULL ? f->count : 0;
}

static size_t
files_root(const void *model, size_t group)
{
	return tree_root(&((const struct model *)model)->tree, files_row(model, group)->root)->row;
}

static struct outline_id
files_id(const void *model, size_t group, size_t item)
{
	const struct tree_row *row = files_row(model, group);
	const struct estate_entry *e;
	const char *id;

	if (item == OUTLINE_HEAD) {
		id = row->file != NULL ? row->file->path :
		    tree_root(&((const struct model *)model)->tree, row->root)->id;
		return (struct outline_id){ id, strlen(id), 0 };
	}
	e = &row->file->entries[item];
	return (struct outline_id){ e->key, e->key_len, e->line };
}

/* A file is searched for by the path that is shown, an environment by its name. */
static struct outline_id
files_text(const void *model, size_t group, size_t item)
{
	const struct tree_row *row = files_row(model, group);
	struct outline_id id = files_id(model, group, item);

	if (item != OUTLINE_HEAD)
		return id;
	id.bytes = row->file != NULL ? model_show_path(model, id.bytes) :
	    tree_root(&((const struct model *)model)->tree, row->root)->name;
	id.len = strlen(id.bytes);
	return id;
}

static bool
files_passes_entry(unsigned int filter, const struct estate_entry *e)
{
	switch (filter) {
	case FILES_SECRETS:
		return e->state != STATE_PLAIN || e->sensitive || e->clear;
	case FILES_CLEAR:
		return entry_is_clear(e);
	case FILES_PROBLEMS:
		return e->state == STATE_DANGLING || e->state == STATE_DAMAGED ||
		    e->state == STATE_UNKNOWN;
	default:
		return true;
	}
}

static bool
files_passes_file(unsigned int filter, const struct estate_file *f)
{
	size_t i;

	if (filter == FILES_ALL || (filter != FILES_CLEAR && f->problem != NULL))
		return true;
	for (i = 0; i < f->count; i++)
		if (files_passes_entry(filter, &f->entries[i]))
			return true;
	return false;
}

static bool
files_passes(const void *model, unsigned int filter, size_t group, size_t item)
{
	const struct tree *t = &((const struct model *)model)->tree;
	const struct tree_row *row = tree_row(t, group);
	const struct environment *x = tree_root(t, row->root)->environment;
	size_t i;

	if (item != OUTLINE_HEAD)
		return files_passes_entry(filter, &row->file->entries[item]);
	if (row->file != NULL)
		return files_passes_file(filter, row->file);
	/* An environment is shown with what is in it; its own troubles are problems. */
	if (filter == FILES_ALL || (x != NULL && (filter == FILES_SECRETS ||
	    (filter == FILES_PROBLEMS && x->problem != NULL))))
		return true;
	for (i = group + 1; i < t->rows.len && tree_row(t, i)->file != NULL; i++)
		if (files_passes_file(filter, tree_row(t, i)->file))
			return true;
	return false;
}

static void
files_facts(const void *model, size_t group, size_t item, struct filter_facts *out)
{
	const struct tree *t = &((const struct model *)model)->tree;
	const struct tree_row *row = tree_row(t, group);
	const struct estate_entry *e;

	out->environment = tree_root(t, row->root)->name;
	if (row->file == NULL)
		return;
	out->file = model_show_path(model, row->file->path);
	if (item == OUTLINE_HEAD) {
		out->state = row->file->problem != NULL ? 'X' : '\0';
		return;
	}
	e = &row->file->entries[item];
	out->state = entry_letter(e);
	out->key = e->key;
	out->key_len = e->key_len;
}

enum files_order { FILES_AS_THEY_ARE, FILES_WORST, FILES_BY_NAME, FILES_NEWEST };

static const char *const files_orders[] = { "as in the files", "worst first", "by name",
	"newest first", NULL };

/* Two entries, of one file or of two; a file that has none stands for itself. */
static int
files_compare_entries(const struct model *m, enum files_order order,
    const struct outline_row *one, const struct outline_row *other)
{
	static const char badness[] = "!XD?OS ";
	const struct outline_row *rows[2] = { one, other };
	const char *rank[2];
	const char *key[2];
	size_t len[2];

	for (int i = 0; i < 2; i++) {
		const struct estate_file *f = files_row(m, rows[i]->group)->file;
		const struct estate_entry *e = rows[i]->item != OUTLINE_HEAD ?
		    &f->entries[rows[i]->item] : NULL;

		key[i] = e != NULL ? e->key : "";
		len[i] = e != NULL ? e->key_len : 0;
		rank[i] = strchr(badness, e != NULL ? entry_letter(e) : f->problem != NULL ? 'X' :
		    ' ');
	}
	if (order == FILES_WORST)
		return rank[0] < rank[1] ? -1 : rank[0] > rank[1];
	if (order != FILES_BY_NAME)
		return 0;
	return text_compare(key[0], len[0], key[1], len[1]);
}

/* Two files, or in a flat list entries of two files. */
static int
files_compare_files(enum files_order order, const struct estate_file *a,
    const struct estate_file *b)
{
	if (order == FILES_BY_NAME)
		return strcmp(file_basename(a->path), file_basename(b->path));
	if (order == FILES_NEWEST && a->changed != b->changed)
		return a->changed > b->changed ? -1 : 1;
	return 0;
}

static int
files_compare(const void *model, unsigned int order, const struct outline_row *one,
    const struct outline_row *other)
{
	const struct tree *t = &((const struct model *)model)->tree;
	const struct estate_file *a = tree_row(t, one->group)->file;
	const struct estate_file *b = tree_row(t, other->group)->file;
	int c = 0;

	if (one->item != OUTLINE_HEAD || other->item != OUTLINE_HEAD)
		c = files_compare_entries(model, (enum files_order)order, one, other);
	else if (order == FILES_WORST)
		c = tree_compare(t, one->group, other->group);
	if (c == 0 && a != NULL && b != NULL && a != b)
		c = files_compare_files((enum files_order)order, a, b);
	return c;
}

static const struct outline_ops files_ops = {
	.groups = files_groups,
	.items = files_items,
	.root = files_root,
	.id = files_id,
	.text = files_text,
	.passes = files_passes,
	.facts = files_facts,
	.states = "!SD?OX",
	.problems = "!D?X",
	.compare = files_compare,
	.orders = files_orders,
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
	const struct model_sealed *s = vec_at(&m->sealed, group);
	struct outline_id id = { .place = 0 };

	(void)item;
	id.bytes = document_key(secrets_file_document(m->shown->secrets), s->entry, &id.len);
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
	const struct tree *t = &a->model->tree;
	const struct outline_row *row = outline_at(&a->files->panes.left);

	if (row == NULL)
		return;
	s->root = tree_root(t, tree_row(t, row->group)->root);
	s->file = tree_row(t, row->group)->file;
	s->environment = s->root->environment;
	s->kind = s->file != NULL ? SELECTION_FILE : SELECTION_ENVIRONMENT;
	if (row->item == OUTLINE_HEAD)
		return;
	s->kind = SELECTION_ENTRY;
	s->entry = &s->file->entries[row->item];
	s->name = s->entry->name;
	s->name_len = s->entry->name_len;
	/* A reference is to its own, wherever its file stands. */
	if (s->name != NULL)
		s->environment = s->entry->environment;
}

static void
selection_right(const struct app *a, struct selection *s)
{
	const struct outline_row *row = outline_at(&a->files->panes.right);
	const struct model *m = a->model;

	s->environment = m->shown;
	if (m->shown == NULL || m->shown->secrets == NULL || row == NULL)
		return;
	s->kind = SELECTION_SEALED;
	s->row = row->group;
	s->sealed = ((const struct model_sealed *)vec_at(&m->sealed, row->group))->entry;
	s->name = document_key(secrets_file_document(m->shown->secrets), s->sealed, &s->name_len);
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
selection_referrer(const struct app *a, const struct environment *x, const char *name, size_t len,
    size_t nth, const struct estate_file **file, const struct estate_entry **entry)
{
	const struct estate *e = a->model->estate;
	const struct estate_file *f;
	size_t i, k;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		for (k = 0; (k = estate_next_user(f, k, f->count, x, name, len)) < f->count; k++) {
			if (nth-- > 0)
				continue;
			*file = f;
			*entry = &f->entries[k];
			return true;
		}
	}
	return false;
}

size_t
selection_user_place(const struct app *a, const struct selection *s)
{
	const struct estate *e = a->model->estate;
	const struct estate_file *f;
	size_t i, k, n = 0;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		for (k = 0; (k = estate_next_user(f, k, f->count, s->environment, s->name,
		    s->name_len)) < f->count; k++, n++)
			if (&f->entries[k] == s->entry)
				return n;
	}
	return n;
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

/* Why nothing can be done with the sealed entry of a reference, or NULL. */
static const char *
selection_needs_sealed_one(const struct selection *s)
{
	if (s->entry->state == STATE_UNKNOWN || s->environment == NULL)
		return "one cannot tell which secrets file it names";
	return s->environment->secrets == NULL ? "its secrets file cannot be read" : NULL;
}

const char *
selection_needs_value(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return model_soundness(a->model, s.row) == SEALED_DAMAGED ? DAMAGED : NULL;
	if (s.kind != SELECTION_ENTRY)
		return "select an entry first";
	switch (s.entry->state) {
	case STATE_PLAIN:
		return NULL;
	case STATE_DANGLING:
		return "its secrets file has no such entry";
	case STATE_OTHER:
		return "only its own provider can tell the value";
	case STATE_DAMAGED:
		return DAMAGED;
	default:
		return selection_needs_sealed_one(&s);
	}
}

const char *
selection_needs_sealed(const struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return NULL;
	if (s.kind != SELECTION_ENTRY || s.name == NULL)
		return "select a sealed entry first";
	return selection_needs_sealed_one(&s);
}

const char *
selection_needs_name(const struct app *a)
{
	struct selection s = selection_get(a);
	const struct estate_file *f;
	const struct estate_entry *e;

	if (s.kind == SELECTION_ENTRY && s.entry->state == STATE_OTHER)
		return "the value comes from another provider";
	if (s.kind == SELECTION_ENTRY)
		return s.name != NULL ? selection_needs_sealed_one(&s) : NULL;
	if (s.kind != SELECTION_SEALED)
		return "select an entry first";
	return selection_referrer(a, s.environment, s.name, s.name_len, 0, &f, &e) ? NULL :
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
	const struct reference r = { .name = name, .name_len = len };

	if (m->shown == NULL || m->shown->secrets == NULL)
		return;
	entry = resolve_entry(m->shown->secrets, &r);
	if (entry == DOCUMENT_NONE || !secrets_file_is_sealed(m->shown->secrets, entry))
		return;
	/* Rows are in the document's order. */
	while (from < to) {
		mid = from + (to - from) / 2;
		if (((const struct model_sealed *)vec_at(&m->sealed, mid))->entry < entry)
			from = mid + 1;
		else
			to = mid;
	}
	list_go(&o->list, from);
}

static void
files_go_to_referrer(struct app *a, const struct selection *s)
{
	struct outline *o = &a->files->panes.left;
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t row;

	if (!selection_referrer(a, s->environment, s->name, s->name_len, 0, &f, &e))
		return;
	row = outline_find(o, tree_find(&a->model->tree, f->path), (size_t)(e - f->entries));
	if (row < o->rows.len)
		list_go(&o->list, row);
}

/* The right pane shows the secrets file of what the left cursor is on. */
static void
files_follow(struct app *a, const struct selection *s)
{
	struct environment *x = s->environment != NULL || s->root == NULL ? s->environment :
	    s->root->environment;
	struct error err;

	if (x == a->model->shown)
		return;
	if (model_show(a->model, x, &err) == -1 || outline_build(&a->files->panes.right) == -1)
		app_complain(a, "not enough memory");
	(void)outline_restore(&a->files->panes.right);
}

void
files_link(struct app *a, struct outline *o)
{
	struct selection s = selection_get(a);

	(void)o;
	if (!a->files->panes.right_active)
		files_follow(a, &s);
	if (s.name != NULL && a->files->panes.right_active)
		files_go_to_referrer(a, &s);
	else if (s.name != NULL)
		files_go_to_sealed(a, s.name, s.name_len);
}

/* What does not fit on the screen starts folded: files, then environments. */
static void
files_fold_large(struct app *a)
{
	struct outline *o = &a->files->panes.left;
	const struct tree *t = &a->model->tree;
	size_t entries = 0;
	size_t i, k;

	for (i = 0; i < t->rows.len; i++)
		for (k = 0; tree_row(t, i)->file != NULL && k < tree_row(t, i)->file->count; k++)
			entries += files_passes_entry(o->filter, &tree_row(t, i)->file->entries[k]);
	o->folded = t->rows.len + entries > o->list.height && t->tally.files > 1;
	o->roots_folded = t->rows.len > o->list.height && t->roots.len > 1;
}

/* Unless the user has moved it, the cursor starts on the first file. */
static void
files_start(struct app *a)
{
	struct outline *o = &a->files->panes.left;
	const struct outline_row *row = o->rows.len > 1 ? outline_row(o, 1) : NULL;

	if (o->held_group == NULL && row != NULL &&
	    tree_row(&a->model->tree, row->group)->file != NULL)
		list_go(&o->list, 1);
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

/* A range is of lines, and other lines may stand there now. */
static void
files_end_range(struct app *a)
{
	struct outline *o = &a->files->panes.left;

	if (!o->ranging || a->files->range_of == a->model->changes)
		return;
	o->ranging = false;
	app_add_notice(a, "the range is ended: the files are others");
}

/* The right pane has nothing after a scan; the cursor in it is none that says what. */
static void
files_show_again(struct app *a)
{
	struct panes *p = &a->files->panes;
	struct selection s;

	if (!p->right_active || a->model->shown != NULL)
		return;
	p->right_active = false;
	s = selection_get(a);
	files_follow(a, &s);
	p->right_active = true;
}

void
files_restore(struct app *a)
{
	bool first = a->model->looked && !a->files->looked;
	struct panes *p = &a->files->panes;
	struct error err;

	files_tell_lost(a);
	files_end_range(a);
	if (model_arrange(a->model, &err) == -1)
		app_complain(a, "not enough memory");
	if (first)
		files_fold_large(a);
	a->files->looked = a->model->looked;
	if (outline_build(&p->left) == -1 || outline_build(&p->right) == -1)
		app_complain(a, "not enough memory");
	(void)outline_restore(&p->left);
	(void)outline_restore(&p->right);
	if (first)
		files_start(a);
	files_show_again(a);
	files_link(a, &p->left);
	/* What else is shown is made of the same. */
	if (a->view != VIEW_FILES && views[a->view]->changed != NULL)
		views[a->view]->changed(a);
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

/* Show the entries of a file. */
static void
files_unfold(struct app *a, const char *path)
{
	struct outline *o = &a->files->panes.left;
	size_t group = tree_find(&a->model->tree, path);

	files_hold(a);
	if (group < a->model->tree.rows.len && (outline_fold(o, group, false) == -1 ||
	    outline_fold(o, outline_root(o, group), false) == -1))
		app_complain(a, "not enough memory");
	files_restore(a);
}

void
files_need_all(struct app *a)
{
	struct error err;

	if (a->files->panes.left.filter == FILES_ALL && model_keep_all(a->model, &err) == -1)
		app_complain(a, "%s", err.text);
}

/* Does the filter show this entry (none: the file)? */
static bool
files_shows(const struct app *a, const char *path, const char *key, size_t len)
{
	const struct outline *o = &a->files->panes.left;
	size_t group = tree_find(&a->model->tree, path);
	const struct estate_file *f;

	if (group == a->model->tree.rows.len)
		return false;
	f = tree_row(&a->model->tree, group)->file;
	if (len == 0)
		return outline_passes(o, group, OUTLINE_HEAD);
	for (size_t i = 0; i < f->count; i++)
		if (f->entries[i].key_len == len && memcmp(f->entries[i].key, key, len) == 0)
			return outline_passes(o, group, i);
	return false;
}

void
files_show(struct app *a, const char *path, const char *key, size_t len)
{
	struct panes *p = &a->files->panes;
	/* What was handed over may belong to the view that is shown, which makes its rows anew
	 * when the files do. */
	char *own = strdup(path), *own_key = text_copy(key, len);

	p->left.ranging = false;
	p->right_active = false;
	if (own != NULL && own_key != NULL) {
		if (!files_shows(a, own, own_key, len)) {
			p->left.filter = FILES_ALL;
			(void)filter_set(&p->left.words, "", "");
			files_need_all(a);
		}
		files_unfold(a, own);
		files_go(a, own, own_key, len);
		/* It may only turn up when all are there. */
		outline_hold_id(&p->left, &(struct outline_id){ own, strlen(own), 0 },
		    &(struct outline_id){ own_key, len, 0 });
	} else {
		app_complain(a, "not enough memory");
	}
	free(own_key);
	free(own);
}
