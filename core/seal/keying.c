#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "base/vec.h"
#include "crypto/aead.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* The progress function is called once for so many entries. */
#define PROGRESS_EVERY 512

/* What rotation reads it seals anew, or tags. */
static const struct secrets_policy rotation_policy = { .cbc = SECRETS_CBC_ALL };

/* The reference's order. */
static const char *const order[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT, SECRETS_ENVVAR,
	SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };
#define ORDER_LEN (sizeof(order) / sizeof(order[0]))

/**
 * keying_set(p, key, value, err):
 * Plan metadata ${key} (SECRETS_...) to be ${value}: in its line, or on a new
 * line at the reference's place among the metadata that is there.
 */
static int
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

static int
keying_set_number(struct plan *p, const char *key, size_t value, struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	return keying_set(p, key, text, err);
}

int
rotate_new_salt(char out[ROTATE_SALT], struct error *err)
{
	unsigned char raw[KEY_SALT_BYTES];
	struct buf text;
	int rc;

	if (random_bytes(raw, sizeof(raw), err) != 0)
		return -1;
	buf_init(&text, 64);
	base64_encode(&text, raw, sizeof(raw));
	if ((rc = buf_check(&text, err)) == 0)
		snprintf(out, ROTATE_SALT, "%s", buf_cstr(&text));
	buf_release(&text);
	return rc;
}

/* keying_set to a fresh random salt (base64 of 32 bytes). */
static int
keying_set_salt(struct plan *p, const char *key, struct error *err)
{
	char salt[ROTATE_SALT];

	return rotate_new_salt(salt, err) != 0 ? -1 : keying_set(p, key, salt, err);
}

/* keying_set SECRETS_CREATED_AT to now, in the form the reference writes. */
static int
keying_set_created(struct plan *p, struct error *err)
{
	char date[TIME_TEXT], text[128];
	struct timespec now;

	/* Go's time.String(), as the reference writes it; nobody parses it. */
	clock_gettime(CLOCK_REALTIME, &now);
	(void)time_text((int64_t)now.tv_sec * 1000, TIME_SPACED, date);
	snprintf(text, sizeof(text), "%s.%09ld +0000 UTC", date, now.tv_nsec);
	return keying_set(p, SECRETS_CREATED_AT, text, err);
}

/* Plan ${data_key} wrapped under ${master}, and have apply prove it. */
static int
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
	struct key *data_key = key_new_random(length, err);
	int rc = -1;

	if (data_key != NULL && keying_set_created(p, err) == 0 &&
	    keying_set(p, SECRETS_ENVVAR, SECRETS_ENVVAR_DEFAULT, err) == 0 &&
	    keying_set_number(p, SECRETS_LENGTH, length, err) == 0 &&
	    keying_set_number(p, SECRETS_ITERATIONS, iterations, err) == 0 &&
	    keying_set_salt(p, SECRETS_SALT, err) == 0 &&
	    keying_set_wrapped(p, master, data_key, err) == 0)
		rc = plan_use_key(p, data_key, err);
	key_free(data_key);
	return rc;
}

/* Can a first master key be made in this file? */
static int
check_unused(const struct secrets_file *s, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(s);

	if (m->data_key != NULL) {
		error_set(err, ERROR_EXISTS, "a master key is already generated for this file");
		error_hint(err, "`propseal file rotate --master-key` makes a new one; if the key "
		    "and its passphrase are lost: `propseal recover plan`");
	} else if (secrets_file_sealed_count(s) > 0) {
		error_set(err, ERROR_REFUSED, "the file has sealed entries but no data key");
		error_hint(err, "restore the line %s from a backup: a new key could not open them",
		    SECRETS_DATA_KEY);
	} else if (m->salt != NULL) {
		error_set(err, ERROR_REFUSED, "a master key was generated for this file before");
		error_hint(err, "use that key, or remove the line %s to make it void",
		    SECRETS_MASTER_SALT);
	} else {
		return 0;
	}
	return error_place(err, secrets_file_path(s), 0);
}

