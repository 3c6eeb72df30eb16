#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/vec.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/filter.h"
#include "ui/findings.h"
#include "ui/keymap.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/term.h"

/* The palette: one list of all that can be done and gone to (actions, environments, files,
 * entries, findings, settings), searched by what is typed. */

#define NAME_MAX_BYTES 65536
#define KIND_COLUMNS 11
#define KIND_WIDTH 60	/* a narrower screen has no column for kinds and places */
#define MIXED_MAX 8	/* rows of a kind among others */
#define KIND_MAX 200	/* of one that is asked for */
#define SECONDS_MAX 86400

/* In the order in which what fits equally well is listed. */
enum palette_kind {
	PALETTE_AGAIN, PALETTE_ENVIRONMENT, PALETTE_FILE, PALETTE_ENTRY, PALETTE_DO,
	PALETTE_SETTING, PALETTE_FINDING, PALETTE_KINDS
};

static const struct {
	char sign;		/* typed first, it asks for this kind alone */
	const char *name;
} kinds[PALETTE_KINDS] = {
	[PALETTE_AGAIN] = { '\0', "Again" }, [PALETTE_ENVIRONMENT] = { '@', "Where" },
	[PALETTE_FILE] = { '/', "Files" }, [PALETTE_ENTRY] = { '#', "Entries" },
	[PALETTE_DO] = { '>', "Do" }, [PALETTE_SETTING] = { '=', "Set" },
	[PALETTE_FINDING] = { '!', "Findings" },
};

/* What can be set here, beside the themes. */
enum palette_setting { SET_MOUSE, SET_REVEAL, SET_COPY, SET_LOCK, SET_COUNT };

static const struct {
	const char *name, *text;
} settings[SET_COUNT] = {
	[SET_MOUSE] = { "mouse", "use the mouse, or leave it to the terminal" },
	[SET_REVEAL] = { "reveal-seconds", "how long a revealed value stays on the screen" },
	[SET_COPY] = { "copy-seconds", "how long a copied value stays in the clipboard" },
	[SET_LOCK] = { "lock-seconds", "idle time after which the keys are wiped" },
};

struct palette_row {
	enum palette_kind kind;
	size_t group, item;	/* of an outline; an action; a theme, or behind them a setting */
};

struct palette {
	struct layer layer;
	struct line_edit line;
	struct list list;
	struct vec rows;	/* of struct palette_row */
	bool former;		/* what is typed was there before: a letter takes its place */
	bool chosen;
	char why[128];		/* what was pasted is not taken; "": it is */
};

/* --- what is listed --- */

/* What of one kind fits, by how well; no more of each rank than are ever listed. */
struct palette_found {
	struct vec by_rank[RANK_COUNT];	/* of struct palette_row */
};

/* What there is no room for shortens the list. */
static void
palette_push(struct vec *rows, const struct palette_row *row)
{
	struct palette_row *p = vec_push(rows);

	if (p != NULL)
		*p = *row;
}

static void
found_add(struct palette_found *f, const struct palette_row *row, enum rank rank)
{
	if (rank < RANK_COUNT)
		palette_push(&f->by_rank[rank], row);
}

static struct outline *
palette_outline(const struct app *a, enum palette_kind kind)
{
	return kind == PALETTE_FINDING ? &a->findings->panes.left : &a->files->panes.left;
}

static bool
palette_is_kind(const struct app *a, enum palette_kind kind, size_t group)
{
	if (kind == PALETTE_FINDING || kind == PALETTE_ENTRY)
		return true;
	return (tree_row(&a->model->tree, group)->file == NULL) == (kind == PALETTE_ENVIRONMENT);
}

/* Environments and files are the groups of an outline, entries and findings its items. */
static void
found_search_outline(const struct app *a, enum palette_kind kind, const char *typed,
    struct palette_found *out)
{
	const struct outline *o = palette_outline(a, kind);
	bool groups = kind == PALETTE_ENVIRONMENT || kind == PALETTE_FILE;
	struct palette_row row = { kind, 0, 0 };
	struct outline_id text;
	size_t n;

