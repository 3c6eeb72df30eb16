#include "registry/auth/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "base/equal.h"
#include "registry/base/data_file.h"

#define HASH_TEXT 43	/* characters */

struct tokens {
	struct token *items;
	size_t count;
	struct map *by_id;
};

static int
bad(const char *id, const char *what, struct error *err)
{
	error_set(err, ERROR_FORMAT, "%s", what);
	return error_key(err, id, strlen(id));
}

static bool
is_id(const char *id, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '2' && id[i] <= '7')))
			return false;
	}
	return n == TOKENS_ID;
}

/* Decode exactly 32 bytes. */
static bool
decode(const char *text, size_t n, unsigned char out[32])
{
	struct buf b;
	bool good;

	buf_init(&b, 64);
	good = base64url_decode(&b, text, n) == 0 && b.len == 32;
	if (good)
		memcpy(out, b.data, 32);
	buf_release(&b);
	return good;
}

int
tokens_from_json(const char *id, const json_t *o, struct token *out, struct error *err)
{
	const json_t *hash = json_object_get(o, "hash");
	const json_t *expires = json_object_get(o, "expires");
	const char *principal = json_string_value(json_object_get(o, "principal"));

	*out = (struct token){ .expires = INT64_MAX };
	if (!is_id(id, strlen(id)))
		return bad(id, "not the id of a token", err);
	memcpy(out->id, id, TOKENS_ID + 1);
	if (principal == NULL || !principal_normalise(principal, strlen(principal),
	    out->principal))
		return bad(id, "this token has no principal", err);
	if (!json_is_string(hash) || json_string_length(hash) != HASH_TEXT ||
	    !decode(json_string_value(hash), HASH_TEXT, out->hash))
		return bad(id, "this token has no hash", err);
	if (expires != NULL && (!json_is_string(expires) ||
	    !data_file_parse_date(json_string_value(expires), &out->expires)))
		return bad(id, "this token's end is not a date such as "
		    "2026-01-31T00:00:00Z", err);
	return 0;
}

int
tokens_table(const json_t *root, json_t **table, struct error *err)
{
	*table = json_object_get(root, "tokens");
	if (root == NULL || json_is_object(*table))
		return 0;
	return error_set(err, ERROR_FORMAT, "there is no table \"tokens\"");
}

static int
take(struct tokens *t, json_t *table, struct error *err)
{
	const char *id;
	json_t *o;

	if (json_object_size(table) > TOKENS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d tokens", TOKENS_MAX);
	t->items = calloc(json_object_size(table) + 1, sizeof(*t->items));
	t->by_id = map_new();
	if (t->items == NULL || t->by_id == NULL)
		return error_memory(err);
	json_object_foreach(table, id, o) {
		struct token *one = &t->items[t->count];

		if (tokens_from_json(id, o, one, err) != 0)
			return -1;
		if (map_put(t->by_id, one->id, TOKENS_ID, t->count) != 0)
			return error_memory(err);
		t->count++;
	}
	return 0;
}

struct tokens *
tokens_read(const char *path, struct file_id *id, struct error *err)
{
	struct tokens *t = NULL;
	json_t *root, *table;

	if (data_file_read(path, DATA_FILE_MAX, &root, id, err) != 0)
		return NULL;
	if (root != NULL && data_file_check_format(root, path, err) != 0)
		goto out;
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		error_memory(err);
		goto out;
	}
	if (tokens_table(root, &table, err) != 0 || take(t, table, err) != 0) {
		error_place(err, path, 0);
		tokens_free(t);
		t = NULL;
	}
out:
	json_decref(root);
	return t;
}

void
tokens_free(struct tokens *t)
{
	if (t == NULL)
		return;
	map_free(t->by_id);
	free(t->items);
	free(t);
}

bool
tokens_is_one(const char *text, size_t n)
{
	return n > 3 && memcmp(text, TOKENS_PREFIX, 3) == 0;
}

const struct token *
tokens_check(const struct tokens *t, const struct digest *d, const char *text, size_t n,
    int64_t now)
{
	unsigned char hash[TOKENS_HASH];
	const struct token *one;
	size_t i;
	bool good;

	if (n != TOKENS_TEXT || !tokens_is_one(text, n) || text[3 + TOKENS_ID] != '_')
		return NULL;
	/* Its id is no secret: it is in lists. */
	if (!map_get(t->by_id, text + 3, TOKENS_ID, &i))
		return NULL;
	one = &t->items[i];
	good = digest_sha256(d, text + n - TOKENS_SECRET_TEXT, TOKENS_SECRET_TEXT, hash) == 0 &&
	    secret_equal(hash, sizeof(hash), one->hash, sizeof(one->hash));
	return good && now < one->expires ? one : NULL;
}
