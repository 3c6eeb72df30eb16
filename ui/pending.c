#include "ui/pending.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "document/jaas.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/seal_plan.h"

#define GROUPS_MAX 1000000
#define EDITS_MAX 10000000
#define LINE_MAX_BYTES 8192
#define NAME_MAX_BYTES BUF_MAX_FILE
#define LISTED_MAX 1000	/* files that are named in the right pane */

/* Where secrets of a file go, as the user said.  By name, as environments go away when all
 * is read anew. */
struct pending_target {
	char *file, *environment, *remote;
};

const struct pending_group *
pending_group(const struct pending *p, size_t i)
{
	return vec_at(&p->groups, i);
}

static struct pending_edit *
pending_edit_at(const struct pending *p, const struct pending_group *g, size_t item)
{
	return vec_at(&p->edits, g->first + item);
}

const struct pending_edit *
pending_edit(const struct pending *p, const struct pending_group *g, size_t item)
{
	return pending_edit_at(p, g, item);
}

/* --- the rows --- */

static size_t
pending_groups(const void *pending)
{
	return ((const struct pending *)pending)->groups.len;
}

static size_t
pending_items(const void *pending, size_t group)
{
	const struct pending_group *g = pending_group(pending, group);

	return g->file != NULL ? g->count : 0;
}

static size_t
pending_root(const void *pending, size_t group)
{
	return pending_group(pending, group)->root;
}

static struct outline_id
pending_id(const void *pending, size_t group, size_t item)
{
	const struct pending_group *g = pending_group(pending, group);
	const struct estate_entry *e;
	const char *id = g->file != NULL ? g->file->path :
	    g->environment != NULL ? g->environment->path : "";

	if (item == OUTLINE_HEAD)
		return (struct outline_id){ id, strlen(id), 0 };
	e = &g->file->entries[pending_edit(pending, g, item)->entry];
	return (struct outline_id){ e->key, e->key_len, e->line };
}

static const struct outline_ops pending_ops = {
	.groups = pending_groups,
	.items = pending_items,
	.root = pending_root,
	.id = pending_id,
};

static size_t
pending_lines(const void *pending)
{
	return ((const struct pending *)pending)->lines.len;
}

static struct outline_id
pending_line_id(const void *pending, size_t group, size_t item)
{
	const struct pending_line *l = vec_at(&((const struct pending *)pending)->lines, group);

	(void)item;
	return (struct outline_id){ l->text, strlen(l->text), 0 };
}

static const struct outline_ops line_ops = {
	.groups = pending_lines,
	.id = pending_line_id,
};

void
pending_init(struct pending *p, struct model *m)
{
	memset(p, 0, sizeof(*p));
	p->model = m;
	vec_init(&p->groups, sizeof(struct pending_group), GROUPS_MAX);
	vec_init(&p->edits, sizeof(struct pending_edit), EDITS_MAX);
	vec_init(&p->lines, sizeof(struct pending_line), GROUPS_MAX);
	vec_init(&p->targets, sizeof(struct pending_target), GROUPS_MAX);
	outline_init(&p->panes.left, &pending_ops, p);
	outline_init(&p->panes.right, &line_ops, p);
	p->panes.left.folded = false;
	p->checked = marks_new();
	p->taken = marks_new();
}

static void
pending_clear(struct pending *p)
{
	size_t i;

	for (i = 0; i < p->groups.len; i++)
		free(((struct pending_group *)vec_at(&p->groups, i))->remote);
	for (i = 0; i < p->lines.len; i++)
		free(((struct pending_line *)vec_at(&p->lines, i))->text);
	p->groups.len = p->edits.len = p->lines.len = 0;
	p->on = p->off = p->collide = p->files = p->unchecked = p->at = 0;
}

void
pending_release(struct pending *p)
{
	struct pending_target *t;
	size_t i;

	pending_clear(p);
	for (i = 0; i < p->targets.len; i++) {
		t = vec_at(&p->targets, i);
		free(t->file);
		free(t->environment);
		free(t->remote);
	}
	map_free(p->index);
	marks_free(p->checked);
	marks_free(p->taken);
	vec_release(&p->groups);
	vec_release(&p->edits);
	vec_release(&p->lines);
	vec_release(&p->targets);
	outline_release(&p->panes.left);
	outline_release(&p->panes.right);
}

