#include "ui/scroll.h"

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/term.h"

size_t
scroll_lines(const char *text, size_t n, int width)
{
	size_t lines = 0;
	struct wrap w;

	wrap_init(&w, text, n, width);
	while (wrap_next(&w))
		lines++;
	return lines;
}

void
scroll_draw(struct scroll *s, const struct rect *r, unsigned int first, const char *text, size_t n)
{
	size_t line = 0;
	struct wrap w;

	s->lines = scroll_lines(text, n, r->w);
	s->shown = r->h > 0 ? (size_t)r->h : 0;
	if (s->first + s->shown > s->lines)
		s->first = s->lines > s->shown ? s->lines - s->shown : 0;
	wrap_init(&w, text, n, r->w);
	for (; line < s->first + s->shown && wrap_next(&w); line++)
		if (line >= s->first)
			canvas_bytes(r->y + (int)(line - s->first), r->x + w.indent,
			    r->w - w.indent, line == 0 ? first : STYLE_TEXT, w.line, w.len);
	if (s->shown == 0)
		return;
	if (s->first > 0)
		canvas_text(r->y, r->x + r->w, 1, STYLE_KEY, canvas_glyph(GLYPH_UP));
	if (s->first + s->shown < s->lines)
		canvas_text(r->y + r->h - 1, r->x + r->w, 1, STYLE_KEY, canvas_glyph(GLYPH_DOWN));
}

bool
scroll_key(struct scroll *s, uint32_t key)
{
	size_t last = s->lines > s->shown ? s->lines - s->shown : 0;
	size_t page = s->shown > 1 ? s->shown - 1 : 1;

	if (last == 0)
		return false;
	switch (key) {
	case INPUT_UP:
		s->first -= s->first > 0;
		return true;
	case INPUT_DOWN:
		s->first += s->first < last;
		return true;
	case INPUT_PAGE_UP:
		s->first = s->first < page ? 0 : s->first - page;
		return true;
	case INPUT_PAGE_DOWN:
		s->first = last - s->first < page ? last : s->first + page;
		return true;
	default:
		return false;
	}
}

void
scroll_about(const struct scroll *s, struct about *out)
{
	if (s->lines <= s->shown)
		return;
	about_key(out, INPUT_DOWN, "scroll down");
	about_key(out, INPUT_UP, "scroll up");
}
