#ifndef DOCUMENT_DOCUMENT_INTERNAL_H
#define DOCUMENT_DOCUMENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/edits.h"

struct document_index;
struct error;

/*
 * What core/document shares among its own files, and what a format brings.
 * document.c, document_index.c and edits.c know no format: what depends on
 * one goes through struct document_ops.
 */

/* One line of a 2 GiB table; more entries than that are refused. */
#define DOCUMENT_MAX_ENTRIES ((size_t)1 << 26)

/* The decoded keys of one document, each with its length: below 1.7 bytes a byte. */
#define DOCUMENT_MAX_KEYS ((size_t)UINT32_MAX)

/*
 * An entry: offsets into the bytes, which fit 32 bits (BUF_MAX_FILE).  What
 * stands between key_end and value is the separator.
 */
struct document_entry {
	uint32_t start;		/* of the first line that belongs to it */
	uint32_t end;		/* behind its last line end */
	uint32_t key;
	uint32_t key_end;
	uint32_t value;
	uint32_t value_end;
	uint32_t line;
	uint32_t decoded;	/* place of the decoded key, 0: it stands in the bytes */
};

struct document {
	enum document_format format;
	const struct document_ops *ops;
	char *file;
	struct buf bytes;
	struct vec entries;	/* struct document_entry */
	struct buf keys;	/* decoded keys: document_add_key */
	const char *problem;	/* static text, NULL: none */
	const char *problem_hint;
	size_t problem_line;
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
	 * Make one change.  They come by entry, what is inserted after an
	 * entry behind the change to it, and what is inserted at the end
	 * (c->entry is DOCUMENT_NONE) last.
	 */
	void (*render_change)(struct document_render *r, const struct edit *c);
};

extern const struct document_ops properties_ops;

static inline const struct document_entry *
document_entry(const struct document *d, size_t i)
{
	return (const struct document_entry *)d->entries.items + i;
}

/* Keep a decoded key; its place for struct document_entry, 0 when memory is out. */
uint32_t document_add_key(struct document *d, const void *key, size_t n);

/* Copy the document's bytes up to ${offset}; leave them out. */
void document_render_upto(struct document_render *r, size_t offset);
void document_render_skip(struct document_render *r, size_t offset);

/*
 * From keys to entries.  Built at the first question, so that a document
 * that is only listed does not pay for it; without memory for it the answers
 * come from a search through all entries.
 */
struct document_index *document_index_new(void);
void document_index_free(struct document_index *x);
size_t document_index_last(const struct document *d, const char *key, size_t n);
size_t document_index_previous(const struct document *d, size_t i);
bool document_index_shadowed(const struct document *d, size_t i);

#endif /* !DOCUMENT_DOCUMENT_INTERNAL_H */
