#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"

/* What the detail says of what is selected in the files view. */

/* Add "N what" to a list, if there are any. */
static void
files_count(struct buf *out, size_t n, const char *what)
{
	if (n > 0)
		buf_printf(out, "%s%zu %s", out->len > 0 ? ", " : "", n, what);
}

void
files_count_all(struct buf *text, const struct tally *t)
{
	struct buf list, *out = &list;

	buf_init(out, 512);
	files_count(out, t->clear, "in clear text");
	files_count(out, t->damaged, "damaged");
	files_count(out, t->dangling, "dangling");
	files_count(out, t->unknown, "unknown");
	files_count(out, t->sealed, "sealed");
	files_count(out, t->unchecked, "not checked");
	files_count(out, t->orphans, t->orphans == 1 ? "orphan" : "orphans");
	files_count(out, t->unreadable, "unreadable");
	if (out->len > 0)
		buf_append_char(out, '.');
	buf_append(text, out->data, out->len);
	buf_release(out);
}

/* A file's path as it stands below its environment. */
const char *
files_name(const struct app *a, const struct tree_root *r, const struct estate_file *f)
{
	const char *path = f->path;
	size_t len;

	if (r->environment != NULL) {
		len = (size_t)(file_basename(r->environment->path) - r->environment->path);
		if (len > 0 && strncmp(path, r->environment->path, len) == 0)
			return path + len;
		return model_show_path(a->model, path);
	}
	path = model_show_path(a->model, path);
	len = strlen(r->id);
	return strncmp(path, r->id, len) == 0 ? path + len : path;
}

/* Where new sealed values of a file would go. */
static void
files_say_destination(struct app *a, struct words *w, const struct estate_file *f)
{
	struct destination to;
	struct error err;

	if (a->model->scanning || estate_destination(a->model->estate, f, &to, &err) == -1)
		return;
	if (to.kind == DESTINATION_KNOWN)
		buf_printf(&w->text, " Goes to %s, read as %s.",
		    model_show_path(a->model, to.environment->path), to.remote);
	else
		buf_append_str(&w->text, " Where it goes is asked.");
}

static void
files_say_file(struct app *a, struct words *w, const struct estate_file *f)
{
	struct tally tally = tally_of(f);

	if (f->problem != NULL) {
		w->style = STYLE_ERROR;
		if (f->problem->line > 0)
			buf_printf(&w->place, ":%zu", f->problem->line);
		buf_append_str(&w->text, f->problem->text);
		if (f->problem->hint[0] != '\0')
			buf_printf(&w->text, " (%s)", f->problem->hint);
		return;
	}
	if (f->is_secrets_file) {
		buf_append_str(&w->text, "A secrets file.");
		return;
	}
	buf_printf(&w->text, "%zu %s. ", f->count + f->others,
	    f->count + f->others == 1 ? "entry" : "entries");
	files_count_all(&w->text, &tally);
	if (tally.clear > 0)
		files_say_destination(a, w, f);
}

static void
files_say_environment(struct app *a, struct words *w, const struct tree_root *r)
{
	const struct environment *x = r->environment;

	if (x == NULL) {
		buf_printf(&w->text, "%zu %s here %s to no %ssecrets file that is known.",
		    r->tally.files, r->tally.files == 1 ? "file" : "files",
		    r->tally.files == 1 ? "belongs" : "belong",
		    tree_root_refers(r) ? "single " : "");
		return;
	}
	if (x->problem != NULL) {
		w->style = STYLE_ERROR;
		buf_append_str(&w->text, x->problem->text);
		if (x->problem->hint[0] != '\0')
			buf_printf(&w->text, " (%s)", x->problem->hint);
		return;
	}
	buf_printf(&w->text, "Secrets file %s", model_show_path(a->model, x->path));
	if (r->remote != NULL) {
		buf_append_str(&w->text, ", read by services as ");
		buf_append(&w->text, r->remote, r->remote_len);
	}
	buf_printf(&w->text, ". %zu %s. ", r->tally.files, r->tally.files == 1 ? "file" : "files");
	files_count_all(&w->text, &r->tally);
}

