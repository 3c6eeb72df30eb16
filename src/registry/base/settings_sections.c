#include "registry/base/settings_sections.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* Does the next line belong to this one, of ${n} bytes? */
static bool
is_continued(const unsigned char *p, size_t n)
{
	size_t backslashes = 0;

	if (n > 0 && p[n - 1] == '\r')
		n--;
	while (backslashes < n && p[n - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

/* A line that begins with [, of ${n} bytes. */
static int
take(struct settings_sections *s, unsigned char *p, size_t n, size_t line, struct error *err)
{
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	if (n < 3 || p[n - 1] != ']') {
		error_set(err, ERROR_FORMAT, "the line begins with [ but is no section");
		return error_hint(err, "a section is [NAME], on a line of its own");
	}
	if (s->count == SETTINGS_SECTIONS_MAX || n - 2 >= SETTINGS_SECTION_NAME)
		return error_set(err, ERROR_LIMIT, "too many sections, or too long a name");
	s->all[s->count].line = line;
	memcpy(s->all[s->count].name, p + 1, n - 2);
	s->all[s->count].name[n - 2] = '\0';
	s->count++;
	*p = '#';
	return 0;
}

int
settings_sections_find(struct settings_sections *s, struct buf *text, const char *file,
    struct error *err)
{
	bool continued = false;
	size_t line = 1;
	size_t at = 0;
	size_t end;
	unsigned char *p;

	s->count = 0;
	for (; at < text->len; at = end + 1, line++) {
		p = memchr(text->data + at, '\n', text->len - at);
		end = p != NULL ? (size_t)(p - text->data) : text->len;
		/* What goes on from the line before is a value, whatever it is. */
		if (continued) {
			continued = is_continued(text->data + at, end - at);
			continue;
		}
		while (at < end && is_blank(text->data[at]))
			at++;
		if (at == end)
			continue;
		p = text->data + at;
		if (*p == ';')
			*p = '#';
		else if (*p == '[' && take(s, p, end - at, line, err) != 0)
			return error_place(err, file, line);
		continued = *p != '#' && *p != '!' && is_continued(p, end - at);
	}
	return 0;
}

const char *
settings_sections_at(const struct settings_sections *s, size_t line)
{
	const char *name = NULL;
	size_t i;

	for (i = 0; i < s->count && s->all[i].line < line; i++)
		name = s->all[i].name;
	return name;
}
