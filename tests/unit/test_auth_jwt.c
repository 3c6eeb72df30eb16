#include "files.h"
#include "jwt_maker.h"

#include <jansson.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "registry/auth/auth_internal.h"

#define NOW 1800000000
#define RS256 "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}"
#define ES256 "{\"alg\":\"ES256\",\"kid\":\"e\"}"

static EVP_PKEY *rsa, *ec, *other_rsa, *other_ec;
static struct jwks *keys;
static const struct jwt_rules rules = { "https://idp.example", "registry", "sub" };

static struct jwks *
parse(const char *text, struct error *err)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct jwks *k;

	assert_non_null(root);
	k = jwks_from_json(root, err);
	json_decref(root);
	return k;
}

static int
make_keys(void **state)
{
	struct error err;
	struct buf b;

	(void)state;
	rsa = maker_rsa(2048);
	other_rsa = maker_rsa(2048);
	ec = maker_ec("P-256");
	other_ec = maker_ec("P-256");
	buf_init(&b, MAKER_MAX);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, rsa, "r", ",\"alg\":\"RS256\",\"use\":\"sig\"");
	buf_append_str(&b, ",");
	maker_jwk(&b, ec, "e", ",\"key_ops\":[\"verify\"]");
	buf_append_str(&b, ",");
	maker_jwk(&b, other_ec, "enc", ",\"use\":\"enc\"");
	buf_append_str(&b, ",{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"}"
	    ",{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\",\"x\":\"AAAA\"}]}");
	keys = parse(buf_cstr(&b), &err);
	buf_release(&b);
	return keys != NULL ? 0 : -1;
}

static int
free_keys(void **state)
{
	(void)state;
	jwks_free(keys);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(other_ec);
	return 0;
}

/* Who it is, or NULL. */
static const char *
check(const char *token)
{
	static char principal[PRINCIPAL_MAX];
	int64_t expires;

	return jwt_check(token, strlen(token), keys, &rules, NOW, principal, &expires) ?
	    principal : NULL;
}

/* Claims in which one member is replaced (a NULL value: left out). */
static const char *
claims(const char *name, const char *value)
{
	static const char *const members[][2] = {
		{ "iss", "\"https://idp.example\"" }, { "aud", "\"registry\"" },
		{ "sub", "\"alice\"" }, { "exp", "1800000100" },
	};
	static char text[8192];
	const char *comma = "";
	bool done = name == NULL;
	size_t n = 0;

	n += (size_t)snprintf(text, sizeof(text), "{");
	for (size_t i = 0; i < 4; i++) {
		const char *v = members[i][1];

		if (name != NULL && strcmp(members[i][0], name) == 0) {
			v = value;
			done = true;
		}
		if (v == NULL)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\":%s", comma,
		    members[i][0], v);
		comma = ",";
	}
	if (!done)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"%s\":%s", name, value);
	snprintf(text + n, sizeof(text) - n, "}");
	return text;
}

static void
test_tokens_of_both_kinds_are_taken(void **state)
{
	char principal[PRINCIPAL_MAX];
	int64_t expires = 0;
	const char *t;

	(void)state;
	assert_string_equal(check(maker_token(rsa, RS256, claims(NULL, NULL))), "alice");
	assert_string_equal(check(maker_token(ec, ES256, claims(NULL, NULL))), "alice");
	t = maker_token(ec, ES256, claims(NULL, NULL));
	assert_true(jwt_check(t, strlen(t), keys, &rules, NOW, principal, &expires));
	assert_int_equal(expires, 1800000100);
}

static void
test_a_token_without_a_kid_is_of_the_only_key_of_its_kind(void **state)
{
	struct error err;
	struct jwks *two, *old = keys;
	struct buf b;

	(void)state;
	assert_non_null(check(maker_token(ec, "{\"alg\":\"ES256\"}", claims(NULL, NULL))));
	assert_null(check(maker_token(other_ec, "{\"alg\":\"ES256\"}", claims(NULL, NULL))));
	buf_init(&b, MAKER_MAX);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, ec, "a", "");
	buf_append_str(&b, ",");
	maker_jwk(&b, other_ec, "b", "");
	buf_append_str(&b, "]}");
	two = parse(buf_cstr(&b), &err);
	buf_release(&b);
	assert_non_null(two);
	keys = two;
	assert_null(check(maker_token(ec, "{\"alg\":\"ES256\"}", claims(NULL, NULL))));
	assert_non_null(check(maker_token(ec, "{\"alg\":\"ES256\",\"kid\":\"a\"}",
	    claims(NULL, NULL))));
	assert_null(check(maker_token(ec, "{\"alg\":\"ES256\",\"kid\":\"b\"}",
	    claims(NULL, NULL))));
	keys = old;
	jwks_free(two);
}

