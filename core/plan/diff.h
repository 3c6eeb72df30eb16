#ifndef PLAN_DIFF_H
#define PLAN_DIFF_H

struct buf;
struct error;
struct plan;

/**
 * diff_append(p, out, err):
 * Append the plan as a masked diff for people: `--- path`/`+++ path`, then for
 * each change `@@ line N @@` and `-key = ...`/`+key = ...` lines, for a part of
 * a value `-key/<label> = ...` or `-key[<from>-<to>] = ...`.  A value is
 * shown only when it is public: a reference, metadata, provider settings;
 * ciphertext is shortened, anything else is `********`.  ${out} is an ordinary buffer.
 */
int diff_append(const struct plan *p, struct buf *out, struct error *err);

/*
 * The same as JSON: {"files":[{"path","role","new","changes":[...],"tags":n}],"notes":[...]}.
 * A change is {"op":"set|insert|remove","key","line","from","to"}; of a part of a
 * value it has "part" (the label) or "span" ([from, to)) too.
 */
int diff_append_json(const struct plan *p, struct buf *out, struct error *err);

#endif /* !PLAN_DIFF_H */
