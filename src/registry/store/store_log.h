#ifndef REGISTRY_STORE_STORE_LOG_H
#define REGISTRY_STORE_STORE_LOG_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "registry/kafka/kafka.h"
#include "registry/store/record.h"
#include "registry/store/store_internal.h"

/*
 * A topic as the truth, the tables as its fold: store_log.c leads (what is decided
 * becomes a batch of records, by store_batch.c), store_fold.c follows (what is read comes into the
 * tables, with the position in the same transaction).  Both are of the writer's
 * thread; only the courier waits for brokers.
 */

#define LOG_RECORDS_MAX 100000		/* of a batch */
#define LOG_CHANGES_BYTES (256U << 10)	/* of a CHANGES record, about */
#define LOG_KEY_MAX 8192		/* bytes of a record's key, */
#define LOG_VALUE_MAX (4U << 20)	/* and of its value */
#define LOG_AGAIN_MS 5000		/* a node that has a fold waits no longer for brokers */
#define LOG_FENCES 3			/* so many within LOG_FENCES_MS: somebody else claims */
#define LOG_FENCES_MS 30000
#define LOG_END_MS 5000			/* at the end no longer for a batch on its way */
#define LOG_ANEW "the topic ends before what this node has read of it: it was made anew, or " \
	"has lost records"
#define LOG_ID 16			/* bytes of a batch's and a term's random numbers */
#define LOG_AGE (UINT64_C(1) << 40)	/* revisions in a topic; another's follow these */

enum log_statement {
	LOG_TOUCHED_SECRETS, LOG_TOUCHED_SETTINGS, LOG_TOUCHED_ACCESS, LOG_ANY_TOUCHED,
	LOG_CHANGES, LOG_HEAL, LOG_HEAL_SENT, LOG_HEALED, LOG_HEAL_SECRETS, LOG_HEAL_SETTINGS,
	LOG_HEAL_ACCESS,
	LOG_CHANGE_SECRET, LOG_PUT_SECRET, LOG_PUT_IDEMPOTENCY, LOG_DROP_SECRET,
	LOG_DROP_IDEMPOTENCY,
	LOG_PUT_CHANGE, LOG_DROP_CHANGES, LOG_PUT_ACCESS, LOG_DROP_ACCESS, LOG_LOOK_ACCESS,
	LOG_PUT_LEADER,
	LOG_STATEMENTS
};

enum log_job { JOB_NONE, JOB_CLAIM, JOB_NOOP, JOB_APPEND, JOB_UNCLAIM };

/* What the courier does and brings back. */
struct log_courier {
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;		/* of what follows */
	pthread_cond_t wake;
	bool stopping;
	enum log_job job;
	bool finished;
	enum kafka_outcome outcome;
	struct error why;
	struct vec records;		/* struct kafka_record; the writer's when there is no job */
};

struct store_log {
	struct kafka *kafka;
	const struct kafka_options *options;
	struct record_seal *seal;
	const struct master *master;
	const struct master *const *old;
	size_t old_count;
	struct master *given;		/* under the store's mutex: what came while it runs, NULL */
	struct master *spare;		/* ... and is tried after the others */
	const char *url;		/* of this node, for others */
	sqlite3_stmt *statements[LOG_STATEMENTS];
	struct log_courier courier;
	bool busy;			/* the courier is under way */
	struct buf key, value, text;	/* scratch */
	struct buf body;		/* scratch, secret */

	/* following */
	int64_t position;		/* everything before it is in the tables */
	int64_t seen;			/* ... and read */
	uint64_t revision;		/* no batch up to it is new: of the last in the tables */
	uint64_t pending;		/* of the one that is being read */
	unsigned applied;		/* records in the transaction that is open */
	bool open;
	bool whole;			/* ... and none of a batch that is not ended */
	uint64_t kept;			/* revision, before it */
	int64_t goal;			/* its end when its reading began; -1: not known yet */
	bool folded;			/* that was reached */
	bool again;			/* it is to be read from the position again */
	int64_t head;			/* where the last batch that is in the tables ends; -1 */
	bool trusted;			/* a record of ours was seen since the start */
	uint64_t ring_revision;		/* keyrings before it are old */
	bool leader_read;		/* in the batch that is open: what follows */
	unsigned char leader_term[LOG_ID];
	char leader_url[256];
	bool heal;			/* there is something in the temporary table heal, */
	bool healing;			/* ... and what was there is in the batch on its way */
	int64_t heal_ms;		/* not before */
	bool locked;			/* no master secret fits what is to be read next */
	const char *stopped;		/* NULL, or why it is not gone on with */
	char wrong[256];		/* "", or why nothing may be written until it is right */

