#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "common/flag.h"
#include "common/output.h"

struct command;
struct config;
struct config_value;
struct error;

/* A flag that may be given several times, as it was given once. */
struct options_item {
	enum flag_id id;
	const char *value;
};

/* A parsed command line.  Strings are argv's own; secrets were moved out of it. */
struct options {
	const struct command *command;
	bool given[FLAG_COUNT];
	bool on[FLAG_COUNT];		/* SWITCH */
	const char *text[FLAG_COUNT];	/* PATH, TEXT, CHOICE; NULL: not given */
	int seconds[FLAG_COUNT];	/* SECONDS */
	const struct config_value *from[FLAG_COUNT];	/* the line of propseal.ini that set it */
	struct buf secret[FLAG_COUNT];	/* SECRET, as given */
	struct options_item *items;	/* of flags with many, in their order */
	size_t item_count;
	const char **args;
	size_t arg_count;
	const struct config *config;	/* the settings (config.h), NULL: the built-in ones */
};

/* The words of a command line that may be a command: secret file encrypt X. */
#define SCAN_WORDS 4

struct scan {
	const char *words[SCAN_WORDS];
	size_t count;
	bool help;		/* --help or -h is there */
	bool version;		/* --version is there */
	bool json;		/* -o json is there */
};

/* Look over a command line before its command is known.  Cannot fail. */
void options_scan(int argc, char **argv, struct scan *out);

/**
 * options_parse(o, c, argc, argv, skip, err):
 * Parse for command ${c}, passing over the first ${skip} words.  Flags stand
 * anywhere, `--flag value` or `--flag=value`; `--` ends them.  The bytes of
 * SECRET values in ${argv} are wiped at once.  ERROR_USAGE: unknown flag, bad
 * or missing value, too few or many arguments; no text of an error holds a
 * part of a secret.  Release ${o} also after a failure.
 */
int options_parse(struct options *o, const struct command *c, int argc,
    char **argv, size_t skip, struct error *err);
void options_release(struct options *o);

/* ERROR_USAGE when a flag that the command requires was neither given nor set
 * by propseal.ini (config_apply). */
int options_check_required(const struct options *o, struct error *err);

/* Hint that the value of a flag may be wrong: at the flag, or at the line of
 * propseal.ini that it comes from.  Returns -1. */
int options_hint(const struct options *o, enum flag_id id, struct error *err);

enum output_format options_format(const struct options *o);
enum output_format options_key_format(const struct options *o);

/* --lock-timeout in milliseconds, 60 s when not given, -1 for without end. */
int options_lock_timeout(const struct options *o);

#endif /* !OPTIONS_H */
