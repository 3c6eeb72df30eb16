#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/dialog.h"
#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/tell.h"

#define USER_MAX 255
/* Between two questions for the progress: a short one is seen to its end at
 * once, a long one does not fill the audit log. */
#define POLL_MS 200
#define POLL_MAX_MS 1600
#define ROTATION "Rotate the registry's data key"

/* Who logs in: as the command line says, else asked for. */
static bool
ask_user(struct app *a, struct buf *user)
{
	const struct registry *r = a->registry;
	char text[512];

	buf_append_str(user, r->user);
	if (r->source->user != NULL)
		return true;
	snprintf(text, sizeof(text), "Registry: %.400s", r->source->url);
	return ask_text(a, "Log in", text, "User:", user) && user->len > 0;
}

static bool
log_in(struct app *a)
{
	struct registry *r = a->registry;
	struct buf user, password, text;
	struct error err;
	bool done = false;

	buf_init(&user, USER_MAX);
	buf_init(&text, 8192);
	buf_init_secret(&password, DIALOG_SECRET_MAX);
	if (ask_user(a, &user) && buf_check(&user, NULL) == 0) {
		buf_printf(&text, "Registry: %s\nUser: %s\n\nThe password is not shown, and is "
		    "wiped when the screen is locked.", r->source->url, buf_cstr(&user));
		if (ask_secret(a, "Log in", buf_cstr(&text), "Password:", NULL, &password)) {
			done = registry_log_in(r, buf_cstr(&user), &password, &err) == 0;
			if (!done)
				tell_error(a, "Not logged in", &err);
		}
	}
	buf_release(&password);
	buf_release(&text);
	buf_release(&user);
	return done;
}

bool
act_registry_ready(struct app *a)
{
	if (a->registry->source == NULL)
		return false;
	return registry_unavailable(a->registry) == NULL || log_in(a);
}

void
act_registry_log_in(struct app *a)
{
	if (log_in(a))
		app_notice(a, "asking as %s", a->registry->user);
}

/* Say how it ended.  False: it still runs. */
static bool
ended(struct app *a, const struct registry_answer *answer)
{
	struct registry *r = a->registry;

	r->rotating = answer->running;
	r->rotated = answer->done;
	r->rotation_total = answer->total;
	if (answer->running)
		return false;
	if (answer->failure[0] != '\0')
		tell_message(a, "The rotation stopped", answer->failure);
	else
		app_notice(a, "every secret is sealed with a new data key");
	return true;
}

/* Follow it with a box over the view, which is drawn again for each answer. */
static void
follow(struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_ROTATION, .delay_ms = POLL_MS };
	struct registry_answer *answer;
	struct dialog d;
	bool over = false;

	dialog_init(&d, DIALOG_PROGRESS, "Sealing again");
	buf_append_str(&d.text, "The registry seals every record with a new data key. It goes on "
	    "by itself when you stop watching (Esc); secrets can be read and written meanwhile.");
	d.view.below = a->top;
	a->top = &d.view;
	for (; !over; req.delay_ms = req.delay_ms < POLL_MAX_MS ? 2 * req.delay_ms : POLL_MAX_MS) {
		d.done = a->registry->rotated;
		d.total = a->registry->rotation_total;
		answer = registry_ask_for(a, &req, "The progress is not known");
		over = answer == NULL || !answer->running;
		if (answer != NULL) {
			a->top = d.view.below;
			over = ended(a, answer);
			if (!over)
				a->top = &d.view;
			registry_answer_free(answer);
		}
	}
	a->top = d.view.below;
	dialog_release(&d);
	if (a->registry->rotating)
		app_notice(a, "the rotation goes on");
}

void
act_registry_rotate(struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_ROTATE };
	struct registry_answer *answer;

	if (!act_registry_ready(a) || !ask_word(a, ROTATION, "The registry makes a new data key "
	    "and seals every secret again with it, while it goes on working. Values, versions "
	    "and dates stay. It cannot be undone, and needs no undoing.", "rotate"))
		return;
	answer = registry_ask_for(a, &req, "Not rotated");
	if (answer == NULL)
		return;
	if (!ended(a, answer))
		follow(a);
	registry_answer_free(answer);
}
