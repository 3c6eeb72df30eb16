#include <stdio.h>
#include <string.h>

#include "estate/estate.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/entry_look.h"
#include "ui/marks.h"
#include "ui/model.h"
#include "ui/pane_files.h"
#include "ui/selection.h"
#include "ui/style.h"
#include "ui/tree.h"

#define WORD_COLUMNS 15	/* of a state in words, with a blank before it */
#define WORD_WIDTH 46	/* a narrower pane has letters only */

/* One row: where it is, and how it looks. */
struct line {
	int y, x, w;
	unsigned int extra;	/* STYLE_SELECTED, STYLE_LINKED */
};

static void
draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct model *m = a->model;
	char text[128];
	int used;

	if (r->h == 0)
		return;
	snprintf(text, sizeof(text), "Configuration files %zu", m->counts.files);
	used = canvas_text(r->y, r->x, r->w, active ? STYLE_HEAD : STYLE_NOTE, text);
	if (m->tree.filter == TREE_ALL)
		return;
	snprintf(text, sizeof(text), "filter: %s", tree_filter_name(m->tree.filter));
	canvas_right(r->y, r->x + used + 1, r->w - used - 2, STYLE_MARK, text);
}

/* How many there are of what, by letter: "3! 12S". */
static void
sum_up(const struct estate_file *f, char *out, size_t size)
{
	static const char letters[] = "!SDOX";
	size_t count[sizeof(letters) - 1] = { 0 };
	size_t used = 0;
	size_t i, k;
	char letter;

	for (i = 0; i < f->count; i++) {
		letter = entry_look_letter(&f->entries[i]);
		for (k = 0; k < sizeof(letters) - 1; k++)
			if (letters[k] == letter)
				count[k]++;
	}
	out[0] = '\0';
	for (k = 0; k < sizeof(letters) - 1 && used < size; k++)
		if (count[k] > 0)
			used += (size_t)snprintf(out + used, size - used, "%s%zu%c",
			    used > 0 ? " " : "", count[k], letters[k]);
}

static void
draw_file(struct app *a, const struct line *l, const struct estate_file *f)
{
	bool folded = tree_folded(&a->model->tree, f->path);
	unsigned int style = STYLE_NOTE;
	char sum[96];
	int used = 0;

	if (f->problem != NULL) {
		snprintf(sum, sizeof(sum), "X unreadable");
		style = STYLE_DAMAGED;
	} else if (f->is_secrets_file) {
		snprintf(sum, sizeof(sum), "secrets file");
	} else {
		sum_up(f, sum, sizeof(sum));
	}
	if (sum[0] != '\0' && l->w > 24)
		used = 1 + canvas_right(l->y, l->x, l->w - 1, style | l->extra, sum);
	if (f->count > 0)
		canvas_text(l->y, l->x, 1, STYLE_FILE | l->extra,
		    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_tail(l->y, l->x + 2, l->w - 2 - used - 1, STYLE_FILE | l->extra,
	    model_show_path(a->model, f->path));
}

static void
draw_entry(struct app *a, const struct line *l, const struct estate_file *f,
    const struct estate_entry *e, bool in_range)
{
	bool marked = marks_has(a->model->marks, f->path, e->key, e->key_len);
	char letter[2] = { entry_look_letter(e), '\0' };
	const char *word = e->shadowed ? "overridden" : entry_look_word(e);
	unsigned int style = entry_look_style(e);
	int words = l->w >= WORD_WIDTH ? WORD_COLUMNS : 0;

	if (marked && e->state == STATE_PLAIN)
		word = "to be sealed";
	if (marked || in_range)
		canvas_text(l->y, l->x + 1, 1, STYLE_MARK | l->extra, marked ? "*" : "+");
	canvas_text(l->y, l->x + 2, 1, style | l->extra, letter);
	canvas_bytes(l->y, l->x + 4, l->w - 5 - words,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | l->extra, e->key, e->key_len);
	if (words > 0)
		canvas_text(l->y, l->x + l->w - words, words - 1,
		    (marked ? STYLE_MARK : style) | l->extra, word);
}

/* Is it, or does it hold, what the right pane's cursor is on? */
static bool
refers(const struct app *a, const struct tree_row *row, const struct estate_file *f)
{
	struct selection s = selection_get(a);
	size_t i;

	if (s.kind != SELECTION_SEALED)
		return false;
	for (i = 0; i < f->count; i++) {
		if (row->entry == TREE_NO_ENTRY ?
		    !tree_folded(&a->model->tree, f->path) : row->entry != i)
			continue;
		if (f->entries[i].name != NULL && strlen(f->entries[i].name) == s.name_len &&
		    memcmp(f->entries[i].name, s.name, s.name_len) == 0)
			return true;
	}
	return false;
}

static bool
in_range(const struct browser *b, size_t row)
{
	if (!b->ranging)
		return false;
	return row >= b->range_from ? row <= b->left.cursor : row >= b->left.cursor;
}

static void
draw_row(struct app *a, const struct rect *r, size_t i, bool active)
{
	const struct browser *b = a->browser;
	const struct tree_row *row = tree_row(&a->model->tree, i);
	const struct estate_file *f = estate_file(a->model->estate, row->file);
	struct line l = { .y = r->y + (int)(i - b->left.top), .x = r->x, .w = r->w, .extra = 0 };

	if (active && i == b->left.cursor) {
		l.extra = STYLE_SELECTED;
		canvas_fill(l.y, l.x, l.w, STYLE_TEXT | l.extra);
		canvas_cursor(l.y, l.x, true);
	} else if (!active && refers(a, row, f)) {
		l.extra = STYLE_LINKED;
	}
	if (row->entry == TREE_NO_ENTRY)
		draw_file(a, &l, f);
	else
		draw_entry(a, &l, f, &f->entries[row->entry],
		    in_range(b, i) && tree_can_seal(&f->entries[row->entry]));
}

/* What to say when there is no row. */
static void
draw_empty(struct app *a, const struct rect *r)
{
	const struct model *m = a->model;

	if (m->scanning && !m->looked) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "looking for files");
		return;
	}
	if (m->tree.filter != TREE_ALL) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE,
		    m->tree.filter == TREE_CLEAR ? "no secret in clear text" :
		    m->tree.filter == TREE_PROBLEMS ? "no problems" : "no secrets");
		if (r->h > 1)
			canvas_text(r->y + 1, r->x + 1, r->w - 2, STYLE_NOTE,
			    "Esc shows everything");
		return;
	}
	canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "no configuration file here");
	if (r->h > 2)
		canvas_text(r->y + 2, r->x + 1, r->w - 2, STYLE_NOTE,
		    "propseal FOLDER or FILE opens others.");
}

void
pane_files_draw(struct app *a)
{
	struct list *l = &a->browser->left;
	bool active = !a->browser->right_active;
	const struct rect *r = &a->layout.left;
	size_t i;

	draw_head(a, &a->layout.left_head, active);
	list_fit(l, tree_count(&a->model->tree), (size_t)r->h);
	if (l->count == 0)
		draw_empty(a, r);
	for (i = l->top; i < l->count && i - l->top < l->height; i++)
		draw_row(a, r, i, active);
}
