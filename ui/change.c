#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "estate/environments.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/loop.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/term.h"

#define DIFF_MAX ((size_t)64 << 20)
#define LINES_MAX 10000000
#define WRITING "Writing, reading back, replacing."
#define INDENT 4	/* of the rest of a long line */

/* A line on the screen: a part of a line of the text. */
struct piece {
	size_t from, len;
	unsigned int style;
	bool continued;
};

struct review {
	struct layer layer;
	const struct review_options *options;
	bool can_apply;
	struct buf text;
	struct vec pieces;
	int width;		/* that the pieces were made for */
	struct list window;	/* its cursor: the first line shown */
	enum review_answer answer;
};

/* --- planning --- */

bool
change_tell_waiting(struct job *j, const char *why, const char *path, int left_ms)
{
	struct job_progress p;
	struct buf text;

	if (j == NULL)
		return true;
	buf_init(&text, 8192);
	/* The time first: on a small screen the path has no end. */
	buf_append_str(&text, "Waiting");
	if (left_ms >= 0)
		buf_printf(&text, " %d s more", (left_ms + 999) / 1000);
	buf_printf(&text, ": %s %s.", why, path);
	job_progress(j, &p);
	/* Told some times a second, it is news when it is another one. */
	if (strncmp(p.text, buf_cstr(&text), sizeof(p.text) - 1) != 0)
		job_tell(j, p.done, p.total, buf_cstr(&text));
	buf_release(&text);
	return !job_cancelled(j);
}

static bool
waiting(void *cookie, const char *path, int waited_ms, int left_ms)
{
	const struct app *a = cookie;

	(void)waited_ms;
	return change_tell_waiting(a->job, "another process is changing",
	    model_show_path(a->model, path), left_ms);
}

static bool
writing(void *cookie, const char *path, int waited_ms, int left_ms)
{
	const struct app *a = cookie;

	(void)waited_ms;
	return change_tell_waiting(a->job, "another program has this file open for writing:",
	    model_show_path(a->model, path), left_ms);
}

/* How far it is. */
static bool
applying(void *cookie, size_t done, size_t all)
{
	const struct app *a = cookie;

	if (a->job == NULL)
		return true;
	job_tell(a->job, done, all, WRITING);
	return !job_cancelled(a->job);
}

void
change_prepare(struct app *a, struct change *c)
{
	static const struct change_callbacks callbacks = { .waiting = waiting,
	    .writing = writing, .progress = applying };
	change_init(c, &callbacks, a);
	c->scope = a->options->scope;
	c->trail = a->options->trail;
	c->dry = a->options->read_only;
	c->lock_timeout_ms = a->options->lock_timeout_ms;
}

int
change_begin(struct app *a, struct environment *x, struct change *c, struct error *err)
{
	int rc;

	files_hold(a);
	rc = model_reload(a->model, x, err);
	files_restore(a);
	if (rc == -1)
		return -1;
	if (x->secrets == NULL) {
		error_set(err, ERROR_MISSING, "the secrets file is not there any more");
		return error_place(err, x->path, 0);
	}
	change_borrow(c, x->secrets);
	c->environment = x->name;
	return change_plan(c, err);
}

/* --- reviewing --- */

static unsigned int
review_style_of(const char *line, size_t n)
{
	if (n >= 3 && (memcmp(line, "---", 3) == 0 || memcmp(line, "+++", 3) == 0))
		return STYLE_HEAD;
	if (n > 0 && line[0] == '+')
		return STYLE_ADDED;
	if (n > 0 && line[0] == '-')
		return STYLE_REMOVED;
	if (n > 0 && line[0] == '!')
		return STYLE_ERROR;
	if (n > 0 && line[0] == '#')
		return STYLE_MARK;
	return STYLE_NOTE;
}

/* Where to break a line that is too long: between key and value, if the key
 * fits, else anywhere. */
static size_t
first_part(const char *text, size_t n, int width)
{
	const char *equals = memmem(text, n, " = ", 3);
	size_t fit = columns_fit(text, n, width, NULL);

	if (fit < n && equals != NULL && (size_t)(equals - text) + 2 <= fit)
		return (size_t)(equals - text) + 3;
	return fit;
}

