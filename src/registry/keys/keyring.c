#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/keys/keyring.h"

#define RING_KEYS_MAX 64	/* one, but for two while a rotation runs */
#define RING_KEY 32		/* bytes: data keys, audit key, kek, check, salt */
#define RING_SALT 32
#define RING_CHECK 32
#define RING_IV 12
#define RING_WRAPPED (RING_KEY + 16)

/* The cost of a passphrase (RFC 7914; about 0.1 s and 32 MiB). */
#define RING_SCRYPT_N (1 << 15)
#define RING_SCRYPT_R 8
#define RING_SCRYPT_P 1

#define LABEL_KEK "propseal registry 1 key encryption key"
#define LABEL_CHECK "propseal registry 1 master check"

#define DATA_LABEL "propseal registry 1 data key"
#define AUDIT_LABEL "propseal registry 1 audit key"

/* Associated data of the audit key: the ring's numbers, and 64 data keys. */
#define AD_MAX 8192

#define FORMAT 1
#define TEXT_MAX (64 << 10)
#define BASE64_MAX 128		/* characters of the longest byte string */

/*
 * What a keyring is made of.
 *
 *   root   a raw master secret's 32 bytes, or scrypt(passphrase, salt)
 *   kek    HKDF(root, salt, one label), wraps the keys
 *   check  HKDF(root, salt, another label), in the clear: tells whether a
 *          master secret fits.  To try a passphrase on it costs a scrypt.
 *
 * Keys are wrapped by AES-256-GCM under the kek.  A data key's associated data
 * are its purpose, its kid and the salt.  The audit key's are all the rest of
 * the ring, so that nothing in it can be changed, left out or put back.
 *
 * A struct ring is in secret memory of its own: a forked child finds it empty.
 */

struct ring_wrapped {
	unsigned char iv[RING_IV];
	unsigned char bytes[RING_WRAPPED];
};

struct ring_key {
	uint32_t kid;
	unsigned char key[RING_KEY];
	struct ring_wrapped wrapped;
};

/* How a master secret becomes the kek. */
struct ring_kdf {
	bool passphrase;
	uint64_t n;		/* scrypt's; 0 unless ${passphrase} */
	uint32_t r, p;
	unsigned char salt[RING_SALT];
	unsigned char check[RING_CHECK];
};

struct ring {
	size_t cap;		/* of the mapping */
	struct ring_kdf kdf;
	unsigned char kek[RING_KEY];
	uint32_t active;
	size_t count;		/* of ${keys}, which ascend by kid */
	struct ring_key keys[RING_KEYS_MAX];
	unsigned char audit[RING_KEY];
	struct ring_wrapped audit_wrapped;
};

/*
 * A ring as the KEYRING record's value, JSON without blanks:
 *
 *   {"m":1,"kdf":{"name":"scrypt","n":32768,"r":8,"p":1},"salt":"...",
 *    "check":"...","active":2,"keys":[{"kid":2,"iv":"...","wrapped":"..."}],
 *    "audit":{"iv":"...","wrapped":"..."}}
 *
 * m is the format; kdf is {"name":"none"} for a raw master secret; bytes are
 * in base64 (RFC 4648 section 4).  Nothing in it is secret.
 */

/*
 * A change is made on a copy of the ring, which then takes the ring's place;
 * so one that fails leaves everything as it was.
 */
struct keyring {
	pthread_rwlock_t lock;		/* of ${ring} */
	struct ring *ring;
	atomic_uint_fast64_t generation;
	struct key *audit;		/* never changes */
};

static struct ring *
ring_new(struct error *err)
{
	struct ring *r;
	size_t cap;

	r = secmem_map(sizeof(*r), &cap);
	if (r == NULL) {
		error_memory(err);
		return NULL;
	}
	r->cap = cap;
	return r;
}

static struct ring *
ring_copy(const struct ring *r, struct error *err)
{
	struct ring *copy = ring_new(err);
	size_t cap;

	if (copy == NULL)
		return NULL;
	cap = copy->cap;
	memcpy(copy, r, sizeof(*copy));
	copy->cap = cap;
	return copy;
}

/* All zero.  NULL: no memory. */
static void
ring_free(struct ring *r)
{
	if (r != NULL)
		secmem_unmap(r, r->cap);
}

