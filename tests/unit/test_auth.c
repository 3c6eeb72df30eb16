#include "auth_support.h"

/* --- Basic --- */

static void
test_a_right_password_lets_in(void **state)
{
	struct auth *a;
	struct call c;

	(void)state;
	user_add("User:alice", "s3cret");
	a = open_with(&plain);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_string_equal(c.check.principal, "alice");
	assert_string_equal(c.check.mechanism, "BASIC");
	assert_false(c.check.report_failure);
	assert_int_equal(try(a, basic("User:alice", "s3cret")), AUTH_WRONG);
	assert_int_equal(try(a, basic("Alice", "s3cret")), AUTH_WRONG);
	auth_close(a);
}

static void
test_wrong_and_unknown_are_answered_alike(void **state)
{
	struct call wrong, unknown;
	struct auth *a;

	(void)state;
	user_add("alice", "s3cret");
	a = open_with(&plain);
	assert_int_equal(try_from(a, basic("alice", "S3cret"), "192.0.2.1", &wrong), AUTH_WRONG);
	assert_int_equal(try_from(a, basic("mallory", "s3cret"), "192.0.2.1", &unknown),
	    AUTH_WRONG);
	/* Both cost a check of a password. */
	assert_false(wrong.at_once);
	assert_false(unknown.at_once);
	assert_string_equal(wrong.check.mechanism, unknown.check.mechanism);
	assert_true(wrong.check.report_failure);
	assert_true(unknown.check.report_failure);
	/* For the audit log: who exists, but not what somebody typed. */
	assert_string_equal(wrong.check.principal, "alice");
	assert_string_equal(unknown.check.principal, "");
	auth_close(a);
}

