#include <sys/stat.h>
#include <sys/statvfs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "plan/plan.h"
#include "rotation/rotation_internal.h"
#include "seal/keying.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* Making a session: everything is read and opened, nothing but the session is written. */

/* Besides twice its size, so much must be free where a file lies. */
#define ROOM_BYTES 65536

/* What rotation reads it seals anew, or tags. */
static const struct secrets_policy plan_policy = { .cbc = SECRETS_CBC_ALL };

struct planning {
	const struct rotation_request *q;
	struct estate *estate;
	const struct rotation_callbacks *cb;
	void *cookie;
	struct rotation *r;
	struct key *common;		/* the new master key of all files; NULL: not yet */
	char salt[ROTATE_SALT];
	uint32_t iterations;
	bool only_looks;		/* nothing is kept */
	size_t problems;
	struct error worst;
	bool *skipped;			/* which of the request's were found */
};

/* Something that keeps the session from being made; the others are looked at, too. */
static void
plan_problem(struct planning *p, struct held *h, const struct error *what, bool told)
{
	bool key = what->code == ERROR_KEY || what->code == ERROR_DAMAGED;

	if (p->problems++ == 0 ||
	    (key && p->worst.code != ERROR_KEY && p->worst.code != ERROR_DAMAGED))
		p->worst = *what;
	session_fail(h, what);
	if (!told && p->cb->problem != NULL)
		p->cb->problem(p->cookie, what);
}

static int plan_warn(struct planning *p, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
plan_warn(struct planning *p, struct error *err, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!p->only_looks)
		return session_put_warning(p->r, text, err);
	return vec_push_string(&p->r->warnings, text, strlen(text)) != NULL ? 0 :
	    error_memory(err);
}

/* --- root and paths --- */

/* The folder that all paths lie in. */
static int
plan_root(struct planning *p, struct error *err)
{
	char *root = NULL, *real;
	struct stat st;
	size_t n, k;

	for (size_t i = 0; i < p->q->path_count; i++) {
		if ((real = realpath(p->q->paths[i], NULL)) == NULL) {
			error_io(err, p->q->paths[i], "cannot find the path");
			free(root);
			return -1;
		}
		if (stat(real, &st) == 0 && !S_ISDIR(st.st_mode))
			*(strrchr(real, '/') + (strrchr(real, '/') == real)) = '\0';
		if (root == NULL) {
			root = real;
			continue;
		}
		/* The common beginning, up to a slash in both. */
		for (n = k = 0; root[n] != '\0' && root[n] == real[n]; n++)
			if (root[n] == '/')
				k = n;
		if (!((root[n] == '\0' && (real[n] == '/' || real[n] == '\0')) ||
		    (real[n] == '\0' && root[n] == '/')))
			n = k;
		root[n > 0 ? n : 1] = '\0';
		free(real);
	}
	p->r->root = root;
	return root != NULL ? 0 : error_set(err, ERROR_USAGE, "no path is given");
}

/* A real path as it stands below the root; whole where it is not. */
static const char *
plan_relative(const struct rotation *r, const char *real)
{
	size_t n = strlen(r->root);

	if (strcmp(r->root, "/") == 0)
		return real + 1;
	if (strncmp(real, r->root, n) != 0 || (real[n] != '/' && real[n] != '\0'))
		return real;
	return real[n] == '\0' ? "." : real + n + 1;
}

static int
plan_paths(struct planning *p, struct error *err)
{
	const char *below;
	char *real;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->q->path_count; i++) {
		if ((real = realpath(p->q->paths[i], NULL)) == NULL)
			return error_io(err, p->q->paths[i], "cannot find the path");
		below = plan_relative(p->r, real);
		if (vec_push_string(&p->r->paths, below, strlen(below)) == NULL)
			rc = error_memory(err);
		free(real);
	}
	return rc;
}

static bool
plan_skips(struct planning *p, const char *path)
{
	struct stat own, other;
	bool found = false;

	if (stat(path, &own) != 0)
		return false;
	for (size_t i = 0; i < p->q->skip_count; i++)
		if (stat(p->q->skip[i], &other) == 0 && own.st_dev == other.st_dev &&
		    own.st_ino == other.st_ino)
			p->skipped[i] = found = true;
	return found;
}

