/* Marks outlive a run that ends without being left, and nothing else does. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <glob.h>
#include <signal.h>
#include <unistd.h>

#include "fixture_files.h"
#include "steps.h"

#define LEFT "of a run cut short"

/* The first of the files with marks; "": there is none. */
static const char *
kept_path(const struct fixture *f)
{
	static char path[512];
	glob_t found;

	snprintf(path, sizeof(path), "%s/propseal/marks-*", f->state);
	if (glob(path, 0, NULL, &found) != 0)
		return "";
	snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static size_t
kept_files(const struct fixture *f)
{
	char path[512];
	glob_t found;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/propseal/marks-*", f->state);
	if (glob(path, 0, NULL, &found) == 0) {
		n = found.gl_pathc;
		globfree(&found);
	}
	return n;
}

/* It is written a moment after the key. */
static void
await_files(const struct fixture *f, struct vt *v, size_t n)
{
	for (int i = 0; i < 1000 && kept_files(f) != n; i++)
		vt_linger(v, 10);
	assert_int_equal(kept_files(f), n);
	vt_settle(v);
}

static void
end_by(struct vt *v, int sig)
{
	kill(vt_pid(v), sig);
	(void)vt_wait_exit(v);
	vt_free(v);
}

/* The fixture, where marks outlive a run. */
static struct fixture *
resuming(void **state)
{
	struct fixture *f = *state;

	f->keeps_marks = true;
	return f;
}

/* A run that has marked all that there is, and is gone. */
static void
lose_marks(struct fixture *f)
{
	struct vt *v = fixture_open(f);

	vt_type(v, "A");
	await_files(f, v, 1);
	end_by(v, SIGKILL);
}

static void
quit_anyway(struct vt *v)
{
	int status;

	vt_key(v, "q");
	see(v, "Quit?");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER);
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	vt_free(v);
}

