#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "files.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define PHRASE "a sentence that nobody guesses"
#define OTHER "another sentence of that kind"

static int
setup(void **state)
{
	unsetenv(MASTER_ENVVAR);
	unsetenv("CREDENTIALS_DIRECTORY");
	return files_setup(state);
}

static int
teardown(void **state)
{
	unsetenv(MASTER_ENVVAR);
	unsetenv("CREDENTIALS_DIRECTORY");
	return files_teardown(state);
}

static struct master *
from_bytes(const char *text, size_t n, bool dev_mode, struct error *err)
{
	struct master *m;
	struct buf b;

	buf_init_secret(&b, 8192);
	buf_append(&b, text, n);
	m = master_from_text(&b, dev_mode, err);
	buf_release(&b);
	return m;
}

/* ${text} is a passphrase of these bytes, or 0 to 31 if ${want} is NULL. */
static void
assert_master(const struct master *m, const char *want)
{
	unsigned char raw[32];
	const struct buf *bytes;
	bool passphrase;

	assert_non_null(m);
	bytes = master_bytes(m, &passphrase);
	assert_true(bytes->secret);
	assert_int_equal(passphrase, want != NULL);
	if (want == NULL) {
		unit_hex(HEX, raw, sizeof(raw));
		assert_int_equal(bytes->len, 32);
		assert_memory_equal(bytes->data, raw, 32);
	} else {
		assert_int_equal(bytes->len, strlen(want));
		assert_memory_equal(bytes->data, want, strlen(want));
	}
}

static void
assert_reads(const char *text, const char *want)
{
	struct master *m = from_bytes(text, strlen(text), false, NULL);

	assert_master(m, want);
	master_free(m);
}

