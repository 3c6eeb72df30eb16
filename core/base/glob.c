#include "base/glob.h"

#include <string.h>

#include "base/text.h"

static unsigned char
fold(unsigned char c, unsigned int flags)
{
	if ((flags & GLOB_NOCASE) && c >= 'A' && c <= 'Z')
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
in_range(unsigned char c, unsigned char low, unsigned char high, unsigned int flags)
{
	if (c >= low && c <= high)
		return true;
	if (!(flags & GLOB_NOCASE))
		return false;
	if (c >= 'a' && c <= 'z')
		c = (unsigned char)(c - 'a' + 'A');
	else if (c >= 'A' && c <= 'Z')
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
			found |= in_range(c, (unsigned char)p[0], (unsigned char)p[2], flags);
			p += 2;
		} else
			found |= in_range(c, (unsigned char)p[0], (unsigned char)p[0], flags);
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
	return fold((unsigned char)*at, flags) == fold(text[0], flags);
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
