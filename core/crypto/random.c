#include <limits.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "crypto/random.h"

int
random_bytes(void *out, size_t n, struct error *err)
{
	if (n <= INT_MAX && RAND_priv_bytes(out, (int)n) == 1)
		return 0;
	ERR_clear_error();
	return error_set(err, ERROR_CRYPTO, "OpenSSL gives no random bytes");
}
