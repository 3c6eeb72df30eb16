#ifndef UI_FILES_H
#define UI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/outline.h"

struct app;
struct estate_entry;
struct estate_file;
struct model;

/*
 * The state of the view of the files, without the screen: configuration files
 * with their entries on the left, the secrets file's sealed entries on the
 * right.  The cursor of the pane that is not active shows the counterpart of
 * what is selected.
 */
struct files {
	struct panes panes;
	bool looked;	/* the first scan is done */
};

/* What the left list shows. */
enum files_filter {
	FILES_ALL,
	FILES_SECRETS,	/* keys that hold secrets, and references */
	FILES_CLEAR,	/* secrets in clear text */
	FILES_PROBLEMS	/* dangling, damaged, unreadable */
};

const char *files_filter_name(unsigned int filter);

/* Does the filter show it? */
bool files_passes_entry(unsigned int filter, const struct estate_entry *e);

void files_init(struct files *f, const struct model *m);
void files_release(struct files *f);

/* Keep in mind what the cursors are on. */
void files_hold(struct app *a);

/* The model has changed: the rows are made anew, and the cursors go back to
 * what they were on, wherever that is now, also when it only turns up later in
 * a scan. */
void files_restore(struct app *a);

/* The rows or the cursor of a list are others now: show the counterpart of the
 * selection in the other pane; when the user moved, hold them too. */
void files_link(struct app *a, struct outline *o);
void files_moved(struct app *a, struct outline *o);

/* Show the entries of a file. */
void files_unfold(struct app *a, const char *path);

/* Put the left cursor on an entry; files_show also where it is filtered out or
 * folded away, and makes the left pane the active one. */
void files_go(struct app *a, const char *path, const char *key, size_t len);
void files_show(struct app *a, const char *path, const char *key, size_t len);

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

/* The file and entry ${nth} (from 0) that refers to a sealed entry; false when
 * there are not so many. */
bool selection_referrer(const struct app *a, const char *name, size_t len, size_t nth,
    const struct estate_file **file, const struct estate_entry **entry);

/* For actions: why they cannot work on it now, or NULL. */
const char *selection_needs_file(const struct app *a);
const char *selection_needs_plain(const struct app *a);
const char *selection_needs_value(const struct app *a);
const char *selection_needs_sealed(const struct app *a);
const char *selection_needs_name(const struct app *a);

#endif /* !UI_FILES_H */
