#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "base/secmem.h"
#include "crypto/random.h"

/* In a page that a forked child finds empty; ${owner} stands in for that on
 * kernels that cannot do it. */
struct page {
	size_t left;
	pid_t owner;
	unsigned char bytes[4000];
};

struct random_pool {
	struct page *page;
	size_t cap;
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
	pid_t self = getpid();

	if (n > RANDOM_POOL_TAKE_MAX)
		return error_set(err, ERROR_LIMIT, "too many random bytes at a time");
	if (page->left < n || page->owner != self) {
		page->left = 0;
		if (random_bytes(page->bytes, sizeof(page->bytes), err) == -1)
			return -1;
		page->left = sizeof(page->bytes);
		page->owner = self;
	}
	page->left -= n;
	memcpy(out, page->bytes + page->left, n);
	memset(page->bytes + page->left, 0, n);
	return 0;
}
