#include "files.h"
#include "jwt_maker.h"

#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/data_file.h"

/* --- help --- */

static void
put(const char *name, const char *text)
{
	unlink(name);
	files_put(name, text, 0600);
}

static void
user_add(const char *name, const char *password)
{
	struct error err;

	assert_int_equal(auth_user_add(".", name, password, strlen(password), true, &err), 0);
}

/* A user whose password is quickly checked. */
static void
put_user(const char *name, const char *password)
{
	unsigned char hash[32];
	struct buf text;
	struct error err;

	buf_init(&text, 4096);
	assert_int_equal(scrypt_derive(password, strlen(password), "saltsalt", 8, 1024, 8, 1,
	    hash, sizeof(hash), &err), 0);
	buf_printf(&text, "{\"users\":{\"%s\":{\"scrypt\":{\"N\":1024,\"r\":8,\"p\":1,"
	    "\"salt\":\"c2FsdHNhbHQ=\",\"hash\":\"", name);
	base64_encode(&text, hash, sizeof(hash));
	buf_append_str(&text, "\"}}}}");
	put("users.json", buf_cstr(&text));
	buf_release(&text);
}

static const struct auth_options plain = { .data = ".", .cache_ms = 60000 };

static struct auth *
open_with(const struct auth_options *o)
{
	struct error err;
	struct auth *a = auth_open(o, &err);

	assert_non_null(a);
	return a;
}

/* A check that can be waited for. */
struct call {
	struct auth_check check;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	bool at_once;
};

static void
on_done(struct auth_check *c)
{
	struct call *call = c->cookie;

	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->cond);
	pthread_mutex_unlock(&call->lock);
}

static void
begin(struct auth *a, struct call *c, const char *header)
{
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->cond, NULL);
	c->done = false;
	c->check.authorization = header;
	c->check.authorization_count = header != NULL;
	if (c->check.peer == NULL)
		c->check.peer = "192.0.2.1";
	c->check.done = on_done;
	c->check.cookie = c;
	c->at_once = auth_begin(a, &c->check);
}

static enum auth_result
wait_for(struct call *c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->at_once && !c->done)
		pthread_cond_wait(&c->cond, &c->lock);
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->cond);
	return c->check.result;
}

/* The result of a header from an address, the rest in ${*c}. */
static enum auth_result
try_from(struct auth *a, const char *header, const char *peer, struct call *c)
{
	memset(c, 0, sizeof(*c));
	c->check.peer = peer;
	begin(a, c, header);
	return wait_for(c);
}

static enum auth_result
try(struct auth *a, const char *header)
{
	struct call c;

	return try_from(a, header, "192.0.2.1", &c);
}

static const char *
basic(const char *name, const char *password)
{
	static char text[4096];
	struct buf both, b;

	buf_init(&both, 2048);
	buf_init(&b, sizeof(text) - 1);
	buf_append_str(&both, name);
	buf_append_str(&both, ":");
	buf_append_str(&both, password);
	buf_append_str(&b, "Basic ");
	base64_encode(&b, both.data, both.len);
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_release(&both);
	buf_release(&b);
	return text;
}

static const char *
bearer(const char *token)
{
	static char text[8192];

	snprintf(text, sizeof(text), "Bearer %s", token);
	return text;
}

/* A token's text. */
static const char *
token_for(const char *principal, int64_t ttl, char id[13])
{
	static char text[128];
	struct error err;
	struct buf b;

	buf_init_secret(&b, 128);
	assert_int_equal(auth_token_create(".", principal, ttl, id, &b, &err), 0);
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_release(&b);
	return text;
}

static void
until(struct auth *a, const char *header, enum auth_result result)
{
	for (int i = 0; i < 2000 && try(a, header) != result; i++)
		usleep(1000);
	assert_int_equal(try(a, header), result);
}

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

/* --- failures --- */

static void
test_after_too_many_failures_an_address_must_wait(void **state)
{
	struct auth_options o = plain;
	char id[13], token[128];
	struct auth *a;
	struct call c;
	int i;

	(void)state;
	o.failures_max = 5;
	put_user("alice", "s3cret");
	snprintf(token, sizeof(token), "%s", token_for("worker", 0, id));
	a = open_with(&o);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "192.0.2.1", &c), AUTH_OK);
	for (i = 0; i < 5; i++)
		assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.1", &c), AUTH_WRONG);
	assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.1", &c), AUTH_TOO_MANY);
	assert_true(c.check.retry_after >= 1 && c.check.retry_after <= 60);
	assert_true(c.at_once);
	assert_int_equal(try_from(a, "Bearer x", "192.0.2.1", &c), AUTH_TOO_MANY);
	/* A right password that is not remembered is not even looked at. */
	assert_int_equal(try_from(a, basic("bob", "s3cret"), "192.0.2.1", &c), AUTH_TOO_MANY);
	/* Who is known goes on working, and so does who cannot be guessed. */
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "192.0.2.1", &c), AUTH_OK);
	assert_int_equal(try_from(a, bearer(token), "192.0.2.1", &c), AUTH_OK);
	assert_int_equal(try_from(a, NULL, "192.0.2.1", &c), AUTH_NONE);
	/* Others are not punished. */
	assert_int_equal(try_from(a, basic("alice", "no"), "192.0.2.2", &c), AUTH_WRONG);
	auth_close(a);
}

