#ifndef REGISTRY_STORE_STORE_H
#define REGISTRY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct keyring;
struct log;
struct master;
struct state;
struct store;
struct store_op;

/*
 * The registry's store: a log, the state folded from it, and one writer's
 * thread that decides (numbers, check-and-set), seals, appends what is waiting
 * as one batch (group commit), folds it, and tells.  Rotation and the removal
 * of what is expired run on the same thread, in small steps.
 */

/* What the log is to keep beside a batch, in the place of the slot's last. */
struct store_carry {
	const void *text;
	size_t n;			/* bytes, ..LOG_VALUE_MAX */
	unsigned slot;			/* ..RECORD_SLOT_MAX */
};
#define STORE_CARRY_PARTS 8U

/* Who has to know of every action that changes something, on the writer's thread. */
struct store_commit_hook {
	/* They are decided, with their offsets told, and about to be written.  0:
	 * with ${*count} parts beside them; -1: not, ${err}. */
	int (*before)(void *cookie, struct store_op *const *ops, size_t n,
	    struct store_carry parts[STORE_CARRY_PARTS], size_t *count, struct error *err);
	/* They were written, or not.  Not called when before failed. */
	void (*after)(void *cookie, struct store_op *const *ops, size_t n, bool written);
	void *cookie;
};

struct store_options {
	struct log *log;		/* owned from now on, also on failure */
	const struct master *master;
	const struct master *const *old;	/* earlier master secrets */
	size_t old_count;
	const char *node;		/* who claims the log */
	uint64_t undelete_window_ms;	/* after it, deleted versions are destroyed */
	int64_t (*now)(void *cookie);	/* milliseconds since 1970; NULL: the clock */
	void *now_cookie;
	bool no_thread;			/* for tests: store_step runs the writer */
};

/**
 * store_open(o, err):
 * Claim the log, fold all of it, open the keyring (an empty log gets a new
 * one; a log with records and no keyring is ERROR_DAMAGED), put it under the
 * new master secret if an old one fitted, go on with a rotation that was
 * interrupted.  NULL: ERROR_KEY (no master secret fits: nothing was changed).
 */
struct store *store_open(const struct store_options *o, struct error *err);

/* Finish what was submitted, stop the thread (no_thread: what was submitted
 * and not yet run is left).  Waiters are not called any more. */
void store_close(struct store *s);

/* Before the first action is submitted; none: nobody has to know. */
void store_set_commit_hook(struct store *s, const struct store_commit_hook *w);

/* What the slot kept when the store was opened; NULL: nothing.  Until
 * store_forget_carried. */
const char *store_carried(const struct store *s, unsigned slot, size_t *n);
void store_forget_carried(struct store *s);

/* To read (state.h) and to open values. */
struct state *store_state(struct store *s);
struct keyring *store_keyring(struct store *s);

/* NULL-terminated reason why nothing can be written now; NULL: it can. */
const char *store_unready(const struct store *s);

int64_t store_now(const struct store *s);

enum store_action {
	STORE_CREATE,
	STORE_DELETE_VERSION, STORE_DELETE_KEY, STORE_DELETE_PATH,
	STORE_UNDELETE, STORE_DESTROY,
	STORE_META,
	STORE_BARRIER		/* nothing: done once all before it is */
};

enum store_result {
	STORE_DONE,
	STORE_REPEATED,		/* CREATE: Idempotency-Key used before: ${version} as then */
	STORE_ABSENT,		/* nothing there to delete, undelete or destroy */
	STORE_CAS_MISMATCH,	/* ${current} tells what is there */
	STORE_CAS_MISSING,	/* cas_required, and none was given */
	STORE_PRECONDITION,	/* if_match or if_none_match failed */
	STORE_IDEM_MISMATCH,	/* this Idempotency-Key with another body */
	STORE_DESTROYED,	/* UNDELETE of what is destroyed */
	STORE_EXHAUSTED,	/* no number is left */
	STORE_UNKNOWN,		/* the log does not say whether it was written */
	STORE_FAILED		/* nothing was written; ${err} */
};

