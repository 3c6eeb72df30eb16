#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/preview.h"
#include "ui/reveal.h"
#include "ui/term.h"

/* A whole file, masked: as it is on disk, and beside it as a service reads it. */

#define TWO_SIDES 100		/* columns; fewer have one side at a time */
#define DETAIL_FROM 12		/* rows */
#define DETAIL 4
#define GAUGE 15		/* columns of the time that is left, */
#define SECONDS 6		/* and without a gauge */
#define VALUE_COLS 8		/* fewer have no room for a value */
#define SIDE_STEP 16
#define ABOVE 3		/* lines above the one that it begins at */
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define NO_VALUE ((size_t)-1)

struct whole {
	struct layer layer;
	struct preview preview;
	char *path;
	bool secrets;			/* it is a secrets file, */
	struct environment *environment;	/* of this environment */
	struct list list;		/* of the lines */
	size_t value;			/* of the cursor's line; NO_VALUE: it has none */
	bool right;			/* where there is one side, that of the service */
	size_t skip;			/* columns that are out at the left */
	struct line_edit search;
	bool searching;
	bool searched;			/* it is underlined */
	size_t search_from;
};

const char *
act_needs_readable(const struct app *a)
{
	const struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return NULL;
	if (s.file == NULL)
		return "select a file or one of its entries first";
	return s.file->problem != NULL ? "this file cannot be read" : NULL;
}

/* --- where the cursor is --- */

static const struct preview_value *
whole_value(const struct whole *w)
{
	return w->value == NO_VALUE ? NULL : preview_value(&w->preview, w->value);
}

/* The cursor is on another line. */
static void
whole_moved(struct whole *w)
{
	const struct preview_line *l;

	w->value = NO_VALUE;
	if (w->list.count == 0)
		return;
	l = preview_line(&w->preview, w->list.cursor);
	if (l->count > 0)
		w->value = l->first;
}

/* To the next value, or the one before, also on the same line, around the ends. */
static void
whole_next_value(struct whole *w, struct app *a, bool back)
{
	const size_t n = w->preview.values.len;
	size_t i = 0;

	if (n == 0) {
		app_hint(a, "no reference and no secret is in this file");
		return;
	}
	if (w->value != NO_VALUE) {
		i = (w->value + (back ? n - 1 : 1)) % n;
	} else {
		while (i < n && preview_value(&w->preview, i)->line < w->list.cursor)
			i++;
		i = (i + (back ? n - 1 : 0)) % n;
	}
	list_go(&w->list, preview_value(&w->preview, i)->line);
	w->value = i;
}

static bool
whole_line_matches(const struct whole *w, size_t i)
{
	const struct preview_line *l = preview_line(&w->preview, i);

	return text_contains_nocase(preview_text(&w->preview, l), l->len, w->search.text);
}

/* From line ${from} on, or back, around the ends. */
static void
whole_search(struct whole *w, struct app *a, size_t from, bool back)
{
	const size_t n = w->list.count;

	w->searched = w->search.len > 0;
	for (size_t i = 0; w->searched && i < n; i++) {
		size_t at = (from + (back ? n - i : i)) % n;

		if (!whole_line_matches(w, at))
			continue;
		list_go(&w->list, at);
		whole_moved(w);
		return;
	}
	if (w->searched)
		app_hint(a, "no line has %s in it", w->search.text);
}

/* --- drawing --- */

/* A line from column ${w->skip} on. */
static void
whole_draw_text(const struct whole *w, const struct rect *r, unsigned int style, const char *text,
    size_t n)
{
	struct rect line = *r;
	size_t from = columns_fit(text, n, (int)w->skip, NULL);

	canvas_bytes(r->y, r->x, r->w, style, text + from, n - from);
	if (w->searched)
		canvas_underline(&line, w->search.text);
}

