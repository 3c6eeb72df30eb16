/*
 * The registry's log on SQLite: group commit of 32 records beside the same
 * inserts into a bare table (write-ahead log, synchronous=FULL, no index), and
 * opening and reading many records beside a bare SELECT over the same file.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/log/log.h"
#include "registry/log/log_sqlite.h"
#include "tests/bench/measure.h"

#define GROUP 32
#define VALUE 250		/* with the key, about 400 bytes a record */
#define RUNS_MAX 9
#define FILL_GROUP 4096

static size_t runs, groups, many;

/* Records as the store writes them: the key holds a random claim. */
struct batch {
	char keys[FILL_GROUP][160];
	struct log_record records[FILL_GROUP];
};

static char value[VALUE];

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void
make_batch(struct batch *b, size_t n, uint64_t from)
{
	size_t i;
	int len;

	for (i = 0; i < n; i++) {
		uint64_t number = from + i;

		len = snprintf(b->keys[i], sizeof(b->keys[i]),
		    "{\"t\":\"SECRET\",\"path\":\"connector-%06u\",\"key\":\"database.password\","
		    "\"version\":%u,\"claim\":\"%016llx%016llx\"}",
		    (unsigned)(number / 20), (unsigned)(number % 20),
		    (unsigned long long)mix(number * 2 + 1),
		    (unsigned long long)mix(number * 2 + 2));
		b->records[i] = (struct log_record){ b->keys[i], (size_t)len, value, VALUE };
	}
}

static void
must(sqlite3 *db, int rc, int wanted)
{
	if (rc != wanted)
		fprintf(stderr, "bench: SQLite: %s\n", sqlite3_errmsg(db));
	measure_must(rc == wanted, "SQLite failed");
}

struct bare {
	sqlite3 *db;
	sqlite3_stmt *begin, *insert, *commit;
	sqlite3_int64 next;
};

