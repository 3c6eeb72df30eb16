#ifndef SEAL_LOST_H
#define SEAL_LOST_H

#include <stddef.h>

struct document;
struct error;
struct key;
struct plan;

/**
 * rotate_lost(p, passphrase, n, values, master, err):
 * The master key is lost: plan a new one as rotate_generate, whatever is in
 * the file, and the entries of ${values} (names of sealed entries, and their new
 * values) sealed under it.  Sealed entries without a value there, or an empty
 * one, are removed, with a note.  ERROR_REFUSED: a value cannot be sealed.
 */
int rotate_lost(struct plan *p, const void *passphrase, size_t n, const struct document *values,
    struct key **master, struct error *err);

#endif /* !SEAL_LOST_H */
