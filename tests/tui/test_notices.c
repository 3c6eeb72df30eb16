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
	vt_key(v, "O");
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

/* What went wrong stays below the panes until it is read: by Esc, in the log, or replaced. */
static void
errors_stay_until_they_are_read(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/start.sh", "export KAFKA_SSL_KEY_PASSWORD=shell-secret-9xQ4\n");
	v = fixture_open(f);
	vt_key(v, "2");
	type_line(v, "/KAFKA_SSL_KEY");
	vt_key(v, " ");
	vt_assert_has(v, "no fix by propseal");
	vt_type(v, "kj");
	vt_assert_has(v, "no fix by propseal");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "no fix by propseal");
	vt_key(v, "2");
	vt_type(v, " k");
	vt_assert_has(v, "no fix by propseal");
	vt_type(v, "m" KEY_ESC);
	vt_assert_has(v, "[2 findings");
	vt_assert_lacks(v, "no fix by propseal");
	/* What went well does not, and the way to the log stands behind it. */
	vt_key(v, "1");
	vt_key(v, "f");
	vt_assert_has(v, "showing clear text");
	vt_assert_has(v, "m log");
	vt_key(v, "j");
	vt_assert_lacks(v, "showing clear text");
	fixture_leave(v);
}

static void
a_key_without_a_meaning_says_so(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "Q");
	vt_assert_has(v, "Q does nothing here; ? lists the keys");
	vt_key(v, "j");
	vt_assert_lacks(v, "does nothing here");
	/* It is nothing to be kept. */
	vt_key(v, "m");
	vt_assert_has(v, "Nothing yet.");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Where nothing can be asked, `q` leaves only when there is nothing to ask. */
static void
too_small_a_screen_can_be_left(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "a");
	vt_assert_has(v, "2 marked");
	vt_resize(v, 3, 14);
	vt_assert_has(v, "too small");
	vt_key(v, "q");
	vt_assert_has(v, "too small");
	vt_resize(v, 24, 80);
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	vt_resize(v, 3, 14);
	vt_send(v, "q");
	assert_int_equal(vt_wait_exit(v), 0);
	vt_free(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(notices_are_kept_with_the_newest_first),
		FIXTURE_TEST(last_two_hundred_are_kept),
		FIXTURE_TEST(errors_stay_until_they_are_read),
		FIXTURE_TEST(a_key_without_a_meaning_says_so),
		FIXTURE_TEST(too_small_a_screen_can_be_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
