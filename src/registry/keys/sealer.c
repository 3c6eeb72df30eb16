#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/keys/keyring.h"

#define LABEL "propseal registry 1 value"
#define FORMAT "1"
#define TYPE "SECRET"

#define SALT (SEALED_IV - SEALED_SALT)
#define LENGTH 4		/* bytes of the length in front of a value */
#define PLAIN_MAX (64 << 20)	/* bytes of a value */
#define NAME_MAX_BYTES 256	/* of a path, of a key */
#define AD_MAX (2 * NAME_MAX_BYTES + 128)
#define SCRATCH_KEPT (64 << 10)

struct sealer {
	struct keyring *ring;
	struct hkdf *hkdf;
	struct aead *aead;
	struct random_pool *pool;
	struct buf scratch;		/* a padded value */
	/* In secret memory: the ring's keys, and the key of one value. */
	struct cache {
		struct keyring_snapshot ring;
		unsigned char key[AEAD_KEY];
	} *cache;
	size_t cap;
};

/* Associated data as they are put together. */
struct bound {
	size_t n;
	unsigned char bytes[AD_MAX];
};

_Static_assert(SEALED_TEXT - SEALED_IV == AEAD_IV, "the IV stands before the text");

struct sealer *
sealer_new(struct keyring *k, struct error *err)
{
	struct sealer *s = error_alloc(sizeof(*s), err);

	if (s == NULL)
		return NULL;
	s->ring = k;
	buf_init_secret(&s->scratch, PLAIN_MAX + LENGTH + 64);
	s->cache = secmem_map(sizeof(*s->cache), &s->cap);
	if (s->cache == NULL) {
		error_memory(err);
		goto fail;
	}
	if ((s->hkdf = hkdf_new(err)) == NULL || (s->aead = aead_new(err)) == NULL ||
	    (s->pool = random_pool_new(err)) == NULL)
		goto fail;
	return s;
fail:
	sealer_free(s);
	return NULL;
}

void
sealer_free(struct sealer *s)
{
	if (s == NULL)
		return;
	random_pool_free(s->pool);
	aead_free(s->aead);
	hkdf_free(s->hkdf);
	secmem_unmap(s->cache, s->cap);
	buf_release(&s->scratch);
	free(s);
}

static unsigned char *
put_be(unsigned char *p, uint64_t x, size_t n)
{
	for (size_t i = n; i > 0; i--)
		*p++ = (unsigned char)(x >> (8 * (i - 1)));
	return p;
}

static uint32_t
get_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
sealer_bind(struct bound *b, const void *bytes, size_t n)
{
	(void)put_be(b->bytes + b->n, n, 4);
	if (n > 0)
		memcpy(b->bytes + b->n + 4, bytes, n);
	b->n += 4 + n;
}

static void
bind_number(struct bound *b, uint64_t x, size_t n)
{
	unsigned char bytes[8];

	(void)put_be(bytes, x, n);
	sealer_bind(b, bytes, n);
}

/* Everything that a value is bound to; each field with its length in front. */
static void
bind_all(struct bound *b, const struct sealed_name *name, uint32_t kid)
{
	b->n = 0;
	sealer_bind(b, FORMAT, sizeof(FORMAT) - 1);
	sealer_bind(b, TYPE, sizeof(TYPE) - 1);
	sealer_bind(b, name->path, name->path_len);
	sealer_bind(b, name->key, name->key_len);
	bind_number(b, name->version, 4);
	bind_number(b, kid, 4);
	bind_number(b, (uint64_t)name->created_ms, 8);
	bind_number(b, (uint64_t)name->expires_ms, 8);
}

/* The data key of a kid, NULL when the ring has none.  kid 0 is the active
 * one, whose number goes to ${*kid}.  Takes the ring's lock after a change
 * only. */
static const unsigned char *
data_key(struct sealer *s, uint32_t *kid)
{
	struct keyring_snapshot *r = &s->cache->ring;

	if (r->generation != keyring_generation(s->ring))
		keyring_copy_keys(s->ring, r);
	if (*kid == 0)
		*kid = r->active;
	for (size_t i = r->count; i > 0; i--)
		if (r->keys[i - 1].kid == *kid)
			return r->keys[i - 1].key;
	return NULL;
}

/* The key of one value, to the cache. */
static int
value_key(struct sealer *s, const unsigned char *data, const unsigned char *salt, struct error *err)
{
	struct hkdf_input in = {
		.secret = data, .secret_len = AEAD_KEY,
		.salt = salt, .salt_len = SALT,
		.info = LABEL, .info_len = sizeof(LABEL) - 1,
	};

	return hkdf_derive(s->hkdf, &in, s->cache->key, AEAD_KEY, err);
}

/* Nothing of a value stays; a large piece of memory does not either. */
static void
clean(struct sealer *s)
{
	secmem_wipe(s->cache->key, AEAD_KEY);
	if (s->scratch.cap > SCRATCH_KEPT)
		buf_release(&s->scratch);
	else
		buf_clear(&s->scratch);
}

/* Steps of 16 bytes up to 64, of 64 above. */
static size_t
sealer_padded(size_t n)
{
	size_t step = n <= 64 ? 16 : 64;

	return (n + step - 1) / step * step;
}

