#include <sys/syscall.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "audit_support.h"

#define SHORT_MS 1000
#define SLOW_MS 200

/* System calls on regular files that do as told; see fault_* below. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool hang;		/* fdatasync does not return */
	bool hanging;		/* it is there */
	int sync_error;		/* of fdatasync */
	int write_error;	/* of write, after a part was written */
	int cut_error;		/* of ftruncate */
	bool remove;		/* fdatasync finds FILE removed */
	bool slow;		/* fdatasync takes its time */
	bool set_back;		/* the time of day is an hour late */
} faults = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

int
fdatasync(int fd)
{
	bool slow;
	int error;

	pthread_mutex_lock(&faults.lock);
	faults.hanging = faults.hang;
	pthread_cond_broadcast(&faults.change);
	while (faults.hang)
		pthread_cond_wait(&faults.change, &faults.lock);
	if (faults.remove) {
		faults.remove = false;
		unlink(FILE_NAME);
	}
	error = faults.sync_error;
	slow = faults.slow;
	pthread_mutex_unlock(&faults.lock);
	if (slow)
		usleep(SLOW_MS * 1000);
	if (error == 0)
		return (int)syscall(SYS_fdatasync, fd);
	errno = error;
	return -1;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	struct stat st;
	int error;

	pthread_mutex_lock(&faults.lock);
	error = faults.write_error;
	pthread_mutex_unlock(&faults.lock);
	if (error == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, bytes, n);
	if (n > 100)
		return syscall(SYS_write, fd, bytes, (size_t)100);
	errno = error;
	return -1;
}

int
ftruncate(int fd, off_t size)
{
	int error;

	pthread_mutex_lock(&faults.lock);
	error = faults.cut_error;
	pthread_mutex_unlock(&faults.lock);
	if (error == 0)
		return (int)syscall(SYS_ftruncate, fd, size);
	errno = error;
	return -1;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	int rc = (int)syscall(SYS_clock_gettime, id, out);

	pthread_mutex_lock(&faults.lock);
	if (id == CLOCK_REALTIME && faults.set_back)
		out->tv_sec -= 3600;
	pthread_mutex_unlock(&faults.lock);
	return rc;
}

static void
fault_slow_and_late(bool on)
{
	pthread_mutex_lock(&faults.lock);
	faults.slow = faults.set_back = on;
	pthread_mutex_unlock(&faults.lock);
}

static void
fault_set(int *what, int error)
{
	pthread_mutex_lock(&faults.lock);
	*what = error;
	pthread_mutex_unlock(&faults.lock);
}

/* Let fdatasync hang from now on (or go on). */
static void
fault_hang(bool hang)
{
	pthread_mutex_lock(&faults.lock);
	faults.hang = hang;
	faults.hanging = false;
	pthread_cond_broadcast(&faults.change);
	pthread_mutex_unlock(&faults.lock);
}

static void
fault_await_hanging(void)
{
	pthread_mutex_lock(&faults.lock);
	while (!faults.hanging)
		pthread_cond_wait(&faults.change, &faults.lock);
	pthread_mutex_unlock(&faults.lock);
}

static struct audit *
start_short(void)
{
	struct audit_options o = audit_defaults();

	o.deadline_ms = SHORT_MS;
	return audit_start(&o);
}

static void
test_a_failed_write_or_sync_leaves_nothing_behind(void **state)
{
	int *const places[] = { &faults.write_error, &faults.sync_error };
	struct audit *a = audit_start(NULL);
	off_t size;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_not_equal(audit_say_read(a), 0);
		size = files_stat(FILE_NAME).st_size;
		fault_set(places[i], EIO);
		assert_int_equal(audit_say_read(a), 0);
		assert_non_null(strstr(audit_unready(a), strerror(EIO)));
		assert_int_equal(audit_count_with(FILE_NAME, "intent\""), i + 1);
		fault_set(places[i], 0);
		audit_await(a, true);
		assert_true(files_stat(FILE_NAME).st_size > size);
	}
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	audit_assert_whole(10);
}

