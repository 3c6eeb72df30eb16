#ifndef SUPPORT_AUTH_SUPPORT_H
#define SUPPORT_AUTH_SUPPORT_H

/* For tests of authentication: each runs in an empty data folder. */

#include <pthread.h>
#include <time.h>
#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "files.h"
#include "jwt_maker.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/data_file.h"

#define AUTH_TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

UNIT_HELPER void
put(const char *name, const char *text)
{
	unlink(name);
	files_put(name, text, 0600);
}

UNIT_HELPER void
user_add(const char *name, const char *password)
{
	struct error err;

	assert_int_equal(auth_user_add(".", name, password, strlen(password), true, &err), 0);
}

/* A user whose password is quickly checked. */
UNIT_HELPER void
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

UNIT_HELPER struct auth *
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

UNIT_HELPER void
on_done(struct auth_check *c)
{
	struct call *call = c->cookie;

	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->cond);
	pthread_mutex_unlock(&call->lock);
}

UNIT_HELPER void
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

UNIT_HELPER enum auth_result
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
UNIT_HELPER enum auth_result
try_from(struct auth *a, const char *header, const char *peer, struct call *c)
{
	memset(c, 0, sizeof(*c));
	c->check.peer = peer;
	begin(a, c, header);
	return wait_for(c);
}

UNIT_HELPER enum auth_result
try(struct auth *a, const char *header)
{
	struct call c;

	return try_from(a, header, "192.0.2.1", &c);
}

UNIT_HELPER const char *
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

UNIT_HELPER const char *
bearer(const char *token)
{
	static char text[8192];

	snprintf(text, sizeof(text), "Bearer %s", token);
	return text;
}

/* A token's text. */
UNIT_HELPER const char *
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

UNIT_HELPER void
until(struct auth *a, const char *header, enum auth_result result)
{
	for (int i = 0; i < 2000 && try(a, header) != result; i++)
		usleep(1000);
	assert_int_equal(try(a, header), result);
}

#endif /* !SUPPORT_AUTH_SUPPORT_H */
