#ifndef SECRETS_TAG_H
#define SECRETS_TAG_H

#include <stdbool.h>
#include <stddef.h>

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

/* The tag of a sealed entry. */
int tagger_sum(struct tagger *t, const char *name, size_t nlen,
    const void *sealed, size_t n, unsigned char out[TAG_BYTES], struct error *err);

/* The same as text with a NUL. */
int tagger_text(struct tagger *t, const char *name, size_t nlen,
    const void *sealed, size_t n, char out[TAG_TEXT + 1], struct error *err);

enum tag_state {
	TAG_NONE,	/* the entry has no tag: sealed by another program */
	TAG_GOOD,
	TAG_STALE,	/* another program changed the value since */
	TAG_EXCHANGED	/* the value, or the tag, belongs to another entry */
};

/* The word for machines: none, good, stale, exchanged. */
const char *tag_state_name(enum tag_state s);

/* Is it the key of a tag? */
bool tag_names(const char *key, size_t len);

/* Is document entry ${i} a tag? */
bool tag_is_key(const struct document *d, size_t i);

/**
 * tag_find(d, name, len, near, out, err):
 * The document entry that holds the tag of ${name} to ${*out}, or
 * DOCUMENT_NONE.  ${near} is where the entry stands, behind which its tag
 * mostly does; DOCUMENT_NONE: it is not known.  ERROR_MEMORY.
 */
int tag_find(const struct document *d, const char *name, size_t len, size_t near, size_t *out,
    struct error *err);

/* The bytes of the tag that document entry ${i} holds.  False: it holds none. */
bool tag_read(const struct document *d, size_t i, unsigned char out[TAG_BYTES]);

#endif /* !SECRETS_TAG_H */
