/*
 * The Secret Registry under load, beside what its libraries do when they do
 * nothing else: reading a secret (TLS, keep-alive, login, rights and audit on)
 * beside a fixed answer through evhttp; storing one, durably, beside SQLite's
 * own group commit.
 */
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
#define POSTS 16

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

/* Of the audit log's file, and of those that it was rotated to. */
static double
audit_bytes(void)
{
	char pattern[sizeof(server_path) + 32];
	double bytes = 0;
	struct stat st;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/data/audit.log*", server_path);
	measure_must(glob(pattern, 0, NULL, &found) == 0, pattern);
	for (size_t i = 0; i < found.gl_pathc; i++)
		bytes += stat(found.gl_pathv[i], &st) == 0 ? (double)st.st_size : 0;
	globfree(&found);
	return bytes;
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

/* What a read leaves in the audit log. */
static void
audit_of_reads(const struct target *registry, const char *how, const char *goal, double seconds)
{
	double before = audit_bytes();
	struct load_result r;

	load_run(registry->port, registry->tls, POSTS, seconds, get, NULL, &r);
	measure_must(r.requests > 0 && r.failures == 0, "a GET failed");
	printf("audit.log, %s: %.0f bytes a read%s\n", how,
	    (audit_bytes() - before) / (double)r.requests, goal);
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
		ratio[i] = registry->us[i] / hello->us[i];
	}
	printf("GET, TLS, %u connections: registry %.1f us CPU, %.0f/s, p99 %.0f us; hello %.1f us,"
	    " %.0f/s; %.2f times hello's CPU%s\n", connections,
	    measure_median(registry->us, (size_t)rounds),
	    measure_median(registry->rate, (size_t)rounds),
	    measure_median(registry->p99, (size_t)rounds),
	    measure_median(hello->us, (size_t)rounds),
	    measure_median(hello->rate, (size_t)rounds),
	    measure_median(ratio, (size_t)rounds), connections == 1 ? " (at most 5)" :
	    connections <= 64 ? " (at most 2)" : "");
}

/* What a POST costs the service, beside a GET of hello over the same connections. */
static void
post_cpu(struct target *registry, struct target *hello, double seconds, int rounds,
    unsigned long *count)
{
	double ratio[ROUNDS];
	struct load_result r;

	for (int i = 0; i < rounds; i++) {
		double cpu;

		round_of(hello, i, POSTS, seconds);
		cpu = registry_cpu(registry->pid);
		load_run(registry->port, registry->tls, POSTS, seconds, post, count, &r);
		measure_must(r.requests > 0 && r.failures == 0, "a POST failed");
		registry->us[i] = (registry_cpu(registry->pid) - cpu) * 1000 / (double)r.requests;
		ratio[i] = registry->us[i] / hello->us[i];
	}
	printf("durable POST, TLS, %d connections: registry %.1f us CPU; hello %.1f us; %.2f times "
	    "hello (at most 4)\n", POSTS, measure_median(registry->us, (size_t)rounds),
	    measure_median(hello->us, (size_t)rounds), measure_median(ratio, (size_t)rounds));
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

/* GETs a second of the hello server, with as many under way as POSTs. */
static double
hello_alone(const struct target *hello, double seconds)
{
	struct load_result r;

	load_run(hello->port, hello->tls, GROUP, seconds, get, NULL, &r);
	measure_must(r.requests > 0 && r.failures == 0, "a GET failed");
	return (double)r.requests / r.seconds;
}

/*
 * Beside SQLite alone, of which the rows come from nowhere; and beside hello
 * and SQLite one after the other, as a row that came over TLS must.
 */
static void
writes(const char *what, struct target *registry, const struct target *hello, double seconds,
    int rounds, unsigned long *count)
{
	double ratio[ROUNDS], rate[ROUNDS], floor[ROUNDS], both[ROUNDS], p99[ROUNDS];
	struct load_result r;
	int i;

	for (i = 0; i < rounds; i++) {
		floor[i] = sqlite_alone(seconds);
		both[i] = hello_alone(hello, seconds);
		load_run(registry->port, registry->tls, GROUP, seconds, post, count, &r);
		measure_must(r.failures == 0, "a POST failed");
		rate[i] = (double)r.requests / r.seconds;
		p99[i] = r.p99_us;
		ratio[i] = rate[i] / floor[i];
		both[i] = rate[i] * (1 / both[i] + 1 / floor[i]);
	}
	printf("durable POST, TLS, %d in flight, %s: %.0f/s, p99 %.0f us; SQLite alone %.0f/s, ratio "
	    "%.2f; hello, then SQLite: ratio %.2f\n", GROUP, what,
	    measure_median(rate, (size_t)rounds), measure_median(p99, (size_t)rounds),
	    measure_median(floor, (size_t)rounds), measure_median(ratio, (size_t)rounds),
	    measure_median(both, (size_t)rounds));
}

/* The writes alone, in a process of which each sync takes so long. */
static void
slow_writes(const char *program, const char *us)
{
	char self[PATH_MAX], library[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	pid_t pid;
	int status;

	measure_must(n > 0, "/proc/self/exe");
	self[n] = '\0';
	fflush(stdout);
	if ((pid = fork()) == 0) {
		setenv("SYNC_US", us, 1);
		snprintf(library, sizeof(library), "%s/slow_sync.so", dirname(strdupa(self)));
		setenv("LD_PRELOAD", library, 1);
		execl(self, self, program, us, (char *)NULL);
		_exit(127);
	}
	measure_must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0, "the same with slow syncs");
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
	static const unsigned connections[] = { 1, 16, 64, 256 };
	char *certificate, *key, what[64];

	measure_must(argc == 2 || argc == 3, "usage: bench_registry PROGRAM [MICROSECONDS]");
	signal(SIGPIPE, SIG_IGN);
	snprintf(server_path, sizeof(server_path), "%s/registry", measure_scratch());
	certificate = measure_path("certificate.pem");
	key = measure_path("key.pem");
	registry_certificate(certificate, key);
	/* One thread each, so that a request's CPU can be told from waiting. */
	hello.pid = hello_start(certificate, key, 1, &hello.port);
	registry_prepare(argv[1], server_path);
	registry.pid = registry_start(argv[1], server_path, certificate, key, 1, 1, "",
	    &registry.port);
	load_run(registry.port, 1, 1, 0.001, post_first, NULL, &r);
	measure_must(r.requests > 0 && r.failures == 0, "storing the first secret failed");
	if (argc == 3) {
		snprintf(what, sizeof(what), "each sync %s us longer", argv[2]);
		writes(what, &registry, &hello, seconds, rounds, &count);
	} else {
		printf("\nSecret Registry\n");
		for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]); i++)
			reads(&registry, &hello, connections[i], seconds, rounds);
		audit_of_reads(&registry, "as it is", " (at most 1024)", seconds);
		post_cpu(&registry, &hello, seconds, rounds, &count);
		writes("the disk as it is", &registry, &hello, seconds, rounds, &count);
		printf("%lu secrets: %.0f MiB in memory\n", count, registry_memory(registry.pid));
		registry_stop(registry.pid);
		registry.pid = registry_start(argv[1], server_path, certificate, key, 1, 1,
		    "audit.compact = false\n", &registry.port);
		audit_of_reads(&registry, "audit.compact=false", "", seconds);
	}
	kill(hello.pid, SIGKILL);
	waitpid(hello.pid, NULL, 0);
	registry_stop(registry.pid);
	measure_scratch_remove();
	if (argc == 2) {
		slow_writes(argv[1], "1000");
		slow_writes(argv[1], "5000");
	}
	return 0;
}
