#include "base/buf.h"
#include "base/error.h"
#include "document/edits.h"
#include "file/lock.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "faults.h"
#include "files.h"

#define NEW "new\n"

static int
setup(void **state)
{
	faults_clear();
	return files_setup(state);
}

/* Add a whole new content for ${path} to a plan. */
static void
add(struct plan *p, const char *path, const char *text)
{
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&content, text);
	assert_int_equal(plan_add_output(p, path, &content, NULL), 0);
	buf_release(&content);
}

/* A plan that replaces `a` and `b` and makes `c`. */
static struct plan *
three_files(void)
{
	struct plan *p = plan_new(NULL, NULL);

	assert_non_null(p);
	files_put("a", "old a\n", 0640);
	files_put("b", "old b\n", 0600);
	add(p, "a", NEW);
	add(p, "b", NEW);
	add(p, "c", NEW);
	assert_int_equal(plan_file_count(p), 3);
	return p;
}

static void
assert_untouched(int files)
{
	assert_true(files_have("a", "old a\n"));
	assert_true(files_have("b", "old b\n"));
	assert_int_equal(files_stat("a").st_mode & 07777, 0640);
	assert_int_equal(files_count("."), files);
}

static void
test_every_file_is_put_in_place(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	assert_int_equal(apply_plan(p, &err), 0);
	plan_free(p);
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", NEW));
	assert_true(files_have("c", NEW));
	assert_int_equal(files_stat("a").st_mode & 07777, 0640);
	assert_int_equal(files_stat("c").st_mode & 07777, 0600);
	assert_int_equal(files_count("."), 3);
}

static void
test_an_empty_plan_does_nothing(void **state)
{
	struct plan *p = plan_new(NULL, NULL);
	struct lock *l;

	(void)state;
	assert_int_equal(apply_plan(p, NULL), 0);
	l = apply_lock(p, 0, NULL, NULL, NULL);
	assert_non_null(l);
	lock_release(l);
	plan_free(p);
	assert_int_equal(files_count("."), 0);
}

