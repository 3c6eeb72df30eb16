#include "base/text.h"
#include "file/file.h"
#include "secrets/secrets_file.h"
#include "estate_fixture.h"
#include "files.h"

#define ENTRY "ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=," \
	"iv:osR9PNOlpmnD7Rls,type:str]"

static struct secrets_file *
parse(const char *text, struct error *err)
{
	struct secrets_file *s;
	struct buf content;

	fixture_text(&content, text, strlen(text));
	s = secrets_file_parse("secrets.properties", &content, err);
	buf_release(&content);
	return s;
}

static void
test_metadata_is_read(void **state)
{
	struct secrets_file *s = fixture_secrets(LEGACY);
	const struct secrets_metadata *m = secrets_file_metadata(s);

	(void)state;
	assert_string_equal(m->salt, "14uaaeSReR5IDy3Qth8ZBCEa+LahKAmPbIBMrZhl7Rc=");
	assert_string_equal(m->created_at,
	    "2021-06-07 08:09:10.111213141 +0000 UTC m=+0.012345678");
	assert_string_equal(m->envvar, SECRETS_ENVVAR_DEFAULT);
	assert_int_equal(m->iterations, 1000);
	assert_int_equal(m->length, 16);
	assert_non_null(strstr(m->data_key, "ENC[AES/CBC/PKCS5Padding,data:pWM5kL74QYE+"));
	assert_int_equal(secrets_file_sealed_count(s), 3);
	secrets_file_free(s);
}

static void
test_defaults_of_the_reference_where_metadata_is_silent(void **state)
{
	struct error err;
	struct secrets_file *s = secrets_file_new("none.properties", &err);
	const struct secrets_metadata *m;

	(void)state;
	assert_non_null(s);
	m = secrets_file_metadata(s);
	assert_null(m->salt);
	assert_null(m->created_at);
	assert_null(m->data_key);
	assert_string_equal(m->envvar, SECRETS_ENVVAR_DEFAULT);
	assert_int_equal(m->iterations, 10000);
	assert_int_equal(m->length, 32);
	assert_false(secrets_file_id(s)->exists);
	assert_string_equal(secrets_file_path(s), "none.properties");
	assert_int_equal(secrets_file_sealed_count(s), 0);
	secrets_file_free(s);
}

static void
test_numbers_out_of_bounds_are_refused_with_their_line(void **state)
{
	static const char *const bad[] = {
		SECRETS_ITERATIONS " = -1", SECRETS_ITERATIONS " = 0",
		SECRETS_ITERATIONS " = -4294967297",
		SECRETS_LENGTH " = -1", SECRETS_LENGTH " = 4611686018427387904",
		SECRETS_LENGTH " = 0", SECRETS_LENGTH " = 15", SECRETS_LENGTH " = 33",
		SECRETS_LENGTH " = 1000000000", SECRETS_LENGTH " = 4294967328"
	};
	struct error err;
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memset(&err, 0, sizeof(err));
		snprintf(text, sizeof(text), "# first\n\n%s\n", bad[i]);
		if (parse(text, &err) != NULL)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, ERROR_DAMAGED);
		assert_int_equal(err.line, 3);
		assert_string_equal(err.file, "secrets.properties");
		assert_memory_equal(err.key, "_metadata.symmetric_key.0.", 26);
	}
}

static void
test_numbers_within_bounds_are_honoured(void **state)
{
	static const struct {
		const char *text;
		uint32_t iterations;
		size_t length;
	} cases[] = {
		{ SECRETS_ITERATIONS " = 1\n" SECRETS_LENGTH " = 16\n", 1, 16 },
		{ SECRETS_ITERATIONS " = 5000000\n" SECRETS_LENGTH " = 24\n", 5000000, 24 },
		/* as many as nobody derives a key with */
		{ SECRETS_ITERATIONS " = 100000001\n", 100000001, 32 },
		{ SECRETS_ITERATIONS " = 1000000000000\n", UINT32_MAX, 32 },
		/* what is no number for the reference is not there */
		{ SECRETS_ITERATIONS " = ten\n" SECRETS_LENGTH " = 32 bytes\n", 10000, 32 },
		{ SECRETS_ITERATIONS " = 20000 \n" SECRETS_LENGTH " =\n", 10000, 32 },
		{ SECRETS_ITERATIONS " = 20000.0\n" SECRETS_LENGTH " = 0x10\n", 10000, 32 },
		{ SECRETS_ITERATIONS " = 99999999999999999999\n", 10000, 32 },
		{ SECRETS_ITERATIONS " = +10\n" SECRETS_LENGTH " = +16\n", 10, 16 },
		{ SECRETS_ITERATIONS ":220000\n", 220000, 32 },
		{ SECRETS_LENGTH "=32\n", 10000, 32 },
		/* the last of two lines counts */
		{ SECRETS_ITERATIONS " = -1\n" SECRETS_ITERATIONS " = 7\n", 7, 32 }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct secrets_file *s = fixture_secrets(cases[i].text);

		assert_int_equal(secrets_file_metadata(s)->iterations, cases[i].iterations);
		assert_int_equal(secrets_file_metadata(s)->length, cases[i].length);
		secrets_file_free(s);
	}
}

