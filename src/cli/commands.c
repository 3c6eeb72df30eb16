#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cli/commands.h"
#include "common/args.h"
#include "common/service_commands.h"

#define REGISTRY .group = "registry"
#define SEVERAL_FILES \
	{ FLAG_CONFIG_FILES, true, "a configuration file, .properties or .json; may be given " \
	    "several times" }, MAY(CONFIG_FORMAT), MUST(LOCAL_SECRETS_FILE), MAY(BASE_NAME)
#define WRITING \
	MAY(DRY_RUN), MAY(LOCK_TIMEOUT), MAY(OUTPUT)
#define KEYS \
	MAY(MASTER_KEY_FILE), MAY(MASTER_KEY_COMMAND), MAY(MASTER_KEY_VARIABLE)
#define SEALING \
	MUST(REMOTE_SECRETS_FILE), KEYS, MAY(REPLACE), MAY(CIPHER), WRITING
#define ROTATION \
	MAY(SESSION), { FLAG_ROOT, false, "where the files of the session are now, if they were " \
	    "moved" }, MAY(YES), MAY(RATE), MAY(NEW_MASTER_KEY_FILE), MAY(PASSPHRASE), \
	MAY(PASSPHRASE_NEW), MAY(KEYS_FILE), MAY(MASTER_KEY_FILES), MAY(MASTER_KEY_COMMAND), \
	MAY(MASTER_KEY_VARIABLE), MAY(LOCK_TIMEOUT), MAY(OUTPUT)
#define REMOTE \
	MAY(URL), MAY(USER), MAY(PASSWORD_FILE), MAY(TOKEN_FILE), MAY(CA), MAY(CERT), \
	MAY(CERT_KEY), MAY(INSECURE_HTTP)

