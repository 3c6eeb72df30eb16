#include <sys/stat.h>
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "crypto/mac.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_internal.h"

#define METHOD_PREFIX "secret-registry."
#define TIME_MAX 32
#define TRIES 4			/* when a file is moved away meanwhile */

struct query {
	const struct audit_filter *f;
	char since[TIME_MAX], until[TIME_MAX];	/* "": any; without the Z */
	const char *rare[5];	/* texts that must stand in a line as they are */
	size_t rare_count;
};

/* How far the check has come. */
struct check {
	struct mac *mac;
	struct audit_anchor anchor;
	struct audit_chain chain;
	uint64_t lines;
	bool begun;

	/* bytes behind the last good line that are no such line, and where */
	uint64_t torn;
	const char *torn_file;
	uint64_t torn_line;
	const char *why;
	bool torn_whole;	/* one of them has a line end */
};

static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* A text, or the first of a list of texts. */
static const char *
first_text(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_string_value(json_is_array(v) ? json_array_get(v, 0) : v);
}

/* The part of a CRN behind ${mark}, decoded. */
static bool
audit_record_part(const char *crn, const char *mark, char **out, size_t *len)
{
	const char *p = crn != NULL ? strstr(crn, mark) : NULL;
	char *to;

	if (p == NULL)
		return true;
	p += strlen(mark);
	if ((*out = to = malloc(strcspn(p, "/") + 1)) == NULL)
		return false;
	for (; *p != '\0' && *p != '/'; p++) {
		unsigned char byte;

		if (*p == '%' && p[1] != '\0' && hex_parse(p + 1, 1, &byte)) {
			*to++ = (char)byte;
			p += 2;
		} else
			*to++ = *p;
	}
	*to = '\0';
	*len = (size_t)(to - *out);
	return true;
}

static void
read_request(const json_t *data, struct audit_record *r)
{
	const json_t *request = json_object_get(data, "request");
	const json_t *result = json_object_get(data, "result");
	const json_t *origin = json_object_get(data, "requestMetadata");
	const json_t *version = json_object_get(result, "version");

	r->phase = text(request, "phase");
	r->value_hmac = text(request, "value");
	r->idempotency_hmac = text(request, "idempotency");
	if (version == NULL)
		version = json_object_get(request, "version");
	r->version = json_integer_value(version);
	r->request_id = first_text(origin, "requestId");
	r->client = text(json_array_get(json_object_get(origin, "clientAddress"), 0), "ip");
	r->status = json_integer_value(json_object_get(result, "status"));
	r->offset = json_integer_value(json_object_get(result, "offset"));
	r->message = text(result, "message");
}

bool
audit_record_read(const char *line, size_t n, struct audit_record *r)
{
	const json_t *data, *access;
	const char *crn;

	memset(r, 0, sizeof(*r));
	if ((r->root = json_loadb(line, n, 0, NULL)) == NULL)
		return false;
	data = json_object_get(r->root, "data");
	access = json_object_get(data, "authorizationInfo");
	r->time = text(r->root, "time");
	r->principal = text(json_object_get(data, "authenticationInfo"), "principal");
	r->method = text(data, "methodName");
	if (r->method == NULL || r->time == NULL)
		return false;
	if (strncmp(r->method, METHOD_PREFIX, strlen(METHOD_PREFIX)) == 0)
		r->method += strlen(METHOD_PREFIX);
	r->has_granted = json_is_boolean(json_object_get(access, "granted"));
	r->granted = json_is_true(json_object_get(access, "granted"));
	r->operation = text(access, "operation");
	read_request(data, r);
	crn = text(data, "resourceName");
	return audit_record_part(crn, "/secret-path=", &r->path, &r->path_len) &&
	    audit_record_part(crn, "/secret-key=", &r->key, &r->key_len);
}

void
audit_record_release(struct audit_record *r)
{
	json_decref(r->root);
	free(r->path);
	free(r->key);
	memset(r, 0, sizeof(*r));
}

/* Read the end of the file: ${*n} bytes, of which ${*cut} tells whether the
 * first line's beginning is missing. */
static char *
audit_tail_read_end(const char *file, size_t *n, bool *cut, struct error *err)
{
	char *bytes = NULL;
	struct stat st;
	ssize_t got;
	off_t from;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1 || fstat(fd, &st) == -1) {
		error_io(err, file, "the audit log cannot be read");
		goto done;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "the audit log is no file that could be read again");
		error_place(err, file, 0);
		goto done;
	}
	from = st.st_size > (off_t)AUDIT_TAIL_BYTES ? st.st_size - (off_t)AUDIT_TAIL_BYTES : 0;
	*cut = from > 0;
	if ((bytes = malloc(AUDIT_TAIL_BYTES)) == NULL) {
		error_memory(err);
		goto done;
	}
	for (*n = 0; *n < AUDIT_TAIL_BYTES; *n += (size_t)got) {
		got = pread(fd, bytes + *n, AUDIT_TAIL_BYTES - *n, from + (off_t)*n);
		if (got <= 0)
			break;
	}
