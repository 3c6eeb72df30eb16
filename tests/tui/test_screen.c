/* What the first screens look like, at any size. */
#include <sys/stat.h>
#include <fcntl.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "fixture_files.h"
#include "golden.h"
#include "steps.h"

static void
first_frame_shows_files_and_sealed_entries_and_no_secret(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_settle(v);
	assert_true(vt_altscreen(v));
	vt_assert_has(v, "2 files");
	vt_assert_has(v, "secrets.properties");
	vt_assert_has(v, "10000 (weak)");
	golden_assert(v, "first-80x24");
	assert_false(vt_sent(v, FIXTURE_KEYSTORE_SECRET));
	assert_false(vt_sent(v, "clear-"));
	assert_false(vt_sent(v, "canary"));
	fixture_quit(v);
	assert_false(vt_altscreen(v));
	vt_free(v);
}

static void
numbers_show_the_views_and_s_goes_to_the_registry_and_back(void **state)
{
	struct vt *v = fixture_open(*state);

	see(v, "[1 files] 2 findings ?  3 pending  4 rotation  5 history  6 registry ");
	vt_key(v, "6");
	vt_assert_has(v, " 1 files  2 findings ?  3 pending  4 rotation  5 history [6 registry]");
	vt_assert_has(v, "No registry is configured.");
	/* Once they were looked for, they are counted. */
	vt_key(v, "2");
	see(v, "[2 findings 10] 3");
	vt_key(v, "6");
	/* An action of another view says where it is. */
	vt_key(v, "A");
	vt_assert_has(v, "A (mark-all): this is for the configuration files");
	vt_key(v, "6");
	vt_assert_has(v, "[6 registry]");
	vt_key(v, "1");
	vt_assert_has(v, "[1 files] 2 findings 10  3 pending  4 rotation  5 history  6 registry ");
	vt_assert_has(v, "broker.properties");
	vt_key(v, "s");
	vt_assert_has(v, "[6 registry]");
	vt_key(v, "s");
	vt_assert_has(v, "[1 files]");
	fixture_leave(v);
}

static void
large_screen_has_words_for_states(void **state)
{
	struct fixture_start s = { .rows = 50, .cols = 200 };
	struct vt *v = fixture_run(*state, &s);

	golden_assert_masked(v, "first-200x50");
	vt_assert_has(v, "clear text");
	vt_assert_has(v, "other provider");
	fixture_leave(v);
}

static void
smallest_screen_is_usable(void **state)
{
	struct fixture_start s = { .rows = 5, .cols = 20 };
	struct vt *v = fixture_run(*state, &s);

	golden_assert(v, "small-20x5");
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_TAB);
	golden_assert(v, "secrets-20x5");
	vt_key(v, "?");
	golden_assert(v, "help-20x5");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Keyboards without keys for pages have two others. */
static void
pages_turn_by_other_keys_too(void **state)
{
	struct vt *v = fixture_open(*state);
	int first, row, page, col;

	vt_settle(v);
	vt_cursor(v, &first, &col);
	vt_key(v, KEY_PAGE_DOWN);
	vt_cursor(v, &page, &col);
	assert_true(page > first + 1);
	vt_key(v, "<");
	vt_cursor(v, &row, &col);
	assert_true(row <= first);
	vt_key(v, ">");
	vt_cursor(v, &row, &col);
	assert_int_equal(row, page);
	fixture_leave(v);
}

static void
too_small_says_what_is_needed_and_ignores_keys(void **state)
{
	struct fixture_start s = { .rows = 4, .cols = 12 };
	struct vt *v = fixture_run(*state, &s);

	vt_settle(v);
	vt_assert_has(v, "too small");
	vt_assert_has(v, "need 20x5");
	vt_key(v, "j");
	vt_resize(v, 24, 80);
	/* What did not fit at first stays folded until it is unfolded. */
	golden_assert(v, "folded-80x24");
	vt_key(v, "+");
	golden_assert(v, "first-80x24");
	fixture_leave(v);
}

