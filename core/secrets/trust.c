#include "secrets/secrets_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/secmem.h"
#include "base/text.h"
#include "document/document.h"
#include "secrets/sealed.h"

/*
 * Whose value stands in an entry is told by trying: a sum for each name that it
 * may have.  So many are spent on a file, at most: some seven hundred entries
 * that do not fit are compared each with all of them, of more each with those
 * nearest to it.
 */
#define SUMS_MAX 1000000

/* A sealed entry, or a tag whose entry is gone. */
struct survey_item {
	size_t entry;			/* DOCUMENT_NONE: gone */
	size_t tag;			/* DOCUMENT_NONE: it has none */
	const char *name;
	size_t len;
	const unsigned char *text;	/* the sealed value */
	size_t n;
	unsigned char has[TAG_BYTES];	/* the tag that stands with it */
	unsigned char fits[TAG_BYTES];	/* the one that would fit it */
	size_t owner;			/* whose value or tag it has, DOCUMENT_NONE: its own */
};

/* All of them, while it is found out which do not fit and why. */
struct survey {
	struct survey_item *items;
	size_t count;
	struct buf decoded;	/* values that have escapes; has room for all, so never moved */
	struct map *by_text;	/* a sealed value: its item */
	struct map *by_tag;	/* a tag that fits an entry: its item */
	size_t *misfits;	/* items, in the order of the file */
	size_t misfit_count;
};

/* What is kept of it: an entry that does not fit its tag, or has none and another one's value. */
struct misfit {
	size_t entry;
	size_t owner;
};

struct trust {
	struct trust_file file;
	bool tags_known;
	bool has_tags;
	bool surveyed;
	struct misfit *misfits;		/* in the order of the file */
	size_t misfit_count;
	bool met_good;			/* an entry whose tag fits, and */
	bool met_untagged;		/* one without, were opened */
	bool legacy_known;
	bool legacy_opens;		/* every value in CBC does */
};

struct trust *
trust_new(const struct trust_file *file, struct error *err)
{
	struct trust *t = error_alloc(sizeof(*t), err);

	if (t != NULL)
		t->file = *file;
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	free(t->misfits);
	free(t);
}

static bool
survey_fits(const struct survey_item *x)
{
	return x->tag != DOCUMENT_NONE && secret_equal(x->has, TAG_BYTES, x->fits, TAG_BYTES);
}

/* The value of entry ${i}, where it stands or decoded. */
static int
survey_text(struct survey *v, const struct document *d, size_t i, const unsigned char **text,
    size_t *n, struct error *err)
{
	size_t start = v->decoded.len;

	*text = document_raw_value(d, i, n);
	if (*n == 0 || memchr(*text, '\\', *n) == NULL)
		return 0;
	if (document_value(d, i, &v->decoded, err) != 0 || buf_check(&v->decoded, err) != 0)
		return -1;
	*text = v->decoded.data + start;
	*n = v->decoded.len - start;
	return 0;
}

/* Take sealed entry ${i} up. */
static int
survey_entry(struct survey *v, const struct trust_file *f, size_t i, struct error *err)
{
	const struct document *d = f->doc;
	struct survey_item *x = &v->items[v->count];

	x->entry = i;
	x->owner = DOCUMENT_NONE;
	x->name = document_key(d, i, &x->len);
	if (tag_find(d, x->name, x->len, i, &x->tag, err) != 0 ||
	    survey_text(v, d, i, &x->text, &x->n, err) != 0)
		return -1;
	v->count++;
	if (x->tag == DOCUMENT_NONE)
		return 0;
	if (tagger_sum(f->tagger, x->name, x->len, x->text, x->n, x->fits, err) != 0)
		return -1;
	/* What is no tag is one that fits nothing. */
	if (!tag_read(d, x->tag, x->has))
		memset(x->has, 0, sizeof(x->has));
	if (!survey_fits(x))
		v->misfits[v->misfit_count++] = v->count - 1;
	return 0;
}

/* Take tag ${i} up, if its entry is gone: the value may stand elsewhere. */
static void
survey_left_tag(struct survey *v, const struct trust_file *f, size_t i)
{
	const struct document *d = f->doc;
	struct survey_item *x = &v->items[v->count];
	size_t entry;

	x->name = document_key(d, i, &x->len) + strlen(TAG_PREFIX);
	x->len -= strlen(TAG_PREFIX);
	entry = document_find(d, x->name, x->len);
	if (document_shadowed(d, i) || !tag_read(d, i, x->has) ||
	    (entry != DOCUMENT_NONE && metadata_is_sealed(d, entry)))
		return;
	x->entry = x->owner = DOCUMENT_NONE;
	x->tag = i;
	v->misfits[v->misfit_count++] = v->count++;
}

