#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "crypto/memory.h"

#define EXPONENT_MAX 8		/* bytes */
#define DER_MAX 80		/* of r and s as a SEQUENCE: at most 72 bytes */

struct verify_key {
	enum signature_kind kind;
	size_t signature;	/* length of a signature in bytes */
	EVP_PKEY *pkey;
};

/* --- SHA-256 --- */

struct digest {
	EVP_MD *sha256;
};

struct digest *
digest_new(struct error *err)
{
	struct digest *d = error_alloc(sizeof(*d), err);

	if (d == NULL)
		return NULL;
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (d->sha256 == NULL) {
		ERR_clear_error();
		error_set(err, ERROR_CRYPTO, "OpenSSL has no SHA-256");
		free(d);
		return NULL;
	}
	return d;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_free(d->sha256);
	free(d);
}

int
digest_sha256(const struct digest *d, const void *bytes, size_t n,
    unsigned char out[DIGEST_SHA256])
{
	if (EVP_Digest(n > 0 ? bytes : "", n, out, NULL, d->sha256, NULL) == 1)
		return 0;
	ERR_clear_error();
	memset(out, 0, DIGEST_SHA256);
	return -1;
}

/* --- HMAC-SHA-256 on a context that is kept, and copied at each begin and end --- */

static int
hmac_failed(struct error *err)
{
	ERR_clear_error();
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
}

