#ifndef INTERFACE_REGISTRY_H
#define INTERFACE_REGISTRY_H

#include <stdbool.h>

struct error;
struct options;
struct registry_source;

/*
 * The registry as the interface asks it (ui/registry_source.h): a thread does
 * one request at a time by the blocking client, and tells the interface's
 * loop by an eventfd.
 */
struct interface_registry;

/**
 * interface_registry_open(o, r, err):
 * The registry that the flags or the environment name; ${*r} is NULL when they
 * name none.  Nothing is asked yet.  Call it before OpenSSL is used.
 */
int interface_registry_open(const struct options *o, struct interface_registry **r,
    struct error *err);

const struct registry_source *interface_registry_source(const struct interface_registry *r);

/* NULL is fine.  False: a request still is under way, so that the program must
 * end without tidying up (_exit). */
bool interface_registry_close(struct interface_registry *r);

#endif /* !INTERFACE_REGISTRY_H */
