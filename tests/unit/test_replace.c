#include <sys/wait.h>
#include <sys/xattr.h>
#include <limits.h>

#include "file/file.h"
#include "replacing.h"

static void
test_the_new_content_is_in_place_and_nothing_else(void **state)
{
	char *absolute;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_true(files_have("a", NEW));
	assert_int_equal(replace("./a", "", &err), 0);
	assert_true(files_have("a", ""));
	absolute = realpath("a", NULL);
	assert_int_equal(replace(absolute, NEW, &err), 0);
	assert_true(files_have("a", NEW));
	free(absolute);
	assert_int_equal(files_count("."), 1);
}

static void
test_until_commit_nothing_is_seen(void **state)
{
	struct file_id before, after;
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	before = identify("a");
	r = prepare("a", NEW, &err);
	assert_non_null(r);
	after = identify("a");
	assert_true(file_id_equal(&before, &after));
	assert_int_equal(files_count("."), 1);
	replace_free(r);
	assert_int_equal(files_count("."), 1);
	assert_true(files_have("a", OLD));
	replace_free(NULL);
}

static void
test_a_new_file_is_private_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	struct error err;
	char name[] = "0";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		name[0] = (char)('0' + i);
		umask(masks[i]);
		assert_int_equal(replace(name, NEW, &err), 0);
		umask(022);
		assert_true(files_have(name, NEW));
		assert_int_equal(files_stat(name).st_mode & 07777, 0600);
	}
	assert_int_equal(files_count("."), 3);
}

static void
test_a_symlink_stays_and_its_target_is_replaced(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	files_put("d/target", OLD, 0640);
	assert_int_equal(symlink("target", "d/near"), 0);
	assert_int_equal(symlink("d/near", "far"), 0);
	assert_int_equal(replace("far", NEW, &err), 0);
	assert_true(S_ISLNK(files_stat("far").st_mode));
	assert_true(S_ISLNK(files_stat("d/near").st_mode));
	assert_true(S_ISREG(files_stat("d/target").st_mode));
	assert_true(files_have("d/target", NEW));
	assert_int_equal(files_count("d"), 2);
	assert_int_equal(files_count("."), 2);
}

static void
test_a_dangling_symlink_gets_its_target(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(symlink("new", "d/near"), 0);
	assert_int_equal(symlink("d/near", "far"), 0);
	assert_int_equal(replace("far", NEW, &err), 0);
	assert_true(S_ISLNK(files_stat("far").st_mode));
	assert_true(S_ISREG(files_stat("d/new").st_mode));
	assert_true(files_have("d/new", NEW));
}

/* An ACL as the kernel keeps it: u::rw- u:1234:r-- g::--- m::r-- o::--- */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	0x02, 0, 4, 0, 0xd2, 0x04, 0, 0,
	0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff
};

static void
test_mode_and_owner_are_kept(void **state)
{
	static const mode_t modes[] = { 0600, 0640, 0664, 0200 | 0400, 0777, 02660 };
	struct error err;
	struct stat st;
	char name[] = "0";
	size_t i;

	(void)state;
	umask(077);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		name[0] = (char)('0' + i);
		files_put(name, OLD, 0600);
		if (geteuid() == 0)
			assert_int_equal(chown(name, 1234, 2345), 0);
		assert_int_equal(chmod(name, modes[i]), 0);
		assert_int_equal(replace(name, NEW, &err), 0);
		st = files_stat(name);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		if (geteuid() == 0) {
			assert_int_equal(st.st_uid, 1234);
			assert_int_equal(st.st_gid, 2345);
		}
	}
}

static void
test_acl_and_attributes_are_kept(void **state)
{
	struct error err;
	char back[256];

	(void)state;
	files_put("a", OLD, 0640);
	if (setxattr("a", "user.note", "a\0b", 3, 0) == -1 ||
	    setxattr("a", "system.posix_acl_access", acl, sizeof(acl), 0) == -1) {
		print_message("skipped: no extended attributes here\n");
		skip();
	}
	assert_int_equal(setxattr("a", "user.empty", "", 0, 0), 0);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(getxattr("a", "user.note", back, sizeof(back)), 3);
	assert_memory_equal(back, "a\0b", 3);
	assert_int_equal(getxattr("a", "user.empty", back, sizeof(back)), 0);
	assert_int_equal(getxattr("a", "system.posix_acl_access", back, sizeof(back)),
	    sizeof(acl));
	assert_memory_equal(back, acl, sizeof(acl));
	assert_int_equal(files_stat("a").st_mode & 07777, 0640);
}

