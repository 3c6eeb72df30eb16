#include "common/flag.h"

#include <string.h>

/* The longest time in seconds whose milliseconds fit an int. */
#define SECONDS_MAX 2000000

/* Ten years, the registry's longest. */
#define TTL_MAX 315360000

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
	[FLAG_BASE_NAME] = { .name = "base-name",
	    TEXT("NAME", "name sealed entries NAME/KEY instead of after the file") },
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
	[FLAG_CONFIG_FILES] = { .name = "config-file", .many = true,
	    PATH("FILE", "a configuration file; {} in the command is the path of a resolved "
	    "copy in memory ({1}, {2} and so on of several)") },
	[FLAG_ENV] = { .name = "env", .many = true,
	    TEXT("NAME=KEY", "put the resolved value of KEY into variable NAME; KEY is one of "
	    "the --config-file before it") },
	[FLAG_FILE] = { .name = "file", .many = true,
	    TEXT("NAME", "put the path of a resolved copy of the --config-file before it into "
	    "variable NAME") },
	[FLAG_NAMED] = { .name = "named",
	    SWITCH("copies are files of the same name in a private folder in memory, not "
	    "inherited descriptors") },
	[FLAG_KEEP_KEY] = { .name = "keep-key",
	    SWITCH("the command gets the master key in its environment") },
	[FLAG_FORMAT] = { .name = "format",
	    CHOICE("properties|json|env", "key=value lines, a JSON object, or NAME='value' "
	    "lines for a shell (the file as it is, resolved)") },
	[FLAG_YES] = { .name = "yes",
	    SWITCH("apply the change without a question") },
	[FLAG_INSECURE_TMP] = { .name = "insecure-tmp",
	    SWITCH("where no folder in memory is found, edit in $TMPDIR or /tmp") },
	[FLAG_STAGED] = { .name = "staged",
	    SWITCH("look at what is staged for the next commit, not at the work tree") },
	[FLAG_GLOBAL] = { .name = "global",
	    SWITCH("only the settings, for all repositories of this user") },
	[FLAG_NO_HOOK] = { .name = "no-hook",
	    SWITCH("leave the pre-commit hook alone") },
	[FLAG_ROOT] = { .name = "root",
	    PATH("DIR", "look for units, processes and kernel settings below DIR") },
	[FLAG_DATA] = { .name = "data",
	    PATH("DIR", "the registry's folder: store, users, bindings, audit log") },
	[FLAG_LISTEN] = { .name = "listen",
	    TEXT("ADDR:PORT", "where to listen (127.0.0.1:8082); port 0: any, it is printed") },
	[FLAG_SERVE_CONFIG] = { .name = "config",
	    PATH("FILE", "the service's settings (propseal-registry(8))") },
	[FLAG_PRINCIPAL] = { .name = "principal",
	    TEXT("NAME", "the user or service, with or without User: in front") },
	[FLAG_PATH_NAME] = { .name = "path",
	    TEXT("PATH", "one path: the name of a connector") },
	[FLAG_PREFIX] = { .name = "prefix",
	    TEXT("PREFIX", "every path that begins so") },
	[FLAG_TTL] = { .name = "ttl", .kind = FLAG_IS_SECONDS, .argument = "SECONDS",
	    .min = 1, .max = TTL_MAX, .help = "it ends by itself after this time" },
	[FLAG_FILE_NAME] = { .name = "file",
	    PATH("FILE", "the file instead of DIR/audit.log") },
	[FLAG_KEY_NAME] = { .name = "key-name",
	    TEXT("KEY", "one key") },
	[FLAG_METHOD] = { .name = "method",
	    TEXT("NAME", "one method, such as GetSecretLatest") },
	[FLAG_SINCE] = { .name = "since",
	    TEXT("TIME", "from this time on, as 2026-01-31T12:00:00Z or its beginning") },
	[FLAG_UNTIL] = { .name = "until",
	    TEXT("TIME", "up to this time") },
	[FLAG_DENIED] = { .name = "denied",
	    SWITCH("only what was denied") },
	[FLAG_URL] = { .name = "url",
	    TEXT("URL", "the registry, http[s]://HOST[:PORT] ($PROPSEAL_REGISTRY_URL)") },
	[FLAG_USER] = { .name = "user",
	    TEXT("NAME", "log in with a password ($PROPSEAL_REGISTRY_USER)") },
	[FLAG_PASSWORD_FILE] = { .name = "password-file",
	    PATH("FILE", "the password; asked for on a terminal when absent") },
	[FLAG_TOKEN_FILE] = { .name = "token-file",
	    PATH("FILE", "an API token or a JWT") },
	[FLAG_CA] = { .name = "ca",
	    PATH("FILE", "PEM certificates that sign the registry's, instead of the system's") },
	[FLAG_CERT] = { .name = "cert",
	    PATH("FILE", "our own certificate, PEM") },
	[FLAG_CERT_KEY] = { .name = "cert-key",
	    PATH("FILE", "its private key, PEM") },
	[FLAG_INSECURE_HTTP] = { .name = "insecure-http",
	    SWITCH("send secrets and passwords in clear text beyond this host") },
	[FLAG_CAS] = { .name = "cas",
	    TEXT("VERSION", "only if this is the current version; 0: only if there is none") },
	[FLAG_FROM] = { .name = "from",
	    TEXT("URL|FILE", "a registry of Confluent's kind, or the file of an export") },
	[FLAG_FROM_USER] = { .name = "from-user",
	    TEXT("NAME", "log in there with a password") },
	[FLAG_FROM_PASSWORD_FILE] = { .name = "from-password-file",
	    PATH("FILE", "the password there") },
	[FLAG_FROM_TOKEN_FILE] = { .name = "from-token-file",
	    PATH("FILE", "a token for there") },
	[FLAG_CONNECTOR] = { .name = "connector",
	    TEXT("NAME", "the connector's name (the file's \"name\")") },
	[FLAG_DESTROY] = { .name = "destroy",
	    SWITCH("for good: it cannot be undeleted") },
	[FLAG_HELP] = { .name = "help", .letter = 'h',
	    SWITCH("explain the command") },
};

const struct flag *
flag_get(enum flag_id id)
{
	return &flags[id];
}

bool
flag_is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);
	size_t len;

	for (;;) {
		len = strcspn(choices, "|");
		if (len == n && memcmp(choices, value, n) == 0)
			return true;
		if (choices[len] == '\0')
			return false;
		choices += len + 1;
	}
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
