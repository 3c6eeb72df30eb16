#include <sys/mman.h>
#include <sys/resource.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/secmem.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

/*
 * Pages that were given back, wiped, and are kept for the next value, which
 * would cost seven system calls otherwise.  Each thread has its own, so that
 * nobody waits; they go with the thread.
 */
#define KEPT_MAX 8

static _Thread_local struct {
	unsigned char *page[KEPT_MAX];
	size_t count;
} kept;

/*
 * Small values: powers of two, cut from one chunk after the other.  What was
 * given back is listed by size, each with the next one at its start.
 */
#define SMALL_CHUNK ((size_t)32 << 10)
#define SMALL_LEAST 6	/* 64 bytes */
#define SMALL_SIZES 6

_Static_assert(SECMEM_SMALL == (size_t)1 << (SMALL_LEAST + SMALL_SIZES - 1),
    "each has a list");

static struct {
	pthread_mutex_t lock;
	unsigned char *chunk;
	size_t left;		/* of the chunk, at its end */
	void *spare[SMALL_SIZES];
} small = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A layer could not be put on some page, or was taken off: they may be again. */
static atomic_bool layers_missing;

static pthread_once_t kept_once = PTHREAD_ONCE_INIT;
static pthread_key_t kept_key;	/* set in a thread that keeps pages */
static bool kept_works;		/* there is somebody to free them */

static size_t
page_size(void)
{
	static atomic_size_t known;
	size_t size = atomic_load_explicit(&known, memory_order_relaxed);
	long n;

	if (size > 0)
		return size;
	n = sysconf(_SC_PAGESIZE);
	size = n > 0 ? (size_t)n : 4096;
	atomic_store_explicit(&known, size, memory_order_relaxed);
	return size;
}

/* Unmap it with its guards. */
static void
unmap(unsigned char *p, size_t cap)
{
	(void)munmap(p - page_size(), cap + 2 * page_size());
}

static void
kept_free(void)
{
	while (kept.count > 0)
		unmap(kept.page[--kept.count], page_size());
}

static void
kept_end_of_thread(void *unused)
{
	(void)unused;
	kept_free();
}

static void
kept_prepare(void)
{
	/* A forked child's pages are not locked, whatever was done to them before. */
	kept_works = pthread_key_create(&kept_key, kept_end_of_thread) == 0 &&
	    pthread_atfork(NULL, NULL, kept_free) == 0;
}

static bool
keep(unsigned char *p)
{
	(void)pthread_once(&kept_once, kept_prepare);
	if (!kept_works || kept.count == KEPT_MAX ||
	    (kept.count == 0 && pthread_setspecific(kept_key, &kept) != 0))
		return false;
	kept.page[kept.count++] = p;
	return true;
}

/* Layers on top of the guards: each may be missing or not allowed. */
static void
add_layers(void *p, size_t cap)
{
	bool missing = mlock(p, cap) != 0;

#ifdef MADV_DONTDUMP
	missing |= madvise(p, cap, MADV_DONTDUMP) != 0;
#endif
#ifdef MADV_WIPEONFORK
	missing |= madvise(p, cap, MADV_WIPEONFORK) != 0;
#endif
	if (missing)
		atomic_store(&layers_missing, true);
}

/* Whole pages for ${size} bytes, 0: too many. */
static size_t
usable_for(size_t size)
{
	const size_t page = page_size();

	return size > SIZE_MAX / 2 ? 0 : size == 0 ? page : (size + page - 1) / page * page;
}

