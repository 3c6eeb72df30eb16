#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/scope.h"

#define PATTERNS_MAX 10000

struct scope {
	struct vec patterns;	/* of char *; none: every format that is known */
	struct vec formats;	/* of each, of const struct document_format *; NULL: its ending's */
	struct vec ignored;
	const struct document_format *format;	/* of all, NULL: of each */
};

struct scope *
scope_new(struct error *err)
{
	struct scope *s = error_alloc(sizeof(*s), err);

	if (s == NULL)
		return NULL;
	vec_init(&s->patterns, sizeof(char *), PATTERNS_MAX);
	vec_init(&s->formats, sizeof(const struct document_format *), PATTERNS_MAX);
	vec_init(&s->ignored, sizeof(char *), PATTERNS_MAX);
	return s;
}

void
scope_free(struct scope *s)
{
	if (s == NULL)
		return;
	vec_release_strings(&s->patterns);
	vec_release(&s->formats);
	vec_release_strings(&s->ignored);
	free(s);
}

static int
scope_add(struct vec *v, const char *pattern, size_t len, struct error *err)
{
	while (len > 1 && pattern[len - 1] == '/')
		len--;
	return vec_push_string(v, pattern, len) != NULL ? 0 : error_memory(err);
}

int
scope_add_pattern(struct scope *s, const char *pattern, struct error *err)
{
	const struct document_format **format = vec_push(&s->formats);
	size_t len;

	if (format == NULL)
		return error_memory(err);
	*format = scope_pattern_format(pattern, strlen(pattern), &len);
	return scope_add(&s->patterns, pattern, len, err);
}

int
scope_add_ignored(struct scope *s, const char *pattern, struct error *err)
{
	return scope_add(&s->ignored, pattern, strlen(pattern), err);
}

const struct document_format *
scope_pattern_format(const char *pattern, size_t n, size_t *len)
{
	const char *name = memrchr(pattern, '=', n);
	size_t rest;

	*len = n;
	if (name == NULL)
		return NULL;
	rest = n - (size_t)(name + 1 - pattern);
	for (size_t i = 0; document_formats[i] != NULL; i++) {
		if (strlen(document_formats[i]->name) != rest ||
		    memcmp(document_formats[i]->name, name + 1, rest) != 0)
			continue;
		*len = (size_t)(name - pattern);
		return document_formats[i];
	}
	return NULL;
}

/* Where in ${path} as many names are left as ${pattern} has; NULL: too few. */
static const char *
scope_tail(const char *path, const char *pattern)
{
	const char *p = path + strlen(path);
	size_t slashes = 0;

	for (; *pattern != '\0'; pattern++)
		slashes += *pattern == '/';
	while (p > path) {
		if (p[-1] == '/' && slashes-- == 0)
			return p;
		p--;
	}
	return slashes == 0 ? path : NULL;
}

static bool
scope_matches(const char *pattern, const char *path)
{
	const char *names = scope_tail(path, pattern);

	return names != NULL && glob_match(pattern, names, strlen(names), GLOB_PATH);
}

static bool
scope_ignores(const struct scope *s, const char *path)
{
	for (size_t i = 0; i < s->ignored.len; i++)
		if (scope_matches(vec_string(&s->ignored, i), path))
			return true;
	return false;
}

void
scope_set_format(struct scope *s, const struct document_format *format)
{
	s->format = format;
}

/* ${*taken}: is there a pattern that it fits, if there are any? */
static const struct document_format *
scope_look(const struct scope *s, const char *path, bool *taken)
{
	const struct document_format *format;

	*taken = s == NULL || s->patterns.len == 0;
	if (s != NULL && s->format != NULL)
		return s->format;
	for (size_t i = 0; s != NULL && i < s->patterns.len; i++) {
		if (!scope_matches(vec_string(&s->patterns, i), path))
			continue;
		*taken = true;
		format = *(const struct document_format **)vec_at(&s->formats, i);
		if (format != NULL)
			return format;
	}
	return document_format_of(path);
}

const struct document_format *
scope_format(const struct scope *s, const char *path)
{
	bool taken;

	return scope_look(s, path, &taken);
}

bool
scope_takes_file(const struct scope *s, const char *path)
{
	bool taken;

	return scope_look(s, path, &taken) != NULL && taken &&
	    (s == NULL || !scope_ignores(s, path));
}

bool
scope_takes_folder(const struct scope *s, const char *path)
{
	return s == NULL || !scope_ignores(s, path);
}
