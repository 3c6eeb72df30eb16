#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/time.h"
#include "crypto/key.h"
#include "registry/audit/audit.h"
#include "registry/audit/audit_internal.h"
#include "registry/base/clock.h"
#include "registry/database/database.h"

#define DEADLINE_DEFAULT_MS 5000U
#define VALUE_PURPOSE "audit value"
#define WORDS_MAX 8192
#define KEEP_BYTES ((size_t)4 << 20)	/* of a batch's memory, from one to the next */
#define KEPT_LINES_MAX 16384U	/* until they can be written */
#define WATCH_MS 125
#define PRUNE_STEP 2000U	/* lines that go from the table at once */
#define NOTE_STEP 1000U		/* ... after which it is noted how far exports have come */

uint64_t
audit_now(void)
{
	return clock_ns() / 1000000;
}

void
audit_wait_until(struct audit *a, pthread_cond_t *c, uint64_t ms)
{
	struct timespec until = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)pthread_cond_timedwait(c, &a->lock, &until);
}

/* Set (NULL: clear) what audit_unready or audit_behind says.  The texts stay where
 * they are, for those who hold one.  The lock is held. */
static void
set_reason(struct audit *a, const char *_Atomic *where, const char *reason)
{
	size_t i;

	if (reason == NULL) {
		atomic_store(where, NULL);
		return;
	}
	for (i = 0; i < AUDIT_REASONS && a->reasons[i][0] != '\0'; i++)
		if (strcmp(a->reasons[i], reason) == 0)
			break;
	if (i < AUDIT_REASONS && a->reasons[i][0] == '\0')
		snprintf(a->reasons[i], AUDIT_REASON_MAX, "%s", reason);
	atomic_store(where, i < AUDIT_REASONS ? a->reasons[i] :
	    "the audit log cannot be written");
}

const char *
audit_unready(struct audit *a)
{
	return atomic_load(&a->unready);
}

const char *
audit_behind(struct audit *a)
{
	return atomic_load(&a->behind);
}

void
audit_tell(struct audit_wait *list)
{
	struct audit_wait *w;

	while ((w = list) != NULL) {
		list = w->next;
		w->done(w);
	}
}

/* --- batches --- */

static void
batch_clear(struct audit_batch *b)
{
	b->count = b->lines = 0;
	if (b->bytes.cap > KEEP_BYTES)
		buf_release(&b->bytes);
	buf_clear(&b->bytes);
}

static void
batch_release(struct audit_batch *b)
{
	free(b->entries);
	buf_release(&b->bytes);
}

/* A new entry without lines; NULL: no memory or full. */
static struct audit_entry *
batch_entry(struct audit_batch *b)
{
	struct audit_entry *more;

	if (b->lines >= AUDIT_BATCH_LINES)
		return NULL;
	if (b->count == b->cap) {
		more = reallocarray(b->entries, b->cap > 0 ? 2 * b->cap : 64, sizeof(*more));
		if (more == NULL)
			return NULL;
		b->entries = more;
		b->cap = b->cap > 0 ? 2 * b->cap : 64;
	}
	b->entries[b->count] = (struct audit_entry){ .at = b->bytes.len };
	return &b->entries[b->count++];
}

/* Copy an entry to the end of another batch, without its wait.  false: no room. */
static bool
batch_copy(struct audit_batch *to, const struct audit_batch *from, const struct audit_entry *e)
{
	struct audit_entry *copy = to->lines < KEPT_LINES_MAX ? batch_entry(to) : NULL;
	size_t at = to->bytes.len;

	if (copy == NULL)
		return false;
	*copy = *e;
	copy->at = at;
	copy->wait = NULL;
	copy->of_change = false;
	buf_append(&to->bytes, from->bytes.data + e->at, e->len[0] + e->len[1] + e->row);
	if (to->bytes.failed) {
		to->bytes.failed = false;
		buf_truncate(&to->bytes, at);
		to->count--;
		return false;
	}
	to->lines += e->lines;
	return true;
}

/* The lines of one submission: static, as clearing them would take longer than
 * writing them. */
static _Thread_local char bodies[AUDIT_EVENTS_MAX][AUDIT_EVENT_MAX];

/* Does it end an intent that was on record before? */
static bool
is_kept(const struct audit_event *e)
{
	return e->phase == AUDIT_OUTCOME && e->intent != 0;
}

