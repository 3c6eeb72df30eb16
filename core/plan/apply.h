#ifndef PLAN_APPLY_H
#define PLAN_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "file/lock.h"

struct buf;
struct error;
struct plan;
struct plan_file;
struct trail;

/* Making the changes of a plan, for all callers (through change.h). */

/* What became of one file of the plan. */
struct apply_result {
	const struct plan_file *file;	/* the plan's */
	bool done;
	struct error *why;	/* why it is not done; NULL: done, or not come to */
};

struct apply {
	/* What the caller says; all zero is fine. */
	bool secrets_locked;	/* the caller has the lock of the secrets file */
	bool files_locked;	/* and those of all others; else they are taken here */
	int lock_timeout_ms;	/* for locks, and for files that others write to */
	wait_told *waiting;	/* for another's lock (lock.h) */
	wait_told *writing;	/* for another's descriptor */
	/* After every APPLY_BATCH files besides the secrets file; false: stop. */
	bool (*progress)(void *cookie, size_t done, size_t all);
	void *cookie;
	const struct trail *trail;	/* where the change is written down; NULL: nowhere */
	const char *environment;	/* the name of the secrets file's, for the trail; NULL */
	const char *key;		/* what is changed in outputs, for the trail; NULL */

	/* What apply_plan answers. */
	struct apply_result *results;	/* the secrets file's first */
	size_t count;
	bool several;		/* its error sums up several: each is to be told */
	size_t blind;		/* how many were replaced without a lease (replace.h) */
	struct buf notes;	/* what is to be told besides, a line each */
	uint64_t change;	/* its number in the trail, 0: it is not in it */
};

/**
 * apply_plan(p, a, err):
 * Make the changes of the plan.  A configuration file is the unit: where one
 * fails it is put back alone, those that are done stay, and the rest goes on.
 * Each new file is verified (plan_verify) before it is put in place.
 *
 * The secrets file goes first, and is on disk before the first configuration
 * is changed; where none could be changed it is put back, else the sealed
 * entries of those that were not stay as orphans, and are told.  When
 * removing, it goes last, and only when every configuration is done.  A plan
 * that adds and removes changes it twice.  So nothing is undone or removed
 * that another file may need.
 *
 * 0: all is done, on disk, and read back.  -1: ${a}->results say what is done,
 * and ${err} is the failure, or of several a summary that names the files.
 * With a trail an intent is on disk before the first file is touched, and the
 * outcome after the last.  Where it cannot be written that is a note, or, if it is
 * required, the failure: nothing is changed then.
 *
 * The plan must outlive the results.  After it, also when it fails, apply_release.
 */
int apply_plan(struct plan *p, struct apply *a, struct error *err);
void apply_release(struct apply *a);

/* How many files are changed. */
size_t apply_done(const struct apply *a);

/* At most so many files are locked, and open, at a time besides the secrets file. */
#define APPLY_BATCH 32

/**
 * keep_change(p, t, change, err):
 * Keep what undoes a plan that is about to be applied as ${change} (trail/trail.h): what its
 * sealed entries and references are now.  Of a plan that cannot be undone from that the reason.
 * Errors: those of kept_write.
 */
int keep_change(const struct plan *p, const struct trail *t, uint64_t change, struct error *err);

/*
 * Checking the new content of a file of a plan as apply reads it back from disk, each
 * piece of it by verification_look, and at last verification_end: it
 * parses, what was set is there and what was removed is not, the data key is the old one or
 * opens under the expected master key, and every sealed entry that the plan wrote opens (with
 * an expected master key every one in the file).  ERROR_DAMAGED otherwise, whatever it is
 * that does not fit.  A file of lines is never held as a whole.
 */
struct verification;
struct verification *verification_new(const struct plan *p, const struct plan_file *file,
    struct error *err);
int verification_look(struct verification *v, const unsigned char *bytes, size_t n,
    struct error *err);
int verification_end(struct verification *v, struct error *err);
void verification_free(struct verification *v);

#endif /* !PLAN_APPLY_H */
