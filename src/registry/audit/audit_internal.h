#ifndef REGISTRY_AUDIT_AUDIT_INTERNAL_H
#define REGISTRY_AUDIT_AUDIT_INTERNAL_H

#include <sys/types.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/mac.h"
#include "registry/audit/audit.h"

struct audit_lines;
struct audit_sink;
struct audit_style;

/*
 * Text that is put together in a buffer of fixed size, as fast as can be: this
 * is done for every request.  What does not fit is dropped, so the buffer must
 * be large enough for the longest that can come.
 */
struct audit_text {
	char *at;
	char *end;
};

static inline void
audit_text_put(struct audit_text *t, const void *bytes, size_t n)
{
	if ((size_t)(t->end - t->at) < n)
		return;
	memcpy(t->at, bytes, n);
	t->at += n;
}

/* A literal. */
#define AUDIT_TEXT_PUT(t, literal) audit_text_put((t), "" literal, sizeof(literal) - 1)

#define AUDIT_TEXT_TIME 24

/*
 * The chain of lines.  A line is a JSON object that ends with
 *
 *	,"seq":N,"prevhash":"HEX","hash":"HEX"}
 *
 * seq counts from 1; prevhash is the hash of the line before, of the first
 * zeros; hash is the HMAC-SHA-256 under the key derived for AUDIT_CHAIN_PURPOSE
 * (mac.h) over prevhash's 32 bytes and the line up to `,"hash":`.  An outcome
 * has ,"intentseq":N before seq.
 */
#define AUDIT_CHAIN_PURPOSE "audit chain"
#define AUDIT_CHAIN_ID 16	/* hexadecimal digits of a start's id */

/* What a line has beside its body, at most. */
#define AUDIT_CHAIN_EXTRA 320

/* The longest line that is read; none that is written comes near it. */
#define AUDIT_LINE_MAX (128U << 10)

struct audit_chain {
	uint64_t seq;			/* of the last line, 0: none */
	unsigned char hash[MAC_BYTES];	/* of the last line */
};

/**
 * audit_chain_seal(c, m, id, body, n, intent, out, err):
 * Append the next line, with its line end, and go on to it.  ${id} of
 * AUDIT_CHAIN_ID digits makes the event's id with seq.  ${intent} 0: none.
 */
int audit_chain_seal(struct audit_chain *c, struct mac *m, const char *id, const char *body,
    size_t n, uint64_t intent, struct audit_text *out, struct error *err);

/* The end of a line, as read. */
struct audit_tail {
	uint64_t seq;
	uint64_t intent;		/* 0: none */
	unsigned char prev[MAC_BYTES];
	unsigned char hash[MAC_BYTES];
	size_t summed;			/* bytes that hash is over */
};

/* Read the end of a line (without line end).  False: it has not this form. */
bool audit_chain_tail(const char *line, size_t n, struct audit_tail *out);

/* Has the line the hash it should have?  ${t} is of audit_chain_tail. */
bool audit_chain_fits(struct mac *m, const char *line, const struct audit_tail *t);

/* Does the line follow on ${c}?  Goes on to it if so. */
bool audit_chain_follow(struct audit_chain *c, const struct audit_tail *t);

/* The longest body of a line; no event comes near it, as each text is cut. */
#define AUDIT_EVENT_MAX (64U << 10)

/* What is the same in every event of one start, put together once: its words,
 * which go to ${words} too, and its ${id}. */
struct audit_style *audit_style_new(const struct audit_options *o, const char *id,
    struct buf *words, struct error *err);

/* The same again from the words.  ERROR_DAMAGED. */
struct audit_style *audit_style_read(const void *words, size_t n, struct error *err);
void audit_style_free(struct audit_style *s);
const char *audit_style_id(const struct audit_style *s);

/**
 * audit_event_write(s, e, time_ms, out):
 * Write the middle of an event's line into ${out} of AUDIT_EVENT_MAX bytes:
 * from `,"source":` to the brace that ends "data".  Returns the length.
 */
size_t audit_event_write(const struct audit_style *s, const struct audit_event *e,
    int64_t time_ms, char *out);

/* --- rows of the table (audit_row.c) --- */

#define AUDIT_EVENTS_MAX 2	/* of one row */

/* Append the ${n} events that were handed in together, as the table keeps them:
 * from this and the start's words come the same lines again, byte for byte. */
