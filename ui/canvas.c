#include <curses.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/text.h"
#include "ui/canvas.h"

#define CANVAS_NEEDLE_MAX 255
#define TEXT_MAX ((size_t)64 * 1024)	/* more does not fit on any screen */

#define NAME_MAX_BYTES 65536
#define LONG_NAME 4096	/* a longer name is cut in the middle */
#define NEAR 24		/* so far up and down names are looked at */

static enum theme chosen;
static const struct look *own_looks;
static bool started;	/* curses' colours */

/* How a style looks now. */
static const struct look *
look_of(enum style s)
{
	if (chosen != THEME_MONOCHROME && own_looks != NULL && own_looks[s].given)
		return &own_looks[s];
	return theme_look(chosen, s);
}

void
theme_choose(enum theme t, const struct look *own)
{
	chosen = t;
	own_looks = own;
}

enum theme
theme_now(void)
{
	return chosen;
}

/* The pairs of a style: on the terminal's own ground, and on that of the cursor's row. */
static short
pair_of(enum style s, bool selected)
{
	return (short)(1 + 2 * (int)s + selected);
}

/* Are there 256 colours, and does the theme use them? */
static bool
is_rich(void)
{
	return COLORS >= 256 && theme_selected(chosen) != 0;
}

static short
colour_of(const struct look *l)
{
	if (is_rich() && l->rich != 0)
		return l->rich;
	return (short)(l->colour >= 8 && COLORS < 16 ? l->colour - 8 : l->colour);
}

void
theme_open(void)
{
	short ground;
	int s;

	/* Without a colour none is set, not even the terminal's own. */
	if (chosen == THEME_MONOCHROME || !has_colors() || (!started && start_color() != OK))
		return;
	if (!started)
		use_default_colors();
	started = true;
	ground = is_rich() ? (short)theme_selected(chosen) : -1;
	for (s = 0; s < STYLE_COUNT; s++) {
		init_pair(pair_of((enum style)s, false), colour_of(look_of((enum style)s)), -1);
		if (ground >= 0)
			init_pair(pair_of((enum style)s, true), colour_of(look_of((enum style)s)),
			    ground);
	}
}

void
theme_change(enum theme t)
{
	chosen = t;
	theme_open();
}

/* The curses attributes of a style with its additions. */
static unsigned long
theme_attributes(unsigned int style)
{
	static const attr_t words[] = { A_BOLD, A_DIM, A_UNDERLINE, A_REVERSE };
	enum style s = (enum style)(style & STYLE_MASK);
	const struct look *l = look_of(s);
	bool colour = started && chosen != THEME_MONOCHROME;
	bool selected = (style & STYLE_SELECTED) != 0;
	attr_t attrs = 0;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (l->attributes & (1U << i))
			attrs |= words[i];
	/* Where a colour says that it is to be skipped, it need not be dim as well. */
	if (colour && l->rich != 0 && is_rich())
		attrs &= ~(attr_t)A_DIM;
	if (colour && l->colour >= 8 && COLORS < 16)
		attrs |= A_BOLD;
	if (colour && selected && is_rich())
		attrs |= (attr_t)COLOR_PAIR(pair_of(s, true));
	else if (colour && colour_of(l) >= 0)
		attrs |= (attr_t)COLOR_PAIR(pair_of(s, false));
	if (selected && !(colour && is_rich()))
		attrs |= A_REVERSE;
	if (style & STYLE_LINKED)
		attrs |= A_BOLD | A_UNDERLINE;
	return attrs;
}

bool
columns_can_show(uint32_t cp)
{
	return wcwidth((wchar_t)cp) >= 0;
}

/* Columns of one character: 0 (combining), 1, or 2; what the locale cannot
 * show is drawn as `?` and takes 1. */
static int
columns_of(uint32_t cp)
{
	int w = wcwidth((wchar_t)cp);

	return w < 0 ? 1 : w;
}

/* One character: its bytes and columns.  Whatever is not UTF-8 is one byte. */
static size_t
columns_step(const char *text, size_t n, int *columns)
{
	uint32_t cp;
	size_t len = text_utf8_decode((const unsigned char *)text, n, &cp);

	if (len == 0) {
		*columns = 1;
		return 1;
	}
	*columns = columns_of(cp);
	return len;
}

