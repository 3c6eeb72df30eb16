#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments_internal.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

#define ENVIRONMENTS_MAX 100000

struct known *
known_at(const struct environments *e, size_t i)
{
	return *(struct known **)vec_at(&e->all, i);
}

struct environments *
environments_new(const char *const roots[], size_t n, struct error *err)
{
	struct environments *e = error_alloc(sizeof(*e), err);

	if (e == NULL)
		return NULL;
	e->destinations = true;
	e->roots = roots;
	e->root_count = n;
	vec_init(&e->all, sizeof(struct known *), ENVIRONMENTS_MAX);
	vec_init(&e->came, sizeof(struct known *), ENVIRONMENTS_MAX);
	vec_init(&e->below, sizeof(struct below), TEXTS_MAX);
	vec_init(&e->folders, sizeof(struct folder *), TEXTS_MAX);
	vec_init(&e->texts, sizeof(char *), TEXTS_MAX);
	vec_init(&e->referred, sizeof(struct referred), TEXTS_MAX);
	vec_init(&e->unknown, sizeof(struct unknown), TEXTS_MAX);
	e->by_path = map_new();
	e->by_place = map_new();
	e->near = map_new();
	e->noted = map_new();
	e->folder_index = map_new();
	e->text_index = map_new();
	e->referred_index = map_new();
	if (e->by_path == NULL || e->by_place == NULL || e->near == NULL || e->noted == NULL ||
	    e->folder_index == NULL || e->text_index == NULL || e->referred_index == NULL) {
		environments_free(e);
		error_memory(err);
		return NULL;
	}
	return e;
}

static void
known_free(struct known *k)
{
	if (k == NULL)
		return;
	environment_lock(&k->face);
	secrets_file_free(k->face.secrets);
	free(k->face.problem);
	if (k->face.name != k->face.path)
		free((char *)(uintptr_t)k->face.name);
	free(k->first.path);
	for (struct position *next, *p = k->first.next; p != NULL; p = next) {
		next = p->next;
		free(p->path);
		free(p);
	}
	free(k->counts);
	map_free(k->references);
	map_free(k->around);
	free(k);
}

void
environments_free(struct environments *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->all.len; i++)
		known_free(known_at(e, i));
	for (size_t i = 0; i < e->folders.len; i++)
		folder_free(*(struct folder **)vec_at(&e->folders, i));
	key_ring_free(e->keys);
	vec_release(&e->all);
	vec_release(&e->folders);
	vec_release_strings(&e->texts);
	vec_release(&e->referred);
	vec_release(&e->unknown);
	vec_release(&e->came);
	map_free(e->by_path);
	map_free(e->by_place);
	vec_release(&e->below);
	map_free(e->near);
	map_free(e->noted);
	map_free(e->folder_index);
	map_free(e->text_index);
	map_free(e->referred_index);
	map_free(e->unknown_index);
	map_free(e->looked);
	free(e);
}

void
environments_set_source(struct environments *e, const struct environment_source *s)
{
	e->source = s;
}

const char *
environments_intern(struct environments *e, const char *text, size_t len)
{
	size_t at;
	char *copy;

	if (map_get(e->text_index, text, len, &at))
		return vec_string(&e->texts, at);
	if ((copy = vec_push_string(&e->texts, text, len)) == NULL ||
	    map_put(e->text_index, copy, len, e->texts.len - 1) != 0)
		return NULL;
	return copy;
}

void
environments_forget(struct environments *e)
{
	for (size_t i = 0; i < e->folders.len; i++)
		folder_forget(*(struct folder **)vec_at(&e->folders, i));
}

/* --- secrets files --- */

bool
folder_ends(const char *folder, size_t n)
{
	return folder[n] == '\0' || folder[n] == '/';
}

