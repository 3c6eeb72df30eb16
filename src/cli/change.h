#ifndef CHANGE_H
#define CHANGE_H

#include <stdbool.h>

struct buf;
struct configuration;
struct error;
struct key;
struct lock;
struct options;
struct plan;
struct secrets_file;

/*
 * What every command that changes files does: load, (ask what must be
 * asked), lock, load again what changed meanwhile, plan, then show or apply.
 * Nobody else waits while a person types.
 */
struct change {
	const struct options *o;
	bool may_create;		/* the secrets file may be missing */
	struct secrets_file *secrets;
	struct configuration *config;	/* NULL: the command has none */
	struct key *master;		/* NULL until change_key */
	struct plan *plan;		/* from change_start on */
	struct lock *lock;
};

/* Load the files that the flags name, or the argument, if the command has
 * one in the place of --config-file.  Close ${c} also after a failure. */
int change_open(struct change *c, const struct options *o, bool may_create,
    struct error *err);

/* Find the master key (master.h). */
int change_key(struct change *c, struct error *err);

/* Lock the files (not for --dry-run) and begin the plan. */
int change_start(struct change *c, struct error *err);

/* Give back the locks, to show the plan and ask about it. */
void change_unlock(struct change *c);

/* And the plan, to start again. */
void change_stop(struct change *c);

/* Say the remarks of a plan on standard error. */
void change_say_notes(const struct plan *p);

/* Show the plan on standard output (--dry-run) or apply it. */
int change_finish(struct change *c, struct error *err);

/* Give back locks, wipe keys, free all. */
void change_close(struct change *c);

/* The end of a command: close, and report the error if ${rc} is not 0. */
int change_status(struct change *c, int rc, const struct error *err);

/**
 * change_write_output(c, path, text, err):
 * For what opens values and changes neither file: write ${text} (secret,
 * moved) to ${path}, which must not be one of the loaded files, or show that
 * (--dry-run).  Makes the plan unless there is one.
 */
int change_write_output(struct change *c, const char *path, struct buf *text,
    struct error *err);

/* Called while another process holds a lock (lock_files' callback). */
void change_waiting(void *cookie, const char *path);

#endif /* !CHANGE_H */
