#include <sys/resource.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/edits.h"
#include "file/lock.h"
#include "plan/apply.h"
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
	assert_int_equal(plan_add_output(p, path, NULL, &content, NULL), 0);
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

static struct apply applied;

static int
teardown(void **state)
{
	apply_release(&applied);
	return files_teardown(state);
}

static int
apply(struct plan *p, struct error *err)
{
	apply_release(&applied);
	memset(&applied, 0, sizeof(applied));
	return apply_plan(p, &applied, err);
}

/* Why the file at ${path} of the plan is not done; NULL: it is. */
static const struct error *
why_not(const char *path)
{
	for (size_t i = 0; i < applied.count; i++) {
		if (strcmp(applied.results[i].file->path, path) != 0)
			continue;
		assert_true(applied.results[i].done == (applied.results[i].why == NULL));
		return applied.results[i].why;
	}
	fail_msg("no result of %s", path);
	return NULL;
}

static void
test_every_file_is_put_in_place(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	assert_int_equal(apply(p, &err), 0);
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

	(void)state;
	assert_int_equal(apply(p, NULL), 0);
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
	c = configuration_load("a.properties", NULL, &err);
	same = configuration_load("b.properties", NULL, &err);
	assert_non_null(c);
	assert_non_null(same);
	before = files_stat("b.properties");
	p = plan_new(NULL, &err);
	e = plan_config_edits(p, c, &err);
	assert_non_null(e);
	assert_int_equal(edits_set(e, 0, "${x:y}", 6, &err), 0);
	assert_non_null(plan_config_edits(p, same, &err));
	assert_int_equal(apply(p, &err), 0);
	plan_free(p);
	configuration_free(c);
	configuration_free(same);
	assert_true(files_have("a.properties", "# kept\r\nx.password : ${x:y}\r\n  y = 2"));
	after = files_stat("b.properties");
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
test_a_read_only_file_beside_others_is_left(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	assert_int_equal(chmod("b", 0400), 0);
	plan_free(p);
	p = plan_new(NULL, NULL);
	add(p, "a", NEW);
	add(p, "b", NEW);
	assert_int_equal(apply(p, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_string_equal(err.text, "1 of 2 files is not changed: b");
	assert_null(why_not("a"));
	assert_non_null(strstr(why_not("b")->text, "read-only"));
	plan_free(p);
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", "old b\n"));
}

static void
test_what_fails_is_left_and_the_rest_goes_on(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	assert_int_equal(unlink("b"), 0);
	files_put("b", "theirs\n", 0600);
	assert_int_equal(apply(p, &err), -1);
	assert_int_equal(err.code, ERROR_STALE);
	assert_string_equal(err.text, "1 of 3 files is not changed: b");
	assert_true(applied.several);
	assert_int_equal(why_not("b")->code, ERROR_STALE);
	assert_string_equal(why_not("b")->file, "b");
	plan_free(p);
	assert_true(files_have("a", NEW));
	assert_true(files_have("b", "theirs\n"));
	assert_true(files_have("c", NEW));
	assert_int_equal(files_count("."), 3);
}

/* One that is all of it is told as what it is. */
static void
test_the_only_file_that_fails_is_the_error(void **state)
{
	struct plan *p = plan_new(NULL, NULL);
	struct error err;

	(void)state;
	add(p, "c", NEW);
	files_put("c", "theirs\n", 0600);
	assert_int_equal(apply(p, &err), -1);
	assert_false(applied.several);
	assert_int_equal(err.code, ERROR_STALE);
	assert_string_equal(err.file, "c");
	plan_free(p);
}

/* Each file is done or as it was, as its result says; how many are done? */
static int
assert_as_told(void)
{
	static const char *const names[] = { "a", "b", "c" };
	int done = 0;

	for (size_t i = 0; i < 3; i++) {
		const struct error *why = why_not(names[i]);

		if (why == NULL) {
			assert_true(files_have(names[i], NEW));
			done++;
		} else if (strstr(why->text, "is changed already") != NULL) {
			assert_true(files_have(names[i], NEW));
		} else if (names[i][0] == 'c') {
			assert_int_equal(access("c", F_OK), -1);
		} else {
			assert_true(files_have(names[i], names[i][0] == 'a' ? "old a\n" :
			    "old b\n"));
		}
	}
	return done;
}

/* Nothing else is there, except what could not be removed or was not known to be ours. */
static void
remove_all(enum fault_call failed)
{
	for (const char *name = "abc"; *name != '\0'; name++) {
		char file[] = { *name, '\0' }, lock[] = ".x.propseal-lock", tmp[] = ".x.propseal-tmp";

		lock[1] = tmp[1] = *name;
		(void)unlink(file);
		if (failed == FAULT_UNLINKAT)
			(void)unlink(tmp);
		if (failed >= FAULT_FSTAT)
			(void)unlink(lock);
	}
	assert_int_equal(files_count("."), 0);
}

/* Each call that apply makes, failing once or twice. */
static void
test_whatever_fails_each_file_is_done_or_as_it_was(void **state)
{
	static const enum fault_call calls[] = {
		FAULT_WRITE, FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT, FAULT_FSTAT,
		FAULT_FSTATAT, FAULT_UNLINKAT
	};
	struct error err;
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		for (int at = 1, left = 0, times = 1 + (int)(i & 1); left < times; at++) {
			struct plan *p;
			int result, done;

			faults_clear();
			p = three_files();
			faults_set(calls[i / 2], at, times, ENOSPC);
			result = apply(p, &err);
			left = faults.times;
			faults_clear();
			done = assert_as_told();
			assert_true(result == (done == 3 ? 0 : -1));
			if (result == -1) {
				failed++;
				assert_int_equal(err.code, ERROR_IO);
			}
			plan_free(p);
			remove_all(calls[i / 2]);
		}
	}
	assert_true(failed > 40);
}

static void
exchange_no_more(void)
{
	faults.no_exchange = true;
}

static void
test_what_cannot_be_put_back_is_said(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	/* The folder is not synced, and then nothing can be renamed. */
	faults_set(FAULT_FSYNC, 4, 1, EIO);
	faults_meddle(FAULT_LINKAT, 3, exchange_no_more);
	assert_int_equal(apply(p, &err), -1);
	faults_clear();
	assert_true(applied.several);
	assert_as_told();
	assert_non_null(strstr(why_not("a")->text, "/a is changed already and could not be put back"));
	assert_non_null(strstr(why_not("a")->hint, "no secret is lost"));
	plan_free(p);
	remove_all(FAULT_NONE);
}

static void
append_to_b(void)
{
	int fd = open("b", O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "theirs\n", 7), 7);
	close(fd);
}

/* Another program changes b just after it is in place, and the folder is not synced. */
static void
test_another_hand_between_the_files(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	faults_set(FAULT_FSYNC, 4, 1, EIO);
	faults_meddle(FAULT_RENAMEAT, 2, append_to_b);
	assert_int_equal(apply(p, &err), -1);
	assert_non_null(strstr(why_not("b")->text, "/b is changed already and could not be put "
	    "back (another program changed it meanwhile)"));
	assert_non_null(strstr(why_not("b")->hint, "no secret is lost"));
	assert_true(files_have("a", "old a\n"));
	assert_true(files_have("b", NEW "theirs\n"));
	assert_int_equal(access("c", F_OK), -1);
	plan_free(p);
	remove_all(FAULT_NONE);
}

static void
test_the_files_that_are_not_done_are_named(void **state)
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
	faults_set(FAULT_RENAMEAT, 2, 100, EIO);
	assert_int_equal(apply(p, &err), -1);
	assert_non_null(strstr(err.text, "8 of 9 files are not changed: 1"));
	assert_non_null(strstr(err.text, " more"));
	plan_free(p);
	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%d%0150d", i, 0);
		assert_true(files_have(name, i < 1 ? NEW : "old\n"));
	}
}

