#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "rotation/rotation.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/key_show.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/rotating.h"

/* What the keys do in the view of rotations: Enter goes on, w carries out, Z takes back. */

#define PLACE_BYTES 32768
#define TOLD_BYTES ((size_t)1 << 20)

void
act_view_rotation(struct app *a)
{
	app_show(a, VIEW_ROTATION);
}

/* Start with one environment ticked, that of the cursor. */
static void
rotation_start(struct app *a, bool master)
{
	struct rotating *t = a->rotating;
	struct selection s = selection_get(a);
	const struct environment *x = s.environment != NULL ? s.environment : s.root != NULL ?
	    s.root->environment : NULL;

	app_show(a, VIEW_ROTATION);
	if (t->session != NULL) {
		app_complain(a, "this rotation is not finished: go on with it (%s), or take it "
		    "back (%s)", KEY(ACTION_APPLY), KEY(ACTION_TAKE_BACK));
		return;
	}
	t->master = master;
	t->data = !master;
	t->common = true;
	rotating_go(a, ROTATING_PLAN, 1);
	for (size_t i = 0; i < t->environments.len; i++) {
		struct rotating_environment *at = vec_at(&t->environments, i);

		at->on = x != NULL && strcmp(at->path, x->path) == 0;
		if (at->on)
			list_go(&t->panes.left.list, outline_find(&t->panes.left, 1, i));
	}
	outline_hold(&t->panes.left);
}

void
act_rotate_master(struct app *a)
{
	rotation_start(a, true);
}

void
act_rotate_data(struct app *a)
{
	rotation_start(a, false);
}

const char *
act_rotation_needs_session(const struct app *a)
{
	return a->rotating->session == NULL ? "no rotation is under way" : NULL;
}

const char *
act_rotation_needs_plan(const struct app *a)
{
	return a->rotating->session != NULL ? "the rotation is planned already" : NULL;
}

const char *
act_rotation_needs_tick(const struct app *a)
{
	const struct rotating_row *r = rotating_here(a);

	if (r == NULL || r->kind == ROTATING_ROW_FOUND || r->kind == ROTATING_ROW_FILE ||
	    r->kind == ROTATING_ROW_END || r->kind == ROTATING_ROW_OTHER)
		return "there is nothing to tick on this line";
	return r->kind == ROTATING_ROW_KEY ? "Enter shows the key; the check ticks it" : NULL;
}

const char *
act_rotation_needs_diff(const struct app *a)
{
	return a->rotating->diff.len == 0 ? "the change is shown once it is planned" : NULL;
}

void
act_rotation_tick(struct app *a)
{
	struct rotating *t = a->rotating;
	const struct rotating_row *r = rotating_here(a);
	struct rotating_environment *x;
	char name[ROTATING_TICK];

	if (r->kind == ROTATING_ROW_HOST) {
		rotating_host_tick(t, r->index, r->step, name);
		if (rotating_note(a, name))
			act_down(a);
		rotating_build(a);
		return;
	}
	if (r->kind == ROTATING_ROW_ENVIRONMENT) {
		x = vec_at(&t->environments, r->index);
		x->on = !x->on;
		/* What was not opened is not known. */
		if (x->on && !x->looked)
			t->step = ROTATING_PLAN;
	} else {
		if (r->kind == ROTATING_ROW_MASTER)
			t->master = !t->master;
		else if (r->kind == ROTATING_ROW_COMMON)
			t->common = !t->common;
		else
			t->data = !t->data;
		t->step = ROTATING_PLAN;
	}
	rotating_build(a);
}

void
act_rotation_all(struct app *a)
{
	struct rotating *t = a->rotating;
	bool on = rotating_count_on(t) < t->environments.len;

	for (size_t i = 0; i < t->environments.len; i++)
		((struct rotating_environment *)vec_at(&t->environments, i))->on = on;
	t->step = ROTATING_PLAN;
	rotating_build(a);
}

void
act_rotation_diff(struct app *a)
{
	review_show(a, "What the rotation changes", buf_cstr(&a->rotating->diff));
}

