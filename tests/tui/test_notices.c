/* What was told can be read again. */
#include "steps.h"

static void
notices_are_kept_with_the_newest_first(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "m");
	vt_assert_has(v, "Nothing yet.");
	vt_key(v, KEY_ESC);
	vt_key(v, "f");
	vt_key(v, "j");
	/* An error of the line below, and one of a dialog. */
	vt_key(v, "n");
	vt_assert_has(v, "nothing was searched for");
	vt_key(v, "j");
	vt_assert_lacks(v, "nothing was searched for");
	vt_key(v, "o");
	type_line(v, "estate/broker.properties");
	vt_assert_has(v, "this is no secrets file");
	vt_key(v, KEY_ENTER);
	vt_key(v, "m");
	vt_assert_has(v, "Notices, the newest first");
	vt_assert_has(v, "Z  The secrets file cannot be used: broker.properties: this is");
	vt_assert_has(v, "Z  n (next-match): nothing was searched for");
	vt_assert_has(v, "Z  showing clear text");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

static void
last_two_hundred_are_kept(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char keys[200] = "";

	/* The first one is not said again. */
	vt_key(v, "N");
	vt_assert_has(v, "N (previous-match)");
	memset(keys, 'f', sizeof(keys) - 1);
	vt_type(v, keys);
	vt_key(v, "m");
	vt_assert_has(v, "Notices, the newest first");
	vt_key(v, KEY_END);
	vt_assert_has(v, "N (previous-match): nothing was searched for");
	vt_key(v, KEY_ESC);
	vt_type(v, "fm");
	vt_assert_has(v, "Notices: the last 200 of 201, the newest first");
	vt_key(v, KEY_END);
	vt_assert_lacks(v, "N (previous-match)");
	vt_assert_has(v, "showing clear text");
	vt_key(v, "q");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(notices_are_kept_with_the_newest_first),
		FIXTURE_TEST(last_two_hundred_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
