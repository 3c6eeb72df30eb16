#ifndef SECRETS_METADATA_H
#define SECRETS_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct document;
struct error;

/* What the entries of a secrets file's document are: metadata, sealed, or neither. */

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
 * pass over it.  (Tags, the other entries of propseal's own, are tag.h's.)
 */
#define SECRETS_REMOTE "_propseal.remote."

struct secrets_metadata {
	char *salt;		/* of the master key, NULL: none */
	char *created_at;	/* NULL: none */
	char *envvar;		/* never NULL: the default when the file has none */
	char *data_key;		/* the wrapped data key, NULL: none */
	uint32_t iterations;	/* 10 000 when the file has none; above KEY_ITERATIONS_MAX no
				 * key is derived */
	size_t length;		/* of keys, bytes; 32 when the file has none */
};

/* Is entry ${i} metadata: `_metadata.` and no slash, or a noted path?  (Entries
 * of a configuration file that is named `_metadata...` have a slash.) */
bool metadata_is_key(const struct document *d, size_t i);

/* Is it one of the seven above, by its whole key? */
bool metadata_is_known(const struct document *d, size_t i);

/* Is it the key of a noted path: SECRETS_REMOTE and a number? */
bool metadata_is_remote(const char *key, size_t len);

/* Is entry ${i} sealed: not metadata, not shadowed, ENC[...]? */
bool metadata_is_sealed(const struct document *d, size_t i);

/**
 * metadata_read(d, out, err):
 * Fill ${out}, to be freed by metadata_release.  ERROR_DAMAGED with the line:
 * iterations or length out of bounds.
 */
int metadata_read(const struct document *d, struct secrets_metadata *out, struct error *err);
void metadata_release(struct secrets_metadata *m);

/* The day on which the data key was made, by what the file says: milliseconds since 1970, UTC.
 * 0: it says none. */
int64_t metadata_created(const struct secrets_metadata *m);

#endif /* !SECRETS_METADATA_H */
