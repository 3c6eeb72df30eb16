#ifndef SUPPORT_LOG_BEHAVIOUR_H
#define SUPPORT_LOG_BEHAVIOUR_H

/*
 * What every kind of log does.  A test program defines the three functions
 * below for its kind, and runs LOG_BEHAVIOUR_TESTS.
 */

#include <pthread.h>
#include "base/error.h"
#include "registry/log/log.h"
#include "files.h"

/* An empty log. */
static struct log *kind_start(void);
/* The same log for another holder, when this one is gone. */
static struct log *kind_again(struct log *l);
static void kind_stop(struct log *l);

#define FOLD_MAX 512

/* What is in a log when all of it is read: the last value of each key. */
struct fold {
	size_t n;
	struct fold_entry {
		unsigned char key[16];
		size_t key_len;
		unsigned char value[32];
		size_t value_len;
		uint64_t offset;
	} entries[FOLD_MAX];
	size_t visited, tombstones;
	uint64_t last;		/* offset */
	bool disorder;
};

UNIT_HELPER struct fold_entry *
fold_find(struct fold *f, const void *key, size_t len)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->entries[i].key_len == len && memcmp(f->entries[i].key, key, len) == 0)
			return &f->entries[i];
	}
	return NULL;
}

/* Long values are known by their first bytes and the length. */
UNIT_HELPER int
fold_visit(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	struct fold *f = cookie;
	struct fold_entry *e = fold_find(f, r->key, r->key_len);

	(void)err;
	if (f->visited++ > 0 && offset <= f->last)
		f->disorder = true;
	f->last = offset;
	if (r->value == NULL) {
		f->tombstones++;
		if (e != NULL)
			*e = f->entries[--f->n];
		return 0;
	}
	if (e == NULL) {
		if (f->n == FOLD_MAX || r->key_len > sizeof(e->key))
			return error_set(err, ERROR_LIMIT, "too much for the test");
		e = &f->entries[f->n++];
	}
	memset(e, 0, sizeof(*e));
	memcpy(e->key, r->key, r->key_len);
	e->key_len = r->key_len;
	e->value_len = r->value_len;
	e->offset = offset;
	memcpy(e->value, r->value, r->value_len < 32 ? r->value_len : 32);
	return 0;
}

UNIT_HELPER void
fold_all(struct log *l, struct fold *f)
{
	struct error err = { 0 };
	uint64_t end;

	memset(f, 0, sizeof(*f));
	assert_int_equal(log_read(l, 0, fold_visit, f, &err), 0);
	assert_false(f->disorder);
	assert_int_equal(log_end(l, &end, &err), 0);
	assert_true(f->visited == 0 || f->last < end);
}

UNIT_HELPER bool
fold_same(struct fold *a, struct fold *b)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		struct fold_entry *e = fold_find(b, a->entries[i].key, a->entries[i].key_len);

		if (e == NULL || e->value_len != a->entries[i].value_len ||
		    e->offset != a->entries[i].offset ||
		    memcmp(e->value, a->entries[i].value, sizeof(e->value)) != 0)
			return false;
	}
	return a->n == b->n;
}

UNIT_HELPER struct log_record
record(const char *key, const char *value)
{
	return (struct log_record){ key, strlen(key), value,
	    value != NULL ? strlen(value) : 0 };
}

UNIT_HELPER uint64_t
append_all(struct log *l, const struct log_record *batch, size_t n)
{
	struct error err = { 0 };
	uint64_t first = UINT64_MAX;

	if (log_append(l, batch, n, &first, &err) == -1)
		fail_msg("append: %s: %s", err.file, err.text);
	return first;
}

UNIT_HELPER uint64_t
append_one(struct log *l, const char *key, const char *value)
{
	struct log_record r = record(key, value);

	return append_all(l, &r, 1);
}

/* Append ${n} records of some length, with keys of their own. */
UNIT_HELPER void
fill(struct log *l, size_t n)
{
	char value[900], key[24];
	size_t i;

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		append_one(l, key, value);
	}
}

/* "-" when the key is not there. */
UNIT_HELPER void
assert_value(struct log *l, const char *key, const char *value)
{
	static struct fold f;
	struct fold_entry *e;

	fold_all(l, &f);
	e = fold_find(&f, key, strlen(key));
	if (strcmp(value, "-") == 0) {
		assert_null(e);
		return;
	}
	assert_non_null(e);
	assert_int_equal(e->value_len, strlen(value));
	assert_memory_equal(e->value, value, strlen(value));
}