static void
test_passwords_may_hold_anything(void **state)
{
	static const char *const passwords[] = {
		"a:b:c", ":", "p\xc3\xa4ss w\xc3\xb6rd", "\xff\xfe", " ", "\n", "Basic x",
	};
	struct auth *a;
	char longest[1025];
	struct error err;

	(void)state;
	a = open_with(&plain);
	for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
		put_user("u", passwords[i]);
		assert_int_equal(auth_reload(a, NULL), 0);
		assert_int_equal(try(a, basic("u", passwords[i])), AUTH_OK);
	}
	memset(longest, 'x', 1024);
	longest[1024] = '\0';
	put_user("u", longest);
	assert_int_equal(auth_reload(a, NULL), 0);
	assert_int_equal(try(a, basic("u", longest)), AUTH_OK);
	assert_int_equal(auth_user_add(".", "v", longest, 1025, false, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_int_equal(auth_user_add(".", "v", "", 0, false, &err), -1);
	assert_int_equal(auth_user_add(".", "v", NULL, 0, false, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	auth_close(a);
}

static void
test_malformed_headers_are_refused(void **state)
{
	static const struct {
		const char *header;
		enum auth_result result;
	} cases[] = {
		{ NULL, AUTH_NONE }, { "", AUTH_NONE }, { " ", AUTH_NONE },
		{ "Digest x", AUTH_NONE }, { "BasicYTpi", AUTH_NONE }, { "x", AUTH_NONE },
		{ "Basic", AUTH_WRONG }, { "Basic ", AUTH_WRONG }, { "Basic !!!", AUTH_WRONG },
		{ "Basic YWxpY2U=", AUTH_WRONG }, { "Basic OnB3", AUTH_WRONG },
		{ "Basic YTpi YTpi", AUTH_WRONG }, { "Basic YTp", AUTH_WRONG },
		{ "Bearer", AUTH_WRONG }, { "Bearer x", AUTH_WRONG }, { "Bearer a.b.c", AUTH_WRONG },
		{ "Bearer ps_", AUTH_WRONG }, { "Bearer ps_aaaaaaaaaaaa_", AUTH_WRONG },
		{ "Bearer ps_aaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    AUTH_WRONG },
	};
	struct auth *a;

	(void)state;
	put_user("alice", "s3cret");
	a = open_with(&plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call c;

		assert_int_equal(try_from(a, cases[i].header, "192.0.2.1", &c), cases[i].result);
		assert_true(c.at_once);
		assert_string_equal(c.check.principal, "");
	}
	/* The scheme's case does not count, nor do blanks around. */
	assert_int_equal(try(a, "bASIC  YWxpY2U6czNjcmV0 "), AUTH_OK);
	auth_close(a);
}

static void
test_two_headers_contradict_each_other(void **state)
{
	struct auth *a;
	struct call c = { .check = { .peer = "::1" } };

	(void)state;
	put_user("alice", "s3cret");
	a = open_with(&plain);
	assert_int_equal(try(a, basic("alice", "s3cret")), AUTH_OK);
	c.check.authorization = basic("alice", "s3cret");
	c.check.authorization_count = 2;
	assert_true(auth_begin(a, &c.check));
	assert_int_equal(c.check.result, AUTH_WRONG);
	auth_close(a);
}

/* --- what is remembered --- */

static void
test_a_right_password_is_remembered_and_a_wrong_one_is_not(void **state)
{
	struct auth *a;
	struct call c;

	(void)state;
	put_user("alice", "s3cret");
	a = open_with(&plain);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_false(c.at_once);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::2", &c), AUTH_OK);
	assert_true(c.at_once);
	assert_string_equal(c.check.principal, "alice");
	assert_int_equal(try_from(a, basic("alice", "wrong"), "::1", &c), AUTH_WRONG);
	assert_int_equal(try_from(a, basic("alice", "wrong"), "::1", &c), AUTH_WRONG);
	assert_false(c.at_once);
	auth_close(a);
}

static void
test_nothing_is_remembered_where_that_is_off(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	o.cache_ms = 0;
	put_user("alice", "s3cret");
	a = open_with(&o);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_false(c.at_once);
	auth_close(a);
}

static void
test_a_changed_password_is_forgotten_at_once(void **state)
{
	struct error err;
	struct auth *a;

	(void)state;
	user_add("alice", "old");
	user_add("bob", "bob's");
	a = open_with(&plain);
	assert_int_equal(try(a, basic("alice", "old")), AUTH_OK);
	assert_int_equal(try(a, basic("bob", "bob's")), AUTH_OK);
	user_add("alice", "new");
	assert_int_equal(try(a, basic("alice", "old")), AUTH_WRONG);
	assert_int_equal(try(a, basic("alice", "new")), AUTH_OK);
	assert_int_equal(auth_user_remove(".", "alice", &err), 0);
	assert_int_equal(try(a, basic("alice", "new")), AUTH_WRONG);
	/* The others are still remembered. */
	{
		struct call c;

		assert_int_equal(try_from(a, basic("bob", "bob's"), "::1", &c), AUTH_OK);
		assert_true(c.at_once);
	}
	auth_close(a);
}

static void
test_a_file_that_another_hand_changed_is_read_again(void **state)
{
	struct auth *a = open_with(&plain);

	(void)state;
	assert_int_equal(try(a, basic("alice", "s3cret")), AUTH_WRONG);
	put_user("alice", "s3cret");
	until(a, basic("alice", "s3cret"), AUTH_OK);
	put_user("alice", "other");
	until(a, basic("alice", "s3cret"), AUTH_WRONG);
	put("users.json", "{");
	for (int i = 0; i < 2000 && auth_health(a, NULL) == 0; i++)
		usleep(1000);
	assert_int_equal(auth_health(a, NULL), -1);
	assert_int_equal(try(a, basic("alice", "other")), AUTH_OK);
	unlink("users.json");
	until(a, basic("alice", "other"), AUTH_WRONG);
	assert_int_equal(auth_health(a, NULL), 0);
	auth_close(a);
}

/* --- many at once --- */

static void
test_the_same_credentials_are_checked_once(void **state)
{
	enum { N = 200 };
	static struct call calls[N];
	struct auth *a;
	int i;

	(void)state;
	put_user("alice", "s3cret");
	a = open_with(&plain);
	memset(calls, 0, sizeof(calls));
	for (i = 0; i < N; i++)
		begin(a, &calls[i], basic("alice", "s3cret"));
	for (i = 0; i < N; i++)
		assert_int_equal(wait_for(&calls[i]), AUTH_OK);
	auth_close(a);
}

static void
test_too_many_passwords_at_once_are_turned_away(void **state)
{
	enum { N = 200 };
	static struct call calls[N];
	char password[16];
	struct auth *a;
	int i, busy = 0, wrong = 0;

	(void)state;
	user_add("alice", "s3cret");
	a = open_with(&plain);
	memset(calls, 0, sizeof(calls));
	for (i = 0; i < N; i++) {
		snprintf(password, sizeof(password), "no-%d", i);
		begin(a, &calls[i], basic("alice", password));
		if (calls[i].at_once) {
			assert_int_equal(calls[i].check.result, AUTH_BUSY);
			assert_true(calls[i].check.retry_after > 0);
			assert_false(calls[i].check.report_failure);
		}
	}
	/* Each gets its answer, also when it all ends. */
	auth_close(a);
	for (i = 0; i < N; i++) {
		if (wait_for(&calls[i]) == AUTH_BUSY)
			busy++;
		else if (calls[i].check.result == AUTH_WRONG)
			wrong++;
	}
	assert_int_equal(busy + wrong, N);
	assert_true(busy >= N - 2 * 64);
}

/* --- tokens --- */

static void
test_a_token_lets_in_until_it_is_revoked(void **state)
{
	struct error err;
	struct auth *a;
	struct call c;
	char id[13], text[128];

	(void)state;
	snprintf(text, sizeof(text), "%s", token_for("User:worker", 0, id));
	assert_int_equal(strlen(text), 59);
	assert_int_equal(memcmp(text, "ps_", 3), 0);
	assert_int_equal(memcmp(text + 3, id, 12), 0);
	a = open_with(&plain);
	assert_int_equal(try_from(a, bearer(text), "::1", &c), AUTH_OK);
	assert_true(c.at_once);
	assert_string_equal(c.check.principal, "worker");
	assert_string_equal(c.check.mechanism, "TOKEN");
	assert_int_equal(auth_token_revoke(".", id, &err), 0);
	assert_int_equal(try(a, bearer(text)), AUTH_WRONG);
	assert_int_equal(auth_token_revoke(".", id, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	auth_close(a);
}

static void
test_every_changed_character_of_a_token_counts(void **state)
{
	char id[13], text[128], was;
	struct auth *a;

	(void)state;
	snprintf(text, sizeof(text), "%s", token_for("worker", 0, id));
	a = open_with(&plain);
	for (size_t i = 0; i < strlen(text); i++) {
		was = text[i];
		text[i] = was == 'b' ? 'c' : 'b';
		assert_int_equal(try(a, bearer(text)), AUTH_WRONG);
		text[i] = was;
	}
	assert_int_equal(try(a, bearer(text)), AUTH_OK);
	auth_close(a);
}

static void
test_a_token_ends_when_its_time_is_over(void **state)
{
	char id[13], text[128], date[DATA_FILE_DATE];
	json_t *root, *o;
	struct auth *a;
	char *dump;

	(void)state;
	snprintf(text, sizeof(text), "%s", token_for("worker", 3600, id));
	a = open_with(&plain);
	assert_int_equal(try(a, bearer(text)), AUTH_OK);
	root = json_load_file("tokens.json", 0, NULL);
	o = json_object_get(json_object_get(root, "tokens"), id);
	data_file_date((int64_t)time(NULL) - 1, date);
	assert_int_equal(json_object_set_new(o, "expires", json_string(date)), 0);
	dump = json_dumps(root, 0);
	put("tokens.json", dump);
	free(dump);
	json_decref(root);
	assert_int_equal(auth_reload(a, NULL), 0);
	assert_int_equal(try(a, bearer(text)), AUTH_WRONG);
	auth_close(a);
}

struct token_seen {
	int count;
	char principal[256];
	bool ends;
};

static void
note_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	struct token_seen *s = cookie;
	int64_t when;

	assert_int_equal(strlen(id), 12);
	assert_true(data_file_parse_date(created, &when));
	s->count++;
	s->ends = expires != NULL;
	snprintf(s->principal, sizeof(s->principal), "%s", principal);
}

static void
test_tokens_are_listed_and_kept_as_hashes(void **state)
{
	struct token_seen s = { 0 };
	char id[13], text[128], file[4096] = { 0 };
	struct error err;
	int fd;

	(void)state;
	assert_int_equal(auth_token_list(".", note_token, &s, &err), 0);
	assert_int_equal(s.count, 0);
	token_for("a", 0, id);
	snprintf(text, sizeof(text), "%s", token_for("b", 60, id));
	assert_int_equal(auth_token_list(".", note_token, &s, &err), 0);
	assert_int_equal(s.count, 2);
	assert_true(s.ends);
	assert_string_equal(s.principal, "b");
	fd = open("tokens.json", O_RDONLY);
	assert_true(read(fd, file, sizeof(file) - 1) > 0);
	close(fd);
	assert_null(strstr(file, text + 16));
	assert_int_equal(files_stat("tokens.json").st_mode & 07777, 0600);
	assert_int_equal(auth_token_revoke(".", "no", &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	/* A whole token may be given, and is in no message. */
	assert_int_equal(auth_token_revoke(".", text, &err), 0);
	assert_int_equal(auth_token_revoke(".", text, &err), -1);
	assert_null(strstr(err.text, text + 16));
	assert_null(strstr(err.key, text + 16));
}

/* --- JWT --- */

static void
put_jwks(EVP_PKEY *key, const char *kid)
{
	struct buf b;

	buf_init(&b, MAKER_MAX);
	buf_append_str(&b, "{\"keys\":[");
	maker_jwk(&b, key, kid, "");
	buf_append_str(&b, "]}");
	put("jwks.json", buf_cstr(&b));
	buf_release(&b);
}

static void
test_a_jwt_lets_in_while_its_key_is_there(void **state)
{
	struct auth_options o = plain;
	EVP_PKEY *one = maker_ec("P-256"), *two = maker_ec("P-256");
	char payload[256], header[8192];
	struct error err;
	struct auth *a;
	struct call c;

	(void)state;
	o.jwks_file = "jwks.json";
	assert_null(auth_open(&o, &err));
	assert_int_equal(err.code, ERROR_USAGE);
	o.jwt_issuer = "i";
	o.jwt_audience = "registry";
	assert_null(auth_open(&o, &err));
	assert_int_equal(err.code, ERROR_MISSING);
	put_jwks(one, "k1");
	a = open_with(&o);
	snprintf(payload, sizeof(payload), "{\"iss\":\"i\",\"aud\":\"registry\",\"sub\":\"svc\","
	    "\"exp\":%lld}", (long long)time(NULL) + 600);
	snprintf(header, sizeof(header), "%s", bearer(maker_token(one,
	    "{\"alg\":\"ES256\",\"kid\":\"k1\"}", payload)));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(try_from(a, header, "::1", &c), AUTH_OK);
		assert_string_equal(c.check.principal, "svc");
		assert_string_equal(c.check.mechanism, "JWT");
	}
	put_jwks(two, "k2");
	until(a, header, AUTH_WRONG);
	/* A damaged set leaves the last one in force. */
	put("jwks.json", "{\"keys\":[");
	for (int i = 0; i < 2000 && auth_health(a, NULL) == 0; i++)
		usleep(1000);
	snprintf(header, sizeof(header), "%s", bearer(maker_token(two,
	    "{\"alg\":\"ES256\",\"kid\":\"k2\"}", payload)));
	assert_int_equal(try(a, header), AUTH_OK);
	auth_close(a);
	EVP_PKEY_free(one);
	EVP_PKEY_free(two);
}

/* --- client certificates --- */

static enum auth_result
try_certificate(struct auth *a, const char *header, const char *cn, struct call *c)
{
	memset(c, 0, sizeof(*c));
	c->check.cert_cn = cn;
	c->check.cert_dn = "CN=x,O=Example";
	begin(a, c, header);
	return wait_for(c);
}

static void
test_a_certificate_names_the_principal(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	put_user("alice", "s3cret");
	a = open_with(&o);
	assert_int_equal(try_certificate(a, NULL, "alice", &c), AUTH_OK);
	assert_string_equal(c.check.principal, "alice");
	assert_string_equal(c.check.mechanism, "MTLS");
	assert_int_equal(try_certificate(a, NULL, NULL, &c), AUTH_NONE);
	assert_int_equal(try_certificate(a, NULL, "a\nb", &c), AUTH_WRONG);
	assert_int_equal(try_certificate(a, "Digest x", "alice", &c), AUTH_NONE);
	auth_close(a);
	o.mtls_principal = "dn";
	a = open_with(&o);
	assert_int_equal(try_certificate(a, NULL, "alice", &c), AUTH_OK);
	assert_string_equal(c.check.principal, "CN=x,O=Example");
	auth_close(a);
	o.mtls_principal = "san";
	a = open_with(&o);
	assert_int_equal(try_certificate(a, NULL, "alice", &c), AUTH_NONE);
	auth_close(a);
	o.mtls_principal = "serial";
	assert_null(auth_open(&o, NULL));
}

static void
test_certificate_and_credentials_must_agree(void **state)
{
	char id[13], alices[128], bobs[128];
	struct auth *a;
	struct call c;
	int i;

	(void)state;
	put_user("alice", "s3cret");
	snprintf(alices, sizeof(alices), "%s", token_for("alice", 0, id));
	snprintf(bobs, sizeof(bobs), "%s", token_for("bob", 0, id));
	a = open_with(&plain);
	/* Twice: also from what is remembered. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(try_certificate(a, basic("alice", "s3cret"), "bob", &c),
		    AUTH_WRONG);
		assert_string_equal(c.check.principal, "");
		assert_int_equal(try_certificate(a, basic("alice", "s3cret"), "alice", &c),
		    AUTH_OK);
		assert_string_equal(c.check.principal, "alice");
	}
	assert_int_equal(try_certificate(a, bearer(bobs), "alice", &c), AUTH_WRONG);
	assert_int_equal(try_certificate(a, bearer(alices), "alice", &c), AUTH_OK);
	assert_int_equal(try_certificate(a, basic("alice", "wrong"), "alice", &c), AUTH_WRONG);
	auth_close(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_a_right_password_lets_in),
		AUTH_TEST(test_wrong_and_unknown_are_answered_alike),
		AUTH_TEST(test_passwords_may_hold_anything),
		AUTH_TEST(test_malformed_headers_are_refused),
		AUTH_TEST(test_two_headers_contradict_each_other),
		AUTH_TEST(test_a_right_password_is_remembered_and_a_wrong_one_is_not),
		AUTH_TEST(test_nothing_is_remembered_where_that_is_off),
		AUTH_TEST(test_a_changed_password_is_forgotten_at_once),
		AUTH_TEST(test_a_file_that_another_hand_changed_is_read_again),
		AUTH_TEST(test_the_same_credentials_are_checked_once),
		AUTH_TEST(test_too_many_passwords_at_once_are_turned_away),
		AUTH_TEST(test_a_token_lets_in_until_it_is_revoked),
		AUTH_TEST(test_every_changed_character_of_a_token_counts),
		AUTH_TEST(test_a_token_ends_when_its_time_is_over),
		AUTH_TEST(test_tokens_are_listed_and_kept_as_hashes),
		AUTH_TEST(test_a_jwt_lets_in_while_its_key_is_there),
		AUTH_TEST(test_a_certificate_names_the_principal),
		AUTH_TEST(test_certificate_and_credentials_must_agree),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
