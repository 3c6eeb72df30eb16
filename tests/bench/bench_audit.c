/*
 * The audit log: the two events of a GET, submitted from one thread with so
 * many outstanding, durable before the next; beside a floor of one HMAC and a
 * share of write(2) and fdatasync(2) for as many bytes in the same run.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/audit/audit.h"
#include "registry/database/database.h"
#include "tests/bench/measure.h"

#define OUTSTANDING 16
#define RUNS_MAX 5
#define LINE_BYTES 1250

struct slots {
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct audit_wait waits[OUTSTANDING];
	struct audit_wait *idle;
	size_t failed;
};

static void
done(struct audit_wait *w)
{
	struct slots *s = w->cookie;

	pthread_mutex_lock(&s->lock);
	s->failed += w->failed != 0;
	w->next = s->idle;
	s->idle = w;
	pthread_cond_signal(&s->free);
	pthread_mutex_unlock(&s->lock);
}

static struct audit_wait *
take(struct slots *s)
{
	struct audit_wait *w;

	pthread_mutex_lock(&s->lock);
	while (s->idle == NULL)
		pthread_cond_wait(&s->free, &s->lock);
	w = s->idle;
	s->idle = w->next;
	pthread_mutex_unlock(&s->lock);
	return w;
}

static double
thread_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
fill(struct audit_event pair[2])
{
	memset(pair, 0, 2 * sizeof(*pair));
	pair[0] = (struct audit_event){
		.phase = AUDIT_INTENT, .method = "GetSecretLatest", .principal = "User:connect",
		.mechanism = "BASIC", .authorization = true, .granted = true,
		.operation = "SecretRead", .role = "DeveloperRead", .pattern = "PREFIXED",
		.path = "orders-jdbc-sink", .path_len = 16, .key = "connection.password",
		.key_len = 19, .request_id = "8f14e45fceea167a", .client = "10.20.30.40",
	};
	pair[1] = pair[0];
	pair[1].phase = AUDIT_OUTCOME;
	pair[1].authorization = false;
	pair[1].status = 200;
	pair[1].version = 12;
	pair[1].offset = 123456;
}

/* In the place of the store's writer. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct audit *audit;
	struct database *db;
	bool woken, stop;
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static void
wake(void *cookie)
{
	(void)cookie;
	pthread_mutex_lock(&writer.lock);
	writer.woken = true;
	pthread_mutex_unlock(&writer.lock);
	pthread_cond_signal(&writer.change);
}

static void *
write_all(void *cookie)
{
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&writer.lock);
		while (!writer.woken && !writer.stop)
			pthread_cond_wait(&writer.change, &writer.lock);
		writer.woken = false;
		stop = writer.stop;
		pthread_mutex_unlock(&writer.lock);
		measure_must(database_begin(writer.db, NULL) == 0 &&
		    audit_write(writer.audit, NULL) == 0 &&
		    database_commit(writer.db, NULL) == 0, "a commit");
		audit_written(writer.audit, true);
	}
	return cookie;
}

struct took {
	double submitter, all, wall;	/* us a pair */
	double batch;			/* lines */
};

static struct took
run(struct audit *a, struct slots *s, size_t pairs)
{
	struct audit_event pair[2];
	struct audit_counts before, after;
	double cpu = measure_cpu(), wall = measure_wall(), own = thread_cpu();
	double n = (double)pairs / 1000;
	struct took t;
	size_t i;

	fill(pair);
	audit_count(a, &before);
	for (i = 0; i < pairs; i++)
		audit_submit(a, pair, 2, take(s));
	for (i = 0; i < OUTSTANDING; i++)
		(void)take(s);
	t = (struct took){ (thread_cpu() - own) / n, (measure_cpu() - cpu) / n,
	    (measure_wall() - wall) / n, 0 };
	audit_count(a, &after);
	t.batch = (double)(after.lines - before.lines) / (double)(after.batches - before.batches);
	for (i = 0; i < OUTSTANDING; i++) {
		s->waits[i].next = s->idle;
		s->idle = &s->waits[i];
	}
	measure_must(s->failed == 0, "an event failed");
	return t;
}

/* What no audit log of this kind can do without, in us a pair. */
static double
floor_of(const struct key *k, size_t pairs)
{
	static char line[2 * LINE_BYTES * OUTSTANDING];
	struct mac *m = mac_new(k, "bench", NULL);
	unsigned char sum[MAC_BYTES];
	int fd = open(measure_path("floor"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	double cpu = measure_cpu();
	size_t i;

	measure_must(m != NULL && fd >= 0, "floor");
	for (i = 0; i < 2 * pairs; i++)
		measure_must(mac_sum(m, sum, sizeof(sum), line, LINE_BYTES, sum, NULL) == 0, "sum");
	for (i = 0; i < pairs; i += OUTSTANDING)
		measure_must(write(fd, line, sizeof(line)) == (ssize_t)sizeof(line) &&
		    fdatasync(fd) == 0, "write");
	cpu = (measure_cpu() - cpu) / ((double)pairs / 1000);
	close(fd);
	mac_free(m);
	return cpu;
}

int
main(void)
{
	size_t pairs = measure_is_smoke() ? 160 : 40000;
	size_t runs = measure_is_smoke() ? 1 : RUNS_MAX, i;
	double own[RUNS_MAX], all[RUNS_MAX], wall[RUNS_MAX], base[RUNS_MAX];
	struct slots s = { .lock = PTHREAD_MUTEX_INITIALIZER, .free = PTHREAD_COND_INITIALIZER };
	struct error err = { 0 };
	struct audit_options o = { .deadline_ms = 60000, .wake = wake };
	struct key *k = key_new_random(32, NULL);
	struct audit *a;
	pthread_t thread;
	struct took t = { 0 };

	measure_must(measure_scratch() != NULL, "scratch");
	o.file = measure_path("audit.log");
	o.db = database_open(measure_path("registry.db"), &err);
	measure_must(o.db != NULL, err.text);
	a = audit_open(&o, k, &err);
	measure_must(a != NULL, err.text);
	writer.audit = a;
	writer.db = o.db;
	pthread_create(&thread, NULL, write_all, NULL);
	for (i = 0; i < OUTSTANDING; i++) {
		s.waits[i] = (struct audit_wait){ .done = done, .cookie = &s, .next = s.idle };
		s.idle = &s.waits[i];
	}
	for (i = 0; i < runs; i++) {
		base[i] = floor_of(k, pairs);
		t = run(a, &s, pairs);
		own[i] = t.submitter;
		all[i] = t.all;
		wall[i] = t.wall;
	}
	printf("audit log, the two events of a GET, %d outstanding: %.2f us CPU of the submitting "
	    "thread,\n    %.2f us CPU in all (floor %.2f, ratio %.2f), %.1f us wall, %.0f lines a "
	    "batch\n", OUTSTANDING, measure_median(own, runs), measure_median(all, runs),
	    measure_median(base, runs), measure_median(all, runs) / measure_median(base, runs),
	    measure_median(wall, runs), t.batch);
	pthread_mutex_lock(&writer.lock);
	writer.stop = true;
	pthread_mutex_unlock(&writer.lock);
	pthread_cond_signal(&writer.change);
	pthread_join(thread, NULL);
	measure_must(audit_close(a), "the end");
	database_close(o.db);
	key_free(k);
	measure_scratch_remove();
	return 0;
}
