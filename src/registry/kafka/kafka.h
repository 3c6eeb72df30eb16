#ifndef REGISTRY_KAFKA_KAFKA_H
#define REGISTRY_KAFKA_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct error;
struct kafka;
struct kafka_options;
struct settings;

#define KAFKA_TOPIC_DEFAULT "_confluent-secrets"
#define KAFKA_CONF_MAX 96

/* A setting of librdkafka's. */
struct kafka_conf {
	const char *name;		/* lasts */
	struct buf value;		/* secret */
};

/*
 * What the kafkastore.* settings, which are named as in a Connect worker's file
 * (those of Java's client), mean for the topic and for librdkafka.
 */
struct kafka_options {
	char topic[250];
	char servers[1024];		/* HOST:PORT,... without PROTOCOL:// */
	char group[256];		/* of the nodes that share the topic */
	int replication;		/* of a topic that is made */
	bool skip_validation;		/* of the topic's settings */
	unsigned timeout_ms;		/* of a write, 15000 */
	unsigned init_timeout_ms;	/* of a start, 60000 */
	struct kafka_conf conf[KAFKA_CONF_MAX];
	size_t conf_count;
};

/**
 * kafka_options_read(o, s, err):
 * ERROR_FORMAT at the settings' file and the line, with the key and the way out: a
 * value that is none, or what librdkafka has nothing for.  Release ${o} also then.
 */
int kafka_options_read(struct kafka_options *o, const struct settings *s, struct error *err);
void kafka_options_release(struct kafka_options *o);

/*
 * A compacted topic of one partition as a log, by librdkafka: whole batches are
 * appended, each as one transaction; what is committed is read in order.
 *
 * Reading is of one thread, and claiming and appending of another; each kind has a
 * handle of its own.  The transactional.id is fixed (propseal-<topic>), so a claim
 * fences whoever claimed before: from its return on, everything older is decided,
 * and nothing of an older claim can come any more.
 *
 * Only what the caller has sealed may be handed over: librdkafka keeps copies in
 * memory that is neither locked nor wiped.
 */

/**
 * kafka_open(o, readable, cookie, err):
 * Nothing is connected to yet.  ${readable} is called, on one of librdkafka's
 * threads, when there may be something to read; ${o} must last.
 * ERROR_REFUSED: it is not a part of this build; ERROR_FORMAT: librdkafka does not
 * take a setting.
 */
struct kafka *kafka_open(const struct kafka_options *o, void (*readable)(void *cookie),
    void *cookie, struct error *err);

/* Ends the claim too.  NULL is fine. */
void kafka_close(struct kafka *k);

/**
 * kafka_check(k, create, timeout_ms, err):
 * Is the topic what it must be: one partition, exactly compacted?  Where it is not
 * there, make it (${create}).  ERROR_REFUSED: it is not, or may not be used;
 * ERROR_MISSING: it is not there; ERROR_IO: nobody could be asked in time.
 */
int kafka_check(struct kafka *k, bool create, unsigned timeout_ms, struct error *err);

/* The offsets of the first record and behind the last one. */
int kafka_ends(struct kafka *k, unsigned timeout_ms, int64_t *first, int64_t *end,
    struct error *err);

/* A number that tells this topic of this cluster from others; 0: not known yet. */
int64_t kafka_identity(struct kafka *k, unsigned timeout_ms);

/* Look at the topic each ten seconds from here on, on a thread; ${readable} is called. */
int kafka_watch(struct kafka *k, struct error *err);

/* What was last found, by who has read everything before ${read}.  ERROR_MISSING: it is
 * gone; ERROR_STALE: it ends before that; ERROR_REFUSED: it is not as it must be. */
int kafka_watched(struct kafka *k, int64_t read, struct error *err);

/* Milliseconds since a look at the topic was due that got no answer; 0: none was. */
int64_t kafka_silence(struct kafka *k);

/* --- reading --- */

/* From this offset on; also to go back. */
int kafka_seek(struct kafka *k, int64_t offset, struct error *err);

struct kafka_message {
	int64_t offset;
	const void *key, *value;	/* value NULL: a tombstone; until the next call */
	size_t key_len, value_len;
};

enum kafka_read {
	KAFKA_NOTHING,		/* within the time */
	KAFKA_MESSAGE,
	KAFKA_END,		/* everything before offset was read, and nothing new has come:
				 * never, while others write */
	KAFKA_GAP,		/* the log does not reach so far back, or not so far */
	KAFKA_TROUBLE		/* ${err}; goes on by itself.  ERROR_REFUSED: a right is missing */
};

enum kafka_read kafka_read(struct kafka *k, unsigned timeout_ms, struct kafka_message *out,
    struct error *err);

/* Where the log ended when the last message was fetched; -1: not known. */
int64_t kafka_end_known(struct kafka *k);

/* --- who should lead --- */

/* Ask for the lease from here on: one of the nodes with the same group has it, as long
 * as it is there.  When that changes ${readable} is called. */
int kafka_lease(struct kafka *k, struct error *err);

/* Is it this node's? */
bool kafka_is_ours(struct kafka *k);

/* Let others have it for a while. */
void kafka_resign(struct kafka *k);

/* --- claiming and appending --- */

/* Become the one who may append.  ERROR_IO: not in time; ERROR_REFUSED: may not. */
int kafka_claim(struct kafka *k, unsigned timeout_ms, struct error *err);

/* Be it no more.  What was handed over and not committed never will be. */
void kafka_unclaim(struct kafka *k);

enum kafka_outcome {
	KAFKA_DONE,		/* committed: it will be read */
	KAFKA_REFUSED,		/* surely not written, the claim stands; ${err} */
	KAFKA_TOO_LARGE,	/* the same: the topic takes no such record */
	KAFKA_FENCED,		/* surely not written, the claim is lost */
	KAFKA_UNKNOWN		/* claim again, and see whether it is there; ${err} */
};

struct kafka_record {
	const void *key, *value;	/* never a tombstone: value_len > 0 */
	size_t key_len, value_len;
};

/* All of them, in this order, or none. */
enum kafka_outcome kafka_append(struct kafka *k, const struct kafka_record *records, size_t n,
    unsigned timeout_ms, struct error *err);

/* What the brokers do not allow this node, so that it cannot lead; NULL: nothing.  It lasts. */
const char *kafka_denied(struct kafka *k);

/* What librdkafka last complained of; "": nothing. */
void kafka_complaint(struct kafka *k, char *out, size_t size);

#endif /* !REGISTRY_KAFKA_KAFKA_H */
