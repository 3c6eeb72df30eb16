#include "estate/estate.h"

#include <sys/stat.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "estate/estate_file.h"
#include "estate/walk.h"

#define FILES_MAX 1000000

struct estate {
	const struct secrets_file *secrets;
	const struct scope *scope;	/* NULL: the built-in one */
	const struct rules *rules;
	struct vec files;	/* of struct estate_file * */
	struct vec folders;	/* of char *: still to be read */
	struct vec pending;	/* of char *: files still to be loaded */
	size_t restated;	/* files before this one have the states of ->secrets */
	bool sorted;
	struct map *references;	/* NULL: to be counted anew */
};

static struct estate_file *
file_at(const struct estate *e, size_t i)
{
	return *(struct estate_file **)vec_at(&e->files, i);
}

struct estate *
estate_new(const char *const paths[], size_t n, struct error *err)
{
	struct estate *e = calloc(1, sizeof(*e));
	struct stat st;

	if (e == NULL) {
		error_memory(err);
		return NULL;
	}
	vec_init(&e->files, sizeof(struct estate_file *), FILES_MAX);
	vec_init(&e->folders, sizeof(char *), FILES_MAX);
	vec_init(&e->pending, sizeof(char *), FILES_MAX);
	/* They are taken from the ends, so the first goes in last. */
	for (size_t i = n; i-- > 0;) {
		bool folder = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);

		if (walk_push(folder ? &e->folders : &e->pending, paths[i]) != 0) {
			estate_free(e);
			error_memory(err);
			return NULL;
		}
	}
	return e;
}

void
estate_free(struct estate *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->files.len; i++)
		estate_file_free(file_at(e, i));
	vec_release(&e->files);
	walk_release(&e->folders);
	walk_release(&e->pending);
	map_free(e->references);
	free(e);
}

void
estate_set_secrets(struct estate *e, const struct secrets_file *s)
{
	e->secrets = s;
	e->restated = 0;
}

void
estate_set_scope(struct estate *e, const struct scope *scope)
{
	e->scope = scope;
}

void
estate_set_rules(struct estate *e, const struct rules *rules)
{
	e->rules = rules;
}

/* The file of this path, new to the estate; NULL: no memory. */
static struct estate_file *
add_file(struct estate *e, const char *path)
{
	struct estate_file *f = estate_file_new(path), **slot;

	if (f == NULL || (slot = vec_push(&e->files)) == NULL) {
		estate_file_free(f);
		return NULL;
	}
	*slot = f;
	e->sorted = false;
	return f;
}

static int
load_pending(struct estate *e, struct error *err)
{
	char *path = walk_pop(&e->pending);
	struct estate_file *f = add_file(e, path);

	free(path);
	if (f == NULL)
		return error_memory(err);
	if (e->restated == e->files.len - 1)
		e->restated++;
	return estate_file_load(f, e->secrets, e->rules, err);
}

static int
read_folder(struct estate *e, struct error *err)
{
	char *path = walk_pop(&e->folders);
	struct estate_file *f;
	struct error problem;
	int rc = 0;

	if (walk_folder(path, e->scope, &e->pending, &e->folders, &problem) != 0) {
		if (problem.code == ERROR_MEMORY || (f = add_file(e, path)) == NULL)
			rc = error_memory(err);
		else
			rc = estate_file_fail(f, &problem, err);
	}
	free(path);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp((*(struct estate_file *const *)a)->path,
	    (*(struct estate_file *const *)b)->path);
}

/* Sort by path, and drop what was named twice. */
static void
sort_files(struct estate *e)
{
	struct estate_file **files = e->files.items;
	size_t kept = 0;

	if (e->files.len > 0)
		qsort(files, e->files.len, sizeof(*files), by_path);
	for (size_t i = 0; i < e->files.len; i++) {
		if (kept > 0 && by_path(&files[kept - 1], &files[i]) == 0)
			estate_file_free(files[i]);
		else
			files[kept++] = files[i];
	}
	e->files.len = kept;
	if (e->restated > kept)
		e->restated = kept;
	e->sorted = true;
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
estate_step(struct estate *e, int budget_ms, struct error *err)
{
	long long end = now_ms() + budget_ms;

	if (e->sorted && e->pending.len == 0 && e->folders.len == 0 &&
	    e->restated == e->files.len)
		return 0;
	map_free(e->references);
	e->references = NULL;
	do {
		if (e->pending.len > 0) {
			if (load_pending(e, err) != 0)
				return -1;
		} else if (e->folders.len > 0) {
			if (read_folder(e, err) != 0)
				return -1;
		} else if (e->restated < e->files.len) {
			estate_file_restate(file_at(e, e->restated++), e->secrets);
		} else {
			if (!e->sorted)
				sort_files(e);
			return 0;
		}
	} while (now_ms() < end);
	return 1;
}

/* The file of this path, NULL for none. */
static struct estate_file *
find_file(const struct estate *e, const char *path)
{
	const struct estate_file key = { .path = path };
	const struct estate_file *wanted = &key;
	struct estate_file **at;

	if (e->sorted && e->files.len > 0) {
		at = bsearch(&wanted, e->files.items, e->files.len, sizeof(*at), by_path);
		return at == NULL ? NULL : *at;
	}
	for (size_t i = 0; i < e->files.len; i++)
		if (strcmp(file_at(e, i)->path, path) == 0)
			return file_at(e, i);
	return NULL;
}

int
estate_refresh(struct estate *e, const char *path, struct error *err)
{
	struct estate_file *f = find_file(e, path);

	if (f == NULL && (f = add_file(e, path)) == NULL)
		return error_memory(err);
	map_free(e->references);
	e->references = NULL;
	if (estate_file_load(f, e->secrets, e->rules, err) != 0)
		return -1;
	/* A newcomer goes to its place, unless a scan will sort anyway. */
	if (!e->sorted && e->pending.len == 0 && e->folders.len == 0) {
		e->restated = 0;
		sort_files(e);
	}
	return 0;
}

size_t
estate_count(const struct estate *e)
{
	return e->files.len;
}

const struct estate_file *
estate_file(const struct estate *e, size_t i)
{
	return file_at(e, i);
}

/* Count how often each entry name is referred to by a winning entry. */
static struct map *
count_references(const struct estate *e)
{
	struct map *m = map_new();
	size_t n;

	for (size_t i = 0; m != NULL && i < e->files.len; i++) {
		const struct estate_file *f = file_at(e, i);

		for (size_t k = 0; k < f->count; k++) {
			const struct estate_entry *x = &f->entries[k];

			if (x->name == NULL || x->shadowed)
				continue;
			n = 0;
			map_get(m, x->name, x->name_len, &n);
			if (map_put(m, x->name, x->name_len, n + 1) != 0) {
				map_free(m);
				return NULL;
			}
		}
	}
	return m;
}

size_t
estate_references(const struct estate *e, const char *name, size_t len)
{
	size_t count = 0;

	if (e->references == NULL)
		((struct estate *)(uintptr_t)e)->references = count_references(e);
	if (e->references != NULL)
		map_get(e->references, name, len, &count);
	return count;
}
