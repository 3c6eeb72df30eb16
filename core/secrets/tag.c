#include "secrets/tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/mac.h"
#include "document/document.h"

#define PURPOSE "propseal entry tag v1"
#define PREFIX_LEN (sizeof(TAG_PREFIX) - 1)

struct tagger {
	struct mac *mac;
};

struct tagger *
tagger_new(const struct key *data_key, struct error *err)
{
	struct tagger *t = error_alloc(sizeof(*t), err);

	if (t == NULL)
		return NULL;
	if ((t->mac = mac_new(data_key, PURPOSE, err)) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
tagger_free(struct tagger *t)
{
	if (t == NULL)
		return;
	mac_free(t->mac);
	free(t);
}

int
tagger_sum(struct tagger *t, const char *name, size_t nlen, const void *sealed, size_t n,
    unsigned char out[TAG_BYTES], struct error *err)
{
	unsigned char sum[MAC_BYTES];

	if (mac_sum(t->mac, name, nlen, sealed, n, sum, err) != 0)
		return -1;
	memcpy(out, sum, TAG_BYTES);
	return 0;
}

int
tagger_text(struct tagger *t, const char *name, size_t nlen, const void *sealed, size_t n,
    char out[TAG_TEXT + 1], struct error *err)
{
	unsigned char sum[TAG_BYTES];
	struct buf text;
	int rc;

	if (tagger_sum(t, name, nlen, sealed, n, sum, err) != 0)
		return -1;
	buf_init(&text, TAG_TEXT + 8);
	base64_encode(&text, sum, TAG_BYTES);
	if ((rc = buf_check(&text, err)) == 0)
		snprintf(out, TAG_TEXT + 1, "%s", buf_cstr(&text));
	buf_release(&text);
	return rc;
}

const char *
tag_state_name(enum tag_state s)
{
	static const char *const names[] = { "none", "good", "stale", "exchanged" };

	return names[s];
}

bool
tag_names(const char *key, size_t len)
{
	return len > PREFIX_LEN && memcmp(key, TAG_PREFIX, PREFIX_LEN) == 0;
}

bool
tag_is_key(const struct document *d, size_t i)
{
	size_t len;
	const char *key = document_key(d, i, &len);

	return tag_names(key, len);
}

int
tag_find(const struct document *d, const char *name, size_t len, size_t near, size_t *out,
    struct error *err)
{
	const char *key;
	struct buf text;
	size_t n;
	int rc;

	if (near != DOCUMENT_NONE && near + 1 < document_count(d)) {
		*out = near + 1;
		key = document_key(d, *out, &n);
		if (n == PREFIX_LEN + len && tag_names(key, n) &&
		    memcmp(key + PREFIX_LEN, name, len) == 0 && !document_shadowed(d, *out))
			return 0;
	}
	buf_init(&text, BUF_MAX_FILE);
	buf_append_str(&text, TAG_PREFIX);
	buf_append(&text, name, len);
	if ((rc = buf_check(&text, err)) == 0)
		*out = document_find(d, (const char *)text.data, text.len);
	buf_release(&text);
	return rc;
}

bool
tag_read(const struct document *d, size_t i, unsigned char out[TAG_BYTES])
{
	unsigned char bytes[TAG_TEXT / 4 * 3];
	const unsigned char *raw;
	struct buf value;
	size_t n;
	bool is;

	raw = document_raw_value(d, i, &n);
	buf_init(&value, BUF_MAX_FILE);
	if (n > 0 && memchr(raw, '\\', n) != NULL && document_value(d, i, &value, NULL) == 0) {
		raw = value.data;
		n = value.len;
	}
	is = n == TAG_TEXT && base64_read((const char *)raw, n, bytes) == TAG_BYTES;
	if (is)
		memcpy(out, bytes, TAG_BYTES);
	buf_release(&value);
	return is;
}
