#include "ui/rotating.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/plan.h"
#include "rotation/rotation.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/field.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"

#define TITLE "Rotation"
#define TEXT_BYTES ((size_t)8 << 20)
#define ROW_WIDE 56	/* columns; narrower, a row has no environment */
#define ROW_NAME 18

static const char stops[] = "Esc stops between files; what is done is complete, and stays.";

/* What takes long in the view of rotations: each work is a job with a gauge. */

/* --- what a job of it has in its hands --- */

enum row_state { ROW_WAITS, ROW_WORKS, ROW_DONE, ROW_FAILED, ROW_OUT };

/* A file of the session while it is worked on: the job's thread sets how far it is. */
struct work_row {
	char *environment, *file;
	_Atomic int state;
};

struct work {
	struct app *a;		/* its model is nobody else's meanwhile */
	struct rotating *t;
	struct job *job;
	enum rotating_work what;
	const char *doing;
	struct buf told;	/* what went wrong, and what is to be told besides */
	size_t differences;
	size_t file;		/* whose key is wanted */
	struct work_row *rows;	/* of the session's files; NULL: of none */
	size_t row_count;
	_Atomic size_t at;	/* the row that is worked on */
	struct key *key;
};

/* Which of the environments it is at. */
static struct rotating_environment *
work_environment(const struct work *w, const char *path)
{
	char *real = realpath(path, NULL);
	struct rotating_environment *found = NULL;

	for (size_t i = 0; real != NULL && found == NULL && i < w->t->environments.len; i++) {
		struct rotating_environment *x = vec_at(&w->t->environments, i);

		if (x->real == NULL)
			x->real = realpath(x->path, NULL);
		if (x->real != NULL && strcmp(x->real, real) == 0)
			found = x;
	}
	free(real);
	return found;
}

/* A present key: that of its environment, else any that is held. */
static struct key *
work_present(const struct work *w, const struct rotation_want *want, struct error *err)
{
	const struct environments *e = model_environments(w->a->model);

	for (size_t i = 0; i < environments_count(e); i++) {
		const struct environment *x = environments_at(e, i);

		if (x->master != NULL && rotation_key_fits(want, x->master))
			return key_copy(x->master, err);
	}
	error_set(err, ERROR_KEY, "it is locked");
	error_place(err, want->path, 0);
	return NULL;
}

/* A new one: one that fitted another file, or of the passphrase; the data key alone is new
 * where it is a present one. */
static struct key *
work_fresh(const struct work *w, const struct rotation_want *want, struct error *err)
{
	struct rotating *t = w->t;
	struct key *k;

	for (size_t i = 0; t->fresh != NULL && i < key_ring_count(t->fresh); i++)
		if (rotation_key_fits(want, key_ring_key(t->fresh, i)))
			return key_copy(key_ring_key(t->fresh, i), err);
	if (want->salt == NULL)
		return work_present(w, want, err);
	if (t->passphrase.len > 0 && (k = key_derive(t->passphrase.data, t->passphrase.len,
	    want->salt, strlen(want->salt), want->iterations, want->length, err)) != NULL) {
		if (rotation_key_fits(want, k)) {
			if (t->fresh == NULL)
				t->fresh = key_ring_new(NULL);
			/* It is full: then it is derived again. */
			if (t->fresh != NULL)
				(void)key_ring_take(t->fresh, k, "the rotation", NULL);
			return k;
		}
		key_free(k);
	}
	error_set(err, ERROR_KEY, "this is not the new passphrase of the rotation");
	error_place(err, want->path, 0);
	return NULL;
}

static struct key *
work_key(void *cookie, const struct rotation_want *want, struct error *err)
{
	const struct work *w = cookie;

	return want->is_new ? work_fresh(w, want, err) : work_present(w, want, err);
}