static void
resizing_down_to_one_cell_and_back_loses_nothing(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_resize(v, 12, 50);
	golden_assert(v, "resized-50x12");
	vt_resize(v, 5, 20);
	golden_assert(v, "first-20x5");
	vt_resize(v, 2, 3);
	vt_resize(v, 1, 1);
	vt_resize(v, 50, 200);
	golden_assert_masked(v, "first-200x50");
	vt_resize(v, 24, 80);
	golden_assert(v, "first-80x24");
	fixture_leave(v);
}

/* Ten days old, of mode 0640. */
static void
make_old(struct fixture *f, const char *path)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { time(NULL) - 10 * 86400 - 3600, 0 } };
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", f->dir, path);
	assert_int_equal(chmod(whole, 0640), 0);
	assert_int_equal(utimensat(AT_FDCWD, whole, times, 0), 0);
}

static void
wide_screen_has_a_third_pane_with_line_age_key_and_owner(void **state)
{
	struct fixture_start s = { .rows = 50, .cols = 159,
		.env = { "CONFLUENT_SECURITY_MASTER_KEY=" FIXTURE_MASTER_KEY } };
	const struct passwd *user = getpwuid(geteuid());
	char text[128], row_text[1024], *id;
	int row, col, third;
	struct vt *v;

	make_old(*state, "estate/broker.properties");
	v = fixture_run(*state, &s);
	vt_settle(v);
	type_line(v, "/ssl.key.password");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	vt_assert_lacks(v, "mode 0640");
	vt_assert_has(v, "   S ssl.key.password");
	vt_resize(v, 50, 160);
	vt_assert_has(v, "    6  S ssl.key.password");
	vt_assert_has(v, "line        6");
	vt_assert_has(v, " UTC, 10 days ago");
	if (user != NULL)
		snprintf(text, sizeof(text), "owner       %s, mode 0640", user->pw_name);
	else
		snprintf(text, sizeof(text), "owner       uid %u, mode 0640", geteuid());
	vt_assert_has(v, text);
	vt_assert_has(v, "secrets in  secrets.properties");
	vt_assert_has(v, "data key    2026-01-02, ");
	/* The id that the pane of the secrets file has. */
	assert_true(vt_find(v, "unlocked, id ", &row, &col));
	vt_row(v, row, row_text, sizeof(row_text));
	assert_non_null(id = strstr(row_text, "unlocked, id "));
	snprintf(text, sizeof(text), "key id      %.8s, of the master key", id + 13);
	vt_assert_has(v, text);
	assert_true(vt_find(v, text, &row, &third));
	assert_true(third > col);
	vt_resize(v, 50, 200);
	golden_assert_masked(v, "third-pane-200x50");
	/* What is long is broken, not cut: the value, too. */
	vt_key(v, "r");
	vt_assert_has(v, FIXTURE_BROKER_SECRET);
	assert_true(vt_find(v, FIXTURE_BROKER_SECRET, &row, &col));
	assert_true(col > 120);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, FIXTURE_BROKER_SECRET);
	vt_assert_has(v, "line        6");
	/* The other list tells of the secrets file. */
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "line        8");
	vt_assert_lacks(v, "secrets in");
	vt_key(v, KEY_TAB);
	vt_resize(v, 24, 80);
	vt_assert_lacks(v, "line        6");
	fixture_leave(v);
}

/* Locked, there is no id of a key; what has no date says none. */
static void
facts_that_are_not_known_are_left_out(void **state)
{
	struct fixture_start s = { .rows = 50, .cols = 160 };
	struct fixture *f = *state;
	char *secrets = fixture_read(f, "estate/secrets.properties"), *at;
	struct vt *v;

	assert_non_null(at = strstr(secrets, "2026-01-02"));
	memcpy(at, "some time ", 10);
	fixture_write(f, "estate/secrets.properties", secrets);
	free(secrets);
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_assert_has(v, "owner       ");
	vt_assert_has(v, "changed     ");
	vt_assert_lacks(v, "ago");
	vt_assert_lacks(v, "key id");
	vt_assert_lacks(v, "data key");
	fixture_leave(v);
}

