/* What lists show, and in which order: filter words, sorting, searching, one list of all. */
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>

#include "steps.h"

#define SEARCHED "ssl.keystore.password"

/* Is ${one} above ${other} on the screen?  Both must be there. */
static bool
is_above(struct vt *v, const char *one, const char *other)
{
	int a, b, col;

	vt_assert_has(v, one);
	vt_assert_has(v, other);
	(void)vt_find(v, one, &a, &col);
	(void)vt_find(v, other, &b, &col);
	return a < b;
}

static void
words_say_what_is_shown_and_what_is_not(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "F");
	vt_assert_has(v, "! D  -password  env:prod  file:server");
	type_line(v, "! D");
	vt_assert_has(v, "secrets [!] [D]");
	vt_assert_has(v, "ssl.keystore.password         clear");
	vt_assert_has(v, "db.password");
	vt_assert_has(v, "no entry");
	vt_assert_lacks(v, "vault.token");
	vt_assert_lacks(v, "S consumer.ssl");
	/* What is typed next is added to what is there; a minus takes away. */
	vt_key(v, "F");
	type_line(v, " -keystore file:broker");
	vt_assert_has(v, "secrets [!] [D] [-keystore] [file:broker]");
	vt_assert_has(v, "ssl.truststore.password");
	vt_assert_lacks(v, "db.password");
	vt_assert_lacks(v, "ssl.keystore.password         clear");
	/* Esc in the field keeps what was there. */
	vt_key(v, "F");
	vt_type(v, " nothing has this" KEY_ESC);
	vt_assert_has(v, "[file:broker]");
	vt_assert_lacks(v, "nothing has this");
	vt_key(v, "F");
	type_line(v, " nothing has this");
	vt_assert_has(v, "Nothing passes the filter words.");
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "[!]");
	vt_assert_has(v, "vault.token");
	/* An environment that there is not. */
	vt_key(v, "F");
	type_line(v, "env:prod");
	vt_assert_has(v, "Nothing passes the filter words.");
	vt_key(v, "F");
	type_line(v, "\025-env:prod O");
	vt_assert_has(v, "vault.token");
	vt_assert_lacks(v, "db.password");
	vt_key(v, "F");
	type_line(v, "\025a a a a a a a a a a a a a a a a a");
	vt_assert_has(v, "at most 16 words");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[-env:prod] [O]");
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