static void
test_one_file_twice_is_changed_once(void **state)
{
	struct plan *p;
	struct error err;
	int named;

	(void)state;
	for (named = 0; named < 2; named++) {
		files_put("a", "old a\n", 0640);
		assert_int_equal(symlink("a", "alias"), 0);
		faults.no_proc = named == 1;
		p = plan_new(NULL, NULL);
		add(p, "a", "one\n");
		add(p, "alias", "two\n");
		assert_int_equal(apply(p, &err), -1);
		assert_non_null(strstr(err.text, "1 of 2 files is not changed"));
		plan_free(p);
		assert_true(files_have("a", named == 1 ? "two\n" : "one\n"));
		assert_int_equal(files_count("."), 2);
		assert_true(unlink("a") == 0 && unlink("alias") == 0);
	}
}

static void
test_a_locked_file_is_left(void **state)
{
	const char *path = "b";
	struct plan *p = three_files();
	struct lock *l = lock_files(&path, 1, 0, NULL, NULL, NULL);
	struct error err;

	(void)state;
	assert_non_null(l);
	assert_int_equal(apply(p, &err), -1);
	/* Of several that are named it is no sign that nothing was changed. */
	assert_int_equal(error_exit_status(err.code), 1);
	assert_int_equal(why_not("b")->code, ERROR_BUSY);
	assert_null(why_not("a"));
	assert_null(why_not("c"));
	lock_release(l);
	plan_free(p);
	p = plan_new(NULL, NULL);
	add(p, "b", NEW);
	l = lock_files(&path, 1, 0, NULL, NULL, NULL);
	assert_int_equal(apply(p, &err), -1);
	assert_int_equal(err.code, ERROR_BUSY);
	lock_release(l);
	plan_free(p);
	assert_int_equal(files_count("."), 3);
}

