#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "crypto/mac.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_anchor.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_lines.h"

#define TRIES 4			/* when a file is moved away meanwhile */

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
note_torn(struct check *c, const struct audit_lines_line *line, const char *file,
    const char *why)
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
