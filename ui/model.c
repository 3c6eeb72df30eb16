#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"

#define VALUE_MAX ((size_t)64 * 1024)

#define SEALED_MAX 100000000
#define PATH_MAX_BYTES 4096
#define REFRESH_MAX 64

/* The part of the model that is about the secrets file and its key. */

/* Put ${s} (owned; NULL: none) in the place of the secrets file. */
static int
take_secrets(struct model *m, struct secrets_file *s, struct error *err)
{
	const struct document *d;
	size_t *slot;
	size_t i;

	estate_set_secrets(m->estate, s);
	secrets_file_free(m->secrets);
	m->secrets = s;
	m->sealed.len = 0;
	m->scanning = true;
	if (s == NULL)
		return 0;
	d = secrets_file_document(s);
	for (i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		slot = vec_push(&m->sealed);
		if (slot == NULL)
			return error_memory(err);
		*slot = i;
	}
	return 0;
}

/* Read the secrets file at m->secrets_path; what is wrong is kept. */
static int
read_secrets(struct model *m, struct error *err)
{
	struct secrets_file *s;
	struct error problem = { .code = ERROR_NONE };

	if ((s = secrets_file_load(m->secrets_path, &problem)) != NULL)
		secrets_file_set_policy(s, m->options->policy);
	m->secrets_problem = problem;
	if (problem.code == ERROR_MISSING)
		m->secrets_problem.code = ERROR_NONE;
	if (take_secrets(m, s, err) == -1)
		return -1;
	if (s != NULL && m->master != NULL && secrets_file_metadata(s)->data_key != NULL &&
	    secrets_file_unlock(s, m->master, NULL) == -1)
		model_lock(m);
	if (problem.code == ERROR_NONE || problem.code == ERROR_MISSING)
		return 0;
	if (err != NULL)
		*err = problem;
	return -1;
}

int
model_open_secrets(struct model *m, const char *path, struct error *err)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return error_memory(err);
	if (m->secrets_path == NULL || strcmp(copy, m->secrets_path) != 0)
		model_lock(m);
	free(m->secrets_path);
	m->secrets_path = copy;
	return read_secrets(m, err);
}

int
model_reload_secrets(struct model *m, struct error *err)
{
	struct file_id now;

	if (m->secrets != NULL && file_identify(m->secrets_path, &now, NULL) == 0 &&
	    file_id_equal(&now, secrets_file_id(m->secrets)))
		return 0;
	return read_secrets(m, err);
}

int
model_unlock(struct model *m, struct key *master, struct error *err)
{
	if (m->secrets != NULL && secrets_file_metadata(m->secrets)->data_key != NULL &&
	    secrets_file_unlock(m->secrets, master, err) == -1) {
		key_free(master);
		return -1;
	}
	if (mac_fingerprint(master, m->fingerprint, err) == -1) {
		key_free(master);
		return -1;
	}
	key_free(m->master);
	m->master = master;
	/* With the key in hand damaged entries can be told from sound ones. */
	estate_set_secrets(m->estate, m->secrets);
	m->scanning = true;
	return 0;
}

void
model_lock(struct model *m)
{
	key_free(m->master);
	m->master = NULL;
	m->fingerprint[0] = '\0';
	if (m->secrets != NULL)
		secrets_file_lock(m->secrets);
}

/* The path in the reference that entry ${key} of ${file} holds. */
static bool
path_in_file(const struct scope *scope, const char *file, const char *key, size_t len,
    struct buf *out)
{
	struct configuration *c = configuration_load(file, scope, NULL);
	struct reference r;
	struct buf value;
	bool found = false;
	size_t i;

	if (c == NULL)
		return false;
	buf_init_secret(&value, VALUE_MAX);
	i = document_find(c->doc, key, len);
	if (i != DOCUMENT_NONE && document_value(c->doc, i, &value, NULL) == 0 &&
	    reference_parse((const char *)value.data, value.len, &r) &&
	    reference_is_ours(&r) && r.path != NULL) {
		buf_append(out, r.path, r.path_len);
		found = true;
	}
	buf_release(&value);
	configuration_free(c);
	return found;
}

