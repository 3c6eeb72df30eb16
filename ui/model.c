#include "ui/model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "ui/options.h"
#include "ui/outline.h"

#define SEALED_MAX 100000000
#define REFRESH_MAX 64
#define ADDED_MAX 10000

/* --- the secrets file that is shown --- */

/* Make the list of the sealed entries of the secrets file that is shown. */
static int
list_sealed(struct model *m, struct error *err)
{
	const struct document *d;
	struct model_sealed *slot;
	size_t i;

	m->sealed.len = 0;
	if (m->shown == NULL || m->shown->secrets == NULL)
		return 0;
	d = secrets_file_document(m->shown->secrets);
	for (i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(m->shown->secrets, i))
			continue;
		slot = vec_push(&m->sealed);
		if (slot == NULL)
			return error_memory(err);
		slot->entry = i;
	}
	return 0;
}

int
model_show(struct model *m, struct environment *x, struct error *err)
{
	if (m->shown == x)
		return 0;
	m->shown = x;
	return list_sealed(m, err);
}

/* Something about an environment (NULL: about all) is others now. */
static int
model_changed(struct model *m, const struct environment *x, struct error *err)
{
	estate_restate(m->estate, x);
	m->scanning = true;
	m->changes++;
	m->next_has_keys = false;
	return x == NULL || x == m->shown ? list_sealed(m, err) : 0;
}

enum model_soundness
model_soundness(struct model *m, size_t i)
{
	struct model_sealed *s = vec_at(&m->sealed, i);
	struct error err;
	struct buf value;

	if (s->soundness != SEALED_NOT_LOOKED_AT)
		return s->soundness;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (secrets_file_open(m->shown->secrets, s->entry, &value, &err) == 0)
		s->soundness = SEALED_SOUND;
	else
		s->soundness = err.code == ERROR_DAMAGED ? SEALED_DAMAGED : SEALED_NOT_CHECKED;
	buf_release(&value);
	return s->soundness;
}

/* --- environments and their keys --- */

struct environments *
model_environments(const struct model *m)
{
	return estate_environments(m->estate);
}

struct environment *
model_environment(struct model *m, const char *path, struct error *err)
{
	struct environment *x = environments_name(model_environments(m), path, false, err);

	if (x != NULL && vec_push_string(&m->added, path, strlen(path)) == NULL) {
		error_memory(err);
		return NULL;
	}
	return x != NULL && model_changed(m, NULL, err) == 0 ? x : NULL;
}

int
model_reload(struct model *m, struct environment *x, struct error *err)
{
	int rc = environment_reload(x, err);

	if (rc == 1)
		return model_changed(m, x, err);
	return rc;
}

size_t
model_secrets_files(const struct model *m)
{
	const struct environments *e = model_environments(m);
	size_t i, n = 0;

	for (i = 0; i < environments_count(e); i++)
		n += environments_at(e, i)->secrets != NULL;
	return n;
}

size_t
model_keys(const struct model *m)
{
	const struct environments *e = model_environments(m);
	size_t i, n = 0;

	for (i = 0; i < environments_count(e); i++)
		n += environments_at(e, i)->master != NULL;
	return n;
}

int
model_use_keys(struct model *m, const struct key_ring *ring, struct error *err)
{
	size_t i, one, opened = 0;

	for (i = 0; i < key_ring_count(ring); i++) {
		if (environments_unlock(model_environments(m), key_ring_key(ring, i), &one,
		    err) == -1)
			return -1;
		opened += one;
	}
	return opened > 0 ? model_changed(m, NULL, err) : 0;
}

int
model_use_ring(struct model *m, struct error *err)
{
	if (m->ring == NULL)
		m->ring = m->options->keys(m->options->keys_cookie, err);
	return m->ring != NULL ? model_use_keys(m, m->ring, err) : -1;
}

int
model_unlock(struct model *m, struct environment *x, const struct key *master, size_t *opened,
    struct error *err)
{
	size_t others = 0;
	int rc = environment_unlock(x, master, err);

	if (rc == -1 && err->code != ERROR_KEY)
		return -1;
	*opened = rc == 0;
	if (environments_unlock(model_environments(m), master, &others, err) == -1)
		return -1;
	*opened += others;
	if (*opened == 0)
		return error_set(err, ERROR_KEY, "the key opens no secrets file");
	/* With the key in hand damaged entries can be told from sound ones. */
	return model_changed(m, NULL, err);
}

void
model_lock(struct model *m)
{
	struct environments *e = model_environments(m);
	struct error ignored;
	size_t i;

	m->locked = true;
	for (i = 0; i < environments_count(e); i++)
		environment_lock(environments_at(e, i));
	estate_free(m->former);
	m->former = NULL;
	key_ring_free(m->ring);
	m->ring = NULL;
	if (m->next != NULL)
		(void)model_look_again(m, &ignored);
	(void)model_changed(m, NULL, &ignored);
}

