#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define PATH_MAX_BYTES 4096
#define LIST_MAX ((size_t)16 << 20)
#define KEY_MAX_BYTES 4096
#define NAME_MAX_BYTES 65536

/* A plan that seals, and what it needs to be made again with another path. */
struct seal_plan {
	struct buf remote;	/* the path in new references */
	const char *path;	/* a value for one key; NULL: all that is marked */
	const char *key;
	size_t key_len;
	const struct buf *value;	/* secret */
	bool must_exist;	/* the key is in the file already */
};

static void
seal_plan_init(struct seal_plan *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->remote, PATH_MAX_BYTES);
}

static void
seal_plan_release(struct seal_plan *s)
{
	buf_release(&s->remote);
}

/* Plan all marks of one file. */
static int
seal_marks_of(struct app *a, const struct estate_file *f, struct change *c,
    const struct seal_options *o, struct error *err)
{
	struct configuration *config = NULL;
	const struct estate_entry *e;
	size_t i;

	for (i = 0; i < f->count; i++) {
		e = &f->entries[i];
		if (e->shadowed || !marks_has(a->model->marks, f->path, e->key, e->key_len))
			continue;
		if (config == NULL && (config = change_config(c, f->path, err)) == NULL)
			return -1;
		if (seal_key(c->plan, config, e->key, e->key_len, o, err) == 0)
			continue;
		if (err->code == ERROR_MISSING)
			error_hint(err, "the file has changed since it was read: %s reads it anew",
			    KEY(ACTION_RESCAN));
		return -1;
	}
	return 0;
}

static int
seal_marks(struct app *a, struct change *c, const struct seal_options *o, struct error *err)
{
	const struct estate *e = a->model->estate;
	size_t i;

	for (i = 0; i < estate_count(e); i++)
		if (seal_marks_of(a, estate_file(e, i), c, o, err) == -1)
			return -1;
	return 0;
}

static int
seal_one(const struct seal_plan *s, struct change *c, const struct seal_options *o,
    struct error *err)
{
	struct configuration *config = change_config(c, s->path, err);

	if (config == NULL)
		return -1;
	if (!s->must_exist && document_find(config->doc, s->key, s->key_len) != DOCUMENT_NONE) {
		error_set(err, ERROR_EXISTS, "the file has an entry of this key already");
		error_place(err, s->path, 0);
		error_key(err, s->key, s->key_len);
		return error_hint(err, "select it and give it a new value instead");
	}
	return seal_value(c->plan, config, s->key, s->key_len, s->value->data, s->value->len,
	    s->must_exist, o, err);
}

/* Make the plan.  The model is unlocked. */
static int
seal_plan_make(struct app *a, const struct seal_plan *s, struct change *c, struct error *err)
{
	struct buf remote = s->remote;	/* for its text only */
	struct seal_options o = { .remote = buf_cstr(&remote), .replace = false,
	    .cipher = SEALED_GCM, .rules = a->options->rules,
	    .provider_class = a->options->provider_class };

	if (change_begin(a, c, err) == -1 || seal_prepare(c->plan, a->model->master, err) == -1)
		return -1;
	return s->path != NULL ? seal_one(s, c, &o, err) : seal_marks(a, c, &o, err);
}

static bool
ask_remote(struct app *a, struct seal_plan *s)
{
	if (!ask_text(a, "Path in references", "Services look the secrets file up at this path, "
	    "on the machine where they run. It stands in every reference "
	    "${securepass:PATH:NAME}.", "Path:", &s->remote))
		return false;
	if (model_set_remote(a->model, buf_cstr(&s->remote)) == -1)
		app_complain(a, "not enough memory");
	return true;
}

/**
 * seal_plan_run(a, s, title, question, button, ask_now):
 * Make the plan, review, ask, apply; the path can be changed on the way.
 * True: it is done.
 */