static int
survey_collect(struct survey *v, const struct trust_file *f, struct error *err)
{
	const struct document *d = f->doc;
	const unsigned char *raw;
	size_t escaped = 0, n;

	for (size_t i = 0; i < document_count(d); i++) {
		raw = document_raw_value(d, i, &n);
		escaped += n > 0 && memchr(raw, '\\', n) != NULL ? n : 0;
	}
	v->items = calloc(document_count(d) + 1, sizeof(*v->items));
	v->misfits = calloc(document_count(d) + 1, sizeof(*v->misfits));
	if (v->items == NULL || v->misfits == NULL || buf_reserve(&v->decoded, escaped) != 0)
		return error_memory(err);
	for (size_t i = 0; i < document_count(d); i++) {
		if (tag_is_key(d, i))
			survey_left_tag(v, f, i);
		else if (metadata_is_sealed(d, i) && survey_entry(v, f, i, err) != 0)
			return -1;
	}
	return 0;
}

/* Another entry has this very text or tag: one of the two has it from the other. */
static int
survey_index(struct survey *v, size_t k, bool fits, struct error *err)
{
	struct survey_item *x = &v->items[k], *other;
	size_t at;

	if (x->entry == DOCUMENT_NONE)
		return 0;
	if (map_get(v->by_text, x->text, x->n, &at)) {
		other = &v->items[at];
		if (!fits)
			x->owner = other->entry;
		if (other->owner == DOCUMENT_NONE && !survey_fits(other))
			other->owner = x->entry;
	} else if (map_put(v->by_text, x->text, x->n, k) != 0) {
		return error_memory(err);
	}
	return !map_get(v->by_tag, x->fits, TAG_BYTES, &at) &&
	    map_put(v->by_tag, x->fits, TAG_BYTES, k) != 0 ? error_memory(err) : 0;
}

/* Does the value of ${x} belong to ${y}: by the tag that ${y} has, or by the one that it
 * brought along? */
static int
survey_belongs(const struct trust_file *f, const struct survey_item *x,
    const struct survey_item *y, bool *belongs, struct error *err)
{
	unsigned char sum[TAG_BYTES];

	if (tagger_sum(f->tagger, y->name, y->len, x->text, x->n, sum, err) != 0)
		return -1;
	*belongs = secret_equal(sum, TAG_BYTES, y->has, TAG_BYTES) ||
	    secret_equal(sum, TAG_BYTES, x->has, TAG_BYTES);
	return 0;
}

/* Find the owner of misfit ${m} among those near to it. */
static int
survey_owner(struct survey *v, const struct trust_file *f, size_t m, struct error *err)
{
	size_t near = SUMS_MAX / 2 / v->misfit_count + 1, at;
	size_t from = m > near ? m - near : 0;
	size_t to = v->misfit_count - m > near ? m + near : v->misfit_count - 1;
	struct survey_item *x = &v->items[v->misfits[m]], *y;
	bool belongs = false;

	if (x->entry == DOCUMENT_NONE || x->owner != DOCUMENT_NONE)
		return 0;
	if (map_get(v->by_tag, x->has, TAG_BYTES, &at)) {
		x->owner = v->items[at].entry;
		return 0;
	}
	for (size_t k = from; k <= to; k++) {
		if (k == m)
			continue;
		y = &v->items[v->misfits[k]];
		if (survey_belongs(f, x, y, &belongs, err) != 0)
			return -1;
		if (belongs) {
			x->owner = y->entry != DOCUMENT_NONE ? y->entry : y->tag;
			return 0;
		}
	}
	return 0;
}

/* Entries without a tag: does another one's tag tell that the value is that one's? */
static void
survey_untagged(struct survey *v)
{
	struct survey_item *x;
	size_t at;

	for (size_t k = 0; k < v->count; k++) {
		x = &v->items[k];
		if (x->tag == DOCUMENT_NONE && map_get(v->by_text, x->text, x->n, &at))
			x->owner = v->items[at].entry;
	}
}

/* Keep of it what is no entry of its own: in the order of the file. */
static int
survey_keep(const struct survey *v, struct trust *t, struct error *err)
{
	const struct survey_item *x;

	t->misfits = calloc(v->count + 1, sizeof(*t->misfits));
	if (t->misfits == NULL)
		return error_memory(err);
	for (size_t k = 0; k < v->count; k++) {
		x = &v->items[k];
		if (x->entry != DOCUMENT_NONE && (x->owner != DOCUMENT_NONE ||
		    (x->tag != DOCUMENT_NONE && !survey_fits(x))))
			t->misfits[t->misfit_count++] = (struct misfit){ x->entry, x->owner };
	}
	return 0;
}