/* Put events into the batch that waits.  NULL: no room.  The lock is held, and
 * the bodies are written. */
static struct audit_entry *
put_events(struct audit *a, const struct audit_event *events, size_t n, int64_t time_ms,
    const size_t len[AUDIT_EVENTS_MAX])
{
	struct audit_batch *b = a->pending;
	struct audit_entry *e = batch_entry(b);
	size_t at = b->bytes.len;

	if (e == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		e->len[i] = (uint32_t)len[i];
		buf_append(&b->bytes, bodies[i], len[i]);
	}
	audit_row_encode(events, n, time_ms, &b->bytes);
	if (b->bytes.failed) {
		b->bytes.failed = false;
		buf_truncate(&b->bytes, at);
		b->count--;
		return NULL;
	}
	e->row = (uint32_t)(b->bytes.len - at - len[0] - (n > 1 ? len[1] : 0));
	e->lines = (uint32_t)n;
	e->intent = events[0].intent;
	e->keep = is_kept(&events[0]);
	e->own = events[0].own != NULL;
	b->lines += n;
	return e;
}

/* Of an intent and an outcome that become durable together the outcome alone, with what was
 * decided and where it came from. */
static size_t
join_events(const struct audit *a, const struct audit_event **events, size_t n,
    struct audit_event *joint)
{
	if (!a->compact || n != 2)
		return n;
	*joint = (*events)[1];
	joint->authorization = (*events)[0].authorization;
	joint->via = (*events)[0].via;
	joint->change = (*events)[0].change;
	*events = joint;
	return 1;
}

static int64_t
write_bodies(struct audit *a, const struct audit_event *events, size_t n,
    size_t len[AUDIT_EVENTS_MAX])
{
	int64_t time_ms = time_now();

	for (size_t i = 0; i < n; i++)
		len[i] = audit_event_write(a->style, &events[i], time_ms, bodies[i]);
	return time_ms;
}

void
audit_submit(struct audit *a, const struct audit_event *events, size_t n, struct audit_wait *w)
{
	bool refused = atomic_load(&a->unready) != NULL && !is_kept(&events[0]) &&
	    events[0].own == NULL;
	struct audit_entry *e = NULL;
	struct audit_event joint;
	size_t len[AUDIT_EVENTS_MAX] = { 0 };
	bool lazy = w != NULL && w->lazy;
	int64_t time_ms;

	n = join_events(a, &events, n, &joint);
	if (!refused) {
		time_ms = write_bodies(a, events, n, len);
		pthread_mutex_lock(&a->lock);
		e = put_events(a, events, n, time_ms, len);
		if (e != NULL && w != NULL) {
			e->wait = w;
			e->deadline = audit_now() + a->deadline_ms;
		}
		if (e != NULL)
			atomic_fetch_add(&a->waiting, 1);
		a->lost += e == NULL ? n : 0;
		pthread_mutex_unlock(&a->lock);
	}
	if (e != NULL) {
		if (!lazy)
			a->wake(a->wake_cookie);
		return;
	}
	if (refused) {
		pthread_mutex_lock(&a->lock);
		a->lost += n;
		a->counts.failures++;
		pthread_mutex_unlock(&a->lock);
	}
	if (w != NULL) {
		w->failed = 1;
		w->seq = 0;
		w->done(w);
	}
}

size_t
audit_waiting(const struct audit *a)
{
	return atomic_load(&a->waiting);
}

int
audit_add(struct audit *a, const struct audit_event *events, size_t n, struct audit_wait *w,
    struct error *err)
{
	size_t len[AUDIT_EVENTS_MAX];
	struct audit_event joint;
	struct audit_entry *e;
	const char *why = audit_unready(a);
	int64_t time_ms;

	if (why != NULL)
		return error_set(err, ERROR_IO, "the audit log cannot be written: %s", why);
	n = join_events(a, &events, n, &joint);
	time_ms = write_bodies(a, events, n, len);
	pthread_mutex_lock(&a->lock);
	e = put_events(a, events, n, time_ms, len);
	if (e != NULL) {
		e->wait = w;
		e->of_change = true;
		e->deadline = UINT64_MAX;
	}
	pthread_mutex_unlock(&a->lock);
	return e != NULL ? 0 : error_memory(err);
}

