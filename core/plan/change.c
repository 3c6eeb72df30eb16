#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define ANY_WRITE 0222
#define NAMES_MAX 512	/* bytes of files' names in a message */
#define CONFIGS_MAX 1000000

/* Read back: what apply wrote, before it takes the place of the old file. */

struct verify {
	const struct plan *plan;
	const struct plan_file *file;
};

static int
unexpected(const char *key, size_t len, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "it is not what was planned");
	return error_key(err, key, len);
}

/* Whatever was found wrong with the file is damage, and not the user's doing. */
static int
as_damage(const struct plan_file *file, struct error *err)
{
	struct error why;

	if (err == NULL || err->code == ERROR_MEMORY || err->code == ERROR_LIMIT ||
	    err->code == ERROR_CRYPTO)
		return -1;
	why = *err;
	error_set(err, ERROR_DAMAGED, "read back from disk, the new file is damaged: %s", why.text);
	error_place(err, file->path, why.line);
	error_key(err, why.key, strlen(why.key));
	return error_hint(err, "nothing was changed; is the disk or the memory faulty?");
}

/* The winning value of ${e}'s key in ${d} is what the edit gave it. */
static int
check_value(const struct document *d, const struct edit *e, size_t *entry, struct error *err)
{
	*entry = document_find(d, e->key, e->key_len);
	if (*entry == DOCUMENT_NONE || !document_value_is(d, *entry, e->value, e->value_len))
		return unexpected(e->key, e->key_len, err);
	return 0;
}

static int
check_gone(const struct document *d, const struct edit *e, struct error *err)
{
	return document_find(d, e->key, e->key_len) == DOCUMENT_NONE ? 0 :
	    unexpected(e->key, e->key_len, err);
}

/* The key that the entries need: a new one opens, the old one is as it was. */
static int
check_data_key(const struct plan *p, struct secrets_file *s, struct error *err)
{
	const char *old = secrets_file_metadata(plan_secrets(p))->data_key;
	const char *new = secrets_file_metadata(s)->data_key;

	if (plan_expected_master(p) != NULL)
		return secrets_file_unlock(s, plan_expected_master(p), err);
	if (old == NULL ? new == NULL : new != NULL && strcmp(old, new) == 0)
		return 0;
	return unexpected(SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY), err);
}

/* Did the entry of this name fail to open before?  Then the plan is not to blame. */
static bool
was_damaged(const struct plan *p, const char *name, size_t len, struct buf *plain)
{
	const struct secrets_file *old = plan_secrets(p);
	size_t i = secrets_file_find(old, name, len);

	buf_clear(plain);
	return secrets_file_cipher(old) != NULL && i != DOCUMENT_NONE &&
	    secrets_file_open(old, i, plain, NULL) != 0;
}

/* Open every entry of a file that has a new key, whoever sealed it. */
static int
open_all(const struct plan *p, const struct secrets_file *s, struct buf *plain, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	const char *name;
	size_t len;

	for (size_t i = 0; i < document_count(d); i++) {
		buf_clear(plain);
		if (!secrets_file_is_sealed(s, i) || secrets_file_open(s, i, plain, err) == 0)
			continue;
		name = document_key(d, i, &len);
		if (!was_damaged(p, name, len, plain))
			return -1;
	}
	return 0;
}

/* Open every entry that the plan sealed, or with a new key every entry. */
static int
verify_secrets(const struct plan *p, const struct plan_file *file, struct secrets_file *s,
    struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct cipher *c;
	struct buf plain;
	size_t entry, opened = 0;
	int rc = 0;

	if (check_data_key(p, s, err) != 0)
		return -1;
	c = secrets_file_cipher(s) != NULL ? secrets_file_cipher(s) : plan_cipher(p);
	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; i < edits_count(file->edits) && rc == 0; i++) {
		struct edit e = edits_at(file->edits, i);

		if (e.kind == EDIT_REMOVE) {
			rc = check_gone(d, &e, err);
			continue;
		}
		if (e.kind == EDIT_SET && document_shadowed(edits_document(file->edits), e.entry))
			continue;
		/* A tag is checked by whoever opens its entry, and at every opening. */
		if (tag_names(e.key, e.key_len))
			continue;
		if ((rc = check_value(d, &e, &entry, err)) != 0)
			break;
		if (!secrets_file_is_sealed(s, entry))
			continue;
		buf_clear(&plain);
		rc = c == NULL ? unexpected(e.key, e.key_len, err) :
		    sealed_open(c, e.value, e.value_len, &plain, err);
		if (rc != 0)
			error_key(err, e.key, e.key_len);
		opened++;
	}
	/* Those that the plan left alone have to open under a new key too. */
	if (rc == 0 && plan_expected_master(p) != NULL && secrets_file_sealed_count(s) > opened)
		rc = open_all(p, s, &plain, err);
	buf_release(&plain);
	return rc;
}

