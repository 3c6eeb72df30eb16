#ifndef TRAIL_TRAIL_H
#define TRAIL_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"

struct buf;
struct document;
struct error;
struct json_out;
struct trail;
struct trail_change;

/*
 * The trail: what was changed on this host, by whom, and what became of it.
 * Before a change an intent is written, after it the outcome, each as a line
 * of JSON at the end of one file, on disk before the call returns.  No line
 * has a value in it.
 *
 * Every line ends with "prev" (the hash of the line before), "n" (its number,
 * from 1) and "hash" (SHA-256 of the line up to there), so that a line that
 * was changed, taken away or moved is found.  The chain has no key: who
 * writes the whole file again is not found.
 *
 * Any number of processes may write: the file is locked for each line.  One
 * that has grown to its limit gets the number of its last line behind its
 * name (trail.jsonl.0000000412), and the chain goes on in a new one.
 */

#define TRAIL_SCHEMA "propseal.trail/1"
#define TRAIL_NAME "trail.jsonl"
#define TRAIL_ROTATE_AT ((size_t)8 << 20)	/* bytes, where nothing else is said */
#define TRAIL_HASH 64				/* hexadecimal digits */

/* Where a program keeps its trail, and who it is.  The texts are the caller's. */
struct trail {
	const char *path;	/* of the file that is written to */
	int makes_folders;	/* so many of the folders it is in are made, 0700 */
	bool required;		/* nothing may be changed without it */
	size_t rotate_at;	/* bytes; 0: TRAIL_ROTATE_AT */
	size_t keep_days;	/* what undoes a change is kept so long; 0: it is not */
	const char *command;	/* such as "file encrypt" or "ui" */
};

/* Adds the members of a line that the caller knows about. */
typedef void trail_fill(const void *cookie, struct json_out *o);

/**
 * trail_begin(t, fill, cookie, change, err):
 * Write the intent, with time, user, host, process and command.  Its number is
 * the change's: ${*change}.  -1: no line was written, and the trail is as
 * it was.  ERROR_IO; ERROR_BUSY: another process held it for seconds;
 * ERROR_REFUSED: it is no regular file, or has two names; ERROR_MEMORY.
 */
int trail_begin(const struct trail *t, trail_fill *fill, const void *cookie, uint64_t *change,
    struct error *err);

/* Write the outcome of ${change}, in the same way. */
int trail_end(const struct trail *t, uint64_t change, trail_fill *fill, const void *cookie,
    struct error *err);

/**
 * trail_intend(t, fill, cookie, change, notes, err):
 * As trail_begin, for a change that may go on without its line: of a trail that is not required
 * a failure is a line in ${notes}, and ${*change} 0, as it is without a trail (NULL).  -1: it is
 * required, and nothing is to be changed.
 */
int trail_intend(const struct trail *t, trail_fill *fill, const void *cookie, uint64_t *change,
    struct buf *notes, struct error *err);

/* Its outcome; 0: there was no intent.  A failure is a line in ${notes}. */
void trail_conclude(const struct trail *t, uint64_t change, trail_fill *fill, const void *cookie,
    struct buf *notes);

/* A member with a file as anybody will find it again: whole, without symbolic links. */
void trail_put_path(struct json_out *o, const char *name, const char *path);

/* A file of a change that is no plan of edits (plan/apply.h writes down those that are). */
struct trail_part {
	const char *path;
	const char *role;		/* what of it is changed: "output", "mode" ... */
	bool is_new;
	const char *const *keys;	/* what in it, or NULL */
	size_t key_count;
	bool done;			/* for the outcome */
	const char *why;		/* why it is not done; NULL: not come to */
};

/* The two of such a change. */
int trail_intend_parts(const struct trail *t, const struct trail_part *parts, size_t n,
    uint64_t *change, struct buf *notes, struct error *err);
void trail_conclude_parts(const struct trail *t, uint64_t change, const struct trail_part *parts,
    size_t n, struct buf *notes);

/* --- reading it --- */

