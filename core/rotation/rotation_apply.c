#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/lock.h"
#include "plan/change.h"
#include "plan/plan.h"
#include "rotation/rotation_internal.h"
#include "seal/keying.h"
#include "secrets/secrets_file.h"

/* Changing the files of a session, and proving that they are what they should be. */

static const struct secrets_policy apply_policy = { .cbc = SECRETS_CBC_ALL };

static bool
run_waiting(void *cookie, const char *path, int waited_ms, int left_ms)
{
	const struct run *run = cookie;

	return run->cb->waiting == NULL ||
	    run->cb->waiting(run->cookie, path, waited_ms, left_ms);
}

void
run_change(struct run *run, const struct item *x, struct change *c)
{
	static const struct change_callbacks callbacks = { .waiting = run_waiting,
		.writing = run_waiting };

	change_init(c, &callbacks, run);
	c->lock_timeout_ms = run->r->lock_timeout_ms;
	c->trail = run->r->trail;
	c->environment = x->environment;
}

void
run_sweep(const struct run *run, const struct held *h)
{
	char *path = h->face.state != ROTATION_FILE_SKIPPED ?
	    rotation_path(run->r, h->face.file) : NULL;

	if (path != NULL)
		lock_sweep(path);
	free(path);
}

void
run_note(const struct run *run, const char *path, const char *text)
{
	struct buf line;

	if (run->cb->note == NULL)
		return;
	buf_init(&line, 65536);
	buf_printf(&line, "%s: %s", path, text);
	run->cb->note(run->cookie, buf_cstr(&line));
	buf_release(&line);
}

void
run_notes(const struct run *run, const char *lines)
{
	char *copy = strdup(lines);

	for (char *next, *line = copy; line != NULL && *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		if (run->cb->note != NULL)
			run->cb->note(run->cookie, line);
	}
	free(copy);
}

int
run_log(struct run *run, enum event e, const struct item *x, struct error *err)
{
	int rc = session_log(run->r, e, x, err);

	run->fatal |= rc != 0;
	return rc;
}

static void
run_problem(const struct run *run, const struct error *what)
{
	if (run->cb->problem != NULL)
		run->cb->problem(run->cookie, what);
}

int
run_fail(struct run *run, struct held *h, const struct error *why, struct error *err)
{
	if (run->fatal || why->code == ERROR_MEMORY) {
		if (err != NULL)
			*err = *why;
		return -1;
	}
	if (run->failed++ == 0)
		run->first = *why;
	session_fail(h, why);
	run_problem(run, why);
	return 0;
}

bool
run_progress(const struct run *run, const char *file, size_t done)
{
	return run->cb->progress == NULL ||
	    run->cb->progress(run->cookie, file, done, run->r->items.len);
}

int
run_sum_up(const struct run *run, const char *done, const char *command, struct error *err)
{
	bool key = run->first.code == ERROR_KEY || run->first.code == ERROR_DAMAGED ||
	    run->first.code == ERROR_BUSY;

	if (run->failed == 0)
		return 0;
	error_set(err, key ? run->first.code : ERROR_IO, "%zu file%s could not be %s",
	    run->failed, run->failed == 1 ? "" : "s", done);
	return error_hint(err, "see to the cause of each, then `propseal rotation %s` goes on",
	    command);
}

/* --- apply --- */

/* It changed since plan, under the same keys: what it is now is the original. */
static int
apply_replan(struct run *run, struct item *x, struct secrets_file *s, const struct wrapped *w,
    struct error *err)
{
	const struct buf *bytes = document_bytes(secrets_file_document(s));
	struct rotation *r = run->r;
	struct buf values;
	int rc = -1;

	buf_init(&values, BUF_MAX_FILE);
	if (secrets_file_unlock(s, w->old, err) == 0 &&
	    values_take(s, w->hash, &values, &x->entries, run->cb, run->cookie, err) == 0) {
		rc = session_put(r, STORE_ORIGINALS, bytes->data, bytes->len,
		    &x->parts[STORE_ORIGINALS], err);
		if (rc == 0)
			rc = session_put(r, STORE_VALUES, values.data, values.len,
			    &x->parts[STORE_VALUES], err);
		if (rc == 0)
			rc = session_sync(r, STORE_ORIGINALS, err);
		if (rc == 0)
			rc = session_sync(r, STORE_VALUES, err);
		if (rc == 0)
			rc = session_digests(r, s, x->before, x->wrap_before, err);
		if (rc == 0)
			rc = session_log(r, EVENT_REPLANNED, x, err);
		run->fatal |= rc != 0;
	}
	buf_release(&values);
	if (rc != 0)
		return -1;
	run_note(run, x->file, "it changed since the rotation was planned; it was planned again");
	return 0;
}

