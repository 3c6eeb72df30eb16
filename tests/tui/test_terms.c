/* Terminals of all kinds, and things that are none. */
#include <sys/wait.h>

#include "golden.h"
#include "steps.h"

static void
assert_refused(struct fixture *f, const char *term, const char *why)
{
	struct fixture_start s = { .term = term };
	struct vt *v = fixture_run(f, &s);
	int status = vt_wait_exit(v);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	vt_assert_has(v, why);
	vt_assert_has(v, "file show");
	assert_false(vt_sent(v, "\033"));
	vt_free(v);
}

static void
terminals_that_cannot_move_the_cursor_are_refused_without_an_escape(void **state)
{
	assert_refused(*state, "dumb", "cannot move the cursor");
	assert_refused(*state, "no-such-terminal", "unknown terminal type");
	assert_refused(*state, "", "unknown terminal type");
}

static void
pipe_instead_of_a_terminal_is_refused(void **state)
{
	struct fixture *f = *state;
	char line[8192];
	FILE *p;

	snprintf(line, sizeof(line), "cd %s && %s ui estate </dev/null 2>&1; echo status $?",
	    f->dir, f->program);
	p = popen(line, "r");
	assert_non_null(p);
	assert_non_null(fgets(line, sizeof(line), p));
	assert_non_null(strstr(line, "needs a terminal"));
	while (fgets(line, sizeof(line), p) != NULL)
		assert_null(strchr(line, '\033'));
	assert_string_equal(line, "status 2\n");
	pclose(p);
}

static void
no_color_uses_none(void **state)
{
	struct fixture_start s = { .env = { "NO_COLOR=1" } };
	struct vt *v = fixture_run(*state, &s);
	VTermScreenCell c;
	int row, col;

	vt_settle(v);
	for (row = 0; row < 24; row++) {
		for (col = 0; col < 80; col++) {
			c = vt_cell(v, row, col);
			assert_true(VTERM_COLOR_IS_DEFAULT_FG(&c.fg));
			assert_true(VTERM_COLOR_IS_DEFAULT_BG(&c.bg));
		}
	}
	for (col = 30; col < 50; col++) {
		char one[16], more[16];

		snprintf(one, sizeof(one), "\033[%dm", col);
		snprintf(more, sizeof(more), ";%dm", col);
		assert_false(vt_sent(v, one));
		assert_false(vt_sent(v, more));
	}
	/* The letters and the reverse selection carry all that colours do. */
	golden_assert(v, "no-colour-80x24");
	assert_true(vt_cell(v, 3, 0).attrs.reverse);
	fixture_leave(v);
}

/* --theme overrules it, and what is drawn is the same in all of them. */
static void
every_theme_draws_the_same_text(void **state)
{
	static const char *const themes[] = { "default", "dark", "light", "high-contrast",
		"deuteranopia", "deuteranopia-light", "tritanopia", "tritanopia-light",
		"monochrome" };
	struct fixture_start s = { .args = { "estate", "--theme" }, .env = { "NO_COLOR=1" } };
	char first[24][512], line[512];
	bool rich, coloured;
	struct vt *v;
	size_t i;
	int row, col;

	for (i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
		s.args[2] = themes[i];
		v = fixture_run(*state, &s);
		vt_settle(v);
		vt_key(v, "a");
		rich = coloured = false;
		for (row = 0; row < 24; row++) {
			vt_row(v, row, i == 0 ? first[row] : line, sizeof(line));
			if (i > 0)
				assert_string_equal(line, first[row]);
			for (col = 0; col < 80; col++) {
				VTermScreenCell c = vt_cell(v, row, col);

				if (VTERM_COLOR_IS_DEFAULT_FG(&c.fg))
					continue;
				coloured = true;
				rich |= VTERM_COLOR_IS_INDEXED(&c.fg) && c.fg.indexed.idx >= 16;
			}
		}
		assert_int_equal(coloured, strcmp(themes[i], "monochrome") != 0 &&
		    strcmp(themes[i], "high-contrast") != 0);
		assert_int_equal(rich, strcmp(themes[i], "default") != 0 && coloured);
		vt_key(v, "u");
		fixture_leave(v);
	}
}

