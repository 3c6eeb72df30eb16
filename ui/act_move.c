#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/term.h"
#include "ui/view.h"

#define GO_COLS 56	/* of the box that tells what comes after `g` */

/* Moving, folding and searching, in the lists of any main view. */

static struct panes *
panes_of(struct app *a)
{
	return views[a->view]->panes(a);
}

/* What searching and folding are for. */
static struct outline *
leading(struct app *a)
{
	return views[a->view]->left_leads ? &panes_of(a)->left : panes_active(panes_of(a));
}

/* --- moving --- */

static void
move(struct app *a, uint32_t key)
{
	struct outline *o = panes_active(panes_of(a));

	(void)list_key(&o->list, key);
	view_moved(a, o);
}

void
act_down(struct app *a)
{
	move(a, INPUT_DOWN);
}

void
act_up(struct app *a)
{
	move(a, INPUT_UP);
}

void
act_page_down(struct app *a)
{
	move(a, INPUT_PAGE_DOWN);
}

void
act_page_up(struct app *a)
{
	move(a, INPUT_PAGE_UP);
}

void
act_first(struct app *a)
{
	move(a, INPUT_HOME);
}

void
act_last(struct app *a)
{
	move(a, INPUT_END);
}

/* To the group that the cursor is in. */
void
act_head(struct app *a)
{
	struct outline *o = panes_active(panes_of(a));
	const struct outline_row *row = outline_at(o);

	if (row == NULL || o->flat)
		return;
	list_go(&o->list, outline_find(o, row->group, OUTLINE_HEAD));
	view_moved(a, o);
}

/* What may come after `g`, in a box. */
struct go {
	struct layer layer;
	enum action_id chosen;	/* ACTION_COUNT: nothing */
};

static void
go_draw(struct layer *layer, struct app *a)
{
	struct rect r = { 0, 0, 0, GO_COLS };
	int rows, cols, y;
	char name[2] = "";

	(void)layer;
	canvas_size(&rows, &cols);
	for (int id = 0; id < ACTION_COUNT; id++)
		r.h += keymap_after_go((enum action_id)id) != 0;
	/* Without room for a box, or read aloud, its lines are all that is shown. */
	if (rows >= r.h + 4 && cols > r.w && !canvas_is_read_aloud()) {
		r = (struct rect){ rows - 2 - r.h - 2, cols - r.w, r.h + 2, r.w };
		canvas_box(&r, "g");
		r = (struct rect){ r.y + 1, r.x + 2, r.h - 2, r.w - 4 };
		canvas_text(rows - 1, 1, cols - 2, STYLE_NOTE, "Esc goes nowhere");
	} else {
		r = (struct rect){ 0, 0, rows, cols };
		canvas_clear(&r);
	}
	y = r.y;
	for (int id = 0; id < ACTION_COUNT && y < r.y + r.h; id++) {
		bool is_now = keymap_unavailable(a, (enum action_id)id) == NULL;

		name[0] = (char)keymap_after_go((enum action_id)id);
		if (name[0] == '\0')
			continue;
		canvas_text(y, r.x, 1, is_now ? STYLE_KEY : STYLE_NOTE, name);
		canvas_text(y, r.x + 2, r.w - 2, is_now ? STYLE_TEXT : STYLE_NOTE,
		    keymap_help(a, (enum action_id)id));
		y++;
	}
	canvas_cursor(r.y, r.x, true);
}

static void
go_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct go *g = (struct go *)layer;
	char name[KEY_NAME_MAX];

	layer->done = true;
	if (k < 0x80)
		g->chosen = keymap_find(KEY_AFTER_GO(k));
	if (g->chosen == ACTION_COUNT && k != INPUT_ESCAPE)
		app_hint(a, "%c %s goes nowhere; Esc leaves it", (char)KEY_GO,
		    key_name_of(k, name));
}

static void
go_about(const struct layer *layer, struct about *out)
{
	(void)layer;
	out->title = "going";
	for (int id = 0; id < ACTION_COUNT; id++)
		if (keymap_after_go((enum action_id)id) != 0)
			about_key(out, keymap_after_go((enum action_id)id),
			    keymap_action((enum action_id)id)->help);
	about_key(out, INPUT_ESCAPE, "go nowhere");
}

void
act_go(struct app *a)
{
	struct go g = { .layer = { .draw = go_draw, .key = go_key, .about = go_about,
		.aside = true }, .chosen = ACTION_COUNT };

	if (loop_run(a, &g.layer) && g.chosen != ACTION_COUNT)
		keymap_run(a, g.chosen);
}

void
act_other_pane(struct app *a)
{
	struct panes *p = panes_of(a);

	p->right_active = !p->right_active;
	p->left.ranging = false;
}

void
act_other_view(struct app *a)
{
	app_show(a, a->view == VIEW_REGISTRY ? a->former_view : VIEW_REGISTRY);
}

void
act_view_files(struct app *a)
{
	app_show(a, VIEW_FILES);
}

void
act_view_findings(struct app *a)
{
	app_show(a, VIEW_FINDINGS);
}

void
act_view_pending(struct app *a)
{
	app_show(a, VIEW_PENDING);
}

void
act_view_registry(struct app *a)
{
	app_show(a, VIEW_REGISTRY);
}

/* --- folding --- */

/* Fold or unfold the group that the cursor is in. */
static void
fold(struct app *a, bool folded)
{
	struct outline *o = leading(a);
	const struct outline_row *row = outline_at(o);
	size_t group;

	if (o->ops->items == NULL || row == NULL || o->flat)
		return;
	group = row->group;
	/* What is folded already goes away with what it stands below. */
	if (folded && outline_folded(o, group))
		group = outline_root(o, group);
	if (outline_folded(o, group) == folded)
		return;
	outline_hold(o);
	if (outline_fold(o, group, folded) == -1)
		app_complain(a, "not enough memory");
	view_build(a, o);
}

