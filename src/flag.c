#include "flag.h"

#include <string.h>

/* The longest time in seconds whose milliseconds fit an int. */
#define SECONDS_MAX 2000000

#define SWITCH(text) .kind = FLAG_IS_SWITCH, .help = text
#define PATH(word, text) .kind = FLAG_IS_PATH, .argument = word, .help = text
#define TEXT(word, text) .kind = FLAG_IS_TEXT, .argument = word, .help = text
#define SECRET(word, text) .kind = FLAG_IS_SECRET, .argument = word, .help = text
#define CHOICE(list, text) \
	.kind = FLAG_IS_CHOICE, .argument = list, .choices = list, .help = text
#define SECONDS(low, text) \
	.kind = FLAG_IS_SECONDS, .argument = "SECONDS", .min = low, .max = SECONDS_MAX, \
	.help = text

static const struct flag flags[FLAG_COUNT] = {
	[FLAG_CONFIG_FILE] = { .name = "config-file",
	    PATH("FILE", "the configuration file, .properties or .json") },
	[FLAG_LOCAL_SECRETS_FILE] = { .name = "local-secrets-file",
	    PATH("FILE", "the secrets file on this host") },
	[FLAG_REMOTE_SECRETS_FILE] = { .name = "remote-secrets-file",
	    PATH("PATH", "where the secrets file is on the host that runs the service") },
	[FLAG_CONFIG_KEYS] = { .name = "config",
	    TEXT("KEYS", "keys, separated by commas; @FILE and - read a list") },
	[FLAG_CONFIG_TEXT] = { .name = "config",
	    SECRET("KEY=VALUE", "@FILE and - (standard input) read .properties lines; given "
	    "here, values can be seen by other users") },
	[FLAG_OUTPUT_FILE] = { .name = "output-file",
	    PATH("FILE", "where the opened values go, - for standard output") },
	[FLAG_PASSPHRASE] = { .name = "passphrase",
	    SECRET("SOURCE", "the passphrase: @FILE, - (standard input), fd:N; asked for on a "
	    "terminal when absent; anything else is the passphrase itself") },
	[FLAG_PASSPHRASE_NEW] = { .name = "passphrase-new",
	    SECRET("SOURCE", "the new passphrase, as --passphrase; with - for both, the "
	    "first line is the old one and the second the new one") },
	[FLAG_DATA_KEY] = { .name = "data-key",
	    SWITCH("make a new data key and seal every entry again (the default)") },
	[FLAG_MASTER_KEY] = { .name = "master-key",
	    SWITCH("make a new master key from a new passphrase") },
	[FLAG_MASTER_KEY_FILE] = { .name = "master-key-file",
	    PATH("FILE", "read the master key from a file") },
	[FLAG_REPLACE] = { .name = "replace",
	    SWITCH("overwrite a sealed entry that holds another value") },
	[FLAG_CIPHER] = { .name = "cipher",
	    CHOICE("gcm|cbc", "how new entries are sealed; cbc only for old brokers") },
	[FLAG_ANY_NAME] = { .name = "any-name",
	    SWITCH("follow references that name another file (it was renamed)") },
	[FLAG_ORPHAN] = { .name = "orphan",
	    SWITCH("remove a sealed entry that the configuration file no longer has") },
	[FLAG_REVEAL] = { .name = "reveal",
	    SWITCH("show secret values; sealed ones with the master key") },
	[FLAG_REVEAL_TIME] = { .name = "reveal-time",
	    SECONDS(1, "how long a revealed value stays on the screen (10)") },
	[FLAG_LOCK_TIME] = { .name = "lock-time",
	    SECONDS(1, "idle time after which the keys are wiped (300)") },
	[FLAG_DRY_RUN] = { .name = "dry-run",
	    SWITCH("show the change, masked, and write nothing") },
	[FLAG_LOCK_TIMEOUT] = { .name = "lock-timeout",
	    SECONDS(-1, "how long to wait for another propseal (60; -1: without end)") },
	[FLAG_OUTPUT] = { .name = "output", .letter = 'o',
	    CHOICE("human|json", "format of the result and of errors") },
	[FLAG_OUTPUT_KEY] = { .name = "output", .letter = 'o',
	    CHOICE("human|json|yaml", "format of the key; json: of errors too") },
	[FLAG_HELP] = { .name = "help", .letter = 'h',
	    SWITCH("explain the command") },
};

const struct flag *
flag_get(enum flag_id id)
{
	return &flags[id];
}

enum flag_id
flag_find(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < FLAG_COUNT; i++) {
		if (strlen(flags[i].name) == n && memcmp(flags[i].name, name, n) == 0)
			break;
	}
	return (enum flag_id)i;
}

enum flag_id
flag_find_letter(char letter)
{
	size_t i;

	for (i = 0; i < FLAG_COUNT; i++) {
		if (flags[i].letter != 0 && flags[i].letter == letter)
			break;
	}
	return (enum flag_id)i;
}
