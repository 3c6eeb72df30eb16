/* The view of the history: what the trail has. */
#include <sys/stat.h>

#include "golden.h"
#include "steps.h"

/* Seal what is in clear text in one file. */
static void
seal_broker(struct vt *v)
{
	type_line(v, "/keystore.pass");
	vt_key(v, "a");
	apply(v);
	vt_assert_has(v, "sealed 2 values");
}

static void
a_change_is_told_with_its_files_and_keys(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "5");
	vt_assert_has(v, "No change yet");
	vt_key(v, "1");
	seal_broker(v);
	vt_key(v, "5");
	vt_assert_has(v, "[5 history]");
	vt_assert_has(v, "1 change");
	vt_assert_has(v, "done");
	vt_key(v, "j");
	vt_assert_has(v, "broker.properties");
	vt_assert_has(v, "ssl.keystore.password");
	vt_key(v, "t");
	vt_assert_has(v, "the chain is whole");
	/* To the entry that was changed, and not to where one was. */
	vt_key(v, "1");
	vt_key(v, KEY_HOME);
	vt_key(v, "5");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
	fixture_leave(v);
}

static void
a_line_that_was_changed_is_found(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *text;

	seal_broker(v);
	text = fixture_read(f, f->trail);
	assert_non_null(text);
	memcpy(strstr(text, "ssl.truststore"), "ssl.trustworth", 14);
	fixture_write(f, f->trail, text);
	free(text);
	vt_key(v, "5");
	vt_key(v, "t");
	vt_assert_has(v, "The trail is not whole");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
}

/* A new value of what is sealed. */
static void
update_key(struct vt *v, const char *value)
{
	vt_key(v, "1");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	type_value(v, value);
	apply(v);
	vt_assert_has(v, "sealed a new value for ssl.key.password");
}

static void
a_change_is_undone_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	/* The first change notes where the file lies, too, and that stays. */
	update_key(v, "first");
	fixture_keep(f);
	update_key(v, "second");
	/* The cursor starts on the newest change. */
	vt_key(v, "5");
	see(v, "u undoes it");
	vt_key(v, "u");
	see(v, "Undo change 3");
	vt_assert_has(v, "+broker.properties/ssl.key.password = ENC[");
	/* A look changes nothing, and the key that asks does not confirm. */
	vt_key(v, KEY_ESC);
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password", "second");
	vt_key(v, "u");
	see(v, "Undo change 3");
	vt_key(v, "w");
	see(v, "1 entry is put back");
	golden_assert_sizes(v, "history-undo");
	vt_key(v, "w");
	confirm(v);
	see(v, "undid change 3: 1 entry");
	vt_assert_has(v, "3 changes");
	fixture_assert_unchanged(f);
	/* The undoing is the newest change now: undo that, too. */
	for (int i = 0; i < 5; i++)
		vt_key(v, "k");
	vt_key(v, "j");
	vt_key(v, "u");
	see(v, "Undo change 5");
	apply(v);
	see(v, "undid change 5");
	fixture_leave(v);
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password", "second");
}

static void
what_cannot_be_undone_says_why(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "5");
	vt_key(v, "u");
	vt_assert_has(v, "there is no change on this line");
	vt_key(v, "1");
	seal_broker(v);
	vt_key(v, "5");
	vt_key(v, "j");
	see(v, "Cannot be undone");
	vt_assert_has(v, "clear text is never");
	vt_assert_lacks(v, "u undo");
	vt_key(v, "u");
	vt_assert_has(v, "u (undo): there was clear text before it");
	/* Of two changes of one entry the newest comes first. */
	update_key(v, "second");
	update_key(v, "third");
	vt_key(v, "5");
	vt_key(v, KEY_HOME);
	vt_key(v, "j");
	vt_key(v, "j");
	vt_key(v, "u");
	see(v, "It cannot be undone");
	vt_assert_has(v, "it was changed again since");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password", "third");
}

static void
each_change_has_its_line_with_the_newest_first(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	seal_broker(v);
	vt_key(v, "1");
	type_line(v, "/db.pass");
	vt_key(v, " ");
	apply(v);
	vt_assert_has(v, "sealed 1 value");
	vt_key(v, "5");
	vt_assert_has(v, "2 changes");
	vt_assert_has(v, "db.password");
	vt_assert_lacks(v, "ssl.keystore.password");
	vt_key(v, "j");
	vt_assert_has(v, "ssl.keystore.password");
	vt_assert_lacks(v, "db.password");
	fixture_leave(v);
}

/* A file that refers to what was added keeps that from being taken back. */
static void
what_another_file_refers_to_stays(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *text, *line;

	vt_key(v, "i");
	type_line(v, "added.password");
	type_value(v, "typed");
	apply(v);
	vt_assert_has(v, "added added.password");
	text = fixture_read(f, "estate/broker.properties");
	line = strstr(text, "added.password");
	assert_non_null(line);
	line[strcspn(line, "\n") + 1] = '\0';
	fixture_write(f, "estate/zz.properties", line);
	free(text);
	vt_key(v, "R");
	see(v, "zz.properties");
	vt_key(v, "5");
	vt_key(v, "j");
	vt_key(v, "u");
	see(v, "It cannot be undone");
	vt_assert_has(v, "refers to what the change sealed");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_value(f, "estate/broker.properties", "added.password", "typed");
}

