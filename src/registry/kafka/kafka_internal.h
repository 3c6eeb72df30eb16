#ifndef REGISTRY_KAFKA_KAFKA_INTERNAL_H
#define REGISTRY_KAFKA_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/kafka/kafka.h"

#define KAFKA_AWAY_MS 4000	/* a node that resigned lets others lead */
#define KAFKA_BATCH_BYTES 1000000	/* of a message set, unless the topic takes less */

struct kafka {
	const struct kafka_options *o;
	void (*readable)(void *cookie);
	void *cookie;

	rd_kafka_t *reader;
	rd_kafka_queue_t *queue;	/* the reader's */
	rd_kafka_message_t *message;	/* given out last */

	rd_kafka_t *writer;		/* NULL: no claim */
	bool too_large;			/* a record of the last transaction was */
	atomic_int max_bytes;		/* of a message set: the topic's */

	rd_kafka_t *lease;		/* NULL: not asked for */
	pthread_t lease_thread;
	bool lease_runs, lease_assigned;
	atomic_bool lease_stop, mine, resigned;

	atomic_int denied;		/* what a broker refused for want of a right; 0 */
	atomic_bool reads;		/* the reader is being polled */

	pthread_t watch_thread;
	bool watch_runs;
	atomic_int_fast64_t read;	/* everything before this offset */

	bool left;			/* there is a handle that does not end */

	pthread_mutex_t mutex;		/* of what follows */
	char complaint[256];
	pthread_cond_t watch_wake;
	bool watch_stop;
	int64_t answered_ms;		/* when brokers last said how the topic is */
	struct error watched;		/* what was last found; code NONE: it is well */
};

/* What each handle is made from: what was given, and after that the ${n} settings that
 * the log needs, name and value of each.  NULL: ${err}. */
rd_kafka_conf_t *kafka_conf_new(struct kafka *k, const char *const (*needs)[2], size_t n,
    struct error *err);

/* ${c} is released also on failure.  NULL: ${err}. */
rd_kafka_t *kafka_handle_new(rd_kafka_conf_t *c, rd_kafka_type_t type, struct error *err);

/* Destroy it, but not for long: the end of one whose topic was deleted never comes (seen with
 * librdkafka 2.0.2).  It is then left to the end of the process, and so is
 * ${k}, which its callbacks may use. */
void kafka_handle_end(struct kafka *k, rd_kafka_t *rk);

/* If it is for want of a right, that is noted until what needs it is done, and ${err} (NULL: no
 * matter) becomes ERROR_REFUSED with a hint which ones are needed. */
void kafka_deny(struct kafka *k, rd_kafka_resp_err_t code, struct error *err);

/* Look no more. */
void kafka_watch_end(struct kafka *k);

/* Leave the group. */
void kafka_lease_end(struct kafka *k);

/* Note what went wrong with what librdkafka tells. */
void kafka_complain(struct kafka *k, const char *what, const char *why);

#endif /* !REGISTRY_KAFKA_KAFKA_INTERNAL_H */
