#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/database/database.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_internal.h"

/*
 * What a backup holds in the place of all that there is, while the registry is served: one
 * action of the writer, so that it happens as a whole or not at all.  Every value is sealed
 * again under the key that is active now, as the backup's may be gone, or its number be
 * another key's.  Each key goes on with the highest number that it ever had here.
 */

struct store_backup {
	struct database *db;
	struct keyring *ring;
	struct sealer *sealer;
	const char *path;
	uint64_t next;			/* the offset that its next change would have had */
};

/* All but what numbers were given goes. */
static const char emptying[] =
    "INSERT INTO setting SELECT path,key,max(version),0,0,'{}',0,0,'' FROM secret WHERE true "
    "GROUP BY path,key ON CONFLICT DO UPDATE SET high=max(high,excluded.high);"
    "UPDATE setting SET max_versions=0,cas_required=0,custom='{}',updated=0,updater='';"
    "DELETE FROM idempotency; DELETE FROM secret; DELETE FROM change;";

/* What is read there and written here, column by column; of secrets the value is last. */
static const char *const copies[][2] = {
	{ "SELECT path,key,high,max_versions,cas_required,custom,mcas,updated,updater "
	    "FROM setting",
	    "INSERT INTO setting VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
	    "high=max(high,excluded.high),max_versions=excluded.max_versions,"
	    "cas_required=excluded.cas_required,custom=excluded.custom,"
	    "mcas=max(mcas,excluded.mcas),updated=excluded.updated,updater=excluded.updater" },
	{ "SELECT offset,path,key,version,state,due,created,principal,expires,deleter,sealed "
	    "FROM secret",
	    "INSERT INTO secret(offset,path,key,version,state,due,created,principal,expires,"
	    "deleter,sealed) VALUES(?,?,?,?,?,?,?,?,?,?,?)" },
	{ "SELECT offset,digest,content FROM idempotency",
	    "INSERT INTO idempotency VALUES(?,?,?)" },
};

enum { COPY_SETTINGS, COPY_SECRETS, COPY_IDEMPOTENCY, COPY_COUNT };

static int
open_ring(struct store_backup *b, const struct keyring *ring, struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(b->db), "SELECT text FROM keyring "
	    "WHERE id=0", b->path, err);
	const char *text;
	size_t n;
	int found;

	if (r == NULL)
		return -1;
	if ((found = database_next(r, b->path, err)) == 1) {
		text = database_text(r, 0, &n);
		b->ring = keyring_open_copy(text, n, ring, err);
	} else if (found == 0) {
		(void)error_set(err, ERROR_DAMAGED, "the backup has no keyring");
	}
	(void)sqlite3_finalize(r);
	return b->ring != NULL && (b->sealer = sealer_new(b->ring, err)) != NULL ? 0 : -1;
}

/* A backup may be newer than what is there now, that of an older one. */
static int
read_next(struct store_backup *b, struct error *err)
{
	struct reader *r = reader_on(database_writer(b->db), b->path, err);
	int rc = r != NULL ? reader_offset(r, &b->next, err) : -1;

	reader_free(r);
	return rc;
}

struct store_backup *
store_backup_open(struct store *s, const char *path, struct error *err)
{
	struct store_backup *b;
	int version = database_look(path, err);

	if (version == -1)
		return NULL;
	if (version != DATABASE_VERSION) {
		error_set(err, version == 0 ? ERROR_MISSING : ERROR_REFUSED, version == 0 ?
		    "there is no such backup" : "this is a backup of the first edition");
		return NULL;
	}
	if ((b = error_alloc(sizeof(*b), err)) == NULL)
		return NULL;
	if ((b->db = database_open(path, err)) != NULL) {
		b->path = database_path(b->db);
		if (open_ring(b, s->ring, err) == 0 && read_next(b, err) == 0)
			return b;
	}
	store_backup_close(b);
	return NULL;
}

void
store_backup_close(struct store_backup *b)
{
	if (b == NULL)
		return;
	sealer_free(b->sealer);
	keyring_free(b->ring);
	database_close(b->db);
	free(b);
}

/* The value of the row that ${r} is at, into the scratch, under the active key. */
static int
seal_again(struct store *s, const struct store_backup *b, sqlite3_stmt *r, struct error *err)
{
	struct sealed_name name = { .version = (uint32_t)sqlite3_column_int64(r, 3),
	    .created_ms = sqlite3_column_int64(r, 6), .expires_ms = sqlite3_column_int64(r, 8) };
	const void *sealed;
	size_t n;

	name.path = database_text(r, 1, &name.path_len);
	name.key = database_text(r, 2, &name.key_len);
	sealed = database_blob(r, 10, &n);
	return store_seal_again(s, b->sealer, &name, sealed, n, err);
}

/* How many rows; -1. */
static int64_t
copy_rows(struct store *s, const struct store_backup *b, int what, struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(b->db), copies[what][0], b->path, err);
	sqlite3_stmt *w = r != NULL ? database_prepare(database_writer(s->db), copies[what][1],
	    s->path, err) : NULL;
	int found = w != NULL ? 1 : -1;
	int64_t rows = 0;

	while (found == 1 && (found = database_next(r, b->path, err)) == 1) {
		bool bound = true;

		for (int i = 0; i < sqlite3_column_count(r); i++)
			bound &= sqlite3_bind_value(w, i + 1, sqlite3_column_value(r, i)) ==
			    SQLITE_OK;
		if (what == COPY_SECRETS) {
			if (seal_again(s, b, r, err) != 0)
				found = -1;
			bound &= sqlite3_bind_blob64(w, 11, s->sealed.data, s->sealed.len,
			    SQLITE_STATIC) == SQLITE_OK;
		}
		if (found == 1 && !bound)
			found = error_memory(err);
		if (found == 1 && database_run(w, s->path, err) != 0)
			found = -1;
		rows++;
	}
	(void)sqlite3_finalize(r);
	(void)sqlite3_finalize(w);
	return found == 0 ? rows : -1;
}

int
restore_decide(struct store *s, struct store_op *op, struct error *err)
{
	int64_t rows[COPY_COUNT] = { 0 };

	if (s->rotation.active) {
		op->result = STORE_FAILED;
		error_set(&op->err, ERROR_BUSY, "a rotation of keys is running");
		return 0;
	}
	if (database_exec(database_writer(s->db), emptying, s->path, err) != 0)
		return -1;
	for (int i = 0; i < COPY_COUNT; i++) {
		if ((rows[i] = copy_rows(s, op->backup, i, err)) == -1)
			return -1;
	}
	/* Who waits for changes since one of before is told to read all again. */
	if (s->next < op->backup->next)
		s->next = op->backup->next;
	op->offset = s->next++;
	s->remembered = s->next;
	s->due = true;
	op->touched_count = (size_t)rows[COPY_SECRETS];
	return database_set_meta(database_writer(s->db), "offset", (int64_t)s->next, s->path,
	    err) == 0 ? 1 : -1;
}
