#ifndef ESTATE_ENVIRONMENTS_H
#define ESTATE_ENVIRONMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

struct configuration;
struct environments;
struct error;
struct key;
struct key_ring;
struct scope;
struct secrets_file;
struct vec;

/*
 * The environments of an estate: an environment is one secrets file with the
 * configuration files that refer to it, its key and its remote path.  A
 * reference names a file and an entry, and is resolved by both, never by the
 * entry's name alone: first which secrets file it means, then whether that
 * one has the entry.  What cannot be told is unknown, never guessed.
 *
 * An environment stays where it is as long as the environments live.
 */
struct environment {
	const char *name;		/* of its section, else its folder below the root */
	const char *path;		/* of its secrets file, as it was found */
	struct secrets_file *secrets;	/* NULL: it is not there, or cannot be read; or not held
				 * (environments_set_lean) */
	struct error *problem;		/* why; NULL: it can */
	struct key *master;		/* NULL: locked */
	char fingerprint[MAC_FINGERPRINT];	/* of the master key, "" while locked */
	bool found;			/* below the roots, or named; else a reference led to it */
	bool aside;			/* it lies around a file that was named, not in its folder,
					 * and nothing is known to refer to it: only a candidate */
};

/* [environment NAME] of a propseal.ini, as whoever reads it hands it in; paths
 * are whole.  It takes a reference whose path it has, in a file that it takes. */
struct environment_section {
	const char *name;
	const char *secrets_file;
	const char *remote_path;	/* NULL: any */
	const char *files;		/* patterns (text.h) below the propseal.ini, one blank
					 * between; NULL: every file there */
	const char *ini;		/* the propseal.ini */
	size_t line;
	bool foreign;			/* it came with a git work tree */
};

struct environment_source {
	/* Find the nearest propseal.ini at or above ${folder} (absolute, no links):
	 * its sections, ${*count} of them, and its folder (the same).  They are the
	 * source's and stay as long as it.  -1: it must not be used; ${err} names it. */
	int (*sections)(void *cookie, const char *folder,
	    const struct environment_section **out, size_t *count, const char **ini_folder,
	    struct error *err);
	void *cookie;
	/* One of them was written: from now on what is in it now is found. */
	void (*changed)(void *cookie);
};

/* ${roots}: the paths that were asked for (not owned), for the environments' names. */
struct environments *environments_new(const char *const roots[], size_t n, struct error *err);
void environments_free(struct environments *e);

/* Where sections come from (not owned; NULL: there are none). */
void environments_set_source(struct environments *e, const struct environment_source *s);

/**
 * environments_add(e, path, c, err):
 * A secrets file that lies below the roots: ${c} is what was read of it (its
 * document is taken), or NULL to read it.  One that is there under another
 * path (device and inode) counts once.  What is wrong with it is its problem.
 * ERROR_MEMORY.
 */
struct environment *environments_add(struct environments *e, const char *path,
    struct configuration *c, struct error *err);

/**
 * environments_name(e, path, only, err):
 * The secrets file that somebody named, wherever it lies.  With ${only} (a
 * flag) no other one is looked at; without (propseal.ini) it is one of those
 * that are found.
 */
struct environment *environments_name(struct environments *e, const char *path, bool only,
    struct error *err);

/* Hold one secrets file at a time, and read another one again when it is asked for: for many that
 * are looked at one after the other.  ->secrets is NULL while a file is not held, without a
 * problem; environment_iterations and environment_noted tell what is known of it then.  Without
 * ${destinations} it is not noted where references are, and where new secrets go cannot be asked.
 * Before the first is read. */
void environments_set_lean(struct environments *e, bool destinations);

/* Of a secrets file, held or not: the iterations (0: it cannot be read), and the paths that it
 * notes for itself (NULL behind the last). */
uint32_t environment_iterations(const struct environment *x);
const char *environment_noted(const struct environment *x, size_t i);

/* The one that environments_name was called for with ${only}, or NULL. */
struct environment *environments_only(const struct environments *e);

/* Which sealed entries open, in every secrets file that is or will be read. */
void environments_set_policy(struct environments *e, struct secrets_policy policy);

/* Those that are found come first, by path, once the scan is done. */
size_t environments_count(const struct environments *e);
struct environment *environments_at(const struct environments *e, size_t i);

