#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/data_file.h"

#define HASH_TEXT 43	/* characters */
#define TTL_MAX ((int64_t)100 * 366 * 86400)

struct user_edit {
	char name[PRINCIPAL_MAX];
	struct password password;
	bool has_password;
	bool replace;
	int disabled;		/* -1: as it is */
};

struct user_listing {
	void (*visit)(void *cookie, const char *name, const char *created, bool disabled);
	void *cookie;
};

struct token_edit {
	char id[TOKENS_ID + 1];
	char principal[PRINCIPAL_MAX];
	unsigned char hash[TOKENS_HASH];
	int64_t ttl_s;
};

struct token_listing {
	void (*visit)(void *cookie, const char *id, const char *principal, const char *created,
	    const char *expires);
	void *cookie;
};

struct administrator {
	char name[AUTH_NAME_MAX];
	bool bound;		/* by a binding that stays */
	bool known;		/* there is a password or a token of this name */
	bool disabled;
	bool logs_in;		/* before */
	bool still;		/* and after */
};

struct administrators {
	const struct administrators_loss *loss;
	struct roles roles;
	int64_t now;
	struct vec items;	/* struct administrator */
	bool failed;		/* no memory */
};

static bool
has_control(const unsigned char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}

/* ERROR_USAGE unless ${n} is 1 to PASSWORD_MAX and there is no control
 * character, which HTTP Basic cannot carry (RFC 7617, section 2). */
static int
password_make(struct password *out, const void *text, size_t n, struct error *err)
{
	*out = (struct password){
		.N = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P, .salt_len = PASSWORD_SALT
	};
	if (n == 0)
		return error_set(err, ERROR_USAGE, "the password is empty");
	if (n > PASSWORD_MAX)
		return error_set(err, ERROR_USAGE, "the password is longer than %d bytes",
		    PASSWORD_MAX);
	if (has_control(text, n)) {
		error_set(err, ERROR_USAGE, "there is a control character in the password");
		return error_hint(err, "give one line without tabs; a line end at its end does not "
		    "count");
	}
	if (random_bytes(out->salt, out->salt_len, err) != 0)
		return -1;
	return scrypt_derive(text, n, out->salt, out->salt_len, out->N, out->r, out->p,
	    out->hash, sizeof(out->hash), err);
}

/* Are the parameters within the bounds above? */
static bool
password_is_sane(const struct password *p)
{
	return p->N >= PASSWORD_N_MIN && (p->N & (p->N - 1)) == 0 && p->r >= 1 && p->p >= 1 &&
	    p->N <= SCRYPT_N_MAX && p->r <= SCRYPT_R_MAX && p->p <= SCRYPT_P_MAX &&
	    (uint64_t)128 * p->N * p->r * p->p <= PASSWORD_COST_MAX &&
	    p->salt_len >= 8 && p->salt_len <= PASSWORD_SALT_MAX;
}

int
password_check(const struct password *p, const void *text, size_t n)
{
	unsigned char hash[PASSWORD_HASH];
	int rc = -1;

	if (scrypt_derive(text, n, p->salt, p->salt_len, p->N, p->r, p->p, hash,
	    sizeof(hash), NULL) == 0)
		rc = secret_equal(hash, sizeof(hash), p->hash, sizeof(p->hash));
	secmem_wipe(hash, sizeof(hash));
	return rc;
}

static bool
users_read_number(const json_t *o, const char *name, uint32_t *out)
{
	const json_t *n = json_object_get(o, name);

	if (!json_is_integer(n) || json_integer_value(n) < 1 ||
	    json_integer_value(n) > UINT32_MAX)
		return false;
	*out = (uint32_t)json_integer_value(n);
	return true;
}

/* Base64 of at most ${max} bytes. */
static bool
read_bytes(const json_t *o, const char *name, unsigned char *out, size_t max, size_t *n)
{
	const json_t *text = json_object_get(o, name);
	struct buf b;
	bool good;

	if (!json_is_string(text))
		return false;
	/* A little more than asked for, as the decoder wants room. */
	buf_init(&b, max + 16);
	good = base64_decode(&b, json_string_value(text), json_string_length(text)) == 0 &&
	    b.len > 0 && b.len <= max;
	if (good) {
		memcpy(out, b.data, b.len);
		*n = b.len;
	}
	buf_release(&b);
	return good;
}