/* The value of an entry with spliced parts.  (One that is shadowed has no one place.) */
static int
check_spliced(const struct plan_file *file, const struct document *d, const struct edit *e,
    struct error *err)
{
	size_t entry = document_find(d, e->key, e->key_len);
	struct buf want;
	int rc;

	if (document_shadowed(edits_document(file->edits), e->entry))
		return 0;
	buf_init_secret(&want, BUF_MAX_FILE);
	rc = edits_value(file->edits, e->entry, &want, err);
	if (rc == 0 && (entry == DOCUMENT_NONE ||
	    !document_value_is(d, entry, (const char *)want.data, want.len)))
		rc = unexpected(e->key, e->key_len, err);
	buf_release(&want);
	return rc;
}

static int
verify_config(const struct plan_file *file, const struct document *d, struct error *err)
{
	size_t entry, spliced = DOCUMENT_NONE;
	int rc = 0;

	for (size_t i = 0; i < edits_count(file->edits) && rc == 0; i++) {
		struct edit e = edits_at(file->edits, i);

		if (e.kind == EDIT_REMOVE) {
			rc = check_gone(d, &e, err);
		} else if (e.kind != EDIT_SPLICE) {
			rc = check_value(d, &e, &entry, err);
		} else if (e.entry != spliced) {
			/* All splices of a value at once. */
			spliced = e.entry;
			rc = check_spliced(file, d, &e, err);
		}
	}
	return rc;
}

int
plan_verify(const struct plan *p, const struct plan_file *file, struct buf *content,
    struct error *err)
{
	struct secrets_file *s = NULL;
	struct document *d = NULL;
	int rc = -1;

	if (file->role == PLAN_OUTPUT)
		return 0;
	if (file->role == PLAN_SECRETS) {
		if ((s = secrets_file_parse(file->path, content, err)) != NULL)
			rc = verify_secrets(p, file, s, err);
	} else {
		d = document_parse(content, document_format(edits_document(file->edits)),
		    file->path, err);
		if (d != NULL && document_problem(d, err) == 0)
			rc = verify_config(file, d, err);
	}
	secrets_file_free(s);
	document_free(d);
	return rc == 0 ? 0 : as_damage(file, err);
}

static int
apply_verify(void *cookie, struct buf *content, struct error *err)
{
	const struct verify *v = cookie;

	return plan_verify(v->plan, v->file, content, err);
}

static struct replace *
apply_prepare(const struct plan *p, const struct plan_file *f, struct error *err)
{
	struct verify v = { p, f };
	struct replace *r = NULL;
	struct buf rendered;

	if (f->content != NULL)
		return replace_prepare(f->path, f->id, f->content, apply_verify, &v, err);
	buf_init_secret(&rendered, BUF_MAX_FILE);
	if (edits_render(f->edits, &rendered, err) == 0)
		r = replace_prepare(f->path, f->id, &rendered, apply_verify, &v, err);
	buf_release(&rendered);
	return r;
}

/* The files among the first ${n} that stay changed, as ", a, b and 3 more". */
static void
name_changed(struct replace **r, size_t n, char names[NAMES_MAX])
{
	size_t used = 0, left = 0;
	const char *path;

	names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		path = replace_placed(r[i]);
		if (path == NULL)
			continue;
		/* Room is kept for the number of those that find none. */
		if (left > 0 || used + strlen(path) + 32 > NAMES_MAX) {
			left++;
			continue;
		}
		used += (size_t)snprintf(names + used, NAMES_MAX - used, ", %s", path);
	}
	if (left > 0)
		snprintf(names + used, NAMES_MAX - used, " and %zu more", left);
}

