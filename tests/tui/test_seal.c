/* Mark, review, apply; and every way out of it that must change nothing. */
#include <errno.h>
#include <sys/stat.h>

#include "golden.h"
#include "steps.h"

static const char broker[] = "estate/broker.properties";

static void
marked_values_are_sealed_after_review_and_yes(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "a");
	vt_assert_has(v, "2 marked");
	golden_assert(v, "marked-80x24");
	vt_key(v, "p");
	vt_assert_has(v, "[3 pending 2]");
	golden_assert(v, "pending-of-one-file-80x24");
	vt_key(v, "P");
	vt_assert_has(v, "Seal 2 values in 1 file");
	golden_assert(v, "review-80x24");
	vt_key(v, "w");
	vt_assert_has(v, "[Cancel]");
	golden_assert(v, "confirm-80x24");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "[Apply]");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "sealed 2 values in 1 file");
	vt_key(v, "1");
	vt_assert_has(v, "1X 1D 4S");
	vt_assert_lacks(v, "marked");
	fixture_quit(v);
	assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
	vt_free(v);
	fixture_assert_not_in_file(f, broker, FIXTURE_KEYSTORE_SECRET);
	fixture_assert_not_in_file(f, broker, "truststore-clear");
	/* What was not asked for is as it was. */
	fixture_assert_in_file(f, broker, "# Broker 1: this comment must survive\nbroker.id=1\n"
	    "listeners = SASL_SSL://0.0.0.0:9093\n");
	/* The path is the one that the file's references use already. */
	fixture_assert_in_file(f, broker, "ssl.keystore.password=${securepass:"
	    "/etc/kafka/secrets.properties:broker.properties/ssl.keystore.password}\n");
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
	fixture_assert_value(f, broker, "ssl.truststore.password", FIXTURE_TRUSTSTORE_SECRET);
	fixture_assert_value(f, broker, "ssl.key.password", FIXTURE_BROKER_SECRET);
}

static void
apply_key_puts_the_question_over_the_diff(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "A");
	vt_assert_has(v, "4 marked");
	vt_key(v, "w");
	vt_assert_has(v, "[Cancel]");
	vt_assert_has(v, "connect/worker.properties");
	vt_key(v, KEY_RIGHT);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "sealed 4 values in 2 files");
	fixture_leave(v);
	fixture_assert_value(f, "estate/connect/worker.properties", "db.password",
	    FIXTURE_DB_SECRET);
	fixture_assert_value(f, "estate/connect/worker.properties",
	    "\344\275\234\350\200\205.password",
	    FIXTURE_WIDE_SECRET);
	/* It is in the trail, which has no value. */
	fixture_assert_in_file(f, f->trail, "\"command\":\"ui\",\"environment\":\".\"");
	fixture_assert_in_file(f, f->trail, "\"outcome\":\"done\"");
	fixture_assert_not_in_file(f, f->trail, FIXTURE_DB_SECRET);
	fixture_assert_not_in_file(f, f->trail, FIXTURE_WIDE_SECRET);
}

static void
the_key_that_asks_never_confirms(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "A");
	vt_type(v, "wwwwww");
	/* Enter takes what has the focus: Cancel. */
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "[Cancel]");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "4 marked");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
every_way_back_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "ap");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	vt_type(v, "pPq");
	vt_type(v, "Pw");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_type(v, "Pm");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[3 pending 2]");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "2 marked");
	vt_key(v, "q");
	vt_assert_has(v, "Quit?");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "2 marked");
	vt_key(v, "q");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER);
	assert_int_equal(vt_wait_exit(v), 0);
	vt_free(v);
	fixture_assert_unchanged(f);
}

static void
path_in_references_can_be_changed_in_the_review(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "apPm");
	vt_assert_has(v, "/etc/kafka/secrets.properties");
	vt_key(v, "\025");
	type_line(v, "/run/s.properties");
	vt_assert_has(v, "Path in references: /run/s.properties");
	apply(v);
	vt_assert_has(v, "sealed 2 values");
	fixture_leave(v);
	fixture_assert_in_file(f, broker,
	    "${securepass:/run/s.properties:broker.properties/ssl.keystore.password}");
}

