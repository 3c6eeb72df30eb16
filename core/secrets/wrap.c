#include "secrets/wrap.h"

#include "base/buf.h"
#include "base/error.h"
#include "crypto/cipher.h"
#include "crypto/key.h"
#include "secrets/sealed.h"

/* The base64 form of the longest key, with room to spare. */
#define WRAP_MAX 4096

int
wrap_seal(const struct key *master, const struct key *data_key, struct buf *out,
    struct error *err)
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
