#include "ui/dialog.h"

#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/loop.h"
#include "ui/outline.h"
#include "ui/term.h"

#define NAME_MAX_BYTES 65536

struct choosing {
	struct layer layer;
	const char *title, *text;
	const struct choice *choices;
	size_t count;
	struct list list;
	void (*moved)(size_t i);	/* NULL: nobody is told */
	bool taken;
};

static bool
choice_name_at(const void *cookie, size_t row, int offset, struct buf *out)
{
	const struct choosing *c = cookie;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= c->count)
		return false;
	buf_append_str(out, c->choices[row + (size_t)offset].name);
	return true;
}

static void
choice_draw_row(const struct choosing *c, size_t i, int y, int cols)
{
	unsigned int extra = i == c->list.cursor ? STYLE_SELECTED : 0;
	const struct name_neighbours beside = { choice_name_at, c, i };
	const char *note = c->choices[i].note;
	struct buf name;
	int used;

	if (extra != 0) {
		canvas_fill(y, 0, cols, STYLE_TEXT | extra);
		canvas_text(y, 0, 1, STYLE_KEY | extra, ">");
		canvas_cursor(y, 0, true);
	}
	buf_init(&name, NAME_MAX_BYTES);
	(void)choice_name_at(c, i, 0, &name);
	used = name_draw(y, 2, note[0] != '\0' ? cols * 3 / 5 : cols - 3, STYLE_TEXT | extra,
	    &name, &beside);
	buf_release(&name);
	if (used + 6 < cols)
		canvas_text(y, used + 4, cols - used - 5, STYLE_NOTE | extra, note);
}

static void
choice_draw(struct layer *layer, struct app *a)
{
	struct choosing *c = (struct choosing *)layer;
	struct rect all = canvas_page(c->title);
	struct rect text;
	size_t i;
	int y;

	(void)a;
	/* On a small screen the list needs the room. */
	text = (struct rect){ 1, 1, all.h / 2 - 1, all.w - 2 };
	y = all.h >= 10 ? canvas_wrapped(&text, 2, STYLE_TEXT, c->text) + 1 : 1;
	list_fit(&c->list, c->count, (size_t)(all.h - 1 - y));
	for (i = c->list.top; i < c->count && i - c->list.top < c->list.height; i++)
		choice_draw_row(c, i, y + (int)(i - c->list.top), all.w);
	canvas_text(all.h - 1, 1, all.w - 2, STYLE_NOTE, all.w < 40 ? "Enter yes  Esc no" :
	    "Up Down move, Enter takes it, Esc cancels");
}

static void
choice_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct choosing *c = (struct choosing *)layer;

	(void)a;
	if (k == INPUT_ENTER || k == INPUT_ESCAPE) {
		c->taken = k == INPUT_ENTER;
		layer->done = true;
	} else if (list_key(&c->list, k == 'k' ? INPUT_UP : k == 'j' ? INPUT_DOWN : k) &&
	    c->moved != NULL) {
		c->moved(c->list.cursor);
	}
}

static void
choice_about(const struct layer *layer, struct about *out)
{
	out->title = ((const struct choosing *)layer)->title;
	about_key(out, INPUT_ENTER, "take the line");
	about_key(out, INPUT_DOWN, "next line");
	about_key(out, INPUT_UP, "previous line");
	about_key(out, INPUT_ESCAPE, "cancel: nothing is chosen");
}

bool
choice_run(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, size_t *chosen)
{
	*chosen = 0;
	return choice_try(a, title, text, choices, n, NULL, chosen);
}

bool
choice_try(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, void (*moved)(size_t i), size_t *chosen)
{
	struct choosing c;

	memset(&c, 0, sizeof(c));
	c.layer.draw = choice_draw;
	c.layer.key = choice_key;
	c.layer.about = choice_about;
	c.title = title;
	c.text = text;
	c.choices = choices;
	c.count = n;
	c.moved = moved;
	c.list.cursor = *chosen;
	if (!loop_run(a, &c.layer) || !c.taken)
		return false;
	*chosen = c.list.cursor;
	return true;
}
