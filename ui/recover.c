#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/properties.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "estate/lost_key.h"
#include "file/file.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/key_show.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/steps.h"
#include "ui/term.h"

#define TITLE "Lost master key"
#define TEMPLATE_NAME "new-values.properties"
#define LOST_MAX ((size_t)1 << 20)
#define PLACES_MAX ((size_t)1 << 16)
#define SMALL_ROWS 8
#define STATE_COLS 7	/* "given" and what is between */

/* A sealed entry that nobody can open any more.  What is said of it is copied: files are
 * read again while the wizard is open. */
struct lost_value {
	char *name;
	size_t len;
	bool used;
	char *places;		/* where it is used, and where it stands in clear text */
	char *file, *key;	/* the first place of the latter; NULL: there is none */
	size_t key_len;
	struct buf value;	/* the new one, secret; empty: none is given */
	bool taken;		/* it is the one in clear text */
};

struct recovering {
	struct steps steps;
	char *path, *environment;	/* of the secrets file, its name */
	char *data_key;		/* that it had at first, wrapped; "": none */
	struct vec lost;	/* of struct lost_value */
	struct list list;
	struct buf passphrase;	/* secret */
	struct change change;	/* with ->master, ->values and ->kept, while ->planned */
	struct document *values;
	struct key *master;
	char *kept;		/* where the file as it was is kept */
	bool planned;
	struct buf template;	/* the file for new values that was named last */
	bool filled;		/* some were taken from it */
};

static struct recovering *
recovering_of(struct steps *s)
{
	return (struct recovering *)s;
}

static struct lost_value *
lost_at(const struct recovering *w, size_t i)
{
	return vec_at(&w->lost, i);
}

/* How many have a new value; ${*open}: how many that are in use have none. */
static size_t
count_given(const struct recovering *w, size_t *open)
{
	size_t n = 0;

	*open = 0;
	for (size_t i = 0; i < w->lost.len; i++) {
		n += lost_at(w, i)->value.len > 0;
		*open += lost_at(w, i)->value.len == 0 && lost_at(w, i)->used;
	}
	return n;
}

/* --- what is lost --- */

static void
lost_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct recovering *w = recovering_of(s);

	buf_printf(out, "Without its master key and its passphrase nobody opens %s: %zu sealed %s "
	    "lost. If a vault, a backup or a colleague may have either of them, look there first "
	    "(Esc, then U).\n\n", model_show_path(a->model, w->path), w->lost.len,
	    w->lost.len == 1 ? "value is" : "values are");
	buf_append_str(out, "Else each secret gets a new value: change it where it is made (the "
	    "database, the keystore), and give it here. The new values are sealed under a new "
	    "master key, and references stay as they are. The present file stays beside the new "
	    "one.\n\n");
	for (size_t i = 0; i < w->lost.len; i++) {
		text_append_visible(out, lost_at(w, i)->name, lost_at(w, i)->len);
		buf_printf(out, "\n    %s\n", lost_at(w, i)->places);
	}
}

/* --- new values --- */

static void
values_draw_row(const struct lost_value *x, bool here, int y, const struct rect *r)
{
	unsigned int extra = here ? STYLE_SELECTED : 0;
	const char *state = x->taken ? "taken" : x->value.len > 0 ? "given" :
	    x->used ? "open" : "unused";
	int used;

	canvas_fill(y, r->x, r->w, STYLE_TEXT | extra);
	used = canvas_right(y, r->x, r->w - 1, (x->value.len > 0 ? STYLE_SEALED : x->used ?
	    STYLE_CLEAR : STYLE_NOTE) | extra, state);
	canvas_text(y, r->x, 1, STYLE_KEY | extra, here ? ">" : " ");
	canvas_tail(y, r->x + 2, r->w - STATE_COLS - used, STYLE_TEXT | extra, x->name);
	if (here)
		canvas_cursor(y, r->x, true);
}

