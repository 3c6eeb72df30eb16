#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "seal/rewrite_state.h"
#include "seal/rewrite_value.h"
#include "seal/seal.h"
#include "plan/target.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/*
 * What became of the options of a JAAS value is told by their names, however
 * the text around them changed.
 */

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

const char *
rewrite_reference(const struct rewriting *r, const struct rewrite_part *part, size_t *len)
{
	const struct buf *from = part->fresh ? &r->fresh : &r->raw;

	*len = part->ref_end - part->ref_start;
	return (const char *)from->data + part->ref_start;
}

/* The path <LoginModule>/<option> in the name of a part's entry; 0: none. */
static size_t
path_of(const struct edited_jaas *x, const struct rewrite_part *part, const char **path)
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
is_reference(const struct edited_jaas *x, const struct jaas_option *o)
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
add(struct edited_jaas *x, size_t i, struct rewrite_part part, bool opens, struct error *err)
{
	const struct rewriting *r = x->r;
	struct rewrite_part *slot;
	struct jaas_option o;
	bool hidden = false;

	for (; i != JAAS_NONE; i = o.previous, hidden = true) {
		o = jaas_option(x->t.jaas, i);
		/* Somebody wrote a reference: it stays what it is. */
		if (is_reference(x, &o))
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
		if (path_of(x, vec_at(&x->r->parts, k), &path) == 0)
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
		n = path_of(x, part, &path);
		if (map_get(seen, part->ref.name, part->ref.name_len, &ignored))
			continue;
		if (map_put(seen, part->ref.name, part->ref.name_len, k) != 0)
			rc = error_memory(err);
		else
			rc = add(x, jaas_find(x->t.jaas, path, n), *part, opens, err);
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
	part.ref_end = r->fresh.len;
	part.entry = secrets_file_find(r->s, (const char *)r->name.data, r->name.len);
	return add(x, i, part, true, err);
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
		if (o.shadowed || is_reference(x, &o) || x->taken[i] ||
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
take(struct edited_jaas *x)
{
	struct vec old = x->r->parts;

	if (x->parts.len > 0)
		qsort(x->parts.items, x->parts.len, sizeof(struct rewrite_part), by_start);
	x->r->parts = x->parts;
	x->parts = old;
}

int
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
		take(&x);
	jaas_free(x.old);
	free(x.taken);
	vec_release(&x.parts);
	target_release(&x.t);
	return rc;
}
