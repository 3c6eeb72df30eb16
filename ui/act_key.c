#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
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
#include "ui/job.h"
#include "ui/key_show.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/term.h"
#include "ui/wait.h"
#include "ui/wizard.h"

#define UNLOCK_TITLE "Unlock"

#define PATH_MAX_BYTES 4096

#define DATA "Rotate the data key"
#define RESEALING "Sealing every entry again under the new data key."
#define MASTER "Rotate the master key"

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

/* The master key of ${x} from a passphrase. */
static struct key *
from_passphrase(const struct environment *x, const struct buf *typed, struct error *err)
{
	struct key *key = NULL;

	if (secrets_file_check_passphrase(x->secrets, typed->data, typed->len, NULL, &key,
	    err) == -1)
		return NULL;
	return key;
}

/* Before the first data key any passphrase would do: ask for it twice. */
static bool
agreed(struct app *a, const struct environment *x, const struct buf *typed)
{
	struct buf again;
	bool same;

	if (secrets_file_metadata(x->secrets)->data_key != NULL)
		return true;
	buf_init_secret(&again, SECRET_FIELD_MAX);
	same = ask_secret(a, UNLOCK_TITLE,
	    "The secrets file has no data key yet that could prove the "
	    "passphrase. Type it once more.", "Once more:", NULL, &again) &&
	    secret_equal(again.data, again.len, typed->data, typed->len);
	buf_release(&again);
	return same;
}

/* Could a passphrase open it? */
static bool
unlock_may_try(const struct environment *x)
{
	const struct secrets_metadata *m;

	if (x->secrets == NULL || x->master != NULL)
		return false;
	m = secrets_file_metadata(x->secrets);
	return m->salt != NULL && m->data_key != NULL;
}

/* A key that is derived in a job's thread. */
struct deriving {
	const struct environment *x;
	const struct buf *typed;
	struct key *key;
};

static int
derive(struct job *j, void *cookie, struct error *err)
{
	struct deriving *w = cookie;

	(void)j;
	w->key = from_passphrase(w->x, w->typed, err);
	return w->key != NULL ? 0 : -1;
}

/* Try a passphrase on the locked environments; each has its own salt. */
static int
try_passphrase(struct app *a, struct environment *x, const struct buf *typed, size_t *opened,
    struct error *err)
{
	struct environments *e = model_environments(a->model);
	size_t count = environments_count(e);
	size_t i, one;
	struct environment *at;
	struct error why;
	struct deriving w;
	const struct job_wait wait = { UNLOCK_TITLE, "Deriving the master key from the "
		"passphrase.", NULL, derive, &w };

	for (i = 0; i <= count; i++) {
		/* The one that is asked for comes first. */
		at = i == 0 ? x : environments_at(e, i - 1);
		if (i > 0 && (at == x || !unlock_may_try(at)))
			continue;
		w = (struct deriving){ at, typed, NULL };
		if (job_await(a, &wait, &why) == 0 &&
		    model_unlock(a->model, at, w.key, &one, &why) == 0)
			*opened += one;
		key_free(w.key);
		if (i == 0)
			*err = why;
	}
	return *opened > 0 ? 0 : -1;
}

/* Try what was typed as a master key, then as a passphrase. */
static int
try_typed(struct app *a, struct environment *x, struct buf *typed, size_t *opened,
    struct error *err)
{
	struct key *key = as_master_key(typed);
	int rc;

	*opened = 0;
	if (key != NULL) {
		rc = model_unlock(a->model, x, key, opened, err);
		key_free(key);
		if (rc == 0 || err->code != ERROR_KEY)
			return rc;
	} else if (!agreed(a, x, typed)) {
		return error_set(err, ERROR_KEY, "the two were not the same");
	}
	if (passphrase_normalise(typed, err) == -1)
		return -1;
	return try_passphrase(a, x, typed, opened, err);
}

