#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "file/file.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/outline.h"
#include "ui/reveal.h"
#include "ui/view_files.h"

struct estate_entry;

struct look {
	char letter;
	const char *word;
	unsigned int style;
};

static const struct look *
look(const struct estate_entry *e)
{
	static const struct look clear = { '!', "clear text", STYLE_CLEAR };
	static const struct look looks[] = {
		[STATE_PLAIN] = { ' ', "", STYLE_TEXT },
		[STATE_SEALED] = { 'S', "sealed", STYLE_SEALED },
		[STATE_DANGLING] = { 'D', "dangling", STYLE_DANGLING },
		[STATE_OTHER] = { 'O', "other provider", STYLE_OTHER },
		[STATE_DAMAGED] = { 'X', "damaged", STYLE_DAMAGED },
	};

	return e->state == STATE_PLAIN && e->sensitive ? &clear : &looks[e->state];
}

static char
entry_look_letter(const struct estate_entry *e)
{
	return look(e)->letter;
}

static const char *
entry_look_word(const struct estate_entry *e)
{
	return look(e)->word;
}

/* How the state of an entry looks: a letter and a word, so that no meaning
 * is carried by colour alone. */
static unsigned int
entry_look_style(const struct estate_entry *e)
{
	return look(e)->style;
}

#define WORD_COLUMNS 15	/* of a state in words, with a blank before it */
#define WORD_WIDTH 46	/* a narrower pane has letters only */

/* One row: where it is, and how it looks. */
struct line {
	int y, x, w;
	unsigned int extra;	/* STYLE_SELECTED, STYLE_LINKED */
};

static void
files_draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct model *m = a->model;
	char text[128];
	int used;

	if (r->h == 0)
		return;
	snprintf(text, sizeof(text), "Configuration files %zu", m->counts.files);
	used = canvas_text(r->y, r->x, r->w, active ? STYLE_HEAD : STYLE_NOTE, text);
	if (m->tree.filter == TREE_ALL)
		return;
	snprintf(text, sizeof(text), "filter: %s", tree_filter_name(m->tree.filter));
	canvas_right(r->y, r->x + used + 1, r->w - used - 2, STYLE_MARK, text);
}