static void
test_unusable_metadata_text_is_refused(void **state)
{
	static const char *const keys[] = { SECRETS_MASTER_SALT, SECRETS_DATA_KEY, SECRETS_ENVVAR };
	struct error err;
	struct buf text;
	size_t i;

	(void)state;
	buf_init(&text, 100000);
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		buf_clear(&text);
		buf_printf(&text, "%s = a\\u0000b\n", keys[i]);
		assert_null(parse(buf_cstr(&text), &err));
		assert_int_equal(err.code, ERROR_DAMAGED);
		buf_clear(&text);
		buf_printf(&text, "%s = %070000d\n", keys[i], 0);
		assert_null(parse(buf_cstr(&text), &err));
		assert_int_equal(err.code, ERROR_DAMAGED);
		assert_string_equal(err.key, keys[i]);
	}
	buf_release(&text);
}

/* The reference takes such a file for empty, and overwrites it. */
static void
test_unparsable_file_is_refused(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(parse(MODERN "x = \\u12\n", &err));
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_int_equal(err.line, 12);
}

static void
test_load_from_disk(void **state)
{
	struct error err = { 0 };
	struct secrets_file *s;

	(void)state;
	assert_null(secrets_file_load("gone.properties", &err));
	assert_int_equal(err.code, ERROR_MISSING);
	/* Any ending will do. */
	files_put("secrets.txt", MODERN, 0600);
	s = secrets_file_load("secrets.txt", &err);
	assert_non_null(s);
	assert_true(secrets_file_id(s)->exists);
	assert_int_equal(secrets_file_id(s)->size, strlen(MODERN));
	assert_int_equal(secrets_file_sealed_count(s), 4);
	secrets_file_free(s);
	files_put("bad.properties", "a = \\uzzzz\n", 0600);
	assert_null(secrets_file_load("bad.properties", &err));
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_string_equal(err.file, "bad.properties");
}

static void
test_recognised_by_its_metadata_alone(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "", false }, { "a = b\n", false }, { MODERN, true },
		{ "a = b\n" SECRETS_MASTER_SALT " = x\n", true },
		/* Keys of a configuration file that is called _metadata... */
		{ "_metadata.properties/password = x\n", false },
		{ "_metadata.master_key.0.salt.x = x\n", false },
		{ "_metadata. = x\n", false },
		{ "x_metadata.master_key.0.salt = x\n", false },
		{ "a = " ENTRY "\n", false }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct document *d = fixture_document(cases[i].text, strlen(cases[i].text));

		assert_int_equal(secrets_file_recognise(d), cases[i].is);
		document_free(d);
	}
}

static void
test_what_is_a_sealed_entry(void **state)
{
	struct secrets_file *s = fixture_secrets(
	    SECRETS_DATA_KEY " = " ENTRY "\n"		/* 0: metadata */
	    "a/k = " ENTRY "\n"				/* 1: hidden by 3 */
	    "a/plain = text\n"				/* 2 */
	    "a/k = " ENTRY "\n"				/* 3 */
	    "a/broken = ENC[nonsense\n"			/* 4: claims it */
	    "a/escaped = \\u0045NC[AES]\n"		/* 5 */
	    "a/joined = EN\\\n  C[AES]\n"		/* 6 */
	    "a/backslash = C:\\\\ENC[\n"		/* 7 */
	    "_metadata.properties/k = " ENTRY "\n"	/* 8 */
	    "a/empty =\n"				/* 9 */
	    "a/blank = \\ ENC[AES]\n");			/* 10 */
	static const bool want[] = { false, false, false, true, true, true, true, false, true,
		false, false };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(*want); i++) {
		if (secrets_file_is_sealed(s, i) != want[i])
			fail_msg("entry %zu", i);
	}
	assert_int_equal(document_count(secrets_file_document(s)), sizeof(want));
	assert_int_equal(secrets_file_sealed_count(s), 5);
	secrets_file_free(s);
}

