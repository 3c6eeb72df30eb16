#ifndef ROTATION_ROTATION_H
#define ROTATION_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "file/lock.h"

struct buf;
struct environment;
struct error;
struct estate;
struct estate_entry;
struct estate_file;
struct key;
struct plan;
struct rotation;
struct secrets_file;
struct trail;

/*
 * A rotation session: new master keys, new data keys, or both, for any number
 * of secrets files, in one piece of work that can be stopped, gone on with,
 * proved and taken back.
 *
 * It is a folder (0700) with, all 0600, `plan` (what is done to which file, in
 * checksummed lines, written once), `journal` (what was done, a line each,
 * synced), and three files of parts that the plan points into: `originals` (the
 * secrets files as they were, sealed), `values` (keyed hashes of their values) and
 * `keys`.  In `keys` is, for each file, the old master key and the key of those
 * hashes, wrapped under the *new* master key (AES-256-GCM under a key that HKDF
 * makes of it; bound to session and file), so that who knows the old key only,
 * for which one rotates, can do nothing with the folder.  The new key is in none of
 * them: a passphrase gives it with the salt that the plan holds.
 *
 * Before a file is replaced the journal has a line with its new digest, so that what a kill
 * left can be told by looking at the file; and every change is one of core/plan.
 * Paths are kept relative to a root.  One thread; nothing is printed.
 */

enum rotation_kind { ROTATION_MASTER_KEY = 1, ROTATION_DATA_KEY = 2, ROTATION_BOTH = 3 };

enum rotation_state {
	ROTATION_PLANNED,
	ROTATION_APPLYING,	/* begun; also while some files are rolled back */
	ROTATION_APPLIED,
	ROTATION_VERIFIED,
	ROTATION_FINISHED,
	ROTATION_ROLLED_BACK
};

enum rotation_file_state {
	ROTATION_FILE_PENDING,
	ROTATION_FILE_APPLIED,
	ROTATION_FILE_VERIFIED,
	ROTATION_FILE_ROLLED_BACK,
	ROTATION_FILE_SKIPPED,
	ROTATION_FILE_FAILED	/* ->error says why; apply tries again */
};

/* The words for machines. */
const char *rotation_kind_name(enum rotation_kind k);
const char *rotation_state_name(enum rotation_state s);
const char *rotation_file_state_name(enum rotation_file_state s);

/* A secrets file of a session.  All belongs to the session. */
struct rotation_file {
	const char *file;		/* below the root */
	const char *environment;
	enum rotation_file_state state;
	size_t entries;			/* sealed ones, when it was planned */
	size_t references;		/* of configuration files to them, then */
	struct error *error;		/* NULL: none */
};

/* A key that is needed: rotation_key_fits tells whether one is it. */
struct rotation_want {
	const char *path;		/* of the secrets file, to be opened or shown */
	const char *file;		/* below the root */
	bool is_new;			/* the key after the rotation */
	bool common;			/* and it is one for all files */
	const char *salt;		/* with which a passphrase gives it; NULL: none does */
	uint32_t iterations;
	size_t length;
	const struct secrets_file *secrets;	/* the present one's file, loaded */
	struct rotation *session;	/* the new one's; for rotation_key_fits */
	const void *item;
};

bool rotation_key_fits(const struct rotation_want *w, const struct key *k);

/* Each but ->key may be NULL. */
struct rotation_callbacks {
	/* Find the key (to be freed by the session); may ask a person.  NULL: ${err}. */
	struct key *(*key)(void *cookie, const struct rotation_want *w, struct error *err);

	/* Before each file, and at the end with NULL; false: stop here. */
	bool (*progress)(void *cookie, const char *file, size_t done, size_t all);

	/* Another process holds ${path}. */
	wait_told *waiting;

	/* rotation_verify opened the whole file with this key (rotation_unlock). */
	int (*opened)(void *cookie, const char *path, const struct key *k, struct error *err);

	/* What is wrong, besides the error that is returned; and what is to be told. */
	void (*problem)(void *cookie, const struct error *what);
	void (*note)(void *cookie, const char *text);

	/* A plan of rotation_plan, for showing (plan/plan.h): with keys that are made
	 * again when it is applied. */
	void (*diff)(void *cookie, const struct plan *p);
};

struct rotation_request {
	enum rotation_kind kind;
	const char *home;		/* folder of sessions (rotation_home) */
	const char *dir;		/* of this one, must not exist; NULL: a new one in
	    ${home} */
	const char *const *paths;	/* that were scanned */
	size_t path_count;
	const char *const *skip;	/* secrets files that are to stay as they are */
	size_t skip_count;
	const void *passphrase;		/* the new one, normalised; for a new master key */
	size_t passphrase_len;
	bool common;			/* one salt and key for all files */
	int lock_timeout_ms;
};