UNIT_HELPER uint64_t
end_of(struct log *l)
{
	uint64_t end = UINT64_MAX;

	assert_int_equal(log_end(l, &end, NULL), 0);
	return end;
}

UNIT_HELPER size_t
visited(struct log *l)
{
	static struct fold f;

	fold_all(l, &f);
	return f.visited;
}

UNIT_HELPER void
test_an_empty_log_has_nothing(void **state)
{
	struct log *l = kind_start();

	(void)state;
	assert_int_equal(visited(l), 0);
	l = kind_again(l);
	assert_int_equal(visited(l), 0);
	assert_int_equal(end_of(l), 0);
	kind_stop(l);
	log_free(NULL);
}

static const char binary[] = { 0, 1, '\'', (char)0xff, 0, '\n' };

UNIT_HELPER int
visit_binary(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	size_t *n = cookie;

	(void)offset;
	(void)err;
	assert_non_null(r->value);
	switch ((*n)++) {
	case 0:
		assert_int_equal(r->key_len, sizeof(binary));
		assert_memory_equal(r->key, binary, sizeof(binary));
		assert_int_equal(r->value_len, sizeof(binary));
		assert_memory_equal(r->value, binary, sizeof(binary));
		break;
	case 1:
		assert_int_equal(r->value_len, 0);
		break;
	default:
		assert_int_equal(r->key_len, LOG_KEY_MAX);
		assert_int_equal(r->value_len, LOG_VALUE_MAX);
		assert_int_equal(((const char *)r->key)[LOG_KEY_MAX - 1], 'z');
		assert_int_equal(((const char *)r->value)[LOG_VALUE_MAX - 1], 'y');
	}
	return 0;
}

UNIT_HELPER void
test_bytes_come_back_as_they_were(void **state)
{
	struct log *l = kind_start();
	char *key = malloc(LOG_KEY_MAX), *value = malloc(LOG_VALUE_MAX);
	struct log_record batch[3] = {
		{ binary, sizeof(binary), binary, sizeof(binary) },
		{ "empty", 5, "", 0 },
		{ key, LOG_KEY_MAX, value, LOG_VALUE_MAX },
	};
	size_t n = 0;

	(void)state;
	assert_non_null(key);
	assert_non_null(value);
	memset(key, 'z', LOG_KEY_MAX);
	memset(value, 'y', LOG_VALUE_MAX);
	append_all(l, batch, 3);
	memset(key, 0, LOG_KEY_MAX);
	memset(value, 0, LOG_VALUE_MAX);
	assert_int_equal(log_read(l, 0, visit_binary, &n, NULL), 0);
	assert_int_equal(n, 3);
	l = kind_again(l);
	n = 0;
	assert_int_equal(log_read(l, 0, visit_binary, &n, NULL), 0);
	assert_int_equal(n, 3);
	kind_stop(l);
	free(key);
	free(value);
}

UNIT_HELPER void
assert_no_append(struct log *l, struct log_record r, enum error_code code)
{
	struct log_record batch[2] = { record("good", "v"), r };
	struct error err = { 0 };
	uint64_t first;

	assert_int_equal(log_append(l, batch, 2, &first, &err), -1);
	assert_int_equal(err.code, code);
}

