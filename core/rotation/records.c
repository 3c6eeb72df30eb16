#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "document/document.h"
#include "file/file.h"
#include "file/replace.h"
#include "rotation/rotation_internal.h"
#include "secrets/secrets_file.h"

/* The two files of lines, plan and journal, and what they and the files of the
 * session say together. */

static const char *const kind_names[] = { "", "master-key", "data-key", "both" };
static const char *const state_names[] = { "planned", "applying", "applied", "verified",
	"finished", "rolled-back" };
static const char *const file_state_names[] = { "pending", "applied", "verified", "rolled-back",
	"skipped", "failed" };
static const char *const event_names[EVENTS] = { "planned", "intend", "applied", "replanned",
	"failed", "verified", "rollback", "restore", "restored", "rolled-back", "finishing",
	"finished", "ticked", "accepted", "doubted" };

const char *
rotation_kind_name(enum rotation_kind k)
{
	return kind_names[k];
}

const char *
rotation_state_name(enum rotation_state s)
{
	return state_names[s];
}

const char *
rotation_file_state_name(enum rotation_file_state s)
{
	return file_state_names[s];
}

/* --- the plan --- */

static int
plan_line(struct lines *l, struct buf *out, struct buf *words, struct error *err)
{
	int rc = lines_append(l, out, words, err);

	buf_clear(words);
	return rc;
}

/* A line of a name and one word. */
static int
plan_pair(struct lines *l, struct buf *out, const char *name, const char *value,
    struct error *err)
{
	struct buf words;
	int rc;

	buf_init(&words, BUF_MAX_FILE);
	lines_put(&words, name);
	lines_put(&words, value);
	rc = plan_line(l, out, &words, err);
	buf_release(&words);
	return rc;
}

static void
put_parts(struct buf *words, const struct item *x)
{
	for (size_t s = 0; s < STORES; s++) {
		lines_put_number(words, x->parts[s].at);
		lines_put_number(words, x->parts[s].len);
	}
}

static bool
get_parts(struct words *w, struct item *x)
{
	for (size_t s = 0; s < STORES; s++)
		if (!words_number(w, UINT64_MAX / 4, &x->parts[s].at) ||
		    !words_number(w, UINT64_MAX / 4, &x->parts[s].len))
			return false;
	return true;
}

static int
plan_item(struct lines *l, struct buf *out, const struct item *x, struct error *err)
{
	struct buf words;
	int rc;

	buf_init(&words, BUF_MAX_FILE);
	lines_put(&words, "file");
	lines_put(&words, x->file);
	lines_put(&words, x->environment);
	lines_put(&words, file_state_names[x->face.state]);
	lines_put_number(&words, x->face.entries);
	lines_put_number(&words, x->face.references);
	lines_put_bytes(&words, x->before, sizeof(x->before));
	lines_put_bytes(&words, x->wrap_before, sizeof(x->wrap_before));
	lines_put(&words, x->salt);
	lines_put_number(&words, x->iterations);
	lines_put_number(&words, x->length);
	put_parts(&words, x);
	rc = plan_line(l, out, &words, err);
	buf_release(&words);
	return rc;
}

/* file_content's write: the plan of the session. */
static int
plan_write(void *cookie, struct buf *out, struct error *err)
{
	const struct rotation *r = cookie;
	struct lines l;
	int rc;

	lines_begin(&l, r->digest);
	rc = plan_pair(&l, out, "propseal-rotation", "1", err);
	if (rc == 0)
		rc = plan_pair(&l, out, "session", r->id, err);
	if (rc == 0)
		rc = plan_pair(&l, out, "kind", kind_names[r->kind], err);
	if (rc == 0)
		rc = plan_pair(&l, out, "common", r->common ? "yes" : "no", err);
	if (rc == 0)
		rc = plan_pair(&l, out, "root", r->root, err);
	for (size_t i = 0; rc == 0 && i < r->paths.len; i++)
		rc = plan_pair(&l, out, "path", vec_string(&r->paths, i), err);
	for (size_t i = 0; rc == 0 && i < r->warnings.len; i++)
		rc = plan_pair(&l, out, "warning", vec_string(&r->warnings, i), err);
	for (size_t i = 0; rc == 0 && i < r->items.len; i++)
		rc = plan_item(&l, out, session_item(r, i), err);
	return rc == 0 ? plan_pair(&l, out, "end", "plan", err) : rc;
}

