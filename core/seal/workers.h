#ifndef SEAL_WORKERS_H
#define SEAL_WORKERS_H

#include <stdbool.h>

#include "base/vec.h"
#include "secrets/reference.h"

struct buf;
struct document;
struct error;
struct scope;

/*
 * Connect workers of an estate: a connector's references are resolved by its
 * worker, with the providers that the worker's own configuration names.
 */
struct workers {
	struct vec list;	/* of struct configuration * */
};

void workers_init(struct workers *w);
void workers_release(struct workers *w);

/* Read ${path} and keep it if it is a worker's; what cannot be read is none.  ERROR_MEMORY. */
int workers_add(struct workers *w, const char *path, const struct scope *scope,
    struct error *err);

/* The one that is nearest to a connector, by the folders that they share; NULL: none. */
const struct document *workers_nearest(const struct workers *w, const char *path);

/**
 * workers_lack(by, d, value, class, parts, out):
 * What keeps a service with the configuration ${by} (the worker's, or ${d} itself)
 * from resolving the references of a value in ${d}, and the first of which that
 * is true (pointers into ${value}).  Our provider's class has to be ${class}
 * (NULL: Confluent's).  Without ${parts} other providers count only where ${by} has
 * config.providers or is the whole configuration of a service.  NULL: nothing does.
 */
const char *workers_lack(const struct document *by, const struct document *d,
    const struct buf *value, const char *class, bool parts, struct reference *out);

#endif /* !SEAL_WORKERS_H */
