#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/view.h"

#define WIDE 34		/* a narrower pane has no columns behind the names */
#define WIDER 70	/* a wider one tells who stored the version, and when */

/* Columns of the columns. */
#define REFS 4
#define WORD 11
#define WHO 10
#define TIME 16		/* of 2026-10-05 12:34:56Z */
#define GAP 2

/* Of a version. */
#define DAY_COLUMNS 10
#define STATE_COLUMNS 9	/* destroyed */
#define BOTH 30		/* fewer have no room for a name behind a time */

static void
paths_draw_none(const struct rect *r)
{
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	int y = canvas_wrapped(&room, r->y, STYLE_TEXT, "No registry is configured.");

	canvas_wrapped(&room, y + (r->h > 6), STYLE_NOTE,
	    "--url URL or $PROPSEAL_REGISTRY_URL names "
	    "one; --user NAME or --token-file FILE says who you are there. `propseal registry "
	    "serve` runs one: see propseal-registry(8).");
}

/* Why there is no list.  False: there is one. */
static bool
draw_reason(struct app *a, const struct rect *r)
{
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	const struct registry *reg = a->registry;
	char text[320];
	int y;

	if (reg->source == NULL) {
		paths_draw_none(r);
	} else if (reg->known == REGISTRY_FAILED) {
		y = canvas_wrapped(&room, r->y, STYLE_ERROR, reg->problem);
		if (reg->no_login)
			snprintf(text, sizeof(text), "%s logs in with a password. A token is "
			    "given by --token-file.", KEY(ACTION_UNLOCK));
		else
			snprintf(text, sizeof(text), "%s asks again.", KEY(ACTION_RESCAN));
		canvas_wrapped(&room, y + (r->h > 4), STYLE_NOTE, text);
	} else if (registry_unavailable(reg) != NULL && reg->known == REGISTRY_UNKNOWN) {
		snprintf(text, sizeof(text), "%s logs in as %s.", KEY(ACTION_UNLOCK), reg->user);
		canvas_wrapped(&room, r->y, STYLE_NOTE, text);
	} else if (reg->known == REGISTRY_UNKNOWN && !reg->looked) {
		canvas_wrapped(&room, r->y, STYLE_NOTE, "asking the registry");
	} else if (reg->panes.left.rows.len == 0) {
		y = canvas_wrapped(&room, r->y, STYLE_NOTE,
		    "nothing that you may see is stored here");
		snprintf(text, sizeof(text), "%s stores a first secret.", KEY(ACTION_ADD));
		canvas_wrapped(&room, y + (r->h > 4), STYLE_NOTE, text);
	} else {
		return false;
	}
	return true;
}

/* What stands behind a name: who changed it and when where there is room, one
 * word, and how many files refer to it.  The columns that are left. */
static int
draw_columns(const struct rect *l, unsigned int style, const struct registry_summary *by,
    const char *word, const char *uses)
{
	int x = l->x + l->w - 1 - REFS;
	char day[DAY_COLUMNS + 1];

	if (l->w < WIDE)
		return l->w;
	canvas_right(l->y, x, REFS, style, uses);
	x -= GAP + WORD;
	canvas_right(l->y, x, WORD, style, word);
	if (l->w >= WIDER && by != NULL && by->created[0] != '\0') {
		snprintf(day, sizeof(day), "%.*s", DAY_COLUMNS, by->created);
		canvas_text(l->y, x - GAP - WHO, WHO, style, by->created_by);
		canvas_text(l->y, x - 2 * GAP - WHO - DAY_COLUMNS, DAY_COLUMNS, style, day);
	}
	/* The words are shorter than their column, mostly. */
	if (l->w >= WIDER)
		return x - 2 * GAP - WHO - DAY_COLUMNS - l->x - 1;
	return x + WORD - columns_text(word, strlen(word)) - l->x - 1;
}

static size_t
count_keys(const struct registry_path *p)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < p->keys.len; i++)
		n += registry_key_at(p, i)->exists;
	return n;
}

