#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/registry.h"
#include "ui/registry_names.h"
#include "ui/registry_source.h"
#include "ui/reveal.h"
#include "ui/term.h"

/* Nothing is selected where no list is shown. */
static const char *
needs_list(const struct app *a)
{
	const struct registry *r = a->registry;

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
	return a->registry->in_use || a->model->master != NULL ? NULL :
	    "neither a key nor a password is held";
}

const char *
act_registry_needs_key(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.key == NULL)
		return "select a key first";
	return s.key->exists ? NULL : "the registry has no such key; create it";
}

const char *
act_registry_needs_name(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
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
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
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
	struct registry_selection s = registry_selected(a->registry);
	const struct registry_version *v = s.key != NULL ? registry_key_latest(s.key) : NULL;

	if (needs_list(a) != NULL)
		return needs_list(a);
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
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.version != NULL)
		return s.version->state != REGISTRY_DELETED ? "this version is not deleted" : NULL;
	return s.use == NULL && s.key != NULL && registry_key_lost(s.key) != NULL ? NULL :
	    "select a deleted version, or a key of which all are";
}

/* Waiting for one answer, with a line at the foot of the screen. */
struct wait {
	struct registry_wait wait;
	struct registry_answer *answer;
	bool watching;		/* a rotation, which does not need that */
};

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

/**
 * registry_ask(a, req):
 * Ask, and wait for the answer while the interface goes on: it can be
 * resized, locked and left, and Esc ends the waiting.  NULL: no answer is
 * awaited any more, or the program is to end or lock, or there is no memory;
 * what is to be said of it was said.  The caller frees the answer, whose rc
 * may be -1.
 */
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
login_log_in(struct app *a)
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
	return registry_unavailable(a->registry) == NULL || login_log_in(a);
}

void
act_registry_log_in(struct app *a)
{
	if (login_log_in(a))
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
login_follow(struct app *a)
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
			over = ended(a, answer);
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
	if (!ended(a, answer))
		login_follow(a);
	registry_answer_free(answer);
}

#define REVEAL_MS 10000
#define STORED_NAME_MAX_BYTES 1024

/* Where a value goes; names are copies, as lists change while dialogs are open. */
struct place {
	struct buf path, key;
	unsigned int cas;	/* the version that must be the newest live one */
};

static void
place_init(struct place *p)
{
	buf_init(&p->path, STORED_NAME_MAX_BYTES);
	buf_init(&p->key, STORED_NAME_MAX_BYTES);
	p->cas = 0;
}

static void
place_release(struct place *p)
{
	buf_release(&p->path);
	buf_release(&p->key);
}

/* The version that is meant: the selected one, else the newest live one. */
static const struct registry_version *
stored_version_of(const struct registry_selection *s)
{
	if (s->version != NULL)
		return s->version;
	return s->key != NULL ? registry_key_latest(s->key) : NULL;
}

void
act_registry_reveal(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	const struct registry_version *v = stored_version_of(&s);
	int ms = a->options->reveal_ms > 0 ? a->options->reveal_ms : REVEAL_MS;
	struct registry_answer *answer;
	struct registry_request req;

	if (!term_has_private_screen()) {
		tell_message(a, "Not shown", "This terminal has no second screen (smcup), so a "
		    "value would stay in its scrollback. Use another terminal, or "
		    "`propseal registry get`.");
		return;
	}
	if (v == NULL)
		return;
	req = (struct registry_request){ .kind = REGISTRY_VALUE, .path = s.path->name,
	    .key = s.key->name, .version = v->number };
	answer = registry_ask_for(a, &req, "The value cannot be shown");
	if (answer == NULL)
		return;
	if (answer->value.len == 0)
		app_notice(a, "the value is empty");
	else if (reveal_show(a->reveal, answer->value.data, answer->value.len, ms) == -1)
		app_complain(a, "the value cannot be shown");
	registry_answer_free(answer);
}

