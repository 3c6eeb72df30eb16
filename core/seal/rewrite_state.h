#ifndef PLAN_REWRITE_STATE_H
#define PLAN_REWRITE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/siphash.h"
#include "base/vec.h"

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

/* Could the value of an entry refer to anything? */
bool rewrite_may_refer(const struct document *d, size_t i);

/**
 * rewrite_jaas(r, i, was_sealed, opens, err):
 * Find the parts of an edited JAAS value by the names of its options, and add
 * those that are secrets and new.  1: done, what is to be sealed is in
 * r->parts.  0: there is nothing to be had this way.
 */
int rewrite_jaas(struct rewriting *r, size_t i, bool was_sealed, bool opens,
    struct error *err);

/* The text of the reference that a part has, or gets. */
const char *rewrite_reference(const struct rewriting *r,
    const struct rewrite_part *part, size_t *len);

/* The entry of the configuration that held exactly these bytes sealed, or
 * DOCUMENT_NONE.  Uses raw, plain and parts. */
int rewrite_find_known(struct rewriting *r, const void *value, size_t n,
    size_t *entry, struct error *err);

/* Does any text have a reference of ours in it? */
bool rewrite_refers(const struct buf *text);

/* Find the sealed entries that get another value, so that keys that borrow
 * them are sealed by themselves. */
int rewrite_mark_changed(struct rewriting *r, struct error *err);

/* The sealed entry that r->name names; and does one hold exactly these bytes? */
size_t rewrite_find_own(const struct rewriting *r);
bool rewrite_holds(const struct rewriting *r, size_t t, const void *value,
    size_t n);

/* Is the old value one reference and nothing else? */
bool rewrite_is_whole(const struct rewriting *r);

/* Append the reference of a part, as it must stand in the text. */
void rewrite_append_reference(const struct rewriting *r,
    const struct rewrite_part *part, struct buf *out);

/* Make r->text what entry ${i} will hold, and plan what is to be sealed: the
 * edited value with its references again, or one reference to all of it. */
int rewrite_restore(struct rewriting *r, size_t i, struct error *err);
int rewrite_seal(struct rewriting *r, size_t i, bool was_sealed,
    struct error *err);

/* Plan what becomes of winning entry ${i}. */
int rewrite_apply(struct rewriting *r, size_t i, struct error *err);

/* Plan the removal of sealed entries that nothing refers to any more. */
int rewrite_remove_unused(struct rewriting *r, struct error *err);

/* Refuse comments that have a value that was sealed. */
int rewrite_check_comments(struct rewriting *r, struct error *err);

/**
 * rewrite_shown(old, new, complete, err):
 * Edits of ${old} that give the entries of ${new}, for a diff.  ${*complete}
 * is false when more than entries changes: comments, order, spacing.
 */
struct edits *rewrite_shown(const struct document *old,
    const struct document *new, bool *complete, struct error *err);

/* Say where in the edited text an error is, if it does not say so itself. */
int rewrite_fail_at(const struct rewriting *r, size_t i, struct error *err);

#endif /* !PLAN_REWRITE_STATE_H */
