#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "secrets/key_source.h"
#include "files.h"

#define VARIABLE "CONFLUENT_SECURITY_MASTER_KEY"
#define OTHER "PROPSEAL_TEST_MASTER_KEY"
#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "//////////////////////////////////////////8="
#define KEY_C "AAAAAAAAAAAAAAAAAAAAAA=="

static int
setup(void **state)
{
	unsetenv(VARIABLE);
	unsetenv(OTHER);
	unsetenv("CREDENTIALS_DIRECTORY");
	return files_setup(state);
}

static int
teardown(void **state)
{
	unsetenv(VARIABLE);
	unsetenv(OTHER);
	unsetenv("CREDENTIALS_DIRECTORY");
	return files_teardown(state);
}

/* The sources, with ${file} and the variable OTHER. */
static struct key_ring *
ring(const char *file, struct error *err)
{
	const struct key_source from = { .file = file, .variables = "NOT_SET, " OTHER };

	memset(err, 0, sizeof(*err));
	return key_ring_read(&from, err);
}

/* The first source gives this key, which it names. */
static void
assert_found(const char *file, const char *base64, const char *named)
{
	struct key *want = key_from_base64(base64, strlen(base64), NULL);
	const char *where = NULL;
	struct error err;
	struct key_ring *r = ring(file, &err);

	if (r == NULL)
		fail_msg("%s", err.text);
	assert_true(key_ring_count(r) > 0);
	assert_true(key_equal(key_ring_for(r, NULL, &where), want));
	assert_non_null(where);
	assert_non_null(strstr(where, named));
	key_free(want);
	key_ring_free(r);
}

static void
assert_no_key(const char *file, enum error_code code)
{
	struct error err;
	struct key_ring *r = ring(file, &err);

	if (code == ERROR_MISSING && file == NULL) {
		assert_non_null(r);
		assert_int_equal(key_ring_count(r), 0);
		assert_null(key_ring_for(r, NULL, NULL));
		key_ring_free(r);
		return;
	}
	assert_null(r);
	assert_int_equal(err.code, code);
}

static void
credential(const char *text)
{
	assert_int_equal(mkdir("credentials", 0700), 0);
	files_put("credentials/" KEY_SOURCE_CREDENTIAL, text, 0400);
	setenv("CREDENTIALS_DIRECTORY", "credentials", 1);
}

static void
test_file_before_variable_before_credential(void **state)
{
	(void)state;
	credential(KEY_C);
	assert_found(NULL, KEY_C, "credential");
	setenv(VARIABLE, KEY_B, 1);
	assert_found(NULL, KEY_B, "environment");
	setenv(VARIABLE, KEY_B, 1);
	files_put("master", KEY_A, 0600);
	assert_found("master", KEY_A, "--master-key-file");
	/* The variable was not asked, so it is as it was. */
	assert_string_equal(getenv(VARIABLE), KEY_B);
}

/* What was asked for must work: nothing else is taken in its place. */
static void
test_an_earlier_source_that_fails_is_not_passed_over(void **state)
{
	(void)state;
	credential(KEY_C);
	setenv(VARIABLE, KEY_B, 1);
	assert_no_key("gone", ERROR_MISSING);
	files_put("bad", "not a key", 0600);
	assert_no_key("bad", ERROR_KEY);
	setenv(VARIABLE, "not a key", 1);
	assert_no_key(NULL, ERROR_KEY);
	/* An empty variable is none. */
	setenv(VARIABLE, "", 1);
	assert_found(NULL, KEY_C, "credential");
}

static void
test_no_source_at_all(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_no_key(NULL, ERROR_MISSING);
	assert_int_equal(key_ring_missing(NULL, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_non_null(strstr(err.hint, VARIABLE));
	assert_non_null(strstr(err.hint, "--master-key-file"));
	assert_non_null(strstr(err.hint, KEY_SOURCE_CREDENTIAL));
	/* A credential folder without ours in it, or of no use. */
	setenv("CREDENTIALS_DIRECTORY", ".", 1);
	assert_no_key(NULL, ERROR_MISSING);
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	assert_no_key(NULL, ERROR_MISSING);
	setenv("CREDENTIALS_DIRECTORY", "gone", 1);
	assert_no_key(NULL, ERROR_MISSING);
}

static void
test_blanks_around_the_key_do_not_count(void **state)
{
	static const char *const texts[] = { KEY_A, KEY_A "\n", KEY_A "\r\n", " " KEY_A " ",
		"\n\t" KEY_A "\t\n\n", "AAECAwQFBgcICQoLDA0ODxAR\nEhMUFRYXGBkaGxwdHh8=\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		files_put("master", texts[i], 0600);
		assert_found("master", KEY_A, "--master-key-file");
		assert_int_equal(unlink("master"), 0);
		setenv(VARIABLE, texts[i], 1);
		assert_found(NULL, KEY_A, "environment");
	}
}

static void
test_what_is_no_key_is_refused(void **state)
{
	static const char *const texts[] = {
		" ", "\n", "hunter2", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",	/* no padding */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",	/* 31 bytes */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",	/* 33 bytes */
		KEY_A " " KEY_A, "AAEC AwQF BgcI CQoL DA0O Dw==", "AAAA"
	};
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		files_put("master", texts[i], 0600);
		if (ring("master", &err) != NULL)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(err.code, ERROR_KEY);
		assert_string_equal(err.file, "master");
		assert_string_not_equal(err.hint, "");
		/* Whatever it was, it is not shown. */
		if (strlen(texts[i]) > 4) {
			assert_null(strstr(err.text, texts[i]));
			assert_null(strstr(err.hint, texts[i]));
		}
		assert_int_equal(unlink("master"), 0);
	}
}

static void
test_an_empty_file_holds_no_key(void **state)
{
	(void)state;
	files_put("master", "", 0600);
	assert_no_key("master", ERROR_KEY);
}

/* As `head -c 32 /dev/urandom` makes it: bytes that are not text. */
static void
test_raw_bytes_are_refused(void **state)
{
	static const char raw[32] = { 1, 2, 3 };
	static const char with_nul[] = KEY_A "\0";

	(void)state;
	files_put_bytes("master", raw, sizeof(raw), 0600);
	assert_no_key("master", ERROR_KEY);
	assert_int_equal(unlink("master"), 0);
	files_put_bytes("master", with_nul, sizeof(with_nul), 0600);
	assert_no_key("master", ERROR_KEY);
}

static void
test_a_file_too_long_for_a_key(void **state)
{
	char *text = calloc(1, 10000);
	struct error err;

	(void)state;
	assert_non_null(text);
	memset(text, 'A', 9999);
	files_put("master", text, 0600);
	assert_null(ring("master", &err));
	assert_true(err.code == ERROR_KEY || err.code == ERROR_LIMIT);
	assert_string_equal(err.file, "master");
	free(text);
}

static void
test_the_environment_forgets_the_key(void **state)
{
	const char *bytes;

	(void)state;
	setenv(VARIABLE, KEY_A, 1);
	bytes = getenv(VARIABLE);
	assert_non_null(bytes);
	assert_found(NULL, KEY_A, "environment");
	assert_null(getenv(VARIABLE));
	assert_true(unit_all_zero(bytes, strlen(KEY_A)));
	assert_no_key(NULL, ERROR_MISSING);
	/* One that does not work is left for its owner to look at. */
	setenv(VARIABLE, "not a key", 1);
	assert_no_key(NULL, ERROR_KEY);
	assert_string_equal(getenv(VARIABLE), "not a key");
}

static void
write_key(void *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd != -1);
	CHECK(write(fd, KEY_A "\n", sizeof(KEY_A)) == sizeof(KEY_A));
}

