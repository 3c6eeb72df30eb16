/*
 * JWTs and key sets.  The first byte says what comes from outside: the whole
 * token, the payload or the header of one that is signed here (without a right
 * signature nothing of a payload is looked at), or the key set.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "registry/auth/auth_internal.h"

#define NOW 1800000000
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\"}"
#define PAYLOAD "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1800000100,\"sub\":\"alice\"}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;
static struct jwks *keys;
static char principal[PRINCIPAL_MAX];
static const struct jwt_rules rules = { "i", "a", "sub" };

static void
need(int good)
{
	if (!good)
		abort();
}

static void
append_number(struct buf *out, const char *which)
{
	unsigned char bytes[32];
	BIGNUM *n = NULL;

	need(EVP_PKEY_get_bn_param(key, which, &n) == 1);
	need(BN_bn2binpad(n, bytes, sizeof(bytes)) == sizeof(bytes));
	base64url_encode(out, bytes, sizeof(bytes));
	BN_free(n);
}

static void
make_keys(void)
{
	struct buf b;
	json_t *root;

	need((key = EVP_EC_gen("P-256")) != NULL);
	buf_init(&b, 4096);
	buf_append_str(&b, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"");
	append_number(&b, OSSL_PKEY_PARAM_EC_PUB_X);
	buf_append_str(&b, "\",\"y\":\"");
	append_number(&b, OSSL_PKEY_PARAM_EC_PUB_Y);
	buf_append_str(&b, "\"}]}");
	need((root = json_loads(buf_cstr(&b), 0, NULL)) != NULL);
	need((keys = jwks_from_json(root, NULL)) != NULL);
	json_decref(root);
	buf_release(&b);
}

static void
sign(struct buf *token)
{
	unsigned char der[128], raw[64];
	size_t n = sizeof(der);
	const unsigned char *p = der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *s;

	need(ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	need(EVP_DigestSign(ctx, der, &n, token->data, token->len) == 1);
	need((s = d2i_ECDSA_SIG(NULL, &p, (long)n)) != NULL);
	need(BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32) == 32);
	need(BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32) == 32);
	buf_append_char(token, '.');
	base64url_encode(token, raw, sizeof(raw));
	ECDSA_SIG_free(s);
	EVP_MD_CTX_free(ctx);
}

static bool
check(const void *text, size_t n, const struct jwks *set)
{
	int64_t expires = 0;
	bool good = jwt_check(text, n, set, &rules, NOW, principal, &expires);

	/* What is taken has a name and is not over. */
	need(!good || (principal[0] != '\0' && expires > NOW));
	return good;
}

static bool
check_signed(const void *header, size_t hn, const void *payload, size_t pn)
{
	struct buf token;
	bool good;

	buf_init(&token, 1 << 20);
	base64url_encode(&token, header, hn);
	buf_append_char(&token, '.');
	base64url_encode(&token, payload, pn);
	sign(&token);
	need(!token.failed);
	good = check(token.data, token.len, keys);
	buf_release(&token);
	return good;
}

static void
check_key_set(const char *text, size_t n)
{
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	struct jwks *set = root != NULL ? jwks_from_json(root, NULL) : NULL;

	json_decref(root);
	if (set == NULL)
		return;
	check("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", 29, set);
	check("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA", 43, set);
	jwks_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (key == NULL) {
		make_keys();
		need(check_signed(HEADER, strlen(HEADER), PAYLOAD, strlen(PAYLOAD)));
	}
	if (size < 1 || size > 20000)
		return 0;
	switch (data[0] % 4) {
	case 0:
		/* Nobody can sign for us. */
		need(!check(text, size - 1, keys));
		break;
	case 1:
		check_signed(HEADER, strlen(HEADER), text, size - 1);
		break;
	case 2:
		check_signed(text, size - 1, PAYLOAD, strlen(PAYLOAD));
		break;
	default:
		check_key_set(text, size - 1);
		break;
	}
	return 0;
}
