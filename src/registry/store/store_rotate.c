#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store_internal.h"

#define PASSES_MAX 3		/* over everything, should records keep turning up */
#define LOOKS_MAX 20000		/* versions looked at in one step */
#define GRACE_MS 1000		/* readers may hold a record of before for so long */
#define KIDS_MAX 64

/* What others hear of a rotation. */

/* What a step has put together. */
struct resealed {
	struct buf bytes;
	size_t at[STORE_STEP_RECORDS + 1];
	size_t key_len[STORE_STEP_RECORDS];
	size_t n;
	bool end;			/* there was nothing more */
};

static void
store_rotation_fail(struct store *s, const char *text)
{
	(void)pthread_mutex_lock(&s->mutex);
	snprintf(s->rotation.shown.failure, sizeof(s->rotation.shown.failure), "%.255s",
	    text);
	(void)pthread_mutex_unlock(&s->mutex);
}

static void
store_rotation_note(struct store *s, const char *step)
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

/* Rotation: a new data key, and every record sealed again under it, in small
 * steps between the batches of ops. */

/* From the start of everything. */
static void
rewind_all(struct rotation *r)
{
	r->path = NULL;
	r->key = NULL;
	r->version = 0;
	r->unreadable = 0;
	r->drop_at_ms = 0;
}

static void
store_rotate_begin(struct store *s, uint32_t from, const char *step)
{
	struct rotation *r = &s->rotation;
	uint32_t to = keyring_active(s->ring);

	rewind_all(r);
	r->passes = 0;
	r->active = true;
	(void)pthread_mutex_lock(&s->mutex);
	memset(&r->shown, 0, sizeof(r->shown));
	r->shown.running = true;
	r->shown.from_kid = from;
	r->shown.to_kid = to;
	r->shown.total = state_sealed_elsewhere(s->state, to);
	r->shown.started_ms = store_now(s);
	(void)pthread_mutex_unlock(&s->mutex);
	store_rotation_note(s, step);
}

int
store_rotation_begin(struct store *s, const struct master *fresh, struct error *err)
{
	uint32_t from = keyring_active(s->ring);
	struct error why = { 0 };

	if (s->rotation.active)
		return error_set(err, ERROR_BUSY, "a rotation is running");
	if (store_prepare(s, err) == -1)
		return -1;
	if (fresh != NULL && !keyring_fits(s->ring, fresh)) {
		if (keyring_rewrap(s->ring, fresh, err) == -1)
			return -1;
		s->ring_dirty = true;
	}
	if (keyring_add(s->ring, err) == -1)
		return -1;
	s->ring_dirty = true;
	store_rotate_begin(s, from, "started");
	/* One record has both: whoever is killed now goes on at the next start.  If
	 * it cannot be written, nothing else can: it will be, before anything. */
	if (store_save_keyring(s, &why) == -1)
		store_rotation_fail(s, why.text);
	return 0;
}

void
store_rotation_resume(struct store *s, const char *step)
{
	uint32_t kids[KIDS_MAX];
	size_t n = keyring_kids(s->ring, kids, KIDS_MAX);

	if (n > 1 || state_sealed_elsewhere(s->state, keyring_active(s->ring)) > 0)
		store_rotate_begin(s, kids[0], step);
}

/* The next version in order; false: there are no more. */
static bool
store_rotate_next(struct store *s, const struct state_version **out)
{
	struct rotation *r = &s->rotation;
	size_t i;

	for (;;) {
		if (r->key != NULL) {
			i = state_version_rank(r->key, r->version);
			if (i < r->key->count) {
				*out = state_version_of(r->key, i);
				r->version = (*out)->number + 1;
				return true;
			}
			r->key = state_index_after(&r->key->path->keys, r->key->name,
			    r->key->name_len);
		}
		while (r->key == NULL) {
			r->path = state_index_after(&s->state->paths,
			    r->path != NULL ? r->path->name : "",
			    r->path != NULL ? r->path->name_len : 0);
			if (r->path == NULL)
				return false;
			r->key = state_index_after(&r->path->keys, "", 0);
		}
		r->version = 0;
	}
}

/* Encode a version, sealed under the active key, with all else as it was. */
static int
store_rotate_reseal(struct store *s, const struct state_version *v, struct buf *out,
    size_t *key_len, struct error *err)
{
	const struct state_key *k = s->rotation.key;
	struct record r = { .type = RECORD_SECRET, .path = k->path->name,
	    .path_len = k->path->name_len, .key = k->name, .key_len = k->name_len,
	    .version = v->number, .created_ms = v->created_ms,
	    .expires_ms = state_version_expires(v), .created_by = v->by, .epoch = s->epoch,
	    .has_idem = v->has_idem };
	struct sealed_name name = { r.path, r.path_len, r.key, r.key_len, r.version,
	    r.created_ms, r.expires_ms };
	size_t at = out->len;

	memcpy(r.claim, v->claim, sizeof(r.claim));
	if (v->has_idem)
		memcpy(r.idem, state_version_idem(v), sizeof(r.idem));
	buf_clear(&s->plain);
	buf_clear(&s->sealed);
	if (sealer_open(s->sealer, &name, state_version_sealed(v), v->sealed_len, &s->plain,
	    err) == -1 ||
	    sealer_seal(s->sealer, &name, s->plain.data, s->plain.len, &s->sealed, err) == -1)
		return -1;
	buf_clear(&s->plain);
	r.sealed = s->sealed.data;
	r.sealed_len = s->sealed.len;
	record_encode_key(&r, out);
	*key_len = out->len - at;
	record_encode_value(&r, out);
	return buf_check(out, err);
}