	for (; row.group < o->ops->groups(o->cookie); row.group++) {
		if (!palette_is_kind(a, kind, row.group))
			continue;
		n = groups ? 1 : o->ops->items(o->cookie, row.group);
		for (size_t i = 0; i < n; i++) {
			row.item = groups ? OUTLINE_HEAD : i;
			text = o->ops->text(o->cookie, row.group, row.item);
			found_add(out, &row, rank_of(text.bytes, text.len, typed));
		}
	}
}

static int
compare_actions(const void *one, const void *other)
{
	const struct palette_row *a = one, *b = other;

	return strcmp(keymap_action((enum action_id)a->item)->name,
	    keymap_action((enum action_id)b->item)->name);
}

static void
found_search_actions(const struct app *a, const char *typed, struct palette_found *out)
{
	struct palette_row row = { PALETTE_DO, 0, 0 };

	for (; row.item < ACTION_COUNT; row.item++)
		if (row.item != ACTION_PALETTE && (typed[0] != '\0' || !app_asks(a) ||
		    keymap_is_beside((enum action_id)row.item)))
			found_add(out, &row, keymap_match(a, (enum action_id)row.item, typed));
	if (typed[0] == '\0' && out->by_rank[RANK_PART].len > 0)
		qsort(out->by_rank[RANK_PART].items, out->by_rank[RANK_PART].len,
		    sizeof(row), compare_actions);
}

/* "theme dark" or "mouse off". */
static void
setting_name(const struct app *a, size_t item, struct buf *out)
{
	if (item < THEME_COUNT) {
		buf_printf(out, "theme %s", theme_name((enum theme)item));
		return;
	}
	item -= THEME_COUNT;
	buf_append_str(out, settings[item].name);
	if (item == SET_MOUSE)
		buf_append_str(out, a->mouse ? " off" : " on");
}

static void
found_search_settings(const struct app *a, const char *typed, struct palette_found *out)
{
	struct palette_row row = { PALETTE_SETTING, 0, 0 };
	struct buf name;

	buf_init(&name, NAME_MAX_BYTES);
	for (; row.item < THEME_COUNT + SET_COUNT; row.item++) {
		buf_clear(&name);
		setting_name(a, row.item, &name);
		found_add(out, &row, rank_of(buf_cstr(&name), name.len, typed));
	}
	buf_release(&name);
}

static void
found_search(const struct app *a, enum palette_kind kind, const char *typed,
    struct palette_found *out)
{
	const struct palette_past *past = &a->palette;

	if (kind == PALETTE_DO)
		found_search_actions(a, typed, out);
	else if (kind == PALETTE_SETTING)
		found_search_settings(a, typed, out);
	else if (kind != PALETTE_AGAIN)
		found_search_outline(a, kind, typed, out);
	else if (typed[0] == '\0')
		for (size_t i = 0; i < past->recent_count; i++)
			found_add(out, &(struct palette_row){ kind, 0, (size_t)past->recent[i] },
			    RANK_PART);
}

/* Kinds with what fits best come first. */
static void
palette_merge(struct palette *p, struct palette_found found[PALETTE_KINDS], size_t max)
{
	bool listed[PALETTE_KINDS] = { false };
	/* Letters here and there only count where there is nothing better. */
	int end = RANK_COUNT;

	for (int k = 0; k < PALETTE_KINDS; k++)
		for (int r = 0; r < RANK_LETTERS; r++)
			if (found[k].by_rank[r].len > 0)
				end = RANK_LETTERS;
	for (int best = 0; best < end; best++)
		for (int k = 0; k < PALETTE_KINDS; k++) {
			if (listed[k] || found[k].by_rank[best].len == 0)
				continue;
			listed[k] = true;
			for (size_t r = (size_t)best, n = 0; r < (size_t)end; r++)
				for (size_t i = 0; i < found[k].by_rank[r].len && n < max; i++, n++)
					palette_push(&p->rows, vec_at(&found[k].by_rank[r], i));
		}
}

