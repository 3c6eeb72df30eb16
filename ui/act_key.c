#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "document/document.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define KEY_TEXT_MAX 256
#define PROOF 6		/* characters of the key that must be typed */
#define UNLOCK_TITLE "Unlock"
#define KEY_FROM_MAX 300

#define GENERATE_TITLE "New secrets file"
#define DEFAULT_NAME "secrets.properties"
#define PATH_MAX_BYTES 4096

#define DATA "Rotate the data key"
#define MASTER "Rotate the master key"

struct key_show {
	struct layer layer;
	const char *title;
	const struct buf *key;	/* base64, secret */
	bool go_on;
};

static void
key_show_draw(struct layer *layer, struct app *a)
{
	static const char explain[] = "Save this key now, in your password manager or vault. It "
	    "is shown this once and cannot be read from any file. Services need it in their "
	    "environment.";
	struct key_show *v = (struct key_show *)layer;
	struct rect all = { 0, 0, 0, 0 };
	struct rect where;
	int lines, y;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, v->title);
	lines = (int)v->key->len / (all.w - 4) + 1;
	/* The key must fit; what explains it takes what is left. */
	where = (struct rect){ all.h >= 10 ? 2 : 1, 2, lines, all.w - 4 };
	if (where.y + lines > all.h - 1) {
		canvas_text(1, 1, all.w - 2, STYLE_ERROR, "make it larger");
	} else if (reveal_shown(a->reveal)) {
		reveal_place(a->reveal, &where);
	} else {
		canvas_text(where.y, where.x, where.w, STYLE_NOTE, "(masked: Space shows it)");
	}
	y = where.y + lines + (all.h >= 10 ? 1 : 0);
	all.h--;
	if (y < all.h)
		(void)canvas_wrapped(&(struct rect){ all.y, 1, all.h, all.w - 2 }, y, STYLE_TEXT,
		    explain);
	canvas_text(all.h, 1, all.w - 2, STYLE_NOTE, all.w < 50 ? "Enter saved, Esc no" :
	    "Enter: it is saved, mask it and check   Esc: give up, nothing is changed");
	canvas_cursor(all.h, 0, true);
}

static void
key_show_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct key_show *v = (struct key_show *)layer;

	if (k == INPUT_ENTER || k == INPUT_ESCAPE) {
		reveal_hide(a->reveal);
		v->go_on = k == INPUT_ENTER;
		layer->done = true;
	} else if (k == ' ' && !reveal_shown(a->reveal)) {
		(void)reveal_show(a->reveal, v->key->data, v->key->len, 0);
	}
}

/* The screen with the key.  False: given up. */
static bool
key_show_show(struct app *a, const struct buf *text, const char *title)
{
	struct key_show v;
	bool answered;

	memset(&v, 0, sizeof(v));
	v.layer.draw = key_show_draw;
	v.layer.key = key_show_key;
	v.title = title;
	v.key = text;
	if (reveal_show(a->reveal, text->data, text->len, 0) == -1)
		return false;
	answered = loop_run(a, &v.layer);
	reveal_hide(a->reveal);
	return answered && v.go_on;
}

/* Is it saved?  -1: ask for the key to be shown again. */
static int
key_show_check(struct app *a, const struct buf *text)
{
	const char *complaint = NULL;
	struct buf typed;
	int rc = -1;

	buf_init_secret(&typed, DIALOG_SECRET_MAX);
	while (ask_secret(a, "Is it saved?", "Type the last 6 characters of the master key, as "
	    "they stand where you saved it. Esc shows the key again.", "Last 6:", complaint,
	    &typed)) {
		if (secret_equal(typed.data, typed.len, text->data + text->len - PROOF, PROOF)) {
			rc = 0;
			break;
		}
		buf_clear(&typed);
		complaint = "these are not its last 6 characters";
	}
	buf_release(&typed);
	return rc;
}

/**
 * key_show_run(a, key, title):
 * Show a new master key, this once, and have the user prove that it is saved:
 * with the key masked again, its last characters must be typed.  False when
 * the user gives up; then nothing may be changed.
 */
static bool
key_show_run(struct app *a, const struct key *k, const char *title)
{
	struct buf text;
	bool saved = false;

	if (!term_has_private_screen()) {
		tell_message(a, title, "This terminal has no second screen (smcup), so a key "
		    "would stay in its scrollback. Use another terminal, or the commands "
		    "`propseal master-key generate` and `propseal file rotate`.");
		return false;
	}
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &text);
	while (!text.failed && text.len >= PROOF && key_show_show(a, &text, title)) {
		if (key_show_check(a, &text) == 0) {
			saved = true;
			break;
		}
		if (a->locking || a->quit || a->end_signal != 0)
			break;
	}
	buf_release(&text);
	return saved;
}