/* -1: not for a record's own sake. */
static int
store_rotate_collect(struct store *s, struct resealed *x, struct error *err)
{
	uint32_t active = keyring_active(s->ring);
	const struct state_version *v;
	size_t looks;

	for (looks = 0; looks < LOOKS_MAX && x->n < STORE_STEP_RECORDS &&
	    x->bytes.len < STORE_BATCH_BYTES; looks++) {
		if (!store_rotate_next(s, &v)) {
			x->end = true;
			break;
		}
		if (sealed_kid(state_version_sealed(v), v->sealed_len) == active)
			continue;
		x->at[x->n] = x->bytes.len;
		if (store_rotate_reseal(s, v, &x->bytes, &x->key_len[x->n], err) == 0) {
			x->n++;
		} else if (err->code == ERROR_DAMAGED || err->code == ERROR_KEY) {
			/* Kept as it is: a later release, or a found key, may open it. */
			s->rotation.unreadable++;
		} else {
			return -1;
		}
	}
	x->at[x->n] = x->bytes.len;
	return 0;
}

static int
store_rotate_write_all(struct store *s, const struct resealed *x, struct error *err)
{
	struct log_record records[STORE_STEP_RECORDS];
	const unsigned char *bytes = x->bytes.data;
	uint64_t first;
	size_t i;

	if (x->n == 0)
		return 0;
	for (i = 0; i < x->n; i++) {
		size_t value_at = x->at[i] + x->key_len[i];

		records[i] = (struct log_record){ bytes + x->at[i], x->key_len[i],
		    bytes + value_at, x->at[i + 1] - value_at };
	}
	return store_append(s, records, x->n, &first, err);
}

/* Seal some records again.  -1: not now; it will be tried again from there. */
static int
advance(struct store *s, bool *end, struct error *err)
{
	struct rotation *r = &s->rotation;
	struct rotation before = *r;
	struct resealed *x = calloc(1, sizeof(*x));
	int result;

	if (x == NULL)
		return error_memory(err);
	buf_init(&x->bytes, BUF_MAX_FILE);
	result = store_rotate_collect(s, x, err);
	if (result == 0)
		result = store_rotate_write_all(s, x, err);
	if (result == 0) {
		*end = x->end;
		(void)pthread_mutex_lock(&s->mutex);
		r->shown.done += x->n;
		if (r->shown.done > r->shown.total)
			r->shown.total = r->shown.done;
		r->shown.failure[0] = '\0';
		(void)pthread_mutex_unlock(&s->mutex);
	} else {
		r->path = before.path;
		r->key = before.key;
		r->version = before.version;
		r->unreadable = before.unreadable;
	}
	buf_release(&x->bytes);
	free(x);
	return result;
}

/* Forget the data keys that no record needs any more. */
static int
drop_keys(struct store *s, struct error *err)
{
	uint32_t kids[KIDS_MAX];
	size_t n = keyring_kids(s->ring, kids, KIDS_MAX);
	size_t i;

	for (i = 0; i < n && i < KIDS_MAX && s->state->kid_others == 0; i++) {
		if (kids[i] == keyring_active(s->ring) ||
		    state_sealed_under(s->state, kids[i]) > 0)
			continue;
		s->ring_dirty = true;
		if (keyring_drop(s->ring, kids[i], err) == -1)
			return -1;
	}
	return s->ring_dirty ? store_save_keyring(s, err) : 0;
}

static void
store_rotate_finish(struct store *s)
{
	struct rotation *r = &s->rotation;

	r->active = false;
	(void)pthread_mutex_lock(&s->mutex);
	r->shown.running = false;
	r->shown.finished_ms = store_now(s);
	r->shown.failure[0] = '\0';
	if (r->unreadable > 0)
		snprintf(r->shown.failure, sizeof(r->shown.failure), "%llu records could not "
		    "be opened; they were left as they are, and their data keys kept",
		    (unsigned long long)r->unreadable);
	(void)pthread_mutex_unlock(&s->mutex);
	store_rotation_note(s, r->unreadable > 0 ? "failed" : "finished");
}

/* Everything was looked at.  true: there is more to do at once. */
static bool
end_of_pass(struct store *s, struct error *err)
{
	struct rotation *r = &s->rotation;
	uint64_t left = state_sealed_elsewhere(s->state, keyring_active(s->ring));

	if (left > r->unreadable && r->passes < PASSES_MAX) {
		r->passes++;
		rewind_all(r);
		return true;
	}
	if (r->drop_at_ms == 0) {
		r->drop_at_ms = store_monotonic_ms() + (s->no_thread ? 0 : GRACE_MS);
		/* Those that are left are what did not open. */
		r->unreadable = left;
	}
	if (store_monotonic_ms() < r->drop_at_ms)
		return false;
	if (drop_keys(s, err) == -1) {
		store_rotation_fail(s, err->text);
		return false;
	}
	store_rotate_finish(s);
	return false;
}

bool
store_rotation_step(struct store *s)
{
	struct rotation *r = &s->rotation;
	struct error err = { 0 };
	bool end = false;

	if (!r->active || s->fenced)
		return false;
	if (store_prepare(s, &err) == -1) {
		store_rotation_fail(s, err.text);
		return false;
	}
	if (r->drop_at_ms != 0)
		return end_of_pass(s, &err);
	if (advance(s, &end, &err) == -1) {
		store_rotation_fail(s, err.text);
		return false;
	}
	return end ? end_of_pass(s, &err) : true;
}
