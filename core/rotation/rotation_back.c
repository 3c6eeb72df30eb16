#include <stdio.h>
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
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

/* The way back, and the end, after which there is none. */

/* Of what the session kept, which is as it was planned. */
static const struct secrets_policy original_policy = { .cbc = SECRETS_CBC_ALL };

/* A note about an entry of the file. */
static void
back_note(const struct run *run, const struct item *x, const char *key, size_t len,
    const char *text)
{
	struct error what;
	struct buf line;

	error_key(&what, key, len);
	buf_init(&line, 65536);
	buf_printf(&line, "%s%s%s", what.key, len > 0 ? ": " : "", text);
	run_note(run, x->file, buf_cstr(&line));
	buf_release(&line);
}

/* --- the same bytes --- */

/* Who could write a session's plan must not have it put any bytes over any file: both have
 * to be secrets files, with a data key. */
static int
back_is_secrets(const struct run *run, const struct item *x, const struct secrets_file *s,
    const struct buf *content, struct error *err)
{
	unsigned char file[DIGEST_SHA256], wrap[DIGEST_SHA256];
	struct secrets_file *original = NULL;
	struct buf copy;
	int rc;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, content->data, content->len);
	rc = buf_check(&copy, err);
	if (rc == 0 && (original = secrets_file_parse(secrets_file_path(s), &copy, err)) == NULL)
		rc = -1;
	if (rc == 0)
		rc = session_digests(run->r, original, file, wrap, err);
	if (rc == 0 && (secrets_file_metadata(s)->data_key == NULL ||
	    secrets_file_metadata(original)->data_key == NULL ||
	    memcmp(wrap, x->wrap_before, sizeof(wrap)) != 0)) {
		error_set(err, ERROR_DAMAGED, "what the session has of the file is of no secrets "
		    "file");
		error_place(err, secrets_file_path(s), 0);
		rc = error_hint(err, "put the session's folder back from a copy");
	}
	secrets_file_free(original);
	buf_release(&copy);
	return rc;
}

/* Put the original in place of the file, which is locked and ${s}. */
static int
back_whole(struct run *run, struct item *x, struct change *c, const struct secrets_file *s,
    struct error *err)
{
	const char *path = secrets_file_path(s);
	struct buf content;
	int rc;

	buf_init_secret(&content, BUF_MAX_FILE);
	rc = session_original(run->r, x, &content, err);
	if (rc == 0)
		rc = back_is_secrets(run, x, s, &content, err);
	if (rc == 0)
		rc = run_log(run, EVENT_RESTORE, x, err);
	if (rc == 0)
		rc = change_plan(c, err);
	if (rc == 0)
		rc = plan_add_output(c->plan, path, secrets_file_id(s), &content, err);
	buf_release(&content);
	return rc == 0 ? change_apply(c, err) : -1;
}

/* --- what changed since, under the old key --- */

static const char *const back_metadata[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
	SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY };

/* Plan the metadata to be that of the original. */
static int
back_keys(struct plan *p, const struct secrets_file *original, struct error *err)
{
	const struct document *now = secrets_file_document(plan_secrets(p));
	const struct document *then = secrets_file_document(original);
	struct edits *e = plan_secrets_edits(p, err);
	size_t at, was, after = DOCUMENT_NONE;
	struct buf value;
	int rc = e == NULL ? -1 : 0;

	buf_init(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < sizeof(back_metadata) / sizeof(back_metadata[0]); i++) {
		const char *key = back_metadata[i];

		at = document_find(now, key, strlen(key));
		was = document_find(then, key, strlen(key));
		buf_clear(&value);
		if (was != DOCUMENT_NONE && (rc = document_value(then, was, &value, err)) != 0)
			break;
		if (was == DOCUMENT_NONE && at != DOCUMENT_NONE)
			rc = edits_remove(e, at, err);
		else if (was != DOCUMENT_NONE && at == DOCUMENT_NONE)
			rc = edits_insert(e, after, key, strlen(key), value.data, value.len, err);
		else if (was != DOCUMENT_NONE &&
		    !document_value_is(now, at, (const char *)value.data, value.len))
			rc = edits_set(e, at, value.data, value.len, err);
		if (at != DOCUMENT_NONE && was != DOCUMENT_NONE)
			after = at;
	}
	buf_release(&value);
	return rc;
}

/* A value that is not the original's, under the old data key.  It gets a tag only where it
 * had one that fits: else nothing proves who put it there, and that stays so. */
