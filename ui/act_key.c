#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/model.h"

#define UNLOCK_TITLE "Unlock"
#define TRIES 3		/* then what to do without a key is said */

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
	char text[96] = "Deriving the master key from the passphrase.";
	const struct job_wait wait = { UNLOCK_TITLE, text, NULL, derive, &w };
	size_t tries = 1, tried = 0;

	for (i = 0; i < count; i++)
		tries += environments_at(e, i) != x && unlock_may_try(environments_at(e, i));
	for (i = 0; i <= count; i++) {
		/* The one that is asked for comes first. */
		at = i == 0 ? x : environments_at(e, i - 1);
		if (i > 0 && (at == x || !unlock_may_try(at)))
			continue;
		if (tries > 1)
			snprintf(text, sizeof(text), "Deriving the master key from the passphrase: "
			    "trying %zu of %zu.", ++tried, tries);
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
	int rc = -1, tries = 0;

	buf_init(&text, 8192);
	buf_init_secret(&typed, SECRET_FIELD_MAX);
	say_locked(a, x, &text);
	while (rc == -1 && ask_secret(a, UNLOCK_TITLE, buf_cstr(&text),
	    salt ? "Passphrase or key:" : "Master key:", why, &typed)) {
		rc = try_typed(a, x, &typed, opened, &err);
		buf_clear(&typed);
		if (rc == -1) {
			snprintf(why, sizeof(why), "%s", err.code != ERROR_KEY ? err.text :
			    ++tries < TRIES ? "that does not open it" :
			    "that does not open it; if it is lost: Esc, then : recover");
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

static void
tell_unlocked(struct app *a, const struct environment *x)
{
	if (model_secrets_files(a->model) > 1)
		app_notice(a, "unlocked: keys of %zu of %zu environments", model_keys(a->model),
		    model_secrets_files(a->model));
	else
		app_notice(a, "unlocked, master key id %s", x->fingerprint);
}

void
act_unlock(struct app *a)
{
	struct environment *x = key_locked(a);
	size_t opened = 0;
	int rc;

	if (x == NULL || (rc = unlock_at_hand(a, x)) == -1)
		return;
	if (rc == 0 || ask_key(a, x, true, &opened) == 0)
		tell_unlocked(a, x);
}

int
unlock_typed(struct app *a, struct buf *typed, struct error *err)
{
	struct environment *x = key_locked(a);
	size_t opened;

	if (try_typed(a, x, typed, &opened, err) == -1)
		return -1;
	tell_unlocked(a, x);
	return 0;
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

void
act_generate(struct app *a)
{
	wizard_run(a, model_secrets_files(a->model) == 0);
}

void
act_recover(struct app *a)
{
	struct environment *x = key_locked(a);
	int rc = x != NULL ? unlock_at_hand(a, x) : -1;

	if (rc == 0)
		app_notice(a, "a key at hand opens it: nothing to recover");
	else if (rc == 1 && secrets_file_sealed_count(x->secrets) == 0)
		app_complain(a, "nothing is sealed in %s", model_show_path(a->model, x->path));
	else if (rc == 1)
		recover_run(a, x);
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
