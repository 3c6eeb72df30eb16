#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/key_show.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/seal_plan.h"
#include "ui/term.h"

#define KEY_MAX_BYTES 4096
#define NAME_MAX_BYTES BUF_MAX_FILE
#define USERS_MS 2000	/* of a search for who else refers to a sealed entry */

/* Single values: a new one, adding, removing, revealing. */

/* An entry of a file, kept for longer than the estate's rows may stay the same. */
struct place {
	char *path;
	char *key;
	size_t len;
};

static bool
place_copy(struct place *p, const char *path, const char *key, size_t len)
{
	p->path = strdup(path);
	p->key = text_copy(key, len);
	p->len = len;
	return p->path != NULL && p->key != NULL;
}

static void
place_free(struct place *p)
{
	free(p->path);
	free(p->key);
}

/* Ask for the value and seal it at its place. */
static bool
seal_typed(struct app *a, struct seal_plan *p, const struct place *at, const char *title,
    bool must_exist)
{
	const struct seal_question q = { .title = title, .text = must_exist ?
	    "Seal this value? The old one is gone then." :
	    "Add this entry with its sealed value?" };
	struct buf text, value;
	bool done = false;

	buf_init(&text, NAME_MAX_BYTES);
	buf_init_secret(&value, SECRET_FIELD_MAX);
	p->key = at->key;
	p->key_len = at->len;
	p->must_exist = must_exist;
	seal_plan_print(a, p, &text);
	if (ask_value(a, title, buf_cstr(&text), &value)) {
		p->value = &value;
		done = seal_plan_run(a, p, &q);
		p->value = NULL;
	}
	buf_release(&value);
	buf_release(&text);
	return done;
}

/* Where the value of an entry goes: a reference says so itself, else what is
 * known of its file. */
static bool
value_goal(struct app *a, const struct estate_file *f, const struct estate_entry *e,
    struct goal *g)
{
	if (e == NULL || e->name == NULL)
		return goal_find(a, f, 0, g);
	if (e->environment == NULL || e->remote == NULL) {
		app_refuse(a, "one cannot tell which secrets file the reference names");
		return false;
	}
	g->environment = e->environment;
	buf_append(&g->remote, e->remote, e->remote_len);
	return true;
}

/* A plan for one value of ${f}, its environment unlocked. */
static bool
value_begin(struct app *a, const struct estate_file *f, const struct estate_entry *e,
    struct seal_plan *p)
{
	struct goal g;
	bool ready;

	goal_init(&g);
	ready = value_goal(a, f, e, &g) && unlock_run(a, g.environment) == 0;
	if (ready && seal_plan_add(p, f, &g) == -1) {
		app_complain(a, "not enough memory");
		ready = false;
	}
	goal_release(&g);
	return ready;
}

/* The entry that is meant: selected, or what refers to the sealed one. */
static bool
value_target(struct app *a, const struct estate_file **f, const struct estate_entry **e)
{
	struct selection s = selection_get(a);

	*f = s.file;
	*e = s.entry;
	return s.kind == SELECTION_ENTRY || (s.kind == SELECTION_SEALED &&
	    selection_referrer(a, s.environment, s.name, s.name_len, 0, f, e));
}

void
act_update(struct app *a)
{
	const struct estate_entry *e;
	const struct estate_file *f;
	struct place at = { NULL, NULL, 0 };
	struct seal_plan p;

	seal_plan_init(&p);
	if (goal_ready(a) && value_target(a, &f, &e) && place_copy(&at, f->path, e->key,
	    e->key_len) && value_begin(a, f, e, &p) &&
	    seal_typed(a, &p, &at, "Seal a new value", true))
		app_notice(a, "sealed a new value for %s", at.key);
	seal_plan_release(&p);
	place_free(&at);
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
	struct place at = { NULL, NULL, 0 };
	struct seal_plan p;
	struct selection s;
	struct buf key;

	buf_init(&key, KEY_MAX_BYTES);
	seal_plan_init(&p);
	if (goal_ready(a) && (s = selection_get(a)).file != NULL &&
	    value_begin(a, s.file, NULL, &p) && ask_key_name(a, &key) &&
	    place_copy(&at, s.file->path, (const char *)key.data, key.len) &&
	    seal_typed(a, &p, &at, "Add a sealed value", false)) {
		files_go(a, at.path, at.key, at.len);
		app_notice(a, "added %s", at.key);
	}
	seal_plan_release(&p);
	place_free(&at);
	buf_release(&key);
}

/* What refers to a sealed entry around its secrets file, where not all may be shown. */
struct removal_users {
	size_t count;
	bool all;		/* there was the time to look at all files */
};

/* Look below the folders of the secrets file and of ${config} (may be NULL).  ERROR_REFUSED:
 * ${orphan}, and something refers to it. */
