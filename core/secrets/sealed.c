#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "secrets/sealed.h"

#define PREFIX "ENC["
#define GCM "AES/GCM/NoPadding"
#define CBC "AES/CBC/PKCS5Padding"

/* The base64 form of the longest key, with room to spare. */
#define WRAP_MAX 4096
#define PURPOSE "propseal entry tag v1"

/* Sums spent on finding owners before TAG_UNCLEAR: about half a second. */
#define SEARCH_MAX 1000000

struct tagger {
	struct mac *mac;
	size_t searched;
	size_t changed;
};

bool
sealed_claims(const void *text, size_t n)
{
	return n >= sizeof(PREFIX) - 1 && memcmp(text, PREFIX, sizeof(PREFIX) - 1) == 0;
}

/* Take ${word} from the front of the text at ${*p}; false if it is not there. */
static bool
sealed_take(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* Take the bytes up to the next comma, and the comma. */
static bool
take_field(const char **p, const char *end, const char **field, size_t *len)
{
	const char *comma = memchr(*p, ',', (size_t)(end - *p));

	if (comma == NULL)
		return false;
	*field = *p;
	*len = (size_t)(comma - *p);
	*p = comma + 1;
	return true;
}

static int
sealed_malformed(struct error *err, const char *what)
{
	return error_set(err, ERROR_DAMAGED, "the sealed value is malformed: %s", what);
}

int
sealed_parse(const void *text, size_t n, struct sealed *out, struct error *err)
{
	const char *p = text, *end = p + n, *name;
	struct sealed s;
	size_t name_len;

	if (!sealed_take(&p, end, PREFIX))
		return sealed_malformed(err, "it does not start with ENC[");
	if (!take_field(&p, end, &name, &name_len))
		return sealed_malformed(err, "no cipher");
	if (name_len == sizeof(GCM) - 1 && memcmp(name, GCM, name_len) == 0)
		s.cipher = SEALED_GCM;
	else if (name_len == sizeof(CBC) - 1 && memcmp(name, CBC, name_len) == 0)
		s.cipher = SEALED_CBC;
	else
		return sealed_malformed(err, "unknown cipher (known: " GCM ", " CBC ")");
	if (!sealed_take(&p, end, "data:") || !take_field(&p, end, &s.data, &s.data_len))
		return sealed_malformed(err, "no data:");
	if (!sealed_take(&p, end, "iv:") || !take_field(&p, end, &s.iv, &s.iv_len))
		return sealed_malformed(err, "no iv:");
	if (!sealed_take(&p, end, "type:str]") || p != end)
		return sealed_malformed(err, "it does not end in type:str]");
	*out = s;
	return 0;
}

int
sealed_seal(struct cipher *c, enum sealed_cipher kind, const void *plain, size_t n, struct buf *out,
    struct error *err)
{
	unsigned char iv[CIPHER_CBC_IV];
	size_t iv_len = kind == SEALED_GCM ? AEAD_IV : CIPHER_CBC_IV;
	struct buf data;
	int rc;

	buf_init(&data, BUF_MAX_FILE);
	rc = kind == SEALED_GCM ? cipher_seal(c, plain, n, iv, &data, err) :
	    cipher_seal_cbc(c, plain, n, iv, &data, err);
	if (rc == 0) {
		buf_append_str(out, PREFIX);
		buf_append_str(out, kind == SEALED_GCM ? GCM : CBC);
		buf_append_str(out, ",data:");
		base64_encode(out, data.data, data.len);
		buf_append_str(out, ",iv:");
		base64_encode(out, iv, iv_len);
		buf_append_str(out, ",type:str]");
		rc = buf_check(out, err);
	}
	buf_release(&data);
	return rc;
}

int
sealed_open(struct cipher *c, const void *text, size_t n, struct buf *out, struct error *err)
{
	struct sealed s;
	struct buf data, iv;
	int rc = -1;

	if (sealed_parse(text, n, &s, err) != 0)
		return -1;
	buf_init(&data, BUF_MAX_FILE);
	buf_init(&iv, 4096);
	if (base64_decode(&data, s.data, s.data_len) != 0 || buf_check(&data, NULL) != 0)
		sealed_malformed(err, "data: is not base64");
	else if (base64_decode(&iv, s.iv, s.iv_len) != 0 || buf_check(&iv, NULL) != 0)
		sealed_malformed(err, "iv: is not base64");
	else if (s.cipher == SEALED_GCM)
		rc = cipher_open(c, iv.data, iv.len, data.data, data.len, out, err);
	else
		rc = cipher_open_cbc(c, iv.data, iv.len, data.data, data.len, out, err);
	buf_release(&iv);
	buf_release(&data);
	return rc;
}

int
wrap_seal(const struct key *master, const struct key *data_key, struct buf *out, struct error *err)
{
	struct cipher *c;
	struct buf text;
	int rc;

	if ((c = cipher_new(master, err)) == NULL)
		return -1;
	buf_init_secret(&text, WRAP_MAX);
	key_append_base64(data_key, &text);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = sealed_seal(c, SEALED_GCM, text.data, text.len, out, err);
	buf_release(&text);
	cipher_free(c);
	return rc;
}

struct key *
wrap_open(const struct key *master, const char *text, size_t n, struct error *err)
{
	struct key *k = NULL;
	struct cipher *c;
	struct buf plain;

	if ((c = cipher_new(master, err)) == NULL)
		return NULL;
	buf_init_secret(&plain, WRAP_MAX);
	if (sealed_open(c, text, n, &plain, NULL) == 0)
		k = key_from_base64((const char *)plain.data, plain.len, NULL);
	if (k == NULL)
		error_set(err, ERROR_KEY,
		    "the data key does not open: wrong master key, or a damaged data key");
	buf_release(&plain);
	cipher_free(c);
	return k;
}

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
tag_fits(struct tagger *t, const char *name, size_t nlen, const struct buf *sealed,
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
		if (tag_fits(t, key + n, len - n, sealed, &other) ||
		    tag_fits(t, key + n, len - n, sealed, tag)) {
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
		state = tag_fits(t, name, len, &sealed, &tag) ? TAG_GOOD :
		    find_owner(t, d, at, &sealed, &tag, owner);
	t->changed += state == TAG_CHANGED;
	buf_release(&tag);
	buf_release(&sealed);
	return state;
}