static int
back_seal(struct run *run, const struct item *x, struct plan *p,
    const struct secrets_file *original, size_t i, enum tag_state tag, const struct buf *plain,
    struct error *err)
{
	const char *name;
	struct edits *e;
	struct buf text;
	size_t len;
	int rc;

	name = document_key(secrets_file_document(plan_secrets(p)), i, &len);
	buf_init(&text, BUF_MAX_FILE);
	rc = sealed_seal(secrets_file_cipher(original), SEALED_GCM, plain->data, plain->len, &text,
	    err);
	if (rc == 0 && tag == TAG_GOOD)
		rc = plan_put_sealed(p, i, name, len, text.data, text.len, err);
	else if (rc == 0)
		rc = (e = plan_secrets_edits(p, err)) == NULL ? -1 :
		    edits_set(e, i, text.data, text.len, err);
	buf_release(&text);
	if (rc == 0)
		back_note(run, x, name, len, tag != TAG_GOOD ? "was put there since without a tag "
		    "that fits, and is kept so, under the old key; see who did" :
		    secrets_file_find(original, name, len) == DOCUMENT_NONE ?
		    "was added since, and is kept, under the old key" :
		    "was changed since, and is kept, under the old key");
	return rc;
}

/* Entry ${i} as it is now: the text of the original where the value is the same, else sealed
 * under the old data key.  What was put there in CBC since has a tag, or stays closed
 * (secrets/secrets_file.h): a rotation leaves none without. */
static int
back_entry(struct run *run, const struct item *x, struct plan *p,
    const struct secrets_file *original, size_t i, struct error *err)
{
	struct secrets_file *now = plan_secrets(p);
	enum tag_state tag = TAG_NONE;
	struct buf plain, text;
	const char *name;
	size_t len, was;
	int rc;

	buf_init_secret(&plain, BUF_MAX_FILE);
	buf_init(&text, BUF_MAX_FILE);
	name = document_key(secrets_file_document(now), i, &len);
	was = secrets_file_find(original, name, len);
	rc = secrets_file_open_tagged(now, i, &plain, &tag, err);
	if (rc != 0 && err != NULL && err->code == ERROR_REFUSED)
		error_hint(err, "it was put there after the rotation: remove that line, or set the "
		    "value anew with `propseal file update`; then roll back again");
	if (rc == 0 && was != DOCUMENT_NONE &&
	    secrets_file_holds(original, was, plain.data, plain.len)) {
		rc = document_value(secrets_file_document(original), was, &text, err);
		if (rc == 0)
			rc = plan_put_sealed(p, i, name, len, text.data, text.len, err);
	} else if (rc == 0) {
		rc = back_seal(run, x, p, original, i, tag, &plain, err);
	}
	buf_release(&plain);
	buf_release(&text);
	return rc;
}

/* The file was changed since it was rotated: keep what changed, and take the old keys back. */
static int
back_carry(struct run *run, struct item *x, struct change *c, struct error *err)
{
	struct secrets_file *now = c->secrets, *original = NULL;
	const char *wrapped;
	struct wrapped w = { NULL, NULL };
	struct key *new = NULL, *data_key = NULL;
	struct buf content;
	int rc;

	buf_init_secret(&content, BUF_MAX_FILE);
	rc = keys_find(run->r, x, run->cb, run->cookie, &new, &w, err);
	if (rc == 0)
		rc = session_original(run->r, x, &content, err);
	if (rc == 0 && (original = secrets_file_parse(secrets_file_path(now), &content,
	    err)) == NULL)
		rc = -1;
	if (rc == 0) {
		secrets_file_set_policy(original, original_policy);
		wrapped = secrets_file_metadata(original)->data_key;
		rc = secrets_file_unlock(original, w.old, err);
		if (rc == 0)
			rc = secrets_file_unlock(now, new, err);
		if (rc == 0 && (data_key = wrap_open(w.old, wrapped, strlen(wrapped), err)) == NULL)
			rc = -1;
	}
	if (rc == 0)
		rc = change_plan(c, err);
	if (rc == 0)
		rc = plan_use_key(c->plan, data_key, err);
	for (size_t i = 0; rc == 0 && (run->r->kind & ROTATION_DATA_KEY) &&
	    i < document_count(secrets_file_document(now)); i++)
		if (secrets_file_is_sealed(now, i))
			rc = back_entry(run, x, c->plan, original, i, err);
	if (rc == 0)
		rc = back_keys(c->plan, original, err);
	if (rc == 0)
		rc = plan_expect_master(c->plan, w.old, err);
	if (rc == 0)
		rc = run_log(run, EVENT_RESTORE, x, err);
	if (rc == 0)
		rc = change_apply(c, err);
	if (rc == 0)
		run_note(run, x->file, "it was changed since it was rotated: it has its old keys "
		    "back, and keeps what changed");
	key_free(data_key);
	key_free(new);
	wrapped_release(&w);
	secrets_file_free(original);
	buf_release(&content);
	return rc;
}

