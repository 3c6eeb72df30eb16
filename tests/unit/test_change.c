#include "document/document.h"
#include "file/lock.h"
#include "plan/change.h"
#include "seal/seal.h"
#include "estate_fixture.h"
#include "files.h"

#define CONFIG "server.properties"
#define SECRETS "secrets.properties"

/* What the callbacks were asked, and what they are to say. */
struct said {
	int waits;
	int keys;
	int hints[3];
};

static bool
say_waiting(void *cookie, const char *path, int waited_ms, int left_ms)
{
	struct said *said = cookie;

	(void)path;
	(void)left_ms;
	said->waits += waited_ms == 0;
	return true;
}

static struct key *
say_key(void *cookie, const struct secrets_file *s, struct error *err)
{
	struct said *said = cookie;

	(void)err;
	assert_string_equal(secrets_file_path(s), SECRETS);
	said->keys++;
	return fixture_key(MODERN_MASTER);
}

static void
say_hint(void *cookie, enum change_file file, struct error *err)
{
	struct said *said = cookie;

	said->hints[file]++;
	error_hint(err, "hint %d", (int)file);
}

static const struct change_callbacks callbacks = { .waiting = say_waiting, .key = say_key,
	.hint = say_hint };

static void
put_both(void)
{
	files_put(CONFIG, "x.password = one\n", 0600);
	files_put(SECRETS, MODERN, 0600);
}

static void
put_again(const char *path, const char *text)
{
	assert_int_equal(unlink(path), 0);
	files_put(path, text, 0600);
}

/* What must be refused when it is opened: the code, and whose hint is asked for. */
static void
assert_refused(const char *config, const char *secrets, enum error_code code, int file)
{
	struct said said = { 0 };
	struct change c;
	struct error err;

	change_init(&c, &callbacks, &said);
	assert_int_equal(change_files(&c, config, secrets, false, &err), -1);
	assert_int_equal(err.code, code);
	for (int i = 0; i < 3; i++)
		assert_int_equal(said.hints[i], i == file);
	change_close(&c);
	change_close(&c);
}

static void
test_files_that_are_not_what_they_are_taken_for_are_refused(void **state)
{
	(void)state;
	put_both();
	files_put("other.properties", "a = b\n", 0600);
	assert_refused(CONFIG, "gone.properties", ERROR_MISSING, CHANGE_SECRETS);
	assert_refused("gone.properties", SECRETS, ERROR_MISSING, CHANGE_CONFIG);
	assert_refused(CONFIG, "other.properties", ERROR_REFUSED, CHANGE_SECRETS);
	assert_refused(SECRETS, NULL, ERROR_REFUSED, CHANGE_CONFIG);
	assert_refused(CONFIG, CONFIG, ERROR_REFUSED, -1);
}

static void
test_a_change_is_loaded_planned_and_applied(void **state)
{
	struct said said = { 0 };
	struct change c;
	struct error err;

	(void)state;
	put_both();
	change_init(&c, &callbacks, &said);
	assert_int_equal(change_files(&c, CONFIG, SECRETS, false, &err), 0);
	assert_int_equal(change_key(&c, &err), 0);
	assert_int_equal(change_start(&c, &err), 0);
	assert_int_equal(files_count("."), 4);
	assert_int_equal(seal_prepare(c.plan, c.master, &err), 0);
	assert_int_equal(seal_default(c.plan, c.config, &fixture_options, NULL, &err), 0);
	assert_int_equal(change_apply(&c, &err), 0);
	change_close(&c);
	assert_int_equal(said.keys, 1);
	assert_int_equal(said.waits, 0);
	assert_true(files_have(CONFIG, "x.password = " OURS("server.properties/x.password") "\n"
	    PROVIDERS));
	assert_int_equal(files_count("."), 2);
}

