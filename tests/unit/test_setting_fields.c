/* The table of settings: what each type takes, and where it goes. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/settings.h"

struct values {
	const char *text;
	bool on, second;
	unsigned number, place;
	size_t size;
	uint64_t ms;
};

#define FIELD(type, member, ...) { "a.name", type, offsetof(struct values, member), __VA_ARGS__ }

static const struct setting_field text = FIELD(SETTING_TEXT, text, 0, 0, 0, NULL);
static const struct setting_field on = FIELD(SETTING_SWITCH, on, 0, 0, 0, NULL);
static const struct setting_field second = FIELD(SETTING_SWITCH, second, 0, 0, 0, "one|other");
static const struct setting_field number = FIELD(SETTING_NUMBER, number, 2, UINT_MAX, 0, NULL);
static const struct setting_field place = FIELD(SETTING_CHOICE, place, 0, 0, 0, "a|bc|d");
static const struct setting_field size = FIELD(SETTING_SIZE, size, 1, 10, 0, NULL);
static const struct setting_field seconds = FIELD(SETTING_LONG, ms, 0, 60, 1000, NULL);

static void
puts_each_type_in_its_place(void **state)
{
	struct values v = { .on = true };

	(void)state;
	assert_int_equal(setting_store(&text, &v, "x y", NULL), 0);
	assert_string_equal(v.text, "x y");
	assert_int_equal(setting_store(&text, &v, "", NULL), 0);
	assert_null(v.text);
	assert_int_equal(setting_store(&on, &v, "false", NULL), 0);
	assert_false(v.on);
	assert_int_equal(setting_store(&second, &v, "other", NULL), 0);
	assert_true(v.second);
	assert_int_equal(setting_store(&number, &v, "4294967295", NULL), 0);
	assert_int_equal(v.number, UINT_MAX);
	assert_int_equal(setting_store(&place, &v, "d", NULL), 0);
	assert_int_equal(v.place, 2);
	assert_int_equal(setting_store(&size, &v, "10", NULL), 0);
	assert_int_equal(v.size, 10);
	assert_int_equal(setting_store(&seconds, &v, "60", NULL), 0);
	assert_int_equal(v.ms, 60000);
}

static void
refuses(const struct setting_field *f, const char *value, const char *says)
{
	struct values v = { .number = 7, .size = 7, .place = 1 };
	struct error err;

	assert_int_equal(setting_store(f, &v, value, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_non_null(strstr(err.text, "a.name"));
	assert_non_null(strstr(err.hint[0] != '\0' ? err.hint : err.text, says));
	assert_int_equal(v.number, 7);
	assert_int_equal(v.size, 7);
	assert_int_equal(v.place, 1);
}

static void
refuses_what_it_cannot_be(void **state)
{
	(void)state;
	refuses(&on, "yes", "false|true");
	refuses(&on, "", "false|true");
	refuses(&second, "true", "one|other");
	refuses(&place, "b", "a|bc|d");
	refuses(&place, "a|bc", "a|bc|d");
	refuses(&number, "1", "from 2 to 4294967295");
	refuses(&number, "4294967296", "from 2");
	refuses(&number, "-3", "from 2");
	refuses(&number, "+3", "from 2");
	refuses(&number, " 3", "from 2");
	refuses(&number, "3x", "from 2");
	refuses(&number, "", "from 2");
	refuses(&number, "99999999999999999999999", "from 2");
	refuses(&size, "11", "from 1 to 10");
	refuses(&seconds, "61", "from 0 to 60");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_each_type_in_its_place),
		cmocka_unit_test(refuses_what_it_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
