#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "file/lock.h"
#include "registry/log/log.h"
#include "registry/log/log_index.h"
#include "registry/log/log_sqlite.h"
#include "registry/log/log_sqlite_internal.h"
#include "registry/log/sqlite_db.h"
#include "registry/log/sqlite_file.h"

static const char *const statements[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_INSERT_RECORD] = "INSERT INTO record VALUES(?,?,?)",
	[STATEMENT_DELETE_RECORD] = "DELETE FROM record WHERE offset=?",
	[STATEMENT_KEY_AT] = "SELECT key FROM record WHERE offset=?",
	[STATEMENT_READ_FROM] =
	    "SELECT offset,key,value FROM record WHERE offset>=? ORDER BY offset",
	[STATEMENT_SET_NEXT] = "UPDATE meta SET next=? WHERE id=0",
	[STATEMENT_ADD_EPOCH] = "UPDATE meta SET epoch=epoch+1 WHERE id=0",
	[STATEMENT_META] = "SELECT next,epoch FROM meta WHERE id=0",
};

/* There is no second holder of the file, so nobody to be kept out. */
static int
log_sqlite_claim(void *self, const char *node, uint64_t *epoch, struct error *err)
{
	struct log_sqlite *l = self;
	uint64_t next;
	int result = -1;
	int rc;

	(void)node;
	pthread_mutex_lock(&l->mutex);
	if (sqlite_append_usable(l, err) == 0) {
		rc = sqlite_append_run(l->statements[STATEMENT_ADD_EPOCH]);
		if (rc != SQLITE_DONE)
			sqlite_db_error(l->db, rc, l->path, "cannot claim the log", err);
		else
			result = sqlite_read_meta(l, &next, epoch, err);
	}
	pthread_mutex_unlock(&l->mutex);
	return result;
}

static void
log_sqlite_free(void *self)
{
	struct log_sqlite *l = self;
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(l->statements[i]);
	sqlite3_close(l->db);
	lock_release(l->lock);
	path_close(&l->place);
	log_index_free(l->index);
	free(l->changes);
	free(l->path);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}

/* A whole new file, so that one without its header is never one of ours. */
static int
log_sqlite_create(struct log_sqlite *l, struct error *err)
{
	struct sqlite_aside aside = SQLITE_ASIDE_NONE;
	sqlite3 *db = NULL;
	int result = -1;

	if (sqlite_file_start(&aside, &l->place, l->path, err) == -1)
		goto done;
	db = sqlite_db_open(aside.real, l->path, err);
	if (db == NULL || sqlite_db_durable(db, l->path, err) == -1 ||
	    sqlite_db_create(db, l->path, err) == -1)
		goto done;
	if (sqlite3_close(db) == SQLITE_OK) {
		db = NULL;
		result = sqlite_file_finish(&aside, err);
	}
done:
	sqlite3_close(db);
	sqlite_file_drop(&aside);
	return result;
}

static int
log_sqlite_prepare(struct log_sqlite *l, struct error *err)
{
	size_t i;

	for (i = 0; i < STATEMENT_COUNT; i++) {
		l->statements[i] = sqlite_db_prepare(l->db, statements[i], l->path, err);
		if (l->statements[i] == NULL)
			return -1;
	}
	return 0;
}

static int
log_sqlite_open_file(struct log_sqlite *l, struct error *err)
{
	/* Unless all is well, what SQLite holds back beside the file stays there. */
	bool keep = sqlite_file_has_wal(&l->place);

	l->db = sqlite_db_open(l->place.real, l->path, err);
	if (l->db == NULL)
		return -1;
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, NULL);
	if (sqlite_db_durable(l->db, l->path, err) == -1 ||
	    sqlite_db_verify(l->db, l->path, err) == -1 || log_sqlite_prepare(l, err) == -1 ||
	    sqlite_load(l, err) == -1)
		return -1;
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
}

static int
take_lock(struct log_sqlite *l, struct error *err)
{
	const char *path = l->path;

	l->lock = lock_files(&path, 1, 0, NULL, NULL, err);
	if (l->lock != NULL)
		return 0;
	if (err != NULL && err->code == ERROR_BUSY)
		error_hint(err, "one process alone may serve a registry's file: "
		    "stop the other, or give this one a folder of its own");
	return -1;
}

static const struct log_ops ops = {
	.append = sqlite_append,
	.read = sqlite_read,
	.end = sqlite_read_end,
	.claim = log_sqlite_claim,
	.backup = sqlite_backup,
	.free = log_sqlite_free,
};

struct log *
log_sqlite_open(const char *path, struct error *err)
{
	struct log *log = calloc(1, sizeof(*log));
	struct log_sqlite *l = calloc(1, sizeof(*l));
	bool exists;

	if (log == NULL || l == NULL) {
		error_memory(err);
		free(l);
		free(log);
		return NULL;
	}
	log->ops = &ops;
	log->self = l;
	l->place = (struct path)PATH_NONE;
	pthread_mutex_init(&l->mutex, NULL);
	l->path = strdup(path);
	l->index = log_index_new(err);
	if (l->path == NULL)
		error_memory(err);
	if (l->path == NULL || l->index == NULL || take_lock(l, err) == -1 ||
	    path_open(&l->place, path, err) == -1 ||
	    sqlite_file_check(&l->place, path, &exists, err) == -1 ||
	    (!exists && log_sqlite_create(l, err) == -1) || log_sqlite_open_file(l, err) == -1) {
		log_free(log);
		return NULL;
	}
	return log;
}
