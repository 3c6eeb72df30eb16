#include "ui/rotating.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "estate/environments.h"
#include "rotation/rotation.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/field.h"
#include "ui/job.h"
#include "ui/keymap.h"
#include "ui/model.h"

#define TITLE "Rotation"
#define TEXT_BYTES ((size_t)8 << 20)
#define SERVICES_BYTES 8192
#define ROWS_MAX ((size_t)1 << 20)
#define HINT_MAX 320

static void
environments_clear(struct vec *environments)
{
	for (size_t i = 0; i < environments->len; i++) {
		struct rotating_environment *x = vec_at(environments, i);

		free(x->path);
		free(x->name);
		free(x->real);
		free(x->why);
	}
	vec_release(environments);
}

static void
others_clear(struct vec *others)
{
	for (size_t i = 0; i < others->len; i++) {
		struct rotating_other *x = vec_at(others, i);

		free(x->dir);
		free(x->root);
		free(x->why);
	}
	vec_release(others);
}

void
rotating_open(struct rotating *t)
{
	vec_init(&t->others, sizeof(struct rotating_other), ROWS_MAX);
	vec_init(&t->environments, sizeof(struct rotating_environment), ROWS_MAX);
	vec_init(&t->texts, sizeof(char *), ROWS_MAX);
	vec_init(&t->groups, sizeof(struct rotating_group), ROWS_MAX);
	vec_init(&t->rows, sizeof(struct rotating_row), ROWS_MAX);
	buf_init(&t->diff, TEXT_BYTES);
	buf_init(&t->services, SERVICES_BYTES);
	buf_init_secret(&t->passphrase, SECRET_FIELD_MAX);
	t->master = t->common = true;
}

void
rotating_lock(struct rotating *t)
{
	buf_release(&t->passphrase);
	buf_init_secret(&t->passphrase, SECRET_FIELD_MAX);
	key_ring_free(t->fresh);
	t->fresh = NULL;
}

void
rotating_close(struct rotating *t)
{
	rotating_lock(t);
	buf_release(&t->passphrase);
	buf_release(&t->diff);
	buf_release(&t->services);
	environments_clear(&t->environments);
	vec_release_strings(&t->texts);
	vec_release(&t->groups);
	vec_release(&t->rows);
	rotation_close(t->session);
	others_clear(&t->others);
	free(t->chosen);
	free(t->told);
}

/* --- what is said of a row --- */

static void
say_environment(const struct rotating_environment *x, struct buf *out)
{
	buf_printf(out, "%zu sealed %s", x->entries, x->entries == 1 ? "entry" : "entries");
	if (x->looked)
		buf_printf(out, " and %zu %s: all open with the present key. ", x->references,
		    x->references == 1 ? "reference" : "references");
	else
		buf_append_str(out, "; whether all open with the present key is seen next. ");
	buf_append_str(out, x->on ? "Its keys will be new." : "It keeps its keys unless it is "
	    "ticked.");
}

static void
say_session_file(const struct rotation_file *f, struct buf *out)
{
	static const char *const states[] = {
		[ROTATION_FILE_PENDING] = "It is as it was, under its old keys.",
		[ROTATION_FILE_APPLIED] = "It is changed; each was read back and opened with the "
		    "new key.",
		[ROTATION_FILE_VERIFIED] = "All open with the new key, and each value is what it "
		    "was.",
		[ROTATION_FILE_ROLLED_BACK] = "It has its old keys again.",
		[ROTATION_FILE_SKIPPED] = "It is left out of this rotation, and keeps its keys.",
		[ROTATION_FILE_FAILED] = "It is not changed.",
	};

	buf_printf(out, "%zu sealed %s. %s", f->entries, f->entries == 1 ? "entry" : "entries",
	    states[f->state]);
}