/*
 * Say in the text of ${err} that file ${n} could not be put back for the
 * reason ${why}, and what is changed besides.
 */
static void
add_not_undone(struct error *err, struct replace **r, size_t n, const struct error *why)
{
	struct error first = *err;
	char names[NAMES_MAX];

	name_changed(r, n, names);
	error_set(err, first.code, "%s; %s %s (%s)%s%s", first.text, why->file,
	    replace_placed(r[n]) != NULL ? "is changed already and could not be put back" :
	    "was put back, but that may not be on disk", why->text,
	    names[0] != '\0' ? "; so these stay changed, too: " : "",
	    names[0] != '\0' ? names + 2 : "");
	error_place(err, first.file, first.line);
	error_hint(err, "no secret is lost: what a changed file refers to was left in place; the "
	    "other files are as they were; see to the cause, then run the command again");
}

/*
 * Put back, last first, what was put in place.  A later file may need an
 * earlier one (a reference its sealed entry), so where one cannot be put
 * back, those before it stay, too.
 */
static void
apply_undo(struct replace **r, size_t n, struct error *err)
{
	struct error why;

	while (n-- > 0) {
		if (replace_undo(r[n], &why) == 0)
			continue;
		if (err != NULL)
			add_not_undone(err, r, n, &why);
		return;
	}
}

/*
 * Permission bits do not bind root, who edits files of mode 0440 every day.
 * But a file without a write bit beside one that has some was protected on
 * purpose, so one of the two is not to be changed without the other.
 */
static int
check_protected(const struct plan *p, struct error *err)
{
	const struct plan_file *f = NULL, *protected = NULL;
	bool writable = false;

	while ((f = plan_next(p, f)) != NULL) {
		if (f->id->exists && (f->id->mode & ANY_WRITE) == 0)
			protected = f;
		else if (f->id->exists)
			writable = true;
	}
	if (protected == NULL || !writable)
		return 0;
	error_set(err, ERROR_REFUSED, "the file is read-only");
	error_place(err, protected->path, 0);
	return error_hint(err, "if it may be changed, make it writable first (chmod u+w)");
}

int
apply_plan(struct plan *p, struct error *err)
{
	size_t n = plan_file_count(p), i;
	const struct plan_file *f = NULL;
	struct replace **r;
	int result = -1;

	if (n == 0)
		return 0;
	if (check_protected(p, err) == -1)
		return -1;
	r = calloc(n, sizeof(struct replace *));
	if (r == NULL)
		return error_memory(err);
	for (i = 0; i < n; i++) {
		f = plan_next(p, f);
		r[i] = apply_prepare(p, f, err);
		if (r[i] == NULL)
			goto done;
	}
	for (i = 0; i < n; i++) {
		if (replace_commit(r[i], err) == -1) {
			apply_undo(r, i + 1, err);
			goto done;
		}
	}
	result = 0;
done:
	for (i = 0; i < n; i++)
		replace_free(r[i]);
	free(r);
	return result;
}

struct lock *
apply_lock(const struct plan *p, int timeout_ms, void (*waiting)(void *cookie, const char *path),
    void *cookie, struct error *err)
{
	size_t n = 0;
	const char **paths = calloc(plan_file_count(p) + 1, sizeof(char *));
	const struct plan_file *f = NULL;
	struct lock *l;

	if (paths == NULL) {
		error_memory(err);
		return NULL;
	}
	while ((f = plan_next(p, f)) != NULL)
		paths[n++] = f->path;
	l = lock_files(paths, n, timeout_ms, waiting, cookie, err);
	free(paths);
	return l;
}

void
change_init(struct change *c, const struct change_callbacks *callbacks, void *cookie)
{
	memset(c, 0, sizeof(*c));
	c->callbacks = callbacks;
	c->cookie = cookie;
	vec_init(&c->configs, sizeof(struct configuration *), CONFIGS_MAX);
}

