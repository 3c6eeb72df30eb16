#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/mac.h"

struct digest {
	EVP_MD *sha256;
};

struct digest *
digest_new(struct error *err)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		error_memory(err);
		return NULL;
	}
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

#define MAC_BLOCK 64	/* bytes that SHA-256 takes at once */

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
	unsigned char block[MAC_BLOCK];
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
mac_begin(struct mac *m, const unsigned char key[MAC_BYTES])
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
		result = mac_begin(m, derived);
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

#define HASH 32
#define HKDF_BLOCK 64	/* bytes that SHA-256 takes at once */

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
	unsigned char inner[HKDF_BLOCK];
	unsigned char outer[HKDF_BLOCK];
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
hkdf_add(EVP_MD_CTX *ctx, const void *bytes, size_t n)
{
	return n == 0 || EVP_DigestUpdate(ctx, bytes, n) == 1 ? 0 : -1;
}

static int
set_key(EVP_MD_CTX *ctx, struct pads *p, const void *key, size_t n)
{
	memset(p->inner, 0, sizeof(p->inner));
	if (n > HKDF_BLOCK) {
		if (restart(ctx) == -1 || hkdf_add(ctx, key, n) == -1 ||
		    EVP_DigestFinal_ex(ctx, p->inner, NULL) != 1)
			return -1;
	} else if (n > 0) {
		memcpy(p->inner, key, n);
	}
	for (size_t i = 0; i < HKDF_BLOCK; i++) {
		p->outer[i] = p->inner[i] ^ 0x5c;
		p->inner[i] ^= 0x36;
	}
	return 0;
}

static int
hkdf_begin(EVP_MD_CTX *ctx, const struct pads *p)
{
	return restart(ctx) == -1 ? -1 : hkdf_add(ctx, p->inner, HKDF_BLOCK);
}

static int
hkdf_end(EVP_MD_CTX *ctx, const struct pads *p, unsigned char out[HASH])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1 || restart(ctx) == -1 ||
	    hkdf_add(ctx, p->outer, HKDF_BLOCK) == -1 || hkdf_add(ctx, out, HASH) == -1 ||
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

	if (set_key(ctx, p, in->salt, in->salt_len) == 0 && hkdf_begin(ctx, p) == 0 &&
	    hkdf_add(ctx, in->secret, in->secret_len) == 0 && hkdf_end(ctx, p, prk) == 0)
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
		if (hkdf_begin(ctx, p) == -1 || (i > 1 && hkdf_add(ctx, block, HASH) == -1) ||
		    hkdf_add(ctx, in->info, in->info_len) == -1 || hkdf_add(ctx, &i, 1) == -1 ||
		    hkdf_end(ctx, p, block) == -1)
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
