#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store.h"
#include "registry/store/store_internal.h"

#define KEYS_MAX 64		/* of one step */

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define WINDOW_MAX (UINT64_C(1) << 60)

void
store_op_init(struct store_op *op, enum store_action action)
{
	memset(op, 0, sizeof(*op));
	op->action = action;
	op->cas = -1;
	op->if_match = -1;
	buf_init_secret(&op->value, LOG_VALUE_MAX);
	buf_init(&op->custom, LOG_VALUE_MAX);
	buf_init(&op->names, BUF_MAX_FILE);
}

void
store_op_release(struct store_op *op)
{
	buf_release(&op->value);
	buf_release(&op->custom);
	buf_release(&op->names);
	free(op->touched);
	op->touched = NULL;
	op->touched_count = 0;
}

/* Those who wait for something to change. */

void
store_wake_waiters(struct store *s)
{
	uint64_t offset = state_offset(s->state);
	struct store_waiter *ready = NULL, **at, *w;

	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->waiters; (w = *at) != NULL; ) {
		if (offset > w->since) {
			*at = w->next;
			w->next = ready;
			ready = w;
		} else {
			at = &w->next;
		}
	}
	(void)pthread_mutex_unlock(&s->mutex);
	while ((w = ready) != NULL) {
		ready = w->next;
		w->woken(w);
	}
}

void
store_wait(struct store *s, struct store_waiter *w)
{
	(void)pthread_mutex_lock(&s->mutex);
	w->next = s->waiters;
	s->waiters = w;
	/* It may be beyond already: the writer looks. */
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

bool
store_unwait(struct store *s, struct store_waiter *w)
{
	struct store_waiter **at;
	bool found;

	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->waiters; *at != NULL && *at != w; at = &(*at)->next)
		;
	found = *at != NULL;
	if (found)
		*at = w->next;
	(void)pthread_mutex_unlock(&s->mutex);
	return found;
}

/* The store's way to its log: append and fold, and what to do when that fails. */

static int
store_log_apply(struct store *s, const struct log_record *records, size_t n, uint64_t first,
    struct error *err)
{
	int result = 0;
	size_t i;

	state_lock_exclusive(s->state);
	for (i = 0; i < n && result == 0; i++)
		result = state_apply(s->state, first + i, &records[i], err);
	state_unlock(s->state);
	if (result == 0)
		return 0;
	/* It is written, but not all of it is seen: read it again later. */
	s->behind = true;
	atomic_store(&s->unready, "no memory for what was written");
	return error_set(err, ERROR_STALE, "no memory for what was written");
}

int
store_append(struct store *s, const struct log_record *records, size_t n, uint64_t *first,
    struct error *err)
{
	struct error why = { 0 };
	int result;

	/* Whoever decided this did not know of what may be there by now. */
	if (s->unsettled)
		return error_set(err, ERROR_IO, "the outcome of an earlier append is not known");
	if (log_append(s->log, records, n, first, &why) == 0) {
		result = store_log_apply(s, records, n, *first, err);
	} else if (why.code == ERROR_STALE) {
		result = store_look_for(s, records, n, first, err);
	} else {
		if (why.code == ERROR_BUSY) {
			s->fenced = true;
			atomic_store(&s->unready, "another process has claimed the log");
		} else if (why.code == ERROR_IO) {
			atomic_store(&s->unready, "the log cannot be written");
		}
		if (err != NULL)
			*err = why;
		return -1;
	}
	if (!s->behind && !s->fenced && !s->unsettled)
		atomic_store(&s->unready, NULL);
	store_wake_waiters(s);
	return result;
}

int
store_save_keyring(struct store *s, struct error *err)
{
	struct record r = { .type = RECORD_KEYRING };
	struct log_record record;
	struct buf key, text;
	uint64_t first;
	int result = -1;

	buf_init(&key, LOG_KEY_MAX);
	buf_init(&text, LOG_VALUE_MAX);
	record_encode_key(&r, &key);
	if (keyring_encode(s->ring, &text, err) == 0 && buf_check(&key, err) == 0 &&
	    buf_check(&text, err) == 0) {
		record = (struct log_record){ key.data, key.len, text.data, text.len };
		result = store_append(s, &record, 1, &first, err);
	}
	s->ring_dirty = result != 0;
	buf_release(&key);
	buf_release(&text);
	return result;
}

