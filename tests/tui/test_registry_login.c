/* The view of the Secret Registry: logins, locks, and a registry that is not there. */
#include "golden.h"
#include "memory.h"
#include "session.h"

/* The password as it goes over the line. */
#define PASSWORD_BASE64 "YWxpY2U6d29uZGVyZnVsLVB3MS1jYW5hcnk="

/* The view of a registry whose password is to be typed. */
static struct vt *
open_without_password(void **state)
{
	struct session *t = session_serve(state);

	t->v = server_open_without_password(&t->s);
	vt_settle(t->v);
	vt_key(t->v, "s");
	see(t->v, "Password:");
	return t->v;
}

static void
screens(void **state)
{
	struct vt *v = open_without_password(state);

	golden_assert_sizes(v, "registry-login");
	type_line(v, "wrong-canary");
	see(v, "The registry refuses the login.");
	see(v, "U logs in");
	golden_assert_sizes(v, "registry-refused");
	session_quit(state);
}

static void
wrong_password_is_refused_and_asked_for_again(void **state)
{
	struct vt *v = open_without_password(state);

	type_line(v, "wrong-canary");
	see(v, "The registry refuses the login.");
	see(v, "U logs in");
	vt_key(v, "X");
	see(v, "log in first");
	vt_key(v, "U");
	vt_type(v, SERVER_PASSWORD);
	vt_assert_lacks(v, "wonderful");
	vt_key(v, KEY_ENTER);
	see(v, "S password                      v2     3");
	assert_false(vt_sent(v, "canary"));
	session_quit(state);
}

static void
lock_wipes_the_password_and_the_next_use_asks_for_it(void **state)
{
	struct vt *v = open_without_password(state);

	type_line(v, SERVER_PASSWORD);
	see(v, "3 paths, 5 keys");
	go_to_password(v);
	/* The scan can find what is kept, so it would find a leak too. */
	if (memory_can_read(vt_pid(v)))
		assert_true(memory_count(vt_pid(v), PASSWORD_BASE64, 16) >= 1);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_key(v, "L");
	see(v, "Locked.");
	vt_wait_text(v, SERVER_NEW_VALUE, false);
	session_assert_wiped(state, "value", SERVER_NEW_VALUE);
	session_assert_wiped(state, "password", SERVER_PASSWORD);
	session_assert_wiped(state, "authorization", PASSWORD_BASE64);
	vt_key(v, KEY_ENTER);
	see(v, "not logged in");
	vt_key(v, "r");
	see(v, "Password:");
	type_line(v, SERVER_PASSWORD);
	see(v, SERVER_NEW_VALUE);
	vt_key(v, KEY_ESC);
	session_quit(state);
}

static void
password_of_a_file_does_not_stay_either(void **state)
{
	struct vt *v = session_open(state);

	vt_key(v, "L");
	see(v, "Locked.");
	session_assert_wiped(state, "password", SERVER_PASSWORD);
	session_assert_wiped(state, "authorization", PASSWORD_BASE64);
	vt_key(v, KEY_ENTER);
	/* The file still has it. */
	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_key(v, KEY_ESC);
	session_quit(state);
}

static void
registry_that_is_gone_is_told_and_can_be_asked_again(void **state)
{
	struct vt *v = session_open(state);
	struct session *t = *state;

	go_to_password(v);
	server_kill(&t->s);
	vt_key(v, "R");
	see(v, "not reached");
	see(v, "R asks again");
	/* The files are still there. */
	vt_key(v, "s");
	see(v, "2 files");
	vt_key(v, "s");
	server_restart(&t->s);
	vt_key(v, "R");
	/* The cursor is where it was. */
	see(v, "Referred to as ${secret:conn-a:password}");
	see(v, "2 versions");
	session_quit(state);
}

static void
nothing_unseen_is_acted_on_while_the_registry_is_gone(void **state)
{
	struct vt *v = session_open(state);
	struct session *t = *state;

	go_to_password(v);
	server_kill(&t->s);
	vt_key(v, "r");
	see(v, "The value cannot be shown");
	vt_key(v, KEY_ENTER);
	see(v, "R asks again");
	vt_assert_lacks(v, "password");
	vt_assert_lacks(v, "X delete");
	/* Not even the cursor moves in what is not shown. */
	vt_key(v, KEY_DOWN);
	server_restart(&t->s);
	vt_key(v, "X");
	see(v, "the registry was not reached");
	vt_key(v, "R");
	see(v, "Referred to as ${secret:conn-a:password}");
	session_quit(state);
}

static void
registry_that_does_not_answer_stops_nothing(void **state)
{
	static const struct reply replies[] = { { "GET", 200, NULL } };
	struct vt *v = session_fake(state, replies, 1);

	see(v, "asking the registry");
	see(v, "  asking");
	vt_resize(v, 30, 100);
	see(v, "asking the registry");
	vt_key(v, "t");
	see(v, "Esc ends the waiting");
	vt_key(v, KEY_ESC);
	see(v, "not waited for");
	vt_key(v, "s");
	see(v, "2 files");
	vt_key(v, "s");
	vt_key(v, "t");
	vt_key(v, KEY_ESC);
	session_quit(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(screens),
		SESSION_TERMS(screens),
		SESSION_TEST(wrong_password_is_refused_and_asked_for_again),
		SESSION_TEST(lock_wipes_the_password_and_the_next_use_asks_for_it),
		SESSION_TEST(password_of_a_file_does_not_stay_either),
		SESSION_TEST(registry_that_is_gone_is_told_and_can_be_asked_again),
		SESSION_TEST(nothing_unseen_is_acted_on_while_the_registry_is_gone),
		SESSION_TEST(registry_that_does_not_answer_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
