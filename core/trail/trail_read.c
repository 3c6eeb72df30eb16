#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/time.h"
#include "base/vec.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "file/file.h"
#include "trail/trail.h"

#define CHANGES_MAX ((size_t)1 << 24)
#define HOST_MAX 256

/* --- lines, in all files, the oldest first --- */

struct trail_line {
	const char *file;
	size_t number;		/* in the file */
	const char *text;
	size_t len;		/* without its line end */
	bool ended;		/* it has one */
};

typedef int trail_line_fn(void *cookie, const struct trail_line *l, struct error *err);

static int
each_line_of(const char *path, bool *missing, trail_line_fn *fn, void *cookie, struct error *err)
{
	struct trail_line l = { .file = path };
	struct error why;
	struct buf text;
	int rc;

	*missing = false;
	buf_init(&text, BUF_MAX_FILE);
	rc = file_read(path, &text, NULL, &why);
	if (rc == -1 && why.code == ERROR_MISSING) {
		*missing = true;
		rc = 0;
	} else if (rc == -1 && err != NULL) {
		*err = why;
	}
	for (size_t at = 0; rc == 0 && at < text.len; at += l.len + 1) {
		const char *end = memchr(text.data + at, '\n', text.len - at);

		l.text = (const char *)text.data + at;
		l.ended = end != NULL;
		l.len = end != NULL ? (size_t)(end - l.text) : text.len - at;
		l.number++;
		if (l.len > 0)
			rc = fn(cookie, &l, err);
	}
	buf_release(&text);
	return rc;
}

static int
each_line(const char *path, size_t *files, trail_line_fn *fn, void *cookie, struct error *err)
{
	struct vec rotated;
	bool missing;
	int rc = trail_rotated(path, &rotated, err);

	for (size_t i = 0; rc == 0 && i < rotated.len; i++)
		rc = each_line_of(vec_string(&rotated, i), &missing, fn, cookie, err);
	*files = rotated.len;
	if (rc == 0) {
		rc = each_line_of(path, &missing, fn, cookie, err);
		*files += !missing;
	}
	vec_release_strings(&rotated);
	return rc;
}

/* --- one line as JSON --- */

/* NULL: it is none. */
static struct document *
line_parse(const struct trail_line *l)
{
	struct document *d;
	struct buf copy;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, l->text, l->len);
	d = document_parse(&copy, &document_json, l->file, NULL);
	buf_release(&copy);
	if (d != NULL && document_problem(d, NULL) != 0) {
		document_free(d);
		d = NULL;
	}
	return d;
}

char *
trail_text(const struct document *d, size_t i)
{
	struct buf value;
	char *text = NULL;
	size_t n;

	if (i == DOCUMENT_NONE || document_raw_value(d, i, &n)[0] != '"')
		return NULL;
	buf_init(&value, BUF_MAX_FILE);
	if (document_value(d, i, &value, NULL) == 0)
		text = strdup(buf_cstr(&value));
	buf_release(&value);
	return text;
}

static char *
member_text(const struct document *d, const char *name)
{
	return trail_text(d, document_find(d, name, strlen(name)));
}

static uint64_t
entry_number(const struct document *d, size_t i)
{
	const unsigned char *raw;
	uint64_t value = 0;
	size_t n;

	if (i == DOCUMENT_NONE)
		return 0;
	raw = document_raw_value(d, i, &n);
	(void)number_parse((const char *)raw, n, UINT64_MAX / 2, &value);
	return value;
}

static uint64_t
member_number(const struct document *d, const char *name)
{
	return entry_number(d, document_find(d, name, strlen(name)));
}

static int64_t
member_time(const struct document *d)
{
	char *text = member_text(d, "time");
	int64_t ms = 0;

	if (text == NULL || !time_parse(text, TIME_MILLISECONDS, &ms))
		ms = 0;
	free(text);
	return ms;
}

static bool
member_is(const struct document *d, const char *name, const char *value)
{
	size_t i = document_find(d, name, strlen(name));

	return i != DOCUMENT_NONE && document_value_is(d, i, value, strlen(value));
}

/* --- changes --- */

static const char *const outcomes[] = { "unknown", "done", "partly", "failed" };

