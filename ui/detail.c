#include <string.h>

#include "base/buf.h"
#include "file/file.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/canvas.h"
#include "ui/detail.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/selection.h"
#include "ui/style.h"
#include "ui/tree.h"
#include "ui/words.h"

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
say(struct app *a, struct words *w, const struct selection *s)
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
draw_small_reveal(struct app *a, const struct selection *s)
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
			draw_small_reveal(a, &s);
		return;
	}
	canvas_hline(a->layout.rule.y, a->layout.rule.x, a->layout.rule.w);
	words_init(&w);
	say(a, &w, &s);
	words_draw(a, r, &w);
	words_release(&w);
}