int
columns_text(const char *text, size_t n)
{
	int total = 0;
	size_t i = 0;
	int w;

	while (i < n) {
		i += columns_step(text + i, n - i, &w);
		total += w;
	}
	return total;
}

size_t
columns_fit(const char *text, size_t n, int max, int *used)
{
	int total = 0;
	size_t i = 0;
	size_t len;
	int w;

	while (i < n) {
		len = columns_step(text + i, n - i, &w);
		if (total + w > max)
			break;
		total += w;
		i += len;
	}
	if (used != NULL)
		*used = total;
	return i;
}

size_t
columns_fit_tail(const char *text, size_t n, int max)
{
	int over = columns_text(text, n) - max;
	size_t i = 0;
	int w;

	while (i < n && over > 0) {
		i += columns_step(text + i, n - i, &w);
		over -= w;
	}
	return i;
}

void
wrap_init(struct wrap *w, const char *text, size_t n, int width)
{
	*w = (struct wrap){ .rest = text, .n = n, .width = width };
}

/* How much of the next ${n} bytes stands on the line; ${*skip}: what is passed over behind. */
static size_t
wrap_break(const char *text, size_t n, int width, size_t *skip)
{
	size_t fit = columns_fit(text, n, width, NULL);
	size_t i = fit;

	*skip = 0;
	if (fit == n)
		return n;
	while (i > 0 && text[i] != ' ')
		i--;
	/* One long word; a character wider than the line must not stall. */
	if (i == 0)
		return fit > 0 ? fit : columns_step(text, n, &(int){ 0 });
	*skip = 1;
	while (i > 0 && text[i - 1] == ' ') {
		i--;
		++*skip;
	}
	return i;
}

bool
wrap_next(struct wrap *w)
{
	const char *end = w->n > 0 ? memchr(w->rest, '\n', w->n) : NULL;
	size_t paragraph = end != NULL ? (size_t)(end - w->rest) : w->n;
	size_t skip, from = 0;

	if (w->n == 0)
		return false;
	if (!w->continues)
		while (from < paragraph && w->rest[from] == ' ')
			from++;
	if (!w->continues)
		w->indent = (int)from < w->width / 2 ? (int)from : w->width / 2;
	w->line = w->rest + from;
	w->len = wrap_break(w->line, paragraph - from, w->width - w->indent, &skip);
	from += w->len + skip;
	w->continues = from < paragraph;
	if (!w->continues && end != NULL)
		from = paragraph + 1;
	w->rest += from;
	w->n -= from;
	return true;
}

static int cursor_y, cursor_x;
static bool cursor_visible;

static bool aloud;

void
canvas_read_aloud(bool on)
{
	aloud = on;
}

bool
canvas_is_read_aloud(void)
{
	return aloud;
}

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
		[GLYPH_INTO] = { 0x203a, "›", "/" },
	};

	if (aloud && g <= GLYPH_BOTTOM_RIGHT)
		return " ";
	return !aloud && columns_can_show(glyphs[g].cp) ? glyphs[g].utf8 : glyphs[g].ascii;
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
canvas_put(const char *text, size_t n)
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

/* Where a text that is too long is cut. */
enum cut { CUT_END, CUT_START, CUT_MIDDLE };

/* Draw the ends of ${n} bytes that are too long for ${w} columns. */
static void
draw_cut(const char *s, size_t n, int w, enum cut cut, int tail)
{
	const char *dots = canvas_glyph(GLYPH_ELLIPSIS);
	int ends[] = { [CUT_END] = 0, [CUT_START] = w - 1, [CUT_MIDDLE] = tail < w ? tail : w - 1 };
	size_t from = columns_fit_tail(s, n, ends[cut]);
	int room = cut == CUT_START ? 0 : w - 1 - columns_text(s + from, n - from);

	canvas_put(s, columns_fit(s, from, room, NULL));
	canvas_put(dots, strlen(dots));
	canvas_put(s + from, n - from);
}

/* Draw within ${w} columns, at the left or right end; what is cut in the middle
 * keeps ${tail} columns at its end. */
static int
canvas_draw(int y, int x, int w, unsigned int style, const char *text, size_t n, bool right,
    enum cut cut, int tail)
{
	struct buf visible;
	const char *s;
	int used, rows, cols;

