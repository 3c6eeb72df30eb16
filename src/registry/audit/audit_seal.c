#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/audit/audit_commit.h"
#include "registry/audit/audit_event.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_seal.h"
#include "registry/audit/audit_sink_file.h"
#include "registry/audit/audit_text.h"

#define CHECKPOINT_BYTES ((uint64_t)4 << 20)
#define OUT_KEEP ((size_t)8 << 20)
#define OWN_AT_ONCE 4		/* lines made by seal_own in one write */

static int
audit_seal_reserve(struct audit *a, size_t n, struct error *err)
{
	char *more;

	/* Memory of a burst is given back. */
	if (a->out_cap > OUT_KEEP && n < OUT_KEEP / 2) {
		free(a->out);
		a->out = NULL;
		a->out_cap = 0;
	}
	if (n <= a->out_cap)
		return 0;
	if ((more = realloc(a->out, n + n / 2)) == NULL)
		return error_memory(err);
	a->out = more;
	a->out_cap = n + n / 2;
	return 0;
}

static int
seal_own(struct audit *a, const struct audit_own *own, struct audit_text *out,
    struct error *err)
{
	struct audit_event e = { .phase = AUDIT_OUTCOME };
	size_t n = audit_event_write(a->style, &e, own, a->own_body);

	return audit_chain_seal(&a->chain, a->mac, a->id, a->own_body, n, 0, out, err);
}

int
audit_seal_batch(struct audit *a, struct audit_batch *b, struct audit_text *out,
    struct error *err)
{
	struct audit_entry *e;
	struct audit_line head;
	const char *body;
	uint64_t intent;
	size_t i, at;
	uint32_t j;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		e->seq = e->lines > 0 ? a->chain.seq + 1 : 0;
		at = e->at;
		for (j = 0; j < e->lines; j++) {
			body = audit_batch_next(b, &at, &head);
			intent = head.intent;
			if (intent == 0 && j > 0 && head.kind == AUDIT_LINE_ENDS)
				intent = e->seq;
			if (audit_chain_seal(&a->chain, a->mac, a->id, body, head.len, intent, out,
			    err) != 0)
				return -1;
		}
	}
	return 0;
}

static int
seal_news(struct audit *a, bool resumed, uint64_t lost, struct audit_text *out,
    struct error *err)
{
	uint64_t torn = a->sink_file != NULL ? audit_sink_file_torn(a->sink_file) : 0;
	struct audit_own torn_own = { .phase = "torn", .has_count = true, .count = torn,
	    .message = "bytes of lines that were not written as a whole stand before this" };
	struct audit_own cut_own = { .phase = "torn", .has_count = true, .count = a->cut,
	    .message = "bytes of a line that was not written as a whole were cut off here" };
	struct audit_own resumed_own = { .phase = "resumed", .has_count = true, .count = lost,
	    .message = "the audit log can be written again; so many events were refused" };

	if (torn > 0 && seal_own(a, &torn_own, out, err) != 0)
		return -1;
	if (a->cut > 0 && seal_own(a, &cut_own, out, err) != 0)
		return -1;
	if ((resumed || lost > 0) && seal_own(a, &resumed_own, out, err) != 0)
		return -1;
	return 0;
}

/* Where a later start need not look before, with the last line or now and then. */
static int
seal_checkpoint(struct audit *a, bool last, struct audit_text *out, struct error *err)
{
	struct audit_own own = { .phase = last ? "stop" : "checkpoint",
	    .has_open = a->open_known, .open = audit_open_set_first(&a->open) };

	if (!last && (!a->open_known ||
	    (!a->want_checkpoint && a->since_checkpoint < CHECKPOINT_BYTES)))
		return 0;
	a->want_checkpoint = false;
	a->since_checkpoint = 0;
	return seal_own(a, &own, out, err);
}

int
audit_seal_all(struct audit *a, struct audit_commit *c, bool resumed, uint64_t lost, bool last,
    size_t *n, struct error *err)
{
	size_t lines = a->own.lines + a->inflight->lines + audit_commit_lines(c) + OWN_AT_ONCE;
	struct audit_text out;

	if (audit_seal_reserve(a, a->own.len + a->inflight->len + audit_commit_bytes(c) +
	    OWN_AT_ONCE * (size_t)AUDIT_EVENT_MAX + lines * AUDIT_CHAIN_EXTRA, err) != 0)
		return -1;
	out = (struct audit_text){ a->out, a->out + a->out_cap };
	if (seal_news(a, resumed, lost, &out, err) != 0 ||
	    audit_seal_batch(a, &a->own, &out, err) != 0 ||
	    seal_checkpoint(a, false, &out, err) != 0 ||
	    audit_seal_batch(a, a->inflight, &out, err) != 0 ||
	    (c != NULL && audit_commit_seal(a, c, &out, err) != 0))
		return -1;
	if (last) {
		audit_seal_track(a);
		if (seal_checkpoint(a, true, &out, err) != 0)
			return -1;
	}
	*n = (size_t)(out.at - a->out);
	return 0;
}

void
audit_seal_track_batch(struct audit *a, const struct audit_batch *b)
{
	const struct audit_entry *e;
	struct audit_line head;
	size_t i, at;
	uint32_t j;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		at = e->at;
		for (j = 0; j < e->lines; j++) {
			audit_batch_next(b, &at, &head);
			if (head.kind == AUDIT_LINE_BEGINS)
				audit_open_set_add(&a->open, e->seq + j);
			else if (head.kind == AUDIT_LINE_ENDS)
				audit_open_set_remove(&a->open, head.intent != 0 ? head.intent :
				    e->seq);
		}
	}
}

void
audit_seal_track(struct audit *a)
{
	audit_seal_track_batch(a, &a->own);
	audit_seal_track_batch(a, a->inflight);
}

bool
audit_seal_member(const char *body, size_t n, const char *mark, char *out, size_t size)
{
	const char *from = memmem(body, n, mark, strlen(mark));
	const char *end;

	if (from == NULL)
		return false;
	from += strlen(mark);
	end = memchr(from, '"', n - (size_t)(from - body));
	if (end == NULL || (size_t)(end - from) >= size)
		return false;
	memcpy(out, from, (size_t)(end - from));
	out[end - from] = '\0';
	return true;
}
