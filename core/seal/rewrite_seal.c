#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/rewrite_state.h"
#include "seal/rewrite_value.h"
#include "seal/seal.h"
#include "plan/sealed_entry.h"
#include "secrets/secrets_file.h"

static const struct rewrite_part *
part_at(const struct rewriting *r, size_t k)
{
	return vec_at(&r->parts, k);
}

bool
rewrite_is_whole(const struct rewriting *r)
{
	return r->parts.len == 1 && !part_at(r, 0)->fresh && part_at(r, 0)->ref_start == 0 &&
	    part_at(r, 0)->ref_end == r->raw.len;
}

size_t
rewrite_find_own(const struct rewriting *r)
{
	return secrets_file_find(r->s, (const char *)r->name.data, r->name.len);
}

bool
rewrite_holds(const struct rewriting *r, size_t t, const void *value, size_t n)
{
	struct buf old;
	bool same;

	buf_init_secret(&old, BUF_MAX_FILE);
	same = secrets_file_is_sealed(r->s, t) && secrets_file_open(r->s, t, &old, NULL) == 0 &&
	    old.len == n && (n == 0 || memcmp(old.data, value, n) == 0);
	buf_release(&old);
	return same;
}

static int
name_is_taken(const struct rewriting *r, size_t t, struct error *err)
{
	const char *name;
	size_t len;

	name = document_key(secrets_file_document(r->s), t, &len);
	error_set(err, ERROR_EXISTS, "the secrets file has this entry already, with another value");
	error_place(err, secrets_file_path(r->s), document_line(secrets_file_document(r->s), t));
	error_key(err, name, len);
	return error_hint(err, "a configuration file of the same base name may own it: use "
	    "another secrets file; if it is this file's own old value, give --replace");
}

/* Plan the sealed entry ${name}, which is ${t} or new. */
static int
store(struct rewriting *r, size_t t, const char *name, size_t len, const void *value, size_t n,
    struct error *err)
{
	struct buf text;
	int rc;

	r->sealed = true;
	if (t != DOCUMENT_NONE && rewrite_holds(r, t, value, n))
		return 0;
	if (t != DOCUMENT_NONE && (r->flags[t] & REWRITE_OLD) == 0 && !r->o->replace)
		return name_is_taken(r, t, err);
	if (plan_cipher(r->p) == NULL && seal_prepare(r->p, r->master, err) != 0)
		return -1;
	buf_init(&text, BUF_MAX_FILE);
	rc = sealed_seal(plan_cipher(r->p), r->o->cipher, value, n, &text, err);
	if (rc == 0)
		rc = sealed_entry_put(r->p, name, len, text.data, text.len, err);
	if (rc == 0)
		plan_set_order(r->p, false);
	buf_release(&text);
	return rc;
}

/* Is it a value that cannot be sealed? */
static int
refuse_value(const struct rewriting *r, size_t i, struct error *err)
{
	if (seal_has_half_surrogate(r->edited, i, &r->value)) {
		error_set(err, ERROR_REFUSED, "the value has half a surrogate pair, which cannot "
		    "be sealed");
		return error_hint(err, "correct the \\uD800-\\uDFFF escape in the value");
	}
	/* RFC 8259, section 4: readers do not agree on which one counts. */
	while (document_format(r->edited) == DOCUMENT_JSON &&
	    (i = document_previous(r->edited, i)) != DOCUMENT_NONE) {
		if (document_value_is(r->edited, i, (const char *)r->value.data, r->value.len))
			continue;
		error_set(err, ERROR_REFUSED, "this member stands more than once, with different "
		    "values");
		return error_hint(err, "readers do not agree on which one counts: remove the wrong "
		    "ones");
	}
	return 0;
}

