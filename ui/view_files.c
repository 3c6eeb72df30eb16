#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/view.h"

#define WORD_COLUMNS 15		/* of a state in words, with a blank before it */
#define WORD_WIDTH 46		/* a narrower pane has letters only */
#define METADATA_ROWS 4
#define METADATA_FROM 9		/* a lower pane shows entries only */
#define WEAK_ITERATIONS KEY_ITERATIONS_DEFAULT
#define PATH_MAX_BYTES 4096

/* --- what the keys do in this view alone --- */

static void
files_open_secrets(struct app *a, const char *path)
{
	struct error err;
	int rc;

	files_hold(a);
	rc = model_open_secrets(a->model, path, &err);
	files_restore(a);
	if (rc == -1)
		tell_error(a, "The secrets file cannot be used", &err);
	else if (a->model->secrets == NULL)
		app_complain(a, "there is no file %s yet", path);
	else
		app_notice(a, "%s is open on the right",
		    model_show_path(a->model, a->model->secrets_path));
}

void
act_open_secrets(struct app *a)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	if (a->model->secrets_path != NULL)
		buf_append_str(&path, a->model->secrets_path);
	else
		(void)model_referred_path(a->model, &path);
	if (ask_text(a, "Open a secrets file", "The secrets file that is shown on the right, "
	    "and that sealed values go to.", "File:", &path) && path.len > 0)
		files_open_secrets(a, buf_cstr(&path));
	buf_release(&path);
}

/* From an entry to what it refers to, or back. */
static void
files_go_to_counterpart(struct app *a, const struct selection *s)
{
	const struct estate_entry *e;
	const struct estate_file *f;

	if (s->name == NULL) {
		app_complain(a, "this entry refers to no sealed entry");
		return;
	}
	if (s->kind == SELECTION_SEALED) {
		if (!selection_referrer(a, s->name, s->name_len, 0, &f, &e)) {
			app_complain(a, "no configuration file refers to this entry");
			return;
		}
		files_unfold(a, f->path);
	} else if (s->entry->state == STATE_DANGLING || a->model->secrets == NULL) {
		app_complain(a, "the secrets file has no entry of this name");
		return;
	}
	files_moved(a, panes_active(&a->files->panes));
	act_other_pane(a);
}

void
act_open(struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_FILE && s.file->is_secrets_file)
		files_open_secrets(a, s.file->path);
	else if (s.kind == SELECTION_FILE)
		act_turn_fold(a);
	else if (s.kind != SELECTION_NOTHING)
		files_go_to_counterpart(a, &s);
}

static void
files_set_filter(struct app *a, unsigned int filter)
{
	struct outline *o = &a->files->panes.left;

	files_hold(a);
	o->filter = filter;
	o->ranging = false;
	files_restore(a);
}

void
act_filter(struct app *a)
{
	unsigned int now = a->files->panes.left.filter;

	files_set_filter(a, now == FILES_PROBLEMS ? FILES_ALL : now + 1);
	app_notice(a, "showing %s", now == FILES_ALL ? "secrets and references" :
	    files_filter_name(a->files->panes.left.filter));
}

void
act_cancel(struct app *a)
{
	struct outline *o = &a->files->panes.left;

	if (o->ranging)
		o->ranging = false;
	else if (o->filter != FILES_ALL)
		files_set_filter(a, FILES_ALL);
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
	a->files->panes.left.ranging = false;
}

/* --- the left pane: configuration files and their entries --- */

struct look {
	char letter;
	const char *word;
	unsigned int style;
};

/* How the state of an entry looks: a letter and a word, so that no meaning is
 * carried by colour alone. */
static const struct look *
files_look(const struct estate_entry *e)
{
	static const struct look clear = { '!', "clear text", STYLE_CLEAR };
	static const struct look looks[] = {
		[STATE_PLAIN] = { ' ', "", STYLE_TEXT },
		[STATE_SEALED] = { 'S', "sealed", STYLE_SEALED },
		[STATE_DANGLING] = { 'D', "dangling", STYLE_DANGLING },
		[STATE_UNKNOWN] = { '?', "unknown", STYLE_DANGLING },
		[STATE_OTHER] = { 'O', "other provider", STYLE_OTHER },
		[STATE_DAMAGED] = { 'X', "damaged", STYLE_DAMAGED },
	};

	return model_is_clear(e) ? &clear : &looks[e->state];
}

