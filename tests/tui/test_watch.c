/* Lists follow what other programs do to the files. */
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#include "steps.h"

static const char broker[] = "estate/broker.properties";

/* Write a file as programs do: aside, then into its place. */
static void
replace(struct fixture *f, const char *path, const char *text)
{
	char from[256], to[256];

	fixture_write(f, "aside", text);
	snprintf(from, sizeof(from), "%s/aside", f->dir);
	snprintf(to, sizeof(to), "%s/%s", f->dir, path);
	assert_int_equal(rename(from, to), 0);
}

static void
change_on_disk_is_shown_and_the_cursor_stays(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	type_line(v, "/db.password");
	see(v, "worker.properties:2" INTO "db.password");
	replace(f, broker, "broker.id=1\nnew.one.password=long-and-new-secret-1\n");
	see(v, "new.one.password");
	vt_wait_text(v, "ssl.truststore.password", false);
	see(v, "worker.properties:2" INTO "db.password");
	/* Lines before it move it on. */
	replace(f, "estate/connect/worker.properties", "# one\n# two\nx.password=long-and-new-2\n"
	    "db.password=worker-clear-Rk27\n");
	see(v, "worker.properties:4" INTO "db.password");
	see(v, "x.password");
	/* In its place, too, and the counts with it. */
	fixture_write(f, broker, "broker.id=1\n");
	see(v, "2 in clear text");
	vt_wait_text(v, "new.one.password", false);
	fixture_leave(v);
}

static void
files_that_come_and_go_are_shown(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char path[256];

	type_line(v, "/db.password");
	fixture_write(f, "estate/another.properties", "z.password=long-and-new-secret-3\n");
	see(v, "another.properties");
	see(v, "worker.properties:2" INTO "db.password");
	see(v, "3 files");
	snprintf(path, sizeof(path), "%s/estate/another.properties", f->dir);
	assert_int_equal(unlink(path), 0);
	vt_wait_text(v, "another.properties", false);
	see(v, "worker.properties:2" INTO "db.password");
	/* A new folder with a file. */
	snprintf(path, sizeof(path), "%s/estate/deeper", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "estate/deeper/inner.properties", "y.password=long-and-new-secret-4\n");
	see(v, "deeper/inner.properties");
	/* What is no configuration is none of it. */
	fixture_write(f, "estate/notes.txt", "nothing\n");
	fixture_write(f, "estate/deeper/inner.properties", "w.password=long-and-new-secret-5\n");
	see(v, "w.password");
	vt_wait_text(v, "notes.txt", false);
	fixture_leave(v);
}

/* Nothing in its own folder tells of what becomes of the file that a link leads to, whether that
 * is changed, replaced, or reached through another link that is turned round. */
static void
what_a_link_leads_to_is_followed(void **state)
{
	struct fixture *f = *state;
	char path[256], other[256];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/one", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/two", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "one/there.properties", "a.password=long-and-new-secret-1\n");
	fixture_write(f, "two/there.properties", "# longer\nd.password=long-and-new-secret-4\n");
	snprintf(path, sizeof(path), "%s/current", f->dir);
	assert_int_equal(symlink("one", path), 0);
	snprintf(other, sizeof(other), "%s/estate/linked.properties", f->dir);
	assert_int_equal(symlink("../current/there.properties", other), 0);
	v = fixture_open(f);
	type_line(v, "/db.password");
	see(v, "a.password");
	fixture_write(f, "one/there.properties", "b.password=long-and-new-secret-2\n");
	see(v, "b.password");
	replace(f, "one/there.properties", "c.password=long-and-new-secret-3\n");
	see(v, "c.password");
	assert_int_equal(unlink(path), 0);
	vt_wait_text(v, "linked.properties", false);
	/* It leads somewhere again. */
	assert_int_equal(symlink("two", path), 0);
	see(v, "d.password");
	see(v, "worker.properties:2" INTO "db.password");
	fixture_leave(v);
}

