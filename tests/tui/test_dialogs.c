/* Dialogs at every size, and with things happening behind them. */
#include <fcntl.h>
#include <unistd.h>

#include "golden.h"
#include "steps.h"

static void
resizing_during_dialogs_keeps_what_was_typed(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_key(v, "i");
	vt_type(v, "my.key");
	vt_resize(v, 5, 20);
	vt_assert_has(v, "my.key");
	golden_assert(v, "dialog-20x5");
	vt_resize(v, 1, 1);
	vt_resize(v, 40, 120);
	vt_assert_has(v, "my.key");
	vt_key(v, KEY_ENTER);
	vt_type(v, "secret");
	vt_resize(v, 5, 20);
	vt_resize(v, 24, 80);
	vt_assert_has(v, "\342\200\242\342\200\242\342\200\242\342\200\242\342\200\242\342\200\242");
	vt_key(v, KEY_ENTER);
	type_line(v, "secret");
	vt_assert_has(v, "my.key =");
	vt_resize(v, 5, 20);
	vt_resize(v, 24, 80);
	vt_assert_has(v, "my.key =");
	vt_key(v, "w");
	vt_resize(v, 5, 20);
	vt_assert_has(v, "[Cancel]");
	golden_assert(v, "confirm-20x5");
	vt_resize(v, 24, 80);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
long_list_in_a_question_scrolls(void **state)
{
	struct fixture *f = *state;
	char text[8192];
	size_t used = 0;
	struct vt *v;
	int i;

	for (i = 0; i < 60; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "k%02d.password=v%02d\n", i, i);
	fixture_write(f, "estate/broker.properties", text);
	v = fixture_open_unlocked(f);
	vt_type(v, "aw");
	vt_assert_has(v, "    k00.password");
	vt_assert_lacks(v, "    k59.password");
	for (i = 0; i < 8; i++)
		vt_key(v, KEY_PAGE_DOWN);
	vt_assert_has(v, "    k59.password");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "1-");
	vt_key(v, KEY_END);
	vt_assert_lacks(v, " 1-");
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
}

static void
list_is_frozen_while_a_dialog_is_open(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "i");
	vt_assert_has(v, "Unlock");
	fixture_write(f, "estate/another.properties", "x.password=y\n");
	vt_type(v, "abc");
	/* Longer than changes on the disk are waited for. */
	vt_linger(v, 1500);
	vt_assert_lacks(v, "another.properties");
	vt_assert_has(v, "2 files");
	vt_key(v, KEY_ESC);
	vt_key(v, "R");
	vt_assert_has(v, "another.properties");
	vt_assert_has(v, "3 files");
	fixture_leave(v);
}

static void
rescan_keeps_marks_and_the_cursor(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	type_line(v, "/db.pass");
	vt_key(v, " ");
	vt_key(v, "k");
	fixture_write(f, "estate/another.properties", "x.password=y\n");
	vt_key(v, "R");
	vt_assert_has(v, "1 marked");
	vt_assert_has(v, "worker.properties:2" INTO "db.password");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
another_process_with_the_lock_is_waited_for_and_named(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "estate", "--lock-timeout", "0" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	char path[512];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct vt *v;
	int fd;

	snprintf(path, sizeof(path), "%s/estate/.secrets.properties.propseal-lock", f->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	v = fixture_run(f, &s);
	vt_type(v, "aw");
	confirm(v);
	vt_assert_has(v, "Not applied");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "2 marked");
	close(fd);
	unlink(path);
	vt_type(v, "w");
	confirm(v);
	vt_assert_has(v, "sealed 2 values");
	fixture_leave(v);
}

static void
failing_write_is_said_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char path[512], other[512];

	/* A file with two names is refused, as one of them would be cut off. */
	snprintf(path, sizeof(path), "%s/estate/broker.properties", f->dir);
	snprintf(other, sizeof(other), "%s/other-name", f->dir);
	assert_int_equal(link(path, other), 0);
	fixture_keep(f);
	v = fixture_open_unlocked(f);
	vt_type(v, "aw");
	confirm(v);
	vt_assert_has(v, "Not applied");
	vt_assert_has(v, "broker.properties");
	golden_assert_sizes(v, "not-applied");
	vt_key(v, KEY_ENTER);
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
secrets_file_from_elsewhere_can_be_added(void **state)
{
	struct fixture_start s = { .args = { "fresh" } };
	struct fixture *f = *state;
	struct vt *v = fixture_run(f, &s);

	vt_key(v, "O");
	type_line(v, "estate/secrets.properties");
	vt_assert_has(v, "estate/secrets.properties is one of the environments");
	vt_assert_has(v, "no reference yet");
	vt_assert_has(v, "ssl.key.password 0");
	vt_key(v, "O");
	type_line(v, "fresh/client.properties");
	vt_assert_has(v, "The secrets file cannot be");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(resizing_during_dialogs_keeps_what_was_typed),
		FIXTURE_TEST(long_list_in_a_question_scrolls),
		FIXTURE_TEST(list_is_frozen_while_a_dialog_is_open),
		FIXTURE_TEST(rescan_keeps_marks_and_the_cursor),
		FIXTURE_TEST(another_process_with_the_lock_is_waited_for_and_named),
		FIXTURE_TEST(failing_write_is_said_and_changes_nothing),
		FIXTURE_TERMS(failing_write_is_said_and_changes_nothing),
		FIXTURE_TEST(secrets_file_from_elsewhere_can_be_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
