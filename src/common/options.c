#include "common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"
#include "common/command.h"
#include "cli/config.h"
#include "cli/config_find.h"
#include "common/near.h"

/* Larger than any argument that Linux passes (MAX_ARG_STRLEN, 128 KiB). */
#define SECRET_MAX (4U << 20)
#define LOCK_TIMEOUT_DEFAULT 60

/* A flag as it stands in argv. */
struct token {
	const char *name;	/* without dashes and value */
	size_t len;
	bool is_letter;
	char *value;		/* after `=` or the letter; NULL: the next argument */
};

/* Is ${arg} a flag (not `-`, `--`, or a word)?  Takes it apart. */
static bool
take_apart(char *arg, struct token *t)
{
	char *equals;

	if (arg[0] != '-' || arg[1] == '\0')
		return false;
	t->is_letter = arg[1] != '-';
	if (t->is_letter) {
		t->name = arg + 1;
		t->len = 1;
		t->value = arg[2] == '\0' ? NULL : arg[2] == '=' ? arg + 3 : arg + 2;
		return true;
	}
	t->name = arg + 2;
	equals = strchr(t->name, '=');
	t->len = equals != NULL ? (size_t)(equals - t->name) : strlen(t->name);
	t->value = equals != NULL ? equals + 1 : NULL;
	return true;
}

static bool
token_is(const struct token *t, const char *name)
{
	return !t->is_letter && strlen(name) == t->len && memcmp(t->name, name, t->len) == 0;
}

static bool
takes_value(enum flag_id id)
{
	return id != FLAG_COUNT && flag_get(id)->kind != FLAG_IS_SWITCH;
}

void
options_scan(int argc, char **argv, struct scan *out)
{
	enum flag_id id;
	struct token t;
	bool flags_end = false;
	int i;

	memset(out, 0, sizeof(*out));
	for (i = 1; i < argc; i++) {
		if (flags_end || !take_apart(argv[i], &t)) {
			if (out->count < SCAN_WORDS)
				out->words[out->count++] = argv[i];
			continue;
		}
		if (t.len == 0 && t.value == NULL) {
			flags_end = true;
			continue;
		}
		out->version |= token_is(&t, "version");
		id = t.is_letter ? flag_find_letter(t.name[0]) : flag_find(t.name, t.len);
		out->help |= id == FLAG_HELP;
		if (takes_value(id) && t.value == NULL && i + 1 < argc)
			t.value = argv[++i];
		if ((id == FLAG_OUTPUT || id == FLAG_OUTPUT_KEY) && t.value != NULL)
			out->json = strcmp(t.value, "json") == 0;
	}
}

static const struct command_flag *
find_flag(const struct command *c, const struct token *t)
{
	const struct command_flag *f;
	const struct flag *flag;

	for (f = c->flags; f->id != FLAG_COUNT; f++) {
		flag = flag_get(f->id);
		if (t->is_letter ? flag->letter == t->name[0] : token_is(t, flag->name))
			return f;
	}
	return NULL;
}

static int
unknown_flag(const struct command *c, const struct token *t, struct error *err)
{
	const struct command_flag *f;
	const char *name;

	if (t->is_letter) {
		error_set(err, ERROR_USAGE, "unknown flag: -%c", t->name[0]);
	} else {
		/* Without the value: it may be a secret. */
		error_set(err, ERROR_USAGE, "unknown flag: --%.*s",
		    (int)(t->len > 200 ? 200 : t->len), t->name);
		for (f = c->flags; f->id != FLAG_COUNT; f++) {
			name = flag_get(f->id)->name;
			if (near_word(t->name, t->len, name))
				return error_hint(err, "did you mean --%s?", name);
		}
	}
	return error_hint(err, "`propseal %s%s%s --help` lists the flags",
	    c->group != NULL ? c->group : "", c->group != NULL ? " " : "", c->name);
}

static int
bad_value(const struct flag *flag, const char *want, struct error *err)
{
	error_set(err, ERROR_USAGE, "bad value for --%s", flag->name);
	return error_hint(err, "it takes %s", want);
}

