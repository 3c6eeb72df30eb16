#ifndef MERGE_REKEY_H
#define MERGE_REKEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "merge/merge.h"

struct document;
struct key;
struct secrets_file;

/*
 * Three versions of a secrets file before they are merged: where one side
 * made a new data key, every sealed entry of the other two is sealed again
 * under it, so that equal values have equal text, and what one side changed
 * can be told from what the new key changed.
 */
struct rekey {
	struct merge_input in;	/* for merge_documents */
	size_t resealed;	/* entries sealed again, of ours and theirs */
	bool incomplete;	/* a key was missing: conflicts that one would solve */
	struct error why;	/* then: which version did not open */
	struct document *made[MERGE_SIDES];	/* what in.doc may point to */
};

/* Can the data keys of the three not be seen to be the same without a master
 * key?  They can when the wrapped form is the same, when an entry's ciphertext
 * is the same in both, or when a version has no sealed entry.  It does not
 * matter when one side changed nothing. */
bool rekey_needs_master(struct secrets_file *const s[MERGE_SIDES]);

/**
 * rekey_prepare(s, masters, n, r, err):
 * Look at the keys of the three versions, with ${n} master keys to try
 * (may be 0), and fill ${r}, to be released also after a failure.  A missing
 * key is no failure.  The versions are left unlocked where a key fitted.
 * ${s} must outlive ${r}.  ERROR_MEMORY, ERROR_LIMIT, ERROR_CRYPTO.
 */
int rekey_prepare(struct secrets_file *const s[MERGE_SIDES],
    const struct key *const masters[], size_t n, struct rekey *r, struct error *err);
void rekey_release(struct rekey *r);

#endif /* !MERGE_REKEY_H */