static void
single_marks_ranges_and_clearing(void **state)
{
	struct vt *v = fixture_open(*state);

	type_line(v, "/keystore.pass");
	vt_key(v, " ");
	vt_assert_has(v, "1 marked");
	vt_key(v, "k");
	vt_key(v, " ");
	vt_assert_lacks(v, "1 marked");
	/* A range takes any plain value that is shown, and nothing else. */
	vt_type(v, "fff");
	vt_key(v, KEY_HOME);
	vt_key(v, "v");
	vt_assert_has(v, "range:");
	vt_key(v, KEY_END);
	golden_assert(v, "range-80x24");
	vt_key(v, " ");
	vt_assert_has(v, "8 marked");
	vt_key(v, "u");
	vt_assert_lacks(v, "marked");
	/* Escape ends a range without marks. */
	vt_key(v, "v");
	vt_key(v, "k");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "marked");
	fixture_leave(v);
}

/* What is switched off stays in the list, and is not done. */
static void
edits_can_be_switched_off_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "A3");
	vt_assert_has(v, "[3 pending 4]");
	vt_assert_has(v, "4 edits in 2 files");
	vt_assert_has(v, "[x] ! ssl.keystore.password");
	vt_assert_has(v, "+ 4 values sealed, in 2 files");
	/* From the destination to its first file, to the first edit of that. */
	vt_type(v, "jj");
	vt_assert_has(v, "-ssl.keystore.password=\342\200\242\342\200\242");
	vt_assert_has(v, "+ssl.keystore.password=${securepass:/etc/kafka/secrets.properties:");
	vt_key(v, " ");
	vt_assert_has(v, "[ ] ! ssl.keystore.password");
	vt_assert_has(v, "3 edits in 2 files, 1 off");
	vt_assert_has(v, "! still clear here: 1 (off)");
	/* A file with one key, and twice more. */
	vt_type(v, "/");
	type_line(v, "worker");
	vt_key(v, " ");
	vt_assert_has(v, "1 edit in 1 file, 3 off");
	vt_key(v, "k");
	vt_key(v, " ");
	vt_assert_has(v, "3 edits in 2 files, 1 off");
	golden_assert(v, "pending-off-80x24");
	apply(v);
	vt_assert_has(v, "sealed 3 values in 2 files");
	vt_assert_has(v, "[3 pending 1]");
	vt_assert_has(v, "0 edits in 0 files, 1 off");
	vt_key(v, "w");
	vt_assert_has(v, "w (apply): all that is pending is switched off");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_in_file(f, broker, "ssl.keystore.password=" FIXTURE_KEYSTORE_SECRET "\n");
	fixture_assert_value(f, broker, "ssl.truststore.password", FIXTURE_TRUSTSTORE_SECRET);
	fixture_assert_value(f, "estate/connect/worker.properties", "db.password",
	    FIXTURE_DB_SECRET);
}

/* Marked anew is on again. */
static void
what_was_switched_off_is_on_when_it_is_marked_anew(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_type(v, "ap ");
	vt_assert_has(v, "0 edits in 0 files, 2 off");
	vt_key(v, "u");
	vt_type(v, "1a3");
	vt_assert_has(v, "2 edits in 1 file");
	vt_assert_lacks(v, " off");
	vt_key(v, "u");
	fixture_leave(v);
}

/* Nor does one that is gone count for another one. */
static void
what_was_switched_off_and_is_gone_switches_nothing_else_off(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	/* Its mark is taken away in another view. */
	type_line(v, "/keystore.pass");
	vt_type(v, " 3 ");
	vt_assert_has(v, "0 edits in 0 files, 1 off");
	vt_key(v, "2");
	type_line(v, "/keystore.pass");
	vt_key(v, " ");
	vt_assert_lacks(v, "marked");
	type_line(v, "/truststore.pass");
	vt_type(v, " w");
	vt_assert_has(v, "1 value");
	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	/* And with the file that it stood in. */
	vt_key(v, "3");
	vt_type(v, "jj ");
	vt_assert_has(v, "0 edits in 0 files, 1 off");
	fixture_write(f, broker, "broker.id=1\n");
	vt_key(v, "R");
	see(v, "Nothing is pending.");
	vt_key(v, "1");
	type_line(v, "/db.password");
	vt_type(v, " w");
	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
}

