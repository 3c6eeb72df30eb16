#include <sys/stat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/jaas.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "estate/walk.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

#define ENTRIES_MAX ((size_t)1 << 26)
#define FILES_MAX 1000000

/* One file of an estate (inside core/estate): made, filled, told anew, freed. */

/* A reference of ours in an entry, which may have several. */
struct use {
	size_t entry;
	const char *remote;	/* interned by the environments */
	size_t remote_len;
	size_t name_at;		/* until it is in its place: where the name starts in the texts */
	const char *name;
	size_t name_len;
	struct environment *environment;	/* NULL: unknown, or not resolved yet */
};

/* A file of the estate, and what only this file knows of it. */
struct listed {
	struct estate_file face;
	struct file_id id;
	struct use *uses;
	size_t use_count;
	uint64_t inode[2];	/* device and inode, while files are sorted */
	bool twice;		/* listed under another path, too */
	bool stale;		/* its references are to be resolved */
};

/*
 * Keys and entry names of a file stand one after the other in one block,
 * which the entries' key pointers walk through; entries[0].key is its start.
 */
struct collection {
	struct environments *environments;
	const struct rules *rules;
	struct vec entries;	/* of struct estate_entry, still without pointers */
	struct vec keys;	/* of size_t: where their keys start in the texts */
	struct vec uses;	/* of struct use */
	struct buf texts;
	bool brief;
	bool references;
	size_t others;		/* that were not kept */
};

/* What estate_step does, one after the other. */
enum phase {
	PHASE_FINDING,		/* folders and files */
	PHASE_FITTING,		/* which paths the references have */
	PHASE_RESOLVING,	/* each reference of a file that is stale */
	PHASE_COUNTING,		/* how often each sealed entry is referred to */
	PHASE_PLACING,		/* which environment each file belongs to */
	PHASE_DONE
};

struct estate {
	const struct scope *scope;	/* NULL: the built-in one */
	struct vec *leftovers;	/* the caller's; NULL: they are removed */
	const struct rules *rules;
	struct environments *environments;
	struct vec files;	/* of struct listed * */
	struct vec folders;	/* of char *: still to be read */
	struct vec walked;	/* of char *: that were */
	struct vec pending;	/* of char *: files still to be loaded */
	struct vec single;	/* of char *: files that were named themselves */
	enum phase phase;
	size_t at;		/* the file at which the phase is */
	bool sorted;
	bool brief;		/* entries of no interest are not kept */
	bool references;	/* what is clear text is not looked for */
};

/* Add an entry. */
static struct estate_entry *
collect_add(struct collection *x, const void *key, size_t len)
{
	struct estate_entry *e = vec_push(&x->entries);
	size_t *at = vec_push(&x->keys);

	if (e == NULL || at == NULL)
		return NULL;
	e->key_len = len;
	e->checked = true;
	*at = x->texts.len;
	buf_append(&x->texts, key, len);
	buf_append_char(&x->texts, '\0');
	return e;
}

/* The references in the value of entry ${e}, and its state as far as that tells. */
static int
collect_uses(struct collection *x, size_t entry, const char *value, size_t n)
{
	struct estate_entry *e = vec_at(&x->entries, entry);
	size_t at = 0, start, end, path_len;
	struct reference r;
	struct use *u;

	for (; resolve_next(value, n, at, &r, &start, &end); at = end) {
		if (!reference_is_ours(&r)) {
			if (start == 0 && end == n)
				e->state = STATE_OTHER;
			continue;
		}
		if ((u = vec_push(&x->uses)) == NULL)
			return -1;
		path_len = r.path != NULL ? r.path_len : 0;
		u->entry = entry;
		u->remote = environments_intern(x->environments, r.path != NULL ? r.path : "",
		    path_len);
		u->remote_len = path_len;
		u->name_at = x->texts.len;
		u->name_len = r.name_len;
		buf_append(&x->texts, r.name, r.name_len);
		buf_append_char(&x->texts, '\0');
		if (u->remote == NULL)
			return -1;
		e->state = STATE_SEALED;
		e->checked = false;
	}
	return 0;
}

