#include "tests/bench/measure.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char scratch[4096];

static double
seconds_to_ms(const struct timeval *t)
{
	return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

void
measure_must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s\n", what);
	if (scratch[0] != '\0')
		measure_scratch_remove();
	exit(1);
}

int
measure_is_smoke(void)
{
	const char *s = getenv("BENCH_SMOKE");

	return s != NULL && *s != '\0';
}

double
measure_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double
measure_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What a command that failed had to say. */
static void
show_said(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		fputs(line, stderr);
	if (f != NULL)
		fclose(f);
}

void
measure_run(char *const argv[], char *const env[], struct measure *m)
{
	char *said = measure_path("said");
	struct rusage r;
	double start;
	posix_spawn_file_actions_t quiet;
	int status;
	pid_t pid;

	/* A spawned child shares our memory until it executes: no fork's copying is
	 * charged to it. */
	measure_must(posix_spawn_file_actions_init(&quiet) == 0 &&
	    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(&quiet, 2, said, O_WRONLY | O_CREAT | O_TRUNC,
	    0600) == 0,
	    "no memory");
	start = measure_wall();
	measure_must(posix_spawn(&pid, argv[0], &quiet, NULL, argv,
	    env != NULL ? env : environ) == 0, argv[0]);
	measure_must(wait4(pid, &status, 0, &r) == pid, "wait failed");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		show_said(said);
		fprintf(stderr, "bench: failed:");
		for (; *argv != NULL; argv++)
			fprintf(stderr, " %s", *argv);
		fprintf(stderr, " (wait status %d)\n", status);
		measure_must(0, "a command did not succeed");
	}
	posix_spawn_file_actions_destroy(&quiet);
	free(said);
	m->wall_ms = measure_wall() - start;
	m->cpu_ms = seconds_to_ms(&r.ru_utime) + seconds_to_ms(&r.ru_stime);
	m->rss_mib = (double)r.ru_maxrss / 1024;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
measure_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

void
measure_header(const char *title, const char *floor)
{
	printf("\n%s\n  floor: %s\n  %-38s %12s %12s %12s %8s\n", title, floor, "", "median",
	    "best", "floor", "ratio");
}

void
measure_line(const char *what, double *v, size_t n, double floor)
{
	double middle = measure_median(v, n);

	printf("  %-38s %9.2f ms %9.2f ms %9.2f ms %8.2f\n", what, middle, v[0], floor,
	    floor > 0 ? middle / floor : 0);
	fflush(stdout);
}

const char *
measure_scratch(void)
{
	const char *dir = getenv("TMPDIR");

	if (scratch[0] == '\0') {
		snprintf(scratch, sizeof(scratch), "%s/propseal-bench.XXXXXX",
		    dir != NULL ? dir : "/tmp");
		measure_must(mkdtemp(scratch) != NULL &&
		    setenv("XDG_STATE_HOME", scratch, 1) == 0, "no scratch folder");
	}
	return scratch;
}

static int
remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
measure_scratch_remove(void)
{
	nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	scratch[0] = '\0';
}

char *
measure_path(const char *name)
{
	char *path;

	measure_must(asprintf(&path, "%s/%s", measure_scratch(), name) > 0, "no memory");
	return path;
}

void
measure_write(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	measure_must(fd >= 0, path);
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		measure_must(done > 0, path);
		bytes += done;
		n -= (size_t)done;
	}
	measure_must(close(fd) == 0, path);
}
