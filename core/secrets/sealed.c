#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "secrets/sealed.h"

#define PREFIX "ENC["
#define GCM "AES/GCM/NoPadding"
#define CBC "AES/CBC/PKCS5Padding"

/* The base64 form of the longest key, with room to spare. */
#define WRAP_MAX 4096

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