static bool
seal_plan_run(struct app *a, struct seal_plan *s, const char *title, const char *question,
    const char *button, bool ask_now)
{
	struct review_options o = { .title = title, .question = question, .button = button,
	    .ask_now = ask_now };
	enum review_answer answer;
	struct change c;
	struct error err;
	bool done = false;

	buf_clear(&s->remote);
	if (model_remote(a->model, &s->remote, &err) == -1) {
		tell_error(a, "No path for references", &err);
		return false;
	}
	do {
		change_prepare(a, &c);
		answer = REVIEW_BACK;
		o.remote = buf_cstr(&s->remote);
		if (seal_plan_make(a, s, &c, &err) == -1)
			tell_error(a, "This cannot be planned", &err);
		else
			answer = review_run(a, &c, &o);
		if (answer == REVIEW_APPLY)
			done = change_carry_out(a, &c, "Not applied");
		change_close(&c);
		o.ask_now = false;
	} while (answer == REVIEW_REMOTE && (ask_remote(a, s) || !a->locking) &&
	    !a->quit && a->end_signal == 0);
	return done;
}

/* What is marked, by file: the list for people. */
static void
append_marks(struct app *a, struct buf *out, size_t *values, size_t *files)
{
	const struct estate *e = a->model->estate;
	const struct estate_entry *entry;
	const struct estate_file *f;
	size_t i, k;
	bool head;

	*values = *files = 0;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		head = false;
		for (k = 0; k < f->count; k++) {
			entry = &f->entries[k];
			if (entry->shadowed || !marks_has(a->model->marks, f->path, entry->key,
			    entry->key_len))
				continue;
			if (!head) {
				buf_printf(out, "%s\n", model_show_path(a->model, f->path));
				++*files;
			}
			++*values;
			head = true;
			buf_append_str(out, "    ");
			buf_append(out, entry->key, entry->key_len);
			buf_append_char(out, '\n');
		}
	}
}

/* Without a key no ciphertext can be made, but the list can be shown. */
static void
show_list(struct app *a)
{
	size_t values, files;
	struct buf text;

	if (a->locking || a->end_signal != 0)
		return;
	buf_init(&text, LIST_MAX);
	buf_append_str(&text, "# Locked: the diff needs the key. These are marked:\n");
	append_marks(a, &text, &values, &files);
	review_show(a, "Marked for sealing", buf_cstr(&text));
	buf_release(&text);
}

/* There must be a secrets file to seal into. */
static bool
have_secrets_file(struct app *a)
{
	if (a->model->secrets == NULL && !a->model->looked) {
		app_complain(a, "%s", act_no_secrets_file(a));
		return false;
	}
	if (a->model->secrets == NULL && a->model->secrets_problem.code == ERROR_NONE &&
	    ask_confirm(a, "No secrets file", "Sealed values go into a secrets file, and there "
	    "is none yet. Make one with its first master key now?", "Make one"))
		act_generate(a);
	return a->model->secrets != NULL;
}

