#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "common/args.h"
#include "common/report.h"
#include "common/service_commands.h"

#define REGISTRY .group = "registry", .no_config = true
#define REMOTE \
	MAY(URL), MAY(USER), MAY(PASSWORD_FILE), MAY(TOKEN_FILE), MAY(CA), MAY(CERT), \
	MAY(CERT_KEY), MAY(INSECURE_HTTP)
#define KEY_FILE { FLAG_MASTER_KEY_FILE, false, "read the master key from a file" }

static const struct command service_commands[] = {
	{
		REGISTRY,
		.name = "serve",
		.summary = "run the Secret Registry",
		.details = "Keeps versioned secrets behind REST, sealed in DIR.  The master "
		    "key is 32 "
		    "bytes as base64 or hex, or a\npassphrase: from --master-key-file, "
		    "$PROPSEAL_REGISTRY_MASTER_KEY or the systemd credential\n"
		    "propseal.registry-key; without any of them it is asked for on a terminal.  "
		    "SIGHUP reads\ncertificates, users, tokens, roles and the key file again, and "
		    "reopens the audit log; SIGTERM ends it\nafter the requests under way.",
		.examples = "registry serve --data registry --master-key-file registry.key",
		.flags = { MUST(DATA), MAY(LISTEN), MAY(SERVE_CONFIG), KEY_FILE, LAST },
	},
	{
		REGISTRY,
		.name = "user",
		.summary = "add, remove and list those who log in with a password",
		.details = "add reads the password from standard input (one line end at its end "
		    "does not count) or asks for it on\na terminal.  Nobody logs in as a "
		    "disabled user, with a token neither.  A running registry takes changes\nup "
		    "at once.  --url asks a registry that runs, instead of --data: so it goes "
		    "where a topic has the users.",
		.examples = "registry user add alice --data registry\n"
		    "registry user disable alice --url https://registry:8082 --token-file admin\n"
		    "registry user list --data registry -o json",
		.arguments = "add|remove|disable|enable|list [NAME]",
		.min_args = 1,
		.max_args = 2,
		.flags = {
			MAY(DATA),
			{ FLAG_REPLACE, false, "give a user who is there already a new password" },
			REMOTE, MAY(OUTPUT), LAST
		},
	},
	{
		REGISTRY,
		.name = "token",
		.summary = "create, revoke and list API tokens",
		.details = "create prints the token once; only its hash is kept.  --url asks a "
		    "registry that runs, instead of --data.",
		.examples = "registry token create --principal ci --ttl 86400 --data registry",
		.arguments = "create|revoke|list [ID]",
		.min_args = 1,
		.max_args = 2,
		.flags = { MAY(DATA), MAY(PRINCIPAL), MAY(TTL), REMOTE, MAY(OUTPUT), LAST },
	},
	{
		REGISTRY,
		.name = "role",
		.summary = "grant, revoke and list roles; show and say what they allow",
		.details = "A role is bound to the cluster, to one path (--path) or to all paths "
		    "that begin alike (--prefix).  --url asks\na registry that runs, instead "
		    "of --data.  define reads from standard input what ROLE allows, as show "
		    "-o json tells it\nof one (its scope and operations); remove takes it away.",
		.examples = "registry role grant ConnectWorker --principal worker --prefix "
		    "sales- --data registry\n"
		    "registry role show ConnectWorker\n"
		    "registry role define Reader --data registry <reader.json",
		.arguments = "grant|revoke|list|show|define|remove [ROLE]",
		.further = "SystemAdmin|UserAdmin|ClusterAdmin|SecurityAdmin|AuditAdmin|Operator|"
		    "ResourceOwner|DeveloperManage|DeveloperWrite|DeveloperRead|ConnectManager|"
		    "ConnectWorker",
		.min_args = 1,
		.max_args = 2,
		.flags = {
			MAY(DATA), MAY(PRINCIPAL), MAY(PATH_NAME), MAY(PREFIX), REMOTE,
			MAY(OUTPUT), LAST
		},
	},
	{
		REGISTRY,
		.name = "audit",
		.summary = "verify the audit log's chain, or search it",
		.details = "verify exits 4 where a line was changed, removed or put in.  It needs "
		    "the master key.",
		.examples = "registry audit verify --data registry --master-key-file registry.key\n"
		    "registry audit search --data registry --principal alice --since 2026-01-31",
		.arguments = "verify|search",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			MUST(DATA), MAY(FILE_NAME), KEY_FILE, MAY(PRINCIPAL),
			MAY(PATH_NAME), MAY(KEY_NAME), MAY(METHOD), MAY(SINCE), MAY(UNTIL),
			MAY(DENIED), MAY(OUTPUT), LAST
		},
	},
	{
		REGISTRY,
		.name = "restore",
		.summary = "put a backup in the place of the registry's database",
		.details = "Only while the registry is not served.  The database that is there "
		    "stays as registry.db.old.  The audit\nlog tells which numbers were given "
		    "since the backup was made: none of them is given again.",
		.examples = "registry restore --data registry --master-key-file registry.key "
		    "backup.db",
		.arguments = "BACKUP",
		.min_args = 1,
		.max_args = 1,
		.flags = { MUST(DATA), MAY(FILE_NAME), MAY(MASTER_KEY_FILE), MAY(OUTPUT), LAST },
	},
	{
		REGISTRY,
		.name = "copy",
		.summary = "put a registry's secrets into a topic of Kafka, or take them out of it",
		.details = "Only while the registry is not served.  kafka fills the topic that the "
		    "settings name, which must be empty,\nwith what is in the database, which is "
		    "the topic's copy from then on.  local reads the topic to its\nend and lets "
		    "the database be the registry.  The topic itself stays as it is.",
		.examples = "registry copy kafka --data registry --settings registry.ini "
		    "--master-key-file registry.key",
		.arguments = "kafka|local",
		.min_args = 1,
		.max_args = 1,
		.flags = {
			MUST(DATA), MUST(SERVE_CONFIG), MAY(MASTER_KEY_FILE), MAY(OUTPUT), LAST
		},
	},
};

