/*
 * Reading JSON: many members, deep and wide, and large strings, beside a scan
 * with memchr for the byte that cuts them over the same bytes in the same run.
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
	size_t n = strlen(unit);

	buf_init_secret(b, BUF_MAX_FILE);
	measure_must(buf_reserve(b, size + n) == 0, "memory");
	buf_append_str(b, head);
	while (b->len + n + strlen(tail) <= size)
		buf_append(b, unit, n);
	buf_append_str(b, tail);
}

static void
fill_members(struct buf *b, size_t count)
{
	char line[128];
	size_t i;

	buf_init_secret(b, BUF_MAX_FILE);
	for (i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%s\n  \"consumer.setting.%zu\": \"a value of it\"",
		    i == 0 ? "{" : ",", i);
		buf_append_str(b, line);
	}
	buf_append_str(b, "\n}\n");
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

struct took {
	double parse;
	double value;	/* of the last entry, by its path */
	double edit;	/* set that value, and write the whole */
};

/* Parses ${b}, which is given back with another last value. */
static struct took
use(struct buf *b)
{
	struct error err = { 0 };
	struct took took;
	double from = measure_cpu();
	struct document *d = document_parse(b, &document_json, "bench", &err);
	struct edits *e;
	struct buf value;
	const char *key;
	size_t i, n;

	measure_must(d != NULL && document_problem(d, &err) == 0, "parse");
	took.parse = measure_cpu() - from;
	from = measure_cpu();
	key = document_key(d, document_count(d) - 1, &n);
	i = document_find(d, key, n);
	measure_must(i == document_count(d) - 1, "find");
	buf_init_secret(&value, BUF_MAX_FILE);
	measure_must(document_value(d, i, &value, &err) == 0, "value");
	took.value = measure_cpu() - from;
	from = measure_cpu();
	e = edits_new(d, true, &err);
	measure_must(e != NULL && edits_set(e, i, value.data, value.len, &err) == 0 &&
	    edits_render(e, b, &err) == 0, "render");
	took.edit = measure_cpu() - from;
	edits_free(e);
	buf_release(&value);
	document_free(d);
	return took;
}

static void
print(const char *what, const char *of, double size, double ms, double floor_ms)
{
	printf("%s %s %.0f MB: %.0f MB/s (floor memchr %.0f MB/s, ratio %.2f)\n", what, of,
	    size / MEGABYTE, size / MEGABYTE / (ms / 1000), size / MEGABYTE / (floor_ms / 1000),
	    floor_ms / ms);
}

/* Interleaved, so that a change in the machine's pace meets both. */
static void
measure(const char *what, struct buf *b, int cut)
{
	double parse[RUNS_MAX], value[RUNS_MAX], edit[RUNS_MAX], floor_ms[RUNS_MAX];
	double size = (double)b->len;
	double base;
	struct took took;
	size_t i;

	for (i = 0; i < runs; i++) {
		floor_ms[i] = scan(b, cut);
		took = use(b);
		parse[i] = took.parse;
		value[i] = took.value;
		edit[i] = took.edit;
	}
	base = measure_median(floor_ms, runs);
	print("parse", what, size, measure_median(parse, runs), base);
	print("find and decode", what, size, measure_median(value, runs), base);
	print("set and render", what, size, measure_median(edit, runs), base);
	buf_release(b);
}

int
main(void)
{
	size_t size = measure_is_smoke() ? MEGABYTE : 10 * MEGABYTE;
	struct buf b;

	runs = measure_is_smoke() ? 1 : RUNS_MAX;
	fill_members(&b, measure_is_smoke() ? 1000 : 100000);
	measure("100 000 members (JSON),", &b, '\n');
	fill(&b, "{\"a\": \"", "0123456789abcdef", size, "\"}");
	measure("one plain string (JSON),", &b, '"');
	fill(&b, "{\"a\": \"", "C:\\\\temp\\\\new\\n\\u00e9", size, "\"}");
	measure("one string with escapes (JSON),", &b, '\\');
	fill(&b, "[", "{\"pw\":[1,{}]},", size, "0]");
	measure("many small objects (JSON),", &b, '{');
	return 0;
}
