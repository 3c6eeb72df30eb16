/* The tutor on the screen: every lesson by its keys, on files that are nobody's. */
#include <dirent.h>
#include <signal.h>

#include "golden.h"
#include "steps.h"

#define NAMES 8

static const struct play {
	const char *name;
	size_t steps;
	const char *keys[40];	/* '<' TEXT: typed, with Enter at its end; '=' TEXT: wait for it;
				 * '#' N: so many steps are ticked by now */
} plays[NAMES] = {
	{ "look", 4, { "#0", "/", "<keystore.pass", "#1", "?", KEY_ESC, "#2", "2", "#3", "1",
	    NULL } },
	{ "seal", 4, { "/", "<keystore.pass", "#0", " ", "#1", "p", "#2", "P", KEY_ESC, "#3", "w",
	    "=[Cancel]", KEY_TAB, KEY_ENTER, NULL } },
	{ "reveal", 4, { "/", "<keystore.pass", "r", "=crane", "k", "#2", "j", KEY_ENTER, "#3", "L",
	    "=locked", KEY_ENTER, NULL } },
	{ "audit", 4, { "2", "#1", " ", "#2", "w", "=[Cancel]", KEY_TAB, KEY_ENTER, "=sealed 3",
	    "#3", "5", NULL } },
	{ "broken", 3, { "]", "#1", KEY_ENTER, "#2", "e", "<grebe-3-dives",
	    "=Once more", "<grebe-3-dives", "w", "=[Cancel]", KEY_TAB, KEY_ENTER, NULL } },
	{ "undo", 3, { "5", "#1", "u", "=Undo change", "w", "=[Cancel]", KEY_TAB, KEY_ENTER,
	    "=undid change", NULL } },
	{ "rotate", 4, { "M", "#1", KEY_ENTER, "=opens", KEY_ENTER, "<" FIXTURE_NEW_PASSPHRASE,
	    "=Once more", "<" FIXTURE_NEW_PASSPHRASE, "#2", "w", "=[Cancel]", KEY_TAB, KEY_ENTER,
	    "=all values the same", "#3", "5", NULL } },
	{ "resume", 3, { "4", "#1", "w", "=[Resume]", KEY_ENTER, "=all values the same", "#2",
	    "5", NULL } },
};

static struct vt *
tutor_open(struct fixture *f, const char *lesson)
{
	struct fixture_start s = { .command = "tutor", .args = { "--screen", lesson } };

	return fixture_run(f, &s);
}

static size_t
ticked(struct vt *v)
{
	char row[512];
	size_t n = 0;

	for (int i = 0; i < vt_rows(v); i++) {
		vt_row(v, i, row, sizeof(row));
		n += strncmp(row, "   [x] ", 7) == 0;
	}
	return n;
}

static void
play(struct vt *v, const struct play *p)
{
	for (size_t i = 0; p->keys[i] != NULL; i++) {
		const char *key = p->keys[i];

		if (key[0] != '#')
			follow(v, key);
		else if (ticked(v) != (size_t)(key[1] - '0'))
			vt_fail(v, p->name, key);
	}
	see(v, strcmp(p->name, "resume") == 0 ? "Done. q leaves." :
	    "Done. Backspace, then Enter: the next lesson.");
	assert_int_equal(ticked(v), p->steps);
}

