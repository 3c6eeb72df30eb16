#ifndef UI_ROTATING_H
#define UI_ROTATING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "ui/job.h"
#include "ui/outline.h"

struct app;
struct environment;
struct key;
struct key_ring;
struct rotation;

/*
 * The state of the view of rotations: what is to be rotated, and the session of it
 * (rotation/rotation.h), once there is one.  The session's folder holds all that counts: this
 * is what was read of it, and the new keys while they are at hand.
 */

enum rotating_step {
	ROTATING_PLAN,		/* which environments, which keys */
	ROTATING_KEYS,		/* all opens with the present keys; the new ones are asked for */
	ROTATING_APPLY,
	ROTATING_VERIFY,
	ROTATING_HOSTS,
	ROTATING_FINISH,
	ROTATING_STEPS
};

/* A secrets file that may be rotated. */
struct rotating_environment {
	char *path, *name;
	char *real;		/* the path without links, once it was wanted; NULL: not yet */
	bool on;
	bool looked;		/* the pre-flight has been there; then: */
	size_t entries, references;
	size_t problems;	/* entries that do not open, or what else stops it */
	struct error *why;	/* the first of them; NULL: none */
};

enum rotating_kind {
	ROTATING_ROW_MASTER, ROTATING_ROW_COMMON, ROTATING_ROW_DATA,	/* what is to be new */
	ROTATING_ROW_ENVIRONMENT,	/* ->index in environments */
	ROTATING_ROW_FOUND,		/* by the pre-flight: in texts */
	ROTATING_ROW_FILE,		/* of the session */
	ROTATING_ROW_KEY,		/* a new master key: of file ->index */
	ROTATING_ROW_HOST,		/* a step on the hosts of file ->index */
	ROTATING_ROW_END,		/* what finishing wants */
	ROTATING_ROW_OTHER		/* another session that is not done: in others */
};

/* A session besides the one that is shown. */
struct rotating_other {
	char *dir, *root;
	const char *state;
	size_t done, all;		/* of its files */
	char *why;			/* why it cannot be opened; NULL: it can */
};

struct rotating_row {
	enum rotating_kind kind;
	size_t index;
	size_t step;		/* ROTATING_ROW_HOST: which; _END: which */
};

struct rotating_group {
	const char *name;	/* NULL: the environment of file ->file of the session */
	size_t file;
	size_t first, count;	/* of its rows */
};

struct rotating {
	struct panes panes;		/* right: no rows */
	enum rotating_step step;
	bool master, data, common;	/* what is to be new */
	struct vec environments;	/* of struct rotating_environment */
	struct vec texts;		/* of char *: "W ...", "X ...", "ok ..." */
	struct vec groups, rows;
	struct rotation *session;	/* for reading; NULL: none is under way */
	struct vec others;		/* of struct rotating_other, the newest first */
	char *chosen;			/* the folder of the one to show; NULL: the newest */
	struct buf diff;		/* of the plan, masked */
	struct buf passphrase;		/* the new one, secret; empty: not at hand */
	struct key_ring *fresh;		/* new keys that were found; NULL: none */
	struct buf services;		/* what is said of those that read ->services_of */
	const struct environment *services_of;	/* NULL: nothing is known yet */
	struct job first;		/* looks for a session at the start */
	char *told;			/* what it found */
};

void rotating_open(struct rotating *t);

/* What is to be known of a row (NULL: of a heading) that has no words of its own. */
void rotating_say_row(const struct rotating *t, const struct rotating_row *r, struct buf *out);
void rotating_close(struct rotating *t);

/* Wipe what is held of new keys. */
void rotating_lock(struct rotating *t);

/* See whether a session is unfinished, and say so when that is known. */
void rotating_begin(struct app *a);

/* Read which environments there are; those that were ticked stay ticked. */
void rotating_list(struct app *a);

/* Read again the session that was chosen, else the newest that is not done, if there is one; and
 * which others are not done. */
void rotating_read(struct app *a);

/* Go over to another session. */
void rotating_choose(struct app *a, size_t other);

/* Where its state stands among the steps. */
enum rotating_step rotating_stands(const struct rotating *t);

/* How many of its files are done, and are to be. */
void rotating_count(const struct rotating *t, size_t *done, size_t *all);

/* --- what takes long: each waits for its end, with a gauge; false: it is told why not --- */

/* Open all of what is ticked with the present keys. */
bool rotating_check(struct app *a);

/* Make the session, with the passphrase that is held. */
bool rotating_make(struct app *a);

enum rotating_work { ROTATING_DO_APPLY, ROTATING_DO_VERIFY, ROTATING_DO_ACCEPT, ROTATING_DO_BACK,
	ROTATING_DO_FINISH };

/* Work on the session, or (ACCEPT) on its file ${file}; what is missing of new keys is asked
 * for. */
bool rotating_run(struct app *a, enum rotating_work what, size_t file);

/* Read the files again, and open them with the new keys. */
void rotating_read_files(struct app *a);

/* Tick a step of the session off, or on again; NULL: what was verified is in doubt. */
bool rotating_note(struct app *a, const char *name);

/* The new master key of a file of the session; asked for where it is not at hand.  The caller
 * frees.  NULL: given up, or told why not. */
struct key *rotating_key(struct app *a, size_t file);

/* --- view_rotation.c: its lists --- */

extern const char *const rotating_step_names[ROTATING_STEPS];

/* Make the rows of the step anew. */
void rotating_build(struct app *a);

/* Another step, the cursor on the first row of its group ${group}. */
void rotating_go(struct app *a, enum rotating_step step, size_t group);

/* The row that the cursor is on; NULL: it is on a heading. */
const struct rotating_row *rotating_here(const struct app *a);

size_t rotating_count_on(const struct rotating *t);	/* environments that are ticked */
size_t rotating_keys_open(const struct rotating *t);	/* keys not known to be saved */

/* Under which names the session keeps that the key of a file was saved, and that a step on
 * its hosts was done. */
#define ROTATING_TICK (PATH_MAX + 64)
void rotating_key_tick(const struct rotating *t, size_t file, char out[ROTATING_TICK]);
void rotating_host_tick(const struct rotating *t, size_t file, size_t step,
    char out[ROTATING_TICK]);

/* The state with them. */
void view_rotation_open(struct rotating *t);
void view_rotation_close(struct rotating *t);

#endif /* !UI_ROTATING_H */