/* --- one file, and all --- */

/* Look at it under its lock. */
static int
back_load(struct change *c, const char *path, struct error *err)
{
	/* Under our own lock nothing is swept. */
	lock_sweep(path);
	c->lock = lock_files(&path, 1, c->lock_timeout_ms, c->callbacks->waiting, c->cookie, err);
	c->all_locked = true;
	return c->lock == NULL ? -1 : change_files(c, NULL, path, false, err);
}

static int
back_file(struct run *run, size_t i, struct error *err)
{
	char *path = rotation_path(run->r, rotation_file(run->r, i)->file);
	struct key *new = NULL;
	struct wrapped w = { NULL, NULL };
	struct change c;
	struct item x;
	enum look look = LOOK_OTHER;
	int rc = -1;

	if (path == NULL)
		return error_memory(err);
	rc = session_load(run->r, i, &x, err);
	run_change(run, &x, &c);
	if (rc == 0 && (rc = back_load(&c, path, err)) == 0)
		rc = session_look(run->r, &x, c.secrets, &look, err);
	/* The journal may end before the line that tells whose keys these are. */
	if (rc == 0 && look == LOOK_OTHER && keys_find(run->r, &x, run->cb, run->cookie, &new, &w,
	    NULL) == 0 && secrets_file_unlock(c.secrets, new, NULL) == 0)
		look = LOOK_AFTER_CHANGED;
	if (rc == 0 && look == LOOK_AFTER) {
		rc = back_whole(run, &x, &c, c.secrets, err);
	} else if (rc == 0 && look == LOOK_AFTER_CHANGED) {
		rc = back_carry(run, &x, &c, err);
	} else if (rc == 0 && look == LOOK_OTHER) {
		session_refuse_other(path, err);
		rc = error_hint(err, "what it was is in the session's folder; roll the other "
		    "rotation back first");
	}
	if (c.applied.notes.len > 0)
		run_notes(run, buf_cstr(&c.applied.notes));
	if (rc == 0)
		rc = run_log(run, EVENT_RESTORED, &x, err);
	if (rc != 0 && err != NULL && err->file[0] == '\0')
		error_place(err, path, 0);
	change_close(&c);
	wrapped_release(&w);
	key_free(new);
	free(path);
	return rc;
}

int
rotation_rollback(struct rotation *r, const struct rotation_callbacks *callbacks,
    void *cookie, struct error *err)
{
	struct run run = { .r = r, .cb = callbacks, .cookie = cookie };
	struct error why;

	if (r->state == ROTATION_ROLLED_BACK) {
		for (size_t i = 0; i < r->items.len; i++)
			run_sweep(&run, session_held(r, i));
		return 0;
	}
	if (r->finishing || r->state == ROTATION_FINISHED) {
		error_set(err, ERROR_REFUSED, "this session is finished: what led back is gone");
		error_place(err, r->dir, 0);
		return error_hint(err, "`propseal rotation plan` with the former passphrase makes "
		    "a rotation to a key that it gives");
	}
	if (!r->rolling_back && session_log(r, EVENT_ROLLBACK, NULL, err) != 0)
		return -1;
	for (size_t i = 0; i < r->items.len; i++) {
		struct held *h = session_held(r, i);

		/* What is back already may be another session's by now. */
		if (h->face.state == ROTATION_FILE_SKIPPED ||
		    h->face.state == ROTATION_FILE_ROLLED_BACK) {
			run_sweep(&run, h);
			continue;
		}
		if (!run_progress(&run, h->face.file, i)) {
			error_set(err, ERROR_REFUSED, "it was stopped");
			return error_hint(err, "`propseal rotation rollback` goes on");
		}
		if (back_file(&run, i, &why) != 0 && run_fail(&run, h, &why, err) != 0)
			return -1;
	}
	(void)run_progress(&run, NULL, r->items.len);
	return run_sum_up(&run, "rolled back", "rollback", err) != 0 ? -1 :
	    session_log(r, EVENT_ROLLED_BACK, NULL, err);
}

