/*
 * How the cost grows with the number of entries in a file, and of files in an
 * estate: the exponent of the last step to ten times as many.  1 is linear;
 * what is above 1.1 is marked.  And what a review of many files costs beside
 * their scan.  All files are sealed in one plan with 256 descriptors.
 *
 * usage: bench_scale PROPSEAL
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "estate/estate.h"
#include "plan/change.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "tests/bench/fixture.h"
#include "tests/bench/measure.h"

#define STEPS 3
#define RUNS 3
#define SCANS 7
#define LINEAR 1.1
#define REVIEW_GOAL 2.0
#define SCAN_GOAL 1.5
#define DESCRIPTORS 256
#define FILES_A_FOLDER 100
#define REMOTE "/etc/kafka/secrets.properties"

static char *program;

static void
print_head(const char *what, const size_t sizes[STEPS])
{
	printf("\n%s, ms of CPU\n  %-26s", what, "");
	for (size_t i = 0; i < STEPS; i++)
		printf(" %10zu", sizes[i]);
	printf("  exponent\n");
}

static void
print_line(const char *what, const size_t sizes[STEPS], const double ms[STEPS])
{
	double exponent = log(ms[STEPS - 1] / ms[STEPS - 2]) /
	    log((double)sizes[STEPS - 1] / (double)sizes[STEPS - 2]);

	printf("  %-26s", what);
	for (size_t i = 0; i < STEPS; i++)
		printf(" %10.2f", ms[i]);
	printf("  %8.2f%s\n", exponent, exponent > LINEAR ? "  <- more than linear" : "");
	fflush(stdout);
}

/* --- entries of one file --- */

static char *config, *secrets, *opened, *config_before, *secrets_before;

static void
copy(const char *from, const char *to)
{
	char *const argv[] = { (char *)"/bin/cp", (char *)from, (char *)to, NULL };
	struct measure m;

	measure_run(argv, NULL, &m);
}

static void
make_file(size_t entries)
{
	struct buf text;

	buf_init(&text, BUF_MAX_FILE);
	fixture_secrets(&text);
	measure_write(secrets_before, (const char *)text.data, text.len);
	buf_clear(&text);
	for (size_t i = 0; i < entries; i++)
		buf_printf(&text, "listener.name.client-%zu.ssl.keystore.password=value-%zu\n", i, i);
	measure_must(buf_check(&text, NULL) == 0, "no memory");
	measure_write(config_before, (const char *)text.data, text.len);
	buf_release(&text);
}

static double
run(char *const argv[], bool fresh, size_t runs)
{
	double took[RUNS];
	struct measure m;

	for (size_t i = 0; i < runs; i++) {
		if (fresh) {
			copy(config_before, config);
			copy(secrets_before, secrets);
		}
		unlink(opened);
		measure_run(argv, fixture_environment, &m);
		took[i] = m.cpu_ms;
	}
	return measure_median(took, runs);
}

static void
measure_entries(const size_t sizes[STEPS])
{
	static const char flag[] = "--local-secrets-file";
	char *const commands[][12] = {
		{ program, "file", "encrypt", "--config-file", config, (char *)flag, secrets,
		    "--remote-secrets-file", REMOTE, "-q", NULL },
		{ program, "file", "decrypt", "--config-file", config, (char *)flag, secrets,
		    "--output-file", opened, "-q", NULL },
		{ program, "file", "show", config, (char *)flag, secrets, NULL },
		{ program, "file", "verify", (char *)flag, secrets, config, NULL }
	};
	enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };
	double ms[COMMANDS][STEPS];

	for (size_t s = 0; s < STEPS; s++) {
		make_file(sizes[s]);
		for (size_t k = 0; k < COMMANDS; k++)
			ms[k][s] = run(commands[k], k == 0, measure_is_smoke() ? 1 : RUNS);
	}
	print_head("entries of one file", sizes);
	for (size_t k = 0; k < COMMANDS; k++)
		print_line(commands[k][2], sizes, ms[k]);
}

