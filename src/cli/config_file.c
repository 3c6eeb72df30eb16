#include "cli/config_file.h"

#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/config_find.h"
#include "cli/config_value.h"

#define FILE_MAX (1U << 20)
#define VALUE_MAX (1U << 20)
#define FOLDER_MAX CONFIG_PATH_MAX

/*
 * inih takes the lines apart.  It does not tell their numbers, cuts long ones
 * in two, and says nothing about unknown or broken sections: so it is fed
 * line by line, by a reader that counts and looks at each line first.
 */
struct reading {
	struct config_file *out;
	struct buf folder;		/* where relative paths begin */
	char *below;			/* where its paths must be, NULL: anywhere */
	const char *text;
	const char *end;
	size_t line;
	bool indented;			/* this line starts with a blank */
	bool ignoring;			/* below a section that is in error */
	bool started;			/* the section has a setting before this line */
	enum setting_id current;	/* that one: an indented line goes on with it */
	config_file_problem *problem;
	void *cookie;
	size_t problems;
	struct error first;
};

static void
tell(struct reading *r, struct error *what, size_t line)
{
	error_place(what, r->out->path, line);
	if (r->problems++ == 0)
		r->first = *what;
	if (r->problem != NULL)
		r->problem(r->cookie, what);
}

static void
tell_text(struct reading *r, const char *text, const char *hint)
{
	struct error what;

	error_set(&what, ERROR_FORMAT, "%s", text);
	error_hint(&what, "%s", hint);
	tell(r, &what, r->line);
}

/* Look at a `[section]` line. */
static bool
check_section(struct reading *r, const char *p, size_t n)
{
	const char *close = memchr(p, ']', n);
	struct error what;
	char name[64];
	const char *near;
	size_t len, rest;

	r->started = false;
	r->ignoring = true;
	if (close == NULL) {
		tell_text(r, "the section has no ]", "a section is [files], [rules], [ui] or "
		    "[locks]");
		return false;
	}
	rest = strspn(close + 1, " \t");
	if (close + 1 + rest < p + n && strchr(";#", close[1 + rest]) == NULL) {
		tell_text(r, "something stands behind the section", "a setting begins on a line "
		    "of its own");
		return false;
	}
	len = (size_t)(close - p) - 1;
	len = len < sizeof(name) ? len : sizeof(name) - 1;
	memcpy(name, p + 1, len);
	name[len] = '\0';
	r->ignoring = !setting_has_section(name);
	if (!r->ignoring)
		return true;
	error_set(&what, ERROR_FORMAT, "unknown section: [%s]", name);
	near = setting_near_section(name);
	if (near != NULL)
		error_hint(&what, "did you mean [%s]?", near);
	else
		error_hint(&what, "the sections are [files], [rules], [ui] and [locks]");
	tell(r, &what, r->line);
	return false;
}

/* An indented line that is meant as a section; inih takes it for a value. */
static bool
is_indented_section(const char *p, size_t n)
{
	char name[16];

	if (n < 3 || n - 2 >= sizeof(name) || p[0] != '[' || p[n - 1] != ']')
		return false;
	memcpy(name, p + 1, n - 2);
	name[n - 2] = '\0';
	return setting_has_section(name);
}

/* Is the line, without its line end, fit for inih?  Tells what is wrong. */
static bool
check_line(struct reading *r, const char *p, size_t n, size_t max)
{
	size_t blanks = 0;
	struct error what;

	while (blanks < n && (p[blanks] == ' ' || p[blanks] == '\t'))
		blanks++;
	r->indented = blanks > 0;
	if (blanks == n || strchr(";#", p[blanks]) != NULL)
		return false;
	if (memchr(p, '\0', n) != NULL) {
		tell_text(r, "there is a NUL byte in the line", "the file must be text");
		return false;
	}
	if (n > max) {
		error_set(&what, ERROR_FORMAT, "the line is too long");
		error_hint(&what, "it may have %zu bytes; a list goes on in indented lines", max);
		tell(r, &what, r->line);
		return false;
	}
	if (r->indented && r->started) {
		if (!is_indented_section(p + blanks, n - blanks))
			return true;
		tell_text(r, "the section is indented, so it belongs to the line before",
		    "begin a section at the start of a line");
		return false;
	}
	if (p[blanks] == '[')
		return check_section(r, p + blanks, n - blanks);
	if (memchr(p, '=', n) == NULL && memchr(p, ':', n) == NULL) {
		tell_text(r, "this is neither a setting nor a section nor a comment",
		    "a setting is `name = value`, a comment begins with # or ;");
		return false;
	}
	return true;
}

/* inih's fgets: the next line that is fit for it. */
static char *
next_line(char *line, int size, void *cookie)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct reading *r = cookie;
	const char *p, *end;
	size_t n, max;

	max = size > 3 ? (size_t)size - 3 : 0;
	while (r->text < r->end) {
		p = r->text;
		end = memchr(p, '\n', (size_t)(r->end - p));
		r->text = end == NULL ? r->end : end + 1;
		n = (size_t)((end == NULL ? r->end : end) - p);
		n -= n > 0 && p[n - 1] == '\r';
		if (r->line++ == 0 && n >= 3 && memcmp(p, mark, 3) == 0) {
			p += 3;
			n -= 3;
		}
		if (!check_line(r, p, n, max))
			continue;
		memcpy(line, p, n);
		line[n] = '\n';
		line[n + 1] = '\0';
		return line;
	}
	return NULL;
}

