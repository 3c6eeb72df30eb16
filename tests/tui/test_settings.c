/* What propseal.ini changes on the screen: keys, colours, rules, times. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "steps.h"

/* The program with a propseal.ini of its own. */
static struct vt *
with_settings(struct fixture *f, const char *text)
{
	static const struct fixture_start s = { .env = { "PROPSEAL_CONFIG=settings.ini" } };
	char path[256];

	fixture_write(f, "settings.ini", text);
	snprintf(path, sizeof(path), "%s/settings.ini", f->dir);
	assert_int_equal(chmod(path, 0600), 0);
	return fixture_run(f, &s);
}

static void
keys_are_those_of_the_file(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\nkey.quit = Z\nkey.mark-file = m\n"
	    "key.search = none\n");

	vt_settle(v);
	vt_assert_has(v, "Z quit");
	vt_assert_has(v, "m mark file");
	vt_assert_lacks(v, "/ search");
	/* The old keys do nothing. */
	vt_key(v, "a");
	vt_assert_lacks(v, "marked");
	vt_key(v, "q");
	/* One that a newer action has is the user's. */
	vt_key(v, "m");
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	/* The help still runs what has no key. */
	vt_key(v, "?");
	vt_type(v, "search");
	vt_assert_has(v, "search for a part");
	vt_key(v, KEY_ESC);
	vt_send(v, "Z");
	assert_int_equal(WEXITSTATUS(vt_wait_exit(v)), 0);
	vt_free(v);
}

static void
monochrome_uses_no_colour(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\ntheme = monochrome\n");
	VTermScreenCell c;
	int row, col;

	vt_settle(v);
	for (row = 0; row < vt_rows(v); row++) {
		for (col = 0; col < vt_cols(v); col++) {
			c = vt_cell(v, row, col);
			assert_true(VTERM_COLOR_IS_DEFAULT_FG(&c.fg));
		}
	}
	fixture_leave(v);
}

/* Is any cell drawn in the colours ${a} or ${b}?  The bright ones of the first eight count as
 * these. */
static bool
has_colour(struct vt *v, int a, int b)
{
	VTermScreenCell c;
	int row, col;

	for (row = 0; row < vt_rows(v); row++) {
		for (col = 0; col < vt_cols(v); col++) {
			c = vt_cell(v, row, col);
			if (VTERM_COLOR_IS_INDEXED(&c.fg) && !VTERM_COLOR_IS_DEFAULT_FG(&c.fg) &&
			    (c.fg.indexed.idx == a || c.fg.indexed.idx == b ||
			    c.fg.indexed.idx == a + 8 || c.fg.indexed.idx == b + 8))
				return true;
		}
	}
	return false;
}

static void
light_theme_has_no_yellow_and_no_cyan(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\ntheme = default\n");

	vt_settle(v);
	vt_key(v, " ");
	assert_true(has_colour(v, 3, 6));
	vt_key(v, "u");
	fixture_leave(v);
	v = with_settings(*state, "[ui]\ntheme = light\n");
	vt_settle(v);
	vt_key(v, " ");
	assert_false(has_colour(v, 3, 6));
	assert_true(has_colour(v, 160, 94));
	vt_key(v, "u");
	fixture_leave(v);
}

static void
single_looks_overrule_the_theme(void **state)
{
	struct vt *v = with_settings(*state, "[theme]\nclear = bright-magenta underline\n");
	VTermScreenCell c;
	int row, col;

	vt_settle(v);
	assert_true(vt_find(v, "! ssl.truststore", &row, &col) ||
	    vt_find(v, "! ssl.keystore", &row, &col));
	c = vt_cell(v, row, col);
	assert_int_equal(c.fg.indexed.idx, 13);
	assert_true(c.attrs.underline);
	assert_false(c.attrs.bold);
	fixture_leave(v);
}

static void
rules_and_patterns_choose_what_is_marked(void **state)
{
	struct vt *v = with_settings(*state, "[files]\npatterns = broker.*\n"
	    "secrets-file = estate/secrets.properties\n"
	    "[rules]\nsecret-keys = broker.id\npublic-keys = *truststore*\n");

	vt_wait_text(v, "broker.properties", true);
	vt_settle(v);
	vt_assert_lacks(v, "worker.properties");
	vt_assert_lacks(v, "! ssl.truststore.password");
	vt_assert_has(v, "! broker.id");
	vt_key(v, "A");
	vt_assert_has(v, "2 marked");
	/* The secrets file is that of the file, though no pattern takes it. */
	vt_assert_has(v, "secrets.properties");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
broken_file_is_said_before_the_screen(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\nkey.mark = w\n");
	int status = vt_wait_exit(v);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(vt_sent(v, "settings.ini:2: the key w of mark is that of apply too"));
	vt_free(v);
}

/* Who gave the colon to the help, as it was once, keeps it there. */
static void
a_newer_action_leaves_its_key(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\nkey.help = ? :\n");

	vt_key(v, ":");
	vt_assert_has(v, "Help: type to search");
	type_line(v, "palette");
	vt_assert_has(v, "Nothing typed");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Two keys are a name; who gives `g` to an action has none that begin with it. */
static void
two_keys_are_bound_and_given_away(void **state)
{
	struct vt *v = with_settings(*state, "[ui]\nkey.mark-all = ga A\nkey.first = Home\n");
	int status;

	vt_settle(v);
	vt_key(v, "g");
	vt_assert_has(v, "a mark all clear-text secrets");
	vt_assert_lacks(v, "g first line");
	vt_key(v, "a");
	vt_assert_has(v, "4 marked");
	vt_key(v, "u");
	fixture_leave(v);
	v = with_settings(*state, "[ui]\nkey.mark-file = g\n");
	vt_settle(v);
	vt_key(v, "g");
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	vt_type(v, "?first line");
	vt_assert_has(v, "Home        first");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	v = with_settings(*state, "[ui]\nkey.mark-file = g\nkey.quit = q gq\n");
	status = vt_wait_exit(v);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(vt_sent(v, "settings.ini:3: the key gq of quit is that of mark-file too"));
	vt_free(v);
}

/* A file that was asked for is one, whatever its name ends in. */
static void
a_file_of_another_ending_is_no_folder(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "fresh/odd.tpl" } };
	struct vt *v;

	fixture_write(f, "propseal.ini", "[files]\npatterns = *.tpl=properties\n");
	fixture_write(f, "fresh/odd.tpl", "ssl.key.password=odd\n");
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_key(v, "G");
	vt_key(v, KEY_ENTER);
	see(v, "fresh/secrets.properties");
	vt_assert_lacks(v, "odd.tpl/");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_file_of_another_ending_is_no_folder),
		FIXTURE_TEST(keys_are_those_of_the_file),
		FIXTURE_TEST(monochrome_uses_no_colour),
		FIXTURE_TEST(light_theme_has_no_yellow_and_no_cyan),
		FIXTURE_TEST(single_looks_overrule_the_theme),
		FIXTURE_TEST(rules_and_patterns_choose_what_is_marked),
		FIXTURE_TEST(broken_file_is_said_before_the_screen),
		FIXTURE_TEST(a_newer_action_leaves_its_key),
		FIXTURE_TEST(two_keys_are_bound_and_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
