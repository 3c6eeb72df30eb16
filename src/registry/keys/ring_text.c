#include "registry/keys/ring_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "crypto/base64.h"
#include "registry/keys/ring.h"

#define FORMAT 1
#define TEXT_MAX (64 << 10)
#define BASE64_MAX 128		/* characters of the longest byte string */

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

void
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

struct ring *
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
