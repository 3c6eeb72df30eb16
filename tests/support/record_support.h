#ifndef SUPPORT_RECORD_SUPPORT_H
#define SUPPORT_RECORD_SUPPORT_H

/* Records of the registry's log, put together for tests. */

#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/record.h"
#include "unit.h"

/* A SECRET with sealed bytes that no key opens; ${claim} tells writers apart. */
UNIT_HELPER struct record
record_secret(const char *path, const char *key, uint32_t version, unsigned char claim)
{
	static unsigned char sealed[SEALED_MIN];
	struct record r = { .type = RECORD_SECRET, .key_type = RECORD_SECRET, .path = path,
	    .path_len = strlen(path), .key = key, .key_len = strlen(key), .version = version,
	    .created_ms = 1000 + version, .created_by = "User:anna", .epoch = 3 };
	size_t i;

	for (i = 0; i < sizeof(sealed); i++)
		sealed[i] = (unsigned char)(i * 7 + version);
	sealed[0] = sealed[1] = sealed[2] = 0;
	sealed[3] = 1;
	r.sealed = sealed;
	r.sealed_len = sizeof(sealed);
	memset(r.claim, claim, sizeof(r.claim));
	return r;
}

UNIT_HELPER struct record
record_meta(const char *path, const char *key, uint32_t high)
{
	return (struct record){ .type = RECORD_META, .key_type = RECORD_META, .path = path,
	    .path_len = strlen(path), .key = key, .key_len = strlen(key), .high = high,
	    .custom = "{}", .updated_by = "" };
}

/* Encoded into ${bytes} (released by the caller). */
UNIT_HELPER struct log_record
record_encoded(const struct record *r, struct buf *bytes)
{
	size_t n;

	buf_init(bytes, 2 << 20);
	record_encode_key(r, bytes);
	n = bytes->len;
	if (!r->tombstone)
		record_encode_value(r, bytes);
	assert_int_equal(buf_check(bytes, NULL), 0);
	return (struct log_record){ bytes->data, n, r->tombstone ? NULL : bytes->data + n,
	    bytes->len - n };
}

#endif /* !SUPPORT_RECORD_SUPPORT_H */