/* --- pre-flight --- */

static int
refuse(const char *path, enum error_code code, const char *text, const char *hint,
    struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, path, 0);
	return error_hint(err, "%s", hint);
}

/* Could the file be replaced now? */
static int
preflight(const char *real, struct error *err)
{
	char *folder = file_folder(real);
	struct stat st;
	struct statvfs room;
	struct lock *lock;
	int rc = 0;

	if (folder == NULL)
		return error_memory(err);
	if (stat(real, &st) != 0 || statvfs(folder, &room) != 0)
		rc = error_io(err, real, "cannot look at the file");
	else if (st.st_nlink > 1)
		rc = refuse(real, ERROR_REFUSED, "the file has several names (hard links), and "
		    "the others would keep the old keys", "make it one name, or --skip it", err);
	else if (replace_possible(real, err) != 0)
		rc = -1;
	else if ((unsigned long long)room.f_bavail * room.f_frsize <
	    2 * (unsigned long long)st.st_size + ROOM_BYTES)
		rc = refuse(real, ERROR_IO, "there is no room for a second version of the file",
		    "make room on its file system", err);
	else if ((lock = lock_files(&real, 1, 0, NULL, NULL, err)) == NULL)
		rc = -1;
	else
		lock_release(lock);
	free(folder);
	return rc;
}

/* --- one secrets file --- */

/* How many entries are in AES-CBC? */
static int
count_cbc(const struct secrets_file *s, size_t *count, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct sealed parts;
	struct buf text;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		buf_clear(&text);
		rc = document_value(d, i, &text, err);
		*count += rc == 0 && sealed_parse(text.data, text.len, &parts, NULL) == 0 &&
		    parts.cipher == SEALED_CBC;
	}
	buf_release(&text);
	return rc;
}

/* What there is to say of the file besides. */
static int
plan_remarks(struct planning *p, const struct environment *x, const struct secrets_file *s,
    struct item *item, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(s);
	const struct document *d = secrets_file_document(s);
	struct secrets_doubts doubts;
	size_t cbc = 0, orphans = 0, references, len;
	const char *name;
	int rc = 0;

	for (size_t i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		name = document_key(d, i, &len);
		references = environment_references(x, name, len);
		item->held->face.references += references;
		orphans += environment_use(x, name, len, NULL, NULL) == USE_NONE;
	}
	if (count_cbc(s, &cbc, err) != 0 || secrets_file_doubts(s, &doubts, err) != 0)
		return -1;
	if (m->salt != NULL && m->iterations < KEY_ITERATIONS_DEFAULT)
		rc = plan_warn(p, err, "%s: the master key comes from a passphrase by %u "
		    "iterations "
		    "only%s", item->file, (unsigned int)m->iterations,
		    p->q->kind & ROTATION_MASTER_KEY ? "; the new one takes more" :
		    ", which --master-key would mend");
	if (rc == 0 && cbc > 0)
		rc = plan_warn(p, err, "%s: %zu entries in the old AES-CBC form %s",
		    item->file, cbc,
		    p->q->kind & ROTATION_DATA_KEY ? "are sealed anew in AES-GCM" :
		    "stay in it, and get a tag; --data-key would seal them anew");
	if (rc == 0 && doubts.stale > 0)
		rc = plan_warn(p, err, "%s: %zu entries were changed by another program since "
		    "propseal "
		    "sealed them (stale tags)", item->file, doubts.stale);
	if (rc == 0 && orphans > 0)
		rc = plan_warn(p, err, "%s: nothing below the paths refers to %zu of its entries",
		    item->file, orphans);
	return rc;
}

/* The new master key of the file, and its salt. */
static struct key *
plan_new_key(struct planning *p, const struct secrets_file *s, const struct key *old,
    struct item *item, struct error *err)
{
	const struct rotation_request *q = p->q;
	const struct secrets_metadata *m = secrets_file_metadata(s);
	struct key *same = NULL, *k;

