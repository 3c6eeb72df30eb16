#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka_internal.h"

#define COMMIT_MS 30000		/* a commit or abort is given up as not known */

static void
on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka *k = opaque;

	(void)rk;
	if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
	    m->err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
		k->too_large = true;
}

void
kafka_unclaim(struct kafka *k)
{
	if (k->writer == NULL)
		return;
	/* Else the end may wait for what is in the queue. */
	(void)rd_kafka_purge(k->writer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
	    RD_KAFKA_PURGE_F_NON_BLOCKING);
	(void)rd_kafka_poll(k->writer, 0);
	kafka_handle_end(k, k->writer);
	k->writer = NULL;
}

static int
writer_new(struct kafka *k, struct error *err)
{
	char id[300], bytes[16];
	/* Longer than a dead broker is believed in (broker.session.timeout.ms), or each
	 * failure of a broker would end in a transaction that is aborted. */
	const char *const needs[][2] = {
		{ "transaction.timeout.ms", "30000" },
		{ "message.timeout.ms", "25000" },
		{ "socket.timeout.ms", "10000" },
		{ "batch.num.messages", "10000" },
		{ "linger.ms", "0" },
		{ "compression.type", "none" },
		{ "max.in.flight.requests.per.connection", "5" },
		{ "transactional.id", id },
		{ "message.max.bytes", bytes },
		{ "batch.size", bytes },
	};
	rd_kafka_conf_t *c;

	(void)snprintf(id, sizeof(id), "propseal-%s", k->o->topic);
	(void)snprintf(bytes, sizeof(bytes), "%d", k->max_bytes);
	if ((c = kafka_conf_new(k, needs, sizeof(needs) / sizeof(needs[0]), err)) == NULL)
		return -1;
	rd_kafka_conf_set_dr_msg_cb(c, on_report);
	k->writer = kafka_handle_new(c, RD_KAFKA_PRODUCER, err);
	return k->writer != NULL ? 0 : -1;
}

int
kafka_claim(struct kafka *k, unsigned timeout_ms, struct error *err)
{
	int64_t until = clock_ms() + timeout_ms;
	rd_kafka_error_t *e;
	bool again;

	kafka_unclaim(k);
	if (writer_new(k, err) != 0)
		return -1;
	/* Again on the same handle: another one would fence this. */
	while ((e = rd_kafka_init_transactions(k->writer, (int)timeout_ms)) != NULL) {
		again = rd_kafka_error_is_retriable(e) != 0 && clock_ms() < until;
		if (!again) {
			error_set(err, ERROR_IO, "the topic %s cannot be claimed: %.300s",
			    k->o->topic, rd_kafka_error_string(e));
			kafka_deny(k, rd_kafka_error_code(e), err);
			kafka_complain(k, "claiming", rd_kafka_error_string(e));
		}
		rd_kafka_error_destroy(e);
		if (!again) {
			kafka_unclaim(k);
			return -1;
		}
	}
	return 0;
}

static bool
is_fence(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	    code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* Give up a transaction that was not committed: surely aborted, or not known. */
static enum kafka_outcome
give_up(struct kafka *k)
{
	int64_t until = clock_ms() + COMMIT_MS;
	rd_kafka_error_t *e;
	bool again;

	while ((e = rd_kafka_abort_transaction(k->writer, COMMIT_MS)) != NULL) {
		again = rd_kafka_error_is_retriable(e) != 0 && clock_ms() < until;
		if (!again)
			kafka_complain(k, "aborting", rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
		if (!again)
			return KAFKA_UNKNOWN;
	}
	return KAFKA_REFUSED;
}

/* What ${e} means, which is released: of a commit that was sent, or before it. */
static enum kafka_outcome
append_failed(struct kafka *k, rd_kafka_error_t *e, bool sent, struct error *err)
{
	bool abortable = rd_kafka_error_txn_requires_abort(e) != 0;
	bool fatal = rd_kafka_error_is_fatal(e) != 0;
	bool fenced = is_fence(rd_kafka_error_code(e));

	error_set(err, ERROR_IO, "the topic %s did not take it: %.300s", k->o->topic,
	    rd_kafka_error_string(e));
	kafka_deny(k, rd_kafka_error_code(e), err);
	kafka_complain(k, "writing", rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	if (abortable && !fatal)
		return give_up(k);
	/* A commit that is fenced may be the repetition of one that was taken. */
	if (sent)
		return KAFKA_UNKNOWN;
	return fenced || fatal ? KAFKA_FENCED : KAFKA_REFUSED;
}

enum kafka_outcome
kafka_append(struct kafka *k, const struct kafka_record *records, size_t n, unsigned timeout_ms,
    struct error *err)
{
	int64_t until = clock_ms() + timeout_ms;
	enum kafka_outcome outcome = KAFKA_DONE;
	rd_kafka_error_t *e;
	rd_kafka_resp_err_t rc;

	if (k->writer == NULL) {
		error_set(err, ERROR_IO, "the topic is not claimed");
		return KAFKA_FENCED;
	}
	k->too_large = false;
	if ((e = rd_kafka_begin_transaction(k->writer)) != NULL)
		return append_failed(k, e, false, err);
	for (size_t i = 0; i < n && outcome == KAFKA_DONE; i++) {
		rc = rd_kafka_producev(k->writer, RD_KAFKA_V_TOPIC(k->o->topic),
		    RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		    RD_KAFKA_V_KEY(records[i].key, records[i].key_len),
		    RD_KAFKA_V_VALUE((void *)(uintptr_t)records[i].value, records[i].value_len),
		    RD_KAFKA_V_END);
		if (rc == RD_KAFKA_RESP_ERR__QUEUE_FULL && clock_ms() < until) {
			(void)rd_kafka_poll(k->writer, 50);
			i--;
		} else if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
			error_set(err, ERROR_IO, "the topic %s did not take it: %s", k->o->topic,
			    rd_kafka_err2str(rc));
			k->too_large |= rc == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
			outcome = rd_kafka_fatal_error(k->writer, NULL, 0) !=
			    RD_KAFKA_RESP_ERR_NO_ERROR ? KAFKA_FENCED : give_up(k);
		}
	}
	while (outcome == KAFKA_DONE &&
	    (e = rd_kafka_commit_transaction(k->writer, (int)timeout_ms)) != NULL) {
		/* It goes on in the background: the same again, never another. */
		if (rd_kafka_error_is_retriable(e) && clock_ms() < until) {
			rd_kafka_error_destroy(e);
			continue;
		}
		outcome = append_failed(k, e, true, err);
	}
	if (outcome == KAFKA_DONE)
		atomic_store(&k->denied, 0);
	else if (outcome != KAFKA_REFUSED)
		kafka_unclaim(k);
	return outcome == KAFKA_REFUSED && k->too_large ? KAFKA_TOO_LARGE : outcome;
}
