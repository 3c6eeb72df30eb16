#include "crypto/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/secmem.h"

#define CHUNK 768		/* decoded bytes on their way, a multiple of 12 */
#define BLOCK 16		/* characters that are looked at together: 12 bytes */

/*
 * Sixteen characters at a time, each in a lane of its own, without a look-up
 * or branch on what they are.  The two alphabets of RFC 4648 differ in the
 * last two characters.
 */
typedef unsigned char lanes __attribute__((vector_size(BLOCK)));

struct alphabet {
	unsigned char c62, c63;
};

static const struct alphabet standard = { '+', '/' };
static const struct alphabet for_urls = { '-', '_' };

static inline lanes
all(unsigned char c)
{
	return (lanes){ c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c };
}

/* All ones in the lanes from ${first} to ${last}, else 0. */
static inline lanes
between(lanes c, unsigned char first, unsigned char last)
{
	return (lanes)(c - all(first) <= all((unsigned char)(last - first)));
}

/* The six bits of each character, all ones where it is not in the alphabet. */
static inline lanes
to_bits(lanes c, const struct alphabet *a)
{
	lanes upper = between(c, 'A', 'Z');
	lanes lower = between(c, 'a', 'z');
	lanes digit = between(c, '0', '9');
	lanes is62 = (lanes)(c == all(a->c62));
	lanes is63 = (lanes)(c == all(a->c63));

	return (upper & (c - all('A'))) | (lower & (c - all('a' - 26))) |
	    (digit & (c + all(52 - '0'))) | (is62 & all(62)) | (is63 & all(63)) |
	    ~(upper | lower | digit | is62 | is63);
}

/* The character for each six bits. */
static inline lanes
to_chars(lanes x, const struct alphabet *a)
{
	lanes upper = between(x, 0, 25);
	lanes lower = between(x, 26, 51);
	lanes digit = between(x, 52, 61);

	return (upper & (x + all('A'))) | (lower & (x + all('a' - 26))) |
	    (digit & (x + all((unsigned char)('0' - 52)))) |
	    ((lanes)(x == all(62)) & all(a->c62)) | ((lanes)(x == all(63)) & all(a->c63));
}

/* --- to text --- */

/* Three bytes at a time as four characters; less than three leave the rest 'A'. */
static void
encode_block(const unsigned char *p, size_t n, const struct alphabet *a, unsigned char out[BLOCK])
{
	unsigned char bits[BLOCK] = { 0 };
	lanes x;

	for (size_t i = 0; 3 * i < n; i++, p += 3) {
		size_t left = n - 3 * i;
		uint32_t word = (uint32_t)p[0] << 16;

		if (left > 1)
			word |= (uint32_t)p[1] << 8;
		if (left > 2)
			word |= p[2];
		bits[4 * i] = (unsigned char)(word >> 18);
		bits[4 * i + 1] = word >> 12 & 63;
		bits[4 * i + 2] = word >> 6 & 63;
		bits[4 * i + 3] = word & 63;
	}
	memcpy(&x, bits, sizeof(x));
	x = to_chars(x, a);
	memcpy(out, &x, sizeof(x));
}

/* Two, three or four characters for one, two or three bytes. */
static size_t
encoded_length(size_t n)
{
	return n / 3 * 4 + (n % 3 > 0 ? n % 3 + 1 : 0);
}

/* How many characters come to ${q}. */
static size_t
encode_to(unsigned char *q, const unsigned char *p, size_t n, const struct alphabet *a,
    bool padded)
{
	size_t len = encoded_length(n), take, part, done;
	unsigned char block[BLOCK];

	for (done = 0; done < len; done += part, p += take, n -= take) {
		take = n < BLOCK / 4 * 3 ? n : BLOCK / 4 * 3;
		part = len - done < BLOCK ? len - done : BLOCK;
		encode_block(p, take, a, block);
		memcpy(q + done, block, part);
	}
	for (; padded && len % 4 != 0; len++)
		q[len] = '=';
	secmem_wipe(block, sizeof(block));
	return len;
}

static void
encode(struct buf *out, const unsigned char *p, size_t n, const struct alphabet *a, bool padded)
{
	size_t len = encoded_length(n);

	if (n > SIZE_MAX / 2)
		(void)buf_reserve(out, n);
	else if (n > 0 && buf_reserve(out, padded ? (len + 3) / 4 * 4 : len) == 0)
		out->len += encode_to(out->data + out->len, p, n, a, padded);
}

void
base64_encode(struct buf *out, const void *bytes, size_t n)
{
	encode(out, bytes, n, &standard, true);
}

void
base64_write(const void *bytes, size_t n, char *out)
{
	(void)encode_to((unsigned char *)out, bytes, n, &standard, true);
}

void
base64url_encode(struct buf *out, const void *bytes, size_t n)
{
	encode(out, bytes, n, &for_urls, false);
}

/* --- from text --- */

/* The 48 bits that eight bytes of six bits each make, six bytes. */
static inline void
join(const unsigned char bits[8], unsigned char out[6])
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | bits[i];
	v = (v & UINT64_C(0x3f003f003f003f00)) >> 2 | (v & UINT64_C(0x003f003f003f003f));
	v = (v & UINT64_C(0x0fff00000fff0000)) >> 4 | (v & UINT64_C(0x00000fff00000fff));
	v = (v & UINT64_C(0x00ffffff00000000)) >> 8 | (v & UINT64_C(0x0000000000ffffff));
	for (size_t i = 0; i < 6; i++)
		out[i] = (unsigned char)(v >> (40 - 8 * i));
}