/* The entry of a kid, or NULL. */
static struct ring_key *
ring_find(struct ring *r, uint32_t kid)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->keys[i].kid == kid)
			return &r->keys[i];
	return NULL;
}

/* One output of HKDF over the root. */
static int
labelled(struct hkdf *h, const unsigned char *root, const struct ring_kdf *kdf, const char *label,
    unsigned char *out, size_t n, struct error *err)
{
	struct hkdf_input in = {
		.secret = root, .secret_len = RING_KEY,
		.salt = kdf->salt, .salt_len = RING_SALT,
		.info = label, .info_len = strlen(label),
	};

	return hkdf_derive(h, &in, out, n, err);
}

/* The kek and the check value that ${m} gives by ${kdf}. */
static int
derive(const struct ring_kdf *kdf, const struct master *m, unsigned char kek[RING_KEY],
    unsigned char check[RING_CHECK], struct error *err)
{
	struct hkdf *h = hkdf_new(err);
	const struct buf *bytes;
	unsigned char *root;
	bool passphrase;
	struct buf mem;
	int result = -1;

	/* In secret memory, as the stack is not. */
	buf_init_secret(&mem, RING_KEY);
	if (h == NULL || buf_reserve(&mem, RING_KEY) == -1) {
		(void)buf_check(&mem, err);
		goto out;
	}
	root = mem.data;
	mem.len = RING_KEY;
	bytes = master_bytes(m, &passphrase);
	if (!passphrase)
		memcpy(root, bytes->data, RING_KEY);
	else if (scrypt_derive(bytes->data, bytes->len, kdf->salt, RING_SALT, kdf->n, kdf->r,
	    kdf->p, root, RING_KEY, err) == -1)
		goto out;
	if (labelled(h, root, kdf, LABEL_KEK, kek, RING_KEY, err) == 0 &&
	    labelled(h, root, kdf, LABEL_CHECK, check, RING_CHECK, err) == 0)
		result = 0;
out:
	buf_release(&mem);
	hkdf_free(h);
	return result;
}

/* A fresh salt, a kek and a check value for ${m}: kdf and kek are set.  Takes
 * long for a passphrase. */
static int
ring_put_under(struct ring *r, const struct master *m, struct error *err)
{
	struct ring_kdf *kdf = &r->kdf;

	memset(kdf, 0, sizeof(*kdf));
	(void)master_bytes(m, &kdf->passphrase);
	if (kdf->passphrase) {
		kdf->n = RING_SCRYPT_N;
		kdf->r = RING_SCRYPT_R;
		kdf->p = RING_SCRYPT_P;
	}
	if (random_bytes(kdf->salt, RING_SALT, err) == -1)
		return -1;
	return derive(kdf, m, r->kek, kdf->check, err);
}

/**
 * ring_fits(kdf, m, kek, fits, err):
 * Does ${m} give the check value?  Then its kek goes to ${kek} (secret
 * memory).  Takes long for a passphrase.  -1: it could not be found out.
 */
static int
ring_fits(const struct ring_kdf *kdf, const struct master *m, unsigned char kek[RING_KEY],
    bool *fits, struct error *err)
{
	unsigned char check[RING_CHECK];
	bool passphrase;

	*fits = false;
	(void)master_bytes(m, &passphrase);
	if (passphrase != kdf->passphrase)
		return 0;
	if (derive(kdf, m, kek, check, err) == -1)
		return -1;
	*fits = secret_equal(check, RING_CHECK, kdf->check, RING_CHECK);
	if (!*fits)
		secmem_wipe(kek, RING_KEY);
	secmem_wipe(check, sizeof(check));
	return 0;
}

/* A random data key of the next kid, active from now on.  ERROR_LIMIT. */
static int
ring_add(struct ring *r, struct error *err)
{
	struct ring_key *k = &r->keys[r->count];
	uint32_t last = r->count > 0 ? k[-1].kid : 0;

	if (r->count == RING_KEYS_MAX || last == UINT32_MAX)
		return error_set(err, ERROR_LIMIT, "the keyring has no room for another data key");
	if (random_bytes(k->key, RING_KEY, err) == -1)
		return -1;
	k->kid = last + 1;
	r->active = k->kid;
	r->count++;
	return 0;
}

_Static_assert(RING_KEY == AEAD_KEY && RING_IV == AEAD_IV, "the ring's keys are for AES-256-GCM");
_Static_assert(RING_WRAPPED == RING_KEY + AEAD_TAG, "a wrapped key is a key and a tag");

