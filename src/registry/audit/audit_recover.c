#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_internal.h"

/* What was not synced, and as much again for what was being written. */
#define WINDOW ((uint64_t)2 * AUDIT_UNSYNCED_MAX)
#define WINDOW_FIRST ((size_t)4 * AUDIT_LINE_MAX)

#define FOUND_MAX 1000000U
#define PHASE_MARK JSON_NAME("request") "{" JSON_NAME("phase") "\""

/* Lines that were carried beside the changes which they tell of. */
struct carried {
	const char *text;
	size_t n;		/* without the line end */
	struct audit_tail tail;
	bool journal;		/* or the file: not carried beside a change */
};

struct carried_list {
	struct carried *lines;
	size_t count, cap;
};

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

/* The last whole line of a file. */
struct end {
	char *bytes;		/* the file's last part */
	const char *line;	/* NULL: there is none in it */
	struct audit_tail tail;
	size_t len;
	uint64_t torn;		/* bytes behind it; all of the file without one */
};

/* An intent that may lack its outcome. */
struct found {
	uint64_t seq;
	size_t len;
	char *line;		/* NULL: it has one */
};

struct search {
	struct audit *audit;
	struct mac *mac;
	struct audit_files files;
	uint64_t from;		/* nothing is open before this seq */
	struct found *found;
	size_t count, cap;
};

static int
audit_carried_by_seq(const void *a, const void *b)
{
	const struct carried *x = a, *y = b;

	return (x->tail.seq > y->tail.seq) - (x->tail.seq < y->tail.seq);
}

static int
audit_carried_add(struct carried_list *list, const char *text, size_t n, bool journal)
{
	struct carried *more;
	size_t cap;

	if (list->count == list->cap) {
		cap = list->cap > 0 ? 2 * list->cap : 256;
		if ((more = realloc(list->lines, cap * sizeof(*more))) == NULL)
			return -1;
		list->lines = more;
		list->cap = cap;
	}
	more = &list->lines[list->count];
	*more = (struct carried){ .text = text, .n = n, .journal = journal };
	list->count += audit_chain_tail(text, n, &more->tail);
	return 0;
}

static int
add_all(struct carried_list *list, const char *p, size_t n, bool journal)
{
	const char *end = p + n, *stop;

	for (; p < end && (stop = memchr(p, '\n', (size_t)(end - p))) != NULL; p = stop + 1)
		if (audit_carried_add(list, p, (size_t)(stop - p), journal) != 0)
			return -1;
	return 0;
}

/* The lines are added to what the list has already. */
static int
audit_carried_collect(const struct audit_options *o, const char *journal, size_t n,
    struct carried_list *list)
{
	size_t i;

	for (i = 0; i < o->carried_count; i++)
		if (add_all(list, o->carried[i].lines, o->carried[i].n, false) != 0)
			return -1;
	if (add_all(list, journal, n, true) != 0)
		return -1;
	if (list->count > 0)
		qsort(list->lines, list->count, sizeof(*list->lines), audit_carried_by_seq);
	return 0;
}

/* Drop all but the lines that follow on the chain. */
static void
keep_following(struct audit *a, struct audit_chain end, struct carried_list *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->count; i++) {
		if (audit_chain_fits(a->mac, list->lines[i].text, &list->lines[i].tail) &&
		    audit_chain_follow(&end, &list->lines[i].tail))
			list->lines[n++] = list->lines[i];
	}
	list->count = n;
}

/* Take the outcomes at the end, those of one commit, out of the list. */
static int
take_results(struct audit *a, struct carried_list *list, struct error *err)
{
	struct audit_result *result;
	struct audit_record r;
	size_t n = list->count, i;

	while (n > 0 && list->lines[n - 1].tail.intent != 0 && !list->lines[n - 1].journal)
		n--;
	a->results = calloc(list->count - n + 1, sizeof(*a->results));
	if (a->results == NULL)
		return error_memory(err);
	for (i = n; i < list->count; i++) {
		if (audit_record_read(list->lines[i].text, list->lines[i].n, &r)) {
			result = &a->results[a->result_count++];
			result->intent = list->lines[i].tail.intent;
			result->status = (int)r.status;
			result->version = (uint32_t)r.version;
		}
		audit_record_release(&r);
	}
	list->count = n;
	return 0;
}

