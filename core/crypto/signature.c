#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/error.h"
#include "crypto/signature.h"

#define EXPONENT_MAX 8		/* bytes */
#define DER_MAX 80		/* of r and s as a SEQUENCE: at most 72 bytes */

struct verify_key {
	enum signature_kind kind;
	size_t signature;	/* length of a signature in bytes */
	EVP_PKEY *pkey;
};

static struct verify_key *
signature_new_key(enum signature_kind kind, size_t signature, const char *type, OSSL_PARAM *params,
    struct error *err)
{
	struct verify_key *k = error_alloc(sizeof(*k), err);
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY_CTX *check = NULL;
	bool good;

	if (k == NULL)
		return NULL;
	k->kind = kind;
	k->signature = signature;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	good = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &k->pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
	/* Of RSA it would look for small factors only, and take long. */
	if (good && kind == SIGNATURE_ES256) {
		check = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
		good = check != NULL && EVP_PKEY_public_check(check) == 1;
	}
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	if (good)
		return k;
	ERR_clear_error();
	error_set(err, ERROR_KEY, "the numbers are not those of a public key of type %s", type);
	verify_key_free(k);
	return NULL;
}

/* ${bytes} without leading zeros. */
static const unsigned char *
signature_trim(const void *bytes, size_t *n)
{
	const unsigned char *p = bytes;

	for (; *n > 0 && *p == 0; p++)
		(*n)--;
	return p;
}

/* How many bits the number without leading zeros has. */
static size_t
bit_count(const unsigned char *p, size_t n)
{
	size_t bits = 8 * n;

	if (n > 0)
		for (unsigned int head = p[0]; head < 0x80; head <<= 1)
			bits--;
	return bits;
}

static OSSL_PARAM *
rsa_params(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	OSSL_PARAM_BLD_free(build);
	return params;
}

struct verify_key *
verify_key_rsa(const void *n, size_t nlen, const void *e, size_t elen, struct error *err)
{
	const unsigned char *np = signature_trim(n, &nlen);
	const unsigned char *ep = signature_trim(e, &elen);
	struct verify_key *k = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *modulus;
	BIGNUM *exponent;

	if (nlen > SIGNATURE_RSA_MAX / 8 || bit_count(np, nlen) < SIGNATURE_RSA_MIN ||
	    (np[nlen - 1] & 1) == 0) {
		error_set(err, ERROR_KEY, "an RSA key has an odd modulus of %d to %d bits",
		    SIGNATURE_RSA_MIN, SIGNATURE_RSA_MAX);
		return NULL;
	}
	if (elen == 0 || elen > EXPONENT_MAX || (ep[elen - 1] & 1) == 0 ||
	    (elen == 1 && ep[0] == 1)) {
		error_set(err, ERROR_KEY, "an RSA key's exponent is odd, from 3 to %d bits",
		    8 * EXPONENT_MAX);
		return NULL;
	}
	modulus = BN_bin2bn(np, (int)nlen, NULL);
	exponent = BN_bin2bn(ep, (int)elen, NULL);
	if (modulus != NULL && exponent != NULL)
		params = rsa_params(modulus, exponent);
	if (params != NULL)
		k = signature_new_key(SIGNATURE_RS256, nlen, "RSA", params, err);
	else
		error_memory(err);
	OSSL_PARAM_free(params);
	BN_free(exponent);
	BN_free(modulus);
	return k;
}

struct verify_key *
verify_key_p256(const unsigned char x[SIGNATURE_P256], const unsigned char y[SIGNATURE_P256],
    struct error *err)
{
	unsigned char point[1 + 2 * SIGNATURE_P256];
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	/* Uncompressed (SEC 1, section 2.3.3). */
	point[0] = 4;
	memcpy(point + 1, x, SIGNATURE_P256);
	memcpy(point + 1 + SIGNATURE_P256, y, SIGNATURE_P256);
	return signature_new_key(SIGNATURE_ES256, (size_t)2 * SIGNATURE_P256, "EC", params, err);
}

void
verify_key_free(struct verify_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

enum signature_kind
verify_key_kind(const struct verify_key *k)
{
	return k->kind;
}

/* OpenSSL wants r and s as DER (RFC 3279 section 2.2.3).  0: no memory. */
static size_t
to_der(const unsigned char *rs, unsigned char der[DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, SIGNATURE_P256, NULL);
	BIGNUM *s = BN_bin2bn(rs + SIGNATURE_P256, SIGNATURE_P256, NULL);
	unsigned char *p = der;
	int n = 0;

	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, NULL);
		n = n > 0 && n <= DER_MAX ? i2d_ECDSA_SIG(sig, &p) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

bool
verify_key_check(const struct verify_key *k, const void *msg, size_t n, const void *sig,
    size_t sig_len)
{
	unsigned char der[DER_MAX];
	EVP_PKEY_CTX *pctx = NULL;
	EVP_MD_CTX *ctx;
	bool good;

	if (sig_len != k->signature)
		return false;
	if (k->kind == SIGNATURE_ES256) {
		sig_len = to_der(sig, der);
		sig = der;
	}
	ctx = EVP_MD_CTX_new();
	good = ctx != NULL && sig_len > 0 &&
	    EVP_DigestVerifyInit_ex(ctx, &pctx, "SHA256", NULL, NULL, k->pkey, NULL) == 1 &&
	    (k->kind != SIGNATURE_RS256 ||
	    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) == 1) &&
	    EVP_DigestVerify(ctx, sig, sig_len, n > 0 ? msg : (const void *)"", n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		ERR_clear_error();
	return good;
}