static void
put32(struct buf *out, uint32_t x)
{
	unsigned char bytes[4] = { (unsigned char)(x >> 24), (unsigned char)(x >> 16),
		(unsigned char)(x >> 8), (unsigned char)x };

	buf_append(out, bytes, sizeof(bytes));
}

/* What a data key is bound to. */
static void
data_ad(struct buf *ad, const struct ring *r, uint32_t kid)
{
	buf_clear(ad);
	buf_append(ad, DATA_LABEL, sizeof(DATA_LABEL));
	put32(ad, kid);
	buf_append(ad, r->kdf.salt, RING_SALT);
}

/* What the audit key is bound to: each field has its length or a fixed one. */
static void
audit_ad(struct buf *ad, const struct ring *r)
{
	buf_clear(ad);
	buf_append(ad, AUDIT_LABEL, sizeof(AUDIT_LABEL));
	buf_append_char(ad, r->kdf.passphrase ? 1 : 0);
	put32(ad, (uint32_t)r->kdf.n);
	put32(ad, r->kdf.r);
	put32(ad, r->kdf.p);
	buf_append(ad, r->kdf.salt, RING_SALT);
	buf_append(ad, r->kdf.check, RING_CHECK);
	put32(ad, r->active);
	put32(ad, (uint32_t)r->count);
	for (size_t i = 0; i < r->count; i++) {
		put32(ad, r->keys[i].kid);
		buf_append(ad, r->keys[i].wrapped.iv, RING_IV);
		buf_append(ad, r->keys[i].wrapped.bytes, RING_WRAPPED);
	}
}

static int
wrap_one(struct aead *a, const struct ring *r, const struct buf *ad,
    const unsigned char key[RING_KEY], struct ring_wrapped *out, struct error *err)
{
	struct buf sealed;
	int result;

	buf_init(&sealed, RING_WRAPPED);
	result = buf_check(ad, err);
	if (result == 0)
		result = aead_seal(a, r->kek, (struct aead_data){ ad->data, ad->len }, key,
		    RING_KEY, out->iv, &sealed, err);
	if (result == 0)
		memcpy(out->bytes, sealed.data, RING_WRAPPED);
	buf_release(&sealed);
	return result;
}

/* Wrap all keys again, each under a fresh IV: after every change. */
static int
ring_wrap(struct ring *r, struct error *err)
{
	struct aead *a = aead_new(err);
	struct buf ad;
	int result = -1;

	buf_init(&ad, AD_MAX);
	if (a == NULL)
		goto out;
	for (size_t i = 0; i < r->count; i++) {
		data_ad(&ad, r, r->keys[i].kid);
		if (wrap_one(a, r, &ad, r->keys[i].key, &r->keys[i].wrapped, err) == -1)
			goto out;
	}
	audit_ad(&ad, r);
	result = wrap_one(a, r, &ad, r->audit, &r->audit_wrapped, err);
out:
	buf_release(&ad);
	aead_free(a);
	return result;
}

static int
unwrap_one(struct aead *a, const struct ring *r, const struct buf *ad,
    const struct ring_wrapped *in, unsigned char key[RING_KEY], struct error *err)
{
	struct buf opened;
	int result;

	buf_init_secret(&opened, RING_KEY);
	result = buf_check(ad, err);
	if (result == 0)
		result = aead_open(a, r->kek, in->iv, (struct aead_data){ ad->data, ad->len },
		    in->bytes, RING_WRAPPED, &opened, err);
	if (result == 0)
		memcpy(key, opened.data, RING_KEY);
	buf_release(&opened);
	return result;
}

/* Unwrap all keys by the kek.  ERROR_DAMAGED. */
static int
ring_unwrap(struct ring *r, struct error *err)
{
	struct aead *a = aead_new(err);
	struct error why = { 0 };
	struct buf ad;
	int result = -1;

	buf_init(&ad, AD_MAX);
	if (a == NULL)
		goto out;
	/* The audit key first, as it vouches for all the rest. */
	audit_ad(&ad, r);
	if (unwrap_one(a, r, &ad, &r->audit_wrapped, r->audit, &why) == -1)
		goto damaged;
	for (size_t i = 0; i < r->count; i++) {
		data_ad(&ad, r, r->keys[i].kid);
		if (unwrap_one(a, r, &ad, &r->keys[i].wrapped, r->keys[i].key, &why) == -1)
			goto damaged;
	}
	result = 0;
	goto out;
damaged:
	if (why.code == ERROR_DAMAGED)
		error_set(err, ERROR_DAMAGED, "the keyring was altered: a key in it does not open");
	else
		error_set(err, why.code, "%s", why.text);
out:
	buf_release(&ad);
	aead_free(a);
	return result;
}