static void
files_draw_head(struct app *a, const struct rect *r, bool active)
{
	unsigned int filter = a->files->panes.left.filter;
	const struct model *m = a->model;
	char text[128];
	int used;

	if (r->h == 0)
		return;
	snprintf(text, sizeof(text), "Configuration files %zu", m->counts.files);
	used = canvas_text(r->y, r->x, r->w, active ? STYLE_HEAD : STYLE_NOTE, text);
	if (filter == FILES_ALL)
		return;
	snprintf(text, sizeof(text), "filter: %s", files_filter_name(filter));
	canvas_right(r->y, r->x + used + 1, r->w - used - 2, STYLE_MARK, text);
}

/* How many there are of what, by letter: "3! 12S". */
static void
files_sum_up(const struct estate_file *f, char *out, size_t size)
{
	static const char letters[] = "!SDOX";
	size_t count[sizeof(letters) - 1] = { 0 };
	size_t used = 0;
	size_t i, k;
	char letter;

	for (i = 0; i < f->count; i++) {
		letter = files_look(&f->entries[i])->letter;
		for (k = 0; k < sizeof(letters) - 1; k++)
			if (letters[k] == letter)
				count[k]++;
	}
	out[0] = '\0';
	for (k = 0; k < sizeof(letters) - 1 && used < size; k++)
		if (count[k] > 0)
			used += (size_t)snprintf(out + used, size - used, "%s%zu%c",
			    used > 0 ? " " : "", count[k], letters[k]);
}

static void
files_draw_file(struct app *a, size_t group, const struct rect *l, unsigned int extra)
{
	const struct estate_file *f = estate_file(a->model->estate, group);
	bool folded = outline_folded(&a->files->panes.left, group);
	unsigned int style = STYLE_NOTE;
	char sum[96];
	int used = 0;

	if (f->problem != NULL) {
		snprintf(sum, sizeof(sum), "X unreadable");
		style = STYLE_DAMAGED;
	} else if (f->is_secrets_file) {
		snprintf(sum, sizeof(sum), "secrets file");
	} else {
		files_sum_up(f, sum, sizeof(sum));
	}
	if (sum[0] != '\0' && l->w > 24)
		used = 1 + canvas_right(l->y, l->x, l->w - 1, style | extra, sum);
	if (f->count > 0)
		canvas_text(l->y, l->x, 1, STYLE_FILE | extra,
		    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_tail(l->y, l->x + 2, l->w - 2 - used - 1, STYLE_FILE | extra,
	    model_show_path(a->model, f->path));
}

static void
files_draw_entry(struct app *a, const struct outline_row *row, const struct rect *l,
    unsigned int extra, bool in_range)
{
	const struct estate_file *f = estate_file(a->model->estate, row->group);
	const struct estate_entry *e = &f->entries[row->item];
	const struct look *look = files_look(e);
	bool marked = marks_has(a->model->marks, f->path, e->key, e->key_len);
	char letter[2] = { look->letter, '\0' };
	const char *word = e->shadowed ? "overridden" : look->word;
	unsigned int style = look->style;
	int words = l->w >= WORD_WIDTH ? WORD_COLUMNS : 0;

	if (marked && e->state == STATE_PLAIN)
		word = "to be sealed";
	in_range = in_range && model_can_seal(e);
	if (marked || in_range)
		canvas_text(l->y, l->x + 1, 1, STYLE_MARK | extra, marked ? "*" : "+");
	canvas_text(l->y, l->x + 2, 1, style | extra, letter);
	canvas_bytes(l->y, l->x + 4, l->w - 5 - words,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, e->key, e->key_len);
	if (words > 0)
		canvas_text(l->y, l->x + l->w - words, words - 1,
		    (marked ? STYLE_MARK : style) | extra, word);
}

/* Is it, or does it hold, what the right pane's cursor is on? */
static bool
files_is_linked(struct app *a, size_t i)
{
	const struct outline *o = &a->files->panes.left;
	const struct outline_row *row = outline_row(o, i);
	const struct estate_file *f = estate_file(a->model->estate, row->group);
	struct selection s = selection_get(a);
	size_t k;

	if (s.kind != SELECTION_SEALED)
		return false;
	for (k = 0; k < f->count; k++) {
		if (row->item == OUTLINE_HEAD ? !outline_folded(o, row->group) : row->item != k)
			continue;
		if (f->entries[k].name != NULL && strlen(f->entries[k].name) == s.name_len &&
		    memcmp(f->entries[k].name, s.name, s.name_len) == 0)
			return true;
	}
	return false;
}

static void
files_draw_row(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct outline *o = &a->files->panes.left;
	const struct outline_row *row = outline_row(o, i);

	if (row->item == OUTLINE_HEAD)
		files_draw_file(a, row->group, line, extra);
	else
		files_draw_entry(a, row, line, extra, outline_in_range(o, i));
}

/* What to say when there is no row. */
static void
files_draw_empty(struct app *a, const struct rect *r)
{
	unsigned int filter = a->files->panes.left.filter;
	const struct model *m = a->model;

	if (m->scanning && !m->looked) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "looking for files");
		return;
	}
	if (filter != FILES_ALL) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE,
		    filter == FILES_CLEAR ? "no secret in clear text" :
		    filter == FILES_PROBLEMS ? "no problems" : "no secrets");
		if (r->h > 1)
			canvas_text(r->y + 1, r->x + 1, r->w - 2, STYLE_NOTE,
			    "Esc shows everything");
		return;
	}
	canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "no configuration file here");
	if (r->h > 2)
		canvas_text(r->y + 2, r->x + 1, r->w - 2, STYLE_NOTE,
		    "propseal FOLDER or FILE opens others.");
}