/* --- where it goes --- */

static struct pending_target *
target_of(const struct pending *p, const char *file)
{
	size_t i;

	if (p->index == NULL || !map_get(p->index, file, strlen(file), &i))
		return NULL;
	return vec_at(&p->targets, i);
}

static struct environment *
environment_named(const struct model *m, const char *path)
{
	const struct environments *e = model_environments(m);
	size_t i;

	for (i = 0; i < environments_count(e); i++)
		if (strcmp(environments_at(e, i)->path, path) == 0)
			return environments_at(e, i);
	return NULL;
}

bool
pending_goal(const struct app *a, const struct estate_file *f, struct goal *out)
{
	const struct pending_target *t = target_of(a->pending, f->path);
	struct environment *x = t != NULL ? environment_named(a->model, t->environment) : NULL;

	if (x == NULL)
		return false;
	out->environment = x;
	out->proposed = false;
	buf_clear(&out->remote);
	buf_append_str(&out->remote, t->remote);
	return true;
}

int
pending_set_goal(struct app *a, const struct estate_file *f, struct goal *g)
{
	struct pending *p = a->pending;
	char *environment = strdup(g->environment->path), *remote = strdup(buf_cstr(&g->remote));
	struct pending_target *t = target_of(p, f->path);
	char *file;

	if (environment == NULL || remote == NULL)
		goto fail;
	if (t == NULL) {
		if (p->index == NULL && (p->index = map_new()) == NULL)
			goto fail;
		if ((file = strdup(f->path)) == NULL)
			goto fail;
		t = vec_push(&p->targets);
		if (t == NULL || map_put(p->index, file, strlen(file), p->targets.len - 1) == -1) {
			if (t != NULL)
				p->targets.len--;
			free(file);
			goto fail;
		}
		*t = (struct pending_target){ .file = file };
	}
	free(t->environment);
	free(t->remote);
	t->environment = environment;
	t->remote = remote;
	return 0;
fail:
	free(environment);
	free(remote);
	return -1;
}

/* The environment and path of a file's secrets, as far as they are known. */
static int
pending_find_goal(const struct app *a, struct pending_group *g)
{
	const char *remote = NULL;
	struct destination to;
	struct goal goal;
	struct error err;

	goal_init(&goal);
	if (pending_goal(a, g->file, &goal)) {
		g->environment = goal.environment;
		remote = buf_cstr(&goal.remote);
	} else if (a->model->scanning) {
		/* It is told when all of them were seen. */
		g->environment = g->file->environment;
	} else if (estate_destination(a->model->estate, g->file, &to, &err) == 0 &&
	    to.kind == DESTINATION_KNOWN) {
		g->environment = to.environment;
		remote = a->options->remote_path != NULL ? a->options->remote_path : to.remote;
	}
	g->remote = remote != NULL ? strdup(remote) : NULL;
	goal_release(&goal);
	return remote != NULL && g->remote == NULL ? -1 : 0;
}

/* --- making it --- */

/* The edits of one file, if it has any. */
static int
pending_add_file(struct app *a, struct pending *p, const struct estate_file *f)
{
	const struct model *m = a->model;
	struct pending_group g = { .file = f, .first = p->edits.len };
	struct pending_group *slot;
	const struct estate_entry *e;
	struct pending_edit *edit;
	size_t i;

	for (i = 0; i < f->count; i++) {
		e = &f->entries[i];
		if (e->state != STATE_PLAIN || e->shadowed ||
		    !marks_has(m->marks, f->path, e->key, e->key_len))
			continue;
		if ((edit = vec_push(&p->edits)) == NULL)
			return -1;
		*edit = (struct pending_edit){ .entry = i, .fate = marks_has(m->off, f->path,
		    e->key, e->key_len) ? PENDING_OFF : PENDING_ON };
		g.count++;
		g.on += edit->fate == PENDING_ON;
	}
	if (g.count == 0)
		return 0;
	if ((slot = vec_push(&p->groups)) == NULL || pending_find_goal(a, &g) == -1) {
		p->groups.len -= slot != NULL;
		return -1;
	}
	*slot = g;
	return 0;
}

