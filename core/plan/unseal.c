#include "plan/unseal.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/properties.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

static int
fail(const struct configuration *c, size_t i, const char *key, size_t len,
    enum error_code code, const char *text, struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, c->path, i == DOCUMENT_NONE ? 0 : document_line(c->doc, i));
	return error_key(err, key, len);
}

/* Is the name in the secrets file <base name of c>/<key>? */
static bool
is_own_name(const struct configuration *c, const char *key, size_t len, const char *name,
    size_t name_len)
{
	size_t base = strlen(c->base);

	return name_len == base + 1 + len && memcmp(name, c->base, base) == 0 &&
	    name[base] == '/' && memcmp(name + base + 1, key, len) == 0;
}

/* Plan the removal of every line of sealed entry ${name}; how many in ${*count}. */
static int
remove_sealed(struct plan *p, const char *name, size_t len, size_t *count, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	struct edits *e = plan_secrets_edits(p, err);
	size_t i = secrets_file_find(s, name, len);

	if (e == NULL)
		return -1;
	for (*count = 0; i != DOCUMENT_NONE; ++*count) {
		if (edits_remove(e, i, err) != 0)
			return -1;
		i = document_previous(secrets_file_document(s), i);
	}
	return 0;
}

/* The key is not in the configuration: a sealed entry of it may be left. */
static int
remove_orphan(struct plan *p, struct configuration *c, const char *key, size_t len,
    bool orphan, struct error *err)
{
	struct buf name;
	size_t count, user = DOCUMENT_NONE;
	int rc = -1;

	buf_init(&name, BUF_MAX_FILE);
	buf_append_str(&name, c->base);
	buf_append_char(&name, '/');
	buf_append(&name, key, len);
	if (buf_check(&name, err) != 0)
		goto done;
	if (orphan &&
	    configuration_borrower(c, (const char *)name.data, name.len, &user, err) != 0)
		goto done;
	if (user != DOCUMENT_NONE) {
		fail(c, user, key, len, ERROR_REFUSED, "the sealed entry is no orphan: the entry "
		    "on this line refers to it", err);
		error_hint(err, "remove that entry first");
		goto done;
	}
	if (orphan && remove_sealed(p, (const char *)name.data, name.len, &count, err) != 0)
		goto done;
	if (orphan && count > 0) {
		rc = 0;
		goto done;
	}
	fail(c, DOCUMENT_NONE, key, len, ERROR_MISSING,
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

/* The configuration's entry ${i} is reference ${r}: plan both removals. */
static int
remove_both(struct plan *p, struct configuration *c, size_t i, const char *key, size_t len,
    const struct reference *r, struct error *err)
{
	struct edits *e = plan_config_edits(p, c, err);
	size_t count, user;

	if (e == NULL || configuration_borrower(c, r->name, r->name_len, &user, err) != 0)
		return -1;
	if (!is_own_name(c, key, len, r->name, r->name_len))
		plan_note(p, "%s:%zu: refers to an entry of another name, which stays in the "
		    "secrets file", c->path, document_line(c->doc, i));
	else if (user != DOCUMENT_NONE)
		plan_note(p, "%s:%zu: refers to the same sealed entry, which therefore stays in "
		    "the secrets file", c->path, document_line(c->doc, user));
	else if (remove_sealed(p, r->name, r->name_len, &count, err) != 0)
		return -1;
	else if (count == 0)
		plan_note(p, "%s:%zu: the secrets file had no such entry: only the dangling "
		    "reference goes", c->path, document_line(c->doc, i));
	for (; i != DOCUMENT_NONE; i = document_previous(c->doc, i))
		if (edits_remove(e, i, err) != 0)
			return -1;
	return 0;
}

int
unseal_remove(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err)
{
	size_t i = document_find(c->doc, key, len);
	struct reference r;
	struct buf value;
	int rc = -1;

	plan_set_order(p, true);
	if (i == DOCUMENT_NONE)
		return remove_orphan(p, c, key, len, orphan, err);
	buf_init_secret(&value, BUF_MAX_FILE);
	if (document_value(c->doc, i, &value, err) != 0)
		goto done;
	if (reference_parse((const char *)value.data, value.len, &r) && reference_is_ours(&r)) {
		rc = remove_both(p, c, i, key, len, &r, err);
	} else {
		fail(c, i, key, len, ERROR_MISSING, "this configuration key is not sealed", err);
		rc = error_hint(err, "propseal removes sealed keys only; edit the file to remove "
		    "a plain one");
	}
done:
	buf_release(&value);
	return rc;
}

static void
append_line(struct buf *out, const char *key, size_t len, const struct buf *value)
{
	properties_append_key(out, key, len);
	buf_append_str(out, " = ");
	properties_append_value(out, value->data, value->len);
	buf_append_char(out, '\n');
}

/* One run of unseal_to_text; the buffers are used again for every entry. */
struct unsealer {
	const struct configuration *c;
	const struct secrets_file *s;
	bool any_name;
	struct buf value;	/* as it stands in the configuration */
	struct buf plain;	/* opened */
	struct buf *out;
};

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
		fail(c, i, key, len, ERROR_MISSING, "the reference names a sealed entry of "
		    "another configuration file", err);
		return error_hint(err, "was the file renamed or copied? --any-name opens it all "
		    "the same");
	}
	entry = secrets_file_find(u->s, r->name, r->name_len);
	if (entry == DOCUMENT_NONE) {
		fail(c, i, key, len, ERROR_MISSING, "dangling reference: the secrets file has no "
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
	static const char start[] = "${" REFERENCE_PROVIDER ":";
	const char *p = (const char *)u->value.data, *end = p + u->value.len;
	const char *close, *slash;
	struct reference r;

	for (*count = 0; p < end; p = close + 1) {
		p = memmem(p, (size_t)(end - p), start, sizeof(start) - 1);
		if (p == NULL || (close = memchr(p, '}', (size_t)(end - p))) == NULL)
			break;
		if (!reference_parse(p, (size_t)(close + 1 - p), &r) ||
		    (slash = memchr(r.name, '/', r.name_len)) == NULL)
			continue;
		buf_clear(&u->plain);
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_line(u->out, slash + 1, (size_t)(r.name + r.name_len - slash - 1),
		    &u->plain);
		++*count;
	}
	return 0;
}

/* Append entry ${i}; ${asked}: by name, so a plain value is written too. */
static int
append_entry(struct unsealer *u, size_t i, bool asked, struct error *err)
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
			append_line(u->out, key, len, &u->value);
	} else if (reference_is_ours(&r)) {
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_line(u->out, key, len, &u->plain);
	} else if (asked) {
		fail(u->c, i, key, len, ERROR_MISSING,
		    "the value is a reference to another provider", err);
		return error_hint(err, "only that provider can resolve it");
	}
	return buf_check(u->out, err);
}

int
unseal_to_text(const struct configuration *c, const struct secrets_file *s,
    const char *const keys[], const size_t key_lens[], size_t n, bool any_name, struct buf *out,
    struct error *err)
{
	struct unsealer u = { .c = c, .s = s, .any_name = any_name, .out = out };
	int rc = 0;
	size_t i;

	buf_init_secret(&u.value, BUF_MAX_FILE);
	buf_init_secret(&u.plain, BUF_MAX_FILE);
	for (size_t k = 0; k < n && rc == 0; k++) {
		i = document_find(c->doc, keys[k], key_lens[k]);
		if (i == DOCUMENT_NONE) {
			rc = fail(c, i, keys[k], key_lens[k], ERROR_MISSING,
			    "this configuration key is not present in the file", err);
			error_hint(err, "`propseal file show %s` lists the keys", c->path);
		} else {
			rc = append_entry(&u, i, true, err);
		}
	}
	for (i = 0; n == 0 && i < document_count(c->doc) && rc == 0; i++)
		if (!document_shadowed(c->doc, i))
			rc = append_entry(&u, i, false, err);
	buf_release(&u.plain);
	buf_release(&u.value);
	return rc;
}