/* --- files of an estate --- */

static char *
file_path(const char *folder, size_t i)
{
	char *path;

	measure_must(asprintf(&path, "%s/%03zu/c%05zu.properties", folder, i / FILES_A_FOLDER, i) >
	    0, "no memory");
	return path;
}

/* ${files} configurations of 20 entries, 4 of them secrets, and their secrets file. */
static void
make_estate(const char *folder, size_t files)
{
	struct buf text;
	char *path;

	buf_init(&text, BUF_MAX_FILE);
	measure_must(mkdir(folder, 0700) == 0, folder);
	fixture_secrets(&text);
	measure_must(asprintf(&path, "%s/secrets.properties", folder) > 0, "no memory");
	measure_write(path, (const char *)text.data, text.len);
	free(path);
	for (size_t i = 0; i < files; i++) {
		if (i % FILES_A_FOLDER == 0) {
			measure_must(asprintf(&path, "%s/%03zu", folder, i / FILES_A_FOLDER) > 0 &&
			    mkdir(path, 0700) == 0, "no folder");
			free(path);
		}
		path = file_path(folder, i);
		buf_clear(&text);
		for (size_t k = 0; k < 16; k++)
			buf_printf(&text, "some.setting.number.%zu = value %zu\n", k, i);
		for (size_t k = 0; k < 4; k++)
			buf_printf(&text, "listener.%zu.password = secret-%zu\n", k, i);
		measure_write(path, (const char *)text.data, text.len);
		free(path);
	}
	buf_release(&text);
}

static void
must(int rc, const struct error *err)
{
	char text[2200];

	snprintf(text, sizeof(text), "%s: %s", err->file, err->text);
	measure_must(rc == 0, text);
}

/* As the interface does, which counts the entries that it does not show. */
static double
scan(const char *folder, size_t files)
{
	const char *paths[] = { folder };
	struct error err = { 0 };
	double from = measure_cpu();
	struct estate *e = estate_new(paths, 1, &err);
	int more = 1;

	measure_must(e != NULL, "no estate");
	estate_set_brief(e, true);
	while (more == 1)
		more = estate_step(e, 100, &err);
	must(more, &err);
	measure_must(estate_count(e) == files + 1, "files are missing");
	from = measure_cpu() - from;
	estate_free(e);
	return from;
}

/* What ripgrep takes to count lines with an equals sign; 0: it is not installed. */
static double
search(char *folder)
{
	char *const argv[] = { (char *)"/usr/bin/rg", (char *)"-c", (char *)"=", folder, NULL };
	struct measure m = { 0 };

	if (access(argv[0], X_OK) == 0)
		measure_run(argv, NULL, &m);
	return m.cpu_ms;
}

enum { SCAN, REVIEW, APPLY, RESCAN, SEARCH, KINDS };

/* The plan that seals the secrets of all ${paths}, and its diff, as a person reviews it. */
static double
review(struct change *c, char *const *paths, size_t files, const char *secrets_path,
    const struct key *master)
{
	static const struct change_callbacks none = { .waiting = NULL };
	const struct seal_options options = { .remote = REMOTE };
	struct error err = { 0 };
	struct buf diff;
	double from = measure_cpu();

	buf_init(&diff, (size_t)1 << 30);
	change_init(c, &none, NULL);
	must(change_files(c, NULL, secrets_path, false, &err), &err);
	must(change_plan(c, &err), &err);
	must(seal_prepare(c->plan, master, &err), &err);
	for (size_t i = 0; i < files; i++) {
		struct configuration *config_file = change_config(c, paths[i], &err);

		must(config_file == NULL ? -1 : seal_default(c->plan, config_file, &options, NULL,
		    &err), &err);
	}
	must(diff_append(c->plan, &diff, &err), &err);
	from = measure_cpu() - from;
	buf_release(&diff);
	return from;
}