/* The value that is shown, in its place on the line. */
static void
whole_draw_value(struct app *a, const struct rect *r, const char *text, size_t before)
{
	int used = canvas_bytes(r->y, r->x, r->w, STYLE_TEXT, text, before);
	const int room = r->w - used;
	const bool gauge = room - GAUGE >= VALUE_COLS &&
	    reveal_lines(a->reveal, room - GAUGE) <= 1;
	struct rect where = { r->y, r->x + used, 1, room - (gauge ? GAUGE : SECONDS) };

	(void)reveal_draw_time(a->reveal, r->y, r->x + r->w - (gauge ? room : GAUGE),
	    gauge ? room : GAUGE);
	reveal_place(a->reveal, &where);
}

/* Is there room for it on the line?  Else it stands in the detail. */
static bool
whole_value_fits(const struct app *a, const struct rect *r, const char *text, size_t before)
{
	int room = r->w - SECONDS - columns_text(text, before);

	return room >= VALUE_COLS && reveal_lines(a->reveal, room) <= 1;
}

static void
whole_draw_read(struct whole *w, struct app *a, size_t i, const struct rect *r, unsigned int extra,
    bool *placed)
{
	const struct preview_line *l = preview_line(&w->preview, i);
	const struct preview_value *stops = preview_stops(&w->preview, l);
	const struct preview_value *v = i == w->list.cursor && reveal_shown(a->reveal) ?
	    whole_value(w) : NULL;
	const char *o = canvas_glyph(GLYPH_BULLET);
	char bullets[64];
	struct buf text;
	size_t before;

	snprintf(bullets, sizeof(bullets), "%s%s%s%s%s%s%s%s", o, o, o, o, o, o, o, o);
	buf_init(&text, LINE_MAX_BYTES);
	before = preview_append_read(&w->preview, l, v, bullets, &text);
	(void)buf_cstr(&text);
	if (v != NULL && v->to > v->from && stops == NULL &&
	    whole_value_fits(a, r, (const char *)text.data, before)) {
		whole_draw_value(a, r, (const char *)text.data, before);
		*placed = true;
	} else {
		whole_draw_text(w, r, (stops == NULL ? STYLE_TEXT : stops->letter == 'X' ?
		    STYLE_DAMAGED : STYLE_DANGLING) | extra, (const char *)text.data, text.len);
	}
	buf_release(&text);
}

static unsigned int
whole_style(char letter)
{
	return letter == '!' ? STYLE_CLEAR : letter == 'S' ? STYLE_SEALED : letter == 'X' ?
	    STYLE_DAMAGED : letter == 'O' ? STYLE_OTHER : STYLE_DANGLING;
}

/* The letter of a line: of the value that the cursor is on, else of the first; clear text may
 * stand in a comment, too. */
static char
whole_letter(const struct whole *w, size_t i)
{
	const struct preview_line *l = preview_line(&w->preview, i);
	const struct preview_value *v = i == w->list.cursor ? whole_value(w) : NULL;

	if (v == NULL && l->count > 0)
		v = preview_value(&w->preview, l->first);
	return v != NULL ? v->letter : l->clear ? '!' : ' ';
}

/* One side of a line: `> 41 S ssl.key.password=...` */
static void
whole_draw_side(struct whole *w, struct app *a, size_t i, const struct rect *r, bool right,
    bool *placed)
{
	const struct preview_line *l = preview_line(&w->preview, i);
	const bool here = i == w->list.cursor;
	const bool selected = here && right == w->right;
	const unsigned int extra = selected ? STYLE_SELECTED : 0;
	char number[32], letter[2] = { whole_letter(w, i), '\0' };
	struct rect text = { r->y, r->x, 1, r->w };
	int x = r->x;

	if (selected)
		canvas_fill(r->y, r->x, r->w, STYLE_TEXT | extra);
	if (here)
		canvas_text(r->y, r->x, 1, STYLE_KEY | extra, selected ? ">" : "=");
	if (selected)
		canvas_cursor(r->y, r->x, true);
	snprintf(number, sizeof(number), "%4zu", l->number);
	if (r->w >= 24)
		x += 1 + canvas_text(r->y, x + 1, 8, STYLE_NOTE | extra, number);
	canvas_text(r->y, x + 1, 1, whole_style(letter[0]) | extra, letter);
	text.x = x + 3;
	text.w = r->x + r->w - text.x;
	if (right)
		whole_draw_read(w, a, i, &text, extra, placed);
	else
		whole_draw_text(w, &text, (l->clear ? STYLE_CLEAR : STYLE_TEXT) | extra,
		    preview_text(&w->preview, l), l->len);
}

