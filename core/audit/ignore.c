#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/ignore.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "file/file.h"

#define FILE_BYTES_MAX ((size_t)4 << 20)
#define RULES_MAX ((size_t)1 << 20)
#define PATH_BYTES_MAX 65536

struct ignore_rule {
	char *pattern;		/* its segments, with / between */
	size_t folder;		/* of paths so many bytes are the folder of its file */
	bool negated;
	bool folders_only;
	bool anchored;		/* it has the whole path below the folder, not a name */
};

struct ignore {
	struct vec rules;	/* struct ignore_rule, the highest folder's first */
};

/* The next segment at ${p}: its length; ${*next} is behind its slash. */
static size_t
ignore_segment(const char *p, const char **next)
{
	size_t n = strcspn(p, "/");

	*next = p + n + (p[n] == '/');
	return n;
}

static bool
ignore_is_any(const char *p)
{
	return p[0] == '*' && p[1] == '*' && (p[2] == '/' || p[2] == '\0');
}

/* Does one segment of a pattern match one of a path? */
static bool
ignore_match_one(const char *pattern, size_t n, const char *name, size_t len)
{
	char small[256], *text = n < sizeof(small) ? small : malloc(n + 1);
	bool is;

	if (text == NULL)
		return false;
	memcpy(text, pattern, n);
	text[n] = '\0';
	/* What git takes for the same. */
	for (char *p = text; (p = strstr(p, "[^")) != NULL; p += 2)
		if (p == text || p[-1] != '\\')
			p[1] = '!';
	is = glob_match(text, name, len, 0);
	if (text != small)
		free(text);
	return is;
}

/* All segments of both; `**` is any number of them, but at the end not none. */
static bool
ignore_match(const char *pattern, const char *path)
{
	const char *star = NULL, *retry = NULL, *next, *after;
	size_t n, len;

	while (*path != '\0') {
		if (*pattern != '\0' && ignore_is_any(pattern)) {
			if (pattern[2] == '\0')
				return true;
			star = pattern += 3;
			retry = path;
			continue;
		}
		len = ignore_segment(path, &after);
		n = ignore_segment(pattern, &next);
		if (*pattern != '\0' && ignore_match_one(pattern, n, path, len)) {
			pattern = next;
			path = after;
			continue;
		}
		if (star == NULL)
			return false;
		/* The last `**` takes one more. */
		(void)ignore_segment(retry, &retry);
		path = retry;
		pattern = star;
	}
	return *pattern == '\0';
}

static int
ignore_add(struct ignore *g, const char *line, size_t n, size_t folder, struct error *err)
{
	struct ignore_rule r = { .folder = folder }, *slot;

	if (n > 0 && line[n - 1] == '\r')
		n--;
	while (n > 0 && line[n - 1] == ' ' && (n == 1 || line[n - 2] != '\\'))
		n--;
	if (n == 0 || line[0] == '#')
		return 0;
	if (line[0] == '!') {
		r.negated = true;
		line++;
		n--;
	}
	if (n > 0 && line[n - 1] == '/') {
		r.folders_only = true;
		n--;
	}
	r.anchored = memchr(line, '/', n) != NULL;
	if (n > 0 && line[0] == '/') {
		line++;
		n--;
	}
	if (n == 0)
		return 0;
	if ((r.pattern = text_copy(line, n)) == NULL || (slot = vec_push(&g->rules)) == NULL) {
		free(r.pattern);
		return error_memory(err);
	}
	*slot = r;
	return 0;
}

/* The file ${name} of a folder, whose patterns are of that folder. */
static int
ignore_read(struct ignore *g, const char *folder, const char *name, struct error *err)
{
	const size_t n = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	struct buf path, text;
	struct error why;
	int rc = 0;

	buf_init(&path, PATH_BYTES_MAX);
	buf_init(&text, FILE_BYTES_MAX);
	buf_append(&path, folder, n);
	buf_append_char(&path, '/');
	buf_append_str(&path, name);
	if (buf_check(&path, err) != 0) {
		rc = -1;
	} else if (file_read(buf_cstr(&path), &text, NULL, &why) != 0) {
		if (why.code != ERROR_MISSING) {
			*err = why;
			rc = -1;
		}
	}
	for (size_t at = 0, len; rc == 0 && at < text.len; at += len + 1) {
		const char *line = (const char *)text.data + at;
		const char *end = memchr(line, '\n', text.len - at);

		len = end != NULL ? (size_t)(end - line) : text.len - at;
		rc = ignore_add(g, line, len, n, err);
	}
	buf_release(&text);
	buf_release(&path);
	return rc;
}

/* The files of the folders above ${root}, from the top of the work tree on. */
static int
ignore_read_above(struct ignore *g, char *root, struct error *err)
{
	struct buf path;
	struct stat st;
	char *end = root + strlen(root);
	int rc = 0;

	buf_init(&path, PATH_BYTES_MAX);
	/* Where is the top? */
	for (;;) {
		buf_clear(&path);
		buf_printf(&path, "%.*s/.git", (int)(end - root), root);
		if (buf_check(&path, NULL) == 0 && stat(buf_cstr(&path), &st) == 0)
			break;
		if (end == root) {
			buf_release(&path);
			return 0;
		}
		do
			end--;
		while (end > root && *end != '/');
	}
	buf_release(&path);
	/* And down again, less the root itself, which is entered. */
	for (bool top = true; rc == 0; top = false) {
		char kept = *end;

		*end = '\0';
		if (top)
			rc = ignore_read(g, end == root ? "/" : root, ".git/info/exclude", err);
		if (rc == 0 && kept != '\0')
			rc = ignore_read(g, end == root ? "/" : root, ".gitignore", err);
		*end = kept;
		if (kept == '\0')
			break;
		end += 1 + strcspn(end + 1, "/");
	}
	return rc;
}

struct ignore *
ignore_new(const char *root, struct error *err)
{
	struct ignore *g = error_alloc(sizeof(*g), err);
	char *copy = g != NULL ? strdup(strcmp(root, "/") == 0 ? "" : root) : NULL;
	int rc = -1;

	if (g == NULL)
		return NULL;
	vec_init(&g->rules, sizeof(struct ignore_rule), RULES_MAX);
	if (copy == NULL)
		error_memory(err);
	else
		rc = ignore_read_above(g, copy, err);
	free(copy);
	if (rc == 0)
		return g;
	ignore_free(g);
	return NULL;
}

void
ignore_leave(struct ignore *g, size_t mark)
{
	for (; g->rules.len > mark; g->rules.len--)
		free(((struct ignore_rule *)vec_at(&g->rules, g->rules.len - 1))->pattern);
}

void
ignore_free(struct ignore *g)
{
	if (g == NULL)
		return;
	ignore_leave(g, 0);
	vec_release(&g->rules);
	free(g);
}

int
ignore_enter(struct ignore *g, const char *folder, size_t *mark, struct error *err)
{
	*mark = g->rules.len;
	if (ignore_read(g, folder, ".gitignore", err) == 0)
		return 0;
	ignore_leave(g, *mark);
	return -1;
}

bool
ignore_leaves_out(const struct ignore *g, const char *path, bool is_folder)
{
	const char *name = file_basename(path);

	for (size_t i = g->rules.len; i-- > 0;) {
		const struct ignore_rule *r = vec_at(&g->rules, i);

		if (r->folders_only && !is_folder)
			continue;
		if (r->anchored ? ignore_match(r->pattern, path + r->folder + 1) :
		    ignore_match_one(r->pattern, strlen(r->pattern), name, strlen(name)))
			return !r->negated;
	}
	return false;
}
