#ifndef SUPPORT_LOG_SQLITE_KIND_H
#define SUPPORT_LOG_SQLITE_KIND_H

/* The SQLite kind for log_behaviour.h: the file log.db in the test's folder. */

#include <sqlite3.h>
#include "registry/log/log_sqlite.h"
#include "log_behaviour.h"

UNIT_HELPER struct log *
open_at(const char *path)
{
	struct error err = { 0 };
	struct log *l = log_sqlite_open(path, &err);

	if (l == NULL)
		fail_msg("open: %s: %s", err.file, err.text);
	return l;
}

UNIT_HELPER struct log *
kind_start(void)
{
	return open_at("log.db");
}

/* One record a key is there, and no tombstone. */
UNIT_HELPER struct log *
kind_again(struct log *l)
{
	static struct fold f;
	struct error err = { 0 };

	memset(&f, 0, sizeof(f));
	if (log_read(l, 0, fold_visit, &f, &err) == 0) {
		assert_int_equal(f.visited, f.n);
		assert_int_equal(f.tombstones, 0);
	}
	log_free(l);
	return open_at("log.db");
}

UNIT_HELPER void
kind_stop(struct log *l)
{
	log_free(l);
	assert_int_equal(files_count("."), 1);
}

UNIT_HELPER void
assert_no_log(const char *path, enum error_code code, const char *what)
{
	struct error err = { 0 };

	assert_null(log_sqlite_open(path, &err));
	if (strstr(err.text, what) == NULL)
		fail_msg("'%s' not in: %s / %s", what, err.text, err.hint);
	assert_int_equal(err.code, code);
	assert_string_equal(err.file, path);
}

/* Run SQL as another program would. */
UNIT_HELPER int
sql(const char *path, const char *text)
{
	sqlite3 *db;
	int rc = sqlite3_open(path, &db);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

UNIT_HELPER void
must_sql(const char *path, const char *text)
{
	assert_int_equal(sql(path, text), SQLITE_OK);
}

struct bytes {
	unsigned char *at;
	size_t n;
};

UNIT_HELPER struct bytes
slurp(const char *path)
{
	struct stat st = files_stat(path);
	struct bytes b = { malloc((size_t)st.st_size + 1), (size_t)st.st_size };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(b.at != NULL && fd != -1);
	assert_int_equal(read(fd, b.at, b.n + 1), st.st_size);
	close(fd);
	return b;
}

#endif /* !SUPPORT_LOG_SQLITE_KIND_H */