	canvas_size(&rows, &cols);
	if (w > cols - x)
		w = cols - x;
	if (w <= 0 || y < 0 || y >= rows || x < 0)
		return 0;
	buf_init(&visible, TEXT_MAX);
	text_append_visible(&visible, text, n < TEXT_MAX / 10 ? n : TEXT_MAX / 10);
	s = buf_cstr(&visible);
	used = columns_text(s, strlen(s));
	set_style(style);
	move(y, right && used < w ? x + w - used : x);
	if (used <= w)
		canvas_put(s, strlen(s));
	else
		draw_cut(s, strlen(s), w, cut, tail);
	set_style(STYLE_TEXT);
	buf_release(&visible);
	return used < w ? used : w;
}

int
canvas_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n)
{
	return canvas_draw(y, x, w, style, text, n, false, CUT_END, 0);
}

int
canvas_text(int y, int x, int w, unsigned int style, const char *text)
{
	return canvas_draw(y, x, w, style, text, strlen(text), false, CUT_END, 0);
}

int
canvas_tail(int y, int x, int w, unsigned int style, const char *text)
{
	return canvas_draw(y, x, w, style, text, strlen(text), false, CUT_START, 0);
}

int
canvas_tail_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n)
{
	return canvas_draw(y, x, w, style, text, n, false, CUT_START, 0);
}

int
canvas_middle(int y, int x, int w, unsigned int style, const char *text, size_t n, int tail)
{
	return canvas_draw(y, x, w, style, text, n, false, CUT_MIDDLE, tail);
}

int
canvas_right(int y, int x, int w, unsigned int style, const char *text)
{
	return canvas_draw(y, x, w, style, text, strlen(text), true, CUT_END, 0);
}

/* What stands in a cell, in lower case. */
static wchar_t
canvas_cell(int y, int x, cchar_t *cell)
{
	wchar_t text[CCHARW_MAX + 1] = { 0 };
	attr_t attrs;
	short pair;

	if (mvin_wch(y, x, cell) == ERR || getcchar(cell, text, &attrs, &pair, NULL) == ERR)
		return 0;
	return text[0] >= L'A' && text[0] <= L'Z' ? text[0] + (L'a' - L'A') : text[0];
}

/* The columns from ${x} to ${end} that the text stands in, 0: another one does. */
static int
canvas_match(int y, int x, int end, const wchar_t *needle)
{
	int from = x, w;
	cchar_t cell;

	for (; *needle != L'\0'; needle++, x += w) {
		if (x >= end || canvas_cell(y, x, &cell) != *needle)
			return 0;
		w = wcwidth(*needle) > 1 ? 2 : 1;
	}
	return x - from;
}

