#ifndef DOCUMENT_EDITS_H
#define DOCUMENT_EDITS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct error;

/*
 * Changes to one document, collected and not yet made.  At most one change
 * an entry: a later one replaces the earlier.  Or several splices of its
 * value, which no change of the whole entry goes together with.  Values given here stand in
 * ordinary memory, so they must not be secret unless edits_new was told so:
 * sealing puts references and ciphertext here, never plaintext.
 */
struct edits;

enum edit_kind { EDIT_SET, EDIT_INSERT, EDIT_REMOVE, EDIT_SPLICE };

/* One change, for showing.  Pointers are valid until the next change. */
struct edit {
	enum edit_kind kind;
	size_t entry;		/* SET, REMOVE, SPLICE: the document's entry */
	size_t line;		/* where it stands; INSERT: 0 for the end */
	const char *key;
	size_t key_len;
	const char *value;	/* SET, INSERT: the new value, decoded; SPLICE: the text */
	size_t value_len;
	size_t from, to;	/* SPLICE: the bytes of the decoded value that go */
	const char *label;	/* SPLICE: what part of the value that is, or NULL */
	size_t label_len;
};

/* ${d} must outlive the edits.  ${secret}: keep new values in secret memory. */
struct edits *edits_new(const struct document *d, bool secret,
    struct error *err);
void edits_free(struct edits *e);

/* Forget all changes. */
void edits_clear(struct edits *e);

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
 *
 * In JSON the key is a path (json_path.h) and the new member stands at the
 * end of the object that the path up to its last part names, or behind
 * ${after} if that is a member of the same object and not removed.  Objects
 * on the way that are missing are made.  A path that is there or ends in an
 * array is refused: ERROR_EXISTS, ERROR_REFUSED, ERROR_USAGE.
 */
int edits_insert(struct edits *e, size_t after, const char *key, size_t klen,
    const void *value, size_t n, struct error *err);

/**
 * edits_insert_two(e, key, klen, value, n, head, other, m, err):
 * Two new entries at the end, of ${key} and of ${head}${key} with ${other}, for which the key
 * is kept once; edits_find knows only the first.
 */
int edits_insert_two(struct edits *e, const char *key, size_t klen, const void *value, size_t n,
    const char *head, const void *other, size_t m, struct error *err);

/**
 * edits_remove(e, i, err):
 * Remove entry ${i}: its logical line, line end included; in JSON the member
 * with one comma.  ERROR_REFUSED for an element of an array, since those
 * behind it would get other numbers, and for the whole document.
 */
int edits_remove(struct edits *e, size_t i, struct error *err);

/**
 * edits_splice(e, i, from, to, text, n, label, err):
 * Replace the bytes [from, to) of the decoded value of entry ${i} by ${text};
 * where from is to, insert it.  Only the raw bytes that stand for them
 * change: escapes, continuation lines and blanks of the rest stay byte for
 * byte, and the rest is not copied.  Offsets are into the document's value
 * whatever was spliced before, in any order; inserts at one place keep the
 * order of the calls; exactly the same cut again replaces the earlier text.
 * ${label} is NULL, or the whole name of that part of the value, such as a JAAS
 * address, for showing only.
 * ERROR_REFUSED: it overlaps another, cuts an escape in two, or the whole
 * entry is changed already (and after a splice edits_set and edits_remove
 * refuse the entry); ERROR_USAGE: behind the end of the value; ERROR_LIMIT:
 * more than 65536 of one value; ERROR_MEMORY.
 */
int edits_splice(struct edits *e, size_t i, size_t from, size_t to, const void *text,
    size_t n, const char *label, struct error *err);

/**
 * edits_value(e, i, out, err):
 * Append the value that entry ${i} will have, decoded, to ${out}, which must
 * be secret unless the caller knows that the value is not.  ERROR_MISSING:
 * the entry is to be removed.
 */
int edits_value(const struct edits *e, size_t i, struct buf *out, struct error *err);

size_t edits_count(const struct edits *e);

/* Change ${i} < edits_count, in the order in which they were made. */
struct edit edits_at(const struct edits *e, size_t i);

/**
 * edits_find(e, key, klen, change, err):
 * The change that gives a key its new value, or takes it away: of what is inserted the
 * last, else that of the entry that counts; DOCUMENT_NONE: none does.  A key in JSON has
 * to be spelt as the entry's is.  ERROR_MEMORY.
 */
int edits_find(struct edits *e, const char *key, size_t klen, size_t *change,
    struct error *err);

/**
 * edits_render(e, out, err):
 * Append the whole new document to ${out} (secret, or one that drains).  With no edits it is the
 * document byte for byte.  In JSON ERROR_REFUSED when an object is changed
 * and something inside it too, ERROR_EXISTS when a path is inserted twice.
 */
int edits_render(const struct edits *e, struct buf *out, struct error *err);

#endif /* !DOCUMENT_EDITS_H */
