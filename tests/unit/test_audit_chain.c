#include <string.h>

#include "audit_support.h"

#define LINES 6		/* of a log that write_log makes: start, two pairs, stop */

static void
write_log(void)
{
	struct audit *a = audit_start(NULL);

	for (int i = 0; i < 2; i++)
		assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
}

static void
put(const char *path, const char *text, size_t n)
{
	unlink(path);
	files_put_bytes(path, text, n, 0600);
}

/* Where line ${i} (from 0) begins. */
static char *
line_at(char *text, size_t i)
{
	for (; i > 0; i--)
		text = strchr(text, '\n') + 1;
	return text;
}

static void
test_a_whole_chain_is_whole(void **state)
{
	(void)state;
	write_log();
	audit_assert_whole(LINES);
	write_log();
	audit_assert_whole(2 * LINES);
}

static void
test_a_changed_byte_is_found_in_its_line(void **state)
{
	char *text;
	size_t n;

	(void)state;
	write_log();
	text = audit_text_of(FILE_NAME, &n);
	for (size_t i = 0; i < n; i += 13) {
		size_t line = 1;

		if (text[i] == '\n')
			continue;
		for (size_t j = 0; j < i; j++)
			line += text[j] == '\n';
		text[i] ^= 1;
		/* One that makes or ends lines is found too, but in another place. */
		if (text[i] != '\n') {
			put(FILE_NAME, text, n);
			audit_assert_broken(FILE_NAME, line);
		}
		text[i] ^= 1;
	}
	free(text);
}

static void
test_a_line_removed_or_doubled_or_moved_is_found(void **state)
{
	char *text, *third, *fourth, *changed;
	size_t n, third_len;

	(void)state;
	write_log();
	text = audit_text_of(FILE_NAME, &n);
	changed = malloc(2 * n);
	assert_non_null(changed);
	third = line_at(text, 2);
	fourth = line_at(text, 3);
	third_len = (size_t)(fourth - third);

	memcpy(changed, text, (size_t)(third - text));
	memcpy(changed + (third - text), fourth, n - (size_t)(fourth - text));
	put(FILE_NAME, changed, n - third_len);
	audit_assert_broken(FILE_NAME, 3);

	memcpy(changed, text, (size_t)(fourth - text));
	memcpy(changed + (fourth - text), third, n - (size_t)(third - text));
	put(FILE_NAME, changed, n + third_len);
	audit_assert_broken(FILE_NAME, 4);

	/* Up to the third; then the fourth, the third, ... */
	memcpy(changed, text, n);
	memcpy(changed + (third - text), fourth, (size_t)(line_at(text, 4) - fourth));
	memcpy(changed + (third - text) + (line_at(text, 4) - fourth), third, third_len);
	put(FILE_NAME, changed, n);
	audit_assert_broken(FILE_NAME, 3);
	free(changed);
	free(text);
}

static void
test_lines_missing_at_either_end_are_found(void **state)
{
	char *text;
	size_t n;

	(void)state;
	write_log();
	text = audit_text_of(FILE_NAME, &n);
	put(FILE_NAME, line_at(text, 1), n - (size_t)(line_at(text, 1) - text));
	audit_assert_broken(FILE_NAME, 1);
	put(FILE_NAME, text, (size_t)(line_at(text, 5) - text));
	audit_assert_broken(FILE_NAME, 0);

	/* The database has them still. */
	write_log();
	audit_assert_whole(2 * LINES);
	free(text);
}

static void
test_lines_that_are_nowhere_are_missed(void **state)
{
	(void)state;
	write_log();
	assert_int_equal(unlink(FILE_NAME), 0);
	audit_sql("DELETE FROM audit WHERE seq<4");
	write_log();
	audit_assert_broken(FILE_NAME, 1);
}

static void
test_a_database_that_is_older_is_refused(void **state)
{
	struct audit_options o = audit_defaults();
	struct error err = { 0 };

	(void)state;
	write_log();
	assert_int_equal(rename(AUDIT_DB, "backup"), 0);
	/* By the file, by the anchor, and an empty one by either. */
	audit_assert_refused(&o, audit_key, ERROR_REFUSED, &err);
	assert_int_equal(unlink(AUDIT_DB), 0);
	assert_int_equal(rename("backup", AUDIT_DB), 0);
	audit_sql("DELETE FROM audit WHERE seq>3");
	audit_assert_refused(&o, audit_key, ERROR_REFUSED, &err);
	assert_string_equal(err.file, FILE_NAME);
	assert_non_null(strstr(err.hint, "restore"));
	assert_int_equal(unlink(FILE_NAME), 0);
	audit_assert_refused(&o, audit_key, ERROR_REFUSED, &err);
}

