#ifndef CHANGE_H
#define CHANGE_H

#include <stdbool.h>

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

/* Load the files that the flags name.  Close ${c} also after a failure. */
int change_open(struct change *c, const struct options *o, bool may_create,
    struct error *err);

/* Find the master key (master.h). */
int change_key(struct change *c, struct error *err);

/* Lock the files (not for --dry-run) and begin the plan. */
int change_start(struct change *c, struct error *err);

/* Show the plan on standard output (--dry-run) or apply it. */
int change_finish(struct change *c, struct error *err);

/* Give back locks, wipe keys, free all. */
void change_close(struct change *c);

/* The end of a command: close, and report the error if ${rc} is not 0. */
int change_status(struct change *c, int rc, const struct error *err);

/* Shared with decrypt: refuse a ${path} that is one of the loaded files. */
int change_check_output(const struct change *c, const char *path,
    struct error *err);

/* Called while another process holds a lock (lock_files' callback). */
void change_waiting(void *cookie, const char *path);

#endif /* !CHANGE_H */
