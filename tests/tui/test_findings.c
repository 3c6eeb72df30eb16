/* The view of what an audit finds: groups, fixes, ignoring, reports. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "golden.h"
#include "memory.h"
#include "steps.h"

static const char broker[] = "estate/broker.properties";

static void
every_size_has_the_findings_and_no_secret(void **state)
{
	static const struct {
		int rows, cols;
		const char *golden;
	} sizes[] = {
		{ 24, 80, "findings-80x24" }, { 40, 120, "findings-120x40" },
		{ 5, 20, "findings-20x5" }, { 50, 200, "findings-200x50" },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fixture_start s = { .rows = sizes[i].rows, .cols = sizes[i].cols };
		struct vt *v = fixture_run(*state, &s);

		vt_key(v, "2");
		vt_settle(v);
		golden_assert(v, sizes[i].golden);
		vt_key(v, KEY_HOME);
		vt_key(v, KEY_END);
		vt_key(v, KEY_TAB);
		assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
		assert_false(vt_sent(v, FIXTURE_DB_SECRET));
		fixture_leave(v);
	}
	fixture_assert_unchanged(*state);
}

/* Beside the reasons: the line, the age and the owner of the file, the key of its environment. */
static void
wide_screens_tell_line_age_owner_and_key(void **state)
{
	const struct timespec old[2] = { { .tv_sec = time(NULL) - 5 * 86400 },
		{ .tv_sec = time(NULL) - 5 * 86400 } };
	struct fixture *f = *state;
	char path[512];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/%s", f->dir, broker);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	v = fixture_open_unlocked(f);
	vt_key(v, "2");
	see(v, "ssl.keystore.password");
	type_line(v, "/keystore.pass");
	vt_assert_lacks(v, "owner       ");
	vt_resize(v, 50, 159);
	vt_assert_lacks(v, "owner       ");
	vt_resize(v, 50, 160);
	vt_assert_has(v, "line        5, column ");
	vt_assert_has(v, " UTC, 5 days ago");
	vt_assert_has(v, ", mode 0600");
	vt_assert_has(v, "secrets in  secrets.properties");
	vt_assert_has(v, "key id      ");
	vt_assert_has(v, "data key    2026-01-02, ");
	/* The reasons stand beside it, once. */
	vt_assert_has(v, "Secret in clear text");
	vt_assert_lacks(v, "Why: ");
	fixture_leave(v);
}

static void
groups_are_by_environment_rule_and_file(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "2");
	vt_assert_has(v, "by environment");
	vt_assert_has(v, "E clear-text-secret");
	type_line(v, "/keystore.pass");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	/* The cursor stays on its finding. */
	vt_key(v, "B");
	vt_assert_has(v, "by rule");
	golden_assert(v, "findings-by-rule-80x24");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	vt_key(v, "B");
	vt_assert_has(v, "by file");
	vt_assert_has(v, "line 5");
	vt_assert_has(v, "broker.properties:5" INTO "ssl.keystore.password");
	vt_key(v, "B");
	vt_assert_has(v, "by environment");
	fixture_leave(v);
}

static void
findings_are_sorted_by_what_is_worst_or_as_in_the_files(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	int weak, other, col;

	fixture_write(f, "estate/one.properties", "a.password=changeit\n"
	    "second.password=qX7-long-and-random-81\n");
	v = fixture_open(f);
	vt_key(v, "2");
	see(v, "[2 findings 14]");
	vt_type(v, "F");
	type_line(v, "file:one.properties");
	vt_key(v, "+");
	assert_true(vt_find(v, "default-secret", &weak, &col));
	assert_true(vt_find(v, "second.password", &other, &col));
	assert_in_range(other, 0, weak - 1);
	vt_key(v, "o");
	vt_assert_has(v, "as in the files");
	assert_true(vt_find(v, "default-secret", &weak, &col));
	assert_true(vt_find(v, "second.password", &other, &col));
	assert_in_range(weak, 0, other - 1);
	vt_type(v, "ooo");
	vt_assert_lacks(v, "as in the files");
	vt_assert_has(v, "sorted worst first");
	fixture_leave(v);
}

