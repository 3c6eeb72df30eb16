#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_view.h"
#include "ui/style.h"

#define TIME_COLUMNS 16	/* of 2026-10-05 12:34:56Z */
#define DAY_COLUMNS 10
#define STATE_COLUMNS 9	/* destroyed */
#define BOTH 30		/* fewer have no room for a name behind a time */

static unsigned int
style_of(const struct registry_version *v)
{
	return v->state == REGISTRY_LIVE ? STYLE_SEALED : STYLE_NOTE;
}

static char
letter_of(const struct registry_version *v)
{
	static const char letters[] = "S-e-";

	return letters[v->state];
}

/* Who made a version, and when, as far as there is room: rather less than a
 * part of it, as the detail has all. */
static void
draw_created(const struct registry_version *v, int y, int x, int w, unsigned int style)
{
	char time[TIME_COLUMNS + 1];
	int used;

	snprintf(time, sizeof(time), "%.*s", w < BOTH ? DAY_COLUMNS : TIME_COLUMNS, v->created);
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
	unsigned int style = style_of(v) | extra;
	int end = l->x + l->w;
	int x = l->x;
	char text[16];

	snprintf(text, sizeof(text), "%c", v->number == reg->marked ? '*' : letter_of(v));
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
draw_head(const struct registry *reg, const struct registry_selection *s,
    const struct rect *r)
{
	unsigned int style = reg->right_active ? STYLE_HEAD : STYLE_NOTE;
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
digits(const struct registry_key *k)
{
	const struct registry_version *newest = vec_at(&k->versions, 0);

	return snprintf(NULL, 0, "%u", newest->number);
}

static void
draw_row(struct app *a, const struct registry_selection *s, size_t i, const struct rect *line)
{
	const struct registry *reg = a->registry;
	size_t versions = s->key != NULL ? s->key->versions.len : 0;
	const struct registry_use *use;
	unsigned int extra = 0;

	if (reg->right_active && i == reg->right.cursor) {
		extra = STYLE_SELECTED;
		canvas_fill(line->y, line->x, line->w, STYLE_TEXT | extra);
		canvas_cursor(line->y, line->x, true);
	}
	if (i < versions) {
		draw_version(reg, vec_at(&s->key->versions, i), digits(s->key), line, extra);
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

void
pane_versions_draw(struct app *a)
{
	struct registry *reg = a->registry;
	struct registry_selection s = registry_selected(reg);
	struct rect r = a->layout.right;
	struct rect line = { .h = 1, .x = r.x, .w = r.w, .y = r.y };
	size_t versions = s.key != NULL ? s.key->versions.len : 0;
	size_t count = registry_right_count(reg);
	const char *why = reason(&s);
	int end = r.y + r.h;
	size_t i;

	draw_head(reg, &s, &a->layout.right_head);
	if (s.path == NULL || reg->known == REGISTRY_FAILED || reg->source == NULL)
		return;
	if (why != NULL) {
		canvas_text(r.y, r.x, r.w - 1, s.key->history == REGISTRY_FAILED ? STYLE_ERROR :
		    STYLE_NOTE, why);
		line.y++;
		r.h--;
	}
	/* One line is for what stands between the two. */
	list_fit(&reg->right, count, r.h > 2 ? (size_t)r.h - 1 : 1);
	for (i = reg->right.top; i <= count && line.y < end; i++) {
		if (i == versions)
			draw_between(reg, &a->layout.right, line.y++, count - versions);
		if (i < count && i - reg->right.top < reg->right.height) {
			draw_row(a, &s, i, &line);
			line.y++;
		}
	}
}