static const char *
whole_side_name(const struct whole *w, bool right)
{
	return !right ? "as it is on disk" : w->secrets ? "as propseal opens it" :
	    "as the service reads it";
}

static void
whole_draw_heads(const struct whole *w, int y, int cols, int half)
{
	char text[80];

	if (half > 0) {
		canvas_text(y, 1, half - 2, w->right ? STYLE_NOTE : STYLE_HEAD,
		    whole_side_name(w, false));
		canvas_text(y, half + 2, cols - half - 3, w->right ? STYLE_HEAD : STYLE_NOTE,
		    whole_side_name(w, true));
		return;
	}
	snprintf(text, sizeof(text), w->right ? " %s [%s]" : "[%s] %s ", whole_side_name(w, false),
	    whole_side_name(w, true));
	canvas_text(y, 0, cols - 1, STYLE_HEAD, text);
}

/* What there is to be said of the cursor's line, and all of it where it was cut. */
static void
whole_draw_detail(const struct whole *w, struct app *a, const struct rect *r, int side)
{
	const struct preview_value *v = whole_value(w);
	const struct preview_line *l;
	struct wrap lines;
	struct buf text;
	int y = r->y;

	if (w->list.count == 0)
		return;
	l = preview_line(&w->preview, w->list.cursor);
	buf_init(&text, LINE_MAX_BYTES);
	if (v != NULL) {
		preview_say(&w->preview, a->model, v, &text);
		y = canvas_wrapped(r, y, whole_style(v->letter), buf_cstr(&text));
	}
	if (columns_text(preview_text(&w->preview, l), l->len) > side) {
		wrap_init(&lines, preview_text(&w->preview, l), l->len, r->w);
		for (; y < r->y + r->h && wrap_next(&lines); y++)
			canvas_bytes(y, r->x + lines.indent, r->w - lines.indent, STYLE_NOTE,
			    lines.line, y == r->y + r->h - 1 ? (size_t)(lines.rest + lines.n -
			    lines.line) : lines.len);
	}
	buf_release(&text);
}

/* A value that has no place on its line: in the detail, or all over a small screen. */
static void
whole_draw_long(struct app *a, const struct rect *r)
{
	struct rect where = *r;
	int lines = reveal_lines(a->reveal, r->w - 2);

	canvas_clear(r);
	where.x++;
	where.w -= 2;
	where.h = lines < r->h ? lines : r->h;
	reveal_place(a->reveal, &where);
}

/* The detail and a notice, where there is room for them. */
static void
whole_draw_below(const struct whole *w, struct app *a, const struct rect *r, int side,
    bool placed)
{
	const bool shown = reveal_shown(a->reveal) && !placed;
	struct rect detail = { r->y + 1, 1, DETAIL, r->w - 2 };
	int used = 0;

	if (r->h == 0) {
		if (shown)
			whole_draw_long(a, &(struct rect){ 1, 0, r->y - 1, r->w });
		return;
	}
	canvas_hline(r->y, 0, r->w);
	if (shown)
		whole_draw_long(a, &(struct rect){ r->y + 1, 0, DETAIL, r->w });
	else
		whole_draw_detail(w, a, &detail, side);
	if (shown)
		used = reveal_draw_time(a->reveal, r->y + r->h - 1, 1, r->w - 2) + 2;
	canvas_text(r->y + r->h - 1, 1, r->w - 2 - used, a->notice[0] != '\0' &&
	    a->notice_is_error ? STYLE_ERROR : STYLE_NOTE, a->notice[0] != '\0' ? a->notice :
	    reveal_shown(a->reveal) ? "Any key masks it, and the time; r longer, y copy." : "");
}

