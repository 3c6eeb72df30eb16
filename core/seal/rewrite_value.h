#ifndef PLAN_REWRITE_VALUE_H
#define PLAN_REWRITE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "secrets/reference.h"

struct buf;
struct document;
struct error;
struct secrets_file;

/*
 * One value that refers to sealed entries, and what a person made of it
 * (inside core/plan).  Most are one reference and nothing else; a JAAS value
 * may hold several.
 */

/* A reference of ours in the old value. */
struct rewrite_part {
	struct reference ref;	/* pointers into the old value */
	size_t ref_start;	/* its span there */
	size_t ref_end;
	size_t entry;		/* that it names in the secrets file, or DOCUMENT_NONE */
	size_t plain_start;	/* what it stands for in the resolved value */
	size_t plain_end;
	size_t start;		/* what stands there in the edited value */
	size_t end;
	bool changed;
	bool fresh;		/* a new one: ref_start and ref_end are in rewriting.fresh */
	bool tight;		/* a blank must follow the reference */
};

/**
 * rewrite_value_load(s, d, i, raw, plain, parts, err):
 * Put the value of entry ${i} into ${raw}, what it resolves to into ${plain}
 * (both secret, emptied first) and its references of ours into ${parts} (of
 * struct rewrite_part, emptied first).  1: it resolves, 0: it does not
 * (dangling, damaged), and ${plain} is empty.  -1: ERROR_MEMORY and the like.
 */
int rewrite_value_load(const struct secrets_file *s, const struct document *d,
    size_t i, struct buf *raw, struct buf *plain, struct vec *parts,
    struct error *err);

/**
 * rewrite_value_locate(plain, edited, parts):
 * Find what became of each part in the edited value.  True: all are as they
 * were, or the text around them is.
 */
bool rewrite_value_locate(const struct buf *plain, const struct buf *edited,
    struct vec *parts);

#endif /* !PLAN_REWRITE_VALUE_H */
