#ifndef REGISTRY_STORE_STORE_H
#define REGISTRY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct database;
struct kafka_options;
struct keyring;
struct master;
struct reader;
struct store;
struct store_op;

/*
 * The registry's store: tables of a database, and one writer's thread that
 * decides (numbers, check-and-set), seals, and commits what is waiting in one
 * transaction (group commit), together with the lines of the audit log.
 * Rotation and the removal of what is expired run on the same thread, in small
 * steps.
 */

/*
 * What is to be on record in the same transaction.  All but waiting are called
 * on the writer's thread.
 */
struct store_commit_hook {
	/* How many things wait for a commit beside the store's actions.  From any
	 * thread; store_wake when there is one more. */
	size_t (*waiting)(void *cookie);

	/* Within the transaction: the ${n} actions are decided, with their offsets
	 * told.  0: what is to be on record of them, and what waited, is written;
	 * -1: ${err}, and nothing of all that will be. */
	int (*write)(void *cookie, struct store_op *const *ops, size_t n, struct error *err);

	/* It is committed, and from now on the hook's to call ${done} of the actions;
	 * or (${written} false) it is not, and they will be told by the store. */
	void (*after)(void *cookie, struct store_op *const *ops, size_t n, bool written);
	void *cookie;
};

enum store_copy { STORE_COPY_NONE, STORE_COPY_TO_TOPIC, STORE_COPY_TO_LOCAL };

struct store_options {
	struct database *db;		/* stays open until after store_close */
	const struct master *master;
	const struct master *const *old;	/* earlier master secrets */
	size_t old_count;
	uint64_t undelete_window_ms;	/* after it, deleted versions are destroyed */
	uint64_t quota, path_quota;	/* bytes of sealed values, in all and of a path; 0: any */
	int64_t (*now)(void *cookie);	/* milliseconds since 1970; NULL: the clock */
	void *now_cookie;
	const struct kafka_options *kafka;	/* a topic is the truth; NULL: the tables are */
	enum store_copy copy;		/* for store_copy alone */
	const char *url;		/* of this node, for the topic's other nodes */
	bool no_thread;			/* for tests: store_step runs the writer */
};

/**
 * store_open(o, err):
 * Open the keyring (an empty database gets a new one; one with secrets and no
 * keyring is ERROR_DAMAGED), put it under the new master secret if an old one
 * fitted, go on with a rotation that was interrupted.  NULL: ERROR_KEY (no
 * master secret fits: nothing was changed).
 */
struct store *store_open(const struct store_options *o, struct error *err);

/* Finish what was submitted, stop the thread (no_thread: what was submitted
 * and not yet run is left).  Waiters are not called any more. */
void store_close(struct store *s);

/* Before the first action is submitted; without it nothing is on record. */
void store_set_commit_hook(struct store *s, const struct store_commit_hook *w);

struct database *store_database(struct store *s);
struct keyring *store_keyring(struct store *s);

/* NULL-terminated reason why nothing can be written now; NULL: it can. */
const char *store_unready(const struct store *s);

int64_t store_now(const struct store *s);

/* --- a topic as the truth --- */

enum log_role {
	LOG_LOCAL,		/* there is no topic */
	LOG_FOLLOWER,		/* another node writes, or nobody */
	LOG_CLAIMING,		/* about to lead */
	LOG_LEADER
};

#define STORE_SILENCE_MS 5000	/* a silence_ms that is more is told, and nothing is forwarded */

struct store_log_state {
	enum log_role role;
	bool folded;			/* the topic was read to its end once */
	const char *stopped;		/* NULL, or why it is not gone on with; lasts */
	char wrong[256];		/* "", or why it takes nothing until that is right */
	bool locked;			/* ... which is that no master secret fits the keyring */
	int64_t position;		/* in the topic: everything before it is in the tables */
	uint64_t revision;		/* of the last batch */
	uint64_t foreign;		/* records that were not ours */
	uint64_t commits, refused, unknown;	/* batches */
	uint64_t claims, fenced;
	int64_t silence_ms;		/* since brokers do not tell how the topic is, 0: they do */
	const char *denied;		/* NULL, or what brokers do not allow, so that it cannot
					 * lead; lasts */
	char leader[256];		/* its address, "": not known */
	char complaint[256];		/* the last of librdkafka's */
};

