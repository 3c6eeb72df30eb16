#include "plan/seal.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/equal.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/keying.h"
#include "plan/plan.h"
#include "plan/provider.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"
#include "secrets/sensitive.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

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

/* The name of a key's sealed entry: <base name>/<key>. */
static int
entry_name(const struct configuration *c, const char *key, size_t len, struct buf *name,
    struct error *err)
{
	buf_append_str(name, c->base);
	buf_append_char(name, '/');
	buf_append(name, key, len);
	return buf_check(name, err);
}

static int
name_is_taken(const struct plan *p, const struct document *d, size_t i, const struct buf *name,
    struct error *err)
{
	error_set(err, ERROR_EXISTS, "the secrets file has this entry already, with another value");
	error_place(err, secrets_file_path(plan_secrets(p)), document_line(d, i));
	error_key(err, (const char *)name->data, name->len);
	return error_hint(err, "a configuration file of the same base name may own it: use "
	    "another secrets file; if it is this file's own old value, give --replace");
}

/* Does document entry ${i} of the secrets file hold exactly these bytes? */
static bool
holds(const struct secrets_file *s, size_t i, const void *plain, size_t n)
{
	struct buf old;
	bool same;

	buf_init_secret(&old, BUF_MAX_FILE);
	same = secrets_file_is_sealed(s, i) && secrets_file_open(s, i, &old, NULL) == 0 &&
	    secret_equal(old.data, old.len, plain, n);
	buf_release(&old);
	return same;
}

/* What is to be sealed under which key. */
struct sealing {
	const char *key;
	size_t len;
	const void *plain;
	size_t n;
	bool replace;
};

/* 1: the sealed entry is to be written, 0: it holds the value, -1: ERROR_EXISTS. */
static int
must_be_sealed(const struct plan *p, const struct buf *name, const struct sealing *x,
    struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	size_t i = secrets_file_find(s, (const char *)name->data, name->len);

	if (i == DOCUMENT_NONE)
		return 1;
	if (holds(s, i, x->plain, x->n))
		return 0;
	return x->replace ? 1 : name_is_taken(p, secrets_file_document(s), i, name, err);
}

/* Plan the sealed entry ${name}. */
static int
put_sealed(struct plan *p, const struct buf *name, const struct sealing *x,
    enum sealed_cipher kind, struct error *err)
{
	size_t i = secrets_file_find(plan_secrets(p), (const char *)name->data, name->len);
	struct edits *e = plan_secrets_edits(p, err);
	struct buf text;
	int rc;

	if (e == NULL)
		return -1;
	buf_init(&text, BUF_MAX_FILE);
	rc = sealed_seal(plan_cipher(p), kind, x->plain, x->n, &text, err);
	if (rc == 0 && i != DOCUMENT_NONE)
		rc = edits_set(e, i, text.data, text.len, err);
	else if (rc == 0)
		rc = edits_insert(e, DOCUMENT_NONE, (const char *)name->data, name->len, text.data,
		    text.len, err);
	buf_release(&text);
	return rc;
}

/* Plan the reference in every entry of the key, or a new entry. */
static int
put_reference(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct buf *ref, struct error *err)
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

/*
 * All of a sealing: secrets file, configuration, provider.  What may be
 * refused comes first, so that a refusal plans nothing.  1: the plan seals
 * this key already.
 */
static int
put(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct seal_options *o, struct error *err)
{
	int rc = -1, needed, first;
	struct buf name, ref;

	buf_init(&name, BUF_MAX_FILE);
	buf_init(&ref, BUF_MAX_FILE);
	if (entry_name(c, x->key, x->len, &name, err) != 0 ||
	    reference_append(&ref, o->remote, (const char *)name.data, name.len, err) != 0 ||
	    plan_config_edits(p, c, err) == NULL ||
	    (needed = must_be_sealed(p, &name, x, err)) == -1)
		goto done;
	if ((first = plan_first(p, (const char *)name.data, name.len, err)) != 1) {
		rc = first == 0 ? 1 : -1;
		goto done;
	}
	plan_set_order(p, false);
	if ((needed == 0 || put_sealed(p, &name, x, o->cipher, err) == 0) &&
	    put_reference(p, c, x, &ref, err) == 0)
		rc = provider_add(p, c, err);
done:
	buf_release(&ref);
	buf_release(&name);
	return rc;
}

/* Half of a surrogate pair, from a lone \uD800 escape, cannot be written as UTF-8. */
static bool
has_half_surrogate(const struct document *d, size_t i, const struct buf *value)
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

