#include "estate_files.h"

/* Estates of which not all is kept at a time. */

static const char *const here[] = { "." };

/* How many secrets files' content is held. */
static size_t
held(const struct estate *e)
{
	struct environments *all = estate_environments(e);
	size_t n = 0;

	for (size_t i = 0; i < environments_count(all); i++)
		n += environments_at(all, i)->secrets != NULL;
	return n;
}

/* Where one is held at a time, answers are the same. */
static void
test_of_many_the_content_of_one_is_held(void **state)
{
	struct key *modern = fixture_key(MODERN_MASTER);
	const char *const files[] = { "a/x.properties", "b/x.properties", "c/x.properties" };
	struct estate *e;
	size_t opened;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b"));
	put("c/secrets.properties", NOTES("/srv/c"));
	put(files[0], AT("/srv/a", ENTRY) "l=${securepass:/srv/b:" ENTRY "}\n");
	put(files[1], AT("/srv/b", GONE));
	put(files[2], AT("/srv/a", ENTRY));
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	environments_set_lean(estate_environments(e), true);
	assert_int_equal(estate_find(e, NULL), 0);
	assert_int_equal(held(e), 1);
	finish(e);
	assert_int_equal(held(e), 1);
	assert_entry(e, files[0], STATE_SEALED, "a/secrets.properties");
	assert_entry(e, files[1], STATE_DANGLING, "b/secrets.properties");
	assert_entry(e, files[2], STATE_SEALED, "a/secrets.properties");
	assert_false(file_of(e, files[0])->entries[1].checked);
	assert_int_equal(environments_unlock(estate_environments(e), modern, &opened, NULL), 0);
	assert_int_equal(opened, 3);
	estate_restate(e, NULL);
	finish(e);
	assert_int_equal(held(e), 1);
	assert_true(file_of(e, files[0])->entries[0].checked);
	assert_true(file_of(e, files[0])->entries[1].checked);
	assert_true(file_of(e, files[2])->entries[0].checked);
	/* One that cannot be read again is none. */
	assert_int_equal(unlink("a/secrets.properties"), 0);
	estate_restate(e, NULL);
	finish(e);
	assert_entry(e, files[2], STATE_UNKNOWN, NULL);
	estate_free(e);
	key_free(modern);
}

/* What refers to nothing is not kept, and what refers leads where it would. */
static void
test_a_lean_estate_keeps_what_refers(void **state)
{
	const char *const files[] = { "a/x.properties", "b/x.properties" };
	struct environments *all;
	struct estate *e;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b"));
	put("b/other.properties", NOTES("/srv/c"));
	put(files[0], "k=1\n" AT("/srv/a", ENTRY) "l=2\n");
	put(files[1], AT("/srv/b", GONE));
	put("b/y.properties", "k=1\nssl.key.password=in-clear-text\n");
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	estate_set_references(e, true);
	estate_set_lean(e);
	finish(e);
	assert_int_equal(estate_count(e), 2);
	assert_int_equal(estate_folder_count(e), 0);
	assert_int_equal(file_of(e, files[0])->count, 1);
	assert_int_equal(file_of(e, files[0])->others, 2);
	assert_entry(e, files[0], STATE_SEALED, "a/secrets.properties");
	assert_entry(e, files[1], STATE_DANGLING, "b/secrets.properties");
	assert_int_equal(held(e), 1);
	all = estate_environments(e);
	assert_int_equal(environments_count(all), 3);
	assert_string_equal(environments_at(all, 0)->name, "a");
	assert_string_equal(environments_at(all, 1)->name, "b/other.properties");
	assert_string_equal(environments_at(all, 2)->name, "b/secrets.properties");
	for (size_t i = 0; i < 3; i++) {
		assert_null(environments_at(all, i)->problem);
		assert_int_equal(environment_iterations(environments_at(all, i)), 10000);
		assert_null(environment_noted(environments_at(all, i), 1));
	}
	assert_string_equal(environment_noted(environments_at(all, 1), 0), "/srv/c");
	assert_int_equal(environment_references(environments_at(all, 0), ENTRY, strlen(ENTRY)), 1);
	estate_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_of_many_the_content_of_one_is_held, files_setup,
		    files_teardown),
		cmocka_unit_test_setup_teardown(test_a_lean_estate_keeps_what_refers, files_setup,
		    files_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
