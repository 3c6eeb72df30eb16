#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "file/file.h"
#include "plan/change.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/clipboard.h"
#include "ui/dialog.h"
#include "ui/key_show.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define KEY_TEXT_MAX 256
#define SHOW_MS 60000
#define PROOF 4		/* characters of the key that must be typed */
#define TIME_COLS 14	/* beside the key, the time that is left */

/* To be written down: lines of groups, with a number before and check letters behind. */
#define LINE_KEY 16		/* characters of the key in a line */
#define GROUP 4
#define LINE_COLS 27		/* "1  abcd efgh ijkl mnop  123" */
#define NARROW_COLS 16		/* "1 abcd efgh", and "  ijkl mnop  123" below it */
#define CHECK 3			/* hexadecimal digits */

#define TO_A_FILE "  o  writes it to a file of its own, mode 0600: you choose where"

void
key_show_init(struct key_show *s, const struct key *k)
{
	memset(s, 0, sizeof(*s));
	buf_init_secret(&s->text, KEY_TEXT_MAX);
	secret_field_init(&s->last);
	key_append_base64(k, &s->text);
}

void
key_show_release(struct app *a, struct key_show *s)
{
	reveal_hide(a->reveal);
	secret_field_release(&s->last);
	buf_release(&s->text);
}

/* Lines ${from} to ${to}.  Each is as long as all others, so that it fills its row, or two that
 * are narrow; its check letters are the first digits of the SHA-256 of its part of the key. */
static int
key_lines_append(const struct buf *key, size_t from, size_t to, bool narrow, struct buf *out,
    struct error *err)
{
	unsigned char digest[DIGEST_SHA256];
	struct digest *d = digest_new(err);
	int rc = d == NULL ? -1 : 0;

	for (size_t at = from * LINE_KEY; rc == 0 && at < to * LINE_KEY; at += LINE_KEY) {
		size_t n = key->len - at < LINE_KEY ? key->len - at : LINE_KEY;

		if ((rc = digest_sha256(d, key->data + at, n, digest)) == -1)
			error_set(err, ERROR_MEMORY, "the check letters cannot be made");
		buf_append_char(out, (char)('1' + at / LINE_KEY));
		buf_append_str(out, narrow ? "" : " ");
		for (size_t i = 0; i < LINE_KEY; i++) {
			if (narrow && i == LINE_KEY / 2)
				buf_append_str(out, "      ");
			if (i % GROUP == 0)
				buf_append_char(out, ' ');
			buf_append_char(out, i < n ? (char)key->data[at + i] : ' ');
		}
		buf_append_str(out, "  ");
		hex_append(out, digest, (CHECK + 1) / 2);
		buf_truncate(out, out->len - CHECK % 2);
	}
	secmem_wipe(digest, sizeof(digest));
	digest_free(d);
	return rc == 0 && out->failed ? error_memory(err) : rc;
}

void
key_show_begin(struct app *a, struct key_show *s)
{
	s->asking = false;
	if (reveal_show(a->reveal, s->text.data, s->text.len, SHOW_MS) == 0)
		s->lines = false;
}

/* As lines to write down, as many as there is room for: the first, the next, and behind the
 * last the key in one piece again. */
static void
key_show_lines(struct app *a, struct key_show *s)
{
	const size_t count = (s->text.len + LINE_KEY - 1) / LINE_KEY;
	bool narrow = s->cols < LINE_COLS;
	size_t room = (size_t)s->rows / (narrow ? 2 : 1);
	size_t from = s->lines && reveal_shown(a->reveal) ? s->next_line : 0;
	size_t to = room == 0 ? from + 1 : room < count - from ? from + room : count;
	struct buf text;
	struct error err;

	if (from >= count) {
		key_show_begin(a, s);
		return;
	}
	buf_init_secret(&text, KEY_TEXT_MAX);
	if (key_lines_append(&s->text, from, to, narrow, &text, &err) == -1) {
		snprintf(s->why, sizeof(s->why), "%.150s", err.text);
	} else if (reveal_show(a->reveal, text.data, text.len, SHOW_MS) == 0) {
		s->lines = true;
		s->next_line = to;
		if (to - from < count)
			snprintf(s->why, sizeof(s->why), "%zu of %zu: v goes on", to, count);
	}
	buf_release(&text);
}