static void
put_bytes(struct json_out *o, const char *name, const void *bytes, size_t n)
{
	struct buf text;

	buf_init(&text, BASE64_MAX);
	base64_encode(&text, bytes, n);
	json_out_text_n(o, name, text.data, text.len);
	if (text.failed)
		(void)buf_fail(o->out, text.why);
	buf_release(&text);
}

static void
put_wrapped(struct json_out *o, const struct ring_wrapped *w)
{
	put_bytes(o, "iv", w->iv, RING_IV);
	put_bytes(o, "wrapped", w->bytes, RING_WRAPPED);
}

/* Append the text.  A failure stays in the buffer. */
static void
ring_text_encode(const struct ring *r, struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_int(&o, "m", FORMAT);
	json_out_object(&o, "kdf");
	json_out_text(&o, "name", r->kdf.passphrase ? "scrypt" : "none");
	if (r->kdf.passphrase) {
		json_out_uint(&o, "n", r->kdf.n);
		json_out_uint(&o, "r", r->kdf.r);
		json_out_uint(&o, "p", r->kdf.p);
	}
	json_out_end(&o);
	put_bytes(&o, "salt", r->kdf.salt, RING_SALT);
	put_bytes(&o, "check", r->kdf.check, RING_CHECK);
	json_out_uint(&o, "active", r->active);
	json_out_array(&o, "keys");
	for (size_t i = 0; i < r->count; i++) {
		json_out_object(&o, NULL);
		json_out_uint(&o, "kid", r->keys[i].kid);
		put_wrapped(&o, &r->keys[i].wrapped);
		json_out_end(&o);
	}
	json_out_end(&o);
	json_out_object(&o, "audit");
	put_wrapped(&o, &r->audit_wrapped);
	json_out_end(&o);
	json_out_end(&o);
}

/* A member that is a number of ${min} to ${max}. */
static bool
get_number(const json_t *o, const char *name, uint32_t min, uint32_t max, uint32_t *out)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < (json_int_t)min ||
	    json_integer_value(v) > (json_int_t)max)
		return false;
	*out = (uint32_t)json_integer_value(v);
	return true;
}

/* A member that is ${n} bytes in base64, written as we write them. */
static bool
get_bytes(const json_t *o, const char *name, unsigned char *out, size_t n)
{
	const json_t *v = json_object_get(o, name);
	struct buf bytes, again;
	bool good = false;

	if (!json_is_string(v) || json_string_length(v) > BASE64_MAX)
		return false;
	buf_init(&bytes, BASE64_MAX);
	buf_init(&again, BASE64_MAX);
	if (base64_decode(&bytes, json_string_value(v), json_string_length(v)) == 0 &&
	    bytes.len == n) {
		/* Base64 has several texts for the same bytes; one is enough. */
		base64_encode(&again, bytes.data, n);
		good = !again.failed && again.len == json_string_length(v) &&
		    memcmp(again.data, json_string_value(v), again.len) == 0;
	}
	if (good)
		memcpy(out, bytes.data, n);
	buf_release(&again);
	buf_release(&bytes);
	return good;
}

static bool
get_wrapped(const json_t *o, struct ring_wrapped *w)
{
	return get_bytes(o, "iv", w->iv, RING_IV) &&
	    get_bytes(o, "wrapped", w->bytes, RING_WRAPPED);
}

static bool
get_kdf(const json_t *o, struct ring_kdf *kdf)
{
	const json_t *v = json_object_get(o, "kdf");
	const char *name = json_string_value(json_object_get(v, "name"));
	uint32_t n;

	if (name == NULL || !get_bytes(o, "salt", kdf->salt, RING_SALT) ||
	    !get_bytes(o, "check", kdf->check, RING_CHECK))
		return false;
	if (strcmp(name, "none") == 0)
		return true;
	/* The bounds of the cost are scrypt_derive's to check. */
	if (strcmp(name, "scrypt") != 0 || !get_number(v, "n", 1, INT32_MAX, &n) ||
	    !get_number(v, "r", 1, INT32_MAX, &kdf->r) ||
	    !get_number(v, "p", 1, INT32_MAX, &kdf->p))
		return false;
	kdf->passphrase = true;
	kdf->n = n;
	return true;
}