static void
test_who_was_right_once_is_checked_also_after_failures_of_others(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 2;
	o.cache_ms = 1;
	put_user("alice", "s3cret");
	a = open_with(&o);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	while (try_from(a, "Bearer x", "::1", &c) != AUTH_TOO_MANY)
		;
	usleep(20000);
	assert_int_equal(try_from(a, basic("alice", "s3cret"), "::1", &c), AUTH_OK);
	assert_false(c.at_once);
	/* After a change it is looked at once more, and is one like others then. */
	user_add("alice", "new");
	try_from(a, basic("alice", "s3cret"), "::1", &c);
	assert_int_equal(c.check.result, AUTH_TOO_MANY);
	assert_false(c.at_once);
	try_from(a, basic("alice", "s3cret"), "::1", &c);
	assert_int_equal(c.check.result, AUTH_TOO_MANY);
	assert_true(c.at_once);
	assert_int_equal(try_from(a, basic("alice", "new"), "::1", &c), AUTH_TOO_MANY);
	assert_int_equal(try_from(a, basic("alice", "new"), "192.0.2.7", &c), AUTH_OK);
	auth_close(a);
}

static void
test_no_credentials_are_no_failure(void **state)
{
	struct auth_options o = plain;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 1;
	a = open_with(&o);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(try_from(a, NULL, "::1", &c), AUTH_NONE);
		assert_int_equal(try_from(a, "Digest x", "::1", &c), AUTH_NONE);
		assert_false(c.check.report_failure);
	}
	auth_close(a);
}

static void
add_folded(void *cookie, const char *peer, uint64_t folded)
{
	(void)peer;
	*(uint64_t *)cookie += folded;
}

static void
test_ten_thousand_failures_make_few_lines_and_the_right_total(void **state)
{
	struct auth_options o = plain;
	uint64_t total = 0;
	int i, lines = 0;
	struct auth *a;
	struct call c;

	(void)state;
	o.failures_max = 20;
	a = open_with(&o);
	for (i = 0; i < 10000; i++) {
		try_from(a, "Bearer wrong", "192.0.2.1", &c);
		if (c.check.report_failure) {
			lines++;
			total += 1 + c.check.folded;
		} else
			assert_int_equal(c.check.folded, 0);
	}
	assert_true(lines >= 1 && lines < 100);
	auth_folded(a, true, add_folded, &total);
	assert_int_equal(total, 10000);
	auth_folded(a, true, add_folded, &total);
	assert_int_equal(total, 10000);
	auth_close(a);
}

/* --- the throttle, with a clock of our own --- */

static uint64_t
failures(struct throttle *t, const char *peer, int64_t now, int n, int *lines)
{
	uint64_t folded, total = 0;
	bool report;

	for (int i = 0; i < n; i++) {
		throttle_failure(t, peer, now, &report, &folded);
		if (report) {
			(*lines)++;
			total += 1 + folded;
		}
	}
	return total;
}

static void
test_a_minute_later_an_address_may_try_again(void **state)
{
	struct throttle *t = throttle_new(3, NULL);
	unsigned after = 0;
	int lines = 0;

	(void)state;
	failures(t, "::1", 1000, 3, &lines);
	assert_true(throttle_refuses(t, "::1", 1000, &after));
	assert_int_equal(after, 60);
	assert_true(throttle_refuses(t, "::1", 60001, &after));
	assert_int_equal(after, 1);
	assert_false(throttle_refuses(t, "::1", 61000, &after));
	failures(t, "::1", 61000, 2, &lines);
	assert_false(throttle_refuses(t, "::1", 61000, &after));
	throttle_free(t);
	t = throttle_new(0, NULL);
	failures(t, "::1", 1000, 1000, &lines);
	assert_false(throttle_refuses(t, "::1", 1000, &after));
	throttle_free(t);
}

static void
test_neighbours_of_an_ipv6_network_count_together(void **state)
{
	struct throttle *t = throttle_new(1, NULL);
	unsigned after;
	int lines = 0;

	(void)state;
	failures(t, "2001:db8::1", 0, 1, &lines);
	assert_true(throttle_refuses(t, "2001:db8::ffff:1", 0, &after));
	assert_false(throttle_refuses(t, "2001:db8:0:1::1", 0, &after));
	failures(t, "::ffff:192.0.2.1", 0, 1, &lines);
	assert_true(throttle_refuses(t, "192.0.2.1", 0, &after));
	assert_false(throttle_refuses(t, "192.0.2.2", 0, &after));
	failures(t, "unix", 0, 1, &lines);
	assert_true(throttle_refuses(t, "unix", 0, &after));
	assert_false(throttle_refuses(t, "", 0, &after));
	throttle_free(t);
}