static void
files_draw_left(struct app *a)
{
	static const struct frame_rows rows = { files_is_linked, files_draw_row };
	struct panes *p = &a->files->panes;

	files_draw_head(a, &a->layout.left_head, !p->right_active);
	if (p->left.rows.len == 0)
		files_draw_empty(a, &a->layout.left);
	frame_draw_rows(a, &p->left, &a->layout.left, !p->right_active, &rows);
}

/* --- the right pane: the secrets file's metadata and sealed entries --- */

static void
sealed_draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct model *m = a->model;
	char text[64];
	int used = 0;

	if (r->h == 0)
		return;
	if (m->secrets != NULL) {
		snprintf(text, sizeof(text), "%zu sealed", m->sealed.len);
		used = 1 + canvas_right(r->y, r->x, r->w - 1, STYLE_NOTE, text);
	}
	canvas_tail(r->y, r->x, r->w - used - 1, active ? STYLE_HEAD : STYLE_NOTE,
	    m->secrets_path != NULL ? model_show_path(m, m->secrets_path) : "Secrets file");
}

static void
sealed_draw_pair(const struct rect *r, int y, const char *name, unsigned int style,
    const char *value)
{
	canvas_text(y, r->x, 11, STYLE_NOTE, name);
	canvas_text(y, r->x + 11, r->w - 12, style, value);
}

static void
sealed_draw_metadata(struct app *a, const struct rect *r)
{
	const struct secrets_metadata *m = secrets_file_metadata(a->model->secrets);
	bool weak = m->iterations < WEAK_ITERATIONS;
	char text[160];

	if (a->model->master != NULL)
		snprintf(text, sizeof(text), "unlocked, id %s", a->model->fingerprint);
	else
		snprintf(text, sizeof(text), "locked");
	sealed_draw_pair(r, r->y, "master key", STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s%u%s", weak ? "! " : "", m->iterations,
	    weak ? " (weak)" : "");
	sealed_draw_pair(r, r->y + 1, "iterations", weak ? STYLE_CLEAR : STYLE_TEXT, text);
	if (m->data_key != NULL)
		snprintf(text, sizeof(text), "%zu bits, wrapped", 8 * m->length);
	else
		snprintf(text, sizeof(text), "none yet");
	sealed_draw_pair(r, r->y + 2, "data key", STYLE_TEXT, text);
	canvas_hline(r->y + 3, r->x, r->w);
}

