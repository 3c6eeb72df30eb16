#ifndef REGISTRY_STORE_STATE_H
#define REGISTRY_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct log_record;
struct state;
struct state_key;
struct state_path;

/*
 * What the log says, folded up in memory: paths, keys, versions, in the order
 * of bytes.  The writer's thread changes it (state_apply); any thread reads
 * between state_lock and state_unlock, and what it was given lasts as long.
 * Values stay sealed.  Any compaction of the log folds to the same state.
 */

struct state *state_new(void);
void state_free(struct state *s);

/* For reading: shared.  For state_apply: exclusive. */
void state_lock(struct state *s);
void state_lock_exclusive(struct state *s);
void state_unlock(struct state *s);

/**
 * state_apply(s, offset, r, err):
 * Fold one record.  A record that makes no sense (garbage, an unknown type or
 * format, a bad name) is counted and passed over, never an error; -1 is for
 * lack of memory alone.
 */
int state_apply(struct state *s, uint64_t offset, const struct log_record *r,
    struct error *err);

/* The offset after the last one applied. */
uint64_t state_offset(const struct state *s);

struct state_counts {
	uint64_t paths, keys, versions;	/* with a live version; live versions */
	uint64_t deleted;		/* soft-deleted versions held */
	uint64_t quarantined;		/* records that made no sense */
	uint64_t unknown;		/* records of a type or format not known here */
	uint64_t bytes;			/* of memory held, about */
};
void state_count(const struct state *s, struct state_counts *out);

/* The last KEYRING record's value; NULL: none yet. */
const char *state_keyring(const struct state *s, size_t *n);

/* The value of the last AUDIT record of a slot; NULL: none.  They are kept until
 * state_forget_carried (under the exclusive lock), later ones are passed over. */
const char *state_carried(const struct state *s, unsigned slot, size_t *n);
void state_forget_carried(struct state *s);

/* --- reading; a path or key is only seen if it has ever had a version --- */

const struct state_path *state_path_find(const struct state *s, const char *name, size_t n);

/* The first path of which the name is greater than ${name} (n 0: the first
 * of all), then the next ones; NULL: no more.  Includes paths without any
 * live version. */
const struct state_path *state_path_after(const struct state *s, const char *name, size_t n);
const char *state_path_name(const struct state_path *p, size_t *n);

const struct state_key *state_key_find(const struct state_path *p, const char *name, size_t n);
const struct state_key *state_key_after(const struct state_path *p, const char *name, size_t n);
const char *state_key_name(const struct state_key *k, size_t *n);

/* A key that has or had a version, or has settings for its first one. */
const struct state_key *state_key_known(const struct state *s, const char *path,
    size_t path_len, const char *key, size_t key_len);

enum version_status {
	VERSION_LIVE,
	VERSION_EXPIRED,
	VERSION_DELETED,	/* soft: can be undeleted */
	VERSION_DESTROYED	/* only its number is left */
};

struct version_view {
	uint32_t number;
	enum version_status status;
	int64_t created_ms, expires_ms, deleted_ms;	/* 0: unknown, never, not */
	const char *created_by;		/* principal, "" if unknown */
	const char *deleted_by;
	const unsigned char *sealed;	/* NULL when destroyed */
	size_t sealed_len;
	uint64_t offset;
	unsigned char claim[16];
	const unsigned char *idem;	/* 32 bytes (key and caller), 32 (body); NULL: none */
};

/* Versions that have a record, ascending; ${now_ms} tells which are expired. */
size_t state_version_count(const struct state_key *k);
void state_version_at(const struct state_key *k, size_t i, int64_t now_ms,
    struct version_view *out);

/* false: no such version (never, or destroyed). */
bool state_version_find(const struct state_key *k, uint32_t number, int64_t now_ms,
    struct version_view *out);

/* The highest live version; false: none. */
bool state_version_latest(const struct state_key *k, int64_t now_ms,
    struct version_view *out);

/* Has the path (the key) any live version? */
bool state_path_live(const struct state_path *p, int64_t now_ms);
bool state_key_live(const struct state_key *k, int64_t now_ms);

/* The version that was made with this Idempotency-Key digest, by the key's
 * own versions. */
bool state_version_by_idem(const struct state_key *k, const unsigned char digest[32],
    struct version_view *out);

struct key_meta {
	uint32_t high;			/* the highest number ever given */
	uint32_t max_versions;		/* 0: no limit */
	bool cas_required;
	const char *custom;		/* JSON object text of names and strings, "{}" */
	int64_t updated_ms;
	const char *updated_by;
	uint32_t mcas;			/* counts changes of the metadata */
	size_t destroyed_count;		/* ranges of destroyed numbers */
};
void state_key_meta(const struct state_key *k, struct key_meta *out);
void state_key_destroyed(const struct state_key *k, size_t i, uint32_t *from, uint32_t *to);

/**
 * state_changes(s, since, max, visit, cookie):
 * What changed at offsets >= ${since}, oldest first, at most ${max} (but all
 * changes of one record, however many): for watch.  Returns the offset to go on
 * from, or 0 when ${since} is older than what is remembered (the last
 * STATE_CHANGES_MAX changes since the start).
 */
#define STATE_CHANGES_MAX 65536
struct change_view {
	uint64_t offset;
	const char *path, *key;		/* key NULL: the whole path */
	size_t path_len, key_len;
	uint32_t version;		/* 0: metadata */
	const char *what;		/* created, deleted, undeleted, destroyed, metadata */
};
uint64_t state_changes(const struct state *s, uint64_t since, size_t max,
    void (*visit)(void *cookie, const struct change_view *c), void *cookie);

#endif /* !REGISTRY_STORE_STATE_H */
