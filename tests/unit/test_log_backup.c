/* Online copies of the SQLite log. */
#include <sys/resource.h>
#include <stdatomic.h>
#include "log_sqlite_kind.h"

static void
assert_no_backup(struct log *l, const char *path, enum error_code code)
{
	struct error err = { 0 };

	assert_int_equal(log_backup(l, path, &err), -1);
	assert_int_equal(err.code, code);
	assert_string_equal(err.file, path);
}

static void
must_back_up(struct log *l, const char *path)
{
	struct error err = { 0 };

	if (log_backup(l, path, &err) == -1)
		fail_msg("backup: %s: %s", err.file, err.text);
}

static void
test_a_backup_is_the_same_log(void **state)
{
	struct log *l = kind_start(), *copy;
	static struct fold a, b;
	uint64_t epoch, later;

	(void)state;
	umask(0);
	assert_int_equal(log_claim(l, "node", &epoch, NULL), 0);
	fill(l, 400);
	append_one(l, "0", NULL);
	append_one(l, "k", "before");
	append_one(l, "gone", NULL);
	must_back_up(l, "copy.db");
	umask(022);
	assert_int_equal(files_stat("copy.db").st_mode, S_IFREG | 0600);
	/* The log with the two beside it, and the copy alone. */
	assert_int_equal(files_count("."), 4);
	fold_all(l, &a);
	append_one(l, "k", "after");
	copy = open_at("copy.db");
	fold_all(copy, &b);
	assert_true(fold_same(&a, &b));
	assert_int_equal(log_claim(copy, "node", &later, NULL), 0);
	assert_int_equal(later, epoch + 1);
	assert_true(end_of(copy) >= a.last + 2);
	append_one(copy, "more", "1");
	log_free(copy);
	assert_value(l, "k", "after");
	assert_value(l, "more", "-");
	log_free(l);
	assert_int_equal(files_count("."), 2);
}

static void
test_a_backup_goes_over_no_file(void **state)
{
	struct log *l = kind_start();

	(void)state;
	files_put("there", "mine", 0644);
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_no_backup(l, "there", ERROR_EXISTS);
	assert_no_backup(l, "folder", ERROR_EXISTS);
	assert_no_backup(l, "gone/copy.db", ERROR_IO);
	assert_no_backup(l, "log.db", ERROR_EXISTS);
	assert_true(files_have("there", "mine"));
	append_one(l, "k", "v");
	assert_value(l, "k", "v");
	log_free(l);
	assert_int_equal(files_count("."), 4);
}

static void
test_a_leftover_of_a_backup_is_no_hindrance(void **state)
{
	struct log *l = kind_start();

	(void)state;
	append_one(l, "k", "v");
	files_put(".copy.db.propseal-tmp", "half", 0600);
	files_put(".copy.db.propseal-tmp-journal", "half", 0600);
	must_back_up(l, "copy.db");
	log_free(l);
	assert_int_equal(files_count("."), 2);
}

#define MOST 20000

struct appending {
	struct log *log;
	atomic_bool stop;
	uint64_t last;
};

/* Pairs, of which a copy must have both or none. */
static void *
append_until_told(void *arg)
{
	struct appending *a = arg;
	char keys[2][16];
	struct log_record batch[2];
	uint64_t first;
	int i;

	for (i = 0; !a->stop && i < MOST; i++) {
		snprintf(keys[0], sizeof(keys[0]), "a%d", i % 50);
		snprintf(keys[1], sizeof(keys[1]), "b%d", i % 50);
		batch[0] = record(keys[0], "1");
		batch[1] = record(keys[1], "2");
		if (log_append(a->log, batch, 2, &first, NULL) == -1)
			return a;
		a->last = first + 1;
	}
	return NULL;
}

static void
test_a_backup_during_appends_is_whole(void **state)
{
	struct appending a = { .log = kind_start() };
	struct log *copy;
	pthread_t thread;
	void *failed;
	static struct fold f;
	uint64_t before;

	(void)state;
	/* Several steps' worth of pages. */
	char *value = malloc(LOG_VALUE_MAX);
	struct log_record large[4] = {
		{ "w", 1, value, LOG_VALUE_MAX }, { "x", 1, value, LOG_VALUE_MAX },
		{ "y", 1, value, LOG_VALUE_MAX }, { "z", 1, value, LOG_VALUE_MAX },
	};

	assert_non_null(value);
	memset(value, 'v', LOG_VALUE_MAX);
	before = append_all(a.log, large, 4);
	free(value);
	assert_int_equal(pthread_create(&thread, NULL, append_until_told, &a), 0);
	must_back_up(a.log, "copy.db");
	a.stop = true;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_true(a.last > before);
	copy = open_at("copy.db");
	fold_all(copy, &f);
	assert_int_equal(f.n % 2, 0);
	assert_non_null(fold_find(&f, "z", 1));
	log_free(copy);
	log_free(a.log);
	assert_int_equal(files_count("."), 2);
}

static void
back_up_beyond_the_limit(void *arg)
{
	struct rlimit limit = { 300000, RLIM_INFINITY };
	struct error err = { 0 };
	struct log *l = log_sqlite_open("log.db", &err);

	(void)arg;
	CHECK(l != NULL);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(log_backup(l, "copy.db", &err) == -1);
	CHECK(err.code == ERROR_IO);
	CHECK(strcmp(err.file, "copy.db") == 0);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(access("copy.db", F_OK) == -1);
	CHECK(log_backup(l, "copy.db", &err) == 0);
	log_free(l);
}

static void
test_a_backup_without_room_leaves_nothing(void **state)
{
	struct log *l = kind_start();

	(void)state;
	fill(l, 500);
	kind_stop(l);
	files_in_child(back_up_beyond_the_limit, NULL);
	assert_int_equal(files_count("."), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_a_backup_is_the_same_log),
		LOG_TEST(test_a_backup_goes_over_no_file),
		LOG_TEST(test_a_leftover_of_a_backup_is_no_hindrance),
		LOG_TEST(test_a_backup_during_appends_is_whole),
		LOG_TEST(test_a_backup_without_room_leaves_nothing),
	};

	return cmocka_run_group_tests_name("log backup", tests, NULL, NULL);
}