/* Why it is locked, and what can be typed. */
static void
say_locked(struct app *a, const struct environment *x, struct buf *out)
{
	const struct secrets_metadata *m = secrets_file_metadata(x->secrets);

	if (a->model->ring == NULL || key_ring_count(a->model->ring) == 0)
		buf_printf(out, "%s is locked: neither --master-key-file nor %s nor a systemd "
		    "credential has its master key.\n\n", model_show_path(a->model, x->path),
		    m->envvar);
	else
		buf_printf(out, "The master key that was found (%s) does not open %s.\n\n",
		    key_ring_where(a->model->ring, 0), model_show_path(a->model, x->path));
	buf_printf(out, "Type %s.", m->salt != NULL ?
	    "its passphrase, or paste its master key" : "its master key");
}

/* ${any}: it is enough when it opens another one. */
static int
ask_key(struct app *a, struct environment *x, bool any, size_t *opened)
{
	bool salt = secrets_file_metadata(x->secrets)->salt != NULL;
	struct buf text, typed;
	struct error err;
	char why[sizeof(err.text)] = "";
	int rc = -1;

	buf_init(&text, 8192);
	buf_init_secret(&typed, SECRET_FIELD_MAX);
	say_locked(a, x, &text);
	while (rc == -1 && ask_secret(a, UNLOCK_TITLE, buf_cstr(&text),
	    salt ? "Passphrase or key:" : "Master key:", why, &typed)) {
		rc = try_typed(a, x, &typed, opened, &err);
		buf_clear(&typed);
		if (rc == -1) {
			snprintf(why, sizeof(why), "%s", err.code == ERROR_KEY ?
			    "that does not open it" : err.text);
		} else if (x->master == NULL && !any) {
			snprintf(why, sizeof(why), "that opens %zu other secrets files, but not "
			    "this one", *opened);
			rc = -1;
		}
	}
	buf_release(&typed);
	buf_release(&text);
	return rc;
}

/* Read it again, and try the keys at hand.  1: it still is locked. */
static int
unlock_at_hand(struct app *a, struct environment *x)
{
	struct model *m = a->model;
	struct error err;
	int rc;

	files_hold(a);
	rc = model_reload(m, x, &err);
	files_restore(a);
	if (rc == -1 || x->secrets == NULL) {
		if (rc != -1)
			error_set(&err, ERROR_MISSING, "the secrets file is not there any more");
		tell_error(a, "The secrets file cannot be used", x->problem != NULL ? x->problem :
		    &err);
		return -1;
	}
	/* A source that is there and has no key is a fault; one that is not there is not. */
	if (x->master == NULL && model_use_ring(m, &err) == -1) {
		tell_error(a, "The master key cannot be read", &err);
		return -1;
	}
	return x->master == NULL;
}

int
unlock_run(struct app *a, struct environment *x)
{
	size_t opened;
	int rc = unlock_at_hand(a, x);

	return rc == 1 ? ask_key(a, x, false, &opened) : rc;
}

/* The environment that keys are about: the selected one. */
static struct environment *
key_target(const struct app *a)
{
	struct selection s = selection_get(a);

	return s.environment != NULL ? s.environment : s.root != NULL ? s.root->environment : NULL;
}

/* Why there is no secrets file to act on. */
static const char *
key_no_target(const struct app *a)
{
	if (!a->model->looked)
		return STILL_LOOKING;
	return model_environments(a->model) != NULL &&
	    environments_count(model_environments(a->model)) > 0 ?
	    "select an environment first" : "there is no secrets file";
}

/* The first locked one, the selected one before all others; NULL: none. */
static struct environment *
key_locked(const struct app *a)
{
	const struct environments *e = model_environments(a->model);
	struct environment *x = key_target(a);
	size_t i;

	if (x != NULL && x->secrets != NULL && x->master == NULL)
		return x;
	for (i = 0; i < environments_count(e); i++) {
		x = environments_at(e, i);
		if (x->secrets != NULL && x->master == NULL)
			return x;
	}
	return NULL;
}