static int
follow(void *cookie, const struct audit_record *r)
{
	assert_non_null(r->time);
	++*(int *)cookie;
	return 0;
}

static void
test_a_log_that_was_begun_elsewhere_goes_on(void **state)
{
	struct database *d;
	struct audit_end end;
	struct error err = { 0 };
	int lines = 0;

	(void)state;
	write_log();
	assert_int_equal(unlink(AUDIT_DB), 0);
	/* As after the first edition. */
	d = database_open(AUDIT_DB, &err);
	assert_int_equal(database_set_meta(database_writer(d), "first", 1, AUDIT_DB, NULL), 0);
	database_close(d);
	write_log();
	audit_assert_whole(2 * LINES);
	/* As after a restore. */
	audit_sql("DELETE FROM audit WHERE seq>9");
	assert_int_equal(audit_follow(FILE_NAME, audit_key, 9, follow, &lines, &end, &err), 0);
	assert_int_equal(lines, 3);
	assert_int_equal(end.missing, 0);
	assert_int_equal(end.seq, 2 * LINES);
	d = database_open(AUDIT_DB, &err);
	assert_int_equal(audit_adopt(database_writer(d), AUDIT_DB, end.seq, end.hash, &err), 0);
	database_close(d);
	write_log();
	audit_assert_whole(3 * LINES);
	/* Lines that are not to be found are counted. */
	assert_int_equal(truncate(FILE_NAME, 100), 0);
	assert_int_equal(audit_follow(FILE_NAME, audit_key, 9, follow, &lines, &end, &err), 0);
	assert_int_equal(end.missing, 3 * LINES - 9);
}

static void
test_a_changed_anchor_is_found(void **state)
{
	struct audit_options o = audit_defaults();
	struct error err = { 0 };
	char *text;
	size_t n;

	(void)state;
	write_log();
	text = audit_text_of(FILE_NAME ".anchor", &n);
	text[7] ^= 1;
	put(FILE_NAME ".anchor", text, n);
	free(text);
	audit_assert_broken(FILE_NAME ".anchor", 0);
	audit_assert_refused(&o, audit_key, ERROR_DAMAGED, &err);
}

