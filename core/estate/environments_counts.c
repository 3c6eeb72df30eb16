#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "document/document.h"
#include "estate/environments_internal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* What environments are called, and how often what is in them is referred to. */

/* For qsort: those that are found come first, by path. */
static int
known_by_path(const void *a, const void *b)
{
	const struct environment *x = &(*(struct known *const *)a)->face;
	const struct environment *y = &(*(struct known *const *)b)->face;

	return x->found != y->found ? y->found - x->found : strcmp(x->path, y->path);
}

/* Is it made of `..` alone, and says nothing where the current folder is another? */
static bool
is_above(const char *folder, size_t n)
{
	return n >= 2 && folder[0] == '.' && folder[1] == '.' && (n == 2 || (folder[2] == '/' &&
	    (n == 3 || is_above(folder + 3, n - 3))));
}

/* The folder of the secrets file as it is below the one root, or as it is written. */
static void
append_folder(const struct environments *e, const struct known *k, struct buf *out)
{
	const char *path = k->face.path;
	size_t n = (size_t)(file_basename(path) - path), root;

	if (e->root_count == 1) {
		root = strlen(e->roots[0]);
		while (root > 1 && e->roots[0][root - 1] == '/')
			root--;
		if (n > root && strncmp(path, e->roots[0], root) == 0 && path[root] == '/') {
			path += root + 1;
			n -= root + 1;
		}
	}
	if (is_above(path, n)) {
		buf_append_str(out, k->first.real);
		return;
	}
	buf_append(out, n > 0 ? path : ".", n > 0 ? (n > 1 ? n - 1 : 1) : 1);
}

/* How many secrets files that are found lie in each folder.  NULL: no memory. */
static struct map *
count_neighbours(const struct environments *e)
{
	struct map *out = map_new();
	size_t *n;

	for (size_t i = 0; out != NULL && i < e->all.len; i++) {
		const char *real = known_at(e, i)->first.real;

		if (!known_at(e, i)->face.found)
			continue;
		if ((n = map_value(out, real, strlen(real))) == NULL) {
			map_free(out);
			return NULL;
		}
		++*n;
	}
	return out;
}

/* Does another secrets file lie in the same folder? */
static bool
shares_folder(const struct map *neighbours, const struct known *k)
{
	const char *real = k->first.real;
	size_t n = 0;

	(void)map_get(neighbours, real, strlen(real), &n);
	return n > (k->face.found ? 1 : 0);
}

/* The name that a section gives it, or NULL. */
static const char *
section_name(struct environments *e, const struct known *k)
{
	struct folder *f = e->lean ? folder_new(file_folder(k->face.path)) :
	    folder_for(e, k->face.path);
	const char *name = NULL;
	struct file_id id;

	if (f != NULL && folder_sections(e, f, NULL) == 0)
		for (size_t i = 0; name == NULL && i < f->count; i++)
			if (file_identify(f->sections[i].secrets_file, &id, NULL) == 0 &&
			    known_is_at(k, &id))
				name = f->sections[i].name;
	/* Of many secrets files each may lie in a folder of its own. */
	if (e->lean)
		folder_free(f);
	return name;
}

void
known_call(struct known *k, const char *text)
{
	char *copy = strcmp(k->face.name, text) != 0 ? strdup(text) : NULL, **former;

	if (copy == NULL)
		return;
	if (k->face.name != k->face.path) {
		if ((former = vec_push(&k->all->texts)) == NULL) {
			free(copy);
			return;
		}
		*former = (char *)(uintptr_t)k->face.name;
	}
	k->face.name = copy;
}

int
environments_settle(struct environments *e, struct error *err)
{
	struct map *none = map_new(), *neighbours = count_neighbours(e);
	struct buf name;
	const char *text;

	if (none == NULL || neighbours == NULL) {
		map_free(none);
		map_free(neighbours);
		return error_memory(err);
	}
	if (e->all.len > 0)
		qsort(e->all.items, e->all.len, sizeof(struct known *), known_by_path);
	buf_init(&name, NAME_BYTES_MAX);
	for (size_t i = 0; i < e->all.len; i++) {
		struct known *k = known_at(e, i);

		if ((text = section_name(e, k)) == NULL) {
			buf_clear(&name);
			append_folder(e, k, &name);
			if (shares_folder(neighbours, k)) {
				buf_append_char(&name, '/');
				buf_append_str(&name, file_basename(k->face.path));
			}
			text = buf_cstr(&name);
		}
		known_call(k, text);
	}
	buf_release(&name);
	map_free(neighbours);
	environments_forget(e);
	e->referred.len = e->fitting = 0;
	map_free(e->referred_index);
	e->referred_index = none;
	return 0;
}

void
environments_count_none(struct environments *e)
{
	map_free(e->unknown_index);
	e->unknown_index = NULL;
	e->unknown.len = 0;
	for (size_t i = 0; i < e->all.len; i++) {
		struct known *k = known_at(e, i);

		free(k->counts);
		map_free(k->references);
		map_free(k->around);
		k->counts = NULL;
		k->references = k->around = NULL;
		k->last = NULL;
		k->used = NULL;
		k->several = false;
	}
}

