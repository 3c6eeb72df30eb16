/* The help is made from the table of actions, and runs them. */
#include "golden.h"
#include "memory.h"
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

/* What is open, the keys that lead there, and what the help says of it. */
static const struct question {
	const char *name;
	bool fresh;			/* where there is no secrets file yet */
	const char *keys[8];		/* '<' TEXT: typed, with Enter at its end; '=' TEXT: seen */
	const char *title, *says;
	bool types;			/* a field is open */
} questions[] = {
	{ "confirm", false, { "a", "w", "=[Cancel]", NULL }, "Help for Seal", "to the other button",
	    false },
	{ "leave", false, { "A", "q", NULL }, "Help for Quit?", "press the button", false },
	{ "word", false, { "/", "<ssl.key.pass", "X", "w", "=Type remove", NULL }, "Help for ",
	    "clear what is typed", true },
	{ "line", false, { "O", NULL }, "Help for Add a secrets file",
	    "clear the word before the cursor", true },
	{ "value", false, { "/", "<ssl.key.pass", "e", "=Value:", NULL }, "Help for ",
	    "from the field to the buttons", true },
	{ "message", false, { "O", "<fresh/client.properties", "=cannot be", NULL },
	    "Help for The secrets file", "close", false },
	{ "diff", false, { "a", "p", "P", "=Seal 2 values", NULL }, "Help for ", "next page", false },
	{ "choice", false, { ":", "<theme", NULL }, "Help for Theme", "take the line", false },
	{ "search", false, { "/", "pass", NULL }, "Help for searching", "stay at what is found",
	    true },
	{ "words", false, { "F", "pass", NULL }, "Help for filter words", "show only what fits",
	    true },
	{ "palette", false, { ":", "pass", NULL }, "Help for the palette", "complete what is typed",
	    true },
	{ "what", true, { "G", NULL }, "Help for New secrets file", "next step", false },
	{ "where", true, { "G", KEY_ENTER, NULL }, "Help for New secrets file", "next field", true },
	{ "passphrase", true, { "G", KEY_ENTER, KEY_ENTER, NULL }, "Help for New secrets file",
	    "show what is typed", true },
	{ "key", true, { "G", KEY_ENTER, KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "<" FIXTURE_NEW_PASSPHRASE, "=Save this", NULL }, "Help for New secrets file",
	    "write the key to a file of its own", false },
};

static struct vt *
question_open(struct fixture *f, const struct question *q)
{
	struct fixture_start start = {
		.env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v;

	if (q->fresh)
		start = (struct fixture_start){ .args = { "fresh" } };
	v = fixture_run(f, &start);
	vt_settle(v);
	for (size_t i = 0; q->keys[i] != NULL; i++)
		follow(v, q->keys[i]);
	return v;
}

/* All rows of the screen. */
static void
screen_of(struct vt *v, char *out, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < vt_rows(v); i++) {
		vt_row(v, i, out + used, size - used);
		used += strlen(out + used);
	}
}

static void
help_opens_over_every_question_and_leaves_it_as_it_was(void **state)
{
	char before[32768], after[32768];

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *q = &questions[i];
		bool timed = strcmp(q->name, "key") == 0;
		struct vt *v = question_open(*state, q);

		screen_of(v, before, sizeof(before));
		vt_key(v, KEY_F1);
		vt_assert_has(v, q->title);
		vt_assert_has(v, q->says);
		vt_assert_has(v, "dangling");
		vt_assert_lacks(v, "page-down");
		vt_key(v, KEY_ESC);
		screen_of(v, after, sizeof(after));
		/* A key that was shown is masked. */
		if (!timed)
			assert_string_equal(before, after);
		else
			vt_assert_has(v, "(masked: r shows it)");
		fixture_hang_up(v);
	}
	fixture_assert_unchanged(*state);
}

