#ifndef REGISTRY_STORE_READER_H
#define REGISTRY_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/names.h"

struct error;
struct reader;
struct store;

/*
 * Reading what is stored: a connection of its own with its statements, for one
 * thread at a time.  Values stay sealed, and are read only where they are asked
 * for.  Functions return 1: found, 0: there is none, -1: ${err}.  What a view
 * points to lasts until the next call on the reader that gives such a view, or
 * reader_end.
 */
struct reader *reader_new(struct store *s, struct error *err);
void reader_free(struct reader *r);

/* From here to reader_end, all that is read is of one moment.  0 or -1. */
int reader_begin(struct reader *r, struct error *err);
void reader_end(struct reader *r);

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
	const unsigned char *sealed;	/* NULL: it was not asked for */
	size_t sealed_len;
	uint64_t offset;
};

/* The highest live version. */
int reader_latest(struct reader *r, const struct secret_name *name, bool sealed,
    struct version_view *out, struct error *err);

/* A version that is not destroyed. */
int reader_version(struct reader *r, const struct secret_name *name, uint32_t number, bool sealed,
    struct version_view *out, struct error *err);

/* The first version that is not destroyed and has a higher number. */
int reader_next(struct reader *r, const struct secret_name *name, uint32_t after, bool sealed,
    struct version_view *out, struct error *err);

struct key_settings {
	uint32_t high;			/* the highest number ever given, 0: none */
	uint32_t max_versions;		/* 0: no limit */
	bool cas_required;
	const char *custom;		/* JSON object text of names and strings, "{}" */
	int64_t updated_ms;
	const char *updated_by;
	uint32_t mcas;			/* counts changes of the metadata */
};

/* 0: the key never had a version or a setting; ${out} is then as for such a one. */
int reader_settings(struct reader *r, const struct secret_name *name, struct key_settings *out,
    struct error *err);

/* The first key of the path that ever had a version and is greater than ${after}. */
int reader_key_after(struct reader *r, const char *path, size_t path_len, const char *after,
    size_t after_len, char out[NAME_KEY_MAX + 1], size_t *n, struct error *err);

/* Has the path ever had a version, and what of it is there. */
struct path_view {
	const char *name;
	size_t len;
	bool live;		/* a live version */
	bool deleted;		/* a version that can be undeleted */
};
int reader_path(struct reader *r, const char *path, size_t len, struct path_view *out,
    struct error *err);

/**
 * reader_paths(r, from, len, inclusive, visit, cookie, err):
 * Visit each path that has a version, in the order of bytes, from ${from} or
 * behind it, until ${visit} returns false.  Everything but this may be called
 * meanwhile.  0 or -1.
 */
int reader_paths(struct reader *r, const char *from, size_t len, bool inclusive,
    bool (*visit)(void *cookie, const struct path_view *p), void *cookie, struct error *err);

/* The offset that the next change will get. */
int reader_offset(struct reader *r, uint64_t *out, struct error *err);

/**
 * reader_changes(r, since, max, visit, cookie, next, err):
 * What changed at offsets >= ${since}, oldest first, at most ${max}: for watch.
 * ${*next} is the offset to go on from.  0: ${since} is older than what is
 * remembered (STORE_CHANGES_MAX changes at least).
 */
#define STORE_CHANGES_MAX 65536
struct change_view {
	uint64_t offset;
	const char *path, *key;
	size_t path_len, key_len;
	uint32_t version;		/* 0: metadata */
	const char *what;		/* created, deleted, undeleted, destroyed, metadata */
};
int reader_changes(struct reader *r, uint64_t since, size_t max,
    void (*visit)(void *cookie, const struct change_view *c), void *cookie, uint64_t *next,
    struct error *err);

struct store_counts {
	uint64_t paths, keys, versions;	/* with a live version; live versions */
	uint64_t deleted;		/* versions that can be undeleted */
	uint64_t bytes;			/* of sealed values */
	uint64_t quarantined, unknown;	/* records of the first edition left behind */
};
/* Goes through everything. */
int reader_count(struct reader *r, struct store_counts *out, struct error *err);

#endif /* !REGISTRY_STORE_READER_H */
