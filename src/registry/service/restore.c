#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "common/args.h"
#include "common/report.h"
#include "file/lock.h"
#include "registry/audit/audit.h"
#include "registry/database/database.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"
#include "registry/store/names.h"

#define OUT_MAX ((size_t)64 << 10)

/*
 * `propseal registry restore`: a copy of the backup is made beside the database,
 * told what the audit log knows of since, and only then put in its place.
 */
struct restore {
	char path[PATH_MAX], new[PATH_MAX], old[PATH_MAX];
	struct database *db;		/* the copy */
	struct keyring *ring;
	sqlite3_stmt *raise, *high;
	struct error *err;
	uint64_t numbers;		/* of versions that the backup does not know */
	int64_t offset;			/* the highest of a change */
	struct audit_end end;
	uint64_t known;			/* the backup's last line */
};

static int
names_of(struct restore *r, const struct options *o)
{
	if (audit_command_path(o, "registry.db", r->path, r->err) == -1 ||
	    audit_command_path(o, "registry.db.new", r->new, r->err) == -1)
		return -1;
	return audit_command_path(o, "registry.db.old", r->old, r->err);
}

/* The copy, checked from end to end. */
static int
make_copy(struct restore *r, const char *backup)
{
	struct database *from;
	int version = database_look(backup, r->err), result;

	if (version == -1)
		return -1;
	if (version != DATABASE_VERSION) {
		error_set(r->err, version == 0 ? ERROR_MISSING : ERROR_REFUSED, version == 0 ?
		    "there is no such file" : "this is a backup of the first edition");
		error_place(r->err, backup, 0);
		return version == 0 ? -1 : error_hint(r->err, "put it into an empty folder as "
		    "registry.db: `propseal registry serve` takes it over");
	}
	database_remove(r->new);
	if ((from = database_open(backup, r->err)) == NULL)
		return -1;
	result = database_backup(from, r->new, r->err);
	database_close(from);
	if (result == 0 && (r->db = database_open(r->new, r->err)) == NULL)
		result = -1;
	return result;
}

static int
open_keys(struct restore *r, const struct options *o)
{
	sqlite3_stmt *s = database_prepare(database_writer(r->db), "SELECT text FROM keyring "
	    "WHERE id=0", r->new, r->err);
	struct master *m = NULL;
	const char *text;
	bool used_old;
	size_t n;
	int found;

	if (s == NULL)
		return -1;
	if ((found = database_next(s, r->new, r->err)) == 0)
		error_set(r->err, ERROR_DAMAGED, "the backup has no keyring");
	if (found == 1 && (m = audit_command_master(o, r->err)) != NULL) {
		text = database_text(s, 0, &n);
		r->ring = keyring_open(text, n, m, NULL, 0, &used_old, r->err);
	}
	(void)sqlite3_finalize(s);
	master_free(m);
	return r->ring != NULL ? 0 : -1;
}

/* A line of the audit log behind the backup's last one. */
static int
follow(void *cookie, const struct audit_record *a)
{
	struct restore *r = cookie;
	int64_t high;

	if (a->offset > r->offset)
		r->offset = a->offset;
	if (a->path == NULL || a->key == NULL || a->version <= 0 ||
	    a->version > NAME_VERSION_MAX || a->status / 100 != 2 ||
	    strcmp(a->method, "CreateSecretVersion") != 0)
		return 0;
	database_bind(r->high, "tt", a->path, a->path_len, a->key, a->key_len);
	if (database_number(r->high, &high, r->new, r->err) == -1)
		return -1;
	if (a->version <= high)
		return 0;
	r->numbers++;
	database_bind(r->raise, "tti", a->path, a->path_len, a->key, a->key_len,
	    (int64_t)a->version);
	return database_run(r->raise, r->new, r->err);
}

