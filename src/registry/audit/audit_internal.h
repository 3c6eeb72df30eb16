#ifndef REGISTRY_AUDIT_AUDIT_INTERNAL_H
#define REGISTRY_AUDIT_AUDIT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypto/mac.h"
#include "registry/audit/audit.h"

struct audit_journal;
struct audit_lines;
struct audit_macs;
struct audit_sink_file;
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

/* What is the same in every event, put together once. */

/* ERROR_LIMIT: the names in ${o} are too long. */
struct audit_style *audit_style_new(const struct audit_options *o, struct error *err);
void audit_style_free(struct audit_style *s);

/* An event of the audit log's own: its method is "AuditLog". */
struct audit_own {
	const char *phase;	/* start, stop, torn, checkpoint, resumed, abandoned, reopen */
	const char *message;	/* NULL: none */
	bool has_count;
	uint64_t count;		/* bytes of a torn line, events refused */
	bool has_open;
	uint64_t open;		/* checkpoint: the first intent without outcome, 0: none */
};

/**
 * audit_event_write(s, e, own, out):
 * Write the middle of an event's line into ${out} of AUDIT_EVENT_MAX bytes:
 * from `,"source":` to the brace that ends "data".  ${own} may be NULL; its
 * members then come first.  Returns the length.
 */
size_t audit_event_write(const struct audit_style *s, const struct audit_event *e,
    const struct audit_own *own, char *out);

/* Does the method change what is stored or who may do what? */
bool audit_event_changes(const char *method);

#define AUDIT_BATCH_LINES 65536U	/* more are refused */
#define AUDIT_BATCH_BYTES ((size_t)64 << 20)

enum audit_line_kind {
	AUDIT_LINE_OTHER,
	AUDIT_LINE_BEGINS,	/* an intent of a change */
	AUDIT_LINE_ENDS		/* an outcome */
};

/* What stands before each line's bytes in a batch. */
struct audit_line {
	uint32_t len;
	enum audit_line_kind kind;
	uint64_t intent;	/* 0: none known */
};

/* What was submitted in one go. */
struct audit_entry {
	struct audit_wait *wait;	/* NULL: nobody waits (any more) */
	uint64_t deadline;		/* of the wait, CLOCK_MONOTONIC ms */
	uint64_t seq;			/* of the first line, once sealed */
	size_t at;			/* of the first line in the bytes */
	uint32_t lines;
	bool keep;		/* write it also when nobody waits any more */
	bool expired;		/* the wait was told that it failed */
};

/* Lines that wait to be written. */
struct audit_batch {
	char *bytes;
	size_t len, cap;
	struct audit_entry *entries;
	size_t count, entry_cap;
	size_t lines;
};

void audit_batch_init(struct audit_batch *b);
void audit_batch_release(struct audit_batch *b);

/* Empty it; memory of a burst is given back. */
void audit_batch_clear(struct audit_batch *b);

/* A new entry without lines (fields zero); NULL: no memory or full. */
struct audit_entry *audit_batch_entry(struct audit_batch *b);

/* Add a line to the last entry.  -1: no memory, or full; the last entry
 * must then be taken back. */
int audit_batch_line(struct audit_batch *b, const struct audit_line *head, const char *bytes);
void audit_batch_undo(struct audit_batch *b);

/* Step through an entry's lines: ${*at} starts as entry->at. */
const char *audit_batch_next(const struct audit_batch *b, size_t *at, struct audit_line *head);

/* What its first line is the outcome of. */
void audit_batch_set_intent(struct audit_batch *b, const struct audit_entry *e, uint64_t seq);

/* Copy an entry to the end of another batch, without its wait. */
int audit_batch_copy(struct audit_batch *to, const struct audit_batch *from,
    const struct audit_entry *e);

/* Intents (their seq) that have no outcome yet, ascending. */
struct audit_open_set {
	uint64_t *seqs;
	size_t count, cap;
	uint64_t forgotten;	/* the smallest that there was no room for, 0: none */
};

void audit_open_set_release(struct audit_open_set *s);

/* Larger than all that are there goes fast. */
void audit_open_set_add(struct audit_open_set *s, uint64_t seq);
void audit_open_set_remove(struct audit_open_set *s, uint64_t seq);

/* The smallest, 0: there is none. */
uint64_t audit_open_set_first(const struct audit_open_set *s);

/* HMAC contexts of one purpose, lent to one thread at a time: OpenSSL is slow
 * at making one. */

struct audit_macs *audit_macs_new(const struct key *k, const char *purpose, struct error *err);
void audit_macs_free(struct audit_macs *m);

