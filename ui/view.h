#ifndef UI_VIEW_H
#define UI_VIEW_H

#include <stdbool.h>

#include "ui/outline.h"

struct app;
struct buf;
struct rect;
struct words;

/* The main views, one of which is shown.  To add one: its number here, its row in views[]
 * (app.c), its file view_NAME.c, and its faces in the table of actions (keymap.c). */
enum view_id { VIEW_FILES, VIEW_FINDINGS, VIEW_PENDING, VIEW_ROTATION,
    VIEW_HISTORY, VIEW_REGISTRY, VIEW_COUNT };

/*
 * A main view: two lists side by side, a line of counts, and a detail of what
 * is selected.  Its state is its own; the frame (frame.c) draws it, act_move.c
 * moves in its lists.
 */
struct view_ops {
	const char *name;	/* on its tab */
	int shows;		/* the action (enum action_id) whose key stands before the name */
	const char *only_here;	/* why an action of no other view cannot be done elsewhere */
	int two_panes_from;	/* fewer columns have one pane; 0: as most views */
	bool third_pane;	/* where there is room, the detail is beside the two */
	bool left_leads;	/* searching and folding are for the left list in both panes */
	struct panes *(*panes)(struct app *a);
	void (*entered)(struct app *a);	/* it is shown from now on */

	/* The user moved the cursor of ${o}, or its rows are others.  NULL: what it is on is
	 * held. */
	void (*moved)(struct app *a, struct outline *o);
	void (*folded)(struct app *a, struct outline *o);

	/* Files were read or changed while it is shown: make the rows anew.  NULL: nothing to
	 * do.  (Those of the files are always made, first.) */
	void (*changed)(struct app *a);

	/* While it is shown, and no dialog: is there something to do at once?  A piece of it;
	 * true: draw.  NULL: never. */
	bool (*is_due)(const struct app *a);
	bool (*tick)(struct app *a);

	/* Does it hold keys of its own?  Wipe them, as all is locked.  NULL: it never does. */
	bool (*holds)(const struct app *a);
	void (*wipe)(struct app *a);

	/* What there is of it, behind its name on the tab.  0, or NULL: nothing is said. */
	size_t (*count)(const struct app *a);

	/* Behind that number: "+", it is of a part so far; alone: "?", nobody has looked.  NULL,
	 * or "": it is all. */
	const char *(*count_note)(const struct app *a);

	/* At the right of the tabs while it is shown: where it is, if there is room, and how
	 * things are. */
	void (*title)(struct app *a, struct buf *where, struct buf *state);
	void (*draw_left)(struct app *a);	/* with its heading, where layout has a place */
	void (*draw_right)(struct app *a);
	void (*draw_counts)(struct app *a, const struct rect *r, int w);	/* ${w} columns */
	void (*say)(struct app *a, struct words *w);	/* the detail */
};

/* In the view that is shown: the cursor of ${o} moved. */
void view_moved(struct app *a, struct outline *o);

/* The same: make the rows of ${o} anew, the cursor on what is held. */
void view_build(struct app *a, struct outline *o);

extern const struct view_ops view_files, view_findings, view_pending, view_rotation,
    view_history, view_registry;
extern const struct view_ops *const views[VIEW_COUNT];

#endif /* !UI_VIEW_H */
