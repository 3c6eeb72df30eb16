#include "base/error.h"
#include "registry/log/log.h"
#include "registry/log/log_index.h"
#include "registry/log/log_sqlite_internal.h"
#include "registry/log/sqlite_db.h"

/* One row into the index: 0, or -1. */
static int
load_row(struct log_sqlite *l, sqlite3_stmt *s, struct error *err)
{
	sqlite3_int64 offset = sqlite3_column_int64(s, 0);
	const void *key = sqlite_read_blob(s, 1);
	size_t len = (size_t)sqlite3_column_bytes(s, 1);
	uint32_t hash = log_index_hash(l->index, key, len);
	uint64_t other;
	int found;

	if (offset < 0 || len == 0 || len > LOG_KEY_MAX || sqlite3_column_int(s, 2) != 1)
		return sqlite_db_damaged(l->path, "a record of the log is not as it should be",
		    err);
	found = sqlite_append_find(l, key, len, hash, &other, err);
	if (found == -1)
		return -1;
	if (found == 1)
		return sqlite_db_damaged(l->path, "the log has two records of one key", err);
	if (log_index_reserve(l->index, 1, err) == -1)
		return -1;
	log_index_put(l->index, hash, (uint64_t)offset);
	l->next = (uint64_t)offset + 1;
	return 0;
}

int
sqlite_load(struct log_sqlite *l, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(l->db, "SELECT offset,key,typeof(key)='blob' AND "
	    "typeof(value)='blob' AND length(value)<=1048576 FROM record ORDER BY offset",
	    l->path, err);
	uint64_t next, epoch;
	int rc;

	_Static_assert(LOG_VALUE_MAX == 1048576, "the limit in the statement");
	if (s == NULL)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (load_row(l, s, err) == -1) {
			sqlite3_finalize(s);
			return -1;
		}
	}
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return sqlite_db_error(l->db, rc, l->path, "cannot read the log", err);
	if (sqlite_read_meta(l, &next, &epoch, err) == -1)
		return -1;
	if (next > l->next)
		l->next = next;
	return 0;
}
