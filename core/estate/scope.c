#include "estate/scope.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/glob.h"
#include "base/vec.h"
#include "document/document.h"

#define PATTERNS_MAX 10000

struct scope {
	struct vec patterns;	/* of char *; none: every format that is known */
	struct vec ignored;
};

struct scope *
scope_new(struct error *err)
{
	struct scope *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		error_memory(err);
		return NULL;
	}
	vec_init(&s->patterns, sizeof(char *), PATTERNS_MAX);
	vec_init(&s->ignored, sizeof(char *), PATTERNS_MAX);
	return s;
}

static void
release(struct vec *v)
{
	size_t i;

	for (i = 0; i < v->len; i++)
		free(*(char **)vec_at(v, i));
	vec_release(v);
}

void
scope_free(struct scope *s)
{
	if (s == NULL)
		return;
	release(&s->patterns);
	release(&s->ignored);
	free(s);
}

static int
add(struct vec *v, const char *pattern, struct error *err)
{
	size_t len = strlen(pattern);
	char *copy, **slot;

	while (len > 1 && pattern[len - 1] == '/')
		len--;
	copy = strndup(pattern, len);
	if (copy == NULL || (slot = vec_push(v)) == NULL) {
		free(copy);
		return error_memory(err);
	}
	*slot = copy;
	return 0;
}

int
scope_add_pattern(struct scope *s, const char *pattern, struct error *err)
{
	return add(&s->patterns, pattern, err);
}

int
scope_add_ignored(struct scope *s, const char *pattern, struct error *err)
{
	return add(&s->ignored, pattern, err);
}

/* Where in ${path} as many names are left as ${pattern} has; NULL: too few. */
static const char *
tail(const char *path, const char *pattern)
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
matches_any(const struct vec *v, const char *path)
{
	const char *pattern, *names;
	size_t i;

	for (i = 0; i < v->len; i++) {
		pattern = *(char **)vec_at(v, i);
		names = tail(path, pattern);
		if (names != NULL && glob_match(pattern, names, strlen(names), GLOB_PATH))
			return true;
	}
	return false;
}

bool
scope_takes_file(const struct scope *s, const char *path)
{
	enum document_format format;

	if (!document_format_of(path, &format))
		return false;
	if (s == NULL)
		return true;
	return (s->patterns.len == 0 || matches_any(&s->patterns, path)) &&
	    !matches_any(&s->ignored, path);
}

bool
scope_takes_folder(const struct scope *s, const char *path)
{
	return s == NULL || !matches_any(&s->ignored, path);
}
