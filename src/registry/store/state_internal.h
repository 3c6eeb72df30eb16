#ifndef REGISTRY_STORE_STATE_INTERNAL_H
#define REGISTRY_STORE_STATE_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "registry/store/record.h"
#include "registry/store/state.h"

/*
 * Named things in the order of their names' bytes: a B+ tree that only grows.
 * An item begins with its name's length (uint16_t); the name's bytes stand at
 * ${name_at} in it.  One item takes no memory but its pointer here.
 */
struct state_index {
	void *root;
	uint32_t count;
	uint16_t name_at;
	uint8_t height;
};

void *state_index_find(const struct state_index *x, const char *name, size_t n);

/* The first item with a greater name. */
void *state_index_after(const struct state_index *x, const char *name, size_t n);

/* What malloc takes for ${n} bytes, about. */
uint64_t state_cost(size_t n);

/*
 * One SECRET record, in one piece of memory: expiry (8 bytes, if it has one),
 * idempotency digests (64, if any) and the sealed bytes follow.
 */
struct state_version {
	uint64_t offset;
	int64_t created_ms;
	const char *by;			/* one of the state's principals */
	uint32_t number;
	uint32_t sealed_len;
	unsigned char claim[16];
	bool expires, has_idem;
	bool deleted;			/* the key's META says so */
	unsigned char bytes[];
};

struct state_deleted {
	int64_t at_ms;
	const char *by;
	uint32_t number;
};

/* What few keys have. */
struct state_more {
	struct state_key *key;
	bool foreign;			/* its META is of a format not known here */
	bool cas_required;
	uint32_t max_versions, mcas;
	const char *updated_by;		/* NULL: never */
	int64_t updated_ms;
	char *custom;			/* NULL: "{}" */
	struct state_deleted *deleted;	/* ascending */
	size_t deleted_count;
	struct record_range *destroyed;	/* ascending, apart */
	size_t destroyed_count;

	/* Records that do not count: of a version that another record with a
	 * lower offset has, or that is destroyed. */
	struct state_version **losers;
	size_t loser_count;
	struct state_more *next_loser, *previous_loser;

	int64_t due_ms;			/* its entry in the state's heap; 0: none */
};

struct state_key {
	uint16_t name_len;		/* first: the index reads it */
	uint32_t high;			/* the highest number seen; 0: the key is not seen */
	uint32_t count;			/* versions that count */
	uint32_t live;			/* of these, not soft-deleted */
	struct state_path *path;
	union {
		struct state_version *one;	/* count < 2 */
		struct state_version **many;	/* ascending; room for the next power of 2 */
	} versions;
	struct state_more *more;	/* NULL mostly */
	char name[];
};

struct state_path {
	uint16_t name_len;		/* first: the index reads it */
	uint32_t hash;
	uint32_t seen;			/* keys that ever had a version */
	uint32_t live;			/* keys with a version that is not soft-deleted */
	struct state_index keys;
	char name[];
};

struct state_change {
	uint64_t offset;
	const struct state_key *key;
	uint32_t version;
	uint32_t what;			/* enum state_what */
};

enum state_what {
	STATE_CREATED, STATE_DELETED, STATE_UNDELETED, STATE_DESTROYED, STATE_METADATA
};

struct state_due {
	int64_t at_ms;
	struct state_key *key;
};

#define STATE_KIDS_MAX 64

struct state {
	pthread_rwlock_t lock;
	uint64_t offset;
	struct record_parser *parser;

	unsigned char seed[SIPHASH_KEY];
	struct state_path **table;	/* by hash; a power of two of slots */
	size_t table_size;
	struct state_index paths;

	char **principals;
	size_t principal_count;
	struct map *principal_index;

	char *keyring;
	size_t keyring_len;
	struct { char *text; size_t n; } carried[RECORD_SLOT_MAX + 1];
	bool carried_forgotten;
	bool has_records;		/* a SECRET's, META's or KEYRING's key was seen */
	int64_t last_ms;		/* the latest time in any record */

	struct state_counts counts;
	struct state_more *losers;	/* keys that have any */

	/* How many records are held under each data key. */
	struct { uint32_t kid; uint64_t count; } kids[STATE_KIDS_MAX];
	size_t kid_count;
	uint64_t kid_others;		/* under more kids than fit */

	struct state_change *changes;	/* a ring */
	size_t change_cap, change_first, change_count;
	uint64_t changes_from;		/* all changes since here are remembered */

	struct state_due *due;		/* a heap: the earliest first */
	size_t due_count, due_cap;
};

/* --- what else the writer reads (no lock: it is the one that changes it) --- */

/* The fold of what was there at the start is done; ${end} is the log's end:
 * changes are remembered from here on. */
void state_started(struct state *s, uint64_t end);

/* Records under other data keys than ${kid}; under ${kid} alone. */
uint64_t state_sealed_elsewhere(const struct state *s, uint32_t kid);
uint64_t state_sealed_under(const struct state *s, uint32_t kid);

/* The bytes after the header. */
const unsigned char *state_version_sealed(const struct state_version *v);
const unsigned char *state_version_idem(const struct state_version *v);
int64_t state_version_expires(const struct state_version *v);

/* Version ${i} of those that count. */
struct state_version *state_version_of(const struct state_key *k, size_t i);

/* Where a number is, or would be. */
size_t state_version_rank(const struct state_key *k, uint32_t number);

/* The key that is due first, if that is at or before ${until_ms}: taken out of
 * the heap.  state_due_again puts it back as its versions now stand. */
struct state_key *state_due_take(struct state *s, int64_t until_ms);
int state_due_again(struct state *s, struct state_key *k);

/* --- between the files of the state --- */

int state_due_add(struct state *s, struct state_key *k, int64_t at_ms);

struct state_path *state_path_put(struct state *s, const char *name, size_t n);
struct state_path *state_path_any(const struct state *s, const char *name, size_t n);
struct state_key *state_key_put(struct state *s, struct state_path *p, const char *name,
    size_t n);
struct state_more *state_more_put(struct state *s, struct state_key *k);

/* The one copy of a name that is kept; NULL: no memory. */
const char *state_principal_put(struct state *s, const char *name);

struct state_version *state_version_new(struct state *s, uint64_t offset, const char *by,
    const struct record *r);
void state_version_free(struct state *s, struct state_version *v);
int state_version_insert(struct state *s, struct state_key *k, struct state_version *v);
/* Takes it out, does not free it. */
struct state_version *state_version_remove(struct state *s, struct state_key *k, size_t i);
/* Put another record in its place; returns the one that was there. */
struct state_version *state_version_swap(struct state *s, struct state_key *k, size_t i,
    struct state_version *v);

void state_raise_high(struct state *s, struct state_key *k, uint32_t high);
const struct state_deleted *state_deleted_find(const struct state_more *m, uint32_t number);
bool state_is_destroyed(const struct state_more *m, uint32_t number);

/* Losers of one key. */
int state_loser_add(struct state *s, struct state_key *k, struct state_version *v);
struct state_version *state_loser_remove(struct state *s, struct state_key *k, size_t i);
/* Let the lowest offset win among the records of a number. */
int state_settle(struct state *s, struct state_key *k, uint32_t number, uint64_t offset);

int state_fold_secret(struct state *s, uint64_t offset, const struct record *r);
int state_fold_meta(struct state *s, uint64_t offset, const struct record *r);

int state_change_add(struct state *s, uint64_t offset, const struct state_key *k,
    uint32_t version, enum state_what what);

#endif /* !REGISTRY_STORE_STATE_INTERNAL_H */
