/* A secret on the screen: only while it must be, and nowhere else. */
#include <sys/stat.h>
#include <unistd.h>

#include "golden.h"
#include "memory.h"
#include "steps.h"

static void
go_to_broker_secret(struct vt *v)
{
	type_line(v, "/ssl.key.pass");
}

static void
value_is_shown_and_any_key_masks_it(void **state)
{
	/* So long that its time does not change while one looks. */
	struct fixture_start s = { .args = { "estate", "--reveal-time", "3600" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	golden_assert(v, "reveal-80x24");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_key(v, KEY_DOWN);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_forget_raw(v);
	vt_key(v, KEY_UP);
	vt_key(v, "\f");
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), FIXTURE_BROKER_SECRET));
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_free(v);
}

/* On a terminal with a second screen; every size of its own, as another one masks it. */
static void
value_is_shown_at_every_size(void **state)
{
	static const struct {
		int rows, cols;
		const char *name;
	} sizes[] = { { 24, 80, "reveal-80x24" }, { 40, 120, "reveal-120x40" },
		{ 5, 20, "reveal-20x5" } };

	for (size_t i = 0; i < 3; i++) {
		struct fixture_start s = { .rows = sizes[i].rows, .cols = sizes[i].cols,
		    .args = { "estate", "--reveal-time", "3600" },
		    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
		struct vt *v = fixture_run(*state, &s);

		go_to_broker_secret(v);
		vt_key(v, "r");
		vt_assert_has(v, FIXTURE_BROKER_SECRET);
		golden_assert(v, sizes[i].name);
		fixture_quit(v);
		vt_free(v);
	}
}

static void
value_masks_itself_by_time(void **state)
{
	struct fixture_start s = { .args = { "estate", "--reveal-time", "5" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	/* The seconds that are left run down beside it. */
	vt_assert_has(v, " s");
	vt_wait_text(v, " 5 s", false);
	if (vt_has(v, FIXTURE_BROKER_SECRET))
		assert_true(vt_has(v, " 4 s") || vt_has(v, " 3 s") || vt_has(v, " 2 s") ||
		    vt_has(v, " 1 s"));
	vt_wait_text(v, FIXTURE_BROKER_SECRET, false);
	vt_assert_has(v, "Sealed as");
	fixture_leave(v);
}

/* How many are left, as the screen has it. */
static int
seconds_left(struct vt *v)
{
	char row[512], *end;

	for (int y = 0; y < vt_rows(v); y++) {
		vt_row(v, y, row, sizeof(row));
		end = row + strlen(row);
		if (strstr(row, "r longer") == NULL || end - row < 3 || strcmp(end - 2, " s") != 0)
			continue;
		for (end -= 3; end > row && end[-1] != ' '; end--)
			;
		return atoi(end);
	}
	vt_fail(v, "no time is", "left");
	return 0;
}

static void
key_that_reveals_adds_ten_seconds(void **state)
{
	struct fixture_start s = { .args = { "estate", "--reveal-time", "60" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);
	int before, after, row, col, y, x;

	go_to_broker_secret(v);
	vt_cursor(v, &row, &col);
	vt_key(v, "r");
	before = seconds_left(v);
	assert_in_range(before, 1, 60);
	vt_type(v, "rrrr");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	after = seconds_left(v);
	assert_in_range(after, 41, 100);
	assert_true(after > before);
	/* Neither the value nor its time takes the cursor along. */
	vt_wait_text(v, FIXTURE_BROKER_SECRET, true);
	vt_linger(v, 2500);
	assert_true(seconds_left(v) < after);
	vt_cursor(v, &y, &x);
	assert_int_equal(y, row);
	assert_int_equal(x, col);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	/* In a whole file it is the same. */
	vt_type(v, "Prrrrrr");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
losing_the_focus_and_resizing_mask_it(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	go_to_broker_secret(v);
	vt_key(v, "r");
	assert_true(vt_sent(v, "\033[?1004h"));
	vt_key(v, KEY_FOCUS_OUT);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	assert_true(vt_sent(v, "\033[?1004l"));
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_forget_raw(v);
	vt_resize(v, 30, 90);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	fixture_leave(v);
}

static void
no_copy_stays_in_memory(void **state)
{
	struct vt *v = fixture_open(*state);
	unsigned char raw[4] = { 0x7c, 0x1f, 0xcb, 0xcb };

	vt_settle(v);
	if (!memory_can_read(vt_pid(v))) {
		vt_free(v);
		skip();
	}
	go_to_broker_secret(v);
	vt_key(v, "r");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	/* The scan can find it while it is shown, so it would find a leak too. */
	assert_true(memory_count(vt_pid(v), FIXTURE_BROKER_SECRET,
	    strlen(FIXTURE_BROKER_SECRET)) >= 1);
	vt_key(v, KEY_ESC);
	memory_assert_clean(vt_pid(v), "masked value", FIXTURE_BROKER_SECRET);
	memory_assert_clean(vt_pid(v), "typed passphrase", FIXTURE_PASSPHRASE);
	assert_true(memory_count(vt_pid(v), raw, sizeof(raw)) >= 1);
	vt_key(v, "L");
	vt_assert_has(v, "Locked.");
	assert_int_equal(memory_count(vt_pid(v), raw, sizeof(raw)), 0);
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
}

static void
no_copy_of_a_clear_text_value_stays_in_memory(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	if (!memory_can_read(vt_pid(v))) {
		vt_free(v);
		skip();
	}
	memory_assert_clean(vt_pid(v), "scan", FIXTURE_KEYSTORE_SECRET);
	type_line(v, "/keystore.pass");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_KEYSTORE_SECRET);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_KEYSTORE_SECRET);
	memory_assert_clean(vt_pid(v), "masked value", FIXTURE_KEYSTORE_SECRET);
	fixture_leave(v);
}

static void
key_from_the_environment_is_wiped(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_settle(v);
	if (!memory_can_read(vt_pid(v))) {
		vt_free(v);
		skip();
	}
	vt_assert_has(v, "unlocked, id 46d171a8");
	memory_assert_clean(vt_pid(v), "master key", FIXTURE_MASTER_KEY);
	fixture_leave(v);
}

static void
terminal_without_a_second_screen_shows_no_secret(void **state)
{
	struct fixture_start s = { .term = "vt100",
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	vt_key(v, "r");
	vt_assert_has(v, "Not shown");
	vt_key(v, KEY_ENTER);
	vt_key(v, "y");
	vt_assert_has(v, "this terminal has no clipboard");
	fixture_quit(v);
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	assert_false(vt_sent(v, "\033]52;"));
	vt_free(v);
}

static void
terminal_without_a_second_screen_shows_nothing_that_is_typed(void **state)
{
	struct fixture_start s = { .term = "vt100",
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	vt_key(v, "e");
	vt_type(v, "typed-canary-Kd20");
	vt_key(v, "\022");
	vt_key(v, KEY_ESC);
	fixture_quit(v);
	assert_false(vt_sent(v, "typed-canary"));
	vt_free(v);
}

/* Before a passphrase is asked for it is told, and what is written is for its owner only. */
static void
terminal_without_a_second_screen_writes_a_file(void **state)
{
	struct fixture_start s = { .term = "linux" };
	struct fixture *f = *state;
	struct vt *v = fixture_run(f, &s);
	char path[512];
	struct stat st;
	char *text;

	go_to_broker_secret(v);
	vt_key(v, "r");
	vt_assert_has(v, "o writes it to a file");
	vt_key(v, "o");
	vt_assert_has(v, "Unlock");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, "propseal-value");
	vt_key(v, "\025");
	type_line(v, "estate/broker.properties");
	vt_assert_has(v, "Not written");
	vt_key(v, KEY_ENTER);
	vt_key(v, "\025");
	type_line(v, "written");
	vt_assert_has(v, "written to written, mode 0600");
	fixture_quit(v);
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	vt_free(v);
	snprintf(path, sizeof(path), "%s/written", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	text = fixture_read(f, "written");
	assert_string_equal(text, FIXTURE_BROKER_SECRET);
	free(text);
	assert_int_equal(unlink(path), 0);
	fixture_assert_unchanged(f);
}

/* What a terminal sends and gets is in base64. */
#define COPIED "\033]52;c;YnJva2VyLWNhbmFyeS03ZlEy\a"
#define ASKED "\033]52;c;?\a"
#define CLEARED "\033]52;c;IA==\a\033]52;c;\a"

static struct vt *
copy(struct fixture *f, const char *seconds)
{
	struct fixture_start s = { .args = { "estate", "--copy-time", seconds },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(f, &s);

	go_to_broker_secret(v);
	vt_key(v, "y");
	assert_true(vt_sent(v, COPIED));
	vt_assert_has(v, "copied, by way of the terminal");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	return v;
}

static void
copied_value_is_cleared_by_the_time(void **state)
{
	struct fixture *f = *state;
	struct vt *v = copy(f, "1");

	/* The key takes the notice away, so that there is room for another. */
	vt_key(v, "k");
	see(v, "the clipboard is cleared");
	assert_true(vt_sent(v, ASKED));
	assert_true(vt_sent(v, CLEARED));
	/* A terminal that did not answer is not asked again. */
	vt_forget_raw(v);
	vt_key(v, "j");
	vt_key(v, "y");
	vt_key(v, "k");
	see(v, "the clipboard is cleared");
	assert_true(vt_sent(v, CLEARED));
	assert_false(vt_sent(v, ASKED));
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* Something else is there by then, and the terminal says so. */
static void
clipboard_of_others_is_left_alone(void **state)
{
	struct vt *v = copy(*state, "600");

	/* Nobody asked: it is no key either. */
	vt_send(v, "\033]52;c;cXF3\a");
	vt_send(v, "\033]52;c;cXF3\033\\");
	vt_send(v, "\033]11;rgb:0000/0000/0000\a");
	vt_key(v, "k");
	vt_assert_lacks(v, "pending 1");
	assert_false(vt_sent(v, CLEARED));
	/* Leaving clears it. */
	fixture_quit(v);
	assert_true(vt_sent(v, CLEARED));
	vt_free(v);
}

/* What another program has put there since stays.  The terminal has a tenth of a second to tell,
 * which a slow machine may take, too: then it is tried again. */
static void
clipboard_with_another_text_is_not_cleared(void **state)
{
	bool stays = false;

	for (int i = 0; !stays && i < 10; i++) {
		struct vt *v = copy(*state, "1");

		for (int k = 0; k < 3000 && !vt_sent(v, "\033]52;c;?\a"); k++)
			vt_linger(v, 10);
		assert_true(vt_sent(v, "\033]52;c;?\a"));
		vt_send(v, "\033]52;c;b3RoZXI=\a");
		vt_linger(v, 300);
		stays = !vt_sent(v, CLEARED);
		fixture_quit(v);
		stays = stays && !vt_sent(v, CLEARED);
		vt_free(v);
	}
	assert_true(stays);
}

static void
shown_value_stays_while_it_is_copied(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	go_to_broker_secret(v);
	vt_type(v, "ry");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	assert_true(vt_sent(v, COPIED));
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	assert_false(vt_sent(v, CLEARED));
	vt_key(v, "L");
	vt_assert_has(v, "Locked.");
	assert_true(vt_sent(v, CLEARED));
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "copied value", "YnJva2VyLWNhbmFyeS03ZlEy");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
}

static void
control_characters_in_a_value_are_made_visible(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/broker.properties",
	    "a.password=x\\u001b]0;owned\\u0007y\\nz\n");
	v = fixture_open(f);
	vt_type(v, "jr");
	vt_assert_has(v, "x\\x1b]0;owned\\x07y\\nz");
	assert_false(vt_sent(v, "\033]0;owned"));
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
long_value_is_wrapped_and_said_to_be_cut(void **state)
{
	struct fixture *f = *state;
	char text[1000];
	struct vt *v;
	int row, col;

	memset(text, 'v', sizeof(text));
	memcpy(text, "a.password=", 11);
	memcpy(text + 900, "END\n", 5);
	fixture_write(f, "estate/broker.properties", text);
	v = fixture_open(f);
	vt_type(v, "jr");
	vt_assert_has(v, "only the beginning fits");
	vt_assert_lacks(v, "END");
	vt_key(v, KEY_ESC);
	assert_false(vt_find(v, "vvvvvvvvvv", &row, &col));
	vt_resize(v, 50, 200);
	vt_key(v, "r");
	vt_assert_has(v, "END");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "END");
	fixture_leave(v);
}

static void
smallest_screen_shows_a_value_too(void **state)
{
	struct fixture_start s = { .rows = 5, .cols = 20,
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	vt_key(v, "r");
	vt_assert_has(v, "broker-canary-7fQ2");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "canary");
	fixture_leave(v);
}

static void
damaged_entry_says_so_and_shows_nothing(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_settle(v);
	/* On both sides, and not before it was looked at. */
	vt_assert_has(v, "1 damaged");
	vt_assert_has(v, "X ssl.keystore.password");
	vt_key(v, KEY_TAB);
	vt_type(v, "jj");
	vt_assert_has(v, ">X w");
	vt_assert_lacks(v, "r reveal");
	vt_key(v, "r");
	vt_assert_has(v, "it is damaged: restore it, or seal a new value");
	fixture_leave(v);
	v = fixture_open(*state);
	vt_settle(v);
	vt_assert_lacks(v, "1 damaged");
	vt_assert_lacks(v, "X ssl.keystore.password");
	vt_assert_has(v, "3 not checked");
	type_line(v, "/keystore.password");
	vt_key(v, "n");
	vt_assert_has(v, "checked: locked");
	vt_key(v, "r");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, "The value cannot be shown");
	vt_assert_has(v, "secrets.properties:10");
	vt_assert_has(v, "seal a new value with e");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "1 damaged");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(value_is_shown_and_any_key_masks_it),
		FIXTURE_TEST(value_is_shown_at_every_size),
		FIXTURE_TERM(value_is_shown_at_every_size, "xterm"),
		FIXTURE_TERM(value_is_shown_at_every_size, "screen"),
		FIXTURE_TERM(value_is_shown_at_every_size, "tmux"),
		FIXTURE_TEST(value_masks_itself_by_time),
		FIXTURE_TEST(key_that_reveals_adds_ten_seconds),
		FIXTURE_TEST(losing_the_focus_and_resizing_mask_it),
		FIXTURE_TEST(no_copy_stays_in_memory),
		FIXTURE_TEST(no_copy_of_a_clear_text_value_stays_in_memory),
		FIXTURE_TEST(key_from_the_environment_is_wiped),
		FIXTURE_TEST(terminal_without_a_second_screen_shows_no_secret),
		FIXTURE_TEST(terminal_without_a_second_screen_shows_nothing_that_is_typed),
		FIXTURE_TEST(terminal_without_a_second_screen_writes_a_file),
		FIXTURE_TEST(copied_value_is_cleared_by_the_time),
		FIXTURE_TEST(clipboard_of_others_is_left_alone),
		FIXTURE_TEST(clipboard_with_another_text_is_not_cleared),
		FIXTURE_TEST(shown_value_stays_while_it_is_copied),
		FIXTURE_TEST(control_characters_in_a_value_are_made_visible),
		FIXTURE_TEST(long_value_is_wrapped_and_said_to_be_cut),
		FIXTURE_TEST(smallest_screen_shows_a_value_too),
		FIXTURE_TEST(damaged_entry_says_so_and_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