static void
small_and_large_screens_have_it(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	seal_broker(v);
	vt_key(v, "5");
	vt_key(v, "j");
	vt_resize(v, 5, 20);
	vt_assert_has(v, "done");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "Change 1");
	vt_key(v, KEY_ESC);
	vt_resize(v, 50, 200);
	vt_assert_has(v, "Change 1: ");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

/* ${old} behind ${before} in the trail, NULL: up to the next quote, becomes ${value}, each time. */
static void
trail_replace(struct fixture *f, const char *before, const char *old, const char *value)
{
	char *text = fixture_read(f, f->trail), *out = NULL, *at, *from = text;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	assert_non_null(text);
	assert_non_null(to);
	while ((at = strstr(from, before)) != NULL) {
		at += strlen(before);
		fprintf(to, "%.*s%s", (int)(at - from), from, value);
		if (old != NULL)
			assert_memory_equal(at, old, strlen(old));
		from = at + (old != NULL ? strlen(old) : strcspn(at, "\""));
	}
	fprintf(to, "%s", from);
	assert_int_equal(fclose(to), 0);
	assert_true(from != text);
	fixture_write(f, f->trail, out);
	free(out);
	free(text);
}

/* What cannot be done is not offered, and says why. */
static void
nothing_is_offered_where_nothing_was_changed(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	vt_key(v, "5");
	see(v, "No change yet");
	vt_assert_lacks(v, "go to the file");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "nothing was changed yet");
	fixture_leave(v);
}

/* Who and where the tests run is none of the screen's; times are masked. */
static void
screens(void **state)
{
	static const char *const terms[] = { "xterm", "screen", "tmux", "linux" };
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "estate" } };
	struct vt *v = fixture_open_unlocked(f);

	seal_broker(v);
	update_key(v, "second");
	fixture_leave(v);
	trail_replace(f, "\"user\":\"", NULL, "ana");
	trail_replace(f, "\"host\":\"", NULL, "eu-ops1");
	trail_replace(f, "\"time\":\"", NULL, "2026-01-02T03:04:05.678Z");
	trail_replace(f, "\"file\":\"", f->dir, "/srv");
	v = fixture_open(f);
	vt_key(v, "5");
	vt_key(v, "j");
	vt_assert_has(v, "ana");
	golden_assert_sizes(v, "history");
	/* A heading has its own, and no pane is left empty. */
	vt_resize(v, 40, 120);
	vt_key(v, KEY_HOME);
	vt_assert_has(v, "this day");
	vt_assert_has(v, "2 changes: 2 done.");
	vt_assert_has(v, " From 03:04:05 to 03:04:05 UTC.");
	vt_type(v, "jj");
	vt_resize(v, 50, 200);
	vt_assert_has(v, "host        eu-ops1, process ");
	vt_assert_has(v, "outcome     done");
	vt_assert_has(v, "began       2026-01-02 03:04:05 UTC, ");
	vt_assert_has(v, "owner       ana, uid ");
	vt_assert_has(v, "Cannot be undone");
	vt_resize(v, 24, 80);
	fixture_leave(v);
	for (size_t i = 0; i < 4; i++) {
		s.term = terms[i];
		v = fixture_run(f, &s);
		vt_key(v, "5");
		vt_key(v, "j");
		golden_assert_text(v, "history-80x24");
		fixture_leave(v);
	}
}

/* Where there is room for it no name of a command is cut. */
static void
commands_are_named_whole(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .command = "master-key", .args = { "generate", "--passphrase",
		"@pass", "--local-secrets-file", "new.properties" } };
	struct vt *v;

	fixture_write(f, "pass", FIXTURE_NEW_PASSPHRASE);
	v = fixture_run(f, &s);
	assert_int_equal(vt_wait_exit(v), 0);
	vt_free(v);
	v = fixture_open(f);
	vt_key(v, "5");
	vt_assert_has(v, "master-key generate new.properties");
	vt_resize(v, 50, 200);
	vt_assert_has(v, "master-key generate new.properties");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_change_is_told_with_its_files_and_keys),
		FIXTURE_TEST(a_line_that_was_changed_is_found),
		FIXTURE_TEST(a_change_is_undone_byte_for_byte),
		FIXTURE_TERMS(a_change_is_undone_byte_for_byte),
		FIXTURE_TEST(what_cannot_be_undone_says_why),
		FIXTURE_TEST(each_change_has_its_line_with_the_newest_first),
		FIXTURE_TEST(what_another_file_refers_to_stays),
		FIXTURE_TEST(nothing_is_offered_where_nothing_was_changed),
		FIXTURE_TEST(small_and_large_screens_have_it),
		FIXTURE_TEST(commands_are_named_whole),
		FIXTURE_TEST(screens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
