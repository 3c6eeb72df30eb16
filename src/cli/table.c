#include "cli/table.h"

#include "common/command.h"
#include "cli/cli.h"

#define LAST { FLAG_HELP, false, NULL }, COMMAND_FLAGS_END
#define REMOTE \
	{ FLAG_URL, false, NULL }, \
	{ FLAG_USER, false, NULL }, \
	{ FLAG_PASSWORD_FILE, false, NULL }, \
	{ FLAG_TOKEN_FILE, false, NULL }, \
	{ FLAG_CA, false, NULL }, \
	{ FLAG_CERT, false, NULL }, \
	{ FLAG_CERT_KEY, false, NULL }, \
	{ FLAG_INSECURE_HTTP, false, NULL }
#define GROUP .group = "registry", .no_config = true

static const struct command commands[] = {
	{
		GROUP,
		.name = "serve",
		.summary = "run the Secret Registry",
		.details = "Keeps versioned secrets behind REST, sealed in DIR.  The master "
		    "key is 32 "
		    "bytes as base64 or hex, or a\npassphrase: from --master-key-file, "
		    "$PROPSEAL_REGISTRY_MASTER_KEY or the systemd credential\n"
		    "propseal.registry-key; without any of them it is asked for on a terminal.  "
		    "SIGHUP reads\ncertificates, users, tokens, roles and the key file again, and "
		    "reopens the audit log; SIGTERM ends it\nafter the requests under way.",
		.flags = {
			{ FLAG_DATA, true, NULL },
			{ FLAG_LISTEN, false, NULL },
			{ FLAG_SERVE_CONFIG, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			LAST
		},
		.run = commands_registry_serve,
	},
	{
		GROUP,
		.name = "user",
		.summary = "add, remove and list those who log in with a password",
		.details = "add reads the password from standard input (one line end at its "
		    "end does "
		    "not count) or asks for it on\na terminal.  A running registry takes changes "
		    "up at once.",
		.arguments = "add|remove|list [NAME]",
		.min_args = 1,
		.max_args = 2,
		.flags = {
			{ FLAG_DATA, true, NULL },
			{ FLAG_REPLACE, false, "give a user who is there already a new password" },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_registry_user,
	},
	{
		GROUP,
		.name = "token",
		.summary = "create, revoke and list API tokens",
		.details = "create prints the token once; only its hash is kept.",
		.arguments = "create|revoke|list [ID]",
		.min_args = 1,
		.max_args = 2,
		.flags = {
			{ FLAG_DATA, true, NULL },
			{ FLAG_PRINCIPAL, false, NULL },
			{ FLAG_TTL, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_registry_token,
	},
	{
		GROUP,
		.name = "role",
		.summary = "grant, revoke and list roles; show what they allow",
		.details = "A role is bound to the cluster, to one path (--path) or to all "
		    "paths that "
		    "begin alike (--prefix).",
		.arguments = "grant|revoke|list|show [ROLE]",
		.min_args = 1,
		.max_args = 2,
		.flags = {
			{ FLAG_DATA, false, NULL },
			{ FLAG_PRINCIPAL, false, NULL },
			{ FLAG_PATH_NAME, false, NULL },
			{ FLAG_PREFIX, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_registry_role,
	},
	{
		GROUP,
		.name = "audit",
		.summary = "verify the audit log's chain, or search it",
		.details = "verify exits 4 where a line was changed, removed or put in.  It "
		    "needs the "
		    "master key.",
		.arguments = "verify|search",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			{ FLAG_DATA, true, NULL },
			{ FLAG_FILE_NAME, false, NULL },
			{ FLAG_MASTER_KEY_FILE, false, NULL },
			{ FLAG_PRINCIPAL, false, NULL },
			{ FLAG_PATH_NAME, false, NULL },
			{ FLAG_KEY_NAME, false, NULL },
			{ FLAG_METHOD, false, NULL },
			{ FLAG_SINCE, false, NULL },
			{ FLAG_UNTIL, false, NULL },
			{ FLAG_DENIED, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			LAST
		},
		.run = commands_registry_audit,
	},
	{
		GROUP,
		.name = "put",
		.summary = "store a new version of a secret",
		.details = "The value comes from standard input or --file, without one line end at "
		    "its end; on a terminal it is\nasked for.  The version is printed.",
		.arguments = "PATH KEY",
		.min_args = 2,
		.max_args = 2,
		.flags = {
			{ FLAG_FILE_NAME, false, "a file that holds the value" },
			{ FLAG_CAS, false, NULL },
			{ FLAG_TTL, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_put,
	},
	{
		GROUP,
		.name = "get",
		.summary = "print the value of a secret",
		.details = "Without VERSION the latest one.  The value alone is printed, "
		    "with a line end on a "
		    "terminal only.",
		.arguments = "PATH KEY [VERSION]",
		.min_args = 2,
		.max_args = 3,
		.flags = {
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_get,
	},
	{
		GROUP,
		.name = "list",
		.summary = "list paths, the keys of a path, or the versions of a key",
		.arguments = "[PATH [KEY]]",
		.max_args = 2,
		.flags = {
			{ FLAG_PREFIX, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_list,
	},
	{
		GROUP,
		.name = "history",
		.summary = "list the versions of a key: state, who, when",
		.arguments = "PATH KEY",
		.min_args = 2,
		.max_args = 2,
		.flags = {
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_history,
	},
	{
		GROUP,
		.name = "delete",
		.summary = "delete a version, a key or a whole path",
		.details = "What is deleted can be undeleted for a while, unless --destroy is "
		    "given.  Asks first.",
		.arguments = "PATH [KEY [VERSION]]",
		.min_args = 1,
		.max_args = 3,
		.flags = {
			{ FLAG_DESTROY, false, NULL },
			{ FLAG_YES, false, "do not ask" },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_delete,
	},
	{
		GROUP,
		.name = "undelete",
		.summary = "take back a deletion",
		.arguments = "PATH KEY VERSION",
		.min_args = 3,
		.max_args = 3,
		.flags = {
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_undelete,
	},
	{
		GROUP,
		.name = "rotate",
		.summary = "seal every secret with a new data key",
		.details = "The registry goes on serving meanwhile.  A new master key is put "
		    "into the file of "
		    "--master-key-file, and the\nregistry told by SIGHUP; or it is started "
		    "with the new key "
		    "and master.encryption.old.key.",
		.flags = {
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_rotate,
	},
	{
		GROUP,
		.name = "import",
		.summary = "copy secrets from another registry or from an export",
		.details = "Versions keep their order and get new numbers.  Run again after an "
		    "interruption it adds what is missing.",
		.flags = {
			{ FLAG_FROM, true, NULL },
			{ FLAG_FROM_USER, false, NULL },
			{ FLAG_FROM_PASSWORD_FILE, false, NULL },
			{ FLAG_FROM_TOKEN_FILE, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_import,
	},
	{
		GROUP,
		.name = "export",
		.summary = "write every secret that may be read, in clear text",
		.details = "One JSON object a line: path, key, version, secret.",
		.flags = {
			{ FLAG_OUTPUT_FILE, true, "a new file for it, - for standard output" },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_export,
	},
	{
		GROUP,
		.name = "validate",
		.summary = "check the references of a connector's configuration",
		.details = "Every ${secret:PATH:KEY} in it must name the connector itself as "
		    "PATH, and "
		    "a key that is there.",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			{ FLAG_CONNECTOR, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_validate,
	},
	{
		GROUP,
		.name = "resolve",
		.summary = "print a connector's configuration with its references resolved",
		.arguments = "FILE",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			{ FLAG_CONNECTOR, false, NULL },
			{ FLAG_OUTPUT, false, NULL },
			REMOTE, LAST
		},
		.run = commands_registry_resolve,
	},
};

size_t
registry_command_count(void)
{
	return sizeof(commands) / sizeof(commands[0]);
}

const struct command *
registry_command_at(size_t i)
{
	return &commands[i];
}
