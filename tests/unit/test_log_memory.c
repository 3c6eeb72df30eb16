#include "log_memory.h"
#include "log_behaviour.h"

static struct log_memory *topic;
static uint64_t topic_seed = 1;

static struct log *
kind_start(void)
{
	struct log *l;

	topic = log_memory_new(topic_seed);
	assert_non_null(topic);
	l = log_memory_view(topic);
	assert_non_null(l);
	return l;
}

static struct log *
kind_again(struct log *l)
{
	uint64_t epoch;

	log_free(l);
	log_memory_compact(topic, false);
	l = log_memory_view(topic);
	assert_non_null(l);
	assert_int_equal(log_claim(l, "next", &epoch, NULL), 0);
	return l;
}

static void
kind_stop(struct log *l)
{
	log_free(l);
	log_memory_free(topic);
	topic = NULL;
}

static void
assert_append_fails(struct log *l, const char *key, const char *value, enum error_code code)
{
	struct log_record r = record(key, value);
	struct error err = { 0 };
	uint64_t first;

	assert_int_equal(log_append(l, &r, 1, &first, &err), -1);
	assert_int_equal(err.code, code);
}

static void
test_a_newer_claim_keeps_an_older_writer_out(void **state)
{
	struct log *a = kind_start(), *b = log_memory_view(topic);
	uint64_t first, second, third;

	(void)state;
	assert_int_equal(log_claim(a, "a", &first, NULL), 0);
	append_one(a, "k", "a");
	assert_append_fails(b, "k", "unclaimed", ERROR_BUSY);
	assert_int_equal(log_claim(b, "b", &second, NULL), 0);
	assert_true(second > first);
	assert_append_fails(a, "k", "fenced", ERROR_BUSY);
	append_one(b, "k", "b");
	/* It may read. */
	assert_value(a, "k", "b");
	assert_int_equal(log_claim(a, "a", &third, NULL), 0);
	assert_true(third > second);
	assert_append_fails(b, "k", "fenced", ERROR_BUSY);
	append_one(a, "k", "again");
	assert_value(b, "k", "again");
	log_free(b);
	kind_stop(a);
}

static void
test_faults_come_where_they_were_ordered(void **state)
{
	struct log *l = kind_start();

	(void)state;
	log_memory_fault_at(topic, 0, LOG_MEMORY_FAIL);
	log_memory_fault_at(topic, 2, LOG_MEMORY_LOSE_ANSWER);
	log_memory_fault_at(topic, 3, LOG_MEMORY_LOSE_BATCH);
	assert_append_fails(l, "a", "1", ERROR_IO);
	assert_value(l, "a", "-");
	append_one(l, "a", "2");
	assert_append_fails(l, "b", "3", ERROR_STALE);
	assert_value(l, "b", "3");
	assert_append_fails(l, "c", "4", ERROR_STALE);
	assert_value(l, "c", "-");
	append_one(l, "c", "5");
	assert_value(l, "a", "2");
	assert_value(l, "c", "5");
	log_memory_fault_at(topic, 1, LOG_MEMORY_FAIL);
	append_one(l, "d", "6");
	assert_append_fails(l, "d", "7", ERROR_IO);
	append_one(l, "d", "8");
	kind_stop(l);
}

static void
test_a_fenced_append_meets_no_fault(void **state)
{
	struct log *a = kind_start(), *b = log_memory_view(topic);
	uint64_t epoch;

	(void)state;
	assert_int_equal(log_claim(b, "b", &epoch, NULL), 0);
	log_memory_fault_at(topic, 0, LOG_MEMORY_FAIL);
	assert_append_fails(a, "k", "1", ERROR_BUSY);
	assert_append_fails(b, "k", "2", ERROR_IO);
	append_one(b, "k", "3");
	log_free(b);
	kind_stop(a);
}

static void
test_a_foreign_record_comes_past_every_claim(void **state)
{
	struct log *l = kind_start();
	uint64_t epoch, at;

	(void)state;
	assert_int_equal(log_claim(l, "a", &epoch, NULL), 0);
	append_one(l, "k", "1");
	at = log_memory_inject(topic, "k", 1, "2", 1);
	assert_true(at > 0 && at < end_of(l));
	assert_value(l, "k", "2");
	assert_true(append_one(l, "x", "3") > at);
	log_memory_inject(topic, "x", 1, NULL, 0);
	assert_value(l, "x", "-");
	/* Foreign records need not be well formed. */
	log_memory_inject(topic, "", 0, "", 0);
	assert_int_equal(visited(l), 5);
	kind_stop(l);
}

