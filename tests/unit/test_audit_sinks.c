#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <string.h>

#include "audit_support.h"
#include "registry/audit/audit_internal.h"

#define SHORT_MS 1000

/* No regular file but those of the database grows beyond it: by what stands before
 * libc's write for all that is linked in. */
static _Atomic off_t disk_size = -1;

static void
disk_limit(rlim_t size)
{
	disk_size = size == RLIM_INFINITY ? -1 : (off_t)size;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	struct stat st;

	if (disk_size >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size + (off_t)n > disk_size) {
		errno = EFBIG;
		return -1;
	}
	return syscall(SYS_write, fd, bytes, n);
}

static void
test_what_finds_no_room_is_refused_until_there_is_room(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;
	struct stat st;
	uint64_t seq;

	(void)state;
	o.required[AUDIT_FILE] = true;
	o.deadline_ms = SHORT_MS;
	a = audit_start(&o);
	seq = audit_say_read(a);
	assert_int_not_equal(seq, 0);
	st = files_stat(FILE_NAME);
	disk_limit((rlim_t)st.st_size + 500);
	assert_int_equal(audit_say_read(a), 0);
	assert_non_null(strstr(audit_unready(a), "large"));
	/* Also at once, while it is known; and nothing torn stands there. */
	assert_int_equal(audit_say_read(a), 0);
	assert_int_equal(files_stat(FILE_NAME).st_size, st.st_size);
	disk_limit(RLIM_INFINITY);
	audit_await(a, true);
	/* The lines that were committed are there, and how many were refused. */
	assert_int_equal(audit_say_read(a), seq + 4);
	audit_end(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"resumed\",\"count\":2"), 1);
	audit_assert_whole(9);
}

/* So many lines come to the file by themselves. */
static void
await_lines(size_t n)
{
	for (int i = 0; audit_count_lines(FILE_NAME) < n && i < (int)PATIENT_MS; i++)
		usleep(1000);
	assert_int_equal(audit_count_lines(FILE_NAME), n);
}

static void
test_what_is_not_required_comes_later(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;
	struct stat st;

	(void)state;
	o.deadline_ms = SHORT_MS;
	o.required[AUDIT_FILE] = false;
	a = audit_start(&o);
	assert_int_not_equal(audit_say_read(a), 0);
	await_lines(3);
	st = files_stat(FILE_NAME);
	disk_limit((rlim_t)st.st_size + 500);
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(audit_say_read(a), 0);
	assert_null(audit_unready(a));
	for (int i = 0; audit_behind(a) == NULL && i < (int)PATIENT_MS; i++)
		usleep(1000);
	assert_non_null(audit_behind(a));
	disk_limit(RLIM_INFINITY);
	for (int i = 0; audit_behind(a) != NULL && i < (int)PATIENT_MS; i++)
		usleep(1000);
	assert_int_not_equal(audit_say_read(a), 0);
	await_lines(45);
	/* What was not exported at the end is at the next start. */
	st = files_stat(FILE_NAME);
	disk_limit((rlim_t)st.st_size);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	disk_limit(RLIM_INFINITY);
	assert_int_equal(audit_count_lines(FILE_NAME), 45);
	audit_end(audit_start(NULL));
	audit_assert_whole(45 + 3 + 2);
}

static void
test_so_many_lines_stay_in_the_table(void **state)
{
	struct audit_event pair[2] = { audit_read_event(AUDIT_INTENT),
	    audit_read_event(AUDIT_OUTCOME) };
	struct audit *a = audit_start(NULL);
	uint64_t lines;
	struct database *d;

	(void)state;
	for (unsigned i = 0; i < AUDIT_KEPT_LINES; i++) {
		if (i % 500 == 0)
			assert_int_not_equal(audit_say(a, pair, 2), 0);
		else
			audit_submit(a, pair, 2, NULL);
	}
	for (int i = 0; i < 30; i++) {
		usleep(100000);
		assert_int_not_equal(audit_say(a, pair, 2), 0);
	}
	audit_end(a);
	audit_assert_whole(0);
	assert_true(audit_count_lines(FILE_NAME) > 2 * AUDIT_KEPT_LINES);
	d = database_open(AUDIT_DB, NULL);
	assert_int_equal(audit_verify_table(d, audit_key, &lines, NULL), 0);
	assert_in_range(lines, AUDIT_KEPT_LINES - 2, AUDIT_KEPT_LINES + 5000);
	database_close(d);
	/* It goes on from there. */
	audit_end(audit_start(NULL));
	audit_assert_whole(0);
}