/* See that all that is ticked can be opened, asking for what is not at hand.  Lists are made
 * anew when a key was found. */
static bool
plan_unlock(struct app *a)
{
	struct rotating *t = a->rotating;
	const struct rotating_environment *x;
	struct environments *e;
	struct environment *at;

	for (size_t i = 0; i < t->environments.len; i++) {
		x = vec_at(&t->environments, i);
		e = model_environments(a->model);
		at = NULL;
		for (size_t k = 0; x->on && k < environments_count(e) && at == NULL; k++)
			if (strcmp(environments_at(e, k)->path, x->path) == 0)
				at = environments_at(e, k);
		if (at != NULL && unlock_run(a, at) == -1)
			return false;
	}
	return true;
}

static void
next_check(struct app *a)
{
	struct rotating *t = a->rotating;

	if (!t->master && !t->data) {
		app_complain(a, "tick which keys are to be new");
		return;
	}
	if (rotating_count_on(t) == 0) {
		app_complain(a, "tick the environments that are to have new keys");
		return;
	}
	if (plan_unlock(a) && rotating_check(a))
		rotating_go(a, ROTATING_KEYS, 2);
}

static void
next_plan(struct app *a)
{
	struct rotating *t = a->rotating;
	size_t stops = 0;

	for (size_t i = 0; i < t->environments.len; i++) {
		const struct rotating_environment *x = vec_at(&t->environments, i);

		stops += x->on && x->problems > 0;
	}
	if (stops > 0) {
		app_complain(a, "%zu of them cannot be rotated: see why, or leave %s out (Space)",
		    stops, stops == 1 ? "it" : "them");
		return;
	}
	if (rotating_count_on(t) == 0) {
		app_complain(a, "no environment is left");
		return;
	}
	rotating_lock(t);
	if (t->master && !ask_new_passphrase(a, "New master keys", "The new master key is derived "
	    "from a new passphrase. Whoever knows it can make the key again from the secrets file. "
	    "It is in no file: keep it.", &t->passphrase))
		return;
	if (rotating_make(a)) {
		rotating_go(a, rotating_stands(t), 0);
		app_notice(a, "planned, and nothing is changed yet: %s shows it, %s applies it",
		    KEY(ACTION_DIFF), KEY(ACTION_APPLY));
	}
}

/* Show a new key, this once, and note that it was saved. */
static void
next_key(struct app *a, size_t file)
{
	char name[ROTATING_TICK];
	struct key *k;

	rotating_key_tick(a->rotating, file, name);
	if (rotation_ticked(a->rotating->session, name)) {
		app_complain(a, "it was shown, and is saved");
		return;
	}
	if ((k = rotating_key(a, file)) == NULL)
		return;
	if (key_show_run(a, k, "New master key") && rotating_note(a, name)) {
		rotating_build(a);
		app_notice(a, "saved");
	}
	key_free(k);
}

/* The session of the row takes the place of the one that is shown. */
static void
next_session(struct app *a, size_t other)
{
	struct rotating *t = a->rotating;

	rotating_choose(a, other);
	rotating_go(a, t->step, 0);
	if (t->session != NULL)
		app_notice(a, "this is the rotation %s", rotation_id(t->session));
}

void
act_rotation_next(struct app *a)
{
	struct rotating *t = a->rotating;
	const struct outline_row *row = outline_at(&t->panes.left);
	const struct rotating_row *r = rotating_here(a);

	if (r != NULL && r->kind == ROTATING_ROW_OTHER)
		next_session(a, r->index);
	else if (t->step == ROTATING_PLAN)
		next_check(a);
	else if (t->step == ROTATING_KEYS)
		next_plan(a);
	else if (r != NULL && r->kind == ROTATING_ROW_KEY)
		next_key(a, r->index);
	else if (row != NULL && row->item == OUTLINE_HEAD)
		act_turn_fold(a);
	else if (t->step < rotating_stands(t) ||
	    (t->step == ROTATING_HOSTS && rotating_stands(t) == ROTATING_HOSTS))
		rotating_go(a, (enum rotating_step)(t->step + 1), 0);
	else
		app_complain(a, "first %s, by %s", rotating_step_names[t->step], KEY(ACTION_APPLY));
}