/* What it was at is done, unless it failed; row ${i} is next, if it goes on. */
static void
work_move(struct work *w, size_t i, bool goes_on)
{
	if (w->rows == NULL)
		return;
	if (w->at < w->row_count && w->rows[w->at].state == ROW_WORKS)
		w->rows[w->at].state = ROW_DONE;
	w->at = i;
	if (i < w->row_count && goes_on)
		w->rows[i].state = ROW_WORKS;
}

static bool
work_progress(void *cookie, const char *file, size_t done, size_t all)
{
	struct work *w = cookie;
	char text[JOB_TEXT_MAX];
	bool goes_on = !job_cancelled(w->job);

	work_move(w, file != NULL ? done : w->row_count, goes_on);
	snprintf(text, sizeof(text), "%s%s%s", w->doing, file != NULL ? " " : "",
	    file != NULL ? file : "");
	job_tell(w->job, done, all, text);
	return goes_on;
}

static bool
work_waiting(void *cookie, const char *path, int waited_ms, int left_ms)
{
	const struct work *w = cookie;

	(void)waited_ms;
	return change_tell_waiting(w->job, "another process is changing", path, left_ms);
}

static void
work_problem(void *cookie, const struct error *what)
{
	struct work *w = cookie;
	struct rotating_environment *x = what->file[0] != '\0' ?
	    work_environment(w, what->file) : NULL;

	if (w->rows != NULL && w->at < w->row_count)
		w->rows[w->at].state = ROW_FAILED;
	if (x != NULL) {
		if (x->why == NULL && (x->why = malloc(sizeof(*x->why))) != NULL)
			*x->why = *what;
		x->problems++;
	}
	if (what->file[0] != '\0') {
		text_append_visible(&w->told, what->file, strlen(what->file));
		if (what->line > 0)
			buf_printf(&w->told, ":%zu", what->line);
		buf_append_str(&w->told, ": ");
	}
	if (what->key[0] != '\0')
		buf_printf(&w->told, "%s: ", what->key);
	buf_printf(&w->told, "%s\n", what->text);
	if (what->hint[0] != '\0')
		buf_printf(&w->told, "# %s\n", what->hint);
}

static void
work_note(void *cookie, const char *text)
{
	struct work *w = cookie;

	buf_printf(&w->told, "# %s\n", text);
}

static void
work_diff(void *cookie, const struct plan *p)
{
	struct work *w = cookie;

	(void)diff_append(p, &w->t->diff, NULL);
}

static const struct rotation_callbacks work_callbacks = { .key = work_key,
	.progress = work_progress, .waiting = work_waiting, .problem = work_problem,
	.note = work_note, .diff = work_diff };

static void
work_init(struct work *w, struct app *a, const char *doing)
{
	*w = (struct work){ .a = a, .t = a->rotating, .doing = doing };
	buf_init(&w->told, TEXT_BYTES);
}

/* --- planning --- */

/* Is it ticked?  What has no line in the list, such as a damaged file, is not. */
static bool
is_ticked(const struct rotating *t, const struct environment *x)
{
	for (size_t i = 0; i < t->environments.len; i++) {
		const struct rotating_environment *at = vec_at(&t->environments, i);

		if (at->on && strcmp(at->path, x->path) == 0)
			return true;
	}
	return false;
}

/* What is asked of core; ->skip is the caller's to free. */
static int
request_make(const struct app *a, struct rotation_request *q, struct error *err)
{
	const struct environments *e = model_environments(a->model);
	const struct rotating *t = a->rotating;
	const char **skip = calloc(environments_count(e) + 1, sizeof(*skip));

	if (skip == NULL)
		return error_memory(err);
	*q = (struct rotation_request){ .kind = (enum rotation_kind)
		((t->master ? ROTATION_MASTER_KEY : 0) | (t->data ? ROTATION_DATA_KEY : 0)),
		.paths = a->options->paths, .path_count = a->options->path_count,
		.passphrase = t->passphrase.data, .passphrase_len = t->passphrase.len,
		.common = t->common && t->master,
		.lock_timeout_ms = a->options->lock_timeout_ms, .skip = skip };
	for (size_t i = 0; i < environments_count(e); i++) {
		const struct environment *x = environments_at(e, i);

		if (x->found && !is_ticked(t, x))
			skip[q->skip_count++] = x->path;
	}
	return 0;
}

