#include "registry/auth/binding_json.h"

#include <string.h>

#include "base/error.h"
#include "registry/auth/bindings.h"
#include "registry/auth/roles.h"
#include "registry/base/principal.h"
#include "registry/store/names.h"

json_t *
binding_json_list(const json_t *root, struct error *err)
{
	json_t *list = json_object_get(root, "bindings");

	if (!json_is_array(list)) {
		error_set(err, ERROR_FORMAT, "there is no list \"bindings\"");
		return NULL;
	}
	if (json_array_size(list) > BINDINGS_MAX) {
		error_set(err, ERROR_LIMIT, "more than %d bindings", BINDINGS_MAX);
		return NULL;
	}
	return list;
}

static int
bad(size_t i, const char *what, struct error *err)
{
	return error_set(err, ERROR_FORMAT, "binding %zu: %s", i + 1, what);
}

static int
read_pattern(const json_t *item, size_t i, struct binding_json *out, struct error *err)
{
	static const char *const words[] = { "CLUSTER", "LITERAL", "PREFIXED" };
	const char *word = json_string_value(json_object_get(item, "pattern"));
	const json_t *path = json_object_get(item, "path");

	for (unsigned p = 0; word != NULL && p < sizeof(words) / sizeof(words[0]); p++) {
		if (strcmp(word, words[p]) != 0)
			continue;
		out->pattern = (enum binding_pattern)p;
		if (out->pattern == BINDING_CLUSTER)
			return path == NULL ? 0 : bad(i, "a path with pattern CLUSTER", err);
		out->path = json_string_value(path);
		if (out->path == NULL)
			return bad(i, "\"path\" is not there or not a string", err);
		out->path_len = json_string_length(path);
		/* An empty prefix would be everything; a long one could be cut. */
		if (out->path_len == 0 || out->path_len > NAME_PATH_MAX)
			return bad(i, "\"path\" is empty or too long", err);
		return 0;
	}
	return bad(i, "\"pattern\" is not CLUSTER, LITERAL or PREFIXED", err);
}

int
binding_json_read(const json_t *item, size_t i, struct binding_json *out,
    struct error *err)
{
	char name[PRINCIPAL_MAX];

	*out = (struct binding_json){ 0 };
	out->role = json_string_value(json_object_get(item, "role"));
	out->principal = json_string_value(json_object_get(item, "principal"));
	out->by = json_string_value(json_object_get(item, "by"));
	if (out->role == NULL || strlen(out->role) >= ROLES_NAME_MAX)
		return bad(i, "\"role\" is not there or not the name of a role", err);
	if (out->principal == NULL || !principal_normalise(out->principal,
	    strlen(out->principal), name) || strcmp(name, out->principal) != 0)
		return bad(i, "\"principal\" is not there or not a name", err);
	return read_pattern(item, i, out, err);
}
