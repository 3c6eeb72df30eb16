#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "unit.h"

/*
 * The library's fstat is this one, so that a file can change while it is read:
 * before each of the next ${changes} calls, a byte is appended.
 */
static int changes;

int
fstat(int fd, struct stat *st)
{
	char path[64];
	int out;

	if (changes > 0) {
		changes--;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		out = open(path, O_WRONLY | O_APPEND);
		if (out == -1 || write(out, "+", 1) != 1)
			abort();
		close(out);
	}
	return fstatat(fd, "", st, AT_EMPTY_PATH);
}

struct fixture {
	char *folder;
	char path[4200];
	struct buf out;
	struct error err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->folder = unit_folder();
	snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	buf_init_secret(&f->out, 10000);
	*state = f;
	changes = 0;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	unit_remove_folder(f->folder);
	buf_release(&f->out);
	free(f);
	return 0;
}

static void
put(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void
assert_failed(struct fixture *f, int result, enum error_code code, const char *path)
{
	assert_int_equal(result, -1);
	assert_int_equal(f->err.code, code);
	assert_string_equal(f->err.file, path);
	assert_true(f->err.text[0] != '\0');
	assert_int_equal(f->out.len, 0);
}

static void
test_read_appends_the_whole_file(void **state)
{
	struct fixture *f = *state;
	struct file_id id;
	struct stat st;

	put(f->path, "one\0two\r\n\xff", 10);
	buf_append_str(&f->out, "before:");
	assert_int_equal(file_read(f->path, &f->out, &id, &f->err), 0);
	assert_int_equal(f->out.len, 17);
	assert_memory_equal(f->out.data, "before:one\0two\r\n\xff", 17);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(id.exists);
	assert_true(id.ino == st.st_ino && id.dev == st.st_dev);
	assert_int_equal(id.size, 10);
	assert_int_equal(id.mode, st.st_mode);
	assert_int_equal(id.nlink, 1);
	put(f->path, "", 0);
	buf_clear(&f->out);
	assert_int_equal(file_read(f->path, &f->out, NULL, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "");
}

static void
test_read_up_to_the_maximum_and_no_more(void **state)
{
	struct fixture *f = *state;
	char bytes[10001];

	memset(bytes, 'x', sizeof(bytes));
	put(f->path, bytes, 10000);
	assert_int_equal(file_read(f->path, &f->out, NULL, &f->err), 0);
	assert_int_equal(f->out.len, 10000);
	assert_int_equal(strlen(buf_cstr(&f->out)), 10000);
	buf_clear(&f->out);
	assert_int_equal(file_read_stream(f->path, &f->out, &f->err), 0);
	assert_int_equal(f->out.len, 10000);
	buf_clear(&f->out);
	put(f->path, bytes, 10001);
	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_LIMIT, f->path);
	assert_failed(f, file_read_stream(f->path, &f->out, &f->err), ERROR_LIMIT, f->path);
	assert_true(unit_all_zero(f->out.data, f->out.cap));
}

static void
test_missing_files(void **state)
{
	struct fixture *f = *state;
	struct file_id id;
	char below[4300];

	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_MISSING, f->path);
	assert_failed(f, file_read_stream(f->path, &f->out, &f->err), ERROR_MISSING, f->path);
	assert_int_equal(file_identify(f->path, &id, &f->err), 0);
	assert_false(id.exists);
	put(f->path, "x", 1);
	snprintf(below, sizeof(below), "%s/below", f->path);
	assert_failed(f, file_read(below, &f->out, NULL, &f->err), ERROR_MISSING, below);
	assert_int_equal(file_identify(below, &id, &f->err), 0);
	assert_false(id.exists);
}

static void
test_only_regular_files_are_read(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	assert_failed(f, file_read(f->folder, &f->out, NULL, &f->err), ERROR_REFUSED, f->folder);
	assert_failed(f, file_read("/dev/null", &f->out, NULL, &f->err), ERROR_REFUSED,
	    "/dev/null");
	/* A FIFO without a writer: opening it to read must not wait. */
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_REFUSED, f->path);
	unlink(f->path);
	if (strlen(f->path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, f->path, strlen(f->path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_REFUSED, f->path);
	close(fd);
}

static void
test_forbidden_and_unreadable(void **state)
{
	struct fixture *f = *state;

	assert_failed(f, file_read_stream(f->folder, &f->out, &f->err), ERROR_IO, f->folder);
	put(f->path, "x", 1);
	chmod(f->path, 0);
	if (access(f->path, R_OK) == 0)
		return;		/* root reads everything */
	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_IO, f->path);
	assert_non_null(strstr(f->err.hint, "permissions"));
}

