#include "registry/auth/verified.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"

#define SHARDS 64
#define SETS 16			/* of a shard */
#define WAYS 4
#define LIFE 60			/* times cache_ms */

struct entry {
	unsigned char key[MAC_BYTES];
	int64_t idle_ms;	/* over when not used until then */
	int64_t end_ms;		/* over in any case; 0: unused */
	struct verified_what what;
};

struct shard {
	pthread_mutex_t lock;
	struct entry sets[SETS][WAYS];
};

struct verified {
	int64_t cache_ms;
	struct shard shards[SHARDS];
};

struct verified *
verified_new(unsigned cache_ms, struct error *err)
{
	struct verified *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		error_memory(err);
		return NULL;
	}
	v->cache_ms = cache_ms;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&v->shards[i].lock, NULL);
	return v;
}

void
verified_free(struct verified *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&v->shards[i].lock);
	secmem_wipe(v, sizeof(*v));
	free(v);
}

/* The keys are sums under a secret key: any of their bits spread them. */
static struct entry *
lock_set(struct verified *v, const unsigned char key[MAC_BYTES], struct shard **shard)
{
	*shard = &v->shards[key[0] % SHARDS];
	pthread_mutex_lock(&(*shard)->lock);
	return (*shard)->sets[key[1] % SETS];
}

static bool
is_over(const struct entry *e, int64_t now_ms)
{
	return now_ms >= e->idle_ms || now_ms >= e->end_ms;
}

/* The entry, over or not; NULL: there is none. */
static struct entry *
find(struct entry *set, const unsigned char key[MAC_BYTES])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].end_ms != 0 && memcmp(set[i].key, key, MAC_BYTES) == 0)
			return &set[i];
	return NULL;
}

bool
verified_get(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    struct verified_what *out)
{
	struct entry *e;
	struct shard *s;
	bool found;

	if (v->cache_ms == 0)
		return false;
	e = find(lock_set(v, key, &s), key);
	found = e != NULL && !is_over(e, now_ms);
	if (found) {
		e->idle_ms = now_ms + v->cache_ms;
		*out = e->what;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

bool
verified_once(struct verified *v, const unsigned char key[MAC_BYTES])
{
	struct shard *s;
	bool found = find(lock_set(v, key, &s), key) != NULL;

	pthread_mutex_unlock(&s->lock);
	return found;
}

void
verified_forget(struct verified *v, const unsigned char key[MAC_BYTES])
{
	struct shard *s;
	struct entry *e = find(lock_set(v, key, &s), key);

	if (e != NULL)
		secmem_wipe(e, sizeof(*e));
	pthread_mutex_unlock(&s->lock);
}

void
verified_put(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    const struct verified_what *what)
{
	struct entry *set, *e;
	struct shard *s;
	size_t i;

	if (v->cache_ms == 0)
		return;
	set = lock_set(v, key, &s);
	/* That which was not used for longest goes. */
	if ((e = find(set, key)) == NULL) {
		e = &set[0];
		for (i = 1; i < WAYS; i++)
			if (set[i].idle_ms < e->idle_ms)
				e = &set[i];
	}
	memcpy(e->key, key, MAC_BYTES);
	e->idle_ms = now_ms + v->cache_ms;
	e->end_ms = now_ms + LIFE * v->cache_ms;
	e->what = *what;
	pthread_mutex_unlock(&s->lock);
}
