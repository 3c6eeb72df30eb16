#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "crypto/base64.h"
#include "registry/keys/keyring.h"
#include "registry/store/record_internal.h"

/* Base64 needs no escaping, so it may go behind the writer's back: no copy. */
static void
put_base64(struct json_out *o, const char *key, const void *bytes, size_t n)
{
	json_out_raw_n(o, key, "\"", 1);
	base64_encode(o->out, bytes, n);
	buf_append_char(o->out, '"');
}

static void
put_names(const struct record *r, struct json_out *o)
{
	json_out_text_n(o, "path", r->path, r->path_len);
	json_out_text_n(o, "key", r->key, r->key_len);
}

static void
put_claim(const struct record *r, struct json_out *o)
{
	char hex[2 * sizeof(r->claim)];

	hex_text(r->claim, sizeof(r->claim), hex);
	json_out_text_n(o, "claim", hex, sizeof(hex));
}

/* By enum record_type; NULL: what is not known here is never written again. */
static const char *
type_name(const struct record *r)
{
	switch (r->type) {
	case RECORD_SECRET:
		return "SECRET";
	case RECORD_META:
		return "META";
	case RECORD_KEYRING:
		return "KEYRING";
	case RECORD_LEADER:
		return "LEADER";
	case RECORD_AUDIT:
		return "AUDIT";
	case RECORD_NOOP:
		return "NOOP";
	default:
		return NULL;
	}
}

void
record_encode_key(const struct record *r, struct buf *out)
{
	const char *type = type_name(r);
	struct json_out o;

	if (type == NULL) {
		(void)buf_fail(out, ERROR_REFUSED);
		return;
	}
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "t", type);
	if (r->type == RECORD_SECRET) {
		put_names(r, &o);
		json_out_uint(&o, "version", r->version);
		put_claim(r, &o);
	} else if (r->type == RECORD_META) {
		put_names(r, &o);
	} else if (r->type == RECORD_AUDIT) {
		json_out_uint(&o, "slot", r->slot);
	} else if (r->type == RECORD_NOOP) {
		json_out_text(&o, "node", r->node != NULL ? r->node : "");
	}
	json_out_end(&o);
}

static void
record_encode_encode_secret(const struct record *r, struct json_out *o)
{
	const unsigned char *s = r->sealed;

	json_out_uint(o, "m", RECORD_FORMAT);
	json_out_uint(o, "kid", sealed_kid(s, r->sealed_len));
	json_out_text(o, "alg", RECORD_ALGORITHM);
	put_base64(o, "salt", s + SEALED_SALT, SEALED_IV - SEALED_SALT);
	put_base64(o, "iv", s + SEALED_IV, SEALED_TEXT - SEALED_IV);
	put_base64(o, "ct", s + SEALED_TEXT, r->sealed_len - SEALED_TEXT);
	json_out_uint(o, "createdAt", (uint64_t)r->created_ms);
	json_out_text(o, "createdBy", r->created_by);
	json_out_uint(o, "expiresAt", (uint64_t)r->expires_ms);
	json_out_uint(o, "epoch", r->epoch);
	if (r->has_idem)
		put_base64(o, "idem", r->idem, sizeof(r->idem));
}

/* Versions that were deleted by one action stand together. */
static void
encode_deleted(const struct record *r, struct json_out *o)
{
	const struct record_deleted *d = r->deleted;
	size_t i, j;

	json_out_array(o, "deleted");
	for (i = 0; i < r->deleted_count; i = j) {
		for (j = i + 1; j < r->deleted_count; j++) {
			if (d[j].number != d[j - 1].number + 1 || d[j].at_ms != d[i].at_ms ||
			    strcmp(d[j].by, d[i].by) != 0)
				break;
		}
		json_out_object(o, NULL);
		json_out_uint(o, "n", d[i].number);
		if (j > i + 1)
			json_out_uint(o, "to", d[j - 1].number);
		json_out_uint(o, "at", (uint64_t)d[i].at_ms);
		json_out_text(o, "by", d[i].by);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
encode_meta(const struct record *r, struct json_out *o)
{
	json_out_uint(o, "m", RECORD_FORMAT);
	json_out_uint(o, "high", r->high);
	encode_deleted(r, o);
	json_out_array(o, "destroyed");
	for (size_t i = 0; i < r->destroyed_count; i++) {
		json_out_array(o, NULL);
		json_out_uint(o, NULL, r->destroyed[i].from);
		json_out_uint(o, NULL, r->destroyed[i].to);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_uint(o, "maxVersions", r->max_versions);
	json_out_bool(o, "casRequired", r->cas_required);
	json_out_raw(o, "custom", r->custom != NULL ? r->custom : "{}");
	json_out_uint(o, "updatedAt", (uint64_t)r->updated_ms);
	json_out_text(o, "updatedBy", r->updated_by != NULL ? r->updated_by : "");
	json_out_uint(o, "mcas", r->mcas);
}

void
record_encode_value(const struct record *r, struct buf *out)
{
	struct json_out o;

	if (r->type == RECORD_KEYRING) {
		buf_append(out, r->text, r->text_len);
		return;
	}
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	if (r->type == RECORD_SECRET) {
		record_encode_encode_secret(r, &o);
	} else if (r->type == RECORD_META) {
		encode_meta(r, &o);
	} else if (r->type == RECORD_LEADER) {
		json_out_uint(&o, "epoch", r->epoch);
		json_out_text(&o, "node", r->node);
		json_out_uint(&o, "at", (uint64_t)r->created_ms);
	}
	json_out_end(&o);
}
