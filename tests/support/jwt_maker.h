#ifndef SUPPORT_JWT_MAKER_H
#define SUPPORT_JWT_MAKER_H

/* Makes keys, a JWKS file and tokens, good and bad.  Static, as unit.h. */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/buf.h"
#include "crypto/base64.h"
#include "unit.h"

#define MAKER_MAX 65536

UNIT_HELPER EVP_PKEY *
maker_rsa(int bits)
{
	EVP_PKEY *key = EVP_RSA_gen((unsigned int)bits);

	assert_non_null(key);
	return key;
}

UNIT_HELPER EVP_PKEY *
maker_ec(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	assert_non_null(key);
	return key;
}

UNIT_HELPER void
maker_number(struct buf *out, EVP_PKEY *key, const char *which, int size)
{
	unsigned char bytes[1024];
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, which, &n), 1);
	len = size > 0 ? BN_bn2binpad(n, bytes, size) : BN_bn2bin(n, bytes);
	assert_true(len > 0);
	base64url_encode(out, bytes, (size_t)len);
	BN_free(n);
}

/* A JWK; ${more} are further members with a comma in front. */
UNIT_HELPER void
maker_jwk(struct buf *out, EVP_PKEY *key, const char *kid, const char *more)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA");

	buf_append_str(out, rsa ? "{\"kty\":\"RSA\",\"n\":\"" :
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	maker_number(out, key, rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X,
	    rsa ? 0 : 32);
	buf_append_str(out, rsa ? "\",\"e\":\"" : "\",\"y\":\"");
	maker_number(out, key, rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y,
	    rsa ? 0 : 32);
	buf_append_str(out, "\"");
	if (kid != NULL)
		buf_printf(out, ",\"kid\":\"%s\"", kid);
	buf_append_str(out, more);
	buf_append_str(out, "}");
}

/* ES256: r and s, not OpenSSL's DER. */
UNIT_HELPER size_t
maker_raw_signature(unsigned char *sig, size_t n)
{
	const unsigned char *p = sig;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
	unsigned char raw[64];

	assert_non_null(s);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32), 32);
	memcpy(sig, raw, sizeof(raw));
	ECDSA_SIG_free(s);
	return sizeof(raw);
}

/* A token of this header and payload; ${key} NULL: with an empty signature. */
UNIT_HELPER const char *
maker_token(EVP_PKEY *key, const char *header, const char *payload)
{
	static char text[MAKER_MAX];
	unsigned char sig[2048];
	size_t n = sizeof(sig);
	EVP_MD_CTX *ctx;
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	base64url_encode(&b, header, strlen(header));
	buf_append_char(&b, '.');
	base64url_encode(&b, payload, strlen(payload));
	if (key != NULL) {
		ctx = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
		assert_int_equal(EVP_DigestSign(ctx, sig, &n, b.data, b.len), 1);
		EVP_MD_CTX_free(ctx);
		if (!EVP_PKEY_is_a(key, "RSA"))
			n = maker_raw_signature(sig, n);
	} else
		n = 0;
	buf_append_char(&b, '.');
	base64url_encode(&b, sig, n);
	assert_false(b.failed);
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_release(&b);
	return text;
}

/* The same with HMAC-SHA-256 under ${secret}. */
UNIT_HELPER const char *
maker_hs256(const void *secret, size_t secret_len, const char *header, const char *payload)
{
	static char text[MAKER_MAX];
	unsigned char sum[32];
	unsigned n = sizeof(sum);
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	base64url_encode(&b, header, strlen(header));
	buf_append_char(&b, '.');
	base64url_encode(&b, payload, strlen(payload));
	assert_non_null(HMAC(EVP_sha256(), secret, (int)secret_len, b.data, b.len, sum, &n));
	buf_append_char(&b, '.');
	base64url_encode(&b, sum, n);
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_release(&b);
	return text;
}

#endif /* !SUPPORT_JWT_MAKER_H */