enum trail_outcome {
	TRAIL_UNKNOWN,		/* an intent without an outcome */
	TRAIL_DONE,
	TRAIL_PARTLY,		/* of several files some */
	TRAIL_FAILED		/* nothing was changed */
};

const char *trail_outcome_name(enum trail_outcome o);

struct trail_file {
	char *path;		/* absolute, without symbolic links */
	char *role;		/* secrets, configuration, output */
	bool is_new;
	bool done;
	char *error;		/* why not; NULL */
	struct vec keys;	/* of char * */
	uint64_t more;		/* keys that were left out */
};

struct trail_change {
	uint64_t n;		/* its number */
	int64_t ms;		/* when it began, since 1970 */
	int64_t end_ms;		/* 0: no outcome */
	char *user, *sudo, *host, *command, *environment;	/* NULL: not known */
	uint64_t uid, pid;
	bool running;		/* UNKNOWN, and its process is alive on this host */
	enum trail_outcome outcome;
	struct vec files;	/* of struct trail_file */
};

/* What is looked for; all zero is everything. */
struct trail_filter {
	const char *file;	/* a path, or its end from a slash on, or a folder above it */
	const char *key;	/* a key or sealed entry, or the end of its name behind a slash */
	const char *user;
	int64_t since_ms;	/* began then or later */
	int64_t until_ms;	/* 0: no end */
};

/* The changes of the trail, oldest first. */
struct trail_log {
	struct vec changes;	/* of struct trail_change */
	uint64_t lines;		/* that were read, with those of what the filter left out */
	uint64_t unread;	/* that could not be read: trail_verify says why */
};

/**
 * trail_read(path, f, log, err):
 * Read all files of the trail, the oldest first.  A trail that is not there
 * has no changes.  ERROR_IO, ERROR_MEMORY, ERROR_LIMIT.  Release it also after
 * a failure.
 */
int trail_read(const char *path, const struct trail_filter *f, struct trail_log *log,
    struct error *err);
void trail_log_release(struct trail_log *log);

/* What trail_verify found. */
enum trail_fault {
	TRAIL_CHANGED,		/* a line is not what was written */
	TRAIL_CUT,		/* a part of a line, its writer was stopped */
	TRAIL_MISSING,		/* lines that are not there */
	TRAIL_MOVED,		/* a line that is not behind the one it was written behind */
	TRAIL_OPEN		/* an intent without an outcome */
};

/* A word for machines. */
const char *trail_fault_name(enum trail_fault f);

struct trail_finding {
	enum trail_fault fault;
	char *file;		/* of the trail */
	size_t line;		/* in it */
	uint64_t n;		/* of the line, or of the first that is missing; 0: none */
	uint64_t count;		/* MISSING: how many, 0: not known */
	char *text;
};

struct trail_check {
	struct vec findings;	/* of struct trail_finding */
	uint64_t lines;
	uint64_t first, last;	/* the numbers of the first and last line */
	char hash[TRAIL_HASH + 1];	/* of the last, "" for none */
	size_t files;
	size_t running;		/* intents whose process is at work */
};

/* Check the chain, in all files of the trail.  Errors as trail_read. */
int trail_verify(const char *path, struct trail_check *c, struct error *err);
void trail_check_release(struct trail_check *c);

/* --- for both --- */

/* What stands behind the caller's members of a line. */
struct trail_link {
	char prev[TRAIL_HASH + 1];
	uint64_t n;
	char hash[TRAIL_HASH + 1];
	size_t body;		/* bytes of the line up to `,"hash"` */
};

/* A copy of the text that entry ${i} of a document in JSON is, NULL: it is none. */
char *trail_text(const struct document *d, size_t i);

/* Take the end of a line, without its line end; false: it has no such end. */
bool trail_link_parse(const char *line, size_t n, struct trail_link *link);

/* The paths of the files that were rotated away from ${path}, in the order of
 * the chain, into ${files} (of char *).  ERROR_IO, ERROR_MEMORY. */
int trail_rotated(const char *path, struct vec *files, struct error *err);

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

#endif /* !TRAIL_TRAIL_H */
