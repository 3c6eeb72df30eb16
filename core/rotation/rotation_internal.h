#ifndef ROTATION_ROTATION_INTERNAL_H
#define ROTATION_ROTATION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "crypto/mac.h"
#include "rotation/lines.h"
#include "rotation/rotation.h"
#include "seal/keying.h"

struct aead;
struct buf;
struct change;
struct document;
struct hkdf;
struct key;
struct lock;
struct plan;
struct rotate_master;

/* What session.c (the folder), rotation_plan.c, rotation_apply.c and rotation_back.c share. */

/* The files of parts. */
enum store { STORE_ORIGINALS, STORE_VALUES, STORE_KEYS, STORES };

struct part {
	uint64_t at;
	uint64_t len;
};

/* What is held of an item.  The rest is in plan and journal, and read again when it is its turn
 * (session_load): sessions may have any number of files. */
struct held {
	struct rotation_file face;	/* its names are in one block, ->file's */
	struct lines_spot plan;		/* its line there */
	struct lines_spot after;	/* that of the journal with its digests */
	struct changed *changed;	/* NULL: what the plan says holds */
	bool intended;			/* ->after is there */
	bool proved;			/* the journal says that the file is applied */
};

/* What the journal says otherwise than the plan, of a file that had changed or was accepted. */
struct changed {
	bool replanned;			/* ->before is there, too */
	unsigned char before[DIGEST_SHA256];
	struct part parts[STORES];
};

struct item {
	struct held *held;
	size_t number;
	const char *file;		/* the held ones */
	const char *environment;
	size_t entries;			/* to be logged, as the rest */
	unsigned char before[DIGEST_SHA256];		/* of the file */
	unsigned char wrap_before[DIGEST_SHA256];	/* of its wrapped data key */
	char salt[ROTATE_SALT];		/* the new one; "": the master key stays */
	uint32_t iterations;
	size_t length;
	struct part parts[STORES];
	bool intended;			/* after and wrap_after are there */
	unsigned char after[DIGEST_SHA256];
	unsigned char wrap_after[DIGEST_SHA256];
};

struct rotation {
	char *dir, *id, *root;
	enum rotation_kind kind;
	enum rotation_state state;
	bool common, rolling_back, finishing;
	struct vec items;		/* of struct held */
	struct vec paths;		/* of char * */
	struct vec warnings;		/* of char *: of rotation_preflight, without a folder */
	struct vec ticks;		/* of char * */
	struct rotation_counts counts;
	struct digest *digest;
	struct aead *aead;
	struct hkdf *hkdf;
	int stores[STORES];		/* -1: not open */
	uint64_t ends[STORES];
	int plan;			/* -1: not there yet */
	int spool;			/* -1: no plan is being made */
	struct lines spooled;		/* behind the spool's last line */
	uint64_t spool_end;
	int journal;			/* -1: not open; else for reading, or writing */
	uint64_t journal_end;
	struct lines lines;		/* behind the journal's last line */
	struct lock *lock;
	int lock_timeout_ms;		/* of the files' locks */
	const struct trail *trail;	/* rotation_set_trail's */
};

struct held *session_held(const struct rotation *r, size_t i);

/* Add an item with its names (copied).  NULL: no memory. */
struct held *session_add(struct rotation *r, const char *file, const char *environment);

/* What plan and journal say of item ${i}.  ERROR_DAMAGED (a line is not the one any more that was
 * read before), ERROR_IO, ERROR_MEMORY. */
int session_load(const struct rotation *r, size_t i, struct item *out, struct error *err);

/* An empty one; rotation_close frees.  NULL: ERROR_MEMORY, ERROR_CRYPTO. */
struct rotation *session_new(struct error *err);

/* Make its folder, with empty files of parts.  ERROR_EXISTS, ERROR_IO. */
int session_create(struct rotation *r, const char *home, const char *dir, struct error *err);

/* Take the folder away that could not become a session. */
void session_discard(struct rotation *r, const char *home);