/* Have it found by that path, unless another was before, in its folder, and in each above. */
static int
know_position(struct known *k, const struct position *p, struct error *err)
{
	struct environments *e = k->all;
	struct below *b;
	size_t *newest, *number = map_value(e->by_path, p->path, strlen(p->path));

	if (number == NULL)
		return error_memory(err);
	if (*number == 0)
		*number = k->number;
	for (size_t n = strlen(p->real); n > 0; n--) {
		if (!folder_ends(p->real, n))
			continue;
		newest = map_value(e->near, p->real, n);
		if (newest == NULL || (b = vec_push(&e->below)) == NULL)
			return error_memory(err);
		b->k = k;
		b->next = *newest;
		b->count = 1 + (b->next == 0 ? 0 :
		    ((const struct below *)vec_at(&e->below, b->next - 1))->count);
		*newest = e->below.len;
	}
	return 0;
}

static int
add_position(struct known *k, const char *path, struct error *err)
{
	char *folder = file_folder(path), *real = folder != NULL ? folder_real(folder) : NULL;
	struct position *p = k->first.path == NULL ? &k->first : calloc(1, sizeof(*p)), *last;
	const size_t n = strlen(path) + 1, m = real != NULL ? strlen(real) + 1 : 0;
	char *block = real != NULL && p != NULL ? malloc(n + m) : NULL;

	if (block != NULL) {
		memcpy(block, path, n);
		p->path = block;
		p->real = memcpy(block + n, real, m);
	}
	free(folder);
	free(real);
	if (p == &k->first) {
		k->face.path = block;
	} else if (block == NULL) {
		free(p);
	} else {
		for (last = &k->first; last->next != NULL; last = last->next)
			;
		last->next = p;
		return know_position(k, p, err);
	}
	return block != NULL ? 0 : error_memory(err);
}

static struct place
place_of(const struct file_id *id)
{
	return (struct place){ id->exists, id->dev, id->ino };
}

static bool
place_same(const struct place *a, const struct place *b)
{
	return a->exists && b->exists && a->dev == b->dev && a->ino == b->ino;
}

bool
known_is_at(const struct known *k, const struct file_id *id)
{
	const struct place p = place_of(id);

	return place_same(&k->place, &p);
}

static struct known *
known_came(const struct environments *e, size_t number)
{
	return *(struct known **)vec_at(&e->came, number - 1);
}

static struct known *
known_at_place(const struct environments *e, const struct place *p)
{
	const uint64_t key[] = { p->dev, p->ino };
	struct known *k;
	size_t number;

	if (!p->exists || !map_get(e->by_place, key, sizeof(key), &number))
		return NULL;
	k = known_came(e, number);
	return place_same(&k->place, p) ? k : NULL;
}

/* Have ${k} found at its place, which may be another than it was. */
static int
add_place(struct known *k, struct error *err)
{
	const uint64_t key[] = { k->place.dev, k->place.ino };
	const char *kept;

	if (k->number == 0 || !k->place.exists)
		return 0;
	kept = environments_intern(k->all, (const char *)key, sizeof(key));
	return kept != NULL && map_put(k->all->by_place, kept, sizeof(key), k->number) == 0 ? 0 :
	    error_memory(err);
}

static struct known *
known_at_path(const struct environments *e, const char *path)
{
	size_t number;

	return map_get(e->by_path, path, strlen(path), &number) ? known_came(e, number) : NULL;
}

/* A mistyped path must not make a secrets file of somebody's configuration. */
static bool
is_no_secrets_file(const struct secrets_file *s, struct error *why)
{
	const struct document *d = secrets_file_document(s);

	if (document_count(d) == 0 || secrets_file_recognise(d) ||
	    secrets_file_sealed_count(s) > 0)
		return false;
	error_set(why, ERROR_REFUSED, "this is no secrets file: it has entries, but neither "
	    "metadata nor a sealed one");
	error_place(why, secrets_file_path(s), 0);
	return true;
}

