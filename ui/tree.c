#include "ui/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"

#define ROOTS_MAX 1000000
#define ROWS_MAX 10000000

bool
entry_is_clear(const struct estate_entry *e)
{
	return e->state == STATE_PLAIN && e->clear;
}

const char *
tree_show_path(const struct tree *t, const char *path)
{
	const char *root = t->paths[0];
	size_t len = strlen(root);

	if (t->path_count == 1) {
		while (len > 1 && root[len - 1] == '/')
			len--;
		if (strncmp(path, root, len) == 0 && path[len] == '/' && path[len + 1] != '\0')
			path += len + 1;
	}
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* --- counting --- */

static void
tally_entry(struct tally *t, const struct estate_entry *e)
{
	/* A line that another one overrides still is clear text on the disk. */
	if (entry_is_clear(e)) {
		t->clear++;
		return;
	}
	if (e->shadowed)
		return;
	switch (e->state) {
	case STATE_SEALED:
		t->sealed++;
		t->unchecked += !e->checked;
		break;
	case STATE_DANGLING:
		t->dangling++;
		break;
	case STATE_UNKNOWN:
		t->unknown++;
		break;
	case STATE_OTHER:
		t->other++;
		break;
	case STATE_DAMAGED:
		t->damaged++;
		break;
	default:
		break;
	}
}

char
entry_letter(const struct estate_entry *e)
{
	static const char letters[] = {
		[STATE_PLAIN] = ' ',
		[STATE_SEALED] = 'S',
		[STATE_DANGLING] = 'D',
		[STATE_UNKNOWN] = '?',
		[STATE_OTHER] = 'O',
		[STATE_DAMAGED] = 'X',
	};

	return entry_is_clear(e) ? '!' : letters[e->state];
}

struct tally
tally_of(const struct estate_file *f)
{
	struct tally t = { .files = 1, .unreadable = f->problem != NULL };
	size_t i;

	for (i = 0; i < f->count; i++)
		tally_entry(&t, &f->entries[i]);
	return t;
}

static void
tally_add(struct tally *sum, const struct tally *t)
{
	sum->files += t->files;
	sum->clear += t->clear;
	sum->sealed += t->sealed;
	sum->unchecked += t->unchecked;
	sum->dangling += t->dangling;
	sum->unknown += t->unknown;
	sum->other += t->other;
	sum->damaged += t->damaged;
	sum->unreadable += t->unreadable;
	sum->orphans += t->orphans;
}

void
tally_print(const struct tally *t, char *out, size_t size)
{
	const struct {
		size_t n;
		char letter;
	} parts[] = { { t->clear, '!' }, { t->damaged + t->unreadable, 'X' }, { t->dangling, 'D' },
		{ t->unknown, '?' }, { t->sealed, 'S' }, { t->orphans, 'U' }, { t->other, 'O' } };
	size_t used = 0;
	size_t i;

	out[0] = '\0';
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && used < size; i++)
		if (parts[i].n > 0)
			used += (size_t)snprintf(out + used, size - used, "%s%zu%c",
			    used > 0 ? " " : "", parts[i].n, parts[i].letter);
}

/* Sealed entries that no configuration refers to. */
static size_t
tree_orphans(const struct environment *x)
{
	const struct document *d;
	size_t i, len, orphans = 0;
	const char *name;

	if (x->secrets == NULL)
		return 0;
	d = secrets_file_document(x->secrets);
	for (i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(x->secrets, i))
			continue;
		name = document_key(d, i, &len);
		orphans += environment_use(x, name, len, NULL, NULL) == USE_NONE;
	}
	return orphans;
}

bool
tree_root_refers(const struct tree_root *r)
{
	return r->environment == NULL &&
	    r->tally.sealed + r->tally.dangling + r->tally.damaged > 0;
}

/* --- the rows --- */

static struct tree_root *
root_at(const struct tree *t, size_t i)
{
	return vec_at(&t->roots, i);
}

const struct tree_row *
tree_row(const struct tree *t, size_t i)
{
	return vec_at(&t->rows, i);
}

/* --- the order of what is bad --- */