/* By destination, what is asked last; else as they come: edits were counted in that order. */
static int
compare_goals(const void *one, const void *other)
{
	const struct pending_group *a = one, *b = other;
	int c = 0;

	if (a->environment != b->environment) {
		if (a->environment == NULL || b->environment == NULL)
			return a->environment == NULL ? 1 : -1;
		c = strcmp(a->environment->path, b->environment->path);
	}
	return c != 0 ? c : a->first < b->first ? -1 : 1;
}

/* --- what collides --- */

/* The name of the edit's sealed entry, as it is told and looked for. */
static void
pending_name(const struct model *m, const struct estate_file *f, const struct estate_entry *e,
    struct buf *out)
{
	buf_clear(out);
	configuration_append_name(file_basename(f->path), scope_format(estate_scope(m->estate),
	    f->path), e->key, e->key_len, out);
}

/* What becomes of an edit that is on; ${after}: another file of its base name goes there. */
static int
pending_judge_edit(struct pending *p, const struct pending_group *g, struct pending_edit *edit,
    bool after, struct buf *name)
{
	const struct estate_entry *e = &g->file->entries[edit->entry];
	const struct environment *x = g->environment;

	if (after) {
		edit->fate = PENDING_NAMESAKE;
	} else if (marks_has(p->taken, g->file->path, e->key, e->key_len)) {
		edit->fate = PENDING_TAKEN;
	} else {
		pending_name(p->model, g->file, e, name);
		edit->unchecked = x->master != NULL && !marks_has(p->checked, g->file->path,
		    e->key, e->key_len) && secrets_file_find(x->secrets,
		    (const char *)name->data, name->len) != DOCUMENT_NONE;
		return 0;
	}
	return marks_set(p->model->collide, g->file->path, e->key, e->key_len, true);
}

/* Which edits of a file collide.  ${names}: base names that files before it took with them to
 * their destinations. */
static int
pending_judge_file(struct pending *p, struct pending_group *g, struct map *names, struct buf *name)
{
	struct pending_edit *edit;
	bool after;
	size_t i;

	if (g->environment == NULL || g->environment->secrets == NULL || g->on == 0)
		return 0;
	buf_clear(name);
	buf_append_str(name, g->environment->path);
	buf_append_char(name, '\0');
	buf_append_str(name, file_basename(g->file->path));
	after = map_get(names, name->data, name->len, &i);
	if (!after && map_put(names, name->data, name->len, 0) == -1)
		return -1;
	for (i = 0; i < g->count; i++) {
		edit = pending_edit_at(p, g, i);
		if (edit->fate == PENDING_ON && pending_judge_edit(p, g, edit, after, name) == -1)
			return -1;
		g->collide += edit->fate == PENDING_TAKEN || edit->fate == PENDING_NAMESAKE;
		p->unchecked += edit->unchecked;
	}
	g->on -= g->collide;
	return 0;
}

/* As they are ordered by destination; before all was seen nobody can tell. */
static int
pending_judge(struct app *a, struct pending *p)
{
	struct map *names = map_new();
	struct pending_group *g;
	struct buf name;
	size_t i;
	int rc = names != NULL ? 0 : -1;

	if (p->changes != a->model->changes) {
		marks_clear(p->checked);
		marks_clear(p->taken);
	}
	p->changes = a->model->changes;
	buf_init(&name, NAME_MAX_BYTES);
	for (i = 0; rc == 0 && i < p->groups.len; i++) {
		g = vec_at(&p->groups, i);
		if (!a->model->scanning)
			rc = pending_judge_file(p, g, names, &name);
		p->on += g->on;
		p->collide += g->collide;
		p->off += g->count - g->on - g->collide;
		p->files += g->on > 0;
	}
	buf_release(&name);
	map_free(names);
	return rc;
}

