#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/args.h"
#include "common/process.h"
#include "common/report.h"
#include "common/service_commands.h"
#include "registry/service/service.h"

/*
 * propseal-registryd: the commands of `propseal registry` that work on the
 * registry's folder.  `propseal registry NAME` starts it with its own command
 * line, `propseal-registryd NAME` does the same.
 */

#define HELP_MAX (64U << 10)

/* What runs each of the commands in service_commands.c. */
static const struct {
	const char *name;
	int (*run)(const struct options *o);
} runs[] = {
	{ "serve", commands_registry_serve },
	{ "user", commands_registry_user },
	{ "token", commands_registry_token },
	{ "role", commands_registry_role },
	{ "audit", commands_registry_audit },
	{ "restore", commands_registry_restore },
	{ "copy", commands_registry_copy },
};

static const struct command *
service_find(const char *name)
{
	size_t i;

	for (i = 0; i < service_command_count(); i++) {
		if (strcmp(service_command_at(i)->name, name) == 0)
			return service_command_at(i);
	}
	return NULL;
}

/* The help of a command, or for NULL the list of them. */
static int
service_help(const struct command *c)
{
	struct error err;
	struct buf text;
	size_t i;
	int rc;

	buf_init(&text, HELP_MAX);
	if (c != NULL) {
		usage_command(c, &text);
	} else {
		buf_append_str(&text, "propseal-registryd: the service of propseal's Secret "
		    "Registry\n\nusage: propseal-registryd COMMAND [flags]\n\nCommands:\n");
		for (i = 0; i < service_command_count(); i++)
			usage_row(service_command_at(i), &text);
		buf_append_str(&text, "\nMore about one: propseal-registryd COMMAND --help\n");
	}
	rc = output_write(&text, &err);
	buf_release(&text);
	return rc == 0 ? 0 : report_error(&err);
}

static int
service_version(void)
{
	static const char text[] = "propseal-registryd " PROPSEAL_VERSION "\n";
	struct error err;

	return output_write_fd(1, "standard output", text, sizeof(text) - 1, &err) == 0 ? 0 :
	    report_error(&err);
}

static int
service_run_command(const struct command *c, int argc, char **argv, size_t skip)
{
	struct options o;
	struct error err;
	int status;
	size_t i;

	for (i = 0; strcmp(runs[i].name, c->name) != 0; i++)
		;
	if (options_parse(&o, c, argc, argv, skip, &err) != 0 ||
	    options_check_required(&o, &err) != 0)
		status = usage_error(c, &err);
	else
		status = runs[i].run(&o);
	options_release(&o);
	return status;
}

/* Find the command of a command line and run it: the exit status. */
static int
service_dispatch(int argc, char **argv)
{
	const struct command *c;
	struct error err;
	struct scan s;
	size_t at = 0;

	options_scan(argc, argv, &s);
	report_as_json(s.json);
	report_set(s.quiet, s.verbose, s.color);
	/* As propseal passes them on. */
	at += at < s.count && strcmp(s.words[at], "secret") == 0;
	at += at < s.count && strcmp(s.words[at], "registry") == 0;
	c = at < s.count ? service_find(s.words[at]) : NULL;
	if (s.help || (at == s.count && !s.version))
		return service_help(c);
	if (c == NULL && s.version)
		return service_version();
	if (c != NULL)
		return service_run_command(c, argc, argv, at + 1);
	error_set(&err, ERROR_USAGE, "unknown command: %s", s.words[at]);
	error_hint(&err, "`propseal-registryd --help` lists the commands; propseal has the others");
	return report_error(&err);
}

int
main(int argc, char **argv)
{
	process_begin();
	return report_end(service_dispatch(argc, argv));
}
