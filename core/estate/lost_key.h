#ifndef ESTATE_LOST_KEY_H
#define ESTATE_LOST_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct change;
struct document;
struct environment;
struct error;
struct estate;
struct estate_entry;
struct estate_file;
struct key;

/*
 * The master key of an environment is lost.  What was sealed cannot be opened any more; what
 * can be done is to say which values that are, to take new ones, and to seal those under a new
 * master key, at the names that the configurations refer to already.
 */

/* The name of a sealed entry, from ${*at} (0 at first) on, and whether something refers to it.
 * NULL: there are no more. */
const char *lost_next(const struct environment *x, size_t *at, size_t *len, bool *used);

typedef void lost_entry_fn(void *cookie, const struct estate_file *f,
    const struct estate_entry *x);

/* Call ${fn} for each entry that refers to ${name} of ${x}. */
void lost_each_use(const struct estate *e, const struct environment *x, const char *name,
    size_t len, lost_entry_fn *fn, void *cookie);

/* Call ${fn} for each entry that has in clear text what ${name} may have had: the value of
 * the same key in another file.  A sealed entry is called after its file and its key. */
void lost_each_clear(const struct estate *e, const char *name, size_t len, lost_entry_fn *fn,
    void *cookie);

/* Append `used by FILE:LINE; the key is in clear text in FILE:LINE`. */
void lost_append_places(const struct estate *e, const struct environment *x, const char *name,
    size_t len, struct buf *out);

/* Append a line for each sealed entry of ${x}, to be filled in and given to lost_check. */
void lost_append_template(const struct estate *e, const struct environment *x, struct buf *out);

/**
 * lost_check(x, values, missing, err):
 * ${*missing}: how many of the sealed entries that are in use have no value in ${values}, or
 * an empty one; the first of them is ${err}, though it is no failure.  -1: ERROR_MISSING, a
 * line names no sealed entry of the file; ERROR_FORMAT.
 */
int lost_check(const struct environment *x, const struct document *values, size_t *missing,
    struct error *err);

/**
 * lost_plan(c, values, passphrase, n, kept, master, err):
 * Plan a new master key as rotate_generate, whatever is in the loaded secrets file of ${c}, and
 * the entries of ${values} (names of sealed entries, and their new values) sealed under it.
 * Sealed entries without a value there, or an empty one, are removed, with a note.  The file as
 * it was is kept beside it, as a file of the plan, as somebody may find the key: a note says
 * where, and ${*kept}, to be freed.  ERROR_REFUSED: a value cannot be sealed.
 */
int lost_plan(struct change *c, const struct document *values, const void *passphrase, size_t n,
    char **kept, struct key **master, struct error *err);

#endif /* !ESTATE_LOST_KEY_H */