/* A master key as it is printed, with blanks around it or not. */
static struct key *
as_master_key(const struct buf *typed)
{
	const char *p = (const char *)typed->data;
	size_t n = typed->len;

	while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL)
		n--;
	while (n > 0 && strchr(" \t\r\n", *p) != NULL) {
		p++;
		n--;
	}
	return n > 0 ? key_from_base64(p, n, NULL) : NULL;
}

static struct key *
from_passphrase(struct app *a, struct buf *typed, struct error *err)
{
	struct key *key = NULL;

	if (passphrase_normalise(typed, err) == -1)
		return NULL;
	tell_progress(a, UNLOCK_TITLE, "Deriving the master key from the passphrase.", 0, 0);
	if (secrets_file_check_passphrase(a->model->secrets, typed->data, typed->len, NULL,
	    &key, err) == -1)
		return NULL;
	return key;
}

/* Before the first data key any passphrase would do: ask for it twice. */
static bool
agreed(struct app *a, const struct buf *typed)
{
	struct buf again;
	bool same;

	if (secrets_file_metadata(a->model->secrets)->data_key != NULL)
		return true;
	buf_init_secret(&again, DIALOG_SECRET_MAX);
	same = ask_secret(a, UNLOCK_TITLE,
	    "The secrets file has no data key yet that could prove the "
	    "passphrase. Type it once more.", "Once more:", NULL, &again) &&
	    again.len == typed->len && memcmp(again.data, typed->data, typed->len) == 0;
	buf_release(&again);
	return same;
}

/* Try what was typed as a master key, then as a passphrase. */
static int
try_typed(struct app *a, struct buf *typed, struct error *err)
{
	struct key *key = as_master_key(typed);

	if (key != NULL && model_unlock(a->model, key, err) == 0)
		return 0;
	if (key == NULL && !agreed(a, typed))
		return error_set(err, ERROR_KEY, "the two were not the same");
	key = from_passphrase(a, typed, err);
	return key == NULL ? -1 : model_unlock(a->model, key, err);
}

static int
ask_key(struct app *a, const struct error *missing, const char *where)
{
	const struct secrets_metadata *m = secrets_file_metadata(a->model->secrets);
	const char *complaint = NULL;
	struct buf text, typed;
	struct error err;
	int rc = -1;

	buf_init(&text, 8192);
	buf_init_secret(&typed, DIALOG_SECRET_MAX);
	if (missing->code == ERROR_MISSING)
		buf_printf(&text, "%s is locked: neither --master-key-file nor %s nor a systemd "
		    "credential has its master key.\n\n",
		    model_show_path(a->model, a->model->secrets_path), m->envvar);
	else
		buf_printf(&text, "The master key that was found (%s) does not open %s.\n\n",
		    where != NULL ? where : "no source",
		    model_show_path(a->model, a->model->secrets_path));
	buf_printf(&text, "Type %s.", m->salt != NULL ?
	    "its passphrase, or paste its master key" : "its master key");
	while (ask_secret(a, UNLOCK_TITLE, buf_cstr(&text),
	    m->salt != NULL ? "Passphrase or key:" : "Master key:", complaint, &typed)) {
		rc = try_typed(a, &typed, &err);
		buf_clear(&typed);
		if (rc == 0)
			break;
		complaint = err.code == ERROR_KEY ? "that does not open it" : err.text;
	}
	buf_release(&typed);
	buf_release(&text);
	return rc;
}

/* A key that is there without asking, and where ${from} it is.  NULL: ERROR_MISSING, and as
 * key_ring_read. */
static struct key *
key_at_hand(struct app *a, char from[KEY_FROM_MAX], struct error *err)
{
	struct key_ring *ring = a->options->keys(a->options->keys_cookie, err);
	const struct key *found;
	struct key *key = NULL;
	const char *where;

	if (ring == NULL)
		return NULL;
	if ((found = key_ring_for(ring, a->model->secrets, &where)) != NULL) {
		snprintf(from, KEY_FROM_MAX, "%s", where);
		key = key_from_bytes(key_bytes(found), key_length(found), err);
	} else {
		key_ring_missing(a->model->secrets, err);
	}
	key_ring_free(ring);
	return key;
}