static void
files_say_reference(struct app *a, struct words *w, const struct selection *s)
{
	const struct estate_entry *e = s->entry;
	const char *in = s->environment != NULL ? model_show_path(a->model, s->environment->path) :
	    NULL;

	switch (e->state) {
	case STATE_SEALED:
		buf_printf(&w->text, "Sealed as %s in %s", e->name, in);
		buf_printf(&w->text, e->checked ? "; it opens. Used by %zu." :
		    "; not checked: locked. Used by %zu.",
		    environment_references(s->environment, e->name, e->name_len));
		break;
	case STATE_DANGLING:
		buf_printf(&w->text, "Refers to %s, which %s does not have. Restore the secrets "
		    "file from a backup, or seal a new value.", e->name, in);
		break;
	case STATE_DAMAGED:
		buf_printf(&w->text, "Refers to %s in %s, which does not open: it is damaged, or "
		    "was sealed under another key. Restore it from a backup, or seal a new value.",
		    e->name, in);
		break;
	default:
		buf_append_str(&w->text, "Refers to ");
		buf_append(&w->text, e->remote, e->remote_len);
		buf_printf(&w->text, ", entry %s: it is not known which secrets file that is. "
		    "[environment NAME] in propseal.ini says so.", e->name);
		break;
	}
}

static void
files_say_entry(struct app *a, struct words *w, const struct selection *s)
{
	const struct estate_entry *e = s->entry;

	buf_printf(&w->place, ":%zu", e->line);
	name_append_short(e->key, e->key_len, &w->name);
	/* What is not shown in full above is here. */
	if (w->name.len != e->key_len) {
		buf_append(&w->text, e->key, e->key_len);
		buf_append_str(&w->text, ": ");
	}
	if (e->shadowed)
		buf_append_str(&w->text, "A later line of the same key overrides this one. ");
	if (e->state == STATE_OTHER) {
		buf_append_str(&w->text, "Another configuration provider gives the value; "
		    "propseal leaves it alone.");
	} else if (e->state != STATE_PLAIN) {
		files_say_reference(a, w, s);
	} else {
		buf_append_str(&w->text, entry_is_clear(e) ? "A secret in clear text." :
		    "Plain text, and nothing in its name says that it is a secret.");
		if (model_can_seal(e))
			files_say_destination(a, w, s->file);
	}
}

static void
files_say_sealed(struct app *a, struct words *w, const struct selection *s)
{
	const struct estate_entry *e;
	const struct estate_file *f;
	const char *path;
	size_t n, line;

	buf_printf(&w->place, ":%zu", document_line(secrets_file_document(s->environment->secrets),
	    s->sealed));
	buf_append(&w->name, s->name, s->name_len);
	if (model_soundness(a->model, s->row) == SEALED_DAMAGED)
		buf_append_str(&w->text, "It does not open: it is damaged, or was sealed under "
		    "another key. ");
	for (n = 0; n < 4 && selection_referrer(a, s->environment, s->name, s->name_len, n, &f,
	    &e); n++)
		buf_printf(&w->text, "%s%s:%zu", n == 0 ? "Used by " : ", ",
		    model_show_path(a->model, f->path), e->line);
	if (n > 0)
		buf_printf(&w->text, "%s.", n == 4 ? " and more" : "");
	else if (environment_use(s->environment, s->name, s->name_len, &path, &line) == USE_PERHAPS)
		buf_printf(&w->text, "Not known to be unused: %s:%zu may mean it.",
		    model_show_path(a->model, path), line);
	else
		buf_append_str(&w->text, "An orphan: no configuration file that was read refers to "
		    "it.");
}

/* --- facts, for the third pane: what is not known is left out --- */

static void
files_say_owner(struct app *a, struct words *w, unsigned int uid, unsigned int mode)
{
	struct files *f = a->files;

	if (f->owner_name[0] == '\0' || f->owner != uid) {
		f->owner = uid;
		if (!file_user_name(uid, f->owner_name))
			snprintf(f->owner_name, sizeof(f->owner_name), "uid %u", uid);
	}
	words_fact(w, "owner", "%s, mode %04o", f->owner_name, mode);
}

void
files_say_status(struct app *a, struct words *w, const struct estate_file *f)
{
	if (f->problem != NULL || f->changed == 0)
		return;
	words_time(w, "changed", f->changed, false);
	files_say_owner(a, w, f->owner, f->mode);
}

void
files_say_keys(struct app *a, struct words *w, const struct environment *x, bool selected)
{
	const struct file_id *id;

	if (x == NULL || x->secrets == NULL)
		return;
	id = secrets_file_id(x->secrets);
	if (!selected) {
		words_fact(w, "secrets in", "%s", model_show_path(a->model, x->path));
	} else if (id->exists) {
		words_time(w, "changed", time_of(&id->mtime), false);
		files_say_owner(a, w, id->uid, id->mode & 07777);
	}
	if (x->master != NULL)
		words_fact(w, "key id", "%s, of the master key", x->fingerprint);
	words_time(w, "data key", metadata_created(secrets_file_metadata(x->secrets)), true);
}

