#ifndef UI_OUTLINE_H
#define UI_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct estate;
struct estate_entry;
struct estate_file;

/* A cursor in a list of which a part is on the screen. */
struct list {
	size_t count;
	size_t cursor;	/* < count, 0 when empty */
	size_t top;	/* the first row on the screen */
	size_t height;	/* rows on the screen, as of the last list_fit */
};

/* Take new sizes: cursor and top come to lie inside, the cursor is shown. */
void list_fit(struct list *l, size_t count, size_t height);

void list_go(struct list *l, size_t row);

/* Do what a movement key says; false when ${key} is none. */
bool list_key(struct list *l, uint32_t key);

enum tree_filter {
	TREE_ALL,
	TREE_SECRETS,	/* keys that hold secrets, and references */
	TREE_CLEAR,	/* secrets in clear text */
	TREE_PROBLEMS	/* dangling, damaged, unreadable */
};

#define TREE_NO_ENTRY ((size_t)-1)

struct tree_row {
	size_t file;	/* in the estate */
	size_t entry;	/* TREE_NO_ENTRY: the file itself */
};

/* The rows of the left pane: the estate's files, and the entries of those
 * that are not folded, as far as the filter lets them through. */
struct tree {
	struct vec rows;	/* of struct tree_row */
	struct vec folds;	/* what the user folded or unfolded, by path */
	bool folded;		/* what the others are */
	enum tree_filter filter;
};

void tree_init(struct tree *t);
void tree_release(struct tree *t);

/* Make the rows anew.  -1: no memory. */
int tree_build(struct tree *t, const struct estate *e);

size_t tree_count(const struct tree *t);
const struct tree_row *tree_row(const struct tree *t, size_t i);

bool tree_folded(const struct tree *t, const char *path);
int tree_fold(struct tree *t, const char *path, bool fold);
void tree_fold_all(struct tree *t, bool fold);

/* The row of an entry (TREE_NO_ENTRY: of the file), or of the file when the
 * entry is not shown; tree_count when neither is. */
size_t tree_find(const struct tree *t, size_t file, size_t entry);

/* Is it a secret in clear text? */
bool tree_is_clear(const struct estate_entry *e);

/* May it be sealed?  The providers themselves must stay readable. */
bool tree_can_seal(const struct estate_entry *e);

const char *tree_filter_name(enum tree_filter f);

#endif /* !UI_OUTLINE_H */
