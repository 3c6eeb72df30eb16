#ifndef COMMON_ARGS_H
#define COMMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "common/report.h"

struct buf;
struct command;
struct config;
struct error;
struct options;

/* Could ${typed} (${n} bytes) be meant for ${word}?  A beginning of it, or a
 * few letters wrong. */
bool near_word(const char *typed, size_t n, const char *word);

/* How far apart they are; a larger number than for any near word if they are
 * not near. */
size_t near_distance(const char *typed, size_t n, const char *word);

#define NEAR_NOT 1000

/* Hint at the one of "a|b|c" that ${typed} may have been meant for, or else at
 * all of them.  Returns -1. */
int near_choice(const char *typed, const char *choices, struct error *err);

/* Every flag of every command.  Two may share a name when no command has both. */
enum flag_id {
	FLAG_LOCAL_SECRETS_FILE,
	FLAG_REMOTE_SECRETS_FILE,
	FLAG_CONFIG_KEYS,	/* --config: a list of keys */
	FLAG_CONFIG_TEXT,	/* --config: keys and values, secret */
	FLAG_OUTPUT_FILE,
	FLAG_OUTPUT_FILES,	/* --output-file, several */
	FLAG_PASSPHRASE,
	FLAG_PASSPHRASE_NEW,
	FLAG_DATA_KEY,
	FLAG_MASTER_KEY,
	FLAG_MASTER_KEY_FILE,
	FLAG_MASTER_KEY_COMMAND,
	FLAG_MASTER_KEY_VARIABLE,
	FLAG_LEGACY_CBC,
	FLAG_REPLACE,
	FLAG_CIPHER,
	FLAG_CONFIG_FORMAT,
	FLAG_ANY_NAME,
	FLAG_BASE_NAME,
	FLAG_ORPHAN,
	FLAG_REVEAL,
	FLAG_REVEAL_TIME,
	FLAG_THEME,
	FLAG_READ_ONLY,
	FLAG_SCREEN_READER,
	FLAG_COPY_TIME,
	FLAG_LOCK_TIME,
	FLAG_DRY_RUN,
	FLAG_LOCK_TIMEOUT,
	FLAG_OUTPUT,		/* human, json */
	FLAG_OUTPUT_KEY,	/* human, json, yaml */
	FLAG_CONFIG_FILES,	/* --config-file, several */
	FLAG_ENV,
	FLAG_FILE,
	FLAG_NAMED,
	FLAG_KEEP_KEY,
	FLAG_FORMAT,
	FLAG_DIR,
	FLAG_YES,
	FLAG_INSECURE_TMP,
	FLAG_STAGED,
	FLAG_OUTPUT_AUDIT,	/* human, json, jsonl, sarif, html, junit */
	FLAG_FAIL_ON,
	FLAG_BASELINE,
	FLAG_UPDATE_BASELINE,
	FLAG_NO_SUPPRESSIONS,
	FLAG_DEEP,
	FLAG_GITIGNORE,
	FLAG_LOGS,
	FLAG_PROCESSES,
	FLAG_HISTORY,
	FLAG_CONNECT_URL,
	FLAG_CONNECT_USER,
	FLAG_CONNECT_PASSWORD_FILE,
	FLAG_MAX_AGE,
	FLAG_FIX,
	FLAG_LIST,
	FLAG_CHECK,
	FLAG_SCREEN,
	FLAG_GLOBAL,
	FLAG_NO_HOOK,
	FLAG_ROOT,
	FLAG_KEY,
	FLAG_PARTIAL,

	/* of `rotation` */
	FLAG_SESSION,
	FLAG_BOTH,
	FLAG_COMMON_MASTER_KEY,
	FLAG_KEYS_FILE,
	FLAG_SKIP,
	FLAG_RATE,
	FLAG_NEW_MASTER_KEY_FILE,
	FLAG_MASTER_KEY_FILES,	/* --master-key-file, several */
	FLAG_HOST,
	FLAG_FORMAT_CHECKLIST,	/* text, markdown, json */

	/* the registry's */
	FLAG_DATA,
	FLAG_LISTEN,
	FLAG_SERVE_CONFIG,	/* --config: the service's settings */
	FLAG_PRINCIPAL,
	FLAG_PATH_NAME,
	FLAG_PREFIX,
	FLAG_TTL,
	FLAG_FILE_NAME,
	FLAG_KEY_NAME,
	FLAG_METHOD,
	FLAG_SINCE,
	FLAG_UNTIL,
	FLAG_DENIED,
	FLAG_URL,
	FLAG_USER,
	FLAG_PASSWORD_FILE,
	FLAG_TOKEN_FILE,
	FLAG_CA,
	FLAG_CERT,
	FLAG_CERT_KEY,
	FLAG_INSECURE_HTTP,
	FLAG_CAS,
	FLAG_FROM,
	FLAG_FROM_USER,
	FLAG_FROM_PASSWORD_FILE,
	FLAG_FROM_TOKEN_FILE,
	FLAG_CONNECTOR,
	FLAG_DESTROY,
	FLAG_HELP,

	/* of every command */
	FLAG_QUIET,
	FLAG_VERBOSE,
	FLAG_COLOR,
	FLAG_TRACE,
	FLAG_COUNT
};

enum flag_kind {
	FLAG_IS_SWITCH,		/* no value, or =true / =false */
	FLAG_IS_PATH,		/* not empty */
	FLAG_IS_TEXT,
	FLAG_IS_CHOICE,		/* one of choices */
	FLAG_IS_SECONDS,	/* a whole number within min..max */
	FLAG_IS_SECRET		/* moved to secret memory, wiped from argv */
};

