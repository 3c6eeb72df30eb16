#include "common/admin_out.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "common/report.h"

#define LIST_MAX ((size_t)256 << 20)
#define ROLE_WIDTH 16U
#define WIDTH 20		/* of a column, if its text is not longer */

static const char *const columns[][ADMIN_COLUMNS] = {
	[ADMIN_USERS] = { "name", "created", "state" },
	[ADMIN_TOKENS] = { "id", "principal", "created", "expires" },
	[ADMIN_BINDINGS] = { "principal", "role", "pattern", "path", "by" },
};

void
admin_list_begin(struct admin_list *l, enum admin_kind kind, bool json)
{
	size_t n = 0;

	buf_init(&l->out, LIST_MAX);
	json_out_init(&l->writer, &l->out);
	if (json) {
		json_out_pretty(&l->writer);
		json_out_array(&l->writer, NULL);
		l->writer.pretty = false;	/* each row on one line */
	}
	for (; n < ADMIN_COLUMNS && columns[kind][n] != NULL; n++)
		l->columns[n] = (struct table_column){ .name = columns[kind][n], .width = WIDTH };
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