static const struct command commands_own[] = {
	{
		.name = "ui",
		.summary = "open the interface on files and folders",
		.details = "Without a PATH it opens the current folder.  `propseal PATH` is the "
		    "same.",
		.examples = "ui /etc/kafka\n"
		    ". --local-secrets-file secrets.properties",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(REMOTE_SECRETS_FILE), KEYS, MAY(LEGACY_CBC),
			MAY(BASELINE), MAY(READ_ONLY), MAY(THEME), MAY(SCREEN_READER),
			MAY(REVEAL_TIME), MAY(COPY_TIME), MAY(LOCK_TIME), MAY(LOCK_TIMEOUT),
			MAY(URL), MAY(USER),
			MAY(PASSWORD_FILE), MAY(TOKEN_FILE), MAY(CA), MAY(CERT), MAY(CERT_KEY),
			MAY(INSECURE_HTTP), LAST
		},
		.by_rules = true,
		.run = commands_interface,
	},
	{
		.group = "master-key",
		.name = "generate",
		.summary = "make a master key and a new secrets file",
		.details = "The master key is derived from the passphrase and printed once.  Keep "
		    "it, and export it as\nCONFLUENT_SECURITY_MASTER_KEY where it is needed.",
		.examples = "master-key generate --local-secrets-file secrets.properties "
		    "--passphrase @pass.txt",
		.flags = {
			MUST(LOCAL_SECRETS_FILE), MAY(PASSPHRASE), MAY(DRY_RUN),
			MAY(LOCK_TIMEOUT), MAY(OUTPUT_KEY), LAST
		},
		.run = commands_generate,
	},
	{
		.group = "file",
		.name = "encrypt",
		.summary = "seal clear-text values of a configuration file",
		.details = "Each value goes to the secrets file, sealed; a reference takes its "
		    "place.  Without --config every key\nthat contains \"password\" in any case "
		    "is taken.",
		.examples = "file encrypt --config-file server.properties --dry-run \\\n"
		    " --local-secrets-file secrets.properties --remote-secrets-file "
		    "/etc/kafka/secrets.properties\n"
		    "file encrypt --config-file server.properties --config "
		    "ssl.key.password,sasl.secret \\\n"
		    " --local-secrets-file secrets.properties --remote-secrets-file "
		    "/etc/kafka/secrets.properties",
		.flags = { SEVERAL_FILES, MAY(CONFIG_KEYS), SEALING, LAST },
		.by_rules = true,
		.run = commands_encrypt,
	},
	{
		.group = "file",
		.name = "decrypt",
		.summary = "write the opened values of a configuration file",
		.details = "Without --config every reference to the secrets file is opened.  The "
		    "output has `key = value`\nlines; a new file is readable by its owner only.  "
		    "Of several files it has a line `# FILE` before\nthose of each, or each has "
		    "an --output-file of its own; nothing is written unless all open.",
		.examples = "file decrypt --config-file server.properties --output-file - \\\n"
		    " --local-secrets-file secrets.properties --config ssl.key.password\n"
		    "file decrypt --config-file server.properties --config-file "
		    "client.properties \\\n --local-secrets-file secrets.properties "
		    "--output-file /dev/null && echo all open",
		.flags = {
			SEVERAL_FILES, MUST(OUTPUT_FILES), MAY(CONFIG_KEYS), KEYS,
			MAY(LEGACY_CBC), MAY(ANY_NAME), WRITING, LAST
		},
		.reads_legacy = true,
		.run = commands_decrypt,
	},
	{
		.group = "file",
		.name = "add",
		.summary = "add sealed values to a configuration file",
		.details = "The text of --config is read as .properties lines: KEY=VALUE, with "
		    "escapes, so a backslash is\nwritten \\\\.  A key that is there already gets "
		    "the new value.  In a literal text the two characters\n\\n before the next "
		    "KEY= begin a new line, as with `confluent secret`.",
		.examples = "file add --config-file server.properties --config @new.properties \\\n"
		    " --local-secrets-file secrets.properties --remote-secrets-file "
		    "/etc/kafka/secrets.properties\n"
		    "file add --config-file server.properties --local-secrets-file "
		    "secrets.properties \\\n --remote-secrets-file "
		    "/etc/kafka/secrets.properties --config - <new.properties",
		.flags = { SEVERAL_FILES, MUST(CONFIG_TEXT), SEALING, LAST },
		.run = commands_add,
	},
	{
		.group = "file",
		.name = "update",
		.summary = "change sealed values of a configuration file",
		.details = "As add, for keys that are in the configuration file already.",
		.examples = "file update --config-file server.properties --config "
		    "@new.properties \\\n"
		    " --local-secrets-file secrets.properties --remote-secrets-file "
		    "/etc/kafka/secrets.properties",
		.flags = { SEVERAL_FILES, MUST(CONFIG_TEXT), SEALING, LAST },
		.run = commands_update,
	},
	{
		.group = "file",
		.name = "remove",
		.summary = "remove sealed values from both files",
		.details = "The entry goes from the configuration file and from the secrets file.  "
		    "No key is needed.  What\n`log undo` does not bring back is gone for "
		    "good: an option of JAAS is, and any value after `undo-days`.",
		.examples = "file remove --config-file server.properties --config ssl.key.password "
		    "\\\n --local-secrets-file secrets.properties",
		.flags = { SEVERAL_FILES, MUST(CONFIG_KEYS), MAY(ORPHAN), WRITING, LAST },
		.run = commands_remove,
	},
	{
		.group = "file",
		.name = "rotate",
		.summary = "make a new data key or a new master key",
		.details = "With both flags the data key comes first, and one change is made of "
		    "both.  The master key is enough; a passphrase that is given must be the "
		    "one of that key.",
		.examples = "file rotate --data-key --local-secrets-file secrets.properties\n"
		    "file rotate --master-key --local-secrets-file secrets.properties \\\n"
		    " --passphrase @old.txt --passphrase-new @new.txt",
		.flags = {
			MUST(LOCAL_SECRETS_FILE), MAY(DATA_KEY), MAY(MASTER_KEY),
			MAY(PASSPHRASE), MAY(PASSPHRASE_NEW), KEYS, MAY(DRY_RUN),
			MAY(LOCK_TIMEOUT), MAY(OUTPUT_KEY), LAST
		},
		.run = commands_rotate,
	},
	{
		.group = "file",
		.name = "show",
		.summary = "list the entries of a configuration file and their states",
		.details = "The states are plain, sealed, dangling (the secrets file has no such "
		    "entry), other-provider and\ndamaged.  Secret values are masked unless "
		    "--reveal is given.",
		.examples = "file show server.properties\n"
		    "file show server.properties --local-secrets-file secrets.properties "
		    "--reveal -o json",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), KEYS, MAY(LEGACY_CBC), MAY(CONFIG_FORMAT),
			MAY(REVEAL), MAY(OUTPUT), LAST
		},
		.by_rules = true,
		.run = commands_show,
	},
	{
		.group = "file",
		.name = "verify",
		.summary = "open every sealed entry and check every reference",
		.details = "Changes nothing.  Each PATH is a configuration file or a folder whose "
		    "references are checked, each in its own\nenvironment: the current folder "
		    "without a PATH and --local-secrets-file.  What there is no key for is not\n"
		    "opened, which is said.  The exit status is 4 for an entry that does not open "
		    "and 3 for a dangling or\nunknown reference.",
		.examples = "file verify /etc/kafka\n"
		    "file verify --local-secrets-file secrets.properties /etc/kafka",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = { MAY(LOCAL_SECRETS_FILE), KEYS, MAY(LEGACY_CBC), MAY(OUTPUT), LAST },
		.by_rules = true,
		.reads_legacy = true,
		.run = commands_verify,
	},
	{
		.group = "file",
		.name = "diff",
		.summary = "compare two configuration files entry by entry",
		.details = "As a reader of the files sees them: comments, order and spacing do not "
		    "count.  A and B are files\nor folders.  Secrets are resolved if there is "
		    "a key, and are said to be equal or not, but never shown.\nThe exit status is "
		    "3 when there is a difference.",
		.examples = "file diff server.properties /etc/kafka/server.properties\n"
		    "file diff staging/ production/ -o json",
		.arguments = "A B",
		.min_args = 2,
		.max_args = 2,
		.flags = { MAY(LOCAL_SECRETS_FILE), KEYS, MAY(LEGACY_CBC), MAY(OUTPUT), LAST },
		.by_rules = true,
		.run = commands_file_diff,
	},
	{
		.name = "render",
		.summary = "write a configuration file with its references resolved",
		.details = "Without --config and --format every byte but the resolved values stays "
		    "as it is, and the configuration\nprovider that nothing needs any more is "
		    "taken out.  --config chooses keys.  The names of --format env\nare the keys "
		    "in upper case, with _ for a dot, __ for an underscore and ___ for a dash, as "
		    "Confluent's images read\nthem behind --prefix KAFKA_ or another.\n"
		    "With --url ${secret:PATH:KEY} is resolved too, by the Secret Registry there.  "
		    "References to other providers\nstay.  With --dir each value that referred to "
		    "a secret goes to a file of its own, as Kafka's\nDirectoryConfigProvider reads "
		    "them.",
		.examples = "render server.properties --format env --prefix KAFKA_\n"
		    "render connector.properties --dir /run/connect/secrets\n"
		    "render server.properties --local-secrets-file secrets.properties "
		    "--output-file clear.properties",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			MAY(LOCAL_SECRETS_FILE),
			{ FLAG_OUTPUT_FILE, false, "where the text goes (standard output)" },
			MAY(CONFIG_FORMAT), MAY(CONFIG_KEYS), MAY(FORMAT),
			{ FLAG_PREFIX, false, "goes before each name of --format env" },
			MAY(DIR), KEYS, MAY(LEGACY_CBC), REMOTE, WRITING,
			LAST
		},
		.reads_legacy = true,
		.run = commands_render,
	},
	{
		.name = "exec",
		.summary = "run a command that gets resolved values",
		.details = "References in the values of environment variables are resolved for the "
		    "command.  It gets the values of\na configuration file as variables, or a "
		    "resolved copy of the file that exists in memory only.\nWithout "
		    "--local-secrets-file the references say where the secrets file is; with "
		    "--url\n${secret:PATH:KEY} is resolved too, by the Secret Registry there.  "
		    "Signals are passed on, and\nthe exit status is the command's (128 and the "
		    "signal that killed it), 126 or 127 when it\ncannot be run or found, and 125 "
		    "when propseal failed.",
		.examples = "exec --config-file server.properties -- kafka-server-start {}\n"
		    "exec --config-file db.json --env PGPASSWORD=db.password -- psql",
		.arguments = "-- COMMAND [ARGUMENT...]",
		.min_args = 1,
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(CONFIG_FILES), MAY(CONFIG_FORMAT), MAY(ENV),
			MAY(FILE), MAY(NAMED), MAY(KEEP_KEY), KEYS, MAY(LEGACY_CBC),
			{ FLAG_OUTPUT, false, "format of errors" }, REMOTE, LAST
		},
		.reads_legacy = true,
		.run = commands_exec,
	},
	{
		.name = "seal",
		.summary = "seal what is in clear text below some paths, each in its environment",
		.details = "Seals what `git check` finds in configuration files: into the secrets "
		    "file that their references mean, that\npropseal.ini names, or that lies "
		    "nearest, which only a person at a terminal can agree to.  Every plan is\n"
		    "shown and asked about first; without a terminal it takes --yes.  What cannot "
		    "be sealed is named, and the\nexit status is 1.  Notes name what `git check` "
		    "finds in other files, which stay as they are.",
		.examples = "seal /etc/kafka --dry-run\n"
		    "seal . --yes --local-secrets-file secrets.properties "
		    "--remote-secrets-file /etc/kafka/secrets.properties",
		.arguments = "PATH...",
		.min_args = 1,
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(REMOTE_SECRETS_FILE), MAY(YES), KEYS,
			MAY(REPLACE), MAY(CIPHER), WRITING, LAST
		},
		.by_rules = true,
		.run = commands_seal,
	},
	{
		.group = "rotation",
		.name = "plan",
		.summary = "plan new keys for all secrets files below some paths",
		.details = "Opens every entry with its present key, and writes a session: what "
		    "is to be done, and what leads back.  The\nfiles stay as they are.  Of one "
		    "entry that does not open nothing is planned (exit status 4); --skip leaves "
		    "a\nfile out.  The new passphrase is asked for, twice, or comes by "
		    "--passphrase-new.",
		.examples = "rotation plan /etc/kafka --master-key --passphrase-new "
		    "@new.txt\nrotation plan . --both --common-master-key --keys keys.txt -o json",
		.arguments = "PATH...",
		.min_args = 1,
		.max_args = SIZE_MAX,
		.flags = {
			{ FLAG_MASTER_KEY, false, "new master keys, from a new passphrase" },
			{ FLAG_DATA_KEY, false, "new data keys: every entry is sealed anew" },
			MAY(BOTH), { FLAG_SESSION, false, "a new folder for the session (one below "
			    "$XDG_STATE_HOME/propseal/rotations)" },
			MAY(PASSPHRASE), MAY(PASSPHRASE_NEW), MAY(COMMON_MASTER_KEY),
			    MAY(KEYS_FILE),
			MAY(SKIP), MAY(MASTER_KEY_FILES), MAY(MASTER_KEY_COMMAND),
			MAY(MASTER_KEY_VARIABLE), MAY(LOCK_TIMEOUT), MAY(OUTPUT), LAST
		},
		.run = commands_rotation_plan,
	},
	{
		.group = "rotation",
		.name = "apply",
		.summary = "change the files of a planned rotation",
		.details = "One file after the other; each is read back and opened with its new "
		    "key.  It takes the new passphrase, or the\nnew key.  A signal stops it "
		    "between two files (exit status 1); `rotation resume` goes on.",
		.examples = "rotation apply --passphrase-new @new.txt --new-master-key-file "
		    "keys.new",
		.flags = { ROTATION, LAST },
		.run = commands_rotation_apply,
	},
	{
		.group = "rotation",
		.name = "resume",
		.summary = "go on with a rotation that was interrupted",
		.details = "As apply: what is done already is not done again.",
		.examples = "rotation resume --passphrase-new @new.txt",
		.flags = { ROTATION, LAST },
		.run = commands_rotation_resume,
	},
	{
		.group = "rotation",
		.name = "status",
		.summary = "say how far a rotation has come",
		.details = "Changes nothing, and needs no key.",
		.examples = "rotation status -o json",
		.flags = { ROTATION, LAST },
		.run = commands_rotation_status,
	},
	{
		.group = "rotation",
		.name = "verify",
		.summary = "open everything with the new keys, and compare it with before",
		.details = "The values are compared by the keyed hashes that plan took, and "
		    "every reference below the planned paths is\nfollowed.  The exit status is 3 "
		    "where something differs, 4 where an entry does not open.",
		.examples = "rotation verify --passphrase-new @new.txt\nrotation verify --host "
		    "/etc/kafka",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = { MAY(HOST), ROTATION, LAST },
		.run = commands_rotation_verify,
	},
	{
		.group = "rotation",
		.name = "accept",
		.summary = "take values that were changed since a rotation as meant",
		.details = "What verify tells of a file whose values somebody changed on purpose "
		    "after apply is accepted: each difference is\nnamed, and from then on verify "
		    "compares with what the file holds now.  It has to be verified again.",
		.examples = "rotation accept prod/secrets.properties --passphrase-new @new.txt",
		.arguments = "FILE...",
		.min_args = 1,
		.max_args = SIZE_MAX,
		.flags = { ROTATION, LAST },
		.run = commands_rotation_accept,
	},
	{
		.group = "rotation",
		.name = "rollback",
		.summary = "put back what was before a rotation",
		.details = "Needs no key, unless a file was changed since: what changed is "
		    "carried over, under the old key.  Asks for a\ntyped word; without a "
		    "terminal it takes --yes.",
		.examples = "rotation rollback --yes",
		.flags = { ROTATION, LAST },
		.run = commands_rotation_rollback,
	},
	{
		.group = "rotation",
		.name = "finish",
		.summary = "end a rotation that is verified: nothing leads back any more",
		.details = "Wipes the kept originals, the wrapped old keys and the hashes.  Asks "
		    "for a typed word; without a terminal it\ntakes --yes.",
		.examples = "rotation finish --yes",
		.flags = { ROTATION, LAST },
		.run = commands_rotation_finish,
	},
	{
		.group = "rotation",
		.name = "checklist",
		.summary = "list what is to be done on the hosts of each environment",
		.details = "Which file goes where, which key is set how, in what order services "
		    "are restarted, how to prove it, and how\nto go back.  Changes nothing, and "
		    "needs no key.",
		.examples = "rotation checklist --format markdown",
		.flags = {
			MAY(SESSION), { FLAG_ROOT, false, "where the files of the session are now, "
			    "if they were moved" }, MAY(FORMAT_CHECKLIST), LAST
		},
		.run = commands_rotation_checklist,
	},
	{
		.name = "edit",
		.summary = "edit a configuration file in clear text, and seal what changed",
		.details = "$VISUAL or $EDITOR (vi) opens a copy that exists in memory only.  "
		    "Values that were sealed and did not\nchange keep their sealed entries; "
		    "changed ones are sealed anew; so are new ones whose key contains\n"
		    "\"password\"; sealed entries of removed lines are removed.  All else "
		    "becomes as it was edited.",
		.examples = "edit server.properties\n"
		    "edit server.properties --dry-run --yes",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(REMOTE_SECRETS_FILE), MAY(BASE_NAME),
			MAY(CONFIG_FORMAT), MAY(YES), MAY(INSECURE_TMP), KEYS, MAY(LEGACY_CBC),
			MAY(REPLACE), MAY(CIPHER), WRITING, LAST
		},
		.by_rules = true,
		.run = commands_edit,
	},
	{
		.name = "doctor",
		.summary = "look for what is wrong around the files: keys, modes, units, processes",
		.details = "Each PATH is a configuration file, a secrets file or a folder; without "
		    "one it is the current\nfolder.  Looks whether the key is in reach and opens "
		    "everything, at modes and owners, at systemd "
		    "units\nand processes that lack the key or expose it, and tells what `audit` "
		    "finds.  Changes nothing,\nunless --fix "
		    "is given.  The exit status is 3 when there is an error, with --fix when "
		    "something is left.",
		.examples = "doctor /etc/kafka\n"
		    "doctor --fix --dry-run /etc/kafka\n"
		    "doctor --root /proc/1/root -o json",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), KEYS, MAY(ROOT),
			MAY(FIX), { FLAG_YES, false, "mend without a question" },
			{ FLAG_DRY_RUN, false, "show what --fix would do" },
			MAY(LOCK_TIMEOUT), MAY(OUTPUT), LAST
		},
		.reads_legacy = true,
		.by_rules = true,
		.run = commands_doctor,
	},
	{
		.group = "key",
		.name = "sheet",
		.summary = "print a recovery sheet, and prove that the key opens everything",
		.details = "Opens every sealed entry with the passphrase, or the master key at "
		    "hand, and prints a page for each\nsecrets file to write the key on by "
		    "hand.  The exit status is 4 when something does not open.  Without\na PATH "
		    "it looks at the current folder.",
		.examples = "key sheet --local-secrets-file secrets.properties\n"
		    "key sheet /srv/kafka-config --passphrase @pass.txt | lpr",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(PASSPHRASE), KEYS, MAY(LEGACY_CBC),
			{ FLAG_REVEAL, false, "print the master key on the sheet" },
			MAY(OUTPUT), LAST
		},
		.reads_legacy = true,
		.run = commands_key_sheet,
	},
	{
		.group = "recover",
		.name = "plan",
		.summary = "list what a lost master key took with it, and where it is used",
		.details = "Says which sealed values cannot be opened any more, which entries "
		    "refer to each, and where its key\nstands in clear text elsewhere below the "
		    "PATHs (the current folder).  With --output-file it writes a\ntemplate for the "
		    "new values.  Changes nothing.",
		.examples = "recover plan --local-secrets-file secrets.properties --output-file "
		    "new-values",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MUST(LOCAL_SECRETS_FILE),
			{ FLAG_OUTPUT_FILE, false, "a new file for the template, - for standard "
			    "output" },
			KEYS, MAY(LOCK_TIMEOUT), MAY(OUTPUT), LAST
		},
		.run = commands_recover_plan,
	},
	{
		.group = "recover",
		.name = "apply",
		.summary = "seal new values under a new master key, in the place of lost ones",
		.details = "Takes the template of `recover plan`, filled in.  A new master key is "
		    "made of the passphrase and\nprinted once; the new values are sealed in one "
		    "step at the names that the references have already.\nThe old file stays "
		    "beside it, as FILE.lost-TIME.",
		.examples = "recover apply --local-secrets-file secrets.properties --config "
		    "@new-values \\\n --passphrase @pass.txt",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MUST(LOCAL_SECRETS_FILE), MUST(CONFIG_TEXT), MAY(PASSPHRASE),
			MAY(PARTIAL), KEYS, MAY(DRY_RUN), MAY(LOCK_TIMEOUT), MAY(OUTPUT_KEY), LAST
		},
		.run = commands_recover_apply,
	},
	{
		.group = "log",
		.name = "show",
		.summary = "list what was changed, by whom, and what became of it",
		.details = "Reads the trail: every change that was made to a file, by a command or "
		    "in the interface, the oldest\nfirst.  It has no values.  `log` alone is the "
		    "same.",
		.examples = "log\n"
		    "log show --file server.properties --key ssl.key.password --since 7d",
		.flags = {
			{ FLAG_FILE_NAME, false, "only changes of this file, or below this "
			    "folder" },
			MAY(KEY),
			{ FLAG_SINCE, false, "from this time on: 2026-01-31, 2026-01-31T12:00:00Z, "
			    "today, or 30m, 12h, 7d, 2w ago" },
			{ FLAG_USER, false, "only changes of this user" },
			MAY(OUTPUT), LAST
		},
		.by_default = true,
		.run = commands_log_show,
	},
	{
		.group = "log",
		.name = "verify",
		.summary = "check that no line of the trail was changed, removed or moved",
		.details = "Every line has the hash of the line before it.  Found are lines "
		    "that were changed, cut, taken away\nor moved, and intents without an "
		    "outcome: changes that were begun and not ended.  The exit status is\n3 then.  "
		    "Who writes the whole trail again is not found: keep the last line's number "
		    "and hash\nelsewhere.",
		.examples = "log verify\n"
		    "log verify -o json",
		.flags = { MAY(OUTPUT), LAST },
		.run = commands_log_verify,
	},
	{
		.group = "log",
		.name = "undo",
		.summary = "take a change of sealed values back",
		.details = "CHANGE is its number in the list of `log show`.  What was sealed, or a "
		    "reference, before it is put\nback, entry by entry, where nobody changed it "
		    "since.  Clear text is never kept, so what was sealed for\nthe first time is "
		    "not made clear again.  The undoing is a change, too, which can be undone.",
		.examples = "log undo 412 --dry-run\n"
		    "log undo 412",
		.arguments = "CHANGE",
		.min_args = 1,
		.max_args = 1,
		.flags = { KEYS, MAY(DRY_RUN), MAY(LOCK_TIMEOUT), MAY(OUTPUT), LAST },
		.run = commands_log_undo,
	},
	{
		.name = "tutor",
		.summary = "learn by doing, on a scratch copy",
		.details = "Without a LESSON it shows the one that is on, or begins the first.  A "
		    "LESSON, by name or number,\nbegins anew.  Lessons are played in a folder of "
		    "their own, which is named; what you do there is\nchecked.  With --screen they "
		    "are played in the interface, with its keys; that folder is removed in\nthe "
		    "end.",
		.examples = "tutor\n"
		    "tutor --screen\n"
		    "tutor rotate\n"
		    "tutor --check",
		.arguments = "[LESSON]",
		.max_args = 1,
		.flags = { MAY(LIST), MAY(CHECK), MAY(SCREEN), MAY(THEME), MAY(SCREEN_READER),
		    LAST },
		.run = commands_tutor,
	},
	{
		.group = "git",
		.name = "install",
		.summary = "have git show, merge and check secrets files by entry",
		.details = "Sets diff.propseal and merge.propseal in git's configuration, names "
		    "the secrets files in\n.gitattributes, and makes a pre-commit hook that runs "
		    "`propseal git check --staged`.  Without a PATTERN\nevery secrets file in the "
		    "work tree is named.  A pre-commit hook that is there already is not touched.",
		.examples = "git install\n"
		    "git install 'secrets/*.properties' --no-hook",
		.arguments = "[PATTERN...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(GLOBAL), MAY(NO_HOOK), WRITING, LAST
		},
		.run = commands_git_install,
	},
	{
		.group = "git",
		.name = "uninstall",
		.summary = "take away what `git install` set up",
		.examples = "git uninstall --dry-run",
		.flags = { MAY(GLOBAL), WRITING, LAST },
		.run = commands_git_uninstall,
	},
	{
		.name = "audit",
		.summary = "find secrets that are not sealed, and what else is wrong, in all forms",
		.details = "Looks at files and folders for secrets in clear text, copies that were "
		    "left behind, weak and default\nsecrets, broken references and secrets "
		    "files: properties, JSON, JAAS, .env, systemd, YAML, shell,\nTerraform and "
		    "lists of users.  `-` reads standard input.  The exit status is 3 with "
		    "findings at or\nabove --fail-on, 1 when something could not be looked at.  "
		    "Without a PATH it looks at the current folder.",
		.examples = "audit /etc/kafka\n"
		    "audit . -o sarif --baseline audit.baseline\n"
		    "audit --staged\n"
		    "audit --processes --connect-url http://localhost:8083",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(OUTPUT_AUDIT), MAY(FAIL_ON), MAY(BASELINE), MAY(UPDATE_BASELINE),
			MAY(NO_SUPPRESSIONS), MAY(DEEP), MAY(MAX_AGE), MAY(STAGED),
			MAY(LOCAL_SECRETS_FILE), KEYS, MAY(GITIGNORE), MAY(LOGS), MAY(PROCESSES),
			MAY(HISTORY), MAY(CONNECT_URL), MAY(CONNECT_USER),
			MAY(CONNECT_PASSWORD_FILE), MAY(CA), MAY(CERT), MAY(CERT_KEY),
			MAY(INSECURE_HTTP), LAST
		},
		.reads_legacy = true,
		.by_rules = true,
		.run = commands_audit,
	},
	{
		.group = "git",
		.name = "check",
		.summary = "find secrets in clear text before they are committed",
		.details = "`audit`, as it is used before a commit: the same findings, reports and "
		    "exit status.  With --staged\neach PATH is a pathspec of git, otherwise a file "
		    "or folder, and nothing is said where nothing is found.",
		.examples = "git check\n"
		    "git check --staged -o json",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			MAY(STAGED), MAY(OUTPUT_AUDIT), MAY(FAIL_ON), MAY(BASELINE),
			MAY(NO_SUPPRESSIONS), MAY(LOCAL_SECRETS_FILE), KEYS, LAST
		},
		.reads_legacy = true,
		.by_rules = true,
		.run = commands_audit,
	},
	{
		.group = "git",
		.name = "textconv",
		.summary = "print a file with its secrets masked, for `git diff`",
		.details = "A sealed value becomes a mark that changes when the ciphertext does; "
		    "with the master key at hand, when\nthe value does.  Secrets in clear text "
		    "become marks, too.  The exit status is always 0.",
		.examples = "git textconv secrets.properties",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = { KEYS, LAST },
		.no_config = true,
		.run = commands_git_textconv,
	},
	{
		.group = "git",
		.name = "merge",
		.summary = "merge three versions of a secrets file by entry, for git",
		.details = "The arguments are %O %A %B %P of a merge driver, see gitattributes(5): "
		    "the common ancestor, our version,\nwhich the result replaces, their version, "
		    "and the name for messages.  Entries that both changed stand\nbetween conflict "
		    "markers, and the exit status is 1.  The master key is needed when one side "
		    "made a new\ndata key.",
		.examples = "git merge base.properties ours.properties theirs.properties",
		.arguments = "BASE OURS THEIRS [NAME]",
		.min_args = 3,
		.max_args = 4,
		.flags = { KEYS, MAY(LOCK_TIMEOUT), LAST },
		.no_config = true,
		.run = commands_git_merge,
	},
	{
		.group = "config",
		.name = "show",
		.summary = "show every setting and where it comes from",
		.details = "Settings are those of propseal.ini: the one that the environment "
		    "variable PROPSEAL_CONFIG\nnames, the project's and the user's, the first "
		    "that has a setting; see propseal.ini(5).\nA flag given here is shown as "
		    "other commands would take it.",
		.examples = "config show\n"
		    "config show -o json",
		.flags = {
			MAY(LOCAL_SECRETS_FILE), MAY(REMOTE_SECRETS_FILE), MAY(REVEAL_TIME),
			MAY(COPY_TIME), MAY(THEME), MAY(SCREEN_READER), MAY(LOCK_TIME),
			MAY(LOCK_TIMEOUT), MAY(OUTPUT), LAST
		},
		.run = commands_config_show,
	},
	{
		.group = "config",
		.name = "check",
		.summary = "tell all that is wrong in a propseal.ini",
		.details = "Without a FILE it checks those that a command run here would read.",
		.examples = "config check ~/.config/propseal/propseal.ini",
		.arguments = "[FILE]",
		.max_args = 1,
		.flags = { MAY(OUTPUT), LAST },
		.no_config = true,
		.run = commands_config_check,
	},
	{
		.name = "completion",
		.summary = "print a shell's script that completes command lines",
		.details = "`make install` puts it where the shells look.  Otherwise, for bash:\n"
		    "source <(propseal completion bash), or for good, after "
		    "`mkdir -p ~/.local/share/bash-completion/completions`, as below.",
		.examples = "completion bash >~/.local/share/bash-completion/completions/propseal",
		.arguments = "bash|zsh|fish",
		.min_args = 1,
		.max_args = 1,
		.flags = { LAST },
		.no_config = true,
		.run = commands_completion,
	},
	{
		.name = "__complete",
		.summary = "tell a shell what fits (-), or the keys of a configuration file",
		.arguments = "FILE|-",
		.min_args = 1,
		.max_args = 1,
		.flags = { LAST },
		.hidden = true,
		.no_config = true,
		.run = commands_complete,
	},
};

