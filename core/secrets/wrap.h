#ifndef SECRETS_WRAP_H
#define SECRETS_WRAP_H

#include <stddef.h>

struct buf;
struct error;
struct key;

/*
 * The data key under the master key: a sealed value whose plaintext is the
 * base64 *text* of the data key (confluent secret's format).
 */

/* Append ENC[...] holding ${data_key} to ${out}. */
int wrap_seal(const struct key *master, const struct key *data_key,
    struct buf *out, struct error *err);

/* The data key inside ENC[...] text.  NULL: ERROR_KEY, whatever is wrong. */
struct key *wrap_open(const struct key *master, const char *text, size_t n,
    struct error *err);

#endif /* !SECRETS_WRAP_H */