size_t
service_command_count(void)
{
	return sizeof(service_commands) / sizeof(service_commands[0]);
}

const struct command *
service_command_at(size_t i)
{
	return &service_commands[i];
}

#define ADMIN_LIST_MAX ((size_t)256 << 20)
#define ADMIN_WIDTH 20		/* of a column, if its text is not longer */
#define ROLE_WIDTH 16U

static const char *const admin_columns[][ADMIN_COLUMNS] = {
	[ADMIN_USERS] = { "name", "created", "state" },
	[ADMIN_TOKENS] = { "id", "principal", "created", "expires" },
	[ADMIN_BINDINGS] = { "principal", "role", "pattern", "path", "by" },
};

void
admin_list_begin(struct admin_list *l, enum admin_kind kind, bool json)
{
	size_t n = 0;

	buf_init(&l->out, ADMIN_LIST_MAX);
	json_out_init(&l->writer, &l->out);
	if (json) {
		json_out_pretty(&l->writer);
		json_out_array(&l->writer, NULL);
		l->writer.pretty = false;	/* each row on one line */
	}
	for (; n < ADMIN_COLUMNS && admin_columns[kind][n] != NULL; n++)
		l->columns[n] = (struct table_column){ .name = admin_columns[kind][n],
			.width = ADMIN_WIDTH };
	table_begin(&l->table, l->columns, n, &l->out, json ? &l->writer : NULL);
}

void
admin_list_add(struct admin_list *l, const char *const *cells)
{
	for (size_t i = 0; i < l->table.count; i++)
		table_text(&l->table, cells[i]);
	table_row_end(&l->table);
}

int
admin_list_end(struct admin_list *l, int rc, struct error *err)
{
	if (l->table.json != NULL) {
		json_out_end(&l->writer);
		(void)json_out_finish(&l->writer, NULL);
	}
	if (rc == 0)
		rc = output_write(&l->out, err);
	buf_release(&l->out);
	return rc;
}

/* A word of the table, which may be that of a registry: all of it can be seen. */
static void
roles_word(struct buf *out, const char *word)
{
	if (word == NULL)
		word = "-";
	text_append_visible(out, word, strlen(word));
}

/* The words of a list: with blanks between, or of a member of that name. */
static void
roles_words(struct buf *out, struct json_out *json, const char *member, const json_t *list)
{
	const json_t *word;
	size_t i;

	if (json != NULL)
		json_out_list(json, member);
	json_array_foreach(list, i, word) {
		if (json != NULL) {
			json_out_text(json, NULL, json_string_value(word));
			continue;
		}
		buf_append_str(out, i > 0 ? " " : "");
		roles_word(out, json_string_value(word));
	}
	if (json != NULL)
		json_out_end(json);
}

static void
roles_row(struct buf *out, struct json_out *json, const char *name, const json_t *role)
{
	size_t at = out->len;

	if (json != NULL) {
		json_out_object(json, name);
	} else {
		roles_word(out, name);
		buf_printf(out, "%*s (", (int)(out->len < at + ROLE_WIDTH ? at + ROLE_WIDTH -
		    out->len : 0), "");
	}
	roles_words(out, json, "scope", json_object_get(role, "scope"));
	if (json == NULL)
		buf_append_str(out, ") ");
	roles_words(out, json, "operations", json_object_get(role, "operations"));
	if (json != NULL)
		json_out_end(json);
	else
		buf_append_char(out, '\n');
}

static int
roles_write(json_t *roles, const char *only, bool json, struct error *err)
{
	struct json_out writer;
	const char *name;
	struct buf out;
	json_t *role;
	int rc;

	buf_init(&out, ROLES_TEXT_MAX);
	json_out_init(&writer, &out);
	json_out_pretty(&writer);
	if (json) {
		json_out_object(&writer, NULL);
		json_out_int(&writer, "format", 1);
		json_out_object(&writer, "roles");
	}
	json_object_foreach(roles, name, role) {
		if (only == NULL || strcmp(only, name) == 0)
			roles_row(&out, json ? &writer : NULL, name, role);
	}
	if (json) {
		json_out_end(&writer);
		json_out_end(&writer);
		(void)json_out_finish(&writer, NULL);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

int
roles_print(const void *text, size_t n, const char *only, bool json, struct error *err)
{
	json_t *root = json_loadb(text, n, 0, NULL);
	json_t *roles = json_object_get(root, "roles");
	int rc = -1;

	if (!json_is_object(roles)) {
		error_set(err, ERROR_FORMAT, "this is no table of roles");
	} else if (only != NULL && json_object_get(roles, only) == NULL) {
		error_set(err, ERROR_MISSING, "there is no such role");
		error_key(err, only, strlen(only));
		error_hint(err, "`propseal registry role show` lists them");
	} else {
		rc = roles_write(roles, only, json, err);
	}
	json_decref(root);
	return rc;
}
