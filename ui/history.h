#ifndef UI_HISTORY_H
#define UI_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "trail/trail.h"
#include "ui/outline.h"

struct app;

/*
 * The state of the view of the history: the changes of the trail, the newest
 * first, by the day on which they were made.
 */
struct history {
	struct panes panes;	/* right: no rows */
	struct trail_log log;
	struct vec days;	/* of struct history_day */
	struct error problem;	/* why it could not; code 0: it could */
	uint64_t why_of;	/* the change of which is known whether it can be undone; 0: none */
	char *why;		/* why it cannot; NULL: it can */
};

struct history_day {
	char name[16];		/* 2026-01-31, UTC */
	size_t last, count;	/* its newest change in the log, and how many */
};

/* Read the trail anew; the cursor stays on its change. */
void history_read(struct app *a);

/* The change that the cursor is on; NULL: it is on none. */
const struct trail_change *history_selected(const struct app *a);

/* Why that one cannot be undone; NULL: it can, as far as its files are not looked at. */
const char *history_why(const struct app *a);

void history_open(struct history *h);
void history_close(struct history *h);

#endif /* !UI_HISTORY_H */