/* NULL: none could be made. */
struct mac *audit_macs_take(struct audit_macs *m);
void audit_macs_give(struct audit_macs *m, struct mac *one);

/* Writing to something that may take its time: others watch the clock. */
struct audit_io {
	int fd;
	const char *name;		/* for errors */
	size_t step;			/* most bytes at once, 0: any number */
	bool poll_first;		/* the descriptor blocks: ask before each step */
	const atomic_bool *stop;	/* set: give up */
};

/* Write all of it.  ${*done} counts bytes, also when it fails. */
int audit_io_write(const struct audit_io *io, const void *bytes, size_t n, size_t *done,
    struct error *err);

/* Wait until it can be written to.  -1: told to stop, or it is broken. */
int audit_io_wait(const struct audit_io *io, struct error *err);

/* Reading a file line by line. */

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

/* The bytes that were written to a file since it was last synced. */
struct audit_unsynced {
	char *bytes;
	size_t len, cap;
};

#define AUDIT_UNSYNCED_MAX ((size_t)4 << 20)

/*
 * FILE.anchor: how far the chain went, and where it begins, under a sum of its
 * own; so that lines missing at either end are noticed.  Written every minute
 * and at the end.
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

/*
 * .FILE.journal (not FILE.*, which are its parts): a second copy of the lines
 * since FILE was last synced, of a size that does not change.  To sync it costs
 * one write, where a file that grows costs two and waits for others' metadata.
 * There is no order in it but that of the lines, each of which is sealed: what is
 * torn or old does not continue the chain.
 */

#define AUDIT_JOURNAL_BYTES ((size_t)4 << 20)

/* Open or make it.  NULL, with no error told: it cannot be used here. */
struct audit_journal *audit_journal_open(const char *file);
void audit_journal_free(struct audit_journal *j);

/* Make these lines durable.  1: there is no room (see audit_journal_reset), or
 * the journal was moved or removed: sync FILE instead. */
int audit_journal_add(struct audit_journal *j, const void *lines, size_t n, struct error *err);

/* FILE is synced: nothing in the journal is needed any more. */
void audit_journal_reset(struct audit_journal *j);

/* All that is in it, of AUDIT_JOURNAL_BYTES, to be freed.  NULL: no memory, or it
 * cannot be read. */
char *audit_journal_read(const struct audit_journal *j, struct error *err);

/* The file that the lines go to: 0600, ours alone (flock). */

/* ${stop} ends a wait for something that is not a file and takes nothing. */
struct audit_sink_file *audit_sink_file_new(const char *path, const atomic_bool *stop,
    struct error *err);
void audit_sink_file_free(struct audit_sink_file *s);

/**
 * audit_sink_file_ready(s, err):
 * Is FILE still the one that is open?  If it was moved or removed, another is
 * made (as after a failure to make one).  1: this is another file than before;
 * 0: it is not; -1: there is nothing to write to.
 */
int audit_sink_file_ready(struct audit_sink_file *s, struct error *err);

/* How lines become durable. */
enum audit_sync {
	AUDIT_CARRIED,		/* whoever they are for sees to it */
	AUDIT_DURABLE,		/* in the journal, see audit_journal_open */
	AUDIT_SYNCED		/* in the file itself, with all that was written before */
};

/**
 * audit_sink_file_write(s, bytes, n, how, standing, err):
 * Append whole lines.  When that fails the file is cut
 * back to what it was; where it cannot be, ${*standing} is the bytes of the
 * whole lines that stand there now (else 0), and see audit_sink_file_torn.  If
 * FILE was removed meanwhile the bytes are written once more, to a new one.
 */
int audit_sink_file_write(struct audit_sink_file *s, const void *bytes, size_t n,
    enum audit_sync how, size_t *standing, struct error *err);

/* What the journal holds (${*n} bytes, to be freed), lines of FILE among it. */
char *audit_sink_file_journal(const struct audit_sink_file *s, size_t *n, struct error *err);

/* Sync what is not yet; and is there none? */
int audit_sink_file_sync(struct audit_sink_file *s, struct error *err);
bool audit_sink_file_synced(const struct audit_sink_file *s);

/* Sync the next lines, whatever they need: there may be copies, in the journal
 * or carried, of others that were sealed in their place and do not stand here.
 * Once these are synced, those do not continue the chain any more. */
void audit_sink_file_must_sync(struct audit_sink_file *s);

/* Bytes that stand behind the last whole line and could not be cut off, with
 * the line end that audit_sink_file_ready puts there.  Set what was found at
 * start, or 0 once a line tells of it. */
uint64_t audit_sink_file_torn(const struct audit_sink_file *s);
void audit_sink_file_set_torn(struct audit_sink_file *s, uint64_t bytes);

