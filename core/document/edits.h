#ifndef DOCUMENT_EDITS_H
#define DOCUMENT_EDITS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct error;

/*
 * Changes to one document, collected and not yet made.  At most one change
 * an entry: a later one replaces the earlier.  Values given here stand in
 * ordinary memory, so they must not be secret unless edits_new was told so:
 * sealing puts references and ciphertext here, never plaintext.
 */
struct edits;

enum edit_kind { EDIT_SET, EDIT_INSERT, EDIT_REMOVE };

/* One change, for showing.  Pointers are valid until the next change. */
struct edit {
	enum edit_kind kind;
	size_t entry;		/* SET, REMOVE: the document's entry */
	size_t line;		/* where it stands; INSERT: 0 for the end */
	const char *key;
	size_t key_len;
	const char *value;	/* SET, INSERT: the new value, decoded */
	size_t value_len;
};

/* ${d} must outlive the edits.  ${secret}: keep new values in secret memory. */
struct edits *edits_new(const struct document *d, bool secret,
    struct error *err);
void edits_free(struct edits *e);

/* The document that they change. */
const struct document *edits_document(const struct edits *e);

/* Replace the value of entry ${i} (and of no other entry of that key). */
int edits_set(struct edits *e, size_t i, const void *value, size_t n,
    struct error *err);

/**
 * edits_insert(e, after, key, klen, value, n, err):
 * A new entry on a line of its own after entry ${after}, or at the end of
 * the document for DOCUMENT_NONE, in the document's own style (line ends,
 * separator).  Several at one place keep the order of the calls.
 */
int edits_insert(struct edits *e, size_t after, const char *key, size_t klen,
    const void *value, size_t n, struct error *err);

/* Remove entry ${i}: its logical line, line end included. */
int edits_remove(struct edits *e, size_t i, struct error *err);

size_t edits_count(const struct edits *e);

/* Change ${i} < edits_count, in the order in which they were made. */
struct edit edits_at(const struct edits *e, size_t i);

/**
 * edits_render(e, out, err):
 * Append the whole new document to ${out} (secret).  With no edits it is the
 * document byte for byte.
 */
int edits_render(const struct edits *e, struct buf *out, struct error *err);

#endif /* !DOCUMENT_EDITS_H */