static void
test_another_key_fits_nothing(void **state)
{
	struct audit_options o = audit_defaults();
	struct key *other = key_new_random(32, NULL);
	struct error err = { 0 };
	uint64_t lines;

	(void)state;
	write_log();
	assert_int_equal(audit_verify(FILE_NAME, other, &lines, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	unlink(FILE_NAME ".anchor");
	err.code = ERROR_NONE;
	assert_int_equal(audit_verify(FILE_NAME, other, &lines, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	err.code = ERROR_NONE;
	audit_assert_refused(&o, other, ERROR_DAMAGED, &err);
	key_free(other);
}

static void
test_another_file_is_left_alone(void **state)
{
	struct audit_options o = audit_defaults();
	struct error err = { 0 };

	(void)state;
	files_put(FILE_NAME, "precious\n", 0644);
	audit_assert_refused(&o, audit_key, ERROR_DAMAGED, &err);
	assert_true(files_have(FILE_NAME, "precious\n"));
}

static void
test_a_changed_last_line_is_refused_at_start(void **state)
{
	struct audit_options o = audit_defaults();
	struct error err = { 0 };
	char *text;
	size_t n;

	(void)state;
	write_log();
	text = audit_text_of(FILE_NAME, &n);
	line_at(text, LINES - 1)[20] ^= 1;
	put(FILE_NAME, text, n);
	free(text);
	audit_assert_refused(&o, audit_key, ERROR_DAMAGED, &err);
	assert_string_equal(err.file, FILE_NAME);
}

static void
test_two_processes_cannot_write_one_log(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a = audit_start(NULL);
	struct error err = { 0 };
	struct database *d = database_open("other.db", NULL);

	(void)state;
	o.db = d;
	assert_null(audit_open(&o, audit_key, &err));
	assert_int_equal(err.code, ERROR_BUSY);
	database_close(d);
	audit_end(a);
}

/* A log that ends with 40 bytes of its last line. */
static void
write_torn_log(void)
{
	char *text;
	size_t n, cut;

	write_log();
	text = audit_text_of(FILE_NAME, &n);
	cut = (size_t)(line_at(text, LINES - 1) - text) + 40;
	free(text);
	unlink(FILE_NAME ".anchor");
	assert_int_equal(truncate(FILE_NAME, (off_t)cut), 0);
}

static void
test_a_torn_line_is_cut_off_and_written_again(void **state)
{
	(void)state;
	write_torn_log();
	audit_assert_whole(LINES - 1);
	write_log();
	audit_assert_whole(2 * LINES);
}

static void
test_a_file_torn_in_its_first_line_goes_on(void **state)
{
	(void)state;
	files_put(FILE_NAME, "{\"specversion\":\"1.0\",\"id\":\"00", 0600);
	write_log();
	audit_assert_whole(LINES);
	files_put(FILE_NAME ".x", "", 0600);
	assert_int_equal(rename(FILE_NAME ".x", FILE_NAME), 0);
	write_log();
	audit_assert_whole(2 * LINES);
}

/* The names of rotated files, oldest first, by their seq. */
static size_t
rotated(char names[][300], size_t max)
{
	struct dirent **list;
	int n = scandir(".", &list, NULL, alphasort);
	size_t count = 0;

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (strncmp(list[i]->d_name, FILE_NAME ".2", strlen(FILE_NAME) + 2) == 0 &&
		    count < max)
			snprintf(names[count++], 300, "%s", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	/* Those of one second are not in the order of their seq: 10 is before 9. */
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (atoi(strrchr(names[j], '-') + 1) < atoi(strrchr(names[i], '-') + 1)) {
				char swap[300];

				memcpy(swap, names[i], 300);
				memcpy(names[i], names[j], 300);
				memcpy(names[j], swap, 300);
			}
	return count;
}

static char names[64][300];

static void
test_the_chain_goes_on_over_rotated_files(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;
	size_t n;

	(void)state;
	o.rotate_bytes = 5000;
	a = audit_start(&o);
	for (int i = 0; i < 40; i++)
		assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	n = rotated(names, 64);
	assert_true(n > 5);
	assert_int_equal(files_stat(names[0]).st_mode & 07777, 0600);
	for (size_t i = 0; i < n; i++)
		assert_true(files_stat(names[i]).st_size <= 5000);
	audit_assert_whole(82);
	a = audit_start(&o);
	audit_end(a);
	audit_assert_whole(84);

	assert_int_equal(rename(names[3], "aside"), 0);
	audit_assert_broken(names[4], 1);
	assert_int_equal(rename("aside", names[3]), 0);
	assert_int_equal(truncate(names[2], files_stat(names[2]).st_size - 1), 0);
	audit_assert_broken(names[2], audit_count_lines(names[2]) + 1);
}

static void
test_files_of_any_name_beside_it_are_in_the_chain(void **state)
{
	(void)state;
	write_log();
	assert_int_equal(rename(FILE_NAME, FILE_NAME ".9"), 0);
	write_log();
	assert_int_equal(rename(FILE_NAME, FILE_NAME ".10"), 0);
	write_log();
	files_put(FILE_NAME ".txt", "something else\n", 0600);
	files_put(FILE_NAME ".empty", "", 0600);
	assert_int_equal(mkdir(FILE_NAME ".d", 0700), 0);
	audit_assert_whole(3 * LINES);
}

static void
test_only_so_many_rotated_files_are_kept(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;
	size_t n;

	(void)state;
	o.rotate_bytes = 5000;
	o.keep = 3;
	files_put(FILE_NAME ".1", "not ours\n", 0600);
	a = audit_start(&o);
	for (int i = 0; i < 40; i++)
		assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	n = rotated(names, 64);
	assert_int_equal(n, 3);
	assert_true(files_have(FILE_NAME ".1", "not ours\n"));
	audit_assert_whole(0);

	/* Who removes one more is found out. */
	assert_int_equal(unlink(names[0]), 0);
	audit_assert_broken(names[1], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_whole_chain_is_whole),
		TEST(test_a_changed_byte_is_found_in_its_line),
		TEST(test_a_line_removed_or_doubled_or_moved_is_found),
		TEST(test_lines_missing_at_either_end_are_found),
		TEST(test_lines_that_are_nowhere_are_missed),
		TEST(test_a_database_that_is_older_is_refused),
		TEST(test_a_log_that_was_begun_elsewhere_goes_on),
		TEST(test_a_changed_anchor_is_found),
		TEST(test_another_key_fits_nothing),
		TEST(test_another_file_is_left_alone),
		TEST(test_a_changed_last_line_is_refused_at_start),
		TEST(test_two_processes_cannot_write_one_log),
		TEST(test_a_torn_line_is_cut_off_and_written_again),
		TEST(test_a_file_torn_in_its_first_line_goes_on),
		TEST(test_the_chain_goes_on_over_rotated_files),
		TEST(test_files_of_any_name_beside_it_are_in_the_chain),
		TEST(test_only_so_many_rotated_files_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
