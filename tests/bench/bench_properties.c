/*
 * Reading .properties text: a large file, and one large value, beside a scan
 * with memchr over the same bytes in the same run, for the byte that cuts them
 * (LF, CR or backslash).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "tests/bench/measure.h"

#define MEGABYTE 1000000
#define RUNS_MAX 5

static size_t runs;

/* ${unit}, over and over, between ${head} and ${tail}, ${size} bytes in all. */
static void
fill(struct buf *b, const char *head, const char *unit, size_t size, const char *tail)
{
	size_t end = size - strlen(tail);
	size_t n = strlen(unit);

	buf_init_secret(b, BUF_MAX_FILE);
	measure_must(buf_reserve(b, size) == 0, "memory");
	buf_append_str(b, head);
	while (b->len + n <= end)
		buf_append(b, unit, n);
	buf_append_str(b, tail);
}

static void
fill_file(struct buf *b, size_t size)
{
	static const char *const lines[] = {
		"# Where the brokers are, and how to talk to them\n",
		"bootstrap.servers=kafka-1.example.com:9092,kafka-2.example.com:9092\n",
		"listeners=SASL_SSL://0.0.0.0:9093\n", "\n", "num.partitions = 12\n",
		"ssl.keystore.location=/var/ssl/private/kafka.p12\n",
		"ssl.keystore.password=${securepass:/etc/kafka/secrets.properties:server/key}\n",
		"log.retention.hours=168\n", "offsets.topic.replication.factor=3\n",
		"ssl.endpoint.identification.algorithm=https\n"
	};
	size_t i;

	buf_init_secret(b, BUF_MAX_FILE);
	measure_must(buf_reserve(b, size) == 0, "memory");
	for (i = 0; b->len + 100 < size; i++)
		buf_append_str(b, lines[i % (sizeof(lines) / sizeof(lines[0]))]);
}

static double
scan(const struct buf *b, int cut)
{
	const unsigned char *p = b->data;
	const unsigned char *end = p + b->len;
	const unsigned char *found;
	double from = measure_cpu();
	size_t pieces = 0;

	while (p < end && (found = memchr(p, cut, (size_t)(end - p))) != NULL) {
		p = found + 1;
		pieces++;
	}
	measure_must(pieces > 0, "nothing to scan for");
	return measure_cpu() - from;
}

/* Parses ${b}, which is given back, and reads its first value. */
static double
parse(struct buf *b, double *value_ms)
{
	struct error err = { 0 };
	double from = measure_cpu();
	struct document *d = document_parse(b, &document_properties, "bench", &err);
	double parsed = measure_cpu();
	struct edits *e;
	struct buf value;

	measure_must(d != NULL, "parse");
	buf_init_secret(&value, BUF_MAX_FILE);
	measure_must(document_value(d, 0, &value, &err) == 0, "value");
	*value_ms = measure_cpu() - parsed;
	buf_release(&value);
	e = edits_new(d, false, &err);
	measure_must(e != NULL && edits_render(e, b, &err) == 0, "render");
	edits_free(e);
	document_free(d);
	return parsed - from;
}

static void
print(const char *what, double size, double ms, double floor_ms)
{
	printf("%s %.0f MB: %.0f MB/s (floor memchr %.0f MB/s, ratio %.2f)\n", what,
	    size / MEGABYTE, size / MEGABYTE / (ms / 1000), size / MEGABYTE / (floor_ms / 1000),
	    floor_ms / ms);
}

/* Interleaved, so that a change in the machine's pace meets both. */
static void
measure(const char *what, struct buf *b, int cut, int with_value)
{
	double took[RUNS_MAX], value[RUNS_MAX], floor_ms[RUNS_MAX];
	double size = (double)b->len;
	char text[128];
	double base;
	size_t i;

	for (i = 0; i < runs; i++) {
		floor_ms[i] = scan(b, cut);
		took[i] = parse(b, &value[i]);
	}
	base = measure_median(floor_ms, runs);
	snprintf(text, sizeof(text), "parse %s", what);
	print(text, size, measure_median(took, runs), base);
	if (with_value) {
		snprintf(text, sizeof(text), "decode %s", what);
		print(text, size, measure_median(value, runs), base);
	}
	buf_release(b);
}

int
main(void)
{
	size_t large = measure_is_smoke() ? MEGABYTE : 100 * MEGABYTE;
	size_t value = measure_is_smoke() ? MEGABYTE : 10 * MEGABYTE;
	struct buf b;

	runs = measure_is_smoke() ? 1 : RUNS_MAX;
	fill_file(&b, large);
	measure("typical lines,", &b, '\n', 0);
	fill(&b, "key=", "0123456789abcdef", value, "\n");
	measure("one plain value,", &b, '\n', 1);
	fill(&b, "key=", "x\\\n  ", value, "y\n");
	measure("one value of continuation lines,", &b, '\n', 1);
	fill(&b, "key=", "a long line of a value, and more of it \\\n    ", value, "y\n");
	measure("one value of long continuation lines,", &b, '\n', 1);
	fill(&b, "key=", "C:\\\\temp\\\\new\\n", value, "\n");
	measure("one value with escapes,", &b, '\\', 1);
	fill(&b, "", "key=value\r", value, "key=value\r\n");
	measure("lines that end in CR,", &b, '\r', 0);
	return 0;
}