static void
keep_least(double *least, double ms)
{
	if (*least == 0 || ms < *least)
		*least = ms;
}

/* The least of SCANS, in turn: a machine that grows slower in between slows all of them. */
static void
measure_estate(size_t files, double ms[KINDS])
{
	char *folder = measure_path("estate"), **paths = calloc(files, sizeof(*paths)), *path;
	struct error err = { 0 };
	struct key *master;
	struct change c;

	measure_must(paths != NULL, "no memory");
	make_estate(folder, files);
	for (size_t i = 0; i < files; i++)
		paths[i] = file_path(folder, i);
	path = strchr(fixture_environment[0], '=') + 1;
	measure_must((master = key_from_base64(path, strlen(path), &err)) != NULL, "no key");
	measure_must(asprintf(&path, "%s/secrets.properties", folder) > 0, "no memory");
	for (size_t k = 0; k < KINDS; k++)
		ms[k] = 0;
	for (size_t run = 0; run < SCANS; run++) {
		if (run > 0)
			change_close(&c);
		keep_least(&ms[SCAN], scan(folder, files));
		keep_least(&ms[SEARCH], search(folder));
		keep_least(&ms[REVIEW], review(&c, paths, files, path, master));
	}

	ms[APPLY] = measure_cpu();
	must(change_apply(&c, &err), &err);
	ms[APPLY] = measure_cpu() - ms[APPLY];
	change_close(&c);
	for (size_t run = 0; run < SCANS; run++)
		keep_least(&ms[RESCAN], scan(folder, files));
	key_free(master);
	free(path);
	measure_scratch_remove();
	(void)measure_scratch();
	for (size_t i = 0; i < files; i++)
		free(paths[i]);
	free(paths);
	free(folder);
}

static void
print_ratio(const char *what, size_t files, const char *to, double ratio, double goal)
{
	printf("  %s of %zu files: %.2f times %s (goal: %.1f)%s\n", what, files, ratio, to, goal,
	    ratio <= goal ? "" : "  <- missed");
}

static void
measure_files(const size_t sizes[STEPS])
{
	static const char *const what[KINDS] = { "scan", "review (plan and diff)", "apply",
	    "scan of what is sealed", "rg -c = (0: it is not there)" };
	double ms[STEPS][KINDS], line[STEPS];

	for (size_t s = 0; s < STEPS; s++)
		measure_estate(sizes[s], ms[s]);
	print_head("files of 20 entries, 4 of them to seal", sizes);
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t s = 0; s < STEPS; s++)
			line[s] = ms[s][k];
		print_line(what[k], sizes, line);
	}
	print_ratio("review", sizes[STEPS - 1], "their scan", ms[STEPS - 1][REVIEW] /
	    ms[STEPS - 1][SCAN], REVIEW_GOAL);
	if (ms[STEPS - 1][SEARCH] > 0)
		print_ratio("scan", sizes[STEPS - 1], "`rg -c =`", ms[STEPS - 1][SCAN] /
		    ms[STEPS - 1][SEARCH], SCAN_GOAL);
}

int
main(int argc, char **argv)
{
	static const size_t entries[][STEPS] = { { 1000, 10000, 100000 }, { 10, 100, 1000 } };
	static const size_t files[][STEPS] = { { 100, 1000, 10000 }, { 1, 10, 100 } };
	struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };

	measure_must(argc == 2, "usage: bench_scale PROPSEAL");
	program = argv[1];
	measure_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "no limit of descriptors");
	config = measure_path("server.properties");
	secrets = measure_path("secrets.properties");
	opened = measure_path("opened.properties");
	config_before = measure_path("before.properties");
	secrets_before = measure_path("before-secrets.properties");
	measure_entries(entries[measure_is_smoke()]);
	measure_files(files[measure_is_smoke()]);
	measure_scratch_remove();
	return 0;
}
