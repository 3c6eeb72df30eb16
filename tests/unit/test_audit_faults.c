/* Commits that fail or hang under the audit log, and processes that are killed. */
#include <sys/wait.h>
#include <signal.h>
#include <string.h>

#include "audit_support.h"

#define SHORT_MS 300

static struct audit *
start_short(void)
{
	struct audit_options o = audit_defaults();

	o.deadline_ms = SHORT_MS;
	return audit_start(&o);
}

static void
test_a_failed_commit_leaves_nothing_behind(void **state)
{
	struct audit *a = audit_start(NULL);
	uint64_t seq = audit_say_read(a);

	(void)state;
	atomic_store(&audit_writer.fail, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(audit_say_read(a), 0);
	atomic_store(&audit_writer.fail, false);
	/* The next tells of those before it. */
	assert_int_equal(audit_say_read(a), seq + 2);
	audit_end(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"resumed\",\"count\":6"), 1);
	audit_assert_whole(7);
}

static void
test_the_outcome_of_an_intent_is_written_later(void **state)
{
	struct audit_event intent = audit_change_event(AUDIT_INTENT);
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);

	(void)state;
	outcome.intent = audit_say(a, &intent, 1);
	outcome.version = 7;
	atomic_store(&audit_writer.fail, true);
	assert_int_equal(audit_say(a, &outcome, 1), 0);
	atomic_store(&audit_writer.fail, false);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":7"), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"intentseq\":2,"), 1);
	audit_assert_whole(0);
}

static void
test_a_commit_that_hangs_is_given_up_at_the_deadline(void **state)
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
	audit_hang(true);
	audit_submit(a, &intent, 1, &first.wait);
	audit_await_hanging();
	audit_submit(a, &intent, 1, &second.wait);
	assert_int_not_equal(waiting_end(&first), 0);
	assert_int_not_equal(waiting_end(&second), 0);
	audit_await(a, false);
	assert_int_equal(audit_say_read(a), 0);
	outcome.intent = 2;
	outcome.version = 9;
	audit_submit(a, &outcome, 1, &third.wait);
	assert_int_not_equal(waiting_end(&third), 0);

	audit_hang(false);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	/* The first was written, and is taken back; the second never was; the outcome
	 * of an intent is told all the same. */
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"abandoned\""), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 3);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":9"), 1);
	audit_assert_whole(0);
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
	audit_hang(true);
	audit_submit(a, &e, 1, NULL);
	audit_await_hanging();
	for (int i = 0; i < 65536; i++)
		audit_submit(a, &e, 1, NULL);
	audit_count(a, &counts);
	assert_true(counts.waiting >= 65536);
	assert_int_equal(audit_say(a, &intent, 1), 0);
	audit_hang(false);
	while (audit_say(a, &intent, 1) == 0)
		usleep(1000);
	audit_end(a);
	audit_assert_whole(0);
}

static void
test_what_changes_is_told_when_it_is_committed(void **state)
{
	struct audit_event pair[2] = { audit_change_event(AUDIT_INTENT),
	    audit_change_event(AUDIT_OUTCOME) };
	struct audit *a = audit_start(NULL);
	struct waiting v;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	waiting_init(&v);
	/* As the store's writer does, which is at rest. */
	assert_int_equal(audit_add(a, pair, 2, &v.wait, NULL), 0);
	atomic_store(&audit_writer.fail, true);
	audit_commit_once();
	assert_int_equal(v.times, 0);
	atomic_store(&audit_writer.fail, false);
	assert_int_equal(audit_add(a, pair, 2, &v.wait, NULL), 0);
	audit_commit_once();
	assert_int_equal(waiting_end(&v), 0);
	assert_int_equal(v.wait.seq, 4);
	audit_end(a);
	audit_assert_whole(6);
}

static void
test_an_intent_that_was_left_alone_is_ended(void **state)
{
	struct audit_event intent = audit_change_event(AUDIT_INTENT);
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);

	(void)state;
	intent.method = outcome.method = "RotateMasterKey";
	outcome.intent = audit_say(a, &intent, 1);
	assert_int_not_equal(audit_say(a, &outcome, 1), 0);
	intent.request_id = "left-alone";
	assert_int_equal(audit_say(a, &intent, 1), 4);
	audit_end(a);
	for (int i = 0; i < 2; i++)
		audit_end(audit_start(NULL));
	/* It is told once. */
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"recovered\""), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "left-alone"), 2);
	assert_int_equal(audit_count_with(FILE_NAME, "\"intentseq\":4,"), 1);
	audit_assert_whole(0);
}

#define KILLS 20
#define TALKERS 4

/* In a child: tell every pair that was acknowledged, until killed. */
static void *
tell(void *arg)
{
	uint64_t seq;

	while ((seq = audit_say_read(arg)) != 0)
		if (write(STDOUT_FILENO, &seq, sizeof(seq)) != sizeof(seq))
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
	if (dup2(out, STDOUT_FILENO) == -1 || (a = audit_try(&o, audit_key, NULL)) == NULL)
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
		TEST(test_a_failed_commit_leaves_nothing_behind),
		TEST(test_the_outcome_of_an_intent_is_written_later),
		TEST(test_a_commit_that_hangs_is_given_up_at_the_deadline),
		TEST(test_a_queue_that_is_full_refuses_at_once),
		TEST(test_what_changes_is_told_when_it_is_committed),
		TEST(test_an_intent_that_was_left_alone_is_ended),
		TEST(test_what_was_acknowledged_survives_sigkill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
