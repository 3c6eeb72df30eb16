#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/pending.h"
#include "ui/view.h"

#define WORD_WIDTH 40		/* a narrower pane has letters only */
#define WORDS_WIDTH 60
#define LINE_COLUMNS 5	/* for an entry's line, where there is a third pane */
#define NARROW 30		/* a narrower pane indents less */
#define PATH_MAX_BYTES 4096
#define NAME_MAX_BYTES 65536

/* --- what the keys do in this view alone --- */

static void
files_open_secrets(struct app *a, const char *path)
{
	struct secrets_file *s;
	struct environment *x = NULL;
	struct outline_id id;
	struct error err;

	s = secrets_file_load(path, &err);
	if (s != NULL && !secrets_file_recognise(secrets_file_document(s))) {
		error_set(&err, ERROR_REFUSED, "this is no secrets file: it has no metadata");
		error_place(&err, path, 0);
	} else if (s != NULL) {
		files_hold(a);
		x = model_environment(a->model, path, &err);
		files_restore(a);
	}
	secrets_file_free(s);
	if (x == NULL) {
		tell_error(a, "The secrets file cannot be used", &err);
		return;
	}
	id = (struct outline_id){ x->path, strlen(x->path), 0 };
	outline_hold_id(&a->files->panes.left, &id, NULL);
	(void)outline_restore(&a->files->panes.left);
	a->files->panes.right_active = false;
	files_moved(a, &a->files->panes.left);
	app_notice(a, "%s is one of the environments", model_show_path(a->model, x->path));
}

void
act_open_secrets(struct app *a)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	if (ask_text(a, "Add a secrets file", "A secrets file that lies elsewhere. References that "
	    "name it are told against it then.", "File:", &path) && path.len > 0)
		files_open_secrets(a, buf_cstr(&path));
	buf_release(&path);
}

/* To the ${nth} that uses a sealed entry.  False: there are not so many. */
static bool
files_go_to_user(struct app *a, const struct selection *s, size_t nth)
{
	const size_t all = environment_references(s->environment, s->name, s->name_len);
	const struct estate_entry *e;
	const struct estate_file *f;

	if (!selection_referrer(a, s->environment, s->name, s->name_len, nth, &f, &e))
		return false;
	files_show(a, f->path, e->key, e->key_len);
	a->files->user = e;
	a->files->user_place = nth;
	a->files->user_of = a->model->changes;
	if (all > 1)
		app_tell(a, "%zu of %zu that use it; %s goes to the %s", nth + 1, all,
		    KEY(ACTION_OPEN), nth + 1 < all ? "next" : "sealed entry");
	return true;
}

/* From a sealed entry to each that uses it, one after the other, and back; from a reference to
 * what it refers to. */
static void
files_go_to_counterpart(struct app *a, const struct selection *s)
{
	const struct files *f = a->files;

	if (s->name == NULL) {
		app_refuse(a, "this entry refers to no sealed entry");
		return;
	}
	if (s->kind == SELECTION_SEALED) {
		if (!files_go_to_user(a, s, 0))
			app_refuse(a, "no configuration file refers to this entry");
		return;
	}
	if (s->entry == f->user && f->user_of == a->model->changes &&
	    files_go_to_user(a, s, f->user_place + 1))
		return;
	if (s->environment == NULL || s->environment->secrets == NULL) {
		app_refuse(a, "one cannot tell which secrets file it names");
		return;
	} else if (s->entry->state == STATE_DANGLING) {
		app_refuse(a, "its secrets file has no entry of this name");
		return;
	}
	files_moved(a, panes_active(&a->files->panes));
	act_other_pane(a);
}

/* From a sealed entry to the first that uses it, from a user of one to the next. */
void
act_user(struct app *a)
{
	struct selection s = selection_get(a);
	size_t all = environment_references(s.environment, s.name, s.name_len), nth = 0;

	if (s.kind == SELECTION_ENTRY)
		nth = selection_user_place(a, &s) + 1;
	if (s.kind == SELECTION_ENTRY && all <= 1)
		app_refuse(a, "no other entry uses what this one does");
	else if (!files_go_to_user(a, &s, nth < all ? nth : 0))
		app_refuse(a, "no configuration file refers to this entry");
}

const char *
act_needs_secrets_file(const struct app *a)
{
	struct selection s = selection_get(a);

	return s.environment == NULL ? "what is selected has no secrets file" :
	    s.environment->secrets == NULL ? "its secrets file cannot be read" : NULL;
}