/* A version that an action touched. */
struct store_touched {
	const char *key;	/* in the op's ${names} */
	size_t key_len;
	uint32_t version;
};

/*
 * One action.  The submitter fills the first part and leaves the struct alone
 * until ${done} has been called (on the writer's thread); it owns the struct,
 * the buffers in it are released by store_op_release.
 */
struct store_op {
	enum store_action action;
	char path[256];			/* NUL-terminated; valid names only */
	size_t path_len;
	char key[256];
	size_t key_len;
	uint32_t version;		/* DELETE_VERSION, UNDELETE, DESTROY */
	const char *by;			/* principal */

	struct buf value;		/* CREATE: secret */
	int64_t ttl_ms;			/* CREATE: 0 none */
	int64_t cas;			/* CREATE: -1 none; META: compared with mcas */
	int64_t if_match;		/* version that must be the current one, -1 none */
	bool if_none_match;		/* "*": must have no live version */
	bool has_idem;
	unsigned char idem[64];		/* digests of caller and key, and of the body */
	struct buf custom;		/* CREATE and META: JSON object, empty: unchanged */

	bool set_max_versions, set_cas_required;	/* META */
	uint32_t max_versions;
	bool cas_required;

	void (*done)(struct store_op *op);
	void *cookie;

	/* the answer */
	enum store_result result;
	struct error err;
	uint32_t current;		/* CAS_MISMATCH, PRECONDITION: the live version, 0: none */
	uint64_t offset;		/* of the last record written */
	int64_t created_ms, expires_ms;
	struct store_touched *touched;	/* deletes: what was deleted, in order */
	size_t touched_count;
	struct buf names;

	struct store_op *next;		/* the store's */
};

/* Start with everything empty or off. */
void store_op_init(struct store_op *op, enum store_action action);
void store_op_release(struct store_op *op);

void store_submit(struct store *s, struct store_op *op);

/* The same, but the writer is woken only by store_wake, which must follow
 * soon: actions that came together are committed together. */
void store_submit_lazily(struct store *s, struct store_op *op);
void store_wake(struct store *s);

/* Run the writer until nothing is waiting (no_thread). */
void store_step(struct store *s);

/* --- rotation --- */

struct rotation_state {
	bool running;
	uint32_t from_kid, to_kid;
	uint64_t done, total;		/* records */
	int64_t started_ms, finished_ms;
	char failure[256];		/* "": none */
};

/**
 * store_rotate(s, fresh, err):
 * Start an online rotation: under ${fresh} if it is another master secret
 * (NULL: the same stays), then a new data key and every record sealed again;
 * the keys before are dropped at the end.  Versions, dates and ETags stay.
 * Waits until the writer has begun (a passphrase's scrypt, one append); should
 * that append fail, the rotation is on all the same and goes on with the log
 * (${failure} of store_rotation).  Records that cannot be opened stay, with
 * their data key.  ${fresh} is not used after the call.
 * ERROR_BUSY: one is running; ERROR_IO: nothing can be written now.
 */
int store_rotate(struct store *s, const struct master *fresh, struct error *err);
void store_rotation(struct store *s, struct rotation_state *out);

/* Called on the writer's thread at each step of a rotation, for the audit:
 * started, finished, failed, resumed. */
void store_on_rotation(struct store *s, void (*tell)(void *cookie, const char *step,
    const struct rotation_state *r), void *cookie);

int store_backup(struct store *s, const char *path, struct error *err);

/* Waiters for changes (watch): ${woken} is called once, on the writer's
 * thread, when the state's offset is beyond ${since} (at once if it is). */
struct store_waiter {
	uint64_t since;
	void (*woken)(struct store_waiter *w);
	void *cookie;
	struct store_waiter *next;
};
void store_wait(struct store *s, struct store_waiter *w);

/* false: it was woken already (or will be at any moment). */
bool store_unwait(struct store *s, struct store_waiter *w);

#endif /* !REGISTRY_STORE_STORE_H */
