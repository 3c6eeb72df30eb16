#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/keymap.h"
#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/registry_view.h"
#include "ui/style.h"

#define WIDE 34		/* a narrower pane has no columns behind the names */
#define WIDER 90	/* a wider one tells who stored the version, and when */

/* Columns of the columns. */
#define REFS 4
#define WORD 11
#define WHO 14
#define TIME 16		/* of 2026-10-05 12:34:56Z */
#define GAP 2

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

/* What stands behind a name: who changed it and when where there is room, one
 * word, and how many files refer to it.  The columns that are left. */
static int
draw_columns(const struct rect *l, unsigned int style, const struct registry_summary *by,
    const char *word, const char *uses)
{
	int x = l->x + l->w - 1 - REFS;
	char time[TIME + 1];

	if (l->w < WIDE)
		return l->w;
	canvas_right(l->y, x, REFS, style, uses);
	x -= GAP + WORD;
	canvas_right(l->y, x, WORD, style, word);
	if (l->w >= WIDER && by != NULL && by->created[0] != '\0') {
		snprintf(time, sizeof(time), "%.*s", TIME, by->created);
		canvas_text(l->y, x - GAP - WHO, WHO, style, by->created_by);
		canvas_text(l->y, x - 2 * GAP - WHO - TIME, TIME, style, time);
	}
	/* The words are shorter than their column, mostly. */
	if (l->w >= WIDER)
		return x - 2 * GAP - WHO - TIME - l->x - 1;
	return x + WORD - columns_text(word, strlen(word)) - l->x - 1;
}

static size_t
count_keys(const struct registry_path *p)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < p->keys.len; i++)
		n += registry_key_at(p, i)->exists;
	return n;
}

/* Dimmed when nothing is live. */
static unsigned int
style_of(enum registry_version_state state, unsigned int otherwise)
{
	return state == REGISTRY_LIVE ? otherwise : STYLE_NOTE;
}

static void
draw_path(const struct registry *reg, const struct registry_row *row, const struct rect *l,
    unsigned int extra)
{
	const struct registry_path *p = row->path;
	enum registry_version_state state = registry_path_state(p);
	unsigned int style = STYLE_NOTE;
	char word[48] = "", uses[24] = "";
	int w;

	if (p->known == REGISTRY_FAILED) {
		snprintf(word, sizeof(word), "X");
		style = STYLE_DAMAGED;
	} else if (!p->exists && reg->known == REGISTRY_KNOWN) {
		snprintf(word, sizeof(word), l->w < WIDE ? "D" : "D not there");
		style = STYLE_DANGLING;
	} else if (state != REGISTRY_LIVE) {
		snprintf(word, sizeof(word), "%s", l->w < WIDE ? "-" : registry_state_name(state));
	} else if (p->known == REGISTRY_KNOWN && l->w >= WIDE) {
		snprintf(word, sizeof(word), "%zu%s %s", count_keys(p), p->cut ? "+" : "",
		    count_keys(p) == 1 ? "key" : "keys");
	}
	if (reg->uses.done)
		snprintf(uses, sizeof(uses), "%zu", p->uses);
	w = draw_columns(l, style | extra, NULL, word, uses);
	if (l->w < WIDE && word[0] != '\0')
		w -= 1 + canvas_right(l->y, l->x, l->w - 1, style | extra, word);
	style = style_of(state, STYLE_FILE) | extra;
	canvas_text(l->y, l->x, 1, style, canvas_glyph(p->unfolded ? GLYPH_OPEN : GLYPH_FOLDED));
	canvas_text(l->y, l->x + 2, w - 3, style, p->name);
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
	if (registry_key_state(row->key) != REGISTRY_LIVE)
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
	enum registry_version_state state = registry_key_state(k);
	unsigned int style;
	char letter[2] = { letter_of(reg, row, &style), '\0' };
	char word[24] = "", uses[24] = "";
	int w;

	if (!k->exists && registry_key_dangles(row->path, k))
		snprintf(word, sizeof(word), "not there");
	else if (k->counted && state != REGISTRY_LIVE)
		snprintf(word, sizeof(word), "%s", registry_state_name(state));
	else if (k->counted)
		snprintf(word, sizeof(word), "v%u", k->summary.current);
	if (reg->uses.done)
		snprintf(uses, sizeof(uses), "%zu", k->uses);
	w = draw_columns(l, style | extra, k->counted ? &k->summary : NULL, word, uses);
	canvas_text(l->y, l->x + 2, 1, style | extra, letter);
	canvas_text(l->y, l->x + 4, w - 5, style | extra, k->name);
}

static void
draw_head(const struct registry *reg, const struct rect *r)
{
	static const struct registry_summary by = { .created = "stored", .created_by = "by" };
	int w = r->w;

	if (r->h == 0)
		return;
	if (reg->rows.len > 0)
		w = draw_columns(r, STYLE_NOTE, &by, "version", "refs");
	canvas_text(r->y, r->x, w, reg->right_active ? STYLE_NOTE : STYLE_HEAD, "Paths and keys");
}

/* On the last line: the list is not all that there is.  The lines that are left. */
static int
draw_cut(const struct registry *reg, const struct rect *r)
{
	char text[96];

	if (!reg->cut || !registry_shown(reg) || r->h < 2)
		return r->h;
	snprintf(text, sizeof(text), r->w < WIDE ? "first %d only" :
	    "only the first %d paths are shown", REGISTRY_NAMES_MAX);
	canvas_text(r->y + r->h - 1, r->x + 1, r->w - 2, STYLE_NOTICE, text);
	return r->h - 1;
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
	list_fit(l, reg->rows.len, (size_t)draw_cut(reg, r));
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
