#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"

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