static void
note_reference(struct plan *p, const struct configuration *c, size_t i,
    const struct reference *r)
{
	struct buf shown;
	const char *key;
	size_t len, entry;

	key = document_key(c->doc, i, &len);
	entry = secrets_file_find(plan_secrets(p), r->name, r->name_len);
	if (reference_is_ours(r) && entry != DOCUMENT_NONE)
		return;
	buf_init(&shown, BUF_MAX_FILE);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	plan_note(p, "%s:%zu: %s is %s and was left as it is", c->path,
	    document_line(c->doc, i), buf_cstr(&shown), reference_is_ours(r) ?
	    "a dangling reference (the secrets file has no such entry)" :
	    "a reference to another provider");
	buf_release(&shown);
}

int
seal_entry(struct plan *p, struct configuration *c, size_t i, const struct seal_options *o,
    struct error *err)
{
	struct buf *value = plan_scratch(p);
	struct sealing x = { .replace = o->replace };
	struct reference r;
	int rc;

	x.key = document_key(c->doc, i, &x.len);
	i = document_find(c->doc, x.key, x.len);
	if (document_value(c->doc, i, value, err) != 0)
		return -1;
	if (reference_parse((const char *)value->data, value->len, &r)) {
		note_reference(p, c, i, &r);
		return 0;
	}
	if (has_half_surrogate(c->doc, i, value))
		return refuse(c, i, "the value has half a surrogate pair, which cannot be sealed",
		    "correct the \\uD800-\\uDFFF escape in the value", err);
	x.plain = value->data;
	x.n = value->len;
	rc = put(p, c, &x, o, err);
	if (rc == -1 && err != NULL && err->file[0] == '\0') {
		error_place(err, c->path, document_line(c->doc, i));
		error_key(err, x.key, x.len);
	}
	return rc == -1 ? -1 : 0;
}

int
seal_default(struct plan *p, struct configuration *c, const struct seal_options *o,
    size_t *count, struct error *err)
{
	size_t n = 0, len;
	const char *key;

	for (size_t i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (!sensitive_by_default_rule(key, len) || document_shadowed(c->doc, i))
			continue;
		if (seal_entry(p, c, i, o, err) != 0)
			return -1;
		n++;
	}
	if (count != NULL)
		*count = n;
	return 0;
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

int
seal_key(struct plan *p, struct configuration *c, const char *key, size_t len,
    const struct seal_options *o, struct error *err)
{
	size_t i = document_find(c->doc, key, len);

	return i == DOCUMENT_NONE ? not_there(c, key, len, err) : seal_entry(p, c, i, o, err);
}

/* Does the configuration's entry refer to the sealed entry of its own name? */
static int
owns_entry(const struct configuration *c, size_t i, const char *key, size_t len, bool *owns,
    struct error *err)
{
	struct buf value, name;
	struct reference r;
	int rc = -1;

	*owns = false;
	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, BUF_MAX_FILE);
	if (document_value(c->doc, i, &value, err) == 0 &&
	    entry_name(c, key, len, &name, err) == 0) {
		*owns = reference_parse((const char *)value.data, value.len, &r) &&
		    reference_is_ours(&r) && r.name_len == name.len &&
		    memcmp(r.name, name.data, name.len) == 0;
		rc = 0;
	}
	buf_release(&name);
	buf_release(&value);
	return rc;
}

int
seal_value(struct plan *p, struct configuration *c, const char *key, size_t klen,
    const void *value, size_t n, bool must_exist, const struct seal_options *o,
    struct error *err)
{
	struct sealing x = { .key = key, .len = klen, .plain = value, .n = n };
	size_t i = document_find(c->doc, key, klen);
	struct reference r;
	bool owns = false;
	int rc;

	if (i == DOCUMENT_NONE && must_exist)
		return not_there(c, key, klen, err);
	if (klen == 0) {
		error_set(err, ERROR_REFUSED, "the key is empty");
		return error_hint(err, "write key=value");
	}
	if (reference_parse(value, n, &r)) {
		error_set(err, ERROR_REFUSED, "the value is a reference already");
		error_key(err, key, klen);
		return error_hint(err, "a reference is no secret: write it into %s itself",
		    c->path);
	}
	if (i != DOCUMENT_NONE && owns_entry(c, i, key, klen, &owns, err) != 0)
		return -1;
	x.replace = owns || o->replace;
	if ((rc = put(p, c, &x, o, err)) != 1)
		return rc;
	error_set(err, ERROR_REFUSED, "this key is sealed in the same step already");
	error_place(err, c->path, 0);
	error_key(err, key, klen);
	return error_hint(err, "apply that first, or give one value only");
}
