/* The table of routes, what dispatches by it, and the document made of it. */
#include <jansson.h>

#include "base/buf.h"
#include "registry/api/body.h"
#include "registry/api/routes.h"
#include "unit.h"

static struct target target;
static struct route_match match;
static const char *vault_mount;

static const char *
find_in(const char *path, enum http_method method, enum rest_compat compat)
{
	struct settings set = { .compat = compat, .vault_mount = vault_mount };

	assert_int_equal(target_parse(&target, path, strlen(path)), TARGET_OK);
	route_find(&target, method, &set, &match);
	return match.endpoint != NULL ? match.endpoint->name : "";
}

static const char *
find(const char *path, enum http_method method)
{
	return find_in(path, method, REST_CONFLUENT);
}

static void
param_is(enum param p, const char *text)
{
	if (text == NULL) {
		assert_null(match.params[p].text);
		return;
	}
	assert_string_equal(match.params[p].text, text);
	assert_int_equal(match.params[p].len, strlen(text));
}

static size_t
segments_of(const char *pattern)
{
	size_t n = 0;

	for (const char *p = pattern; *p != '\0'; p++)
		n += *p == '/' && p[1] != '\0';
	return n;
}

static void
table_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count(); i++) {
		const struct endpoint *e = route_at(i);
		bool left = false;

		assert_non_null(e->run);
		assert_int_equal(e->segments, segments_of(e->pattern));
		assert_true(e->method != HTTP_HEAD && e->method != HTTP_OPTIONS);
		/* A right on a path needs a path in the pattern. */
		assert_true(e->scope != SCOPE_PATH || strstr(e->pattern, "{path}") != NULL ||
		    strstr(e->pattern, "{name}") != NULL);
		/* The methods of one pattern stand together, each once. */
		for (size_t j = i + 1; j < route_count(); j++) {
			bool same = strcmp(route_at(j)->pattern, e->pattern) == 0;

			assert_false(same && left);
			assert_false(same && route_at(j)->method == e->method);
			left = left || !same;
		}
	}
}

static void
finds_routes_and_their_names(void **state)
{
	(void)state;
	assert_string_equal(find("/secret/paths", HTTP_GET), "ListPaths");
	assert_string_equal(find("/secret/paths/", HTTP_GET), "ListPaths");
	assert_string_equal(find("/secret/paths/a%20b", HTTP_GET), "GetPath");
	param_is(PARAM_PATH, "a b");
	param_is(PARAM_KEY, NULL);
	assert_string_equal(find("/secret/paths/keys/keys/versions/versions/latest", HTTP_GET),
	    "GetSecretVersion");
	param_is(PARAM_PATH, "keys");
	param_is(PARAM_KEY, "versions");
	param_is(PARAM_VERSION, "latest");
	assert_string_equal(find("/secret/paths/p/keys/k/versions", HTTP_POST),
	    "CreateSecretVersion");
	assert_string_equal(find("/secret/paths/p/keys/k/versions/2", HTTP_HEAD),
	    "GetSecretVersion");
	assert_string_equal(find("/secret/connectors/c/resolve", HTTP_POST), "ResolveConfig");
	param_is(PARAM_PATH, "c");
	assert_string_equal(find("/security/1.0/principals/User%3Aa/roles/R/bindings", HTTP_POST),
	    "AlterBinding");
	param_is(PARAM_PRINCIPAL, "User:a");
	param_is(PARAM_ROLE, "R");
	assert_string_equal(find("/", HTTP_GET), "GetRoot");
}

static void
tells_methods_from_routes(void **state)
{
	char allow[ROUTE_ALLOW_MAX];

	(void)state;
	assert_string_equal(find("/secret/paths/p", HTTP_PUT), "");
	route_allow(match.allowed, allow);
	assert_string_equal(allow, "GET, HEAD, DELETE, OPTIONS");
	param_is(PARAM_PATH, "p");
	assert_string_equal(find("/secret/paths/p/keys/k/versions", HTTP_OTHER), "");
	route_allow(match.allowed, allow);
	assert_string_equal(allow, "GET, HEAD, POST, OPTIONS");
	assert_string_equal(find("/secret/paths/p/keys/k/versions/1/undelete", HTTP_GET), "");
	route_allow(match.allowed, allow);
	assert_string_equal(allow, "POST, OPTIONS");
	assert_string_equal(find("/secret/paths/p/other", HTTP_GET), "");
	assert_int_equal(match.allowed, 0);
	param_is(PARAM_PATH, NULL);
	assert_string_equal(find("/SECRET/paths", HTTP_GET), "");
	assert_int_equal(match.allowed, 0);
	assert_string_equal(find("/secret", HTTP_GET), "");
	assert_int_equal(match.allowed, 0);
}