bool
model_referred_path(const struct model *m, struct buf *out)
{
	const struct estate_file *f;
	size_t i, k;

	for (i = 0; i < estate_count(m->estate); i++) {
		f = estate_file(m->estate, i);
		for (k = 0; k < f->count; k++)
			if (f->entries[k].name != NULL)
				break;
		if (k < f->count && path_in_file(m->options->scope, f->path, f->entries[k].key,
		    f->entries[k].key_len, out))
			return true;
	}
	return false;
}

/* The absolute path of a file that need not exist, in a folder that does. */
static int
absolute_path(const char *path, struct buf *out, struct error *err)
{
	const char *base = file_basename(path);
	char *real = realpath(path, NULL);
	char *folder;

	if (real != NULL) {
		buf_append_str(out, real);
		free(real);
		return buf_check(out, err);
	}
	folder = base == path ? strdup(".") : strndup(path, (size_t)(base - path));
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

int
model_remote(const struct model *m, struct buf *out, struct error *err)
{
	if (m->remote != NULL)
		buf_append_str(out, m->remote);
	else if (m->options->remote_path != NULL)
		buf_append_str(out, m->options->remote_path);
	else if (!model_referred_path(m, out))
		return absolute_path(m->secrets_path, out, err);
	return buf_check(out, err);
}

static struct estate *
new_estate(const struct ui_options *o, struct error *err)
{
	struct estate *e = estate_new(o->paths, o->path_count, err);

	if (e != NULL) {
		estate_set_scope(e, o->scope);
		estate_set_rules(e, o->rules);
		estate_set_secrets(e, NULL);
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
	vec_init(&m->sealed, sizeof(size_t), SEALED_MAX);
	m->scanning = true;
	m->marks = marks_new();
	m->estate = m->marks != NULL ? new_estate(o, err) : NULL;
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
	estate_free(m->estate);
	secrets_file_free(m->secrets);
	key_free(m->master);
	marks_free(m->marks);
	vec_release(&m->sealed);
	free(m->secrets_path);
	free(m->remote);
	free(m);
}

bool
model_is_clear(const struct estate_entry *e)
{
	return e->state == STATE_PLAIN && e->clear;
}

bool
model_can_seal(const struct estate_entry *e)
{
	static const char providers[] = "config.providers";
	const size_t n = sizeof(providers) - 1;

	return e->state == STATE_PLAIN && (strncmp(e->key, providers, n) != 0 ||
	    (e->key[n] != '.' && e->key[n] != '\0'));
}

static void
count_entry(struct model_counts *c, const struct estate_entry *e)
{
	/* A line that another one overrides still is clear text on the disk. */
	if (model_is_clear(e))
		c->clear++;
	else if (e->shadowed)
		return;
	else if (e->state == STATE_SEALED)
		c->sealed++;
	else if (e->state == STATE_DANGLING)
		c->dangling++;
	else if (e->state == STATE_DAMAGED)
		c->damaged++;
}

static void
count_orphans(struct model *m)
{
	const struct document *d;
	const char *name;
	size_t i, len;

	if (m->secrets == NULL || m->scanning)
		return;
	d = secrets_file_document(m->secrets);
	for (i = 0; i < m->sealed.len; i++) {
		name = document_key(d, *(size_t *)vec_at(&m->sealed, i), &len);
		if (estate_references(m->estate, name, len) == 0)
			m->counts.orphans++;
	}
}

void
model_count(struct model *m)
{
	const struct estate_file *f;
	size_t i, k;

	memset(&m->counts, 0, sizeof(m->counts));
	for (i = 0; i < estate_count(m->estate); i++) {
		f = estate_file(m->estate, i);
		if (!f->is_secrets_file)
			m->counts.files++;
		if (f->problem != NULL)
			m->counts.unreadable++;
		for (k = 0; k < f->count; k++)
			count_entry(&m->counts, &f->entries[k]);
	}
	count_orphans(m);
}

/* The first secrets file that the scan met. */
static const char *
found_secrets(const struct model *m)
{
	size_t i;

	for (i = 0; i < estate_count(m->estate); i++)
		if (estate_file(m->estate, i)->is_secrets_file)
			return estate_file(m->estate, i)->path;
	return NULL;
}

/* A secrets file that lies elsewhere, where the references say. */
static int
open_referred(struct model *m, struct error *err)
{
	struct file_id id;
	struct buf path;
	int rc = 0;

	buf_init(&path, PATH_MAX_BYTES);
	if (model_referred_path(m, &path) && path.len > 0 &&
	    file_identify(buf_cstr(&path), &id, NULL) == 0 && id.exists)
		rc = model_open_secrets(m, buf_cstr(&path), err);
	buf_release(&path);
	return rc;
}

/* Marks on what is no longer there, or no longer plain, are dropped. */
static int
prune_marks(struct model *m, struct error *err)
{
	struct marks *kept = marks_new();
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t i, k;

	for (i = 0; kept != NULL && i < estate_count(m->estate); i++) {
		f = estate_file(m->estate, i);
		for (k = 0; k < f->count; k++) {
			e = &f->entries[k];
			if (model_can_seal(e) && marks_has(m->marks, f->path, e->key, e->key_len) &&
			    marks_set(kept, f->path, e->key, e->key_len, true) == -1)
				break;
		}
		if (k < f->count) {
			marks_free(kept);
			kept = NULL;
		}
	}
	if (kept == NULL)
		return error_memory(err);
	m->marks_lost += marks_count(m->marks) - marks_count(kept);
	marks_free(m->marks);
	m->marks = kept;
	return 0;
}

static int
end_of_scan(struct model *m, struct error *err)
{
	const char *path;
	int rc = 0;

	m->scanning = false;
	if (marks_count(m->marks) > 0 && prune_marks(m, err) == -1)
		return -1;
	m->looked = true;
	if (m->secrets_path != NULL)
		return 0;
	path = found_secrets(m);
	rc = path != NULL ? model_open_secrets(m, path, err) : open_referred(m, err);
	return rc == -1 && err->code == ERROR_MEMORY ? -1 : 0;
}

int
model_step(struct model *m, int budget_ms, struct error *err)
{
	struct error ignored;
	int more;

	if (m->secrets_path == NULL && m->options->secrets_file != NULL)
		(void)model_open_secrets(m, m->options->secrets_file, &ignored);
	more = estate_step(m->estate, budget_ms, err);
	if (more == -1)
		return -1;
	return more == 0 ? end_of_scan(m, err) : 0;
}

int
model_rescan(struct model *m, struct error *err)
{
	struct estate *fresh = new_estate(m->options, err);
	struct error ignored;

	if (fresh == NULL)
		return -1;
	estate_free(m->estate);
	m->estate = fresh;
	m->scanning = true;
	if (m->secrets_path != NULL)
		(void)model_reload_secrets(m, &ignored);
	estate_set_secrets(m->estate, m->secrets);
	return 0;
}

int
model_refresh(struct model *m, char *const paths[], size_t n, struct error *err)
{
	size_t i;

	/* One by one is for few: each is looked for along the list. */
	if (n > REFRESH_MAX)
		return model_rescan(m, err);
	if (m->secrets_path != NULL && model_reload_secrets(m, err) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (estate_refresh(m->estate, paths[i], err) == -1)
			return -1;
	m->scanning = true;	/* what remains is done between events */
	return 0;
}

int
model_set_remote(struct model *m, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return -1;
	free(m->remote);
	m->remote = copy;
	return 0;
}

const char *
model_show_path(const struct model *m, const char *path)
{
	const char *root = m->options->paths[0];
	size_t len = strlen(root);

	if (m->options->path_count == 1) {
		while (len > 1 && root[len - 1] == '/')
			len--;
		if (strncmp(path, root, len) == 0 && path[len] == '/' && path[len + 1] != '\0')
			path += len + 1;
	}
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}
