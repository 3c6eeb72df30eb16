#include "cli/config_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/near.h"
#include "ui/bindings.h"

#define SEPARATORS " \t,"

const char *
config_value_next(const char *list, size_t *len)
{
	list += strspn(list, SEPARATORS);
	*len = strcspn(list, SEPARATORS);
	return *len > 0 ? list : NULL;
}

static int
bad(struct error *err, const char *text, const char *hint)
{
	error_set(err, ERROR_FORMAT, "%s", text);
	return error_hint(err, "%s", hint);
}

static int
add_path(const char *value, const char *folder, struct buf *out, struct error *err)
{
	const char *home;

	if (value[0] == '~') {
		home = getenv("HOME");
		if (value[1] != '/')
			return bad(err, "this is no path", "only ~/ stands for a home folder: "
			    "your own");
		if (home == NULL || home[0] != '/')
			return bad(err, "there is no home folder", "set HOME, or write the whole "
			    "path");
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
		return bad(err, "this path cannot stand in a reference",
		    "Kafka could not take ${securepass:PATH:KEY} apart with a `:` or `}` in "
		    "the path");
	buf_append_str(out, value);
	return 0;
}

/* A name pattern that no format can have would find nothing, without a word. */
static int
check_pattern(const char *p, size_t len, struct error *err)
{
	static const char *const ends[] = { ".properties", ".json" };
	size_t i, n;

	if (strchr("*]?", p[len - 1]) != NULL)
		return 0;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		n = strlen(ends[i]);
		if (len >= n && memcmp(p + len - n, ends[i], n) == 0)
			return 0;
	}
	error_set(err, ERROR_FORMAT, "no configuration file has a name of this pattern: %.*s",
	    (int)(len > 200 ? 200 : len), p);
	return error_hint(err, "the names of configuration files end in .properties or .json");
}

static int
add_list(enum setting_kind kind, const char *value, struct buf *out, struct error *err)
{
	const char *part = value;
	size_t len;

	while ((part = config_value_next(part, &len)) != NULL) {
		if (kind == SETTING_IS_PATTERNS && check_pattern(part, len, err) != 0)
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

	if (flag_is_choice(choices, value)) {
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
add_binding(enum action_id id, const char *value, struct buf *out, struct error *err)
{
	struct bindings b;

	bindings_init(&b);
	if (bindings_set(&b, id, value, err) != 0)
		return -1;
	bindings_append(&b, id, out);
	return 0;
}

static int
add(enum setting_id id, const char *value, const char *folder, struct buf *out,
    struct error *err)
{
	switch (setting_kind(id)) {
	case SETTING_IS_PATH:
		return add_path(value, folder, out, err);
	case SETTING_IS_REMOTE:
		return add_remote(value, out, err);
	case SETTING_IS_PATTERNS:
	case SETTING_IS_IGNORED:
	case SETTING_IS_KEYS:
		return add_list(setting_kind(id), value, out, err);
	case SETTING_IS_CHOICE:
		return add_choice(setting_get(id)->choices, value, out, err);
	case SETTING_IS_SECONDS:
		return add_seconds(flag_get(setting_get(id)->flag), value, out, err);
	case SETTING_IS_BINDING:
		return add_binding(setting_action(id), value, out, err);
	}
	return 0;
}

int
config_value_add(enum setting_id id, const char *value, const char *folder, struct buf *out,
    struct error *err)
{
	size_t len;

	if (value[0] == '\0' ||
	    (setting_is_list(id) && config_value_next(value, &len) == NULL))
		return bad(err, "there is no value", setting_kind(id) == SETTING_IS_BINDING ?
		    "`none` takes the action's keys away" :
		    "take the line out to have the built-in one");
	if (add(id, value, folder, out, err) != 0)
		return -1;
	return buf_check(out, err);
}