static void
has_the_routes_of_one_dialect(void **state)
{
	(void)state;
	assert_string_equal(find("/connector-plugins", HTTP_GET), "");
	assert_int_equal(match.allowed, 0);
	assert_string_equal(find_in("/connector-plugins/", HTTP_GET, REST_MREDJEM), "GetPlugins");
	assert_string_equal(find_in("/health", HTTP_GET, REST_MREDJEM), "GetHealth");
}

static void
has_the_face_of_vault_below_its_mount(void **state)
{
	static const char *const others[] = {
		"/v1/kv2/data/p", "/v1/sys/data/p", "/v1/auth/metadata/p", "/v1/k/data/p"
	};

	(void)state;
	assert_string_equal(find("/v1/sys/health", HTTP_GET), "");
	assert_string_equal(find("/v1/kv/data/p", HTTP_GET), "");
	assert_int_equal(match.allowed, 0);
	vault_mount = "kv";
	assert_string_equal(find("/v1/sys/health", HTTP_GET), "GetVaultHealth");
	assert_string_equal(find("/v1/kv/data/p", HTTP_GET), "GetVaultSecret");
	assert_int_equal(match.params[PARAM_PATH].len, 1);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_string_equal(find(others[i], HTTP_GET), "");
		assert_int_equal(match.allowed, 0);
		assert_null(match.params[PARAM_PATH].text);
	}
	vault_mount = NULL;
}

static const json_t *
operation_of(const json_t *paths, const struct endpoint *e)
{
	char method[16];
	size_t i;

	snprintf(method, sizeof(method), "%s", route_method_name(e->method));
	for (i = 0; method[i] != '\0'; i++)
		method[i] = (char)(method[i] + 'a' - 'A');
	return json_object_get(json_object_get(paths, e->pattern), method);
}

static void
document_names_every_route(void **state)
{
	json_t *root, *ids = json_object();
	const json_t *paths;
	size_t operations = 0, routes = 0;
	const char *name;
	json_t *path;
	struct settings set = { .compat = REST_CONFLUENT, .vault_mount = "kv" };
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	openapi_make(&text, &set);
	assert_int_equal(buf_check(&text, NULL), 0);
	root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "openapi")), "3.1.0");
	paths = json_object_get(root, "paths");
	for (size_t i = 0; i < route_count(); i++) {
		const json_t *op = operation_of(paths, route_at(i));
		const char *id = json_string_value(json_object_get(op, "operationId"));

		if (route_at(i)->flags & ROUTE_MREDJEM)
			continue;
		routes++;
		assert_non_null(id);
		assert_null(json_object_get(ids, id));
		assert_int_equal(json_object_set_new(ids, id, json_true()), 0);
		assert_true(json_object_size(json_object_get(op, "responses")) > 0);
	}
	json_object_foreach((json_t *)(uintptr_t)paths, name, path)
		operations += json_object_size(path);
	assert_int_equal(operations, routes);
	json_decref(ids);
	json_decref(root);
	buf_release(&text);
}

static void
compares_entity_tags(void **state)
{
	uint32_t version = 9;

	(void)state;
	assert_true(condition_names("\"2\"", 2, false));
	assert_true(condition_names("\"1\", \"2\"", 2, false));
	assert_true(condition_names("*", 2, false));
	assert_true(condition_names(" W/\"2\"", 2, true));
	assert_false(condition_names("W/\"2\"", 2, false));
	assert_false(condition_names("\"12\"", 2, true));
	assert_false(condition_names("2", 2, true));
	assert_false(condition_names("\"2", 2, true));
	assert_false(condition_names("", 2, true));
	assert_true(condition_is_any(" * "));
	assert_false(condition_is_any("*, \"1\""));
	assert_true(condition_is_one("\"7\"", &version) && version == 7);
	assert_true(condition_is_one("\"x\"", &version) && version == 0);
	assert_false(condition_is_one("\"7\", \"8\"", &version));
	assert_false(condition_is_one("W/\"7\"", &version));
	assert_false(condition_is_one("*", &version));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_in_order),
		cmocka_unit_test(finds_routes_and_their_names),
		cmocka_unit_test(tells_methods_from_routes),
		cmocka_unit_test(has_the_routes_of_one_dialect),
		cmocka_unit_test(has_the_face_of_vault_below_its_mount),
		cmocka_unit_test(document_names_every_route),
		cmocka_unit_test(compares_entity_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
