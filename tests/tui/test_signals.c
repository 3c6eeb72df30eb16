/* The terminal is as it was, whichever way the program ends. */
#include <signal.h>
#include <sys/wait.h>

#include "memory.h"
#include "steps.h"

static void
assert_restored(struct vt *v)
{
	assert_false(vt_altscreen(v));
	assert_true(vt_cursor_visible(v));
	assert_true(vt_cooked(v));
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
}

/* With a secret on the screen, which must be gone as well. */
static void
ends_by(struct fixture *f, int sig, bool crash)
{
	struct vt *v = fixture_open_unlocked(f);
	int status;

	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	assert_false(vt_cooked(v));
	kill(vt_pid(v), sig);
	status = vt_wait_exit(v);
	if (crash) {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), sig);
	} else {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 128 + sig);
	}
	assert_restored(v);
	assert_true(vt_sent(v, "\033[?1004l"));
	assert_true(vt_sent(v, "\033[?2004l"));
	vt_free(v);
}

static void
sigterm_restores_and_exits_143(void **state)
{
	ends_by(*state, SIGTERM, false);
}

static void
sighup_restores_and_exits_129(void **state)
{
	ends_by(*state, SIGHUP, false);
}

static void
sigquit_restores_and_exits_131(void **state)
{
	ends_by(*state, SIGQUIT, false);
}

static void
sigusr1_restores(void **state)
{
	ends_by(*state, SIGUSR1, false);
}

static void
sigsegv_restores_and_dies_of_it(void **state)
{
	ends_by(*state, SIGSEGV, true);
}

static void
sigabrt_restores_and_dies_of_it(void **state)
{
	ends_by(*state, SIGABRT, true);
}

static void
control_c_restores_and_exits_130(void **state)
{
	struct vt *v = fixture_open(*state);
	int status;

	vt_key(v, "j");
	vt_send(v, "\003");
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 130);
	assert_restored(v);
	vt_free(v);
}

static void
signal_in_a_dialog_changes_nothing_and_restores(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	int status;

	vt_type(v, "aw");
	vt_key(v, KEY_TAB);
	kill(vt_pid(v), SIGTERM);
	status = vt_wait_exit(v);
	assert_int_equal(WEXITSTATUS(status), 143);
	assert_restored(v);
	vt_free(v);
	fixture_assert_unchanged(f);
}

static void
control_z_stops_masks_and_comes_back(void **state)
{
	struct fixture_start s = { .job = true,
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_send(v, "\032");
	vt_wait_stopped(v);
	assert_restored(v);
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "value while stopped", FIXTURE_BROKER_SECRET);
	vt_continue(v);
	vt_wait_text(v, "Sealed as", true);
	vt_key(v, "j");
	assert_true(vt_altscreen(v));
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_assert_has(v, "broker.properties:7");
	fixture_leave(v);
}

static void
closed_terminal_ends_the_program(void **state)
{
	struct vt *v = fixture_open(*state);
	int status;

	vt_key(v, "j");
	vt_hang_up(v);
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 129);
	vt_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(sigterm_restores_and_exits_143),
		FIXTURE_TEST(sighup_restores_and_exits_129),
		FIXTURE_TEST(sigquit_restores_and_exits_131),
		FIXTURE_TEST(sigusr1_restores),
		FIXTURE_TEST(sigsegv_restores_and_dies_of_it),
		FIXTURE_TEST(sigabrt_restores_and_dies_of_it),
		FIXTURE_TEST(control_c_restores_and_exits_130),
		FIXTURE_TEST(signal_in_a_dialog_changes_nothing_and_restores),
		FIXTURE_TEST(control_z_stops_masks_and_comes_back),
		FIXTURE_TEST(closed_terminal_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
