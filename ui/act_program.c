#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/term.h"


#define KEY_COLUMNS 12
#define NAME_COLUMNS 20
#define NAME_WIDTH 76	/* a narrower screen has no column for names */

struct help {
	struct layer layer;
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
help_search(const struct app *a, struct help *h)
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
help_draw_row(struct app *a, const struct help *h, size_t i, int y, int cols)
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
help_draw(struct layer *layer, struct app *a)
{
	struct help *h = (struct help *)layer;
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
		help_draw_row(a, h, i, 1 + (int)(i - h->list.top), all.w);
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
help_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct help *h = (struct help *)layer;

	if (k == INPUT_ESCAPE) {
		layer->done = true;
	} else if (k == INPUT_ENTER) {
		if (h->list.count > 0)
			h->chosen = h->shown[h->list.cursor];
		layer->done = true;
	} else if (!list_key(&h->list, k) && line_edit_key(&h->line, k)) {
		help_search(a, h);
	}
}

static void
help_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct help *h = (struct help *)layer;
	char why[128];

	if (line_edit_paste(&h->line, text, why, sizeof(why)))
		help_search(a, h);
	else
		app_complain(a, "%s", why);
}

/* The list of all actions; typing searches it.  Returns the one to run, or
 * ACTION_COUNT. */
static enum action_id
help_run(struct app *a)
{
	struct help h;

	memset(&h, 0, sizeof(h));
	h.layer.draw = help_draw;
	h.layer.key = help_key;
	h.layer.paste = help_paste;
	h.chosen = ACTION_COUNT;
	help_search(a, &h);
	return loop_run(a, &h.layer) ? h.chosen : ACTION_COUNT;
}

void
act_help(struct app *a)
{
	enum action_id id = help_run(a);

	if (id != ACTION_COUNT && id != ACTION_HELP)
		keymap_run(a, id);
}

void
act_redraw(struct app *a)
{
	(void)a;
	term_redraw();
}

bool
act_leave(struct app *a)
{
	size_t n = marks_count(a->model->marks);
	char text[160];

	if (n > 0)
		snprintf(text, sizeof(text), "%zu %s marked and not applied. Marks are not kept; "
		    "no file has changed.", n, n == 1 ? "value is" : "values are");
	else
		snprintf(text, sizeof(text), "What was begun here is given up.");
	return (n == 0 && a->top->below == NULL) || ask_confirm(a, "Quit?", text, "Quit");
}

void
act_quit(struct app *a)
{
	a->quit = act_leave(a);
}