static void
files_say_facts(struct app *a, struct words *w, const struct selection *s)
{
	const bool here = s->kind == SELECTION_ENVIRONMENT || s->kind == SELECTION_SEALED;

	if (s->kind == SELECTION_ENTRY)
		words_fact(w, "line", "%zu", s->entry->line);
	else if (s->kind == SELECTION_SEALED)
		words_fact(w, "line", "%zu", document_line(secrets_file_document(
		    s->environment->secrets), s->sealed));
	if (!here && s->file != NULL)
		files_say_status(a, w, s->file);
	files_say_keys(a, w, s->kind == SELECTION_ENVIRONMENT ? s->root->environment :
	    s->environment, here);
}

/* The environment, then the file. */
void
files_say(struct app *a, struct words *w)
{
	const char *arrow = canvas_glyph(GLYPH_INTO);
	struct selection s = selection_get(a);

	if (s.root != NULL)
		buf_append_str(&w->place, s.root->name);
	else if (s.environment != NULL)
		buf_append_str(&w->place, s.environment->name);
	if (s.file != NULL)
		buf_printf(&w->place, " %s %s", arrow, files_name(a, s.root, s.file));
	else if (s.kind == SELECTION_SEALED)
		buf_printf(&w->place, " %s %s", arrow, file_basename(s.environment->path));
	switch (s.kind) {
	case SELECTION_ENVIRONMENT:
		files_say_environment(a, w, s.root);
		break;
	case SELECTION_FILE:
		files_say_file(a, w, s.file);
		break;
	case SELECTION_ENTRY:
		files_say_entry(a, w, &s);
		break;
	case SELECTION_SEALED:
		files_say_sealed(a, w, &s);
		break;
	default:
		break;
	}
	if (s.kind != SELECTION_NOTHING)
		files_say_facts(a, w, &s);
}

/* The right pane of the files view: the metadata and the sealed entries of the
 * secrets file of the environment that the left cursor is in. */

#define NAME_MAX_BYTES 65536
#define METADATA_ROWS 4
#define METADATA_FROM 9		/* a lower pane shows entries only */
#define WEAK_ITERATIONS KEY_ITERATIONS_DEFAULT

static const char *
sealed_key_state(const struct environment *x)
{
	if (x->secrets == NULL || secrets_file_metadata(x->secrets)->data_key == NULL)
		return "no key";
	return x->master != NULL ? "open" : "locked";
}

static void
sealed_draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct environment *x = a->model->shown;
	int used = 0;

	if (r->h == 0)
		return;
	if (x != NULL && x->secrets != NULL)
		used = 1 + canvas_right(r->y, r->x, r->w - 1, STYLE_NOTE, sealed_key_state(x));
	canvas_tail(r->y, r->x + 1, r->w - used - 2, active ? STYLE_HEAD : STYLE_NOTE,
	    x != NULL ? model_show_path(a->model, x->path) : "Secrets file");
}

static void
sealed_draw_pair(const struct rect *r, int y, const char *name, unsigned int style,
    const char *value, size_t len)
{
	canvas_text(y, r->x + 1, 11, STYLE_NOTE, name);
	canvas_tail_bytes(y, r->x + 12, r->w - 13, style, value, len);
}

/* The root of the environment that is shown; NULL: it has none yet. */
static const struct tree_root *
sealed_root(const struct app *a)
{
	const struct tree *t = &a->model->tree;
	size_t i;

	for (i = 0; i < t->roots.len; i++)
		if (tree_root(t, i)->environment == a->model->shown)
			return tree_root(t, i);
	return NULL;
}

static void
sealed_draw_metadata(struct app *a, const struct rect *r)
{
	const struct environment *x = a->model->shown;
	const struct secrets_metadata *m = secrets_file_metadata(x->secrets);
	const struct tree_root *root = sealed_root(a);
	bool weak = m->iterations < WEAK_ITERATIONS;
	char text[160];

	if (root != NULL && root->remote != NULL)
		sealed_draw_pair(r, r->y, "read as", STYLE_TEXT, root->remote, root->remote_len);
	else
		sealed_draw_pair(r, r->y, "read as", STYLE_NOTE, "no reference yet", 16);
	if (x->master != NULL)
		snprintf(text, sizeof(text), "unlocked, id %s", x->fingerprint);
	else
		snprintf(text, sizeof(text), "%s", m->data_key != NULL ? "locked" : "none yet");
	sealed_draw_pair(r, r->y + 1, "master key", STYLE_TEXT, text, strlen(text));
	snprintf(text, sizeof(text), "%s%u%s", weak ? "! " : "", m->iterations,
	    weak ? " (weak)" : "");
	sealed_draw_pair(r, r->y + 2, "iterations", weak ? STYLE_CLEAR : STYLE_TEXT, text,
	    strlen(text));
	canvas_hline(r->y + 3, r->x, r->w);
}