static void
test_no_failure_of_many_addresses_goes_uncounted(void **state)
{
	struct throttle *t = throttle_new(20, NULL);
	uint64_t total = 0;
	char peer[32];
	int i, lines = 0;

	(void)state;
	for (i = 0; i < 30000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d", i & 255, i >> 8 & 255, i >> 16);
		total += failures(t, peer, i, 7, &lines);
	}
	throttle_folded(t, 30000, true, add_folded, &total);
	assert_int_equal(total, 7 * 30000);
	throttle_free(t);
}

static void
test_folded_failures_are_handed_over_in_time(void **state)
{
	struct throttle *t = throttle_new(20, NULL);
	uint64_t total, late = 0;
	int lines = 0;

	(void)state;
	total = failures(t, "::1", 0, 100, &lines);
	assert_int_equal(lines, THROTTLE_LINES);
	throttle_folded(t, 5000, false, add_folded, &late);
	assert_int_equal(late, 0);
	throttle_folded(t, 10000, false, add_folded, &late);
	assert_int_equal(total + late, 100);
	/* Or the next failure carries them along. */
	total = failures(t, "::1", 15000, 10, &lines);
	assert_int_equal(total, 0);
	total += failures(t, "::1", 21000, 1, &lines);
	assert_int_equal(total, 11);
	throttle_free(t);
}

/* --- the rate --- */

static void
test_a_rate_is_kept(void **state)
{
	struct rate *r = rate_new(10, 5, NULL);
	unsigned after = 0;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(rate_take(r, "a", 1000000, &after));
	assert_false(rate_take(r, "a", 1000000, &after));
	assert_int_equal(after, 1);
	assert_true(rate_take(r, "b", 1000000, &after));
	assert_false(rate_take(r, "a", 1099999, &after));
	assert_true(rate_take(r, "a", 1100000, &after));
	assert_false(rate_take(r, "a", 1100000, &after));
	for (i = 0; i < 5; i++)
		assert_true(rate_take(r, "a", (int64_t)1 << 60, &after));
	assert_false(rate_take(r, "a", (int64_t)1 << 60, &after));
	rate_free(r);
	r = rate_new(0, 0, NULL);
	for (i = 0; i < 1000; i++)
		assert_true(rate_take(r, "a", 0, &after));
	rate_free(r);
	r = rate_new(2, 0, NULL);
	assert_true(rate_take(r, "a", 5, &after));
	assert_true(rate_take(r, "a", 5, &after));
	assert_false(rate_take(r, "a", 5, &after));
	rate_free(r);
}

static void
test_a_principal_over_its_rate_is_told_when(void **state)
{
	struct auth_options o = plain;
	unsigned after = 0;
	struct auth *a;
	int i, taken = 0;

	(void)state;
	o.rate_limit = 1;
	o.rate_burst = 3;
	a = open_with(&o);
	for (i = 0; i < 100; i++)
		taken += auth_rate(a, "alice", &after);
	assert_true(taken >= 3 && taken < 100);
	assert_int_equal(after, 1);
	assert_true(auth_rate(a, "bob", &after));
	auth_close(a);
}

/* --- users.json --- */

struct user_seen {
	int count;
	char last[256];
};

static void
note_user(void *cookie, const char *name, const char *created)
{
	struct user_seen *s = cookie;
	int64_t when;

	assert_true(data_file_parse_date(created, &when));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_right_password_lets_in),
		TEST(test_wrong_and_unknown_are_answered_alike),
		TEST(test_passwords_may_hold_anything),
		TEST(test_malformed_headers_are_refused),
		TEST(test_two_headers_contradict_each_other),
		TEST(test_a_right_password_is_remembered_and_a_wrong_one_is_not),
		TEST(test_nothing_is_remembered_where_that_is_off),
		TEST(test_a_changed_password_is_forgotten_at_once),
		TEST(test_a_file_that_another_hand_changed_is_read_again),
		TEST(test_the_same_credentials_are_checked_once),
		TEST(test_too_many_passwords_at_once_are_turned_away),
		TEST(test_a_token_lets_in_until_it_is_revoked),
		TEST(test_every_changed_character_of_a_token_counts),
		TEST(test_a_token_ends_when_its_time_is_over),
		TEST(test_tokens_are_listed_and_kept_as_hashes),
		TEST(test_a_jwt_lets_in_while_its_key_is_there),
		TEST(test_a_certificate_names_the_principal),
		TEST(test_certificate_and_credentials_must_agree),
		TEST(test_after_too_many_failures_an_address_must_wait),
		TEST(test_who_was_right_once_is_checked_also_after_failures_of_others),
		TEST(test_no_credentials_are_no_failure),
		TEST(test_ten_thousand_failures_make_few_lines_and_the_right_total),
		TEST(test_a_minute_later_an_address_may_try_again),
		TEST(test_neighbours_of_an_ipv6_network_count_together),
		TEST(test_no_failure_of_many_addresses_goes_uncounted),
		TEST(test_folded_failures_are_handed_over_in_time),
		TEST(test_a_rate_is_kept),
		TEST(test_a_principal_over_its_rate_is_told_when),
		TEST(test_users_are_added_listed_and_removed),
		TEST(test_names_of_users_are_checked),
		TEST(test_a_damaged_file_is_fatal_at_the_start),
		TEST(test_dates_go_round),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
