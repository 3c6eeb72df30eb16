#include "registry/auth/users.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "crypto/base64.h"
#include "registry/base/data_file.h"

struct users {
	struct user *items;
	size_t count;
	struct map *by_name;
};

static int
bad(const char *name, const char *what, struct error *err)
{
	error_set(err, ERROR_FORMAT, "%s", what);
	return error_key(err, name, strlen(name));
}

static bool
read_number(const json_t *o, const char *name, uint32_t *out)
{
	const json_t *n = json_object_get(o, name);

	if (!json_is_integer(n) || json_integer_value(n) < 1 ||
	    json_integer_value(n) > UINT32_MAX)
		return false;
	*out = (uint32_t)json_integer_value(n);
	return true;
}

/* Base64 of at most ${max} bytes. */
static bool
read_bytes(const json_t *o, const char *name, unsigned char *out, size_t max, size_t *n)
{
	const json_t *text = json_object_get(o, name);
	struct buf b;
	bool good;

	if (!json_is_string(text))
		return false;
	/* A little more than asked for, as the decoder wants room. */
	buf_init(&b, max + 16);
	good = base64_decode(&b, json_string_value(text), json_string_length(text)) == 0 &&
	    b.len > 0 && b.len <= max;
	if (good) {
		memcpy(out, b.data, b.len);
		*n = b.len;
	}
	buf_release(&b);
	return good;
}

int
users_from_json(const char *name, const json_t *o, struct password *out, struct error *err)
{
	const json_t *s = json_object_get(o, "scrypt");
	char normal[PRINCIPAL_MAX];
	size_t n = 0;

	*out = (struct password){ 0 };
	if (!principal_normalise(name, strlen(name), normal) || strcmp(name, normal) != 0 ||
	    !principal_is_user(name))
		return bad(name, "not a name for a user", err);
	if (!read_number(s, "N", &out->N) || !read_number(s, "r", &out->r) ||
	    !read_number(s, "p", &out->p) ||
	    !read_bytes(s, "salt", out->salt, sizeof(out->salt), &out->salt_len) ||
	    !read_bytes(s, "hash", out->hash, sizeof(out->hash), &n) ||
	    n != sizeof(out->hash))
		return bad(name, "this user has no whole \"scrypt\" (N, r, p, salt, hash)", err);
	if (!password_is_sane(out))
		return bad(name, "this user's scrypt parameters are out of bounds", err);
	return 0;
}

static int
set_base64(json_t *o, const char *name, const void *bytes, size_t n)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	base64_encode(&b, bytes, n);
	rc = b.failed ? -1 : json_object_set_new(o, name, json_string(buf_cstr(&b)));
	buf_release(&b);
	return rc;
}

json_t *
users_to_json(const struct password *p)
{
	json_t *o = json_object();

	if (json_object_set_new(o, "N", json_integer(p->N)) == 0 &&
	    json_object_set_new(o, "r", json_integer(p->r)) == 0 &&
	    json_object_set_new(o, "p", json_integer(p->p)) == 0 &&
	    set_base64(o, "salt", p->salt, p->salt_len) == 0 &&
	    set_base64(o, "hash", p->hash, sizeof(p->hash)) == 0)
		return o;
	json_decref(o);
	return NULL;
}

int
users_table(const json_t *root, json_t **table, struct error *err)
{
	*table = json_object_get(root, "users");
	if (root == NULL || json_is_object(*table))
		return 0;
	return error_set(err, ERROR_FORMAT, "there is no table \"users\"");
}

static int
take(struct users *u, json_t *table, struct error *err)
{
	const char *name;
	json_t *o;

	if (json_object_size(table) > USERS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d users", USERS_MAX);
	u->items = calloc(json_object_size(table) + 1, sizeof(*u->items));
	u->by_name = map_new();
	if (u->items == NULL || u->by_name == NULL)
		return error_memory(err);
	json_object_foreach(table, name, o) {
		struct user *one = &u->items[u->count];

		if (users_from_json(name, o, &one->password, err) != 0)
			return -1;
		memcpy(one->name, name, strlen(name) + 1);
		if (map_put(u->by_name, one->name, strlen(one->name), u->count) != 0)
			return error_memory(err);
		u->count++;
	}
	return 0;
}

struct users *
users_read(const char *path, struct file_id *id, struct error *err)
{
	struct users *u = NULL;
	json_t *root, *table;

	if (data_file_read(path, DATA_FILE_MAX, &root, id, err) != 0)
		return NULL;
	if (root != NULL && data_file_check_format(root, path, err) != 0)
		goto out;
	if ((u = calloc(1, sizeof(*u))) == NULL) {
		error_memory(err);
		goto out;
	}
	if (users_table(root, &table, err) != 0 || take(u, table, err) != 0) {
		error_place(err, path, 0);
		users_free(u);
		u = NULL;
	}
out:
	json_decref(root);
	return u;
}

void
users_free(struct users *u)
{
	if (u == NULL)
		return;
	map_free(u->by_name);
	free(u->items);
	free(u);
}

const struct user *
users_find(const struct users *u, const char *name)
{
	size_t i;

	return map_get(u->by_name, name, strlen(name), &i) ? &u->items[i] : NULL;
}