static void
test_edits_change_only_what_they_name(void **state)
{
	struct configuration *c, *same;
	struct plan *p;
	struct edits *e;
	struct error err;
	struct stat before, after;

	(void)state;
	files_put("a.properties", "# kept\r\nx.password : one\r\n  y = 2", 0600);
	files_put("b.properties", "z = 3\n", 0600);
	c = configuration_load("a.properties", &err);
	same = configuration_load("b.properties", &err);
	assert_non_null(c);
	assert_non_null(same);
	before = files_stat("b.properties");
	p = plan_new(NULL, &err);
	e = plan_config_edits(p, c, &err);
	assert_non_null(e);
	assert_int_equal(edits_set(e, 0, "${x:y}", 6, &err), 0);
	assert_non_null(plan_config_edits(p, same, &err));
	assert_int_equal(apply_plan(p, &err), 0);
	plan_free(p);
	configuration_free(c);
	configuration_free(same);
	assert_true(files_have("a.properties", "# kept\r\nx.password : ${x:y}\r\n  y = 2"));
	after = files_stat("b.properties");
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
test_no_file_is_put_in_place_before_all_are_written(void **state)
{
	struct plan *p = three_files();
	struct stat before = files_stat("a"), after;
	struct error err;

	(void)state;
	assert_int_equal(chmod("b", 0400), 0);
	plan_free(p);
	p = plan_new(NULL, NULL);
	add(p, "a", NEW);
	add(p, "b", NEW);
	assert_int_equal(apply_plan(p, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_string_equal(err.file, "b");
	assert_non_null(strstr(err.text, "read-only"));
	after = files_stat("a");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	plan_free(p);
	assert_untouched(2);
}

static void
test_a_stale_file_stops_all(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	files_put("c", "theirs\n", 0600);
	assert_int_equal(apply_plan(p, &err), -1);
	assert_int_equal(err.code, ERROR_STALE);
	assert_string_equal(err.file, "c");
	plan_free(p);
	assert_untouched(3);
	assert_true(files_have("c", "theirs\n"));
}

/* Each call that apply makes, failing once: before or after a file is in place. */
static void
test_whatever_fails_the_files_are_as_they_were(void **state)
{
	static const enum fault_call calls[] = {
		FAULT_WRITE, FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT
	};
	struct plan *p;
	struct error err;
	size_t i;
	int at, result, done = 0;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (at = 1; ; at++, done++) {
			faults_clear();
			p = three_files();
			faults_set(calls[i], at, 1, ENOSPC);
			result = apply_plan(p, &err);
			plan_free(p);
			if (faults.times == 1)
				break;
			assert_int_equal(result, -1);
			assert_int_equal(err.code, ERROR_IO);
			assert_non_null(strstr(err.text, "No space left"));
			assert_non_null(strstr(err.hint, "free space"));
			assert_null(strstr(err.text, "could not be put back"));
			assert_untouched(2);
			assert_true(unlink("a") == 0 && unlink("b") == 0);
		}
		assert_int_equal(result, 0);
		assert_true(unlink("a") == 0 && unlink("b") == 0 && unlink("c") == 0);
	}
	assert_true(done >= 3 + 6 + 3 + 2);
}

static void
test_what_cannot_be_put_back_is_said(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	/* The second rename fails, and so does every one that would undo the first. */
	faults_set(FAULT_RENAMEAT, 2, 100, EIO);
	assert_int_equal(apply_plan(p, &err), -1);
	plan_free(p);
	assert_int_equal(err.code, ERROR_IO);
	assert_string_equal(err.file, "b");
	assert_non_null(strstr(err.text, "/a is changed already and could not be put back"));
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", "old b\n"));
	assert_int_equal(files_count("."), 2);
}

/* What comes later needs what comes earlier: nothing earlier went back alone. */
static void
assert_no_gap(void)
{
	bool c = files_have("c", NEW), b = files_have("b", NEW);

	assert_true(b || files_have("b", "old b\n"));
	assert_true(!c || b);
	assert_true(!b || files_have("a", NEW));
}

static void
test_what_stays_needs_what_stays_before_it(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	/* The folder of b is not synced, nor is the old b when it is written again. */
	faults_set(FAULT_FSYNC, 5, 2, EIO);
	assert_int_equal(apply_plan(p, &err), -1);
	assert_int_equal(faults.times, 0);
	plan_free(p);
	assert_int_equal(err.code, ERROR_IO);
	assert_string_equal(err.file, "b");
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", NEW));
	assert_int_equal(files_count("."), 2);
	assert_non_null(strstr(err.text, "/b is changed already and could not be put back"));
	assert_non_null(strstr(err.text, "so these stay changed, too: /"));
	assert_non_null(strstr(strstr(err.text, "too: /"), "/a"));
	assert_non_null(strstr(err.hint, "no secret is lost"));
}

static void
fail_the_next_sync(void)
{
	faults_set(FAULT_FSYNC, 1, 1, EIO);
}

static void
test_what_may_not_be_back_on_disk_keeps_what_it_needs(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	/* The folder of b is not synced; the old b is, but then its folder is not again. */
	faults_set(FAULT_FSYNC, 5, 1, EIO);
	faults_meddle(FAULT_FSYNC, 5, fail_the_next_sync);
	assert_int_equal(apply_plan(p, &err), -1);
	assert_int_equal(faults.times, 0);
	plan_free(p);
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", "old b\n"));
	assert_int_equal(files_count("."), 2);
	assert_non_null(strstr(err.text, "/b was put back, but that may not be on disk ("));
	assert_non_null(strstr(err.text, "so these stay changed, too: /"));
}

/* Each call of each kind fails, and so does the next of its kind. */
static void
test_whatever_fails_twice_nothing_is_in_place_alone(void **state)
{
	static const enum fault_call calls[] = {
		FAULT_WRITE, FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT, FAULT_FSTAT
	};
	struct plan *p;
	struct error err;
	size_t i;
	int at, times, result, stayed = 0;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (at = 1, times = 0; times < 2; at++) {
			faults_clear();
			p = three_files();
			faults_set(calls[i], at, 2, EIO);
			result = apply_plan(p, &err);
			times = faults.times;
			faults_clear();
			plan_free(p);
			assert_no_gap();
			if (result == -1 && files_have("a", NEW)) {
				stayed++;
				assert_non_null(strstr(err.hint, "no secret is lost"));
			} else if (result == -1)
				assert_untouched(2);
			else
				assert_true(files_have("c", NEW));
			assert_true(unlink("a") == 0 && unlink("b") == 0);
			(void)unlink("c");
			assert_int_equal(files_count("."), 0);
		}
	}
	assert_true(stayed >= 3);
}

static void
test_a_new_file_that_cannot_be_examined_is_taken_back(void **state)
{
	struct plan *p;
	struct error err;
	int at, result = -1, done = 0;

	(void)state;
	for (at = 1; result == -1; at++) {
		faults_clear();
		p = three_files();
		faults_set(FAULT_FSTAT, at, 1, EIO);
		result = apply_plan(p, &err);
		/* Where the size was only wanted for the room it takes, all is well. */
		if (faults.times == 0 && result == 0)
			result = -1;
		else if (result == -1) {
			assert_null(strstr(err.text, "could not be put back"));
			assert_untouched(2);
			done++;
		}
		plan_free(p);
		assert_true(unlink("a") == 0 && unlink("b") == 0);
		(void)unlink("c");
	}
	assert_true(done >= 6);
}

static void
touch_b_and_make_c(void)
{
	int fd = open("b", O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "t", 1), 1);
	close(fd);
	files_put("c", "theirs\n", 0600);
}