/* It is stored: show it in the lists. */
static void
stored(struct app *a, struct place *p, unsigned int version)
{
	struct registry *r = a->registry;
	struct registry_path *rp = registry_path_get(&r->names, buf_cstr(&p->path));
	struct registry_key *k = rp != NULL ? registry_key_get(rp, buf_cstr(&p->key)) : NULL;

	if (k == NULL)
		return;
	if (!rp->exists) {
		rp->exists = true;
		rp->known = REGISTRY_KNOWN;
	}
	k->exists = true;
	k->counted = version != 0;
	k->summary.current = version;
	registry_forget(r, rp->name, k->name);
	registry_rows_go(r, rp->name, k->name);
	app_notice(a, "stored %s / %s as version %u", rp->name, k->name, version);
}

static void
send(struct app *a, struct place *p, const struct buf *value, const char *title)
{
	struct registry_request req = { .kind = REGISTRY_PUT, .path = buf_cstr(&p->path),
	    .key = buf_cstr(&p->key), .value = value, .cas = p->cas };
	struct registry_answer *answer = registry_ask_for(a, &req, title);

	if (answer != NULL)
		stored(a, p, answer->version);
	else
		registry_forget(a->registry, buf_cstr(&p->path), buf_cstr(&p->key));
	registry_answer_free(answer);
}

/* Ask for the value, and whether it is to be stored. */
static void
store_typed(struct app *a, struct place *p, const char *title)
{
	struct buf text, value;

	buf_init(&text, 16384);
	buf_init_secret(&value, DIALOG_SECRET_MAX);
	buf_append_str(&text, "Path: ");
	text_append_visible(&text, p->path.data, p->path.len);
	buf_append_str(&text, "\nKey: ");
	text_append_visible(&text, p->key.data, p->key.len);
	buf_append_str(&text, "\n\nWhat you type is not shown. A paste goes as it is, up to "
	    "the first line end.");
	if (ask_secret(a, title, buf_cstr(&text), "Value:", NULL, &value) &&
	    ask_confirm(a, title, p->cas == 0 ? "Store this value as the key's first live "
	    "version?" : "Store this value? Connectors that refer to the key get it when they "
	    "start next. The versions before stay.", "Store"))
		send(a, p, &value, "Not stored");
	buf_release(&value);
	buf_release(&text);
}

void
act_registry_update(struct app *a)
{
	struct registry_selection s;
	struct place p;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	if (s.key == NULL)
		return;
	if (s.key->exists && s.key->history == REGISTRY_UNKNOWN && !s.key->counted) {
		app_complain(a, "its versions are not known yet");
		return;
	}
	place_init(&p);
	buf_append_str(&p.path, s.path->name);
	buf_append_str(&p.key, s.key->name);
	p.cas = s.key->exists && s.key->counted ? s.key->summary.current : 0;
	store_typed(a, &p, p.cas == 0 ? "Store a first version" : "Store a new version");
	place_release(&p);
}

void
act_registry_add(struct app *a)
{
	struct registry_selection s;
	struct place p;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	place_init(&p);
	if (s.path != NULL)
		buf_append_str(&p.path, s.path->name);
	/* What a file refers to in vain is what is missing. */
	if (s.key != NULL && !s.key->exists)
		buf_append_str(&p.key, s.key->name);
	if (ask_text(a, "Create a secret", "The path is the name of the connector that refers to "
	    "it.", "Path:", &p.path) && p.path.len > 0 &&
	    ask_text(a, "Create a secret", "The key starts with a letter; letters, digits and "
	    ". _ - follow.", "Key:", &p.key) && p.key.len > 0)
		store_typed(a, &p, "Create a secret");
	place_release(&p);
}

#define DELETION_NAME_MAX_BYTES 1024

/* What is deleted or brought back: copies, as lists change meanwhile. */
struct target {
	struct buf path, key;	/* key empty: the whole path */
	unsigned int version;	/* 0: all of them */
	bool last;		/* the version is the only live one */
	size_t uses;
};

static size_t
live_count(const struct registry_key *k)
{
	const struct registry_version *v;
	size_t n = 0;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		n += v->state == REGISTRY_LIVE;
	}
	return n;
}