/* What the lessons have left behind, below the state folder. */
static size_t
left_behind(const struct fixture *f)
{
	char path[512];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/propseal", f->state);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
every_lesson_is_done_by_its_keys(void **state)
{
	for (size_t i = 0; i < NAMES; i++) {
		struct vt *v = tutor_open(*state, plays[i].name);
		char head[64];

		snprintf(head, sizeof(head), "lesson %zu of 8", i + 1);
		see(v, head);
		vt_settle(v);
		assert_int_equal(ticked(v), 0);
		play(v, &plays[i]);
		fixture_leave(v);
	}
	assert_int_equal(left_behind(*state), 0);
	fixture_assert_unchanged(*state);
}

/* Another lesson has other files, and nothing of the former one. */
static void
lessons_lead_to_the_next_and_begin_again(void **state)
{
	struct vt *v = tutor_open(*state, "seal");

	see(v, "lesson 2 of 8");
	play(v, &plays[1]);
	vt_key(v, "\177");
	vt_assert_has(v, "[x] 2 seal");
	vt_assert_has(v, "> [ ] 3 reveal");
	vt_key(v, KEY_ENTER);
	see(v, "lesson 3 of 8");
	vt_assert_has(v, "S ssl.keystore.password");
	/* A wrong turn: all is marked anew, and sealed before it was looked at. */
	vt_key(v, ":");
	type_line(v, ">tutor");
	vt_assert_has(v, "> [ ] 3 reveal");
	vt_key(v, KEY_UP);
	vt_key(v, KEY_ENTER);
	see(v, "lesson 2 of 8");
	vt_assert_has(v, "3!");
	vt_key(v, "A");
	vt_key(v, "w");
	confirm(v);
	see(v, "Done. Backspace");
	assert_int_equal(ticked(v), 4);
	vt_key(v, "\177");
	vt_key(v, KEY_UP);
	vt_key(v, KEY_ENTER);
	see(v, "lesson 2 of 8");
	vt_assert_has(v, "3!");
	assert_int_equal(ticked(v), 0);
	fixture_leave(v);
	assert_int_equal(left_behind(*state), 0);
}

/* From the interface to the lessons and back, with a question where marks would be lost. */
static void
the_interface_leads_to_the_tutor_and_back(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "a");
	vt_key(v, ":");
	type_line(v, ">tutor");
	vt_assert_has(v, "2 values are marked and not applied");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "2 marked");
	vt_key(v, "u");
	vt_key(v, ":");
	type_line(v, ">tutor");
	see(v, "lesson 1 of 8");
	vt_assert_lacks(v, "broker.properties");
	vt_settle(v);
	vt_send(v, "q");
	see(v, "broker.properties");
	vt_assert_lacks(v, "lesson");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* What was locked before the tutor is locked behind it, with the key at hand all the time. */
static void
a_lock_outlasts_the_tutor(void **state)
{
	struct fixture_start s = { .args = { "estate", "--master-key-file", "key" } };
	struct vt *v = fixture_run(*state, &s);

	see(v, "unlocked");
	vt_key(v, "L");
	see(v, "No key is kept.");
	vt_key(v, KEY_ENTER);
	vt_key(v, ":");
	type_line(v, ">tutor");
	see(v, "lesson 1 of 8");
	vt_settle(v);
	vt_send(v, "q");
	see(v, "broker.properties");
	vt_key(v, KEY_END);
	vt_assert_lacks(v, "unlocked");
	vt_assert_has(v, "locked");
	fixture_leave(v);
}

/* A key of the learner's, or the wrong end of the program, touches and leaves nothing. */
static void
lessons_are_removed_on_a_hang_up(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .command = "tutor", .args = { "--screen" },
	    .env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	struct vt *v = fixture_run(f, &s);

	see(v, "lesson 1 of 8");
	vt_hang_up(v);
	(void)vt_wait_exit(v);
	vt_free(v);
	assert_int_equal(left_behind(f), 0);
	fixture_assert_unchanged(f);
}

/* What a killed one left is removed by the next start; what another one has open is not. */
static void
a_killed_tutor_s_folder_goes_with_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct vt *killed = tutor_open(f, "seal"), *v, *next;

	see(killed, "lesson 2 of 8");
	assert_int_equal(kill(vt_pid(killed), SIGKILL), 0);
	(void)vt_wait_exit(killed);
	vt_free(killed);
	assert_int_equal(left_behind(f), 1);
	v = tutor_open(f, "seal");
	see(v, "lesson 2 of 8");
	assert_int_equal(left_behind(f), 1);
	next = tutor_open(f, "seal");
	see(next, "lesson 2 of 8");
	assert_int_equal(left_behind(f), 2);
	fixture_leave(next);
	assert_int_equal(left_behind(f), 1);
	fixture_leave(v);
	assert_int_equal(left_behind(f), 0);
}

static void
lessons_look_so(void **state)
{
	struct vt *v = tutor_open(*state, "seal");

	see(v, "lesson 2 of 8");
	vt_type(v, "/keystore.pass\r");
	vt_key(v, " ");
	golden_assert_sizes(v, "lesson");
	vt_key(v, "\177");
	golden_assert_sizes(v, "lessons");
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_lesson_is_done_by_its_keys),
		FIXTURE_TEST(lessons_lead_to_the_next_and_begin_again),
		FIXTURE_TEST(the_interface_leads_to_the_tutor_and_back),
		FIXTURE_TEST(a_lock_outlasts_the_tutor),
		FIXTURE_TEST(a_killed_tutor_s_folder_goes_with_the_next_start),
		FIXTURE_TEST(lessons_are_removed_on_a_hang_up),
		FIXTURE_TEST(lessons_look_so),
		FIXTURE_TERMS(lessons_look_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
