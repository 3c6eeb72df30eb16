/* Pasted text is text, and what is typed at the wrong time is nothing. */
#include <sys/wait.h>

#include "memory.h"
#include "steps.h"

static const char broker[] = "estate/broker.properties";

#define DROPPED "the pasted text was dropped: no field is open"

/* As a terminal sends a text when it was asked to bracket it. */
static void
paste(struct vt *v, const char *text)
{
	char bytes[8192];

	assert_true(snprintf(bytes, sizeof(bytes), "\033[200~%s\033[201~", text) <
	    (int)sizeof(bytes));
	vt_key(v, bytes);
}

static void
paste_into_a_list_is_dropped_and_told(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_settle(v);
	assert_true(vt_sent(v, "\033[?2004h"));
	paste(v, "Aw\t\r");
	vt_assert_has(v, DROPPED);
	vt_assert_lacks(v, "marked");
	paste(v, "pXw\rq");
	vt_assert_has(v, DROPPED);
	vt_key(v, "j");
	vt_assert_lacks(v, DROPPED);
	fixture_quit(v);
	assert_true(vt_sent(v, "\033[?2004l"));
	vt_free(v);
	fixture_assert_unchanged(f);
}

static void
paste_over_a_review_and_a_question_confirms_nothing(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "apP");
	paste(v, "w\t\r");
	vt_assert_has(v, "Seal 2 values in 1 file");
	vt_assert_lacks(v, "[Cancel]");
	vt_key(v, "w");
	paste(v, "\t\r");
	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* A key in PEM: 27 lines as the terminal sends them, and as they are sealed. */
static void
make_pem(char *out, size_t size, const char *line_end)
{
	FILE *f = fmemopen(out, size, "w");
	int i;

	assert_non_null(f);
	fprintf(f, "-----BEGIN PRIVATE KEY-----");
	for (i = 0; i < 25; i++)
		fprintf(f, "%spem-canary-%02d/MIIEvQIBADANBgkqhkiG9w0BAQEFAAS", line_end, i);
	fprintf(f, "%s-----END PRIVATE KEY-----", line_end);
	assert_int_equal(fclose(f), 0);
}

static void
value_of_many_lines_is_sealed_whole(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char sent[2048], sealed[2048];

	make_pem(sent, sizeof(sent), "\r");
	make_pem(sealed, sizeof(sealed), "\\n");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	paste(v, sent);
	vt_assert_has(v, "27 lines");
	vt_assert_lacks(v, "canary");
	vt_key(v, KEY_ENTER);
	apply(v);
	vt_assert_has(v, "sealed a new value for ssl.key.password");
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "pasted value", "pem-canary-07");
	fixture_quit(v);
	assert_false(vt_sent(v, "pem-canary"));
	vt_free(v);
	fixture_assert_value(f, broker, "ssl.key.password", sealed);
}

static void
passphrase_is_one_line_with_or_without_its_end(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "U");
	paste(v, FIXTURE_PASSPHRASE "\rq");
	vt_assert_has(v, "the paste has 2 lines, this takes one");
	paste(v, FIXTURE_PASSPHRASE "\r");
	vt_assert_has(v, "Passphrase or key:");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "unlocked");
	fixture_leave(v);
}

static void
fields_take_a_paste_as_text(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "/");
	paste(v, "keystore.pass");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	vt_key(v, "i");
	paste(v, "two\rlines");
	vt_assert_has(v, "the paste has 2 lines");
	paste(v, "esc\033[Aape");
	vt_assert_has(v, "no plain text");
	paste(v, "pasted.key\r");
	vt_assert_has(v, "pasted.key");
	vt_key(v, KEY_ESC);
	vt_key(v, "?");
	paste(v, "rotate");
	vt_assert_has(v, "rotate-data-key");
	vt_assert_lacks(v, "mark-file");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* What was typed behind the key that started a long step waits in the line
 * while it runs. */
static void
keys_during_a_long_step_are_dropped_and_told(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "aw");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER "Aq");
	see(v, "what was typed meanwhile was dropped");
	vt_assert_has(v, "sealed 2 values in 1 file");
	vt_assert_lacks(v, "marked");
	fixture_leave(v);
}

static void
control_c_asks_as_q_does(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	int status;

	vt_key(v, "a");
	vt_send(v, "\003");
	see(v, "Quit?");
	see(v, "2 values are marked and not applied");
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "Quit?");
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	/* What stands in a dialog would be lost, too. */
	vt_key(v, "i");
	vt_send(v, "\003");
	see(v, "Quit?");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "Passphrase or key:");
	/* Twice leaves. */
	vt_send(v, "\003");
	see(v, "Quit?");
	vt_send(v, "\003");
	status = vt_wait_exit(v);
	assert_int_equal(WEXITSTATUS(status), 130);
	vt_free(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(paste_into_a_list_is_dropped_and_told),
		FIXTURE_TEST(paste_over_a_review_and_a_question_confirms_nothing),
		FIXTURE_TEST(value_of_many_lines_is_sealed_whole),
		FIXTURE_TEST(passphrase_is_one_line_with_or_without_its_end),
		FIXTURE_TEST(fields_take_a_paste_as_text),
		FIXTURE_TEST(keys_during_a_long_step_are_dropped_and_told),
		FIXTURE_TEST(control_c_asks_as_q_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
