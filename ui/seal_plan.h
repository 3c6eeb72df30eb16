#ifndef UI_SEAL_PLAN_H
#define UI_SEAL_PLAN_H

#include "base/buf.h"

struct app;
struct change;
struct error;

/* A plan that seals, and what it needs to be made again with another path. */
struct seal_plan {
	struct buf remote;	/* the path in new references */
	const char *path;	/* a value for one key; NULL: all that is marked */
	const char *key;
	size_t key_len;
	const struct buf *value;	/* secret */
	bool must_exist;	/* the key is in the file already */
};

void seal_plan_init(struct seal_plan *s);
void seal_plan_release(struct seal_plan *s);

/* Make the plan.  The model is unlocked. */
int seal_plan_make(struct app *a, const struct seal_plan *s, struct change *c,
    struct error *err);

/**
 * seal_plan_run(a, s, title, question, button, ask_now):
 * Make the plan, review, ask, apply; the path can be changed on the way.
 * True: it is done.
 */
bool seal_plan_run(struct app *a, struct seal_plan *s, const char *title,
    const char *question, const char *button, bool ask_now);

#endif /* !UI_SEAL_PLAN_H */
