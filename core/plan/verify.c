#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* Read back: what apply wrote, before it takes the place of the old file. */

static int
unexpected(const char *key, size_t len, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "it is not what was planned");
	return error_key(err, key, len);
}

/* Whatever was found wrong with the file is damage, and not the user's doing. */
static int
as_damage(const struct plan_file *file, struct error *err)
{
	struct error why;

	if (err == NULL || err->code == ERROR_MEMORY || err->code == ERROR_LIMIT ||
	    err->code == ERROR_CRYPTO)
		return -1;
	why = *err;
	error_set(err, ERROR_DAMAGED, "read back from disk, the new file is damaged: %s", why.text);
	error_place(err, file->path, why.line);
	error_key(err, why.key, strlen(why.key));
	return error_hint(err, "nothing was changed; is the disk or the memory faulty?");
}

/* The winning value of ${e}'s key in ${d} is what the edit gave it. */
static int
check_value(const struct document *d, const struct edit *e, size_t *entry, struct error *err)
{
	*entry = document_find(d, e->key, e->key_len);
	if (*entry == DOCUMENT_NONE || !document_value_is(d, *entry, e->value, e->value_len))
		return unexpected(e->key, e->key_len, err);
	return 0;
}

static int
check_gone(const struct document *d, const struct edit *e, struct error *err)
{
	return document_find(d, e->key, e->key_len) == DOCUMENT_NONE ? 0 :
	    unexpected(e->key, e->key_len, err);
}

/* The key that the entries need: a new one opens, the old one is as it was. */
static int
check_data_key(const struct plan *p, struct secrets_file *s, struct error *err)
{
	const char *old = secrets_file_metadata(plan_secrets(p))->data_key;
	const char *new = secrets_file_metadata(s)->data_key;

	if (plan_expected_master(p) != NULL)
		return secrets_file_unlock(s, plan_expected_master(p), err);
	if (old == NULL ? new == NULL : new != NULL && strcmp(old, new) == 0)
		return 0;
	return unexpected(SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY), err);
}

/* Open every entry that the plan sealed, or with a new key every entry. */
static int
verify_secrets(const struct plan *p, const struct plan_file *file, struct secrets_file *s,
    struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct cipher *c;
	struct buf plain;
	size_t entry;
	int rc = 0;

	if (check_data_key(p, s, err) != 0)
		return -1;
	c = secrets_file_cipher(s) != NULL ? secrets_file_cipher(s) : plan_cipher(p);
	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; i < edits_count(file->edits) && rc == 0; i++) {
		struct edit e = edits_at(file->edits, i);

		if (e.kind == EDIT_REMOVE) {
			rc = check_gone(d, &e, err);
			continue;
		}
		if (e.kind == EDIT_SET && document_shadowed(edits_document(file->edits), e.entry))
			continue;
		if ((rc = check_value(d, &e, &entry, err)) != 0)
			break;
		if (!secrets_file_is_sealed(s, entry))
			continue;
		buf_clear(&plain);
		rc = c == NULL ? unexpected(e.key, e.key_len, err) :
		    sealed_open(c, e.value, e.value_len, &plain, err);
		if (rc != 0)
			error_key(err, e.key, e.key_len);
	}
	for (size_t i = 0; i < document_count(d) && rc == 0 &&
	    plan_expected_master(p) != NULL; i++) {
		buf_clear(&plain);
		if (secrets_file_is_sealed(s, i))
			rc = secrets_file_open(s, i, &plain, err);
	}
	buf_release(&plain);
	return rc;
}

static int
verify_config(const struct plan_file *file, const struct document *d, struct error *err)
{
	size_t entry;

	for (size_t i = 0; i < edits_count(file->edits); i++) {
		struct edit e = edits_at(file->edits, i);

		if (e.kind == EDIT_REMOVE ? check_gone(d, &e, err) != 0 :
		    check_value(d, &e, &entry, err) != 0)
			return -1;
	}
	return 0;
}

int
plan_verify(const struct plan *p, const struct plan_file *file, const struct buf *content,
    struct error *err)
{
	struct secrets_file *s = NULL;
	struct document *d = NULL;
	struct buf copy;
	int rc = -1;

	if (file->role == PLAN_OUTPUT)
		return 0;
	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, content->data, content->len);
	if (buf_check(&copy, err) != 0)
		goto done;
	if (file->role == PLAN_SECRETS) {
		if ((s = secrets_file_parse(file->path, &copy, err)) != NULL)
			rc = verify_secrets(p, file, s, err);
	} else {
		d = document_parse(&copy, document_format(edits_document(file->edits)), file->path,
		    err);
		if (d != NULL && document_problem(d, err) == 0)
			rc = verify_config(file, d, err);
	}
done:
	secrets_file_free(s);
	document_free(d);
	buf_release(&copy);
	return rc == 0 ? 0 : as_damage(file, err);
}
