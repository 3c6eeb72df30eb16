#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "document/edits.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "plan/apply.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

#define ANY_WRITE 0222
#define KEYS_MAX 10000			/* of one file, that the trail names */
#define NAMES_MAX 512			/* bytes of files' names in a message */
#define NOTES_MAX ((size_t)1 << 20)

size_t
apply_done(const struct apply *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		n += a->results[i].done;
	return n;
}

/* --- the trail: which files and keys, no values --- */

struct record {
	const struct plan *plan;
	const struct apply *apply;
	const struct error *why;
};

static void
put_keys(struct json_out *o, const struct edits *edits)
{
	size_t named = 0, more = 0;

	json_out_array(o, "keys");
	for (size_t i = 0; i < edits_count(edits); i++) {
		struct edit e = edits_at(edits, i);

		/* What is written beside an entry is none that anybody asked for. */
		if (tag_names(e.key, e.key_len) || metadata_is_remote(e.key, e.key_len))
			continue;
		if (named == KEYS_MAX)
			more++;
		else if (e.label != NULL && e.kind == EDIT_SPLICE)
			json_out_text_n(o, NULL, e.label, e.label_len);
		else
			json_out_text_n(o, NULL, e.key, e.key_len);
		named += named < KEYS_MAX;
	}
	json_out_end(o);
	if (more > 0)
		json_out_uint(o, "more", more);
}

static void
fill_intent(const void *cookie, struct json_out *o)
{
	static const char *const roles[] = { "secrets", "configuration", "output" };
	const struct record *r = cookie;
	const struct secrets_file *s = plan_secrets(r->plan);

	json_out_text(o, "environment", r->apply->environment);
	if (s != NULL)
		trail_put_path(o, "secrets_file", secrets_file_path(s));
	json_out_array(o, "files");
	for (size_t i = 0; i < r->apply->count; i++) {
		const struct plan_file *f = r->apply->results[i].file;

		json_out_object(o, NULL);
		trail_put_path(o, "file", f->path);
		json_out_text(o, "role", roles[f->role]);
		json_out_bool(o, "new", !f->id->exists);
		if (f->edits != NULL)
			put_keys(o, f->edits);
		if (f->role == PLAN_OUTPUT && r->apply->key != NULL) {
			json_out_array(o, "keys");
			json_out_text(o, NULL, r->apply->key);
			json_out_end(o);
		}
		json_out_end(o);
	}
	json_out_end(o);
}

static void
fill_outcome(const void *cookie, struct json_out *o)
{
	const struct record *r = cookie;
	size_t done = apply_done(r->apply), all = r->apply->count;

	json_out_text(o, "outcome", trail_outcome_name(done == all ? TRAIL_DONE : done > 0 ?
	    TRAIL_PARTLY : TRAIL_FAILED));
	json_out_array(o, "files");
	for (size_t i = 0; i < all; i++) {
		const struct apply_result *result = &r->apply->results[i];
		const struct error *why = result->why != NULL ? result->why : r->why;

		json_out_object(o, NULL);
		json_out_bool(o, "done", result->done);
		if (!result->done)
			json_out_text(o, "error", why != NULL ? why->text : "not come to");
		json_out_end(o);
	}
	json_out_end(o);
}

/* That the change cannot be undone later. */
static void
note_not_kept(struct apply *a, const struct error *err)
{
	buf_printf(&a->notes, "%s%s%s: this change cannot be undone from the trail; %s\n",
	    err->file, err->file[0] != 0 ? ": " : "", err->text,
	    err->hint[0] != '\0' ? err->hint : "see to that folder");
}

/* -1: it cannot be written, and the trail is required.  Else that is a note. */
static int
record_intent(const struct plan *p, struct apply *a, struct error *err)
{
	const struct record r = { .plan = p, .apply = a };
	struct error why;

	a->change = 0;
	if (a->count == 0)
		return 0;
	if (trail_intend(a->trail, fill_intent, &r, &a->change, &a->notes, err) != 0)
		return -1;
	if (a->change != 0 && keep_change(p, a->trail, a->change, &why) != 0)
		note_not_kept(a, &why);
	return 0;
}

/* ${why}: the failure of the whole, or NULL. */
static void
record_outcome(struct apply *a, const struct error *why)
{
	const struct record r = { .apply = a, .why = why };

	if (a->change != 0 && apply_done(a) == 0)
		kept_drop(a->trail, a->change);
	trail_conclude(a->trail, a->change, fill_outcome, &r, &a->notes);
}