static void
test_no_acl_is_inherited_from_the_folder(void **state)
{
	struct error err;
	char back[256];

	(void)state;
	files_put("a", OLD, 0600);
	if (setxattr(".", "system.posix_acl_default", acl, sizeof(acl), 0) == -1) {
		print_message("skipped: no ACL here\n");
		skip();
	}
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(getxattr("a", "system.posix_acl_access", back, sizeof(back)), -1);
	assert_int_equal(files_stat("a").st_mode & 07777, 0600);
}

static void
test_what_an_interrupted_run_left_is_removed(void **state)
{
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	files_put("victim", "mine\n", 0600);
	files_put(".a.propseal-tmp", "clear text\n", 0600);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(files_count("."), 2);
	assert_int_equal(symlink("victim", ".a.propseal-tmp"), 0);
	assert_int_equal(replace("a", OLD, &err), 0);
	assert_int_equal(symlink("victim", ".a.propseal-tmp"), 0);
	faults.no_proc = true;
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(files_count("."), 2);
	assert_true(files_have("victim", "mine\n"));
	assert_true(files_have("a", NEW));
}

static int
refuse(void *cookie, struct error *err)
{
	int *calls = cookie;

	(*calls)++;
	assert_true(files_have("a", OLD));
	return error_set(err, ERROR_DAMAGED, "does not open");
}

static void
test_what_does_not_verify_is_not_put_in_place(void **state)
{
	struct file_id before, after;
	struct error err;
	int calls = 0;

	(void)state;
	files_put("a", OLD, 0600);
	before = identify("a");
	assert_null(prepare_as("a", &before, NEW, refuse, &calls, &err));
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_string_equal(err.text, "does not open");
	faults.no_proc = true;
	assert_null(prepare_as("a", &before, NEW, refuse, &calls, &err));
	assert_int_equal(calls, 2);
	after = identify("a");
	assert_true(file_id_equal(&before, &after));
	assert_int_equal(files_count("."), 1);
}

static void
test_a_disk_that_garbles_is_noticed(void **state)
{
	(void)state;
	files_put("a", OLD, 0600);
	faults.spoil = 1;
	assert_refused("a", ERROR_IO, "reads back differently");
}

/* It is read back in pieces: the last byte counts as the first does. */
static void
test_a_large_file_is_read_back_whole(void **state)
{
	static char text[3 * 65536 + 17];
	struct file_id none;
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(replace("a", text, &err), 0);
	assert_true(files_have("a", text));
	assert_int_equal(unlink("a"), 0);
	none = identify("a");
	/* Each write does half of what is left: this one does some of the end. */
	faults.spoil = 1;
	faults.spoil_after = 12;
	assert_null(prepare_as("a", &none, text, NULL, NULL, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.text, "reads back differently"));
	assert_int_equal(faults.spoil, 0);
	assert_int_equal(files_count("."), 0);
}

static void
test_each_call_that_fails_leaves_the_file(void **state)
{
	static const struct { enum fault_call call; int at; bool named; } cases[] = {
		{ FAULT_WRITE, 1, false }, { FAULT_WRITE, 2, false },
		{ FAULT_FSYNC, 1, false }, { FAULT_LINKAT, 1, false },
		{ FAULT_RENAMEAT, 1, false }, { FAULT_WRITE, 1, true },
		{ FAULT_WRITE, 2, true }, { FAULT_FSYNC, 1, true },
		{ FAULT_RENAMEAT, 1, true }
	};
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		faults_clear();
		files_put("a", OLD, 0600);
		faults_set(cases[i].call, cases[i].at, 1, ENOSPC);
		faults.no_proc = cases[i].named;
		assert_refused("a", ERROR_IO, "No space left");
		assert_int_equal(faults.times, 0);
		assert_int_equal(unlink("a"), 0);
		if (cases[i].call == FAULT_RENAMEAT)
			continue;	/* not what a new file is put in place with */
		faults_set(cases[i].call, cases[i].at, 1, EIO);
		assert_int_equal(replace("a", NEW, &err), -1);
		assert_error(&err, ERROR_IO, "a", strerror(EIO));
		assert_int_equal(files_count("."), 0);
	}
}

