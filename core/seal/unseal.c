#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "document/properties.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/unseal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* One run of unseal_to_text; the buffers are used again for every entry. */
struct unsealer {
	const struct configuration *c;
	const struct secrets_file *s;
	bool any_name;
	struct buf value;	/* as it stands in the configuration */
	struct buf plain;	/* opened */
	struct buf *out;
};

static int
unseal_fail(const struct configuration *c, size_t i, const char *key, size_t len,
    enum error_code code, const char *text, struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, c->path, i == DOCUMENT_NONE ? 0 : document_line(c->doc, i));
	return error_key(err, key, len);
}

/* The key is not in the configuration: a sealed entry of it may be left. */
static int
remove_orphan(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err)
{
	struct buf name;
	size_t count, user = DOCUMENT_NONE;
	int rc = -1;

	buf_init(&name, BUF_MAX_FILE);
	if (configuration_entry_name(c, key, len, &name, err) != 0)
		goto done;
	if (orphan &&
	    configuration_borrower(c, (const char *)name.data, name.len, &user, err) != 0)
		goto done;
	if (user != DOCUMENT_NONE) {
		unseal_fail(c, user, key, len, ERROR_REFUSED,
		    "the sealed entry is no orphan: the entry "
		    "on this line refers to it", err);
		error_hint(err, "remove that entry first");
		goto done;
	}
	if (orphan && plan_remove_sealed(p, (const char *)name.data, name.len, &count, err) != 0)
		goto done;
	if (orphan && count > 0) {
		rc = 0;
		goto done;
	}
	unseal_fail(c, DOCUMENT_NONE, key, len, ERROR_MISSING,
	    "this configuration key is not present in the file", err);
	if (secrets_file_find(plan_secrets(p), (const char *)name.data, name.len) != DOCUMENT_NONE)
		error_hint(err, "the secrets file still has a sealed entry for it: --orphan "
		    "removes that");
	else
		error_hint(err, "`propseal file show %s` lists the keys", c->path);
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
	size_t count = 0, user, entry = resolve_entry(plan_secrets(p), r), n;
	const char *name;

	if (configuration_borrower(c, r->name, r->name_len, &user, err) != 0)
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
		name = document_key(d, entry, &n);
		return plan_remove_sealed(p, name, n, &count, err);
	}
	plan_note(p, "%s:%zu: the secrets file had no such entry: only the dangling "
	    "reference goes", c->path, document_line(c->doc, i));
	return 0;
}