static void
seal_marked(struct app *a, bool ask_now)
{
	struct buf question;
	struct seal_plan s;
	size_t values, files;
	char title[96];

	if (!have_secrets_file(a) && a->model->secrets_problem.code == ERROR_NONE)
		return;
	if (unlock_run(a) == -1) {
		show_list(a);
		return;
	}
	buf_init(&question, LIST_MAX);
	buf_append_str(&question, "These values go into the secrets file, sealed, and "
	    "references take their place:\n\n");
	append_marks(a, &question, &values, &files);
	snprintf(title, sizeof(title), "Seal %zu %s in %zu %s", values,
	    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	seal_plan_init(&s);
	if (seal_plan_run(a, &s, title, buf_cstr(&question), "Apply", ask_now)) {
		marks_clear(a->model->marks);
		app_notice(a, "sealed %zu %s in %zu %s, and read back", values,
		    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	}
	seal_plan_release(&s);
	buf_release(&question);
}

void
act_review(struct app *a)
{
	seal_marked(a, false);
}

void
act_apply(struct app *a)
{
	seal_marked(a, true);
}

/* Ask for the value and seal it: s->path and s->key say where. */
static bool
seal_typed(struct app *a, struct seal_plan *s, const char *title)
{
	struct buf text, value;
	bool done = false;

	buf_init(&text, 16384);
	buf_init_secret(&value, DIALOG_SECRET_MAX);
	buf_printf(&text, "File: %s\nKey: ", model_show_path(a->model, s->path));
	text_append_visible(&text, s->key, s->key_len);
	if (ask_value(a, title, buf_cstr(&text), &value)) {
		s->value = &value;
		done = seal_plan_run(a, s, title, s->must_exist ?
		    "Seal this value? The old one is gone then." :
		    "Add this entry with its sealed value?", "Apply", false);
		s->value = NULL;
	}
	buf_release(&value);
	buf_release(&text);
	return done;
}

/* As they are needed longer than the estate's rows may stay the same. */
static bool
copy_place(struct seal_plan *s, const char *path, const char *key, size_t len)
{
	char *k = malloc(len + 1);
	char *p = strdup(path);

	if (k == NULL || p == NULL) {
		free(k);
		free(p);
		return false;
	}
	memcpy(k, key, len);
	k[len] = '\0';
	s->path = p;
	s->key = k;
	s->key_len = len;
	return true;
}

static void
free_place(struct seal_plan *s)
{
	free((char *)(uintptr_t)s->path);
	free((char *)(uintptr_t)s->key);
}

/* The entry that is meant: selected, or what refers to the sealed one. */
static bool
target(struct app *a, const struct estate_file **f, const struct estate_entry **e)
{
	struct selection s = selection_get(a);

	*f = s.file;
	*e = s.entry;
	return s.kind == SELECTION_ENTRY ||
	    (s.kind == SELECTION_SEALED && selection_referrer(a, s.name, s.name_len, 0, f, e));
}

static bool
value_ready(struct app *a)
{
	if (a->model->secrets == NULL && a->model->secrets_problem.code == ERROR_NONE) {
		app_complain(a, "%s", act_no_secrets_file(a));
		return false;
	}
	return unlock_run(a) == 0;
}

void
act_update(struct app *a)
{
	const struct estate_entry *e;
	const struct estate_file *f;
	struct seal_plan s;

	if (!value_ready(a) || !target(a, &f, &e))
		return;
	seal_plan_init(&s);
	s.must_exist = true;
	if (copy_place(&s, f->path, e->key, e->key_len) && seal_typed(a, &s, "Seal a new value"))
		app_notice(a, "sealed a new value for %s", s.key);
	free_place(&s);
	seal_plan_release(&s);
}

static bool
ask_key_name(struct app *a, struct buf *key)
{
	return ask_text(a, "Add a sealed value", "The key of the new entry, as it will stand in "
	    "the configuration file.", "Key:", key) && !text_is_blank(key->data, key->len);
}

void
act_add(struct app *a)
{
	struct selection at = selection_get(a);
	struct seal_plan s;
	struct buf key;

	if (!value_ready(a))
		return;
	at = selection_get(a);
	if (at.file == NULL)
		return;
	buf_init(&key, KEY_MAX_BYTES);
	seal_plan_init(&s);
	if (ask_key_name(a, &key) && copy_place(&s, at.file->path, (const char *)key.data,
	    key.len) && seal_typed(a, &s, "Add a sealed value")) {
		files_go(a, s.path, s.key, s.key_len);
		app_notice(a, "added %s", s.key);
	}
	free_place(&s);
	seal_plan_release(&s);
	buf_release(&key);
}

/* A sealed entry that nothing refers to goes alone, with its duplicates. */
static int
plan_orphan(struct change *c, const struct secrets_file *s, const struct buf *name,
    struct error *err)
{
	struct edits *e = plan_secrets_edits(c->plan, err);
	size_t i = secrets_file_find(s, (const char *)name->data, name->len);

	if (e == NULL)
		return -1;
	if (i == DOCUMENT_NONE)
		return error_set(err, ERROR_MISSING, "the sealed entry is not there any more");
	for (; i != DOCUMENT_NONE; i = document_previous(secrets_file_document(s), i))
		if (edits_remove(e, i, err) == -1)
			return -1;
	return 0;
}

static int
plan_removal(struct app *a, struct change *c, const struct selection *s, const struct buf *name,
    struct error *err)
{
	const struct estate_file *f = s->file;
	const struct estate_entry *e = s->entry;
	struct configuration *config;
	struct buf key;
	int rc;

	if (s->kind == SELECTION_SEALED && !selection_referrer(a, s->name, s->name_len, 0, &f, &e))
		return plan_orphan(c, a->model->secrets, name, err);
	config = change_config(c, f->path, err);
	if (config == NULL)
		return -1;
	buf_init(&key, NAME_MAX_BYTES);
	buf_append(&key, e->key, e->key_len);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = seal_remove(c->plan, config, buf_cstr(&key), key.len, false, err);
	buf_release(&key);
	return rc;
}

/* How many references will dangle when it is gone. */
static void
warn_of_others(struct app *a, const struct buf *name, struct buf *question)
{
	size_t n = estate_references(a->model->estate, (const char *)name->data, name->len);

	if (n > 1)
		buf_printf(question, "\n\nBeware: %zu entries refer to it; only one of them is "
		    "removed, the others will dangle.", n);
}

void
act_remove(struct app *a)
{
	struct review_options o = { .title = "Remove a sealed entry", .word = "remove" };
	struct buf name, question;
	struct selection s;
	struct change c;
	struct error err;

	change_prepare(a, &c);
	buf_init(&name, NAME_MAX_BYTES);
	buf_init(&question, 2 * NAME_MAX_BYTES);
	if (change_begin(a, &c, &err) == -1)
		goto failed;
	s = selection_get(a);
	if (s.name == NULL)
		goto done;
	buf_append(&name, s.name, s.name_len);
	if (plan_removal(a, &c, &s, &name, &err) == -1)
		goto failed;
	buf_append_str(&question, "The value of ");
	text_append_visible(&question, name.data, name.len);
	buf_append_str(&question, " is gone then: only a backup of the secrets file has it.");
	warn_of_others(a, &name, &question);
	o.question = buf_cstr(&question);
	if (review_run(a, &c, &o) == REVIEW_APPLY && change_carry_out(a, &c, "Not removed"))
		app_notice(a, "removed %s", buf_cstr(&name));
	goto done;
failed:
	tell_error(a, "This cannot be removed", &err);
done:
	change_close(&c);
	buf_release(&question);
	buf_release(&name);
}

/* The clear text that stands in the configuration file. */
static int
reveal_read_plain(const struct scope *scope, const struct estate_file *f,
    const struct estate_entry *e, struct buf *out, struct error *err)
{
	struct configuration *c = configuration_load(f->path, scope, err);
	size_t i;
	int rc;

	if (c == NULL)
		return -1;
	i = document_find(c->doc, e->key, e->key_len);
	if (i == DOCUMENT_NONE) {
		rc = error_set(err, ERROR_MISSING, "the entry is not there any more");
		error_place(err, f->path, 0);
	} else {
		rc = document_value(c->doc, i, out, err);
	}
	configuration_free(c);
	return rc;
}

static int
reveal_open_sealed(struct app *a, const char *name, size_t len, struct buf *out, struct error *err)
{
	size_t i = secrets_file_find(a->model->secrets, name, len);

	if (i == DOCUMENT_NONE) {
		error_set(err, ERROR_MISSING, "the sealed entry is not there any more");
		return error_place(err, a->model->secrets_path, 0);
	}
	return secrets_file_open(a->model->secrets, i, out, err);
}

static int
reveal_read(struct app *a, struct buf *out, struct error *err)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_ENTRY && s.entry->state == STATE_PLAIN)
		return reveal_read_plain(a->options->scope, s.file, s.entry, out, err);
	if (s.name == NULL)
		return error_set(err, ERROR_MISSING, "nothing is selected any more");
	return reveal_open_sealed(a, s.name, s.name_len, out, err);
}