static void
space_on_a_finding_seals_what_it_is_about(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "2");
	type_line(v, "/keystore.pass");
	vt_key(v, " ");
	vt_assert_has(v, "1 marked");
	vt_key(v, "k");
	vt_assert_has(v, "Marked to be sealed");
	/* It is the same mark as in the files, and goes the same way. */
	apply(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	/* And then there is no such finding any more. */
	see(v, "fixable 3");
	/* With the key, what does not open is told as well. */
	see(v, "damaged-entry");
	vt_assert_lacks(v, "broker.properties:5");
	fixture_leave(v);
	fixture_assert_not_in_file(f, broker, FIXTURE_KEYSTORE_SECRET);
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
	fixture_assert_in_file(f, broker, "truststore-clear-");
}

static void
space_on_a_group_takes_all_that_the_filter_shows(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "2");
	vt_key(v, "B");
	vt_key(v, "B");
	type_line(v, "/worker.prop");
	vt_key(v, " ");
	vt_assert_has(v, "2 marked");
	vt_key(v, " ");
	vt_assert_lacks(v, "marked");
	vt_key(v, "A");
	vt_assert_has(v, "4 marked more");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

static void
what_propseal_does_not_fix_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/start.sh", "export KAFKA_SSL_KEY_PASSWORD=shell-secret-9xQ4\n");
	v = fixture_open(f);
	vt_key(v, "2");
	vt_key(v, "B");
	type_line(v, "/dangling-reference");
	vt_type(v, "j ");
	vt_assert_has(v, "no fix by propseal");
	vt_assert_lacks(v, "marked");
	type_line(v, "/KAFKA_SSL_KEY");
	vt_key(v, " ");
	vt_assert_has(v, "no fix by propseal");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "start.sh:1");
	vt_assert_has(v, "[2 findings");
	assert_false(vt_sent(v, "shell-secret"));
	fixture_leave(v);
}

static void
enter_goes_to_the_entry(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "2");
	type_line(v, "/db.password");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[1 files]");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	/* And the way back is where one was. */
	vt_key(v, "2");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

static void
filters_go_round_and_esc_ends_them(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "2");
	vt_assert_has(v, "weak-kdf");
	vt_key(v, "f");
	vt_assert_has(v, "errors \302\267 by environment");
	vt_assert_lacks(v, "weak-kdf");
	vt_key(v, "f");
	vt_assert_has(v, "what can be sealed here");
	vt_assert_lacks(v, "dangling-reference");
	vt_assert_has(v, "ssl.keystore.password");
	vt_key(v, "f");
	vt_assert_has(v, "everything");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "everything");
	vt_assert_has(v, "[2 findings");
	fixture_leave(v);
}

static void
ignoring_needs_a_reason_and_a_baseline(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "estate", "--baseline", "known.baseline" } };
	struct vt *v = fixture_open(f);

	/* Without one, it says which line does it. */
	vt_key(v, "2");
	type_line(v, "/db.password");
	vt_key(v, "I");
	vt_assert_has(v, "# propseal:ignore clear-text-secret");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);

	v = fixture_run(f, &s);
	vt_key(v, "2");
	type_line(v, "/db.password");
	vt_key(v, "I");
	vt_assert_has(v, "Reason:");
	type_line(v, "  ");
	vt_assert_has(v, "it needs a reason");
	vt_key(v, "I");
	vt_key(v, KEY_ESC);
	fixture_assert_unchanged(f);
	vt_key(v, "I");
	type_line(v, "only a test has it");
	vt_assert_has(v, "ignored; known.baseline has it");
	vt_assert_lacks(v, "db.password");
	vt_key(v, "f");
	vt_key(v, "f");
	vt_key(v, "f");
	vt_assert_has(v, "known");
	fixture_leave(v);
	fixture_assert_in_file(f, "known.baseline", "\"reason\":\"only a test has it\"");
	fixture_assert_in_file(f, "known.baseline", "\"key\":\"db.password\"");
	fixture_assert_not_in_file(f, "known.baseline", "ssl.keystore.password");
	fixture_assert_in_file(f, f->trail, "known.baseline\",\"role\":\"output\",\"new\":true,"
	    "\"keys\":[\"clear-text-secret ");
	fixture_assert_in_file(f, f->trail, "/db.password\"]");
	/* The next one keeps it, and the command reads it. */
	v = fixture_run(f, &s);
	vt_key(v, "2");
	vt_assert_has(v, "1 in the baseline");
	type_line(v, "/keystore.pass");
	vt_key(v, "I");
	type_line(v, "another one");
	fixture_leave(v);
	fixture_assert_in_file(f, "known.baseline", "only a test has it");
	fixture_assert_in_file(f, "known.baseline", "another one");
}

