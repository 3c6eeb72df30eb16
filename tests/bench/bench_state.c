/*
 * The registry's state: folding many secrets from their records, as a start
 * does, beside reading the same bytes once; the memory they take beside what
 * is sealed; looking one up beside one access to memory that is in no cache.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/record.h"
#include "registry/store/state.h"
#include "tests/bench/measure.h"

#define CHUNK 10000		/* records encoded ahead of being timed */
#define LOOKUPS 1000000
#define SEALED (SEALED_MIN + 16)	/* of a password of 16 to 28 bytes */

static size_t secrets;

struct shape {
	const char *what;
	size_t keys;		/* of a path */
};

struct chunk {
	struct buf bytes;
	size_t at[CHUNK + 1], key_len[CHUNK];
};

/* A permutation, so that names do not come sorted. */
static size_t
shuffle(size_t i)
{
	return (size_t)((uint64_t)i * 7368787 % secrets);
}

static void
name(size_t i, const struct shape *shape, char path[32], char key[32])
{
	snprintf(path, 32, "connector-%07zu", i / shape->keys);
	snprintf(key, 32, "password.%zu", i % shape->keys);
}

static void
encode(struct chunk *c, size_t from, const struct shape *shape)
{
	unsigned char sealed[SEALED] = { 0, 0, 0, 1 };
	char path[32], key[32];
	struct record r = { .type = RECORD_SECRET, .path = path, .key = key, .version = 1,
	    .sealed = sealed, .sealed_len = sizeof(sealed), .created_by = "User:admin",
	    .epoch = 1 };
	size_t i, x;

	buf_clear(&c->bytes);
	for (i = 0; i < CHUNK; i++) {
		x = shuffle(from + i);
		name(x, shape, path, key);
		r.path_len = strlen(path);
		r.key_len = strlen(key);
		r.created_ms = 1700000000000 + (int64_t)x;
		memcpy(r.claim, &x, sizeof(x));
		memcpy(sealed + 8, &x, sizeof(x));
		c->at[i] = c->bytes.len;
		record_encode_key(&r, &c->bytes);
		c->key_len[i] = c->bytes.len - c->at[i];
		record_encode_value(&r, &c->bytes);
	}
	c->at[CHUNK] = c->bytes.len;
	measure_must(buf_check(&c->bytes, NULL) == 0, "memory");
}

static struct log_record
record_of(const struct chunk *c, size_t i)
{
	const unsigned char *p = c->bytes.data + c->at[i];

	return (struct log_record){ p, c->key_len[i], p + c->key_len[i],
	    c->at[i + 1] - c->at[i] - c->key_len[i] };
}

/* How long one pass over the bytes takes. */
static double
scan(const struct buf *b)
{
	double from = measure_cpu();
	unsigned long long sum = 0;
	size_t i;

	for (i = 0; i < b->len; i++)
		sum += b->data[i];
	measure_must(sum > 0, "nothing to scan");
	return measure_cpu() - from;
}

struct took {
	double scan, parse, fold;
};

static void
fill(struct state *s, const struct shape *shape, struct took *t)
{
	struct record_parser *p = record_parser_new();
	struct chunk *c = calloc(1, sizeof(*c));
	struct log_record l;
	struct record r;
	size_t from, i;
	double start;

	measure_must(c != NULL && p != NULL, "memory");
	buf_init(&c->bytes, BUF_MAX_FILE);
	for (from = 0; from < secrets; from += CHUNK) {
		encode(c, from, shape);
		t->scan += scan(&c->bytes);
		start = measure_cpu();
		for (i = 0; i < CHUNK; i++) {
			l = record_of(c, i);
			measure_must(record_parse(p, &l, &r) == 0 && r.type == RECORD_SECRET,
			    "parse");
		}
		t->parse += measure_cpu() - start;
		start = measure_cpu();
		for (i = 0; i < CHUNK; i++) {
			l = record_of(c, i);
			measure_must(state_apply(s, from + i, &l, NULL) == 0, "fold");
		}
		t->fold += measure_cpu() - start;
	}
	buf_release(&c->bytes);
	free(c);
	record_parser_free(p);
}