/* An entry's letter: damaged, no reference to it, sealed. */
static char
sealed_letter_of(struct app *a, size_t row, enum environment_use use, unsigned int *style)
{
	*style = STYLE_DAMAGED;
	if (model_soundness(a->model, row) == SEALED_DAMAGED)
		return 'X';
	*style = STYLE_DANGLING;
	if (use == USE_NONE && !a->model->scanning)
		return 'U';
	*style = STYLE_SEALED;
	return 'S';
}

static bool
sealed_name_at(const void *model, size_t row, int offset, struct buf *out)
{
	const struct model *m = model;
	const char *name;
	size_t len;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= m->sealed.len)
		return false;
	name = document_key(secrets_file_document(m->shown->secrets), ((struct model_sealed *)
	    vec_at(&m->sealed, row + (size_t)offset))->entry, &len);
	name_append_short(name, len, out);
	return true;
}

static void
sealed_draw_row(struct app *a, size_t i, const struct rect *l, unsigned int extra)
{
	const struct model *m = a->model;
	const struct model_sealed *sealed = vec_at(&m->sealed, i);
	char letter[2] = { 0, 0 };
	const char *name;
	size_t len, references;
	const struct name_neighbours beside = { sealed_name_at, m, i };
	unsigned int style;
	struct buf shown;
	char text[32];
	int used;

	name = document_key(secrets_file_document(m->shown->secrets), sealed->entry, &len);
	references = environment_references(m->shown, name, len);
	letter[0] = sealed_letter_of(a, i, environment_use(m->shown, name, len, NULL, NULL),
	    &style);
	if (m->scanning && references == 0)
		snprintf(text, sizeof(text), "%s", canvas_glyph(GLYPH_DOT));
	else
		snprintf(text, sizeof(text), "%zu", references);
	canvas_text(l->y, l->x, 1, style | extra, letter);
	used = canvas_right(l->y, l->x, l->w - 1, STYLE_NOTE | extra, text);
	buf_init(&shown, NAME_MAX_BYTES);
	(void)sealed_name_at(m, i, 0, &shown);
	name_draw(l->y, l->x + 2, l->w - 2 - used - 2,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, &shown, &beside);
	buf_release(&shown);
}

static bool
sealed_is_linked(struct app *a, size_t i)
{
	struct selection s = selection_get(a);

	return i == a->files->panes.right.list.cursor && s.kind == SELECTION_ENTRY &&
	    s.name != NULL && s.environment == a->model->shown &&
	    s.entry->state != STATE_DANGLING;
}

/* There is no secrets file to show: why, and what to do. */
static void
sealed_draw_none(struct app *a, const struct rect *r)
{
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	const struct model *m = a->model;
	struct selection s = selection_get(a);
	char text[240];
	int y = r->y;

	if (m->shown != NULL && m->shown->problem != NULL) {
		y = canvas_wrapped(&room, y, STYLE_ERROR, m->shown->problem->text);
		canvas_wrapped(&room, y + 1, STYLE_NOTE, m->shown->problem->hint);
		return;
	}
	if (m->scanning && !m->looked)
		return;
	if (s.root != NULL && s.root->tally.unknown > 0) {
		y = canvas_wrapped(&room, y, STYLE_TEXT, "It is not known which secrets file this "
		    "belongs to.");
		snprintf(text, sizeof(text), "References here name one that was not found, or that "
		    "could be several. %s adds one from elsewhere; [environment NAME] in "
		    "propseal.ini says which.", KEY(ACTION_OPEN_SECRETS));
	} else {
		y = canvas_wrapped(&room, y, STYLE_TEXT, "There is no secrets file here.");
		snprintf(text, sizeof(text), "%s makes one with its first master key. Secrets "
		    "that you seal go there, and configuration files keep a reference.",
		    KEY(ACTION_GENERATE));
	}
	canvas_wrapped(&room, y + 1, STYLE_NOTE, text);
}

void
files_draw_sealed(struct app *a)
{
	static const struct frame_rows rows = { .is_linked = sealed_is_linked,
		.draw = sealed_draw_row };
	struct panes *p = &a->files->panes;
	struct rect r = a->layout.right;

	sealed_draw_head(a, &a->layout.right_head, p->right_active);
	if (a->model->shown == NULL || a->model->shown->secrets == NULL) {
		sealed_draw_none(a, &r);
		return;
	}
	if (r.h >= METADATA_FROM) {
		sealed_draw_metadata(a, &r);
		r.y += METADATA_ROWS;
		r.h -= METADATA_ROWS;
	}
	if (p->right.rows.len == 0)
		canvas_text(r.y, r.x + 1, r.w - 2, STYLE_NOTE, "nothing is sealed yet");
	frame_draw_rows(a, &p->right, &r, p->right_active, &rows);
}