void
rotating_say_row(const struct rotating *t, const struct rotating_row *r, struct buf *out)
{
	static const char *const kinds[] = {
		[ROTATING_ROW_MASTER] = "A new master key wraps the data keys of what is ticked "
		    "below. The sealed values stay as they are.",
		[ROTATING_ROW_COMMON] = "All that is ticked gets the same new master key; without "
		    "this each gets one of its own.",
		[ROTATING_ROW_DATA] = "Every value is sealed again under a new data key: for a key "
		    "that somebody may have seen, and for values in the old CBC form.",
		[ROTATING_ROW_KEY] = "Enter shows the new master key. Its last characters, typed, "
		    "prove that it is saved, and tick this.",
		[ROTATING_ROW_HOST] = "Every service that reads the file gets it in place of the "
		    "old one: as a variable, a file or a credential.",
		[ROTATING_ROW_END] = "The steps before tick this.",
		[ROTATING_ROW_OTHER] = NULL,
	};

	if (r == NULL)
		buf_append_str(out, "A heading: each of its rows says what becomes of it.");
	else if (r->kind == ROTATING_ROW_ENVIRONMENT)
		say_environment(vec_at(&t->environments, r->index), out);
	else if (r->kind == ROTATING_ROW_FILE)
		say_session_file(rotation_file(t->session, r->index), out);
	else if (kinds[r->kind] != NULL)
		buf_append_str(out, kinds[r->kind]);
}

/* --- the session as it is --- */

enum rotating_step
rotating_stands(const struct rotating *t)
{
	switch (t->session != NULL ? rotation_state(t->session) : ROTATION_ROLLED_BACK) {
	case ROTATION_PLANNED:
	case ROTATION_APPLYING:
		return ROTATING_APPLY;
	case ROTATION_APPLIED:
		return ROTATING_VERIFY;
	case ROTATION_VERIFIED:
		return ROTATING_HOSTS;
	case ROTATION_FINISHED:
		return ROTATING_FINISH;
	case ROTATION_ROLLED_BACK:
		break;
	}
	return ROTATING_PLAN;
}

static void
count_files(const struct rotation *r, size_t *done, size_t *all)
{
	*done = *all = 0;
	for (size_t i = 0; i < rotation_count(r); i++) {
		enum rotation_file_state s = rotation_file(r, i)->state;

		*all += s != ROTATION_FILE_SKIPPED;
		*done += s == ROTATION_FILE_APPLIED || s == ROTATION_FILE_VERIFIED;
	}
}

void
rotating_count(const struct rotating *t, size_t *done, size_t *all)
{
	count_files(t->session, done, all);
}

/* What is said of a session beside the one that is shown. */
static void
find_other(const char *dir, struct vec *others)
{
	struct rotating_other *x;
	struct rotation *r;
	struct error why;

	if ((x = vec_push(others)) == NULL)
		return;
	if ((x->dir = strdup(dir)) == NULL) {
		others->len--;
		return;
	}
	if ((r = rotation_open(dir, NULL, &why)) == NULL) {
		x->why = strdup(why.text);
		return;
	}
	x->root = strdup(rotation_root(r));
	x->state = rotation_is_rolling_back(r) ? "half back" :
	    rotation_state_name(rotation_state(r));
	count_files(r, &x->done, &x->all);
	rotation_close(r);
}

/* The folders of those that are not done, the newest first.  ERROR_MISSING: there is none. */
static int
find_sessions(struct vec *dirs, struct error *err)
{
	char *home = rotation_home(err);
	int rc = home != NULL ? rotation_unfinished(home, dirs, err) : -1;

	free(home);
	return rc;
}

static int
first_run(struct job *j, void *cookie, struct error *err)
{
	struct rotating *t = cookie;
	struct rotation *r = NULL;
	struct vec dirs;
	size_t done, all;
	char text[HINT_MAX], rest[32] = "";

	(void)j;
	vec_init(&dirs, sizeof(char *), ROWS_MAX);
	if (find_sessions(&dirs, err) == 0)
		r = rotation_open(vec_string(&dirs, 0), NULL, err);
	if (dirs.len > 1)
		snprintf(rest, sizeof(rest), ", and %zu more", dirs.len - 1);
	vec_release_strings(&dirs);
	if (r == NULL)
		return -1;
	count_files(r, &done, &all);
	snprintf(text, sizeof(text), "rotation %.60s %s, %zu of %zu files%s", rotation_id(r),
	    rotation_is_rolling_back(r) ? "is half taken back" :
	    rotation_state(r) == ROTATION_APPLYING ? "stopped" :
	    rotation_state(r) == ROTATION_PLANNED ? "is planned" : "is not finished", done, all,
	    rest);
	t->told = strdup(text);
	rotation_close(r);
	return 0;
}