void audit_row_encode(const struct audit_event *events, size_t n, int64_t time_ms,
    struct buf *out);

/* What makes lines of rows, one after the other. */
struct audit_rows {
	sqlite3_stmt *read, *style_of;
	const char *path;		/* of the database, for errors */
	struct mac *mac;
	struct audit_style *style;	/* of ${start} */
	int64_t start;
	struct audit_chain chain;	/* up to the row before */
	char *bodies;			/* room for one body */
	struct buf texts;		/* a row's texts */
};

/**
 * audit_rows_open(r, db, path, key, after, err):
 * Begin with the row that has the line ${after} + 1 (0: the first row that
 * there is).  ${r}->chain is then what is before it.
 */
int audit_rows_open(struct audit_rows *r, sqlite3 *db, const char *path, const struct key *k,
    uint64_t after, struct error *err);
void audit_rows_close(struct audit_rows *r);

/* Append the lines of the next row.  1; 0: there is none; -1: ERROR_DAMAGED: it is
 * not what its hash was made of, or does not follow on the one before. */
int audit_rows_next(struct audit_rows *r, struct buf *lines, struct error *err);

/* Visit each intent, of those that are written before what they are of, that has no
 * outcome: the process ended in between.  0 or -1. */
int audit_rows_unfinished(sqlite3 *db, const char *path,
    void (*visit)(void *cookie, uint64_t seq, const struct audit_event *intent), void *cookie,
    struct error *err);

/* Has a log that was begun no row any more? */
int audit_table_gone(sqlite3 *db, const char *path, bool *gone, struct error *err);

/* --- what waits to be written (audit_write.c) --- */

/* What was submitted in one go. */
struct audit_entry {
	struct audit_wait *wait;	/* NULL: nobody waits (any more) */
	uint64_t deadline;		/* of the wait, CLOCK_MONOTONIC ms */
	uint64_t seq;			/* of the first line, once sealed */
	uint64_t intent;		/* of the first line: 0 none */
	size_t at;			/* of its bodies in the bytes, its row behind them */
	uint32_t len[AUDIT_EVENTS_MAX];	/* of the bodies */
	uint32_t row;			/* bytes */
	uint32_t lines;
	bool keep;		/* write it also when nobody waits any more */
	bool expired;		/* the wait was told that it failed */
	bool of_change;		/* audit_add */
	bool own;
};

#define AUDIT_BATCH_LINES 65536U	/* more are refused */
#define AUDIT_BATCH_BYTES ((size_t)64 << 20)

struct audit_batch {
	struct buf bytes;
	struct audit_entry *entries;
	size_t count, cap;
	size_t lines;
};

/* Lines as they were sealed, for the exports. */
struct audit_chunk {
	struct audit_chunk *next;
	uint64_t first, last;
	unsigned users;			/* exports that are writing it, and the list */
	size_t n, cap;
	char text[];
};

#define AUDIT_CHUNK_BYTES ((size_t)64 << 10)
#define AUDIT_CHUNKS_BYTES ((size_t)8 << 20)	/* what is older is read from the table */

#define AUDIT_REASONS 32	/* different texts of audit_unready */
#define AUDIT_REASON_MAX 256

struct audit {
	/* fixed after audit_open */
	struct database *db;
	char *file;			/* NULL: none */
	unsigned deadline_ms;
	struct key *key;
	struct audit_style *style;
	struct buf words;		/* of the style */
	void (*wake)(void *cookie);
	void *wake_cookie;
	struct audit_sink *sinks[AUDIT_SINKS];	/* NULL: not there */
	pthread_t watch;

	/* any thread */
	_Atomic size_t waiting;		/* entries, for audit_write */
	const char *_Atomic unready;	/* one of reasons, NULL: fine */
	const char *_Atomic behind;	/* the same */
	atomic_bool stop;		/* exports are to give up waiting */

