#ifndef SECRETS_CLEAR_H
#define SECRETS_CLEAR_H

#include <stddef.h>

struct document;
struct error;
struct rules;

/* A secret in clear text in the value of a configuration entry. */
struct clear {
	const char *address;	/* the key; of an option of JAAS the one of jaas.h */
	size_t address_len;
	size_t from, to;	/* in the decoded value */
	const char *text;	/* the bytes there */
};

/* Anything but 0 ends the search and is what clear_each returns. */
typedef int clear_fn(void *cookie, const struct clear *c, struct error *err);

/**
 * clear_each(r, key, len, value, n, each, cookie, err):
 * Call ${each} for every secret in the (decoded) value: all of it when the
 * key is one of a secret, or the secret options of JAAS, in their order.
 * References and what is empty are none.  JAAS that cannot be taken apart is
 * one secret as a whole.  ERROR_MEMORY, or what ${each} returned.
 */
int clear_each(const struct rules *r, const char *key, size_t len, const char *value, size_t n,
    clear_fn *each, void *cookie, struct error *err);

/**
 * clear_in_document(r, d, count, err):
 * How many there are in all entries of a configuration, hidden ones included.
 */
int clear_in_document(const struct rules *r, const struct document *d, size_t *count,
    struct error *err);

#endif /* !SECRETS_CLEAR_H */
