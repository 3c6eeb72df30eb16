#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/store/record.h"

#define LABEL "propseal registry log 1"
#define MAGIC 4
#define REVISION 8
#define SALT 16
#define HEAD (MAGIC + REVISION + SALT + AEAD_IV)
#define AD_MAX 65536

static const char *const types[RECORD_TYPES] = {
	[RECORD_SECRET] = "SECRET", [RECORD_META] = "META", [RECORD_KEYRING] = "KEYRING",
	[RECORD_CHANGES] = "CHANGES", [RECORD_HEAD] = "HEAD", [RECORD_LEADER] = "LEADER",
	[RECORD_NOOP] = "NOOP", [RECORD_ACCESS] = "ACCESS",
};

struct record_seal {
	struct aead *aead;
	struct hkdf *hkdf;
	struct key *audit;
	struct buf ad;
	struct buf key;			/* secret: of one record */
};

/* --- keys --- */

static bool
has_name(enum record_type t)
{
	return t == RECORD_SECRET || t == RECORD_META;
}

void
record_name_write(const struct record_name *name, struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "t", types[name->type]);
	if (has_name(name->type)) {
		json_out_text_n(&o, "path", name->path, name->path_len);
		json_out_text_n(&o, "key", name->key, name->key_len);
	}
	if (name->type == RECORD_ACCESS) {
		json_out_uint(&o, "kind", name->number);
		json_out_text_n(&o, "name", name->key, name->key_len);
	}
	if (name->type == RECORD_SECRET)
		json_out_uint(&o, "version", name->number);
	else if (name->type == RECORD_CHANGES)
		json_out_uint(&o, "n", name->number);
	json_out_end(&o);
}

static bool
take_text(const json_t *o, const char *name, char *out, size_t size, size_t *n)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v) || (*n = json_string_length(v)) >= size)
		return false;
	memcpy(out, json_string_value(v), *n);
	out[*n] = '\0';
	return true;
}

static bool
take_number(const json_t *o, const char *name, uint32_t *out)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) > (json_int_t)NAME_VERSION_MAX)
		return false;
	*out = (uint32_t)json_integer_value(v);
	return true;
}

/* Behind ${before}, up to the quote: text of which nothing is escaped, and all is ASCII. */
static bool
plain_text(const char **at, const char *end, const char *before, char *out, size_t max,
    size_t *n)
{
	const size_t skip = strlen(before);
	const char *p;

	if ((size_t)(end - *at) < skip || memcmp(*at, before, skip) != 0)
		return false;
	*at += skip;
	for (p = *at; p < end && *p != '"' && *p >= ' ' && *p <= '~' && *p != '\\'; p++)
		;
	*n = (size_t)(p - *at);
	if (p == end || *p != '"' || *n > max)
		return false;
	memcpy(out, *at, *n);
	out[*n] = '\0';
	*at = p;
	return true;
}

/* A version with plain names, as record_name_write puts it: nearly all that a topic has. */
static bool
read_plain(const char *at, const char *end, struct record_name *out)
{
	static const char number[] = "\"," JSON_NAME("version");
	uint64_t version;

	if (!plain_text(&at, end, "{" JSON_NAME("t") "\"SECRET\"," JSON_NAME("path") "\"",
	    out->path, NAME_PATH_MAX, &out->path_len) ||
	    !plain_text(&at, end, "\"," JSON_NAME("key") "\"", out->key, NAME_KEY_MAX,
	    &out->key_len))
		return false;
	if ((size_t)(end - at) < sizeof(number) + 1 ||
	    memcmp(at, number, sizeof(number) - 1) != 0 || end[-1] != '}')
		return false;
	at += sizeof(number) - 1;
	if ((*at == '0' && end - at > 2) ||
	    !number_parse(at, (size_t)(end - at) - 1, NAME_VERSION_MAX, &version))
		return false;
	out->type = RECORD_SECRET;
	out->number = (uint32_t)version;
	return true;
}