static int
check_warning(void *cookie, const char *text, struct error *err)
{
	struct rotating *t = cookie;
	struct buf line;

	(void)err;
	/* Who left a file out knows it. */
	if (strstr(text, "(--skip)") != NULL)
		return 0;
	buf_init(&line, TEXT_BYTES);
	buf_printf(&line, "W   %s", text);
	(void)vec_push_string(&t->texts, buf_cstr(&line), line.len);
	buf_release(&line);
	return 0;
}

/* What was found, as lines: "X ..." what stops, "W ..." what is to be known. */
static void
check_texts(struct rotating *t, const struct rotation *r)
{
	static const char fine[] = "ok  rights, room, links and locks: nothing is in the way";
	struct buf line;

	vec_release_strings(&t->texts);
	for (size_t i = 0; i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);

		if (f->error == NULL)
			continue;
		buf_init(&line, TEXT_BYTES);
		buf_printf(&line, "X   %s: %s", f->file, f->error->text);
		(void)vec_push_string(&t->texts, buf_cstr(&line), line.len);
		buf_release(&line);
	}
	(void)rotation_each_warning(r, check_warning, t, NULL);
	if (t->texts.len == 0)
		(void)vec_push_string(&t->texts, fine, strlen(fine));
}

static int
check_run(struct job *j, void *cookie, struct error *err)
{
	struct work *w = cookie;
	struct rotation_request q = { .skip = NULL };
	struct rotation *r = NULL;

	w->job = j;
	if (request_make(w->a, &q, err) == 0)
		r = rotation_preflight(&q, w->a->model->estate, &work_callbacks, w, err);
	for (size_t i = 0; r != NULL && i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);
		char *path = rotation_path(r, f->file);
		struct rotating_environment *x = path != NULL ? work_environment(w, path) : NULL;

		free(path);
		if (x == NULL || f->state == ROTATION_FILE_SKIPPED)
			continue;
		x->looked = true;
		x->entries = f->entries > 0 ? f->entries : x->entries;
		x->references = f->references;
	}
	if (r != NULL)
		check_texts(w->t, r);
	rotation_close(r);
	free((void *)(uintptr_t)q.skip);
	return r != NULL ? 0 : -1;
}

bool
rotating_check(struct app *a)
{
	struct rotating *t = a->rotating;
	struct work w;
	const struct job_wait wait = { TITLE, "Opening every entry with its present key.",
		"Esc stops: nothing is planned.", check_run, &w };
	struct error err;
	int rc;

	for (size_t i = 0; i < t->environments.len; i++) {
		struct rotating_environment *x = vec_at(&t->environments, i);

		x->looked = false;
		x->problems = 0;
		free(x->why);
		free(x->real);
		x->why = NULL;
		x->real = NULL;
	}
	work_init(&w, a, "Opening");
	if ((rc = job_await(a, &wait, &err)) != 0)
		tell_error(a, "Nothing is planned", &err);
	buf_release(&w.told);
	return rc == 0;
}

static int
make_run(struct job *j, void *cookie, struct error *err)
{
	struct work *w = cookie;
	struct rotation_request q;
	struct rotation *r = NULL;
	char *dir = NULL, *home = rotation_home(err);

	w->job = j;
	if (home == NULL)
		return -1;
	if (request_make(w->a, &q, err) == 0) {
		q.home = home;
		r = rotation_plan(&q, w->a->model->estate, &work_callbacks, w, err);
		free((void *)(uintptr_t)q.skip);
	}
	if (r != NULL && (dir = strdup(rotation_dir(r))) == NULL)
		error_memory(err);
	/* From now on it is read; what changes it opens it anew. */
	rotation_close(r);
	if (dir != NULL)
		w->t->session = rotation_open(dir, NULL, err);
	free(dir);
	free(home);
	return w->t->session != NULL ? 0 : -1;
}

