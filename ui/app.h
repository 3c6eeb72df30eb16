#ifndef UI_APP_H
#define UI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/canvas.h"

struct app;
struct browser;
struct model;
struct registry;
struct reveal;
struct ui_options;
struct view;

/*
 * One layer of the screen: the browser at the bottom, dialogs above it.  All
 * are drawn, from the bottom up; the topmost gets the keys (loop_run).  A
 * view embeds this struct as its first member.
 */
struct view {
	void (*draw)(struct view *v, struct app *a);
	void (*key)(struct view *v, struct app *a, uint32_t key);
	bool secret;	/* a secret is being typed: keys are read past curses */
	bool done;	/* set by key(): loop_run returns */
	struct view *below;
};

#define LAYOUT_MIN_ROWS 5
#define LAYOUT_MIN_COLS 20

/* Where the parts of the main screen are.  A part without room has h 0. */
struct layout {
	bool usable;		/* at least 20x5 */
	bool two_panes;		/* side by side; else left and right are the same */
	struct rect title;
	struct rect left_head, left;
	struct rect right_head, right;
	struct rect rule;	/* the line above the detail */
	struct rect detail;
	struct rect status;	/* counts, and what just happened */
	struct rect footer;	/* keys */
};

void layout_make(struct layout *l, int rows, int cols);

#define APP_NOTICE_MAX 512

/* Everything that the parts of the interface share. */
struct app {
	const struct ui_options *options;
	struct model *model;
	struct browser *browser;
	struct registry *registry;
	bool in_registry;	/* its view is shown instead of that of the files */
	struct reveal *reveal;
	struct layout layout;

	struct view *top;		/* gets the keys */
	uint64_t idle_since;		/* the last key */
	uint64_t drawn_at;
	unsigned long handled;		/* events so far, for tests */
	char notice[APP_NOTICE_MAX];	/* what just happened, until the next key */
	bool notice_is_error;

	bool quit;
	bool locking;		/* dialogs close, keys are wiped, the lock screen comes */
	bool locked;		/* the lock screen is up */
	int end_signal;		/* not 0: leave, this signal came */
};

/* Say what happened, until the next key. */
void app_notice(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void app_complain(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* !UI_APP_H */
