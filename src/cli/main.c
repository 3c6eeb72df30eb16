#include <sys/stat.h>
#include <curses.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>
#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/process.h"
#include "common/report.h"
#include "ui/theme.h"

#define SERVICE "propseal-registryd"
#define HELP_MAX (64U << 10)
#define HELP_EXAMPLES 4
#define VERSION_MAX 4096

static int
print_text(struct buf *text)
{
	struct error err;
	int status = 0;

	if (output_write(text, &err) != 0)
		status = report_error(&err);
	buf_release(text);
	return status;
}

/* "ncurses 6.4.20221231", less the name. */
static const char *
version_of_curses(void)
{
	const char *blank = strrchr(curses_version(), ' ');

	return blank != NULL ? blank + 1 : curses_version();
}

/*
 * What is in this very program, for who asks for help with it: some of the
 * libraries may be linked in, and are then no newer than it.
 */
static const struct {
	const char *name;
	const char *(*version)(void);
} version_libraries[] = {
	{ "libevent", event_get_version },
	{ "jansson", jansson_version_str },
	{ "libyaml", yaml_get_version_string },
	{ "ncurses", version_of_curses },
};

#define LIBRARIES (sizeof(version_libraries) / sizeof(version_libraries[0]))

static void
version_append_json(struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.version/1");
	json_out_text(&o, "version", PROPSEAL_VERSION);
	json_out_text(&o, "commit", PROPSEAL_COMMIT[0] != '\0' ? PROPSEAL_COMMIT : NULL);
	json_out_object(&o, "libraries");
	json_out_text(&o, "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
	for (size_t i = 0; i < LIBRARIES; i++)
		json_out_text(&o, version_libraries[i].name, version_libraries[i].version());
	json_out_end(&o);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

/* --version: the program's, its commit and its libraries'; the exit status. */
static int
version_print(bool json)
{
	struct buf out;

	buf_init(&out, VERSION_MAX);
	if (json) {
		version_append_json(&out);
	} else {
		buf_append_str(&out, "propseal " PROPSEAL_VERSION " (");
		if (PROPSEAL_COMMIT[0] != '\0')
			buf_append_str(&out, "commit " PROPSEAL_COMMIT "; ");
		buf_printf(&out, "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
		for (size_t i = 0; i < LIBRARIES; i++)
			buf_printf(&out, ", %s %s", version_libraries[i].name,
			    version_libraries[i].version());
		buf_append_str(&out, ")\n");
	}
	return print_text(&out);
}

static int
unknown_command(const char *word, struct error *err)
{
	const struct command *c;
	size_t n = strlen(word);
	size_t i;

	error_set(err, ERROR_USAGE, "unknown command, and no such file or folder: %s", word);
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden)
			continue;
		if (near_word(word, n, c->name))
			return error_hint(err, "did you mean `propseal %s%s%s`?",
			    c->group != NULL ? c->group : "", c->group != NULL ? " " : "",
			    c->name);
		if (c->group != NULL && near_word(word, n, c->group))
			return error_hint(err, "did you mean `propseal %s`?", c->group);
	}
	return error_hint(err, "`propseal --help` lists the commands");
}

static int
unknown_in_group(const char *group, const char *word, struct error *err)
{
	const struct command *c;
	struct buf names;
	size_t i;
	int rc;

	if (word == NULL)
		error_set(err, ERROR_USAGE, "`%s` is followed by another word", group);
	else
		error_set(err, ERROR_USAGE, "unknown command: %s %s", group, word);
	buf_init(&names, 1024);
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->group == NULL || strcmp(c->group, group) != 0)
			continue;
		if (word != NULL && near_word(word, strlen(word), c->name)) {
			buf_release(&names);
			return error_hint(err, "did you mean `propseal %s %s`?", group, c->name);
		}
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", c->name);
	}
	rc = error_hint(err, "one of %s", buf_cstr(&names));
	buf_release(&names);
	return rc;
}

/*
 * The command of the words from ${at} on, and how many words it takes.  With
 * ${paths} a first word that is a path stands for the interface.  NULL: a
 * group alone (group set, no error), or an error.
 */
static const struct command *
dispatch_find(const struct scan *s, size_t at, bool paths, size_t *words, const char **group,
    struct error *err)
{
	const struct command *c;
	struct stat st;

