#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/map.h"
#include "registry/base/clock.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store_internal.h"

/* Reading the log again, looking out for a batch on the way. */
struct reading {
	struct store *store;
	const struct log_record *probe;	/* NULL: not looking */
	bool found;
	uint64_t offset;
};

_Static_assert(sizeof(((struct batch *)NULL)->ops) / sizeof(struct batch_op) ==
    STORE_BATCH_OPS, "a batch has room for its ops");

struct batch *
batch_new(struct store *s, struct error *err)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL || (b->index = map_new()) == NULL) {
		free(b);
		error_memory(err);
		return NULL;
	}
	b->store = s;
	b->now_ms = store_now(s);
	buf_init(&b->bytes, BUF_MAX_FILE);
	return b;
}

void
batch_free(struct batch *b)
{
	size_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->draft_count; i++)
		draft_free(b->drafts[i]);
	free(b->drafts);
	map_free(b->index);
	buf_release(&b->bytes);
	free(b);
}

void
batch_forget(struct batch *b)
{
	struct map *index = map_new();

	while (b->draft_count > 0)
		draft_free(b->drafts[--b->draft_count]);
	if (index == NULL) {
		b->broken = true;
		return;
	}
	map_free(b->index);
	b->index = index;
}

static struct draft *
batch_find(const struct batch *b, const char *path, size_t path_len, const char *key,
    size_t key_len)
{
	char name[512];
	size_t at;

	memcpy(name, path, path_len);
	name[path_len] = '/';
	memcpy(name + path_len + 1, key, key_len);
	return map_get(b->index, name, path_len + 1 + key_len, &at) ? b->drafts[at] : NULL;
}

struct draft *
batch_draft(struct batch *b, const char *path, size_t path_len, const char *key, size_t key_len,
    struct error *err)
{
	struct draft *d = batch_find(b, path, path_len, key, key_len);
	const struct state_path *p;
	struct draft **more;
	size_t cap;

	if (d != NULL)
		return d;
	if (b->draft_count == b->draft_cap) {
		cap = b->draft_cap > 0 ? 2 * b->draft_cap : 16;
		more = realloc(b->drafts, cap * sizeof(struct draft *));
		if (more == NULL)
			goto fail;
		b->drafts = more;
		b->draft_cap = cap;
	}
	/* Keys that were not seen yet may have metadata all the same. */
	p = state_path_any(b->store->state, path, path_len);
	d = draft_new(path, path_len, key, key_len,
	    p != NULL ? state_index_find(&p->keys, key, key_len) : NULL);
	if (d == NULL || map_put(b->index, d->name, d->name_len, b->draft_count) == -1)
		goto fail;
	b->drafts[b->draft_count++] = d;
	return d;
fail:
	draft_free(d);
	error_memory(err);
	return NULL;
}

int
batch_encode(struct batch *b, const struct record *r, size_t *key_len, size_t *value_len,
    struct error *err)
{
	size_t at = b->bytes.len;

	record_encode_key(r, &b->bytes);
	*key_len = b->bytes.len - at;
	if (r->tombstone)
		*value_len = 0;
	else
		record_encode_value(r, &b->bytes);
	*value_len = b->bytes.len - at - *key_len;
	if (buf_check(&b->bytes, err) == -1) {
		/* The bytes of the others are needed. */
		b->bytes.failed = false;
		buf_truncate(&b->bytes, at);
		return -1;
	}
	if (*key_len <= LOG_KEY_MAX && *value_len <= LOG_VALUE_MAX)
		return 0;
	buf_truncate(&b->bytes, at);
	return error_set(err, ERROR_LIMIT, "a record of %zu bytes is too large for the log",
	    *value_len);
}

/* From drafts to records, and into the log. */

static int
encode_metas(struct batch *b, struct error *err)
{
	struct record r;
	size_t i;

	for (i = 0; i < b->draft_count; i++) {
		struct draft *d = b->drafts[i];

		if (!d->changed)
			continue;
		draft_meta(d, &r);
		d->meta_at = b->bytes.len;
		if (batch_encode(b, &r, &d->meta_key_len, &d->meta_len, err) == -1)
			return -1;
	}
	return 0;
}

static size_t
count_records(const struct batch *b)
{
	size_t n = 0, i;

	for (i = 0; i < b->draft_count; i++)
		n += 1 + b->drafts[i]->gone_count + b->drafts[i]->added_count;
	return n;
}

