#include "registry/auth/jwks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "crypto/base64url.h"
#include "registry/base/data_file.h"

#define NUMBER_MAX (SIGNATURE_RSA_MAX / 8 + 16)	/* bytes of a key's number */
#define KID_MAX 1024

struct jwk {
	char *kid;		/* NULL: none */
	struct verify_key *key;
};

struct jwks {
	struct jwk *items;
	size_t count;
};

static int
bad(size_t i, const char *what, struct error *err)
{
	return error_set(err, ERROR_FORMAT, "key %zu: %s", i + 1, what);
}

static bool
is_text(const json_t *o, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(o, name));

	return value != NULL && strcmp(value, text) == 0;
}

static bool
read_number(const json_t *o, const char *name, struct buf *out)
{
	const json_t *text = json_object_get(o, name);

	buf_init(out, NUMBER_MAX);
	return json_is_string(text) && base64url_decode(out, json_string_value(text),
	    json_string_length(text)) == 0;
}

static struct verify_key *
read_rsa(const json_t *o, size_t i, struct error *err)
{
	struct verify_key *key = NULL;
	struct buf n, e;
	bool good = read_number(o, "n", &n);

	if (!read_number(o, "e", &e) || !good)
		bad(i, "no whole \"n\" and \"e\"", err);
	else if ((key = verify_key_rsa(n.data, n.len, e.data, e.len, NULL)) == NULL)
		bad(i, "an RSA key that is too short or malformed", err);
	buf_release(&n);
	buf_release(&e);
	return key;
}

static struct verify_key *
read_p256(const json_t *o, size_t i, struct error *err)
{
	struct verify_key *key = NULL;
	struct buf x, y;
	bool good = read_number(o, "x", &x);

	if (!read_number(o, "y", &y) || !good || x.len != SIGNATURE_P256 ||
	    y.len != SIGNATURE_P256)
		bad(i, "no whole \"x\" and \"y\"", err);
	else if ((key = verify_key_p256(x.data, y.data, NULL)) == NULL)
		bad(i, "a point that is not on P-256", err);
	buf_release(&x);
	buf_release(&y);
	return key;
}

/* RFC 7517 4.2, 4.3: what the key is for, as far as it says. */
static bool
is_for_signatures(const json_t *o)
{
	const json_t *ops = json_object_get(o, "key_ops");
	const json_t *op;
	size_t i;

	if (json_object_get(o, "use") != NULL && !is_text(o, "use", "sig"))
		return false;
	if (ops == NULL)
		return true;
	json_array_foreach(ops, i, op) {
		if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
			return true;
	}
	return false;
}

/* 1: taken, 0: passed over, -1. */
static int
read_key(const json_t *o, size_t i, struct jwk *out, struct error *err)
{
	const json_t *kid = json_object_get(o, "kid");
	const json_t *alg = json_object_get(o, "alg");
	bool rsa = is_text(o, "kty", "RSA");
	bool p256 = is_text(o, "kty", "EC") && is_text(o, "crv", "P-256");

	if (!json_is_object(o) || !json_is_string(json_object_get(o, "kty")))
		return bad(i, "not a JWK", err);
	if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > KID_MAX))
		return bad(i, "\"kid\" is not a text, or too long", err);
	if ((!rsa && !p256) || !is_for_signatures(o) ||
	    (alg != NULL && !is_text(o, "alg", rsa ? "RS256" : "ES256")))
		return 0;
	out->key = rsa ? read_rsa(o, i, err) : read_p256(o, i, err);
	if (out->key == NULL)
		return -1;
	if (kid != NULL && (out->kid = strdup(json_string_value(kid))) == NULL) {
		verify_key_free(out->key);
		return error_memory(err);
	}
	return 1;
}

static bool
has_kid(const struct jwks *k, const char *kid)
{
	for (size_t i = 0; kid != NULL && i < k->count; i++)
		if (k->items[i].kid != NULL && strcmp(k->items[i].kid, kid) == 0)
			return true;
	return false;
}

static int
take(struct jwks *k, const json_t *list, struct error *err)
{
	struct jwk one;
	const json_t *o;
	size_t i;
	int rc;

	if (!json_is_array(list))
		return error_set(err, ERROR_FORMAT, "there is no list \"keys\"");
	if (json_array_size(list) > JWKS_KEYS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d keys", JWKS_KEYS_MAX);
	k->items = calloc(json_array_size(list) + 1, sizeof(*k->items));
	if (k->items == NULL)
		return error_memory(err);
	json_array_foreach(list, i, o) {
		one = (struct jwk){ 0 };
		if ((rc = read_key(o, i, &one, err)) < 0)
			return -1;
		if (rc == 0)
			continue;
		if (has_kid(k, one.kid)) {
			free(one.kid);
			verify_key_free(one.key);
			return bad(i, "another key has the same \"kid\"", err);
		}
		k->items[k->count++] = one;
	}
	if (k->count == 0)
		return error_set(err, ERROR_FORMAT, "no key for RS256 or ES256");
	return 0;
}

struct jwks *
jwks_from_json(const json_t *root, struct error *err)
{
	struct jwks *k = calloc(1, sizeof(*k));

	if (k == NULL)
		error_memory(err);
	else if (take(k, json_object_get(root, "keys"), err) != 0) {
		jwks_free(k);
		k = NULL;
	}
	return k;
}

struct jwks *
jwks_read(const char *path, struct file_id *id, struct error *err)
{
	struct jwks *k = NULL;
	json_t *root;

	if (data_file_read(path, JWKS_FILE_MAX, &root, id, err) != 0)
		return NULL;
	if (root == NULL) {
		error_set(err, ERROR_MISSING, "there is no such JWKS file");
		error_place(err, path, 0);
		return NULL;
	}
	if ((k = jwks_from_json(root, err)) == NULL)
		error_place(err, path, 0);
	json_decref(root);
	return k;
}

void
jwks_free(struct jwks *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->count; i++) {
		verify_key_free(k->items[i].key);
		free(k->items[i].kid);
	}
	free(k->items);
	free(k);
}

const struct verify_key *
jwks_find(const struct jwks *k, const char *kid, enum signature_kind kind)
{
	const struct verify_key *found = NULL;

	for (size_t i = 0; i < k->count; i++) {
		const struct jwk *one = &k->items[i];

		if (kid != NULL && (one->kid == NULL || strcmp(one->kid, kid) != 0))
			continue;
		if (verify_key_kind(one->key) != kind)
			continue;
		if (found != NULL)
			return NULL;
		found = one->key;
	}
	return found;
}
