#ifndef UI_APP_H
#define UI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/layout.h"

struct browser;
struct model;
struct registry;
struct reveal;
struct ui_options;
struct view;

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