/* Nothing is told of a file elsewhere; it could not be read, and then it can. */
static void
what_a_link_leads_to_is_read_again(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/elsewhere", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "elsewhere/half.json", "{\"a\": {\"password\": ");
	snprintf(path, sizeof(path), "%s/estate/linked.json", f->dir);
	assert_int_equal(symlink("../elsewhere/half.json", path), 0);
	v = fixture_open(f);
	see(v, "unreadable");
	fixture_write(f, "elsewhere/half.json", "{\"a\": {\"password\": \"long-and-new-1\"}}\n");
	vt_wait_text(v, "unreadable", false);
	see(v, "a.password");
	fixture_leave(v);
}

static void
first_file_of_a_folder_is_seen(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct vt *v;

	snprintf(path, sizeof(path), "%s/estate/empty", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/estate/empty/deep", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	v = fixture_open(f);
	type_line(v, "/db.password");
	fixture_write(f, "estate/empty/deep/first.properties", "a.password=long-and-new-secret-1\n");
	see(v, "empty/deep/first.properties");
	/* The last file goes, and the next one comes. */
	snprintf(path, sizeof(path), "%s/estate/empty/deep/first.properties", f->dir);
	assert_int_equal(unlink(path), 0);
	vt_wait_text(v, "first.properties", false);
	fixture_write(f, "estate/empty/deep/second.properties", "b.password=long-and-new-2\n");
	see(v, "empty/deep/second.properties");
	see(v, "worker.properties:2" INTO "db.password");
	fixture_leave(v);
}

static void
move(struct fixture *f, const char *from, const char *to)
{
	char one[256], two[256];

	snprintf(one, sizeof(one), "%s/%s", f->dir, from);
	snprintf(two, sizeof(two), "%s/%s", f->dir, to);
	assert_int_equal(rename(one, two), 0);
}

/* As releases are put in place: another folder has the name, and is the one that counts. */
static void
folder_that_takes_the_place_of_another_is_followed(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char path[256];

	type_line(v, "/db.password");
	snprintf(path, sizeof(path), "%s/next", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "next/worker.properties", "first.password=long-and-new-secret-1\n");
	move(f, "estate/connect", "before");
	move(f, "next", "estate/connect");
	see(v, "first.password");
	/* In its place, so that nothing tells but the folder itself. */
	fixture_write(f, "estate/connect/worker.properties", "second.password=long-and-new-2\n");
	see(v, "second.password");
	/* Its name is another, and it stays the same folder. */
	move(f, "estate/connect", "estate/joined");
	see(v, "joined/worker.properties");
	fixture_write(f, "estate/joined/worker.properties", "third.password=long-and-new-3\n");
	see(v, "third.password");
	/* The first one is none of it. */
	fixture_write(f, "before/worker.properties", "gone.password=long-and-new-secret-4\n");
	fixture_write(f, "estate/joined/worker.properties", "fourth.password=long-and-new-5\n");
	see(v, "fourth.password");
	vt_assert_lacks(v, "gone.password");
	fixture_leave(v);
}

static void
marks_that_do_not_fit_any_more_are_told_by_number(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "A");
	see(v, "4 marked");
	replace(f, broker, "broker.id=1\nssl.keystore.password=keystore-clear-Zp81\n");
	see(v, "1 mark is gone: changed or removed on disk");
	see(v, "3 marked");
	vt_key(v, "3");
	see(v, "[3 pending 3]");
	see(v, "ssl.keystore.password");
	vt_wait_text(v, "ssl.truststore.password", false);
	vt_key(v, "u");
	fixture_leave(v);
}

/* As many lines as before, and others: what is marked is not what was begun with. */
static void
range_ends_when_its_lines_are_others(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/connect/worker.properties", "a.password=long-and-new-secret-1\n"
	    "b.password=long-and-new-secret-2\nc.password=long-and-new-secret-3\n");
	v = fixture_open(f);
	type_line(v, "/b.password");
	vt_key(v, "v");
	vt_key(v, "j");
	replace(f, "estate/connect/worker.properties", "b.password=long-and-new-secret-2\n"
	    "c.password=long-and-new-secret-3\nd.password=long-and-new-secret-4\n");
	see(v, "d.password");
	see(v, "the range is ended");
	see(v, "worker.properties:2" INTO "c.password");
	vt_key(v, " ");
	see(v, "1 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
secrets_file_that_changes_is_followed_with_its_key(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char *text, *at;

	see(v, "S ssl.key.password");
	text = fixture_read(f, "estate/secrets.properties");
	assert_non_null(text);
	at = strstr(text, "\nbroker.properties/ssl.key.password");
	assert_non_null(at);
	/* Another name: the reference is without its entry now. */
	memcpy(at + 1, "BROKER", 6);
	replace(f, "estate/secrets.properties", text);
	free(text);
	see(v, "2 dangling");
	/* Still open. */
	see(v, "unlocked");
	fixture_leave(v);
}

/* What is applied is not read once more as if another had done it. */
static void
own_changes_are_no_news(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "a");
	apply(v);
	see(v, "sealed 2 values in 1 file");
	vt_key(v, "m");
	see(v, "sealed 2 values");
	vt_wait_text(v, "gone", false);
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "marked", false);
	fixture_leave(v);
	fixture_assert_value(f, broker, "ssl.keystore.password", FIXTURE_KEYSTORE_SECRET);
}

