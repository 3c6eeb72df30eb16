#ifndef DOCUMENT_EDITS_INTERNAL_H
#define DOCUMENT_EDITS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "document/document_internal.h"
#include "document/edits.h"

struct error;
struct splices;

/* What edits.c and edits_splice.c share. */

#define EDITS_MAX_CHANGES DOCUMENT_MAX_ENTRIES
#define EDITS_MAX_TEXT BUF_MAX_FILE

/* Keys and values stand in one buffer: a change has their places in it. */
struct change {
	enum edit_kind kind;
	uint32_t entry;		/* INSERT: behind this one, the document's numbers for the end */
	uint32_t key;		/* SPLICE: the label */
	uint32_t key_len;
	uint32_t value;
	uint32_t value_len;
	uint32_t splice;
	bool at_end;		/* INSERT: asked for with DOCUMENT_NONE */
};

struct edits {
	const struct document *d;
	struct vec changes;	/* struct change */
	struct buf text;
	uint32_t *by_entry;	/* 1 + the SET, REMOVE or first SPLICE of each entry, 0: none */
	struct splices *splices;	/* NULL: none */
};

struct change *edits_change_at(const struct edits *e, size_t i);
const char *edits_text_at(const struct edits *e, uint32_t at);

/* The change of entry ${i}, or NULL; after edits_index one can be noted. */
struct change *edits_change_of(const struct edits *e, size_t i);
int edits_index(struct edits *e, struct error *err);

int edits_check_entry(const struct edits *e, size_t i, struct error *err);
int edits_refuse_both(const struct edits *e, size_t i, struct error *err);

/* Make sure first: a buffer that has once failed takes nothing more. */
int edits_check_room(const struct edits *e, size_t key_len, size_t value_len,
    struct error *err);
int edits_keep_text(struct edits *e, const void *bytes, size_t n, uint32_t *at,
    uint32_t *len, struct error *err);
struct change *edits_new_change(struct edits *e, struct error *err);

/* Write the entry of the splice ${first}, with all of its splices. */
int edits_render_splices(const struct edits *e, const struct change *first,
    struct document_render *r, struct error *err);

#endif /* !DOCUMENT_EDITS_INTERNAL_H */