/* From any thread. */
void store_log_state(struct store *s, struct store_log_state *out);

/* Why nothing may be read, NULL: it may.  Its silence_ms is more than ${bound_ms} (0: any
 * will do), or it cannot open what is in the topic.  For each request. */
const char *store_withheld(struct store *s, unsigned bound_ms);

struct store_copied {
	uint64_t versions;
	const char *stopped;		/* NULL, or why the topic could not be read to its end */
};

/**
 * store_copy(o, out, err):
 * Fill the topic, which must have nothing, with what is in the database, which is
 * its copy from then on; or read the topic to its end and let the database be the
 * truth.  ${o} with kafka, copy and no_thread.
 */
int store_copy(const struct store_options *o, struct store_copied *out, struct error *err);

/* With a topic: a master secret that a keyring which another node writes may be under.
 * It is the store's from then on. */
void store_give_master(struct store *s, struct master *m);

/* The offset that the next change will get, as it is committed.  From any thread. */
uint64_t store_offset(struct store *s);

/* Is there a topic?  An action's intent is then to be on record before it is submitted,
 * and the commit hook is told of none. */
bool store_has_log(const struct store *s);

enum store_action {
	STORE_CREATE,
	STORE_DELETE_VERSION, STORE_DELETE_KEY, STORE_DELETE_PATH,
	STORE_UNDELETE, STORE_DESTROY,
	STORE_META,
	STORE_ACCESS,		/* see store_access_add; CAS_MISMATCH: another was quicker */
	STORE_RESTORE,		/* ${backup} in the place of all; FAILED: not now */
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
	STORE_QUOTA,		/* too many bytes: ${current} 0 in all, 1 of the path, 2 for
				 * the disk */
	STORE_UNKNOWN,		/* the disk does not say whether it was written */
	STORE_FAILED		/* nothing was written; ${err} */
};

/* A version that an action touched. */
struct store_touched {
	size_t key_at, key_len;	/* in the op's ${names} */
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
	int64_t ttl_ms, given_ms;	/* CREATE: 0 none; and when it was created, 0: now */
	int64_t cas;			/* CREATE: -1 none; META: compared with mcas */
	int64_t if_match;		/* version that must be the current one, -1 none */
	bool if_none_match;		/* "*": must have no live version */
	bool has_idem;
	unsigned char idem[64];		/* digests of caller and key, and of the body */
	struct buf custom;		/* CREATE and META: JSON object, empty: unchanged */

	struct store_backup *backup;	/* RESTORE: released with the op */

	bool set_max_versions, set_cas_required;	/* META */
	uint32_t max_versions;
	bool cas_required;

	void (*done)(struct store_op *op);
	void *cookie;

	/* the answer */
	enum store_result result;
	struct error err;
	uint32_t current;		/* CAS_MISMATCH, PRECONDITION: the live version, 0: none */
	uint64_t offset;		/* of the last change */
	int64_t created_ms, expires_ms;
	struct store_touched *touched;	/* deletes: what was deleted, in order */
	size_t touched_count;		/* RESTORE: versions that there are now */
	struct buf names;

	struct store_op *next;		/* the store's */
	int64_t submitted_ms;		/* by the monotonic clock */
};

/* Start with everything empty or off. */
void store_op_init(struct store_op *op, enum store_action action);
void store_op_release(struct store_op *op);

