/* What other programs do to files, as it is told to the interface. */
#include "files.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/vec.h"
#include "estate/estate.h"
#include "ui/term.h"
#include "ui/watch.h"

static const char *const here[] = { "." };
static const uint64_t later = UINT64_MAX - 1;	/* all is due */

/* In place of the terminal's. */
uint64_t
clock_ms(void)
{
	return 1000;
}

static struct estate *
scan(void)
{
	struct error err;
	struct estate *e = estate_new(here, 1, &err);
	int more;

	assert_non_null(e);
	while ((more = estate_step(e, 1000, &err)) == 1)
		;
	assert_int_equal(more, 0);
	return e;
}

/* Files have times of their own, whatever the clock is. */
static void
put_at(const char *path, const char *text, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_not_equal(fputs(text, f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* The clock of a file system is slow: so that what is done to a folder is seen. */
static void
age(const char *folder)
{
	const struct timespec times[2] = { { .tv_sec = 500 }, { .tv_sec = 500 } };

	assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
}

/* What is told now: the files, with blanks between, and "all". */
static void
assert_told(struct watch *w, const char *expected)
{
	struct vec changed;
	char text[256] = "";
	size_t used = 0;

	if (watch_fd(w) != -1)
		watch_read(w);
	vec_init(&changed, sizeof(char *), 100);
	if (watch_tick(w, later, &changed))
		used += (size_t)snprintf(text, sizeof(text), "all ");
	for (size_t i = 0; i < changed.len; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s ",
		    vec_string(&changed, i));
	vec_release_strings(&changed);
	assert_string_equal(text, expected);
}

/* The same by inotify and by times. */
static void
follow(bool may_ask)
{
	struct error err;
	struct watch *w;
	struct estate *e;

	assert_int_equal(mkdir("sub", 0700), 0);
	put_at("a.properties", "a=1\n", 1000);
	put_at("sub/b.properties", "b=1\n", 1000);
	age(".");
	age("sub");
	e = scan();
	assert_int_equal(estate_count(e), 2);
	w = watch_new(may_ask, &err);
	assert_non_null(w);
	assert_int_equal(watch_fd(w) != -1, may_ask);
	/* Before there is anything to follow. */
	assert_told(w, "");
	assert_int_equal(watch_until(w), 0);

	/* Changed after it was read, and before it was followed. */
	put_at("a.properties", "a=2\n", 2000);
	watch_follow(w, e, NULL);
	assert_int_not_equal(watch_until(w), 0);
	assert_told(w, "a.properties ");
	assert_int_equal(estate_refresh(e, "a.properties", &err), 0);
	watch_follow(w, e, NULL);
	assert_told(w, "");

	/* In its place. */
	put_at("sub/b.properties", "b=2\n", 3000);
	assert_told(w, "sub/b.properties ");
	assert_int_equal(estate_refresh(e, "sub/b.properties", &err), 0);
	watch_follow(w, e, NULL);
	assert_told(w, "");

	/* What is as it was read is no news, though something was done to it. */
	put_at("sub/b.properties", "b=2\n", 3000);
	assert_told(w, "");

	/* One that is new, one that is gone. */
	files_put("sub/c.properties", "c=1\n", 0600);
	assert_told(w, "all ");
	assert_told(w, "");
	assert_int_equal(unlink("a.properties"), 0);
	assert_told(w, "all ");
	watch_free(w);
	estate_free(e);
}

static void
test_inotify_tells_what_is_done(void **state)
{
	(void)state;
	follow(true);
}

static void
test_times_tell_what_is_done(void **state)
{
	(void)state;
	follow(false);
}

/* One file that is followed, of which there is no news yet. */
static struct watch *
follow_one(struct estate **e)
{
	struct error err;
	struct watch *w;

	put_at("a.properties", "a=1\n", 1000);
	*e = scan();
	w = watch_new(true, &err);
	assert_non_null(w);
	watch_follow(w, *e, NULL);
	assert_told(w, "");
	return w;
}

static void
test_what_is_no_configuration_is_no_news(void **state)
{
	struct estate *e;
	struct watch *w = follow_one(&e);

	(void)state;
	files_put("notes.txt", "nothing\n", 0600);
	files_put(".a.properties.swp", "nothing\n", 0600);
	files_put("gone.properties", "x=1\n", 0600);
	assert_int_equal(unlink("gone.properties"), 0);
	assert_told(w, "");
	/* A folder may have files. */
	assert_int_equal(mkdir("sub", 0700), 0);
	assert_told(w, "all ");
	watch_free(w);
	estate_free(e);
}

static void
test_too_much_at_once_is_all(void **state)
{
	struct estate *e;
	struct watch *w = follow_one(&e);
	char name[32];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%d.txt", i);
		files_put(name, "x", 0600);
		assert_int_equal(unlink(name), 0);
		if (i % 100 == 0)
			watch_read(w);
	}
	assert_told(w, "all ");
	assert_told(w, "");
	watch_free(w);
	estate_free(e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inotify_tells_what_is_done),
		TEST(test_times_tell_what_is_done),
		TEST(test_what_is_no_configuration_is_no_news),
		TEST(test_too_much_at_once_is_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
