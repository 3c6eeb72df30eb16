/* Files that the SQLite log does not open, and does not touch. */
#include "log_sqlite_kind.h"

/* It is refused, and no byte of it or beside it changes. */
static void
assert_refused_untouched(enum error_code code, const char *what)
{
	struct bytes b = slurp("log.db");
	int n = files_count(".");

	assert_no_log("log.db", code, what);
	assert_true(files_hold("log.db", b.at, b.n));
	assert_int_equal(files_count("."), n);
	free(b.at);
}

static void
poke(const char *path, off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static void
test_foreign_files_are_refused_untouched(void **state)
{
	(void)state;
	files_put("log.db", "", 0600);
	assert_refused_untouched(ERROR_DAMAGED, "no SQLite file");
	assert_int_equal(unlink("log.db"), 0);
	files_put("log.db", "a = b\n", 0644);
	assert_refused_untouched(ERROR_DAMAGED, "no SQLite file");
	assert_int_equal(files_stat("log.db").st_mode & 07777, 0644);
	assert_int_equal(unlink("log.db"), 0);
	must_sql("log.db", "CREATE TABLE record(offset INTEGER PRIMARY KEY)");
	assert_refused_untouched(ERROR_DAMAGED, "not a registry's log");
	assert_int_equal(unlink("log.db"), 0);
	assert_int_equal(mkdir("log.db", 0700), 0);
	assert_no_log("log.db", ERROR_DAMAGED, "not a regular file");
	assert_int_equal(rmdir("log.db"), 0);
	assert_int_equal(mkfifo("log.db", 0600), 0);
	assert_no_log("log.db", ERROR_DAMAGED, "not a regular file");
	assert_int_equal(files_count("."), 1);
}

static void
leave_a_wal(void *arg)
{
	sqlite3 *db;

	(void)arg;
	CHECK(sqlite3_open("log.db", &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)", NULL, NULL,
	    NULL) == SQLITE_OK);
	/* Ends without closing it. */
}

static void
test_a_foreign_file_keeps_its_write_ahead_log(void **state)
{
	struct bytes b;

	(void)state;
	files_in_child(leave_a_wal, NULL);
	b = slurp("log.db-wal");
	assert_true(b.n > 0);
	assert_refused_untouched(ERROR_DAMAGED, "not a registry's log");
	assert_true(files_hold("log.db-wal", b.at, b.n));
	free(b.at);
}

static void
test_tables_that_are_not_ours_are_refused(void **state)
{
	static const char *const changes[] = {
		"CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END",
		"CREATE TABLE more(x)",
		"CREATE INDEX i ON record(key)",
		"DROP TABLE meta",
		"DELETE FROM meta",
		"UPDATE meta SET next=-1",
		"INSERT INTO record VALUES(-5,x'01',x'02')",
		"INSERT INTO record VALUES(5,x'',x'02')",
		"INSERT INTO record VALUES(5,'text',x'02')",
		"INSERT INTO record VALUES(5,x'01',7)",
		"INSERT INTO record VALUES(5,x'01',zeroblob(1048577))",
		"INSERT INTO record VALUES(5,zeroblob(4097),x'02')",
		"INSERT INTO record VALUES(5,x'01',x'02'),(6,x'01',x'03')",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct log *l = kind_start();

		append_one(l, "k", "v");
		kind_stop(l);
		must_sql("log.db", changes[i]);
		assert_refused_untouched(ERROR_DAMAGED, "");
		assert_int_equal(unlink("log.db"), 0);
	}
}

static void
test_a_newer_format_is_refused_untouched(void **state)
{
	(void)state;
	kind_stop(kind_start());
	must_sql("log.db", "PRAGMA user_version=2");
	assert_refused_untouched(ERROR_REFUSED, "format is 2");
}

