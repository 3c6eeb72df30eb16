/* The help is made from the table of actions, and runs them. */
#include "golden.h"
#include "steps.h"

static void
help_lists_searches_and_runs(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "?");
	golden_assert(v, "help-80x24");
	vt_type(v, "rotate");
	vt_assert_has(v, "rotate-data-key");
	vt_assert_has(v, "rotate-master-key");
	vt_assert_lacks(v, "page-down");
	golden_assert(v, "help-search-80x24");
	vt_key(v, "\025");
	type_line(v, "mark-file");
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
help_explains_every_sign(void **state)
{
	static const char *const words[] = { "dangling", "damaged", "orphan", "not checked",
		"unknown", "clear text", "other provider" };
	struct vt *v = fixture_open(*state);
	size_t i;

	vt_key(v, "?");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		vt_type(v, words[i]);
		vt_assert_lacks(v, "nothing matches");
		vt_key(v, "\025");
	}
	vt_type(v, "legend");
	vt_assert_has(v, "X?          not checked");
	vt_assert_has(v, "D           dangling");
	golden_assert(v, "help-legend-80x24");
	/* It runs nothing. */
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "broker.properties");
	fixture_leave(v);
}

static void
help_says_why_an_action_does_not_work_now(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "?");
	vt_type(v, "unmark");
	vt_assert_has(v, "(not now)");
	vt_assert_has(v, "not now: nothing is marked");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "u (unmark-all): nothing is marked");
	fixture_leave(v);
}

static void
help_closes_on_escape_and_does_nothing_without_a_match(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "?");
	vt_type(v, "zzzz");
	vt_assert_has(v, "nothing matches");
	vt_key(v, KEY_ENTER);
	vt_key(v, "?");
	vt_key(v, KEY_ESC);
	golden_assert(v, "first-80x24");
	fixture_leave(v);
}

static void
footer_has_only_keys_that_work(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	vt_assert_lacks(v, "p pending");
	vt_assert_lacks(v, "r reveal");
	vt_key(v, "a");
	vt_assert_has(v, "p pending");
	vt_key(v, "j");
	vt_assert_has(v, "r reveal");
	vt_key(v, "u");
	vt_assert_lacks(v, "p pending");
	fixture_leave(v);
}

static void
keys_of_terminals_and_multiplexers_do_nothing(void **state)
{
	struct vt *v = fixture_open(*state);

	/* ^A ^B ^D and other free ones; ^S and ^Q never arrive. */
	vt_key(v, "\001");
	vt_key(v, "\002");
	vt_key(v, "\004");
	vt_key(v, "\013");
	vt_key(v, "\016");
	golden_assert(v, "first-80x24");
	fixture_leave(v);
}

static void
search_finds_in_folded_files_and_goes_on(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "-");
	vt_assert_lacks(v, "vault.token");
	vt_type(v, "/VAULT");
	vt_assert_has(v, "worker.properties:7" INTO "vault.token");
	vt_key(v, KEY_ENTER);
	type_line(v, "/password");
	vt_key(v, KEY_HOME);
	vt_type(v, "nn");
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_key(v, "N");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	vt_type(v, "/zzz");
	vt_assert_has(v, "no match");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(help_lists_searches_and_runs),
		FIXTURE_TEST(help_explains_every_sign),
		FIXTURE_TEST(help_says_why_an_action_does_not_work_now),
		FIXTURE_TEST(help_closes_on_escape_and_does_nothing_without_a_match),
		FIXTURE_TEST(footer_has_only_keys_that_work),
		FIXTURE_TEST(keys_of_terminals_and_multiplexers_do_nothing),
		FIXTURE_TEST(search_finds_in_folded_files_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
