#ifndef UI_OUTLINE_H
#define UI_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "ui/filter.h"

/*
 * Lists of which a part is on the screen, without the screen: a cursor
 * (struct list), and what all main views show with one (struct outline).
 */

/* A cursor in a list. */
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

/* Things that are on or off, by the names of a group and of an item in it,
 * whether there are such rows at the moment or not. */
struct marks;

struct marks *marks_new(void);
void marks_free(struct marks *m);
bool marks_has(struct marks *m, const char *group, const char *item, size_t len);
/* Mark or unmark.  -1: no memory. */
int marks_set(struct marks *m, const char *group, const char *item, size_t len, bool on);
void marks_clear(struct marks *m);
size_t marks_count(const struct marks *m);
/* Of two that have the same number in one run, the same is marked. */
uint64_t marks_sum(const struct marks *m);

#define OUTLINE_HEAD ((size_t)-1)	/* in the place of an item: its group */

/* By what a row is known again when rows have changed. */
struct outline_id {
	const char *bytes;	/* NUL-terminated, though a NUL may be in it */
	size_t len;
	size_t place;		/* of an item: a line number, or 0 */
};

struct outline_row {
	size_t group;
	size_t item;	/* OUTLINE_HEAD: the group itself */
};

/*
 * Where an outline's rows come from: groups, such as files, with items in
 * them, such as their entries.  A group may stand below another one, its root,
 * which comes before it and has no items.  ${cookie} is what outline_init was
 * given.
 */
struct outline_ops {
	size_t (*groups)(const void *cookie);
	size_t (*items)(const void *cookie, size_t group);	/* NULL: a list of groups */
	/* The group that it stands below, itself for a root.  NULL: there are no roots */
	size_t (*root)(const void *cookie, size_t group);
	/* NULL: the cursor stays on its row number */
	struct outline_id (*id)(const void *cookie, size_t group, size_t item);
	/* What a search looks at; NULL: the id. */
	struct outline_id (*text)(const void *cookie, size_t group, size_t item);
	/* Does the filter (0: none) let it through?  NULL: everything. */
	bool (*passes)(const void *cookie, unsigned int filter, size_t group, size_t item);
	/* What filter words look at, of an item, or of a group that has none.  NULL: there are no
	 * words.  ${states}: the letters that are states. */
	void (*facts)(const void *cookie, size_t group, size_t item, struct filter_facts *out);
	const char *states;
	const char *problems;	/* of these what is wrong; NULL: there are none */
	/* Which of two comes first in an order (not 0): roots, groups of one root, items of one
	 * group; in a flat list any items and groups.  0: as they come.  NULL: there are no
	 * orders. */
	int (*compare)(const void *cookie, unsigned int order, const struct outline_row *one,
	    const struct outline_row *other);
	const char *const *orders;	/* their names, from 0 on, and a NULL */
};

/*
 * Groups that can be folded, with a cursor that stays on what it is on.
 * Fields are for reading, but that ${filter}, ${words}, ${order}, ${flat}, ${folded} and
 * ${roots_folded} may be set before outline_build; a range is begun and ended by ${ranging}
 * and ${range_from}.
 */
struct outline {
	struct list list;		/* of the rows */
	struct vec rows;		/* of struct outline_row */
	unsigned int filter;
	struct filter words;		/* more of what is shown */
	unsigned int order;		/* 0: as they come */
	bool flat;			/* items without their groups */
	bool folded;			/* groups that nobody folded or unfolded */
	bool roots_folded;		/* the same for roots */
	bool ranging;			/* a range is being marked */
	size_t range_from;		/* its first row */
	const struct outline_ops *ops;
	const void *cookie;
	struct marks *folds;		/* what was folded (on) or unfolded (off) */
	char *held_group, *held_item;	/* what the cursor was on; NULL: nothing, a group */
	size_t held_group_len, held_item_len, held_place;
};

void outline_init(struct outline *o, const struct outline_ops *ops, const void *cookie);
void outline_release(struct outline *o);

/* Make the rows anew; a range ends when their number changes.  -1: no memory,
 * and rows are missing.  Then outline_restore. */
int outline_build(struct outline *o);
/* The row of an item, or of its group when the item is not shown, or of the
 * group's root; the number of rows when none is. */
size_t outline_find(const struct outline *o, size_t group, size_t item);
const struct outline_row *outline_row(const struct outline *o, size_t i);
/* The row that the cursor is on; NULL: there is none. */
const struct outline_row *outline_at(const struct outline *o);

/* Keep in mind what the cursor is on; without rows, what it was on last. */
void outline_hold(struct outline *o);
/* The same for something that may not be there yet; ${item} NULL: a group. */
void outline_hold_id(struct outline *o, const struct outline_id *group,
    const struct outline_id *item);
/* The cursor goes back to what is held, wherever that is now: to an item of
 * this name, if there are several to the one at its place; when the item is
 * gone, to what stands there now; else to the group.  False: that is not
 * there, so the cursor stays on its row number, if there is one. */
bool outline_restore(struct outline *o);

/* Does the filter, with its words, show it, folded or not? */
bool outline_passes(const struct outline *o, size_t group, size_t item);

bool outline_folded(const struct outline *o, size_t group);
/* -1: no memory.  Then outline_build. */
int outline_fold(struct outline *o, size_t group, bool fold);
/* The group that it stands below, or itself. */
size_t outline_root(const struct outline *o, size_t group);

/* All but roots, which are only unfolded; those that come later too. */
void outline_fold_all(struct outline *o, bool fold);

bool outline_in_range(const struct outline *o, size_t row);

/**
 * outline_search(o, needle, from, back):
 * Put the cursor on the first row from ${from} on, or back, around the ends,
 * whose text has ${needle} (lower case) in it.  Forward, a folded group that
 * hides one is unfolded.  False: there is none.
 */
bool outline_search(struct outline *o, const char *needle, size_t from, bool back);

/* Put the cursor on the next row, or the one before, whose state is a problem's, in the same
 * way.  False: there is none.  Only where there are ->problems. */
bool outline_next_problem(struct outline *o, bool back);

/* Has it ${needle} (lower case, not empty) in what is searched? */
bool outline_matches(const struct outline *o, size_t group, size_t item, const char *needle);

/* How many match of what the filter shows, folded or not; ${*at}: which of them the cursor is
 * on, 0: none. */
size_t outline_count(const struct outline *o, const char *needle, size_t *at);

/* The two lists of a main view. */
struct panes {
	struct outline left, right;
	bool right_active;
};

struct outline *panes_active(struct panes *p);

#endif /* !UI_OUTLINE_H */
