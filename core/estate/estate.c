#include <sys/stat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "estate/finder.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/reference.h"

#define FILES_MAX 1000000
#define CLOCK_EVERY 64		/* pieces of work */

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
	struct finder *finder;
	struct finder_terms *terms;	/* the finder's */
	struct environments *environments;
	struct vec files;	/* of struct listed * */
	struct vec walked;	/* of char *: folders that were read */
	struct vec single;	/* of char *: files that were named themselves */
	enum phase phase;
	size_t at;		/* the file at which the phase is */
	bool sorted;
	bool lean;
};

static struct listed *
file_at(const struct estate *e, size_t i)
{
	return *(struct listed **)vec_at(&e->files, i);
}

static struct reference
reference_of(const struct use *u)
{
	return (struct reference){ .provider = REFERENCE_PROVIDER,
		.provider_len = strlen(REFERENCE_PROVIDER), .path = u->remote,
		.path_len = u->remote_len, .name = u->name, .name_len = u->name_len };
}

/* Resolve one reference, and have its entry show it. */
static int
resolve_use(struct estate *e, struct listed *f, struct use *u, struct error *err)
{
	struct estate_entry *entry = &f->held.entries[u->entry];
	const struct reference r = reference_of(u);
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
		const struct reference r = reference_of(&f->held.uses[i]);

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
		const struct estate_entry *x = &f->face.entries[u->entry];

		if (x->shadowed)
			continue;
		if ((u->environment != NULL ? environments_count_one(e->environments,
		    u->environment, f->face.path, u->remote, u->name, u->name_len, err) :
		    environments_count_unknown(e->environments, f->face.path, x->line, u->name,
		    u->name_len, err)) != 0)
			return -1;
	}
	return 0;
}