const struct estate_file *
pending_other(const struct app *a, const struct pending_group *g, const struct pending_edit *edit)
{
	const struct pending *p = a->pending;
	const struct pending_group *other;
	const struct estate_file *file = NULL;
	const struct estate_entry *e;
	struct buf name;
	size_t i;

	for (i = g->root + 1; edit->fate == PENDING_NAMESAKE && i < p->groups.len; i++) {
		other = pending_group(p, i);
		if (other->on > 0 && other->root == g->root && strcmp(
		    file_basename(other->file->path), file_basename(g->file->path)) == 0)
			return other->file;
	}
	buf_init(&name, NAME_MAX_BYTES);
	pending_name(a->model, g->file, &g->file->entries[edit->entry], &name);
	i = 0;
	do {
		if (!selection_referrer(a, g->environment, (const char *)name.data, name.len, i++,
		    &file, &e))
			file = NULL;
	} while (file == g->file);
	buf_release(&name);
	return file;
}

bool
pending_is_due(const struct app *a)
{
	return a->pending->unchecked > 0 && a->pending->changes == a->model->changes;
}

/* Has the sealed entry of this edit another value?  What cannot be read is told later. */
static bool
pending_is_taken(const struct environment *x, const struct configuration *c,
    const struct estate_entry *e)
{
	struct target t;
	struct buf name, value;
	struct error ignored;
	struct jaas_option o;
	bool taken = false;
	size_t i;

	buf_init(&name, NAME_MAX_BYTES);
	buf_init_secret(&value, BUF_MAX_FILE);
	target_init(&t);
	if (configuration_entry_name(c, e->key, e->key_len, &name, &ignored) == 0 &&
	    (i = secrets_file_find(x->secrets, (const char *)name.data, name.len)) !=
	    DOCUMENT_NONE && target_find(c->doc, e->key, e->key_len, &t, &ignored) == 0) {
		if (t.kind == TARGET_ENTRY && document_value(c->doc, t.entry, &value,
		    &ignored) == 0) {
			taken = !secrets_file_holds(x->secrets, i, value.data, value.len);
		} else if (t.kind == TARGET_OPTION) {
			o = jaas_option(t.jaas, t.option);
			taken = !secrets_file_holds(x->secrets, i, t.value.data + o.from,
			    o.to - o.from);
		}
	}
	target_release(&t);
	buf_release(&value);
	buf_release(&name);
	return taken;
}

bool
pending_check(struct app *a)
{
	struct pending *p = a->pending;
	struct configuration *c = NULL;
	struct pending_edit *edit;
	const struct pending_group *g = NULL;
	const struct estate_entry *e;
	struct error ignored;
	bool found = false;
	size_t i;

	if (!pending_is_due(a))
		return false;
	for (; p->at < p->groups.len && !found; p->at++) {
		g = pending_group(p, p->at);
		for (size_t k = 0; g->file != NULL && k < g->count && !found; k++)
			found = pending_edit(p, g, k)->unchecked;
	}
	if (found)
		c = configuration_load(g->file->path, a->options->scope, &ignored);
	for (i = 0; found && i < g->count; i++) {
		edit = pending_edit_at(p, g, i);
		e = &g->file->entries[edit->entry];
		if (!edit->unchecked)
			continue;
		edit->unchecked = false;
		p->unchecked--;
		(void)marks_set(p->checked, g->file->path, e->key, e->key_len, true);
		if (c != NULL && pending_is_taken(g->environment, c, e))
			(void)marks_set(p->taken, g->file->path, e->key, e->key_len, true);
	}
	configuration_free(c);
	if (p->unchecked > 0 || marks_count(p->taken) == 0)
		return false;
	pending_build(a);
	return true;
}

/* Put a group for each destination before its files. */
static int
pending_add_roots(struct pending *p)
{
	struct vec files = p->groups;
	const struct pending_group *f;
	struct pending_group *slot, *root;
	const struct environment *before = NULL;
	size_t i, at = 0;
	int rc = 0;

	vec_init(&p->groups, sizeof(struct pending_group), GROUPS_MAX);
	for (i = 0; i < files.len; i++) {
		f = vec_at(&files, i);
		if (rc == 0 && (i == 0 || f->environment != before)) {
			at = p->groups.len;
			if ((slot = vec_push(&p->groups)) != NULL)
				*slot = (struct pending_group){ .root = at,
				    .environment = f->environment };
			else
				rc = -1;
		}
		if (rc == -1 || (slot = vec_push(&p->groups)) == NULL) {
			free(f->remote);
			rc = -1;
			continue;
		}
		*slot = *f;
		slot->root = at;
		before = f->environment;
		root = vec_at(&p->groups, at);
		root->count += f->count;
		root->on += f->on;
		root->collide += f->collide;
	}
	vec_release(&files);
	return rc;
}

