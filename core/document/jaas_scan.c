#include "document/jaas_scan.h"

#include <string.h>

#include "base/error.h"
#include "document/jaas_syntax.h"

int
jaas_scan_refuse(const struct jaas_scan *s, size_t at, const char *what, const char *hint)
{
	size_t column = 1;
	size_t i;

	for (i = 0; i < at; i++) {
		if ((s->p[i] & 0xc0) != 0x80)
			column++;
	}
	error_set(s->err, s->certain ? ERROR_REFUSED : ERROR_FORMAT,
	    "column %zu of the JAAS value: %s", column, what);
	return error_hint(s->err, "%s", hint);
}

size_t
jaas_scan_find(const struct jaas_scan *s, size_t at, int c)
{
	const unsigned char *found = at < s->n ? memchr(s->p + at, c, s->n - at) : NULL;

	return found == NULL ? s->n : (size_t)(found - s->p);
}

bool
jaas_scan_is_at(const struct jaas_scan *s, size_t at, unsigned char c)
{
	return at < s->n && s->p[at] == c;
}

/* A comment that starts where a token could: `//` or an asterisk behind the `/`. */
static bool
is_comment(const struct jaas_scan *s, size_t at)
{
	return at + 1 < s->n && s->p[at] == '/' && (s->p[at + 1] == '/' || s->p[at + 1] == '*');
}

static int
pass_comment(struct jaas_scan *s)
{
	size_t from = s->at;

	s->hiding = true;
	if (s->p[from + 1] == '/') {
		while (s->at < s->n && !jaas_is_line_end(s->p[s->at]))
			s->at++;
		s->cut = s->at == s->n;
		return 0;
	}
	for (s->at = from + 2; s->at < s->n; s->at++) {
		if (s->p[s->at] == '*' && jaas_scan_is_at(s, s->at + 1, '/')) {
			s->at += 2;
			return 0;
		}
	}
	return jaas_scan_refuse(s, from, "the comment is not closed", "close it with */");
}

static void
pass_blanks(struct jaas_scan *s)
{
	while (s->at < s->n && jaas_is_blank(s->p[s->at]))
		s->at++;
}

int
jaas_scan_gap(struct jaas_scan *s)
{
	for (;;) {
		pass_blanks(s);
		if (!is_comment(s, s->at))
			return 0;
		if (pass_comment(s) == -1)
			return -1;
	}
}

/*
 * From quote to quote.  A backslash takes the next character with it, a line
 * end too; a line end alone would end the text for Kafka, quote or no quote.
 */
static int
pass_quoted(struct jaas_scan *s)
{
	size_t from = s->at;
	unsigned char quote = s->p[from];
	unsigned char c;

	for (s->at++; s->at < s->n; s->at++) {
		c = s->p[s->at];
		if (c == quote) {
			s->at++;
			return 0;
		}
		if (jaas_is_line_end(c))
			break;
		if (c == '\\' && s->at + 1 < s->n) {
			s->at++;
			s->hiding = s->hiding || jaas_is_line_end(s->p[s->at]);
		}
	}
	return jaas_scan_refuse(s, from, "the quotes that open here are not closed on their line",
	    "close them; inside them write \\\" for a quote and \\n for a line end");
}

int
jaas_scan_name(struct jaas_scan *s, uint32_t *name, uint32_t *len)
{
	size_t from = s->at;
	unsigned char c;

	if (jaas_is_quote(s->p[from])) {
		if (pass_quoted(s) == -1)
			return -1;
		*name = (uint32_t)from + 1;
		*len = (uint32_t)(s->at - from - 2);
		if (*len > 0 && memchr(s->p + *name, '\\', *len) == NULL)
			return 0;
		return jaas_scan_refuse(s, from, "a name in quotes is empty, or has a backslash",
		    "write names without quotes");
	}
	for (; s->at < s->n; s->at++) {
		c = s->p[s->at];
		if (jaas_is_blank(c) || jaas_is_quote(c) || c == '=' || c == ';' || c == '/')
			break;
	}
	*name = (uint32_t)from;
	*len = (uint32_t)(s->at - from);
	if (*len > 0)
		return 0;
	return jaas_scan_refuse(s, from, "there should be a name here", s->certain ?
	    "a value that has blanks, `=` or `;` in it must be in double quotes" : JAAS_HINT_FORM);
}

