#ifndef SECRETS_METADATA_H
#define SECRETS_METADATA_H

#include <stdbool.h>
#include <stddef.h>

struct document;
struct error;
struct secrets_metadata;

/* The `_metadata.` entries of a secrets file (inside core/secrets). */

/* Is entry ${i} metadata: one of the seven keys of secrets_file.h? A
 * configuration file may be named `_metadata...`, so the whole key counts. */
bool metadata_is_key(const struct document *d, size_t i);

/**
 * metadata_read(d, out, err):
 * Fill ${out}, to be freed by metadata_release.  ERROR_DAMAGED with the line:
 * iterations or length that are no numbers or out of bounds.
 */
int metadata_read(const struct document *d, struct secrets_metadata *out,
    struct error *err);
void metadata_release(struct secrets_metadata *m);

#endif /* !SECRETS_METADATA_H */
