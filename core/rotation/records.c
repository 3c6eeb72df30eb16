#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "file/replace.h"
#include "rotation/rotation_internal.h"

/* The plan of a session: its lines, and what they say of an item. */

static const char *const kind_names[] = { "", "master-key", "data-key", "both" };
static const char *const file_state_names[] = { "pending", "applied", "verified", "rolled-back",
	"skipped", "failed" };

const char *
rotation_kind_name(enum rotation_kind k)
{
	return kind_names[k];
}

const char *
rotation_file_state_name(enum rotation_file_state s)
{
	return file_state_names[s];
}

const char *
item_salt(const struct item *x)
{
	return x->salt[0] != '\0' ? x->salt : NULL;
}

int
session_fail_at(const char *path, size_t line, const char *text, const char *hint,
    struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", text);
	error_place(err, path, line);
	return error_hint(err, "%s", hint);
}

void
parts_put(struct buf *words, const struct part parts[STORES])
{
	for (size_t s = 0; s < STORES; s++) {
		lines_put_number(words, parts[s].at);
		lines_put_number(words, parts[s].len);
	}
}

bool
parts_get(struct words *w, struct part parts[STORES])
{
	for (size_t s = 0; s < STORES; s++)
		if (!words_number(w, UINT64_MAX / 4, &parts[s].at) ||
		    !words_number(w, UINT64_MAX / 4, &parts[s].len))
			return false;
	return true;
}

/* --- what is kept for it (session_create) --- */

static int
spool_put(struct rotation *r, const struct buf *words, struct error *err)
{
	struct buf line;
	int rc;

	buf_init(&line, BUF_MAX_FILE);
	if ((rc = lines_append(&r->spooled, &line, words, err)) == 0)
		rc = buf_check(&line, err);
	if (rc == 0 && !session_write(r->spool, line.data, line.len, r->spool_end))
		rc = error_io(err, r->dir, "cannot write to the session");
	r->spool_end += line.len;
	buf_release(&line);
	return rc;
}

int
session_put_item(struct rotation *r, const struct item *x, struct error *err)
{
	const struct rotation_file *f = &x->held->face;
	struct buf words;
	int rc;

	buf_init(&words, BUF_MAX_FILE);
	lines_put(&words, "file");
	lines_put(&words, x->file);
	lines_put(&words, x->environment);
	lines_put(&words, file_state_names[f->state]);
	lines_put_number(&words, f->entries);
	lines_put_number(&words, f->references);
	lines_put_bytes(&words, x->before, sizeof(x->before));
	lines_put_bytes(&words, x->wrap_before, sizeof(x->wrap_before));
	lines_put(&words, item_salt(x));
	lines_put_number(&words, x->iterations);
	lines_put_number(&words, x->length);
	parts_put(&words, x->parts);
	rc = spool_put(r, &words, err);
	buf_release(&words);
	return rc;
}

int
session_put_warning(struct rotation *r, const char *text, struct error *err)
{
	struct buf words;
	int rc;

	buf_init(&words, BUF_MAX_FILE);
	lines_put(&words, "warning");
	lines_put(&words, text);
	rc = spool_put(r, &words, err);
	buf_release(&words);
	return rc;
}

/* --- writing it --- */

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

/* The lines of the name that were kept.  Those of items come in the order of these. */
static int
plan_kept(struct rotation *r, struct lines *l, struct buf *out, const char *name,
    struct error *err)
{
	enum lines_read got = LINES_LINE;
	struct lines_file text;
	struct lines kept;
	struct buf words;
	const char *line;
	size_t len, n = strlen(name), item = 0;
	int rc = lines_file_begin(&text, r->spool, r->dir, err);

