#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "registry/log/log_sqlite_internal.h"

#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

/*
 * A checkpoint after 1000 pages syncs the file each 4 MB.  The log of pages
 * is kept at its size, which makes the syncs of commits cheaper; one that a
 * great batch made larger is cut.
 */
#define DURABLE "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" \
	"PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864"

#define PRIVATE 0600
#define SUFFIX ".propseal-tmp"

/* https://www.sqlite.org/fileformat.html#the_database_header */
#define HEADER 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSION 60
#define HEADER_APPLICATION 68

/*
 * No index over the keys: they hold random numbers, so each record would
 * change a page of its own.  struct log_index stands for it while the file is open.
 */
static const char *const tables[][2] = {
	{ "record", "CREATE TABLE record(offset INTEGER PRIMARY KEY,"
	    "key BLOB NOT NULL,value BLOB NOT NULL)" },
	{ "meta", "CREATE TABLE meta(id INTEGER PRIMARY KEY,"
	    "next INTEGER NOT NULL,epoch INTEGER NOT NULL)" },
};

int
sqlite_db_damaged(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "put the last backup in its place, and move the -wal file "
	    "beside it away with the old one");
}

/* A commit's failure is known to the file of the write-ahead log alone. */
int
sqlite_db_errno(sqlite3 *db, int rc)
{
	sqlite3_file *wal = NULL;
	int code = sqlite3_system_errno(db);

	if (rc != SQLITE_IOERR_WRITE && rc != SQLITE_IOERR_FSYNC)
		return code;
	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
	    wal != NULL && wal->pMethods != NULL)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &code);
	return code;
}

int
sqlite_db_error(sqlite3 *db, int rc, const char *path, const char *what, struct error *err)
{
	int code = db != NULL ? sqlite_db_errno(db, rc) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error_set(err, ERROR_BUSY, "%s: another process has the file open", what);
		error_place(err, path, 0);
		return error_hint(err, "stop the other process: "
		    "one alone may use the file");
	case SQLITE_NOMEM:
		return error_memory(err);
	case SQLITE_TOOBIG:
		error_set(err, ERROR_LIMIT, "%s: %s", what, sqlite3_errstr(rc));
		return error_place(err, path, 0);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return sqlite_db_damaged(path, "the log's file is damaged", err);
	case SQLITE_FULL:
		errno = ENOSPC;
		return error_io(err, path, what);
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return error_memory(err);
		if (rc == SQLITE_IOERR_SHORT_READ)
			return sqlite_db_damaged(path, "the log's file is cut short", err);
		break;
	default:
		break;
	}
	if (code != 0) {
		errno = code;
		return error_io(err, path, what);
	}
	error_set(err, ERROR_IO, "%s: %s", what, sqlite3_errstr(rc));
	return error_place(err, path, 0);
}

int
sqlite_db_run(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 :
	    sqlite_db_error(db, rc, path, "cannot set up the log's file", err);
}

sqlite3_stmt *
sqlite_db_prepare(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);

	if (rc != SQLITE_OK)
		sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	return s;
}

