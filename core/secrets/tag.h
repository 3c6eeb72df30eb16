#ifndef SECRETS_TAG_H
#define SECRETS_TAG_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct error;
struct key;

/*
 * The format of sealed values does not say which entry a value was sealed
 * for, so two swapped values open.  propseal keeps a tag beside each entry:
 *     _propseal.tag/<entry name> = <base64 of 16 bytes>
 * the head of HMAC-SHA-256 over the name and the ENC[...] text, keyed from
 * the data key.  It is an entry that no other program looks at; it does not
 * depend on where lines stand, so a merge keeps it.
 */
#define TAG_PREFIX "_propseal.tag/"
#define TAG_BYTES 16
#define TAG_TEXT 24		/* characters of the base64 form */

/* The tag key of one data key. */
struct tagger;

struct tagger *tagger_new(const struct key *data_key, struct error *err);
void tagger_free(struct tagger *t);

/* The tag of a sealed entry as text with a NUL. */
int tagger_text(struct tagger *t, const char *name, size_t nlen,
    const void *sealed, size_t n, char out[TAG_TEXT + 1], struct error *err);

/* How often tag_check gave TAG_CHANGED so far. */
size_t tagger_changed(const struct tagger *t);

enum tag_state {
	TAG_NONE,	/* the entry has no tag: sealed by another program */
	TAG_GOOD,
	TAG_CHANGED,	/* another program changed the value since */
	TAG_MOVED,	/* the value was sealed for another entry */
	TAG_UNCLEAR	/* too many tags do not fit to tell the two apart */
};

/* The word for machines: none, good, changed, moved, unclear. */
const char *tag_state_name(enum tag_state s);

/* Is it the key of a tag? */
bool tag_names(const char *key, size_t len);

/* Is document entry ${i} a tag? */
bool tag_is_key(const struct document *d, size_t i);

/* The document entry that holds the tag of ${name}, or DOCUMENT_NONE. */
size_t tag_find(const struct document *d, const char *name, size_t len);

/**
 * tag_check(t, d, i, owner):
 * Compare sealed entry ${i} of secrets file ${d} with its tag.  For
 * TAG_MOVED the name that the value was sealed for is appended to ${owner}
 * (may be NULL).
 */
enum tag_state tag_check(struct tagger *t, const struct document *d, size_t i,
    struct buf *owner);

#endif /* !SECRETS_TAG_H */
