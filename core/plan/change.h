#ifndef PLAN_CHANGE_H
#define PLAN_CHANGE_H

#include <stdbool.h>

#include "base/vec.h"

struct buf;
struct configuration;
struct error;
struct key;
struct lock;
struct plan;
struct plan_file;
struct secrets_file;

/*
 * A change of files from loading them to having it on disk: load, find the
 * key, lock, load again what changed meanwhile, plan, (show,) apply.  Nobody
 * else waits while a person types, as the locks come last.  The command line
 * and the interface change files this way; how they talk to a person is
 * theirs, and comes in as callbacks.
 */

/* What a callback may be about. */
enum change_file { CHANGE_CONFIG, CHANGE_SECRETS, CHANGE_OUTPUT };

/* Each may be NULL. */
struct change_callbacks {
	/* Called when the wait for another process that holds ${path} starts. */
	void (*waiting)(void *cookie, const char *path);

	/* Find the master key of ${s}, and ask for it if need be; it becomes the
	 * change's.  NULL: ${err} says why there is none. */
	struct key *(*key)(void *cookie, const struct secrets_file *s, struct error *err);

	/* The file of this kind is missing, or is not what it was taken for: add
	 * a hint in the words of whoever named it. */
	void (*hint)(void *cookie, enum change_file file, struct error *err);
};

struct change {
	const struct change_callbacks *callbacks;
	void *cookie;			/* of the callbacks */
	int lock_timeout_ms;		/* of lock_files */
	bool dry;			/* it is only shown: nothing is locked */
	const char *base_name;		/* of configurations, in place of their own; NULL */

	struct secrets_file *secrets;	/* NULL: none */
	struct configuration *config;	/* the first that was loaded; NULL: none */
	struct key *master;		/* NULL until change_key */
	struct plan *plan;		/* NULL until change_plan */

	bool may_create;		/* the secrets file may be missing */
	bool borrowed;			/* the secrets file is somebody else's */
	struct vec configs;		/* of struct configuration * */
	struct lock *lock;
};

/* Start with nothing loaded; what else is to be set comes after it. */
void change_init(struct change *c, const struct change_callbacks *callbacks, void *cookie);

/* Give back the locks, wipe the key, free all.  Twice is fine. */
void change_close(struct change *c);

/**
 * change_files(c, config, secrets, may_create, err):
 * Load the files of these paths (NULL: none), and check that they are what
 * they are taken for.  A secrets file that is missing is a new one if
 * ${may_create}.  Errors: those of configuration_load and secrets_file_load;
 * ERROR_REFUSED.
 */
int change_files(struct change *c, const char *config, const char *secrets, bool may_create,
    struct error *err);

/* Use a secrets file that somebody else loaded, keeps and loads again. */
void change_borrow(struct change *c, struct secrets_file *s);

/* Load one more configuration, which the change owns.  NULL: ${err}. */
struct configuration *change_config(struct change *c, const char *path, struct error *err);

/* Find the master key. */
int change_key(struct change *c, struct error *err);

/* Begin a plan, without a lock. */
int change_plan(struct change *c, struct error *err);

/**
 * change_start(c, err):
 * Lock the files, load again those that changed since they were loaded (which
 * voids pointers to them, and locks the secrets file), and begin the plan.
 * Errors: those of lock_files and change_files.
 */
int change_start(struct change *c, struct error *err);

/* Give back the locks, to show the plan and ask about it. */
void change_unlock(struct change *c);

/* And the plan, to start again. */
void change_stop(struct change *c);

/**
 * change_output(c, path, text, err):
 * Plan a whole new file, for what changes none of those that are loaded:
 * ${text} (secret, moved in) goes to ${path}.  Only this path is locked:
 * values that were opened are as they were at one moment, and reading must
 * work in folders that cannot be written.  Begins the plan unless there is
 * one.  ERROR_REFUSED: it is one of the loaded files, or file_check_output
 * says so.
 */
int change_output(struct change *c, const char *path, struct buf *text, struct error *err);

/* Apply the plan (apply_plan), under a lock of its files if there is none yet. */
int change_apply(struct change *c, struct error *err);

/* --- a plan by itself --- */

/**
 * apply_plan(p, err):
 * Make every change of the plan, in its order: all files are written to
 * temporary files and verified (plan_verify) before the first is put in its
 * place; if a later one cannot be put in its place, the earlier ones are put
 * back.  The caller holds the lock of every file of the plan (apply_lock, or
 * lock_files before loading).  0: done, on disk, and read back.  -1: every
 * file is as it was, unless the text says otherwise.
 */
int apply_plan(struct plan *p, struct error *err);

/* lock_files for every file of a plan. */
struct lock *apply_lock(const struct plan *p, int timeout_ms,
    void (*waiting)(void *cookie, const char *path), void *cookie,
    struct error *err);

/**
 * plan_verify(p, file, content, err):
 * Check the new ${content} of a file of the plan as apply read it back from
 * disk: it parses, what was set is there and what was removed is not, the data
 * key is the old one or opens under the expected master key, and every sealed
 * entry that the plan wrote opens (with an expected master key every one in
 * the file).  ERROR_DAMAGED otherwise, whatever it is that does not fit.  ${content} is used up.
 */
int plan_verify(const struct plan *p, const struct plan_file *file,
    struct buf *content, struct error *err);

#endif /* !PLAN_CHANGE_H */
