/* Adding, updating and removing sealed values. */
#include "golden.h"
#include "steps.h"

static const char broker[] = "estate/broker.properties";
static const char secrets[] = "estate/secrets.properties";

static void
new_value_is_added_sealed_and_never_shown(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	type_line(v, "added.password");
	vt_type(v, "typed-canary-Kp5");
	vt_assert_lacks(v, "typed");
	golden_assert(v, "secret-input-80x24");
	vt_key(v, KEY_ENTER);
	type_line(v, "typed-canary-Kp5");
	vt_assert_has(v, "added.password =");
	apply(v);
	vt_assert_has(v, "added added.password");
	fixture_quit(v);
	assert_false(vt_sent(v, "typed-canary"));
	vt_free(v);
	fixture_assert_in_file(f, broker, "added.password");
	fixture_assert_value(f, broker, "added.password", "typed-canary-Kp5");
}

static void
backspace_and_utf8_work_in_a_secret(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_key(v, "i");
	type_line(v, "k");
	vt_type(v, "abc");
	vt_key(v, "\344\275\234");
	vt_key(v, "\303\244");
	vt_key(v, "\177");
	vt_key(v, KEY_LEFT);
	/* What is seen need not be typed twice. */
	vt_key(v, "\022");
	vt_assert_has(v, "abc\344\275\234");
	type_line(v, "z");
	apply(v);
	fixture_leave(v);
	value = fixture_decrypt(f, broker, secrets, "k", FIXTURE_MASTER_KEY);
	assert_non_null(value);
	assert_non_null(strstr(value, "abc"));
	assert_true(strcmp(value, "abc\344\275\234z") == 0 ||
	    strcmp(value, "abc\\u4F5Cz") == 0 || strcmp(value, "abc\\u4f5cz") == 0);
	free(value);
}

static void
bytes_of_another_encoding_are_refused(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	type_line(v, "k");
	vt_type(v, "a");
	vt_key(v, "\351");
	vt_key(v, "\022");
	type_line(v, "b");
	vt_assert_has(v, "UTF-8");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
key_that_is_there_is_not_added_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	type_line(v, "ssl.key.password");
	type_value(v, "x");
	vt_assert_has(v, "has an entry of this key already");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
update_from_either_pane_seals_the_new_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	type_value(v, "second");
	apply(v);
	vt_assert_has(v, "sealed a new value for ssl.key.password");
	vt_key(v, KEY_TAB);
	vt_key(v, "e");
	type_value(v, "third");
	apply(v);
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.key.password", "third");
}

static void
dangling_reference_is_healed_by_a_new_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	type_line(v, "/worker");
	type_line(v, "/ssl.key.password");
	vt_type(v, "n");
	vt_assert_has(v, "worker.properties:5" INTO "ssl.key.password");
	vt_key(v, "e");
	type_value(v, "healed");
	apply(v);
	vt_assert_lacks(v, "dangling");
	fixture_leave(v);
	fixture_assert_value(f, "estate/connect/worker.properties",
	    "ssl.key.password", "healed");
}

static void
removal_wants_the_word(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "X");
	vt_key(v, "w");
	golden_assert(v, "remove-word-80x24");
	type_line(v, "remov");
	vt_assert_has(v, "that is not the word");
	type_line(v, "es");
	vt_assert_has(v, "that is not the word");
	fixture_assert_unchanged(f);
	vt_key(v, "\177");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "removed broker.properties/ssl.key.password");
	fixture_leave(v);
	fixture_assert_not_in_file(f, broker, "ssl.key.password");
	fixture_assert_not_in_file(f, secrets, "broker.properties/ssl.key.password");
	fixture_assert_in_file(f, secrets, "worker.properties/consumer.ssl.key.password");
}

static void
orphan_is_removed_alone(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	vt_type(v, "Xw");
	type_line(v, "remove");
	vt_assert_has(v, "removed old.properties/orphan.password");
	vt_assert_lacks(v, "orphan.password 0");
	fixture_leave(v);
	fixture_assert_not_in_file(f, secrets, "orphan");
	fixture_assert_in_file(f, secrets, "broker.properties/ssl.key.password");
}

static void
cancelling_anywhere_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	vt_key(v, KEY_ESC);
	type_line(v, "ikey");
	vt_type(v, "value");
	vt_key(v, KEY_ESC);
	type_line(v, "ikey");
	type_value(v, "value");
	vt_key(v, KEY_ESC);
	type_line(v, "/ssl.key.pass");
	vt_type(v, "e");
	vt_key(v, KEY_ESC);
	vt_type(v, "X");
	vt_key(v, KEY_ESC);
	vt_type(v, "Xwremove");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_type(v, "Kw");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_type(v, "M");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(new_value_is_added_sealed_and_never_shown),
		FIXTURE_TEST(backspace_and_utf8_work_in_a_secret),
		FIXTURE_TEST(bytes_of_another_encoding_are_refused),
		FIXTURE_TEST(key_that_is_there_is_not_added_again),
		FIXTURE_TEST(update_from_either_pane_seals_the_new_value),
		FIXTURE_TEST(dangling_reference_is_healed_by_a_new_value),
		FIXTURE_TEST(removal_wants_the_word),
		FIXTURE_TEST(orphan_is_removed_alone),
		FIXTURE_TEST(cancelling_anywhere_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