static void
a_report_goes_to_a_new_private_file(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char path[256];
	struct stat st;

	vt_key(v, "2");
	vt_key(v, "E");
	vt_assert_has(v, "propseal-audit.sarif");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "findings to propseal-audit.sarif");
	snprintf(path, sizeof(path), "%s/propseal-audit.sarif", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fixture_assert_in_file(f, "propseal-audit.sarif", "\"version\":\"2.1.0\"");
	fixture_assert_in_file(f, "propseal-audit.sarif", "ssl.keystore.password");
	fixture_assert_not_in_file(f, "propseal-audit.sarif", FIXTURE_KEYSTORE_SECRET);
	/* What is there is not written over, and an ending that is none is told. */
	vt_key(v, "E");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "could not be written");
	vt_key(v, KEY_ENTER);
	vt_key(v, "E");
	vt_key(v, "\025");
	type_line(v, "report.doc");
	vt_assert_has(v, ".sarif .json");
	vt_key(v, KEY_ENTER);
	vt_key(v, "E");
	vt_key(v, "\025");
	type_line(v, "report.html");
	vt_assert_has(v, "findings to report.html");
	/* What the words hide is not in it. */
	vt_key(v, "F");
	type_line(v, "-keystore");
	vt_key(v, "E");
	vt_key(v, "\025");
	type_line(v, "part.json");
	vt_assert_has(v, "findings to part.json");
	fixture_leave(v);
	fixture_assert_in_file(f, "part.json", "ssl.truststore.password");
	fixture_assert_not_in_file(f, "part.json", "ssl.keystore.password");
	fixture_assert_in_file(f, "report.html", "<!DOCTYPE html>");
	fixture_assert_not_in_file(f, "report.html", FIXTURE_DB_SECRET);
}

static void
what_was_not_looked_at_is_told(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/old.properties", "\377\376a");
	v = fixture_open(f);
	vt_key(v, "2");
	vt_assert_has(v, "1 unread file: this audit is not complete");
	vt_assert_has(v, "not checked: 3 (locked)");
	type_line(v, "/not read");
	vt_key(v, "j");
	vt_assert_has(v, "UTF-16");
	fixture_leave(v);
}

static void
keys_that_are_typed_open_what_is_looked_at(void **state)
{
	/* The first bytes of the master key. */
	static const unsigned char raw[] = { 0x7c, 0x1f, 0xcb, 0xcb };
	struct vt *v = fixture_open(*state);

	vt_key(v, "2");
	vt_assert_has(v, "not checked: 3 (locked)");
	vt_assert_lacks(v, "damaged-entry");
	vt_key(v, "U");
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "damaged-entry");
	vt_assert_lacks(v, "not checked");
	/* And what was looked at keeps none of them. */
	vt_key(v, "L");
	vt_assert_has(v, "Locked.");
	if (memory_can_read(vt_pid(v)))
		assert_int_equal(memory_count(vt_pid(v), raw, sizeof(raw)), 0);
	vt_key(v, KEY_ENTER);
	see(v, "not checked: 3 (locked)");
	fixture_leave(v);
}

static void
nothing_found_says_what_was_read(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "calm.properties" } };
	struct vt *v;

	fixture_write(f, "calm.properties", "broker.id=1\n");
	v = fixture_run(f, &s);
	vt_key(v, "2");
	vt_assert_has(v, "No findings. 1 file read");
	vt_assert_has(v, "0 errors");
	vt_key(v, " ");
	vt_assert_has(v, "there is no finding");
	fixture_leave(v);
}

static void
files_that_change_are_looked_at_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "2");
	vt_assert_has(v, "ssl.keystore.password");
	fixture_write(f, broker, "broker.id=1\n");
	vt_key(v, "R");
	vt_wait_text(v, "ssl.keystore.password", false);
	vt_assert_has(v, "db.password");
	fixture_leave(v);
}

