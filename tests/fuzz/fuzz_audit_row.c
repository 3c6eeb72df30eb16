/*
 * Any bytes as the events of a row of the audit log, and as the words of its start:
 * no fault, and no line but one that ends as lines do.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "registry/audit/audit_internal.h"
#include "registry/database/database.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
put(sqlite3 *db, const char *text, const char *types, int64_t number, const void *bytes, size_t n)
{
	sqlite3_stmt *s = database_prepare(db, text, "", NULL);

	require(s != NULL);
	database_bind(s, types, number, bytes, n);
	require(database_run(s, "", NULL) == 0);
	(void)sqlite3_finalize(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char words[] = "0123456789abcdef\0\0lkc-1\0cc\0io.confluent";
	static struct key *key;
	static sqlite3 *db;
	struct audit_rows rows;
	struct audit_tail tail;
	struct buf lines;
	int more;

	if (db == NULL) {
		require(sqlite3_open(":memory:", &db) == SQLITE_OK &&
		    database_tables(db, "", NULL) == 0);
		key = key_from_bytes("0123456789abcdef0123456789abcdef", 32, NULL);
		require(key != NULL);
	}
	require(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
	/* The first byte tells which of the two it is. */
	if (n > 0 && data[0] == 'w')
		put(db, "INSERT INTO start VALUES(?,?)", "ib", 1, data + 1, n - 1);
	else
		put(db, "INSERT INTO start VALUES(?,?)", "ib", 1, words, sizeof(words));
	put(db, "INSERT INTO audit VALUES(?,1,1,?,zeroblob(32))", "ib", 1,
	    n > 0 ? (const void *)data : "", n);
	put(db, "INSERT INTO audit VALUES(?,1,2,?,zeroblob(32))", "ib", 2,
	    n > 0 ? (const void *)data : "", n);
	buf_init(&lines, 1 << 20);
	require(audit_rows_open(&rows, db, "", key, 0, NULL) == 0);
	more = audit_rows_next(&rows, &lines, NULL);
	/* Nothing has that hash. */
	require(more != 1);
	if (lines.len > 0) {
		const char *text = (const char *)lines.data;
		size_t first = (size_t)((const char *)memchr(text, '\n', lines.len) - text);

		require(audit_chain_tail(text, first, &tail));
	}
	audit_rows_close(&rows);
	buf_release(&lines);
	require(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
	return 0;
}
