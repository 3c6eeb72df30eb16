/* The view of the Secret Registry: what it shows. */
#include "golden.h"
#include "session.h"

static void
paths_keys_and_references_stand_side_by_side(void **state)
{
	struct vt *v = session_open(state);

	see(v, "Paths and keys               version  refs");
	see(v, " conn-a                      2 keys     6");
	see(v, "  D missing                not there     1");
	see(v, "  S password                      v2     3");
	see(v, "  ? certificate                   v2     0");
	see(v, "1 dangling");
	go_to_password(v);
	see(v, "S 2  live");
	see(v, "S 1  live");
	see(v, "Referred to by 3");
	see(v, "conn-a.json:5");
	see(v, "conn-a.json:6");
	/* A connector that is not called like the path is refused by a worker. */
	see(v, "! other.properties:3");
	see(v, "1 misplaced");
	session_quit(state);
}

static void
view_begins_with_the_first_path(void **state)
{
	struct session *t = session_serve(state);
	int row, col;

	/* The files are read before the registry answers; "conn-a" is theirs. */
	server_put(&t->s, "aaa", "k", "v");
	t->v = server_open(&t->s, 24, 80);
	vt_settle(t->v);
	vt_key(t->v, "s");
	see(t->v, "4 paths, 6 keys, 7 references");
	vt_cursor(t->v, &row, &col);
	assert_int_equal(row, 2);
	assert_true(vt_find(t->v, " aaa ", &row, &col));
	assert_int_equal(row, 2);
	session_quit(state);
}

static void
view_fits_the_smallest_screen(void **state)
{
	struct session *t = session_serve(state);
	struct vt *v = t->v = server_open(&t->s, 5, 20);

	vt_key(v, "s");
	see(v, "conn-a");
	see(v, "[6 registry]  alice");
	see(v, "? help  q quit");
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_TAB);
	see(v, "not in the registry");
	vt_key(v, KEY_TAB);
	go_to(v, "passw", "password");
	vt_key(v, KEY_TAB);
	/* Rather no date than a part of one. */
	see(v, "S 2  live");
	vt_assert_lacks(v, "live      2");
	session_quit(state);
}

static void
large_screen_tells_who_stored_what_and_when(void **state)
{
	struct vt *v = session_open(state);
	int row, at, col;

	vt_resize(v, 50, 200);
	go_to_password(v);
	see(v, "S 2  live      20");
	see(v, "config.connection\\.password");
	/* Each column stands under its heading. */
	assert_true(vt_find(v, "stored      by              version  refs", &row, &at));
	assert_true(vt_find(v, "alice                v2     3", &row, &col));
	assert_int_equal(col, at + 12);
	session_quit(state);
}

static void
who_stored_a_version_is_told_at_80_columns(void **state)
{
	struct vt *v = session_open(state);
	char line[512];
	int row, col;

	go_to_password(v);
	see(v, "S 2  live");
	assert_true(vt_find(v, "S 2  live", &row, &col));
	vt_row(v, row, line, sizeof(line));
	assert_non_null(strstr(line, "  alice"));
	session_quit(state);
}

static void
long_path_leaves_room_for_its_key(void **state)
{
	struct session *t = session_serve(state);
	char path[201];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	server_put(&t->s, path, "the.key.of.it", "v");
	t->v = server_open(&t->s, 24, 80);
	vt_settle(t->v);
	vt_key(t->v, "s");
	see(t->v, "4 paths, 6 keys");
	go_to(t->v, "the.key", "1 version");
	see(t->v, "ppp" INTO "the.key.of.it");
	session_quit(state);
}

static void
name_beyond_ascii_keeps_the_columns(void **state)
{
	struct session *t = session_serve(state);

	server_put(&t->s, "gr\303\274\303\237e-\346\227\245\346\234\254", "k", "v");
	t->v = server_open(&t->s, 24, 80);
	vt_settle(t->v);
	vt_key(t->v, "s");
	see(t->v, "gr\303\274\303\237e-\346\227\245\346\234\254                   1 key     0");
	vt_key(t->v, "t");
	see(t->v, "GetPathMetadata     gr\303\274\303\237e-\346\227\245\346\234\254 ");
	vt_key(t->v, KEY_ESC);
	session_quit(state);
}

static void
reference_leads_to_its_file_and_back(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	see(v, "Refers to ${secret:conn-a:password}. It is misplaced");
	vt_key(v, KEY_ENTER);
	see(v, "2 files");
	see(v, "other.properties:3" INTO "b.password");
	vt_key(v, "s");
	see(v, "Refers to ${secret:conn-a:password}");
	session_quit(state);
}

static void
versions_are_compared_without_a_value_on_the_screen(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	see(v, "c compares the newest two");
	vt_key(v, "c");
	see(v, "The values differ.");
	see(v, "- version 1    ********");
	see(v, "+ version 2    ********");
	vt_key(v, KEY_ENTER);
	go_to(v, "certif", "S 2  live");
	vt_key(v, "c");
	see(v, "Lines that differ: 2.");
	vt_key(v, KEY_ENTER);
	assert_false(vt_sent(v, SERVER_OLD_VALUE));
	assert_false(vt_sent(v, SERVER_NEW_VALUE));
	session_assert_wiped(state, "compared value", SERVER_OLD_VALUE);
	session_assert_wiped(state, "compared value", SERVER_NEW_VALUE);
	session_quit(state);
}

