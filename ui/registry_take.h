#ifndef UI_REGISTRY_TAKE_H
#define UI_REGISTRY_TAKE_H

#include <stdbool.h>

#include "ui/view.h"

struct app;
struct registry;
struct registry_answer;

/* What registry_take does with answers. */

/* Take what was asked for by itself into what is known. */
void registry_merge(struct registry *r, const struct registry_answer *a);

/* A failure: is it one of the whole registry (not reachable, no login)?  Then
 * nothing more is asked until the user says so. */
bool registry_merge_failure(struct registry *r, const struct registry_answer *a);

/* A view that waits for an answer: while it is shown, it is registry->waiting. */
struct registry_wait {
	struct view view;
	unsigned long id;	/* of the answer */

	/* Take it; it is owned from then on. */
	void (*take)(struct registry_wait *w, struct app *a, struct registry_answer *answer);
};

#endif /* !UI_REGISTRY_TAKE_H */
