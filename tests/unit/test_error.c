#include <errno.h>

#include "base/error.h"
#include "unit.h"

static void
test_set_fills_all_and_returns_minus_one(void **state)
{
	struct error err;

	(void)state;
	memset(&err, 'x', sizeof(err));
	assert_int_equal(error_set(&err, ERROR_FORMAT, "%s %d", "bad", 7), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_string_equal(err.text, "bad 7");
	assert_int_equal(err.line, 0);
	assert_string_equal(err.file, "");
	assert_string_equal(err.key, "");
	assert_string_equal(err.hint, "");
}

static void
test_no_error_wanted(void **state)
{
	(void)state;
	errno = ENOSPC;
	assert_int_equal(error_set(NULL, ERROR_IO, "x"), -1);
	assert_int_equal(error_io(NULL, "f", "x"), -1);
	assert_int_equal(error_memory(NULL), -1);
	assert_int_equal(error_place(NULL, "f", 1), -1);
	assert_int_equal(error_key(NULL, "k", 1), -1);
	assert_int_equal(error_hint(NULL, "h"), -1);
}

static void
test_place_key_hint_are_added(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_DAMAGED, "broken");
	assert_int_equal(error_place(&err, "a/b.properties", 12), -1);
	assert_int_equal(error_key(&err, "db.password", 2), -1);
	assert_int_equal(error_hint(&err, "try %s", "again"), -1);
	assert_string_equal(err.text, "broken");
	assert_string_equal(err.file, "a/b.properties");
	assert_int_equal(err.line, 12);
	assert_string_equal(err.key, "db");
	assert_string_equal(err.hint, "try again");
}

static void
test_an_error_can_be_wrapped_in_itself(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_IO, "inner");
	error_hint(&err, "careful");
	error_hint(&err, "be %s", err.hint);
	assert_string_equal(err.hint, "be careful");
	error_set(&err, ERROR_KEY, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void
test_long_text_is_cut_between_characters(void **state)
{
	struct error err;
	char text[3001];
	size_t i;

	(void)state;
	/* U+20AC has three bytes: 1023 is 341 of them, and with one before, 340. */
	text[0] = 'a';
	for (i = 1; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[i] = '\0';
	error_set(&err, ERROR_FORMAT, "%s", text);
	assert_int_equal(strlen(err.text), 1 + 340 * 3);
	error_hint(&err, "%s", text + 1);
	assert_int_equal(strlen(err.hint), 341 * 3);
	error_place(&err, text, 0);
	assert_int_equal(strlen(err.file), 1 + 340 * 3);
	error_key(&err, text, strlen(text));
	assert_int_equal(strlen(err.key) % 3, 1);
	assert_true(strlen(err.key) > 500);
}

static void
test_key_is_made_visible(void **state)
{
	struct error err;
	char key[600];

	(void)state;
	error_set(&err, ERROR_FORMAT, "x");
	error_key(&err, "a\x1b[31m\nb\xff", 9);
	assert_string_equal(err.key, "a\\x1b[31m\\nb\\xff");
	memset(key, 0x1b, sizeof(key));
	error_key(&err, key, sizeof(key));
	assert_int_equal(strlen(err.key), sizeof(err.key) - 1);
	error_key(&err, NULL, 0);
	assert_string_equal(err.key, "");
}

static void
test_io_says_what_errno_means(void **state)
{
	static const struct { int code; const char *hint; } cases[] = {
		{ ENOSPC, "free space" }, { EDQUOT, "quota" }, { EROFS, "read-only" },
		{ EACCES, "permissions" }, { EPERM, "permissions" }, { EIO, "" }
	};
	struct error err;
	char want[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = cases[i].code;
		assert_int_equal(error_io(&err, "some/file", "cannot write"), -1);
		assert_int_equal(errno, cases[i].code);
		assert_int_equal(err.code, ERROR_IO);
		snprintf(want, sizeof(want), "cannot write: %s", strerror(cases[i].code));
		assert_string_equal(err.text, want);
		assert_string_equal(err.file, "some/file");
		assert_non_null(strstr(err.hint, cases[i].hint));
		assert_int_equal(err.hint[0] == '\0', cases[i].hint[0] == '\0');
	}
	assert_int_equal(error_io(&err, NULL, "x"), -1);
	assert_string_equal(err.file, "");
}

static void
test_exit_status(void **state)
{
	int code;

	(void)state;
	for (code = ERROR_NONE; code <= ERROR_CRYPTO; code++) {
		int want = code == ERROR_NONE ? 0 : code == ERROR_USAGE ? 2 :
		    code == ERROR_KEY || code == ERROR_DAMAGED ? 4 :
		    code == ERROR_BUSY ? 5 : 1;

		assert_int_equal(error_exit_status((enum error_code)code), want);
	}
}

static void
test_names_are_stable_words(void **state)
{
	int a, b;

	(void)state;
	assert_string_equal(error_code_name(ERROR_KEY), "wrong-key");
	for (a = ERROR_NONE; a <= ERROR_CRYPTO; a++) {
		const char *name = error_code_name((enum error_code)a);

		assert_string_not_equal(name, "unknown");
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		for (b = ERROR_NONE; b < a; b++)
			assert_string_not_equal(name, error_code_name((enum error_code)b));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fills_all_and_returns_minus_one),
		cmocka_unit_test(test_no_error_wanted),
		cmocka_unit_test(test_place_key_hint_are_added),
		cmocka_unit_test(test_an_error_can_be_wrapped_in_itself),
		cmocka_unit_test(test_long_text_is_cut_between_characters),
		cmocka_unit_test(test_key_is_made_visible),
		cmocka_unit_test(test_io_says_what_errno_means),
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_names_are_stable_words)
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
