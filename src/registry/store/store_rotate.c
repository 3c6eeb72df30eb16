#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_internal.h"
#include "registry/store/store_log.h"

#define GRACE_MS 1000		/* readers may hold a value of before for so long */
#define KIDS_MAX 64
#define DUE_MAX 64		/* versions of one sweep */

/*
 * What the writer does on its own: versions that have expired are marked, those
 * that were deleted or have expired longer ago than they can be undeleted are
 * destroyed; and rotation, a new data key under which everything is sealed
 * again, in small steps between the batches of actions.
 */

struct due {
	uint64_t offset;
	uint32_t number;
	bool past;			/* to be destroyed, not marked */
	int64_t due_ms;
	char path[NAME_PATH_MAX + 1], key[NAME_KEY_MAX + 1];
	size_t path_len, key_len;
};

/* Add what is due by a statement; how many there are, or -1. */
static int
find_due(struct store *s, enum write_statement which, int64_t until_ms, int state,
    struct due *due, int n, struct error *err)
{
	sqlite3_stmt *r = s->statements[which];
	struct due *d;
	int found;

	database_bind(r, which == READ_PAST ? "iii" : "ii", until_ms, (int64_t)(DUE_MAX - n),
	    (int64_t)state);
	while ((found = database_next(r, s->path, err)) == 1) {
		const char *path, *key;

		d = &due[n];
		path = database_text(r, 1, &d->path_len);
		key = database_text(r, 2, &d->key_len);
		if (d->path_len > NAME_PATH_MAX || d->key_len > NAME_KEY_MAX)
			continue;
		memcpy(d->path, path, d->path_len);
		memcpy(d->key, key, d->key_len);
		d->offset = (uint64_t)sqlite3_column_int64(r, 0);
		d->number = (uint32_t)sqlite3_column_int64(r, 3);
		d->due_ms = sqlite3_column_int64(r, 4);
		d->past = which == READ_PAST;
		n++;
	}
	return found == -1 ? -1 : n;
}

static int
end_due(struct store *s, const struct due *d, struct error *err)
{
	struct secret_name name = { d->path, d->key, d->path_len, d->key_len };
	sqlite3_stmt *w = s->statements[WRITE_STATE];
	struct key_settings k;

	/* It stays ended, wherever the clock goes. */
	if (!d->past) {
		database_bind(w, "iiin", (int64_t)d->offset, (int64_t)ROW_EXPIRED, d->due_ms);
		return database_run(w, s->path, err);
	}
	if (reader_settings(s->reader, &name, &k, err) == -1)
		return -1;
	return decide_destroy(s, &name, d->number, d->offset, k.high, err);
}

bool
store_sweep(struct store *s)
{
	int64_t now_ms = store_now(s);
	int64_t past_ms = now_ms > 0 && (uint64_t)now_ms >= s->window_ms ?
	    now_ms - (int64_t)s->window_ms : INT64_MIN;
	struct due *due;
	bool done = false;
	int n;

	if (!s->due || (due = calloc(DUE_MAX, sizeof(*due))) == NULL)
		return false;
	n = find_due(s, READ_EXPIRED, now_ms, 0, due, 0, NULL);
	if (n >= 0 && n < DUE_MAX)
		n = find_due(s, READ_PAST, past_ms, ROW_EXPIRED, due, n, NULL);
	if (n >= 0 && n < DUE_MAX)
		n = find_due(s, READ_PAST, past_ms, ROW_DELETED, due, n, NULL);
	if (n > 0 && store_begin(s, NULL) == 0) {
		(void)store_stamp(s);
		done = true;
		for (int i = 0; i < n && done; i++)
			done = end_due(s, &due[i], NULL) == 0;
		if (done)
			done = store_commit(s, NULL, 0, NULL) == 0;
		else
			store_rollback(s);
	}
	free(due);
	return done;
}

/* --- rotation: what others hear of it --- */

static void
rotation_fail(struct store *s, const char *text)
{
	(void)pthread_mutex_lock(&s->mutex);
	snprintf(s->rotation.shown.failure, sizeof(s->rotation.shown.failure), "%.255s",
	    text);
	(void)pthread_mutex_unlock(&s->mutex);
}

static void
rotation_note(struct store *s, const char *step)
{
	struct rotation *r = &s->rotation;
	size_t i;

	(void)pthread_mutex_lock(&s->mutex);
	if (r->tell_count == STORE_TELLS) {
		memmove(&r->tells[0], &r->tells[1], (STORE_TELLS - 1) * sizeof(r->tells[0]));
		r->tell_count--;
	}
	i = r->tell_count++;
	snprintf(r->tells[i].step, sizeof(r->tells[i].step), "%s", step);
	r->tells[i].state = r->shown;
	(void)pthread_mutex_unlock(&s->mutex);
}

