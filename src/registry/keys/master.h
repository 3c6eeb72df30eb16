#ifndef REGISTRY_KEYS_MASTER_H
#define REGISTRY_KEYS_MASTER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/* The registry's master secret: 32 raw bytes, or a passphrase, which scrypt
 * (N=2^15, r=8, p=1; RFC 7914) turns into a key with the registry's salt. */
struct master;

#define MASTER_ENVVAR "PROPSEAL_REGISTRY_MASTER_KEY"
#define MASTER_CREDENTIAL "propseal.registry-key"
#define MASTER_TEXT_MIN 16	/* bytes of a passphrase */

/**
 * master_from_text(text, dev_mode, err):
 * From what a file or variable holds (${text} secret; one final line end does
 * not count): 32 bytes as base64 (padded, 44 characters) or hex (64), else a
 * passphrase.  ERROR_KEY: empty, shorter than MASTER_TEXT_MIN, or a constant
 * that is public (registry-contract 1.9: cp-ansible's default and the demos'),
 * unless ${dev_mode}.
 */
struct master *master_from_text(const struct buf *text, bool dev_mode, struct error *err);
void master_free(struct master *m);

/**
 * registry_master_find(file, dev_mode, where, err):
 * First found: the file ${file} (NULL: none; ERROR_REFUSED when others may
 * read it, unless ${dev_mode}), $PROPSEAL_REGISTRY_MASTER_KEY (wiped from the
 * environment), the systemd credential.  ${*where} names it.  ERROR_MISSING
 * with a hint that names them all.
 */
struct master *registry_master_find(const char *file, bool dev_mode, const char **where,
    struct error *err);

/* Would registry_master_find, without a file, find one? */
bool registry_master_given(void);

bool master_equal(const struct master *a, const struct master *b);

/* For keyring.c alone: the bytes, and whether they are a passphrase. */
const struct buf *master_bytes(const struct master *m, bool *passphrase);

#endif /* !REGISTRY_KEYS_MASTER_H */