void
canvas_underline(const struct rect *line, const char *text)
{
	wchar_t needle[CANVAS_NEEDLE_MAX + 1], was[CCHARW_MAX + 1] = { 0 };
	size_t n = mbstowcs(needle, text, CANVAS_NEEDLE_MAX);
	int x = line->x, end = line->x + line->w, w = 0, step;
	cchar_t cell;
	attr_t attrs;
	short pair;

	if (n == (size_t)-1 || n == 0)
		return;
	needle[n] = L'\0';
	while (x < end && (w = canvas_match(line->y, x, end, needle)) == 0)
		x++;
	for (end = x + w; w > 0 && x < end; x += step) {
		(void)canvas_cell(line->y, x, &cell);
		if (getcchar(&cell, was, &attrs, &pair, NULL) == ERR ||
		    setcchar(&cell, was, attrs | A_UNDERLINE, pair, NULL) == ERR)
			return;
		(void)mvadd_wch(line->y, x, &cell);
		step = wcwidth(was[0]) > 1 ? 2 : 1;
	}
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
canvas_gauge(int y, int x, int w, size_t done, size_t total)
{
	char text[16];

	if (aloud) {
		snprintf(text, sizeof(text), "%zu %%", 100 * done / total);
		canvas_text(y, x, w, STYLE_TEXT, text);
		return;
	}
	canvas_fill(y, x, w, STYLE_FIELD);
	canvas_fill(y, x, (int)((double)w * (double)done / (double)total),
	    STYLE_TEXT | STYLE_SELECTED);
}

int
canvas_wrapped(const struct rect *r, int y, unsigned int style, const char *text)
{
	struct wrap w;

	wrap_init(&w, text, strlen(text), r->w);
	while (y < r->y + r->h && wrap_next(&w))
		canvas_bytes(y++, r->x + w.indent, r->w - w.indent, style, w.line, w.len);
	return y;
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

struct rect
canvas_page(const char *title)
{
	struct rect all = { 0, 0, 0, 0 };

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, title);
	return all;
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

/* No screen has room for all of it. */
static void
name_append_ends(const char *key, size_t len, struct buf *out)
{
	size_t head = LONG_NAME / 2, from = len - LONG_NAME / 2;

	while (head > 0 && ((unsigned char)key[head] & 0xc0) == 0x80)
		head--;
	while (from < len && ((unsigned char)key[from] & 0xc0) == 0x80)
		from++;
	buf_append(out, key, head);
	buf_append_str(out, canvas_glyph(GLYPH_ELLIPSIS));
	buf_append(out, key + from, len - from);
}

void
name_append_short(const char *key, size_t len, struct buf *out)
{
	static const char word[] = "LoginModule";
	const char *option = memrchr(key, '/', len);
	const char *module = option != NULL ? memrchr(key, '/', (size_t)(option - key)) : NULL;
	const char *name, *end = module;

	if (len > LONG_NAME) {
		name_append_ends(key, len, out);
		return;
	}
	while (end != NULL && (size_t)(option - end) >= sizeof(word) - 1 &&
	    memcmp(end, word, sizeof(word) - 1) != 0)
		end++;
	if (end == NULL || (size_t)(option - end) < sizeof(word) - 1) {
		buf_append(out, key, len);
		return;
	}
	name = memrchr(module, '.', (size_t)(end - module));
	name = name != NULL ? name + 1 : module + 1;
	buf_append(out, key, (size_t)(module - key));
	buf_printf(out, " %s ", canvas_glyph(GLYPH_INTO));
	buf_append(out, name, (size_t)(end - name));
	/* The second module of a class has a number. */
	end += sizeof(word) - 1;
	buf_append(out, end, (size_t)(option - end));
	buf_printf(out, " %s ", canvas_glyph(GLYPH_INTO));
	option++;
	buf_append(out, option, len - (size_t)(option - key));
}

/* Would two different names look the same in ${w} columns, with ${tail} at the end? */
static bool
looks_alike(const struct buf *one, const struct buf *other, size_t w, size_t tail)
{
	size_t head = w - 1 - tail;

	return other->len > w && one->len > w && !buf_equal(one, other) &&
	    memcmp(one->data, other->data, head) == 0 &&
	    memcmp(one->data + one->len - tail, other->data + other->len - tail, tail) == 0;
}

/* Is there a neighbour that would look the same? */
static bool
has_twin(const struct buf *name, const struct name_neighbours *beside, size_t w, size_t tail)
{
	struct buf other;
	bool twin = false;
	int offset;

	buf_init(&other, NAME_MAX_BYTES);
	for (offset = -NEAR; !twin && offset <= NEAR; offset++) {
		buf_clear(&other);
		if (offset != 0 && beside->at(beside->cookie, beside->row, offset, &other))
			twin = looks_alike(name, &other, w, tail);
	}
	buf_release(&other);
	return twin;
}

/* How many columns of the end stay. */
static int
name_tail(const struct buf *name, const struct name_neighbours *beside, int w)
{
	const char *slash = memrchr(name->data, '/', name->len);
	size_t last = slash != NULL ? name->len - (size_t)(slash + 1 - (char *)name->data) : 0;
	int room = w - 1;
	int tails[] = { last > 0 ? columns_text(slash + 1, last) : room * 2 / 3, room * 2 / 3,
		room / 2, room / 3, room / 6, room * 5 / 6, 0 };
	size_t i;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (tails[i] <= room && (beside == NULL ||
		    !has_twin(name, beside, (size_t)w, (size_t)tails[i])))
			return tails[i];
	return room * 2 / 3;
}

int
name_draw(int y, int x, int w, unsigned int style, const struct buf *name,
    const struct name_neighbours *beside)
{
	const char *text = name->len > 0 ? (const char *)name->data : "";
	int tail = 0;

	if (w > 1 && columns_text(text, name->len) > w)
		tail = name_tail(name, beside, w);
	return canvas_middle(y, x, w, style, text, name->len, tail);
}