static void
palette_search(const struct app *a, struct palette *p)
{
	struct palette_found found[PALETTE_KINDS];
	const char *typed = p->line.text;
	int only = PALETTE_KINDS;

	for (int k = 0; k < PALETTE_KINDS; k++) {
		for (int r = 0; r < RANK_COUNT; r++)
			vec_init(&found[k].by_rank[r], sizeof(struct palette_row), KIND_MAX);
		if (typed[0] != '\0' && typed[0] == kinds[k].sign)
			only = k;
	}
	for (int k = 0; k < PALETTE_KINDS; k++)
		/* With nothing typed: what can be done; over a question nothing is gone to. */
		if ((only == PALETTE_KINDS ? typed[0] != '\0' || k == PALETTE_AGAIN ||
		    k == PALETTE_DO || k == PALETTE_SETTING : only == k) &&
		    (k == PALETTE_DO || k == PALETTE_SETTING || !app_asks(a)))
			found_search(a, (enum palette_kind)k, typed + (only == k), &found[k]);
	p->rows.len = 0;
	palette_merge(p, found, only != PALETTE_KINDS || typed[0] == '\0' ? KIND_MAX : MIXED_MAX);
	p->list = (struct list){ .count = p->rows.len, .height = p->list.height };
	for (int k = 0; k < PALETTE_KINDS; k++)
		for (int r = 0; r < RANK_COUNT; r++)
			vec_release(&found[k].by_rank[r]);
}

/* --- how it looks --- */

struct palette_line {
	struct buf name, place;
	char state[64];
	const char *why;	/* it cannot be done now; NULL: it can */
};

static void
line_action(const struct app *a, enum action_id id, struct palette_line *l)
{
	buf_append_str(&l->name, keymap_action(id)->name);
	l->why = keymap_unavailable(a, id);
	buf_printf(&l->place, "%s%s", l->why != NULL ? "not now: " : "",
	    l->why != NULL ? l->why : keymap_help(a, id));
	keymap_keys_of(id, l->state, sizeof(l->state));
}

static void
line_root(const struct app *a, size_t group, struct palette_line *l)
{
	const struct tree_root *r = tree_root(&a->model->tree,
	    tree_row(&a->model->tree, group)->root);

	buf_append_str(&l->name, r->name);
	if (r->environment != NULL)
		buf_append_str(&l->place, model_show_path(a->model, r->environment->path));
	else
		buf_append_str(&l->place, "no secrets file");
	tally_print(&r->tally, l->state, sizeof(l->state));
}

static void
line_file(const struct app *a, size_t group, struct palette_line *l)
{
	const struct tree_row *row = tree_row(&a->model->tree, group);

	buf_append_str(&l->name, model_show_path(a->model, row->file->path));
	buf_append_str(&l->place, tree_root(&a->model->tree, row->root)->name);
	if (row->file->is_secrets_file)
		snprintf(l->state, sizeof(l->state), "secrets file");
	else
		tally_print(&row->tally, l->state, sizeof(l->state));
}

static void
line_entry(const struct app *a, const struct palette_row *row, struct palette_line *l)
{
	const struct estate_file *f = tree_row(&a->model->tree, row->group)->file;
	const struct estate_entry *e = &f->entries[row->item];

	name_append_short(e->key, e->key_len, &l->name);
	buf_printf(&l->place, "%s:%zu", model_show_path(a->model, f->path), e->line);
	if (e->state == STATE_SEALED && e->environment != NULL)
		snprintf(l->state, sizeof(l->state), "S used by %zu",
		    environment_references(e->environment, e->name, e->name_len));
	else
		snprintf(l->state, sizeof(l->state), "%c %s", entry_letter(e), files_word(e));
}

