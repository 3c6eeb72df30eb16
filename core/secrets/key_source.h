#ifndef SECRETS_KEY_SOURCE_H
#define SECRETS_KEY_SOURCE_H

struct error;
struct key;

/* The systemd credential that may hold the master key. */
#define KEY_SOURCE_CREDENTIAL "propseal.master-key"

/**
 * key_source_find(file, envvar, where, err):
 * The master key, first found: the file ${file} (NULL: not asked for; it may
 * be a pipe), the environment variable ${envvar}, the systemd credential
 * $CREDENTIALS_DIRECTORY/propseal.master-key.  ${*where} (may be NULL) is set
 * to a constant that names the source.  NULL: ERROR_KEY; ERROR_MISSING when
 * no source holds one, with a hint that names them all; ERROR_MISSING,
 * ERROR_IO or ERROR_LIMIT for the file.  The bytes of a variable that held a
 * key are wiped, so a second call must not need them: children do not inherit
 * the key.
 */
struct key *key_source_find(const char *file, const char *envvar,
    const char **where, struct error *err);

#endif /* !SECRETS_KEY_SOURCE_H */
