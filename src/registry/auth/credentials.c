#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/base64.h"
#include "file/file.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/data_file.h"

#define SHARDS 64
#define SETS 16			/* of a shard */
#define WAYS 4
#define LIFE 60			/* times cache_ms */

struct entry {
	unsigned char key[MAC_BYTES];
	int64_t idle_ms;	/* over when not used until then */
	int64_t end_ms;		/* over in any case; 0: unused */
	struct verified_what what;
};

struct shard {
	pthread_mutex_t lock;
	struct entry sets[SETS][WAYS];
};

struct verified {
	int64_t cache_ms;
	struct shard shards[SHARDS];
};

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
	struct data_items *users;
	struct data_items *tokens;
	struct jwks *jwks;
	uint64_t jwks_count;	/* how often it was read */

	struct watch watch;	/* what follows is for who looks */
	struct source sources[FILES];
	pthread_mutex_t why_lock;	/* of failed and why */
};

/* What one of the files says; the others are NULL. */
struct contents {
	struct data_items *users;
	struct data_items *tokens;
	struct jwks *jwks;
};

void
authorization_parse(const char *header, struct authorization *out)
{
	size_t word;

	*out = (struct authorization){ AUTHORIZATION_NONE, "", 0 };
	if (header == NULL)
		return;
	header += strspn(header, " \t");
	if (*header == '\0')
		return;
	word = strcspn(header, " \t");
	out->text = header + word + strspn(header + word, " \t");
	out->n = strlen(out->text);
	while (out->n > 0 && strchr(" \t", out->text[out->n - 1]) != NULL)
		out->n--;
	if (word == 5 && strncasecmp(header, "Basic", word) == 0)
		out->scheme = AUTHORIZATION_BASIC;
	else if (word == 6 && strncasecmp(header, "Bearer", word) == 0)
		out->scheme = AUTHORIZATION_BEARER;
	else
		out->scheme = AUTHORIZATION_OTHER;
}

bool
authorization_basic(const struct authorization *a, char name[PRINCIPAL_MAX], struct buf *password)
{
	const unsigned char *colon;
	size_t n;
	struct buf both;
	bool good = false;

	buf_init_secret(&both, a->n + 4);
	if (a->n == 0 || base64_decode(&both, a->text, a->n) != 0 || both.len == 0)
		goto out;
	colon = memchr(both.data, ':', both.len);
	if (colon == NULL)
		goto out;
	n = (size_t)(colon - both.data);
	if (!principal_normalise((const char *)both.data, n, name))
		goto out;
	buf_append(password, colon + 1, both.len - n - 1);
	good = !password->failed;
out:
	buf_release(&both);
	return good;
}

struct verified *
verified_new(unsigned cache_ms, struct error *err)
{
	struct verified *v = error_alloc(sizeof(*v), err);

	if (v == NULL)
		return NULL;
	v->cache_ms = cache_ms;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&v->shards[i].lock, NULL);
	return v;
}

void
verified_free(struct verified *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&v->shards[i].lock);
	secmem_wipe(v, sizeof(*v));
	free(v);
}

/* The keys are sums under a secret key: any of their bits spread them. */
static struct entry *
verified_lock_set(struct verified *v, const unsigned char key[MAC_BYTES], struct shard **shard)
{
	*shard = &v->shards[key[0] % SHARDS];
	pthread_mutex_lock(&(*shard)->lock);
	return (*shard)->sets[key[1] % SETS];
}

static bool
verified_is_over(const struct entry *e, int64_t now_ms)
{
	return now_ms >= e->idle_ms || now_ms >= e->end_ms;
}

/* The entry, over or not; NULL: there is none. */
static struct entry *
verified_find(struct entry *set, const unsigned char key[MAC_BYTES])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].end_ms != 0 && memcmp(set[i].key, key, MAC_BYTES) == 0)
			return &set[i];
	return NULL;
}

