#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/audit/audit_event.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_lines.h"
#include "registry/audit/audit_record.h"
#include "registry/audit/audit_seal.h"

#define FOUND_MAX 1000000U
#define PHASE_MARK JSON_NAME("request") "{" JSON_NAME("phase") "\""

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

/* Call ${each} with every line of one file that is ours and from before this
 * start.  Its lines hold unless it says so itself. */
static int
each_line(struct search *s, struct audit_file *f, int (*each)(struct search *s,
    const struct audit_lines_line *line, const struct audit_tail *tail, struct error *err),
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
audit_unfinished(struct audit *a, void (*visit)(void *cookie,
    const struct audit_unfinished *u), void *cookie, struct error *err)
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
