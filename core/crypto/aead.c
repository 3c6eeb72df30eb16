#include "crypto/aead.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/random_pool.h"

struct aead {
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	struct random_pool *pool;
};

static int
openssl_error(struct error *err)
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

struct aead *
aead_new(struct error *err)
{
	EVP_CIPHER *gcm = NULL;
	struct aead *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		error_memory(err);
		return NULL;
	}
	a->pool = random_pool_new(err);
	if (a->pool == NULL)
		goto fail;
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	a->seal = EVP_CIPHER_CTX_new();
	a->open = EVP_CIPHER_CTX_new();
	if (gcm == NULL || a->seal == NULL || a->open == NULL ||
	    EVP_EncryptInit_ex(a->seal, gcm, NULL, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex(a->open, gcm, NULL, NULL, NULL) != 1) {
		openssl_error(err);
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
	random_pool_free(a->pool);
	free(a);
}

/* Room in ${out} for ${n} bytes in and ${more}; OpenSSL counts in int. */
static int
make_room(struct buf *out, size_t n, size_t more, struct aead_data ad, struct error *err)
{
	if (n > INT_MAX - AEAD_TAG || ad.n > INT_MAX - AEAD_TAG)
		return error_set(err, ERROR_LIMIT, "too long to seal in one piece");
	if (buf_reserve(out, n + more) == -1)
		return buf_check(out, err);
	return 0;
}

int
aead_seal(struct aead *a, const unsigned char key[AEAD_KEY], struct aead_data ad,
    const void *in, size_t n, unsigned char iv[AEAD_IV], struct buf *out, struct error *err)
{
	unsigned char *to;
	int len = 0;
	int rest = 0;

	if (make_room(out, n, AEAD_TAG, ad, err) == -1 ||
	    random_pool_take(a->pool, iv, AEAD_IV, err) == -1)
		return -1;
	to = out->data + out->len;
	if (EVP_EncryptInit_ex(a->seal, NULL, NULL, key, iv) != 1 ||
	    (ad.n > 0 && EVP_EncryptUpdate(a->seal, NULL, &len, ad.bytes, (int)ad.n) != 1))
		return openssl_error(err);
	len = 0;
	if ((n > 0 && EVP_EncryptUpdate(a->seal, to, &len, in, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(a->seal, to + len, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(a->seal, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, to + n) != 1)
		return openssl_error(err);
	out->len += n + AEAD_TAG;
	return 0;
}

int
aead_open(struct aead *a, const unsigned char key[AEAD_KEY],
    const unsigned char iv[AEAD_IV], struct aead_data ad, const void *in, size_t n,
    struct buf *out, struct error *err)
{
	unsigned char tag[AEAD_TAG];
	unsigned char *to;
	int len = 0;
	int rest = 0;

	if (n < AEAD_TAG)
		return does_not_open(err);
	if (!out->secret)
		return error_set(err, ERROR_REFUSED, "a secret must not leave its memory");
	n -= AEAD_TAG;
	if (make_room(out, n, 0, ad, err) == -1)
		return -1;
	memcpy(tag, (const unsigned char *)in + n, sizeof(tag));
	to = out->data + out->len;
	if (EVP_DecryptInit_ex(a->open, NULL, NULL, key, iv) != 1 ||
	    EVP_CIPHER_CTX_ctrl(a->open, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag) != 1 ||
	    (ad.n > 0 && EVP_DecryptUpdate(a->open, NULL, &len, ad.bytes, (int)ad.n) != 1))
		return openssl_error(err);
	len = 0;
	if ((n > 0 && EVP_DecryptUpdate(a->open, to, &len, in, (int)n) != 1) ||
	    EVP_DecryptFinal_ex(a->open, to + len, &rest) != 1) {
		secmem_wipe(to, n);
		return does_not_open(err);
	}
	out->len += n;
	return 0;
}
