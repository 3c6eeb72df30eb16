#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/event.h"
#include "ui/help.h"
#include "ui/line_edit.h"
#include "ui/list.h"
#include "ui/loop.h"
#include "ui/style.h"
#include "ui/view.h"

#define KEY_COLUMNS 12
#define NAME_COLUMNS 20
#define NAME_WIDTH 76	/* a narrower screen has no column for names */

struct help {
	struct view view;
	struct line_edit line;
	struct list list;
	enum action_id shown[ACTION_COUNT];
	enum action_id chosen;
};

static bool
contains(const char *text, const char *needle)
{
	return text_contains_nocase(text, strlen(text), needle);
}

static void
search(const struct app *a, struct help *h)
{
	char needle[sizeof(h->line.text)];
	char keys[64];
	size_t i;
	int id;

	for (i = 0; i <= h->line.len; i++)
		needle[i] = h->line.text[i] >= 'A' && h->line.text[i] <= 'Z' ?
		    (char)(h->line.text[i] + ('a' - 'A')) : h->line.text[i];
	h->list.count = 0;
	for (id = 0; id < ACTION_COUNT; id++) {
		const struct action *action = keymap_action((enum action_id)id);

		keymap_keys_of((enum action_id)id, keys, sizeof(keys));
		if (contains(action->name, needle) || contains(action->group, needle) ||
		    contains(keymap_help(a, (enum action_id)id), needle) ||
		    strcmp(keys, h->line.text) == 0)
			h->shown[h->list.count++] = (enum action_id)id;
	}
	h->list.cursor = h->list.top = 0;
}

static void
draw_row(struct app *a, const struct help *h, size_t i, int y, int cols)
{
	enum action_id id = h->shown[i];
	const struct action *action = keymap_action(id);
	const char *why = keymap_unavailable(a, id);
	unsigned int extra = i == h->list.cursor ? STYLE_SELECTED : 0;
	int x = 1;
	char text[256];

	if (extra != 0) {
		canvas_fill(y, 0, cols, STYLE_TEXT | extra);
		canvas_cursor(y, 0, true);
	}
	keymap_keys_of(id, text, sizeof(text));
	canvas_text(y, x, KEY_COLUMNS - 1, STYLE_KEY | extra, text);
	x += KEY_COLUMNS;
	if (cols >= NAME_WIDTH) {
		canvas_text(y, x, NAME_COLUMNS - 1, STYLE_TEXT | extra, action->name);
		x += NAME_COLUMNS;
	}
	snprintf(text, sizeof(text), "%s%s", why != NULL ? "(not now) " : "", keymap_help(a, id));
	canvas_text(y, x, cols - x - 1, (why != NULL ? STYLE_NOTE : STYLE_TEXT) | extra, text);
}

/* The selected line in full: what it does, or why not now. */
static void
draw_selected(struct app *a, const struct help *h, int y, int cols)
{
	enum action_id id = h->shown[h->list.cursor];
	const char *why = keymap_unavailable(a, id);
	char text[256];

	canvas_hline(y++, 0, cols);
	if (why != NULL)
		snprintf(text, sizeof(text), "not now: %s", why);
	else
		snprintf(text, sizeof(text), "%s: %s", keymap_action(id)->group,
		    keymap_help(a, id));
	canvas_text(y, 1, cols - 2, why != NULL ? STYLE_ERROR : STYLE_TEXT, text);
}

static void
draw(struct view *v, struct app *a)
{
	struct help *h = (struct help *)v;
	struct rect all = { 0, 0, 0, 0 };
	int below;
	size_t i;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, all.w < 60 ? "Help" :
	    "Help: type to search, Enter runs the line, Esc closes");
	below = all.h >= 10 ? 3 : 1;
	list_fit(&h->list, h->list.count, (size_t)(all.h - 1 - below));
	for (i = h->list.top; i < h->list.count && i - h->list.top < h->list.height; i++)
		draw_row(a, h, i, 1 + (int)(i - h->list.top), all.w);
	if (h->list.count > 0 && below > 1)
		draw_selected(a, h, all.h - 3, all.w);
	else if (h->list.count == 0)
		canvas_text(1, 1, all.w - 2, STYLE_NOTE, "nothing matches");
	canvas_text(all.h - 1, 1, 7, STYLE_NOTE, "Search");
	if (h->line.len > 0 || h->list.count == 0)
		line_edit_draw(&h->line, all.h - 1, 8, all.w - 9);
	else
		canvas_fill(all.h - 1, 8, all.w - 9, STYLE_FIELD);
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	struct help *h = (struct help *)v;

	if (k == INPUT_ESCAPE) {
		v->done = true;
	} else if (k == INPUT_ENTER) {
		if (h->list.count > 0)
			h->chosen = h->shown[h->list.cursor];
		v->done = true;
	} else if (!list_key(&h->list, k) && line_edit_key(&h->line, k)) {
		search(a, h);
	}
}

enum action_id
help_run(struct app *a)
{
	struct help h;

	memset(&h, 0, sizeof(h));
	h.view.draw = draw;
	h.view.key = key;
	h.chosen = ACTION_COUNT;
	search(a, &h);
	return loop_run(a, &h.view) ? h.chosen : ACTION_COUNT;
}
