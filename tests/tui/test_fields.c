/* Secrets that are typed, shown, generated or read from a file, and questions. */
#include <sys/stat.h>

#include "memory.h"
#include "steps.h"

#define SHOW "\022"	/* ^R */

static const char broker[] = "estate/broker.properties";

/* The dialog for a new value of a sealed entry. */
static struct vt *
open_value(struct fixture *f)
{
	struct vt *v = fixture_open_unlocked(f);

	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	vt_assert_has(v, "Value:");
	return v;
}

static void
typed_value_is_shown_and_masked_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_value(f);

	vt_type(v, "shown-canary");
	vt_assert_lacks(v, "canary");
	vt_key(v, SHOW);
	vt_assert_has(v, "Value: shown-canary");
	/* What is typed further is seen, too, and the end of a long one. */
	vt_type(v, "-and-more");
	vt_assert_has(v, "shown-canary-and-more");
	vt_key(v, "\027");
	vt_assert_lacks(v, "canary");
	vt_type(v, "begin-0123456789012345678901234567890123456789012345678901234567890end");
	vt_assert_lacks(v, "begin");
	vt_assert_has(v, "7890end");
	vt_key(v, "\025");
	vt_type(v, "shown-canary");
	vt_key(v, SHOW);
	vt_assert_lacks(v, "canary");
	vt_resize(v, 5, 20);
	vt_key(v, SHOW);
	vt_assert_has(v, "shown-canary");
	vt_resize(v, 24, 80);
	vt_assert_lacks(v, "canary");
	/* It was seen, so once is enough. */
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "Once more");
	apply(v);
	vt_assert_has(v, "sealed a new value");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "typed value", "shown-canary");
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), "canary"));
	vt_free(v);
	fixture_assert_value(f, broker, "ssl.key.password", "shown-canary");
}

static void
shown_value_is_masked_by_the_time(void **state)
{
	struct fixture_start s = { .args = { "estate", "--reveal-time", "1" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(*state, &s);

	type_line(v, "/ssl.key.pass");
	vt_type(v, "eshown-canary");
	vt_key(v, SHOW);
	vt_wait_text(v, "shown-canary", false);
	vt_assert_has(v, "Value: \342\200\242\342\200\242");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
unseen_value_is_typed_twice(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_value(f);

	type_line(v, "first-canary");
	vt_assert_has(v, "Once more:");
	type_line(v, "first-kanary");
	vt_assert_has(v, "the two were not the same");
	vt_assert_has(v, "Value:");
	fixture_assert_unchanged(f);
	type_value(v, "second-canary");
	apply(v);
	fixture_quit(v);
	assert_false(vt_sent(v, "canary"));
	vt_free(v);
	fixture_assert_value(f, broker, "ssl.key.password", "second-canary");
}

/* What was pasted and then changed by hand was not seen. */
static void
changed_paste_is_typed_twice(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_value(f);

	vt_key(v, "\033[200~pasted\033[201~");
	type_line(v, "x");
	vt_assert_has(v, "Once more:");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
lines_are_typed_with_control_j(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_value(f);

	vt_type(v, "one");
	vt_key(v, "\n");
	vt_type(v, "two");
	vt_assert_has(v, "2 lines");
	vt_key(v, SHOW);
	vt_assert_has(v, "one\\ntwo");
	vt_key(v, KEY_ENTER);
	apply(v);
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.key.password", "one\\ntwo");
}

static void
value_is_generated(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_value(f);
	char made[64], line[256];
	int row, col;

	vt_key(v, KEY_TAB);
	vt_assert_has(v, "[show ^R]");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "[generate]");
	vt_key(v, " ");
	assert_true(vt_find(v, "Value: ", &row, &col));
	vt_row(v, row, line, sizeof(line));
	assert_int_equal(sscanf(strstr(line, "Value: "), "Value: %63s", made), 1);
	assert_int_equal(strlen(made), 29);
	vt_key(v, KEY_ENTER);
	apply(v);
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "generated value", made);
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.key.password", made);
}

static void
value_is_read_from_a_file(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "value.pem", "file-canary-1\nfile-canary-2\n");
	fixture_keep(f);
	v = open_value(f);
	vt_key(v, "\033[Z");
	vt_assert_has(v, "[from a file]");
	vt_key(v, KEY_ENTER);
	type_line(v, "not-there.pem");
	vt_assert_has(v, "not-there.pem: ");
	vt_key(v, "\033[Z");
	vt_key(v, KEY_ENTER);
	type_line(v, "value.pem");
	vt_assert_has(v, "2 lines");
	vt_key(v, KEY_ENTER);
	apply(v);
	vt_assert_has(v, "sealed a new value");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "value of a file", "file-canary-2");
	fixture_quit(v);
	assert_false(vt_sent(v, "file-canary"));
	vt_free(v);
	fixture_assert_value(f, broker, "ssl.key.password", "file-canary-1\\nfile-canary-2");
}

static void
weak_passphrase_wants_the_word(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "fresh" } };
	struct vt *v = fixture_run(f, &s);
	int i;

	vt_key(v, "G");
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[passphrase]");
	vt_type(v, "kafka");
	vt_assert_has(v, "weak");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "shorter than 12 characters");
	type_line(v, "wea");
	vt_assert_has(v, "that is not the word");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "another one, then");
	vt_key(v, "\025");
	type_line(v, "kafka-kafka-kafka");
	vt_assert_has(v, "repetitions");
	type_line(v, "weak");
	/* It is to be typed once more all the same. */
	type_line(v, "kafka-kafka-kafak");
	vt_assert_has(v, "the two were not the same");
	/* A good one goes on without a question, and a generated one is typed once. */
	vt_key(v, "\025");
	vt_type(v, "gT4!xm9Lq#zB");
	vt_assert_has(v, "fair");
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "type the word");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "[generate]");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "good");
	vt_key(v, KEY_ENTER);
	see(v, "Save this key now");
	for (i = 0; i < 4; i++)
		vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "New secrets file");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
key_that_asks_does_not_confirm(void **state)
{
	static const char *const keys[] = { "w", "y", "n", " " };
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	size_t i;

	vt_type(v, "aw");
	vt_assert_has(v, "[Cancel]");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		vt_key(v, KEY_TAB);
		vt_assert_lacks(v, "[Cancel]");
		vt_assert_lacks(v, "Tab, then Enter");
		vt_key(v, keys[i]);
		vt_assert_has(v, "Tab, then Enter");
		vt_assert_has(v, "[Apply]");
		vt_key(v, KEY_TAB);
		vt_key(v, keys[i]);
		vt_assert_has(v, "Tab, then Enter");
		vt_assert_has(v, "[Cancel]");
	}
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(typed_value_is_shown_and_masked_again),
		FIXTURE_TEST(shown_value_is_masked_by_the_time),
		FIXTURE_TEST(unseen_value_is_typed_twice),
		FIXTURE_TEST(changed_paste_is_typed_twice),
		FIXTURE_TEST(lines_are_typed_with_control_j),
		FIXTURE_TEST(value_is_generated),
		FIXTURE_TEST(value_is_read_from_a_file),
		FIXTURE_TEST(weak_passphrase_wants_the_word),
		FIXTURE_TEST(key_that_asks_does_not_confirm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
