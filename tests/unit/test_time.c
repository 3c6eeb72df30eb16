#include "base/time.h"
#include "unit.h"

static void
expect(int64_t ms, enum time_form form, const char *want)
{
	char text[TIME_TEXT];

	assert_int_equal(time_text(ms, form, text), strlen(want));
	assert_string_equal(text, want);
}

static void
test_forms(void **state)
{
	(void)state;
	expect(0, TIME_MILLISECONDS, "1970-01-01T00:00:00.000Z");
	expect(1785499445006, TIME_MILLISECONDS, "2026-07-31T12:04:05.006Z");
	expect(1785499445006, TIME_SECONDS, "2026-07-31T12:04:05Z");
	expect(1785499445006, TIME_SPACED, "2026-07-31 12:04:05");
	expect(1785499445006, TIME_NAME, "20260731T120405Z");
	expect(1785499445006, TIME_HTTP, "Fri, 31 Jul 2026 12:04:05 GMT");
	expect(784111777000, TIME_HTTP, "Sun, 06 Nov 1994 08:49:37 GMT");
	expect(-1, TIME_MILLISECONDS, "1969-12-31T23:59:59.999Z");
}

static void
test_the_ends_of_time(void **state)
{
	(void)state;
	expect(253402300799999, TIME_MILLISECONDS, "9999-12-31T23:59:59.999Z");
	expect(253402300800000, TIME_MILLISECONDS, "9999-12-31T23:59:59.000Z");
	expect(INT64_MAX, TIME_SECONDS, "9999-12-31T23:59:59Z");
	expect(INT64_MIN, TIME_SECONDS, "9999-12-31T23:59:59Z");
	expect(-62167219200000, TIME_SECONDS, "0000-01-01T00:00:00Z");
}

static bool
parses(const char *text, enum time_form form, int64_t want)
{
	int64_t ms = 77;
	bool good = time_parse(text, form, &ms);

	assert_int_equal(ms, good ? want : 77);
	return good;
}

static void
test_parsing(void **state)
{
	(void)state;
	assert_true(parses("2026-07-31T12:04:05Z", TIME_SECONDS, 1785499445000));
	assert_true(parses("2026-07-31T12:04:05Z", TIME_MILLISECONDS, 1785499445000));
	assert_true(parses("2026-07-31T12:04:05.006Z", TIME_MILLISECONDS, 1785499445006));
	assert_true(parses("2026-07-31T12:04:05.5Z", TIME_MILLISECONDS, 1785499445500));
	assert_true(parses("9999-12-31T23:59:59Z", TIME_SECONDS, 253402300799000));
	assert_false(parses("2026-07-31T12:04:05.006Z", TIME_SECONDS, 0));
	assert_false(parses("2026-07-31T12:04:05.Z", TIME_MILLISECONDS, 0));
	assert_false(parses("2026-07-31T12:04:05.0060Z", TIME_MILLISECONDS, 0));
	assert_false(parses("2026-07-31T12:04:05", TIME_SECONDS, 0));
	assert_false(parses("2026-07-31T12:04:05Z ", TIME_SECONDS, 0));
	assert_false(parses("2026-7-31T12:04:05Z", TIME_SECONDS, 0));
	assert_false(parses("2026-02-30T12:04:05Z", TIME_SECONDS, 0));
	assert_false(parses("2026-07-31T24:04:05Z", TIME_SECONDS, 0));
	assert_false(parses("2026-07-31 12:04:05Z", TIME_SECONDS, 0));
	assert_false(parses("", TIME_SECONDS, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_the_ends_of_time),
		cmocka_unit_test(test_parsing),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
