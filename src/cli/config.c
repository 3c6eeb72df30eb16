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
#include "file/file.h"
#include "ui/keymap.h"

#define CONFIG_SHOW_OUT_MAX (16U << 20)
#define NAME_COLUMN 30
#define VALUE_COLUMN 32
#define CONFIG_CHECK_OUT_MAX (1U << 20)

struct showing {
	const struct options *o;
	const char *section;	/* of the line before */
	bool json;
	struct buf value;	/* of this line */
	struct buf out;
	struct json_out writer;
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
value_of(struct showing *s, enum setting_id id)
{
	const struct config_value *v = config_get(s->o->config, id);
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

/* Blanks to the next column, at least one. */
static void
config_show_fill(struct buf *out, size_t from, size_t width)
{
	size_t used = out->len - from;

	do
		buf_append_char(out, ' ');
	while (++used < width);
}

static void
config_show_append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
config_show_add_line(struct showing *s, enum setting_id id)
{
	const struct config_value *v = config_get(s->o->config, id);
	const char *section = setting_section(id);
	bool there = value_of(s, id);
	char name[SETTING_NAME_MAX];
	struct buf *out = &s->out;
	size_t from;

	if (s->section == NULL || strcmp(section, s->section) != 0)
		buf_printf(out, "\n[%s]\n", section);
	s->section = section;
	from = out->len;
	buf_append_str(out, setting_name(id, name));
	config_show_fill(out, from, NAME_COLUMN);
	from = out->len;
	config_show_append_visible(out, there ? buf_cstr(&s->value) : "(none)");
	config_show_fill(out, from, VALUE_COLUMN);
	if (given(s, id) != FLAG_COUNT)
		buf_printf(out, "flag --%s", flag_get(given(s, id))->name);
	else if (v->variable != NULL)
		buf_printf(out, "environment %s", v->variable);
	else if (v->file != NULL) {
		config_show_append_visible(out, v->file);
		buf_printf(out, ":%zu", v->line);
	} else
		buf_append_str(out, origin_name(v->origin));
	buf_append_char(out, '\n');
}

static void
append_json_value(struct showing *s, enum setting_id id)
{
	bool there = value_of(s, id);
	bool is_list = setting_is_list(id) || setting_kind(id) == SETTING_IS_BINDING;
	const char *p = buf_cstr(&s->value);
	struct json_out *o = &s->writer;
	size_t len;

	if (!is_list && setting_kind(id) != SETTING_IS_SECONDS) {
		json_out_text(o, "value", there ? p : NULL);
		return;
	}
	if (!is_list) {
		json_out_raw(o, "value", p);
		return;
	}
	json_out_array(o, "value");
	/* A key may be a comma, so keys are told apart by the blank alone. */
	while (there && *p != '\0' && strcmp(p, "none") != 0) {
		len = strcspn(p, " ");
		json_out_text_n(o, NULL, p, len);
		p += len + (p[len] == ' ');
	}
	json_out_end(o);
}

static void
config_show_add_json(struct showing *s, enum setting_id id)
{
	const struct config_value *v = config_get(s->o->config, id);
	bool flag = given(s, id) != FLAG_COUNT;
	char name[SETTING_NAME_MAX];
	struct json_out *o = &s->writer;

	json_out_object(o, NULL);
	json_out_text(o, "section", setting_section(id));
	json_out_text(o, "name", setting_name(id, name));
	append_json_value(s, id);
	json_out_text(o, "origin", origin_name(flag ? CONFIG_FLAG : v->origin));
	json_out_text(o, "file", flag ? NULL : v->file);
	if (flag || v->file == NULL)
		json_out_null(o, "line");
	else
		json_out_uint(o, "line", v->line);
	json_out_end(o);
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
		config_show_fill(out, from, sizeof("# environment"));
		config_show_append_visible(out, p->path);
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
		json_out_array(&s.writer, "places");
	}
	add_places(&s);
	if (s.json) {
		json_out_end(&s.writer);
		json_out_break(&s.writer);
		json_out_rows(&s.writer, "settings");
	}
	for (id = 0; id < SETTING_COUNT; id++) {
		if (s.json)
			config_show_add_json(&s, (enum setting_id)id);
		else
			config_show_add_line(&s, (enum setting_id)id);
	}
	if (s.json) {
		json_out_end(&s.writer);
		json_out_end(&s.writer);
		json_out_finish(&s.writer, NULL);
	}
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
