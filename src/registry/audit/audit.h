#ifndef REGISTRY_AUDIT_AUDIT_H
#define REGISTRY_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;
struct database;
struct error;
struct key;
struct sqlite3;

/*
 * The audit log (registry-contract 8.3): CloudEvents 1.0 JSON lines in
 * Confluent's shape; each carries seq, prevhash and hash, HMAC-SHA-256 over the
 * previous hash and the line.  They are kept in the database: in one
 * transaction with what they tell of, by the store's writer (audit_write), and
 * those of reads before the answer leaves.  Fail-closed: an event that is not
 * durable within the deadline is refused.
 *
 * The file, standard output and syslog are exports that follow by seq and are
 * completed at the next start; the table keeps the lines that they need, and
 * the last AUDIT_KEPT_LINES.
 */
#define AUDIT_KEPT_LINES 10000U

enum audit_sink_kind { AUDIT_FILE, AUDIT_STDOUT, AUDIT_SYSLOG, AUDIT_SINKS };

struct audit_options {
	struct database *db;
	const char *file;		/* NULL: no file */
	bool to_stdout;
	bool to_syslog;
	bool required[AUDIT_SINKS];	/* an event is to be there, too, before it counts */
	unsigned deadline_ms;
	uint64_t rotate_bytes;		/* 0: never */
	unsigned keep;			/* rotated files kept, 0: all */
	const char *authority, *cluster, *connect;	/* for CRNs */
	const char *type_prefix;
	bool compact;			/* intent and outcome that come together are one line,
					 * which says nothing twice */
	void (*wake)(void *cookie);	/* something waits for audit_write; from any thread */
	void *wake_cookie;
};

/**
 * audit_open(o, key, err):
 * Find the chain's end in the database, complete the file, start a thread for
 * each export and one for deadlines.  Strings and key are copied.
 * ERROR_IO, ERROR_BUSY (another process writes the file), ERROR_REFUSED (the
 * file or its anchor knows of later lines: the database is older),
 * ERROR_DAMAGED (the last line was changed, or it is not an audit log).
 */
struct audit *audit_open(const struct audit_options *o, const struct key *k,
    struct error *err);

/* The last line of this start, to be written by the store's writer. */
void audit_stop(struct audit *a);

/* After the last audit_write: let the exports end; those who still wait are told
 * that it failed.  Takes no longer than the deadline twice, even when a write
 * hangs in the kernel.  false: it does hang, and its thread goes on with what it
 * has when it wakes: end the process without exit(), whose clean-up takes
 * OpenSSL from under it, and leave the database open. */
bool audit_close(struct audit *a);

enum audit_phase { AUDIT_INTENT, AUDIT_OUTCOME };

/* One event; strings are read before audit_submit returns.  NULL or 0: left out. */
struct audit_event {
	enum audit_phase phase;
	const char *method;		/* CreateSecretVersion, ... (8.3) */
	const char *principal;		/* User:NAME; NULL: not authenticated */
	const char *mechanism;		/* BASIC, TOKEN, JWT, MTLS */
	bool authorization;		/* an event of an authorization decision */
	bool granted;
	const char *operation;		/* SecretRead, ... */
	const char *role, *pattern;	/* what granted it; LITERAL or PREFIXED */
	const char *path, *key;		/* path NULL: the cluster */
	size_t path_len, key_len;
	uint32_t version;
	const char *request_id;
	const char *client;		/* address */
	const char *via;		/* the node that forwarded it */
	const char *value_hmac;		/* audit_hmac's text */
	bool has_length;
	size_t length;			/* of the value, bytes */
	bool has_cas;
	int64_t cas;
	const char *idempotency_hmac;
	int status;			/* HTTP status of an outcome */
	const char *message;		/* never a value */
	const char *change;		/* of an intent: what it is to change */
	uint64_t offset;		/* of the change */
	bool has_count;			/* names in a listing, or folded repetitions */
	uint64_t count;
	uint64_t intent;		/* outcome: seq of its intent, 0: the line before */
	const char *own;		/* of the log's own: what happens (start, stop, ...) */
};

/* Waiting for one or two events to be durable.  Embedded in the caller's
 * state; valid until ${done} is called, on one of the audit's threads. */
struct audit_wait {
	void (*done)(struct audit_wait *w);
	void *cookie;
	int failed;			/* not 0: not durable; nothing may be done or told */
	uint64_t seq;			/* of the first event */
	bool lazy;			/* filled by the caller: it wakes the writer soon, so that
					 * events which came together stand in one batch */
	struct audit_wait *next;	/* the audit's, like the rest */
	uint64_t last;
	uint64_t deadline;
};