/* An entry's letter: sealed, sealed by the old cipher, damaged, orphan. */
static char
sealed_letter_of(const struct app *a, size_t sealed, size_t references, unsigned int *style)
{
	const struct document *d = secrets_file_document(a->model->secrets);
	const unsigned char *raw;
	struct sealed parsed;
	size_t len;

	raw = document_raw_value(d, sealed, &len);
	*style = STYLE_DAMAGED;
	/* The text form has no character that .properties would escape but `=`
	 * and `:`, which stand as they are in what this program writes. */
	if (memchr(raw, '\\', len) == NULL && sealed_parse(raw, len, &parsed, NULL) == -1)
		return 'X';
	*style = STYLE_DANGLING;
	if (references == 0 && !a->model->scanning)
		return '?';
	*style = STYLE_SEALED;
	return 'S';
}

static void
sealed_draw_row(struct app *a, size_t i, const struct rect *l, unsigned int extra)
{
	const struct model *m = a->model;
	size_t sealed = *(size_t *)vec_at(&m->sealed, i);
	char letter[2] = { 0, 0 };
	const char *name;
	size_t len, references;
	unsigned int style;
	char text[32];
	int used;

	name = document_key(secrets_file_document(m->secrets), sealed, &len);
	references = estate_references(m->estate, name, len);
	letter[0] = sealed_letter_of(a, sealed, references, &style);
	if (m->scanning && references == 0)
		snprintf(text, sizeof(text), "%s", canvas_glyph(GLYPH_DOT));
	else
		snprintf(text, sizeof(text), "%zu", references);
	canvas_text(l->y, l->x, 1, style | extra, letter);
	used = canvas_right(l->y, l->x, l->w - 1, STYLE_NOTE | extra, text);
	canvas_tail_bytes(l->y, l->x + 2, l->w - 2 - used - 2,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, name, len);
}

static bool
sealed_is_linked(struct app *a, size_t i)
{
	struct selection s = selection_get(a);

	return i == a->files->panes.right.list.cursor && s.kind == SELECTION_ENTRY &&
	    s.name != NULL &&
	    secrets_file_find(a->model->secrets, s.name, s.name_len) ==
	    *(size_t *)vec_at(&a->model->sealed, i);
}

static void
sealed_draw_none(struct app *a, const struct rect *r)
{
	struct rect room = { r->y, r->x, r->h, r->w - 1 };
	const struct model *m = a->model;
	char text[200];
	int y = r->y;

	if (m->secrets_problem.code != ERROR_NONE) {
		y = canvas_wrapped(&room, y, STYLE_ERROR, m->secrets_problem.text);
		canvas_wrapped(&room, y + 1, STYLE_NOTE, m->secrets_problem.hint);
		return;
	}
	if (m->scanning && !m->looked)
		return;
	if (m->counts.sealed > 0) {
		y = canvas_wrapped(&room, y, STYLE_TEXT, "No secrets file is open.");
		snprintf(text, sizeof(text), "The references on the left name one that was not "
		    "found. %s opens it from where it is.",
		    KEY(ACTION_OPEN_SECRETS));
	} else {
		y = canvas_wrapped(&room, y, STYLE_TEXT, "There is no secrets file yet.");
		snprintf(text, sizeof(text), "%s makes one with its first master key. Secrets "
		    "that you seal go there, and configuration files keep a reference.",
		    KEY(ACTION_GENERATE));
	}
	canvas_wrapped(&room, y + 1, STYLE_NOTE, text);
}

static void
files_draw_right(struct app *a)
{
	static const struct frame_rows rows = { sealed_is_linked, sealed_draw_row };
	struct panes *p = &a->files->panes;
	struct rect r = a->layout.right;

	sealed_draw_head(a, &a->layout.right_head, p->right_active);
	if (a->model->secrets == NULL) {
		sealed_draw_none(a, &r);
		return;
	}
	if (r.h >= METADATA_FROM) {
		sealed_draw_metadata(a, &r);
		r.y += METADATA_ROWS;
		r.h -= METADATA_ROWS;
	}
	if (p->right.rows.len == 0)
		canvas_text(r.y, r.x, r.w - 1, STYLE_NOTE, "nothing is sealed yet");
	frame_draw_rows(a, &p->right, &r, p->right_active, &rows);
}

/* --- title, counts and detail --- */

static const char *
files_key_state(const struct model *m)
{
	if (m->secrets == NULL || secrets_file_metadata(m->secrets)->data_key == NULL)
		return "no key";
	return m->master != NULL ? "unlocked" : "locked";
}

