#include "base/number.h"

#include <endian.h>
#include <string.h>

#include "base/buf.h"

static const char hex_digits[] = "0123456789abcdef";

size_t
number_text(uint64_t n, char out[NUMBER_TEXT])
{
	size_t len = 1, i;

	for (uint64_t rest = n / 10; rest > 0; rest /= 10)
		len++;
	for (i = len; i > 0; n /= 10)
		out[--i] = (char)('0' + n % 10);
	return len;
}

void
number_append(struct buf *out, uint64_t n)
{
	char digits[NUMBER_TEXT];

	buf_append(out, digits, number_text(n, digits));
}

void
number_append_signed(struct buf *out, int64_t n)
{
	if (n < 0)
		buf_append_char(out, '-');
	number_append(out, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

bool
number_parse(const char *text, size_t n, uint64_t max, uint64_t *out)
{
	uint64_t value = 0, digit;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		digit = (uint64_t)(text[i] - '0');
		if (value > max / 10 || value * 10 > max - digit)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* All ones when ${c} is from ${first} to ${last}, else 0; for values below 2^31. */
static uint32_t
hex_in_range(uint32_t c, uint32_t first, uint32_t last)
{
	return (((c - first) | (last - c)) >> 31) - 1;
}

/* The four bits of a digit, 16 when it is none; no branch on a key. */
static uint32_t
hex_bits(unsigned char ch)
{
	uint32_t c = ch;
	uint32_t digit = hex_in_range(c, '0', '9');
	uint32_t lower = hex_in_range(c, 'a', 'f');
	uint32_t upper = hex_in_range(c, 'A', 'F');

	return (digit & (c - '0')) | (lower & (c - 'a' + 10)) | (upper & (c - 'A' + 10)) |
	    (16 & ~(digit | lower | upper));
}

int
hex_digit(unsigned char c)
{
	uint32_t bits = hex_bits(c);

	return bits > 15 ? -1 : (int)bits;
}

int32_t
hex_four(const unsigned char *p)
{
	uint32_t bits, wrong = 0, value = 0;

	for (int i = 0; i < 4; i++) {
		bits = hex_bits(p[i]);
		wrong |= bits;
		value = value << 4 | (bits & 15);
	}
	return wrong > 15 ? -1 : (int32_t)value;
}

/* The digits of four bytes side by side. */
static uint64_t
hex_of_four(const unsigned char *p)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint32_t four;
	uint64_t w;

	memcpy(&four, p, sizeof(four));
	w = le32toh(four);
	w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
	w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
	w = (w >> 4 | w << 8) & 0x0f * each;
	/* What is over nine carries to the bit of 16, and is a letter. */
	return w + '0' * each + ((w + 6 * each) >> 4 & each) * ('a' - '9' - 1);
}

void
hex_text(const void *bytes, size_t n, char *out)
{
	const unsigned char *p = bytes;
	size_t i;

	for (i = 0; n - i >= 4; i += 4) {
		uint64_t w = htole64(hex_of_four(p + i));

		memcpy(out + 2 * i, &w, sizeof(w));
	}
	for (; i < n; i++) {
		out[2 * i] = hex_digits[p[i] >> 4];
		out[2 * i + 1] = hex_digits[p[i] & 15];
	}
}

void
hex_append(struct buf *out, const void *bytes, size_t n)
{
	if (n == 0 || buf_reserve(out, 2 * n) != 0)
		return;
	hex_text(bytes, n, (char *)out->data + out->len);
	out->len += 2 * n;
}

void
hex_append_number(struct buf *out, uint64_t value, unsigned int digits)
{
	while (digits-- > 0)
		buf_append_char(out, hex_digits[value >> 4 * digits & 15]);
}

bool
hex_parse(const char *text, size_t n, void *out)
{
	unsigned char *to = out;
	uint32_t wrong = 0, high, low;

	for (size_t i = 0; i < n; i++) {
		high = hex_bits((unsigned char)text[2 * i]);
		low = hex_bits((unsigned char)text[2 * i + 1]);
		wrong |= high | low;
		to[i] = (unsigned char)((high << 4 | low) & 0xff);
	}
	return (wrong & 16) == 0;
}

bool
hex_parse_lower(const char *text, size_t n, void *out)
{
	for (size_t i = 0; i < 2 * n; i++) {
		if (text[i] >= 'A' && text[i] <= 'F')
			return false;
	}
	return hex_parse(text, n, out);
}