/* --- one file --- */

/* A new file that is made of edits, and how it is looked at. */
struct edited {
	const struct plan_file *file;
	struct verification *v;
};

static int
edited_write(void *cookie, struct buf *out, struct error *err)
{
	const struct edited *x = cookie;

	if (x->file->content == NULL)
		return edits_render(x->file->edits, out, err);
	buf_append(out, x->file->content->data, x->file->content->len);
	return buf_check(out, err);
}

static int
edited_look(void *cookie, const unsigned char *bytes, size_t n, struct error *err)
{
	const struct edited *x = cookie;

	return verification_look(x->v, bytes, n, err);
}

static int
edited_end(void *cookie, struct error *err)
{
	const struct edited *x = cookie;

	return verification_end(x->v, err);
}

static struct replace *
apply_prepare(const struct plan *p, const struct plan_file *f, struct error *err)
{
	struct edited x = { .file = f };
	const struct file_content content = f->role == PLAN_OUTPUT ?
	    replace_content_of(f->content) :
	    (struct file_content){ edited_write, edited_look, edited_end, &x };
	struct replace *r = NULL;

	if (f->role == PLAN_OUTPUT || (x.v = verification_new(p, f, err)) != NULL)
		r = replace_prepare(f->path, f->id, &content, err);
	verification_free(x.v);
	return r;
}

static void
result_fail(struct apply_result *result, const struct error *why)
{
	if (result->why == NULL && (result->why = malloc(sizeof(*why))) != NULL)
		*result->why = *why;
	result->done = false;
}

static int
apply_place(const struct apply *a, struct replace *r, struct error *err)
{
	struct wait w = { .timeout_ms = a->lock_timeout_ms, .waiting = a->writing,
		.cookie = a->cookie };

	wait_start(&w);
	return replace_place(r, &w, err);
}

/* Note that what should be gone is still there. */
static void
note_left(struct apply *a, const struct error *err)
{
	buf_printf(&a->notes, "%s: %s; %s\n", err->file, err->text, err->hint);
}

/* --- the secrets file --- */

/* The one file of the plan that others need. */
struct first {
	struct apply_result *result;	/* NULL: the plan has none */
	struct replace *r;		/* NULL: not prepared, or settled */
	struct plan_file adding;	/* as it is written first, when ... */
	struct edits *edits;		/* ... it is removed from at the end: without that */
	struct file_id now;		/* then: what it is after that */
	bool placed;
};

/* The edits of the secrets file that remove nothing. */
static struct edits *
edits_adding(const struct edits *all, struct error *err)
{
	struct edits *e = edits_new(edits_document(all), false, err);
	int rc = e == NULL ? -1 : 0;

	for (size_t i = 0; i < edits_count(all) && rc == 0; i++) {
		struct edit one = edits_at(all, i);

		if (one.kind == EDIT_SET)
			rc = edits_set(e, one.entry, one.value, one.value_len, err);
		else if (one.kind == EDIT_INSERT)
			rc = edits_insert(e, one.entry, one.key, one.key_len, one.value,
			    one.value_len, err);
	}
	if (rc == 0)
		return e;
	edits_free(e);
	return NULL;
}

static int
first_prepare(struct plan *p, struct first *s, struct error *err)
{
	const struct plan_file *f;

	if (s->result == NULL)
		return 0;
	f = s->result->file;
	if (plan_order(p) == PLAN_BOTH) {
		if ((s->edits = edits_adding(f->edits, err)) == NULL)
			return -1;
		s->adding = *f;
		s->adding.edits = s->edits;
		f = &s->adding;
	}
	s->r = apply_prepare(p, f, err);
	return s->r == NULL ? -1 : 0;
}

/* Put it in place, on disk. */
static int
first_place(struct apply *a, struct first *s, struct error *err)
{
	if (s->r == NULL || s->placed)
		return 0;
	if (apply_place(a, s->r, err) == -1)
		return -1;
	replace_sync(&s->r, 1);
	if (replace_check(s->r, err) == -1 ||
	    (s->edits != NULL && replace_identify(s->r, &s->now, err) == -1))
		return replace_undo(s->r, err);
	s->placed = true;
	return 0;
}

