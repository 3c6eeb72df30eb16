#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "secrets/key_source.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define BOX_COLS 44	/* a smaller screen is covered as a whole */
#define BOX_ROWS 12
#define BOX_WIDTH 72
#define FIELD_KEYS "Enter goes on, Esc cancels"
#define HELP_KEY ", F1 help"

/* How many lines the text takes in ${width} columns. */
static size_t
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

/* --- a dialog on the screen --- */

static bool
has_field(const struct dialog *d)
{
	return d->kind == DIALOG_TEXT || d->kind == DIALOG_WORD || d->kind == DIALOG_SECRET;
}

static void
draw_field(struct app *a, struct dialog *d, const struct rect *r)
{
	int x = r->x;
	int used;

	if (r->w >= 30 && d->label[0] != '\0') {
		used = canvas_text(r->y, x, r->w / 2, STYLE_NOTE, d->label);
		x += used + 1;
	}
	if (d->kind == DIALOG_SECRET)
		secret_field_draw(a, &d->secret, r->y, x, r->x + r->w - x, d->focus == 0);
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

static void
secret_read_file(struct app *a, struct secret_field *f, char *why, size_t size)
{
	struct error err;
	struct buf path;

	reveal_hide(a->reveal);
	buf_init(&path, LINE_EDIT_MAX);
	if (ask_text(a, "From a file", "What is in the file is taken as it is, of any number of "
	    "lines, without its last line end. The file stays where it is.", "File:", &path) &&
	    path.len > 0 && secret_field_load(a, f, buf_cstr(&path), &err) == -1)
		snprintf(why, size, "%s: %s", buf_cstr(&path), err.text);
	buf_release(&path);
}

/* What can be done with a secret beside typing it; Tab goes there. */
static const struct {
	const char *label, *shown;	/* ${shown}: while it is */
	void (*run)(struct app *a, struct secret_field *f, char *why, size_t size);
} secret_buttons[] = {
	{ "show ^R", "mask ^R", secret_field_show },
	{ "generate", "generate", secret_field_generate },
	{ "from a file", "from a file", secret_read_file },
};

#define SECRET_BUTTONS (sizeof(secret_buttons) / sizeof(secret_buttons[0]))

/* Has this one the button? */
static bool
secret_has(const struct dialog *d, size_t button)
{
	return secret_buttons[button].run == secret_field_generate ? d->makes :
	    secret_buttons[button].run != secret_read_file || d->reads;
}

/* Keys at the right end, with that of the help where there is room for it. */
static void
draw_keys(int y, int x, int w, const char *keys)
{
	char text[80];

	snprintf(text, sizeof(text), "%s" HELP_KEY, keys);
	if ((int)strlen(text) >= w)
		snprintf(text, sizeof(text), "%s", keys);
	if ((int)strlen(text) < w)
		canvas_right(y, x, w, STYLE_NOTE, text);
}

/* On a small screen only what has the focus. */
static void
draw_secret_buttons(struct app *a, struct dialog *d, const struct rect *r)
{
	bool small = r->w < 40;
	int x = r->x;
	size_t i;

	if (small && d->focus == 0) {
		canvas_text(r->y, x, r->w, STYLE_NOTE, "Enter ok  Esc no");
		return;
	}
	for (i = 0; i < SECRET_BUTTONS; i++)
		if (secret_has(d, i) && (!small || d->focus == i + 1))
			x += draw_button(r->y, x, r->x + r->w - x, reveal_shown(a->reveal) ?
			    secret_buttons[i].shown : secret_buttons[i].label,
			    d->focus == i + 1) + 1;
	draw_keys(r->y, x, r->x + r->w - x, FIELD_KEYS);
}

/* The last line: buttons, or the keys that a field knows. */
static void
draw_bottom(struct app *a, struct dialog *d, const struct rect *r)
{
	int x = r->x;

	if (d->complaint[0] != '\0' && d->kind != DIALOG_CONFIRM) {
		canvas_text(r->y, r->x, r->w, STYLE_ERROR, d->complaint);
		return;
	}
	switch (d->kind) {
	case DIALOG_CONFIRM:
		x += draw_button(r->y, x, r->w, "Cancel", !d->focus_go) + 2;
		x += draw_button(r->y, x, r->x + r->w - x, d->button, d->focus_go) + 3;
		if (d->complaint[0] != '\0' && r->x + r->w - x > (int)strlen(d->complaint))
			canvas_right(r->y, x, r->x + r->w - x, STYLE_ERROR, d->complaint);
		else if (d->complaint[0] != '\0')
			canvas_text(r->y, r->x, r->w, STYLE_ERROR, d->complaint);
		else
			draw_keys(r->y, x, r->x + r->w - x, "Tab moves, Enter chooses");
		break;
	case DIALOG_SECRET:
		draw_secret_buttons(a, d, r);
		break;
	case DIALOG_MESSAGE:
		x += draw_button(r->y, x, r->w, d->button, true) + 2;
		if (d->other != NULL)
			canvas_text(r->y, x, r->x + r->w - x, STYLE_KEY, d->other);
		break;
	case DIALOG_PROGRESS:
		draw_progress(d, r);
		break;
	default:
		canvas_text(r->y, r->x, r->w, STYLE_NOTE, r->w < 40 ? "Enter ok  Esc no" :
		    FIELD_KEYS HELP_KEY);
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
	boxed = rows >= BOX_ROWS && cols >= BOX_COLS && !canvas_is_read_aloud();
	box->w = boxed ? (cols - 4 < BOX_WIDTH ? cols - 4 : BOX_WIDTH) : cols;
	inner->w = box->w - 4;
	lines = scroll_lines((const char *)d->text.data, d->text.len, inner->w - 1);
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

	boxed = dialog_place(d, &box, &inner, field ? 4 : 2);
	if (boxed)
		canvas_box(&box, d->title);
	else
		(void)canvas_page(d->title);
	/* From the bottom up; blank lines only where there is room. */
	gap = inner.h >= 6 ? 1 : 0;
	part = (struct rect){ inner.y + inner.h - 1, inner.x, 1, inner.w };
	draw_bottom(a, d, &part);
	if (field) {
		part.y -= 1 + gap;
		draw_field(a, d, &part);
	}
	part = (struct rect){ inner.y, inner.x, part.y - gap - inner.y, inner.w - 1 };
	if (d->kind == DIALOG_PROGRESS && part.h > 1)
		part.h--;
	scroll_draw(&d->scroll, &part, d->is_error ? STYLE_ERROR : STYLE_TEXT,
	    (const char *)d->text.data, d->text.len);
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

/* Tab goes from the field to the buttons and back; a button's key is Enter or Space. */
static void
dialog_secret_key(struct app *a, struct dialog *d, uint32_t k)
{
	size_t step = k == INPUT_BACKTAB ? SECRET_BUTTONS : 1;

	if (k == INPUT_TAB || k == INPUT_BACKTAB) {
		do
			d->focus = (d->focus + step) % (SECRET_BUTTONS + 1);
		while (d->focus > 0 && !secret_has(d, d->focus - 1));
	} else if (k == INPUT_CTRL('r')) {
		secret_field_show(a, &d->secret, d->complaint, sizeof(d->complaint));
	} else if (d->focus > 0 && (k == ' ' || k == INPUT_ENTER)) {
		secret_buttons[d->focus - 1].run(a, &d->secret, d->complaint,
		    sizeof(d->complaint));
		d->focus = 0;
	} else if (k == INPUT_ENTER || (k == INPUT_LINE_FEED && !d->secret.many_lines)) {
		dialog_finish(d, true);
	} else if (d->focus > 0 || !secret_field_key(a, &d->secret, k)) {
		(void)scroll_key(&d->scroll, k);
	}
}

/* The key that asked, `y`, a blank: none of them may choose. */
static void
dialog_confirm_key(struct dialog *d, uint32_t k)
{
	if (k == INPUT_ENTER) {
		dialog_finish(d, d->focus_go);
	} else if (k == INPUT_TAB || k == INPUT_BACKTAB || k == INPUT_LEFT || k == INPUT_RIGHT) {
		d->focus_go = !d->focus_go;
	} else if (k >= ' ' && k < INPUT_FIRST) {
		snprintf(d->complaint, sizeof(d->complaint), "Tab, then Enter");
	} else {
		(void)scroll_key(&d->scroll, k);
	}
}

static void
dialog_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct dialog *d = (struct dialog *)layer;

	d->complaint[0] = '\0';
	if (k == INPUT_ESCAPE)
		dialog_finish(d, false);
	else if (d->kind == DIALOG_SECRET)
		dialog_secret_key(a, d, k);
	else if (d->other != NULL && k == (unsigned char)d->other[0])
		dialog_finish(d, true);
	else if (d->other != NULL && k == INPUT_ENTER)
		dialog_finish(d, false);
	else if (d->kind == DIALOG_CONFIRM)
		dialog_confirm_key(d, k);
	else if (k == INPUT_ENTER)
		dialog_enter(d);
	else if ((d->kind != DIALOG_TEXT && d->kind != DIALOG_WORD) ||
	    !line_edit_key(&d->line, k))
		(void)scroll_key(&d->scroll, k);
}

static void
dialog_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct dialog *d = (struct dialog *)layer;

	d->complaint[0] = '\0';
	if (d->kind != DIALOG_SECRET)
		(void)line_edit_paste(&d->line, text, d->complaint, sizeof(d->complaint));
	else
		secret_field_paste(a, &d->secret, text, d->complaint, sizeof(d->complaint));
}

static void
dialog_about(const struct layer *layer, struct about *out)
{
	const struct dialog *d = (const struct dialog *)layer;

	out->title = d->title;
	/* A secret may be typed on while a button has the focus: nothing of it goes elsewhere. */
	out->types = has_field(d);
	if (d->other != NULL)
		about_key(out, (unsigned char)d->other[0], d->other + 2);
	if (d->kind == DIALOG_CONFIRM)
		about_key(out, INPUT_TAB, "to the other button");
	if (d->kind == DIALOG_SECRET) {
		about_key(out, INPUT_TAB, "from the field to the buttons below it");
		about_key(out, INPUT_CTRL('r'), "show what is typed for a while, or mask it");
	}
	if (out->types && d->focus == 0) {
		about_key(out, INPUT_CTRL('u'), "clear what is typed");
		about_key(out, INPUT_CTRL('w'), "clear the word before the cursor");
	}
	scroll_about(&d->scroll, out);
	about_key(out, INPUT_ENTER, d->kind == DIALOG_CONFIRM ? "press the button that has the "
	    "focus" : d->kind == DIALOG_MESSAGE ?
	    "close" : "go on");
	if (d->kind != DIALOG_MESSAGE || d->other != NULL)
		about_key(out, INPUT_ESCAPE, "cancel: nothing is changed");
}

void
dialog_init(struct dialog *d, enum dialog_kind kind, const char *title)
{
	memset(d, 0, sizeof(*d));
	d->layer.draw = dialog_draw;
	d->layer.about = dialog_about;
	d->layer.key = dialog_key;
	d->layer.secret = kind == DIALOG_SECRET;
	d->kind = kind;
	if (has_field(d))
		d->layer.paste = dialog_paste;
	d->title = title;
	d->button = "OK";
	d->label = "";
	buf_init(&d->text, DIALOG_TEXT_MAX);
	secret_field_init(&d->secret);
}

void
dialog_release(struct dialog *d)
{
	buf_release(&d->text);
	secret_field_release(&d->secret);
}

/* Show it until it is answered.  True: accepted. */
static bool
dialog_run(struct app *a, struct dialog *d)
{
	bool answered;

	d->accepted = false;
	answered = loop_run(a, &d->layer);
	if (d->kind == DIALOG_SECRET)
		reveal_hide(a->reveal);
	return answered && d->accepted;
}

/* --- the usual questions --- */

static bool
ask_button(struct app *a, const char *title, const char *text, const char *button, bool go)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_CONFIRM, title);
	d.focus_go = go;
	buf_append_str(&d.text, text);
	d.button = button;
	yes = dialog_run(a, &d);
	dialog_release(&d);
	return yes;
}