void
act_unfold(struct app *a)
{
	fold(a, false);
}

void
act_fold(struct app *a)
{
	fold(a, true);
}

void
act_turn_fold(struct app *a)
{
	struct outline *o = leading(a);
	const struct outline_row *row = outline_at(o);

	if (row != NULL)
		fold(a, !outline_folded(o, row->group));
}

static void
fold_all(struct app *a, bool folded)
{
	struct outline *o = &panes_of(a)->left;

	outline_hold(o);
	outline_fold_all(o, folded);
	view_build(a, o);
}

void
act_unfold_all(struct app *a)
{
	fold_all(a, false);
}

void
act_fold_all(struct app *a)
{
	fold_all(a, true);
}

/* --- problems --- */

/* To the next row that is wrong, or the one before. */
static void
problem_next(struct app *a, bool back)
{
	struct panes *p = panes_of(a);

	if (!outline_next_problem(&p->left, back)) {
		app_refuse(a, "nothing that is shown is a problem");
		return;
	}
	p->right_active = false;
	view_moved(a, &p->left);
}

void
act_next_problem(struct app *a)
{
	problem_next(a, false);
}

void
act_previous_problem(struct app *a)
{
	problem_next(a, true);
}

/* --- searching --- */

struct search {
	struct layer layer;
	struct line_edit line;
	size_t left, right;	/* the cursors before */
	size_t from;		/* that of the list that is searched */
	size_t at, count;	/* which of how many matches it is */
};

const char *
act_needs_search(const struct app *a)
{
	return a->search[0] == '\0' ? "nothing was searched for" : NULL;
}

/* Go to the first match from row ${from} on, or back; around the ends. */
static bool
search_find(struct app *a, size_t from, bool back)
{
	struct outline *o = leading(a);

	a->searched = true;
	if (!outline_search(o, a->search, from, back))
		return false;
	if (views[a->view]->left_leads)
		panes_of(a)->right_active = false;
	view_moved(a, o);
	return true;
}

static void
search_next(struct app *a, bool back)
{
	const struct list *l = &leading(a)->list;
	size_t from = l->count == 0 ? 0 : (l->cursor + (back ? l->count - 1 : 1)) % l->count;
	size_t at, count;

	if (!search_find(a, from, back)) {
		app_refuse(a, "no match for \"%s\"", a->search);
		return;
	}
	count = outline_count(leading(a), a->search, &at);
	app_tell(a, "match %zu of %zu for \"%s\"", at, count, a->search);
}

void
act_next(struct app *a)
{
	search_next(a, false);
}

void
act_previous(struct app *a)
{
	search_next(a, true);
}

static void
search_draw(struct layer *layer, struct app *a)
{
	struct search *s = (struct search *)layer;
	const struct rect *r = &a->layout.footer;
	char text[64] = "no match";
	int w = r->w - 3;

	canvas_fill(r->y, 0, r->w, STYLE_TEXT);
	canvas_text(r->y, 1, r->w, STYLE_KEY, "/");
	if (r->w >= 30 && s->line.len > 0) {
		if (s->count > 0)
			snprintf(text, sizeof(text), "%zu of %zu", s->at, s->count);
		w -= 2 + canvas_right(r->y, 2, r->w - 3, s->count > 0 ? STYLE_NOTE : STYLE_ERROR,
		    text);
	}
	line_edit_draw(&s->line, r->y, 2, w);
}

/* What is typed becomes the needle, in lower case as text_contains_nocase has it, and is looked
 * for. */
static void
search_take(struct app *a, struct search *s)
{
	const struct line_edit *l = &s->line;
	size_t i;

	for (i = 0; i < l->len && i + 1 < sizeof(a->search); i++)
		a->search[i] = ascii_lower(l->text[i]);
	a->search[i] = '\0';
	s->count = search_find(a, s->from, false) ? outline_count(leading(a), a->search, &s->at) :
	    0;
}

static void
search_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct search *s = (struct search *)layer;
	struct panes *p = panes_of(a);

	if (k == INPUT_ENTER) {
		layer->done = true;
	} else if (k == INPUT_ESCAPE) {
		list_go(&p->left.list, s->left);
		list_go(&p->right.list, s->right);
		a->searched = false;
		view_moved(a, leading(a));
		layer->done = true;
	} else if (line_edit_key(&s->line, k)) {
		search_take(a, s);
	}
}

static void
search_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct search *s = (struct search *)layer;
	char why[128];

	if (!line_edit_paste(&s->line, text, why, sizeof(why))) {
		app_refuse(a, "%s", why);
		return;
	}
	search_take(a, s);
}

static void
search_about(const struct layer *layer, struct about *out)
{
	(void)layer;
	out->title = "searching";
	out->types = true;
	about_key(out, INPUT_ENTER, "stay at what is found");
	about_key(out, INPUT_ESCAPE, "go back to where the cursor was");
	about_key(out, INPUT_CTRL('u'), "clear what is typed");
}

void
act_search(struct app *a)
{
	const struct panes *p = panes_of(a);
	struct search s;

	memset(&s, 0, sizeof(s));
	s.layer.draw = search_draw;
	s.layer.key = search_key;
	s.layer.paste = search_paste;
	s.layer.about = search_about;
	s.left = p->left.list.cursor;
	s.right = p->right.list.cursor;
	s.from = leading(a)->list.cursor;
	line_edit_set(&s.line, "");
	(void)loop_run(a, &s.layer);
}
