#ifndef UI_FILES_H
#define UI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "file/file.h"
#include "ui/outline.h"

struct app;
struct buf;
struct environment;
struct estate_entry;
struct estate_file;
struct model;
struct tally;
struct tree_root;
struct words;

/*
 * The state of the view of the files, without the screen: environments with
 * their configuration files and the entries of these on the left; on the right
 * the sealed entries of the secrets file that belongs to what the left cursor
 * is on.  The cursor of the pane that is not active shows the counterpart of
 * what is selected.
 */
struct files {
	struct panes panes;
	bool looked;	/* the first scan is done */
	unsigned long range_of;	/* the state of the model in which a range was begun */
	const struct estate_entry *user;	/* that Enter went to last, of those of a sealed */
	size_t user_place;			/* entry, and which of them it is, from 0 */
	unsigned long user_of;			/* the state of the model then */
	unsigned int owner;	/* of the last file that was told of, and its name; "": none was */
	char owner_name[FILE_USER_MAX];
};

/* What the left list shows. */
enum files_filter {
	FILES_SECRETS,	/* keys that hold secrets, and references: at first */
	FILES_CLEAR,	/* secrets in clear text */
	FILES_PROBLEMS,	/* dangling, unknown, damaged, unreadable */
	FILES_ALL
};

const char *files_filter_name(unsigned int filter);

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

/* If the filter shows everything: see that everything is there, soon. */
void files_need_all(struct app *a);

/* Put the left cursor on an entry; files_show also where it is filtered out or
 * folded away, and makes the left pane the active one. */
void files_go(struct app *a, const char *path, const char *key, size_t len);
void files_show(struct app *a, const char *path, const char *key, size_t len);

/* What the cursor of the active pane is on.  Pointers are valid until the
 * model changes. */
struct selection {
	enum selection_kind {
		SELECTION_NOTHING,
		SELECTION_ENVIRONMENT,	/* an environment, or a folder without one */
		SELECTION_FILE,		/* a file of the left pane */
		SELECTION_ENTRY,	/* an entry of the left pane */
		SELECTION_SEALED	/* a sealed entry of the right pane */
	} kind;
	const struct tree_root *root;	/* of the left pane */
	const struct estate_file *file;
	const struct estate_entry *entry;
	/* Of a reference its own, else that of the file or of the right pane.
	 * NULL: there is none, or it is not known. */
	struct environment *environment;
	size_t row;		/* of the right pane */
	size_t sealed;		/* in the secrets file's document */
	const char *name;	/* the sealed entry, also of a reference; NULL: none */
	size_t name_len;
};

struct selection selection_get(const struct app *a);

/* The file and entry ${nth} (from 0) that refers to a sealed entry of ${x};
 * false when there are not so many. */
bool selection_referrer(const struct app *a, const struct environment *x, const char *name,
    size_t len, size_t nth, const struct estate_file **file, const struct estate_entry **entry);

/* Of the entries that refer to what is selected, how many come before it. */
size_t selection_user_place(const struct app *a, const struct selection *s);

/* For actions: why they cannot work on it now, or NULL. */
const char *selection_needs_file(const struct app *a);
const char *selection_needs_plain(const struct app *a);
const char *selection_needs_value(const struct app *a);
const char *selection_needs_sealed(const struct app *a);
const char *selection_needs_name(const struct app *a);

/* view_files.c: the word for the state of an entry, "": the letter says all. */
const char *files_word(const struct estate_entry *e);

/* files_detail.c: a file's path as it stands below its root. */
const char *files_name(const struct app *a, const struct tree_root *r,
    const struct estate_file *f);

/* Append what there is of what, in words, as a sentence. */
void files_count_all(struct buf *text, const struct tally *t);

/* Facts of a file: when it was changed, and whose it is. */
void files_say_status(struct app *a, struct words *w, const struct estate_file *f);

/* Facts of a secrets file (${x} NULL: none): its keys, and if it is what is selected when it was
 * changed and whose it is. */
void files_say_keys(struct app *a, struct words *w, const struct environment *x, bool selected);

/* The detail of what is selected. */
void files_say(struct app *a, struct words *w);

/* files_detail.c: the right pane. */
void files_draw_sealed(struct app *a);

#endif /* !UI_FILES_H */
