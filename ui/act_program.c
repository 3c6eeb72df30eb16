#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/change.h"
#include "ui/keymap.h"
#include "ui/lessons.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define LOG_MAX ((size_t)1 << 20)
#define KEY_COLUMNS 12
#define NAME_COLUMNS 20
#define NAME_WIDTH 76	/* a narrower screen has no column for names */

/* What the signs on the screen mean: behind the actions, in the same list. */
static const struct {
	const char *sign, *name, *text;
} legend[] = {
	{ "!", "clear text", "a secret in clear text" },
	{ "S", "sealed", "a reference to a sealed entry, or a sealed entry" },
	{ "D", "dangling", "a reference to an entry that its secrets file does not have" },
	{ "?", "unknown", "a reference of which one cannot tell the secrets file" },
	{ "X", "damaged", "a sealed entry that does not open; a file that cannot be read" },
	{ "X?", "not checked", "sealed entries here were not opened yet: locked" },
	{ "O", "other provider", "a reference to another provider, which is left alone" },
	{ "U", "unused", "an orphan: a sealed entry that no reference names" },
	{ "*", "marked", "to be sealed; + in a range that is being marked" },
	{ ">", "cursor", "the row that keys are for; = its counterpart in the other pane" },
};

#define LEGEND_COUNT (sizeof(legend) / sizeof(legend[0]))

/* A line of the help: a key of what is open below it, an action, or a sign. */
#define HELP_ACTIONS ((size_t)ABOUT_KEYS)
#define HELP_SIGNS (HELP_ACTIONS + ACTION_COUNT)
#define HELP_COUNT (HELP_SIGNS + LEGEND_COUNT)

struct help {
	struct layer layer;
	const struct about *about;	/* NULL: it is over the main view */
	struct line_edit line;
	struct list list;
	size_t shown[HELP_COUNT];
	size_t chosen;			/* HELP_COUNT: nothing */
};

static enum rank
help_match(const struct app *a, const struct help *h, size_t i, const char *typed)
{
	const char *texts[] = { "legend", NULL, NULL };
	enum rank best = RANK_COUNT, r;
	char name[KEY_NAME_MAX];

	if (i < HELP_ACTIONS && (h->about == NULL || i >= h->about->count))
		return RANK_COUNT;
	if (i < HELP_ACTIONS && strcmp(key_name_of(h->about->keys[i].key, name), typed) == 0)
		return RANK_EXACT;
	if (i < HELP_ACTIONS)
		return rank_of(h->about->keys[i].text, strlen(h->about->keys[i].text), typed);
	if (i < HELP_SIGNS) {
		i -= HELP_ACTIONS;
		return h->about != NULL && !keymap_is_beside((enum action_id)i) ? RANK_COUNT :
		    keymap_match(a, (enum action_id)i, typed);
	}
	i -= HELP_SIGNS;
	if (strcmp(legend[i].sign, typed) == 0)
		return RANK_EXACT;
	texts[1] = legend[i].name;
	texts[2] = legend[i].text;
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		r = rank_of(texts[k], strlen(texts[k]), typed);
		if (r < RANK_LETTERS && r < best)
			best = r == RANK_EXACT ? RANK_WORD : r;
	}
	return best;
}

/* What fits best comes first, else all is as in the tables; letters here and there only count
 * where there is nothing better. */
static void
help_search(const struct app *a, struct help *h)
{
	enum rank ranks[HELP_COUNT], end = RANK_COUNT;
	size_t i;

	for (i = 0; i < HELP_COUNT; i++) {
		ranks[i] = help_match(a, h, i, h->line.text);
		if (ranks[i] < RANK_LETTERS)
			end = RANK_LETTERS;
	}
	h->list.count = 0;
	for (enum rank r = RANK_EXACT; r < end; r++)
		for (i = 0; i < HELP_COUNT; i++)
			if (ranks[i] == r)
				h->shown[h->list.count++] = i;
	h->list.cursor = h->list.top = 0;
}

/* A line of the help: keys or a sign, the name, and what it does or why not now. */
struct help_line {
	char keys[64];
	const char *name, *why;
	char text[256];
};