/* The files that it is the end of. */
static int
finish_paths(const struct rotation *r, struct vec *paths, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->items.len; i++) {
		const struct rotation_file *f = rotation_file(r, i);
		char *path = rotation_path(r, f->file);

		if (path == NULL || (f->state != ROTATION_FILE_SKIPPED &&
		    vec_push_string(paths, path, strlen(path)) == NULL))
			rc = error_memory(err);
		free(path);
	}
	return rc;
}

/* Wipe what leads back: of the session, and the history's former values of the files, which are
 * under old keys or were next to them. */
static int
finish_wipe(struct rotation *r, const struct vec *paths, const struct rotation_callbacks *callbacks,
    void *cookie, struct error *err)
{
	static const char *const what[STORES] = { "the kept originals",
		"the keyed hashes of the values", "the wrapped old keys" };
	size_t history = 0;
	char text[128];

	if (!r->finishing && session_log(r, EVENT_FINISHING, NULL, err) != 0)
		return -1;
	/* The keys first: without them the rest is of less use to anybody. */
	for (enum store s = STORES; s-- > 0;) {
		if (session_wipe(r, s, err) != 0)
			return -1;
		if (callbacks->note != NULL) {
			(void)snprintf(text, sizeof(text), "wiped: %s", what[s]);
			callbacks->note(cookie, text);
		}
	}
	if (r->trail != NULL && r->trail->path != NULL && kept_forget(r->trail->path,
	    (const char *const *)paths->items, paths->len, &history, err) != 0)
		return -1;
	if (history > 0 && callbacks->note != NULL) {
		(void)snprintf(text, sizeof(text), "wiped: what undid %zu change%s in the history",
		    history, history == 1 ? "" : "s");
		callbacks->note(cookie, text);
	}
	return session_log(r, EVENT_FINISHED, NULL, err);
}

/* The same with its lines in the trail: of each file the kept original is wiped. */
static int
finish_told(struct rotation *r, const struct vec *paths, const struct rotation_callbacks *callbacks,
    void *cookie, struct error *err)
{
	struct trail_part *parts = calloc(paths->len + 1, sizeof(*parts));
	struct run run = { .r = r, .cb = callbacks, .cookie = cookie };
	struct buf notes;
	uint64_t change;
	int rc;

	if (parts == NULL)
		return error_memory(err);
	for (size_t i = 0; i < paths->len; i++)
		parts[i] = (struct trail_part){ .path = vec_string(paths, i), .role = "original" };
	buf_init(&notes, BUF_MAX_FILE);
	rc = trail_intend_parts(r->trail, parts, paths->len, &change, &notes, err);
	if (rc == 0) {
		rc = finish_wipe(r, paths, callbacks, cookie, err);
		for (size_t i = 0; i < paths->len; i++) {
			parts[i].done = rc == 0;
			parts[i].why = rc != 0 && err != NULL ? err->text : NULL;
		}
		trail_conclude_parts(r->trail, change, parts, paths->len, &notes);
	}
	run_notes(&run, buf_cstr(&notes));
	buf_release(&notes);
	free(parts);
	return rc;
}

int
rotation_finish(struct rotation *r, const struct rotation_callbacks *callbacks, void *cookie,
    struct error *err)
{
	struct vec paths;
	int rc;

	if (r->state == ROTATION_FINISHED)
		return 0;
	if (!r->finishing && (r->rolling_back || r->state != ROTATION_VERIFIED)) {
		error_set(err, ERROR_REFUSED, "the session is %s, and only one that is verified "
		    "can "
		    "be finished", r->state == ROTATION_ROLLED_BACK ? "rolled back" :
		    r->rolling_back ? "being rolled back" : rotation_state_name(r->state));
		error_place(err, r->dir, 0);
		if (r->state == ROTATION_ROLLED_BACK)
			return error_hint(err, "the files have their old keys: this folder leads "
			    "nowhere any more, and can be removed");
		if (r->rolling_back)
			return error_hint(err, "`propseal rotation rollback` goes on");
		return error_hint(err, "`propseal rotation verify` opens every entry with the new "
		    "keys; what is finished cannot be rolled back");
	}
	vec_init(&paths, sizeof(char *), 1U << 24);
	if ((rc = finish_paths(r, &paths, err)) == 0)
		rc = finish_told(r, &paths, callbacks, cookie, err);
	vec_release_strings(&paths);
	return rc;
}
