#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "common/table.h"
#include "estate/environments.h"
#include "file/file.h"
#include "ui/keymap.h"

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
	else if (f != NULL)
		config_free(alone);
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
