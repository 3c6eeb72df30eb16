#ifndef UI_VIEW_H
#define UI_VIEW_H

#include <stdbool.h>
#include <stdint.h>

struct app;

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

#endif /* !UI_VIEW_H */