/* ${*out}: the one whose secrets file is at ${path} now (device and inode); NULL: none.  As
 * file_identify. */
int environments_of_file(const struct environments *e, const char *path, struct environment **out,
    struct error *err);

/**
 * environment_unlock(x, master, err):
 * Take ${master} (copied) as the key.  ERROR_KEY: the data key does not open
 * under it; a file without a data key takes any.
 */
int environment_unlock(struct environment *x, const struct key *master, struct error *err);

/* Wipe its keys. */
void environment_lock(struct environment *x);

/**
 * environments_unlock(e, master, opened, err):
 * Try ${master} on every environment that is locked and has a data key;
 * ${*opened} (may be NULL): how many it opens.  ERROR_MEMORY, ERROR_CRYPTO.
 */
int environments_unlock(struct environments *e, const struct key *master, size_t *opened,
    struct error *err);

/* Have the keys that were found (taken; NULL until then): they are tried on every secrets
 * file that is read from now on, as by a reference that leads to one. */
void environments_keep_keys(struct environments *e, struct key_ring *keys);
const struct key_ring *environments_keys(const struct environments *e);

/* Try the keys that ${from} has on those of ${to}: for an estate that is scanned anew. */
int environments_take_keys(struct environments *to, const struct environments *from,
    struct error *err);

/**
 * environment_reload(x, err):
 * Read the secrets file again, if it changed on disk, and unlock it with the
 * key that it had; a key that does not fit any more is wiped.  1: it was read
 * (estate_restate is due), 0: it is as it was.  ERROR_MEMORY.
 */
int environment_reload(struct environment *x, struct error *err);

/* Why a reference is unknown. */
enum environment_doubt {
	DOUBT_NONE,
	DOUBT_NO_FILE,		/* no secrets file that was found has its path */
	DOUBT_TIE,		/* several are equally near: one and other (struct named) */
	DOUBT_ELSEWHERE,	/* its absolute path (one) is a file, and another than was found
				 * (other) */
	DOUBT_SECTIONS,		/* sections for several secrets files take it: as well */
	DOUBT_NOT_NAMED,	/* it does not name the secrets file that was named (one) */
	DOUBT_INI,		/* the nearest propseal.ini (one) must not be used */
	DOUBT_UNREADABLE	/* the secrets file (one) is not there, or cannot be read */
};

/* What became of a reference.  Pointers belong to the environments. */
struct resolution {
	enum entry_state state;	/* SEALED, DANGLING, DAMAGED, UNKNOWN, or OTHER */
	bool checked;		/* false: UNKNOWN, or SEALED and locked */
	struct environment *environment;	/* NULL: UNKNOWN, OTHER */
	size_t entry;		/* SEALED, DAMAGED: in its document */
	enum environment_doubt doubt;
	const char *one, *other;
};

/**
 * environments_resolve(e, config, r, out, err):
 * The one function that resolves reference ${r} in the configuration file
 * ${config}.  Which secrets file: that of a section of the nearest
 * propseal.ini; else, of those that were found, those that note the path, or
 * else those of its base name, or else the only one, if it notes no path and
 * this is the one path of the estate whose references all fit its entries; of
 * several the nearest (the longest common folder with the configuration); if
 * none was found, the file of that absolute path, unless the configuration is
 * in a git work tree.  Only then the entry is looked for, and opened if there
 * is a key.  ERROR_MEMORY.
 */
int environments_resolve(struct environments *e, const char *config, const struct reference *r,
    struct resolution *out, struct error *err);

/* The same for who opens the entry next: it is not opened to see, so that SEALED is not checked
 * and DAMAGED not told. */
int environments_locate(struct environments *e, const char *config, const struct reference *r,
    struct resolution *out, struct error *err);

/* The same for a value, which may have several references: the worst of them;
 * PLAIN without one. */
int environments_state(struct environments *e, const char *config, const char *value, size_t n,
    struct resolution *out, struct error *err);

/* Say why a reference is unknown, dangling or damaged, with a hint and without a place. */
void resolution_explain(const struct resolution *x, const struct reference *r,
    struct error *err);

#define NAMED_MAX 6

/* Secrets files that are named in a text, each once; all 0 at first. */
struct named {
	const char *paths[NAMED_MAX];	/* the first of them */
	size_t count;
	struct map *seen;
};

