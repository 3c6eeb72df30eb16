/* Long work beside the screen: it is shown, can be stopped and left, and takes no keys. */
#include <sys/wait.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "golden.h"
#include "steps.h"

#define MEANWHILE "Another process is changing secrets.properties"

/* Each key up to the apply may take as long on a busy machine; an apply waits twice that for a
 * lock, at most. */
#define LOCK_SECONDS "5"

static const char broker[] = "estate/broker.properties";

static void
lock_path(const struct fixture *f, char *path, size_t size)
{
	snprintf(path, size, "%s/estate/.secrets.properties.propseal-lock", f->dir);
}

/* Hold the lock of the secrets file, as another propseal would. */
static int
hold_lock(struct fixture *f)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512];
	int fd;

	lock_path(f, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

static void
give_back_lock(struct fixture *f, int fd)
{
	char path[512];

	lock_path(f, path, sizeof(path));
	(void)unlink(path);
	close(fd);
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

		see(v, "Another process");
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
	see(v, "Another process");
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
	vt_assert_lacks(v, "keys are wiped");
	see(v, MEANWHILE);
	give_back_lock(f, fd);
	see(v, "keys are wiped");
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