/* Tell the copy of what came after it. */
static int
catch_up(struct restore *r, const char *file)
{
	sqlite3 *db = database_writer(r->db);
	sqlite3_stmt *last = database_prepare(db, "SELECT seq+lines-1 FROM audit "
	    "ORDER BY seq DESC LIMIT 1", r->new, r->err);
	int64_t known = 0;
	int result = -1;

	if (last == NULL || database_number(last, &known, r->new, r->err) == -1)
		goto done;
	r->known = (uint64_t)known;
	if ((r->high = database_prepare(db, "SELECT max(coalesce((SELECT max(version) FROM secret "
	    "WHERE path=?1 AND key=?2),0),coalesce((SELECT high FROM setting WHERE path=?1 AND "
	    "key=?2),0))", r->new, r->err)) == NULL ||
	    (r->raise = database_prepare(db, "INSERT INTO setting VALUES(?,?,?,0,0,'{}',0,0,'') "
	    "ON CONFLICT DO UPDATE SET high=max(high,excluded.high)", r->new, r->err)) == NULL ||
	    database_begin(r->db, r->err) == -1)
		goto done;
	if (audit_follow(file, keyring_audit_key(r->ring), r->known, follow, r, &r->end,
	    r->err) == 0 && (r->end.seq == r->known || audit_adopt(db, r->new, r->end.seq,
	    r->end.hash, r->err) == 0) &&
	    (r->offset == 0 || database_set_meta(db, "offset", r->offset + 1, r->new,
	    r->err) == 0))
		result = database_commit(r->db, r->err);
	else
		database_rollback(r->db);
done:
	(void)sqlite3_finalize(last);
	(void)sqlite3_finalize(r->high);
	(void)sqlite3_finalize(r->raise);
	return result;
}

static int
tell(const struct restore *r, const struct options *o, const char *backup, struct error *err)
{
	struct json_out json;
	struct buf out;
	int rc;

	if (r->end.missing > 0)
		report_warning(NULL, "%" PRIu64 " lines of the audit log behind line %" PRIu64
		    " are not there: the numbers of versions that were made then, of whatever key, "
		    "may be given again", r->end.missing, r->known);
	buf_init(&out, OUT_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&json, &out);
		json_out_object(&json, NULL);
		json_out_text(&json, "file", backup);
		json_out_uint(&json, "line", r->known);
		json_out_uint(&json, "numbers", r->numbers);
		json_out_uint(&json, "missing", r->end.missing);
		json_out_end(&json);
		(void)json_out_finish(&json, NULL);
	} else {
		buf_printf(&out, "restored; %" PRIu64 " versions were made since the backup: they "
		    "are gone, and their numbers are not given again\n", r->numbers);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

int
commands_registry_restore(const struct options *o)
{
	const char *backup = o->args[0], *path;
	struct lock *lock = NULL;
	struct error err = { 0 };
	struct restore r = { .err = &err };
	char file[PATH_MAX];
	int rc = -1;

	if (names_of(&r, o) == -1 || audit_command_file(o, file, &err) == -1)
		return report_error(&err);
	path = r.path;
	/* A registry that is served has it, and keeps it: there is nothing to wait for. */
	if ((lock = lock_files(&path, 1, 0, NULL, NULL, &err)) == NULL) {
		if (err.code == ERROR_BUSY)
			error_hint(&err, "the registry is served: stop it first; or another "
			    "restore is at work: wait until it is done");
		return report_error(&err);
	}
	/* Another restore may have kept the database there just before. */
	if (access(r.old, F_OK) == 0) {
		error_set(&err, ERROR_EXISTS, "there is a database of an earlier restore");
		error_place(&err, r.old, 0);
		error_hint(&err, "remove it, or move it away");
	} else if (make_copy(&r, backup) == 0 && open_keys(&r, o) == 0 && catch_up(&r, file) == 0)
		rc = 0;
	database_close(r.db);
	keyring_free(r.ring);
	if (rc == 0 && access(r.path, F_OK) == 0)
		rc = database_rename(r.path, r.old, &err);
	if (rc == 0)
		rc = database_rename(r.new, r.path, &err);
	else
		database_remove(r.new);
	lock_release(lock);
	if (rc == 0)
		rc = tell(&r, o, backup, &err);
	return rc == 0 ? 0 : report_error(&err);
}