/* Files that take seconds to look through, which are one on the disk. */
static void
write_much(struct fixture *f)
{
	const size_t lines = 4000, links = 3000;
	const char line[] = "listener_name_of_a_thing=\"the value of a thing\"\n";
	char *text = malloc(lines * sizeof(line)), path[2][256];

	assert_non_null(text);
	text[0] = '\0';
	for (size_t i = 0, at = 0; i < lines; i++, at += sizeof(line) - 1)
		memcpy(text + at, line, sizeof(line));
	fixture_write(f, "estate/z-much.sh", text);
	free(text);
	snprintf(path[0], sizeof(path[0]), "%s/estate/z-much.sh", f->dir);
	for (size_t i = 0; i < links; i++) {
		snprintf(path[1], sizeof(path[1]), "%s/estate/z-much-%zu.sh", f->dir, i);
		assert_int_equal(link(path[0], path[1]), 0);
	}
}

static void
what_is_found_so_far_is_shown_and_looking_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	char row[512], *at;
	struct vt *v;

	write_much(f);
	v = fixture_open(f);
	vt_send(v, "2");
	see(v, "What is found so far; Esc stops");
	see(v, "E clear-text-secret");
	see(v, "looking, ");
	/* The list is there to be used. */
	vt_send(v, "/db.pass" KEY_ENTER);
	see(v, "worker.properties:2" INTO "db.password");
	vt_send(v, KEY_ESC);
	see(v, "Stopped: this audit is not complete. R looks at all files.");
	/* So it is on the tab: so many, of a part. */
	vt_row(v, 0, row, sizeof(row));
	assert_non_null(at = strstr(row, "[2 findings "));
	assert_int_equal(at[strcspn(at, "]") - 1], '+');
	vt_wait_text(v, "looking, ", false);
	see(v, "worker.properties:2" INTO "db.password");
	/* What only shows when all was looked at is not said to be missing. */
	vt_key(v, "E");
	see(v, "not all files were looked at yet");
	fixture_leave(v);
}

static void
lock_ends_what_looks_with_keys(void **state)
{
	static const unsigned char raw[] = { 0x7c, 0x1f, 0xcb, 0xcb };
	struct fixture *f = *state;
	struct vt *v;

	write_much(f);
	v = fixture_open_unlocked(f);
	vt_send(v, "2");
	see(v, "What is found so far");
	vt_send(v, "L");
	see(v, "No key is kept.");
	if (memory_can_read(vt_pid(v)))
		assert_int_equal(memory_count(vt_pid(v), raw, sizeof(raw)), 0);
	/* It begins anew, without them, and is stopped by leaving. */
	vt_send(v, KEY_ENTER);
	see(v, "looking, ");
	vt_send(v, "q");
	assert_int_equal(vt_wait_exit(v), 0);
	vt_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_size_has_the_findings_and_no_secret),
		FIXTURE_TEST(wide_screens_tell_line_age_owner_and_key),
		FIXTURE_TEST(groups_are_by_environment_rule_and_file),
		FIXTURE_TEST(findings_are_sorted_by_what_is_worst_or_as_in_the_files),
		FIXTURE_TEST(space_on_a_finding_seals_what_it_is_about),
		FIXTURE_TEST(space_on_a_group_takes_all_that_the_filter_shows),
		FIXTURE_TEST(what_propseal_does_not_fix_says_what_to_do),
		FIXTURE_TEST(enter_goes_to_the_entry),
		FIXTURE_TEST(filters_go_round_and_esc_ends_them),
		FIXTURE_TEST(ignoring_needs_a_reason_and_a_baseline),
		FIXTURE_TEST(a_report_goes_to_a_new_private_file),
		FIXTURE_TEST(what_was_not_looked_at_is_told),
		FIXTURE_TEST(keys_that_are_typed_open_what_is_looked_at),
		FIXTURE_TEST(nothing_found_says_what_was_read),
		FIXTURE_TEST(files_that_change_are_looked_at_again),
		FIXTURE_TEST(what_is_found_so_far_is_shown_and_looking_can_be_stopped),
		FIXTURE_TEST(lock_ends_what_looks_with_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
