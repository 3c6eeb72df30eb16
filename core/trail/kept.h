#ifndef TRAIL_KEPT_H
#define TRAIL_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct buf;
struct error;
struct trail;
struct trail_change;

/*
 * What undoes a change of the trail: the sealed entries and references that were there before.
 * It is a file of JSON a change, mode 0600, in a folder of the user's own (0700) beside the trail:
 * trail.jsonl.kept.<uid>/<number of the change>.  There is never clear text in it: of a change
 * that would need it the file says why it cannot be undone.
 *
 * It is kept for so many days as the trail says, and never more than KEPT_MAX of it: the oldest
 * goes first.  Finishing a rotation wipes what there is of its files.
 */

#define KEPT_SCHEMA "propseal.kept/1"
#define KEPT_MAX ((size_t)64 << 20)		/* bytes, of all changes */
#define KEPT_MAX_ONE ((size_t)4 << 20)		/* and of one */
#define KEPT_DAYS 30				/* where nothing else is said */
#define KEPT_HASH 64				/* hexadecimal digits of a SHA-256 */

struct kept_entry {
	char *key;
	char *was;	/* its value, sealed or a reference; NULL: it was not there */
	char *now;	/* hash of the value after the change; NULL: it was removed */
	char *tag;	/* of a sealed one; NULL: it had none */
	char *after;	/* the key of an entry that it stood behind; NULL: not known */
};

struct kept_file {
	char *path;		/* absolute, without symbolic links */
	bool is_secrets;	/* else a configuration */
	struct vec entries;	/* of struct kept_entry */
};

struct kept {
	char *why;		/* why the change cannot be undone; NULL: it can */
	struct vec files;	/* of struct kept_file */
};

/**
 * kept_write(t, change, text, err):
 * Keep ${text}, JSON as kept_read reads it, for ${change}, and remove what was kept long enough:
 * where the trail keeps nothing, all.  A folder that may not be made is no error.  ERROR_IO,
 * ERROR_REFUSED (the folder is not the user's own), ERROR_MEMORY.
 */
int kept_write(const struct trail *t, uint64_t change, const struct buf *text, struct error *err);

/* The change was not made. */
void kept_drop(const struct trail *t, uint64_t change);

/**
 * kept_read(path, change, k, err):
 * What there is for ${change} of the trail ${path}.  ERROR_MISSING: nothing, any more or at all;
 * ERROR_DAMAGED: it is not what kept_write wrote; ERROR_IO, ERROR_REFUSED, ERROR_MEMORY.
 * Release it also after a failure.
 */
int kept_read(const char *path, uint64_t change, struct kept *k, struct error *err);
void kept_release(struct kept *k);

/* Why a change of the trail ${path} cannot be undone, to be freed.  NULL: it can, as far as that is
 * known without the files.  What there is for one of another user is of another trail, with the
 * same number. */
char *kept_why(const char *path, const struct trail_change *c);
bool kept_is_of_another(const struct trail_change *c);

/* Overwrite and remove what there is of changes of the ${n} files, as after a rotation of them
 * has ended; how many in ${*count}.  ERROR_IO, ERROR_REFUSED (as kept_write), ERROR_MEMORY. */
int kept_forget(const char *path, const char *const files[], size_t n, size_t *count,
    struct error *err);

#endif /* !TRAIL_KEPT_H */
