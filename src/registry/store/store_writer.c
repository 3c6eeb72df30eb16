#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/time.h"
#include "registry/base/clock.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_internal.h"
#include "registry/store/store_log.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define WINDOW_MAX (UINT64_C(1) << 60)
#define KEYRING_MAX (1U << 20)

static const char *const statements[WRITE_COUNT] = {
	[WRITE_SECRET] = "INSERT INTO secret(offset,path,key,version,state,due,created,principal,"
	    "expires,sealed) VALUES(?1,?2,?3,?4,0,?5,?6,?7,?8,?9)",
	[WRITE_IDEMPOTENCY] = "INSERT INTO idempotency(offset,digest,content) VALUES(?,?,?)",
	[WRITE_CHANGE] = "INSERT INTO change(offset,at,path,key,version,what) VALUES(?,?,?,?,?,?)",
	[WRITE_FORGET_CHANGES] = "DELETE FROM change WHERE offset<?",
	[WRITE_SETTING] = "INSERT OR REPLACE INTO setting(path,key,high,max_versions,cas_required,"
	    "custom,mcas,updated,updater) VALUES(?,?,?,?,?,?,?,?,?)",
	[WRITE_HIGH] = "INSERT INTO setting VALUES(?,?,?,0,0,'{}',0,0,'') "
	    "ON CONFLICT DO UPDATE SET high=max(high,excluded.high)",
	[WRITE_STATE] = "UPDATE secret SET state=?2,due=?3,deleter=?4 WHERE offset=?1",
	[WRITE_SEALED] = "UPDATE secret SET sealed=?2 WHERE offset=?1",
	[WRITE_DESTROY] = "DELETE FROM secret WHERE offset=?",
	[WRITE_DESTROY_IDEMPOTENCY] = "DELETE FROM idempotency WHERE offset=?",
	[WRITE_ROOM] = "INSERT OR REPLACE INTO keyring VALUES(1,printf('%.*c',?,' '))",
	[WRITE_KEYRING] = "INSERT OR REPLACE INTO keyring VALUES(0,?)",
	[READ_REPEATED] = "SELECT content,version,created,coalesce(expires,0),offset "
	    "FROM idempotency JOIN secret USING(offset) WHERE digest=?",
	[READ_HELD] = "SELECT count(*) FROM secret WHERE path=? AND key=?",
	[READ_BYTES] = "SELECT sum(length(sealed)) FROM secret",
	[READ_PATH_BYTES] = "SELECT sum(length(sealed)) FROM secret WHERE path=?",
	[READ_EXPIRED] = "SELECT offset,path,key,version,due FROM secret "
	    "WHERE state=0 AND due<=?1 LIMIT ?2",
	[READ_PAST] = "SELECT offset,path,key,version,due FROM secret "
	    "WHERE state=?3 AND due<=?1 LIMIT ?2",
	[READ_SEALED] = "SELECT offset,path,key,version,created,coalesce(expires,0),sealed "
	    "FROM secret WHERE offset>? AND substr(sealed,1,4)<>? ORDER BY offset LIMIT ?",
};

void
store_op_init(struct store_op *op, enum store_action action)
{
	memset(op, 0, sizeof(*op));
	op->action = action;
	op->cas = -1;
	op->if_match = -1;
	buf_init_secret(&op->value, STORE_VALUE_MAX);
	buf_init(&op->custom, STORE_VALUE_MAX);
	buf_init(&op->names, BUF_MAX_FILE);
}

void
store_op_release(struct store_op *op)
{
	buf_release(&op->value);
	buf_release(&op->custom);
	buf_release(&op->names);
	free(op->touched);
	store_backup_close(op->backup);
	op->touched = NULL;
	op->backup = NULL;
	op->touched_count = 0;
}

int64_t
store_now(const struct store *s)
{
	return s->now != NULL ? s->now(s->now_cookie) : time_now();
}

