#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "plan/rewrite_state.h"
#include "plan/rewrite_value.h"
#include "plan/seal.h"
#include "plan/sealed_entry.h"
#include "secrets/resolve.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

int
rewrite_fail_at(const struct rewriting *r, size_t i, struct error *err)
{
	const char *key;
	size_t len;

	if (err == NULL || err->file[0] != '\0')
		return -1;
	key = document_key(r->edited, i, &len);
	error_place(err, r->c->path, document_line(r->edited, i));
	return error_key(err, key, len);
}

static const struct rewrite_part *
part_at(const struct rewriting *r, size_t k)
{
	return vec_at(&r->parts, k);
}

/* Is the old value one reference and nothing else? */
static bool
is_whole(const struct rewriting *r)
{
	return r->parts.len == 1 && part_at(r, 0)->ref_start == 0 &&
	    part_at(r, 0)->ref_end == r->raw.len;
}

/* The sealed entry of the secrets file that r->name names. */
static size_t
find_own(const struct rewriting *r)
{
	return secrets_file_find(r->s, (const char *)r->name.data, r->name.len);
}

/* Does sealed entry ${t} hold exactly these bytes? */
static bool
holds(const struct rewriting *r, size_t t, const void *value, size_t n)
{
	struct buf old;
	bool same;

	buf_init_secret(&old, BUF_MAX_FILE);
	same = secrets_file_is_sealed(r->s, t) && secrets_file_open(r->s, t, &old, NULL) == 0 &&
	    old.len == n && (n == 0 || memcmp(old.data, value, n) == 0);
	buf_release(&old);
	return same;
}

/* Mark what entry ${i} will overwrite.  1: something new was marked. */
static int
mark(struct rewriting *r, size_t i, struct error *err)
{
	enum rewrite_verdict verdict;
	const char *key;
	size_t len, t;
	bool was_sealed;
	int new = 0;

	if (rewrite_decide(r, i, &verdict, &was_sealed, err) != 0)
		return -1;
	if (verdict == REWRITE_AS_EDITED)
		return 0;
	for (size_t k = 0; verdict == REWRITE_RESTORE && k < r->parts.len; k++) {
		t = part_at(r, k)->entry;
		if (part_at(r, k)->changed && (r->flags[t] & REWRITE_CHANGED) == 0) {
			r->flags[t] |= REWRITE_CHANGED;
			new = 1;
		}
	}
	if (verdict == REWRITE_RESTORE)
		return new;
	key = document_key(r->edited, i, &len);
	if (rewrite_own_name(r, key, len, err) != 0)
		return -1;
	t = find_own(r);
	if (t == DOCUMENT_NONE || (r->flags[t] & REWRITE_CHANGED) != 0 ||
	    holds(r, t, r->value.data, r->value.len))
		return new;
	r->flags[t] |= REWRITE_CHANGED;
	return 1;
}

int
rewrite_mark_changed(struct rewriting *r, struct error *err)
{
	bool again = true;
	int rc;

	/* Where every key has its own entry, none has to wait for another. */
	while (r->shared && again) {
		again = false;
		for (size_t i = 0; i < document_count(r->edited); i++) {
			if (document_shadowed(r->edited, i))
				continue;
			if ((rc = mark(r, i, err)) == -1)
				return -1;
			again |= rc == 1;
		}
	}
	return 0;
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
	if (t != DOCUMENT_NONE && holds(r, t, value, n))
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

/* The name of an entry as the secrets file has it: a reference may spell it otherwise. */
static const char *
stored_name(const struct rewriting *r, size_t t, size_t *len)
{
	return document_key(secrets_file_document(r->s), t, len);
}

/* Make r->text: the edited value with its references again. */
static int
restore(struct rewriting *r, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;
	const char *name, *now;
	size_t done = 0, len, n;

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
		name = stored_name(r, part->entry, &len);
		if (part->changed && store(r, part->entry, name, len, now, n, err) != 0)
			return -1;
		buf_append(&r->text, r->raw.data + part->ref_start,
		    part->ref_end - part->ref_start);
	}
	if (r->value.len > done)
		buf_append(&r->text, r->value.data + done, r->value.len - done);
	return buf_check(&r->text, err);
}

/* Seal the whole value, and make r->text the reference to it. */
static int
seal(struct rewriting *r, size_t i, bool was_sealed, struct error *err)
{
	const char *key;
	size_t len, t;

	key = document_key(r->edited, i, &len);
	if (len == 0) {
		error_set(err, ERROR_REFUSED, "a value without a key cannot be sealed");
		return error_hint(err, "write key=value");
	}
	if (seal_has_half_surrogate(r->edited, i, &r->value)) {
		error_set(err, ERROR_REFUSED, "the value has half a surrogate pair, which cannot "
		    "be sealed");
		return error_hint(err, "correct the \\uD800-\\uDFFF escape in the value");
	}
	if (rewrite_own_name(r, key, len, err) != 0)
		return -1;
	t = find_own(r);
	/* The old reference stays as it is spelt when it is to this very entry. */
	if (was_sealed && is_whole(r) && t != DOCUMENT_NONE && part_at(r, 0)->entry == t)
		buf_append(&r->text, r->raw.data, r->raw.len);
	else if (reference_append(&r->text, r->o->remote, (const char *)r->name.data,
	    r->name.len, err) != 0)
		return -1;
	if (t != DOCUMENT_NONE)
		r->flags[t] |= REWRITE_USED;
	return store(r, t, (const char *)r->name.data, r->name.len, r->value.data, r->value.len,
	    err);
}

