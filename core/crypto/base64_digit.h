#ifndef CRYPTO_BASE64_DIGIT_H
#define CRYPTO_BASE64_DIGIT_H

#include <stdint.h>

/*
 * One character of base64, without a look-up or branch on its value.  The two
 * alphabets of RFC 4648 differ in the last two characters, ${c62} and ${c63}.
 */

/* All ones when a < b, else 0; for a, b < 2^31. */
static inline uint32_t
base64_less(uint32_t a, uint32_t b)
{
	return 0 - ((a - b) >> 31);
}

static inline uint32_t
base64_in_range(uint32_t c, char first, char last)
{
	return ~base64_less(c, (uint32_t)first) & base64_less(c, (uint32_t)last + 1);
}

/* The character for the lowest six bits: each bound adds the step to its range. */
static inline unsigned char
base64_to_char(uint32_t x, char c62, char c63)
{
	x &= 63;
	return (unsigned char)(x + 'A' +
	    (~base64_less(x, 26) & (uint32_t)('a' - 'A' - 26)) +
	    (~base64_less(x, 52) & (uint32_t)('0' - 'a' - 26)) +
	    (~base64_less(x, 62) & (uint32_t)(c62 - '0' - 10)) +
	    (~base64_less(x, 63) & (uint32_t)(c63 - c62 - 1)));
}

/* The six bits of a character, or all ones when it is not in the alphabet. */
static inline uint32_t
base64_to_bits(unsigned char ch, char c62, char c63)
{
	uint32_t c = ch;
	uint32_t upper = base64_in_range(c, 'A', 'Z');
	uint32_t lower = base64_in_range(c, 'a', 'z');
	uint32_t digit = base64_in_range(c, '0', '9');
	uint32_t is62 = base64_in_range(c, c62, c62);
	uint32_t is63 = base64_in_range(c, c63, c63);

	return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
	    (digit & (c - '0' + 52)) | (is62 & 62) | (is63 & 63) |
	    ~(upper | lower | digit | is62 | is63);
}

#endif /* !CRYPTO_BASE64_DIGIT_H */
