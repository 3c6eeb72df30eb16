#ifndef REGISTRY_STORE_STORE_INTERNAL_H
#define REGISTRY_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/store/record.h"
#include "registry/store/state_internal.h"
#include "registry/store/store.h"

struct batch;
struct random_pool;
struct sealer;

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

/* Decide one op: what is to be written is added to the batch. */
void decide_op(struct batch *b, struct store_op *op);

/* --- what they share --- */

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

#define STORE_BATCH_OPS 256		/* group commit: at most so many actions, */
#define STORE_BATCH_BYTES (4U << 20)	/* or begun when so many bytes are in it */
#define STORE_STEP_RECORDS 500		/* of a rotation's or sweep's step */
#define STORE_TICK_MS 1000		/* the writer looks for what is due */
#define STORE_TELLS 8			/* steps of rotations nobody listened to yet */

/* The rotation that is going on; the writer's, but for ${shown}. */
struct rotation {
	bool active;
	const struct state_path *path;	/* where it is; NULL: at the start */
	const struct state_key *key;
	uint32_t version;
	unsigned passes;
	uint64_t unreadable;		/* records of this pass that did not open */
	int64_t drop_at_ms;		/* by the monotonic clock; 0: not there yet */
	struct rotation_state shown;	/* under the mutex */

	struct {
		char step[16];
		struct rotation_state state;
	} tells[STORE_TELLS];
	size_t tell_count;
	void (*tell)(void *cookie, const char *step, const struct rotation_state *r);
	void *tell_cookie;
};

/* What store_rotate asks of the writer, and waits for. */
struct rotate_request {
	enum { REQUEST_NONE, REQUEST_MADE, REQUEST_TAKEN, REQUEST_ANSWERED } state;
	const struct master *fresh;
	int result;
	struct error err;
};

struct store {
	struct log *log;
	struct state *state;
	struct keyring *ring;
	struct sealer *sealer;
	struct random_pool *pool;
	char *node;
	uint64_t epoch;
	uint64_t window_ms;
	int64_t (*now)(void *cookie);
	void *now_cookie;
	bool no_thread;
	struct store_commit_hook hook;

	/* The writer's. */
	int64_t last_ms;		/* no version is older than the one before */
	bool fenced;			/* another claim: never writes again */
	bool behind;			/* the log may hold more than the state */
	bool unsettled;			/* an append may land yet: claim before the next */
	uint64_t seen_end;		/* the log's end when it was last read to it */
	bool ring_dirty;		/* the keyring is not in the log as it is */
	struct buf sealed;		/* scratch */
	struct buf plain;		/* scratch, secret */
	struct rotation rotation;

	_Atomic(const char *) unready;	/* a string that lasts */

	pthread_mutex_t mutex;
	pthread_cond_t wake;		/* for the writer */
	pthread_cond_t answered;	/* for store_rotate */
	struct store_op *first, **last;
	size_t waiting;			/* from first on */
	size_t taken;			/* at once, the last time */
	size_t together;		/* so many came about at once lately */
	uint64_t run_ns;			/* that the last ones took */
	struct store_waiter *waiters;
	struct rotate_request request;
	bool woken;			/* something else than an op is to be looked at */
	bool stopping;
	bool threaded;
	pthread_t thread;
};

/* --- store_writer.c: being the only writer --- */

/**
 * store_claim(s, err):
 * Become the only writer (again), and fold what the log has by then: nothing
 * else that was sent before can land any more.  ERROR_BUSY: among it is a
 * keyring that is not ours, so that this store must not write.
 */
int store_claim(struct store *s, struct error *err);

/* After an append without an answer: its offset, if the log has it.
 * ERROR_STALE: it has not, or could not be asked. */
int store_look_for(struct store *s, const struct log_record *records, size_t n,
    uint64_t *first, struct error *err);

/* Fold what the log has beyond the state, if that may be anything. */
int store_catch_up(struct store *s, struct error *err);

/* Fold everything from the state's offset on. */
int store_fold(struct store *s, struct error *err);

/* --- store_run.c: the log --- */

/**
 * store_append(s, records, n, first, err):
 * Append and fold, all or nothing.  ERROR_STALE: not known whether it was
 * written (see store_look_for).
 */
int store_append(struct store *s, const struct log_record *records, size_t n, uint64_t *first,
    struct error *err);

/* What has to be in the log before anything else: a claim if an outcome is not
 * known; the keyring if it changed; losers go.  -1: nothing can be written now. */
int store_prepare(struct store *s, struct error *err);

int store_save_keyring(struct store *s, struct error *err);

/* --- the writer's parts --- */

/* The time of a new record: never before that of an earlier one. */
int64_t store_stamp(struct store *s);

/* Decide and write all of a list of ops, and tell their submitters. */
void store_run(struct store *s, struct store_op *ops);

/* Destroy what is due, in one batch; false: nothing (more) is due now. */
bool store_sweep(struct store *s);

/* Begin a rotation, or go on with one if the log shows it (${step} is told);
 * one step of it (false: nothing more can be done now); tell what was not
 * told yet. */
int store_rotation_begin(struct store *s, const struct master *fresh, struct error *err);
void store_rotation_resume(struct store *s, const char *step);
bool store_rotation_step(struct store *s);
void store_rotation_tell(struct store *s);

/* Call the waiters whose time has come. */
void store_wake_waiters(struct store *s);

/* The writer's thread. */
void *store_writer(void *store);

int64_t store_monotonic_ms(void);

#endif /* !REGISTRY_STORE_STORE_INTERNAL_H */
