#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/keymap.h"
#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/registry_view.h"
#include "ui/style.h"

#define WIDE 34		/* a narrower pane has no counts */

/* The key of an action, for texts. */
#define KEY(id) keymap_key_of(id, (char [KEYMAP_NAME_MAX]){ 0 })

/* Text broken to the pane's width; the next free line. */
static int
draw_wrapped(const struct rect *r, int y, unsigned int style, const char *text)
{
	size_t n = strlen(text);
	size_t next, len;

	while (n > 0 && y < r->y + r->h) {
		len = columns_wrap(text, n, r->w - 2, &next);
		canvas_bytes(y++, r->x + 1, r->w - 2, style, text, len);
		text += next;
		n -= next;
	}
	return y;
}

static void
draw_none(const struct rect *r)
{
	int y = draw_wrapped(r, r->y, STYLE_TEXT, "No registry is configured.");

	draw_wrapped(r, y + (r->h > 6), STYLE_NOTE, "--url URL or $PROPSEAL_REGISTRY_URL names "
	    "one; --user NAME or --token-file FILE says who you are there. `propseal registry "
	    "serve` runs one: see propseal-registry(8).");
}

/* Why there is no list.  False: there is one. */
static bool
draw_reason(struct app *a, const struct rect *r)
{
	const struct registry *reg = a->registry;
	char text[320];
	int y;

	if (reg->source == NULL) {
		draw_none(r);
	} else if (reg->known == REGISTRY_FAILED) {
		y = draw_wrapped(r, r->y, STYLE_ERROR, reg->problem);
		if (reg->no_login)
			snprintf(text, sizeof(text), "%s logs in with a password. A token is "
			    "given by --token-file.", KEY(ACTION_UNLOCK));
		else
			snprintf(text, sizeof(text), "%s asks again.", KEY(ACTION_RESCAN));
		draw_wrapped(r, y + (r->h > 4), STYLE_NOTE, text);
	} else if (registry_unavailable(reg) != NULL && reg->known == REGISTRY_UNKNOWN) {
		snprintf(text, sizeof(text), "%s logs in as %s.", KEY(ACTION_UNLOCK), reg->user);
		draw_wrapped(r, r->y, STYLE_NOTE, text);
	} else if (reg->known == REGISTRY_UNKNOWN && !reg->looked) {
		draw_wrapped(r, r->y, STYLE_NOTE, "asking the registry");
	} else if (reg->rows.len == 0) {
		y = draw_wrapped(r, r->y, STYLE_NOTE, "nothing that you may see is stored here");
		snprintf(text, sizeof(text), "%s stores a first secret.", KEY(ACTION_ADD));
		draw_wrapped(r, y + (r->h > 4), STYLE_NOTE, text);
	} else {
		return false;
	}
	return true;
}

static void
draw_path(const struct registry *reg, const struct registry_row *row, const struct rect *l,
    unsigned int extra)
{
	const struct registry_path *p = row->path;
	unsigned int style = STYLE_NOTE;
	char text[48] = "";
	int used = 0;

	if (p->known == REGISTRY_FAILED) {
		snprintf(text, sizeof(text), "X");
		style = STYLE_DAMAGED;
	} else if (!p->exists && reg->known == REGISTRY_KNOWN) {
		snprintf(text, sizeof(text), l->w < WIDE ? "D" : "D not there");
		style = STYLE_DANGLING;
	} else if (p->known == REGISTRY_KNOWN && l->w >= WIDE) {
		snprintf(text, sizeof(text), "%zu %s", p->keys.len, p->keys.len == 1 ? "key" :
		    "keys");
	}
	if (text[0] != '\0')
		used = 1 + canvas_right(l->y, l->x, l->w - 1, style | extra, text);
	canvas_text(l->y, l->x, 1, STYLE_FILE | extra,
	    canvas_glyph(p->unfolded ? GLYPH_OPEN : GLYPH_FOLDED));
	canvas_text(l->y, l->x + 2, l->w - 2 - used - 1, STYLE_FILE | extra, p->name);
}

/* A key's letter: live, referred to in vain, deleted, referred to by nothing. */
static char
letter_of(const struct registry *reg, const struct registry_row *row, unsigned int *style)
{
	if (registry_key_dangles(row->path, row->key)) {
		*style = STYLE_DANGLING;
		return 'D';
	}
	*style = STYLE_NOTE;
	if (row->key->counted && row->key->current == 0)
		return '-';
	if (row->key->uses == 0 && reg->uses.done)
		return '?';
	*style = STYLE_SEALED;
	return 'S';
}

static void
draw_key(const struct registry *reg, const struct registry_row *row, const struct rect *l,
    unsigned int extra)
{
	const struct registry_key *k = row->key;
	unsigned int style;
	char letter[2] = { letter_of(reg, row, &style), '\0' };
	char text[64] = "";
	int used = 0;

	if (l->w >= WIDE && !k->exists && registry_key_dangles(row->path, k))
		snprintf(text, sizeof(text), "not there %3zu", k->uses);
	else if (l->w >= WIDE && k->counted && k->current == 0)
		snprintf(text, sizeof(text), "deleted %3zu", k->uses);
	else if (l->w >= WIDE && k->counted)
		snprintf(text, sizeof(text), "v%u %3zu", k->current, k->uses);
	if (text[0] != '\0')
		used = 1 + canvas_right(l->y, l->x, l->w - 1, style | extra, text);
	canvas_text(l->y, l->x + 2, 1, style | extra, letter);
	canvas_text(l->y, l->x + 4, l->w - 4 - used - 1, style | extra, k->name);
}

static void
draw_head(const struct registry *reg, const struct rect *r)
{
	int used;

	if (r->h == 0)
		return;
	used = canvas_text(r->y, r->x, r->w, reg->right_active ? STYLE_NOTE : STYLE_HEAD,
	    "Paths and keys");
	if (r->w >= WIDE && reg->rows.len > 0)
		canvas_right(r->y, r->x + used + 1, r->w - used - 2, STYLE_NOTE,
		    "version, references");
}

void
pane_paths_draw(struct app *a)
{
	struct registry *reg = a->registry;
	const struct rect *r = &a->layout.left;
	struct list *l = &reg->left;
	const struct registry_row *row;
	struct rect line = { .h = 1, .x = r->x, .w = r->w };
	unsigned int extra;
	size_t i;

	draw_head(reg, &a->layout.left_head);
	list_fit(l, reg->rows.len, (size_t)r->h);
	if (draw_reason(a, r))
		return;
	for (i = l->top; i < l->count && i - l->top < l->height; i++) {
		row = vec_at(&reg->rows, i);
		line.y = r->y + (int)(i - l->top);
		extra = 0;
		if (i == l->cursor) {
			extra = reg->right_active ? STYLE_LINKED : STYLE_SELECTED;
			if (!reg->right_active) {
				canvas_fill(line.y, line.x, line.w, STYLE_TEXT | extra);
				canvas_cursor(line.y, line.x, true);
			}
		}
		if (row->key == NULL)
			draw_path(reg, row, &line, extra);
		else
			draw_key(reg, row, &line, extra);
	}
}