/* What the file will be: its digest, and that of its wrapped data key. */
static int
apply_digests(struct run *run, struct item *x, const struct plan *p, struct error *err)
{
	const struct plan_file *f = plan_next(p, NULL);
	const struct rotation *r = run->r;
	struct buf text;
	int rc;

	if (f == NULL || f->edits == NULL)
		return error_set(err, ERROR_REFUSED, "there is nothing to change");
	buf_init_secret(&text, BUF_MAX_FILE);
	rc = edits_render(f->edits, &text, err);
	if (rc == 0 && (rc = digest_sha256(r->digest, text.data, text.len, x->after)) != 0)
		error_set(err, ERROR_CRYPTO, "OpenSSL cannot make a digest");
	for (size_t i = 0; rc == 0 && i < edits_count(f->edits); i++) {
		struct edit e = edits_at(f->edits, i);

		if (e.key_len == strlen(SECRETS_DATA_KEY) &&
		    memcmp(e.key, SECRETS_DATA_KEY, e.key_len) == 0)
			rc = digest_sha256(r->digest, e.value, e.value_len, x->wrap_after);
	}
	buf_release(&text);
	return rc;
}

int
keys_plan(struct plan *p, enum rotation_kind kind, const struct key *old,
    const struct rotate_master *to, struct error *err)
{
	if ((kind & ROTATION_DATA_KEY) && rotate_data_key(p, old, NULL, NULL, err) != 0)
		return -1;
	return kind & ROTATION_MASTER_KEY ? rotate_master_key_to(p, old, to, err) : 0;
}

int
rotation_one(struct plan *p, enum rotation_kind kind, const struct key *master,
    const void *passphrase, size_t n, struct key **new_master, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	char salt[ROTATE_SALT];
	struct rotate_master to;
	struct key *k = NULL;

	*new_master = NULL;
	/* A wrong key is told before a passphrase is tried. */
	if (secrets_file_unlock(s, master, err) != 0)
		return -1;
	if ((kind & ROTATION_MASTER_KEY) && (k = rotate_derive_master(s, master, passphrase, n,
	    salt, &to, err)) == NULL)
		return -1;
	if (keys_plan(p, kind, master, &to, err) != 0) {
		key_free(k);
		return -1;
	}
	*new_master = k;
	return 0;
}

/* Does every entry open with the new key?  What a rotation left in CBC it has tagged, so that
 * one without a tag that fits was put there since, and stays closed (secrets/secrets_file.h). */
static int
apply_opens(struct run *run, struct secrets_file *s, const struct key *new,
    const struct wrapped *w, struct buf *values, size_t *count, struct error *err)
{
	return secrets_file_unlock(s, new, err) != 0 ? -1 :
	    values_take(s, w->hash, values, count, run->cb, run->cookie, err);
}

/* A run that was killed had changed the file already; is that what it should be? */
static int
apply_found(struct run *run, struct item *x, struct secrets_file *s, const struct key *new,
    const struct wrapped *w, enum look look, struct error *err)
{
	struct values_found found = { 0, 0, 0 };
	struct buf values;
	size_t count;
	int rc;

	buf_init(&values, BUF_MAX_FILE);
	rc = apply_opens(run, s, new, w, &values, &count, err);
	if (rc != 0 && look == LOOK_OTHER) {
		/* The key fits, and an entry does not open. */
		if (err->code != ERROR_KEY && err->code != ERROR_MISSING)
			run_problem(run, err);
		rc = session_refuse_other(secrets_file_path(s), err);
	}
	/* Without a line in the journal it is the values that tell. */
	if (rc == 0 && look == LOOK_OTHER) {
		rc = values_compare(run->r, x, s, &values, &found,
		    &(struct rotation_callbacks){ .key = run->cb->key }, NULL, err);
		if (rc == 0 && found.differences > 0)
			rc = session_refuse_other(secrets_file_path(s), err);
	}
	if (rc == 0)
		rc = session_digests(run->r, s, x->after, x->wrap_after, err);
	buf_release(&values);
	return rc == 0 ? run_log(run, EVENT_APPLIED, x, err) : -1;
}