/* One of the log's own, to be written with the next. */
static void
put_own(struct audit *a, const struct audit_event *e)
{
	audit_submit(a, e, 1, NULL);
}

/* --- writing --- */

/* The first row of this start brings its words. */
static int
write_start(struct audit *a, struct error *err)
{
	const char *path = database_path(a->db);
	sqlite3 *db = database_writer(a->db);
	sqlite3_stmt *s;
	int64_t number = 0;
	int result = -1;

	if (a->insert == NULL && (a->insert = database_prepare(db,
	    "INSERT INTO audit VALUES(?,?,?,?,?)", path, err)) == NULL)
		return -1;
	if (a->prune == NULL && (a->prune = database_prepare(db,
	    "DELETE FROM audit WHERE seq<?", path, err)) == NULL)
		return -1;
	if ((s = database_prepare(db, "SELECT max(number) FROM start", path, err)) == NULL)
		return -1;
	result = database_number(s, &number, path, err);
	(void)sqlite3_finalize(s);
	if (result == -1 || (s = database_prepare(db, "INSERT INTO start VALUES(?,?)", path,
	    err)) == NULL)
		return -1;
	database_bind(s, "ib", number + 1, a->words.data, a->words.len);
	result = database_run(s, path, err);
	(void)sqlite3_finalize(s);
	a->start = number + 1;
	/* What this log goes on from was written by another edition. */
	if (result == 0 && a->adopted)
		result = audit_adopt(db, path, a->before.seq, a->before.hash, err);
	return result;
}

/* Lines that nobody needs any more go from the table, many at a time. */
static int
prune(struct audit *a, struct error *err)
{
	uint64_t needed;

	if (a->before.seq >= a->noted + NOTE_STEP) {
		a->noted = a->before.seq;
		if (audit_sinks_note(a, err) == -1)
			return -1;
	}
	pthread_mutex_lock(&a->lock);
	needed = audit_sinks_durable(a);
	pthread_mutex_unlock(&a->lock);
	if (needed > a->before.seq)
		needed = a->before.seq;
	needed = needed > AUDIT_KEPT_LINES ? needed - AUDIT_KEPT_LINES : 0;
	if (a->first == 0 || needed < a->first + PRUNE_STEP)
		return 0;
	database_bind(a->prune, "i", (int64_t)needed);
	if (database_run(a->prune, database_path(a->db), err) == -1)
		return -1;
	a->first = needed;
	return 0;
}

/* Seal an entry's lines, and write its row. */
static int
write_entry(struct audit *a, const struct audit_batch *b, struct audit_entry *e,
    struct error *err)
{
	const char *body = (const char *)b->bytes.data + e->at;
	struct audit_text out;

	if (buf_reserve(&a->out, e->len[0] + e->len[1] + (size_t)2 * AUDIT_CHAIN_EXTRA) == -1)
		return buf_check(&a->out, err);
	out = (struct audit_text){ (char *)a->out.data + a->out.len,
	    (char *)a->out.data + a->out.cap };
	e->seq = a->chain.seq + 1;
	for (uint32_t i = 0; i < e->lines; body += e->len[i++]) {
		if (audit_chain_seal(&a->chain, a->mac, audit_style_id(a->style), body, e->len[i],
		    i > 0 ? e->seq : e->intent, &out, err) == -1)
			return -1;
	}
	a->out.len = (size_t)(out.at - (char *)a->out.data);
	database_bind(a->insert, "iiibb", (int64_t)e->seq, a->start, (int64_t)e->lines, body,
	    (size_t)e->row, a->chain.hash, (size_t)MAC_BYTES);
	return database_run(a->insert, database_path(a->db), err);
}

/* Swap, and let those go of which the wait was told that it failed. */
static void
take_pending(struct audit *a)
{
	struct audit_batch *b;

	pthread_mutex_lock(&a->lock);
	b = a->pending;
	a->pending = a->inflight;
	a->inflight = b;
	for (size_t i = 0; a->some_expired && i < b->count; i++) {
		struct audit_entry *e = &b->entries[i];

		if (e->expired && !e->keep) {
			a->lost += e->lines;
			e->lines = 0;
		}
	}
	a->some_expired = false;
	a->told_lost = a->lost;
	atomic_store(&a->waiting, 0);
	pthread_mutex_unlock(&a->lock);
}

