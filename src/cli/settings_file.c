#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/text.h"
#include "cli/settings.h"
#include "client/url.h"
#include "common/args.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "file/file.h"
#include "ui/keymap.h"

#define SEPARATORS " \t,"
#define ENVIRONMENTS_MAX 10000

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
	bool foreign;			/* not the user's own choice */
	char *below;			/* where its paths must be, NULL: anywhere */
	const char *text;
	const char *end;
	size_t line;
	bool indented;			/* this line starts with a blank */
	bool ignoring;			/* below a section that is in error */
	bool started;			/* the section has a setting before this line */
	enum setting_id current;	/* that one: an indented line goes on with it */
	bool in_environment;		/* below [environment NAME], the last one of out's */
	config_file_problem *problem;
	void *cookie;
	size_t problems;
	struct error first;
};

const char *
config_value_next(const char *list, size_t *len)
{
	list += strspn(list, SEPARATORS);
	*len = strcspn(list, SEPARATORS);
	return *len > 0 ? list : NULL;
}

static int
config_value_bad(struct error *err, const char *text, const char *hint)
{
	error_set(err, ERROR_FORMAT, "%s", text);
	return error_hint(err, "%s", hint);
}

static int
config_value_add_path(const char *value, const char *folder, struct buf *out, struct error *err)
{
	const char *home;

	if (value[0] == '~') {
		home = getenv("HOME");
		if (value[1] != '/')
			return config_value_bad(err, "this is no path",
			    "only ~/ stands for a home folder: your own");
		if (home == NULL || home[0] != '/')
			return config_value_bad(err, "there is no home folder",
			    "set HOME, or write the whole path");
		buf_append_str(out, home);
		value++;
	} else if (value[0] != '/' && folder[0] != '\0') {
		buf_append_str(out, folder);
		if (folder[strlen(folder) - 1] != '/')
			buf_append_char(out, '/');
	}
	buf_append_str(out, value);
	return 0;
}

static int
add_remote(const char *value, struct buf *out, struct error *err)
{
	if (strpbrk(value, ":}") != NULL)
		return config_value_bad(err, "this path cannot stand in a reference",
		    "Kafka could not take ${securepass:PATH:KEY} apart with a `:` or `}` in "
		    "the path");
	buf_append_str(out, value);
	return 0;
}

static int
add_class(const char *value, struct buf *out, struct error *err)
{
	for (const char *p = value; *p != '\0'; p++)
		if (!ascii_is_alnum(*p) && *p < 0x7f && strchr("._$", *p) == NULL)
			return config_value_bad(err, "this is no name of a Java class",
			    "such as org.example.SecurePassConfigProvider");
	buf_append_str(out, value);
	return 0;
}

static int
config_value_add_url(const char *value, struct buf *out, struct error *err)
{
	struct url u;

	if (url_parse(&u, value, err) == 0) {
		buf_append_str(out, value);
		return 0;
	}
	if (err != NULL)
		err->code = ERROR_FORMAT;
	return -1;
}

/* A name pattern that no format can have would find nothing, without a word. */
static int
config_value_check_pattern(const char *p, size_t len, struct error *err)
{
	const char *end;
	size_t n;

	if (strchr("*]?", p[len - 1]) != NULL || scope_pattern_format(p, len, &n) != NULL)
		return 0;
	for (size_t i = 0; document_formats[i] != NULL; i++) {
		end = document_formats[i]->ending;
		n = strlen(end);
		if (len >= n && memcmp(p + len - n, end, n) == 0)
			return 0;
	}
	error_set(err, ERROR_FORMAT, "no configuration file has a name of this pattern: %.*s",
	    (int)(len > 200 ? 200 : len), p);
	return error_hint(err, "the names of configuration files end in " DOCUMENT_ENDINGS
	    "; others are taken by PATTERN=properties or PATTERN=json");
}

static int
add_list(unsigned kind, const char *value, struct buf *out, struct error *err)
{
	const char *part = value;
	size_t len;

	while ((part = config_value_next(part, &len)) != NULL) {
		if (kind == SETTING_IS_PATTERNS && config_value_check_pattern(part, len, err) != 0)
			return -1;
		if (out->len > 0)
			buf_append_char(out, ' ');
		buf_append(out, part, len);
		part += len;
	}
	return 0;
}

static int
add_choice(const char *choices, const char *value, struct buf *out, struct error *err)
{
	char word[64];
	const char *p;
	size_t len;

	if (setting_choice(choices, value) != -1) {
		buf_append_str(out, value);
		return 0;
	}
	error_set(err, ERROR_FORMAT, "there is no %.200s", value);
	for (p = choices; *p != '\0'; p += len + (p[len] == '|')) {
		len = strcspn(p, "|");
		if (len < sizeof(word)) {
			memcpy(word, p, len);
			word[len] = '\0';
			if (near_word(value, strlen(value), word))
				return error_hint(err, "did you mean %s?", word);
		}
	}
	return error_hint(err, "it takes %s", choices);
}