/* Break one line to the width; what follows is indented. */
static void
break_line(struct review *v, size_t from, size_t n, int width)
{
	const char *text = (const char *)v->text.data + from;
	unsigned int style = review_style_of(text, n);
	struct piece *p;
	size_t i = 0;
	size_t len;

	do {
		p = vec_push(&v->pieces);
		if (p == NULL)
			return;
		len = i == 0 ? first_part(text, n, width) :
		    columns_fit(text + i, n - i, width - INDENT, NULL);
		if (len == 0)
			len = n - i;
		*p = (struct piece){ from + i, len, style, i > 0 };
		i += len;
	} while (i < n);
}

static void
break_text(struct review *v, int width)
{
	const char *text = (const char *)v->text.data;
	const char *end;
	size_t i = 0;
	size_t n;

	v->width = width;
	v->pieces.len = 0;
	while (i < v->text.len) {
		end = memchr(text + i, '\n', v->text.len - i);
		n = end != NULL ? (size_t)(end - text) - i : v->text.len - i;
		break_line(v, i, n, width);
		i += n + 1;
	}
}

/* So that the last line comes to the foot of the screen, and no further. */
static void
review_fit(struct review *v, size_t height)
{
	list_fit(&v->window, v->pieces.len > height ? v->pieces.len - height + 1 : 1, height);
}

static int
review_draw_keys(const struct review *v, int y, int x, int w)
{
	const struct {
		const char *key, *label;
		bool on;
	} keys[] = {
		{ "w", "apply", v->can_apply },
		{ "m", "remote path", v->can_apply && v->options->remote != NULL },
		{ "Esc", "back", true },
		{ "Up Down PgUp PgDn", "scroll", v->pieces.len > v->window.height },
	};
	int from = x;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!keys[i].on ||
		    x + (int)(strlen(keys[i].key) + strlen(keys[i].label)) + 1 > from + w)
			continue;
		x += canvas_text(y, x, w, STYLE_KEY, keys[i].key) + 1;
		x += canvas_text(y, x, w, STYLE_NOTE, keys[i].label) + 2;
	}
	return x;
}

static void
review_draw(struct layer *layer, struct app *a)
{
	struct review *v = (struct review *)layer;
	struct rect all = canvas_page(v->options->title);
	const struct piece *p;
	char text[64];
	size_t top, end, i;
	int y = 1;
	int used;

	(void)a;
	if (v->options->remote != NULL && all.h >= 8) {
		used = canvas_text(y, 1, all.w - 2, STYLE_NOTE, "Path in references:");
		canvas_tail(y, used + 2, all.w - used - 3, STYLE_TEXT, v->options->remote);
		y++;
	}
	if (v->width != all.w - 2)
		break_text(v, all.w - 2);
	review_fit(v, (size_t)(all.h - y - 1));
	top = v->window.cursor;
	end = top + v->window.height < v->pieces.len ? top + v->window.height : v->pieces.len;
	for (i = top; i < end; i++) {
		p = vec_at(&v->pieces, i);
		canvas_bytes(y + (int)(i - top), p->continued ? 1 + INDENT : 1, all.w - 1,
		    p->style, (const char *)v->text.data + p->from, p->len);
	}
	used = review_draw_keys(v, all.h - 1, 1, all.w - 1);
	if (v->pieces.len > v->window.height && used < all.w - 10) {
		snprintf(text, sizeof(text), "%zu-%zu of %zu", top + 1, end, v->pieces.len);
		canvas_right(all.h - 1, used, all.w - used - 1, STYLE_NOTE, text);
	}
	canvas_cursor(y, 0, true);
}

static bool
review_confirmed(struct app *a, const struct review_options *o)
{
	if (o->word != NULL)
		return ask_word(a, o->title, o->question, o->word);
	return ask_confirm(a, o->title, o->question, o->button);
}

static void
review_ask(struct review *v, struct app *a)
{
	if (!v->can_apply || !review_confirmed(a, v->options))
		return;
	v->answer = REVIEW_APPLY;
	v->layer.done = true;
}

