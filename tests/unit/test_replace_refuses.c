#include <sys/ioctl.h>
#include <linux/fs.h>

#include "replacing.h"

static void
test_what_names_no_file_is_refused(void **state)
{
	static const char *const paths[] = { "", "/", "gone/", "gone/." };
	struct file_id none = { 0 };
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null(prepare_as(paths[i], &none, NEW, NULL, NULL, &err));
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_null(prepare_as("loop", &none, NEW, NULL, NULL, &err));
	assert_error(&err, ERROR_IO, "loop", "symbolic links");
	assert_null(prepare_as("gone/a", &none, NEW, NULL, NULL, &err));
	assert_error(&err, ERROR_IO, "gone/a", "No such file");
	assert_int_equal(files_count("."), 1);
}

static void
test_hard_links_are_refused(void **state)
{
	(void)state;
	files_put("a", OLD, 0600);
	assert_int_equal(link("a", "b"), 0);
	assert_refused("a", ERROR_REFUSED, "hard links");
	assert_true(files_have("b", OLD));
}

static void
test_only_regular_files_are_replaced(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_refused("d", ERROR_REFUSED, "regular");
	assert_refused("fifo", ERROR_REFUSED, "regular");
}

/* Ways in which another program changes a file. */
static void
change(int how)
{
	static const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	int fd;

	switch (how) {
	case 0:		/* longer */
		fd = open("a", O_WRONLY | O_APPEND | O_CLOEXEC);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(close(fd), 0);
		break;
	case 1:		/* another time */
		assert_int_equal(utimensat(AT_FDCWD, "a", times, 0), 0);
		break;
	case 2:		/* another file, same bytes */
		files_put("b", OLD, 0600);
		assert_int_equal(rename("b", "a"), 0);
		break;
	case 3:
		assert_int_equal(chmod("a", 0640), 0);
		break;
	case 4:
		assert_int_equal(unlink("a"), 0);
		break;
	default:	/* a symlink to the same file */
		assert_int_equal(rename("a", "c"), 0);
		assert_int_equal(symlink("c", "a"), 0);
		break;
	}
}
#define CHANGES 6

static void
test_a_file_that_changed_before_is_stale(void **state)
{
	struct file_id id;
	struct error err;
	int how;

	(void)state;
	for (how = 0; how < CHANGES - 1; how++) {
		files_put("a", OLD, 0600);
		id = identify("a");
		change(how);
		assert_null(prepare_as("a", &id, NEW, NULL, NULL, &err));
		assert_error(&err, ERROR_STALE, "a", "");
		assert_int_equal(files_count("."), how == 4 ? 0 : 1);
		unlink("a");
	}
	id = identify("a");
	files_put("a", OLD, 0600);
	assert_null(prepare_as("a", &id, NEW, NULL, NULL, &err));
	assert_error(&err, ERROR_STALE, "a", "");
	assert_true(files_have("a", OLD));
}

static void
try_change_before_rename(bool named)
{
	struct replace *r;
	struct error err;
	int how;

	for (how = 0; how < CHANGES; how++) {
		files_put("a", OLD, 0600);
		faults.no_proc = named;
		r = prepare("a", NEW, &err);
		assert_non_null(r);
		change(how);
		assert_int_equal(replace_commit(r, &err), -1);
		assert_error(&err, ERROR_STALE, "a", "");
		replace_free(r);
		assert_int_equal(files_count("."), how == 4 ? 0 : how == 5 ? 2 : 1);
		assert_false(files_have("a", NEW));
		unlink("a");
		unlink("c");
	}
	r = prepare("a", NEW, &err);
	assert_non_null(r);
	files_put("a", OLD, 0600);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_error(&err, ERROR_STALE, "a", "");
	replace_free(r);
	assert_true(files_have("a", OLD));
	assert_int_equal(files_count("."), 1);
	assert_int_equal(unlink("a"), 0);
}

