#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "estate/estate.h"
#include "plan/plan.h"
#include "seal/unseal.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/model.h"
#include "ui/review.h"
#include "ui/selection.h"
#include "ui/tell.h"

#define NAME_MAX_BYTES 65536

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
plan_removal(struct app *a, struct change *c, const struct selection *s,
    const struct buf *name, struct error *err)
{
	const struct estate_file *f = s->file;
	const struct estate_entry *e = s->entry;
	struct configuration *config;
	struct buf key;
	int rc;

	if (s->kind == SELECTION_SEALED && !selection_referrer(a, s->name, s->name_len, 0, &f, &e))
		return plan_orphan(c, a->model->secrets, name, err);
	config = change_load(c, f->path, err);
	if (config == NULL)
		return -1;
	buf_init(&key, NAME_MAX_BYTES);
	buf_append(&key, e->key, e->key_len);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = unseal_remove(c->plan, config, buf_cstr(&key), key.len, false, err);
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

static bool
review_and_apply(struct app *a, struct change *c, const char *question)
{
	struct review_options o = { .title = "Remove a sealed entry", .question = question,
	    .word = "remove" };
	struct error err;

	if (review_run(a, c, &o) != REVIEW_APPLY)
		return false;
	if (change_apply(a, c, &err) == 0)
		return true;
	tell_error(a, "Not removed", &err);
	return false;
}

void
act_remove(struct app *a)
{
	struct buf name, question;
	struct selection s;
	struct change c;
	struct error err;

	change_init(&c);
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
	if (review_and_apply(a, &c, buf_cstr(&question)))
		app_notice(a, "removed %s", buf_cstr(&name));
	goto done;
failed:
	tell_error(a, "This cannot be removed", &err);
done:
	change_release(&c);
	buf_release(&question);
	buf_release(&name);
}
