#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/outline.h"
#include "ui/registry.h"
#include "ui/term.h"

#define USER_MAX 255
#define ROTATION "Rotate the registry's data key"

/* Between two questions for the progress: a short one is seen to its end at
 * once, a long one does not fill the audit log. */
#define POLL_MS 200
#define POLL_MAX_MS 1600

/* Of the audit log. */
#define FOLLOW_MS 1000	/* between two looks at it */
#define WIDE 100	/* a narrower screen has no date */
#define NARROW 50	/* and a narrow one only what was done, and how it ended */

/* Waiting for one answer, with a line at the foot of the screen. */
struct wait {
	struct registry_wait wait;
	struct registry_answer *answer;
	bool watching;		/* a rotation, which does not need that */
};

/* The end of the audit log, asked for again and again while it is shown. */
struct tail {
	struct registry_wait wait;
	struct registry_answer *answer;	/* the last one with lines */
	struct list list;
	char problem[256];		/* it could not be asked for again */
};

/* Columns of a line: time, who, what, where, and how it ended. */
struct columns {
	int time, who, what;
};

/* --- why something cannot be done now --- */

/* What is selected.  Nothing is where no list is shown: why. */
static const char *
needs_list(const struct app *a, struct registry_selection *s)
{
	const struct registry *r = a->registry;

	*s = registry_selected(r);
	if (r->source == NULL)
		return "no registry is configured";
	if (registry_shown(r))
		return NULL;
	if (registry_unavailable(r) != NULL || r->no_login)
		return "log in first";
	return r->known == REGISTRY_FAILED ? "the registry was not reached; ask again first" :
	    "the registry has not answered yet";
}

const char *
act_registry_needs_one(const struct app *a)
{
	return a->registry->source == NULL ? "no registry is configured" : NULL;
}

const char *
act_registry_needs_login(const struct app *a)
{
	return a->registry->in_use || act_needs_unlocked(a) == NULL ? NULL :
	    "neither a key nor a password is held";
}

const char *
act_registry_needs_key(const struct app *a)
{
	struct registry_selection s;
	const char *why = needs_list(a, &s);

	if (why != NULL)
		return why;
	if (s.key == NULL)
		return "select a key first";
	return s.key->exists ? NULL : "the registry has no such key; create it";
}

const char *
act_registry_needs_name(const struct app *a)
{
	struct registry_selection s;
	const char *why = needs_list(a, &s);

	if (why != NULL)
		return why;
	if (s.use != NULL)
		return "this is a reference in a file, which the registry does not keep";
	if (s.path == NULL || (a->registry->panes.right_active && s.version == NULL))
		return "select a path, a key or a version first";
	if (s.version != NULL)
		return s.version->state == REGISTRY_LIVE ? NULL :
		    "this version is not live any more";
	if (s.key != NULL ? !s.key->exists : !s.path->exists)
		return s.key != NULL ? "the registry has no such key" :
		    "the registry has no such path";
	return (s.key != NULL ? registry_key_state(s.key) : registry_path_state(s.path)) ==
	    REGISTRY_LIVE ? NULL : "no version of it is live any more";
}

const char *
act_registry_needs_live(const struct app *a)
{
	struct registry_selection s;
	const char *why = needs_list(a, &s);

	if (why != NULL)
		return why;
	if (s.version != NULL)
		return s.version->state == REGISTRY_LIVE ? NULL :
		    "only a live version can be read";
	if (s.key == NULL || a->registry->panes.right_active)
		return "select a key or one of its versions first";
	if (s.key->history == REGISTRY_UNKNOWN)
		return s.key->exists ? "its versions are not known yet" :
		    "the registry has no such key";
	return registry_key_latest(s.key) == NULL ? "no version of it is live" : NULL;
}

const char *
act_registry_needs_version(const struct app *a)
{
	return registry_selected(a->registry).version == NULL ?
	    "select a version on the right first" : NULL;
}

const char *
act_registry_needs_two(const struct app *a)
{
	struct registry_selection s;
	const char *why = needs_list(a, &s);
	const struct registry_version *v = s.key != NULL ? registry_key_latest(s.key) : NULL;

	if (why != NULL)
		return why;
	if (v == NULL || registry_key_live_before(s.key, v->number) == NULL)
		return "there are no two live versions of a key to compare";
	if (s.version != NULL && s.version->state != REGISTRY_LIVE)
		return "only a live version can be read";
	return s.version != NULL && a->registry->marked == 0 &&
	    registry_key_live_before(s.key, s.version->number) == NULL ?
	    "no live version before this one; mark another one first" : NULL;
}

