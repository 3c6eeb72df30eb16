#include "ui/registry_rows.h"

#include <stdlib.h>
#include <string.h>

#include "ui/registry.h"
#include "ui/registry_source.h"

static const struct registry_row *
row_at(const struct registry *r, size_t i)
{
	return vec_at(&r->rows, i);
}

static bool
push(struct registry *r, struct registry_path *p, struct registry_key *k)
{
	struct registry_row *row = vec_push(&r->rows);

	if (row == NULL)
		return false;
	row->path = p;
	row->key = k;
	return true;
}

/* The row of what the cursor was on; of its path when the key is not shown. */
static size_t
held_row(const struct registry *r)
{
	size_t found = r->rows.len;
	size_t i;

	for (i = 0; r->held_path != NULL && i < r->rows.len; i++) {
		const struct registry_row *row = row_at(r, i);

		if (strcmp(row->path->name, r->held_path) != 0)
			continue;
		if (row->key == NULL)
			found = i;
		else if (r->held_key != NULL && strcmp(row->key->name, r->held_key) == 0)
			return i;
	}
	return found;
}

void
registry_rows_build(struct registry *r)
{
	struct registry_path *p;
	size_t i, k;

	r->rows.len = 0;
	for (i = 0; registry_shown(r) && i < r->names.paths.len; i++) {
		p = registry_path_at(&r->names, i);
		if (!push(r, p, NULL))
			break;
		for (k = 0; p->unfolded && k < p->keys.len; k++)
			if (!push(r, p, registry_key_at(p, k)))
				break;
	}
	i = held_row(r);
	if (i < r->rows.len)
		r->left.cursor = i;
	list_fit(&r->left, r->rows.len, r->left.height);
	if (i >= r->rows.len)
		registry_rows_moved(r);
	list_fit(&r->right, registry_right_count(r), r->right.height);
}

void
registry_rows_moved(struct registry *r)
{
	const struct registry_row *row;
	char *path, *key;

	if (r->left.cursor >= r->rows.len)
		return;
	row = row_at(r, r->left.cursor);
	path = strdup(row->path->name);
	key = row->key != NULL ? strdup(row->key->name) : NULL;
	free(r->held_path);
	free(r->held_key);
	r->held_path = path;
	r->held_key = key;
	r->marked = 0;
	list_fit(&r->right, registry_right_count(r), r->right.height);
	list_go(&r->right, 0);
}

void
registry_rows_go(struct registry *r, const char *path, const char *key)
{
	struct registry_path *p = registry_path_find(&r->names, path);
	size_t i;

	if (p == NULL)
		return;
	if (key != NULL)
		p->unfolded = true;
	registry_rows_build(r);
	for (i = 0; i < r->rows.len; i++) {
		const struct registry_row *row = row_at(r, i);

		if (row->path != p || (key == NULL) != (row->key == NULL) ||
		    (key != NULL && strcmp(row->key->name, key) != 0))
			continue;
		list_go(&r->left, i);
		registry_rows_moved(r);
		return;
	}
}

size_t
registry_right_count(const struct registry *r)
{
	const struct registry_row *row;

	if (r->left.cursor >= r->rows.len)
		return 0;
	row = row_at(r, r->left.cursor);
	if (row->key == NULL)
		return registry_uses_count(&r->uses, row->path->name, NULL);
	return row->key->versions.len +
	    registry_uses_count(&r->uses, row->path->name, row->key->name);
}

struct registry_selection
registry_selected(const struct registry *r)
{
	struct registry_selection s = { .path = NULL };
	const struct registry_row *row;
	size_t at, versions;

	if (r->left.cursor >= r->rows.len)
		return s;
	row = row_at(r, r->left.cursor);
	s.path = row->path;
	s.key = row->key;
	if (!r->right_active)
		return s;
	at = r->right.cursor;
	versions = row->key != NULL ? row->key->versions.len : 0;
	if (at < versions)
		s.version = vec_at(&row->key->versions, at);
	else
		s.use = registry_uses_find(&r->uses, row->path->name,
		    row->key != NULL ? row->key->name : NULL, at - versions);
	return s;
}