static void
files_draw_title(struct app *a, const struct rect *r)
{
	const struct model *m = a->model;
	char right[64];
	struct buf left;
	int used;

	if (m->scanning && a->top == &a->base)
		snprintf(right, sizeof(right), "reading %zu files", estate_count(m->estate));
	else
		snprintf(right, sizeof(right), "%s", files_key_state(m));
	used = canvas_right(r->y, r->x, r->w - 1, STYLE_TITLE, right);
	buf_init(&left, 8192);
	if (r->w >= 30)
		buf_append_str(&left, "propseal ");
	buf_append_str(&left, a->options->paths[0]);
	if (a->options->path_count > 1)
		buf_printf(&left, " and %zu more", a->options->path_count - 1);
	canvas_text(r->y, r->x + 1, r->w - used - 4, STYLE_TITLE, buf_cstr(&left));
	buf_release(&left);
}

/* Add "N what" to a list, if there are any. */
static void
files_count(struct buf *out, size_t n, const char *what)
{
	if (n > 0)
		buf_printf(out, "%s%zu %s", out->len > 0 ? ", " : "", n, what);
}

static void
files_draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct model_counts *c = &a->model->counts;
	struct buf text;

	buf_init(&text, 512);
	files_count(&text, c->clear, "in clear text");
	files_count(&text, c->sealed, "sealed");
	files_count(&text, c->dangling, "dangling");
	files_count(&text, c->damaged, "damaged");
	files_count(&text, c->orphans, c->orphans == 1 ? "orphan" : "orphans");
	files_count(&text, c->unreadable, "unreadable");
	canvas_text(r->y, r->x + 1, w, STYLE_NOTE, buf_cstr(&text));
	buf_release(&text);
}

/* Is it the secrets file that is open, however its path is written? */
static bool
files_is_open(const struct app *a, const struct estate_file *f)
{
	struct file_id one, other;

	return a->model->secrets_path != NULL && file_identify(f->path, &one, NULL) == 0 &&
	    file_identify(a->model->secrets_path, &other, NULL) == 0 && one.exists &&
	    other.exists && one.dev == other.dev && one.ino == other.ino;
}

static void
files_say_counts(struct words *w, const struct estate_file *f)
{
	size_t clear = 0, sealed = 0;
	size_t i;

	for (i = 0; i < f->count; i++) {
		clear += model_is_clear(&f->entries[i]);
		sealed += f->entries[i].state == STATE_SEALED;
	}
	buf_printf(&w->text, "%zu %s", f->count, f->count == 1 ? "entry" : "entries");
	if (clear > 0)
		buf_printf(&w->text, ", %zu %s in clear text", clear,
		    clear == 1 ? "secret" : "secrets");
	if (sealed > 0)
		buf_printf(&w->text, ", %zu sealed", sealed);
	buf_append_str(&w->text, ". ");
	if (clear > 0)
		buf_printf(&w->text, "%s marks the clear ones for sealing, ",
		    KEY(ACTION_MARK_FILE));
	buf_printf(&w->text, "%s adds a sealed value, %s folds or unfolds.", KEY(ACTION_ADD),
	    KEY(ACTION_OPEN));
}

static void
files_say_file(struct app *a, struct words *w, const struct estate_file *f)
{
	buf_append_str(&w->place, model_show_path(a->model, f->path));
	if (f->problem != NULL) {
		w->style = STYLE_ERROR;
		if (f->problem->line > 0)
			buf_printf(&w->place, ":%zu", f->problem->line);
		buf_append_str(&w->text, f->problem->text);
		if (f->problem->hint[0] != '\0')
			buf_printf(&w->text, " (%s)", f->problem->hint);
	} else if (f->is_secrets_file) {
		if (files_is_open(a, f))
			buf_append_str(&w->text, "The secrets file that is open on the right.");
		else
			buf_printf(&w->text, "Another secrets file. %s opens it instead of the "
			    "one on the right.", KEY(ACTION_OPEN));
	} else {
		files_say_counts(w, f);
	}
}

