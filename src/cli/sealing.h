#ifndef SEALING_H
#define SEALING_H

#include <stdbool.h>

#include "seal/seal.h"

struct error;
struct options;

/* What encrypt, add and update have in common. */
struct seal_options sealing_options(const struct options *o);

/**
 * sealing_put(o, must_exist, empty, err):
 * The whole of `add` (${must_exist} false) and `update`: seal the values of
 * --config.  ${empty} is said when there are none.
 */
int sealing_put(const struct options *o, bool must_exist, const char *empty,
    struct error *err);

#endif /* !SEALING_H */
