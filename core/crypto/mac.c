#include "crypto/mac.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/memory.h"

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