/* As --master-key-file <(command) gives it. */
static void
test_a_pipe_will_do_as_the_file(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		write_key((char[]){ "fifo" });
		_exit(0);
	}
	assert_found("fifo", KEY_A, "--master-key-file");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
unreadable_credential(void *arg)
{
	struct error err;

	(void)arg;
	if (geteuid() == 0)
		files_become_nobody();
	CHECK(ring(NULL, &err) == NULL);
	CHECK(err.code == ERROR_IO);
	CHECK(strstr(err.file, KEY_SOURCE_CREDENTIAL) != NULL);
}

/* The key is there, so "no master key" would mislead. */
static void
test_a_credential_that_cannot_be_read_is_reported(void **state)
{
	(void)state;
	credential(KEY_C);
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(chmod("credentials", 0600), 0);
	files_in_child(unreadable_credential, NULL);
	assert_int_equal(chmod("credentials", 0700), 0);
}

/* Every source that is there, in their order; the variable of the file is none of them. */
static void
test_the_ring_has_all_that_are_there(void **state)
{
	struct error err;
	struct key_ring *r;

	(void)state;
	credential(KEY_C);
	setenv(VARIABLE, KEY_A, 1);
	setenv(OTHER, KEY_B, 1);
	setenv("INVOCATION_ID", KEY_B, 1);
	r = ring(NULL, &err);
	assert_non_null(r);
	assert_int_equal(key_ring_count(r), 3);
	assert_string_equal(key_ring_where(r, 0), "the environment variable " VARIABLE);
	assert_string_equal(key_ring_where(r, 1), "the environment variable " OTHER);
	assert_non_null(strstr(key_ring_where(r, 2), "credential"));
	assert_int_equal(key_length(key_ring_key(r, 2)), 16);
	assert_null(getenv(OTHER));
	assert_string_equal(getenv("INVOCATION_ID"), KEY_B);
	key_ring_free(r);
	unsetenv("INVOCATION_ID");
}

static int
print_key(void *cookie, struct buf *out, struct error *err)
{
	if (cookie == NULL)
		return error_set(err, ERROR_IO, "the command failed");
	buf_append_str(out, cookie);
	return buf_check(out, err);
}

static void
test_a_command_and_descriptors(void **state)
{
	struct key_source from = { .command = print_key, .cookie = (char[]){ KEY_A "\n" } };
	struct error err = { 0 };
	struct key_ring *r;
	char name[16];
	int ends[2];

	(void)state;
	setenv(VARIABLE, KEY_B, 1);
	assert_non_null(r = key_ring_read(&from, &err));
	assert_int_equal(key_ring_count(r), 1);
	assert_string_equal(key_ring_where(r, 0), "--master-key-command");
	key_ring_free(r);
	from.cookie = NULL;
	assert_null(key_ring_read(&from, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], KEY_C "\n", sizeof(KEY_C)), sizeof(KEY_C));
	close(ends[1]);
	snprintf(name, sizeof(name), "fd:%d", ends[0]);
	assert_found(name, KEY_C, "--master-key-file");
	close(ends[0]);
}

#define DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DISK(test_file_before_variable_before_credential),
		DISK(test_an_earlier_source_that_fails_is_not_passed_over),
		DISK(test_no_source_at_all),
		DISK(test_blanks_around_the_key_do_not_count),
		DISK(test_what_is_no_key_is_refused),
		DISK(test_an_empty_file_holds_no_key),
		DISK(test_raw_bytes_are_refused),
		DISK(test_a_file_too_long_for_a_key),
		DISK(test_the_environment_forgets_the_key),
		DISK(test_a_pipe_will_do_as_the_file),
		DISK(test_a_credential_that_cannot_be_read_is_reported),
		DISK(test_the_ring_has_all_that_are_there),
		DISK(test_a_command_and_descriptors)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