void
store_rotation_tell(struct store *s)
{
	struct rotation *r = &s->rotation;
	void (*tell)(void *cookie, const char *step, const struct rotation_state *state);
	struct rotation_state state;
	char step[sizeof(r->tells[0].step)];
	void *cookie;

	/* A keyring on its way to the topic is nobody's yet: who is killed before it is
	 * there has the one of before. */
	if (s->log != NULL && s->ring_dirty)
		return;
	for (;;) {
		(void)pthread_mutex_lock(&s->mutex);
		tell = r->tell;
		cookie = r->tell_cookie;
		if (tell == NULL || r->tell_count == 0) {
			(void)pthread_mutex_unlock(&s->mutex);
			return;
		}
		memcpy(step, r->tells[0].step, sizeof(step));
		state = r->tells[0].state;
		r->tell_count--;
		memmove(&r->tells[0], &r->tells[1], r->tell_count * sizeof(r->tells[0]));
		(void)pthread_mutex_unlock(&s->mutex);
		tell(cookie, step, &state);
	}
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

/* --- rotation: the work --- */

/* A data key's number as a sealed value begins with it. */
static void
kid_bytes(uint32_t kid, unsigned char out[4])
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(kid >> (24 - 8 * i));
}

/* Values under other data keys than the active one. */
static int
count_elsewhere(struct store *s, uint64_t *out, struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(s->db), "SELECT count(*) FROM secret "
	    "WHERE substr(sealed,1,4)<>?", s->path, err);
	unsigned char kid[4];
	int64_t n = 0;
	int result = -1;

	kid_bytes(keyring_active(s->ring), kid);
	if (r != NULL) {
		database_bind(r, "b", kid, sizeof(kid));
		result = database_number(r, &n, s->path, err);
	}
	(void)sqlite3_finalize(r);
	*out = (uint64_t)n;
	return result;
}

static int
rotation_start(struct store *s, uint32_t from, const char *step, struct error *err)
{
	struct rotation *r = &s->rotation;
	uint64_t total;

	if (count_elsewhere(s, &total, err) == -1)
		return -1;
	r->offset = r->unreadable = 0;
	r->needed_count = 0;
	r->drop_at_ms = 0;
	r->active = true;
	(void)pthread_mutex_lock(&s->mutex);
	memset(&r->shown, 0, sizeof(r->shown));
	r->shown.running = true;
	r->shown.from_kid = from;
	r->shown.to_kid = keyring_active(s->ring);
	r->shown.total = total;
	r->shown.started_ms = store_now(s);
	(void)pthread_mutex_unlock(&s->mutex);
	rotation_note(s, step);
	return 0;
}

int
store_rotation_begin(struct store *s, const struct master *fresh, struct error *err)
{
	uint32_t from = keyring_active(s->ring);
	struct error why = { 0 };

	if (s->log != NULL && s->log->role != LOG_LEADER) {
		(void)log_not_leading(s, err);
		return error_hint(err, "rotate where the leader is");
	}
	/* A new master secret comes in force at once, as its file did: what is
	 * running begins anew, with a key that the old one never wrapped. */
	if (s->rotation.active && (fresh == NULL || keyring_fits(s->ring, fresh)))
		return error_set(err, ERROR_BUSY, "a rotation is running");
	/* Can anything be written at all? */
	if (store_begin(s, err) == -1)
		return -1;
	store_rollback(s);
	if (fresh != NULL && !keyring_fits(s->ring, fresh)) {
		if (keyring_rewrap(s->ring, fresh, err) == -1)
			return -1;
		s->ring_dirty = true;
	}
	if (keyring_add(s->ring, err) == -1)
		return -1;
	s->ring_dirty = true;
	if (rotation_start(s, from, "started", err) == -1)
		return -1;
	/* One row has both: whoever is killed now goes on at the next start.  If
	 * it cannot be written, nothing else can: it will be, before anything. */
	if (store_save_keyring(s, &why) == -1)
		rotation_fail(s, why.text);
	return 0;
}

int
store_rotation_resume(struct store *s, const char *step, struct error *err)
{
	uint32_t kids[KIDS_MAX];
	size_t n = keyring_kids(s->ring, kids, KIDS_MAX);

	return n > 1 ? rotation_start(s, kids[0], step, err) : 0;
}

void
store_rotation_leave(struct store *s)
{
	s->rotation.active = false;
	(void)pthread_mutex_lock(&s->mutex);
	s->rotation.shown.running = false;
	(void)pthread_mutex_unlock(&s->mutex);
}

int
store_seal_again(struct store *s, struct sealer *from, const struct sealed_name *name,
    const void *sealed, size_t n, struct error *err)
{
	int rc;

	buf_clear(&s->plain);
	buf_clear(&s->sealed);
	rc = sealer_open(from, name, sealed, n, &s->plain, err);
	if (rc == 0)
		rc = sealer_seal(s->sealer, name, s->plain.data, s->plain.len, &s->sealed, err);
	buf_clear(&s->plain);
	return rc;
}

/* The row that ${r} is at: sealed under the active key, with all else as it
 * was.  1: it does not open, and stays as it is: a later release, or a found
 * key, may open it. */
