#include "seal/rotate.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "crypto/cipher.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "seal/keying.h"
#include "plan/plan.h"
#include "plan/sealed_entry.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"
#include "secrets/wrap.h"

/* The progress function is called once for so many entries. */
#define PROGRESS_EVERY 512

/* Can a first master key be made in this file? */
static int
check_unused(const struct secrets_file *s, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(s);

	if (m->data_key != NULL) {
		error_set(err, ERROR_EXISTS, "a master key is already generated for this file");
		error_hint(err, "`propseal file rotate --master-key` makes a new one");
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
rotate_generate(struct plan *p, const void *passphrase, size_t n, struct key **master,
    struct error *err)
{
	struct key *k = NULL;
	char salt[45];

	if (check_unused(plan_secrets(p), err) != 0 || keying_new_salt(salt, err) != 0)
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

/* What entry ${entry} is to hold: bytes of struct resealed's text. */
struct span {
	size_t entry;
	size_t at;
	size_t len;
};

/* Entries sealed anew, kept until the last of them has opened. */
struct resealed {
	struct vec spans;
	struct buf text;
};

/* Open entry ${i} and seal it under ${c}. */
static int
reseal(struct plan *p, struct resealed *r, size_t i, struct cipher *c, struct error *err)
{
	struct buf *plain = plan_scratch(p);
	struct span *span;

	if (secrets_file_open(plan_secrets(p), i, plain, err) != 0)
		return -1;
	if ((span = vec_push(&r->spans)) == NULL)
		return error_memory(err);
	span->entry = i;
	span->at = r->text.len;
	if (sealed_seal(c, SEALED_GCM, plain->data, plain->len, &r->text, err) != 0)
		return -1;
	span->len = r->text.len - span->at;
	return 0;
}

static int
reseal_all(struct plan *p, struct resealed *r, const struct key *data_key,
    rotate_progress_fn *progress, void *cookie, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	size_t count = document_count(secrets_file_document(s));
	struct cipher *c = cipher_new(data_key, err);
	int rc = c == NULL ? -1 : 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (progress != NULL && i % PROGRESS_EVERY == 0)
			progress(cookie, i, count);
		if (secrets_file_is_sealed(s, i))
			rc = reseal(p, r, i, c, err);
	}
	if (progress != NULL && rc == 0)
		progress(cookie, count, count);
	cipher_free(c);
	return rc;
}

static int
plan_resealed(struct plan *p, const struct resealed *r, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	const struct span *span;
	const char *name;
	size_t len;

	for (size_t i = 0; i < r->spans.len; i++) {
		span = vec_at(&r->spans, i);
		name = document_key(d, span->entry, &len);
		if (sealed_entry_put(p, name, len, r->text.data + span->at, span->len, err) != 0)
			return -1;
	}
	return 0;
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
	struct resealed r;
	size_t changed;
	int rc = -1;

	vec_init(&r.spans, sizeof(struct span), SIZE_MAX);
	buf_init(&r.text, BUF_MAX_FILE);
	if (e == NULL || must_be_first(p, e, err) != 0 ||
	    secrets_file_unlock(s, master, err) != 0)
		goto done;
	data_key = key_new_random(secrets_file_metadata(s)->length, err);
	if (data_key == NULL || reseal_all(p, &r, data_key, progress, cookie, err) != 0)
		goto done;
	if (plan_use_key(p, data_key, err) == 0 && plan_resealed(p, &r, err) == 0 &&
	    keying_set_created(p, err) == 0 && keying_set_salt(p, SECRETS_SALT, err) == 0)
		rc = keying_set_wrapped(p, master, data_key, err);
	changed = rc == 0 ? tagger_changed(secrets_file_tagger(s)) : 0;
	if (changed > 0)
		plan_note(p, "%zu sealed entries were changed by another program since propseal "
		    "sealed them; their tags are made anew", changed);
done:
	buf_release(&r.text);
	vec_release(&r.spans);
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
		return key_from_bytes(key_bytes(planned), key_length(planned), err);
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

/* What does not open under the data key stays as it is, but not in silence. */
static void
note_damaged(struct plan *p)
{
	const struct secrets_file *s = plan_secrets(p);
	size_t damaged = 0;

	for (size_t i = 0; i < document_count(secrets_file_document(s)); i++)
		damaged += secrets_file_is_sealed(s, i) &&
		    secrets_file_open(s, i, plan_scratch(p), NULL) != 0;
	if (damaged > 0)
		plan_note(p, "%zu sealed entries do not open and stay as they are; `propseal file "
		    "verify` lists them", damaged);
}

int
rotate_master_key(struct plan *p, const struct key *master, const void *passphrase, size_t n,
    struct key **new_master, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(plan_secrets(p));
	size_t length = m->length < KEY_LENGTH_DEFAULT ? KEY_LENGTH_DEFAULT : m->length;
	uint32_t iterations = m->iterations < KEY_ITERATIONS_DEFAULT ? KEY_ITERATIONS_DEFAULT :
	    m->iterations;
	struct key *data_key, *k = NULL;
	char salt[45];
	int rc = -1;

	if ((data_key = current_data_key(p, master, err)) == NULL)
		return -1;
	if (check_differs(plan_secrets(p), master, passphrase, n, err) != 0 ||
	    keying_new_salt(salt, err) != 0)
		goto done;
	k = key_derive(passphrase, n, salt, strlen(salt), iterations, length, err);
	if (k == NULL || keying_set(p, SECRETS_MASTER_SALT, salt, err) != 0 ||
	    /* A new data key in this plan has set the date. */
	    (plan_data_key(p) == NULL && keying_set_created(p, err) != 0) ||
	    keying_set_number(p, SECRETS_LENGTH, length, err) != 0 ||
	    keying_set_number(p, SECRETS_ITERATIONS, iterations, err) != 0 ||
	    keying_set_wrapped(p, k, data_key, err) != 0)
		goto done;
	if (plan_data_key(p) == NULL)
		note_damaged(p);
	*new_master = k;
	k = NULL;
	rc = 0;
done:
	key_free(k);
	key_free(data_key);
	return rc;
}
