#ifndef REGISTRY_STORE_DRAFT_H
#define REGISTRY_STORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/record.h"
#include "registry/store/state_internal.h"

struct buf;
struct store_op;

/* A version that the batch makes; its record is encoded already. */
struct draft_added {
	const struct store_op *op;
	uint32_t number;
	int64_t created_ms, expires_ms;
	unsigned char claim[16];
	size_t key_at, key_len;		/* in the batch's bytes */
	size_t value_at, value_len;
	size_t record;			/* which of the batch it became */
};

/* A version of the state that the batch destroys. */
struct draft_gone {
	uint32_t number;
	unsigned char claim[16];
};

/*
 * A key as it will be when the batch has been written: the state's key, and
 * what is different.  Lists of deleted and destroyed numbers are copied from
 * the state when they first change.
 */
struct draft {
	char *name;			/* path, a slash, key: the batch's index */
	size_t name_len;
	const char *path, *key;
	size_t path_len, key_len;
	const struct state_key *base;	/* NULL: a new one */
	uint32_t high;

	struct draft_added *added;
	size_t added_count, added_cap;
	struct draft_gone *gone;
	size_t gone_count, gone_cap;

	bool changed;			/* a META is to be written, from what follows */
	bool loaded;			/* the lists are copies */
	struct record_deleted *deleted;
	size_t deleted_count, deleted_cap;
	struct record_range *destroyed;
	size_t destroyed_count, destroyed_cap;
	uint32_t max_versions, mcas;
	bool cas_required;
	const char *custom;
	int64_t updated_ms;
	const char *updated_by;

	size_t meta_at, meta_key_len, meta_len;	/* its META in the batch's bytes */
	size_t last;			/* its last META or tombstone record in the batch */
};

struct draft_version {
	enum version_status status;
	int64_t created_ms, expires_ms, deleted_ms;
	uint64_t offset;		/* 0 for an added one */
	const unsigned char *idem;
	const char *deleted_by;		/* "": it is not */
	size_t added;			/* which of the added ones; SIZE_MAX: none */
};

struct draft *draft_new(const char *path, size_t path_len, const char *key, size_t key_len,
    const struct state_key *base);
void draft_free(struct draft *d);

/* false: no such number, ever. */
bool draft_find(const struct draft *d, uint32_t number, int64_t now_ms,
    struct draft_version *out);

/* The highest live version, 0: none. */
uint32_t draft_latest(const struct draft *d, int64_t now_ms);

/* How many numbers are soft-deleted. */
size_t draft_deleted(const struct draft *d);

/* The versions that have a record, and the lowest of them (0: none). */
size_t draft_held(const struct draft *d);
uint32_t draft_oldest(const struct draft *d);

/* The version made with this Idempotency-Key; 0: none. */
uint32_t draft_by_idem(const struct draft *d, const unsigned char digest[32]);

/* In its copied lists: where a number is among the deleted ones, or would be;
 * the first range that does not end before it. */
size_t draft_deleted_rank(const struct draft *d, uint32_t number);
size_t draft_destroyed_rank(const struct draft *d, uint32_t number);

/* Changes.  -1: no memory, and the draft is as before. */
struct draft_added *draft_add(struct draft *d, uint32_t number);
/* A META is to be written: the settings may be changed from now on. */
int draft_change(struct draft *d);
int draft_delete(struct draft *d, uint32_t number, int64_t at_ms, const char *by);
int draft_undelete(struct draft *d, uint32_t number);
int draft_destroy(struct draft *d, uint32_t number);

/* At most so many bytes will the META have, with ${runs} runs of versions
 * deleted by ${by} more, and ${extra} bytes. */
size_t draft_meta_size(const struct draft *d, size_t runs, const char *by, size_t extra);

/* The META's record. */
void draft_meta(const struct draft *d, struct record *out);

#endif /* !REGISTRY_STORE_DRAFT_H */
