#include "crypto/base64url.h"

#include <stdint.h>

#include "base/buf.h"
#include "crypto/base64_digit.h"

static unsigned char
to_char(uint32_t x)
{
	return base64_to_char(x, '-', '_');
}

static uint32_t
to_bits(unsigned char c)
{
	return base64_to_bits(c, '-', '_');
}

void
base64url_encode(struct buf *out, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	unsigned char *q;
	uint32_t word;

	if (n > SIZE_MAX / 2) {
		(void)buf_reserve(out, n);
		return;
	}
	/* Two, three or four characters for one, two or three bytes. */
	if (n == 0 || buf_reserve(out, n / 3 * 4 + (n % 3 > 0 ? n % 3 + 1 : 0)) == -1)
		return;
	q = out->data + out->len;
	while (n > 0) {
		word = (uint32_t)p[0] << 16;
		if (n > 1)
			word |= (uint32_t)p[1] << 8;
		if (n > 2)
			word |= p[2];
		*q++ = to_char(word >> 18);
		*q++ = to_char(word >> 12);
		if (n > 1)
			*q++ = to_char(word >> 6);
		if (n > 2)
			*q++ = to_char(word);
		p += n > 2 ? 3 : n;
		n -= n > 2 ? 3 : n;
	}
	out->len = (size_t)(q - out->data);
}

int
base64url_decode(struct buf *out, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t start = out->len;
	unsigned char *q;
	uint32_t wrong = 0;
	uint32_t word;
	uint32_t bits;
	size_t left;
	size_t i;

	if (n % 4 == 1)
		return -1;
	if (n == 0)
		return out->failed ? -1 : 0;
	if (buf_reserve(out, n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0)) == -1)
		return -1;
	q = out->data + out->len;
	for (left = n; left > 0; left -= i) {
		word = 0;
		for (i = 0; i < 4 && i < left; i++) {
			bits = to_bits(*p++);
			wrong |= bits & 64;
			word |= (bits & 63) << (18 - 6 * i);
		}
		*q++ = (unsigned char)(word >> 16);
		if (i > 2)
			*q++ = (unsigned char)(word >> 8);
		if (i > 3)
			*q++ = (unsigned char)word;
		/* What is left of the last character's bits, all others are out. */
		wrong |= i == 2 ? word & 0xffff : i == 3 ? word & 0xff : 0;
	}
	out->len = (size_t)(q - out->data);
	if (wrong != 0) {
		buf_truncate(out, start);
		return -1;
	}
	return 0;
}
