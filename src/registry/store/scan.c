#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "registry/store/record_internal.h"

static bool
scan_fail(struct scan *s)
{
	s->failed = true;
	return false;
}

bool
scan_optional(struct scan *s, const char *bytes, size_t n)
{
	if (s->failed || (size_t)(s->end - s->p) < n || memcmp(s->p, bytes, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool
scan_literal(struct scan *s, const char *bytes, size_t n)
{
	return scan_optional(s, bytes, n) || scan_fail(s);
}

uint64_t
scan_number(struct scan *s, uint64_t max)
{
	uint64_t v = 0;
	const unsigned char *start = s->p;

	if (s->failed)
		return 0;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (v > (UINT64_MAX - 9) / 10) {
			scan_fail(s);
			return 0;
		}
		v = v * 10 + (uint64_t)(*s->p++ - '0');
	}
	if (s->p == start || (*start == '0' && s->p - start > 1) || v > max) {
		scan_fail(s);
		return 0;
	}
	return v;
}

int64_t
scan_time(struct scan *s)
{
	return (int64_t)scan_number(s, INT64_MAX);
}

/* Four hexadecimal digits; -1: they are not. */
static int32_t
hex4(const struct scan *s, const unsigned char *p)
{
	return s->end - p < 4 ? -1 : hex_four(p);
}

/* After \u: a code point, of two escapes if need be; 0: none, or NUL. */
static uint32_t
escaped_point(struct scan *s)
{
	int32_t high = hex4(s, s->p);
	int32_t low;

	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	s->p += 4;
	if (high < 0xd800 || high > 0xdbff)
		return (uint32_t)high;
	if (!scan_may(s, "\\u"))
		return 0;
	low = hex4(s, s->p);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	s->p += 4;
	return 0x10000 + ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
}

/* After a backslash. */
static bool
scan_unescape(struct scan *s)
{
	static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	unsigned char out[4];
	uint32_t cp;
	size_t i, n;

	if (s->p == s->end)
		return scan_fail(s);
	if (*s->p == 'u') {
		s->p++;
		cp = escaped_point(s);
		if (cp == 0)
			return scan_fail(s);
		n = text_utf8_encode(cp, out);
		memcpy(s->text, out, n);
		s->text += n;
		return true;
	}
	for (i = 0; letters[i] != '\0'; i += 2) {
		if ((unsigned char)letters[i] == *s->p) {
			*s->text++ = letters[i + 1];
			s->p++;
			return true;
		}
	}
	return scan_fail(s);
}

/* Where the run of characters that stand for themselves, in one byte, ends. */
static const unsigned char *
plain_end(const unsigned char *p, const unsigned char *end)
{
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

const char *
scan_string(struct scan *s)
{
	const char *start = s->text;
	const unsigned char *run;
	uint32_t cp;
	size_t n;

	if (!scan_is(s, "\""))
		return NULL;
	for (;;) {
		run = s->p;
		s->p = plain_end(run, s->end);
		n = (size_t)(s->p - run);
		memcpy(s->text, run, n);
		s->text += n;
		if (s->p == s->end || *s->p == '"')
			break;
		if (*s->p == '\\') {
			s->p++;
			if (!scan_unescape(s))
				return NULL;
			continue;
		}
		n = *s->p >= 0x80 ? text_utf8_decode(s->p, (size_t)(s->end - s->p), &cp) : 0;
		if (n == 0) {
			scan_fail(s);
			return NULL;
		}
		memcpy(s->text, s->p, n);
		s->text += n;
		s->p += n;
	}
	if (!scan_is(s, "\""))
		return NULL;
	*s->text++ = '\0';
	return start;
}

const char *
scan_name(struct scan *s, size_t *n)
{
	const unsigned char *start, *p;
	char *text = s->text;
	bool escaped = false;

	if (!scan_is(s, "\""))
		return NULL;
	start = s->p;
	for (p = start; p < s->end && *p != '"'; p++) {
		if (*p == '\\') {
			p++;
			escaped = true;
			if (p == s->end || (*p != '"' && *p != '\\'))
				break;
		}
		*text++ = (char)*p;
	}
	if (p == s->end || *p != '"') {
		scan_fail(s);
		return NULL;
	}
	*n = (size_t)(text - s->text);
	s->p = p + 1;
	if (!escaped)
		return (const char *)start;
	text = s->text;
	s->text += *n;
	return text;
}

const char *
scan_raw(struct scan *s, size_t *n)
{
	const unsigned char *start, *quote;

	if (!scan_is(s, "\""))
		return NULL;
	start = s->p;
	quote = memchr(start, '"', (size_t)(s->end - start));
	if (quote == NULL) {
		scan_fail(s);
		return NULL;
	}
	s->p = quote + 1;
	*n = (size_t)(quote - start);
	return (const char *)start;
}

/* Its text is copied when it is known to be right: until then the names, decoded,
 * stand where it will. */
const char *
scan_strings(struct scan *s)
{
	const unsigned char *start = s->p;
	char *const text = s->text;
	const char *name = NULL, *before;
	size_t n;

	scan_is(s, "{");
	if (scan_may(s, "}"))
		goto out;
	do {
		before = name;
		name = scan_string(s);
		if (name != NULL && before != NULL && strcmp(before, name) >= 0)
			scan_fail(s);
		scan_is(s, ":");
		(void)scan_string(s);
	} while (scan_may(s, ","));
	scan_is(s, "}");
out:
	if (s->failed)
		return NULL;
	n = (size_t)(s->p - start);
	memcpy(text, start, n);
	text[n] = '\0';
	s->text = text + n + 1;
	return text;
}