/* What names of configuration providers are made of. */
static bool
is_provider(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	    c == '-' || c == '.';
}

/*
 * Pass a ${provider:...}, if one starts here.  In one of ours anything may
 * be; what stands in another's must not be able to be anything else.
 */
static int
pass_reference(struct jaas_scan *s, bool *passed)
{
	static const char ours[] = "securepass:";
	size_t from = s->at + 2;
	size_t q = from;
	bool is_ours;

	*passed = false;
	while (q < s->n && is_provider(s->p[q]))
		q++;
	if (q == from || !jaas_scan_is_at(s, q, ':'))
		return 0;
	if (s->brace < q)
		s->brace = jaas_scan_find(s, q, '}');
	is_ours = q + 1 - from == sizeof(ours) - 1 && memcmp(s->p + from, ours, q + 1 - from) == 0;
	if (s->brace == s->n && is_ours)
		return jaas_scan_refuse(s, s->at, "the reference that starts here has no end",
		    JAAS_HINT_QUOTES);
	if (s->brace == s->n)
		return 0;
	for (; q < s->brace; q++) {
		if (jaas_is_line_end(s->p[q]) || (!is_ours && (jaas_is_blank(s->p[q]) ||
		    jaas_is_quote(s->p[q]) || s->p[q] == ';')))
			return jaas_scan_refuse(s, s->at, "this could be a reference or not",
			    JAAS_HINT_QUOTES);
	}
	s->at = s->brace + 1;
	*passed = true;
	return 0;
}

/* A value without quotes: up to a blank, a `;` or the end. */
static int
pass_word(struct jaas_scan *s)
{
	size_t from = s->at;
	unsigned char c;
	bool passed;

	while (s->at < s->n && !jaas_is_blank(s->p[s->at]) && s->p[s->at] != ';') {
		c = s->p[s->at];
		if (jaas_is_quote(c))
			return jaas_scan_refuse(s, s->at, "a quote inside a value without quotes",
			    JAAS_HINT_QUOTES);
		if (c == '=')
			return jaas_scan_refuse(s, s->at, "a `=` in a value without quotes",
			    JAAS_HINT_QUOTES);
		if (c == '$' && jaas_scan_is_at(s, s->at + 1, '{')) {
			if (pass_reference(s, &passed) == -1)
				return -1;
			if (passed)
				continue;
		}
		if (c == '/') {
			s->slash = from + 1;
			s->led = s->led || s->at == from;
		}
		s->at++;
	}
	return 0;
}

int
jaas_scan_value(struct jaas_scan *s, uint32_t *from)
{
	pass_blanks(s);
	*from = (uint32_t)s->at;
	if (s->at == s->n || s->p[s->at] == ';')
		return jaas_scan_refuse(s, s->at, "there should be a value here",
		    "an empty value is written \"\"");
	if (is_comment(s, s->at))
		return jaas_scan_refuse(s, s->at, "this could be the value or a comment",
		    JAAS_HINT_QUOTES);
	return jaas_is_quote(s->p[s->at]) ? pass_quoted(s) : pass_word(s);
}

/*
 * For Kafka an unquoted `/` starts a comment, which goes to the end of the
 * line.  Where that could hide the start of another comment, or make the
 * value of what is on the next line, the two readings drift apart.
 */
int
jaas_scan_end(const struct jaas_scan *s)
{
	if (s->slash == 0 || (!s->hiding && (!s->led ||
	    (jaas_scan_find(s, 0, '\n') == s->n && jaas_scan_find(s, 0, '\r') == s->n))))
		return 0;
	return jaas_scan_refuse(s, s->slash - 1, "a `/` in a value without quotes, in a JAAS "
	    "value of several lines or with comments", JAAS_HINT_QUOTES);
}