static int
set_switch(struct options *o, enum flag_id id, const char *value, struct error *err)
{
	if (value == NULL || strcmp(value, "true") == 0)
		o->on[id] = true;
	else if (strcmp(value, "false") == 0)
		o->on[id] = false;
	else
		return bad_value(flag_get(id), "no value, =true or =false", err);
	return 0;
}

static int
set_seconds(struct options *o, enum flag_id id, const char *value, struct error *err)
{
	const struct flag *flag = flag_get(id);
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < flag->min || n > flag->max)
		return bad_value(flag, flag->min < 0 ?
		    "a whole number of seconds, or -1" : "a whole number of seconds from 1", err);
	o->seconds[id] = (int)n;
	return 0;
}

static int
set_secret(struct options *o, enum flag_id id, char *value, struct error *err)
{
	struct buf *b = &o->secret[id];

	buf_clear(b);
	buf_append_str(b, value);
	secmem_wipe(value, strlen(value));
	return buf_check(b, err);
}

static int
set_value(struct options *o, enum flag_id id, char *value, struct error *err)
{
	const struct flag *flag = flag_get(id);

	/* Of two lists of keys one would be lost without a word. */
	if (o->given[id] && (id == FLAG_CONFIG_KEYS || id == FLAG_CONFIG_TEXT)) {
		if (flag->kind == FLAG_IS_SECRET)
			secmem_wipe(value, strlen(value));
		error_set(err, ERROR_USAGE, "--%s is given twice", flag->name);
		return error_hint(err, "%s", id == FLAG_CONFIG_KEYS ?
		    "separate the keys by commas" : "put each KEY=VALUE on a line of one text");
	}
	o->given[id] = true;
	switch (flag->kind) {
	case FLAG_IS_SWITCH:
		return set_switch(o, id, value, err);
	case FLAG_IS_SECONDS:
		return set_seconds(o, id, value, err);
	case FLAG_IS_SECRET:
		return set_secret(o, id, value, err);
	case FLAG_IS_CHOICE:
		if (!flag_is_choice(flag->choices, value))
			return bad_value(flag, flag->choices, err);
		break;
	case FLAG_IS_PATH:
		if (value[0] == '\0')
			return bad_value(flag, "a file name", err);
		break;
	case FLAG_IS_TEXT:
		break;
	}
	o->text[id] = value;
	if (flag->many)
		o->items[o->item_count++] = (struct options_item){ id, value };
	return 0;
}

static int
set_flag(struct options *o, struct token *t, char ***next, struct error *err)
{
	const struct command_flag *f = find_flag(o->command, t);
	const struct flag *flag;

	if (f == NULL)
		return unknown_flag(o->command, t, err);
	flag = flag_get(f->id);
	if (flag->kind == FLAG_IS_SWITCH)
		return set_value(o, f->id, t->value, err);
	if (t->value == NULL) {
		t->value = **next;
		if (t->value == NULL) {
			error_set(err, ERROR_USAGE, "--%s needs a value", flag->name);
			return error_hint(err, "--%s %s", flag->name, flag->argument);
		}
		(*next)++;
	}
	return set_value(o, f->id, t->value, err);
}

/* Flags that the command requires and that are not there, all at once. */
int
options_check_required(const struct options *o, struct error *err)
{
	const struct command_flag *f;
	struct buf missing;
	bool in_file = false;
	size_t n = 0;

	buf_init(&missing, 1024);
	for (f = o->command->flags; f->id != FLAG_COUNT; f++) {
		if (!f->required || o->given[f->id] || o->from[f->id] != NULL)
			continue;
		buf_printf(&missing, "%s--%s", n++ > 0 ? ", " : "", flag_get(f->id)->name);
		in_file |= f->id == FLAG_LOCAL_SECRETS_FILE || f->id == FLAG_REMOTE_SECRETS_FILE;
	}
	if (n > 0) {
		error_set(err, ERROR_USAGE, "missing: %s", buf_cstr(&missing));
		error_hint(err, "%s%s", n > 1 ? "these flags are required" :
		    "this flag is required", in_file ? "; " CONFIG_FILE_NAME " can set "
		    "secrets-file and remote-path instead" : "");
	}
	buf_release(&missing);
	return n > 0 ? -1 : 0;
}