/* The tombstones' keys, encoded behind everything else in one go: positions
 * go to ${at}, which has one more than there are. */
static int
encode_tombstones(struct batch *b, size_t *at, struct error *err)
{
	struct record r = { .type = RECORD_SECRET, .tombstone = true };
	size_t i, j, key_len, value_len, n = 0;

	for (i = 0; i < b->draft_count; i++) {
		const struct draft *d = b->drafts[i];

		r.path = d->path;
		r.path_len = d->path_len;
		r.key = d->key;
		r.key_len = d->key_len;
		for (j = 0; j < d->gone_count; j++) {
			r.version = d->gone[j].number;
			memcpy(r.claim, d->gone[j].claim, sizeof(r.claim));
			at[n++] = b->bytes.len;
			if (batch_encode(b, &r, &key_len, &value_len, err) == -1)
				return -1;
		}
	}
	at[n] = b->bytes.len;
	return 0;
}

/* All bytes are encoded and stay where they are: put the records together. */
static size_t
assemble(struct batch *b, const size_t *at, struct log_record *records)
{
	const unsigned char *bytes = b->bytes.data;
	size_t n = 0, i, j;

	for (i = 0; i < b->draft_count; i++) {
		struct draft *d = b->drafts[i];

		if (d->changed)
			records[n++] = (struct log_record){ bytes + d->meta_at, d->meta_key_len,
			    bytes + d->meta_at + d->meta_key_len, d->meta_len };
		for (j = 0; j < d->gone_count; j++, at++)
			records[n++] = (struct log_record){ bytes + at[0], at[1] - at[0], NULL, 0 };
		d->last = n > 0 ? n - 1 : 0;
		for (j = 0; j < d->added_count; j++) {
			struct draft_added *a = &d->added[j];
			struct draft_version v;

			/* Made and destroyed at once: its number is all that is left. */
			a->record = d->last;
			if (draft_find(d, a->number, b->now_ms, &v) &&
			    v.status == VERSION_DESTROYED)
				continue;
			a->record = n;
			records[n++] = (struct log_record){ bytes + a->key_at, a->key_len,
			    bytes + a->value_at, a->value_len };
		}
	}
	return n;
}

static void
tell_offsets(struct batch *b, uint64_t first)
{
	size_t i;

	for (i = 0; i < b->op_count; i++) {
		const struct batch_op *o = &b->ops[i];

		if (o->draft == NULL)
			continue;
		o->op->offset = first + (o->added == SIZE_MAX ? o->draft->last :
		    o->draft->added[o->added].record);
	}
}

/* The ops that write something, in the order in which they were decided. */
static size_t
writing(const struct batch *b, struct store_op **ops)
{
	size_t n = 0, i;

	for (i = 0; i < b->op_count; i++) {
		if (b->ops[i].draft != NULL)
			ops[n++] = b->ops[i].op;
	}
	return n;
}

/* What the commit hook wants to be kept, as records behind the others. */
static size_t
add_carried(const struct store_carry *parts, size_t count, struct buf keys[STORE_CARRY_PARTS],
    struct log_record *records)
{
	struct record r = { .type = RECORD_AUDIT };
	size_t i;

	for (i = 0; i < count; i++) {
		r.slot = parts[i].slot;
		record_encode_key(&r, &keys[i]);
		records[i] = (struct log_record){ keys[i].data, keys[i].len, parts[i].text,
		    parts[i].n };
	}
	return count;
}

static int
check_keys(const struct buf keys[STORE_CARRY_PARTS], struct error *err)
{
	size_t i;

	for (i = 0; i < STORE_CARRY_PARTS; i++) {
		if (buf_check(&keys[i], err) == -1)
			return -1;
	}
	return 0;
}

/* Append them, and let the commit hook see it. */
static int
append_hooked(struct batch *b, const struct store_commit_hook *w, struct log_record *records,
    size_t n, struct error *err)
{
	struct store_op *ops[STORE_BATCH_OPS];
	struct store_carry parts[STORE_CARRY_PARTS];
	struct buf keys[STORE_CARRY_PARTS];
	size_t op_count = writing(b, ops), count = 0, i;
	uint64_t first;
	int result = -1;

	if (log_end(b->store->log, &first, err) == -1)
		return -1;
	tell_offsets(b, first);
	if (w->before(w->cookie, ops, op_count, parts, &count, err) != 0)
		return -1;
	for (i = 0; i < STORE_CARRY_PARTS; i++)
		buf_init(&keys[i], LOG_KEY_MAX);
	n += add_carried(parts, count, keys, records + n);
	if (check_keys(keys, err) == 0)
		result = store_append(b->store, records, n, &first, err);
	w->after(w->cookie, ops, op_count, result == 0);
	for (i = 0; i < STORE_CARRY_PARTS; i++)
		buf_release(&keys[i]);
	if (result == 0)
		tell_offsets(b, first);
	return result;
}