/**
 * rotation_plan(q, e, callbacks, cookie, err):
 * Look at every secrets file of the scanned estate, open every entry with its present key,
 * and write a session.  The session is open and locked.  NULL: nothing is planned, and
 * nothing is left.  ERROR_DAMAGED, ERROR_KEY: entries or keys do not open, each of which
 * was told (->problem); ERROR_REFUSED: another session has a file, hard links;
 * ERROR_BUSY, ERROR_IO, ERROR_MISSING (no secrets file).
 */
struct rotation *rotation_plan(const struct rotation_request *q, struct estate *e,
    const struct rotation_callbacks *callbacks, void *cookie, struct error *err);

/**
 * rotation_preflight(q, e, callbacks, cookie, err):
 * What rotation_plan would find, without a new key and without a session: the files,
 * each with its counts, or (ROTATION_FILE_FAILED) with what stops it, and the warnings.
 * It has no folder, and is for reading.  NULL: ERROR_MISSING (no secrets file), ERROR_REFUSED
 * (stopped), ERROR_MEMORY.
 */
struct rotation *rotation_preflight(const struct rotation_request *q, struct estate *e,
    const struct rotation_callbacks *callbacks, void *cookie, struct error *err);

/**
 * rotation_open(dir, root, err):
 * Read a session, and look at its files; nothing is written.  ${root} (may be NULL):
 * where the files are now.  ERROR_MISSING (no session, or the root is gone),
 * ERROR_DAMAGED (with the line), ERROR_REFUSED (it is not the user's own), ERROR_IO.
 */
struct rotation *rotation_open(const char *dir, const char *root, struct error *err);

/* The same for changing it.  ERROR_BUSY: another process has it. */
struct rotation *rotation_open_locked(const char *dir, const char *root, int timeout_ms,
    struct error *err);

/* Where what is applied is written down (not owned); NULL, as it is at first: nowhere. */
void rotation_set_trail(struct rotation *r, const struct trail *trail);

/* Close it; NULL is fine. */
void rotation_close(struct rotation *r);

/* $XDG_STATE_HOME/propseal/rotations, to be freed.  ERROR_MISSING: there is no home. */
char *rotation_home(struct error *err);

/* The folders (of char *) of the sessions that are not finished or rolled back, the newest first.
 * ERROR_MISSING: there are none. */
int rotation_unfinished(const char *home, struct vec *out, struct error *err);

const char *rotation_id(const struct rotation *r);
const char *rotation_dir(const struct rotation *r);
const char *rotation_root(const struct rotation *r);
enum rotation_kind rotation_kind(const struct rotation *r);
enum rotation_state rotation_state(const struct rotation *r);
bool rotation_is_common(const struct rotation *r);

/* A rollback, or the end, was begun and has to be gone on with. */
bool rotation_is_rolling_back(const struct rotation *r);
bool rotation_is_finishing(const struct rotation *r);

size_t rotation_count(const struct rotation *r);
const struct rotation_file *rotation_file(const struct rotation *r, size_t i);

/* The paths that were planned, below the root. */
const struct vec *rotation_paths(const struct rotation *r);

/* What plan had to say, one after the other; it is read for that.  ERROR_IO, ERROR_DAMAGED, and
 * what ${each} fails with, which ends it. */
int rotation_each_warning(const struct rotation *r,
    int (*each)(void *cookie, const char *text, struct error *err), void *cookie,
    struct error *err);

/* The path of a file of it, to be freed.  NULL: no memory. */
char *rotation_path(const struct rotation *r, const char *file);

/* Has this step of the person's own (any name) been ticked off?  It is kept in the journal. */
bool rotation_ticked(const struct rotation *r, const char *name);

/* How many entries there are, were opened by the last run, and are as before. */
struct rotation_counts {
	size_t total;
	size_t opened;
	size_t same;
};
const struct rotation_counts *rotation_counts(const struct rotation *r);

/* The rest is for a session of rotation_open_locked or rotation_plan. */

/* Tick a step off, or on again. */
int rotation_tick(struct rotation *r, const char *name, struct error *err);

/**
 * rotation_each_key(r, callbacks, each, cookie, err):
 * Find the new key of every file that is to be changed, and hand it to ${each}; of a session
 * with one key for all the first time only.  For keeping keys before they are in force.
 */
int rotation_each_key(struct rotation *r, const struct rotation_callbacks *callbacks,
    int (*each)(void *cookie, const struct rotation_want *w, const struct key *k,
    struct error *err), void *cookie, struct error *err);

/* The new master key of file ${i}, found by ->key, whether it is in force already or not.  The
 * caller frees.  NULL: ERROR_KEY, and what ->key says; ERROR_REFUSED, it is left out. */