/* The other pane shows it. */
void
act_secrets_file(struct app *a)
{
	a->files->panes.right_active = true;
	a->files->panes.left.ranging = false;
	list_go(&a->files->panes.right.list, 0);
	view_moved(a, &a->files->panes.right);
}

void
act_open(struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_FILE || s.kind == SELECTION_ENVIRONMENT)
		act_turn_fold(a);
	else if (s.kind != SELECTION_NOTHING)
		files_go_to_counterpart(a, &s);
}

static void
files_set_filter(struct app *a, unsigned int filter)
{
	struct outline *o = &a->files->panes.left;

	/* The estate is as it was: only the rows are others. */
	files_hold(a);
	o->filter = filter;
	o->ranging = false;
	view_build(a, o);
}

void
act_filter(struct app *a)
{
	unsigned int now = a->files->panes.left.filter;

	files_set_filter(a, now == FILES_ALL ? FILES_SECRETS : now + 1);
	files_need_all(a);
	app_notice(a, "showing %s", files_filter_name(a->files->panes.left.filter));
}

void
act_cancel(struct app *a)
{
	struct outline *o = &a->files->panes.left;

	if (o->ranging)
		o->ranging = false;
	else if (!act_forget_words(a) && o->filter != FILES_SECRETS)
		files_set_filter(a, FILES_SECRETS);
}

void
act_rescan(struct app *a)
{
	struct error err;

	files_hold(a);
	if (model_rescan(a->model, &err) == -1)
		app_complain(a, "%s", err.text);
	else
		app_notice(a, "read anew");
	/* The rows are gone; the cursor goes back to its place when the scan has got there. */
	(void)outline_build(&a->files->panes.left);
	(void)outline_build(&a->files->panes.right);
	a->files->panes.left.ranging = false;
	pending_restore(a);
}

/* --- the left pane: environments, configuration files and their entries --- */

struct entry_look {
	const char *word;	/* "": the letter says all */
	const char *words;	/* where there is room */
	unsigned int style;
};

/* How the state of an entry looks, beside its letter: a word, so that no meaning
 * is carried by colour alone. */
static const struct entry_look *
files_look(const struct estate_entry *e)
{
	static const struct entry_look clear = { "clear", "clear text", STYLE_CLEAR };
	static const struct entry_look looks[] = {
		[STATE_PLAIN] = { "", "", STYLE_TEXT },
		[STATE_SEALED] = { "", "", STYLE_SEALED },
		[STATE_DANGLING] = { "no entry", "no such entry", STYLE_DANGLING },
		[STATE_UNKNOWN] = { "unknown", "unknown secrets file", STYLE_DANGLING },
		[STATE_OTHER] = { "other", "other provider", STYLE_OTHER },
		[STATE_DAMAGED] = { "damaged", "damaged", STYLE_DAMAGED },
	};

	return entry_is_clear(e) ? &clear : &looks[e->state];
}

const char *
files_word(const struct estate_entry *e)
{
	return files_look(e)->word;
}

static void
files_draw_head(struct app *a, const struct rect *r, bool active)
{
	size_t environments = environments_count(model_environments(a->model));
	const struct tree *t = &a->model->tree;
	char text[128];
	int used;

	if (r->h == 0)
		return;
	used = 1 + frame_draw_chips(&a->files->panes.left,
	    files_filter_name(a->files->panes.left.filter), r);
	snprintf(text, sizeof(text), "%zu %s", t->tally.files,
	    t->tally.files == 1 ? "file" : "files");
	if (environments > 1 && r->w > 40)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %zu environments",
		    environments);
	canvas_right(r->y, r->x + used + 2, r->w - used - 3, active ? STYLE_HEAD : STYLE_NOTE,
	    text);
}

/* What a row of the tree is called. */
static bool
files_name_at(const void *app, size_t row, int offset, struct buf *out)
{
	const struct app *a = app;
	const struct tree *t = &a->model->tree;
	const struct tree_row *at;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= t->rows.len)
		return false;
	at = tree_row(t, row + (size_t)offset);
	buf_append_str(out, at->file != NULL ? files_name(a, tree_root(t, at->root), at->file) :
	    tree_root(t, at->root)->name);
	return true;
}

/* The fold mark and the name of a row of the tree at the left, ${sum} at the
 * right; what is between is returned. */