UNIT_HELPER void
test_what_is_no_record_is_refused_with_its_batch(void **state)
{
	struct log *l = kind_start();
	char *much = calloc(1, LOG_VALUE_MAX + 1);
	struct error err = { 0 };
	uint64_t first;

	(void)state;
	assert_int_equal(log_append(l, NULL, 0, &first, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_no_append(l, record("", "v"), ERROR_USAGE);
	assert_no_append(l, (struct log_record){ NULL, 1, "v", 1 }, ERROR_USAGE);
	assert_no_append(l, (struct log_record){ "k", 1, NULL, 1 }, ERROR_USAGE);
	assert_no_append(l, (struct log_record){ much, LOG_KEY_MAX + 1, "v", 1 }, ERROR_LIMIT);
	assert_no_append(l, (struct log_record){ "k", 1, much, LOG_VALUE_MAX + 1 }, ERROR_LIMIT);
	assert_int_equal(visited(l), 0);
	append_one(l, "k", "v");
	assert_value(l, "k", "v");
	kind_stop(l);
	free(much);
}

UNIT_HELPER int
visit_offsets(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	uint64_t *next = cookie;

	(void)r;
	(void)err;
	assert_int_equal(offset, *next);
	++*next;
	return 0;
}

UNIT_HELPER void
test_a_batch_has_offsets_without_a_gap(void **state)
{
	const struct log_record batch[3] =
	    { record("a", "1"), record("b", "2"), record("c", "3") };
	const struct log_record more[2] = { record("d", "4"), record("e", "5") };
	struct log *l = kind_start();
	uint64_t first, second, next;

	(void)state;
	first = append_all(l, batch, 3);
	assert_true(end_of(l) >= first + 3);
	next = first;
	assert_int_equal(log_read(l, 0, visit_offsets, &next, NULL), 0);
	assert_int_equal(next, first + 3);
	second = end_of(l);
	assert_true(append_all(l, more, 2) >= second);
	/* Nothing is there from the end on. */
	next = first + 1;
	second = end_of(l);
	assert_int_equal(log_read(l, second, visit_offsets, &next, NULL), 0);
	assert_int_equal(log_read(l, UINT64_MAX, visit_offsets, &next, NULL), 0);
	assert_int_equal(next, first + 1);
	kind_stop(l);
}

UNIT_HELPER void
test_reading_starts_where_it_is_told(void **state)
{
	struct log *l = kind_start();
	static struct fold f;
	uint64_t second;

	(void)state;
	append_one(l, "a", "1");
	second = append_one(l, "b", "2");
	append_one(l, "c", "3");
	memset(&f, 0, sizeof(f));
	assert_int_equal(log_read(l, second, fold_visit, &f, NULL), 0);
	assert_int_equal(f.n, 2);
	assert_null(fold_find(&f, "a", 1));
	memset(&f, 0, sizeof(f));
	assert_int_equal(log_read(l, second + 1, fold_visit, &f, NULL), 0);
	assert_int_equal(f.n, 1);
	kind_stop(l);
}

UNIT_HELPER int
visit_and_stop(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	(void)offset;
	(void)r;
	++*(int *)cookie;
	return error_set(err, ERROR_KEY, "enough");
}

UNIT_HELPER void
test_a_visitor_may_stop_with_its_own_error(void **state)
{
	struct log *l = kind_start();
	struct error err = { 0 };
	int n = 0;

	(void)state;
	append_one(l, "a", "1");
	append_one(l, "b", "2");
	assert_int_equal(log_read(l, 0, visit_and_stop, &n, &err), -1);
	assert_int_equal(n, 1);
	assert_int_equal(err.code, ERROR_KEY);
	append_one(l, "c", "3");
	assert_value(l, "c", "3");
	kind_stop(l);
}

UNIT_HELPER void
test_the_last_record_of_a_key_counts(void **state)
{
	struct log *l = kind_start();
	const struct log_record batch[] = {
		record("a", "1"), record("b", "1"), record("a", "2"), record("c", "1"),
		record("b", NULL), record("c", NULL), record("c", "3"), record("none", NULL),
	};

	(void)state;
	append_all(l, batch, sizeof(batch) / sizeof(batch[0]));
	assert_value(l, "a", "2");
	assert_value(l, "b", "-");
	assert_value(l, "c", "3");
	append_one(l, "a", "4");
	append_one(l, "b", "5");
	append_one(l, "c", NULL);
	assert_value(l, "a", "4");
	assert_value(l, "b", "5");
	assert_value(l, "c", "-");
	l = kind_again(l);
	assert_value(l, "a", "4");
	assert_value(l, "b", "5");
	assert_value(l, "c", "-");
	assert_value(l, "none", "-");
	kind_stop(l);
}

UNIT_HELPER void
test_offsets_are_never_used_again(void **state)
{
	const struct log_record put[2] = { record("a", "1"), record("b", "2") };
	const struct log_record cut[3] =
	    { record("b", NULL), record("a", NULL), record("never", NULL) };
	struct log *l = kind_start();
	uint64_t end = 0;
	size_t i;

	(void)state;
	for (i = 0; i < 20; i++) {
		uint64_t first = append_all(l, put, 2);

		assert_true(first >= end);
		end = first + 2;
		first = append_all(l, cut, i % 3 + 1);
		assert_true(first >= end);
		end = first + i % 3 + 1;
		assert_true(end_of(l) >= end);
		if (i % 2 == 0)
			l = kind_again(l);
		assert_true(end_of(l) >= end);
	}
	kind_stop(l);
}

UNIT_HELPER void
test_epochs_grow(void **state)
{
	struct log *l = kind_start();
	uint64_t epoch = 0, last = 0;
	int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		assert_int_equal(log_claim(l, "node", &epoch, NULL), 0);
		assert_true(epoch > last);
		last = epoch;
		append_one(l, "k", "v");
		if (i % 2 == 1) {
			l = kind_again(l);
			assert_int_equal(log_claim(l, "another", &epoch, NULL), 0);
			assert_true(epoch > last);
			last = epoch;
		}
	}
	kind_stop(l);
}

/* xorshift64, https://www.jstatsoft.org/article/view/v008i14 */
UNIT_HELPER unsigned
roll(uint64_t *seed, unsigned sides)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (unsigned)(*seed >> 33) % sides;
}