bool
rotating_make(struct app *a)
{
	struct work w;
	const struct job_wait wait = { TITLE, "Planning.", "Esc stops: nothing is planned.",
		make_run, &w };
	struct error err;
	int rc;

	work_init(&w, a, "Planning");
	buf_clear(&a->rotating->diff);
	rotation_close(a->rotating->session);
	a->rotating->session = NULL;
	if ((rc = job_await(a, &wait, &err)) != 0)
		tell_error(a, "Nothing is planned", &err);
	buf_release(&w.told);
	return rc == 0;
}

/* --- working on the session --- */

/* The secrets files are others now: read them, and open them with the new keys. */
void
rotating_read_files(struct app *a)
{
	struct error err;

	files_hold(a);
	if (model_refresh(a->model, NULL, 0, &err) == -1)
		app_complain(a, "%s", err.text);
	if (a->rotating->fresh != NULL)
		(void)model_use_keys(a->model, a->rotating->fresh, NULL);
	(void)model_finish(a->model);
	files_restore(a);
}

/* Show the session as it is on disk now, without its lock.  -1: what was read before stays. */
static int
session_show(struct rotating *t, const char *dir, struct error *err)
{
	struct rotation *r = rotation_open(dir, NULL, err);

	if (r == NULL)
		return -1;
	rotation_close(t->session);
	t->session = r;
	return 0;
}

static int
run_run(struct job *j, void *cookie, struct error *err)
{
	struct work *w = cookie;
	struct rotating *t = w->t;
	char *dir = strdup(rotation_dir(t->session));
	int rc = -1;
	struct rotation *r;

	w->job = j;
	if (dir == NULL)
		return error_memory(err);
	if ((r = rotation_open_locked(dir, NULL, w->a->options->lock_timeout_ms, err)) != NULL) {
		rotation_set_trail(r, w->a->options->trail);
		if (w->what == ROTATING_DO_APPLY)
			rc = rotation_apply(r, &work_callbacks, w, err);
		else if (w->what == ROTATING_DO_VERIFY)
			rc = rotation_verify(r, &work_callbacks, w, &w->differences, err);
		else if (w->what == ROTATING_DO_ACCEPT)
			rc = rotation_accept(r, w->file, &work_callbacks, w, &w->differences, err);
		else if (w->what == ROTATING_DO_BACK)
			rc = rotation_rollback(r, &work_callbacks, w, err);
		else
			rc = rotation_finish(r, &work_callbacks, w, err);
	}
	if (r != NULL) {
		rotation_close(r);
		(void)session_show(t, dir, NULL);
	}
	free(dir);
	return rc;
}

/* Ask for the new passphrase, or the key itself, of a session. */
static bool
run_ask(struct app *a, const char *complaint)
{
	struct rotating *t = a->rotating;
	struct buf typed;
	struct key *k;
	struct error err;
	bool answered;

	buf_init_secret(&typed, SECRET_FIELD_MAX);
	answered = ask_secret(a, TITLE, "The session has no key in it. Type the new passphrase of "
	    "this rotation, or paste its new master key.", "New passphrase or key:", complaint,
	    &typed);
	if (answered) {
		rotating_lock(t);
		k = key_from_base64((const char *)typed.data, typed.len, NULL);
		if (k != NULL && (t->fresh = key_ring_new(NULL)) != NULL)
			(void)key_ring_take(t->fresh, k, "the rotation", NULL);
		key_free(k);
		if (passphrase_normalise(&typed, &err) == 0)
			buf_append(&t->passphrase, typed.data, typed.len);
	}
	buf_release(&typed);
	return answered;
}

