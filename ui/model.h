#ifndef UI_MODEL_H
#define UI_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"
#include "ui/tree.h"

struct buf;
struct environment;
struct environments;
struct estate;
struct estate_entry;
struct estate_file;
struct key;
struct key_ring;
struct marks;
struct ui_options;

/* A sealed entry of the secrets file that is shown. */
struct model_sealed {
	size_t entry;		/* in its document */
	enum model_soundness {
		SEALED_NOT_LOOKED_AT,
		SEALED_NOT_CHECKED,	/* locked, or not opened by policy */
		SEALED_SOUND,
		SEALED_DAMAGED
	} soundness;		/* by model_soundness */
};

/*
 * What the interface is about, without a screen: the estate with its
 * environments and their keys, and the marks.  Fields are for reading; the
 * functions below change them.
 */
struct model {
	const struct ui_options *options;
	struct estate *estate;
	struct estate *former;		/* while scanning anew: has the keys; else NULL */
	struct estate *next;		/* looked for beside what is shown; NULL: none is */
	bool keeps_all;			/* also entries without secrets and references */
	bool next_has_keys;		/* it is whole, and is told with the keys that are held */
	struct vec added;		/* char *: secrets files that the user has named */
	bool scanning;
	bool looked;			/* the first scan is done */
	bool locked;			/* once: no key at hand is used unasked any more */
	struct marks *marks;		/* of entries by path and key: the pending set */
	unsigned long changes;		/* how often files were read again */
	struct marks *off;		/* those of them that are not to be applied now */
	struct marks *collide;		/* those that cannot be, as the pending view saw last */
	size_t marks_lost;		/* dropped by a scan, and not told yet */
	struct tree tree;		/* by model_arrange */
	struct key_ring *ring;		/* keys that were at hand; NULL: not read yet, or wiped */

	struct environment *shown;	/* in the right pane; NULL: none */
	struct vec sealed;		/* of struct model_sealed */
};

struct model *model_new(const struct ui_options *o, struct error *err);
void model_free(struct model *m);

/**
 * model_step(m, budget_ms, err):
 * Go on with the scan for about ${budget_ms}.  At the end of the first one the
 * keys that are at hand are tried on all environments.
 */
int model_step(struct model *m, int budget_ms, struct error *err);

/* Go on with no scan any more. */
void model_stop(struct model *m);

/* Go on to the end of the scan at once.  0: it is done. */
int model_finish(struct model *m);

/* Make rows and counts anew, after any change.  ERROR_MEMORY. */
int model_arrange(struct model *m, struct error *err);

/* Mark an entry or not; one that is marked anew is on.  -1: no memory. */
int model_mark(struct model *m, const struct estate_file *f, const struct estate_entry *e,
    bool mark);

/* Is it marked, on, and nothing known that it collides with? */
bool model_is_pending(const struct model *m, const struct estate_file *f,
    const struct estate_entry *e);

/* May it be sealed?  The providers themselves must stay readable. */
bool model_can_seal(const struct estate_entry *e);

/* Scan everything anew.  Marks and keys stay. */
int model_rescan(struct model *m, struct error *err);

/**
 * model_look_again(m, err):
 * Scan everything anew, as files have come or gone, while what is there stays: model_step
 * goes on with it, and puts it in the place of the former when it is done.
 */
int model_look_again(struct model *m, struct error *err);

/* Have all entries from now on, also those that are of no interest: they are not kept until
 * somebody asks for them.  They are there when model_step has come to its end. */
int model_keep_all(struct model *m, struct error *err);

/* Read files again after they were changed: those of ${paths} and the secrets files.  Rows are
 * about entries that are gone then, until files_restore. */
int model_refresh(struct model *m, char *const paths[], size_t n, struct error *err);

/* Show the secrets file of ${x} (NULL: none), if it is not shown already. */
int model_show(struct model *m, struct environment *x, struct error *err);

/* Is sealed entry ${i} of the one that is shown sound? */
enum model_soundness model_soundness(struct model *m, size_t i);

struct environments *model_environments(const struct model *m);

/* The environment of this secrets file, however its path is written; one is
 * made of another.  NULL: ERROR_MEMORY. */
struct environment *model_environment(struct model *m, const char *path, struct error *err);

/* Read the secrets file again if it changed on disk, and unlock it again. */
int model_reload(struct model *m, struct environment *x, struct error *err);

/* --- keys --- */

/* How many secrets files there are, and of how many a key is held. */
size_t model_secrets_files(const struct model *m);
size_t model_keys(const struct model *m);

/* Try the keys at hand (file, environment, credential) on all environments. */
int model_use_ring(struct model *m, struct error *err);

/* The same with the keys of ${ring}. */
int model_use_keys(struct model *m, const struct key_ring *ring, struct error *err);

/**
 * model_unlock(m, x, master, opened, err):
 * Take ${master} (copied) as the key of ${x}, and try it on all others;
 * ${*opened}: how many it opens.  ERROR_KEY: it opens none.
 */
int model_unlock(struct model *m, struct environment *x, const struct key *master, size_t *opened,
    struct error *err);

/* Forget all keys. */
void model_lock(struct model *m);

/* A path as it is shown: without the one folder that was asked for. */
const char *model_show_path(const struct model *m, const char *path);

/* The absolute path of a file that need not exist, in a folder that does. */
int model_absolute_path(const char *path, struct buf *out, struct error *err);

#endif /* !UI_MODEL_H */
