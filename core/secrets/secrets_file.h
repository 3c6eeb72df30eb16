#ifndef SECRETS_SECRETS_FILE_H
#define SECRETS_SECRETS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "file/file.h"
#include "secrets/sealed.h"

struct buf;
struct cipher;
struct document;
struct error;
struct key;
struct tagger;

/*
 * Whether an entry of an unlocked secrets file may be opened: who can write
 * the file, but has no key, must neither read nor forge a value through what
 * becomes of the opening.
 */

/* Which entries in AES-CBC open.  CBC notices no change, so one that was put
 * there by others tells who watches about any block of the file. */
enum secrets_cbc {
	SECRETS_CBC_TAGGED,	/* those whose tag fits */
	SECRETS_CBC_LEGACY,	/* in a file whose data key is wrapped in CBC too: all or none */
	SECRETS_CBC_ALL		/* every one: --legacy-cbc, and rotation */
};

struct secrets_policy {
	enum secrets_cbc cbc;
	bool tags_required;	/* no entry opens without a tag that fits */
};

/* What was met in a file while opening, and is to be told once. */
struct secrets_doubts {
	size_t stale;		/* entries that another program changed since they were tagged */
	size_t untagged;	/* entries without a tag, beside some with one */
	bool cbc;		/* in a file in CBC: nothing notices a change */
};

/* What is known about the entries of one unlocked file (for secrets_file.c). */
struct trust;

/* An unlocked file; all of it belongs to the caller, and stays as it is. */
struct trust_file {
	const char *path;
	const struct document *doc;
	struct cipher *cipher;	/* of the data key */
	struct tagger *tagger;	/* the same */
	bool legacy;		/* the data key is wrapped in CBC */
};

struct trust *trust_new(const struct trust_file *file, struct error *err);
void trust_free(struct trust *t);

/**
 * trust_check(t, policy, i, text, n, state, err):
 * May sealed entry ${i}, which is ${text}, be opened?  ERROR_DAMAGED: its value
 * or tag belongs to another entry.  ERROR_REFUSED: the policy, with a hint;
 * nothing is said about what it holds.  ERROR_KEY: in a file in CBC not all of
 * CBC opens; names the file only.  Else ERROR_MEMORY, ERROR_CRYPTO.  Its tag is
 * ${*state}, unless that could not be told.
 */
int trust_check(struct trust *t, struct secrets_policy policy, size_t i,
    const unsigned char *text, size_t n, enum tag_state *state, struct error *err);

/* The first entry that does not fit its tag has all entries looked at, in a
 * time that is linear in their number (see secrets_file_tag). */
int trust_tag(struct trust *t, size_t i, enum tag_state *state, size_t *owner,
    struct error *err);

/* For secrets_file_doubts. */
int trust_doubts(struct trust *t, struct secrets_doubts *out, struct error *err);

/*
 * A secrets file: a .properties document with `_metadata.` entries and sealed
 * entries named <basename of the configuration file>/<key>.  Lines that are
 * neither are kept and left alone.
 */
struct secrets_file;

/**
 * secrets_file_load(path, err):
 * Read ${path}.  NULL: ERROR_MISSING (no such file), ERROR_IO, ERROR_FORMAT
 * (a reader of .properties refuses it, or it has a merge conflict),
 * ERROR_DAMAGED (iterations or length out of bounds).
 */
struct secrets_file *secrets_file_load(const char *path, struct error *err);

/* An empty one, for a ${path} where no file is yet. */
struct secrets_file *secrets_file_new(const char *path, struct error *err);

/* As secrets_file_load, from ${content} (secret, moved) instead of the disk. */
struct secrets_file *secrets_file_parse(const char *path, struct buf *content,
    struct error *err);

void secrets_file_free(struct secrets_file *s);

const char *secrets_file_path(const struct secrets_file *s);
const struct file_id *secrets_file_id(const struct secrets_file *s);
const struct document *secrets_file_document(const struct secrets_file *s);
const struct secrets_metadata *secrets_file_metadata(
    const struct secrets_file *s);

/* Does a document look like a secrets file (has `_metadata.` entries)? */
bool secrets_file_recognise(const struct document *d);

/* A secrets file of the document (moved; freed on failure) that was read from ${path}. */
struct secrets_file *secrets_file_take(const char *path, const struct file_id *id,
    struct document *d, struct error *err);