	lines_begin(&kept, r->digest);
	buf_init(&words, BUF_MAX_FILE);
	while (rc == 0 && got == LINES_LINE) {
		rc = lines_file_next(&kept, &text, &got, &line, &len, err);
		if (rc != 0 || got != LINES_LINE || len <= n || memcmp(line, name, n) != 0)
			continue;
		if (strcmp(name, "file") == 0)
			session_held(r, item++)->plan = lines_spot(out->drained + out->len, line,
			    len);
		buf_append(&words, line, len);
		rc = plan_line(l, out, &words, err);
	}
	if (rc == 0 && got != LINES_END)
		rc = session_fail_at(r->dir, 0, "what was kept for the plan is not as it was "
		    "written", "plan again", err);
	buf_release(&words);
	lines_file_end(&text);
	return rc;
}

/* file_content's write: the plan of the session. */
static int
plan_write(void *cookie, struct buf *out, struct error *err)
{
	struct rotation *r = cookie;
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
	if (rc == 0)
		rc = plan_kept(r, &l, out, "warning", err);
	if (rc == 0)
		rc = plan_kept(r, &l, out, "file", err);
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
	if (rc == 0 && (r->plan = file_open(path, err)) == -1)
		rc = -1;
	free(path);
	if (rc == 0 && (rc = session_open_journal(r, err)) == 0)
		rc = file_sync_folder(r->dir, err);
	return rc == 0 ? session_log(r, EVENT_PLANNED, NULL, err) : rc;
}

/* --- reading it --- */

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

/* What a line says of an item behind its first word: its face, with names for the caller to free,
 * and the rest. */
static bool
get_item(struct words *w, struct rotation_file *face, struct item *x)
{
	uint64_t entries, references, iterations, length;
	char *state, *salt = NULL;
	bool none, ok;

	*face = (struct rotation_file){ .file = words_text(w, NULL) };
	face->environment = words_text(w, NULL);
	state = words_text(w, NULL);
	ok = face->file != NULL && face->environment != NULL && state != NULL &&
	    words_number(w, SIZE_MAX / 2, &entries) && words_number(w, SIZE_MAX / 2, &references) &&
	    words_bytes(w, x->before, sizeof(x->before)) &&
	    words_bytes(w, x->wrap_before, sizeof(x->wrap_before));
	if (ok) {
		salt = words_text(w, &none);
		ok = (salt != NULL ? strlen(salt) < sizeof(x->salt) : none) &&
		    words_number(w, UINT32_MAX, &iterations) && words_number(w, 64, &length) &&
		    parts_get(w, x->parts);
	}
	if (ok) {
		face->state = state_of(state, &ok);
		face->entries = (size_t)entries;
		face->references = (size_t)references;
		memcpy(x->salt, salt != NULL ? salt : "", salt != NULL ? strlen(salt) + 1 : 1);
		x->iterations = (uint32_t)iterations;
		x->length = (size_t)length;
	}
	free(salt);
	free(state);
	return ok;
}

static void
free_names(const struct rotation_file *face)
{
	free((char *)(uintptr_t)face->file);
	free((char *)(uintptr_t)face->environment);
}

static bool
read_item(struct rotation *r, struct words *w, struct lines_spot at)
{
	struct rotation_file face;
	struct held *h = NULL;
	struct item x;

	if (get_item(w, &face, &x) && is_place(face.file))
		h = session_add(r, face.file, face.environment);
	free_names(&face);
	if (h == NULL)
		return false;
	h->face.state = face.state;
	h->face.entries = face.entries;
	h->face.references = face.references;
	h->plan = at;
	if (face.state != ROTATION_FILE_SKIPPED)
		r->counts.total += face.entries;
	return true;
}

/* What the words of a plan's line say.  False: it is none.  ${*end}: it was the last. */
static bool
read_plan_line(struct rotation *r, struct words w, uint64_t at, size_t number, bool *end)
{
	const struct lines_spot spot = lines_spot(at, w.at, w.len);
	char *name = words_text(&w, NULL), *value = NULL;
	bool ok = name != NULL;

	if (ok && strcmp(name, "file") == 0) {
		ok = number > 1 && read_item(r, &w, spot);
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
		} else {
			*end = strcmp(name, "end") == 0;
			ok = *end || strcmp(name, "warning") == 0;
		}
	}
	free(name);
	free(value);
	return ok;
}

