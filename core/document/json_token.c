#include <string.h>

#include "document/json_syntax.h"

/* ${c} in each byte of a word. */
static uint64_t
eight(unsigned char c)
{
	return UINT64_C(0x0101010101010101) * c;
}

/* Is any byte of the word 0?  (Mycroft's test, exact for "any".) */
static bool
has_zero(uint64_t w)
{
	return ((w - eight(1)) & ~w & eight(0x80)) != 0;
}

/* May the word hold a quote, a backslash or a control character? */
static bool
has_special(uint64_t w)
{
	bool control = ((w - eight(0x20)) & ~w & eight(0x80)) != 0;

	return control || has_zero(w ^ eight('"')) || has_zero(w ^ eight('\\'));
}

/* The next quote, backslash or control character from ${at} on, or n. */
static size_t
next_special(const unsigned char *p, size_t n, size_t at)
{
	uint64_t w;

	while (at + sizeof(w) <= n) {
		memcpy(&w, p + at, sizeof(w));
		if (has_special(w))
			break;
		at += sizeof(w);
	}
	while (at < n && p[at] >= 0x20 && p[at] != '"' && p[at] != '\\')
		at++;
	return at;
}

static bool
is_digit(const unsigned char *p, size_t n, size_t at)
{
	return at < n && p[at] >= '0' && p[at] <= '9';
}

static bool
is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Pass over the backslash at ${*at} and what it goes with. */
static enum json_token
pass_escape(const unsigned char *p, size_t n, size_t *at)
{
	size_t i = *at + 1;
	size_t end = i + 5;

	if (i == n)
		return JSON_TOKEN_OPEN;
	if (p[i] != 'u') {
		if (memchr("\"\\/bfnrt", p[i], 8) == NULL)
			return JSON_TOKEN_ESCAPE;
		*at = i + 1;
		return JSON_TOKEN;
	}
	while (++i < end) {
		if (i == n)
			return JSON_TOKEN_OPEN;
		if (!is_hex(p[i]))
			return JSON_TOKEN_UNIT;
	}
	*at = end;
	return JSON_TOKEN;
}

enum json_token
json_token_string(const unsigned char *p, size_t n, size_t *at)
{
	enum json_token token = JSON_TOKEN;

	++*at;
	while (token == JSON_TOKEN) {
		*at = next_special(p, n, *at);
		if (*at == n)
			return JSON_TOKEN_OPEN;
		if (p[*at] == '"') {
			++*at;
			return JSON_TOKEN;
		}
		token = p[*at] == '\\' ? pass_escape(p, n, at) : JSON_TOKEN_CONTROL;
	}
	return token;
}

/* One digit at least. */
static bool
pass_digits(const unsigned char *p, size_t n, size_t *at)
{
	if (!is_digit(p, n, *at))
		return false;
	while (is_digit(p, n, *at))
		++*at;
	return true;
}

enum json_token
json_token_number(const unsigned char *p, size_t n, size_t *at)
{
	if (p[*at] == '-')
		++*at;
	if (*at < n && p[*at] == '0') {
		++*at;
		if (is_digit(p, n, *at))
			return JSON_TOKEN_NUMBER;
	} else if (!pass_digits(p, n, at)) {
		return JSON_TOKEN_NUMBER;
	}
	if (*at < n && p[*at] == '.') {
		++*at;
		if (!pass_digits(p, n, at))
			return JSON_TOKEN_NUMBER;
	}
	if (*at < n && (p[*at] == 'e' || p[*at] == 'E')) {
		++*at;
		if (*at < n && (p[*at] == '+' || p[*at] == '-'))
			++*at;
		if (!pass_digits(p, n, at))
			return JSON_TOKEN_NUMBER;
	}
	return JSON_TOKEN;
}

enum json_token
json_token_word(const unsigned char *p, size_t n, size_t *at)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (n - *at >= len && memcmp(p + *at, words[i], len) == 0) {
			*at += len;
			return JSON_TOKEN;
		}
	}
	return JSON_TOKEN_WORD;
}
