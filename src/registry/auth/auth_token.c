/* The administration of tokens.json. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "registry/auth/auth.h"
#include "registry/auth/tokens.h"
#include "registry/base/data_file.h"

#define TTL_MAX ((int64_t)100 * 366 * 86400)

struct edit {
	char id[TOKENS_ID + 1];
	char principal[PRINCIPAL_MAX];
	unsigned char hash[TOKENS_HASH];
	int64_t ttl_s;
};

static int
fill(const struct edit *e, json_t *o, struct error *err)
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
add(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	json_t *table, *o;

	if (json_object_get(root, "tokens") == NULL &&
	    data_file_set(root, "tokens", json_object(), err) != 0)
		return -1;
	if (tokens_table(root, &table, err) != 0)
		return -1;
	if (json_object_size(table) >= TOKENS_MAX)
		return error_set(err, ERROR_LIMIT, "there are %d tokens already", TOKENS_MAX);
	if (json_object_get(table, e->id) != NULL)
		return error_set(err, ERROR_EXISTS, "there is a token of this id already");
	o = json_object();
	if (data_file_set(table, e->id, o, err) != 0 || fill(e, o, err) != 0)
		return -1;
	return 1;
}

/* Five random bits a character, in an alphabet without look-alikes 0/o, 1/l. */
static int
make_id(char id[TOKENS_ID + 1], struct error *err)
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
auth_token_create(const char *data, const char *principal, int64_t ttl_s, char id[13],
    struct buf *out, struct error *err)
{
	unsigned char secret[TOKENS_SECRET];
	struct edit e = { .ttl_s = ttl_s };
	size_t before = out->len;
	int rc = -1;

	if (!principal_normalise(principal, strlen(principal), e.principal)) {
		error_set(err, ERROR_USAGE, "not a name for a principal");
		return error_hint(err, "1 to 255 bytes of visible text, no blank at either end");
	}
	if (ttl_s < 0 || ttl_s > TTL_MAX)
		return error_set(err, ERROR_USAGE, "a token lasts 1 second to 100 years, or "
		    "without end");
	if (make_id(e.id, err) != 0 || random_bytes(secret, sizeof(secret), err) != 0)
		goto out;
	buf_append_str(out, TOKENS_PREFIX);
	buf_append_str(out, e.id);
	buf_append_char(out, '_');
	base64url_encode(out, secret, sizeof(secret));
	if (buf_check(out, err) == 0 &&
	    make_hash(out->data + out->len - TOKENS_SECRET_TEXT, e.hash, err) == 0)
		rc = data_file_edit(data, TOKENS_FILE, add, &e, err);
	if (rc == 0)
		memcpy(id, e.id, sizeof(e.id));
	else
		buf_truncate(out, before);
out:
	secmem_wipe(secret, sizeof(secret));
	return rc;
}

static int
cut(void *cookie, json_t *root, struct error *err)
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
	return data_file_edit(data, TOKENS_FILE, cut, name, err);
}

struct listing {
	void (*visit)(void *cookie, const char *id, const char *principal, const char *created,
	    const char *expires);
	void *cookie;
};

static int
list_one(void *cookie, const char *id, const json_t *o, struct error *err)
{
	const struct listing *l = cookie;
	const char *created = json_string_value(json_object_get(o, "created"));
	struct token one;

	if (tokens_from_json(id, o, &one, err) != 0)
		return -1;
	l->visit(l->cookie, one.id, one.principal, created != NULL ? created : "",
	    json_string_value(json_object_get(o, "expires")));
	return 0;
}

int
auth_token_list(const char *data, void (*visit)(void *cookie, const char *id,
    const char *principal, const char *created, const char *expires), void *cookie,
    struct error *err)
{
	struct listing l = { visit, cookie };

	return data_file_list(data, TOKENS_FILE, tokens_table, list_one, &l, err);
}