int
keying_new_master(struct plan *p, const void *passphrase, size_t n, struct key **master,
    struct error *err)
{
	struct key *k = NULL;
	char salt[ROTATE_SALT];

	if (rotate_new_salt(salt, err) != 0)
		return -1;
	k = key_derive(passphrase, n, salt, strlen(salt), KEY_ITERATIONS_DEFAULT,
	    KEY_LENGTH_DEFAULT, err);
	if (k == NULL)
		return -1;
	if (keying_set(p, SECRETS_MASTER_SALT, salt, err) != 0 ||
	    keying_new_data_key(p, k, KEY_ITERATIONS_DEFAULT, KEY_LENGTH_DEFAULT, err) != 0) {
		key_free(k);
		return -1;
	}
	*master = k;
	return 0;
}

int
rotate_generate(struct plan *p, const void *passphrase, size_t n, struct key **master,
    struct error *err)
{
	return check_unused(plan_secrets(p), err) != 0 ? -1 :
	    keying_new_master(p, passphrase, n, master, err);
}

/* Open entry ${i} and plan it as sealed with the plan's key. */
static int
rotate_reseal(struct plan *p, size_t i, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	struct buf *plain = plan_scratch(p);
	size_t len;
	const char *name = document_key(d, i, &len);

	return secrets_file_open(plan_secrets(p), i, plain, err) != 0 ? -1 :
	    plan_seal(p, i, name, len, SEALED_GCM, plain->data, plain->len, err);
}

static int
reseal_all(struct plan *p, rotate_progress_fn *progress, void *cookie, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	size_t count = document_count(secrets_file_document(s));
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (progress != NULL && i % PROGRESS_EVERY == 0)
			progress(cookie, i, count);
		if (secrets_file_is_sealed(s, i))
			rc = rotate_reseal(p, i, err);
	}
	if (progress != NULL && rc == 0)
		progress(cookie, count, count);
	return rc;
}

/* What is planned already would be sealed or wrapped under a key that goes. */
static int
must_be_first(const struct plan *p, const struct edits *e, struct error *err)
{
	if (edits_count(e) == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "the data key cannot be rotated together with other changes");
	error_place(err, secrets_file_path(plan_secrets(p)), 0);
	return error_hint(err, "apply the other changes first");
}

int
rotate_data_key(struct plan *p, const struct key *master, rotate_progress_fn *progress,
    void *cookie, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	struct edits *e = plan_secrets_edits(p, err);
	struct key *data_key = NULL;
	struct secrets_policy before = secrets_file_policy(s);
	struct secrets_doubts doubts = { .stale = 0 };
	int rc = -1;

	if (e == NULL || must_be_first(p, e, err) != 0)
		return -1;
	secrets_file_set_policy(s, rotation_policy);
	if (secrets_file_unlock(s, master, err) == 0 &&
	    (data_key = key_new_random(secrets_file_metadata(s)->length, err)) != NULL &&
	    plan_use_key(p, data_key, err) == 0 && reseal_all(p, progress, cookie, err) == 0 &&
	    keying_set_created(p, err) == 0 && keying_set_salt(p, SECRETS_SALT, err) == 0)
		rc = keying_set_wrapped(p, master, data_key, err);
	if (rc == 0)
		rc = secrets_file_doubts(s, &doubts, err);
	/* Only now it is known that all of them open. */
	if (rc != 0)
		plan_take_back_secrets(p);
	if (doubts.stale > 0)
		plan_note(p, "%zu sealed entries were changed by another program since propseal "
		    "sealed them; their tags are made anew", doubts.stale);
	secrets_file_set_policy(s, before);
	key_free(data_key);
	return rc;
}

/* The data key that is to be wrapped anew; the caller frees it. */
static struct key *
current_data_key(struct plan *p, const struct key *master, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(plan_secrets(p));
	const struct key *planned = plan_data_key(p);

	if (planned != NULL)
		return key_copy(planned, err);
	if (secrets_file_unlock(plan_secrets(p), master, err) != 0)
		return NULL;
	return wrap_open(master, m->data_key, strlen(m->data_key), err);
}