static void
values_draw(struct steps *s, struct app *a, const struct rect *r)
{
	struct recovering *w = recovering_of(s);
	bool small = r->h < SMALL_ROWS;
	const struct lost_value *x;
	struct rect below;
	char text[128];
	size_t open, given = count_given(w, &open);
	int y = r->y;

	(void)a;
	if (!small) {
		snprintf(text, sizeof(text), "%zu of %zu given; %zu that %s in use %s open", given,
		    w->lost.len, open, open == 1 ? "is" : "are", open == 1 ? "is" : "are");
		canvas_text(y, r->x, r->w, STYLE_NOTE, text);
		y += 2;
	}
	list_fit(&w->list, w->lost.len, (size_t)(small ? r->h : r->h - 6));
	for (size_t i = w->list.top; i < w->lost.len && i - w->list.top < w->list.height; i++)
		values_draw_row(lost_at(w, i), i == w->list.cursor, y++, r);
	if (small || w->lost.len == 0)
		return;
	x = lost_at(w, w->list.cursor);
	below = (struct rect){ r->y + r->h - 3, r->x, 3, r->w };
	(void)steps_text(&below, below.y, x->places);
}

/* The value that stands in clear text in another file becomes the new one, or no more. */
static void
values_take(struct steps *s, struct app *a, struct lost_value *x)
{
	struct error err;

	if (x->file == NULL) {
		snprintf(s->why, sizeof(s->why), "it stands nowhere in clear text: e gives one");
		return;
	}
	buf_clear(&x->value);
	x->taken = !x->taken;
	if (x->taken && value_read_clear(a, x->file, x->key, x->key_len, &x->value, &err) != 0) {
		x->taken = false;
		tell_error(a, "It cannot be taken", &err);
	} else if (x->value.len == 0) {
		x->taken = false;
	}
}

static void
values_type(struct app *a, struct lost_value *x)
{
	struct buf text, value;

	buf_init(&text, PLACES_MAX);
	buf_init_secret(&value, BUF_MAX_FILE);
	text_append_visible(&text, x->name, x->len);
	buf_printf(&text, "\n%s\n", x->places);
	if (ask_value(a, "New value", buf_cstr(&text), &value)) {
		buf_clear(&x->value);
		buf_append(&x->value, value.data, value.len);
		x->taken = false;
	}
	buf_release(&value);
	buf_release(&text);
}

/* --- a file to fill them in --- */

static int
template_write(struct recovering *w, struct app *a, struct environment *x, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	lost_append_template(a->model->estate, x, &text);
	if ((rc = buf_check(&text, err)) == 0)
		rc = secret_file_create(a, buf_cstr(&w->template), &text, err);
	buf_release(&text);
	if (rc == 0)
		tell_message(a, TITLE, "The file is written, for you alone, with a line for each "
		    "value. Fill it in with an editor; then E, with the same name, takes it back, "
		    "also after you have left. `propseal recover apply` takes it, too.");
	return rc;
}

/* Take what was filled in; what was not stays as it was.  ${*n}: how many. */
static int
template_take(struct recovering *w, const struct document *values, size_t *n, struct error *err)
{
	struct buf value;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < w->lost.len; i++) {
		struct lost_value *x = lost_at(w, i);
		size_t at = document_find(values, x->name, x->len);

		buf_clear(&value);
		if (at == DOCUMENT_NONE || (rc = document_value(values, at, &value, err)) != 0 ||
		    value.len == 0)
			continue;
		buf_clear(&x->value);
		buf_append(&x->value, value.data, value.len);
		rc = buf_check(&x->value, err);
		x->taken = false;
		++*n;
	}
	buf_release(&value);
	return rc;
}

static int
template_read(struct recovering *w, const struct environment *x, struct error *err)
{
	struct document *values = NULL;
	size_t missing, n = 0;
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	if ((rc = file_read(buf_cstr(&w->template), &text, NULL, err)) == 0 &&
	    ((values = document_parse(&text, DOCUMENT_ENTRIES, buf_cstr(&w->template), err)) ==
	    NULL || lost_check(x, values, &missing, err) != 0))
		rc = -1;
	if (rc == 0)
		rc = template_take(w, values, &n, err);
	w->filled |= n > 0;
	if (rc == 0 && n == 0)
		snprintf(w->steps.why, sizeof(w->steps.why), "no value is filled in there yet");
	document_free(values);
	buf_release(&text);
	return rc;
}

