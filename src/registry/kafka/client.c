#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "crypto/mac.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka_internal.h"

#define RETRY_MS 200
#define END_S 2

void
kafka_complain(struct kafka *k, const char *what, const char *why)
{
	(void)pthread_mutex_lock(&k->mutex);
	(void)snprintf(k->complaint, sizeof(k->complaint), "%s: %.200s", what, why);
	(void)pthread_mutex_unlock(&k->mutex);
}

/* Which rights are needed. */
static void
hint_rights(const struct kafka *k, struct error *err)
{
	error_hint(err, "allow the registry's user READ, WRITE, DESCRIBE and "
	    "DESCRIBE_CONFIGS on the topic %s, WRITE and DESCRIBE on the transactional id "
	    "propseal-%s, READ and DESCRIBE on the group %s", k->o->topic, k->o->topic,
	    k->o->group);
}

void
kafka_deny(struct kafka *k, rd_kafka_resp_err_t code, struct error *err)
{
	if (code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED &&
	    code != RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED &&
	    code != RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED &&
	    code != RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
		return;
	atomic_store(&k->denied, code);
	if (err == NULL)
		return;
	err->code = ERROR_REFUSED;
	hint_rights(k, err);
}

const char *
kafka_denied(struct kafka *k)
{
	int code = atomic_load(&k->denied);

	return code != 0 ? rd_kafka_err2str((rd_kafka_resp_err_t)code) : NULL;
}

void
kafka_complaint(struct kafka *k, char *out, size_t size)
{
	(void)pthread_mutex_lock(&k->mutex);
	(void)snprintf(out, size, "%s", k->complaint);
	(void)pthread_mutex_unlock(&k->mutex);
}

/* --- what a handle is made from --- */

static void
on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct kafka *k = opaque;
	char before[256];

	(void)rk;
	/* This one follows each that tells why. */
	kafka_complaint(k, before, sizeof(before));
	if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || before[0] == '\0')
		kafka_complain(k, rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

/* Never to standard error, whatever is set. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

static int
conf_set(rd_kafka_conf_t *c, const char *name, const char *value, struct error *err)
{
	char why[256];

	if (rd_kafka_conf_set(c, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	/* Its text may repeat the value. */
	error_set(err, ERROR_FORMAT, "librdkafka %s does not take this value of its %s",
	    rd_kafka_version_str(), name);
	return error_hint(err, "propseal-registry(8) tells which settings of Java's client become "
	    "which of librdkafka");
}

rd_kafka_conf_t *
kafka_conf_new(struct kafka *k, const char *const (*needs)[2], size_t n, struct error *err)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	const struct kafka_options *o = k->o;
	struct buf value;
	int rc = conf_set(c, "client.id", "propseal", err);

	if (rc == 0)
		rc = conf_set(c, "reconnect.backoff.max.ms", "1000", err);
	for (size_t i = 0; rc == 0 && i < o->conf_count; i++) {
		buf_init_secret(&value, o->conf[i].value.len + 1);
		buf_append(&value, o->conf[i].value.data, o->conf[i].value.len);
		buf_append_char(&value, '\0');
		if ((rc = buf_check(&value, err)) == 0)
			rc = conf_set(c, o->conf[i].name, (const char *)value.data, err);
		buf_release(&value);
	}
	if (rc != 0 || conf_set(c, "bootstrap.servers", o->servers, err) != 0 ||
	    conf_set(c, "socket.keepalive.enable", "true", err) != 0 ||
	    conf_set(c, "topic.metadata.refresh.interval.ms", "30000", err) != 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = conf_set(c, needs[i][0], needs[i][1], err);
	if (rc != 0) {
		rd_kafka_conf_destroy(c);
		return NULL;
	}
	rd_kafka_conf_set_error_cb(c, on_error);
	rd_kafka_conf_set_log_cb(c, on_log);
	rd_kafka_conf_set_opaque(c, k);
	return c;
}

rd_kafka_t *
kafka_handle_new(rd_kafka_conf_t *c, rd_kafka_type_t type, struct error *err)
{
	char why[256];
	rd_kafka_t *rk = rd_kafka_new(type, c, why, sizeof(why));

	if (rk == NULL) {
		error_set(err, ERROR_FORMAT, "librdkafka cannot be started: %.300s", why);
		rd_kafka_conf_destroy(c);
	}
	return rk;
}

/* --- opening and closing --- */

