#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "rotation/rotation.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/rotating.h"
#include "ui/view.h"

/* The view of rotations: a session of new keys (rotation/rotation.h) in its steps.  What is to
 * be done stands in one list, by step. */

#define TWO_PANES 110	/* narrower, the list has the whole width */
#define WIDE 56		/* a narrower list says less */
#define NARROW 36
#define STRIP 47	/* columns of the line of steps */
#define NAME_WIDTH 18
#define TEXT_BYTES ((size_t)8 << 20)
#define LINE ROTATING_TICK
#define PROVE "propseal rotation verify --host PATH"
#define NO_SERVICES "No configuration file of it is shown here.\n"

const char *const rotating_step_names[ROTATING_STEPS] = { "plan", "keys", "apply", "verify",
	"hosts", "finish" };

/* What is to be done on the hosts of each environment: the name of its tick, and its words. */
static const struct {
	const char *name, *text;
} host_steps[] = {
	{ "copy", "copy the secrets file; keep the old one beside it" },
	{ "key", "give every service the new master key" },
	{ "start", "restart brokers, then the others, one at a time" },
	{ "prove", PROVE },
};

#define HOST_STEPS (sizeof(host_steps) / sizeof(host_steps[0]))

enum { END_KEYS, END_VERIFIED, END_HOSTS, ENDS };

/* --- what the session wants --- */

static bool
has_new_keys(const struct rotating *t)
{
	return rotation_kind(t->session) & ROTATION_MASTER_KEY;
}

/* The name under which it is noted that the new key of a file was saved. */
void
rotating_key_tick(const struct rotating *t, size_t file, char out[ROTATING_TICK])
{
	if (rotation_is_common(t->session))
		snprintf(out, ROTATING_TICK, "key");
	else
		snprintf(out, ROTATING_TICK, "key %s", rotation_file(t->session, file)->file);
}

void
rotating_host_tick(const struct rotating *t, size_t file, size_t step, char out[ROTATING_TICK])
{
	snprintf(out, ROTATING_TICK, "%s %s", host_steps[step].name,
	    rotation_file(t->session, file)->file);
}

/* A step of a rotation without new master keys has none to hand out. */
static bool
host_has(const struct rotating *t, size_t step)
{
	return has_new_keys(t) || strcmp(host_steps[step].name, "key") != 0;
}

static bool
is_part(const struct rotating *t, size_t file)
{
	return rotation_file(t->session, file)->state != ROTATION_FILE_SKIPPED;
}

/* How many keys are not known to be saved. */
size_t
rotating_keys_open(const struct rotating *t)
{
	char name[LINE];
	size_t n = 0;

	for (size_t i = 0; has_new_keys(t) && i < rotation_count(t->session); i++) {
		if (!is_part(t, i))
			continue;
		rotating_key_tick(t, i, name);
		n += !rotation_ticked(t->session, name);
		if (rotation_is_common(t->session))
			break;
	}
	return n;
}

static size_t
hosts_open(const struct rotating *t)
{
	char name[LINE];
	size_t n = 0;

	for (size_t i = 0; i < rotation_count(t->session); i++)
		for (size_t k = 0; is_part(t, i) && k < HOST_STEPS; k++) {
			rotating_host_tick(t, i, k, name);
			n += host_has(t, k) && !rotation_ticked(t->session, name);
		}
	return n;
}

/* --- the rows --- */

static struct rotating_group *
group_at(const struct rotating *t, size_t i)
{
	return vec_at(&t->groups, i);
}

static struct rotating_row *
row_at(const struct rotating *t, size_t group, size_t item)
{
	return vec_at(&t->rows, group_at(t, group)->first + item);
}

/* The session's own texts go with it, whenever it is read again. */
static const char *
group_name(const struct rotating *t, size_t i)
{
	const struct rotating_group *g = group_at(t, i);

	return g->name != NULL ? g->name : rotation_file(t->session, g->file)->environment;
}

static size_t
rotation_groups(const void *rotating)
{
	return ((const struct rotating *)rotating)->groups.len;
}

static size_t
rotation_items(const void *rotating, size_t group)
{
	return group_at(rotating, group)->count;
}

static const struct rotating_other *
other_at(const struct rotating *t, size_t i)
{
	return vec_at(&t->others, i);
}

