#include "seal/seal.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/document_json.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "seal/keying.h"
#include "plan/plan.h"
#include "seal/seal_option.h"
#include "seal/seal_put.h"
#include "plan/target.h"
#include "secrets/reference.h"
#include "secrets/resolve.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

int
seal_prepare(struct plan *p, const struct key *master, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	const struct secrets_metadata *m = secrets_file_metadata(s);

	if (m->data_key != NULL)
		return secrets_file_unlock(s, master, err);
	if (secrets_file_sealed_count(s) > 0) {
		error_set(err, ERROR_DAMAGED, "there are sealed entries but no data key: the "
		    "line %s is lost", SECRETS_DATA_KEY);
		error_place(err, secrets_file_path(s), 0);
		return error_hint(err, "restore the line from a backup; a new data key would "
		    "make the sealed entries unreadable for good");
	}
	if (m->salt == NULL) {
		plan_note(p, "%s has no master key salt, so no passphrase belongs to it: keep the "
		    "master key itself", secrets_file_path(s));
		return keying_new_data_key(p, master, KEY_ITERATIONS_DEFAULT,
		    key_length(master), err);
	}
	/* The salt is the reference's: the key was derived with these numbers. */
	return keying_new_data_key(p, master, m->iterations, m->length, err);
}

/* sealing.refer for a whole entry: every line of the key, or a new one. */
static int
refer(struct plan *p, struct configuration *c, const struct sealing *x, const struct buf *ref,
    struct error *err)
{
	size_t i = document_find(c->doc, x->key, x->len);
	struct edits *e = plan_config_edits(p, c, err);

	if (e == NULL)
		return -1;
	if (i == DOCUMENT_NONE)
		return edits_insert(e, DOCUMENT_NONE, x->key, x->len, ref->data, ref->len, err);
	for (; i != DOCUMENT_NONE; i = document_previous(c->doc, i)) {
		if (document_value_is(c->doc, i, (const char *)ref->data, ref->len))
			continue;
		if (document_shadowed(c->doc, i))
			plan_note(p, "%s:%zu: an earlier line of the same key, which no reader "
			    "uses, gets the reference too", c->path, document_line(c->doc, i));
		if (edits_set(e, i, ref->data, ref->len, err) != 0)
			return -1;
	}
	return 0;
}

/* Half of a surrogate pair, from a lone \uD800 escape, cannot be written as UTF-8. */
bool
seal_has_half_surrogate(const struct document *d, size_t i, const struct buf *value)
{
	const unsigned char *raw, *p = value->data;
	size_t len;

	raw = document_raw_value(d, i, &len);
	if (memmem(raw, len, "\\u", 2) == NULL)
		return false;
	for (size_t k = 0; k + 1 < value->len; k++)
		if (p[k] == 0xED && p[k + 1] >= 0xA0)
			return true;
	return false;
}

static int
refuse(const struct configuration *c, size_t i, const char *text, const char *hint,
    struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(c->doc, i, &len);
	error_set(err, ERROR_REFUSED, "%s", text);
	error_place(err, c->path, document_line(c->doc, i));
	error_key(err, key, len);
	return error_hint(err, "%s", hint);
}

/*
 * JSON readers do not agree on which of several members of one name counts
 * (RFC 8259, section 4), so all of them have to say the same.
 */
static bool
differ(const struct document *d, size_t i, const struct buf *value)
{
	if (document_format(d) != DOCUMENT_JSON)
		return false;
	while ((i = document_previous(d, i)) != DOCUMENT_NONE)
		if (!document_value_is(d, i, (const char *)value->data, value->len))
			return true;
	return false;
}

/* A reference to us inside the value would not be resolved once it is sealed. */
static bool
has_our_reference(const struct buf *value)
{
	size_t at = 0, start;
	struct reference r;

	while (resolve_next((const char *)value->data, value->len, at, &r, &start, &at))
		if (reference_is_ours(&r))
			return true;
	return false;
}

int
seal_entry(struct plan *p, struct configuration *c, size_t i, const struct seal_options *o,
    struct error *err)
{
	struct buf *value = plan_scratch(p);
	struct sealing x = { .replace = o->replace, .refer = refer };
	struct reference r;
	int rc;

