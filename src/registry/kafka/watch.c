#include <string.h>
#include <time.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka_internal.h"

#define WATCH_S 10
#define ANSWER_MS 4000

/*
 * Whether the topic is still what it must be: somebody may alter or remove it at any
 * time, and librdkafka's reader says nothing then.
 */

/* Look once.  ERROR_IO: the brokers do not say. */
static int
watch_look(struct kafka *k, struct error *err)
{
	int64_t read = atomic_load(&k->read), first, end;

	if (kafka_check(k, false, ANSWER_MS, err) != 0 ||
	    kafka_ends(k, ANSWER_MS, &first, &end, err) != 0)
		return -1;
	if (end >= read)
		return 0;
	return error_set(err, ERROR_STALE, "the topic %s ends at %lld, before what was read of it",
	    k->o->topic, (long long)end);
}

static void *
watch_run(void *kafka)
{
	struct kafka *k = kafka;
	struct timespec until;
	struct error why;

	(void)pthread_mutex_lock(&k->mutex);
	while (!k->watch_stop) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WATCH_S;
		(void)pthread_cond_timedwait(&k->watch_wake, &k->mutex, &until);
		if (k->watch_stop)
			break;
		(void)pthread_mutex_unlock(&k->mutex);
		memset(&why, 0, sizeof(why));
		(void)watch_look(k, &why);
		(void)pthread_mutex_lock(&k->mutex);
		/* Nobody has said that anything is better. */
		if (why.code != ERROR_IO) {
			k->watched = why;
			k->answered_ms = clock_ms();
		}
		(void)pthread_mutex_unlock(&k->mutex);
		k->readable(k->cookie);
		(void)pthread_mutex_lock(&k->mutex);
	}
	(void)pthread_mutex_unlock(&k->mutex);
	return NULL;
}

int
kafka_watch(struct kafka *k, struct error *err)
{
	k->answered_ms = clock_ms();
	if (pthread_create(&k->watch_thread, NULL, watch_run, k) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start a thread");
	k->watch_runs = true;
	return 0;
}

void
kafka_watch_end(struct kafka *k)
{
	if (!k->watch_runs)
		return;
	(void)pthread_mutex_lock(&k->mutex);
	k->watch_stop = true;
	(void)pthread_cond_signal(&k->watch_wake);
	(void)pthread_mutex_unlock(&k->mutex);
	(void)pthread_join(k->watch_thread, NULL);
	k->watch_runs = false;
}

int
kafka_watched(struct kafka *k, int64_t read, struct error *err)
{
	int rc;

	atomic_store(&k->read, read);
	(void)pthread_mutex_lock(&k->mutex);
	rc = k->watched.code == ERROR_NONE ? 0 : -1;
	if (rc != 0)
		*err = k->watched;
	(void)pthread_mutex_unlock(&k->mutex);
	return rc;
}

int64_t
kafka_silence(struct kafka *k)
{
	int64_t ms;

	(void)pthread_mutex_lock(&k->mutex);
	ms = clock_ms() - k->answered_ms - WATCH_S * 1000;
	(void)pthread_mutex_unlock(&k->mutex);
	return ms > 0 ? ms : 0;
}
