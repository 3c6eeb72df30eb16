#include "common/roles.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "common/report.h"

/* The words of a list: with blanks between, or of a member of that name. */
static void
roles_words(struct buf *out, struct json_out *json, const char *member, const json_t *list)
{
	const json_t *word;
	size_t i;

	if (json != NULL)
		json_out_list(json, member);
	json_array_foreach(list, i, word) {
		if (json != NULL)
			json_out_text(json, NULL, json_string_value(word));
		else
			buf_printf(out, "%s%s", i > 0 ? " " : "", json_string_value(word));
	}
	if (json != NULL)
		json_out_end(json);
}

static void
roles_row(struct buf *out, struct json_out *json, const char *name, const json_t *role)
{
	if (json != NULL)
		json_out_object(json, name);
	else
		buf_printf(out, "%-16s (", name);
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
