/* Both rotations, and what must hold before anything is written. */
#include "memory.h"
#include "steps.h"

#define NEW_PASSPHRASE "fresh-canary-Wm3"

static const char broker[] = "estate/broker.properties";
static const char secrets[] = "estate/secrets.properties";

/* Without the damaged entry, which no rotation takes. */
static void
mend(struct fixture *f)
{
	char *text = fixture_read(f, secrets);
	char *damaged = strstr(text, "worker.properties/damaged");
	char *end = strchr(damaged, '\n');

	memmove(damaged, end + 1, strlen(end + 1) + 1);
	fixture_write(f, secrets, text);
	free(text);
}

static void
data_key_rotation_seals_everything_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char *before;

	mend(f);
	before = fixture_read(f, secrets);
	v = fixture_open_unlocked(f);
	vt_key(v, "K");
	vt_assert_has(v, "Rotate the data key");
	vt_key(v, "w");
	type_line(v, "rotat");
	vt_assert_has(v, "that is not the word");
	vt_key(v, "e");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "rotated the data key");
	fixture_leave(v);
	fixture_assert_not_in_file(f, secrets, "KKiwzvaLcMu7ngba");
	fixture_assert_not_in_file(f, secrets, "zj3HcxsoieWQaS5");
	fixture_assert_value(f, broker, "ssl.key.password", FIXTURE_BROKER_SECRET);
	free(before);
}

static void
data_key_rotation_is_refused_with_a_damaged_entry(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "K");
	vt_assert_has(v, "The data key cannot be rotated");
	vt_assert_has(v, "secrets.properties:10");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* Up to the screen that shows the new key, which is returned. */
static char *
rotate_up_to_the_key(struct vt *v)
{
	char line[256];
	char *key;

	vt_key(v, "M");
	type_line(v, NEW_PASSPHRASE);
	type_line(v, NEW_PASSPHRASE);
	vt_assert_has(v, "_metadata.master_key.0.salt");
	vt_key(v, "w");
	type_line(v, "rotate");
	vt_assert_has(v, "Save this key now");
	vt_row(v, 2, line, sizeof(line));
	line[2 + 44] = '\0';	/* behind it, the time that is left */
	key = strdup(line + strspn(line, " "));
	assert_int_equal(strlen(key), 44);
	return key;
}

static void
master_key_rotation_shows_the_key_once_and_wants_proof(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char *key, *value;

	mend(f);
	fixture_keep(f);
	v = fixture_open_unlocked(f);
	key = rotate_up_to_the_key(v);
	/* Nothing is written before the proof. */
	fixture_assert_unchanged(f);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Is it saved?");
	vt_assert_lacks(v, key);
	vt_type(v, "noth");
	vt_assert_has(v, "these are not its last 4 characters");
	fixture_assert_unchanged(f);
	vt_type(v, key + 40);
	vt_assert_has(v, "The master key is rotated");
	vt_key(v, KEY_ENTER);
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "new master key", key);
		memory_assert_clean(vt_pid(v), "new passphrase", NEW_PASSPHRASE);
	}
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), key));
	vt_free(v);
	assert_null(fixture_decrypt(f, broker, secrets, "ssl.key.password", FIXTURE_MASTER_KEY));
	value = fixture_decrypt(f, broker, secrets, "ssl.key.password", key);
	assert_string_equal(value, FIXTURE_BROKER_SECRET);
	fixture_assert_in_file(f, secrets, "iterations = 220000");
	free(value);
	free(key);
}

static void
giving_up_on_the_new_key_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *key = rotate_up_to_the_key(v);

	/* Back from the proof the key is shown again. */
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, key);
	/* Resizing masks it, Space shows it again. */
	vt_resize(v, 20, 70);
	vt_assert_lacks(v, key);
	vt_assert_has(v, "masked");
	vt_key(v, " ");
	vt_assert_has(v, key);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, key);
	vt_assert_lacks(v, "rotated");
	fixture_leave(v);
	fixture_assert_unchanged(f);
	free(key);
}

static void
different_passphrases_are_asked_again(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_key(v, "M");
	type_line(v, "kite orbit velvet");
	type_line(v, "velvet orbit kite");
	vt_assert_has(v, "the two were not the same");
	type_line(v, "  ");
	vt_assert_has(v, "a blank passphrase protects nothing");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
locked_file_asks_for_the_old_passphrase_first(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "M");
	vt_assert_has(v, "Unlock");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_assert_has(v, "New passphrase:");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(data_key_rotation_seals_everything_again),
		FIXTURE_TEST(data_key_rotation_is_refused_with_a_damaged_entry),
		FIXTURE_TEST(master_key_rotation_shows_the_key_once_and_wants_proof),
		FIXTURE_TEST(giving_up_on_the_new_key_changes_nothing),
		FIXTURE_TEST(different_passphrases_are_asked_again),
		FIXTURE_TEST(locked_file_asks_for_the_old_passphrase_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