struct key *rotation_new_key(struct rotation *r, size_t i,
    const struct rotation_callbacks *callbacks, void *cookie, struct error *err);

/**
 * rotation_apply(r, callbacks, cookie, err):
 * Change every file that is not changed yet; also after an interruption.  One
 * that cannot be is told and left out (ROTATION_FILE_FAILED), the rest goes on.
 * -1: ERROR_REFUSED it was stopped; ERROR_IO some failed, or the journal cannot be
 * written, which ends it; ERROR_KEY the key that was given for the first file is not the new
 * one, which ends it, too.
 */
int rotation_apply(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    struct error *err);

/**
 * rotation_verify(r, callbacks, cookie, differences, err):
 * Open every entry with the new key and compare its value with the one before.
 * ${*differences}: entries that are missing, new, or have another value, each told.
 * Where there are any, or a file does not open, what was verified before is not any more.
 * ERROR_DAMAGED: an entry does not open; ERROR_REFUSED: a file is not changed yet.
 */
int rotation_verify(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    size_t *differences, struct error *err);

/* Something else speaks against what was verified: all files have to be verified again. */
int rotation_doubt(struct rotation *r, struct error *err);

/**
 * rotation_accept(r, i, callbacks, cookie, differences, err):
 * The values of file ${i}, which is applied, were changed since on purpose: from now on they
 * are what rotation_verify compares with.  ${*differences} entries are, each told (->problem).
 * The file has to be verified again.  Nothing is accepted with ERROR_DAMAGED, ERROR_KEY: an
 * entry does not open with the new key; ERROR_REFUSED: the file is not applied, or a value that
 * is another has no tag that fits, so that nothing proves that it was sealed for its entry, and
 * by who has the key.
 */
int rotation_accept(struct rotation *r, size_t i, const struct rotation_callbacks *callbacks,
    void *cookie, size_t *differences, struct error *err);

/**
 * rotation_rollback(r, callbacks, cookie, err):
 * Put the originals back.  In a file that somebody changed since, what changed is
 * carried over under the old key, which needs the new one, and told.
 */
int rotation_rollback(struct rotation *r, const struct rotation_callbacks *callbacks,
    void *cookie, struct error *err);

/**
 * rotation_finish(r, note, err):
 * Overwrite and remove originals, wrapped keys and hashes, and what the history keeps of
 * the files (trail/trail.h); from then on nothing leads back.  What was removed is told
 * (->note).  ERROR_REFUSED: it is not verified.
 */
int rotation_finish(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    struct error *err);

/* --- references, to secrets files with and without a session --- */

/* Those of configurations to entries of secrets files whose key is known. */
struct rotation_references {
	size_t total;
	size_t opened;
	size_t dangling;	/* of the rest: no key opens them, as there is no such entry */
};

/* The environment of secrets file ${path} in ${e} gets the key, if there is one. */
int rotation_unlock(struct estate *e, const char *path, const struct key *k, struct error *err);

/**
 * rotation_references(e, r, broken, cookie, out, err):
 * Count the references of the scanned estate: those to files of the session ${r}, or (NULL) to
 * any.  Each that neither opens nor dangles is handed to ${broken}.
 */
int rotation_references(const struct estate *e, const struct rotation *r,
    int (*broken)(void *cookie, const struct estate_file *f, const struct estate_entry *x,
    struct error *err), void *cookie, struct rotation_references *out, struct error *err);

/* --- one file, without a session --- */

/**
 * rotation_one(p, kind, master, passphrase, n, new_master, err):
 * Plan what a session does to a file, for the plan's secrets file: a new data key, which
 * comes first, or a new master key from the (normalised) passphrase, or both in one change.
 * The new master key goes to ${*new_master} (caller frees; NULL where the old one stays).
 * Errors: those of rotate_data_key, rotate_derive_master and
 * rotate_master_key_to (seal/keying.h).
 */
int rotation_one(struct plan *p, enum rotation_kind kind, const struct key *master,
    const void *passphrase, size_t n, struct key **new_master, struct error *err);

/* Services that read configurations, in the order in which they are restarted. */
enum rotation_service {
	SERVICE_CONTROLLER, SERVICE_BROKER, SERVICE_REGISTRY, SERVICE_CONNECT, SERVICE_KSQL,
	SERVICE_REST, SERVICE_CENTER, SERVICE_OTHER, SERVICES
};

/* For people: "brokers". */
const char *rotation_service_name(enum rotation_service s);

/* Whose configuration is the file at ${path}?  A word of the path says so; of a controller it is
 * read. */
enum rotation_service rotation_service_of(const char *path);

/* Is ${f} a configuration that refers to ${x}, alone or beside others?  NULL: to any. */
bool rotation_service_reads(const struct estate_file *f, const struct environment *x);

#endif /* !ROTATION_ROTATION_H */