/* The key in its place, or what stands there; the next free line. */
static int
key_show_draw_key(struct app *a, struct key_show *s, const struct rect *r)
{
	struct rect where = { r->y, r->x + 1, 1, r->w - 2 };
	int line;

	s->rows = r->h;
	s->cols = where.w;
	if (!reveal_shown(a->reveal)) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, term_has_private_screen() ?
		    "(masked: r shows it)" : r->w < 40 ? "(o: to a file)" :
		    "(not drawn here: o writes it to a file)");
		return r->y + 1;
	}
	if (where.w >= 44 + TIME_COLS) {
		(void)reveal_draw_time(a->reveal, r->y, r->x + 1, r->w - 2);
		where.w -= TIME_COLS;
	}
	line = s->cols < LINE_COLS ? NARROW_COLS : LINE_COLS;
	if (s->lines && where.w > line)
		where.w = line;
	where.h = reveal_lines(a->reveal, where.w);
	if (where.h > r->h || (s->lines && where.w < line)) {
		canvas_text(r->y, r->x, r->w, STYLE_ERROR, "make it larger");
		return r->y + 1;
	}
	reveal_place(a->reveal, &where);
	return r->y + where.h;
}

static void
key_show_draw_proof(struct app *a, struct key_show *s, const struct rect *r)
{
	static const char label[] = "Its last 4 characters:";
	int y = r->y;
	int x = r->x;

	if (r->h >= 6)
		y = canvas_wrapped(r, y, STYLE_TEXT, "Is it saved? Type its last 4 characters as "
		    "they stand where you saved it, or paste the whole key. Esc shows it "
		    "again.") + 1;
	x += canvas_text(y, x, r->w, STYLE_NOTE, r->w >= 40 ? label : "Last 4:") + 1;
	secret_field_draw(a, &s->last, y, x, r->x + r->w - x < 50 ? r->x + r->w - x : 50, true);
	if (y + 1 < r->y + r->h)
		canvas_text(y + 1, r->x, r->w, STYLE_ERROR, s->why);
}

void
key_show_draw(struct app *a, struct key_show *s, const struct rect *r)
{
	const char *const texts[] = {
		"Save this key now, in your password manager or vault. It is in no file, and "
		    "cannot be read from any.",
		term_has_private_screen() ?
		    "  y  copies it, by way of the terminal\n" TO_A_FILE "\n"
		    "  v  shows it as lines to write down, with check letters\n"
		    "  r  shows it again" : TO_A_FILE,
		"Services read it from the systemd credential propseal.master-key or from "
		    "CONFLUENT_SECURITY_MASTER_KEY. Is it lost and the passphrase is not, U makes "
		    "it again; are both lost, the values are gone.",
		"Enter: it is saved; then its last 4 characters are asked for: it does not go "
		    "on before they are right."
	};
	int gap = r->h >= 14;
	size_t i;
	int y;

	if (s->asking) {
		key_show_draw_proof(a, s, r);
		return;
	}
	y = key_show_draw_key(a, s, r);
	if (s->why[0] != '\0' && y < r->y + r->h)
		canvas_text(y++, r->x, r->w, STYLE_NOTICE, s->why);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		y += gap;
		if (y < r->y + r->h)
			y = canvas_wrapped(r, y, STYLE_TEXT, texts[i]);
	}
}

/* Is what was typed or pasted the end of the key, or all of it? */
static void
key_show_check(struct app *a, struct key_show *s)
{
	const unsigned char *p = s->last.text.data;
	size_t n = s->last.text.len;

	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\n'))
		n--;
	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	s->saved = s->text.len >= PROOF && (secret_equal(p, n, s->text.data, s->text.len) ||
	    secret_equal(p, n, s->text.data + s->text.len - PROOF, PROOF));
	reveal_hide(a->reveal);
	buf_clear(&s->last.text);
	if (!s->saved)
		snprintf(s->why, sizeof(s->why), "these are not its last 4 characters");
}