/* Put the references of an entry that has more than them in their places. */
static int
splice(struct rewriting *r, size_t i, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;

	for (size_t k = 0; k < r->parts.len; k++) {
		part = part_at(r, k);
		if (part->changed && reference_parse((const char *)r->value.data + part->start,
		    part->end - part->start, &ref))
			continue;
		if (edits_splice(r->e, i, part->start, part->end, r->raw.data + part->ref_start,
		    part->ref_end - part->ref_start, NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* Give the entry and the lines that it hides the value r->text. */
static int
put(struct rewriting *r, size_t i, bool restored, struct error *err)
{
	const char *text = (const char *)r->text.data;

	if (restored && !is_whole(r)) {
		if (splice(r, i, err) != 0)
			return -1;
		i = document_previous(r->edited, i);
	}
	for (; i != DOCUMENT_NONE; i = document_previous(r->edited, i)) {
		if (document_value_is(r->edited, i, text, r->text.len))
			continue;
		if (edits_set(r->e, i, text, r->text.len, err) != 0)
			return -1;
	}
	return 0;
}

/* What the new text refers to is not removed. */
static void
mark_used(struct rewriting *r)
{
	struct reference ref;
	size_t start, end = 0, t;

	while (resolve_next((const char *)r->text.data, r->text.len, end, &ref, &start, &end)) {
		if (!reference_is_ours(&ref))
			continue;
		if ((t = resolve_entry(r->s, &ref)) != DOCUMENT_NONE)
			r->flags[t] |= REWRITE_USED;
	}
}

static void
note(struct rewriting *r, const struct document *d, size_t i, size_t line, const char *what)
{
	struct buf shown;
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	buf_init(&shown, 8 * NOTE_KEY_MAX);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	if (line > 0)
		plan_note(r->p, "%s:%zu: %s %s", r->c->path, line, buf_cstr(&shown), what);
	else
		plan_note(r->p, "%s: %s %s", secrets_file_path(r->s), buf_cstr(&shown), what);
	buf_release(&shown);
}

/* A secret that a person wrote in clear text where clear text was. */
static void
note_clear(struct rewriting *r, size_t i)
{
	const char *key;
	size_t len, old;

	key = document_key(r->edited, i, &len);
	old = document_find(r->c->doc, key, len);
	if (old == DOCUMENT_NONE || rewrite_refers(&r->value) ||
	    !rules_by_default(r->o->rules, key, len) || document_value_is(r->c->doc, old,
	    (const char *)r->value.data, r->value.len))
		return;
	note(r, r->edited, i, document_line(r->edited, i), "stays in clear text, as it was; "
	    "`propseal file encrypt` seals it");
}

int
rewrite_apply(struct rewriting *r, size_t i, struct error *err)
{
	enum rewrite_verdict verdict;
	bool was_sealed;
	int rc = 0;

	if (rewrite_decide(r, i, &verdict, &was_sealed, err) != 0)
		return -1;
	buf_clear(&r->text);
	switch (verdict) {
	case REWRITE_AS_EDITED:
		buf_append(&r->text, r->value.data, r->value.len);
		rc = buf_check(&r->text, err);
		note_clear(r, i);
		break;
	case REWRITE_RESTORE:
		rc = restore(r, err);
		break;
	case REWRITE_SEAL:
		if (was_sealed && r->parts.len > 1)
			note(r, r->edited, i, document_line(r->edited, i), "is sealed as a whole");
		rc = seal(r, i, was_sealed, err);
		break;
	}
	if (rc != 0)
		return rewrite_fail_at(r, i, err);
	mark_used(r);
	if (verdict == REWRITE_AS_EDITED && !was_sealed)
		return 0;
	return put(r, i, verdict == REWRITE_RESTORE, err);
}

int
rewrite_remove_unused(struct rewriting *r, struct error *err)
{
	const struct document *d = secrets_file_document(r->s);
	const char *name;
	size_t base = strlen(r->c->base), count, len;

	for (size_t t = 0; t < document_count(d); t++) {
		if ((r->flags[t] & (REWRITE_OLD | REWRITE_USED)) != REWRITE_OLD)
			continue;
		name = document_key(d, t, &len);
		if (len <= base || memcmp(name, r->c->base, base) != 0 || name[base] != '/') {
			note(r, d, t, 0, "is an entry of another name, which stays");
			continue;
		}
		if (sealed_entry_remove(r->p, name, len, &count, err) != 0)
			return -1;
		plan_set_order(r->p, true);
	}
	return 0;
}
