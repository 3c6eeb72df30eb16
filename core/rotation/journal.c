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
#include "rotation/rotation_internal.h"
#include "secrets/secrets_file.h"

/* The journal of a session, and what it and the files say together. */

static const char *const state_names[] = { "planned", "applying", "applied", "verified",
	"finished", "rolled-back" };
static const char *const event_names[EVENTS] = { "planned", "intend", "applied", "replanned",
	"failed", "verified", "rollback", "restore", "restored", "rolled-back", "finishing",
	"finished", "ticked", "accepted", "doubted" };

const char *
rotation_state_name(enum rotation_state s)
{
	return state_names[s];
}

/* All that has to be done to files is done. */
static bool
is_applied(const struct rotation *r)
{
	for (size_t i = 0; i < r->items.len; i++) {
		enum rotation_file_state s = session_held(r, i)->face.state;

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
		const struct held *h = session_held(r, i);

		if (h->face.state == ROTATION_FILE_SKIPPED)
			continue;
		begun |= h->face.state != ROTATION_FILE_PENDING;
		verified &= h->face.state == ROTATION_FILE_VERIFIED;
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
		enum rotation_file_state *s = &session_held(r, i)->face.state;

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

/* An event of the file, whose line is at ${spot}. */
static void
happen_to(struct held *h, enum event e, struct lines_spot spot)
{
	if (e == EVENT_INTEND || e == EVENT_APPLIED) {
		h->intended = true;
		h->after = spot;
	}
	if (e == EVENT_APPLIED || e == EVENT_ACCEPTED)
		/* What was proved of one that is accepted was of other values. */
		h->face.state = ROTATION_FILE_APPLIED;
	if (e == EVENT_RESTORED)
		h->face.state = ROTATION_FILE_ROLLED_BACK;
	if (e == EVENT_FAILED)
		h->face.state = ROTATION_FILE_FAILED;
	h->proved |= e == EVENT_APPLIED;
	if (e == EVENT_APPLIED || e == EVENT_RESTORED)
		session_clear(h);
}

/* The file, or its values, are others than the plan says: ${c} (taken). */
static void
happen_change(struct rotation *r, struct held *h, struct changed *c, size_t entries)
{
	free(h->changed);
	h->changed = c;
	r->counts.total += entries - h->face.entries;
	h->face.entries = entries;
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
	const struct error *why = x->held->face.error;

	if (e == EVENT_INTEND || e == EVENT_APPLIED) {
		lines_put_bytes(words, x->after, sizeof(x->after));
		lines_put_bytes(words, x->wrap_after, sizeof(x->wrap_after));
	} else if (e == EVENT_REPLANNED) {
		lines_put_number(words, x->entries);
		lines_put_bytes(words, x->before, sizeof(x->before));
		parts_put(words, x->parts);
	} else if (e == EVENT_ACCEPTED) {
		lines_put_number(words, x->entries);
		parts_put(words, x->parts);
	} else if (e == EVENT_FAILED) {
		lines_put(words, why != NULL ? error_code_name(why->code) : NULL);
		lines_put(words, why != NULL ? why->text : NULL);
	}
}

static bool
get_change(struct rotation *r, struct words *w, enum event e, struct held *h)
{
	struct changed *c = calloc(1, sizeof(*c));
	uint64_t entries;

	if (c == NULL)
		return false;
	if (h->changed != NULL)
		*c = *h->changed;
	if (!words_number(w, SIZE_MAX / 2, &entries) ||
	    (e == EVENT_REPLANNED && !words_bytes(w, c->before, sizeof(c->before))) ||
	    !parts_get(w, c->parts)) {
		free(c);
		return false;
	}
	c->replanned |= e == EVENT_REPLANNED;
	happen_change(r, h, c, (size_t)entries);
	return true;
}

static bool
get_event(struct rotation *r, struct words *w, enum event e, struct held *h)
{
	unsigned char digest[DIGEST_SHA256];
	struct error why;
	char *text;

	if (e == EVENT_INTEND || e == EVENT_APPLIED)
		return words_bytes(w, digest, sizeof(digest)) &&
		    words_bytes(w, digest, sizeof(digest));
	if (e == EVENT_REPLANNED || e == EVENT_ACCEPTED)
		return get_change(r, w, e, h);
	if (e == EVENT_FAILED) {
		words_skip(w, 1);
		text = words_text(w, NULL);
		error_set(&why, ERROR_IO, "%s", text != NULL ? text : "it could not be changed");
		error_place(&why, h->face.file, 0);
		session_fail(h, &why);
		free(text);
	}
	return true;
}

static bool
read_journal_line(struct rotation *r, struct words w, uint64_t at)
{
	const struct lines_spot spot = lines_spot(at, w.at, w.len);
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
	    get_event(r, &w, e, session_held(r, (size_t)i)))) {
		happen_to(session_held(r, (size_t)i), e, spot);
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
	uint64_t at;
	int rc;

	lines_begin(&r->lines, r->digest);
	if ((r->journal = file_open(path, &why)) == -1) {
		/* A kill came between plan and journal. */
		if (why.code == ERROR_MISSING)
			return 0;
		if (err != NULL)
			*err = why;
		return -1;
	}
	rc = lines_file_begin(&text, r->journal, path, err);
	while (rc == 0 && ok && got == LINES_LINE) {
		at = lines_at(&text);
		rc = lines_file_next(&r->lines, &text, &got, &w.at, &w.len, err);
		if (rc == 0 && got == LINES_LINE) {
			ok = read_journal_line(r, w, at);
			line++;
		}
	}
	if (rc == 0 && (!ok || got == LINES_DAMAGED))
		rc = session_fail_at(path, ok ? line + 1 : line, "the journal of the session is "
		    "not as it was written", "put it back from a copy of the folder; a copy that "
		    "ends earlier will do, as what lies in the files is looked at, too", err);
	r->journal_end = lines_at(&text);
	lines_file_end(&text);
	settle_state(r);
	return rc;
}

struct rotation *
session_read(const char *dir, struct error *err)
{
	struct rotation *r = session_new(err);
	char *journal = NULL;
	struct error why;
	int rc = -1;

	if (r == NULL)
		return NULL;
	if ((r->dir = realpath(dir, NULL)) == NULL) {
		error_set(err, ERROR_MISSING, "there is no such session");
		error_place(err, dir, 0);
		error_hint(err, "`propseal rotation plan` makes one");
	} else if ((journal = file_join(r->dir, "journal")) == NULL) {
		error_memory(err);
	} else if ((rc = session_read_plan(r, &why)) != 0) {
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
	if (r->journal != -1)
		close(r->journal);
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

/* Add a line, of ${x}, or with ${text} (each may be NULL), and put it on disk; where
 * it is. */
static int
log_line(struct rotation *r, enum event e, const struct item *x, const char *text,
    struct lines_spot *spot, struct error *err)
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
		lines_put_number(&words, x->number);
		put_event(&words, e, x);
	}
	if (text != NULL)
		lines_put(&words, text);
	*spot = lines_spot(r->journal_end, words.data, words.len);
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
session_log(struct rotation *r, enum event e, const struct item *x, struct error *err)
{
	const bool changes = e == EVENT_REPLANNED || e == EVENT_ACCEPTED;
	struct changed *c = changes ? error_alloc(sizeof(*c), err) : NULL;
	struct lines_spot spot;

	if ((changes && c == NULL) || log_line(r, e, x, NULL, &spot, err) != 0) {
		free(c);
		return -1;
	}
	if (c != NULL) {
		c->replanned = e == EVENT_REPLANNED ||
		    (x->held->changed != NULL && x->held->changed->replanned);
		memcpy(c->before, x->before, sizeof(c->before));
		memcpy(c->parts, x->parts, sizeof(c->parts));
		happen_change(r, x->held, c, x->entries);
	}
	if (x != NULL)
		happen_to(x->held, e, spot);
	else
		happen(r, e);
	settle_state(r);
	return 0;
}

int
rotation_tick(struct rotation *r, const char *name, struct error *err)
{
	struct lines_spot spot;

	return log_line(r, EVENT_TICKED, NULL, name, &spot, err) != 0 ? -1 :
	    happen_tick(r, name, err);
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
	    (item_salt(x) != NULL && salt != NULL && strcmp(salt, x->salt) == 0))
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
look_at(struct rotation *r, size_t i, struct error *err)
{
	struct item x;
	int rc = session_load(r, i, &x, err);
	enum rotation_file_state *state = &x.held->face.state;
	char *path = rotation_path(r, x.file);
	struct secrets_file *s = NULL;
	enum look look = LOOK_OTHER;
	struct error why;

	if (rc == 0 && path == NULL)
		rc = error_memory(err);
	if (rc == 0 && (s = secrets_file_load(path, &why)) == NULL) {
		if (*state != ROTATION_FILE_ROLLED_BACK)
			session_fail(x.held, &why);
	} else if (rc == 0 && (rc = session_look(r, &x, s, &look, err)) == 0) {
		bool after = look == LOOK_AFTER || look == LOOK_AFTER_CHANGED;

		if (after && *state != ROTATION_FILE_VERIFIED) {
			session_clear(x.held);
			*state = ROTATION_FILE_APPLIED;
		} else if (!after && look != LOOK_OTHER && *state != ROTATION_FILE_FAILED &&
		    *state != ROTATION_FILE_ROLLED_BACK) {
			*state = ROTATION_FILE_PENDING;
		} else if (look == LOOK_OTHER && *state != ROTATION_FILE_ROLLED_BACK) {
			session_refuse_other(path, &why);
			session_fail(x.held, &why);
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
		if (session_held(r, i)->face.state != ROTATION_FILE_SKIPPED &&
		    look_at(r, i, err) != 0)
			return -1;
	settle_state(r);
	return 0;
}
