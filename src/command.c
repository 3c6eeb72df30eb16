#include "command.h"

#include <stdint.h>
#include <string.h>

#include "commands.h"

#define FILES \
	{ FLAG_CONFIG_FILE, true, NULL }, \
	{ FLAG_LOCAL_SECRETS_FILE, true, NULL }
#define WRITING \
	{ FLAG_DRY_RUN, false, NULL }, \
	{ FLAG_LOCK_TIMEOUT, false, NULL }, \
	{ FLAG_OUTPUT, false, NULL }
#define SEALING \
	{ FLAG_REMOTE_SECRETS_FILE, true, NULL }, \
	{ FLAG_MASTER_KEY_FILE, false, NULL }, \
	{ FLAG_REPLACE, false, NULL }, \
	{ FLAG_CIPHER, false, NULL }, \
	WRITING
#define LAST { FLAG_HELP, false, NULL }, COMMAND_FLAGS_END

static const struct command commands[] = {
	{
		.name = "ui",
		.summary = "open the interface on files and folders",
		.details = "Without a PATH it opens the current folder.  `propseal PATH` is the "
		    "same.",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			{ FLAG_LOCAL_SECRETS_FILE, false, NULL },
			{ FLAG_REMOTE_SECRETS_FILE, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_REVEAL_TIME, false, NULL },
			{ FLAG_LOCK_TIME, false, NULL },
			{ FLAG_LOCK_TIMEOUT, false, NULL },
			LAST
		},
		.run = commands_interface,
	},
	{
		.group = "master-key",
		.name = "generate",
		.summary = "make a master key and a new secrets file",
		.details = "The master key is derived from the passphrase and printed once.  Keep "
		    "it, and export it as\nCONFLUENT_SECURITY_MASTER_KEY where it is needed.",
		.flags = {
			{ FLAG_LOCAL_SECRETS_FILE, true, NULL },
			{ FLAG_PASSPHRASE, false, NULL },
			{ FLAG_DRY_RUN, false, NULL },
			{ FLAG_LOCK_TIMEOUT, false, NULL },
			{ FLAG_OUTPUT_KEY, false, NULL },
			LAST
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
		.flags = { FILES, { FLAG_CONFIG_KEYS, false, NULL }, SEALING, LAST },
		.run = commands_encrypt,
	},
	{
		.group = "file",
		.name = "decrypt",
		.summary = "write the opened values of a configuration file",
		.details = "Without --config every reference to the secrets file is opened.  The "
		    "output has `key = value`\nlines; a new file is readable by its owner only.",
		.flags = {
			FILES,
			{ FLAG_OUTPUT_FILE, true, NULL },
			{ FLAG_CONFIG_KEYS, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_ANY_NAME, false, NULL },
			WRITING, LAST
		},
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
		.flags = { FILES, { FLAG_CONFIG_TEXT, true, NULL }, SEALING, LAST },
		.run = commands_add,
	},
	{
		.group = "file",
		.name = "update",
		.summary = "change sealed values of a configuration file",
		.details = "As add, for keys that are in the configuration file already.",
		.flags = { FILES, { FLAG_CONFIG_TEXT, true, NULL }, SEALING, LAST },
		.run = commands_update,
	},
	{
		.group = "file",
		.name = "remove",
		.summary = "remove sealed values from both files",
		.details = "The entry goes from the configuration file and from the secrets file.  "
		    "No key is needed.  The value\nis gone for good.",
		.flags = {
			FILES,
			{ FLAG_CONFIG_KEYS, true, NULL },
			{ FLAG_ORPHAN, false, NULL },
			WRITING, LAST
		},
		.run = commands_remove,
	},
	{
		.group = "file",
		.name = "rotate",
		.summary = "make a new data key or a new master key",
		.details = "With both flags the data key comes first, and one change is made of "
		    "both.  The passphrase must be\nthe one of the present master key.",
		.flags = {
			{ FLAG_LOCAL_SECRETS_FILE, true, NULL },
			{ FLAG_DATA_KEY, false, NULL },
			{ FLAG_MASTER_KEY, false, NULL },
			{ FLAG_PASSPHRASE, false, NULL },
			{ FLAG_PASSPHRASE_NEW, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_DRY_RUN, false, NULL },
			{ FLAG_LOCK_TIMEOUT, false, NULL },
			{ FLAG_OUTPUT_KEY, false, NULL },
			LAST
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
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			{ FLAG_LOCAL_SECRETS_FILE, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_REVEAL, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_show,
	},
	{
		.group = "file",
		.name = "verify",
		.summary = "open every sealed entry and check every reference",
		.details = "Changes nothing.  Each PATH is a configuration file or a folder whose "
		    "references are checked.\nThe exit status is 4 for an entry that does not "
		    "open and 3 for a dangling reference.",
		.arguments = "[PATH...]",
		.max_args = SIZE_MAX,
		.flags = {
			{ FLAG_LOCAL_SECRETS_FILE, true, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_verify,
	},
};

size_t
command_count(void)
{
	return sizeof(commands) / sizeof(commands[0]);
}

const struct command *
command_at(size_t i)
{
	return &commands[i];
}

const struct command *
command_find(const char *group, const char *name)
{
	const char *other;
	size_t i;

	for (i = 0; i < command_count(); i++) {
		other = commands[i].group;
		if (strcmp(commands[i].name, name) != 0 || (group == NULL) != (other == NULL))
			continue;
		if (group == NULL || strcmp(group, other) == 0)
			return &commands[i];
	}
	return NULL;
}

bool
command_is_group(const char *word)
{
	size_t i;

	for (i = 0; i < command_count(); i++) {
		if (commands[i].group != NULL && strcmp(commands[i].group, word) == 0)
			return true;
	}
	return false;
}
