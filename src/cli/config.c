#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/environments.h"
#include "file/file.h"
#include "secrets/inspect.h"
#include "ui/keymap.h"

/* What --config gives to the commands on files: keys, or keys and values. */

#define LIST_MAX (64U << 20)
#define TEXT_MAX (256U << 20)

/* What the two characters \n in a literal text are. */
enum meaning { IS_TEXT, IS_LINE_END, IS_UNCLEAR };

/* The length of the blank at ${p}, 0 when there is none. */
static size_t
blank(const char *p, size_t n)
{
	uint32_t cp;
	size_t len = n == 0 ? 0 : text_utf8_decode((const unsigned char *)p, n, &cp);

	return len > 0 && text_is_blank(p, len) ? len : 0;
}

static void
trim_blanks(const char **p, size_t *n)
{
	size_t len, start;

	while ((len = blank(*p, *n)) > 0) {
		*p += len;
		*n -= len;
	}
	while (*n > 0) {
		start = *n - 1;
		while (start > 0 && ((unsigned char)(*p)[start] & 0xc0) == 0x80)
			start--;
		if (blank(*p + start, *n - start) != *n - start)
			break;
		*n = start;
	}
}

static int
read_text(const char *spec, struct buf *out, bool *lines, struct error *err)
{
	*lines = true;
	if (strcmp(spec, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", out, err);
	if (spec[0] == '@' && spec[1] != '\0')
		return file_read_stream(spec + 1, out, err);
	*lines = false;
	buf_append_str(out, spec);
	return buf_check(out, err);
}

static size_t
count_items(const struct buf *text, bool lines)
{
	size_t n = 1;
	size_t i;

	for (i = 0; i < text->len; i++)
		n += text->data[i] == ',' || (lines && text->data[i] == '\n');
	return n;
}

static int
key_list_split(struct key_list *l, bool lines, bool trim, struct error *err)
{
	const char *p = (const char *)l->text.data;
	const char *end = p + l->text.len;
	const char *item;
	size_t len;

	for (;;) {
		for (len = 0; p + len < end; len++) {
			if (p[len] == ',' || (lines && p[len] == '\n'))
				break;
		}
		item = p;
		p += len;
		if (lines && len > 0 && item[len - 1] == '\r')
			len--;
		if (trim)
			trim_blanks(&item, &len);
		if (len > 0) {
			l->keys[l->count] = item;
			l->lens[l->count++] = len;
		} else if (!lines) {
			error_set(err, ERROR_MISSING, "configuration key \"\" not present in the "
			    "configuration file");
			return error_hint(err, "there is a comma too many in --config");
		}
		if (p == end)
			return 0;
		p++;
	}
}

/* A file or a pipe that should have named some is no wish for the default. */
static int
key_list_is_empty(const char *spec, struct error *err)
{
	error_set(err, ERROR_USAGE, "no key in --config %s",
	    spec[0] == '@' ? spec : "- (standard input)");
	return error_hint(err, "leave --config out for all that is meant without it");
}

int
key_list_read(const struct options *o, bool trim, struct key_list *out, struct error *err)
{
	const char *spec = o->text[FLAG_CONFIG_KEYS];
	size_t n;
	bool lines;

	memset(out, 0, sizeof(*out));
	buf_init(&out->text, LIST_MAX);
	if (spec == NULL)
		return 0;
	if (read_text(spec, &out->text, &lines, err) != 0)
		return -1;
	if (text_is_blank(out->text.data, out->text.len))
		return lines ? key_list_is_empty(spec, err) : 0;
	n = count_items(&out->text, lines);
	out->keys = calloc(n, sizeof(*out->keys));
	out->lens = calloc(n, sizeof(*out->lens));
	if (out->keys == NULL || out->lens == NULL)
		return error_memory(err);
	if (key_list_split(out, lines, trim, err) != 0)
		return -1;
	return out->count > 0 ? 0 : key_list_is_empty(spec, err);
}

void
key_list_release(struct key_list *l)
{
	free(l->keys);
	free(l->lens);
	buf_release(&l->text);
	memset(l, 0, sizeof(*l));
}

static size_t
skip_blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/*
 * `confluent secret` makes every \n a line end, and so cuts the password
 * C:\new in two.  Here it is one where an entry follows, and stays text where
 * only a word does.  Behind a drive's letter, where a blank would be all that
 * separates a key from its value, and where a comment would begin, it might be
 * either.
 */
static enum meaning
meaning_of(const char *text, size_t first, size_t at, size_t n, const struct document *config)
{
	const char *p = text + at;
	size_t start = skip_blanks(p, n - at), end;
	bool dot = false;

	n -= at;
	if (start == n)
		return IS_LINE_END;
	for (end = start; end < n && strchr("=: \t\r\n", p[end]) == NULL; end++) {
		if (p[end] == '\\' && end + 1 < n && p[++end] == 'n')
			return IS_TEXT;
		dot |= p[end] == '.';
	}
	if (end == start || end == n || p[end] == '\r' || p[end] == '\n')
		return IS_TEXT;
	if (p[start] == '#' || p[start] == '!')
		return IS_UNCLEAR;
	if (document_find(config, p + start, end - start) != DOCUMENT_NONE)
		return IS_LINE_END;
	if (first > 2 && text[first - 3] == ':')
		return IS_UNCLEAR;
	end += skip_blanks(p + end, n - end);
	return dot || (end < n && (p[end] == '=' || p[end] == ':')) ? IS_LINE_END : IS_UNCLEAR;
}

static int
unclear(struct error *err)
{
	error_set(err, ERROR_USAGE, "--config holds the two characters \\n, and it is not clear "
	    "whether they separate entries or belong to a value");
	return error_hint(err, "write \\\\n for the two characters in a value; put entries on "
	    "lines of their own, or in a file for --config @FILE");
}

/* The end of what is nothing but blanks and further \n from ${at} on: empty lines, if they are
 * lines at all. */
static size_t
empty_lines(const char *text, size_t at, size_t n)
{
	size_t next = at + skip_blanks(text + at, n - at);

	while (next + 1 < n && text[next] == '\\' && text[next + 1] == 'n') {
		at = next + 2;
		next = at + skip_blanks(text + at, n - at);
	}
	return at;
}

/* Copy the literal text with each \n made a line end or, escaped, text. */
static int
resolve_newlines(const struct buf *in, const struct document *config, struct buf *out,
    bool aloud, struct error *err)
{
	const char *p = (const char *)in->data;
	enum meaning meaning = IS_TEXT;
	size_t i, lines = 0;	/* up to where they have this meaning */
	bool kept = false;

	for (i = 0; i < in->len; i++) {
		if (p[i] != '\\' || i + 1 == in->len) {
			buf_append_char(out, p[i]);
			continue;
		}
		i++;
		if (p[i] != 'n') {
			buf_append(out, p + i - 1, 2);
			continue;
		}
		if (i >= lines) {
			lines = empty_lines(p, i + 1, in->len);
			meaning = meaning_of(p, i + 1, lines, in->len, config);
		}
		switch (meaning) {
		case IS_LINE_END:
			buf_append_char(out, '\n');
			break;
		case IS_TEXT:
			buf_append_str(out, "\\\\n");
			kept = true;
			break;
		case IS_UNCLEAR:
			return unclear(err);
		}
	}
	if (kept && aloud)
		report_note("the two characters \\n in --config stay in the value: no KEY= "
		    "follows them");
	return buf_check(out, err);
}

/*
 * In the path to a JSON value `\\.` is a dot of a name.  As .properties the
 * backslash would be dropped, and with it the meaning: double it, in keys.
 */
static int
config_text_keep_paths(struct buf *text, struct error *err)
{
	const char *p = (const char *)text->data;
	bool in_key = true;
	struct buf out;
	int rc;

	buf_init_secret(&out, 2 * (size_t)TEXT_MAX);
	for (size_t i = 0; i < text->len; i++) {
		if (p[i] == '\\' && i + 1 < text->len) {
			buf_append_str(&out, in_key && p[i + 1] == '.' ? "\\\\" : "\\");
			buf_append_char(&out, p[++i]);
			continue;
		}
		if (p[i] == '\n' || p[i] == '\r')
			in_key = true;
		else if (p[i] == '=' || p[i] == ':')
			in_key = false;
		buf_append_char(&out, p[i]);
	}
	if ((rc = buf_check(&out, err)) == 0)
		buf_move(text, &out);
	buf_release(&out);
	return rc;
}

/* An odd number of backslashes at the end: a reader would drop the last. */
static int
config_text_check_end(const struct buf *text, struct error *err)
{
	size_t n = 0;

	while (n < text->len && text->data[text->len - 1 - n] == '\\')
		n++;
	if (n % 2 == 0)
		return 0;
	error_set(err, ERROR_USAGE, "--config ends with a lone backslash, which would be lost");
	return error_hint(err, "the text is read as .properties: write \\\\ for a backslash");
}

/* A backslash that a reader drops, or makes a control character. */
static void
warn_escapes(const struct document *d, size_t i)
{
	const unsigned char *raw;
	struct buf key;
	const char *k;
	size_t n, j, len;

	raw = document_raw_value(d, i, &n);
	for (j = 0; j + 1 < n; j++) {
		if (raw[j] == '\\' && strchr("\\:=#! u\r\n", raw[++j]) == NULL)
			break;
	}
	if (j + 1 >= n)
		return;
	k = document_key(d, i, &len);
	buf_init(&key, 4096);
	text_append_visible(&key, k, len);
	report_warning("write \\\\ for a backslash that belongs to the value",
	    "%s: a backslash in --config begins an escape, as in .properties", buf_cstr(&key));
	buf_release(&key);
}

static int
config_text_check_entries(const struct document *d, const struct document *config, bool warn,
    struct error *err)
{
	struct remark cut;
	const char *key;
	size_t i, len;

	for (i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &len);
		if (inspect_is_cut(NULL, d, i, &cut)) {
			error_set(err, ERROR_REFUSED, "%s", cut.text);
			error_place(err, document_file(d), cut.line);
			error_key(err, key, len);
			return error_hint(err, "%s", cut.hint);
		}
		if (len == 0) {
			error_set(err, ERROR_USAGE, "there is no key before the separator");
			error_place(err, document_file(d), document_line(d, i));
			return error_hint(err, "an entry is KEY=VALUE");
		}
		/* A key without a separator: is it one whose value was forgotten? */
		if (document_is_bare(d, i) && document_find(config, key, len) != DOCUMENT_NONE) {
			error_set(err, ERROR_USAGE, "the key is there already, and no value is "
			    "given for it");
			error_place(err, document_file(d), document_line(d, i));
			error_key(err, key, len);
			return error_hint(err, "an entry is KEY=VALUE; write KEY= for an empty "
			    "value");
		}
		if (document_shadowed(d, i)) {
			error_set(err, ERROR_USAGE, "the key is given twice");
			error_place(err, document_file(d), document_line(d, i));
			return error_key(err, key, len);
		}
		if (warn)
			warn_escapes(d, i);
	}
	return 0;
}

static const char *
source_name(const struct options *o)
{
	const struct buf *spec = &o->secret[FLAG_CONFIG_TEXT];

	if (source_is_literal(o, FLAG_CONFIG_TEXT))
		return "--config";
	return spec->data[0] == '@' ? "--config @FILE" : "standard input";
}

int
config_text_read(const struct options *o, struct buf *text, struct error *err)
{
	buf_init_secret(text, TEXT_MAX);
	if (source_read(o, FLAG_CONFIG_TEXT, text, err) != 0)
		return -1;
	return source_is_literal(o, FLAG_CONFIG_TEXT) ? config_text_check_end(text, err) : 0;
}

struct document *
config_text_parse(const struct options *o, const struct buf *read, const struct document *config,
    const char *empty, bool aloud, struct error *err)
{
	bool literal = source_is_literal(o, FLAG_CONFIG_TEXT);
	struct document *d = NULL;
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	if (literal && resolve_newlines(read, config, &text, aloud, err) != 0)
		goto out;
	if (!literal)
		buf_append(&text, read->data, read->len);
	if (buf_check(&text, err) != 0 || (document_format(config)->escape != '\0' &&
	    config_text_keep_paths(&text, err) != 0))
		goto out;
	d = document_parse(&text, DOCUMENT_ENTRIES, source_name(o), err);
	if (d == NULL)
		goto out;
	if (document_count(d) == 0 && document_problem(d, NULL) == 0) {
		error_set(err, ERROR_USAGE, "%s", empty);
		error_hint(err, "an entry is KEY=VALUE");
	} else if (document_problem(d, err) == 0 && config_text_check_entries(d, config,
	    literal && aloud, err) == 0)
		goto out;
	document_free(d);
	d = NULL;
out:
	buf_release(&text);
	return d;
}

/* `propseal config`: the settings that count, and what is wrong in their files. */

#define CONFIG_SHOW_OUT_MAX (16U << 20)
#define NAME_WIDTH 28
#define VALUE_WIDTH 30
#define CONFIG_CHECK_OUT_MAX (1U << 20)

struct showing {
	const struct options *o;
	const char *section;	/* of the line before */
	bool json;
	struct buf value;	/* of this line */
	struct buf out;
	struct json_out writer;
	struct table table;
};

struct checking {
	bool json;
	size_t files;
	size_t problems;	/* of all files */
	struct buf out;
	struct json_out writer;
};

static const char *
origin_name(enum config_origin origin)
{
	static const char *const names[] = {
		[CONFIG_BUILT_IN] = "built-in", [CONFIG_USER] = "user",
		[CONFIG_PROJECT] = "project", [CONFIG_ENVIRONMENT] = "environment",
		[CONFIG_FLAG] = "flag",
	};

	return names[origin];
}

/* The flag that sets it on this command line, or FLAG_COUNT. */
static enum flag_id
given(const struct showing *s, enum setting_id id)
{
	enum flag_id flag;

	if (id >= SETTING_FIRST_KEY)
		return FLAG_COUNT;
	flag = setting_get(id)->flag;
	return flag != FLAG_COUNT && s->o->given[flag] ? flag : FLAG_COUNT;
}

/* Fill s->value; false: there is none. */
static bool
value_of(struct showing *s, enum setting_id id, const struct config_value *v)
{
	enum flag_id flag = given(s, id);

	buf_clear(&s->value);
	if (setting_kind(id) == SETTING_IS_BINDING)
		bindings_append(config_bindings(s->o->config), setting_action(id), &s->value);
	else if (flag != FLAG_COUNT && setting_kind(id) == SETTING_IS_SECONDS)
		buf_printf(&s->value, "%d", s->o->seconds[flag]);
	else if (flag != FLAG_COUNT)
		buf_append_str(&s->value, s->o->text[flag]);
	else if (v->text != NULL)
		buf_append_str(&s->value, v->text);
	else
		return false;
	return true;
}

static const struct table_column config_columns[] = {
	{ .name = "section", .where = TABLE_JSON },
	{ .name = "name", .width = NAME_WIDTH },
	{ .name = "value", .width = VALUE_WIDTH },
	{ .name = "where", .where = TABLE_PEOPLE },
	{ .name = "origin", .where = TABLE_JSON },
	{ .name = "file", .where = TABLE_JSON },
	{ .name = "line", .where = TABLE_JSON },
};

/* The value as a text, a number or a list. */
static void
config_show_add_value(struct showing *s, enum setting_id id, const struct config_value *v)
{
	bool there = value_of(s, id, v);
	bool is_list = setting_is_list(id) || setting_kind(id) == SETTING_IS_BINDING;
	const char *p = there ? buf_cstr(&s->value) : "(none)";
	const char *name = table_cell(&s->table, p, strlen(p));
	struct json_out *o = &s->writer;
	size_t len;

	if (name == NULL)
		return;
	if (!is_list) {
		if (there && (setting_kind(id) == SETTING_IS_SECONDS ||
		    setting_kind(id) == SETTING_SIZE))
			json_out_raw(o, name, p);
		else
			json_out_text(o, name, there ? p : NULL);
		return;
	}
	json_out_array(o, name);
	/* A key may be a comma, so keys are told apart by the blank alone. */
	while (there && *p != '\0' && strcmp(p, "none") != 0) {
		len = strcspn(p, " ");
		json_out_text_n(o, NULL, p, len);
		p += len + (p[len] == ' ');
	}
	json_out_end(o);
}

static void
config_show_add(struct showing *s, const char *section, enum setting_id id,
    const struct config_value *v)
{
	enum flag_id flag = given(s, id);
	const char *file = flag == FLAG_COUNT ? v->file : NULL;
	const char *origin = origin_name(flag != FLAG_COUNT ? CONFIG_FLAG : v->origin);
	char name[SETTING_NAME_MAX];
	struct buf where;

	if (!s->json && (s->section == NULL || strcmp(section, s->section) != 0)) {
		buf_append_str(&s->out, "\n[");
		text_append_visible(&s->out, section, strlen(section));
		buf_append_str(&s->out, "]\n");
	}
	s->section = section;
	buf_init(&where, CONFIG_PATH_MAX);
	if (flag != FLAG_COUNT)
		buf_printf(&where, "flag --%s", flag_get(flag)->name);
	else if (v->variable != NULL)
		buf_printf(&where, "environment %s", v->variable);
	else if (v->file != NULL)
		buf_printf(&where, "%s:%zu", v->file, v->line);
	else
		buf_append_str(&where, origin);
	table_text(&s->table, section);
	table_text(&s->table, setting_name(id, name));
	config_show_add_value(s, id, v);
	table_text(&s->table, buf_cstr(&where));
	table_text(&s->table, origin);
	table_text(&s->table, file);
	if (file != NULL)
		table_number(&s->table, v->line);
	else
		table_text(&s->table, NULL);
	table_row_end(&s->table);
	buf_release(&where);
}

/* The [environment NAME] that files of the current folder are read by. */
static int
config_show_environments(struct showing *s, struct error *err)
{
	const struct environment_source *from = config_sections(s->o->config);
	const struct environment_section *all;
	const char *folder;
	char *here = realpath(".", NULL);
	struct buf section;
	size_t count;
	int rc = here != NULL ? from->sections(from->cookie, here, &all, &count, &folder, err) :
	    error_io(err, ".", "cannot find the current folder");

	buf_init(&section, CONFIG_PATH_MAX);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct environment_section e = all[i];

		buf_clear(&section);
		buf_printf(&section, SETTING_ENVIRONMENTS " %s", e.name);
		s->section = NULL;
		for (int id = SETTING_ENVIRONMENT_SECRETS; id <= SETTING_ENVIRONMENT_FILES; id++) {
			const char *text = *setting_part((enum setting_id)id, &e);

			config_show_add(s, buf_cstr(&section), (enum setting_id)id,
			    &(struct config_value){ .text = text, .origin = text != NULL ?
			    CONFIG_PROJECT : CONFIG_BUILT_IN, .file = text != NULL ? e.ini : NULL,
			    .line = e.line });
		}
	}
	s->section = NULL;
	buf_release(&section);
	free(here);
	return rc;
}

