/* The palette lists all that can be done, set and gone to, and does it. */
#include "golden.h"
#include "steps.h"

static void
palette_runs_what_a_key_would(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_assert_has(v, "Do");
	vt_assert_has(v, "Nothing typed");
	/* A key that is all that is typed comes first, though more has this letter. */
	vt_type(v, "a");
	vt_assert_has(v, ">Do         mark-file");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "2 marked");
	/* What was done is offered again, before all else. */
	vt_key(v, ":");
	vt_assert_has(v, ">Again      mark-file");
	vt_assert_has(v, " Do         add");
	type_line(v, "unmark");
	vt_assert_lacks(v, "2 marked");
	vt_key(v, ":");
	vt_assert_has(v, ">Again      unmark-all");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
palette_says_why_not_now(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_type(v, "w");
	vt_assert_has(v, ">Do         apply");
	vt_assert_has(v, "not now: nothing is marked");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "w (apply): nothing is marked");
	fixture_leave(v);
}

static void
palette_goes_to_entries_files_and_environments(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "-");
	vt_key(v, ":");
	vt_type(v, "kste");
	vt_key(v, KEY_ENTER);
	/* The file was folded. */
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	vt_key(v, ":");
	type_line(v, "/work");
	vt_assert_has(v, INTO "connect/worker.properties");
	/* From another view, and what the filter hides. */
	vt_key(v, "f");
	vt_assert_has(v, "clear text");
	vt_key(v, "5");
	vt_key(v, ":");
	type_line(v, "#vault");
	vt_assert_has(v, "[1 files]");
	vt_assert_has(v, "worker.properties:7" INTO "vault.token");
	vt_key(v, "5");
	vt_key(v, ":");
	vt_type(v, "@");
	vt_assert_has(v, ">Where      ");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Secrets file ");
	fixture_leave(v);
}

static void
palette_goes_to_findings(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_type(v, "!");
	vt_assert_has(v, "not looked for yet");
	vt_key(v, KEY_ESC);
	vt_key(v, "2");
	see(v, "files read");
	vt_key(v, "-");
	vt_assert_lacks(v, "ssl.truststore.password");
	vt_key(v, "1");
	vt_key(v, ":");
	/* What was typed and not used is still there; a letter takes its place. */
	vt_assert_has(v, " : !");
	type_line(v, "!truststore");
	vt_assert_has(v, "[2 findings");
	vt_assert_has(v, INTO "ssl.truststore.password");
	fixture_leave(v);
}

static void
palette_sets(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_type(v, "=");
	vt_assert_has(v, "theme default");
	vt_assert_has(v, "300 s");
	type_line(v, "theme mono");
	vt_assert_has(v, "theme monochrome; ");
	vt_key(v, ":");
	type_line(v, "=lock");
	vt_key(v, "\025");
	type_line(v, "0");
	vt_assert_has(v, "lock-seconds is not a whole number from 1 to 86400");
	vt_key(v, ":");
	type_line(v, "=reveal");
	vt_key(v, "\025");
	type_line(v, "77");
	vt_assert_has(v, "reveal-seconds is 77");
	vt_key(v, ":");
	vt_type(v, "=reveal");
	vt_assert_has(v, "77 s");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* The time that was set is the one that counts. */
static void
palette_sets_the_lock(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_settle(v);
	vt_key(v, ":");
	type_line(v, "=lock");
	vt_key(v, "\025");
	type_line(v, "1");
	vt_wait_text(v, "locked", true);
	vt_wait_text(v, "broker.properties", false);
	vt_free(v);
}

static void
palette_completes_keeps_and_takes_pastes(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_type(v, "rot");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, " : rotate-data-key");
	vt_key(v, KEY_ESC);
	vt_key(v, ":");
	vt_assert_has(v, " : rotate-data-key");
	/* It can be changed, too. */
	vt_key(v, "\177");
	vt_type(v, "x");
	vt_assert_has(v, " : rotate-data-kex");
	vt_assert_has(v, "nothing matches");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "nothing matches");
	vt_key(v, "\025");
	vt_key(v, "\033[200~orphan\033[201~");
	vt_assert_has(v, " : orphan");
	/* What is not taken is said where it is seen, and Enter does nothing unseen. */
	vt_key(v, "\033[200~two\nlines\033[201~");
	vt_assert_has(v, "nothing was taken");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, " : orphan");
	vt_assert_lacks(v, "nothing was taken");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
screens(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, ":");
	vt_type(v, "kste");
	golden_assert_sizes(v, "palette");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(palette_runs_what_a_key_would),
		FIXTURE_TEST(palette_says_why_not_now),
		FIXTURE_TEST(palette_goes_to_entries_files_and_environments),
		FIXTURE_TEST(palette_goes_to_findings),
		FIXTURE_TEST(palette_sets),
		FIXTURE_TEST(palette_sets_the_lock),
		FIXTURE_TEST(palette_completes_keeps_and_takes_pastes),
		FIXTURE_TEST(screens),
		FIXTURE_TERMS(screens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