static struct rect
files_draw_line(const struct app *a, size_t group, const struct rect *l, int indent,
    const char *fold, const char *sum, unsigned int sum_style, unsigned int extra)
{
	const struct name_neighbours beside = { files_name_at, a, group };
	struct buf name;
	struct rect rest = *l;
	int used = 0;

	if (sum[0] != '\0' && l->w > 24)
		used = 1 + canvas_right(l->y, l->x, l->w - 1, sum_style | extra, sum);
	canvas_text(l->y, l->x + indent, 1, STYLE_FILE | extra, fold);
	rest.x += indent + 2;
	rest.w -= indent + 2 + used + 1;
	buf_init(&name, PATH_MAX_BYTES);
	(void)files_name_at(a, group, 0, &name);
	used = name_draw(l->y, rest.x, rest.w, STYLE_FILE | extra, &name, &beside);
	buf_release(&name);
	rest.x += used;
	rest.w -= used;
	return rest;
}

/* What stands behind the name of an environment: why it is not as it should
 * be, else how many files a folded one hides, else where services read it. */
static void
files_say_root(const struct app *a, const struct tree_root *r, bool folded, struct buf *out)
{
	const struct environment *x = r->environment;
	const char *slash;

	if (x == NULL)
		buf_append_str(out, !a->model->looked ? "" : tree_root_refers(r) ?
		    "several secrets files" : r->tally.unknown > 0 ? "unknown secrets file" :
		    "no secrets file");
	else if (x->problem != NULL)
		buf_append_str(out, "unreadable");
	else if (x->secrets == NULL)
		buf_append_str(out, "not there");
	else if (secrets_file_metadata(x->secrets)->data_key == NULL)
		buf_append_str(out, "no key");
	else if (x->master == NULL)
		buf_append_str(out, "locked");
	else if (folded)
		buf_printf(out, "%zu %s", r->tally.files, r->tally.files == 1 ? "file" : "files");
	else if (r->remote != NULL && (slash = memrchr(r->remote, '/', r->remote_len)) != NULL)
		buf_append(out, r->remote, (size_t)(slash - r->remote));
}

static void
files_draw_root(struct app *a, size_t group, bool folded, const struct rect *l,
    unsigned int extra)
{
	const struct tree_root *r = tree_root(&a->model->tree,
	    tree_row(&a->model->tree, group)->root);
	struct rect rest;
	struct buf note;
	char sum[128];

	tally_print(&r->tally, sum, sizeof(sum));
	if (r->tally.unchecked > 0)
		snprintf(sum + strlen(sum), sizeof(sum) - strlen(sum), " X?");
	rest = files_draw_line(a, group, l, 0, canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN),
	    sum, STYLE_NOTE, extra);
	buf_init(&note, PATH_MAX_BYTES);
	files_say_root(a, r, folded, &note);
	if (l->w >= NARROW && rest.w > 6)
		canvas_tail(rest.y, rest.x + 2, rest.w - 2, STYLE_NOTE | extra, buf_cstr(&note));
	buf_release(&note);
}

static void
files_draw_file(struct app *a, size_t group, bool folded, const struct rect *l,
    unsigned int extra)
{
	const struct estate_file *f = tree_row(&a->model->tree, group)->file;
	const struct tally *tally = &tree_row(&a->model->tree, group)->tally;
	char sum[128];

	if (f->problem != NULL)
		snprintf(sum, sizeof(sum), "X unreadable");
	else if (f->is_secrets_file)
		snprintf(sum, sizeof(sum), "secrets file");
	else
		tally_print(tally, sum, sizeof(sum));
	(void)files_draw_line(a, group, l, a->files->panes.left.flat ? 0 : l->w < NARROW ? 1 : 2,
	    f->count == 0 ? " " : canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN), sum,
	    f->problem != NULL ? STYLE_DAMAGED : STYLE_NOTE, extra);
}

static bool
files_key_at(const void *file, size_t row, int offset, struct buf *out)
{
	const struct estate_file *f = file;

	if (offset < 0 ? row < (size_t)-offset : row + (size_t)offset >= f->count)
		return false;
	row += (size_t)offset;
	name_append_short(f->entries[row].key, f->entries[row].key_len, out);
	return true;
}

/* In a list without files: where an entry stands, in a column at the right of ${l} but for
 * ${used} columns.  Returns the columns that it takes. */
static int
files_draw_place(const struct app *a, const struct estate_file *f, size_t line,
    const struct rect *l, int used, unsigned int extra)
{
	int w = l->w * 2 / 5 - 2, x = l->x + l->w - used - w - 1, n;
	char number[32];
	struct buf name;

	n = snprintf(number, sizeof(number), ":%zu", line);
	buf_init(&name, PATH_MAX_BYTES);
	buf_append_str(&name, l->w >= WORDS_WIDTH ? model_show_path(a->model, f->path) :
	    file_basename(f->path));
	x += name_draw(l->y, x, w - n, STYLE_NOTE | extra, &name, NULL);
	canvas_text(l->y, x, n, STYLE_NOTE | extra, number);
	buf_release(&name);
	return w + 2;
}

