#ifndef SUPPORT_STORE_SUPPORT_H
#define SUPPORT_STORE_SUPPORT_H

/* A store on FILE in the folder of the test, and actions on it one after the other. */

#include "base/buf.h"
#include "base/error.h"
#include "registry/database/database.h"
#include "registry/keys/keyring.h"
#include "registry/store/reader.h"
#include "registry/store/store.h"
#include "files.h"
#include "unit.h"

#define STORE_FILE "registry.db"

#define STORE_WINDOW 10000

static int64_t store_clock = 1000000;

UNIT_HELPER int64_t
store_clock_now(void *cookie)
{
	(void)cookie;
	return store_clock;
}

/* A master secret of raw bytes, every second digit of which is ${c}: no scrypt. */
UNIT_HELPER struct master *
store_master(char c)
{
	struct master *m;
	struct buf text;
	size_t i;

	buf_init_secret(&text, 100);
	for (i = 0; i < 64; i++)
		buf_append_char(&text, i % 2 == 0 ? c : "0123456789abcdef"[i / 2 % 16]);
	m = master_from_text(&text, false, NULL);
	assert_non_null(m);
	buf_release(&text);
	return m;
}

/* NULL with ${err}: as store_open. */
UNIT_HELPER struct store *
store_try(const struct master *m, const struct master *old, bool thread, struct error *err)
{
	struct store_options o = { .master = m, .old = &old, .old_count = old != NULL,
	    .undelete_window_ms = STORE_WINDOW, .now = thread ? NULL : store_clock_now,
	    .no_thread = !thread };
	struct store *s;

	if ((o.db = database_open(STORE_FILE, err)) == NULL)
		return NULL;
	if ((s = store_open(&o, err)) == NULL)
		database_close(o.db);
	return s;
}

UNIT_HELPER void
store_end(struct store *s)
{
	struct database *d = s != NULL ? store_database(s) : NULL;

	store_close(s);
	database_close(d);
}

UNIT_HELPER struct store *
store_on(const struct master *m)
{
	struct error err = { 0 };
	struct store *s = store_try(m, NULL, false, &err);

	if (s == NULL)
		fail_msg("%s: %s", err.file, err.text);
	return s;
}

/* While no store has it. */
UNIT_HELPER void
store_sql(const char *sql)
{
	char *text = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(STORE_FILE, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", sql, text);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
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

UNIT_HELPER struct reader *
store_reader(struct store *s)
{
	struct error err = { 0 };
	struct reader *r = reader_new(s, &err);

	if (r == NULL || reader_begin(r, &err) == -1)
		fail_msg("%s", err.text);
	return r;
}

UNIT_HELPER void
store_read(struct reader *r)
{
	reader_end(r);
	reader_free(r);
}

UNIT_HELPER struct secret_name
store_name(const char *path, const char *key)
{
	return (struct secret_name){ path, key, strlen(path), strlen(key) };
}

/* The live value of a version (0: the latest) is in ${out}; false: none. */
UNIT_HELPER bool
store_value(struct store *s, const char *path, const char *key, uint32_t number, char out[64])
{
	struct secret_name name = store_name(path, key);
	struct sealed_name bound = { path, strlen(path), key, strlen(key), 0, 0, 0 };
	struct reader *r = store_reader(s);
	struct version_view v;
	struct sealer *sealer;
	struct buf plain;
	int found = number == 0 ? reader_latest(r, &name, true, &v, NULL) :
	    reader_version(r, &name, number, true, &v, NULL);

	assert_int_not_equal(found, -1);
	if (found == 1 && v.status != VERSION_LIVE)
		found = 0;
	if (found == 1) {
		sealer = sealer_new(store_keyring(s), NULL);
		assert_non_null(sealer);
		buf_init_secret(&plain, 1 << 20);
		bound.version = v.number;
		bound.created_ms = v.created_ms;
		bound.expires_ms = v.expires_ms;
		assert_int_equal(sealer_open(sealer, &bound, v.sealed, v.sealed_len, &plain, NULL),
		    0);
		assert_true(plain.len < 64);
		if (plain.len > 0)
			memcpy(out, plain.data, plain.len);
		out[plain.len] = '\0';
		buf_release(&plain);
		sealer_free(sealer);
	}
	store_read(r);
	return found == 1;
}

/* Is a version there that is not destroyed? */
UNIT_HELPER bool
store_there(struct store *s, const char *path, const char *key, uint32_t number,
    struct version_view *v)
{
	struct secret_name name = store_name(path, key);
	struct reader *r = store_reader(s);
	int found = reader_version(r, &name, number, false, v, NULL);

	v->created_by = v->deleted_by = NULL;
	store_read(r);
	assert_int_not_equal(found, -1);
	return found == 1;
}

/* "1 2 4": the live versions. */
UNIT_HELPER const char *
store_live(struct store *s, const char *path, const char *key, char out[256])
{
	struct secret_name name = store_name(path, key);
	struct reader *r = store_reader(s);
	struct version_view v;
	uint32_t after = 0;
	size_t n = 0;

	out[0] = '\0';
	while (reader_next(r, &name, after, false, &v, NULL) == 1) {
		after = v.number;
		if (v.status == VERSION_LIVE && n < 240)
			n += (size_t)snprintf(out + n, 256 - n, n > 0 ? " %u" : "%u", v.number);
	}
	store_read(r);
	return out;
}

UNIT_HELPER uint64_t
store_next_offset(struct store *s)
{
	struct reader *r = store_reader(s);
	uint64_t next;

	assert_int_equal(reader_offset(r, &next, NULL), 0);
	store_read(r);
	return next;
}

UNIT_HELPER bool
store_path_live(struct store *s, const char *path)
{
	struct reader *r = store_reader(s);
	struct path_view p;
	bool live = reader_path(r, path, strlen(path), &p, NULL) == 1 && p.live;

	store_read(r);
	return live;
}

#endif /* !SUPPORT_STORE_SUPPORT_H */
