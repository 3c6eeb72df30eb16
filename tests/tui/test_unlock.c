/* Where the key comes from, and how it goes. */
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
#include "memory.h"
#include "vt.h"

static void
wrong_passphrase_is_refused_and_asked_again(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "U");
	golden_assert(v, "unlock-80x24");
	vt_type(v, "wrong");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "that does not open it");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "master key locked");
	vt_key(v, "U");
	vt_type(v, FIXTURE_PASSPHRASE);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_quit(v);
	assert_false(vt_sent(v, "horse"));
	vt_free(v);
}

static void
master_key_can_be_pasted(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "U");
	vt_type(v, FIXTURE_MASTER_KEY);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_quit(v);
	assert_false(vt_sent(v, FIXTURE_MASTER_KEY));
	vt_free(v);
}

static void
key_file_opens_without_a_question(void **state)
{
	struct fixture_start s = { .args = { "estate", "--master-key-file", "key" } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_quit(v);
	vt_free(v);
}

static void
wrong_key_in_the_environment_asks_for_the_right_one(void **state)
{
	struct fixture_start s = { .env = { "CONFLUENT_SECURITY_MASTER_KEY="
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	vt_assert_has(v, "(the environment) does not open");
	vt_type(v, FIXTURE_PASSPHRASE);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_quit(v);
	vt_free(v);
}

static void
lock_wipes_and_the_next_use_asks(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_type(v, "/ssl.key.pass");
	vt_key(v, KEY_ENTER);
	vt_key(v, "r");
	vt_key(v, "L");
	vt_assert_has(v, "The keys are wiped");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_assert_lacks(v, "broker.properties");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	vt_key(v, "r");
	vt_assert_has(v, "Unlock");
	vt_key(v, KEY_ESC);
	fixture_quit(v);
	vt_free(v);
}

static void
idle_time_locks(void **state)
{
	struct fixture_start s = { .args = { "estate", "--lock-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	vt_wait_text(v, "The keys are wiped", true);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	fixture_quit(v);
	vt_free(v);
}

static void
idle_time_closes_a_dialog_with_a_secret_in_it(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "estate", "--lock-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	char *before = fixture_snapshot(f);
	struct vt *v = fixture_run(f, &s);

	vt_type(v, "ikey");
	vt_key(v, KEY_ENTER);
	vt_type(v, "left-alone-canary");
	vt_wait_text(v, "The keys are wiped", true);
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "typed value", "left-alone-canary");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Configuration files");
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
		TEST(wrong_passphrase_is_refused_and_asked_again),
		TEST(master_key_can_be_pasted),
		TEST(key_file_opens_without_a_question),
		TEST(wrong_key_in_the_environment_asks_for_the_right_one),
		TEST(lock_wipes_and_the_next_use_asks),
		TEST(idle_time_locks),
		TEST(idle_time_closes_a_dialog_with_a_secret_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
