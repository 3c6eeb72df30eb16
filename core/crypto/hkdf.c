#include "crypto/hkdf.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/secmem.h"

#define HASH 32
#define BLOCK 64	/* bytes that SHA-256 takes at once */

/*
 * HMAC is put together here from its two digests (RFC 2104): OpenSSL's own
 * context copies three others for each new key, and there are two new keys in
 * every derivation.
 */
struct hkdf {
	EVP_MD_CTX *ctx;
};

/* A key as HMAC's two digests begin with it. */
struct pads {
	unsigned char inner[BLOCK];
	unsigned char outer[BLOCK];
};

struct hkdf *
hkdf_new(struct error *err)
{
	struct hkdf *h = calloc(1, sizeof(*h));
	EVP_MD *sha256;

	if (h == NULL) {
		error_memory(err);
		return NULL;
	}
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (sha256 == NULL || h->ctx == NULL || EVP_DigestInit_ex(h->ctx, sha256, NULL) != 1) {
		ERR_clear_error();
		error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
		hkdf_free(h);
		h = NULL;
	}
	EVP_MD_free(sha256);
	return h;
}

void
hkdf_free(struct hkdf *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

/* Start again with the digest that the context has. */
static int
restart(EVP_MD_CTX *ctx)
{
	return EVP_DigestInit_ex(ctx, NULL, NULL) == 1 ? 0 : -1;
}

static int
add(EVP_MD_CTX *ctx, const void *bytes, size_t n)
{
	return n == 0 || EVP_DigestUpdate(ctx, bytes, n) == 1 ? 0 : -1;
}

static int
set_key(EVP_MD_CTX *ctx, struct pads *p, const void *key, size_t n)
{
	memset(p->inner, 0, sizeof(p->inner));
	if (n > BLOCK) {
		if (restart(ctx) == -1 || add(ctx, key, n) == -1 ||
		    EVP_DigestFinal_ex(ctx, p->inner, NULL) != 1)
			return -1;
	} else if (n > 0) {
		memcpy(p->inner, key, n);
	}
	for (size_t i = 0; i < BLOCK; i++) {
		p->outer[i] = p->inner[i] ^ 0x5c;
		p->inner[i] ^= 0x36;
	}
	return 0;
}

static int
begin(EVP_MD_CTX *ctx, const struct pads *p)
{
	return restart(ctx) == -1 ? -1 : add(ctx, p->inner, BLOCK);
}

static int
end(EVP_MD_CTX *ctx, const struct pads *p, unsigned char out[HASH])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1 || restart(ctx) == -1 ||
	    add(ctx, p->outer, BLOCK) == -1 || add(ctx, out, HASH) == -1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		return -1;
	return 0;
}

/* PRK = HMAC(salt, secret) (RFC 5869 section 2.2), as a key to ${p}.  No salt is
 * as good as 32 zero bytes: both are a key of zeros. */
static int
extract(EVP_MD_CTX *ctx, const struct hkdf_input *in, struct pads *p)
{
	unsigned char prk[HASH];
	int result = -1;

	if (set_key(ctx, p, in->salt, in->salt_len) == 0 && begin(ctx, p) == 0 &&
	    add(ctx, in->secret, in->secret_len) == 0 && end(ctx, p, prk) == 0)
		result = set_key(ctx, p, prk, HASH);
	secmem_wipe(prk, sizeof(prk));
	return result;
}

/* T(i) = HMAC(PRK, T(i-1) | info | i) (section 2.3). */
static int
expand(EVP_MD_CTX *ctx, const struct pads *p, const struct hkdf_input *in, unsigned char *out,
    size_t out_len)
{
	unsigned char block[HASH];
	unsigned char i = 0;
	int result = -1;

	while (out_len > 0) {
		size_t n = out_len < HASH ? out_len : HASH;

		i++;
		if (begin(ctx, p) == -1 || (i > 1 && add(ctx, block, HASH) == -1) ||
		    add(ctx, in->info, in->info_len) == -1 || add(ctx, &i, 1) == -1 ||
		    end(ctx, p, block) == -1)
			goto out;
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
	struct pads pads;
	int result;

	if (out_len < 1 || out_len > HKDF_OUT_MAX)
		return error_set(err, ERROR_LIMIT, "HKDF gives 1 to %d bytes, not %zu",
		    HKDF_OUT_MAX, out_len);
	result = extract(h->ctx, in, &pads);
	if (result == 0)
		result = expand(h->ctx, &pads, in, out, out_len);
	secmem_wipe(&pads, sizeof(pads));
	/* The context still holds the last digest, a key. */
	if (restart(h->ctx) == -1)
		result = -1;
	if (result == 0)
		return 0;
	ERR_clear_error();
	secmem_wipe(out, out_len);
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute HMAC-SHA-256");
}