static void
add_places(struct showing *s)
{
	const struct config_place *p;
	struct buf *out = &s->out;
	size_t i, n = 0, from;

	for (i = 0; i < CONFIG_PLACES; i++) {
		p = config_place(s->o->config, i);
		if (p->path == NULL)
			continue;
		if (s->json) {
			json_out_object(&s->writer, NULL);
			json_out_text(&s->writer, "origin", origin_name(p->origin));
			json_out_text(&s->writer, "path", p->path);
			json_out_bool(&s->writer, "read", p->file != NULL);
			json_out_end(&s->writer);
			continue;
		}
		n++;
		from = out->len;
		buf_printf(out, "# %s", origin_name(p->origin));
		report_pad(out, from, sizeof("# environment"));
		text_append_visible(out, p->path, strlen(p->path));
		buf_append_str(out, p->file != NULL ? "\n" : " (not there)\n");
	}
	if (n == 0 && !s->json)
		buf_append_str(out, "# no " OPTIONS_FILE_NAME " is read\n");
}

int
commands_config_show(const struct options *o)
{
	struct showing s = { .o = o, .json = options_format(o) == OUTPUT_JSON };
	struct error err;
	int id, rc;

	buf_init(&s.value, CONFIG_SHOW_OUT_MAX);
	buf_init(&s.out, CONFIG_SHOW_OUT_MAX);
	json_out_init(&s.writer, &s.out);
	if (s.json) {
		json_out_object(&s.writer, NULL);
		json_out_text(&s.writer, "schema", "propseal.config/1");
		json_out_array(&s.writer, "places");
	}
	add_places(&s);
	if (s.json) {
		json_out_end(&s.writer);
		json_out_break(&s.writer);
		json_out_rows(&s.writer, "settings");
	}
	table_begin(&s.table, config_columns, sizeof(config_columns) / sizeof(config_columns[0]),
	    &s.out, s.json ? &s.writer : NULL);
	for (id = 0, rc = 0; id < SETTING_COUNT && rc == 0; id++) {
		if (id == SETTING_ENVIRONMENT_SECRETS)
			rc = config_show_environments(&s, &err);
		else if (id < SETTING_ENVIRONMENT_SECRETS || id > SETTING_ENVIRONMENT_FILES)
			config_show_add(&s, setting_section((enum setting_id)id),
			    (enum setting_id)id, config_get(o->config, (enum setting_id)id));
	}
	if (s.json) {
		json_out_end(&s.writer);
		json_out_end(&s.writer);
		json_out_finish(&s.writer, NULL);
	}
	if (rc == 0)
		rc = output_write(&s.out, &err);
	buf_release(&s.value);
	buf_release(&s.out);
	return rc == 0 ? 0 : report_error(&err);
}