void
act_rotation_back(struct app *a)
{
	struct rotating *t = a->rotating;

	if (t->panes.right_active)
		t->panes.right_active = false;
	else if (t->step == ROTATING_KEYS || t->step > ROTATING_APPLY)
		rotating_go(a, (enum rotating_step)(t->step - 1), 0);
	else
		app_show(a, VIEW_FILES);
}

/* Which files: those of the session, which may be of another place than what is open here. */
static void
append_place(const struct rotating *t, struct buf *out)
{
	const char *root = rotation_root(t->session);

	buf_append_str(out, "Session ");
	text_append_visible(out, rotation_id(t->session), strlen(rotation_id(t->session)));
	buf_append_str(out, ", of the secrets files below ");
	text_append_visible(out, root, strlen(root));
	buf_append_str(out, ".\n\n");
}

/* Ask for a word before a step of no return. */
static bool
place_word(struct app *a, const char *title, const char *text, const char *word)
{
	struct buf said;
	bool yes;

	buf_init(&said, PLACE_BYTES);
	append_place(a->rotating, &said);
	buf_append_str(&said, text);
	yes = ask_word(a, title, buf_cstr(&said), word);
	buf_release(&said);
	return yes;
}

static int
reference_broken(void *cookie, const struct estate_file *f, const struct estate_entry *x,
    struct error *err)
{
	struct buf *told = cookie;

	(void)err;
	text_append_visible(told, f->path, strlen(f->path));
	buf_printf(told, ":%zu: ", x->line);
	text_append_visible(told, x->key, x->key_len);
	buf_printf(told, ": its reference does not open (%s)\n", state_name(x->state));
	return 0;
}

/* Follow the references to the session's files, of the files that are shown, with the new keys.
 * Where some are broken that is told, and nothing is proved. */
static bool
follow_references(struct app *a, struct rotation_references *n)
{
	struct rotating *t = a->rotating;
	struct error err;
	struct buf told;
	bool whole;

	rotating_read_files(a);
	buf_init(&told, TOLD_BYTES);
	if (rotation_references(a->model->estate, t->session, reference_broken, &told, n,
	    &err) != 0) {
		tell_error(a, "The references cannot be followed", &err);
		whole = false;
	} else if (!(whole = n->opened + n->dangling == n->total)) {
		review_show(a, "Not all references open", buf_cstr(&told));
	}
	buf_release(&told);
	if (!whole && rotating_note(a, NULL))
		rotating_go(a, rotating_stands(t), 0);
	return whole;
}

/* Open and compare all, and follow the references; what was found out is said. */
static void
carry_verify(struct app *a)
{
	const struct rotating *t = a->rotating;
	const struct rotation_counts *n;
	struct rotation_references found;
	char dangling[64] = "";
	bool same = rotating_run(a, ROTATING_DO_VERIFY, 0);

	/* What differs is seen to here, though it was proved before. */
	rotating_go(a, same || rotating_stands(t) < ROTATING_VERIFY ? rotating_stands(t) :
	    ROTATING_VERIFY, 0);
	if (!same)
		return;
	if (!follow_references(a, &found)) {
		app_complain(a, "all values are the same, but only %zu of %zu references open",
		    found.opened, found.total);
		return;
	}
	n = rotation_counts(t->session);
	if (found.dangling > 0)
		snprintf(dangling, sizeof(dangling), ", %zu dangling", found.dangling);
	app_notice(a, "verified: opens %zu of %zu, all values the same; %zu of %zu references%s",
	    n->total, n->total, found.opened, found.total, dangling);
}

