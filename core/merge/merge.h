#ifndef MERGE_MERGE_H
#define MERGE_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

struct buf;
struct document;
struct error;
struct key;
struct secrets_file;

/*
 * A three-way merge of .properties files by entry, made for secrets files.
 * What one side changed, added or removed is taken; what both changed in
 * different ways is a conflict between markers, of that entry alone.  An
 * entry goes with the lines in front of it (comments, blank lines), which
 * are merged the same way, and a tag (secrets/sealed.h) goes with its entry.
 * New entries of the other side come behind the entry that they follow there.
 */
enum merge_side { MERGE_BASE, MERGE_OURS, MERGE_THEIRS };

#define MERGE_SIDES 3

struct merge_input {
	const struct document *doc[MERGE_SIDES];

	/* Whose key metadata (secrets_file.h, all but the name of the variable)
	 * the result has; MERGE_BASE: nobody knows, a conflict where it differs. */
	enum merge_side keys;

	/* Sealed entries of this side are under another data key than the
	 * result has: to take one is a conflict. */
	bool locked[MERGE_SIDES];
};

struct merge_result {
	size_t conflicts;	/* pairs of markers in the text */
	bool whole;		/* not by entry: both files in one conflict */
	struct buf names;	/* of the entries in conflict, one a line, made visible */
};

/**
 * merge_documents(in, out, r, err):
 * Append the merged file to ${out} (secret).  ${r} is filled, and released
 * with merge_result_release also after a failure.  The text is parsed again
 * as a check: without conflicts it has exactly the entries that the merge
 * decided on.  Where that cannot be had, as when a file cannot be read, both
 * files come whole in one conflict.  ERROR_MEMORY, ERROR_LIMIT.
 */
int merge_documents(const struct merge_input *in, struct buf *out,
    struct merge_result *r, struct error *err);

/* Both files whole in one conflict. */
int merge_whole(const struct buf *ours, const struct buf *theirs, struct buf *out,
    struct merge_result *r, struct error *err);

void merge_result_release(struct merge_result *r);

/* The lines that git, and merge.h, put around the two sides of a conflict. */
#define MARKERS_OURS "<<<<<<< ours"
#define MARKERS_BETWEEN "======="
#define MARKERS_THEIRS ">>>>>>> theirs"

/* The line, from 1, of the first conflict marker in the text; 0: none.  A line
 * is one when it is seven `<` or `>`, with or without a blank and a label.  It
 * may follow a CR alone, as Java reads it, but what is counted are LF, as the
 * places of every other finding are. */
size_t markers_line(const struct buf *text);

/* How many lines begin a conflict, and how many end one. */
void markers_count(const struct buf *text, size_t *begin, size_t *end);

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

#endif /* !MERGE_MERGE_H */