static int
batch_commit_append(struct batch *b, struct log_record *records, size_t n, struct error *err)
{
	struct store *s = b->store;
	struct store_commit_hook w;
	uint64_t first;

	if (n == 0)
		return 0;
	/* It may be given while the writer sweeps already. */
	(void)pthread_mutex_lock(&s->mutex);
	w = s->hook;
	(void)pthread_mutex_unlock(&s->mutex);
	/* A sweep is no action of anybody. */
	if (w.before != NULL && b->op_count > 0)
		return append_hooked(b, &w, records, n, err);
	if (store_append(b->store, records, n, &first, err) == -1)
		return -1;
	tell_offsets(b, first);
	return 0;
}

int
batch_commit(struct batch *b, struct error *err)
{
	size_t count = count_records(b);
	struct log_record *records;
	size_t *at;
	int result = -1;

	if (b->broken)
		return error_memory(err);
	if (b->draft_count == 0)
		return 0;
	records = calloc(count + STORE_CARRY_PARTS, sizeof(*records));
	at = calloc(count + 1, sizeof(*at));
	if (records == NULL || at == NULL)
		error_memory(err);
	else if (encode_metas(b, err) == 0 && encode_tombstones(b, at, err) == 0)
		result = batch_commit_append(b, records, assemble(b, at, records), err);
	free(records);
	free(at);
	return result;
}

/* Claiming the log, and reading it again: at the start, and when an append has
 * had no answer. */

static void probe(struct store *s);

static bool
store_claim_same(const struct log_record *a, const struct log_record *b)
{
	if (a->key_len != b->key_len || memcmp(a->key, b->key, a->key_len) != 0 ||
	    (a->value == NULL) != (b->value == NULL))
		return false;
	return a->value == NULL || (a->value_len == b->value_len &&
	    memcmp(a->value, b->value, a->value_len) == 0);
}

static int
store_claim_visit(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	struct reading *x = cookie;

	if (x->probe != NULL && store_claim_same(r, x->probe)) {
		x->found = true;
		x->offset = offset;
	}
	return state_apply(x->store->state, offset, r, err);
}

/* Readers wait, so that they see all of a batch or nothing. */
static int
store_claim_read_on(struct reading *x, struct error *err)
{
	struct store *s = x->store;
	int result;

	state_lock_exclusive(s->state);
	result = log_read(s->log, state_offset(s->state), store_claim_visit, x, err);
	state_unlock(s->state);
	s->behind = result != 0;
	return s->behind ? -1 : 0;
}

int
store_fold(struct store *s, struct error *err)
{
	struct reading x = { .store = s };

	return store_claim_read_on(&x, err);
}

int
store_catch_up(struct store *s, struct error *err)
{
	if (!s->behind)
		return 0;
	if (store_fold(s, err) == 0)
		return 0;
	atomic_store(&s->unready, "the log cannot be read");
	return -1;
}

/* The record by which a batch is known again: one with a claim, if any. */
static size_t
probe_of(const struct log_record *records, size_t n)
{
	static const char secret[] = "{" JSON_NAME("t") "\"SECRET\"";
	size_t i;

	for (i = 0; i < n; i++) {
		if (records[i].value != NULL && records[i].key_len > sizeof(secret) &&
		    memcmp(records[i].key, secret, sizeof(secret) - 1) == 0)
			return i;
	}
	return 0;
}

/* Is the log's keyring ${before}, or what this process has sent? */
static bool
store_claim_is_ours(const struct store *s, const char *before)
{
	struct buf text;
	const char *now;
	size_t n;
	bool same;

	now = state_keyring(s->state, &n);
	if ((now == NULL) == (before == NULL) && (now == NULL || strcmp(now, before) == 0))
		return true;
	buf_init(&text, LOG_VALUE_MAX);
	same = now != NULL && keyring_encode(s->ring, &text, NULL) == 0 && text.len == n &&
	    memcmp(text.data, now, n) == 0;
	buf_release(&text);
	return same;
}