sqlite3 *
sqlite_db_open(const char *real, const char *path, struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	/* The caller serializes; and there is no file of its own for temporary data. */
	rc = sqlite3_open_v2(real, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc != SQLITE_OK) {
		sqlite_db_error(db, rc, path, "cannot open the log's file", err);
		goto fail;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (sqlite_db_run(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
	    "PRAGMA cell_size_check=ON; PRAGMA cache_size=-8192", path, err) == -1)
		goto fail;
	return db;
fail:
	sqlite3_close(db);
	return NULL;
}

int
sqlite_db_durable(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(db, "PRAGMA journal_mode=WAL", path, err);
	const unsigned char *mode;
	bool wal;
	int rc;

	if (s == NULL)
		return -1;
	rc = sqlite3_step(s);
	mode = rc == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	wal = mode != NULL && strcmp((const char *)mode, "wal") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return sqlite_db_error(db, rc, path, "cannot open the log's file", err);
	if (!wal) {
		error_set(err, ERROR_IO, "this file system takes no write-ahead log");
		return error_place(err, path, 0);
	}
	return sqlite_db_run(db, DURABLE, path, err);
}

int
sqlite_db_create(sqlite3 *db, const char *path, struct error *err)
{
	size_t i;

	if (sqlite_db_run(db, "BEGIN IMMEDIATE; PRAGMA application_id="
	    STRING(SQLITE_DB_APPLICATION) "; PRAGMA user_version="
	    STRING(SQLITE_DB_VERSION), path, err) == -1)
		return -1;
	for (i = 0; i < TABLES; i++) {
		if (sqlite_db_run(db, tables[i][1], path, err) == -1)
			return -1;
	}
	return sqlite_db_run(db, "INSERT INTO meta VALUES(0,0,0); COMMIT", path, err);
}

/* Nothing more than our tables, as no trigger of another's is to run. */
static int
verify_tables(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(db,
	    "SELECT name, sql FROM sqlite_master ORDER BY rowid", path, err);
	size_t n = 0;
	bool same = true;
	int rc;

	if (s == NULL)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		const unsigned char *name = sqlite3_column_text(s, 0);
		const unsigned char *sql = sqlite3_column_text(s, 1);

		same = same && n < TABLES && name != NULL && sql != NULL &&
		    strcmp((const char *)name, tables[n][0]) == 0 &&
		    strcmp((const char *)sql, tables[n][1]) == 0;
		n++;
	}
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	if (!same || n != TABLES)
		return sqlite_db_damaged(path, "the log's file has other tables than it should",
		    err);
	return 0;
}

int
sqlite_db_verify(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s;
	const unsigned char *text;
	bool sound;
	int rc;

	if (verify_tables(db, path, err) == -1)
		return -1;
	s = sqlite_db_prepare(db, "PRAGMA quick_check(1)", path, err);
	if (s == NULL)
		return -1;
	rc = sqlite3_step(s);
	text = rc == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	sound = text != NULL && strcmp((const char *)text, "ok") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	if (!sound)
		return sqlite_db_damaged(path, "the log's file is damaged", err);
	return 0;
}

static uint32_t
number_at(const unsigned char *header, size_t at)
{
	return (uint32_t)header[at] << 24 | (uint32_t)header[at + 1] << 16 |
	    (uint32_t)header[at + 2] << 8 | header[at + 3];
}