static void
values_template(struct recovering *w, struct app *a)
{
	struct environment *x;
	struct file_id id;
	struct error err;
	int rc;

	if (w->template.len == 0)
		secret_file_suggest(&w->template, TEMPLATE_NAME);
	while (ask_text(a, "Template to fill in", "A new file gets a line for each value, without "
	    "any. One that is there is taken back, filled in.", "File:", &w->template) &&
	    w->template.len > 0) {
		x = model_environment(a->model, w->path, &err);
		rc = x == NULL ? -1 : 0;
		if (rc == 0 && x->secrets == NULL) {
			err = *x->problem;
			rc = -1;
		}
		if (rc == 0 && (rc = file_identify(buf_cstr(&w->template), &id, &err)) == 0)
			rc = id.exists ? template_read(w, x, &err) :
			    template_write(w, a, x, &err);
		if (rc == 0)
			return;
		tell_error(a, "Nothing is changed", &err);
	}
}

static bool
values_key(struct steps *s, struct app *a, uint32_t k)
{
	struct recovering *w = recovering_of(s);

	if (list_key(&w->list, k == 'k' ? INPUT_UP : k == 'j' ? INPUT_DOWN : k))
		return true;
	if (w->lost.len == 0 || (k != 'e' && k != 'E' && k != ' '))
		return false;
	if (k == 'E')
		values_template(w, a);
	else if (k == 'e')
		values_type(a, lost_at(w, w->list.cursor));
	else
		values_take(s, a, lost_at(w, w->list.cursor));
	return true;
}

static void
values_about(const struct steps *s, struct about *out)
{
	(void)s;
	about_key(out, 'e', "give a new value");
	about_key(out, ' ', "take the one that stands in clear text elsewhere, or leave it again");
	about_key(out, 'E', "write a template to fill in with an editor, or take it back");
	about_key(out, INPUT_DOWN, "next value");
}

static bool
values_next(struct steps *s, struct app *a)
{
	size_t open;

	(void)a;
	if (count_given(recovering_of(s), &open) > 0)
		return true;
	snprintf(s->why, sizeof(s->why), "no new value is given yet: e gives one");
	return false;
}

/* --- the new key --- */

static void
key_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct recovering *w = recovering_of(s);
	size_t open, given = count_given(w, &open);

	buf_printf(out, "%zu new %s sealed into %s under a new master key. It is derived from a "
	    "new passphrase, which is asked for twice; the key is shown once, and you prove that "
	    "it is saved. Then you look at the change, masked. Nothing is written before you type "
	    "the word.\n\n", given, given == 1 ? "value is" : "values are",
	    model_show_path(a->model, w->path));
	if (open > 0)
		buf_printf(out, "%zu in use %s no new value. %s sealed %s; the services that need "
		    "%s do not start until you seal a new value:\n\n", open, open == 1 ? "has" :
		    "have", open == 1 ? "Its" : "Their", open == 1 ? "entry goes, and its "
		    "references dangle" : "entries go, and their references dangle",
		    open == 1 ? "it" : "them");
	for (size_t i = 0; open > 0 && i < w->lost.len; i++) {
		const struct lost_value *x = lost_at(w, i);

		if (x->value.len > 0 || !x->used)
			continue;
		text_append_visible(out, x->name, x->len);
		buf_printf(out, "\n    %s\n", x->places);
	}
}

static void
key_drop(struct recovering *w)
{
	if (w->planned)
		change_close(&w->change);
	w->planned = false;
	document_free(w->values);
	key_free(w->master);
	free(w->kept);
	w->values = NULL;
	w->master = NULL;
	w->kept = NULL;
}

/* The new values, as the lines that `propseal recover apply` reads. */
static int
key_values(struct recovering *w, struct error *err)
{
	struct buf text;

	buf_init_secret(&text, BUF_MAX_FILE);
	for (size_t i = 0; i < w->lost.len; i++) {
		const struct lost_value *x = lost_at(w, i);

		if (x->value.len == 0)
			continue;
		properties_append_key(&text, x->name, x->len);
		buf_append_char(&text, '=');
		properties_append_value(&text, x->value.data, x->value.len);
		buf_append_char(&text, '\n');
	}
	w->values = buf_check(&text, err) == 0 ? document_parse(&text, DOCUMENT_ENTRIES,
	    "the new values", err) : NULL;
	buf_release(&text);
	return w->values != NULL ? 0 : -1;
}

static const char *
data_key_of(const struct secrets_file *s)
{
	const char *wrapped = secrets_file_metadata(s)->data_key;

	return wrapped != NULL ? wrapped : "";
}

