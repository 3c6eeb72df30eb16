#ifndef UI_APP_H
#define UI_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/canvas.h"
#include "ui/clipboard.h"
#include "ui/theme.h"
#include "ui/view.h"

struct app;
struct buf;
struct event;
struct files;
struct findings;
struct history;
struct job;
struct jobs;
struct model;
struct pending;
struct registry;
struct resume;
struct reveal;
struct rotating;
struct scan;
struct ui_options;
struct watch;

#define NOTICES_MAX 200

/*
 * What was told lately: the notices below the panes, and errors of dialogs.
 * Never a value: no such text has one.
 */
struct notices {
	struct notice {
		int64_t at;	/* milliseconds since 1970 */
		bool is_error;
		char *text;	/* NULL: there was no memory for it */
	} ring[NOTICES_MAX];
	size_t count;		/* since the start; the last ones are in the ring */
};

void notices_release(struct notices *n);

/* Append those that are kept, the newest first, a line each; `!` before an error. */
void notices_append(const struct notices *n, struct buf *out);

/* What the help says of a layer that is open. */
#define ABOUT_KEYS 14

struct about {
	const char *title;	/* what it is called */
	bool types;		/* a field is open: characters are text, and no keys */
	size_t count;
	struct {
		uint32_t key;
		const char *text;	/* what it does */
	} keys[ABOUT_KEYS];
};

/* One key more. */
void about_key(struct about *b, uint32_t key, const char *text);

/*
 * One layer of the screen: the main view at the bottom, dialogs above it.  All
 * are drawn, from the bottom up; the topmost gets the keys (loop_run).  What
 * is a layer embeds this struct as its first member.
 */
struct layer {
	void (*draw)(struct layer *l, struct app *a);
	void (*key)(struct layer *l, struct app *a, uint32_t key);
	/* A pasted text (secret; failed: it was too long), which is never taken for keys.
	 * NULL: it is dropped, and that is told. */
	void (*paste)(struct layer *l, struct app *a, const struct buf *text);
	/* A button or the wheel; NULL: nothing. */
	void (*mouse)(struct layer *l, struct app *a, const struct event *e);
	/* Its keys, for the help and the palette over it; NULL: they do not open. */
	void (*about)(const struct layer *l, struct about *out);
	bool aside;	/* it is no question: the help, the palette */
	bool secret;	/* a secret is being typed: keys are read past curses */
	bool covers;	/* all of the screen: what is below is not drawn */
	bool done;	/* set by key(): loop_run returns */
	struct layer *below;
};

#define LAYOUT_MIN_ROWS 5
#define LAYOUT_MIN_COLS 20

/* Where the parts of the main screen are.  A part without room has h 0. */
struct layout {
	bool usable;		/* at least 20x5 */
	bool two_panes;		/* side by side; else left and right are the same */
	bool three_panes;	/* the detail is beside them, its rule the line above it; else
				 * both are below */
	struct rect tabs;	/* the views, and how things are in the one that is shown */
	struct rect left_head, left;
	struct rect right_head, right;
	struct rect rule;	/* the line above the detail */
	struct rect detail;
	struct rect status;	/* counts, and what just happened */
	struct rect footer;	/* keys */
	int tab_end[VIEW_COUNT];	/* the column behind each tab; 0: it is not drawn */
	struct rect rows[2];	/* of the left and the right list; h 0: it is not drawn */
};

#define LESSON_ROWS 9	/* of a lesson of the tutor, as ${detail} */

/* ${two_panes}: fewer columns have one pane, 0: as most views.  ${third}: where there is much
 * room, the detail is a third pane.  ${detail}: its rows, where there is room for them; 0: as
 * usual. */
void layout_make(struct layout *l, int rows, int cols, int two_panes, bool third, int detail);

#define APP_NOTICE_MAX 512

#define PALETTE_TYPED_MAX 256
#define PALETTE_RECENT 5

/* What the palette keeps from one time to the next. */
struct palette_past {
	char typed[PALETTE_TYPED_MAX];	/* and not used: the next letter takes its place */
	int recent[PALETTE_RECENT];	/* enum action_id, the last one first */
	size_t recent_count;
};

/* Everything that the parts of the interface share. */
struct app {
	struct ui_options *options;
	struct model *model;
	struct files *files;		/* the state of each main view */
	struct findings *findings;
	struct pending *pending;
	struct rotating *rotating;
	struct history *history;
	struct registry *registry;
	enum view_id view;		/* which is shown */
	enum view_id former_view;	/* which was shown before it */
	char search[256];		/* what was searched for last, in lower case */
	bool searched;			/* it is shown where that is */
	struct palette_past palette;
	struct reveal *reveal;
	struct resume *resume;		/* keeps marks for a run that is not left; NULL: none are */
	struct clipboard clipboard;
	struct ground ground;
	struct jobs *jobs;
	struct scan *scans;		/* that look for files */
	uint64_t scan_at;		/* when what they have found is taken and shown */
	struct watch *watch;		/* of the files that are shown */
	unsigned long watched;		/* which state of them, and one; 0: none yet */
	struct job *job;		/* that the user waits for (job.h); NULL: none */
	struct layout layout;

	struct layer base;		/* the main view (frame.c) */
	struct layer *top;		/* gets the keys */
	uint64_t idle_since;		/* the last key */
	unsigned long handled;		/* events so far, for tests; */
	unsigned long handled_before;	/* of these in former runs, as before the tutor */
	char notice[APP_NOTICE_MAX];	/* what just happened */
	bool notice_is_error;
	bool notice_stays;		/* until another one, Esc or the log; else until a key */
	bool notice_seen;		/* a key came since */
	struct notices notices;		/* all of them, for a while */

	bool mouse;		/* it is used */
	bool first_run;		/* nothing was named: where nothing is sealed, explain it */
	bool quit;
	bool worked;		/* a job was waited for: what was typed meanwhile is dropped */
	bool dropped;		/* some of it already */
	bool interrupted;	/* ^C asks whether to leave; the next one leaves */
	bool locking;		/* dialogs close, keys are wiped, the lock screen comes */
	bool idled;		/* as no key was hit for so long */
	bool given_up;		/* what was open then */
	bool locked;		/* the lock screen is up, and nothing is typed there */
	int end_signal;		/* not 0: leave, this signal came */
};

/* Is a question open, or a step of a wizard? */
bool app_asks(const struct app *a);

/* Show a view, if it is not shown already. */
void app_show(struct app *a, enum view_id view);

/* Say what happened, until the next key; what went wrong until Esc, the log or the next one. */
void app_notice(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void app_complain(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Complain of what a change noted, a line each. */
void app_complain_lines(struct app *a, struct buf *lines);

/* Say why a key did nothing, until the next one. */
void app_refuse(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Say something about the key that was hit, which is not kept; that it is no good one. */
void app_tell(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void app_hint(struct app *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A key came: what does not stay goes.  ${leave}: what stays is read too. */
void app_pass_notice(struct app *a, bool leave);

/* Keep a failure that was told elsewhere among the notices. */
void app_keep(struct app *a, const char *text);

/* Say one thing more beside what is said already. */
void app_add_notice(struct app *a, const char *text);

#endif /* !UI_APP_H */