static void
destination_of_one_file_can_be_changed(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "A3/");
	type_line(v, "broker");
	vt_key(v, "e");
	vt_assert_has(v, "/etc/kafka/secrets.properties");
	vt_key(v, "\025");
	type_line(v, "/run/s.properties");
	vt_assert_has(v, "services as /run/s.properties");
	vt_key(v, "j");
	vt_assert_has(v, "+ssl.keystore.password=${securepass:/run/s.properties:");
	apply(v);
	vt_assert_has(v, "sealed 4 values in 2 files");
	fixture_leave(v);
	fixture_assert_in_file(f, broker,
	    "${securepass:/run/s.properties:broker.properties/ssl.keystore.password}");
	fixture_assert_in_file(f, "estate/connect/worker.properties",
	    "db.password=${securepass:/etc/kafka/secrets.properties:worker.properties/db.password}");
}

/* It is no question of two files, and the others of its file are sealed. */
static void
value_that_cannot_be_sealed_is_left_out_alone(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/z.properties", "ssl.key.password=caf\xe9-clear\n"
	    "ssl.keystore.password=fine-clear\n");
	v = fixture_open_unlocked(f);
	type_line(v, "/z.prop");
	vt_key(v, "a");
	vt_key(v, "w");
	vt_assert_has(v, "One value cannot be sealed");
	vt_assert_has(v, "z.properties:1: ssl.key.password");
	vt_assert_has(v, "no UTF-8");
	vt_assert_has(v, "write the characters as UTF-8");
	vt_assert_has(v, "[Cancel]");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Into secrets.properties");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	fixture_assert_in_file(f, "estate/z.properties", "caf\xe9-clear");
	fixture_assert_not_in_file(f, "estate/z.properties", "fine-clear");
}

static void
what_the_filter_hides_is_never_marked(void **state)
{
	struct vt *v = fixture_open(*state);

	/* Clear text, then problems: the secrets in clear text are not shown. */
	vt_type(v, "ff");
	vt_key(v, "A");
	vt_assert_has(v, "A (mark-all): the filter hides what is in clear text");
	vt_key(v, "j");
	vt_key(v, "a");
	vt_assert_has(v, "no secret in clear text of this file is shown");
	vt_assert_lacks(v, "marked");
	vt_key(v, KEY_ESC);
	vt_key(v, "A");
	vt_assert_has(v, "4 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
marks_that_do_not_fit_any_more_are_told(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "a");
	fixture_write(f, broker, "ssl.keystore.password=" FIXTURE_KEYSTORE_SECRET "\n");
	vt_type(v, "pP");
	vt_assert_has(v, "This cannot be planned");
	vt_assert_has(v, "R reads it anew");
	vt_key(v, KEY_ENTER);
	vt_key(v, "R");
	see(v, "1 mark is gone");
	vt_assert_has(v, "1 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
a_list_in_a_question_keeps_its_indentation(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, broker, "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer."
	    "OAuthBearerLoginModule required clientSecret=\"" FIXTURE_KEYSTORE_SECRET "\";\n");
	v = fixture_open_unlocked(f);
	vt_type(v, "aw");
	vt_assert_has(v, "\342\224\202     sasl.jaas.config/org.apache.kafka");
	vt_assert_lacks(v, "\342\224\202 BearerLoginModule");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
}

static void
what_is_no_plain_value_cannot_be_marked_and_says_why(void **state)
{
	struct vt *v = fixture_open(*state);

	type_line(v, "/vault.token");
	vt_key(v, " ");
	vt_assert_has(v, "Space (mark): the value comes from another provider already");
	vt_type(v, "fff");
	type_line(v, "/config.providers");
	vt_key(v, " ");
	vt_assert_has(v, "the providers must stay readable");
	fixture_leave(v);
}

/* So many that Esc, which waits for what may follow it, is there before the end. */
#define MANY 700

/* Files are changed by the batch, and it can be stopped between them. */
static void
apply_can_be_stopped_between_files(void **state)
{
	struct fixture *f = *state;
	char path[64], text[64];
	size_t done = 0;
	struct vt *v;
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "estate/many%03d.properties", i);
		snprintf(text, sizeof(text), "a.password=many-clear-%03d\n", i);
		fixture_write(f, path, text);
	}
	v = fixture_open_unlocked(f);
	vt_key(v, "A");
	vt_key(v, "w");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER KEY_ESC);
	see(v, "Only a part was applied");
	see(v, "files are not changed");
	/* What became of each file. */
	see(v, "# left    many");
	vt_key(v, KEY_END);
	see(v, "+ done    ");
	vt_key(v, KEY_ESC);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "estate/many%03d.properties", i);
		snprintf(text, sizeof(text), "many%03d.properties/a.password", i);
		if (fixture_is_in_file(f, path, "many-clear"))
			continue;
		done++;
		fixture_assert_in_file(f, "estate/secrets.properties", text);
	}
	assert_in_range(done, 1, MANY - 1);
	/* What is left is still marked, and can be sealed. */
	see(v, " marked");
	vt_key(v, "w");
	confirm(v);
	see(v, "and read back");
	fixture_leave(v);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "estate/many%03d.properties", i);
		fixture_assert_not_in_file(f, path, "many-clear");
	}
}

