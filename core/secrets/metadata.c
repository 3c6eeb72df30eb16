#include "secrets/metadata.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "secrets/secrets_file.h"

/* No metadata value is longer than this; a longer one is damage. */
#define VALUE_MAX 65536

static const char *const keys[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT, SECRETS_ENVVAR,
	SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };

bool
metadata_is_key(const struct document *d, size_t i)
{
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	if (len < 11 || memcmp(key, "_metadata.", 10) != 0)
		return false;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (strlen(keys[k]) == len && memcmp(keys[k], key, len) == 0)
			return true;
	return false;
}

static int
bad(const struct document *d, const char *key, const char *why, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", why);
	error_place(err, document_file(d),
	    document_line(d, document_find(d, key, strlen(key))));
	error_key(err, key, strlen(key));
	return error_hint(err, "restore the line from a backup of the secrets file");
}

/* A copy of the value of ${key} in ${*out}; NULL when it is not there. */
static int
fetch(const struct document *d, const char *key, char **out, struct error *err)
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
		bad(d, key, "this metadata value is too long or has a NUL in it", err);
	else if ((*out = strdup(buf_cstr(&value))) == NULL)
		error_memory(err);
	else
		rc = 0;
	buf_release(&value);
	return rc;
}

/* A decimal number of at most nine digits; false for anything else. */
static bool
parse_number(const char *s, uint32_t *out)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 9 || s[n] != '\0')
		return false;
	*out = (uint32_t)strtoul(s, NULL, 10);
	return true;
}

static int
read_numbers(const struct document *d, struct secrets_metadata *m, struct error *err)
{
	char *iterations = NULL, *length = NULL;
	uint32_t n;
	int rc = -1;

	if (fetch(d, SECRETS_ITERATIONS, &iterations, err) != 0 ||
	    fetch(d, SECRETS_LENGTH, &length, err) != 0)
		goto done;
	m->iterations = KEY_ITERATIONS_LEGACY;
	if (iterations != NULL && (!parse_number(iterations, &m->iterations) ||
	    m->iterations < KEY_ITERATIONS_MIN || m->iterations > KEY_ITERATIONS_MAX)) {
		bad(d, SECRETS_ITERATIONS, "this is no number of iterations from 1 to 100000000",
		    err);
		goto done;
	}
	m->length = KEY_LENGTH_DEFAULT;
	if (length != NULL) {
		if (!parse_number(length, &n) || (n != 16 && n != 24 && n != 32)) {
			bad(d, SECRETS_LENGTH, "this is no key length (16, 24 or 32 bytes)", err);
			goto done;
		}
		m->length = n;
	}
	rc = 0;
done:
	free(iterations);
	free(length);
	return rc;
}

int
metadata_read(const struct document *d, struct secrets_metadata *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (fetch(d, SECRETS_MASTER_SALT, &out->salt, err) != 0 ||
	    fetch(d, SECRETS_CREATED_AT, &out->created_at, err) != 0 ||
	    fetch(d, SECRETS_ENVVAR, &out->envvar, err) != 0 ||
	    fetch(d, SECRETS_DATA_KEY, &out->data_key, err) != 0 ||
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

void
metadata_release(struct secrets_metadata *m)
{
	free(m->salt);
	free(m->created_at);
	free(m->envvar);
	free(m->data_key);
	memset(m, 0, sizeof(*m));
}
