#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/event.h"
#include "ui/loop.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_take.h"
#include "ui/style.h"
#include "ui/tell.h"
#include "ui/view.h"

/* Waiting for one answer, with a line at the foot of the screen. */
struct wait {
	struct registry_wait wait;
	struct registry_answer *answer;
	bool watching;		/* a rotation, which does not need that */
};

static void
draw(struct view *v, struct app *a)
{
	const struct rect *r = &a->layout.footer;
	const char *text = ((struct wait *)v)->watching ? "Esc stops watching" : r->w < 40 ?
	    "asking (Esc ends)" : "asking the registry   Esc ends the waiting";

	canvas_fill(r->y, r->x, r->w, STYLE_TEXT);
	canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, text);
	canvas_cursor(r->y, r->x, true);
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	(void)a;
	if (k == INPUT_ESCAPE)
		v->done = true;
}

static void
take(struct registry_wait *w, struct app *a, struct registry_answer *answer)
{
	(void)a;
	((struct wait *)w)->answer = answer;
	w->view.done = true;
}

static struct registry_answer *
wait_for(struct app *a, unsigned long id, bool watching)
{
	struct wait w = { .wait = { .view = { .draw = draw, .key = key }, .id = id,
	    .take = take }, .watching = watching };
	struct registry *r = a->registry;
	bool left;

	r->waiting = &w.wait;
	left = !loop_run(a, &w.wait.view);
	r->waiting = NULL;
	if (w.answer == NULL) {
		r->source->cancel(r->source->cookie, id);
		if (!left)
			app_complain(a, "not waited for; it may have been done all the same");
	} else if (left) {
		registry_answer_free(w.answer);
		w.answer = NULL;
	}
	return w.answer;
}

struct registry_answer *
registry_ask(struct app *a, const struct registry_request *req)
{
	struct registry *r = a->registry;
	struct registry_answer *answer;
	struct error err;
	unsigned long id;

	if (r->source == NULL || (registry_unavailable(r) != NULL && !act_registry_ready(a)))
		return NULL;
	r->in_use = true;
	id = r->source->submit(r->source->cookie, req, &err);
	if (id == 0) {
		tell_error(a, "The registry cannot be asked", &err);
		return NULL;
	}
	answer = wait_for(a, id, req->kind == REGISTRY_ROTATION);
	if (answer != NULL && answer->rc != 0 && registry_merge_failure(r, answer))
		registry_rows_build(r);
	return answer;
}

struct registry_answer *
registry_ask_for(struct app *a, const struct registry_request *req, const char *title)
{
	struct registry_answer *answer = registry_ask(a, req);
	struct error err;

	if (answer == NULL || answer->rc == 0)
		return answer;
	err = answer->err;
	/* The place is the registry's URL, which is no file. */
	err.file[0] = '\0';
	if (answer->status == 401)
		(void)error_hint(&err, "log in again");
	registry_answer_free(answer);
	tell_error(a, title, &err);
	return NULL;
}