	if (!(q->kind & ROTATION_MASTER_KEY))
		return key_copy(old, err);
	if (m->salt != NULL && m->iterations <= KEY_ITERATIONS_MAX &&
	    secrets_file_check_passphrase(s, q->passphrase, q->passphrase_len, old, &same,
	    NULL) == 0) {
		key_free(same);
		refuse(item->file, ERROR_REFUSED, "the new passphrase is the old one",
		    "choose another passphrase", err);
		return NULL;
	}
	item->length = KEY_LENGTH_DEFAULT;
	item->iterations = p->iterations;
	if (!q->common) {
		if (m->iterations > KEY_ITERATIONS_DEFAULT && m->iterations <= KEY_ITERATIONS_MAX)
			item->iterations = m->iterations;
		else
			item->iterations = KEY_ITERATIONS_DEFAULT;
	}
	if ((!q->common || p->common == NULL) && rotate_new_salt(p->salt, err) != 0)
		return NULL;
	memcpy(item->salt, p->salt, sizeof(item->salt));
	if (p->common != NULL)
		return key_copy(p->common, err);
	k = key_derive(q->passphrase, q->passphrase_len, item->salt, strlen(item->salt),
	    item->iterations, item->length, err);
	if (k != NULL && q->common && (p->common = key_copy(k, err)) == NULL) {
		key_free(k);
		k = NULL;
	}
	return k;
}

/* Show what will become of the file. */
static int
plan_show(struct planning *p, struct secrets_file *s, const struct item *item,
    const struct wrapped *w, const struct key *new, struct error *err)
{
	const struct rotate_master to = { .key = new, .salt = item_salt(item),
		.iterations = item->iterations, .length = item->length };
	struct plan *plan;
	int rc;

	if (p->cb->diff == NULL)
		return 0;
	if ((plan = plan_new(s, err)) == NULL)
		return -1;
	rc = keys_plan(plan, p->q->kind, w->old, &to, err);
	if (rc == 0)
		p->cb->diff(p->cookie, plan);
	plan_free(plan);
	return rc;
}

/* Keep what is needed to go on and to go back. */
static int
plan_keep(struct planning *p, struct secrets_file *s, struct item *item, struct wrapped *w,
    const struct buf *values, struct error *err)
{
	const struct buf *bytes = document_bytes(secrets_file_document(s));
	struct rotation *r = p->r;
	struct key *new = plan_new_key(p, s, w->old, item, err);
	int rc = -1;

	if (new == NULL)
		return -1;
	if (session_digests(r, s, item->before, item->wrap_before, err) == 0 &&
	    session_put(r, STORE_ORIGINALS, bytes->data, bytes->len,
	    &item->parts[STORE_ORIGINALS], err) == 0 &&
	    session_put(r, STORE_VALUES, values->data, values->len, &item->parts[STORE_VALUES],
	    err) == 0 && keys_wrap(r, item, new, w, err) == 0)
		rc = plan_show(p, s, item, w, new, err);
	key_free(new);
	return rc;
}

/* Open everything in the file.  0 with a problem counted where it does not open. */
static int
plan_open(struct planning *p, struct environment *x, struct secrets_file *s, struct item *item,
    struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(s);
	struct rotation_want want = { .path = x->path, .file = item->file, .salt = m->salt,
		.iterations = m->iterations, .length = m->length, .secrets = s };
	struct wrapped w = { NULL, NULL };
	struct error why = { .code = ERROR_NONE };
	char word[TEXT_WORD_MAX];
	struct buf values;
	int rc = 0;

	buf_init(&values, BUF_MAX_FILE);
	if ((w.old = p->cb->key(p->cookie, &want, &why)) == NULL ||
	    secrets_file_unlock(s, w.old, &why) != 0) {
		if (why.code == ERROR_REFUSED || why.code == ERROR_MEMORY)
			rc = -1;
		else if (why.hint[0] == '\0')
			error_hint(&why, "give its key, or leave it out by --skip %s",
			    text_word(x->path, word));
		/* A key that is missing does not open it either. */
		if (why.code == ERROR_MISSING)
			why.code = ERROR_KEY;
		if (rc == 0)
			plan_problem(p, item->held, &why, false);
	} else if ((w.hash = key_new_random(KEY_LENGTH_DEFAULT, err)) == NULL) {
		rc = -1;
	} else if (values_take(s, w.hash, &values, &item->held->face.entries, p->cb, p->cookie,
	    &why) != 0) {
		if (p->cb->problem != NULL)
			p->cb->problem(p->cookie, &why);
		error_hint(&why, "leave the file out (--skip %s), repair or remove the entry, then "
		    "plan again", text_word(x->path, word));
		plan_problem(p, item->held, &why, true);
	} else {
		why.code = ERROR_NONE;
		rc = plan_remarks(p, x, s, item, err);
		if (rc == 0 && !p->only_looks)
			rc = plan_keep(p, s, item, &w, &values, err);
	}
	if (rc != 0 && why.code != ERROR_NONE && err != NULL)
		*err = why;
	wrapped_release(&w);
	buf_release(&values);
	return rc;
}