static void
review_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct review *v = (struct review *)layer;

	switch (k) {
	case INPUT_ESCAPE:
	case 'q':
		layer->done = true;
		break;
	case 'w':
		review_ask(v, a);
		break;
	case 'm':
		if (v->can_apply && v->options->remote != NULL) {
			v->answer = REVIEW_REMOTE;
			layer->done = true;
		}
		break;
	default:
		(void)list_key(&v->window, k == 'k' ? INPUT_UP : k == 'j' ? INPUT_DOWN :
		    k == ' ' ? INPUT_PAGE_DOWN : k);
		break;
	}
}

static void
review_about(const struct layer *layer, struct about *out)
{
	const struct review *v = (const struct review *)layer;

	out->title = v->options->title;
	if (v->can_apply)
		about_key(out, 'w', "apply the change (asks first)");
	if (v->can_apply && v->options->remote != NULL)
		about_key(out, 'm', "change the path in references");
	about_key(out, INPUT_DOWN, "scroll down a line");
	about_key(out, INPUT_UP, "scroll up a line");
	about_key(out, INPUT_PAGE_DOWN, "next page");
	about_key(out, INPUT_PAGE_UP, "previous page");
	about_key(out, INPUT_ESCAPE, "back; nothing is changed");
}

static void
review_init(struct review *v, const struct review_options *o)
{
	memset(v, 0, sizeof(*v));
	v->layer.draw = review_draw;
	v->layer.key = review_key;
	v->layer.about = review_about;
	v->options = o;
	v->answer = REVIEW_BACK;
	buf_init(&v->text, DIFF_MAX);
	vec_init(&v->pieces, sizeof(struct piece), LINES_MAX);
}

static enum review_answer
review_close(struct review *v)
{
	vec_release(&v->pieces);
	buf_release(&v->text);
	return v->answer;
}

static enum review_answer
review_finish(struct app *a, struct review *v)
{
	if (!loop_run(a, &v->layer))
		v->answer = REVIEW_BACK;
	return review_close(v);
}

enum review_answer
review_run(struct app *a, struct change *const c[], size_t n, const struct review_options *o)
{
	struct review v;
	struct error err;
	size_t i;

	review_init(&v, o);
	for (i = 0; i < n; i++) {
		if (diff_append(c[i]->plan, &v.text, &err) == -1) {
			tell_error(a, "The diff cannot be made", &err);
			return review_close(&v);
		}
		v.can_apply = v.can_apply ||
		    (!plan_is_empty(c[i]->plan) && !a->options->read_only);
	}
	if (o->ask_now && v.can_apply) {
		/* The question comes over the diff; no to it leaves the diff. */
		v.layer.below = a->top;
		a->top = &v.layer;
		if (review_confirmed(a, o))
			v.answer = REVIEW_APPLY;
		a->top = v.layer.below;
		if (v.answer == REVIEW_APPLY)
			return review_close(&v);
	}
	return review_finish(a, &v);
}

void
review_show(struct app *a, const char *title, const char *text)
{
	struct review_options o = { .title = title };
	struct review v;

	review_init(&v, &o);
	buf_append_str(&v.text, text);
	(void)review_finish(a, &v);
}

/* --- applying --- */

/* Add copies of the paths of configurations that the plan changes and of files
 * that it makes, as the plan is gone when they are needed. */
static void
copy_paths(const struct change *c, struct vec *paths)
{
	const struct plan_file *f = NULL;

	while ((f = plan_next(c->plan, f)) != NULL)
		if (f->role != PLAN_SECRETS || !f->id->exists)
			(void)vec_push_string(paths, f->path, strlen(f->path));
}

static void
append_result(struct buf *out, const struct error *why)
{
	if (why->file[0] != '\0') {
		text_append_visible(out, why->file, strlen(why->file));
		buf_append_str(out, ": ");
	}
	buf_printf(out, "%s\n", why->text);
	if (why->hint[0] != '\0')
		buf_printf(out, "# %s\n", why->hint);
}

