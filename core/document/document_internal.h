#ifndef DOCUMENT_DOCUMENT_INTERNAL_H
#define DOCUMENT_DOCUMENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/key_index.h"

struct document_index;
struct error;
struct splices;

/*
 * What core/document shares among its own files, and what a format brings.
 * document.c and edits.c know no format: what depends on one goes through
 * struct document_ops.
 */

/* One line of a 2 GiB table; more entries than that are refused. */
#define DOCUMENT_MAX_ENTRIES ((size_t)1 << 26)

/* The decoded keys of one document, each with its length: below 1.7 bytes a byte. */
#define DOCUMENT_MAX_KEYS ((size_t)INT32_MAX)

/*
 * An entry: offsets into the bytes, which fit 31 bits (BUF_MAX_FILE).  What
 * stands between key_end and value is the separator; where it ends tells
 * document_end.
 */
struct document_entry {
	uint32_t start;		/* of the first line that belongs to it */
	uint32_t key;		/* with DOCUMENT_DECODED its place among the decoded keys */
	uint32_t key_end;
	uint32_t value;
	uint32_t value_end;
	uint32_t line;
};

#define DOCUMENT_DECODED ((uint32_t)1 << 31)

struct document {
	const struct document_format *format;
	const struct document_ops *ops;	/* the format's */
	char *file;
	struct buf bytes;
	struct vec entries;	/* struct document_entry: those listed, then the unlisted */
	size_t unlisted;	/* objects and arrays: they have a number and a key, no more */
	struct buf keys;	/* decoded keys: document_add_key */
	const char *problem;	/* static text, NULL: none */
	const char *problem_hint;
	size_t problem_line;
	size_t problem_column;	/* in characters from 1, 0: not told */
	bool problem_behind;	/* on the line of the last listed entry's value, behind that */
	struct document_index *index;	/* fills itself at the first question */
};

/* Writing a document with its edits: the untouched bytes and the changed ones. */
struct document_render {
	const struct document *d;
	struct buf *out;
	size_t done;		/* bytes of the document that are dealt with */
	const char *line_end;	/* the document's own */
	const char *separator;
	unsigned tail;		/* the format's note on how the document ends */
};

/* A place between two characters of a value: what comes before it has ${decoded} bytes. */
struct document_place {
	uint32_t raw;		/* in the document's bytes */
	uint32_t decoded;
};

/* Bytes of the document, between two such places, and what takes their place. */
struct document_splice {
	size_t from, to;
	const void *text;	/* decoded */
	size_t n;
};

struct document_ops {
	/* Find the entries, or the problem, in d->bytes.  -1: ERROR_MEMORY, ERROR_LIMIT. */
	int (*parse)(struct document *d, struct error *err);

	/* The decoded value, appended, and compared without a copy. */
	void (*append_value)(const struct document *d, const struct document_entry *x,
	    struct buf *out);
	bool (*value_is)(const struct document *d, const struct document_entry *x,
	    const void *value, size_t n);

	/* Look at the style that new entries have to keep to. */
	void (*render_begin)(struct document_render *r);

	/*
	 * Go on from a place to the last one that is not behind ${decoded}:
	 * to exactly there, unless an escape spans it or the value ends.  A
	 * place is as early in the bytes as it can be, so directly behind the
	 * character before it.  The first is that of x->value, 0 bytes.
	 */
	void (*seek)(const struct document *d, const struct document_entry *x,
	    struct document_place *at, size_t decoded);

	/*
	 * Splice the value of an entry, which nothing else changes: sorted,
	 * and without overlaps.  The new value must read back as the old with
	 * the texts in it, whatever comes to stand beside what.  A format that
	 * brings render asks for it there (edits_render_splices).  Without
	 * seek, edits_splice refuses the format.
	 */
	void (*render_splices)(struct document_render *r, const struct document_entry *x,
	    const struct document_splice *splices, size_t n);

	/*
	 * Make one change.  They come by entry, what is inserted after an
	 * entry behind the change to it, and what is inserted at the end
	 * (c->entry is DOCUMENT_NONE) last.
	 */
	void (*render_change)(struct document_render *r, const struct edit *c);

	/*
	 * What a format may leave out (NULL) begins here; one that is only read
	 * also leaves out all render_*, and every change is refused.  This one is
	 * in the place of render_begin and render_change, where changes do not
	 * come in the order of the entries.
	 */
	int (*render)(const struct edits *e, struct buf *out, struct error *err);

	/* Refuse a change that cannot be made, before it is kept. */
	int (*check)(const struct edits *e, const struct edit *c, struct error *err);

	/* The entries that a key with wildcards stands for (NULL: no key has any). */
	int (*expand)(const struct document *d, const char *key, size_t n, struct vec *entries,
	    struct error *err);

