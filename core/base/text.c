#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

static bool
text_is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

static bool
text_is_surrogate(uint32_t cp)
{
	return cp >= 0xd800 && cp <= 0xdfff;
}

/* Bytes that a sequence with this first byte has, 0 when none starts so. */
static size_t
text_sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* Can ${second} follow ${first}?  (Overlong and too large; not surrogates.) */
static bool
fits_second(unsigned char first, unsigned char second)
{
	if (!text_is_continuation(second))
		return false;
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

/* How many of the bytes fit together, up to a whole sequence. */
static size_t
fitting(const unsigned char *p, size_t n, size_t want)
{
	size_t i;

	if (want == 0)
		return 0;
	for (i = 1; i < want && i < n; i++) {
		if (i == 1 ? !fits_second(p[0], p[1]) : !text_is_continuation(p[i]))
			break;
	}
	return i;
}

/* As text_utf8_decode, but takes the three-byte form of a surrogate too. */
static size_t
text_decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	static const unsigned char mask[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t want, i;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	want = text_sequence_length(p[0]);
	if (want == 0 || fitting(p, n, want) < want)
		return 0;
	*cp = p[0] & mask[want];
	for (i = 1; i < want; i++)
		*cp = *cp << 6 | (p[i] & 0x3f);
	return want;
}

size_t
text_utf8_decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	size_t len = text_decode(p, n, cp);

	return len == 3 && text_is_surrogate(*cp) ? 0 : len;
}

size_t
text_utf8_encode(uint32_t cp, unsigned char out[4])
{
	if (cp < 0x80) {
		out[0] = (unsigned char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (unsigned char)(0xc0 | cp >> 6);
		out[1] = (unsigned char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (unsigned char)(0xe0 | cp >> 12);
		out[1] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | (cp >> 18 & 0x07));
	out[1] = (unsigned char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (cp & 0x3f));
	return 4;
}

size_t
text_invalid_length(const unsigned char *p, size_t n)
{
	size_t fit = fitting(p, n, text_sequence_length(p[0]));

	return fit > 0 ? fit : 1;
}

bool
text_is_treacherous(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
	    cp == 0xad ||			/* soft hyphen */
	    cp == 0x61c ||			/* Arabic letter mark */
	    (cp >= 0x200b && cp <= 0x200f) ||	/* zero width, marks */
	    (cp >= 0x2028 && cp <= 0x202e) ||	/* separators, overrides */
	    (cp >= 0x2060 && cp <= 0x206f) ||	/* invisible, isolates */
	    text_is_surrogate(cp) ||
	    cp == 0xfeff ||
	    (cp >= 0xfff9 && cp <= 0xfffb) ||	/* annotation */
	    (cp >= 0xe0000 && cp <= 0xe0fff);	/* tags */
}

static void
append_treacherous(struct buf *out, uint32_t cp)
{
	if (cp == '\n')
		buf_append_str(out, "\\n");
	else if (cp == '\t')
		buf_append_str(out, "\\t");
	else if (cp < 0x80) {
		buf_append_str(out, "\\x");
		hex_append_number(out, cp, 2);
	} else {
		buf_append_str(out, "\\u{");
		hex_append_number(out, cp, cp > 0xffff ? 5 : 4);
		buf_append_char(out, '}');
	}
}

bool
text_is_utf8(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint32_t cp;
	size_t len;

	for (; n > 0; p += len, n -= len)
		if ((len = text_utf8_decode(p, n, &cp)) == 0)
			return false;
	return true;
}

/* Are the eight bytes ASCII characters that can be seen? */
static inline bool
text_are_plain(const unsigned char *p)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return ((x | (x - each * 0x20) | (x + each)) & each * 0x80) == 0;
}

void
text_append_visible(struct buf *out, const void *bytes, size_t n)
{
	const unsigned char *p = n > 0 ? bytes : (const void *)"";
	size_t i = 0;
	size_t start = 0;	/* of what goes over as it is */
	size_t len;
	uint32_t cp;

	while (i < n) {
		if (n - i >= 8 && text_are_plain(p + i)) {
			i += 8;
			continue;
		}
		if (p[i] >= 0x20 && p[i] < 0x7f) {
			i++;
			continue;
		}
		len = text_decode(p + i, n - i, &cp);
		if (len > 0 && !text_is_treacherous(cp)) {
			i += len;
			continue;
		}
		buf_append(out, p + start, i - start);
		if (len > 0) {
			append_treacherous(out, cp);
			i += len;
		} else {
			buf_append_str(out, "\\x");
			hex_append_number(out, p[i++], 2);
		}
		start = i;
	}
	buf_append(out, p + start, i - start);
}

void
text_append_lines(struct buf *out, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t i, start = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != '\n' && p[i] != '\t' &&
		    !(p[i] == '\r' && i + 1 < n && p[i + 1] == '\n'))
			continue;
		text_append_visible(out, p + start, i - start);
		buf_append(out, p + i, 1);
		start = i + 1;
	}
	text_append_visible(out, p + start, n - start);
}