static void
line_finding(const struct app *a, const struct palette_row *row, struct palette_line *l)
{
	const struct findings *f = a->findings;
	const struct findings_row *r = findings_row(f,
	    findings_group(f, row->group)->first + row->item);

	if (r->finding == NULL) {
		buf_append_str(&l->name, r->unread->file);
		snprintf(l->state, sizeof(l->state), "not read");
		return;
	}
	if (r->finding->key_len > 0)
		name_append_short(r->finding->key, r->finding->key_len, &l->name);
	else
		buf_append_str(&l->name, audit_rule_text(r->finding->rule)->id);
	buf_printf(&l->place, "%s:%zu", audit_file(f->audit, r->finding->file),
	    r->finding->line);
	snprintf(l->state, sizeof(l->state), "%s %s", findings_letter(r->finding->level),
	    audit_rule_text(r->finding->rule)->id);
}

static void
line_setting(const struct app *a, size_t item, struct palette_line *l)
{
	const int ms[SET_COUNT] = { [SET_REVEAL] = a->options->reveal_ms,
		[SET_COPY] = a->options->copy_ms, [SET_LOCK] = a->options->lock_ms };

	setting_name(a, item, &l->name);
	if (item < THEME_COUNT) {
		buf_append_str(&l->place, theme_note((enum theme)item));
		snprintf(l->state, sizeof(l->state), "%s",
		    theme_now() == (enum theme)item ? "now" : "");
		return;
	}
	item -= THEME_COUNT;
	buf_append_str(&l->place, settings[item].text);
	if (ms[item] > 0)
		snprintf(l->state, sizeof(l->state), "%d s", (ms[item] + 999) / 1000);
}

static void
palette_line_make(const struct app *a, const struct palette_row *row, struct palette_line *l)
{
	buf_init(&l->name, NAME_MAX_BYTES);
	buf_init(&l->place, NAME_MAX_BYTES);
	l->state[0] = '\0';
	l->why = NULL;
	switch (row->kind) {
	case PALETTE_ENVIRONMENT:
		line_root(a, row->group, l);
		break;
	case PALETTE_FILE:
		line_file(a, row->group, l);
		break;
	case PALETTE_ENTRY:
		line_entry(a, row, l);
		break;
	case PALETTE_FINDING:
		line_finding(a, row, l);
		break;
	case PALETTE_SETTING:
		line_setting(a, row->item, l);
		break;
	default:
		line_action(a, (enum action_id)row->item, l);
		break;
	}
}

static void
palette_line_release(struct palette_line *l)
{
	buf_release(&l->place);
	buf_release(&l->name);
}

static const struct palette_row *
palette_row(const struct palette *p, size_t i)
{
	return vec_at(&p->rows, i);
}

static void
palette_draw_row(const struct app *a, const struct palette *p, size_t i, int y, int cols)
{
	const struct palette_row *row = palette_row(p, i);
	unsigned int extra = i == p->list.cursor ? STYLE_SELECTED : 0;
	unsigned int style;
	struct palette_line l;
	bool acts = row->kind == PALETTE_DO || row->kind == PALETTE_AGAIN;
	int x = 1, used, w, name;

	palette_line_make(a, row, &l);
	style = (l.why != NULL ? STYLE_NOTE : STYLE_TEXT) | extra;
	if (extra != 0) {
		canvas_fill(y, 0, cols, STYLE_TEXT | extra);
		canvas_text(y, 0, 1, STYLE_KEY | extra, ">");
		canvas_cursor(y, 0, true);
	}
	if (cols >= KIND_WIDTH) {
		if (i == p->list.top || palette_row(p, i - 1)->kind != row->kind)
			canvas_text(y, x, KIND_COLUMNS - 1, STYLE_HEAD | extra,
			    kinds[row->kind].name);
		x += KIND_COLUMNS;
	}
	else if (!acts && l.state[0] != '\0')
		l.state[1] = '\0';	/* the letter says it */
	used = l.state[0] == '\0' ? 0 : 2 + canvas_right(y, x, cols - x - 1,
	    (acts ? STYLE_KEY : STYLE_NOTE) | extra, l.state);
	w = cols - x - 1;
	if (cols >= KIND_WIDTH && l.place.len > 0) {
		/* Actions have short names and long explanations, the others not. */
		name = acts || row->kind == PALETTE_SETTING ? 25 : row->kind == PALETTE_ENTRY ||
		    row->kind == PALETTE_FINDING ? w / 2 : w * 3 / 5;
		if (acts || row->kind == PALETTE_SETTING)
			canvas_bytes(y, x + name, w - name - used, (l.why != NULL ? STYLE_DANGLING :
			    STYLE_NOTE) | extra, (const char *)l.place.data, l.place.len);
		else
			(void)name_draw(y, x + name, w - name - used, STYLE_NOTE | extra,
			    &l.place, NULL);
		w = name - 1;
	} else {
		w -= used;
	}
	(void)name_draw(y, x, w, style, &l.name, NULL);
	palette_line_release(&l);
}

