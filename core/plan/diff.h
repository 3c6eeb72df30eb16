#ifndef PLAN_DIFF_H
#define PLAN_DIFF_H

#include <stddef.h>

struct apply;
struct buf;
struct error;
struct json_out;
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

/**
 * diff_write_json(p, a, n, o):
 * The same of ${n} plans as members of an object that is open in ${o}.  Plans that
 * are only shown (${a} NULL): "schema":"propseal.plan/1","files":[{"path","role","new","changes":
 * [...],"tags":n}],"notes":[...].  Those that were applied: "schema":
 * "propseal.change/1","changed":bool,"files":[{"file","role","new","entries":
 * [...],"tags":n}],"notes":[...], where a file that was not changed has no
 * entries and an "error".  A change, or entry, is {"op":
 * "set|insert|remove","key","line","from","to"}; of a part of a value it has
 * "part" (the label) or "span" ([from, to)) too.
 */
void diff_write_json(const struct plan *const p[], struct apply *const a[], size_t n,
    struct json_out *o);

/**
 * diff_append_files(a, out):
 * What was changed, in a few words: "a.properties (3 entries), new b.properties
 * (5 entries)", at most some of the names.
 */
void diff_append_files(const struct apply *a, struct buf *out);

#endif /* !PLAN_DIFF_H */