static void
carry_apply(struct app *a)
{
	struct rotating *t = a->rotating;
	bool begun = rotation_state(t->session) != ROTATION_PLANNED;
	size_t done, all;
	struct buf text;
	bool yes;

	rotating_count(t, &done, &all);
	buf_init(&text, PLACE_BYTES);
	append_place(t, &text);
	buf_printf(&text, "%zu of %zu secrets files get their new keys, one after the "
	    "other, and each is opened with its new key before it is put in place. Then every "
	    "value is compared with the one before.\n\nServices that restart meanwhile need the "
	    "new file and the new key together. Until you finish, all of it can be taken back.",
	    all - done, all);
	yes = begun ? ask_resume(a, "Go on with the rotation", buf_cstr(&text), "Resume") :
	    ask_confirm(a, "Rotate now", buf_cstr(&text), "Rotate");
	buf_release(&text);
	if (!yes)
		return;
	if (rotating_run(a, ROTATING_DO_APPLY, 0))
		carry_verify(a);
	else
		rotating_go(a, rotating_stands(t), 0);
}

const char *
act_rotation_needs_applied(const struct app *a)
{
	const struct rotating_row *r = rotating_here(a);

	return r == NULL || r->kind != ROTATING_ROW_FILE || a->rotating->session == NULL ||
	    rotation_file(a->rotating->session, r->index)->state == ROTATION_FILE_PENDING ?
	    "this is for the row of a file that is rotated" : NULL;
}

/* What the file of the row holds now is meant. */
void
act_rotation_accept(struct app *a)
{
	struct rotating *t = a->rotating;
	const size_t file = rotating_here(a)->index;
	struct buf text;
	bool yes;

	buf_init(&text, PLACE_BYTES);
	append_place(t, &text);
	text_append_visible(&text, rotation_file(t->session, file)->file,
	    strlen(rotation_file(t->session, file)->file));
	buf_append_str(&text, ": the values that were changed since it was rotated were changed on "
	    "purpose, and are what the rotation is proved by from now on. A value without a tag "
	    "that fits is not accepted.");
	yes = ask_confirm(a, "Accept the values", buf_cstr(&text), "Accept");
	buf_release(&text);
	if (yes && rotating_run(a, ROTATING_DO_ACCEPT, file))
		rotating_build(a);
}

static void
carry_finish(struct app *a)
{
	struct rotating *t = a->rotating;

	if (rotating_keys_open(t) > 0) {
		app_complain(a, "finish is closed: the new key was not shown and saved yet");
		rotating_go(a, ROTATING_HOSTS, 0);
		return;
	}
	if (!place_word(a, "Finish the rotation", "The kept originals and the wrapped old keys are "
	    "wiped. After it nothing leads back.", "finish"))
		return;
	if (!rotating_run(a, ROTATING_DO_FINISH, 0)) {
		rotating_go(a, rotating_stands(t), 0);
		return;
	}
	rotating_lock(t);
	rotating_read(a);
	rotating_go(a, t->step, 1);
	app_notice(a, "finished: originals, hashes of values and wrapped old keys are wiped");
}

void
act_rotation_apply(struct app *a)
{
	struct rotating *t = a->rotating;

	if (rotation_is_rolling_back(t->session))
		app_complain(a, "it is being taken back: %s goes on", KEY(ACTION_TAKE_BACK));
	else if (rotation_is_finishing(t->session) || t->step >= ROTATING_HOSTS)
		carry_finish(a);
	else if (rotating_stands(t) == ROTATING_APPLY)
		carry_apply(a);
	else
		carry_verify(a);
}

void
act_rotation_take_back(struct app *a)
{
	struct rotating *t = a->rotating;

	if (!place_word(a, "Take the rotation back", "Every file gets its old keys back, byte for "
	    "byte. In one that was changed since, what changed is kept, under the old keys.",
	    "rollback"))
		return;
	if (rotating_run(a, ROTATING_DO_BACK, 0)) {
		rotating_lock(t);
		rotating_read(a);
		rotating_list(a);
		rotating_go(a, t->step, 1);
		app_notice(a, "taken back: all files have their old keys");
	} else {
		rotating_go(a, rotating_stands(t), 0);
	}
}

void
act_rotation_read(struct app *a)
{
	rotating_read(a);
	rotating_list(a);
	rotating_build(a);
	app_notice(a, "read anew");
}
