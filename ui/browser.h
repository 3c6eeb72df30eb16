#ifndef UI_BROWSER_H
#define UI_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/list.h"
#include "ui/view.h"

struct app;

/* The main screen: two linked panes, the detail, status and keys. */
struct browser {
	struct view view;
	bool right_active;
	struct list left;	/* rows of the tree */
	struct list right;	/* the model's sealed entries */
	bool ranging;		/* a range is being marked */
	size_t range_from;	/* its first row */
	char search[256];	/* what was searched for last, in lower case */

	/* What the cursors were on before the rows changed. */
	char *held_path;
	char *held_key;
	size_t held_key_len;
	size_t held_line;
	char *held_name;
	size_t held_name_len;
};

void browser_init(struct browser *b);
void browser_release(struct browser *b);

/* Keep in mind what the cursors are on. */
void browser_remember(struct browser *b, const struct app *a);

/* Rows have changed: the cursors go back to what they were on, wherever that
 * is now, also when it only turns up later in a scan. */
void browser_restore(struct browser *b, struct app *a);

/* Show the counterpart of the selection in the other pane. */
void browser_link(struct browser *b, struct app *a);

/* The user moved a cursor: link and remember. */
void browser_moved(struct browser *b, struct app *a);

/* Put the left cursor on an entry. */
void browser_go(struct browser *b, struct app *a, const char *path, const char *key,
    size_t len);

/* Wipe the keys and show the lock screen. */
void browser_lock(struct browser *b, struct app *a);

#endif /* !UI_BROWSER_H */
