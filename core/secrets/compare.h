#ifndef SECRETS_COMPARE_H
#define SECRETS_COMPARE_H

#include <stddef.h>

struct document;
struct error;
struct secrets_file;

/* Two configurations, entry by entry as their reader sees them. */

enum compare_result {
	COMPARE_SAME,		/* the same text */
	COMPARE_FORM,		/* equal once references are resolved */
	COMPARE_DIFFERENT,
	COMPARE_UNKNOWN,	/* there is a reference that could not be resolved */
	COMPARE_ONLY_A,
	COMPARE_ONLY_B
};

/* The word for machines: same, equal, different, unknown, only-a, only-b. */
const char *compare_name(enum compare_result r);

struct compare_entry {
	const char *key;
	size_t len;
	size_t a;	/* the winning entry in each, or DOCUMENT_NONE */
	size_t b;
	enum compare_result result;
};

/**
 * compare_documents(a, b, s, each, cookie, err):
 * Call ${each} for every key of either, those of ${a} first, in the order of
 * the files.  References of ours are resolved when ${s} (may be NULL) is
 * unlocked.  A call that returns other than 0 ends it, as does ERROR_MEMORY.
 */
int compare_documents(const struct document *a, const struct document *b,
    const struct secrets_file *s,
    int (*each)(void *cookie, const struct compare_entry *e, struct error *err),
    void *cookie, struct error *err);

#endif /* !SECRETS_COMPARE_H */