/* The lines in one piece. */
static char *
audit_carried_join(const struct carried_list *list, size_t *n, struct error *err)
{
	size_t i, room = 0;
	char *out;

	for (i = 0; i < list->count; i++)
		room += list->lines[i].n + 1;
	if ((out = malloc(room + 1)) == NULL) {
		error_memory(err);
		return NULL;
	}
	for (i = 0, *n = 0; i < list->count; i++) {
		memcpy(out + *n, list->lines[i].text, list->lines[i].n + 1);
		*n += list->lines[i].n + 1;
	}
	return out;
}

/* Is what stands behind the last whole line the beginning of the next one? */
static bool
continues(struct audit *a, const char *line, size_t n)
{
	uint64_t torn = audit_sink_file_torn(a->sink_file);
	uint64_t size = audit_sink_file_size(a->sink_file);
	bool same = false;
	char *text;

	if (torn == 0 || torn > n || (text = malloc((size_t)torn)) == NULL)
		return false;
	if (pread(audit_sink_file_fd(a->sink_file), text, (size_t)torn, (off_t)(size - torn)) ==
	    (ssize_t)torn)
		same = memcmp(text, line, (size_t)torn) == 0;
	free(text);
	return same;
}

static int
audit_carried_put_back(struct audit *a, const struct carried_list *list, struct error *err)
{
	const struct audit_tail *last = &list->lines[list->count - 1].tail;
	size_t n, standing;
	char *lines = audit_carried_join(list, &n, err);
	int rc = -1;

	if (lines == NULL)
		return -1;
	if (audit_sink_file_ready(a->sink_file, err) >= 0)
		rc = audit_sink_file_write(a->sink_file, lines, n, AUDIT_SYNCED, &standing, err);
	free(lines);
	if (rc == 0) {
		a->chain.seq = last->seq;
		memcpy(a->chain.hash, last->hash, MAC_BYTES);
		a->ended_well = false;
	}
	return rc;
}

/* 1: there are such that follow on ${end}; -1: it cannot be told. */
static int
audit_carried_follows(struct audit *a, const struct audit_options *o, const struct audit_chain *end,
    struct error *err)
{
	struct carried_list list = { NULL, 0, 0 };
	size_t n;
	char *journal = audit_sink_file_journal(a->sink_file, &n, err);
	int rc;

	if (journal == NULL)
		return -1;
	if (audit_carried_collect(o, journal, n, &list) != 0)
		rc = error_memory(err);
	else {
		keep_following(a, *end, &list);
		rc = list.count > 0;
	}
	free(list.lines);
	free(journal);
	return rc;
}

/* Cut off the beginning of a line that nobody was told of, as whoever reads the
 * file expects whole lines. */
static void
audit_recover_cut(struct audit *a)
{
	uint64_t torn = audit_sink_file_torn(a->sink_file);

	if (torn > 0 && a->torn_piece && audit_sink_file_cut_torn(a->sink_file) == 0)
		a->cut = torn;
}

/* Put back the lines that a crash took, from those carried and
 * from what was cut off ${behind} them; of the last commit's outcomes, which may
 * not have been written, keep the results. */
static int
audit_carried_replay(struct audit *a, const struct audit_options *o, const char *behind,
    size_t behind_n, struct error *err)
{
	struct carried_list list = { NULL, 0, 0 };
	size_t n;
	char *journal = audit_sink_file_journal(a->sink_file, &n, err);
	int rc;

	if (journal == NULL)
		return -1;
	if ((behind != NULL && add_all(&list, behind, behind_n, true) != 0) ||
	    audit_carried_collect(o, journal, n, &list) != 0)
		rc = error_memory(err);
	else {
		keep_following(a, a->chain, &list);
		if (list.count > 0 && continues(a, list.lines[0].text, list.lines[0].n))
			(void)audit_sink_file_cut_torn(a->sink_file);
		else if (list.count > 0)
			audit_recover_cut(a);
		rc = take_results(a, &list, err);
	}
	if (rc == 0 && list.count > 0)
		rc = audit_carried_put_back(a, &list, err);
	free(list.lines);
	free(journal);
	return rc;
}

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