static void
config_check_say(void *cookie, const struct error *what)
{
	struct checking *c = cookie;

	report_error(what);
	c->problems++;
}

/* Check one file by itself, and tell how it is. */
static void
config_check_file(struct checking *c, const char *path, bool foreign)
{
	size_t before = c->problems;
	struct config_file *f;
	struct config *alone = NULL;
	struct error err;

	f = config_file_read(path, foreign, config_check_say, c, &err);
	if (f != NULL && (alone = config_single(f, &err)) == NULL)
		config_check_say(c, &err);
	else if (f != NULL) {
		config_tell_unused(alone);
		config_free(alone);
	}
	if (c->json) {
		json_out_object(&c->writer, NULL);
		json_out_text(&c->writer, "path", path);
		json_out_uint(&c->writer, "problems", c->problems - before);
		json_out_end(&c->writer);
	} else if (c->problems == before) {
		text_append_visible(&c->out, path, strlen(path));
		buf_append_str(&c->out, ": no problems\n");
	}
	c->files++;
}

/* The files that a command run here would read, and then all together. */
static void
config_check_all(struct checking *c)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct config *together;
	struct file_id id;
	struct error err;
	struct buf path;

	if (variable != NULL && variable[0] == '\0')
		return;
	buf_init(&path, CONFIG_PATH_MAX);
	config_find_user(&path);
	if (path.len > 0 && (file_identify(buf_cstr(&path), &id, NULL) != 0 || id.exists))
		config_check_file(c, buf_cstr(&path), false);
	buf_clear(&path);
	config_find_project(&path);
	if (path.len > 0)
		config_check_file(c, buf_cstr(&path), !config_find_is_own(buf_cstr(&path)));
	if (variable != NULL)
		config_check_file(c, variable, false);
	buf_release(&path);
	if (c->problems > 0)
		return;
	together = config_load(&err);
	if (together == NULL)
		config_check_say(c, &err);
	config_free(together);
}

int
commands_config_check(const struct options *o)
{
	struct checking c = { .json = options_format(o) == OUTPUT_JSON };
	struct error err;
	int rc;

	buf_init(&c.out, CONFIG_CHECK_OUT_MAX);
	json_out_init(&c.writer, &c.out);
	if (c.json) {
		json_out_object(&c.writer, NULL);
		json_out_text(&c.writer, "schema", "propseal.config-check/1");
		json_out_array(&c.writer, "files");
	}
	if (o->arg_count > 0)
		config_check_file(&c, o->args[0], !config_find_is_own(o->args[0]));
	else
		config_check_all(&c);
	if (c.json) {
		json_out_end(&c.writer);
		json_out_uint(&c.writer, "problems", c.problems);
		json_out_end(&c.writer);
		json_out_finish(&c.writer, NULL);
	} else if (c.files == 0)
		buf_append_str(&c.out, "no " OPTIONS_FILE_NAME " is read here\n");
	rc = output_write(&c.out, &err);
	buf_release(&c.out);
	if (rc != 0)
		return report_error(&err);
	return c.problems > 0 ? 1 : 0;
}
