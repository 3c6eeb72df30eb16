#ifndef UI_TREE_H
#define UI_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

struct environment;
struct error;
struct estate;
struct estate_entry;
struct estate_file;

/* How many there are of what: in a file, below a root, in all. */
struct tally {
	size_t files;
	size_t clear;
	size_t sealed;
	size_t unchecked;	/* of those that are sealed: nothing opened them yet */
	size_t dangling;
	size_t unknown;		/* references of which one cannot tell the secrets file */
	size_t other;		/* another provider's */
	size_t damaged;
	size_t unreadable;	/* files */
	size_t orphans;		/* sealed entries; only once the scan is done */
};

/* Is it a secret in clear text? */
bool entry_is_clear(const struct estate_entry *e);

/* The letter of its state; a blank: it is plain, and no secret. */
char entry_letter(const struct estate_entry *e);

/* Of one file's entries. */
struct tally tally_of(const struct estate_file *f);

/* By letter, the worst first: "3! 1D 12S". */
void tally_print(const struct tally *t, char *out, size_t size);

/*
 * The estate as the interface shows it: each environment is a root, and below
 * it stand the configuration files that belong to it; those that belong to
 * none (or to several) stand below their folder.  Rows are in the order in
 * which they are shown, and are made anew when the estate changes.
 */
struct tree_root {
	struct environment *environment;	/* NULL: none */
	char *name;
	char *id;			/* the secrets file's path, or the folder's with a slash */
	struct tally tally;
	const char *remote;		/* the path for references to it; NULL: not known */
	size_t remote_len;
	size_t row;
};

struct tree_row {
	size_t root;
	const struct estate_file *file;	/* NULL: it is the root */
	struct tally tally;		/* of the file */
};

struct tree {
	const char *const *paths;	/* that were asked for */
	size_t path_count;
	struct vec roots;		/* of struct tree_root */
	struct vec rows;		/* of struct tree_row */
	struct tally tally;
};

void tree_init(struct tree *t, const char *const paths[], size_t n);
void tree_release(struct tree *t);

/* Files of no environment: do they refer to some, as they then do to several? */
bool tree_root_refers(const struct tree_root *r);

/* Make all anew.  ${whole}: the scan is done.  ERROR_MEMORY. */
int tree_build(struct tree *t, const struct estate *e, bool whole, struct error *err);

/* A path as it is shown: without the one folder that was asked for. */
const char *tree_show_path(const struct tree *t, const char *path);

const struct tree_row *tree_row(const struct tree *t, size_t i);
const struct tree_root *tree_root(const struct tree *t, size_t i);

/* Which of two files, or of two roots, is worse, by its rows: as strcmp, the worse first. */
int tree_compare(const struct tree *t, size_t one, size_t other);

/* The row of a file, by its path; the number of rows when there is none. */
size_t tree_find(const struct tree *t, const char *path);

#endif /* !UI_TREE_H */
