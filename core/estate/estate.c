#include <sys/stat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "document/scope.h"
#include "estate/collect.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "estate/walk.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

#define FILES_MAX 1000000

/* One file of an estate (inside core/estate): made, filled, told anew, freed. */

/* A file of the estate, and what only this file knows of it. */
struct listed {
	struct estate_file face;
	struct file_id id;
	struct collected held;	/* face shows the entries */
	uint64_t inode[2];	/* device and inode, while files are sorted */
	bool twice;		/* listed under another path, too */
	bool stale;		/* its references are to be resolved */
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
	struct environments *environments;
	struct vec files;	/* of struct listed * */
	struct vec folders;	/* of char *: still to be read */
	struct vec walked;	/* of char *: that were */
	struct vec pending;	/* of char *: files still to be loaded */
	struct vec single;	/* of char *: files that were named themselves */
	enum phase phase;
	size_t at;		/* the file at which the phase is */
	bool sorted;
	struct collection collection;
};

/* A file with a path, which is taken over, and nothing else.  NULL: no memory. */
static struct listed *
listed_new(char *path)
{
	struct listed *f = path != NULL ? calloc(1, sizeof(*f)) : NULL;

	if (f == NULL)
		free(path);
	else
		f->face.path = path;
	return f;
}

static void
listed_forget(struct listed *f)
{
	struct estate_file *face = &f->face;

	free(face->problem);
	face->problem = NULL;
	collected_release(&f->held);
	face->entries = NULL;
	face->count = face->others = 0;
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

/* Is it a link, and when did anything about the file change last (0: not known)? */
static void
listed_examine(struct listed *f)
{
	struct stat st;
	int rc = lstat(f->face.path, &st);

	f->face.is_link = rc == 0 && S_ISLNK(st.st_mode);
	if (f->face.is_link)
		rc = stat(f->face.path, &st);
	f->face.changed = rc == 0 ? time_of(&st.st_ctim) : 0;
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
	listed_examine(f);
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
	} else if (collect_entries(&e->collection, c->doc, &f->held) != 0) {
		rc = error_memory(err);
	}
	f->face.entries = f->held.entries;
	f->face.count = f->held.count;
	f->face.others = f->held.others;
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
	struct estate_entry *entry = &f->held.entries[u->entry];
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
	for (size_t i = 0; f->stale && i < f->held.use_count; i++)
		if (resolve_use(e, f, &f->held.uses[i], err) != 0)
			return -1;
	f->stale = false;
	return 0;
}

static int
fit_file(struct estate *e, const struct listed *f, struct error *err)
{
	for (size_t i = 0; i < f->held.use_count; i++) {
		const struct use *u = &f->held.uses[i];
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
	for (size_t i = 0; i < f->held.use_count; i++) {
		const struct use *u = &f->held.uses[i];

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
	collection_init(&e->collection);
	if ((e->environments = environments_new(paths, n, err)) == NULL) {
		estate_free(e);
		return NULL;
	}
	e->collection.environments = e->environments;
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
	collection_release(&e->collection);
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
	e->collection.rules = rules;
}

void
estate_set_brief(struct estate *e, bool brief)
{
	e->collection.brief = brief;
}

void
estate_set_references(struct estate *e, bool references)
{
	e->collection.references = references;
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
		for (size_t k = 0; !f->stale && k < f->held.use_count; k++)
			f->stale = f->held.uses[k].environment == x;
	}
	go_back(e, PHASE_FITTING);
}

/* The file of this path, which is taken over, new to the estate; NULL: no memory. */
static struct listed *
add_file(struct estate *e, char *path)
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
	struct listed *f = add_file(e, walk_pop(&e->pending));

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
		if (problem.code == ERROR_MEMORY || (f = add_file(e, strdup(path))) == NULL)
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
	if (f == NULL && (f = add_file(e, strdup(path))) == NULL)
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

	for (size_t i = 0; i < f->held.use_count; i++) {
		u = &f->held.uses[i];
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
