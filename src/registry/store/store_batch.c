#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/key.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_log.h"

/* From the rows that a transaction touched to the records of a batch. */

void
batch_clear(struct store_log *l)
{
	struct kafka_record *r;

	for (size_t i = 0; i < l->courier.records.len; i++) {
		r = vec_at(&l->courier.records, i);
		free((void *)(uintptr_t)r->key);
		free((void *)(uintptr_t)r->value);
	}
	vec_release(&l->courier.records);
	vec_init(&l->courier.records, sizeof(*r), LOG_RECORDS_MAX);
}

/*
 * Of each batch another, also after one that was refused: its records may stand in the
 * topic, aborted, and whoever may write there can put them behind what came later.
 */
static void
batch_number(struct store_log *l)
{
	l->sealed = (l->sealed > l->revision ? l->sealed : l->revision) + 1;
}

/* One more, sealed: of ${l}->body, or of a keyring's text in ${l}->text. */
static int
batch_add(struct store_log *l, const struct record_name *name, struct error *err)
{
	struct kafka_record *r;
	int rc;

	buf_clear(&l->key);
	buf_clear(&l->value);
	record_name_write(name, &l->key);
	if (buf_check(&l->key, err) != 0 || buf_check(&l->body, err) != 0)
		return -1;
	rc = name->type == RECORD_KEYRING ? record_seal_keyring(l->seal, &l->key, l->sealed,
	    &l->text, &l->value, err) : record_seal(l->seal, &l->key, l->sealed, &l->body,
	    &l->value, err);
	if (rc != 0)
		return -1;
	if ((r = vec_push(&l->courier.records)) == NULL)
		return error_set(err, ERROR_LIMIT, "one change touches more than %d records",
		    LOG_RECORDS_MAX);
	r->key_len = l->key.len;
	r->value_len = l->value.len;
	if ((r->key = malloc(l->key.len)) == NULL || (r->value = malloc(l->value.len)) == NULL)
		return error_memory(err);
	memcpy((void *)(uintptr_t)r->key, l->key.data, l->key.len);
	memcpy((void *)(uintptr_t)r->value, l->value.data, l->value.len);
	return 0;
}

/* The row's text of ${column}. */
static void
put_column(struct buf *out, sqlite3_stmt *r, int column)
{
	size_t n;
	const void *bytes = database_blob(r, column, &n);

	record_put_bytes(out, bytes, n);
}

/* Path and key, or no path and the name. */
static bool
name_of_row(sqlite3_stmt *r, enum record_type type, struct record_name *name)
{
	const char *path = database_text(r, 0, &name->path_len);
	const char *key = database_text(r, 1, &name->key_len);

	name->type = type;
	name->number = 0;
	if (name->path_len > NAME_PATH_MAX || name->key_len > RECORD_NAME_MAX)
		return false;
	memcpy(name->path, path, name->path_len);
	memcpy(name->key, key, name->key_len);
	return true;
}

static int
collect_secrets(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3_stmt *r = l->statements[LOG_TOUCHED_SECRETS];
	struct record_name name;
	int found;

	while ((found = database_next(r, s->path, err)) == 1) {
		if (!name_of_row(r, RECORD_SECRET, &name))
			continue;
		name.number = (uint32_t)sqlite3_column_int64(r, 2);
		buf_clear(&l->body);
		/* One that is gone leaves a mark, as its number is never given again. */
		record_put(&l->body, sqlite3_column_type(r, 3) != SQLITE_NULL);
		if (sqlite3_column_type(r, 3) != SQLITE_NULL) {
			for (int i = 3; i <= 6; i++)
				record_put(&l->body, sqlite3_column_int64(r, i));
			put_column(&l->body, r, 7);
			record_put(&l->body, sqlite3_column_int64(r, 8));
			record_put(&l->body, sqlite3_column_type(r, 9) != SQLITE_NULL);
			for (int i = 9; i <= 12; i++)
				put_column(&l->body, r, i);
		}
		if (batch_add(l, &name, err) != 0) {
			(void)sqlite3_reset(r);
			return -1;
		}
	}
	return found;
}

