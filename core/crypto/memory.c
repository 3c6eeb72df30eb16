#include "crypto/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/error.h"
#include "base/secmem.h"

/*
 * Pieces of secret memory: powers of two with a header, cut from chunks that
 * are never given back, and kept by size when they are free.  A context takes
 * one to three kilobytes; what is larger than the largest piece (scrypt's
 * work) is the heap's, where OpenSSL wipes it.
 */
#define CHUNK ((size_t)32 << 10)
#define CHUNKS_MAX 1024
#define LEAST 6		/* 64 bytes */
#define LARGEST 13	/* 8 KiB */

struct piece {
	size_t order;
	struct piece *next;	/* of the free ones */
};

/* What comes before the bytes that are used, which are aligned as malloc's. */
#define HEAD (sizeof(struct piece) < 16 ? (size_t)16 : sizeof(struct piece))

static struct {
	pthread_mutex_t lock;
	unsigned char *chunks[CHUNKS_MAX];
	atomic_size_t count;	/* those below it stay as they are */
	size_t used;		/* of the last */
	struct piece *spare[LARGEST + 1];
} pieces = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local unsigned sections;
static atomic_bool wiping;

static bool
piece_is(const void *p)
{
	const unsigned char *at = p;
	size_t n = atomic_load_explicit(&pieces.count, memory_order_acquire);

	for (size_t i = 0; i < n; i++)
		if (at >= pieces.chunks[i] && at < pieces.chunks[i] + CHUNK)
			return true;
	return false;
}

static struct piece *
piece_of(void *p)
{
	return (struct piece *)(void *)((unsigned char *)p - HEAD);
}

/* A new one at the end of the last chunk, or of one more.  NULL: no memory. */
static struct piece *
piece_cut(size_t order)
{
	size_t n = atomic_load(&pieces.count), size = (size_t)1 << order, cap;
	struct piece *x;

	if (n == 0 || CHUNK - pieces.used < size) {
		if (n == CHUNKS_MAX || (pieces.chunks[n] = secmem_map(CHUNK, &cap)) == NULL)
			return NULL;
		pieces.used = 0;
		atomic_store_explicit(&pieces.count, ++n, memory_order_release);
	}
	x = (struct piece *)(void *)(pieces.chunks[n - 1] + pieces.used);
	x->order = order;
	pieces.used += size;
	return x;
}

static void *
piece_new(size_t n)
{
	size_t order = LEAST;
	struct piece *x;

	while (order <= LARGEST && ((size_t)1 << order) - HEAD < n)
		order++;
	if (order > LARGEST)
		return malloc(n);
	pthread_mutex_lock(&pieces.lock);
	x = pieces.spare[order];
	if (x != NULL)
		pieces.spare[order] = x->next;
	else
		x = piece_cut(order);
	pthread_mutex_unlock(&pieces.lock);
	/* Without secret memory a key is better used than not, as secmem.h has it. */
	return x != NULL ? (unsigned char *)x + HEAD : malloc(n);
}

static size_t
piece_size(void *p)
{
	return ((size_t)1 << piece_of(p)->order) - HEAD;
}

static void
piece_free(void *p)
{
	struct piece *x = piece_of(p);

	/* A forked child finds it empty: there is nothing to wipe or to keep. */
	if (x->order == 0)
		return;
	secmem_wipe(p, piece_size(p));
	pthread_mutex_lock(&pieces.lock);
	x->next = pieces.spare[x->order];
	pieces.spare[x->order] = x;
	pthread_mutex_unlock(&pieces.lock);
}

static void *
openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return sections > 0 ? piece_new(n) : malloc(n);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p == NULL)
		return;
	if (piece_is(p)) {
		piece_free(p);
		return;
	}
	if (atomic_load_explicit(&wiping, memory_order_relaxed))
		secmem_wipe(p, malloc_usable_size(p));
	free(p);
}

static void *
openssl_realloc(void *p, size_t n, const char *file, int line)
{
	bool secret = p != NULL && piece_is(p);
	size_t old = p == NULL ? 0 : secret ? piece_size(p) : malloc_usable_size(p);
	void *fresh;

	if (p != NULL && n <= old && n > old / 2)
		return p;
	fresh = secret ? piece_new(n) : openssl_malloc(n, file, line);
	if (fresh == NULL || p == NULL)
		return fresh;
	memcpy(fresh, p, old < n ? old : n);
	openssl_free(p, file, line);
	return fresh;
}

/* A forked child has the pieces' lock as it was, and empty pieces. */
static void
pieces_forget(void)
{
	pthread_mutex_init(&pieces.lock, NULL);
	memset(pieces.spare, 0, sizeof(pieces.spare));
	pieces.used = CHUNK;
}

int
openssl_memory_begin(bool wipe_all, struct error *err)
{
	static atomic_bool begun;

	if (wipe_all)
		atomic_store(&wiping, true);
	if (atomic_load(&begun))
		return 0;
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
		return error_set(err, ERROR_REFUSED, "OpenSSL was used before its memory could be "
		    "made to wipe itself");
	(void)pthread_atfork(NULL, NULL, pieces_forget);
	atomic_store(&begun, true);
	return 0;
}

/* What OpenSSL loads at its first use, and keeps, has nothing to do in secret memory. */
static void
load_algorithms(void)
{
	static const char *const ciphers[] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM",
		"AES-128-CBC", "AES-192-CBC", "AES-256-CBC" };

	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, ciphers[i], NULL));
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA512", NULL));
	EVP_MAC_free(EVP_MAC_fetch(NULL, "HMAC", NULL));
	EVP_KDF_free(EVP_KDF_fetch(NULL, "PBKDF2", NULL));
	ERR_clear_error();
}

void
openssl_memory_enter(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load_algorithms);
	sections++;
}

void
openssl_memory_leave(void)
{
	sections--;
}