static void
eight_colours_are_enough_for_a_theme(void **state)
{
	struct fixture_start s = { .args = { "estate", "--theme", "dark" }, .term = "xterm" };
	struct vt *v = fixture_run(*state, &s);
	int row, col;

	vt_settle(v);
	for (row = 0; row < 24; row++)
		for (col = 0; col < 80; col++) {
			VTermScreenCell c = vt_cell(v, row, col);

			assert_true(VTERM_COLOR_IS_DEFAULT_FG(&c.fg) || c.fg.indexed.idx < 8);
		}
	/* There the cursor's row is reverse. */
	assert_true(vt_cell(v, 3, 0).attrs.reverse);
	fixture_leave(v);
}

/* What terminals send for these differs by their mode, and not always as TERM has it. */
static void
home_and_end_are_known_in_every_form(void **state)
{
	static const char *const terms[] = { "xterm-256color", "xterm", "screen", "tmux", "linux",
		"vt100" };
	static const char *const forms[][2] = { { "\033[H", "\033[F" }, { "\033OH", "\033OF" },
		{ "\033[1~", "\033[4~" }, { "\033[7~", "\033[8~" } };
	int last, row, col;

	for (size_t t = 0; t < sizeof(terms) / sizeof(terms[0]); t++) {
		struct fixture_start s = { .term = terms[t] };
		struct vt *v = fixture_run(*state, &s);

		vt_settle(v);
		assert_true(vt_find(v, "vault.token", &last, &col));
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			vt_key(v, forms[i][1]);
			vt_cursor(v, &row, &col);
			assert_int_equal(row, last);
			vt_key(v, forms[i][0]);
			vt_cursor(v, &row, &col);
			assert_int_equal(row, 2);
		}
		/* Arrows and pages in both modes; none is typed into a secret. */
		vt_key(v, "\033[B");
		vt_key(v, "\033OB");
		vt_cursor(v, &row, &col);
		assert_int_equal(row, 4);
		vt_key(v, "\033[5~");
		vt_cursor(v, &row, &col);
		assert_int_equal(row, 2);
		vt_key(v, "U");
		vt_type(v, "abc");
		vt_cursor(v, &row, &col);
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			vt_key(v, forms[i][0]);
			vt_key(v, forms[i][1]);
		}
		vt_cursor(v, &row, &last);
		assert_int_equal(last, col);
		vt_key(v, KEY_ESC);
		fixture_leave(v);
	}
}

