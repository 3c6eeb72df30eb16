#include "cli/registry/secrets_of.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "file/file.h"
#include "cli/registry/remote.h"

/* The answer's JSON, which must be an array. */
static json_t *
array_of(const struct buf *text, struct error *err)
{
	json_t *root = json_loadb((const char *)text->data, text->len, JSON_ALLOW_NUL, NULL);

	if (json_is_array(root))
		return root;
	json_decref(root);
	error_set(err, ERROR_FORMAT, "the answer is no list");
	error_hint(err, "is the URL that of a Secret Registry?");
	return NULL;
}

/* A text without NUL. */
static bool
is_name(const json_t *text)
{
	return json_is_string(text) && json_string_length(text) > 0 &&
	    strlen(json_string_value(text)) == json_string_length(text);
}

static int
visit_json(const json_t *item, secret_visit *visit, void *cookie, struct error *err)
{
	const json_t *path = json_object_get(item, "path");
	const json_t *key = json_object_get(item, "key");
	const json_t *secret = json_object_get(item, "secret");
	struct secret_read s = {
		.path = json_string_value(path),
		.key = json_string_value(key),
		.version = json_integer_value(json_object_get(item, "version")),
		.value = json_string_value(secret),
		.value_len = json_string_length(secret),
	};

	if (!is_name(path) || !is_name(key) || s.value == NULL || s.version < 1)
		return error_set(err, ERROR_FORMAT,
		    "a secret lacks its path, key, version or value");
	return visit(cookie, &s, err);
}

static int
visit_key(struct remote *r, const char *path, const char *key, secret_visit *visit,
    void *cookie, size_t *denied, struct error *err)
{
	json_t *all;
	json_t *item;
	size_t i;
	int rc = 0;

	remote_target(r, "secret", "paths", path, "keys", key, (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) != 0) {
		if (r->got.status == 403)
			++*denied;
		/* 404: it was deleted meanwhile. */
		return r->got.status == 403 || r->got.status == 404 ? 0 : -1;
	}
	if ((all = array_of(&r->answer, err)) == NULL)
		return -1;
	buf_clear(&r->answer);
	json_array_foreach(all, i, item) {
		if (rc == 0)
			rc = visit_json(item, visit, cookie, err);
	}
	json_decref(all);
	return rc;
}

static int
visit_path(struct remote *r, const char *path, secret_visit *visit, void *cookie,
    size_t *denied, struct error *err)
{
	json_t *keys;
	json_t *key;
	size_t i;
	int rc = 0;

	remote_target(r, "secret", "paths", path, "keys", (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) != 0 || (keys = array_of(&r->answer, err)) == NULL)
		return -1;
	json_array_foreach(keys, i, key) {
		if (rc == 0 && json_is_string(key))
			rc = visit_key(r, path, json_string_value(key), visit, cookie, denied,
			    err);
	}
	json_decref(keys);
	return rc;
}

int
secrets_of_registry(struct remote *r, secret_visit *visit, void *cookie, size_t *denied,
    struct error *err)
{
	json_t *paths;
	json_t *path;
	size_t i;
	int rc = 0;

	*denied = 0;
	remote_target(r, "secret", "paths", (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) != 0 || (paths = array_of(&r->answer, err)) == NULL)
		return -1;
	json_array_foreach(paths, i, path) {
		if (rc == 0 && json_is_string(path))
			rc = visit_path(r, json_string_value(path), visit, cookie, denied, err);
	}
	json_decref(paths);
	return rc;
}

int
secrets_of_file(const char *file, secret_visit *visit, void *cookie, struct error *err)
{
	struct buf text;
	const char *line, *end;
	json_t *item;
	size_t number = 0;
	size_t n;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = file_read_stream(file, &text, err);
	line = (const char *)text.data;
	end = line + text.len;
	for (; rc == 0 && line < end; line += n + 1) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		n = stop != NULL ? (size_t)(stop - line) : (size_t)(end - line);
		number++;
		if (n == 0)
			continue;
		item = json_loadb(line, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
		if (item == NULL)
			rc = error_set(err, ERROR_FORMAT, "this line is no JSON object");
		else
			rc = visit_json(item, visit, cookie, err);
		if (rc != 0)
			error_place(err, file, number);
		json_decref(item);
	}
	buf_release(&text);
	return rc;
}