static int
user_take(const char *name, const json_t *o, void *item, struct error *err)
{
	struct user *u = item;
	struct password *out = &u->password;
	const json_t *s = json_object_get(o, "scrypt");
	const json_t *disabled = json_object_get(o, "disabled");
	char normal[PRINCIPAL_MAX];
	size_t n = 0;

	if (!principal_normalise(name, strlen(name), normal) || strcmp(name, normal) != 0 ||
	    !principal_is_user(name))
		return data_file_bad(name, "not a name for a user", err);
	if (!users_read_number(s, "N", &out->N) || !users_read_number(s, "r", &out->r) ||
	    !users_read_number(s, "p", &out->p) ||
	    !read_bytes(s, "salt", out->salt, sizeof(out->salt), &out->salt_len) ||
	    !read_bytes(s, "hash", out->hash, sizeof(out->hash), &n) ||
	    n != sizeof(out->hash))
		return data_file_bad(name, "this user has no whole \"scrypt\" (N, r, p, salt, "
		    "hash)", err);
	if (!password_is_sane(out))
		return data_file_bad(name, "this user's scrypt parameters are out of bounds", err);
	if (disabled != NULL && !json_is_boolean(disabled))
		return data_file_bad(name, "\"disabled\" is true or false", err);
	u->disabled = json_is_true(disabled);
	memcpy(u->name, name, strlen(name) + 1);
	return 0;
}

const struct data_table users_table = {
	USERS_FILE, "users", USERS_MAX, sizeof(struct user), user_take
};

static int
set_base64(json_t *o, const char *name, const void *bytes, size_t n)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	base64_encode(&b, bytes, n);
	rc = b.failed ? -1 : json_object_set_new(o, name, json_string(buf_cstr(&b)));
	buf_release(&b);
	return rc;
}

