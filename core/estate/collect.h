#ifndef ESTATE_COLLECT_H
#define ESTATE_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/vec.h"
#include "estate/estate.h"

struct document;
struct rules;

/*
 * The entries of one configuration file after the other (inside core/estate),
 * put together in memory that serves all of them.
 */

/* A reference of ours in an entry, which may have several. */
struct use {
	size_t entry;
	const char *remote;	/* in the remotes, until the environments have interned it */
	size_t remote_len;
	size_t name_at;		/* until it is in its place: where the name starts in the texts */
	size_t remote_at;	/* and the path, in the remotes */
	const char *name;
	size_t name_len;
	struct environment *environment;	/* NULL: unknown, or not resolved yet */
};

/* What a file holds: to be freed with collected_release. */
struct collected {
	struct estate_entry *entries;	/* entries[0].key is the block with all texts */
	size_t count;
	size_t others;			/* that were not kept */
	struct use *uses;
	size_t use_count;
	char *remotes;			/* the paths of the uses, each with a NUL; NULL: gone */
};

struct collection {
	const struct rules *rules;
	bool brief;		/* entries of no interest are not kept */
	bool references;	/* what is clear text is not looked for */
	/* Inside: */
	struct vec entries;	/* of struct estate_entry, still without pointers */
	struct vec keys;	/* of size_t: where their keys start in the texts */
	struct vec uses;	/* of struct use */
	struct buf texts;	/* keys and names, each with a NUL */
	struct buf remotes;	/* paths of references, so too */
	struct vec remarks;	/* of struct remark */
	struct buf value;	/* of the entry, decoded; secret */
	size_t others;
};

void collection_init(struct collection *x);
void collection_release(struct collection *x);

/**
 * collect_entries(x, d, out):
 * Each entry of the document, and behind one that holds JAAS each option that
 * is a secret or a reference, under its address (<key>/<LoginModule>/<option>);
 * such an entry is no secret itself then.  Entries have no ->remote yet.  -1: no
 * memory.
 */
int collect_entries(struct collection *x, const struct document *d, struct collected *out);

void collected_release(struct collected *c);

#endif /* !ESTATE_COLLECT_H */
