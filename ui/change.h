#ifndef UI_CHANGE_H
#define UI_CHANGE_H

#include "base/vec.h"

struct app;
struct configuration;
struct error;
struct plan;
struct secrets_file;

/* A plan with the configurations that it was made from. */
struct change {
	struct plan *plan;
	struct vec configs;		/* of struct configuration * */
	struct secrets_file *made;	/* a secrets file that is not there yet; owned */
};

void change_init(struct change *c);

/* Forget it.  Before the model's secrets file is read again. */
void change_release(struct change *c);

/* Start a plan on the model's secrets file, read again if it changed. */
int change_begin(struct app *a, struct change *c, struct error *err);

/* Read a configuration file; each file once for one change. */
struct configuration *change_load(struct change *c, const char *path, struct error *err);

/**
 * change_apply(a, c, err):
 * Lock the files, apply the plan, and read what changed again.  The change
 * is released in any case.
 */
int change_apply(struct app *a, struct change *c, struct error *err);

#endif /* !UI_CHANGE_H */
