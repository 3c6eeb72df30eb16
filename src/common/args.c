#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"
#include "base/settings.h"
#include "common/args.h"

#define WORD_MAX 40

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

/* Larger than any argument that Linux passes (MAX_ARG_STRLEN, 128 KiB). */
#define SECRET_MAX (4U << 20)
#define LOCK_TIMEOUT_DEFAULT 60

/* A flag as it stands in argv. */
struct token {
	const char *name;	/* without dashes and value */
	size_t len;
	bool is_letter;
	char *value;		/* after `=` or the letter; NULL: the next argument */
};

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to insert, delete, change, or swap with the next
 * (Levenshtein's distance with neighbours swapped). */
static size_t
distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *two = rows[0], *one = rows[1], *now = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= m; j++)
		two[j] = one[j] = j;
	for (i = 1; i <= n; i++) {
		now[0] = i;
		for (j = 1; j <= m; j++) {
			now[j] = least(one[j - 1] + (a[i - 1] != b[j - 1]),
			    least(one[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two[j - 2] + 1);
		}
		spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[m];
}

size_t
near_distance(const char *typed, size_t n, const char *word)
{
	size_t m = strlen(word);
	size_t d;

	if (n < 2 || n > WORD_MAX || m > WORD_MAX)
		return NEAR_NOT;
	d = distance(typed, n, word, m);
	if (n < m && memcmp(typed, word, n) == 0)
		return d;
	return d <= (m < 5 ? 1 : m < 10 ? 2 : 3) ? d : NEAR_NOT;
}

bool
near_word(const char *typed, size_t n, const char *word)
{
	return near_distance(typed, n, word) < NEAR_NOT;
}

int
near_choice(const char *typed, const char *choices, struct error *err)
{
	char word[WORD_MAX + 1];
	const char *p;
	size_t len;

	for (p = choices; *p != '\0'; p += len + (p[len] == '|')) {
		len = strcspn(p, "|");
		if (len > WORD_MAX)
			continue;
		memcpy(word, p, len);
		word[len] = '\0';
		if (near_word(typed, strlen(typed), word))
			return error_hint(err, "did you mean %s?", word);
	}
	return error_hint(err, "it takes %s", choices);
}

static struct flag flags[FLAG_COUNT] = {
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
	[FLAG_OUTPUT_FILES] = { .name = "output-file", .many = true,
	    PATH("FILE", "where the opened values go, - for standard output; of several "
	    "--config-file one for all, or one for each in their order") },
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
	    PATH("FILE", "read the master key from a file, - (standard input) or fd:N") },
	[FLAG_MASTER_KEY_COMMAND] = { .name = "master-key-command",
	    TEXT("COMMAND", "have the shell run a command that prints the master key") },
	[FLAG_MASTER_KEY_VARIABLE] = { .name = "master-key-variable",
	    TEXT("NAME", "look for the master key in this environment variable, too") },
	[FLAG_LEGACY_CBC] = { .name = "legacy-cbc",
	    SWITCH("open values in the old AES-CBC form without a tag that fits: anybody who "
	    "can write the secrets file may have changed them") },
	[FLAG_REPLACE] = { .name = "replace",
	    SWITCH("overwrite a sealed entry that holds another value") },
	[FLAG_CIPHER] = { .name = "cipher",
	    CHOICE("gcm|cbc", "how new entries are sealed; cbc only for old brokers") },
	[FLAG_CONFIG_FORMAT] = { .name = "config-format",
	    CHOICE("properties|json", "what the configuration file is, whatever its name") },
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
	[FLAG_THEME] = { .name = "theme",
	    CHOICE("", "colours of the interface") },	/* flag_choices */
	[FLAG_READ_ONLY] = { .name = "read-only",
	    SWITCH("look only: nothing is changed or written") },
	[FLAG_SCREEN_READER] = { .name = "screen-reader",
	    SWITCH("one list at a time, without lines, boxes and what moves by itself") },
	[FLAG_COPY_TIME] = { .name = "copy-time",
	    SECONDS(1, "how long a copied value stays in the clipboard (45)") },
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
	/* --file is also where a value is read from, --config also what is sealed. */
	[FLAG_FILE] = { .name = "env-path", .old = "file", .many = true,
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
	[FLAG_DIR] = { .name = "dir",
	    PATH("DIR", "write a file for each resolved value, named as its key, into a folder") },
	[FLAG_YES] = { .name = "yes",
	    SWITCH("apply the change without a question") },
	[FLAG_FIX] = { .name = "fix",
	    SWITCH("show what can be mended safely, ask, and mend it") },
	[FLAG_INSECURE_TMP] = { .name = "insecure-tmp",
	    SWITCH("where no folder in memory is found, edit in $TMPDIR or /tmp") },
	[FLAG_STAGED] = { .name = "staged",
	    SWITCH("look at what is staged for the next commit, not at the work tree") },
	[FLAG_OUTPUT_AUDIT] = { .name = "output", .letter = 'o',
	    CHOICE("human|json|jsonl|sarif|html|junit", "format of the report") },
	[FLAG_FAIL_ON] = { .name = "fail-on",
	    CHOICE("error|warning|note|none", "the lowest level with which the exit status is 3") },
	[FLAG_BASELINE] = { .name = "baseline",
	    PATH("FILE", "findings that are known, and do not count") },
	[FLAG_UPDATE_BASELINE] = { .name = "update-baseline",
	    SWITCH("write all that is found now to --baseline; reasons and dates stay") },
	[FLAG_NO_SUPPRESSIONS] = { .name = "no-suppressions",
	    SWITCH("let findings count that a comment propseal:ignore suppresses") },
	[FLAG_MAX_AGE] = { .name = "max-age",
	    TEXT("DAYS", "tell secrets that are older: 90, 90d, 12w, 1y") },
	[FLAG_DEEP] = { .name = "deep",
	    SWITCH("try known passphrases where each takes a tenth of a second, too") },
	[FLAG_GITIGNORE] = { .name = "gitignore",
	    SWITCH("pass over what .gitignore files leave out") },
	[FLAG_LOGS] = { .name = "logs",
	    PATH("PATH", "look for sealed values in logs, with the key") },
	[FLAG_PROCESSES] = { .name = "processes",
	    SWITCH("look at command lines and environments of Kafka's JVMs") },
	[FLAG_HISTORY] = { .name = "history",
	    SWITCH("look at all that was ever committed to the git repository here") },
	[FLAG_CONNECT_URL] = { .name = "connect-url",
	    TEXT("URL", "ask the Connect worker at http[s]://HOST:PORT for its connectors") },
	[FLAG_CONNECT_USER] = { .name = "connect-user",
	    TEXT("NAME", "who asks it, by a password") },
	[FLAG_CONNECT_PASSWORD_FILE] = { .name = "connect-password-file",
	    PATH("FILE", "that password") },
	[FLAG_LIST] = { .name = "list", SWITCH("name the lessons, and which were done") },
	[FLAG_CHECK] = { .name = "check",
	    SWITCH("see what is done of the lesson; exit status 3 where something is not") },
	[FLAG_SCREEN] = { .name = "screen",
	    SWITCH("play the lessons in the interface, with its keys") },
	[FLAG_GLOBAL] = { .name = "global",
	    SWITCH("only the settings, for all repositories of this user") },
	[FLAG_NO_HOOK] = { .name = "no-hook",
	    SWITCH("leave the pre-commit hook alone") },
	[FLAG_ROOT] = { .name = "root",
	    PATH("DIR", "look for units, processes and kernel settings below DIR") },
	[FLAG_KEY] = { .name = "key",
	    TEXT("KEY", "only changes of this key or sealed entry") },
	[FLAG_PARTIAL] = { .name = "partial",
	    SWITCH("go on where some values are not given; their references dangle") },
	[FLAG_SESSION] = { .name = "session",
	    PATH("DIR", "the folder of the rotation session (the newest that is not done)") },
	[FLAG_BOTH] = { .name = "both",
	    SWITCH("new data keys and new master keys") },
	[FLAG_COMMON_MASTER_KEY] = { .name = "common-master-key",
	    SWITCH("one new master key for all secrets files, instead of one for each") },
	[FLAG_KEYS_FILE] = { .name = "keys",
	    PATH("FILE", "which key opens which secrets file: lines `SECRETS FILE = SOURCE`, "
	    "with file:F, env:NAME, command:CMD, passphrase:@F or fd:N") },
	[FLAG_SKIP] = { .name = "skip", .many = true,
	    PATH("FILE", "leave this secrets file as it is") },
	[FLAG_RATE] = { .name = "rate",
	    TEXT("FILES", "change at most so many files a second") },
	[FLAG_NEW_MASTER_KEY_FILE] = { .name = "new-master-key-file",
	    PATH("FILE", "where the new master keys go: a new file, the one of an earlier run, or "
	    "fd:N") },
	[FLAG_MASTER_KEY_FILES] = { .name = "master-key-file", .many = true,
	    PATH("FILE", "read a master key from a file, - (standard input) or fd:N; may be "
	    "given several times") },
	[FLAG_HOST] = { .name = "host",
	    SWITCH("needs no session: open what this host has received") },
	[FLAG_FORMAT_CHECKLIST] = { .name = "format",
	    CHOICE("text|markdown|json", "of the checklist") },
	[FLAG_DATA] = { .name = "data",
	    PATH("DIR", "the registry's folder: store, users, bindings, audit log") },
	[FLAG_LISTEN] = { .name = "listen",
	    TEXT("ADDR:PORT", "where to listen (127.0.0.1:8082); port 0: any, it is printed") },
	[FLAG_SERVE_CONFIG] = { .name = "settings", .old = "config",
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
	    .variable = "PROPSEAL_REGISTRY_URL",
	    TEXT("URL", "the registry, http[s]://HOST[:PORT] ($PROPSEAL_REGISTRY_URL)") },
	[FLAG_USER] = { .name = "user",
	    .variable = "PROPSEAL_REGISTRY_USER",
	    TEXT("NAME", "log in with a password ($PROPSEAL_REGISTRY_USER)") },
	[FLAG_PASSWORD_FILE] = { .name = "password-file",
	    .variable = "PROPSEAL_REGISTRY_PASSWORD_FILE",
	    PATH("FILE", "the password; asked for on a terminal when absent") },
	[FLAG_TOKEN_FILE] = { .name = "token-file",
	    .variable = "PROPSEAL_REGISTRY_TOKEN_FILE",
	    PATH("FILE", "an API token or a JWT") },
	[FLAG_CA] = { .name = "ca",
	    .variable = "PROPSEAL_REGISTRY_CA",
	    PATH("FILE", "PEM certificates that sign the registry's, instead of the system's") },
	[FLAG_CERT] = { .name = "cert",
	    .variable = "PROPSEAL_REGISTRY_CERT",
	    PATH("FILE", "our own certificate, PEM") },
	[FLAG_CERT_KEY] = { .name = "cert-key",
	    .variable = "PROPSEAL_REGISTRY_CERT_KEY",
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
	[FLAG_QUIET] = { .name = "quiet", .letter = 'q',
	    SWITCH("say no notes and no changes, only warnings and errors") },
	[FLAG_VERBOSE] = { .name = "verbose", .letter = 'v',
	    SWITCH("say where settings and keys come from") },
	[FLAG_COLOR] = { .name = "color",
	    CHOICE("auto|always|never", "colour what is for people (auto: on a terminal "
	    "without NO_COLOR)") },
	[FLAG_TRACE] = { .name = "unsafe-trace",
	    SWITCH("taken for scripts of `confluent`; nothing is traced") },
};

const struct flag *
flag_get(enum flag_id id)
{
	return &flags[id];
}

void
flag_choices(enum flag_id id, const char *choices)
{
	flags[id].choices = flags[id].argument = choices;
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

const struct command_flag *
flags_of_all(void)
{
	static const struct command_flag all[] = {
		MAY(QUIET), MAY(VERBOSE), MAY(COLOR), MAY(TRACE), { FLAG_COUNT, false, NULL }
	};

	return all;
}

/* Is ${arg} a flag (not `-`, `--`, or a word)?  Takes it apart. */
static bool
options_take_apart(char *arg, struct token *t)
{
	char *equals;

	if (arg[0] != '-' || arg[1] == '\0')
		return false;
	t->is_letter = arg[1] != '-';
	if (t->is_letter) {
		t->name = arg + 1;
		t->len = 1;
		t->value = arg[2] == '\0' ? NULL : arg[2] == '=' ? arg + 3 : arg + 2;
		return true;
	}
	t->name = arg + 2;
	equals = strchr(t->name, '=');
	t->len = equals != NULL ? (size_t)(equals - t->name) : strlen(t->name);
	t->value = equals != NULL ? equals + 1 : NULL;
	return true;
}

static bool
token_is(const struct token *t, const char *name)
{
	return !t->is_letter && strlen(name) == t->len && memcmp(t->name, name, t->len) == 0;
}

static bool
takes_value(enum flag_id id)
{
	return id != FLAG_COUNT && flag_get(id)->kind != FLAG_IS_SWITCH;
}

void
options_scan(int argc, char **argv, struct scan *out)
{
	enum flag_id id;
	struct token t;
	bool flags_end = false;
	int i;

	memset(out, 0, sizeof(*out));
	for (i = 1; i < argc; i++) {
		if (flags_end || !options_take_apart(argv[i], &t)) {
			if (out->count < SCAN_WORDS)
				out->words[out->count++] = argv[i];
			continue;
		}
		if (t.len == 0 && t.value == NULL) {
			flags_end = true;
			continue;
		}
		out->version |= token_is(&t, "version") || (t.is_letter && t.name[0] == 'V');
		id = t.is_letter ? flag_find_letter(t.name[0]) : flag_find(t.name, t.len);
		out->help |= id == FLAG_HELP;
		out->quiet |= id == FLAG_QUIET;
		out->verbose |= id == FLAG_VERBOSE;
		if (takes_value(id) && t.value == NULL && i + 1 < argc)
			t.value = argv[++i];
		if ((id == FLAG_OUTPUT || id == FLAG_OUTPUT_KEY ||
		    id == FLAG_OUTPUT_AUDIT) && t.value != NULL)
			out->json = strcmp(t.value, "json") == 0;
		if (id == FLAG_COLOR)
			out->color = t.value;
	}
}

static const struct command_flag *
find_flag_in(const struct command_flag *f, const struct token *t)
{
	const struct flag *flag;

	for (; f->id != FLAG_COUNT; f++) {
		flag = flag_get(f->id);
		if (t->is_letter ? flag->letter == t->name[0] : token_is(t, flag->name) ||
		    (flag->old != NULL && token_is(t, flag->old)))
			return f;
	}
	return NULL;
}

static const struct command_flag *
find_flag(const struct command *c, const struct token *t)
{
	const struct command_flag *f = find_flag_in(c->flags, t);

	return f != NULL ? f : find_flag_in(flags_of_all(), t);
}

/* Hint at a flag of the list that may have been meant: is there one? */
static bool
hint_near_flag(const struct command_flag *f, const struct token *t, struct error *err)
{
	for (; f->id != FLAG_COUNT; f++)
		if (near_word(t->name, t->len, flag_get(f->id)->name)) {
			error_hint(err, "did you mean --%s?", flag_get(f->id)->name);
			return true;
		}
	return false;
}

static int
unknown_flag(const struct command *c, const struct token *t, struct error *err)
{
	if (t->is_letter) {
		error_set(err, ERROR_USAGE, "unknown flag: -%c", t->name[0]);
	} else {
		/* Without the value: it may be a secret. */
		error_set(err, ERROR_USAGE, "unknown flag: --%.*s",
		    (int)(t->len > 200 ? 200 : t->len), t->name);
		if (hint_near_flag(c->flags, t, err) || hint_near_flag(flags_of_all(), t, err))
			return -1;
		if (near_word(t->name, t->len, "version"))
			return error_hint(err, "did you mean `propseal --version`?");
	}
	return error_hint(err, "`propseal %s%s%s --help` lists the flags",
	    c->group != NULL ? c->group : "", c->group != NULL ? " " : "", c->name);
}

static int
bad_value(const struct flag *flag, const char *want, struct error *err)
{
	error_set(err, ERROR_USAGE, "bad value for --%s", flag->name);
	return error_hint(err, "it takes %s", want);
}

static int
set_switch(struct options *o, enum flag_id id, const char *value, struct error *err)
{
	if (value == NULL || strcmp(value, "true") == 0)
		o->on[id] = true;
	else if (strcmp(value, "false") == 0)
		o->on[id] = false;
	else
		return bad_value(flag_get(id), "no value, =true or =false", err);
	return 0;
}

static int
set_seconds(struct options *o, enum flag_id id, const char *value, struct error *err)
{
	const struct flag *flag = flag_get(id);
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < flag->min || n > flag->max)
		return bad_value(flag, flag->min < 0 ?
		    "a whole number of seconds, or -1" : "a whole number of seconds from 1", err);
	o->seconds[id] = (int)n;
	return 0;
}

static int
options_set_secret(struct options *o, enum flag_id id, char *value, struct error *err)
{
	struct buf *b = &o->secret[id];

	buf_clear(b);
	buf_append_str(b, value);
	secmem_wipe(value, strlen(value));
	return buf_check(b, err);
}

static int
options_set_value(struct options *o, enum flag_id id, char *value, struct error *err)
{
	const struct flag *flag = flag_get(id);
	const char *instead = id == FLAG_CONFIG_KEYS ? "separate the keys by commas" :
	    id == FLAG_CONFIG_TEXT ? "put each KEY=VALUE on a line of one text" : NULL;

	/* As with `confluent` the last one counts; of two lists one is left out. */
	if (o->given[id] && instead != NULL)
		report_warning(instead, "--%s is given more than once, and only the last one "
		    "counts", flag->name);
	o->given[id] = true;
	switch (flag->kind) {
	case FLAG_IS_SWITCH:
		return set_switch(o, id, value, err);
	case FLAG_IS_SECONDS:
		return set_seconds(o, id, value, err);
	case FLAG_IS_SECRET:
		return options_set_secret(o, id, value, err);
	case FLAG_IS_CHOICE:
		if (setting_choice(flag->choices, value) == -1) {
			error_set(err, ERROR_USAGE, "bad value for --%s", flag->name);
			return near_choice(value, flag->choices, err);
		}
		break;
	case FLAG_IS_PATH:
		if (value[0] == '\0')
			return bad_value(flag, "a file name", err);
		break;
	case FLAG_IS_TEXT:
		break;
	}
	o->text[id] = value;
	if (flag->many)
		o->items[o->item_count++] = (struct options_item){ id, value };
	return 0;
}

static int
set_flag(struct options *o, struct token *t, char ***next, struct error *err)
{
	const struct command_flag *f = find_flag(o->command, t);
	const struct flag *flag;

	if (f == NULL)
		return unknown_flag(o->command, t, err);
	flag = flag_get(f->id);
	if (flag->kind == FLAG_IS_SWITCH && t->is_letter && t->value == t->name + 1) {
		/* -vq: what follows are letters, too. */
		t->name++;
		t->value = t->name[1] == '\0' ? NULL : (char *)(uintptr_t)t->name + 1;
		return options_set_value(o, f->id, NULL, err) != 0 ? -1 :
		    set_flag(o, t, next, err);
	}
	if (flag->kind == FLAG_IS_SWITCH)
		return options_set_value(o, f->id, t->value, err);
	if (t->value == NULL) {
		t->value = **next;
		if (t->value == NULL) {
			error_set(err, ERROR_USAGE, "--%s needs a value", flag->name);
			return error_hint(err, "--%s %s", flag->name, flag->argument);
		}
		(*next)++;
	}
	return options_set_value(o, f->id, t->value, err);
}

/* Flags that the command requires and that are not there, all at once. */
int
options_check_required(const struct options *o, struct error *err)
{
	const struct command_flag *f;
	struct buf missing;
	bool in_file = false;
	size_t n = 0;

	buf_init(&missing, 1024);
	for (f = o->command->flags; f->id != FLAG_COUNT; f++) {
		if (!f->required || o->given[f->id] || o->from[f->id].file != NULL)
			continue;
		buf_printf(&missing, "%s--%s", n++ > 0 ? ", " : "", flag_get(f->id)->name);
		in_file |= f->id == FLAG_LOCAL_SECRETS_FILE || f->id == FLAG_REMOTE_SECRETS_FILE;
	}
	if (n > 0) {
		error_set(err, ERROR_USAGE, "missing: %s", buf_cstr(&missing));
		error_hint(err, "%s%s", n > 1 ? "these flags are required" :
		    "this flag is required", in_file ? "; " OPTIONS_FILE_NAME " can set "
		    "secrets-file and remote-path instead" : "");
	}
	buf_release(&missing);
	return n > 0 ? -1 : 0;
}

bool
command_is_registry(const struct command *c)
{
	return c->group != NULL && strcmp(c->group, "registry") == 0;
}

static int
hint_arguments(const struct command *c, struct error *err)
{
	if (c->arguments == NULL)
		return error_hint(err, "this command takes flags only");
	return error_hint(err, "it takes %s", c->arguments);
}

static int
check_arguments(const struct options *o, struct error *err)
{
	const struct command *c = o->command;

	if (o->arg_count < c->min_args) {
		error_set(err, ERROR_USAGE, "missing: %s", c->arguments);
		return hint_arguments(c, err);
	}
	if (o->arg_count <= c->max_args)
		return 0;
	if (o->given[FLAG_PASSPHRASE] || o->given[FLAG_PASSPHRASE_NEW] ||
	    o->given[FLAG_CONFIG_TEXT]) {
		/* It may be the rest of a secret that was not quoted. */
		error_set(err, ERROR_USAGE, "an argument too many");
		return error_hint(err, "a value with blanks must be quoted");
	}
	error_set(err, ERROR_USAGE, "an argument too many: %s", o->args[c->max_args]);
	return hint_arguments(c, err);
}

/* Note that ${what} reads standard input: it can be read to its end once only. */
static int
input_used(const char **by, const char *what, struct error *err)
{
	if (*by == NULL || strcmp(*by, what) == 0) {
		*by = what;
		return 0;
	}
	error_set(err, ERROR_USAGE, "standard input cannot be both %s and %s", *by, what);
	return error_hint(err, "give one of the two in a file, or by fd:N where that is taken");
}

static int
check_input(struct options *o, struct error *err)
{
	static const struct {
		enum flag_id id;
		const char *what;
	} readers[] = {
		{ FLAG_CONFIG_KEYS, "--config" }, { FLAG_CONFIG_TEXT, "--config" },
		{ FLAG_MASTER_KEY_FILE, "--master-key-file" },
		{ FLAG_PASSPHRASE, "--passphrase" }, { FLAG_PASSPHRASE_NEW, "--passphrase" },
	};
	const char *by = NULL, *text;
	size_t i;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (!o->given[readers[i].id])
			continue;
		text = flag_get(readers[i].id)->kind == FLAG_IS_SECRET ?
		    buf_cstr(&o->secret[readers[i].id]) : o->text[readers[i].id];
		if (strcmp(text, "-") == 0 && input_used(&by, readers[i].what, err) != 0)
			return -1;
	}
	for (i = 0; i < o->item_count; i++)
		if (strcmp(o->items[i].value, "-") == 0 && (o->items[i].id == FLAG_CONFIG_FILES ||
		    o->items[i].id == FLAG_MASTER_KEY_FILES) && input_used(&by,
		    o->items[i].id == FLAG_CONFIG_FILES ? "--config-file" : "--master-key-file",
		    err) != 0)
			return -1;
	/* What another program is given is none of ours. */
	for (i = 0; i < o->arg_count && strncmp(o->command->arguments, "--", 2) != 0; i++)
		if (strcmp(o->args[i], "-") == 0 && input_used(&by, "the file", err) != 0)
			return -1;
	return 0;
}

int
options_parse(struct options *o, const struct command *c, int argc, char **argv, size_t skip,
    struct error *err)
{
	bool flags_end = false;
	struct token t;
	char **next;
	size_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < FLAG_COUNT; i++)
		buf_init_secret(&o->secret[i], SECRET_MAX);
	o->command = c;
	o->seconds[FLAG_LOCK_TIMEOUT] = LOCK_TIMEOUT_DEFAULT;
	o->args = calloc((size_t)argc + 1, sizeof(*o->args));
	o->items = calloc((size_t)argc + 1, sizeof(*o->items));
	if (o->args == NULL || o->items == NULL)
		return error_memory(err);
	for (next = argv + (argc > 0); *next != NULL;) {
		char *arg = *next++;

		if (!flags_end && strcmp(arg, "--") == 0)
			flags_end = true;
		else if (!flags_end && options_take_apart(arg, &t)) {
			if (set_flag(o, &t, &next, err) != 0)
				return -1;
		} else if (skip > 0)
			skip--;
		else
			o->args[o->arg_count++] = arg;
	}
	return check_arguments(o, err) != 0 ? -1 : check_input(o, err);
}

int
options_hint(const struct options *o, enum flag_id id, struct error *err)
{
	const struct options_origin *from = &o->from[id];

	if (from->file == NULL)
		return error_hint(err, "check --%s", flag_get(id)->name);
	return error_hint(err, "check %s:%zu, which names it", from->file, from->line);
}

void
options_release(struct options *o)
{
	size_t i;

	for (i = 0; i < FLAG_COUNT; i++)
		buf_release(&o->secret[i]);
	free(o->items);
	free(o->args);
	o->items = NULL;
	o->args = NULL;
}

enum output_format
options_format(const struct options *o)
{
	const char *text = o->text[FLAG_OUTPUT];

	/* A command has one of the two. */
	if (text == NULL)
		text = o->text[FLAG_OUTPUT_KEY];
	if (text == NULL || strcmp(text, "human") == 0)
		return OUTPUT_HUMAN;
	return strcmp(text, "json") == 0 ? OUTPUT_JSON : OUTPUT_YAML;
}

int
options_lock_timeout(const struct options *o)
{
	int seconds = o->seconds[FLAG_LOCK_TIMEOUT];

	return seconds < 0 ? -1 : 1000 * seconds;
}
