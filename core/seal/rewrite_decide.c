#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/rewrite_internal.h"
#include "seal/seal.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/* How far the text before a part is looked at: a JAAS option's name, say. */
#define ANCHOR_MAX 64

/*
 * A shorter value of a key that is still there is too common a word to say
 * that another key has it from there.
 */
#define COPY_MIN 8

/* One value at hand. */
struct edited_jaas {
	struct rewriting *r;
	const char *key;
	size_t len;
	struct target t;	/* the edited value */
	struct jaas *old;	/* the old one, resolved; NULL: there was none */
	struct vec parts;	/* what r->parts will be */
	bool *taken;		/* options that are parts */
};

static struct rewrite_part *
part_at(const struct vec *parts, size_t k)
{
	return vec_at(parts, k);
}

/* Open one reference.  1: done, 0: it does not open. */
static int
open_part(const struct secrets_file *s, struct rewrite_part *part, struct buf *plain,
    struct error *err)
{
	struct error why;

	part->plain_start = plain->len;
	if (part->entry == DOCUMENT_NONE)
		return 0;
	if (secrets_file_open(s, part->entry, plain, &why) == 0) {
		part->plain_end = plain->len;
		return 1;
	}
	/* Locked: there is no data key, and so nothing that it could open. */
	if (why.code == ERROR_DAMAGED || why.code == ERROR_KEY)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

/**
 * load_value(s, d, i, raw, plain, parts, err):
 * Put the value of entry ${i} into ${raw}, what it resolves to into ${plain}
 * (both secret, emptied first) and its references of ours into ${parts} (of
 * struct rewrite_part, emptied first).  1: it resolves, 0: it does not
 * (dangling, damaged), and ${plain} is empty.  -1: ERROR_MEMORY and the like.
 */
static int
load_value(const struct secrets_file *s, const struct document *d, size_t i, struct buf *raw,
    struct buf *plain, struct vec *parts, struct error *err)
{
	struct rewrite_part part, *slot;
	size_t done = 0;
	int rc = 1, opened;