	/* leading */
	enum log_role role;
	unsigned char term[LOG_ID];	/* of our last claim */
	uint64_t sealed;		/* no batch of ours gets a revision up to it any more */
	bool led;			/* its NOOP record is on its way, or there */
	bool taking;			/* the batch on its way says that we lead */
	int64_t retry_ms;		/* claim not before */
	bool claimed;			/* there is a claim that is to be given up */
	int64_t fences_ms[LOG_FENCES];	/* when the last ones were */
	char leader[256];
	bool renew;			/* the master secret is another: a new data key is due */
	uint64_t ring_sent;		/* the keyring's generation in the batch */

	/* the batch on its way */
	bool flying;
	unsigned char batch[LOG_ID];
	struct store_op *ops;		/* to be told */
	int64_t flown_ms;

	struct store_log_state now;	/* the writer's: its numbers, and what is shown next */
	struct store_log_state shown;	/* under the store's mutex */
};

/* --- store_attach.c --- */

/* Find the keyring and the place in the topic, or begin a new one. */
int log_attach(struct store *s, const struct store_options *o, struct error *err);

/* --- store_log.c --- */

/* Have the writer look, from any thread. */
void log_wake(void *store);

/* Attach, and start the courier.  The store's statements are there. */
int log_open(struct store *s, const struct store_options *o, struct error *err);
void log_close(struct store *s);

/* May the writer decide anything now? */
bool log_may_write(const struct store *s);

/* Is nothing on its way that the end of the store has to wait for? */
bool log_is_settled(const struct store *s);

/* Why it may not: sets ERROR_BUSY, returns -1. */
int log_not_leading(const struct store *s, struct error *err);

/**
 * log_send(s, ops, err):
 * Within a transaction of the writer: 1: what it changed is on its way, it is rolled
 * back, and ${ops} will be told; 0: it changed nothing that is in the topic, go on
 * and commit it; -1: rolled back.
 */
int log_send(struct store *s, struct store_op *ops, struct error *err);

/* Read what has come, see to the courier and to time-outs.  True: something moved. */
bool log_step(struct store *s);

/* --- store_batch.c --- */

/* Within the transaction: what it changed, as the courier's records.  1; 0: nothing
 * that is in the topic; -1. */
int batch_collect(struct store *s, struct error *err);

/* The first batch of a topic: its keyring. */
int batch_begin(struct store *s, struct error *err);

/* A record that says who leads, alone; or before what batch_collect finds. */
int batch_leader(struct store *s, enum record_type type, struct error *err);

void batch_clear(struct store_log *l);

/* --- store_fold.c --- */

/* Read for a while.  True: there may be more. */
bool fold_drain(struct store *s);

/* Record that the position of a topic (kafka_identity) is kept from here on. */
int fold_attach(struct store *s, int64_t identity, struct error *err);

/* --- what the one calls of the other --- */

/* The NOOP record of a claim was read, at ${offset}: of this node, everything before it
 * is read and nobody else can write. */
void log_noop_seen(struct store *s, const unsigned char term[LOG_ID], int64_t offset);

/* A batch that says who leads is in the tables. */
void log_leader_seen(struct store *s, const unsigned char term[LOG_ID], const char *url);

/* The batch of this number is in the tables. */
void log_batch_seen(struct store *s, const unsigned char batch[LOG_ID]);

/* Nothing more is to be read or written. */
void log_stop(struct store *s, const char *why);

#endif /* !REGISTRY_STORE_STORE_LOG_H */
