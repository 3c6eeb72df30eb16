#include "log_sqlite_kind.h"

static void
test_files_are_for_the_owner_alone(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct log *l;

		umask(masks[i]);
		l = kind_start();
		append_one(l, "k", "v");
		assert_int_equal(files_stat("log.db").st_mode & 07777, 0600);
		assert_int_equal(files_stat("log.db-wal").st_mode & 07777, 0600);
		assert_int_equal(files_count("."), 3);
		kind_stop(l);
		umask(022);
		assert_int_equal(unlink("log.db"), 0);
	}
}

static void
test_loose_permissions_are_taken_away(void **state)
{
	struct log *l = kind_start();

	(void)state;
	kind_stop(l);
	assert_int_equal(chmod("log.db", 0644), 0);
	l = kind_start();
	append_one(l, "k", "v");
	assert_int_equal(files_stat("log.db").st_mode & 07777, 0600);
	assert_int_equal(files_stat("log.db-wal").st_mode & 07777, 0600);
	kind_stop(l);
}

static void
open_second(void *arg)
{
	struct error err = { 0 };

	(void)arg;
	CHECK(log_sqlite_open("log.db", &err) == NULL);
	CHECK(err.code == ERROR_BUSY);
	CHECK(strcmp(err.file, "log.db") == 0);
	CHECK(strstr(err.text, "held by process") != NULL);
	CHECK(strstr(err.hint, "one process alone") != NULL);
	/* By another name, too. */
	CHECK(log_sqlite_open("link.db", &err) == NULL);
	CHECK(err.code == ERROR_BUSY);
	/* And another program gets neither in nor at what is beside it. */
	CHECK(sql("log.db", "SELECT * FROM record") == SQLITE_BUSY);
	CHECK(sql("log.db", "INSERT INTO record VALUES(99,x'00',x'00')") == SQLITE_BUSY);
}

static void
test_a_second_process_is_refused(void **state)
{
	struct log *l = kind_start();

	(void)state;
	assert_int_equal(symlink("log.db", "link.db"), 0);
	append_one(l, "a", "1");
	files_in_child(open_second, NULL);
	assert_no_log("log.db", ERROR_BUSY, "held by process");
	append_one(l, "b", "2");
	log_free(l);
	l = open_at("link.db");
	assert_value(l, "a", "1");
	assert_value(l, "b", "2");
	log_free(l);
	assert_int_equal(files_count("."), 2);
}

static void
test_a_file_that_another_program_uses_is_busy(void **state)
{
	struct log *l = kind_start();
	sqlite3 *db;

	(void)state;
	append_one(l, "a", "1");
	kind_stop(l);
	/* In this process: SQLite tells its own connections apart likewise. */
	assert_int_equal(sqlite3_open("log.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM record", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_no_log("log.db", ERROR_BUSY, "another process");
	sqlite3_close(db);
	l = kind_start();
	assert_value(l, "a", "1");
	kind_stop(l);
}

static void
test_names_are_only_names(void **state)
{
	static const char *const names[] = { ":memory:", "file:x?mode=memory", "a b'\".db", "%41" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct log *l = open_at(names[i]);

		append_one(l, "k", "v");
		log_free(l);
		assert_int_equal(files_stat(names[i]).st_mode, S_IFREG | 0600);
		assert_int_equal(files_count("."), i + 1);
	}
	assert_no_log("gone/log.db", ERROR_IO, "");
	assert_int_equal(files_count("."), i);
}

static void
test_a_leftover_of_a_start_is_no_hindrance(void **state)
{
	struct log *l;

	(void)state;
	files_put(".log.db.propseal-tmp", "half a file", 0600);
	files_put(".log.db.propseal-tmp-wal", "half a file", 0600);
	l = kind_start();
	append_one(l, "k", "v");
	kind_stop(l);
}

static void
test_deleted_values_leave_the_file(void **state)
{
	struct log *l = kind_start();
	struct bytes b;

	(void)state;
	append_one(l, "a", "needle-one");
	append_one(l, "b", "needle-two");
	append_one(l, "c", "kept-three");
	append_one(l, "a", NULL);
	append_one(l, "b", "other");
	kind_stop(l);
	b = slurp("log.db");
	assert_null(memmem(b.at, b.n, "needle", 6));
	assert_non_null(memmem(b.at, b.n, "kept-three", 10));
	free(b.at);
}

static void
test_a_file_that_was_removed_takes_no_more(void **state)
{
	struct log *l = kind_start();
	struct log_record r = record("b", "2");
	struct error err = { 0 };
	uint64_t first;

	(void)state;
	append_one(l, "a", "1");
	assert_int_equal(rename("log.db", "away"), 0);
	assert_int_equal(log_append(l, &r, 1, &first, &err), -1);
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.text, "removed or replaced"));
	assert_int_equal(rename("away", "log.db"), 0);
	append_one(l, "b", "3");
	kind_stop(l);
	l = kind_start();
	assert_value(l, "a", "1");
	assert_value(l, "b", "3");
	kind_stop(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_BEHAVIOUR_TESTS,
		LOG_TEST(test_files_are_for_the_owner_alone),
		LOG_TEST(test_loose_permissions_are_taken_away),
		LOG_TEST(test_a_second_process_is_refused),
		LOG_TEST(test_a_file_that_another_program_uses_is_busy),
		LOG_TEST(test_names_are_only_names),
		LOG_TEST(test_a_leftover_of_a_start_is_no_hindrance),
		LOG_TEST(test_deleted_values_leave_the_file),
		LOG_TEST(test_a_file_that_was_removed_takes_no_more),
	};

	return cmocka_run_group_tests_name("log sqlite", tests, NULL, NULL);
}
