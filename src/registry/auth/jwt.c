#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "file/file.h"
#include "registry/auth/auth_internal.h"
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

/* The three parts, still encoded. */
struct parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
	size_t signed_len;	/* from header on */
};

static int
jwks_bad(size_t i, const char *what, struct error *err)
{
	return error_set(err, ERROR_FORMAT, "key %zu: %s", i + 1, what);
}

static bool
jwks_is_text(const json_t *o, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(o, name));

	return value != NULL && strcmp(value, text) == 0;
}

static bool
jwks_read_number(const json_t *o, const char *name, struct buf *out)
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
	bool good = jwks_read_number(o, "n", &n);

	if (!jwks_read_number(o, "e", &e) || !good)
		jwks_bad(i, "no whole \"n\" and \"e\"", err);
	else if ((key = verify_key_rsa(n.data, n.len, e.data, e.len, NULL)) == NULL)
		jwks_bad(i, "an RSA key that is too short or malformed", err);
	buf_release(&n);
	buf_release(&e);
	return key;
}

static struct verify_key *
read_p256(const json_t *o, size_t i, struct error *err)
{
	struct verify_key *key = NULL;
	struct buf x, y;
	bool good = jwks_read_number(o, "x", &x);

	if (!jwks_read_number(o, "y", &y) || !good || x.len != SIGNATURE_P256 ||
	    y.len != SIGNATURE_P256)
		jwks_bad(i, "no whole \"x\" and \"y\"", err);
	else if ((key = verify_key_p256(x.data, y.data, NULL)) == NULL)
		jwks_bad(i, "a point that is not on P-256", err);
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

	if (json_object_get(o, "use") != NULL && !jwks_is_text(o, "use", "sig"))
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
	bool rsa = jwks_is_text(o, "kty", "RSA");
	bool p256 = jwks_is_text(o, "kty", "EC") && jwks_is_text(o, "crv", "P-256");

	if (!json_is_object(o) || !json_is_string(json_object_get(o, "kty")))
		return jwks_bad(i, "not a JWK", err);
	if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > KID_MAX))
		return jwks_bad(i, "\"kid\" is not a text, or too long", err);
	if ((!rsa && !p256) || !is_for_signatures(o) ||
	    (alg != NULL && !jwks_is_text(o, "alg", rsa ? "RS256" : "ES256")))
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
jwks_take(struct jwks *k, const json_t *list, struct error *err)
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
			return jwks_bad(i, "another key has the same \"kid\"", err);
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
	else if (jwks_take(k, json_object_get(root, "keys"), err) != 0) {
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

/**
 * jwks_find(k, kid, kind):
 * The key of that id, if it is of that kind; with ${kid} NULL the only key of
 * that kind.  NULL: there is none, or more than one could be meant.
 */
static const struct verify_key *
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

static bool
jwt_split(const char *text, size_t n, struct parts *p)
{
	const char *first, *second;

	if (n > JWT_MAX || (first = memchr(text, '.', n)) == NULL)
		return false;
	second = memchr(first + 1, '.', n - (size_t)(first + 1 - text));
	if (second == NULL)
		return false;
	p->header = text;
	p->header_len = (size_t)(first - text);
	p->payload = first + 1;
	p->payload_len = (size_t)(second - p->payload);
	p->signature = second + 1;
	p->signature_len = n - (size_t)(p->signature - text);
	p->signed_len = (size_t)(second - text);
	/* Five parts are an encrypted token: its dots are no base64url. */
	return p->header_len > 0 && p->payload_len > 0 && p->signature_len > 0;
}

static json_t *
jwt_decode(const char *text, size_t n)
{
	json_t *o = NULL;
	struct buf b;

	buf_init(&b, JWT_MAX);
	if (base64url_decode(&b, text, n) == 0 && b.len > 0)
		o = json_loadb((const char *)b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	buf_release(&b);
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

/* Is it of no type, JWT or at+jwt (RFC 9068)?  What an issuer signs for other
 * purposes, such as dpop+jwt and logout+jwt, lets nobody in. */
static bool
jwt_is_access_token(const json_t *type)
{
	const char *text = json_string_value(type);

	if (type == NULL)
		return true;
	if (text != NULL && strncasecmp(text, "application/", 12) == 0)
		text += 12;
	return text != NULL && (strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0);
}

/* The key that the header names, if it names an algorithm that we take. */
static const struct verify_key *
jwt_find_key(const json_t *header, const struct jwks *keys)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const json_t *kid = json_object_get(header, "kid");
	enum signature_kind kind;

	if (alg == NULL)
		return NULL;
	if (strcmp(alg, "RS256") == 0)
		kind = SIGNATURE_RS256;
	else if (strcmp(alg, "ES256") == 0)
		kind = SIGNATURE_ES256;
	else
		return NULL;
	if (!jwt_is_access_token(json_object_get(header, "typ")))
		return NULL;
	/* What must be understood (RFC 7515 4.1.11) and is not. */
	if (json_object_get(header, "crit") != NULL || (kid != NULL && !json_is_string(kid)))
		return NULL;
	return jwks_find(keys, json_string_value(kid), kind);
}

static bool
is_signed(const struct parts *p, const struct jwks *keys)
{
	json_t *header = jwt_decode(p->header, p->header_len);
	const struct verify_key *key = header != NULL ? jwt_find_key(header, keys) : NULL;
	struct buf sig;
	bool good;

	json_decref(header);
	if (key == NULL)
		return false;
	buf_init(&sig, JWT_MAX);
	good = base64url_decode(&sig, p->signature, p->signature_len) == 0 &&
	    verify_key_check(key, p->header, p->signed_len, sig.data, sig.len);
	buf_release(&sig);
	return good;
}

/* NumericDate (RFC 7519, 2): seconds, with a fraction perhaps. */
static bool
read_date(const json_t *date, int64_t *seconds)
{
	double value;

	if (json_is_integer(date)) {
		*seconds = json_integer_value(date);
		return true;
	}
	if (!json_is_real(date))
		return false;
	value = json_real_value(date);
	if (!(value >= 0 && value < 1e15))
		return false;
	*seconds = (int64_t)value;
	return true;
}

/* Not before: absent, or a date that has come. */
static bool
has_come(const json_t *date, int64_t now)
{
	int64_t at;

	if (date == NULL)
		return true;
	return read_date(date, &at) && at <= now + JWT_LEEWAY_S;
}

static bool
is_audience(const json_t *aud, const char *want)
{
	const json_t *one;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), want) == 0;
	json_array_foreach(aud, i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), want) == 0)
			return true;
	}
	return false;
}

static bool
check_claims(const json_t *claims, const struct jwt_rules *rules, int64_t now,
    char principal[PRINCIPAL_MAX], int64_t *expires)
{
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const json_t *name = json_object_get(claims, rules->claim);

	if (issuer == NULL || strcmp(issuer, rules->issuer) != 0 ||
	    !is_audience(json_object_get(claims, "aud"), rules->audience))
		return false;
	if (!read_date(json_object_get(claims, "exp"), expires) || *expires <= now ||
	    !has_come(json_object_get(claims, "nbf"), now) ||
	    !has_come(json_object_get(claims, "iat"), now))
		return false;
	return json_is_string(name) &&
	    principal_normalise(json_string_value(name), json_string_length(name), principal);
}

bool
jwt_check(const char *text, size_t n, const struct jwks *keys, const struct jwt_rules *rules,
    int64_t now, char principal[PRINCIPAL_MAX], int64_t *expires)
{
	struct parts p;
	json_t *claims;
	bool good;

	if (!jwt_split(text, n, &p) || !is_signed(&p, keys))
		return false;
	claims = jwt_decode(p.payload, p.payload_len);
	good = claims != NULL && check_claims(claims, rules, now, principal, expires);
	json_decref(claims);
	return good;
}