static void
test_what_cannot_be_cut_off_is_closed_off(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	fault_set(&faults.cut_error, EIO);
	fault_set(&faults.write_error, ENOSPC);
	assert_int_equal(audit_say_read(a), 0);
	fault_set(&faults.write_error, 0);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	fault_set(&faults.cut_error, 0);
	/* The first line of the pair stands whole, and is taken back. */
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"torn\""), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"abandoned\""), 1);
	audit_assert_whole(10);
}

static void
test_the_outcome_of_a_change_is_written_later(void **state)
{
	struct audit_event intent = audit_change_event(AUDIT_INTENT);
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);

	(void)state;
	outcome.intent = audit_say(a, &intent, 1);
	outcome.version = 7;
	fault_set(&faults.sync_error, ENOSPC);
	assert_int_equal(audit_say(a, &outcome, 1), 0);
	fault_set(&faults.sync_error, 0);
	audit_await(a, true);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":7"), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"stop\""), 1);
	audit_assert_whole(0);
}

static void
test_a_sync_that_hangs_is_given_up_at_the_deadline(void **state)
{
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit_event intent = audit_read_event(AUDIT_INTENT);
	struct audit *a = start_short();
	struct waiting first, second, third;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	waiting_init(&first);
	waiting_init(&second);
	waiting_init(&third);
	fault_hang(true);
	audit_submit(a, &intent, 1, &first.wait);
	fault_await_hanging();
	audit_submit(a, &intent, 1, &second.wait);
	assert_int_not_equal(waiting_end(&first), 0);
	assert_int_not_equal(waiting_end(&second), 0);
	audit_await(a, false);
	assert_int_equal(audit_say_read(a), 0);
	outcome.intent = 2;
	outcome.version = 9;
	audit_submit(a, &outcome, 1, &third.wait);
	assert_int_not_equal(waiting_end(&third), 0);

	fault_hang(false);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	/* The first was written and is taken back; the second never was; the
	 * outcome of a change is told all the same. */
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"abandoned\""), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 3);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":9"), 1);
	audit_assert_whole(0);
}

static void
test_close_does_not_hang_with_the_log(void **state)
{
	struct audit_event intent = audit_read_event(AUDIT_INTENT);
	struct audit *a = start_short();
	struct waiting v;

	(void)state;
	waiting_init(&v);
	fault_hang(true);
	audit_submit(a, &intent, 1, &v.wait);
	fault_await_hanging();
	assert_false(audit_close(a));
	assert_int_not_equal(waiting_end(&v), 0);
	fault_hang(false);
	/* It ends on its own; what it writes then is the end. */
	for (int i = 0; audit_count_with(FILE_NAME, "\"phase\":\"stop\"") == 0; i++) {
		assert_true(i < (int)PATIENT_MS);
		usleep(1000);
	}
	usleep(100000);
}

static void
test_close_waits_whatever_becomes_of_the_time_of_day(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	fault_slow_and_late(true);
	assert_true(audit_close(a));
	fault_slow_and_late(false);
	/* Nobody has the file any more, and nothing is missing. */
	a = audit_start(NULL);
	assert_true(audit_close(a));
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"stop\""), 2);
	audit_assert_whole(0);
}

static void
test_what_goes_to_a_removed_file_is_written_again(void **state)
{
	struct audit *a = audit_start(NULL);
	uint64_t seq;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(audit_count_lines(FILE_NAME), 2);
	pthread_mutex_lock(&faults.lock);
	faults.remove = true;
	pthread_mutex_unlock(&faults.lock);
	seq = audit_say_read(a);
	assert_int_equal(seq, 6);
	assert_int_equal(audit_count_lines(FILE_NAME), 2);
	assert_int_equal(audit_count_with(FILE_NAME, "\"seq\":6,"), 1);
	audit_close(a);
	audit_assert_broken(FILE_NAME, 1);
}