static void
only_what_the_words_show_is_marked(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "F");
	type_line(v, "! -keystore");
	vt_key(v, "A");
	vt_assert_has(v, "[1 files]");
	vt_assert_has(v, "3 marked");
	/* The marks stay when the words go. */
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "3 marked");
	vt_assert_has(v, "ssl.keystore.password         clear");
	vt_key(v, "3");
	vt_assert_has(v, "[3 pending 3]");
	vt_assert_has(v, "db.password");
	vt_assert_lacks(v, "ssl.keystore.password");
	vt_key(v, "1");
	vt_key(v, "u");
	/* A file has what is shown of it; a range, too. */
	vt_key(v, "F");
	type_line(v, "truststore");
	vt_key(v, KEY_HOME);
	vt_key(v, "j");
	vt_key(v, "a");
	vt_assert_has(v, "1 marked");
	vt_key(v, "u");
	vt_key(v, KEY_HOME);
	vt_key(v, "v");
	vt_key(v, KEY_END);
	vt_key(v, " ");
	vt_assert_has(v, "1 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
entries_and_files_are_sorted_and_the_cursor_stays(void **state)
{
	struct fixture *f = *state;
	struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	char path[256];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/estate/broker.properties", f->dir);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	v = fixture_open(f);
	vt_settle(v);
	assert_true(is_above(v, "broker.properties  ", "connect/worker.properties"));
	assert_true(is_above(v, "S ssl.key.password", "! ssl.truststore.password"));
	type_line(v, "/truststore.pass");
	vt_assert_has(v, "broker.properties:7" INTO "ssl.truststore.password");
	vt_key(v, "o");
	vt_assert_has(v, "sorted worst first");
	vt_assert_has(v, "secrets worst first");
	assert_true(is_above(v, "! ssl.truststore.password", "S ssl.key.password"));
	assert_true(is_above(v, "D ssl.key.password", "S consumer.ssl.key.password"));
	vt_assert_has(v, "broker.properties:7" INTO "ssl.truststore.password");
	vt_key(v, "o");
	vt_assert_has(v, "sorted by name");
	assert_true(is_above(v, "S ssl.key.password", "! ssl.keystore.password"));
	assert_true(is_above(v, "consumer.ssl.key.password", "! db.password"));
	vt_key(v, "o");
	vt_assert_has(v, "sorted newest first");
	assert_true(is_above(v, "connect/worker.properties", "broker.properties  "));
	vt_assert_has(v, "broker.properties:7" INTO "ssl.truststore.password");
	vt_key(v, "o");
	vt_assert_has(v, "sorted as in the files");
	assert_true(is_above(v, "broker.properties  ", "connect/worker.properties"));
	vt_assert_has(v, "broker.properties:7" INTO "ssl.truststore.password");
	fixture_leave(v);
}

/* The folder comes after the name. */
static void
files_are_sorted_by_their_own_names(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/estate/zoo", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "estate/zoo/alpha.properties", "x.password=long-and-new-secret-1\n");
	v = fixture_open(f);
	vt_key(v, "-");
	assert_true(is_above(v, "broker.properties  ", "alpha.properties"));
	vt_type(v, "oo");
	vt_assert_has(v, "sorted by name");
	assert_true(is_above(v, "alpha.properties", "broker.properties  "));
	assert_true(is_above(v, "broker.properties  ", "worker.properties"));
	fixture_leave(v);
}

static void
one_list_of_all_entries_says_where_each_stands(void **state)
{
	struct fixture_start s = { .rows = 24, .cols = 120 };
	struct vt *v;

	v = fixture_run(*state, &s);
	type_line(v, "/db.pass");
	vt_key(v, "B");
	vt_assert_has(v, "all entries in one list");
	vt_assert_has(v, "secrets flat");
	vt_assert_has(v, "connect/worker.properties:2");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	vt_assert_lacks(v, "1! 1D 2S");
	/* All clear text stands on top. */
	vt_key(v, "o");
	assert_true(is_above(v, "! db.password", "S ssl.key.password"));
	assert_true(is_above(v, "! ssl.truststore.password", "D ssl.key.password"));
	vt_key(v, "A");
	vt_assert_has(v, "4 marked");
	vt_key(v, "u");
	/* There is nothing to fold. */
	vt_key(v, "h");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	vt_key(v, "B");
	vt_assert_lacks(v, "secrets flat");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	fixture_leave(v);
}

static void
matches_are_counted_and_underlined(void **state)
{
	struct vt *v = fixture_open(*state);
	int row, col;

	vt_type(v, "/ssl.k");
	vt_assert_has(v, "1 of 5");
	vt_key(v, KEY_ENTER);
	assert_true(vt_find(v, "! " SEARCHED, &row, &col));
	assert_true(vt_cell(v, row, col + 2).attrs.underline != 0);
	assert_true(vt_cell(v, row, col + 2 + (int)strlen("ssl.")).attrs.underline != 0);
	assert_true(vt_cell(v, row, col + 2 + (int)strlen("ssl.k")).attrs.underline == 0);
	vt_key(v, "n");
	vt_assert_has(v, "match 2 of 5 for \"ssl.k\"");
	vt_key(v, "N");
	vt_assert_has(v, "match 1 of 5");
	/* What is folded is counted, too. */
	vt_key(v, "-");
	vt_type(v, "/SSL.K");
	vt_assert_has(v, "of 5");
	vt_type(v, "nothing");
	vt_assert_has(v, "no match");
	vt_key(v, KEY_ESC);
	/* And nothing is underlined any more. */
	vt_key(v, "+");
	assert_true(vt_find(v, SEARCHED, &row, &col));
	assert_true(vt_cell(v, row, col).attrs.underline == 0);
	fixture_leave(v);
}

static void
words_and_orders_are_for_findings_too(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char *report;

	vt_key(v, "2");
	vt_key(v, "F");
	type_line(v, "E -key -env:nowhere rule:clear");
	vt_assert_has(v, "[E] [-key] [-env:nowhere] [rule:clear]");
	vt_assert_has(v, "db.password");
	vt_assert_has(v, "ssl.truststore.password");
	vt_assert_lacks(v, "ssl.keystore.password");
	vt_assert_lacks(v, "dangling");
	vt_assert_lacks(v, "weak-kdf");
	vt_key(v, "A");
	vt_assert_has(v, "3 marked");
	vt_key(v, "u");
	/* A group, too, is only what is shown of it. */
	vt_key(v, KEY_HOME);
	vt_key(v, " ");
	vt_assert_has(v, "3 marked");
	vt_key(v, "u");
	/* And a report. */
	vt_key(v, "E");
	vt_key(v, "\025");
	type_line(v, "shown.json");
	vt_assert_has(v, "wrote 3 of 10 findings to shown.json");
	report = fixture_read(f, "shown.json");
	assert_non_null(report);
	assert_non_null(strstr(report, "db.password"));
	assert_null(strstr(report, "ssl.keystore.password"));
	assert_null(strstr(report, "orphan"));
	free(report);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "weak-kdf");
	vt_assert_has(v, "[2 findings");
	/* By name, in a group of one file. */
	vt_type(v, "BB");
	vt_key(v, "o");
	vt_assert_has(v, "as in the files");
	vt_key(v, "o");
	vt_assert_has(v, "sorted by name");
	assert_true(is_above(v, "ssl.key.password", "vault.token"));
	vt_key(v, "o");
	vt_assert_has(v, "sorted newest first");
	vt_key(v, "o");
	vt_assert_has(v, "sorted worst first");
	fixture_leave(v);
}