/* Cut what stands behind the last whole line; -1: it cannot be. */
int audit_sink_file_cut_torn(struct audit_sink_file *s);

/* Is there room for ${n} bytes more?  Sets them aside where that can be done. */
int audit_sink_file_room(struct audit_sink_file *s, size_t n, struct error *err);

/* Bytes in the file; 0 for what is not a regular file. */
uint64_t audit_sink_file_size(const struct audit_sink_file *s);

/* For reading what is there; -1: it is not a regular file. */
int audit_sink_file_fd(const struct audit_sink_file *s);

/* Lines on a descriptor that others may share, such as standard output: it
 * stays blocking, and is asked before each write whether it takes something. */
struct audit_sink_stdout {
	int fd;
	const atomic_bool *stop;
	bool regular;
	bool torn;		/* the last line is not whole */
};

void audit_sink_stdout_init(struct audit_sink_stdout *s, int fd, const atomic_bool *stop);

/* -1: it is closed, or nobody reads from it any more. */
int audit_sink_stdout_ready(const struct audit_sink_stdout *s, struct error *err);
int audit_sink_stdout_write(struct audit_sink_stdout *s, const void *bytes, size_t n,
    struct error *err);

#define AUDIT_SYSLOG_SOCKET "/dev/log"

/* Lines to the system's log, one datagram each, as syslog(3) sends them but
 * with failures noticed.  Facility authpriv, severity info. */
struct audit_sink_syslog {
	const char *path;	/* of the socket */
	int fd;			/* -1: not connected */
	const atomic_bool *stop;
};

void audit_sink_syslog_init(struct audit_sink_syslog *s, const char *path,
    const atomic_bool *stop);
void audit_sink_syslog_release(struct audit_sink_syslog *s);

/* Connect unless connected. */
int audit_sink_syslog_ready(struct audit_sink_syslog *s, struct error *err);

/* ${bytes} are whole lines. */
int audit_sink_syslog_write(struct audit_sink_syslog *s, const void *bytes, size_t n,
    struct error *err);

#define AUDIT_REASONS 32	/* different texts of audit_unready */
#define AUDIT_REASON_MAX 256

/*
 * Two threads: the writer (audit_writer.c) seals and writes what is pending;
 * the watch (there too) keeps to the deadline, also while the writer hangs
 * in a system call, and tells those that were refused.
 */
struct audit {
	/* fixed after audit_open */
	char *file;			/* NULL: none */
	unsigned deadline_ms;
	uint64_t rotate_bytes;
	unsigned keep;
	struct key *key;
	struct audit_style *style;
	struct audit_macs *macs;	/* for audit_hmac */
	char id[AUDIT_CHAIN_ID + 1];	/* of this start */
	uint64_t before;		/* the last seq before this start */
	bool ended_well;		/* ... was an end with no intent left open */
	pthread_t writer, watch;

	/* any thread */
	const char *_Atomic unready;	/* one of reasons, NULL: fine */
	atomic_bool stop;		/* the writer is to give up waiting */

	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t work;		/* for the writer */
	pthread_cond_t tick;		/* for the watch */
	pthread_cond_t ended;		/* for audit_close: writer_done */
	struct audit_batch *pending;	/* submitted */
	struct audit_batch *inflight;	/* the writer has it; entries' waits are under lock */
	struct audit_commit *commit;	/* that wants to begin */
	struct audit_wait *refused;	/* to be told by the watch */
	bool asleep;			/* the writer waits for work */
	size_t together;		/* so many entries came about at once lately */
	uint64_t batch_ns;		/* that the last batch took */
	bool closing;
	bool writer_done;
	bool orphan;			/* the writer is the last who uses it */
	bool watch_stop;
	bool reopen;
	bool failing;			/* the last batch could not be written */
	bool stuck;			/* something was not written in time */
	bool some_expired;		/* entries of pending have expired */
	uint64_t lost;			/* events refused since the last success */
	struct audit_counts counts;
	char reasons[AUDIT_REASONS][AUDIT_REASON_MAX];
	uint64_t *adopted;		/* unfinished intents of earlier starts */
	size_t adopted_count;
	bool adopt;			/* adopted is there for the writer to take */

	/* audit_open to audit_unfinished */
	struct audit_result *results;	/* that were carried, and not written */
	size_t result_count;

