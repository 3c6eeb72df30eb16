#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flag.h"
#include "output.h"

struct command;
struct error;

/* A parsed command line.  Strings are argv's own; secrets were moved out of it. */
struct options {
	const struct command *command;
	bool given[FLAG_COUNT];
	bool on[FLAG_COUNT];		/* SWITCH */
	const char *text[FLAG_COUNT];	/* PATH, TEXT, CHOICE; NULL: not given */
	int seconds[FLAG_COUNT];	/* SECONDS */
	struct buf secret[FLAG_COUNT];	/* SECRET, as given */
	const char **args;
	size_t arg_count;
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
 * or missing value, required flag missing, too few or many arguments; no text
 * of an error holds a part of a secret.  Release ${o} also after a failure.
 */
int options_parse(struct options *o, const struct command *c, int argc,
    char **argv, size_t skip, struct error *err);
void options_release(struct options *o);

enum output_format options_format(const struct options *o);
enum output_format options_key_format(const struct options *o);

/* --lock-timeout in milliseconds, 60 s when not given, -1 for without end. */
int options_lock_timeout(const struct options *o);

#endif /* !OPTIONS_H */