	buf_clear(raw);
	buf_clear(plain);
	/* The memory stays for the next value. */
	parts->len = 0;
	if (document_value(d, i, raw, err) != 0)
		return -1;
	memset(&part, 0, sizeof(part));
	while (resolve_next((const char *)raw->data, raw->len, part.ref_end, &part.ref,
	    &part.ref_start, &part.ref_end)) {
		if (!reference_is_ours(&part.ref))
			continue;
		part.entry = resolve_entry(s, &part.ref);
		buf_append(plain, raw->data + done, part.ref_start - done);
		done = part.ref_end;
		if ((opened = open_part(s, &part, plain, err)) == -1)
			return -1;
		if (opened == 0)
			rc = 0;
		if ((slot = vec_push(parts)) == NULL)
			return error_memory(err);
		*slot = part;
	}
	if (raw->len > done)
		buf_append(plain, raw->data + done, raw->len - done);
	if (buf_check(plain, err) != 0)
		return -1;
	if (rc == 0)
		buf_clear(plain);
	return rc;
}

static bool
equal(const struct buf *a, size_t start, size_t end, const struct buf *b, size_t from, size_t to)
{
	return end - start == to - from &&
	    (end == start || memcmp(a->data + start, b->data + from, end - start) == 0);
}

/*
 * Does more stand in a changed part than a new value, such as another option?
 * ${stop} is the byte behind it.
 */
static bool
is_more(const struct buf *edited, size_t start, size_t end, unsigned char stop)
{
	const unsigned char *p = edited->data;
	unsigned char quote = start < end ? p[start] : 0;

	if (quote != '"' && quote != '\'') {
		for (; start < end && p[start] != stop && p[start] != ' ' && p[start] != '\t' &&
		    p[start] != '\n'; start++)
			start += p[start] == '\\';
		return start < end;
	}
	for (start++; start < end && p[start] != quote; start++)
		start += p[start] == '\\';
	return start + 1 != end;
}

/* The text around the parts is as it was: what stands between is what they became. */
static bool
locate_between(const struct buf *plain, const struct buf *edited, const struct vec *parts)
{
	size_t n = parts->len, first, last, at, text, len;
	const unsigned char *found;

	first = part_at(parts, 0)->plain_start;
	last = plain->len - part_at(parts, n - 1)->plain_end;
	if (edited->len < first + last || !equal(plain, 0, first, edited, 0, first) ||
	    !equal(plain, plain->len - last, plain->len, edited, edited->len - last, edited->len))
		return false;
	at = first;
	for (size_t k = 0; k < n; k++) {
		struct rewrite_part *part = part_at(parts, k);

		part->start = at;
		part->end = edited->len - last;
		if (k + 1 < n) {
			text = part->plain_end;
			len = part_at(parts, k + 1)->plain_start - text;
			found = len == 0 ? edited->data + at : memmem(edited->data + at,
			    edited->len - last - at, plain->data + text, len);
			if (found == NULL)
				return false;
			part->end = (size_t)(found - edited->data);
			at = part->end + len;
		}
		part->changed = !equal(plain, part->plain_start, part->plain_end, edited,
		    part->start, part->end);
		/* More was added than a new value, an option say. */
		if (part->changed && part->plain_end < plain->len &&
		    is_more(edited, part->start, part->end, plain->data[part->plain_end]))
			return false;
	}
	return true;
}

/* Where the text begins that is looked at before a part: behind a blank. */
static size_t
anchor(const struct buf *plain, size_t from, size_t start)
{
	size_t at = start;

	while (at > from && start - at < ANCHOR_MAX && plain->data[at - 1] != ' ' &&
	    plain->data[at - 1] != '\t' && plain->data[at - 1] != '\n')
		at--;
	return at;
}

/*
 * The parts are as they were, in their order, each between the text next to
 * it; the rest may have changed.
 */
static bool
locate_parts(const struct buf *plain, const struct buf *edited, const struct vec *parts)
{
	size_t n = parts->len, at = 0, before, from = 0, len;
	const unsigned char *found;

	for (size_t k = 0; k < n; k++) {
		struct rewrite_part *part = part_at(parts, k);

		before = anchor(plain, from, part->plain_start);
		len = part->plain_end - before;
		if (part->plain_end < plain->len)
			len++;
		if (before == part->plain_start || at > edited->len)
			return false;
		found = memmem(edited->data + at, edited->len - at, plain->data + before, len);
		if (found == NULL)
			return false;
		part->start = (size_t)(found - edited->data) + part->plain_start - before;
		part->end = part->start + part->plain_end - part->plain_start;
		/* Without a byte behind it, it must end the value. */
		if (part->plain_end == plain->len && part->end != edited->len)
			return false;
		part->changed = false;
		at = part->end;
		from = part->plain_end;
	}
	return true;
}

/*
 * What became of the options of a JAAS value is told by their names, however
 * the text around them changed.
 */

const char *
rewrite_reference(const struct rewriting *r, const struct rewrite_part *part, size_t *len)
{
	const struct buf *from = part->fresh ? &r->fresh : &r->raw;

	*len = part->ref_end - part->ref_start;
	return (const char *)from->data + part->ref_start;
}

/* The path <LoginModule>/<option> in the name of a part's entry; 0: none. */
static size_t
path_in_name(const struct edited_jaas *x, const struct rewrite_part *part, const char **path)
{
	const struct reference *ref = &part->ref;
	size_t at = rewrite_own(x->r, x->key, x->len, ref->name, ref->name_len);

	if (at == 0 || at == ref->name_len)
		return 0;
	*path = ref->name + at + 1;
	return ref->name_len - at - 1;
}

/* Does the option hold a reference and nothing else, quoted or not? */
static bool
option_is_reference(const struct edited_jaas *x, const struct jaas_option *o)
{
	struct reference ref;

	return o->inner_to > o->inner_from && reference_parse(
	    (const char *)x->t.value.data + o->inner_from, o->inner_to - o->inner_from, &ref);
}

/* Did the reference stand between quotes that are none of the secret? */
static bool
was_in_quotes(const struct rewriting *r, const struct rewrite_part *part)
{
	return !part->fresh && part->ref_start > 0 && part->ref_end < r->raw.len &&
	    r->raw.data[part->ref_start - 1] == '"' && r->raw.data[part->ref_end] == '"';
}

static bool
is_as_it_was(const struct edited_jaas *x, const struct rewrite_part *part)
{
	size_t n = part->end - part->start;

	return part->plain_end - part->plain_start == n && (n == 0 ||
	    memcmp(x->t.value.data + part->start, x->r->plain.data + part->plain_start, n) == 0);
}

/* The part stands in option ${i} now, and in those that it hides. */
static int
add_part(struct edited_jaas *x, size_t i, struct rewrite_part part, bool opens, struct error *err)
{
	const struct rewriting *r = x->r;
	struct rewrite_part *slot;
	struct jaas_option o;
	bool hidden = false;

	for (; i != JAAS_NONE; i = o.previous, hidden = true) {
		o = jaas_option(x->t.jaas, i);
		/* Somebody wrote a reference: it stays what it is. */
		if (option_is_reference(x, &o))
			continue;
		part.tight = o.tight;
		part.start = o.from;
		part.end = o.to;
		if (was_in_quotes(r, &part) && o.quoted) {
			part.tight = false;
			part.start = o.inner_from;
			part.end = o.inner_to;
		}
		part.changed = !hidden && (!opens || part.fresh || !is_as_it_was(x, &part));
		if ((slot = vec_push(&x->parts)) == NULL)
			return error_memory(err);
		*slot = part;
		x->taken[i] = true;
	}
	return 0;
}

/* Does every part say by its name which option it is? */
static bool
has_names(const struct edited_jaas *x)
{
	const char *path;

	for (size_t k = 0; k < x->r->parts.len; k++)
		if (path_in_name(x, vec_at(&x->r->parts, k), &path) == 0)
			return false;
	return true;
}

/* Where are the options whose values were sealed?  Some may be gone. */
static int
find_old(struct edited_jaas *x, bool opens, struct error *err)
{
	const struct rewrite_part *part;
	struct map *seen = map_new();
	const char *path = NULL;
	size_t n, ignored;
	int rc = seen == NULL ? error_memory(err) : 0;

	for (size_t k = 0; k < x->r->parts.len && rc == 0; k++) {
		part = vec_at(&x->r->parts, k);
		n = path_in_name(x, part, &path);
		if (map_get(seen, part->ref.name, part->ref.name_len, &ignored))
			continue;
		if (map_put(seen, part->ref.name, part->ref.name_len, k) != 0)
			rc = error_memory(err);
		else
			rc = add_part(x, jaas_find(x->t.jaas, path, n), *part, opens, err);
	}
	map_free(seen);
	return rc;
}

/* Is it what was sealed until now, under another name? */
static bool
was_sealed_here(const struct edited_jaas *x, const struct jaas_option *o)
{
	const struct rewriting *r = x->r;
	const struct rewrite_part *part;
	size_t n = o->to - o->from;

	for (size_t k = 0; r->plain.len > 0 && k < r->parts.len; k++) {
		part = vec_at(&r->parts, k);
		if (n > 0 && part->plain_end - part->plain_start == n &&
		    memcmp(r->plain.data + part->plain_start, x->t.value.data + o->from, n) == 0)
			return true;
	}
	return false;
}

/* Make the reference of option ${i} in r->fresh, and a part of it. */
static int
add_fresh(struct edited_jaas *x, size_t i, const struct buf *address, struct error *err)
{
	struct rewriting *r = x->r;
	struct rewrite_part part = { .fresh = true, .ref_start = r->fresh.len };

	if (rewrite_own_name(r, (const char *)address->data, address->len, err) != 0 ||
	    reference_append(&r->fresh, r->o->remote, (const char *)r->name.data, r->name.len,
	    err) != 0)
		return -1;
	r->referred = true;
	part.ref_end = r->fresh.len;
	part.entry = secrets_file_find(r->s, (const char *)r->name.data, r->name.len);
	return add_part(x, i, part, true, err);
}

/* Options that are secrets and were not there before. */
static int
find_fresh(struct edited_jaas *x, bool was_sealed, struct error *err)
{
	struct jaas_option o;
	struct buf address;
	int rc = 0;

	buf_init(&address, BUF_MAX_FILE);
	for (size_t i = 0; i < jaas_count(x->t.jaas) && rc == 0; i++) {
		o = jaas_option(x->t.jaas, i);
		if (o.shadowed || option_is_reference(x, &o) || x->taken[i] ||
		    (!rules_option(x->r->o->rules, x->t.jaas, i, x->key, x->len) &&
		    !(was_sealed && was_sealed_here(x, &o))))
			continue;
		buf_clear(&address);
		jaas_address_append(x->t.jaas, i, x->key, x->len, &address);
		if ((rc = buf_check(&address, err)) != 0)
			break;
		/* What stood there in clear text stays so. */
		if (x->old != NULL && jaas_find(x->old, (const char *)address.data + x->len + 1,
		    address.len - x->len - 1) != JAAS_NONE)
			continue;
		rc = add_fresh(x, i, &address, err);
	}
	buf_release(&address);
	return rc;
}

static int
by_start(const void *a, const void *b)
{
	const struct rewrite_part *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Take over what was found. */
static void
take_parts(struct edited_jaas *x)
{
	struct vec old = x->r->parts;

	if (x->parts.len > 0)
		qsort(x->parts.items, x->parts.len, sizeof(struct rewrite_part), by_start);
	x->r->parts = x->parts;
	x->parts = old;
}

/**
 * rewrite_jaas(r, i, was_sealed, opens, err):
 * Find the parts of an edited JAAS value by the names of its options, and add
 * those that are secrets and new.  1: done, what is to be sealed is in
 * r->parts.  0: there is nothing to be had this way.
 */
static int
rewrite_jaas(struct rewriting *r, size_t i, bool was_sealed, bool opens, struct error *err)
{
	struct edited_jaas x = { .r = r };
	const struct buf *was;
	int rc;

	x.key = document_key(r->edited, i, &x.len);
	if (!jaas_key(x.key, x.len) || (was_sealed && !has_names(&x)))
		return 0;
	target_init(&x.t);
	vec_init(&x.parts, sizeof(struct rewrite_part), r->parts.max);
	buf_clear(&r->fresh);
	rc = target_jaas(r->edited, i, &x.t, err);
	if (rc == 1 && (x.taken = calloc(jaas_count(x.t.jaas) + 1, sizeof(bool))) == NULL)
		rc = error_memory(err);
	if (rc == 1 && was_sealed) {
		was = opens ? &r->plain : &r->raw;
		x.old = jaas_parse(was->data, was->len, NULL);
		rc = find_old(&x, opens, err) == 0 ? 1 : -1;
	}
	if (rc == 1 && find_fresh(&x, was_sealed, err) != 0)
		rc = -1;
	/* A value that is new and has no secrets is like any other. */
	if (rc == 1 && !was_sealed && x.parts.len == 0)
		rc = 0;
	if (rc == 1)
		take_parts(&x);
	jaas_free(x.old);
	free(x.taken);
	vec_release(&x.parts);
	target_release(&x.t);
	return rc;
}

/* Load an entry of the configuration.  As load_value; parts tell if it refers. */
static int
load_old(struct rewriting *r, size_t j, struct error *err)
{
	return load_value(r->s, r->c->doc, j, &r->raw, &r->plain, &r->parts, err);
}

/* Keys may have escapes that the names of sealed entries leave out. */
static size_t
skip_escapes(const struct rewriting *r, const char *p, size_t n, size_t at)
{
	const char escape = document_format(r->c->doc)->escape;

	while (escape != '\0' && at < n && p[at] == escape)
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
		k = skip_escapes(r, key, len, k);
		at = skip_escapes(r, name, name_len, at);
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
		if (!reference_may_be_in(d, j) || document_shadowed(d, j))
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

/* It may be meant for a reference, and not to be sealed as text. */
static int
rewrite_unclosed(const struct rewriting *r, size_t i, struct error *err)
{
	error_set(err, ERROR_REFUSED, "a reference is not closed: Kafka takes it as text");
	rewrite_fail_at(r, i, err);
	return error_hint(err, "close it with `}`; if it is text, leave it out here, and give "
	    "it to `propseal file add`");
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
	    resolve_finds_ours(r->value.data, r->value.len) || (old != DOCUMENT_NONE &&
	    document_value_is(r->c->doc, old, (const char *)r->value.data, r->value.len)))
		return 0;
	key = document_key(r->edited, i, &key_len);
	taken = rules_by_default(r->o->rules, key, key_len) &&
	    inspect_why_left(r->edited, i, r->value.data, r->value.len) == NULL;
	if (old == DOCUMENT_NONE && (rc = rewrite_jaas(r, i, false, true, err)) != 0) {
		*verdict = REWRITE_RESTORE;
		return rc == 1 ? 0 : -1;
	}
	if (taken && old == DOCUMENT_NONE) {
		*verdict = REWRITE_SEAL;
		return inspect_is_unclosed_reference(r->value.data, r->value.len) ?
		    rewrite_unclosed(r, i, err) : 0;
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
part_is_own(const struct rewriting *r, size_t i, const struct rewrite_part *part)
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
		    (r->flags[part->entry] & REWRITE_CHANGED) != 0 && !part_is_own(r, i, part))
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

	for (size_t k = 0; k < r->parts.len; k++) {
		part = vec_at(&r->parts, k);
		now = (const char *)r->value.data + part->start;
		if (!part->changed || reference_parse(now, part->end - part->start, &ref))
			continue;
		if (resolve_finds_ours(now, part->end - part->start))
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
	if (old == DOCUMENT_NONE || !reference_may_be_in(r->c->doc, old))
		return decide_plain(r, i, old, verdict, err);
	if ((opens = load_old(r, old, err)) == -1)
		return -1;
	if (r->parts.len == 0)
		return decide_plain(r, i, old, verdict, err);
	*was_sealed = true;
	*verdict = REWRITE_AS_EDITED;
	/* A reference, be it that it stayed one because it does not open. */
	if (buf_equal(&r->value, &r->raw) ||
	    reference_parse((const char *)r->value.data, r->value.len, &ref))
		return 0;
	jaas = opens == 1 && buf_equal(&r->value, &r->plain) ? 0 :
	    rewrite_jaas(r, i, true, opens == 1, err);
	if (jaas == -1)
		return -1;
	if (jaas == 0 && opens == 0 && resolve_finds_ours(r->value.data, r->value.len))
		return 0;
	/* All parts are as they were, or the text around them is. */
	if (jaas == 1 || (opens == 1 && (locate_parts(&r->plain, &r->value, &r->parts) ||
	    locate_between(&r->plain, &r->value, &r->parts)))) {
		if (is_mixed(r))
			return mixed(r, i, err);
		if (can_restore(r, i)) {
			*verdict = REWRITE_RESTORE;
			return 0;
		}
	}
	if (resolve_finds_ours(r->value.data, r->value.len))
		return mixed(r, i, err);
	*verdict = REWRITE_SEAL;
	return 0;
}