static void
nothing_moves_below_a_question(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "a");
	vt_key(v, "w");
	see(v, "Seal 2 values");
	replace(f, "estate/connect/worker.properties", "q.password=long-and-new-secret-6\n");
	vt_key(v, KEY_TAB);
	see(v, "Seal 2 values");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "1");
	see(v, "q.password");
	see(v, "2 marked");
	vt_key(v, "u");
	fixture_leave(v);
}

/* Keys that come while a file is read again are about the lines that are there then. */
static void
keys_beside_a_change_hit_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);
	char many[2048] = "";

	for (int i = 0; i < 40; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "k%d.password=long-and-new-secret-%d\n", i, i);
	vt_key(v, KEY_END);
	for (int i = 0; i < 40; i++) {
		replace(f, "estate/connect/worker.properties", i % 2 == 0 ? many :
		    "q.password=long-and-new-secret-6\n");
		/* Some before it is seen, some behind, and some with it. */
		for (int k = 0; k < 12; k++) {
			vt_send(v, k % 3 == 0 ? KEY_END : k % 3 == 1 ? "k" : " ");
			usleep(9000);
		}
	}
	vt_settle(v);
	see(v, "q.password");
	vt_key(v, "u");
	fixture_leave(v);
}

static void
findings_follow_too(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "2");
	see(v, "ssl.keystore.password");
	type_line(v, "/db.password");
	see(v, "worker.properties:2" INTO "db.password");
	replace(f, broker, "broker.id=1\n");
	vt_wait_text(v, "ssl.keystore.password", false);
	see(v, "worker.properties:2" INTO "db.password");
	fixture_leave(v);
}

/* A key that stands twice in a file is one mark, and one that is sealed. */
static void
mark_on_a_key_that_stands_twice_is_not_told_as_lost(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/zoo.properties", "a.password=first-clear-Uq1\n"
	    "b.password=other-clear-Uq2\na.password=later-clear-Uq3\n");
	v = fixture_open_unlocked(f);
	type_line(v, "/zoo.prop");
	vt_type(v, "aw");
	confirm(v);
	see(v, "sealed 2 values in 1 file, and read back");
	vt_settle(v);
	vt_assert_lacks(v, "marks are gone");
	vt_assert_lacks(v, "marked");
	fixture_leave(v);
	fixture_assert_not_in_file(f, "estate/zoo.properties", "later-clear");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(change_on_disk_is_shown_and_the_cursor_stays),
		FIXTURE_TEST(files_that_come_and_go_are_shown),
		FIXTURE_TEST(what_a_link_leads_to_is_followed),
		FIXTURE_TEST(what_a_link_leads_to_is_read_again),
		FIXTURE_TEST(first_file_of_a_folder_is_seen),
		FIXTURE_TEST(folder_that_takes_the_place_of_another_is_followed),
		FIXTURE_TEST(marks_that_do_not_fit_any_more_are_told_by_number),
		FIXTURE_TEST(range_ends_when_its_lines_are_others),
		FIXTURE_TEST(secrets_file_that_changes_is_followed_with_its_key),
		FIXTURE_TEST(own_changes_are_no_news),
		FIXTURE_TEST(nothing_moves_below_a_question),
		FIXTURE_TEST(keys_beside_a_change_hit_what_is_there),
		FIXTURE_TEST(findings_follow_too),
		FIXTURE_TEST(mark_on_a_key_that_stands_twice_is_not_told_as_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
