#include "base/map.h"
#include "unit.h"

/*
 * Key 0 and the bytes 0, 1, 2...: what CPython 3.11 and later answers to
 * PYTHONHASHSEED=0 python3 -c 'print(hex(hash(bytes(range(N))) % 2**64))'.
 * Key 00 01 .. 0f and no bytes: the first vector in the tests of Rust's core.
 */
static void
test_siphash_13_known_answers(void **state)
{
	static const struct { size_t n; uint64_t hash; } cases[] = {
		{ 1, UINT64_C(0x68a914128e01e473) }, { 7, UINT64_C(0x2f098ab0c751325a) },
		{ 8, UINT64_C(0xead411e67ebe2eea) }, { 15, UINT64_C(0xf30eb725bb91c9ea) },
		{ 16, UINT64_C(0x8972188433a5c5b7) }
	};
	unsigned char key[SIPHASH_KEY] = { 0 };
	unsigned char bytes[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_true(siphash_13(key, bytes, cases[i].n) == cases[i].hash);
	memcpy(key, bytes, sizeof(key));
	assert_true(siphash_13(key, "", 0) == UINT64_C(0xabac0158050fc4dc));
}

static void
test_the_key_of_tables_is_one_and_random(void **state)
{
	unsigned char a[SIPHASH_KEY], b[SIPHASH_KEY] = { 0 };

	(void)state;
	assert_int_equal(siphash_seed(a), 0);
	assert_false(unit_all_zero(a, sizeof(a)));
	assert_int_equal(siphash_seed(b), 0);
	assert_memory_equal(a, b, sizeof(a));
}

static void
test_put_get_replace(void **state)
{
	struct map *m = map_new();
	size_t value = 77;

	(void)state;
	assert_non_null(m);
	assert_false(map_get(m, "a", 1, &value));
	assert_int_equal(value, 77);
	assert_int_equal(map_put(m, "a", 1, 5), 0);
	assert_true(map_get(m, "a", 1, &value));
	assert_int_equal(value, 5);
	assert_int_equal(map_put(m, "a", 1, 0), 0);
	assert_true(map_get(m, "a", 1, &value));
	assert_int_equal(value, 0);
	assert_int_equal(map_count(m), 1);
	map_free(m);
	map_free(NULL);
}

static void
test_a_value_in_its_place(void **state)
{
	struct map *m = map_new();
	size_t *value, n = 7;

	(void)state;
	assert_non_null(value = map_value(m, "a", 1));
	assert_int_equal(*value, 0);
	*value += 2;
	assert_ptr_equal(map_value(m, "a", 1), value);
	assert_true(map_get(m, "a", 1, &n));
	assert_int_equal(n, 2);
	assert_int_equal(map_count(m), 1);
	map_free(m);
}

static void
test_keys_are_bytes_with_a_length(void **state)
{
	struct map *m = map_new();
	size_t value;

	(void)state;
	assert_non_null(m);
	map_put(m, NULL, 0, 1);
	map_put(m, "a", 1, 2);
	map_put(m, "a\0", 2, 3);
	map_put(m, "a\0b", 3, 4);
	map_put(m, "A", 1, 5);
	assert_int_equal(map_count(m), 5);
	assert_true(map_get(m, "", 0, &value));
	assert_int_equal(value, 1);
	assert_true(map_get(m, "a\0b", 1, &value));
	assert_int_equal(value, 2);
	assert_true(map_get(m, "a\0c", 2, &value));
	assert_int_equal(value, 3);
	assert_true(map_get(m, "a\0b", 3, &value));
	assert_int_equal(value, 4);
	assert_false(map_get(m, "a\0c", 3, &value));
	map_free(m);
}

static void
test_many_keys(void **state)
{
	enum { COUNT = 20000 };
	static char keys[COUNT][8];
	struct map *m = map_new();
	size_t i, value;

	(void)state;
	assert_non_null(m);
	for (i = 0; i < COUNT; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		assert_int_equal(map_put(m, keys[i], strlen(keys[i]), i * 3), 0);
		assert_int_equal(map_count(m), i + 1);
	}
	for (i = 0; i < COUNT; i++) {
		assert_true(map_get(m, keys[i], strlen(keys[i]), &value));
		assert_int_equal(value, i * 3);
	}
	assert_false(map_get(m, "k20000", 6, &value));
	assert_false(map_get(m, "k", 1, &value));
	map_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_13_known_answers),
		cmocka_unit_test(test_the_key_of_tables_is_one_and_random),
		cmocka_unit_test(test_put_get_replace),
		cmocka_unit_test(test_a_value_in_its_place),
		cmocka_unit_test(test_keys_are_bytes_with_a_length),
		cmocka_unit_test(test_many_keys)
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