static void
test_other_algorithms_are_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"kid\":\"r\"}", "{\"alg\":\"None\"}", "{\"alg\":\"\"}",
		"{\"kid\":\"r\"}", "{\"alg\":7}", "{\"alg\":[\"RS256\"]}", "{\"alg\":null}",
		"{\"alg\":\"rs256\",\"kid\":\"r\"}", "{\"alg\":\"RS384\",\"kid\":\"r\"}",
		"{\"alg\":\"PS256\",\"kid\":\"r\"}", "{\"alg\":\"ES256\",\"kid\":\"r\"}",
		"{\"alg\":\"EdDSA\",\"kid\":\"d\"}", "{\"alg\":\"RS256\",\"kid\":\"e\"}",
		"{\"alg\":\"RS256\",\"kid\":\"nobody\"}", "{\"alg\":\"RS256\",\"kid\":7}",
		"{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"x\"]}",
		"{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"r\"}", "[]", "7", "{", "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_null(check(maker_token(rsa, headers[i], claims(NULL, NULL))));
		assert_null(check(maker_token(ec, headers[i], claims(NULL, NULL))));
		assert_null(check(maker_token(NULL, headers[i], claims(NULL, NULL))));
	}
}

static void
test_a_public_key_is_no_shared_secret(void **state)
{
	static const char *const kids[] = { "r", "e", "o" };
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(rsa, &der);
	char header[64];

	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kids[i]);
		assert_null(check(maker_hs256(der, (size_t)n, header, claims(NULL, NULL))));
		assert_null(check(maker_hs256("\0\0\0", 3, header, claims(NULL, NULL))));
	}
	OPENSSL_free(der);
}

static void
test_every_changed_byte_is_found(void **state)
{
	EVP_PKEY *const which[] = { rsa, ec };
	const char *const headers[] = { RS256, ES256 };
	char text[4096];
	size_t i, k, n;

	(void)state;
	for (k = 0; k < 2; k++) {
		snprintf(text, sizeof(text), "%s", maker_token(which[k], headers[k],
		    claims(NULL, NULL)));
		n = strlen(text);
		for (i = 0; i < n; i++) {
			char was = text[i];

			text[i] = was == 'A' ? 'B' : 'A';
			assert_null(check(text));
			text[i] = was;
		}
		for (i = 0; i < n; i++)
			assert_false(jwt_check(text, i, keys, &rules, NOW, (char[PRINCIPAL_MAX]){ 0 },
			    &(int64_t){ 0 }));
		assert_non_null(check(text));
	}
}

static void
test_keys_that_are_not_for_us_are_not_used(void **state)
{
	(void)state;
	assert_null(check(maker_token(other_rsa, RS256, claims(NULL, NULL))));
	assert_null(check(maker_token(other_ec, ES256, claims(NULL, NULL))));
	/* In the set, but for encryption. */
	assert_null(check(maker_token(other_ec, "{\"alg\":\"ES256\",\"kid\":\"enc\"}",
	    claims(NULL, NULL))));
}

