#ifndef REGISTRY_STORE_BATCH_H
#define REGISTRY_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "registry/store/draft.h"

struct error;
struct map;
struct store;

/* An op that was decided, and where its last record will be. */
struct batch_op {
	struct store_op *op;
	struct draft *draft;		/* NULL: it writes nothing */
	size_t added;			/* the draft's added version; SIZE_MAX: its META */
};

/*
 * What is written at once: ops are decided one after the other against the
 * state and the drafts of the ones before; then each draft becomes its META,
 * tombstones and SECRETs, in this order.
 */
struct batch {
	struct store *store;
	int64_t now_ms;			/* of the clock: decides what is expired */
	struct map *index;		/* drafts by name */
	struct draft **drafts;
	size_t draft_count, draft_cap;
	struct batch_op ops[256];	/* STORE_BATCH_OPS */
	size_t op_count;
	bool broken;			/* no memory half way: none of it counts */
	struct buf bytes;		/* encoded keys and values */
};

struct batch *batch_new(struct store *s, struct error *err);
void batch_free(struct batch *b);

/* Drop all drafts: for an op that failed half way and was the first. */
void batch_forget(struct batch *b);

/* The draft of a key, a new one if need be. */
struct draft *batch_draft(struct batch *b, const char *path, size_t path_len, const char *key,
    size_t key_len, struct error *err);

/* Encode a record's key and value at the end of the bytes; -1: it is too
 * large, or no memory, and the bytes are as before. */
int batch_encode(struct batch *b, const struct record *r, size_t *key_len, size_t *value_len,
    struct error *err);

/* Write everything, and fill the decided ops' offsets. */
int batch_commit(struct batch *b, struct error *err);

#endif /* !REGISTRY_STORE_BATCH_H */
