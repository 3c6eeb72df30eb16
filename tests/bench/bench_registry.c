/*
 * The Secret Registry under load, beside what its libraries do when they do
 * nothing else: reading a secret (TLS, keep-alive, login, rights and audit on)
 * beside a fixed answer through evhttp; storing one, durably, beside SQLite's
 * own group commit.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hello.h"
#include "load.h"
#include "measure.h"
#include "registry_server.h"

/* bench:bench-password */
#define LOGIN "Authorization: Basic YmVuY2g6YmVuY2gtcGFzc3dvcmQ=\r\n"
#define ROUNDS 5
#define GROUP 32

static char server_path[4200];

struct target {
	const char *name;
	int port;
	pid_t pid;
	int tls;
	double us[ROUNDS];	/* CPU a request */
	double rate[ROUNDS];
	double p99[ROUNDS];
};

static size_t
get(void *cookie, char *out, size_t size)
{
	(void)cookie;
	return (size_t)snprintf(out, size, "GET /secret/paths/bench/keys/password/versions/latest "
	    "HTTP/1.1\r\nHost: 127.0.0.1\r\n" LOGIN "\r\n");
}

static size_t
post(void *cookie, char *out, size_t size)
{
	static const char body[] = "{\"secret\":\"0123456789abcdef0123456789abcdef\"}";
	unsigned long *n = cookie;

	++*n;
	return (size_t)snprintf(out, size, "POST /secret/paths/load-%lu/keys/password/versions "
	    "HTTP/1.1\r\nHost: 127.0.0.1\r\n" LOGIN "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s", *n, sizeof(body) - 1, body);
}

static size_t
post_first(void *cookie, char *out, size_t size)
{
	static const char body[] = "{\"secret\":\"0123456789abcdef\"}";

	(void)cookie;
	return (size_t)snprintf(out, size, "POST /secret/paths/bench/keys/password/versions "
	    "HTTP/1.1\r\nHost: 127.0.0.1\r\n" LOGIN "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s", sizeof(body) - 1, body);
}

static void
round_of(struct target *t, int i, unsigned connections, double seconds)
{
	struct load_result r;
	double cpu = registry_cpu(t->pid);

	load_run(t->port, t->tls, connections, seconds, get, NULL, &r);
	measure_must(r.requests > 0 && r.failures == 0, "a GET failed");
	t->us[i] = (registry_cpu(t->pid) - cpu) * 1000 / (double)r.requests;
	t->rate[i] = (double)r.requests / r.seconds;
	t->p99[i] = r.p99_us;
}

static void
reads(struct target *registry, struct target *hello, unsigned connections, double seconds,
    int rounds)
{
	double ratio[ROUNDS];
	int i;

	for (i = 0; i < rounds; i++) {
		round_of(hello, i, connections, seconds);
		round_of(registry, i, connections, seconds);
		ratio[i] = hello->us[i] / registry->us[i];
	}
	printf("GET, TLS, %u connections: registry %.1f us CPU, %.0f/s, p99 %.0f us; hello %.1f us,"
	    " %.0f/s; capacity %.2f of hello\n", connections,
	    measure_median(registry->us, (size_t)rounds),
	    measure_median(registry->rate, (size_t)rounds),
	    measure_median(registry->p99, (size_t)rounds),
	    measure_median(hello->us, (size_t)rounds),
	    measure_median(hello->rate, (size_t)rounds),
	    measure_median(ratio, (size_t)rounds));
}

/* Rows a second that SQLite alone commits in groups of GROUP. */
static double
sqlite_alone(double seconds)
{
	sqlite3 *db;
	sqlite3_stmt *insert;
	char row[300];
	double begin = measure_wall();
	unsigned long rows = 0;

	memset(row, 'x', sizeof(row));
	measure_must(sqlite3_open(measure_path("floor.db"), &db) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "PRAGMA locking_mode=EXCLUSIVE; CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, "
	    "v BLOB)", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "INSERT INTO t(v) VALUES(?)", -1, &insert, NULL) == SQLITE_OK,
	    "sqlite");
	while (measure_wall() - begin < seconds * 1000) {
		sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		for (int i = 0; i < GROUP; i++) {
			sqlite3_bind_blob(insert, 1, row, sizeof(row), SQLITE_STATIC);
			sqlite3_step(insert);
			sqlite3_reset(insert);
		}
		measure_must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "commit");
		rows += GROUP;
	}
	sqlite3_finalize(insert);
	sqlite3_close(db);
	return (double)rows * 1000 / (measure_wall() - begin);
}

static void
writes(struct target *registry, double seconds, int rounds, unsigned long *count)
{
	double ratio[ROUNDS], rate[ROUNDS], floor[ROUNDS], p99[ROUNDS];
	struct load_result r;
	int i;

	for (i = 0; i < rounds; i++) {
		floor[i] = sqlite_alone(seconds);
		load_run(registry->port, registry->tls, GROUP, seconds, post, count, &r);
		measure_must(r.failures == 0, "a POST failed");
		rate[i] = (double)r.requests / r.seconds;
		p99[i] = r.p99_us;
		ratio[i] = rate[i] / floor[i];
	}
	printf("durable POST, TLS, %d in flight: %.0f/s, p99 %.0f us; SQLite alone %.0f/s; ratio "
	    "%.2f\n", GROUP, measure_median(rate, (size_t)rounds),
	    measure_median(p99, (size_t)rounds), measure_median(floor, (size_t)rounds),
	    measure_median(ratio, (size_t)rounds));
}

int
main(int argc, char **argv)
{
	int smoke = measure_is_smoke();
	int rounds = smoke ? 1 : ROUNDS;
	double seconds = smoke ? 0.2 : 2;
	unsigned long count = 0;
	struct target registry = { .name = "registry", .tls = 1 };
	struct target hello = { .name = "hello", .tls = 1 };
	struct load_result r;
	char *certificate, *key;

	measure_must(argc == 2, "usage: bench_registry PROGRAM");
	signal(SIGPIPE, SIG_IGN);
	printf("\nSecret Registry\n");
	snprintf(server_path, sizeof(server_path), "%s/registry", measure_scratch());
	certificate = measure_path("certificate.pem");
	key = measure_path("key.pem");
	registry_certificate(certificate, key);
	/* One thread each, so that a request's CPU can be told from waiting. */
	hello.pid = hello_start(certificate, key, 1, &hello.port);
	registry_prepare(argv[1], server_path);
	registry.pid = registry_start(argv[1], server_path, certificate, key, 1, 1,
	    &registry.port);
	load_run(registry.port, 1, 1, 0.001, post_first, NULL, &r);
	measure_must(r.requests > 0 && r.failures == 0, "storing the first secret failed");
	reads(&registry, &hello, 16, seconds, rounds);
	reads(&registry, &hello, 256, seconds, rounds);
	writes(&registry, seconds, rounds, &count);
	printf("%lu secrets: %.0f MiB in memory\n", count, registry_memory(registry.pid));
	kill(hello.pid, SIGKILL);
	waitpid(hello.pid, NULL, 0);
	registry_stop(registry.pid);
	measure_scratch_remove();
	return 0;
}
