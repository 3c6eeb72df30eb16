#include "registry/base/principal.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define PREFIX "User:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

/* What a terminal or a log would not show as itself. */
static bool
is_unseen(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) ||
	    cp == 0x061c || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

static bool
has_prefix(const char *text, size_t n)
{
	return n >= PREFIX_LEN && memcmp(text, PREFIX, PREFIX_LEN) == 0;
}

bool
principal_normalise(const char *text, size_t n, char out[PRINCIPAL_MAX])
{
	const unsigned char *p;
	uint32_t cp;
	size_t i, len;

	out[0] = '\0';
	if (has_prefix(text, n)) {
		text += PREFIX_LEN;
		n -= PREFIX_LEN;
	}
	/* A name that began so would be another one when it is read again. */
	if (n == 0 || n >= PRINCIPAL_MAX || has_prefix(text, n))
		return false;
	p = (const unsigned char *)text;
	for (i = 0; i < n; i += len) {
		len = text_utf8_decode(p + i, n - i, &cp);
		if (len == 0 || is_unseen(cp))
			return false;
		if ((i == 0 || i + len == n) && text_is_blank(p + i, len))
			return false;
	}
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}

bool
principal_is_user(const char *name)
{
	return strchr(name, ':') == NULL;
}
