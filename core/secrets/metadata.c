#include "secrets/metadata.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "crypto/key.h"
#include "document/document.h"
#include "secrets/sealed.h"

#define REMOTE_DIGITS 9

/* No metadata value is longer than this; a longer one is damage. */
#define VALUE_MAX 65536

#define METADATA_PREFIX "_metadata."

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
