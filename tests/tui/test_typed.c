/* What is typed as a secret: in the program's memory only while its field needs it, and never
 * among what the terminal was sent. */
#include "memory.h"
#include "steps.h"

/* Cannot be told from a leak of something else, and passes for a passphrase. */
#define TYPED "typed canary Vq8 plum"
#define PASTED "pasted canary Wd3 fig"
#define LONG_HEAD "long canary Xk5 "

#define UNLOCKED { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY }

static void
skip_unreadable(struct vt *v)
{
	vt_settle(v);
	if (memory_can_read(vt_pid(v)))
		return;
	vt_free(v);
	skip();
}

/* It is in its field, so the scan finds what there is. */
static void
assert_held(struct vt *v, const char *text)
{
	vt_assert_lacks(v, text);
	if (memory_count(vt_pid(v), text, strlen(text)) == 0)
		fail_msg("what is typed is not found: the scan finds nothing");
}

static void
assert_gone(struct vt *v, const char *what, const char *text)
{
	vt_settle(v);
	memory_assert_clean(vt_pid(v), what, text);
}

static void
leave_clean(struct vt *v, const char *text)
{
	fixture_quit(v);
	assert_false(vt_sent(v, text));
	assert_null(strstr(vt_scrollback(v), text));
	vt_free(v);
}

static void
paste(struct vt *v, const char *text)
{
	char bytes[256];

	snprintf(bytes, sizeof(bytes), "\033[200~%s\033[201~", text);
	vt_key(v, bytes);
}

static void
a_new_value_goes_with_its_dialog(void **state)
{
	struct fixture_start s = { .env = UNLOCKED };
	struct fixture *f = *state;
	struct vt *v = fixture_run(f, &s);

	skip_unreadable(v);
	/* Given up in the field, and at the second asking. */
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	vt_type(v, TYPED);
	assert_held(v, TYPED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "value, given up", TYPED);
	vt_key(v, "e");
	type_line(v, TYPED);
	vt_assert_has(v, "Once more:");
	vt_type(v, TYPED);
	assert_held(v, TYPED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "value, given up at the second field", TYPED);
	/* Taken away in the field. */
	vt_key(v, "e");
	vt_type(v, TYPED);
	vt_key(v, "\025");
	assert_gone(v, "value, taken away", TYPED);
	vt_key(v, KEY_ESC);
	/* Not applied after all, and applied. */
	vt_key(v, "e");
	type_value(v, TYPED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "value, reviewed", TYPED);
	fixture_assert_unchanged(f);
	vt_key(v, "e");
	type_value(v, TYPED);
	apply(v);
	see(v, "sealed a new value for ssl.key.password");
	assert_gone(v, "value, sealed", TYPED);
	leave_clean(v, TYPED);
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password", TYPED);
	fixture_assert_not_in_file(f, "estate/secrets.properties", TYPED);
	fixture_assert_not_in_file(f, f->trail, TYPED);
}

/* A long value outgrows its buffer, and more than once; what is pasted comes another way. */
static void
a_pasted_and_a_long_value_go_too(void **state)
{
	struct fixture_start s = { .env = UNLOCKED };
	struct fixture *f = *state;
	struct vt *v = fixture_run(f, &s);

	skip_unreadable(v);
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	paste(v, PASTED);
	assert_held(v, PASTED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "paste, given up", PASTED);
	vt_key(v, "e");
	paste(v, PASTED);
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "Once more:");
	apply(v);
	see(v, "sealed a new value for ssl.key.password");
	assert_gone(v, "paste, sealed", PASTED);
	vt_key(v, "e");
	paste(v, LONG_HEAD);
	for (int i = 0; i < 60; i++)
		paste(v, "0123456789012345678901234567890123456789012345678901234567890123456789"
		    "01234567890123456789012345678901234567890123456789");
	assert_held(v, LONG_HEAD);
	vt_key(v, KEY_ESC);
	assert_gone(v, "long value", LONG_HEAD);
	/* A paste that nothing takes is dropped, and so are its bytes: before the next frame. */
	paste(v, TYPED);
	assert_gone(v, "dropped paste", TYPED);
	vt_key_held(v, "\033[200~" TYPED "\033[201~");
	memory_assert_clean(vt_pid(v), "dropped paste, while the frame is drawn", TYPED);
	vt_let_go(v);
	leave_clean(v, PASTED);
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password", PASTED);
}

/* What ^R shows of it goes past curses, and from the screen. */
static void
a_value_that_was_shown_while_it_was_typed_goes(void **state)
{
	struct fixture_start s = { .env = UNLOCKED };
	struct vt *v = fixture_run(*state, &s);

	skip_unreadable(v);
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	vt_type(v, TYPED);
	vt_key(v, "\022");
	vt_assert_has(v, TYPED);
	vt_key(v, "\022");
	vt_assert_lacks(v, TYPED);
	vt_key(v, "\022");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, TYPED);
	assert_gone(v, "value that was shown", TYPED);
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), TYPED));
	vt_assert_lacks(v, TYPED);
	vt_free(v);
	fixture_assert_unchanged(*state);
}

