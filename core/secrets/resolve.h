#ifndef SECRETS_RESOLVE_H
#define SECRETS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets/reference.h"

struct buf;
struct error;
struct secrets_file;

/*
 * References anywhere inside a value, found as Kafka's ConfigTransformer
 * finds them (KIP-297: \$\{([^}]*?):(([^}]*?):)?([^}]*?)\}), so a JAAS value
 * may hold several.  What a reference resolves to is not searched again.
 */

/**
 * resolve_next(value, n, from, out, start, end):
 * The first reference at or behind offset ${from}: its parts (pointers into
 * ${value}) and its span.  False: there is none.
 */
bool resolve_next(const char *value, size_t n, size_t from,
    struct reference *out, size_t *start, size_t *end);

/* The document entry of the secrets file that one of our references names, or
 * DOCUMENT_NONE.  A name with `\.` from a JSON path is also found without the
 * backslashes, as confluent secret leaves it behind. */
size_t resolve_entry(const struct secrets_file *s, const struct reference *r);

/* Who knows what references of one other provider stand for, such as a Secret
 * Registry's ${secret:path:key}. */
struct resolver {
	const char *provider;

	/* Append the value to ${out} (secret). */
	int (*value)(void *cookie, const struct reference *r, struct buf *out,
	    struct error *err);
	void *cookie;
};

/* Is it one of the resolver's (NULL: there is none)? */
bool resolve_is_for(const struct resolver *more, const struct reference *r);

/**
 * resolve_value(s, more, value, n, out, others, err):
 * Append ${value} to ${out} (secret) with every one of our references
 * replaced by what it stands for; ${s} must be unlocked, and may be NULL when
 * there are none (ERROR_MISSING).  So are those that ${more} (may be NULL)
 * knows.  References to other providers stay; ${*others} (may be NULL) counts
 * them.  ERROR_MISSING (dangling, the entry name as the key), ERROR_DAMAGED,
 * ${more}'s.
 */
int resolve_value(const struct secrets_file *s, const struct resolver *more,
    const char *value, size_t n, struct buf *out, size_t *others, struct error *err);

#endif /* !SECRETS_RESOLVE_H */