static int
check_header(int fd, const char *path, struct error *err)
{
	unsigned char header[HEADER];
	ssize_t n = pread(fd, header, sizeof(header), 0);

	if (n == -1)
		return error_io(err, path, "cannot read the log's file");
	if (n != HEADER || memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return sqlite_db_damaged(path, "this is no SQLite file", err);
	if (number_at(header, HEADER_APPLICATION) != SQLITE_DB_APPLICATION)
		return sqlite_db_damaged(path, "this SQLite file is not a registry's log", err);
	if (number_at(header, HEADER_VERSION) != SQLITE_DB_VERSION) {
		error_set(err, ERROR_REFUSED, "this log's format is %u, and not %d",
		    (unsigned)number_at(header, HEADER_VERSION), SQLITE_DB_VERSION);
		error_place(err, path, 0);
		return error_hint(err, "it was written by a newer propseal: use that one");
	}
	return 0;
}

static int
check_fd(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_io(err, path, "cannot read the log's file");
	if (!S_ISREG(st.st_mode))
		return sqlite_db_damaged(path, "this is not a regular file", err);
	if (st.st_nlink > 1) {
		error_set(err, ERROR_REFUSED, "the file has %lu names (hard links), each of "
		    "which would have a write-ahead log of its own",
		    (unsigned long)st.st_nlink);
		return error_place(err, path, 0);
	}
	if (check_header(fd, path, err) == -1)
		return -1;
	/* SQLite gives the files beside it the same mode. */
	if ((st.st_mode & 07777) != PRIVATE && fchmod(fd, PRIVATE) == -1)
		return error_io(err, path, "cannot take the file's permissions from others");
	return 0;
}

/* SQLite would take what is in it for the new file's. */
static int
check_alone(const struct path *p, const char *path, struct error *err)
{
	if (!sqlite_file_has_wal(p))
		return 0;
	error_set(err, ERROR_DAMAGED, "the file is missing, and its write-ahead log "
	    "(%s-wal) is there", p->name);
	error_place(err, path, 0);
	return error_hint(err, "put both files back, or move the -wal file away to start anew");
}

int
sqlite_file_check(const struct path *p, const char *path, bool *exists, struct error *err)
{
	int fd = openat(p->dir, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int result;

	*exists = fd != -1;
	if (fd == -1 && errno == ENOENT)
		return check_alone(p, path, err);
	if (fd == -1)
		return error_io(err, path, "cannot open the log's file");
	result = check_fd(fd, path, err);
	close(fd);
	return result;
}

bool
sqlite_file_has_wal(const struct path *p)
{
	struct stat st;
	char *name;
	bool has;

	if (asprintf(&name, "%s-wal", p->name) == -1)
		return true;	/* the careful answer */
	has = fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
	free(name);
	return has;
}

/* The name and those that SQLite makes of it. */
static void
remove_all(const struct path *p, const char *name)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char *each;
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (asprintf(&each, "%s%s", name, suffixes[i]) == -1)
			return;
		(void)unlinkat(p->dir, each, 0);
		free(each);
	}
}

int
sqlite_file_start(struct sqlite_aside *a, const struct path *p, const char *path, struct error *err)
{
	size_t dir_len = strlen(p->real) - strlen(p->name);
	int fd;

	a->place = p;
	a->path = path;
	a->name = path_sidecar(p, SUFFIX);
	if (a->name == NULL ||
	    asprintf(&a->real, "%.*s%s", (int)dir_len, p->real, a->name) == -1) {
		free(a->name);
		a->name = a->real = NULL;
		return error_memory(err);
	}
	remove_all(p, a->name);
	fd = openat(p->dir, a->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PRIVATE);
	if (fd == -1 || fchmod(fd, PRIVATE) == -1) {
		error_io(err, path, "cannot make a file beside it");
		if (fd != -1)
			close(fd);
		return -1;
	}
	/* Before SQLite opens it: closing any descriptor would drop its locks. */
	close(fd);
	return 0;
}

/* As rename, but over nothing.  -1: errno. */
static int
sqlite_file_rename_new(int dir, const char *from, const char *to)
{
	if (compat_rename(dir, from, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (!compat_rename_is_missing())
		return -1;
	if (linkat(dir, from, dir, to, 0) == -1)
		return -1;
	(void)unlinkat(dir, from, 0);
	return 0;
}

int
sqlite_file_finish(struct sqlite_aside *a, struct error *err)
{
	const struct path *p = a->place;
	int fd = openat(p->dir, a->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int result = -1;

	if (fd == -1 || fsync(fd) == -1) {
		error_io(err, a->path, "cannot put the new file on disk");
	} else if (sqlite_file_rename_new(p->dir, a->name, p->name) == -1) {
		if (errno == EEXIST) {
			error_set(err, ERROR_EXISTS, "there is a file of this name");
			error_place(err, a->path, 0);
		} else {
			error_io(err, a->path, "cannot put the new file in its place");
		}
	} else if (path_sync(p, fd) == -1) {
		error_io(err, a->path, "cannot put the new file's name on disk");
		(void)unlinkat(p->dir, p->name, 0);
	} else {
		result = 0;
	}
	if (fd != -1)
		close(fd);
	return result;
}

void
sqlite_file_drop(struct sqlite_aside *a)
{
	if (a->name != NULL)
		remove_all(a->place, a->name);
	free(a->name);
	free(a->real);
	*a = (struct sqlite_aside)SQLITE_ASIDE_NONE;
}