static const char *
row_name(const struct rotating *t, const struct rotating_row *r)
{
	if (r->kind == ROTATING_ROW_ENVIRONMENT)
		return ((struct rotating_environment *)vec_at(&t->environments, r->index))->name;
	if (r->kind == ROTATING_ROW_FOUND)
		return vec_string(&t->texts, r->index);
	if (r->kind == ROTATING_ROW_FILE || r->kind == ROTATING_ROW_KEY)
		return rotation_file(t->session, r->index)->environment;
	if (r->kind == ROTATING_ROW_OTHER)
		return other_at(t, r->index)->dir;
	return r->kind == ROTATING_ROW_HOST ? host_steps[r->step].name : "";
}

static struct outline_id
rotation_id_of(const void *rotating, size_t group, size_t item)
{
	const struct rotating *t = rotating;
	const char *name = group_name(t, group);

	if (item == OUTLINE_HEAD)
		return (struct outline_id){ name, strlen(name), 0 };
	name = row_name(t, row_at(t, group, item));
	return (struct outline_id){ name, strlen(name), item + 1 };
}

static const struct outline_ops rotation_ops = {
	.groups = rotation_groups,
	.items = rotation_items,
	.id = rotation_id_of,
};

static size_t
no_groups(const void *rotating)
{
	(void)rotating;
	return 0;
}

static const struct outline_ops no_ops = { .groups = no_groups };

void
view_rotation_open(struct rotating *t)
{
	memset(t, 0, sizeof(*t));
	rotating_open(t);
	outline_init(&t->panes.left, &rotation_ops, t);
	outline_init(&t->panes.right, &no_ops, t);
	t->panes.left.folded = false;
}

void
view_rotation_close(struct rotating *t)
{
	outline_release(&t->panes.left);
	outline_release(&t->panes.right);
	rotating_close(t);
}

static void
add_group(struct rotating *t, const char *name, size_t file)
{
	struct rotating_group *g = vec_push(&t->groups);

	if (g != NULL)
		*g = (struct rotating_group){ name, file, t->rows.len, 0 };
}

static void
add_row(struct rotating *t, enum rotating_kind kind, size_t index, size_t step)
{
	struct rotating_row *r = t->groups.len > 0 ? vec_push(&t->rows) : NULL;

	if (r == NULL)
		return;
	*r = (struct rotating_row){ kind, index, step };
	group_at(t, t->groups.len - 1)->count++;
}

static void
add_plan(struct rotating *t)
{
	add_group(t, "new keys", 0);
	add_row(t, ROTATING_ROW_MASTER, 0, 0);
	if (t->master)
		add_row(t, ROTATING_ROW_COMMON, 0, 0);
	add_row(t, ROTATING_ROW_DATA, 0, 0);
	add_group(t, "environments", 0);
	for (size_t i = 0; i < t->environments.len; i++)
		add_row(t, ROTATING_ROW_ENVIRONMENT, i, 0);
	if (t->step != ROTATING_KEYS)
		return;
	add_group(t, "pre-flight", 0);
	for (size_t i = 0; i < t->texts.len; i++)
		add_row(t, ROTATING_ROW_FOUND, i, 0);
}

static void
add_session(struct rotating *t)
{
	size_t n = rotation_count(t->session);

	if (t->step >= ROTATING_HOSTS && has_new_keys(t)) {
		add_group(t, "new master key", 0);
		for (size_t i = 0; i < n; i++) {
			if (!is_part(t, i))
				continue;
			add_row(t, ROTATING_ROW_KEY, i, 0);
			if (rotation_is_common(t->session))
				break;
		}
	}
	if (t->step < ROTATING_HOSTS) {
		add_group(t, "files", 0);
		for (size_t i = 0; i < n; i++)
			add_row(t, ROTATING_ROW_FILE, i, 0);
		return;
	}
	for (size_t i = 0; t->step == ROTATING_HOSTS && i < n; i++) {
		if (!is_part(t, i))
			continue;
		add_group(t, NULL, i);
		for (size_t k = 0; k < HOST_STEPS; k++)
			if (host_has(t, k))
				add_row(t, ROTATING_ROW_HOST, i, k);
	}
	add_group(t, "to finish", 0);
	for (size_t k = has_new_keys(t) ? END_KEYS : END_VERIFIED; k < ENDS; k++)
		add_row(t, ROTATING_ROW_END, 0, k);
}