/* How many there are of what, by letter: "3! 12S". */
static void
sum_up(const struct estate_file *f, char *out, size_t size)
{
	static const char letters[] = "!SDOX";
	size_t count[sizeof(letters) - 1] = { 0 };
	size_t used = 0;
	size_t i, k;
	char letter;

	for (i = 0; i < f->count; i++) {
		letter = entry_look_letter(&f->entries[i]);
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
draw_file(struct app *a, const struct line *l, const struct estate_file *f)
{
	bool folded = tree_folded(&a->model->tree, f->path);
	unsigned int style = STYLE_NOTE;
	char sum[96];
	int used = 0;

	if (f->problem != NULL) {
		snprintf(sum, sizeof(sum), "X unreadable");
		style = STYLE_DAMAGED;
	} else if (f->is_secrets_file) {
		snprintf(sum, sizeof(sum), "secrets file");
	} else {
		sum_up(f, sum, sizeof(sum));
	}
	if (sum[0] != '\0' && l->w > 24)
		used = 1 + canvas_right(l->y, l->x, l->w - 1, style | l->extra, sum);
	if (f->count > 0)
		canvas_text(l->y, l->x, 1, STYLE_FILE | l->extra,
		    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN));
	canvas_tail(l->y, l->x + 2, l->w - 2 - used - 1, STYLE_FILE | l->extra,
	    model_show_path(a->model, f->path));
}

static void
files_draw_entry(struct app *a, const struct line *l, const struct estate_file *f,
    const struct estate_entry *e, bool in_range)
{
	bool marked = marks_has(a->model->marks, f->path, e->key, e->key_len);
	char letter[2] = { entry_look_letter(e), '\0' };
	const char *word = e->shadowed ? "overridden" : entry_look_word(e);
	unsigned int style = entry_look_style(e);
	int words = l->w >= WORD_WIDTH ? WORD_COLUMNS : 0;

	if (marked && e->state == STATE_PLAIN)
		word = "to be sealed";
	if (marked || in_range)
		canvas_text(l->y, l->x + 1, 1, STYLE_MARK | l->extra, marked ? "*" : "+");
	canvas_text(l->y, l->x + 2, 1, style | l->extra, letter);
	canvas_bytes(l->y, l->x + 4, l->w - 5 - words,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | l->extra, e->key, e->key_len);
	if (words > 0)
		canvas_text(l->y, l->x + l->w - words, words - 1,
		    (marked ? STYLE_MARK : style) | l->extra, word);
}

/* Is it, or does it hold, what the right pane's cursor is on? */
static bool
files_refers(const struct app *a, const struct tree_row *row, const struct estate_file *f)
{
	struct selection s = selection_get(a);
	size_t i;

	if (s.kind != SELECTION_SEALED)
		return false;
	for (i = 0; i < f->count; i++) {
		if (row->entry == TREE_NO_ENTRY ?
		    !tree_folded(&a->model->tree, f->path) : row->entry != i)
			continue;
		if (f->entries[i].name != NULL && strlen(f->entries[i].name) == s.name_len &&
		    memcmp(f->entries[i].name, s.name, s.name_len) == 0)
			return true;
	}
	return false;
}

static bool
files_in_range(const struct browser *b, size_t row)
{
	if (!b->ranging)
		return false;
	return row >= b->range_from ? row <= b->left.cursor : row >= b->left.cursor;
}

static void
files_draw_row(struct app *a, const struct rect *r, size_t i, bool active)
{
	const struct browser *b = a->browser;
	const struct tree_row *row = tree_row(&a->model->tree, i);
	const struct estate_file *f = estate_file(a->model->estate, row->file);
	struct line l = { .y = r->y + (int)(i - b->left.top), .x = r->x, .w = r->w, .extra = 0 };

	if (active && i == b->left.cursor) {
		l.extra = STYLE_SELECTED;
		canvas_fill(l.y, l.x, l.w, STYLE_TEXT | l.extra);
		canvas_cursor(l.y, l.x, true);
	} else if (!active && files_refers(a, row, f)) {
		l.extra = STYLE_LINKED;
	}
	if (row->entry == TREE_NO_ENTRY)
		draw_file(a, &l, f);
	else
		files_draw_entry(a, &l, f, &f->entries[row->entry],
		    files_in_range(b, i) && tree_can_seal(&f->entries[row->entry]));
}

/* What to say when there is no row. */
static void
draw_empty(struct app *a, const struct rect *r)
{
	const struct model *m = a->model;

	if (m->scanning && !m->looked) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, "looking for files");
		return;
	}
	if (m->tree.filter != TREE_ALL) {
		canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE,
		    m->tree.filter == TREE_CLEAR ? "no secret in clear text" :
		    m->tree.filter == TREE_PROBLEMS ? "no problems" : "no secrets");
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

void
pane_files_draw(struct app *a)
{
	struct list *l = &a->browser->left;
	bool active = !a->browser->right_active;
	const struct rect *r = &a->layout.left;
	size_t i;

	files_draw_head(a, &a->layout.left_head, active);
	list_fit(l, tree_count(&a->model->tree), (size_t)r->h);
	if (l->count == 0)
		draw_empty(a, r);
	for (i = l->top; i < l->count && i - l->top < l->height; i++)
		files_draw_row(a, r, i, active);
}

#define METADATA_ROWS 4
#define METADATA_FROM 9	/* a lower pane shows entries only */
#define WEAK_ITERATIONS KEY_ITERATIONS_DEFAULT

static void
secrets_draw_head(struct app *a, const struct rect *r, bool active)
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
draw_pair(const struct rect *r, int y, const char *name, unsigned int style, const char *value)
{
	canvas_text(y, r->x, 11, STYLE_NOTE, name);
	canvas_text(y, r->x + 11, r->w - 12, style, value);
}

static void
draw_metadata(struct app *a, const struct rect *r)
{
	const struct secrets_metadata *m = secrets_file_metadata(a->model->secrets);
	bool weak = m->iterations < WEAK_ITERATIONS;
	char text[160];

	if (a->model->master != NULL)
		snprintf(text, sizeof(text), "unlocked, id %s", a->model->fingerprint);
	else
		snprintf(text, sizeof(text), "locked");
	draw_pair(r, r->y, "master key", STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s%u%s", weak ? "! " : "", m->iterations,
	    weak ? " (weak)" : "");
	draw_pair(r, r->y + 1, "iterations", weak ? STYLE_CLEAR : STYLE_TEXT, text);
	if (m->data_key != NULL)
		snprintf(text, sizeof(text), "%zu bits, wrapped", 8 * m->length);
	else
		snprintf(text, sizeof(text), "none yet");
	draw_pair(r, r->y + 2, "data key", STYLE_TEXT, text);
	canvas_hline(r->y + 3, r->x, r->w);
}