static void
deletion_target_init(struct target *t, const struct registry_selection *s)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->path, DELETION_NAME_MAX_BYTES);
	buf_init(&t->key, DELETION_NAME_MAX_BYTES);
	buf_append_str(&t->path, s->path->name);
	t->uses = s->path->uses;
	if (s->key != NULL) {
		buf_append_str(&t->key, s->key->name);
		t->uses = s->key->uses;
	}
	if (s->version != NULL) {
		t->version = s->version->number;
		t->last = s->version->state == REGISTRY_LIVE && live_count(s->key) == 1;
	}
}

static void
deletion_target_release(struct target *t)
{
	buf_release(&t->path);
	buf_release(&t->key);
}

static void
deletion_append_name(struct target *t, struct buf *out)
{
	buf_append_str(out, buf_cstr(&t->path));
	if (t->key.len > 0)
		buf_printf(out, " / %s", buf_cstr(&t->key));
	if (t->version != 0)
		buf_printf(out, ", version %u", t->version);
}

static bool
deletion_confirmed(struct app *a, struct target *t)
{
	struct buf text;
	bool yes;

	buf_init(&text, 8192);
	deletion_append_name(t, &text);
	buf_append_str(&text, t->version != 0 ? ": this version cannot be read then." :
	    t->key.len > 0 ? ": no version can be read then." :
	    ": none of its keys can be read then.");
	buf_append_str(&text, " What is deleted can be brought back until the registry destroys "
	    "it.");
	if (t->uses > 0 && (t->version == 0 || t->last))
		buf_printf(&text, "\n\nBeware: %zu %s here %s to it, and will dangle.", t->uses,
		    t->uses == 1 ? "entry" : "entries", t->uses == 1 ? "refers" : "refer");
	yes = t->version != 0 && !t->last ?
	    ask_confirm(a, "Delete a version", buf_cstr(&text), "Delete") :
	    ask_word(a, t->version != 0 ? "Delete the last version" : t->key.len > 0 ?
	    "Delete a key" : "Delete a path", buf_cstr(&text), "delete");
	buf_release(&text);
	return yes;
}

/* The path's keys stay in the list, so that they can be brought back. */
static void
deletion_forget(struct app *a, struct target *t)
{
	struct registry_path *p = registry_path_find(&a->registry->names, buf_cstr(&t->path));
	size_t i;

	registry_forget(a->registry, buf_cstr(&t->path), t->key.len > 0 ? buf_cstr(&t->key) : NULL);
	for (i = 0; t->key.len == 0 && p != NULL && i < p->keys.len; i++)
		registry_key_at(p, i)->history = REGISTRY_UNKNOWN;
}

static void
ask_registry(struct app *a, struct target *t, enum registry_kind kind, const char *title,
    const char *done)
{
	struct registry_request req = { .kind = kind, .path = buf_cstr(&t->path),
	    .key = t->key.len > 0 ? buf_cstr(&t->key) : NULL, .version = t->version };
	struct registry_answer *answer = registry_ask_for(a, &req, title);
	struct buf text;

	deletion_forget(a, t);
	if (answer == NULL)
		return;
	buf_init(&text, 4096);
	deletion_append_name(t, &text);
	app_notice(a, "%s %s", done, buf_cstr(&text));
	buf_release(&text);
	registry_answer_free(answer);
}

void
act_registry_delete(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct target t;

	if (s.path == NULL || !act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	if (s.path == NULL)
		return;
	deletion_target_init(&t, &s);
	if (deletion_confirmed(a, &t))
		ask_registry(a, &t, REGISTRY_DELETE, "Not deleted", "deleted");
	deletion_target_release(&t);
}

void
act_registry_undelete(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct target t;
	struct buf text;

	if (s.version == NULL && s.key != NULL)
		s.version = registry_key_lost(s.key);
	if (s.version == NULL)
		return;
	deletion_target_init(&t, &s);
	buf_init(&text, 4096);
	deletion_append_name(&t, &text);
	buf_append_str(&text, ": it can be read again then. If no later version is live, it is "
	    "what connectors get.");
	if (ask_confirm(a, "Bring a version back", buf_cstr(&text), "Bring back"))
		ask_registry(a, &t, REGISTRY_UNDELETE, "Not brought back", "brought back");
	buf_release(&text);
	deletion_target_release(&t);
}