struct flag {
	const char *name;	/* without the dashes */
	const char *old;	/* what it was called before, and is taken as, too; NULL */
	char letter;		/* 0: none */
	enum flag_kind kind;
	const char *argument;	/* what help calls its value, NULL for a switch */
	const char *choices;	/* CHOICE: "a|b|c", else NULL */
	int min;		/* SECONDS */
	int max;
	bool many;		/* PATH, TEXT: may be given several times, and each counts */
	const char *help;
	const char *variable;	/* of the environment that says it, if no flag does; NULL */
};

const struct flag *flag_get(enum flag_id id);

/* What a CHOICE takes, where only the program knows it; before anything is parsed. */
void flag_choices(enum flag_id id, const char *choices);

/* The flags that every command takes, besides its own; the last one has FLAG_COUNT. */
const struct command_flag *flags_of_all(void);

/* Any flag of this name (${n} bytes, without dashes) or letter, whatever the
 * command: to know whether a value follows.  FLAG_COUNT: none. */
enum flag_id flag_find(const char *name, size_t n);
enum flag_id flag_find_letter(char letter);

/* A flag that may be given several times, as it was given once. */
struct options_item {
	enum flag_id id;
	const char *value;
};

/* The line of a settings file that sets a flag which was not given. */
struct options_origin {
	const char *file;		/* NULL: none does */
	size_t line;
	bool foreign;			/* it may have come with a repository */
	int rank;			/* of the files that say the same the higher one counts */
};

#define OPTIONS_FILE_NAME "propseal.ini"

/* A parsed command line.  Strings are argv's own; secrets were moved out of it. */
struct options {
	const struct command *command;
	bool given[FLAG_COUNT];
	bool on[FLAG_COUNT];		/* SWITCH */
	const char *text[FLAG_COUNT];	/* PATH, TEXT, CHOICE; NULL: not given */
	int seconds[FLAG_COUNT];	/* SECONDS */
	struct options_origin from[FLAG_COUNT];	/* set by a line of propseal.ini */
	struct buf secret[FLAG_COUNT];	/* SECRET, as given */
	struct options_item *items;	/* of flags with many, in their order */
	size_t item_count;
	const char **args;
	size_t arg_count;
	const struct config *config;	/* the settings (cli/settings.h), NULL: the built-in ones */
};

/* The words of a command line that may be a command: secret file encrypt X. */
#define SCAN_WORDS 4

struct scan {
	const char *words[SCAN_WORDS];
	size_t count;
	bool help;		/* --help or -h is there */
	bool version;		/* --version or -V is there */
	bool json;		/* -o json is there */
	bool quiet;		/* -q */
	bool verbose;		/* -v */
	const char *color;	/* of --color, NULL: it is not there */
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

/* --lock-timeout in milliseconds, 60 s when not given, -1 for without end. */
int options_lock_timeout(const struct options *o);

/* A flag of one command. */
struct command_flag {
	enum flag_id id;
	bool required;
	const char *help;	/* NULL: the flag's own */
};

#define COMMAND_FLAGS_MAX 32

/*
 * A command.  Parsing, usage, --help and completion are all made from tables
 * of these: cli/commands.c, and service_commands.c for those that work on the
 * registry's folder, which propseal knows and propseal-registryd runs.
 */
struct command {
	const char *group;	/* the first of two words, NULL for a single one */
	const char *name;
	const char *summary;	/* one line */
	const char *details;	/* paragraphs, NULL: none */
	const char *examples;	/* a line each, without `propseal`; one goes on behind a blank */
	const char *arguments;	/* for the usage line, NULL: takes none */
	const char *further;	/* "a|b|c": what an argument behind the first may be, NULL */
	size_t min_args;
	size_t max_args;
	struct command_flag flags[COMMAND_FLAGS_MAX];	/* up to the first with FLAG_COUNT */

	bool hidden;		/* not for people: in no list */
	bool by_default;	/* what its group alone stands for */
	bool no_config;		/* it does not go by propseal.ini */
	bool by_rules;		/* it judges which keys are secrets */
	bool reads_legacy;	/* opens a secrets file that is in CBC as a whole */

	/* Run it: the program's exit status.  Reports its own errors.  NULL: a
	 * command that propseal-registryd runs. */
	int (*run)(const struct options *o);
};

/* For a table of commands: a flag that may or must be given, and what ends the list. */
#define MAY(id) { FLAG_##id, false, NULL }
#define MUST(id) { FLAG_##id, true, NULL }
#define LAST MAY(HELP), { FLAG_COUNT, false, NULL }

/* Is it one of the registry's, which have a list and a manual of their own? */
bool command_is_registry(const struct command *c);

/* Append the usage line of ${c}, or of the program for NULL. */
void usage_line(const struct command *c, struct buf *out);

/* Append all that there is to say about a command. */
void usage_command(const struct command *c, struct buf *out);

/* Its first examples, ${max} of them. */
void usage_examples(const struct command *c, size_t max, struct buf *out);

/* Append the flags that every command takes. */
void usage_flags_of_all(struct buf *out);

/* Append the line of ${c} in a list of commands. */
void usage_row(const struct command *c, struct buf *out);

/* Say an error of the command line, with the usage of ${c} (NULL: the
 * program's); returns the exit status, 2. */
int usage_error(const struct command *c, const struct error *err);

#endif /* !COMMON_ARGS_H */
