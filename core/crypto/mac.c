#include "crypto/mac.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "crypto/key.h"

#define BLOCK 64	/* bytes that SHA-256 takes at once */

/*
 * HMAC from its two digests (RFC 2104), of which both are kept as the key
 * begins them.  To copy those takes a sixth less than OpenSSL's own HMAC does
 * for a line of the audit log, a quarter less for a header.
 */
struct mac {
	EVP_MD_CTX *inner;
	EVP_MD_CTX *outer;
	EVP_MD_CTX *work;
};

static int
set_error(struct error *err)
{
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
}

/* A digest that has taken the key in, with ${pad} over each byte of the block. */
static EVP_MD_CTX *
begun(const EVP_MD *sha256, const unsigned char key[MAC_BYTES], unsigned char pad)
{
	unsigned char block[BLOCK];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < MAC_BYTES; i++)
		block[i] ^= key[i];
	if (ctx != NULL && (EVP_DigestInit_ex(ctx, sha256, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, block, sizeof(block)) != 1)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ctx;
}

static int
begin(struct mac *m, const unsigned char key[MAC_BYTES])
{
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);

	if (sha256 != NULL) {
		m->inner = begun(sha256, key, 0x36);
		m->outer = begun(sha256, key, 0x5c);
		m->work = EVP_MD_CTX_new();
	}
	EVP_MD_free(sha256);
	return m->inner != NULL && m->outer != NULL && m->work != NULL ? 0 : -1;
}

struct mac *
mac_new(const struct key *k, const char *purpose, struct error *err)
{
	unsigned char derived[MAC_BYTES];
	struct mac *m = calloc(1, sizeof(*m));
	unsigned int n = sizeof(derived);
	int result = -1;

	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	if (HMAC(EVP_sha256(), key_bytes(k), (int)key_length(k), (const unsigned char *)purpose,
	    strlen(purpose), derived, &n) != NULL)
		result = begin(m, derived);
	OPENSSL_cleanse(derived, sizeof(derived));
	if (result == -1) {
		mac_free(m);
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
	EVP_MD_CTX_free(m->inner);
	EVP_MD_CTX_free(m->outer);
	EVP_MD_CTX_free(m->work);
	free(m);
}

int
mac_sum(struct mac *m, const void *name, size_t nlen, const void *data, size_t dlen,
    unsigned char out[MAC_BYTES], struct error *err)
{
	unsigned char head[8];

	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (unsigned char)((uint64_t)nlen >> 8 * i);
	if (EVP_MD_CTX_copy_ex(m->work, m->inner) != 1 ||
	    EVP_DigestUpdate(m->work, head, sizeof(head)) != 1 ||
	    EVP_DigestUpdate(m->work, name, nlen) != 1 ||
	    EVP_DigestUpdate(m->work, data, dlen) != 1 ||
	    EVP_DigestFinal_ex(m->work, out, NULL) != 1 ||
	    EVP_MD_CTX_copy_ex(m->work, m->outer) != 1 ||
	    EVP_DigestUpdate(m->work, out, MAC_BYTES) != 1 ||
	    EVP_DigestFinal_ex(m->work, out, NULL) != 1)
		return set_error(err);
	return 0;
}