/* Read and check, or make, what stands for one user in the file. */
static json_t *
users_to_json(const struct password *p)
{
	json_t *o = json_object();

	if (json_object_set_new(o, "N", json_integer(p->N)) == 0 &&
	    json_object_set_new(o, "r", json_integer(p->r)) == 0 &&
	    json_object_set_new(o, "p", json_integer(p->p)) == 0 &&
	    set_base64(o, "salt", p->salt, p->salt_len) == 0 &&
	    set_base64(o, "hash", p->hash, sizeof(p->hash)) == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* The administration of users.json. */

static int
user_check_name(const char *name, char out[PRINCIPAL_MAX], struct error *err)
{
	if (principal_normalise(name, strlen(name), out) && principal_is_user(out))
		return 0;
	error_set(err, ERROR_USAGE, "not a name for a user");
	return error_hint(err, "1 to 255 bytes of visible text without ':', no blank at either "
	    "end");
}

static int
user_missing(const struct user_edit *e, struct error *err)
{
	error_set(err, ERROR_MISSING, "there is no such user");
	error_key(err, e->name, strlen(e->name));
	return error_hint(err, "`propseal registry user list` lists them");
}

/* All that is asked for, or none of it. */
static int
user_set(const struct user_edit *e, json_t *o, const char *date, struct error *err)
{
	char now[DATA_FILE_DATE];

	data_file_date((int64_t)time(NULL), now);
	if (e->has_password &&
	    (data_file_set(o, "scrypt", users_to_json(&e->password), err) != 0 ||
	    data_file_set(o, date, json_string(now), err) != 0))
		return -1;
	if (e->disabled != -1 &&
	    data_file_set(o, "disabled", json_boolean(e->disabled), err) != 0)
		return -1;
	return 1;
}

static int
user_add(void *cookie, json_t *root, struct error *err)
{
	const struct user_edit *e = cookie;
	json_t *table, *o;
	bool there;

	if ((table = data_table_open(&users_table, root, false, err)) == NULL)
		return -1;
	o = json_object_get(table, e->name);
	there = o != NULL;
	if (there && !e->replace) {
		error_set(err, ERROR_EXISTS, "there is a user of this name already");
		error_key(err, e->name, strlen(e->name));
		return error_hint(err, "--replace gives the user the new password");
	}
	if (!there && data_table_open(&users_table, root, true, err) == NULL)
		return -1;
	/* What stands there may be damaged: this is how it is mended. */
	if (!json_is_object(o)) {
		o = json_object();
		if (data_file_set(table, e->name, o, err) != 0)
			return -1;
	}
	return user_set(e, o, there ? "changed" : "created", err);
}

static int
user_change(void *cookie, json_t *root, struct error *err)
{
	const struct user_edit *e = cookie;
	json_t *o = json_object_get(json_object_get(root, "users"), e->name);

	return json_is_object(o) ? user_set(e, o, "changed", err) : user_missing(e, err);
}

static int
user_edit(const char *data, const char *name, const void *password, size_t n,
    struct user_edit *e, data_file_change_fn *change, struct error *err)
{
	int rc;

	if (user_check_name(name, e->name, err) != 0 ||
	    (e->has_password && password_make(&e->password, password, n, err) != 0))
		return -1;
	rc = data_file_edit(data, USERS_FILE, change, e, err);
	secmem_wipe(e, sizeof(*e));
	return rc;
}

int
auth_user_add(const char *data, const char *name, const void *password, size_t n, bool replace,
    struct error *err)
{
	struct user_edit e = { .has_password = true, .replace = replace, .disabled = -1 };

	/* An empty one has no bytes to point to, and is refused. */
	return user_edit(data, name, password != NULL ? password : "", n, &e, user_add, err);
}

int
auth_user_change(const char *data, const char *name, const void *password, size_t n,
    int disabled, struct error *err)
{
	struct user_edit e = { .has_password = password != NULL, .disabled = disabled };

	return user_edit(data, name, password, n, &e, user_change, err);
}

static int
user_cut(void *cookie, json_t *root, struct error *err)
{
	const struct user_edit *e = cookie;
	json_t *table = json_object_get(root, "users");

	return json_object_del(table, e->name) == 0 ? 1 : user_missing(e, err);
}

/* Nothing is written, only looked for. */
static int
user_look(void *cookie, json_t *root, struct error *err)
{
	const struct user_edit *e = cookie;

	return json_object_get(json_object_get(root, "users"), e->name) != NULL ? 0 :
	    user_missing(e, err);
}

static int
tokens_cut_of(void *cookie, json_t *root, struct error *err)
{
	const struct user_edit *e = cookie;
	json_t *table = json_object_get(root, "tokens"), *o;
	const char *id, *principal;
	char name[PRINCIPAL_MAX];
	void *next;
	int changed = 0;

	(void)err;
	json_object_foreach_safe(table, next, id, o) {
		principal = json_string_value(json_object_get(o, "principal"));
		if (principal != NULL && principal_normalise(principal, strlen(principal), name) &&
		    strcmp(name, e->name) == 0 && json_object_del(table, id) == 0)
			changed = 1;
	}
	return changed;
}

int
auth_user_remove(const char *data, const char *name, struct error *err)
{
	struct user_edit e = { .replace = false };

	if (user_check_name(name, e.name, err) != 0)
		return -1;
	/* The user goes last: what was broken off can be done again. */
	if (data_file_edit(data, USERS_FILE, user_look, &e, err) != 0 ||
	    data_file_edit(data, TOKENS_FILE, tokens_cut_of, &e, err) != 0)
		return -1;
	return data_file_edit(data, USERS_FILE, user_cut, &e, err);
}

static void
user_list_one(void *cookie, const void *item, const json_t *o)
{
	const struct user_listing *l = cookie;
	const struct user *u = item;
	const char *created = json_string_value(json_object_get(o, "created"));

	l->visit(l->cookie, u->name, created != NULL ? created : "", u->disabled);
}

int
auth_user_list(const char *data, void (*visit)(void *cookie, const char *name, const char *created,
    bool disabled), void *cookie, struct error *err)
{
	struct user_listing l = { visit, cookie };

	return data_table_list(&users_table, data, user_list_one, &l, err);
}

static bool
is_id(const char *id, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(ascii_is_lower(id[i]) || (id[i] >= '2' && id[i] <= '7')))
			return false;
	}
	return n == TOKENS_ID;
}

