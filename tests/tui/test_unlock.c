/* Where the key comes from, and how it goes. */
#include "golden.h"
#include "memory.h"
#include "steps.h"

static void
wrong_passphrase_is_refused_and_asked_again(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "U");
	golden_assert(v, "unlock-80x24");
	type_line(v, "wrong");
	vt_assert_has(v, "that does not open it");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "master key locked");
	vt_key(v, "U");
	type_line(v, FIXTURE_PASSPHRASE);
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
	type_line(v, FIXTURE_MASTER_KEY);
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
	vt_key(v, "L");
	vt_assert_has(v, "No key is kept.");
	/* An empty field opens nothing, not even with a key at hand. */
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	vt_key(v, "U");
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_leave(v);
}

static void
wrong_key_in_the_environment_asks_for_the_right_one(void **state)
{
	struct fixture_start s = { .env = { "CONFLUENT_SECURITY_MASTER_KEY="
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	vt_assert_has(v, "CONFLUENT_SECURITY_MASTER_KEY) does not open");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, "unlocked, id 46d171a8");
	fixture_leave(v);
}

static void
lock_wipes_and_the_next_use_asks(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_key(v, "L");
	vt_assert_has(v, "No key is kept.");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_assert_lacks(v, "broker.properties");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	vt_key(v, "r");
	vt_assert_has(v, "Unlock");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
idle_time_locks(void **state)
{
	struct fixture_start s = { .args = { "estate", "--lock-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	vt_wait_text(v, "No key is kept.", true);
	vt_assert_has(v, "Locked after 1 second idle.");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	fixture_leave(v);
}

/* The field is on the screen itself: nothing is to be hit before. */
static void
lock_screen_takes_a_passphrase(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	type_line(v, "/db.pass");
	vt_key(v, " ");
	vt_key(v, "L");
	vt_assert_has(v, "1 mark is kept, no key is.");
	vt_assert_has(v, "Enter goes on locked");
	/* All that can be read is text, and help and Esc lose nothing of it. */
	vt_type(v, "U :?q");
	vt_assert_has(v, "key or passphrase  \342\200\242\342\200\242\342\200\242"
	    "\342\200\242\342\200\242");
	vt_assert_has(v, "Enter unlock");
	vt_assert_lacks(v, "broker.properties");
	vt_key(v, KEY_F1);
	vt_assert_has(v, "Help for the lock screen");
	vt_assert_has(v, "try it on all that is locked");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "Enter unlock");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "that does not open it");
	vt_assert_has(v, "Enter goes on locked");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, "unlocked, id 46d171a8");
	vt_assert_has(v, "1 marked");
	vt_assert_has(v, "db.password");
	vt_key(v, "u");
	fixture_quit(v);
	assert_false(vt_sent(v, "horse"));
	vt_free(v);
}

/* What is pasted goes into the field, and nothing of a key stays in memory, right or wrong. */
static void
lock_screen_takes_a_pasted_key_and_keeps_nothing(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_key(v, "L");
	vt_type(v, "no-such-key-canary");
	if (memory_can_read(vt_pid(v)))
		assert_true(memory_count(vt_pid(v), "no-such-key-canary", 18) >= 1);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "that does not open it");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "wrong key", "no-such-key-canary");
	vt_key(v, "\033[200~" FIXTURE_MASTER_KEY "\n\033[201~");
	see(v, "Enter unlock");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "unlocked, id 46d171a8");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "pasted key", FIXTURE_MASTER_KEY);
	fixture_quit(v);
	assert_false(vt_sent(v, "canary"));
	assert_false(vt_sent(v, FIXTURE_MASTER_KEY));
	vt_free(v);
}

/* Who comes back and goes again leaves no half of a passphrase. */
static void
idle_time_wipes_what_is_typed_on_the_lock_screen(void **state)
{
	struct fixture_start s = { .args = { "estate", "--lock-time", "2" } };
	struct vt *v = fixture_run(*state, &s);

	vt_key(v, "U");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_wait_text(v, "No key is kept.", true);
	vt_type(v, "half-of-it-canary");
	vt_assert_has(v, "Enter unlock");
	vt_wait_text(v, "Enter unlock", false);
	vt_assert_has(v, "No key is kept.");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "typed text", "half-of-it-canary");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "master key locked");
	vt_assert_has(v, "what was typed there is wiped");
	fixture_leave(v);
}

static void
idle_time_closes_a_dialog_with_a_secret_in_it(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "estate", "--lock-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(f, &s);

	type_line(v, "/db.pass");
	vt_key(v, " ");
	type_line(v, "ikey");
	vt_type(v, "left-alone-canary");
	vt_wait_text(v, "1 mark is kept, no key is.", true);
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "typed value", "left-alone-canary");
	vt_assert_lacks(v, "broker.properties");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "2 files");
	/* That is told; the view, its cursor and the marks are as they were. */
	vt_assert_has(v, "what was typed there is wiped");
	vt_assert_has(v, "1 marked");
	vt_key(v, "k");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* No key is held before the first files are read; a lock that comes then holds for later, too. */
static void
lock_before_files_are_read_holds(void **state)
{
	struct fixture_start s = { .args = { "estate", "--lock-time", "1", "--master-key-file",
	    "key" } };
	struct vt *v = fixture_run(*state, &s);

	/* While it is open nothing that was read is taken; on a busy machine all may be already. */
	vt_send(v, "?");
	see(v, "No key is kept.");
	vt_key(v, KEY_ENTER);
	see(v, "worker.properties");
	vt_key(v, KEY_END);
	vt_assert_has(v, "master key locked");
	vt_key(v, "U");
	vt_assert_has(v, "unlocked, master key id");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(wrong_passphrase_is_refused_and_asked_again),
		FIXTURE_TEST(master_key_can_be_pasted),
		FIXTURE_TEST(key_file_opens_without_a_question),
		FIXTURE_TEST(wrong_key_in_the_environment_asks_for_the_right_one),
		FIXTURE_TEST(lock_wipes_and_the_next_use_asks),
		FIXTURE_TEST(lock_before_files_are_read_holds),
		FIXTURE_TEST(idle_time_locks),
		FIXTURE_TEST(lock_screen_takes_a_passphrase),
		FIXTURE_TEST(lock_screen_takes_a_pasted_key_and_keeps_nothing),
		FIXTURE_TEST(idle_time_wipes_what_is_typed_on_the_lock_screen),
		FIXTURE_TEST(idle_time_closes_a_dialog_with_a_secret_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