/**
 * audit_mend(a, o, behind, n, err):
 * Is a part of the file's end not there, or not whole, that lines are carried
 * for?  Cut it off, with what stands behind it (to be freed).
 */
static int
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

/* How a file of ours begins. */
static const char beginning[] = "{" JSON_NAME("specversion") "\"1.0\"," JSON_NAME("id") "\"";

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

/* Call ${each} with every line of one file that is ours and from before this
 * start.  Its lines hold unless it says so itself. */
static int
each_line(struct search *s, struct audit_file *f,
    int (*each)(struct search *s, const struct audit_lines_line *line,
    const struct audit_tail *tail, struct error *err),
    struct error *err)
{
	struct audit_lines_line line;
	struct audit_lines *l;
	struct audit_tail tail;
	int rc, fd;

	if ((fd = audit_files_open(f, err)) < 0 ||
	    (l = audit_lines_new(fd, f->path, 0, err)) == NULL)
		return -1;
	while ((rc = audit_lines_next(l, &line, err)) == 1)
		if (line.whole && audit_chain_tail(line.text, line.len, &tail) &&
		    tail.seq <= s->audit->before && (rc = each(s, &line, &tail, err)) != 0)
			break;
	audit_lines_free(l);
	return rc;
}

/* Where may the search begin?  The last checkpoint tells. */
static int
look_for_checkpoint(struct search *s, const struct audit_lines_line *line,
    const struct audit_tail *tail, struct error *err)
{
	static const char mark[] = "," JSON_NAME("open");
	char phase[32];
	const char *open;
	uint64_t seq;

	(void)err;
	if (!audit_seal_member(line->text, line->len, PHASE_MARK, phase,
	    sizeof(phase)) || (strcmp(phase, "checkpoint") != 0 && strcmp(phase, "stop") != 0) ||
	    (open = memmem(line->text, line->len, mark, sizeof(mark) - 1)) == NULL ||
	    !audit_chain_fits(s->mac, line->text, tail))
		return 0;
	seq = strtoull(open + sizeof(mark) - 1, NULL, 10);
	s->from = seq != 0 && seq < tail->seq ? seq : tail->seq;
	return 0;
}

static int
audit_unfinished_add(struct search *s, const struct audit_lines_line *line, uint64_t seq,
    struct error *err)
{
	size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
	struct found *more;
	char *copy;

	if (s->count == s->cap) {
		if (cap > FOUND_MAX || (more = realloc(s->found, cap * sizeof(*more))) == NULL)
			return error_memory(err);
		s->found = more;
		s->cap = cap;
	}
	if ((copy = malloc(line->len)) == NULL)
		return error_memory(err);
	memcpy(copy, line->text, line->len);
	more = &s->found[s->count++];
	more->seq = seq;
	more->len = line->len;
	more->line = copy;
	return 0;
}

/* It has its outcome.  Most come soon after their intent: look from the end. */
static void
audit_unfinished_finish(struct search *s, uint64_t seq)
{
	size_t i;

	for (i = s->count; i > 0 && s->found[i - 1].seq >= seq; i--)
		if (s->found[i - 1].seq == seq) {
			free(s->found[i - 1].line);
			s->found[i - 1].line = NULL;
		}
	while (s->count > 0 && s->found[s->count - 1].line == NULL)
		s->count--;
}

