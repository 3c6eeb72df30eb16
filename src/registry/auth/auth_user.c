/* The administration of users.json. */
#include <string.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/secmem.h"
#include "registry/auth/auth.h"
#include "registry/auth/users.h"
#include "registry/data/data_file.h"

struct edit {
	char name[PRINCIPAL_MAX];
	struct password password;
	bool replace;
};

static int
check_name(const char *name, char out[PRINCIPAL_MAX], struct error *err)
{
	if (principal_normalise(name, strlen(name), out) && principal_is_user(out))
		return 0;
	error_set(err, ERROR_USAGE, "not a name for a user");
	return error_hint(err, "1 to 255 bytes of visible text without ':', no blank at either "
	    "end");
}

static int
set_new(json_t *o, const char *name, json_t *value, struct error *err)
{
	return json_object_set_new(o, name, value) == 0 ? 0 : error_memory(err);
}

static int
add(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	char now[DATA_FILE_DATE];
	json_t *table, *o;
	bool there;

	if (json_object_get(root, "users") == NULL &&
	    set_new(root, "users", json_object(), err) != 0)
		return -1;
	if (users_table(root, &table, err) != 0)
		return -1;
	o = json_object_get(table, e->name);
	there = o != NULL;
	if (there && !e->replace) {
		error_set(err, ERROR_EXISTS, "there is a user of this name already");
		error_key(err, e->name, strlen(e->name));
		return error_hint(err, "--replace gives the user the new password");
	}
	if (!there && json_object_size(table) >= USERS_MAX)
		return error_set(err, ERROR_LIMIT, "there are %d users already", USERS_MAX);
	/* What stands there may be damaged: this is how it is mended. */
	if (!json_is_object(o)) {
		o = json_object();
		if (set_new(table, e->name, o, err) != 0)
			return -1;
	}
	data_file_date((int64_t)time(NULL), now);
	if (set_new(o, "scrypt", users_to_json(&e->password), err) != 0 ||
	    set_new(o, there ? "changed" : "created", json_string(now), err) != 0)
		return -1;
	return 1;
}

int
auth_user_add(const char *data, const char *name, const void *password, size_t n,
    bool replace, struct error *err)
{
	struct edit e = { .replace = replace };
	int rc;

	if (check_name(name, e.name, err) != 0 ||
	    password_make(&e.password, password, n, err) != 0)
		return -1;
	rc = data_file_edit(data, USERS_FILE, add, &e, err);
	secmem_wipe(&e, sizeof(e));
	return rc;
}

static int
cut(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	json_t *table = json_object_get(root, "users");

	if (json_object_del(table, e->name) == 0)
		return 1;
	error_set(err, ERROR_MISSING, "there is no such user");
	error_key(err, e->name, strlen(e->name));
	return error_hint(err, "`propseal registry user list` lists them");
}

int
auth_user_remove(const char *data, const char *name, struct error *err)
{
	struct edit e = { .replace = false };

	if (check_name(name, e.name, err) != 0)
		return -1;
	return data_file_edit(data, USERS_FILE, cut, &e, err);
}

int
auth_user_list(const char *data, void (*visit)(void *cookie, const char *name,
    const char *created), void *cookie, struct error *err)
{
	char *path = data_file_path(data, USERS_FILE, err);
	struct password p;
	struct file_id id;
	json_t *root = NULL, *table, *o;
	const char *name, *created;
	int rc = -1;

	if (path == NULL || data_file_read(path, DATA_FILE_MAX, &root, &id, err) != 0)
		goto out;
	if ((rc = users_table(root, &table, err)) != 0)
		error_place(err, path, 0);
	else json_object_foreach(table, name, o) {
		if ((rc = users_from_json(name, o, &p, err)) != 0) {
			error_place(err, path, 0);
			break;
		}
		created = json_string_value(json_object_get(o, "created"));
		visit(cookie, name, created != NULL ? created : "");
	}
	secmem_wipe(&p, sizeof(p));
out:
	json_decref(root);
	free(path);
	return rc;
}