static void
test_a_damaged_file_is_refused_untouched(void **state)
{
	static const unsigned char noise[64] = { 0xff, 0x13, 0x77 };
	struct bytes whole;
	struct log *l = kind_start();
	size_t at;

	(void)state;
	fill(l, 100);
	kind_stop(l);
	whole = slurp("log.db");
	/* Cut short, at a page and within one. */
	assert_int_equal(truncate("log.db", (off_t)whole.n - 4096), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	assert_int_equal(truncate("log.db", (off_t)whole.n / 2 + 100), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	assert_int_equal(truncate("log.db", 50), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	/* The head of each page but the first, one after the other. */
	for (at = 4096; at + 4096 <= whole.n; at += 4096) {
		assert_int_equal(unlink("log.db"), 0);
		files_put_bytes("log.db", whole.at, whole.n, 0600);
		poke("log.db", (off_t)at, noise, sizeof(noise));
		assert_refused_untouched(ERROR_DAMAGED, "damaged");
	}
	/* What no reading of the tables would meet: the count of free pages. */
	assert_int_equal(unlink("log.db"), 0);
	files_put_bytes("log.db", whole.at, whole.n, 0600);
	poke("log.db", 36, "\0\0\0\7", 4);
	assert_refused_untouched(ERROR_DAMAGED, "damaged");
	free(whole.at);
}

static void
leave_a_log(void *arg)
{
	struct error err = { 0 };
	struct log *l = log_sqlite_open("log.db", &err);
	struct log_record r = record("left", "1");
	uint64_t first;

	(void)arg;
	CHECK(l != NULL && log_append(l, &r, 1, &first, &err) == 0);
	/* Ends without closing it. */
	CHECK(unlink(".log.db.propseal-lock") == 0);
}

static void
test_a_damaged_file_keeps_its_write_ahead_log(void **state)
{
	static const unsigned char noise[64] = { 0xff };
	struct log *l = kind_start();
	struct bytes main_file, wal;

	(void)state;
	fill(l, 100);
	kind_stop(l);
	files_in_child(leave_a_log, NULL);
	wal = slurp("log.db-wal");
	assert_true(wal.n > 0);
	main_file = slurp("log.db");
	poke("log.db", 8 * 4096, noise, sizeof(noise));
	assert_refused_untouched(ERROR_DAMAGED, "damaged");
	assert_true(files_hold("log.db-wal", wal.at, wal.n));
	/* The page put right, all is there. */
	poke("log.db", 8 * 4096, main_file.at + 8 * 4096, 4096);
	l = kind_start();
	assert_value(l, "left", "1");
	assert_int_equal(visited(l), 101);
	kind_stop(l);
	free(main_file.at);
	free(wal.at);
}

static void
test_a_write_ahead_log_without_its_file_starts_nothing(void **state)
{
	(void)state;
	files_in_child(leave_a_log, NULL);
	assert_int_equal(rename("log.db", "elsewhere"), 0);
	assert_no_log("log.db", ERROR_DAMAGED, "log.db-wal");
	assert_int_equal(access("log.db", F_OK), -1);
	assert_int_equal(rename("elsewhere", "log.db"), 0);
	kind_stop(kind_start());
}

static void
test_hard_links_are_refused(void **state)
{
	(void)state;
	kind_stop(kind_start());
	assert_int_equal(link("log.db", "other.db"), 0);
	assert_refused_untouched(ERROR_REFUSED, "hard links");
	assert_int_equal(unlink("other.db"), 0);
	kind_stop(kind_start());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_foreign_files_are_refused_untouched),
		LOG_TEST(test_a_foreign_file_keeps_its_write_ahead_log),
		LOG_TEST(test_tables_that_are_not_ours_are_refused),
		LOG_TEST(test_a_newer_format_is_refused_untouched),
		LOG_TEST(test_a_damaged_file_is_refused_untouched),
		LOG_TEST(test_a_damaged_file_keeps_its_write_ahead_log),
		LOG_TEST(test_a_write_ahead_log_without_its_file_starts_nothing),
		LOG_TEST(test_hard_links_are_refused),
	};

	return cmocka_run_group_tests_name("log refuses", tests, NULL, NULL);
}
