#ifndef PLAN_VERIFY_H
#define PLAN_VERIFY_H

struct buf;
struct error;
struct plan;
struct plan_file;

/**
 * plan_verify(p, file, content, err):
 * Check the new ${content} of a file of the plan as apply read it back from
 * disk: it parses, what was set is there and what was removed is not, the data
 * key is the old one or opens under the expected master key, and every sealed
 * entry that the plan wrote opens (with an expected master key every one in
 * the file).  ERROR_DAMAGED otherwise, whatever it is that does not fit.  ${content} is used up.
 */
int plan_verify(const struct plan *p, const struct plan_file *file,
    struct buf *content, struct error *err);

#endif /* !PLAN_VERIFY_H */