void
rotating_build(struct app *a)
{
	struct rotating *t = a->rotating;

	vec_release(&t->groups);
	vec_release(&t->rows);
	t->services_of = NULL;
	if (t->session == NULL)
		add_plan(t);
	else
		add_session(t);
	if (t->others.len > 0)
		add_group(t, "other sessions", 0);
	for (size_t i = 0; i < t->others.len; i++)
		add_row(t, ROTATING_ROW_OTHER, i, 0);
	view_build(a, &t->panes.left);
}

/* Another step: the cursor goes to its first row that is worked on. */
void
rotating_go(struct app *a, enum rotating_step step, size_t group)
{
	struct rotating *t = a->rotating;
	size_t row;

	t->step = step;
	rotating_build(a);
	if (group >= t->groups.len)
		group = t->groups.len > 0 ? t->groups.len - 1 : 0;
	row = outline_find(&t->panes.left, group, 0);
	if (row < t->panes.left.rows.len)
		list_go(&t->panes.left.list, row);
	outline_hold(&t->panes.left);
}

/* The row that the cursor is on; NULL: it is on a heading. */
const struct rotating_row *
rotating_here(const struct app *a)
{
	const struct outline_row *row = outline_at(&a->rotating->panes.left);

	return row != NULL && row->item != OUTLINE_HEAD ?
	    row_at(a->rotating, row->group, row->item) : NULL;
}

/* --- drawing --- */

static const struct {
	const char *word;
	unsigned int style;
} file_looks[] = {
	[ROTATION_FILE_PENDING] = { "pending", STYLE_NOTE },
	[ROTATION_FILE_APPLIED] = { "done", STYLE_SEALED },
	[ROTATION_FILE_VERIFIED] = { "proved", STYLE_SEALED },
	[ROTATION_FILE_ROLLED_BACK] = { "back", STYLE_DANGLING },
	[ROTATION_FILE_SKIPPED] = { "out", STYLE_NOTE },
	[ROTATION_FILE_FAILED] = { "failed", STYLE_CLEAR },
};

/* A box, ticked or not; the column behind it. */
static int
draw_box(const struct rect *l, int x, bool on, unsigned int extra)
{
	return x + canvas_text(l->y, x, 3, (on ? STYLE_MARK : STYLE_NOTE) | extra,
	    on ? "[x]" : "[ ]") + 1;
}

static void
draw_environment(const struct rotating_environment *x, const struct rect *l, int at,
    unsigned int extra)
{
	int end = l->x + l->w - 1;
	char text[128];

	at = draw_box(l, at, x->on, extra);
	if (l->w < NARROW)
		snprintf(text, sizeof(text), "%s%zu", x->problems > 0 ? "X " : x->looked ? "S " :
		    "", x->problems > 0 ? x->problems : x->entries);
	else if (x->problems > 0)
		snprintf(text, sizeof(text), "X %zu %s not open", x->problems, x->problems == 1 ?
		    "does" : "do");
	else if (x->looked)
		snprintf(text, sizeof(text), "opens %zu of %zu", x->entries, x->entries);
	else
		snprintf(text, sizeof(text), "%zu sealed", x->entries);
	end -= canvas_right(l->y, at, end - at, (x->problems > 0 ? STYLE_DAMAGED : x->looked ?
	    STYLE_SEALED : STYLE_NOTE) | extra, text) + 2;
	canvas_text(l->y, at, end - at < NAME_WIDTH || l->w < WIDE ? end - at : NAME_WIDTH,
	    STYLE_FILE | extra, x->name);
	at += NAME_WIDTH + 1;
	if (!x->looked || l->w < WIDE || at >= end)
		return;
	snprintf(text, sizeof(text), "%zu sealed, %zu %s", x->entries, x->references,
	    x->references == 1 ? "reference" : "references");
	canvas_text(l->y, at, end - at, STYLE_NOTE | extra, text);
}

/* The name of the file that is ${offset} further in the session. */
static bool
file_name_at(const void *session, size_t row, int offset, struct buf *out)
{
	const struct rotation *r = session;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= rotation_count(r))
		return false;
	buf_append_str(out, rotation_file(r, row + (size_t)offset)->file);
	return true;
}