static void *
handle_destroy(void *rk)
{
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	return NULL;
}

void
kafka_handle_end(struct kafka *k, rd_kafka_t *rk)
{
	struct timespec until;
	pthread_t thread;

	if (pthread_create(&thread, NULL, handle_destroy, rk) != 0) {
		k->left = true;
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_S;
	if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
		(void)pthread_detach(thread);
		k->left = true;
	}
}

static void
on_readable(rd_kafka_t *rk, void *opaque)
{
	struct kafka *k = opaque;

	(void)rk;
	k->readable(k->cookie);
}

static int
reader_new(struct kafka *k, struct error *err)
{
	/* Never jump by itself; wake whoever reads at once. */
	const char *const needs[][2] = {
		{ "group.id", k->o->group },
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "enable.partition.eof", "true" },
		{ "isolation.level", "read_committed" },
		{ "auto.offset.reset", "error" },
		{ "allow.auto.create.topics", "false" },
		{ "check.crcs", "true" },
		{ "fetch.error.backoff.ms", "100" },
		{ "fetch.wait.max.ms", "500" },
		{ "queued.max.messages.kbytes", "16384" },
		{ "fetch.message.max.bytes", "4194304" },
	};
	rd_kafka_conf_t *c = kafka_conf_new(k, needs, sizeof(needs) / sizeof(needs[0]), err);

	if (c == NULL || (k->reader = kafka_handle_new(c, RD_KAFKA_CONSUMER, err)) == NULL)
		return -1;
	(void)rd_kafka_poll_set_consumer(k->reader);
	k->queue = rd_kafka_queue_get_consumer(k->reader);
	rd_kafka_queue_cb_event_enable(k->queue, on_readable, k);
	return 0;
}

struct kafka *
kafka_open(const struct kafka_options *o, void (*readable)(void *cookie), void *cookie,
    struct error *err)
{
	struct kafka *k = error_alloc(sizeof(*k), err);
	pthread_condattr_t a;

	if (k == NULL)
		return NULL;
	(void)pthread_mutex_init(&k->mutex, NULL);
	(void)pthread_condattr_init(&a);
	(void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&k->watch_wake, &a);
	(void)pthread_condattr_destroy(&a);
	k->o = o;
	k->readable = readable;
	k->cookie = cookie;
	k->max_bytes = KAFKA_BATCH_BYTES;
	if (reader_new(k, err) == 0)
		return k;
	kafka_close(k);
	return NULL;
}

void
kafka_close(struct kafka *k)
{
	if (k == NULL)
		return;
	kafka_watch_end(k);
	kafka_unclaim(k);
	kafka_lease_end(k);
	if (k->message != NULL)
		rd_kafka_message_destroy(k->message);
	if (k->queue != NULL) {
		rd_kafka_queue_cb_event_enable(k->queue, NULL, NULL);
		rd_kafka_queue_destroy(k->queue);
	}
	if (k->reader != NULL)
		kafka_handle_end(k, k->reader);
	if (k->left)
		return;
	(void)pthread_cond_destroy(&k->watch_wake);
	(void)pthread_mutex_destroy(&k->mutex);
	free(k);
}

/* --- the topic --- */

/* Nobody answered in time: what librdkafka complained of tells why. */
static int
unreachable(struct kafka *k, rd_kafka_resp_err_t rc, struct error *err)
{
	rd_kafka_message_t *m;
	char why[256];

	/* Errors are told to who polls, which is nobody before something is read. */
	if (!atomic_load(&k->reads) && (m = rd_kafka_consumer_poll(k->reader, 0)) != NULL)
		rd_kafka_message_destroy(m);
	kafka_complaint(k, why, sizeof(why));
	if (why[0] == '\0')
		(void)snprintf(why, sizeof(why), "%s", rd_kafka_err2str(rc));
	error_set(err, ERROR_IO, "the brokers %.300s cannot be asked: %.400s", k->o->servers, why);
	return error_hint(err, strstr(why, "_AUTHENTICATION") != NULL &&
	    strstr(why, "SCRAM") != NULL ? "is the password right?  librdkafka before 2.6.1 cannot "
	    "log in by SCRAM to brokers from 4.0 on: use PLAIN over SSL, or a client certificate" :
	    "look at kafkastore.bootstrap.servers, kafkastore.security.protocol and the login");
}

