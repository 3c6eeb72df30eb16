#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "merge/merge.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* One version of a secrets file under the data key of another (inside core/merge). */
struct reseal {
	const struct secrets_file *from;	/* unlocked */
	const struct secrets_file *to;		/* unlocked */
	const struct secrets_file *base;	/* what ${from} was made from */
	const struct document *base_made;	/* ${base} under ${to}'s key; NULL: there is none */
	size_t sealed;		/* out: values that ${to} has not, sealed anew */
	bool failed;		/* out: an entry did not open; it is as it was */
	struct error why;
};

/* Buffers that serve every entry. */
struct work {
	struct edits *edits;
	struct buf plain;	/* secret */
	struct buf other;	/* secret */
	struct buf text;	/* ENC[...] */
	struct buf tag;		/* empty: none */
};

/* What is known of the keys of three versions. */
struct keys {
	struct secrets_file *const *s;
	struct key *data[MERGE_SIDES];	/* NULL: not opened */
	size_t master[MERGE_SIDES];	/* which one opened it */
};

static void
work_init(struct work *w)
{
	w->edits = NULL;
	buf_init_secret(&w->plain, BUF_MAX_FILE);
	buf_init_secret(&w->other, BUF_MAX_FILE);
	buf_init(&w->text, BUF_MAX_FILE);
	buf_init(&w->tag, BUF_MAX_FILE);
}

static void
work_release(struct work *w)
{
	edits_free(w->edits);
	buf_release(&w->plain);
	buf_release(&w->other);
	buf_release(&w->text);
	buf_release(&w->tag);
}

/* The text and the tag that ${name} has in ${d}. */
static int
reseal_take(struct work *w, const struct document *d, size_t i, struct error *err)
{
	const char *name;
	size_t len, tag;

	name = document_key(d, i, &len);
	if (tag_find(d, name, len, i, &tag, err) != 0 || document_value(d, i, &w->text, err) != 0)
		return -1;
	return tag == DOCUMENT_NONE ? 0 : document_value(d, tag, &w->tag, err);
}

/* Does entry ${i} of ${s} open as the value in w->plain? */
static bool
reseal_holds(struct work *w, const struct secrets_file *s, size_t i)
{
	buf_clear(&w->other);
	return i != DOCUMENT_NONE && secrets_file_is_sealed(s, i) &&
	    secrets_file_open(s, i, &w->other, NULL) == 0 &&
	    secret_equal(w->other.data, w->other.len, w->plain.data, w->plain.len);
}

/* One that is not ${tagged} gets no tag: whoever took it away, without a key, may have put another
 * entry's value there, and what tells of it must stay so. */
static int
seal_anew(struct reseal *x, struct work *w, const char *name, size_t len, bool tagged,
    struct error *err)
{
	char tag[TAG_TEXT + 1];

	if (sealed_seal(secrets_file_cipher(x->to), SEALED_GCM, w->plain.data, w->plain.len,
	    &w->text, err) != 0)
		return -1;
	/* What is not seen to open must not take the old one's place. */
	buf_clear(&w->other);
	if (sealed_open(secrets_file_cipher(x->to), w->text.data, w->text.len, &w->other, err) != 0)
		return -1;
	if (!secret_equal(w->other.data, w->other.len, w->plain.data, w->plain.len))
		return error_set(err, ERROR_CRYPTO, "a value that was sealed opens as another");
	x->sealed++;
	if (!tagged)
		return 0;
	if (tagger_text(secrets_file_tagger(x->to), name, len, w->text.data, w->text.len, tag,
	    err) != 0)
		return -1;
	buf_append_str(&w->tag, tag);
	return buf_check(&w->tag, err);
}

/* What the entry is to be: into w->text and w->tag. */
static int
find_text(struct reseal *x, struct work *w, const char *name, size_t len, bool tagged,
    struct error *err)
{
	size_t there = secrets_file_find(x->to, name, len);
	size_t before = secrets_file_find(x->base, name, len), made;

	buf_clear(&w->text);
	buf_clear(&w->tag);
	if (reseal_holds(w, x->to, there))
		return reseal_take(w, secrets_file_document(x->to), there, err);
	if (x->base_made != NULL && reseal_holds(w, x->base, before) &&
	    (made = document_find(x->base_made, name, len)) != DOCUMENT_NONE)
		return reseal_take(w, x->base_made, made, err);
	return seal_anew(x, w, name, len, tagged, err);
}

static int
reseal_put_tag(struct work *w, const struct document *d, size_t i, const char *name, size_t len,
    struct error *err)
{
	struct buf key;
	size_t at;
	int rc;

