#ifndef REGISTRY_KEYS_KEYRING_INTERNAL_H
#define REGISTRY_KEYS_KEYRING_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

struct keyring;

/* What keyring.c has for sealer.c alone. */

/* Goes up whenever the data keys change.  Takes no lock. */
uint64_t keyring_generation(const struct keyring *k);

/* The data keys as they are at one moment. */
struct keyring_snapshot {
	uint64_t generation;
	uint32_t active;
	size_t count;
	struct {
		uint32_t kid;
		unsigned char key[32];
	} keys[64];		/* RING_KEYS_MAX */
};

/* Fill ${out}, which is in secret memory. */
void keyring_copy_keys(const struct keyring *k, struct keyring_snapshot *out);

#endif /* !REGISTRY_KEYS_KEYRING_INTERNAL_H */