static int
not_sealed(const struct configuration *c, size_t i, const char *key, size_t len, struct error *err)
{
	unseal_fail(c, i, key, len, ERROR_MISSING, "this configuration key is not sealed", err);
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

/* An option of a JAAS value, and those of its name that it hides. */
static int
remove_option(struct plan *p, struct configuration *c, const struct target *t, const char *key,
    size_t len, struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct edits *e = plan_config_edits(p, c, err);
	size_t i, from, to;
	struct reference r;
	int rc;

	if (e == NULL)
		return -1;
	if (!reference_parse((const char *)t->value.data + x.inner_from,
	    x.inner_to - x.inner_from, &r) || !reference_is_ours(&r))
		return not_sealed(c, t->entry, key, len, err);
	rc = remove_sealed(p, c, t->entry, key, len, &r, err);
	for (i = t->option; rc == 0 && i != JAAS_NONE; i = jaas_option(t->jaas, i).previous) {
		jaas_removal(t->jaas, i, &from, &to);
		rc = edits_splice(e, t->entry, from, to, "", 0, key, err);
	}
	return rc;
}

int
unseal_remove(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err)
{
	struct target t;
	struct buf label;
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
	else if (rc == 0)
		rc = remove_orphan(p, c, key, len, orphan, err);
	buf_release(&label);
	target_release(&t);
	return rc;
}

static void
append_opened(struct buf *out, const char *key, size_t len, const struct buf *value)
{
	properties_append_key(out, key, len);
	buf_append_str(out, " = ");
	properties_append_value(out, value->data, value->len);
	buf_append_char(out, '\n');
}

/* Open what reference ${r} of entry ${i} stands for into u->plain. */
static int
open_reference(struct unsealer *u, size_t i, const struct reference *r, struct error *err)
{
	const struct configuration *c = u->c;
	size_t entry, base = strlen(c->base), len;
	const char *key;

	key = document_key(c->doc, i, &len);
	if (!u->any_name && (r->name_len <= base || memcmp(r->name, c->base, base) != 0 ||
	    r->name[base] != '/')) {
		unseal_fail(c, i, key, len, ERROR_MISSING,
		    "the reference names a sealed entry of "
		    "another configuration file", err);
		return error_hint(err, "was the file renamed or copied? --any-name opens it all "
		    "the same");
	}
	entry = resolve_entry(u->s, r);
	if (entry == DOCUMENT_NONE) {
		unseal_fail(c, i, key, len, ERROR_MISSING,
		    "dangling reference: the secrets file has no "
		    "such entry", err);
		return error_hint(err, "restore the entry in %s from a backup, or set the value "
		    "anew with `propseal file update`", secrets_file_path(u->s));
	}
	return secrets_file_open(u->s, entry, &u->plain, err);
}

/*
 * Append what references inside the value of entry ${i} stand for, such as in
 * a JAAS value: each under the key of its sealed entry.  How many in ${*count}.
 */
static int
append_embedded(struct unsealer *u, size_t i, size_t *count, struct error *err)
{
	size_t at = 0, start;
	struct reference r;
	const char *slash;

	*count = 0;
	while (resolve_next((const char *)u->value.data, u->value.len, at, &r, &start, &at)) {
		if (!reference_is_ours(&r) || (slash = memchr(r.name, '/', r.name_len)) == NULL)
			continue;
		buf_clear(&u->plain);
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_opened(u->out, slash + 1, (size_t)(r.name +
		    r.name_len - slash - 1),
		    &u->plain);
		++*count;
	}
	return 0;
}

/* Append entry ${i}; ${asked}: by name, so a plain value is written too. */
static int
append_opened_entry(struct unsealer *u, size_t i, bool asked, struct error *err)
{
	struct reference r;
	const char *key;
	size_t len, count;

	key = document_key(u->c->doc, i, &len);
	buf_clear(&u->value);
	buf_clear(&u->plain);
	if (document_value(u->c->doc, i, &u->value, err) != 0)
		return -1;
	if (!reference_parse((const char *)u->value.data, u->value.len, &r)) {
		if (append_embedded(u, i, &count, err) != 0)
			return -1;
		if (asked && count == 0)
			append_opened(u->out, key, len, &u->value);
	} else if (reference_is_ours(&r)) {
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_opened(u->out, key, len, &u->plain);
	} else if (asked) {
		unseal_fail(u->c, i, key, len, ERROR_MISSING,
		    "the value is a reference to another provider", err);
		return error_hint(err, "only that provider can resolve it");
	}
	return buf_check(u->out, err);
}

/* Append option t->option of a JAAS value. */
static int
append_option(struct unsealer *u, const struct target *t, const char *key, size_t len,
    struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct reference r;

	buf_clear(&u->plain);
	if (!reference_parse((const char *)t->value.data + x.inner_from,
	    x.inner_to - x.inner_from, &r)) {
		buf_append(&u->plain, t->value.data + x.from, x.to - x.from);
	} else if (reference_is_ours(&r)) {
		if (open_reference(u, t->entry, &r, err) != 0)
			return -1;
	} else {
		unseal_fail(u->c, t->entry, key, len, ERROR_MISSING,
		    "the value is a reference to another provider", err);
		return error_hint(err, "only that provider can resolve it");
	}
	append_opened(u->out, key, len, &u->plain);
	return buf_check(u->out, err);
}

/* What was asked for by name: an entry, or an option of one. */
static int
append_opened_key(struct unsealer *u, const char *key, size_t len, struct error *err)
{
	struct target t;
	int rc;

	target_init(&t);
	rc = target_find(u->c->doc, key, len, &t, err);
	if (rc == 0 && t.kind == TARGET_ENTRY) {
		rc = append_opened_entry(u, t.entry, true, err);
	} else if (rc == 0 && t.kind == TARGET_OPTION) {
		rc = append_option(u, &t, key, len, err);
	} else if (rc == 0) {
		rc = unseal_fail(u->c, DOCUMENT_NONE, key, len, ERROR_MISSING,
		    "this configuration key is not present in the file", err);
		error_hint(err, "`propseal file show %s` lists the keys", u->c->path);
	}
	target_release(&t);
	return rc;
}

int
unseal_to_text(const struct configuration *c, const struct secrets_file *s,
    const char *const keys[], const size_t key_lens[], size_t n, bool any_name, struct buf *out,
    struct error *err)
{
	struct unsealer u = { .c = c, .s = s, .any_name = any_name, .out = out };
	int rc = 0;

	buf_init_secret(&u.value, BUF_MAX_FILE);
	buf_init_secret(&u.plain, BUF_MAX_FILE);
	for (size_t k = 0; k < n && rc == 0; k++)
		rc = append_opened_key(&u, keys[k], key_lens[k], err);
	for (size_t i = 0; n == 0 && i < document_count(c->doc) && rc == 0; i++)
		if (!document_shadowed(c->doc, i))
			rc = append_opened_entry(&u, i, false, err);
	buf_release(&u.plain);
	buf_release(&u.value);
	return rc;
}
