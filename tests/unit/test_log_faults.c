/*
 * Writes and syncs that fail under the SQLite log, each in turn; then the
 * files as a crash at that moment would leave them.
 */
#include <sys/resource.h>
#include "log_sqlite_kind.h"

enum call { NO_CALL, WRITE, SYNC };

/* From the ${at}th call on (1: the next), ${times} calls fail. */
static struct {
	enum call call;
	int at, times, error;
	int syncs;	/* that were asked for */
} fault;

static bool
is_hit(enum call call)
{
	if (fault.call != call || fault.times == 0 || --fault.at > 0)
		return false;
	fault.times--;
	fault.at = 1;
	errno = fault.error;
	return true;
}

/* These stand before libc's for all that is linked in. */
ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return is_hit(WRITE) ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

int
fdatasync(int fd)
{
	fault.syncs++;
	return is_hit(SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void
copy_file(const char *from, const char *to)
{
	struct bytes b;

	(void)unlink(to);
	if (access(from, F_OK) == -1)
		return;
	b = slurp(from);
	files_put_bytes(to, b.at, b.n, 0600);
	free(b.at);
}

enum seen { BEFORE, AFTER, NEITHER };

/* The state before the batch that meets the fault, or after all of it? */
static enum seen
look(struct log *l)
{
	static struct fold f;
	bool a, b, c, d, kept;

	fold_all(l, &f);
	a = fold_find(&f, "a", 1) != NULL;	/* deleted by it */
	b = fold_find(&f, "b", 1) != NULL && fold_find(&f, "b", 1)->value[0] == '2';
	c = fold_find(&f, "c", 1) != NULL;	/* new */
	d = fold_find(&f, "d", 1) != NULL;
	kept = fold_find(&f, "kept", 4) != NULL && fold_find(&f, "b", 1) != NULL;
	if (kept && a && !b && !c && !d)
		return BEFORE;
	return kept && !a && b && c && d ? AFTER : NEITHER;
}

static enum seen
look_after_a_crash(void)
{
	enum seen seen;
	struct log *l;

	assert_true(mkdir("crash", 0700) == 0 || errno == EEXIST);
	copy_file("log.db", "crash/log.db");
	copy_file("log.db-wal", "crash/log.db-wal");
	l = open_at("crash/log.db");
	seen = look(l);
	log_free(l);
	return seen;
}

struct counters {
	int done, failed, unknown;
};

/* One fault in one append.  false: the append no longer met it. */
static bool
meet(struct log *l, const struct log_record *batch, size_t n, struct counters *counters)
{
	struct error err = { 0 };
	enum seen now, crashed;
	uint64_t first, end = end_of(l);
	bool met;
	int result = log_append(l, batch, n, &first, &err);

	met = fault.times == 0 || fault.at == 1;
	fault.call = NO_CALL;
	crashed = look_after_a_crash();
	now = look(l);
	if (result == 0) {
		assert_int_equal(now, AFTER);
		assert_int_equal(crashed, AFTER);
		counters->done++;
	} else if (err.code == ERROR_STALE) {
		assert_int_not_equal(now, NEITHER);
		assert_int_not_equal(crashed, NEITHER);
		counters->unknown++;
	} else {
		assert_int_equal(err.code, ERROR_IO);
		assert_string_equal(err.file, "log.db");
		assert_int_equal(now, BEFORE);
		assert_int_equal(crashed, BEFORE);
		counters->failed++;
	}
	/* It goes on, and no offset that was or may have been given is given again. */
	if (result == 0 || err.code == ERROR_STALE)
		end += n;
	assert_true(append_one(l, "next", "1") >= end);
	assert_int_equal(look(l), now);
	assert_int_equal(look_after_a_crash(), now);
	append_all(l, batch, n);
	assert_int_equal(look(l), AFTER);
	return met;
}

/* ${step}: not each one of very many calls. */
static struct counters
sweep(enum call call, int error, int times, size_t value_len, int step)
{
	char *value = calloc(1, value_len);
	const struct log_record before[] =
	    { record("a", "1"), record("b", "1"), record("kept", "1") };
	const struct log_record batch[] = {
		record("a", NULL), record("b", "2"), { "c", 1, value, value_len },
		{ "d", 1, value, value_len }, { "e", 1, value, value_len },
		{ "f", 1, value, value_len }, { "g", 1, value, value_len },
		{ "h", 1, value, value_len }, { "i", 1, value, value_len },
		{ "j", 1, value, value_len }, { "k", 1, value, value_len },
		{ "l", 1, value, value_len }, record("none", NULL),
	};
	struct counters counters = { 0, 0, 0 };
	bool met = true;
	int at;

	assert_non_null(value);
	for (at = 1; met; at += step) {
		struct log *l = kind_start();
		enum seen seen;

		append_all(l, before, 3);
		fault.at = at;
		fault.times = times;
		fault.error = error;
		fault.call = call;
		met = meet(l, batch, sizeof(batch) / sizeof(batch[0]), &counters);
		seen = look(l);
		log_free(l);
		l = kind_start();
		assert_int_equal(look(l), seen);
		log_free(l);
		assert_int_equal(unlink("log.db"), 0);
	}
	free(value);
	return counters;
}

#define EVER 1000000

static void
test_a_disk_that_is_full_fails_cleanly(void **state)
{
	struct counters t = sweep(WRITE, ENOSPC, EVER, 100, 1);

	(void)state;
	assert_true(t.failed > 2 && t.unknown == 0);
	t = sweep(WRITE, ENOSPC, 1, 20000, 1);
	assert_true(t.failed > 10 && t.unknown == 0);
}

static void
test_a_write_that_fails_once_fails_cleanly(void **state)
{
	struct counters t = sweep(WRITE, EIO, 1, 100, 1);

	(void)state;
	assert_true(t.failed > 2 && t.unknown == 0 && t.done > 0);
}

static void
test_writes_that_go_on_failing_are_told_apart(void **state)
{
	struct counters t = sweep(WRITE, EIO, EVER, 100, 1);

	(void)state;
	assert_true(t.unknown + t.failed > 2 && t.done > 0);
}

static void
test_a_sync_that_fails_once_fails_cleanly(void **state)
{
	struct counters t = sweep(SYNC, EIO, 1, 100, 1);

	(void)state;
	assert_int_equal(t.unknown, 0);
	assert_int_equal(t.failed, 1);
}

static void
test_syncs_that_go_on_failing_leave_it_unknown(void **state)
{
	struct counters t = sweep(SYNC, EIO, EVER, 100, 1);

	(void)state;
	assert_int_equal(t.unknown, 1);
	assert_int_equal(t.failed, 0);
}

/* More than the cache holds, and more than is left without a checkpoint. */
static void
test_faults_in_a_great_batch_leave_all_or_nothing(void **state)
{
	struct counters t = sweep(WRITE, EIO, 1, LOG_VALUE_MAX, 457);

	(void)state;
	assert_true(t.failed > 2 && t.done > 0);
	t = sweep(SYNC, EIO, 1, LOG_VALUE_MAX, 1);
	assert_true(t.failed > 0 && t.done > 0);
}

static void
test_a_batch_is_synced_before_it_is_acknowledged(void **state)
{
	struct log *l = kind_start();
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		fault.syncs = 0;
		append_one(l, "k", "v");
		assert_true(fault.syncs >= 1);
	}
	kind_stop(l);
}

/* Fill what room there is, see it fail and stay readable, make room, go on. */
static void
fill_up(struct log *l, int why, bool (*make_room)(void))
{
	static char value[3000];
	char key[16];
	struct log_record r = { key, 0, value, sizeof(value) };
	struct log_record few[2] = { record("few", "1"), record("more", "1") };
	struct error err = { 0 };
	static struct fold f;
	uint64_t first;
	int i, n;

	for (n = 0; n < FOLD_MAX; n++) {
		snprintf(key, sizeof(key), "%d", n);
		r.key_len = strlen(key);
		if (log_append(l, &r, 1, &first, &err) == -1)
			break;
	}
	CHECK(n > 10 && n < FOLD_MAX);
	for (i = 0; i < 3; i++) {
		CHECK(err.code == ERROR_IO);
		CHECK(strcmp(err.file, "log.db") == 0);
		CHECK(strstr(err.text, strerror(why)) != NULL);
		memset(&f, 0, sizeof(f));
		CHECK(log_read(l, 0, fold_visit, &f, &err) == 0);
		CHECK(f.n == (size_t)n && fold_find(&f, key, r.key_len) == NULL);
		err.code = ERROR_NONE;
		CHECK(log_append(l, &r, 1, &first, &err) == -1);
	}
	CHECK(make_room());
	CHECK(log_append(l, few, 2, &first, &err) == 0);
	CHECK(log_append(l, &r, 1, &first, &err) == 0);
	memset(&f, 0, sizeof(f));
	CHECK(log_read(l, 0, fold_visit, &f, &err) == 0);
	CHECK(f.n == (size_t)n + 3);
	log_free(l);
	l = log_sqlite_open("log.db", &err);
	CHECK(l != NULL);
	memset(&f, 0, sizeof(f));
	CHECK(log_read(l, 0, fold_visit, &f, &err) == 0);
	CHECK(f.n == (size_t)n + 3);
	log_free(l);
}

static bool
limit_to(rlim_t n)
{
	struct rlimit limit = { n, RLIM_INFINITY };

	return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static bool
lift_limit(void)
{
	return limit_to(RLIM_INFINITY);
}

static void
on_a_limit(void *arg)
{
	struct error err = { 0 };
	struct log *l = log_sqlite_open("log.db", &err);

	(void)arg;
	signal(SIGXFSZ, SIG_IGN);
	CHECK(l != NULL && limit_to(400000));
	fill_up(l, EFBIG, lift_limit);
}

static bool
remove_ballast(void)
{
	return unlink("ballast") == 0;
}

static void
on_a_full_disk(void *arg)
{
	struct error err = { 0 };
	struct log *l;
	int fd;

	(void)arg;
	files_private_mounts();
	files_mount_small("disk", "size=2m");
	CHECK(chdir("disk") == 0);
	fd = open("ballast", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd != -1 && posix_fallocate(fd, 0, 1 << 20) == 0 && close(fd) == 0);
	l = log_sqlite_open("log.db", &err);
	CHECK(l != NULL);
	fill_up(l, ENOSPC, remove_ballast);
}

static void
test_a_limit_on_files_fails_cleanly(void **state)
{
	(void)state;
	files_in_child(on_a_limit, NULL);
}

static void
test_a_real_full_disk_fails_cleanly(void **state)
{
	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	files_in_child(on_a_full_disk, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_a_batch_is_synced_before_it_is_acknowledged),
		LOG_TEST(test_a_disk_that_is_full_fails_cleanly),
		LOG_TEST(test_a_write_that_fails_once_fails_cleanly),
		LOG_TEST(test_writes_that_go_on_failing_are_told_apart),
		LOG_TEST(test_a_sync_that_fails_once_fails_cleanly),
		LOG_TEST(test_syncs_that_go_on_failing_leave_it_unknown),
		LOG_TEST(test_faults_in_a_great_batch_leave_all_or_nothing),
		LOG_TEST(test_a_limit_on_files_fails_cleanly),
		LOG_TEST(test_a_real_full_disk_fails_cleanly),
	};

	return cmocka_run_group_tests_name("log faults", tests, NULL, NULL);
}
