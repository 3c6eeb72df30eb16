#ifndef REGISTRY_LOG_LOG_H
#define REGISTRY_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct log_index;

/*
 * The log under the registry: records with a key and a value, in the order of
 * their offsets, of which compaction may drop any that a later record of the
 * same key replaces.  A record without value (a tombstone) deletes its key.
 * Offsets grow but need not be dense.  Three kinds: SQLite (log_sqlite.h), an
 * in-memory simulator (log_memory.h), and a Kafka topic.
 *
 * One thread appends; any may read.
 */
struct log_record {
	const void *key;
	size_t key_len;		/* 1..LOG_KEY_MAX */
	const void *value;	/* NULL: tombstone */
	size_t value_len;	/* ..LOG_VALUE_MAX */
};

#define LOG_KEY_MAX 4096U
#define LOG_VALUE_MAX (1U << 20)

/* Return other than 0 to stop reading, with ${err} filled.  Must not use the log. */
typedef int log_visit(void *cookie, uint64_t offset, const struct log_record *r,
    struct error *err);

struct log_ops {
	/* All of the batch durably, or nothing; ${*first} is the first record's
	 * offset, the others follow without a gap.  ERROR_IO, ERROR_LIMIT;
	 * ERROR_BUSY: fenced by another claim; ERROR_STALE: the outcome is not
	 * known (append sent, no acknowledgement), and it may come to stand in
	 * the log later, whole, at most once, until the next claim. */
	int (*append)(void *self, const struct log_record *batch, size_t n,
	    uint64_t *first, struct error *err);

	/* Visit every record that is there from ${from} on, up to the end. */
	int (*read)(void *self, uint64_t from, log_visit *visit, void *cookie,
	    struct error *err);

	/* The offset that the next append will get at least. */
	int (*end)(void *self, uint64_t *end, struct error *err);

	/* Become the only writer; an earlier claim's appends fail from now on, and
	 * those that had no answer land no more (of this writer's, too).
	 * ${*epoch} grows with each claim. */
	int (*claim)(void *self, const char *node, uint64_t *epoch, struct error *err);

	/* An online copy into the new file ${path}.  ERROR_EXISTS; ERROR_REFUSED:
	 * not offered (NULL is fine then). */
	int (*backup)(void *self, const char *path, struct error *err);

	void (*free)(void *self);
};

/* From malloc: log_free frees it after what its kind frees. */
struct log {
	const struct log_ops *ops;
	void *self;
};

/* Checks of the arguments, then the kind's own. */
int log_append(struct log *l, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err);
int log_read(struct log *l, uint64_t from, log_visit *visit, void *cookie,
    struct error *err);
int log_end(struct log *l, uint64_t *end, struct error *err);
int log_claim(struct log *l, const char *node, uint64_t *epoch, struct error *err);
int log_backup(struct log *l, const char *path, struct error *err);
void log_free(struct log *l);

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

#endif /* !REGISTRY_LOG_LOG_H */
