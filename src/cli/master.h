#ifndef MASTER_H
#define MASTER_H

struct error;
struct key;
struct options;
struct secrets_file;

/**
 * master_find(o, s, err):
 * The master key for the secrets file: from --master-key-file, the
 * environment, the systemd credential, or a question on the terminal that
 * takes the key or its passphrase.  NULL: ERROR_MISSING, ERROR_KEY.
 */
struct key *master_find(const struct options *o, const struct secrets_file *s,
    struct error *err);

#endif /* !MASTER_H */
