#ifndef REGISTRY_CLI_RESOLVER_H
#define REGISTRY_CLI_RESOLVER_H

struct error;
struct options;
struct registry_resolver;
struct resolver;

/* The provider's name in references to a registry: ${secret:PATH:KEY}. */
#define REGISTRY_PROVIDER "secret"

/**
 * registry_resolver_open(o, out, err):
 * For commands that resolve references: when --url or $PROPSEAL_REGISTRY_URL
 * names a registry, ${*out} can ask it, else it is NULL.  Call it before the
 * first key is derived.  It connects when the first reference is met, and
 * asks once for each.
 */
int registry_resolver_open(const struct options *o, struct registry_resolver **out,
    struct error *err);
void registry_resolver_close(struct registry_resolver *r);

/* NULL for NULL. */
const struct resolver *registry_resolver(const struct registry_resolver *r);

#endif /* !REGISTRY_CLI_RESOLVER_H */
