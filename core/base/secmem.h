#ifndef BASE_SECMEM_H
#define BASE_SECMEM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Pages for secrets: an anonymous mapping of its own between two PROT_NONE
 * guard pages, locked in memory where RLIMIT_MEMLOCK allows it (failing to
 * lock is no error: see secmem_lock_limit), left out of core dumps
 * (MADV_DONTDUMP) and empty in a forked child (MADV_WIPEONFORK).  A few single
 * pages that were given back stay mapped, wiped, for the thread's next values.
 */

/* Map at least ${size} bytes, zeroed; the usable size goes to ${*cap}. */
void *secmem_map(size_t size, size_t *cap);

/*
 * In place of the ${*cap} bytes at ${p} (NULL, 0: none), of which ${len} are in use, at least
 * ${size}, with these at the start; then ${*cap} is theirs.  Many pages are moved, not copied.
 * NULL: ${p} is as it was.
 */
void *secmem_grow(void *p, size_t len, size_t *cap, size_t size);

/*
 * Like secmem_map for one of many small values that stay for long, of at most
 * SECMEM_SMALL bytes: cut from pages that it shares with others, which are
 * guarded together, and which stay mapped for the next ones.
 */
#define SECMEM_SMALL ((size_t)2048)

void *secmem_map_small(size_t size, size_t *cap);

/* Wipe and give back what either of them returned.  (NULL, 0) is fine. */
void secmem_unmap(void *p, size_t cap);

/* Let a forked child find the mapping as it is, not empty: for what is handed
 * to it on purpose.  -1: the kernel refused. */
int secmem_keep_on_fork(void *p, size_t cap);

/* Overwrite ${n} bytes in a way that the compiler keeps. */
void secmem_wipe(void *p, size_t n);

/* The soft RLIMIT_MEMLOCK in bytes, (size_t)-1 for no limit. */
size_t secmem_lock_limit(void);

/**
 * secmem_harden_process():
 * Call once at the start of a program: RLIMIT_CORE 0 and, on Linux,
 * PR_SET_DUMPABLE 0, so that neither a core file nor another process of the
 * same user sees our memory.  Only the soft limit goes down: the hard one
 * could not be given back to a command that we run.  Failures are ignored:
 * they only lose a layer.
 */
void secmem_harden_process(void);

/* Compare in a time that depends on the lengths only. */
bool secret_equal(const void *a, size_t alen, const void *b, size_t blen);

#endif /* !BASE_SECMEM_H */