static void
command_for_a_mode_is_copied(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/it's a file.properties", "x.password=odd-file-secret-88\n");
	v = fixture_open(f);
	vt_key(v, "2");
	vt_key(v, "y");
	vt_assert_has(v, "only of a file's mode there is a command to copy");
	vt_key(v, "F");
	type_line(v, "rule:open-mode file:it's");
	vt_key(v, KEY_END);
	vt_key(v, "y");
	vt_assert_has(v, "chmod o-rwx 'estate/it'\\''s a file.properties'");
	/* chmod o-rwx 'estate/it'\''s a file.properties' */
	assert_true(vt_sent(v, "\033]52;c;Y2htb2Qgby1yd3ggJ2VzdGF0ZS9pdCdcJydzIGEgZmlsZS5wcm9wZXJ0aWVzJw=="
	    "\a"));
	fixture_leave(v);
}

/* Who can name a file must not have what is pasted into a shell do anything else. */
static void
command_with_a_name_that_types_is_not_copied(void **state)
{
	static const char *const names[] = { "\003id>owned", "\033[2Jx", "\302\233x", "one\ntwo",
		"\342\200\256x" };
	struct fixture *f = *state;
	char path[128];
	struct vt *v;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "estate/odd%zu%s.properties", i, names[i]);
		fixture_write(f, path, "x.password=odd-file-secret-88\n");
	}
	v = fixture_open(f);
	vt_key(v, "2");
	vt_assert_has(v, "files read");
	vt_key(v, "+");		/* groups are folded where not all fit */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		vt_key(v, "F");
		vt_key(v, "\025");	/* ^U: without the words before */
		snprintf(path, sizeof(path), "rule:open-mode file:odd%zu", i);
		type_line(v, path);
		vt_key(v, KEY_END);
		vt_key(v, "y");
		vt_assert_has(v, "not copied: the name has characters");
	}
	assert_false(vt_sent(v, "\033]52;c;"));
	fixture_leave(v);
}

