#include <sys/mman.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/memory.h"

#define LENGTH_MAX 32
#define BASE64_MAX 4096		/* text with line breaks, far longer than any key */

/* OpenSSL counts its own blocks too: 128 * r * p and some more. */
#define MEMORY_BESIDE (1 << 20)

/* All of it, the length too, is in secret memory: with others in one page, as a session may have
 * thousands. */
struct key {
	size_t cap;
	size_t length;
	unsigned char bytes[LENGTH_MAX];
};

#define RANDOM_POOL_TAKE_MAX 64	/* bytes at a time */

struct page {
	size_t left;
	pid_t owner;
	unsigned char bytes[4000];
};

/* ${wiped}: a forked child finds the page empty; its ${owner} stands in for that on kernels that
 * cannot do it. */
struct random_pool {
	struct page *page;
	size_t cap;
	bool wiped;
};

int
random_bytes(void *out, size_t n, struct error *err)
{
	if (n <= INT_MAX && RAND_priv_bytes(out, (int)n) == 1)
		return 0;
	ERR_clear_error();
	return error_set(err, ERROR_CRYPTO, "OpenSSL gives no random bytes");
}

struct random_pool *
random_pool_new(struct error *err)
{
	struct random_pool *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->page = secmem_map(sizeof(*p->page), &p->cap)) == NULL) {
		free(p);
		error_memory(err);
		return NULL;
	}
#ifdef MADV_WIPEONFORK
	/* As secmem.h does, which does not tell. */
	p->wiped = madvise(p->page, p->cap, MADV_WIPEONFORK) == 0;
#endif
	return p;
}

void
random_pool_free(struct random_pool *p)
{
	if (p == NULL)
		return;
	secmem_unmap(p->page, p->cap);
	free(p);
}

int
random_pool_take(struct random_pool *p, void *out, size_t n, struct error *err)
{
	struct page *page = p->page;

	if (n > RANDOM_POOL_TAKE_MAX)
		return error_set(err, ERROR_LIMIT, "too many random bytes at a time");
	if (page->left < n || (!p->wiped && page->owner != getpid())) {
		page->left = 0;
		if (random_bytes(page->bytes, sizeof(page->bytes), err) == -1)
			return -1;
		page->left = sizeof(page->bytes);
		page->owner = getpid();
	}
	page->left -= n;
	memcpy(out, page->bytes + page->left, n);
	memset(page->bytes + page->left, 0, n);
	return 0;
}

static struct key *
key_new_key(size_t length, struct error *err)
{
	struct key *k;
	size_t cap;

	if (length != 16 && length != 24 && length != 32) {
		error_set(err, ERROR_KEY, "a key has 16, 24 or 32 bytes, not %zu", length);
		return NULL;
	}
	k = secmem_map_small(sizeof(*k), &cap);
	if (k == NULL) {
		error_memory(err);
		return NULL;
	}
	k->cap = cap;
	k->length = length;
	return k;
}

struct key *
key_new_random(size_t length, struct error *err)
{
	struct key *k = key_new_key(length, err);

	if (k != NULL && random_bytes(k->bytes, length, err) == -1) {
		key_free(k);
		return NULL;
	}
	return k;
}

struct key *
key_from_bytes(const void *bytes, size_t length, struct error *err)
{
	struct key *k = key_new_key(length, err);

	if (k != NULL)
		memcpy(k->bytes, bytes, length);
	return k;
}

struct key *
key_copy(const struct key *k, struct error *err)
{
	return key_from_bytes(k->bytes, k->length, err);
}

struct key *
key_from_base64(const char *text, size_t n, struct error *err)
{
	struct key *k = NULL;
	struct buf raw;

	buf_init_secret(&raw, BASE64_MAX);
	if (n > BASE64_MAX)
		error_set(err, ERROR_KEY, "too long for a key");
	else if (base64_decode(&raw, text, n) == 0)
		k = key_from_bytes(raw.data, raw.len, err);
	else if (buf_check(&raw, err) == 0)
		error_set(err, ERROR_KEY, "the key is not base64");
	buf_release(&raw);
	return k;
}

struct key *
key_derive(const void *passphrase, size_t n, const char *salt, size_t salt_len, uint32_t iterations,
    size_t length, struct error *err)
{
	struct key *k;
	bool good;

	if (iterations < KEY_ITERATIONS_MIN || iterations > KEY_ITERATIONS_MAX) {
		error_set(err, ERROR_LIMIT, "%lu iterations are not between %d and %d",
		    (unsigned long)iterations, KEY_ITERATIONS_MIN, KEY_ITERATIONS_MAX);
		return NULL;
	}
	if (n > INT_MAX || salt_len > INT_MAX) {
		error_set(err, ERROR_LIMIT, "the passphrase or the salt is too long");
		return NULL;
	}
	k = key_new_key(length, err);
	if (k == NULL)
		return NULL;
	openssl_memory_enter();
	good = PKCS5_PBKDF2_HMAC(n > 0 ? passphrase : "", (int)n,
	    (const unsigned char *)(salt_len > 0 ? salt : ""), (int)salt_len,
	    (int)iterations, EVP_sha512(), (int)length, k->bytes) == 1;
	openssl_memory_leave();
	if (!good) {
		ERR_clear_error();
		error_set(err, ERROR_CRYPTO, "OpenSSL cannot derive a key");
		key_free(k);
		return NULL;
	}
	return k;
}

void
key_free(struct key *k)
{
	if (k != NULL)
		secmem_unmap(k, k->cap);
}

const void *
key_bytes(const struct key *k)
{
	return k->bytes;
}

size_t
key_length(const struct key *k)
{
	return k->length;
}

bool
key_equal(const struct key *a, const struct key *b)
{
	/* Keys that a fork has wiped have no length and equal nothing. */
	return a->length > 0 && secret_equal(a->bytes, a->length, b->bytes, b->length);
}

void
key_append_base64(const struct key *k, struct buf *out)
{
	if (out->secret)
		base64_encode(out, k->bytes, k->length);
	else
		(void)buf_fail(out, ERROR_REFUSED);
}

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
scrypt_derive(const void *pass, size_t n, const void *salt, size_t salt_len, uint64_t N, uint32_t r,
    uint32_t p, void *out, size_t out_len, struct error *err)
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