const char *
act_needs_locked(const struct app *a)
{
	size_t all = model_secrets_files(a->model);

	if (all == 0)
		return key_no_target(a);
	return model_keys(a->model) == all ? "it is unlocked already" : NULL;
}

const char *
act_needs_unlocked(const struct app *a)
{
	return model_keys(a->model) == 0 ? "no key is held" : NULL;
}

void
act_unlock(struct app *a)
{
	struct environment *x = key_locked(a);
	size_t opened = 0;
	int rc;

	if (x == NULL || (rc = unlock_at_hand(a, x)) == -1)
		return;
	if (rc == 1 && ask_key(a, x, true, &opened) == -1)
		return;
	if (model_secrets_files(a->model) > 1)
		app_notice(a, "unlocked: keys of %zu of %zu environments", model_keys(a->model),
		    model_secrets_files(a->model));
	else
		app_notice(a, "unlocked, master key id %s", x->fingerprint);
}

void
act_lock(struct app *a)
{
	a->locking = true;
}

const char *
act_needs_no_data_key(const struct app *a)
{
	const struct environment *x = key_target(a);

	if (!a->model->looked)
		return STILL_LOOKING;
	if (x == NULL)
		return NULL;
	if (x->secrets == NULL)
		return x->problem != NULL ? "the secrets file cannot be read" : NULL;
	return secrets_file_metadata(x->secrets)->data_key != NULL ?
	    "the secrets file has its master key" : NULL;
}

/* A new master key that is derived, and planned with, in a job's thread. */
struct making {
	struct change *c;
	const struct key *master;	/* the one before */
	const struct buf *passphrase;
	struct key *fresh;
};

static int
make_key(struct job *j, void *cookie, struct error *err)
{
	struct making *m = cookie;
	const struct buf *p = m->passphrase;

	(void)j;
	return rotate_master_key(m->c->plan, m->master, p->data, p->len, &m->fresh, err);
}

void
act_generate(struct app *a)
{
	wizard_run(a, model_secrets_files(a->model) == 0);
}

bool
act_make_secrets_file(struct app *a)
{
	return wizard_make(a);
}

const char *
act_needs_data_key(const struct app *a)
{
	const struct environment *x = key_target(a);

	if (x == NULL)
		return key_no_target(a);
	if (x->secrets == NULL)
		return "the secrets file cannot be read";
	return secrets_file_metadata(x->secrets)->data_key == NULL ?
	    "the secrets file has no data key yet" : NULL;
}

/* A data key that is rotated in a job's thread. */
struct resealing {
	struct change *c;
	const struct key *master;
	struct job *job;
};

static void
progress(void *cookie, size_t done, size_t total)
{
	job_tell(((struct resealing *)cookie)->job, done, total, RESEALING);
}

static int
reseal(struct job *j, void *cookie, struct error *err)
{
	struct resealing *w = cookie;

	w->job = j;
	return rotate_data_key(w->c->plan, w->master, progress, w, err);
}

/* What is rotated, before ${text}. */
static void
print_rotation(const struct app *a, const struct environment *x, const char *text, struct buf *out)
{
	const char *remote = environment_remote(x);

	buf_printf(out, "%s", model_show_path(a->model, x->path));
	if (remote != NULL)
		buf_printf(out, ", read as %s", remote);
	buf_printf(out, "\n\n%s", text);
}

