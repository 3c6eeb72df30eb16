/* What is done most often, and how many keys it takes.  test_rotation counts those of a rotation and
 * of going on after a kill. */
#include "steps.h"

static const char broker[] = "estate/broker.properties";

/* Keys that are pressed; the text of a passphrase apart, its Enter counts. */
static int pressed;

static void
press(struct vt *v, const char *key)
{
	pressed++;
	vt_key(v, key);
}

/* An estate with two environments, and something to be fixed in both. */
static struct vt *
open_two(struct fixture *f, const char *key)
{
	struct fixture_start s = { .args = { "estate", "fresh" }, .env = { key } };
	char *secrets = fixture_read(f, "estate/secrets.properties");

	fixture_write(f, "fresh/secrets.properties", secrets);
	free(secrets);
	return fixture_run(f, &s);
}

/* A passphrase, the key that is shown and its end: twelve with their Enters, sealed at the
 * eleventh. */
static void
the_first_secret_takes_twelve_keys(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .folder = "fresh" };
	char line[256], one[2] = "", *key;
	struct vt *v = fixture_run(f, &s);

	see(v, "nothing is written yet");
	pressed = 0;
	press(v, KEY_ENTER);
	press(v, KEY_ENTER);
	for (int i = 0; i < 2; i++) {
		vt_type(v, FIXTURE_NEW_PASSPHRASE);
		press(v, KEY_ENTER);
	}
	see(v, "Save this key now");
	vt_row(v, 3, line, sizeof(line));
	press(v, KEY_ENTER);
	/* The last of its end goes on by itself. */
	key = line + strspn(line, " ") + 40;
	for (int i = 0; i < 4; i++) {
		one[0] = key[i];
		press(v, one);
	}
	see(v, "Seal the first value");
	fixture_assert_in_file(f, "fresh/client.properties", FIXTURE_CLIENT_SECRET);
	press(v, KEY_TAB);
	press(v, KEY_ENTER);
	see(v, "Sealed, read back and opened: ssl.key.password");
	fixture_assert_not_in_file(f, "fresh/client.properties", FIXTURE_CLIENT_SECRET);
	assert_int_equal(pressed, 11);
	press(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	assert_int_equal(pressed, 12);
	fixture_leave(v);
}

#define OPENED "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY

static void
see_the_audit(struct vt *v)
{
	see(v, "[2 findings");
	see(v, "ssl.keystore.password");
	vt_settle(v);
}

static void
assert_environment_is_fixed(struct fixture *f)
{
	fixture_assert_not_in_file(f, broker, FIXTURE_KEYSTORE_SECRET);
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
	fixture_assert_value(f, broker, "ssl.truststore.password", FIXTURE_TRUSTSTORE_SECRET);
	fixture_assert_value(f, "estate/connect/worker.properties", "db.password",
	    FIXTURE_DB_SECRET);
	/* The other environment is as it was. */
	fixture_assert_in_file(f, "fresh/client.properties", FIXTURE_CLIENT_SECRET);
}

/* The cursor begins on the row of the worst environment: all that can be sealed of it. */
static void
an_environment_is_fixed_in_five_keys(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_two(f, OPENED);

	pressed = 0;
	press(v, "2");
	see_the_audit(v);
	press(v, " ");
	vt_assert_has(v, "4 marked");
	press(v, "w");
	see(v, "[Cancel]");
	fixture_assert_in_file(f, broker, FIXTURE_KEYSTORE_SECRET);
	press(v, KEY_TAB);
	press(v, KEY_ENTER);
	see(v, "sealed 4 values in 2 files");
	assert_int_equal(pressed, 5);
	/* What has no fix stays in the list. */
	see(v, "dangling-reference");
	fixture_leave(v);
	assert_environment_is_fixed(f);
}

/* Locked, it is the passphrase and its Enter more. */
static void
a_locked_environment_is_fixed_in_six_keys(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_two(f, NULL);

	pressed = 0;
	press(v, "2");
	see_the_audit(v);
	press(v, " ");
	press(v, "w");
	see(v, "Unlock");
	vt_type(v, FIXTURE_PASSPHRASE);
	press(v, KEY_ENTER);
	see(v, "[Cancel]");
	press(v, KEY_TAB);
	press(v, KEY_ENTER);
	see(v, "sealed 4 values in 2 files");
	assert_int_equal(pressed, 6);
	fixture_leave(v);
	assert_environment_is_fixed(f);
}

