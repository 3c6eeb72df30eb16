#ifndef REGISTRY_KAFKA_OPTIONS_H
#define REGISTRY_KAFKA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct error;
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

#endif /* !REGISTRY_KAFKA_OPTIONS_H */
