#ifndef REGISTRY_LOG_LOG_INDEX_H
#define REGISTRY_LOG_LOG_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct log_index;

/*
 * Where a key's record is: a hash table in memory from 32 bits of the key's
 * hash to offsets, about 24 bytes a record.  The keys are not held: several
 * may have one hash, and the caller compares.
 */

struct log_index *log_index_new(struct error *err);
void log_index_free(struct log_index *ix);

/* A hash that nobody outside can foretell. */
uint32_t log_index_hash(const struct log_index *ix, const void *key, size_t len);

/* Make room for ${extra} more entries.  ERROR_MEMORY. */
int log_index_reserve(struct log_index *ix, size_t extra, struct error *err);

/* Add what is not there; room must have been made. */
void log_index_put(struct log_index *ix, uint32_t hash, uint64_t offset);

/* Remove what is there. */
void log_index_drop(struct log_index *ix, uint32_t hash, uint64_t offset);

/**
 * log_index_find(ix, hash, step, offset):
 * The offsets under ${hash}, one a call, in no order; ${*step} is 0 for the
 * first.  false: no more.  Nothing may be put or dropped meanwhile.
 */
bool log_index_find(const struct log_index *ix, uint32_t hash, size_t *step,
    uint64_t *offset);

size_t log_index_count(const struct log_index *ix);

#endif /* !REGISTRY_LOG_LOG_INDEX_H */
