#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/names.h"

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
sealed_letter_of(struct app *a, size_t row, size_t references, unsigned int *style)
{
	*style = STYLE_DAMAGED;
	if (model_soundness(a->model, row) == SEALED_DAMAGED)
		return 'X';
	*style = STYLE_DANGLING;
	if (references == 0 && !a->model->scanning)
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
	letter[0] = sealed_letter_of(a, i, references, &style);
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