static void
test_symlinks_are_followed(void **state)
{
	struct fixture *f = *state;
	struct file_id a, b;
	char link[4200];

	snprintf(link, sizeof(link), "%s/link", f->folder);
	put(f->path, "target", 6);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(file_read(link, &f->out, &a, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "target");
	assert_int_equal(file_identify(f->path, &b, &f->err), 0);
	assert_true(file_id_equal(&a, &b));
	assert_true(a.link);
	buf_clear(&f->out);
	assert_int_equal(file_read(f->path, &f->out, &a, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "target");
	assert_false(a.link);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("link", link), 0);
	assert_int_equal(file_read(link, &f->out, &a, &f->err), -1);
	assert_int_equal(f->err.code, ERROR_IO);
	unlink(link);
}

static void
test_a_file_that_changes_is_read_again(void **state)
{
	struct fixture *f = *state;
	struct file_id id, now;

	put(f->path, "text", 4);
	buf_append_str(&f->out, ":");
	changes = 4;	/* before and after the first two readings */
	assert_int_equal(file_read(f->path, &f->out, &id, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), ":text++++");
	assert_int_equal(file_identify(f->path, &now, &f->err), 0);
	assert_true(file_id_equal(&id, &now));
}

static void
test_a_file_that_never_rests_is_given_up(void **state)
{
	struct fixture *f = *state;

	put(f->path, "text", 4);
	changes = 1000;
	assert_failed(f, file_read(f->path, &f->out, NULL, &f->err), ERROR_STALE, f->path);
	assert_in_range(changes, 900, 999);
	assert_true(unit_all_zero(f->out.data, f->out.cap));
}

static void
test_files_of_the_kernel_have_no_size(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(file_read("/proc/self/status", &f->out, NULL, &f->err), 0);
	assert_non_null(strstr(buf_cstr(&f->out), "Pid:"));
}

static void
test_identity_notices_every_change(void **state)
{
	struct fixture *f = *state;
	struct file_id a, b, none = { 0 };
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	char other[4200];

	snprintf(other, sizeof(other), "%s/other", f->folder);
	put(f->path, "same", 4);
	put(other, "same", 4);
	assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
	assert_int_equal(file_identify(f->path, &a, &f->err), 0);
	assert_int_equal(file_identify(f->path, &b, &f->err), 0);
	assert_true(file_id_equal(&a, &b));
	assert_true(file_id_equal(&none, &none));
	assert_false(file_id_equal(&a, &none));
	assert_false(file_id_equal(&none, &a));
	times[1].tv_nsec = 1;
	assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
	assert_int_equal(file_identify(f->path, &b, &f->err), 0);
	assert_false(file_id_equal(&a, &b));
	chmod(f->path, 0640);
	assert_int_equal(file_identify(f->path, &a, &f->err), 0);
	assert_false(file_id_equal(&a, &b));
	/* A change that keeps size and mtime shows in ctime only. */
	b = a;
	b.ctime.tv_nsec ^= 1;
	assert_false(file_id_equal(&a, &b));
	assert_int_equal(rename(other, f->path), 0);
	assert_int_equal(file_identify(f->path, &b, &f->err), 0);
	assert_false(file_id_equal(&a, &b));
}

static void
write_to_fifo(void *path)
{
	int fd = open(path, O_WRONLY);

	if (fd == -1 || write(fd, "from ", 5) != 5 || write(fd, "a pipe", 6) != 6)
		_exit(1);
}

static void
test_streams_are_read_to_their_end(void **state)
{
	struct fixture *f = *state;
	char name[64];
	pid_t pid;
	int fds[2];

	assert_int_equal(mkfifo(f->path, 0600), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		write_to_fifo(f->path);
		_exit(0);
	}
	assert_int_equal(file_read_stream(f->path, &f->out, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "from a pipe");
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	buf_clear(&f->out);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x=1\n", 4), 4);
	close(fds[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
	assert_int_equal(file_read_stream(name, &f->out, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "x=1\n");
	close(fds[0]);
}

static void
test_descriptors(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	if (fork() == 0) {
		/* Late, so that the reader finds a pipe that is not ready. */
		usleep(20000);
		_exit(write(fds[1], "late", 4) != 4);
	}
	close(fds[1]);
	buf_append_str(&f->out, "not ");
	assert_int_equal(file_read_fd(fds[0], "pipe", &f->out, &f->err), 0);
	assert_string_equal(buf_cstr(&f->out), "not late");
	assert_int_not_equal(wait(NULL), -1);
	close(fds[0]);
	buf_clear(&f->out);
	assert_failed(f, file_read_fd(fds[0], "gone", &f->out, &f->err), ERROR_IO, "gone");
}

static void
test_basename(void **state)
{
	(void)state;
	assert_string_equal(file_basename("/etc/kafka/server.properties"), "server.properties");
	assert_string_equal(file_basename("server.properties"), "server.properties");
	assert_string_equal(file_basename("/x"), "x");
	assert_string_equal(file_basename("./a.b/c"), "c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Debian makes each user a group of the same number, in which he is alone. */
static void
test_who_else_writes(void **state)
{
	(void)state;
	assert_int_equal(file_writers(0100664, 1000, 1000), 0);
	assert_int_equal(file_writers(0100666, 1000, 1000), 0002);
	assert_int_equal(file_writers(0100664, 1000, 100), 0020);
	assert_int_equal(file_writers(0100666, 1000, 100), 0022);
	assert_int_equal(file_writers(0100664, 0, 0), 0020);
	assert_int_equal(file_writers(0100755, 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_appends_the_whole_file),
		TEST(test_read_up_to_the_maximum_and_no_more),
		TEST(test_missing_files),
		TEST(test_only_regular_files_are_read),
		TEST(test_forbidden_and_unreadable),
		TEST(test_symlinks_are_followed),
		TEST(test_a_file_that_changes_is_read_again),
		TEST(test_a_file_that_never_rests_is_given_up),
		TEST(test_files_of_the_kernel_have_no_size),
		TEST(test_identity_notices_every_change),
		TEST(test_streams_are_read_to_their_end),
		TEST(test_descriptors),
		cmocka_unit_test(test_basename),
		cmocka_unit_test(test_who_else_writes)
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