/* It stays.  What cannot be removed any more is no failure: it is told. */
static void
first_settle(struct apply *a, struct first *s)
{
	struct error err;

	if (s->r == NULL || !s->placed)
		return;
	s->result->done = true;
	a->blind += replace_is_blind(s->r);
	if (replace_settle(s->r, &err) == -1)
		note_left(a, &err);
	replace_sync(&s->r, 1);
	replace_free(s->r);
	s->r = NULL;
}

/* At last remove from it what was only kept while configurations needed it. */
static int
first_remove(struct plan *p, struct apply *a, struct first *s, struct error *err)
{
	struct plan_file f = *s->result->file;

	f.id = &s->now;
	edits_free(s->edits);
	s->edits = NULL;
	s->placed = s->result->done = false;
	if ((s->r = apply_prepare(p, &f, err)) == NULL || first_place(a, s, err) == -1)
		return -1;
	first_settle(a, s);
	return 0;
}

/* --- all others, some at a time --- */

struct batch {
	struct apply_result *results;
	size_t n;
	size_t before, all;	/* files that were come to, of how many */
	struct replace *r[APPLY_BATCH];		/* NULL: failed */
	struct lock *locks[APPLY_BATCH];	/* one of all, or one of each */
};

/* Lock them all; if that cannot be, each that can be had at once.  False: it was stopped
 * meanwhile. */
static bool
batch_lock(const struct apply *a, struct batch *b)
{
	const char *paths[APPLY_BATCH];
	struct error err;

	if (a->files_locked)
		return true;
	for (size_t i = 0; i < b->n; i++)
		paths[i] = b->results[i].file->path;
	b->locks[0] = lock_files(paths, b->n, a->lock_timeout_ms, a->waiting, a->cookie, NULL);
	if (b->locks[0] != NULL)
		return true;
	if (a->progress != NULL && !a->progress(a->cookie, b->before, b->all))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		b->locks[i] = lock_files(&paths[i], 1, 0, NULL, NULL, &err);
		if (b->locks[i] == NULL)
			result_fail(&b->results[i], &err);
	}
	return true;
}

static void
batch_drop(struct batch *b, size_t i)
{
	replace_free(b->r[i]);
	b->r[i] = NULL;
}

static void
batch_fail(struct batch *b, size_t i, const struct error *why)
{
	result_fail(&b->results[i], why);
	batch_drop(b, i);
}

/* Lock and prepare.  How many are ready?  ${*go_on}: it was not stopped while it waited. */
static size_t
batch_prepare(const struct plan *p, const struct apply *a, struct batch *b, bool *go_on)
{
	struct error err;
	size_t ready = 0;

	*go_on = batch_lock(a, b);
	for (size_t i = 0; i < b->n && *go_on; i++) {
		if (b->results[i].why != NULL)
			continue;
		if ((b->r[i] = apply_prepare(p, b->results[i].file, &err)) == NULL)
			result_fail(&b->results[i], &err);
		else
			ready++;
	}
	return ready;
}

/* Put them in place, on disk; the old ones are still there.  ${*touched}: one
 * may be in place. */
static void
batch_place(const struct apply *a, struct batch *b, bool *touched)
{
	struct error err;

	for (size_t i = 0; i < b->n; i++) {
		if (b->r[i] != NULL && apply_place(a, b->r[i], &err) == -1) {
			*touched |= replace_state(b->r[i]) != REPLACE_OLD;
			batch_fail(b, i, &err);
		}
	}
	replace_sync(b->r, b->n);
	for (size_t i = 0; i < b->n; i++) {
		if (b->r[i] != NULL && replace_check(b->r[i], &err) == -1) {
			replace_undo(b->r[i], &err);
			*touched |= replace_state(b->r[i]) != REPLACE_OLD;
			batch_fail(b, i, &err);
		}
	}
}

/* They stay: remove the old ones.  Where one cannot be, and nothing else was
 * removed that it refers to, it is put back, as it may be clear text. */
static void
batch_settle(struct apply *a, struct batch *b, bool can_go_back, bool *touched)
{
	struct error err;
	bool settled;

	for (size_t i = 0; i < b->n; i++) {
		if (b->r[i] == NULL)
			continue;
		settled = replace_settle(b->r[i], &err) == 0;
		if (!settled && can_go_back) {
			replace_undo(b->r[i], &err);
			*touched |= replace_state(b->r[i]) != REPLACE_OLD;
			batch_fail(b, i, &err);
			continue;
		}
		if (!settled)
			note_left(a, &err);
		b->results[i].done = *touched = true;
		a->blind += replace_is_blind(b->r[i]);
	}
	/* So that clear text does not come back with a crash. */
	replace_sync(b->r, b->n);
}

