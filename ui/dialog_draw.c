#include <stdio.h>
#include <string.h>

#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/dialog.h"
#include "ui/dialog_draw.h"
#include "ui/secret_edit.h"
#include "ui/style.h"

#define BOX_COLS 44	/* a smaller screen is covered as a whole */
#define BOX_ROWS 12
#define BOX_WIDTH 72

static bool
has_field(const struct dialog *d)
{
	return d->kind == DIALOG_TEXT || d->kind == DIALOG_WORD || d->kind == DIALOG_SECRET;
}

/* How many lines the text takes. */
static size_t
count_lines(const char *text, size_t n, int width)
{
	size_t lines = 0;
	size_t next;

	while (n > 0) {
		(void)columns_wrap(text, n, width, &next);
		text += next;
		n -= next;
		lines++;
	}
	return lines;
}

/* The part of the text that the scrolling shows, in r->h lines. */
static void
draw_text(struct dialog *d, const struct rect *r, const char *text, size_t n)
{
	size_t line = 0;
	size_t len, next;

	d->shown = (size_t)r->h;
	if (d->scroll + d->shown > d->lines)
		d->scroll = d->lines > d->shown ? d->lines - d->shown : 0;
	for (; n > 0 && line < d->scroll + d->shown; line++) {
		len = columns_wrap(text, n, r->w, &next);
		if (line >= d->scroll)
			canvas_bytes(r->y + (int)(line - d->scroll), r->x, r->w,
			    d->is_error && line == 0 ? STYLE_ERROR : STYLE_TEXT, text, len);
		text += next;
		n -= next;
	}
	/* That there is more shows at the right end. */
	if (d->scroll > 0)
		canvas_text(r->y, r->x + r->w, 1, STYLE_KEY, canvas_glyph(GLYPH_UP));
	if (d->scroll + d->shown < d->lines)
		canvas_text(r->y + r->h - 1, r->x + r->w, 1, STYLE_KEY, canvas_glyph(GLYPH_DOWN));
}

static void
draw_bullets(const struct dialog *d, int y, int x, int w)
{
	size_t n = secret_edit_length(&d->secret);
	int i;

	canvas_fill(y, x, w, STYLE_FIELD);
	for (i = 0; i < w - 1 && (size_t)i < n; i++)
		canvas_text(y, x + i, 1, STYLE_FIELD, canvas_glyph(GLYPH_BULLET));
	canvas_cursor(y, x + i, true);
}

static void
draw_field(struct dialog *d, const struct rect *r)
{
	int x = r->x;
	int used;

	if (r->w >= 30 && d->label[0] != '\0') {
		used = canvas_text(r->y, x, r->w / 2, STYLE_NOTE, d->label);
		x += used + 1;
	}
	if (d->kind == DIALOG_SECRET)
		draw_bullets(d, r->y, x, r->x + r->w - x);
	else
		line_edit_draw(&d->line, r->y, x, r->x + r->w - x);
}

static int
draw_button(int y, int x, int w, const char *label, bool focus)
{
	char text[64];
	int used;

	snprintf(text, sizeof(text), focus ? "[%s]" : " %s ", label);
	used = canvas_text(y, x, w, focus ? STYLE_HEAD | STYLE_SELECTED : STYLE_NOTE, text);
	if (focus)
		canvas_cursor(y, x, true);
	return used;
}

static void
draw_progress(const struct dialog *d, const struct rect *r)
{
	int full = r->w;
	char text[64];

	if (d->total == 0) {
		canvas_text(r->y, r->x, r->w, STYLE_NOTE, "please wait");
		return;
	}
	full = (int)((double)r->w * (double)d->done / (double)d->total);
	canvas_fill(r->y, r->x, r->w, STYLE_FIELD);
	canvas_fill(r->y, r->x, full, STYLE_TEXT | STYLE_SELECTED);
	snprintf(text, sizeof(text), "%zu of %zu", d->done, d->total);
	canvas_text(r->y - 1, r->x, r->w, STYLE_NOTE, text);
}

/* The last line: buttons, or the keys that a field knows. */
static void
draw_bottom(struct dialog *d, const struct rect *r)
{
	int x = r->x;

	if (d->complaint[0] != '\0') {
		canvas_text(r->y, r->x, r->w, STYLE_ERROR, d->complaint);
		return;
	}
	switch (d->kind) {
	case DIALOG_CONFIRM:
		x += draw_button(r->y, x, r->w, "Cancel", !d->focus_go) + 2;
		x += draw_button(r->y, x, r->x + r->w - x, d->button, d->focus_go) + 3;
		canvas_right(r->y, x, r->x + r->w - x, STYLE_NOTE,
		    r->x + r->w - x > 24 ? "Tab moves, Enter chooses" : "");
		break;
	case DIALOG_MESSAGE:
		(void)draw_button(r->y, x, r->w, d->button, true);
		break;
	case DIALOG_PROGRESS:
		draw_progress(d, r);
		break;
	default:
		canvas_text(r->y, r->x, r->w, STYLE_NOTE, r->w < 40 ? "Enter ok  Esc no" :
		    "Enter goes on, Esc cancels");
		break;
	}
}

/* Where the dialog stands, and the room inside its frame. */
static bool
place(const struct dialog *d, struct rect *box, struct rect *inner, size_t extra)
{
	size_t lines;
	int rows, cols;
	bool boxed;

	canvas_size(&rows, &cols);
	boxed = rows >= BOX_ROWS && cols >= BOX_COLS;
	box->w = boxed ? (cols - 4 < BOX_WIDTH ? cols - 4 : BOX_WIDTH) : cols;
	inner->w = box->w - 4;
	lines = count_lines((const char *)d->text.data, d->text.len, inner->w - 1);
	box->h = boxed && lines + extra + 2 < (size_t)(rows - 2) ? (int)(lines + extra) + 2 :
	    rows - 2;
	box->x = (cols - box->w) / 2;
	box->y = (rows - box->h) / 2;
	*inner = (struct rect){ box->y + 1, box->x + 2, box->h - 2, inner->w };
	if (!boxed) {
		*box = (struct rect){ 0, 0, rows, cols };
		*inner = (struct rect){ 1, 1, rows - 1, cols - 2 };
	}
	return boxed;
}

void
dialog_draw(struct dialog *d)
{
	struct rect box, inner, part;
	bool field = has_field(d);
	bool boxed;
	int gap;

	boxed = place(d, &box, &inner, field ? 4 : 2);
	if (boxed) {
		canvas_box(&box, d->title);
	} else {
		canvas_clear(&box);
		canvas_fill(0, 0, box.w, STYLE_TITLE);
		canvas_text(0, 1, box.w - 2, STYLE_TITLE, d->title);
	}
	/* From the bottom up; blank lines only where there is room. */
	gap = inner.h >= 6 ? 1 : 0;
	part = (struct rect){ inner.y + inner.h - 1, inner.x, 1, inner.w };
	draw_bottom(d, &part);
	if (field) {
		part.y -= 1 + gap;
		draw_field(d, &part);
	}
	part = (struct rect){ inner.y, inner.x, part.y - gap - inner.y, inner.w - 1 };
	if (d->kind == DIALOG_PROGRESS && part.h > 1)
		part.h--;
	d->lines = count_lines((const char *)d->text.data, d->text.len, part.w);
	if (part.h > 0)
		draw_text(d, &part, (const char *)d->text.data, d->text.len);
}