static int
add_seconds(const struct flag *flag, const char *value, struct buf *out, struct error *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < flag->min || n > flag->max) {
		error_set(err, ERROR_FORMAT, "this is no number of seconds");
		return error_hint(err, "a whole number from %d to %d%s", flag->min < 0 ? 0 :
		    flag->min, flag->max, flag->min < 0 ? ", or -1 for without end" : "");
	}
	buf_printf(out, "%ld", n);
	return 0;
}

static int
config_value_add_binding(enum action_id id, const char *value, struct buf *out, struct error *err)
{
	struct bindings b;

	bindings_init(&b);
	if (bindings_set(&b, id, value, err) != 0)
		return -1;
	bindings_append(&b, id, out);
	return 0;
}

static int
add(enum setting_id id, const char *value, const char *folder, struct buf *out, struct error *err)
{
	switch (setting_kind(id)) {
	case SETTING_IS_PATH:
		return config_value_add_path(value, folder, out, err);
	case SETTING_IS_REMOTE:
		return add_remote(value, out, err);
	case SETTING_IS_CLASS:
		return add_class(value, out, err);
	case SETTING_IS_URL:
		return config_value_add_url(value, out, err);
	case SETTING_TEXT:
	case SETTING_IS_COMMAND:
		buf_append_str(out, value);
		return 0;
	case SETTING_IS_PATTERNS:
	case SETTING_IS_IGNORED:
	case SETTING_IS_KEYS:
	case SETTING_IS_VARIABLES:
		return add_list(setting_kind(id), value, out, err);
	case SETTING_SWITCH:
	case SETTING_CHOICE:
		return add_choice(setting_get(id)->field.choices, value, out, err);
	case SETTING_SIZE:
		buf_append_str(out, value);
		return setting_store(&setting_get(id)->field, &(size_t){ 0 }, value, err);
	case SETTING_IS_SECONDS:
		return add_seconds(flag_get(setting_get(id)->flag), value, out, err);
	case SETTING_IS_LOOK:
		buf_append_str(out, value);
		return look_parse(value, &(struct look){ 0 }, err);
	case SETTING_IS_BINDING:
		return config_value_add_binding(setting_action(id), value, out, err);
	}
	return 0;
}

/**
 * config_value_add(id, value, folder, out, err):
 * Check one line's value of a setting and append it to ${out} (not secret):
 * a path made whole (relative ones begin at ${folder}, "" for the current
 * one; ~/ at the home folder), a list's parts with one blank between.
 * ERROR_FORMAT without a place.
 */
static int
config_value_add(enum setting_id id, const char *value, const char *folder, struct buf *out,
    struct error *err)
{
	size_t len;

	if (value[0] == '\0' || (setting_is_list(id) && config_value_next(value, &len) == NULL))
		return config_value_bad(err, "there is no value",
		    setting_kind(id) == SETTING_IS_BINDING ?
		    "`none` takes the action's keys away" :
		    "take the line out to have the built-in one");
	if (add(id, value, folder, out, err) != 0)
		return -1;
	return buf_check(out, err);
}

static void
config_file_tell(struct reading *r, struct error *what, size_t line)
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
	config_file_tell(r, &what, r->line);
}

/* Begin [environment ${name}]. */
static bool
begin_environment(struct reading *r, const char *name, size_t len)
{
	struct vec *all = &r->out->environments;
	struct environment_section *s;
	struct error what;

	while (len > 0 && (name[0] == ' ' || name[0] == '\t')) {
		name++;
		len--;
	}
	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--;
	if (len == 0) {
		tell_text(r, "the environment has no name", "[environment NAME]");
		return false;
	}
	for (size_t i = 0; i < all->len; i++) {
		s = vec_at(all, i);
		if (strlen(s->name) != len || memcmp(s->name, name, len) != 0)
			continue;
		error_set(&what, ERROR_FORMAT, "the environment stands here twice: %s", s->name);
		error_hint(&what, "it is on line %zu already", s->line);
		config_file_tell(r, &what, r->line);
		return false;
	}
	if ((s = vec_push(all)) == NULL || (s->name = strndup(name, len)) == NULL) {
		error_memory(&what);
		config_file_tell(r, &what, r->line);
		return false;
	}
	s->ini = r->out->path;
	s->line = r->line;
	s->foreign = r->out->foreign;
	r->in_environment = true;
	r->ignoring = false;
	return true;
}

