#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "document/document.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define REMOTES_MAX 10000
#define REMOTE_DIGITS 9

/* No metadata value is longer than this; a longer one is damage. */
#define VALUE_MAX 65536

struct secrets_file {
	char *path;
	struct file_id id;
	struct document *doc;
	struct secrets_metadata meta;
	struct vec remotes;	/* of char *: the paths that it notes */
	struct cipher *cipher;	/* of the data key; NULL while locked */
	struct tagger *tagger;	/* the same */
};

static const char *const keys[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT, SECRETS_ENVVAR,
	SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };

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
	if (len < 11 || memcmp(key, "_metadata.", 10) != 0)
		return false;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (strlen(keys[k]) == len && memcmp(keys[k], key, len) == 0)
			return true;
	return false;
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

	if (metadata_fetch(d, SECRETS_ITERATIONS, &iterations, err) != 0 ||
	    metadata_fetch(d, SECRETS_LENGTH, &length, err) != 0)
		goto done;
	m->iterations = KEY_ITERATIONS_LEGACY;
	if (iterations != NULL && (!parse_number(iterations, &m->iterations) ||
	    m->iterations < KEY_ITERATIONS_MIN || m->iterations > KEY_ITERATIONS_MAX)) {
		metadata_bad(d, SECRETS_ITERATIONS,
		    "this is no number of iterations from 1 to 100000000",
		    err);
		goto done;
	}
	m->length = KEY_LENGTH_DEFAULT;
	if (length != NULL) {
		if (!parse_number(length, &n) || (n != 16 && n != 24 && n != 32)) {
			metadata_bad(d, SECRETS_LENGTH,
			    "this is no key length (16, 24 or 32 bytes)", err);
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

static void
metadata_release(struct secrets_metadata *m)
{
	free(m->salt);
	free(m->created_at);
	free(m->envvar);
	free(m->data_key);
	memset(m, 0, sizeof(*m));
}

/**
 * metadata_read(d, out, err):
 * Fill ${out}, to be freed by metadata_release.  ERROR_DAMAGED with the line:
 * iterations or length that are no numbers or out of bounds.
 */
static int
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

int
passphrase_normalise(struct buf *p, struct error *err)
{
	if (p->len > 0 && p->data[p->len - 1] == '\n')
		buf_truncate(p, p->len - 1);
	if (p->len > 0 && !text_is_blank(p->data, p->len))
		return 0;
	error_set(err, ERROR_KEY, "the passphrase is empty");
	return error_hint(err, "give a passphrase that is more than blanks");
}

/* What git leaves where it could not merge: which side counts is not ours to say. */
static int
check_merged(const struct document *d, struct error *err)
{
	static const char marker[] = "<<<<<<<";
	size_t i = document_find(d, marker, sizeof(marker) - 1);

	if (i == DOCUMENT_NONE)
		return 0;
	error_set(err, ERROR_FORMAT, "there is a merge conflict in the secrets file");
	error_place(err, document_file(d), document_line(d, i));
	return error_hint(err, "keep one side of each conflict and remove the marker lines");
}

/* Keep the paths that the file notes for itself. */
static int
read_remotes(struct secrets_file *s, struct error *err)
{
	struct buf value;
	const char *key;
	size_t len;
	int rc = 0;

	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; rc == 0 && i < document_count(s->doc); i++) {
		key = document_key(s->doc, i, &len);
		if (!metadata_is_remote(key, len) || document_shadowed(s->doc, i))
			continue;
		buf_clear(&value);
		if (document_value(s->doc, i, &value, NULL) != 0 || value.len == 0)
			continue;
		if (vec_push_string(&s->remotes, buf_cstr(&value), value.len) == NULL)
			rc = error_memory(err);
	}
	buf_release(&value);
	return rc;
}

struct secrets_file *
secrets_file_take(const char *path, const struct file_id *id, struct document *d,
    struct error *err)
{
	struct secrets_file *s = error_alloc(sizeof(*s), err);

	if (s == NULL) {
		document_free(d);
		return NULL;
	}
	s->doc = d;
	s->id = *id;
	vec_init(&s->remotes, sizeof(char *), REMOTES_MAX);
	if ((s->path = strdup(path)) == NULL)
		error_memory(err);
	else if (document_problem(d, err) == 0 && check_merged(d, err) == 0 &&
	    metadata_read(d, &s->meta, err) == 0 && read_remotes(s, err) == 0)
		return s;
	secrets_file_free(s);
	return NULL;
}

/* Take the content (moved) and make the model. */
static struct secrets_file *
secrets_file_make(const char *path, const struct file_id *id, struct buf *content,
    struct error *err)
{
	struct document *d = document_parse(content, DOCUMENT_ENTRIES, path, err);

	return d == NULL ? NULL : secrets_file_take(path, id, d, err);
}

struct secrets_file *
secrets_file_load(const char *path, struct error *err)
{
	struct secrets_file *s = NULL;
	struct file_id id;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (file_read(path, &content, &id, err) == 0)
		s = secrets_file_make(path, &id, &content, err);
	buf_release(&content);
	return s;
}

struct secrets_file *
secrets_file_parse(const char *path, struct buf *content, struct error *err)
{
	struct file_id id = { .exists = false };

	return secrets_file_make(path, &id, content, err);
}

struct secrets_file *
secrets_file_new(const char *path, struct error *err)
{
	struct secrets_file *s;
	struct buf empty;

	buf_init_secret(&empty, BUF_MAX_FILE);
	s = secrets_file_parse(path, &empty, err);
	buf_release(&empty);
	return s;
}

void
secrets_file_free(struct secrets_file *s)
{
	if (s == NULL)
		return;
	secrets_file_lock(s);
	metadata_release(&s->meta);
	vec_release_strings(&s->remotes);
	document_free(s->doc);
	free(s->path);
	free(s);
}

const char *
secrets_file_path(const struct secrets_file *s)
{
	return s->path;
}

const struct file_id *
secrets_file_id(const struct secrets_file *s)
{
	return &s->id;
}

const struct document *
secrets_file_document(const struct secrets_file *s)
{
	return s->doc;
}

const struct secrets_metadata *
secrets_file_metadata(const struct secrets_file *s)
{
	return &s->meta;
}

size_t
secrets_file_remote_count(const struct secrets_file *s)
{
	return s->remotes.len;
}

const char *
secrets_file_remote(const struct secrets_file *s, size_t i)
{
	return vec_string(&s->remotes, i);
}

bool
secrets_file_notes(const struct secrets_file *s, const char *path, size_t len)
{
	const char *noted;

	for (size_t i = 0; i < s->remotes.len; i++) {
		noted = vec_string(&s->remotes, i);
		if (strlen(noted) == len && memcmp(noted, path, len) == 0)
			return true;
	}
	return false;
}

bool
secrets_file_recognise(const struct document *d)
{
	for (size_t i = 0; i < document_count(d); i++)
		if (metadata_is_key(d, i))
			return true;
	return false;
}

bool
secrets_file_is_sealed(const struct secrets_file *s, size_t i)
{
	const unsigned char *raw;
	struct buf value;
	bool sealed;
	size_t n;

	if (metadata_is_key(s->doc, i) || document_shadowed(s->doc, i))
		return false;
	raw = document_raw_value(s->doc, i, &n);
	if (sealed_claims(raw, n))
		return true;
	/* With escapes?  Secret memory, as a line of somebody's own may be clear text. */
	if (n == 0 || (raw[0] != 'E' && raw[0] != '\\') || memchr(raw, '\\', n) == NULL)
		return false;
	buf_init_secret(&value, BUF_MAX_FILE);
	sealed = document_value(s->doc, i, &value, NULL) == 0 &&
	    sealed_claims(value.data, value.len);
	buf_release(&value);
	return sealed;
}

size_t
secrets_file_sealed_count(const struct secrets_file *s)
{
	size_t count = 0;

	for (size_t i = 0; i < document_count(s->doc); i++)
		count += secrets_file_is_sealed(s, i);
	return count;
}

size_t
secrets_file_find(const struct secrets_file *s, const char *name, size_t len)
{
	size_t i = document_find(s->doc, name, len);

	return i != DOCUMENT_NONE && metadata_is_key(s->doc, i) ? DOCUMENT_NONE : i;
}

int
secrets_file_unlock(struct secrets_file *s, const struct key *master, struct error *err)
{
	struct key *data_key;
	struct cipher *c;
	struct tagger *t;

	if (s->meta.data_key == NULL) {
		error_set(err, ERROR_MISSING, "the secrets file has no data key");
		error_place(err, s->path, 0);
		return error_hint(err, "it needs the line %s; take it from a backup, or make a "
		    "new secrets file with `propseal master-key generate`", SECRETS_DATA_KEY);
	}
	data_key = wrap_open(master, s->meta.data_key, strlen(s->meta.data_key), err);
	if (data_key == NULL) {
		error_place(err, s->path, document_line(s->doc,
		    document_find(s->doc, SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY))));
		return error_hint(err, "is this the master key of this secrets file? It was "
		    "printed when the file was made or the key last rotated; the passphrase "
		    "gives it again");
	}
	c = cipher_new(data_key, err);
	t = c != NULL ? tagger_new(data_key, err) : NULL;
	key_free(data_key);
	if (t == NULL) {
		cipher_free(c);
		return -1;
	}
	secrets_file_lock(s);
	s->cipher = c;
	s->tagger = t;
	return 0;
}