static void
files_say_plain(struct words *w, const struct estate_entry *e)
{
	if (e->clear)
		buf_printf(&w->text, "A secret in clear text. %s marks it for sealing, %s seals "
		    "a new value in its place.", KEY(ACTION_MARK), KEY(ACTION_UPDATE));
	else
		buf_printf(&w->text, "Plain text, and nothing in its name says that it is a "
		    "secret. %s marks it for sealing all the same.", KEY(ACTION_MARK));
}

static void
files_say_entry(struct app *a, struct words *w, const struct estate_file *f,
    const struct estate_entry *e)
{
	buf_append_str(&w->place, model_show_path(a->model, f->path));
	buf_printf(&w->place, ":%zu", e->line);
	buf_append(&w->name, e->key, e->key_len);
	if (e->shadowed)
		buf_append_str(&w->text, "A later line of the same key overrides this one. ");
	switch (e->state) {
	case STATE_PLAIN:
		files_say_plain(w, e);
		break;
	case STATE_SEALED:
		if (a->model->secrets == NULL)
			buf_printf(&w->text, "Refers to %s; no secrets file is open that could "
			    "have it.", e->name);
		else
			buf_printf(&w->text, "Sealed as %s. %s shows the value, %s seals a new "
			    "one, %s removes it.", e->name, KEY(ACTION_REVEAL),
			    KEY(ACTION_UPDATE), KEY(ACTION_REMOVE));
		break;
	case STATE_DANGLING:
		buf_printf(&w->text, "Refers to %s, which the secrets file does not have. "
		    "Restore the secrets file from a backup, or seal a new value with %s.",
		    e->name, KEY(ACTION_UPDATE));
		break;
	case STATE_UNKNOWN:
		buf_printf(&w->text, "Refers to %s, and which secrets file is meant cannot be "
		    "told.", e->name);
		break;
	case STATE_OTHER:
		buf_append_str(&w->text, "Another configuration provider gives the value; "
		    "propseal leaves it alone.");
		break;
	case STATE_DAMAGED:
		buf_printf(&w->text, "Refers to %s, which does not open: it is damaged, or was "
		    "sealed under another key. Restore it from a backup, or seal a new value "
		    "with %s.", e->name, KEY(ACTION_UPDATE));
		break;
	}
}

static void
files_say_sealed(struct app *a, struct words *w, const struct selection *s)
{
	const struct document *d = secrets_file_document(a->model->secrets);
	const struct estate_entry *e;
	const struct estate_file *f;
	size_t n;

	buf_append_str(&w->place, model_show_path(a->model, a->model->secrets_path));
	buf_printf(&w->place, ":%zu", document_line(d, s->sealed));
	buf_append(&w->name, s->name, s->name_len);
	for (n = 0; n < 4 && selection_referrer(a, s->name, s->name_len, n, &f, &e); n++)
		buf_printf(&w->text, "%s%s:%zu", n == 0 ? "Referred to by " : ", ",
		    model_show_path(a->model, f->path), e->line);
	if (n > 0)
		buf_printf(&w->text, "%s. %s shows the value, %s seals a new one, %s removes it.",
		    n == 4 ? " and more" : "", KEY(ACTION_REVEAL), KEY(ACTION_UPDATE),
		    KEY(ACTION_REMOVE));
	else
		buf_printf(&w->text, "An orphan: no configuration file that was read refers to "
		    "it. %s shows the value, %s removes it.", KEY(ACTION_REVEAL),
		    KEY(ACTION_REMOVE));
}

static void
files_say(struct app *a, struct words *w)
{
	struct selection s = selection_get(a);

	switch (s.kind) {
	case SELECTION_FILE:
		files_say_file(a, w, s.file);
		break;
	case SELECTION_ENTRY:
		files_say_entry(a, w, s.file, s.entry);
		break;
	case SELECTION_SEALED:
		files_say_sealed(a, w, &s);
		break;
	default:
		break;
	}
}

static struct panes *
files_panes(struct app *a)
{
	return &a->files->panes;
}

const struct view_ops view_files = {
	.only_here = "this is for the configuration files",
	.panes = files_panes,
	.moved = files_moved,
	.folded = files_link,
	.changed = files_restore,
	.draw_title = files_draw_title,
	.draw_left = files_draw_left,
	.draw_right = files_draw_right,
	.draw_counts = files_draw_counts,
	.say = files_say,
};