static bool
get_keys(const json_t *keys, struct ring *r)
{
	uint32_t last = 0;

	if (!json_is_array(keys) || json_array_size(keys) == 0 ||
	    json_array_size(keys) > RING_KEYS_MAX)
		return false;
	for (r->count = 0; r->count < json_array_size(keys); r->count++) {
		const json_t *o = json_array_get(keys, r->count);
		struct ring_key *k = &r->keys[r->count];

		if (last == UINT32_MAX || !get_number(o, "kid", last + 1, UINT32_MAX, &k->kid) ||
		    !get_wrapped(o, &k->wrapped))
			return false;
		last = k->kid;
	}
	return true;
}

/* Read the text; what is wrapped stays wrapped.  NULL: ERROR_DAMAGED, for
 * a format that is not known here too. */
static struct ring *
ring_text_decode(const char *text, size_t n, struct error *err)
{
	struct ring *r = ring_new(err);
	json_t *o = NULL;
	uint32_t format = 0;

	if (r == NULL)
		return NULL;
	if (n <= TEXT_MAX)
		o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (get_number(o, "m", 0, UINT32_MAX, &format) && format != FORMAT) {
		error_set(err, ERROR_DAMAGED, "the keyring is of format %lu, "
		    "which is not known here", (unsigned long)format);
		error_hint(err, "a newer release of propseal may have written it");
		goto fail;
	}
	if (format != FORMAT || !get_kdf(o, &r->kdf) || !get_keys(json_object_get(o, "keys"), r) ||
	    !get_number(o, "active", 1, UINT32_MAX, &r->active) ||
	    ring_find(r, r->active) == NULL ||
	    !get_wrapped(json_object_get(o, "audit"), &r->audit_wrapped)) {
		error_set(err, ERROR_DAMAGED, "the keyring cannot be read: it was cut or altered");
		goto fail;
	}
	json_decref(o);
	return r;
fail:
	json_decref(o);
	ring_free(r);
	return NULL;
}

_Static_assert(sizeof(((struct keyring_snapshot *)0)->keys) /
    sizeof(((struct keyring_snapshot *)0)->keys[0]) == RING_KEYS_MAX,
    "a snapshot holds all data keys");

/* Owns ${ring}, also on failure; its keys are in the clear and wrapped. */
static struct keyring *
from_ring(struct ring *ring, struct error *err)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (k == NULL || pthread_rwlock_init(&k->lock, NULL) != 0) {
		free(k);
		ring_free(ring);
		error_memory(err);
		return NULL;
	}
	k->ring = ring;
	atomic_init(&k->generation, 1);
	k->audit = key_from_bytes(ring->audit, RING_KEY, err);
	if (k->audit == NULL) {
		keyring_free(k);
		return NULL;
	}
	return k;
}

struct keyring *
keyring_new(const struct master *m, struct error *err)
{
	struct ring *r = ring_new(err);

	if (r == NULL)
		return NULL;
	if (ring_put_under(r, m, err) == -1 || ring_add(r, err) == -1 ||
	    random_bytes(r->audit, RING_KEY, err) == -1 || ring_wrap(r, err) == -1) {
		ring_free(r);
		return NULL;
	}
	return from_ring(r, err);
}

/* Find the master secret that fits and take its kek.  ${*which}: 0 the current
 * one, 1 and up the old ones. */
static int
keyring_unlock(struct ring *r, const struct master *current, const struct master *const *old,
    size_t old_count, size_t *which, struct error *err)
{
	struct error why = { 0 };
	const struct master *m;
	bool fits;

	for (*which = 0; *which <= old_count; (*which)++) {
		m = *which == 0 ? current : old[*which - 1];
		if (ring_fits(&r->kdf, m, r->kek, &fits, &why) == -1) {
			/* A cost that is out of all bounds is not one that we wrote. */
			return why.code != ERROR_LIMIT ? error_set(err, why.code, "%s", why.text) :
			    error_set(err, ERROR_DAMAGED, "the keyring was altered: %s", why.text);
		}
		if (fits)
			return 0;
	}
	error_set(err, ERROR_KEY, old_count > 0 ?
	    "neither the master secret nor an old one fits the keyring" :
	    "the master secret does not fit the keyring");
	return error_hint(err, "give the master secret that the registry was last started with%s",
	    old_count > 0 ? "" : "; if it was replaced, the new one and the former as the old one");
}