const char *
trail_outcome_name(enum trail_outcome o)
{
	return outcomes[o];
}

static void
file_release(struct trail_file *f)
{
	free(f->path);
	free(f->role);
	free(f->error);
	vec_release_strings(&f->keys);
}

static void
change_release(struct trail_change *c)
{
	free(c->user);
	free(c->sudo);
	free(c->host);
	free(c->command);
	free(c->environment);
	for (size_t i = 0; i < c->files.len; i++)
		file_release(vec_at(&c->files, i));
	vec_release(&c->files);
}

void
trail_log_release(struct trail_log *log)
{
	for (size_t i = 0; i < log->changes.len; i++)
		change_release(vec_at(&log->changes, i));
	vec_release(&log->changes);
}

/* The entry ${i} is `files.N.REST`: N and REST, else false. */
static bool
of_file(const struct document *d, size_t i, size_t *n, const char **rest, size_t *rest_len)
{
	static const char head[] = "files.";
	size_t len, digits = 0;
	const char *key = document_key(d, i, &len);
	uint64_t number;

	if (len <= sizeof(head) || memcmp(key, head, sizeof(head) - 1) != 0)
		return false;
	key += sizeof(head) - 1;
	len -= sizeof(head) - 1;
	while (digits < len && key[digits] != '.')
		digits++;
	if (digits == len || !number_parse(key, digits, CHANGES_MAX, &number))
		return false;
	*n = (size_t)number;
	*rest = key + digits + 1;
	*rest_len = len - digits - 1;
	return true;
}

static bool
rest_is(const char *rest, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(rest, name, n) == 0;
}

/* The files of an intent. */
static int
read_files(const struct document *d, struct trail_change *c, struct error *err)
{
	struct trail_file *f = NULL;
	const char *rest;
	size_t n, len;

	vec_init(&c->files, sizeof(struct trail_file), CHANGES_MAX);
	for (size_t i = 0; i < document_count(d); i++) {
		if (!of_file(d, i, &n, &rest, &len))
			continue;
		if (n == c->files.len) {
			if ((f = vec_push(&c->files)) == NULL)
				return error_memory(err);
			vec_init(&f->keys, sizeof(char *), CHANGES_MAX);
		}
		if (n + 1 != c->files.len)
			continue;
		if (rest_is(rest, len, "file") && f->path == NULL) {
			f->path = trail_text(d, i);
		} else if (rest_is(rest, len, "role") && f->role == NULL) {
			f->role = trail_text(d, i);
		} else if (rest_is(rest, len, "new")) {
			f->is_new = document_value_is(d, i, "true", 4);
		} else if (rest_is(rest, len, "more")) {
			f->more = entry_number(d, i);
		} else if (len > 5 && memcmp(rest, "keys.", 5) == 0) {
			char *key = trail_text(d, i);

			if (key != NULL && vec_push_string(&f->keys, key, strlen(key)) == NULL) {
				free(key);
				return error_memory(err);
			}
			free(key);
		}
	}
	return 0;
}

static void
read_outcome(const struct document *d, struct trail_change *c)
{
	const char *rest;
	size_t n, len;

	c->end_ms = member_time(d);
	for (size_t o = TRAIL_DONE; o <= TRAIL_FAILED; o++)
		if (member_is(d, "outcome", outcomes[o]))
			c->outcome = (enum trail_outcome)o;
	for (size_t i = 0; i < document_count(d); i++) {
		struct trail_file *f;

		if (!of_file(d, i, &n, &rest, &len) || n >= c->files.len)
			continue;
		f = vec_at(&c->files, n);
		if (rest_is(rest, len, "done"))
			f->done = document_value_is(d, i, "true", 4);
		else if (rest_is(rest, len, "error") && f->error == NULL)
			f->error = trail_text(d, i);
	}
}

/* Does the path mean this file: as it is, by its end, or as a folder above it? */
static bool
filter_has_path(const char *wanted, const char *path)
{
	size_t n = strlen(wanted), len = path == NULL ? 0 : strlen(path);

	if (path == NULL || n == 0 || n > len)
		return false;
	if (strcmp(path, wanted) == 0)
		return true;
	if (n < len && path[len - n - 1] == '/' && strcmp(path + len - n, wanted) == 0)
		return true;
	return strncmp(path, wanted, n) == 0 && (wanted[n - 1] == '/' || path[n] == '/');
}

