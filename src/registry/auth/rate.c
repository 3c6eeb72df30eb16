#include "registry/auth/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/siphash.h"
#include "crypto/random.h"

#define SHARDS 64
#define SETS 64			/* of a shard */
#define WAYS 4
#define ONE 1000000		/* a token, in parts that come one by one in microseconds */

struct bucket {
	uint64_t key;		/* of the principal; 0: unused */
	int64_t filled_us;
	int64_t parts;
};

struct shard {
	pthread_mutex_t lock;
	struct bucket sets[SETS][WAYS];
};

struct rate {
	int64_t limit, full;
	unsigned char seed[SIPHASH_KEY];
	struct shard *shards;	/* NULL: no limit */
};

struct rate *
rate_new(unsigned limit, unsigned burst, struct error *err)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		error_memory(err);
		return NULL;
	}
	if (limit == 0)
		return r;
	r->limit = limit;
	r->full = (int64_t)(burst > 0 ? burst : limit) * ONE;
	r->shards = calloc(SHARDS, sizeof(*r->shards));
	if (r->shards == NULL) {
		error_memory(err);
		free(r);
		return NULL;
	}
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&r->shards[i].lock, NULL);
	if (random_bytes(r->seed, sizeof(r->seed), err) != 0) {
		rate_free(r);
		return NULL;
	}
	return r;
}

void
rate_free(struct rate *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; r->shards != NULL && i < SHARDS; i++)
		pthread_mutex_destroy(&r->shards[i].lock);
	free(r->shards);
	free(r);
}

/* The principal's bucket, or the one that was not used for longest. */
static struct bucket *
find(const struct rate *r, struct bucket *set, uint64_t key, int64_t now_us)
{
	struct bucket *b = &set[0];
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].filled_us < b->filled_us)
			b = &set[i];
	}
	*b = (struct bucket){ key, now_us, r->full };
	return b;
}

static void
fill(const struct rate *r, struct bucket *b, int64_t now_us)
{
	int64_t passed = now_us - b->filled_us;

	/* Before it could overflow: full in any case. */
	if (passed > r->full / r->limit + 1)
		b->parts = r->full;
	else if (passed > 0)
		b->parts += passed * r->limit;
	if (b->parts > r->full)
		b->parts = r->full;
	if (passed > 0)
		b->filled_us = now_us;
}

bool
rate_take(struct rate *r, const char *principal, int64_t now_us, unsigned *retry_after)
{
	struct bucket *b;
	struct shard *s;
	uint64_t key;
	int64_t wait_us;
	bool yes;

	if (r->shards == NULL)
		return true;
	key = siphash_13(r->seed, principal, strlen(principal));
	if (key == 0)
		key = 1;
	s = &r->shards[key % SHARDS];
	pthread_mutex_lock(&s->lock);
	b = find(r, s->sets[key / SHARDS % SETS], key, now_us);
	fill(r, b, now_us);
	yes = b->parts >= ONE;
	if (yes)
		b->parts -= ONE;
	else {
		wait_us = (ONE - b->parts + r->limit - 1) / r->limit;
		*retry_after = (unsigned)((wait_us + 999999) / 1000000);
	}
	pthread_mutex_unlock(&s->lock);
	return yes;
}
