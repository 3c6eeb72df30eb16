/* The view of the Secret Registry: what it changes there. */
#include "golden.h"
#include "session.h"

static void
missing_key_is_created_with_a_value_that_is_never_shown(void **state)
{
	struct vt *v = session_open(state);

	go_to(v, "missing", "not in the registry");
	vt_key(v, "i");
	/* Path and key are those of the reference. */
	see(v, "conn-a");
	vt_key(v, KEY_ENTER);
	see(v, "missing");
	vt_key(v, KEY_ENTER);
	vt_type(v, "typed-canary-\303\274-\"x\\");
	vt_assert_lacks(v, "typed");
	vt_key(v, KEY_ENTER);
	type_line(v, "typed-canary-\303\274-\"x\\");
	see(v, "[Cancel]");
	session_assert_stored(state, "conn-a", "missing", "latest", NULL);
	confirm(v);
	see(v, "stored conn-a / missing as version 1");
	see(v, "S 1  live");
	vt_wait_text(v, "1 dangling", false);
	session_assert_stored(state, "conn-a", "missing", "1", "typed-canary-\303\274-\"x\\");
	assert_false(vt_sent(v, "typed-canary"));
	session_assert_wiped(state, "typed value", "typed-canary");
	session_quit(state);
}

/* Path, key and value, up to the question whether to store them. */
static void
create(struct vt *v, const char *path, const char *key, const char *value)
{
	vt_key(v, "i");
	vt_key(v, "\025");
	type_line(v, path);
	type_line(v, key);
	type_value(v, value);
}

static void
new_path_is_created_and_shown(void **state)
{
	struct vt *v = session_open(state);

	create(v, "new-conn", "first.key", "v");
	confirm(v);
	see(v, "stored new-conn / first.key as version 1");
	vt_key(v, KEY_UP);
	see(v, "4 paths, 6 keys");
	session_assert_stored(state, "new-conn", "first.key", "latest", "v");
	session_quit(state);
}

static void
key_that_the_registry_refuses_is_not_stored(void **state)
{
	struct vt *v = session_open(state);

	create(v, "conn-a", "1bad", "v");
	confirm(v);
	see(v, "Not stored");
	see(v, "the registry answered 422");
	vt_key(v, KEY_ENTER);
	see(v, "3 paths, 5 keys");
	session_quit(state);
}

static void
new_version_is_stored_when_it_is_confirmed(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	vt_key(v, "e");
	type_value(v, "third");
	/* Enter alone does not store: the focus is on Cancel. */
	vt_key(v, KEY_ENTER);
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	vt_key(v, "e");
	type_value(v, "third");
	confirm(v);
	see(v, "stored conn-a / password as version 3");
	see(v, "S 3  live");
	session_assert_stored(state, "conn-a", "password", "latest", "third");
	session_quit(state);
}

static void
new_version_is_stored_only_on_what_was_seen(void **state)
{
	struct vt *v = session_open(state);
	struct session *t = *state;

	go_to_password(v);
	vt_key(v, "e");
	type_value(v, "mine");
	/* Somebody else is faster. */
	server_put(&t->s, "conn-a", "password", "theirs");
	confirm(v);
	see(v, "Not stored");
	see(v, "409");
	vt_key(v, KEY_ENTER);
	see(v, "S 3  live");
	session_assert_stored(state, "conn-a", "password", "latest", "theirs");
	session_quit(state);
}

static void
version_is_deleted_and_brought_back(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	vt_key(v, KEY_TAB);
	vt_key(v, "X");
	see(v, "[Cancel]");
	/* The key that asks does not confirm, nor does Enter on Cancel. */
	vt_key(v, "X");
	vt_key(v, KEY_ENTER);
	session_assert_stored(state, "conn-a", "password", "2", SERVER_NEW_VALUE);
	vt_key(v, "X");
	confirm(v);
	see(v, "deleted conn-a / password, version 2");
	see(v, "- 2  deleted");
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_OLD_VALUE);
	vt_key(v, "r");
	see(v, "only a live version can be read");
	vt_key(v, "z");
	confirm(v);
	see(v, "brought back conn-a / password, version 2");
	see(v, "S 2  live");
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	session_quit(state);
}

