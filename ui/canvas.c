#include <string.h>
#include <wchar.h>

#include <curses.h>

#include "base/buf.h"
#include "base/text.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/style.h"
#include "ui/theme.h"

#define TEXT_MAX ((size_t)64 * 1024)	/* more does not fit on any screen */

static int cursor_y, cursor_x;
static bool cursor_visible;

const char *
canvas_glyph(enum glyph g)
{
	static const struct {
		uint32_t cp;
		const char *utf8, *ascii;
	} glyphs[] = {
		[GLYPH_HLINE] = { 0x2500, "─", "-" },
		[GLYPH_VLINE] = { 0x2502, "│", "|" },
		[GLYPH_TOP_LEFT] = { 0x250c, "┌", "+" },
		[GLYPH_TOP_RIGHT] = { 0x2510, "┐", "+" },
		[GLYPH_BOTTOM_LEFT] = { 0x2514, "└", "+" },
		[GLYPH_BOTTOM_RIGHT] = { 0x2518, "┘", "+" },
		[GLYPH_OPEN] = { 0x25be, "▾", "v" },
		[GLYPH_FOLDED] = { 0x25b8, "▸", ">" },
		[GLYPH_BULLET] = { 0x2022, "•", "*" },
		[GLYPH_ELLIPSIS] = { 0x2026, "…", "~" },
		[GLYPH_DOT] = { 0xb7, "·", "-" },
		[GLYPH_UP] = { 0x2191, "↑", "^" },
		[GLYPH_DOWN] = { 0x2193, "↓", "v" },
	};

	return columns_can_show(glyphs[g].cp) ? glyphs[g].utf8 : glyphs[g].ascii;
}

void
canvas_size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

void
canvas_begin(void)
{
	erase();
	cursor_y = cursor_x = 0;
	cursor_visible = false;
}

void
canvas_cursor(int y, int x, bool visible)
{
	cursor_y = y;
	cursor_x = x;
	cursor_visible = visible;
}

void
canvas_cursor_get(int *y, int *x)
{
	*y = cursor_y;
	*x = cursor_x;
}

void
canvas_end(void)
{
	int rows, cols;

	canvas_size(&rows, &cols);
	if (cursor_y >= rows)
		cursor_y = rows - 1;
	if (cursor_x >= cols)
		cursor_x = cols - 1;
	curs_set(cursor_visible ? 1 : 0);
	move(cursor_y, cursor_x);
	wnoutrefresh(stdscr);
	doupdate();
}

static void
set_style(unsigned int style)
{
	unsigned long attrs = theme_attributes(style);

	attr_set((attr_t)attrs & ~(attr_t)A_COLOR, (short)PAIR_NUMBER(attrs), NULL);
}

/* Put visible text on the screen; the caller has made it fit. */
static void
put(const char *text, size_t n)
{
	wchar_t wide[2] = { 0, 0 };
	size_t i = 0;
	uint32_t cp;
	size_t len;

	while (i < n) {
		len = text_utf8_decode((const unsigned char *)text + i, n - i, &cp);
		if (len == 0) {
			cp = '?';
			len = 1;
		}
		wide[0] = columns_can_show(cp) ? (wchar_t)cp : L'?';
		addnwstr(wide, 1);
		i += len;
	}
}

/* Draw within ${w} columns, at the left or right end, cut at the end or start. */
static int
draw(int y, int x, int w, unsigned int style, const char *text, size_t n, bool right, bool tail)
{
	const char *dots = canvas_glyph(GLYPH_ELLIPSIS);
	struct buf visible;
	const char *s;
	size_t from = 0, to;
	int used, rows, cols;

	canvas_size(&rows, &cols);
	if (w > cols - x)
		w = cols - x;
	if (w <= 0 || y < 0 || y >= rows || x < 0)
		return 0;
	buf_init(&visible, TEXT_MAX);
	text_append_visible(&visible, text, n < TEXT_MAX / 10 ? n : TEXT_MAX / 10);
	s = buf_cstr(&visible);
	to = strlen(s);
	used = columns_text(s, to);
	set_style(style);
	if (used <= w) {
		move(y, right ? x + w - used : x);
		put(s, to);
	} else if (tail) {
		from = columns_fit_tail(s, to, w - 1);
		move(y, x);
		put(dots, strlen(dots));
		put(s + from, to - from);
		used = w;
	} else {
		to = columns_fit(s, to, w - 1, &used);
		move(y, x);
		put(s, to);
		put(dots, strlen(dots));
		used++;
	}
	set_style(STYLE_TEXT);
	buf_release(&visible);
	return used;
}

int
canvas_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n)
{
	return draw(y, x, w, style, text, n, false, false);
}

int
canvas_text(int y, int x, int w, unsigned int style, const char *text)
{
	return draw(y, x, w, style, text, strlen(text), false, false);
}

int
canvas_tail(int y, int x, int w, unsigned int style, const char *text)
{
	return draw(y, x, w, style, text, strlen(text), false, true);
}

int
canvas_tail_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n)
{
	return draw(y, x, w, style, text, n, false, true);
}

int
canvas_right(int y, int x, int w, unsigned int style, const char *text)
{
	return draw(y, x, w, style, text, strlen(text), true, false);
}

void
canvas_fill(int y, int x, int w, unsigned int style)
{
	int rows, cols;

	canvas_size(&rows, &cols);
	if (w > cols - x)
		w = cols - x;
	if (w <= 0 || y < 0 || y >= rows || x < 0)
		return;
	set_style(style);
	move(y, x);
	while (w-- > 0)
		addch(' ');
	set_style(STYLE_TEXT);
}

void
canvas_hline(int y, int x, int w)
{
	while (w-- > 0)
		canvas_text(y, x++, 1, STYLE_FRAME, canvas_glyph(GLYPH_HLINE));
}

void
canvas_vline(int y, int x, int h)
{
	while (h-- > 0)
		canvas_text(y++, x, 1, STYLE_FRAME, canvas_glyph(GLYPH_VLINE));
}

void
canvas_clear(const struct rect *r)
{
	int i;

	for (i = 0; i < r->h; i++)
		canvas_fill(r->y + i, r->x, r->w, STYLE_TEXT);
}

void
canvas_box(const struct rect *r, const char *title)
{
	int right = r->x + r->w - 1;
	int bottom = r->y + r->h - 1;

	canvas_clear(r);
	canvas_hline(r->y, r->x + 1, r->w - 2);
	canvas_hline(bottom, r->x + 1, r->w - 2);
	canvas_vline(r->y + 1, r->x, r->h - 2);
	canvas_vline(r->y + 1, right, r->h - 2);
	canvas_text(r->y, r->x, 1, STYLE_FRAME, canvas_glyph(GLYPH_TOP_LEFT));
	canvas_text(r->y, right, 1, STYLE_FRAME, canvas_glyph(GLYPH_TOP_RIGHT));
	canvas_text(bottom, r->x, 1, STYLE_FRAME, canvas_glyph(GLYPH_BOTTOM_LEFT));
	canvas_text(bottom, right, 1, STYLE_FRAME, canvas_glyph(GLYPH_BOTTOM_RIGHT));
	if (r->w > 6) {
		canvas_text(r->y, r->x + 2, 1, STYLE_TEXT, " ");
		canvas_text(r->y, r->x + 3 +
		    canvas_text(r->y, r->x + 3, r->w - 6, STYLE_HEAD, title), 1, STYLE_TEXT, " ");
	}
}