static int
write_batch(struct audit *a, struct audit_batch *b, struct error *err)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->entries[i].lines > 0 && write_entry(a, b, &b->entries[i], err) == -1)
			return -1;
	}
	return 0;
}

int
audit_write(struct audit *a, struct error *err)
{
	struct audit_event resumed = { .own = "resumed", .phase = AUDIT_OUTCOME, .has_count = true,
	    .message = "the audit log can be written again; so many events were refused" };

	/* Should this fail too, it is told again. */
	pthread_mutex_lock(&a->lock);
	resumed.count = a->lost;
	pthread_mutex_unlock(&a->lock);
	if (resumed.count > 0)
		put_own(a, &resumed);
	take_pending(a);
	if (a->inflight->count == 0 && a->kept.count == 0)
		return 0;
	if ((a->start == 0 && write_start(a, err) == -1) || prune(a, err) == -1 ||
	    write_batch(a, &a->kept, err) == -1)
		return -1;
	return write_batch(a, a->inflight, err);
}

/* --- once it is committed, or not --- */

/* Room for ${n} bytes in the newest chunk, or in a new one.  NULL: no memory. */
static struct audit_chunk *
chunk_for(struct audit *a, uint64_t first, size_t n)
{
	struct audit_chunk *c = a->chunks != NULL ? a->newest : NULL;
	size_t cap = n > AUDIT_CHUNK_BYTES ? n : AUDIT_CHUNK_BYTES;

	if (c != NULL && c->cap - c->n >= n)
		return c;
	if ((c = malloc(sizeof(*c) + cap)) == NULL)
		return NULL;
	*c = (struct audit_chunk){ .first = first, .users = 1, .cap = cap };
	*(a->chunks != NULL ? &a->newest->next : &a->chunks) = c;
	a->newest = c;
	a->chunks_bytes += cap;
	return c;
}

/* Give the lines to the exports.  The lock is held. */
static void
put_chunk(struct audit *a, uint64_t first)
{
	struct audit_chunk *c = chunk_for(a, first, a->out.len), *old;

	if (c != NULL) {
		memcpy(c->text + c->n, a->out.data, a->out.len);
		c->n += a->out.len;
		c->last = a->chain.seq;
	}
	/* Without it they are read from the table, as what is older. */
	while (a->chunks != NULL && (c == NULL || (a->chunks_bytes > AUDIT_CHUNKS_BYTES &&
	    a->chunks->next != NULL))) {
		old = a->chunks;
		a->chunks = old->next;
		a->chunks_bytes -= old->cap;
		if (--old->users == 0)
			free(old);
	}
	a->head = a->chain.seq;
}

/* The line is in the log, but who submitted it was refused: end its intent. */
static void
put_abandoned(struct audit *a, const struct audit_batch *b, const struct audit_entry *e)
{
	const char *body = (const char *)b->bytes.data + e->at;
	char method[64], request[80];
	struct audit_event event = { .own = "abandoned", .phase = AUDIT_OUTCOME, .status = 503,
	    .intent = e->seq, .message = "not written in time: the request was refused" };

	if (audit_line_member(body, e->len[0], JSON_NAME("methodName") "\"secret-registry.", method,
	    sizeof(method)))
		event.method = method;
	if (audit_line_member(body, e->len[0], JSON_NAME("requestId") "[\"", request,
	    sizeof(request)))
		event.request_id = request;
	put_own(a, &event);
}

static void
after_commit(struct audit *a)
{
	struct audit_batch *b = a->inflight;
	struct audit_wait *list, *w;
	struct audit_entry *e;
	size_t i;

	pthread_mutex_lock(&a->lock);
	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		if ((w = e->wait) == NULL)
			continue;
		w->seq = e->seq;
		w->last = e->seq + e->lines - 1;
		w->failed = 0;
		w->deadline = e->of_change ? audit_now() + a->deadline_ms : e->deadline;
		w->next = NULL;
		*a->told_last = w;
		a->told_last = &w->next;
		e->wait = NULL;
	}
	a->counts.lines += a->chain.seq - a->before.seq;
	a->counts.batches += a->chain.seq > a->before.seq;
	a->lost -= a->told_lost;
	a->writer_stuck = false;
	if (a->chain.seq > a->before.seq)
		put_chunk(a, a->before.seq + 1);
	list = audit_settle(a);
	pthread_mutex_unlock(&a->lock);
	pthread_cond_broadcast(&a->news);
	if (a->first == 0 && a->chain.seq > a->before.seq)
		a->first = a->before.seq + 1;
	a->before = a->chain;
	a->started |= a->start != 0;
	for (i = 0; i < b->count; i++) {
		if (b->entries[i].expired && b->entries[i].lines > 0 && !b->entries[i].keep)
			put_abandoned(a, b, &b->entries[i]);
	}
	batch_clear(&a->kept);
	audit_tell(list);
}