static void
test_a_file_that_changed_before_the_rename_is_stale(void **state)
{
	(void)state;
	try_change_before_rename(false);
	try_change_before_rename(true);
}

static void
check_as_nobody(const char *path, enum error_code code, const char *what)
{
	struct file_id id = { 0 };
	struct error err;

	CHECK(file_identify(path, &id, NULL) == 0);
	CHECK(prepare_as(path, &id, NEW, NULL, NULL, &err) == NULL);
	CHECK(err.code == code);
	CHECK(strstr(err.text, what) != NULL || strstr(err.hint, what) != NULL);
}

static void
as_nobody(void *arg)
{
	(void)arg;
	files_become_nobody();
	check_as_nobody("open/theirs", ERROR_REFUSED, "read-only for this user");
	check_as_nobody("open/everybodys", ERROR_REFUSED, "owner and group (0:0)");
	check_as_nobody("shut/mine", ERROR_IO, "directory must be writable");
	check_as_nobody("shut/new", ERROR_IO, "directory must be writable");
}

static void
test_an_ordinary_user_may_only_what_can_be_kept(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		assert_int_equal(chmod(".", 0755), 0);
		assert_int_equal(mkdir("open", 0700), 0);
		assert_int_equal(mkdir("shut", 0755), 0);
		files_put("open/theirs", OLD, 0644);
		files_put("open/everybodys", OLD, 0666);
		files_put("shut/mine", OLD, 0600);
		assert_int_equal(chown("shut/mine", NOBODY, NOBODY), 0);
		assert_int_equal(chmod("open", 0777), 0);
	}
	files_in_child(as_nobody, NULL);
	assert_int_equal(files_count("open"), 2);
	assert_int_equal(files_count("shut"), 1);
	assert_true(files_have("open/theirs", OLD));
	assert_true(files_have("open/everybodys", OLD));
	assert_true(files_have("shut/mine", OLD));
}

static void
own_file_as_nobody(void *arg)
{
	struct file_id id;
	struct replace *r;

	(void)arg;
	files_become_nobody();
	CHECK(file_identify("open/mine", &id, NULL) == 0);
	r = prepare_as("open/mine", &id, NEW, NULL, NULL, NULL);
	CHECK(r != NULL && replace_commit(r, NULL) == 0);
	replace_free(r);
}

static void
test_an_ordinary_user_replaces_an_own_file(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		assert_int_equal(chmod(".", 0755), 0);
		assert_int_equal(mkdir("open", 0700), 0);
		files_put("open/mine", OLD, 0640);
		assert_int_equal(chown("open/mine", NOBODY, NOBODY), 0);
		/* May be changed and entered, not listed. */
		assert_int_equal(chmod("open", 0733), 0);
	}
	files_in_child(own_file_as_nobody, NULL);
	assert_true(files_have("open/mine", NEW));
	assert_int_equal(files_stat("open/mine").st_uid, NOBODY);
	assert_int_equal(files_count("open"), 1);
}

/* chattr: one flag on, or both off. */
static bool
set_flag(const char *path, int flag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int all = 0;
	bool good = fd != -1 && ioctl(fd, FS_IOC_GETFLAGS, &all) == 0;

	all = (all & ~(FS_IMMUTABLE_FL | FS_APPEND_FL)) | flag;
	good = good && ioctl(fd, FS_IOC_SETFLAGS, &all) == 0;
	if (fd != -1)
		close(fd);
	return good;
}

static void
test_immutable_and_append_only_files_are_refused(void **state)
{
	static const int flags[] = { FS_IMMUTABLE_FL, FS_APPEND_FL };
	struct file_id before, after;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		files_put("a", OLD, 0600);
		if (!set_flag("a", flags[i])) {
			print_message("skipped: chattr is not possible here\n");
			skip();
		}
		before = identify("a");
		assert_int_equal(replace("a", NEW, &err), -1);
		after = identify("a");
		assert_true(set_flag("a", 0));
		assert_error(&err, ERROR_REFUSED, "a", "chattr");
		assert_true(file_id_equal(&before, &after));
		assert_int_equal(files_count("."), 1);
		assert_int_equal(unlink("a"), 0);
	}
}