/* The result of one thing asked of the brokers; NULL: ${err}. */
static rd_kafka_event_t *
admin_result(rd_kafka_queue_t *q, unsigned timeout_ms, const char *what, struct error *err)
{
	rd_kafka_event_t *e = rd_kafka_queue_poll(q, (int)timeout_ms);

	if (e == NULL) {
		error_set(err, ERROR_IO, "%s: no answer in time", what);
	} else if (rd_kafka_event_error(e) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		error_set(err, ERROR_IO, "%s: %.300s", what, rd_kafka_event_error_string(e));
		rd_kafka_event_destroy(e);
		e = NULL;
	}
	return e;
}

static int
topic_make(struct kafka *k, int brokers, unsigned timeout_ms, struct error *err)
{
	int replication = k->o->replication < brokers ? k->o->replication : brokers;
	rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(k->o->topic, 1, replication, NULL, 0);
	rd_kafka_queue_t *q = rd_kafka_queue_new(k->reader);
	const rd_kafka_topic_result_t *const *results;
	rd_kafka_event_t *e = NULL;
	rd_kafka_resp_err_t code;
	size_t n = 0;
	int rc = -1;

	if (t != NULL) {
		(void)rd_kafka_NewTopic_set_config(t, "cleanup.policy", "compact");
		(void)rd_kafka_NewTopic_set_config(t, "min.insync.replicas",
		    replication > 2 ? "2" : "1");
		(void)rd_kafka_NewTopic_set_config(t, "max.message.bytes", "2097152");
		rd_kafka_CreateTopics(k->reader, &t, 1, NULL, q);
		e = admin_result(q, timeout_ms, "the topic cannot be made", err);
		rd_kafka_NewTopic_destroy(t);
	} else {
		error_memory(err);
	}
	if (e != NULL) {
		results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(e),
		    &n);
		code = n == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
		    code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
			rc = 0;
		} else {
			error_set(err, ERROR_REFUSED, "the topic %s is not there and cannot be "
			    "made: %s", k->o->topic, rd_kafka_err2str(code));
			error_hint(err, "make it: one partition, cleanup.policy=compact, "
			    "min.insync.replicas=2, max.message.bytes=2097152; or let the "
			    "registry's user make it");
		}
		rd_kafka_event_destroy(e);
	}
	rd_kafka_queue_destroy(q);
	return rc;
}

static const char *
config_find(const rd_kafka_ConfigResource_t *r, const char *name)
{
	const rd_kafka_ConfigEntry_t *const *entries;
	const char *value;
	size_t n = 0;

	entries = rd_kafka_ConfigResource_configs(r, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0 &&
		    (value = rd_kafka_ConfigEntry_value(entries[i])) != NULL)
			return value;
	}
	return "";
}

static int
policy_check(struct kafka *k, const rd_kafka_ConfigResource_t *r, struct error *err)
{
	const char *policy = config_find(r, "cleanup.policy");
	long bytes = strtol(config_find(r, "max.message.bytes"), NULL, 10);

	if (bytes > 0 && bytes < KAFKA_BATCH_BYTES + 16384)
		k->max_bytes = bytes > 32768 ? (int)bytes - 16384 : (int)bytes / 2;
	else
		k->max_bytes = KAFKA_BATCH_BYTES;
	if (strcmp(policy, "compact") == 0 || k->o->skip_validation)
		return 0;
	error_set(err, ERROR_REFUSED, "the topic %s has cleanup.policy=%.60s: it would lose "
	    "secrets", k->o->topic, policy);
	return error_hint(err, "kafka-configs --alter --entity-type topics --entity-name %s "
	    "--add-config cleanup.policy=compact", k->o->topic);
}

/* Whoever may not ask for a topic's settings has to say that they are right.  0;
 * 1: the broker that was asked does not know the topic yet; -1. */