int64_t
store_stamp(struct store *s)
{
	int64_t now = store_now(s);

	if (now > s->last_ms)
		s->last_ms = now;
	return s->last_ms;
}

/* --- those who wait for something to change --- */

static void
wake_waiters(struct store *s)
{
	struct store_waiter *ready = NULL, **at, *w;

	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->waiters; (w = *at) != NULL; ) {
		if (s->shown_next > w->since) {
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

/* --- transactions --- */

void
store_rollback(struct store *s)
{
	reader_reset(s->reader);
	database_rollback(s->db);
	s->access_touched = false;
	s->next = s->begun_next;
	s->remembered = s->begun_remembered;
}

static int
write_keyring(struct store *s, struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_KEYRING];
	struct buf text;
	int result = -1;

	buf_init(&text, KEYRING_MAX);
	if (keyring_encode(s->ring, &text, err) == 0 && buf_check(&text, err) == 0) {
		database_bind(w, "t", text.data, text.len);
		result = database_run(w, s->path, err);
	}
	buf_release(&text);
	return result;
}

static void
store_failed(struct store *s, const struct error *err)
{
	if (err->code == ERROR_IO || err->code == ERROR_STALE || err->code == ERROR_DAMAGED)
		atomic_store(&s->unready, "the database cannot be written");
}

int
store_begin(struct store *s, struct error *err)
{
	struct error why = { 0 };

	s->begun_next = s->next;
	s->begun_remembered = s->remembered;
	/* One that fills up is not taken for mended by what just fits: see probe. */
	if (atomic_load(&s->unready) != NULL && !s->probing)
		return error_set(err, ERROR_IO, "%s", atomic_load(&s->unready));
	if (database_begin(s->db, &why) == 0) {
		/* What follows may be sealed under a key that only memory has yet. */
		if (!s->ring_dirty || s->log != NULL || write_keyring(s, &why) == 0)
			return 0;
		store_rollback(s);
	}
	store_failed(s, &why);
	if (err != NULL)
		*err = why;
	return -1;
}

int
store_commit(struct store *s, struct store_op *const *ops, size_t n, struct error *err)
{
	int sent = s->log != NULL ? log_send(s, NULL, err) : 0;

	return sent != 0 ? (sent == 1 ? 0 : -1) : store_commit_here(s, ops, n, err);
}

int
store_commit_here(struct store *s, struct store_op *const *ops, size_t n, struct error *err)
{
	struct store_commit_hook hook;
	struct error why = { 0 };
	bool hooked, begun = false;
	int result = 0;

	(void)pthread_mutex_lock(&s->mutex);
	hook = s->hook;
	(void)pthread_mutex_unlock(&s->mutex);
	hooked = hook.write != NULL;
	reader_reset(s->reader);
	if (hooked) {
		begun = true;
		result = hook.write(hook.cookie, ops, n, &why);
	}
	if (result == -1) {
		store_rollback(s);
	} else if ((result = database_commit(s->db, &why)) == -1) {
		store_rollback(s);
		store_failed(s, &why);
	} else {
		s->ring_dirty &= s->log != NULL;
		atomic_store(&s->unready, NULL);
		(void)pthread_mutex_lock(&s->mutex);
		s->shown_next = s->next;
		(void)pthread_mutex_unlock(&s->mutex);
		if (s->access_touched)
			access_committed(s);
	}
	if (begun)
		hook.after(hook.cookie, ops, n, result == 0);
	if (result == 0)
		wake_waiters(s);
	else if (err != NULL)
		*err = why;
	return result;
}

int
store_save_keyring(struct store *s, struct error *err)
{
	s->ring_dirty = true;
	if (store_begin(s, err) == -1)
		return -1;
	return store_commit(s, NULL, 0, err);
}

/* --- running ops: in batches, each decided, committed, told --- */

void
store_tell(struct store_op *op)
{
	if (op->done != NULL)
		op->done(op);
}

void
store_fail(struct store_op *op, const struct error *why)
{
	op->result = why->code == ERROR_STALE ? STORE_UNKNOWN : STORE_FAILED;
	op->err = *why;
	op->touched_count = 0;
	op->offset = 0;
	store_tell(op);
}

/* Run as many ops as make a batch; the rest.  ${ops} NULL: what else waits for
 * a commit. */
static struct store_op *
run_batch(struct store *s, struct store_op *ops)
{
	struct store_op *writing[STORE_BATCH_OPS], *others = NULL, **last = &others, *op;
	struct error why = { 0 };
	int64_t now_ms = store_now(s);
	size_t n = 0, bytes = 0, i;
	bool full = false;
	int result = store_begin(s, &why);

	s->room = ops != NULL ? database_room(s->db) : 0;
	while (ops != NULL && !full && n < STORE_BATCH_OPS && bytes < STORE_BATCH_BYTES) {
		/* What is wrong with a backup is no matter of others. */
		full = ops->action == STORE_RESTORE;
		if (full && (n > 0 || others != NULL))
			break;
		op = ops;
		ops = op->next;
		bytes += op->value.len;
		if (result == 0 && (result = decide_op(s, op, now_ms, &why)) == 1) {
			writing[n++] = op;
			result = 0;
			continue;
		}
		op->next = NULL;
		*last = op;
		last = &op->next;
	}
	if (result == -1)
		store_rollback(s);
	else
		result = store_commit(s, writing, n, &why);
	/* Whoever only read is told what was true if the others are true. */
	for (; others != NULL; others = op) {
		op = others->next;
		if (result == 0)
			store_tell(others);
		else
			store_fail(others, &why);
	}
	for (i = 0; i < n; i++) {
		if (result == -1)
			store_fail(writing[i], &why);
		else if (s->hook.write == NULL)
			store_tell(writing[i]);
	}
	return ops;
}

/* The same with a topic: the batch is told when it was read there. */
static struct store_op *
run_log_batch(struct store *s, struct store_op *ops)
{
	struct store_op *batch = NULL, **last = &batch, *op;
	struct error why = { 0 };
	int64_t now_ms = store_now(s);
	size_t n = 0, bytes = 0;
	int result = store_begin(s, &why);

	s->room = database_room(s->db);
	while (ops != NULL && n < STORE_BATCH_OPS && bytes < STORE_BATCH_BYTES) {
		op = ops;
		ops = op->next;
		bytes += op->value.len;
		n++;
		op->next = NULL;
		*last = op;
		last = &op->next;
		if (result != -1)
			result = decide_op(s, op, now_ms, &why);
	}
	if (result == -1)
		store_rollback(s);
	else if ((result = log_send(s, batch, &why)) == 0)
		result = store_commit_here(s, NULL, 0, &why);
	for (; result != 1 && batch != NULL; batch = op) {
		op = batch->next;
		if (result == 0)
			store_tell(batch);
		else
			store_fail(batch, &why);
	}
	return ops;
}

/* --- the writer's thread, and how others reach it --- */

void
store_submit_lazily(struct store *s, struct store_op *op)
{
	op->next = NULL;
	op->submitted_ms = clock_ms();
	(void)pthread_mutex_lock(&s->mutex);
	*s->last = op;
	s->last = &op->next;
	s->waiting++;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_wake(struct store *s)
{
	/* The writer has seen what is waiting, or waits itself: the mutex tells.  It is
	 * not held for the signal, as who is woken wants it at once. */
	(void)pthread_mutex_lock(&s->mutex);
	(void)pthread_mutex_unlock(&s->mutex);
	(void)pthread_cond_signal(&s->wake);
}

void
store_submit(struct store *s, struct store_op *op)
{
	store_submit_lazily(s, op);
	store_wake(s);
}

static void
answer_request(struct store *s)
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

/* What waits for a commit: ops, and what the hook has.  Mutex held. */
static size_t
count_waiting(const struct store *s)
{
	size_t n = s->hook.waiting != NULL ? s->hook.waiting(s->hook.cookie) : 0;

	return n + (log_may_write(s) ? s->waiting : 0);
}

/* Nobody wants anything.  Mutex held. */
static bool
is_idle(const struct store *s)
{
	return count_waiting(s) == 0 && s->request.state != REQUEST_MADE && !s->woken &&
	    !s->stopping;
}

/* Wait for something to do, for a second at most where there may be without
 * anybody's asking.  Mutex held. */
static void
wait_for_work(struct store *s)
{
	struct timespec until;

	if (!s->rotation.active && !s->due && s->log == NULL &&
	    atomic_load(&s->unready) == NULL) {
		(void)pthread_cond_wait(&s->wake, &s->mutex);
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STORE_TICK_MS / 1000;
	(void)pthread_cond_timedwait(&s->wake, &s->mutex, &until);
}

/*
 * Actions that came together lately will likely do so again: wait a moment for
 * the rest of them, as one commit for all costs less than two.  Mutex held.
 */
static void
gather(struct store *s)
{
	struct timespec until;
	size_t n = count_waiting(s);

	if (n == 0 || n >= s->together)
		return;
	until = clock_gather_until(s->run_ns);
	while (count_waiting(s) < s->together && !s->stopping) {
		if (pthread_cond_timedwait(&s->wake, &s->mutex, &until) != 0)
			break;
	}
}

/* Actions that wait for the batch before them are the first again.  Mutex held. */
static void
put_back(struct store *s, struct store_op *ops)
{
	struct store_op *last = ops;

	if (ops == NULL)
		return;
	for (s->waiting++; last->next != NULL; last = last->next)
		s->waiting++;
	last->next = s->first;
	if (s->first == NULL)
		s->last = &last->next;
	s->first = ops;
}

/* Run what is waiting; mutex held, but not meanwhile. */
static void
run_waiting(struct store *s)
{
	struct store_op *ops = NULL;
	uint64_t begun = clock_ns();
	bool more = count_waiting(s) > 0;

	s->taken = count_waiting(s);
	if (log_may_write(s)) {
		ops = s->first;
		s->first = NULL;
		s->last = &s->first;
		s->waiting = 0;
	}
	(void)pthread_mutex_unlock(&s->mutex);
	while (more) {
		ops = s->log != NULL ? run_log_batch(s, ops) : run_batch(s, ops);
		more = ops != NULL && log_may_write(s);
	}
	(void)pthread_mutex_lock(&s->mutex);
	put_back(s, ops);
	/* Who is told now comes again together with who came meanwhile. */
	s->run_ns = clock_ns() - begun;
	s->together = s->taken + count_waiting(s);
}

/* A database that failed is tried again with more than a request needs, since
 * nobody may write as long as it is said not to be ready. */
static void
probe(struct store *s)
{
	sqlite3_stmt *w = s->statements[WRITE_ROOM];
	const char *unready = atomic_load(&s->unready);
	int result = -1;

	if (unready == NULL || clock_ms() < s->probe_ms)
		return;
	s->probe_ms = clock_ms() + STORE_TICK_MS / 2;
	s->probing = true;
	for (int i = 0; i < 2 && (result = store_begin(s, NULL)) == 0; i++) {
		database_bind(w, "i", (int64_t)(i == 0 ? STORE_PROBE : 1));
		if (database_run(w, s->path, NULL) == -1) {
			store_rollback(s);
			result = -1;
			break;
		}
		if ((result = store_commit(s, NULL, 0, NULL)) == -1)
			break;
	}
	s->probing = false;
	if (result == -1)
		atomic_store(&s->unready, unready);
}

static void *
writer(void *store)
{
	struct store *s = store;
	bool more = true, stop = false, asked, ran;

	while (!stop) {
		(void)pthread_mutex_lock(&s->mutex);
		if (!more && is_idle(s))
			wait_for_work(s);
		gather(s);
		asked = s->request.state == REQUEST_MADE;
		if (asked)
			s->request.state = REQUEST_TAKEN;
		s->woken = false;
		ran = count_waiting(s) > 0;
		stop = s->stopping && !ran && !asked && log_is_settled(s);
		if (ran)
			run_waiting(s);
		(void)pthread_mutex_unlock(&s->mutex);

		if (asked)
			answer_request(s);
		if (!stop)
			probe(s);
		more = s->log != NULL && log_step(s);
		more = (log_may_write(s) && store_rotation_step(s)) || more;
		more = (log_may_write(s) && store_sweep(s)) || more;
		wake_waiters(s);
		store_rotation_tell(s);
	}
	return NULL;
}

void
store_step(struct store *s)
{
	bool more = true;

	while (more) {
		(void)pthread_mutex_lock(&s->mutex);
		run_waiting(s);
		(void)pthread_mutex_unlock(&s->mutex);
		more = store_rotation_step(s);
		more = store_sweep(s) || more;
		wake_waiters(s);
		store_rotation_tell(s);
		(void)pthread_mutex_lock(&s->mutex);
		more = more || count_waiting(s) > 0;
		(void)pthread_mutex_unlock(&s->mutex);
	}
}

/* --- opening and closing --- */

int
store_read_ring(struct store *s, const struct store_options *o, bool *used_old,
    struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(s->db), "SELECT text FROM keyring "
	    "WHERE id=0", s->path, err);
	struct error why = { 0 };
	const char *text;
	size_t n;
	int found;

	*used_old = false;
	if (r == NULL)
		return -1;
	found = database_next(r, s->path, err);
	if (found == 1) {
		text = database_text(r, 0, &n);
		s->ring = keyring_open(text, n, o->master, o->old, o->old_count, used_old, &why);
		if (s->ring == NULL && err != NULL)
			*err = why;
	}
	(void)sqlite3_finalize(r);
	return found == 1 && s->ring == NULL ? -1 : found;
}

/* A copy of a topic is not to go on as a registry of its own by mistake. */
static int
check_own(struct store *s, struct error *err)
{
	int64_t identity = 0;

	if (database_meta(database_writer(s->db), "log.identity", 0, &identity, s->path, err) != 0)
		return -1;
	if (identity == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "the database is the copy of a topic");
	return error_hint(err, "set store.log=kafka; or `propseal registry copy local` lets it be "
	    "the registry");
}

/* The keyring of the database, or a first one. */
static int
open_ring(struct store *s, const struct store_options *o, bool *used_old, struct error *err)
{
	sqlite3_stmt *r;
	int64_t rows = 0;
	int found = store_read_ring(s, o, used_old, err);

	if (found != 0)
		return found == 1 ? check_own(s, err) : -1;
	if ((r = database_prepare(database_writer(s->db), "SELECT (SELECT count(*) FROM secret)+"
	    "(SELECT count(*) FROM audit)", s->path, err)) == NULL)
		return -1;
	found = database_number(r, &rows, s->path, err);
	(void)sqlite3_finalize(r);
	if (found == -1)
		return -1;
	if (rows > 0) {
		error_set(err, ERROR_DAMAGED, "the database holds secrets, but no keyring");
		return error_hint(err, "restore a backup: without the keyring its secrets cannot "
		    "be opened");
	}
	s->ring_dirty = true;
	return (s->ring = keyring_new(o->master, err)) != NULL ? 0 : -1;
}

/* Where the numbers of changes and the time have come to. */
static int
read_ends(struct store *s, struct error *err)
{
	sqlite3 *db = database_writer(s->db);
	sqlite3_stmt *r = database_prepare(db, "SELECT coalesce(min(offset),0),"
	    "coalesce((SELECT at FROM change ORDER BY offset DESC LIMIT 1),0),"
	    "EXISTS(SELECT 1 FROM secret WHERE due IS NOT NULL) FROM change", s->path, err);
	int64_t now = store_now(s), last = 0;
	int found;

	if (r == NULL || reader_offset(s->reader, &s->next, err) == -1)
		goto fail;
	if ((found = database_next(r, s->path, err)) == -1)
		goto fail;
	s->remembered = (uint64_t)sqlite3_column_int64(r, 0);
	if (s->remembered == 0)
		s->remembered = s->next;
	last = sqlite3_column_int64(r, 1);
	s->due = sqlite3_column_int(r, 2) != 0;
	/* Times never go back; but one that is far ahead is somebody's mistake. */
	s->last_ms = last <= now + DAY_MS ? last : 0;
	s->shown_next = s->next;
	(void)sqlite3_finalize(r);
	reader_reset(s->reader);
	return 0;
fail:
	(void)sqlite3_finalize(r);
	return -1;
}

static int
store_start(struct store *s, const struct store_options *o, struct error *err)
{
	sqlite3 *db = database_writer(s->db);
	bool used_old = false;

	for (int i = 0; i < WRITE_COUNT; i++) {
		s->statements[i] = database_prepare(db, statements[i], s->path, err);
		if (s->statements[i] == NULL)
			return -1;
	}
	if ((s->reader = reader_on(db, s->path, err)) == NULL ||
	    (o->kafka != NULL ? log_open(s, o, err) : open_ring(s, o, &used_old, err)) == -1 ||
	    read_ends(s, err) == -1 || (s->sealer = sealer_new(s->ring, err)) == NULL)
		return -1;
	if (s->log != NULL)
		access_committed(s);
	/* Under a new master secret all is sealed again: whoever has the old one
	 * and an old copy of the database can open the data keys of before.  With a
	 * topic it is the leader who does it. */
	if (s->log == NULL) {
		if (used_old && keyring_add(s->ring, err) == -1)
			return -1;
		if ((used_old || s->ring_dirty) && store_save_keyring(s, err) == -1)
			return -1;
		if (store_rotation_resume(s, used_old ? "started" : "resumed", err) == -1)
			return -1;
	}
	if (s->no_thread)
		return 0;
	if (pthread_create(&s->thread, NULL, writer, s) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start the writer's thread");
	s->threaded = true;
	return 0;
}

struct store *
store_open(const struct store_options *o, struct error *err)
{
	struct store *s = error_alloc(sizeof(*s), err);
	pthread_condattr_t a;

	if (s == NULL)
		return NULL;
	(void)pthread_mutex_init(&s->mutex, NULL);
	(void)pthread_condattr_init(&a);
	(void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->wake, &a);
	(void)pthread_cond_init(&s->answered, &a);
	(void)pthread_condattr_destroy(&a);
	s->db = o->db;
	s->path = database_path(o->db);
	s->window_ms = o->undelete_window_ms < WINDOW_MAX ? o->undelete_window_ms : WINDOW_MAX;
	s->quota = o->quota;
	s->path_quota = o->path_quota;
	s->now = o->now;
	s->now_cookie = o->now_cookie;
	s->no_thread = o->no_thread;
	s->last = &s->first;
	buf_init(&s->sealed, 2 * (size_t)STORE_VALUE_MAX);
	buf_init_secret(&s->plain, 2 * (size_t)STORE_VALUE_MAX);
	if (store_start(s, o, err) == 0)
		return s;
	store_close(s);
	return NULL;
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
	log_close(s);
	for (int i = 0; i < WRITE_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	reader_free(s->reader);
	sealer_free(s->sealer);
	keyring_free(s->ring);
	buf_release(&s->sealed);
	buf_release(&s->plain);
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
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

struct database *
store_database(struct store *s)
{
	return s->db;
}

struct keyring *
store_keyring(struct store *s)
{
	return s->ring;
}

uint64_t
store_offset(struct store *s)
{
	uint64_t next;

	(void)pthread_mutex_lock(&s->mutex);
	next = s->shown_next;
	(void)pthread_mutex_unlock(&s->mutex);
	return next;
}

bool
store_has_log(const struct store *s)
{
	return s->log != NULL;
}

const char *
store_unready(const struct store *s)
{
	return atomic_load(&s->unready);
}
