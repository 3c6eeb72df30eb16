#ifndef PLAN_TARGET_H
#define PLAN_TARGET_H

#include <stddef.h>

#include "base/buf.h"

struct document;
struct error;
struct jaas;

/*
 * What a key names in a configuration: a whole entry, or one option of an
 * entry whose value is a JAAS configuration (<key>/<LoginModule>/<option>).
 */
enum target_kind {
	TARGET_NONE,		/* neither */
	TARGET_ENTRY,
	TARGET_OPTION,
	TARGET_NEW_OPTION	/* the login module is there, the option is not */
};

struct target {
	enum target_kind kind;
	size_t entry;		/* the winning document entry */
	struct buf value;	/* OPTION, NEW_OPTION: its decoded value (secret) */
	struct jaas *jaas;	/* of value */
	size_t option;		/* OPTION: the one that Kafka reads */
	size_t module;		/* NEW_OPTION */
	const char *name;	/* NEW_OPTION: of the option, inside the key */
	size_t name_len;
	const char *key;	/* NEW_OPTION: as it was asked for */
	size_t key_len;
};

/* Start an empty target; target_release is optional then. */
void target_init(struct target *t);
void target_release(struct target *t);

/**
 * target_find(d, key, len, t, err):
 * Find what ${key} names, and fill ${t}.  -1: ERROR_MEMORY, or ERROR_REFUSED
 * for an option in a JAAS value that cannot be read in one way only.
 */
int target_find(const struct document *d, const char *key, size_t len,
    struct target *t, struct error *err);

/**
 * target_jaas(d, i, t, err):
 * Read entry ${i} as JAAS: 1 and kind TARGET_ENTRY with ->value and ->jaas, 0
 * when its key or value is none, -1: ERROR_MEMORY, ERROR_REFUSED with the
 * place.
 */
int target_jaas(const struct document *d, size_t i, struct target *t,
    struct error *err);

#endif /* !PLAN_TARGET_H */
