#include "crypto/random_pool.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secmem.h"
#include "crypto/random.h"

/* All in a secret mapping; ${owner} stands in for the wiping of it in a child
 * on kernels that cannot do that. */
struct random_pool {
	size_t cap;
	size_t left;
	pid_t owner;
	unsigned char bytes[4000];
};

struct random_pool *
random_pool_new(struct error *err)
{
	struct random_pool *p;
	size_t cap;

	p = secmem_map(sizeof(*p), &cap);
	if (p == NULL) {
		error_memory(err);
		return NULL;
	}
	p->cap = cap;
	return p;
}

void
random_pool_free(struct random_pool *p)
{
	if (p != NULL)
		secmem_unmap(p, p->cap);
}

int
random_pool_take(struct random_pool *p, void *out, size_t n, struct error *err)
{
	pid_t self = getpid();

	if (n > RANDOM_POOL_TAKE_MAX)
		return error_set(err, ERROR_LIMIT, "too many random bytes at a time");
	if (p->left < n || p->owner != self) {
		p->left = 0;
		if (random_bytes(p->bytes, sizeof(p->bytes), err) == -1)
			return -1;
		p->left = sizeof(p->bytes);
		p->owner = self;
	}
	p->left -= n;
	memcpy(out, p->bytes + p->left, n);
	memset(p->bytes + p->left, 0, n);
	return 0;
}
