#include "cli/completion.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/command.h"
#include "cli/commands.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"

#define SCRIPT_MAX (1U << 20)

enum completion_kind
completion_of_flag(const struct flag *f)
{
	bool keys = f->argument != NULL && strncmp(f->argument, "KEY", 3) == 0;

	switch (f->kind) {
	case FLAG_IS_SWITCH:
	case FLAG_IS_SECONDS:
		return COMPLETION_NONE;
	case FLAG_IS_CHOICE:
		return COMPLETION_WORDS;
	case FLAG_IS_PATH:
		return strcmp(f->argument, "DIR") == 0 ? COMPLETION_FOLDERS :
		    COMPLETION_FILES;
	case FLAG_IS_TEXT:
		return keys ? COMPLETION_KEYS : COMPLETION_NONE;
	case FLAG_IS_SECRET:
		return keys ? COMPLETION_PAIRS : COMPLETION_SOURCE;
	}
	return COMPLETION_NONE;
}

enum completion_kind
completion_of_arguments(const struct command *c)
{
	if (c->arguments == NULL)
		return COMPLETION_NONE;
	if (strstr(c->arguments, "COMMAND") != NULL || strstr(c->arguments, "CMD") != NULL)
		return COMPLETION_COMMANDS;
	if (memchr(c->arguments, '|', strcspn(c->arguments, " [")) != NULL)
		return COMPLETION_WORDS;
	/* Names that only a registry knows. */
	if (strstr(c->arguments, "KEY") != NULL || strstr(c->arguments, "PATH [") != NULL)
		return COMPLETION_NONE;
	return COMPLETION_FILES;
}

const char *
completion_first(const struct command *c)
{
	return c->group != NULL ? c->group : c->name;
}

bool
completion_is_new(size_t i)
{
	size_t k;

	for (k = 0; k < i; k++) {
		if (!command_at(k)->hidden && strcmp(completion_first(command_at(k)),
		    completion_first(command_at(i))) == 0)
			return false;
	}
	return true;
}

void
completion_append_words(struct buf *out, const char *choices)
{
	for (; *choices != '\0' && *choices != ' '; choices++)
		buf_append_char(out, *choices == '|' ? ' ' : *choices);
}

int
commands_completion(const struct options *o)
{
	static const struct {
		const char *shell;
		void (*append)(struct buf *out);
	} shells[] = {
		{ "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish },
	};
	struct error err;
	struct buf out;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].shell, o->args[0]) != 0)
			continue;
		buf_init(&out, SCRIPT_MAX);
		shells[i].append(&out);
		rc = output_write(&out, &err);
		buf_release(&out);
		return rc == 0 ? 0 : report_error(&err);
	}
	error_set(&err, ERROR_USAGE, "there is no completion for %s", o->args[0]);
	error_hint(&err, "one of %s", o->command->arguments);
	return report_usage(o->command, &err);
}