/* What stands behind a backslash for what. */
static const char escapes[] = "b\bf\fn\nr\rt\t\"\"\\\\";

char
text_escape_letter(uint32_t cp)
{
	for (size_t i = 0; escapes[i] != '\0'; i += 2) {
		if ((uint32_t)escapes[i + 1] == cp)
			return escapes[i];
	}
	return '\0';
}

unsigned char
text_unescape_letter(unsigned char letter)
{
	for (size_t i = 0; escapes[i] != '\0'; i += 2) {
		if (escapes[i] == letter)
			return (unsigned char)escapes[i + 1];
	}
	return letter;
}

void
text_append_unit(struct buf *out, uint32_t unit)
{
	buf_append(out, "\\u", 2);
	hex_append_number(out, unit, 4);
}

void
text_append_escape(struct buf *out, uint32_t cp)
{
	char escape[2] = { '\\', text_escape_letter(cp) };

	if (escape[1] != '\0') {
		buf_append(out, escape, sizeof(escape));
	} else if (cp > 0xffff) {
		text_append_unit(out, 0xd800 + ((cp - 0x10000) >> 10));
		text_append_unit(out, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		text_append_unit(out, cp);
	}
}

bool
text_is_half(const unsigned char *p, size_t n)
{
	return n >= 3 && p[0] == 0xed && p[1] >= 0xa0 && p[1] <= 0xbf && p[2] >= 0x80 &&
	    p[2] <= 0xbf;
}

bool
text_is_split_pair(const unsigned char *p, size_t n)
{
	return n >= 6 && p[1] <= 0xaf && text_is_half(p + 3, n - 3) && p[4] >= 0xb0;
}

uint32_t
text_half(const unsigned char *p)
{
	return 0xd000 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
}

/* Is any of eight bytes no plain one?  A borrow or carry can only come from
 * a byte that is none itself. */
static bool
is_odd(uint64_t w)
{
	const uint64_t each = UINT64_C(0x0101010101010101);

	return ((w | (w - 0x20 * each) | (w + each) | ((w ^ '"' * each) - each) |
	    ((w ^ '\\' * each) - each)) & 0x80 * each) != 0;
}

static bool
has_odd(const unsigned char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return is_odd(w);
}

/* The same of four to seven, by the first four and the last. */
static bool
few_have_odd(const unsigned char *p, size_t n)
{
	uint32_t first, last;

	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - sizeof(last), sizeof(last));
	return is_odd((uint64_t)first << 32 | last);
}

static bool
text_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

size_t
text_plain_length(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t i = 0;

	while (n - i >= 8 && !has_odd(p + i))
		i += 8;
	/* A rest of less, with what stands before it. */
	if (n >= 8 ? n - i < 8 && !has_odd(p + n - 8) : n >= 4 && !few_have_odd(p, n))
		return n;
	while (i < n && text_is_plain(p[i]))
		i++;
	return i;
}