static bool
read_any(const void *key, size_t n, struct record_name *out)
{
	json_t *o = json_loadb(key, n, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "t"));
	bool ok = false;
	int t = 0;

	while (type != NULL && t < RECORD_TYPES && strcmp(type, types[t]) != 0)
		t++;
	if (type != NULL && t < RECORD_TYPES) {
		out->type = (enum record_type)t;
		ok = !has_name(out->type) || (take_text(o, "path", out->path, sizeof(out->path),
		    &out->path_len) && take_text(o, "key", out->key, NAME_KEY_MAX + 1,
		    &out->key_len));
		if (out->type == RECORD_ACCESS)
			ok = take_number(o, "kind", &out->number) && take_text(o, "name",
			    out->key, sizeof(out->key), &out->key_len);
		else if (out->type == RECORD_SECRET)
			ok = ok && take_number(o, "version", &out->number);
		else if (out->type == RECORD_CHANGES)
			ok = ok && take_number(o, "n", &out->number);
	}
	json_decref(o);
	return ok;
}

bool
record_name_read(const void *key, size_t n, struct record_name *out)
{
	memset(out, 0, sizeof(*out));
	if (read_plain(key, (const char *)key + n, out))
		return true;
	memset(out, 0, sizeof(*out));
	return read_any(key, n, out);
}

/* --- sealing --- */

struct record_seal *
record_seal_new(const struct key *audit, struct error *err)
{
	struct record_seal *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	buf_init(&r->ad, AD_MAX);
	buf_init_secret(&r->key, AEAD_KEY);
	if ((r->aead = aead_new(err)) != NULL && (r->hkdf = hkdf_new(err)) != NULL &&
	    (r->audit = key_copy(audit, err)) != NULL &&
	    buf_reserve(&r->key, AEAD_KEY) == 0)
		return r;
	record_seal_free(r);
	return NULL;
}

void
record_seal_free(struct record_seal *r)
{
	if (r == NULL)
		return;
	aead_free(r->aead);
	hkdf_free(r->hkdf);
	key_free(r->audit);
	buf_release(&r->ad);
	buf_release(&r->key);
	free(r);
}

static void
put64(unsigned char out[8], uint64_t n)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(n >> (56 - 8 * i));
}

static uint64_t
get64(const unsigned char in[8])
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | in[i];
	return n;
}

/* The key of the value that begins with ${head}, and what it is bound to. */
static int
prepare(struct record_seal *r, const unsigned char head[HEAD], const void *key, size_t key_len,
    const void *text, size_t text_len, struct error *err)
{
	struct hkdf_input in = {
		.secret = key_bytes(r->audit), .secret_len = key_length(r->audit),
		.salt = head + MAGIC + REVISION, .salt_len = SALT,
		.info = LABEL, .info_len = sizeof(LABEL) - 1,
	};
	unsigned char length[8];

	put64(length, key_len);
	buf_clear(&r->ad);
	buf_append(&r->ad, LABEL, sizeof(LABEL));
	buf_append(&r->ad, head, MAGIC + REVISION);
	buf_append(&r->ad, length, sizeof(length));
	buf_append(&r->ad, key, key_len);
	buf_append(&r->ad, text, text_len);
	if (buf_check(&r->ad, err) != 0)
		return -1;
	return hkdf_derive(r->hkdf, &in, r->key.data, AEAD_KEY, err);
}

static int
seal(struct record_seal *r, const char *magic, const struct buf *key, uint64_t revision,
    const struct buf *body, const struct buf *text, struct buf *out, struct error *err)
{
	unsigned char head[HEAD];
	struct buf sealed;
	int rc;

	memcpy(head, magic, MAGIC);
	put64(head + MAGIC, revision);
	buf_init(&sealed, BUF_MAX_FILE);
	rc = random_bytes(head + MAGIC + REVISION, SALT, err);
	if (rc == 0)
		rc = prepare(r, head, key->data, key->len, text != NULL ? text->data : NULL,
		    text != NULL ? text->len : 0, err);
	if (rc == 0)
		rc = aead_seal(r->aead, r->key.data, (struct aead_data){ r->ad.data, r->ad.len },
		    body != NULL ? body->data : NULL, body != NULL ? body->len : 0,
		    head + HEAD - AEAD_IV, &sealed, err);
	secmem_wipe(r->key.data, AEAD_KEY);
	if (rc == 0) {
		buf_append(out, head, HEAD);
		buf_append(out, sealed.data, sealed.len);
		if (text != NULL)
			buf_append(out, text->data, text->len);
		rc = buf_check(out, err);
	}
	buf_release(&sealed);
	return rc;
}