static int
removal_look_around(struct app *a, const struct environment *x, const char *config,
    const struct buf *name, bool orphan, struct removal_users *out, struct error *err)
{
	char *folders[] = { file_folder(x->path), file_folder(config != NULL ? config : x->path) };
	struct estate *e = folders[0] != NULL && folders[1] != NULL ?
	    estate_new((const char *const *)folders, 2, err) : NULL;
	const char *path, *bytes = (const char *)name->data;
	struct environment *own;
	size_t line;
	int rc = -1;

	if (e == NULL)
		goto done;
	estate_set_scope(e, a->options->scope);
	estate_set_references(e, true);
	if (a->options->environments != NULL)
		environments_set_source(estate_environments(e), a->options->environments);
	if ((own = environments_name(estate_environments(e), x->path, false, err)) == NULL ||
	    (rc = estate_step(e, USERS_MS, err)) == -1)
		goto done;
	out->all = rc == 0;
	out->count = environment_references(own, bytes, name->len);
	rc = 0;
	if (orphan && out->count > 0 &&
	    estate_refers(e, own, bytes, name->len, NULL, 0, &path, &line)) {
		rc = error_set(err, ERROR_REFUSED, "the sealed entry is no orphan: the entry on "
		    "this line refers to it");
		error_place(err, path, line);
		error_hint(err, "that file is none of those that are shown: open its folder, and "
		    "remove the entry there");
	}
done:
	if (folders[0] == NULL || folders[1] == NULL)
		error_memory(err);
	estate_free(e);
	free(folders[0]);
	free(folders[1]);
	return rc;
}

/* A sealed entry that nothing refers to goes alone, with its duplicates and its tag. */
static int
plan_orphan(struct change *c, const struct buf *name, struct error *err)
{
	size_t count = 0;

	if (plan_remove_sealed(c->plan, (const char *)name->data, name->len, &count, err) != 0)
		return -1;
	return count > 0 ? 0 :
	    error_set(err, ERROR_MISSING, "the sealed entry is not there any more");
}

static int
plan_removal(struct app *a, struct change *c, const struct selection *s, const struct buf *name,
    struct removal_users *users, struct error *err)
{
	const struct estate_file *f = s->file;
	const struct estate_entry *e = s->entry;
	struct configuration *config;
	struct buf key;
	int rc;

	bool orphan = s->kind == SELECTION_SEALED && !selection_referrer(a, s->environment, s->name,
	    s->name_len, 0, &f, &e);

	if (removal_look_around(a, s->environment, orphan ? NULL : f->path, name, orphan, users,
	    err) != 0)
		return -1;
	if (orphan)
		return plan_orphan(c, name, err);
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

/* What goes, from where, and how many references will dangle then. */
static void
print_removal(struct app *a, const struct environment *x, const struct buf *name,
    const struct removal_users *users, struct buf *out)
{
	size_t n = environment_references(x, (const char *)name->data, name->len), line;
	const char *path;

	n = users->count > n ? users->count : n;

	text_append_visible(out, name->data, name->len);
	buf_printf(out, "\nof %s\n\nThe value is gone then: only a backup of the secrets file has "
	    "it.", model_show_path(a->model, x->path));
	if (n > 1)
		buf_printf(out, "\n\nBeware: %zu entries refer to it; only one of them is "
		    "removed, the others will dangle.", n);
	if (environment_use(x, (const char *)name->data, name->len, &path, &line) == USE_PERHAPS)
		buf_printf(out, "\n\nBeware: %s:%zu may mean it.",
		    model_show_path(a->model, path), line);
	if (!users->all)
		buf_append_str(out, "\n\nBeware: too many files are around to see whether others "
		    "refer to it.");
}

void
act_remove(struct app *a)
{
	struct review_options o = { .title = "Remove a sealed entry", .word = "remove" };
	struct environment *x = selection_get(a).environment;
	struct change c, *change = &c;
	struct removal_users users;
	struct buf name, question;
	struct selection s;
	struct error err;

	change_prepare(a, &c);
	buf_init(&name, NAME_MAX_BYTES);
	buf_init(&question, 2 * NAME_MAX_BYTES);
	if (change_begin(a, x, &c, &err) == -1)
		goto failed;
	s = selection_get(a);
	if (s.name == NULL || s.environment != x)
		goto done;
	buf_append(&name, s.name, s.name_len);
	if (plan_removal(a, &c, &s, &name, &users, &err) == -1)
		goto failed;
	print_removal(a, x, &name, &users, &question);
	o.question = buf_cstr(&question);
	if (review_run(a, &change, 1, &o) == REVIEW_APPLY &&
	    change_carry_out(a, &change, 1, "Not removed"))
		app_notice(a, "removed %s", buf_cstr(&name));
	goto done;
failed:
	tell_error(a, "This cannot be removed", &err);
done:
	change_close(&c);
	buf_release(&question);
	buf_release(&name);
}

int
value_read_clear(const struct app *a, const char *path, const char *key, size_t len,
    struct buf *out, struct error *err)
{
	struct configuration *c = configuration_load(path, a->options->scope, err);
	size_t i;
	int rc;