int
unlock_run(struct app *a)
{
	struct model *m = a->model;
	struct error err = { .code = ERROR_NONE };
	char from[KEY_FROM_MAX] = "";
	struct key *key;
	int rc;

	files_hold(a);
	rc = model_reload_secrets(m, &err);
	files_restore(a);
	if (rc == -1 || m->secrets == NULL) {
		if (rc == 0)
			error_set(&err, ERROR_MISSING, "%s", act_no_secrets_file(a));
		tell_error(a, "The secrets file cannot be used", &err);
		return -1;
	}
	if (m->master != NULL)
		return 0;
	key = key_at_hand(a, from, &err);
	if (key != NULL && model_unlock(m, key, &err) == 0)
		return 0;
	if (err.code != ERROR_MISSING && err.code != ERROR_KEY) {
		tell_error(a, "The master key cannot be read", &err);
		return -1;
	}
	return ask_key(a, &err, from[0] != '\0' ? from : NULL);
}

const char *
act_no_secrets_file(const struct app *a)
{
	return a->model->looked ? "there is no secrets file" : STILL_LOOKING;
}

const char *
act_needs_locked(const struct app *a)
{
	if (a->model->secrets == NULL)
		return act_no_secrets_file(a);
	return a->model->master != NULL ? "it is unlocked already" : NULL;
}

const char *
act_needs_unlocked(const struct app *a)
{
	return a->model->master == NULL ? "no key is held" : NULL;
}

void
act_unlock(struct app *a)
{
	if (unlock_run(a) == 0)
		app_notice(a, "unlocked, master key id %s", a->model->fingerprint);
}

void
act_lock(struct app *a)
{
	a->locking = true;
}

const char *
act_needs_no_data_key(const struct app *a)
{
	if (a->model->secrets == NULL)
		return a->model->looked ? NULL : STILL_LOOKING;
	return secrets_file_metadata(a->model->secrets)->data_key != NULL ?
	    "the secrets file has its master key; start with --local-secrets-file for another one" :
	    NULL;
}

/* What to offer as the path: the chosen one, or a name in the folder. */
static void
suggest_path(const struct app *a, struct buf *out)
{
	const char *root = a->options->paths[0];
	size_t len = strlen(root);

	if (a->model->secrets_path != NULL) {
		buf_append_str(out, a->model->secrets_path);
		return;
	}
	/* For a file: the folder that it is in. */
	if (document_format_of(root) != NULL) {
		while (len > 0 && root[len - 1] != '/')
			len--;
	}
	buf_append(out, root, len);
	if (len > 0 && root[len - 1] != '/')
		buf_append_char(out, '/');
	buf_append_str(out, DEFAULT_NAME);
}

/* Plan, review, prove that the key is saved, apply.  The key, or NULL. */
static struct key *
make_secrets_file(struct app *a, const char *path, const struct buf *passphrase)
{
	static const struct review_options o = {
		.title = GENERATE_TITLE,
		.question = "The file is made with a wrapped data key. Next, its master key is "
		    "shown once; nothing is written before you have saved it.",
		.button = "Make it",
	};
	struct key *fresh = NULL;
	struct change c;
	struct error err;
	bool done = false;

	change_prepare(a, &c);
	tell_progress(a, GENERATE_TITLE, "Deriving the master key.", 0, 0);
	if (change_files(&c, NULL, path, true, &err) == -1 || change_plan(&c, &err) == -1 ||
	    rotate_generate(c.plan, passphrase->data, passphrase->len, &fresh, &err) == -1)
		tell_error(a, "The secrets file cannot be made", &err);
	else
		done = review_run(a, &c, &o) == REVIEW_APPLY && key_show_run(a, fresh, o.title) &&
		    change_carry_out(a, &c, "Not made");
	change_close(&c);
	if (!done) {
		key_free(fresh);
		fresh = NULL;
	}
	return fresh;
}

static void
take_over(struct app *a, const char *path, struct key *fresh)
{
	struct error err;
	int rc;

	files_hold(a);
	rc = model_open_secrets(a->model, path, &err);
	if (rc == -1)
		key_free(fresh);
	else
		rc = model_unlock(a->model, fresh, &err);
	files_restore(a);
	if (rc == -1)
		tell_error(a, "The new secrets file cannot be used", &err);
	else
		app_notice(a, "made %s, master key id %s", model_show_path(a->model, path),
		    a->model->fingerprint);
}