static void
test_a_queue_that_is_full_refuses_at_once(void **state)
{
	struct audit_event e = audit_read_event(AUDIT_OUTCOME);
	struct audit_event intent = audit_read_event(AUDIT_INTENT);
	struct audit *a = audit_start(NULL);
	struct audit_counts counts;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	fault_hang(true);
	audit_submit(a, &e, 1, NULL);
	fault_await_hanging();
	for (int i = 0; i < 65536; i++)
		audit_submit(a, &e, 1, NULL);
	audit_count(a, &counts);
	assert_int_equal(counts.failures, 0);
	assert_true(counts.waiting >= 65536);
	assert_int_equal(audit_say(a, &intent, 1), 0);
	fault_hang(false);
	while (audit_say(a, &intent, 1) == 0)
		usleep(1000);
	audit_close(a);
	audit_assert_whole(0);
}

static void
test_close_gives_up_what_cannot_be_written(void **state)
{
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	fault_set(&faults.sync_error, EIO);
	assert_int_equal(audit_say_read(a), 0);
	audit_submit(a, &outcome, 1, NULL);
	audit_close(a);
	fault_set(&faults.sync_error, 0);
	audit_assert_whole(3);
}

#define KILLS 20
#define TALKERS 4

/* In a child: tell every pair that was acknowledged, until killed. */
static void *
tell(void *arg)
{
	uint64_t seq;

	while ((seq = audit_say_read(arg)) != 0)
		if (syscall(SYS_write, STDOUT_FILENO, &seq, sizeof(seq)) != sizeof(seq))
			break;
	return NULL;
}

static void
talk_until_killed(int out)
{
	struct audit_options o = audit_defaults();
	pthread_t threads[TALKERS];
	struct audit *a;

	audit_key = audit_new_key();
	o.rotate_bytes = 100000;
	if (dup2(out, STDOUT_FILENO) == -1 ||
	    (a = audit_open(&o, audit_key, NULL)) == NULL)
		_exit(1);
	for (size_t i = 0; i < TALKERS; i++)
		if (pthread_create(&threads[i], NULL, tell, a) != 0)
			_exit(1);
	for (;;)
		pause();
}

static int
find_seq(void *cookie, const char *text, size_t n)
{
	bool *seen = cookie;
	const char *p = memmem(text, n, ",\"seq\":", 7);

	assert_non_null(p);
	seen[strtoul(p + 7, NULL, 10)] = true;
	return 0;
}

#define SEQ_MAX 1000000

static void
test_what_was_acknowledged_survives_sigkill(void **state)
{
	static bool acked[SEQ_MAX], seen[SEQ_MAX];
	struct audit_filter all = { 0 };
	size_t total = 0;
	uint64_t seq;
	int ends[2], status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		fflush(NULL);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			talk_until_killed(ends[1]);
		close(ends[1]);
		for (int n = 0; n < 20 + 17 * i; n++) {
			assert_int_equal(read(ends[0], &seq, sizeof(seq)), sizeof(seq));
			assert_true(seq < SEQ_MAX);
			acked[seq] = acked[seq + 1] = true;
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		while (read(ends[0], &seq, sizeof(seq)) == sizeof(seq))
			acked[seq] = acked[seq + 1] = true;
		close(ends[0]);
		audit_assert_whole(0);
	}
	assert_int_equal(audit_search(FILE_NAME, &all, find_seq, seen, NULL), 0);
	for (size_t i = 0; i < SEQ_MAX; i++) {
		total += acked[i];
		if (acked[i] && !seen[i])
			fail_msg("line %zu was acknowledged and is not there", i);
	}
	assert_true(total > KILLS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_failed_write_or_sync_leaves_nothing_behind),
		TEST(test_what_cannot_be_cut_off_is_closed_off),
		TEST(test_the_outcome_of_a_change_is_written_later),
		TEST(test_a_sync_that_hangs_is_given_up_at_the_deadline),
		TEST(test_close_does_not_hang_with_the_log),
		TEST(test_close_waits_whatever_becomes_of_the_time_of_day),
		TEST(test_what_goes_to_a_removed_file_is_written_again),
		TEST(test_a_queue_that_is_full_refuses_at_once),
		TEST(test_close_gives_up_what_cannot_be_written),
		TEST(test_what_was_acknowledged_survives_sigkill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
