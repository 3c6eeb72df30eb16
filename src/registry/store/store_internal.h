#ifndef REGISTRY_STORE_STORE_INTERNAL_H
#define REGISTRY_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/store/state_internal.h"
#include "registry/store/store.h"

struct batch;
struct log_record;
struct random_pool;
struct sealer;

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
	struct store_commit_hook witness;

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

/* --- store_claim.c --- */

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

/* --- store_log.c --- */

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
void store_rotation_note(struct store *s, const char *step);
void store_rotation_fail(struct store *s, const char *text);

/* Call the waiters whose time has come. */
void store_wake_waiters(struct store *s);

/* The writer's thread. */
void *store_writer(void *store);

int64_t store_monotonic_ms(void);

#endif /* !REGISTRY_STORE_STORE_INTERNAL_H */
