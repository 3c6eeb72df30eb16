#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/ui.h"
#include "ui/view_registry.h"

#define TEXT_MAX 16384
#define REVEAL_MS 10000

void
words_init(struct words *w)
{
	buf_init(&w->place, TEXT_MAX);
	buf_init(&w->name, TEXT_MAX);
	buf_init(&w->text, TEXT_MAX);
	w->style = STYLE_TEXT;
}

void
words_release(struct words *w)
{
	buf_release(&w->text);
	buf_release(&w->name);
	buf_release(&w->place);
}

/* The value on the screen, for a while: only its frame goes through curses. */
void
words_draw_reveal(struct app *a, const struct rect *r)
{
	int ms = a->options->reveal_ms > 0 ? a->options->reveal_ms : REVEAL_MS;
	int lines = reveal_lines(a->reveal, r->w - 2);
	struct rect where = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[96];

	if (r->h > 2) {
		where.h = lines < r->h ? lines : r->h - 1;
		snprintf(text, sizeof(text), "%s: any key masks it, and so do %d seconds",
		    lines > where.h ? "only the beginning fits" : "shown in clear",
		    (ms + 999) / 1000);
		canvas_text(r->y + where.h, r->x + 1, r->w - 2, STYLE_NOTICE, text);
	}
	reveal_place(a->reveal, &where);
}

static void
words_draw_text(const struct rect *r, struct words *w)
{
	const char *text = buf_cstr(&w->text);
	size_t n = w->text.len;
	size_t next, len;
	int y = r->y;
	int room = r->w - 2;
	int used;

	/* A long place leaves half of the line to the name. */
	used = columns_text((const char *)w->name.data, w->name.len);
	if (used > 0)
		room -= 2 + (used < room / 2 ? used : room / 2);
	used = canvas_tail(y, r->x + 1, room, STYLE_HEAD, buf_cstr(&w->place));
	if (w->name.len > 0 && used < r->w - 6)
		canvas_bytes(y, r->x + used + 3, r->w - used - 4, STYLE_TEXT,
		    (const char *)w->name.data, w->name.len);
	for (y++; n > 0 && y < r->y + r->h; y++) {
		/* What does not fit on the last line ends in an ellipsis. */
		len = columns_wrap(text, n, r->w - 2, &next);
		if (y == r->y + r->h - 1)
			len = n;
		canvas_bytes(y, r->x + 1, r->w - 2, w->style, text, len);
		text += next;
		n -= next;
	}
}

void
words_draw(struct app *a, const struct rect *r, struct words *w)
{
	struct rect below;

	if (!reveal_shown(a->reveal)) {
		words_draw_text(r, w);
		return;
	}
	buf_clear(&w->text);
	words_draw_text(r, w);
	below = (struct rect){ r->y + 1, r->x, r->h - 1, r->w };
	words_draw_reveal(a, &below);
}

/* What was asked for on the command line, in few words. */
static void
append_paths(const struct ui_options *o, struct buf *out)
{
	if (o->path_count == 0)
		buf_append_str(out, ".");
	else
		buf_append_str(out, o->paths[0]);
	if (o->path_count > 1)
		buf_printf(out, " and %zu more", o->path_count - 1);
}

static const char *
key_state(const struct model *m)
{
	if (m->secrets == NULL || secrets_file_metadata(m->secrets)->data_key == NULL)
		return "no key";
	return m->master != NULL ? "unlocked" : "locked";
}

void
status_draw_title(struct app *a)
{
	const struct rect *r = &a->layout.title;
	const struct model *m = a->model;
	char right[64];
	struct buf left;
	int used;

	canvas_fill(r->y, r->x, r->w, STYLE_TITLE);
	if (a->in_registry) {
		registry_view_draw_title(a, r);
		return;
	}
	if (m->scanning && a->top == &a->browser->view)
		snprintf(right, sizeof(right), "reading %zu files", estate_count(m->estate));
	else
		snprintf(right, sizeof(right), "%s", key_state(m));
	used = canvas_right(r->y, r->x, r->w - 1, STYLE_TITLE, right);
	buf_init(&left, 8192);
	if (r->w >= 30)
		buf_append_str(&left, "propseal ");
	append_paths(a->options, &left);
	canvas_text(r->y, r->x + 1, r->w - used - 4, STYLE_TITLE, buf_cstr(&left));
	buf_release(&left);
}