bool
verified_get(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    struct verified_what *out)
{
	struct entry *e;
	struct shard *s;
	bool found;

	if (v->cache_ms == 0)
		return false;
	e = verified_find(verified_lock_set(v, key, &s), key);
	found = e != NULL && !verified_is_over(e, now_ms);
	if (found) {
		e->idle_ms = now_ms + v->cache_ms;
		*out = e->what;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

bool
verified_once(struct verified *v, const unsigned char key[MAC_BYTES])
{
	struct shard *s;
	bool found = verified_find(verified_lock_set(v, key, &s), key) != NULL;

	pthread_mutex_unlock(&s->lock);
	return found;
}

void
verified_forget(struct verified *v, const unsigned char key[MAC_BYTES])
{
	struct shard *s;
	struct entry *e = verified_find(verified_lock_set(v, key, &s), key);

	if (e != NULL)
		secmem_wipe(e, sizeof(*e));
	pthread_mutex_unlock(&s->lock);
}

void
verified_put(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    const struct verified_what *what)
{
	struct entry *set, *e;
	struct shard *s;
	size_t i;

	if (v->cache_ms == 0)
		return;
	set = verified_lock_set(v, key, &s);
	/* That which was not used for longest goes. */
	if ((e = verified_find(set, key)) == NULL) {
		e = &set[0];
		for (i = 1; i < WAYS; i++)
			if (set[i].idle_ms < e->idle_ms)
				e = &set[i];
	}
	memcpy(e->key, key, MAC_BYTES);
	e->idle_ms = now_ms + v->cache_ms;
	e->end_ms = now_ms + LIFE * v->cache_ms;
	e->what = *what;
	pthread_mutex_unlock(&s->lock);
}

/* Put the new in force and leave the old in ${t}. */
static void
credentials_swap(struct credentials *c, struct contents *t)
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
credentials_load(struct credentials *c, enum which which, struct error *err)
{
	struct source *s = &c->sources[which];
	struct contents t = { 0 };
	struct error why = { 0 };
	bool good;

	if (s->path == NULL)
		return 0;
	if (which == USERS)
		good = (t.users = data_items_read(&users_table, s->path, &s->id, &why)) != NULL;
	else if (which == TOKENS)
		good = (t.tokens = data_items_read(&tokens_table, s->path, &s->id, &why)) != NULL;
	else
		good = (t.jwks = jwks_read(s->path, &s->id, &why)) != NULL;
	credentials_swap(c, &t);
	data_items_free(t.users);
	data_items_free(t.tokens);
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

		if (s->path != NULL && (data_file_identify(s->path, &now, NULL) != 0 ||
		    !file_id_equal(&now, &s->id)))
			(void)credentials_load(c, (enum which)i, NULL);
	}
	watch_end(&c->watch);
}

int
credentials_reload(struct credentials *c, struct error *err)
{
	int rc = 0;

	watch_begin_now(&c->watch);
	for (unsigned i = 0; i < FILES; i++) {
		if (credentials_load(c, (enum which)i, rc == 0 ? err : NULL) != 0)
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
	struct credentials *c = error_alloc(sizeof(*c), err);

	if (c == NULL)
		return NULL;
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
	data_items_free(c->users);
	data_items_free(c->tokens);
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
	u = data_items_find(c->users, name, strlen(name));
	if (u != NULL)
		*out = *u;
	pthread_rwlock_unlock(&c->lock);
	return u != NULL;
}

bool
credentials_disabled(struct credentials *c, const char *name)
{
	const struct user *u;
	bool disabled;

	pthread_rwlock_rdlock(&c->lock);
	u = data_items_find(c->users, name, strlen(name));
	disabled = u != NULL && u->disabled;
	pthread_rwlock_unlock(&c->lock);
	return disabled;
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
	u = data_items_find(c->users, name, strlen(name));
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

bool
credentials_token_describe(struct credentials *c, const char *text, char id[TOKENS_ID + 1],
    int64_t *created, int64_t *expires)
{
	const struct token *t;

	pthread_rwlock_rdlock(&c->lock);
	t = tokens_find(c->tokens, text, strlen(text));
	if (t != NULL) {
		memcpy(id, t->id, TOKENS_ID + 1);
		*created = t->created;
		*expires = t->expires != INT64_MAX ? t->expires : 0;
	}
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
credentials_jwt(struct credentials *c, const char *text, size_t n, const struct jwt_rules *rules,
    int64_t now, struct verified_what *out)
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
