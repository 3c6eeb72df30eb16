#include <string.h>

#include "base/buf.h"
#include "base/equal.h"
#include "crypto/key.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/dialog.h"
#include "ui/event.h"
#include "ui/key_show.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/style.h"
#include "ui/tell.h"
#include "ui/term.h"
#include "ui/view.h"

#define KEY_TEXT_MAX 256
#define PROOF 6		/* characters of the key that must be typed */

struct key_show {
	struct view view;
	const char *title;
	const struct buf *key;	/* base64, secret */
	bool go_on;
};

/* Text from line ${y} on; the next free line. */
static int
draw_paragraph(const struct rect *r, int y, const char *text)
{
	size_t n = strlen(text);
	size_t len, next;

	while (n > 0 && y < r->y + r->h) {
		len = columns_wrap(text, n, r->w - 2, &next);
		canvas_bytes(y++, r->x + 1, r->w - 2, STYLE_TEXT, text, len);
		text += next;
		n -= next;
	}
	return y;
}

static void
draw(struct view *view, struct app *a)
{
	static const char explain[] = "Save this key now, in your password manager or vault. It "
	    "is shown this once and cannot be read from any file. Services need it in their "
	    "environment.";
	struct key_show *v = (struct key_show *)view;
	struct rect all = { 0, 0, 0, 0 };
	struct rect where;
	int lines, y;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, v->title);
	lines = (int)v->key->len / (all.w - 4) + 1;
	/* The key must fit; what explains it takes what is left. */
	where = (struct rect){ all.h >= 10 ? 2 : 1, 2, lines, all.w - 4 };
	if (where.y + lines > all.h - 1) {
		canvas_text(1, 1, all.w - 2, STYLE_ERROR, "make it larger");
	} else if (reveal_shown(a->reveal)) {
		reveal_place(a->reveal, &where);
	} else {
		canvas_text(where.y, where.x, where.w, STYLE_NOTE, "(masked: Space shows it)");
	}
	y = where.y + lines + (all.h >= 10 ? 1 : 0);
	all.h--;
	if (y < all.h)
		(void)draw_paragraph(&all, y, explain);
	canvas_text(all.h, 1, all.w - 2, STYLE_NOTE, all.w < 50 ? "Enter saved, Esc no" :
	    "Enter: it is saved, mask it and check   Esc: give up, nothing is changed");
	canvas_cursor(all.h, 0, true);
}

static void
key(struct view *view, struct app *a, uint32_t k)
{
	struct key_show *v = (struct key_show *)view;

	if (k == INPUT_ENTER || k == INPUT_ESCAPE) {
		reveal_hide(a->reveal);
		v->go_on = k == INPUT_ENTER;
		view->done = true;
	} else if (k == ' ' && !reveal_shown(a->reveal)) {
		(void)reveal_show(a->reveal, v->key->data, v->key->len, 0);
	}
}

/* The screen with the key.  False: given up. */
static bool
show(struct app *a, const struct buf *text, const char *title)
{
	struct key_show v;
	bool answered;

	memset(&v, 0, sizeof(v));
	v.view.draw = draw;
	v.view.key = key;
	v.title = title;
	v.key = text;
	if (reveal_show(a->reveal, text->data, text->len, 0) == -1)
		return false;
	answered = loop_run(a, &v.view);
	reveal_hide(a->reveal);
	return answered && v.go_on;
}

/* Is it saved?  -1: ask for the key to be shown again. */
static int
check(struct app *a, const struct buf *text)
{
	const char *complaint = NULL;
	struct buf typed;
	int rc = -1;

	buf_init_secret(&typed, DIALOG_SECRET_MAX);
	while (ask_secret(a, "Is it saved?", "Type the last 6 characters of the master key, as "
	    "they stand where you saved it. Esc shows the key again.", "Last 6:", complaint,
	    &typed)) {
		if (secret_equal(typed.data, typed.len, text->data + text->len - PROOF, PROOF)) {
			rc = 0;
			break;
		}
		buf_clear(&typed);
		complaint = "these are not its last 6 characters";
	}
	buf_release(&typed);
	return rc;
}

bool
key_show_run(struct app *a, const struct key *k, const char *title)
{
	struct buf text;
	bool saved = false;

	if (!term_has_private_screen()) {
		tell_message(a, title, "This terminal has no second screen (smcup), so a key "
		    "would stay in its scrollback. Use another terminal, or the commands "
		    "`propseal master-key generate` and `propseal file rotate`.");
		return false;
	}
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &text);
	while (!text.failed && text.len >= PROOF && show(a, &text, title)) {
		if (check(a, &text) == 0) {
			saved = true;
			break;
		}
		if (a->locking || a->quit || a->end_signal != 0)
			break;
	}
	buf_release(&text);
	return saved;
}
