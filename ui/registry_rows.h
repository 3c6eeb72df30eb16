#ifndef UI_REGISTRY_ROWS_H
#define UI_REGISTRY_ROWS_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct registry;
struct registry_key;
struct registry_path;
struct registry_use;
struct registry_version;

/* Make the rows of the left list anew; the cursor stays on its path and key. */
void registry_rows_build(struct registry *r);

/* The left cursor was moved: keep in mind what it is on. */
void registry_rows_moved(struct registry *r);

/* Put the left cursor on a key (NULL: on the path), unfolding the path. */
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

#endif /* !UI_REGISTRY_ROWS_H */
