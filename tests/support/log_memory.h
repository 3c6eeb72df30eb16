#ifndef TESTS_SUPPORT_LOG_MEMORY_H
#define TESTS_SUPPORT_LOG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct log;
struct log_memory;

/*
 * A simulator of a compacted topic for property tests: several writers with
 * fencing by claim, compaction on demand (of any part, tombstones too), lost
 * acknowledgements, failing appends, and batches that come late.
 *
 * What a fenced producer's log can show is shown, and nothing else: a batch of
 * which the answer is missing may still land, whole, once, and behind whatever
 * was appended in the meantime; but not after a newer claim, the writer's own
 * included.  (A transaction that is being committed may be finished by its
 * coordinator at any time, until another producer of the same transactional id
 * is initialised, which finishes or aborts it first.)
 */

struct log_memory *log_memory_new(uint64_t seed);
void log_memory_free(struct log_memory *m);

/* A writer's view of it (log_free ends the view alone).  Without a claim it may
 * append as long as nobody has claimed.  NULL: no memory. */
struct log *log_memory_view(struct log_memory *m);

/* Drop a random part of the records that later ones replace, keeping offsets;
 * ${all}: every one of them, and tombstones. */
void log_memory_compact(struct log_memory *m, bool all);

enum log_memory_fault {
	LOG_MEMORY_FAIL,	/* nothing written, ERROR_IO */
	LOG_MEMORY_LOSE_ANSWER,	/* written, but ERROR_STALE */
	LOG_MEMORY_LOSE_BATCH,	/* not written, and ERROR_STALE */
	LOG_MEMORY_DELAY	/* ERROR_STALE; written later, or never */
};

/* The ${n}th append from now (0: the next) meets this fault; appends that are
 * fenced do not count. */
void log_memory_fault_at(struct log_memory *m, size_t n, enum log_memory_fault f);

/* The next ${n} claims fail (ERROR_IO), and keep nobody out. */
void log_memory_fail_claims(struct log_memory *m, size_t n);

/* Whenever the log is used, each batch that is held back lands with a chance of
 * one in ${one_in}; 0 (at first): none, but by log_memory_land.  A claim drops
 * those that have not landed when it is made. */
void log_memory_late(struct log_memory *m, unsigned one_in);

/* Let all land that are held back, the last one first. */
void log_memory_land(struct log_memory *m);

/* How many have landed so far, by themselves or so. */
size_t log_memory_landed(struct log_memory *m);

/* Append a raw record (${value} NULL: a tombstone) as a foreign writer would,
 * past every claim: its offset, or UINT64_MAX without memory. */
uint64_t log_memory_inject(struct log_memory *m, const void *key, size_t key_len,
    const void *value, size_t value_len);

#endif /* !TESTS_SUPPORT_LOG_MEMORY_H */
