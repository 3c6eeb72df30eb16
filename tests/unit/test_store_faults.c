/*
 * Writes and syncs that fail under the store, each in turn; then the files as a
 * crash at that moment would leave them.
 */
#include "store_support.h"

enum call { NO_CALL, WRITE, SYNC };

/* From the ${at}th call on (1: the next), ${times} calls fail. */
static struct {
	enum call call;
	int at, times, error;
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
	return is_hit(SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void
copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	(void)unlink(to);
	if (in == -1)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

enum seen { BEFORE, AFTER, NEITHER };

/* The state before the batch that meets the fault, or after all of it? */
static enum seen
look(struct store *s)
{
	char a[256], b[256], c[256], v[64];

	store_live(s, "p", "a", a);
	store_live(s, "p", "b", b);
	store_live(s, "p", "c", c);
	if (!store_value(s, "p", "kept", 1, v) || strcmp(v, "kept") != 0)
		return NEITHER;
	if (strcmp(a, "1") == 0 && strcmp(b, "1") == 0 && c[0] == '\0')
		return BEFORE;
	return a[0] == '\0' && strcmp(b, "1 2") == 0 && strcmp(c, "1") == 0 ? AFTER : NEITHER;
}

static enum seen
look_after_a_crash(const struct master *m)
{
	struct store *s;
	enum seen seen;

	assert_true(mkdir("crash", 0700) == 0 || errno == EEXIST);
	copy_file(STORE_FILE, "crash/" STORE_FILE);
	copy_file(STORE_FILE "-wal", "crash/" STORE_FILE "-wal");
	assert_int_equal(chdir("crash"), 0);
	s = store_on(m);
	seen = look(s);
	store_end(s);
	assert_int_equal(chdir(".."), 0);
	return seen;
}

struct counters {
	int done, failed, unknown;
};

#define OPS 3

/* One fault in one batch.  false: the batch no longer met it. */
static bool
meet(const struct master *m, enum call call, int at, int times, int error,
    struct counters *counters)
{
	struct store *s = store_on(m);
	struct store_op ops[OPS];
	enum seen now, crashed;
	bool met;
	int done = 0;

	store_create(s, "p", "a", "1");
	store_create(s, "p", "b", "1");
	store_create(s, "p", "kept", "kept");
	store_op_init(&ops[0], STORE_DELETE_KEY);
	store_op_name(&ops[0], "p", "a");
	store_op_create(&ops[1], "p", "b", "2");
	store_op_create(&ops[2], "p", "c", "3");
	/* More than one page each. */
	for (int i = 0; i < 20000; i++)
		buf_append_char(&ops[2].value, 'x');
	for (int i = 0; i < OPS; i++) {
		ops[i].done = store_count_done;
		ops[i].cookie = &done;
		store_submit(s, &ops[i]);
	}
	fault.at = at;
	fault.times = times;
	fault.error = error;
	fault.call = call;
	store_step(s);
	met = fault.times < times;
	fault.call = NO_CALL;
	assert_int_equal(done, OPS);
	crashed = look_after_a_crash(m);
	now = look(s);
	for (int i = 1; i < OPS; i++)
		assert_int_equal(ops[i].result, ops[0].result);
	if (ops[0].result == STORE_DONE) {
		assert_int_equal(now, AFTER);
		assert_int_equal(crashed, AFTER);
		counters->done++;
	} else if (ops[0].result == STORE_UNKNOWN) {
		assert_int_equal(now, BEFORE);
		assert_int_not_equal(crashed, NEITHER);
		counters->unknown++;
	} else {
		assert_int_equal(ops[0].result, STORE_FAILED);
		assert_int_equal(now, BEFORE);
		assert_int_equal(crashed, BEFORE);
		counters->failed++;
	}
	assert_int_equal(store_unready(s) != NULL, ops[0].result != STORE_DONE);
	store_end(s);
	/* It goes on, with what a crash leaves too. */
	s = store_on(m);
	now = look(s);
	assert_int_not_equal(now, NEITHER);
	assert_int_equal(store_create(s, "p", "next", "1"), 1);
	assert_int_equal(look(s), now);
	store_end(s);
	assert_int_equal(unlink(STORE_FILE), 0);
	for (int i = 0; i < OPS; i++)
		store_op_release(&ops[i]);
	return met;
}

static struct counters
sweep(enum call call, int error, int times)
{
	struct counters counters = { 0, 0, 0 };
	struct master *m = store_master('a');

	store_clock = 1000000;
	for (int at = 1; meet(m, call, at, times, error, &counters); at++)
		continue;
	master_free(m);
	return counters;
}

#define EVER 1000000

static void
test_a_disk_that_is_full_fails_cleanly(void **state)
{
	struct counters t = sweep(WRITE, ENOSPC, EVER);

	(void)state;
	assert_true(t.failed > 5 && t.unknown == 0);
}

static void
test_a_write_that_fails_once_fails_cleanly(void **state)
{
	struct counters t = sweep(WRITE, EIO, 1);

	(void)state;
	assert_true(t.failed > 5 && t.unknown == 0 && t.done > 0);
}

static void
test_writes_that_go_on_failing_are_told_apart(void **state)
{
	struct counters t = sweep(WRITE, EIO, EVER);

	(void)state;
	assert_true(t.unknown > 0 && t.done > 0);
}

static void
test_a_sync_that_fails_once_fails_cleanly(void **state)
{
	struct counters t = sweep(SYNC, EIO, 1);

	(void)state;
	assert_true(t.failed + t.done > 1 && t.unknown == 0);
}

static void
test_syncs_that_go_on_failing_are_told_apart(void **state)
{
	struct counters t = sweep(SYNC, EIO, EVER);

	(void)state;
	assert_true(t.unknown > 0);
}

/* Nobody writes to a registry that is not ready: it must find out by itself. */
static void
test_a_disk_that_works_again_is_noticed_without_a_write(void **state)
{
	struct master *m = store_master('a');
	struct store *s = store_try(m, NULL, true, NULL);
	int i;

	(void)state;
	assert_non_null(s);
	fault.at = 1;
	fault.times = EVER;
	fault.error = ENOSPC;
	fault.call = WRITE;
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	for (i = 0; i < 1000 && store_unready(s) == NULL; i++)
		usleep(2000);
	assert_non_null(store_unready(s));
	fault.call = NO_CALL;
	for (i = 0; i < 1000 && store_unready(s) != NULL; i++)
		usleep(20000);
	assert_null(store_unready(s));
	store_end(s);
	master_free(m);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_disk_that_is_full_fails_cleanly),
		CASE(test_a_write_that_fails_once_fails_cleanly),
		CASE(test_writes_that_go_on_failing_are_told_apart),
		CASE(test_a_sync_that_fails_once_fails_cleanly),
		CASE(test_syncs_that_go_on_failing_are_told_apart),
		CASE(test_a_disk_that_works_again_is_noticed_without_a_write),
	};

	return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
