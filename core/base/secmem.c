#include <sys/mman.h>
#include <sys/resource.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/secmem.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

static size_t
page_size(void)
{
	long n = sysconf(_SC_PAGESIZE);

	return n > 0 ? (size_t)n : 4096;
}

void *
secmem_map(size_t size, size_t *cap)
{
	size_t page = page_size();
	size_t usable;
	unsigned char *base;

	*cap = 0;
	if (size == 0)
		size = 1;
	if (size > SIZE_MAX / 2)
		return NULL;
	usable = (size + page - 1) / page * page;
	base = mmap(NULL, usable + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base + page, usable, PROT_READ | PROT_WRITE) == -1) {
		(void)munmap(base, usable + 2 * page);
		return NULL;
	}
	/* Layers on top: each may be missing or not allowed. */
	(void)mlock(base + page, usable);
#ifdef MADV_DONTDUMP
	(void)madvise(base + page, usable, MADV_DONTDUMP);
#endif
#ifdef MADV_WIPEONFORK
	(void)madvise(base + page, usable, MADV_WIPEONFORK);
#endif
	*cap = usable;
	return base + page;
}

void
secmem_unmap(void *p, size_t cap)
{
	size_t page = page_size();

	if (p == NULL)
		return;
	secmem_wipe(p, cap);
	(void)munmap((unsigned char *)p - page, cap + 2 * page);
}

int
secmem_keep_on_fork(void *p, size_t cap)
{
#ifdef MADV_KEEPONFORK
	return madvise(p, cap, MADV_KEEPONFORK);
#else
	(void)p;
	(void)cap;
	return 0;
#endif
}

void
secmem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

size_t
secmem_lock_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == -1)
		return 0;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > SIZE_MAX)
		return SIZE_MAX;
	return (size_t)limit.rlim_cur;
}

void
secmem_harden_process(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
#ifdef __linux__
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

bool
secret_equal(const void *a, size_t alen, const void *b, size_t blen)
{
	return alen == blen && (alen == 0 || CRYPTO_memcmp(a, b, alen) == 0);
}
