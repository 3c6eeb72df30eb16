#ifndef FLAG_H
#define FLAG_H

#include <stdbool.h>
#include <stddef.h>

/* Every flag of every command.  Two may share a name when no command has both. */
enum flag_id {
	FLAG_CONFIG_FILE,
	FLAG_LOCAL_SECRETS_FILE,
	FLAG_REMOTE_SECRETS_FILE,
	FLAG_CONFIG_KEYS,	/* --config: a list of keys */
	FLAG_CONFIG_TEXT,	/* --config: keys and values, secret */
	FLAG_OUTPUT_FILE,
	FLAG_PASSPHRASE,
	FLAG_PASSPHRASE_NEW,
	FLAG_DATA_KEY,
	FLAG_MASTER_KEY,
	FLAG_MASTER_KEY_FILE,
	FLAG_REPLACE,
	FLAG_CIPHER,
	FLAG_ANY_NAME,
	FLAG_BASE_NAME,
	FLAG_ORPHAN,
	FLAG_REVEAL,
	FLAG_REVEAL_TIME,
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
	FLAG_YES,
	FLAG_INSECURE_TMP,
	FLAG_STAGED,
	FLAG_GLOBAL,
	FLAG_NO_HOOK,
	FLAG_ROOT,

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
	char letter;		/* 0: none */
	enum flag_kind kind;
	const char *argument;	/* what help calls its value, NULL for a switch */
	const char *choices;	/* CHOICE: "a|b|c", else NULL */
	int min;		/* SECONDS */
	int max;
	bool many;		/* PATH, TEXT: may be given several times, and each counts */
	const char *help;
};

const struct flag *flag_get(enum flag_id id);

/* Is ${value} one of the words in ${choices}, which stand between bars? */
bool flag_is_choice(const char *choices, const char *value);

/* Any flag of this name (${n} bytes, without dashes) or letter, whatever the
 * command: to know whether a value follows.  FLAG_COUNT: none. */
enum flag_id flag_find(const char *name, size_t n);
enum flag_id flag_find_letter(char letter);

#endif /* !FLAG_H */