/* Its entries get other numbers, or none: count references by name from now on. */
static int
known_count_by_name(struct known *k, struct error *err)
{
	const struct document *d;
	size_t len;

	if (k->counts == NULL)
		return 0;
	d = secrets_file_document(k->face.secrets);
	if (k->references == NULL && (k->references = map_new()) == NULL)
		return error_memory(err);
	for (size_t i = 0; i < document_count(d); i++) {
		(void)document_key(d, i, &len);
		if (k->counts[i].n > 0 &&
		    map_put(k->references, k->counts[i].name, len, k->counts[i].n) != 0)
			return error_memory(err);
	}
	free(k->counts);
	k->counts = NULL;
	return 0;
}

/* Free the secrets file of ${k}, and keep what is asked for without it. */
static int
known_rest(struct known *k, struct error *err)
{
	struct secrets_file *s = k->face.secrets;
	size_t n = secrets_file_remote_count(s);
	struct buf noted;

	/* Most note the same. */
	buf_init(&noted, BUF_MAX_FILE);
	for (size_t i = 0; i < n; i++) {
		buf_append_char(&noted, '+');
		buf_append(&noted, secrets_file_remote(s, i),
		    strlen(secrets_file_remote(s, i)) + 1);
	}
	k->noted = n > 0 && !noted.failed ?
	    environments_intern(k->all, (const char *)noted.data, noted.len) : NULL;
	buf_release(&noted);
	if (n > 0 && k->noted == NULL)
		return error_memory(err);
	k->iterations = secrets_file_metadata(s)->iterations;
	k->rests = true;
	secrets_file_free(s);
	k->face.secrets = NULL;
	return 0;
}

/* ${k}'s is held: another one no more, where only one may be. */
static int
known_holds(struct known *k, struct error *err)
{
	struct environments *e = k->all;
	struct known *other = e->awake;

	if (!e->lean)
		return 0;
	e->awake = k;
	return other != NULL && other != k && other->face.secrets != NULL ?
	    known_rest(other, err) : 0;
}

int
known_wake(struct known *k, struct error *err)
{
	return k->rests && environment_reload(&k->face, err) == -1 ? -1 : 0;
}

bool
known_is_readable(const struct known *k)
{
	return k->rests || k->face.secrets != NULL;
}

const char *
environment_noted(const struct environment *x, size_t i)
{
	const struct known *k = (const struct known *)x;

	const char *path = k->noted;

	if (k->rests) {
		while (path != NULL && *path != '\0' && i-- > 0)
			path += strlen(path) + 1;
		return path != NULL && *path != '\0' ? path + 1 : NULL;
	}
	return x->secrets != NULL && i < secrets_file_remote_count(x->secrets) ?
	    secrets_file_remote(x->secrets, i) : NULL;
}

uint32_t
environment_iterations(const struct environment *x)
{
	const struct known *k = (const struct known *)x;

	return k->rests ? k->iterations : x->secrets != NULL ?
	    secrets_file_metadata(x->secrets)->iterations : 0;
}

bool
known_notes(const struct known *k, const char *path, size_t len)
{
	const char *noted;

	for (size_t i = 0; (noted = environment_noted(&k->face, i)) != NULL; i++)
		if (strlen(noted) == len && memcmp(noted, path, len) == 0)
			return true;
	return false;
}

static int
remember_noted(struct environments *e, const struct secrets_file *s, struct error *err)
{
	const char *path;

	for (size_t i = 0; i < secrets_file_remote_count(s); i++) {
		path = secrets_file_remote(s, i);
		if ((path = environments_intern(e, path, strlen(path))) == NULL ||
		    map_put(e->noted, path, strlen(path), 1) != 0)
			return error_memory(err);
	}
	return 0;
}

/* Have ${s} (owned), or the reason why there is none. */
static int
take_secrets(struct known *k, struct secrets_file *s, struct error *why, struct error *err)
{
	if (s != NULL && is_no_secrets_file(s, why)) {
		secrets_file_free(s);
		s = NULL;
	}
	if (known_count_by_name(k, err) != 0) {
		secrets_file_free(s);
		return -1;
	}
	secrets_file_free(k->face.secrets);
	free(k->face.problem);
	k->face.problem = NULL;
	k->face.secrets = s;
	k->rests = false;
	k->noted = NULL;
	environments_forget(k->all);
	if (s != NULL) {
		secrets_file_set_policy(s, k->all->policy);
		k->place = place_of(secrets_file_id(s));
		return add_place(k, err) != 0 || remember_noted(k->all, s, err) != 0 ? -1 :
		    known_holds(k, err);
	}
	if (why->code == ERROR_MEMORY || (k->face.problem = malloc(sizeof(*why))) == NULL)
		return error_memory(err);
	*k->face.problem = *why;
	return 0;
}