static void
test_find_gives_the_winning_entry_and_never_metadata(void **state)
{
	struct secrets_file *s = fixture_secrets("a/k = 1\n" SECRETS_SALT " = x\na/k = 2\n");

	(void)state;
	assert_int_equal(secrets_file_find(s, "a/k", 3), 2);
	assert_int_equal(secrets_file_find(s, "a/l", 3), DOCUMENT_NONE);
	assert_int_equal(secrets_file_find(s, SECRETS_SALT, strlen(SECRETS_SALT)), DOCUMENT_NONE);
	secrets_file_free(s);
}

static void
test_unlock_needs_the_right_key(void **state)
{
	struct secrets_file *s = fixture_secrets(MODERN);
	struct key *right = fixture_key(MODERN_MASTER);
	struct key *wrong = fixture_key(MIXED_MASTER);
	struct error err = { 0 };

	(void)state;
	assert_null(secrets_file_cipher(s));
	assert_int_equal(secrets_file_unlock(s, wrong, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	assert_string_equal(err.file, "secrets.properties");
	assert_int_equal(err.line, 7);
	assert_null(secrets_file_cipher(s));
	assert_int_equal(secrets_file_unlock(s, right, &err), 0);
	assert_non_null(secrets_file_cipher(s));
	/* A later failure does not lock what is open. */
	assert_int_equal(secrets_file_unlock(s, wrong, &err), -1);
	assert_opens_to(s, "server.properties/ssl.keystore.password", MODERN_KEYSTORE);
	assert_int_equal(secrets_file_unlock(s, right, &err), 0);
	secrets_file_lock(s);
	assert_null(secrets_file_cipher(s));
	secrets_file_lock(s);
	secrets_file_free(s);
	key_free(right);
	key_free(wrong);
}

static void
test_unlock_without_a_data_key(void **state)
{
	struct secrets_file *s = fixture_secrets("a/k = " ENTRY "\n");
	struct key *k = fixture_key(MODERN_MASTER);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(secrets_file_unlock(s, k, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_string_not_equal(err.hint, "");
	key_free(k);
	secrets_file_free(s);
}

static void
test_an_entry_that_does_not_open_is_named(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN "a.properties/x = hunter2\n"
	    "a.properties/y = ENC[AES/GCM/NoPadding,data:AAAA,iv:AAAA,type:str]\n"
	    "a.properties/z = hunt\\\\er2\n", MODERN_MASTER);
	static const char *const names[] = { "a.properties/x", "a.properties/y",
		"a.properties/z" };
	struct error err;
	struct buf out;
	size_t i, k;

	(void)state;
	buf_init_secret(&out, 100);
	for (i = 0; i < 3; i++) {
		k = secrets_file_find(s, names[i], strlen(names[i]));
		assert_int_equal(secrets_file_open(s, k, &out, &err), -1);
		assert_int_equal(err.code, ERROR_DAMAGED);
		assert_string_equal(err.file, "secrets.properties");
		assert_int_equal(err.line, 12 + i);
		assert_string_equal(err.key, names[i]);
		assert_null(strstr(err.text, "hunt"));
		assert_null(strstr(err.hint, "hunt"));
		assert_int_equal(out.len, 0);
	}
	secrets_file_lock(s);
	assert_int_equal(secrets_file_open(s, 7, &out, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	buf_release(&out);
	secrets_file_free(s);
}

static void
test_an_entry_written_with_escapes_opens(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN
	    "a/x = \\u0045NC[AES/GCM/NoPadding,\\\n   data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o"
	    "/9au7k\\=,\\\n\tiv\\:osR9PNOlpmnD7Rls,type:str]\n", MODERN_MASTER);

	(void)state;
	assert_opens_to(s, "a/x", MODERN_KEYSTORE);
	secrets_file_free(s);
}

static void
check(const char *text, const char *passphrase, const char *master)
{
	struct secrets_file *s = fixture_secrets(text);
	struct key *want = fixture_key(master);
	struct key *k = NULL;
	struct error err = { 0 };

	assert_int_equal(secrets_file_check_passphrase(s, passphrase, strlen(passphrase), NULL,
	    &k, &err), 0);
	assert_true(key_equal(k, want));
	key_free(k);
	k = NULL;
	/* One byte less, as piping to an old release did. */
	assert_int_equal(secrets_file_check_passphrase(s, passphrase, strlen(passphrase) - 1,
	    want, &k, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	assert_null(k);
	key_free(want);
	secrets_file_free(s);
}

/* The salt is the base64 text; iterations and length are the file's. */
static void
test_passphrases_of_the_reference_give_their_master_keys(void **state)
{
	(void)state;
	check(MODERN, MODERN_PASSPHRASE, MODERN_MASTER);
	check(LEGACY, LEGACY_PASSPHRASE, LEGACY_MASTER);
	check(MIXED, MIXED_PASSPHRASE, MIXED_MASTER);
	check(SILENT, SILENT_PASSPHRASE, SILENT_MASTER);
}

static void
test_wrong_passphrases(void **state)
{
	struct secrets_file *s = fixture_secrets(MIXED);
	struct secrets_file *bare = fixture_secrets("a = b\n");
	struct key *other = fixture_key(MODERN_MASTER);
	struct key *k = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(secrets_file_check_passphrase(s, "wrong", 5, NULL, &k, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	/* Right for the file, but another key was found. */
	assert_int_equal(secrets_file_check_passphrase(s, MIXED_PASSPHRASE,
	    strlen(MIXED_PASSPHRASE), other, &k, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	assert_int_equal(secrets_file_check_passphrase(bare, "x", 1, NULL, &k, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	assert_null(k);
	key_free(other);
	secrets_file_free(bare);
	secrets_file_free(s);
}

static void
test_passphrase_loses_one_line_feed(void **state)
{
	static const struct {
		const char *in;
		const char *out;	/* NULL: refused */
	} cases[] = {
		{ "hunter2", "hunter2" }, { "hunter2\n", "hunter2" }, { "hunter2\n\n", "hunter2\n" },
		{ "hunter2\r\n", "hunter2\r" }, { " hunter2\t\n", " hunter2\t" },
		{ "\nhunter2", "\nhunter2" }, { "\302\240x", "\302\240x" },
		{ "\377", "\377" },
		{ "", NULL }, { "\n", NULL }, { " \t\r\n", NULL }, { "\302\240\343\200\200", NULL }
	};
	struct error err;
	struct buf p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_text(&p, cases[i].in, strlen(cases[i].in));
		if (cases[i].out == NULL) {
			assert_int_equal(passphrase_normalise(&p, &err), -1);
			assert_int_equal(err.code, ERROR_KEY);
		} else {
			assert_int_equal(passphrase_normalise(&p, &err), 0);
			assert_holds(&p, cases[i].out);
		}
		buf_release(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata_is_read),
		cmocka_unit_test(test_defaults_of_the_reference_where_metadata_is_silent),
		cmocka_unit_test(test_numbers_out_of_bounds_are_refused_with_their_line),
		cmocka_unit_test(test_numbers_within_bounds_are_honoured),
		cmocka_unit_test(test_unusable_metadata_text_is_refused),
		cmocka_unit_test(test_unparsable_file_is_refused),
		cmocka_unit_test_setup_teardown(test_load_from_disk, files_setup, files_teardown),
		cmocka_unit_test(test_recognised_by_its_metadata_alone),
		cmocka_unit_test(test_what_is_a_sealed_entry),
		cmocka_unit_test(test_find_gives_the_winning_entry_and_never_metadata),
		cmocka_unit_test(test_unlock_needs_the_right_key),
		cmocka_unit_test(test_unlock_without_a_data_key),
		cmocka_unit_test(test_an_entry_that_does_not_open_is_named),
		cmocka_unit_test(test_an_entry_written_with_escapes_opens),
		cmocka_unit_test(test_passphrases_of_the_reference_give_their_master_keys),
		cmocka_unit_test(test_wrong_passphrases),
		cmocka_unit_test(test_passphrase_loses_one_line_feed)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
