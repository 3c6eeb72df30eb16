#ifndef REGISTRY_CLI_ACTION_H
#define REGISTRY_CLI_ACTION_H

#include <stddef.h>

struct options;

/* What the word after `registry user` (token, role, audit) stands for. */
struct action {
	const char *name;
	size_t min_args;	/* after the word itself */
	size_t max_args;
	int (*run)(const struct options *o);	/* sees args without the word */
};

/* Run the action that the first argument names.  The list ends with a NULL
 * name.  2: unknown, or another number of arguments. */
int action_run(const struct options *o, const struct action *actions);

#endif /* !REGISTRY_CLI_ACTION_H */
