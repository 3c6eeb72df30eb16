#ifndef UI_BROWSER_H
#define UI_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/app.h"
#include "ui/outline.h"

struct app;
struct estate_entry;
struct estate_file;

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

/* The user moved a cursor: link and remember. */
void browser_moved(struct browser *b, struct app *a);

/* Put the left cursor on an entry. */
void browser_go(struct browser *b, struct app *a, const char *path, const char *key,
    size_t len);

/* Wipe the keys and show the lock screen. */
void browser_lock(struct browser *b, struct app *a);

/* What the cursor of the active pane is on.  Pointers are valid until the
 * model changes. */
struct selection {
	enum selection_kind {
		SELECTION_NOTHING,
		SELECTION_FILE,		/* a file of the left pane */
		SELECTION_ENTRY,	/* an entry of the left pane */
		SELECTION_SEALED	/* a sealed entry of the right pane */
	} kind;
	const struct estate_file *file;
	const struct estate_entry *entry;
	size_t sealed;		/* in the secrets file's document */
	const char *name;	/* the sealed entry, also of a reference; NULL: none */
	size_t name_len;
};

struct selection selection_get(const struct app *a);

/* The file and entry ${nth} (from 0) that refers to a sealed entry; false when there
 * are not so many. */
bool selection_referrer(const struct app *a, const char *name, size_t len, size_t nth,
    const struct estate_file **file, const struct estate_entry **entry);

/* For actions: why they cannot work on it now, or NULL. */
const char *selection_needs_file(const struct app *a);
const char *selection_needs_plain(const struct app *a);
const char *selection_needs_value(const struct app *a);
const char *selection_needs_sealed(const struct app *a);
const char *selection_needs_name(const struct app *a);

#endif /* !UI_BROWSER_H */
