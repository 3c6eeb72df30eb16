#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "file/file.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/marks.h"
#include "ui/model.h"
#include "ui/ui.h"

#define SEALED_MAX 100000000
#define PATH_MAX_BYTES 4096
#define REFRESH_MAX 64
#define UNFOLD_ROWS 300	/* a smaller estate starts unfolded */

static struct estate *
new_estate(const struct ui_options *o, struct error *err)
{
	static const char *const here[] = { "." };
	struct estate *e;

	e = o->path_count == 0 ? estate_new(here, 1, err) :
	    estate_new(o->paths, o->path_count, err);
	if (e != NULL) {
		estate_set_scope(e, o->scope);
		estate_set_rules(e, o->rules);
	}
	return e;
}

struct model *
model_new(const struct ui_options *o, struct error *err)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	m->options = o;
	tree_init(&m->tree);
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
	tree_release(&m->tree);
	vec_release(&m->sealed);
	free(m->secrets_path);
	free(m->remote);
	free(m);
}

static void
count_entry(struct model_counts *c, const struct estate_entry *e)
{
	/* A line that another one overrides still is clear text on the disk. */
	if (tree_is_clear(e))
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

int
model_rebuild(struct model *m, struct error *err)
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
	return tree_build(&m->tree, m->estate) == -1 ? error_memory(err) : 0;
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

/* Few entries are shown at once, many are folded into their files. */
static void
unfold_small(struct model *m)
{
	size_t rows = 0;
	size_t i;

	for (i = 0; i < estate_count(m->estate); i++)
		rows += 1 + estate_file(m->estate, i)->count;
	m->tree.folded = rows > UNFOLD_ROWS && estate_count(m->estate) > 1;
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
			if (tree_can_seal(e) && marks_has(m->marks, f->path, e->key, e->key_len) &&
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
	if (!m->looked)
		unfold_small(m);
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
	if (more == 0 && end_of_scan(m, err) == -1)
		return -1;
	return model_rebuild(m, err);
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
	return model_rebuild(m, err);
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
	return model_rebuild(m, err);
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
	const char *root = m->options->path_count == 0 ? "." : m->options->paths[0];
	size_t len = strlen(root);

	if (m->options->path_count <= 1) {
		while (len > 1 && root[len - 1] == '/')
			len--;
		if (strncmp(path, root, len) == 0 && path[len] == '/' && path[len + 1] != '\0')
			path += len + 1;
	}
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}