static void
test_raw_bytes_and_passphrases(void **state)
{
	(void)state;
	assert_reads(HEX, NULL);
	assert_reads("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", NULL);
	assert_reads(BASE64, NULL);
	assert_reads(PHRASE, PHRASE);
	/* 40 digits are no key of ours, 45 characters too many. */
	assert_reads("39ff95832750c0090d84ddf5344583832efe91ee",
	    "39ff95832750c0090d84ddf5344583832efe91ee");
	assert_reads(" " BASE64, " " BASE64);
	assert_reads("g" HEX, "g" HEX);
	/* As long as a key, but with a character that is none of a key's. */
	assert_reads("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g");
	assert_reads("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8-",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8-");
}

static void
test_one_line_end_does_not_count(void **state)
{
	(void)state;
	assert_reads(HEX "\n", NULL);
	assert_reads(BASE64 "\r\n", NULL);
	assert_reads(PHRASE "\n", PHRASE);
	assert_reads(PHRASE "\r\n", PHRASE);
	assert_reads(PHRASE "\n\n", PHRASE "\n");
	assert_reads(PHRASE "\r", PHRASE "\r");
	assert_reads(PHRASE " ", PHRASE " ");
}

static void
test_weak_and_public_ones_are_refused(void **state)
{
	static const char *const texts[] = {
		"39ff95832750c0090d84ddf5344583832efe91ef",
		"39FF95832750C0090D84DDF5344583832EFE91EF",
		"39ff95832750c0090d84ddf5344583832efe91ef\n",
		"password1234", "password1234\n", "my_master_key", "fifteen letters", "x",
		/* A key that was not copied as a whole, or with too much: 31 and 33 bytes. */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"aaaaaaaaaaaaaaaaaaaaaaaa", "hunter2-hunter2-hunter2-",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct error err = { 0 };
		struct master *m = from_bytes(texts[i], strlen(texts[i]), false, &err);

		if (m != NULL || err.code != ERROR_KEY)
			fail_msg("%s", texts[i]);
		/* What is refused may be a typing error away from what is not. */
		assert_null(strstr(err.text, texts[i]));
		assert_null(strstr(err.hint, texts[i]));
		m = from_bytes(texts[i], strlen(texts[i]), true, NULL);
		assert_non_null(m);
		master_free(m);
	}
	assert_reads("sixteen letters!", "sixteen letters!");
}

static void
test_an_empty_one_is_always_refused(void **state)
{
	static const char *const texts[] = { "", "\n", "\r\n" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		memset(&err, 0, sizeof(err));
		assert_null(from_bytes(texts[i], strlen(texts[i]), false, &err));
		assert_int_equal(err.code, ERROR_KEY);
		assert_null(from_bytes(texts[i], strlen(texts[i]), true, &err));
	}
}

static void
test_too_long_a_passphrase(void **state)
{
	struct error err = { 0 };
	char text[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	assert_null(from_bytes(text, sizeof(text), false, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static bool
is_same_master(const struct master *a, const struct master *b)
{
	bool phrase_a, phrase_b;
	const struct buf *x = master_bytes(a, &phrase_a), *y = master_bytes(b, &phrase_b);

	return phrase_a == phrase_b && buf_equal(x, y);
}

static void
test_equal(void **state)
{
	struct master *hex = from_bytes(HEX, strlen(HEX), false, NULL);
	struct master *base64 = from_bytes(BASE64 "\n", strlen(BASE64) + 1, false, NULL);
	struct master *phrase = from_bytes(PHRASE, strlen(PHRASE), false, NULL);
	struct master *other = from_bytes(OTHER, strlen(OTHER), false, NULL);
	struct master *same;
	unsigned char raw[32];

	(void)state;
	assert_true(is_same_master(hex, base64));
	assert_true(is_same_master(phrase, phrase));
	assert_false(is_same_master(phrase, other));
	assert_false(is_same_master(hex, phrase));
	/* The same bytes, but as a passphrase. */
	unit_hex(HEX, raw, sizeof(raw));
	same = from_bytes((const char *)raw, sizeof(raw), false, NULL);
	assert_non_null(same);
	assert_false(is_same_master(hex, same));
	master_free(hex);
	master_free(base64);
	master_free(phrase);
	master_free(other);
	master_free(same);
	master_free(NULL);
}

/* --- where it comes from --- */

static void
assert_found(const char *file, bool dev_mode, const char *want, const char *named)
{
	struct error err = { 0 };
	const char *where = NULL;
	struct master *m = registry_master_find(file, dev_mode, &where, &err);

	if (m == NULL)
		fail_msg("%s", err.text);
	assert_master(m, want);
	assert_non_null(where);
	assert_non_null(strstr(where, named));
	master_free(m);
}

static void
assert_not_found(const char *file, enum error_code code, struct error *err)
{
	memset(err, 0, sizeof(*err));
	assert_null(registry_master_find(file, false, NULL, err));
	assert_int_equal(err->code, code);
}

static void
credential(const char *text)
{
	assert_int_equal(mkdir("credentials", 0700), 0);
	files_put("credentials/" MASTER_CREDENTIAL, text, 0440);
	setenv("CREDENTIALS_DIRECTORY", "credentials", 1);
}

static void
test_file_before_variable_before_credential(void **state)
{
	(void)state;
	credential(PHRASE "\n");
	assert_found(NULL, false, PHRASE, "credential");
	setenv(MASTER_ENVVAR, OTHER, 1);
	assert_found(NULL, false, OTHER, "environment");
	setenv(MASTER_ENVVAR, OTHER, 1);
	files_put("master", HEX "\n", 0600);
	assert_found("master", false, NULL, "--master-key-file");
	/* The variable was not asked, so it is as it was. */
	assert_string_equal(getenv(MASTER_ENVVAR), OTHER);
}

static void
test_the_variable_is_wiped(void **state)
{
	struct error err;
	char *value;

	(void)state;
	setenv(MASTER_ENVVAR, PHRASE, 1);
	value = getenv(MASTER_ENVVAR);
	assert_found(NULL, false, PHRASE, "environment");
	assert_null(getenv(MASTER_ENVVAR));
	assert_true(unit_all_zero(value, strlen(PHRASE)));
	/* What is refused too. */
	setenv(MASTER_ENVVAR, "password1234", 1);
	value = getenv(MASTER_ENVVAR);
	assert_not_found(NULL, ERROR_KEY, &err);
	assert_string_equal(err.file, MASTER_ENVVAR);
	assert_null(getenv(MASTER_ENVVAR));
	assert_true(unit_all_zero(value, strlen("password1234")));
}

static void
test_a_file_that_others_may_read(void **state)
{
	static const mode_t modes[] = { 0644, 0640, 0604, 0620, 0601, 0666 };
	struct error err;

	(void)state;
	files_put("master", PHRASE, 0600);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_int_equal(chmod("master", modes[i]), 0);
		assert_not_found("master", ERROR_REFUSED, &err);
		assert_string_equal(err.hint, "chmod 600 master");
		assert_string_equal(err.file, "master");
		assert_found("master", true, PHRASE, "--master-key-file");
	}
	assert_int_equal(chmod("master", 0400), 0);
	assert_found("master", false, PHRASE, "--master-key-file");
	assert_int_equal(symlink("master", "link"), 0);
	assert_found("link", false, PHRASE, "--master-key-file");
	assert_int_equal(chmod("master", 0644), 0);
	assert_not_found("link", ERROR_REFUSED, &err);
}

static void
test_pipes_are_read_and_other_things_are_not(void **state)
{
	struct error err;
	char path[64];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], PHRASE "\n", strlen(PHRASE) + 1), strlen(PHRASE) + 1);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	assert_found(path, false, PHRASE, "--master-key-file");
	close(fds[0]);
	assert_not_found("/dev/zero", ERROR_REFUSED, &err);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_not_found("folder", ERROR_REFUSED, &err);
	assert_not_found("gone", ERROR_MISSING, &err);
	assert_string_equal(err.file, "gone");
	files_put("empty", "", 0600);
	assert_not_found("empty", ERROR_KEY, &err);
	assert_string_equal(err.file, "empty");
}

/* What was asked for must work: nothing else is taken in its place. */
static void
test_an_earlier_source_that_fails_is_not_passed_over(void **state)
{
	struct error err;

	(void)state;
	credential(PHRASE);
	setenv(MASTER_ENVVAR, OTHER, 1);
	assert_not_found("gone", ERROR_MISSING, &err);
	files_put("bad", "my_master_key", 0600);
	assert_not_found("bad", ERROR_KEY, &err);
	setenv(MASTER_ENVVAR, "short", 1);
	assert_not_found(NULL, ERROR_KEY, &err);
	/* An empty variable is none. */
	setenv(MASTER_ENVVAR, "", 1);
	assert_found(NULL, false, PHRASE, "credential");
	assert_int_equal(unlink("credentials/" MASTER_CREDENTIAL), 0);
	assert_int_equal(mkdir("credentials/" MASTER_CREDENTIAL, 0700), 0);
	assert_not_found(NULL, ERROR_REFUSED, &err);
}

static void
test_no_source_at_all(void **state)
{
	const char *where = "unset";
	struct error err = { 0 };

	(void)state;
	assert_null(registry_master_find(NULL, false, &where, &err));
	assert_int_equal(err.code, ERROR_MISSING);
	assert_null(where);
	assert_non_null(strstr(err.hint, MASTER_ENVVAR));
	assert_non_null(strstr(err.hint, "--master-key-file"));
	assert_non_null(strstr(err.hint, MASTER_CREDENTIAL));
	setenv("CREDENTIALS_DIRECTORY", ".", 1);
	assert_not_found(NULL, ERROR_MISSING, &err);
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	assert_not_found(NULL, ERROR_MISSING, &err);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_bytes_and_passphrases),
		cmocka_unit_test(test_one_line_end_does_not_count),
		cmocka_unit_test(test_weak_and_public_ones_are_refused),
		cmocka_unit_test(test_an_empty_one_is_always_refused),
		cmocka_unit_test(test_too_long_a_passphrase),
		cmocka_unit_test(test_equal),
		IN_FOLDER(test_file_before_variable_before_credential),
		IN_FOLDER(test_the_variable_is_wiped),
		IN_FOLDER(test_a_file_that_others_may_read),
		IN_FOLDER(test_pipes_are_read_and_other_things_are_not),
		IN_FOLDER(test_an_earlier_source_that_fails_is_not_passed_over),
		IN_FOLDER(test_no_source_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