struct random_batch {
	char keys[40][16];
	char values[40][32];
	struct log_record records[40];
	size_t n;
};

UNIT_HELPER void
random_batch(struct random_batch *b, uint64_t *seed, unsigned keys)
{
	size_t i;

	b->n = roll(seed, 10) == 0 ? 1 + roll(seed, 40) : 1 + roll(seed, 4);
	for (i = 0; i < b->n; i++) {
		snprintf(b->keys[i], sizeof(b->keys[i]), "key-%u", roll(seed, keys));
		snprintf(b->values[i], sizeof(b->values[i]), "%u", roll(seed, 1000000));
		b->records[i] = record(b->keys[i], roll(seed, 3) == 0 ? NULL : b->values[i]);
	}
}

/* What the batch does to the model. */
UNIT_HELPER void
fold_batch(struct fold *f, const struct random_batch *b, uint64_t first)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		assert_int_equal(fold_visit(f, first + i, &b->records[i], NULL), 0);
}

UNIT_HELPER void
test_it_folds_as_a_model_does(void **state)
{
	struct random_batch *b = calloc(1, sizeof(*b));
	static struct fold model, got;
	struct log *l = kind_start();
	uint64_t seed = 88172645463325252;
	int i;

	(void)state;
	assert_non_null(b);
	memset(&model, 0, sizeof(model));
	for (i = 0; i < 600; i++) {
		random_batch(b, &seed, i < 300 ? 20 : 400);
		fold_batch(&model, b, append_all(l, b->records, b->n));
		assert_false(model.disorder);
		if (i % 50 == 49)
			l = kind_again(l);
		if (i % 10 == 9) {
			fold_all(l, &got);
			assert_true(fold_same(&model, &got));
		}
	}
	kind_stop(l);
	free(b);
}

#define PAIRS 300

UNIT_HELPER void *
append_pairs(void *arg)
{
	struct log *l = arg;
	char keys[2][16];
	struct log_record batch[2];
	uint64_t first;
	int i;

	for (i = 0; i < PAIRS; i++) {
		snprintf(keys[0], sizeof(keys[0]), "a%d", i % 100);
		snprintf(keys[1], sizeof(keys[1]), "b%d", i % 100);
		batch[0] = record(keys[0], "1");
		batch[1] = record(keys[1], "2");
		if (log_append(l, batch, 2, &first, NULL) == -1)
			return l;
	}
	return NULL;
}

UNIT_HELPER void
test_readers_see_whole_batches_while_one_appends(void **state)
{
	struct log *l = kind_start();
	static struct fold f;
	pthread_t thread;
	void *failed;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, append_pairs, l), 0);
	while (pthread_tryjoin_np(thread, &failed) == EBUSY) {
		memset(&f, 0, sizeof(f));
		assert_int_equal(log_read(l, 0, fold_visit, &f, NULL), 0);
		assert_int_equal(f.n % 2, 0);
		assert_false(f.disorder);
		assert_true(f.visited == 0 || f.last < end_of(l));
	}
	assert_null(failed);
	fold_all(l, &f);
	assert_int_equal(f.n, 200);
	kind_stop(l);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)
#define LOG_BEHAVIOUR_TESTS \
	LOG_TEST(test_an_empty_log_has_nothing), \
	LOG_TEST(test_bytes_come_back_as_they_were), \
	LOG_TEST(test_what_is_no_record_is_refused_with_its_batch), \
	LOG_TEST(test_a_batch_has_offsets_without_a_gap), \
	LOG_TEST(test_reading_starts_where_it_is_told), \
	LOG_TEST(test_a_visitor_may_stop_with_its_own_error), \
	LOG_TEST(test_the_last_record_of_a_key_counts), \
	LOG_TEST(test_offsets_are_never_used_again), \
	LOG_TEST(test_epochs_grow), \
	LOG_TEST(test_it_folds_as_a_model_does), \
	LOG_TEST(test_readers_see_whole_batches_while_one_appends)

#endif /* !SUPPORT_LOG_BEHAVIOUR_H */
