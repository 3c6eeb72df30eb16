#ifndef PLAN_DIFF_ORDER_H
#define PLAN_DIFF_ORDER_H

#include <stddef.h>

struct edits;

/* The changes of ${e} in the order of the file's lines, new lines last: an
 * array of edits_count indexes for the caller to free.  NULL: no memory. */
size_t *diff_order(const struct edits *e);

#endif /* !PLAN_DIFF_ORDER_H */
