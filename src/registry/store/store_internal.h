#ifndef REGISTRY_STORE_STORE_INTERNAL_H
#define REGISTRY_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/database/database.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"

struct sealed_name;
struct sealer;
struct store_log;

/* A version's state, and what a change was, as they stand in the tables. */
enum row_state { ROW_LIVE, ROW_EXPIRED, ROW_DELETED };
enum row_change { CHANGE_CREATED, CHANGE_DELETED, CHANGE_UNDELETED, CHANGE_DESTROYED,
    CHANGE_METADATA };

#define STORE_VALUE_MAX (1U << 20)	/* bytes of a value */
#define STORE_BATCH_OPS 256		/* group commit: at most so many actions, */
#define STORE_BATCH_BYTES (4U << 20)	/* or begun when so many bytes are in it */
#define STORE_STEP_ROWS 500		/* of a rotation's or sweep's step */
#define STORE_PROBE (64U << 10)	/* bytes that there must be room for again */
#define STORE_TICK_MS 1000		/* the writer looks for what is due */
#define STORE_TELLS 8			/* steps of rotations nobody listened to yet */

/* The rotation that is going on; the writer's, but for ${shown}. */
struct rotation {
	bool active;
	uint64_t offset;		/* all up to it is looked at */
	uint64_t unreadable;		/* rows that did not open */
	uint32_t needed[64];		/* their data keys */
	size_t needed_count;
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

enum write_statement {
	WRITE_SECRET, WRITE_IDEMPOTENCY, WRITE_CHANGE, WRITE_FORGET_CHANGES, WRITE_SETTING,
	WRITE_HIGH, WRITE_STATE, WRITE_SEALED, WRITE_DESTROY, WRITE_DESTROY_IDEMPOTENCY,
	WRITE_KEYRING, WRITE_ROOM, READ_REPEATED, READ_HELD, READ_BYTES, READ_PATH_BYTES,
	READ_EXPIRED, READ_PAST, READ_SEALED, WRITE_COUNT
};

struct store {
	struct database *db;
	const char *path;		/* of the database, for errors */
	struct keyring *ring;
	struct sealer *sealer;
	uint64_t window_ms;
	uint64_t quota, path_quota;
	int64_t (*now)(void *cookie);
	void *now_cookie;
	bool no_thread;
	struct store_commit_hook hook;

	/* The writer's. */
	sqlite3_stmt *statements[WRITE_COUNT];
	struct reader *reader;		/* of the same connection: it sees what is not
					 * committed yet */
	uint64_t next;			/* the next change's offset */
	uint64_t remembered;		/* changes are there from this offset on */
	int64_t last_ms;		/* no version is older than the one before */
	bool ring_dirty;		/* the keyring is not in the database as it is */
	int64_t room;			/* bytes that the batch may add to the disk */
	bool probing;
	int64_t probe_ms;		/* not before, by the monotonic clock */
	bool due;			/* some version will expire or be destroyed */
	uint64_t begun_next, begun_remembered;	/* as the transaction began */
	struct buf sealed;		/* scratch */
	struct buf plain;		/* scratch, secret */
	struct rotation rotation;
	struct store_log *log;		/* NULL: the tables are the truth */
	bool access_touched;		/* by the transaction that is open */
	_Atomic uint64_t access_stamp;	/* see store_access_stamp */

	_Atomic(const char *) unready;	/* a string that lasts */

	pthread_mutex_t mutex;
	pthread_cond_t wake;		/* for the writer */
	pthread_cond_t answered;	/* for store_rotate */
	struct store_op *first, **last;
	size_t waiting;			/* from first on */
	size_t taken;			/* at once, the last time */
	size_t together;		/* so many came about at once lately */
	uint64_t run_ns;		/* that the last ones took */
	uint64_t shown_next;		/* next, as committed */
	struct store_waiter *waiters;
	struct rotate_request request;
	bool woken;			/* something else than an op is to be looked at */
	bool stopping;
	bool threaded;
	pthread_t thread;
};

/* A reader over the writer's connection, and the moment that it goes by. */
struct reader *reader_on(sqlite3 *db, const char *path, struct error *err);
void reader_set_now(struct reader *r, int64_t now_ms);
/* Between two statements that write: nothing is being read. */
void reader_reset(struct reader *r);

/* --- decide.c: within a transaction --- */

/**
 * decide_op(s, op, now_ms, err):
 * Set the op's result, and write what it does.  1: it wrote something; 0: it
 * did not; -1: the transaction cannot be gone on with.
 */
int decide_op(struct store *s, struct store_op *op, int64_t now_ms, struct error *err);

/* Destroy one version, at ${offset}, of a key with this highest number. */
int decide_destroy(struct store *s, const struct secret_name *name, uint32_t number,
    uint64_t offset, uint32_t high, struct error *err);

/* --- store_restore.c: within a transaction --- */

/* As decide_op, of a STORE_RESTORE. */
int restore_decide(struct store *s, struct store_op *op, struct error *err);

/* --- store_access.c: within a transaction --- */

/* As decide_op, of a STORE_ACCESS. */
int access_decide(struct store *s, struct store_op *op, struct error *err);

/* Put one in its place; ${value} NULL: it is gone. */
int access_put(struct store *s, uint32_t kind, const char *name, size_t name_len,
    const char *value, size_t n, struct error *err);

/* What was touched is committed; or (at the start) may have been before. */
void access_committed(struct store *s);

/* --- takeover.c --- */

/* Fill the tables of ${to} with what the first edition's records in ${from} say. */
int takeover_fold(sqlite3 *from, sqlite3 *to, struct takeover *out, struct error *err);

/* --- store_writer.c --- */

/* The time of a new record: never before that of an earlier one. */
int64_t store_stamp(struct store *s);

/* Begin a transaction that knows the keyring; end it, with what the hook has to
 * write of ${ops}.  -1: nothing was written (ERROR_STALE: not known). */
int store_begin(struct store *s, struct error *err);
int store_commit(struct store *s, struct store_op *const *ops, size_t n, struct error *err);
void store_rollback(struct store *s);

int store_save_keyring(struct store *s, struct error *err);

/* Commit what stands in the tables, whether or not there is a topic. */
int store_commit_here(struct store *s, struct store_op *const *ops, size_t n, struct error *err);

/* Open the keyring of the database.  1; 0: there is none; -1. */
int store_read_ring(struct store *s, const struct store_options *o, bool *used_old,
    struct error *err);

/* Tell an action that it is done as it was decided; or that it is not. */
void store_tell(struct store_op *op);
void store_fail(struct store_op *op, const struct error *why);

/* --- sweep and rotation (store_rotate.c) --- */

/* What ${from} opens, sealed under the active key, in ${s}->sealed; errors are those of
 * sealer_open and sealer_seal. */
int store_seal_again(struct store *s, struct sealer *from, const struct sealed_name *name,
    const void *sealed, size_t n, struct error *err);

/* Mark and destroy what is due; false: nothing (more) is due now. */
bool store_sweep(struct store *s);

/* Begin a rotation, or go on with one if the keyring shows it (${step} is
 * told); one step of it (false: nothing more can be done now); tell what was
 * not told yet. */
int store_rotation_begin(struct store *s, const struct master *fresh, struct error *err);
int store_rotation_resume(struct store *s, const char *step, struct error *err);
bool store_rotation_step(struct store *s);

/* It is somebody else's now. */
void store_rotation_leave(struct store *s);
void store_rotation_tell(struct store *s);

#endif /* !REGISTRY_STORE_STORE_INTERNAL_H */