	pthread_mutex_t mac_lock;
	struct mac *value_mac;		/* for audit_hmac */

	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t tick;		/* for the watch */
	pthread_cond_t news;		/* for the exports */
	pthread_cond_t ended;		/* for audit_close: an export has */
	struct audit_batch *pending;	/* submitted */
	struct audit_batch *inflight;	/* the writer has it; entries' waits are under lock */
	struct audit_wait *told, **told_last;	/* committed, and not exported yet; by seq */
	struct audit_wait *refused;	/* to be told by the watch */
	bool compact;			/* see audit_options */
	struct audit_chunk *chunks, *newest;	/* the last lines */
	size_t chunks_bytes;
	uint64_t head;			/* of the last line that is committed */
	bool writer_stuck;		/* something was not committed in time, */
	bool export_stuck;		/* or not taken by what is required */
	bool some_expired;		/* entries of pending have expired */
	bool closing, watch_stop;
	uint64_t lost;			/* events refused since the last success */
	struct audit_counts counts;
	char reasons[AUDIT_REASONS][AUDIT_REASON_MAX];

	/* the writer's own */
	struct audit_batch batches[2];
	struct audit_batch kept;	/* outcomes that could not be written yet */
	struct audit_chain chain, before;	/* now, and as it was committed last */
	struct mac *mac;
	struct buf out;			/* lines that were sealed */
	sqlite3_stmt *insert, *prune;
	int64_t start;			/* the number of this start; 0: not in the table yet */
	bool started;			/* ... and that is committed */
	bool adopted;			/* the table is to begin with what the file ends with */
	uint64_t noted;			/* how far exports have come was noted at this line */
	uint64_t first;			/* seq of the table's first row */
	uint64_t told_lost;		/* lost, as it is being written */
};

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t audit_now(void);

/* Wait on a condition until that time at most.  The lock is held. */
void audit_wait_until(struct audit *a, pthread_cond_t *c, uint64_t ms);

/* Take from the told those who need not wait any longer: in all required exports,
 * or not within the deadline.  The lock is held. */
struct audit_wait *audit_settle(struct audit *a);

/* Call done of each of a list, with no lock held. */
void audit_tell(struct audit_wait *list);

/* --- the exports (audit_export.c) --- */

/* The first step of each export, before its thread runs: complete the file. */
int audit_sinks_open(struct audit *a, const struct audit_options *o, struct error *err);
int audit_sinks_start(struct audit *a, struct error *err);

/* Their threads have ended, or hang (false). */
bool audit_sinks_end(struct audit *a);
void audit_sinks_free(struct audit *a);

/* The line up to which each required export has come (the lock is held), and up to
 * which all have what they need durably. */
uint64_t audit_sinks_required(const struct audit *a);
uint64_t audit_sinks_durable(const struct audit *a);

/* Why a required one, and another, does not take anything; NULL: it does.  The
 * lock is held. */
void audit_sinks_reasons(const struct audit *a, const char **required, const char **other);

/* Write down in the database how far those have come that cannot be asked. */
int audit_sinks_note(struct audit *a, struct error *err);
void audit_sinks_reopen(struct audit *a);

/* --- where exports go (audit_sinks.c) --- */

/* The file that the lines go to: 0600, ours alone (flock). */
struct audit_log_file {
	char *path;
	char *folder;
	const atomic_bool *stop;
	int fd;			/* -1: none */
	bool regular;
	dev_t dev;
	ino_t ino;
	uint64_t size;		/* as far as whole lines are written */
	uint64_t unsynced;	/* bytes */
};

int audit_log_file_open(struct audit_log_file *f, const char *path, const atomic_bool *stop,
    struct error *err);
void audit_log_file_release(struct audit_log_file *f);

/**
 * audit_log_file_ready(f, err):
 * Is FILE still the one that is open?  If it was moved or removed, another is
 * made (as after a failure to make one).  -1: there is nothing to write to.
 */
int audit_log_file_ready(struct audit_log_file *f, struct error *err);

/* Append whole lines.  When that fails the file is cut back to what it was.  If
 * FILE was removed meanwhile they are written once more, to a new one. */
int audit_log_file_write(struct audit_log_file *f, const void *bytes, size_t n,
    struct error *err);
int audit_log_file_sync(struct audit_log_file *f, struct error *err);

/* Cut it to whole lines of so many bytes. */
int audit_log_file_cut(struct audit_log_file *f, uint64_t size, struct error *err);

/* Move FILE away as that which ends with line ${seq}, and begin a new one.  1: done. */
int audit_log_file_rotate(struct audit_log_file *f, uint64_t seq);

/* The first line of what is left when all but ${keep} (0: all) of the files that
 * were moved away are gone; 0: there are no more.  ${remove}: remove the others. */