static bool
run_has_key(const struct rotating *t)
{
	return t->passphrase.len > 0 || t->fresh != NULL ||
	    !(rotation_kind(t->session) & ROTATION_MASTER_KEY);
}

static const struct {
	const char *doing, *failed;
	const char *words[ROW_OUT + 1];	/* of a row */
} works[] = {
	[ROTATING_DO_APPLY] = { "Rotating", "Not all is rotated",
		{ "waiting", "writing", "done", "failed", "out" } },
	[ROTATING_DO_VERIFY] = { "Opening", "It is not proved",
		{ "waiting", "opening", "opened", "differs", "out" } },
	[ROTATING_DO_ACCEPT] = { "Opening", "Nothing is accepted", { NULL } },
	[ROTATING_DO_BACK] = { "Taking back", "Not all is taken back",
		{ "waiting", "writing", "back", "failed", "out" } },
	[ROTATING_DO_FINISH] = { "Wiping", "It is not finished", { NULL } },
};

/* --- the files while they are worked on --- */

/* Which state of a file the work leaves as it is. */
static bool
row_is_done(enum rotating_work what, enum rotation_file_state s)
{
	if (what == ROTATING_DO_APPLY)
		return s == ROTATION_FILE_APPLIED || s == ROTATION_FILE_VERIFIED;
	return what == ROTATING_DO_BACK && s == ROTATION_FILE_ROLLED_BACK;
}

/* Without memory there are no rows. */
static void
rows_make(struct work *w)
{
	const struct rotation *r = w->t->session;
	size_t n = rotation_count(r);

	if (works[w->what].words[0] == NULL || (w->rows = calloc(n + 1, sizeof(*w->rows))) == NULL)
		return;
	w->row_count = n;
	w->at = n;
	for (size_t i = 0; i < n; i++) {
		const struct rotation_file *f = rotation_file(r, i);

		w->rows[i].environment = strdup(f->environment);
		w->rows[i].file = strdup(f->file);
		w->rows[i].state = f->state == ROTATION_FILE_SKIPPED ? ROW_OUT :
		    row_is_done(w->what, f->state) ? ROW_DONE : ROW_WAITS;
	}
}

static void
rows_free(struct work *w)
{
	for (size_t i = 0; i < w->row_count; i++) {
		free(w->rows[i].environment);
		free(w->rows[i].file);
	}
	free(w->rows);
	w->rows = NULL;
	w->row_count = 0;
}

/* Those around the one that is worked on. */
static void
rows_draw(const void *cookie, const struct rect *room)
{
	static const unsigned int styles[] = { STYLE_NOTE, STYLE_MARK, STYLE_SEALED, STYLE_CLEAR,
		STYLE_NOTE };
	const struct work *w = cookie;
	size_t h = room->h > 0 ? (size_t)room->h : 0, at = w->at, top;

	top = w->row_count <= h || at < h / 2 ? 0 : at - h / 2;
	if (top + h > w->row_count)
		top = w->row_count > h ? w->row_count - h : 0;
	for (size_t i = top; i < w->row_count && i - top < h; i++) {
		const struct work_row *r = &w->rows[i];
		int y = room->y + (int)(i - top), x = room->x, end = room->x + room->w;

		if (r->environment == NULL || r->file == NULL)
			continue;
		canvas_text(y, x, end - x, styles[r->state], works[w->what].words[r->state]);
		x += 9;
		if (room->w >= ROW_WIDE) {
			canvas_text(y, x, ROW_NAME, STYLE_FILE, r->environment);
			x += ROW_NAME + 1;
		}
		if (x < end)
			canvas_middle(y, x, end - x, STYLE_TEXT, r->file, strlen(r->file), 18);
	}
}

