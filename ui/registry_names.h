#ifndef UI_REGISTRY_NAMES_H
#define UI_REGISTRY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"
#include "ui/registry_source.h"

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
	bool unfolded;
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

#endif /* !UI_REGISTRY_NAMES_H */