/* The length, the value and zeros, to the scratch. */
static int
sealer_pad(struct buf *scratch, const void *plain, size_t n, struct error *err)
{
	static const unsigned char zeros[64];
	unsigned char length[LENGTH];

	(void)put_be(length, n, LENGTH);
	/* At once, as growing copies. */
	if (buf_reserve(scratch, sealer_padded(LENGTH + n)) == 0) {
		buf_append(scratch, length, LENGTH);
		buf_append(scratch, plain, n);
		buf_append(scratch, zeros, sealer_padded(LENGTH + n) - LENGTH - n);
	}
	return buf_check(scratch, err);
}

int
sealer_seal(struct sealer *s, const struct sealed_name *name, const void *plain, size_t n,
    struct buf *out, struct error *err)
{
	unsigned char head[SEALED_TEXT];
	const unsigned char *data;
	struct bound ad;
	size_t start = out->len;
	uint32_t kid = 0;

	if (n > PLAIN_MAX || name->path_len > NAME_MAX_BYTES || name->key_len > NAME_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, "too long to be sealed");
	data = data_key(s, &kid);
	if (data == NULL)
		return error_set(err, ERROR_KEY,
		    "the keyring did not come along into this process");
	bind_all(&ad, name, kid);
	(void)put_be(head, kid, 4);
	memset(head + SEALED_IV, 0, AEAD_IV);
	if (random_pool_take(s->pool, head + SEALED_SALT, SALT, err) == -1 ||
	    value_key(s, data, head + SEALED_SALT, err) == -1 ||
	    sealer_pad(&s->scratch, plain, n, err) == -1)
		goto fail;
	if (buf_reserve(out, SEALED_TEXT + s->scratch.len + AEAD_TAG) == -1) {
		(void)buf_check(out, err);
		goto fail;
	}
	buf_append(out, head, sizeof(head));
	if (aead_seal(s->aead, s->cache->key, (struct aead_data){ ad.bytes, ad.n },
	    s->scratch.data, s->scratch.len, head + SEALED_IV, out, err) == -1)
		goto fail;
	memcpy(out->data + start + SEALED_IV, head + SEALED_IV, AEAD_IV);
	clean(s);
	return 0;
fail:
	buf_truncate(out, start);
	clean(s);
	return -1;
}

/* How much of a name an error shows. */
static size_t
shown(size_t n)
{
	return n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES;
}

/* One text for all, so that it does not tell which check failed. */
static int
sealer_does_not_open(const struct sealed_name *name, const void *sealed, size_t n,
    enum error_code code, struct error *err)
{
	struct buf text;

	buf_init(&text, 32 * (size_t)NAME_MAX_BYTES);
	text_append_visible(&text, name->path, shown(name->path_len));
	buf_append_str(&text, " / ");
	text_append_visible(&text, name->key, shown(name->key_len));
	(void)error_set(err, code, "%s version %lu (data key %lu) does not open: "
	    "altered, moved, or sealed under another key", buf_cstr(&text),
	    (unsigned long)name->version, (unsigned long)sealed_kid(sealed, n));
	buf_release(&text);
	return -1;
}

/* The value inside what was opened: its length must be there and the padding
 * be as sealer_pad() made it.  False cannot happen unless it was sealed otherwise. */
static bool
unpad(const struct buf *scratch, const unsigned char **plain, size_t *n)
{
	size_t len = get_be32(scratch->data);

	if (len > scratch->len - LENGTH || sealer_padded(LENGTH + len) != scratch->len)
		return false;
	*plain = scratch->data + LENGTH;
	*n = len;
	return true;
}

int
sealer_open(struct sealer *s, const struct sealed_name *name, const void *sealed, size_t n,
    struct buf *out, struct error *err)
{
	const unsigned char *bytes = sealed;
	const unsigned char *plain;
	const unsigned char *data;
	struct bound ad;
	uint32_t kid = sealed_kid(sealed, n);

	if (!out->secret)
		return error_set(err, ERROR_REFUSED, "a secret must not leave its memory");
	if (n < SEALED_MIN || kid == 0 || name->path_len > NAME_MAX_BYTES ||
	    name->key_len > NAME_MAX_BYTES)
		return sealer_does_not_open(name, sealed, n, ERROR_DAMAGED, err);
	data = data_key(s, &kid);
	if (data == NULL)
		return sealer_does_not_open(name, sealed, n, ERROR_KEY, err);
	bind_all(&ad, name, kid);
	if (value_key(s, data, bytes + SEALED_SALT, err) == -1)
		goto fail;
	if (aead_open(s->aead, s->cache->key, bytes + SEALED_IV,
	    (struct aead_data){ ad.bytes, ad.n }, bytes + SEALED_TEXT, n - SEALED_TEXT,
	    &s->scratch, err) == -1) {
		if (err != NULL && err->code == ERROR_DAMAGED)
			(void)sealer_does_not_open(name, sealed, n, ERROR_DAMAGED, err);
		goto fail;
	}
	if (!unpad(&s->scratch, &plain, &n)) {
		(void)sealer_does_not_open(name, sealed, n, ERROR_DAMAGED, err);
		goto fail;
	}
	buf_append(out, plain, n);
	clean(s);
	return buf_check(out, err);
fail:
	clean(s);
	return -1;
}

uint32_t
sealed_kid(const void *sealed, size_t n)
{
	return n < 4 ? 0 : get_be32(sealed);
}