struct keyring *
keyring_open(const char *text, size_t n, const struct master *current,
    const struct master *const *old, size_t old_count, bool *used_old, struct error *err)
{
	struct ring *r = ring_text_decode(text, n, err);
	size_t which = 0;

	*used_old = false;
	if (r == NULL)
		return NULL;
	if (keyring_unlock(r, current, old, old_count, &which, err) == -1 || ring_unwrap(r,
	    err) == -1)
		goto fail;
	if (which > 0 && (ring_put_under(r, current, err) == -1 || ring_wrap(r, err) == -1))
		goto fail;
	*used_old = which > 0;
	return from_ring(r, err);
fail:
	ring_free(r);
	return NULL;
}

void
keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	key_free(k->audit);
	ring_free(k->ring);
	pthread_rwlock_destroy(&k->lock);
	free(k);
}

/* Reading does not change the keyring, but its lock. */
static const struct ring *
read_lock(const struct keyring *k)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&k->lock);
	return k->ring;
}

static void
unlock_read(const struct keyring *k)
{
	pthread_rwlock_unlock((pthread_rwlock_t *)&k->lock);
}

/* A forked child's ring is empty, and nothing may come of it. */
static int
must_be_there(const struct ring *r, struct error *err)
{
	return r->count > 0 ? 0 :
	    error_set(err, ERROR_KEY, "the keyring did not come along into this process");
}

/* Take over the kek, and the right to: both say the same of the master secret. */
static int
copy_kek(struct ring *r, const struct ring *from, struct error *err)
{
	if (r->kdf.passphrase == from->kdf.passphrase && r->kdf.n == from->kdf.n &&
	    r->kdf.r == from->kdf.r && r->kdf.p == from->kdf.p &&
	    memcmp(r->kdf.salt, from->kdf.salt, RING_SALT) == 0 &&
	    memcmp(r->kdf.check, from->kdf.check, RING_CHECK) == 0) {
		memcpy(r->kek, from->kek, RING_KEY);
		return 0;
	}
	return error_set(err, ERROR_KEY, "it is under another master secret");
}

struct keyring *
keyring_open_copy(const char *text, size_t n, const struct keyring *k, struct error *err)
{
	struct ring *r = ring_text_decode(text, n, err);
	const struct ring *now;
	int rc;

	if (r == NULL)
		return NULL;
	now = read_lock(k);
	rc = must_be_there(now, err);
	if (rc == 0)
		rc = copy_kek(r, now, err);
	if (rc == 0 && (rc = ring_unwrap(r, err)) == 0 &&
	    !secret_equal(r->audit, RING_KEY, now->audit, RING_KEY))
		rc = error_set(err, ERROR_REFUSED, "it is of another registry");
	unlock_read(k);
	if (rc == 0)
		return from_ring(r, err);
	ring_free(r);
	return NULL;
}

int
keyring_encode(const struct keyring *k, struct buf *out, struct error *err)
{
	const struct ring *r = read_lock(k);
	int result = must_be_there(r, err);

	if (result == 0)
		ring_text_encode(r, out);
	unlock_read(k);
	return result == 0 ? buf_check(out, err) : -1;
}

uint32_t
keyring_active(const struct keyring *k)
{
	uint32_t kid = read_lock(k)->active;

	unlock_read(k);
	return kid;
}

size_t
keyring_kids(const struct keyring *k, uint32_t *out, size_t max)
{
	const struct ring *r = read_lock(k);
	size_t count = r->count;

	for (size_t i = 0; i < count && i < max; i++)
		out[i] = r->keys[i].kid;
	unlock_read(k);
	return count;
}

/* Begin a change: a copy under the lock.  NULL: failed, not locked. */
static struct ring *
keyring_begin(struct keyring *k, struct error *err)
{
	struct ring *copy = NULL;

	pthread_rwlock_wrlock(&k->lock);
	if (must_be_there(k->ring, err) == 0)
		copy = ring_copy(k->ring, err);
	if (copy == NULL)
		pthread_rwlock_unlock(&k->lock);
	return copy;
}