/* Add option ${k} of the JAAS value, if it is a secret or a reference. */
static int
add_option(struct collection *x, const struct document *d, const struct target *t, size_t k)
{
	struct jaas_option o = jaas_option(t->jaas, k);
	const char *key, *value = (const char *)t->value.data;
	size_t len, self = x->entries.len;
	struct estate_entry *e;
	enum secret secret;
	struct buf address;
	int rc = -1;

	key = document_key(d, t->entry, &len);
	secret = rules_option_secret(x->rules, t->jaas, k, key, len, value);
	if (o.shadowed || (secret == SECRET_NONE && memchr(value + o.inner_from, '$',
	    o.inner_to - o.inner_from) == NULL))
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(t->jaas, k, key, len, &address);
	if (buf_check(&address, NULL) != 0 ||
	    collect_add(x, address.data, address.len) == NULL ||
	    collect_uses(x, self, value + o.inner_from, o.inner_to - o.inner_from) != 0)
		goto done;
	e = vec_at(&x->entries, self);
	rc = 0;
	if (secret == SECRET_NONE && e->state == STATE_PLAIN) {
		x->entries.len = x->keys.len = self;
		goto done;
	}
	e->line = document_line(d, t->entry);
	e->sensitive = secret != SECRET_NONE;
	e->clear = secret == SECRET_CLEAR && e->state == STATE_PLAIN;
done:
	buf_release(&address);
	return rc;
}

/* The options of entry ${i}, if it holds JAAS; ${*parts}: some were added. */
static int
add_options(struct collection *x, const struct document *d, size_t i, bool *parts)
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
		if (add_option(x, d, &t, k) != 0)
			rc = -1;
	*parts = rc == 1 && x->entries.len > before;
	target_release(&t);
	return rc == -1 ? -1 : 0;
}

/* Count the last one instead, if it is neither a secret nor a reference. */
static void
collect_leave_out(struct collection *x, size_t self)
{
	const struct estate_entry *e = vec_at(&x->entries, self);

	if (!x->brief || x->entries.len != self + 1 || e->sensitive || e->clear ||
	    e->state != STATE_PLAIN)
		return;
	buf_truncate(&x->texts, *(size_t *)vec_at(&x->keys, self));
	x->entries.len = x->keys.len = self;
	x->others++;
}

/* ${hidden}: a remark hides the value, which is as a secret then. */
static int
add_entry(struct collection *x, const struct document *d, size_t i, bool hidden,
    struct buf *value)
{
	size_t len, self = x->entries.len;
	struct clear_count found;
	struct estate_entry *e;
	bool parts = false;
	const char *key;

	key = document_key(d, i, &len);
	if ((e = collect_add(x, key, len)) == NULL)
		return -1;
	e->line = document_line(d, i);
	e->shadowed = document_shadowed(d, i);
	if (!e->shadowed && jaas_key(key, len) && add_options(x, d, i, &parts) != 0)
		return -1;
	if (x->references)
		found = (struct clear_count){ 0, false };
	else if (clear_in_entry(x->rules, d, i, &found, NULL) != 0)
		return -1;
	e = vec_at(&x->entries, self);
	e->sensitive = !parts && (hidden || found.sensitive);
	e->clear = !parts && (hidden || found.clear > 0);
	/* Its parts say all. */
	if (parts || !reference_may_be_in(d, i))
		return 0;
	buf_clear(value);
	if (document_value(d, i, value, NULL) != 0 || value->len == 0)
		return 0;
	return collect_uses(x, self, (const char *)value->data, value->len);
}

