/* The view of the history: what the trail has. */
#include <sys/stat.h>

#include "golden.h"
#include "steps.h"

/* Seal what is in clear text in one file. */
static void
seal_broker(struct vt *v)
{
	type_line(v, "/keystore.pass");
	vt_key(v, "a");
	apply(v);
	vt_assert_has(v, "sealed 2 values");
}

static void
a_change_is_told_with_its_files_and_keys(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "5");
	vt_assert_has(v, "No change yet");
	vt_key(v, "1");
	seal_broker(v);
	vt_key(v, "5");
	vt_assert_has(v, "[5 history]");
	vt_assert_has(v, "1 change");
	vt_assert_has(v, "done");
	vt_key(v, "j");
	vt_assert_has(v, "broker.properties");
	vt_assert_has(v, "ssl.keystore.password");
	vt_key(v, "t");
	vt_assert_has(v, "the chain is whole");
	/* To the entry that was changed, and not to where one was. */
	vt_key(v, "1");
	vt_key(v, KEY_HOME);
	vt_key(v, "5");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
	fixture_leave(v);
}

static void
a_line_that_was_changed_is_found(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *text;

	seal_broker(v);
	text = fixture_read(f, f->trail);
	assert_non_null(text);
	memcpy(strstr(text, "ssl.truststore"), "ssl.trustworth", 14);
	fixture_write(f, f->trail, text);
	free(text);
	vt_key(v, "5");
	vt_key(v, "t");
	vt_assert_has(v, "The trail is not whole");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
}

static void
small_and_large_screens_have_it(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	seal_broker(v);
	vt_key(v, "5");
	vt_key(v, "j");
	vt_resize(v, 5, 20);
	vt_assert_has(v, "done");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "Change 1");
	vt_key(v, KEY_ESC);
	vt_resize(v, 50, 200);
	vt_assert_has(v, "Change 1: ");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_change_is_told_with_its_files_and_keys),
		FIXTURE_TEST(a_line_that_was_changed_is_found),
		FIXTURE_TEST(small_and_large_screens_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