static void
test_without_nameless_files_it_works_too(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	faults.no_proc = true;
	assert_int_equal(replace("a", OLD, &err), 0);
	assert_int_equal(files_stat("a").st_mode & 07777, 0600);
	assert_int_equal(chmod("a", 0640), 0);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(files_stat("a").st_mode & 07777, 0640);
	assert_true(files_have("a", NEW));
	assert_int_equal(files_count("."), 1);
	/* Whoever swaps the file that was written aside gets nothing in place. */
	r = prepare("a", OLD, &err);
	assert_non_null(r);
	assert_true(files_have(".a.propseal-tmp", OLD));
	assert_int_equal(unlink(".a.propseal-tmp"), 0);
	files_put(".a.propseal-tmp", "evil\n", 0600);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_error(&err, ERROR_STALE, "a", "");
	replace_free(r);
	assert_true(files_have("a", NEW));
}

static void
test_undo_puts_the_old_file_back(void **state)
{
	struct stat before;
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0640);
	before = files_stat("a");
	r = prepare("a", NEW, &err);
	assert_non_null(r);
	assert_string_equal(undo(r), "");
	assert_int_equal(place(r, &err), 0);
	assert_int_equal(replace_state(r), REPLACE_NEW);
	assert_true(files_have("a", NEW));
	assert_string_equal(undo(r), "");
	assert_int_equal(replace_state(r), REPLACE_OLD);
	assert_true(files_have("a", OLD));
	assert_true(files_stat("a").st_ino == before.st_ino);
	assert_string_equal(undo(r), "");
	replace_free(r);
	r = prepare("new", NEW, &err);
	assert_non_null(r);
	assert_int_equal(place(r, &err), 0);
	assert_string_equal(undo(r), "");
	replace_free(r);
	assert_int_equal(files_count("."), 1);
	assert_true(files_have("a", OLD));
}

static void
test_undo_does_not_overwrite_another_hand(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	assert_int_equal(place(r, &err), 0);
	assert_int_equal(unlink("a"), 0);
	files_put("a", "theirs\n", 0600);
	assert_non_null(strstr(undo(r), "/a is changed already and could not be put back "
	    "(another program changed it meanwhile)"));
	replace_free(r);
	r = prepare("new", NEW, &err);
	assert_int_equal(place(r, &err), 0);
	assert_int_equal(unlink("new"), 0);
	files_put("new", "theirs\n", 0600);
	assert_non_null(strstr(undo(r), "could not be put back"));
	replace_free(r);
	assert_true(files_have("a", "theirs\n"));
	assert_true(files_have("new", "theirs\n"));
	assert_int_equal(files_count("."), 2);
}

static void
put_theirs_in_place_of_a(void)
{
	files_put("theirs", "theirs\n", 0600);
	assert_int_equal(rename("theirs", "a"), 0);
}

/* A lease does not tell of a rename. */
static void
test_who_renames_over_it_is_not_overwritten(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	/* After the last look: the one before it is at the name beside the file. */
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	faults_meddle(FAULT_FSTATAT, 2, put_theirs_in_place_of_a);
	assert_int_equal(place(r, &err), -1);
	assert_error(&err, ERROR_STALE, "a", "changed");
	assert_int_equal(replace_state(r), REPLACE_OLD);
	replace_free(r);
	assert_true(files_have("a", "theirs\n"));
	/* Between the look at what is to be undone and its exchange. */
	r = prepare("a", NEW, &err);
	assert_int_equal(place(r, &err), 0);
	faults_meddle(FAULT_FSTATAT, 1, put_theirs_in_place_of_a);
	assert_non_null(strstr(undo(r), "could not be put back (another program"));
	assert_int_equal(replace_state(r), REPLACE_NEW);
	replace_free(r);
	assert_true(files_have("a", "theirs\n"));
	assert_int_equal(files_count("."), 1);
}

static void
test_a_folder_that_does_not_sync_is_undone(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	assert_non_null(r);
	faults_set(FAULT_FSYNC, 1, 1, EIO);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_error(&err, ERROR_IO, "a", "directory");
	assert_int_equal(replace_state(r), REPLACE_OLD);
	replace_free(r);
	assert_true(files_have("a", OLD));
	/* Nor when it was put back: who depends on it is told. */
	r = prepare("a", NEW, &err);
	faults_set(FAULT_FSYNC, 1, 2, EIO);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_int_equal(replace_state(r), REPLACE_UNSURE);
	assert_non_null(strstr(err.text, "/a was put back, but that may not be on disk"));
	replace_free(r);
	assert_true(files_have("a", OLD));
	assert_int_equal(files_count("."), 1);
	/* A file system on which it cannot be asked for is no failure. */
	faults_set(FAULT_FSYNC, 2, 1, EINVAL);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(faults.times, 0);
}

