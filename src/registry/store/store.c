#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store_internal.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define WINDOW_MAX (UINT64_C(1) << 60)

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
	s->witness = *w;
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