/* Decode exactly 32 bytes. */
static bool
tokens_decode(const char *text, size_t n, unsigned char out[32])
{
	struct buf b;
	bool good;

	buf_init(&b, 64);
	good = base64url_decode(&b, text, n) == 0 && b.len == 32;
	if (good)
		memcpy(out, b.data, 32);
	buf_release(&b);
	return good;
}

static int
token_take(const char *id, const json_t *o, void *item, struct error *err)
{
	const json_t *hash = json_object_get(o, "hash");
	const json_t *expires = json_object_get(o, "expires");
	const char *principal = json_string_value(json_object_get(o, "principal"));
	const char *created = json_string_value(json_object_get(o, "created"));
	struct token *out = item;

	out->expires = INT64_MAX;
	if (!is_id(id, strlen(id)))
		return data_file_bad(id, "not the id of a token", err);
	memcpy(out->id, id, TOKENS_ID + 1);
	if (principal == NULL || !principal_normalise(principal, strlen(principal),
	    out->principal))
		return data_file_bad(id, "this token has no principal", err);
	if (!json_is_string(hash) || json_string_length(hash) != HASH_TEXT ||
	    !tokens_decode(json_string_value(hash), HASH_TEXT, out->hash))
		return data_file_bad(id, "this token has no hash", err);
	if (expires != NULL && (!json_is_string(expires) ||
	    !data_file_parse_date(json_string_value(expires), &out->expires)))
		return data_file_bad(id, "this token's end is not a date such as "
		    "2026-01-31T00:00:00Z", err);
	if (created == NULL || !data_file_parse_date(created, &out->created))
		out->created = 0;
	return 0;
}

const struct data_table tokens_table = {
	TOKENS_FILE, "tokens", TOKENS_MAX, sizeof(struct token), token_take
};

bool
tokens_is_one(const char *text, size_t n)
{
	return n > 3 && memcmp(text, TOKENS_PREFIX, 3) == 0;
}

const struct token *
tokens_find(const struct data_items *t, const char *text, size_t n)
{
	if (n != TOKENS_TEXT || !tokens_is_one(text, n) || text[3 + TOKENS_ID] != '_')
		return NULL;
	/* Its id is no secret: it is in lists. */
	return data_items_find(t, text + 3, TOKENS_ID);
}

const struct token *
tokens_check(const struct data_items *t, const struct digest *d, const char *text, size_t n,
    int64_t now)
{
	unsigned char hash[TOKENS_HASH];
	const struct token *one = tokens_find(t, text, n);
	bool good;

	if (one == NULL)
		return NULL;
	good = digest_sha256(d, text + n - TOKENS_SECRET_TEXT, TOKENS_SECRET_TEXT, hash) == 0 &&
	    secret_equal(hash, sizeof(hash), one->hash, sizeof(one->hash));
	return good && now < one->expires ? one : NULL;
}

/* The administration of tokens.json. */

static int
token_fill(const struct token_edit *e, json_t *o, struct error *err)
{
	char date[DATA_FILE_DATE];
	int64_t now = (int64_t)time(NULL);
	struct buf hash;
	int rc;

	buf_init(&hash, 64);
	base64url_encode(&hash, e->hash, sizeof(e->hash));
	data_file_date(now, date);
	rc = data_file_set(o, "principal", json_string(e->principal), err);
	if (rc == 0)
		rc = data_file_set(o, "hash", json_string(buf_cstr(&hash)), err);
	if (rc == 0)
		rc = data_file_set(o, "created", json_string(date), err);
	if (rc == 0 && e->ttl_s > 0) {
		data_file_date(now + e->ttl_s, date);
		rc = data_file_set(o, "expires", json_string(date), err);
	}
	buf_release(&hash);
	return rc;
}

static int
token_add(void *cookie, json_t *root, struct error *err)
{
	const struct token_edit *e = cookie;
	json_t *table, *o;

	if ((table = data_table_open(&tokens_table, root, true, err)) == NULL)
		return -1;
	if (json_object_get(table, e->id) != NULL)
		return error_set(err, ERROR_EXISTS, "there is a token of this id already");
	o = json_object();
	if (data_file_set(table, e->id, o, err) != 0 || token_fill(e, o, err) != 0)
		return -1;
	return 1;
}

