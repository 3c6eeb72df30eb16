#ifndef PLAN_PROVIDER_H
#define PLAN_PROVIDER_H

struct configuration;
struct error;
struct plan;

/**
 * provider_add(p, c, err):
 * Plan the two entries without which Kafka does not resolve our references:
 * `securepass` in the list config.providers (compared item by item), and
 * config.providers.securepass.class (KIP-297).  Once a plan and configuration.
 */
int provider_add(struct plan *p, struct configuration *c, struct error *err);

#endif /* !PLAN_PROVIDER_H */
