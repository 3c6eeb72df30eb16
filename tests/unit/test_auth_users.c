/* The file of users, and the dates in such files. */
#include "auth_support.h"

struct user_seen {
	int count;
	char last[256];
};

static void
note_user(void *cookie, const char *name, const char *created, bool disabled)
{
	struct user_seen *s = cookie;
	int64_t when;

	assert_true(data_file_parse_date(created, &when));
	assert_false(disabled);
	s->count++;
	snprintf(s->last, sizeof(s->last), "%s", name);
}

static void
test_users_are_added_listed_and_removed(void **state)
{
	struct user_seen s = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(auth_user_add("d", "alice", "a", 1, false, &err), 0);
	assert_int_equal(files_stat("d").st_mode & 07777, 0700);
	assert_int_equal(files_stat("d/users.json").st_mode & 07777, 0600);
	assert_int_equal(auth_user_add("d", "User:alice", "b", 1, false, &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	assert_int_equal(auth_user_add("d", "alice", "b", 1, true, &err), 0);
	assert_int_equal(auth_user_add("d", "j\xc3\xbcrgen o.", "b", 1, false, &err), 0);
	assert_int_equal(auth_user_list("d", note_user, &s, &err), 0);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.last, "j\xc3\xbcrgen o.");
	assert_int_equal(auth_user_remove("d", "User:alice", &err), 0);
	assert_int_equal(auth_user_remove("d", "alice", &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_int_equal(files_count("d"), 1);
}

static void
test_names_of_users_are_checked(void **state)
{
	static const char *const bad[] = {
		"", "User:", "a:b", "User:a:b", " a", "a ", "a\n", "\x7f", "a\xc2\x85", "\xff",
		"a\xe2\x80\xae" "b", "\xc2\xa0" "a",
		"a\xc2\xad", "a\xcd\x8f", "\xe3\x85\xa4", "\xe2\xa0\x80", "a\xf3\xa0\x81\x81",
	};
	char longest[300];
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(auth_user_add(".", bad[i], "x", 1, false, &err), -1);
		assert_int_equal(err.code, ERROR_USAGE);
	}
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_int_equal(auth_user_add(".", longest, "x", 1, false, &err), -1);
	assert_int_equal(access("users.json", F_OK), -1);
	longest[255] = '\0';
	assert_int_equal(auth_user_add(".", longest, "x", 1, false, &err), 0);
}

static void
test_a_damaged_file_is_fatal_at_the_start(void **state)
{
#define USER(body) "{\"users\":{\"alice\":" body "}}"
#define SCRYPT(n, r, salt, hash) USER("{\"scrypt\":{\"N\":" n ",\"r\":" r ",\"p\":1,\"salt\":\"" \
	salt "\",\"hash\":\"" hash "\"}}")
#define SALT "c2FsdHNhbHQ="
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	static const struct {
		const char *file, *text;
	} bad[] = {
		{ "users.json", "" }, { "users.json", "[]" }, { "users.json", "{}" },
		{ "users.json", "{\"format\":2,\"users\":{}}" },
		{ "users.json", "{\"users\":[]}" }, { "users.json", USER("{}") },
		{ "users.json", SCRYPT("1000", "8", SALT, HASH) },
		{ "users.json", SCRYPT("2", "8", SALT, HASH) },
		{ "users.json", SCRYPT("1048576", "32", SALT, HASH) },
		{ "users.json", SCRYPT("16384", "0", SALT, HASH) },
		{ "users.json", SCRYPT("16384", "8", "c2E=", HASH) },
		{ "users.json", SCRYPT("16384", "8", SALT, "AAAA") },
		{ "users.json", SCRYPT("16384", "8", SALT, "!") },
		{ "users.json", "{\"users\":{\"a:b\":{}}}" },
		{ "tokens.json", "{}" }, { "tokens.json", "{\"tokens\":{\"x\":{}}}" },
		{ "tokens.json", "{\"tokens\":{\"aaaaaaaaaaaa\":{\"principal\":\"a\"}}}" },
		{ "tokens.json", "{\"tokens\":{\"aaaaaaaaaaaa\":{\"principal\":\"a\",\"hash\":"
		    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"expires\":\"soon\"}}}" },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i].file, bad[i].text);
		assert_null(auth_open(&plain, &err));
		assert_int_equal(err.code, ERROR_FORMAT);
		assert_non_null(strstr(err.file, bad[i].file));
		unlink(bad[i].file);
	}
	put("users.json", SCRYPT("16384", "8", SALT, HASH));
	auth_close(open_with(&plain));
}

static void
test_dates_go_round(void **state)
{
	static const char *const bad[] = {
		"", "2026-01-31", "2026-01-31T00:00:00", "2026-02-30T00:00:00Z",
		"2026-01-31T00:00:00Z ", "2026-1-31T00:00:00Z", "2026-01-31 00:00:00Z",
	};
	char text[DATA_FILE_DATE];
	int64_t t;

	(void)state;
	data_file_date(1800000000, text);
	assert_string_equal(text, "2027-01-15T08:00:00Z");
	assert_true(data_file_parse_date(text, &t));
	assert_int_equal(t, 1800000000);
	data_file_date(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(data_file_parse_date(bad[i], &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_users_are_added_listed_and_removed),
		AUTH_TEST(test_names_of_users_are_checked),
		AUTH_TEST(test_a_damaged_file_is_fatal_at_the_start),
		AUTH_TEST(test_dates_go_round),
	};

	return cmocka_run_group_tests_name("auth_users", tests, NULL, NULL);
}
