#ifndef REGISTRY_STORE_DECIDE_H
#define REGISTRY_STORE_DECIDE_H

#include <stddef.h>
#include <stdint.h>

struct batch;
struct draft;
struct error;
struct store_op;

/* Decide one op: what is to be written is added to the batch. */
void decide_op(struct batch *b, struct store_op *op);

/* The actions: each sets the op's result, and adds to the batch what is to be
 * written; what fails leaves the drafts as they were. */
void decide_create(struct batch *b, struct store_op *op);
void decide_delete(struct batch *b, struct store_op *op, uint32_t number);
void decide_delete_path(struct batch *b, struct store_op *op);
void decide_undelete(struct batch *b, struct store_op *op);
void decide_destroy(struct batch *b, struct store_op *op);

/* --- what they share --- */

const char *decide_by(const struct store_op *op);
void decide_fail(struct store_op *op);

/* The op (the batch's last) writes something: its offset will be that of the
 * draft's added version ${added}, or with SIZE_MAX that of its META. */
void decide_write(struct batch *b, struct store_op *op, struct draft *d, size_t added);

/* The draft of the op's key; NULL: the op has failed. */
struct draft *decide_draft(struct batch *b, struct store_op *op);

/* Can the draft's META take so much more (draft_meta_size)?  ERROR_LIMIT. */
int decide_fits(const struct draft *d, size_t runs, const char *by, size_t extra,
    struct error *err);

/* Take over the op's custom metadata, if it brings any. */
int decide_custom(struct batch *b, struct store_op *op, struct draft *d);

#endif /* !REGISTRY_STORE_DECIDE_H */
