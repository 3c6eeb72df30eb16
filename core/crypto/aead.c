#include "crypto/aead.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/memory.h"

static int
aes_failed(struct error *err)
{
	ERR_clear_error();
	return error_set(err, ERROR_CRYPTO, "AES in OpenSSL failed");
}

/* One text for all, so that nobody learns which check failed. */
static int
does_not_open(struct error *err)
{
	ERR_clear_error();
	return error_set(err, ERROR_DAMAGED,
	    "the sealed value does not open: wrong key or damaged data");
}

/* Room in ${out} for ${n} bytes in and ${more}; OpenSSL counts in int. */
static int
make_room(struct buf *out, size_t n, size_t more, struct error *err)
{
	if (n > INT_MAX - CIPHER_BLOCK)
		return error_set(err, ERROR_LIMIT, "too long to seal in one piece");
	if (buf_reserve(out, n + more) == -1)
		return buf_check(out, err);
	return 0;
}

static int
must_be_secret(const struct buf *out, struct error *err)
{
	return out->secret ? 0 :
	    error_set(err, ERROR_REFUSED, "a secret must not leave its memory");
}

/* --- AES-GCM: ${key} NULL for the one that the context has --- */

static int
gcm_seal(EVP_CIPHER_CTX *ctx, struct random_pool *ivs, const unsigned char *key,
    struct aead_data ad, const void *in, size_t n, unsigned char iv[AEAD_IV], struct buf *out,
    struct error *err)
{
	unsigned char *to;
	int len = 0;
	int rest = 0;

	if (ad.n > INT_MAX - AEAD_TAG)
		return error_set(err, ERROR_LIMIT, "too long to seal in one piece");
	if (make_room(out, n, AEAD_TAG, err) == -1 ||
	    random_pool_take(ivs, iv, AEAD_IV, err) == -1)
		return -1;
	to = out->data + out->len;
	if (EVP_EncryptInit_ex(ctx, NULL, NULL, key, iv) != 1 ||
	    (ad.n > 0 && EVP_EncryptUpdate(ctx, NULL, &len, ad.bytes, (int)ad.n) != 1))
		return aes_failed(err);
	len = 0;
	if ((n > 0 && EVP_EncryptUpdate(ctx, to, &len, in, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(ctx, to + len, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, to + n) != 1)
		return aes_failed(err);
	out->len += n + AEAD_TAG;
	return 0;
}

static int
gcm_open(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char iv[AEAD_IV],
    struct aead_data ad, const void *in, size_t n, struct buf *out, struct error *err)
{
	unsigned char tag[AEAD_TAG];
	unsigned char *to;
	int len = 0;
	int rest = 0;

	if (n < AEAD_TAG)
		return does_not_open(err);
	n -= AEAD_TAG;
	if (must_be_secret(out, err) == -1)
		return -1;
	if (ad.n > INT_MAX - AEAD_TAG)
		return error_set(err, ERROR_LIMIT, "too long to open in one piece");
	if (make_room(out, n, 0, err) == -1)
		return -1;
	memcpy(tag, (const unsigned char *)in + n, sizeof(tag));
	to = out->data + out->len;
	if (EVP_DecryptInit_ex(ctx, NULL, NULL, key, iv) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag) != 1 ||
	    (ad.n > 0 && EVP_DecryptUpdate(ctx, NULL, &len, ad.bytes, (int)ad.n) != 1))
		return aes_failed(err);
	len = 0;
	if ((n > 0 && EVP_DecryptUpdate(ctx, to, &len, in, (int)n) != 1) ||
	    EVP_DecryptFinal_ex(ctx, to + len, &rest) != 1) {
		secmem_wipe(to, n);
		return does_not_open(err);
	}
	out->len += n;
	return 0;
}

/* --- another key, and associated data, at each call --- */

struct aead {
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	struct random_pool *ivs;
};

struct aead *
aead_new(struct error *err)
{
	EVP_CIPHER *gcm = NULL;
	struct aead *a = error_alloc(sizeof(*a), err);
	bool good;

	if (a == NULL)
		return NULL;
	a->ivs = random_pool_new(err);
	if (a->ivs == NULL)
		goto fail;
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	openssl_memory_enter();
	a->seal = EVP_CIPHER_CTX_new();
	a->open = EVP_CIPHER_CTX_new();
	good = gcm != NULL && a->seal != NULL && a->open != NULL &&
	    EVP_EncryptInit_ex(a->seal, gcm, NULL, NULL, NULL) == 1 &&
	    EVP_DecryptInit_ex(a->open, gcm, NULL, NULL, NULL) == 1;
	openssl_memory_leave();
	if (!good) {
		aes_failed(err);
		goto fail;
	}
	EVP_CIPHER_free(gcm);
	return a;
fail:
	EVP_CIPHER_free(gcm);
	aead_free(a);
	return NULL;
}

void
aead_free(struct aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->seal);
	EVP_CIPHER_CTX_free(a->open);
	random_pool_free(a->ivs);
	free(a);
}

int
aead_seal(struct aead *a, const unsigned char key[AEAD_KEY], struct aead_data ad,
    const void *in, size_t n, unsigned char iv[AEAD_IV], struct buf *out, struct error *err)
{
	return gcm_seal(a->seal, a->ivs, key, ad, in, n, iv, out, err);
}

int
aead_open(struct aead *a, const unsigned char key[AEAD_KEY],
    const unsigned char iv[AEAD_IV], struct aead_data ad, const void *in, size_t n,
    struct buf *out, struct error *err)
{
	return gcm_open(a->open, key, iv, ad, in, n, out, err);
}

