/*
 * Any record of the first edition: the key up to the first newline, behind it the
 * value; beside two that are whole.  No fault, the two are there, and what is
 * taken over makes sense.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/database/database.h"
#include "registry/store/names.h"
#include "registry/store/store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
sql(sqlite3 *db, const char *text)
{
	require(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3 *
memory(void)
{
	sqlite3 *db;

	require(sqlite3_open(":memory:", &db) == SQLITE_OK);
	return db;
}

static int64_t
count(sqlite3 *db, const char *text)
{
	sqlite3_stmt *s = database_prepare(db, text, "", NULL);
	int64_t rows = 0;

	require(s != NULL && database_number(s, &rows, "", NULL) == 0);
	(void)sqlite3_finalize(s);
	return rows;
}

static void
check_names(sqlite3 *db)
{
	sqlite3_stmt *s = database_prepare(db, "SELECT path,key FROM secret UNION ALL "
	    "SELECT path,key FROM setting", "", NULL);
	const char *path, *key;
	size_t n, m;

	require(s != NULL);
	while (database_next(s, "", NULL) == 1) {
		path = database_text(s, 0, &n);
		key = database_text(s, 1, &m);
		require(name_path_valid(path, n) && name_key_valid(key, m));
	}
	(void)sqlite3_finalize(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static sqlite3 *from, *to;
	static sqlite3_stmt *insert;
	const uint8_t *end = n > 0 ? memchr(data, '\n', n) : NULL;
	size_t key = end != NULL ? (size_t)(end - data) : n;
	struct takeover out = { 0 };

	if (from == NULL) {
		from = memory();
		to = memory();
		sql(from, "CREATE TABLE record(offset INTEGER PRIMARY KEY,key BLOB,value BLOB);"
		    "CREATE TABLE meta(next INTEGER);INSERT INTO meta VALUES(9)");
		require(database_tables(to, "", NULL) == 0);
		insert = database_prepare(from, "INSERT INTO record VALUES(5,?,?)", "", NULL);
	}
	sql(from, "DELETE FROM record;"
	    "INSERT INTO record VALUES(1,'{\"t\":\"KEYRING\"}','{}'),"
	    "(2,'{\"t\":\"META\",\"path\":\"whole\",\"key\":\"k\"}','{\"m\":1,\"high\":7,"
	    "\"maxVersions\":0,\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0,\"custom\":{}}')");
	database_bind(insert, "bb", n > 0 ? (const void *)data : "", key,
	    end != NULL ? (const void *)(end + 1) : "", n - key - (end != NULL));
	require(database_run(insert, "", NULL) == 0);
	sql(to, "BEGIN");
	require(takeover_fold(from, to, &out, NULL) == 0);
	require(count(to, "SELECT high FROM setting WHERE path='whole' AND key='k'") >= 7);
	require(count(to, "SELECT count(*) FROM secret WHERE version<1 OR length(sealed)<80 OR "
	    "state NOT IN(0,2) OR created<0 OR expires<0") == 0);
	require(count(to, "SELECT count(*) FROM secret AS s WHERE version>(SELECT high FROM "
	    "setting WHERE path=s.path AND key=s.key)") == 0);
	require(count(to, "SELECT count(*) FROM secret") <= 1 && out.secrets <= 1);
	require(out.quarantined + out.unknown <= 1);
	check_names(to);
	sql(to, "ROLLBACK");
	return 0;
}
