#include <string.h>

#include "document/unit_file.h"

#define NAME_MAX_BYTES 65536

void
unit_file_init(struct unit_file *u, const char *text, size_t n)
{
	memset(u, 0, sizeof(*u));
	u->text = text;
	u->n = n;
	buf_init(&u->name, NAME_MAX_BYTES);
	buf_init_secret(&u->value, BUF_MAX_FILE);
}

void
unit_file_release(struct unit_file *u)
{
	buf_release(&u->name);
	buf_release(&u->value);
}

static bool
unit_file_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line, without the blanks around it. */
static bool
unit_file_next_line(struct unit_file *u, const char **line, size_t *len)
{
	const char *p = u->text + u->at, *end;
	size_t n;

	if (u->at >= u->n)
		return false;
	end = memchr(p, '\n', u->n - u->at);
	n = end != NULL ? (size_t)(end - p) : u->n - u->at;
	u->at += n + (end != NULL);
	u->line++;
	for (; n > 0 && unit_file_is_blank(*p); n--)
		p++;
	while (n > 0 && unit_file_is_blank(p[n - 1]))
		n--;
	*line = p;
	*len = n;
	return true;
}

static bool
unit_file_is_comment(const char *line, size_t len)
{
	return len > 0 && (line[0] == '#' || line[0] == ';');
}

/* Append a value's line, and those that a backslash at its end continues it with. */
static void
unit_file_append_value(struct unit_file *u, const char *line, size_t len)
{
	while (len > 0 && line[len - 1] == '\\') {
		buf_append(&u->value, line, len - 1);
		buf_append_char(&u->value, ' ');
		/* Comments do not end it. */
		do {
			if (!unit_file_next_line(u, &line, &len))
				return;
		} while (unit_file_is_comment(line, len));
	}
	buf_append(&u->value, line, len);
}

bool
unit_file_next(struct unit_file *u)
{
	static const char service[] = "[Service]";
	const char *line, *equals, *value;
	size_t len, n;

	while (unit_file_next_line(u, &line, &len)) {
		if (len == 0 || unit_file_is_comment(line, len))
			continue;
		if (line[0] == '[') {
			u->in_service = len == sizeof(service) - 1 &&
			    memcmp(line, service, len) == 0;
			continue;
		}
		if (!u->in_service || (equals = memchr(line, '=', len)) == NULL)
			continue;
		u->start = u->line;
		n = (size_t)(equals - line);
		value = equals + 1;
		len -= n + 1;
		while (n > 0 && unit_file_is_blank(line[n - 1]))
			n--;
		for (; len > 0 && unit_file_is_blank(*value); len--)
			value++;
		buf_clear(&u->name);
		buf_clear(&u->value);
		buf_append(&u->name, line, n);
		unit_file_append_value(u, value, len);
		return !u->name.failed && !u->value.failed;
	}
	return false;
}

bool
unit_file_is(const struct unit_file *u, const char *name)
{
	return u->name.len == strlen(name) && memcmp(u->name.data, name, u->name.len) == 0;
}

bool
unit_file_word(const struct unit_file *u, size_t *at, struct buf *word)
{
	const unsigned char *p = u->value.data;
	size_t n = u->value.len, i = *at;
	unsigned char quote = 0;

	buf_clear(word);
	while (i < n && unit_file_is_blank((char)p[i]))
		i++;
	if (i == n)
		return false;
	for (; i < n && (quote != 0 || !unit_file_is_blank((char)p[i])); i++) {
		if (quote == 0 && (p[i] == '"' || p[i] == '\''))
			quote = p[i];
		else if (quote != 0 && p[i] == quote)
			quote = 0;
		else {
			/* Of a backslash and what it escapes, that. */
			if (p[i] == '\\' && i + 1 < n)
				i++;
			buf_append(word, p + i, 1);
		}
	}
	*at = i;
	return true;
}
