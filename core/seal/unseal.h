#ifndef SEAL_UNSEAL_H
#define SEAL_UNSEAL_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct configuration;
struct error;
struct plan;
struct secrets_file;

/**
 * unseal_remove(p, c, key, len, orphan, err):
 * Plan to remove a sealed key: its entry (every duplicate) in the
 * configuration, and the sealed entry, unless another key of ${c} refers to
 * it, too.  Needs no key.  ERROR_MISSING: not in the configuration (unless
 * ${orphan}: then a sealed entry that no entry of ${c} refers to is removed
 * alone; ERROR_REFUSED when one does), or not sealed.
 */
int unseal_remove(struct plan *p, struct configuration *c, const char *key,
    size_t len, bool orphan, struct error *err);

/**
 * unseal_to_text(c, s, keys, key_lens, n, any_name, out, err):
 * Append `key = value` lines with the opened values of the given keys of
 * ${c} (${n} 0: of all our references) to ${out} (secret).  ${s} must be
 * unlocked.  A key that is plain is written as it is when asked for by name.
 * References inside a longer value (JAAS) are opened too, each under the key
 * of its sealed entry.
 * ERROR_MISSING: key not there, dangling reference, or (unless ${any_name}) a
 * reference that names another base name than ${c}'s: the file was renamed.
 * ERROR_DAMAGED.
 */
int unseal_to_text(const struct configuration *c, const struct secrets_file *s,
    const char *const keys[], const size_t key_lens[], size_t n,
    bool any_name, struct buf *out, struct error *err);

#endif /* !SEAL_UNSEAL_H */
