/*
 * A registry with a hundred thousand secrets (a hundred with BENCH_SMOKE): how
 * long it takes to start, beside an empty one.  With ten times as many: what it
 * holds in memory, how it answers, and what 500 clients that send a byte a
 * second do to the others.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "load.h"
#include "measure.h"
#include "registry/database/database.h"
#include "registry/keys/keyring.h"
#include "registry/store/store.h"
#include "registry_server.h"

#define LOGIN "Authorization: Basic YmVuY2g6YmVuY2gtcGFzc3dvcmQ=\r\n"
#define MASTER "a passphrase for the benchmark only"
#define KEYS 10		/* of a path */
#define BATCH 256
#define STARTS 5
#define SLOW 500

static unsigned long secrets;

static void
stored(struct store_op *op)
{
	measure_must(op->result == STORE_DONE, "storing a secret");
}

/* Fill the store that the registry will find, numbers ${i} up to ${end}. */
static void
fill(const char *path, unsigned long i, unsigned long end)
{
	static struct store_op ops[BATCH];
	struct store_options o = { .undelete_window_ms = 1000, .no_thread = true };
	struct master *m;
	struct error err;
	struct store *s;
	struct buf text;
	size_t n, k;

	buf_init_secret(&text, 256);
	buf_append_str(&text, MASTER);
	measure_must((m = master_from_text(&text, false, &err)) != NULL, "master");
	buf_release(&text);
	o.master = m;
	measure_must((o.db = database_open(path, &err)) != NULL, err.text);
	measure_must((s = store_open(&o, &err)) != NULL, err.text);
	while (i < end) {
		for (n = 0; n < BATCH && i < end; n++, i++) {
			struct store_op *op = &ops[n];

			store_op_init(op, STORE_CREATE);
			op->path_len = (size_t)snprintf(op->path, sizeof(op->path), "path-%lu", i / KEYS);
			op->key_len = (size_t)snprintf(op->key, sizeof(op->key), "key%lu", i % KEYS);
			op->by = "bench";
			op->cas = op->if_match = -1;
			op->done = stored;
			buf_append_str(&op->value, "0123456789abcdef0123456789abcdef");
			store_submit(s, op);
		}
		store_step(s);
		for (k = 0; k < n; k++)
			store_op_release(&ops[k]);
	}
	store_close(s);
	database_close(o.db);
	master_free(m);
}

static size_t
get(void *cookie, char *out, size_t size)
{
	unsigned long *seed = cookie;
	unsigned long i;

	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	i = (*seed >> 33) % secrets;
	return (size_t)snprintf(out, size, "GET /secret/paths/path-%lu/keys/key%lu/versions/latest "
	    "HTTP/1.1\r\nHost: 127.0.0.1\r\n" LOGIN "\r\n", i / KEYS, i % KEYS);
}

/* A process that opens SLOW connections and sends a byte a second on each. */
static pid_t
slow_clients(int port)
{
	static const char text[] = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fds[SLOW];
	pid_t pid = fork();
	size_t at;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < SLOW; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fds[i], (struct sockaddr *)&to, sizeof(to)) != 0)
			_exit(1);
	}
	for (at = 0;; at++) {
		for (int i = 0; i < SLOW; i++)
			(void)!write(fds[i], at < sizeof(text) - 1 ? text + at : "x", 1);
		sleep(1);
	}
}

/* How long it takes until it answers, ms. */
static double
start(const char *program, const char *folder, pid_t *server, int *port)
{
	double began = measure_wall();

	*server = registry_start(program, folder, NULL, NULL, 1, 0, "", port);
	return measure_wall() - began;
}

/* A start with what the folder has, beside one of an empty registry. */
static void
starts(const char *program, const char *folder, const char *empty)
{
	double full[STARTS], none[STARTS], ratio[STARTS];
	pid_t server;
	int port;

	for (size_t i = 0; i < STARTS; i++) {
		none[i] = start(program, empty, &server, &port);
		registry_stop(server);
		full[i] = start(program, folder, &server, &port);
		registry_stop(server);
		ratio[i] = full[i] / none[i];
	}
	printf("start with %lu secrets %.0f ms, empty %.0f ms: ratio %.2f (at most 4)\n", secrets,
	    measure_median(full, STARTS), measure_median(none, STARTS),
	    measure_median(ratio, STARTS));
}

int
main(int argc, char **argv)
{
	double seconds = measure_is_smoke() ? 0.2 : 5;
	unsigned long seed = 1;
	struct load_result r;
	char path[4300];
	char *folder, *empty;
	double began, started;
	pid_t server, slow;
	int port;

	measure_must(argc == 2, "usage: bench_million PROGRAM");
	signal(SIGPIPE, SIG_IGN);
	folder = measure_path("million");
	empty = measure_path("empty");
	mkdir(folder, 0700);
	snprintf(path, sizeof(path), "%s/data", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/data/registry.db", folder);
	registry_prepare(argv[1], empty);
	secrets = measure_is_smoke() ? 100 : 100000;
	fill(path, 0, secrets);
	registry_prepare(argv[1], folder);
	printf("\nSecret Registry with many secrets\n");
	starts(argv[1], folder, empty);
	began = measure_wall();
	fill(path, secrets, 10 * secrets);
	secrets *= 10;
	printf("filled through the store up to %lu in %.1f s\n", secrets,
	    (measure_wall() - began) / 1000);
	started = start(argv[1], folder, &server, &port);
	printf("start %.2f s; %.0f MiB in memory, %.0f bytes a secret\n", started / 1000,
	    registry_memory(server), registry_memory(server) * 1048576 / (double)secrets);
	load_run(port, 0, 16, seconds, get, &seed, &r);
	measure_must(r.failures == 0, "a GET failed");
	printf("GET of any, 16 connections: %.0f/s, p50 %.0f us, p99 %.0f us\n",
	    (double)r.requests / r.seconds, r.p50_us, r.p99_us);
	slow = slow_clients(port);
	sleep(measure_is_smoke() ? 0 : 2);
	load_run(port, 0, 16, seconds, get, &seed, &r);
	measure_must(r.failures == 0, "a GET failed beside slow clients");
	printf("the same beside %d slow clients: %.0f/s, p50 %.0f us, p99 %.0f us\n", SLOW,
	    (double)r.requests / r.seconds, r.p50_us, r.p99_us);
	kill(slow, SIGKILL);
	waitpid(slow, NULL, 0);
	registry_stop(server);
	measure_scratch_remove();
	return 0;
}
