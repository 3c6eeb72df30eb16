/*
 * Each error that a broker may answer to what a claim and a commit ask of it, by the mock
 * cluster of librdkafka: nothing is told as done that no broker has taken, and when the
 * errors end, a claim and a commit are done.
 */
#include "unit.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka.h"

#define WORKERS 48		/* they wait most of the time */
#define WORKER_FILES 64		/* descriptors of a cluster and its clients, and some to spare */
#define ERRORS 1000		/* of one kind that a broker has in store */
#define LASTING_MS 300		/* ... and for how long */
#define WITHIN_MS 20000
#define LAST_CODE 97		/* of the codes that librdkafka 2.0.2 knows */

enum request {
	PRODUCE = 0, FIND_COORDINATOR = 10, INIT_PRODUCER_ID = 22, ADD_PARTITIONS = 24,
	END_TXN = 26
};

static const int requests[] = { PRODUCE, FIND_COORDINATOR, INIT_PRODUCER_ID, ADD_PARTITIONS,
	END_TXN };

/* A cluster of its own, so that others' errors do not reach it. */
struct worker {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	struct kafka_options options;
	struct kafka *kafka;
	atomic_bool erring;		/* every such request gets the error */
	int request;
	int64_t until_ms;
};

static atomic_int next_case, outcomes[KAFKA_UNKNOWN + 1], claims[2], wrong;

static void
unread(void *cookie)
{
	(void)cookie;
}

static bool
is_claim(int request)
{
	return request == FIND_COORDINATOR || request == INIT_PRODUCER_ID;
}

static enum kafka_outcome
append(struct worker *w)
{
	static const struct kafka_record r = { .key = "k", .value = "v", .key_len = 1,
	    .value_len = 1 };
	struct error err = { .code = ERROR_NONE };

	return kafka_append(w->kafka, &r, 1, WITHIN_MS, &err);
}

static bool
claim(struct worker *w)
{
	struct error err = { .code = ERROR_NONE };

	return kafka_claim(w->kafka, WITHIN_MS, &err) == 0;
}

static void *
end_errors(void *worker)
{
	struct worker *w = worker;

	clock_pause(LASTING_MS);
	atomic_store(&w->erring, false);
	rd_kafka_mock_clear_request_errors(w->cluster, (int16_t)w->request);
	return NULL;
}

static void
complain(const struct worker *w, int code, const char *what)
{
	print_error("request %d, error %d (%s): %s\n", w->request, code,
	    rd_kafka_err2name((rd_kafka_resp_err_t)code), what);
	atomic_fetch_add(&wrong, 1);
}

static void
try_code(struct worker *w, int request, int code)
{
	rd_kafka_resp_err_t errors[ERRORS];
	enum kafka_outcome outcome = KAFKA_REFUSED;
	pthread_t ends;
	bool done, early;

	w->request = request;
	for (int i = 0; i < ERRORS; i++)
		errors[i] = (rd_kafka_resp_err_t)code;
	if (!is_claim(request) && (!claim(w) || append(w) != KAFKA_DONE)) {
		complain(w, code, "it was not well before");
		return;
	}
	atomic_store(&w->erring, true);
	rd_kafka_mock_push_request_errors_array(w->cluster, (int16_t)request, ERRORS, errors);
	assert_int_equal(pthread_create(&ends, NULL, end_errors, w), 0);
	if (is_claim(request)) {
		done = claim(w);
		early = atomic_load(&w->erring);
		atomic_fetch_add(&claims[done], 1);
	} else {
		outcome = append(w);
		early = atomic_load(&w->erring);
		done = outcome == KAFKA_DONE;
		atomic_fetch_add(&outcomes[outcome], 1);
	}
	assert_int_equal(pthread_join(ends, NULL), 0);
	if (done && early)
		complain(w, code, "it is told as done, and no broker took it");
	if (outcome != KAFKA_DONE && !claim(w))
		complain(w, code, "it is not claimed afterwards");
	if (append(w) != KAFKA_DONE)
		complain(w, code, "nothing is written afterwards");
}

static void *
work(void *worker)
{
	const int codes = LAST_CODE + 1;
	struct worker *w = worker;
	int i;

	while ((i = atomic_fetch_add(&next_case, 1)) < codes * (int)(sizeof(requests) /
	    sizeof(requests[0]))) {
		/* A broker that says so has the record; 0 is no error, -1 that it knows none. */
		if (requests[i / codes] != PRODUCE ||
		    i % codes != RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER)
			try_code(w, requests[i / codes], i % codes == 0 ? -1 : i % codes);
	}
	return NULL;
}

static void
start(struct worker *w)
{
	struct error err = { .code = ERROR_NONE };
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	char why[256];

	assert_int_equal(rd_kafka_conf_set(c, "log_level", "0", why, sizeof(why)),
	    RD_KAFKA_CONF_OK);
	w->rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	assert_non_null(w->rk);
	w->cluster = rd_kafka_mock_cluster_new(w->rk, 1);
	assert_non_null(w->cluster);
	assert_int_equal(rd_kafka_mock_topic_create(w->cluster, "t", 1, 1), 0);
	(void)snprintf(w->options.topic, sizeof(w->options.topic), "t");
	(void)snprintf(w->options.group, sizeof(w->options.group), "g");
	(void)snprintf(w->options.servers, sizeof(w->options.servers), "%s",
	    rd_kafka_mock_cluster_bootstraps(w->cluster));
	w->kafka = kafka_open(&w->options, unread, w, &err);
	assert_non_null(w->kafka);
}

static void
each_error_of_each_request(void **state)
{
	static struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	struct rlimit files;
	int n = WORKERS;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < (rlim_t)WORKERS * WORKER_FILES)
		n = (int)(files.rlim_cur / WORKER_FILES);
	for (int i = 0; i < n; i++) {
		start(&workers[i]);
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < n; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		kafka_close(workers[i].kafka);
		rd_kafka_mock_cluster_destroy(workers[i].cluster);
		rd_kafka_destroy(workers[i].rk);
	}
	print_message("commits: %d done, %d refused, %d too large, %d fenced, %d unknown; "
	    "claims: %d done, %d not\n", outcomes[KAFKA_DONE], outcomes[KAFKA_REFUSED],
	    outcomes[KAFKA_TOO_LARGE], outcomes[KAFKA_FENCED], outcomes[KAFKA_UNKNOWN],
	    claims[true], claims[false]);
	assert_int_equal(wrong, 0);
	assert_true(outcomes[KAFKA_DONE] > 0 && outcomes[KAFKA_UNKNOWN] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_of_each_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
