#include "crypto/mac.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "crypto/key.h"

struct mac {
	EVP_MAC_CTX *ctx;
};

static int
set_error(struct error *err)
{
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
}

static EVP_MAC_CTX *
new_context(const unsigned char *key, size_t n)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_init(ctx, key, n, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct mac *
mac_new(const struct key *k, const char *purpose, struct error *err)
{
	unsigned char derived[MAC_BYTES];
	struct mac *m = calloc(1, sizeof(*m));
	unsigned int n = sizeof(derived);

	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	if (HMAC(EVP_sha256(), key_bytes(k), (int)key_length(k), (const unsigned char *)purpose,
	    strlen(purpose), derived, &n) != NULL)
		m->ctx = new_context(derived, sizeof(derived));
	OPENSSL_cleanse(derived, sizeof(derived));
	if (m->ctx == NULL) {
		free(m);
		set_error(err);
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
	size_t n = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (unsigned char)((uint64_t)nlen >> 8 * i);
	/* Without a key it starts again under the one that it has. */
	if (EVP_MAC_init(m->ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(m->ctx, head, sizeof(head)) != 1 ||
	    EVP_MAC_update(m->ctx, name, nlen) != 1 || EVP_MAC_update(m->ctx, data, dlen) != 1 ||
	    EVP_MAC_final(m->ctx, out, &n, MAC_BYTES) != 1 || n != MAC_BYTES)
		return set_error(err);
	return 0;
}