/* 1: ${master} opens it, 0: it does not, or nothing tells.  ERROR_MEMORY, ERROR_CRYPTO. */
static int
try_key(struct environment *x, const struct key *master, struct error *err)
{
	struct error why;

	if (x->master != NULL)
		return 0;
	if (known_wake((struct known *)x, err) != 0)
		return -1;
	if (x->secrets == NULL ||
	    secrets_file_metadata(x->secrets)->data_key == NULL)
		return 0;
	if (environment_unlock(x, master, &why) == 0)
		return 1;
	if (why.code != ERROR_MEMORY && why.code != ERROR_CRYPTO)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

struct known *
known_of_path(struct environments *e, const char *path, struct configuration *c,
    struct error *err)
{
	struct secrets_file *s;
	struct known *k, **slot, **came;
	struct file_id id = { .exists = false };
	struct place place;
	struct error why;

	if (c != NULL)
		id = c->id;
	else
		(void)file_identify(path, &id, NULL);
	place = place_of(&id);
	if ((k = known_at_place(e, &place)) != NULL) {
		return known_at_path(e, path) == k || add_position(k, path, err) == 0 ? k : NULL;
	}
	/* One that was replaced has another inode, and is the same environment. */
	if ((k = known_at_path(e, path)) != NULL)
		return environment_reload(&k->face, err) == -1 ? NULL : k;
	if ((k = error_alloc(sizeof(*k), err)) == NULL)
		return NULL;
	k->all = e;
	k->place = place;
	if (c != NULL) {
		s = secrets_file_take(path, &c->id, c->doc, &why);
		c->doc = NULL;
	} else
		s = secrets_file_load(path, &why);
	if (take_secrets(k, s, &why, err) != 0 || add_position(k, path, err) != 0) {
		known_free(k);
		return NULL;
	}
	if ((came = vec_push(&e->came)) == NULL || (slot = vec_push(&e->all)) == NULL) {
		known_free(k);
		error_memory(err);
		return NULL;
	}
	*slot = *came = k;
	k->number = e->came.len;
	k->face.name = k->face.path;
	if (know_position(k, &k->first, err) != 0 || add_place(k, err) != 0)
		return NULL;
	for (size_t i = 0; e->keys != NULL && i < key_ring_count(e->keys); i++)
		if (try_key(&k->face, key_ring_key(e->keys, i), err) == -1)
			return NULL;
	return k;
}

struct environment *
environments_add(struct environments *e, const char *path, struct configuration *c,
    struct error *err)
{
	struct known *k = known_of_path(e, path, c, err);

	if (k == NULL)
		return NULL;
	k->face.found = true;
	k->face.aside = false;
	environments_forget(e);
	return &k->face;
}

struct environment *
environments_name(struct environments *e, const char *path, bool only, struct error *err)
{
	struct environment *x = environments_add(e, path, NULL, err);

	if (x != NULL && only)
		e->only = (struct known *)x;
	return x;
}

void
environments_set_policy(struct environments *e, struct secrets_policy policy)
{
	e->policy = policy;
	for (size_t i = 0; i < e->all.len; i++)
		if (known_at(e, i)->face.secrets != NULL)
			secrets_file_set_policy(known_at(e, i)->face.secrets, policy);
}

void
environments_set_lean(struct environments *e, bool destinations)
{
	e->lean = true;
	e->destinations = destinations;
}

struct environment *
environments_only(const struct environments *e)
{
	return e->only != NULL ? &e->only->face : NULL;
}

size_t
environments_count(const struct environments *e)
{
	return e->all.len;
}

struct environment *
environments_at(const struct environments *e, size_t i)
{
	return &known_at(e, i)->face;
}

int
environments_of_file(const struct environments *e, const char *path, struct environment **out,
    struct error *err)
{
	struct file_id id, other;
	struct known *k;

	*out = NULL;
	if (file_identify(path, &id, err) != 0)
		return -1;
	/* Mostly it has the name by which it was found: to ask for every file takes long. */
	if (id.exists && (k = known_at_path(e, path)) != NULL)
		*out = &k->face;
	for (size_t i = 0; id.exists && *out == NULL && i < environments_count(e); i++)
		if (file_identify(environments_at(e, i)->path, &other, NULL) == 0 &&
		    file_id_same(&id, &other))
			*out = environments_at(e, i);
	return 0;
}

int
environment_unlock(struct environment *x, const struct key *master, struct error *err)
{
	struct key *copy;

	if (known_wake((struct known *)x, err) != 0)
		return -1;
	if (x->secrets == NULL) {
		if (x->problem != NULL && err != NULL)
			*err = *x->problem;
		return -1;
	}
	if (secrets_file_metadata(x->secrets)->data_key != NULL &&
	    secrets_file_unlock(x->secrets, master, err) != 0)
		return -1;
	if ((copy = key_copy(master, err)) == NULL ||
	    mac_fingerprint(copy, x->fingerprint, err) != 0) {
		key_free(copy);
		environment_lock(x);
		return -1;
	}
	key_free(x->master);
	x->master = copy;
	return 0;
}

void
environment_lock(struct environment *x)
{
	key_free(x->master);
	x->master = NULL;
	x->fingerprint[0] = '\0';
	if (x->secrets != NULL)
		secrets_file_lock(x->secrets);
}

int
environments_unlock(struct environments *e, const struct key *master, size_t *opened,
    struct error *err)
{
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < e->all.len; i++) {
		if ((rc = try_key(environments_at(e, i), master, err)) == -1)
			return -1;
		n += (size_t)rc;
	}
	if (opened != NULL)
		*opened = n;
	return 0;
}

