#include <time.h>

#include "failing_disk.h"

#define SHORT_MS 1000

static bool set_back;	/* the time of day is an hour late */

int
clock_gettime(clockid_t id, struct timespec *out)
{
	int rc = (int)syscall(SYS_clock_gettime, id, out);

	pthread_mutex_lock(&disk.lock);
	if (id == CLOCK_REALTIME && set_back)
		out->tv_sec -= 3600;
	pthread_mutex_unlock(&disk.lock);
	return rc;
}

static void
be_slow_and_late(bool on)
{
	pthread_mutex_lock(&disk.lock);
	disk.slow = set_back = on;
	pthread_mutex_unlock(&disk.lock);
}

static int
setup(void **state)
{
	disk_clear();
	disk.piece = 100;
	return audit_setup(state);
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
	int *const places[] = { &disk.write_error, &disk.sync_error };
	struct audit *a = audit_start(NULL);
	off_t size;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_not_equal(audit_say_read(a), 0);
		size = files_stat(FILE_NAME).st_size;
		disk_set(places[i], EIO);
		assert_int_equal(audit_say_read(a), 0);
		assert_non_null(strstr(audit_unready(a), strerror(EIO)));
		assert_int_equal(audit_count_with(FILE_NAME, "intent\""), i + 1);
		disk_set(places[i], 0);
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
	disk_set(&disk.cut_error, EIO);
	disk_set(&disk.write_error, ENOSPC);
	assert_int_equal(audit_say_read(a), 0);
	disk_set(&disk.write_error, 0);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	disk_set(&disk.cut_error, 0);
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
	disk_set(&disk.sync_error, ENOSPC);
	assert_int_equal(audit_say(a, &outcome, 1), 0);
	disk_set(&disk.sync_error, 0);
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
	disk_hang(true);
	audit_submit(a, &intent, 1, &first.wait);
	disk_await_hanging();
	audit_submit(a, &intent, 1, &second.wait);
	assert_int_not_equal(waiting_end(&first), 0);
	assert_int_not_equal(waiting_end(&second), 0);
	audit_await(a, false);
	assert_int_equal(audit_say_read(a), 0);
	outcome.intent = 2;
	outcome.version = 9;
	audit_submit(a, &outcome, 1, &third.wait);
	assert_int_not_equal(waiting_end(&third), 0);

	disk_hang(false);
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
	disk_hang(true);
	audit_submit(a, &intent, 1, &v.wait);
	disk_await_hanging();
	assert_false(audit_close(a));
	assert_int_not_equal(waiting_end(&v), 0);
	disk_hang(false);
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
	be_slow_and_late(true);
	assert_true(audit_close(a));
	be_slow_and_late(false);
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
	pthread_mutex_lock(&disk.lock);
	disk.remove = true;
	pthread_mutex_unlock(&disk.lock);
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
	disk_hang(true);
	audit_submit(a, &e, 1, NULL);
	disk_await_hanging();
	for (int i = 0; i < 65536; i++)
		audit_submit(a, &e, 1, NULL);
	audit_count(a, &counts);
	assert_int_equal(counts.failures, 0);
	assert_true(counts.waiting >= 65536);
	assert_int_equal(audit_say(a, &intent, 1), 0);
	disk_hang(false);
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
	disk_set(&disk.sync_error, EIO);
	assert_int_equal(audit_say_read(a), 0);
	audit_submit(a, &outcome, 1, NULL);
	audit_close(a);
	disk_set(&disk.sync_error, 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, audit_teardown)

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