/* The worst first, by what there is most of. */
static int
tally_compare(const struct tally *a, const struct tally *b)
{
	const size_t one[] = { a->clear, a->damaged + a->unreadable, a->dangling, a->unknown,
		a->orphans, a->sealed },
	    other[] = { b->clear, b->damaged + b->unreadable, b->dangling, b->unknown,
		b->orphans, b->sealed };

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		if (one[i] != other[i])
			return one[i] > other[i] ? -1 : 1;
	return 0;
}

int
tree_compare(const struct tree *t, size_t one, size_t other)
{
	const struct tree_row *a = tree_row(t, one), *b = tree_row(t, other);

	return a->file != NULL && b->file != NULL ? tally_compare(&a->tally, &b->tally) :
	    tally_compare(&tree_root(t, a->root)->tally, &tree_root(t, b->root)->tally);
}

const struct tree_root *
tree_root(const struct tree *t, size_t i)
{
	return root_at(t, i);
}

static void
tree_clear(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->roots.len; i++) {
		free(root_at(t, i)->name);
		free(root_at(t, i)->id);
	}
	t->roots.len = t->rows.len = 0;
	memset(&t->tally, 0, sizeof(t->tally));
}

void
tree_init(struct tree *t, const char *const paths[], size_t n)
{
	memset(t, 0, sizeof(*t));
	t->paths = paths;
	t->path_count = n;
	vec_init(&t->roots, sizeof(struct tree_root), ROOTS_MAX);
	vec_init(&t->rows, sizeof(struct tree_row), ROWS_MAX);
}

void
tree_release(struct tree *t)
{
	tree_clear(t);
	vec_release(&t->roots);
	vec_release(&t->rows);
}

static struct tree_root *
add_root(struct tree *t, struct environment *x, const char *name, const char *id, size_t id_len)
{
	struct tree_root *r = vec_push(&t->roots);

	if (r == NULL)
		return NULL;
	r->environment = x;
	r->name = strdup(name);
	r->id = strndup(id, id_len);
	return r->name != NULL && r->id != NULL ? r : NULL;
}

/* By name, those without a secrets file last. */
static int
by_name(const void *one, const void *other)
{
	const struct tree_root *a = one, *b = other;
	int c;

	if ((a->environment == NULL) != (b->environment == NULL))
		return a->environment == NULL ? 1 : -1;
	c = strcmp(a->name, b->name);
	return c != 0 ? c : strcmp(a->id, b->id);
}

/* The first folder of a path that is shown, with its slash; none: 0.  Where there
 * is no environment at all it is no matter. */
static size_t
top_folder(const struct estate *e, const char *shown)
{
	const char *slash = environments_count(estate_environments(e)) == 0 ? NULL :
	    strchr(shown + (shown[0] == '/'), '/');

	return slash != NULL ? (size_t)(slash - shown) + 1 : 0;
}

/* What is shown of files below no environment. */
static struct tree_root *
add_folder(struct tree *t, const char *shown, size_t len)
{
	char *name = len > 0 ? strndup(shown, len - 1) : strdup(".");
	struct tree_root *r = name == NULL ? NULL :
	    add_root(t, NULL, name, len > 0 ? shown : "./", len > 0 ? len : 2);

	free(name);
	return r;
}

/* Is it the secrets file of an environment, which is a root itself? */
static bool
is_root(const struct estate_file *f)
{
	return f->is_secrets_file && f->environment != NULL;
}

/* How a file's root is looked up: environments by address, folders by name. */
static int
index_roots(struct tree *t, const struct estate *e, struct map *index)
{
	const struct environments *all = estate_environments(e);
	const struct estate_file *f;
	struct environment *x;
	const char *shown;
	size_t i, len, at;

	for (i = 0; i < environments_count(all); i++) {
		x = environments_at(all, i);
		if (add_root(t, x, x->name != NULL ? x->name : x->path, x->path,
		    strlen(x->path)) == NULL)
			return -1;
	}
	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		if (f->environment != NULL)
			continue;
		shown = tree_show_path(t, f->path);
		len = top_folder(e, shown);
		if (!map_get(index, shown, len, &at) && (add_folder(t, shown, len) == NULL ||
		    map_put(index, shown, len, t->roots.len - 1) == -1))
			return -1;
	}
	if (t->roots.len > 0)
		qsort(t->roots.items, t->roots.len, sizeof(struct tree_root), by_name);
	return 0;
}