/* What keeps others out of a session.  NULL: ERROR_BUSY, ERROR_IO, ERROR_MEMORY. */
struct lock *session_lock(const char *dir, int timeout_ms, struct error *err);

/* Finished, or rolled back. */
bool session_is_done(const struct rotation *r);

/* Write all of it there.  False: errno. */
bool session_write(int fd, const void *bytes, size_t n, uint64_t at);

/* Append to a file of parts / put it on disk / read a part. */
int session_put(struct rotation *r, enum store s, const void *bytes, size_t n, struct part *out,
    struct error *err);
int session_sync(struct rotation *r, enum store s, struct error *err);
int session_get(struct rotation *r, enum store s, const struct part *p, struct buf *out,
    struct error *err);

/* The item's file as it was.  ERROR_DAMAGED: not byte for byte. */
int session_original(struct rotation *r, const struct item *x, struct buf *out,
    struct error *err);

/* Overwrite and remove them. */
int session_wipe(struct rotation *r, enum store s, struct error *err);

/* ERROR_REFUSED: another session in ${home} that is not done has a file of ${r}. */
int session_check_others(const struct rotation *r, const char *home, struct error *err);

/* --- the plan (records.c) --- */

/* Keep for the plan what it is to say of an item, one after the other; and a warning. */
int session_put_item(struct rotation *r, const struct item *x, struct error *err);
int session_put_warning(struct rotation *r, const char *text, struct error *err);

/* Write what was kept of ${r} as the plan, then begin the journal.  All is on disk then. */
int session_write_plan(struct rotation *r, struct error *err);

/* Read the plan.  ERROR_DAMAGED (with the line), ERROR_MISSING, ERROR_IO. */
int session_read_plan(struct rotation *r, struct error *err);

/* The salt of its new master key; NULL: the master key stays. */
const char *item_salt(const struct item *x);

/* Where the parts are, in both files. */
void parts_put(struct buf *words, const struct part parts[STORES]);
bool parts_get(struct words *w, struct part parts[STORES]);

/* Say that a file of lines is not as it was written. */
int session_fail_at(const char *path, size_t line, const char *text, const char *hint,
    struct error *err);

/* --- the journal, and what the files of the session are (journal.c) --- */

/* Read plan and journal.  NULL: ERROR_DAMAGED (with the line), ERROR_MISSING, ERROR_IO. */
struct rotation *session_read(const char *dir, struct error *err);

/* Have the journal for writing; a last line that was cut is taken away. */
int session_open_journal(struct rotation *r, struct error *err);

/* What a line of the journal says. */
enum event {
	EVENT_PLANNED,
	EVENT_INTEND,		/* the file is about to become ->after */
	EVENT_APPLIED,		/* it was read back and opened */
	EVENT_REPLANNED,	/* it had changed: ->before, ->parts, ->entries */
	EVENT_FAILED,		/* ->held->face.error */
	EVENT_VERIFIED,		/* all files */
	EVENT_ROLLBACK,		/* begun */
	EVENT_RESTORE,		/* the file is about to become the original */
	EVENT_RESTORED,
	EVENT_ROLLED_BACK,	/* all files */
	EVENT_FINISHING,
	EVENT_FINISHED,
	EVENT_TICKED,		/* rotation_tick */
	EVENT_ACCEPTED,		/* its values are meant: ->parts, ->entries */
	EVENT_DOUBTED,		/* what was verified is not any more: all files */
	EVENTS
};

/* Add a line, of ${x} (NULL: of no file), put it on disk, and then let it be so. */
int session_log(struct rotation *r, enum event e, const struct item *x, struct error *err);

/* Digests of a file, and of the wrapped data key in it (zeroes: there is none). */
int session_digests(const struct rotation *r, const struct secrets_file *s,
    unsigned char file[DIGEST_SHA256], unsigned char wrap[DIGEST_SHA256], struct error *err);