/* A value is shown, copied and masked. */
static void
a_value_is_revealed_copied_and_masked_in_three_keys(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	type_line(v, "/ssl.key.pass");
	pressed = 0;
	press(v, "r");
	see(v, FIXTURE_BROKER_SECRET);
	press(v, "y");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	/* broker-canary-7fQ2 in base64 */
	assert_true(vt_sent(v, "\033]52;c;YnJva2VyLWNhbmFyeS03ZlEy\a"));
	press(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	assert_int_equal(pressed, 3);
	fixture_leave(v);
}

static void
the_last_change_is_undone_in_five_keys(void **state)
{
	static const char *const values[] = { "first", "second" };
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	type_line(v, "/ssl.key.pass");
	for (size_t i = 0; i < 2; i++) {
		fixture_keep(f);
		vt_key(v, "e");
		type_value(v, values[i]);
		apply(v);
		vt_assert_has(v, "sealed a new value for ssl.key.password");
	}
	pressed = 0;
	press(v, "5");
	see(v, "u undoes it");
	press(v, "u");
	see(v, "Undo change 3");
	press(v, "w");
	see(v, "1 entry is put back");
	press(v, KEY_TAB);
	press(v, KEY_ENTER);
	see(v, "undid change 3: 1 entry");
	assert_int_equal(pressed, 5);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
the_next_problem_is_one_key_away(void **state)
{
	static const char *const problems[] = { "broker.properties:5" INTO "ssl.keystore.password",
		"broker.properties:7" INTO "ssl.truststore.password",
		"worker.properties:2" INTO "db.password",
		"worker.properties:3" INTO, "worker.properties:5" INTO "ssl.key.password",
		"worker.properties:6" INTO "ssl.keystore.password" };
	static const size_t count = sizeof(problems) / sizeof(problems[0]);
	struct vt *v = fixture_open_unlocked(*state);

	vt_settle(v);
	vt_assert_has(v, "1 damaged");
	for (size_t i = 0; i < count; i++) {
		vt_key(v, "]");
		vt_assert_has(v, problems[i]);
	}
	/* Around the end, and back. */
	vt_key(v, "]");
	vt_assert_has(v, problems[0]);
	vt_key(v, "[");
	vt_assert_has(v, problems[count - 1]);
	vt_key(v, ",");
	vt_assert_has(v, problems[count - 2]);
	/* From the other pane, and out of what is folded. */
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	vt_key(v, ".");
	vt_assert_has(v, problems[count - 1]);
	vt_key(v, "-");
	vt_key(v, KEY_HOME);
	vt_assert_lacks(v, "db.password");
	vt_key(v, "]");
	vt_assert_has(v, problems[0]);
	/* Only what the filter shows is one. */
	vt_key(v, "F");
	type_line(v, "S");
	vt_key(v, "]");
	vt_assert_has(v, "nothing that is shown is a problem");
	vt_key(v, KEY_ESC);
	/* Among findings each is one, and what they stand below is passed over. */
	vt_key(v, "2");
	see_the_audit(v);
	vt_key(v, "-");
	vt_key(v, KEY_HOME);
	vt_assert_lacks(v, "Why: ");
	vt_key(v, "]");
	vt_assert_has(v, "Why: ");
	vt_key(v, "[");
	vt_assert_has(v, "Why: ");
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

/* On a reference it stands there; from the list on the left it is one key. */
static void
who_uses_an_entry_takes_a_key(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/other.properties", "ssl.key.password=${securepass:"
	    "/etc/kafka/secrets.properties:broker.properties/ssl.key.password}\n");
	v = fixture_open_unlocked(f);
	type_line(v, "/ssl.key.pass");
	vt_assert_has(v, "Used by 2.");
	pressed = 0;
	press(v, KEY_TAB);
	vt_assert_has(v, "Used by broker.properties:6, other.properties:1.");
	assert_int_equal(pressed, 1);
	press(v, KEY_ENTER);
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_assert_has(v, "1 of 2 that use it; Enter goes to the next");
	/* Then to the next one, and around to the sealed entry. */
	press(v, KEY_ENTER);
	vt_assert_has(v, "other.properties:1" INTO "ssl.key.password");
	vt_assert_has(v, "2 of 2 that use it; Enter goes to the sealed entry");
	press(v, KEY_ENTER);
	vt_assert_has(v, "Used by broker.properties:6, other.properties:1.");
	/* Who comes to a reference by another way goes to its sealed entry. */
	press(v, KEY_ENTER);
	vt_key(v, "k");
	vt_key(v, "k");
	vt_key(v, KEY_HOME);
	type_line(v, "/other");
	vt_key(v, "j");
	vt_assert_has(v, "other.properties:1" INTO "ssl.key.password");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Used by broker.properties:6, other.properties:1.");
	fixture_leave(v);
}

/* A few letters of its name lead to it. */
static void
who_uses_an_entry_is_found_by_its_name(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	pressed = 0;
	press(v, ":");
	vt_type(v, "ssl.key.pass");
	vt_assert_has(v, ">Entries    ssl.key.password");
	press(v, KEY_ENTER);
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_assert_has(v, "Used by 1.");
	assert_int_equal(pressed, 2);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_first_secret_takes_twelve_keys),
		FIXTURE_TEST(an_environment_is_fixed_in_five_keys),
		FIXTURE_TEST(a_locked_environment_is_fixed_in_six_keys),
		FIXTURE_TEST(a_value_is_revealed_copied_and_masked_in_three_keys),
		FIXTURE_TEST(the_last_change_is_undone_in_five_keys),
		FIXTURE_TEST(the_next_problem_is_one_key_away),
		FIXTURE_TEST(who_uses_an_entry_takes_a_key),
		FIXTURE_TEST(who_uses_an_entry_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