static int
reseal(struct store *s, sqlite3_stmt *r, struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_SEALED];
	struct sealed_name name = { .version = (uint32_t)sqlite3_column_int64(r, 3),
	    .created_ms = sqlite3_column_int64(r, 4), .expires_ms = sqlite3_column_int64(r, 5) };
	const void *sealed;
	size_t n;

	name.path = database_text(r, 1, &name.path_len);
	name.key = database_text(r, 2, &name.key_len);
	sealed = database_blob(r, 6, &n);
	if (store_seal_again(s, s->sealer, &name, sealed, n, err) == -1)
		return err->code == ERROR_DAMAGED || err->code == ERROR_KEY ? 1 : -1;
	database_bind(w, "ib", sqlite3_column_int64(r, 0), s->sealed.data, s->sealed.len);
	return database_run(w, s->path, err);
}

/* A data key that a value needs, which stays sealed under it. */
static void
need_key(struct rotation *r, const void *sealed, size_t n)
{
	uint32_t kid = sealed_kid(sealed, n);

	r->unreadable++;
	for (size_t i = 0; i < r->needed_count; i++) {
		if (r->needed[i] == kid)
			return;
	}
	if (r->needed_count < KIDS_MAX)
		r->needed[r->needed_count++] = kid;
}

/* Seal some values again, in one transaction.  -1: not now; it will be tried
 * again from there.  ${*end}: there is nothing more. */
static int
advance(struct store *s, bool *end, struct error *err)
{
	sqlite3_stmt *q = s->statements[READ_SEALED];
	struct rotation *r = &s->rotation, before = *r;
	unsigned char kid[4];
	size_t bytes = 0, n;
	uint64_t done = 0;
	int found, result = 0;

	if (store_begin(s, err) == -1)
		return -1;
	kid_bytes(keyring_active(s->ring), kid);
	database_bind(q, "ibi", (int64_t)r->offset, kid, sizeof(kid), (int64_t)STORE_STEP_ROWS);
	while ((found = database_next(q, s->path, err)) == 1) {
		const void *sealed = database_blob(q, 6, &n);

		bytes += n;
		r->offset = (uint64_t)sqlite3_column_int64(q, 0);
		if ((result = reseal(s, q, err)) == -1)
			break;
		if (result == 1)
			need_key(r, sealed, n);
		else
			done++;
		if (bytes >= STORE_BATCH_BYTES)
			break;
	}
	(void)sqlite3_reset(q);
	if (found == -1 || result == -1)
		store_rollback(s);
	if (found == -1 || result == -1 || store_commit(s, NULL, 0, err) == -1) {
		r->offset = before.offset;
		r->unreadable = before.unreadable;
		r->needed_count = before.needed_count;
		return -1;
	}
	*end = bytes == 0;
	(void)pthread_mutex_lock(&s->mutex);
	r->shown.done += done;
	if (r->shown.done > r->shown.total)
		r->shown.total = r->shown.done;
	r->shown.failure[0] = '\0';
	(void)pthread_mutex_unlock(&s->mutex);
	return 0;
}

/* Forget the data keys that no value needs any more. */
static int
drop_keys(struct store *s, struct error *err)
{
	struct rotation *r = &s->rotation;
	uint32_t kids[KIDS_MAX];
	size_t n = keyring_kids(s->ring, kids, KIDS_MAX), i, j;

	for (i = 0; i < n && i < KIDS_MAX && r->needed_count < KIDS_MAX; i++) {
		for (j = 0; j < r->needed_count && r->needed[j] != kids[i]; j++)
			continue;
		if (kids[i] == keyring_active(s->ring) || j < r->needed_count)
			continue;
		s->ring_dirty = true;
		if (keyring_drop(s->ring, kids[i], err) == -1)
			return -1;
	}
	return s->ring_dirty ? store_save_keyring(s, err) : 0;
}

/* Everything was looked at; nothing new comes in under an old key. */
static void
rotation_finish(struct store *s)
{
	struct rotation *r = &s->rotation;
	struct error err = { 0 };

	if (r->drop_at_ms == 0)
		r->drop_at_ms = clock_ms() + (s->no_thread ? 0 : GRACE_MS);
	if (clock_ms() < r->drop_at_ms)
		return;
	if (drop_keys(s, &err) == -1) {
		rotation_fail(s, err.text);
		return;
	}
	r->active = false;
	(void)pthread_mutex_lock(&s->mutex);
	r->shown.running = false;
	r->shown.finished_ms = store_now(s);
	r->shown.failure[0] = '\0';
	if (r->unreadable > 0)
		snprintf(r->shown.failure, sizeof(r->shown.failure), "%llu values could not "
		    "be opened; they were left as they are, and their data keys kept",
		    (unsigned long long)r->unreadable);
	(void)pthread_mutex_unlock(&s->mutex);
	rotation_note(s, r->unreadable > 0 ? "failed" : "finished");
}

bool
store_rotation_step(struct store *s)
{
	struct rotation *r = &s->rotation;
	struct error err = { 0 };
	bool end = false;

	if (!r->active)
		return false;
	if (r->drop_at_ms == 0) {
		if (advance(s, &end, &err) == -1) {
			rotation_fail(s, err.text);
			return false;
		}
		if (!end)
			return true;
	}
	rotation_finish(s);
	return false;
}
