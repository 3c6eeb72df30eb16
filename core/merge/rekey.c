#include "merge/rekey.h"

#include <string.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "merge/reseal.h"
#include "secrets/secrets_file.h"
#include "secrets/wrap.h"

/* What is known of the keys of three versions. */
struct keys {
	struct secrets_file *const *s;
	struct key *data[MERGE_SIDES];	/* NULL: not opened */
	size_t master[MERGE_SIDES];	/* which one opened it */
};

/* Does a sealed entry stand in both with the same ciphertext? */
static bool
share_entry(const struct secrets_file *a, const struct secrets_file *b)
{
	const struct document *d = secrets_file_document(a), *e = secrets_file_document(b);
	const unsigned char *p, *q;
	size_t i, j, n, m, len;
	const char *key;

	for (i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(a, i))
			continue;
		key = document_key(d, i, &len);
		if ((j = secrets_file_find(b, key, len)) == DOCUMENT_NONE)
			continue;
		p = document_raw_value(d, i, &n);
		q = document_raw_value(e, j, &m);
		if (n == m && memcmp(p, q, n) == 0)
			return true;
	}
	return false;
}

/* The same data key, as far as one can see without opening it? */
static bool
seem_same(const struct secrets_file *a, const struct secrets_file *b)
{
	const char *x = secrets_file_metadata(a)->data_key;
	const char *y = secrets_file_metadata(b)->data_key;

	if (secrets_file_sealed_count(a) == 0 || secrets_file_sealed_count(b) == 0)
		return true;
	return (x != NULL && y != NULL && strcmp(x, y) == 0) || share_entry(a, b);
}

static bool
same_bytes(const struct secrets_file *a, const struct secrets_file *b)
{
	const struct buf *x = document_bytes(secrets_file_document(a));
	const struct buf *y = document_bytes(secrets_file_document(b));

	return x->len == y->len && (x->len == 0 || memcmp(x->data, y->data, x->len) == 0);
}

/* One of the versions is the result as it stands. */
static bool
is_plain(struct secrets_file *const s[MERGE_SIDES])
{
	return same_bytes(s[MERGE_OURS], s[MERGE_THEIRS]) ||
	    same_bytes(s[MERGE_BASE], s[MERGE_OURS]) ||
	    same_bytes(s[MERGE_BASE], s[MERGE_THEIRS]);
}

bool
rekey_needs_master(struct secrets_file *const s[MERGE_SIDES])
{
	if (is_plain(s))
		return false;
	return !seem_same(s[MERGE_OURS], s[MERGE_THEIRS]) ||
	    !seem_same(s[MERGE_BASE], s[MERGE_OURS]) ||
	    !seem_same(s[MERGE_BASE], s[MERGE_THEIRS]);
}

static bool
same_key(const struct keys *k, enum merge_side a, enum merge_side b)
{
	if (k->data[a] != NULL && k->data[b] != NULL)
		return key_equal(k->data[a], k->data[b]);
	return seem_same(k->s[a], k->s[b]);
}

/* Open the data key of each version that one of the master keys fits. */
static void
open_keys(struct keys *k, const struct key *const masters[], size_t n)
{
	const char *wrapped;

	for (size_t side = 0; side < MERGE_SIDES; side++) {
		wrapped = secrets_file_metadata(k->s[side])->data_key;
		for (size_t i = 0; wrapped != NULL && k->data[side] == NULL && i < n; i++) {
			if (secrets_file_unlock(k->s[side], masters[i], NULL) != 0)
				continue;
			k->data[side] = wrap_open(masters[i], wrapped, strlen(wrapped), NULL);
			k->master[side] = i;
		}
	}
}

static bool
same_value(const struct document *a, const struct document *b, const char *key)
{
	size_t i = document_find(a, key, strlen(key)), j = document_find(b, key, strlen(key));
	struct buf value;
	bool same;

	if (i == DOCUMENT_NONE || j == DOCUMENT_NONE)
		return i == j;
	buf_init_secret(&value, BUF_MAX_FILE);
	same = document_value(a, i, &value, NULL) == 0 && document_value_is(b, j,
	    value.len > 0 ? (const char *)value.data : "", value.len);
	buf_release(&value);
	return same;
}