static void
check_failure(const char *path, const char *text, enum error_code code,
    const char *what)
{
	struct file_id id, after;
	struct replace *r;
	struct error err;
	int result;

	CHECK(file_identify(path, &id, NULL) == 0);
	r = prepare_as(path, &id, text, NULL, NULL, &err);
	result = r == NULL ? -1 : replace_commit(r, &err);
	replace_free(r);
	CHECK(result == -1);
	CHECK(err.code == code);
	CHECK(strcmp(err.file, path) == 0);
	CHECK(strstr(err.text, what) != NULL || strstr(err.hint, what) != NULL);
	CHECK(file_identify(path, &after, NULL) == 0);
	CHECK(file_id_equal(&id, &after));
}

static void
on_a_mount_point(void *arg)
{
	(void)arg;
	files_private_mounts();
	CHECK(mount("other", "a", "none", MS_BIND, "") == 0);
	check_failure("a", NEW, ERROR_REFUSED, "mount point");
}

static void
test_a_mounted_file_is_refused(void **state)
{
	(void)state;
	files_put("a", OLD, 0600);
	files_put("other", OLD, 0600);
	files_in_child(on_a_mount_point, NULL);
	assert_true(files_have("a", OLD));
	assert_true(files_have("other", OLD));
	assert_int_equal(files_count("."), 2);
}

static void
on_a_full_disk(void *arg)
{
	static char big[60000];
	char old[24000];
	int fd;

	(void)arg;
	files_private_mounts();
	files_mount_small("disk", "size=64k");
	memset(big, 'n', sizeof(big) - 1);
	memset(old, 'o', sizeof(old));
	fd = open("disk/a", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	CHECK(syscall(SYS_write, fd, old, sizeof(old)) == (ssize_t)sizeof(old));
	CHECK(close(fd) == 0);
	check_failure("disk/a", big, ERROR_IO, "No space left");
	check_failure("disk/a", big, ERROR_IO, "free space");
	faults.no_proc = true;
	check_failure("disk/a", big, ERROR_IO, "No space left");
	CHECK(files_hold("disk/a", old, sizeof(old)));
	CHECK(files_count("disk") == 1);
	/* What failed has given its space back. */
	fd = open("disk/b", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	CHECK(syscall(SYS_write, fd, big, 36000) == 36000);
	CHECK(mount("none", "disk", "none", MS_REMOUNT | MS_RDONLY, "size=64k") == -1);
	CHECK(close(fd) == 0);
	CHECK(mount("none", "disk", "none", MS_REMOUNT | MS_RDONLY, "size=64k") == 0);
	check_failure("disk/a", "short", ERROR_IO, "mounted read-only");
}

static void
test_a_full_or_read_only_disk_leaves_the_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	files_in_child(on_a_full_disk, NULL);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, replacing_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_what_names_no_file_is_refused),
		IN_FOLDER(test_hard_links_are_refused),
		IN_FOLDER(test_only_regular_files_are_replaced),
		IN_FOLDER(test_a_file_that_changed_before_is_stale),
		IN_FOLDER(test_a_file_that_changed_before_the_rename_is_stale),
		IN_FOLDER(test_an_ordinary_user_may_only_what_can_be_kept),
		IN_FOLDER(test_an_ordinary_user_replaces_an_own_file),
		IN_FOLDER(test_immutable_and_append_only_files_are_refused),
		IN_FOLDER(test_a_mounted_file_is_refused),
		IN_FOLDER(test_a_full_or_read_only_disk_leaves_the_file)
	};

	return cmocka_run_group_tests_name("replace refuses", tests, NULL, NULL);
}
