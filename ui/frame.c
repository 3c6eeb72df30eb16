#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/lessons.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define TEXT_MAX 16384
#define PATH_MAX_BYTES 4096
#define FACT_NAME 12	/* columns, with the blank behind it */
#define WHEEL_ROWS 3
#define DAY_MS ((int64_t)86400000)
#define DAY_LENGTH 10	/* of a time as text */
#define STICKY_ROWS 5	/* a lower list has no line for the head of a group */
#define TABS_WHERE 6	/* in fewer columns a path says nothing */

static void
words_init(struct words *w)
{
	buf_init(&w->place, TEXT_MAX);
	buf_init(&w->name, TEXT_MAX);
	buf_init(&w->text, TEXT_MAX);
	buf_init(&w->facts, TEXT_MAX);
	w->style = STYLE_TEXT;
}

static void
words_release(struct words *w)
{
	buf_release(&w->facts);
	buf_release(&w->text);
	buf_release(&w->name);
	buf_release(&w->place);
}

/* Each is a name and a value, and a NUL behind both. */
void
words_fact(struct words *w, const char *name, const char *fmt, ...)
{
	char text[PATH_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_append(&w->facts, name, strlen(name) + 1);
	buf_append(&w->facts, text, strlen(text) + 1);
}

void
words_time(struct words *w, const char *name, int64_t ms, bool day)
{
	const int64_t days = (time_now() - ms) / DAY_MS;
	char text[TIME_TEXT];

	if (ms <= 0)
		return;
	time_text(ms, TIME_SPACED, text);
	if (day)
		text[DAY_LENGTH] = '\0';
	if (days < 1)
		words_fact(w, name, "%s%s", text, day ? "" : " UTC");
	else
		words_fact(w, name, "%s%s, %lld %s ago", text, day ? "" : " UTC", (long long)days,
		    days == 1 ? "day" : "days");
}

/* The value on the screen, for a while: only its frame goes through curses. */
static void
words_draw_reveal(struct app *a, const struct rect *r)
{
	int lines = reveal_lines(a->reveal, r->w - 2);
	struct rect where = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[96];
	int used;

	if (r->h > 2) {
		where.h = lines < r->h ? lines : r->h - 1;
		snprintf(text, sizeof(text), "%s: %s longer, %s copy, Esc mask",
		    lines > where.h ? "only the beginning fits" : "shown in clear",
		    KEY(ACTION_REVEAL), KEY(ACTION_COPY));
		used = reveal_draw_time(a->reveal, r->y + where.h, r->x + 1, r->w - 2);
		canvas_text(r->y + where.h, r->x + 1, r->w - 3 - used, STYLE_NOTICE, text);
	}
	reveal_place(a->reveal, &where);
}

/* The line above the detail says what it is about: file and line, then the key. */
static void
words_draw_rule(const struct rect *r, const struct words *w)
{
	int name = columns_text((const char *)w->name.data, w->name.len);
	int room = r->w - 8;
	int x = r->x + 3;

	canvas_hline(r->y, r->x, r->w);
	if (w->place.len == 0 || room < 8)
		return;
	canvas_text(r->y, x++, 1, STYLE_TEXT, " ");
	/* A long place leaves half of the line to the name. */
	if (name > 0)
		room -= 3 + (name < room / 2 ? name : room / 2);
	x += canvas_tail_bytes(r->y, x, room, STYLE_HEAD, (const char *)w->place.data,
	    w->place.len);
	if (name > 0) {
		x += canvas_text(r->y, x, 1, STYLE_TEXT, " ");
		x += canvas_text(r->y, x, 1, STYLE_NOTE, canvas_glyph(GLYPH_INTO));
		x += canvas_text(r->y, x, 1, STYLE_TEXT, " ");
		x += name_draw(r->y, x, r->x + r->w - 4 - x, STYLE_TEXT, &w->name, NULL);
	}
	canvas_text(r->y, x, 1, STYLE_TEXT, " ");
}

/* Is a value to be shown here, and not in a dialog? */
static bool
frame_reveals(const struct app *a)
{
	return a->top == &a->base && reveal_shown(a->reveal);
}

/* Text from line ${y} on, down to the end of ${r}; what does not fit on the last line ends in an
 * ellipsis.  Returns the next line. */
static int
words_wrapped(const struct rect *r, int y, unsigned int style, const char *text, size_t n)
{
	struct wrap lines;

	wrap_init(&lines, text, n, r->w - 2);
	for (; y < r->y + r->h && wrap_next(&lines); y++) {
		if (y == r->y + r->h - 1)
			lines.len = (size_t)(lines.rest + lines.n - lines.line);
		canvas_bytes(y, r->x + 1 + lines.indent, r->w - 2 - lines.indent, style,
		    lines.line, lines.len);
	}
	return y;
}

static void
words_draw(struct app *a, const struct rect *r, struct words *w)
{
	if (frame_reveals(a))
		words_draw_reveal(a, r);
	else
		(void)words_wrapped(r, r->y, w->style, buf_cstr(&w->text), w->text.len);
}

/* Where there is room for it: the whole name, where it is, what it says, and the facts. */
static void
words_draw_pane(struct app *a, const struct layout *l, struct words *w)
{
	struct rect r = { l->rule.y, l->rule.x, l->detail.h + l->rule.h, l->rule.w };
	const bool named = w->name.len > 0;
	const char *p, *end;
	struct rect value;
	int y = r.y;

	if (named)
		y = words_wrapped(&r, y, STYLE_HEAD, buf_cstr(&w->name), w->name.len);
	y = 1 + words_wrapped(&r, y, named ? STYLE_NOTE : STYLE_HEAD, buf_cstr(&w->place),
	    w->place.len);
	if (frame_reveals(a)) {
		r.h -= y - r.y;
		r.y = y;
		words_draw_reveal(a, &r);
		return;
	}
	y = words_wrapped(&r, y, w->style, buf_cstr(&w->text), w->text.len) + (w->text.len > 0);
	p = buf_cstr(&w->facts);
	for (end = p + w->facts.len; p < end && y < r.y + r.h; p += strlen(p) + 1) {
		canvas_text(y, r.x + 1, FACT_NAME - 1, STYLE_NOTE, p);
		p += strlen(p) + 1;
		value = (struct rect){ r.y, r.x + FACT_NAME, r.h, r.w - FACT_NAME };
		y = words_wrapped(&value, y, STYLE_TEXT, p, strlen(p));
	}
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

/* With the way to the former ones behind it, where that takes nothing from it. */
static void
draw_notice(struct app *a, const struct rect *r, int w)
{
	int used = canvas_text(r->y, r->x + 1, w,
	    a->notice_is_error ? STYLE_ERROR : STYLE_NOTICE, a->notice);
	char name[KEYMAP_NAME_MAX], text[KEYMAP_NAME_MAX + 8];

	snprintf(text, sizeof(text), "%s log", keymap_key_of(ACTION_NOTICES, name));
	if (used + 2 + columns_text(text, strlen(text)) <= w && a->notices.count > 0)
		canvas_right(r->y, r->x + 1 + used, w - used, STYLE_NOTE, text);
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

static void
status_draw(struct app *a)
{
	const struct rect *status = &a->layout.status;
	const struct rect *footer = &a->layout.footer;
	int w;

	if (status->h > 0) {
		w = draw_marked(a, status);
		if (a->notice[0] != '\0')
			draw_notice(a, status, w);
		else
			views[a->view]->draw_counts(a, status, w);
	} else if (a->notice[0] != '\0' && !a->notice_seen) {
		draw_notice(a, footer, footer->w - 2);
		return;
	}
	/* Under a dialog these keys do not work. */
	if (a->top == &a->base)
		status_draw_keys(a, footer);
}

/* A screen without a detail: the list gives its place to a revealed value. */
static void
draw_small_reveal(struct app *a, const struct words *w)
{
	bool right = views[a->view]->panes(a)->right_active;
	struct rect r = right ? a->layout.right : a->layout.left;

	canvas_clear(&r);
	canvas_tail_bytes(r.y, r.x + 1, r.w - 2, STYLE_HEAD, (const char *)w->name.data,
	    w->name.len);
	r.y++;
	r.h--;
	words_draw_reveal(a, &r);
}

static void
draw_detail(struct app *a)
{
	const struct rect *rule = &a->layout.rule;
	const struct rect *r = &a->layout.detail;
	struct words w;

	if (a->options->lessons != NULL)
		lessons_look(a);
	if (a->options->lessons != NULL && !frame_reveals(a)) {
		if (r->h > 0)
			lessons_draw(a, rule, r);
		else if (a->top == &a->base)
			lessons_draw_line(a, &a->layout.footer);
		return;
	}
	if (r->h == 0 && !frame_reveals(a))
		return;
	words_init(&w);
	views[a->view]->say(a, &w);
	if (r->h == 0) {
		draw_small_reveal(a, &w);
	} else if (a->layout.three_panes) {
		words_draw_pane(a, &a->layout, &w);
	} else {
		words_draw_rule(rule, &w);
		words_draw(a, r, &w);
	}
	words_release(&w);
}

/* --- the tabs --- */

/* What of a view stands in the first row. */
enum tabs_detail { TABS_ALL, TABS_NUMBERS, TABS_ACTIVE };

static void
tabs_append(const struct app *a, enum view_id view, enum tabs_detail detail, struct buf *out)
{
	const struct view_ops *v = views[view];
	size_t n = v->count != NULL ? v->count(a) : 0;
	const char *note = v->count_note != NULL ? v->count_note(a) : "";
	bool active = view == a->view;
	char key[KEYMAP_NAME_MAX];

	if (!active && detail == TABS_ACTIVE)
		return;
	buf_printf(out, "%s%s", active ? "[" : " ",
	    keymap_key_of((enum action_id)v->shows, key));
	if (active || detail == TABS_ALL)
		buf_printf(out, " %s", v->name);
	if (n > 0 || note[0] != '\0')
		buf_append_char(out, active || detail == TABS_ALL ? ' ' : ':');
	if (n > 0)
		buf_printf(out, "%zu", n);
	buf_append_str(out, note);
	buf_append_str(out, active ? "]" : " ");
}

static int
tabs_width(const struct app *a, enum tabs_detail detail)
{
	struct buf text;
	int i, w;

	buf_init(&text, TEXT_MAX);
	for (i = 0; i < VIEW_COUNT; i++)
		tabs_append(a, (enum view_id)i, detail, &text);
	w = columns_text((const char *)text.data, text.len);
	buf_release(&text);
	return w;
}

/* The views with their keys, the one that is shown in brackets; at the right how things are
 * there, and where that is if there is room for it. */
static void
tabs_draw(struct app *a, const struct rect *r)
{
	enum tabs_detail detail = TABS_ALL;
	struct buf where, state, tab;
	int x = r->x;
	int room, i, w;

	buf_init(&where, TEXT_MAX);
	buf_init(&state, TEXT_MAX);
	if (a->options->lessons != NULL) {
		buf_append_str(&where, "scratch copy");
		buf_append_str(&state, "tutor");
	} else {
		views[a->view]->title(a, &where, &state);
	}
	room = r->w - 1 - columns_text(buf_cstr(&state), state.len);
	while (detail < TABS_ACTIVE && tabs_width(a, detail) > room)
		detail++;
	for (i = 0; i < VIEW_COUNT; i++) {
		buf_init(&tab, TEXT_MAX);
		tabs_append(a, (enum view_id)i, detail, &tab);
		x += canvas_text(r->y, x, r->x + r->w - x,
		    i == (int)a->view ? STYLE_KEY : STYLE_NOTE, buf_cstr(&tab));
		a->layout.tab_end[i] = tab.len > 0 ? x : 0;
		buf_release(&tab);
	}
	room = r->x + r->w - 1 - x;
	w = columns_text(buf_cstr(&state), state.len);
	if (w <= room)
		room -= canvas_right(r->y, x, room, STYLE_NOTE, buf_cstr(&state)) + 3;
	w = columns_text(buf_cstr(&where), where.len);
	if (w > room)
		w = room;
	if (w >= TABS_WHERE)
		canvas_tail(r->y, x + room - w, w, STYLE_TEXT, buf_cstr(&where));
	buf_release(&state);
	buf_release(&where);
}

static void
frame_draw(struct layer *layer, struct app *a)
{
	const struct view_ops *v = views[a->view];
	const struct layout *l = &a->layout;
	bool right = v->panes(a)->right_active;

	(void)layer;
	tabs_draw(a, &l->tabs);
	if (l->two_panes || !right)
		v->draw_left(a);
	if (l->two_panes || right)
		v->draw_right(a);
	if (l->two_panes)
		canvas_vline(l->left_head.h > 0 ? l->left_head.y : l->left.y, l->right.x - 1,
		    l->left.h + l->left_head.h);
	if (l->three_panes)
		canvas_vline(l->rule.y, l->rule.x - 1, l->detail.h + l->rule.h);
	status_draw(a);
	draw_detail(a);
}

/* A character that means nothing.  What else a terminal or a multiplexer sends is swallowed. */
static void
frame_unknown_key(struct app *a, uint32_t k)
{
	char name[KEY_NAME_MAX], help[KEYMAP_NAME_MAX];

	if (k >= ' ' && k < 0x110000 && (k < 0x7f || k >= 0xa0))
		app_hint(a, "%s does nothing here; %s lists the keys", key_name_of(k, name),
		    keymap_key_of(ACTION_HELP, help));
}

static void
frame_key(struct layer *layer, struct app *a, uint32_t k)
{
	enum action_id id = keymap_find(k);

	(void)layer;
	/* The key that reveals shows it for longer. */
	if (id == ACTION_REVEAL && reveal_longer(a->reveal)) {
		if (canvas_is_read_aloud())
			app_tell(a, "shown for %d seconds more", REVEAL_LONGER);
		return;
	}
	if (id != ACTION_COPY && reveal_hide(a->reveal) && id == ACTION_CANCEL)
		return;
	/* What was searched for is underlined until Esc. */
	a->searched = a->searched && id != ACTION_CANCEL;
	if (k == INPUT_BACKSPACE && a->options->lessons != NULL)
		lessons_choose(a);
	else if (id != ACTION_COUNT)
		keymap_run(a, id);
	else if (keymap_waits(k))
		act_go(a);
	else
		frame_unknown_key(a, k);
}

/* A tab shows its view, a row gets the cursor, the wheel moves it. */
static void
frame_mouse(struct layer *layer, struct app *a, const struct event *e)
{
	struct panes *p = views[a->view]->panes(a);
	const struct rect *r;
	struct outline *o;
	size_t row;
	int i;

	(void)layer;
	reveal_hide(a->reveal);
	if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN) {
		for (i = 0; i < WHEEL_ROWS; i++)
			keymap_run(a, e->button == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
		return;
	}
	if (e->button != MOUSE_LEFT)
		return;
	for (i = 0; e->y == a->layout.tabs.y && i < VIEW_COUNT; i++)
		if (e->x < a->layout.tab_end[i]) {
			keymap_run(a, (enum action_id)views[i]->shows);
			return;
		}
	for (i = 0; i < 2; i++) {
		r = &a->layout.rows[i];
		if (e->y < r->y || e->y >= r->y + r->h || e->x < r->x || e->x >= r->x + r->w)
			continue;
		p->right_active = i == 1;
		o = panes_active(p);
		row = o->list.top + (size_t)(e->y - r->y);
		if (row < o->list.count)
			list_go(&o->list, row);
		view_moved(a, o);
		return;
	}
}

void
frame_init(struct layer *base)
{
	base->mouse = frame_mouse;
	base->draw = frame_draw;
	base->key = frame_key;
}

static bool
frame_is_linked(struct app *a, const struct outline *o, size_t row, const struct frame_rows *f)
{
	const struct view_ops *v = views[a->view];

	if (f->is_linked != NULL)
		return f->is_linked(a, row);
	return v->left_leads && o == &v->panes(a)->left && row == o->list.cursor;
}

int
frame_draw_chips(const struct outline *o, const char *preset, const struct rect *r)
{
	int x = r->x + 1, end = r->x + r->w - 1;
	char chip[FILTER_TEXT_MAX + 4];

	x += canvas_text(r->y, x, end - x, STYLE_MARK, preset);
	for (const char *p = o->words.text + strspn(o->words.text, " \t"); *p != '\0' && x < end;
	    p += strcspn(p, " \t"), p += strspn(p, " \t")) {
		snprintf(chip, sizeof(chip), " [%.*s]", (int)strcspn(p, " \t"), p);
		x += canvas_text(r->y, x, end - x, STYLE_MARK, chip);
	}
	if (o->flat && x < end)
		x += canvas_text(r->y, x, end - x, STYLE_MARK, " flat");
	if (o->order != 0 && x < end) {
		snprintf(chip, sizeof(chip), " %s", o->ops->orders[o->order]);
		x += canvas_text(r->y, x, end - x, STYLE_MARK, chip);
	}
	return x - r->x - 1;
}

/* Does the first row that is shown belong to a group whose head is not shown? */
static bool
rows_start_inside(const struct outline *o)
{
	return o->list.top < o->rows.len && outline_row(o, o->list.top)->item != OUTLINE_HEAD;
}

/* Fit the list into ${h} lines.  True: the first of them is for the head of a group. */
static bool
rows_fit(struct outline *o, int h, const struct frame_rows *f)
{
	struct list *l = &o->list;

	if (f->draw_head == NULL || h < STICKY_ROWS || o->flat || o->rows.len <= (size_t)h) {
		list_fit(l, o->rows.len, (size_t)h);
		return false;
	}
	/* As if the line was taken, so that nothing moves when it comes and goes. */
	list_fit(l, o->rows.len, (size_t)h - 1);
	if (rows_start_inside(o))
		return true;
	l->height = (size_t)h;
	return false;
}

void
frame_draw_rows(struct app *a, struct outline *o, const struct rect *r, bool active,
    const struct frame_rows *f)
{
	struct rect line = { .h = 1, .x = r->x + 1, .w = r->w - 1 };
	const bool head = rows_fit(o, r->h, f);
	const struct list *l = &o->list;
	struct rect rows = { r->y + head, r->x, r->h - head, r->w };
	unsigned int extra;
	size_t i, group;

	a->layout.rows[o != &views[a->view]->panes(a)->left] = rows;
	if (head) {
		line.y = r->y;
		group = outline_row(o, l->top)->group;
		f->draw_head(a, group, l->top - outline_find(o, group, OUTLINE_HEAD) - 1, &line);
	}
	for (i = l->top; i < l->count && i - l->top < l->height; i++) {
		line.y = rows.y + (int)(i - l->top);
		extra = 0;
		if (active && i == l->cursor) {
			extra = STYLE_SELECTED;
			canvas_fill(line.y, r->x, r->w, STYLE_TEXT | extra);
			canvas_text(line.y, r->x, 1, STYLE_KEY | extra, ">");
			canvas_cursor(line.y, r->x, true);
		} else if (!active && frame_is_linked(a, o, i, f)) {
			extra = STYLE_LINKED;
			canvas_text(line.y, r->x, 1, STYLE_KEY, "=");
		}
		f->draw(a, i, &line, extra);
		if (a->searched && a->search[0] != '\0' && outline_matches(o,
		    outline_row(o, i)->group, outline_row(o, i)->item, a->search))
			canvas_underline(&line, a->search);
	}
}