/* Hand the collection over to the file. */
static int
collect_finish(struct listed *f, struct collection *x)
{
	struct estate_entry *entries = x->entries.items, *e;
	struct use *u = x->uses.items;
	char *block;

	if (buf_check(&x->texts, NULL) != 0 || (block = malloc(x->texts.len)) == NULL)
		return -1;
	memcpy(block, x->texts.data, x->texts.len);
	for (size_t i = 0; i < x->entries.len; i++)
		entries[i].key = block + *(size_t *)vec_at(&x->keys, i);
	/* The last one written is the entry's first. */
	for (size_t i = x->uses.len; i-- > 0;) {
		u[i].name = block + u[i].name_at;
		e = &entries[u[i].entry];
		e->name = u[i].name;
		e->name_len = u[i].name_len;
		e->remote = u[i].remote;
		e->remote_len = u[i].remote_len;
	}
	f->face.count = x->entries.len;
	/* Estates are large: give back what growing took too much. */
	f->face.entries = realloc(entries, f->face.count * sizeof(*entries));
	if (f->face.entries == NULL)
		f->face.entries = entries;
	x->entries.items = NULL;
	x->entries.len = x->entries.cap = 0;
	f->use_count = x->uses.len;
	if (f->use_count > 0) {
		f->uses = realloc(u, f->use_count * sizeof(*u));
		if (f->uses == NULL)
			f->uses = u;
		x->uses.items = NULL;
		x->uses.len = x->uses.cap = 0;
	}
	return 0;
}

/**
 * collect_entries(e, f, d):
 * Fill ${f}'s entries from its document: each entry, and behind one that
 * holds JAAS each option that is a secret or a reference, under its address
 * (<key>/<LoginModule>/<option>); such an entry is no secret itself then.
 * -1: no memory.
 */
static int
collect_entries(const struct estate *e, struct listed *f, const struct document *d)
{
	struct collection x = { .environments = e->environments, .rules = e->rules,
		.brief = e->brief, .references = e->references };
	const struct remark *hidden;
	struct vec remarks;
	struct buf value;
	size_t at = 0, self;
	int rc;

	vec_init(&remarks, sizeof(struct remark), ENTRIES_MAX);
	rc = inspect_document(e->rules, d, NULL, &remarks, NULL);
	vec_init(&x.entries, sizeof(struct estate_entry), ENTRIES_MAX);
	vec_init(&x.keys, sizeof(size_t), ENTRIES_MAX);
	vec_init(&x.uses, sizeof(struct use), ENTRIES_MAX);
	buf_init(&x.texts, BUF_MAX_FILE);
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d) && rc == 0; i++) {
		/* A key that is a part of a secret is nothing to list. */
		hidden = inspect_hidden(&remarks, &at, i);
		if (hidden != NULL && hidden->hides_key)
			continue;
		self = x.entries.len;
		rc = add_entry(&x, d, i, hidden != NULL, &value);
		if (rc == 0)
			collect_leave_out(&x, self);
	}
	f->face.others = x.others;
	if (rc == 0 && x.entries.len > 0)
		rc = collect_finish(f, &x);
	vec_release(&remarks);
	buf_release(&value);
	buf_release(&x.texts);
	vec_release(&x.uses);
	vec_release(&x.keys);
	vec_release(&x.entries);
	return rc;
}

