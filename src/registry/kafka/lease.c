#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka_internal.h"

#define POLL_MS 100
#define CLOSE_MS 3000
#define ENDS_SOUND 0x02030000	/* librdkafka 2.3.0 */

#define WATCH_S 10
#define ANSWER_MS 4000

/*
 * Who should lead: the member of a consumer group to which the topic's one partition
 * is assigned.  It is never read through that.  The lease avoids that nodes claim the
 * topic from each other; it is the claim that makes them safe.
 */

static void
lease_set(struct kafka *k, bool mine)
{
	if (atomic_exchange(&k->mine, mine) != mine)
		k->readable(k->cookie);
}

static void
on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *l,
    void *opaque)
{
	struct kafka *k = opaque;
	rd_kafka_error_t *e;

	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		k->lease_assigned = true;
		atomic_store(&k->denied, 0);
		e = rd_kafka_incremental_assign(rk, l);
		(void)rd_kafka_pause_partitions(rk, l);
		if (l->cnt > 0)
			lease_set(k, true);
	} else {
		if (l->cnt > 0)
			lease_set(k, false);
		e = rd_kafka_incremental_unassign(rk, l);
	}
	if (e != NULL) {
		kafka_complain(k, "the group", rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
	}
}

static void
lease_join(struct kafka *k)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);

	if (l == NULL)
		return;
	rd_kafka_topic_partition_list_add(l, k->o->topic, RD_KAFKA_PARTITION_UA);
	(void)rd_kafka_subscribe(k->lease, l);
	rd_kafka_topic_partition_list_destroy(l);
}

static void *
lease_run(void *kafka)
{
	struct kafka *k = kafka;
	int64_t away_until = 0;
	rd_kafka_message_t *m;

	lease_join(k);
	while (!atomic_load(&k->lease_stop)) {
		if ((m = rd_kafka_consumer_poll(k->lease, POLL_MS)) != NULL) {
			kafka_deny(k, m->err, NULL);
			if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
				kafka_complain(k, "the group", rd_kafka_message_errstr(m));
			rd_kafka_message_destroy(m);
		}
		if (atomic_exchange(&k->resigned, false)) {
			(void)rd_kafka_unsubscribe(k->lease);
			lease_set(k, false);
			away_until = clock_ms() + KAFKA_AWAY_MS;
		}
		if (away_until != 0 && clock_ms() >= away_until) {
			away_until = 0;
			lease_join(k);
		}
	}
	return NULL;
}

int
kafka_lease(struct kafka *k, struct error *err)
{
	const char *const needs[][2] = {
		{ "group.id", k->o->group },
		{ "session.timeout.ms", "6000" },
		{ "heartbeat.interval.ms", "1500" },
		{ "max.poll.interval.ms", "10000" },
		{ "enable.auto.commit", "false" },
		{ "auto.offset.reset", "latest" },
		{ "allow.auto.create.topics", "false" },
		{ "partition.assignment.strategy", "cooperative-sticky" },
	};
	rd_kafka_conf_t *c = kafka_conf_new(k, needs, sizeof(needs) / sizeof(needs[0]), err);

	if (c == NULL)
		return -1;
	rd_kafka_conf_set_rebalance_cb(c, on_rebalance);
	if ((k->lease = kafka_handle_new(c, RD_KAFKA_CONSUMER, err)) == NULL)
		return -1;
	(void)rd_kafka_poll_set_consumer(k->lease);
	if (pthread_create(&k->lease_thread, NULL, lease_run, k) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start the lease's thread");
	k->lease_runs = true;
	return 0;
}

bool
kafka_is_ours(struct kafka *k)
{
	return atomic_load(&k->mine);
}

void
kafka_resign(struct kafka *k)
{
	atomic_store(&k->resigned, true);
}

/* Leave the group, so that another node leads at once; but not for long. */
void
kafka_lease_end(struct kafka *k)
{
	int64_t until = clock_ms() + CLOSE_MS;
	rd_kafka_queue_t *q;
	rd_kafka_event_t *e;

	if (k->lease_runs) {
		atomic_store(&k->lease_stop, true);
		(void)pthread_join(k->lease_thread, NULL);
		k->lease_runs = false;
	}
	if (k->lease == NULL)
		return;
	q = rd_kafka_queue_new(k->lease);
	rd_kafka_error_destroy(rd_kafka_consumer_close_queue(k->lease, q));
	while (!rd_kafka_consumer_closed(k->lease) && clock_ms() < until) {
		if ((e = rd_kafka_queue_poll(q, POLL_MS)) == NULL)
			continue;
		if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_REBALANCE)
			rd_kafka_error_destroy(rd_kafka_incremental_unassign(k->lease,
			    rd_kafka_event_topic_partition_list(e)));
		rd_kafka_event_destroy(e);
	}
	rd_kafka_queue_destroy(q);
	/* Before 2.3.0 the process is aborted with a handle of this strategy that has joined
	 * its group and was told of no assignment yet (librdkafka's issue 4312): it is left to
	 * the end of the process, which is near; nothing polls it any more. */
	if (k->lease_assigned || rd_kafka_version() >= ENDS_SOUND)
		kafka_handle_end(k, k->lease);
	k->lease = NULL;
}

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
