#include <sys/stat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/jaas.h"
#include "estate/estate.h"
#include "estate/walk.h"
#include "plan/configuration.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

#define ENTRIES_MAX ((size_t)1 << 26)
#define FILES_MAX 1000000

/* One file of an estate (inside core/estate): made, filled, told anew, freed. */

/*
 * Keys and entry names of a file stand one after the other in one block,
 * which the entries' key pointers walk through; entries[0].key is its start.
 */
struct collection {
	struct vec entries;	/* of struct estate_entry, still without pointers */
	struct vec origins;	/* of struct origin */
	struct buf texts;
	struct buf scratch;
};

/* Where an entry's texts start in the block. */
struct origin {
	size_t key;
	size_t name;	/* 0: none (the first text is a key) */
};

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

/* Add an entry; ${name}: what its reference names, empty for none. */
static struct estate_entry *
collect_add(struct collection *x, const void *key, size_t len, enum entry_state state,
    const struct buf *name)
{
	struct estate_entry *e = vec_push(&x->entries);
	struct origin *p = vec_push(&x->origins);

	if (e == NULL || p == NULL)
		return NULL;
	e->key_len = len;
	e->state = state;
	p->key = x->texts.len;
	buf_append(&x->texts, key, len);
	buf_append_char(&x->texts, '\0');
	if (name->len > 0) {
		p->name = x->texts.len;
		e->name_len = name->len;
		buf_append(&x->texts, name->data, name->len);
		buf_append_char(&x->texts, '\0');
	}
	return e;
}

/* Add option ${k} of the JAAS value, if it is a secret or a reference. */
static int
add_option(struct collection *x, const struct document *d, const struct target *t, size_t k,
    const struct secrets_file *s, const struct rules *r)
{
	struct jaas_option o = jaas_option(t->jaas, k);
	struct estate_entry *e;
	enum entry_state state;
	enum secret secret;
	struct buf address;
	const char *key;
	size_t len;

	key = document_key(d, t->entry, &len);
	secret = rules_option_secret(r, t->jaas, k, key, len, (const char *)t->value.data);
	buf_clear(&x->scratch);
	state = state_value((const char *)t->value.data + o.inner_from,
	    o.inner_to - o.inner_from, s, &x->scratch);
	if (o.shadowed || (secret == SECRET_NONE && state == STATE_PLAIN))
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(t->jaas, k, key, len, &address);
	e = buf_check(&address, NULL) == 0 ?
	    collect_add(x, address.data, address.len, state, &x->scratch) : NULL;
	if (e != NULL) {
		e->line = document_line(d, t->entry);
		e->sensitive = secret != SECRET_NONE;
		e->clear = secret == SECRET_CLEAR && state == STATE_PLAIN;
	}
	buf_release(&address);
	return e != NULL ? 0 : -1;
}

/* The options of entry ${i}, if it holds JAAS; ${*parts}: some were added. */
static int
add_options(struct collection *x, const struct document *d, size_t i, const struct secrets_file *s,
    const struct rules *r, bool *parts)
{
	size_t before = x->entries.len;
	struct target t;
	struct error why;
	int rc;

	target_init(&t);
	rc = target_jaas(d, i, &t, &why);
	/* What cannot be taken apart stands as a whole. */
	if (rc == -1 && why.code != ERROR_MEMORY)
		rc = 0;
	for (size_t k = 0; rc == 1 && k < jaas_count(t.jaas); k++)
		if (add_option(x, d, &t, k, s, r) != 0)
			rc = -1;
	*parts = rc == 1 && x->entries.len > before;
	target_release(&t);
	return rc == -1 ? -1 : 0;
}

/* ${hidden}: a remark hides the value, which is as a secret then. */
static int
add_entry(struct collection *x, const struct document *d, size_t i, const struct secrets_file *s,
    const struct rules *r, bool hidden)
{
	size_t len, self = x->entries.len;
	struct clear_count found;
	struct estate_entry *e;
	enum entry_state state;
	bool parts = false;
	const char *key;

	key = document_key(d, i, &len);
	buf_clear(&x->scratch);
	state = state_of(d, i, s, &x->scratch);
	if ((e = collect_add(x, key, len, state, &x->scratch)) == NULL)
		return -1;
	e->line = document_line(d, i);
	e->shadowed = document_shadowed(d, i);
	if (!e->shadowed && jaas_key(key, len) && add_options(x, d, i, s, r, &parts) != 0)
		return -1;
	if (clear_in_entry(r, d, i, &found, NULL) != 0)
		return -1;
	e = vec_at(&x->entries, self);
	e->sensitive = !parts && (hidden || found.sensitive);
	e->clear = !parts && (hidden || found.clear > 0);
	if (parts) {
		/* Its parts say all; a reference is counted once. */
		e->state = STATE_PLAIN;
		e->name_len = 0;
		((struct origin *)vec_at(&x->origins, self))->name = 0;
	}
	return 0;
}