static void
key_is_deleted_only_by_the_word_and_then_dangles(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	vt_key(v, "X");
	see(v, "3 entries here refer to it");
	type_line(v, "delet");
	see(v, "that is not the word");
	vt_key(v, KEY_ESC);
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	type_line(v, "Xdelete");
	see(v, "D password                 deleted     3");
	session_assert_stored(state, "conn-a", "password", "latest", NULL);
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_UP);
	vt_key(v, "X");
	see(v, "no version of it is live any more");
	session_quit(state);
}

static void
deleted_key_is_brought_back_without_going_to_a_version(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	type_line(v, "Xdelete");
	see(v, "brings back version 2.");
	vt_key(v, "z");
	see(v, "conn-a / password, version 2");
	confirm(v);
	see(v, "S 2  live");
	see(v, "- 1  deleted");
	see(v, "S password                      v2     3");
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	/* Now a version is to be chosen. */
	vt_key(v, "z");
	see(v, "select a deleted version");
	session_quit(state);
}

static void
path_is_deleted_with_its_keys(void **state)
{
	struct vt *v = session_open(state);

	go_to(v, "conn-b", "X deletes the path");
	type_line(v, "Xdelete");
	see(v, "deleted conn-b");
	see(v, " conn-b                     deleted     0");
	vt_key(v, KEY_UP);
	see(v, "3 paths (1 deleted)");
	session_assert_stored(state, "conn-b", "same", "latest", NULL);
	session_assert_stored(state, "conn-b", "certificate", "latest", NULL);
	session_assert_stored(state, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	session_quit(state);
}

static void
deleted_path_is_still_there_for_the_next_one_who_looks(void **state)
{
	struct vt *v = session_open(state);
	struct session *t = *state;

	go_to(v, "conn-b", "X deletes the path");
	type_line(v, "Xdelete");
	see(v, "deleted conn-b");
	session_quit(state);
	vt_free(v);
	v = t->v = server_open(&t->s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "3 paths (1 deleted), 5 keys");
	see(v, " conn-b                     deleted     0");
	see(v, "  - same                     deleted     0");
	go_to(v, "same", "brings back version 2.");
	vt_key(v, "z");
	confirm(v);
	see(v, " conn-b                      2 keys     0");
	see(v, "  ? same                          v2     0");
	session_assert_stored(state, "conn-b", "same", "latest", "v");
	session_quit(state);
}

static void
rotation_wants_the_word_and_is_followed_to_its_end(void **state)
{
	struct vt *v = session_open(state);

	vt_key(v, "K");
	vt_key(v, KEY_ENTER);
	see(v, "that is not the word");
	vt_type(v, "rotate");
	vt_send(v, KEY_ENTER);
	see(v, "every secret is sealed with a new data key");
	vt_settle(v);
	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_key(v, KEY_ESC);
	session_quit(state);
}

#define PATHS { "GET /secret/paths?", 200, "[\"conn-a\"]" }
#define ROTATION(body) { "/secret/admin/rotation", 200, body }
#define RUNNING "{\"running\":true,\"done\":3,\"total\":12}"

static const struct reply running[] = { PATHS, ROTATION(RUNNING) };

/* A rotation that does not end by itself, seen and left. */
static struct vt *
start_rotation(void **state)
{
	struct vt *v = session_fake(state, running, 2);

	see(v, "1 path");
	vt_key(v, "K");
	type_line(v, "rotate");
	see(v, "3 of 12");
	see(v, "Esc stops watching");
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "Sealing again", false);
	see(v, "the rotation goes on");
	vt_key(v, KEY_DOWN);
	see(v, "rotation: 3 of 12 sealed again");
	return v;
}

