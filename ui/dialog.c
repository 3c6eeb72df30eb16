#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/term.h"

#define BOX_COLS 44	/* a smaller screen is covered as a whole */
#define BOX_ROWS 12
#define BOX_WIDTH 72

/* --- fields --- */

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

static void
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

static size_t
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

/* --- a dialog on the screen --- */

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
	struct wrap w;

	wrap_init(&w, text, n, width);
	while (wrap_next(&w))
		lines++;
	return lines;
}

/* The part of the text that the scrolling shows, in r->h lines. */
static void
dialog_draw_text(struct dialog *d, const struct rect *r, const char *text, size_t n)
{
	size_t line = 0;
	struct wrap w;

	wrap_init(&w, text, n, r->w);
	d->shown = (size_t)r->h;
	if (d->scroll + d->shown > d->lines)
		d->scroll = d->lines > d->shown ? d->lines - d->shown : 0;
	for (; line < d->scroll + d->shown && wrap_next(&w); line++)
		if (line >= d->scroll)
			canvas_bytes(r->y + (int)(line - d->scroll), r->x + w.indent,
			    r->w - w.indent, d->is_error && line == 0 ? STYLE_ERROR : STYLE_TEXT,
			    w.line, w.len);
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
	size_t lines = 1;
	char text[32];
	size_t k;
	int i;

	canvas_fill(y, x, w, STYLE_FIELD);
	for (k = 0; k + 1 < d->secret.len; k++)
		lines += d->secret.data[k] == '\n';
	if (lines > 1) {
		snprintf(text, sizeof(text), " %zu lines", lines);
		w -= canvas_right(y, x, w, STYLE_FIELD, text);
	}
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
	char text[64];

	if (d->total == 0) {
		canvas_text(r->y, r->x, r->w, STYLE_NOTE, "please wait");
		return;
	}
	canvas_gauge(r->y, r->x, r->w, d->done, d->total);
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
dialog_place(const struct dialog *d, struct rect *box, struct rect *inner, size_t extra)
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

static void
dialog_draw(struct layer *layer, struct app *a)
{
	struct dialog *d = (struct dialog *)layer;
	struct rect box, inner, part;
	bool field = has_field(d);
	bool boxed;
	int gap;

	(void)a;
	boxed = dialog_place(d, &box, &inner, field ? 4 : 2);
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
		dialog_draw_text(d, &part, (const char *)d->text.data, d->text.len);
}

static void
scroll(struct dialog *d, uint32_t key)
{
	size_t last = d->lines > d->shown ? d->lines - d->shown : 0;
	size_t page = d->shown > 1 ? d->shown - 1 : 1;

	if (key == INPUT_UP && d->scroll > 0)
		d->scroll--;
	else if (key == INPUT_DOWN && d->scroll < last)
		d->scroll++;
	else if (key == INPUT_PAGE_UP)
		d->scroll = d->scroll < page ? 0 : d->scroll - page;
	else if (key == INPUT_PAGE_DOWN)
		d->scroll = last - d->scroll < page ? last : d->scroll + page;
}

static void
dialog_finish(struct dialog *d, bool accepted)
{
	d->accepted = accepted;
	d->layer.done = true;
}

static void
dialog_enter(struct dialog *d)
{
	switch (d->kind) {
	case DIALOG_CONFIRM:
		dialog_finish(d, d->focus_go);
		break;
	case DIALOG_WORD:
		if (strcmp(d->line.text, d->word) == 0)
			dialog_finish(d, true);
		else
			strncpy(d->complaint, "that is not the word", sizeof(d->complaint) - 1);
		break;
	default:
		dialog_finish(d, true);
		break;
	}
}

static void
dialog_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct dialog *d = (struct dialog *)layer;

	(void)a;
	d->complaint[0] = '\0';
	if (k == INPUT_ESCAPE) {
		dialog_finish(d, false);
	} else if (k == INPUT_ENTER) {
		dialog_enter(d);
	} else if (d->kind == DIALOG_SECRET) {
		secret_edit_key(&d->secret, k);
	} else if (d->kind == DIALOG_CONFIRM && (k == INPUT_TAB || k == INPUT_BACKTAB ||
	    k == INPUT_LEFT || k == INPUT_RIGHT)) {
		d->focus_go = !d->focus_go;
	} else if ((d->kind != DIALOG_TEXT && d->kind != DIALOG_WORD) ||
	    !line_edit_key(&d->line, k)) {
		scroll(d, k);
	}
}

static void
dialog_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct dialog *d = (struct dialog *)layer;
	size_t len;

	(void)a;
	d->complaint[0] = '\0';
	if (d->kind != DIALOG_SECRET)
		(void)line_edit_paste(&d->line, text, d->complaint, sizeof(d->complaint));
	else if (paste_refused(text, d->many_lines, &len, d->complaint,
	    sizeof(d->complaint)) == NULL)
		buf_append(&d->secret, text->data, len);
}