uint64_t audit_log_file_prune(const struct audit_log_file *f, unsigned keep, bool remove);

/* Lines on a descriptor that others may share, such as standard output: it
 * stays blocking, and is asked before each write whether it takes something. */
int audit_stdout_write(int fd, const void *bytes, size_t n, size_t *done,
    const atomic_bool *stop, struct error *err);

#define AUDIT_SYSLOG_SOCKET "/dev/log"

/* Lines to the system's log, one datagram each, as syslog(3) sends them but
 * with failures noticed.  Facility authpriv, severity info. */
struct audit_syslog {
	const char *path;	/* of the socket */
	int fd;			/* -1: not connected */
	const atomic_bool *stop;
};

void audit_syslog_init(struct audit_syslog *s, const char *path, const atomic_bool *stop);
void audit_syslog_release(struct audit_syslog *s);

/* Connect unless connected. */
int audit_syslog_ready(struct audit_syslog *s, struct error *err);

/* ${bytes} are whole lines; ${*done}: those of them that were sent. */
int audit_syslog_write(struct audit_syslog *s, const void *bytes, size_t n, size_t *done,
    struct error *err);

/* --- files of lines, and their anchor (audit_files.c) --- */

/* From descriptor ${fd} (not closed by this) at offset ${from}; ${name} is
 * for errors and must stay. */
struct audit_lines *audit_lines_new(int fd, const char *name, uint64_t from,
    struct error *err);
void audit_lines_free(struct audit_lines *l);

struct audit_lines_line {
	const char *text;	/* valid until the next call */
	size_t len;		/* without the line end */
	uint64_t offset;
	uint64_t number;	/* from 1, counted from where reading began */
	bool whole;		/* it has its line end */
};

/* 1: a line; 0: the end; -1: failed.  A line beyond AUDIT_LINE_MAX comes in
 * pieces of that size, all but the last of them not whole. */
int audit_lines_next(struct audit_lines *l, struct audit_lines_line *out, struct error *err);

/* One file of an audit log. */
struct audit_file {
	char *path;
	int fd;			/* -1: opened when needed; the newest is open from the start */
	uint64_t first;		/* seq of its first line, 0: it has none */
	uint64_t named;		/* seq in its name when we rotated it, else 0 */
};

/* The files of one audit log, oldest first: FILE, and beside it FILE.* whose
 * first line is one of ours (moved away by us or by another program). */
struct audit_files {
	struct audit_file *files;
	size_t count;
};

/* ERROR_MISSING: there is none at all (not with ${none_is_fine}). */
int audit_files_list(const char *file, bool none_is_fine, struct audit_files *out,
    struct error *err);
void audit_files_release(struct audit_files *f);

/* The descriptor of one, opened for reading.  ERROR_MISSING: gone since. */
int audit_files_open(struct audit_file *f, struct error *err);

/* The seq at the end of our names FILE.20260131T120000Z-SEQ; 0: another name.
 * ${name} is what follows FILE. */
uint64_t audit_files_named(const char *name);

/* The last whole line of FILE, or of the newest file beside it where that has
 * none: its place in the chain (seq 0: there is no line), and in FILE the bytes
 * up to its end.  ERROR_DAMAGED: it has not the hash that it should have. */
int audit_files_end(const char *file, const struct key *k, struct audit_chain *end,
    uint64_t *size, struct error *err);

/*
 * FILE.anchor: how far the chain went, and where it begins, under a sum of its
 * own; so that lines missing at either end are noticed, and a database that is
 * older.  Written every minute and at the end.
 */
struct audit_anchor {
	struct audit_chain chain;	/* a line that was durable, seq 0: no anchor */
	uint64_t first;			/* seq of the oldest line that is kept */
};

int audit_anchor_write(const char *file, const struct key *k, const struct audit_chain *c,
    uint64_t first, struct error *err);

/* No file: no error, seq is 0.  ERROR_DAMAGED. */
int audit_anchor_read(const char *file, const struct key *k, struct audit_anchor *out,
    struct error *err);

/* The text behind ${mark} (which ends with a quote) up to the next quote, in a
 * line.  False: it is not there or too long. */
bool audit_line_member(const char *line, size_t n, const char *mark, char *out, size_t size);

#endif /* !REGISTRY_AUDIT_AUDIT_INTERNAL_H */
