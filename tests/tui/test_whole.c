/* A whole file: masked, as it is on disk and as a service reads it. */
#include <unistd.h>

#include "memory.h"
#include "steps.h"

/* As it is on disk but for the values, from the line of the cursor on, with what its references
 * lead to. */
static void
whole_file_is_shown_masked(void **state)
{
	struct fixture *f = *state;
	char text[4096], path[512];
	size_t used = 0;
	struct vt *v;

	for (int i = 1; i < 60; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "number.%d=%d\n", i, i);
	snprintf(text + used, sizeof(text) - used, "ssl.key.password=far-down-canary\n");
	fixture_write(f, "estate/long.properties", text);
	v = fixture_open_unlocked(f);
	type_line(v, "/keystore.pass");
	vt_key(v, "P");
	vt_assert_has(v, "broker.properties, values masked");
	vt_assert_has(v, "   1   # Broker 1: this comment must survive");
	vt_assert_has(v, "   3   listeners = SASL_SSL://0.0.0.0:9093");
	vt_assert_has(v, ">   5 ! ssl.keystore.password=<clear text>");
	vt_assert_has(v, "   7 ! ssl.truststore.password : <clear text>");
	/* What there is to be said of the next one, and all of its line. */
	vt_key(v, "]");
	vt_assert_has(v, ">   6 S ssl.key.password=${securepass:");
	vt_assert_has(v, "S opens: broker.properties/ssl.key.password in secrets.properties, AES/GCM");
	vt_assert_has(v, " ssl.key.password}");
	vt_key(v, KEY_ESC);
	type_line(v, "/db.pass");
	vt_key(v, "P");
	vt_key(v, "[");
	vt_assert_has(v, "O of another provider");
	vt_key(v, "/");
	vt_type(v, "ssl.key.password");
	vt_key(v, KEY_ENTER);
	vt_key(v, "n");
	vt_assert_has(v, "D the service would not start: no such entry in secrets.properties");
	vt_key(v, "n");
	vt_key(v, "N");
	vt_assert_has(v, "D the service would not start: no such entry in secrets.properties");
	vt_key(v, "]");
	vt_assert_has(v, "X the service would not start: does not open:");
	vt_key(v, "]");
	vt_key(v, "r");
	vt_assert_has(v, "there is no value that could be shown");
	vt_key(v, KEY_ESC);
	/* The line that the cursor is on stands in the first rows. */
	type_line(v, "/long");
	vt_key(v, "l");
	vt_key(v, "j");
	vt_assert_has(v, "long.properties:60");
	vt_key(v, "P");
	vt_assert_has(v, ">  60 ! ssl.key.password=<clear text>");
	vt_assert_has(v, "  57   number.57=57");
	vt_assert_lacks(v, "number.1=1");
	vt_key(v, KEY_ESC);
	/* A secrets file, too. */
	vt_key(v, KEY_HOME);
	vt_key(v, KEY_TAB);
	vt_key(v, "P");
	vt_assert_has(v, "secrets.properties, values masked");
	vt_assert_has(v, "<sealed: text ");
	vt_assert_lacks(v, "ENC[AES/GCM/NoPadding,data:KK");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_TAB);
	/* One that went away is told. */
	type_line(v, "/long");
	snprintf(path, sizeof(path), "%s/estate/long.properties", f->dir);
	assert_int_equal(unlink(path), 0);
	vt_key(v, "P");
	vt_assert_has(v, "The file cannot be shown");
	vt_key(v, KEY_ENTER);
	assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
	assert_false(vt_sent(v, "Qm44"));
	assert_false(vt_sent(v, FIXTURE_DB_SECRET));
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	assert_false(vt_sent(v, "far-down-canary"));
	fixture_leave(v);
}

/* Lines have their numbers in the file, whatever number of them a secret has and however they end:
 * what is said of a line stands below it. */
static void
whole_file_counts_the_lines_of_secrets(void **state)
{
	static const char text[] = "first=1\r\n"
	    "ssl.key.password=long-canary\\\r\n  more-canary\\\r\n  end-canary\r\n"
	    "sasl.jaas.config=Module required \\\r\n  username=\"u\" \\\r\n"
	    "  password=\"jaas-canary\";\r\n"
	    "#ssl.truststore.password=old-canary\r\n"
	    "b.password=${securepass:/etc/estate/secrets.properties:gone.properties/b.password}\r\n"
	    "last=\\u009b31m\xc2\x9b" "2J\r\n";
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/lines.properties", text);
	v = fixture_open_unlocked(f);
	type_line(v, "/lines");
	vt_forget_raw(v);
	vt_key(v, "P");
	vt_assert_has(v, "   1   first=1");
	vt_assert_has(v, "   2 ! ssl.key.password=<clear text>");
	vt_assert_has(v, "   5 ! sasl.jaas.config=Module required username=\"u\" password=\"<clear");
	vt_assert_has(v, "   8 ! #ssl.truststore.password=<clear text>");
	vt_assert_has(v, "   9 D b.password=");
	vt_assert_has(v, "  10   last=");
	vt_assert_lacks(v, "\\r");
	vt_assert_lacks(v, "  11");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "   9 D no such entry: the service would not start");
	assert_false(vt_sent(v, "canary"));
	assert_false(vt_sent(v, "\xc2\x9b"));
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Where there is room both sides are there, a value stands in its place on the line, one at a
 * time, and is wiped with the next key. */