done:
	if (fd != -1)
		close(fd);
	return bytes;
}

int
audit_tail(const char *file, size_t max, int (*line)(void *cookie, const char *text, size_t n),
    void *cookie, struct error *err)
{
	size_t n = 0, at, lines = 0;
	bool cut = false;
	char *bytes = audit_tail_read_end(file, &n, &cut, err);
	char *end;
	int rc = 0;

	if (bytes == NULL)
		return -1;
	/* A line that is being written has no end yet. */
	while (n > 0 && bytes[n - 1] != '\n')
		n--;
	for (at = n; at > 0 && lines <= max; at--)
		lines += bytes[at - 1] == '\n';
	if (lines > max)
		at++;	/* behind the line end that was one too many */
	else if (cut && (end = memchr(bytes, '\n', n)) != NULL)
		at = (size_t)(end - bytes) + 1;
	for (; at < n && rc == 0; at = (size_t)(end - bytes) + 1) {
		end = memchr(bytes + at, '\n', n - at);
		rc = line(cookie, bytes + at, (size_t)(end - bytes) - at);
	}
	free(bytes);
	return rc;
}

/* As much of 2026-01-31T12:00:00.123Z as one likes to give. */
static int
read_time(const char *given, char out[TIME_MAX], const char *what, struct error *err)
{
	const char *form = "0000-00-00T00:00:00.000";
	size_t n = given != NULL ? strlen(given) : 0, i;

	out[0] = '\0';
	if (n == 0)
		return 0;
	if (given[n - 1] == 'Z')
		n--;
	for (i = 0; i < n && form[i] != '\0'; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)given[i]) :
		    given[i] != form[i] && !(form[i] == 'T' && given[i] == ' '))
			break;
	if (i < n || n < 4)
		return error_set(err, ERROR_USAGE, "%s is not a time such as 2026-01-31 or "
		    "2026-01-31T12:00:00Z (UTC)", what);
	memcpy(out, given, n);
	out[n] = '\0';
	if (n > 10)
		out[10] = 'T';
	return 0;
}