/* Tombstones for some losers; the heads of the state's list change as they go. */
static int
remove_losers(struct store *s, struct error *err)
{
	struct log_record records[STORE_STEP_RECORDS];
	size_t at[STORE_STEP_RECORDS + 1], n = 0, i;
	const struct state_more *m;
	struct buf keys;
	uint64_t first;
	int result;

	buf_init(&keys, BUF_MAX_FILE);
	for (m = s->state->losers; m != NULL && n < STORE_STEP_RECORDS; m = m->next_loser) {
		const struct state_key *k = m->key;

		for (i = 0; i < m->loser_count && n < STORE_STEP_RECORDS; i++) {
			struct record r = { .type = RECORD_SECRET, .path = k->path->name,
			    .path_len = k->path->name_len, .key = k->name,
			    .key_len = k->name_len, .version = m->losers[i]->number };

			memcpy(r.claim, m->losers[i]->claim, sizeof(r.claim));
			at[n++] = keys.len;
			record_encode_key(&r, &keys);
		}
	}
	at[n] = keys.len;
	result = buf_check(&keys, err);
	for (i = 0; result == 0 && i < n; i++)
		records[i] = (struct log_record){ keys.data + at[i], at[i + 1] - at[i], NULL, 0 };
	if (result == 0)
		result = store_append(s, records, n, &first, err);
	buf_release(&keys);
	return result;
}

/* Has somebody else written, past our claim?  What follows must know of it. */
static int
store_log_look_at_end(struct store *s, struct error *err)
{
	uint64_t end;

	if (log_end(s->log, &end, err) == -1) {
		atomic_store(&s->unready, "the log cannot be read");
		return -1;
	}
	if (end > state_offset(s->state) && end != s->seen_end) {
		s->behind = true;
		s->seen_end = end;
	}
	return 0;
}

int
store_prepare(struct store *s, struct error *err)
{
	if (s->fenced) {
		error_set(err, ERROR_BUSY, "another process has claimed the log");
		return error_hint(err, "restart this one when the other has stopped");
	}
	if (s->unsettled && store_claim(s, err) == -1)
		return -1;
	if (store_log_look_at_end(s, err) == -1 || store_catch_up(s, err) == -1)
		return -1;
	if (s->ring_dirty && store_save_keyring(s, err) == -1)
		return -1;
	/* In an offset before everything that may seal or destroy a winner: or
	 * a loser would win in what is left after compaction. */
	while (s->state->losers != NULL) {
		if (remove_losers(s, err) == -1)
			return -1;
	}
	return 0;
}

/* Running ops: in batches, each decided, written, told. */

static void
fail_op(struct store_op *op, const struct error *why)
{
	op->result = why->code == ERROR_STALE ? STORE_UNKNOWN : STORE_FAILED;
	op->err = *why;
	op->touched_count = 0;
	op->offset = 0;
}

/* ${why} NULL: the ops have their results. */
static void
store_run_tell(struct batch_op *ops, size_t n, const struct error *why)
{
	struct store_op *op;
	size_t i;

	for (i = 0; i < n; i++) {
		op = ops[i].op;
		if (why != NULL)
			fail_op(op, why);
		if (op->done != NULL)
			op->done(op);
	}
}

static void
store_run_fail_all(struct store_op *ops, const struct error *why)
{
	struct store_op *next;

	for (; ops != NULL; ops = next) {
		next = ops->next;
		fail_op(ops, why);
		if (ops->done != NULL)
			ops->done(ops);
	}
}

static bool
has_room(const struct batch *b, const struct store_op *op)
{
	if (b->op_count == STORE_BATCH_OPS || b->bytes.len >= STORE_BATCH_BYTES)
		return false;
	/* It looks at the state alone, so nothing may be pending. */
	return op->action != STORE_DELETE_PATH || b->draft_count == 0;
}

/* Whether anything of a failed batch may have come about is for STALE alone. */
static void
run_batch(struct batch *b)
{
	struct error why = { 0 };

	store_run_tell(b->ops, b->op_count, batch_commit(b, &why) == -1 ? &why : NULL);
}