/* Where roots are after sorting.  Keys are the roots' own ids. */
static int
index_sorted(struct tree *t, struct map *index)
{
	size_t i;

	for (i = 0; i < t->roots.len; i++) {
		const struct tree_root *r = root_at(t, i);

		if (map_put(index, r->id, strlen(r->id), i) == -1)
			return -1;
	}
	return 0;
}

static size_t
root_of(const struct tree *t, const struct estate *e, const struct map *index,
    const struct estate_file *f)
{
	const char *id = f->environment != NULL ? f->environment->path :
	    tree_show_path(t, f->path);
	size_t len = f->environment != NULL ? strlen(id) : top_folder(e, id);
	size_t at = 0;

	if (len == 0) {
		id = "./";
		len = 2;
	}
	map_get(index, id, len, &at);
	return at;
}

/* Count a file, and see by what path its secrets file is read: as new references will name it,
 * else as its own do. */
static void
root_take(struct tree_root *r, const struct estate_file *f)
{
	const struct tally tally = tally_of(f);
	size_t i;

	tally_add(&r->tally, &tally);
	if (r->environment != NULL && r->remote == NULL &&
	    (r->remote = environment_remote(r->environment)) != NULL)
		r->remote_len = strlen(r->remote);
	for (i = 0; r->environment != NULL && r->remote == NULL && i < f->count; i++) {
		if (f->entries[i].environment != r->environment)
			continue;
		r->remote = f->entries[i].remote;
		r->remote_len = f->entries[i].remote_len;
	}
}

/* Count into the roots, then give every root its rows, then fill them. */
static int
fill_rows(struct tree *t, const struct estate *e, bool whole, const struct map *index)
{
	const size_t count = estate_count(e);
	struct tree_root *r;
	struct tree_row *row;
	size_t i, next = 0;
	size_t *root = calloc(count + 1, sizeof(*root));

	if (root == NULL)
		return -1;
	for (i = 0; i < count; i++) {
		if (is_root(estate_file(e, i)))
			continue;
		root[i] = root_of(t, e, index, estate_file(e, i));
		root_take(root_at(t, root[i]), estate_file(e, i));
	}
	for (i = 0; i < t->roots.len; i++) {
		r = root_at(t, i);
		r->row = next;
		next += 1 + r->tally.files;
		if (r->environment != NULL && whole)
			r->tally.orphans = tree_orphans(r->environment);
		tally_add(&t->tally, &r->tally);
	}
	for (i = 0; i < next; i++)
		if (vec_push(&t->rows) == NULL)
			break;
	for (i = 0; t->rows.len == next && i < t->roots.len; i++) {
		r = root_at(t, i);
		*(struct tree_row *)vec_at(&t->rows, r->row) = (struct tree_row){ .root = i };
	}
	/* Files come in the order of their paths. */
	for (i = 0; t->rows.len == next && i < count; i++) {
		if (is_root(estate_file(e, i)))
			continue;
		r = root_at(t, root[i]);
		row = vec_at(&t->rows, ++r->row);
		*row = (struct tree_row){ root[i], estate_file(e, i),
			tally_of(estate_file(e, i)) };
	}
	for (i = 0; i < t->roots.len; i++)
		root_at(t, i)->row -= root_at(t, i)->tally.files;
	free(root);
	return t->rows.len == next ? 0 : -1;
}

int
tree_build(struct tree *t, const struct estate *e, bool whole, struct error *err)
{
	struct map *found = map_new(), *sorted = map_new();
	int rc = -1;

	tree_clear(t);
	if (found != NULL && sorted != NULL && index_roots(t, e, found) == 0 &&
	    index_sorted(t, sorted) == 0)
		rc = fill_rows(t, e, whole, sorted);
	map_free(found);
	map_free(sorted);
	if (rc == 0)
		return 0;
	tree_clear(t);
	return error_memory(err);
}

size_t
tree_find(const struct tree *t, const char *path)
{
	size_t i;

	for (i = 0; i < t->rows.len; i++)
		if (tree_row(t, i)->file != NULL && strcmp(tree_row(t, i)->file->path, path) == 0)
			break;
	return i;
}
