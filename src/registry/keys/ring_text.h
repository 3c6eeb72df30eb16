#ifndef REGISTRY_KEYS_RING_TEXT_H
#define REGISTRY_KEYS_RING_TEXT_H

#include <stddef.h>

struct buf;
struct error;
struct ring;

/*
 * A ring as the KEYRING record's value, JSON without blanks:
 *
 *   {"m":1,"kdf":{"name":"scrypt","n":32768,"r":8,"p":1},"salt":"...",
 *    "check":"...","active":2,"keys":[{"kid":2,"iv":"...","wrapped":"..."}],
 *    "audit":{"iv":"...","wrapped":"..."}}
 *
 * m is the format; kdf is {"name":"none"} for a raw master secret; bytes are
 * in base64 (RFC 4648 section 4).  Nothing in it is secret.
 */

/* Append the text.  A failure stays in the buffer. */
void ring_text_encode(const struct ring *r, struct buf *out);

/* Read the text; what is wrapped stays wrapped.  NULL: ERROR_DAMAGED, for
 * a format that is not known here too. */
struct ring *ring_text_decode(const char *text, size_t n, struct error *err);

#endif /* !REGISTRY_KEYS_RING_TEXT_H */
