#ifndef PLAN_CHANGE_H
#define PLAN_CHANGE_H

#include <stdbool.h>

#include "base/vec.h"
#include "file/lock.h"
#include "plan/apply.h"
#include "secrets/secrets_file.h"

struct buf;
struct configuration;
struct error;
struct key;
struct plan;
struct plan_file;
struct scope;
struct secrets_file;
struct trail;

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
	/* Told while another process that holds a file is waited for (lock.h). */
	wait_told *waiting;

	/* The same where another program has ${path} open for writing. */
	wait_told *writing;

	/* While many files are changed (apply.h); false: stop between files. */
	bool (*progress)(void *cookie, size_t done, size_t all);

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
	bool dry;			/* it is only shown: nothing is locked or removed */
	struct secrets_policy policy;	/* of the secrets file */
	const struct scope *scope;	/* says the format of configurations; NULL */
	const struct trail *trail;	/* where what is applied is written down; NULL: nowhere */
	const char *environment;	/* the name of the secrets file's, for it; NULL */
	const char *key;		/* what is changed in outputs, for it; NULL */
	const char *base_name;		/* of configurations, in place of their own; NULL */

	struct secrets_file *secrets;	/* NULL: none */
	struct configuration *config;	/* the first that was loaded; NULL: none */
	struct key *master;		/* NULL until change_key */
	struct plan *plan;		/* NULL until change_plan */

	bool may_create;		/* the secrets file may be missing */
	bool borrowed;			/* the secrets file is somebody else's */
	struct vec configs;		/* of struct configuration * */
	struct lock_swept swept;	/* where change_config looked for leftovers */
	struct lock *lock;
	bool all_locked;		/* by it, and not the secrets file alone */
	struct apply applied;
};

/* Start with nothing loaded; what else is to be set comes after it. */
void change_init(struct change *c, const struct change_callbacks *callbacks, void *cookie);

/* Give back the locks, wipe the key, free all.  Twice is fine. */
void change_close(struct change *c);

/**
 * change_files(c, config, secrets, may_create, err):
 * Load the files of these paths (NULL: none), and check that they are what
 * they are taken for.  What a run that was killed left beside them is removed
 * (lock_sweep), unless it is only shown.  A secrets file that is missing is a new one if
 * ${may_create}.  Errors: those of configuration_load and secrets_file_load;
 * ERROR_REFUSED.
 */
int change_files(struct change *c, const char *config, const char *secrets, bool may_create,
    struct error *err);

/* Use a secrets file that somebody else loaded, keeps and loads again. */
void change_borrow(struct change *c, struct secrets_file *s);

/* Load one more configuration, which the change owns, as change_files does, and
 * check it against the secrets file, if there is one.  NULL: ${err}. */
struct configuration *change_config(struct change *c, const char *path, struct error *err);

/* Find the master key. */
int change_key(struct change *c, struct error *err);

/* Begin a plan, without a lock. */
int change_plan(struct change *c, struct error *err);

/**
 * change_start(c, err):
 * Lock the files (of more than APPLY_BATCH configurations the secrets file
 * only), load again those that changed since they were loaded (which voids
 * pointers to them, and locks the secrets file), and begin the plan.
 * Errors: those of lock_files and change_files.
 */
int change_start(struct change *c, struct error *err);

/* Give back the locks, to show the plan and ask about it. */
void change_unlock(struct change *c);

/* And the plan, to start again. */
void change_stop(struct change *c);

/**
 * change_outputs(c, paths, texts, n, err):
 * Plan whole new files, for what changes none of those that are loaded:
 * ${texts} (secret, moved in) go to ${paths}.  Only these paths are locked:
 * values that were opened are as they were at one moment, and reading must
 * work in folders that cannot be written.  Begins the plan unless there is
 * one.  ERROR_REFUSED: it is one of the loaded files, or file_check_output
 * says so.
 */
int change_outputs(struct change *c, const char *const paths[], struct buf texts[], size_t n,
    struct error *err);

/**
 * change_write_file(t, lock_timeout_ms, path, is_new, content, notes, err):
 * A change that is one whole file, with its lines in the trail (NULL: nowhere).  What is to be
 * told besides is appended to ${notes}, a line each (NULL: it is not).  ERROR_EXISTS: ${is_new},
 * and it is there; and those of change_outputs and change_apply.
 */
int change_write_file(const struct trail *t, int lock_timeout_ms, const char *path, bool is_new,
    const struct buf *content, struct buf *notes, struct error *err);

/* Makes of what a file holds (nothing, if it is not there) what it is to hold. */
typedef int change_edit_fn(void *cookie, struct buf *content, struct error *err);

/**
 * change_edit_file(t, lock_timeout_ms, path, key, edit, cookie, notes, err):
 * The same of a file without secrets that is read when it is locked, so that what others wrote
 * there is kept; its content is in ordinary memory.
 * ${key} (NULL: none): what in it is changed, for the trail.  Errors are also those of file_read
 * and ${edit}, and ERROR_STALE.
 */
int change_edit_file(const struct trail *t, int lock_timeout_ms, const char *path,
    const char *key, change_edit_fn *edit, void *cookie, struct buf *notes, struct error *err);

/* Apply the plan, under locks of its files if there are none yet.  What became
 * of each file, and what is to be told, is in c->applied until change_stop. */
int change_apply(struct change *c, struct error *err);

#endif /* !PLAN_CHANGE_H */