/* A sealed entry is called FILE/KEY, and an option of JAAS KEY/MODULE/OPTION. */
static bool
filter_has_key(const char *wanted, const char *key)
{
	size_t n = strlen(wanted), len = strlen(key);

	if (n == 0 || n > len)
		return false;
	return strcmp(key, wanted) == 0 ||
	    (n < len && key[len - n - 1] == '/' && strcmp(key + len - n, wanted) == 0) ||
	    (n < len && key[n] == '/' && strncmp(key, wanted, n) == 0);
}

static bool
filter_has(const struct trail_filter *f, const struct trail_change *c)
{
	bool fits = f->file == NULL && f->key == NULL;

	if (c->ms < f->since_ms || (f->until_ms != 0 && c->ms > f->until_ms))
		return false;
	if (f->user != NULL && (c->user == NULL || strcmp(c->user, f->user) != 0) &&
	    (c->sudo == NULL || strcmp(c->sudo, f->user) != 0))
		return false;
	for (size_t i = 0; i < c->files.len && !fits; i++) {
		const struct trail_file *file = vec_at(&c->files, i);

		if (f->file != NULL && !filter_has_path(f->file, file->path))
			continue;
		fits = f->key == NULL;
		for (size_t k = 0; k < file->keys.len && !fits; k++)
			fits = filter_has_key(f->key, vec_string(&file->keys, k));
	}
	return fits;
}

/* Is the process that wrote the intent at work on this host? */
static bool
is_running(uint64_t pid, const char *host)
{
	char here[HOST_MAX], path[64], name[32];
	FILE *f;
	bool ours = true;

	if (pid == 0 || pid > INT32_MAX || host == NULL || gethostname(here, sizeof(here)) != 0)
		return false;
	here[sizeof(here) - 1] = '\0';
	if (strcmp(here, host) != 0 || (kill((pid_t)pid, 0) == -1 && errno == ESRCH))
		return false;
	/* Its number may be another program's by now. */
	snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)pid);
	if ((f = fopen(path, "re")) != NULL) {
		ours = fgets(name, sizeof(name), f) != NULL && strncmp(name, "propseal", 8) == 0;
		fclose(f);
	}
	return ours;
}

struct reading {
	const struct trail_filter *filter;
	struct trail_log *log;
};

/* The change of a number; they come in order, and an outcome soon. */
static struct trail_change *
change_find(const struct trail_log *log, uint64_t n)
{
	for (size_t i = log->changes.len; i-- > 0;) {
		struct trail_change *c = vec_at(&log->changes, i);

		if (c->n <= n)
			return c->n == n ? c : NULL;
	}
	return NULL;
}

static int
read_intent(struct reading *r, const struct document *d, uint64_t n, struct error *err)
{
	struct trail_log *log = r->log;
	struct trail_change *c = vec_push(&log->changes);

	if (c == NULL)
		return error_memory(err);
	c->n = n;
	c->ms = member_time(d);
	c->user = member_text(d, "user");
	c->sudo = member_text(d, "sudo");
	c->host = member_text(d, "host");
	c->command = member_text(d, "command");
	c->environment = member_text(d, "environment");
	c->uid = member_number(d, "uid");
	c->pid = member_number(d, "pid");
	if (read_files(d, c, err) == -1)
		return -1;
	if (!filter_has(r->filter, c)) {
		change_release(c);
		log->changes.len--;
	}
	return 0;
}

static int
read_line(void *cookie, const struct trail_line *l, struct error *err)
{
	struct reading *r = cookie;
	struct trail_change *c;
	struct trail_link link;
	struct document *d;
	int rc = 0;

	r->log->lines++;
	if (!trail_link_parse(l->text, l->len, &link) || (d = line_parse(l)) == NULL) {
		r->log->unread++;
		return 0;
	}
	if (member_is(d, "event", "intent")) {
		rc = read_intent(r, d, link.n, err);
	} else if (member_is(d, "event", "outcome")) {
		c = change_find(r->log, member_number(d, "change"));
		if (c != NULL)
			read_outcome(d, c);
	}
	document_free(d);
	return rc;
}

