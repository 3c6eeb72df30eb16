#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_lines.h"
#include "registry/audit/audit_record.h"
#include "registry/audit/audit_seal.h"

#define TIME_MAX 32

struct query {
	const struct audit_filter *f;
	char since[TIME_MAX], until[TIME_MAX];	/* "": any; without the Z */
	const char *rare[5];	/* texts that must stand in a line as they are */
	size_t rare_count;
};

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
	if (!audit_seal_member(line, n, "\"," JSON_NAME("time") "\"", time, sizeof(time)))
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
