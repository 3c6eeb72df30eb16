#ifndef FILE_LOCK_H
#define FILE_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct error;
struct lock;

/*
 * The right to change some files: an exclusive OFD lock on a sidecar
 * `.<name>.propseal-lock` beside each file (beside the target of a symlink).
 * The sidecar is removed on release; who gets the lock checks that the file
 * it locked is still the one of that name.  Files are locked in the order of
 * their real paths, so two processes cannot wait for each other.
 */

/* Told of a wait for what somebody else holds of ${path}: when it starts, with ${waited_ms} 0, and
 * then again some times a second.  ${left_ms}: how much longer it may last, -1 without end.
 * False: wait no longer, as if the time was up. */
typedef bool wait_told(void *cookie, const char *path, int waited_ms, int left_ms);

/**
 * lock_files(paths, n, timeout_ms, waiting, cookie, err):
 * Lock all ${n} files (NULL paths and repeats are skipped; they need not
 * exist).  While another process holds one, wait up to ${timeout_ms} in all
 * (0: not at all, -1: without end), telling ${waiting} of each file that is
 * waited for (may be NULL).  NULL: ERROR_BUSY (naming the
 * holder's process id when it can be told), ERROR_IO.
 */
struct lock *lock_files(const char *const paths[], size_t n, int timeout_ms,
    wait_told *waiting, void *cookie, struct error *err);

/* Give the locks back.  NULL is fine. */
void lock_release(struct lock *l);

/* Lock an open file itself until it is closed, without waiting.  -1: errno,
 * EAGAIN when another has it. */
int lock_descriptor(int fd);

/**
 * lock_sweep(path):
 * Remove what a run that was killed left beside the file: a temporary file,
 * which may be clear text, and the lock; not when somebody holds it.  What
 * cannot be removed stays, and is told by whoever has to write there.
 */
void lock_sweep(const char *path);

/* What is known of the folder of the last of many files; all 0 at first, ->folder to be freed. */
struct lock_swept {
	char *folder;	/* with its `/`; NULL: none */
	size_t n;
	bool listed;
	bool clean;	/* there was nothing to sweep in it when it was listed */
};

/* The same for one of many files, of which many lie in one folder one after the other. */
void lock_sweep_next(struct lock_swept *s, const char *path);

/* The same where ${name}, met in the open folder ${dir}, may be such a leftover. */
void lock_sweep_name(int dir, const char *name);

/* Is it one?  Nothing is changed. */
bool lock_is_leftover(int dir, const char *name);

/* How long to wait for what others hold (0: not at all, -1: without end), and
 * whom to tell (NULL: nobody). */
struct wait {
	int timeout_ms;
	wait_told *waiting;
	void *cookie;
	struct timespec start;		/* wait_start's */
};

enum wait_outcome { WAIT_GOT, WAIT_BUSY, WAIT_FAILED };

/* The time begins now. */
void wait_start(struct wait *w);

/**
 * wait_for(w, try, what, path, err):
 * Call ${try}(what, err) again and again until it says something else than
 * WAIT_BUSY, or the time is up, as leases and OFD locks cannot be waited for
 * with a time limit.
 */
enum wait_outcome wait_for(const struct wait *w, enum wait_outcome (*try)(void *what,
    struct error *err), void *what, const char *path, struct error *err);

#endif /* !FILE_LOCK_H */