void
store_run(struct store *s, struct store_op *ops)
{
	struct error why = { 0 };
	struct store_op *op;
	struct batch *b;

	while (ops != NULL) {
		b = store_prepare(s, &why) == 0 ? batch_new(s, &why) : NULL;
		if (b == NULL) {
			/* Not even begun: nothing was written. */
			why.code = why.code == ERROR_STALE ? ERROR_IO : why.code;
			store_run_fail_all(ops, &why);
			return;
		}
		while (ops != NULL && has_room(b, ops)) {
			op = ops;
			ops = op->next;
			decide_op(b, op);
		}
		run_batch(b);
		batch_free(b);
	}
}

/* Destroying versions that were deleted, or have expired, longer ago than they
 * can be undeleted. */

/* What was due at or before this time can go. */
static int64_t
limit(const struct store *s, int64_t now_ms)
{
	return now_ms > 0 && (uint64_t)now_ms >= s->window_ms ?
	    now_ms - (int64_t)s->window_ms : INT64_MIN;
}

static bool
is_due(const struct state_key *k, const struct state_version *v, int64_t until_ms)
{
	int64_t expires = state_version_expires(v);

	if (expires != 0 && expires <= until_ms)
		return true;
	return v->deleted && state_deleted_find(k->more, v->number)->at_ms <= until_ms;
}

/* Let the batch destroy what is due of a key. */
static int
sweep_key(struct batch *b, const struct state_key *k, int64_t until_ms, struct error *err)
{
	struct draft *d = NULL;
	size_t i;

	/* Metadata that are not understood must not be written over. */
	if (k->more->foreign)
		return 0;
	for (i = 0; i < k->count; i++) {
		const struct state_version *v = state_version_of(k, i);

		if (!is_due(k, v, until_ms))
			continue;
		if (d == NULL)
			d = batch_draft(b, k->path->name, k->path->name_len, k->name, k->name_len,
			    err);
		if (d == NULL)
			return -1;
		if (draft_destroy(d, v->number) == -1)
			return error_memory(err);
	}
	return 0;
}

bool
store_sweep(struct store *s)
{
	struct state_key *keys[KEYS_MAX];
	struct error err = { 0 };
	struct batch *b = NULL;
	int64_t until_ms = limit(s, store_now(s));
	size_t n = 0, i;
	bool done = false;

	if (s->state->due_count == 0 || s->state->due[0].at_ms > until_ms || s->fenced)
		return false;
	if (store_prepare(s, &err) == 0)
		b = batch_new(s, &err);
	if (b == NULL)
		return false;
	state_lock_exclusive(s->state);
	while (n < KEYS_MAX && (keys[n] = state_due_take(s->state, until_ms)) != NULL)
		n++;
	state_unlock(s->state);
	for (i = 0; i < n; i++) {
		if (sweep_key(b, keys[i], until_ms, &err) == -1)
			break;
	}
	if (i == n)
		done = batch_commit(b, &err) == 0;
	state_lock_exclusive(s->state);
	for (i = 0; i < n; i++) {
		if (!keys[i]->more->foreign && state_due_again(s->state, keys[i]) == -1)
			done = false;
	}
	state_unlock(s->state);
	batch_free(b);
	return done && n > 0;
}

/* A store with nothing in it; the log is freed on failure. */
static struct store *
store_create(const struct store_options *o, struct error *err)
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t a;

	if (s == NULL) {
		log_free(o->log);
		error_memory(err);
		return NULL;
	}
	(void)pthread_mutex_init(&s->mutex, NULL);
	(void)pthread_condattr_init(&a);
	(void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->wake, &a);
	(void)pthread_cond_init(&s->answered, &a);
	(void)pthread_condattr_destroy(&a);
	s->log = o->log;
	s->window_ms = o->undelete_window_ms < WINDOW_MAX ? o->undelete_window_ms : WINDOW_MAX;
	s->now = o->now;
	s->now_cookie = o->now_cookie;
	s->no_thread = o->no_thread;
	s->last = &s->first;
	buf_init(&s->sealed, 2 * (size_t)LOG_VALUE_MAX);
	buf_init_secret(&s->plain, 2 * (size_t)LOG_VALUE_MAX);
	s->node = strdup(o->node != NULL ? o->node : "registry");
	s->state = state_new();
	s->pool = random_pool_new(err);
	if (s->node == NULL || s->state == NULL) {
		error_memory(err);
		store_close(s);
		return NULL;
	}
	if (s->pool == NULL) {
		store_close(s);
		return NULL;
	}
	return s;
}