void
dialog_init(struct dialog *d, enum dialog_kind kind, const char *title)
{
	memset(d, 0, sizeof(*d));
	d->layer.draw = dialog_draw;
	d->layer.key = dialog_key;
	d->layer.secret = kind == DIALOG_SECRET;
	d->kind = kind;
	if (has_field(d))
		d->layer.paste = dialog_paste;
	d->title = title;
	d->button = "OK";
	d->label = "";
	buf_init(&d->text, DIALOG_TEXT_MAX);
	buf_init_secret(&d->secret, DIALOG_SECRET_MAX);
}

void
dialog_release(struct dialog *d)
{
	buf_release(&d->text);
	buf_release(&d->secret);
}

/* Show it until it is answered.  True: accepted. */
static bool
dialog_run(struct app *a, struct dialog *d)
{
	d->accepted = false;
	return loop_run(a, &d->layer) && d->accepted;
}

/* --- the usual questions --- */

bool
ask_confirm(struct app *a, const char *title, const char *text, const char *button)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_CONFIRM, title);
	buf_append_str(&d.text, text);
	d.button = button;
	yes = dialog_run(a, &d);
	dialog_release(&d);
	return yes;
}

bool
ask_word(struct app *a, const char *title, const char *text, const char *word)
{
	struct dialog d;
	char label[64];
	bool yes;

	dialog_init(&d, DIALOG_WORD, title);
	buf_printf(&d.text, "%s\n\nTo go on, type the word %s.", text, word);
	snprintf(label, sizeof(label), "Type %s:", word);
	d.label = label;
	d.word = word;
	yes = dialog_run(a, &d);
	dialog_release(&d);
	return yes;
}

bool
ask_text(struct app *a, const char *title, const char *text, const char *label, struct buf *out)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_TEXT, title);
	buf_append_str(&d.text, text);
	d.label = label;
	line_edit_set(&d.line, buf_cstr(out));
	yes = dialog_run(a, &d);
	if (yes) {
		buf_clear(out);
		buf_append_str(out, d.line.text);
	}
	dialog_release(&d);
	return yes;
}

/* Run a dialog for a secret, and release it. */
static bool
secret_run(struct app *a, struct dialog *d, struct buf *out)
{
	bool yes = dialog_run(a, d) && !d->secret.failed;

	if (yes)
		buf_append(out, d->secret.data, d->secret.len);
	dialog_release(d);
	return yes && !out->failed;
}

bool
ask_secret(struct app *a, const char *title, const char *text, const char *label,
    const char *complaint, struct buf *out)
{
	struct dialog d;

	dialog_init(&d, DIALOG_SECRET, title);
	buf_append_str(&d.text, text);
	d.label = label;
	if (complaint != NULL)
		snprintf(d.complaint, sizeof(d.complaint), "%s", complaint);
	return secret_run(a, &d, out);
}

bool
ask_value(struct app *a, const char *title, const char *text, struct buf *out)
{
	struct dialog d;

	dialog_init(&d, DIALOG_SECRET, title);
	buf_printf(&d.text, "%s\nWhat you type is not shown, and Enter ends it. What you paste "
	    "is taken as it is, of any number of lines.", text);
	d.label = "Value:";
	d.many_lines = true;
	return secret_run(a, &d, out);
}

bool
ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out)
{
	const char *complaint = NULL;
	struct buf again;
	bool yes = false;

	buf_init_secret(&again, DIALOG_SECRET_MAX);
	for (;;) {
		buf_clear(out);
		buf_clear(&again);
		if (!ask_secret(a, title, text, "New passphrase:", complaint, out))
			break;
		if (text_is_blank(out->data, out->len)) {
			complaint = "a blank passphrase protects nothing";
			continue;
		}
		if (!ask_secret(a, title, "Type the same passphrase once more.",
		    "Once more:", NULL, &again))
			break;
		if (secret_equal(out->data, out->len, again.data, again.len)) {
			yes = true;
			break;
		}
		complaint = "the two were not the same";
	}
	buf_release(&again);
	return yes;
}

/* --- what is told --- */

void
tell_message(struct app *a, const char *title, const char *text)
{
	struct dialog d;

	dialog_init(&d, DIALOG_MESSAGE, title);
	buf_append_str(&d.text, text);
	(void)dialog_run(a, &d);
	dialog_release(&d);
}

void
tell_error(struct app *a, const char *title, const struct error *err)
{
	struct dialog d;
	struct buf kept;

	buf_init(&kept, DIALOG_TEXT_MAX);
	buf_printf(&kept, "%s: ", title);
	if (err->file[0] != '\0')
		buf_printf(&kept, "%s: ", model_show_path(a->model, err->file));
	buf_append_str(&kept, err->text);
	app_keep(a, buf_cstr(&kept));
	buf_release(&kept);

	dialog_init(&d, DIALOG_MESSAGE, title);
	d.is_error = true;
	buf_append_str(&d.text, err->text);
	if (err->file[0] != '\0') {
		buf_printf(&d.text, "\n\nFile: %s", model_show_path(a->model, err->file));
		if (err->line > 0)
			buf_printf(&d.text, ":%zu", err->line);
	}
	if (err->key[0] != '\0')
		buf_printf(&d.text, "%sKey: %s", err->file[0] != '\0' ? "\n" : "\n\n", err->key);
	if (err->hint[0] != '\0')
		buf_printf(&d.text, "\n\n%s", err->hint);
	(void)dialog_run(a, &d);
	dialog_release(&d);
}