static void
marked_version_is_compared_with_the_one_at_the_cursor(void **state)
{
	struct vt *v = session_open(state);

	go_to(v, "same", "S 2  live");
	vt_key(v, KEY_TAB);
	vt_key(v, " ");
	see(v, "* 2  live");
	vt_key(v, "c");
	see(v, "select another live version");
	vt_type(v, "jc");
	see(v, "The values are the same.");
	vt_key(v, KEY_ENTER);
	/* Without the mark there is none before the first. */
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "c compare");
	vt_key(v, "c");
	see(v, "no live version before this one");
	session_quit(state);
}

static void
comparing_is_offered_only_where_there_are_two(void **state)
{
	struct vt *v = session_open(state);

	go_to(v, "user", "1 version");
	see(v, "r shows the newest value");
	vt_assert_lacks(v, "compare");
	vt_key(v, KEY_TAB);
	see(v, "r shows it, X deletes");
	vt_assert_lacks(v, "compare");
	session_quit(state);
}

static void
value_is_shown_and_masked_again(void **state)
{
	struct vt *v = session_open(state);

	go_to_password(v);
	vt_key(v, "r");
	see(v, SERVER_NEW_VALUE);
	see(v, "r longer, y copy, Esc mask");
	vt_key(v, KEY_ESC);
	vt_wait_text(v, SERVER_NEW_VALUE, false);
	/* An older version, by its row. */
	see(v, "S 1  live");
	vt_key(v, KEY_TAB);
	vt_type(v, "jr");
	see(v, SERVER_OLD_VALUE);
	vt_key(v, KEY_FOCUS_OUT);
	vt_wait_text(v, SERVER_OLD_VALUE, false);
	session_assert_wiped(state, "masked value", SERVER_NEW_VALUE);
	session_assert_wiped(state, "masked value", SERVER_OLD_VALUE);
	session_quit(state);
	assert_null(strstr(vt_scrollback(v), "canary"));
	vt_assert_lacks(v, "canary");
}

static void
value_masks_itself_by_time(void **state)
{
	struct fixture_start start = { .args = { "connectors", "--reveal-time", "1" } };
	struct session *t = session_serve(state);
	char url[128];

	snprintf(url, sizeof(url), "PROPSEAL_REGISTRY_URL=%s", t->s.url);
	start.env[0] = url;
	start.env[1] = "PROPSEAL_REGISTRY_USER=" SERVER_USER;
	start.env[2] = "PROPSEAL_REGISTRY_PASSWORD_FILE=password";
	t->v = fixture_run(t->f, &start);
	vt_key(t->v, "s");
	see(t->v, "3 paths, 5 keys");
	go_to_password(t->v);
	vt_key(t->v, "r");
	see(t->v, SERVER_NEW_VALUE);
	vt_wait_text(t->v, SERVER_NEW_VALUE, false);
	session_quit(state);
}

static void
screens(void **state)
{
	static const struct {
		int rows, cols;
		const char *name;
	} sizes[] = { { 24, 80, "registry-80x24" }, { 40, 120, "registry-120x40" },
		{ 5, 20, "registry-20x5" } };
	struct vt *v = session_open(state);

	go_to_password(v);
	see(v, "S 2  live");
	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			vt_resize(v, sizes[i].rows, sizes[i].cols);
		golden_await(v, sizes[i].name);
	}
	/* The detail beside the two, with what is known of the key, of a version, of a path. */
	vt_resize(v, 50, 200);
	golden_await(v, "registry-200x50");
	vt_type(v, "\tj");
	vt_assert_has(v, "version     1, live");
	vt_assert_has(v, "versions    2, 2 live");
	vt_type(v, "\t");
	for (int i = 0; i < 9; i++)
		vt_key(v, "k");
	vt_assert_has(v, "keys        2");
	go_to_password(v);
	vt_resize(v, 24, 80);
	vt_key(v, "c");
	see(v, "The values differ.");
	golden_assert_sizes(v, "registry-compare");
	vt_key(v, KEY_ENTER);
	vt_key(v, "e");
	see(v, "Value:");
	golden_assert_sizes(v, "registry-value");
	vt_key(v, KEY_ESC);
	vt_key(v, "i");
	see(v, "Path:");
	golden_assert_sizes(v, "registry-create");
	vt_key(v, KEY_ESC);
	vt_key(v, "X");
	see(v, "Type delete");
	golden_assert_sizes(v, "registry-delete");
	vt_key(v, KEY_ESC);
	session_quit(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(paths_keys_and_references_stand_side_by_side),
		SESSION_TEST(view_begins_with_the_first_path),
		SESSION_TEST(view_fits_the_smallest_screen),
		SESSION_TEST(large_screen_tells_who_stored_what_and_when),
		SESSION_TEST(who_stored_a_version_is_told_at_80_columns),
		SESSION_TEST(long_path_leaves_room_for_its_key),
		SESSION_TEST(name_beyond_ascii_keeps_the_columns),
		SESSION_TEST(reference_leads_to_its_file_and_back),
		SESSION_TEST(versions_are_compared_without_a_value_on_the_screen),
		SESSION_TEST(marked_version_is_compared_with_the_one_at_the_cursor),
		SESSION_TEST(comparing_is_offered_only_where_there_are_two),
		SESSION_TEST(value_is_shown_and_masked_again),
		SESSION_TEST(value_masks_itself_by_time),
		SESSION_TEST(screens),
		SESSION_TERMS(screens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