void
act_rotate_data(struct app *a)
{
	static const char text[] = "Every sealed entry is sealed again under a new data key; "
	    "values, references and the master key stay. Services read the secrets file anew "
	    "when they restart. Keep a backup of the old file until they have.";
	struct review_options o = { .title = DATA, .word = "rotate" };
	struct environment *x = key_target(a);
	struct change c, *change = &c;
	struct resealing w = { .c = &c };
	const struct job_wait wait = { DATA, RESEALING, NULL, reseal, &w };
	struct buf question;
	struct error err;

	if (unlock_run(a, x) == -1)
		return;
	w.master = x->master;
	buf_init(&question, 16384);
	print_rotation(a, x, text, &question);
	o.question = buf_cstr(&question);
	change_prepare(a, &c);
	if (change_begin(a, x, &c, &err) == -1 ||
	    job_await(a, &wait, &err) == -1)
		tell_error(a, "The data key cannot be rotated", &err);
	else if (review_run(a, &change, 1, &o) == REVIEW_APPLY &&
	    change_carry_out(a, &change, 1, "Not rotated"))
		app_notice(a, "rotated the data key, and read back");
	change_close(&c);
	buf_release(&question);
}

/* Plan, review, prove that the new key is saved, apply: in this order, so that
 * until the key is safe nothing has changed.  The new key, or NULL. */
static struct key *
rotate_master(struct app *a, struct environment *x, const struct buf *passphrase)
{
	static const char text[] = "The data key is wrapped under a new master key. The old "
	    "master key and the old passphrase no longer open this file: every service that "
	    "reads it needs the new key. Next, the new key is shown once; nothing changes "
	    "before you have saved it.";
	struct review_options o = { .title = MASTER, .word = "rotate" };
	struct change c, *change = &c;
	struct making m = { .c = &c, .master = x->master, .passphrase = passphrase };
	const struct job_wait wait = { MASTER, "Deriving the new master key.", NULL, make_key, &m };
	struct buf question;
	struct error err;
	bool done = false;

	buf_init(&question, 16384);
	print_rotation(a, x, text, &question);
	o.question = buf_cstr(&question);
	change_prepare(a, &c);
	if (change_begin(a, x, &c, &err) == -1 || job_await(a, &wait, &err) == -1)
		tell_error(a, "The master key cannot be rotated", &err);
	else
		done = review_run(a, &change, 1, &o) == REVIEW_APPLY &&
		    key_show_run(a, m.fresh, o.title) &&
		    change_carry_out(a, &change, 1, "Not rotated: the old master key stays valid");
	change_close(&c);
	buf_release(&question);
	if (!done) {
		key_free(m.fresh);
		m.fresh = NULL;
	}
	return m.fresh;
}

void
act_rotate_master(struct app *a)
{
	struct environment *x = key_target(a);
	struct buf passphrase, text;
	struct key *fresh = NULL;
	struct error err;
	size_t opened;
	int rc;

	if (unlock_run(a, x) == -1)
		return;
	buf_init_secret(&passphrase, SECRET_FIELD_MAX);
	buf_init(&text, 16384);
	print_rotation(a, x, "The new master key is derived from a new passphrase. Whoever knows "
	    "it can make the key again from the secrets file.", &text);
	if (!term_has_private_screen())
		buf_append_str(&text, "\n\nThis terminal has no second screen (smcup), so the new "
		    "key is not drawn: it goes to a new file of mode 0600 that you choose.");
	if (ask_new_passphrase(a, MASTER, buf_cstr(&text), &passphrase))
		fresh = rotate_master(a, x, &passphrase);
	buf_release(&passphrase);
	buf_clear(&text);
	if (fresh == NULL)
		goto done;
	/* The old key does not open the file any more, so it has locked. */
	rc = model_unlock(a->model, x, fresh, &opened, &err);
	key_free(fresh);
	if (rc == -1) {
		tell_error(a, "The new key does not open the file", &err);
		goto done;
	}
	buf_printf(&text, "The master key is rotated (new id %s).\n\nGive every service that "
	    "reads %s the new key in %s, and restart it. Until then it keeps running "
	    "with what it has read; after a restart with the old key it fails.", x->fingerprint,
	    model_show_path(a->model, x->path), secrets_file_metadata(x->secrets)->envvar);
	tell_message(a, MASTER, buf_cstr(&text));
done:
	buf_release(&text);
}