static void
whole_file_is_shown_beside_what_a_service_reads(void **state)
{
	static const char text[] = "first=1\n"
	    "ssl.key.password=${securepass:/etc/kafka/secrets.properties:broker.properties/"
	    "ssl.key.password}\n"
	    "sasl.jaas.config=Module required username=\"u\" \\\n"
	    "  password=\"${securepass:/etc/kafka/secrets.properties:broker.properties/"
	    "ssl.key.password}\";\n"
	    "b.password=${securepass:/etc/kafka/secrets.properties:gone.properties/b.password}\n"
	    "c.password=clear-canary\n"
	    "d.url=a:${securepass:/etc/kafka/secrets.properties:broker.properties/ssl.key.password}"
	    "@b:${securepass:/etc/kafka/secrets.properties:broker.properties/ssl.key.password}\n";
	struct fixture *f = *state;
	struct vt *v;
	int row, col;

	fixture_write(f, "estate/beside.properties", text);
	v = fixture_open_unlocked(f);
	vt_resize(v, 40, 120);
	type_line(v, "/beside");
	vt_key(v, "P");
	vt_assert_has(v, "as the service reads it");
	vt_assert_has(v, ">   1   first=1");
	vt_assert_has(v, "=   1   first=1");
	vt_assert_has(v, "   2 S ssl.key.password=\xe2\x80\xa2\xe2\x80\xa2");
	vt_assert_has(v, "   4 S   password=\"\xe2\x80\xa2\xe2\x80\xa2");
	vt_assert_has(v, "   5 D no such entry: the service would not start");
	vt_assert_has(v, "   6 ! c.password=<clear text>");
	/* From one to the next, around the end. */
	vt_key(v, "[");
	vt_assert_has(v, ">   7 S");
	vt_key(v, "r");
	vt_assert_has(v, "\xe2\x80\xa2@b:" FIXTURE_BROKER_SECRET);
	vt_key(v, "[");
	vt_assert_has(v, ">   7 S");
	vt_key(v, "r");
	vt_assert_has(v, "d.url=a:" FIXTURE_BROKER_SECRET);
	vt_key(v, "]");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_key(v, "]");
	vt_assert_has(v, ">   2 S");
	vt_key(v, "]");
	vt_assert_has(v, ">   4 S");
	vt_key(v, "r");
	vt_assert_has(v, "   4 S   password=\"" FIXTURE_BROKER_SECRET);
	vt_assert_has(v, "   2 S ssl.key.password=\xe2\x80\xa2");
	vt_assert_has(v, "Any key masks it");
	vt_cursor(v, &row, &col);
	assert_int_equal(col, 61);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_assert_has(v, "as the service reads it");
	/* No room on the line: in the detail. */
	vt_resize(v, 24, 72);
	vt_key(v, "l");
	vt_key(v, "G");
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	/* Copied, and what is shown stays. */
	vt_key(v, "y");
	vt_assert_has(v, "copied, by way of the terminal");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	vt_key(v, "j");
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_key(v, "j");
	vt_key(v, "r");
	vt_assert_has(v, "clear-canary");
	vt_resize(v, 24, 80);
	vt_assert_lacks(v, "clear-canary");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "value in its line", FIXTURE_BROKER_SECRET);
		memory_assert_clean(vt_pid(v), "clear value in its line", "clear-canary");
	}
	assert_null(strstr(vt_scrollback(v), FIXTURE_BROKER_SECRET));
	fixture_leave(v);
}

/* The key is asked for where it is needed, and what is known of the lines is told anew. */
static void
whole_file_asks_for_the_key(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	type_line(v, "/ssl.key.pass");
	vt_key(v, "P");
	vt_assert_has(v, "S not checked, locked: broker.properties/ssl.key.password");
	vt_assert_has(v, "secrets.properties locked");
	vt_key(v, "r");
	type_line(v, FIXTURE_PASSPHRASE);
	vt_wait_text(v, FIXTURE_BROKER_SECRET, true);
	vt_assert_has(v, "secrets.properties open");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "S opens: broker.properties/ssl.key.password");
	/* The lock closes it. */
	vt_key(v, "L");
	vt_assert_has(v, "No key is kept.");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(whole_file_is_shown_masked),
		FIXTURE_TEST(whole_file_counts_the_lines_of_secrets),
		FIXTURE_TEST(whole_file_is_shown_beside_what_a_service_reads),
		FIXTURE_TEST(whole_file_asks_for_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
