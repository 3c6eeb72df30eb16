#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "secrets/key_source.h"
#include "secrets/passphrase.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/browser.h"
#include "ui/dialog.h"
#include "ui/model.h"
#include "ui/tell.h"
#include "ui/ui.h"
#include "ui/unlock.h"

#define TITLE "Unlock"

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
	tell_progress(a, TITLE, "Deriving the master key from the passphrase.", 0, 0);
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
	same = ask_secret(a, TITLE, "The secrets file has no data key yet that could prove the "
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
	while (ask_secret(a, TITLE, buf_cstr(&text),
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

int
unlock_run(struct app *a)
{
	struct model *m = a->model;
	struct error err = { .code = ERROR_NONE };
	const char *where = NULL;
	struct key *key;
	int rc;

	browser_remember(a->browser, a);
	rc = model_reload_secrets(m, &err);
	if (model_rebuild(m, NULL) == 0)
		browser_restore(a->browser, a);
	if (rc == -1 || m->secrets == NULL) {
		if (rc == 0)
			error_set(&err, ERROR_MISSING, "there is no secrets file");
		tell_error(a, "The secrets file cannot be used", &err);
		return -1;
	}
	if (m->master != NULL)
		return 0;
	key = key_source_find(a->options->master_key_file,
	    secrets_file_metadata(m->secrets)->envvar, &where, &err);
	if (key != NULL && model_unlock(m, key, &err) == 0)
		return 0;
	/* A key file that is not there is a fault; a variable that is not set is not. */
	if ((err.code != ERROR_MISSING || a->options->master_key_file != NULL) &&
	    err.code != ERROR_KEY) {
		tell_error(a, "The master key cannot be read", &err);
		return -1;
	}
	return ask_key(a, &err, where);
}
