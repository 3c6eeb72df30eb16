#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/audit/audit_internal.h"

#define OPEN_MAX 65536U
#define KEEP_BYTES ((size_t)4 << 20)
#define KEPT 32
#define EVENTS_MAX 2

struct audit_macs {
	const struct key *key;
	const char *purpose;
	pthread_mutex_t lock;
	size_t count;
	struct mac *free[KEPT];
};

void
audit_open_set_release(struct audit_open_set *s)
{
	free(s->seqs);
	memset(s, 0, sizeof(*s));
}

static int
audit_open_set_grow(struct audit_open_set *s)
{
	size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
	uint64_t *more = cap <= OPEN_MAX ? realloc(s->seqs, cap * sizeof(*more)) : NULL;

	if (more == NULL)
		return -1;
	s->seqs = more;
	s->cap = cap;
	return 0;
}

/* Where ${seq} is or belongs. */
static size_t
audit_open_set_find(const struct audit_open_set *s, uint64_t seq)
{
	size_t low = 0, high = s->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (s->seqs[middle] < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
audit_open_set_add(struct audit_open_set *s, uint64_t seq)
{
	size_t at = audit_open_set_find(s, seq);

	if (at < s->count && s->seqs[at] == seq)
		return;
	if (s->count == s->cap && audit_open_set_grow(s) != 0) {
		if (s->forgotten == 0 || seq < s->forgotten)
			s->forgotten = seq;
		return;
	}
	memmove(s->seqs + at + 1, s->seqs + at, (s->count - at) * sizeof(*s->seqs));
	s->seqs[at] = seq;
	s->count++;
}

void
audit_open_set_remove(struct audit_open_set *s, uint64_t seq)
{
	size_t at = audit_open_set_find(s, seq);

	if (at == s->count || s->seqs[at] != seq)
		return;
	memmove(s->seqs + at, s->seqs + at + 1, (s->count - at - 1) * sizeof(*s->seqs));
	s->count--;
}

uint64_t
audit_open_set_first(const struct audit_open_set *s)
{
	uint64_t first = s->count > 0 ? s->seqs[0] : 0;

	if (s->forgotten != 0 && (first == 0 || s->forgotten < first))
		return s->forgotten;
	return first;
}

void
audit_batch_init(struct audit_batch *b)
{
	memset(b, 0, sizeof(*b));
}

void
audit_batch_release(struct audit_batch *b)
{
	free(b->bytes);
	free(b->entries);
	audit_batch_init(b);
}

void
audit_batch_clear(struct audit_batch *b)
{
	if (b->cap > KEEP_BYTES) {
		audit_batch_release(b);
		return;
	}
	b->len = 0;
	b->count = 0;
	b->lines = 0;
}

struct audit_entry *
audit_batch_entry(struct audit_batch *b)
{
	struct audit_entry *more;
	size_t cap;

	if (b->lines >= AUDIT_BATCH_LINES || b->count >= AUDIT_BATCH_LINES)
		return NULL;
	if (b->count == b->entry_cap) {
		cap = b->entry_cap == 0 ? 64 : 2 * b->entry_cap;
		if ((more = realloc(b->entries, cap * sizeof(*more))) == NULL)
			return NULL;
		b->entries = more;
		b->entry_cap = cap;
	}
	more = &b->entries[b->count++];
	memset(more, 0, sizeof(*more));
	more->at = b->len;
	return more;
}

static int
audit_batch_reserve(struct audit_batch *b, size_t n)
{
	size_t cap = b->cap == 0 ? 64U << 10 : b->cap;
	char *more;

	if (n > AUDIT_BATCH_BYTES || b->len > AUDIT_BATCH_BYTES - n)
		return -1;
	while (cap < b->len + n)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	if ((more = realloc(b->bytes, cap)) == NULL)
		return -1;
	b->bytes = more;
	b->cap = cap;
	return 0;
}

static size_t
audit_batch_padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

int
audit_batch_line(struct audit_batch *b, const struct audit_line *head, const char *bytes)
{
	if (audit_batch_reserve(b, sizeof(*head) + audit_batch_padded(head->len)) != 0)
		return -1;
	memcpy(b->bytes + b->len, head, sizeof(*head));
	memcpy(b->bytes + b->len + sizeof(*head), bytes, head->len);
	b->len += sizeof(*head) + audit_batch_padded(head->len);
	b->entries[b->count - 1].lines++;
	b->lines++;
	return 0;
}

void
audit_batch_undo(struct audit_batch *b)
{
	struct audit_entry *e = &b->entries[--b->count];

	b->len = e->at;
	b->lines -= e->lines;
}

const char *
audit_batch_next(const struct audit_batch *b, size_t *at, struct audit_line *head)
{
	const char *bytes = b->bytes + *at + sizeof(*head);

	memcpy(head, b->bytes + *at, sizeof(*head));
	*at += sizeof(*head) + audit_batch_padded(head->len);
	return bytes;
}

void
audit_batch_set_intent(struct audit_batch *b, const struct audit_entry *e, uint64_t seq)
{
	struct audit_line head;

	memcpy(&head, b->bytes + e->at, sizeof(head));
	head.intent = seq;
	memcpy(b->bytes + e->at, &head, sizeof(head));
}

int
audit_batch_copy(struct audit_batch *to, const struct audit_batch *from,
    const struct audit_entry *e)
{
	struct audit_entry *copy = audit_batch_entry(to);
	struct audit_line head;
	const char *bytes;
	size_t at = e->at;
	uint32_t i;

	if (copy == NULL)
		return -1;
	copy->keep = e->keep;
	copy->expired = e->expired;
	for (i = 0; i < e->lines; i++) {
		bytes = audit_batch_next(from, &at, &head);
		if (audit_batch_line(to, &head, bytes) != 0) {
			audit_batch_undo(to);
			return -1;
		}
	}
	return 0;
}

struct audit_macs *
audit_macs_new(const struct key *k, const char *purpose, struct error *err)
{
	struct audit_macs *m = error_alloc(sizeof(*m), err);

	if (m == NULL)
		return NULL;
	m->key = k;
	m->purpose = purpose;
	pthread_mutex_init(&m->lock, NULL);
	if ((m->free[0] = mac_new(k, purpose, err)) == NULL) {
		audit_macs_free(m);
		return NULL;
	}
	m->count = 1;
	return m;
}

void
audit_macs_free(struct audit_macs *m)
{
	if (m == NULL)
		return;
	while (m->count > 0)
		mac_free(m->free[--m->count]);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct mac *
audit_macs_take(struct audit_macs *m)
{
	struct mac *one = NULL;

	pthread_mutex_lock(&m->lock);
	if (m->count > 0)
		one = m->free[--m->count];
	pthread_mutex_unlock(&m->lock);
	return one != NULL ? one : mac_new(m->key, m->purpose, NULL);
}

void
audit_macs_give(struct audit_macs *m, struct mac *one)
{
	pthread_mutex_lock(&m->lock);
	if (m->count < KEPT) {
		m->free[m->count++] = one;
		one = NULL;
	}
	pthread_mutex_unlock(&m->lock);
	mac_free(one);
}

/* The lines of one audit_submit: static, as clearing them would take longer
 * than writing them. */
static _Thread_local char bodies[EVENTS_MAX][AUDIT_EVENT_MAX];

struct audit_line
audit_line_of(const struct audit_event *e, size_t len)
{
	struct audit_line head = { .len = (uint32_t)len, .kind = AUDIT_LINE_OTHER,
	    .intent = e->intent };

	if (e->phase != AUDIT_INTENT)
		head.kind = AUDIT_LINE_ENDS;
	else if (audit_event_changes(e->method) && !(e->authorization && !e->granted))
		head.kind = AUDIT_LINE_BEGINS;
	return head;
}

/*
 * Must it be written also when it comes too late for those who wait?  What a
 * change came to must, and what nobody waits for; a line about something that
 * was then refused need not.
 */
static bool
must_keep(const struct audit_event *events, const struct audit_wait *w)
{
	if (w == NULL)
		return true;
	return events[0].phase != AUDIT_INTENT && audit_event_changes(events[0].method);
}

/* The lock is held. */
static int
audit_submit_append(struct audit *a, const struct audit_line *heads, size_t n, struct audit_wait *w,
    bool keep)
{
	struct audit_entry *e;
	size_t i;

	if (a->writer_done || ((a->failing || a->stuck) && !keep) ||
	    a->pending->lines + n > AUDIT_BATCH_LINES)
		return -1;
	if ((e = audit_batch_entry(a->pending)) == NULL)
		return -1;
	e->wait = w;
	e->deadline = w != NULL ? w->deadline : 0;
	e->keep = keep;
	for (i = 0; i < n; i++)
		if (audit_batch_line(a->pending, &heads[i], bodies[i]) != 0) {
			audit_batch_undo(a->pending);
			return -1;
		}
	return 0;
}

void
audit_wake(struct audit *a)
{
	bool wake;

	pthread_mutex_lock(&a->lock);
	wake = a->asleep;
	a->asleep = false;
	pthread_mutex_unlock(&a->lock);
	if (wake)
		pthread_cond_signal(&a->work);
}

void
audit_submit(struct audit *a, const struct audit_event *events, size_t n, struct audit_wait *w)
{
	struct audit_line heads[EVENTS_MAX];
	bool keep = must_keep(events, w);
	bool wake = false;
	size_t i;

	for (i = 0; i < n && i < EVENTS_MAX; i++)
		heads[i] = audit_line_of(&events[i], audit_event_write(a->style, &events[i], NULL,
		    bodies[i]));
	if (w != NULL) {
		w->failed = 0;
		w->seq = 0;
		w->next = NULL;
		w->deadline = audit_now() + a->deadline_ms;
	}
	pthread_mutex_lock(&a->lock);
	if (audit_submit_append(a, heads, i, w, keep) == 0) {
		wake = a->asleep && (w == NULL || !w->lazy);
		a->asleep = a->asleep && !wake;
		pthread_mutex_unlock(&a->lock);
		if (wake)
			pthread_cond_signal(&a->work);
		return;
	}
	a->lost += i;
	a->counts.failures++;
	if (w != NULL) {
		/* Told by the watch: the caller may not expect it before we return. */
		w->failed = 1;
		w->next = a->refused;
		a->refused = w;
		pthread_cond_signal(&a->tick);
	}
	pthread_mutex_unlock(&a->lock);
}