/* Dimmed when nothing is live. */
static unsigned int
paths_style_of(enum registry_version_state state, unsigned int otherwise)
{
	return state == REGISTRY_LIVE ? otherwise : STYLE_NOTE;
}

static void
draw_path(const struct registry *reg, size_t group, const struct rect *l, unsigned int extra)
{
	const struct registry_path *p = registry_path_at(&reg->names, group);
	bool folded = outline_folded(&reg->panes.left, group);
	enum registry_version_state state = registry_path_state(p);
	unsigned int style = STYLE_NOTE;
	char word[48] = "", uses[24] = "";
	int w;

	if (p->known == REGISTRY_FAILED) {
		snprintf(word, sizeof(word), "X");
		style = STYLE_DAMAGED;
	} else if (!p->exists && reg->known == REGISTRY_KNOWN) {
		snprintf(word, sizeof(word), l->w < WIDE ? "D" : "D not there");
		style = STYLE_DANGLING;
	} else if (state != REGISTRY_LIVE) {
		snprintf(word, sizeof(word), "%s", l->w < WIDE ? "-" : registry_state_name(state));
	} else if (p->known == REGISTRY_KNOWN && l->w >= WIDE) {
		snprintf(word, sizeof(word), "%zu%s %s", count_keys(p), p->cut ? "+" : "",
		    count_keys(p) == 1 ? "key" : "keys");
	}
	if (reg->uses.done)
		snprintf(uses, sizeof(uses), "%zu", p->uses);
	w = draw_columns(l, style | extra, NULL, word, uses);
	if (l->w < WIDE && word[0] != '\0')
		w -= 1 + canvas_right(l->y, l->x, l->w - 1, style | extra, word);
	style = paths_style_of(state, STYLE_FILE) | extra;
	canvas_text(l->y, l->x, 1, style, canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_text(l->y, l->x + 2, w - 3, style, p->name);
}

/* A key's letter: live, referred to in vain, deleted, referred to by nothing. */
static char
paths_letter_of(const struct registry *reg, const struct registry_path *p,
    const struct registry_key *k, unsigned int *style)
{
	if (registry_key_dangles(p, k)) {
		*style = STYLE_DANGLING;
		return 'D';
	}
	*style = STYLE_NOTE;
	if (registry_key_state(k) != REGISTRY_LIVE)
		return '-';
	if (k->uses == 0 && reg->uses.done)
		return '?';
	*style = STYLE_SEALED;
	return 'S';
}

static void
paths_draw_key(const struct registry *reg, const struct outline_row *row, const struct rect *l,
    unsigned int extra)
{
	const struct registry_path *p = registry_path_at(&reg->names, row->group);
	const struct registry_key *k = registry_key_at(p, row->item);
	enum registry_version_state state = registry_key_state(k);
	unsigned int style;
	char letter[2] = { paths_letter_of(reg, p, k, &style), '\0' };
	char word[24] = "", uses[24] = "";
	int w;

	if (!k->exists && registry_key_dangles(p, k))
		snprintf(word, sizeof(word), "not there");
	else if (k->counted && state != REGISTRY_LIVE)
		snprintf(word, sizeof(word), "%s", registry_state_name(state));
	else if (k->counted)
		snprintf(word, sizeof(word), "v%u", k->summary.current);
	if (reg->uses.done)
		snprintf(uses, sizeof(uses), "%zu", k->uses);
	w = draw_columns(l, style | extra, k->counted ? &k->summary : NULL, word, uses);
	canvas_text(l->y, l->x + 2, 1, style | extra, letter);
	canvas_text(l->y, l->x + 4, w - 5, style | extra, k->name);
}

static void
paths_draw_head(const struct registry *reg, const struct rect *r)
{
	static const struct registry_summary by = { .created = "stored", .created_by = "by" };
	int w = r->w;

	if (r->h == 0)
		return;
	if (reg->panes.left.rows.len > 0)
		w = draw_columns(r, STYLE_NOTE, &by, "version", "refs");
	canvas_text(r->y, r->x + 1, w - 1, reg->panes.right_active ? STYLE_NOTE : STYLE_HEAD,
	    "Paths and keys");
}

/* On the last line: the list is not all that there is.  The lines that are left. */
static int
draw_cut(const struct registry *reg, const struct rect *r)
{
	char text[96];

	if (!reg->cut || !registry_shown(reg) || r->h < 2)
		return r->h;
	snprintf(text, sizeof(text), r->w < WIDE ? "first %d only" :
	    "only the first %d paths are shown", REGISTRY_NAMES_MAX);
	canvas_text(r->y + r->h - 1, r->x + 1, r->w - 2, STYLE_NOTICE, text);
	return r->h - 1;
}

static void
paths_draw_row(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct registry *reg = a->registry;
	const struct outline_row *row = outline_row(&reg->panes.left, i);

	if (row->item == OUTLINE_HEAD)
		draw_path(reg, row->group, line, extra);
	else
		paths_draw_key(reg, row, line, extra);
}

static void
paths_draw(struct app *a)
{
	static const struct frame_rows rows = { .draw = paths_draw_row };
	struct registry *reg = a->registry;
	struct rect r = a->layout.left;

	paths_draw_head(reg, &a->layout.left_head);
	r.h = draw_cut(reg, &r);
	if (!draw_reason(a, &a->layout.left))
		frame_draw_rows(a, &reg->panes.left, &r, !reg->panes.right_active, &rows);
}

static unsigned int
versions_style_of(const struct registry_version *v)
{
	return v->state == REGISTRY_LIVE ? STYLE_SEALED : STYLE_NOTE;
}

static char
versions_letter_of(const struct registry_version *v)
{
	static const char letters[] = "S-e-";

	return letters[v->state];
}

/* Who made a version, and when, as far as there is room: rather less than a
 * part of it, as the detail has all. */
static void
draw_created(const struct registry_version *v, int y, int x, int w, unsigned int style)
{
	char time[TIME + 1];
	int used;

	snprintf(time, sizeof(time), "%.*s", w < BOTH ? DAY_COLUMNS : TIME, v->created);
	if (w < DAY_COLUMNS)
		return;
	used = canvas_text(y, x, w, style, time) + 2;
	if (w - used > 2)
		canvas_text(y, x + used, w - used - 1, style, v->created_by);
}

/* S 3  live       2026-10-05 12:34  alice */
static void
draw_version(const struct registry *reg, const struct registry_version *v, int digits,
    const struct rect *l, unsigned int extra)
{
	unsigned int style = versions_style_of(v) | extra;
	int end = l->x + l->w;
	int x = l->x;
	char text[16];

	snprintf(text, sizeof(text), "%c", v->number == reg->marked ? '*' : versions_letter_of(v));
	canvas_text(l->y, x, 1, v->number == reg->marked ? STYLE_MARK | extra : style, text);
	snprintf(text, sizeof(text), "%u", v->number);
	x += 2;
	canvas_text(l->y, x, end - x, style, text);
	x += digits + 2;
	canvas_text(l->y, x, end - x, style, registry_state_name(v->state));
	x += STATE_COLUMNS + 1;
	if (x < end)
		draw_created(v, l->y, x, end - x, style);
}

/* connect/pay.json:4  config.password */
static void
draw_use(const struct app *a, const struct registry_use *u, const struct rect *l,
    unsigned int extra)
{
	unsigned int style = (u->misplaced ? STYLE_CLEAR : STYLE_TEXT) | extra;
	char text[1024];
	int used;

	canvas_text(l->y, l->x, 1, style, u->misplaced ? "!" : " ");
	snprintf(text, sizeof(text), "%s:%zu", model_show_path(a->model, u->file), u->line);
	used = canvas_tail(l->y, l->x + 2, l->w - 3, style, text);
	if (l->w - used > 8)
		canvas_bytes(l->y, l->x + used + 4, l->w - used - 5, STYLE_NOTE | extra,
		    u->entry, u->entry_len);
}

static void
versions_draw_head(const struct registry *reg, const struct registry_selection *s,
    const struct rect *r)
{
	unsigned int style = reg->panes.right_active ? STYLE_HEAD : STYLE_NOTE;
	char text[64] = "";
	int used = 0;

	if (r->h == 0)
		return;
	if (s->path == NULL) {
		canvas_text(r->y, r->x, r->w, style, "Versions");
		return;
	}
	if (s->key != NULL && s->key->history == REGISTRY_KNOWN)
		snprintf(text, sizeof(text), "%zu %s", s->key->versions.len,
		    s->key->versions.len == 1 ? "version" : "versions");
	if (text[0] != '\0')
		used = 1 + canvas_right(r->y, r->x, r->w - 1, STYLE_NOTE, text);
	canvas_text(r->y, r->x, r->w - used - 1, style, s->key != NULL ? s->key->name :
	    s->path->name);
}

/* What stands between the versions and what refers to them. */
static void
draw_between(const struct registry *reg, const struct rect *r, int y, size_t uses)
{
	char text[64];

	if (y >= r->y + r->h)
		return;
	if (!reg->uses.done)
		snprintf(text, sizeof(text), "Looking for references");
	else if (uses == 0)
		snprintf(text, sizeof(text), "No file here refers to it");
	else
		snprintf(text, sizeof(text), "Referred to by %zu", uses);
	canvas_hline(y, r->x, r->w);
	canvas_text(y, r->x + 1, r->w - 2, STYLE_HEAD, text);
}

/* Columns of the longest number of a version. */
static int
versions_digits(const struct registry_key *k)
{
	const struct registry_version *newest = vec_at(&k->versions, 0);

	return snprintf(NULL, 0, "%u", newest->number);
}

static void
versions_draw_row(struct app *a, const struct registry_selection *s, size_t i,
    const struct rect *line)
{
	const struct registry *reg = a->registry;
	size_t versions = s->key != NULL ? s->key->versions.len : 0;
	const struct registry_use *use;
	unsigned int extra = 0;

	if (reg->panes.right_active && i == reg->panes.right.list.cursor) {
		extra = STYLE_SELECTED;
		canvas_fill(line->y, line->x, line->w, STYLE_TEXT | extra);
		canvas_cursor(line->y, line->x, true);
	}
	if (i < versions) {
		draw_version(reg, vec_at(&s->key->versions, i), versions_digits(s->key), line,
		    extra);
		return;
	}
	use = registry_uses_find(&reg->uses, s->path->name, s->key != NULL ? s->key->name : NULL,
	    i - versions);
	if (use != NULL)
		draw_use(a, use, line, extra);
}

/* Why there are no versions. */
static const char *
reason(const struct registry_selection *s)
{
	if (s->key == NULL || s->key->versions.len > 0)
		return NULL;
	if (s->key->history == REGISTRY_FAILED)
		return s->key->problem;
	if (!s->key->exists)
		return s->path->known == REGISTRY_UNKNOWN && s->path->exists ? NULL :
		    "not in the registry";
	return s->key->history == REGISTRY_KNOWN ? "no version is left" : "asking for its versions";
}

static void
versions_draw(struct app *a)
{
	struct registry *reg = a->registry;
	struct list *list = &reg->panes.right.list;
	struct registry_selection s = registry_selected(reg);
	struct rect r = a->layout.right;
	struct rect line = { .h = 1, .x = r.x, .w = r.w, .y = r.y };
	size_t versions = s.key != NULL ? s.key->versions.len : 0;
	size_t count = registry_right_count(reg);
	const char *why = reason(&s);
	int end = r.y + r.h;
	size_t i;

	versions_draw_head(reg, &s, &a->layout.right_head);
	if (s.path == NULL || reg->known == REGISTRY_FAILED || reg->source == NULL)
		return;
	if (why != NULL) {
		canvas_text(r.y, r.x, r.w - 1, s.key->history == REGISTRY_FAILED ? STYLE_ERROR :
		    STYLE_NOTE, why);
		line.y++;
		r.h--;
	}
	/* One line is for what stands between the two. */
	list_fit(list, count, r.h > 2 ? (size_t)r.h - 1 : 1);
	for (i = list->top; i <= count && line.y < end; i++) {
		if (i == versions)
			draw_between(reg, &a->layout.right, line.y++, count - versions);
		if (i < count && i - list->top < list->height) {
			versions_draw_row(a, &s, i, &line);
			line.y++;
		}
	}
}

static void
registry_say_path(struct words *w, const struct registry_path *p)
{
	if (p->known == REGISTRY_FAILED) {
		w->style = STYLE_ERROR;
		buf_append_str(&w->text, p->problem);
	} else if (!p->exists) {
		buf_printf(&w->text, "Configuration files refer to it, but the registry has no "
		    "such path, or you may not see it. %s stores a first secret.",
		    KEY(ACTION_ADD));
	} else if (registry_path_state(p) != REGISTRY_LIVE) {
		buf_printf(&w->text, "Nothing of it is live. %s on one of its keys brings back the "
		    "newest version that was deleted, %s creates a key.",
		    KEY(ACTION_UNDELETE), KEY(ACTION_ADD));
	} else {
		buf_printf(&w->text, "%s creates a key, %s deletes the path with all its keys.",
		    KEY(ACTION_ADD), KEY(ACTION_REMOVE));
	}
}

static void
registry_say_key(struct words *w, const struct registry_path *p, const struct registry_key *k)
{
	const struct registry_version *v = registry_key_latest(k);

	if (!k->exists && p->known != REGISTRY_UNKNOWN) {
		buf_printf(&w->text, "Referred to as ${secret:%s:%s}, but the registry has no such "
		    "key. %s creates it.", p->name, k->name, KEY(ACTION_ADD));
		return;
	}
	if (registry_key_state(k) != REGISTRY_LIVE) {
		buf_printf(&w->text, "No version is live: what refers to it gets nothing. %s "
		    "stores a new one", KEY(ACTION_UPDATE));
		if (registry_key_lost(k) != NULL)
			buf_printf(&w->text, ", %s brings back version %u",
			    KEY(ACTION_UNDELETE), registry_key_lost(k)->number);
		buf_append_char(&w->text, '.');
		return;
	}
	buf_printf(&w->text, "Referred to as ${secret:%s:%s}. %s shows the newest value, %s stores "
	    "a new version", p->name, k->name, KEY(ACTION_REVEAL), KEY(ACTION_UPDATE));
	if (v != NULL && registry_key_live_before(k, v->number) != NULL)
		buf_printf(&w->text, ", %s compares the newest two",
		    KEY(ACTION_COMPARE));
	buf_append_char(&w->text, '.');
}

static void
registry_say_version(struct words *w, const struct registry_key *k,
    const struct registry_version *v)
{
	buf_printf(&w->text, "Version %u, %s.", v->number, registry_state_name(v->state));
	if (v->created[0] != '\0')
		buf_printf(&w->text, " Created %s by %s.", v->created, v->created_by);
	if (v->deleted[0] != '\0')
		buf_printf(&w->text, " Deleted %s by %s.", v->deleted, v->deleted_by);
	if (v->expires[0] != '\0')
		buf_printf(&w->text, " Expires %s.", v->expires);
	if (v->state == REGISTRY_LIVE && registry_key_live_before(k, v->number) != NULL)
		buf_printf(&w->text, " %s shows it, %s compares it with the one before, %s deletes "
		    "it.", KEY(ACTION_REVEAL), KEY(ACTION_COMPARE), KEY(ACTION_REMOVE));
	else if (v->state == REGISTRY_LIVE)
		buf_printf(&w->text, " %s shows it, %s deletes it.",
		    KEY(ACTION_REVEAL), KEY(ACTION_REMOVE));
	else if (v->state == REGISTRY_DELETED)
		buf_printf(&w->text, " %s brings it back.", KEY(ACTION_UNDELETE));
}

static void
registry_say_use(struct words *w, const struct registry_use *u)
{
	buf_printf(&w->text, "Refers to ${secret:%s:%s}. ", u->path, u->key);
	if (u->misplaced)
		buf_append_str(&w->text, "It is misplaced: the connector of this file has another "
		    "name, so that a Connect worker refuses it. ");
	buf_printf(&w->text, "%s goes there.", KEY(ACTION_OPEN));
}

/* --- facts, for the third pane: what is not known is left out --- */

static void
registry_say_times(struct words *w, const struct registry_version *v)
{
	if (v->created[0] != '\0')
		words_fact(w, "stored", "%s by %s", v->created, v->created_by);
	if (v->deleted[0] != '\0')
		words_fact(w, "deleted", "%s by %s", v->deleted, v->deleted_by);
	if (v->expires[0] != '\0')
		words_fact(w, "expires", "%s", v->expires);
}

static void
registry_say_facts(const struct registry *reg, struct words *w, const struct registry_selection *s)
{
	const struct registry_version *v = s->version != NULL ? s->version : s->key != NULL ?
	    registry_key_latest(s->key) : NULL;
	size_t live = 0;

	if (s->key == NULL && s->path->known == REGISTRY_KNOWN)
		words_fact(w, "keys", "%zu%s", count_keys(s->path), s->path->cut ? "+" : "");
	if (v != NULL) {
		words_fact(w, s->version != NULL ? "version" : "newest", "%u, %s", v->number,
		    registry_state_name(v->state));
		registry_say_times(w, v);
	}
	if (s->key != NULL && s->key->history == REGISTRY_KNOWN) {
		for (size_t i = 0; i < s->key->versions.len; i++) {
			v = vec_at(&s->key->versions, i);
			live += v->state == REGISTRY_LIVE;
		}
		words_fact(w, "versions", "%zu, %zu live", s->key->versions.len, live);
	}
	if (reg->uses.done)
		words_fact(w, "references", "%zu in the files here", s->key != NULL ?
		    s->key->uses : s->path->uses);
}

static void
registry_say(struct app *a, struct words *w)
{
	struct registry_selection s = registry_selected(a->registry);

	if (a->registry->known == REGISTRY_FAILED || a->registry->source == NULL || s.path == NULL)
		return;
	if (s.use != NULL) {
		buf_printf(&w->place, "%s:%zu", model_show_path(a->model, s.use->file),
		    s.use->line);
		buf_append(&w->name, s.use->entry, s.use->entry_len);
		registry_say_use(w, s.use);
		return;
	}
	buf_append_str(&w->place, s.path->name);
	if (s.key != NULL)
		buf_append_str(&w->name, s.key->name);
	if (s.version != NULL)
		registry_say_version(w, s.key, s.version);
	else if (s.key != NULL)
		registry_say_key(w, s.path, s.key);
	else
		registry_say_path(w, s.path);
	registry_say_facts(a->registry, w, &s);
}

static void
registry_title(struct app *a, struct buf *where, struct buf *state)
{
	const struct registry *reg = a->registry;

	if (reg->source == NULL)
		buf_append_str(state, "none");
	else if (reg->known == REGISTRY_UNKNOWN && registry_unavailable(reg) == NULL)
		buf_append_str(state, "asking");
	else if (reg->known == REGISTRY_FAILED)
		buf_append_str(state, reg->no_login ? "not logged in" : "not reached");
	else if (registry_unavailable(reg) != NULL)
		buf_append_str(state, "not logged in");
	else
		buf_append_str(state, reg->user);
	if (reg->source != NULL)
		buf_append_str(where, reg->source->url);
}

/* Add "N one" or "N many" to a list, if there are any. */
static void
registry_count(struct buf *out, size_t n, const char *one, const char *many)
{
	if (n > 0)
		buf_printf(out, "%s%zu %s", out->len > 0 ? ", " : "", n, n == 1 ? one : many);
}

static void
registry_draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct registry *reg = a->registry;
	const struct registry_path *p;
	size_t paths = 0, keys = 0, deleted = 0, dangling = 0, misplaced = 0;
	bool all = true;
	const struct registry_use *use;
	struct buf text;
	size_t i, k;

	for (i = 0; i < reg->names.paths.len; i++) {
		p = registry_path_at(&reg->names, i);
		paths += p->exists;
		deleted += registry_path_state(p) != REGISTRY_LIVE;
		all = all && (!p->exists || p->known != REGISTRY_UNKNOWN);
		for (k = 0; k < p->keys.len; k++) {
			keys += registry_key_at(p, k)->exists;
			dangling += registry_key_dangles(p, registry_key_at(p, k));
		}
	}
	for (i = 0; i < reg->uses.list.len; i++) {
		use = vec_at(&reg->uses.list, i);
		misplaced += use->misplaced;
	}
	buf_init(&text, 512);
	if (reg->rotating)
		buf_printf(&text, "rotation: %zu of %zu sealed again", reg->rotated,
		    reg->rotation_total);
	if (reg->known == REGISTRY_KNOWN) {
		registry_count(&text, paths, reg->cut ? "path and more" : "path",
		    reg->cut ? "paths and more" : "paths");
		if (deleted > 0)
			buf_printf(&text, " (%zu deleted)", deleted);
		registry_count(&text, keys, all ? "key" : "key so far",
		    all ? "keys" : "keys so far");
		registry_count(&text, reg->uses.list.len, "reference", "references");
		registry_count(&text, dangling, "dangling", "dangling");
		registry_count(&text, misplaced, "misplaced", "misplaced");
	}
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, buf_cstr(&text));
	buf_release(&text);
}