	/* the writer's own */
	struct audit_batch batches[2];
	struct audit_batch own;		/* written before what is in flight */
	struct audit_chain chain;
	struct mac *mac;
	char *own_body;			/* AUDIT_EVENT_MAX bytes */
	char *out;
	size_t out_cap;
	struct audit_sink_file *sink_file;
	struct audit_sink_stdout *sink_stdout;
	struct audit_sink_syslog *sink_syslog;
	struct audit_sink_stdout room_stdout;
	struct audit_sink_syslog room_syslog;
	unsigned slot;			/* for what the next commit carries */
	unsigned slots_used;		/* ... since the file was synced */
	struct audit_open_set open;	/* intents without outcome */
	bool open_known;		/* ... those of earlier starts included */
	bool torn_piece;		/* what is torn is the beginning of a line */
	uint64_t cut;			/* bytes of it that were cut off, to be told */
	bool want_checkpoint;
	uint64_t since_checkpoint;	/* bytes */
	uint64_t first;			/* seq of the oldest line kept, 0: not known */
	uint64_t anchored;		/* seq */
	uint64_t anchored_ms;
	uint64_t rotate_again_ms;	/* not before, after a failure */
};

/* What became of an intent. */
struct audit_result {
	uint64_t intent;
	int status;
	uint32_t version;
};

/* Free everything; the threads have ended. */
void audit_release(struct audit *a);

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t audit_now(void);

/* Wait on a condition until that time at most.  The lock is held. */
void audit_wait_until(struct audit *a, pthread_cond_t *c, uint64_t ms);

/* Set (NULL: clear) what audit_unready says.  The lock is held. */
void audit_set_unready(struct audit *a, const char *reason);

/* Call done of each of a list, with no lock held. */
void audit_tell(struct audit_wait *list);

/* What has waited for longer than the deadline makes it unready.  The lock is held. */
void audit_set_stuck(struct audit *a);

/* How an event counts for those that are unfinished. */
struct audit_line audit_line_of(const struct audit_event *e, size_t len);

/**
 * audit_write_sinks(a, from, to, how, before, err):
 * Write a part of a->out.  1: the file took the lines, but not another sink; -1:
 * it did not, and ${*before} goes on to the last that could not be taken back.
 */
int audit_write_sinks(struct audit *a, size_t from, size_t to, enum audit_sync how,
    struct audit_chain *before, struct error *err);

/* The lines of this entry are in the log, but who submitted them was refused:
 * end its intent. */
void audit_put_abandoned(struct audit *a, const struct audit_batch *b,
    const struct audit_entry *e);

/* Put a line of the audit log's own into a->own (the writer, or before it
 * starts). */
void audit_put_own(struct audit *a, const struct audit_event *e, const struct audit_own *own,
    const struct audit_line *head);

void *audit_writer_run(void *audit);
void *audit_watch_run(void *audit);

/**
 * audit_recover(a, err):
 * Find the end of the chain in what is on disk, and what is torn behind it.
 * ERROR_DAMAGED: the last whole line has not the hash that it should have.
 */
int audit_recover(struct audit *a, const struct audit_options *o, struct error *err);

/* Move the file away if it is large enough (or would be with ${coming} bytes
 * more), remove what is beyond keep.  1: a new file was begun. */
int audit_rotate(struct audit *a, size_t coming);

/* The writer's side of the commits of audit.h. */

/* Bytes and lines of its events, for the room that sealing needs; NULL: 0. */
size_t audit_commit_bytes(const struct audit_commit *c);
size_t audit_commit_lines(const struct audit_commit *c);

/* The one that wants to begin; NULL: none.  The lock is held. */
struct audit_commit *audit_commit_take(struct audit *a);

/* Seal the intents. */
int audit_commit_seal(struct audit *a, struct audit_commit *c, struct audit_text *out,
    struct error *err);

/**
 * audit_commit_run(a, c, n, err):
 * The first ${n} bytes of a->out, with the intents at their end, stand in the
 * sinks: let the changes be made, write the outcomes.  0: what stands there is
 * durable, or carried.  ${*c} becomes NULL if nothing is left to be settled.
 */
int audit_commit_run(struct audit *a, struct audit_commit **c, size_t n, struct error *err);

/* It was refused, given up, or its outcomes could not be written: put down what
 * has to be said of it later, and tell. */
void audit_commit_settle(struct audit *a, struct audit_commit *c, const struct error *why);

/* Seal a batch's lines; its entries get their seq. */
int audit_seal_batch(struct audit *a, struct audit_batch *b, struct audit_text *out,
    struct error *err);

/* The lines that were sealed are in the log: note intents and outcomes. */
void audit_seal_track_batch(struct audit *a, const struct audit_batch *b);

/* The text behind ${mark} (which ends with a quote) up to the next quote, in a
 * body that audit_event_write made.  False: it is not there or too long. */
bool audit_seal_member(const char *body, size_t n, const char *mark, char *out, size_t size);

#endif /* !REGISTRY_AUDIT_AUDIT_INTERNAL_H */
