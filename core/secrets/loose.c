#include "secrets/loose.h"

#include <string.h>

#include "secrets/rules.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static size_t
skip(const char *p, size_t at, size_t n, const char *set)
{
	while (at < n && p[at] != '\0' && strchr(set, p[at]) != NULL)
		at++;
	return at;
}

static bool
is_secret(const char *value, size_t n)
{
	while (n > 0 && (value[n - 1] == ',' || is_blank(value[n - 1])))
		n--;
	if (n > 1 && value[0] == '"' && value[n - 1] == '"') {
		value++;
		n -= 2;
	}
	return n > 0 && !(n == 1 && (value[0] == '{' || value[0] == '[')) &&
	    !(n > 1 && value[0] == '$' && value[1] == '{');
}

/* Take a line apart; false: it is not of that form. */
static bool
take_apart(const char *p, size_t n, struct loose *out)
{
	size_t at = skip(p, 0, n, " \t\f"), start, end;

	out->commented = at < n && (p[at] == '#' || p[at] == '!');
	at = skip(p, at, n, " \t\f#!");
	at += at < n && p[at] == '"';
	start = at;
	while (at < n && !is_blank(p[at]) && p[at] != '=' && p[at] != ':' && p[at] != '"')
		at++;
	end = at;
	at += at < n && p[at] == '"';
	at = skip(p, at, n, " \t\f");
	if (end == start || at == n || (p[at] != '=' && p[at] != ':'))
		return false;
	at = skip(p, at + 1, n, " \t\f");
	while (n > at && is_blank(p[n - 1]))
		n--;
	out->key = p + start;
	out->key_len = end - start;
	out->value = at;
	out->value_len = n - at;
	return is_secret(p + at, n - at);
}

bool
loose_next(const struct rules *r, const char *text, size_t n, struct loose_place *place,
    struct loose *out)
{
	size_t start, end;
	bool found;

	while (place->at < n) {
		start = end = place->at;
		while (end < n && text[end] != '\n' && text[end] != '\r')
			end++;
		found = take_apart(text + start, end - start, out) &&
		    rules_sensitive(r, out->key, out->key_len);
		out->value += start;
		out->line = place->line++;
		place->at = end + 1;
		if (place->at < n && text[end] == '\r' && text[place->at] == '\n')
			place->at++;
		if (found)
			return true;
	}
	return false;
}