/* A file with a path and nothing else.  NULL: no memory. */
static struct listed *
listed_new(const char *path)
{
	struct listed *f = calloc(1, sizeof(*f));

	if (f != NULL && (f->face.path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

static void
listed_forget(struct listed *f)
{
	struct estate_file *face = &f->face;

	free(face->problem);
	face->problem = NULL;
	if (face->entries != NULL)
		free((void *)(uintptr_t)face->entries[0].key);
	free((void *)(uintptr_t)face->entries);
	face->entries = NULL;
	face->count = face->others = 0;
	free(f->uses);
	f->uses = NULL;
	f->use_count = 0;
	face->is_secrets_file = false;
	face->environment = NULL;
}

static void
listed_free(struct listed *f)
{
	if (f == NULL)
		return;
	listed_forget(f);
	free((void *)(uintptr_t)f->face.path);
	free(f);
}

/* Give it a problem (copied).  -1: ERROR_MEMORY. */
static int
listed_fail(struct listed *f, const struct error *problem, struct error *err)
{
	if ((f->face.problem = malloc(sizeof(*f->face.problem))) == NULL)
		return error_memory(err);
	*f->face.problem = *problem;
	return 0;
}

static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* When anything about it changed last, 0: that is not known. */
static int64_t
changed_at_all(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? time_of(&st.st_ctim) : 0;
}

/* Read the file and fill keys, lines and states; what cannot be read becomes
 * its problem.  -1: ERROR_MEMORY. */
static int
listed_load(struct estate *e, struct listed *f, struct error *err)
{
	struct configuration *c;
	struct error problem;
	int rc = 0;

	listed_forget(f);
	f->stale = true;
	f->face.is_link = is_link(f->face.path);
	f->face.changed = changed_at_all(f->face.path);
	if ((c = configuration_load(f->face.path, e->scope, &problem)) == NULL)
		return problem.code == ERROR_MEMORY ? error_memory(err) :
		    listed_fail(f, &problem, err);
	f->id = c->id;
	f->face.changed = time_of(&c->id.mtime);
	f->face.mode = c->id.mode & 07777;
	f->face.owner = c->id.uid;
	if (secrets_file_recognise(c->doc)) {
		f->face.is_secrets_file = true;
		f->face.environment = environments_add(e->environments, f->face.path, c, err);
		rc = f->face.environment == NULL ? -1 : 0;
	} else if (collect_entries(e, f, c->doc) != 0)
		rc = error_memory(err);
	configuration_free(c);
	return rc;
}

static struct listed *
file_at(const struct estate *e, size_t i)
{
	return *(struct listed **)vec_at(&e->files, i);
}

/* Resolve one reference, and have its entry show it. */
static int
resolve_use(struct estate *e, struct listed *f, struct use *u, struct error *err)
{
	struct estate_entry *entry = (struct estate_entry *)(uintptr_t)&f->face.entries[u->entry];
	const struct reference r = { .provider = REFERENCE_PROVIDER,
		.provider_len = strlen(REFERENCE_PROVIDER), .path = u->remote,
		.path_len = u->remote_len, .name = u->name, .name_len = u->name_len };
	struct resolution x;

	if (environments_resolve(e->environments, f->face.path, &r, &x, err) != 0)
		return -1;
	u->environment = x.environment;
	/* Of several references the entry shows the worst. */
	if (entry->name == u->name || state_worse(entry->state, x.state) != entry->state) {
		entry->state = x.state;
		entry->environment = x.environment;
		entry->checked = x.checked;
	}
	entry->checked = entry->checked && x.checked;
	return 0;
}

static int
resolve_file(struct estate *e, struct listed *f, struct error *err)
{
	for (size_t i = 0; f->stale && i < f->use_count; i++)
		if (resolve_use(e, f, &f->uses[i], err) != 0)
			return -1;
	f->stale = false;
	return 0;
}

static int
fit_file(struct estate *e, const struct listed *f, struct error *err)
{
	for (size_t i = 0; i < f->use_count; i++) {
		const struct use *u = &f->uses[i];
		const struct reference r = { .provider = REFERENCE_PROVIDER,
			.provider_len = strlen(REFERENCE_PROVIDER), .path = u->remote,
			.path_len = u->remote_len, .name = u->name, .name_len = u->name_len };

		if (environments_refer(e->environments, &r, err) != 0)
			return -1;
	}
	return 0;
}

static int
count_file(struct estate *e, const struct listed *f, struct error *err)
{
	for (size_t i = 0; i < f->use_count; i++) {
		const struct use *u = &f->uses[i];

		if (u->environment != NULL && !f->face.entries[u->entry].shadowed &&
		    environments_count_one(e->environments, u->environment, f->face.path,
		    u->remote, u->name, u->name_len, err) != 0)
			return -1;
	}
	return 0;
}

static int
place_file(struct estate *e, struct listed *f, struct error *err)
{
	struct destination to;

	if (f->face.is_secrets_file)
		return 0;
	if (estate_destination(e, &f->face, &to, err) != 0)
		return -1;
	f->face.environment = to.environment;
	return 0;
}

struct estate *
estate_new(const char *const paths[], size_t n, struct error *err)
{
	struct estate *e = error_alloc(sizeof(*e), err);
	struct stat st;

	if (e == NULL)
		return NULL;
	vec_init(&e->files, sizeof(struct listed *), FILES_MAX);
	vec_init(&e->folders, sizeof(char *), FILES_MAX);
	vec_init(&e->walked, sizeof(char *), FILES_MAX);
	vec_init(&e->pending, sizeof(char *), FILES_MAX);
	vec_init(&e->single, sizeof(char *), FILES_MAX);
	if ((e->environments = environments_new(paths, n, err)) == NULL) {
		estate_free(e);
		return NULL;
	}
	/* They are taken from the ends, so the first goes in last. */
	for (size_t i = n; i-- > 0;) {
		bool folder = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);

		if (vec_push_string(folder ? &e->folders : &e->pending, paths[i],
		    strlen(paths[i])) == NULL || (!folder &&
		    vec_push_string(&e->single, paths[i], strlen(paths[i])) == NULL)) {
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
		listed_free(file_at(e, i));
	vec_release(&e->files);
	vec_release_strings(&e->folders);
	vec_release_strings(&e->walked);
	vec_release_strings(&e->pending);
	vec_release_strings(&e->single);
	environments_free(e->environments);
	free(e);
}

struct environments *
estate_environments(const struct estate *e)
{
	return e->environments;
}

void
estate_set_scope(struct estate *e, const struct scope *scope)
{
	e->scope = scope;
}

const struct scope *
estate_scope(const struct estate *e)
{
	return e->scope;
}

void
estate_set_rules(struct estate *e, const struct rules *rules)
{
	e->rules = rules;
}

void
estate_set_brief(struct estate *e, bool brief)
{
	e->brief = brief;
}

void
estate_set_references(struct estate *e, bool references)
{
	e->references = references;
}

void
estate_list_leftovers(struct estate *e, struct vec *leftovers)
{
	e->leftovers = leftovers;
}

/* Go back to a phase, unless the scan has not come so far. */
static void
go_back(struct estate *e, enum phase phase)
{
	if (e->phase > phase) {
		e->phase = phase;
		e->at = 0;
	}
}

void
estate_restate(struct estate *e, const struct environment *x)
{
	for (size_t i = 0; i < e->files.len; i++) {
		struct listed *f = file_at(e, i);

		f->stale = f->stale || x == NULL;
		for (size_t k = 0; !f->stale && k < f->use_count; k++)
			f->stale = f->uses[k].environment == x;
	}
	go_back(e, PHASE_FITTING);
}

/* The file of this path, new to the estate; NULL: no memory. */
static struct listed *
add_file(struct estate *e, const char *path)
{
	struct listed *f = listed_new(path), **slot;

	if (f == NULL || (slot = vec_push(&e->files)) == NULL) {
		listed_free(f);
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
	struct listed *f = add_file(e, path);

	free(path);
	return f == NULL ? error_memory(err) : listed_load(e, f, err);
}

static int
read_folder(struct estate *e, struct error *err)
{
	char *path = walk_pop(&e->folders), **slot;
	struct listed *f;
	struct error problem;
	int rc = 0;

	if (walk_folder(path, e->scope, &e->pending, &e->folders, e->leftovers, &problem) != 0) {
		if (problem.code == ERROR_MEMORY || (f = add_file(e, path)) == NULL)
			rc = error_memory(err);
		else
			rc = listed_fail(f, &problem, err);
	} else if ((slot = vec_push(&e->walked)) != NULL) {
		*slot = path;
		return 0;
	} else {
		rc = error_memory(err);
	}
	free(path);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp((*(struct listed *const *)a)->face.path,
	    (*(struct listed *const *)b)->face.path);
}

/* Sort by path, and drop what is listed twice: under one path, or one file
 * (device, inode) under several, of which one that is no link stays. */
static int
sort_files(struct estate *e, struct error *err)
{
	struct listed **files = e->files.items, *f;
	struct map *seen = map_new();
	size_t kept = 0, at;

	if (seen == NULL)
		return error_memory(err);
	if (e->files.len > 0)
		qsort(files, e->files.len, sizeof(*files), by_path);
	for (size_t i = 0; i < e->files.len; i++) {
		f = files[i];
		f->inode[0] = (uint64_t)f->id.dev;
		f->inode[1] = (uint64_t)f->id.ino;
		if (!f->id.exists || !map_get(seen, f->inode, sizeof(f->inode), &at)) {
			at = i;
		} else if (strcmp(files[at]->face.path, f->face.path) != 0 &&
		    files[at]->face.is_link && !f->face.is_link) {
			files[at]->twice = true;
			at = i;
		} else {
			f->twice = true;
			continue;
		}
		if (f->id.exists && map_put(seen, f->inode, sizeof(f->inode), at) != 0) {
			map_free(seen);
			return error_memory(err);
		}
	}
	map_free(seen);	/* before its keys, which lie in the files */
	for (size_t i = 0; i < e->files.len; i++) {
		if (files[i]->twice ||
		    (kept > 0 && by_path(&files[kept - 1], &files[i]) == 0))
			listed_free(files[i]);
		else
			files[kept++] = files[i];
	}
	e->files.len = kept;
	e->sorted = true;
	return 0;
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Find one more folder or file; at the end put all in order.  0: all is found. */
static int
find_more(struct estate *e, struct error *err)
{
	if (e->pending.len > 0)
		return load_pending(e, err) == 0 ? 1 : -1;
	if (e->folders.len > 0)
		return read_folder(e, err) == 0 ? 1 : -1;
	while (e->single.len > 0) {
		char *path = walk_pop(&e->single);
		int rc = environments_look_beside(e->environments, path, e->scope,
		    e->leftovers, err);

		free(path);
		if (rc != 0)
			return -1;
	}
	if ((!e->sorted && sort_files(e, err) != 0) ||
	    environments_settle(e->environments, err) != 0)
		return -1;
	return 0;
}

/* One file's part of the phase, and the next phase behind the last. */
static int
go_on(struct estate *e, struct error *err)
{
	struct listed *f;
	int rc = 0;

	if (e->at == e->files.len) {
		e->at = 0;
		if (++e->phase == PHASE_COUNTING)
			environments_count_none(e->environments);
		return 0;
	}
	f = file_at(e, e->at++);
	if (e->phase == PHASE_FITTING)
		rc = fit_file(e, f, err);
	else if (e->phase == PHASE_RESOLVING)
		rc = resolve_file(e, f, err);
	else if (e->phase == PHASE_COUNTING)
		rc = count_file(e, f, err);
	else
		rc = place_file(e, f, err);
	return rc;
}

/* The next piece of work, whatever the phase. */
static int
estate_work(struct estate *e, struct error *err)
{
	int rc;

	if (e->phase != PHASE_FINDING)
		return go_on(e, err);
	if ((rc = find_more(e, err)) == -1)
		return -1;
	e->phase = rc == 0 ? PHASE_FITTING : PHASE_FINDING;
	e->at = 0;
	return 0;
}

int
estate_find(struct estate *e, struct error *err)
{
	while (e->phase == PHASE_FINDING)
		if (estate_work(e, err) != 0)
			return -1;
	return 0;
}

int
estate_step(struct estate *e, int budget_ms, struct error *err)
{
	long long end = now_ms() + budget_ms;

	while (e->phase != PHASE_DONE) {
		if (estate_work(e, err) != 0)
			return -1;
		if (e->phase != PHASE_DONE && now_ms() >= end)
			return 1;
	}
	return 0;
}

/* The file of this path, NULL for none. */
static struct listed *
find_file(const struct estate *e, const char *path)
{
	const struct listed key = { .face.path = path };
	const struct listed *wanted = &key;
	struct listed **at;

	if (e->sorted && e->files.len > 0) {
		at = bsearch(&wanted, e->files.items, e->files.len, sizeof(*at), by_path);
		return at == NULL ? NULL : *at;
	}
	for (size_t i = 0; i < e->files.len; i++)
		if (strcmp(file_at(e, i)->face.path, path) == 0)
			return file_at(e, i);
	return NULL;
}

int
estate_refresh(struct estate *e, const char *path, struct error *err)
{
	struct listed *f = find_file(e, path);
	bool was = f != NULL && f->face.is_secrets_file;

	/* Counts refer to names in the file's block. */
	environments_count_none(e->environments);
	if (was && environment_reload(f->face.environment, err) == -1)
		return -1;
	if (f == NULL && (f = add_file(e, path)) == NULL)
		return error_memory(err);
	if (listed_load(e, f, err) != 0)
		return -1;
	if (was || f->face.is_secrets_file)
		estate_restate(e, NULL);
	/* A newcomer goes to its place, unless a scan will sort anyway. */
	go_back(e, e->sorted ? PHASE_FITTING : PHASE_FINDING);
	return e->sorted ? 0 : estate_step(e, 0, err) == -1 ? -1 : 0;
}

size_t
estate_count(const struct estate *e)
{
	return e->files.len;
}

const struct estate_file *
estate_file(const struct estate *e, size_t i)
{
	return &file_at(e, i)->face;
}

static bool
is_one_of(const struct estate_file *f, struct configuration *const but[], size_t n)
{
	struct file_id id;

	if (file_identify(f->path, &id, NULL) == 0)
		for (size_t i = 0; i < n; i++)
			if (file_id_same(&id, &but[i]->id))
				return true;
	return false;
}

bool
estate_refers(const struct estate *e, const struct environment *x, const char *name, size_t len,
    struct configuration *const but[], size_t n, const char **path, size_t *line)
{
	for (size_t i = 0; i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		for (size_t k = 0; k < f->count; k++) {
			const struct estate_entry *r = &f->entries[k];

			if (r->name == NULL || r->name_len != len || r->shadowed ||
			    memcmp(r->name, name, len) != 0 ||
			    (r->environment != NULL && r->environment != x))
				continue;
			if (is_one_of(f, but, n))
				break;
			*path = f->path;
			*line = r->line;
			return true;
		}
	}
	return false;
}

size_t
estate_folder_count(const struct estate *e)
{
	return e->walked.len;
}

const char *
estate_folder(const struct estate *e, size_t i)
{
	return vec_string(&e->walked, i);
}

/* The environment and the path that the file's own references use. */
static bool
own_destination(const struct listed *f, struct destination *out)
{
	const struct use *first = NULL, *u;
	bool several = false, one_path = true;

	for (size_t i = 0; i < f->use_count; i++) {
		u = &f->uses[i];
		if (f->face.entries[u->entry].shadowed)
			continue;
		if (first == NULL)
			first = u;
		/* One that is unknown may be anybody's. */
		if (u->environment == NULL || u->environment != first->environment) {
			several = true;
			out->one = first->environment != NULL ? first->environment->path : NULL;
			out->other = u->environment != NULL ? u->environment->path : NULL;
			break;
		}
		one_path = one_path && u->remote == first->remote;
	}
	if (first == NULL)
		return false;
	if (several)
		return true;
	out->environment = first->environment;
	out->remote = one_path ? first->remote : environment_remote(first->environment);
	out->kind = out->remote != NULL ? DESTINATION_KNOWN : DESTINATION_ASK;
	return true;
}

int
estate_destination(const struct estate *e, const struct estate_file *file,
    struct destination *out, struct error *err)
{
	const struct listed *f = (const struct listed *)file;
	struct environments *all = e->environments;
	struct destination own = { .kind = DESTINATION_ASK };
	bool refers = own_destination(f, &own);
	int rc;

	*out = (struct destination){ .kind = DESTINATION_ASK };
	if ((out->environment = environments_only(all)) != NULL) {
		out->remote = own.environment == out->environment && own.remote != NULL ?
		    own.remote : environment_remote(out->environment);
		out->kind = out->remote != NULL ? DESTINATION_KNOWN : DESTINATION_ASK;
		return 0;
	}
	if ((rc = environments_section(all, file->path, out, err)) == -1)
		return -1;
	if (rc == 1) {
		if (out->environment != NULL && out->remote == NULL)
			out->remote = own.environment == out->environment ? own.remote :
			    environment_remote(out->environment);
		if (out->environment != NULL && out->remote != NULL)
			out->kind = DESTINATION_KNOWN;
		return 0;
	}
	if (refers) {
		*out = own;
		return 0;
	}
	if (environments_nearest(all, file->path, out, err) != 0)
		return -1;
	if (out->environment == NULL ||
	    (out->remote = environment_remote(out->environment)) == NULL)
		return 0;
	out->kind = environment_is_used_around(all, out->environment, file->path,
	    out->remote) ? DESTINATION_KNOWN : DESTINATION_PROPOSED;
	return 0;
}