	*group = NULL;
	*words = 0;
	if (at == s->count)
		return command_find(NULL, "ui");
	*words = 1;
	if ((c = command_find(NULL, s->words[at])) != NULL)
		return c;
	if (command_is_group(s->words[at])) {
		if (at + 1 < s->count &&
		    (c = command_find(s->words[at], s->words[at + 1])) != NULL) {
			*words = 2;
			return c;
		}
		for (size_t i = 0; at + 1 == s->count && i < command_count(); i++) {
			c = command_at(i);
			if (c->by_default && strcmp(c->group, s->words[at]) == 0)
				return c;
		}
		unknown_in_group(s->words[at], at + 1 < s->count ? s->words[at + 1] : NULL, err);
		if (at + 1 == s->count)
			*group = s->words[at];
		return NULL;
	}
	*words = 0;
	if (paths && lstat(s->words[at], &st) == 0)
		return command_find(NULL, "ui");
	unknown_command(s->words[at], err);
	return NULL;
}

static void
append_commands(const char *group, struct buf *out)
{
	const struct command *c;
	size_t i;

	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || (group != NULL ?
		    c->group == NULL || strcmp(c->group, group) != 0 : command_is_registry(c)))
			continue;
		usage_row(c, out);
	}
}

/* An example of each of the first commands of a group (NULL: of all). */
static void
append_examples(const char *group, struct buf *out)
{
	const struct command *c;
	size_t left = HELP_EXAMPLES;

	buf_append_str(out, "\nExamples:\n");
	for (size_t i = 0; left > 0 && i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || c->examples == NULL || (group != NULL &&
		    (c->group == NULL || strcmp(c->group, group) != 0)))
			continue;
		usage_examples(c, 1, out);
		left--;
	}
}

/* The commands of a group (NULL: the whole program's help). */
static void
help_append(const char *group, struct buf *out)
{
	if (group != NULL) {
		buf_printf(out, "usage: propseal %s COMMAND [flags]\n\nCommands:\n", group);
		append_commands(group, out);
		append_examples(group, out);
		buf_printf(out, "\nMore about one: propseal %s COMMAND --help\n", group);
		return;
	}
	buf_append_str(out,
	    "propseal: secrets of Kafka and Confluent Platform configuration files\n\n");
	usage_line(NULL, out);
	buf_append_str(out, "\nWithout a command it opens the interface on the PATHs, or on the "
	    "current folder.\n\nCommands:\n");
	append_commands(NULL, out);
	buf_append_str(out,
	    "  registry ...          the Secret Registry, see: propseal registry --help\n"
	    "  help [COMMAND]        explain a command\n"
	    "  version               print the version (also --version, -V)\n");
	append_examples(NULL, out);
	buf_append_str(out, "\nFlags of every command:\n");
	usage_flags_of_all(out);
	buf_append_str(out,
	    "\n"
	    "A first word `secret` is ignored: scripts for `confluent secret` run unchanged.\n"
	    "\n"
	    "The master key comes from the first of\n"
	    "  --master-key-file FILE (-: standard input, fd:N)\n"
	    "  --master-key-command 'COMMAND', or the one of your own propseal.ini\n"
	    "  the environment variable CONFLUENT_SECURITY_MASTER_KEY\n"
	    "  one that --master-key-variable or your own propseal.ini allows\n"
	    "  the systemd credential propseal.master-key\n"
	    "  a question on the terminal, which takes the key or the passphrase\n"
	    "\n"
	    "Exit status:\n"
	    "  0  done\n"
	    "  1  failed: nothing changed, or of several files those that are named\n"
	    "  2  wrong usage, or a question and nobody to ask\n"
	    "  3  findings (file verify, git check, audit, doctor, log verify)\n"
	    "  4  wrong key or passphrase, or damaged data\n"
	    "  5  another propseal holds the lock\n"
	    "  exec: the command's own; 125 propseal failed, 126 not executable, 127 not found\n");
}