static void
unknown(struct reading *r, const char *section, const char *name)
{
	char own[SETTING_NAME_MAX];
	const char *other = setting_section_with(name);
	const char *near = setting_near_name(section, name, own);
	struct error what;

	error_set(&what, ERROR_FORMAT, section[0] == '\0' ?
	    "the setting stands before any section" : "unknown setting");
	error_key(&what, name, strlen(name));
	if (other != NULL)
		error_hint(&what, "it belongs below [%s]", other);
	else if (near != NULL)
		error_hint(&what, "did you mean %s?", near);
	else if (section[0] == '\0')
		error_hint(&what, "the sections are [files], [rules], [ui] and [locks]");
	else
		error_hint(&what, "`propseal config show` lists the settings of [%s]", section);
	tell(r, &what, r->line);
}

/* A file that came with a repository must not make us write outside of it. */
static int
check_path(const struct reading *r, enum setting_id id, const char *path, struct error *err)
{
	if (r->below == NULL || setting_kind(id) != SETTING_IS_PATH ||
	    config_find_below(r->below, path))
		return 0;
	error_set(err, ERROR_REFUSED, "a " CONFIG_FILE_NAME " in a git work tree may name files "
	    "below its own folder only, and none in .git: %.300s", path);
	return error_hint(err, "set it in your own ~/.config/propseal/" CONFIG_FILE_NAME
	    ", in a file that " CONFIG_VARIABLE " names, or by --%s",
	    flag_get(setting_get(id)->flag)->name);
}

static void
set(struct reading *r, enum setting_id id, const char *name, const char *value)
{
	char **slot = &r->out->values[id].text;
	struct error what;
	struct buf text;

	buf_init(&text, VALUE_MAX);
	if (*slot != NULL)
		buf_append_str(&text, *slot);
	if (config_value_add(id, value, buf_cstr(&r->folder), &text, &what) == 0 &&
	    check_path(r, id, buf_cstr(&text), &what) == 0) {
		free(*slot);
		if ((*slot = strdup(buf_cstr(&text))) == NULL) {
			error_memory(&what);
			tell(r, &what, r->line);
		}
	} else {
		error_key(&what, name, strlen(name));
		tell(r, &what, r->line);
	}
	buf_release(&text);
}

/* inih's handler: a line with a name and a value. */
static int
take(void *cookie, const char *section, const char *name, const char *value)
{
	struct reading *r = cookie;
	enum setting_id id = setting_find(section, name);
	bool goes_on = r->indented && r->started && id == r->current;
	struct error what;
	size_t *line;

	if (r->ignoring)
		return 1;
	r->started = true;
	r->current = id;
	if (id == SETTING_COUNT) {
		if (!goes_on)
			unknown(r, section, name);
		return 1;
	}
	line = &r->out->values[id].line;
	if (goes_on && !setting_is_list(id)) {
		error_set(&what, ERROR_FORMAT, "an indented line goes on with the one before, "
		    "which takes one value");
		error_hint(&what, "begin each setting at the start of a line");
	} else if (!goes_on && *line != 0) {
		error_set(&what, ERROR_FORMAT, "the setting stands here twice");
		error_hint(&what, "it is on line %zu already", *line);
	} else {
		if (!goes_on)
			*line = r->line;
		set(r, id, name, value == NULL ? "" : value);
		return 1;
	}
	error_key(&what, name, strlen(name));
	tell(r, &what, r->line);
	return 1;
}

static int
parse(struct reading *r, struct buf *content, struct error *err)
{
	int rc;

	r->text = buf_cstr(content);
	r->end = r->text + content->len;
	rc = ini_parse_stream(next_line, r, take, r);
	if (r->problems > 0) {
		*err = r->first;
		return -1;
	}
	if (rc < 0)
		return error_memory(err);
	if (rc > 0) {
		/* Nothing that check_line lets through should come here. */
		error_set(err, ERROR_FORMAT, "a line of this file is not understood");
		error_hint(err, "a setting is `name = value`");
		return error_place(err, r->out->path, 0);
	}
	return 0;
}

static int
load(struct reading *r, bool foreign, struct error *err)
{
	const char *path = r->out->path;
	const char *base = file_basename(path);
	struct buf content;
	struct file_id id;
	int rc = -1;

	buf_init(&content, FILE_MAX);
	buf_append(&r->folder, path, (size_t)(base - path));
	if (file_read(path, &content, &id, err) == 0 && config_find_trusted(path, &id, err) == 0 &&
	    buf_check(&r->folder, err) == 0 &&
	    (!foreign || config_find_work_tree(path, &r->below, err) == 0))
		rc = parse(r, &content, err);
	buf_release(&content);
	return rc;
}

struct config_file *
config_file_read(const char *path, bool foreign, config_file_problem *problem, void *cookie,
    struct error *err)
{
	struct reading r = { .problem = problem, .cookie = cookie };
	int rc = -1;

	r.out = calloc(1, sizeof(*r.out));
	buf_init(&r.folder, FOLDER_MAX);
	if (r.out == NULL || (r.out->path = strdup(path)) == NULL)
		error_memory(err);
	else
		rc = load(&r, foreign, err);
	buf_release(&r.folder);
	free(r.below);
	if (rc == 0)
		return r.out;
	if (problem != NULL && r.problems == 0)
		problem(cookie, err);
	config_file_free(r.out);
	return NULL;
}

void
config_file_free(struct config_file *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < SETTING_COUNT; i++)
		free(f->values[i].text);
	free(f->path);
	free(f);
}