/* --- the estate --- */

static struct estate *
new_estate(const struct model *m, struct error *err)
{
	static struct vec nowhere;	/* without room: leftovers just stay */
	const struct ui_options *o = m->options;
	struct estate *e = estate_new(o->paths, o->path_count, err);
	struct environments *all;

	if (e == NULL)
		return NULL;
	estate_set_scope(e, o->scope);
	estate_set_rules(e, o->rules);
	estate_set_brief(e, !m->keeps_all);
	if (o->read_only)
		estate_list_leftovers(e, &nowhere);
	all = estate_environments(e);
	environments_set_policy(all, o->policy);
	if (o->environments != NULL)
		environments_set_source(all, o->environments);
	if (o->secrets_file != NULL &&
	    environments_name(all, o->secrets_file, true, err) == NULL) {
		estate_free(e);
		return NULL;
	}
	for (size_t i = 0; i < m->added.len; i++)
		if (environments_name(all, vec_string(&m->added, i), false, err) == NULL) {
			estate_free(e);
			return NULL;
		}
	return e;
}

struct model *
model_new(const struct ui_options *o, struct error *err)
{
	struct model *m = error_alloc(sizeof(*m), err);

	if (m == NULL)
		return NULL;
	m->options = o;
	tree_init(&m->tree, o->paths, o->path_count);
	vec_init(&m->sealed, sizeof(struct model_sealed), SEALED_MAX);
	vec_init(&m->added, sizeof(char *), ADDED_MAX);
	m->scanning = true;
	m->locked = o->leave != NULL && o->leave->locked;
	m->marks = marks_new();
	m->off = marks_new();
	m->collide = marks_new();
	m->estate = m->marks != NULL && m->off != NULL && m->collide != NULL ?
	    new_estate(m, err) : NULL;
	if (m->estate == NULL) {
		model_free(m);
		return NULL;
	}
	return m;
}

void
model_free(struct model *m)
{
	if (m == NULL)
		return;
	tree_release(&m->tree);
	estate_free(m->former);
	estate_free(m->estate);
	estate_free(m->next);
	key_ring_free(m->ring);
	marks_free(m->marks);
	marks_free(m->off);
	marks_free(m->collide);
	vec_release(&m->sealed);
	vec_release_strings(&m->added);
	free(m);
}

int
model_mark(struct model *m, const struct estate_file *f, const struct estate_entry *e, bool mark)
{
	if (marks_has(m->off, f->path, e->key, e->key_len))
		(void)marks_set(m->off, f->path, e->key, e->key_len, false);
	return marks_set(m->marks, f->path, e->key, e->key_len, mark);
}

bool
model_is_pending(const struct model *m, const struct estate_file *f,
    const struct estate_entry *e)
{
	return !e->shadowed && marks_has(m->marks, f->path, e->key, e->key_len) &&
	    !marks_has(m->off, f->path, e->key, e->key_len) &&
	    !marks_has(m->collide, f->path, e->key, e->key_len);
}

bool
model_can_seal(const struct estate_entry *e)
{
	static const char providers[] = "config.providers";
	const size_t n = sizeof(providers) - 1;

	return e->state == STATE_PLAIN && (strncmp(e->key, providers, n) != 0 ||
	    (e->key[n] != '.' && e->key[n] != '\0'));
}

int
model_arrange(struct model *m, struct error *err)
{
	return tree_build(&m->tree, m->estate, !m->scanning, err);
}

/* Marks on what is no longer there, or no longer plain, are dropped. */
static int
prune_marks(struct model *m, struct error *err)
{
	struct marks *kept = marks_new(), *off = marks_new();
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t i, k, sealed = 0;
	bool failed = kept == NULL || off == NULL;

	for (i = 0; !failed && i < estate_count(m->estate); i++) {
		f = estate_file(m->estate, i);
		for (k = 0; !failed && k < f->count; k++) {
			e = &f->entries[k];
			if (e->shadowed || !marks_has(m->marks, f->path, e->key, e->key_len))
				continue;
			sealed += e->state == STATE_SEALED;
			if (!model_can_seal(e))
				continue;
			failed = marks_set(kept, f->path, e->key, e->key_len, true) == -1 ||
			    (marks_has(m->off, f->path, e->key, e->key_len) &&
			    marks_set(off, f->path, e->key, e->key_len, true) == -1);
		}
	}
	if (failed) {
		marks_free(kept);
		marks_free(off);
		return error_memory(err);
	}
	m->marks_lost += marks_count(m->marks) - marks_count(kept) - sealed;
	marks_free(m->marks);
	marks_free(m->off);
	m->marks = kept;
	m->off = off;
	return 0;
}

