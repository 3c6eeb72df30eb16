#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* Running programs and timing loops for the benchmarks.  Any failure to
 * measure ends the benchmark with a message. */

struct measure {
	double cpu_ms;		/* user and system time of the process */
	double wall_ms;
	double rss_mib;		/* peak resident memory */
};

/* CPU of this process and wall time, in milliseconds. */
double measure_cpu(void);
double measure_wall(void);

/**
 * measure_run(argv, env, m):
 * Run a program with its output thrown away (the last lines of standard error
 * are shown when it fails) and wait for it.  ${env} NULL: this one's.
 */
void measure_run(char *const argv[], char *const env[], struct measure *m);

/* Sorts ${v} and returns its middle. */
double measure_median(double *v, size_t n);

/* One line of the table: the median and the best of ${n} figures in ms, which are
 * sorted, the floor, and the ratio of the median to it. */
void measure_header(const char *title, const char *floor);
void measure_line(const char *what, double *v, size_t n, double floor);

/* A scratch folder below ${TMPDIR:-/tmp}, removed by measure_scratch_remove. */
const char *measure_scratch(void);
void measure_scratch_remove(void);

/* "<scratch>/<name>", kept until the end. */
char *measure_path(const char *name);

/* Write a whole file of mode 0600. */
void measure_write(const char *path, const char *bytes, size_t n);

/* Ends the benchmark with a message unless ${ok}. */
void measure_must(int ok, const char *what);

/* BENCH_SMOKE=1 asks for one short run: does it work at all? */
int measure_is_smoke(void);

#endif /* !MEASURE_H */
