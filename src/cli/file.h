#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "seal/seal.h"

struct error;
struct options;

/* The keys of --config KEYS.  Pointers are for core's functions on keys. */
struct key_list {
	struct buf text;
	const char **keys;
	size_t *lens;
	size_t count;
};

/**
 * key_list_read(o, trim, out, err):
 * Split the keys at commas, and at line ends when they come from @FILE or -.
 * ${trim}: without the blanks around each (as `confluent secret` does for
 * encrypt and decrypt, and not for remove).  No flag or a blank one: no keys.
 * ERROR_MISSING for an empty key between commas.  Release ${out} always.
 */
int key_list_read(const struct options *o, bool trim, struct key_list *out, struct error *err);
void key_list_release(struct key_list *l);

/* What encrypt, add and update have in common. */
struct seal_options sealing_options(const struct options *o);

#endif /* !CLI_FILE_H */