void
environments_keep_keys(struct environments *e, struct key_ring *keys)
{
	key_ring_free(e->keys);
	e->keys = keys;
}

const struct key_ring *
environments_keys(const struct environments *e)
{
	return e->keys;
}

int
environments_take_keys(struct environments *to, const struct environments *from,
    struct error *err)
{
	struct error why;
	struct known *k;

	for (size_t i = 0; i < from->all.len; i++) {
		const struct known *old = known_at(from, i);

		if (old->face.master == NULL)
			continue;
		/* Of one without a data key only the file can tell. */
		k = known_at_place(to, &old->place);
		if (k != NULL && k->face.master == NULL && k->face.secrets != NULL &&
		    environment_unlock(&k->face, old->face.master, &why) != 0 &&
		    why.code == ERROR_MEMORY)
			return error_memory(err);
		if (environments_unlock(to, old->face.master, NULL, err) != 0)
			return -1;
	}
	return 0;
}

int
environment_reload(struct environment *x, struct error *err)
{
	struct known *k = (struct known *)x;
	struct secrets_file *s;
	struct file_id now;
	struct error why = { .code = ERROR_NONE };
	struct key *master;

	if (x->secrets != NULL && file_identify(x->path, &now, NULL) == 0 &&
	    file_id_equal(&now, secrets_file_id(x->secrets)))
		return 0;
	s = secrets_file_load(x->path, &why);
	master = x->master;
	x->master = NULL;
	environment_lock(x);
	if (take_secrets(k, s, &why, err) != 0) {
		key_free(master);
		return -1;
	}
	/* What is no secrets file any more is none of those that may be meant. */
	x->found = x->found && (x->problem == NULL || x->problem->code != ERROR_REFUSED);
	if (master != NULL && x->secrets != NULL && environment_unlock(x, master, &why) != 0 &&
	    why.code == ERROR_MEMORY) {
		key_free(master);
		return error_memory(err);
	}
	key_free(master);
	return 1;
}
