#include "base/error.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/browser.h"
#include "ui/help.h"
#include "ui/keymap.h"
#include "ui/marks.h"
#include "ui/model.h"
#include "ui/term.h"

#include <stdio.h>

void
act_help(struct app *a)
{
	enum action_id id = help_run(a);

	if (id != ACTION_COUNT && id != ACTION_HELP)
		keymap_run(a, id);
}

void
act_rescan(struct app *a)
{
	struct error err;

	browser_remember(a->browser, a);
	if (model_rescan(a->model, &err) == -1)
		app_complain(a, "%s", err.text);
	else
		app_notice(a, "read anew");
	a->browser->ranging = false;
	/* The cursor goes back to its place when the scan has got there. */
}

void
act_redraw(struct app *a)
{
	(void)a;
	term_redraw();
}

void
act_quit(struct app *a)
{
	size_t n = marks_count(a->model->marks);
	char text[160];

	if (n > 0) {
		snprintf(text, sizeof(text), "%zu %s marked and not applied. Marks are not kept; "
		    "no file has changed.", n, n == 1 ? "value is" : "values are");
		if (!ask_confirm(a, "Quit?", text, "Quit"))
			return;
	}
	a->quit = true;
}
