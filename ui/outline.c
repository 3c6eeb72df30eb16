#include <stdlib.h>
#include <string.h>

#include "estate/estate.h"
#include "ui/outline.h"
#include "ui/term.h"

void
list_fit(struct list *l, size_t count, size_t height)
{
	l->count = count;
	l->height = height > 0 ? height : 1;
	if (l->cursor >= count)
		l->cursor = count > 0 ? count - 1 : 0;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (l->cursor - l->top >= l->height)
		l->top = l->cursor - l->height + 1;
	/* No empty rows at the end while there is something above. */
	if (count <= l->height)
		l->top = 0;
	else if (l->top > count - l->height)
		l->top = count - l->height;
}

void
list_go(struct list *l, size_t row)
{
	l->cursor = row;
	list_fit(l, l->count, l->height);
}

static void
list_move(struct list *l, bool down, size_t by)
{
	size_t last = l->count > 0 ? l->count - 1 : 0;

	if (down)
		list_go(l, last - l->cursor < by ? last : l->cursor + by);
	else
		list_go(l, l->cursor < by ? 0 : l->cursor - by);
}

bool
list_key(struct list *l, uint32_t key)
{
	size_t page = l->height > 1 ? l->height - 1 : 1;

	switch (key) {
	case INPUT_UP:
		list_move(l, false, 1);
		return true;
	case INPUT_DOWN:
		list_move(l, true, 1);
		return true;
	case INPUT_PAGE_UP:
		list_move(l, false, page);
		return true;
	case INPUT_PAGE_DOWN:
		list_move(l, true, page);
		return true;
	case INPUT_HOME:
		list_move(l, false, l->count);
		return true;
	case INPUT_END:
		list_move(l, true, l->count);
		return true;
	default:
		return false;
	}
}

#define ROWS_MAX 100000000
#define FOLDS_MAX 1000000

struct fold {
	char *path;
	bool folded;
};

void
tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	vec_init(&t->rows, sizeof(struct tree_row), ROWS_MAX);
	vec_init(&t->folds, sizeof(struct fold), FOLDS_MAX);
	t->folded = true;
}

static struct fold *
fold_at(const struct tree *t, size_t i)
{
	return vec_at(&t->folds, i);
}

static void
forget_folds(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->folds.len; i++)
		free(fold_at(t, i)->path);
	t->folds.len = 0;
}

void
tree_release(struct tree *t)
{
	forget_folds(t);
	vec_release(&t->folds);
	vec_release(&t->rows);
}

/* Few files are folded by hand, so a search along the list will do. */
static struct fold *
find_fold(const struct tree *t, const char *path)
{
	size_t i;

	for (i = 0; i < t->folds.len; i++)
		if (strcmp(fold_at(t, i)->path, path) == 0)
			return fold_at(t, i);
	return NULL;
}

bool
tree_folded(const struct tree *t, const char *path)
{
	const struct fold *f = find_fold(t, path);

	return f != NULL ? f->folded : t->folded;
}

int
tree_fold(struct tree *t, const char *path, bool fold)
{
	struct fold *f = find_fold(t, path);

	if (f == NULL) {
		f = vec_push(&t->folds);
		if (f == NULL)
			return -1;
		f->path = strdup(path);
		if (f->path == NULL) {
			t->folds.len--;
			return -1;
		}
	}
	f->folded = fold;
	return 0;
}

void
tree_fold_all(struct tree *t, bool fold)
{
	forget_folds(t);
	t->folded = fold;
}

bool
tree_is_clear(const struct estate_entry *e)
{
	return e->state == STATE_PLAIN && e->sensitive;
}

bool
tree_can_seal(const struct estate_entry *e)
{
	static const char providers[] = "config.providers";
	const size_t n = sizeof(providers) - 1;

	return e->state == STATE_PLAIN && (strncmp(e->key, providers, n) != 0 ||
	    (e->key[n] != '.' && e->key[n] != '\0'));
}

static bool
lets_entry(enum tree_filter f, const struct estate_entry *e)
{
	switch (f) {
	case TREE_SECRETS:
		return e->state != STATE_PLAIN || e->sensitive;
	case TREE_CLEAR:
		return tree_is_clear(e);
	case TREE_PROBLEMS:
		return e->state == STATE_DANGLING || e->state == STATE_DAMAGED;
	default:
		return true;
	}
}

static bool
lets_file(enum tree_filter f, const struct estate_file *file)
{
	size_t i;

	if (f == TREE_ALL || (f == TREE_PROBLEMS && file->problem != NULL))
		return true;
	for (i = 0; i < file->count; i++)
		if (lets_entry(f, &file->entries[i]))
			return true;
	return false;
}

static int
tree_push(struct tree *t, size_t file, size_t entry)
{
	struct tree_row *r = vec_push(&t->rows);

	if (r == NULL)
		return -1;
	r->file = file;
	r->entry = entry;
	return 0;
}

int
tree_build(struct tree *t, const struct estate *e)
{
	const struct estate_file *f;
	size_t i, k;

	t->rows.len = 0;
	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		if (!lets_file(t->filter, f))
			continue;
		if (tree_push(t, i, TREE_NO_ENTRY) == -1)
			return -1;
		if (tree_folded(t, f->path))
			continue;
		for (k = 0; k < f->count; k++)
			if (lets_entry(t->filter, &f->entries[k]) && tree_push(t, i, k) == -1)
				return -1;
	}
	return 0;
}

size_t
tree_count(const struct tree *t)
{
	return t->rows.len;
}

const struct tree_row *
tree_row(const struct tree *t, size_t i)
{
	return vec_at(&t->rows, i);
}

/* Rows are in the order of the estate, so a search by halves finds them. */
static int
tree_compare(const struct tree_row *r, size_t file, size_t entry)
{
	if (r->file != file)
		return r->file < file ? -1 : 1;
	if (r->entry == entry)
		return 0;
	if (r->entry == TREE_NO_ENTRY)
		return -1;
	return entry == TREE_NO_ENTRY || r->entry > entry ? 1 : -1;
}

static size_t
find_exactly(const struct tree *t, size_t file, size_t entry)
{
	size_t from = 0, to = t->rows.len, mid;
	int c;

	while (from < to) {
		mid = from + (to - from) / 2;
		c = tree_compare(tree_row(t, mid), file, entry);
		if (c == 0)
			return mid;
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return t->rows.len;
}

size_t
tree_find(const struct tree *t, size_t file, size_t entry)
{
	size_t row = find_exactly(t, file, entry);

	if (row == t->rows.len && entry != TREE_NO_ENTRY)
		row = find_exactly(t, file, TREE_NO_ENTRY);
	return row;
}

const char *
tree_filter_name(enum tree_filter f)
{
	switch (f) {
	case TREE_SECRETS:
		return "secrets";
	case TREE_CLEAR:
		return "clear text";
	case TREE_PROBLEMS:
		return "problems";
	default:
		return "everything";
	}
}
