#include "crypto/hkdf.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/secmem.h"

#define HASH 32

struct hkdf {
	EVP_MAC_CTX *ctx;
};

/* A context for HMAC-SHA-256 that knows its digest; keys come with each use. */
static EVP_MAC_CTX *
new_context(void)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct hkdf *
hkdf_new(struct error *err)
{
	struct hkdf *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		error_memory(err);
		return NULL;
	}
	h->ctx = new_context();
	if (h->ctx == NULL) {
		ERR_clear_error();
		error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
		free(h);
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

/* PRK = HMAC(salt, secret) (RFC 5869 section 2.2); no salt is 32 zero bytes. */
static int
extract(EVP_MAC_CTX *ctx, const struct hkdf_input *in, unsigned char prk[HASH])
{
	static const unsigned char zeros[HASH];
	const unsigned char *salt = in->salt_len > 0 ? in->salt : zeros;
	size_t n = in->salt_len > 0 ? in->salt_len : sizeof(zeros);

	if (EVP_MAC_init(ctx, salt, n, NULL) != 1 ||
	    (in->secret_len > 0 && EVP_MAC_update(ctx, in->secret, in->secret_len) != 1) ||
	    EVP_MAC_final(ctx, prk, &n, HASH) != 1)
		return -1;
	return 0;
}

/* T(i) = HMAC(PRK, T(i-1) | info | i) (section 2.3). */
static int
expand(EVP_MAC_CTX *ctx, const unsigned char prk[HASH], const struct hkdf_input *in,
    unsigned char *out, size_t out_len)
{
	unsigned char block[HASH];
	unsigned char i = 0;
	size_t n = 0;
	int result = -1;

	while (out_len > 0) {
		i++;
		/* Without a key the context starts again under the one it has. */
		if (EVP_MAC_init(ctx, i == 1 ? prk : NULL, i == 1 ? HASH : 0, NULL) != 1 ||
		    (i > 1 && EVP_MAC_update(ctx, block, HASH) != 1) ||
		    (in->info_len > 0 && EVP_MAC_update(ctx, in->info, in->info_len) != 1) ||
		    EVP_MAC_update(ctx, &i, 1) != 1 || EVP_MAC_final(ctx, block, &n, HASH) != 1)
			goto out;
		n = out_len < HASH ? out_len : HASH;
		memcpy(out, block, n);
		out += n;
		out_len -= n;
	}
	result = 0;
out:
	secmem_wipe(block, sizeof(block));
	return result;
}

int
hkdf_derive(struct hkdf *h, const struct hkdf_input *in, void *out, size_t out_len,
    struct error *err)
{
	unsigned char prk[HASH];
	int result;

	if (out_len < 1 || out_len > HKDF_OUT_MAX)
		return error_set(err, ERROR_LIMIT, "HKDF gives 1 to %d bytes, not %zu",
		    HKDF_OUT_MAX, out_len);
	result = extract(h->ctx, in, prk);
	if (result == 0)
		result = expand(h->ctx, prk, in, out, out_len);
	secmem_wipe(prk, sizeof(prk));
	if (result == 0)
		return 0;
	ERR_clear_error();
	secmem_wipe(out, out_len);
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
}