static void
test_a_pipe_that_nobody_empties_is_given_up_and_recovers(void **state)
{
	struct audit_options o = audit_defaults();
	char bytes[4096];
	struct audit *a;
	int reader;
	size_t good = 0;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	o.file = "pipe";
	o.required[AUDIT_FILE] = true;
	o.deadline_ms = SHORT_MS;
	assert_null(audit_try(&o, audit_key, NULL));
	reader = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(reader, -1);
	a = audit_start(&o);
	while (audit_say_read(a) != 0)
		good++;
	assert_true(good > 10);
	assert_non_null(audit_unready(a));
	for (int i = 0; audit_unready(a) != NULL; i++) {
		assert_true(i < (int)PATIENT_MS);
		while (read(reader, bytes, sizeof(bytes)) > 0)
			;
		usleep(1000);
	}
	assert_int_not_equal(audit_say_read(a), 0);
	/* Its reader gone, it fails at once; with another it works again. */
	close(reader);
	assert_int_equal(audit_say_read(a), 0);
	reader = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	close(reader);
}

static void
test_a_file_that_was_moved_is_followed_by_a_new_one(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(rename(FILE_NAME, FILE_NAME ".1"), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(audit_count_lines(FILE_NAME), 2);
	assert_int_equal(files_stat(FILE_NAME).st_mode & 07777, 0600);
	assert_int_equal(rename(FILE_NAME, FILE_NAME ".2"), 0);
	audit_reopen(a);
	while (access(FILE_NAME, F_OK) != 0)
		usleep(1000);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	audit_assert_whole(8);
}

static void
test_a_folder_that_is_gone_refuses_until_it_is_back(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	o.file = "d/log";
	o.required[AUDIT_FILE] = true;
	o.deadline_ms = SHORT_MS;
	a = audit_start(&o);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(rename("d", "e"), 0);
	assert_int_equal(audit_say_read(a), 0);
	assert_int_equal(rename("e", "d"), 0);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	assert_int_equal(audit_verify("d/log", audit_key, &(uint64_t){ 0 }, NULL), 0);
}

static void
test_a_line_of_another_hand_breaks_only_itself(void **state)
{
	struct audit *a = audit_start(NULL);
	int fd;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	fd = open(FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_end(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 2);
	audit_assert_broken(FILE_NAME, 4);
}

static void
test_standard_output_must_take_the_lines_too(void **state)
{
	struct audit_options o = audit_defaults();
	int saved = dup(STDOUT_FILENO), ends[2];
	char bytes[65536];
	struct audit *a;
	ssize_t n;
	uint64_t first;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(stdout);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	o.to_stdout = o.required[AUDIT_STDOUT] = true;
	o.deadline_ms = SHORT_MS;
	a = audit_start(&o);
	first = audit_say_read(a);
	n = read(ends[0], bytes, sizeof(bytes) - 1);
	while (audit_say_read(a) != 0)
		;
	for (int i = 0; audit_unready(a) != NULL && i < (int)PATIENT_MS; i++) {
		struct pollfd reader = { .fd = ends[0], .events = POLLIN };

		if (poll(&reader, 1, 1) > 0)
			(void)!read(ends[0], bytes + 32768, 32768);
	}
	dup2(saved, STDOUT_FILENO);
	close(saved);
	audit_end(a);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(first, 2);
	assert_true(n > 0);
	bytes[n] = '\0';
	assert_non_null(strstr(bytes, "\"seq\":2,"));
	audit_assert_whole(0);
}

static int
listen_as_syslog(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink("log");
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void
test_syslog_gets_a_message_a_line_and_failures_are_noticed(void **state)
{
	static const char lines[] = "{\"a\":1}\n{\"b\":2}\n";
	struct audit_syslog s;
	atomic_bool stop = false;
	struct error err = { 0 };
	char bytes[256];
	size_t done;
	ssize_t n;
	int fd = listen_as_syslog();

	(void)state;
	audit_syslog_init(&s, "log", &stop);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(audit_syslog_write(&s, lines, sizeof(lines) - 1, &done, &err), 0);
		n = recv(fd, bytes, sizeof(bytes) - 1, 0);
		assert_true(n > 0);
		bytes[n] = '\0';
		assert_int_equal(strncmp(bytes, "<86>", 4), 0);
		assert_non_null(strstr(bytes, "]: {\"a\":1}"));
		assert_null(strchr(bytes, '\n'));
		n = recv(fd, bytes, sizeof(bytes) - 1, 0);
		bytes[n] = '\0';
		assert_non_null(strstr(bytes, "]: {\"b\":2}"));
		/* Started anew, it is found again. */
		close(fd);
		if (i == 0)
			fd = listen_as_syslog();
	}
	assert_int_equal(audit_syslog_write(&s, lines, sizeof(lines) - 1, &done, &err), -1);
	assert_int_equal(err.code, ERROR_IO);
	audit_syslog_release(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_finds_no_room_is_refused_until_there_is_room),
		TEST(test_what_is_not_required_comes_later),
		TEST(test_so_many_lines_stay_in_the_table),
		TEST(test_a_pipe_that_nobody_empties_is_given_up_and_recovers),
		TEST(test_a_file_that_was_moved_is_followed_by_a_new_one),
		TEST(test_a_folder_that_is_gone_refuses_until_it_is_back),
		TEST(test_a_line_of_another_hand_breaks_only_itself),
		TEST(test_standard_output_must_take_the_lines_too),
		TEST(test_syslog_gets_a_message_a_line_and_failures_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