static void
screens(void **state)
{
	struct vt *v = session_fake(state, running, 2);

	see(v, "1 path");
	vt_key(v, "K");
	see(v, "Type rotate");
	golden_assert_sizes(v, "registry-rotate");
	type_line(v, "rotate");
	see(v, "3 of 12");
	see(v, "Esc stops watching");
	golden_assert_sizes(v, "registry-rotating");
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "Sealing again", false);
	see(v, "the rotation goes on");
	session_quit(state);
}

static void
progress_of_a_rotation_is_shown_and_can_be_left(void **state)
{
	struct vt *v = start_rotation(state);

	vt_key(v, KEY_UP);
	see(v, "rotation: 3 of 12 sealed again");
	session_quit(state);
}

static void
end_of_a_rotation_that_was_left_is_told(void **state)
{
	static const struct reply over[] = { PATHS,
		ROTATION("{\"running\":false,\"done\":12,\"total\":12}") };
	struct vt *v = start_rotation(state);
	struct session *t = *state;

	server_fake_on(&t->s, over, 2);
	see(v, "every secret is sealed again");
	vt_key(v, KEY_UP);
	vt_wait_text(v, "of 12", false);
	session_quit(state);
}

static void
failure_of_a_rotation_that_was_left_is_told(void **state)
{
	static const struct reply failed[] = { PATHS,
		ROTATION("{\"running\":false,\"done\":4,\"total\":12,\"failure\":\"disk full\"}") };
	struct vt *v = start_rotation(state);
	struct session *t = *state;

	server_fake_on(&t->s, failed, 2);
	see(v, "the rotation stopped: disk full");
	session_quit(state);
}

static void
rotation_of_which_nothing_is_known_any_more_is_told(void **state)
{
	static const struct reply refused[] = { PATHS,
		{ "/secret/admin/rotation", 403, "{\"error_code\":403,\"message\":\"no\"}" } };
	struct vt *v = start_rotation(state);
	struct session *t = *state;

	server_fake_on(&t->s, refused, 2);
	see(v, "is not known any more");
	session_quit(state);
}

/* What is asked before a version is brought back, or the last one deleted. */
static void
screens_of_versions(void **state)
{
	struct vt *v = session_open(state);

	go_to(v, "user", "1 version");
	vt_key(v, KEY_TAB);
	vt_key(v, "X");
	see(v, "Delete the last version");
	golden_assert_sizes(v, "registry-delete-last");
	type_line(v, "delete");
	see(v, "- 1  deleted");
	vt_key(v, "z");
	see(v, "Bring a version back");
	golden_assert_sizes(v, "registry-bring-back");
	vt_key(v, KEY_ESC);
	session_quit(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(missing_key_is_created_with_a_value_that_is_never_shown),
		SESSION_TEST(new_path_is_created_and_shown),
		SESSION_TEST(key_that_the_registry_refuses_is_not_stored),
		SESSION_TEST(new_version_is_stored_when_it_is_confirmed),
		SESSION_TEST(new_version_is_stored_only_on_what_was_seen),
		SESSION_TEST(version_is_deleted_and_brought_back),
		SESSION_TEST(key_is_deleted_only_by_the_word_and_then_dangles),
		SESSION_TEST(deleted_key_is_brought_back_without_going_to_a_version),
		SESSION_TEST(path_is_deleted_with_its_keys),
		SESSION_TEST(deleted_path_is_still_there_for_the_next_one_who_looks),
		SESSION_TEST(rotation_wants_the_word_and_is_followed_to_its_end),
		SESSION_TEST(screens),
		SESSION_TERMS(screens),
		SESSION_TEST(screens_of_versions),
		SESSION_TERMS(screens_of_versions),
		SESSION_TEST(progress_of_a_rotation_is_shown_and_can_be_left),
		SESSION_TEST(end_of_a_rotation_that_was_left_is_told),
		SESSION_TEST(failure_of_a_rotation_that_was_left_is_told),
		SESSION_TEST(rotation_of_which_nothing_is_known_any_more_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
