#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "registry/http/token.h"

#define HOST_MAX 255

static bool
is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_mark(char c)
{
	switch (c) {
	case '!': case '#': case '$': case '%': case '&': case '\'': case '*': case '+':
	case '-': case '.': case '^': case '_': case '`': case '|': case '~':
		return true;
	default:
		return false;
	}
}

bool
http_token_is_token(const char *s)
{
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (!is_alphanumeric(*p) && !is_mark(*p))
			return false;
	}
	return p > s;
}

bool
http_token_is_value(const char *s, size_t n)
{
	size_t i;

	for (i = text_plain_length(s, n); i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Behind the host: nothing, or a port of up to 65535. */
static bool
is_port(const char *s)
{
	uint64_t port;

	if (*s == '\0')
		return true;
	return *s == ':' && strlen(s) <= 6 && http_token_number(s + 1, &port) == 0 && port <= 65535;
}

bool
http_token_is_host(const char *s)
{
	const char *p = s;

	if (*p == '[') {
		p++;
		p += strspn(p, "0123456789abcdefABCDEF:.");
		return p - s >= 3 && p - s <= 46 && *p == ']' && is_port(p + 1);
	}
	while (is_alphanumeric(*p) || (*p != '\0' && strchr("-._~", *p) != NULL))
		p++;
	return p > s && p - s <= HOST_MAX && is_port(p);
}

int
http_token_number(const char *s, uint64_t *out)
{
	uint64_t n = 0;
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || p - s >= 18)
			return -1;
		n = 10 * n + (uint64_t)(*p - '0');
	}
	*out = n;
	return p > s ? 0 : -1;
}

bool
http_token_in_list(const char *s, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		size_t n;

		s += strspn(s, " \t,");
		if (*s == '\0')
			return false;
		n = strcspn(s, " \t,");
		if (n == len && strncasecmp(s, word, n) == 0)
			return true;
		s += n;
	}
}