/* What an item's file is now. */
enum look {
	LOOK_BEFORE,		/* as it was planned */
	LOOK_BEFORE_CHANGED,	/* other bytes, but under the same keys */
	LOOK_AFTER,		/* as it was applied */
	LOOK_AFTER_CHANGED,
	LOOK_OTHER		/* under keys that are neither */
};
int session_look(const struct rotation *r, const struct item *x, const struct secrets_file *s,
    enum look *out, struct error *err);

/* Say that it is LOOK_OTHER.  Returns -1. */
int session_refuse_other(const char *path, struct error *err);

/* Look at the files of all items, unless the session is done. */
int session_look_all(struct rotation *r, struct error *err);

/* Keep an error with its item.  Returns -1. */
int session_fail(struct held *h, const struct error *why);
void session_clear(struct held *h);

/* --- one run over the files, forwards or back (rotation_apply.c) --- */

struct run {
	struct rotation *r;
	const struct rotation_callbacks *cb;
	void *cookie;
	bool keyed;		/* a new key was found */
	bool fatal;		/* no key, or the session itself cannot be written: stop */
	struct error first;	/* of the files that failed */
	size_t failed;
};

/* Begin the change of an item's file. */
void run_change(struct run *run, const struct item *x, struct change *c);

/* Take away what a run that was killed left beside an item's file, which is done already. */
void run_sweep(const struct run *run, const struct held *h);

/* A line for the caller about a file. */
void run_note(const struct run *run, const char *path, const char *text);

/* Lines that a plan, its application or the trail have to say. */
void run_notes(const struct run *run, const char *lines);

/* A line of the journal; where that fails nothing more is done. */
int run_log(struct run *run, enum event e, const struct item *x, struct error *err);

/* Nothing was done to the item's file: it is told, and the rest goes on.  -1: it does not. */
int run_fail(struct run *run, struct held *h, const struct error *why, struct error *err);

/* False: stop. */
bool run_progress(const struct run *run, const char *file, size_t done);

/* -1 where files failed: they could not be ${done}, and what ${command} goes on with. */
int run_sum_up(const struct run *run, const char *done, const char *command, struct error *err);

/* --- keys (keys.c) --- */

/* What is wrapped under an item's new master key. */
struct wrapped {
	struct key *old;	/* the old master key; the same where it stays */
	struct key *hash;	/* of the values' hashes */
};
void wrapped_release(struct wrapped *w);

int keys_wrap(struct rotation *r, struct item *x, const struct key *new, const struct wrapped *w,
    struct error *err);

/* Ask for an item's new key, and unwrap.  The caller frees ${*new}. */
int keys_find(struct rotation *r, const struct item *x, const struct rotation_callbacks *cb,
    void *cookie, struct key **new, struct wrapped *w, struct error *err);

/* What becomes of a file: a new data key, a new master key (${to}), or both.  The one place
 * in which a rotation plans that (rotation_apply.c). */
int keys_plan(struct plan *p, enum rotation_kind kind, const struct key *old,
    const struct rotate_master *to, struct error *err);

/* --- values (keys.c) --- */

/**
 * values_take(r, s, hash, out, count, cb, cookie, err):
 * Open every sealed entry of the unlocked ${s}, and append the names and keyed hashes of their
 * values to ${out}.  Of those that do not open the last is the error (ERROR_DAMAGED), for the
 * caller to tell or to return; the others are told.
 */
int values_take(const struct secrets_file *s, const struct key *hash, struct buf *out,
    size_t *count, const struct rotation_callbacks *cb, void *cookie, struct error *err);

struct values_found {
	size_t same;
	size_t differences;
	size_t unproved;	/* of these: entries without a tag that fits, which who has no
				 * key may have put there */
};

/* Compare what values_take gave of ${s}, ${now}, with an item's; added to ${found}, which is
 * zeroes at first.  Differences are told. */
int values_compare(struct rotation *r, const struct item *x, const struct secrets_file *s,
    const struct buf *now, struct values_found *found, const struct rotation_callbacks *cb,
    void *cookie, struct error *err);

#endif /* !ROTATION_ROTATION_INTERNAL_H */
