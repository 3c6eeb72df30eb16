#ifndef SECRETS_SEALED_H
#define SECRETS_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct cipher;
struct document;
struct error;
struct key;

/*
 * The text form of a sealed value in a secrets file:
 *     ENC[AES/GCM/NoPadding,data:<base64>,iv:<base64>,type:str]
 * (confluent secret's format; AES/CBC/PKCS5Padding in files of old releases).
 */
enum sealed_cipher { SEALED_GCM, SEALED_CBC };

struct sealed {
	enum sealed_cipher cipher;
	const char *data;	/* base64, inside the parsed text */
	size_t data_len;
	const char *iv;
	size_t iv_len;
};

/* Does the value claim to be a sealed one (starts with "ENC[")? */
bool sealed_claims(const void *text, size_t n);

/* Take the text apart.  ERROR_DAMAGED: not of the form, unknown cipher. */
int sealed_parse(const void *text, size_t n, struct sealed *out,
    struct error *err);

/* Seal ${n} bytes and append the text form to ${out}. */
int sealed_seal(struct cipher *c, enum sealed_cipher kind, const void *plain,
    size_t n, struct buf *out, struct error *err);

/* Open the text form; append the plaintext to ${out} (secret).
 * ERROR_DAMAGED for anything that does not open. */
int sealed_open(struct cipher *c, const void *text, size_t n, struct buf *out,
    struct error *err);

/*
 * The data key under the master key: a sealed value whose plaintext is the
 * base64 *text* of the data key (confluent secret's format).
 */

/* Append ENC[...] holding ${data_key} to ${out}. */
int wrap_seal(const struct key *master, const struct key *data_key,
    struct buf *out, struct error *err);

/* The data key inside ENC[...] text.  NULL: ERROR_KEY, whatever is wrong with the
 * text or the key; ERROR_MEMORY, ERROR_CRYPTO. */
struct key *wrap_open(const struct key *master, const char *text, size_t n,
    struct error *err);

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
	TAG_EXCHANGED	/* the value, or the tag, belongs to another entry; with or without a tag */
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

/* What the entries of a secrets file's document are: metadata, sealed, or neither. */

#define SECRETS_ENVVAR_DEFAULT "CONFLUENT_SECURITY_MASTER_KEY"

/* Metadata keys, in the order in which the reference writes them. */
#define SECRETS_MASTER_SALT "_metadata.master_key.0.salt"
#define SECRETS_CREATED_AT "_metadata.symmetric_key.0.created_at"
#define SECRETS_ENVVAR "_metadata.symmetric_key.0.envvar"
#define SECRETS_LENGTH "_metadata.symmetric_key.0.length"
#define SECRETS_ITERATIONS "_metadata.symmetric_key.0.iterations"
#define SECRETS_SALT "_metadata.symmetric_key.0.salt"
#define SECRETS_DATA_KEY "_metadata.symmetric_key.0.enc"

/*
 * Where the file lies on the hosts that read it, one entry for each path:
 *     _propseal.remote.<number> = <remote path>
 * Every seal notes the path of the reference that it writes; other programs
 * pass over it.  (Tags, the other entries of propseal's own, are above.)
 */
#define SECRETS_REMOTE "_propseal.remote."

struct secrets_metadata {
	char *salt;		/* of the master key, NULL: none */
	char *created_at;	/* NULL: none */
	char *envvar;		/* never NULL: the default when the file has none */
	char *data_key;		/* the wrapped data key, NULL: none */
	uint32_t iterations;	/* 10 000 when the file has none; above KEY_ITERATIONS_MAX no
				 * key is derived */
	size_t length;		/* of keys, bytes; 32 when the file has none */
};

/* Is entry ${i} metadata: `_metadata.` and no slash, or a noted path?  (Entries
 * of a configuration file that is named `_metadata...` have a slash.) */
bool metadata_is_key(const struct document *d, size_t i);

/* Is it one of the seven above, by its whole key? */
bool metadata_is_known(const struct document *d, size_t i);

/* Is it the key of a noted path: SECRETS_REMOTE and a number? */
bool metadata_is_remote(const char *key, size_t len);

/* Is entry ${i} sealed: not metadata, not shadowed, ENC[...]? */
bool metadata_is_sealed(const struct document *d, size_t i);

/**
 * metadata_read(d, out, err):
 * Fill ${out}, to be freed by metadata_release.  ERROR_DAMAGED with the line:
 * iterations or length out of bounds.
 */
int metadata_read(const struct document *d, struct secrets_metadata *out, struct error *err);
void metadata_release(struct secrets_metadata *m);

/* The day on which the data key was made, by what the file says: milliseconds since 1970, UTC.
 * 0: it says none. */
int64_t metadata_created(const struct secrets_metadata *m);

#endif /* !SECRETS_SEALED_H */