/* --- one key for many values --- */

enum { SEAL, OPEN, SEAL_CBC, OPEN_CBC, CONTEXTS };

struct cipher {
	EVP_CIPHER_CTX *ctx[CONTEXTS];
	struct random_pool *ivs;
};

static const EVP_CIPHER *
gcm_for(size_t length)
{
	return length == 16 ? EVP_aes_128_gcm() :
	    length == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
}

static const EVP_CIPHER *
cbc_for(size_t length)
{
	return length == 16 ? EVP_aes_128_cbc() :
	    length == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
}

struct cipher *
cipher_new(const struct key *k, struct error *err)
{
	struct cipher *c;
	const EVP_CIPHER *type;
	bool good;
	int i;

	if (key_length(k) == 0) {
		error_set(err, ERROR_KEY, "the key did not come along into this process");
		return NULL;
	}
	c = error_alloc(sizeof(*c), err);
	if (c == NULL)
		return NULL;
	if ((c->ivs = random_pool_new(err)) == NULL)
		goto fail;
	for (i = 0; i < CONTEXTS; i++) {
		type = i < SEAL_CBC ? gcm_for(key_length(k)) : cbc_for(key_length(k));
		openssl_memory_enter();
		c->ctx[i] = EVP_CIPHER_CTX_new();
		good = c->ctx[i] != NULL && EVP_CipherInit_ex(c->ctx[i], type, NULL,
		    key_bytes(k), NULL, i == SEAL || i == SEAL_CBC) == 1;
		openssl_memory_leave();
		if (!good) {
			aes_failed(err);
			goto fail;
		}
	}
	/* Padding is ours to check: OpenSSL's check is not constant-time. */
	if (EVP_CIPHER_CTX_set_padding(c->ctx[OPEN_CBC], 0) != 1) {
		aes_failed(err);
		goto fail;
	}
	return c;
fail:
	cipher_free(c);
	return NULL;
}

void
cipher_free(struct cipher *c)
{
	int i;

	if (c == NULL)
		return;
	for (i = 0; i < CONTEXTS; i++)
		EVP_CIPHER_CTX_free(c->ctx[i]);
	random_pool_free(c->ivs);
	free(c);
}

int
cipher_seal(struct cipher *c, const void *in, size_t n, unsigned char iv[AEAD_IV],
    struct buf *out, struct error *err)
{
	return gcm_seal(c->ctx[SEAL], c->ivs, NULL, (struct aead_data){ NULL, 0 }, in, n, iv, out,
	    err);
}

int
cipher_open(struct cipher *c, const void *iv, size_t iv_len,
    const void *in, size_t n, struct buf *out, struct error *err)
{
	if (iv_len != AEAD_IV)
		return does_not_open(err);
	return gcm_open(c->ctx[OPEN], NULL, iv, (struct aead_data){ NULL, 0 }, in, n, out, err);
}

int
cipher_seal_cbc(struct cipher *c, const void *in, size_t n,
    unsigned char iv[CIPHER_CBC_IV], struct buf *out, struct error *err)
{
	EVP_CIPHER_CTX *ctx = c->ctx[SEAL_CBC];
	unsigned char *to;
	int len = 0;
	int rest = 0;

	if (make_room(out, n, CIPHER_BLOCK, err) == -1 ||
	    random_pool_take(c->ivs, iv, CIPHER_CBC_IV, err) == -1)
		return -1;
	to = out->data + out->len;
	if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) != 1 ||
	    (n > 0 && EVP_EncryptUpdate(ctx, to, &len, in, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(ctx, to + len, &rest) != 1)
		return aes_failed(err);
	out->len += (size_t)len + (size_t)rest;
	return 0;
}

/* All ones when a < b, else 0; for a, b < 2^31. */
static uint32_t
mask_less(uint32_t a, uint32_t b)
{
	return 0 - ((a - b) >> 31);
}

/* The PKCS#7 padding of a last block: 1 to 16, 0 when it is wrong. */
static size_t
padding_length(const unsigned char block[CIPHER_BLOCK])
{
	uint32_t pad = block[CIPHER_BLOCK - 1];
	uint32_t wrong = mask_less(CIPHER_BLOCK, pad);
	uint32_t i;

	for (i = 0; i < CIPHER_BLOCK; i++)
		wrong |= mask_less(i, pad) & (block[CIPHER_BLOCK - 1 - i] ^ pad);
	return pad & ~mask_less(0, wrong & 0xff);
}

int
cipher_open_cbc(struct cipher *c, const void *iv, size_t iv_len,
    const void *in, size_t n, struct buf *out, struct error *err)
{
	EVP_CIPHER_CTX *ctx = c->ctx[OPEN_CBC];
	unsigned char *to;
	size_t pad = 0;
	int len = 0;

	if (iv_len != CIPHER_CBC_IV || n == 0 || n % CIPHER_BLOCK != 0)
		return does_not_open(err);
	if (must_be_secret(out, err) == -1 || make_room(out, n, 0, err) == -1)
		return -1;
	to = out->data + out->len;
	if (EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, iv) == 1 &&
	    EVP_DecryptUpdate(ctx, to, &len, in, (int)n) == 1 && (size_t)len == n)
		pad = padding_length(to + n - CIPHER_BLOCK);
	if (pad == 0) {
		secmem_wipe(to, n);
		return does_not_open(err);
	}
	out->len += n - pad;
	secmem_wipe(to + n - pad, pad);
	return 0;
}
