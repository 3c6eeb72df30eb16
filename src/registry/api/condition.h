#ifndef REGISTRY_API_CONDITION_H
#define REGISTRY_API_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

/* If-Match and If-None-Match (RFC 9110, section 13.1). */

/* Does the header's list name the entity tag of ${version} ("*" names any)?
 * With ${weak} W/"n" counts as "n". */
bool condition_names(const char *header, uint32_t version, bool weak);

/* Is it "*" and nothing else? */
bool condition_is_any(const char *header);

/* Is it one strong tag?  ${version} gets its number, or 0 if it is none of ours. */
bool condition_is_one(const char *header, uint32_t *version);

#endif /* !REGISTRY_API_CONDITION_H */