/* ${path} must outlive it.  ERROR_MEMORY. */
int named_add(struct named *n, const char *path, struct error *err);

/* The end of it: ${rc}, and where that is 0 in ${*one} all but the last of them, and in ${*other}
 * the last, or how many more there are.  ERROR_MEMORY. */
int named_end(struct named *n, struct environments *e, int rc, const char **one,
    const char **other, struct error *err);

/* Where new secrets of a configuration file go. */
enum destination_kind {
	DESTINATION_KNOWN,	/* a flag, a section or references that are there name it */
	DESTINATION_PROPOSED,	/* it is the nearest: only if a person agrees */
	DESTINATION_ASK		/* it cannot be told */
};

struct destination {
	enum destination_kind kind;
	struct environment *environment;	/* ASK: NULL, or its path is not known */
	const char *remote;			/* ASK: NULL, unless known */
	const char *one, *other;	/* ASK: between these (struct named), or NULL */
	bool refers;			/* ASK: references of the file's own do not tell */
	const char *ini;	/* ASK: the nearest propseal.ini, which must not be used, or NULL */
	const struct environment_section *section;	/* that says so; NULL: none does */
};

/* The path for new references to ${x}: the one that it notes, else the one by
 * which the estate's references name it; NULL: none, or several. */
const char *environment_remote(const struct environment *x);

/* How many entries of the estate refer to the sealed entry ${name} of ${x}? */
size_t environment_references(const struct environment *x, const char *name, size_t len);

/* Does anything refer to the sealed entry? */
enum environment_use {
	USE_NONE,		/* it is an orphan */
	USE_PERHAPS,		/* a reference names it that is unknown */
	USE_KNOWN
};

/* ${path}, ${line} (may be NULL): of USE_PERHAPS, where the first such reference is. */
enum environment_use environment_use(const struct environment *x, const char *name, size_t len,
    const char **path, size_t *line);

/**
 * environments_look_beside(e, path, scope, leftovers, err):
 * For a file that was named itself: find the secrets files in its folder, and
 * in those above up to the current folder, or one with a propseal.ini or .git,
 * if one of these lies above; and nearer ones below these folders, where one was
 * found above.  Nothing if environments_only.  ${leftovers} is walk_folder's.
 */
int environments_look_beside(struct environments *e, const char *path, const struct scope *scope,
    struct vec *leftovers, struct error *err);

/* The same for configurations that are loaded, and all that is needed before
 * their references can be resolved without an estate. */
int environments_settle_for(struct environments *e, struct configuration *const configs[],
    size_t n, const struct scope *scope, struct error *err);

/* --- for the estate --- */

/* What is found is whole: put it in order and name it.  Forgets what was referred
 * to.  ERROR_MEMORY. */
int environments_settle(struct environments *e, struct error *err);

/* A reference that is there, before the first is resolved. */
int environments_refer(struct environments *e, const struct reference *r, struct error *err);

/* The same text at the same place each time; kept.  NULL: no memory. */
const char *environments_intern(struct environments *e, const char *text, size_t len);

/* Forget all counts; count a reference of ${config} to entry ${name} of ${x}
 * by the (interned) path ${remote}.  ${name} must outlive the counts. */
void environments_count_none(struct environments *e);
int environments_count_one(struct environments *e, struct environment *x, const char *config,
    const char *remote, const char *name, size_t len, struct error *err);

/* An unknown reference, at ${path}:${line}, names the entry: it may be that of any.
 * ${path} and ${name} must outlive the counts. */
int environments_count_unknown(struct environments *e, const char *path, size_t line,
    const char *name, size_t len, struct error *err);

/* What the counts say besides: do files in the folder of ${config}, or one
 * above, refer to it by ${remote} (interned)? */
bool environment_is_used_around(struct environments *e, const struct environment *x,
    const char *config, const char *remote);

/* The section that takes ${config}, for sealing: its environment and its path
 * (NULL: not said).  1, 0: there is none, -1.  ${out} tells two. */
int environments_section(struct environments *e, const char *config, struct destination *out,
    struct error *err);

/* The nearest secrets file: environment, or those of a tie, named in one and other. */
int environments_nearest(struct environments *e, const char *config, struct destination *out,
    struct error *err);

#endif /* !ESTATE_ENVIRONMENTS_H */
