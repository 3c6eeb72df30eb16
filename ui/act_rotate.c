#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "seal/rotate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/key_show.h"
#include "ui/model.h"
#include "ui/review.h"
#include "ui/tell.h"
#include "ui/unlock.h"

#define DATA "Rotate the data key"
#define MASTER "Rotate the master key"

const char *
act_needs_data_key(const struct app *a)
{
	if (a->model->secrets == NULL)
		return "there is no secrets file";
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
	change_init(&c);
	if (change_begin(a, &c, &err) == -1 ||
	    rotate_data_key(c.plan, a->model->master, progress, a, &err) == -1)
		tell_error(a, "The data key cannot be rotated", &err);
	else if (review_run(a, &c, &o) == REVIEW_APPLY) {
		if (change_apply(a, &c, &err) == -1)
			tell_error(a, "Not rotated", &err);
		else
			app_notice(a, "rotated the data key, and read back");
	}
	change_release(&c);
}

/* Plan, review, prove that the new key is saved, apply: in this order, so that
 * until the key is safe nothing has changed.  The new key, or NULL. */
static struct key *
rotate_master(struct app *a, const struct buf *passphrase, struct error *err)
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
	bool done = false;

	change_init(&c);
	tell_progress(a, MASTER, "Deriving the new master key.", 0, 0);
	if (change_begin(a, &c, err) == -1 || rotate_master_key(c.plan, a->model->master,
	    passphrase->data, passphrase->len, &fresh, err) == -1)
		tell_error(a, "The master key cannot be rotated", err);
	else if (review_run(a, &c, &o) == REVIEW_APPLY && key_show_run(a, fresh, MASTER)) {
		if (change_apply(a, &c, err) == -1)
			tell_error(a, "Not rotated: the old master key stays valid", err);
		else
			done = true;
	}
	change_release(&c);
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
		fresh = rotate_master(a, &passphrase, &err);
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