/* What follows `environment`, if that is what the section's name begins with. */
static const char *
after_environment(const char *name, size_t n)
{
	static const char word[] = SETTING_ENVIRONMENTS;
	const size_t len = sizeof(word) - 1;

	return n >= len && memcmp(name, word, len) == 0 && (n == len || name[len] == ' ' ||
	    name[len] == '\t') ? name + len : NULL;
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
	r->in_environment = false;
	if (close == NULL) {
		error_set(&what, ERROR_FORMAT, "the section has no ]");
		setting_hint_sections(&what);
		config_file_tell(r, &what, r->line);
		return false;
	}
	rest = strspn(close + 1, " \t");
	if (close + 1 + rest < p + n && strchr(";#", close[1 + rest]) == NULL) {
		tell_text(r, "something stands behind the section", "a setting begins on a line "
		    "of its own");
		return false;
	}
	len = (size_t)(close - p) - 1;
	if ((near = after_environment(p + 1, len)) != NULL)
		return begin_environment(r, near, (size_t)(close - near));
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
		setting_hint_sections(&what);
	config_file_tell(r, &what, r->line);
	return false;
}

/* An indented line that is meant as a section; inih takes it for a value. */
static bool
is_indented_section(const char *p, size_t n)
{
	char name[16];

	if (n > 2 && p[0] == '[' && p[n - 1] == ']' && after_environment(p + 1, n - 2) != NULL)
		return true;
	if (n < 3 || n - 2 >= sizeof(name) || p[0] != '[' || p[n - 1] != ']')
		return false;
	memcpy(name, p + 1, n - 2);
	name[n - 2] = '\0';
	return setting_has_section(name);
}

/* Is the line, without its line end, fit for inih?  Tells what is wrong. */
static bool
config_file_check_line(struct reading *r, const char *p, size_t n, size_t max)
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
		config_file_tell(r, &what, r->line);
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
config_file_next_line(char *line, int size, void *cookie)
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
		if (!config_file_check_line(r, p, n, max))
			continue;
		memcpy(line, p, n);
		line[n] = '\n';
		line[n + 1] = '\0';
		return line;
	}
	return NULL;
}

static void
config_file_unknown(struct reading *r, const char *section, const char *name)
{
	char own[SETTING_NAME_MAX];
	const char *other = setting_section_with(name);
	const char *near = setting_near_name(section, name, own);
	struct error what;

	error_set(&what, ERROR_FORMAT, section[0] == '\0' ?
	    "the setting stands before any section" : "unknown setting");
	error_key(&what, name, strlen(name));
	if (other != NULL)
		error_hint(&what, "it belongs below [%s%s]", other,
		    strcmp(other, SETTING_ENVIRONMENTS) == 0 ? " NAME" : "");
	else if (near != NULL)
		error_hint(&what, "did you mean %s?", near);
	else if (strcmp(section, SETTING_ENVIRONMENTS) == 0)
		error_hint(&what, "an environment has secrets-file, remote-path and files");
	else if (section[0] == '\0')
		setting_hint_sections(&what);
	else
		error_hint(&what, "`propseal config show` lists the settings of [%s]", section);
	config_file_tell(r, &what, r->line);
}

/* A file that came with a repository must not make us write outside of it, nor run
 * commands, nor choose the key. */
static int
config_file_check_foreign(const struct reading *r, enum setting_id id, const char *path,
    struct error *err)
{
	if (r->foreign && setting_is_own(id)) {
		error_set(err, ERROR_REFUSED, "this setting counts in the user's own "
		    OPTIONS_FILE_NAME " only");
		return error_hint(err, "set it in ~/.config/propseal/" OPTIONS_FILE_NAME
		    ", or in a file that " CONFIG_VARIABLE " names");
	}
	if (r->below == NULL || setting_kind(id) != SETTING_IS_PATH ||
	    config_find_below(r->below, path))
		return 0;
	error_set(err, ERROR_REFUSED, "a " OPTIONS_FILE_NAME " in a git work tree may name files "
	    "below its own folder only, and none in .git: %.300s", path);
	return error_hint(err, "set it in your own ~/.config/propseal/" OPTIONS_FILE_NAME
	    ", in a file that " CONFIG_VARIABLE " names, or by --%s",
	    flag_get(setting_get(id)->flag)->name);
}

static void
config_file_set(struct reading *r, enum setting_id id, const char *name, const char *value)
{
	char **slot = &r->out->values[id].text;
	struct error what;
	struct buf text;

	buf_init(&text, VALUE_MAX);
	if (*slot != NULL)
		buf_append_str(&text, *slot);
	if (config_value_add(id, value, buf_cstr(&r->folder), &text, &what) == 0 &&
	    config_file_check_foreign(r, id, buf_cstr(&text), &what) == 0) {
		free(*slot);
		if ((*slot = strdup(buf_cstr(&text))) == NULL) {
			error_memory(&what);
			config_file_tell(r, &what, r->line);
		}
	} else {
		error_key(&what, name, strlen(name));
		config_file_tell(r, &what, r->line);
	}
	buf_release(&text);
}