static void
key_show_copy(struct app *a, struct key_show *s)
{
	struct error err;

	if (clipboard_copy(&a->clipboard, s->text.data, s->text.len, a->options->copy_ms,
	    &err) == -1)
		snprintf(s->why, sizeof(s->why), "not copied: %.140s", err.text);
	else
		snprintf(s->why, sizeof(s->why), "copied: cleared in %d s",
		    (a->options->copy_ms + 999) / 1000);
}

static void
key_show_write(struct app *a, struct key_show *s)
{
	struct buf line;

	reveal_hide(a->reveal);
	buf_init_secret(&line, KEY_TEXT_MAX);
	buf_append(&line, s->text.data, s->text.len);
	buf_append_char(&line, '\n');
	if (!line.failed && secret_file_write(a, "Write the master key", "It goes to a new file "
	    "of mode 0600, for systemd-creds, --master-key-file or your vault. Remove it when "
	    "it is there.", "propseal-master-key", &line))
		snprintf(s->why, sizeof(s->why), "%.150s", a->notice);
	buf_release(&line);
}

const char *
key_show_keys(const struct key_show *s)
{
	return s->asking ? "" : term_has_private_screen() ?
	    "y copy  o to a file  v lines  r show" : "o to a file";
}

bool
key_show_key(struct app *a, struct key_show *s, uint32_t k)
{
	s->why[0] = '\0';
	if (s->asking && k == INPUT_ESCAPE) {
		key_show_begin(a, s);
	} else if (s->asking && k == INPUT_ENTER) {
		key_show_check(a, s);
	} else if (s->asking) {
		if (secret_field_key(a, &s->last, k) && s->last.text.len >= PROOF)
			key_show_check(a, s);
	} else if (k == INPUT_ENTER) {
		reveal_hide(a->reveal);
		s->asking = true;
	} else if (k < 0x80 && strchr("vr ", (int)k) != NULL && !term_has_private_screen()) {
		snprintf(s->why, sizeof(s->why), "not here: this terminal has no second screen");
	} else if (k == 'r' || k == ' ') {
		key_show_begin(a, s);
	} else if (k == 'v') {
		key_show_lines(a, s);
	} else if (k == 'y') {
		key_show_copy(a, s);
	} else if (k == 'o') {
		key_show_write(a, s);
	} else {
		return false;
	}
	return true;
}

void
key_show_paste(struct app *a, struct key_show *s, const struct buf *text)
{
	s->why[0] = '\0';
	if (!s->asking)
		return;
	secret_field_paste(a, &s->last, text, s->why, sizeof(s->why));
	if (s->last.text.len > 0)
		key_show_check(a, s);
}

void
key_show_about(const struct key_show *s, struct about *out)
{
	out->types = s->asking;
	if (s->asking) {
		about_key(out, INPUT_ENTER, "check what is typed of the key");
		about_key(out, INPUT_ESCAPE, "show the key again");
		return;
	}
	about_key(out, INPUT_ENTER, "it is saved: its last 4 characters are asked for");
	about_key(out, 'o', "write the key to a file of its own, mode 0600");
	if (term_has_private_screen()) {
		about_key(out, 'y', "copy the key, by way of the terminal");
		about_key(out, 'v', "show the key as lines to write down");
		about_key(out, 'r', "show the key again");
	}
	about_key(out, INPUT_ESCAPE, "back: the key is thrown away");
}

/* --- on a screen of its own --- */

struct key_screen {
	struct layer layer;
	const char *title;
	struct key_show show;
};

