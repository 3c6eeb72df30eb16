/* Long work beside the screen: it is shown, can be stopped and left, and takes no keys. */
#include <sys/wait.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "golden.h"
#include "steps.h"

#define MEANWHILE "another process is changing secrets.properties"

/* Each key up to the apply may take as long on a busy machine; an apply waits twice that for a
 * lock, at most. */
#define LOCK_SECONDS "5"

static const char broker[] = "estate/broker.properties";

static void
lock_path(const struct fixture *f, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/estate/.%s.propseal-lock", f->dir, name);
}

/* Hold the lock of a file, as another propseal would. */
static int
hold_lock_of(struct fixture *f, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512];
	int fd;

	lock_path(f, name, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

static int
hold_lock(struct fixture *f)
{
	return hold_lock_of(f, "secrets.properties");
}

static void
give_back_lock_of(struct fixture *f, const char *name, int fd)
{
	char path[512];

	lock_path(f, name, path, sizeof(path));
	(void)unlink(path);
	close(fd);
}

static void
give_back_lock(struct fixture *f, int fd)
{
	give_back_lock_of(f, "secrets.properties", fd);
}

/* Unlocked, up to an apply that waits for the lock. */
static struct vt *
start_apply(struct fixture *f, struct fixture_start s)
{
	struct vt *v;

	s.env[0] = "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY;
	v = fixture_run(f, &s);
	vt_type(v, "aw");
	/* What is typed before it is asked is dropped. */
	see(v, "Cancel");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER);
	return v;
}

static struct vt *
begin_apply(struct fixture *f, const char *timeout)
{
	struct vt *v = start_apply(f, (struct fixture_start){
		.args = { "estate", "--lock-timeout", timeout } });

	see(v, MEANWHILE);
	see(v, "Esc stops between files");
	return v;
}

static void
keys_during_an_apply_are_dropped_and_not_run(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v = begin_apply(f, "60");

	vt_send(v, "jjuGXw");
	/* Leaving asks, and not leaving goes on. */
	vt_send(v, "q");
	see(v, "It stops after the file at hand");
	vt_send(v, KEY_ENTER);
	see(v, MEANWHILE);
	give_back_lock(f, fd);
	see(v, "sealed 2 values in 1 file");
	see(v, "what was typed meanwhile was dropped");
	see(v, "[1 files]");
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
}

/* How much longer a lock is waited for. */
static int
seconds_more(struct vt *v)
{
	char row[512];
	const char *at;

	for (int y = 0; y < vt_rows(v); y++) {
		vt_row(v, y, row, sizeof(row));
		if ((at = strstr(row, "Waiting ")) != NULL)
			return atoi(at + strlen("Waiting "));
	}
	vt_fail(v, "no time is", "told");
	return 0;
}

/* However long a command would: the screen waits half a minute, and counts it. */
static void
wait_for_a_lock_is_counted_down(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f), first, tries = 0;
	struct vt *v;

	fixture_keep(f);
	v = begin_apply(f, "600");
	first = seconds_more(v);
	assert_in_range(first, 1, 30);
	do
		vt_linger(v, 100);
	while (seconds_more(v) >= first && ++tries < 200);
	assert_true(seconds_more(v) < first);
	/* And it can be ended, long before its own end. */
	vt_send(v, KEY_ESC);
	for (tries = 0; tries < 150 && !vt_has(v, "locked: held by"); tries++)
		vt_linger(v, 100);
	vt_assert_has(v, "locked: held by");
	vt_key(v, KEY_ESC);
	see(v, "[1 files]");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
	give_back_lock(f, fd);
}

/* Nothing is begun any more, not even what could be had. */
static void
ended_wait_for_one_file_leaves_all(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock_of(f, "broker.properties");
	struct fixture_start s = { .args = { "estate", "--lock-timeout", "600" },
		.env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v;

	fixture_keep(f);
	v = fixture_run(f, &s);
	vt_type(v, "Aw");
	see(v, "Cancel");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER);
	see(v, ": another process is changing broker.properties.");
	vt_send(v, KEY_ESC);
	see(v, "3 of 3 files are not changed");
	see(v, "it was stopped");
	vt_key(v, KEY_ESC);
	see(v, "[1 files]");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
	give_back_lock_of(f, "broker.properties", fd);
}

static void
leaving_during_an_apply_waits_until_it_has_stopped(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v;

	fixture_keep(f);
	v = begin_apply(f, "2");
	vt_send(v, "q");
	see(v, "Quit?");
	vt_send(v, KEY_TAB KEY_ENTER);
	assert_int_equal(vt_wait_exit(v), 0);
	vt_free(v);
	fixture_assert_unchanged(f);
	give_back_lock(f, fd);
}

static void
interrupt_during_an_apply_asks_and_the_next_one_leaves(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v;
	int status;

	fixture_keep(f);
	v = begin_apply(f, "2");
	vt_send(v, "\003");
	see(v, "Quit?");
	vt_send(v, "\003");
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
	vt_free(v);
	fixture_assert_unchanged(f);
	give_back_lock(f, fd);
}

/* How it looks while it runs, and while leaving is asked about; it does not say when a frame is
 * drawn, so each size is one of its own. */
