#include "merge/reseal.h"

#include <string.h>

#include "base/buf.h"
#include "base/equal.h"
#include "document/document.h"
#include "document/edits.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

/* Buffers that serve every entry. */
struct work {
	struct edits *edits;
	struct buf plain;	/* secret */
	struct buf other;	/* secret */
	struct buf text;	/* ENC[...] */
	struct buf tag;		/* empty: none */
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
take(struct work *w, const struct document *d, size_t i, struct error *err)
{
	const char *name;
	size_t len, tag;

	name = document_key(d, i, &len);
	tag = tag_find(d, name, len);
	if (document_value(d, i, &w->text, err) != 0)
		return -1;
	return tag == DOCUMENT_NONE ? 0 : document_value(d, tag, &w->tag, err);
}

/* Does entry ${i} of ${s} open as the value in w->plain? */
static bool
holds(struct work *w, const struct secrets_file *s, size_t i)
{
	buf_clear(&w->other);
	return i != DOCUMENT_NONE && secrets_file_is_sealed(s, i) &&
	    secrets_file_open(s, i, &w->other, NULL) == 0 &&
	    secret_equal(w->other.data, w->other.len, w->plain.data, w->plain.len);
}

static int
seal_anew(struct reseal *x, struct work *w, const char *name, size_t len, struct error *err)
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
	if (tagger_text(secrets_file_tagger(x->to), name, len, w->text.data, w->text.len, tag,
	    err) != 0)
		return -1;
	buf_append_str(&w->tag, tag);
	x->sealed++;
	return buf_check(&w->tag, err);
}

/* What the entry is to be: into w->text and w->tag. */
static int
find_text(struct reseal *x, struct work *w, const char *name, size_t len, struct error *err)
{
	size_t there = secrets_file_find(x->to, name, len);
	size_t before = secrets_file_find(x->base, name, len), made;

	buf_clear(&w->text);
	buf_clear(&w->tag);
	if (holds(w, x->to, there))
		return take(w, secrets_file_document(x->to), there, err);
	if (x->base_made != NULL && holds(w, x->base, before) &&
	    (made = document_find(x->base_made, name, len)) != DOCUMENT_NONE)
		return take(w, x->base_made, made, err);
	return seal_anew(x, w, name, len, err);
}

static int
put_tag(struct work *w, const struct document *d, size_t i, const char *name, size_t len,
    struct error *err)
{
	size_t at = tag_find(d, name, len);
	struct buf key;
	int rc;

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
	size_t len;

	buf_clear(&w->plain);
	if (secrets_file_open(x->from, i, &w->plain, &why) != 0) {
		if (why.code != ERROR_DAMAGED) {
			*err = why;
			return -1;
		}
		x->failed = true;
		x->why = why;
		return 0;
	}
	name = document_key(d, i, &len);
	if (find_text(x, w, name, len, err) != 0 ||
	    edits_set(w->edits, i, w->text.data, w->text.len, err) != 0)
		return -1;
	return put_tag(w, d, i, name, len, err);
}

int
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
		*out = document_parse(&content, DOCUMENT_PROPERTIES,
		    secrets_file_path(x->from), err);
		rc = *out == NULL ? -1 : 0;
	}
	buf_release(&content);
	work_release(&w);
	return rc;
}