static void
after_rollback(struct audit *a)
{
	struct audit_batch *b = a->inflight;
	struct audit_wait *list = NULL, **last = &list;
	struct audit_entry *e;
	uint64_t lost = 0;
	size_t i;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		if (!e->of_change && (!e->keep || !batch_copy(&a->kept, b, e)) && !e->own)
			lost += e->lines;
	}
	pthread_mutex_lock(&a->lock);
	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		if (e->wait == NULL || e->of_change)
			continue;
		e->wait->failed = 1;
		e->wait->seq = 0;
		e->wait->next = NULL;
		*last = e->wait;
		last = &e->wait->next;
		a->counts.failures++;
	}
	a->lost += lost;
	pthread_mutex_unlock(&a->lock);
	a->chain = a->before;
	if (!a->started)
		a->start = 0;
	audit_tell(list);
}

void
audit_written(struct audit *a, bool committed)
{
	if (committed)
		after_commit(a);
	else
		after_rollback(a);
	buf_clear(&a->out);
	if (a->out.cap > KEEP_BYTES)
		buf_release(&a->out);
	pthread_mutex_lock(&a->lock);
	batch_clear(a->inflight);
	pthread_mutex_unlock(&a->lock);
}

/* --- those who wait --- */

/* What audit_unready and audit_behind say now.  The lock is held. */
static void
judge(struct audit *a)
{
	char late[AUDIT_REASON_MAX];
	const char *unready, *behind;

	audit_sinks_reasons(a, &unready, &behind);
	if (unready == NULL && (a->writer_stuck || a->export_stuck)) {
		snprintf(late, sizeof(late), "the audit log has not taken an event within %u ms",
		    a->deadline_ms);
		unready = late;
	}
	set_reason(a, &a->unready, unready);
	set_reason(a, &a->behind, behind);
}

struct audit_wait *
audit_settle(struct audit *a)
{
	uint64_t required = audit_sinks_required(a), now = audit_now();
	struct audit_wait *list = NULL, **last = &list, *w;

	while ((w = a->told) != NULL && (w->last <= required || w->deadline <= now)) {
		a->told = w->next;
		if (w->last > required) {
			w->failed = 1;
			a->counts.failures++;
			a->export_stuck = true;
		}
		w->next = NULL;
		*last = w;
		last = &w->next;
	}
	if (a->told == NULL)
		a->told_last = &a->told;
	if (required >= a->head)
		a->export_stuck = false;
	judge(a);
	return list;
}

/* Take the waits whose time is over out of a batch, and put them before
 * ${list}.  ${*next} becomes the earliest deadline of the others. */
static struct audit_wait *
expire(struct audit *a, struct audit_batch *b, uint64_t now, uint64_t *next,
    struct audit_wait *list)
{
	struct audit_entry *e;

	for (size_t i = 0; i < b->count; i++) {
		e = &b->entries[i];
		if (e->wait == NULL || e->of_change)
			continue;
		if (e->deadline > now) {
			if (e->deadline < *next)
				*next = e->deadline;
			continue;
		}
		e->wait->failed = 1;
		e->wait->next = list;
		list = e->wait;
		e->wait = NULL;
		e->expired = true;
		a->counts.failures++;
		a->some_expired = a->writer_stuck = true;
	}
	return list;
}