/* What Enter does with the selected line, in full. */
static void
palette_draw_detail(const struct app *a, const struct palette *p, int y, int cols)
{
	const struct palette_row *row;
	struct palette_line l;
	struct buf text;
	bool acts, sets;

	if (p->rows.len == 0)
		return;
	row = palette_row(p, p->list.cursor);
	acts = row->kind == PALETTE_DO || row->kind == PALETTE_AGAIN;
	sets = row->kind == PALETTE_SETTING;
	palette_line_make(a, row, &l);
	buf_init(&text, 2 * NAME_MAX_BYTES);
	buf_append(&text, l.name.data, l.name.len);
	if (l.place.len > 0) {
		buf_append_str(&text, acts || sets ? ": " : "  ");
		buf_append(&text, l.place.data, l.place.len);
	}
	if (!acts)
		buf_append_str(&text, sets ? ", until you leave" : "  Enter goes there.");
	canvas_bytes(y, 1, cols - 2, l.why != NULL ? STYLE_DANGLING : STYLE_TEXT,
	    (const char *)text.data, text.len);
	buf_release(&text);
	palette_line_release(&l);
}

static void
palette_draw(struct layer *layer, struct app *a)
{
	static const char *const words[PALETTE_KINDS] = { "", "environments", "files", "entries",
		"actions", "settings", "findings" };
	struct palette *p = (struct palette *)layer;
	struct rect all = { 0, 0, 0, 0 };
	int below, y, x;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	below = all.h >= 16 ? 4 : all.h >= 10 ? 2 : 0;
	list_fit(&p->list, p->rows.len, (size_t)(all.h - 1 - below));
	for (size_t i = p->list.top; p->why[0] == '\0' && i < p->list.count &&
	    i - p->list.top < p->list.height; i++)
		palette_draw_row(a, p, i, 1 + (int)(i - p->list.top), all.w);
	if (p->why[0] != '\0')
		canvas_text(1, 1, all.w - 2, STYLE_ERROR, p->why);
	else if (p->rows.len == 0)
		canvas_text(1, 1, all.w - 2, STYLE_NOTE, p->line.text[0] == '!' &&
		    a->findings->audit == NULL ? "not looked for yet: the findings are a view" :
		    "nothing matches");
	y = all.h - below;
	if (below > 0)
		palette_draw_detail(a, p, y++, all.w);
	if (below > 2) {
		canvas_text(y++, 1, all.w - 2, STYLE_NOTE, "Nothing typed: what you did last, then "
		    "all by name. An exact key comes first.");
		x = 1;
		for (int k = 0; k < PALETTE_KINDS; k++) {
			if (kinds[k].sign == '\0')
				continue;
			x += canvas_bytes(y, x, all.w - 1 - x, STYLE_KEY, &kinds[k].sign, 1) + 1;
			x += canvas_text(y, x, all.w - 1 - x, STYLE_NOTE, words[k]) + 2;
		}
		y++;
	}
	if (below > 0)
		canvas_text(y, 1, all.w - 2, STYLE_NOTE, all.w < 50 ? "Enter does it  Esc closes" :
		    "Enter does it  Tab completes  Up Down move  Esc closes");
	canvas_text(0, 1, 1, STYLE_KEY, ":");
	line_edit_draw(&p->line, 0, 3, all.w - 4);
}