/* A name that is too long is cut where its neighbours do not differ. */
static void
neighbours_never_look_alike(void **state)
{
	struct fixture_start s = { .rows = 8, .cols = 20 };
	struct fixture *f = *state;
	char one[64], two[64], three[64];
	struct vt *v;

	fixture_write(f, "fresh/client.properties", "ssl.keystore.password=a\n"
	    "ssl.key.password=b\nssl.truststore.password=c\n");
	s.args[0] = "fresh";
	v = fixture_run(f, &s);
	vt_key(v, "+");
	vt_row(v, 3, one, sizeof(one));
	vt_row(v, 4, two, sizeof(two));
	vt_row(v, 5, three, sizeof(three));
	assert_non_null(strstr(one, "! ssl."));
	assert_non_null(strstr(two, "! ssl."));
	assert_string_not_equal(one, two);
	assert_string_not_equal(two, three);
	assert_string_not_equal(one, three);
	fixture_leave(v);
}

static void
jaas_options_are_named_by_module_and_option(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/broker.properties", "sasl.jaas.config=org.apache.kafka.common."
	    "security.scram.ScramLoginModule required username=\"u\" password=\"x1y2z3w4\";\n");
	v = fixture_open(f);
	type_line(v, "/ScramLogin");
	vt_assert_has(v, INTO "Scram" INTO "password");
	vt_assert_has(v, "sasl.jaas.config/org.apache.kafka.common.security.scram.ScramLoginModule");
	fixture_leave(v);
}

static void
wide_characters_take_two_cells(void **state)
{
	struct vt *v = fixture_open(*state);
	int row, col;

	vt_key(v, "/");
	vt_key(v, "\344\275\234");
	vt_key(v, KEY_ENTER);
	assert_true(vt_find(v, "\344\275\234", &row, &col));
	assert_int_equal(vt_cell(v, row, col).width, 2);
	assert_int_equal(vt_cell(v, row, col).chars[0], 0x4f5c);
	vt_assert_has(v, "worker.properties:3");
	fixture_leave(v);
}

static void
control_characters_in_keys_cannot_drive_the_terminal(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/broker.properties",
	    "evil\\u001b]0;owned\\u0007.password=x\nright\\u202eleft=1\n");
	v = fixture_open(f);
	vt_type(v, "fff");
	vt_assert_has(v, "evil\\x1b]0;owned");
	vt_assert_has(v, "right\\u{202e}left");
	assert_false(vt_sent(v, "\033]0;owned"));
	assert_false(vt_sent(v, "\342\200\256"));
	fixture_leave(v);
}

static void
cursor_stands_on_the_selected_row(void **state)
{
	struct vt *v = fixture_open(*state);
	int row, col, text_row, text_col;

	vt_key(v, KEY_DOWN);
	vt_key(v, "j");
	vt_cursor(v, &row, &col);
	assert_true(vt_cursor_visible(v));
	assert_true(vt_find(v, "ssl.key.password", &text_row, &text_col));
	assert_int_equal(row, text_row);
	assert_int_equal(col, 0);
	fixture_leave(v);
}

static void
selection_shows_its_counterpart_in_the_other_pane(void **state)
{
	struct vt *v = fixture_open(*state);
	int row, col;

	vt_type(v, "/key.password\r");
	vt_assert_has(v, "broker.properties:6" INTO "ssl.key.password");
	assert_true(vt_find(v, "1", &row, &col));
	golden_assert(v, "linked-from-files");
	vt_key(v, KEY_TAB);
	golden_assert(v, "linked-from-secrets");
	/* Enter goes from the sealed entry to what refers to it. */
	vt_key(v, KEY_DOWN);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "worker.properties:4" INTO "consumer.ssl.key.password");
	fixture_leave(v);
}

static void
orphan_is_flagged_and_explained(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	vt_assert_has(v, "An orphan");
	vt_assert_has(v, "1 orphan");
	vt_assert_has(v, "U ");
	fixture_leave(v);
}

