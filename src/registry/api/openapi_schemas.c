#include "registry/api/openapi_schemas.h"

#include <string.h>

#include "base/buf.h"

#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define LIST(items) "{\"type\":\"array\",\"items\":" items "}"
#define STRING "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"integer\"}"
#define BOOLEAN "{\"type\":\"boolean\"}"
#define ANY "{\"type\":\"object\"}"

struct entry {
	const char *name, *schema;
};

static const char *
find(const struct entry *entries, size_t n, const char *name, const char *otherwise)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(entries[i].name, name) == 0)
			return entries[i].schema;
	}
	return otherwise;
}

#define FIND(entries, name, otherwise) \
	find(entries, sizeof(entries) / sizeof((entries)[0]), name, otherwise)

const char *
openapi_schema_of_parameter(const char *name, bool in_path)
{
	static const struct entry of_path[] = {
		{ "path", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":249}" },
		{ "key", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z][A-Za-z0-9._-]{0,254}$\"}" },
		{ "version", "{\"type\":\"string\",\"pattern\":\"^(latest|[1-9][0-9]{0,9})$\"}" },
	};
	static const struct entry of_query[] = {
		{ "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}" },
		{ "since", "{\"type\":\"integer\",\"minimum\":0}" },
		{ "wait", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":60}" },
		{ "metadata", BOOLEAN }, { "partial", BOOLEAN }, { "destroy", BOOLEAN },
		{ "deleted", BOOLEAN },
	};

	return in_path ? FIND(of_path, name, STRING) : FIND(of_query, name, STRING);
}

const char *
openapi_schema_of_body(const char *name)
{
	static const struct entry bodies[] = {
		{ "CreateSecretVersion", REF("Create") },
		{ "UpdateKeyMetadata", REF("KeySettings") },
		{ "AuditHash", REF("HashInput") },
		{ "BackupStore", REF("Backup") },
	};

	return FIND(bodies, name, ANY);
}

const char *
openapi_schema_of_answer(const char *name)
{
	static const struct entry answers[] = {
		{ "ListPaths", LIST(STRING) }, { "ListKeys", LIST(STRING) },
		{ "ListVersions", LIST(NUMBER) },
		{ "GetPath", LIST(REF("Secret")) }, { "GetKey", LIST(REF("Secret")) },
		{ "GetSecretVersion", REF("Secret") }, { "CreateSecretVersion", REF("Secret") },
		{ "DeleteVersion", NUMBER }, { "DeleteKey", LIST(NUMBER) },
		{ "DeletePath", LIST(REF("DeletedKey")) },
		{ "GetKeyMetadata", REF("KeyMetadata") },
		{ "UpdateKeyMetadata", REF("KeyMetadata") },
		{ "SearchSecrets", LIST(REF("Found")) }, { "WatchChanges", REF("Changes") },
		{ "ListBindings", LIST(REF("Binding")) }, { "GetPlugins", LIST(ANY) },
		{ "BackupStore", REF("Backup") }, { "GetMetrics", STRING },
	};

	return FIND(answers, name, ANY);
}

static const struct entry schemas[] = {
	{ "Error", "{\"type\":\"object\",\"required\":[\"error_code\",\"message\"],\"properties\":"
	    "{\"error_code\":" NUMBER ",\"message\":" STRING "}}" },
	{ "Secret", "{\"type\":\"object\",\"required\":[\"path\",\"key\",\"version\"],"
	    "\"properties\":{\"path\":" STRING ",\"key\":" STRING ",\"version\":" NUMBER ","
	    "\"secret\":" STRING ",\"createdAt\":" STRING ",\"createdBy\":" STRING ","
	    "\"expiresAt\":{\"type\":[\"string\",\"null\"]},\"state\":" STRING "}}" },
	{ "Create", "{\"type\":\"object\",\"required\":[\"secret\"],\"properties\":"
	    "{\"secret\":" STRING ",\"cas\":{\"type\":\"integer\",\"minimum\":0},"
	    "\"ttl\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":315360000},"
	    "\"metadata\":{\"type\":\"object\",\"maxProperties\":64,"
	    "\"additionalProperties\":{\"type\":\"string\",\"maxLength\":512}}}}" },
	{ "KeySettings", "{\"type\":\"object\",\"properties\":{"
	    "\"max_versions\":{\"type\":\"integer\",\"minimum\":0},\"cas_required\":" BOOLEAN ","
	    "\"cas\":{\"type\":\"integer\",\"minimum\":0},\"metadata\":{\"type\":\"object\","
	    "\"maxProperties\":64,\"additionalProperties\":{\"type\":\"string\","
	    "\"maxLength\":512}}}}" },
	{ "Version", "{\"type\":\"object\",\"properties\":{\"version\":" NUMBER ","
	    "\"state\":{\"enum\":[\"live\",\"expired\",\"deleted\",\"destroyed\"]},"
	    "\"createdAt\":" STRING ",\"createdBy\":" STRING ","
	    "\"expiresAt\":{\"type\":[\"string\",\"null\"]},\"deletedAt\":" STRING ","
	    "\"deletedBy\":" STRING "}}" },
	{ "KeyMetadata", "{\"type\":\"object\",\"properties\":{\"path\":" STRING ",\"key\":" STRING
	    ",\"currentVersion\":" NUMBER ",\"highestVersion\":" NUMBER ",\"max_versions\":" NUMBER
	    ",\"cas_required\":" BOOLEAN ",\"metadata\":" ANY ",\"cas\":" NUMBER
	    ",\"updatedAt\":{\"type\":[\"string\",\"null\"]},\"updatedBy\":" STRING
	    ",\"versions\":" LIST(REF("Version")) ",\"destroyed\":" LIST(LIST(NUMBER)) "}}" },
	{ "DeletedKey", "{\"type\":\"object\",\"properties\":{\"key\":" STRING ",\"versions\":"
	    LIST(NUMBER) "}}" },
	{ "Found", "{\"type\":\"object\",\"properties\":{\"path\":" STRING ",\"key\":" STRING
	    ",\"version\":" NUMBER "}}" },
	{ "Changes", "{\"type\":\"object\",\"properties\":{\"offset\":" NUMBER ",\"changes\":"
	    LIST("{\"type\":\"object\",\"properties\":{\"offset\":" NUMBER ",\"path\":" STRING
	    ",\"key\":" STRING ",\"version\":" NUMBER ",\"change\":" STRING "}}") "}}" },
	{ "Binding", "{\"type\":\"object\",\"required\":[\"role\",\"principal\"],\"properties\":"
	    "{\"role\":" STRING ",\"principal\":" STRING ",\"path\":" STRING ",\"prefix\":" STRING
	    ",\"by\":" STRING "}}" },
	{ "HashInput", "{\"type\":\"object\",\"required\":[\"input\"],\"properties\":{\"input\":"
	    STRING "}}" },
	{ "Backup", "{\"type\":\"object\",\"required\":[\"file\"],\"properties\":{\"file\":"
	    STRING "}}" },
};

void
openapi_schemas_append(struct buf *out)
{
	buf_append_char(out, '{');
	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		buf_printf(out, "%s\"%s\":%s", i > 0 ? "," : "", schemas[i].name,
		    schemas[i].schema);
	buf_append_char(out, '}');
}