const char *
act_registry_needs_deleted(const struct app *a)
{
	struct registry_selection s;
	const char *why = needs_list(a, &s);

	if (why != NULL)
		return why;
	if (s.version != NULL)
		return s.version->state != REGISTRY_DELETED ? "this version is not deleted" : NULL;
	return s.use == NULL && s.key != NULL && registry_key_lost(s.key) != NULL ? NULL :
	    "select a deleted version, or a key of which all are";
}

/* --- asking the registry --- */

static void
asking_draw(struct layer *layer, struct app *a)
{
	const struct rect *r = &a->layout.footer;
	const char *text = ((struct wait *)layer)->watching ? "Esc stops watching" : r->w < 40 ?
	    "asking (Esc ends)" : "asking the registry   Esc ends the waiting";

	canvas_fill(r->y, r->x, r->w, STYLE_TEXT);
	canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTE, text);
	canvas_cursor(r->y, r->x, true);
}

static void
asking_key(struct layer *layer, struct app *a, uint32_t k)
{
	(void)a;
	if (k == INPUT_ESCAPE)
		layer->done = true;
}

static void
asking_take(struct registry_wait *w, struct app *a, struct registry_answer *answer)
{
	(void)a;
	((struct wait *)w)->answer = answer;
	w->layer.done = true;
}

static struct registry_answer *
asking_wait_for(struct app *a, unsigned long id, bool watching)
{
	struct wait w = { .wait = { .layer = { .draw = asking_draw, .key = asking_key }, .id = id,
	    .take = asking_take }, .watching = watching };
	struct registry *r = a->registry;
	bool left;

	r->waiting = &w.wait;
	left = !loop_run(a, &w.wait.layer);
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

/* The answer, whose rc may be -1; NULL: there is none, and that was said. */
static struct registry_answer *
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
	answer = asking_wait_for(a, id, req->kind == REGISTRY_ROTATION);
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

/* --- logging in, and rotating the data key --- */

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
	buf_init_secret(&password, SECRET_FIELD_MAX);
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
rotation_ended(struct app *a, const struct registry_answer *answer)
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
rotation_follow(struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_ROTATION, .delay_ms = POLL_MS };
	struct registry_answer *answer;
	struct dialog d;
	bool over = false;

	dialog_init(&d, DIALOG_PROGRESS, "Sealing again");
	buf_append_str(&d.text, "The registry seals every record with a new data key. It goes on "
	    "by itself when you stop watching (Esc); secrets can be read and written meanwhile.");
	d.layer.below = a->top;
	a->top = &d.layer;
	for (; !over; req.delay_ms = req.delay_ms < POLL_MAX_MS ? 2 * req.delay_ms : POLL_MAX_MS) {
		d.done = a->registry->rotated;
		d.total = a->registry->rotation_total;
		answer = registry_ask_for(a, &req, "The progress is not known");
		over = answer == NULL || !answer->running;
		if (answer != NULL) {
			a->top = d.layer.below;
			over = rotation_ended(a, answer);
			if (!over)
				a->top = &d.layer;
			registry_answer_free(answer);
		}
	}
	a->top = d.layer.below;
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
	if (!rotation_ended(a, answer))
		rotation_follow(a);
	registry_answer_free(answer);
}

/* --- the end of the audit log --- */

static void
audit_follow(struct tail *t, struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_AUDIT, .delay_ms = FOLLOW_MS };
	const struct registry_source *s = a->registry->source;
	struct error err;

	t->wait.id = s->submit(s->cookie, &req, &err);
	if (t->wait.id == 0)
		snprintf(t->problem, sizeof(t->problem), "%.255s", err.text);
}

static void
audit_take(struct registry_wait *w, struct app *a, struct registry_answer *answer)
{
	struct tail *t = (struct tail *)w;
	bool at_end = t->list.cursor + 1 >= t->list.count;

	w->id = 0;
	if (answer->rc != 0) {
		snprintf(t->problem, sizeof(t->problem), "%.255s", answer->err.text);
		registry_answer_free(answer);
		return;
	}
	registry_answer_free(t->answer);
	t->answer = answer;
	list_fit(&t->list, answer->events.len, t->list.height);
	if (at_end && answer->events.len > 0)
		list_go(&t->list, answer->events.len - 1);
	audit_follow(t, a);
}

static const char *
who_of(const struct registry_event *e)
{
	if (e->who[0] == '\0')
		return "-";
	return strncmp(e->who, "User:", 5) == 0 ? e->who + 5 : e->who;
}

static int
widest(int now, const char *text, int most)
{
	int w = columns_text(text, strlen(text));
	size_t i;

	/* What the canvas makes of control characters: \x1b. */
	for (i = 0; text[i] != '\0'; i++)
		w += (unsigned char)text[i] < ' ' || text[i] == 0x7f ? 3 : 0;
	return w < now ? now : w < most ? w : most;
}