/* --help, or the words after `help`. */
static int
print_help(const struct scan *s, size_t at, bool paths)
{
	const struct command *c;
	const char *group;
	struct error err;
	struct buf text;
	size_t words;

	buf_init(&text, HELP_MAX);
	if (at == s->count)
		help_append(NULL, &text);
	else if ((c = dispatch_find(s, at, paths, &words, &group, &err)) != NULL)
		usage_command(c, &text);
	else if (group != NULL)
		help_append(group, &text);
	else
		return usage_error(NULL, &err);
	return print_text(&text);
}

/*
 * Start the program that works on the registry's folder, in our place and with
 * our arguments: it is beside us, or where `make install` puts it.
 */
static int
exec_service(char **argv)
{
	char path[PATH_MAX];
	struct error err;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(SERVICE));
	static char name[] = SERVICE;

	argv[0] = name;
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n > 0) {
		memcpy(path + n, SERVICE, sizeof(SERVICE));
		execv(path, argv);
	}
	if (n <= 0 || errno == ENOENT) {
		snprintf(path, sizeof(path), "%s/%s", PROPSEAL_LIBEXECDIR, SERVICE);
		execv(path, argv);
	}
	if (errno != ENOENT) {
		error_io(&err, path, "cannot start");
		return report_error(&err);
	}
	error_set(&err, ERROR_MISSING, SERVICE " is not installed");
	error_hint(&err, "this command needs it beside propseal, or in %s", PROPSEAL_LIBEXECDIR);
	return report_error(&err);
}

/* Is what the service's program does in a data folder asked of a registry that runs? */
static bool
is_service_remote(const struct options *o)
{
	return o->command->run == NULL && o->given[FLAG_URL];
}

/* Run the command as its flags and the settings say. */
static int
run_with(struct config *config, struct options *o, char **argv)
{
	struct error err;

	if (config != NULL)
		config_apply(config, o);
	for (size_t i = 0; config != NULL && i < CONFIG_PLACES; i++)
		if (config_place(config, i)->file != NULL)
			report_detail("settings come from %s", config_place(config, i)->path);
	if (config != NULL && o->command->by_rules)
		config_tell_unused(config);
	if (options_check_required(o, &err) != 0)
		return usage_error(o->command, &err);
	if (o->command->run == NULL && !is_service_remote(o))
		return exec_service(argv);
	return o->command->run != NULL ? o->command->run(o) : commands_registry_administer(o);
}

static int
run(const struct command *c, int argc, char **argv, size_t skip)
{
	struct config *config = NULL;
	struct options o;
	struct error err;
	int status;

	/* Clear text that nobody was left to wipe does not wait for the next edit. */
	ramdir_sweep();
	if (options_parse(&o, c, argc, argv, skip, &err) != 0)
		status = usage_error(c, &err);
	else if ((!c->no_config || is_service_remote(&o)) && (config = config_load(&err)) == NULL)
		status = report_error(&err);
	else
		status = run_with(config, &o, argv);
	options_release(&o);
	config_free(config);
	return status;
}

/* A first word `secret`, from scripts for the reference, says nothing. */
static bool
starts_with_secret(const struct scan *s)
{
	struct stat st;

	return s->count > 0 && strcmp(s->words[0], "secret") == 0 &&
	    (s->count > 1 || lstat("secret", &st) != 0);
}

/* Find the command of a command line and run it: the exit status. */
static int
dispatch_run(int argc, char **argv)
{
	const struct command *c;
	const char *first;
	const char *group;
	struct error err;
	struct scan s;
	size_t at, words;
	bool is_version;

	options_scan(argc, argv, &s);
	report_as_json(s.json);
	report_set(s.quiet, s.verbose, s.color);
	at = starts_with_secret(&s);
	first = at < s.count ? s.words[at] : "";
	is_version = strcmp(first, "version") == 0;
	if (strcmp(first, "help") == 0)
		return print_help(&s, at + 1, false);
	if (s.help)
		return print_help(&s, is_version ? s.count : at, true);
	if (is_version || (s.version && at == s.count))
		return version_print(s.json);
	c = dispatch_find(&s, at, true, &words, &group, &err);
	if (c == NULL)
		return usage_error(NULL, &err);
	return run(c, argc, argv, at + words);
}

int
main(int argc, char **argv)
{
	process_begin();
	flag_choices(FLAG_THEME, THEME_NAMES);
	return report_end(dispatch_run(argc, argv));
}
