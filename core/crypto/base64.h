#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stddef.h>

struct buf;

/*
 * Base64 as the reference reads and writes it (RFC 4648 section 4, Go's
 * base64.StdEncoding): padding is required, CR and LF inside are ignored,
 * non-zero trailing bits are accepted.  Used for keys, so neither direction
 * looks anything up in memory by a secret index or branches on a secret.
 */

void base64_encode(struct buf *out, const void *bytes, size_t n);

/* Append the decoded bytes to ${out}.  -1 when ${text} is not base64 (${out}
 * is as before) or when ${out} failed (buf_check tells). */
int base64_decode(struct buf *out, const char *text, size_t n);

#endif /* !CRYPTO_BASE64_H */
