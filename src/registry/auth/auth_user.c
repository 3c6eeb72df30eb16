/* The administration of users.json. */
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/secmem.h"
#include "registry/auth/auth.h"
#include "registry/auth/users.h"
#include "registry/base/data_file.h"

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
add(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	char now[DATA_FILE_DATE];
	json_t *table, *o;
	bool there;

	if (json_object_get(root, "users") == NULL &&
	    data_file_set(root, "users", json_object(), err) != 0)
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
		if (data_file_set(table, e->name, o, err) != 0)
			return -1;
	}
	data_file_date((int64_t)time(NULL), now);
	if (data_file_set(o, "scrypt", users_to_json(&e->password), err) != 0 ||
	    data_file_set(o, there ? "changed" : "created", json_string(now), err) != 0)
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

struct listing {
	void (*visit)(void *cookie, const char *name, const char *created);
	void *cookie;
};

static int
list_one(void *cookie, const char *name, const json_t *o, struct error *err)
{
	const struct listing *l = cookie;
	const char *created = json_string_value(json_object_get(o, "created"));
	struct password p;
	int rc = users_from_json(name, o, &p, err);

	secmem_wipe(&p, sizeof(p));
	if (rc == 0)
		l->visit(l->cookie, name, created != NULL ? created : "");
	return rc;
}

int
auth_user_list(const char *data, void (*visit)(void *cookie, const char *name,
    const char *created), void *cookie, struct error *err)
{
	struct listing l = { visit, cookie };

	return data_file_list(data, USERS_FILE, users_table, list_one, &l, err);
}