static int
apply_has_original(struct run *run, const struct item *x, struct error *err)
{
	struct buf content;
	int rc;

	buf_init(&content, BUF_MAX_FILE);
	rc = session_original(run->r, x, &content, err);
	buf_release(&content);
	return rc;
}

static int
apply_change(struct run *run, struct item *x, struct change *c, const struct key *new,
    const struct wrapped *w, struct error *err)
{
	const struct rotate_master to = { .key = new, .salt = item_salt(x),
		.iterations = x->iterations, .length = x->length };
	int rc;

	/* No step forward without one back. */
	if (apply_has_original(run, x, err) != 0 ||
	    keys_plan(c->plan, run->r->kind, w->old, &to, err) != 0 ||
	    apply_digests(run, x, c->plan, err) != 0 || run_log(run, EVENT_INTEND, x, err) != 0)
		return -1;
	/* It is opened with the new key before it is put in place (plan/apply.h). */
	rc = change_apply(c, err);
	run_notes(run, plan_notes(c->plan));
	if (c->applied.notes.len > 0)
		run_notes(run, buf_cstr(&c->applied.notes));
	return rc == 0 ? run_log(run, EVENT_APPLIED, x, err) : -1;
}

static int
apply_file(struct run *run, struct item *x, struct change *c, struct error *err)
{
	char *path = rotation_path(run->r, x->file);
	struct wrapped w = { NULL, NULL };
	struct key *new = NULL;
	enum look look;
	int rc = -1;

	if (path == NULL)
		return error_memory(err);
	/* Keys come before locks: somebody may be asked for them. */
	if (keys_find(run->r, x, run->cb, run->cookie, &new, &w, err) != 0) {
		run->fatal |= !run->keyed;
		goto out;
	}
	run->keyed = true;
	if (change_files(c, NULL, path, false, err) != 0 || change_start(c, err) != 0 ||
	    session_look(run->r, x, c->secrets, &look, err) != 0)
		goto out;
	secrets_file_set_policy(c->secrets, apply_policy);
	if (look != LOOK_BEFORE && look != LOOK_BEFORE_CHANGED)
		rc = apply_found(run, x, c->secrets, new, &w, look, err);
	else if (look == LOOK_BEFORE || apply_replan(run, x, c->secrets, &w, err) == 0)
		rc = apply_change(run, x, c, new, &w, err);
out:
	if (rc != 0 && err != NULL && err->file[0] == '\0')
		error_place(err, path, 0);
	wrapped_release(&w);
	key_free(new);
	free(path);
	return rc;
}

static bool
is_waiting(const struct held *h)
{
	return h->face.state == ROTATION_FILE_PENDING || h->face.state == ROTATION_FILE_FAILED;
}

/* Was the line in the journal already, or only the file changed? */
static bool
is_proved(const struct held *h)
{
	return h->face.state == ROTATION_FILE_VERIFIED || h->face.state == ROTATION_FILE_SKIPPED ||
	    (h->face.state == ROTATION_FILE_APPLIED && h->proved);
}

static int
stopped(const char *what, size_t left, struct error *err)
{
	error_set(err, ERROR_REFUSED, "it was stopped; %zu file%s left", left,
	    left == 1 ? " is" : "s are");
	return error_hint(err, "`propseal rotation %s` goes on", what);
}

int
rotation_each_key(struct rotation *r, const struct rotation_callbacks *callbacks,
    int (*each)(void *cookie, const struct rotation_want *w, const struct key *k,
    struct error *err), void *cookie, struct error *err)
{
	struct wrapped w;
	struct key *new;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->items.len; i++) {
		struct item x;
		struct rotation_want want = { .is_new = true, .common = r->common, .session = r,
			.item = &x };

		if (is_proved(session_held(r, i)))
			continue;
		if ((rc = session_load(r, i, &x, err)) != 0 ||
		    (rc = keys_find(r, &x, callbacks, cookie, &new, &w, err)) != 0)
			break;
		want.file = x.file;
		rc = each(cookie, &want, new, err);
		wrapped_release(&w);
		key_free(new);
		if (r->common)
			break;
	}
	return rc;
}

