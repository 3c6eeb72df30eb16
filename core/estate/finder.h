#ifndef ESTATE_FINDER_H
#define ESTATE_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "estate/estate.h"
#include "file/file.h"

struct configuration;
struct document;
struct error;
struct rules;
struct scope;

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
	bool may_refer;		/* an entry of this file may hold a reference */
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

/*
 * Inside core/estate: finding files and reading them, without what an estate
 * knows of environments, so that another thread can do it (estate_lend) while
 * the estate takes what was found so far.
 */

/* A file of the estate, and what only core/estate knows of it. */
struct listed {
	struct estate_file face;
	struct file_id id;
	struct collected held;	/* face shows the entries; its remotes go when it is taken */
	uint64_t inode[2];	/* device and inode, while files are sorted */
	bool twice;		/* listed under another path, too */
	bool stale;		/* its references are to be resolved */
	bool again;		/* it was read again: of two of one path the newer */
	struct configuration *secrets;	/* until it is taken: it is this secrets file; NULL */
};

/* A file with a path, which is taken over, and nothing else.  NULL: no memory. */
struct listed *listed_new(char *path);
void listed_free(struct listed *f);

/* What is looked for. */
struct finder_terms {
	const struct scope *scope;	/* NULL: the built-in one */
	const struct rules *rules;
	struct vec *leftovers;	/* the caller's, max 0: none is listed; NULL: they are removed */
	bool brief;		/* entries of no interest are not kept */
	bool references;	/* what is clear text is not looked for */
};

/* Read the file and fill keys, lines and states; what cannot be read becomes
 * its problem.  Then it is to be taken.  ${x} is what it is put together in.  ERROR_MEMORY. */
int listed_read(struct listed *f, const struct finder_terms *terms, struct collection *x,
    struct error *err);

/* NULL: no memory.  It has one owner; finder_release is the end of one. */
struct finder *finder_new(void);

/* Before anything is looked for: its terms may be changed, and the paths where it looks are
 * named (copied), of which the last comes first.  -1: no memory. */
struct finder_terms *finder_terms(struct finder *f);
int finder_add(struct finder *f, const char *path, bool folder);

/* What was found: a file (which can be a folder that cannot be read), or a folder that was
 * read.  Both are the caller's. */
struct found {
	struct listed *file;
	char *folder;
};

enum finder_got { FINDER_FAILED = -1, FINDER_ALL, FINDER_ONE, FINDER_LATER };

/* The next one; LATER: another thread looks, and has found nothing more so far. */
enum finder_got finder_take(struct finder *f, struct found *out, struct error *err);

/* Does another thread look, and is there nothing to be taken so far? */
bool finder_looks(struct finder *f);
bool finder_waits(struct finder *f);

/* Wait as long as there is not. */
void finder_wait(struct finder *f);

/* Nobody takes anything any more: have another thread that looks stop. */
void finder_stop(struct finder *f);

/* From now on another thread looks, which is one more owner.  False: one does already. */
bool finder_lend(struct finder *f);

/**
 * walk_folder(path, scope, files, folders, leftovers, problem):
 * Read one folder: append the paths of its configuration files to ${files}
 * and of its sub-folders to ${folders} (vectors of char *, caller frees),
 * as far as ${scope} takes them.  What a run that was killed left there
 * (lock_sweep_name) is removed, or, if ${leftovers} is not NULL, appended to it as far as
 * that has room at all.
 * -1: ${problem} says why it could not be read (whole or in part).
 */
int walk_folder(const char *path, const struct scope *scope, struct vec *files,
    struct vec *folders, struct vec *leftovers, struct error *problem);

/* Take the last one off, NULL for none; the caller frees it. */
char *walk_pop(struct vec *v);

#endif /* !ESTATE_FINDER_H */
