/*
 * What a rotation session costs beside a loop that only makes the new data
 * keys and puts the files in place: 1 000 secrets files of 100 entries; and
 * how its memory grows with the number of files: from 1 000 to 10 000 of them
 * with a few entries.
 *
 * usage: bench_rotation PROPSEAL
 */
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "file/file.h"
#include "plan/change.h"
#include "seal/keying.h"
#include "tests/bench/fixture.h"
#include "tests/bench/measure.h"

#define ENTRIES 100
#define FEW 4
#define REMOTE "/etc/kafka/secrets.properties"

static char *program, *folder, *config, *secrets, *state;
static struct buf sealed;

/* A secrets file with its entries, as every folder gets it. */
static void
make_sealed(int entries)
{
	char *const argv[] = { program, (char *)"file", (char *)"encrypt",
		(char *)"--config-file", config, (char *)"--local-secrets-file", secrets,
		(char *)"--remote-secrets-file", (char *)REMOTE, NULL };
	struct measure m;
	struct buf text;

	buf_init(&text, BUF_MAX_FILE);
	fixture_secrets(&text);
	measure_write(secrets, (const char *)text.data, text.len);
	buf_clear(&text);
	for (int i = 0; i < entries; i++)
		buf_printf(&text, "listener.%d.ssl.key.password=A-secret-of-some-length-%d\n", i, i);
	measure_write(config, (const char *)text.data, text.len);
	buf_release(&text);
	measure_run(argv, (char *const[]){ fixture_environment[0], state, NULL }, &m);
	buf_release(&sealed);
	buf_init(&sealed, BUF_MAX_FILE);
	measure_must(file_read(secrets, &sealed, NULL, NULL) == 0, "read the secrets file");
}

static void
path_of(char out[4096], size_t i)
{
	snprintf(out, 4096, "%s/f%zu/secrets.properties", folder, i);
}

static void
make_files(size_t n)
{
	char path[4096];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/f%zu", folder, i);
		(void)mkdir(path, 0700);
		path_of(path, i);
		measure_write(path, (const char *)sealed.data, sealed.len);
	}
}

/* The floor: every file gets a new data key, and is on disk. */
static void
bare(size_t n, struct measure *m)
{
	const char *variable = strchr(fixture_environment[0], '=') + 1;
	struct key *master = key_from_base64(variable, strlen(variable), NULL);
	double cpu = measure_cpu(), wall = measure_wall();
	static const struct change_callbacks none = { .waiting = NULL };
	char path[4096];

	measure_must(master != NULL, "have the key");
	for (size_t i = 0; i < n; i++) {
		struct change c;

		path_of(path, i);
		change_init(&c, &none, NULL);
		measure_must(change_files(&c, NULL, path, false, NULL) == 0 &&
		    change_start(&c, NULL) == 0 &&
		    rotate_data_key(c.plan, master, NULL, NULL, NULL) == 0 &&
		    change_apply(&c, NULL) == 0, "rotate a file");
		change_close(&c);
	}
	key_free(master);
	m->cpu_ms = measure_cpu() - cpu;
	m->wall_ms = measure_wall() - wall;
}

static void
rotation(const char *command, const char *path, struct measure *m)
{
	/* A plan shows its diff, too. */
	char *const argv[] = { program, (char *)"rotation", (char *)command, (char *)"-o",
		(char *)(path != NULL ? "human" : "json"), (char *)"-q", (char *)(path != NULL ? "--data-key" : "--yes"),
		(char *)path, NULL };

	char *const environment[] = { fixture_environment[0], state, NULL };

	measure_run(argv, environment, m);
}

static void
line(const char *what, const struct measure *m, const struct measure *floor)
{
	printf("  %-24s %10.1f %10.1f %8.2f %8.2f %8.1f\n", what, m->cpu_ms, m->wall_ms,
	    m->cpu_ms / floor->cpu_ms, m->wall_ms / floor->wall_ms, m->rss_mib);
	fflush(stdout);
}

static void
step(size_t n)
{
	struct measure floor = { 0 }, plan, apply, verify, all, ignored;

	make_files(n);
	bare(n, &floor);
	make_files(n);
	rotation("plan", folder, &plan);
	rotation("apply", NULL, &apply);
	rotation("verify", NULL, &verify);
	all = (struct measure){ plan.cpu_ms + apply.cpu_ms, plan.wall_ms + apply.wall_ms,
		apply.rss_mib > plan.rss_mib ? apply.rss_mib : plan.rss_mib };
	printf("\n%zu secrets files of %d entries %13s %10s %8s %8s %8s\n", n, ENTRIES, "CPU ms",
	    "ms", "CPU/bare", "ms/bare", "MiB");
	line("bare", &floor, &floor);
	line("plan", &plan, &floor);
	line("apply", &apply, &floor);
	line("plan and apply", &all, &floor);
	line("verify", &verify, &floor);
	rotation("finish", NULL, &ignored);
}

/* What plan, apply and verify take of memory, in MiB. */
enum { COMMANDS = 3 };
static const char *const commands[COMMANDS] = { "plan", "apply", "verify" };

static void
memory(size_t n, double mib[COMMANDS])
{
	struct measure m;

	make_files(n);
	for (size_t i = 0; i < COMMANDS; i++) {
		rotation(commands[i], i == 0 ? folder : NULL, &m);
		mib[i] = m.rss_mib;
	}
	rotation("finish", NULL, &m);
}

static void
growth(size_t few, size_t many)
{
	double less[COMMANDS], more[COMMANDS];

	make_sealed(FEW);
	memory(few, less);
	memory(many, more);
	printf("\nmemory, files of %d entries %9zu %10zu %14s\n", FEW, few, many, "bytes a file");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-24s %8.1f M %8.1f M %14.0f\n", commands[i], less[i], more[i],
		    (more[i] - less[i]) * 1048576 / (double)(many - few));
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_rotation PROPSEAL\n");
		return 2;
	}
	program = argv[1];
	folder = measure_path("estate");
	config = measure_path("server.properties");
	secrets = measure_path("secrets.properties");
	measure_must(asprintf(&state, "XDG_STATE_HOME=%s", measure_path("state")) > 0, "no memory");
	measure_must(mkdir(folder, 0700) == 0, "make a folder");
	make_sealed(ENTRIES);
	step(measure_is_smoke() ? 5 : 100);
	if (!measure_is_smoke())
		step(1000);
	growth(measure_is_smoke() ? 5 : 1000, measure_is_smoke() ? 10 : 10000);
	measure_scratch_remove();
	return 0;
}