/* What nothing opened at first may have been recovered, or rotated, since. */
static int
key_check(const struct recovering *w, struct error *err)
{
	if (strcmp(data_key_of(w->change.secrets), w->data_key) == 0)
		return 0;
	error_set(err, ERROR_STALE, "it got another data key while this was open, perhaps of "
	    "another recovery");
	error_place(err, w->path, 0);
	return error_hint(err, "leave by Esc, and try the key that it has now");
}

static int
key_plan(struct job *j, void *cookie, struct error *err)
{
	struct recovering *w = cookie;

	(void)j;
	if (key_values(w, err) != 0 || change_files(&w->change, NULL, w->path, false, err) != 0 ||
	    key_check(w, err) != 0 || change_plan(&w->change, err) != 0)
		return -1;
	return lost_plan(&w->change, w->values, w->passphrase.data, w->passphrase.len, &w->kept,
	    &w->master, err);
}

static bool
key_next(struct steps *s, struct app *a)
{
	struct recovering *w = recovering_of(s);
	const struct job_wait wait = { TITLE, "Deriving the new master key.", NULL, key_plan, w };
	struct error err;
	bool derived;

	key_drop(w);
	if (!ask_new_passphrase(a, TITLE, "The new master key is derived from a new passphrase. "
	    "Whoever knows it can make the key again from the secrets file: keep it, this time "
	    "in two places.", &w->passphrase))
		return false;
	change_prepare(a, &w->change);
	w->change.environment = w->environment;
	w->planned = true;
	derived = job_await(a, &wait, &err) == 0;
	buf_clear(&w->passphrase);
	if (!derived)
		tell_error(a, "Nothing is changed", &err);
	else if (key_show_run(a, w->master, "New master key"))
		return true;
	key_drop(w);
	return false;
}

/* --- a look at it, and doing it --- */

static void
look_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct recovering *w = recovering_of(s);
	struct error err;

	(void)a;
	if (w->planned && diff_append(w->change.plan, out, &err) != 0)
		buf_printf(out, "The diff cannot be made: %s\n", err.text);
}

static void
apply_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct recovering *w = recovering_of(s);
	size_t open, given = count_given(w, &open);

	buf_printf(out, "%s gets %zu new %s under the new master key. The present file is kept "
	    "beside it first, as\n\n", model_show_path(a->model, w->path), given, given == 1 ?
	    "value" : "values");
	text_append_visible(out, w->kept != NULL ? model_show_path(a->model, w->kept) : "?",
	    strlen(w->kept != NULL ? model_show_path(a->model, w->kept) : "?"));
	buf_append_str(out, "\n\nEnter asks for the word. Until then Esc goes back, and nothing is "
	    "written.");
}

/* It is on disk: the environment is open again. */
static void
apply_use(struct recovering *w, struct app *a)
{
	struct environment *x;
	struct error err;
	size_t opened;

	files_hold(a);
	x = model_environment(a->model, w->path, &err);
	if (x == NULL || model_unlock(a->model, x, w->master, &opened, &err) == -1)
		tell_error(a, "The secrets file cannot be used", &err);
	else
		app_notice(a, "recovered, master key id %s", x->fingerprint);
	files_restore(a);
}

static bool
apply_next(struct steps *s, struct app *a)
{
	struct recovering *w = recovering_of(s);
	struct change *change = &w->change;

	if (a->options->read_only) {
		snprintf(s->why, sizeof(s->why), "%s", KEYMAP_READ_ONLY);
		return false;
	}
	if (!ask_word(a, TITLE, "The secrets file gets its new values under the new master key. "
	    "The present one is kept beside it first.", "recover"))
		return false;
	if (!change_carry_out(a, &change, 1, "Not recovered")) {
		/* What was planned is void now: from the passphrase on again. */
		key_drop(w);
		while (s->all[s->at].next != key_next)
			steps_back(a, s);
		return false;
	}
	apply_use(w, a);
	key_drop(w);
	s->floor = s->at + 1;
	s->note = "the new values are sealed";
	return true;
}

/* --- what now --- */

