#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "file/file.h"
#include "secrets/key_source.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/field.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"

/* --- a line of text --- */

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

/* Where the word before the cursor begins. */
static size_t
line_edit_word(const struct line_edit *l)
{
	size_t at = l->at;

	while (at > 0 && l->text[at - 1] == ' ')
		at--;
	while (at > 0 && l->text[at - 1] != ' ')
		at--;
	return at;
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
	case INPUT_CTRL('w'):
		line_edit_cut(l, line_edit_word(l), l->at);
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

/* Why a pasted text cannot be taken; NULL: it can.  Its last line end is no
 * part of a line. */
static const char *
paste_refused(const struct buf *text, bool many, size_t *len, char *why, size_t size)
{
	size_t lines = 1;
	size_t i;

	*len = text->len;
	for (i = 0; i + 1 < text->len; i++)
		lines += text->data[i] == '\n';
	if (*len > 0 && lines == 1 && text->data[*len - 1] == '\n')
		--*len;
	if (text->failed)
		snprintf(why, size, "the paste is longer than a megabyte: nothing was taken");
	else if (lines > 1 && !many)
		snprintf(why, size, "the paste has %zu lines, this takes one: nothing was taken",
		    lines);
	else
		return NULL;
	return why;
}

bool
line_edit_paste(struct line_edit *l, const struct buf *text, char *why, size_t size)
{
	size_t len, n, i;
	uint32_t cp;

	if (paste_refused(text, false, &len, why, size) != NULL)
		return false;
	for (i = 0; i < len; i += n) {
		n = text_utf8_decode(text->data + i, len - i, &cp);
		if (n == 0 || cp < ' ' || (cp >= 0x7f && cp < 0xa0)) {
			snprintf(why, size, "the pasted text is no plain text: nothing was taken");
			return false;
		}
	}
	for (i = 0; i < len; i += n) {
		n = text_utf8_decode(text->data + i, len - i, &cp);
		line_edit_insert(l, cp);
	}
	return true;
}

/* --- a secret --- */

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

static size_t
secret_length(const struct buf *b)
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

void
secret_field_init(struct secret_field *f)
{
	memset(f, 0, sizeof(*f));
	buf_init_secret(&f->text, SECRET_FIELD_MAX);
}

void
secret_field_release(struct secret_field *f)
{
	buf_release(&f->text);
}

static void
secret_field_clear(struct app *a, struct secret_field *f)
{
	reveal_hide(a->reveal);
	buf_clear(&f->text);
	f->certain = false;
}

/* What is shown follows what is typed, and goes when it would have. */
static void
secret_field_changed(struct app *a, struct secret_field *f)
{
	uint64_t until = reveal_until(a->reveal);
	uint64_t now = clock_ms();

	f->certain = reveal_shown(a->reveal);
	if (f->certain && (until <= now || reveal_show(a->reveal, f->text.data, f->text.len,
	    (int)(until - now)) == -1))
		reveal_hide(a->reveal);
}

/* Without the word before the end, and the blanks behind it. */
static size_t
word_back(const struct buf *b)
{
	size_t i = b->len;

	while (i > 0 && b->data[i - 1] == ' ')
		i--;
	while (i > 0 && b->data[i - 1] != ' ')
		i--;
	return i;
}

bool
secret_field_key(struct app *a, struct secret_field *f, uint32_t key)
{
	struct buf *b = &f->text;
	unsigned char bytes[4];
	size_t n;

	if (key == INPUT_BACKSPACE) {
		if (b->len > 0)
			buf_truncate(b, last_character(b));
	} else if (key == INPUT_CTRL('u')) {
		buf_truncate(b, 0);
	} else if (key == INPUT_CTRL('w')) {
		buf_truncate(b, word_back(b));
	} else if (key == INPUT_LINE_FEED && f->many_lines) {
		buf_append_char(b, '\n');
	} else if (key >= INPUT_BYTE) {
		buf_append_char(b, (char)(unsigned char)(key - INPUT_BYTE));
	} else if (key >= ' ' && key < INPUT_FIRST) {
		n = text_utf8_encode(key, bytes);
		buf_append(b, bytes, n);
		secmem_wipe(bytes, sizeof(bytes));
	} else {
		return false;
	}
	secret_field_changed(a, f);
	return true;
}

void
secret_field_paste(struct app *a, struct secret_field *f, const struct buf *text, char *why,
    size_t size)
{
	bool whole = f->text.len == 0;
	size_t len;

	if (paste_refused(text, f->many_lines, &len, why, size) != NULL)
		return;
	buf_append(&f->text, text->data, len);
	secret_field_changed(a, f);
	f->certain |= whole;
}

void
secret_field_show(struct app *a, struct secret_field *f, char *why, size_t size)
{
	if (reveal_hide(a->reveal))
		return;
	if (!term_has_private_screen())
		snprintf(why, size, "this terminal has no second screen: it would stay on it");
	else if (reveal_show(a->reveal, f->text.data, f->text.len, a->options->reveal_ms) == -1)
		snprintf(why, size, "it cannot be shown");
	else
		f->certain = true;
}

void
secret_field_generate(struct app *a, struct secret_field *f, char *why, size_t size)
{
	struct error err;

	/* A value can be read where it is sealed; a passphrase is nowhere else. */
	if (f->weighed && !term_has_private_screen()) {
		snprintf(why, size, "it cannot be shown on this terminal, and nobody would know "
		    "it: type one");
		return;
	}
	secret_field_clear(a, f);
	if (passphrase_generate(&f->text, &err) == -1) {
		buf_clear(&f->text);
		snprintf(why, size, "%s", err.text);
		return;
	}
	secret_field_show(a, f, why, size);
	f->certain = true;
}

int
secret_field_load(struct app *a, struct secret_field *f, const char *path, struct error *err)
{
	struct buf content;
	size_t len;
	int rc;

	buf_init_secret(&content, SECRET_FIELD_MAX);
	rc = file_read(path, &content, NULL, err);
	len = content.len;
	if (rc == 0 && len > 0 && content.data[len - 1] == '\n')
		len -= len > 1 && content.data[len - 2] == '\r' ? 2 : 1;
	if (rc == 0) {
		secret_field_clear(a, f);
		buf_append(&f->text, content.data, len);
		rc = buf_check(&f->text, err);
		f->certain = rc == 0;
	}
	buf_release(&content);
	return rc;
}

/* What stands at the right end of the field: how many lines, how strong. */
static int
secret_field_draw_note(const struct secret_field *f, int y, int x, int w)
{
	static const struct {
		unsigned int style;
		const char *text;
	} notes[] = {
		[PASSPHRASE_WEAK] = { STYLE_ERROR, " weak" },
		[PASSPHRASE_FAIR] = { STYLE_TEXT, " fair" },
		[PASSPHRASE_GOOD] = { STYLE_SEALED, " good" },
	};
	enum passphrase_strength strength;
	size_t lines = 1;
	char text[32];
	size_t k;

	for (k = 0; k + 1 < f->text.len; k++)
		lines += f->text.data[k] == '\n';
	if (lines > 1) {
		snprintf(text, sizeof(text), " %zu lines", lines);
		return canvas_right(y, x, w, STYLE_FIELD, text);
	}
	if (!f->weighed || f->text.len == 0 || w < 16)
		return 0;
	strength = passphrase_weigh(f->text.data, f->text.len, NULL);
	return canvas_right(y, x, w, notes[strength].style, notes[strength].text);
}

void
secret_field_draw(struct app *a, const struct secret_field *f, int y, int x, int w, bool focus)
{
	size_t n = secret_length(&f->text);
	int i = 0;

	canvas_fill(y, x, w, STYLE_FIELD);
	w -= secret_field_draw_note(f, y, x, w);
	if (reveal_shown(a->reveal)) {
		i = reveal_place_end(a->reveal, &(struct rect){ y, x, 1, w - 1 });
	} else {
		for (; i < w - 1 && (size_t)i < n; i++)
			canvas_text(y, x + i, 1, STYLE_FIELD, canvas_glyph(GLYPH_BULLET));
	}
	if (focus)
		canvas_cursor(y, x + i, true);
}
