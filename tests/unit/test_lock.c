#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "files.h"

/* Long enough for whatever the machine does meanwhile; nothing waits for it. */
#define PATIENT_MS 120000
#define CHILDREN 32
#define ROUNDS 200

static bool no_locks;	/* as on NFS without lockd */

/* Stands before libc's. */
int
fcntl(int fd, int command, ...)
{
	va_list ap;
	long argument;

	va_start(ap, command);
	argument = va_arg(ap, long);
	va_end(ap);
	if (no_locks && command == F_OFD_SETLK) {
		errno = ENOLCK;
		return -1;
	}
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

static struct lock *
lock_one(const char *path, int timeout_ms, struct error *err)
{
	return lock_files(&path, 1, timeout_ms, NULL, NULL, err);
}

static bool
is_free(const char *path)
{
	struct lock *l = lock_one(path, 0, NULL);

	lock_release(l);
	return l != NULL;
}

static void
assert_busy(const char *path, const char *what)
{
	struct error err;

	assert_null(lock_one(path, 0, &err));
	assert_int_equal(err.code, ERROR_BUSY);
	assert_string_equal(err.file, path);
	if (strstr(err.text, what) == NULL && strstr(err.hint, what) == NULL)
		fail_msg("'%s' not in: %s / %s", what, err.text, err.hint);
}

static void
test_a_lock_excludes_and_leaves_nothing(void **state)
{
	struct error err;
	struct lock *l;
	char who[64];

	(void)state;
	files_put("a", "x", 0600);
	l = lock_one("a", 0, &err);
	assert_non_null(l);
	assert_int_equal(files_stat(".a.propseal-lock").st_mode & 07777, 0600);
	snprintf(who, sizeof(who), "%ld\n", (long)getpid());
	assert_true(files_have(".a.propseal-lock", who));
	snprintf(who, sizeof(who), "process %ld", (long)getpid());
	assert_busy("a", who);
	assert_true(is_free("b"));
	lock_release(l);
	assert_int_equal(files_count("."), 1);
	assert_true(is_free("a"));
	assert_int_equal(files_count("."), 1);
	lock_release(NULL);
}

static void
test_a_file_need_not_exist_and_its_folder_must(void **state)
{
	struct error err;
	struct lock *l = lock_one("new", 0, &err);

	(void)state;
	assert_non_null(l);
	assert_busy("new", "process");
	lock_release(l);
	assert_int_equal(files_count("."), 0);
	assert_null(lock_one("gone/new", 0, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_string_equal(err.file, "gone/new");
}

static void
test_one_file_by_several_names_is_one_lock(void **state)
{
	const char *const paths[] = { "a", NULL, "d/../a", "far", "./a", "b", "dangling" };
	struct error err;
	struct lock *l;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	files_put("a", "x", 0600);
	assert_int_equal(symlink("a", "near"), 0);
	assert_int_equal(symlink("near", "far"), 0);
	assert_int_equal(symlink("b", "dangling"), 0);
	l = lock_files(paths, 7, 0, NULL, NULL, &err);
	assert_non_null(l);
	assert_busy("near", "process");
	assert_busy("b", "process");
	assert_int_equal(files_count("."), 5 + 2);
	lock_release(l);
	assert_int_equal(files_count("."), 5);
	l = lock_files(NULL, 0, 0, NULL, NULL, &err);
	assert_non_null(l);
	lock_release(l);
}

static bool
count_call(void *cookie, const char *path, int waited_ms, int left_ms)
{
	(void)path;
	assert_in_range(left_ms, 0, 30);
	*(int *)cookie += waited_ms == 0;
	return true;
}

static void
test_when_one_is_busy_none_is_kept(void **state)
{
	const char *const paths[] = { "a", "b", "c" };
	struct error err;
	struct lock *l = lock_one("b", 0, &err);
	int calls = 0;

	(void)state;
	assert_non_null(l);
	assert_null(lock_files(paths, 3, 0, count_call, &calls, &err));
	assert_int_equal(calls, 0);
	assert_int_equal(err.code, ERROR_BUSY);
	assert_string_equal(err.file, "b");
	assert_true(is_free("a"));
	assert_true(is_free("c"));
	/* It is told once that a wait has begun, however often how long it lasts. */
	assert_null(lock_files(paths, 3, 30, count_call, &calls, &err));
	assert_int_equal(err.code, ERROR_BUSY);
	assert_int_equal(calls, 1);
	lock_release(l);
	assert_int_equal(files_count("."), 0);
}

/* A child that holds a lock until it is told to let go. */
struct holder {
	pid_t pid;
	int to;		/* close it: let go */
	int calls;
	char path[64];
};

static void
holder_start(struct holder *h, const char *path)
{
	int up[2], down[2];
	struct lock *l;
	char c;

	h->calls = 0;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	h->pid = fork();
	assert_int_not_equal(h->pid, -1);
	if (h->pid == 0) {
		close(down[1]);
		l = lock_one(path, 0, NULL);
		CHECK(l != NULL && write(up[1], "x", 1) == 1);
		CHECK(read(down[0], &c, 1) == 0);
		lock_release(l);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	assert_int_equal(read(up[0], &c, 1), 1);
	close(up[0]);
	h->to = down[1];
}

static bool
let_go(void *cookie, const char *path, int waited_ms, int left_ms)
{
	struct holder *h = cookie;

	(void)left_ms;
	if (waited_ms > 0)
		return true;
	h->calls++;
	snprintf(h->path, sizeof(h->path), "%s", path);
	close(h->to);
	h->to = -1;
	return true;
}

/* The third time that it is told of, it is enough. */
static bool
give_up(void *cookie, const char *path, int waited_ms, int left_ms)
{
	int *calls = cookie;

	assert_string_equal(path, "a");
	assert_int_equal(waited_ms > 0, *calls > 0);
	assert_int_equal(left_ms, -1);
	return ++*calls < 3;
}

static void
test_who_waits_can_give_up(void **state)
{
	const char *path = "a";
	struct holder h;
	struct error err;
	int calls = 0, status;

	(void)state;
	holder_start(&h, "a");
	assert_null(lock_files(&path, 1, -1, give_up, &calls, &err));
	assert_int_equal(err.code, ERROR_BUSY);
	assert_int_equal(calls, 3);
	close(h.to);
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
}

static void
test_who_waits_is_told_once_and_gets_it(void **state)
{
	const char *path = "./a";
	struct holder h;
	struct error err;
	struct lock *l;
	char who[64];
	int status;

	(void)state;
	holder_start(&h, "a");
	snprintf(who, sizeof(who), "held by process %ld", (long)h.pid);
	assert_busy("a", who);
	l = lock_files(&path, 1, PATIENT_MS, let_go, &h, &err);
	assert_non_null(l);
	assert_int_equal(h.calls, 1);
	assert_string_equal(h.path, "./a");
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
	assert_int_equal(status, 0);
	assert_busy("a", "process");
	lock_release(l);
	holder_start(&h, "a");
	l = lock_files(&path, 1, -1, let_go, &h, &err);
	assert_non_null(l);
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
	lock_release(l);
	assert_int_equal(files_count("."), 0);
}

static bool
first_is_held(void *cookie, const char *path, int waited_ms, int left_ms)
{
	assert_string_equal(path, "b");
	assert_false(is_free("a"));
	return let_go(cookie, path, waited_ms, left_ms);
}

static void
test_the_order_is_that_of_the_names(void **state)
{
	const char *const paths[] = { "b", "a" };
	struct holder h;
	struct lock *l;
	int status;

	(void)state;
	holder_start(&h, "b");
	l = lock_files(paths, 2, PATIENT_MS, first_is_held, &h, NULL);
	assert_non_null(l);
	assert_int_equal(h.calls, 1);
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
	lock_release(l);
}

static void
test_a_lock_of_a_killed_process_is_free(void **state)
{
	struct holder h;
	int status;

	(void)state;
	holder_start(&h, "a");
	assert_false(is_free("a"));
	assert_int_equal(kill(h.pid, SIGKILL), 0);
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
	close(h.to);
	assert_int_equal(files_count("."), 1);
	assert_true(is_free("a"));
	assert_int_equal(files_count("."), 0);
}

static void
test_the_sidecar_of_another_is_not_removed(void **state)
{
	struct lock *first, *second;

	(void)state;
	first = lock_one("a", 0, NULL);
	assert_non_null(first);
	/* Somebody cleans up what is not theirs. */
	assert_int_equal(unlink(".a.propseal-lock"), 0);
	second = lock_one("a", 0, NULL);
	assert_non_null(second);
	lock_release(first);
	assert_busy("a", "process");
	lock_release(second);
	assert_int_equal(files_count("."), 0);
}

static void
test_a_planted_sidecar_is_no_trap(void **state)
{
	struct error err;

	(void)state;
	files_put("victim", "mine\n", 0600);
	assert_int_equal(symlink("victim", ".a.propseal-lock"), 0);
	assert_null(lock_one("a", 0, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_string_equal(err.file, "a");
	assert_true(files_have("victim", "mine\n"));
	assert_int_equal(unlink(".a.propseal-lock"), 0);
	assert_int_equal(mkfifo(".a.propseal-lock", 0600), 0);
	assert_null(lock_one("a", 0, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.text, ".a.propseal-lock"));
	assert_int_equal(files_count("."), 2);
}

static void
as_nobody(void *arg)
{
	struct error err;

	(void)arg;
	files_become_nobody();
	CHECK(lock_one("shut/a", 0, &err) == NULL);
	CHECK(err.code == ERROR_IO && strcmp(err.file, "shut/a") == 0);
	CHECK(strstr(err.hint, "directory must be writable") != NULL);
	CHECK(lock_one("open/a", 0, &err) == NULL);
	CHECK(err.code == ERROR_BUSY && strcmp(err.file, "open/a") == 0);
	CHECK(strstr(err.hint, "belongs to user 0") != NULL);
	CHECK(is_free("open/b"));
}

static void
test_an_ordinary_user_is_told_why_not(void **state)
{
	struct lock *l = NULL;

	(void)state;
	if (geteuid() == 0) {
		assert_int_equal(chmod(".", 0755), 0);
		assert_int_equal(mkdir("open", 0700), 0);
		assert_int_equal(chmod("open", 0777), 0);
		assert_int_equal(mkdir("shut", 0755), 0);
		l = lock_one("open/a", 0, NULL);
		assert_non_null(l);
	}
	files_in_child(as_nobody, NULL);
	lock_release(l);
	assert_int_equal(files_count("open"), 0);
	assert_int_equal(files_count("shut"), 0);
}

/* Start ${n} children of ${body}, and see that each ends well. */
static void
run_children(int n, void (*body)(int))
{
	pid_t pids[CHILDREN];
	int status, i;

	fflush(NULL);
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0) {
			alarm(PATIENT_MS / 1000);
			body(i);
			_exit(0);
		}
	}
	for (i = 0; i < n; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

/* Read, let others run, write: loses counts unless alone. */
static void
count_up(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long value;

	CHECK(fd != -1 && pread(fd, text, sizeof(text) - 1, 0) > 0);
	value = strtol(text, NULL, 10);
	sched_yield();
	snprintf(text, sizeof(text), "%06ld", value + 1);
	CHECK(pwrite(fd, text, 6, 0) == 6 && close(fd) == 0);
}

static void
count_under_lock(int number)
{
	struct lock *l;
	int i;

	(void)number;
	for (i = 0; i < 3; i++) {
		l = lock_one("counter", -1, NULL);
		CHECK(l != NULL);
		count_up("counter");
		lock_release(l);
	}
}

static void
test_32_processes_lose_no_count(void **state)
{
	(void)state;
	files_put("counter", "000000", 0600);
	run_children(CHILDREN, count_under_lock);
	assert_true(files_have("counter", "000096"));
	assert_int_equal(files_count("."), 1);
}

/* No pause between letting go and asking again: the sidecar comes and goes. */
static void
count_in_a_hurry(int number)
{
	struct lock *l;
	int i;

	(void)number;
	for (i = 0; i < ROUNDS; ) {
		l = lock_one("counter", 0, NULL);
		if (l == NULL) {
			sched_yield();
			continue;
		}
		count_up("counter");
		lock_release(l);
		i++;
	}
}

static void
test_removing_the_sidecar_lets_nobody_slip_in(void **state)
{
	(void)state;
	files_put("counter", "000000", 0600);
	run_children(4, count_in_a_hurry);
	assert_true(files_have("counter", "000800"));
	assert_int_equal(files_count("."), 1);
}

static void
cross(int number)
{
	const char *const paths[] = { number % 2 == 0 ? "a" : "b", number % 2 == 0 ? "b" : "a" };
	struct lock *l;
	int i;

	for (i = 0; i < 50; i++) {
		l = lock_files(paths, 2, -1, NULL, NULL, NULL);
		CHECK(l != NULL);
		count_up("counter");
		lock_release(l);
	}
}

static void
test_opposite_orders_do_not_wait_for_each_other(void **state)
{
	(void)state;
	files_put("counter", "000000", 0600);
	run_children(2, cross);
	assert_true(files_have("counter", "000100"));
}

static void
on_a_full_disk(void *arg)
{
	struct lock *l;

	(void)arg;
	files_private_mounts();
	files_mount_small("disk", "size=4k,nr_inodes=3");
	CHECK(close(open("disk/full", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
	CHECK(truncate("disk/full", 4096) == 0);
	CHECK(files_write_line("disk/full", "x"));
	/* The number of the holder does not fit: the lock holds anyway. */
	l = lock_one("disk/a", 0, NULL);
	CHECK(l != NULL && files_stat("disk/.a.propseal-lock").st_size == 0);
	CHECK(!is_free("disk/a"));
	lock_release(l);
	CHECK(files_count("disk") == 1);
}

static void
test_a_full_disk_can_be_locked(void **state)
{
	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	files_in_child(on_a_full_disk, NULL);
}

static void
test_a_file_system_without_locks_is_told(void **state)
{
	struct error err;

	(void)state;
	no_locks = true;
	assert_null(lock_one("a", 0, &err));
	no_locks = false;
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.hint, "mount NFS 4"));
	assert_int_equal(files_count("."), 0);
}

static void
test_what_a_killed_run_left_is_swept(void **state)
{
	const char *path = "a";
	struct error err;
	struct lock *l;
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_not_equal(dir, -1);
	files_put("a", "x\n", 0600);
	lock_sweep("a");
	lock_sweep("missing/a");
	lock_sweep_name(dir, ".a");
	lock_sweep_name(dir, ".propseal-tmp");
	for (int by_name = 0; by_name < 2; by_name++) {
		files_put(".a.propseal-tmp", "clear text\n", 0600);
		files_put(".a.propseal-lock", "1\n", 0600);
		/* While somebody holds the lock, they are in use. */
		l = lock_one(path, 0, &err);
		assert_non_null(l);
		if (by_name == 1)
			lock_sweep_name(dir, ".a.propseal-tmp");
		else
			lock_sweep(path);
		assert_int_equal(files_count("."), 3);
		/* Whose release removes the lock. */
		lock_release(l);
		assert_int_equal(files_count("."), 2);
		if (by_name == 1)
			lock_sweep_name(dir, ".a.propseal-tmp");
		else
			lock_sweep(path);
		assert_int_equal(files_count("."), 1);
		files_put(".a.propseal-lock", "1\n", 0600);
		if (by_name == 1)
			lock_sweep_name(dir, ".a.propseal-lock");
		else
			lock_sweep(path);
		assert_int_equal(files_count("."), 1);
	}
	assert_true(files_have("a", "x\n"));
	close(dir);
}

static void
test_what_is_left_beside_the_target_of_a_link_is_swept(void **state)
{
	(void)state;
	assert_int_equal(mkdir("below", 0700), 0);
	files_put("below/a", "x\n", 0600);
	assert_int_equal(symlink("below/a", "link"), 0);
	files_put("below/.a.propseal-tmp", "clear text\n", 0600);
	lock_sweep("link");
	assert_int_equal(files_count("below"), 1);
}

/* Names of leftovers are cut, then. */
static void
test_what_is_left_of_a_file_with_a_long_name_is_swept(void **state)
{
	struct error err;
	struct path p;
	char name[251];
	char *left;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	files_put(name, "x\n", 0600);
	assert_int_equal(path_open(&p, name, &err), 0);
	assert_non_null(left = path_sidecar(&p, PATH_TEMPORARY));
	files_put(left, "clear text\n", 0600);
	lock_sweep(name);
	assert_int_equal(files_count("."), 1);
	free(left);
	path_close(&p);
}

/* Of a folder that is clean when it is read nothing more is asked; one that is not, or has links in
 * it, which may lead to a leftover elsewhere, is looked at for each file. */
static void
test_many_files_of_a_folder_are_swept(void **state)
{
	static const char *const names[] = { "a", "below/a", "below/b", "below/link", "below/c", "b",
		"c" };
	struct lock_swept swept = { .folder = NULL };

	(void)state;
	assert_int_equal(mkdir("below", 0700), 0);
	assert_int_equal(mkdir("away", 0700), 0);
	files_put("away/a", "x\n", 0600);
	for (int linked = 0; linked < 2; linked++) {
		if (linked)
			assert_int_equal(symlink("../away/a", "below/link"), 0);
		files_put("below/.c.propseal-tmp", "clear text\n", 0600);
		if (!linked)
			files_put("away/.a.propseal-tmp", "clear text\n", 0600);
		files_put(".b.propseal-tmp", "clear text\n", 0600);
		files_put(".c.propseal-lock", "1\n", 0600);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (!linked && strcmp(names[i], "below/link") != 0)
				files_put(names[i], "x\n", 0600);
			lock_sweep_next(&swept, names[i]);
		}
		/* What the link leads to is swept, if there is one. */
		assert_int_equal(files_count("below"), 3 + linked);
		assert_int_equal(files_count("away"), 2 - linked);
		assert_int_equal(files_count("."), 5);
	}
	free(swept.folder);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_a_lock_excludes_and_leaves_nothing),
		IN_FOLDER(test_a_file_need_not_exist_and_its_folder_must),
		IN_FOLDER(test_one_file_by_several_names_is_one_lock),
		IN_FOLDER(test_when_one_is_busy_none_is_kept),
		IN_FOLDER(test_who_waits_is_told_once_and_gets_it),
		IN_FOLDER(test_who_waits_can_give_up),
		IN_FOLDER(test_the_order_is_that_of_the_names),
		IN_FOLDER(test_many_files_of_a_folder_are_swept),
		IN_FOLDER(test_a_lock_of_a_killed_process_is_free),
		IN_FOLDER(test_the_sidecar_of_another_is_not_removed),
		IN_FOLDER(test_a_planted_sidecar_is_no_trap),
		IN_FOLDER(test_an_ordinary_user_is_told_why_not),
		IN_FOLDER(test_32_processes_lose_no_count),
		IN_FOLDER(test_removing_the_sidecar_lets_nobody_slip_in),
		IN_FOLDER(test_opposite_orders_do_not_wait_for_each_other),
		IN_FOLDER(test_a_full_disk_can_be_locked),
		IN_FOLDER(test_a_file_system_without_locks_is_told),
		IN_FOLDER(test_what_is_left_beside_the_target_of_a_link_is_swept),
		IN_FOLDER(test_what_is_left_of_a_file_with_a_long_name_is_swept),
		IN_FOLDER(test_what_a_killed_run_left_is_swept)
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
