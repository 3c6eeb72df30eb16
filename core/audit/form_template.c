#include <string.h>

#include "audit/form.h"

/*
 * Templates of YAML, as Helm and Ansible have them.  What stands by itself on
 * its lines, as `{{- if .Values.tls }}`, is no YAML, and a value that begins
 * with `{{` is a mapping there: the lines around them would not be read.
 */

static const struct {
	const char *open, *close;
} marks[] = { { "{{", "}}" }, { "{%", "%}" }, { "{#", "#}" } };

/* Longer ones are none: the search for an end is bounded, whatever the text is. */
#define ACTION_MAX 1024

/* Behind the action that begins at ${at}; 0: none does, or it does not end. */
static size_t
template_end(const char *p, size_t at, size_t n)
{
	const size_t left = n - at < ACTION_MAX ? n - at : ACTION_MAX;
	const char *close;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (left < 4 || memcmp(p + at, marks[i].open, 2) != 0)
			continue;
		close = memmem(p + at + 2, left - 2, marks[i].close, 2);
		return close != NULL ? (size_t)(close - p) + 2 : 0;
	}
	return 0;
}

/* Behind the actions that are all that there is on the lines from ${at} on; 0: there is more, which
 * begins at ${*more}. */
static size_t
template_whole(const char *p, size_t at, size_t n, size_t *more)
{
	size_t end;

	while ((end = template_end(p, at, n)) > 0) {
		for (at = end; at < n && form_is_blank(p[at]); at++)
			;
		if (at == n || p[at] == '\n')
			return at;
	}
	*more = at;
	return 0;
}

/* A value that begins with an action becomes one that begins with what a shell would put there. */
static void
template_value(char *p, size_t at, size_t end)
{
	size_t close;

	for (size_t i = at + 2; i < end; i++) {
		if (p[i] != '{' || !form_is_blank(p[i - 1]) ||
		    (p[i - 2] != ':' && p[i - 2] != '-') ||
		    (close = template_end(p, i, end)) == 0)
			continue;
		memcpy(p + i, "$(", 2);
		memcpy(p + close - 2, " )", 2);
		return;
	}
}

void
form_hide_actions(char *p, size_t n)
{
	const char *end;
	size_t at = 0, first, whole, to, more = 0;

	while (at < n) {
		for (first = at; first < n && form_is_blank(p[first]); first++)
			;
		/* Lines inside of actions with more behind them lead to it again. */
		if (first >= more && (whole = template_whole(p, first, n, &more)) > 0) {
			for (; first < whole; first++)
				p[first] = p[first] == '\n' ? '\n' : ' ';
			at = whole + 1;
			continue;
		}
		end = memchr(p + at, '\n', n - at);
		to = end != NULL ? (size_t)(end - p) : n;
		template_value(p, at, to);
		at = to + 1;
	}
}
