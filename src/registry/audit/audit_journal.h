#ifndef REGISTRY_AUDIT_AUDIT_JOURNAL_H
#define REGISTRY_AUDIT_AUDIT_JOURNAL_H

#include <stddef.h>

struct audit_journal;
struct error;

/*
 * .FILE.journal (not FILE.*, which are its parts): a second copy of the lines
 * since FILE was last synced, of a size that does not change.  To sync it costs
 * one write, where a file that grows costs two and waits for others' metadata.
 * There is no order in it but that of the lines, each of which is sealed: what is
 * torn or old does not continue the chain.
 */

#define AUDIT_JOURNAL_BYTES ((size_t)4 << 20)

/* Open or make it.  NULL, with no error told: it cannot be used here. */
struct audit_journal *audit_journal_open(const char *file);
void audit_journal_free(struct audit_journal *j);

/* Make these lines durable.  1: there is no room (see audit_journal_reset), or
 * the journal was moved or removed: sync FILE instead. */
int audit_journal_add(struct audit_journal *j, const void *lines, size_t n, struct error *err);

/* FILE is synced: nothing in the journal is needed any more. */
void audit_journal_reset(struct audit_journal *j);

/* All that is in it, of AUDIT_JOURNAL_BYTES, to be freed.  NULL: no memory, or it
 * cannot be read. */
char *audit_journal_read(const struct audit_journal *j, struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_JOURNAL_H */
