#ifndef REGISTRY_AUDIT_AUDIT_INTERNAL_H
#define REGISTRY_AUDIT_AUDIT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/audit/audit.h"
#include "registry/audit/audit_batch.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_open_set.h"
#include "registry/audit/audit_sink_file.h"
#include "registry/audit/audit_sink_stdout.h"
#include "registry/audit/audit_sink_syslog.h"

struct audit_commit;
struct audit_macs;
struct audit_own;
struct audit_sink_file;
struct audit_style;
struct key;
struct mac;

#define AUDIT_REASONS 32	/* different texts of audit_unready */
#define AUDIT_REASON_MAX 256

/*
 * Two threads: the writer (audit_writer.c) seals and writes what is pending;
 * the watch (audit_watch.c) keeps to the deadline, also while the writer hangs
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

/* Cut off the beginning of a line that nobody was told of, as whoever reads the
 * file expects whole lines. */
void audit_recover_cut(struct audit *a);

/* audit_carried.c: put back the lines that a crash took, from those carried and
 * from what was cut off ${behind} them; of the last commit's outcomes, which may
 * not have been written, keep the results. */
int audit_carried_replay(struct audit *a, const struct audit_options *o, const char *behind,
    size_t n, struct error *err);

/* 1: there are such that follow on ${end}; -1: it cannot be told. */
int audit_carried_follows(struct audit *a, const struct audit_options *o,
    const struct audit_chain *end, struct error *err);

/**
 * audit_mend(a, o, behind, n, err):
 * Is a part of the file's end not there, or not whole, that lines are carried
 * for?  Cut it off, with what stands behind it (to be freed).
 */
int audit_mend(struct audit *a, const struct audit_options *o, char **behind, size_t *n,
    struct error *err);

/* Move the file away if it is large enough (or would be with ${coming} bytes
 * more), remove what is beyond keep.  1: a new file was begun. */
int audit_rotate(struct audit *a, size_t coming);

#endif /* !REGISTRY_AUDIT_AUDIT_INTERNAL_H */
