/* The view of the Secret Registry, on a registry of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fixture.h"
#include "golden.h"
#include "keys.h"
#include "memory.h"
#include "server.h"
#include "vt.h"

/* An answer may come, and be drawn, at any time: so wait for what is expected. */
static void
see(struct vt *v, const char *text)
{
	vt_wait_text(v, text, true);
}

/* The view, with everything that it asks for by itself answered. */
static struct vt *
open_view(struct server *s)
{
	struct vt *v = server_open(s, 24, 80);

	vt_settle(v);
	vt_key(v, "s");
	see(v, "3 paths, 5 keys, 7 references");
	return v;
}

/* Put the cursor on the key conn-a / password, its versions on the right. */
static void
go_to_password(struct vt *v)
{
	vt_type(v, "/passw");
	vt_key(v, KEY_ENTER);
	see(v, "2 versions");
}

static void
confirm(struct vt *v)
{
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
}

static void
assert_stored(struct server *s, const char *path, const char *key, const char *version,
    const char *value)
{
	char *now = server_get(s, path, key, version);

	if (value == NULL)
		assert_null(now);
	else
		assert_string_equal(now, value);
	free(now);
}

static void
paths_keys_and_references_stand_side_by_side(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	see(v, "conn-a");
	see(v, "3 keys");
	see(v, "D missing");
	see(v, "S password                         v2   3");
	see(v, "? certificate                      v2   0");
	see(v, "1 dangling");
	go_to_password(v);
	see(v, "S 2  live");
	see(v, "S 1  live");
	see(v, "Referred to by 3");
	see(v, "conn-a.json:5");
	see(v, "conn-a.json:6");
	/* A connector that is not called like the path is refused by a worker. */
	see(v, "! other.properties:3");
	see(v, "1 of another connector");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
view_fits_the_smallest_and_a_large_screen(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = server_open(&s, 5, 20);
	vt_key(v, "s");
	see(v, "conn-a");
	see(v, "? help  q quit");
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_TAB);
	see(v, "not in the registry");
	vt_key(v, KEY_TAB);
	vt_resize(v, 50, 200);
	see(v, "3 paths, 5 keys, 7 references");
	go_to_password(v);
	see(v, "alice");
	see(v, "config.connection\\.password");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
reference_leads_to_its_file_and_back(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	see(v, "Refers to ${secret:conn-a:password}. But");
	vt_key(v, KEY_ENTER);
	see(v, "Configuration files 2");
	see(v, "other.properties:3  b.password");
	vt_key(v, "s");
	see(v, "Refers to ${secret:conn-a:password}");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
versions_are_compared_without_a_value_on_the_screen(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_key(v, "c");
	see(v, "The values differ.");
	see(v, "- version 1    ********");
	see(v, "+ version 2    ********");
	vt_key(v, KEY_ENTER);
	/* The marked version and the one at the cursor, in whatever order. */
	vt_type(v, "/same");
	vt_key(v, KEY_ENTER);
	see(v, "S 2  live");
	vt_key(v, KEY_TAB);
	vt_key(v, " ");
	see(v, "* 2  live");
	vt_key(v, "c");
	see(v, "select another live version");
	vt_type(v, "jc");
	see(v, "The values are the same.");
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_TAB);
	vt_type(v, "/certif");
	vt_key(v, KEY_ENTER);
	see(v, "S 2  live");
	vt_key(v, "c");
	see(v, "Lines that differ: 2.");
	vt_key(v, KEY_ENTER);
	assert_false(vt_sent(v, SERVER_OLD_VALUE));
	assert_false(vt_sent(v, SERVER_NEW_VALUE));
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "compared value", SERVER_OLD_VALUE);
		memory_assert_clean(vt_pid(v), "compared value", SERVER_NEW_VALUE);
	}
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
value_is_shown_and_masked_again(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	see(v, "any key masks it");
	vt_key(v, "r");
	vt_wait_text(v, SERVER_NEW_VALUE, false);
	/* An older version, by its row. */
	see(v, "S 1  live");
	vt_key(v, KEY_TAB);
	vt_type(v, "jr");
	see(v, SERVER_OLD_VALUE);
	vt_key(v, KEY_FOCUS_OUT);
	vt_wait_text(v, SERVER_OLD_VALUE, false);
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "masked value", SERVER_NEW_VALUE);
		memory_assert_clean(vt_pid(v), "masked value", SERVER_OLD_VALUE);
	}
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), "canary"));
	vt_assert_lacks(v, "canary");
	vt_free(v);
	server_stop(&s);
}

