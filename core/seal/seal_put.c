#include "seal/seal_put.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/equal.h"
#include "document/document.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "seal/seal.h"
#include "plan/sealed_entry.h"
#include "secrets/reference.h"
#include "secrets/resolve.h"
#include "secrets/secrets_file.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

void
seal_note_reference(struct plan *p, const struct configuration *c, size_t entry, const char *key,
    size_t len, const struct reference *r)
{
	struct buf shown;

	if (reference_is_ours(r) && resolve_entry(plan_secrets(p), r) != DOCUMENT_NONE)
		return;
	buf_init(&shown, BUF_MAX_FILE);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	plan_note(p, "%s:%zu: %s is %s and was left as it is", c->path,
	    document_line(c->doc, entry), buf_cstr(&shown), reference_is_ours(r) ?
	    "a dangling reference (the secrets file has no such entry)" :
	    "a reference to another provider");
	buf_release(&shown);
}

static int
name_is_taken(const struct plan *p, const struct document *d, size_t i, const struct buf *name,
    struct error *err)
{
	error_set(err, ERROR_EXISTS, "the secrets file has this entry already, with another value");
	error_place(err, secrets_file_path(plan_secrets(p)), document_line(d, i));
	error_key(err, (const char *)name->data, name->len);
	return error_hint(err, "a configuration file of the same base name may own it: use "
	    "another secrets file, or --base-name for this one; if it is this file's own old "
	    "value, update it, or seal with --replace");
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

/*
 * An interrupted run left it, or another configuration of the same base name
 * has the same secret: then both will change together.
 */
static void
note_shared(struct plan *p, const struct buf *name)
{
	struct buf shown;

	buf_init(&shown, BUF_MAX_FILE);
	text_append_visible(&shown, name->data, name->len > NOTE_KEY_MAX ? NOTE_KEY_MAX :
	    name->len);
	plan_note(p, "the secrets file has %s with this value already, and it is used; if another "
	    "file of the same base name refers to it, both share it from now on",
	    buf_cstr(&shown));
	buf_release(&shown);
}

/* Plan the sealed entry ${name}. */
static int
put_sealed(struct plan *p, const struct buf *name, const struct sealing *x,
    enum sealed_cipher kind, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	rc = sealed_seal(plan_cipher(p), kind, x->plain, x->n, &text, err);
	if (rc == 0)
		rc = sealed_entry_put(p, (const char *)name->data, name->len, text.data, text.len,
		    err);
	buf_release(&text);
	return rc;
}

/* 0 when the plan has sealed this very key before, 1 when it is new to it. */
static int
remember_key(struct plan *p, const struct configuration *c, const struct sealing *x,
    struct error *err)
{
	struct buf what;
	int rc;

	/* Elsewhere a name has one spelling, so it says the same as the key. */
	if (document_format(c->doc) != DOCUMENT_JSON)
		return 0;
	buf_init(&what, BUF_MAX_FILE);
	buf_append_str(&what, "sealed ");
	buf_append_str(&what, c->path);
	buf_append_char(&what, '\0');
	buf_append(&what, x->key, x->len);
	rc = buf_check(&what, err) != 0 ? -1 :
	    plan_first(p, (const char *)what.data, what.len, err);
	buf_release(&what);
	return rc;
}

/* The name is in the plan: for this key (1), or for one that is spelt like it? */
static int
taken_in_plan(struct plan *p, const struct configuration *c, const struct sealing *x,
    struct error *err)
{
	int new_key = remember_key(p, c, x, err);

	if (new_key != 1)
		return new_key == 0 ? 1 : -1;
	error_set(err, ERROR_EXISTS, "another key of this file has the same name in the secrets "
	    "file");
	error_place(err, c->path, 0);
	error_key(err, x->key, x->len);
	return error_hint(err, "seal one of the two, and rename the other");
}

int
seal_put(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct seal_options *o, struct error *err)
{
	int rc = -1, needed, first;
	struct buf name, ref;

	buf_init(&name, BUF_MAX_FILE);
	buf_init(&ref, BUF_MAX_FILE);
	if (configuration_entry_name(c, x->key, x->len, &name, err) != 0 ||
	    reference_append(&ref, o->remote, (const char *)name.data, name.len, err) != 0 ||
	    plan_config_edits(p, c, err) == NULL ||
	    (needed = must_be_sealed(p, &name, x, err)) == -1)
		goto done;
	if ((first = plan_first(p, (const char *)name.data, name.len, err)) != 1) {
		rc = first == 0 ? taken_in_plan(p, c, x, err) : -1;
		goto done;
	}
	if (remember_key(p, c, x, err) == -1)
		goto done;
	plan_set_order(p, false);
	if (needed == 0 && !x->replace)
		note_shared(p, &name);
	if ((needed == 0 || put_sealed(p, &name, x, o->cipher, err) == 0) &&
	    x->refer(p, c, x, &ref, err) == 0)
		rc = provider_add(p, c, err);
done:
	buf_release(&ref);
	buf_release(&name);
	return rc;
}
