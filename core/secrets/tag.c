#include "secrets/tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "base/equal.h"
#include "crypto/mac.h"
#include "document/document.h"

#define PURPOSE "propseal entry tag v1"

/* Sums spent on finding owners before TAG_UNCLEAR: about half a second. */
#define SEARCH_MAX 1000000

struct tagger {
	struct mac *mac;
	size_t searched;
	size_t changed;
};

struct tagger *
tagger_new(const struct key *data_key, struct error *err)
{
	struct tagger *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		error_memory(err);
		return NULL;
	}
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

size_t
tagger_changed(const struct tagger *t)
{
	return t->changed;
}

int
tagger_text(struct tagger *t, const char *name, size_t nlen, const void *sealed, size_t n,
    char out[TAG_TEXT + 1], struct error *err)
{
	unsigned char sum[MAC_BYTES];
	struct buf text;
	int rc;

	if (mac_sum(t->mac, name, nlen, sealed, n, sum, err) != 0)
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
	static const char *const names[] = { "none", "good", "changed", "moved", "unclear" };

	return names[s];
}

bool
tag_names(const char *key, size_t len)
{
	size_t n = strlen(TAG_PREFIX);

	return len > n && memcmp(key, TAG_PREFIX, n) == 0;
}

bool
tag_is_key(const struct document *d, size_t i)
{
	size_t len;
	const char *key = document_key(d, i, &len);

	return tag_names(key, len);
}

size_t
tag_find(const struct document *d, const char *name, size_t len)
{
	size_t i = DOCUMENT_NONE;
	struct buf key;

	buf_init(&key, BUF_MAX_FILE);
	buf_append_str(&key, TAG_PREFIX);
	buf_append(&key, name, len);
	if (buf_check(&key, NULL) == 0)
		i = document_find(d, (const char *)key.data, key.len);
	buf_release(&key);
	return i;
}

/* Does ${tag} fit the name and the sealed text? */
static bool
fits(struct tagger *t, const char *name, size_t nlen, const struct buf *sealed,
    const struct buf *tag)
{
	char text[TAG_TEXT + 1];

	return tagger_text(t, name, nlen, sealed->data, sealed->len, text, NULL) == 0 &&
	    secret_equal(text, TAG_TEXT, tag->data, tag->len);
}

/* Whose value is it?  The tag that stands with it may have come along. */
static enum tag_state
find_owner(struct tagger *t, const struct document *d, size_t self, const struct buf *sealed,
    const struct buf *tag, struct buf *owner)
{
	size_t n = strlen(TAG_PREFIX), len;
	enum tag_state state = TAG_CHANGED;
	struct buf other;
	const char *key;

	buf_init(&other, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d) && state == TAG_CHANGED; i++) {
		if (i == self || !tag_is_key(d, i) || document_shadowed(d, i))
			continue;
		if (t->searched++ >= SEARCH_MAX) {
			state = TAG_UNCLEAR;
			break;
		}
		key = document_key(d, i, &len);
		buf_clear(&other);
		if (document_value(d, i, &other, NULL) != 0)
			continue;
		if (fits(t, key + n, len - n, sealed, &other) ||
		    fits(t, key + n, len - n, sealed, tag)) {
			state = TAG_MOVED;
			if (owner != NULL)
				buf_append(owner, key + n, len - n);
		}
	}
	buf_release(&other);
	return state;
}

enum tag_state
tag_check(struct tagger *t, const struct document *d, size_t i, struct buf *owner)
{
	enum tag_state state = TAG_CHANGED;
	struct buf sealed, tag;
	const char *name;
	size_t at, len;

	name = document_key(d, i, &len);
	if ((at = tag_find(d, name, len)) == DOCUMENT_NONE)
		return TAG_NONE;
	buf_init(&sealed, BUF_MAX_FILE);
	buf_init(&tag, BUF_MAX_FILE);
	if (document_value(d, i, &sealed, NULL) == 0 && document_value(d, at, &tag, NULL) == 0)
		state = fits(t, name, len, &sealed, &tag) ? TAG_GOOD :
		    find_owner(t, d, at, &sealed, &tag, owner);
	t->changed += state == TAG_CHANGED;
	buf_release(&tag);
	buf_release(&sealed);
	return state;
}
