/* Adding, updating and removing sealed values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "golden.h"
#include "keys.h"
#include "vt.h"

static const char broker[] = "estate/broker.properties";
static const char secrets[] = "estate/secrets.properties";

static void
confirm(struct vt *v)
{
	vt_key(v, "w");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
}

static void
new_value_is_added_sealed_and_never_shown(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_key(v, "i");
	vt_type(v, "added.password");
	vt_key(v, KEY_ENTER);
	vt_type(v, "typed-canary-Kp5");
	vt_assert_lacks(v, "typed");
	golden_assert(v, "secret-input-80x24");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "added.password =");
	confirm(v);
	vt_assert_has(v, "added added.password");
	fixture_quit(v);
	assert_false(vt_sent(v, "typed-canary"));
	vt_free(v);
	fixture_assert_in_file(f, broker, "added.password");
	value = fixture_decrypt(f, broker, secrets, "added.password", FIXTURE_MASTER_KEY);
	assert_string_equal(value, "typed-canary-Kp5");
	free(value);
}

static void
backspace_and_utf8_work_in_a_secret(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_key(v, "i");
	vt_type(v, "k");
	vt_key(v, KEY_ENTER);
	vt_type(v, "abc");
	vt_key(v, "\344\275\234");
	vt_key(v, "\303\244");
	vt_key(v, "\177");
	vt_key(v, KEY_LEFT);
	vt_type(v, "z");
	vt_key(v, KEY_ENTER);
	confirm(v);
	fixture_quit(v);
	vt_free(v);
	value = fixture_decrypt(f, broker, secrets, "k", FIXTURE_MASTER_KEY);
	assert_non_null(value);
	assert_non_null(strstr(value, "abc"));
	assert_true(strcmp(value, "abc\344\275\234z") == 0 ||
	    strcmp(value, "abc\\u4F5Cz") == 0 || strcmp(value, "abc\\u4f5cz") == 0);
	free(value);
}

static void
bytes_of_another_encoding_are_sealed_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_key(v, "i");
	vt_type(v, "k");
	vt_key(v, KEY_ENTER);
	vt_type(v, "a");
	vt_key(v, "\351");
	vt_type(v, "b");
	vt_key(v, KEY_ENTER);
	confirm(v);
	fixture_quit(v);
	vt_free(v);
	value = fixture_decrypt(f, broker, secrets, "k", FIXTURE_MASTER_KEY);
	assert_non_null(value);
	assert_string_equal(value, "a\351b");
	free(value);
}

static void
key_that_is_there_is_not_added_again(void **state)
{
	struct fixture *f = *state;
	char *before = fixture_snapshot(f);
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	vt_type(v, "ssl.key.password");
	vt_key(v, KEY_ENTER);
	vt_type(v, "x");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "has an entry of this key already");
	vt_key(v, KEY_ENTER);
	fixture_quit(v);
	vt_free(v);
	fixture_assert_unchanged(f, before);
	free(before);
}

static void
update_from_either_pane_seals_the_new_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_type(v, "/ssl.key.pass");
	vt_key(v, KEY_ENTER);
	vt_key(v, "e");
	vt_type(v, "second");
	vt_key(v, KEY_ENTER);
	confirm(v);
	vt_assert_has(v, "sealed a new value for ssl.key.password");
	vt_key(v, KEY_TAB);
	vt_key(v, "e");
	vt_type(v, "third");
	vt_key(v, KEY_ENTER);
	confirm(v);
	fixture_quit(v);
	vt_free(v);
	value = fixture_decrypt(f, broker, secrets, "ssl.key.password", FIXTURE_MASTER_KEY);
	assert_string_equal(value, "third");
	free(value);
}

static void
dangling_reference_is_healed_by_a_new_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *value;

	vt_type(v, "/worker");
	vt_key(v, KEY_ENTER);
	vt_type(v, "/ssl.key.password");
	vt_key(v, KEY_ENTER);
	vt_type(v, "n");
	vt_assert_has(v, "worker.properties:5  ssl.key.password");
	vt_key(v, "e");
	vt_type(v, "healed");
	vt_key(v, KEY_ENTER);
	confirm(v);
	vt_assert_lacks(v, "dangling");
	fixture_quit(v);
	vt_free(v);
	value = fixture_decrypt(f, "estate/connect/worker.properties", secrets,
	    "ssl.key.password", FIXTURE_MASTER_KEY);
	assert_string_equal(value, "healed");
	free(value);
}

static void
removal_wants_the_word(void **state)
{
	struct fixture *f = *state;
	char *before = fixture_snapshot(f);
	struct vt *v = fixture_open(f);

	vt_type(v, "/ssl.key.pass");
	vt_key(v, KEY_ENTER);
	vt_key(v, "X");
	vt_key(v, "w");
	golden_assert(v, "remove-word-80x24");
	vt_type(v, "remov");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "that is not the word");
	vt_type(v, "es");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "that is not the word");
	fixture_assert_unchanged(f, before);
	vt_key(v, "\177");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "removed broker.properties/ssl.key.password");
	fixture_quit(v);
	vt_free(v);
	fixture_assert_not_in_file(f, broker, "ssl.key.password");
	fixture_assert_not_in_file(f, secrets, "broker.properties/ssl.key.password");
	fixture_assert_in_file(f, secrets, "worker.properties/consumer.ssl.key.password");
	free(before);
}

static void
orphan_is_removed_alone(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	vt_type(v, "Xw");
	vt_type(v, "remove");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "removed old.properties/orphan.password");
	vt_assert_lacks(v, "orphan.password 0");
	fixture_quit(v);
	vt_free(v);
	fixture_assert_not_in_file(f, secrets, "orphan");
	fixture_assert_in_file(f, secrets, "broker.properties/ssl.key.password");
}

static void
cancelling_anywhere_changes_nothing(void **state)
{
	struct fixture *f = *state;
	char *before = fixture_snapshot(f);
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "i");
	vt_key(v, KEY_ESC);
	vt_type(v, "ikey");
	vt_key(v, KEY_ENTER);
	vt_type(v, "value");
	vt_key(v, KEY_ESC);
	vt_type(v, "ikey");
	vt_key(v, KEY_ENTER);
	vt_type(v, "value");
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ESC);
	vt_type(v, "/ssl.key.pass");
	vt_key(v, KEY_ENTER);
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
	fixture_quit(v);
	vt_free(v);
	fixture_assert_unchanged(f, before);
	free(before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_value_is_added_sealed_and_never_shown),
		TEST(backspace_and_utf8_work_in_a_secret),
		TEST(bytes_of_another_encoding_are_sealed_as_they_are),
		TEST(key_that_is_there_is_not_added_again),
		TEST(update_from_either_pane_seals_the_new_value),
		TEST(dangling_reference_is_healed_by_a_new_value),
		TEST(removal_wants_the_word),
		TEST(orphan_is_removed_alone),
		TEST(cancelling_anywhere_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