static int
look_for_intent(struct search *s, const struct audit_lines_line *line,
    const struct audit_tail *tail, struct error *err)
{
	static const char denied[] = JSON_NAME("authorizationInfo") "{"
	    JSON_NAME("granted") "false";
	char phase[32], method[64];

	if (tail->seq < s->from || !audit_seal_member(line->text, line->len,
	    PHASE_MARK, phase, sizeof(phase)))
		return 0;
	if (tail->intent != 0 && strcmp(phase, "intent") != 0) {
		if (audit_chain_fits(s->mac, line->text, tail))
			audit_unfinished_finish(s, tail->intent);
		return 0;
	}
	if (strcmp(phase, "intent") != 0 || !audit_seal_member(line->text, line->len,
	    JSON_NAME("methodName") "\"secret-registry.", method, sizeof(method)) ||
	    !audit_event_changes(method) ||
	    memmem(line->text, line->len, denied, sizeof(denied) - 1) != NULL ||
	    !audit_chain_fits(s->mac, line->text, tail))
		return 0;
	return audit_unfinished_add(s, line, tail->seq, err);
}

static int
scan(struct search *s, struct error *err)
{
	size_t i = s->files.count;

	while (i > 0 && s->from == 0)
		if (each_line(s, &s->files.files[--i], look_for_checkpoint, err) != 0)
			return -1;
	/* What is open may have begun in a file before the checkpoint's. */
	while (i > 0 && (s->files.files[i].first == 0 || s->files.files[i].first > s->from))
		i--;
	for (; i < s->files.count; i++)
		if (each_line(s, &s->files.files[i], look_for_intent, err) != 0)
			return -1;
	return 0;
}

/* Let the writer count them among what is open. */
static int
adopt(struct search *s, struct error *err)
{
	struct audit *a = s->audit;
	uint64_t *seqs = NULL;
	size_t i, n = 0;

	if (s->count > 0 && (seqs = calloc(s->count, sizeof(*seqs))) == NULL)
		return error_memory(err);
	for (i = 0; i < s->count; i++)
		if (s->found[i].line != NULL)
			seqs[n++] = s->found[i].seq;
	pthread_mutex_lock(&a->lock);
	free(a->adopted);
	a->adopted = seqs;
	a->adopted_count = n;
	a->adopt = true;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
	return 0;
}

static void
audit_unfinished_show(const struct audit *a, const struct found *f,
    void (*visit)(void *cookie, const struct audit_unfinished *u), void *cookie)
{
	struct audit_unfinished u = { .seq = f->seq };
	struct audit_record r;
	size_t i;

	for (i = 0; i < a->result_count; i++) {
		if (a->results[i].intent == f->seq) {
			u.status = a->results[i].status;
			u.done = a->results[i].version;
		}
	}

	if (audit_record_read(f->line, f->len, &r)) {
		u.method = r.method;
		u.principal = r.principal;
		u.path = r.path;
		u.key = r.key;
		u.request_id = r.request_id;
		u.version = r.version > 0 && r.version <= INT32_MAX ? (uint32_t)r.version : 0;
		u.value_hmac = r.value_hmac;
		u.idempotency_hmac = r.idempotency_hmac;
		u.time = r.time;
		visit(cookie, &u);
	}
	audit_record_release(&r);
}

int
audit_unfinished(struct audit *a, void (*visit)(void *cookie, const struct audit_unfinished *u),
    void *cookie, struct error *err)
{
	struct search s = { .audit = a };
	size_t i;
	int rc = 0;

	if (a->file != NULL && a->before > 0 && !a->ended_well) {
		if ((s.mac = mac_new(a->key, AUDIT_CHAIN_PURPOSE, err)) == NULL ||
		    audit_files_list(a->file, true, &s.files, err) != 0)
			rc = -1;
		else
			rc = scan(&s, err);
	}
	if (rc == 0)
		rc = adopt(&s, err);
	for (i = 0; i < s.count; i++) {
		if (rc == 0 && s.found[i].line != NULL)
			audit_unfinished_show(a, &s.found[i], visit, cookie);
		free(s.found[i].line);
	}
	free(s.found);
	audit_files_release(&s.files);
	mac_free(s.mac);
	return rc;
}