/* What became of each file: first those that failed, then what was not come to. */
static void
append_files(const struct app *a, struct buf *out, const struct apply *applied)
{
	const struct apply_result *r;
	int round, kind;
	size_t i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < applied->count; i++) {
			r = &applied->results[i];
			kind = r->why != NULL ? 0 : r->done ? 2 : 1;
			if (kind != round)
				continue;
			buf_append_str(out, kind == 0 ? "- failed  " : kind == 1 ? "# left    " :
			    "+ done    ");
			buf_printf(out, "%s", model_show_path(a->model, r->file->path));
			if (kind == 0)
				buf_printf(out, ": %s", r->why->text);
			buf_append_char(out, '\n');
			if (kind == 0 && r->why->hint[0] != '\0')
				buf_printf(out, "# %s\n", r->why->hint);
		}
	}
}

/* Changes that are being applied, and what is to be told of it. */
struct carrying {
	const struct app *a;
	struct change *const *c;
	size_t n;
	struct vec paths;	/* that may have changed */
	struct buf told, notes;
	struct buf done;	/* what is to be told of those that did not fail */
	size_t failures;
	size_t files;		/* that were changed */
	bool several;		/* more than one line is to be told of a failure */
	struct error last;
};

/* In the job's thread: one after the other. */
static int
carry_out(struct job *j, void *cookie, struct error *err)
{
	struct carrying *w = cookie;
	const struct apply *applied;
	bool several;
	size_t i;
	int rc;

	for (i = 0; i < w->n; i++) {
		copy_paths(w->c[i], &w->paths);
		if (job_cancelled(j)) {
			rc = error_set(err, ERROR_REFUSED, "not begun: it was stopped before");
			if (w->c[i]->secrets != NULL)
				error_place(err, secrets_file_path(w->c[i]->secrets), 0);
		} else {
			rc = change_apply(w->c[i], err);
		}
		applied = &w->c[i]->applied;
		w->files += apply_done(applied);
		if (rc == -1) {
			several = applied->several || applied->count > 2 || w->n > 1;
			w->failures++;
			w->several = w->several || several;
			append_result(&w->told, err);
			if (several)
				append_files(w->a, &w->told, applied);
			w->last = *err;
		} else if (w->n > 1) {
			append_files(w->a, &w->done, applied);
		}
		buf_append(&w->notes, applied->notes.data, applied->notes.len);
	}
	return w->failures > 0 ? -1 : 0;
}

bool
change_carry_out(struct app *a, struct change *const c[], size_t n, const char *failed)
{
	struct carrying w = { .a = a, .c = c, .n = n };
	const struct job_wait wait = { "Applying", WRITING,
		"Esc stops between files; what is done is complete, and stays.", carry_out, &w };
	struct error err;
	size_t i;

	vec_init(&w.paths, sizeof(char *), LINES_MAX);
	buf_init(&w.told, DIFF_MAX);
	buf_init(&w.notes, DIFF_MAX);
	buf_init(&w.done, DIFF_MAX);
	if (job_await(a, &wait, &err) == -1 && w.failures == 0) {
		w.failures = 1;
		w.last = err;
	}
	for (i = 0; i < n; i++)
		change_close(c[i]);
	/* Also after a failure: what is on disk may have changed before. */
	files_hold(a);
	if (model_refresh(a->model, w.paths.items, w.paths.len, &err) == -1) {
		w.failures++;
		append_result(&w.told, &err);
		w.last = err;
	}
	/* What is told comes over the screen, where nothing happens by itself meanwhile: that
	 * must be true then. */
	if ((w.failures > 0 || w.notes.len > 0) && model_finish(a->model) == -1)
		app_complain(a, "not enough memory");
	files_restore(a);
	vec_release_strings(&w.paths);
	if (w.failures > 0) {
		buf_append(&w.told, w.done.data, w.done.len);
		/* What is on disk must not be denied. */
		if (w.files > 0)
			failed = "Only a part was applied";
	}
	if (w.failures == 1 && !w.several) {
		tell_error(a, failed, &w.last);
		buf_clear(&w.told);
	} else if (w.failures > 0) {
		app_complain(a, "%s: %s", failed, w.last.text);
	}
	buf_append(&w.told, w.notes.data, w.notes.len);
	if (w.told.len > 0)
		review_show(a, w.failures > 0 ? failed : "Applied", buf_cstr(&w.told));
	buf_release(&w.done);
	buf_release(&w.notes);
	buf_release(&w.told);
	return w.failures == 0;
}