/* Its time is told when it is over, as no gauge is heard. */
static void
end_of_a_shown_value_is_told_aloud(void **state)
{
	struct fixture_start s = { .args = { "estate", "--screen-reader", "--reveal-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	see(v, "masked: its time is over");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	fixture_leave(v);
}

/* No arrows, lines, bullets: what the keys hold is not the frame's. */
static void
assert_no_frame(struct vt *v)
{
	for (int row = 0; row < 24; row++)
		for (int col = 0; col < 80; col++) {
			VTermScreenCell c = vt_cell(v, row, col);

			assert_false(c.chars[0] >= 0x2000 && c.chars[0] < 0x2c00);
		}
}

/* One list, no frame, and the cursor where one is. */
static void
screen_is_read_aloud_line_by_line(void **state)
{
	struct fixture_start s = { .args = { "estate", "--screen-reader" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);
	int row, col, at;

	vt_settle(v);
	vt_assert_has(v, "> ");
	vt_assert_lacks(v, "master key unlocked");
	vt_key(v, "j");
	assert_true(vt_find(v, "! ssl.keystore.password", &row, &col));
	vt_cursor(v, &at, &col);
	assert_int_equal(at, row);
	/* The other list comes in its place. */
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "master key unlocked");
	vt_assert_lacks(v, "! ssl.keystore.password");
	vt_key(v, KEY_TAB);
	assert_no_frame(v);
	/* So does what may come after a key, and nothing stands beside it. */
	vt_key(v, "g");
	assert_true(vt_find(v, "e last line", &row, &col));
	assert_int_equal(col, 0);
	vt_assert_lacks(v, "[1 files]");
	vt_key(v, KEY_ESC);
	/* A question takes the whole screen, and a value has no clock beside it. */
	vt_type(v, "aw");
	vt_assert_has(v, "[Cancel]");
	vt_assert_lacks(v, "|");
	vt_assert_lacks(v, "+-");
	assert_no_frame(v);
	assert_true(vt_find(v, "[Cancel]", &row, &col));
	assert_int_equal(col, 1);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_assert_lacks(v, " 10 s");
	vt_key(v, "r");
	vt_assert_has(v, "shown for 10 seconds more");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	fixture_leave(v);
}

/* Marks and looking are as always; whatever would write says why it does not. */
static void
run_that_only_looks_writes_nothing(void **state)
{
	struct fixture_start s = { .args = { "estate", "--read-only" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);
	static const char *const keys[] = { "w", "e", "i", "X", "K", "M" };

	vt_settle(v);
	vt_assert_lacks(v, "w apply");
	vt_type(v, "a");
	vt_assert_has(v, "marked");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		vt_type(v, keys[i]);
		vt_assert_has(v, "this run only looks");
		vt_assert_lacks(v, "[Cancel]");
		vt_key(v, KEY_ESC);
	}
	vt_type(v, "2");
	vt_settle(v);
	vt_type(v, "E");
	vt_assert_has(v, "this run only looks");
	vt_type(v, "1u");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

/* The whole change is something to look at, and no way to apply it. */
static void
run_that_only_looks_shows_the_change_alone(void **state)
{
	struct fixture_start s = { .args = { "estate", "--read-only" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	vt_settle(v);
	vt_type(v, "A");
	see(v, "marked");
	vt_type(v, "pP");
	see(v, "+++ ");
	vt_assert_lacks(v, "w apply");
	vt_assert_lacks(v, "m remote path");
	vt_type(v, "w");
	vt_assert_lacks(v, "[Cancel]");
	vt_type(v, "m");
	see(v, "+++ ");
	vt_key(v, KEY_ESC);
	vt_type(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

/* Neither is there an offer that leads to a new file, nor lessons that write theirs. */
static void
run_that_only_looks_offers_nothing_new(void **state)
{
	struct fixture_start s = { .args = { "fresh", "--read-only" } };
	struct vt *v = fixture_run(*state, &s);

	vt_settle(v);
	vt_type(v, "A");
	see(v, "marked");
	vt_type(v, "pP");
	vt_assert_has(v, "this run only looks");
	vt_assert_lacks(v, "Make one");
	vt_type(v, "u");
	vt_key(v, ":");
	type_line(v, ">tutor");
	see(v, "this run only looks");
	vt_assert_lacks(v, "scratch copy");
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

/* What a run that was killed has left beside a file is somebody else's to remove. */
static void
run_that_only_looks_removes_nothing(void **state)
{
	struct fixture_start s = { .args = { "estate", "--read-only" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/.broker.properties.propseal-tmp", "half\n");
	fixture_write(f, "estate/.broker.properties.propseal-lock", "1\n");
	fixture_keep(f);
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_type(v, "A");
	see(v, "marked");
	vt_type(v, "pP");
	see(v, "+++ ");
	vt_key(v, KEY_ESC);
	vt_type(v, "uR");
	vt_settle(v);
	fixture_leave(v);
	fixture_assert_unchanged(f);
	fixture_leave(fixture_open(f));
	assert_null(fixture_read(f, "estate/.broker.properties.propseal-tmp"));
}

/* Off until it is wanted; then a row, a tab and the wheel are what they seem. */
static void
mouse_is_used_when_it_is_turned_on(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);
	int row, col, at, x;
	char click[32];

	vt_settle(v);
	assert_false(vt_sent(v, "\033[?1000h"));
	vt_key(v, "\033[<0;4;6M");
	vt_cursor(v, &at, &x);
	assert_int_equal(at, 3);
	vt_key(v, "?");
	type_line(v, "use the mouse");
	assert_true(vt_sent(v, "\033[?1000h\033[?1006h"));
	assert_true(vt_find(v, "S ssl.key.password", &row, &col));
	snprintf(click, sizeof(click), "\033[<0;%d;%dM", col + 1, row + 1);
	vt_key(v, click);
	vt_cursor(v, &at, &x);
	assert_int_equal(at, row);
	vt_assert_has(v, "Sealed as broker.properties/ssl.key.password");
	/* The end of a press is nothing, and neither is another button. */
	vt_key(v, "\033[<0;4;3m");
	vt_key(v, "\033[<2;4;3M");
	vt_cursor(v, &at, &x);
	assert_int_equal(at, row);
	vt_key(v, "\033[<65;4;6M");
	vt_cursor(v, &at, &x);
	assert_int_equal(at, row + 3);
	vt_key(v, "\033[<64;4;6M");
	vt_cursor(v, &at, &x);
	assert_int_equal(at, row);
	/* The other pane, and another view. */
	assert_true(vt_find(v, "U old.propertie", &row, &col));
	snprintf(click, sizeof(click), "\033[<0;%d;%dM", 60, row + 1);
	vt_key(v, click);
	vt_cursor(v, &at, &x);
	assert_int_equal(at, row);
	assert_true(x > 40);
	assert_true(vt_find(v, "3 pending", &row, &col));
	snprintf(click, sizeof(click), "\033[<0;%d;%dM", col + 2, row + 1);
	vt_key(v, click);
	vt_assert_has(v, "[3 pending]");
	/* On a question it confirms nothing. */
	vt_key(v, "1");
	vt_key(v, KEY_TAB);
	vt_type(v, "aw");
	assert_true(vt_find(v, "Apply", &row, &col));
	snprintf(click, sizeof(click), "\033[<0;%d;%dM", col + 1, row + 1);
	vt_key(v, click);
	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_quit(v);
	assert_true(vt_sent(v, "\033[?1006l\033[?1000l"));
	vt_free(v);
	fixture_assert_unchanged(*state);
}

static void
theme_is_tried_from_the_help(void **state)
{
	struct vt *v = fixture_open(*state);
	int row, col;

	vt_settle(v);
	vt_key(v, "?");
	type_line(v, "tried one by one");
	vt_assert_has(v, "Theme");
	vt_assert_has(v, "default");
	vt_key(v, KEY_DOWN);
	assert_true(vt_find(v, "red and green look alike", &row, &col));
	assert_int_equal(vt_cell(v, row, col).fg.indexed.idx, 247);
	/* Esc has the former one again. */
	vt_key(v, KEY_ESC);
	golden_assert(v, "first-80x24");
	vt_key(v, "?");
	type_line(v, "tried one by one");
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "theme dark");
	fixture_leave(v);
}

static void
empty_no_color_counts_as_unset(void **state)
{
	struct fixture_start s = { .env = { "NO_COLOR=" } };
	struct vt *v = fixture_run(*state, &s);

	golden_assert(v, "first-80x24");
	fixture_leave(v);
}

static void
c_locale_draws_in_ascii(void **state)
{
	/* One that cannot repeat a character: libvterm gets that wrong. */
	struct fixture_start s = { .lang = "C", .term = "tmux-256color" };
	struct vt *v = fixture_run(*state, &s);
	VTermScreenCell c;
	int row, col;

	vt_settle(v);
	for (row = 0; row < 24; row++) {
		for (col = 0; col < 80; col++) {
			c = vt_cell(v, row, col);
			assert_true(c.chars[0] < 0x80);
		}
	}
	golden_assert(v, "ascii-80x24");
	fixture_leave(v);
}

static void
other_terminals_work(void **state)
{
	static const char *const terms[] = { "vt100", "linux", "screen", "tmux", "xterm" };
	size_t i;

	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		struct fixture_start s = { .term = terms[i] };
		struct vt *v = fixture_run(*state, &s);

		vt_settle(v);
		vt_assert_has(v, "broker.properties");
		vt_key(v, "?");
		vt_assert_has(v, "Help");
		vt_key(v, KEY_ESC);
		fixture_quit(v);
		assert_true(vt_cooked(v));
		vt_free(v);
	}
}

static void
unknown_sequences_are_swallowed(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "\033[200~");
	vt_key(v, "\033[99;5u");
	vt_key(v, "\033[<0;5;5M");
	vt_key(v, "\033q");
	golden_assert(v, "first-80x24");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* --- the theme that follows the terminal --- */

#define ASKED "\033]11;?\033\\"

/* Of the tab that is shown: blue on a light ground, cyan on a dark one. */
static int
tab_colour(struct vt *v)
{
	return vt_cell(v, 0, 1).fg.indexed.idx;
}

static void
theme_follows_the_ground_of_the_terminal(void **state)
{
	const struct fixture_start s = { .args = { "--theme", "auto", "estate" } };
	struct vt *v = fixture_run(*state, &s);
	char first[256], row[256];

	vt_settle(v);
	assert_true(vt_sent(v, ASKED));
	assert_int_equal(tab_colour(v), 6);
	vt_row(v, 3, first, sizeof(first));
	vt_send(v, "\033]11;rgb:ffff/ffff/dddd\033\\");
	/* It is read before the next key.  Its bytes were none: the cursor is where it was. */
	vt_key(v, "j");
	vt_key(v, "k");
	assert_int_equal(tab_colour(v), 4);
	vt_row(v, 3, row, sizeof(row));
	assert_string_equal(row, first);
	/* A second answer, and one with another end, are nothing. */
	vt_send(v, "\033]11;rgb:0000/0000/0000\a");
	vt_key(v, "j");
	vt_key(v, "k");
	assert_int_equal(tab_colour(v), 4);
	vt_row(v, 3, row, sizeof(row));
	assert_string_equal(row, first);
	fixture_leave(v);
}

/* By way of a network it may come in parts.  A slow machine may take longer than that for one:
 * then it is tried again. */
static void
answer_in_parts_is_no_key(void **state)
{
	const struct fixture_start s = { .args = { "--theme", "auto", "estate" } };
	bool seen = false;

	for (int i = 0; i < 5 && !seen; i++) {
		struct vt *v = fixture_run(*state, &s);

		vt_settle(v);
		vt_send(v, "\033");
		vt_linger(v, 80);
		vt_send(v, "]11;rgb:ffff");
		vt_linger(v, 80);
		vt_send(v, "/ffff/dddd\033\\");
		vt_linger(v, 400);
		seen = tab_colour(v) == 4 && vt_has(v, "[1 files]") &&
		    !vt_has(v, "does nothing here");
		fixture_hang_up(v);
	}
	assert_true(seen);
}

static void
theme_is_dark_unless_the_terminal_says_more(void **state)
{
	const struct fixture_start dark = { .args = { "--theme", "auto", "estate" } };
	const struct fixture_start light = { .args = { "--theme", "auto", "estate" },
		.env = { "COLORFGBG=0;15" } };
	const struct fixture_start linux = { .args = { "--theme", "auto", "estate" },
		.term = "linux" };
	struct vt *v = fixture_run(*state, &dark);

	/* No answer; and one that comes when the user has begun is not followed. */
	vt_key(v, "j");
	vt_send(v, "\033]11;rgb:f/f/f\033\\");
	vt_key(v, "k");
	assert_int_equal(tab_colour(v), 6);
	vt_assert_lacks(v, "does nothing here");
	fixture_leave(v);
	v = fixture_run(*state, &light);
	vt_settle(v);
	assert_int_equal(tab_colour(v), 4);
	/* What is no colour changes nothing. */
	vt_send(v, "\033]11;rgb:zz/0/0\033\\");
	vt_key(v, "j");
	assert_int_equal(tab_colour(v), 4);
	fixture_leave(v);
	v = fixture_run(*state, &linux);
	vt_settle(v);
	assert_false(vt_sent(v, "\033]11;"));
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(terminals_that_cannot_move_the_cursor_are_refused_without_an_escape),
		FIXTURE_TEST(pipe_instead_of_a_terminal_is_refused),
		FIXTURE_TEST(no_color_uses_none),
		FIXTURE_TEST(every_theme_draws_the_same_text),
		FIXTURE_TEST(eight_colours_are_enough_for_a_theme),
		FIXTURE_TEST(home_and_end_are_known_in_every_form),
		FIXTURE_TEST(end_of_a_shown_value_is_told_aloud),
		FIXTURE_TEST(screen_is_read_aloud_line_by_line),
		FIXTURE_TEST(run_that_only_looks_writes_nothing),
		FIXTURE_TEST(run_that_only_looks_shows_the_change_alone),
		FIXTURE_TEST(run_that_only_looks_offers_nothing_new),
		FIXTURE_TEST(run_that_only_looks_removes_nothing),
		FIXTURE_TEST(mouse_is_used_when_it_is_turned_on),
		FIXTURE_TEST(theme_is_tried_from_the_help),
		FIXTURE_TEST(empty_no_color_counts_as_unset),
		FIXTURE_TEST(c_locale_draws_in_ascii),
		FIXTURE_TEST(other_terminals_work),
		FIXTURE_TEST(unknown_sequences_are_swallowed),
		FIXTURE_TEST(theme_follows_the_ground_of_the_terminal),
		FIXTURE_TEST(answer_in_parts_is_no_key),
		FIXTURE_TEST(theme_is_dark_unless_the_terminal_says_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
