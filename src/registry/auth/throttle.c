#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "crypto/key.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/address.h"

#define THROTTLE_SHARDS 16
#define THROTTLE_SETS 64			/* of a shard */
#define THROTTLE_WAYS 8
#define PEER_MAX PRINCIPAL_MAX
#define KEY ADDRESS_KEY

#define RATE_SHARDS 64
#define RATE_SETS 64			/* of a shard */
#define RATE_WAYS 4
#define ONE 1000000		/* a token, in parts that come one by one in microseconds */

struct entry {
	unsigned char key[KEY];
	char peer[PEER_MAX];	/* who was last seen of this key */
	bool used;
	int64_t start_ms;	/* of the window */
	int64_t line_ms;	/* of the last line */
	uint64_t count;		/* failures in the window */
	uint64_t folded;	/* failures without a line */
	unsigned lines;		/* in the window */
};

struct throttle_shard {
	pthread_mutex_t lock;
	uint64_t lost;		/* folded failures of entries that had to go */
	struct entry sets[THROTTLE_SETS][THROTTLE_WAYS];
};

struct throttle {
	unsigned max;
	unsigned lines;		/* of a window */
	int64_t window_ms;
	unsigned char seed[SIPHASH_KEY];
	struct throttle_shard shards[THROTTLE_SHARDS];
};

struct bucket {
	uint64_t key;		/* of the principal; 0: unused */
	int64_t filled_us;
	int64_t parts;
};

struct rate_shard {
	pthread_mutex_t lock;
	struct bucket sets[RATE_SETS][RATE_WAYS];
};

struct rate {
	int64_t limit, full;
	unsigned char seed[SIPHASH_KEY];
	struct rate_shard *shards;	/* NULL: no limit */
};

struct throttle *
throttle_new(unsigned failures_max, unsigned lines, unsigned window_ms, struct error *err)
{
	struct throttle *t = error_alloc(sizeof(*t), err);

	if (t == NULL)
		return NULL;
	if (random_bytes(t->seed, sizeof(t->seed), err) != 0) {
		free(t);
		return NULL;
	}
	t->max = failures_max;
	t->lines = lines;
	t->window_ms = window_ms;
	for (size_t i = 0; i < THROTTLE_SHARDS; i++)
		pthread_mutex_init(&t->shards[i].lock, NULL);
	return t;
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < THROTTLE_SHARDS; i++)
		pthread_mutex_destroy(&t->shards[i].lock);
	free(t);
}

/* What counts as one address, or as one account there. */
static void
make_key(const struct throttle *t, const char *peer, const char *account, unsigned char key[KEY])
{
	unsigned char both[KEY + PRINCIPAL_MAX];
	size_t n = account != NULL ? strnlen(account, PRINCIPAL_MAX) : 0;
	uint64_t hash;

	if (!address_key(peer, key)) {
		hash = siphash_13(t->seed, peer, strlen(peer));
		memset(key, 0xff, KEY);
		memcpy(key + KEY - sizeof(hash), &hash, sizeof(hash));
	}
	if (account == NULL)
		return;
	memcpy(both, key, KEY);
	memcpy(both + KEY, account, n);
	/* Who does not know the seed finds no two that are taken for one. */
	hash = siphash_13(t->seed, both, KEY + n);
	memset(key, 0, KEY);
	memcpy(key, &hash, sizeof(hash));
}

/* The set of a key, locked. */
static struct entry *
throttle_lock_set(struct throttle *t, const unsigned char key[KEY], struct throttle_shard **shard)
{
	uint64_t hash = siphash_13(t->seed, key, KEY);

	*shard = &t->shards[hash % THROTTLE_SHARDS];
	pthread_mutex_lock(&(*shard)->lock);
	return (*shard)->sets[hash / THROTTLE_SHARDS % THROTTLE_SETS];
}

static struct entry *
throttle_find(struct entry *set, const unsigned char key[KEY])
{
	for (size_t i = 0; i < THROTTLE_WAYS; i++)
		if (set[i].used && memcmp(set[i].key, key, KEY) == 0)
			return &set[i];
	return NULL;
}

static bool
throttle_is_over(const struct throttle *t, const struct entry *e, int64_t now_ms)
{
	return now_ms - e->start_ms >= t->window_ms;
}

/* A free entry: an unused one, one whose time is over, that with the fewest. */
static struct entry *
throttle_make(const struct throttle *t, struct throttle_shard *s, struct entry *set,
    const unsigned char key[KEY], int64_t now_ms)
{
	struct entry *e = &set[0];
	size_t i;

	for (i = 0; i < THROTTLE_WAYS; i++) {
		if (!set[i].used || (throttle_is_over(t, &set[i], now_ms) && set[i].folded == 0)) {
			e = &set[i];
			break;
		}
		if (set[i].count < e->count)
			e = &set[i];
	}
	if (e->used)
		s->lost += e->folded;
	*e = (struct entry){ .used = true, .start_ms = now_ms };
	memcpy(e->key, key, KEY);
	return e;
}