/* In JSON two keys may be spelt so that their sealed entries have one name. */
static int
claim(struct rewriting *r, size_t i, const char *name, size_t len, struct error *err)
{
	const char *key;
	struct buf what;
	size_t n;
	int first;

	if (document_format(r->edited) != DOCUMENT_JSON)
		return 0;
	key = document_key(r->edited, i, &n);
	if (rewrite_own(r, key, n, name, len) == 0)
		return 0;
	buf_init(&what, BUF_MAX_FILE);
	buf_append_str(&what, "rewritten ");
	buf_append(&what, name, len);
	first = buf_check(&what, err) != 0 ? -1 :
	    plan_first(r->p, (const char *)what.data, what.len, err);
	buf_release(&what);
	if (first != 0)
		return first == 1 ? 0 : -1;
	error_set(err, ERROR_EXISTS, "another key of this file has the same name in the secrets "
	    "file");
	return error_hint(err, "rename one of the two");
}

/*
 * The name of the sealed entry of a part: as the secrets file has it, since a
 * reference may spell it otherwise, or as it will be.
 */
static const char *
part_name(const struct rewriting *r, const struct rewrite_part *part, size_t *len)
{
	struct reference ref;
	const char *text;
	size_t n;

	if (part->entry != DOCUMENT_NONE)
		return document_key(secrets_file_document(r->s), part->entry, len);
	text = rewrite_reference(r, part, &n);
	(void)reference_parse(text, n, &ref);
	*len = ref.name_len;
	return ref.name;
}

void
rewrite_append_reference(const struct rewriting *r, const struct rewrite_part *part,
    struct buf *out)
{
	const char *text;
	size_t len;

	text = rewrite_reference(r, part, &len);
	buf_append(out, text, len);
	if (part->tight)
		buf_append_char(out, ' ');
}

/* Seal what a part became. */
static int
seal_part(struct rewriting *r, size_t i, const struct rewrite_part *part, struct error *err)
{
	const char *name;
	size_t len;

	if (refuse_value(r, i, err) != 0)
		return -1;
	name = part_name(r, part, &len);
	return claim(r, i, name, len, err) != 0 ? -1 : store(r, part->entry, name, len,
	    r->value.data + part->start, part->end - part->start, err);
}

int
rewrite_restore(struct rewriting *r, size_t i, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;
	const char *now;
	size_t done = 0, n;

	for (size_t k = 0; k < r->parts.len; k++) {
		part = part_at(r, k);
		now = (const char *)r->value.data + part->start;
		n = part->end - part->start;
		buf_append(&r->text, r->value.data + done, part->start - done);
		done = part->end;
		if (part->changed && reference_parse(now, n, &ref)) {
			buf_append(&r->text, now, n);
			continue;
		}
		if (part->changed && seal_part(r, i, part, err) != 0)
			return -1;
		rewrite_append_reference(r, part, &r->text);
	}
	if (r->value.len > done)
		buf_append(&r->text, r->value.data + done, r->value.len - done);
	return buf_check(&r->text, err);
}

int
rewrite_seal(struct rewriting *r, size_t i, bool was_sealed, struct error *err)
{
	const char *key;
	size_t len, t;

	key = document_key(r->edited, i, &len);
	if (len == 0) {
		error_set(err, ERROR_REFUSED, "a value without a key cannot be sealed");
		return error_hint(err, "write key=value");
	}
	if (refuse_value(r, i, err) != 0 || rewrite_own_name(r, key, len, err) != 0 ||
	    claim(r, i, (const char *)r->name.data, r->name.len, err) != 0)
		return -1;
	t = rewrite_find_own(r);
	/* The old reference stays as it is spelt when it is to this very entry. */
	if (was_sealed && rewrite_is_whole(r) && t != DOCUMENT_NONE && part_at(r, 0)->entry == t)
		buf_append(&r->text, r->raw.data, r->raw.len);
	else if (reference_append(&r->text, r->o->remote, (const char *)r->name.data,
	    r->name.len, err) != 0)
		return -1;
	if (t != DOCUMENT_NONE)
		r->flags[t] |= REWRITE_USED;
	return store(r, t, (const char *)r->name.data, r->name.len, r->value.data, r->value.len,
	    err);
}