static sqlite3_stmt *
prepared(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;

	must(db, sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	return s;
}

static void
run(sqlite3 *db, sqlite3_stmt *s)
{
	must(db, sqlite3_step(s), SQLITE_DONE);
	sqlite3_reset(s);
}

static void
bare_open(struct bare *b, const char *path)
{
	must(NULL, sqlite3_open(path, &b->db), SQLITE_OK);
	must(b->db, sqlite3_exec(b->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, key BLOB, value BLOB)", NULL, NULL, NULL),
	    SQLITE_OK);
	b->begin = prepared(b->db, "BEGIN IMMEDIATE");
	b->insert = prepared(b->db, "INSERT INTO t VALUES(?,?,?)");
	b->commit = prepared(b->db, "COMMIT");
	b->next = 1;
}

static void
bare_append(struct bare *b, const struct log_record *records, size_t n)
{
	size_t i;

	run(b->db, b->begin);
	for (i = 0; i < n; i++) {
		sqlite3_bind_int64(b->insert, 1, b->next++);
		sqlite3_bind_blob(b->insert, 2, records[i].key, (int)records[i].key_len,
		    SQLITE_STATIC);
		sqlite3_bind_blob(b->insert, 3, records[i].value, (int)records[i].value_len,
		    SQLITE_STATIC);
		run(b->db, b->insert);
	}
	run(b->db, b->commit);
}

static void
bare_close(struct bare *b)
{
	sqlite3_finalize(b->begin);
	sqlite3_finalize(b->insert);
	sqlite3_finalize(b->commit);
	must(b->db, sqlite3_close(b->db), SQLITE_OK);
}

static void
append(struct log *l, const struct batch *b, size_t n)
{
	struct error err = { 0 };
	uint64_t first;

	if (log_append(l, b->records, n, &first, &err) == -1) {
		fprintf(stderr, "bench: %s: %s\n", err.file, err.text);
		measure_must(0, "append");
	}
}

/* Wall time and CPU of ${groups} commits; ${l} NULL: into the bare table. */
static void
commits(struct log *l, struct bare *bare, struct batch *b, uint64_t from,
    double *wall, double *cpu)
{
	size_t i;

	*wall = *cpu = 0;
	for (i = 0; i < groups; i++) {
		double wall_from, cpu_from;

		make_batch(b, GROUP, from + i * GROUP);
		wall_from = measure_wall();
		cpu_from = measure_cpu();
		if (l != NULL)
			append(l, b, GROUP);
		else
			bare_append(bare, b->records, GROUP);
		*cpu += measure_cpu() - cpu_from;
		*wall += measure_wall() - wall_from;
	}
}

static void
print_rate(const char *what, double n, double ms, const char *floor, double floor_ms)
{
	printf("%s: %.0f records/s (floor %s %.0f records/s, ratio %.2f)\n", what,
	    n / ms * 1000, floor, n / floor_ms * 1000, floor_ms / ms);
}

/* Interleaved, so that a change in the machine's pace meets both. */
static void
measure_commits(struct batch *b, struct log *l, uint64_t from, const char *what)
{
	double wall[RUNS_MAX], cpu[RUNS_MAX], bare_wall[RUNS_MAX], bare_cpu[RUNS_MAX];
	double n = (double)(groups * GROUP);
	char *path = measure_path("bare.db");
	struct bare bare;
	char text[128];
	size_t i;

	bare_open(&bare, path);
	for (i = 0; i < runs; i++) {
		uint64_t at = from + i * groups * GROUP;

		commits(NULL, &bare, b, at, &bare_wall[i], &bare_cpu[i]);
		commits(l, NULL, b, at, &wall[i], &cpu[i]);
	}
	bare_close(&bare);
	measure_must(unlink(path) == 0, "bare.db");
	free(path);
	snprintf(text, sizeof(text), "%s, group of %d", what, GROUP);
	print_rate(text, n, measure_median(wall, runs), "bare SQLite",
	    measure_median(bare_wall, runs));
	snprintf(text, sizeof(text), "%s, group of %d, by CPU", what, GROUP);
	print_rate(text, n, measure_median(cpu, runs), "bare SQLite",
	    measure_median(bare_cpu, runs));
}

static int
count_bytes(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	uint64_t *sum = cookie;

	(void)err;
	*sum += offset + r->key_len + r->value_len;
	return 0;
}

static uint64_t
read_bare(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	uint64_t sum = 0;

	must(NULL, sqlite3_open(path, &db), SQLITE_OK);
	s = prepared(db, "SELECT offset, key, value FROM record ORDER BY offset");
	while (sqlite3_step(s) == SQLITE_ROW) {
		measure_must(sqlite3_column_blob(s, 1) != NULL &&
		    sqlite3_column_blob(s, 2) != NULL, "bare read");
		sum += (uint64_t)sqlite3_column_int64(s, 0) +
		    (uint64_t)sqlite3_column_bytes(s, 1) + (uint64_t)sqlite3_column_bytes(s, 2);
	}
	sqlite3_finalize(s);
	must(db, sqlite3_close(db), SQLITE_OK);
	return sum;
}

static double
check_bare(const char *path)
{
	double from = measure_wall();
	sqlite3 *db;
	sqlite3_stmt *s;

	must(NULL, sqlite3_open(path, &db), SQLITE_OK);
	s = prepared(db, "PRAGMA quick_check");
	must(db, sqlite3_step(s), SQLITE_ROW);
	sqlite3_finalize(s);
	must(db, sqlite3_close(db), SQLITE_OK);
	return measure_wall() - from;
}

static struct log *
open_log(const char *path)
{
	struct error err = { 0 };
	struct log *l = log_sqlite_open(path, &err);

	if (l == NULL)
		fprintf(stderr, "bench: %s: %s\n", err.file, err.text);
	measure_must(l != NULL, "open");
	return l;
}

static void
measure_read(const char *path)
{
	double opened[RUNS_MAX], read[RUNS_MAX], checked[RUNS_MAX], bare[RUNS_MAX];
	size_t n = runs < 3 ? runs : 3;
	char text[128];
	size_t i;

	for (i = 0; i < n; i++) {
		double from = measure_wall();
		uint64_t sum = 0, bare_sum;
		struct log *l = open_log(path);

		opened[i] = measure_wall() - from;
		from = measure_wall();
		measure_must(log_read(l, 0, count_bytes, &sum, NULL) == 0, "read");
		read[i] = measure_wall() - from;
		log_free(l);
		checked[i] = check_bare(path);
		from = measure_wall();
		bare_sum = read_bare(path);
		bare[i] = measure_wall() - from;
		measure_must(sum == bare_sum, "not the same records");
	}
	snprintf(text, sizeof(text), "open %zu records", many);
	print_rate(text, (double)many, measure_median(opened, n), "bare quick_check",
	    measure_median(checked, n));
	snprintf(text, sizeof(text), "read %zu records", many);
	print_rate(text, (double)many, measure_median(read, n), "bare SELECT",
	    measure_median(bare, n));
}

int
main(void)
{
	struct batch *b = malloc(sizeof(*b));
	char *path = measure_path("log.db");
	struct log *l = open_log(path);
	uint64_t at;

	measure_must(b != NULL, "memory");
	memset(value, 'v', sizeof(value));
	runs = measure_is_smoke() ? 1 : RUNS_MAX;
	groups = measure_is_smoke() ? 5 : 200;
	many = measure_is_smoke() ? 10000 : 1000000;
	measure_commits(b, l, 0, "append to an empty log");
	for (at = runs * groups * GROUP; at < many; at += FILL_GROUP) {
		size_t n = many - at < FILL_GROUP ? (size_t)(many - at) : FILL_GROUP;

		make_batch(b, n, at);
		append(l, b, n);
	}
	log_free(l);
	measure_read(path);
	l = open_log(path);
	measure_commits(b, l, many, measure_is_smoke() ? "append to 10000 records" :
	    "append to 1000000 records");
	measure_commits(b, l, many / 2, "replace records");
	log_free(l);
	measure_scratch_remove();
	free(path);
	free(b);
	return 0;
}
