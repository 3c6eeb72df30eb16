#ifndef SECRETS_LOOSE_H
#define SECRETS_LOOSE_H

#include <stdbool.h>
#include <stddef.h>

struct rules;

/*
 * Secrets in lines that no reader of the format takes for an entry: an entry
 * that was commented out, or what stands behind a place where the file cannot
 * be read any more.  A line counts when it is, behind blanks and comment
 * characters, a key without blanks (in quotes or not), `=` or `:`, and a value
 * that is not empty, no reference, and not the start of an object or array.
 */
struct loose {
	size_t line;		/* from 1 */
	bool commented;		/* there were comment characters */
	const char *key;
	size_t key_len;
	size_t value;		/* where it stands in the text */
	size_t value_len;
};

/* Where to go on; begin with { 0, 1 }. */
struct loose_place {
	size_t at;
	size_t line;
};

/* The next one whose key the rules call a secret.  ${out} points into ${text}. */
bool loose_next(const struct rules *r, const char *text, size_t n,
    struct loose_place *place, struct loose *out);

#endif /* !SECRETS_LOOSE_H */