/* An entry's letter: sealed, sealed by the old cipher, damaged, orphan. */
static char
secrets_letter_of(const struct app *a, size_t sealed, size_t references, unsigned int *style)
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
secrets_draw_entry(struct app *a, const struct rect *r, int y, size_t i, unsigned int extra)
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
	letter[0] = secrets_letter_of(a, sealed, references, &style);
	if (m->scanning && references == 0)
		snprintf(text, sizeof(text), "%s", canvas_glyph(GLYPH_DOT));
	else
		snprintf(text, sizeof(text), "%zu", references);
	canvas_text(y, r->x, 1, style | extra, letter);
	used = canvas_right(y, r->x, r->w - 1, STYLE_NOTE | extra, text);
	canvas_tail_bytes(y, r->x + 2, r->w - 2 - used - 2,
	    (style == STYLE_DAMAGED ? STYLE_TEXT : style) | extra, name, len);
}

static bool
is_counterpart(const struct app *a, size_t i)
{
	struct selection s = selection_get(a);

	return s.kind == SELECTION_ENTRY && s.name != NULL &&
	    secrets_file_find(a->model->secrets, s.name, s.name_len) ==
	    *(size_t *)vec_at(&a->model->sealed, i);
}

static void
draw_entries(struct app *a, const struct rect *r, bool active)
{
	struct list *l = &a->browser->right;
	unsigned int extra;
	size_t i;
	int y;

	list_fit(l, a->model->sealed.len, (size_t)r->h);
	if (l->count == 0)
		canvas_text(r->y, r->x, r->w - 1, STYLE_NOTE, "nothing is sealed yet");
	for (i = l->top; i < l->count && i - l->top < l->height; i++) {
		y = r->y + (int)(i - l->top);
		extra = 0;
		if (active && i == l->cursor) {
			extra = STYLE_SELECTED;
			canvas_fill(y, r->x, r->w, STYLE_TEXT | extra);
			canvas_cursor(y, r->x, true);
		} else if (!active && i == l->cursor && is_counterpart(a, i)) {
			extra = STYLE_LINKED;
		}
		secrets_draw_entry(a, r, y, i, extra);
	}
}

/* Text broken to the pane's width. */
static int
secrets_draw_wrapped(const struct rect *r, int y, unsigned int style, const char *text)
{
	size_t n = strlen(text);
	size_t next, len;

	while (n > 0 && y < r->y + r->h) {
		len = columns_wrap(text, n, r->w - 1, &next);
		canvas_bytes(y++, r->x, r->w - 1, style, text, len);
		text += next;
		n -= next;
	}
	return y;
}

static void
secrets_draw_none(struct app *a, const struct rect *r)
{
	const struct model *m = a->model;
	char name[KEYMAP_NAME_MAX];
	char text[200];
	int y = r->y;

	list_fit(&a->browser->right, 0, (size_t)r->h);
	if (m->secrets_problem.code != ERROR_NONE) {
		y = secrets_draw_wrapped(r, y, STYLE_ERROR, m->secrets_problem.text);
		secrets_draw_wrapped(r, y + 1, STYLE_NOTE, m->secrets_problem.hint);
		return;
	}
	if (m->scanning && !m->looked)
		return;
	if (m->counts.sealed > 0) {
		y = secrets_draw_wrapped(r, y, STYLE_TEXT, "No secrets file is open.");
		snprintf(text, sizeof(text), "The references on the left name one that was not "
		    "found. %s opens it from where it is.",
		    keymap_key_of(ACTION_OPEN_SECRETS, name));
	} else {
		y = secrets_draw_wrapped(r, y, STYLE_TEXT, "There is no secrets file yet.");
		snprintf(text, sizeof(text), "%s makes one with its first master key. Secrets "
		    "that you seal go there, and configuration files keep a reference.",
		    keymap_key_of(ACTION_GENERATE, name));
	}
	secrets_draw_wrapped(r, y + 1, STYLE_NOTE, text);
}