void
text_append_json(struct buf *out, const void *bytes, size_t n)
{
	const unsigned char *p = n > 0 ? bytes : (const void *)"";
	size_t i = 0;
	size_t start = 0;
	size_t len;
	uint32_t cp;

	buf_append_char(out, '"');
	while ((i += text_plain_length(p + i, n - i)) < n) {
		len = text_decode(p + i, n - i, &cp);
		if (len > 0 && cp != '"' && cp != '\\' && !text_is_treacherous(cp)) {
			i += len;
			continue;
		}
		buf_append(out, p + start, i - start);
		if (len > 0) {
			text_append_escape(out, cp);
			i += len;
		} else {
			buf_append_str(out, REPLACEMENT);
			i += text_invalid_length(p + i, n - i);
		}
		start = i;
	}
	buf_append(out, p + start, i - start);
	buf_append_char(out, '"');
}

static unsigned char
lower(unsigned char c)
{
	return (unsigned char)ascii_lower((char)c);
}

bool
text_contains_nocase(const void *bytes, size_t n, const char *needle)
{
	const unsigned char *p = bytes;
	const unsigned char first = (unsigned char)needle[0];
	const unsigned char upper = ascii_is_lower(first) ? first - 'a' + 'A' : first;
	size_t len = strlen(needle);
	size_t i, j;

	for (i = 0; i + len <= n; i++) {
		if (len > 0 && p[i] != first && p[i] != upper)
			continue;
		for (j = 0; j < len && lower(p[i + j]) == (unsigned char)needle[j]; j++)
			;
		if (j == len)
			return true;
	}
	return false;
}

/* Most texts do not have the letter. */
size_t
text_find_word(const void *bytes, size_t n, const struct text_word *w)
{
	const unsigned char *p = bytes;
	const size_t len = w->len;
	size_t at, i;

	if (n < len ||
	    (memchr(p, w->rare, n) == NULL && memchr(p, w->rare - 'a' + 'A', n) == NULL))
		return n;
	for (at = n - len + 1; at-- > 0;) {
		for (i = 0; i < len && lower(p[at + i]) == (unsigned char)w->word[i]; i++)
			;
		if (i == len)
			return at;
	}
	return n;
}

/* Go's unicode.IsSpace: the property White_Space. */
static bool
text_is_space(uint32_t cp)
{
	return (cp >= '\t' && cp <= '\r') || cp == ' ' || cp == 0x85 || cp == 0xa0 ||
	    cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
	    cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

bool
text_is_one_of(const void *bytes, size_t n, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == n && memcmp(words[i], bytes, n) == 0)
			return true;
	return false;
}

