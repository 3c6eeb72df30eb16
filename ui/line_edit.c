#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/event.h"
#include "ui/line_edit.h"
#include "ui/style.h"

void
line_edit_set(struct line_edit *l, const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
	l->len = l->at = strlen(l->text);
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
before(const struct line_edit *l)
{
	size_t i = l->at;

	while (i > 0 && is_continuation(l->text[--i]))
		;
	return i;
}

static size_t
after(const struct line_edit *l)
{
	size_t i = l->at;

	while (i < l->len && is_continuation(l->text[++i]))
		;
	return i;
}

static void
cut(struct line_edit *l, size_t from, size_t to)
{
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
}

static void
insert(struct line_edit *l, uint32_t cp)
{
	unsigned char utf8[4];
	size_t n = text_utf8_encode(cp, utf8);

	if (l->len + n >= sizeof(l->text))
		return;
	memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
	memcpy(l->text + l->at, utf8, n);
	l->len += n;
	l->at += n;
}

bool
line_edit_key(struct line_edit *l, uint32_t key)
{
	switch (key) {
	case INPUT_LEFT:
		l->at = before(l);
		return true;
	case INPUT_RIGHT:
		l->at = after(l);
		return true;
	case INPUT_HOME:
		l->at = 0;
		return true;
	case INPUT_END:
		l->at = l->len;
		return true;
	case INPUT_BACKSPACE:
		cut(l, before(l), l->at);
		return true;
	case INPUT_DELETE:
		cut(l, l->at, after(l));
		return true;
	case INPUT_CTRL('u'):
		cut(l, 0, l->at);
		return true;
	default:
		if (key < ' ' || key >= INPUT_FIRST)
			return false;
		insert(l, key);
		return true;
	}
}

void
line_edit_draw(const struct line_edit *l, int y, int x, int w)
{
	size_t from = 0;

	canvas_fill(y, x, w, STYLE_FIELD);
	/* Scroll so that the cursor is inside, with a column for itself. */
	if (columns_text(l->text, l->at) > w - 1)
		from = columns_fit_tail(l->text, l->at, w - 1);
	canvas_bytes(y, x, w, STYLE_FIELD, l->text + from,
	    columns_fit(l->text + from, l->len - from, w, NULL));
	canvas_cursor(y, x + columns_text(l->text + from, l->at - from), true);
}