static int
plan_environment(struct planning *p, struct environment *x, struct error *err)
{
	char *real = realpath(x->path, NULL);
	struct item item = { .number = p->r->items.len };
	struct secrets_file *s = NULL;
	struct held *h = NULL;
	char word[TEXT_WORD_MAX];
	struct error why;
	int rc = -1;

	if (real == NULL)
		real = strdup(x->path);
	if (real == NULL || (h = session_add(p->r, plan_relative(p->r, real), x->name)) == NULL) {
		free(real);
		return error_memory(err);
	}
	item.held = h;
	item.file = h->face.file;
	item.environment = h->face.environment;
	if (plan_skips(p, x->path)) {
		h->face.state = ROTATION_FILE_SKIPPED;
		rc = plan_warn(p, err, "%s is left out (--skip) and keeps its keys", item.file);
	} else if ((s = secrets_file_load(real, &why)) == NULL) {
		error_hint(&why, "repair it, or leave it out by --skip %s",
		    text_word(x->path, word));
		plan_problem(p, h, &why, false);
		rc = 0;
	} else if (secrets_file_metadata(s)->data_key == NULL &&
	    secrets_file_sealed_count(s) == 0) {
		h->face.state = ROTATION_FILE_SKIPPED;
		rc = plan_warn(p, err, "%s has no data key and no entry yet, and stays as it is",
		    item.file);
	} else if (preflight(real, &why) != 0) {
		plan_problem(p, h, &why, false);
		rc = 0;
	} else {
		secrets_file_set_policy(s, plan_policy);
		rc = plan_open(p, x, s, &item, err);
		p->r->counts.total += h->face.entries;
	}
	if (rc == 0 && !p->only_looks)
		rc = session_put_item(p->r, &item, err);
	secrets_file_free(s);
	free(real);
	return rc;
}

/* --- all of it --- */

/* What the configurations say. */
static int
plan_inventory(struct planning *p, struct error *err)
{
	size_t dangling = 0, unknown = 0;
	int rc = 0;

	for (size_t i = 0; i < estate_count(p->estate); i++) {
		const struct estate_file *f = estate_file(p->estate, i);

		for (size_t k = 0; k < f->count; k++) {
			if (f->entries[k].shadowed || f->entries[k].name == NULL)
				continue;
			dangling += f->entries[k].state == STATE_DANGLING;
			unknown += f->entries[k].state == STATE_UNKNOWN;
		}
	}
	if (dangling > 0)
		rc = plan_warn(p, err, "%zu references name an entry that is in no secrets file "
		    "(dangling)", dangling);
	if (rc == 0 && unknown > 0)
		rc = plan_warn(p, err, "of %zu references it cannot be told which secrets file "
		    "they mean (unknown)", unknown);
	return rc;
}

/* Of files with one key the one that asks most decides. */
static void
plan_iterations(struct planning *p)
{
	const struct environments *all = estate_environments(p->estate);

	p->iterations = KEY_ITERATIONS_DEFAULT;
	for (size_t i = 0; i < environments_count(all); i++) {
		uint32_t n = environment_iterations(environments_at(all, i));

		if (n > p->iterations && n <= KEY_ITERATIONS_MAX)
			p->iterations = n;
	}
}

