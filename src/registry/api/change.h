#ifndef REGISTRY_API_CHANGE_H
#define REGISTRY_API_CHANGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "registry/store/store.h"

struct exchange;

/*
 * A change of the store on behalf of a request: the store does it, with intent and
 * outcome put on record (witness.h), then the endpoint answers.  It goes on to the
 * end when the client goes away in between.
 */
struct change {
	struct store_op op;
	struct exchange *x;
	int status;				/* of the answer when it is done */
	void (*stored)(struct change *c);	/* on the event thread; answers */
};

/* The request's change, filled with its names and caller; NULL: answered. */
struct change *change_new(struct exchange *x, enum store_action action, int status,
    void (*stored)(struct change *c));

/**
 * change_condition(c):
 * Take over If-Match and If-None-Match: *.  false: it cannot hold, and 412 was
 * answered.
 */
bool change_condition(struct change *c);

void change_submit(struct change *c);

/* It is decided and about to be written: what the outcome tells if it is done. */
void change_done(struct change *c);

/* For what is not STORE_DONE or STORE_REPEATED: the error's answer. */
void change_fail(struct change *c);

#endif /* !REGISTRY_API_CHANGE_H */
