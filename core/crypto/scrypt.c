#include "crypto/scrypt.h"

#include <limits.h>
#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/secmem.h"

/* OpenSSL counts its own blocks too: 128 * r * p and some more. */
#define MEMORY_BESIDE (1 << 20)

static bool
within_bounds(uint64_t N, uint32_t r, uint32_t p)
{
	if (N < SCRYPT_N_MIN || N > SCRYPT_N_MAX || (N & (N - 1)) != 0)
		return false;
	if (r < 1 || r > SCRYPT_R_MAX || p < 1 || p > SCRYPT_P_MAX)
		return false;
	return 128 * N * r <= SCRYPT_MEMORY_MAX;
}

int
scrypt_derive(const void *pass, size_t n, const void *salt, size_t salt_len,
    uint64_t N, uint32_t r, uint32_t p, void *out, size_t out_len, struct error *err)
{
	if (!within_bounds(N, r, p))
		return error_set(err, ERROR_LIMIT,
		    "scrypt with N=%llu, r=%lu, p=%lu is outside its bounds",
		    (unsigned long long)N, (unsigned long)r, (unsigned long)p);
	if (n > INT_MAX || salt_len > INT_MAX || out_len < 1 || out_len > SCRYPT_OUT_MAX)
		return error_set(err, ERROR_LIMIT,
		    "the passphrase, the salt or the key is too long for scrypt");
	/* OpenSSL takes a passphrase of NULL as a question about the bounds. */
	if (EVP_PBE_scrypt(n > 0 ? pass : "", n, salt_len > 0 ? salt : (const void *)"", salt_len,
	    N, r, p, SCRYPT_MEMORY_MAX + MEMORY_BESIDE, out, out_len) == 1)
		return 0;
	ERR_clear_error();
	secmem_wipe(out, out_len);
	return error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute scrypt (is there memory?)");
}