/* Room between two guards, a guard itself as yet. */
static unsigned char *
reserve(size_t usable)
{
	unsigned char *base = mmap(NULL, usable + 2 * page_size(), PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return base == MAP_FAILED ? NULL : base + page_size();
}

void *
secmem_map(size_t size, size_t *cap)
{
	size_t usable = usable_for(size);
	unsigned char *p;

	*cap = 0;
	if (usable == 0)
		return NULL;
	if (usable == page_size() && kept.count > 0) {
		*cap = usable;
		p = kept.page[--kept.count];
		if (atomic_load(&layers_missing))
			add_layers(p, usable);
		return p;
	}
	if ((p = reserve(usable)) == NULL)
		return NULL;
	if (mprotect(p, usable, PROT_READ | PROT_WRITE) == -1) {
		unmap(p, usable);
		return NULL;
	}
	add_layers(p, usable);
	*cap = usable;
	return p;
}

/* Move the ${cap} bytes at ${p}, pages of their own, to the start of ${usable} new ones, without a
 * copy: with ${all} the new ones come along as part of them, which keeps them one mapping, as old
 * kernels move no more than one; else they are put behind.  NULL: that cannot be done, and nothing
 * was. */
static unsigned char *
move_pages(unsigned char *p, size_t cap, size_t usable, bool all)
{
#ifdef MREMAP_FIXED
	const size_t page = page_size(), moved = all ? usable : cap;
	unsigned char *to = reserve(usable);

	if (to == NULL)
		return NULL;
	if ((all || mprotect(to + cap, usable - cap, PROT_READ | PROT_WRITE) == 0) &&
	    mremap(p, cap, moved, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED) {
		/* The new ones have the rights of the old: this changes none, but valgrind 3.19
		 * would go on to take them for guards. */
		if (all)
			(void)mprotect(to + cap, usable - cap, PROT_READ | PROT_WRITE);
		else
			add_layers(to + cap, usable - cap);
		/* Where the pages were somebody else's may be by now. */
		(void)munmap(p - page, page);
		(void)munmap(p + cap, page);
		return to;
	}
	(void)munmap(to - page, page);
	(void)munmap(to + moved, usable - moved + page);
#else
	(void)p;
	(void)cap;
	(void)usable;
	(void)all;
#endif
	return NULL;
}

void *
secmem_grow(void *p, size_t len, size_t *cap, size_t size)
{
	const size_t usable = usable_for(size);
	size_t new_cap;
	void *to = NULL;

	if (*cap > page_size() && usable > *cap &&
	    ((to = move_pages(p, *cap, usable, true)) != NULL ||
	    (to = move_pages(p, *cap, usable, false)) != NULL)) {
		*cap = usable;
		return to;
	}
	if ((to = secmem_map(size, &new_cap)) == NULL)
		return NULL;
	if (len > 0)
		memcpy(to, p, len);
	secmem_unmap(p, *cap);
	*cap = new_cap;
	return to;
}

/* Which of the sizes, the next larger one. */
static unsigned
small_size(size_t size)
{
	unsigned i = 0;

	while (((size_t)1 << (SMALL_LEAST + i)) < size)
		i++;
	return i;
}

/* A forked child finds the chunks empty, and the lock as it was. */
static void
small_forget(void)
{
	pthread_mutex_init(&small.lock, NULL);
	memset(small.spare, 0, sizeof(small.spare));
	small.left = 0;
}

static void
small_prepare(void)
{
	(void)pthread_atfork(NULL, NULL, small_forget);
}

/* From the end of the chunk, or of a new one; NULL: no memory. */
static void *
small_cut(size_t n)
{
	size_t cap;

	if (small.left < n) {
		unsigned char *chunk = secmem_map(SMALL_CHUNK, &cap);

		if (chunk == NULL)
			return NULL;
		small.chunk = chunk;
		small.left = cap;
	}
	small.left -= n;
	return small.chunk + small.left;
}

void *
secmem_map_small(size_t size, size_t *cap)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned i = small_size(size);
	void *p;

	(void)pthread_once(&once, small_prepare);
	*cap = (size_t)1 << (SMALL_LEAST + i);
	pthread_mutex_lock(&small.lock);
	if ((p = small.spare[i]) != NULL) {
		small.spare[i] = *(void **)p;
		*(void **)p = NULL;
	} else {
		p = small_cut(*cap);
	}
	pthread_mutex_unlock(&small.lock);
	if (p == NULL)
		*cap = 0;
	return p;
}

static void
small_give_back(void *p, size_t cap)
{
	const unsigned i = small_size(cap);

	pthread_mutex_lock(&small.lock);
	*(void **)p = small.spare[i];
	small.spare[i] = p;
	pthread_mutex_unlock(&small.lock);
}

void
secmem_unmap(void *p, size_t cap)
{
	if (p == NULL)
		return;
	secmem_wipe(p, cap);
	if (cap <= SECMEM_SMALL)
		small_give_back(p, cap);
	else if (cap != page_size() || !keep(p))
		unmap(p, cap);
}

int
secmem_keep_on_fork(void *p, size_t cap)
{
#ifdef MADV_KEEPONFORK
	atomic_store(&layers_missing, true);
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
