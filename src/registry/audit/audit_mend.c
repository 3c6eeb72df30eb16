#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_anchor.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_lines.h"
#include "registry/audit/audit_sink_file.h"
#include "registry/audit/audit_unsynced.h"

/* What was not synced, and as much again for what was being written. */
#define WINDOW ((uint64_t)2 * AUDIT_UNSYNCED_MAX)

/*
 * A file that was not synced can come out of a crash with its end written and
 * something before it not: there are zeros, or parts of lines, and whole lines
 * behind them.
 */
struct gap {
	struct audit_chain before;	/* the last good line */
	bool begun;			/* ... was seen */
	bool open;			/* here is one */
	bool behind;			/* ... and a good line that does not follow */
	bool plain;			/* ... but only a line that was begun */
	uint64_t at;			/* in the file */
};

/* What comes next; false: no more need be read. */
static bool
audit_mend_look(struct audit *a, struct gap *g, const struct audit_lines_line *line)
{
	struct audit_tail tail;
	bool fits = line->whole && audit_chain_tail(line->text, line->len, &tail) &&
	    audit_chain_fits(a->mac, line->text, &tail);

	if (!fits && g->begun) {
		g->plain = !g->open && !line->whole &&
		    memchr(line->text, '\0', line->len) == NULL;
		if (!g->open)
			g->at = line->offset;
		g->open = true;
	} else if (fits && !g->begun) {
		g->before.seq = tail.seq;
		memcpy(g->before.hash, tail.hash, MAC_BYTES);
		g->begun = true;
	} else if (fits && audit_chain_follow(&g->before, &tail))
		g->open = false;
	else if (fits) {
		g->behind = true;
		return false;
	}
	return true;
}

static int
audit_mend_find(struct audit *a, uint64_t size, struct gap *g, struct error *err)
{
	struct audit_lines_line line;
	struct audit_lines *l = audit_lines_new(audit_sink_file_fd(a->sink_file), a->file,
	    size > WINDOW ? size - WINDOW : 0, err);
	int rc;

	if (l == NULL)
		return -1;
	while ((rc = audit_lines_next(l, &line, err)) == 1 && audit_mend_look(a, g, &line))
		continue;
	audit_lines_free(l);
	return rc < 0 ? -1 : 0;
}

/* Lines up to the anchor were synced: whatever is wrong there was done by somebody. */
static bool
is_synced(const struct audit *a, uint64_t seq)
{
	struct audit_anchor anchor;

	return audit_anchor_read(a->file, a->key, &anchor, NULL) != 0 || seq < anchor.chain.seq;
}

int
audit_mend(struct audit *a, const struct audit_options *o, char **behind, size_t *n,
    struct error *err)
{
	uint64_t size = audit_sink_file_size(a->sink_file);
	int fd = audit_sink_file_fd(a->sink_file);
	struct gap g = { 0 };
	int rc;

	*behind = NULL;
	*n = 0;
	if (audit_mend_find(a, size, &g, err) != 0)
		return -1;
	if (!g.open || (g.plain && !g.behind) || is_synced(a, g.before.seq))
		return 0;
	if ((rc = audit_carried_follows(a, o, &g.before, err)) <= 0)
		return rc;
	if ((*behind = malloc((size_t)(size - g.at))) == NULL)
		return error_memory(err);
	if (pread(fd, *behind, (size_t)(size - g.at), (off_t)g.at) != (ssize_t)(size - g.at))
		return error_io(err, a->file, "cannot read");
	*n = (size_t)(size - g.at);
	audit_sink_file_set_torn(a->sink_file, size - g.at);
	if (audit_sink_file_cut_torn(a->sink_file) != 0)
		return error_io(err, a->file, "cannot cut the audit log");
	a->cut = *n;
	return 0;
}