/* Those of the registry's commands that talk with one (behind service_commands.h's). */
static const struct command commands_registry[] = {
	{
		REGISTRY,
		.name = "put",
		.summary = "store a new version of a secret",
		.details = "The value comes from standard input or --file, without one line end at "
		    "its end; on a terminal it is\nasked for.  The version is printed.",
		.examples = "registry put my-connector password --url https://registry:8082 "
		    "--user alice\n"
		    "registry put my-connector password --file value.txt --cas 3",
		.arguments = "PATH KEY",
		.min_args = 2,
		.max_args = 2,
		.flags = {
			{ FLAG_FILE_NAME, false, "a file that holds the value" }, MAY(CAS),
			MAY(TTL), MAY(OUTPUT), REMOTE, LAST
		},
		.run = commands_registry_put,
	},
	{
		REGISTRY,
		.name = "get",
		.summary = "print the value of a secret",
		.details = "Without VERSION the latest one.  The value alone is printed, with a "
		    "line end on a terminal only.",
		.examples = "registry get my-connector password\n"
		    "registry get my-connector password 2 -o json",
		.arguments = "PATH KEY [VERSION]",
		.min_args = 2,
		.max_args = 3,
		.flags = { MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_get,
	},
	{
		REGISTRY,
		.name = "list",
		.summary = "list paths, the keys of a path, or the versions of a key",
		.examples = "registry list\n"
		    "registry list my-connector",
		.arguments = "[PATH [KEY]]",
		.max_args = 2,
		.flags = { MAY(PREFIX), MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_list,
	},
	{
		REGISTRY,
		.name = "history",
		.summary = "list the versions of a key: state, who, when",
		.examples = "registry history my-connector password",
		.arguments = "PATH KEY",
		.min_args = 2,
		.max_args = 2,
		.flags = { MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_history,
	},
	{
		REGISTRY,
		.name = "delete",
		.summary = "delete a version, a key or a whole path",
		.details = "What is deleted can be undeleted for a while, unless --destroy is "
		    "given.  Asks first.",
		.examples = "registry delete my-connector password 2\n"
		    "registry delete my-connector password 2 --destroy --yes",
		.arguments = "PATH [KEY [VERSION]]",
		.min_args = 1,
		.max_args = 3,
		.flags = {
			MAY(DESTROY), { FLAG_YES, false, "do not ask" }, MAY(OUTPUT), REMOTE,
			LAST
		},
		.run = commands_registry_delete,
	},
	{
		REGISTRY,
		.name = "undelete",
		.summary = "take back a deletion",
		.examples = "registry undelete my-connector password 2",
		.arguments = "PATH KEY VERSION",
		.min_args = 3,
		.max_args = 3,
		.flags = { MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_undelete,
	},
	{
		REGISTRY,
		.name = "rotate",
		.summary = "seal every secret with a new data key",
		.details = "The registry goes on serving meanwhile.  A new master key is put into "
		    "the file of --master-key-file, and the\nregistry told by SIGHUP; or it is "
		    "started with the new key and master.encryption.old.key.",
		.examples = "registry rotate --url https://registry:8082 --token-file token",
		.flags = { MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_rotate,
	},
	{
		REGISTRY,
		.name = "backup",
		.summary = "copy the registry's database into its folder of backups",
		.details = "The registry goes on serving meanwhile.  The copy is of one moment; "
		    "NAME is one of today if it is not given.\n`propseal registry restore` puts "
		    "one back.",
		.examples = "registry backup --url https://registry:8082 --token-file token",
		.arguments = "[NAME]",
		.max_args = 1,
		.flags = { MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_backup,
	},
	{
		REGISTRY,
		.name = "import",
		.summary = "copy secrets from another registry or from an export",
		.details = "Versions keep their order and get new numbers.  Run again after an "
		    "interruption it adds what is missing.",
		.examples = "registry import --from https://old:8081 --from-user admin\n"
		    "registry import --from export.jsonl",
		.flags = {
			MUST(FROM), MAY(FROM_USER), MAY(FROM_PASSWORD_FILE),
			MAY(FROM_TOKEN_FILE), MAY(OUTPUT), REMOTE, LAST
		},
		.run = commands_registry_import,
	},
	{
		REGISTRY,
		.name = "export",
		.summary = "write every secret that may be read, in clear text",
		.details = "One JSON object a line: path, key, version, secret.",
		.examples = "registry export --output-file export.jsonl",
		.flags = {
			{ FLAG_OUTPUT_FILE, true, "a new file for it, - for standard output" },
			MAY(OUTPUT), REMOTE, LAST
		},
		.run = commands_registry_export,
	},
	{
		REGISTRY,
		.name = "validate",
		.summary = "check the references of a connector's configuration",
		.details = "Every ${secret:PATH:KEY} in it must name the connector itself as PATH, "
		    "and a key that is there.",
		.examples = "registry validate connector.json",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = { MAY(CONNECTOR), MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_validate,
	},
	{
		REGISTRY,
		.name = "resolve",
		.summary = "print a connector's configuration with its references resolved",
		.examples = "registry resolve connector.json --connector my-connector",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = { MAY(CONNECTOR), MAY(OUTPUT), REMOTE, LAST },
		.run = commands_registry_resolve,
	},
};

#define OWN (sizeof(commands_own) / sizeof(commands_own[0]))
#define CLIENT (sizeof(commands_registry) / sizeof(commands_registry[0]))

size_t
command_count(void)
{
	return OWN + service_command_count() + CLIENT;
}

const struct command *
command_at(size_t i)
{
	if (i < OWN)
		return &commands_own[i];
	i -= OWN;
	if (i < service_command_count())
		return service_command_at(i);
	return &commands_registry[i - service_command_count()];
}

const struct command *
command_find(const char *group, const char *name)
{
	const struct command *c;
	size_t i;

	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (strcmp(c->name, name) != 0 || (group == NULL) != (c->group == NULL))
			continue;
		if (group == NULL || strcmp(group, c->group) == 0)
			return c;
	}
	return NULL;
}

bool
command_is_group(const char *word)
{
	size_t i;

	for (i = 0; i < command_count(); i++) {
		if (command_at(i)->group != NULL && strcmp(command_at(i)->group, word) == 0)
			return true;
	}
	return false;
}
