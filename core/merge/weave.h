#ifndef MERGE_WEAVE_H
#define MERGE_WEAVE_H

struct buf;
struct error;
struct merge_result;
struct units;

/* The text of a merge whose units are decided (inside core/merge). */
int weave_write(struct units *u, struct buf *out, struct merge_result *r, struct error *err);

#endif /* !MERGE_WEAVE_H */
