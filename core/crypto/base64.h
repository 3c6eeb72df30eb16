#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stddef.h>

struct buf;

/*
 * Base64 as the reference reads and writes it (RFC 4648 section 4, Go's
 * base64.StdEncoding): padding is required, CR and LF inside are ignored,
 * non-zero trailing bits are accepted.  Used for keys, so neither direction
 * looks anything up in memory by a secret index or branches on a secret, but
 * for base64_read.
 */

void base64_encode(struct buf *out, const void *bytes, size_t n);

/* The same into ${out}, which has room for (n + 2) / 3 * 4 characters. */
void base64_write(const void *bytes, size_t n, char *out);

/* Append the decoded bytes to ${out}.  -1 when ${text} is not base64 (${out}
 * is as before) or when ${out} failed (buf_check tells). */
int base64_decode(struct buf *out, const char *text, size_t n);

/**
 * base64_read(text, n, out):
 * The same without line ends, into ${out}, which has room for n / 4 * 3
 * bytes.  How many there are, SIZE_MAX: it is not base64.  For what is no
 * secret, as sealed values and tags are: it looks each character up.
 */
size_t base64_read(const char *text, size_t n, unsigned char *out);

/*
 * Base64 with the alphabet for URLs and without padding, as JWS, JWK and API
 * tokens have it (RFC 4648 section 5, RFC 7515 section 2).  As above,
 * neither direction looks anything up by, or branches on, what is encoded.
 */

/* Append the text; a failure stays in the buffer. */
void base64url_encode(struct buf *out, const void *bytes, size_t n);

/**
 * base64url_decode(out, text, n):
 * Append the decoded bytes to ${out}.  Strict, so that one byte string has one
 * text only: -1 for any other character ('=', blanks and line ends too), for
 * a length that no byte string has, and for trailing bits that are not zero
 * (${out} is as before), or when ${out} failed (buf_check tells).
 */
int base64url_decode(struct buf *out, const char *text, size_t n);

#endif /* !CRYPTO_BASE64_H */
