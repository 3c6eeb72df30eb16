#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/config_find.h"
#include "cli/config_value.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"
#include "ui/bindings.h"

#define OUT_MAX (16U << 20)
#define NAME_COLUMN 30
#define VALUE_COLUMN 32

struct showing {
	const struct options *o;
	const char *section;	/* of the line before */
	bool json;
	struct buf value;	/* of this line */
	struct buf out;
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

static void
pad(struct buf *out, size_t from, size_t width)
{
	size_t used = out->len - from;

	do
		buf_append_char(out, ' ');
	while (++used < width);
}

static void
append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
add_line(struct showing *s, enum setting_id id)
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
	pad(out, from, NAME_COLUMN);
	from = out->len;
	append_visible(out, there ? buf_cstr(&s->value) : "(none)");
	pad(out, from, VALUE_COLUMN);
	if (given(s, id) != FLAG_COUNT)
		buf_printf(out, "flag --%s", flag_get(given(s, id))->name);
	else if (v->variable != NULL)
		buf_printf(out, "environment %s", v->variable);
	else if (v->file != NULL) {
		append_visible(out, v->file);
		buf_printf(out, ":%zu", v->line);
	} else
		buf_append_str(out, origin_name(v->origin));
	buf_append_char(out, '\n');
}

static void
append_json(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_append_str(out, "null");
	else
		text_append_json(out, text, strlen(text));
}

static void
append_json_value(struct showing *s, enum setting_id id)
{
	bool there = value_of(s, id);
	bool is_list = setting_is_list(id) || setting_kind(id) == SETTING_IS_BINDING;
	const char *p = buf_cstr(&s->value);
	struct buf *out = &s->out;
	size_t len, n = 0;

	if (!is_list && setting_kind(id) != SETTING_IS_SECONDS) {
		append_json(out, there ? p : NULL);
		return;
	}
	if (!is_list) {
		buf_append_str(out, p);
		return;
	}
	buf_append_char(out, '[');
	/* A key may be a comma, so keys are told apart by the blank alone. */
	while (there && *p != '\0' && strcmp(p, "none") != 0) {
		len = strcspn(p, " ");
		if (n++ > 0)
			buf_append_char(out, ',');
		text_append_json(out, p, len);
		p += len + (p[len] == ' ');
	}
	buf_append_char(out, ']');
}

static void
add_json(struct showing *s, enum setting_id id)
{
	const struct config_value *v = config_get(s->o->config, id);
	char name[SETTING_NAME_MAX];
	struct buf *out = &s->out;
	bool flag = given(s, id) != FLAG_COUNT;

	buf_printf(out, "%s\n{\"section\":\"%s\",\"name\":\"%s\",\"value\":", id > 0 ? "," : "",
	    setting_section(id), setting_name(id, name));
	append_json_value(s, id);
	buf_printf(out, ",\"origin\":\"%s\",\"file\":",
	    origin_name(flag ? CONFIG_FLAG : v->origin));
	append_json(out, flag ? NULL : v->file);
	if (flag || v->file == NULL)
		buf_append_str(out, ",\"line\":null}");
	else
		buf_printf(out, ",\"line\":%zu}", v->line);
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
			buf_printf(out, "%s{\"origin\":\"%s\",\"path\":", n++ > 0 ? "," : "",
			    origin_name(p->origin));
			append_json(out, p->path);
			buf_printf(out, ",\"read\":%s}", p->file != NULL ? "true" : "false");
			continue;
		}
		n++;
		from = out->len;
		buf_printf(out, "# %s", origin_name(p->origin));
		pad(out, from, sizeof("# environment"));
		append_visible(out, p->path);
		buf_append_str(out, p->file != NULL ? "\n" : " (not there)\n");
	}
	if (n == 0 && !s->json)
		buf_append_str(out, "# no " CONFIG_FILE_NAME " is read\n");
}

int
commands_config_show(const struct options *o)
{
	struct showing s = { .o = o, .json = options_format(o) == OUTPUT_JSON };
	struct error err;
	int id, rc;

	buf_init(&s.value, OUT_MAX);
	buf_init(&s.out, OUT_MAX);
	if (s.json)
		buf_append_str(&s.out, "{\"places\":[");
	add_places(&s);
	if (s.json)
		buf_append_str(&s.out, "],\n\"settings\":[");
	for (id = 0; id < SETTING_COUNT; id++) {
		if (s.json)
			add_json(&s, (enum setting_id)id);
		else
			add_line(&s, (enum setting_id)id);
	}
	if (s.json)
		buf_append_str(&s.out, "\n]}\n");
	rc = output_write(&s.out, &err);
	buf_release(&s.value);
	buf_release(&s.out);
	return rc == 0 ? 0 : report_error(&err);
}
