#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_record.h"
#include "registry/audit/audit_sink_file.h"

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

int
audit_carried_follows(struct audit *a, const struct audit_options *o,
    const struct audit_chain *end, struct error *err)
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

int
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
