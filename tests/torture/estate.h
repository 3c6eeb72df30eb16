#ifndef ESTATE_H
#define ESTATE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/vec.h"

struct error;
struct key;
struct rotation_want;

/* Environments e0, e1 ... below the current folder, for what is done to them between faults. */

#define ESTATE_KEY 64		/* bytes of a master key's text */
#define ESTATE_PASSPHRASE "an old passphrase"

struct saved {
	char path[128];
	struct buf bytes;
};

/* End the program: ${what} failed. */
void die(const char *what);
void die_of(const struct error *err);

/* Write a file, read one. */
void put(const char *path, const void *bytes, size_t n);
struct saved get(const char *path);

/* All files and folders below the current one: bytes, modes and hard links.  Symbolic links are
 * passed over. */
struct tree {
	struct vec nodes;		/* of struct node, folders before what is in them */
};

struct node {
	struct saved file;		/* a folder has no bytes */
	mode_t mode;
	ino_t ino;
};

/* Take what is there now (to be released) / let it be so again. */
void tree_take(struct tree *t);
void tree_put(const struct tree *t);
void tree_release(struct tree *t);

/* The value of configuration ${c} of environment ${e}, in clear. */
void value_of(char out[64], int e, int c);

/* The text of a master key, in base64. */
void to_text(const struct key *k, char out[ESTATE_KEY]);

/* A secrets file with a key of its own, whose text goes to ${key}, and ${n} configurations
 * with a value in clear. */
void estate_make(int e, int n, char key[ESTATE_KEY]);

/* Which of the first ${n} environments' keys a rotation wants.  NULL: none, or ERROR_MEMORY. */
struct key *estate_old_key(char keys[][ESTATE_KEY], int n, const struct rotation_want *w,
    struct error *err);

/* Seal the values of these configurations.  0, or the exit status of a failure. */
int estate_seal(int e, int n, const char *key);

#endif /* !ESTATE_H */