/* A context without a key; NULL: OpenSSL has none. */
static EVP_MAC_CTX *
hmac_new(void)
{
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx;

	openssl_memory_enter();
	ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	openssl_memory_leave();
	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* Begin a sum under a key, or (NULL) under the one before. */
static bool
hmac_begin(EVP_MAC_CTX *ctx, const void *key, size_t n)
{
	bool good;

	openssl_memory_enter();
	good = EVP_MAC_init(ctx, key, n, NULL) == 1;
	openssl_memory_leave();
	return good;
}

static bool
hmac_add(EVP_MAC_CTX *ctx, const void *bytes, size_t n)
{
	return n == 0 || EVP_MAC_update(ctx, bytes, n) == 1;
}

static bool
hmac_end(EVP_MAC_CTX *ctx, unsigned char out[MAC_BYTES])
{
	bool good;
	size_t n;

	openssl_memory_enter();
	good = EVP_MAC_final(ctx, out, &n, MAC_BYTES) == 1;
	openssl_memory_leave();
	return good;
}

struct mac {
	EVP_MAC_CTX *ctx;
};

struct mac *
mac_new(const struct key *k, const char *purpose, struct error *err)
{
	unsigned char derived[MAC_BYTES];
	struct mac *m = error_alloc(sizeof(*m), err);
	bool good;

	if (m == NULL)
		return NULL;
	good = (m->ctx = hmac_new()) != NULL &&
	    hmac_begin(m->ctx, key_bytes(k), key_length(k)) &&
	    hmac_add(m->ctx, purpose, strlen(purpose)) && hmac_end(m->ctx, derived) &&
	    hmac_begin(m->ctx, derived, sizeof(derived));
	secmem_wipe(derived, sizeof(derived));
	if (!good) {
		mac_free(m);
		hmac_failed(err);
		return NULL;
	}
	return m;
}

void
mac_free(struct mac *m)
{
	if (m == NULL)
		return;
	EVP_MAC_CTX_free(m->ctx);
	free(m);
}

int
mac_sum(struct mac *m, const void *name, size_t nlen, const void *data, size_t dlen,
    unsigned char out[MAC_BYTES], struct error *err)
{
	unsigned char head[8];

	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (unsigned char)((uint64_t)nlen >> 8 * i);
	if (!hmac_begin(m->ctx, NULL, 0) || !hmac_add(m->ctx, head, sizeof(head)) ||
	    !hmac_add(m->ctx, name, nlen) || !hmac_add(m->ctx, data, dlen) ||
	    !hmac_end(m->ctx, out))
		return hmac_failed(err);
	return 0;
}

int
mac_fingerprint(const struct key *k, char out[MAC_FINGERPRINT], struct error *err)
{
	static const char label[] = "propseal key id";
	unsigned char sum[MAC_BYTES];
	EVP_MAC_CTX *ctx = hmac_new();
	bool good = ctx != NULL && hmac_begin(ctx, key_bytes(k), key_length(k)) &&
	    hmac_add(ctx, label, sizeof(label) - 1) && hmac_end(ctx, sum);

	EVP_MAC_CTX_free(ctx);
	if (!good)
		return hmac_failed(err);
	hex_text(sum, MAC_FINGERPRINT / 2, out);
	out[MAC_FINGERPRINT - 1] = '\0';
	secmem_wipe(sum, sizeof(sum));
	return 0;
}

/* --- HKDF (RFC 5869) --- */

struct hkdf {
	EVP_MAC_CTX *ctx;
};

struct hkdf *
hkdf_new(struct error *err)
{
	struct hkdf *h = error_alloc(sizeof(*h), err);

	if (h == NULL)
		return NULL;
	if ((h->ctx = hmac_new()) == NULL) {
		hmac_failed(err);
		hkdf_free(h);
		return NULL;
	}
	return h;
}

void
hkdf_free(struct hkdf *h)
{
	if (h == NULL)
		return;
	EVP_MAC_CTX_free(h->ctx);
	free(h);
}

/* What stands for no salt (section 2.2). */
static const unsigned char hkdf_no_salt[MAC_BYTES];

/* PRK = HMAC(salt, secret) (section 2.2). */
static bool
hkdf_extract(EVP_MAC_CTX *ctx, const struct hkdf_input *in, unsigned char prk[MAC_BYTES])
{
	bool salted = in->salt_len > 0;

	return hmac_begin(ctx, salted ? in->salt : hkdf_no_salt,
	    salted ? in->salt_len : sizeof(hkdf_no_salt)) &&
	    hmac_add(ctx, in->secret, in->secret_len) && hmac_end(ctx, prk);
}

/* T(i) = HMAC(PRK, T(i-1) | info | i) (section 2.3). */
static bool
hkdf_expand(EVP_MAC_CTX *ctx, const unsigned char prk[MAC_BYTES], const struct hkdf_input *in,
    unsigned char *out, size_t out_len)
{
	unsigned char block[MAC_BYTES];
	bool good = true;

	for (unsigned char i = 1; good && out_len > 0; i++) {
		size_t n = out_len < MAC_BYTES ? out_len : MAC_BYTES;

		good = hmac_begin(ctx, i == 1 ? prk : NULL, i == 1 ? MAC_BYTES : 0) &&
		    hmac_add(ctx, block, i > 1 ? MAC_BYTES : 0) &&
		    hmac_add(ctx, in->info, in->info_len) && hmac_add(ctx, &i, 1) &&
		    hmac_end(ctx, block);
		if (!good)
			break;
		memcpy(out, block, n);
		out += n;
		out_len -= n;
	}
	secmem_wipe(block, sizeof(block));
	return good;
}

int
hkdf_derive(struct hkdf *h, const struct hkdf_input *in, void *out, size_t out_len,
    struct error *err)
{
	unsigned char prk[MAC_BYTES];
	bool good;

	if (out_len < 1 || out_len > HKDF_OUT_MAX)
		return error_set(err, ERROR_LIMIT, "HKDF gives 1 to %d bytes, not %zu",
		    HKDF_OUT_MAX, out_len);
	good = hkdf_extract(h->ctx, in, prk) && hkdf_expand(h->ctx, prk, in, out, out_len);
	secmem_wipe(prk, sizeof(prk));
	/* The context still holds the PRK and the last block, both keys. */
	good = hmac_begin(h->ctx, hkdf_no_salt, sizeof(hkdf_no_salt)) && good;
	if (good)
		return 0;
	secmem_wipe(out, out_len);
	return hmac_failed(err);
}

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
