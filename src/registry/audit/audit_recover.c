#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/audit/audit_anchor.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_sink_file.h"

#define WINDOW_FIRST ((size_t)4 * AUDIT_LINE_MAX)

/* How a file of ours begins. */
static const char beginning[] = "{" JSON_NAME("specversion") "\"1.0\"," JSON_NAME("id") "\"";

/* The last whole line of a file. */
struct end {
	char *bytes;		/* the file's last part */
	const char *line;	/* NULL: there is none in it */
	struct audit_tail tail;
	size_t len;
	uint64_t torn;		/* bytes behind it; all of the file without one */
};

/* Look for it in the last ${n} bytes, of which the first line may be a part. */
static bool
find_line(struct end *e, size_t n, bool from_start)
{
	const char *p = e->bytes, *end = p + n, *stop, *from;

	/* What follows the last line end is no whole line. */
	while ((stop = memrchr(p, '\n', (size_t)(end - p))) != NULL) {
		from = memrchr(p, '\n', (size_t)(stop - p));
		if (from == NULL && !from_start)
			return false;
		from = from != NULL ? from + 1 : p;
		e->len = (size_t)(stop - from);
		if (audit_chain_tail(from, e->len, &e->tail)) {
			e->line = from;
			e->torn = (uint64_t)(p + n - (stop + 1));
			return true;
		}
		end = stop;
	}
	return false;
}

static int
audit_recover_read_end(int fd, const char *path, struct end *e, struct error *err)
{
	size_t window = WINDOW_FIRST, n;
	struct stat st;
	bool all;

	memset(e, 0, sizeof(*e));
	if (fstat(fd, &st) != 0)
		return error_io(err, path, "cannot read");
	do {
		all = window >= (uint64_t)st.st_size;
		n = all ? (size_t)st.st_size : window;
		free(e->bytes);
		if ((e->bytes = malloc(n + 1)) == NULL)
			return error_memory(err);
		if (pread(fd, e->bytes, n, st.st_size - (off_t)n) != (ssize_t)n)
			return error_io(err, path, "cannot read");
		window *= 4;
	} while (!find_line(e, n, all) && !all);
	if (e->line == NULL)
		e->torn = (uint64_t)st.st_size;
	return 0;
}

static int
audit_recover_refuse(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "see `propseal registry audit verify`; to begin a new log, move "
	    "this one with all its parts to another folder");
}

/* The chain goes on from this line. */
static int
audit_recover_take(struct audit *a, const struct end *e, const char *path, struct error *err)
{
	static const char stop[] = JSON_NAME("request") "{" JSON_NAME("phase") "\"stop\","
	    JSON_NAME("open") "0}";

	if (!audit_chain_fits(a->mac, e->line, &e->tail))
		return audit_recover_refuse(path,
		    "the last line of the audit log was changed, or the log was "
		    "made with another key", err);
	a->chain.seq = e->tail.seq;
	memcpy(a->chain.hash, e->tail.hash, MAC_BYTES);
	a->ended_well = memmem(e->line, e->len, stop, sizeof(stop) - 1) != NULL;
	return 0;
}

static const char *
torn_of(const struct end *e)
{
	return e->line != NULL ? e->line + e->len + 1 : e->bytes;
}

/* Does what is torn begin like a line of ours, or was nothing written where it is? */
static bool
is_beginning(const struct end *e)
{
	size_t n = e->torn < sizeof(beginning) - 1 ? (size_t)e->torn : sizeof(beginning) - 1;
	const char *torn = torn_of(e);

	return memcmp(torn, beginning, n) == 0 || (torn[0] == '\0' &&
	    memcmp(torn, torn + 1, (size_t)e->torn - 1) == 0);
}

void
audit_recover_cut(struct audit *a)
{
	uint64_t torn = audit_sink_file_torn(a->sink_file);

	if (torn > 0 && a->torn_piece && audit_sink_file_cut_torn(a->sink_file) == 0)
		a->cut = torn;
}

/* FILE has no whole line: the newest of those that were moved away. */
static int
take_moved(struct audit *a, struct error *err)
{
	struct audit_files files;
	struct end e = { 0 };
	size_t i;
	int rc = 0, fd;

	if (audit_files_list(a->file, true, &files, err) != 0)
		return -1;
	for (i = files.count; rc == 0 && i > 0 && a->chain.seq == 0; i--) {
		if (files.files[i - 1].first == 0)
			continue;
		if ((fd = audit_files_open(&files.files[i - 1], err)) < 0 ||
		    audit_recover_read_end(fd, files.files[i - 1].path, &e, err) != 0)
			rc = -1;
		else if (fdatasync(fd) != 0)
			/* Its last lines are needed where the journal's were. */
			rc = error_io(err, files.files[i - 1].path, "cannot sync");
		else if (e.line != NULL)
			rc = audit_recover_take(a, &e, files.files[i - 1].path, err);
		free(e.bytes);
		e.bytes = NULL;
	}
	audit_files_release(&files);
	return rc;
}

/* Lines that were there are gone: go on behind them, so that the gap shows. */
static int
take_anchor(struct audit *a, bool *gap, struct error *err)
{
	struct audit_anchor anchor;

	*gap = false;
	if (audit_anchor_read(a->file, a->key, &anchor, err) != 0)
		return error_hint(err, "look into who changed it, then remove it");
	a->first = anchor.first != 0 ? anchor.first : 1;
	if (anchor.chain.seq <= a->chain.seq)
		return 0;
	a->chain = anchor.chain;
	a->ended_well = false;
	*gap = true;
	return 0;
}

int
audit_recover(struct audit *a, const struct audit_options *o, struct error *err)
{
	struct end e = { 0 };
	int fd = audit_sink_file_fd(a->sink_file);
	char *behind = NULL;
	size_t n = 0;
	bool gap;
	int rc;

	if (fd < 0)
		return 0;
	rc = audit_mend(a, o, &behind, &n, err);
	if (rc == 0)
		rc = audit_recover_read_end(fd, a->file, &e, err);
	if (rc == 0 && e.line != NULL)
		rc = audit_recover_take(a, &e, a->file, err);
	else if (rc == 0 && e.torn > 0 && !is_beginning(&e))
		rc = audit_recover_refuse(a->file, "this is not an audit log", err);
	else if (rc == 0)
		rc = take_moved(a, err);
	if (rc == 0) {
		audit_sink_file_set_torn(a->sink_file, e.torn);
		a->torn_piece = is_beginning(&e) &&
		    memchr(torn_of(&e), '\n', (size_t)e.torn) == NULL;
		rc = take_anchor(a, &gap, err);
	}
	/* A log's first lines were synced: where there are none it is a new one. */
	if (rc == 0 && !gap && a->chain.seq > 0)
		rc = audit_carried_replay(a, o, behind, n, err);
	if (rc == 0)
		audit_recover_cut(a);
	/* The results that were kept are still carried as lines. */
	audit_sink_file_must_sync(a->sink_file);
	free(behind);
	free(e.bytes);
	return rc;
}