/* Second in the value, and with the backslashes that the secrets file has not. */
static void
what_any_reference_of_a_value_names_is_no_orphan(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/zz.properties", "url=" REF("broker.properties/ssl.key.password")
	    "@" REF("old.properties/orphan\\\\.password") "\n");
	v = fixture_open(f);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	see(v, "Used by zz.properties:1.");
	vt_assert_lacks(v, "An orphan");
	vt_assert_lacks(v, "1 orphan");
	vt_type(v, "X");
	vt_assert_lacks(v, "Remove a sealed entry");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_in_file(f, "estate/secrets.properties", "old.properties/orphan.password");
}

static void
what_an_unknown_reference_names_is_no_orphan(void **state)
{
	struct fixture *f = *state;
	char text[512];
	struct vt *v;

	/* It names a file that is there, and is another than the one of that name here. */
	snprintf(text, sizeof(text), "a.password=${securepass:%s/secrets.properties:"
	    "old.properties/orphan.password}\n", f->dir);
	fixture_write(f, "estate/zz.properties", text);
	fixture_write(f, "secrets.properties", "");
	v = fixture_open(f);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_END);
	see(v, "Not known to be unused: ");
	see(v, "zz.properties:1 may mean it.");
	vt_assert_lacks(v, "An orphan");
	vt_assert_lacks(v, "1 orphan");
	vt_type(v, "Xw");
	see(v, "Beware: zz.properties:1 may mean it.");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

static void
empty_folder_says_so(void **state)
{
	struct fixture_start s = { .args = { "." } };
	struct fixture *f = *state;
	struct vt *v;
	char path[512];

	snprintf(path, sizeof(path), "%s/nothing", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	s.args[0] = "nothing";
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_assert_has(v, "no configuration file here");
	vt_assert_has(v, "There is no secrets file here.");
	golden_assert(v, "empty-80x24");
	fixture_leave(v);
}

static void
single_file_is_shown_with_the_secrets_file_of_its_references(void **state)
{
	struct fixture_start s = { .args = { "estate/broker.properties", "--local-secrets-file",
	    "estate/secrets.properties" } };
	struct vt *v = fixture_run(*state, &s);

	vt_settle(v);
	vt_assert_has(v, "1 file");
	vt_assert_has(v, "ssl.keystore.password");
	vt_assert_has(v, "read as    ");
	fixture_leave(v);
}

static void
reference_to_a_missing_secrets_file_is_unknown(void **state)
{
	struct fixture_start s = { .args = { "fresh" } };
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "fresh/client.properties", "ssl.key.password=${securepass:"
	    "/etc/kafka/secrets.properties:client.properties/ssl.key.password}\n");
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_assert_has(v, "It is not known which secrets");
	vt_assert_has(v, "1?");
	vt_assert_has(v, "1 unknown");
	vt_assert_lacks(v, "There is no secrets file");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "r");
	vt_assert_has(v, "one cannot tell which secrets file it names");
	fixture_leave(v);
}

static void
several_paths_are_shown_together(void **state)
{
	struct fixture_start s = { .cols = 120, .args = { "estate", "fresh" } };
	struct vt *v = fixture_run(*state, &s);

	vt_settle(v);
	vt_assert_has(v, "and 1 more");
	vt_assert_has(v, "3 files");
	vt_assert_has(v, "estate/secrets.properties");
	vt_type(v, "-");
	vt_assert_has(v, "broker.properties");
	vt_assert_has(v, "fresh/client.properties");
	fixture_leave(v);
}

static void
file_that_cannot_be_read_says_why(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "estate/broker.properties", "a=1\nbad=\\u12\n");
	v = fixture_open(f);
	vt_settle(v);
	vt_assert_has(v, "X unreadable");
	vt_assert_has(v, "1 unreadable");
	vt_assert_has(v, "broker.properties:2");
	fixture_leave(v);
}

