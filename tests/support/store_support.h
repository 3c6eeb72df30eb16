#ifndef SUPPORT_STORE_SUPPORT_H
#define SUPPORT_STORE_SUPPORT_H

/* A store over the simulated log, and actions on it one after the other. */

#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/state.h"
#include "registry/store/store.h"
#include "log_memory.h"
#include "unit.h"

#define STORE_WINDOW 10000

static int64_t store_clock = 1000000;

UNIT_HELPER int64_t
store_clock_now(void *cookie)
{
	(void)cookie;
	return store_clock;
}

/* A master secret of raw bytes, all ${c}: no scrypt. */
UNIT_HELPER struct master *
store_master(char c)
{
	struct master *m;
	struct buf text;
	size_t i;

	buf_init_secret(&text, 100);
	for (i = 0; i < 64; i++)
		buf_append_char(&text, c);
	m = master_from_text(&text, false, NULL);
	assert_non_null(m);
	buf_release(&text);
	return m;
}

/* NULL with ${err}: as store_open. */
UNIT_HELPER struct store *
store_try(struct log_memory *topic, const struct master *m, const struct master *old,
    bool thread, struct error *err)
{
	struct store_options o = { .log = log_memory_view(topic), .master = m, .old = &old,
	    .old_count = old != NULL, .node = "test", .undelete_window_ms = STORE_WINDOW,
	    .now = thread ? NULL : store_clock_now, .no_thread = !thread };

	assert_non_null(o.log);
	return store_open(&o, err);
}

UNIT_HELPER struct store *
store_on(struct log_memory *topic, const struct master *m)
{
	struct error err = { 0 };
	struct store *s = store_try(topic, m, NULL, false, &err);

	if (s == NULL)
		fail_msg("%s", err.text);
	return s;
}

UNIT_HELPER void
store_op_name(struct store_op *op, const char *path, const char *key)
{
	op->path_len = strlen(path);
	memcpy(op->path, path, op->path_len + 1);
	op->key_len = strlen(key);
	memcpy(op->key, key, op->key_len + 1);
	op->by = "User:t";
}

UNIT_HELPER void
store_op_create(struct store_op *op, const char *path, const char *key, const char *value)
{
	store_op_init(op, STORE_CREATE);
	store_op_name(op, path, key);
	buf_append(&op->value, value, strlen(value));
}

UNIT_HELPER void
store_count_done(struct store_op *op)
{
	++*(int *)op->cookie;
}

/* Run one op to its end (no thread). */
UNIT_HELPER enum store_result
store_do(struct store *s, struct store_op *op)
{
	int done = 0;

	op->done = store_count_done;
	op->cookie = &done;
	store_submit(s, op);
	store_step(s);
	assert_int_equal(done, 1);
	return op->result;
}

/* Create; the version, or 0 (then ${*result} tells, if not NULL). */
UNIT_HELPER uint32_t
store_create(struct store *s, const char *path, const char *key, const char *value)
{
	struct store_op op;
	uint32_t version;

	store_op_create(&op, path, key, value);
	version = store_do(s, &op) == STORE_DONE ? op.version : 0;
	store_op_release(&op);
	return version;
}

UNIT_HELPER enum store_result
store_act(struct store *s, enum store_action action, const char *path, const char *key,
    uint32_t version)
{
	struct store_op op;
	enum store_result result;

	store_op_init(&op, action);
	store_op_name(&op, path, key);
	op.version = version;
	result = store_do(s, &op);
	store_op_release(&op);
	return result;
}

UNIT_HELPER const struct state_key *
store_key(struct store *s, const char *path, const char *key)
{
	const struct state_path *p = state_path_find(store_state(s), path, strlen(path));

	return p != NULL ? state_key_find(p, key, strlen(key)) : NULL;
}

/* The live value of a version (0: the latest) is in ${out}; false: none. */
UNIT_HELPER bool
store_value(struct store *s, const char *path, const char *key, uint32_t number, char out[64])
{
	const struct state_key *k;
	struct sealed_name name = { path, strlen(path), key, strlen(key), 0, 0, 0 };
	struct version_view v;
	struct sealer *sealer;
	struct buf plain;
	bool found = false;

	state_lock(store_state(s));
	k = store_key(s, path, key);
	if (k != NULL)
		found = number == 0 ? state_version_latest(k, store_now(s), &v) :
		    state_version_find(k, number, store_now(s), &v) && v.status == VERSION_LIVE;
	if (found) {
		sealer = sealer_new(store_keyring(s), NULL);
		assert_non_null(sealer);
		buf_init_secret(&plain, 1 << 20);
		name.version = v.number;
		name.created_ms = v.created_ms;
		name.expires_ms = v.expires_ms;
		assert_int_equal(sealer_open(sealer, &name, v.sealed, v.sealed_len, &plain, NULL),
		    0);
		assert_true(plain.len < 64);
		if (plain.len > 0)
			memcpy(out, plain.data, plain.len);
		out[plain.len] = '\0';
		buf_release(&plain);
		sealer_free(sealer);
	}
	state_unlock(store_state(s));
	return found;
}

/* "1 2 4": the live versions. */
UNIT_HELPER const char *
store_live(struct store *s, const char *path, const char *key, char out[256])
{
	const struct state_key *k = store_key(s, path, key);
	struct version_view v;
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; k != NULL && i < state_version_count(k); i++) {
		state_version_at(k, i, store_now(s), &v);
		if (v.status == VERSION_LIVE)
			n += (size_t)snprintf(out + n, 256 - n, n > 0 ? " %u" : "%u", v.number);
	}
	return out;
}

#endif /* !SUPPORT_STORE_SUPPORT_H */