/* End it: wrap the copy and put it in place if all went well so far. */
static int
keyring_finish(struct keyring *k, struct ring *copy, int result, struct error *err)
{
	struct ring *gone = copy;

	if (result == 0)
		result = ring_wrap(copy, err);
	if (result == 0) {
		gone = k->ring;
		k->ring = copy;
		atomic_fetch_add_explicit(&k->generation, 1, memory_order_release);
	}
	pthread_rwlock_unlock(&k->lock);
	ring_free(gone);
	return result;
}

int
keyring_rewrap(struct keyring *k, const struct master *m, struct error *err)
{
	struct ring *fresh = ring_new(err);
	struct ring *copy;
	int result = -1;

	if (fresh == NULL)
		return -1;
	/* The long part without the lock. */
	if (ring_put_under(fresh, m, err) == 0 && (copy = keyring_begin(k, err)) != NULL) {
		copy->kdf = fresh->kdf;
		memcpy(copy->kek, fresh->kek, RING_KEY);
		result = keyring_finish(k, copy, 0, err);
	}
	ring_free(fresh);
	return result;
}

bool
keyring_fits(const struct keyring *k, const struct master *m)
{
	struct ring *scratch = ring_new(NULL);
	struct ring_kdf kdf;
	bool fits = false;

	if (scratch == NULL)
		return false;
	kdf = read_lock(k)->kdf;
	unlock_read(k);
	if (ring_fits(&kdf, m, scratch->kek, &fits, NULL) == -1)
		fits = false;
	ring_free(scratch);
	return fits;
}

int
keyring_add(struct keyring *k, struct error *err)
{
	struct ring *copy = keyring_begin(k, err);

	return copy == NULL ? -1 : keyring_finish(k, copy, ring_add(copy, err), err);
}

int
keyring_drop(struct keyring *k, uint32_t kid, struct error *err)
{
	struct ring *copy = keyring_begin(k, err);
	struct ring_key *gone;
	int result = 0;

	if (copy == NULL)
		return -1;
	gone = ring_find(copy, kid);
	if (gone == NULL)
		result = error_set(err, ERROR_MISSING, "the keyring has no data key %lu",
		    (unsigned long)kid);
	else if (kid == copy->active)
		result = error_set(err, ERROR_REFUSED, "data key %lu is the active one",
		    (unsigned long)kid);
	else {
		copy->count--;
		memmove(gone, gone + 1,
		    (size_t)(copy->keys + copy->count - gone) * sizeof(*gone));
		secmem_wipe(&copy->keys[copy->count], sizeof(*gone));
	}
	return keyring_finish(k, copy, result, err);
}

int
keyring_replace(struct keyring *k, struct keyring *fresh, struct error *err)
{
	struct ring *gone;
	int rc = 0;

	pthread_rwlock_wrlock(&k->lock);
	if (secret_equal(k->ring->audit, RING_KEY, fresh->ring->audit, RING_KEY)) {
		gone = k->ring;
		k->ring = fresh->ring;
		fresh->ring = gone;
		atomic_fetch_add_explicit(&k->generation, 1, memory_order_release);
	} else {
		rc = error_set(err, ERROR_REFUSED, "it is the keyring of another registry");
	}
	pthread_rwlock_unlock(&k->lock);
	keyring_free(fresh);
	return rc;
}

const struct key *
keyring_audit_key(const struct keyring *k)
{
	return k->audit;
}

uint64_t
keyring_generation(const struct keyring *k)
{
	return atomic_load_explicit(&k->generation, memory_order_acquire);
}

void
keyring_copy_keys(const struct keyring *k, struct keyring_snapshot *out)
{
	const struct ring *r = read_lock(k);

	/* It changes under the lock only. */
	out->generation = keyring_generation(k);
	out->active = r->active;
	out->count = r->count;
	for (size_t i = 0; i < r->count; i++) {
		out->keys[i].kid = r->keys[i].kid;
		memcpy(out->keys[i].key, r->keys[i].key, RING_KEY);
	}
	for (size_t i = r->count; i < RING_KEYS_MAX; i++)
		secmem_wipe(&out->keys[i], sizeof(out->keys[i]));
	unlock_read(k);
}