/* Add "N what" to a list, if there are any. */
static void
status_count(struct buf *out, size_t n, const char *what)
{
	if (n > 0)
		buf_printf(out, "%s%zu %s", out->len > 0 ? ", " : "", n, what);
}

/* At the right end; the columns that are left. */
static int
draw_marked(struct app *a, const struct rect *r)
{
	char marked[48];

	if (marks_count(a->model->marks) == 0)
		return r->w - 2;
	snprintf(marked, sizeof(marked), "%zu marked", marks_count(a->model->marks));
	return r->w - 4 - canvas_right(r->y, r->x, r->w - 1, STYLE_MARK, marked);
}

static void
draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct model_counts *c = &a->model->counts;
	struct buf text;

	buf_init(&text, 512);
	status_count(&text, c->clear, "in clear text");
	status_count(&text, c->sealed, "sealed");
	status_count(&text, c->dangling, "dangling");
	status_count(&text, c->damaged, "damaged");
	status_count(&text, c->orphans, c->orphans == 1 ? "orphan" : "orphans");
	status_count(&text, c->unreadable, "unreadable");
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, buf_cstr(&text));
	buf_release(&text);
}

static void
draw_notice(struct app *a, const struct rect *r, int w)
{
	canvas_text(r->y, r->x + 1, w, a->notice_is_error ? STYLE_ERROR : STYLE_NOTICE,
	    a->notice);
}

/* The action that comes next in the footer after ${rank}. */
static enum action_id
next_ranked(const struct app *a, int rank)
{
	enum action_id best = ACTION_COUNT;
	int lowest = 0;
	int id, r;

	for (id = 0; id < ACTION_COUNT; id++) {
		r = keymap_rank(a, (enum action_id)id);
		if (r > rank && (best == ACTION_COUNT || r < lowest)) {
			best = (enum action_id)id;
			lowest = r;
		}
	}
	return best;
}

/* Columns of "key label" with a gap behind it. */
static int
key_width(const struct app *a, enum action_id id)
{
	char name[KEYMAP_NAME_MAX];
	const char *key = keymap_key_of(id, name);
	const char *label = keymap_label(a, id);

	return columns_text(key, strlen(key)) + 1 + columns_text(label, strlen(label)) + 2;
}

static int
status_draw_key(const struct app *a, const struct rect *r, int x, enum action_id id)
{
	char name[KEYMAP_NAME_MAX];
	int from = x;

	x += canvas_text(r->y, x, r->x + r->w - x, STYLE_KEY, keymap_key_of(id, name)) + 1;
	x += canvas_text(r->y, x, r->x + r->w - x, STYLE_NOTE, keymap_label(a, id)) + 2;
	return x - from;
}

/* The keys that work now, the most useful first; help is always there. */
static void
status_draw_keys(struct app *a, const struct rect *r)
{
	int x = r->x + 1;
	int reserved = key_width(a, ACTION_HELP) + key_width(a, ACTION_QUIT) - 2;
	enum action_id id;
	int rank;

	if (reserved + 2 > r->w)
		reserved = key_width(a, ACTION_HELP) - 2;
	for (id = next_ranked(a, 0); id != ACTION_COUNT; id = next_ranked(a, rank)) {
		rank = keymap_rank(a, id);
		if (id == ACTION_HELP || id == ACTION_QUIT) {
			if (x + key_width(a, id) - 2 <= r->x + r->w)
				x += status_draw_key(a, r, x, id);
		} else if (keymap_unavailable(a, id) == NULL &&
		    x + key_width(a, id) + reserved <= r->x + r->w) {
			x += status_draw_key(a, r, x, id);
		}
	}
}

void
status_draw(struct app *a)
{
	const struct rect *status = &a->layout.status;
	const struct rect *footer = &a->layout.footer;
	int w;

	if (status->h > 0) {
		w = draw_marked(a, status);
		if (a->notice[0] != '\0')
			draw_notice(a, status, w);
		else if (a->in_registry)
			registry_view_draw_counts(a, status, w);
		else
			draw_counts(a, status, w);
	} else if (a->notice[0] != '\0') {
		draw_notice(a, footer, footer->w - 2);
		return;
	}
	/* Under a dialog these keys do not work. */
	if (a->top == &a->browser->view)
		status_draw_keys(a, footer);
}