int
record_seal(struct record_seal *r, const struct buf *key, uint64_t revision,
    const struct buf *body, struct buf *out, struct error *err)
{
	return seal(r, "PSL1", key, revision, body, NULL, out, err);
}

int
record_seal_keyring(struct record_seal *r, const struct buf *key, uint64_t revision,
    const struct buf *text, struct buf *out, struct error *err)
{
	return seal(r, "PSK1", key, revision, NULL, text, out, err);
}

int
record_open(struct record_seal *r, const void *key, size_t key_len, const void *value, size_t n,
    uint64_t *revision, struct buf *body, struct error *err)
{
	const unsigned char *head = value;
	int rc;

	if (n < HEAD + AEAD_TAG || memcmp(head, "PSL1", MAGIC) != 0)
		return error_set(err, ERROR_DAMAGED, "it is no record of a registry");
	*revision = get64(head + MAGIC);
	if (prepare(r, head, key, key_len, NULL, 0, err) != 0)
		return -1;
	rc = aead_open(r->aead, r->key.data, head + HEAD - AEAD_IV,
	    (struct aead_data){ r->ad.data, r->ad.len }, head + HEAD, n - HEAD, body, err);
	secmem_wipe(r->key.data, AEAD_KEY);
	return rc;
}

const char *
record_keyring_text(const void *value, size_t n, size_t *text_len)
{
	if (n <= HEAD + AEAD_TAG || memcmp(value, "PSK1", MAGIC) != 0)
		return NULL;
	*text_len = n - HEAD - AEAD_TAG;
	return (const char *)value + HEAD + AEAD_TAG;
}

int
record_open_keyring(struct record_seal *r, const void *key, size_t key_len, const void *value,
    size_t n, uint64_t *revision, struct error *err)
{
	const unsigned char *head = value;
	struct buf nothing;
	const char *text;
	size_t text_len;
	int rc;

	if ((text = record_keyring_text(value, n, &text_len)) == NULL)
		return error_set(err, ERROR_DAMAGED, "it is no keyring");
	*revision = get64(head + MAGIC);
	if (prepare(r, head, key, key_len, text, text_len, err) != 0)
		return -1;
	buf_init_secret(&nothing, AEAD_TAG);
	rc = aead_open(r->aead, r->key.data, head + HEAD - AEAD_IV,
	    (struct aead_data){ r->ad.data, r->ad.len }, head + HEAD, AEAD_TAG, &nothing, err);
	secmem_wipe(r->key.data, AEAD_KEY);
	buf_release(&nothing);
	return rc;
}

/* --- bodies --- */

void
record_put(struct buf *out, int64_t number)
{
	unsigned char bytes[8];

	put64(bytes, (uint64_t)number);
	buf_append(out, bytes, sizeof(bytes));
}

void
record_put_bytes(struct buf *out, const void *bytes, size_t n)
{
	record_put(out, (int64_t)n);
	buf_append(out, bytes, n);
}

int64_t
record_get(struct record_body *b)
{
	uint64_t n;

	if (b->left < 8) {
		b->bad = true;
		return 0;
	}
	n = get64(b->at);
	b->at += 8;
	b->left -= 8;
	return (int64_t)n;
}

const void *
record_get_bytes(struct record_body *b, size_t *n)
{
	uint64_t len = (uint64_t)record_get(b);
	const void *bytes = b->at;

	*n = 0;
	if (b->bad || len > b->left) {
		b->bad = true;
		return "";
	}
	*n = (size_t)len;
	b->at += *n;
	b->left -= *n;
	return bytes;
}
