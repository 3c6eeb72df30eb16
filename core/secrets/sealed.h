#ifndef SECRETS_SEALED_H
#define SECRETS_SEALED_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct cipher;
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

#endif /* !SECRETS_SEALED_H */
