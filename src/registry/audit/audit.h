#ifndef REGISTRY_AUDIT_AUDIT_H
#define REGISTRY_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;
struct audit_commit;
struct error;
struct key;

/*
 * The audit log (registry-contract 8.3): CloudEvents 1.0 JSON lines in
 * Confluent's shape, one thread that writes what is waiting in one go, fsyncs,
 * and tells; each line carries seq, prevhash and hash, HMAC-SHA-256 over the
 * previous hash and the line.  Fail-closed: an event that is not durable in
 * every required sink within the deadline is refused.
 */

/* Lines that are kept elsewhere, see audit_commit_begin. */
struct audit_carry {
	const char *lines;		/* whole ones */
	size_t n;			/* bytes, ..AUDIT_CARRY_MAX */
	unsigned slot;			/* ..AUDIT_CARRY_SLOTS - 1 */
};
#define AUDIT_CARRY_SLOTS 32U
#define AUDIT_CARRY_MAX ((size_t)512 << 10)
#define AUDIT_CARRY_PARTS 8U		/* of one commit, at most */

struct audit_options {
	const char *file;		/* NULL: no file */
	bool to_stdout;
	bool to_syslog;
	unsigned deadline_ms;
	uint64_t rotate_bytes;		/* 0: never */
	unsigned keep;			/* rotated files kept, 0: all */
	const char *authority, *cluster, *connect;	/* for CRNs */
	const char *type_prefix;
	const struct audit_carry *carried;	/* what was kept, in any order */
	size_t carried_count;
};

/**
 * audit_open(o, key, err):
 * Open the sinks, find the chain's end in the file (lines that a crash took
 * are put back from what was carried, but for the last commit's outcomes, see
 * audit_unfinished; a torn last line is closed off, and said
 * so by an event), start the threads.  Strings, lines and key are copied.
 * ERROR_IO, ERROR_BUSY (another process writes the file),
 * ERROR_DAMAGED (its last line was changed, or it is not an audit log).
 */
struct audit *audit_open(const struct audit_options *o, const struct key *k,
    struct error *err);

/* Write what was handed in, and a last line; those who still wait then are
 * told that it failed.  Takes no longer than the deadline twice, even when a
 * write hangs in the kernel.  Nothing may be submitted any more.  false: it
 * does hang, and its thread goes on with what it has when it wakes: end the
 * process without exit(), whose clean-up takes OpenSSL from under it. */
bool audit_close(struct audit *a);

enum audit_phase { AUDIT_INTENT, AUDIT_OUTCOME, AUDIT_RECOVERED };

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
	const char *value_hmac;		/* audit_hmac's text */
	bool has_length;
	size_t length;			/* of the value, bytes */
	bool has_cas;
	int64_t cas;
	const char *idempotency_hmac;
	int status;			/* HTTP status of an outcome */
	const char *message;		/* never a value */
	uint64_t offset;		/* of the record in the log */
	bool has_count;			/* names in a listing, or folded repetitions */
	uint64_t count;
	uint64_t intent;		/* outcome: seq of its intent, 0: unknown (same batch) */
};

/* Waiting for one or two events to be durable.  Embedded in the caller's
 * state; valid until ${done} is called, on one of the audit's threads. */
struct audit_wait {
	void (*done)(struct audit_wait *w);
	void *cookie;
	int failed;			/* not 0: not durable; nothing may be done or told */
	uint64_t seq;			/* of the first event */
	bool lazy;			/* filled by the caller: audit_wake follows soon */
	struct audit_wait *next;	/* the audit's */
	void *lines;
	uint64_t deadline;
};

/**
 * audit_submit(a, events, n, w):
 * Hand in ${n} (1 or 2) events, to stand one after the other.  ${w}->done is
 * called exactly once, also at the deadline (failed; a line that becomes
 * durable later is followed by an outcome "abandoned" of the audit's own).
 * ${w} NULL: nobody waits.  While audit_unready, an intent is refused at once;
 * the outcome of a change is kept and written when that is possible again,
 * although its wait is told that it failed.
 */
void audit_submit(struct audit *a, const struct audit_event *events, size_t n,
    struct audit_wait *w);

/* Begin to write what was submitted with lazy waits, so that events which came
 * together stand in one batch. */
void audit_wake(struct audit *a);

/*
 * Changes that become durable in one act with their lines: those are written to
 * every sink, but the file is not synced for them, as whoever makes the changes
 * keeps a copy beside them.
 */
struct audit_commit *audit_commit_new(struct audit *a, struct error *err);

/* One change, before and after. */
int audit_commit_add(struct audit_commit *c, const struct audit_event *intent,
    const struct audit_event *outcome, struct error *err);

/**
 * audit_commit_begin(c, parts, count, err):
 * Write the intents.  0: they stand in every required sink.  Now make the
 * changes, and in the same atomic act keep each of the ${*count} parts in the
 * place of what was kept in its slot before; then call audit_commit_end.
 * Meanwhile nothing else is written, so this is for what takes no longer than a
 * sync.  -1: not within the deadline: nothing may
 * be changed, ${c} can only be freed.  One thread, one commit at a time.
 */
int audit_commit_begin(struct audit_commit *c, struct audit_carry parts[AUDIT_CARRY_PARTS],
    size_t *count, struct error *err);

/* The seq of the intent that was added as the ${i}th, after audit_commit_begin. */
uint64_t audit_commit_intent(const struct audit_commit *c, size_t i);

/**
 * audit_commit_end(c, done):
 * ${done}: the changes and the parts are durable: the outcomes are written.  -1:
 * a required sink does not take them; that is made up for later, but nothing may
 * be told.  Else the intents stay without outcome: submit other ones.
 */
int audit_commit_end(struct audit_commit *c, bool done);
void audit_commit_free(struct audit_commit *c);

/* NULL: writable; else the reason. */
const char *audit_unready(struct audit *a);

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

/**
 * audit_unfinished(a, visit, cookie, err):
 * At start: visit each intent of a write in the file (and the rotated ones
 * before it, as far as needed) that has no outcome, so that the caller can
 * look in the store and submit an AUDIT_RECOVERED event, with ${intent} the
 * seq.  Call it once, after audit_open: it also lets later starts know from
 * where to look.
 */
struct audit_unfinished {
	uint64_t seq;
	const char *method, *principal, *path, *key, *request_id;
	uint32_t version;
	const char *idempotency_hmac, *value_hmac;
	const char *time;
	int status;		/* of the outcome that was carried; 0: none was */
	uint32_t done;		/* ... and the version it tells, 0: none */
};
int audit_unfinished(struct audit *a, void (*visit)(void *cookie,
    const struct audit_unfinished *u), void *cookie, struct error *err);

/**
 * audit_verify(file, key, lines, err):
 * Check the whole chain: ${file}, and beside it ${file}.* whose lines are of
 * the chain, whoever moved them there; and against ${file}.anchor that no lines
 * are missing at either end.  0: whole; else ERROR_DAMAGED at the file and line
 * where it breaks.  ${lines} gets the number of good lines.  A log that is
 * being written can be checked.
 */
int audit_verify(const char *file, const struct key *k, uint64_t *lines, struct error *err);

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
	long long version;
	long long status;	/* 0: none */
	bool has_granted, granted;
};

/* False: it is not such a line, or no memory.  Release also then. */
bool audit_record_read(const char *line, size_t n, struct audit_record *out);
void audit_record_release(struct audit_record *r);

#endif /* !REGISTRY_AUDIT_AUDIT_H */