/* One dependent access after another, to memory of about the state's size. */
static double
access_floor(size_t count)
{
	size_t n = secrets * 32, i, at = 0;
	uint32_t *next = calloc(n, sizeof(*next));
	double from;

	measure_must(next != NULL, "memory");
	for (i = 0; i < n; i++)
		next[i] = (uint32_t)((uint64_t)(i + 1) * 2654435761U % n);
	from = measure_cpu();
	for (i = 0; i < count; i++)
		at = next[at];
	measure_must(at < n, "access");
	from = measure_cpu() - from;
	free(next);
	return from;
}

static double
look_up(struct state *s, const struct shape *shape, size_t count)
{
	const struct state_path *p;
	const struct state_key *k;
	struct version_view v;
	char path[32], key[32];
	double from = measure_cpu();
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		name(shuffle(i * 31 % secrets), shape, path, key);
		state_lock(s);
		p = state_path_find(s, path, strlen(path));
		k = p != NULL ? state_key_find(p, key, strlen(key)) : NULL;
		found += k != NULL && state_version_latest(k, 1, &v);
		state_unlock(s);
	}
	from = measure_cpu() - from;
	measure_must(found == count, "look up");
	return from;
}

static double
names_only(const struct shape *shape, size_t count)
{
	char path[32], key[32];
	double from = measure_cpu();
	size_t i, n = 0;

	for (i = 0; i < count; i++) {
		name(shuffle(i * 31 % secrets), shape, path, key);
		n += strlen(path) + strlen(key);
	}
	measure_must(n > 0, "names");
	return measure_cpu() - from;
}

static double
list(struct state *s)
{
	const struct state_path *p;
	const char *last = "";
	size_t n = 0, count = 0;
	double from = measure_cpu();

	while ((p = state_path_after(s, last, n)) != NULL) {
		last = state_path_name(p, &n);
		count += state_path_live(p, 1);
	}
	from = measure_cpu() - from;
	measure_must(count > 0, "list");
	return from * 1e6 / (double)count;
}

/* Bytes; 0 where the C library does not tell. */
static size_t
heap_in_use(void)
{
#ifdef __GLIBC__
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

static void
heap_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

static void
measure(const struct shape *shape)
{
	struct state *s = state_new();
	size_t before = heap_in_use();
	size_t lookups = measure_is_smoke() ? secrets : LOOKUPS;
	struct state_counts c;
	struct took t = { 0 };
	double used, found, n = (double)secrets;

	measure_must(s != NULL, "memory");
	fill(s, shape, &t);
	state_count(s, &c);
	measure_must(c.versions == secrets, "count");
	used = (double)(heap_in_use() - before) / n;
	printf("fold %zu secrets, %s: %.2f us a record, of which parse %.2f "
	    "(floor: one pass over its bytes %.2f, ratio %.1f); all in %.2f s\n", secrets,
	    shape->what, t.fold * 1e3 / n, t.parse * 1e3 / n, t.scan * 1e3 / n, t.fold / t.scan,
	    t.fold / 1e3);
	printf("memory of one, %s: %.0f bytes, of which %d sealed; %.0f besides "
	    "(by the state's own count %.0f)\n", shape->what, used, SEALED, used - SEALED,
	    (double)c.bytes / n - SEALED);
	found = look_up(s, shape, lookups) - names_only(shape, lookups);
	printf("look up path, key, latest, %s: %.0f ns (floor: one access to memory %.0f ns)\n",
	    shape->what, found * 1e6 / (double)lookups,
	    access_floor(lookups) * 1e6 / (double)lookups);
	printf("list paths in order, %s: %.0f ns a path\n", shape->what, list(s));
	state_free(s);
	heap_trim();
}

int
main(void)
{
	static const struct shape shapes[] = {
		{ "10 keys a path", 10 }, { "1 key a path", 1 }, { "all in 10 paths", 0 }
	};
	struct shape shape;
	size_t i;

	secrets = measure_is_smoke() ? CHUNK : 100 * CHUNK;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		shape = shapes[i];
		if (shape.keys == 0)
			shape.keys = secrets / 10;
		measure(&shape);
	}
	return 0;
}
