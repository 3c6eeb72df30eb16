#include <openssl/crypto.h>

#include "base/equal.h"

bool
secret_equal(const void *a, size_t alen, const void *b, size_t blen)
{
	return alen == blen && (alen == 0 || CRYPTO_memcmp(a, b, alen) == 0);
}
