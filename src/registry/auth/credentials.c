#include "registry/auth/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "base/equal.h"
#include "registry/auth/jwks.h"
#include "registry/auth/jwt.h"
#include "registry/auth/tokens.h"
#include "registry/base/data_file.h"
#include "registry/base/watch.h"

enum which { USERS, TOKENS, JWKS, FILES };

/* One of the files, as it was last looked at. */
struct source {
	char *path;		/* NULL: there is none */
	struct file_id id;
	bool failed;		/* what is there is not in force */
	struct error why;
};

struct credentials {
	pthread_rwlock_t lock;	/* of what follows */
	struct users *users;
	struct tokens *tokens;
	struct jwks *jwks;
	uint64_t jwks_count;	/* how often it was read */

	struct watch watch;	/* what follows is for who looks */
	struct source sources[FILES];
	pthread_mutex_t why_lock;	/* of failed and why */
};

/* What one of the files says; the others are NULL. */
struct contents {
	struct users *users;
	struct tokens *tokens;
	struct jwks *jwks;
};

/* Put the new in force and leave the old in ${t}. */
static void
swap(struct credentials *c, struct contents *t)
{
	struct contents old = *t;

	pthread_rwlock_wrlock(&c->lock);
	if (t->users != NULL) {
		old.users = c->users;
		c->users = t->users;
	}
	if (t->tokens != NULL) {
		old.tokens = c->tokens;
		c->tokens = t->tokens;
	}
	if (t->jwks != NULL) {
		old.jwks = c->jwks;
		c->jwks = t->jwks;
		c->jwks_count++;
	}
	pthread_rwlock_unlock(&c->lock);
	*t = old;
}

static int
load(struct credentials *c, enum which which, struct error *err)
{
	struct source *s = &c->sources[which];
	struct contents t = { 0 };
	struct error why = { 0 };
	bool good;

	if (s->path == NULL)
		return 0;
	if (which == USERS)
		good = (t.users = users_read(s->path, &s->id, &why)) != NULL;
	else if (which == TOKENS)
		good = (t.tokens = tokens_read(s->path, &s->id, &why)) != NULL;
	else
		good = (t.jwks = jwks_read(s->path, &s->id, &why)) != NULL;
	swap(c, &t);
	users_free(t.users);
	tokens_free(t.tokens);
	jwks_free(t.jwks);
	pthread_mutex_lock(&c->why_lock);
	s->failed = !good;
	s->why = why;
	pthread_mutex_unlock(&c->why_lock);
	if (!good && err != NULL)
		*err = why;
	return good ? 0 : -1;
}

void
credentials_refresh(struct credentials *c)
{
	struct file_id now;

	if (!watch_begin(&c->watch))
		return;
	for (unsigned i = 0; i < FILES; i++) {
		struct source *s = &c->sources[i];

		if (s->path != NULL && (file_identify(s->path, &now, NULL) != 0 ||
		    !file_id_equal(&now, &s->id)))
			(void)load(c, (enum which)i, NULL);
	}
	watch_end(&c->watch);
}

int
credentials_reload(struct credentials *c, struct error *err)
{
	int rc = 0;

	watch_begin_now(&c->watch);
	for (unsigned i = 0; i < FILES; i++) {
		if (load(c, (enum which)i, rc == 0 ? err : NULL) != 0)
			rc = -1;
	}
	watch_end(&c->watch);
	return rc;
}

int
credentials_health(struct credentials *c, struct error *err)
{
	int rc = 0;

	credentials_refresh(c);
	pthread_mutex_lock(&c->why_lock);
	for (unsigned i = 0; i < FILES && rc == 0; i++) {
		if (!c->sources[i].failed)
			continue;
		if (err != NULL)
			*err = c->sources[i].why;
		rc = -1;
	}
	pthread_mutex_unlock(&c->why_lock);
	return rc;
}

struct credentials *
credentials_open(const char *data, const char *jwks_file, struct error *err)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		error_memory(err);
		return NULL;
	}
	compat_rwlock_init(&c->lock);
	pthread_mutex_init(&c->why_lock, NULL);
	watch_init(&c->watch);
	c->sources[USERS].path = data_file_path(data, USERS_FILE, err);
	c->sources[TOKENS].path = data_file_path(data, TOKENS_FILE, err);
	if (jwks_file != NULL && (c->sources[JWKS].path = strdup(jwks_file)) == NULL)
		error_memory(err);
	if (c->sources[USERS].path == NULL || c->sources[TOKENS].path == NULL ||
	    (jwks_file != NULL && c->sources[JWKS].path == NULL) ||
	    credentials_reload(c, err) != 0) {
		credentials_close(c);
		return NULL;
	}
	return c;
}

void
credentials_close(struct credentials *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < FILES; i++)
		free(c->sources[i].path);
	users_free(c->users);
	tokens_free(c->tokens);
	jwks_free(c->jwks);
	watch_destroy(&c->watch);
	pthread_mutex_destroy(&c->why_lock);
	pthread_rwlock_destroy(&c->lock);
	free(c);
}

bool
credentials_user(struct credentials *c, const char *name, struct user *out)
{
	const struct user *u;

	pthread_rwlock_rdlock(&c->lock);
	u = users_find(c->users, name);
	if (u != NULL)
		*out = *u;
	pthread_rwlock_unlock(&c->lock);
	return u != NULL;
}

void
credentials_stamp(const struct user *u, unsigned char stamp[VERIFIED_STAMP])
{
	/* The hash has a salt of its own: another password has another hash. */
	memcpy(stamp, u->password.hash, VERIFIED_STAMP);
}

bool
credentials_user_is(struct credentials *c, const char *name,
    const unsigned char stamp[VERIFIED_STAMP])
{
	const struct user *u;
	bool same;

	pthread_rwlock_rdlock(&c->lock);
	u = users_find(c->users, name);
	same = u != NULL && secret_equal(u->password.hash, VERIFIED_STAMP, stamp, VERIFIED_STAMP);
	pthread_rwlock_unlock(&c->lock);
	return same;
}

bool
credentials_token(struct credentials *c, const struct digest *d, const char *text, size_t n,
    int64_t now, char principal[PRINCIPAL_MAX])
{
	const struct token *t;

	pthread_rwlock_rdlock(&c->lock);
	t = tokens_check(c->tokens, d, text, n, now);
	if (t != NULL)
		memcpy(principal, t->principal, PRINCIPAL_MAX);
	pthread_rwlock_unlock(&c->lock);
	return t != NULL;
}

static void
stamp_keys(const struct credentials *c, unsigned char stamp[VERIFIED_STAMP])
{
	memset(stamp, 0, VERIFIED_STAMP);
	memcpy(stamp, &c->jwks_count, sizeof(c->jwks_count));
}

bool
credentials_jwt(struct credentials *c, const char *text, size_t n,
    const struct jwt_rules *rules, int64_t now, struct verified_what *out)
{
	bool good;

	pthread_rwlock_rdlock(&c->lock);
	good = c->jwks != NULL &&
	    jwt_check(text, n, c->jwks, rules, now, out->principal, &out->expires);
	stamp_keys(c, out->stamp);
	pthread_rwlock_unlock(&c->lock);
	return good;
}

bool
credentials_keys_are(struct credentials *c, const unsigned char stamp[VERIFIED_STAMP])
{
	unsigned char now[VERIFIED_STAMP];

	pthread_rwlock_rdlock(&c->lock);
	stamp_keys(c, now);
	pthread_rwlock_unlock(&c->lock);
	return memcmp(now, stamp, VERIFIED_STAMP) == 0;
}