static void
assert_no_value(const struct fixture *f)
{
	static const char *const values[] = { FIXTURE_BROKER_SECRET, FIXTURE_WORKER_SECRET,
		FIXTURE_KEYSTORE_SECRET, FIXTURE_TRUSTSTORE_SECRET, FIXTURE_DB_SECRET,
		FIXTURE_WIDE_SECRET, FIXTURE_MASTER_KEY, "truststore-clear", "Qm44" };
	char text[8192] = "";
	struct stat st;
	FILE *in = fopen(kept_path(f), "r");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	fclose(in);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(n > 0 && strstr(text, "db.password") != NULL);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_null(strstr(text, values[i]));
	snprintf(text, sizeof(text), "%s/propseal", f->state);
	assert_int_equal(stat(text, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* Marks, and which of them are off, come back; whoever leaves by q has none the next time. */
static void
ends_by(struct fixture *f, int sig)
{
	struct vt *v = fixture_open(f);

	vt_type(v, "Ap");
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_DOWN);
	vt_key(v, " ");
	vt_assert_has(v, "[ ]");
	await_files(f, v, 1);
	/* The last key is in it, too, whether it was written or is only then. */
	if (sig == SIGKILL || sig == SIGSEGV)
		vt_linger(v, 1000);
	end_by(v, sig);
	assert_int_equal(kept_files(f), 1);
	assert_no_value(f);
	v = fixture_open(f);
	see(v, "4 marks " LEFT " are back");
	see(v, "4 marked");
	vt_key(v, "p");
	vt_assert_has(v, "[ ]");
	quit_anyway(v);
	assert_int_equal(kept_files(f), 0);
	v = fixture_open(f);
	vt_settle(v);
	vt_assert_lacks(v, LEFT);
	vt_assert_lacks(v, "marked");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
killed(void **state)
{
	ends_by(resuming(state), SIGKILL);
}

static void
crashed(void **state)
{
	ends_by(resuming(state), SIGSEGV);
}

static void
hung_up(void **state)
{
	ends_by(resuming(state), SIGHUP);
}

static void
terminated(void **state)
{
	ends_by(resuming(state), SIGTERM);
}

/* What was marked a moment ago, too, and nothing where the last mark was taken away. */
static void
a_signal_right_after_a_mark(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v = fixture_open(f);

	vt_type(v, "A");
	fixture_hang_up(v);
	v = fixture_open(f);
	see(v, "4 marks " LEFT " are back");
	vt_type(v, "u");
	fixture_hang_up(v);
	assert_int_equal(kept_files(f), 0);
}

/* So many are written piece by piece; what is another mark meanwhile begins it anew. */
static void
very_many_marks_come_back(void **state)
{
	struct fixture *f = resuming(state);
	const size_t n = 100000, size = n * 40;
	char *text = malloc(size);
	struct vt *v;
	size_t used = 0;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, size - used, "p%zu.password=clear-Hx%zu\n", i,
		    i);
	fixture_write(f, "estate/zoo.properties", text);
	free(text);
	v = fixture_open(f);
	vt_settle(v);
	vt_key(v, "A");
	vt_assert_has(v, "100004 marked");
	vt_send(v, "gek ");
	see(v, "100002 marked");
	await_files(f, v, 1);
	vt_linger(v, 1000);
	end_by(v, SIGKILL);
	v = fixture_open(f);
	see(v, "100002 marks " LEFT " are back");
	see(v, "100002 marked");
	quit_anyway(v);
}

static void
marks_taken_away_or_applied_leave_no_file(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v = fixture_open_unlocked(f);

	vt_type(v, "A");
	await_files(f, v, 1);
	vt_type(v, "u");
	await_files(f, v, 0);
	vt_type(v, "Aw");
	confirm(v);
	see(v, "sealed 4 values");
	await_files(f, v, 0);
	end_by(v, SIGKILL);
	v = fixture_open(f);
	vt_settle(v);
	vt_assert_lacks(v, LEFT);
	fixture_leave(v);
}

/* One was sealed, one is gone, and two are as they were. */
static void
what_no_longer_fits_is_told(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v;

	lose_marks(f);
	fixture_write(f, "estate/broker.properties", "ssl.keystore.password="
	    REF("broker.properties/ssl.key.password") "\n");
	v = fixture_open(f);
	see(v, "2 marks " LEFT " are back; 2 no longer fit");
	see(v, "2 marked");
	quit_anyway(v);
	lose_marks(f);
	fixture_write(f, "estate/connect/worker.properties", "a=b\n");
	v = fixture_open(f);
	see(v, "2 marks " LEFT " no longer fit");
	vt_assert_lacks(v, "marked");
	await_files(f, v, 0);
	fixture_leave(v);
}

/* Entries that hold no secret are read when all are shown. */
static void
a_mark_on_what_is_no_secret_comes_back(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v = fixture_open(f);

	vt_type(v, "fff");
	type_line(v, "/broker.id");
	vt_key(v, " ");
	see(v, "1 marked");
	await_files(f, v, 1);
	end_by(v, SIGKILL);
	v = fixture_open(f);
	see(v, "1 mark " LEFT " is back");
	see(v, "1 marked");
	quit_anyway(v);
}

/* Each keeps its own, and those of a run that is there are not taken. */
static void
two_at_once_keep_their_own(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *one = fixture_open(f), *other;

	vt_type(one, "A");
	await_files(f, one, 1);
	other = fixture_open(f);
	vt_settle(other);
	vt_assert_lacks(other, LEFT);
	type_line(other, "/db.pass");
	vt_key(other, " ");
	await_files(f, other, 2);
	end_by(other, SIGKILL);
	end_by(one, SIGKILL);
	one = fixture_open(f);
	see(one, "4 marks " LEFT " are back");
	other = fixture_open(f);
	see(other, "1 mark " LEFT " is back");
	quit_anyway(one);
	assert_int_equal(kept_files(f), 1);
	quit_anyway(other);
	assert_int_equal(kept_files(f), 0);
}

/* The same folder by another name; other folders have none of them. */
static void
marks_are_of_what_is_open(void **state)
{
	struct fixture *f = resuming(state);
	struct fixture_start other = { .args = { "estate/connect" } };
	struct fixture_start same = { .folder = "estate", .args = { "../estate/" } };
	struct vt *v;

	lose_marks(f);
	v = fixture_run(f, &other);
	vt_settle(v);
	vt_assert_lacks(v, LEFT);
	fixture_leave(v);
	v = fixture_run(f, &same);
	see(v, "4 marks " LEFT " are back");
	quit_anyway(v);
}

static void
damaged_marks_are_told_and_removed(void **state)
{
	static const char *const texts[] = { "", "propseal marks 1\n", "propseal marks 1\nend\n...",
		"propseal marks 1\nm 1 a\nend\n", "propseal marks 1\nf 99 a\nend\n",
		"propseal marks 1\nf 1 a\nx 1 b\nend\n", "propseal marks 1\nf 3 a\nend\n" };
	struct fixture *f = resuming(state);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vt *v;
		FILE *out;

		lose_marks(f);
		out = fopen(kept_path(f), "w");
		assert_non_null(out);
		assert_int_equal(fputs(texts[i], out) >= 0, 1);
		fclose(out);
		v = fixture_open(f);
		see(v, "marks " LEFT " are damaged, and removed");
		vt_assert_lacks(v, "marked");
		assert_int_equal(kept_files(f), 0);
		fixture_leave(v);
	}
}

/* It is told, and nothing else is amiss; what is marked then is kept beside it. */
static void
marks_that_cannot_be_read_are_told(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v;
	char path[512];

	lose_marks(f);
	snprintf(path, sizeof(path), "%s", kept_path(f));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	v = fixture_open(f);
	see(v, "marks " LEFT " cannot be read");
	vt_type(v, "A");
	await_files(f, v, 2);
	quit_anyway(v);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(kept_files(f), 0);
}

/* Where there is no place for them, that is told once, and the interface goes on. */
static void
without_a_place_it_is_told_once(void **state)
{
	struct fixture *f = resuming(state);
	struct vt *v;
	FILE *out = fopen(f->state, "w");

	assert_non_null(out);
	fclose(out);
	v = fixture_open(f);
	vt_type(v, "A");
	see(v, "marks would be lost by a crash");
	vt_key(v, KEY_ESC);
	vt_type(v, "uA");
	vt_linger(v, 600);
	vt_settle(v);
	vt_assert_lacks(v, "would be lost");
	quit_anyway(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(killed),
		FIXTURE_TEST(crashed),
		FIXTURE_TEST(hung_up),
		FIXTURE_TEST(terminated),
		FIXTURE_TEST(a_signal_right_after_a_mark),
		FIXTURE_TEST(very_many_marks_come_back),
		FIXTURE_TEST(marks_taken_away_or_applied_leave_no_file),
		FIXTURE_TEST(what_no_longer_fits_is_told),
		FIXTURE_TEST(a_mark_on_what_is_no_secret_comes_back),
		FIXTURE_TEST(two_at_once_keep_their_own),
		FIXTURE_TEST(marks_are_of_what_is_open),
		FIXTURE_TEST(damaged_marks_are_told_and_removed),
		FIXTURE_TEST(marks_that_cannot_be_read_are_told),
		FIXTURE_TEST(without_a_place_it_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