static int
end_of_scan(struct model *m, struct error *err)
{
	struct error ignored;

	m->scanning = false;
	if (marks_count(m->marks) > 0 && prune_marks(m, err) == -1)
		return -1;
	if (m->former != NULL) {
		if (environments_take_keys(model_environments(m),
		    estate_environments(m->former), err) == -1)
			return -1;
		estate_free(m->former);
		m->former = NULL;
		return model_changed(m, NULL, err);
	}
	/* What is wrong with them is told when a key is needed. */
	if (!m->looked && !m->locked)
		(void)model_use_ring(m, &ignored);
	m->looked = true;
	return 0;
}

/* Go on with what is looked for beside: files first, then states with the keys that are held;
 * what is shown stays as it is until it is whole and takes the place. */
static int
step_next(struct model *m, int budget_ms, struct error *err)
{
	int more = estate_step(m->next, budget_ms, err);

	if (more != 0)
		return more == -1 ? -1 : 0;
	if (!m->next_has_keys) {
		m->next_has_keys = true;
		if (environments_take_keys(estate_environments(m->next),
		    estate_environments(m->estate), err) == -1)
			return -1;
		estate_restate(m->next, NULL);
		return 0;
	}
	m->shown = NULL;
	m->sealed.len = 0;
	tree_release(&m->tree);
	estate_free(m->estate);
	m->estate = m->next;
	m->next = NULL;
	m->changes++;
	return end_of_scan(m, err);
}

int
model_step(struct model *m, int budget_ms, struct error *err)
{
	int more;

	if (!m->scanning && m->next != NULL)
		return step_next(m, budget_ms, err);
	more = estate_step(m->estate, budget_ms, err);
	if (more == -1)
		return -1;
	return more == 0 ? end_of_scan(m, err) : 0;
}

void
model_stop(struct model *m)
{
	m->scanning = false;
	estate_free(m->next);
	m->next = NULL;
}

int
model_finish(struct model *m)
{
	struct error err;

	while (m->scanning) {
		estate_wait(m->estate);
		if (model_step(m, 1000, &err) == -1)
			return -1;
	}
	return 0;
}

int
model_rescan(struct model *m, struct error *err)
{
	struct estate *fresh = new_estate(m, err);

	if (fresh == NULL)
		return -1;
	estate_free(m->next);
	m->next = NULL;
	m->shown = NULL;
	m->sealed.len = 0;
	tree_release(&m->tree);
	/* One that was cut short has found no keys of its own. */
	if (m->former == NULL)
		m->former = m->estate;
	else
		estate_free(m->estate);
	m->estate = fresh;
	m->scanning = true;
	return 0;
}

int
model_look_again(struct model *m, struct error *err)
{
	struct estate *fresh = new_estate(m, err);

	if (fresh == NULL)
		return -1;
	estate_free(m->next);
	m->next = fresh;
	m->next_has_keys = false;
	return 0;
}

int
model_keep_all(struct model *m, struct error *err)
{
	if (m->keeps_all)
		return 0;
	m->keeps_all = true;
	return model_look_again(m, err);
}

int
model_refresh(struct model *m, char *const paths[], size_t n, struct error *err)
{
	struct environments *e = model_environments(m);
	size_t i;

	/* One by one is for few: each is looked for along the list. */
	if (n > REFRESH_MAX)
		return model_rescan(m, err);
	/* What is looked for beside may have read them before. */
	if (m->next != NULL && model_look_again(m, err) == -1)
		return -1;
	for (i = 0; i < environments_count(e); i++)
		if (model_reload(m, environments_at(e, i), err) == -1)
			return -1;
	for (i = 0; i < n; i++)
		if (estate_refresh(m->estate, paths[i], err) == -1)
			return -1;
	m->changes++;
	m->scanning = true;	/* what remains is done between events */
	return 0;
}

int
model_absolute_path(const char *path, struct buf *out, struct error *err)
{
	const char *base = file_basename(path);
	char *real = realpath(path, NULL);
	char *folder;

	if (real != NULL) {
		buf_append_str(out, real);
		free(real);
		return buf_check(out, err);
	}
	folder = file_folder(path);
	real = folder != NULL ? realpath(folder, NULL) : NULL;
	free(folder);
	if (real == NULL)
		return error_io(err, path, "cannot tell the absolute path");
	buf_append_str(out, real);
	if (strcmp(real, "/") != 0)
		buf_append_char(out, '/');
	buf_append_str(out, base);
	free(real);
	return buf_check(out, err);
}

const char *
model_show_path(const struct model *m, const char *path)
{
	return tree_show_path(&m->tree, path);
}