bool
act_can_show(struct app *a, const char *command)
{
	char text[256];

	if (term_has_private_screen())
		return true;
	snprintf(text, sizeof(text), "This terminal has no second screen (smcup), so a value would "
	    "stay in its scrollback. Use another terminal, or `%s`.", command);
	tell_message(a, "Not shown", text);
	return false;
}

void
act_show(struct app *a, const struct buf *value)
{
	if (value->len == 0)
		app_notice(a, "the value is empty");
	else if (reveal_show(a->reveal, value->data, value->len, a->options->reveal_ms) == -1)
		app_complain(a, "the value cannot be shown");
}

void
act_reveal(struct app *a)
{
	struct selection s = selection_get(a);
	bool sealed = s.kind == SELECTION_SEALED || s.entry->state != STATE_PLAIN;
	struct error err;
	struct buf value;

	if (!act_can_show(a, "propseal file decrypt") || (sealed && unlock_run(a) == -1))
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (reveal_read(a, &value, &err) == -1) {
		if (err.code == ERROR_DAMAGED)
			error_hint(&err, "restore the secrets file from a backup, or seal a new "
			    "value with %s", KEY(ACTION_UPDATE));
		tell_error(a, "The value cannot be shown", &err);
	} else {
		act_show(a, &value);
	}
	buf_release(&value);
}