/* The keyring that the log has, or a first one; ${*fresh}: it is to be stored. */
static int
open_ring(struct store *s, const struct store_options *o, bool *used_old, bool *fresh,
    struct error *err)
{
	size_t n;
	const char *text = state_keyring(s->state, &n);

	*used_old = *fresh = false;
	if (text == NULL && s->state->has_records) {
		error_set(err, ERROR_DAMAGED, "the log holds records, but no keyring");
		return error_hint(err, "restore a backup: without the keyring its secrets cannot "
		    "be opened");
	}
	*fresh = text == NULL;
	s->ring = *fresh ? keyring_new(o->master, err) :
	    keyring_open(text, n, o->master, o->old, o->old_count, used_old, err);
	return s->ring != NULL ? 0 : -1;
}

/* The keyring is opened: make it what is to be stored, and store it. */
static int
settle_ring(struct store *s, bool used_old, bool fresh, struct error *err)
{
	/* Under a new master secret all is sealed again: whoever has the old one
	 * and an old copy of the log can open the data keys of before. */
	if (used_old && keyring_add(s->ring, err) == -1)
		return -1;
	if (used_old || fresh)
		return store_save_keyring(s, err);
	return 0;
}

static int
store_start(struct store *s, const struct store_options *o, struct error *err)
{
	bool used_old, fresh;
	uint64_t end;
	int64_t now;

	if (store_fold(s, err) == -1 || open_ring(s, o, &used_old, &fresh, err) == -1 ||
	    store_claim(s, err) == -1 || log_end(s->log, &end, err) == -1)
		return -1;
	s->sealer = sealer_new(s->ring, err);
	if (s->sealer == NULL)
		return -1;
	/* Times never go back; but one that is far ahead is somebody's mistake. */
	now = store_now(s);
	s->last_ms = s->state->last_ms <= now + DAY_MS ? s->state->last_ms : 0;
	state_started(s->state, end);
	if (settle_ring(s, used_old, fresh, err) == -1)
		return -1;
	store_rotation_resume(s, used_old ? "started" : "resumed");
	if (s->no_thread)
		return 0;
	if (pthread_create(&s->thread, NULL, store_writer, s) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start the writer's thread");
	s->threaded = true;
	return 0;
}

struct store *
store_open(const struct store_options *o, struct error *err)
{
	struct store *s = store_create(o, err);

	if (s != NULL && store_start(s, o, err) == -1) {
		store_close(s);
		s = NULL;
	}
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->threaded) {
		(void)pthread_mutex_lock(&s->mutex);
		s->stopping = true;
		(void)pthread_cond_signal(&s->wake);
		(void)pthread_mutex_unlock(&s->mutex);
		(void)pthread_join(s->thread, NULL);
	}
	sealer_free(s->sealer);
	keyring_free(s->ring);
	random_pool_free(s->pool);
	state_free(s->state);
	log_free(s->log);
	buf_release(&s->sealed);
	buf_release(&s->plain);
	free(s->node);
	(void)pthread_cond_destroy(&s->answered);
	(void)pthread_cond_destroy(&s->wake);
	(void)pthread_mutex_destroy(&s->mutex);
	free(s);
}

void
store_set_commit_hook(struct store *s, const struct store_commit_hook *w)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->hook = *w;
	(void)pthread_mutex_unlock(&s->mutex);
}

const char *
store_carried(const struct store *s, unsigned slot, size_t *n)
{
	return state_carried(s->state, slot, n);
}

void
store_forget_carried(struct store *s)
{
	state_lock_exclusive(s->state);
	state_forget_carried(s->state);
	state_unlock(s->state);
}

struct state *
store_state(struct store *s)
{
	return s->state;
}

struct keyring *
store_keyring(struct store *s)
{
	return s->ring;
}

const char *
store_unready(const struct store *s)
{
	return atomic_load(&s->unready);
}

int
store_backup(struct store *s, const char *path, struct error *err)
{
	return log_backup(s->log, path, err);
}
