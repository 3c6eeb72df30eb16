#ifndef UI_MODEL_H
#define UI_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"

struct buf;
struct estate;
struct estate_entry;
struct key;
struct marks;
struct secrets_file;
struct ui_options;

/* How many there are of what. */
struct model_counts {
	size_t files;
	size_t clear;
	size_t sealed;
	size_t dangling;
	size_t damaged;
	size_t unreadable;	/* files */
	size_t orphans;		/* sealed entries; only once the scan is done */
};

/*
 * What the interface is about, without a screen: the estate, the secrets
 * file with its key, and the marks.  Fields are for reading; the functions
 * below change them.
 */
struct model {
	const struct ui_options *options;
	struct estate *estate;
	bool scanning;
	bool looked;			/* the first scan is done */
	struct marks *marks;		/* of entries by path and key: the pending set */
	size_t marks_lost;		/* dropped by a scan, and not told yet */
	struct model_counts counts;

	char *secrets_path;		/* NULL: none given and none found */
	struct secrets_file *secrets;	/* NULL: not there, or not readable */
	struct error secrets_problem;	/* why not; ERROR_NONE: it is not there */
	struct vec sealed;		/* of size_t: its sealed entries */

	struct key *master;		/* NULL: locked */
	char fingerprint[9];		/* of the master key, "" while locked */
	char *remote;			/* chosen path for references; NULL: none */
};

struct model *model_new(const struct ui_options *o, struct error *err);
void model_free(struct model *m);

/**
 * model_step(m, budget_ms, err):
 * Go on with the scan for about ${budget_ms}.  At its end the
 * first secrets file that was found becomes the model's, unless one is
 * chosen; when there is none, the one that the references name, if it is here.
 */
int model_step(struct model *m, int budget_ms, struct error *err);

/* Make the counts anew, after any change. */
void model_count(struct model *m);

/* Is it a secret in clear text? */
bool model_is_clear(const struct estate_entry *e);

/* May it be sealed?  The providers themselves must stay readable. */
bool model_can_seal(const struct estate_entry *e);

/* Scan everything anew.  Marks stay. */
int model_rescan(struct model *m, struct error *err);

/* Read files again after they were changed: those of ${paths} and the secrets file. */
int model_refresh(struct model *m, char *const paths[], size_t n, struct error *err);

/* Take ${path} as the secrets file; forgets the key of another one. */
int model_open_secrets(struct model *m, const char *path, struct error *err);

/* Read the secrets file again if it changed on disk, and unlock it again. */
int model_reload_secrets(struct model *m, struct error *err);

/**
 * model_unlock(m, master, err):
 * Take ${master} (owned from now on, freed on failure) as the key: the
 * secrets file must open under it, unless it has no data key yet.
 */
int model_unlock(struct model *m, struct key *master, struct error *err);

/* Forget the master key and the data key. */
void model_lock(struct model *m);

/* The path for new references: chosen, or as in the references that are
 * there, or the secrets file's own absolute path. */
int model_remote(const struct model *m, struct buf *out, struct error *err);
int model_set_remote(struct model *m, const char *path);

/* The path in the first reference that is there.  False: there is none. */
bool model_referred_path(const struct model *m, struct buf *out);

/* A path as it is shown: without the one folder that was asked for. */
const char *model_show_path(const struct model *m, const char *path);

#endif /* !UI_MODEL_H */