static void
take_environment(struct reading *r, const char *name, const char *value)
{
	struct environment_section *s = vec_at(&r->out->environments,
	    r->out->environments.len - 1);
	bool goes_on = r->indented && r->started;
	enum setting_id id = goes_on ? SETTING_ENVIRONMENT_FILES :
	    setting_find(SETTING_ENVIRONMENTS, name);
	const char **slot = setting_part(id, s);
	struct error what = { .code = ERROR_NONE };
	struct buf text;

	r->started = id == SETTING_ENVIRONMENT_FILES;
	if (slot == NULL) {
		config_file_unknown(r, SETTING_ENVIRONMENTS, name);
		return;
	}
	if (*slot != NULL && !goes_on) {
		error_set(&what, ERROR_FORMAT, "the setting stands here twice");
		error_hint(&what, "the environment begins on line %zu", s->line);
	}
	buf_init(&text, VALUE_MAX);
	if (goes_on && *slot != NULL)
		buf_append_str(&text, *slot);
	if (what.code == ERROR_NONE && config_value_add(id, value, buf_cstr(&r->folder), &text,
	    &what) == 0 && config_file_check_foreign(r, id, buf_cstr(&text), &what) == 0) {
		free((void *)(uintptr_t)*slot);
		if ((*slot = strdup(buf_cstr(&text))) == NULL)
			error_memory(&what);
	}
	buf_release(&text);
	if (what.code != ERROR_NONE) {
		error_key(&what, setting_get(id)->field.name,
		    strlen(setting_get(id)->field.name));
		config_file_tell(r, &what, r->line);
	}
}

/* inih's handler: a line with a name and a value. */
static int
config_file_take(void *cookie, const char *section, const char *name, const char *value)
{
	struct reading *r = cookie;
	enum setting_id id = setting_find(section, name);
	bool goes_on = r->indented && r->started && id == r->current;
	struct error what;
	size_t *line;

	if (r->ignoring)
		return 1;
	if (r->in_environment) {
		take_environment(r, name, value == NULL ? "" : value);
		return 1;
	}
	r->started = true;
	r->current = id;
	if (id == SETTING_COUNT) {
		if (!goes_on)
			config_file_unknown(r, section, name);
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
		config_file_set(r, id, name, value == NULL ? "" : value);
		return 1;
	}
	error_key(&what, name, strlen(name));
	config_file_tell(r, &what, r->line);
	return 1;
}

static int
config_file_parse(struct reading *r, struct buf *content, struct error *err)
{
	int rc;

	r->text = buf_cstr(content);
	r->end = r->text + content->len;
	rc = ini_parse_stream(config_file_next_line, r, config_file_take, r);
	for (size_t i = 0; i < r->out->environments.len; i++) {
		const struct environment_section *s = vec_at(&r->out->environments, i);
		struct error what;

		if (s->secrets_file != NULL)
			continue;
		error_set(&what, ERROR_FORMAT, "the environment has no secrets-file: %s", s->name);
		error_hint(&what, "secrets-file = PATH says which secrets file is its own");
		config_file_tell(r, &what, s->line);
	}
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
config_file_load(struct reading *r, bool foreign, struct error *err)
{
	const char *path = r->out->path;
	const char *base = file_basename(path);
	struct buf content;
	struct file_id id;
	int rc = -1;

	buf_init(&content, FILE_MAX);
	r->foreign = foreign;
	buf_append(&r->folder, path, (size_t)(base - path));
	if (file_read(path, &content, &id, err) != 0)
		goto out;
	if ((r->out->folder = config_find_folder(path)) == NULL) {
		error_io(err, path, "cannot find its folder");
		goto out;
	}
	if (config_find_trusted(path, &id, err) == 0 && buf_check(&r->folder, err) == 0 &&
	    (!foreign || config_find_work_tree(path, &r->below, err) == 0)) {
		r->out->foreign = r->below != NULL;
		rc = config_file_parse(r, &content, err);
	}
out:
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
	if (r.out != NULL)
		vec_init(&r.out->environments, sizeof(struct environment_section),
		    ENVIRONMENTS_MAX);
	if (r.out == NULL || (r.out->path = strdup(path)) == NULL)
		error_memory(err);
	else
		rc = config_file_load(&r, foreign, err);
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
	for (i = 0; i < f->environments.len; i++) {
		const struct environment_section *s = vec_at(&f->environments, i);

		free((void *)(uintptr_t)s->name);
		free((void *)(uintptr_t)s->secrets_file);
		free((void *)(uintptr_t)s->remote_path);
		free((void *)(uintptr_t)s->files);
	}
	vec_release(&f->environments);
	free(f->folder);
	free(f->path);
	free(f);
}