static int
plan_all(struct planning *p, struct error *err)
{
	const struct environments *all = estate_environments(p->estate);
	size_t n = environments_count(all), files = 0;
	int rc = 0;

	plan_iterations(p);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct environment *x = environments_at(all, i);

		if (!x->found || x->aside)
			continue;
		if (p->cb->progress != NULL && !p->cb->progress(p->cookie, x->path, i, n))
			return error_set(err, ERROR_REFUSED, "it was stopped; nothing is planned");
		rc = plan_environment(p, x, err);
		files++;
	}
	if (rc == 0 && p->cb->progress != NULL)
		(void)p->cb->progress(p->cookie, NULL, n, n);
	if (rc == 0 && files == 0) {
		error_set(err, ERROR_MISSING, "there is no secrets file");
		error_place(err, p->q->paths[0], 0);
		return error_hint(err, "name the folder that the secrets files lie in, or one "
		    "itself");
	}
	for (size_t i = 0; rc == 0 && i < p->q->skip_count; i++)
		if (!p->skipped[i]) {
			error_set(err, ERROR_USAGE, "--skip names none of the secrets files");
			rc = error_place(err, p->q->skip[i], 0);
		}
	return rc == 0 ? plan_inventory(p, err) : rc;
}

/* Nothing is planned by halves. */
static int
plan_sum_up(const struct planning *p, struct error *err)
{
	size_t left = 0;

	if (p->problems > 0) {
		if (err != NULL)
			*err = p->worst;
		error_set(err, p->worst.code, "%zu secrets file%s cannot be rotated; nothing is "
		    "planned", p->problems, p->problems == 1 ? "" : "s");
		return error_hint(err, "%s", p->worst.hint[0] != '\0' ? p->worst.hint :
		    "see to the causes above, or leave the files out by --skip FILE");
	}
	for (size_t i = 0; i < p->r->items.len; i++)
		left += session_held(p->r, i)->face.state != ROTATION_FILE_SKIPPED;
	if (left > 0)
		return 0;
	return error_set(err, ERROR_MISSING, "no secrets file is left to rotate");
}

/* Make it a session, unless another one has a file of it. */
static int
plan_publish(struct planning *p, struct error *err)
{
	char *index = file_join(p->q->home, "sessions");
	struct lock *lock = NULL;
	int rc = -1;

	if (index == NULL)
		return error_memory(err);
	lock = lock_files((const char *const *)&index, 1, p->q->lock_timeout_ms, p->cb->waiting,
	    p->cookie, err);
	if (lock != NULL && session_check_others(p->r, p->q->home, err) == 0)
		rc = session_write_plan(p->r, err);
	lock_release(lock);
	free(index);
	return rc;
}

struct rotation *
rotation_preflight(const struct rotation_request *q, struct estate *e,
    const struct rotation_callbacks *callbacks, void *cookie, struct error *err)
{
	struct planning p = { .q = q, .estate = e, .cb = callbacks, .cookie = cookie,
		.only_looks = true };

	p.r = session_new(err);
	p.skipped = calloc(q->skip_count + 1, sizeof(*p.skipped));
	if (p.r != NULL && p.skipped == NULL)
		error_memory(err);
	if (p.r != NULL)
		p.r->kind = q->kind;
	if (p.r == NULL || p.skipped == NULL || plan_root(&p, err) != 0 ||
	    plan_all(&p, err) != 0) {
		rotation_close(p.r);
		p.r = NULL;
	}
	free(p.skipped);
	return p.r;
}

struct rotation *
rotation_plan(const struct rotation_request *q, struct estate *e,
    const struct rotation_callbacks *callbacks, void *cookie, struct error *err)
{
	struct planning p = { .q = q, .estate = e, .cb = callbacks, .cookie = cookie };

	p.r = session_new(err);
	p.skipped = calloc(q->skip_count + 1, sizeof(*p.skipped));
	if (p.r == NULL || p.skipped == NULL)
		goto fail;
	p.r->kind = q->kind;
	p.r->common = q->common && (q->kind & ROTATION_MASTER_KEY);
	if (plan_root(&p, err) != 0 || plan_paths(&p, err) != 0 ||
	    session_create(p.r, q->home, q->dir, err) != 0)
		goto fail;
	if ((p.r->lock = session_lock(p.r->dir, 0, err)) == NULL || plan_all(&p, err) != 0 ||
	    plan_sum_up(&p, err) != 0 || plan_publish(&p, err) != 0)
		goto fail;
	key_free(p.common);
	free(p.skipped);
	return p.r;
fail:
	if (p.r != NULL)
		session_discard(p.r, q->home);
	key_free(p.common);
	free(p.skipped);
	rotation_close(p.r);
	return NULL;
}