static struct configuration **
config_slot(const struct change *c, size_t i)
{
	return vec_at(&c->configs, i);
}

static void
free_secrets(struct change *c)
{
	if (!c->borrowed)
		secrets_file_free(c->secrets);
	c->secrets = NULL;
	c->borrowed = false;
}

void
change_close(struct change *c)
{
	change_stop(c);
	for (size_t i = 0; i < c->configs.len; i++)
		configuration_free(*config_slot(c, i));
	vec_release(&c->configs);
	free_secrets(c);
	key_free(c->master);
	change_init(c, c->callbacks, c->cookie);
}

static void
add_hint(const struct change *c, enum change_file file, struct error *err)
{
	if (err != NULL && err->hint[0] == '\0' && c->callbacks->hint != NULL)
		c->callbacks->hint(c->cookie, file, err);
}

static int
load_secrets(struct change *c, const char *path, struct error *err)
{
	struct error why;
	struct secrets_file *s = secrets_file_load(path, &why);

	if (s == NULL && why.code == ERROR_MISSING) {
		if (c->may_create)
			s = secrets_file_new(path, &why);
		else
			add_hint(c, CHANGE_SECRETS, &why);
	}
	if (s == NULL) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	free_secrets(c);
	c->secrets = s;
	return 0;
}

static struct configuration *
load_config(const struct change *c, const char *path, struct error *err)
{
	struct error why;
	struct configuration *config = configuration_load(path, &why);

	if (config == NULL) {
		if (why.code == ERROR_MISSING)
			add_hint(c, CHANGE_CONFIG, &why);
		if (err != NULL)
			*err = why;
	} else if (c->base_name != NULL) {
		config->base = c->base_name;
	}
	return config;
}

static bool
is_same_file(const struct file_id *a, const struct file_id *b)
{
	return a->exists && b->exists && a->dev == b->dev && a->ino == b->ino;
}

/* A mistyped path must not make a secrets file of somebody's configuration. */
static int
check_secrets(const struct change *c, struct error *err)
{
	const struct document *d = secrets_file_document(c->secrets);

	if (document_count(d) == 0 || secrets_file_recognise(d) ||
	    secrets_file_sealed_count(c->secrets) > 0)
		return 0;
	error_set(err, ERROR_REFUSED, "this is no secrets file: it has entries, but neither "
	    "metadata nor a sealed one");
	error_place(err, secrets_file_path(c->secrets), 0);
	add_hint(c, CHANGE_SECRETS, err);
	return -1;
}

static int
check_config(const struct change *c, const struct configuration *config, struct error *err)
{
	if (c->secrets != NULL && is_same_file(&config->id, secrets_file_id(c->secrets))) {
		error_set(err, ERROR_REFUSED,
		    "the configuration file and the secrets file are the same file");
		return error_place(err, config->path, 0);
	}
	if (!secrets_file_recognise(config->doc))
		return 0;
	error_set(err, ERROR_REFUSED, "this is a secrets file, not a configuration file");
	error_place(err, config->path, 0);
	add_hint(c, CHANGE_CONFIG, err);
	return -1;
}

static int
check_files(const struct change *c, struct error *err)
{
	for (size_t i = 0; i < c->configs.len; i++)
		if (check_config(c, *config_slot(c, i), err) != 0)
			return -1;
	return c->secrets != NULL ? check_secrets(c, err) : 0;
}

int
change_files(struct change *c, const char *config, const char *secrets, bool may_create,
    struct error *err)
{
	c->may_create = may_create;
	if (config != NULL && change_config(c, config, err) == NULL)
		return -1;
	if (secrets != NULL && load_secrets(c, secrets, err) != 0)
		return -1;
	return check_files(c, err);
}

void
change_borrow(struct change *c, struct secrets_file *s)
{
	free_secrets(c);
	c->secrets = s;
	c->borrowed = true;
}

struct configuration *
change_config(struct change *c, const char *path, struct error *err)
{
	struct configuration *config = load_config(c, path, err), **slot;

	if (config == NULL)
		return NULL;
	if ((slot = vec_push(&c->configs)) == NULL) {
		configuration_free(config);
		error_memory(err);
		return NULL;
	}
	*slot = config;
	if (c->config == NULL)
		c->config = config;
	return config;
}

