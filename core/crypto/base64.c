#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secmem.h"
#include "crypto/base64.h"

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

#define CHUNK 768		/* decoded bytes on their way, a multiple of 3 */

static unsigned char
base64_to_char_2(uint32_t x)
{
	return base64_to_char(x, '+', '/');
}

static uint32_t
base64_to_bits_2(unsigned char c)
{
	return base64_to_bits(c, '+', '/');
}

void
base64_encode(struct buf *out, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	unsigned char *q;
	uint32_t word;

	if (n > SIZE_MAX / 2) {
		(void)buf_reserve(out, n);
		return;
	}
	if (n == 0 || buf_reserve(out, (n + 2) / 3 * 4) == -1)
		return;
	q = out->data + out->len;
	out->len += (n + 2) / 3 * 4;
	for (; n > 0; p += 3, q += 4) {
		word = (uint32_t)p[0] << 16;
		if (n > 1)
			word |= (uint32_t)p[1] << 8;
		if (n > 2)
			word |= p[2];
		q[0] = base64_to_char_2(word >> 18);
		q[1] = base64_to_char_2(word >> 12);
		q[2] = n > 1 ? base64_to_char_2(word >> 6) : '=';
		q[3] = n > 2 ? base64_to_char_2(word) : '=';
		n -= n > 2 ? 3 : n;
	}
}

/* What is being decoded: the text that is left, and bytes for ${out}. */
struct decoder {
	const unsigned char *p;
	const unsigned char *end;
	struct buf *out;
	size_t len;
	unsigned char chunk[CHUNK];
};

static void
base64_put(struct decoder *d, uint32_t word, size_t n)
{
	unsigned char *q = d->chunk + d->len;

	/* All three: what is too much is overwritten or left out. */
	q[0] = (unsigned char)(word >> 16);
	q[1] = (unsigned char)(word >> 8);
	q[2] = (unsigned char)word;
	d->len += n;
	if (d->len > CHUNK - 3) {
		buf_append(d->out, d->chunk, d->len);
		d->len = 0;
	}
}

static void
skip_newlines(struct decoder *d)
{
	while (d->p < d->end && (*d->p == '\r' || *d->p == '\n'))
		d->p++;
}

/*
 * Groups of four characters of the alphabet.  Stops where there are other
 * ones, so the only thing that time tells is where those are.
 */
static void
decode_groups(struct decoder *d)
{
	uint32_t a, b, c, e;

	while (d->end - d->p >= 4) {
		a = base64_to_bits_2(d->p[0]);
		b = base64_to_bits_2(d->p[1]);
		c = base64_to_bits_2(d->p[2]);
		e = base64_to_bits_2(d->p[3]);
		if (((a | b | c | e) & 64) != 0)
			return;
		d->p += 4;
		base64_put(d, a << 18 | b << 12 | c << 6 | e, 3);
	}
}

/* One group with newlines inside or padding.  False: not base64. */
static bool
decode_odd_group(struct decoder *d)
{
	uint32_t word = 0;
	uint32_t bits;
	size_t i;

	for (i = 0; i < 4; i++) {
		skip_newlines(d);
		if (d->p == d->end)
			return false;
		if (*d->p == '=')
			break;
		bits = base64_to_bits_2(*d->p++);
		if ((bits & 64) != 0)
			return false;
		word = word << 6 | bits;
	}
	if (i == 4) {
		base64_put(d, word, 3);
		return true;
	}
	/* Padding: the right number of them, and then no more text. */
	if (i < 2)
		return false;
	base64_put(d, word << (24 - 6 * i), i - 1);
	for (; i < 4; i++) {
		skip_newlines(d);
		if (d->p == d->end || *d->p++ != '=')
			return false;
	}
	skip_newlines(d);
	return d->p == d->end;
}

int
base64_decode(struct buf *out, const char *text, size_t n)
{
	struct decoder d;
	size_t start = out->len;
	bool good = true;

	/* No text may be NULL, to which nothing can be added, not even 0. */
	d.p = (const unsigned char *)(n > 0 ? text : "");
	d.end = d.p + n;
	d.out = out;
	d.len = 0;
	for (;;) {
		decode_groups(&d);
		skip_newlines(&d);
		if (d.p == d.end)
			break;
		good = decode_odd_group(&d);
		if (!good)
			break;
	}
	if (good)
		buf_append(out, d.chunk, d.len);
	else
		buf_truncate(out, start);
	secmem_wipe(&d, sizeof(d));
	return good && !out->failed ? 0 : -1;
}

static unsigned char
base64url_to_char(uint32_t x)
{
	return base64_to_char(x, '-', '_');
}

static uint32_t
base64url_to_bits(unsigned char c)
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
		*q++ = base64url_to_char(word >> 18);
		*q++ = base64url_to_char(word >> 12);
		if (n > 1)
			*q++ = base64url_to_char(word >> 6);
		if (n > 2)
			*q++ = base64url_to_char(word);
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
			bits = base64url_to_bits(*p++);
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