/* Of two records, with the same value: they land together or not at all. */
static void
delay(struct log *l, const char *value)
{
	const struct log_record batch[2] = { record("a", value), record("b", value) };
	struct error err = { 0 };
	uint64_t first;

	log_memory_fault_at(topic, 0, LOG_MEMORY_DELAY);
	assert_int_equal(log_append(l, batch, 2, &first, &err), -1);
	assert_int_equal(err.code, ERROR_STALE);
}

static void
test_a_late_batch_lands_behind_what_came_after_it(void **state)
{
	struct log *l = kind_start();
	uint64_t epoch;

	(void)state;
	assert_int_equal(log_claim(l, "a", &epoch, NULL), 0);
	delay(l, "late");
	assert_int_equal(visited(l), 0);
	append_one(l, "a", "new");
	assert_value(l, "a", "new");
	log_memory_land(topic);
	assert_value(l, "a", "late");
	assert_value(l, "b", "late");
	/* Once. */
	assert_int_equal(log_memory_landed(topic), 1);
	append_one(l, "a", "newest");
	log_memory_land(topic);
	assert_value(l, "a", "newest");
	assert_int_equal(visited(l), 4);
	/* Two of them, the other way round. */
	delay(l, "first");
	delay(l, "second");
	log_memory_land(topic);
	assert_value(l, "b", "first");
	kind_stop(l);
}

static void
test_nothing_late_lands_behind_a_newer_claim(void **state)
{
	struct log *a = kind_start(), *b = log_memory_view(topic);
	uint64_t epoch;

	(void)state;
	assert_int_equal(log_claim(a, "a", &epoch, NULL), 0);
	delay(a, "late");
	assert_int_equal(log_claim(b, "b", &epoch, NULL), 0);
	log_memory_land(topic);
	log_memory_late(topic, 1);
	append_one(b, "a", "new");
	assert_value(b, "b", "-");
	assert_int_equal(log_memory_landed(topic), 0);
	assert_append_fails(a, "b", "fenced", ERROR_BUSY);
	/* The writer's own claim is a newer one, too. */
	log_memory_late(topic, 0);
	delay(b, "late");
	assert_int_equal(log_claim(b, "b", &epoch, NULL), 0);
	log_memory_land(topic);
	assert_int_equal(visited(b), 1);
	log_free(b);
	kind_stop(a);
}

static void
test_a_late_batch_may_land_just_before_the_fence(void **state)
{
	struct log *a = kind_start(), *b = log_memory_view(topic);
	uint64_t epoch;

	(void)state;
	assert_int_equal(log_claim(a, "a", &epoch, NULL), 0);
	delay(a, "late");
	log_memory_late(topic, 1);
	assert_int_equal(log_claim(b, "b", &epoch, NULL), 0);
	assert_value(b, "b", "late");
	assert_int_equal(log_memory_landed(topic), 1);
	append_one(b, "a", "new");
	assert_value(b, "a", "new");
	log_free(b);
	kind_stop(a);
}

static void
test_late_batches_come_at_any_time_whole_and_once(void **state)
{
	char value[16];
	static struct fold f;
	size_t landed = 0, behind = 0;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		struct log *l;
		uint64_t at;

		topic_seed = (uint64_t)i;
		l = kind_start();
		log_memory_late(topic, 6);
		snprintf(value, sizeof(value), "%d", i);
		delay(l, value);
		append_one(l, "x", "1");
		at = append_one(l, "x", "2");
		append_one(l, "x", "3");
		log_memory_late(topic, 0);
		fold_all(l, &f);
		assert_int_equal(f.visited, 3 + 2 * log_memory_landed(topic));
		assert_true(log_memory_landed(topic) <= 1);
		landed += log_memory_landed(topic);
		behind += log_memory_landed(topic) && fold_find(&f, "a", 1)->offset > at;
		if (log_memory_landed(topic))
			assert_int_equal(fold_find(&f, "b", 1)->offset,
			    fold_find(&f, "a", 1)->offset + 1);
		kind_stop(l);
	}
	topic_seed = 1;
	assert_true(landed > 50 && landed < 200 && behind > 10 && behind < landed);
}