static void
whole_draw_foot(const struct whole *w, int y, int cols)
{
	static const char *const keys[] = { "r", "reveal", "y", "copy", "[ ]", "next reference",
		"/", "search", "Tab", "side", "Esc", "back", "?", "help" };
	int x = 1;

	if (w->searching) {
		canvas_text(y, 0, 1, STYLE_KEY, "/");
		line_edit_draw(&w->search, y, 1, cols - 2);
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i += 2) {
		int need = (int)(strlen(keys[i]) + strlen(keys[i + 1])) + 1;

		/* The way back, if there is room for two. */
		if (x + need >= cols || (cols < 30 && strchr("rE", keys[i][0]) == NULL))
			continue;
		x += canvas_text(y, x, cols - x, STYLE_KEY, keys[i]) + 1;
		x += canvas_text(y, x, cols - x, STYLE_NOTE, keys[i + 1]) + 2;
	}
}

static void
whole_draw_title(const struct whole *w, const struct app *a)
{
	const struct preview_value *v = whole_value(w);
	const struct environment *x = v != NULL && v->entry != NULL ? v->entry->environment :
	    w->environment;
	const struct rect all = canvas_page("");
	static const char masked[] = ", values masked";
	char state[128] = "";
	int used;

	used = 1 + canvas_tail(0, 1, all.w - 2 - (all.w >= 40 ? (int)sizeof(masked) : 0),
	    STYLE_TITLE, model_show_path(a->model, w->path));
	if (all.w >= 40)
		used += canvas_text(0, used, all.w - used, STYLE_TITLE, masked);
	if (x != NULL)
		snprintf(state, sizeof(state), "%.100s %s", model_show_path(a->model, x->path),
		    x->master != NULL ? "open" : "locked");
	if (used + columns_text(state, strlen(state)) + 4 < all.w)
		canvas_right(0, 0, all.w - 1, STYLE_TITLE, state);
}

static void
whole_draw(struct layer *layer, struct app *a)
{
	struct whole *w = (struct whole *)layer;
	struct rect all = { 0, 0, 0, 0 };
	bool placed = false, detail;
	int half, y = 1, rows;
	size_t i;

	whole_draw_title(w, a);
	canvas_size(&all.h, &all.w);
	half = all.w >= TWO_SIDES && !canvas_is_read_aloud() ? all.w / 2 : 0;
	detail = all.h >= DETAIL_FROM;
	if (all.h >= 10)
		whole_draw_heads(w, y++, all.w, half);
	rows = all.h - y - 1 - (detail ? DETAIL + 2 : 0);
	list_fit(&w->list, w->preview.lines.len, (size_t)rows);
	for (i = w->list.top; i < w->list.count && i - w->list.top < w->list.height; i++) {
		struct rect r = { y + (int)(i - w->list.top), 0, 1, half > 0 ? half : all.w };

		if (half > 0 || !w->right)
			whole_draw_side(w, a, i, &r, false, &placed);
		r.x = half > 0 ? half + 1 : 0;
		r.w = all.w - r.x;
		if (half > 0 || w->right)
			whole_draw_side(w, a, i, &r, true, &placed);
	}
	if (half > 0)
		canvas_vline(1, half, y + rows - 1);
	whole_draw_below(w, a, &(struct rect){ y + rows, 0, all.h - 1 - y - rows, all.w },
	    (half > 0 ? half : all.w) - 8, placed);
	whole_draw_foot(w, all.h - 1, all.w);
}

/* --- values --- */

static struct selection
whole_selection(const struct whole *w, const struct preview_value *v)
{
	struct selection s = { .kind = SELECTION_ENTRY, .file = w->preview.file,
	    .entry = v->entry };

	if (v->entry != NULL) {
		s.environment = v->entry->environment;
		s.name = v->entry->name;
		s.name_len = v->entry->name_len;
	} else {
		s.kind = SELECTION_SEALED;
		s.environment = w->environment;
		s.sealed = v->sealed;
		s.name = document_key(secrets_file_document(w->environment->secrets), v->sealed,
		    &s.name_len);
	}
	return s;
}

