#include <string.h>

#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/model.h"
#include "ui/selection.h"
#include "ui/tree.h"

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