/* Is it the same in JSON as here? */
static void
add_rare(struct query *q, const char *text)
{
	const char *p;

	for (p = text; p != NULL && *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-._", *p) == NULL)
			return;
	if (text != NULL && *text != '\0')
		q->rare[q->rare_count++] = text;
}

static const char *
without(const char *text, const char *prefix)
{
	if (text != NULL && strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	return text;
}

static int
audit_search_prepare(struct query *q, struct error *err)
{
	const struct audit_filter *f = q->f;

	if (read_time(f->since, q->since, "--since", err) != 0 ||
	    read_time(f->until, q->until, "--until", err) != 0)
		return -1;
	add_rare(q, without(f->principal, "User:"));
	add_rare(q, f->path);
	add_rare(q, f->key);
	add_rare(q, without(f->method, "secret-registry."));
	add_rare(q, f->request_id);
	return 0;
}

static bool
may_match(const struct query *q, const char *line, size_t n)
{
	char time[TIME_MAX];
	size_t i;

	for (i = 0; i < q->rare_count; i++)
		if (memmem(line, n, q->rare[i], strlen(q->rare[i])) == NULL)
			return false;
	if (q->since[0] == '\0' && q->until[0] == '\0')
		return true;
	if (!audit_line_member(line, n, "\"," JSON_NAME("time") "\"", time, sizeof(time)))
		return false;
	return strcmp(time, q->since) >= 0 &&
	    (q->until[0] == '\0' || strncmp(time, q->until, strlen(q->until)) <= 0);
}

static bool
audit_search_same(const char *wanted, const char *found)
{
	return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

static bool
audit_search_same_bytes(const char *wanted, const char *found, size_t n)
{
	return wanted == NULL || (found != NULL && strlen(wanted) == n &&
	    memcmp(wanted, found, n) == 0);
}

static bool
audit_search_matches(const struct query *q, const char *line, size_t n)
{
	const struct audit_filter *f = q->f;
	struct audit_record r;
	bool yes = audit_record_read(line, n, &r);

	if (yes)
		yes = audit_search_same(without(f->principal, "User:"), without(r.principal,
		    "User:")) &&
		    audit_search_same_bytes(f->path, r.path, r.path_len) &&
		    audit_search_same_bytes(f->key, r.key, r.key_len) &&
		    audit_search_same(without(f->method, "secret-registry."), r.method) &&
		    audit_search_same(f->request_id, r.request_id) &&
		    (!f->denied || (r.has_granted && !r.granted) || r.status == 401 ||
		    r.status == 403);
	audit_record_release(&r);
	return yes;
}

static int
search_file(const struct query *q, struct audit_file *file,
    int (*line)(void *cookie, const char *text, size_t n), void *cookie, struct error *err)
{
	struct audit_lines_line one;
	struct audit_lines *l;
	struct audit_tail tail;
	int rc, fd;

	if ((fd = audit_files_open(file, err)) < 0 ||
	    (l = audit_lines_new(fd, file->path, 0, err)) == NULL)
		return -1;
	while ((rc = audit_lines_next(l, &one, err)) == 1)
		if (one.whole && audit_chain_tail(one.text, one.len, &tail) &&
		    may_match(q, one.text, one.len) && audit_search_matches(q, one.text, one.len) &&
		    (rc = line(cookie, one.text, one.len)) != 0)
			break;
	audit_lines_free(l);
	return rc;
}

int
audit_search(const char *file, const struct audit_filter *f,
    int (*line)(void *cookie, const char *text, size_t n), void *cookie, struct error *err)
{
	struct query q = { .f = f };
	struct audit_files files;
	size_t i;
	int rc = 0;

	if (audit_search_prepare(&q, err) != 0 || audit_files_list(file, false, &files, err) != 0)
		return -1;
	for (i = 0; rc == 0 && i < files.count; i++)
		rc = search_file(&q, &files.files[i], line, cookie, err);
	audit_files_release(&files);
	return rc;
}

static int
broken(const char *file, uint64_t line, const char *what, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", what);
	return error_place(err, file, (size_t)line);
}

/* The first line of the log: nothing is known of what was before. */
static int
audit_verify_begin(struct check *c, const struct audit_tail *t, const char *file, uint64_t line,
    struct error *err)
{
	c->begun = true;
	if (c->anchor.first != 0 && t->seq > c->anchor.first)
		return broken(file, line, "the lines before this one are missing", err);
	c->chain.seq = t->seq - 1;
	if (t->seq > 1)
		memcpy(c->chain.hash, t->prev, MAC_BYTES);
	return 0;
}

static int
check_anchor(const struct check *c, const char *file, uint64_t line, struct error *err)
{
	if (c->chain.seq != c->anchor.chain.seq ||
	    memcmp(c->chain.hash, c->anchor.chain.hash, MAC_BYTES) == 0)
		return 0;
	return broken(file, line, "the log was written anew up to this line", err);
}

/* Does this line tell of just the torn bytes before it? */
static bool
vouches(const struct audit_lines_line *line, uint64_t torn)
{
	static const char mark[] = JSON_NAME("request") "{" JSON_NAME("phase") "\"torn\","
	    JSON_NAME("count");
	const char *p = memmem(line->text, line->len, mark, sizeof(mark) - 1);

	return p != NULL && strtoull(p + sizeof(mark) - 1, NULL, 10) == torn;
}

static void
note_torn(struct check *c, const struct audit_lines_line *line, const char *file, const char *why)
{
	if (c->torn == 0) {
		c->torn_file = file;
		c->torn_line = line->number;
		c->why = why;
	}
	c->torn += line->len + line->whole;
	c->torn_whole |= line->whole;
}

static int
audit_verify_check_line(struct check *c, const struct audit_lines_line *line, const char *file,
    struct error *err)
{
	struct audit_tail tail;

	if (!line->whole || !audit_chain_tail(line->text, line->len, &tail)) {
		note_torn(c, line, file, "this is not a line of the audit log");
		return 0;
	}
	if (!audit_chain_fits(c->mac, line->text, &tail)) {
		note_torn(c, line, file, "this line was changed");
		return 0;
	}
	if (c->torn > 0 && !vouches(line, c->torn))
		return broken(c->torn_file, c->torn_line, c->why, err);
	if (!c->begun && audit_verify_begin(c, &tail, file, line->number, err) != 0)
		return -1;
	c->torn = 0;
	c->torn_whole = false;
	if (!audit_chain_follow(&c->chain, &tail))
		return broken(file, line->number, "this line does not follow the one before: "
		    "lines are missing or in another order", err);
	c->lines++;
	return check_anchor(c, file, line->number, err);
}

static int
audit_verify_check_file(struct check *c, struct audit_file *f, struct error *err)
{
	struct audit_lines_line line = { 0 };
	struct audit_lines *l;
	int rc, fd;

	if ((fd = audit_files_open(f, err)) < 0 ||
	    (l = audit_lines_new(fd, f->path, 0, err)) == NULL)
		return -1;
	while ((rc = audit_lines_next(l, &line, err)) == 1)
		if (audit_verify_check_line(c, &line, f->path, err) != 0) {
			rc = -1;
			break;
		}
	audit_lines_free(l);
	return rc;
}

static int
audit_verify_check_end(const struct check *c, const char *file, struct error *err)
{
	/* A last line without its end is being written, or was when it all ended. */
	if (c->torn > 0 && c->torn_whole)
		return broken(c->torn_file, c->torn_line, c->why, err);
	if (c->chain.seq < c->anchor.chain.seq) {
		broken(file, 0, "the last lines are missing", err);
		return error_hint(err, "it ends with line number %" PRIu64 ", and %" PRIu64
		    " was written", c->chain.seq, c->anchor.chain.seq);
	}
	return 0;
}

static int
verify_once(const char *file, const struct key *k, uint64_t *lines, struct error *err)
{
	struct audit_files files = { NULL, 0 };
	struct check c = { 0 };
	size_t i;
	int rc = -1;

	if (audit_anchor_read(file, k, &c.anchor, err) == 0 &&
	    audit_files_list(file, false, &files, err) == 0 &&
	    (c.mac = mac_new(k, AUDIT_CHAIN_PURPOSE, err)) != NULL)
		rc = 0;
	for (i = 0; rc == 0 && i < files.count; i++)
		rc = audit_verify_check_file(&c, &files.files[i], err);
	if (rc == 0)
		rc = audit_verify_check_end(&c, file, err);
	*lines = c.lines;
	mac_free(c.mac);
	audit_files_release(&files);
	return rc;
}

int
audit_verify(const char *file, const struct key *k, uint64_t *lines, struct error *err)
{
	struct error failed = { 0 };
	int i, rc = -1;

	for (i = 0; i < TRIES && rc != 0; i++) {
		rc = verify_once(file, k, lines, &failed);
		/* Gone since it was listed: it has another name now. */
		if (failed.code != ERROR_MISSING)
			break;
	}
	if (rc != 0 && err != NULL)
		*err = failed;
	return rc;
}

/* --- what came behind a line --- */

static int
follow_file(struct audit_file *f, struct mac *m, uint64_t after,
    int (*line)(void *cookie, const struct audit_record *r), void *cookie,
    struct audit_end *end, struct error *err)
{
	struct audit_lines_line one;
	struct audit_record record;
	struct audit_lines *l;
	struct audit_tail tail;
	int rc, fd;

	if ((fd = audit_files_open(f, err)) < 0 ||
	    (l = audit_lines_new(fd, f->path, 0, err)) == NULL)
		return -1;
	while ((rc = audit_lines_next(l, &one, err)) == 1) {
		if (!one.whole || !audit_chain_tail(one.text, one.len, &tail) ||
		    tail.seq <= after || tail.seq <= end->seq ||
		    !audit_chain_fits(m, one.text, &tail))
			continue;
		end->missing += tail.seq - end->seq - 1;
		end->seq = tail.seq;
		memcpy(end->hash, tail.hash, MAC_BYTES);
		rc = audit_record_read(one.text, one.len, &record) ? line(cookie, &record) : 0;
		audit_record_release(&record);
		if (rc != 0)
			break;
	}
	audit_lines_free(l);
	return rc;
}

int
audit_follow(const char *file, const struct key *k, uint64_t after,
    int (*line)(void *cookie, const struct audit_record *r), void *cookie,
    struct audit_end *end, struct error *err)
{
	struct audit_files files = { NULL, 0 };
	struct audit_anchor anchor;
	struct mac *m = NULL;
	int rc = -1;

	*end = (struct audit_end){ .seq = after };
	if (audit_anchor_read(file, k, &anchor, err) == 0 &&
	    audit_files_list(file, true, &files, err) == 0 &&
	    (m = mac_new(k, AUDIT_CHAIN_PURPOSE, err)) != NULL)
		rc = 0;
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = follow_file(&files.files[i], m, after, line, cookie, end, err);
	if (rc == 0 && anchor.chain.seq > end->seq) {
		end->missing += anchor.chain.seq - end->seq;
		end->seq = anchor.chain.seq;
		memcpy(end->hash, anchor.chain.hash, MAC_BYTES);
	}
	mac_free(m);
	audit_files_release(&files);
	return rc;
}
