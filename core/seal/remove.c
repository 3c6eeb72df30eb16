#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* The key is not in the configuration: a sealed entry of it may be left. */
static int
remove_orphan(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err)
{
	struct buf name;
	size_t count, user = DOCUMENT_NONE, line;
	const char *path;
	int rc = -1, others;

	buf_init(&name, BUF_MAX_FILE);
	if (configuration_entry_name(c, key, len, &name, err) != 0)
		goto done;
	if (orphan &&
	    configuration_borrower(c, (const char *)name.data, name.len, &user, err) != 0)
		goto done;
	if (user != DOCUMENT_NONE) {
		configuration_fail(c, user, key, len, ERROR_REFUSED,
		    "the sealed entry is no orphan: the entry "
		    "on this line refers to it", err);
		error_hint(err, "remove that entry first");
		goto done;
	}
	if (orphan && (others = plan_user(p, c, (const char *)name.data, name.len, &path,
	    &line, err)) != 0) {
		if (others == -1)
			goto done;
		error_set(err, ERROR_REFUSED, "the sealed entry is no orphan: the entry on this "
		    "line refers to it");
		error_place(err, path, line);
		error_key(err, key, len);
		error_hint(err, "remove that entry first");
		goto done;
	}
	if (orphan && plan_remove_sealed(p, (const char *)name.data, name.len, &count, err) != 0)
		goto done;
	if (orphan && count > 0) {
		rc = 0;
		goto done;
	}
	configuration_fail_missing(c, key, len, err);
	if (secrets_file_find(plan_secrets(p), (const char *)name.data, name.len) != DOCUMENT_NONE)
		error_hint(err, "the secrets file still has a sealed entry for it: --orphan "
		    "removes that");
done:
	buf_release(&name);
	return rc;
}

/* Plan the removal of the sealed entry of reference ${r} at entry ${i}, if it is ${key}'s. */
static int
remove_sealed(struct plan *p, struct configuration *c, size_t i, const char *key, size_t len,
    const struct reference *r, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	size_t count = 0, user, entry = resolve_entry(plan_secrets(p), r), line, n = r->name_len;
	const char *name = entry != DOCUMENT_NONE ? document_key(d, entry, &n) : r->name, *path;
	int others;

	if (configuration_borrower(c, name, n, &user, err) != 0)
		return -1;
	if (!configuration_owns(c, key, len, r->name, r->name_len)) {
		plan_note(p, "%s:%zu: refers to an entry of another name, which stays in the "
		    "secrets file", c->path, document_line(c->doc, i));
		return 0;
	}
	if (user != DOCUMENT_NONE) {
		plan_note(p, "%s:%zu: refers to the same sealed entry, which therefore stays in "
		    "the secrets file", c->path, document_line(c->doc, user));
		return 0;
	}
	if (entry != DOCUMENT_NONE) {
		if ((others = plan_user(p, c, name, n, &path, &line, err)) == 1)
			plan_note(p, "%s:%zu: refers to the same sealed entry, which therefore "
			    "stays in the secrets file", path, line);
		if (others != 0)
			return others == 1 ? 0 : -1;
		return plan_remove_sealed(p, name, n, &count, err);
	}
	plan_note(p, "%s:%zu: the secrets file had no such entry: only the dangling "
	    "reference goes", c->path, document_line(c->doc, i));
	return 0;
}

static int
not_sealed(const struct configuration *c, size_t i, const char *key, size_t len, struct error *err)
{
	configuration_fail(c, i, key, len, ERROR_MISSING,
	    "this configuration key is not sealed", err);
	return error_hint(err, "propseal removes sealed keys only; edit the file to remove a "
	    "plain one");
}

/* A whole entry: both the reference and what it stands for. */
static int
unseal_remove_entry(struct plan *p, struct configuration *c, size_t i, const char *key, size_t len,
    struct error *err)
{
	struct edits *e = plan_config_edits(p, c, err);
	struct reference r;
	struct buf value;
	int rc = -1;

	buf_init_secret(&value, BUF_MAX_FILE);
	if (e == NULL || document_value(c->doc, i, &value, err) != 0)
		goto done;
	if (!reference_parse((const char *)value.data, value.len, &r) || !reference_is_ours(&r))
		rc = not_sealed(c, i, key, len, err);
	else
		rc = remove_sealed(p, c, i, key, len, &r, err);
	for (; rc == 0 && i != DOCUMENT_NONE; i = document_previous(c->doc, i))
		rc = edits_remove(e, i, err);
done:
	buf_release(&value);
	return rc;
}

/*
 * A key with wildcards: every sealed entry that it names.  ${*count}: how many
 * it names; with none sealed it is as with one that is not.
 */
static int
remove_each(struct plan *p, struct configuration *c, const char *path, size_t path_len,
    size_t *count, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	size_t removed = 0, i, len;
	struct vec entries;
	const char *key;
	int rc;

	vec_init(&entries, sizeof(size_t), SIZE_MAX / sizeof(size_t));
	rc = document_expand(c->doc, path, path_len, &entries, err);
	for (size_t k = 0; rc == 0 && k < entries.len; k++) {
		i = *(size_t *)vec_at(&entries, k);
		key = document_key(c->doc, i, &len);
		rc = unseal_remove_entry(p, c, i, key, len, &why);
		removed += rc == 0;
		if (rc != 0 && why.code == ERROR_MISSING)
			rc = 0;
		else if (rc != 0 && err != NULL)
			*err = why;
	}
	if (rc == 0 && entries.len > 0 && removed == 0) {
		rc = -1;
		if (err != NULL)
			*err = why;
	}
	*count = entries.len;
	vec_release(&entries);
	return rc;
}

/* An option of a JAAS value, and those of its name that it hides. */
static int
remove_option(struct plan *p, struct configuration *c, const struct target *t, const char *key,
    size_t len, struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct edits *e = plan_config_edits(p, c, err);
	size_t i, from, to;
	struct reference r;
	bool blank;
	int rc;

	if (e == NULL)
		return -1;
	if (!reference_parse((const char *)t->value.data + x.inner_from,
	    x.inner_to - x.inner_from, &r) || !reference_is_ours(&r))
		return not_sealed(c, t->entry, key, len, err);
	rc = remove_sealed(p, c, t->entry, key, len, &r, err);
	for (i = t->option; rc == 0 && i != JAAS_NONE; i = jaas_option(t->jaas, i).previous) {
		blank = jaas_removal(t->jaas, i, &from, &to);
		rc = edits_splice(e, t->entry, from, to, " ", blank ? 1 : 0, key, err);
	}
	return rc;
}

int
seal_remove(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err)
{
	struct target t;
	struct buf label;
	size_t named = 0;
	int rc;

	plan_set_order(p, true);
	target_init(&t);
	buf_init(&label, BUF_MAX_FILE);
	buf_append(&label, key, len);
	rc = target_find(c->doc, key, len, &t, err);
	if (rc == 0 && t.kind == TARGET_ENTRY)
		rc = unseal_remove_entry(p, c, t.entry, key, len, err);
	else if (rc == 0 && t.kind == TARGET_OPTION && (rc = buf_check(&label, err)) == 0)
		rc = remove_option(p, c, &t, buf_cstr(&label), len, err);
	else if (rc == 0 && (rc = remove_each(p, c, key, len, &named, err)) == 0 && named == 0)
		rc = remove_orphan(p, c, key, len, orphan, err);
	buf_release(&label);
	target_release(&t);
	return rc;
}
