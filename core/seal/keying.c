#include "seal/keying.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/random.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "secrets/wrap.h"

/* The reference's order. */
static const char *const order[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT, SECRETS_ENVVAR,
	SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };
#define ORDER_LEN (sizeof(order) / sizeof(order[0]))

int
keying_set(struct plan *p, const char *key, const char *value, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	struct edits *e = plan_secrets_edits(p, err);
	size_t at = document_find(d, key, strlen(key)), other;

	if (e == NULL)
		return -1;
	if (at != DOCUMENT_NONE && document_value_is(d, at, value, strlen(value)))
		return 0;
	if (at != DOCUMENT_NONE)
		return edits_set(e, at, value, strlen(value), err);
	for (size_t i = 0; i < ORDER_LEN && strcmp(order[i], key) != 0; i++) {
		other = document_find(d, order[i], strlen(order[i]));
		if (other != DOCUMENT_NONE)
			at = other;
	}
	return edits_insert(e, at, key, strlen(key), value, strlen(value), err);
}

int
keying_set_number(struct plan *p, const char *key, size_t value, struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	return keying_set(p, key, text, err);
}

int
keying_new_salt(char out[45], struct error *err)
{
	unsigned char raw[KEY_SALT_BYTES];
	struct buf text;
	int rc;

	if (random_bytes(raw, sizeof(raw), err) != 0)
		return -1;
	buf_init(&text, 64);
	base64_encode(&text, raw, sizeof(raw));
	if ((rc = buf_check(&text, err)) == 0)
		snprintf(out, 45, "%s", buf_cstr(&text));
	buf_release(&text);
	return rc;
}

int
keying_set_salt(struct plan *p, const char *key, struct error *err)
{
	char salt[45];

	return keying_new_salt(salt, err) != 0 ? -1 : keying_set(p, key, salt, err);
}

int
keying_set_created(struct plan *p, struct error *err)
{
	char date[64], text[128];
	struct timespec now;
	struct tm utc;

	/* Go's time.String(), as the reference writes it; nobody parses it. */
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%09ld +0000 UTC", date, now.tv_nsec);
	return keying_set(p, SECRETS_CREATED_AT, text, err);
}

int
keying_set_wrapped(struct plan *p, const struct key *master, const struct key *data_key,
    struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, 4096);
	rc = wrap_seal(master, data_key, &text, err);
	if (rc == 0)
		rc = keying_set(p, SECRETS_DATA_KEY, buf_cstr(&text), err);
	if (rc == 0)
		rc = plan_expect_master(p, master, err);
	buf_release(&text);
	return rc;
}

int
keying_new_data_key(struct plan *p, const struct key *master, size_t iterations, size_t length,
    struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(plan_secrets(p));
	struct key *data_key = key_new_random(length, err);
	int rc = -1;

	if (data_key != NULL && keying_set_created(p, err) == 0 &&
	    keying_set(p, SECRETS_ENVVAR, m->envvar, err) == 0 &&
	    keying_set_number(p, SECRETS_LENGTH, length, err) == 0 &&
	    keying_set_number(p, SECRETS_ITERATIONS, iterations, err) == 0 &&
	    keying_set_salt(p, SECRETS_SALT, err) == 0 &&
	    keying_set_wrapped(p, master, data_key, err) == 0)
		rc = plan_use_key(p, data_key, err);
	key_free(data_key);
	return rc;
}