/* Claim the log, and see what came in while it was not, or not yet, ours. */
static int
claim_and_read(struct reading *x, const char *keyring, struct error *err)
{
	struct store *s = x->store;

	if (log_claim(s->log, s->node, &s->epoch, err) == -1) {
		atomic_store(&s->unready, "the log cannot be claimed");
		return -1;
	}
	if (store_claim_read_on(x, err) == -1) {
		atomic_store(&s->unready, "the log cannot be read");
		return -1;
	}
	if (store_claim_is_ours(s, keyring)) {
		s->unsettled = false;
		return 0;
	}
	s->fenced = true;
	atomic_store(&s->unready, "another process has claimed the log");
	return error_set(err, ERROR_BUSY, "another process changed the keyring; start again");
}

static int
store_claim_claim(struct reading *x, struct error *err)
{
	size_t n;
	const char *text = state_keyring(x->store->state, &n);
	char *copy = text != NULL ? strdup(text) : NULL;
	int result;

	if (text != NULL && copy == NULL)
		return error_memory(err);
	result = claim_and_read(x, copy, err);
	free(copy);
	return result;
}

int
store_claim(struct store *s, struct error *err)
{
	struct reading x = { .store = s };

	return store_claim_claim(&x, err);
}

/*
 * Sent, and no answer: has it come to stand in the log?  As long as it has not
 * it still may, behind what is written later and was decided without it: what
 * was deleted would be back, or data keys gone.  A claim of our own keeps it
 * out, and then the log tells.
 */
int
store_look_for(struct store *s, const struct log_record *records, size_t n, uint64_t *first,
    struct error *err)
{
	size_t i = probe_of(records, n);
	struct reading x = { .store = s, .probe = &records[i] };
	struct error why = { 0 };

	s->unsettled = true;
	if (store_claim_read_on(&x, &why) == 0 && x.found)
		s->unsettled = false;
	else if (store_claim_claim(&x, &why) == -1)
		return error_set(err, ERROR_STALE, "the outcome is not known, and the log cannot "
		    "be asked: %s", why.text);
	if (!x.found)
		return error_set(err, ERROR_STALE, "the outcome of the append is not known");
	*first = x.offset - i;
	return 0;
}

/* The writer's thread, and how others reach it. */

