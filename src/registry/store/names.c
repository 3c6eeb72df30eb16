#include <string.h>

#include "base/text.h"
#include "registry/store/names.h"

static bool
is_alpha(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
names_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* C0, DEL and C1 (Unicode's Cc), and what has a meaning in references,
 * addresses and bindings. */
static bool
names_is_refused(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == '/' || cp == ':' ||
	    cp == '}' || cp == '*';
}

bool
name_path_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i, len;
	uint32_t cp;

	if (n == 0 || n > NAME_PATH_MAX)
		return false;
	if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
		return false;
	for (i = 0; i < n; i += len) {
		if (p[i] >= 0x20 && p[i] < 0x7f) {
			len = 1;
			cp = p[i];
		} else {
			len = text_utf8_decode(p + i, n - i, &cp);
		}
		if (len == 0 || names_is_refused(cp))
			return false;
		if ((i == 0 || i + len == n) && text_is_blank(p + i, len))
			return false;
	}
	return true;
}

bool
name_key_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i;

	if (n == 0 || n > NAME_KEY_MAX || !is_alpha(p[0]))
		return false;
	for (i = 1; i < n; i++) {
		if (!is_alpha(p[i]) && !names_is_digit(p[i]) && p[i] != '.' && p[i] != '_' &&
		    p[i] != '-')
			return false;
	}
	return true;
}

bool
name_version_parse(const char *s, size_t n, uint32_t *version)
{
	uint64_t v = 0;
	size_t i;

	if (n == 0 || n > 10 || s[0] == '0')
		return false;
	for (i = 0; i < n; i++) {
		if (!names_is_digit((unsigned char)s[i]))
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v > NAME_VERSION_MAX)
		return false;
	*version = (uint32_t)v;
	return true;
}