/* The file of the rows on top stays as the first line, and never covers the cursor. */
static void
file_of_the_rows_on_top_stays(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char text[4096], row[256], head[64];
	size_t n = 0;
	int y, x, i;

	for (i = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a%02d.password=x%d-clear\n", i, i);
	fixture_write(f, "estate/zoo.properties", text);
	v = fixture_open(f);
	vt_settle(v);
	vt_key(v, "+");
	vt_key(v, KEY_HOME);
	vt_row(v, 2, row, sizeof(row));
	assert_non_null(strstr(row, " . "));
	vt_key(v, KEY_END);
	vt_assert_has(v, "a59.password");
	vt_row(v, 2, row, sizeof(row));
	assert_non_null(strstr(row, "." INTO "zoo.properties"));
	assert_non_null(strstr(row, "60! \342\206\221"));
	/* How many are hidden is what is above the first that is shown. */
	vt_row(v, 3, row, sizeof(row));
	assert_non_null(strstr(row, ".password"));
	i = atoi(strstr(row, ".password") - 2);
	snprintf(head, sizeof(head), "\342\206\221%d", i);
	vt_row(v, 2, row, sizeof(row));
	assert_non_null(strstr(row, head));
	/* Up to the row below it nothing moves; then the rows do. */
	for (; i < 59; i++)
		vt_key(v, "k");
	vt_row(v, 2, row, sizeof(row));
	assert_non_null(strstr(row, head));
	vt_cursor(v, &y, &x);
	assert_int_equal(y, 3);
	vt_key(v, "k");
	vt_row(v, 2, row, sizeof(row));
	assert_null(strstr(row, head));
	vt_cursor(v, &y, &x);
	assert_int_equal(y, 3);
	/* All the way, each row of the file with the cursor is seen below a head, until that
	 * is a row itself. */
	for (i = 0; i < 70; i++) {
		vt_key(v, "k");
		vt_cursor(v, &y, &x);
		vt_row(v, y, row, sizeof(row));
		assert_int_equal(row[0], '>');
	}
	vt_row(v, 2, row, sizeof(row));
	assert_null(strstr(row, "\342\206\221"));
	/* Too low for one. */
	vt_key(v, KEY_END);
	vt_resize(v, 5, 40);
	vt_assert_lacks(v, "\342\206\221");
	vt_key(v, "k");
	fixture_leave(v);
}

/* Longer than any buffer for a name: both its ends are there. */
static void
very_long_key_has_a_name(void **state)
{
	struct fixture *f = *state;
	const size_t n = 70000;
	char *text = malloc(n + 64);
	struct vt *v;

	assert_non_null(text);
	memset(text, 'k', n);
	snprintf(text + n, 64, ".the.password=long-clear-Vw31\n");
	fixture_write(f, "estate/broker.properties", text);
	free(text);
	v = fixture_open(f);
	type_line(v, "/the.password");
	see(v, "! kkk");
	vt_assert_has(v, ".the.password");
	fixture_leave(v);
}

/* A `g` waits for a second key, and shows what that may be. */
static void
two_keys_go_to_the_ends_and_to_what_belongs_together(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/zoo.properties", "x.password=${securepass:"
	    "/etc/kafka/secrets.properties:broker.properties/ssl.key.password}\n");
	fixture_keep(f);
	v = fixture_open(f);
	vt_settle(v);
	vt_key(v, "g");
	vt_assert_has(v, "g first line");
	vt_assert_has(v, "e last line");
	vt_assert_has(v, "s to the secrets file");
	vt_assert_has(v, "f to the line of the file that the entry is in");
	vt_assert_has(v, "u to the next entry that uses the same sealed one");
	/* What else comes does nothing but to be told. */
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "e last line");
	vt_type(v, "gA");
	vt_assert_has(v, "g A goes nowhere");
	vt_assert_lacks(v, "marked");
	vt_type(v, "ge");
	vt_assert_has(v, "zoo.properties:1" INTO "x.password");
	vt_type(v, "gf");
	vt_assert_has(v, INTO "zoo.properties \342\224\200");
	vt_type(v, "gg");
	vt_assert_lacks(v, "zoo.properties \342\224\200");
	vt_assert_lacks(v, "zoo.properties:1");
	/* What cannot be done now says why. */
	vt_type(v, "gu");
	vt_assert_has(v, "gu (user): select a sealed entry first");
	type_line(v, "/ssl.key.pass");
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_type(v, "gu");
	vt_assert_has(v, "zoo.properties:1" INTO "x.password");
	vt_type(v, "gu");
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_type(v, "gs");
	vt_assert_has(v, "secrets.properties:8" INTO "broker.properties/ssl.key.password");
	vt_type(v, "ge");
	vt_assert_has(v, "old.properties/orphan.password \342\224\200");
	/* In another view, and on the smallest screen. */
	vt_type(v, "2ge");
	vt_type(v, "gf");
	vt_type(v, "gs");
	vt_assert_has(v, "gs (secrets-file): this is for the configuration files");
	vt_resize(v, 5, 20);
	vt_key(v, "g");
	vt_assert_has(v, "g first line");
	vt_assert_has(v, "u to the next entry");
	vt_key(v, KEY_ESC);
	vt_resize(v, 24, 80);
	/* The help lists and does them. */
	vt_type(v, "1?gs");
	vt_assert_has(v, "secrets-file");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(words_say_what_is_shown_and_what_is_not),
		FIXTURE_TEST(only_what_the_words_show_is_marked),
		FIXTURE_TEST(entries_and_files_are_sorted_and_the_cursor_stays),
		FIXTURE_TEST(files_are_sorted_by_their_own_names),
		FIXTURE_TEST(one_list_of_all_entries_says_where_each_stands),
		FIXTURE_TEST(matches_are_counted_and_underlined),
		FIXTURE_TEST(words_and_orders_are_for_findings_too),
		FIXTURE_TEST(command_for_a_mode_is_copied),
		FIXTURE_TEST(command_with_a_name_that_types_is_not_copied),
		FIXTURE_TEST(file_of_the_rows_on_top_stays),
		FIXTURE_TEST(very_long_key_has_a_name),
		FIXTURE_TEST(two_keys_go_to_the_ends_and_to_what_belongs_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