/**
 * store_backup_open(s, path, err):
 * A backup of this registry, checked from end to end, for a STORE_RESTORE.  From any thread.
 * NULL: ERROR_MISSING, ERROR_REFUSED (of another registry, or edition), ERROR_KEY (under
 * another master secret than the one in force), ERROR_DAMAGED, ERROR_IO.
 */
struct store_backup *store_backup_open(struct store *s, const char *path, struct error *err);
void store_backup_close(struct store_backup *b);

void store_submit(struct store *s, struct store_op *op);

/* The same, but the writer is woken only by store_wake, which must follow
 * soon: actions that came together are committed together. */
void store_submit_lazily(struct store *s, struct store_op *op);
void store_wake(struct store *s);

/* Run the writer until nothing is waiting (no_thread). */
void store_step(struct store *s);

/* --- users, tokens, bindings and roles, with a topic --- */

/*
 * They are rows of a table and records of the topic, each a text of JSON under a kind
 * and a name that the store makes nothing of.  What stands for ACCESS_TAKEN says that
 * they are in force, and not the files of the data folder any more.
 */
#define ACCESS_TAKEN 0U		/* a kind; its only name is "taken" */

/* One more row for a STORE_ACCESS to change: from ${was} (NULL: it is not there) to
 * ${value} (NULL: it goes).  All of an action's rows, or none.  ${anyway}: whatever was
 * there. */
void store_access_add(struct store_op *op, uint32_t kind, const char *name, const char *was,
    const char *value, bool anyway);

/* Submit it and wait.  -1: ERROR_STALE: another change was quicker, nothing was done;
 * ERROR_IO: it is not known; others: nothing was done.  Not on the writer's thread. */
int store_access_run(struct store *s, struct store_op *op, struct error *err);

/* Visit what is committed of a kind by name, bindings (${by_value}) by what they say,
 * until ${visit} returns -1, which it sets ${err} for.  From any thread. */
int store_access_read(struct database *d, uint32_t kind, bool by_value,
    int (*visit)(void *cookie, const char *name, const char *value, size_t n,
    struct error *err), void *cookie, struct error *err);

/* Another number after each change; 0: they are not in force.  From any thread. */
uint64_t store_access_stamp(const struct store *s);

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
 * Waits until the writer has begun (a passphrase's scrypt, one commit); should
 * that write fail, the rotation is on all the same and goes on with the disk
 * (${failure} of store_rotation).  Records that cannot be opened stay, with
 * their data key.  ${fresh} is not used after the call.
 * ERROR_BUSY: one is running, with no other secret; ERROR_IO: it cannot be written.
 */
int store_rotate(struct store *s, const struct master *fresh, struct error *err);
void store_rotation(struct store *s, struct rotation_state *out);

/* Called on the writer's thread at each step of a rotation, for the audit:
 * started, finished, failed, resumed. */
void store_on_rotation(struct store *s, void (*tell)(void *cookie, const char *step,
    const struct rotation_state *r), void *cookie);

/* Waiters for changes (watch): ${woken} is called once, on the writer's
 * thread, when the offset of the next change is beyond ${since} (at once if it is). */
struct store_waiter {
	uint64_t since;
	void (*woken)(struct store_waiter *w);
	void *cookie;
	struct store_waiter *next;
};
void store_wait(struct store *s, struct store_waiter *w);

/* false: it was woken already (or will be at any moment). */
bool store_unwait(struct store *s, struct store_waiter *w);

/* --- the first edition (takeover.c) --- */

struct takeover {
	uint64_t secrets;	/* versions */
	uint64_t quarantined;	/* records that made no sense, */
	uint64_t unknown;	/* or are of a type or format not known here */
};

/**
 * store_take_over(path, out, err):
 * Put the tables with what the first edition's file says in its place; the old
 * file stays as ${path}.v1.  1: done; 0: it is not of the first edition.  Killed at
 * any moment, the next call does it.
 */
int store_take_over(const char *path, struct takeover *out, struct error *err);

#endif /* !REGISTRY_STORE_STORE_H */
