#ifndef SEAL_REWRITE_INTERNAL_H
#define SEAL_REWRITE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "secrets/reference.h"

struct buf;
struct configuration;
struct document;
struct edits;
struct error;
struct key;
struct map;
struct plan;
struct rewrite_part;
struct seal_options;
struct secrets_file;

/*
 * One value that refers to sealed entries, and what a person made of it
 * (inside core/plan).  Most are one reference and nothing else; a JAAS value
 * may hold several.
 */

/* A reference of ours in the old value. */
struct rewrite_part {
	struct reference ref;	/* pointers into the old value */
	size_t ref_start;	/* its span there */
	size_t ref_end;
	size_t entry;		/* that it names in the secrets file, or DOCUMENT_NONE */
	size_t plain_start;	/* what it stands for in the resolved value */
	size_t plain_end;
	size_t start;		/* what stands there in the edited value */
	size_t end;
	bool changed;
	bool fresh;		/* a new one: ref_start and ref_end are in rewriting.fresh */
	bool tight;		/* a blank must follow the reference */
};

/* One run of rewrite_plan, shared by the files rewrite*.c. */

/* Of an entry of the secrets file. */
#define REWRITE_OLD 1		/* the configuration referred to it */
#define REWRITE_USED 2		/* the edited one does */
#define REWRITE_CHANGED 4	/* it gets another value */

struct rewriting {
	struct plan *p;
	struct secrets_file *s;
	struct configuration *c;
	const struct document *edited;
	const struct key *master;
	const struct seal_options *o;
	struct edits *e;	/* of edited */
	unsigned char *flags;	/* of each entry of the secrets file */
	bool shared;		/* an entry is referred to by another key than its own */
	bool sealed;		/* a reference was made, or a sealed entry */
	bool referred;	/* to the path of the options */

	/* What was sealed until now: keyed digests of resolved values, and
	 * the entry of the configuration that has each. */
	unsigned char digest_key[SIPHASH_KEY];
	uint64_t *digests;
	size_t digest_count;
	struct map *known;

	/* Of the entry at hand. */
	struct buf value;	/* as edited */
	struct buf raw;		/* as it was, with references */
	struct buf plain;	/* as it was, resolved */
	struct vec parts;	/* the references in raw */
	struct buf fresh;	/* references to sealed entries that are new */
	struct buf text;	/* to be written */
	struct buf name;	/* of its own sealed entry */
};

enum rewrite_verdict {
	REWRITE_AS_EDITED,
	REWRITE_RESTORE,	/* the references again; changed parts are sealed anew */
	REWRITE_SEAL		/* the whole value, under the key's own name */
};

/* Look at what the configuration refers to.  Once, first. */
int rewrite_scan_old(struct rewriting *r, struct error *err);

/* What becomes of winning entry ${i} of the edited document?  Fills the
 * buffers; ${*was_sealed}: the key referred to a sealed entry before. */
int rewrite_decide(struct rewriting *r, size_t i, enum rewrite_verdict *verdict,
    bool *was_sealed, struct error *err);

/* If ${name} is the key's own, or that of a part of its value: how much of it
 * is <base name>/<key>.  Else 0. */
size_t rewrite_own(const struct rewriting *r, const char *key, size_t len,
    const char *name, size_t name_len);

/* Put the name of the key's own sealed entry into r->name. */
int rewrite_own_name(struct rewriting *r, const char *key, size_t len,
    struct error *err);

/* The text of the reference that a part has, or gets. */
const char *rewrite_reference(const struct rewriting *r,
    const struct rewrite_part *part, size_t *len);

/* The entry of the configuration that held exactly these bytes sealed, or
 * DOCUMENT_NONE.  Uses raw, plain and parts. */
int rewrite_find_known(struct rewriting *r, const void *value, size_t n,
    size_t *entry, struct error *err);

/* Say where in the edited text an error is, if it does not say so itself. */
int rewrite_fail_at(const struct rewriting *r, size_t i, struct error *err);

#endif /* !SEAL_REWRITE_INTERNAL_H */