static void *
watch_run(void *audit)
{
	struct audit *a = audit;
	struct audit_wait *list, *late;
	uint64_t now, next;

	pthread_mutex_lock(&a->lock);
	while (!a->watch_stop) {
		now = audit_now();
		/* Often enough that nobody need wake it. */
		next = now + WATCH_MS;
		list = expire(a, a->pending, now, &next, NULL);
		list = expire(a, a->inflight, now, &next, list);
		late = audit_settle(a);
		if (list != NULL || late != NULL) {
			pthread_mutex_unlock(&a->lock);
			audit_tell(list);
			audit_tell(late);
			pthread_mutex_lock(&a->lock);
			continue;
		}
		audit_wait_until(a, &a->tick, next);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* --- opening and closing --- */

static void
audit_free(struct audit *a)
{
	audit_sinks_free(a);
	while (a->chunks != NULL) {
		struct audit_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	batch_release(&a->batches[0]);
	batch_release(&a->batches[1]);
	batch_release(&a->kept);
	(void)sqlite3_finalize(a->insert);
	(void)sqlite3_finalize(a->prune);
	mac_free(a->value_mac);
	mac_free(a->mac);
	key_free(a->key);
	audit_style_free(a->style);
	buf_release(&a->words);
	buf_release(&a->out);
	pthread_cond_destroy(&a->tick);
	pthread_cond_destroy(&a->news);
	pthread_cond_destroy(&a->ended);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->mac_lock);
	free(a->file);
	free(a);
}

static void
init_parts(struct audit *a)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->mac_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->tick, &attr);
	pthread_cond_init(&a->news, &attr);
	pthread_cond_init(&a->ended, &attr);
	pthread_condattr_destroy(&attr);
	buf_init(&a->batches[0].bytes, AUDIT_BATCH_BYTES);
	buf_init(&a->batches[1].bytes, AUDIT_BATCH_BYTES);
	buf_init(&a->kept.bytes, AUDIT_BATCH_BYTES);
	buf_init(&a->words, WORDS_MAX);
	buf_init(&a->out, 2 * AUDIT_BATCH_BYTES);
	a->pending = &a->batches[0];
	a->inflight = &a->batches[1];
	a->told_last = &a->told;
}

static int
init_keys(struct audit *a, const struct audit_options *o, const struct key *k, struct error *err)
{
	unsigned char noise[AUDIT_CHAIN_ID / 2];
	char id[AUDIT_CHAIN_ID];

	if ((a->key = key_copy(k, err)) == NULL ||
	    (a->mac = mac_new(a->key, AUDIT_CHAIN_PURPOSE, err)) == NULL ||
	    (a->value_mac = mac_new(a->key, VALUE_PURPOSE, err)) == NULL ||
	    random_bytes(noise, sizeof(noise), err) != 0)
		return -1;
	hex_text(noise, sizeof(noise), id);
	a->style = audit_style_new(o, id, &a->words, err);
	return a->style != NULL ? 0 : -1;
}

/* The chain's end in the table, and its beginning. */
static int
read_table(struct audit *a, struct error *err)
{
	const char *path = database_path(a->db);
	sqlite3 *db = database_reader(a->db, err);
	sqlite3_stmt *s = NULL;
	bool gone = false;
	size_t n;
	const void *hash;
	int found = -1;

	if (db != NULL && (s = database_prepare(db, "SELECT seq,lines,hash,(SELECT min(seq) "
	    "FROM audit) FROM audit ORDER BY seq DESC LIMIT 1", path, err)) != NULL &&
	    (found = database_next(s, path, err)) == 1) {
		a->chain.seq = (uint64_t)(sqlite3_column_int64(s, 0) +
		    sqlite3_column_int64(s, 1)) - 1;
		hash = database_blob(s, 2, &n);
		memcpy(a->chain.hash, hash, n < MAC_BYTES ? n : MAC_BYTES);
		a->first = (uint64_t)sqlite3_column_int64(s, 3);
	}
	(void)sqlite3_finalize(s);
	if (found == 0)
		found = audit_table_gone(db, path, &gone, err);
	if (gone)
		found = database_damaged(path, "the audit log is gone from the database", err);
	(void)sqlite3_close(db);
	return found == -1 ? -1 : 0;
}

/* Nobody knows whether it was done. */
static void
put_recovered(void *cookie, uint64_t seq, const struct audit_event *intent)
{
	struct audit_event e = *intent;

	e.own = "recovered";
	e.phase = AUDIT_OUTCOME;
	e.authorization = false;
	e.intent = seq;
	e.status = 503;
	e.message = "the service ended before its outcome was known";
	put_own(cookie, &e);
}

static int
recover(struct audit *a, struct error *err)
{
	sqlite3 *db = database_reader(a->db, err);
	int rc = db != NULL ? audit_rows_unfinished(db, database_path(a->db), put_recovered, a,
	    err) : -1;

	(void)sqlite3_close(db);
	return rc;
}