static void
now_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct recovering *w = recovering_of(s);
	size_t open, given = count_given(w, &open);

	buf_printf(out, "%zu of %zu values are sealed under the new key. The file as it was stays "
	    "beside it (.lost-DATE), in case the lost key is found.\n\n", given, w->lost.len);
	if (open > 0)
		buf_printf(out, "%zu in use %s no value: in the list of files, D marks the "
		    "references that dangle; %s seals a new value.\n\n", open,
		    open == 1 ? "has" : "have", KEY(ACTION_UPDATE));
	buf_printf(out, "Copy %s to each host and give the services the new master key with it, "
	    "then restart them. Proof there: propseal rotation verify --host PATH\n\n",
	    model_show_path(a->model, w->path));
	if (w->filled) {
		buf_append_str(out, "Remove the template that you filled in: it has them in clear "
		    "text.\n    ");
		text_append_visible(out, w->template.data, w->template.len);
		buf_append_str(out, "\n\n");
	}
	buf_append_str(out, "So that it is not lost again: `propseal key sheet` prints what a safe "
	    "should hold, and proves that it opens everything.");
}

/* --- all of it --- */

static const struct step steps[] = {
	{ .name = "what is lost", .text = lost_text },
	{ .name = "new values", .keys = "e value  Space take the clear one  E template",
	    .draw = values_draw, .key = values_key, .next = values_next, .about = values_about },
	{ .name = "new key", .text = key_text, .next = key_next },
	{ .name = "look", .text = look_text },
	{ .name = "apply", .text = apply_text, .next = apply_next },
	{ .name = "what now", .text = now_text },
};

static void
note_clear(void *cookie, const struct estate_file *f, const struct estate_entry *x)
{
	struct lost_value *v = cookie;

	if (v->file != NULL)
		return;
	v->file = strdup(f->path);
	v->key = text_copy(x->key, x->key_len);
	v->key_len = x->key_len;
	if (v->file == NULL || v->key == NULL) {
		free(v->file);
		free(v->key);
		v->file = v->key = NULL;
	}
}

static int
recovering_add(struct recovering *w, const struct estate *e, const struct environment *x,
    const char *name, size_t len, bool used)
{
	struct lost_value *v = vec_push(&w->lost);
	struct buf places;

	if (v == NULL)
		return -1;
	*v = (struct lost_value){ .name = text_copy(name, len), .len = len, .used = used };
	buf_init_secret(&v->value, BUF_MAX_FILE);
	buf_init(&places, PLACES_MAX);
	lost_append_places(e, x, name, len, &places);
	v->places = strdup(buf_cstr(&places));
	buf_release(&places);
	lost_each_clear(e, name, len, note_clear, v);
	return v->name != NULL && v->places != NULL ? 0 : -1;
}

static int
recovering_fill(struct recovering *w, const struct estate *e, const struct environment *x)
{
	const char *name;
	size_t at = 0, len;
	bool used;

	while ((name = lost_next(x, &at, &len, &used)) != NULL)
		if (recovering_add(w, e, x, name, len, used) != 0)
			return -1;
	w->path = strdup(x->path);
	w->environment = strdup(x->name);
	w->data_key = strdup(data_key_of(x->secrets));
	return w->path != NULL && w->environment != NULL && w->data_key != NULL ? 0 : -1;
}

static void
recovering_free(struct recovering *w)
{
	for (size_t i = 0; i < w->lost.len; i++) {
		struct lost_value *x = lost_at(w, i);

		buf_release(&x->value);
		free(x->name);
		free(x->places);
		free(x->file);
		free(x->key);
	}
	vec_release(&w->lost);
	key_drop(w);
	buf_release(&w->passphrase);
	buf_release(&w->template);
	free(w->path);
	free(w->environment);
	free(w->data_key);
	free(w);
}

void
recover_run(struct app *a, const struct environment *x)
{
	struct recovering *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		app_complain(a, "not enough memory");
		return;
	}
	w->steps.title = TITLE;
	w->steps.note = "nothing is written yet";
	w->steps.all = steps;
	w->steps.count = sizeof(steps) / sizeof(steps[0]);
	vec_init(&w->lost, sizeof(struct lost_value), LOST_MAX);
	buf_init_secret(&w->passphrase, SECRET_FIELD_MAX);
	buf_init(&w->template, LINE_EDIT_MAX);
	if (recovering_fill(w, a->model->estate, x) != 0)
		app_complain(a, "not enough memory");
	else
		(void)steps_run(a, &w->steps);
	recovering_free(w);
}