static void
files_draw_entry(struct app *a, const struct outline_row *row, const struct rect *l,
    unsigned int extra, bool in_range)
{
	const struct estate_file *f = tree_row(&a->model->tree, row->group)->file;
	const struct estate_entry *e = &f->entries[row->item];
	const struct entry_look *look = files_look(e);
	bool marked = marks_has(a->model->marks, f->path, e->key, e->key_len);
	char letter[2] = { entry_letter(e), '\0' };
	const char *word = e->shadowed ? "overridden" : l->w >= WORDS_WIDTH ? look->words :
	    look->word;
	unsigned int style = look->style;
	const bool flat = a->files->panes.left.flat;
	const bool numbered = a->layout.three_panes && !flat;
	int x = l->x + (flat ? 0 : numbered ? LINE_COLUMNS + 1 : l->w < NARROW ? 1 : 4);
	const struct name_neighbours beside = { files_key_at, f, row->item };
	struct buf key;
	char line[32];
	int used = 0;

	if (marked && e->state == STATE_PLAIN)
		word = l->w >= WORDS_WIDTH ? "to be sealed" : "to seal";
	in_range = in_range && model_can_seal(e);
	if (word[0] != '\0' && l->w >= WORD_WIDTH)
		used = 2 + canvas_right(l->y, l->x, l->w - 1, (marked ? STYLE_MARK : style) | extra,
		    word);
	if (flat && l->w >= WORD_WIDTH)
		used += files_draw_place(a, f, e->line, l, used, extra);
	if (numbered) {
		snprintf(line, sizeof(line), "%*zu", LINE_COLUMNS, e->line);
		canvas_text(l->y, l->x, LINE_COLUMNS, STYLE_NOTE | extra, line);
	}
	if (marked || in_range)
		canvas_text(l->y, x, 1, STYLE_MARK | extra, marked ? "*" : "+");
	canvas_text(l->y, x + 1, 1, style | extra, letter);
	buf_init(&key, NAME_MAX_BYTES);
	(void)files_key_at(f, row->item, 0, &key);
	name_draw(l->y, x + 3, l->x + l->w - x - 4 - used,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, &key, &beside);
	buf_release(&key);
}

/* Is it, or does it hold, what the right pane's cursor is on? */
static bool
files_is_linked(struct app *a, size_t i)
{
	const struct outline *o = &a->files->panes.left;
	const struct outline_row *row = outline_row(o, i);
	const struct estate_file *f = tree_row(&a->model->tree, row->group)->file;
	struct selection s = selection_get(a);
	size_t from = 0, to;

	if (s.kind != SELECTION_SEALED || f == NULL)
		return false;
	to = f->count;
	if (row->item != OUTLINE_HEAD)
		to = (from = row->item) + 1;
	else if (!outline_folded(o, row->group))
		return false;
	return estate_next_user(f, from, to, s.environment, s.name, s.name_len) < to;
}

static void
files_draw_row(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct outline *o = &a->files->panes.left;
	const struct outline_row *row = outline_row(o, i);
	const struct tree_row *at = tree_row(&a->model->tree, row->group);
	bool folded = outline_folded(o, row->group);

	if (at->file == NULL)
		files_draw_root(a, row->group, folded, line, extra);
	else if (row->item == OUTLINE_HEAD)
		files_draw_file(a, row->group, folded, line, extra);
	else
		files_draw_entry(a, row, line, extra, outline_in_range(o, i));
}

/* The file of the rows on top, while its own row is further up: with its environment, which is
 * not above it, and how many of its rows are hidden. */
static void
files_draw_sticky(struct app *a, size_t group, size_t hidden, const struct rect *l)
{
	const struct tree *t = &a->model->tree;
	const struct tree_row *at = tree_row(t, group);
	const struct tree_root *root = tree_root(t, at->root);
	struct buf name;
	char sum[160];
	int used;

	tally_print(&at->tally, sum, sizeof(sum) - 32);
	snprintf(sum + strlen(sum), 32, "%s%s%zu", sum[0] != '\0' ? " " : "",
	    canvas_glyph(GLYPH_UP), hidden);
	used = 1 + canvas_right(l->y, l->x, l->w - 1, STYLE_NOTE, sum);
	canvas_text(l->y, l->x, 1, STYLE_FILE, canvas_glyph(GLYPH_OPEN));
	buf_init(&name, PATH_MAX_BYTES);
	buf_printf(&name, "%s %s %s", root->name, canvas_glyph(GLYPH_INTO),
	    files_name(a, root, at->file));
	(void)name_draw(l->y, l->x + 2, l->w - 3 - used, STYLE_FILE, &name, NULL);
	buf_release(&name);
}