static void
palette_complete(const struct app *a, struct palette *p)
{
	struct palette_line l;
	struct buf text;

	if (p->rows.len == 0)
		return;
	palette_line_make(a, palette_row(p, p->list.cursor), &l);
	buf_init(&text, NAME_MAX_BYTES);
	text_append_visible(&text, l.name.data, l.name.len);
	line_edit_set(&p->line, buf_cstr(&text));
	buf_release(&text);
	palette_line_release(&l);
	palette_search(a, p);
}

static void
palette_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct palette *p = (struct palette *)layer;
	bool letter = k >= ' ' && k < INPUT_FIRST && k != 0x7f;

	/* The rows are not shown meanwhile. */
	if (p->why[0] != '\0' && k == INPUT_ENTER)
		k = INPUT_OTHER;
	p->why[0] = '\0';
	if (k == INPUT_ESCAPE || (k == INPUT_ENTER && p->rows.len > 0)) {
		p->chosen = k == INPUT_ENTER;
		layer->done = true;
	} else if (k == INPUT_TAB) {
		palette_complete(a, p);
	} else if (!list_key(&p->list, k)) {
		if (p->former && letter)
			line_edit_set(&p->line, "");
		if (line_edit_key(&p->line, k))
			palette_search(a, p);
	}
	p->former = p->former && !letter && k != INPUT_BACKSPACE;
}

static void
palette_paste(struct layer *layer, struct app *a, const struct buf *text)
{
	struct palette *p = (struct palette *)layer;

	/* It covers the line of the notices. */
	p->why[0] = '\0';
	if (line_edit_paste(&p->line, text, p->why, sizeof(p->why)))
		palette_search(a, p);
}

static void
palette_about(const struct layer *layer, struct about *out)
{
	(void)layer;
	out->title = "the palette";
	out->types = true;
	about_key(out, INPUT_ENTER, "do what the line says, or go there");
	about_key(out, INPUT_TAB, "complete what is typed from the line");
	about_key(out, INPUT_DOWN, "next line");
	about_key(out, INPUT_UP, "previous line");
	about_key(out, INPUT_ESCAPE, "close; what was typed is kept for the next time");
}

/* --- what is done --- */

static void
palette_remember(struct palette_past *past, int id)
{
	size_t i = 0;

	while (i < past->recent_count && past->recent[i] != id)
		i++;
	if (i == past->recent_count && i < PALETTE_RECENT)
		past->recent_count++;
	else if (i == PALETTE_RECENT)
		i--;
	memmove(past->recent + 1, past->recent, i * sizeof(past->recent[0]));
	past->recent[0] = id;
}

/* To an environment, or a finding: groups and items may have other numbers once the view is
 * shown, so they are gone to by their names. */
static void
palette_go(struct app *a, const struct palette_row *row)
{
	struct outline *o = palette_outline(a, row->kind);
	bool is_group = row->item == OUTLINE_HEAD;
	struct outline_id group = o->ops->id(o->cookie, row->group, OUTLINE_HEAD);
	struct outline_id item = is_group ? (struct outline_id){ "", 0, 0 } :
	    o->ops->id(o->cookie, row->group, row->item);
	char *own = text_copy(group.bytes, group.len), *own_item = text_copy(item.bytes, item.len);

	if (own == NULL || own_item == NULL) {
		app_complain(a, "not enough memory");
		goto done;
	}
	group.bytes = own;
	item.bytes = own_item;
	if (!outline_passes(o, row->group, row->item)) {
		o->filter = row->kind == PALETTE_FINDING ? FINDINGS_EVERYTHING : FILES_ALL;
		(void)filter_set(&o->words, "", "");
	}
	app_show(a, row->kind == PALETTE_FINDING ? VIEW_FINDINGS : VIEW_FILES);
	views[a->view]->panes(a)->right_active = false;
	outline_hold_id(o, &group, is_group ? NULL : &item);
	view_build(a, o);
	if (!is_group && outline_at(o) != NULL && outline_at(o)->item == OUTLINE_HEAD) {
		/* It is folded away. */
		if (outline_fold(o, outline_at(o)->group, false) == -1)
			app_complain(a, "not enough memory");
		outline_hold_id(o, &group, &item);
		view_build(a, o);
	}
	view_moved(a, o);
done:
	free(own_item);
	free(own);
}

