#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "rotation/rotation_internal.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* What the session keeps of keys and values: the old master key and the key of the hashes,
 * wrapped, and a keyed hash of each value. */

#define WRAP_INFO "propseal rotation: what is wrapped under the new master key"
#define VALUE_PURPOSE "propseal rotation: hash of a value"

void
wrapped_release(struct wrapped *w)
{
	key_free(w->old);
	key_free(w->hash);
	*w = (struct wrapped){ NULL, NULL };
}

/* The key that wraps, into ${out} (secret), and what is bound to it: session and file. */
static int
wrapping_key(const struct rotation *r, const struct item *x, const struct key *new,
    struct buf *out, struct buf *ad, struct error *err)
{
	const struct hkdf_input in = { .secret = key_bytes(new), .secret_len = key_length(new),
		.salt = r->id, .salt_len = strlen(r->id), .info = WRAP_INFO,
		.info_len = strlen(WRAP_INFO) };

	buf_append(ad, r->id, strlen(r->id) + 1);
	buf_append(ad, x->file, strlen(x->file) + 1);
	if (buf_reserve(out, AEAD_KEY) != 0 || buf_check(ad, err) != 0)
		return buf_check(out, err) != 0 ? -1 : buf_check(ad, err);
	if (hkdf_derive(r->hkdf, &in, out->data, AEAD_KEY, err) != 0)
		return -1;
	out->len = AEAD_KEY;
	return 0;
}

int
keys_wrap(struct rotation *r, struct item *x, const struct key *new, const struct wrapped *w,
    struct error *err)
{
	unsigned char iv[AEAD_IV], length = (unsigned char)key_length(w->old);
	struct buf key, ad, plain, out;
	int rc;

	buf_init_secret(&key, 4096);
	buf_init_secret(&plain, 4096);
	buf_init(&ad, 65536);
	buf_init(&out, 65536);
	buf_append(&plain, &length, 1);
	buf_append(&plain, key_bytes(w->old), key_length(w->old));
	buf_append(&plain, key_bytes(w->hash), key_length(w->hash));
	rc = buf_check(&plain, err);
	if (rc == 0)
		rc = wrapping_key(r, x, new, &key, &ad, err);
	/* The IV goes in front, and is known only when it is sealed. */
	buf_append(&out, (const unsigned char[AEAD_IV]){ 0 }, AEAD_IV);
	if (rc == 0)
		rc = aead_seal(r->aead, key.data, (struct aead_data){ ad.data, ad.len }, plain.data,
		    plain.len, iv, &out, err);
	if (rc == 0 && (rc = buf_check(&out, err)) == 0) {
		memcpy(out.data, iv, AEAD_IV);
		rc = session_put(r, STORE_KEYS, out.data, out.len, &x->parts[STORE_KEYS], err);
	}
	buf_release(&key);
	buf_release(&plain);
	buf_release(&ad);
	buf_release(&out);
	return rc;
}

/* ERROR_KEY: ${new} is not the key. */
static int
keys_unwrap(struct rotation *r, const struct item *x, const struct key *new, struct wrapped *w,
    struct error *err)
{
	struct buf key, ad, plain, in;
	struct error why;
	int rc;

	buf_init_secret(&key, 4096);
	buf_init_secret(&plain, 4096);
	buf_init(&ad, 65536);
	buf_init(&in, 65536);
	*w = (struct wrapped){ NULL, NULL };
	rc = session_get(r, STORE_KEYS, &x->parts[STORE_KEYS], &in, err);
	if (rc == 0)
		rc = wrapping_key(r, x, new, &key, &ad, err);
	if (rc == 0 && (in.len < AEAD_IV || aead_open(r->aead, key.data, in.data,
	    (struct aead_data){ ad.data, ad.len }, in.data + AEAD_IV, in.len - AEAD_IV, &plain,
	    &why) != 0 || plain.len < 1 || plain.len != 1U + plain.data[0] + KEY_LENGTH_DEFAULT)) {
		error_set(err, ERROR_KEY, "this is not the new key of the rotation %s", r->id);
		error_place(err, x->file, 0);
		rc = error_hint(err, "it takes the passphrase that was given to `rotation plan` as "
		    "--passphrase-new, or the key that it gives");
	}
	if (rc == 0 && ((w->old = key_from_bytes(plain.data + 1, plain.data[0], err)) == NULL ||
	    (w->hash = key_from_bytes(plain.data + 1 + plain.data[0], KEY_LENGTH_DEFAULT,
	    err)) == NULL)) {
		wrapped_release(w);
		rc = -1;
	}
	buf_release(&key);
	buf_release(&plain);
	buf_release(&ad);
	buf_release(&in);
	return rc;
}

bool
rotation_key_fits(const struct rotation_want *w, const struct key *k)
{
	struct wrapped found;

	if (!w->is_new) {
		const char *wrapped = secrets_file_metadata(w->secrets)->data_key;
		struct key *data_key = wrapped == NULL ? NULL :
		    wrap_open(k, wrapped, strlen(wrapped), NULL);
		bool fits = data_key != NULL;

		key_free(data_key);
		return fits;
	}
	if (keys_unwrap(w->session, w->item, k, &found, NULL) != 0)
		return false;
	wrapped_release(&found);
	return true;
}

int
keys_find(struct rotation *r, const struct item *x, const struct rotation_callbacks *cb,
    void *cookie, struct key **new, struct wrapped *w, struct error *err)
{
	char *path = rotation_path(r, x->file);
	struct rotation_want want = { .path = path, .file = x->file, .is_new = true,
		.common = r->common, .salt = item_salt(x), .iterations = x->iterations,
		.length = x->length, .session = r, .item = x };
	int rc = -1;

	*new = NULL;
	if (path == NULL)
		error_memory(err);
	else if ((*new = cb->key(cookie, &want, err)) != NULL)
		rc = keys_unwrap(r, x, *new, w, err);
	if (rc != 0) {
		key_free(*new);
		*new = NULL;
	}
	free(path);
	return rc;
}