	/* Append as a value, for showing (NULL: as it is). */
	void (*write_value)(struct buf *out, const void *bytes, size_t n);

	/* Append the one spelling that a key has in entries, if it is another one. */
	bool (*respell)(const char *key, size_t n, struct buf *out);
};

/*
 * Decoding, for every format: a walk over raw bytes that yields the decoded
 * ones piece by piece, of a byte or more; a format brings the step, which is
 * false at the end.  Inline, so that the step is.
 */
struct cursor {
	const unsigned char *p;
	size_t n;
	size_t at;
	unsigned char small[4];	/* a piece that does not stand in the bytes */
};

typedef bool cursor_step(struct cursor *c, const unsigned char **piece, size_t *len);

static inline __attribute__((always_inline)) void
cursor_append(struct cursor *c, cursor_step *next, struct buf *out)
{
	const unsigned char *piece;
	size_t len;

	/* At once rather than by doubling; the decoded bytes are never more. */
	if (!out->failed && c->n - c->at <= out->max - out->len)
		(void)buf_reserve(out, c->n - c->at);
	while (next(c, &piece, &len))
		buf_append(out, piece, len);
}

static inline __attribute__((always_inline)) bool
cursor_is(struct cursor *c, cursor_step *next, const unsigned char *value, size_t n)
{
	const unsigned char *piece;
	size_t len;

	while (next(c, &piece, &len)) {
		if (len > n || memcmp(piece, value, len) != 0)
			return false;
		value += len;
		n -= len;
	}
	return n == 0;
}

extern const struct document_ops properties_ops;
extern const struct document_ops json_ops;

/* The numbers that entries have, those not listed included. */
static inline size_t
document_numbers(const struct document *d)
{
	return d->entries.len;
}

static inline const struct document_entry *
document_entry(const struct document *d, size_t i)
{
	return (const struct document_entry *)d->entries.items + i;
}

/*
 * All entries in the order of the file: listed and unlisted ones each are in
 * it by themselves.  Begin with { 0, document_count(d) }.
 */
struct document_walk {
	size_t listed;
	size_t unlisted;
};

static inline bool
document_walk_next(const struct document *d, struct document_walk *w, size_t *i)
{
	size_t count = d->entries.len - d->unlisted;
	bool more = w->unlisted < d->entries.len;

	if (w->listed < count && (!more ||
	    document_entry(d, w->listed)->start < document_entry(d, w->unlisted)->start))
		*i = w->listed++;
	else if (more)
		*i = w->unlisted++;
	else
		return false;
	return true;
}

/* Keep a decoded key, and have the entry lead to it.  -1: d->keys has failed. */
int document_add_key(struct document *d, struct document_entry *x, const void *key, size_t n);

/* Behind the entry, and its last line end where it has lines of its own. */
size_t document_end(const struct document *d, const struct document_entry *x);

/* Copy the document's bytes up to ${offset}; leave them out. */
void document_render_upto(struct document_render *r, size_t offset);
void document_render_skip(struct document_render *r, size_t offset);

/*
 * From keys to entries.  Built at the first question, so that a document
 * that is only listed does not pay for it; without memory for it the answers
 * come from a search through all entries.
 */
size_t document_index_last(const struct document *d, const char *key, size_t n);

/* What edits.c and the formats share. */

#define EDITS_MAX_CHANGES DOCUMENT_MAX_ENTRIES
#define EDITS_MAX_TEXT BUF_MAX_FILE

/* Keys and values stand in one buffer: a change has their places in it. */
struct change {
	uint32_t entry;		/* INSERT: behind this one, the document's numbers for the end */
	uint32_t key;		/* INSERT; SPLICE: its number */
	uint32_t key_len;	/* INSERT */
	uint32_t value;
	uint32_t value_len;
	unsigned char kind;	/* enum edit_kind */
	bool at_end;		/* INSERT: asked for with DOCUMENT_NONE */
	bool beside;		/* INSERT: the second of two; edits_find does not find it */
};

struct edits {
	const struct document *d;
	struct vec changes;	/* struct change */
	struct buf text;
	uint32_t *by_entry;	/* 1 + the SET, REMOVE or first SPLICE of each entry, 0: none */
	struct splices *splices;	/* NULL: none */
	size_t inserts;
	struct key_index index;	/* of their keys, as far as ${indexed}; no slots: none yet */
	size_t indexed;
	size_t room;		/* of the index, in numbers */
};

struct change *edits_change_at(const struct edits *e, size_t i);

/* The change of entry ${i}, or NULL; after edits_index one can be noted. */
struct change *edits_change_of(const struct edits *e, size_t i);

/* Write the entry of the splice ${first}, with all of its splices. */
int edits_render_splices(const struct edits *e, const struct change *first,
    struct document_render *r, struct error *err);

#endif /* !DOCUMENT_DOCUMENT_INTERNAL_H */
