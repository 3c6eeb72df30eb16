#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
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
#define PREFIX_LEN (sizeof(TAG_PREFIX) - 1)

struct tagger {
	struct mac *mac;
};

#define REMOTE_DIGITS 9

/* No metadata value is longer than this; a longer one is damage. */
#define VALUE_MAX 65536

#define METADATA_PREFIX "_metadata."

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
	/* An empty buffer's text is no pointer to count from. */
	const char *p = n > 0 ? text : "", *end = p + n, *name;
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
		buf_append_str(out, kind == SEALED_GCM ? PREFIX GCM ",data:" : PREFIX CBC ",data:");
		base64_encode(out, data.data, data.len);
		buf_append_str(out, ",iv:");
		base64_encode(out, iv, iv_len);
		buf_append_str(out, ",type:str]");
		rc = buf_check(out, err);
	}
	buf_release(&data);
	return rc;
}

/* Ciphertext, with line ends in it or, as always when it was written here, without. */
static int
sealed_decode(struct buf *out, const char *text, size_t n)
{
	size_t made;

	if (buf_reserve(out, n / 4 * 3) == 0 &&
	    (made = base64_read(text, n, out->data + out->len)) != SIZE_MAX) {
		out->len += made;
		return 0;
	}
	return base64_decode(out, text, n);
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
	if (sealed_decode(&data, s.data, s.data_len) != 0) {
		if (buf_check(&data, err) == 0)
			sealed_malformed(err, "data: is not base64");
	} else if (sealed_decode(&iv, s.iv, s.iv_len) != 0) {
		if (buf_check(&iv, err) == 0)
			sealed_malformed(err, "iv: is not base64");
	} else if (s.cipher == SEALED_GCM) {
		rc = cipher_open(c, iv.data, iv.len, data.data, data.len, out, err);
	} else {
		rc = cipher_open_cbc(c, iv.data, iv.len, data.data, data.len, out, err);
	}
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
	struct error why = { .code = ERROR_NONE };
	struct key *k = NULL;
	struct cipher *c;
	struct buf plain;

	if ((c = cipher_new(master, err)) == NULL)
		return NULL;
	buf_init_secret(&plain, WRAP_MAX);
	if (sealed_open(c, text, n, &plain, &why) == 0)
		k = key_from_base64((const char *)plain.data, plain.len, &why);
	/* Padding, length and key are one fault; that there is no memory is none of them. */
	if (k == NULL && (why.code == ERROR_MEMORY || why.code == ERROR_CRYPTO)) {
		if (err != NULL)
			*err = why;
	} else if (k == NULL) {
		error_set(err, ERROR_KEY,
		    "the data key does not open: wrong master key, or a damaged data key");
	}
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

	if (tagger_sum(t, name, nlen, sealed, n, sum, err) != 0)
		return -1;
	base64_write(sum, TAG_BYTES, out);
	out[TAG_TEXT] = '\0';
	return 0;
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

static const char *const known_keys[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
	SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };

bool
metadata_is_remote(const char *key, size_t len)
{
	const size_t n = strlen(SECRETS_REMOTE);

	if (len <= n || len > n + REMOTE_DIGITS || memcmp(key, SECRETS_REMOTE, n) != 0)
		return false;
	for (size_t i = n; i < len; i++)
		if (key[i] < '0' || key[i] > '9')
			return false;
	return true;
}

bool
metadata_is_key(const struct document *d, size_t i)
{
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	if (metadata_is_remote(key, len))
		return true;
	return len > sizeof(METADATA_PREFIX) - 1 &&
	    memcmp(key, METADATA_PREFIX, sizeof(METADATA_PREFIX) - 1) == 0 &&
	    memchr(key, '/', len) == NULL;
}

bool
metadata_is_known(const struct document *d, size_t i)
{
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	/* Asked of each entry of each file. */
	if (len == 0 || key[0] != METADATA_PREFIX[0])
		return false;
	for (size_t k = 0; k < sizeof(known_keys) / sizeof(known_keys[0]); k++)
		if (strlen(known_keys[k]) == len && memcmp(known_keys[k], key, len) == 0)
			return true;
	return false;
}

bool
metadata_is_sealed(const struct document *d, size_t i)
{
	const unsigned char *raw;
	struct buf value;
	bool sealed;
	size_t n;

	if (metadata_is_key(d, i) || document_shadowed(d, i))
		return false;
	raw = document_raw_value(d, i, &n);
	if (sealed_claims(raw, n))
		return true;
	/* With escapes?  Secret memory, as a line of somebody's own may be clear text. */
	if (n == 0 || (raw[0] != 'E' && raw[0] != '\\') || memchr(raw, '\\', n) == NULL)
		return false;
	buf_init_secret(&value, BUF_MAX_FILE);
	sealed = document_value(d, i, &value, NULL) == 0 &&
	    sealed_claims(value.data, value.len);
	buf_release(&value);
	return sealed;
}

static int
metadata_bad(const struct document *d, const char *key, const char *why, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", why);
	error_place(err, document_file(d),
	    document_line(d, document_find(d, key, strlen(key))));
	error_key(err, key, strlen(key));
	return error_hint(err, "restore the line from a backup of the secrets file");
}

/* A copy of the value of ${key} in ${*out}; NULL when it is not there. */
static int
metadata_fetch(const struct document *d, const char *key, char **out, struct error *err)
{
	size_t i = document_find(d, key, strlen(key));
	struct buf value;
	int rc = -1;

	*out = NULL;
	if (i == DOCUMENT_NONE)
		return 0;
	buf_init(&value, VALUE_MAX);
	if (document_value(d, i, &value, NULL) != 0 || buf_check(&value, NULL) != 0 ||
	    memchr(buf_cstr(&value), '\0', value.len) != NULL)
		metadata_bad(d, key, "this metadata value is too long or has a NUL in it", err);
	else if ((*out = strdup(buf_cstr(&value))) == NULL)
		error_memory(err);
	else
		rc = 0;
	buf_release(&value);
	return rc;
}

/* A number as the reference reads it (Go's strconv.ParseInt); false: it is none. */
static bool
parse_number(const char *s, int64_t *out)
{
	char *end;

	/* strtoll would take blanks in front of it. */
	if (s == NULL || strchr("+-0123456789", s[0]) == NULL || s[0] == '\0')
		return false;
	errno = 0;
	*out = strtoll(s, &end, 10);
	return errno == 0 && end > s && *end == '\0';
}

static int
read_numbers(const struct document *d, struct secrets_metadata *m, struct error *err)
{
	char *iterations = NULL, *length = NULL;
	int64_t n;
	int rc = -1;

	if (metadata_fetch(d, SECRETS_ITERATIONS, &iterations, err) != 0 ||
	    metadata_fetch(d, SECRETS_LENGTH, &length, err) != 0)
		goto done;
	/* What is no number counts as if it were not there. */
	if (!parse_number(iterations, &n))
		n = KEY_ITERATIONS_LEGACY;
	if (n < KEY_ITERATIONS_MIN) {
		metadata_bad(d, SECRETS_ITERATIONS,
		    "a key cannot be derived with fewer than 1 iterations", err);
		goto done;
	}
	m->iterations = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	if (!parse_number(length, &n))
		n = KEY_LENGTH_DEFAULT;
	if (n != 16 && n != 24 && n != 32) {
		metadata_bad(d, SECRETS_LENGTH, "this is no key length (16, 24 or 32 bytes)",
		    err);
		goto done;
	}
	m->length = (size_t)n;
	rc = 0;
done:
	free(iterations);
	free(length);
	return rc;
}

void
metadata_release(struct secrets_metadata *m)
{
	free(m->salt);
	free(m->created_at);
	free(m->envvar);
	free(m->data_key);
	memset(m, 0, sizeof(*m));
}

int
metadata_read(const struct document *d, struct secrets_metadata *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (metadata_fetch(d, SECRETS_MASTER_SALT, &out->salt, err) != 0 ||
	    metadata_fetch(d, SECRETS_CREATED_AT, &out->created_at, err) != 0 ||
	    metadata_fetch(d, SECRETS_ENVVAR, &out->envvar, err) != 0 ||
	    metadata_fetch(d, SECRETS_DATA_KEY, &out->data_key, err) != 0 ||
	    read_numbers(d, out, err) != 0)
		goto fail;
	if (out->envvar != NULL && out->envvar[0] == '\0') {
		free(out->envvar);
		out->envvar = NULL;
	}
	if (out->envvar == NULL && (out->envvar = strdup(SECRETS_ENVVAR_DEFAULT)) == NULL) {
		error_memory(err);
		goto fail;
	}
	return 0;
fail:
	metadata_release(out);
	return -1;
}

/* "2026-01-31 12:00:00.123 +0000 UTC", as confluent secret writes it: the day counts. */
int64_t
metadata_created(const struct secrets_metadata *m)
{
	char day[TIME_TEXT];
	int64_t ms;

	if (m->created_at == NULL || strlen(m->created_at) < 10)
		return 0;
	snprintf(day, sizeof(day), "%.10sT00:00:00Z", m->created_at);
	return time_parse(day, TIME_SECONDS, &ms) ? ms : 0;
}