/* Look at all entries: which of those that do not fit their tags are stale? */
static int
trust_survey(struct trust *t, struct error *err)
{
	struct survey v = { .count = 0 };
	int rc = -1;

	/* What stands there may be no ciphertext, but a secret. */
	buf_init_secret(&v.decoded, SIZE_MAX);
	if (survey_collect(&v, &t->file, err) != 0)
		goto done;
	v.by_text = map_new();
	v.by_tag = map_new();
	if (v.by_text == NULL || v.by_tag == NULL) {
		error_memory(err);
		goto done;
	}
	/* Those that fit come first: they are the owners. */
	for (size_t k = 0; k < v.count; k++)
		if (survey_fits(&v.items[k]) && survey_index(&v, k, true, err) != 0)
			goto done;
	survey_untagged(&v);
	for (size_t m = 0; m < v.misfit_count; m++)
		if (survey_index(&v, v.misfits[m], false, err) != 0)
			goto done;
	for (size_t m = 0; m < v.misfit_count; m++)
		if (survey_owner(&v, &t->file, m, err) != 0)
			goto done;
	rc = survey_keep(&v, t, err);
	t->surveyed = rc == 0;
done:
	map_free(v.by_tag);
	map_free(v.by_text);
	buf_release(&v.decoded);
	free(v.misfits);
	free(v.items);
	return rc;
}

static int
misfit_compare(const void *key, const void *element)
{
	size_t entry = *(const size_t *)key;
	const struct misfit *m = element;

	return entry < m->entry ? -1 : entry > m->entry;
}

/* Does entry ${i}, which is ${text}, fit its tag? */
static int
trust_fits(struct trust *t, size_t i, const unsigned char *text, size_t n, enum tag_state *state,
    struct error *err)
{
	const struct document *d = t->file.doc;
	unsigned char has[TAG_BYTES], fits[TAG_BYTES];
	const char *name;
	size_t len, tag;

	name = document_key(d, i, &len);
	*state = TAG_NONE;
	if (tag_find(d, name, len, i, &tag, err) != 0)
		return -1;
	if (tag == DOCUMENT_NONE)
		return 0;
	if (tagger_sum(t->file.tagger, name, len, text, n, fits, err) != 0)
		return -1;
	*state = tag_read(d, tag, has) && secret_equal(has, TAG_BYTES, fits, TAG_BYTES) ?
	    TAG_GOOD : TAG_STALE;
	return 0;
}

/* Has any entry of the file a tag? */
static bool
trust_has_tags(struct trust *t)
{
	const struct document *d = t->file.doc;

	for (size_t i = 0; !t->tags_known && !t->has_tags && i < document_count(d); i++)
		t->has_tags = tag_is_key(d, i);
	t->tags_known = true;
	return t->has_tags;
}

/* The state of entry ${i}, which is ${text}. */
static int
trust_state(struct trust *t, size_t i, const unsigned char *text, size_t n,
    enum tag_state *state, size_t *owner, struct error *err)
{
	const struct misfit *m;

	*owner = DOCUMENT_NONE;
	if (trust_fits(t, i, text, n, state, err) != 0)
		return -1;
	if (*state == TAG_GOOD || (*state == TAG_NONE && !trust_has_tags(t)))
		return 0;
	if (!t->surveyed && trust_survey(t, err) != 0)
		return -1;
	m = bsearch(&i, t->misfits, t->misfit_count, sizeof(*m), misfit_compare);
	if (m != NULL && m->owner != DOCUMENT_NONE) {
		*state = TAG_EXCHANGED;
		*owner = m->owner;
	}
	return 0;
}

int
trust_tag(struct trust *t, size_t i, enum tag_state *state, size_t *owner, struct error *err)
{
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = document_value(t->file.doc, i, &text, err);
	if (rc == 0)
		rc = trust_state(t, i, text.data, text.len, state, owner, err);
	buf_release(&text);
	return rc;
}

static int
trust_exchanged(const struct trust_file *f, size_t owner, struct error *err)
{
	const struct document *d = f->doc;
	const char *name;
	struct buf shown;
	size_t len;

	name = document_key(d, owner, &len);
	if (tag_names(name, len)) {
		name += strlen(TAG_PREFIX);
		len -= strlen(TAG_PREFIX);
	}
	buf_init(&shown, BUF_MAX_FILE);
	text_append_visible(&shown, name, len);
	error_set(err, ERROR_DAMAGED, "the value was sealed for another entry, %s",
	    buf_cstr(&shown));
	buf_release(&shown);
	return -1;
}

