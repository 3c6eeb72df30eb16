#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/options.h"
#include "common/output.h"
#include "registry/auth/access.h"
#include "registry/service/admin.h"
#include "cli/cli.h"
#include "registry/base/principal.h"
#include "common/report.h"

#define ROLES_TEXT_MAX ((size_t)4 << 20)

/* --- grant and revoke --- */

static int
read_binding(const struct options *o, struct binding *b, struct error *err)
{
	const char *path = o->text[FLAG_PATH_NAME];
	const char *prefix = o->text[FLAG_PREFIX];

	if (admin_need(o, FLAG_DATA, err) != 0 || admin_need(o, FLAG_PRINCIPAL, err) != 0)
		return -1;
	if (path != NULL && prefix != NULL)
		return error_set(err, ERROR_USAGE, "--path and --prefix exclude each other");
	*b = (struct binding){
		.role = o->args[0],
		.principal = o->text[FLAG_PRINCIPAL],
		.pattern = path != NULL ? path : prefix,
		.prefix = prefix != NULL,
	};
	return 0;
}

int
commands_registry_role_grant(const struct options *o)
{
	struct binding b;
	struct error err;
	int rc = read_binding(o, &b, &err);

	if (rc == 0)
		rc = access_grant(o->text[FLAG_DATA], &b, 1, &err);
	return admin_done(rc, &err);
}

int
commands_registry_role_revoke(const struct options *o)
{
	struct binding b;
	struct error err;
	int rc = read_binding(o, &b, &err);

	if (rc == 0)
		rc = access_revoke(o->text[FLAG_DATA], &b, 1, &err);
	return admin_done(rc, &err);
}

/* --- list --- */

struct listing {
	struct admin_list list;
	const char *principal;		/* only theirs; NULL: all */
	const json_t *roles;		/* the table in force */
	size_t unknown;			/* bindings of roles that are not in it */
};

static void
add_binding(void *cookie, const struct binding *b)
{
	struct listing *l = cookie;
	const char *cells[] = {
		b->principal, b->role,
		b->pattern == NULL ? "CLUSTER" : b->prefix ? "PREFIXED" : "LITERAL",
		b->pattern, b->by,
	};

	if (l->principal != NULL && strcmp(l->principal, b->principal) != 0)
		return;
	l->unknown += json_object_get(l->roles, b->role) == NULL;
	admin_list_add(&l->list, cells);
}

/* The roles in force (${data} NULL: the built-in ones); the caller decrefs. */
static json_t *
load_roles(const char *data, struct buf *text, struct error *err)
{
	json_t *root = NULL;

	if (data == NULL)
		access_roles_default(text);
	else if (access_roles(data, text, err) != 0)
		return NULL;
	if (buf_check(text, err) != 0)
		return NULL;
	root = json_loadb((const char *)text->data, text->len, 0, NULL);
	if (root == NULL)
		error_memory(err);
	return root;
}

static int
list_bindings(const struct options *o, struct listing *l, struct error *err)
{
	const char *name = o->text[FLAG_PRINCIPAL];
	char normal[PRINCIPAL_MAX];
	json_t *root;
	struct buf text;
	int rc = -1;

	if (admin_need(o, FLAG_DATA, err) != 0)
		return -1;
	if (name != NULL) {
		if (!principal_normalise(name, strlen(name), normal))
			return error_set(err, ERROR_USAGE, "not a name for a principal");
		l->principal = normal;
	}
	buf_init(&text, ROLES_TEXT_MAX);
	root = load_roles(o->text[FLAG_DATA], &text, err);
	if (root != NULL) {
		l->roles = json_object_get(root, "roles");
		rc = access_list(o->text[FLAG_DATA], add_binding, l, err);
	}
	json_decref(root);
	buf_release(&text);
	return rc;
}

int
commands_registry_role_list(const struct options *o)
{
	static const char *const names[] = { "principal", "role", "pattern", "path", "by" };
	struct listing l = { .principal = NULL };
	struct error err;
	int rc;

	admin_list_begin(&l.list, o, names, sizeof(names) / sizeof(names[0]));
	rc = list_bindings(o, &l, &err);
	rc = admin_list_end(&l.list, rc, &err);
	if (rc == 0 && l.unknown > 0)
		report_warning("`propseal registry role show --data DIR` lists the roles",
		    "some of these roles are not in roles.json and grant nothing: there are %zu",
		    l.unknown);
	return rc;
}

/* --- show --- */

/* The words of a list, with blanks between. */
static void
append_words(struct buf *out, const json_t *list)
{
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word) {
		buf_append_str(out, i > 0 ? " " : "");
		buf_append_str(out, json_string_value(word));
	}
}

static int
show(const struct options *o, struct buf *out, json_t *roles, struct error *err)
{
	const char *only = o->arg_count > 0 ? o->args[0] : NULL;
	const char *name;
	json_t *role;

	if (only != NULL && json_object_get(roles, only) == NULL) {
		error_set(err, ERROR_MISSING, "there is no such role");
		error_key(err, only, strlen(only));
		return error_hint(err, "`propseal registry role show` lists them");
	}
	json_object_foreach(roles, name, role) {
		if (only != NULL && strcmp(only, name) != 0)
			continue;
		buf_printf(out, "%-16s (", name);
		append_words(out, json_object_get(role, "scope"));
		buf_append_str(out, ") ");
		append_words(out, json_object_get(role, "operations"));
		buf_append_char(out, '\n');
	}
	return 0;
}

/* One role alone, in the form of the whole table. */
static int
keep_only(const struct options *o, json_t *root, struct buf *text, struct error *err)
{
	json_t *roles = json_object_get(root, "roles");
	json_t *role = json_object_get(roles, o->args[0]);
	json_t *one = json_pack("{s:i,s:{s:O}}", "format", 1, "roles", o->args[0], role);
	char *dump = one != NULL ? json_dumps(one, JSON_INDENT(2)) : NULL;

	json_decref(one);
	if (dump == NULL)
		return error_memory(err);
	buf_clear(text);
	buf_append_str(text, dump);
	buf_append_char(text, '\n');
	free(dump);
	return 0;
}

int
commands_registry_role_show(const struct options *o)
{
	struct buf text, table;
	json_t *root;
	struct error err;
	int rc = -1;

	buf_init(&text, ROLES_TEXT_MAX);
	buf_init(&table, ROLES_TEXT_MAX);
	root = load_roles(o->text[FLAG_DATA], &text, &err);
	if (root != NULL)
		rc = show(o, &table, json_object_get(root, "roles"), &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON) {
		if (o->arg_count > 0)
			rc = keep_only(o, root, &text, &err);
		if (rc == 0)
			rc = output_write(&text, &err);
	} else if (rc == 0)
		rc = output_write(&table, &err);
	json_decref(root);
	buf_release(&table);
	buf_release(&text);
	return rc == 0 ? 0 : report_error(&err);
}