/* None of them stays, as ${why} says. */
static void
batch_undo(struct batch *b, const struct error *why)
{
	struct error err;

	for (size_t i = 0; i < b->n; i++) {
		if (b->r[i] == NULL)
			continue;
		err = *why;
		replace_undo(b->r[i], &err);
		if (replace_state(b->r[i]) == REPLACE_OLD)
			batch_drop(b, i);
		else
			batch_fail(b, i, &err);
	}
}

static void
batch_end(struct batch *b)
{
	for (size_t i = 0; i < APPLY_BATCH; i++) {
		replace_free(b->r[i]);
		lock_release(b->locks[i]);
	}
}

/* --- all of it --- */

/*
 * Permission bits do not bind root, who edits files of mode 0440 every day.
 * But a file without a write bit beside one that has some was protected on
 * purpose, so it is not changed.
 */
static void
apply_check_protected(struct apply *a)
{
	const struct file_id *id;
	bool writable = false;
	struct error err;

	for (size_t i = 0; i < a->count && !writable; i++) {
		id = a->results[i].file->id;
		writable = id->exists && (id->mode & ANY_WRITE) != 0;
	}
	for (size_t i = 0; i < a->count && writable; i++) {
		id = a->results[i].file->id;
		if (!id->exists || (id->mode & ANY_WRITE) != 0)
			continue;
		error_set(&err, ERROR_REFUSED, "the file is read-only");
		error_place(&err, a->results[i].file->path, 0);
		error_hint(&err, "if it may be changed, make it writable first (chmod u+w)");
		result_fail(&a->results[i], &err);
	}
}

/* Is there a file besides the secrets file that is not done? */
static bool
some_failed(const struct apply *a, const struct first *s)
{
	for (size_t i = 0; i < a->count; i++)
		if (&a->results[i] != s->result && !a->results[i].done)
			return true;
	return false;
}

static struct apply_result *
first_failure(const struct apply *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->results[i].why != NULL)
			return &a->results[i];
	return NULL;
}

/* The secrets file after all others, where it went first. */
static void
apply_finish_adding(struct plan *p, struct apply *a, struct first *s, bool needed)
{
	struct apply_result *failed = first_failure(a);
	struct error err;

	if (!s->placed)
		return;
	if (!needed) {
		replace_undo(s->r, failed != NULL ? failed->why : NULL);
		return;
	}
	first_settle(a, s);
	if (some_failed(a, s))
		buf_printf(&a->notes, "%s: what was sealed for files that are not changed stays in "
		    "it, and nothing refers to it yet; the command, run again, uses it\n",
		    s->result->file->path);
	else if (s->edits != NULL && first_remove(p, a, s, &err) == -1)
		result_fail(s->result, &err);
}

/*
 * The secrets file where it goes last, while the last of the others can still
 * be put back.  false: they were.
 */
static bool
apply_remove_last(struct apply *a, struct first *s, struct batch *b)
{
	struct error err;

	if (s->result == NULL)
		return true;
	if (first_failure(a) != NULL) {
		error_set(&err, ERROR_REFUSED, "it is as it was, as a file that may need its "
		    "sealed entries could not be changed");
		error_place(&err, s->result->file->path, 0);
		error_hint(&err, "what nothing refers to any more stays in it as orphans");
		result_fail(s->result, &err);
		return true;
	}
	if (first_place(a, s, &err) == 0)
		return true;
	result_fail(s->result, &err);
	if (replace_state(s->r) != REPLACE_OLD)
		return true;
	batch_undo(b, &err);
	return false;
}

/* One batch after the other: ${others} are the files besides the secrets file. */
static void
apply_batches(struct plan *p, struct apply *a, struct first *s, struct apply_result *others,
    size_t n)
{
	bool removing = plan_order(p) == PLAN_REMOVING, touched = n == 0, go_on = true;
	struct error err;

	if (n == 0 && first_place(a, s, &err) == -1)
		result_fail(s->result, &err);
	for (size_t at = 0; at < n && go_on; at += APPLY_BATCH) {
		size_t ready;
		struct batch b = { .results = others + at,
			.n = n - at < APPLY_BATCH ? n - at : APPLY_BATCH, .before = at, .all = n };

		ready = batch_prepare(p, a, &b, &go_on);
		if (ready > 0 && !removing && first_place(a, s, &err) == -1) {
			result_fail(s->result, &err);
			go_on = false;
		} else if (go_on) {
			batch_place(a, &b, &touched);
			if (!removing || at + b.n < n || apply_remove_last(a, s, &b))
				batch_settle(a, &b, !removing, &touched);
		}
		batch_end(&b);
		if (go_on && a->progress != NULL)
			go_on = a->progress(a->cookie, at + b.n, n);
	}
	if (removing)
		first_settle(a, s);
	else
		apply_finish_adding(p, a, s, touched);
}