static int
collect_settings(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3_stmt *r = l->statements[LOG_TOUCHED_SETTINGS];
	struct record_name name;
	int found;

	while ((found = database_next(r, s->path, err)) == 1) {
		if (!name_of_row(r, RECORD_META, &name))
			continue;
		buf_clear(&l->body);
		for (int i = 2; i <= 4; i++)
			record_put(&l->body, sqlite3_column_int64(r, i));
		put_column(&l->body, r, 5);
		record_put(&l->body, sqlite3_column_int64(r, 6));
		record_put(&l->body, sqlite3_column_int64(r, 7));
		put_column(&l->body, r, 8);
		if (batch_add(l, &name, err) != 0) {
			(void)sqlite3_reset(r);
			return -1;
		}
	}
	return found;
}

static int
collect_access(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3_stmt *r = l->statements[LOG_TOUCHED_ACCESS];
	struct record_name name;
	int found;

	while ((found = database_next(r, s->path, err)) == 1) {
		if (!name_of_row(r, RECORD_ACCESS, &name))
			continue;
		name.number = (uint32_t)sqlite3_column_int64(r, 2);
		buf_clear(&l->body);
		/* Who is gone leaves a mark, or an old record would bring him back. */
		record_put(&l->body, sqlite3_column_type(r, 3) != SQLITE_NULL);
		put_column(&l->body, r, 3);
		if (batch_add(l, &name, err) != 0) {
			(void)sqlite3_reset(r);
			return -1;
		}
	}
	return found;
}

/* What was done, for those who watch: many in a record, as many records as needed. */
static int
collect_changes(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3_stmt *r = l->statements[LOG_CHANGES];
	struct record_name name = { .type = RECORD_CHANGES };
	int found;

	buf_clear(&l->body);
	database_bind(r, "i", (int64_t)s->begun_next);
	while ((found = database_next(r, s->path, err)) == 1) {
		record_put(&l->body, sqlite3_column_int64(r, 0));
		record_put(&l->body, sqlite3_column_int64(r, 1));
		put_column(&l->body, r, 2);
		put_column(&l->body, r, 3);
		record_put(&l->body, sqlite3_column_int64(r, 4));
		record_put(&l->body, sqlite3_column_int64(r, 5));
		if (l->body.len < LOG_CHANGES_BYTES)
			continue;
		if (batch_add(l, &name, err) != 0) {
			(void)sqlite3_reset(r);
			return -1;
		}
		name.number++;
		buf_clear(&l->body);
	}
	if (found == 0 && l->body.len > 0)
		found = batch_add(l, &name, err);
	return found;
}

static int
collect_keyring(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	struct record_name name = { .type = RECORD_KEYRING };

	buf_clear(&l->text);
	l->ring_sent = keyring_generation(s->ring);
	if (keyring_encode(s->ring, &l->text, err) != 0)
		return -1;
	return batch_add(l, &name, err);
}

/* The end of each batch. */
static int
collect_head(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	struct record_name name = { .type = RECORD_HEAD };

	buf_clear(&l->body);
	record_put(&l->body, (int64_t)s->next);
	record_put(&l->body, s->last_ms);
	if (random_bytes(l->batch, sizeof(l->batch), err) != 0)
		return -1;
	record_put_bytes(&l->body, l->batch, sizeof(l->batch));
	return batch_add(l, &name, err);
}

int
batch_collect(struct store *s, struct error *err)
{
	struct store_log *l = s->log;

	batch_clear(l);
	batch_number(l);
	if (l->taking && batch_leader(s, RECORD_LEADER, err) != 0)
		return -1;
	if (((s->ring_dirty || l->taking) && collect_keyring(s, err) != 0) ||
	    collect_secrets(s, err) != 0 || collect_settings(s, err) != 0 ||
	    collect_access(s, err) != 0)
		return -1;
	if (l->courier.records.len == 0)
		return 0;
	if (collect_changes(s, err) != 0 || collect_head(s, err) != 0)
		return -1;
	return 1;
}

int
batch_leader(struct store *s, enum record_type type, struct error *err)
{
	struct store_log *l = s->log;
	struct record_name name = { .type = type };

	if (type == RECORD_NOOP)
		batch_number(l);
	buf_clear(&l->body);
	record_put_bytes(&l->body, l->term, LOG_ID);
	record_put(&l->body, store_now(s));
	record_put_bytes(&l->body, l->url, strlen(l->url));
	return batch_add(l, &name, err);
}

int
batch_begin(struct store *s, struct error *err)
{
	batch_clear(s->log);
	batch_number(s->log);
	return collect_keyring(s, err) == 0 ? collect_head(s, err) : -1;
}
