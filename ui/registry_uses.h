#ifndef UI_REGISTRY_USES_H
#define UI_REGISTRY_USES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"

struct estate;
struct registry_names;

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
size_t registry_uses_count(const struct registry_uses *u, const char *path,
    const char *key);

/* The ${nth} of them, from 0; NULL: there are not so many. */
const struct registry_use *registry_uses_find(const struct registry_uses *u,
    const char *path, const char *key, size_t nth);

#endif /* !UI_REGISTRY_USES_H */
