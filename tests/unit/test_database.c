/* The database's file: what is not opened and not touched, and copies of it. */
#include <pthread.h>
#include <stdatomic.h>
#include "store_support.h"

struct bytes {
	unsigned char *at;
	size_t n;
};

static struct bytes
slurp(const char *path)
{
	struct stat st = files_stat(path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytes b = { malloc((size_t)st.st_size + 1), (size_t)st.st_size };

	assert_true(fd != -1 && b.at != NULL);
	assert_int_equal(read(fd, b.at, b.n), b.n);
	close(fd);
	return b;
}

static void
assert_refused(enum error_code code, const char *what)
{
	struct error err = { 0 };

	assert_null(database_open(STORE_FILE, &err));
	if (err.code != code || strstr(err.text, what) == NULL)
		fail_msg("%d instead of %d: %s", err.code, code, err.text);
}

/* It is refused, and no byte of it or beside it changes. */
static void
assert_refused_untouched(enum error_code code, const char *what)
{
	struct bytes b = slurp(STORE_FILE);
	int n = files_count(".");

	assert_refused(code, what);
	assert_true(files_hold(STORE_FILE, b.at, b.n));
	assert_int_equal(files_count("."), n);
	free(b.at);
}

static void
poke(off_t at, const void *bytes, size_t n)
{
	int fd = open(STORE_FILE, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

/* A registry with some secrets, closed. */
static void
make(int secrets)
{
	struct master *m = store_master('a');
	struct store *s = store_on(m);
	char path[16];

	for (int i = 0; i < secrets; i++) {
		snprintf(path, sizeof(path), "path-%d", i);
		assert_int_equal(store_create(s, path, "k", "value"), 1);
	}
	store_end(s);
	master_free(m);
}

static void
test_foreign_files_are_refused_untouched(void **state)
{
	(void)state;
	files_put(STORE_FILE, "", 0600);
	assert_refused_untouched(ERROR_DAMAGED, "no SQLite file");
	assert_int_equal(unlink(STORE_FILE), 0);
	files_put(STORE_FILE, "a = b\n", 0644);
	assert_refused_untouched(ERROR_DAMAGED, "no SQLite file");
	assert_int_equal(files_stat(STORE_FILE).st_mode & 07777, 0644);
	assert_int_equal(unlink(STORE_FILE), 0);
	store_sql("CREATE TABLE secret(offset INTEGER PRIMARY KEY)");
	assert_refused_untouched(ERROR_DAMAGED, "not a registry's");
	assert_int_equal(unlink(STORE_FILE), 0);
	assert_int_equal(mkdir(STORE_FILE, 0700), 0);
	assert_refused(ERROR_DAMAGED, "not a regular file");
	assert_int_equal(rmdir(STORE_FILE), 0);
	assert_int_equal(mkfifo(STORE_FILE, 0600), 0);
	assert_refused(ERROR_DAMAGED, "not a regular file");
	assert_int_equal(files_count("."), 1);
}

static void
test_tables_that_are_not_ours_are_refused(void **state)
{
	static const char *const changes[] = {
		"CREATE TRIGGER t AFTER INSERT ON secret BEGIN DELETE FROM secret; END",
		"CREATE TABLE more(x)",
		"CREATE INDEX i ON secret(key)",
		"DROP TABLE meta",
		"DROP INDEX secret_due",
		"ALTER TABLE change ADD COLUMN more INTEGER",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		make(1);
		store_sql(changes[i]);
		assert_refused_untouched(ERROR_DAMAGED, "other tables");
		assert_int_equal(unlink(STORE_FILE), 0);
	}
}

static void
test_another_edition_is_refused_untouched(void **state)
{
	(void)state;
	make(1);
	store_sql("PRAGMA user_version=3");
	assert_int_equal(database_look(STORE_FILE, NULL), -1);
	assert_refused_untouched(ERROR_REFUSED, "format is 3");
	store_sql("PRAGMA user_version=1");
	assert_int_equal(database_look(STORE_FILE, NULL), DATABASE_FIRST);
	assert_refused_untouched(ERROR_REFUSED, "first edition");
}

static void
test_a_damaged_file_is_refused_untouched(void **state)
{
	static const unsigned char noise[64] = { 0xff, 0x13, 0x77 };
	struct bytes whole;

	(void)state;
	make(300);
	whole = slurp(STORE_FILE);
	/* Cut short, at a page and within one. */
	assert_int_equal(truncate(STORE_FILE, (off_t)whole.n - 4096), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	assert_int_equal(truncate(STORE_FILE, (off_t)whole.n / 2 + 100), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	assert_int_equal(truncate(STORE_FILE, 50), 0);
	assert_refused_untouched(ERROR_DAMAGED, "");
	/* The head of each page but the first, one after the other. */
	for (size_t at = 4096; at + 4096 <= whole.n; at += 4096) {
		assert_int_equal(unlink(STORE_FILE), 0);
		files_put_bytes(STORE_FILE, whole.at, whole.n, 0600);
		poke((off_t)at, noise, sizeof(noise));
		assert_refused_untouched(ERROR_DAMAGED, "damaged");
	}
	free(whole.at);
}

static void
leave_open(void *arg)
{
	struct database *d = database_open(STORE_FILE, NULL);

	(void)arg;
	CHECK(d != NULL && database_begin(d, NULL) == 0 &&
	    database_set_meta(database_writer(d), "left", 7, STORE_FILE, NULL) == 0 &&
	    database_commit(d, NULL) == 0);
	/* Ends without closing it. */
	CHECK(unlink("." STORE_FILE ".propseal-lock") == 0);
}

static void
test_a_write_ahead_log_without_its_file_starts_nothing(void **state)
{
	struct database *d;
	int64_t left;

	(void)state;
	make(1);
	files_in_child(leave_open, NULL);
	assert_true(files_stat(STORE_FILE "-wal").st_size > 0);
	assert_int_equal(rename(STORE_FILE, "elsewhere"), 0);
	assert_refused(ERROR_DAMAGED, STORE_FILE "-wal");
	assert_int_equal(access(STORE_FILE, F_OK), -1);
	assert_int_equal(rename("elsewhere", STORE_FILE), 0);
	d = database_open(STORE_FILE, NULL);
	assert_non_null(d);
	assert_int_equal(database_meta(database_writer(d), "left", 0, &left, STORE_FILE, NULL), 0);
	assert_int_equal(left, 7);
	database_close(d);
}

static void
open_too(void *arg)
{
	struct error err = { 0 };

	(void)arg;
	CHECK(database_open(STORE_FILE, &err) == NULL && err.code == ERROR_BUSY);
}

static void
test_one_process_alone_has_it(void **state)
{
	struct database *d = database_open(STORE_FILE, NULL);

	(void)state;
	assert_non_null(d);
	files_in_child(open_too, NULL);
	database_close(d);
}

static void
test_hard_links_are_refused(void **state)
{
	(void)state;
	make(1);
	assert_int_equal(link(STORE_FILE, "other.db"), 0);
	assert_refused_untouched(ERROR_REFUSED, "hard links");
	assert_int_equal(unlink("other.db"), 0);
	make(0);
}

static void
test_a_backup_is_of_one_moment_and_goes_over_no_file(void **state)
{
	struct master *m = store_master('a');
	struct store *s = store_on(m);
	struct error err = { 0 };
	char v[64];

	(void)state;
	store_create(s, "p", "k", "before");
	assert_int_equal(database_backup(store_database(s), "copy.db", &err), 0);
	assert_int_equal(files_stat("copy.db").st_mode & 07777, 0600);
	store_create(s, "p", "k", "after");
	assert_int_equal(database_backup(store_database(s), "copy.db", &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	assert_int_equal(database_backup(store_database(s), "gone/copy.db", &err), -1);
	store_end(s);
	assert_int_equal(rename("copy.db", STORE_FILE), 0);
	s = store_on(m);
	assert_true(store_value(s, "p", "k", 0, v));
	assert_string_equal(v, "before");
	store_end(s);
	assert_int_equal(files_count("."), 1);
	master_free(m);
}

struct busy {
	struct store *s;
	atomic_bool stop;
	unsigned made;
};

static void *
write_on(void *arg)
{
	struct busy *b = arg;

	while (!atomic_load(&b->stop))
		b->made += store_create(b->s, "p", "k", "x") != 0;
	return NULL;
}

static void
test_a_backup_during_writes_is_whole(void **state)
{
	struct master *m = store_master('a');
	struct busy b = { .s = store_on(m) };
	struct error err = { 0 };
	pthread_t thread;
	unsigned made;
	char v[64];

	(void)state;
	for (int i = 0; i < 500; i++)
		store_create(b.s, "q", "k", "x");
	pthread_create(&thread, NULL, write_on, &b);
	if (database_backup(store_database(b.s), "copy.db", &err) != 0)
		fail_msg("%s", err.text);
	atomic_store(&b.stop, true);
	pthread_join(thread, NULL);
	made = b.made;
	store_end(b.s);
	assert_int_equal(rename("copy.db", STORE_FILE), 0);
	b.s = store_on(m);
	assert_true(store_value(b.s, "q", "k", 500, v));
	assert_in_range(store_create(b.s, "p", "k", "x"), 1, made + 1);
	store_end(b.s);
	master_free(m);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_foreign_files_are_refused_untouched),
		CASE(test_tables_that_are_not_ours_are_refused),
		CASE(test_another_edition_is_refused_untouched),
		CASE(test_a_damaged_file_is_refused_untouched),
		CASE(test_a_write_ahead_log_without_its_file_starts_nothing),
		CASE(test_one_process_alone_has_it),
		CASE(test_hard_links_are_refused),
		CASE(test_a_backup_is_of_one_moment_and_goes_over_no_file),
		CASE(test_a_backup_during_writes_is_whole),
	};

	return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