/* Five random bits a character, in an alphabet without look-alikes 0/o, 1/l. */
static int
token_make_id(char id[TOKENS_ID + 1], struct error *err)
{
	unsigned char bytes[TOKENS_ID];

	if (random_bytes(bytes, sizeof(bytes), err) != 0)
		return -1;
	for (size_t i = 0; i < TOKENS_ID; i++)
		id[i] = "abcdefghijklmnopqrstuvwxyz234567"[bytes[i] & 31];
	id[TOKENS_ID] = '\0';
	return 0;
}

static int
make_hash(const unsigned char *text, unsigned char out[TOKENS_HASH], struct error *err)
{
	struct digest *d = digest_new(err);
	int rc;

	if (d == NULL)
		return -1;
	rc = digest_sha256(d, text, TOKENS_SECRET_TEXT, out);
	digest_free(d);
	return rc == 0 ? 0 : error_set(err, ERROR_CRYPTO, "OpenSSL cannot compute SHA-256");
}

int
auth_token_create(const char *data, const char *principal, int64_t ttl_s, char id[AUTH_TOKEN_ID],
    struct buf *out, struct error *err)
{
	unsigned char secret[TOKENS_SECRET];
	struct token_edit e = { .ttl_s = ttl_s };
	size_t before = out->len;
	int rc = -1;

	if (!principal_normalise(principal, strlen(principal), e.principal)) {
		error_set(err, ERROR_USAGE, "not a name for a principal");
		return error_hint(err, "1 to 255 bytes of visible text, no blank at either end");
	}
	if (ttl_s < 0 || ttl_s > TTL_MAX)
		return error_set(err, ERROR_USAGE, "a token lasts 1 second to 100 years, or "
		    "without end");
	if (token_make_id(e.id, err) != 0 || random_bytes(secret, sizeof(secret), err) != 0)
		goto out;
	buf_append_str(out, TOKENS_PREFIX);
	buf_append_str(out, e.id);
	buf_append_char(out, '_');
	base64url_encode(out, secret, sizeof(secret));
	if (buf_check(out, err) == 0 &&
	    make_hash(out->data + out->len - TOKENS_SECRET_TEXT, e.hash, err) == 0)
		rc = data_file_edit(data, TOKENS_FILE, token_add, &e, err);
	if (rc == 0)
		memcpy(id, e.id, sizeof(e.id));
	else
		buf_truncate(out, before);
out:
	secmem_wipe(secret, sizeof(secret));
	return rc;
}

static int
token_cut(void *cookie, json_t *root, struct error *err)
{
	const char *id = cookie;

	if (json_object_del(json_object_get(root, "tokens"), id) == 0)
		return 1;
	error_set(err, ERROR_MISSING, "there is no such token");
	error_key(err, id, strlen(id));
	return error_hint(err, "`propseal registry token list` lists their ids");
}

int
auth_token_revoke(const char *data, const char *id, struct error *err)
{
	char name[TOKENS_ID + 1];

	/* Whole tokens are taken, too, but must not get into a message. */
	if (strlen(id) == TOKENS_TEXT && tokens_is_one(id, TOKENS_TEXT))
		id += strlen(TOKENS_PREFIX);
	else if (strlen(id) != TOKENS_ID) {
		error_set(err, ERROR_USAGE, "not the id of a token");
		return error_hint(err, "`propseal registry token list` lists their ids");
	}
	memcpy(name, id, TOKENS_ID);
	name[TOKENS_ID] = '\0';
	return data_file_edit(data, TOKENS_FILE, token_cut, name, err);
}

static void
token_list_one(void *cookie, const void *item, const json_t *o)
{
	const struct token_listing *l = cookie;
	const struct token *t = item;
	const char *created = json_string_value(json_object_get(o, "created"));

	l->visit(l->cookie, t->id, t->principal, created != NULL ? created : "",
	    json_string_value(json_object_get(o, "expires")));
}

int
auth_token_list(const char *data,
    void (*visit)(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires), void *cookie, struct error *err)
{
	struct token_listing l = { visit, cookie };

	return data_table_list(&tokens_table, data, token_list_one, &l, err);
}