/* The files that are not done, as ", a, b and 3 more"; how many. */
static size_t
name_undone(const struct apply *a, char names[NAMES_MAX])
{
	size_t used = 0, left = 0, count = 0;

	names[0] = '\0';
	for (size_t i = 0; i < a->count; i++) {
		const char *path = a->results[i].file->path;

		if (a->results[i].done)
			continue;
		count++;
		/* Room is kept for the number of those that find none. */
		if (left > 0 || used + strlen(path) + 32 > NAMES_MAX)
			left++;
		else
			used += (size_t)snprintf(names + used, NAMES_MAX - used, "%s%s",
			    used > 0 ? ", " : "", path);
	}
	if (left > 0)
		snprintf(names + used, NAMES_MAX - used, " and %zu more", left);
	return count;
}

static int
apply_sum_up(struct apply *a, struct error *err)
{
	const struct apply_result *first = first_failure(a);
	size_t undone, failed = 0;
	char names[NAMES_MAX];
	enum error_code code;

	if (a->blind > 0)
		buf_printf(&a->notes, "%zu file%s replaced without a lease, which the file system "
		    "or the owner does not let propseal have: what another program wrote at that "
		    "moment is lost\n", a->blind, a->blind == 1 ? " was" : "s were");
	(void)buf_cstr(&a->notes);
	if ((undone = name_undone(a, names)) == 0)
		return 0;
	for (size_t i = 0; i < a->count; i++)
		failed += a->results[i].why != NULL;
	a->several = failed != 1 || undone != a->count;
	if (!a->several) {
		if (err != NULL)
			*err = *first->why;
		return -1;
	}
	/* With some of them done, or on request, it is a failure like any other. */
	code = first == NULL ? ERROR_REFUSED : undone < a->count &&
	    error_exit_status(first->why->code) != 1 ? ERROR_IO : first->why->code;
	error_set(err, code, "%zu of %zu files %s not changed: %s", undone, a->count,
	    undone == 1 ? "is" : "are", names);
	return error_hint(err, first == NULL ? "it was stopped; run the command again to go on" :
	    "see to the cause of each, then run the command again");
}

int
apply_plan(struct plan *p, struct apply *a, struct error *err)
{
	struct first s = { .placed = false };
	const struct plan_file *f = NULL;
	struct lock *lock = NULL;
	size_t n = 0;
	int rc = -1;

	buf_init(&a->notes, NOTES_MAX);
	a->results = calloc(plan_file_count(p) + 1, sizeof(*a->results));
	if (a->results == NULL)
		return error_memory(err);
	while ((f = plan_next(p, f)) != NULL) {
		if (f->role == PLAN_SECRETS) {
			s.result = &a->results[0];
			s.result->file = f;
		} else {
			a->results[++n].file = f;
		}
	}
	if (s.result == NULL)
		memmove(a->results, a->results + 1, n * sizeof(*a->results));
	a->count = n + (s.result != NULL);
	apply_check_protected(a);
	if (s.result != NULL && !a->secrets_locked) {
		lock = lock_files(&s.result->file->path, 1, a->lock_timeout_ms, a->waiting,
		    a->cookie, err);
		if (lock == NULL)
			return -1;
	}
	if (record_intent(p, a, err) == -1)
		goto out;
	if (s.result != NULL && s.result->why == NULL && first_prepare(p, &s, err) == -1)
		goto out;
	if (s.result == NULL || s.result->why == NULL)
		apply_batches(p, a, &s, a->results + (s.result != NULL), n);
	rc = apply_sum_up(a, err);
out:
	replace_free(s.r);
	edits_free(s.edits);
	record_outcome(a, rc == -1 ? err : NULL);
	(void)buf_cstr(&a->notes);
	lock_release(lock);
	return rc;
}

void
apply_release(struct apply *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->results[i].why);
	free(a->results);
	buf_release(&a->notes);
	a->results = NULL;
	a->count = 0;
}