/* `?` and `:` are text where a field is open; elsewhere they are the help and the palette. */
static void
help_and_palette_open_where_no_field_is(void **state)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *q = &questions[i];
		struct vt *v = question_open(*state, q);

		vt_key(v, "?");
		if (q->types)
			vt_assert_lacks(v, "Help for");
		else
			vt_assert_has(v, q->title);
		if (!q->types) {
			vt_key(v, KEY_ESC);
			vt_key(v, ":");
			vt_assert_has(v, "Tab completes");
			/* What would change what is asked about cannot be done. */
			vt_type(v, ">mark-file");
			vt_assert_has(v, "not now: a question is open");
		}
		fixture_hang_up(v);
	}
	fixture_assert_unchanged(*state);
}

static void
help_of_a_question_does_its_keys(void **state)
{
	struct vt *v = question_open(*state, &questions[0]);

	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_F1);
	type_line(v, "other button");
	vt_assert_lacks(v, "[Cancel]");
	vt_assert_has(v, "[Apply]");
	/* Its signs do nothing, and it may be searched for nothing. */
	vt_key(v, KEY_F1);
	type_line(v, "dangling");
	vt_assert_has(v, "[Apply]");
	/* What goes beside it is done, and the question stays. */
	vt_key(v, ":");
	type_line(v, "theme light");
	vt_assert_has(v, "[Apply]");
	vt_key(v, KEY_F1);
	type_line(v, "mark-all");
	vt_assert_has(v, "[Apply]");
	vt_key(v, ":");
	type_line(v, ">notices");
	vt_assert_has(v, "theme light");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[Apply]");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "sealed 2 values");
	fixture_leave(v);
}

/* Also while a secret is typed, past curses, by what each kind of terminal sends. */
static void
help_is_a_key_of_every_terminal(void **state)
{
	static const struct {
		const char *term, *key;
	} keys[] = { { "xterm-256color", "\033OP" }, { "xterm", "\033[11~" },
		{ "linux", "\033[[A" }, { "vt100", "\033OP" }, { "screen", "\033OP" } };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct fixture_start s = { .term = keys[i].term };
		struct vt *v = fixture_run(*state, &s);

		vt_key(v, "U");
		vt_assert_has(v, "Unlock");
		vt_key(v, keys[i].key);
		vt_assert_has(v, "Help for Unlock");
		vt_key(v, KEY_ESC);
		vt_assert_lacks(v, "\342\200\242");
		/* Other function keys are no letters either. */
		vt_key(v, "\033[[B");
		vt_assert_lacks(v, "\342\200\242");
		vt_key(v, KEY_ESC);
		fixture_leave(v);
	}
}

/* Who types on while a button has the focus opens nothing that would show the rest. */
static void
secret_goes_nowhere_while_a_button_has_the_focus(void **state)
{
	static const char *const typed[] = { "a:kite-canary", "a?kite-canary" };
	struct vt *v = fixture_open(*state);

	for (size_t i = 0; i < 2; i++) {
		vt_key(v, "U");
		vt_assert_has(v, "Unlock");
		vt_key(v, KEY_TAB);
		vt_type(v, typed[i]);
		vt_assert_has(v, "Unlock");
		vt_key(v, KEY_F1);
		vt_assert_has(v, "Help for Unlock");
		vt_key(v, KEY_ESC);
		vt_key(v, KEY_ESC);
		vt_key(v, ":");
		vt_assert_has(v, "Tab completes");
		assert_false(vt_sent(v, "kite"));
		vt_key(v, KEY_ESC);
	}
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "what was typed", "kite-canary");
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
		FIXTURE_TEST(help_opens_over_every_question_and_leaves_it_as_it_was),
		FIXTURE_TEST(help_and_palette_open_where_no_field_is),
		FIXTURE_TEST(help_of_a_question_does_its_keys),
		FIXTURE_TEST(secret_goes_nowhere_while_a_button_has_the_focus),
		FIXTURE_TEST(help_is_a_key_of_every_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
