#ifndef DOCUMENT_SPLICES_H
#define DOCUMENT_SPLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct document;
struct error;

/*
 * Where the values of a document's entries are to be cut: decoded offsets as
 * they were asked for, and the raw offsets that they stand for.  No bytes of
 * a value are kept.
 */
struct splices;

/* Of one value; finding a place for one more takes longer the more there are. */
#define SPLICES_MAX ((size_t)1 << 16)

struct splice {
	uint32_t entry;
	uint32_t group;		/* of all splices of the entry */
	uint32_t from, to;	/* in the decoded value */
	uint32_t raw_from, raw_to;	/* in the document's bytes */
	uint32_t change;	/* for edits.c: what takes the place */
};

struct splices *splices_new(void);
void splices_free(struct splices *s);

/**
 * splices_add(s, d, entry, first, from, to, again, err):
 * A new splice of ${entry}, to be found as the last; ${first} is another of
 * the entry, or SPLICES_NONE.  The number of the splice, ${*again} set if
 * exactly this cut was there before; SPLICES_NONE: ERROR_REFUSED for a cut
 * across another, or inside an escape, ERROR_USAGE behind the end of the
 * value, ERROR_LIMIT, ERROR_MEMORY.
 */
#define SPLICES_NONE UINT32_MAX
uint32_t splices_add(struct splices *s, const struct document *d, uint32_t entry,
    uint32_t first, size_t from, size_t to, bool *again, struct error *err);

struct splice *splices_at(const struct splices *s, uint32_t number);

/* The numbers of a group's splices, in the order of the value. */
const uint32_t *splices_of(const struct splices *s, uint32_t group, size_t *n);

#endif /* !DOCUMENT_SPLICES_H */
