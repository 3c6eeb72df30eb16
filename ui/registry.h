#ifndef UI_REGISTRY_H
#define UI_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/app.h"
#include "ui/outline.h"
#include "ui/registry_names.h"

struct app;
struct buf;
struct error;
struct registry_answer;
struct registry_source;
struct registry_wait;

/*
 * What the view of the Secret Registry is about: paths and keys on the left; on the right
 * the versions of the selected key, and what refers to it.  Lists and
 * histories are asked for as they are needed, one at a time, and come in while
 * the view is used.  Fields are for reading; the functions below change them.
 */
struct registry {
	const struct registry_source *source;	/* NULL: none is configured */
	struct registry_names names;
	struct registry_uses uses;
	enum registry_known known;	/* are the paths? */
	bool cut;			/* there are more paths than are shown */
	bool no_login;			/* it wants one, or another one */
	bool logged_in;			/* by a password that was typed */
	bool in_use;			/* something may be kept that a lock takes away */
	bool looked;			/* the paths were known once */
	char problem[1024];		/* why the paths are not known */
	char user[256];			/* who is logged in, as far as that is known */

	unsigned long pending;		/* what was asked for by itself; 0: nothing */
	bool pending_poll;		/* it is the progress of a rotation, and can wait */
	char *pending_path, *pending_key;	/* and of what */
	struct registry_wait *waiting;	/* what the user waits for */

	struct panes panes;
	unsigned int marked;		/* version to compare with; 0: none */

	bool rotating;			/* a rotation was started and seen running */
	size_t rotated, rotation_total;
};

/* ${source} NULL: there is no registry.  NULL: no memory. */
struct registry *registry_new(const struct registry_source *source);
void registry_free(struct registry *r);

/* Can it be asked?  Else why not. */
const char *registry_unavailable(const struct registry *r);

/* Are its paths on the screen?  Else there are no rows, and the place of the
 * list says why. */
bool registry_shown(const struct registry *r);

/* The view is opened, or everything is to be read again. */
void registry_refresh(struct registry *r);

/* What is known of a key, or of a path's keys (${key} NULL), is old now. */
void registry_forget(struct registry *r, const char *path, const char *key);

/* Log in with another password; -1: no memory. */
int registry_log_in(struct registry *r, const char *user, const struct buf *password,
    struct error *err);

/* Wipe logins, and end the connection. */
void registry_lock(struct registry *r);

/* Go on with what is to be done: ask for what is needed next, read the next
 * configuration files.  Only while no dialog is open.  True: draw. */
bool registry_step(struct app *a);

/* Is there something that registry_step would do at once? */
bool registry_is_due(const struct app *a);

/* Take the answers that have come.  True: draw. */
bool registry_take(struct app *a);

/* Make the rows of the left list anew; the cursor stays on its path and key. */
void registry_rows_build(struct registry *r);

/* The left cursor was moved: keep in mind what it is on. */
void registry_rows_moved(struct registry *r);

/* Put the left cursor on a key, unfolding its path. */
void registry_rows_go(struct registry *r, const char *path, const char *key);

/* What is selected.  Pointers are valid until an answer is taken. */
struct registry_selection {
	struct registry_path *path;	/* NULL: nothing is */
	struct registry_key *key;	/* NULL: a path */
	const struct registry_version *version;	/* of the right list, else NULL */
	const struct registry_use *use;	/* of the right list, else NULL */
};

struct registry_selection registry_selected(const struct registry *r);

/* How many rows the right list has: versions, then uses. */
size_t registry_right_count(const struct registry *r);

/* A failure: is it one of the whole registry (not reachable, no login)?  Then
 * nothing more is asked until the user says so. */
bool registry_merge_failure(struct registry *r, const struct registry_answer *a);

/* A view that waits for an answer: while it is shown, it is registry->waiting. */
struct registry_wait {
	struct layer layer;
	unsigned long id;	/* of the answer */

	/* Take it; it is owned from then on. */
	void (*take)(struct registry_wait *w, struct app *a, struct registry_answer *answer);
};

#endif /* !UI_REGISTRY_H */