int
text_compare(const void *a, size_t n, const void *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

char *
text_copy(const void *bytes, size_t n)
{
	char *copy = malloc(n + 1);

	if (copy == NULL)
		return NULL;
	if (n > 0)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	return copy;
}

bool
text_is_blank(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t i = 0;
	size_t len;
	uint32_t cp;

	while (i < n) {
		len = text_utf8_decode(p + i, n - i, &cp);
		if (len == 0 || !text_is_space(cp))
			return false;
		i += len;
	}
	return true;
}

static unsigned char
glob_fold(unsigned char c, unsigned int flags)
{
	if ((flags & GLOB_NOCASE) && ascii_is_upper(c))
		return (unsigned char)(c - 'A' + 'a');
	return c;
}

/* The `]` that ends the set behind ${p} (its `[`), NULL: it is no set. */
static const char *
set_end(const char *p)
{
	p++;
	if (*p == '!' || *p == '^')
		p++;
	/* As the first of a set, ] stands for itself. */
	return *p == '\0' ? NULL : strchr(p + 1, ']');
}

static bool
glob_in_range(unsigned char c, unsigned char low, unsigned char high, unsigned int flags)
{
	if (c >= low && c <= high)
		return true;
	if (!(flags & GLOB_NOCASE))
		return false;
	if (ascii_is_lower(c))
		c = (unsigned char)(c - 'a' + 'A');
	else if (ascii_is_upper(c))
		c = (unsigned char)(c - 'A' + 'a');
	return c >= low && c <= high;
}

static bool
in_set(const char *p, const char *end, unsigned char c, unsigned int flags)
{
	bool negated = p[1] == '!' || p[1] == '^';
	bool found = false;

	for (p += 1 + negated; p < end; p++) {
		if (p[1] == '-' && p + 2 < end) {
			found |= glob_in_range(c, (unsigned char)p[0], (unsigned char)p[2], flags);
			p += 2;
		} else
			found |= glob_in_range(c, (unsigned char)p[0], (unsigned char)p[0], flags);
	}
	return found != negated;
}

/* Bytes of the character at ${text}. */
static size_t
character(const unsigned char *text, size_t n)
{
	uint32_t cp;
	size_t len = text_utf8_decode(text, n, &cp);

	return len == 0 ? 1 : len;
}

/*
 * Does the one element at ${*p} (not `*`) match the head of the text?  The
 * bytes that it takes, 0: no.  ${*p} goes behind it.
 */
static size_t
match_one(const char **p, const unsigned char *text, size_t n, unsigned int flags)
{
	const char *at = *p;
	const char *end;
	bool special = !(flags & GLOB_PATH) || text[0] != '/';

	if (*at == '?') {
		*p = at + 1;
		return special ? character(text, n) : 0;
	}
	if (*at == '[' && (end = set_end(at)) != NULL) {
		*p = end + 1;
		if (!special || !in_set(at, end, text[0], flags))
			return 0;
		return character(text, n);
	}
	if (*at == '\\' && at[1] != '\0')
		at++;
	*p = at + 1;
	return glob_fold((unsigned char)*at, flags) == glob_fold(text[0], flags);
}

bool
glob_match(const char *pattern, const void *bytes, size_t n, unsigned int flags)
{
	const unsigned char *text = bytes;
	const unsigned char *end = text + n;
	const unsigned char *retry = NULL;	/* where the last `*` ends next */
	const char *star = NULL;		/* what is behind it */
	const char *next;
	size_t took;

	while (text < end || *pattern != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		next = pattern;
		if (text < end && *pattern != '\0' &&
		    (took = match_one(&next, text, (size_t)(end - text), flags)) > 0) {
			pattern = next;
			text += took;
			continue;
		}
		/* The last `*` takes one byte more; an earlier one need not. */
		if (star == NULL || retry == end || ((flags & GLOB_PATH) && *retry == '/'))
			return false;
		text = ++retry;
		pattern = star;
	}
	return true;
}

bool
glob_is_pattern(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") != NULL;
}

void
text_append_percent(struct buf *out, const char *text, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

		if (ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_append_char(out, (char)c);
		else
			buf_append(out, escape, sizeof(escape));
	}
}

void
text_append_shell(struct buf *out, const char *text, size_t n)
{
	const char *quote;
	size_t len;

	buf_append_char(out, '\'');
	while (n > 0 && (quote = memchr(text, '\'', n)) != NULL) {
		len = (size_t)(quote - text);
		buf_append(out, text, len);
		buf_append_str(out, "'\\''");
		text += len + 1;
		n -= len + 1;
	}
	buf_append(out, text, n);
	buf_append_char(out, '\'');
}

void
text_append_word(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "/._-+,:@%";

	if (path[0] == '-' && path[1] != '\0')
		buf_append_str(out, "./");
	if (path[0] != '\0' && path[strspn(path, plain)] == '\0')
		buf_append_str(out, path);
	else
		text_append_shell(out, path, strlen(path));
}

const char *
text_word(const char *path, char out[TEXT_WORD_MAX])
{
	struct buf word;
	bool fits;

	buf_init(&word, TEXT_WORD_MAX - 1);
	text_append_word(&word, path);
	fits = !word.failed;
	if (fits)
		memcpy(out, buf_cstr(&word), word.len + 1);
	buf_release(&word);
	return fits ? out : path;
}