/* Another program changes b just after it is in place, and what comes next. */
static void
test_another_hand_between_the_files(void **state)
{
	static const struct {
		enum fault_call after;
		int nth;
	} moments[] = { { FAULT_RENAMEAT, 2 }, { FAULT_FSYNC, 5 } };
	struct plan *p;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		faults_clear();
		p = three_files();
		faults_meddle(moments[i].after, moments[i].nth, touch_b_and_make_c);
		assert_int_equal(apply_plan(p, &err), -1);
		plan_free(p);
		assert_int_equal(err.code, ERROR_STALE);
		assert_string_equal(err.file, "c");
		assert_true(files_have("a", NEW));
		assert_true(files_have("b", NEW "t"));
		assert_true(files_have("c", "theirs\n"));
		assert_non_null(strstr(err.text, "/b is changed already and could not be put back "
		    "(another program changed it meanwhile); so these stay changed, too: "));
		assert_int_equal(files_count("."), 3);
		assert_true(unlink("a") == 0 && unlink("b") == 0 && unlink("c") == 0);
	}
}

static void
test_the_files_that_stay_are_named_as_far_as_there_is_room(void **state)
{
	struct plan *p = plan_new(NULL, NULL);
	char name[200];
	struct error err;
	int i;

	(void)state;
	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%d%0150d", i, 0);
		files_put(name, "old\n", 0600);
		add(p, name, NEW);
	}
	faults_set(FAULT_RENAMEAT, 9, 100, EIO);
	assert_int_equal(apply_plan(p, &err), -1);
	plan_free(p);
	assert_non_null(strstr(err.text, "so these stay changed, too: "));
	assert_non_null(strstr(err.text, " more"));
	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%d%0150d", i, 0);
		assert_true(files_have(name, i < 8 ? NEW : "old\n"));
	}
}

