#ifndef ESTATE_ESTATE_H
#define ESTATE_ESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secrets/reference.h"

struct configuration;
struct destination;
struct environment;
struct environments;
struct error;
struct estate;
struct finder;
struct rules;
struct scope;
struct vec;

/*
 * The configuration files below some paths, with every entry's state against
 * the secrets file of its environment.  It holds keys, lines and states, never
 * values: those are read again when they are needed.  The scan runs in steps,
 * so that a screen can show what is there so far; which secrets file a
 * reference means is told once all of them are found, and until then it
 * counts as sealed and not checked.
 */

struct estate_entry {
	const char *key;	/* decoded; NUL-terminated, though a NUL may be in it */
	size_t key_len;
	size_t line;
	enum entry_state state;
	bool sensitive;		/* its key is one of a secret, or there is one in the value */
	bool clear;		/* there is one in clear text */
	bool shadowed;
	bool checked;		/* false: unknown, or sealed and not opened as there is no key */
	struct environment *environment;	/* of its reference; NULL: none, or unknown */
	const char *remote;	/* our reference: its path, else NULL */
	size_t remote_len;
	const char *name;	/* our reference: the entry name in the secrets file, else NULL */
	size_t name_len;	/* it too is NUL-terminated, and a NUL may be in it */
};

struct estate_file {
	const char *path;
	bool is_secrets_file;	/* recognised by its metadata; has no entries here */
	struct environment *environment;	/* a secrets file's own, else the one that it
				 * belongs to: of its references, or where its secrets would
				 * go; NULL: none, or several */
	struct error *problem;	/* why it could not be read; NULL: it could */
	int64_t changed;	/* milliseconds, when it was; with a problem, when anything about it
				   was, as a mode that lets nobody read; 0: not known */
	unsigned int mode;	/* its bits of permission, and who owns it: without a problem */
	unsigned int owner;
	bool is_link;		/* what it leads to may change, or be another, elsewhere */
	size_t count;
	const struct estate_entry *entries;
	size_t others;		/* entries that were counted and not kept (estate_set_brief) */
};

/* ${paths} (not owned): files, or folders that are searched as the scope says.
 * Hidden files and folders are passed over; symlinked folders are not followed;
 * a file counts once (device, inode).  The secrets files of a file that is named
 * itself are looked for in its folder, and in those above up to the current
 * one, or one with a propseal.ini or .git. */
struct estate *estate_new(const char *const paths[], size_t n,
    struct error *err);
void estate_free(struct estate *e);

/* Its environments: for their settings before the first estate_step, and for
 * what is found. */
struct environments *estate_environments(const struct estate *e);

/* Which files below the folders are taken, and which keys are secrets (not
 * owned; NULL: the built-in ones).  Before the first estate_step. */
void estate_set_scope(struct estate *e, const struct scope *scope);
const struct scope *estate_scope(const struct estate *e);
void estate_set_rules(struct estate *e, const struct rules *rules);

/* Have what runs that were killed left in the folders listed in ${leftovers} (of char *,
 * the caller's), and not removed; one without room (max 0) takes none.  Before the first
 * estate_step. */
void estate_list_leftovers(struct estate *e, struct vec *leftovers);

/* Keep only entries that are secrets, or have something to do with references; count the others.
 * Before the first estate_step. */
void estate_set_brief(struct estate *e, bool brief);

/* Only references are asked for: what is clear text is not looked for, no entry is said to be a
 * secret (but for options of JAAS), and those without references are counted only.  Before the
 * first estate_step. */
void estate_set_references(struct estate *e, bool references);

/* Keep as little as tells where references lead: files that have some and the environments
 * (environments_set_lean), but neither other files nor folders, nor where secrets would go.
 * Before the first estate_step. */
void estate_set_lean(struct estate *e);

/* Find all files, without resolving a reference: for who has keys to give first. */
int estate_find(struct estate *e, struct error *err);

/* Work for about ${budget_ms}.  1: there is more to do, 0: all is done,
 * -1: ERROR_MEMORY.  Unreadable files and folders are entries with a problem. */
int estate_step(struct estate *e, int budget_ms, struct error *err);

/**
 * estate_lend(e):
 * What finds the files and reads them, for a thread of its own, which is to call
 * finder_run and finder_release; the estate may be gone by then.  NULL: it was
 * lent before, or all is found.  Meanwhile estate_step takes what was found so far.
 */
struct finder *estate_lend(struct estate *e);

/* Find all that there is.  ${go_on} is asked before each file and folder: false
 * ends it, and estate_step does the rest. */
void finder_run(struct finder *f, bool (*go_on)(void *cookie), void *cookie);
void finder_release(struct finder *f);

/* Does another thread look?  And is there nothing that estate_step could do, until it finds
 * more?  Wait as long as that is so. */
bool estate_is_lent(const struct estate *e);
bool estate_waits(const struct estate *e);
void estate_wait(const struct estate *e);

/* Read one file again (after a change); one that is new to the estate joins it.
 * States and counts that hang on it are told anew by estate_step. */
int estate_refresh(struct estate *e, const char *path, struct error *err);

/* The key or the secrets file of environment ${x} (NULL: of any) has changed:
 * estate_step tells its states anew. */
void estate_restate(struct estate *e, const struct environment *x);

/* Files, sorted by path once the scan is done (found so far before). */
size_t estate_count(const struct estate *e);
const struct estate_file *estate_file(const struct estate *e, size_t i);

/* The folders that were read, also those without a file, as they were named. */
size_t estate_folder_count(const struct estate *e);
const char *estate_folder(const struct estate *e, size_t i);

/* Of the entries from ${from} to before ${to} the first that refers, wherever in its value, to the
 * sealed entry ${name} of ${x} (reference_names); ${to}: none does.  Duplicates that Java passes
 * over do not count. */
size_t estate_next_user(const struct estate_file *f, size_t from, size_t to,
    const struct environment *x, const char *name, size_t len);

/* Does an entry refer to the sealed entry ${name} of ${x}, or of an environment that is not
 * known?  Of a file that is none of the ${n} of ${but}, and the place of the first. */
bool estate_refers(const struct estate *e, const struct environment *x, const char *name,
    size_t len, struct configuration *const but[], size_t n, const char **path, size_t *line);

/**
 * estate_destination(e, f, out, err):
 * Where new secrets of configuration file ${f} go, once the scan is done: the
 * secrets file that a flag names; else that of a section which takes the file;
 * else the environment that its references use (two: ask); else, without
 * references, the nearest secrets file.  The path is that of the flag or
 * section, of its references, noted by the secrets file, or used by its
 * environment, else ask.  ERROR_MEMORY.
 */
int estate_destination(const struct estate *e, const struct estate_file *f,
    struct destination *out, struct error *err);

#endif /* !ESTATE_ESTATE_H */
