#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secmem.h"
#include "crypto/base64.h"
#include "crypto/base64_digit.h"

#define CHUNK 768		/* decoded bytes on their way, a multiple of 3 */

static unsigned char
to_char(uint32_t x)
{
	return base64_to_char(x, '+', '/');
}

static uint32_t
to_bits(unsigned char c)
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
		q[0] = to_char(word >> 18);
		q[1] = to_char(word >> 12);
		q[2] = n > 1 ? to_char(word >> 6) : '=';
		q[3] = n > 2 ? to_char(word) : '=';
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
put(struct decoder *d, uint32_t word, size_t n)
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
		a = to_bits(d->p[0]);
		b = to_bits(d->p[1]);
		c = to_bits(d->p[2]);
		e = to_bits(d->p[3]);
		if (((a | b | c | e) & 64) != 0)
			return;
		d->p += 4;
		put(d, a << 18 | b << 12 | c << 6 | e, 3);
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
		bits = to_bits(*d->p++);
		if ((bits & 64) != 0)
			return false;
		word = word << 6 | bits;
	}
	if (i == 4) {
		put(d, word, 3);
		return true;
	}
	/* Padding: the right number of them, and then no more text. */
	if (i < 2)
		return false;
	put(d, word << (24 - 6 * i), i - 1);
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
