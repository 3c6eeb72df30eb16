#ifndef CLI_PROVIDERS_H
#define CLI_PROVIDERS_H

#include <stdbool.h>

#include "seal/provider.h"

struct configuration;
struct document;
struct error;
struct estate;
struct checks;
struct options;

/* Whether what reads a configuration resolves its references at all: the
 * service itself, or of a connector the worker beside it, if it is in the estate. */
struct providers {
	const struct options *o;
	const struct estate *estate;
	struct workers workers;
	bool looked;		/* for them */
};

void providers_init(struct providers *p, const struct options *o, const struct estate *e);
void providers_release(struct providers *p);

/* Whose settings resolve the references of ${c}: its own, or of a connector the worker's;
 * ${*by} NULL: the worker is not in the estate.  ERROR_MEMORY. */
int providers_reader(struct providers *p, const struct configuration *c,
    const struct document **by, struct error *err);

/* Add a problem for each entry of ${c} with a reference whose provider is not
 * declared.  ERROR_MEMORY. */
int providers_check(struct providers *p, struct checks *f, const struct configuration *c,
    struct error *err);

#endif /* !CLI_PROVIDERS_H */
