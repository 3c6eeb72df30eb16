#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16	/* bytes */

/*
 * SipHash-1-3, 64 bits: one round a word and three at the end, otherwise as
 * in https://www.aumasson.jp/siphash/siphash.pdf.  For hash tables only.
 */
uint64_t siphash_13(const unsigned char key[SIPHASH_KEY], const void *bytes,
    size_t n);

#endif /* !BASE_SIPHASH_H */
