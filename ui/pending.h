#ifndef UI_PENDING_H
#define UI_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "ui/outline.h"

struct app;
struct environment;
struct estate_file;
struct goal;
struct map;
struct marks;
struct model;

/*
 * The pending set without the screen: what is marked, by the secrets file that it goes to and
 * the configuration file that it stands in, with what will be true when it is applied.  It is
 * made anew from the marks; kept is only where the user said that a file's secrets go.
 */
struct pending {
	struct panes panes;	/* left: destinations, files, edits; right: the lines below */
	struct vec groups;	/* of struct pending_group: a destination, then its files */
	struct vec edits;	/* of struct pending_edit */
	struct vec lines;	/* of struct pending_line */
	size_t on, off, collide;	/* edits; what collides is not on */
	size_t unchecked;	/* edits of which pending_check has something to see, */
	size_t at;		/* ... none of them in a group before this one */
	struct marks *checked, *taken;	/* edits that it has seen as of ${changes}, and of these
				 * whose sealed entry has another value */
	unsigned long changes;	/* of the model */
	size_t files;		/* with edits that are on */
	struct vec targets;	/* of struct pending_target: what the user said */
	struct map *index;	/* of the targets, by file */
	struct model *model;	/* which is told what collides */
};

struct pending_group {
	size_t root;			/* its destination's group; itself for one */
	const struct estate_file *file;	/* NULL: it is a destination */
	struct environment *environment;	/* NULL: it is asked */
	char *remote;			/* the path in references; NULL: it is asked */
	size_t first, count;		/* its edits in ${edits}; of a destination: count only */
	size_t on, collide;		/* of these */
};

struct pending_edit {
	size_t entry;			/* in its file */
	enum pending_fate {
		PENDING_ON,
		PENDING_OFF,
		PENDING_TAKEN,		/* its sealed entry is there, with another value */
		PENDING_NAMESAKE	/* a file of its base name goes there before its own */
	} fate;
	bool unchecked;			/* it may be TAKEN: the sealed entry is there */
};

/* What will be true, or must be known, in the right pane. */
struct pending_line {
	char *text;
	unsigned int style;
};

void pending_init(struct pending *p, struct model *m);
void pending_release(struct pending *p);

/* Make it anew from the marks, the cursor on what it was on.  ERROR_MEMORY is told. */
void pending_build(struct app *a);

/* The same, if the view is shown: after any change of the estate. */
void pending_restore(struct app *a);

const struct pending_group *pending_group(const struct pending *p, size_t i);

/* Edit ${item} of a file's group. */
const struct pending_edit *pending_edit(const struct pending *p, const struct pending_group *g,
    size_t item);

/* The file whose entry is in the way of the edit; NULL: no file refers to it. */
const struct estate_file *pending_other(const struct app *a, const struct pending_group *g,
    const struct pending_edit *e);

/* While the view is shown: see of one file which of its edits would overwrite another value.
 * True: draw. */
bool pending_is_due(const struct app *a);
bool pending_check(struct app *a);

/* Where the user said that secrets of ${f} go; false: nothing was said. */
bool pending_goal(const struct app *a, const struct estate_file *f, struct goal *out);

/* From now on they go there.  -1: no memory. */
int pending_set_goal(struct app *a, const struct estate_file *f, struct goal *g);

#endif /* !UI_PENDING_H */