/* --- what the keys do in this view alone --- */

void
act_registry_open(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.use != NULL) {
		files_show(a, s.use->file, s.use->entry, s.use->entry_len);
		app_show(a, VIEW_FILES);
	} else if (s.key == NULL && s.path != NULL) {
		act_turn_fold(a);
	} else if (!a->registry->panes.right_active && s.key != NULL) {
		a->registry->panes.right_active = true;
	}
}

void
act_registry_cancel(struct app *a)
{
	a->registry->marked = 0;
}

void
act_registry_refresh(struct app *a)
{
	registry_refresh(a->registry);
	if (a->registry->source != NULL && registry_unavailable(a->registry) != NULL)
		(void)act_registry_ready(a);
	else
		app_notice(a, "asking anew");
}

static void
registry_entered(struct app *a)
{
	struct registry *r = a->registry;

	/* Files may have changed since the view was shown last. */
	registry_uses_restart(&r->uses);
	registry_names_forget_uses(&r->names);
	if (r->source != NULL && r->known == REGISTRY_UNKNOWN && registry_unavailable(r) != NULL)
		(void)act_registry_ready(a);
}

static struct panes *
registry_panes(struct app *a)
{
	return &a->registry->panes;
}

/* Another path or key has other versions. */
static void
registry_moved(struct app *a, struct outline *o)
{
	if (o == &a->registry->panes.left)
		registry_rows_moved(a->registry);
}

const struct view_ops view_registry = {
	.name = "registry",
	.shows = ACTION_VIEW_REGISTRY,
	.only_here = "this is for the registry",
	.left_leads = true,
	.third_pane = true,
	.panes = registry_panes,
	.entered = registry_entered,
	.moved = registry_moved,
	.folded = registry_moved,
	.is_due = registry_is_due,
	.tick = registry_step,
	.title = registry_title,
	.draw_left = paths_draw,
	.draw_right = versions_draw,
	.draw_counts = registry_draw_counts,
	.say = registry_say,
};