/* What to say when there is no row: nothing is said of what was not looked at. */
static void
files_draw_empty(struct app *a, const struct rect *r)
{
	unsigned int filter = a->files->panes.left.filter;
	const struct model *m = a->model;
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[160];

	if (m->scanning && !m->looked) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "looking for files");
	} else if (m->tree.tally.files == 0) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "no configuration file here");
		if (r->h > 2)
			canvas_text(r->y + 2, r->x + 1, r->w - 2, STYLE_NOTE,
			    "propseal FOLDER or FILE opens others.");
	} else if (filter == FILES_PROBLEMS && m->tree.tally.unchecked > 0) {
		snprintf(text, sizeof(text), "No problem was found; %zu sealed %s not checked. "
		    "%s unlocks.", m->tree.tally.unchecked,
		    m->tree.tally.unchecked == 1 ? "value was" : "values were",
		    KEY(ACTION_UNLOCK));
		canvas_wrapped(&room, r->y, STYLE_NOTE, text);
	} else if (a->files->panes.left.words.count > 0) {
		canvas_wrapped(&room, r->y, STYLE_NOTE,
		    "Nothing passes the filter words. Esc takes them away; marks stay.");
	} else {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE,
		    filter == FILES_CLEAR ? "no secret in clear text" :
		    filter == FILES_PROBLEMS ? "no problems" : "no secrets");
		if (r->h > 1)
			canvas_text(r->y + 1, r->x + 1, r->w - 2, STYLE_NOTE,
			    filter == FILES_SECRETS ? "" : "Esc shows all secrets");
	}
}

static void
files_draw_left(struct app *a)
{
	static const struct frame_rows rows = { files_is_linked, files_draw_row,
		files_draw_sticky };
	struct panes *p = &a->files->panes;

	files_draw_head(a, &a->layout.left_head, !p->right_active);
	if (p->left.rows.len == 0)
		files_draw_empty(a, &a->layout.left);
	frame_draw_rows(a, &p->left, &a->layout.left, !p->right_active, &rows);
}

/* --- title and counts --- */

static void
files_title(struct app *a, struct buf *where, struct buf *state)
{
	const struct model *m = a->model;
	size_t held = model_keys(m), all = model_secrets_files(m);

	if (m->scanning && a->top == &a->base)
		buf_printf(state, "reading %zu files", estate_count(m->estate));
	else if (all > 1)
		buf_printf(state, "keys %zu/%zu", held, all);
	else
		buf_append_str(state, held > 0 ? "unlocked" : all > 0 ? "locked" : "no key");
	buf_append_str(where, a->options->paths[0]);
	if (a->options->path_count > 1)
		buf_printf(where, " and %zu more", a->options->path_count - 1);
}

static void
files_draw_counts(struct app *a, const struct rect *r, int w)
{
	struct buf text;

	buf_init(&text, 512);
	files_count_all(&text, &a->model->tree.tally);
	if (text.len > 0)
		buf_truncate(&text, text.len - 1);
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, buf_cstr(&text));
	buf_release(&text);
}

static struct panes *
files_panes(struct app *a)
{
	return &a->files->panes;
}

static bool
files_is_due(const struct app *a)
{
	return a->first_run && a->model->looked;
}

/* Was anything ever changed from here? */
static bool
files_known_here(const struct app *a)
{
	struct file_id id;
	struct error err;

	return a->options->trail != NULL &&
	    file_identify(a->options->trail->path, &id, &err) == 0 && id.exists;
}

/* Where nothing was ever sealed the way to it opens by itself, once. */
static bool
files_tick(struct app *a)
{
	if (!files_is_due(a))
		return false;
	a->first_run = false;
	if (!a->options->read_only && model_secrets_files(a->model) == 0 &&
	    a->model->tree.tally.clear > 0 && !files_known_here(a))
		act_generate(a);
	return true;
}

const struct view_ops view_files = {
	.name = "files",
	.shows = ACTION_VIEW_FILES,
	.only_here = "this is for the configuration files",
	.third_pane = true,
	.panes = files_panes,
	.moved = files_moved,
	.folded = files_link,
	.title = files_title,
	.is_due = files_is_due,
	.tick = files_tick,
	.draw_left = files_draw_left,
	.draw_right = files_draw_sealed,
	.draw_counts = files_draw_counts,
	.say = files_say,
};