static void
test_who_is_blind_says_so(void **state)
{
	struct plan *p = three_files();
	struct error err;

	(void)state;
	faults.no_lease = true;
	assert_int_equal(apply(p, &err), 0);
	assert_int_equal(applied.blind, 2);
	assert_non_null(strstr((const char *)applied.notes.data,
	    "2 files were replaced without a lease"));
	plan_free(p);
}

static bool
stop_after_some(void *cookie, size_t done, size_t all)
{
	*(size_t *)cookie = done;
	assert_int_equal(all, 3 * APPLY_BATCH);
	return done < 2 * APPLY_BATCH;
}

static void
test_it_can_be_stopped_between_files(void **state)
{
	struct plan *p = plan_new(NULL, NULL);
	struct rlimit limit;
	struct error err;
	char name[40];
	size_t done = 0;
	int i;

	(void)state;
	for (i = 0; i < 3 * APPLY_BATCH; i++) {
		snprintf(name, sizeof(name), "%03d", i);
		files_put(name, "old\n", 0600);
		add(p, name, NEW);
	}
	apply_release(&applied);
	applied = (struct apply){ .progress = stop_after_some, .cookie = &done };
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 5 * APPLY_BATCH + 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(apply_plan(p, &applied, &err), -1);
	assert_int_equal(done, 2 * APPLY_BATCH);
	assert_non_null(strstr(err.text, "32 of 96 files are not changed: 064, 065"));
	assert_non_null(strstr(err.hint, "stopped"));
	plan_free(p);
	for (i = 0; i < 3 * APPLY_BATCH; i++) {
		snprintf(name, sizeof(name), "%03d", i);
		assert_true(files_have(name, i < 2 * APPLY_BATCH ? NEW : "old\n"));
	}
	assert_int_equal(files_count("."), 3 * APPLY_BATCH);
}

static void
on_a_full_disk(void *arg)
{
	static char big[40000];
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
	CHECK(plan_add_output(p, "a", NULL, &content, NULL) == 0);
	buf_append(&content, big, sizeof(big));
	CHECK(plan_add_output(p, "disk/b", NULL, &content, NULL) == 0);
	buf_append(&content, big, sizeof(big));
	CHECK(plan_add_output(p, "disk/c", NULL, &content, NULL) == 0);
	buf_release(&content);
	CHECK(apply(p, &err) == -1);
	CHECK(err.code == ERROR_IO && strstr(why_not("disk/c")->text, "No space left") != NULL);
	CHECK(why_not("a") == NULL && why_not("disk/b") == NULL);
	CHECK(files_count("disk") == 1);
	plan_free(p);
}

static void
test_a_full_disk_is_the_failure_of_its_files(void **state)
{
	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	files_put("a", "old a\n", 0600);
	files_in_child(on_a_full_disk, NULL);
	assert_true(files_have("a", NEW));
	assert_int_equal(files_count("."), 2);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_every_file_is_put_in_place),
		IN_FOLDER(test_an_empty_plan_does_nothing),
		IN_FOLDER(test_edits_change_only_what_they_name),
		IN_FOLDER(test_a_read_only_file_beside_others_is_left),
		IN_FOLDER(test_what_fails_is_left_and_the_rest_goes_on),
		IN_FOLDER(test_the_only_file_that_fails_is_the_error),
		IN_FOLDER(test_whatever_fails_each_file_is_done_or_as_it_was),
		IN_FOLDER(test_what_cannot_be_put_back_is_said),
		IN_FOLDER(test_another_hand_between_the_files),
		IN_FOLDER(test_the_files_that_are_not_done_are_named),
		IN_FOLDER(test_one_file_twice_is_changed_once),
		IN_FOLDER(test_a_locked_file_is_left),
		IN_FOLDER(test_who_is_blind_says_so),
		IN_FOLDER(test_it_can_be_stopped_between_files),
		IN_FOLDER(test_a_full_disk_is_the_failure_of_its_files)
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