static struct help_line
help_line(const struct app *a, const struct help *h, size_t i)
{
	struct help_line l = { .name = "", .why = NULL };
	char name[KEY_NAME_MAX];
	enum action_id id;

	if (i < HELP_ACTIONS) {
		snprintf(l.keys, sizeof(l.keys), "%s", key_name_of(h->about->keys[i].key, name));
		snprintf(l.text, sizeof(l.text), "%s", h->about->keys[i].text);
		return l;
	}
	if (i >= HELP_SIGNS) {
		i -= HELP_SIGNS;
		snprintf(l.keys, sizeof(l.keys), "%s", legend[i].sign);
		l.name = legend[i].name;
		snprintf(l.text, sizeof(l.text), "%s", legend[i].text);
		return l;
	}
	id = (enum action_id)(i - HELP_ACTIONS);
	l.name = keymap_action(id)->name;
	l.why = keymap_unavailable(a, id);
	keymap_keys_of(id, l.keys, sizeof(l.keys));
	snprintf(l.text, sizeof(l.text), "%s%s", l.why != NULL ? "(not now) " : "",
	    keymap_help(a, id));
	return l;
}

static void
help_draw_row(struct app *a, const struct help *h, size_t i, int y, int cols)
{
	struct help_line l = help_line(a, h, h->shown[i]);
	unsigned int extra = i == h->list.cursor ? STYLE_SELECTED : 0;
	int x = 1;

	if (extra != 0) {
		canvas_fill(y, 0, cols, STYLE_TEXT | extra);
		canvas_cursor(y, 0, true);
	}
	canvas_text(y, x, KEY_COLUMNS - 1, STYLE_KEY | extra, l.keys);
	/* The keys of a question are few, and have no names. */
	x += l.name[0] == '\0' && cols < NAME_WIDTH ? KEY_COLUMNS / 2 : KEY_COLUMNS;
	if (cols >= NAME_WIDTH && l.name[0] != '\0') {
		canvas_text(y, x, NAME_COLUMNS - 1, STYLE_TEXT | extra, l.name);
		x += NAME_COLUMNS;
	}
	canvas_text(y, x, cols - x - 1, (l.why != NULL ? STYLE_NOTE : STYLE_TEXT) | extra, l.text);
}

/* The selected line in full: what it does, or why not now. */
static void
draw_selected(struct app *a, const struct help *h, int y, int cols)
{
	size_t i = h->shown[h->list.cursor];
	struct help_line l = help_line(a, h, i);
	char text[512];

	canvas_hline(y++, 0, cols);
	if (l.why != NULL)
		snprintf(text, sizeof(text), "not now: %s", l.why);
	else
		snprintf(text, sizeof(text), "%s: %s", i < HELP_ACTIONS ? "Now" : i < HELP_SIGNS ?
		    keymap_action((enum action_id)(i - HELP_ACTIONS))->group : "Legend", l.text);
	canvas_text(y, 1, cols - 2, l.why != NULL ? STYLE_ERROR : STYLE_TEXT, text);
}

static void
help_draw(struct layer *layer, struct app *a)
{
	struct help *h = (struct help *)layer;
	struct rect all = { 0, 0, 0, 0 };
	char title[160];
	int below;
	size_t i;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	snprintf(title, sizeof(title), h->about != NULL ? "Help for %s" : all.w < 60 ? "Help" :
	    "Help: type to search, Enter runs the line, Esc closes", h->about != NULL ?
	    h->about->title : "");
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, title);
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
		/* A sign does nothing. */
		if (h->list.count > 0 && h->shown[h->list.cursor] < HELP_SIGNS)
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
		app_refuse(a, "%s", why);
}

/* The list of all that can be done; typing searches it.  Then what was chosen is done. */
static void
help_run(struct app *a, const struct about *about)
{
	struct help h;

	memset(&h, 0, sizeof(h));
	h.layer.draw = help_draw;
	h.layer.key = help_key;
	h.layer.paste = help_paste;
	h.layer.aside = true;
	h.about = about;
	h.chosen = HELP_COUNT;
	help_search(a, &h);
	if (!loop_run(a, &h.layer) || h.chosen == HELP_COUNT)
		return;
	if (h.chosen < HELP_ACTIONS)
		a->top->key(a->top, a, about->keys[h.chosen].key);
	else if (h.chosen != HELP_ACTIONS + ACTION_HELP)
		keymap_run(a, (enum action_id)(h.chosen - HELP_ACTIONS));
}