static bool
trust_is_cbc(const unsigned char *text, size_t n)
{
	struct sealed parts;

	return sealed_parse(text, n, &parts, NULL) == 0 && parts.cipher == SEALED_CBC;
}

/* Open value ${i} if it is in CBC and has no tag that fits: ${*opens} stays true, or not. */
static int
trust_try_cbc(struct trust *t, size_t i, struct buf *text, struct buf *plain, bool *opens,
    struct error *err)
{
	enum tag_state state;
	struct error why;
	size_t owner;

	buf_clear(text);
	buf_clear(plain);
	if (document_value(t->file.doc, i, text, err) != 0)
		return -1;
	if (!trust_is_cbc(text->data, text->len))
		return 0;
	if (trust_state(t, i, text->data, text->len, &state, &owner, err) != 0)
		return -1;
	if (state == TAG_GOOD || state == TAG_EXCHANGED ||
	    sealed_open(t->file.cipher, text->data, text->len, plain, &why) == 0)
		return 0;
	if (why.code == ERROR_DAMAGED) {
		*opens = false;
		return 0;
	}
	if (err != NULL)
		*err = why;
	return -1;
}

/*
 * All of CBC or nothing, and always all of it: which one does not open, and
 * how many, is not to be seen, so that a run tells one bit and not thousands.
 */
static int
trust_legacy(struct trust *t, struct error *err)
{
	size_t count = document_count(t->file.doc);
	struct buf text, plain;
	bool opens = true;
	int rc = 0;

	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; !t->legacy_known && i < count && rc == 0; i++)
		if (metadata_is_sealed(t->file.doc, i))
			rc = trust_try_cbc(t, i, &text, &plain, &opens, err);
	buf_release(&plain);
	buf_release(&text);
	if (rc != 0)
		return -1;
	if (!t->legacy_known)
		t->legacy_opens = opens;
	t->legacy_known = true;
	if (t->legacy_opens)
		return 0;
	error_set(err, ERROR_KEY, "not all values in the old AES-CBC form open: one is damaged, "
	    "or the data key is another one");
	error_place(err, t->file.path, 0);
	return error_hint(err, "restore the secrets file from a backup");
}

int
trust_check(struct trust *t, struct secrets_policy policy, size_t i, const unsigned char *text,
    size_t n, enum tag_state *state, struct error *err)
{
	size_t owner;

	if (trust_state(t, i, text, n, state, &owner, err) != 0)
		return -1;
	if (*state == TAG_EXCHANGED)
		return trust_exchanged(&t->file, owner, err);
	t->met_good |= *state == TAG_GOOD;
	t->met_untagged |= *state == TAG_NONE;
	if (*state == TAG_GOOD)
		return 0;
	if (policy.tags_required) {
		error_set(err, ERROR_REFUSED, "tags are required, and %s", *state == TAG_NONE ?
		    "this entry has none" : "this entry does not fit its tag: another program "
		    "changed the value");
		return error_hint(err, "if that was meant, `propseal file rotate --data-key` tags "
		    "all entries anew");
	}
	if (policy.cbc == SECRETS_CBC_ALL || !trust_is_cbc(text, n))
		return 0;
	if (policy.cbc == SECRETS_CBC_LEGACY && t->file.legacy)
		return trust_legacy(t, err);
	error_set(err, ERROR_REFUSED, "the value is in the old AES-CBC form, which notices no "
	    "change, and has no tag that fits: it is not opened");
	return error_hint(err, "`propseal file rotate --data-key` seals all values anew; if nobody "
	    "else can write the file, --legacy-cbc opens them as they are");
}

int
trust_doubts(struct trust *t, struct secrets_doubts *out, struct error *err)
{
	const struct document *d = t->file.doc;
	const char *name;
	size_t len, tag;

	*out = (struct secrets_doubts){ .cbc = t->legacy_known && t->legacy_opens };
	for (size_t m = 0; m < t->misfit_count; m++)
		out->stale += t->misfits[m].owner == DOCUMENT_NONE;
	if (!t->met_untagged || (!t->met_good && out->stale == 0))
		return 0;
	for (size_t i = 0; i < document_count(d); i++) {
		if (tag_is_key(d, i) || !metadata_is_sealed(t->file.doc, i))
			continue;
		name = document_key(d, i, &len);
		if (tag_find(d, name, len, i, &tag, err) != 0)
			return -1;
		out->untagged += tag == DOCUMENT_NONE;
	}
	return 0;
}