int
trail_read(const char *path, const struct trail_filter *f, struct trail_log *log,
    struct error *err)
{
	struct reading r = { f, log };
	size_t files;
	int rc;

	memset(log, 0, sizeof(*log));
	vec_init(&log->changes, sizeof(struct trail_change), CHANGES_MAX);
	rc = each_line(path, &files, read_line, &r, err);
	for (size_t i = 0; i < log->changes.len; i++) {
		struct trail_change *c = vec_at(&log->changes, i);

		if (c->outcome == TRAIL_UNKNOWN)
			c->running = is_running(c->pid, c->host);
	}
	return rc;
}

/* --- the chain --- */

struct open_change {
	uint64_t n, pid;
	char *host, *file;
	size_t line;
};

struct checking {
	struct trail_check *c;
	struct digest *digest;
	struct vec open;	/* of struct open_change */
	struct trail_link last;
	bool any;		/* there was a line with a link */
	uint64_t highest;
};

static const char *const faults[] = { "changed", "cut", "missing", "moved", "open" };

const char *
trail_fault_name(enum trail_fault f)
{
	return faults[f];
}

static int __attribute__((format(printf, 7, 8)))
finding_add(struct checking *k, enum trail_fault fault, const char *file, size_t line, uint64_t n,
    struct error *err, const char *fmt, ...)
{
	struct trail_finding *f = vec_push(&k->c->findings);
	va_list ap;
	int rc;

	if (f == NULL)
		return error_memory(err);
	f->fault = fault;
	f->line = line;
	f->n = n;
	f->file = strdup(file);
	va_start(ap, fmt);
	rc = vasprintf(&f->text, fmt, ap);
	va_end(ap);
	if (rc == -1)
		f->text = NULL;
	return f->file == NULL || f->text == NULL ? error_memory(err) : 0;
}

/* Line ${n} came after lines that were written after it: it is not missing. */
static bool
forget_missing(struct checking *k, uint64_t n)
{
	for (size_t i = k->c->findings.len; i-- > 0;) {
		struct trail_finding *f = vec_at(&k->c->findings, i);

		if (f->fault != TRAIL_MISSING || n < f->n || n >= f->n + f->count)
			continue;
		if (f->count > 1)
			return true;	/* others of them are */
		free(f->file);
		free(f->text);
		memmove(f, f + 1, (k->c->findings.len - i - 1) * sizeof(*f));
		k->c->findings.len--;
		return true;
	}
	return false;
}

static int
check_place(struct checking *k, const struct trail_line *l, const struct trail_link *link,
    struct error *err)
{
	uint64_t expected = k->highest + 1, gap = link->n - expected;
	struct trail_finding *f;

	if (link->n < expected && k->any) {
		bool late = forget_missing(k, link->n);

		return finding_add(k, TRAIL_MOVED, l->file, l->number, link->n, err,
		    "line %llu of the chain %s", (unsigned long long)link->n, late ?
		    "stands behind lines that were written after it" :
		    "stands here a second time, or in the place of another");
	}
	if (link->n > expected) {
		if (finding_add(k, TRAIL_MISSING, l->file, l->number, expected, err, gap == 1 ?
		    "line %llu of the chain is missing before this line" : "lines %llu to %llu of "
		    "the chain are missing before this line", (unsigned long long)expected,
		    (unsigned long long)link->n - 1) == -1)
			return -1;
		f = vec_at(&k->c->findings, k->c->findings.len - 1);
		f->count = gap;
		return 0;
	}
	/* The line before it is there, but is not the one that it was written behind. */
	if ((k->any ? k->last.n + 1 == link->n && strcmp(k->last.hash, link->prev) != 0 :
	    strspn(link->prev, "0") != TRAIL_HASH))
		return finding_add(k, TRAIL_CHANGED, l->file, l->number, link->n - 1, err,
		    "the line before this one is not the one that this was written behind");
	return 0;
}

/* Intents that wait for their outcome are few. */
static void
open_close(struct checking *k, size_t i)
{
	struct open_change *o = vec_at(&k->open, i);

	free(o->host);
	free(o->file);
	memmove(o, o + 1, (--k->open.len - i) * sizeof(*o));
}

