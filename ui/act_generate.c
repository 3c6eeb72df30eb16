#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "plan/plan.h"
#include "seal/rotate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/browser.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/key_show.h"
#include "ui/model.h"
#include "ui/review.h"
#include "ui/tell.h"
#include "ui/ui.h"

#define TITLE "New secrets file"
#define DEFAULT_NAME "secrets.properties"
#define PATH_MAX_BYTES 4096

const char *
act_needs_no_data_key(const struct app *a)
{
	if (a->model->secrets == NULL)
		return NULL;
	return secrets_file_metadata(a->model->secrets)->data_key != NULL ?
	    "the secrets file has its master key; start with --local-secrets-file for another one" :
	    NULL;
}

/* What to offer as the path: the chosen one, or a name in the folder. */
static void
suggest_path(const struct app *a, struct buf *out)
{
	const char *root = a->options->path_count > 0 ? a->options->paths[0] : ".";
	size_t len = strlen(root);

	if (a->model->secrets_path != NULL) {
		buf_append_str(out, a->model->secrets_path);
		return;
	}
	/* For a file: the folder that it is in. */
	if (len > 11 && strcmp(root + len - 11, ".properties") == 0) {
		while (len > 0 && root[len - 1] != '/')
			len--;
	}
	buf_append(out, root, len);
	if (len > 0 && root[len - 1] != '/')
		buf_append_char(out, '/');
	buf_append_str(out, DEFAULT_NAME);
}

/* The secrets file at the path, or a new one that is not on disk yet. */
static struct secrets_file *
load_or_new(const char *path, struct error *err)
{
	struct secrets_file *s = secrets_file_load(path, err);

	if (s == NULL && err->code == ERROR_MISSING)
		s = secrets_file_new(path, err);
	return s;
}

/* Plan, review, prove that the key is saved, apply.  The key, or NULL. */
static struct key *
generate(struct app *a, const char *path, const struct buf *passphrase, struct error *err)
{
	static const struct review_options o = {
		.title = TITLE,
		.question = "The file is made with a wrapped data key. Next, its master key is "
		    "shown once; nothing is written before you have saved it.",
		.button = "Make it",
	};
	struct key *fresh = NULL;
	struct change c;
	bool done = false;

	change_init(&c);
	tell_progress(a, TITLE, "Deriving the master key.", 0, 0);
	c.made = load_or_new(path, err);
	if (c.made != NULL)
		c.plan = plan_new(c.made, err);
	if (c.plan == NULL || rotate_generate(c.plan, passphrase->data, passphrase->len, &fresh,
	    err) == -1)
		tell_error(a, "The secrets file cannot be made", err);
	else if (review_run(a, &c, &o) == REVIEW_APPLY && key_show_run(a, fresh, TITLE)) {
		if (change_apply(a, &c, err) == -1)
			tell_error(a, "Not made", err);
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

static void
take_over(struct app *a, const char *path, struct key *fresh)
{
	struct error err;
	int rc;

	browser_remember(a->browser, a);
	rc = model_open_secrets(a->model, path, &err);
	if (rc == -1)
		key_free(fresh);
	else
		rc = model_unlock(a->model, fresh, &err);
	if (model_rebuild(a->model, NULL) == 0)
		browser_restore(a->browser, a);
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
	struct error err;

	buf_init(&path, PATH_MAX_BYTES);
	buf_init_secret(&passphrase, DIALOG_SECRET_MAX);
	suggest_path(a, &path);
	if (ask_text(a, TITLE, "A secrets file holds the sealed values. It can lie beside the "
	    "configuration files: without the master key nobody can read them.", "File:",
	    &path) && ask_new_passphrase(a, TITLE, "The master key is derived from a "
	    "passphrase. Whoever knows it can make the key again from the secrets file.",
	    &passphrase))
		fresh = generate(a, buf_cstr(&path), &passphrase, &err);
	buf_release(&passphrase);
	if (fresh != NULL)
		take_over(a, buf_cstr(&path), fresh);
	buf_release(&path);
}
