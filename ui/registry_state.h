#ifndef UI_REGISTRY_STATE_H
#define UI_REGISTRY_STATE_H

#include <stdbool.h>

#include "ui/registry_source.h"

struct registry_key;
struct registry_path;

/* What can be read of paths and keys, as far as it is known. */

/* REGISTRY_LIVE: something can be read, or nothing else is known; another
 * state: something is left, but nothing live. */
enum registry_version_state registry_key_state(const struct registry_key *k);
enum registry_version_state registry_path_state(const struct registry_path *p);

/* Does a configuration file refer to a key of which nothing can be read? */
bool registry_key_dangles(const struct registry_path *p, const struct registry_key *k);

/* The key's newest live version, NULL for none. */
const struct registry_version *registry_key_latest(const struct registry_key *k);

/* The newest live one before ${number}, NULL for none. */
const struct registry_version *registry_key_live_before(const struct registry_key *k,
    unsigned int number);

/* What can be brought back of a key of which nothing is live: the newest
 * deleted version.  NULL: nothing, or its versions are not known. */
const struct registry_version *registry_key_lost(const struct registry_key *k);

#endif /* !UI_REGISTRY_STATE_H */