static void
test_an_old_file_that_cannot_be_removed_is_put_back(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	faults_set(FAULT_UNLINKAT, 1, 2, EIO);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_error(&err, ERROR_IO, "a", ".a.propseal-tmp");
	replace_free(r);
	assert_true(files_have("a", OLD));
	assert_int_equal(files_count("."), 1);
	/* Once is not enough to give up. */
	faults_set(FAULT_UNLINKAT, 2, 1, EIO);
	assert_int_equal(replace("a", NEW, &err), 0);
	assert_int_equal(files_count("."), 1);
}

/* A program that appends a line to `a`, opening it at a moment of ours. */
static pid_t appender;

static bool
sleeps(pid_t pid)
{
	char path[40], line[256] = "";
	const char *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	end = strrchr(line, ')');
	return end != NULL && end[1] == ' ' && end[2] == 'S';
}

static void
start_to_append(void)
{
	int ready[2], fd;
	char c;

	assert_int_equal(pipe(ready), 0);
	appender = fork();
	if (appender == 0) {
		CHECK(write(ready[1], "r", 1) == 1);
		fd = open("a", O_WRONLY | O_APPEND | O_CLOEXEC);
		CHECK(fd != -1 && write(fd, "theirs\n", 7) == 7);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	while (!sleeps(appender))
		usleep(1000);
	close(ready[0]);
	close(ready[1]);
}

static void
wait_for_appender(void)
{
	int status;

	assert_int_equal(waitpid(appender, &status, 0), appender);
	assert_int_equal(status, 0);
}

static void
test_an_append_at_the_last_moment_is_not_lost(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	assert_non_null(r);
	faults_meddle(FAULT_LINKAT, 1, start_to_append);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_error(&err, ERROR_STALE, "a", "meanwhile");
	assert_int_equal(replace_state(r), REPLACE_OLD);
	replace_free(r);
	wait_for_appender();
	assert_true(files_have("a", OLD "theirs\n"));
	assert_int_equal(files_count("."), 1);
}

static void
test_an_append_is_kept_when_the_old_file_cannot_be_put_back(void **state)
{
	struct replace *r;
	struct error err;

	(void)state;
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	faults_meddle(FAULT_LINKAT, 1, start_to_append);
	faults_set(FAULT_RENAMEAT, 2, 1, EIO);
	assert_int_equal(replace_commit(r, &err), -1);
	assert_non_null(strstr(err.text, "could not be put back"));
	assert_non_null(strstr(err.hint, ".a.propseal-kept beside it is the old file"));
	assert_int_equal(replace_state(r), REPLACE_NEW);
	replace_free(r);
	wait_for_appender();
	assert_true(files_have("a", NEW));
	assert_true(files_have(".a.propseal-kept", OLD "theirs\n"));
}

static void
test_a_file_that_others_write_to_is_waited_for(void **state)
{
	struct wait w = { .timeout_ms = 30 };
	struct replace *r;
	struct error err;
	int fd;

	(void)state;
	files_put("a", OLD, 0600);
	fd = open("a", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	r = prepare("a", NEW, &err);
	wait_start(&w);
	assert_int_equal(replace_place(r, &w, &err), -1);
	assert_error(&err, ERROR_BUSY, "a", "open for writing");
	assert_int_equal(replace_state(r), REPLACE_OLD);
	close(fd);
	assert_int_equal(replace_place(r, &w, &err), 0);
	assert_false(replace_is_blind(r));
	assert_int_equal(replace_settle(r, &err), 0);
	replace_free(r);
	assert_true(files_have("a", NEW));
	assert_int_equal(files_count("."), 1);
}

/* Without leases or exchanges there is a second look, and it is told. */
static void
test_without_leases_or_exchanges_it_looks_again(void **state)
{
	struct replace *r;
	struct error err;
	int how;

	(void)state;
	for (how = 1; how < 4; how++) {
		faults_clear();
		faults.no_lease = (how & 1) != 0;
		faults.no_exchange = (how & 2) != 0;
		files_put("a", OLD, 0600);
		r = prepare("a", NEW, &err);
		assert_int_equal(place(r, &err), 0);
		assert_true(replace_is_blind(r));
		assert_int_equal(replace_settle(r, &err), 0);
		replace_free(r);
		assert_true(files_have("a", NEW));
		assert_int_equal(files_count("."), 1);
		/* After the last look, which without an exchange is not the last. */
		r = prepare("a", OLD, &err);
		faults_meddle(FAULT_FSTATAT, 2, put_theirs_in_place_of_a);
		assert_int_equal(place(r, &err), -1);
		assert_error(&err, ERROR_STALE, "a", "changed");
		replace_free(r);
		assert_true(files_have("a", "theirs\n"));
		assert_int_equal(files_count("."), 1);
		assert_int_equal(unlink("a"), 0);
	}
	/* What cannot be exchanged cannot be put back. */
	files_put("a", OLD, 0600);
	r = prepare("a", NEW, &err);
	assert_int_equal(place(r, &err), 0);
	assert_non_null(strstr(undo(r), "cannot be exchanged"));
	replace_free(r);
	assert_true(files_have("a", NEW));
}

static void
test_one_sync_serves_a_folder(void **state)
{
	const struct wait w = { .timeout_ms = 0 };
	const char *names[] = { "a", "b", "d/a", "d/b" };
	struct replace *r[5] = { NULL };
	struct error err;
	size_t i;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	for (i = 0; i < 4; i++) {
		files_put(names[i], OLD, 0600);
		r[i] = prepare(names[i], NEW, &err);
		assert_int_equal(replace_place(r[i], &w, &err), 0);
	}
	faults_set(FAULT_FSYNC, 2, 9, EIO);
	replace_sync(r, 5);
	/* Two were made: one went well and one did not. */
	assert_int_equal(faults.times, 8);
	for (i = 0; i < 4; i++) {
		assert_int_equal(replace_check(r[i], &err), i < 2 ? 0 : -1);
		replace_free(r[i]);
	}
}

static void
test_long_names_have_names_beside_them(void **state)
{
	char name[NAME_MAX + 1];
	struct path p = PATH_NONE;
	char *first, *second;
	struct error err;

	(void)state;
	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	faults.no_proc = true;
	assert_int_equal(replace(name, OLD, &err), 0);
	assert_int_equal(replace(name, NEW, &err), 0);
	assert_true(files_have(name, NEW));
	assert_int_equal(files_count("."), 1);
	assert_int_equal(path_open(&p, name, &err), 0);
	first = path_sidecar(&p, ".propseal-lock");
	path_close(&p);
	/* Cut at a character, and told apart by what was cut off. */
	memcpy(name + NAME_MAX - 32, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8);
	assert_int_equal(path_open(&p, name, &err), 0);
	second = path_sidecar(&p, ".propseal-lock");
	path_close(&p);
	path_close(&p);
	assert_true(strlen(first) <= NAME_MAX && strlen(second) <= NAME_MAX);
	assert_string_not_equal(first, second);
	assert_memory_equal(first, ".xxx", 4);
	free(first);
	free(second);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, replacing_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_the_new_content_is_in_place_and_nothing_else),
		IN_FOLDER(test_until_commit_nothing_is_seen),
		IN_FOLDER(test_a_new_file_is_private_whatever_the_umask),
		IN_FOLDER(test_a_symlink_stays_and_its_target_is_replaced),
		IN_FOLDER(test_a_dangling_symlink_gets_its_target),
		IN_FOLDER(test_mode_and_owner_are_kept),
		IN_FOLDER(test_acl_and_attributes_are_kept),
		IN_FOLDER(test_no_acl_is_inherited_from_the_folder),
		IN_FOLDER(test_what_an_interrupted_run_left_is_removed),
		IN_FOLDER(test_what_does_not_verify_is_not_put_in_place),
		IN_FOLDER(test_a_disk_that_garbles_is_noticed),
		IN_FOLDER(test_a_large_file_is_read_back_whole),
		IN_FOLDER(test_each_call_that_fails_leaves_the_file),
		IN_FOLDER(test_without_nameless_files_it_works_too),
		IN_FOLDER(test_undo_puts_the_old_file_back),
		IN_FOLDER(test_undo_does_not_overwrite_another_hand),
		IN_FOLDER(test_a_folder_that_does_not_sync_is_undone),
		IN_FOLDER(test_who_renames_over_it_is_not_overwritten),
		IN_FOLDER(test_an_old_file_that_cannot_be_removed_is_put_back),
		IN_FOLDER(test_an_append_at_the_last_moment_is_not_lost),
		IN_FOLDER(test_an_append_is_kept_when_the_old_file_cannot_be_put_back),
		IN_FOLDER(test_a_file_that_others_write_to_is_waited_for),
		IN_FOLDER(test_without_leases_or_exchanges_it_looks_again),
		IN_FOLDER(test_one_sync_serves_a_folder),
		IN_FOLDER(test_long_names_have_names_beside_them)
	};

	return cmocka_run_group_tests_name("replace", tests, NULL, NULL);
}
