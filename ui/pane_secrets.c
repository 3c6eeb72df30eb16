#include <stdio.h>
#include <string.h>

#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/pane_secrets.h"
#include "ui/selection.h"
#include "ui/style.h"

#define METADATA_ROWS 4
#define METADATA_FROM 9	/* a lower pane shows entries only */
#define WEAK_ITERATIONS KEY_ITERATIONS_DEFAULT

static void
draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct model *m = a->model;
	char text[64];
	int used = 0;

	if (r->h == 0)
		return;
	if (m->secrets != NULL) {
		snprintf(text, sizeof(text), "%zu sealed", m->sealed.len);
		used = 1 + canvas_right(r->y, r->x, r->w - 1, STYLE_NOTE, text);
	}
	canvas_tail(r->y, r->x, r->w - used - 1, active ? STYLE_HEAD : STYLE_NOTE,
	    m->secrets_path != NULL ? model_show_path(m, m->secrets_path) : "Secrets file");
}

static void
draw_pair(const struct rect *r, int y, const char *name, unsigned int style, const char *value)
{
	canvas_text(y, r->x, 11, STYLE_NOTE, name);
	canvas_text(y, r->x + 11, r->w - 12, style, value);
}

static void
draw_metadata(struct app *a, const struct rect *r)
{
	const struct secrets_metadata *m = secrets_file_metadata(a->model->secrets);
	bool weak = m->iterations < WEAK_ITERATIONS;
	char text[160];

	if (a->model->master != NULL)
		snprintf(text, sizeof(text), "unlocked, id %s", a->model->fingerprint);
	else
		snprintf(text, sizeof(text), "locked");
	draw_pair(r, r->y, "master key", STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s%u%s", weak ? "! " : "", m->iterations,
	    weak ? " (weak)" : "");
	draw_pair(r, r->y + 1, "iterations", weak ? STYLE_CLEAR : STYLE_TEXT, text);
	if (m->data_key != NULL)
		snprintf(text, sizeof(text), "%zu bits, wrapped", 8 * m->length);
	else
		snprintf(text, sizeof(text), "none yet");
	draw_pair(r, r->y + 2, "data key", STYLE_TEXT, text);
	canvas_hline(r->y + 3, r->x, r->w);
}

/* An entry's letter: sealed, sealed by the old cipher, damaged, orphan. */
static char
letter_of(const struct app *a, size_t sealed, size_t references, unsigned int *style)
{
	const struct document *d = secrets_file_document(a->model->secrets);
	const unsigned char *raw;
	struct sealed parsed;
	size_t len;

	raw = document_raw_value(d, sealed, &len);
	*style = STYLE_DAMAGED;
	/* The text form has no character that .properties would escape but `=`
	 * and `:`, which stand as they are in what this program writes. */
	if (memchr(raw, '\\', len) == NULL && sealed_parse(raw, len, &parsed, NULL) == -1)
		return 'X';
	*style = STYLE_DANGLING;
	if (references == 0 && !a->model->scanning)
		return '?';
	*style = STYLE_SEALED;
	return 'S';
}

static void
draw_entry(struct app *a, const struct rect *r, int y, size_t i, unsigned int extra)
{
	const struct model *m = a->model;
	size_t sealed = *(size_t *)vec_at(&m->sealed, i);
	char letter[2] = { 0, 0 };
	const char *name;
	size_t len, references;
	unsigned int style;
	char text[32];
	int used;

	name = document_key(secrets_file_document(m->secrets), sealed, &len);
	references = estate_references(m->estate, name, len);
	letter[0] = letter_of(a, sealed, references, &style);
	if (m->scanning && references == 0)
		snprintf(text, sizeof(text), "%s", canvas_glyph(GLYPH_DOT));
	else
		snprintf(text, sizeof(text), "%zu", references);
	canvas_text(y, r->x, 1, style | extra, letter);
	used = canvas_right(y, r->x, r->w - 1, STYLE_NOTE | extra, text);
	canvas_tail_bytes(y, r->x + 2, r->w - 2 - used - 2,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, name, len);
}

static bool
is_counterpart(const struct app *a, size_t i)
{
	struct selection s = selection_get(a);

	return s.kind == SELECTION_ENTRY && s.name != NULL &&
	    secrets_file_find(a->model->secrets, s.name, s.name_len) ==
	    *(size_t *)vec_at(&a->model->sealed, i);
}

static void
draw_entries(struct app *a, const struct rect *r, bool active)
{
	struct list *l = &a->browser->right;
	unsigned int extra;
	size_t i;
	int y;

	list_fit(l, a->model->sealed.len, (size_t)r->h);
	if (l->count == 0)
		canvas_text(r->y, r->x, r->w - 1, STYLE_NOTE, "nothing is sealed yet");
	for (i = l->top; i < l->count && i - l->top < l->height; i++) {
		y = r->y + (int)(i - l->top);
		extra = 0;
		if (active && i == l->cursor) {
			extra = STYLE_SELECTED;
			canvas_fill(y, r->x, r->w, STYLE_TEXT | extra);
			canvas_cursor(y, r->x, true);
		} else if (!active && i == l->cursor && is_counterpart(a, i)) {
			extra = STYLE_LINKED;
		}
		draw_entry(a, r, y, i, extra);
	}
}

/* Text broken to the pane's width. */
static int
draw_wrapped(const struct rect *r, int y, unsigned int style, const char *text)
{
	size_t n = strlen(text);
	size_t next, len;

	while (n > 0 && y < r->y + r->h) {
		len = columns_wrap(text, n, r->w - 1, &next);
		canvas_bytes(y++, r->x, r->w - 1, style, text, len);
		text += next;
		n -= next;
	}
	return y;
}

static void
draw_none(struct app *a, const struct rect *r)
{
	const struct model *m = a->model;
	char name[KEYMAP_NAME_MAX];
	char text[200];
	int y = r->y;

	list_fit(&a->browser->right, 0, (size_t)r->h);
	if (m->secrets_problem.code != ERROR_NONE) {
		y = draw_wrapped(r, y, STYLE_ERROR, m->secrets_problem.text);
		draw_wrapped(r, y + 1, STYLE_NOTE, m->secrets_problem.hint);
		return;
	}
	if (m->scanning && !m->looked)
		return;
	if (m->counts.sealed > 0) {
		y = draw_wrapped(r, y, STYLE_TEXT, "No secrets file is open.");
		snprintf(text, sizeof(text), "The references on the left name one that was not "
		    "found. %s opens it from where it is.",
		    keymap_key_of(ACTION_OPEN_SECRETS, name));
	} else {
		y = draw_wrapped(r, y, STYLE_TEXT, "There is no secrets file yet.");
		snprintf(text, sizeof(text), "%s makes one with its first master key. Secrets "
		    "that you seal go there, and configuration files keep a reference.",
		    keymap_key_of(ACTION_GENERATE, name));
	}
	draw_wrapped(r, y + 1, STYLE_NOTE, text);
}

void
pane_secrets_draw(struct app *a)
{
	bool active = a->browser->right_active;
	struct rect r = a->layout.right;

	draw_head(a, &a->layout.right_head, active);
	if (a->model->secrets == NULL) {
		draw_none(a, &r);
		return;
	}
	if (r.h >= METADATA_FROM) {
		draw_metadata(a, &r);
		r.y += METADATA_ROWS;
		r.h -= METADATA_ROWS;
	}
	draw_entries(a, &r, active);
}