static void
palette_set_seconds(struct app *a, size_t which)
{
	int *const into[SET_COUNT] = { [SET_REVEAL] = &a->options->reveal_ms,
		[SET_COPY] = &a->options->copy_ms, [SET_LOCK] = &a->options->lock_ms };
	const struct setting_field field = { .name = settings[which].name,
		.type = SETTING_NUMBER, .min = 1, .max = SECONDS_MAX };
	unsigned int seconds = 0;
	struct error err;
	struct buf text;

	buf_init(&text, NAME_MAX_BYTES);
	buf_printf(&text, "%d", (*into[which] + 999) / 1000);
	if (ask_text(a, settings[which].name, settings[which].text, "Seconds:", &text)) {
		if (setting_store(&field, &seconds, buf_cstr(&text), &err) == -1) {
			app_refuse(a, "%s", err.text);
		} else {
			*into[which] = (int)(1000 * seconds);
			app_notice(a, "%s is %u; `%s = %u` in [ui] of propseal.ini keeps it",
			    settings[which].name, seconds, settings[which].name, seconds);
		}
	}
	buf_release(&text);
}

static void
palette_set(struct app *a, size_t item)
{
	if (item < THEME_COUNT) {
		theme_change((enum theme)item);
		app_notice(a, "theme %s; `theme = %s` in [ui] of propseal.ini keeps it",
		    theme_name((enum theme)item), theme_name((enum theme)item));
	} else if (item == THEME_COUNT + SET_MOUSE) {
		act_mouse(a);
	} else {
		palette_set_seconds(a, item - THEME_COUNT);
	}
}

static void
palette_do(struct app *a, const struct palette_row *row)
{
	const struct estate_file *f;
	const struct estate_entry *e;

	switch (row->kind) {
	case PALETTE_FILE:
	case PALETTE_ENTRY:
		f = tree_row(&a->model->tree, row->group)->file;
		e = row->kind == PALETTE_ENTRY ? &f->entries[row->item] : NULL;
		app_show(a, VIEW_FILES);
		files_show(a, f->path, e != NULL ? e->key : "", e != NULL ? e->key_len : 0);
		break;
	case PALETTE_ENVIRONMENT:
	case PALETTE_FINDING:
		palette_go(a, row);
		break;
	case PALETTE_SETTING:
		palette_set(a, row->item);
		break;
	default:
		palette_remember(&a->palette, (int)row->item);
		keymap_run(a, (enum action_id)row->item);
		break;
	}
}

void
act_palette(struct app *a)
{
	struct palette p;
	struct palette_row row = { PALETTE_DO, 0, 0 };
	bool chosen;

	memset(&p, 0, sizeof(p));
	p.layer.draw = palette_draw;
	p.layer.key = palette_key;
	p.layer.paste = palette_paste;
	p.layer.covers = true;
	p.layer.aside = true;
	p.layer.about = palette_about;
	vec_init(&p.rows, sizeof(struct palette_row), PALETTE_KINDS * (size_t)KIND_MAX);
	line_edit_set(&p.line, a->palette.typed);
	p.former = p.line.len > 0;
	palette_search(a, &p);
	chosen = loop_run(a, &p.layer) && p.chosen;
	if (chosen)
		row = *palette_row(&p, p.list.cursor);
	snprintf(a->palette.typed, sizeof(a->palette.typed), "%.*s",
	    chosen ? 0 : (int)columns_fit(p.line.text, p.line.len, PALETTE_TYPED_MAX / 4, NULL),
	    p.line.text);
	vec_release(&p.rows);
	if (chosen)
		palette_do(a, &row);
}