/**
 * audit_submit(a, events, n, w):
 * Hand in ${n} (1 or 2) events, to stand one after the other.  ${w}->done is
 * called exactly once, also at the deadline (failed; a line that becomes
 * durable later is followed by an outcome "abandoned" of the audit's own).
 * ${w} NULL: nobody waits.  While audit_unready, an intent is refused at once;
 * the outcome of an intent is kept and written when that is possible again,
 * although its wait is told that it failed.
 */
void audit_submit(struct audit *a, const struct audit_event *events, size_t n,
    struct audit_wait *w);

/* --- for who writes the database, on one thread --- */

/* How many events wait to be written.  From any thread. */
size_t audit_waiting(const struct audit *a);

/* One more, for what is changed in the transaction.  ${w} is told only if it is
 * committed.  -1: no memory, or audit_unready. */
int audit_add(struct audit *a, const struct audit_event *events, size_t n,
    struct audit_wait *w, struct error *err);

/* Within a transaction of the writer: write all that waits.  -1: roll it back;
 * in any case audit_written follows. */
int audit_write(struct audit *a, struct error *err);

/* The transaction was committed, or not. */
void audit_written(struct audit *a, bool committed);

/* NULL: writable; else the reason. */
const char *audit_unready(struct audit *a);

/* NULL, or why an export that is not required stays behind. */
const char *audit_behind(struct audit *a);

/* Close and open the file again (SIGHUP); also done when it was moved or
 * deleted. */
void audit_reopen(struct audit *a);

#define AUDIT_HMAC_TEXT 77		/* "hmac-sha256:" and 64 hex digits and NUL */

/* The HMAC of a value, as it stands in events.  From any thread. */
int audit_hmac(struct audit *a, const void *value, size_t n, char out[AUDIT_HMAC_TEXT]);

struct audit_counts {
	uint64_t lines, batches, failures;
	uint64_t waiting;
};
void audit_count(struct audit *a, struct audit_counts *out);

/* Check the chain in the database, by a connection of its own.  From any thread. */
int audit_verify_table(struct database *db, const struct key *k, uint64_t *lines,
    struct error *err);

/**
 * audit_verify(file, key, lines, err):
 * Check the whole chain: ${file}, and beside it ${file}.* whose lines are of
 * the chain, whoever moved them there; and against ${file}.anchor that no lines
 * are missing at either end.  0: whole; else ERROR_DAMAGED at the file and line
 * where it breaks.  ${lines} gets the number of good lines.  A log that is
 * being written can be checked.
 */
int audit_verify(const char *file, const struct key *k, uint64_t *lines, struct error *err);

struct audit_record;

/**
 * audit_follow(file, key, after, line, cookie, end, err):
 * What the files tell behind line ${after}, as far as it is unchanged: call
 * ${line} with each, and say in ${end} where the chain went, by the anchor too, and
 * how many lines up to there are not to be found.
 */
struct audit_end {
	uint64_t seq;
	unsigned char hash[32];
	uint64_t missing;
};
int audit_follow(const char *file, const struct key *k, uint64_t after,
    int (*line)(void *cookie, const struct audit_record *r), void *cookie,
    struct audit_end *end, struct error *err);

/* Have the table go on behind a line that was written without it. */
int audit_adopt(struct sqlite3 *db, const char *path, uint64_t seq,
    const unsigned char hash[32], struct error *err);

/* Which lines `audit search` shows; NULL: any.  Times are UTC, as much of
 * 2026-01-31T12:00:00.123Z as one likes to give; until includes all that begins
 * alike.  ERROR_USAGE: not a time; ERROR_MISSING: no log. */
struct audit_filter {
	const char *principal, *path, *key, *method, *since, *until, *request_id;
	bool denied;
};
int audit_search(const char *file, const struct audit_filter *f,
    int (*line)(void *cookie, const char *text, size_t n), void *cookie, struct error *err);

/**
 * audit_tail(file, max, line, cookie, err):
 * The last lines of the newest file, oldest first: at most ${max}, and those
 * within its last AUDIT_TAIL_BYTES.
 */
#define AUDIT_TAIL_BYTES (2U << 20)
int audit_tail(const char *file, size_t max,
    int (*line)(void *cookie, const char *text, size_t n), void *cookie, struct error *err);

/* A line of the audit log, read back.  Texts are NULL when absent. */
struct audit_record {
	void *root;		/* the JSON; the texts are in it */
	const char *time, *principal, *phase, *request_id;
	const char *method;	/* without "secret-registry." */
	const char *value_hmac, *idempotency_hmac, *message, *client, *operation;
	char *path, *key;	/* decoded from the CRN */
	size_t path_len, key_len;
	long long version, offset;
	long long status;	/* 0: none */
	bool has_granted, granted;
};

/* False: it is not such a line, or no memory.  Release also then. */
bool audit_record_read(const char *line, size_t n, struct audit_record *out);
void audit_record_release(struct audit_record *r);

#endif /* !REGISTRY_AUDIT_AUDIT_H */