bool
throttle_refuses(struct throttle *t, const char *peer, const char *account, int64_t now_ms,
    unsigned *retry_after)
{
	unsigned char key[KEY];
	const struct entry *e;
	struct throttle_shard *s;
	int64_t left;
	bool no;

	if (t->max == 0)
		return false;
	make_key(t, peer, account, key);
	e = throttle_find(throttle_lock_set(t, key, &s), key);
	no = e != NULL && !throttle_is_over(t, e, now_ms) && e->count >= t->max;
	if (no) {
		left = e->start_ms + t->window_ms - now_ms;
		*retry_after = (unsigned)((left + 999) / 1000);
	}
	pthread_mutex_unlock(&s->lock);
	return no;
}

void
throttle_failure(struct throttle *t, const char *peer, const char *account, int64_t now_ms,
    bool *report, uint64_t *folded)
{
	unsigned char key[KEY];
	struct entry *set, *e;
	struct throttle_shard *s;

	make_key(t, peer, account, key);
	set = throttle_lock_set(t, key, &s);
	e = throttle_find(set, key);
	if (e == NULL)
		e = throttle_make(t, s, set, key, now_ms);
	else if (throttle_is_over(t, e, now_ms)) {
		e->start_ms = now_ms;
		e->count = 0;
		e->lines = 0;
	}
	snprintf(e->peer, sizeof(e->peer), "%s", peer);
	e->count++;
	*report = e->lines < t->lines || now_ms - e->line_ms >= THROTTLE_FOLD_MS;
	*folded = 0;
	if (*report) {
		*folded = e->folded;
		e->folded = 0;
		e->lines++;
		e->line_ms = now_ms;
	} else
		e->folded++;
	pthread_mutex_unlock(&s->lock);
}

/* One entry that may be handed over; false: none is left in the shard. */
static bool
take_one(struct throttle_shard *s, int64_t now_ms, bool all, size_t *at, char peer[PEER_MAX],
    uint64_t *folded)
{
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (; *at < (size_t)THROTTLE_SETS * THROTTLE_WAYS && !found; (*at)++) {
		struct entry *e = &s->sets[*at / THROTTLE_WAYS][*at % THROTTLE_WAYS];

		if (!e->used || e->folded == 0 ||
		    (!all && now_ms - e->line_ms < THROTTLE_FOLD_MS))
			continue;
		memcpy(peer, e->peer, PEER_MAX);
		*folded = e->folded;
		e->folded = 0;
		e->line_ms = now_ms;
		found = true;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

void
throttle_folded(struct throttle *t, int64_t now_ms, bool all,
    void (*visit)(void *cookie, const char *peer, uint64_t folded), void *cookie)
{
	char peer[PEER_MAX];
	uint64_t folded, lost;

	for (size_t i = 0; i < THROTTLE_SHARDS; i++) {
		struct throttle_shard *s = &t->shards[i];
		size_t at = 0;

		while (take_one(s, now_ms, all, &at, peer, &folded))
			visit(cookie, peer, folded);
		pthread_mutex_lock(&s->lock);
		lost = s->lost;
		s->lost = 0;
		pthread_mutex_unlock(&s->lock);
		if (lost > 0)
			visit(cookie, NULL, lost);
	}
}

struct rate *
rate_new(unsigned limit, unsigned burst, struct error *err)
{
	struct rate *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	if (limit == 0)
		return r;
	r->limit = limit;
	r->full = (int64_t)(burst > 0 ? burst : limit) * ONE;
	r->shards = calloc(RATE_SHARDS, sizeof(*r->shards));
	if (r->shards == NULL) {
		error_memory(err);
		free(r);
		return NULL;
	}
	for (size_t i = 0; i < RATE_SHARDS; i++)
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
	for (size_t i = 0; r->shards != NULL && i < RATE_SHARDS; i++)
		pthread_mutex_destroy(&r->shards[i].lock);
	free(r->shards);
	free(r);
}

/* The principal's bucket, or the one that was not used for longest. */
static struct bucket *
rate_find(const struct rate *r, struct bucket *set, uint64_t key, int64_t now_us)
{
	struct bucket *b = &set[0];
	size_t i;

	for (i = 0; i < RATE_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].filled_us < b->filled_us)
			b = &set[i];
	}
	*b = (struct bucket){ key, now_us, r->full };
	return b;
}

static void
rate_fill(const struct rate *r, struct bucket *b, int64_t now_us)
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
	struct rate_shard *s;
	uint64_t key;
	int64_t wait_us;
	bool yes;

	if (r->shards == NULL)
		return true;
	key = siphash_13(r->seed, principal, strlen(principal));
	if (key == 0)
		key = 1;
	s = &r->shards[key % RATE_SHARDS];
	pthread_mutex_lock(&s->lock);
	b = rate_find(r, s->sets[key / RATE_SHARDS % RATE_SETS], key, now_us);
	rate_fill(r, b, now_us);
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