/* Hand the collection over to the file. */
static int
collect_finish(struct estate_file *f, struct collection *x)
{
	struct estate_entry *entries = x->entries.items;
	const struct origin *p;
	char *block;

	if (buf_check(&x->texts, NULL) != 0 || (block = malloc(x->texts.len)) == NULL)
		return -1;
	memcpy(block, x->texts.data, x->texts.len);
	for (size_t i = 0; i < x->entries.len; i++) {
		p = vec_at(&x->origins, i);
		entries[i].key = block + p->key;
		entries[i].name = p->name > 0 ? block + p->name : NULL;
	}
	f->count = x->entries.len;
	/* Estates are large: give back what growing took too much. */
	f->entries = realloc(entries, f->count * sizeof(*entries));
	if (f->entries == NULL)
		f->entries = entries;
	x->entries.items = NULL;
	x->entries.len = x->entries.cap = 0;
	return 0;
}

/**
 * collect_entries(f, d, s, r):
 * Fill ${f}'s entries from its document: each entry, and behind one that
 * holds JAAS each option that is a secret or a reference, under its address
 * (<key>/<LoginModule>/<option>); such an entry is no secret itself then.
 * -1: no memory.
 */
static int
collect_entries(struct estate_file *f, const struct document *d, const struct secrets_file *s,
    const struct rules *r)
{
	const struct remark *hidden;
	struct collection x;
	struct vec remarks;
	size_t at = 0;
	int rc;

	vec_init(&remarks, sizeof(struct remark), ENTRIES_MAX);
	rc = inspect_document(r, d, NULL, &remarks, NULL);
	vec_init(&x.entries, sizeof(struct estate_entry), ENTRIES_MAX);
	vec_init(&x.origins, sizeof(struct origin), ENTRIES_MAX);
	buf_init(&x.texts, BUF_MAX_FILE);
	buf_init(&x.scratch, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d) && rc == 0; i++) {
		/* A key that is a part of a secret is nothing to list. */
		hidden = inspect_hidden(&remarks, &at, i);
		if (hidden == NULL || !hidden->hides_key)
			rc = add_entry(&x, d, i, s, r, hidden != NULL);
	}
	if (rc == 0 && x.entries.len > 0)
		rc = collect_finish(f, &x);
	vec_release(&remarks);
	buf_release(&x.scratch);
	buf_release(&x.texts);
	vec_release(&x.origins);
	vec_release(&x.entries);
	return rc;
}

/* Free what collect_entries made. */
static void
collect_forget(struct estate_file *f)
{
	if (f->entries != NULL)
		free((void *)(uintptr_t)f->entries[0].key);
	free((void *)(uintptr_t)f->entries);
	f->entries = NULL;
	f->count = 0;
}

/* A file with a path and nothing else.  NULL: no memory. */
static struct estate_file *
estate_file_new(const char *path)
{
	struct estate_file *f = calloc(1, sizeof(*f));

	if (f != NULL && (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

static void
estate_file_forget(struct estate_file *f)
{
	free(f->problem);
	f->problem = NULL;
	collect_forget(f);
}

static void
estate_file_free(struct estate_file *f)
{
	if (f == NULL)
		return;
	estate_file_forget(f);
	free((void *)(uintptr_t)f->path);
	free(f);
}

/* Give it a problem (copied).  -1: ERROR_MEMORY. */
static int
estate_file_fail(struct estate_file *f, const struct error *problem, struct error *err)
{
	if ((f->problem = malloc(sizeof(*f->problem))) == NULL)
		return error_memory(err);
	*f->problem = *problem;
	return 0;
}

/* Read the file and fill keys, lines and states; what cannot be read becomes
 * its problem.  -1: ERROR_MEMORY. */
static int
estate_file_load(struct estate_file *f, const struct secrets_file *s, const struct rules *r,
    struct error *err)
{
	struct configuration *c;
	struct error problem;
	int rc = 0;

	estate_file_forget(f);
	f->is_secrets_file = false;
	if ((c = configuration_load(f->path, &problem)) == NULL)
		return problem.code == ERROR_MEMORY ? error_memory(err) :
		    estate_file_fail(f, &problem, err);
	if (secrets_file_recognise(c->doc))
		f->is_secrets_file = true;
	else if (collect_entries(f, c->doc, s, r) != 0)
		rc = error_memory(err);
	configuration_free(c);
	return rc;
}

/* Tell the states of its references against another secrets file. */
static void
estate_file_restate(struct estate_file *f, const struct secrets_file *s)
{
	struct estate_entry *e;

	for (size_t i = 0; i < f->count; i++) {
		e = (struct estate_entry *)(uintptr_t)&f->entries[i];
		if (e->name != NULL)
			e->state = state_of_name(e->name, e->name_len, s);
	}
}

static struct estate_file *
file_at(const struct estate *e, size_t i)
{
	return *(struct estate_file **)vec_at(&e->files, i);
}

struct estate *
estate_new(const char *const paths[], size_t n, struct error *err)
{
	struct estate *e = error_alloc(sizeof(*e), err);
	struct stat st;

	if (e == NULL)
		return NULL;
	vec_init(&e->files, sizeof(struct estate_file *), FILES_MAX);
	vec_init(&e->folders, sizeof(char *), FILES_MAX);
	vec_init(&e->pending, sizeof(char *), FILES_MAX);
	/* They are taken from the ends, so the first goes in last. */
	for (size_t i = n; i-- > 0;) {
		bool folder = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);

		if (vec_push_string(folder ? &e->folders : &e->pending, paths[i],
		    strlen(paths[i])) == NULL) {
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
	vec_release_strings(&e->folders);
	vec_release_strings(&e->pending);
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
