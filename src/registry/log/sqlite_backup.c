#include <time.h>

#include "base/error.h"
#include "file/lock.h"
#include "registry/log/log_sqlite_internal.h"
#include "registry/log/sqlite_db.h"
#include "registry/log/sqlite_file.h"

#define STEP_PAGES 256		/* copied while appends wait: 1 MB */
#define PAUSE_NS 500000L	/* for appends to come in between */

/* What is appended meanwhile is in the copy, too. */
static int
sqlite_backup_copy(struct log_sqlite *l, sqlite3 *to, const char *path, struct error *err)
{
	const struct timespec pause = { 0, PAUSE_NS };
	sqlite3_backup *b;
	int rc = SQLITE_OK, end;

	pthread_mutex_lock(&l->mutex);
	b = sqlite3_backup_init(to, "main", l->db, "main");
	while (b != NULL && (rc = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK) {
		pthread_mutex_unlock(&l->mutex);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&l->mutex);
	}
	end = b != NULL ? sqlite3_backup_finish(b) : sqlite3_extended_errcode(to);
	pthread_mutex_unlock(&l->mutex);
	if (b != NULL && rc == SQLITE_DONE && end == SQLITE_OK)
		return 0;
	return sqlite_db_error(to, end != SQLITE_OK ? end : rc, path, "cannot back up the log",
	    err);
}

static int
back_up(struct log_sqlite *l, const struct path *p, const char *path, struct error *err)
{
	struct sqlite_aside aside = SQLITE_ASIDE_NONE;
	sqlite3 *to = NULL;
	int result = -1;

	if (sqlite_file_start(&aside, p, path, err) == -1)
		goto done;
	to = sqlite_db_open(aside.real, path, err);
	/* It is thrown away unless all of it succeeds, and synced at the end. */
	if (to == NULL || sqlite_db_run(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF",
	    path, err) == -1)
		goto done;
	if (sqlite_backup_copy(l, to, path, err) == -1 || sqlite_db_verify(to, path, err) == -1)
		goto done;
	if (sqlite3_close(to) == SQLITE_OK) {
		to = NULL;
		result = sqlite_file_finish(&aside, err);
	}
done:
	sqlite3_close(to);
	sqlite_file_drop(&aside);
	return result;
}

int
sqlite_backup(void *self, const char *path, struct error *err)
{
	struct path place = PATH_NONE;
	struct lock *lock = NULL;
	struct file_id id;
	int result = -1;

	if (path_open(&place, path, err) == -1)
		goto done;
	if (path_identify(&place, &id) == -1) {
		error_io(err, path, "cannot look for the backup");
		goto done;
	}
	if (id.exists) {
		error_set(err, ERROR_EXISTS, "there is a file of this name");
		error_place(err, path, 0);
		goto done;
	}
	/* Two backups to one name. */
	lock = lock_files(&path, 1, 0, NULL, NULL, err);
	if (lock == NULL)
		goto done;
	result = back_up(self, &place, path, err);
done:
	lock_release(lock);
	path_close(&place);
	return result;
}