int64_t
store_monotonic_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
store_now(const struct store *s)
{
	struct timespec t;

	if (s->now != NULL)
		return s->now(s->now_cookie);
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
store_stamp(struct store *s)
{
	int64_t now = store_now(s);

	if (now > s->last_ms)
		s->last_ms = now;
	return s->last_ms;
}

void
store_submit_lazily(struct store *s, struct store_op *op)
{
	op->next = NULL;
	(void)pthread_mutex_lock(&s->mutex);
	*s->last = op;
	s->last = &op->next;
	s->waiting++;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_wake(struct store *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_submit(struct store *s, struct store_op *op)
{
	store_submit_lazily(s, op);
	store_wake(s);
}

static struct store_op *
store_writer_take(struct store *s)
{
	struct store_op *ops = s->first;

	s->first = NULL;
	s->last = &s->first;
	s->taken = s->waiting;
	s->waiting = 0;
	return ops;
}

/* --- rotation, from other threads --- */

static void
store_writer_answer(struct store *s)
{
	struct rotate_request *q = &s->request;

	q->result = store_rotation_begin(s, q->fresh, &q->err);
	(void)pthread_mutex_lock(&s->mutex);
	q->state = REQUEST_ANSWERED;
	(void)pthread_cond_broadcast(&s->answered);
	(void)pthread_mutex_unlock(&s->mutex);
}

int
store_rotate(struct store *s, const struct master *fresh, struct error *err)
{
	struct rotate_request *q = &s->request;
	int result;

	if (!s->threaded || pthread_equal(pthread_self(), s->thread))
		return store_rotation_begin(s, fresh, err);
	(void)pthread_mutex_lock(&s->mutex);
	if (q->state != REQUEST_NONE || s->stopping) {
		(void)pthread_mutex_unlock(&s->mutex);
		return error_set(err, ERROR_BUSY, "a rotation is being started");
	}
	q->fresh = fresh;
	q->state = REQUEST_MADE;
	(void)pthread_cond_signal(&s->wake);
	while (q->state != REQUEST_ANSWERED)
		(void)pthread_cond_wait(&s->answered, &s->mutex);
	result = q->result;
	if (result != 0 && err != NULL)
		*err = q->err;
	q->state = REQUEST_NONE;
	(void)pthread_mutex_unlock(&s->mutex);
	return result;
}

void
store_rotation(struct store *s, struct rotation_state *out)
{
	(void)pthread_mutex_lock(&s->mutex);
	*out = s->rotation.shown;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_on_rotation(struct store *s,
    void (*tell)(void *cookie, const char *step, const struct rotation_state *r), void *cookie)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->rotation.tell = tell;
	s->rotation.tell_cookie = cookie;
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

/* --- the loop --- */

/* Everything but ops and rotation; the latter's steps are taken by the caller. */
static void
store_writer_look_around(struct store *s)
{
	store_wake_waiters(s);
	store_rotation_tell(s);
}

/* A log that failed is tried again even if nobody writes, since nobody may as
 * long as it is said not to be ready: the keyring once more does no harm. */
static void
probe(struct store *s)
{
	if (atomic_load(&s->unready) == NULL || s->fenced)
		return;
	s->ring_dirty = true;
	(void)store_prepare(s, NULL);
}

static bool
is_ticking(const struct store *s)
{
	return s->rotation.active || s->state->due_count > 0 ||
	    (atomic_load(&s->unready) != NULL && !s->fenced);
}

/* Nobody wants anything.  Mutex held. */
static bool
is_idle(const struct store *s)
{
	return s->first == NULL && s->request.state != REQUEST_MADE && !s->woken && !s->stopping;
}

static struct timespec
in_future(int64_t ms, long ns)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000 + ns;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Wait for something to do: ${ms} at most, -1: for ever.  Mutex held. */
static void
store_writer_wait_for_work(struct store *s, int64_t ms)
{
	struct timespec until;

	if (ms < 0) {
		(void)pthread_cond_wait(&s->wake, &s->mutex);
		return;
	}
	until = in_future(ms, 0);
	(void)pthread_cond_timedwait(&s->wake, &s->mutex, &until);
}

/*
 * Actions that came together lately will likely do so again: wait a moment for
 * the rest of them, as one commit for all costs less than two.  Mutex held.
 */
static void
store_writer_gather(struct store *s)
{
	struct timespec until;

	if (s->first == NULL || s->waiting >= s->together)
		return;
	until = clock_gather_until(s->run_ns);
	while (s->waiting < s->together && !s->stopping) {
		if (pthread_cond_timedwait(&s->wake, &s->mutex, &until) != 0)
			break;
	}
}

/* Who is told now comes again together with who came meanwhile. */
static void
store_writer_run(struct store *s, struct store_op *ops)
{
	uint64_t begun = clock_ns();

	store_run(s, ops);
	(void)pthread_mutex_lock(&s->mutex);
	s->run_ns = clock_ns() - begun;
	s->together = s->taken + s->waiting;
	(void)pthread_mutex_unlock(&s->mutex);
}

void *
store_writer(void *store)
{
	struct store *s = store;
	struct store_op *ops;
	bool more = true, stop = false, asked;

	while (!stop) {
		(void)pthread_mutex_lock(&s->mutex);
		if (!more && is_idle(s))
			store_writer_wait_for_work(s, is_ticking(s) ? STORE_TICK_MS : -1);
		store_writer_gather(s);
		ops = store_writer_take(s);
		asked = s->request.state == REQUEST_MADE;
		if (asked)
			s->request.state = REQUEST_TAKEN;
		s->woken = false;
		stop = s->stopping && ops == NULL && !asked;
		(void)pthread_mutex_unlock(&s->mutex);

		if (ops != NULL)
			store_writer_run(s, ops);
		if (asked)
			store_writer_answer(s);
		if (ops == NULL)
			probe(s);
		more = store_rotation_step(s);
		more = store_sweep(s) || more;
		store_writer_look_around(s);
	}
	return NULL;
}

void
store_step(struct store *s)
{
	struct store_op *ops;
	bool more = true;

	while (more) {
		(void)pthread_mutex_lock(&s->mutex);
		ops = store_writer_take(s);
		(void)pthread_mutex_unlock(&s->mutex);
		if (ops != NULL)
			store_run(s, ops);
		more = store_rotation_step(s);
		more = store_sweep(s) || more;
		store_writer_look_around(s);
		(void)pthread_mutex_lock(&s->mutex);
		more = more || s->first != NULL;
		(void)pthread_mutex_unlock(&s->mutex);
	}
}