void
pane_secrets_draw(struct app *a)
{
	bool active = a->browser->right_active;
	struct rect r = a->layout.right;

	secrets_draw_head(a, &a->layout.right_head, active);
	if (a->model->secrets == NULL) {
		secrets_draw_none(a, &r);
		return;
	}
	if (r.h >= METADATA_FROM) {
		draw_metadata(a, &r);
		r.y += METADATA_ROWS;
		r.h -= METADATA_ROWS;
	}
	draw_entries(a, &r, active);
}

/* The key of an action, for texts. */
#define KEY(id) keymap_key_of(id, (char [KEYMAP_NAME_MAX]){ 0 })

/* Is it the secrets file that is open, however its path is written? */
static bool
is_open(const struct app *a, const struct estate_file *f)
{
	struct file_id one, other;

	return a->model->secrets_path != NULL && file_identify(f->path, &one, NULL) == 0 &&
	    file_identify(a->model->secrets_path, &other, NULL) == 0 && one.exists &&
	    other.exists && one.dev == other.dev && one.ino == other.ino;
}

static void
say_counts(struct words *w, const struct estate_file *f)
{
	size_t clear = 0, sealed = 0;
	size_t i;

	for (i = 0; i < f->count; i++) {
		clear += tree_is_clear(&f->entries[i]);
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
say_file(struct app *a, struct words *w, const struct estate_file *f)
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
		if (is_open(a, f))
			buf_append_str(&w->text, "The secrets file that is open on the right.");
		else
			buf_printf(&w->text, "Another secrets file. %s opens it instead of the "
			    "one on the right.", KEY(ACTION_OPEN));
	} else {
		say_counts(w, f);
	}
}

static void
say_plain(struct words *w, const struct estate_entry *e)
{
	if (e->sensitive)
		buf_printf(&w->text, "A secret in clear text. %s marks it for sealing, %s seals "
		    "a new value in its place.", KEY(ACTION_MARK), KEY(ACTION_UPDATE));
	else
		buf_printf(&w->text, "Plain text, and nothing in its name says that it is a "
		    "secret. %s marks it for sealing all the same.", KEY(ACTION_MARK));
}

static void
say_entry(struct app *a, struct words *w, const struct estate_file *f,
    const struct estate_entry *e)
{
	buf_append_str(&w->place, model_show_path(a->model, f->path));
	buf_printf(&w->place, ":%zu", e->line);
	buf_append(&w->name, e->key, e->key_len);
	if (e->shadowed)
		buf_append_str(&w->text, "A later line of the same key overrides this one. ");
	switch (e->state) {
	case STATE_PLAIN:
		say_plain(w, e);
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
say_sealed(struct app *a, struct words *w, const struct selection *s)
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
detail_say(struct app *a, struct words *w, const struct selection *s)
{
	switch (s->kind) {
	case SELECTION_FILE:
		say_file(a, w, s->file);
		break;
	case SELECTION_ENTRY:
		say_entry(a, w, s->file, s->entry);
		break;
	case SELECTION_SEALED:
		say_sealed(a, w, s);
		break;
	default:
		break;
	}
}

/* A screen without a detail: the list gives its place. */
static void
detail_draw_small_reveal(struct app *a, const struct selection *s)
{
	struct rect r = a->browser->right_active ? a->layout.right : a->layout.left;

	canvas_clear(&r);
	if (s->kind == SELECTION_ENTRY)
		canvas_tail_bytes(r.y, r.x + 1, r.w - 2, STYLE_HEAD, s->entry->key,
		    s->entry->key_len);
	else
		canvas_tail_bytes(r.y, r.x + 1, r.w - 2, STYLE_HEAD, s->name, s->name_len);
	r.y++;
	r.h--;
	words_draw_reveal(a, &r);
}

void
detail_draw(struct app *a)
{
	struct selection s = selection_get(a);
	struct words w;
	const struct rect *r = &a->layout.detail;

	if (r->h == 0) {
		if (reveal_shown(a->reveal))
			detail_draw_small_reveal(a, &s);
		return;
	}
	canvas_hline(a->layout.rule.y, a->layout.rule.x, a->layout.rule.w);
	words_init(&w);
	detail_say(a, &w, &s);
	words_draw(a, r, &w);
	words_release(&w);
}