	x.key = document_key(c->doc, i, &x.len);
	i = document_find(c->doc, x.key, x.len);
	if (document_value(c->doc, i, value, err) != 0)
		return -1;
	if (reference_parse((const char *)value->data, value->len, &r)) {
		seal_note_reference(p, c, i, x.key, x.len, &r);
		return 0;
	}
	if (differ(c->doc, i, value))
		return refuse(c, i, "this member stands more than once, with different values",
		    "readers do not agree on which one counts: remove the wrong ones", err);
	if (has_our_reference(value))
		return refuse(c, i, "the value has references in it, which would not be resolved "
		    "once it is sealed", "seal the parts of the value that are still clear", err);
	if (seal_has_half_surrogate(c->doc, i, value))
		return refuse(c, i, "the value has half a surrogate pair, which cannot be sealed",
		    "correct the \\uD800-\\uDFFF escape in the value", err);
	x.plain = value->data;
	x.n = value->len;
	rc = seal_put(p, c, &x, o, err);
	if (rc == -1 && err != NULL && err->file[0] == '\0') {
		error_place(err, c->path, document_line(c->doc, i));
		error_key(err, x.key, x.len);
	}
	return rc == -1 ? -1 : 0;
}

/*
 * The options of a JAAS value that are secrets; ${*n} counts those sealed,
 * ${*others} the references to other providers.
 * 1: it is JAAS, 0: treat it as any other entry.
 */
static int
seal_default_jaas(struct plan *p, struct configuration *c, size_t i,
    const struct seal_options *o, size_t *n, size_t *others, struct error *err)
{
	struct jaas_option x;
	struct target t;
	const char *key;
	size_t len;
	int rc, sealed;

	key = document_key(c->doc, i, &len);
	target_init(&t);
	rc = target_jaas(c->doc, i, &t, err);
	for (size_t k = 0; rc == 1 && k < jaas_count(t.jaas); k++) {
		x = jaas_option(t.jaas, k);
		if (x.shadowed || !rules_option(o->rules, t.jaas, k, key, len))
			continue;
		t.kind = TARGET_OPTION;
		t.option = k;
		sealed = seal_option(p, c, &t, o, err);
		if (sealed == -1)
			rc = -1;
		*n += sealed == 1;
		*others += sealed == 2;
	}
	target_release(&t);
	return rc;
}

/* Where JAAS must stand and none was found, a secret may stay in clear text. */
static void
note_unread(struct plan *p, const struct configuration *c, size_t i, const char *key, size_t len)
{
	static const char ending[] = "sasl.jaas.config";
	size_t n = sizeof(ending) - 1;
	struct buf value;
	struct reference r;

	if (len < n || memcmp(key + len - n, ending, n) != 0)
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (document_value(c->doc, i, &value, NULL) == 0 && value.len > 0 &&
	    !reference_parse((const char *)value.data, value.len, &r))
		plan_note(p, "%s:%zu: %.*s is no JAAS configuration and was left as it is",
		    c->path, document_line(c->doc, i), (int)len, key);
	buf_release(&value);
}

int
seal_default(struct plan *p, struct configuration *c, const struct seal_options *o,
    size_t *count, struct error *err)
{
	size_t n = 0, others = 0, len;
	const char *key;
	int rc;

	for (size_t i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (document_shadowed(c->doc, i))
			continue;
		if ((rc = seal_default_jaas(p, c, i, o, &n, &others, err)) == -1)
			return -1;
		if (rc == 1 || !rules_by_default(o->rules, key, len)) {
			if (rc == 0)
				note_unread(p, c, i, key, len);
			continue;
		}
		if (seal_entry(p, c, i, o, err) != 0)
			return -1;
		n++;
	}
	if (count != NULL)
		*count = n;
	if (n > 0 || others == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "every secret here is a reference to another provider, "
	    "inside a JAAS value: there is nothing to seal");
	error_place(err, c->path, 0);
	return error_hint(err, "name what to seal with --config");
}

static int
not_there(const struct configuration *c, const char *key, size_t len, struct error *err)
{
	error_set(err, ERROR_MISSING, "this configuration key is not present in the file");
	error_place(err, c->path, 0);
	error_key(err, key, len);
	return error_hint(err, "`propseal file show %s` lists the keys; `propseal file add` makes "
	    "a new one", c->path);
}

