#ifndef ESTATE_ESTATE_H
#define ESTATE_ESTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets/reference.h"

struct error;
struct estate;
struct rules;
struct scope;
struct secrets_file;

/*
 * The configuration files below some paths, with every entry's state against
 * a secrets file.  It holds keys, lines and states, never values: those are
 * read again when they are needed.  The scan runs in steps, so that a screen
 * can show what is there so far.
 */

struct estate_entry {
	const char *key;	/* decoded; NUL-terminated, though a NUL may be in it */
	size_t key_len;
	size_t line;
	enum entry_state state;
	bool sensitive;		/* its key is one of a secret, or there is one in the value */
	bool clear;		/* there is one in clear text */
	bool shadowed;
	const char *name;	/* our reference: the entry name in the secrets file, else NULL */
	size_t name_len;	/* it too is NUL-terminated, and a NUL may be in it */
};

struct estate_file {
	const char *path;
	bool is_secrets_file;	/* recognised by its metadata; has no entries here */
	struct error *problem;	/* why it could not be read; NULL: it could */
	size_t count;
	const struct estate_entry *entries;
};

/* ${paths}: files, or folders that are searched as the scope says.  Hidden
 * files and folders are passed over; symlinked folders are not followed. */
struct estate *estate_new(const char *const paths[], size_t n,
    struct error *err);
void estate_free(struct estate *e);

/* The secrets file that states are told against (not owned; NULL: none).
 * Changing it starts the states anew: estate_step does the work. */
void estate_set_secrets(struct estate *e, const struct secrets_file *s);

/* Which files below the folders are taken, and which keys are secrets (not
 * owned; NULL: the built-in ones).  Before the first estate_step. */
void estate_set_scope(struct estate *e, const struct scope *scope);
void estate_set_rules(struct estate *e, const struct rules *rules);

/* Work for about ${budget_ms}.  1: there is more to do, 0: all is done,
 * -1: ERROR_MEMORY.  Unreadable files and folders are entries with a problem. */
int estate_step(struct estate *e, int budget_ms, struct error *err);

/* Read one file again (after a change); one that is new to the estate joins it. */
int estate_refresh(struct estate *e, const char *path, struct error *err);

/* Files, sorted by path once the scan is done (found so far before). */
size_t estate_count(const struct estate *e);
const struct estate_file *estate_file(const struct estate *e, size_t i);

/* How often does any configuration refer to the entry ${name}? */
size_t estate_references(const struct estate *e, const char *name, size_t len);

#endif /* !ESTATE_ESTATE_H */