bool
ask_confirm(struct app *a, const char *title, const char *text, const char *button)
{
	return ask_button(a, title, text, button, false);
}

bool
ask_resume(struct app *a, const char *title, const char *text, const char *button)
{
	return ask_button(a, title, text, button, true);
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

/* Run a dialog for a secret, append what it got, and release it; ${certain} (may be NULL):
 * it need not be typed again. */
static bool
secret_run(struct app *a, struct dialog *d, const char *complaint, struct buf *out, bool *certain)
{
	bool yes;

	if (complaint != NULL)
		snprintf(d->complaint, sizeof(d->complaint), "%s", complaint);
	yes = dialog_run(a, d) && !d->secret.text.failed;
	if (yes)
		buf_append(out, d->secret.text.data, d->secret.text.len);
	if (certain != NULL)
		*certain = d->secret.certain;
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
	return secret_run(a, &d, complaint, out, NULL);
}

/* Ask for the same once more.  1: it is; 0: it is not; -1: cancelled. */
static int
ask_again(struct app *a, const char *title, const char *what, bool many_lines,
    const struct buf *first)
{
	struct dialog d;
	struct buf again;
	int rc = -1;

	buf_init_secret(&again, SECRET_FIELD_MAX);
	dialog_init(&d, DIALOG_SECRET, title);
	buf_printf(&d.text, "Type the same %s once more, as it was not seen.", what);
	d.label = "Once more:";
	d.secret.many_lines = many_lines;
	if (secret_run(a, &d, NULL, &again, NULL))
		rc = secret_equal(first->data, first->len, again.data, again.len);
	buf_release(&again);
	return rc;
}

bool
ask_value(struct app *a, const char *title, const char *text, struct buf *out)
{
	const char *complaint = NULL;
	struct dialog d;
	bool certain;
	int same = 0;

	while (same == 0) {
		buf_clear(out);
		dialog_init(&d, DIALOG_SECRET, title);
		buf_printf(&d.text, "%s\nType it twice, or once where ^R shows it; ^J starts "
		    "another line. What you paste is taken as it is, of any number of lines.",
		    text);
		d.label = "Value:";
		d.secret.many_lines = d.makes = d.reads = true;
		if (!secret_run(a, &d, complaint, out, &certain))
			return false;
		same = certain ? 1 : ask_again(a, title, "value", true, out);
		complaint = "the two were not the same";
	}
	return same == 1;
}

bool
ask_passphrase_good(struct app *a, const char *title, const struct buf *p, const char **complaint)
{
	char text[512];
	const char *why;

	if (text_is_blank(p->data, p->len)) {
		*complaint = "a blank passphrase protects nothing";
		return false;
	}
	if (passphrase_weigh(p->data, p->len, &why) != PASSPHRASE_WEAK)
		return true;
	snprintf(text, sizeof(text), "This passphrase is weak: %s. Whoever gets the secrets file "
	    "can try millions of them. Esc goes back, and `generate` makes a good one.", why);
	*complaint = "another one, then";
	return ask_word(a, title, text, "weak");
}

bool
ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out)
{
	const char *complaint = NULL;
	struct dialog d;
	bool certain;
	int same = 0;

	while (same == 0) {
		buf_clear(out);
		dialog_init(&d, DIALOG_SECRET, title);
		buf_append_str(&d.text, text);
		d.label = "New passphrase:";
		d.makes = d.secret.weighed = true;
		if (!secret_run(a, &d, complaint, out, &certain))
			return false;
		if (!ask_passphrase_good(a, title, out, &complaint)) {
			if (a->locking || a->quit || a->end_signal != 0)
				return false;
			continue;
		}
		same = certain ? 1 : ask_again(a, title, "passphrase", false, out);
		complaint = "the two were not the same";
	}
	return same == 1;
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

bool
tell_offer(struct app *a, const char *title, const char *text, const char *other)
{
	struct dialog d;
	bool taken;

	dialog_init(&d, DIALOG_MESSAGE, title);
	buf_append_str(&d.text, text);
	d.other = other;
	taken = dialog_run(a, &d);
	dialog_release(&d);
	return taken;
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