struct key *
rotation_new_key(struct rotation *r, size_t i, const struct rotation_callbacks *callbacks,
    void *cookie, struct error *err)
{
	const struct rotation_file *f = rotation_file(r, i);
	struct item x;
	struct wrapped w;
	struct key *new;

	if (f->state == ROTATION_FILE_SKIPPED) {
		error_set(err, ERROR_REFUSED, "the file is left out, and keeps its key");
		error_place(err, f->file, 0);
		return NULL;
	}
	if (session_load(r, i, &x, err) != 0 ||
	    keys_find(r, &x, callbacks, cookie, &new, &w, err) != 0)
		return NULL;
	wrapped_release(&w);
	return new;
}

int
rotation_apply(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    struct error *err)
{
	struct run run = { .r = r, .cb = callbacks, .cookie = cookie };
	size_t left = 0;
	struct error why;
	int rc = 0;

	if (r->rolling_back || r->finishing || r->state == ROTATION_FINISHED) {
		error_set(err, ERROR_REFUSED, r->rolling_back ? "this session is being rolled "
		    "back, "
		    "or was" : "this session is finished");
		error_place(err, r->dir, 0);
		return error_hint(err, r->rolling_back && r->state != ROTATION_ROLLED_BACK ?
		    "`propseal rotation rollback` goes on with that" :
		    "`propseal rotation plan` makes a new one");
	}
	for (size_t i = 0; i < r->items.len; i++)
		left += !is_proved(session_held(r, i));
	for (size_t i = 0; rc == 0 && i < r->items.len; i++) {
		struct held *h = session_held(r, i);
		struct change c;
		struct item x;

		if (is_proved(h)) {
			run_sweep(&run, h);
			continue;
		}
		if (!run_progress(&run, h->face.file, i)) {
			rc = stopped("resume", left, err);
			break;
		}
		rc = session_load(r, i, &x, &why);
		run_change(&run, &x, &c);
		if (rc == 0 && (rc = apply_file(&run, &x, &c, &why)) == 0)
			left--;
		else if ((rc = run_fail(&run, h, &why, err)) == 0)
			rc = session_log(r, EVENT_FAILED, &x, err);
		change_close(&c);
	}
	if (rc == 0)
		(void)run_progress(&run, NULL, r->items.len);
	return rc != 0 ? rc : run_sum_up(&run, "changed", "resume", err);
}

/* --- verify --- */

/* A file that is applied, opened with its new key. */
struct opened {
	char *path;
	struct secrets_file *secrets;
	struct wrapped wrapped;
	struct key *new;
	struct buf values;	/* of values_take */
	size_t count;
};

static int
opened_load(struct run *run, const struct item *x, struct opened *o, struct error *err)
{
	if (keys_find(run->r, x, run->cb, run->cookie, &o->new, &o->wrapped, err) != 0) {
		run->fatal |= !run->keyed;
		return -1;
	}
	run->keyed = true;
	return (o->secrets = secrets_file_load(o->path, err)) == NULL ? -1 :
	    apply_opens(run, o->secrets, o->new, &o->wrapped, &o->values, &o->count, err);
}

/* An error gets the file's name, unless it has one. */
static void
opened_close(struct opened *o, int rc, struct error *err)
{
	if (rc != 0 && err != NULL && err->file[0] == '\0')
		error_place(err, o->path, 0);
	buf_release(&o->values);
	secrets_file_free(o->secrets);
	wrapped_release(&o->wrapped);
	key_free(o->new);
	free(o->path);
}

static int
verify_file(struct run *run, size_t i, struct values_found *found, struct error *err)
{
	struct rotation *r = run->r;
	struct opened o = { .path = rotation_path(r, rotation_file(r, i)->file) };
	struct item x;
	int rc;

	if (o.path == NULL)
		return error_memory(err);
	buf_init(&o.values, BUF_MAX_FILE);
	if ((rc = session_load(r, i, &x, err)) == 0 && (rc = opened_load(run, &x, &o, err)) == 0) {
		r->counts.opened += o.count;
		rc = values_compare(r, &x, o.secrets, &o.values, found, run->cb, run->cookie, err);
		if (rc == 0 && run->cb->opened != NULL)
			rc = run->cb->opened(run->cookie, o.path, o.new, err);
	}
	opened_close(&o, rc, err);
	return rc;
}

int
rotation_doubt(struct rotation *r, struct error *err)
{
	bool verified = false;

	for (size_t i = 0; i < r->items.len; i++)
		verified |= session_held(r, i)->face.state == ROTATION_FILE_VERIFIED;
	return verified ? session_log(r, EVENT_DOUBTED, NULL, err) : 0;
}