static void
test_what_changed_before_the_lock_is_loaded_again(void **state)
{
	struct said said = { 0 };
	struct change c;
	struct error err;

	(void)state;
	put_both();
	change_init(&c, &callbacks, &said);
	c.base_name = "mine.properties";
	assert_int_equal(change_files(&c, CONFIG, SECRETS, false, &err), 0);
	put_again(CONFIG, "x.password = one\ny = 2\n");
	put_again(SECRETS, LEGACY);
	assert_int_equal(change_start(&c, &err), 0);
	assert_int_equal(document_count(c.config->doc), 2);
	assert_string_equal(c.config->base, "mine.properties");
	assert_int_equal(secrets_file_metadata(c.secrets)->length, 16);
	change_stop(&c);
	assert_int_equal(files_count("."), 2);
	/* And it must still be what it is taken for. */
	put_again(SECRETS, "a = b\n");
	assert_int_equal(change_start(&c, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(said.hints[CHANGE_SECRETS], 1);
	change_close(&c);
	assert_int_equal(files_count("."), 2);
}

static void
test_a_missing_secrets_file_may_be_made(void **state)
{
	struct said said = { 0 };
	struct change c;
	struct error err;

	(void)state;
	files_put(CONFIG, "x.password = one\n", 0600);
	change_init(&c, &callbacks, &said);
	assert_int_equal(change_files(&c, CONFIG, SECRETS, true, &err), 0);
	assert_int_equal(said.hints[CHANGE_SECRETS], 0);
	assert_int_equal(change_key(&c, &err), 0);
	assert_int_equal(change_start(&c, &err), 0);
	assert_int_equal(seal_prepare(c.plan, c.master, &err), 0);
	assert_int_equal(change_apply(&c, &err), 0);
	change_close(&c);
	assert_int_equal(files_count("."), 2);
}

static void
test_what_is_only_shown_locks_nothing(void **state)
{
	struct said said = { 0 };
	struct change c;
	struct error err;

	(void)state;
	put_both();
	change_init(&c, &callbacks, &said);
	c.dry = true;
	assert_int_equal(change_files(&c, CONFIG, SECRETS, false, &err), 0);
	assert_int_equal(change_start(&c, &err), 0);
	assert_null(c.lock);
	assert_int_equal(files_count("."), 2);
	change_close(&c);
}

static void
test_a_borrowed_secrets_file_is_given_back(void **state)
{
	struct said said = { 0 };
	struct secrets_file *s;
	struct configuration *one, *two;
	struct change c;
	struct error err;
	size_t i;

	(void)state;
	put_both();
	files_put("b.properties", "x.password = two\n", 0600);
	s = fixture_unlocked(MODERN, MODERN_MASTER);
	change_init(&c, &callbacks, &said);
	change_borrow(&c, s);
	assert_int_equal(change_plan(&c, &err), 0);
	assert_null(c.lock);
	one = change_config(&c, CONFIG, &err);
	two = change_config(&c, "b.properties", &err);
	assert_non_null(one);
	assert_non_null(two);
	assert_ptr_equal(c.config, one);
	assert_null(change_config(&c, "gone.properties", &err));
	assert_int_equal(err.code, ERROR_MISSING);
	i = document_find(two->doc, "x.password", 10);
	assert_int_equal(edits_set(plan_config_edits(c.plan, two, &err), i, "3", 1, &err), 0);
	assert_int_equal(change_apply(&c, &err), 0);
	change_close(&c);
	assert_true(files_have("b.properties", "x.password = 3\n"));
	assert_true(files_have(CONFIG, "x.password = one\n"));
	assert_non_null(secrets_file_cipher(s));
	secrets_file_free(s);
}

static void
test_an_output_takes_no_loaded_file(void **state)
{
	static const char *const paths[] = { CONFIG, SECRETS };
	const char *out = "out";
	struct said said = { 0 };
	struct change c;
	struct error err;
	struct buf text;

	(void)state;
	put_both();
	for (size_t i = 0; i < 2; i++) {
		change_init(&c, &callbacks, &said);
		assert_int_equal(change_files(&c, CONFIG, SECRETS, false, &err), 0);
		fixture_text(&text, "out\n", 4);
		assert_int_equal(change_outputs(&c, &paths[i], &text, 1, &err), -1);
		assert_int_equal(err.code, ERROR_REFUSED);
		assert_int_equal(said.hints[CHANGE_OUTPUT], i + 1);
		assert_null(c.lock);
		assert_int_equal(change_outputs(&c, &out, &text, 1, &err), 0);
		/* Two, and the lock of the third. */
		assert_int_equal(files_count("."), i == 0 ? 3 : 4);
		assert_int_equal(change_apply(&c, &err), 0);
		change_close(&c);
		buf_release(&text);
		assert_true(files_have("out", "out\n"));
	}
	assert_true(files_have(SECRETS, MODERN));
}

static void
test_a_lock_that_another_holds_is_waited_for(void **state)
{
	const char *path = CONFIG;
	struct said said = { 0 };
	struct lock *other;
	struct change c;
	struct error err;

	(void)state;
	put_both();
	other = lock_files(&path, 1, 0, NULL, NULL, &err);
	assert_non_null(other);
	change_init(&c, &callbacks, &said);
	c.lock_timeout_ms = 20;
	assert_int_equal(change_files(&c, CONFIG, SECRETS, false, &err), 0);
	assert_int_equal(change_start(&c, &err), -1);
	assert_int_equal(err.code, ERROR_BUSY);
	assert_int_equal(said.waits, 1);
	lock_release(other);
	assert_int_equal(change_start(&c, &err), 0);
	change_close(&c);
	assert_int_equal(files_count("."), 2);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_files_that_are_not_what_they_are_taken_for_are_refused),
		IN_FOLDER(test_a_change_is_loaded_planned_and_applied),
		IN_FOLDER(test_what_changed_before_the_lock_is_loaded_again),
		IN_FOLDER(test_a_missing_secrets_file_may_be_made),
		IN_FOLDER(test_what_is_only_shown_locks_nothing),
		IN_FOLDER(test_a_borrowed_secrets_file_is_given_back),
		IN_FOLDER(test_an_output_takes_no_loaded_file),
		IN_FOLDER(test_a_lock_that_another_holds_is_waited_for)
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
