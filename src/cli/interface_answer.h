#ifndef INTERFACE_ANSWER_H
#define INTERFACE_ANSWER_H

#include <stdbool.h>

struct buf;
struct error;
struct registry_answer;
struct vec;

/* What the registry's JSON says, for the interface.  ERROR_FORMAT, ERROR_MEMORY. */

/* ["a","b"]: added to the names (char *), up to their maximum; ${*cut}: there are more. */
int answer_add_names(const struct buf *json, struct vec *names, bool *cut, struct error *err);

/* A path's metadata: the names of its keys, with what is known of them. */
int answer_keys(const struct buf *json, struct registry_answer *out, struct error *err);

/* A key's metadata, or, as other registries have it, [1,2,4]. */
int answer_history(const struct buf *json, struct registry_answer *out, struct error *err);

int answer_value(const struct buf *json, struct registry_answer *out, struct error *err);
int answer_stored(const struct buf *json, struct registry_answer *out, struct error *err);
int answer_rotation(const struct buf *json, struct registry_answer *out, struct error *err);

/* What was begun is left out when its outcome is there. */
int answer_audit(const struct buf *json, struct registry_answer *out, struct error *err);

#endif /* !INTERFACE_ANSWER_H */
