#include "registry/keys/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/random.h"
#include "registry/keys/keyring_internal.h"
#include "registry/keys/ring.h"
#include "registry/keys/ring_text.h"

/*
 * A change is made on a copy of the ring, which then takes the ring's place;
 * so one that fails leaves everything as it was.
 */
struct keyring {
	pthread_rwlock_t lock;		/* of ${ring} */
	struct ring *ring;
	atomic_uint_fast64_t generation;
	struct key *audit;		/* never changes */
};

_Static_assert(sizeof(((struct keyring_snapshot *)0)->keys) /
    sizeof(((struct keyring_snapshot *)0)->keys[0]) == RING_KEYS_MAX,
    "a snapshot holds all data keys");

/* Owns ${ring}, also on failure; its keys are in the clear and wrapped. */
static struct keyring *
from_ring(struct ring *ring, struct error *err)
{
	struct keyring *k = calloc(1, sizeof(*k));

	if (k == NULL || pthread_rwlock_init(&k->lock, NULL) != 0) {
		free(k);
		ring_free(ring);
		error_memory(err);
		return NULL;
	}
	k->ring = ring;
	atomic_init(&k->generation, 1);
	k->audit = key_from_bytes(ring->audit, RING_KEY, err);
	if (k->audit == NULL) {
		keyring_free(k);
		return NULL;
	}
	return k;
}

struct keyring *
keyring_new(const struct master *m, struct error *err)
{
	struct ring *r = ring_new(err);

	if (r == NULL)
		return NULL;
	if (ring_put_under(r, m, err) == -1 || ring_add(r, err) == -1 ||
	    random_bytes(r->audit, RING_KEY, err) == -1 || ring_wrap(r, err) == -1) {
		ring_free(r);
		return NULL;
	}
	return from_ring(r, err);
}

/* Find the master secret that fits and take its kek.  ${*which}: 0 the current
 * one, 1 and up the old ones. */
static int
unlock(struct ring *r, const struct master *current, const struct master *const *old,
    size_t old_count, size_t *which, struct error *err)
{
	struct error why = { 0 };
	const struct master *m;
	bool fits;

	for (*which = 0; *which <= old_count; (*which)++) {
		m = *which == 0 ? current : old[*which - 1];
		if (ring_fits(&r->kdf, m, r->kek, &fits, &why) == -1) {
			/* A cost that is out of all bounds is not one that we wrote. */
			return why.code != ERROR_LIMIT ? error_set(err, why.code, "%s", why.text) :
			    error_set(err, ERROR_DAMAGED, "the keyring was altered: %s", why.text);
		}
		if (fits)
			return 0;
	}
	error_set(err, ERROR_KEY, old_count > 0 ?
	    "neither the master secret nor an old one fits the keyring" :
	    "the master secret does not fit the keyring");
	return error_hint(err, "give the master secret that the registry was last started with%s",
	    old_count > 0 ? "" : "; if it was replaced, the new one and the former as the old one");
}

struct keyring *
keyring_open(const char *text, size_t n, const struct master *current,
    const struct master *const *old, size_t old_count, bool *used_old, struct error *err)
{
	struct ring *r = ring_text_decode(text, n, err);
	size_t which = 0;

	*used_old = false;
	if (r == NULL)
		return NULL;
	if (unlock(r, current, old, old_count, &which, err) == -1 || ring_unwrap(r, err) == -1)
		goto fail;
	if (which > 0 && (ring_put_under(r, current, err) == -1 || ring_wrap(r, err) == -1))
		goto fail;
	*used_old = which > 0;
	return from_ring(r, err);
fail:
	ring_free(r);
	return NULL;
}

void
keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	key_free(k->audit);
	ring_free(k->ring);
	pthread_rwlock_destroy(&k->lock);
	free(k);
}

/* Reading does not change the keyring, but its lock. */
static const struct ring *
read_lock(const struct keyring *k)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&k->lock);
	return k->ring;
}

static void
unlock_read(const struct keyring *k)
{
	pthread_rwlock_unlock((pthread_rwlock_t *)&k->lock);
}

/* A forked child's ring is empty, and nothing may come of it. */
static int
must_be_there(const struct ring *r, struct error *err)
{
	return r->count > 0 ? 0 :
	    error_set(err, ERROR_KEY, "the keyring did not come along into this process");
}