	if (c == NULL)
		return -1;
	i = document_find(c->doc, key, len);
	if (i == DOCUMENT_NONE) {
		rc = error_set(err, ERROR_MISSING, "the entry is not there any more");
		error_place(err, path, 0);
	} else {
		rc = document_value(c->doc, i, out, err);
	}
	configuration_free(c);
	return rc;
}

static int
reveal_open_sealed(const struct environment *x, const char *name, size_t len, struct buf *out,
    struct error *err)
{
	const struct reference r = { .name = name, .name_len = len };
	size_t i = resolve_entry(x->secrets, &r);

	if (i == DOCUMENT_NONE) {
		error_set(err, ERROR_MISSING, "the sealed entry is not there any more");
		return error_place(err, x->path, 0);
	}
	return secrets_file_open(x->secrets, i, out, err);
}

static int
reveal_read(struct app *a, const struct selection *s, struct buf *out, struct error *err)
{
	if (s->kind == SELECTION_ENTRY && s->entry->state == STATE_PLAIN)
		return value_read_clear(a, s->file->path, s->entry->key, s->entry->key_len, out,
		    err);
	if (s->name == NULL || s->environment == NULL)
		return error_set(err, ERROR_MISSING, "nothing is selected any more");
	return reveal_open_sealed(s->environment, s->name, s->name_len, out, err);
}

enum show_where
act_show_where(struct app *a)
{
	if (term_has_private_screen())
		return SHOW_SCREEN;
	return tell_offer(a, "Not shown", "This terminal has no second screen (smcup), so a value "
	    "would stay in its scrollback. It can go to a new file, which only you can read.",
	    "o writes it to a file") ? SHOW_FILE : SHOW_NOWHERE;
}

void
act_show(struct app *a, const struct buf *value, enum show_where where)
{
	if (where == SHOW_FILE)
		(void)secret_file_write(a, "Write the value", "It goes to a new file of mode 0600, "
		    "in clear text.", "propseal-value", value);
	else if (value->len == 0)
		app_notice(a, "the value is empty");
	else if (reveal_show(a->reveal, value->data, value->len, a->options->reveal_ms) == -1)
		app_complain(a, "the value cannot be shown");
}

bool
act_value_read(struct app *a, const struct selection *s, struct buf *out)
{
	struct error err;

	if (reveal_read(a, s, out, &err) == 0)
		return true;
	if (err.code == ERROR_DAMAGED)
		error_hint(&err, "restore the secrets file from a backup, or seal a new value "
		    "with %s", KEY(ACTION_UPDATE));
	tell_error(a, "The value cannot be shown", &err);
	return false;
}

/* The value of what is selected, its environment unlocked.  False: the user knows why not. */
static bool
value_open(struct app *a, struct buf *out)
{
	struct selection s = selection_get(a);
	bool sealed = s.kind == SELECTION_SEALED || s.entry->state != STATE_PLAIN;

	if (sealed && unlock_run(a, s.environment) == -1)
		return false;
	s = selection_get(a);
	return act_value_read(a, &s, out);
}

const char *
act_needs_shown(const struct app *a)
{
	return reveal_shown(a->reveal) ? NULL : "show it first";
}

void
act_copy_value(struct app *a, const struct buf *value)
{
	struct error err;

	if (clipboard_copy(&a->clipboard, value->data, value->len, a->options->copy_ms, &err) == -1)
		app_complain(a, "not copied: %s", err.text);
	else
		app_notice(a, "copied, by way of the terminal: cleared in %d s",
		    (a->options->copy_ms + 999) / 1000);
}

/* What is shown stays so; else the value is read for it. */
void
act_copy(struct app *a)
{
	bool shown = reveal_shown(a->reveal);
	struct buf value;

	if (!term_has_private_screen()) {
		app_complain(a, "this terminal has no clipboard: %s, then o writes it to a file",
		    KEY(ACTION_REVEAL));
		return;
	}
	buf_init_secret(&value, BUF_MAX_FILE);
	if (shown)
		buf_append(&value, reveal_value(a->reveal)->data, reveal_value(a->reveal)->len);
	if (shown || value_open(a, &value))
		act_copy_value(a, &value);
	buf_release(&value);
}

void
act_reveal(struct app *a)
{
	enum show_where where = act_show_where(a);
	struct buf value;

	if (where == SHOW_NOWHERE)
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (value_open(a, &value))
		act_show(a, &value, where);
	buf_release(&value);
}