/* The entry of the name, where entries are counted; DOCUMENT_NONE. */
static size_t
known_entry(const struct known *k, const char *name, size_t len)
{
	/* In the others the content may be given back. */
	return k->all->lean || k->face.secrets == NULL ? DOCUMENT_NONE :
	    secrets_file_find(k->face.secrets, name, len);
}

/* Where the references to ${name} are counted; NULL: no memory. */
static size_t *
known_counter(struct known *k, const char *name, size_t len)
{
	size_t i = known_entry(k, name, len);

	if (i == DOCUMENT_NONE) {
		if (k->references == NULL)
			k->references = map_new();
		return k->references == NULL ? NULL : map_value(k->references, name, len);
	}
	if (k->counts == NULL)
		k->counts = calloc(document_count(secrets_file_document(k->face.secrets)),
		    sizeof(*k->counts));
	if (k->counts == NULL)
		return NULL;
	k->counts[i].name = name;
	return &k->counts[i].n;
}

/* The other name (kept) that a reference to ${name} counts for; NULL: there is none. */
static int
other_name(struct environments *e, const char *name, size_t len, const char **other, size_t *n,
    struct error *err)
{
	struct buf bare;
	int rc = 0;

	*other = NULL;
	buf_init(&bare, BUF_MAX_FILE);
	if (reference_bare(name, len, &bare) && ((rc = buf_check(&bare, err)) == 0) &&
	    (*other = environments_intern(e, (const char *)bare.data, bare.len)) == NULL)
		rc = error_memory(err);
	*n = bare.len;
	buf_release(&bare);
	return rc;
}

/* Note the folder that ${config} lies in.  -1: no memory. */
static int
count_around(struct environments *e, struct known *k, const char *config)
{
	struct folder *f = folder_for(e, config);

	if (k->around == NULL)
		k->around = map_new();
	if (f == NULL || k->around == NULL ||
	    (f != k->last && map_put(k->around, f->real, strlen(f->real), 1) != 0))
		return -1;
	k->last = f;
	return 0;
}

int
environments_count_one(struct environments *e, struct environment *x, const char *config,
    const char *remote, const char *name, size_t len, struct error *err)
{
	struct known *k = (struct known *)x;
	const char *other;
	size_t *n;

	if (e->destinations && count_around(e, k, config) != 0)
		return error_memory(err);
	k->face.aside = false;
	k->several = k->several || (k->used != NULL && k->used != remote);
	k->used = remote;
	do {
		if ((n = known_counter(k, name, len)) == NULL)
			return error_memory(err);
		++*n;
		if (other_name(e, name, len, &other, &len, err) != 0)
			return -1;
	} while ((name = other) != NULL);
	return 0;
}

int
environments_count_unknown(struct environments *e, const char *path, size_t line,
    const char *name, size_t len, struct error *err)
{
	struct unknown *u;
	const char *other;
	size_t first;

	if (e->unknown_index == NULL && (e->unknown_index = map_new()) == NULL)
		return error_memory(err);
	do {
		if (!map_get(e->unknown_index, name, len, &first)) {
			if ((u = vec_push(&e->unknown)) == NULL ||
			    map_put(e->unknown_index, name, len, e->unknown.len - 1) != 0)
				return error_memory(err);
			*u = (struct unknown){ path, line };
		}
		if (other_name(e, name, len, &other, &len, err) != 0)
			return -1;
	} while ((name = other) != NULL);
	return 0;
}

enum environment_use
environment_use(const struct environment *x, const char *name, size_t len, const char **path,
    size_t *line)
{
	const struct environments *e = ((const struct known *)x)->all;
	const struct unknown *u;
	size_t first;

	if (environment_references(x, name, len) > 0)
		return USE_KNOWN;
	if (e->unknown_index == NULL || !map_get(e->unknown_index, name, len, &first))
		return USE_NONE;
	u = vec_at(&e->unknown, first);
	if (path != NULL)
		*path = u->path;
	if (line != NULL)
		*line = u->line;
	return USE_PERHAPS;
}

size_t
environment_references(const struct environment *x, const char *name, size_t len)
{
	const struct known *k = (const struct known *)x;
	size_t n = 0, i;

	if (k->references != NULL)
		map_get(k->references, name, len, &n);
	if (k->counts != NULL && (i = known_entry(k, name, len)) != DOCUMENT_NONE)
		n += k->counts[i].n;
	return n;
}

const char *
environment_remote(const struct environment *x)
{
	const struct known *k = (const struct known *)x;

	const char *noted = environment_noted(x, 0);

	if (noted != NULL && environment_noted(x, 1) == NULL)
		return noted;
	return k->several ? NULL : k->used;
}

bool
environment_is_used_around(struct environments *e, const struct environment *x,
    const char *config, const char *remote)
{
	const struct known *k = (const struct known *)x;
	const struct folder *f = folder_for(e, config);
	size_t n = f != NULL ? strlen(f->real) : 0, ignored;

	if (f == NULL || k->around == NULL || k->several || k->used == NULL ||
	    strcmp(k->used, remote) != 0)
		return false;
	while (n > 0 && !map_get(k->around, f->real, n, &ignored)) {
		while (n > 0 && f->real[n - 1] != '/')
			n--;
		n -= n > 0;
	}
	return n > 0;
}