/* More than are read again one by one, and something is to be told of it: the files that were
 * sealed are others by then. */
static void
many_files_are_counted_when_there_is_a_note(void **state)
{
	static const char *const folders[] = { "", "/propseal", "/propseal/trail.jsonl" };
	struct fixture *f = *state;
	char path[256], text[64];
	struct vt *v;
	int i;

	/* No file, so that no line can be written. */
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", f->state, folders[i]);
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	for (i = 0; i < 80; i++) {
		snprintf(path, sizeof(path), "estate/many%03d.properties", i);
		snprintf(text, sizeof(text), "a.password=many-clear-%03d\n", i);
		fixture_write(f, path, text);
	}
	v = fixture_open_unlocked(f);
	vt_key(v, "A");
	vt_key(v, "w");
	confirm(v);
	see(v, "is not in the trail");
	vt_key(v, KEY_ESC);
	see(v, "sealed 84 values in 82 files, and read back");
	vt_assert_lacks(v, "marked");
	fixture_leave(v);
	fixture_assert_not_in_file(f, "estate/many079.properties", "many-clear");
}

static void
file_that_changed_since_the_review_is_refused(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "aw");
	fixture_write(f, broker, "ssl.keystore.password=somebody-else-was-here\n");
	fixture_keep(f);
	confirm(v);
	vt_assert_has(v, "Not applied");
	vt_assert_has(v, "broker.properties");
	/* What is beside it on the screen is how things are now. */
	vt_assert_lacks(v, "There is no secrets file here");
	vt_assert_has(v, "1 marked");
	vt_key(v, KEY_ENTER);
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
without_a_key_the_pending_set_is_shown(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_type(v, "ap");
	vt_assert_has(v, "[3 pending 2]");
	vt_assert_has(v, "ssl.truststore.password");
	vt_assert_has(v, "1 secrets file is locked");
	/* The whole diff, and the change, need the key. */
	vt_key(v, "P");
	vt_assert_has(v, "Unlock");
	vt_key(v, KEY_ESC);
	vt_key(v, "w");
	vt_assert_has(v, "Unlock");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[3 pending 2]");
	vt_key(v, "u");
	vt_assert_has(v, "Nothing is pending.");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(marked_values_are_sealed_after_review_and_yes),
		FIXTURE_TEST(apply_key_puts_the_question_over_the_diff),
		FIXTURE_TEST(the_key_that_asks_never_confirms),
		FIXTURE_TEST(every_way_back_changes_nothing),
		FIXTURE_TEST(path_in_references_can_be_changed_in_the_review),
		FIXTURE_TEST(single_marks_ranges_and_clearing),
		FIXTURE_TEST(edits_can_be_switched_off_one_by_one),
		FIXTURE_TEST(what_was_switched_off_is_on_when_it_is_marked_anew),
		FIXTURE_TEST(what_was_switched_off_and_is_gone_switches_nothing_else_off),
		FIXTURE_TEST(destination_of_one_file_can_be_changed),
		FIXTURE_TEST(value_that_cannot_be_sealed_is_left_out_alone),
		FIXTURE_TEST(what_the_filter_hides_is_never_marked),
		FIXTURE_TEST(marks_that_do_not_fit_any_more_are_told),
		FIXTURE_TEST(a_list_in_a_question_keeps_its_indentation),
		FIXTURE_TEST(what_is_no_plain_value_cannot_be_marked_and_says_why),
		FIXTURE_TEST(apply_can_be_stopped_between_files),
		FIXTURE_TEST(many_files_are_counted_when_there_is_a_note),
		FIXTURE_TEST(file_that_changed_since_the_review_is_refused),
		FIXTURE_TEST(without_a_key_the_pending_set_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
