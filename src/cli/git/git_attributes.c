#include "cli/git/git_attributes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "cli/git/git.h"
#include "cli/git/git_setup.h"
#include "common/options.h"
#include "secrets/secrets_file.h"

#define TEXT_MAX BUF_MAX_FILE

void
git_attributes_init(struct git_attributes *a)
{
	a->setup = NULL;
	a->o = NULL;
	buf_init(&a->added, TEXT_MAX);
	buf_init(&a->text, TEXT_MAX);
}

void
git_attributes_release(struct git_attributes *a)
{
	buf_release(&a->added);
	buf_release(&a->text);
}

/* A path as a pattern of gitattributes(5), anchored at the top. */
static void
append_pattern(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._/+-,@%~=";
	bool quote = path[strspn(path, plain)] != '\0';

	buf_append_str(out, quote ? "\"/" : "/");
	for (; *path != '\0'; path++) {
		/* A backslash for the pattern, and in quotes one more for each. */
		if (strchr("*?[\\", *path) != NULL)
			buf_append_str(out, "\\\\");
		if (*path == '\\' || *path == '"')
			buf_append_char(out, '\\');
		if ((unsigned char)*path < ' ')
			buf_printf(out, "\\%03o", (unsigned int)(unsigned char)*path);
		else
			buf_append_char(out, *path);
	}
	buf_append_str(out, quote ? "\"" : "");
}

/* Is there such a line already? */
static bool
has_line(const struct buf *text, const struct buf *line)
{
	const unsigned char *p = text->data, *end;
	size_t n = text->len, len;

	while (n > 0) {
		end = memchr(p, '\n', n);
		len = end != NULL ? (size_t)(end - p) : n;
		if ((len == line->len || (len == line->len + 1 && p[len - 1] == '\r')) &&
		    memcmp(p, line->data, line->len) == 0)
			return true;
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	return false;
}

/* Add the line of a pattern, once. */
static int
add_line(struct git_attributes *a, const struct buf *pattern, struct error *err)
{
	struct buf line;
	int rc;

	buf_init(&line, 65536);
	buf_append(&line, pattern->data, pattern->len);
	buf_append_str(&line, GIT_SETUP_ATTRIBUTES);
	if ((rc = buf_check(&line, err)) == 0 && !has_line(&a->text, &line) &&
	    !has_line(&a->added, &line)) {
		buf_append(&a->added, line.data, line.len);
		buf_append_char(&a->added, '\n');
	}
	buf_release(&line);
	return rc;
}

static int
add_path(struct git_attributes *a, const char *path, struct error *err)
{
	struct buf pattern;
	int rc;

	buf_init(&pattern, 65536);
	append_pattern(&pattern, path);
	rc = buf_check(&pattern, err);
	if (rc == 0)
		rc = add_line(a, &pattern, err);
	buf_release(&pattern);
	return rc;
}

static bool
is_secrets_file(const char *path)
{
	struct secrets_file *s = secrets_file_load(path, NULL);
	bool is = s != NULL && secrets_file_recognise(secrets_file_document(s));

	secrets_file_free(s);
	return is;
}

/* Every secrets file of the work tree that git does not ignore. */
static int
add_found(struct git_attributes *a, size_t *found, struct error *err)
{
	const char *top = buf_cstr(&a->setup->top);
	const char *argv[] = { "-C", top, "ls-files", "-z", "--cached", "--others",
		"--exclude-standard", "--", "*.properties", NULL };
	struct buf list, path;
	const char *name;
	size_t at, len;
	int rc;

	buf_init(&list, TEXT_MAX);
	buf_init(&path, 65536);
	rc = git_run(argv, &list, NULL, err);
	for (at = 0; rc == 0 && at < list.len; at += len + 1) {
		name = (const char *)list.data + at;
		len = strnlen(name, list.len - at);
		buf_clear(&path);
		buf_printf(&path, "%s/%s", top, name);
		if (!is_secrets_file(buf_cstr(&path)))
			continue;
		++*found;
		rc = add_path(a, name, err);
	}
	buf_release(&path);
	buf_release(&list);
	return rc;
}

/* The secrets file that was named, by its place in the work tree. */
static int
add_named(struct git_attributes *a, const char *path, size_t *found, struct error *err)
{
	char *real = realpath(path, NULL), *top = realpath(buf_cstr(&a->setup->top), NULL);
	size_t n = top != NULL ? strlen(top) : 0;
	int rc = 0;

	if (real == NULL)
		rc = error_io(err, path, "cannot find");
	else if (top == NULL || strncmp(real, top, n) != 0 || real[n] != '/') {
		/* That of propseal.ini need not be meant. */
		if (a->o->from[FLAG_LOCAL_SECRETS_FILE] != NULL)
			goto done;
		error_set(err, ERROR_USAGE, "the secrets file is not in this work tree");
		rc = error_place(err, path, 0);
	} else
		rc = add_path(a, real + n + 1, err);
	*found += rc == 0;
done:
	free(real);
	free(top);
	return rc;
}

static int
choose_files(struct git_attributes *a, struct error *err)
{
	const char *named = a->o->text[FLAG_LOCAL_SECRETS_FILE];
	struct buf pattern;
	size_t found = a->o->arg_count;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->o->arg_count; i++) {
		buf_init(&pattern, 65536);
		buf_append_str(&pattern, a->o->args[i]);
		if (strpbrk(a->o->args[i], " \t\n\"") != NULL)
			rc = error_set(err, ERROR_USAGE, "a pattern has no blanks or quotes: %s",
			    a->o->args[i]);
		else
			rc = add_line(a, &pattern, err);
		buf_release(&pattern);
	}
	if (rc == 0 && named != NULL)
		rc = add_named(a, named, &found, err);
	if (rc == 0 && found == 0)
		rc = add_found(a, &found, err);
	if (rc != 0 || found > 0)
		return rc;
	error_set(err, ERROR_MISSING, "there is no secrets file in this work tree");
	return error_hint(err, "name it by a pattern as in .gitattributes: propseal git install "
	    "secrets.properties");
}

int
git_attributes_plan(struct git_attributes *a, struct git_setup *setup, const struct options *o,
    struct error *err)
{
	struct buf comment;
	bool exists;

	a->setup = setup;
	a->o = o;
	if (git_setup_read(&setup->attributes, &a->text, &exists, err) != 0 ||
	    choose_files(a, err) != 0)
		return -1;
	if (a->added.len == 0)
		return 0;
	if (a->text.len > 0 && a->text.data[a->text.len - 1] != '\n')
		buf_append_char(&a->text, '\n');
	buf_init(&comment, 4096);
	buf_append_str(&comment, GIT_SETUP_COMMENT);
	if (!has_line(&a->text, &comment))
		buf_append_str(&a->text, GIT_SETUP_COMMENT "\n");
	buf_release(&comment);
	buf_append(&a->text, a->added.data, a->added.len);
	return buf_check(&a->text, err);
}