void
act_help(struct app *a)
{
	help_run(a, NULL);
}

bool
act_beside(struct app *a, uint32_t k)
{
	enum action_id id = k == INPUT_F1 ? ACTION_HELP : keymap_find(k);
	struct about about = { .title = NULL };

	if ((id != ACTION_HELP && id != ACTION_PALETTE) || a->top->about == NULL)
		return false;
	a->top->about(a->top, &about);
	if (k != INPUT_F1 && about.types)
		return false;
	for (size_t i = 0; i < about.count; i++)
		if (about.keys[i].key == k)
			return false;
	/* What is shown past curses would stay where it was. */
	reveal_hide(a->reveal);
	if (id == ACTION_HELP)
		help_run(a, &about);
	else
		act_palette(a);
	return true;
}

void
act_redraw(struct app *a)
{
	(void)a;
	term_redraw();
}

void
act_notices(struct app *a)
{
	struct buf text;
	char title[96];

	if (a->notices.count > NOTICES_MAX)
		snprintf(title, sizeof(title), "Notices: the last %d of %zu, the newest first",
		    NOTICES_MAX, a->notices.count);
	else
		snprintf(title, sizeof(title), "Notices, the newest first");
	buf_init(&text, LOG_MAX);
	notices_append(&a->notices, &text);
	if (text.len == 0)
		buf_append_str(&text, "Nothing yet.\n");
	app_pass_notice(a, true);
	review_show(a, title, buf_cstr(&text));
	buf_release(&text);
}

bool
act_leave(struct app *a)
{
	size_t n = marks_count(a->model->marks);
	char text[160];

	if (a->job != NULL)
		snprintf(text, sizeof(text), "This is not done yet. It stops after the file at "
		    "hand; what is done by then is complete, and stays.");
	else if (n > 0)
		snprintf(text, sizeof(text), "%zu %s marked and not applied. Marks are not kept; "
		    "no file has changed.", n, n == 1 ? "value is" : "values are");
	else
		snprintf(text, sizeof(text), "What was begun here is given up.");
	return (n == 0 && a->top->below == NULL && a->job == NULL) ||
	    ask_confirm(a, "Quit?", text, "Quit");
}

static void
theme_moved(size_t i)
{
	theme_change((enum theme)i);
}

/* Each is seen as the cursor comes to it; it stays when it is taken. */
void
act_theme(struct app *a)
{
	struct choice choices[THEME_COUNT];
	enum theme before = theme_now();
	size_t chosen = (size_t)before;
	int t;

	for (t = 0; t < THEME_COUNT; t++)
		choices[t] = (struct choice){ theme_name((enum theme)t),
		    theme_note((enum theme)t) };
	if (choice_try(a, "Theme", "The screen changes with the cursor. To have one the next time, "
	    "too, say `theme = NAME` in [ui] of propseal.ini, or --theme.", choices, THEME_COUNT,
	    theme_moved, &chosen)) {
		app_notice(a, "theme %s", theme_name((enum theme)chosen));
		return;
	}
	theme_change(before);
}

void
act_mouse(struct app *a)
{
	if (!term_use_mouse(!a->mouse)) {
		app_refuse(a, "this terminal tells nothing of a mouse");
		return;
	}
	a->mouse = !a->mouse;
	app_notice(a, a->mouse ? "the mouse moves the cursor and shows views; Shift selects text" :
	    "the mouse is left to the terminal");
}

const char *
act_needs_tutor(const struct app *a)
{
	return a->options->lessons == NULL && a->options->leave == NULL ?
	    "there is no tutor here" : NULL;
}

/* Among the lessons it is the next one; else the interface ends for the tutor, and comes back. */
void
act_tutor(struct app *a)
{
	if (a->options->lessons != NULL) {
		lessons_choose(a);
		return;
	}
	a->quit = act_leave(a);
	*a->options->leave = (struct ui_leave){ .for_tutor = a->quit, .locked = a->model->locked };
}

void
act_quit(struct app *a)
{
	a->quit = act_leave(a);
}