static int
config_look(struct kafka *k, unsigned timeout_ms, struct error *err)
{
	rd_kafka_ConfigResource_t *r = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC,
	    k->o->topic);
	rd_kafka_queue_t *q = rd_kafka_queue_new(k->reader);
	const rd_kafka_ConfigResource_t *const *found;
	rd_kafka_event_t *e = NULL;
	rd_kafka_resp_err_t code;
	size_t n = 0;
	int rc = -1;

	if (r != NULL) {
		rd_kafka_DescribeConfigs(k->reader, &r, 1, NULL, q);
		e = admin_result(q, timeout_ms, "the topic's settings cannot be read", err);
		rd_kafka_ConfigResource_destroy(r);
	} else {
		error_memory(err);
	}
	if (e != NULL) {
		found = rd_kafka_DescribeConfigs_result_resources(
		    rd_kafka_event_DescribeConfigs_result(e), &n);
		code = n == 1 ? rd_kafka_ConfigResource_error(found[0]) : RD_KAFKA_RESP_ERR__FAIL;
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
			rc = policy_check(k, found[0], err);
		} else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
			rc = 1;
		} else if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED &&
		    k->o->skip_validation) {
			rc = 0;
		} else {
			error_set(err, code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ?
			    ERROR_REFUSED : ERROR_IO, "the settings of the topic %s cannot be "
			    "read: %s", k->o->topic, rd_kafka_err2str(code));
			error_hint(err, "allow the registry's user to describe the topic's "
			    "configuration, or set kafkastore.topic.skip.validation=true");
		}
		rd_kafka_event_destroy(e);
	}
	rd_kafka_queue_destroy(q);
	return rc;
}

static int
partitions_check(struct kafka *k, const rd_kafka_metadata_topic_t *t, struct error *err)
{
	if (t->partition_cnt == 1)
		return 0;
	error_set(err, ERROR_REFUSED, "the topic %s has %d partitions: the order of changes needs "
	    "exactly one", k->o->topic, t->partition_cnt);
	return error_hint(err, "name another topic in kafkastore.topic: partitions cannot be taken "
	    "away");
}

/* 1: it is there; 0: it is not, or not yet; -1: ${err}. */
static int
topic_look(struct kafka *k, unsigned timeout_ms, int *brokers, struct error *err)
{
	rd_kafka_topic_t *t = rd_kafka_topic_new(k->reader, k->o->topic, NULL);
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_resp_err_t rc;
	int result = 0;

	if (t == NULL)
		return error_memory(err);
	rc = rd_kafka_metadata(k->reader, 0, t, &m, (int)timeout_ms);
	rd_kafka_topic_destroy(t);
	if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
		return unreachable(k, rc, err);
	*brokers = m->broker_cnt;
	rc = m->topic_cnt == 1 ? m->topics[0].err : RD_KAFKA_RESP_ERR__FAIL;
	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR && m->topics[0].partition_cnt > 0) {
		result = partitions_check(k, &m->topics[0], err) == 0 ? 1 : -1;
	} else if (rc == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
		result = error_set(err, ERROR_REFUSED, "the registry's user may not use the topic "
		    "%s", k->o->topic);
		hint_rights(k, err);
	}
	rd_kafka_metadata_destroy(m);
	return result;
}

/* What is left of a time, and at least ${least}. */
static unsigned
left_ms(int64_t until, unsigned least)
{
	int64_t left = until - clock_ms();

	return left > least ? (unsigned)left : least;
}

int
kafka_check(struct kafka *k, bool create, unsigned timeout_ms, struct error *err)
{
	int64_t until = clock_ms() + timeout_ms;
	bool made = false;
	int brokers = 0, found;

	for (;;) {
		if ((found = topic_look(k, left_ms(until, RETRY_MS), &brokers, err)) == -1)
			return -1;
		if (found == 1)
			break;
		if (!made && !create) {
			error_set(err, ERROR_MISSING, "the topic %s is gone", k->o->topic);
			return error_hint(err, "nothing was deleted here; `propseal registry copy` "
			    "puts what this node has into a new topic");
		}
		if (!made && topic_make(k, brokers, timeout_ms, err) != 0)
			return -1;
		made = true;
		if (clock_ms() > until)
			return error_set(err, ERROR_IO, "the topic %s was made, but does not come "
			    "about", k->o->topic);
		clock_pause(RETRY_MS);
	}
	do {
		if ((found = config_look(k, left_ms(until, 1000), err)) != 1)
			return found;
		clock_pause(RETRY_MS);
	} while (clock_ms() < until);
	return error_set(err, ERROR_IO, "no settings of the topic %s are known to the brokers yet",
	    k->o->topic);
}

/* Where the topic begins (RD_KAFKA_OFFSET_BEGINNING) or ends (RD_KAFKA_OFFSET_END).  Not by
 * rd_kafka_query_watermark_offsets: before librdkafka 2.3 that asks a leader that is dead
 * for ever, whatever time it was given. */
