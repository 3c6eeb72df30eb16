#include "base/buf.h"
#include "base/text.h"
#include "document/json_syntax.h"

static void
append_unit(struct buf *out, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u' };
	int i;

	for (i = 0; i < 4; i++)
		text[2 + i] = hex[unit >> (12 - 4 * i) & 0xf];
	buf_append(out, text, sizeof(text));
}

static void
append_escape(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		buf_append_char(out, '\\');
		buf_append_char(out, (char)c);
		break;
	case '\b':
		buf_append(out, "\\b", 2);
		break;
	case '\f':
		buf_append(out, "\\f", 2);
		break;
	case '\n':
		buf_append(out, "\\n", 2);
		break;
	case '\r':
		buf_append(out, "\\r", 2);
		break;
	case '\t':
		buf_append(out, "\\t", 2);
		break;
	default:
		append_unit(out, c);
	}
}

/* The three-byte form of a surrogate: \ud800 is read into it. */
static bool
is_surrogate(const unsigned char *p, size_t n)
{
	return n >= 3 && p[0] == 0xed && p[1] >= 0xa0 && p[1] <= 0xbf && p[2] >= 0x80 &&
	    p[2] <= 0xbf;
}

/*
 * Two halves side by side can only come from bytes that do not decode: as
 * escapes they would be read as a pair.
 */
static bool
is_split_pair(const unsigned char *p, size_t n)
{
	return n >= 6 && p[1] <= 0xaf && is_surrogate(p + 3, n - 3) && p[4] >= 0xb0;
}

/*
 * Stands in the text as it is: no quote, backslash, control character or
 * surrogate.  ${high}: behind the escape of the first half of a pair.
 */
static bool
is_plain(const unsigned char *p, size_t n, bool high)
{
	if (*p < 0x20 || *p == '"' || *p == '\\' || *p == 0x7f)
		return false;
	if (*p != 0xed || !is_surrogate(p, n))
		return true;
	return is_split_pair(p, n) || (high && p[1] >= 0xb0);
}

void
json_write_text(struct buf *out, const void *bytes, size_t n, bool *high)
{
	const unsigned char *p = bytes;
	size_t done = 0;
	size_t i = 0;

	while (i < n) {
		if (is_plain(p + i, n - i, *high)) {
			*high = false;
			i++;
			continue;
		}
		buf_append(out, p + done, i - done);
		*high = p[i] == 0xed && p[i + 1] <= 0xaf;
		if (p[i] == 0xed) {
			append_unit(out, 0xd000 | (uint32_t)(p[i + 1] & 0x3f) << 6 |
			    (p[i + 2] & 0x3f));
			i += 3;
		} else {
			append_escape(out, p[i++]);
		}
		done = i;
	}
	if (n > 0)
		buf_append(out, p + done, n - done);
}

void
json_write_string(struct buf *out, const void *bytes, size_t n)
{
	bool high = false;

	buf_append_char(out, '"');
	json_write_text(out, bytes, n, &high);
	buf_append_char(out, '"');
}
