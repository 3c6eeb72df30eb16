#include "registry/store/names.h"
#include "unit.h"

static bool
path(const char *s)
{
	return name_path_valid(s, strlen(s));
}

static bool
key(const char *s)
{
	return name_key_valid(s, strlen(s));
}

static bool
version(const char *s, uint32_t *v)
{
	return name_version_parse(s, strlen(s), v);
}

static void
test_paths_may_be_what_connectors_are_called(void **state)
{
	static const char *const good[] = {
		"conn-a", "my conn", "dev.users.postgres.jdbc-sink-connector", "%61", "keys",
		"...", ".a", "..a", "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x94\x91", "a\"b\\c", "a{b",
		"e\xcc\x81"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(path(good[i]));
}

static void
test_paths_that_cannot_be_referred_to_are_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a:b", "a}b", "*", "a*", " a", "a ", "\xc2\xa0z",
		"a\xe3\x80\x80", "a\nb", "a\x7f", "a\xc2\x85z", "\xff", "a\xc0\xafz",
		"\xed\xa0\x80", "a\xe2\x82"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(path(bad[i]));
	assert_false(name_path_valid("a\0b", 3));
}

static void
test_lengths_of_names_count_bytes(void **state)
{
	char s[300];

	(void)state;
	memset(s, 'a', sizeof(s));
	assert_true(name_path_valid(s, NAME_PATH_MAX));
	assert_false(name_path_valid(s, NAME_PATH_MAX + 1));
	assert_true(name_key_valid(s, NAME_KEY_MAX));
	assert_false(name_key_valid(s, NAME_KEY_MAX + 1));
}

static void
test_keys_begin_with_a_letter(void **state)
{
	(void)state;
	assert_true(key("A"));
	assert_true(key("z.9_-x"));
	assert_true(key("latest"));
	assert_false(key(""));
	assert_false(key("1abc"));
	assert_false(key("_abc"));
	assert_false(key("*"));
	assert_false(key("\xc3\xa9"));
	assert_false(key("a:b"));
	assert_false(key("a b"));
	assert_false(name_key_valid("a\0b", 3));
}

static void
test_versions_are_plain_decimal_numbers(void **state)
{
	static const char *const bad[] = {
		"", "0", "-1", "+1", "01", "1.0", "abc", "1 ", " 1", "2147483648", "4294967297",
		"99999999999", "0x1", "1e3"
	};
	uint32_t v = 0;
	size_t i;

	(void)state;
	assert_true(version("1", &v));
	assert_int_equal(v, 1);
	assert_true(version("2147483647", &v));
	assert_int_equal(v, 2147483647);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(version(bad[i], &v));
	assert_int_equal(v, 2147483647);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_may_be_what_connectors_are_called),
		cmocka_unit_test(test_paths_that_cannot_be_referred_to_are_refused),
		cmocka_unit_test(test_lengths_of_names_count_bytes),
		cmocka_unit_test(test_keys_begin_with_a_letter),
		cmocka_unit_test(test_versions_are_plain_decimal_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