int
rotation_verify(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    size_t *differences, struct error *err)
{
	struct run run = { .r = r, .cb = callbacks, .cookie = cookie };
	struct values_found found = { 0, 0, 0 };
	size_t waiting = 0;
	struct error why;

	*differences = 0;
	r->counts.opened = r->counts.same = 0;
	if (r->rolling_back || r->finishing || r->state == ROTATION_FINISHED) {
		error_set(err, ERROR_REFUSED, "this session is %s, and has nothing to compare with",
		    r->rolling_back ? "rolled back" : "finished");
		error_place(err, r->dir, 0);
		return error_hint(err, "`propseal file verify` opens what is there");
	}
	for (size_t i = 0; i < r->items.len; i++) {
		struct held *h = session_held(r, i);

		waiting += is_waiting(h);
		if (is_waiting(h) || h->face.state == ROTATION_FILE_SKIPPED)
			continue;
		if (!run_progress(&run, h->face.file, i)) {
			error_set(err, ERROR_REFUSED, "it was stopped");
			return error_hint(err, "`propseal rotation verify` begins again");
		}
		if (verify_file(&run, i, &found, &why) != 0 &&
		    run_fail(&run, h, &why, err) != 0)
			return -1;
	}
	(void)run_progress(&run, NULL, r->items.len);
	*differences = found.differences;
	r->counts.same = found.same;
	if ((run.failed > 0 || found.differences > 0) && rotation_doubt(r, err) != 0)
		return -1;
	if (run.failed > 0) {
		error_set(err, run.first.code, "%zu file%s could not be opened whole", run.failed,
		    run.failed == 1 ? "" : "s");
		return error_hint(err, "see the causes above; `propseal rotation rollback` brings "
		    "back what was");
	}
	if (waiting > 0) {
		error_set(err, ERROR_REFUSED, "%zu file%s not changed yet", waiting,
		    waiting == 1 ? " is" : "s are");
		return error_hint(err, "`propseal rotation resume` goes on");
	}
	return *differences > 0 ? 0 : session_log(r, EVENT_VERIFIED, NULL, err);
}

/* --- what was changed on purpose --- */

/* Take the values, and the number of entries, as the item's. */
static int
accept_values(struct rotation *r, struct item *x, const struct buf *values, size_t count,
    struct error *err)
{
	int rc = session_put(r, STORE_VALUES, values->data, values->len,
	    &x->parts[STORE_VALUES], err);

	x->entries = count;
	if (rc == 0)
		rc = session_sync(r, STORE_VALUES, err);
	return rc == 0 ? session_log(r, EVENT_ACCEPTED, x, err) : rc;
}

int
rotation_accept(struct rotation *r, size_t i, const struct rotation_callbacks *callbacks,
    void *cookie, size_t *differences, struct error *err)
{
	struct run run = { .r = r, .cb = callbacks, .cookie = cookie };
	const struct held *h = session_held(r, i);
	struct opened o = { .path = rotation_path(r, h->face.file) };
	struct values_found found = { 0, 0, 0 };
	struct item x;
	int rc = -1;

	*differences = 0;
	if (o.path == NULL)
		return error_memory(err);
	buf_init(&o.values, BUF_MAX_FILE);
	if (r->rolling_back || r->finishing || r->state == ROTATION_FINISHED || !is_proved(h) ||
	    h->face.state == ROTATION_FILE_SKIPPED) {
		error_set(err, ERROR_REFUSED, "the session has nothing to compare its values with");
		error_hint(err, "only a file that was changed by a rotation which is neither "
		    "finished nor rolled back can be accepted");
	} else if (session_load(r, i, &x, err) == 0 && opened_load(&run, &x, &o, err) == 0) {
		rc = values_compare(r, &x, o.secrets, &o.values, &found, callbacks, cookie, err);
		*differences = found.differences;
		if (rc == 0 && found.unproved > 0) {
			rc = error_set(err, ERROR_REFUSED, "%zu %s no tag that fits: somebody "
			    "without the key may have put %s there, so nothing is accepted",
			    found.unproved, found.unproved == 1 ? "value has" : "values have",
			    found.unproved == 1 ? "it" : "them");
			error_hint(err, "if it was meant (another program does not tag), "
			    "`propseal file update` seals a value anew");
		}
		if (rc == 0)
			rc = accept_values(r, &x, &o.values, o.count, err);
	}
	opened_close(&o, rc, err);
	return rc;
}
