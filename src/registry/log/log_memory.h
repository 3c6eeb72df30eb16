#ifndef REGISTRY_LOG_LOG_MEMORY_H
#define REGISTRY_LOG_LOG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct log;

/*
 * A simulator of a compacted topic for property tests: several writers with
 * fencing by claim, compaction on demand (of any part, tombstones too), lost
 * acknowledgements, failing appends.
 */
struct log_memory;

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
	LOG_MEMORY_LOSE_BATCH	/* not written, and ERROR_STALE */
};

/* The ${n}th append from now (0: the next) meets this fault; appends that are
 * fenced do not count. */
void log_memory_fault_at(struct log_memory *m, size_t n, enum log_memory_fault f);

/* Append a raw record (${value} NULL: a tombstone) as a foreign writer would,
 * past every claim: its offset, or UINT64_MAX without memory. */
uint64_t log_memory_inject(struct log_memory *m, const void *key, size_t key_len,
    const void *value, size_t value_len);

#endif /* !REGISTRY_LOG_LOG_MEMORY_H */
