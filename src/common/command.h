#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/flag.h"

struct options;

/* A flag of one command. */
struct command_flag {
	enum flag_id id;
	bool required;
	const char *help;	/* NULL: the flag's own */
};

#define COMMAND_FLAGS_MAX 20

/*
 * A command of the program.  Parsing, usage, --help and (later) completion
 * are all made from this table.
 */
struct command {
	const char *group;	/* the first of two words, NULL for a single one */
	const char *name;
	const char *summary;	/* one line */
	const char *details;	/* paragraphs, NULL: none */
	const char *arguments;	/* for the usage line, NULL: takes none */
	size_t min_args;
	size_t max_args;
	struct command_flag flags[COMMAND_FLAGS_MAX];	/* up to the first with FLAG_COUNT */

	bool hidden;		/* not for people: in no list */
	bool no_config;		/* it does not go by propseal.ini */

	/* Run it: the program's exit status.  Reports its own errors. */
	int (*run)(const struct options *o);
};

/* What ends a command's list of flags. */
#define COMMAND_FLAGS_END { FLAG_COUNT, false, NULL }

size_t command_count(void);
const struct command *command_at(size_t i);

/* ${group} NULL: a command of one word.  NULL: no such command. */
const struct command *command_find(const char *group, const char *name);

/* Is it the first word of two? */
bool command_is_group(const char *word);

/* Is it one of the registry's, which have a list and a manual of their own? */
bool command_is_registry(const struct command *c);

#endif /* !COMMAND_H */