static void
passphrases_of_unlocking_go(void **state)
{
	struct vt *v = fixture_open(*state);

	skip_unreadable(v);
	/* Given up, a wrong one, and the right one: nothing of any. */
	vt_key(v, "U");
	vt_type(v, TYPED);
	assert_held(v, TYPED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "passphrase, given up", TYPED);
	vt_key(v, "U");
	type_line(v, TYPED);
	see(v, "that does not open it");
	vt_key(v, KEY_ESC);
	assert_gone(v, "wrong passphrase", TYPED);
	vt_key(v, "U");
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "unlocked, id 46d171a8");
	assert_gone(v, "passphrase", FIXTURE_PASSPHRASE);
	/* A whole key is one, too. */
	vt_key(v, "L");
	vt_key(v, KEY_ENTER);
	vt_key(v, "U");
	paste(v, FIXTURE_MASTER_KEY);
	vt_key(v, KEY_ENTER);
	see(v, "unlocked, id 46d171a8");
	assert_gone(v, "pasted key", FIXTURE_MASTER_KEY);
	fixture_quit(v);
	assert_false(vt_sent(v, TYPED));
	assert_false(vt_sent(v, FIXTURE_PASSPHRASE));
	assert_false(vt_sent(v, FIXTURE_MASTER_KEY));
	vt_free(v);
}

static void
the_passphrase_of_the_wizard_goes(void **state)
{
	struct fixture_start s = { .args = { "fresh", "--remote-secrets-file",
	    "/etc/kafka/secrets.properties" } };
	struct vt *v = fixture_run(*state, &s);

	skip_unreadable(v);
	/* From the first field, from the second, and from the key that was made of it. */
	for (int fields = 0; fields < 3; fields++) {
		vt_key(v, "G");
		vt_key(v, KEY_ENTER);
		vt_key(v, KEY_ENTER);
		vt_assert_has(v, "[passphrase]");
		for (int i = 0; i < fields; i++)
			type_line(v, TYPED);
		if (fields < 2)
			vt_type(v, TYPED);
		else
			see(v, "Save this key now");
		/* It stays for the way back and forth. */
		if (fields > 0)
			vt_key(v, KEY_ESC);
		assert_held(v, TYPED);
		for (int i = 0; i < 4 && !vt_has(v, "no secrets file"); i++)
			vt_key(v, KEY_ESC);
		vt_assert_has(v, "no secrets file");
		assert_gone(v, "the wizard's passphrase", TYPED);
	}
	leave_clean(v, TYPED);
	fixture_assert_unchanged(*state);
}

/* Up to the two fields of the new passphrase. */
static void
begin_rotation(struct vt *v)
{
	vt_key(v, "M");
	vt_key(v, KEY_ENTER);
	see(v, "every entry opens");
	vt_key(v, KEY_ENTER);
}

static void
the_new_passphrase_of_a_rotation_goes(void **state)
{
	struct fixture_start s = { .env = UNLOCKED };
	struct fixture *f = *state;
	char *text = fixture_read(f, "estate/secrets.properties");
	char *damaged = strstr(text, "worker.properties/damaged");
	struct vt *v;

	/* An entry that does not open stops a rotation. */
	memmove(damaged, strchr(damaged, '\n') + 1, strlen(strchr(damaged, '\n') + 1) + 1);
	fixture_write(f, "estate/secrets.properties", text);
	free(text);
	v = fixture_run(f, &s);
	skip_unreadable(v);
	begin_rotation(v);
	vt_type(v, TYPED);
	assert_held(v, TYPED);
	vt_key(v, KEY_ESC);
	assert_gone(v, "new passphrase, given up", TYPED);
	vt_key(v, KEY_ENTER);
	type_line(v, TYPED);
	vt_type(v, "another one, then");
	vt_key(v, KEY_ENTER);
	see(v, "the two were not the same");
	vt_key(v, KEY_ESC);
	assert_gone(v, "new passphrase, not the same twice", TYPED);
	assert_gone(v, "new passphrase, not the same twice", "another one, then");
	vt_key(v, KEY_ENTER);
	type_line(v, TYPED);
	type_line(v, TYPED);
	see(v, "planned, and nothing is changed yet");
	apply(v);
	see(v, "all values the same");
	vt_key(v, "L");
	vt_assert_has(v, "Locked.");
	vt_key(v, KEY_ENTER);
	assert_gone(v, "new passphrase, locked", TYPED);
	leave_clean(v, TYPED);
	fixture_assert_not_in_file(f, f->trail, TYPED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_new_value_goes_with_its_dialog),
		FIXTURE_TEST(a_pasted_and_a_long_value_go_too),
		FIXTURE_TEST(a_value_that_was_shown_while_it_was_typed_goes),
		FIXTURE_TEST(passphrases_of_unlocking_go),
		FIXTURE_TEST(the_passphrase_of_the_wizard_goes),
		FIXTURE_TEST(the_new_passphrase_of_a_rotation_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
