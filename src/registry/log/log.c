#include <stdlib.h>

#include "base/error.h"
#include "base/map.h"
#include "crypto/random.h"
#include "registry/log/log.h"

#define EMPTY 0U
#define SLOTS_FIRST ((size_t)1024)
#define SLOTS_MAX ((size_t)1 << 32)

/*
 * Open addressing with linear probing.  Two arrays, as looking through the
 * hashes alone touches little memory.  A removal moves what comes after it
 * back, so no mark is left behind.
 */
struct log_index {
	unsigned char seed[SIPHASH_KEY];
	uint32_t *hash;		/* EMPTY: nothing is in the slot */
	uint64_t *offset;
	size_t slots;		/* a power of two */
	size_t count;
};

static int
log_check(const struct log_record *r, struct error *err)
{
	if (r->key == NULL || r->key_len == 0)
		return error_set(err, ERROR_USAGE, "a log record needs a key");
	if (r->value == NULL && r->value_len != 0)
		return error_set(err, ERROR_USAGE, "a tombstone has no value");
	if (r->key_len > LOG_KEY_MAX)
		return error_set(err, ERROR_LIMIT, "a log record's key has %zu bytes, "
		    "more than %u", r->key_len, LOG_KEY_MAX);
	if (r->value_len > LOG_VALUE_MAX)
		return error_set(err, ERROR_LIMIT, "a log record's value has %zu bytes, "
		    "more than %u", r->value_len, LOG_VALUE_MAX);
	return 0;
}

int
log_append(struct log *l, const struct log_record *batch, size_t n, uint64_t *first,
    struct error *err)
{
	size_t i;

	if (n == 0)
		return error_set(err, ERROR_USAGE, "nothing to append to the log");
	for (i = 0; i < n; i++) {
		if (log_check(&batch[i], err) == -1)
			return -1;
	}
	return l->ops->append(l->self, batch, n, first, err);
}

int
log_read(struct log *l, uint64_t from, log_visit *visit, void *cookie, struct error *err)
{
	return l->ops->read(l->self, from, visit, cookie, err);
}

int
log_end(struct log *l, uint64_t *end, struct error *err)
{
	return l->ops->end(l->self, end, err);
}

int
log_claim(struct log *l, const char *node, uint64_t *epoch, struct error *err)
{
	return l->ops->claim(l->self, node, epoch, err);
}

int
log_backup(struct log *l, const char *path, struct error *err)
{
	if (l->ops->backup == NULL)
		return error_set(err, ERROR_REFUSED, "this kind of log offers no backup");
	return l->ops->backup(l->self, path, err);
}

void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	l->ops->free(l->self);
	free(l);
}

struct log_index *
log_index_new(struct error *err)
{
	struct log_index *ix = error_alloc(sizeof(*ix), err);

	if (ix == NULL)
		return NULL;
	if (random_bytes(ix->seed, sizeof(ix->seed), err) == -1) {
		free(ix);
		return NULL;
	}
	return ix;
}

void
log_index_free(struct log_index *ix)
{
	if (ix == NULL)
		return;
	free(ix->hash);
	free(ix->offset);
	free(ix);
}

uint32_t
log_index_hash(const struct log_index *ix, const void *key, size_t len)
{
	uint32_t hash = (uint32_t)siphash_13(ix->seed, key, len);

	return hash != EMPTY ? hash : 1;
}

void
log_index_put(struct log_index *ix, uint32_t hash, uint64_t offset)
{
	size_t mask = ix->slots - 1;
	size_t i;

	for (i = hash & mask; ix->hash[i] != EMPTY; i = (i + 1) & mask)
		;
	ix->hash[i] = hash;
	ix->offset[i] = offset;
	ix->count++;
}

/* At most three quarters of the slots are in use. */
static size_t
room(size_t slots)
{
	return slots / 4 * 3;
}

static int
log_index_resize(struct log_index *ix, size_t slots, struct error *err)
{
	struct log_index old = *ix;
	size_t i;

	ix->hash = calloc(slots, sizeof(*ix->hash));
	ix->offset = malloc(slots * sizeof(*ix->offset));
	if (ix->hash == NULL || ix->offset == NULL) {
		free(ix->hash);
		free(ix->offset);
		*ix = old;
		return error_memory(err);
	}
	ix->slots = slots;
	ix->count = 0;
	for (i = 0; i < old.slots; i++) {
		if (old.hash[i] != EMPTY)
			log_index_put(ix, old.hash[i], old.offset[i]);
	}
	free(old.hash);
	free(old.offset);
	return 0;
}

int
log_index_reserve(struct log_index *ix, size_t extra, struct error *err)
{
	size_t slots = ix->slots == 0 ? SLOTS_FIRST : ix->slots;

	while (room(slots) < ix->count || room(slots) - ix->count < extra) {
		if (slots >= SLOTS_MAX)
			return error_memory(err);
		slots *= 2;
	}
	return slots == ix->slots ? 0 : log_index_resize(ix, slots, err);
}

void
log_index_drop(struct log_index *ix, uint32_t hash, uint64_t offset)
{
	size_t mask = ix->slots - 1;
	size_t hole, i;

	for (hole = hash & mask; ix->hash[hole] != hash || ix->offset[hole] != offset;
	    hole = (hole + 1) & mask)
		;
	/* Whatever would no longer be found past the hole moves into it. */
	for (i = (hole + 1) & mask; ix->hash[i] != EMPTY; i = (i + 1) & mask) {
		size_t home = ix->hash[i] & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			ix->hash[hole] = ix->hash[i];
			ix->offset[hole] = ix->offset[i];
			hole = i;
		}
	}
	ix->hash[hole] = EMPTY;
	ix->count--;
}

bool
log_index_find(const struct log_index *ix, uint32_t hash, size_t *step, uint64_t *offset)
{
	size_t mask = ix->slots - 1;
	size_t i;

	if (ix->slots == 0)
		return false;
	for (i = (hash + *step) & mask; ix->hash[i] != EMPTY; i = (i + 1) & mask) {
		++*step;
		if (ix->hash[i] == hash) {
			*offset = ix->offset[i];
			return true;
		}
	}
	return false;
}

size_t
log_index_count(const struct log_index *ix)
{
	return ix->count;
}
