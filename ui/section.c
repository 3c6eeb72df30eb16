#include "ui/section.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "file/file.h"
#include "file/replace.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/options.h"

#define INI_NAME "propseal.ini"
#define INI_MAX ((size_t)1 << 20)
#define PATH_MAX_BYTES 4096
#define LOCK_MS 10000
#define LINE_MAX_BYTES 197	/* which the reader takes in one line */

/* Is all of it seen where it is read, and UTF-8? */
static bool
section_is_plain(const char *text, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len)
		if ((len = text_utf8_decode((const unsigned char *)text + i, n - i, &cp)) == 0 ||
		    text_is_treacherous(cp))
			return false;
	return true;
}

/* Would the file read it as it is written? */
static int
section_check(const char *what, const char *text, bool is_name, struct error *err)
{
	const size_t n = strlen(text);
	const char *p = text;

	while (*p != '\0' && (unsigned char)*p >= ' ' && *p != 0x7f &&
	    strchr(is_name ? "[];#\"'" : ";#\"'", *p) == NULL)
		p++;
	if (*p == '\0' && n > 0 && text[0] != ' ' && text[n - 1] != ' ' &&
	    section_is_plain(text, n))
		return 0;
	error_set(err, ERROR_FORMAT, "%s cannot stand in " INI_NAME, what);
	return error_hint(err, "it has no blank at its ends, and none of ; # \" ' [ ]");
}

/* The folder that was asked for. */
static int
section_root(const struct app *a, struct buf *out, struct error *err)
{
	const char *path = a->options->paths[0];
	char *folder = document_format_of(path) != NULL ? file_folder(path) : strdup(path);
	int rc = folder == NULL ? error_memory(err) : 0;

	if (rc == 0) {
		/* A file in it need not exist, the folder does. */
		struct buf inside;

		buf_init(&inside, PATH_MAX_BYTES);
		buf_printf(&inside, "%s/" INI_NAME, folder);
		rc = model_absolute_path(buf_cstr(&inside), out, err);
		buf_release(&inside);
	}
	free(folder);
	return rc;
}

/* A path as it stands in ${ini}: from its folder on, if it is below that. */
static const char *
section_relative(const char *ini, const char *path)
{
	const size_t n = (size_t)(file_basename(ini) - ini);

	return strncmp(ini, path, n) == 0 && path[n] != '\0' ? path + n : path;
}

static void
section_append(const struct section *s, const char *ini, struct buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_append_char(out, '\n');
	buf_printf(out, "%s[environment %s]\nsecrets-file = %s\nremote-path = %s\n",
	    out->len > 0 ? "\n" : "", s->name, section_relative(ini, s->secrets_file),
	    s->remote_path);
	if (s->folder == NULL)
		return;
	buf_append_str(out, "files = ");
	/* What stands between patterns, or is special in one. */
	for (const char *p = section_relative(ini, s->folder); *p != '\0'; p++)
		buf_append_char(out, strchr(" \t,[]*!\\", *p) != NULL ? '?' : *p);
	buf_append_char(out, '\n');
}

/* Is no line longer than the file may have them? */
static int
section_check_lines(const struct section *s, const char *ini, struct error *err)
{
	struct buf text;
	size_t longest = 0, n;
	int rc;

	buf_init(&text, INI_MAX);
	section_append(s, ini, &text);
	for (const char *p = buf_cstr(&text); *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		longest = n > longest ? n : longest;
	}
	rc = buf_check(&text, err);
	buf_release(&text);
	if (rc != 0 || longest <= LINE_MAX_BYTES)
		return rc;
	error_set(err, ERROR_LIMIT, "name or path is too long for " INI_NAME);
	return error_hint(err, "a line of it may have %d bytes", LINE_MAX_BYTES);
}

int
section_place(const struct app *a, const struct section *s, struct buf *ini, struct error *err)
{
	const struct environment_source *from = a->options->environments;
	const struct environment_section *all = NULL;
	const char *above = "";
	char *folder;
	size_t n = 0;
	int rc;

	if (from == NULL) {
		error_set(err, ERROR_REFUSED, "no " INI_NAME " is read here");
		return -1;
	}
	if (section_check("this name", s->name, true, err) != 0 ||
	    section_check("this path of the secrets file", s->secrets_file, false, err) != 0 ||
	    section_check("this remote path", s->remote_path, false, err) != 0 ||
	    (s->folder != NULL && section_check("the folder of these files", s->folder, false,
	    err) != 0))
		return -1;
	if ((folder = file_folder(s->secrets_file)) == NULL)
		return error_memory(err);
	rc = from->sections(from->cookie, folder, &all, &n, &above, err);
	free(folder);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (strcmp(all[i].name, s->name) == 0) {
			error_set(err, ERROR_EXISTS, "there is an environment of this name");
			return error_place(err, all[i].ini, all[i].line);
		}
	if (rc == 0 && above[0] != '\0')
		buf_printf(ini, "%s/" INI_NAME, above);
	else if (rc == 0)
		rc = section_root(a, ini, err);
	if (rc == 0 && (rc = buf_check(ini, err)) == 0)
		rc = section_check_lines(s, buf_cstr(ini), err);
	return rc;
}

int
section_write(struct app *a, const struct section *s, struct error *err)
{
	const struct environment_source *from = a->options->environments;
	struct buf ini, text;
	int rc;

	buf_init(&ini, PATH_MAX_BYTES);
	buf_init(&text, INI_MAX);
	rc = section_place(a, s, &ini, err);
	if (rc == 0 && file_read(buf_cstr(&ini), &text, NULL, err) != 0 &&
	    err->code != ERROR_MISSING)
		rc = -1;
	if (rc == 0) {
		section_append(s, buf_cstr(&ini), &text);
		rc = replace_file_locked(buf_cstr(&ini), LOCK_MS, &text, err);
	}
	if (rc == 0)
		from->changed(from->cookie);
	buf_release(&text);
	buf_release(&ini);
	return rc;
}
