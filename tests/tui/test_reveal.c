/* A secret on the screen: only while it must be, and nowhere else. */
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
	struct vt *v = fixture_open_unlocked(*state);

	go_to_broker_secret(v);
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	golden_assert(v, "reveal-80x24");
	vt_key(v, "r");
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

static void
value_masks_itself_by_time(void **state)
{
	struct fixture_start s = { .args = { "estate", "--reveal-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	go_to_broker_secret(v);
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_wait_text(v, FIXTURE_BROKER_SECRET, false);
	vt_assert_has(v, "Sealed as");
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
	vt_key(v, "r");
	memory_assert_clean(vt_pid(v), "masked value", FIXTURE_BROKER_SECRET);
	memory_assert_clean(vt_pid(v), "typed passphrase", FIXTURE_PASSPHRASE);
	assert_true(memory_count(vt_pid(v), raw, sizeof(raw)) >= 1);
	vt_key(v, "L");
	vt_assert_has(v, "locked");
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
	vt_key(v, "r");
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
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
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
	vt_key(v, "r");
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
	vt_key(v, "r");
	assert_false(vt_find(v, "vvvvvvvvvv", &row, &col));
	vt_resize(v, 50, 200);
	vt_key(v, "r");
	vt_assert_has(v, "END");
	vt_key(v, "r");
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
		FIXTURE_TEST(value_masks_itself_by_time),
		FIXTURE_TEST(losing_the_focus_and_resizing_mask_it),
		FIXTURE_TEST(no_copy_stays_in_memory),
		FIXTURE_TEST(no_copy_of_a_clear_text_value_stays_in_memory),
		FIXTURE_TEST(key_from_the_environment_is_wiped),
		FIXTURE_TEST(terminal_without_a_second_screen_shows_no_secret),
		FIXTURE_TEST(control_characters_in_a_value_are_made_visible),
		FIXTURE_TEST(long_value_is_wrapped_and_said_to_be_cut),
		FIXTURE_TEST(smallest_screen_shows_a_value_too),
		FIXTURE_TEST(damaged_entry_says_so_and_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