static int
place_file(struct estate *e, struct listed *f, struct error *err)
{
	struct destination to;

	if (f->face.is_secrets_file || e->lean)
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
	vec_init(&e->walked, sizeof(char *), FILES_MAX);
	vec_init(&e->single, sizeof(char *), FILES_MAX);
	if ((e->environments = environments_new(paths, n, err)) == NULL ||
	    (e->finder = finder_new()) == NULL) {
		estate_free(e);
		error_memory(err);
		return NULL;
	}
	e->terms = finder_terms(e->finder);
	/* They are taken from the ends, so the first goes in last. */
	for (size_t i = n; i-- > 0;) {
		bool folder = stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);

		if (finder_add(e->finder, paths[i], folder) != 0 || (!folder &&
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
	vec_release_strings(&e->walked);
	vec_release_strings(&e->single);
	environments_free(e->environments);
	if (e->finder != NULL)
		finder_stop(e->finder);
	finder_release(e->finder);
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
	e->terms->scope = scope;
}

const struct scope *
estate_scope(const struct estate *e)
{
	return e->terms->scope;
}

void
estate_set_rules(struct estate *e, const struct rules *rules)
{
	e->terms->rules = rules;
}

void
estate_set_brief(struct estate *e, bool brief)
{
	e->terms->brief = brief;
}

void
estate_set_references(struct estate *e, bool references)
{
	e->terms->references = references;
}

void
estate_set_lean(struct estate *e)
{
	e->lean = true;
	environments_set_lean(e->environments, false);
}

void
estate_list_leftovers(struct estate *e, struct vec *leftovers)
{
	e->terms->leftovers = leftovers;
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

/* Add a file that is new to the estate (taken). */
static int
estate_add(struct estate *e, struct listed *f, struct error *err)
{
	struct listed **slot = f != NULL ? vec_push(&e->files) : NULL;

	if (slot == NULL) {
		listed_free(f);
		return error_memory(err);
	}
	*slot = f;
	e->sorted = false;
	return 0;
}

/* Have the environments know of a file that was read: a secrets file, or one with references. */
static int
estate_take(struct estate *e, struct listed *f, struct error *err)
{
	const char *remote = NULL, *interned = NULL;
	struct estate_entry *entry;
	struct use *u;

	if (f->secrets != NULL) {
		f->face.environment = environments_add(e->environments, f->face.path, f->secrets,
		    err);
		configuration_free(f->secrets);
		f->secrets = NULL;
		return f->face.environment != NULL ? 0 : -1;
	}
	/* The last one written is the entry's first. */
	for (size_t i = f->held.use_count; i-- > 0;) {
		u = &f->held.uses[i];
		if (u->remote != remote) {
			remote = u->remote;
			interned = environments_intern(e->environments, remote, u->remote_len);
			if (interned == NULL)
				return error_memory(err);
		}
		u->remote = interned;
		entry = &f->held.entries[u->entry];
		entry->remote = u->remote;
		entry->remote_len = u->remote_len;
	}
	free(f->held.remotes);
	f->held.remotes = NULL;
	return 0;
}

static int
take_found(struct estate *e, const struct found *x, struct error *err)
{
	char **slot;
	int rc;

	if (e->lean && (x->file == NULL || x->file->held.use_count == 0)) {
		rc = x->file != NULL ? estate_take(e, x->file, err) : 0;
		listed_free(x->file);
		free(x->folder);
		return rc;
	}
	if (x->file != NULL)
		return estate_add(e, x->file, err) == 0 ? estate_take(e, x->file, err) : -1;
	if ((slot = vec_push(&e->walked)) == NULL) {
		free(x->folder);
		return error_memory(err);
	}
	*slot = x->folder;
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp((*(struct listed *const *)a)->face.path,
	    (*(struct listed *const *)b)->face.path);
}

/* Of two of one path that which was read again comes first: the other one is older. */
static int
by_path_newest(const void *a, const void *b)
{
	int c = by_path(a, b);

	return c != 0 ? c : (*(struct listed *const *)b)->again -
	    (*(struct listed *const *)a)->again;
}

/* Forget those that are listed twice. */
static void
drop_twice(struct estate *e)
{
	struct listed **files = e->files.items;
	size_t kept = 0;

	for (size_t i = 0; i < e->files.len; i++) {
		if (files[i]->twice)
			listed_free(files[i]);
		else
			files[kept++] = files[i];
	}
	e->files.len = kept;
}

/* Sort by path, and drop what is listed twice: under one path, or one file
 * (device, inode) under several, of which one that is no link stays. */
static int
sort_files(struct estate *e, struct error *err)
{
	struct listed **files = e->files.items, *f;
	struct map *seen = map_new();
	size_t at;

	if (seen == NULL)
		return error_memory(err);
	if (e->files.len > 0)
		qsort(files, e->files.len, sizeof(*files), by_path_newest);
	/* First, as what the older one was read of may be another file now. */
	for (size_t i = 1; i < e->files.len; i++)
		files[i]->twice = by_path(&files[i - 1], &files[i]) == 0;
	drop_twice(e);
	for (size_t i = 0; i < e->files.len; i++) {
		f = files[i];
		f->inode[0] = (uint64_t)f->id.dev;
		f->inode[1] = (uint64_t)f->id.ino;
		if (!f->id.exists || !map_get(seen, f->inode, sizeof(f->inode), &at)) {
			at = i;
		} else if (files[at]->face.is_link && !f->face.is_link) {
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
	drop_twice(e);
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

/* Take one more folder or file; at the end put all in order.  0: all is found. */
static int
find_more(struct estate *e, struct error *err)
{
	struct found x;

	switch (finder_take(e->finder, &x, err)) {
	case FINDER_ONE:
		return take_found(e, &x, err) == 0 ? 1 : -1;
	case FINDER_LATER:
		return 1;
	case FINDER_FAILED:
		return -1;
	default:
		break;
	}
	while (e->single.len > 0) {
		char *path = walk_pop(&e->single);
		int rc = environments_look_beside(e->environments, path, e->terms->scope,
		    e->terms->leftovers, err);

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

	for (size_t i = 0; e->phase != PHASE_DONE; i++) {
		if (estate_work(e, err) != 0)
			return -1;
		if (e->phase == PHASE_DONE)
			break;
		/* Only what reads files takes longer than to ask for the time. */
		if (((e->phase == PHASE_FINDING || i % CLOCK_EVERY == 0) && now_ms() >= end) ||
		    estate_waits(e))
			return 1;
	}
	return 0;
}

struct finder *
estate_lend(struct estate *e)
{
	return e->phase == PHASE_FINDING && finder_lend(e->finder) ? e->finder : NULL;
}

bool
estate_is_lent(const struct estate *e)
{
	return e->phase == PHASE_FINDING && finder_looks(e->finder);
}

bool
estate_waits(const struct estate *e)
{
	return e->phase == PHASE_FINDING && finder_waits(e->finder);
}

void
estate_wait(const struct estate *e)
{
	if (e->phase == PHASE_FINDING)
		finder_wait(e->finder);
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
	struct collection x;
	int rc;

	/* Counts refer to names in the file's block. */
	environments_count_none(e->environments);
	if (was && environment_reload(f->face.environment, err) == -1)
		return -1;
	if (f == NULL && estate_add(e, f = listed_new(strdup(path)), err) != 0)
		return -1;
	f->again = true;
	collection_init(&x);
	rc = listed_read(f, e->terms, &x, err);
	collection_release(&x);
	if (rc != 0 || estate_take(e, f, err) != 0)
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

/* estate_next_user; ${unknown}: also what refers to an entry that may be of any environment. */
static size_t
next_user(const struct listed *f, size_t from, size_t to, const struct environment *x,
    bool unknown, const char *name, size_t len)
{
	size_t low = 0, high = f->held.use_count, mid;

	/* Uses are in the order of their entries. */
	while (low < high) {
		mid = low + (high - low) / 2;
		if (f->held.uses[mid].entry < from)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < f->held.use_count && f->held.uses[low].entry < to; low++) {
		const struct use *u = &f->held.uses[low];

		if ((u->environment == x || (unknown && u->environment == NULL)) &&
		    reference_names(u->name, u->name_len, name, len) &&
		    !f->held.entries[u->entry].shadowed)
			return u->entry;
	}
	return to;
}

size_t
estate_next_user(const struct estate_file *f, size_t from, size_t to, const struct environment *x,
    const char *name, size_t len)
{
	return next_user((const struct listed *)f, from, to, x, false, name, len);
}

bool
estate_refers(const struct estate *e, const struct environment *x, const char *name, size_t len,
    struct configuration *const but[], size_t n, const char **path, size_t *line)
{
	for (size_t i = 0; i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);
		size_t k = next_user(file_at(e, i), 0, f->count, x, true, name, len);

		if (k == f->count || is_one_of(f, but, n))
			continue;
		*path = f->path;
		*line = f->entries[k].line;
		return true;
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

/* The environments that the file's own references use; none, where one of them may be anybody's. */
static int
own_name(struct environments *all, const struct listed *f, struct destination *out,
    struct error *err)
{
	struct named n = { .count = 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->held.use_count; i++) {
		const struct use *u = &f->held.uses[i];

		if (f->face.entries[u->entry].shadowed)
			continue;
		if (u->environment == NULL) {
			n.count = 0;
			break;
		}
		rc = named_add(&n, u->environment->path, err);
	}
	return named_end(&n, all, rc, &out->one, &out->other, err);
}

/* The environment and the path that the file's own references use: 1; 0: it has none. */
static int
own_destination(struct environments *all, const struct listed *f, struct destination *out,
    struct error *err)
{
	const struct use *first = NULL, *u;
	bool one_path = true;

	for (size_t i = 0; i < f->held.use_count; i++) {
		u = &f->held.uses[i];
		if (f->face.entries[u->entry].shadowed)
			continue;
		if (first == NULL)
			first = u;
		/* One that is unknown may be anybody's. */
		if (u->environment == NULL || u->environment != first->environment) {
			out->refers = true;
			return own_name(all, f, out, err) != 0 ? -1 : 1;
		}
		one_path = one_path && u->remote == first->remote;
	}
	if (first == NULL)
		return 0;
	out->environment = first->environment;
	out->remote = one_path ? first->remote : environment_remote(first->environment);
	out->kind = out->remote != NULL ? DESTINATION_KNOWN : DESTINATION_ASK;
	return 1;
}

int
estate_destination(const struct estate *e, const struct estate_file *file,
    struct destination *out, struct error *err)
{
	const struct listed *f = (const struct listed *)file;
	struct environments *all = e->environments;
	struct destination own = { .kind = DESTINATION_ASK };
	int refers = own_destination(all, f, &own, err), rc;

	*out = (struct destination){ .kind = DESTINATION_ASK };
	if (refers == -1)
		return -1;
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
	if (refers == 1) {
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