static struct administrator *
administrator_find(const struct administrators *a, const char *name)
{
	struct administrator *one;

	for (size_t i = 0; i < a->items.len; i++) {
		one = vec_at(&a->items, i);
		if (strcmp(one->name, name) == 0)
			return one;
	}
	return NULL;
}

static struct administrator *
administrator_add(struct administrators *a, const char *name)
{
	struct administrator *one = vec_push(&a->items);

	if (one == NULL)
		a->failed = true;
	else
		memcpy(one->name, name, strlen(name) + 1);
	return one;
}

static bool
administrator_is_revoked(const struct administrators_loss *loss, const struct binding *b)
{
	for (size_t i = 0; i < loss->count; i++) {
		if (loss->bindings[i].pattern == NULL &&
		    strcmp(loss->bindings[i].role, b->role) == 0 &&
		    strcmp(loss->bindings[i].principal, b->principal) == 0)
			return true;
	}
	return false;
}

/* Is it a role that will no more do? */
static bool
administrator_is_changed(const struct administrators_loss *loss, const struct binding *b)
{
	const struct role *role = loss->role;

	return role != NULL && strcmp(role->name, b->role) == 0 && !roles_administers(role);
}

static void
administrator_bound(void *cookie, const struct binding *b)
{
	struct administrators *a = cookie;
	struct administrator *one;

	if (b->pattern != NULL || !roles_administers(roles_find(&a->roles, b->role)) ||
	    strlen(b->principal) >= AUTH_NAME_MAX)
		return;
	one = administrator_find(a, b->principal);
	if (one == NULL && (one = administrator_add(a, b->principal)) == NULL)
		return;
	one->bound = one->bound || (!administrator_is_revoked(a->loss, b) &&
	    !administrator_is_changed(a->loss, b));
}

static void
administrator_user(void *cookie, const char *name, const char *created, bool disabled)
{
	struct administrators *a = cookie;
	struct administrator *one = administrator_find(a, name);

	(void)created;
	if (one == NULL)
		return;
	one->known = one->logs_in = one->still = true;
	one->disabled = disabled;
}

static void
administrator_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	struct administrators *a = cookie;
	struct administrator *one = administrator_find(a, principal);
	int64_t end;

	(void)created;
	if (one == NULL || (expires != NULL && data_file_parse_date(expires, &end) &&
	    end <= a->now))
		return;
	one->logs_in = true;
	if (a->loss->token != NULL && strcmp(a->loss->token, id) == 0)
		return;
	one->known = one->still = true;
}

/* Was one lost, and none is left? */
static bool
administrators_are_lost(const struct administrators *a)
{
	size_t lost = 0, left = 0;

	for (size_t i = 0; i < a->items.len; i++) {
		const struct administrator *one = vec_at(&a->items, i);
		bool elsewhere = !one->known && a->loss->elsewhere;
		bool before = !one->disabled && (one->logs_in || elsewhere);
		bool after = before && one->bound && (one->still || elsewhere) &&
		    (a->loss->user == NULL || strcmp(a->loss->user, one->name) != 0);

		lost += before && !after;
		left += after;
	}
	return lost > 0 && left == 0;
}

int
administrators_remain(const char *data, const struct administrators_loss *loss, struct error *err)
{
	struct administrators a = { .loss = loss, .now = (int64_t)time(NULL) };
	struct file_id id;
	int rc = -1;

	vec_init(&a.items, sizeof(struct administrator), SIZE_MAX);
	if (roles_read(data, &a.roles, &id, err) != 0 ||
	    access_list(data, administrator_bound, &a, err) != 0)
		goto out;
	if (a.failed) {
		error_memory(err);
		goto out;
	}
	if (a.items.len > 0 && (auth_user_list(data, administrator_user, &a, err) != 0 ||
	    auth_token_list(data, administrator_token, &a, err) != 0))
		goto out;
	rc = 0;
	if (administrators_are_lost(&a)) {
		rc = error_set(err, ERROR_REFUSED, "nobody would be left who may hand out roles on "
		    "the whole registry");
		error_hint(err, "give another login such a role first, SystemAdmin for one, or use "
		    "`propseal registry role`, `user` and `token` where the service's data is");
	}
out:
	vec_release(&a.items);
	roles_release(&a.roles);
	return rc;
}