static void
value_masks_itself_by_time(void **state)
{
	struct fixture_start start = { .args = { "connectors", "--reveal-time", "1" } };
	char url[128];
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	snprintf(url, sizeof(url), "PROPSEAL_REGISTRY_URL=%s", s.url);
	start.env[0] = url;
	start.env[1] = "PROPSEAL_REGISTRY_USER=" SERVER_USER;
	start.env[2] = "PROPSEAL_REGISTRY_PASSWORD_FILE=password";
	v = fixture_run(*state, &start);
	vt_key(v, "s");
	see(v, "3 paths, 5 keys");
	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_wait_text(v, SERVER_NEW_VALUE, false);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
missing_key_is_created_with_a_value_that_is_never_shown(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	vt_type(v, "/missing");
	vt_key(v, KEY_ENTER);
	vt_key(v, "i");
	/* Path and key are those of the reference. */
	see(v, "conn-a");
	vt_key(v, KEY_ENTER);
	see(v, "missing");
	vt_key(v, KEY_ENTER);
	vt_type(v, "typed-canary-\303\274-\"x\\");
	vt_assert_lacks(v, "typed");
	vt_key(v, KEY_ENTER);
	see(v, "[Cancel]");
	assert_stored(&s, "conn-a", "missing", "latest", NULL);
	confirm(v);
	see(v, "stored conn-a / missing as version 1");
	see(v, "S 1  live");
	vt_wait_text(v, "1 dangling", false);
	assert_stored(&s, "conn-a", "missing", "1", "typed-canary-\303\274-\"x\\");
	assert_false(vt_sent(v, "typed-canary"));
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "typed value", "typed-canary");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
new_path_is_created_and_shown(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	vt_key(v, "i");
	vt_key(v, "\025");
	vt_type(v, "new-conn");
	vt_key(v, KEY_ENTER);
	vt_type(v, "first.key");
	vt_key(v, KEY_ENTER);
	vt_type(v, "v");
	vt_key(v, KEY_ENTER);
	confirm(v);
	see(v, "stored new-conn / first.key as version 1");
	vt_key(v, KEY_UP);
	see(v, "4 paths, 6 keys");
	vt_key(v, KEY_DOWN);
	/* A key that the registry refuses: nothing is stored, and it is said. */
	vt_key(v, "i");
	vt_key(v, KEY_ENTER);
	vt_type(v, "1bad");
	vt_key(v, KEY_ENTER);
	vt_type(v, "v");
	vt_key(v, KEY_ENTER);
	confirm(v);
	see(v, "Not stored");
	see(v, "the registry answered 422");
	vt_key(v, KEY_ENTER);
	fixture_quit(v);
	vt_free(v);
	assert_stored(&s, "new-conn", "first.key", "latest", "v");
	server_stop(&s);
}

static void
new_version_is_stored_only_on_what_was_seen(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_type(v, "ethird");
	vt_key(v, KEY_ENTER);
	/* Enter alone does not store: the focus is on Cancel. */
	vt_key(v, KEY_ENTER);
	assert_stored(&s, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	vt_type(v, "ethird");
	vt_key(v, KEY_ENTER);
	confirm(v);
	see(v, "stored conn-a / password as version 3");
	see(v, "S 3  live");
	assert_stored(&s, "conn-a", "password", "latest", "third");
	/* Somebody else is faster. */
	vt_type(v, "efourth");
	vt_key(v, KEY_ENTER);
	server_put(&s, "conn-a", "password", "theirs");
	confirm(v);
	see(v, "Not stored");
	see(v, "409");
	vt_key(v, KEY_ENTER);
	see(v, "S 4  live");
	assert_stored(&s, "conn-a", "password", "latest", "theirs");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
version_is_deleted_and_brought_back(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_key(v, KEY_TAB);
	vt_key(v, "X");
	see(v, "[Cancel]");
	/* The key that asks does not confirm, nor does Enter on Cancel. */
	vt_key(v, "X");
	vt_key(v, KEY_ENTER);
	assert_stored(&s, "conn-a", "password", "2", SERVER_NEW_VALUE);
	vt_key(v, "X");
	confirm(v);
	see(v, "deleted conn-a / password, version 2");
	see(v, "- 2  deleted");
	assert_stored(&s, "conn-a", "password", "latest", SERVER_OLD_VALUE);
	vt_key(v, "r");
	see(v, "only a live version can be read");
	vt_key(v, "z");
	confirm(v);
	see(v, "brought back conn-a / password, version 2");
	see(v, "S 2  live");
	assert_stored(&s, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
key_is_deleted_only_by_the_word_and_then_dangles(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	go_to_password(v);
	vt_key(v, "X");
	see(v, "3 entries here refer to it");
	vt_type(v, "delet");
	vt_key(v, KEY_ENTER);
	see(v, "that is not the word");
	vt_key(v, KEY_ESC);
	assert_stored(&s, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	vt_type(v, "Xdelete");
	vt_key(v, KEY_ENTER);
	see(v, "D password                    deleted   3");
	assert_stored(&s, "conn-a", "password", "latest", NULL);
	vt_key(v, KEY_TAB);
	vt_type(v, "z");
	confirm(v);
	see(v, "S 2  live");
	assert_stored(&s, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
path_is_deleted_with_its_keys(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	vt_type(v, "/conn-b");
	vt_key(v, KEY_ENTER);
	vt_type(v, "Xdelete");
	vt_key(v, KEY_ENTER);
	see(v, "deleted conn-b");
	assert_stored(&s, "conn-b", "same", "latest", NULL);
	assert_stored(&s, "conn-b", "certificate", "latest", NULL);
	assert_stored(&s, "conn-a", "password", "latest", SERVER_NEW_VALUE);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
rotation_wants_the_word_and_is_followed_to_its_end(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
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
	vt_key(v, "r");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
progress_of_a_rotation_is_shown_and_can_be_left(void **state)
{
	static const struct reply replies[] = {
		{ "GET /secret/paths?", 200, "[\"conn-a\"]" },
		{ "/secret/admin/rotation", 200, "{\"running\":true,\"done\":3,\"total\":12}" },
	};
	struct server s;
	struct vt *v;

	server_fake(&s, *state, replies, 2);
	v = server_open(&s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "1 path");
	vt_key(v, "K");
	vt_type(v, "rotate");
	vt_key(v, KEY_ENTER);
	see(v, "3 of 12");
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "Sealing again", false);
	vt_key(v, KEY_DOWN);
	see(v, "rotation: 3 of 12 sealed again");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
wrong_password_is_refused_and_asked_for_again(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = server_open_without_password(&s);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "Password:");
	vt_type(v, "wrong-canary");
	vt_key(v, KEY_ENTER);
	see(v, "The registry refuses the login.");
	see(v, "U logs in");
	vt_key(v, "U");
	vt_type(v, SERVER_PASSWORD);
	vt_assert_lacks(v, "wonderful");
	vt_key(v, KEY_ENTER);
	see(v, "S password                         v2   3");
	assert_false(vt_sent(v, "canary"));
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

/* The password as it goes over the line. */
#define PASSWORD_BASE64 "YWxpY2U6d29uZGVyZnVsLVB3MS1jYW5hcnk="

static void
lock_wipes_the_password_and_the_next_use_asks_for_it(void **state)
{
	struct server s;
	struct vt *v;
	bool can_read;

	server_start(&s, *state);
	v = server_open_without_password(&s);
	vt_settle(v);
	can_read = memory_can_read(vt_pid(v));
	vt_key(v, "s");
	vt_type(v, SERVER_PASSWORD);
	vt_key(v, KEY_ENTER);
	see(v, "3 paths, 5 keys");
	go_to_password(v);
	/* The scan can find what is kept, so it would find a leak too. */
	if (can_read)
		assert_true(memory_count(vt_pid(v), PASSWORD_BASE64, 16) >= 1);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_key(v, "L");
	see(v, "locked");
	vt_wait_text(v, SERVER_NEW_VALUE, false);
	if (can_read) {
		memory_assert_clean(vt_pid(v), "value", SERVER_NEW_VALUE);
		memory_assert_clean(vt_pid(v), "password", SERVER_PASSWORD);
		memory_assert_clean(vt_pid(v), "authorization", PASSWORD_BASE64);
	}
	vt_key(v, KEY_ENTER);
	see(v, "not logged in");
	vt_key(v, "r");
	see(v, "Password:");
	vt_type(v, SERVER_PASSWORD);
	vt_key(v, KEY_ENTER);
	see(v, SERVER_NEW_VALUE);
	vt_key(v, "r");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
password_of_a_file_does_not_stay_either(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	vt_key(v, "L");
	see(v, "locked");
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "password", SERVER_PASSWORD);
		memory_assert_clean(vt_pid(v), "authorization", PASSWORD_BASE64);
	}
	vt_key(v, KEY_ENTER);
	/* The file still has it. */
	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	vt_key(v, "r");
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
registry_that_is_gone_is_told_and_can_be_asked_again(void **state)
{
	struct server s;
	struct vt *v;

	server_start(&s, *state);
	v = open_view(&s);
	server_stop(&s);
	vt_key(v, "R");
	see(v, "not reached");
	see(v, "R asks again");
	/* The files are still there. */
	vt_key(v, "s");
	see(v, "Configuration files 2");
	vt_key(v, "s");
	vt_key(v, "r");
	fixture_quit(v);
	vt_free(v);
}

static void
registry_that_does_not_answer_stops_nothing(void **state)
{
	static const struct reply replies[] = { { "GET", 200, NULL } };
	struct server s;
	struct vt *v;

	server_fake(&s, *state, replies, 1);
	v = server_open(&s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "asking the registry");
	vt_resize(v, 30, 100);
	see(v, "asking the registry");
	vt_key(v, "t");
	see(v, "Esc ends the waiting");
	vt_key(v, KEY_ESC);
	see(v, "not waited for");
	vt_key(v, "s");
	see(v, "Configuration files 2");
	vt_key(v, "s");
	vt_key(v, "t");
	vt_key(v, KEY_ESC);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
end_of_the_audit_log_is_followed(void **state)
{
	static const struct reply replies[] = {
		{ "GET /secret/paths?", 200, "[]" },
		{ "GET /secret/admin/audit?limit=", 200, "[{\"time\":\"2026-10-05T11:22:33.123Z\","
		    "\"data\":{\"methodName\":\"secret-registry.GetSecretVersion\",\"resourceName\":"
		    "\"crn:///kafka=k/connect=c/secret-path=conn-a/secret-key=password\","
		    "\"authenticationInfo\":{\"principal\":\"User:bob\"},"
		    "\"request\":{\"phase\":\"outcome\"},\"result\":{\"status\":200}}},"
		    "{\"time\":\"2026-10-05T11:22:34Z\",\"data\":{\"methodName\":"
		    "\"secret-registry.DeletePath\",\"authenticationInfo\":{\"principal\":"
		    "\"User:\\u001beve\"},\"authorizationInfo\":{\"granted\":false}}}]" },
	};
	struct server s;
	struct vt *v;

	server_fake(&s, *state, replies, 2);
	v = server_open(&s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "7 references, 4 dangling");
	vt_key(v, "t");
	see(v, "2026-10-05 11:22:33 User:bob GetSecretVersion");
	see(v, "secret-path=conn-a");
	see(v, "200");
	/* Control characters of the log drive no terminal. */
	see(v, "User:\\x1beve DeletePath");
	see(v, "denied");
	vt_key(v, KEY_UP);
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "denied", false);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
registry_without_audit_tail_or_metadata_is_used_all_the_same(void **state)
{
	static const struct reply replies[] = {
		{ "GET /secret/paths?", 200, "[\"conn-a\"]" },
		{ "GET /secret/paths/conn-a/keys?", 200, "[\"password\"]" },
		{ "GET /secret/paths/conn-a/keys/password/versions ", 200, "[1,3]" },
	};
	struct server s;
	struct vt *v;

	server_fake(&s, *state, replies, 3);
	v = server_open(&s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "1 path, 1 key,");
	vt_type(v, "/passw");
	vt_key(v, KEY_ENTER);
	see(v, "2 versions");
	see(v, "S 3  live");
	vt_key(v, "t");
	see(v, "this registry offers no audit tail");
	vt_key(v, KEY_ENTER);
	fixture_quit(v);
	vt_free(v);
	server_stop(&s);
}

static void
without_a_registry_the_view_tells_how_to_name_one(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	vt_key(v, "s");
	golden_assert(v, "registry-none-80x24");
	vt_key(v, "i");
	see(v, "no registry is configured");
	vt_key(v, "s");
	see(v, "Configuration files");
	fixture_quit(v);
	vt_free(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_keys_and_references_stand_side_by_side),
		TEST(view_fits_the_smallest_and_a_large_screen),
		TEST(reference_leads_to_its_file_and_back),
		TEST(versions_are_compared_without_a_value_on_the_screen),
		TEST(value_is_shown_and_masked_again),
		TEST(value_masks_itself_by_time),
		TEST(missing_key_is_created_with_a_value_that_is_never_shown),
		TEST(new_path_is_created_and_shown),
		TEST(new_version_is_stored_only_on_what_was_seen),
		TEST(version_is_deleted_and_brought_back),
		TEST(key_is_deleted_only_by_the_word_and_then_dangles),
		TEST(path_is_deleted_with_its_keys),
		TEST(rotation_wants_the_word_and_is_followed_to_its_end),
		TEST(progress_of_a_rotation_is_shown_and_can_be_left),
		TEST(wrong_password_is_refused_and_asked_for_again),
		TEST(lock_wipes_the_password_and_the_next_use_asks_for_it),
		TEST(password_of_a_file_does_not_stay_either),
		TEST(registry_that_is_gone_is_told_and_can_be_asked_again),
		TEST(registry_that_does_not_answer_stops_nothing),
		TEST(end_of_the_audit_log_is_followed),
		TEST(registry_without_audit_tail_or_metadata_is_used_all_the_same),
		TEST(without_a_registry_the_view_tells_how_to_name_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