static void
first_done(struct app *a, struct job *j)
{
	struct rotating *t = j->cookie;

	if (j->rc == 0 && t->told != NULL)
		app_notice(a, "%s: %s", t->told, KEY(ACTION_VIEW_ROTATION));
	else if (j->rc != 0 && j->err.code != ERROR_MISSING)
		app_complain(a, "a rotation's session: %s", j->err.text);
}

void
rotating_begin(struct app *a)
{
	struct rotating *t = a->rotating;
	struct error err;

	t->first = (struct job){ .run = first_run, .done = first_done, .cookie = t };
	(void)job_start(a, &t->first, &err);
}

struct reading {
	const char *chosen;		/* the folder; NULL: the newest is read */
	struct rotation *found;
	struct vec others;		/* what is said of the rest */
};

static int
read_run(struct job *j, void *cookie, struct error *err)
{
	struct reading *x = cookie;
	struct vec dirs;
	size_t at = 0;

	(void)j;
	vec_init(&dirs, sizeof(char *), ROWS_MAX);
	if (find_sessions(&dirs, err) == 0) {
		for (size_t i = 0; x->chosen != NULL && i < dirs.len; i++)
			if (strcmp(vec_string(&dirs, i), x->chosen) == 0)
				at = i;
		x->found = rotation_open(vec_string(&dirs, at), NULL, err);
		for (size_t i = 0; i < dirs.len; i++)
			if (i != at)
				find_other(vec_string(&dirs, i), &x->others);
	}
	vec_release_strings(&dirs);
	return x->found != NULL ? 0 : -1;
}

void
rotating_read(struct app *a)
{
	struct rotating *t = a->rotating;
	struct reading x = { .chosen = t->chosen };
	const struct job_wait wait = { TITLE, "Reading the session.", NULL, read_run, &x };
	struct error err;

	vec_init(&x.others, sizeof(struct rotating_other), ROWS_MAX);
	/* What is shown stands below the dialog. */
	if (job_await(a, &wait, &err) != 0 && err.code != ERROR_MISSING)
		tell_error(a, "The session cannot be read", &err);
	/* What is shown to change is of the session that was planned here. */
	if (t->session == NULL || x.found == NULL ||
	    strcmp(rotation_id(t->session), rotation_id(x.found)) != 0)
		buf_clear(&t->diff);
	rotation_close(t->session);
	others_clear(&t->others);
	t->session = x.found;
	t->others = x.others;
	if (t->session != NULL)
		t->step = rotating_stands(t);
	else if (t->step >= ROTATING_APPLY)
		t->step = ROTATING_PLAN;
}

void
rotating_choose(struct app *a, size_t other)
{
	struct rotating *t = a->rotating;
	char *dir = strdup(((const struct rotating_other *)vec_at(&t->others, other))->dir);

	/* Without it the newest would be shown in its place. */
	if (dir == NULL) {
		app_complain(a, "not enough memory");
		return;
	}
	/* New keys that are held are the other session's. */
	rotating_lock(t);
	free(t->chosen);
	t->chosen = dir;
	rotating_read(a);
}

void
rotating_list(struct app *a)
{
	struct rotating *t = a->rotating;
	const struct environments *e = model_environments(a->model);
	struct vec old = t->environments;	/* what is known of them stays */
	struct rotating_environment *x, *y;

	vec_init(&t->environments, sizeof(struct rotating_environment), ROWS_MAX);
	for (size_t i = 0; e != NULL && i < environments_count(e); i++) {
		const struct environment *at = environments_at(e, i);

		if (!at->found || at->aside || at->secrets == NULL ||
		    secrets_file_metadata(at->secrets)->data_key == NULL ||
		    (x = vec_push(&t->environments)) == NULL)
			continue;
		x->path = strdup(at->path);
		x->name = strdup(at->name);
		if (x->path == NULL || x->name == NULL) {
			free(x->path);
			free(x->name);
			t->environments.len--;
			continue;
		}
		x->entries = secrets_file_sealed_count(at->secrets);
		for (size_t k = 0; k < old.len; k++) {
			y = vec_at(&old, k);
			if (strcmp(y->path, x->path) != 0)
				continue;
			x->on = y->on;
			x->looked = y->looked;
			x->references = y->references;
			x->problems = y->problems;
			x->why = y->why;
			y->why = NULL;
		}
	}
	environments_clear(&old);
}