void
secrets_file_lock(struct secrets_file *s)
{
	cipher_free(s->cipher);
	s->cipher = NULL;
	tagger_free(s->tagger);
	s->tagger = NULL;
}

struct cipher *
secrets_file_cipher(const struct secrets_file *s)
{
	return s->cipher;
}

struct tagger *
secrets_file_tagger(const struct secrets_file *s)
{
	return s->tagger;
}

/* A value that its tag gives to another entry must not be taken for this one's. */
static int
secrets_file_check_tag(const struct secrets_file *s, size_t i, struct error *err)
{
	enum tag_state state;
	struct buf owner, shown;

	buf_init(&owner, BUF_MAX_FILE);
	buf_init(&shown, BUF_MAX_FILE);
	state = tag_check(s->tagger, s->doc, i, &owner);
	if (state == TAG_MOVED) {
		text_append_visible(&shown, owner.data, owner.len);
		error_set(err, ERROR_DAMAGED, "the value was sealed for another entry, %s",
		    buf_cstr(&shown));
	} else if (state == TAG_UNCLEAR) {
		error_set(err, ERROR_DAMAGED, "too many entries do not fit their tags to tell "
		    "whether this one was swapped");
	}
	buf_release(&shown);
	buf_release(&owner);
	return state == TAG_MOVED || state == TAG_UNCLEAR ? -1 : 0;
}

