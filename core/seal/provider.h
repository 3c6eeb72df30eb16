#ifndef SEAL_PROVIDER_H
#define SEAL_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "secrets/reference.h"

struct buf;
struct configuration;
struct document;
struct edits;
struct error;
struct plan;
struct scope;

/**
 * provider_add(p, c, class, err):
 * Plan the two entries without which Kafka does not resolve our references:
 * `securepass` in the list config.providers (compared item by item), and
 * config.providers.securepass.class (KIP-297), which is ${class} or, for
 * NULL, Confluent's.  Once a plan and configuration.  In JSON they are members
 * of the outermost object.  Whatever has a connector.class gets a note
 * instead, as its worker names the provider.
 */
int provider_add(struct plan *p, struct configuration *c, const char *class,
    struct error *err);

/* Is it a connector, whose references the worker resolves? */
bool provider_is_connector(const struct document *d);

/* Is it the configuration of a Connect worker? */
bool provider_is_worker(const struct document *d);

/**
 * provider_lacks(d, name, len, class):
 * What keeps Kafka from resolving a reference to provider ${name} by the
 * settings that are in force in ${d}: it leaves one to a provider that is not
 * in config.providers, or without its class, as the text that it is, silently.
 * ${class} is what the class has to be (NULL: any).  NULL: nothing does.
 */
const char *provider_lacks(const struct document *d, const char *name, size_t len,
    const char *class);

/* The same as edits of any document. */
int provider_add_to(struct edits *e, const char *class, struct error *err);

/**
 * provider_remove_from(e, err):
 * The reverse, for a document in which nothing refers to the provider any
 * more: its class entry goes, and the item in the list, or the list's entry
 * when there is no other item.  A provider that has another class or settings
 * of its own was not made by provider_add and stays.
 */
int provider_remove_from(struct edits *e, struct error *err);

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

#endif /* !SEAL_PROVIDER_H */
