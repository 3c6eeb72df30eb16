#include "registry/log/log.h"
#include "unit.h"

#define ENTRIES 3000

static struct {
	uint32_t hash;
	bool there;
} model[ENTRIES];

static bool
is_found(const struct log_index *ix, uint32_t hash, uint64_t offset)
{
	size_t step = 0, times = 0;
	uint64_t found;

	while (log_index_find(ix, hash, &step, &found)) {
		assert_true(found < ENTRIES && model[found].there);
		assert_int_equal(model[found].hash, hash);
		if (found == offset)
			times++;
	}
	assert_true(times <= 1);
	return times == 1;
}

/* ${spread}: how many hashes there are; neighbours, so that runs of slots meet. */
static void
compare_with_model(uint32_t spread, uint32_t base)
{
	struct log_index *ix = log_index_new(NULL);
	size_t count = 0;
	unsigned i, round;

	assert_non_null(ix);
	memset(model, 0, sizeof(model));
	srandom(spread);
	for (round = 0; round < 20000; round++) {
		i = (unsigned)random() % ENTRIES;
		if (model[i].there) {
			log_index_drop(ix, model[i].hash, i);
			model[i].there = false;
			count--;
		} else {
			model[i].hash = base + (uint32_t)random() % spread;
			if (model[i].hash == 0)
				model[i].hash = 1;
			assert_int_equal(log_index_reserve(ix, 1, NULL), 0);
			log_index_put(ix, model[i].hash, i);
			model[i].there = true;
			count++;
		}
		assert_int_equal(log_index_count(ix), count);
		i = (unsigned)random() % ENTRIES;
		if (model[i].hash != 0)
			assert_int_equal(is_found(ix, model[i].hash, i), model[i].there);
	}
	for (i = 0; i < ENTRIES; i++) {
		if (model[i].hash != 0)
			assert_int_equal(is_found(ix, model[i].hash, i), model[i].there);
	}
	log_index_free(ix);
}

static void
test_it_finds_what_a_model_finds(void **state)
{
	(void)state;
	compare_with_model(UINT32_MAX, 0);
	compare_with_model(700, 0);
	/* At the end of the table, around to its start. */
	compare_with_model(300, UINT32_MAX - 150);
	compare_with_model(60, 4096 - 30);
}

static void
test_room_for_many_is_made_at_once(void **state)
{
	struct log_index *ix = log_index_new(NULL);
	uint64_t offset;
	size_t step = 0;
	uint32_t i;

	(void)state;
	assert_false(log_index_find(ix, 1, &step, &offset));
	assert_int_equal(log_index_reserve(ix, 100000, NULL), 0);
	for (i = 1; i <= 100000; i++)
		log_index_put(ix, i * 2654435761U, i);
	for (i = 1; i <= 100000; i++) {
		step = 0;
		assert_true(log_index_find(ix, i * 2654435761U, &step, &offset));
		assert_int_equal(offset, i);
	}
	log_index_free(ix);
	log_index_free(NULL);
}

static void
test_hashes_differ_from_one_index_to_the_next(void **state)
{
	struct log_index *a = log_index_new(NULL), *b = log_index_new(NULL);

	(void)state;
	assert_int_equal(log_index_hash(a, "key", 3), log_index_hash(a, "key", 3));
	assert_true(log_index_hash(a, "key", 3) != log_index_hash(b, "key", 3) ||
	    log_index_hash(a, "kez", 3) != log_index_hash(b, "kez", 3));
	log_index_free(a);
	log_index_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_finds_what_a_model_finds),
		cmocka_unit_test(test_room_for_many_is_made_at_once),
		cmocka_unit_test(test_hashes_differ_from_one_index_to_the_next),
	};

	return cmocka_run_group_tests_name("log index", tests, NULL, NULL);
}