int
keyring_encode(const struct keyring *k, struct buf *out, struct error *err)
{
	const struct ring *r = read_lock(k);
	int result = must_be_there(r, err);

	if (result == 0)
		ring_text_encode(r, out);
	unlock_read(k);
	return result == 0 ? buf_check(out, err) : -1;
}

uint32_t
keyring_active(const struct keyring *k)
{
	uint32_t kid = read_lock(k)->active;

	unlock_read(k);
	return kid;
}

size_t
keyring_kids(const struct keyring *k, uint32_t *out, size_t max)
{
	const struct ring *r = read_lock(k);
	size_t count = r->count;

	for (size_t i = 0; i < count && i < max; i++)
		out[i] = r->keys[i].kid;
	unlock_read(k);
	return count;
}

/* Begin a change: a copy under the lock.  NULL: failed, not locked. */
static struct ring *
begin(struct keyring *k, struct error *err)
{
	struct ring *copy = NULL;

	pthread_rwlock_wrlock(&k->lock);
	if (must_be_there(k->ring, err) == 0)
		copy = ring_copy(k->ring, err);
	if (copy == NULL)
		pthread_rwlock_unlock(&k->lock);
	return copy;
}

/* End it: wrap the copy and put it in place if all went well so far. */
static int
finish(struct keyring *k, struct ring *copy, int result, struct error *err)
{
	struct ring *gone = copy;

	if (result == 0)
		result = ring_wrap(copy, err);
	if (result == 0) {
		gone = k->ring;
		k->ring = copy;
		atomic_fetch_add_explicit(&k->generation, 1, memory_order_release);
	}
	pthread_rwlock_unlock(&k->lock);
	ring_free(gone);
	return result;
}

int
keyring_rewrap(struct keyring *k, const struct master *m, struct error *err)
{
	struct ring *fresh = ring_new(err);
	struct ring *copy;
	int result = -1;

	if (fresh == NULL)
		return -1;
	/* The long part without the lock. */
	if (ring_put_under(fresh, m, err) == 0 && (copy = begin(k, err)) != NULL) {
		copy->kdf = fresh->kdf;
		memcpy(copy->kek, fresh->kek, RING_KEY);
		result = finish(k, copy, 0, err);
	}
	ring_free(fresh);
	return result;
}

bool
keyring_fits(const struct keyring *k, const struct master *m)
{
	struct ring *scratch = ring_new(NULL);
	struct ring_kdf kdf;
	bool fits = false;

	if (scratch == NULL)
		return false;
	kdf = read_lock(k)->kdf;
	unlock_read(k);
	if (ring_fits(&kdf, m, scratch->kek, &fits, NULL) == -1)
		fits = false;
	ring_free(scratch);
	return fits;
}

int
keyring_add(struct keyring *k, struct error *err)
{
	struct ring *copy = begin(k, err);

	return copy == NULL ? -1 : finish(k, copy, ring_add(copy, err), err);
}

int
keyring_drop(struct keyring *k, uint32_t kid, struct error *err)
{
	struct ring *copy = begin(k, err);
	struct ring_key *gone;
	int result = 0;

	if (copy == NULL)
		return -1;
	gone = ring_find(copy, kid);
	if (gone == NULL)
		result = error_set(err, ERROR_MISSING, "the keyring has no data key %lu",
		    (unsigned long)kid);
	else if (kid == copy->active)
		result = error_set(err, ERROR_REFUSED, "data key %lu is the active one",
		    (unsigned long)kid);
	else {
		copy->count--;
		memmove(gone, gone + 1,
		    (size_t)(copy->keys + copy->count - gone) * sizeof(*gone));
		secmem_wipe(&copy->keys[copy->count], sizeof(*gone));
	}
	return finish(k, copy, result, err);
}

const struct key *
keyring_audit_key(const struct keyring *k)
{
	return k->audit;
}

uint64_t
keyring_generation(const struct keyring *k)
{
	return atomic_load_explicit(&k->generation, memory_order_acquire);
}

void
keyring_copy_keys(const struct keyring *k, struct keyring_snapshot *out)
{
	const struct ring *r = read_lock(k);

	/* It changes under the lock only. */
	out->generation = keyring_generation(k);
	out->active = r->active;
	out->count = r->count;
	for (size_t i = 0; i < r->count; i++) {
		out->keys[i].kid = r->keys[i].kid;
		memcpy(out->keys[i].key, r->keys[i].key, RING_KEY);
	}
	for (size_t i = r->count; i < RING_KEYS_MAX; i++)
		secmem_wipe(&out->keys[i], sizeof(out->keys[i]));
	unlock_read(k);
}