static void
screens(void **state)
{
	static const struct {
		int rows, cols;
		const char *running, *leaving;
	} sizes[] = { { 24, 80, "running-80x24", "running-leave-80x24" },
		{ 40, 120, "running-120x40", "running-leave-120x40" },
		{ 5, 20, "running-20x5", "running-leave-20x5" } };
	struct fixture *f = *state;

	fixture_keep(f);
	for (size_t i = 0; i < 3; i++) {
		int fd = hold_lock(f);
		struct vt *v = start_apply(f, (struct fixture_start){ .rows = sizes[i].rows,
			.cols = sizes[i].cols, .args = { "estate", "--lock-timeout", "60" } });

		see(v, "another process");
		golden_await(v, sizes[i].running);
		vt_send(v, "q");
		see(v, "This is not done");
		golden_await(v, sizes[i].leaving);
		kill(vt_pid(v), SIGKILL);
		(void)vt_wait_exit(v);
		vt_free(v);
		give_back_lock(f, fd);
	}
	fixture_assert_unchanged(f);
}

static void
smallest_screen_shows_an_apply(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v = start_apply(f, (struct fixture_start){ .rows = 5, .cols = 20,
		.args = { "estate", "--lock-timeout", "60" } });

	see(v, "Applying");
	see(v, "another process");
	assert_in_range(seconds_more(v), 1, 30);
	give_back_lock(f, fd);
	see(v, "sealed 2 values");
	fixture_leave(v);
}

/* A terminal that is gone ends the program, but not in the middle of a file. */
static void
hangup_during_an_apply_leaves_whole_files(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v;
	int status;

	fixture_keep(f);
	v = begin_apply(f, "2");
	kill(vt_pid(v), SIGTERM);
	status = vt_wait_exit(v);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
	vt_free(v);
	fixture_assert_unchanged(f);
	give_back_lock(f, fd);
}

/* ^Z stops the program, the job too; both go on together. */
static void
control_z_during_an_apply_comes_back_to_it(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v = start_apply(f, (struct fixture_start){ .job = true,
		.args = { "estate", "--lock-timeout", "60" } });

	see(v, MEANWHILE);
	vt_send(v, "\032");
	vt_wait_stopped(v);
	assert_false(vt_altscreen(v));
	vt_continue(v);
	see(v, MEANWHILE);
	give_back_lock(f, fd);
	see(v, "sealed 2 values in 1 file");
	fixture_leave(v);
}

/* The lock waits for the job's end: it needs the key. */
static void
idle_lock_comes_after_the_apply(void **state)
{
	struct fixture *f = *state;
	int fd = hold_lock(f);
	struct vt *v = start_apply(f, (struct fixture_start){
		.args = { "estate", "--lock-timeout", "60", "--lock-time", LOCK_SECONDS } });

	see(v, MEANWHILE);
	/* Past the time; what is drawn until then is seen. */
	vt_linger(v, atoi(LOCK_SECONDS) * 1000 + 500);
	vt_assert_lacks(v, "Locked after");
	see(v, MEANWHILE);
	give_back_lock(f, fd);
	see(v, "Locked after");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
}

/* Many entries in one file, which take a while to be read. */
static void
write_long(struct fixture *f, const char *path, size_t entries)
{
	size_t size = entries * 24 + 1, used = 0;
	char *text = malloc(size);

	assert_non_null(text);
	for (size_t i = 0; i < entries; i++)
		used += (size_t)snprintf(text + used, size - used, "setting.%zu=%zu\n", i, i);
	fixture_write(f, path, text);
	free(text);
}

static void
screen_does_not_wait_for_a_file_that_is_read(void **state)
{
	struct fixture *f = *state;
	const struct fixture_start s = { .args = { "estate/broker.properties",
		"estate/long.properties" } };
	struct vt *v;

	write_long(f, "estate/long.properties", 1000000);
	v = fixture_run(f, &s);
	/* It is shown what is known, and told that this is not all. */
	see(v, "reading 1 files");
	vt_send(v, "j\r");
	see(v, "ssl.keystore.password");
	vt_assert_has(v, "reading 1 files");
	see(v, "2 files");
	see(v, "ssl.keystore.password");
	vt_wait_text(v, "reading", false);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(keys_during_an_apply_are_dropped_and_not_run),
		FIXTURE_TEST(wait_for_a_lock_is_counted_down),
		FIXTURE_TEST(ended_wait_for_one_file_leaves_all),
		FIXTURE_TEST(leaving_during_an_apply_waits_until_it_has_stopped),
		FIXTURE_TEST(interrupt_during_an_apply_asks_and_the_next_one_leaves),
		FIXTURE_TEST(screens),
		FIXTURE_TERMS(screens),
		FIXTURE_TEST(smallest_screen_shows_an_apply),
		FIXTURE_TEST(hangup_during_an_apply_leaves_whole_files),
		FIXTURE_TEST(control_z_during_an_apply_comes_back_to_it),
		FIXTURE_TEST(idle_lock_comes_after_the_apply),
		FIXTURE_TEST(screen_does_not_wait_for_a_file_that_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