/* The value at the cursor, its environment unlocked: after that what is known of the file is told
 * anew. */
static bool
whole_open(struct whole *w, struct app *a, struct buf *out)
{
	const struct preview_value *v = whole_value(w);
	struct selection s;
	struct error err;
	bool locked;

	if (v == NULL) {
		app_hint(a, "nothing is masked on this line; ] goes to the next that is");
		return false;
	}
	if (strchr("DX?O", v->letter) != NULL) {
		app_hint(a, "there is no value that could be shown");
		return false;
	}
	s = whole_selection(w, v);
	locked = v->letter == 'S' && s.environment->master == NULL;
	if (locked && unlock_run(a, s.environment) != 0)
		return false;
	if (locked) {
		files_hold(a);
		(void)model_finish(a->model);
		files_restore(a);
	}
	if (locked && preview_load(&w->preview, a->model, w->path, w->secrets, w->environment,
	    &err) == -1) {
		tell_error(a, "The file cannot be shown", &err);
		w->layer.done = true;
		return false;
	}
	v = whole_value(w);
	if (v == NULL || w->value >= w->preview.values.len)
		return false;
	s = whole_selection(w, v);
	return act_value_read(a, &s, out);
}

static void
whole_reveal(struct whole *w, struct app *a)
{
	const enum show_where where = whole_value(w) != NULL ? act_show_where(a) : SHOW_SCREEN;
	struct buf value;

	if (where == SHOW_NOWHERE)
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (whole_open(w, a, &value)) {
		act_show(a, &value, where);
		w->right = true;
		w->skip = 0;
	}
	buf_release(&value);
}

static void
whole_copy(struct whole *w, struct app *a)
{
	struct buf value;

	buf_init_secret(&value, BUF_MAX_FILE);
	if (reveal_shown(a->reveal))
		act_copy_value(a, reveal_value(a->reveal));
	else if (whole_open(w, a, &value))
		act_copy_value(a, &value);
	buf_release(&value);
}

/* --- keys --- */

static void
whole_search_key(struct whole *w, struct app *a, uint32_t k)
{
	if (k == INPUT_ENTER || k == INPUT_ESCAPE) {
		w->searching = false;
		w->searched = w->searched && k == INPUT_ENTER;
		if (k == INPUT_ESCAPE) {
			list_go(&w->list, w->search_from);
			whole_moved(w);
		}
	} else if (line_edit_key(&w->search, k)) {
		whole_search(w, a, w->search_from, false);
	}
}

static void
whole_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct whole *w = (struct whole *)layer;
	char why[128];

	if (!w->searching)
		app_refuse(a, "the pasted text was dropped: no field is open");
	else if (line_edit_paste(&w->search, text, why, sizeof(why)))
		whole_search(w, a, w->search_from, false);
	else
		app_refuse(a, "%s", why);
}

static bool
whole_move_key(struct whole *w, uint32_t k)
{
	if (k == INPUT_LEFT || k == 'h')
		w->skip -= w->skip < SIDE_STEP ? w->skip : SIDE_STEP;
	else if (k == INPUT_RIGHT || k == 'l')
		w->skip += SIDE_STEP;
	else if (list_key(&w->list, k == 'k' ? INPUT_UP : k == 'j' ? INPUT_DOWN : k))
		whole_moved(w);
	else
		return false;
	return true;
}

