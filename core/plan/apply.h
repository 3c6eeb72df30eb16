#ifndef PLAN_APPLY_H
#define PLAN_APPLY_H

struct error;
struct plan;

/**
 * apply_plan(p, err):
 * Make every change of the plan, in its order: all files are written aside
 * and verified (plan_verify) before the first is put in its place; if a later
 * one cannot be put in its place, the earlier ones are put back.  The caller
 * holds the lock of every file of the plan (apply_lock, or lock_files before
 * loading).  0: done, on disk, and read back.  -1: every file is as it was,
 * unless the text says otherwise.
 */
int apply_plan(struct plan *p, struct error *err);

/* lock_files for every file of a plan. */
struct lock *apply_lock(const struct plan *p, int timeout_ms,
    void (*waiting)(void *cookie, const char *path), void *cookie,
    struct error *err);

#endif /* !PLAN_APPLY_H */