static void
test_full_compaction_leaves_one_record_a_key(void **state)
{
	struct log *l = kind_start();
	struct fold *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct random_batch *b = calloc(1, sizeof(*b));
	uint64_t seed = 7, end;
	int i;

	(void)state;
	assert_true(before != NULL && after != NULL && b != NULL);
	for (i = 0; i < 200; i++) {
		random_batch(b, &seed, 30);
		append_all(l, b->records, b->n);
	}
	append_one(l, "key-1", NULL);
	end = end_of(l);
	fold_all(l, before);
	log_memory_compact(topic, true);
	fold_all(l, after);
	assert_true(fold_same(before, after));
	assert_int_equal(after->visited, after->n);
	assert_int_equal(after->tombstones, 0);
	assert_int_equal(end_of(l), end);
	kind_stop(l);
	free(before);
	free(after);
	free(b);
}

static void
test_random_compaction_drops_some_and_loses_nothing(void **state)
{
	struct fold *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct random_batch *b = calloc(1, sizeof(*b));
	uint64_t seed = 11;
	size_t dropped = 0, left = 0;
	int i, round;

	(void)state;
	assert_true(before != NULL && after != NULL && b != NULL);
	for (round = 0; round < 50; round++) {
		struct log *l;

		topic_seed = (uint64_t)round;
		l = kind_start();
		for (i = 0; i < 40; i++) {
			random_batch(b, &seed, 10);
			append_all(l, b->records, b->n);
		}
		fold_all(l, before);
		log_memory_compact(topic, false);
		fold_all(l, after);
		assert_true(fold_same(before, after));
		assert_true(after->tombstones <= before->tombstones);
		dropped += before->visited - after->visited;
		left += after->visited - after->n;
		kind_stop(l);
	}
	topic_seed = 1;
	assert_true(dropped > 1000 && left > 1000);
	free(before);
	free(after);
	free(b);
}

/* The offsets that are left tell all that the seed decides. */
static uint64_t
history(uint64_t with_seed)
{
	struct random_batch *b = calloc(1, sizeof(*b));
	uint64_t seed = 3, sum = 0;
	struct log *l;
	static struct fold f;
	int i;

	assert_non_null(b);
	topic_seed = with_seed;
	l = kind_start();
	for (i = 0; i < 60; i++) {
		random_batch(b, &seed, 10);
		sum = sum * 31 + append_all(l, b->records, b->n);
		if (i % 20 == 19)
			log_memory_compact(topic, false);
	}
	fold_all(l, &f);
	kind_stop(l);
	topic_seed = 1;
	free(b);
	return sum * 31 + f.visited;
}

static void
test_a_seed_tells_the_whole_history(void **state)
{
	(void)state;
	assert_int_equal(history(5), history(5));
	assert_int_not_equal(history(5), history(6));
}

static void
test_no_backup_is_offered(void **state)
{
	struct log *l = kind_start();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(log_backup(l, "copy", &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(files_count("."), 0);
	kind_stop(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_BEHAVIOUR_TESTS,
		LOG_TEST(test_a_newer_claim_keeps_an_older_writer_out),
		LOG_TEST(test_faults_come_where_they_were_ordered),
		LOG_TEST(test_a_fenced_append_meets_no_fault),
		LOG_TEST(test_a_foreign_record_comes_past_every_claim),
		LOG_TEST(test_a_late_batch_lands_behind_what_came_after_it),
		LOG_TEST(test_nothing_late_lands_behind_a_newer_claim),
		LOG_TEST(test_a_late_batch_may_land_just_before_the_fence),
		LOG_TEST(test_late_batches_come_at_any_time_whole_and_once),
		LOG_TEST(test_full_compaction_leaves_one_record_a_key),
		LOG_TEST(test_random_compaction_drops_some_and_loses_nothing),
		LOG_TEST(test_a_seed_tells_the_whole_history),
		LOG_TEST(test_no_backup_is_offered),
	};

	return cmocka_run_group_tests_name("log memory", tests, NULL, NULL);
}
