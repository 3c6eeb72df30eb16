#ifndef UI_REGISTRY_SOURCE_H
#define UI_REGISTRY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

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

#endif /* !UI_REGISTRY_SOURCE_H */