/* --- values --- */

/* A hash as it is kept: the name's length (four bytes, lowest first), the name, the hash. */
struct value {
	const char *name;
	size_t len;
	const unsigned char *hash;
};

static void
value_put(struct buf *out, const char *name, size_t len, const unsigned char hash[MAC_BYTES])
{
	for (unsigned int i = 0; i < 4; i++)
		buf_append_char(out, (char)((len >> (8 * i)) & 0xff));
	buf_append(out, name, len);
	buf_append(out, hash, MAC_BYTES);
}

static bool
value_next(const struct buf *b, size_t *at, struct value *out)
{
	const unsigned char *p = b->data + *at;
	size_t left = b->len - *at;

	if (left < 4)
		return false;
	out->len = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	if (left - 4 < MAC_BYTES || left - 4 - MAC_BYTES < out->len)
		return false;
	out->name = (const char *)p + 4;
	out->hash = p + 4 + out->len;
	*at += 4 + out->len + MAC_BYTES;
	return true;
}

int
values_take(const struct secrets_file *s, const struct key *hash, struct buf *out,
    size_t *count, const struct rotation_callbacks *cb, void *cookie, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct mac *mac = mac_new(hash, VALUE_PURPOSE, err);
	unsigned char sum[MAC_BYTES];
	struct error why, last = { .code = ERROR_NONE };
	struct buf plain;
	const char *name;
	size_t len;
	int rc = mac == NULL ? -1 : 0;

	*count = 0;
	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		buf_clear(&plain);
		++*count;
		if (secrets_file_open(s, i, &plain, &why) != 0) {
			if (last.code != ERROR_NONE && cb->problem != NULL)
				cb->problem(cookie, &last);
			last = why;
			continue;
		}
		name = document_key(d, i, &len);
		rc = mac_sum(mac, name, len, plain.data, plain.len, sum, err);
		value_put(out, name, len, sum);
	}
	if (rc == 0)
		rc = buf_check(out, err);
	if (rc == 0 && last.code != ERROR_NONE) {
		if (err != NULL)
			*err = last;
		rc = -1;
	}
	buf_release(&plain);
	mac_free(mac);
	return rc;
}

/* Did somebody without a key put it there?  Only a tag that fits says no. */
static int
value_is_proved(const struct secrets_file *s, const struct value *v, bool *proved,
    struct error *err)
{
	size_t i = secrets_file_find(s, v->name, v->len);
	enum tag_state state = TAG_NONE;

	if (i != DOCUMENT_NONE && secrets_file_tag(s, i, &state, NULL, err) != 0)
		return -1;
	*proved = state == TAG_GOOD;
	return 0;
}

/* ${s}: it has the value; NULL: it does not any more. */
static int
tell_difference(struct rotation *r, const struct item *x, const struct secrets_file *s,
    const struct value *v, const char *text, struct values_found *found,
    const struct rotation_callbacks *cb, void *cookie, struct error *err)
{
	char *path = rotation_path(r, x->file);
	struct error what;
	bool proved = true;

	if (s != NULL && value_is_proved(s, v, &proved, err) != 0) {
		free(path);
		return -1;
	}
	found->differences++;
	found->unproved += !proved;
	error_set(&what, ERROR_STALE, "%s%s", text, proved ? "" : ", and has no tag that fits: "
	    "it may be of another entry");
	error_place(&what, path != NULL ? path : x->file, 0);
	error_key(&what, v->name, v->len);
	if (cb->problem != NULL)
		cb->problem(cookie, &what);
	free(path);
	return 0;
}

int
values_compare(struct rotation *r, const struct item *x, const struct secrets_file *s,
    const struct buf *now, struct values_found *found, const struct rotation_callbacks *cb,
    void *cookie, struct error *err)
{
	struct map *map = map_new();
	size_t at = 0, start = 0;
	struct value v, w;
	struct buf then;
	int rc = map == NULL ? error_memory(err) : 0;

	buf_init(&then, BUF_MAX_FILE);
	if (rc == 0)
		rc = session_get(r, STORE_VALUES, &x->parts[STORE_VALUES], &then, err);
	for (; rc == 0 && value_next(now, &at, &v); start = at)
		if (map_put(map, v.name, v.len, start) != 0)
			rc = error_memory(err);
	for (at = 0; rc == 0 && value_next(&then, &at, &v);) {
		if (!map_get(map, v.name, v.len, &start)) {
			rc = tell_difference(r, x, NULL, &v, "the entry is gone since the rotation "
			    "was planned", found, cb, cookie, err);
			continue;
		}
		(void)value_next(now, &start, &w);
		if (secret_equal(v.hash, MAC_BYTES, w.hash, MAC_BYTES))
			found->same++;
		else
			rc = tell_difference(r, x, s, &v, "the value is another than when the "
			    "rotation was planned", found, cb, cookie, err);
		if (rc == 0 && map_put(map, v.name, v.len, SIZE_MAX) != 0)
			rc = error_memory(err);
	}
	for (at = 0; rc == 0 && value_next(now, &at, &v);)
		if (map_get(map, v.name, v.len, &start) && start != SIZE_MAX)
			rc = tell_difference(r, x, s, &v, "the entry is new since the rotation was "
			    "planned", found, cb, cookie, err);
	map_free(map);
	buf_release(&then);
	return rc;
}
