#ifndef SEAL_PROVIDER_H
#define SEAL_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

struct configuration;
struct document;
struct edits;
struct error;
struct plan;

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

#endif /* !SEAL_PROVIDER_H */