static void
test_the_claims_must_fit(void **state)
{
	static const struct {
		const char *name, *value;
		bool good;
	} cases[] = {
		{ "iss", "\"https://other.example\"", false }, { "iss", NULL, false },
		{ "iss", "7", false }, { "iss", "[\"https://idp.example\"]", false },
		{ "aud", "\"Registry\"", false }, { "aud", NULL, false }, { "aud", "[]", false },
		{ "aud", "[\"x\",\"registry\"]", true }, { "aud", "[7,\"x\"]", false },
		{ "aud", "{\"registry\":1}", false }, { "aud", "[[\"registry\"]]", false },
		{ "exp", "1800000000", false }, { "exp", "1799999999", false },
		{ "exp", "1800000001", true }, { "exp", NULL, false },
		{ "exp", "\"1800000100\"", false }, { "exp", "1800000100.5", true },
		{ "exp", "-1", false }, { "exp", "0", false }, { "exp", "1e300", false },
		{ "exp", "true", false }, { "exp", "9223372036854775807", true },
		{ "exp", "9223372036854775808", false },
		{ "nbf", "1800000000", true }, { "nbf", "1800000060", true },
		{ "nbf", "1800000061", false }, { "nbf", "\"x\"", false },
		{ "iat", "1799999999", true }, { "iat", "1800000061", false },
		{ "sub", NULL, false }, { "sub", "\"\"", false }, { "sub", "7", false },
		{ "sub", "\"a\\nb\"", false }, { "sub", "\" a\"", false },
		{ "sub", "\"a\\u0000b\"", false }, { "sub", "\"svc:a\"", true },
		{ "admin", "true", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *who = check(maker_token(ec, ES256, claims(cases[i].name,
		    cases[i].value)));

		if ((who != NULL) != cases[i].good)
			fail_msg("%s = %s", cases[i].name,
			    cases[i].value != NULL ? cases[i].value : "(absent)");
	}
	assert_string_equal(check(maker_token(ec, ES256, claims("sub", "\"User:bob\""))), "bob");
}

static void
test_a_claim_that_stands_twice_is_refused(void **state)
{
	(void)state;
	assert_null(check(maker_token(ec, ES256, "{\"iss\":\"https://idp.example\","
	    "\"aud\":\"registry\",\"exp\":1800000100,\"sub\":\"alice\",\"sub\":\"root\"}")));
	assert_null(check(maker_token(ec, ES256, "[]")));
	assert_null(check(maker_token(ec, ES256, "alice")));
}

static void
test_the_principal_may_stand_in_another_claim(void **state)
{
	struct jwt_rules mine = rules;
	char principal[PRINCIPAL_MAX];
	int64_t expires;
	const char *t = maker_token(ec, ES256, claims("client_id", "\"worker-1\""));

	(void)state;
	mine.claim = "client_id";
	assert_true(jwt_check(t, strlen(t), keys, &mine, NOW, principal, &expires));
	assert_string_equal(principal, "worker-1");
	t = maker_token(ec, ES256, claims(NULL, NULL));
	assert_false(jwt_check(t, strlen(t), keys, &mine, NOW, principal, &expires));
}

static void
test_what_has_not_three_parts_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", ".a.b", "a..b",
	};
	char text[9000];
	const char *t;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(check(texts[i]));
	t = maker_token(ec, ES256, claims(NULL, NULL));
	snprintf(text, sizeof(text), "%s=", t);
	assert_null(check(text));
	snprintf(text, sizeof(text), "%s.", t);
	assert_null(check(text));
	snprintf(text, sizeof(text), "%s ", t);
	assert_null(check(text));
}

static void
test_a_huge_token_is_refused(void **state)
{
	char value[7000];

	(void)state;
	memset(value, 'x', sizeof(value));
	value[0] = value[5000] = '"';
	value[5001] = '\0';
	assert_non_null(check(maker_token(ec, ES256, claims("pad", value))));
	value[5000] = 'x';
	value[6500] = '"';
	value[6501] = '\0';
	assert_null(check(maker_token(ec, ES256, claims("pad", value))));
}

static void
test_key_sets_are_checked(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[7]}", "{\"keys\":[{}]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"====\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":7,\"x\":\"\",\"y\":\"\"}]}",
	};
	EVP_PKEY *weak = maker_rsa(1024);
	struct error err;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(parse(bad[i], &err));
		assert_int_equal(err.code, ERROR_FORMAT);
	}
	buf_init(&b, MAKER_MAX);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, ec, "a", "");
	buf_append_str(&b, ",");
	maker_jwk(&b, rsa, "a", "");
	buf_append_str(&b, "]}");
	assert_null(parse(buf_cstr(&b), &err));
	buf_clear(&b);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, weak, "w", "");
	buf_append_str(&b, "]}");
	assert_null(parse(buf_cstr(&b), &err));
	assert_non_null(strstr(err.text, "key 1"));
	buf_clear(&b);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, rsa, "w", ",\"alg\":\"ES256\"");
	buf_append_str(&b, "]}");
	assert_null(parse(buf_cstr(&b), &err));
	buf_release(&b);
	EVP_PKEY_free(weak);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_of_both_kinds_are_taken),
		cmocka_unit_test(test_a_token_without_a_kid_is_of_the_only_key_of_its_kind),
		cmocka_unit_test(test_other_algorithms_are_refused),
		cmocka_unit_test(test_a_public_key_is_no_shared_secret),
		cmocka_unit_test(test_every_changed_byte_is_found),
		cmocka_unit_test(test_keys_that_are_not_for_us_are_not_used),
		cmocka_unit_test(test_the_claims_must_fit),
		cmocka_unit_test(test_a_claim_that_stands_twice_is_refused),
		cmocka_unit_test(test_the_principal_may_stand_in_another_claim),
		cmocka_unit_test(test_what_has_not_three_parts_is_refused),
		cmocka_unit_test(test_a_huge_token_is_refused),
		cmocka_unit_test(test_key_sets_are_checked),
	};

	return cmocka_run_group_tests_name("jwt", tests, make_keys, free_keys);
}