struct audit *
audit_open(const struct audit_options *o, const struct key *k, struct error *err)
{
	struct audit_event start = { .own = "start", .phase = AUDIT_OUTCOME,
	    .message = "propseal " PROPSEAL_VERSION };
	struct audit *a = error_alloc(sizeof(*a), err);
	sigset_t all, old;
	int rc;

	if (a == NULL)
		return NULL;
	init_parts(a);
	a->db = o->db;
	a->wake = o->wake;
	a->wake_cookie = o->wake_cookie;
	a->compact = o->compact;
	a->deadline_ms = o->deadline_ms > 0 ? o->deadline_ms : DEADLINE_DEFAULT_MS;
	if (o->file != NULL && (a->file = strdup(o->file)) == NULL) {
		error_memory(err);
		goto fail;
	}
	if (init_keys(a, o, k, err) == -1 || read_table(a, err) == -1 ||
	    audit_sinks_open(a, o, err) == -1)
		goto fail;
	a->before = a->chain;
	a->head = a->noted = a->chain.seq;
	/* Signals are for other threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&a->watch, NULL, watch_run, a);
	if (rc != 0) {
		errno = rc;
		error_io(err, NULL, "cannot start a thread");
	} else if ((rc = audit_sinks_start(a, err)) != 0) {
		(void)audit_sinks_end(a);
		pthread_mutex_lock(&a->lock);
		a->watch_stop = true;
		pthread_cond_signal(&a->tick);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->watch, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		goto fail;
	put_own(a, &start);
	if (recover(a, err) == 0)
		return a;
	(void)audit_close(a);
	return NULL;
fail:
	audit_free(a);
	return NULL;
}

void
audit_stop(struct audit *a)
{
	struct audit_event stop = { .own = "stop", .phase = AUDIT_OUTCOME };

	if (a != NULL)
		put_own(a, &stop);
}

/* Nobody is to wait any more. */
static struct audit_wait *
fail_all(struct audit_batch *b, struct audit_wait *list)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->entries[i].wait == NULL)
			continue;
		b->entries[i].wait->failed = 1;
		b->entries[i].wait->next = list;
		list = b->entries[i].wait;
		b->entries[i].wait = NULL;
	}
	return list;
}

bool
audit_close(struct audit *a)
{
	struct audit_wait *list, *w;
	bool ended;

	if (a == NULL)
		return true;
	ended = audit_sinks_end(a);
	pthread_mutex_lock(&a->lock);
	a->watch_stop = true;
	pthread_cond_signal(&a->tick);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->watch, NULL);
	pthread_mutex_lock(&a->lock);
	list = fail_all(a->pending, fail_all(a->inflight, NULL));
	while ((w = a->told) != NULL) {
		a->told = w->next;
		w->failed = w->last > audit_sinks_required(a);
		w->next = list;
		list = w;
	}
	a->told_last = &a->told;
	pthread_mutex_unlock(&a->lock);
	audit_tell(list);
	/* An export that hangs in the kernel goes on using it all. */
	if (ended)
		audit_free(a);
	return ended;
}

void
audit_reopen(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	audit_sinks_reopen(a);
	pthread_cond_broadcast(&a->news);
	pthread_mutex_unlock(&a->lock);
}

int
audit_hmac(struct audit *a, const void *value, size_t n, char out[AUDIT_HMAC_TEXT])
{
	static const char name[] = "hmac-sha256:";
	unsigned char sum[MAC_BYTES];
	int rc;

	out[0] = '\0';
	pthread_mutex_lock(&a->mac_lock);
	rc = mac_sum(a->value_mac, "", 0, value, n, sum, NULL);
	pthread_mutex_unlock(&a->mac_lock);
	if (rc == 0) {
		memcpy(out, name, sizeof(name) - 1);
		hex_text(sum, MAC_BYTES, out + sizeof(name) - 1);
		out[AUDIT_HMAC_TEXT - 1] = '\0';
	}
	return rc;
}

void
audit_count(struct audit *a, struct audit_counts *out)
{
	pthread_mutex_lock(&a->lock);
	*out = a->counts;
	out->waiting = a->pending->lines + a->inflight->lines;
	pthread_mutex_unlock(&a->lock);
}
