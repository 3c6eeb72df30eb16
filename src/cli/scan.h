#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "plan/plan.h"
#include "secrets/reference.h"

struct change;
struct configuration;
struct destination;
struct environment;
struct environments;
struct error;
struct estate;
struct estate_entry;
struct estate_file;
struct options;

/*
 * The environments of what a command is given, with what its flags and
 * propseal.ini say: a secrets file that --local-secrets-file names is the only
 * one; one that propseal.ini names is one of those that are found.
 */

/* Scan the paths.  The caller frees (estate_free); NULL: ERROR_MEMORY. */
struct estate *scan_paths(const struct options *o, const char *const paths[], size_t n,
    struct error *err);

/* Find the files for who asks for references only (estate_set_references).  None is resolved
 * yet, so that keys may come before: scan_step does. */
struct estate *scan_references(const struct options *o, const char *const paths[], size_t n,
    struct error *err);

/* The same with one secrets file at a time in memory (environments_set_lean), and without ${all}
 * with no file that refers to nothing (estate_set_lean). */
struct estate *scan_lean(const struct options *o, const char *const paths[], size_t n, bool all,
    struct error *err);

/* Resolve what is to be resolved, whatever time that takes. */
int scan_step(struct estate *e, struct error *err);

/* As scan_paths, and what runs that were killed left is listed (estate_list_leftovers). */
struct estate *scan_untouched(const struct options *o, const char *const paths[], size_t n,
    struct vec *leftovers, struct error *err);

/* The secrets file that a flag names can be read, if one does. */
int scan_check(const struct options *o, const struct environments *e, struct error *err);

/* Say which files could not be looked at, so that nobody takes them for well.  How many. */
size_t scan_tell_unread(const struct estate *e);

/* Say what is wrong with a reference of an entry: ${what}, at its place. */
int scan_explain(const struct estate *e, const struct estate_file *f,
    const struct estate_entry *x, struct error *what, struct error *err);

/* Say that it cannot be told where the secrets of a file go.  Returns -1: ERROR_USAGE. */
int scan_explain_destination(const char *path, const struct destination *to, struct error *err);

/**
 * scan_destination(o, path, secrets, remote, err):
 * The secrets file and remote path for new secrets of the configuration file
 * ${path}, as flags, its references or propseal.ini say; the nearest one only
 * where a person is asked.  The caller frees both.  ERROR_USAGE.
 */
int scan_destination(const struct options *o, const char *path, char **secrets, char **remote,
    struct error *err);

/* For configurations that are loaded, without an estate (environments_free).
 * NULL: ERROR_MEMORY, or the secrets file that a flag names cannot be read. */
struct environments *scan_files(const struct options *o, struct configuration *const configs[],
    size_t n, struct error *err);

/* Open what the keys open that are there without a question; ${*opened}: how many. */
int scan_unlock(const struct options *o, struct environments *e, size_t *opened,
    struct error *err);

/* Open one that is needed, and ask for its key if need be. */
int scan_open(const struct options *o, struct environments *e, struct environment *x,
    struct error *err);

/* Try every sealed entry of one that is open: how many there are, and how many open.  Those
 * that do not are told. */
void scan_drill(const struct environment *x, size_t *sealed, size_t *opened);

/* Say once what there is to doubt of the entries that were opened. */
void scan_say_doubts(const struct environments *e);

/*
 * Finds who else refers to a sealed entry: the configurations below the folders
 * of the change's configurations and of its secrets file, which are searched at the
 * first question, and for a short time only: where that was too short, it is told.
 */
struct scan_users {
	struct plan_users face;
	const struct options *o;
	const struct change *change;	/* its files are loaded */
	struct environment *own;	/* that of its secrets file */
	struct estate *estate;		/* NULL: not searched yet */
	struct vec folders;	/* of char * */
};

/* ->face goes where users are taken.  Release it behind the plan. */
void scan_users_init(struct scan_users *u, const struct options *o, const struct change *c);
void scan_users_release(struct scan_users *u);

/* Resolves our references, each in its own environment, which is opened when
 * it is needed.  What is to be set before use; ->face goes where a resolver is taken. */
struct scan_resolver {
	struct resolver face;
	const struct options *o;
	struct environments *environments;
	const char *config;	/* the file whose references are resolved */
};

void scan_resolver_init(struct scan_resolver *r, const struct options *o,
    struct environments *e, const char *config, const struct resolver *next);

/* audit/left.c: note in the plan what the audit calls clear text, below the paths of the command,
 * in files that are no configuration files of the estate: who seals those does not touch it. */
int scan_note_left(const struct options *o, const struct estate *e, struct plan *p,
    struct error *err);

#endif /* !CLI_SCAN_H */
