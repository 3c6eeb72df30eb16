#ifndef SEAL_REWRITE_H
#define SEAL_REWRITE_H

struct configuration;
struct document;
struct error;
struct key;
struct plan;
struct seal_options;

/**
 * rewrite_plan(p, c, edited, master, o, err):
 * Plan that configuration ${c} becomes ${edited}: what render_document gave a
 * person for it (RENDER_PERSON) and that person then changed.  ${edited} must
 * have no problem (document_problem); the plan's secrets file is unlocked if
 * it has a data key.
 *
 * A value that was sealed and did not change keeps its reference and its
 * sealed entry; one that changed is sealed anew.  A new entry is sealed when
 * the rules take its key by default, or when its value is one that was sealed
 * until now.  Sealed entries of this file that nothing in it refers to any
 * more are removed.  All else is taken over as it was edited.
 *
 * ERROR_REFUSED: a value that was sealed would stand in clear text in a
 * comment or beside a reference, a value was cut, or what seal.h refuses.  ERROR_EXISTS: the
 * secrets file has an entry of a new key's name with another value and
 * o->replace is false.  Lines in errors are those of ${edited}.  After a
 * failure the plan is good for nothing but plan_free.
 */
int rewrite_plan(struct plan *p, struct configuration *c,
    const struct document *edited, const struct key *master,
    const struct seal_options *o, struct error *err);

#endif /* !SEAL_REWRITE_H */
