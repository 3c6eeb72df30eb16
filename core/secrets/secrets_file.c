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

/* No noted path is longer than this. */
#define VALUE_MAX 65536

#define PROBED_MASK 3
#define PROBED_TAG 2	/* bits to the left */

struct secrets_file {
	char *path;
	struct file_id id;
	struct document *doc;
	struct secrets_metadata meta;
	struct vec remotes;	/* of char *: the paths that it notes */
	struct secrets_policy policy;
	struct cipher *cipher;	/* of the data key; NULL while locked */
	struct tagger *tagger;	/* the same */
	struct trust *trust;	/* the same */
	unsigned char *probed;	/* by entry, enum secrets_probe and the state of the tag of
				 * one that opened; NULL: nothing is kept */
	struct buf *tried;	/* where entries are opened only to see; NULL while locked */
};

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
		if (metadata_is_known(d, i))
			return true;
	return false;
}

bool
secrets_file_is_sealed(const struct secrets_file *s, size_t i)
{
	return metadata_is_sealed(s->doc, i);
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

/* Is the data key itself wrapped in AES-CBC, as releases of old did? */
static bool
secrets_file_is_legacy(const struct secrets_file *s)
{
	struct sealed parts;

	return s->meta.data_key != NULL &&
	    sealed_parse(s->meta.data_key, strlen(s->meta.data_key), &parts, NULL) == 0 &&
	    parts.cipher == SEALED_CBC;
}

int
secrets_file_unlock(struct secrets_file *s, const struct key *master, struct error *err)
{
	struct key *data_key;
	struct cipher *c;
	struct tagger *t;
	struct trust *trust;

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
	trust = t != NULL ? trust_new(&(struct trust_file){ .path = s->path, .doc = s->doc,
	    .cipher = c, .tagger = t, .legacy = secrets_file_is_legacy(s) }, err) : NULL;
	key_free(data_key);
	if (trust == NULL) {
		tagger_free(t);
		cipher_free(c);
		return -1;
	}
	secrets_file_lock(s);
	s->cipher = c;
	s->tagger = t;
	s->trust = trust;
	s->probed = calloc(document_count(s->doc) + 1, 1);
	if ((s->tried = malloc(sizeof(*s->tried))) == NULL) {
		secrets_file_lock(s);
		return error_memory(err);
	}
	buf_init_secret(s->tried, BUF_MAX_FILE);
	return 0;
}

void
secrets_file_lock(struct secrets_file *s)
{
	cipher_free(s->cipher);
	s->cipher = NULL;
	tagger_free(s->tagger);
	s->tagger = NULL;
	trust_free(s->trust);
	s->trust = NULL;
	free(s->probed);
	s->probed = NULL;
	if (s->tried != NULL)
		buf_release(s->tried);
	free(s->tried);
	s->tried = NULL;
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

void
secrets_file_set_policy(struct secrets_file *s, struct secrets_policy policy)
{
	s->policy = policy;
	if (s->probed != NULL)
		memset(s->probed, SECRETS_LOCKED, document_count(s->doc));
}

struct secrets_policy
secrets_file_policy(const struct secrets_file *s)
{
	return s->policy;
}

int
secrets_file_tag(const struct secrets_file *s, size_t i, enum tag_state *state, size_t *owner,
    struct error *err)
{
	size_t ignored;

	if (s->trust == NULL)
		return error_set(err, ERROR_KEY, "the secrets file is locked");
	return trust_tag(s->trust, i, state, owner != NULL ? owner : &ignored, err);
}

int
secrets_file_doubts(const struct secrets_file *s, struct secrets_doubts *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	return s->trust != NULL ? trust_doubts(s->trust, out, err) : 0;
}

/* A value in the file must not open for an entry that it was not sealed for. */
static int
secrets_file_open_text(const struct secrets_file *s, size_t i, const unsigned char *text, size_t n,
    struct buf *out, enum tag_state *state, struct error *err)
{
	return trust_check(s->trust, s->policy, i, text, n, state, err) != 0 ? -1 :
	    sealed_open(s->cipher, text, n, out, err);
}

/* Where it is, and what may be done about it, unless that is said already. */
static int
secrets_file_place(const struct secrets_file *s, size_t i, struct error *err)
{
	const char *key;
	size_t n;

	/* A whole file in CBC names no entry. */
	if (err == NULL || err->code == ERROR_KEY)
		return -1;
	key = document_key(s->doc, i, &n);
	error_place(err, s->path, document_line(s->doc, i));
	error_key(err, key, n);
	if (err->code == ERROR_DAMAGED)
		error_hint(err, "restore this line from a backup, or set the value anew with "
		    "`propseal file update`");
	return -1;
}

int
secrets_file_open(const struct secrets_file *s, size_t i, struct buf *out, struct error *err)
{
	enum tag_state state;

	return secrets_file_open_tagged(s, i, out, &state, err);
}

int
secrets_file_open_tagged(const struct secrets_file *s, size_t i, struct buf *out,
    enum tag_state *state, struct error *err)
{
	const unsigned char *raw;
	struct buf text;
	size_t n;
	int rc;

	if (s->cipher == NULL)
		return error_set(err, ERROR_KEY, "the secrets file is locked");
	raw = document_raw_value(s->doc, i, &n);
	if (memchr(raw, '\\', n) == NULL) {
		rc = secrets_file_open_text(s, i, raw, n, out, state, err);
	} else {
		buf_init_secret(&text, BUF_MAX_FILE);
		if ((rc = document_value(s->doc, i, &text, err)) == 0)
			rc = secrets_file_open_text(s, i, text.data, text.len, out, state,
			    err);
		buf_release(&text);
	}
	if (rc == 0 && s->probed != NULL)
		s->probed[i] = (unsigned char)(SECRETS_OPENS | *state << PROBED_TAG);
	return rc == 0 ? 0 : secrets_file_place(s, i, err);
}

/* Open it to see. */
static enum secrets_probe
secrets_file_try(const struct secrets_file *s, size_t i)
{
	enum secrets_probe result = SECRETS_OPENS;
	struct error why;

	/* One buffer for all: to wipe a whole page costs as much as to open a value. */
	if (secrets_file_open(s, i, s->tried, &why) != 0)
		result = why.code == ERROR_DAMAGED ? SECRETS_DAMAGED : SECRETS_REFUSED;
	buf_clear(s->tried);
	/* One that opened is noted with its tag already. */
	if (s->probed != NULL && result != SECRETS_OPENS)
		s->probed[i] = (unsigned char)result;
	return result;
}

bool
secrets_file_was_opened(const struct secrets_file *s, size_t i, enum tag_state *state)
{
	if (s->probed == NULL || (s->probed[i] & PROBED_MASK) != SECRETS_OPENS)
		return false;
	*state = s->probed[i] >> PROBED_TAG;
	return true;
}

enum secrets_probe
secrets_file_probe(const struct secrets_file *s, size_t i)
{
	const unsigned char *raw;
	struct sealed parts;
	struct buf text;
	bool good;
	size_t n;

	if (s->probed != NULL && s->probed[i] != SECRETS_LOCKED)
		return s->probed[i] & PROBED_MASK;
	if (s->cipher != NULL)
		return secrets_file_try(s, i);
	raw = document_raw_value(s->doc, i, &n);
	if (memchr(raw, '\\', n) == NULL)
		return sealed_parse(raw, n, &parts, NULL) == 0 ? SECRETS_LOCKED : SECRETS_DAMAGED;
	/* Secret, as the line may be clear text. */
	buf_init_secret(&text, BUF_MAX_FILE);
	good = document_value(s->doc, i, &text, NULL) == 0 &&
	    sealed_parse(text.data, text.len, &parts, NULL) == 0;
	buf_release(&text);
	return good ? SECRETS_LOCKED : SECRETS_DAMAGED;
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

/* The number of iterations comes from the file, and may be anybody's. */
static int
secrets_file_not_derived(const struct secrets_file *s, struct error *err)
{
	size_t i = document_find(s->doc, SECRETS_ITERATIONS, strlen(SECRETS_ITERATIONS));

	if (err == NULL || err->code != ERROR_LIMIT)
		return -1;
	error_place(err, s->path, i != DOCUMENT_NONE ? document_line(s->doc, i) : 0);
	error_key(err, SECRETS_ITERATIONS, strlen(SECRETS_ITERATIONS));
	return error_hint(err, "restore the line from a backup; if the number is right, give the "
	    "master key itself in place of its passphrase, and rotate it");
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
		return secrets_file_not_derived(s, err);
	if (master == NULL && m->data_key != NULL) {
		data_key = wrap_open(derived, m->data_key, strlen(m->data_key), err);
		key_free(data_key);
		if (data_key == NULL && err != NULL && err->code != ERROR_KEY) {
			key_free(derived);
			return -1;
		}
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