int
session_write_plan(struct rotation *r, struct error *err)
{
	const struct file_content plan = { .write = plan_write, .cookie = r };
	char *path = file_join(r->dir, "plan");
	int rc = path == NULL ? error_memory(err) : 0;

	for (enum store s = 0; rc == 0 && s < STORES; s++)
		rc = session_sync(r, s, err);
	/* What a plan stands on is there before it, whenever the power is cut. */
	if (rc == 0)
		rc = file_sync_folder(r->dir, err);
	/* As of now there is a session. */
	if (rc == 0)
		rc = replace_file_new(path, 0, &plan, err);
	free(path);
	if (rc == 0 && (rc = session_open_journal(r, err)) == 0)
		rc = file_sync_folder(r->dir, err);
	return rc == 0 ? session_log(r, EVENT_PLANNED, NULL, err) : rc;
}

static enum rotation_file_state
state_of(const char *name, bool *known)
{
	for (size_t i = 0; i < sizeof(file_state_names) / sizeof(file_state_names[0]); i++)
		if (strcmp(file_state_names[i], name) == 0)
			return (enum rotation_file_state)i;
	*known = false;
	return ROTATION_FILE_PENDING;
}

/* Below the root, or a whole path; nothing leads out of it. */
static bool
is_place(const char *file)
{
	const char *p = file;

	while (*p != '\0' && !(p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0')))
		p = *(p + strcspn(p, "/")) == '/' ? p + strcspn(p, "/") + 1 : "";
	return file[0] != '\0' && *p == '\0';
}

static bool
read_item(struct rotation *r, struct words *w)
{
	struct item *x = vec_push(&r->items);
	uint64_t entries, references, iterations, length;
	char *state = NULL;
	bool none, ok = false;

	if (x == NULL)
		return false;
	x->file = words_text(w, NULL);
	x->environment = words_text(w, NULL);
	state = words_text(w, NULL);
	if (x->file != NULL && is_place(x->file) && x->environment != NULL && state != NULL &&
	    words_number(w, SIZE_MAX / 2, &entries) && words_number(w, SIZE_MAX / 2, &references) &&
	    words_bytes(w, x->before, sizeof(x->before)) &&
	    words_bytes(w, x->wrap_before, sizeof(x->wrap_before))) {
		x->salt = words_text(w, &none);
		ok = (x->salt != NULL || none) && words_number(w, UINT32_MAX, &iterations) &&
		    words_number(w, 64, &length) && get_parts(w, x);
	}
	if (ok) {
		x->face.entries = (size_t)entries;
		x->face.references = (size_t)references;
		x->iterations = (uint32_t)iterations;
		x->length = (size_t)length;
		x->face.state = state_of(state, &ok);
	}
	x->face.file = x->file;
	x->face.environment = x->environment;
	if (x->face.state != ROTATION_FILE_SKIPPED)
		r->counts.total += x->face.entries;
	free(state);
	return ok;
}

/* What the words of a plan's line say.  False: it is none.  ${*end}: it was the last. */
static bool
read_plan_line(struct rotation *r, struct words w, size_t number, bool *end)
{
	char *name = words_text(&w, NULL), *value = NULL;
	bool ok = name != NULL;

	if (ok && strcmp(name, "file") == 0) {
		ok = number > 1 && read_item(r, &w);
	} else if (ok && (ok = (value = words_text(&w, NULL)) != NULL)) {
		if (number == 1) {
			ok = strcmp(name, "propseal-rotation") == 0 && strcmp(value, "1") == 0;
		} else if (strcmp(name, "session") == 0 && r->id == NULL) {
			r->id = value;
			value = NULL;
		} else if (strcmp(name, "root") == 0 && r->root == NULL) {
			r->root = value;
			value = NULL;
		} else if (strcmp(name, "kind") == 0) {
			for (unsigned k = ROTATION_MASTER_KEY; k <= ROTATION_BOTH; k++)
				if (strcmp(kind_names[k], value) == 0)
					r->kind = (enum rotation_kind)k;
			ok = r->kind != 0;
		} else if (strcmp(name, "common") == 0) {
			r->common = strcmp(value, "yes") == 0;
		} else if (strcmp(name, "path") == 0) {
			ok = is_place(value) &&
			    vec_push_string(&r->paths, value, strlen(value)) != NULL;
		} else if (strcmp(name, "warning") == 0) {
			ok = vec_push_string(&r->warnings, value, strlen(value)) != NULL;
		} else {
			*end = ok = strcmp(name, "end") == 0;
		}
	}
	free(name);
	free(value);
	return ok;
}

static int
fail_at(const char *path, size_t line, const char *text, const char *hint, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", text);
	error_place(err, path, line);
	return error_hint(err, "%s", hint);
}

static int
read_plan(struct rotation *r, const char *path, struct error *err)
{
	struct words w = { NULL, 0 };
	enum lines_read got = LINES_LINE;
	bool end = false, ok = true;
	struct lines_file text;
	size_t line = 0;
	struct lines l;
	int rc;

	lines_begin(&l, r->digest);
	rc = lines_open(&text, path, err);
	while (rc == 0 && ok && !end && got == LINES_LINE) {
		rc = lines_file_next(&l, &text, &got, &w.at, &w.len, err);
		if (rc == 0 && got == LINES_LINE)
			ok = read_plan_line(r, w, ++line, &end);
	}
	if (rc == 0 && (!ok || !end || r->id == NULL || r->root == NULL || r->kind == 0))
		rc = fail_at(path, ok ? line + 1 : line, "the plan of the session is not as it "
		    "was written",
		    "put it back from a copy of the folder; nothing is changed without it", err);
	lines_close(&text);
	return rc;
}

/* --- the journal --- */

/* All that has to be done to files is done. */
static bool
is_applied(const struct rotation *r)
{
	for (size_t i = 0; i < r->items.len; i++) {
		enum rotation_file_state s = session_item(r, i)->face.state;

		if (s == ROTATION_FILE_PENDING || s == ROTATION_FILE_FAILED)
			return false;
	}
	return true;
}

static void
settle_state(struct rotation *r)
{
	bool begun = r->rolling_back, verified = true;

	if (session_is_done(r))
		return;
	for (size_t i = 0; i < r->items.len; i++) {
		const struct item *x = session_item(r, i);

		if (x->face.state == ROTATION_FILE_SKIPPED)
			continue;
		begun |= x->face.state != ROTATION_FILE_PENDING;
		verified &= x->face.state == ROTATION_FILE_VERIFIED;
	}
	if (!begun)
		r->state = ROTATION_PLANNED;
	else if (r->rolling_back || !is_applied(r))
		r->state = ROTATION_APPLYING;
	else
		r->state = verified ? ROTATION_VERIFIED : ROTATION_APPLIED;
}

/* An event of no file. */
static void
happen(struct rotation *r, enum event e)
{
	for (size_t i = 0; i < r->items.len; i++) {
		enum rotation_file_state *s = &session_item(r, i)->face.state;

		if (e == EVENT_VERIFIED && *s == ROTATION_FILE_APPLIED)
			*s = ROTATION_FILE_VERIFIED;
		if (e == EVENT_DOUBTED && *s == ROTATION_FILE_VERIFIED)
			*s = ROTATION_FILE_APPLIED;
		if (e == EVENT_ROLLED_BACK && *s != ROTATION_FILE_SKIPPED)
			*s = ROTATION_FILE_ROLLED_BACK;
	}
	r->rolling_back |= e == EVENT_ROLLBACK;
	r->finishing |= e == EVENT_FINISHING;
	if (e == EVENT_FINISHED)
		r->state = ROTATION_FINISHED;
	if (e == EVENT_ROLLED_BACK)
		r->state = ROTATION_ROLLED_BACK;
}

/* The number of a ticked step; ->ticks.len: it is none. */
static size_t
tick_find(const struct rotation *r, const char *name)
{
	size_t i = 0;

	while (i < r->ticks.len && strcmp(vec_string(&r->ticks, i), name) != 0)
		i++;
	return i;
}

/* A step of the person's goes on or off. */
static int
happen_tick(struct rotation *r, const char *name, struct error *err)
{
	char **all = r->ticks.items;
	const size_t i = tick_find(r, name);

	if (i == r->ticks.len)
		return vec_push_string(&r->ticks, name, strlen(name)) != NULL ? 0 :
		    error_memory(err);
	free(all[i]);
	all[i] = all[--r->ticks.len];
	return 0;
}

static void
happen_to(struct item *x, enum event e)
{
	if (e == EVENT_INTEND) {
		x->intended = true;
	} else if (e == EVENT_APPLIED) {
		x->face.state = ROTATION_FILE_APPLIED;
		x->intended = x->proved = true;
		session_clear(x);
	} else if (e == EVENT_ACCEPTED) {
		/* What was proved of it was of other values. */
		x->face.state = ROTATION_FILE_APPLIED;
	} else if (e == EVENT_RESTORED) {
		x->face.state = ROTATION_FILE_ROLLED_BACK;
		session_clear(x);
	} else if (e == EVENT_FAILED) {
		x->face.state = ROTATION_FILE_FAILED;
	}
}

static bool
is_of_file(enum event e)
{
	return e == EVENT_INTEND || e == EVENT_APPLIED || e == EVENT_REPLANNED ||
	    e == EVENT_FAILED || e == EVENT_RESTORE || e == EVENT_RESTORED ||
	    e == EVENT_ACCEPTED;
}

/* The words of an event behind its number. */
static void
put_event(struct buf *words, enum event e, const struct item *x)
{
	if (e == EVENT_INTEND || e == EVENT_APPLIED) {
		lines_put_bytes(words, x->after, sizeof(x->after));
		lines_put_bytes(words, x->wrap_after, sizeof(x->wrap_after));
	} else if (e == EVENT_REPLANNED) {
		lines_put_number(words, x->face.entries);
		lines_put_bytes(words, x->before, sizeof(x->before));
		put_parts(words, x);
	} else if (e == EVENT_ACCEPTED) {
		lines_put_number(words, x->face.entries);
		put_parts(words, x);
	} else if (e == EVENT_FAILED) {
		lines_put(words, x->face.error != NULL ? error_code_name(x->face.error->code) :
		    NULL);
		lines_put(words, x->face.error != NULL ? x->face.error->text : NULL);
	}
}

static bool
get_event(struct rotation *r, struct words *w, enum event e, struct item *x)
{
	uint64_t entries;
	char *text;
	bool none;

	if (e == EVENT_INTEND || e == EVENT_APPLIED)
		return words_bytes(w, x->after, sizeof(x->after)) &&
		    words_bytes(w, x->wrap_after, sizeof(x->wrap_after));
	if (e == EVENT_REPLANNED || e == EVENT_ACCEPTED) {
		if (!words_number(w, SIZE_MAX / 2, &entries) ||
		    (e == EVENT_REPLANNED && !words_bytes(w, x->before, sizeof(x->before))) ||
		    !get_parts(w, x))
			return false;
		r->counts.total += (size_t)entries - x->face.entries;
		x->face.entries = (size_t)entries;
	} else if (e == EVENT_FAILED) {
		struct error why;

		free(words_text(w, &none));
		text = words_text(w, &none);
		error_set(&why, ERROR_IO, "%s", text != NULL ? text : "it could not be changed");
		error_place(&why, x->file, 0);
		session_fail(x, &why);
		free(text);
	}
	return true;
}

static bool
read_journal_line(struct rotation *r, struct words w)
{
	char *time = words_text(&w, NULL), *name = words_text(&w, NULL);
	uint64_t i;
	enum event e = 0;
	bool ok = time != NULL && name != NULL;

	while (ok && e < EVENTS && strcmp(event_names[e], name) != 0)
		e++;
	ok = ok && e < EVENTS;
	if (ok && e == EVENT_TICKED) {
		char *what = words_text(&w, NULL);

		ok = what != NULL && happen_tick(r, what, NULL) == 0;
		free(what);
	} else if (ok && !is_of_file(e)) {
		happen(r, e);
	} else if (ok && (ok = r->items.len > 0 && words_number(&w, r->items.len - 1, &i) &&
	    get_event(r, &w, e, session_item(r, (size_t)i)))) {
		happen_to(session_item(r, (size_t)i), e);
	}
	free(time);
	free(name);
	return ok;
}

static int
read_journal(struct rotation *r, const char *path, struct error *err)
{
	enum lines_read got = LINES_LINE;
	struct lines_file text;
	size_t line = 0;
	struct words w;
	struct error why;
	bool ok = true;
	int rc;

	lines_begin(&r->lines, r->digest);
	rc = lines_open(&text, path, &why);
	/* A kill came between plan and journal. */
	if (rc != 0 && why.code == ERROR_MISSING) {
		got = LINES_END;
		rc = 0;
	} else if (rc != 0 && err != NULL) {
		*err = why;
	}
	while (rc == 0 && ok && got == LINES_LINE) {
		rc = lines_file_next(&r->lines, &text, &got, &w.at, &w.len, err);
		if (rc == 0 && got == LINES_LINE) {
			ok = read_journal_line(r, w);
			line++;
		}
	}
	if (rc == 0 && (!ok || got == LINES_DAMAGED))
		rc = fail_at(path, ok ? line + 1 : line, "the journal of the session is not as it "
		    "was written", "put it back from a copy of the folder; a copy that ends "
		    "earlier "
		    "will do, as what lies in the files is looked at, too", err);
	r->journal_end = lines_at(&text);
	lines_close(&text);
	settle_state(r);
	return rc;
}

struct rotation *
session_read(const char *dir, struct error *err)
{
	struct rotation *r = session_new(err);
	char *plan = NULL, *journal = NULL;
	struct error why;
	int rc = -1;

	if (r == NULL)
		return NULL;
	if ((r->dir = realpath(dir, NULL)) == NULL) {
		error_set(err, ERROR_MISSING, "there is no such session");
		error_place(err, dir, 0);
		error_hint(err, "`propseal rotation plan` makes one");
	} else if ((plan = file_join(r->dir, "plan")) == NULL ||
	    (journal = file_join(r->dir, "journal")) == NULL) {
		error_memory(err);
	} else if ((rc = read_plan(r, plan, &why)) != 0) {
		if (why.code == ERROR_MISSING) {
			error_set(&why, ERROR_MISSING, "this folder holds no session");
			error_place(&why, r->dir, 0);
			error_hint(&why, "`propseal rotation plan` makes one");
		}
		if (err != NULL)
			*err = why;
	} else {
		rc = read_journal(r, journal, err);
	}
	free(plan);
	free(journal);
	if (rc == 0)
		return r;
	rotation_close(r);
	return NULL;
}

int
session_open_journal(struct rotation *r, struct error *err)
{
	char *path = file_join(r->dir, "journal");
	struct stat st;
	int rc = -1;

	if (path == NULL)
		return error_memory(err);
	r->journal = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->journal == -1 || fstat(r->journal, &st) != 0)
		error_io(err, path, "cannot open the journal");
	else if ((uint64_t)st.st_size != r->journal_end &&
	    ftruncate(r->journal, (off_t)r->journal_end) != 0)
		error_io(err, path, "cannot take away the journal's last line, which was cut");
	else
		rc = 0;
	free(path);
	if (r->journal_end == 0 && rc == 0)
		lines_begin(&r->lines, r->digest);
	return rc;
}

/* Write a line at the journal's end.  What could not be written whole is taken back. */
static int
write_line(struct rotation *r, const struct buf *line, struct error *err)
{
	if (session_write(r->journal, line->data, line->len, r->journal_end) &&
	    fsync(r->journal) == 0) {
		r->journal_end += line->len;
		return 0;
	}
	error_io(err, r->dir, "cannot write to the journal of the session");
	(void)!ftruncate(r->journal, (off_t)r->journal_end);
	return -1;
}

/* Add a line, of ${x}, or with ${text} (each may be NULL), and put it on disk. */
static int
log_line(struct rotation *r, enum event e, const struct item *x, const char *text,
    struct error *err)
{
	struct lines before = r->lines;
	char date[TIME_TEXT];
	struct buf words, line;
	int rc;

	(void)time_text(time_now(), TIME_NAME, date);
	buf_init(&words, BUF_MAX_FILE);
	buf_init(&line, BUF_MAX_FILE);
	lines_put(&words, date);
	lines_put(&words, event_names[e]);
	if (x != NULL) {
		lines_put_number(&words, (uint64_t)(x - session_item(r, 0)));
		put_event(&words, e, x);
	}
	if (text != NULL)
		lines_put(&words, text);
	rc = lines_append(&r->lines, &line, &words, err);
	if (rc == 0)
		rc = buf_check(&line, err);
	if (rc == 0)
		rc = write_line(r, &line, err);
	buf_release(&words);
	buf_release(&line);
	if (rc != 0)
		r->lines = before;
	return rc;
}

int
session_log(struct rotation *r, enum event e, struct item *x, struct error *err)
{
	if (log_line(r, e, x, NULL, err) != 0)
		return -1;
	if (x != NULL)
		happen_to(x, e);
	else
		happen(r, e);
	settle_state(r);
	return 0;
}

int
rotation_tick(struct rotation *r, const char *name, struct error *err)
{
	return log_line(r, EVENT_TICKED, NULL, name, err) != 0 ? -1 : happen_tick(r, name, err);
}

bool
rotation_ticked(const struct rotation *r, const char *name)
{
	return tick_find(r, name) < r->ticks.len;
}

/* --- the files of the session --- */

int
session_digests(const struct rotation *r, const struct secrets_file *s,
    unsigned char file[DIGEST_SHA256], unsigned char wrap[DIGEST_SHA256], struct error *err)
{
	const struct buf *bytes = document_bytes(secrets_file_document(s));
	const char *wrapped = secrets_file_metadata(s)->data_key;
	int rc = digest_sha256(r->digest, bytes->data, bytes->len, file);

	memset(wrap, 0, DIGEST_SHA256);
	if (rc == 0 && wrapped != NULL)
		rc = digest_sha256(r->digest, wrapped, strlen(wrapped), wrap);
	return rc == 0 ? 0 : error_set(err, ERROR_CRYPTO, "OpenSSL cannot make a digest");
}

int
session_look(const struct rotation *r, const struct item *x, const struct secrets_file *s,
    enum look *out, struct error *err)
{
	unsigned char file[DIGEST_SHA256], wrap[DIGEST_SHA256];
	const char *salt = secrets_file_metadata(s)->salt;

	if (session_digests(r, s, file, wrap, err) != 0)
		return -1;
	if (memcmp(file, x->before, sizeof(file)) == 0)
		*out = LOOK_BEFORE;
	else if (x->intended && memcmp(file, x->after, sizeof(file)) == 0)
		*out = LOOK_AFTER;
	else if (memcmp(wrap, x->wrap_before, sizeof(wrap)) == 0)
		*out = LOOK_BEFORE_CHANGED;
	else if ((x->intended && memcmp(wrap, x->wrap_after, sizeof(wrap)) == 0) ||
	    /* A journal that ends too early: nobody else has made this salt. */
	    (x->salt != NULL && salt != NULL && strcmp(salt, x->salt) == 0))
		*out = LOOK_AFTER_CHANGED;
	else
		*out = LOOK_OTHER;
	return 0;
}

int
session_refuse_other(const char *path, struct error *err)
{
	error_set(err, ERROR_STALE, "it has keys that this session neither knows nor made: "
	    "another rotation was there");
	error_place(err, path, 0);
	return error_hint(err, "put the file back as it was, or roll this session back and plan "
	    "anew");
}

static int
look_at(struct rotation *r, struct item *x, struct error *err)
{
	char *path = rotation_path(r, x->file);
	struct secrets_file *s = NULL;
	enum look look = LOOK_OTHER;
	struct error why;
	int rc = path == NULL ? error_memory(err) : 0;

	if (rc == 0 && (s = secrets_file_load(path, &why)) == NULL) {
		if (x->face.state != ROTATION_FILE_ROLLED_BACK)
			session_fail(x, &why);
	} else if (rc == 0 && (rc = session_look(r, x, s, &look, err)) == 0) {
		bool after = look == LOOK_AFTER || look == LOOK_AFTER_CHANGED;
		enum rotation_file_state *state = &x->face.state;

		if (after && *state != ROTATION_FILE_VERIFIED) {
			session_clear(x);
			*state = ROTATION_FILE_APPLIED;
		} else if (!after && look != LOOK_OTHER && *state != ROTATION_FILE_FAILED &&
		    *state != ROTATION_FILE_ROLLED_BACK) {
			*state = ROTATION_FILE_PENDING;
		} else if (look == LOOK_OTHER && *state != ROTATION_FILE_ROLLED_BACK) {
			session_refuse_other(path, &why);
			session_fail(x, &why);
		}
	}
	secrets_file_free(s);
	free(path);
	return rc;
}

int
session_look_all(struct rotation *r, struct error *err)
{
	if (session_is_done(r))
		return 0;
	for (size_t i = 0; i < r->items.len; i++)
		if (session_item(r, i)->face.state != ROTATION_FILE_SKIPPED &&
		    look_at(r, session_item(r, i), err) != 0)
			return -1;
	settle_state(r);
	return 0;
}
