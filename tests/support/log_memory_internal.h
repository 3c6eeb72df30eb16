#ifndef REGISTRY_LOG_LOG_MEMORY_INTERNAL_H
#define REGISTRY_LOG_LOG_MEMORY_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct error;
struct log_record;

struct stored {
	uint64_t offset;
	unsigned char *bytes;	/* key, then value */
	size_t key_len;
	size_t value_len;
	bool tombstone;
};

/* All but the views: under the mutex. */
struct log_memory {
	pthread_mutex_t mutex;
	struct vec records;	/* struct stored, by offset */
	struct vec faults;
	struct vec late;	/* batches that are held back */
	unsigned late_one_in;
	size_t landed;
	size_t failing_claims;
	uint64_t next;
	uint64_t epoch;		/* of the last claim */
	uint64_t random;
};

uint64_t log_memory_draw(struct log_memory *m);

/* All of it, or nothing; then a gap such as the end of a transaction leaves. */
int log_memory_write(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err);

/* --- log_memory_late.c --- */

void log_memory_late_init(struct log_memory *m);
void log_memory_late_release(struct log_memory *m);

/* Hold a batch back. */
int log_memory_late_add(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err);

/* Write those of which the time has come. */
void log_memory_late_arrive(struct log_memory *m);

/* Forget the rest: the fence is up. */
void log_memory_late_drop(struct log_memory *m);

#endif /* !REGISTRY_LOG_LOG_MEMORY_INTERNAL_H */
