#ifndef UI_REGISTRY_H
#define UI_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "ui/app.h"
#include "ui/outline.h"

struct app;
struct buf;
struct error;
struct estate;
struct registry_answer;
struct registry_key;
struct registry_names;
struct registry_path;
struct registry_source;
struct registry_wait;

/*
 * A Secret Registry as the interface sees it: something that is asked, and
 * that answers later.  No function here waits for the network; the program
 * that starts the interface brings the one that does (ui_options.registry).
 */

#define REGISTRY_NAMES_MAX 10000	/* names in one list; more are left out */
#define REGISTRY_VERSIONS_MAX 100000	/* versions of one key */
#define REGISTRY_VALUE_MAX ((size_t)1 << 20)	/* bytes */
#define REGISTRY_EVENTS_MAX 1000	/* lines of the audit log's end */

enum registry_kind {
	REGISTRY_PATHS,		/* the names of the paths */
	REGISTRY_KEYS,		/* the names of a path's keys */
	REGISTRY_HISTORY,	/* what is known of a key's versions */
	REGISTRY_VALUE,		/* the value of a version */
	REGISTRY_PUT,		/* store a value as the next version */
	REGISTRY_DELETE,	/* of a path, a key or a version */
	REGISTRY_UNDELETE,	/* a version */
	REGISTRY_ROTATE,	/* start a rotation of the data key */
	REGISTRY_ROTATION,	/* how far it is */
	REGISTRY_AUDIT		/* the end of the audit log */
};

/* Everything is copied when it is submitted. */
struct registry_request {
	enum registry_kind kind;
	const char *path, *key;		/* NULL: not part of it */
	unsigned int version;		/* 0: not part of it */
	const struct buf *value;	/* PUT; secret */
	unsigned int cas;		/* PUT: the version that must be the current one */
	unsigned int delay_ms;		/* wait so long before it is asked */
};

struct registry_version {
	unsigned int number;
	enum registry_version_state {
		REGISTRY_LIVE, REGISTRY_DELETED, REGISTRY_EXPIRED, REGISTRY_DESTROYED
	} state;
	/* 2026-10-05 12:34:56Z; "": unknown or none */
	char created[32], deleted[32], expires[32];
	char created_by[128], deleted_by[128];
};

/* What a path's metadata tells of a key: its newest live version, or, when it
 * has none, of the newest version that is left. */
struct registry_summary {
	unsigned int current;	/* the newest live version, 0: none is */
	enum registry_version_state state;
	char created[32];	/* "": not told */
	char created_by[64];
};

/* A line of the audit log: what was done, or, without an outcome, begun. */
struct registry_event {
	unsigned long long number;
	char time[32];
	char who[128];
	char what[64];
	char where[640];	/* PATH / KEY, version N; "": of no path */
	char phase[16];
	int status;		/* 0: none yet */
	bool denied;
};

struct registry_answer {
	unsigned long id;	/* of the request */
	enum registry_kind kind;
	int rc;			/* 0, or -1 with err */
	int status;		/* of HTTP, 0: no answer came */
	struct error err;

	struct vec names;	/* PATHS, KEYS: char *, owned, sorted by bytes */
	struct vec deleted;	/* PATHS: char *, owned: where nothing is live, but something
				 * can be brought back */
	struct vec keys;	/* KEYS: struct registry_summary of each name; empty: not told */
	bool cut;		/* there are more than REGISTRY_NAMES_MAX */
	struct vec versions;	/* HISTORY: struct registry_version, ascending */
	struct vec events;	/* AUDIT: struct registry_event, oldest first */
	struct buf value;	/* VALUE; secret */
	unsigned int version;	/* PUT: the new one, 0: not told */
	bool running;		/* ROTATE, ROTATION */
	size_t done, total;
	char failure[256];	/* why it stopped, "": it did not */
};

struct registry_answer *registry_answer_new(unsigned long id, enum registry_kind kind);
void registry_answer_free(struct registry_answer *a);

/* The state's word, as on the screen. */
const char *registry_state_name(enum registry_version_state s);

struct registry_source {
	void *cookie;
	const char *url;	/* for people */
	const char *user;	/* who logs in by password; NULL: nobody was named */
	bool asks_password;	/* and no file has it: call authorize first */
	int fd;			/* readable when there is an answer to take */

	/* Ask.  The number that the answer will have, 0: ERROR_MEMORY, ERROR_LIMIT. */
	unsigned long (*submit)(void *cookie, const struct registry_request *r, struct error *err);

	/* The next answer, NULL for none yet.  The caller frees it. */
	struct registry_answer *(*take)(void *cookie);

	/* Nobody waits for this answer any more: it will not come. */
	void (*cancel)(void *cookie, unsigned long id);