/* A path with `#` or wildcards: every value of the JSON file that it names. */
static int
seal_each(struct plan *p, struct configuration *c, const char *path, size_t len,
    const struct seal_options *o, struct error *err)
{
	struct vec entries;
	int rc;

	vec_init(&entries, sizeof(size_t), SIZE_MAX / sizeof(size_t));
	rc = document_json_expand(c->doc, path, len, &entries, err);
	if (rc == 0 && entries.len == 0)
		rc = not_there(c, path, len, err);
	for (size_t i = 0; rc == 0 && i < entries.len; i++)
		rc = seal_entry(p, c, *(size_t *)vec_at(&entries, i), o, err);
	vec_release(&entries);
	return rc;
}

int
seal_key(struct plan *p, struct configuration *c, const char *key, size_t len,
    const struct seal_options *o, struct error *err)
{
	struct target t;
	int rc;

	target_init(&t);
	rc = target_find(c->doc, key, len, &t, err);
	if (rc == 0 && t.kind == TARGET_ENTRY)
		rc = seal_entry(p, c, t.entry, o, err);
	else if (rc == 0 && t.kind == TARGET_OPTION)
		rc = seal_option(p, c, &t, o, err) == -1 ? -1 : 0;
	else if (rc == 0 && document_format(c->doc) == DOCUMENT_JSON)
		rc = seal_each(p, c, key, len, o, err);
	else if (rc == 0)
		rc = not_there(c, key, len, err);
	target_release(&t);
	return rc;
}

/* Does the configuration's entry refer to the sealed entry of its own name? */
static int
owns_entry(const struct configuration *c, size_t i, const char *key, size_t len, bool *owns,
    struct error *err)
{
	struct reference r;
	struct buf value;
	int rc;

	buf_init_secret(&value, BUF_MAX_FILE);
	rc = document_value(c->doc, i, &value, err);
	*owns = rc == 0 && reference_parse((const char *)value.data, value.len, &r) &&
	    reference_is_ours(&r) && configuration_owns(c, key, len, r.name, r.name_len);
	buf_release(&value);
	return rc;
}

/* Seal a given value for an entry that is there or not. */
static int
seal_entry_value(struct plan *p, struct configuration *c, const struct target *t,
    const struct seal_options *o, struct sealing *x, struct error *err)
{
	bool owns = false;

	if (t->kind == TARGET_ENTRY && owns_entry(c, t->entry, x->key, x->len, &owns, err) != 0)
		return -1;
	x->replace = owns || o->replace;
	return seal_put(p, c, x, o, err);
}

int
seal_value(struct plan *p, struct configuration *c, const char *key, size_t klen,
    const void *value, size_t n, bool must_exist, const struct seal_options *o,
    struct error *err)
{
	struct sealing x = { .key = key, .len = klen, .plain = value, .n = n, .refer = refer };
	struct reference r;
	struct target t;
	int rc;

	target_init(&t);
	if (target_find(c->doc, key, klen, &t, err) != 0)
		return -1;
	if (must_exist && t.kind != TARGET_ENTRY && t.kind != TARGET_OPTION) {
		rc = not_there(c, key, klen, err);
	} else if (klen == 0) {
		error_set(err, ERROR_REFUSED, "the key is empty");
		rc = error_hint(err, "write key=value");
	} else if (reference_parse(value, n, &r)) {
		error_set(err, ERROR_REFUSED, "the value is a reference already");
		error_key(err, key, klen);
		rc = error_hint(err, "a reference is no secret: write it into %s itself", c->path);
	} else if (t.kind == TARGET_OPTION || t.kind == TARGET_NEW_OPTION) {
		rc = seal_option_value(p, c, &t, value, n, o, err);
	} else {
		rc = seal_entry_value(p, c, &t, o, &x, err);
	}
	target_release(&t);
	if (rc != 1)
		return rc;
	error_set(err, ERROR_REFUSED, "this key is sealed in the same step already");
	error_place(err, c->path, 0);
	error_key(err, key, klen);
	return error_hint(err, "apply that first, or give one value only");
}
