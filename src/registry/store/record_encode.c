#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "registry/keys/keyring.h"
#include "registry/store/record_internal.h"

static void
append_number(struct buf *out, const char *before, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_append_str(out, before);
	buf_append(out, digits + i, sizeof(digits) - i);
}

static void
append_text(struct buf *out, const char *before, const char *s)
{
	buf_append_str(out, before);
	text_append_json(out, s, strlen(s));
}

static void
append_base64(struct buf *out, const char *before, const void *bytes, size_t n)
{
	buf_append_str(out, before);
	base64_encode(out, bytes, n);
	buf_append_char(out, '"');
}

static void
append_names(const struct record *r, struct buf *out)
{
	text_append_json(out, r->path, r->path_len);
	buf_append_str(out, ",\"key\":");
	text_append_json(out, r->key, r->key_len);
}

static void
append_claim(const struct record *r, struct buf *out)
{
	char hex[32];
	size_t i;

	for (i = 0; i < sizeof(r->claim); i++) {
		hex[2 * i] = "0123456789abcdef"[r->claim[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[r->claim[i] & 15];
	}
	buf_append_str(out, ",\"claim\":\"");
	buf_append(out, hex, sizeof(hex));
	buf_append_str(out, "\"}");
}

void
record_encode_key(const struct record *r, struct buf *out)
{
	switch (r->type) {
	case RECORD_SECRET:
		buf_append_str(out, "{\"t\":\"SECRET\",\"path\":");
		append_names(r, out);
		append_number(out, ",\"version\":", r->version);
		append_claim(r, out);
		break;
	case RECORD_META:
		buf_append_str(out, "{\"t\":\"META\",\"path\":");
		append_names(r, out);
		buf_append_char(out, '}');
		break;
	case RECORD_KEYRING:
		buf_append_str(out, "{\"t\":\"KEYRING\"}");
		break;
	case RECORD_LEADER:
		buf_append_str(out, "{\"t\":\"LEADER\"}");
		break;
	case RECORD_AUDIT:
		append_number(out, "{\"t\":\"AUDIT\",\"slot\":", r->slot);
		buf_append_char(out, '}');
		break;
	case RECORD_NOOP:
		append_text(out, "{\"t\":\"NOOP\",\"node\":", r->node != NULL ? r->node : "");
		buf_append_char(out, '}');
		break;
	default:
		/* What is not known here is never written again. */
		(void)buf_fail(out, ERROR_REFUSED);
	}
}

static void
encode_secret(const struct record *r, struct buf *out)
{
	const unsigned char *s = r->sealed;

	append_number(out, "{\"m\":", RECORD_FORMAT);
	append_number(out, ",\"kid\":", sealed_kid(s, r->sealed_len));
	append_base64(out, ",\"alg\":\"" RECORD_ALGORITHM "\",\"salt\":\"", s + SEALED_SALT,
	    SEALED_IV - SEALED_SALT);
	append_base64(out, ",\"iv\":\"", s + SEALED_IV, SEALED_TEXT - SEALED_IV);
	append_base64(out, ",\"ct\":\"", s + SEALED_TEXT, r->sealed_len - SEALED_TEXT);
	append_number(out, ",\"createdAt\":", (uint64_t)r->created_ms);
	append_text(out, ",\"createdBy\":", r->created_by);
	append_number(out, ",\"expiresAt\":", (uint64_t)r->expires_ms);
	append_number(out, ",\"epoch\":", r->epoch);
	if (r->has_idem)
		append_base64(out, ",\"idem\":\"", r->idem, sizeof(r->idem));
	buf_append_char(out, '}');
}

/* Versions that were deleted by one action stand together. */
static void
encode_deleted(const struct record *r, struct buf *out)
{
	const struct record_deleted *d = r->deleted;
	size_t i, j;

	buf_append_str(out, ",\"deleted\":[");
	for (i = 0; i < r->deleted_count; i = j) {
		for (j = i + 1; j < r->deleted_count; j++) {
			if (d[j].number != d[j - 1].number + 1 || d[j].at_ms != d[i].at_ms ||
			    strcmp(d[j].by, d[i].by) != 0)
				break;
		}
		append_number(out, i > 0 ? ",{\"n\":" : "{\"n\":", d[i].number);
		if (j > i + 1)
			append_number(out, ",\"to\":", d[j - 1].number);
		append_number(out, ",\"at\":", (uint64_t)d[i].at_ms);
		append_text(out, ",\"by\":", d[i].by);
		buf_append_char(out, '}');
	}
	buf_append_char(out, ']');
}

static void
encode_meta(const struct record *r, struct buf *out)
{
	size_t i;

	append_number(out, "{\"m\":", RECORD_FORMAT);
	append_number(out, ",\"high\":", r->high);
	encode_deleted(r, out);
	buf_append_str(out, ",\"destroyed\":[");
	for (i = 0; i < r->destroyed_count; i++) {
		append_number(out, i > 0 ? ",[" : "[", r->destroyed[i].from);
		append_number(out, ",", r->destroyed[i].to);
		buf_append_char(out, ']');
	}
	append_number(out, "],\"maxVersions\":", r->max_versions);
	buf_append_str(out, r->cas_required ? ",\"casRequired\":true,\"custom\":" :
	    ",\"casRequired\":false,\"custom\":");
	buf_append_str(out, r->custom != NULL ? r->custom : "{}");
	append_number(out, ",\"updatedAt\":", (uint64_t)r->updated_ms);
	append_text(out, ",\"updatedBy\":", r->updated_by != NULL ? r->updated_by : "");
	append_number(out, ",\"mcas\":", r->mcas);
	buf_append_char(out, '}');
}

void
record_encode_value(const struct record *r, struct buf *out)
{
	switch (r->type) {
	case RECORD_SECRET:
		encode_secret(r, out);
		break;
	case RECORD_META:
		encode_meta(r, out);
		break;
	case RECORD_KEYRING:
		buf_append(out, r->text, r->text_len);
		break;
	case RECORD_LEADER:
		append_number(out, "{\"epoch\":", r->epoch);
		append_text(out, ",\"node\":", r->node);
		append_number(out, ",\"at\":", (uint64_t)r->created_ms);
		buf_append_char(out, '}');
		break;
	default:
		buf_append_str(out, "{}");
	}
}