	/* Log in as ${user} with this password (secret; both are copied). */
	int (*authorize)(void *cookie, const char *user, const struct buf *password,
	    struct error *err);

	/* Wipe what was given to authorize or read from files, and end the connection. */
	void (*forget)(void *cookie);
};

/*
 * What is known of a registry's paths and keys: names, and what was asked so
 * far.  Never values.  A name that only a configuration file knows is there
 * too, with ${exists} false.
 */

/* How much is known of a list. */
enum registry_known {
	REGISTRY_UNKNOWN,	/* to be asked for when it is needed */
	REGISTRY_KNOWN,
	REGISTRY_FAILED		/* asked in vain: see problem */
};

struct registry_key {
	char *name;
	bool exists;		/* the registry has it */
	size_t uses;		/* references in configuration files */
	bool counted;		/* summary is known */
	struct registry_summary summary;
	enum registry_known history;
	struct vec versions;	/* of struct registry_version, newest first */
	char problem[256];	/* why the history is not known */
};

struct registry_path {
	char *name;
	bool exists;
	bool deleted;		/* as the list of paths had it: see registry_path_state */
	size_t uses;		/* of its keys */
	enum registry_known known;	/* keys */
	bool cut;		/* there are more keys than are shown */
	struct vec keys;	/* see registry_key_at; sorted by bytes */
	char problem[256];
};

struct registry_names {
	struct vec paths;	/* see registry_path_at; sorted by bytes */
};

void registry_names_init(struct registry_names *n);
void registry_names_release(struct registry_names *n);

struct registry_path *registry_path_at(const struct registry_names *n, size_t i);
struct registry_key *registry_key_at(const struct registry_path *p, size_t i);

/* NULL: not there. */
struct registry_path *registry_path_find(const struct registry_names *n, const char *name);
struct registry_key *registry_key_find(const struct registry_path *p, const char *name);

/* Find or make it.  NULL: no memory, or too many. */
struct registry_path *registry_path_get(struct registry_names *n, const char *name);
struct registry_key *registry_key_get(struct registry_path *p, const char *name);

/* The registry has these now, and no others; what was known of keys is to be
 * asked for again.  -1: no memory. */
int registry_names_take(struct registry_names *n, const struct registry_answer *a);
int registry_path_take(struct registry_path *p, const struct registry_answer *a);

/* Drop what neither the registry nor a configuration file knows. */
void registry_names_prune(struct registry_names *n);

/* No configuration file was read. */
void registry_names_forget_uses(struct registry_names *n);

/* A reference ${secret:path:key} in a configuration file. */
struct registry_use {
	char *path, *key;	/* what is referred to */
	char *file;		/* where: the file, the line, the entry */
	size_t line;
	char *entry;
	size_t entry_len;
	bool misplaced;		/* the file is a connector's that is not called ${path}, so
				 * that a Connect worker refuses it */
};

/* All of them, in the order of the files. */
struct registry_uses {
	struct vec list;	/* of struct registry_use */
	size_t next;		/* the file that is read next */
	bool done;
};

void registry_uses_init(struct registry_uses *u);
void registry_uses_release(struct registry_uses *u);

/* Start anew. */
void registry_uses_restart(struct registry_uses *u);

/**
 * registry_uses_step(u, e, names, err):
 * Read the next of the estate's files; what it refers to is counted in
 * ${names} too.  A file that cannot be read is passed over, as the view of
 * the files tells that.  When the last one is read, ${u->done} is set.
 */
int registry_uses_step(struct registry_uses *u, const struct estate *e,
    struct registry_names *names, struct error *err);

/* How many refer to the key (NULL: to any key of the path)? */
size_t registry_uses_count(const struct registry_uses *u, const char *path, const char *key);

/* The ${nth} of them, from 0; NULL: there are not so many. */
const struct registry_use *registry_uses_find(const struct registry_uses *u,
    const char *path, const char *key, size_t nth);

/* What can be read of paths and keys, as far as it is known. */

/* REGISTRY_LIVE: something can be read, or nothing else is known; another
 * state: something is left, but nothing live. */
enum registry_version_state registry_key_state(const struct registry_key *k);
enum registry_version_state registry_path_state(const struct registry_path *p);

/* Does a configuration file refer to a key of which nothing can be read? */
bool registry_key_dangles(const struct registry_path *p, const struct registry_key *k);

/* The key's newest live version, NULL for none. */
const struct registry_version *registry_key_latest(const struct registry_key *k);

/* The newest live one before ${number}, NULL for none. */
const struct registry_version *registry_key_live_before(const struct registry_key *k,
    unsigned int number);

/* What can be brought back of a key of which nothing is live: the newest
 * deleted version.  NULL: nothing, or its versions are not known. */
const struct registry_version *registry_key_lost(const struct registry_key *k);

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