int
session_read_plan(struct rotation *r, struct error *err)
{
	char *path = file_join(r->dir, "plan");
	struct words w = { NULL, 0 };
	enum lines_read got = LINES_LINE;
	bool end = false, ok = true;
	struct lines_file text;
	size_t line = 0;
	struct lines l;
	uint64_t at;
	int rc = -1;

	lines_begin(&l, r->digest);
	if (path == NULL)
		return error_memory(err);
	if ((r->plan = file_open(path, err)) == -1) {
		free(path);
		return -1;
	}
	rc = lines_file_begin(&text, r->plan, path, err);
	while (rc == 0 && ok && !end && got == LINES_LINE) {
		at = lines_at(&text);
		rc = lines_file_next(&l, &text, &got, &w.at, &w.len, err);
		if (rc == 0 && got == LINES_LINE)
			ok = read_plan_line(r, w, at, ++line, &end);
	}
	if (rc == 0 && (!ok || !end || r->id == NULL || r->root == NULL || r->kind == 0))
		rc = session_fail_at(path, ok ? line + 1 : line, "the plan of the session is not "
		    "as it was written", "put it back from a copy of the folder; nothing is "
		    "changed without it", err);
	lines_file_end(&text);
	free(path);
	return rc;
}

/* --- reading of it again --- */

/* The digests of the journal's line. */
static int
load_after(const struct rotation *r, struct item *x, struct buf *line, struct error *err)
{
	struct words w;

	if (lines_again(r->journal, r->dir, x->held->after, line, &w, err) != 0)
		return -1;
	x->intended = true;
	words_skip(&w, 3);	/* when, what, and of which item */
	return words_bytes(&w, x->after, sizeof(x->after)) &&
	    words_bytes(&w, x->wrap_after, sizeof(x->wrap_after)) ? 0 : error_memory(err);
}

int
session_load(const struct rotation *r, size_t i, struct item *out, struct error *err)
{
	struct held *h = session_held(r, i);
	struct rotation_file face;
	struct buf line;
	struct words w;
	int rc;

	*out = (struct item){ .held = h, .number = i, .file = h->face.file,
		.environment = h->face.environment };
	buf_init(&line, BUF_MAX_FILE);
	rc = lines_again(r->plan, r->dir, h->plan, &line, &w, err);
	if (rc == 0) {
		words_skip(&w, 1);
		/* It could be read before. */
		if (!get_item(&w, &face, out))
			rc = error_memory(err);
		free_names(&face);
	}
	out->entries = h->face.entries;
	if (rc == 0 && h->changed != NULL) {
		memcpy(out->parts, h->changed->parts, sizeof(out->parts));
		if (h->changed->replanned)
			memcpy(out->before, h->changed->before, sizeof(out->before));
	}
	if (rc == 0 && h->intended)
		rc = load_after(r, out, &line, err);
	buf_release(&line);
	return rc;
}

int
rotation_each_warning(const struct rotation *r,
    int (*each)(void *cookie, const char *text, struct error *err), void *cookie,
    struct error *err)
{
	enum lines_read got = LINES_LINE;
	struct lines_file text;
	struct words w;
	struct lines l;
	char *name, *value;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->warnings.len; i++)
		rc = each(cookie, vec_string(&r->warnings, i), err);
	if (rc != 0 || r->plan == -1)
		return rc;
	lines_begin(&l, r->digest);
	rc = lines_file_begin(&text, r->plan, r->dir, err);
	while (rc == 0 && got == LINES_LINE) {
		rc = lines_file_next(&l, &text, &got, &w.at, &w.len, err);
		if (rc != 0 || got != LINES_LINE)
			continue;
		name = words_text(&w, NULL);
		value = words_text(&w, NULL);
		if (name == NULL || value == NULL)
			rc = error_memory(err);
		else if (strcmp(name, "warning") == 0)
			rc = each(cookie, value, err);
		free(name);
		free(value);
	}
	lines_file_end(&text);
	return rc;
}