/* A whole block, three bytes for four characters.  False: one is not in the alphabet. */
static inline bool
decode_block(const unsigned char *p, const struct alphabet *a, unsigned char *out)
{
	unsigned char bits[BLOCK];
	uint64_t half[2];
	lanes x;

	memcpy(&x, p, sizeof(x));
	x = to_bits(x, a);
	memcpy(bits, &x, sizeof(x));
	memcpy(half, &x, sizeof(half));
	join(bits, out);
	join(bits + BLOCK / 2, out + BLOCK / 2 / 4 * 3);
	return ((half[0] | half[1]) & UINT64_C(0x4040404040404040)) == 0;
}

/* ${n} < BLOCK characters, as if zero bits were behind them: so many bytes to ${out}. */
static bool
decode_part(const unsigned char *p, size_t n, const struct alphabet *a, unsigned char *out,
    size_t bytes)
{
	unsigned char text[BLOCK], made[BLOCK / 4 * 3];
	bool good;

	memset(text, 'A', sizeof(text));
	memcpy(text, p, n);
	good = decode_block(text, a, made);
	memcpy(out, made, bytes);
	secmem_wipe(text, sizeof(text));
	secmem_wipe(made, sizeof(made));
	return good;
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
put(struct decoder *d, size_t n)
{
	d->len += n;
	if (d->len > CHUNK - BLOCK / 4 * 3) {
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
 * Blocks, then groups of four characters of the alphabet.  Stops where there
 * are other ones, so the only thing that time tells is where those are.
 */
static void
decode_blocks(struct decoder *d)
{
	while (d->end - d->p >= BLOCK &&
	    decode_block(d->p, &standard, d->chunk + d->len)) {
		d->p += BLOCK;
		put(d, BLOCK / 4 * 3);
	}
	while (d->end - d->p >= 4 && decode_part(d->p, 4, &standard, d->chunk + d->len, 3)) {
		d->p += 4;
		put(d, 3);
	}
}

/* One group with newlines inside or padding.  False: not base64. */
static bool
decode_odd_group(struct decoder *d)
{
	unsigned char group[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		skip_newlines(d);
		if (d->p == d->end)
			return false;
		if (*d->p == '=')
			break;
		group[i] = *d->p++;
	}
	/* Padding: the right number of them, and then no more text. */
	if (i < 2 || !decode_part(group, i, &standard, d->chunk + d->len, i - 1))
		return false;
	put(d, i - 1);
	if (i == 4)
		return true;
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
		decode_blocks(&d);
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

/* Characters of the alphabet for URLs; as many bytes as they make. */
static bool
decode_whole(const char *text, size_t n, unsigned char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	bool good = true;

	for (; n >= BLOCK; p += BLOCK, n -= BLOCK, out += BLOCK / 4 * 3)
		good &= decode_block(p, &for_urls, out);
	if (n > 0)
		good &= decode_part(p, n, &for_urls, out,
		    n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0));
	return good;
}

/* What each character stands for, and 64; 0: it is not in the alphabet. */
static const unsigned char known[256] = {
	['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69,
	['G'] = 70, ['H'] = 71, ['I'] = 72, ['J'] = 73, ['K'] = 74, ['L'] = 75,
	['M'] = 76, ['N'] = 77, ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81,
	['S'] = 82, ['T'] = 83, ['U'] = 84, ['V'] = 85, ['W'] = 86, ['X'] = 87,
	['Y'] = 88, ['Z'] = 89, ['a'] = 90, ['b'] = 91, ['c'] = 92, ['d'] = 93,
	['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98, ['j'] = 99,
	['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,
	['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111,
	['w'] = 112, ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117,
	['2'] = 118, ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123,
	['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127,
};

size_t
base64_read(const char *text, size_t n, unsigned char *out)
{
	const unsigned char *p = (const unsigned char *)text, *end;
	unsigned char good = 64, a, b, c, d;
	size_t pad;

	if (n % 4 != 0)
		return SIZE_MAX;
	if (n == 0)
		return 0;
	pad = text[n - 1] != '=' ? 0 : text[n - 2] != '=' ? 1 : 2;
	for (end = p + n - (pad > 0 ? 4 : 0); p < end; p += 4) {
		a = known[p[0]];
		b = known[p[1]];
		c = known[p[2]];
		d = known[p[3]];
		good &= a & b & c & d;
		*out++ = (unsigned char)(a << 2 | (b >> 4 & 3));
		*out++ = (unsigned char)(b << 4 | (c >> 2 & 15));
		*out++ = (unsigned char)(c << 6 | (d & 63));
	}
	if (pad > 0) {
		a = known[p[0]];
		b = known[p[1]];
		c = pad == 1 ? known[p[2]] : 64;
		good &= a & b & c;
		*out++ = (unsigned char)(a << 2 | (b >> 4 & 3));
		if (pad == 1)
			*out = (unsigned char)(b << 4 | (c >> 2 & 15));
	}
	return good != 0 ? n / 4 * 3 - pad : SIZE_MAX;
}

int
base64url_decode(struct buf *out, const char *text, size_t n)
{
	size_t len = n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0);
	unsigned char last[3];
	bool good;

	if (n % 4 == 1)
		return -1;
	if (n == 0)
		return out->failed ? -1 : 0;
	if (buf_reserve(out, len) == -1)
		return -1;
	good = decode_whole(text, n, out->data + out->len);
	/* What is left of the last character's bits, all others are out. */
	if (good && n % 4 > 0) {
		(void)decode_part((const unsigned char *)text + n - n % 4, n % 4, &for_urls, last,
		    sizeof(last));
		good = n % 4 == 2 ? (last[1] | last[2]) == 0 : last[2] == 0;
		secmem_wipe(last, sizeof(last));
	}
	if (!good) {
		secmem_wipe(out->data + out->len, len);
		return -1;
	}
	out->len += len;
	return 0;
}
