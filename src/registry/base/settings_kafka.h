#ifndef REGISTRY_SETTINGS_KAFKA_H
#define REGISTRY_SETTINGS_KAFKA_H

#include <stdbool.h>

#define SETTINGS_KAFKA_PREFIX "kafkastore."

/* Does the name begin as those of a store in Kafka do? */
bool settings_kafka_is_one(const char *name);

/**
 * settings_kafka_known(name):
 * Is it one of them?  Those of the registry itself (its topic, its timeouts),
 * and behind the same prefix those of a Kafka client: of Java's, which stand
 * in configurations of today, and of librdkafka.
 */
bool settings_kafka_known(const char *name);

#endif /* !REGISTRY_SETTINGS_KAFKA_H */
