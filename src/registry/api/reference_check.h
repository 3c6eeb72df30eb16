#ifndef REGISTRY_API_REFERENCE_CHECK_H
#define REGISTRY_API_REFERENCE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/reference_scan.h"

struct exchange;
struct json_t;
struct state;
struct state_key;
struct state_path;

#define REFERENCE_CHECK_ERRORS 50	/* that are listed, */
#define REFERENCE_CHECK_DEPTH 64	/* of objects and lists in each other */

/*
 * The rule for a connector's config: each ${secret:path:key} has the
 * connector's name as its path, and a secret that is there.
 */
struct reference_check {
	struct exchange *x;
	bool missing_is_wrong;
	const char *name;		/* the connector's */
	size_t name_len;
	const char *provider;
	struct state *state;		/* locked from reference_check_all on */
	const struct state_path *path;	/* NULL: nothing is stored for it */
	int64_t now;
	uint64_t references, wrong, missing;
	struct buf errors;		/* "place: reference: what"; ... */
	struct buf warnings;		/* the same as a JSON array that is not ended ... */
	struct json_out warning_list;	/* ... and what writes it */
	struct buf place;		/* a.b.c */
};

void reference_check_init(struct reference_check *c, struct exchange *x, bool missing_is_wrong);
void reference_check_release(struct reference_check *c);

/* Look at every string within, with the state locked.  false: it is nested
 * too deep. */
bool reference_check_all(struct reference_check *c, struct json_t *config);

/* Is the reference one to this registry? */
bool reference_check_is_ours(const struct reference_check *c, const struct reference *ref);

/* Its key, if it has a live version. */
const struct state_key *reference_check_find(const struct reference_check *c,
    const struct reference *ref);

#endif /* !REGISTRY_API_REFERENCE_CHECK_H */