/* Does the new passphrase give the old master key? */
static int
check_differs(const struct secrets_file *s, const struct key *master, const void *passphrase,
    size_t n, struct error *err)
{
	struct key *same = NULL;

	if (secrets_file_metadata(s)->salt == NULL ||
	    secrets_file_check_passphrase(s, passphrase, n, master, &same, NULL) != 0)
		return 0;
	key_free(same);
	error_set(err, ERROR_REFUSED, "the new passphrase is the old one");
	error_place(err, secrets_file_path(s), 0);
	return error_hint(err, "choose another passphrase");
}

/* Entry ${i} opens and stays as it is: in CBC only its tag tells that it is the same. */
static int
rotate_tag(struct plan *p, size_t i, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	enum tag_state state;
	struct sealed parts;
	struct buf text;
	const char *name;
	size_t len;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	rc = document_value(d, i, &text, err);
	if (rc == 0 && sealed_parse(text.data, text.len, &parts, NULL) == 0 &&
	    parts.cipher == SEALED_CBC &&
	    (rc = secrets_file_tag(plan_secrets(p), i, &state, NULL, err)) == 0 &&
	    state != TAG_GOOD) {
		name = document_key(d, i, &len);
		rc = plan_put_tag(p, i, name, len, text.data, text.len, err);
	}
	buf_release(&text);
	return rc;
}

/* What does not open under the data key stays as it is, but not in silence. */
static int
rotate_leave(struct plan *p, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	struct secrets_policy before = secrets_file_policy(s);
	struct error why;
	size_t damaged = 0;
	int rc = 0;

	secrets_file_set_policy(s, rotation_policy);
	for (size_t i = 0; i < document_count(secrets_file_document(s)) && rc == 0; i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		if (secrets_file_open(s, i, plan_scratch(p), &why) == 0) {
			rc = rotate_tag(p, i, err);
		} else if (why.code == ERROR_DAMAGED) {
			damaged++;
		} else {
			if (err != NULL)
				*err = why;
			rc = -1;
		}
	}
	secrets_file_set_policy(s, before);
	if (damaged > 0)
		plan_note(p, "%zu sealed entries do not open and stay as they are; `propseal file "
		    "verify` lists them", damaged);
	return rc;
}

int
rotate_master_key_to(struct plan *p, const struct key *master, const struct rotate_master *to,
    struct error *err)
{
	struct key *data_key = current_data_key(p, master, err);
	bool planned = plan_data_key(p) != NULL;
	int rc = -1;

	if (data_key != NULL && keying_set(p, SECRETS_MASTER_SALT, to->salt, err) == 0 &&
	    /* A new data key in this plan has set the date. */
	    (planned || keying_set_created(p, err) == 0) &&
	    keying_set_number(p, SECRETS_LENGTH, to->length, err) == 0 &&
	    keying_set_number(p, SECRETS_ITERATIONS, to->iterations, err) == 0)
		rc = keying_set_wrapped(p, to->key, data_key, err);
	if (rc == 0 && !planned)
		rc = rotate_leave(p, err);
	key_free(data_key);
	return rc;
}

struct key *
rotate_derive_master(const struct secrets_file *s, const struct key *master,
    const void *passphrase, size_t n, char salt[ROTATE_SALT], struct rotate_master *to,
    struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(s);
	struct key *k;

	*to = (struct rotate_master){ .salt = salt, .iterations = m->iterations,
		.length = m->length };
	if (to->length < KEY_LENGTH_DEFAULT)
		to->length = KEY_LENGTH_DEFAULT;
	if (to->iterations < KEY_ITERATIONS_DEFAULT || to->iterations > KEY_ITERATIONS_MAX)
		to->iterations = KEY_ITERATIONS_DEFAULT;
	if (check_differs(s, master, passphrase, n, err) != 0 || rotate_new_salt(salt, err) != 0)
		return NULL;
	to->key = k = key_derive(passphrase, n, salt, strlen(salt), to->iterations, to->length,
	    err);
	return k;
}