static int
check_event(struct checking *k, const struct trail_line *l, const struct trail_link *link,
    struct error *err)
{
	struct document *d = line_parse(l);
	struct open_change *o;
	uint64_t n;
	size_t i;
	int rc = 0;

	if (d == NULL)
		return 0;
	if (member_is(d, "event", "intent")) {
		if ((o = vec_push(&k->open)) == NULL) {
			rc = error_memory(err);
		} else {
			o->n = link->n;
			o->pid = member_number(d, "pid");
			o->host = member_text(d, "host");
			o->file = strdup(l->file);
			o->line = l->number;
			if (o->file == NULL)
				rc = error_memory(err);
		}
	} else if (member_is(d, "event", "outcome")) {
		n = member_number(d, "change");
		for (i = k->open.len; i-- > 0;)
			if (((struct open_change *)vec_at(&k->open, i))->n == n)
				open_close(k, i);
	}
	document_free(d);
	return rc;
}

static int
check_line(void *cookie, const struct trail_line *l, struct error *err)
{
	struct checking *k = cookie;
	unsigned char sum[DIGEST_SHA256];
	char hash[TRAIL_HASH];
	struct trail_link link;

	k->c->lines++;
	if (!trail_link_parse(l->text, l->len, &link))
		return l->ended && l->text[l->len - 1] == '}' ?
		    finding_add(k, TRAIL_CHANGED, l->file, l->number, 0, err,
		    "this is not a line of a trail") :
		    finding_add(k, TRAIL_CUT, l->file, l->number, 0, err,
		    "the line is cut: who wrote it was stopped, or it was changed");
	if (digest_sha256(k->digest, l->text, link.body, sum) == -1)
		return error_set(err, ERROR_CRYPTO, "the line's hash cannot be made");
	hex_text(sum, sizeof(sum), hash);
	if (memcmp(hash, link.hash, TRAIL_HASH) != 0) {
		if (finding_add(k, TRAIL_CHANGED, l->file, l->number, link.n, err,
		    "line %llu of the chain was changed", (unsigned long long)link.n) == -1)
			return -1;
		/* What it says of its place does not count for more than the place. */
		if (k->any && link.n != k->highest + 1) {
			k->highest++;
			k->last.n = 0;
			return 0;
		}
	} else if (check_place(k, l, &link, err) == -1) {
		return -1;
	}
	if (!k->any)
		k->c->first = link.n;
	k->any = true;
	k->last = link;
	if (link.n > k->highest)
		k->highest = link.n;
	return check_event(k, l, &link, err);
}

static int
check_open(struct checking *k, struct error *err)
{
	for (size_t i = 0; i < k->open.len; i++) {
		const struct open_change *o = vec_at(&k->open, i);

		if (is_running(o->pid, o->host))
			k->c->running++;
		else if (finding_add(k, TRAIL_OPEN, o->file, o->line, o->n, err,
		    "change %llu has an intent and no outcome: its files may be changed, or not",
		    (unsigned long long)o->n) == -1)
			return -1;
	}
	return 0;
}

int
trail_verify(const char *path, struct trail_check *c, struct error *err)
{
	struct checking k = { .c = c, .digest = digest_new(err) };
	int rc;

	memset(c, 0, sizeof(*c));
	vec_init(&c->findings, sizeof(struct trail_finding), CHANGES_MAX);
	vec_init(&k.open, sizeof(struct open_change), CHANGES_MAX);
	rc = k.digest == NULL ? -1 : each_line(path, &c->files, check_line, &k, err);
	if (rc == 0)
		rc = check_open(&k, err);
	c->last = k.highest;
	if (k.any)
		memcpy(c->hash, k.last.hash, sizeof(c->hash));
	while (k.open.len > 0)
		open_close(&k, k.open.len - 1);
	vec_release(&k.open);
	digest_free(k.digest);
	return rc;
}

void
trail_check_release(struct trail_check *c)
{
	for (size_t i = 0; i < c->findings.len; i++) {
		struct trail_finding *f = vec_at(&c->findings, i);

		free(f->file);
		free(f->text);
	}
	vec_release(&c->findings);
}