/* All that has to do with the keys, which belongs together. */
static bool
same_metadata(const struct keys *k, enum merge_side a, enum merge_side b)
{
	static const char *const names[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
		SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!same_value(secrets_file_document(k->s[a]), secrets_file_document(k->s[b]),
		    names[i]))
			return false;
	}
	return true;
}

/* Whose metadata the result has. */
static enum merge_side
choose(const struct keys *k)
{
	if (same_metadata(k, MERGE_OURS, MERGE_THEIRS) ||
	    same_metadata(k, MERGE_BASE, MERGE_THEIRS))
		return MERGE_OURS;
	if (same_metadata(k, MERGE_BASE, MERGE_OURS))
		return MERGE_THEIRS;
	/* Both made new keys.  Under one master key either data key will do. */
	if (k->data[MERGE_OURS] != NULL && k->data[MERGE_THEIRS] != NULL &&
	    k->master[MERGE_OURS] == k->master[MERGE_THEIRS])
		return MERGE_OURS;
	return MERGE_BASE;
}

static const char *
side_name(enum merge_side side)
{
	return side == MERGE_BASE ? "the common ancestor" : side == MERGE_OURS ? "our side" :
	    "their side";
}

static void
say_closed(struct rekey *r, const struct keys *k, enum merge_side side)
{
	if (r->incomplete)
		return;
	r->incomplete = true;
	error_set(&r->why, ERROR_KEY, "%s has another data key, and no master key at hand opens "
	    "it", side_name(side));
	error_place(&r->why, secrets_file_path(k->s[side]), 0);
}

static void
say_two_masters(struct rekey *r, const struct keys *k)
{
	if (r->incomplete)
		return;
	r->incomplete = true;
	error_set(&r->why, ERROR_KEY, "both sides made new keys, and no one master key opens both");
	error_place(&r->why, secrets_file_path(k->s[MERGE_OURS]), 0);
}

/* Bring one version under the data key of ${to}; lock it out when that fails. */
static int
bring(struct rekey *r, const struct keys *k, enum merge_side side, enum merge_side to,
    struct error *err)
{
	struct reseal x = {
		.from = k->s[side],
		.to = k->s[to],
		.base = k->s[MERGE_BASE],
		.base_made = side == MERGE_BASE ? NULL : r->in.doc[MERGE_BASE],
	};

	if (side == to || same_key(k, side, to))
		return 0;
	if (k->data[side] == NULL || k->data[to] == NULL) {
		r->in.locked[side] = true;
		say_closed(r, k, k->data[side] == NULL ? side : to);
		return 0;
	}
	if (reseal_document(&x, &r->made[side], err) != 0)
		return -1;
	r->in.doc[side] = r->made[side];
	if (side != MERGE_BASE)
		r->resealed += x.sealed;
	if (x.failed) {
		r->in.locked[side] = true;
		if (!r->incomplete)
			r->why = x.why;
		r->incomplete = true;
	}
	return 0;
}

static int
prepare(struct rekey *r, const struct keys *k, struct error *err)
{
	enum merge_side to = choose(k);

	r->in.keys = to;
	if (to == MERGE_BASE) {
		if (!same_key(k, MERGE_OURS, MERGE_THEIRS))
			r->in.locked[MERGE_OURS] = r->in.locked[MERGE_THEIRS] = true;
		say_two_masters(r, k);
		return 0;
	}
	if (bring(r, k, MERGE_BASE, to, err) != 0 || bring(r, k, MERGE_OURS, to, err) != 0)
		return -1;
	return bring(r, k, MERGE_THEIRS, to, err);
}

int
rekey_prepare(struct secrets_file *const s[MERGE_SIDES], const struct key *const masters[],
    size_t n, struct rekey *r, struct error *err)
{
	struct keys k = { .s = s };
	int rc;

	memset(r, 0, sizeof(*r));
	for (size_t side = 0; side < MERGE_SIDES; side++)
		r->in.doc[side] = secrets_file_document(s[side]);
	if (is_plain(s))
		return 0;
	open_keys(&k, masters, n);
	rc = prepare(r, &k, err);
	for (size_t side = 0; side < MERGE_SIDES; side++)
		key_free(k.data[side]);
	return rc;
}

void
rekey_release(struct rekey *r)
{
	for (size_t side = 0; side < MERGE_SIDES; side++)
		document_free(r->made[side]);
	memset(r, 0, sizeof(*r));
}
