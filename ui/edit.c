#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/canvas.h"
#include "ui/edit.h"
#include "ui/term.h"

void
line_edit_set(struct line_edit *l, const char *text)
{
	snprintf(l->text, sizeof(l->text), "%s", text);
	l->len = l->at = strlen(l->text);
}

static bool
line_edit_is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
line_edit_before(const struct line_edit *l)
{
	size_t i = l->at;

	while (i > 0 && line_edit_is_continuation(l->text[--i]))
		;
	return i;
}

static size_t
line_edit_after(const struct line_edit *l)
{
	size_t i = l->at;

	while (i < l->len && line_edit_is_continuation(l->text[++i]))
		;
	return i;
}

static void
line_edit_cut(struct line_edit *l, size_t from, size_t to)
{
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
}

static void
line_edit_insert(struct line_edit *l, uint32_t cp)
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
		l->at = line_edit_before(l);
		return true;
	case INPUT_RIGHT:
		l->at = line_edit_after(l);
		return true;
	case INPUT_HOME:
		l->at = 0;
		return true;
	case INPUT_END:
		l->at = l->len;
		return true;
	case INPUT_BACKSPACE:
		line_edit_cut(l, line_edit_before(l), l->at);
		return true;
	case INPUT_DELETE:
		line_edit_cut(l, l->at, line_edit_after(l));
		return true;
	case INPUT_CTRL('u'):
		line_edit_cut(l, 0, l->at);
		return true;
	default:
		if (key < ' ' || key >= INPUT_FIRST)
			return false;
		line_edit_insert(l, key);
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

/* Where the last character starts; a byte that is no UTF-8 is one. */
static size_t
last_character(const struct buf *b)
{
	size_t i = b->len - 1;
	uint32_t cp;

	while (i > 0 && b->len - i < 4 && (b->data[i] & 0xc0) == 0x80)
		i--;
	if (text_utf8_decode(b->data + i, b->len - i, &cp) == b->len - i)
		return i;
	return b->len - 1;
}

void
secret_edit_key(struct buf *b, uint32_t key)
{
	unsigned char bytes[4];
	size_t n;

	if (key == INPUT_BACKSPACE) {
		if (b->len > 0)
			buf_truncate(b, last_character(b));
	} else if (key == INPUT_CTRL('u')) {
		buf_truncate(b, 0);
	} else if (key == INPUT_TAB) {
		buf_append_char(b, '\t');
	} else if (key >= INPUT_BYTE) {
		buf_append_char(b, (char)(unsigned char)(key - INPUT_BYTE));
	} else if (key >= ' ' && key < INPUT_FIRST) {
		n = text_utf8_encode(key, bytes);
		buf_append(b, bytes, n);
		secmem_wipe(bytes, sizeof(bytes));
	}
}

size_t
secret_edit_length(const struct buf *b)
{
	size_t i = 0, count = 0;
	size_t len;
	uint32_t cp;

	while (i < b->len) {
		len = text_utf8_decode(b->data + i, b->len - i, &cp);
		i += len > 0 ? len : 1;
		count++;
	}
	return count;
}