static void
draw_file(const struct rotating *t, const struct rotating_row *r, const struct rect *l, int at,
    unsigned int extra)
{
	const struct rotation_file *f = rotation_file(t->session, r->index);
	const struct name_neighbours beside = { file_name_at, t->session, r->index };
	int end = l->x + l->w - 1;
	char text[64];
	struct buf name;

	canvas_text(l->y, at, end - at, file_looks[f->state].style | extra,
	    file_looks[f->state].word);
	at += 9;
	if (at >= end)
		return;
	if (l->w >= WIDE) {
		snprintf(text, sizeof(text), "%zu %s", f->entries, f->entries == 1 ? "entry" :
		    "entries");
		end -= canvas_right(l->y, at, end - at, STYLE_NOTE | extra, text) + 2;
		canvas_text(l->y, at, NAME_WIDTH, STYLE_FILE | extra, f->environment);
		at += NAME_WIDTH + 1;
	}
	buf_init(&name, TEXT_BYTES);
	buf_append_str(&name, f->file);
	name_draw(l->y, at, end - at, STYLE_TEXT | extra, &name, &beside);
	buf_release(&name);
}

static void
draw_other(const struct rotating_other *o, const struct rect *l, int at, unsigned int extra)
{
	int end = l->x + l->w - 1;
	char text[64];

	canvas_text(l->y, at, end - at, (o->state == NULL ? STYLE_CLEAR : STYLE_NOTE) | extra,
	    o->state == NULL ? "X" : o->state);
	at += 9;
	if (at >= end)
		return;
	snprintf(text, sizeof(text), "%zu of %zu files", o->done, o->all);
	if (o->state != NULL && l->w >= WIDE)
		end -= canvas_right(l->y, at, end - at, STYLE_NOTE | extra, text) + 2;
	canvas_text(l->y, at, end - at, STYLE_FILE | extra, file_basename(o->dir));
}

static bool
end_done(const struct rotating *t, size_t step)
{
	if (step == END_KEYS)
		return rotating_keys_open(t) == 0;
	if (step == END_HOSTS)
		return hosts_open(t) == 0;
	return rotation_state(t->session) == ROTATION_VERIFIED ||
	    rotation_state(t->session) == ROTATION_FINISHED;
}

static void
end_text(const struct rotating *t, size_t step, bool done, char *out, size_t size)
{
	if (step == END_KEYS)
		snprintf(out, size, done ? "the new key was saved" :
		    "the new key was not shown and saved yet");
	else if (step == END_VERIFIED)
		snprintf(out, size, "every entry was opened and compared");
	else if (done)
		snprintf(out, size, "all hosts are done");
	else
		snprintf(out, size, "hosts: %zu steps are open", hosts_open(t));
}

/* Is what a row with a box wants done? */
static bool
row_done(const struct rotating *t, const struct rotating_row *r)
{
	char name[LINE];

	if (r->kind == ROTATING_ROW_ENVIRONMENT)
		return ((struct rotating_environment *)vec_at(&t->environments, r->index))->on;
	if (r->kind == ROTATING_ROW_END)
		return end_done(t, r->step);
	if (r->kind == ROTATING_ROW_KEY)
		rotating_key_tick(t, r->index, name);
	else
		rotating_host_tick(t, r->index, r->step, name);
	return rotation_ticked(t->session, name);
}

static void
draw_ticked(const struct rotating *t, const struct rotating_row *r, const struct rect *l, int at,
    unsigned int extra)
{
	int end = l->x + l->w - 1;
	bool on = row_done(t, r);
	char text[LINE];

	if (r->kind == ROTATING_ROW_END)
		end_text(t, r->step, on, text, sizeof(text));
	else if (r->kind == ROTATING_ROW_KEY)
		snprintf(text, sizeof(text), "%s%s%s", rotation_is_common(t->session) ? "" :
		    rotation_file(t->session, r->index)->environment,
		    rotation_is_common(t->session) ? "" : "  ", on ? "saved" :
		    "Enter shows it once, with a check that it is saved");
	else
		snprintf(text, sizeof(text), "%-6s %s", host_steps[r->step].name,
		    host_steps[r->step].text);
	at = draw_box(l, at, on, extra);
	canvas_text(l->y, at, end - at, STYLE_TEXT | extra, text);
}