__attribute__((format(printf, 3, 4))) static int
pending_say(struct pending *p, unsigned int style, const char *fmt, ...)
{
	struct pending_line *l = vec_push(&p->lines);
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (l == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*l = (struct pending_line){ strdup(text), style };
	if (l->text != NULL)
		return 0;
	p->lines.len--;
	return -1;
}

static const char *
plural(size_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* The files in the order in which they will be written, and what a person must see to. */
static int
pending_tell(const struct app *a, struct pending *p)
{
	const struct pending_group *g;
	size_t i, n = 0, locked = 0, asked = 0, k = 0, listed;
	int rc = 0;

	for (i = 0; i < p->groups.len; i++) {
		g = pending_group(p, i);
		n += g->on > 0 && (g->file != NULL || g->environment != NULL);
		locked += g->file == NULL && g->environment != NULL &&
		    g->environment->master == NULL && g->on > 0;
		asked += g->file != NULL && g->environment == NULL ? g->on : 0;
	}
	if (p->on > 0)
		rc |= pending_say(p, STYLE_ADDED, "+ %zu %s sealed, in %zu %s", p->on,
		    plural(p->on, "value", "values"), p->files, plural(p->files, "file", "files"));
	if (p->collide > 0)
		rc |= pending_say(p, STYLE_DAMAGED, "X %zu %s: left out", p->collide,
		    plural(p->collide, "collides", "collide"));
	if (p->off > 0)
		rc |= pending_say(p, STYLE_CLEAR, "! still clear here: %zu (off)", p->off);
	if (asked > 0)
		rc |= pending_say(p, STYLE_MARK, "? %zu %s is asked", asked,
		    plural(asked, "value: where", "values: where"));
	if (locked > 0)
		rc |= pending_say(p, STYLE_MARK, "? %zu %s locked", locked,
		    plural(locked, "secrets file is", "secrets files are"));
	if (n > 0)
		rc |= pending_say(p, STYLE_TEXT, "%zu %s written, in this order:", n,
		    plural(n, "file", "files"));
	listed = n < LISTED_MAX ? n : LISTED_MAX;
	n -= listed;
	for (i = 0; k < listed && i < p->groups.len; i++) {
		g = pending_group(p, i);
		if (g->on == 0 || (g->file == NULL && g->environment == NULL))
			continue;
		rc |= pending_say(p, STYLE_NOTE, " %zu %s %c%zu", ++k, model_show_path(a->model,
		    g->file != NULL ? g->file->path : g->environment->path),
		    g->file != NULL ? '~' : '+', g->on);
	}
	if (n > 0)
		rc |= pending_say(p, STYLE_NOTE, " and %zu more", n);
	return rc;
}

void
pending_build(struct app *a)
{
	const struct estate *e = a->model->estate;
	struct pending *p = a->pending;
	size_t i;
	int rc = 0;

	pending_clear(p);
	marks_clear(a->model->collide);
	for (i = 0; rc == 0 && marks_count(a->model->marks) > 0 && i < estate_count(e); i++)
		rc = pending_add_file(a, p, estate_file(e, i));
	if (p->groups.len > 1)
		qsort(p->groups.items, p->groups.len, sizeof(struct pending_group), compare_goals);
	if (pending_judge(a, p) == -1 || pending_add_roots(p) == -1 || pending_tell(a, p) == -1 ||
	    rc == -1 || outline_build(&p->panes.left) == -1 ||
	    outline_build(&p->panes.right) == -1)
		app_complain(a, "not enough memory");
	(void)outline_restore(&p->panes.left);
	list_fit(&p->panes.right.list, p->panes.right.rows.len, p->panes.right.list.height);
}

void
pending_restore(struct app *a)
{
	if (a->view == VIEW_PENDING)
		pending_build(a);
}