static void
whole_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct whole *w = (struct whole *)layer;

	if (w->searching) {
		whole_search_key(w, a, k);
		return;
	}
	if (k == 'r' && reveal_longer(a->reveal))
		return;
	if (k != 'y' && reveal_hide(a->reveal) && k == INPUT_ESCAPE)
		return;
	if (whole_move_key(w, k))
		return;
	if (k == INPUT_ESCAPE || k == 'q' || k == 'P') {
		layer->done = true;
	} else if (k == 'r') {
		whole_reveal(w, a);
	} else if (k == 'y') {
		whole_copy(w, a);
	} else if (k == ']' || k == '.' || k == '[' || k == ',') {
		whole_next_value(w, a, k == '[' || k == ',');
	} else if (k == INPUT_TAB || k == INPUT_BACKTAB) {
		w->right = !w->right;
	} else if (k == 'L') {
		act_lock(a);
	} else if (k == '/') {
		w->searching = true;
		w->search_from = w->list.cursor;
		line_edit_set(&w->search, "");
	} else if ((k == 'n' || k == 'N') && w->search.len > 0) {
		whole_search(w, a, w->list.cursor + (k == 'n' ? 1 : w->list.count - 1), k == 'N');
	}
}

static void
whole_about(const struct layer *layer, struct about *out)
{
	const struct whole *w = (const struct whole *)layer;

	out->title = w->searching ? "searching" : "the whole file";
	out->types = w->searching;
	if (w->searching) {
		about_key(out, INPUT_ENTER, "stay at what is found");
		about_key(out, INPUT_ESCAPE, "go back to where the cursor was");
		return;
	}
	about_key(out, 'r', "show the value of this line for some seconds");
	about_key(out, 'y', "copy it, by way of the terminal");
	about_key(out, ']', "next reference or secret");
	about_key(out, '[', "the one before");
	about_key(out, INPUT_TAB, "to the other side");
	about_key(out, '/', "search the lines");
	about_key(out, 'n', "next line that has it");
	about_key(out, 'N', "the one before");
	about_key(out, INPUT_RIGHT, "see more of long lines");
	about_key(out, 'L', "lock: forget all keys");
	about_key(out, INPUT_ESCAPE, "back");
}

/* The line that the cursor of the list was on. */
static void
whole_start(struct whole *w, const struct selection *s)
{
	const size_t number = s->kind == SELECTION_ENTRY ? s->entry->line : 0;
	size_t i = 0;

	w->list.count = w->preview.lines.len;
	while (i + 1 < w->list.count && preview_line(&w->preview, i + 1)->number <= number)
		i++;
	if (s->kind == SELECTION_SEALED)
		for (size_t k = 0; k < w->preview.values.len; k++)
			if (preview_value(&w->preview, k)->sealed == s->sealed)
				i = preview_value(&w->preview, k)->line;
	list_go(&w->list, i);
	whole_moved(w);
	if (s->kind == SELECTION_ENTRY)
		for (size_t k = 0; k < w->preview.values.len; k++)
			if (preview_value(&w->preview, k)->entry == s->entry) {
				list_go(&w->list, preview_value(&w->preview, k)->line);
				w->value = k;
			}
	/* With a few lines above it. */
	w->list.top = w->list.cursor > ABOVE ? w->list.cursor - ABOVE : 0;
}

void
act_whole(struct app *a)
{
	const struct selection s = selection_get(a);
	struct error err;
	struct whole w;

	memset(&w, 0, sizeof(w));
	w.layer = (struct layer){ .draw = whole_draw, .key = whole_key, .paste = whole_paste,
	    .about = whole_about, .covers = true };
	w.secrets = s.kind == SELECTION_SEALED || s.file->is_secrets_file;
	w.environment = s.environment;
	w.path = strdup(s.kind == SELECTION_SEALED ? s.environment->path : s.file->path);
	preview_init(&w.preview);
	if (w.path == NULL)
		app_complain(a, "not enough memory");
	else if (preview_load(&w.preview, a->model, w.path, w.secrets, w.environment, &err) == -1)
		tell_error(a, "The file cannot be shown", &err);
	else {
		whole_start(&w, &s);
		(void)loop_run(a, &w.layer);
		reveal_hide(a->reveal);
	}
	preview_release(&w.preview);
	free(w.path);
}