static void
audit_measure(const struct tail *t, int w, struct columns *c)
{
	const struct registry_event *e;
	size_t i;

	*c = (struct columns){ .time = w >= WIDE ? 19 : w >= NARROW ? 8 : 0 };
	for (i = 0; i < t->answer->events.len; i++) {
		e = vec_at(&t->answer->events, i);
		if (w >= NARROW)
			c->who = widest(c->who, who_of(e), w / 6);
		c->what = widest(c->what, e->what, 24);
	}
}

static int
draw_column(int y, int x, int w, unsigned int style, const char *text)
{
	if (w == 0)
		return 0;
	canvas_text(y, x, w, style, text);
	return w + 1;
}

/* [[2026-10-05 ]11:22:33 alice ]GetSecretVersion conn-a / password, version 1  200 */
static void
draw_event(const struct registry_event *e, const struct columns *c, int y, int w,
    unsigned int extra)
{
	unsigned int style = (e->denied || e->status >= 400 ? STYLE_ERROR : STYLE_TEXT) | extra;
	char time[20], end[24];
	int x = 1;

	snprintf(time, sizeof(time), "%.19s", e->time);
	x += draw_column(y, x, c->time, STYLE_NOTE | extra, c->time >= 19 || strlen(time) < 11 ?
	    time : time + 11);
	if (e->denied)
		snprintf(end, sizeof(end), "denied");
	else if (e->status != 0)
		snprintf(end, sizeof(end), "%d", e->status);
	else
		snprintf(end, sizeof(end), "%s", e->phase);
	w -= 2 + canvas_right(y, x, w - x - 1, style, end);
	if (x < w)
		x += draw_column(y, x, c->who < w - x ? c->who : w - x, style, who_of(e));
	if (x < w)
		x += draw_column(y, x, c->what < w - x ? c->what : w - x, style, e->what);
	if (x < w)
		canvas_text(y, x, w - x, style, e->where);
}

static void
audit_draw(struct layer *layer, struct app *a)
{
	struct tail *t = (struct tail *)layer;
	struct rect all = { 0, 0, 0, 0 };
	struct columns c;
	char text[512];
	unsigned int extra;
	size_t i;
	int y;

	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	snprintf(text, sizeof(text), all.w < 40 ? "Audit log" : "Audit log of %.400s",
	    a->registry->source->url);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, text);
	list_fit(&t->list, t->answer->events.len, (size_t)(all.h - 2));
	if (t->list.count == 0)
		canvas_text(1, 1, all.w - 2, STYLE_NOTE, "nothing was written yet");
	audit_measure(t, all.w, &c);
	for (i = t->list.top; i < t->list.count && i - t->list.top < t->list.height; i++) {
		y = 1 + (int)(i - t->list.top);
		extra = i == t->list.cursor ? STYLE_SELECTED : 0;
		if (extra != 0) {
			canvas_fill(y, 0, all.w, STYLE_TEXT | extra);
			canvas_cursor(y, 0, true);
		}
		draw_event(vec_at(&t->answer->events, i), &c, y, all.w, extra);
	}
	if (t->problem[0] != '\0')
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_ERROR, t->problem);
	else
		canvas_text(all.h - 1, 1, all.w - 2, STYLE_NOTE, all.w < 50 ? "Esc back" :
		    "Esc back   Up Down PgUp PgDn scroll; at the end it follows");
}

static void
audit_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct tail *t = (struct tail *)layer;

	(void)a;
	if (k == INPUT_ESCAPE || k == 'q')
		layer->done = true;
	else if (k == 'j' || k == 'k')
		(void)list_key(&t->list, k == 'j' ? INPUT_DOWN : INPUT_UP);
	else
		(void)list_key(&t->list, k);
}

void
act_registry_audit(struct app *a)
{
	struct registry_request req = { .kind = REGISTRY_AUDIT };
	struct registry *r = a->registry;
	struct tail t;

	memset(&t, 0, sizeof(t));
	t.wait.layer.draw = audit_draw;
	t.wait.layer.key = audit_key;
	t.wait.take = audit_take;
	t.answer = registry_ask_for(a, &req, "The audit log cannot be shown");
	if (t.answer == NULL)
		return;
	t.list.count = t.answer->events.len;
	t.list.cursor = t.list.count > 0 ? t.list.count - 1 : 0;
	r->waiting = &t.wait;
	audit_follow(&t, a);
	(void)loop_run(a, &t.wait.layer);
	r->waiting = NULL;
	if (t.wait.id != 0)
		r->source->cancel(r->source->cookie, t.wait.id);
	registry_answer_free(t.answer);
}