	if (tag_find(d, name, len, i, &at, err) != 0)
		return -1;
	if (at != DOCUMENT_NONE)
		return w->tag.len == 0 ? edits_remove(w->edits, at, err) :
		    edits_set(w->edits, at, w->tag.data, w->tag.len, err);
	if (w->tag.len == 0)
		return 0;
	buf_init(&key, BUF_MAX_FILE);
	buf_append_str(&key, TAG_PREFIX);
	buf_append(&key, name, len);
	if ((rc = buf_check(&key, err)) == 0)
		rc = edits_insert(w->edits, i, (const char *)key.data, key.len, w->tag.data,
		    w->tag.len, err);
	buf_release(&key);
	return rc;
}

static int
reseal_entry(struct reseal *x, struct work *w, size_t i, struct error *err)
{
	const struct document *d = secrets_file_document(x->from);
	struct error why;
	const char *name;
	size_t len, tag, before = DOCUMENT_NONE;

	buf_clear(&w->plain);
	if (secrets_file_open(x->from, i, &w->plain, &why) != 0) {
		if (why.code != ERROR_DAMAGED && why.code != ERROR_REFUSED) {
			*err = why;
			return -1;
		}
		x->failed = true;
		x->why = why;
		return 0;
	}
	name = document_key(d, i, &len);
	if (tag_find(d, name, len, i, &tag, err) != 0 || (tag == DOCUMENT_NONE &&
	    tag_find(secrets_file_document(x->base), name, len, i, &before, err) != 0))
		return -1;
	if (find_text(x, w, name, len, tag != DOCUMENT_NONE || before == DOCUMENT_NONE,
	    err) != 0 ||
	    edits_set(w->edits, i, w->text.data, w->text.len, err) != 0)
		return -1;
	return reseal_put_tag(w, d, i, name, len, err);
}

/**
 * reseal_document(x, out, err):
 * A new document like x->from's, in which a value that x->to has under the
 * same name stands in the text that it has there, with its tag; one that
 * x->from has from x->base stands as in x->base_made; any other is sealed
 * anew, and tagged, unless it has lost the tag that it has in x->base.  The caller frees ${*out}.
 */
static int
reseal_document(struct reseal *x, struct document **out, struct error *err)
{
	const struct document *d = secrets_file_document(x->from);
	struct buf content;
	struct work w;
	int rc = 0;

	work_init(&w);
	buf_init_secret(&content, BUF_MAX_FILE);
	if ((w.edits = edits_new(d, false, err)) == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		if (secrets_file_is_sealed(x->from, i))
			rc = reseal_entry(x, &w, i, err);
	if (rc == 0 && (rc = edits_render(w.edits, &content, err)) == 0) {
		*out = document_parse(&content, DOCUMENT_ENTRIES,
		    secrets_file_path(x->from), err);
		rc = *out == NULL ? -1 : 0;
	}
	buf_release(&content);
	work_release(&w);
	return rc;
}

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
rekey_same_bytes(const struct secrets_file *a, const struct secrets_file *b)
{
	return buf_equal(document_bytes(secrets_file_document(a)),
	    document_bytes(secrets_file_document(b)));
}

/* One of the versions is the result as it stands. */
static bool
rekey_is_plain(struct secrets_file *const s[MERGE_SIDES])
{
	return rekey_same_bytes(s[MERGE_OURS], s[MERGE_THEIRS]) ||
	    rekey_same_bytes(s[MERGE_BASE], s[MERGE_OURS]) ||
	    rekey_same_bytes(s[MERGE_BASE], s[MERGE_THEIRS]);
}

bool
rekey_needs_master(struct secrets_file *const s[MERGE_SIDES])
{
	if (rekey_is_plain(s))
		return false;
	return !seem_same(s[MERGE_OURS], s[MERGE_THEIRS]) ||
	    !seem_same(s[MERGE_BASE], s[MERGE_OURS]) ||
	    !seem_same(s[MERGE_BASE], s[MERGE_THEIRS]);
}

static bool
rekey_same_key(const struct keys *k, enum merge_side a, enum merge_side b)
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
rekey_choose(const struct keys *k)
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

	if (side == to || rekey_same_key(k, side, to))
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
	enum merge_side to = rekey_choose(k);

	r->in.keys = to;
	if (to == MERGE_BASE) {
		if (!rekey_same_key(k, MERGE_OURS, MERGE_THEIRS))
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
	if (rekey_is_plain(s))
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
