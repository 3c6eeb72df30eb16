#include "registry/auth/macs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "crypto/key.h"

/* Contexts, so that threads do not wait for each other as a rule. */
#define SLOTS 16

struct macs {
	struct {
		pthread_mutex_t lock;
		struct mac *mac;
	} slots[SLOTS];
};

static unsigned
slot_of_thread(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned mine;	/* 0: none yet */

	if (mine == 0)
		mine = 1 + atomic_fetch_add(&threads, 1) % SLOTS;
	return mine - 1;
}

struct macs *
macs_new(struct error *err)
{
	struct macs *m = calloc(1, sizeof(*m));
	struct key *key;
	size_t i;

	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&m->slots[i].lock, NULL);
	key = key_new_random(KEY_LENGTH_DEFAULT, err);
	for (i = 0; key != NULL && i < SLOTS; i++) {
		m->slots[i].mac = mac_new(key, "propseal registry credentials", err);
		if (m->slots[i].mac == NULL)
			break;
	}
	key_free(key);
	if (key == NULL || i < SLOTS) {
		macs_free(m);
		return NULL;
	}
	return m;
}

void
macs_free(struct macs *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		mac_free(m->slots[i].mac);
		pthread_mutex_destroy(&m->slots[i].lock);
	}
	free(m);
}

int
macs_sum(struct macs *m, const void *bytes, size_t n, unsigned char out[MAC_BYTES])
{
	unsigned i = slot_of_thread();
	int rc;

	pthread_mutex_lock(&m->slots[i].lock);
	rc = mac_sum(m->slots[i].mac, "", 0, bytes, n, out, NULL);
	pthread_mutex_unlock(&m->slots[i].lock);
	return rc;
}
