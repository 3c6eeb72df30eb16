#ifndef SECRETS_SECRETS_FILE_H
#define SECRETS_SECRETS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/file.h"

struct buf;
struct cipher;
struct document;
struct error;
struct key;
struct secrets_metadata;
struct tagger;

/*
 * A secrets file: a .properties document with `_metadata.` entries and sealed
 * entries named <basename of the configuration file>/<key>.  Lines that are
 * neither are kept and left alone.
 */
struct secrets_file;

#define SECRETS_ENVVAR_DEFAULT "CONFLUENT_SECURITY_MASTER_KEY"

/* Metadata keys, in the order in which the reference writes them. */
#define SECRETS_MASTER_SALT "_metadata.master_key.0.salt"
#define SECRETS_CREATED_AT "_metadata.symmetric_key.0.created_at"
#define SECRETS_ENVVAR "_metadata.symmetric_key.0.envvar"
#define SECRETS_LENGTH "_metadata.symmetric_key.0.length"
#define SECRETS_ITERATIONS "_metadata.symmetric_key.0.iterations"
#define SECRETS_SALT "_metadata.symmetric_key.0.salt"
#define SECRETS_DATA_KEY "_metadata.symmetric_key.0.enc"

/*
 * Where the file lies on the hosts that read it, one entry for each path:
 *     _propseal.remote.<number> = <remote path>
 * Every seal notes the path of the reference that it writes; other programs
 * pass over it.  (Tags, the other entries of propseal's own, are sealed.h's.)
 */
#define SECRETS_REMOTE "_propseal.remote."

struct secrets_metadata {
	char *salt;		/* of the master key, NULL: none */
	char *created_at;	/* NULL: none */
	char *envvar;		/* never NULL: the default when the file has none */
	char *data_key;		/* the wrapped data key, NULL: none */
	uint32_t iterations;	/* 10 000 when the file has none */
	size_t length;		/* of keys, bytes; 32 when the file has none */
};

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

/* Open document entry ${i} and append its plaintext to ${out} (secret).
 * ERROR_KEY while locked, ERROR_DAMAGED with file, line and key: also when
 * its tag says that the value was sealed for another entry. */
int secrets_file_open(const struct secrets_file *s, size_t i, struct buf *out,
    struct error *err);

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

/* The `_metadata.` entries of a secrets file (inside core/secrets). */

/* Is entry ${i} metadata: one of the seven keys of secrets_file.h, or a noted
 * path?  A configuration file may be named `_metadata...`, so the whole key counts. */
bool metadata_is_key(const struct document *d, size_t i);

/* Is it the key of a noted path: SECRETS_REMOTE and a number? */
bool metadata_is_remote(const char *key, size_t len);

/**
 * passphrase_normalise(p, err):
 * Drop exactly one final "\n", as the reference does.  ERROR_KEY when what is
 * left is empty or blank.
 */
int passphrase_normalise(struct buf *p, struct error *err);

#endif /* !SECRETS_SECRETS_FILE_H */