int
change_key(struct change *c, struct error *err)
{
	key_free(c->master);
	c->master = c->callbacks->key(c->cookie, c->secrets, err);
	return c->master == NULL ? -1 : 0;
}

int
change_plan(struct change *c, struct error *err)
{
	c->plan = plan_new(c->secrets, err);
	return c->plan == NULL ? -1 : 0;
}

/* Is the file still what was loaded? */
static bool
is_fresh(const char *path, const struct file_id *loaded)
{
	struct file_id now;

	return file_identify(path, &now, NULL) == 0 && file_id_equal(&now, loaded);
}

/* Load again what is not as it was. */
static int
refresh(struct change *c, struct error *err)
{
	struct configuration **slot, *fresh;

	for (size_t i = 0; i < c->configs.len; i++) {
		slot = config_slot(c, i);
		if (is_fresh((*slot)->path, &(*slot)->id))
			continue;
		if ((fresh = load_config(c, (*slot)->path, err)) == NULL)
			return -1;
		configuration_free(*slot);
		*slot = fresh;
		if (i == 0)
			c->config = fresh;
	}
	if (c->secrets != NULL && !c->borrowed &&
	    !is_fresh(secrets_file_path(c->secrets), secrets_file_id(c->secrets)) &&
	    load_secrets(c, secrets_file_path(c->secrets), err) != 0)
		return -1;
	return check_files(c, err);
}

static int
lock_paths(struct change *c, const char *const paths[], size_t n, struct error *err)
{
	c->lock = lock_files(paths, n, c->lock_timeout_ms, c->callbacks->waiting, c->cookie, err);
	return c->lock == NULL ? -1 : 0;
}

static int
lock_loaded(struct change *c, struct error *err)
{
	size_t n = c->configs.len;
	const char **paths = calloc(n + 1, sizeof(*paths));
	int rc;

	if (paths == NULL)
		return error_memory(err);
	for (size_t i = 0; i < n; i++)
		paths[i] = (*config_slot(c, i))->path;
	paths[n] = c->secrets != NULL ? secrets_file_path(c->secrets) : NULL;
	rc = lock_paths(c, paths, n + 1, err);
	free(paths);
	return rc;
}

int
change_start(struct change *c, struct error *err)
{
	if (!c->dry && (lock_loaded(c, err) != 0 || refresh(c, err) != 0))
		return -1;
	return change_plan(c, err);
}

void
change_unlock(struct change *c)
{
	lock_release(c->lock);
	c->lock = NULL;
}

void
change_stop(struct change *c)
{
	change_unlock(c);
	plan_free(c->plan);
	c->plan = NULL;
}

/* Would the output take the place of a file that is loaded? */
static int
check_output(const struct change *c, const char *path, struct error *err)
{
	const char *what = NULL;
	struct file_id id;

	if (file_check_output(path, err) != 0 || file_identify(path, &id, err) != 0)
		return -1;
	if (c->secrets != NULL && is_same_file(&id, secrets_file_id(c->secrets)))
		what = "secrets file";
	for (size_t i = 0; i < c->configs.len; i++)
		if (is_same_file(&id, &(*config_slot(c, i))->id))
			what = "configuration file";
	if (what == NULL)
		return 0;
	error_set(err, ERROR_REFUSED, "the output would overwrite the %s", what);
	error_place(err, path, 0);
	add_hint(c, CHANGE_OUTPUT, err);
	return -1;
}

int
change_output(struct change *c, const char *path, struct buf *text, struct error *err)
{
	if (check_output(c, path, err) != 0 || (!c->dry && lock_paths(c, &path, 1, err) != 0))
		return -1;
	if (c->plan == NULL && change_plan(c, err) != 0)
		return -1;
	return plan_add_output(c->plan, path, text, err);
}

int
change_apply(struct change *c, struct error *err)
{
	if (c->lock == NULL)
		c->lock = apply_lock(c->plan, c->lock_timeout_ms, c->callbacks->waiting, c->cookie,
		    err);
	return c->lock == NULL ? -1 : apply_plan(c->plan, err);
}