int
secrets_file_open(const struct secrets_file *s, size_t i, struct buf *out, struct error *err)
{
	const unsigned char *raw;
	struct buf text;
	size_t n;
	int rc;

	if (s->cipher == NULL)
		return error_set(err, ERROR_KEY, "the secrets file is locked");
	buf_init_secret(&text, BUF_MAX_FILE);
	raw = document_raw_value(s->doc, i, &n);
	if (secrets_file_check_tag(s, i, err) != 0)
		rc = -1;
	else if (memchr(raw, '\\', n) == NULL)
		rc = sealed_open(s->cipher, raw, n, out, err);
	else if ((rc = document_value(s->doc, i, &text, err)) == 0)
		rc = sealed_open(s->cipher, text.data, text.len, out, err);
	if (rc != 0) {
		const char *key = document_key(s->doc, i, &n);

		error_place(err, s->path, document_line(s->doc, i));
		error_key(err, key, n);
		error_hint(err, "restore this line from a backup, or set the value anew with "
		    "`propseal file update`");
	}
	buf_release(&text);
	return rc;
}

bool
secrets_file_holds(const struct secrets_file *s, size_t i, const void *value, size_t n)
{
	struct buf opened;
	bool same;

	buf_init_secret(&opened, BUF_MAX_FILE);
	same = secrets_file_is_sealed(s, i) && secrets_file_open(s, i, &opened, NULL) == 0 &&
	    secret_equal(opened.data, opened.len, value, n);
	buf_release(&opened);
	return same;
}

int
secrets_file_check_passphrase(const struct secrets_file *s, const void *passphrase, size_t n,
    const struct key *master, struct key **out, struct error *err)
{
	const struct secrets_metadata *m = &s->meta;
	struct key *derived, *data_key;

	if (m->salt == NULL) {
		error_set(err, ERROR_KEY, "no passphrase belongs to this secrets file: it has "
		    "no master key salt");
		error_place(err, s->path, 0);
		return error_hint(err, "give the master key itself, or restore the line %s",
		    SECRETS_MASTER_SALT);
	}
	derived = key_derive(passphrase, n, m->salt, strlen(m->salt), m->iterations, m->length,
	    err);
	if (derived == NULL)
		return -1;
	if (master == NULL && m->data_key != NULL) {
		data_key = wrap_open(derived, m->data_key, strlen(m->data_key), NULL);
		key_free(data_key);
		if (data_key == NULL)
			goto wrong;
	} else if (master != NULL && !key_equal(derived, master)) {
		goto wrong;
	}
	*out = derived;
	return 0;
wrong:
	key_free(derived);
	error_set(err, ERROR_KEY, "wrong passphrase");
	error_place(err, s->path, 0);
	return error_hint(err, master != NULL ?
	    "the passphrase does not give the master key that was found: one of the two "
	    "belongs to another secrets file" :
	    "blanks count; a passphrase piped to confluent CLI 1.20 to 3 lost its last character");
}