static void
key_screen_draw(struct layer *layer, struct app *a)
{
	struct key_screen *v = (struct key_screen *)layer;
	struct rect all = canvas_page(v->title);
	struct rect body;
	char keys[80];

	snprintf(keys, sizeof(keys), all.w < 50 ? "Enter saved, Esc back" : v->show.asking ?
	    "Esc shows it again" : "Enter it is saved   %s   Esc back", key_show_keys(&v->show));
	canvas_text(all.h - 1, 1, all.w - 2, STYLE_NOTE, keys);
	canvas_cursor(all.h - 1, 0, true);
	body = (struct rect){ 1, 1, all.h - 2, all.w - 2 };
	if (all.h >= 10) {
		body.y++;
		body.h--;
	}
	key_show_draw(a, &v->show, &body);
}

static void
key_screen_settle(struct key_screen *v)
{
	v->layer.secret = v->show.asking;
	v->layer.done = v->layer.done || v->show.saved;
}

static void
key_screen_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct key_screen *v = (struct key_screen *)layer;

	if (!key_show_key(a, &v->show, k) && k == INPUT_ESCAPE)
		layer->done = true;
	key_screen_settle(v);
}

static void
key_screen_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct key_screen *v = (struct key_screen *)layer;

	key_show_paste(a, &v->show, text);
	key_screen_settle(v);
}

static void
key_screen_about(const struct layer *layer, struct about *out)
{
	const struct key_screen *v = (const struct key_screen *)layer;

	out->title = v->title;
	key_show_about(&v->show, out);
}

bool
key_show_run(struct app *a, const struct key *k, const char *title)
{
	struct key_screen v;
	bool saved;

	memset(&v, 0, sizeof(v));
	v.layer.draw = key_screen_draw;
	v.layer.key = key_screen_key;
	v.layer.paste = key_screen_paste;
	v.layer.about = key_screen_about;
	v.layer.covers = true;
	v.title = title;
	key_show_init(&v.show, k);
	key_show_begin(a, &v.show);
	saved = !v.show.text.failed && loop_run(a, &v.layer) && v.show.saved;
	key_show_release(a, &v.show);
	return saved;
}

/* Is it no place that others get a copy of? */
static int
secret_file_check(const char *name, struct error *err)
{
	struct path p = PATH_NONE;
	char *folder = NULL;
	int rc = -1;

	if (path_open(&p, name, err) == -1)
		return -1;
	folder = file_folder(p.real);
	if (folder == NULL) {
		error_memory(err);
	} else if (file_in_work_tree(folder)) {
		error_set(err, ERROR_REFUSED, "it lies in a git work tree, from where it would "
		    "be committed");
		error_place(err, name, 0);
		error_hint(err, "choose a folder outside of it");
	} else {
		rc = file_check_output(name, err);
	}
	free(folder);
	path_close(&p);
	return rc;
}

void
secret_file_suggest(struct buf *path, const char *name)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");

	if (folder != NULL && folder[0] == '/')
		buf_printf(path, "%s/", folder);
	buf_append_str(path, name);
}

int
secret_file_create(struct app *a, const char *path, const struct buf *value, struct error *err)
{
	struct buf notes;
	int rc;

	buf_init(&notes, BUF_MAX_FILE);
	if ((rc = secret_file_check(path, err)) == 0)
		rc = change_write_file(a->options->trail, a->options->lock_timeout_ms, path, true,
		    value, &notes, err);
	app_complain_lines(a, &notes);
	buf_release(&notes);
	return rc;
}

bool
secret_file_write(struct app *a, const char *title, const char *text, const char *name,
    const struct buf *value)
{
	bool written = false;
	struct error err;
	struct buf path;

	if (a->options->read_only) {
		app_notice(a, KEYMAP_READ_ONLY);
		return false;
	}
	buf_init(&path, LINE_EDIT_MAX);
	secret_file_suggest(&path, name);
	while (!written && ask_text(a, title, text, "New file:", &path) && path.len > 0) {
		written = secret_file_create(a, buf_cstr(&path), value, &err) == 0;
		if (!written)
			tell_error(a, "Not written", &err);
	}
	if (written)
		app_notice(a, "written to %s, mode 0600: remove it when it is not needed any more",
		    buf_cstr(&path));
	buf_release(&path);
	return written;
}
