#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

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

/* Did the entry of this name fail to open before?  Then the plan is not to blame. */
static bool
was_damaged(const struct plan *p, const char *name, size_t len, struct buf *plain)
{
	const struct secrets_file *old = plan_secrets(p);
	size_t i = secrets_file_find(old, name, len);

	buf_clear(plain);
	return secrets_file_cipher(old) != NULL && i != DOCUMENT_NONE &&
	    secrets_file_open(old, i, plain, NULL) != 0;
}

/* Open every entry of a file that has a new key, whoever sealed it. */
static int
open_all(const struct plan *p, const struct secrets_file *s, struct buf *plain, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	const char *name;
	size_t len;

	for (size_t i = 0; i < document_count(d); i++) {
		buf_clear(plain);
		if (!secrets_file_is_sealed(s, i) || secrets_file_open(s, i, plain, err) == 0)
			continue;
		name = document_key(d, i, &len);
		if (!was_damaged(p, name, len, plain))
			return -1;
	}
	return 0;
}

/* Open every entry that the plan sealed, or with a new key every entry. */
static int
verify_secrets(const struct plan *p, const struct plan_file *file, struct secrets_file *s,
    struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct cipher *c;
	struct buf plain;
	size_t entry, opened = 0;
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
		/* A tag is checked by whoever opens its entry, and at every opening. */
		if (tag_names(e.key, e.key_len))
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
		opened++;
	}
	/* Those that the plan left alone have to open under a new key too. */
	if (rc == 0 && plan_expected_master(p) != NULL && secrets_file_sealed_count(s) > opened)
		rc = open_all(p, s, &plain, err);
	buf_release(&plain);
	return rc;
}

/* The value of an entry with spliced parts.  (One that is shadowed has no one place.) */
static int
check_spliced(const struct plan_file *file, const struct document *d, const struct edit *e,
    struct error *err)
{
	size_t entry = document_find(d, e->key, e->key_len);
	struct buf want;
	int rc;

	if (document_shadowed(edits_document(file->edits), e->entry))
		return 0;
	buf_init_secret(&want, BUF_MAX_FILE);
	rc = edits_value(file->edits, e->entry, &want, err);
	if (rc == 0 && (entry == DOCUMENT_NONE ||
	    !document_value_is(d, entry, (const char *)want.data, want.len)))
		rc = unexpected(e->key, e->key_len, err);
	buf_release(&want);
	return rc;
}

static int
verify_config(const struct plan_file *file, const struct document *d, struct error *err)
{
	size_t entry, spliced = DOCUMENT_NONE;
	int rc = 0;

	for (size_t i = 0; i < edits_count(file->edits) && rc == 0; i++) {
		struct edit e = edits_at(file->edits, i);

		if (e.kind == EDIT_REMOVE) {
			rc = check_gone(d, &e, err);
		} else if (e.kind != EDIT_SPLICE) {
			rc = check_value(d, &e, &entry, err);
		} else if (e.entry != spliced) {
			/* All splices of a value at once. */
			spliced = e.entry;
			rc = check_spliced(file, d, &e, err);
		}
	}
	return rc;
}

int
plan_verify(const struct plan *p, const struct plan_file *file, struct buf *content,
    struct error *err)
{
	struct secrets_file *s = NULL;
	struct document *d = NULL;
	int rc = -1;

	if (file->role == PLAN_OUTPUT)
		return 0;
	if (file->role == PLAN_SECRETS) {
		if ((s = secrets_file_parse(file->path, content, err)) != NULL)
			rc = verify_secrets(p, file, s, err);
	} else {
		d = document_parse(content, document_format(edits_document(file->edits)),
		    file->path, err);
		if (d != NULL && document_problem(d, err) == 0)
			rc = verify_config(file, d, err);
	}
	secrets_file_free(s);
	document_free(d);
	return rc == 0 ? 0 : as_damage(file, err);
}