/* Most commands are about a file; those of the registry about names. */
static int
hint_arguments(const struct command *c, const char *hint, struct error *err)
{
	if (command_is_registry(c) && c->arguments != NULL)
		return error_hint(err, "it takes %s", c->arguments);
	return error_hint(err, "%s", hint);
}

static int
check_arguments(const struct options *o, struct error *err)
{
	const struct command *c = o->command;

	if (o->arg_count < c->min_args) {
		error_set(err, ERROR_USAGE, "missing: %s", c->arguments);
		return hint_arguments(c, "name a file", err);
	}
	if (o->arg_count <= c->max_args)
		return 0;
	if (o->given[FLAG_PASSPHRASE] || o->given[FLAG_PASSPHRASE_NEW] ||
	    o->given[FLAG_CONFIG_TEXT]) {
		/* It may be the rest of a secret that was not quoted. */
		error_set(err, ERROR_USAGE, "an argument too many");
		return error_hint(err, "a value with blanks must be quoted");
	}
	error_set(err, ERROR_USAGE, "an argument too many: %s", o->args[c->max_args]);
	return hint_arguments(c, c->max_args == 0 ? "this command takes flags only" :
	    "this command takes one file", err);
}

int
options_parse(struct options *o, const struct command *c, int argc, char **argv, size_t skip,
    struct error *err)
{
	bool flags_end = false;
	struct token t;
	char **next;
	size_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < FLAG_COUNT; i++)
		buf_init_secret(&o->secret[i], SECRET_MAX);
	o->command = c;
	o->seconds[FLAG_LOCK_TIMEOUT] = LOCK_TIMEOUT_DEFAULT;
	o->args = calloc((size_t)argc + 1, sizeof(*o->args));
	o->items = calloc((size_t)argc + 1, sizeof(*o->items));
	if (o->args == NULL || o->items == NULL)
		return error_memory(err);
	for (next = argv + (argc > 0); *next != NULL;) {
		char *arg = *next++;

		if (!flags_end && strcmp(arg, "--") == 0)
			flags_end = true;
		else if (!flags_end && take_apart(arg, &t)) {
			if (set_flag(o, &t, &next, err) != 0)
				return -1;
		} else if (skip > 0)
			skip--;
		else
			o->args[o->arg_count++] = arg;
	}
	return check_arguments(o, err);
}

int
options_hint(const struct options *o, enum flag_id id, struct error *err)
{
	const struct config_value *v = o->from[id];

	if (v == NULL)
		return error_hint(err, "check --%s", flag_get(id)->name);
	return error_hint(err, "check %s:%zu, which names it", v->file, v->line);
}

void
options_release(struct options *o)
{
	size_t i;

	for (i = 0; i < FLAG_COUNT; i++)
		buf_release(&o->secret[i]);
	free(o->items);
	free(o->args);
	o->items = NULL;
	o->args = NULL;
}

static enum output_format
format_of(const char *text)
{
	if (text == NULL || strcmp(text, "human") == 0)
		return OUTPUT_HUMAN;
	return strcmp(text, "json") == 0 ? OUTPUT_JSON : OUTPUT_YAML;
}

enum output_format
options_format(const struct options *o)
{
	return format_of(o->text[FLAG_OUTPUT]);
}

enum output_format
options_key_format(const struct options *o)
{
	return format_of(o->text[FLAG_OUTPUT_KEY]);
}

int
options_lock_timeout(const struct options *o)
{
	int seconds = o->seconds[FLAG_LOCK_TIMEOUT];

	return seconds < 0 ? -1 : 1000 * seconds;
}
