#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "registry/keys/ring.h"

#define DATA_LABEL "propseal registry 1 data key"
#define AUDIT_LABEL "propseal registry 1 audit key"

/* Associated data of the audit key: the ring's numbers, and 64 data keys. */
#define AD_MAX 8192

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

int
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

int
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