bool
rotating_run(struct app *a, enum rotating_work what, size_t file)
{
	struct rotating *t = a->rotating;
	bool wants = what != ROTATING_DO_BACK && what != ROTATING_DO_FINISH;
	const char *complaint = NULL;
	struct work w;
	const struct job_wait wait = { TITLE, works[what].doing, what == ROTATING_DO_FINISH ?
		NULL : stops, run_run, &w };
	struct error err;
	int rc;

	for (;;) {
		if (((wants && !run_has_key(t)) || complaint != NULL) && !run_ask(a, complaint))
			return false;
		work_init(&w, a, works[what].doing);
		w.what = what;
		w.file = file;
		rows_make(&w);
		rc = job_await_rows(a, &wait, w.rows != NULL ? rows_draw : NULL, &err);
		rows_free(&w);
		/* Nothing was done without the key: it is asked for again. */
		if (rc == 0 || err.code != ERROR_KEY || what == ROTATING_DO_FINISH ||
		    !(rotation_kind(t->session) & ROTATION_MASTER_KEY))
			break;
		buf_release(&w.told);
		complaint = "that is not it";
		rotating_lock(t);
	}
	if (what == ROTATING_DO_APPLY || what == ROTATING_DO_BACK)
		rotating_read_files(a);
	if (rc != 0) {
		if (w.told.len == 0) {
			tell_error(a, works[what].failed, &err);
		} else {
			app_complain(a, "%s: %s", works[what].failed, err.text);
			review_show(a, works[what].failed, buf_cstr(&w.told));
		}
	} else if (what == ROTATING_DO_ACCEPT) {
		app_notice(a, "accepted: %zu %s; now verify again", w.differences,
		    w.differences == 1 ? "value is another" : "values are others");
		w.differences = 0;
	} else if (w.differences > 0) {
		app_complain(a, "%zu values are not what they were", w.differences);
		buf_printf(&w.told, "# changed on purpose? %s on the row of the file says so; then "
		    "verify again\n", KEY(ACTION_MARK_FILE));
		review_show(a, "Not all values are the same", buf_cstr(&w.told));
	} else if (w.told.len > 0 && what != ROTATING_DO_FINISH) {
		review_show(a, "Done", buf_cstr(&w.told));
	}
	buf_release(&w.told);
	return rc == 0 && w.differences == 0;
}

bool
rotating_note(struct app *a, const char *name)
{
	struct rotating *t = a->rotating;
	struct error err;
	struct rotation *r = rotation_open_locked(rotation_dir(t->session), NULL, 0, &err);
	int rc = r == NULL ? -1 : name != NULL ? rotation_tick(r, name, &err) :
	    rotation_doubt(r, &err);

	rotation_close(r);
	if (rc != 0) {
		tell_error(a, "It cannot be noted in the session", &err);
		return false;
	}
	if (session_show(t, rotation_dir(t->session), &err) != 0) {
		tell_error(a, "The session cannot be read", &err);
		return false;
	}
	return true;
}

/* --- the new keys --- */

static int
key_run(struct job *j, void *cookie, struct error *err)
{
	struct work *w = cookie;

	w->job = j;
	w->key = rotation_new_key(w->t->session, w->file, &work_callbacks, w, err);
	return w->key != NULL ? 0 : -1;
}

struct key *
rotating_key(struct app *a, size_t file)
{
	struct rotating *t = a->rotating;
	const char *complaint = NULL;
	struct work w;
	const struct job_wait wait = { TITLE, "Deriving the new master key.", NULL, key_run, &w };
	struct error err;
	int rc;

	do {
		if ((!run_has_key(t) || complaint != NULL) && !run_ask(a, complaint))
			return NULL;
		work_init(&w, a, "Deriving");
		w.file = file;
		rc = job_await(a, &wait, &err);
		buf_release(&w.told);
		complaint = "that is not it";
	} while (rc != 0 && err.code == ERROR_KEY);
	if (rc != 0)
		tell_error(a, "The new key cannot be made", &err);
	return w.key;
}