static rd_kafka_resp_err_t
ask_offset(struct kafka *k, int64_t which, int64_t until, int64_t *out)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(l, k->o->topic, 0);
	rd_kafka_resp_err_t rc;

	p->offset = which;
	rc = rd_kafka_offsets_for_times(k->reader, l, (int)left_ms(until, RETRY_MS));
	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = l->elems[0].err;
	*out = l->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(l);
	/* One that was not answered for has kept what was asked. */
	return rc == RD_KAFKA_RESP_ERR_NO_ERROR && *out < 0 ? RD_KAFKA_RESP_ERR__TIMED_OUT : rc;
}

int
kafka_ends(struct kafka *k, unsigned timeout_ms, int64_t *first, int64_t *end, struct error *err)
{
	int64_t until = clock_ms() + timeout_ms;
	rd_kafka_resp_err_t rc;

	/* One that was just made is not known everywhere for a while. */
	for (;;) {
		rc = ask_offset(k, RD_KAFKA_OFFSET_BEGINNING, until, first);
		if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = ask_offset(k, RD_KAFKA_OFFSET_END, until, end);
		if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
			return 0;
		if (clock_ms() > until)
			return unreachable(k, rc, err);
		clock_pause(RETRY_MS);
	}
}

int64_t
kafka_identity(struct kafka *k, unsigned timeout_ms)
{
	char *cluster = rd_kafka_clusterid(k->reader, (int)timeout_ms);
	unsigned char sum[DIGEST_SHA256];
	struct digest *d = digest_new(NULL);
	char text[600];
	int64_t id = 0;
	int n;

	if (cluster != NULL && d != NULL) {
		n = snprintf(text, sizeof(text), "%.300s/%s", cluster, k->o->topic);
		if (n > 0 && digest_sha256(d, text, (size_t)n, sum) == 0) {
			for (int i = 0; i < 7; i++)
				id = id << 8 | sum[i];
			id |= 1;
		}
	}
	digest_free(d);
	if (cluster != NULL)
		rd_kafka_mem_free(k->reader, cluster);
	return id;
}

/* --- reading --- */

int
kafka_seek(struct kafka *k, int64_t offset, struct error *err)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t rc;

	if (l == NULL)
		return error_memory(err);
	atomic_store(&k->reads, true);
	/* Behind what was given up nothing of it may still come. */
	rc = rd_kafka_assign(k->reader, NULL);
	rd_kafka_topic_partition_list_add(l, k->o->topic, 0)->offset = offset;
	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = rd_kafka_assign(k->reader, l);
	rd_kafka_topic_partition_list_destroy(l);
	if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
		return error_set(err, ERROR_IO, "the topic %s cannot be read: %s", k->o->topic,
		    rd_kafka_err2str(rc));
	return 0;
}

int64_t
kafka_end_known(struct kafka *k)
{
	int64_t first, end;

	return rd_kafka_get_watermark_offsets(k->reader, k->o->topic, 0, &first, &end) ==
	    RD_KAFKA_RESP_ERR_NO_ERROR && end >= 0 ? end : -1;
}

enum kafka_read
kafka_read(struct kafka *k, unsigned timeout_ms, struct kafka_message *out, struct error *err)
{
	rd_kafka_message_t *m;

	if (k->message != NULL)
		rd_kafka_message_destroy(k->message);
	k->message = m = rd_kafka_consumer_poll(k->reader, (int)timeout_ms);
	if (m == NULL)
		return KAFKA_NOTHING;
	*out = (struct kafka_message){ .offset = m->offset };
	switch ((int)m->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		out->key = m->key != NULL ? m->key : "";
		out->key_len = m->key != NULL ? m->key_len : 0;
		out->value = m->payload;
		out->value_len = m->payload != NULL ? m->len : 0;
		return KAFKA_MESSAGE;
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		return KAFKA_END;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		error_set(err, ERROR_MISSING, "the topic %s does not hold what this node has read "
		    "of it", k->o->topic);
		return KAFKA_GAP;
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		/* It is the lease that needs the group. */
		kafka_deny(k, m->err, NULL);
		return KAFKA_NOTHING;
	default:
		error_set(err, ERROR_IO, "the topic %s cannot be read: %.300s", k->o->topic,
		    rd_kafka_message_errstr(m));
		kafka_deny(k, m->err, err);
		kafka_complain(k, "reading", rd_kafka_message_errstr(m));
		return KAFKA_TROUBLE;
	}
}
