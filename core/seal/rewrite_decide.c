#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/rewrite_state.h"
#include "seal/rewrite_value.h"
#include "seal/seal.h"
#include "secrets/resolve.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/*
 * A shorter value of a key that is still there is too common a word to say
 * that another key has it from there.
 */
#define COPY_MIN 8

bool
rewrite_refers(const struct buf *text)
{
	struct reference ref;
	size_t start, end = 0;

	while (resolve_next((const char *)text->data, text->len, end, &ref, &start, &end))
		if (reference_is_ours(&ref))
			return true;
	return false;
}

/* Could the value refer to anything?  Most hold no dollar, however it is written. */
bool
rewrite_may_refer(const struct document *d, size_t i)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, i, &n);
	return n > 0 && (memchr(raw, '$', n) != NULL || memchr(raw, '\\', n) != NULL);
}

/* Load an entry of the configuration.  As rewrite_value_load; parts tell if it refers. */
static int
load_old(struct rewriting *r, size_t j, struct error *err)
{
	return rewrite_value_load(r->s, r->c->doc, j, &r->raw, &r->plain, &r->parts, err);
}

static bool
is(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* JSON paths have backslashes that the names of sealed entries leave out. */
static size_t
skip_backslashes(const struct rewriting *r, const char *p, size_t n, size_t at)
{
	if (document_format(r->c->doc) == DOCUMENT_JSON)
		while (at < n && p[at] == '\\')
			at++;
	return at;
}

size_t
rewrite_own(const struct rewriting *r, const char *key, size_t len, const char *name,
    size_t name_len)
{
	size_t base = strlen(r->c->base), at = base + 1, k = 0;

	if (name_len <= base || memcmp(name, r->c->base, base) != 0 || name[base] != '/')
		return 0;
	for (;;) {
		k = skip_backslashes(r, key, len, k);
		at = skip_backslashes(r, name, name_len, at);
		if (k == len)
			return at == name_len || name[at] == '/' ? at : 0;
		if (at == name_len || name[at] != key[k])
			return 0;
		k++;
		at++;
	}
}

int
rewrite_own_name(struct rewriting *r, const char *key, size_t len, struct error *err)
{
	buf_clear(&r->name);
	return configuration_entry_name(r->c, key, len, &r->name, err);
}

/* Remember what entry ${j} resolves to. */
static int
learn(struct rewriting *r, size_t j, struct error *err)
{
	uint64_t *slot = &r->digests[r->digest_count];

	if (r->plain.len == 0)
		return 0;
	*slot = siphash_13(r->digest_key, r->plain.data, r->plain.len);
	r->digest_count++;
	return map_put(r->known, slot, sizeof(*slot), j) == 0 ? 0 : error_memory(err);
}

int
rewrite_scan_old(struct rewriting *r, struct error *err)
{
	const struct document *d = r->c->doc;
	const struct rewrite_part *part;
	const char *key;
	size_t len;
	int opens;

	for (size_t j = 0; j < document_count(d); j++) {
		if (!rewrite_may_refer(d, j) || document_shadowed(d, j))
			continue;
		if ((opens = load_old(r, j, err)) == -1)
			return -1;
		key = document_key(d, j, &len);
		for (size_t k = 0; k < r->parts.len; k++) {
			part = vec_at(&r->parts, k);
			if (part->entry == DOCUMENT_NONE)
				continue;
			r->shared |= (r->flags[part->entry] & REWRITE_OLD) != 0 ||
			    rewrite_own(r, key, len, part->ref.name, part->ref.name_len) == 0;
			r->flags[part->entry] |= REWRITE_OLD;
		}
		if (opens == 1 && r->parts.len > 0 && learn(r, j, err) != 0)
			return -1;
	}
	return 0;
}

int
rewrite_find_known(struct rewriting *r, const void *value, size_t n, size_t *entry,
    struct error *err)
{
	uint64_t digest;
	int opens;

	*entry = DOCUMENT_NONE;
	if (n == 0 || r->digest_count == 0)
		return 0;
	digest = siphash_13(r->digest_key, value, n);
	if (!map_get(r->known, &digest, sizeof(digest), entry))
		return 0;
	if ((opens = load_old(r, *entry, err)) == -1)
		return -1;
	if (opens == 0 || r->plain.len != n || memcmp(r->plain.data, value, n) != 0)
		*entry = DOCUMENT_NONE;
	return 0;
}

/* An entry that was not sealed: it is new, or it was clear text. */
static int
decide_plain(struct rewriting *r, size_t i, size_t old, enum rewrite_verdict *verdict,
    struct error *err)
{
	struct reference ref;
	const char *key;
	size_t len, from, key_len;
	bool taken;
	int rc;

	*verdict = REWRITE_AS_EDITED;
	if (reference_parse((const char *)r->value.data, r->value.len, &ref) ||
	    rewrite_refers(&r->value) || (old != DOCUMENT_NONE &&
	    document_value_is(r->c->doc, old, (const char *)r->value.data, r->value.len)))
		return 0;
	key = document_key(r->edited, i, &key_len);
	taken = rules_by_default(r->o->rules, key, key_len);
	if (old == DOCUMENT_NONE && (rc = rewrite_jaas(r, i, false, true, err)) != 0) {
		*verdict = REWRITE_RESTORE;
		return rc == 1 ? 0 : -1;
	}
	if (taken && old == DOCUMENT_NONE) {
		*verdict = REWRITE_SEAL;
		return 0;
	}
	if (rewrite_find_known(r, r->value.data, r->value.len, &from, err) != 0)
		return -1;
	if (from != DOCUMENT_NONE) {
		key = document_key(r->c->doc, from, &len);
		if (r->value.len >= COPY_MIN ||
		    document_find(r->edited, key, len) == DOCUMENT_NONE) {
			*verdict = REWRITE_SEAL;
			return 0;
		}
	}
	return 0;
}

/* Did two parts become the same? */
static bool
same_text(const struct rewriting *r, const struct rewrite_part *a, const struct rewrite_part *b)
{
	size_t n = a->end - a->start;

	return b->end - b->start == n &&
	    (n == 0 || memcmp(r->value.data + a->start, r->value.data + b->start, n) == 0);
}

/* Part ${k} became something else: can it be sealed under its own name? */
static bool
can_reseal(const struct rewriting *r, size_t i, size_t k)
{
	const struct rewrite_part *part = vec_at(&r->parts, k), *other;
	const char *key;
	size_t len;

	key = document_key(r->edited, i, &len);
	if (!part->fresh && rewrite_own(r, key, len, part->ref.name, part->ref.name_len) == 0)
		return false;
	/* One entry cannot hold two values. */
	for (size_t m = 0; m < r->parts.len; m++) {
		other = vec_at(&r->parts, m);
		if (m != k && other->changed && other->entry == part->entry &&
		    part->entry != DOCUMENT_NONE && !same_text(r, part, other))
			return false;
	}
	return true;
}

/* Lines of its own that nobody reads follow what it is sealed as. */
static bool
is_own(const struct rewriting *r, size_t i, const struct rewrite_part *part)
{
	const char *key;
	size_t len;

	key = document_key(r->edited, i, &len);
	return part->fresh || rewrite_own(r, key, len, part->ref.name, part->ref.name_len) > 0;
}

/* Its parts were found again: do they keep their names? */
static bool
can_restore(const struct rewriting *r, size_t i)
{
	const struct rewrite_part *part;

	for (size_t k = 0; k < r->parts.len; k++) {
		part = vec_at(&r->parts, k);
		if (part->changed ? !can_reseal(r, i, k) : part->entry != DOCUMENT_NONE &&
		    (r->flags[part->entry] & REWRITE_CHANGED) != 0 && !is_own(r, i, part))
			return false;
	}
	return true;
}

/* Is clear text that would be sealed mixed with a reference, which would not work? */
static bool
is_mixed(const struct rewriting *r)
{
	const struct rewrite_part *part;
	struct reference ref;
	const char *now;
	size_t start, end;

	for (size_t k = 0; k < r->parts.len; k++) {
		part = vec_at(&r->parts, k);
		now = (const char *)r->value.data + part->start;
		if (!part->changed || reference_parse(now, part->end - part->start, &ref))
			continue;
		for (end = 0; resolve_next(now, part->end - part->start, end, &ref, &start, &end);)
			if (reference_is_ours(&ref))
				return true;
	}
	return false;
}

static int
mixed(const struct rewriting *r, size_t i, struct error *err)
{
	error_set(err, ERROR_REFUSED, "a value that was sealed is mixed with a reference");
	rewrite_fail_at(r, i, err);
	return error_hint(err, "write the reference alone, or the clear text alone");
}

int
rewrite_decide(struct rewriting *r, size_t i, enum rewrite_verdict *verdict, bool *was_sealed,
    struct error *err)
{
	struct reference ref;
	const char *key;
	size_t len, old;
	int opens, jaas;

	key = document_key(r->edited, i, &len);
	old = document_find(r->c->doc, key, len);
	*was_sealed = false;
	buf_clear(&r->value);
	if (document_value(r->edited, i, &r->value, err) != 0)
		return -1;
	if (old == DOCUMENT_NONE || !rewrite_may_refer(r->c->doc, old))
		return decide_plain(r, i, old, verdict, err);
	if ((opens = load_old(r, old, err)) == -1)
		return -1;
	if (r->parts.len == 0)
		return decide_plain(r, i, old, verdict, err);
	*was_sealed = true;
	*verdict = REWRITE_AS_EDITED;
	/* A reference, be it that it stayed one because it does not open. */
	if (is(&r->value, &r->raw) ||
	    reference_parse((const char *)r->value.data, r->value.len, &ref))
		return 0;
	jaas = opens == 1 && is(&r->value, &r->plain) ? 0 :
	    rewrite_jaas(r, i, true, opens == 1, err);
	if (jaas == -1)
		return -1;
	if (jaas == 0 && opens == 0 && rewrite_refers(&r->value))
		return 0;
	if (jaas == 1 || (opens == 1 &&
	    rewrite_value_locate(&r->plain, &r->value, &r->parts))) {
		if (is_mixed(r))
			return mixed(r, i, err);
		if (can_restore(r, i)) {
			*verdict = REWRITE_RESTORE;
			return 0;
		}
	}
	if (rewrite_refers(&r->value))
		return mixed(r, i, err);
	*verdict = REWRITE_SEAL;
	return 0;
}