/* The remote paths that it notes for itself, and is ${path} one of them? */
size_t secrets_file_remote_count(const struct secrets_file *s);
const char *secrets_file_remote(const struct secrets_file *s, size_t i);
bool secrets_file_notes(const struct secrets_file *s, const char *path, size_t len);

/* Is document entry ${i} a sealed entry: not metadata, not shadowed, ENC[...]? */
bool secrets_file_is_sealed(const struct secrets_file *s, size_t i);
size_t secrets_file_sealed_count(const struct secrets_file *s);

/* The (winning) document entry named ${name}, or DOCUMENT_NONE; never metadata. */
size_t secrets_file_find(const struct secrets_file *s, const char *name,
    size_t len);

/**
 * secrets_file_unlock(s, master, err):
 * Unwrap the data key and keep its cipher until secrets_file_lock or free.
 * ERROR_MISSING (there is no wrapped data key), ERROR_KEY (wrong master key
 * or damaged data key: they cannot be told apart).
 */
int secrets_file_unlock(struct secrets_file *s, const struct key *master,
    struct error *err);
void secrets_file_lock(struct secrets_file *s);

/* The data key's cipher, NULL while locked.  Owned by ${s}. */
struct cipher *secrets_file_cipher(const struct secrets_file *s);

/* What checks the entries' tags, NULL while locked.  Owned by ${s}. */
struct tagger *secrets_file_tagger(const struct secrets_file *s);

/* Which entries open; the strictest until it is set. */
void secrets_file_set_policy(struct secrets_file *s, struct secrets_policy policy);
struct secrets_policy secrets_file_policy(const struct secrets_file *s);

/**
 * secrets_file_tag(s, i, state, owner, err):
 * Compare sealed entry ${i} with its tag.  For TAG_EXCHANGED ${*owner} (may be
 * NULL) is the document entry whose value or tag it has, or the tag of one
 * that is gone.  ERROR_KEY while locked; ERROR_MEMORY, ERROR_CRYPTO.
 */
int secrets_file_tag(const struct secrets_file *s, size_t i, enum tag_state *state,
    size_t *owner, struct error *err);

/* What was met while entries were opened.  ERROR_MEMORY. */
int secrets_file_doubts(const struct secrets_file *s, struct secrets_doubts *out,
    struct error *err);

/**
 * secrets_file_open(s, i, out, err):
 * Open document entry ${i} and append its plaintext to ${out} (secret).
 * ERROR_DAMAGED with file, line and key: also when the value was sealed for
 * another entry.  ERROR_REFUSED: the policy, which does not mean that
 * it is damaged.  ERROR_KEY: locked, or a file in CBC of which not all opens.
 */
int secrets_file_open(const struct secrets_file *s, size_t i, struct buf *out,
    struct error *err);

/* The same, with what its tag says. */
int secrets_file_open_tagged(const struct secrets_file *s, size_t i, struct buf *out,
    enum tag_state *state, struct error *err);

/* What can be told of an entry by opening it; each is opened once. */
enum secrets_probe {
	SECRETS_LOCKED,		/* nothing: the file is locked, but it has the form */
	SECRETS_OPENS,
	SECRETS_DAMAGED,
	SECRETS_REFUSED		/* nothing: the policy (or no memory) */
};

enum secrets_probe secrets_file_probe(const struct secrets_file *s, size_t i);

/* Was it opened under the policy that holds, and what did its tag say then? */
bool secrets_file_was_opened(const struct secrets_file *s, size_t i, enum tag_state *state);

/* Is document entry ${i} sealed, and does it open as exactly these bytes? */
bool secrets_file_holds(const struct secrets_file *s, size_t i, const void *value, size_t n);

/**
 * secrets_file_check_passphrase(s, passphrase, n, master, out, err):
 * Derive the master key from a passphrase with the file's salt, iterations
 * and length; when ${master} is not NULL it must be the same key.  Without
 * one the wrapped data key must open under it.  The derived key goes to
 * ${*out} (caller frees).  ERROR_KEY.  Takes tens of milliseconds.
 */
int secrets_file_check_passphrase(const struct secrets_file *s,
    const void *passphrase, size_t n, const struct key *master,
    struct key **out, struct error *err);

/**
 * passphrase_normalise(p, err):
 * Drop exactly one final "\n", as the reference does.  ERROR_KEY when what is
 * left is empty or blank.
 */
int passphrase_normalise(struct buf *p, struct error *err);

#endif /* !SECRETS_SECRETS_FILE_H */