void
act_generate(struct app *a)
{
	struct buf path, passphrase;
	struct key *fresh = NULL;

	buf_init(&path, PATH_MAX_BYTES);
	buf_init_secret(&passphrase, DIALOG_SECRET_MAX);
	suggest_path(a, &path);
	if (ask_text(a, GENERATE_TITLE,
	    "A secrets file holds the sealed values. It can lie beside the "
	    "configuration files: without the master key nobody can read them.", "File:",
	    &path) && ask_new_passphrase(a, GENERATE_TITLE, "The master key is derived from a "
	    "passphrase. Whoever knows it can make the key again from the secrets file.",
	    &passphrase))
		fresh = make_secrets_file(a, buf_cstr(&path), &passphrase);
	buf_release(&passphrase);
	if (fresh != NULL)
		take_over(a, buf_cstr(&path), fresh);
	buf_release(&path);
}

const char *
act_needs_data_key(const struct app *a)
{
	if (a->model->secrets == NULL)
		return act_no_secrets_file(a);
	return secrets_file_metadata(a->model->secrets)->data_key == NULL ?
	    "the secrets file has no data key yet" : NULL;
}

static void
progress(void *cookie, size_t done, size_t total)
{
	tell_progress(cookie, DATA, "Sealing every entry again under the new data key.", done,
	    total);
}

void
act_rotate_data(struct app *a)
{
	static const struct review_options o = {
		.title = DATA,
		.question = "Every sealed entry is sealed again under a new data key; values, "
		    "references and the master key stay. Services read the secrets file anew "
		    "when they restart. Keep a backup of the old file until they have.",
		.word = "rotate",
	};
	struct change c;
	struct error err;

	if (unlock_run(a) == -1)
		return;
	change_prepare(a, &c);
	if (change_begin(a, &c, &err) == -1 ||
	    rotate_data_key(c.plan, a->model->master, progress, a, &err) == -1)
		tell_error(a, "The data key cannot be rotated", &err);
	else if (review_run(a, &c, &o) == REVIEW_APPLY && change_carry_out(a, &c, "Not rotated"))
		app_notice(a, "rotated the data key, and read back");
	change_close(&c);
}

/* Plan, review, prove that the new key is saved, apply: in this order, so that
 * until the key is safe nothing has changed.  The new key, or NULL. */
static struct key *
rotate_master(struct app *a, const struct buf *passphrase)
{
	static const struct review_options o = {
		.title = MASTER,
		.question = "The data key is wrapped under a new master key. The old master key "
		    "and the old passphrase no longer open this file: every service that "
		    "reads it needs the new key. Next, the new key is shown once; nothing "
		    "changes before you have saved it.",
		.word = "rotate",
	};
	struct key *fresh = NULL;
	struct change c;
	struct error err;
	bool done = false;

	change_prepare(a, &c);
	tell_progress(a, MASTER, "Deriving the new master key.", 0, 0);
	if (change_begin(a, &c, &err) == -1 || rotate_master_key(c.plan, a->model->master,
	    passphrase->data, passphrase->len, &fresh, &err) == -1)
		tell_error(a, "The master key cannot be rotated", &err);
	else
		done = review_run(a, &c, &o) == REVIEW_APPLY && key_show_run(a, fresh, o.title) &&
		    change_carry_out(a, &c, "Not rotated: the old master key stays valid");
	change_close(&c);
	if (!done) {
		key_free(fresh);
		fresh = NULL;
	}
	return fresh;
}

void
act_rotate_master(struct app *a)
{
	struct buf passphrase, text;
	struct key *fresh = NULL;
	struct error err;

	if (unlock_run(a) == -1)
		return;
	buf_init_secret(&passphrase, DIALOG_SECRET_MAX);
	if (ask_new_passphrase(a, MASTER, "The new master key is derived from a new passphrase. "
	    "Whoever knows it can make the key again from the secrets file.", &passphrase))
		fresh = rotate_master(a, &passphrase);
	buf_release(&passphrase);
	if (fresh == NULL)
		return;
	/* The old key does not open the file any more, so the model has locked. */
	if (model_unlock(a->model, fresh, &err) == -1) {
		tell_error(a, "The new key does not open the file", &err);
		return;
	}
	buf_init(&text, 8192);
	buf_printf(&text, "The master key is rotated (new id %s).\n\nGive every service that "
	    "reads this file the new key in %s, and restart it. Until then it keeps running "
	    "with what it has read; after a restart with the old key it fails.",
	    a->model->fingerprint, secrets_file_metadata(a->model->secrets)->envvar);
	tell_message(a, MASTER, buf_cstr(&text));
	buf_release(&text);
}