static void
draw_option(const struct rotating *t, const struct rotating_row *r, const struct rect *l, int at,
    unsigned int extra)
{
	bool on = r->kind == ROTATING_ROW_MASTER ? t->master : r->kind == ROTATING_ROW_COMMON ?
	    t->common : t->data;

	at = draw_box(l, at, on, extra);
	canvas_text(l->y, at, l->x + l->w - 1 - at, STYLE_TEXT | extra,
	    r->kind == ROTATING_ROW_MASTER ? "master keys" : r->kind == ROTATING_ROW_COMMON ?
	    "one common new key" : t->master ? "data keys as well" : "data keys");
}

static void
draw_head(const struct app *a, size_t group, const struct rect *l, unsigned int extra)
{
	const struct rotating *t = a->rotating;
	const struct rotating_group *g = group_at(t, group);
	size_t done = 0, all = g->count;
	char text[64] = "";

	/* The rows of a group are of one kind, or of those that choose what is new. */
	switch (g->count > 0 ? row_at(t, group, 0)->kind : ROTATING_ROW_FOUND) {
	case ROTATING_ROW_MASTER:
	case ROTATING_ROW_COMMON:
	case ROTATING_ROW_DATA:
	case ROTATING_ROW_FOUND:
	case ROTATING_ROW_OTHER:
		all = 0;
		break;
	case ROTATING_ROW_FILE:
		rotating_count(t, &done, &all);
		break;
	case ROTATING_ROW_ENVIRONMENT:
	case ROTATING_ROW_KEY:
	case ROTATING_ROW_HOST:
	case ROTATING_ROW_END:
		for (size_t i = 0; i < g->count; i++)
			done += row_done(t, row_at(t, group, i));
		break;
	}
	if (all > 0)
		snprintf(text, sizeof(text), "%zu of %zu", done, all);
	canvas_text(l->y, l->x, 1, STYLE_FILE | extra, canvas_glyph(
	    outline_folded(&t->panes.left, group) ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_text(l->y, l->x + 2, l->w - 3 - (int)strlen(text) - 2, STYLE_FILE | extra,
	    group_name(t, group));
	canvas_right(l->y, l->x + 2, l->w - 3, STYLE_NOTE | extra, text);
}

static void
rotation_draw_row(struct app *a, size_t i, const struct rect *l, unsigned int extra)
{
	const struct rotating *t = a->rotating;
	const struct outline_row *at = outline_row(&t->panes.left, i);
	const struct rotating_row *r;
	int x = l->x + (l->w < WIDE ? 1 : 3);
	const char *text;

	if (at->item == OUTLINE_HEAD) {
		draw_head(a, at->group, l, extra);
		return;
	}
	r = row_at(t, at->group, at->item);
	switch (r->kind) {
	case ROTATING_ROW_MASTER:
	case ROTATING_ROW_COMMON:
	case ROTATING_ROW_DATA:
		draw_option(t, r, l, x, extra);
		break;
	case ROTATING_ROW_ENVIRONMENT:
		draw_environment(vec_at(&t->environments, r->index), l, x, extra);
		break;
	case ROTATING_ROW_FOUND:
		text = vec_string(&t->texts, r->index);
		canvas_text(l->y, x, l->x + l->w - 1 - x, (text[0] == 'X' ? STYLE_CLEAR :
		    text[0] == 'W' ? STYLE_DANGLING : STYLE_SEALED) | extra, text);
		break;
	case ROTATING_ROW_FILE:
		draw_file(t, r, l, x, extra);
		break;
	case ROTATING_ROW_OTHER:
		draw_other(other_at(t, r->index), l, x, extra);
		break;
	case ROTATING_ROW_KEY:
	case ROTATING_ROW_HOST:
	case ROTATING_ROW_END:
		draw_ticked(t, r, l, x, extra);
		break;
	}
}

size_t
rotating_count_on(const struct rotating *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->environments.len; i++)
		n += ((struct rotating_environment *)vec_at(&t->environments, i))->on;
	return n;
}

/* What it is about, in a line. */
static void
head_text(const struct rotating *t, char *out, size_t size)
{
	size_t n = rotating_count_on(t);

	if (t->session != NULL) {
		snprintf(out, size, "%s  %s", rotation_id(t->session),
		    rotation_is_rolling_back(t->session) ? "taken back by half" :
		    rotation_state_name(rotation_state(t->session)));
		return;
	}
	snprintf(out, size, "%s of %zu environment%s", t->master && t->data ? "All keys" :
	    t->master ? "Master key" : t->data ? "Data key" : "No key", n, n == 1 ? "" : "s");
}

/* The steps, the one that it is in brackets. */
static void
draw_steps(const struct rotating *t, const struct rect *r, int room)
{
	int x = r->x + r->w - 1 - STRIP;
	char text[32];

	if (room < STRIP) {
		snprintf(text, sizeof(text), "[%s] %d/%d", rotating_step_names[t->step],
		    (int)t->step + 1, (int)ROTATING_STEPS);
		canvas_right(r->y, r->x + r->w - 1 - room, room, STYLE_KEY, text);
		return;
	}
	for (int i = 0; i < ROTATING_STEPS; i++) {
		bool here = i == (int)t->step;

		if (i > 0) {
			canvas_hline(r->y, x + 1, 1);
			x += 3;
		}
		snprintf(text, sizeof(text), here ? "[%s]" : "%s", rotating_step_names[i]);
		x += canvas_text(r->y, x, 12, here ? STYLE_KEY : STYLE_NOTE, text);
	}
}

static void
rotation_draw_left(struct app *a)
{
	static const struct frame_rows rows = { .draw = rotation_draw_row };
	struct rotating *t = a->rotating;
	const struct rect *r = &a->layout.left_head;
	struct rect room = { a->layout.left.y, a->layout.left.x + 1, a->layout.left.h,
		a->layout.left.w - 2 };
	char text[128];
	int used;

	if (r->h > 0) {
		head_text(t, text, sizeof(text));
		used = canvas_text(r->y, r->x + 1, r->w - 2, STYLE_HEAD, text);
		draw_steps(t, r, r->w - 4 - used);
	}
	if (t->session == NULL && t->environments.len == 0) {
		canvas_wrapped(&room, room.y, STYLE_NOTE, "There is no secrets file with a data "
		    "key here, so there is nothing to rotate.");
		return;
	}
	frame_draw_rows(a, &t->panes.left, &a->layout.left, !t->panes.right_active, &rows);
}

/* What the step is for, and how to go on. */
static const char *
step_words(const struct rotating *t)
{
	if (t->session != NULL && rotation_is_rolling_back(t->session))
		return "It is being taken back: Z goes on with that. Each file that is back has "
		    "its old keys, byte for byte.";
	switch (t->step) {
	case ROTATING_PLAN:
		return "Nothing is written before you have seen the change. Enter opens every "
		    "entry of what is ticked with its present key.";
	case ROTATING_KEYS:
		return t->master ? "Enter asks for the new passphrase, twice, and plans. The "
		    "session that is made holds no new key." :
		    "Enter plans: every value is sealed again under a new data key.";
	case ROTATING_APPLY:
		return "w rotates file by file; each is read back and opened with its new key. It "
		    "can be stopped, killed, resumed, and taken back (Z) to the end.";
	case ROTATING_VERIFY:
		return "w opens every entry with the new key, and compares each value with the one "
		    "before.";
	case ROTATING_HOSTS:
		return "Hosts need the new secrets file and the new key together. Ticks are kept "
		    "in the session; `propseal rotation checklist` prints it for each service.";
	case ROTATING_FINISH:
	case ROTATING_STEPS:
		break;
	}
	return "w wipes the kept originals and the wrapped old keys: then nothing leads back. It "
	    "asks for the word.";
}

/* What is true, apart from the row. */
static void
say_step(const struct app *a, struct buf *out)
{
	const struct rotating *t = a->rotating;
	const struct rotation_counts *n;

	if (t->session != NULL && t->step >= ROTATING_VERIFY &&
	    (n = rotation_counts(t->session))->opened > 0)
		buf_printf(out, "opens %zu of %zu, %s\n", n->opened, n->total,
		    n->same == n->total ? "all values the same" : "not all values the same");
	buf_append_str(out, step_words(t));
}

static void
say_error(const struct error *e, struct buf *out)
{
	text_append_visible(out, e->text, strlen(e->text));
	if (e->hint[0] != '\0')
		buf_printf(out, "\n%s", e->hint);
}

/* Which services read the environment's files, in the order in which they are restarted.  For
 * that files are read. */
static void
list_services(const struct app *a, const struct environment *x, struct buf *out)
{
	const struct estate *e = a->model->estate;
	enum rotation_service *of = calloc(estate_count(e) + 1, sizeof(*of));
	size_t all = 0;

	for (size_t i = 0; of != NULL && i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		of[i] = rotation_service_reads(f, x) ? rotation_service_of(f->path) : SERVICES;
	}
	for (enum rotation_service s = SERVICE_CONTROLLER; of != NULL && s < SERVICES; s++) {
		size_t files = 0;

		for (size_t i = 0; i < estate_count(e); i++) {
			const char *path = model_show_path(a->model, estate_file(e, i)->path);

			if (of[i] != s)
				continue;
			buf_append_str(out, files > 0 ? ", " : all > 0 ? "; then " :
			    "In this order: ");
			if (files++ == 0)
				buf_printf(out, "%s (", rotation_service_name(s));
			text_append_visible(out, path, strlen(path));
		}
		buf_append_str(out, files > 0 ? ")" : "");
		all += files;
	}
	buf_append_str(out, all > 0 ? ".\n" : NO_SERVICES);
	free(of);
}

/* Once, not at each draw: until rotating_build is told that something is others. */
static void
say_services(const struct app *a, const struct environment *x, struct buf *out)
{
	struct rotating *t = a->rotating;

	if (x == NULL) {
		buf_append_str(out, NO_SERVICES);
		return;
	}
	if (t->services_of != x) {
		buf_clear(&t->services);
		list_services(a, x, &t->services);
		t->services_of = x;
	}
	buf_append(out, t->services.data, t->services.len);
}

static void
say_host(const struct app *a, const struct rotating_row *r, struct words *w)
{
	const struct rotating *t = a->rotating;
	const struct rotation_file *f = rotation_file(t->session, r->index);
	const struct environments *e = model_environments(a->model);
	const struct environment *x = NULL;
	const char *remote;

	for (size_t i = 0; i < environments_count(e); i++)
		if (strcmp(environments_at(e, i)->name, f->environment) == 0)
			x = environments_at(e, i);
	remote = x != NULL ? environment_remote(x) : NULL;
	buf_append_str(&w->place, f->environment);
	buf_append_str(&w->name, host_steps[r->step].name);
	if (strcmp(host_steps[r->step].name, "copy") == 0) {
		text_append_visible(&w->text, f->file, strlen(f->file));
		buf_append_str(&w->text, " goes to ");
		if (remote != NULL)
			text_append_visible(&w->text, remote, strlen(remote));
		else
			buf_append_str(&w->text, "the path that its references name");
		buf_append_str(&w->text, ", owner and mode as before.\n");
	} else if (strcmp(host_steps[r->step].name, "start") == 0) {
		say_services(a, x, &w->text);
	} else if (strcmp(host_steps[r->step].name, "prove") == 0) {
		buf_append_str(&w->text, "On each host, after the restart. If not all opens: put "
		    "the old secrets file and the old key back; both are kept to the end.\n");
	}
}

static void
say_other(const struct rotating_other *o, struct words *w)
{
	const char *text = o->root != NULL ? o->root : o->why != NULL ? o->why : "";

	buf_append_str(&w->place, "other sessions");
	buf_append_str(&w->name, file_basename(o->dir));
	buf_append_str(&w->text, o->state == NULL ? "It cannot be opened: " :
	    "Of the secrets files below ");
	text_append_visible(&w->text, text, strlen(text));
	buf_append_str(&w->text, o->state == NULL ? "\n" : ".\nEnter shows it here, to go on with "
	    "it or take it back.");
}

/* Has the right pane the change of a file in place of what is true of the step? */
static bool
shows_diff(const struct rotating *t)
{
	return t->diff.len > 0 && t->step == ROTATING_APPLY;
}

static void
rotation_say(struct app *a, struct words *w)
{
	const struct rotating *t = a->rotating;
	const struct rotating_row *r = rotating_here(a);
	const struct rotating_environment *x;
	const struct rotation_file *f;

	if (r != NULL && r->kind == ROTATING_ROW_ENVIRONMENT) {
		x = vec_at(&t->environments, r->index);
		buf_append_str(&w->place, x->name);
		buf_append_str(&w->name, model_show_path(a->model, x->path));
		if (x->why != NULL) {
			if (x->why->key[0] != '\0')
				buf_printf(&w->text, "%s: ", x->why->key);
			say_error(x->why, &w->text);
			return;
		}
	} else if (r != NULL && r->kind == ROTATING_ROW_FOUND) {
		buf_append_str(&w->place, "pre-flight");
		buf_printf(&w->text, "%s\n", vec_string(&t->texts, r->index) + 4);
	} else if (r != NULL && r->kind == ROTATING_ROW_FILE) {
		f = rotation_file(t->session, r->index);
		buf_append_str(&w->place, f->environment);
		buf_append_str(&w->name, f->file);
		if (f->error != NULL) {
			say_error(f->error, &w->text);
			return;
		}
	} else if (r != NULL && r->kind == ROTATING_ROW_OTHER) {
		say_other(other_at(t, r->index), w);
		return;
	} else if (r != NULL && r->kind == ROTATING_ROW_HOST) {
		say_host(a, r, w);
	} else {
		buf_append_str(&w->place, rotating_step_names[t->step]);
	}
	/* Else the second pane says it. */
	if (!a->layout.two_panes || shows_diff(t))
		say_step(a, &w->text);
	else if (w->text.len == 0)
		rotating_say_row(t, r, &w->text);
}

static void
rotation_draw_right(struct app *a)
{
	struct rotating *t = a->rotating;
	const struct rect *head = &a->layout.right_head, *r = &a->layout.right;
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	const char *text = buf_cstr(&t->diff);
	bool diff = shows_diff(t);
	struct buf words;

	if (head->h > 0)
		canvas_text(head->y, head->x + 1, head->w - 2, t->panes.right_active ?
		    STYLE_HEAD : STYLE_NOTE, diff ? "what will change" : "this step");
	if (!diff) {
		buf_init(&words, TEXT_BYTES);
		say_step(a, &words);
		canvas_wrapped(&room, r->y, STYLE_TEXT, buf_cstr(&words));
		buf_release(&words);
		return;
	}
	for (int y = r->y; y < r->y + r->h && *text != '\0'; y++) {
		size_t n = strcspn(text, "\n");

		canvas_bytes(y, room.x, room.w, text[0] == '+' ? STYLE_ADDED : text[0] == '-' ?
		    STYLE_REMOVED : STYLE_TEXT, text, n);
		text += n + (text[n] == '\n');
	}
}

/* --- the view --- */

static struct panes *
rotation_panes(struct app *a)
{
	return &a->rotating->panes;
}

static void
rotation_entered(struct app *a)
{
	rotating_read(a);
	rotating_list(a);
	rotating_go(a, a->rotating->step, a->rotating->session != NULL ? 0 : 1);
}

static void
rotation_changed(struct app *a)
{
	if (a->rotating->session == NULL)
		rotating_list(a);
	rotating_build(a);
}

static bool
rotation_holds(const struct app *a)
{
	return a->rotating->fresh != NULL || a->rotating->passphrase.len > 0;
}

static void
rotation_wipe(struct app *a)
{
	rotating_lock(a->rotating);
}

static void
rotation_title(struct app *a, struct buf *where, struct buf *state)
{
	const struct rotating *t = a->rotating;
	size_t done, all;

	(void)where;
	if (t->session == NULL)
		return;
	rotating_count(t, &done, &all);
	buf_printf(state, "%zu/%zu", done, all);
}

static void
rotation_draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct rotating *t = a->rotating;
	size_t n = 0;
	char text[128];

	if (t->session != NULL || t->step != ROTATING_KEYS)
		return;
	for (size_t i = 0; i < t->environments.len; i++)
		n += ((struct rotating_environment *)vec_at(&t->environments, i))->problems > 0;
	snprintf(text, sizeof(text), n == 0 ? "every entry opens" : "%zu of them cannot be rotated",
	    n);
	canvas_text(r->y, r->x + 1, w, n == 0 ? STYLE_NOTE : STYLE_CLEAR, text);
}

const struct view_ops view_rotation = {
	.name = "rotation",
	.shows = ACTION_VIEW_ROTATION,
	.only_here = "this is for a rotation",
	.holds = rotation_holds,
	.wipe = rotation_wipe,
	.two_panes_from = TWO_PANES,
	.left_leads = true,
	.panes = rotation_panes,
	.entered = rotation_entered,
	.changed = rotation_changed,
	.title = rotation_title,
	.draw_left = rotation_draw_left,
	.draw_right = rotation_draw_right,
	.draw_counts = rotation_draw_counts,
	.say = rotation_say,
};
