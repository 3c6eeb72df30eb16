#include "registry/auth/jwt.h"

#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "crypto/base64url.h"
#include "registry/auth/jwks.h"

/* The three parts, still encoded. */
struct parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
	size_t signed_len;	/* from header on */
};

static bool
split(const char *text, size_t n, struct parts *p)
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
decode(const char *text, size_t n)
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

/* The key that the header names, if it names an algorithm that we take. */
static const struct verify_key *
find_key(const json_t *header, const struct jwks *keys)
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
	/* What must be understood (RFC 7515 4.1.11) and is not. */
	if (json_object_get(header, "crit") != NULL || (kid != NULL && !json_is_string(kid)))
		return NULL;
	return jwks_find(keys, json_string_value(kid), kind);
}

static bool
is_signed(const struct parts *p, const struct jwks *keys)
{
	json_t *header = decode(p->header, p->header_len);
	const struct verify_key *key = header != NULL ? find_key(header, keys) : NULL;
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
jwt_check(const char *text, size_t n, const struct jwks *keys,
    const struct jwt_rules *rules, int64_t now, char principal[PRINCIPAL_MAX],
    int64_t *expires)
{
	struct parts p;
	json_t *claims;
	bool good;

	if (!split(text, n, &p) || !is_signed(&p, keys))
		return false;
	claims = decode(p.payload, p.payload_len);
	good = claims != NULL && check_claims(claims, rules, now, principal, expires);
	json_decref(claims);
	return good;
}