static void
test_one_file_twice_is_not_applied_halfway(void **state)
{
	struct plan *p;
	struct error err;
	int named;

	(void)state;
	for (named = 0; named < 2; named++) {
		files_put("a", "old a\n", 0640);
		files_put("b", "old b\n", 0600);
		assert_int_equal(symlink("a", "alias"), 0);
		faults.no_proc = named == 1;
		p = plan_new(NULL, NULL);
		add(p, "a", "one\n");
		add(p, "alias", "two\n");
		assert_int_equal(apply_plan(p, &err), -1);
		assert_int_equal(err.code, ERROR_STALE);
		plan_free(p);
		assert_untouched(3);
		assert_true(unlink("a") == 0 && unlink("b") == 0 && unlink("alias") == 0);
	}
}

static void
test_the_lock_covers_every_file(void **state)
{
	static const char *const paths[] = { "a", "b", "c" };
	struct plan *p = three_files();
	struct lock *all, *one;
	struct error err;
	size_t i;

	(void)state;
	all = apply_lock(p, 0, NULL, NULL, &err);
	assert_non_null(all);
	for (i = 0; i < 3; i++) {
		assert_null(lock_files(&paths[i], 1, 0, NULL, NULL, &err));
		assert_int_equal(err.code, ERROR_BUSY);
		assert_string_equal(err.file, paths[i]);
	}
	assert_int_equal(apply_plan(p, &err), 0);
	lock_release(all);
	one = lock_files(&paths[2], 1, 0, NULL, NULL, &err);
	assert_non_null(one);
	assert_null(apply_lock(p, 0, NULL, NULL, &err));
	assert_string_equal(err.file, "c");
	lock_release(one);
	plan_free(p);
	assert_int_equal(files_count("."), 3);
}

static void
on_a_full_disk(void *arg)
{
	static char big[60000];
	struct plan *p = plan_new(NULL, NULL);
	struct buf content;
	struct error err;

	(void)arg;
	files_private_mounts();
	files_mount_small("disk", "size=64k");
	CHECK(close(open("disk/b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
	CHECK(files_write_line("disk/b", "old b\n"));
	memset(big, 'n', sizeof(big));
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&content, NEW);
	CHECK(plan_add_output(p, "a", &content, NULL) == 0);
	buf_append(&content, big, sizeof(big));
	CHECK(plan_add_output(p, "disk/b", &content, NULL) == 0);
	buf_append(&content, big, sizeof(big));
	CHECK(plan_add_output(p, "disk/c", &content, NULL) == 0);
	buf_release(&content);
	CHECK(apply_plan(p, &err) == -1);
	CHECK(err.code == ERROR_IO && strstr(err.text, "No space left") != NULL);
	CHECK(files_have("disk/b", "old b\n") && files_count("disk") == 1);
	plan_free(p);
}

static void
test_a_full_disk_leaves_the_files_of_other_disks(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	files_put("a", "old a\n", 0600);
	before = files_stat("a");
	files_in_child(on_a_full_disk, NULL);
	after = files_stat("a");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(files_count("."), 2);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_every_file_is_put_in_place),
		IN_FOLDER(test_an_empty_plan_does_nothing),
		IN_FOLDER(test_edits_change_only_what_they_name),
		IN_FOLDER(test_no_file_is_put_in_place_before_all_are_written),
		IN_FOLDER(test_a_stale_file_stops_all),
		IN_FOLDER(test_whatever_fails_the_files_are_as_they_were),
		IN_FOLDER(test_what_cannot_be_put_back_is_said),
		IN_FOLDER(test_what_stays_needs_what_stays_before_it),
		IN_FOLDER(test_what_may_not_be_back_on_disk_keeps_what_it_needs),
		IN_FOLDER(test_whatever_fails_twice_nothing_is_in_place_alone),
		IN_FOLDER(test_a_new_file_that_cannot_be_examined_is_taken_back),
		IN_FOLDER(test_another_hand_between_the_files),
		IN_FOLDER(test_the_files_that_stay_are_named_as_far_as_there_is_room),
		IN_FOLDER(test_one_file_twice_is_not_applied_halfway),
		IN_FOLDER(test_the_lock_covers_every_file),
		IN_FOLDER(test_a_full_disk_leaves_the_files_of_other_disks)
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