/* The demonstration, as a newcomer sees it: folders before their files, and each of these there. */
static void
demonstration_fits_a_usual_screen(void **state)
{
	static const char *const files[] = { "admin.properties", "client.properties",
		"onnect-distributed.properties", "jdbc-sink.json", "mqtt-source.properties",
		"s3-sink.json", "server.properties", "schema-registry.properties" };
	char *demo = realpath("share/demo", NULL);
	struct fixture_start s = { .args = { demo } };
	struct vt *v;
	char row[512];

	assert_non_null(demo);
	v = fixture_run(*state, &s);
	see(v, "8 files");
	see(v, files[0]);
	vt_settle(v);
	vt_row(v, 0, row, sizeof(row));
	assert_non_null(strstr(row, "[1 files]"));
	vt_row(v, 2, row, sizeof(row));
	assert_null(strstr(row, ".properties"));
	vt_assert_lacks(v, "bootstrap.servers");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		vt_assert_has(v, files[i]);
	fixture_leave(v);
	free(demo);
}

static void
folding_hides_entries_and_filter_shows_only_some(void **state)
{
	struct vt *v = fixture_open(*state);

	/* What holds no secret is not shown until it is asked for. */
	vt_key(v, "-");
	vt_assert_lacks(v, "ssl.truststore.password");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "ssl.truststore.password");
	vt_assert_lacks(v, "broker.id");
	vt_key(v, KEY_LEFT);
	vt_assert_lacks(v, "ssl.truststore.password");
	/* Once more folds what it stands below. */
	vt_key(v, KEY_LEFT);
	vt_assert_lacks(v, "worker.properties");
	vt_key(v, "+");
	vt_key(v, "f");
	vt_assert_has(v, "clear text  ");
	vt_assert_has(v, "db.password");
	vt_assert_lacks(v, "vault.token");
	golden_assert(v, "filter-clear-80x24");
	vt_key(v, "f");
	vt_assert_has(v, "problems  ");
	vt_assert_lacks(v, "db.password");
	vt_key(v, "f");
	vt_assert_has(v, "broker.id");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "db.password");
	vt_assert_lacks(v, "broker.id");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(first_frame_shows_files_and_sealed_entries_and_no_secret),
		FIXTURE_TEST(numbers_show_the_views_and_s_goes_to_the_registry_and_back),
		FIXTURE_TEST(large_screen_has_words_for_states),
		FIXTURE_TEST(wide_screen_has_a_third_pane_with_line_age_key_and_owner),
		FIXTURE_TEST(facts_that_are_not_known_are_left_out),
		FIXTURE_TEST(smallest_screen_is_usable),
		FIXTURE_TEST(pages_turn_by_other_keys_too),
		FIXTURE_TEST(too_small_says_what_is_needed_and_ignores_keys),
		FIXTURE_TEST(resizing_down_to_one_cell_and_back_loses_nothing),
		FIXTURE_TEST(neighbours_never_look_alike),
		FIXTURE_TEST(jaas_options_are_named_by_module_and_option),
		FIXTURE_TEST(wide_characters_take_two_cells),
		FIXTURE_TEST(control_characters_in_keys_cannot_drive_the_terminal),
		FIXTURE_TEST(cursor_stands_on_the_selected_row),
		FIXTURE_TEST(selection_shows_its_counterpart_in_the_other_pane),
		FIXTURE_TEST(orphan_is_flagged_and_explained),
		FIXTURE_TEST(what_any_reference_of_a_value_names_is_no_orphan),
		FIXTURE_TEST(what_an_unknown_reference_names_is_no_orphan),
		FIXTURE_TEST(empty_folder_says_so),
		FIXTURE_TEST(single_file_is_shown_with_the_secrets_file_of_its_references),
		FIXTURE_TEST(reference_to_a_missing_secrets_file_is_unknown),
		FIXTURE_TEST(several_paths_are_shown_together),
		FIXTURE_TEST(file_that_cannot_be_read_says_why),
		FIXTURE_TEST(demonstration_fits_a_usual_screen),
		FIXTURE_TEST(folding_hides_entries_and_filter_shows_only_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
