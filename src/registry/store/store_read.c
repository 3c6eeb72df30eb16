#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/store/store_internal.h"

#define COLUMNS "offset,version,state,due,created,principal,expires,deleter," \
	"CASE WHEN ?3 THEN sealed END"
#define LIVE(now) "state=0 AND (expires IS NULL OR expires>" now ")"

enum read_statement {
	READ_BEGIN, READ_END, READ_LATEST, READ_VERSION, READ_NEXT, READ_SETTING, READ_HIGH,
	READ_KEY_AFTER, READ_PATH, READ_PATH_KNOWN, READ_PATHS, READ_PATHS_FROM, READ_OFFSET,
	READ_CHANGES_FROM, READ_CHANGES, READ_COUNT_KEYS, READ_COUNT_ALL, READ_COUNT_LEFT,
	READ_STATEMENTS
};

static const char *const reads[READ_STATEMENTS] = {
	[READ_BEGIN] = "BEGIN",
	[READ_END] = "COMMIT",
	[READ_LATEST] = "SELECT " COLUMNS " FROM secret WHERE path=?1 AND key=?2 AND "
	    LIVE("?4") " ORDER BY version DESC LIMIT 1",
	[READ_VERSION] = "SELECT " COLUMNS " FROM secret WHERE path=?1 AND key=?2 AND version=?4",
	[READ_NEXT] = "SELECT " COLUMNS " FROM secret WHERE path=?1 AND key=?2 AND version>?4 "
	    "ORDER BY version LIMIT 1",
	[READ_SETTING] = "SELECT high,max_versions,cas_required,custom,mcas,updated,updater "
	    "FROM setting WHERE path=?1 AND key=?2",
	[READ_HIGH] = "SELECT version FROM secret WHERE path=?1 AND key=?2 "
	    "ORDER BY version DESC LIMIT 1",
	[READ_KEY_AFTER] = "SELECT min(k) FROM (SELECT min(key) AS k FROM secret WHERE path=?1 "
	    "AND key>?2 UNION ALL SELECT min(key) FROM setting WHERE path=?1 AND key>?2 "
	    "AND high>0)",
	[READ_PATH] = "SELECT path,max(" LIVE("?2") "),max(state=2) FROM secret WHERE path=?1 "
	    "GROUP BY path",
	[READ_PATH_KNOWN] = "SELECT 1 FROM setting WHERE path=?1 AND high>0 LIMIT 1",
	[READ_PATHS] = "SELECT path,max(" LIVE("?2") "),max(state=2) FROM secret WHERE path>?1 "
	    "GROUP BY path ORDER BY path",
	[READ_PATHS_FROM] = "SELECT path,max(" LIVE("?2") "),max(state=2) FROM secret "
	    "WHERE path>=?1 GROUP BY path ORDER BY path",
	[READ_OFFSET] = "SELECT max(coalesce((SELECT max(offset) FROM change)+1,1),"
	    "coalesce((SELECT value FROM meta WHERE name='offset'),1))",
	[READ_CHANGES_FROM] = "SELECT min(offset) FROM change",
	[READ_CHANGES] = "SELECT offset,path,key,version,what FROM change WHERE offset>=?1 "
	    "ORDER BY offset LIMIT ?2",
	[READ_COUNT_KEYS] = "SELECT count(DISTINCT path),count(*) FROM "
	    "(SELECT DISTINCT path,key FROM secret WHERE " LIVE("?1") ")",
	[READ_COUNT_ALL] = "SELECT coalesce(sum(" LIVE("?1") "),0),coalesce(sum(state=2),0),"
	    "coalesce(sum(length(sealed)),0) FROM secret",
	[READ_COUNT_LEFT] = "SELECT coalesce((SELECT value FROM meta WHERE name='quarantined'),0),"
	    "coalesce((SELECT value FROM meta WHERE name='unknown'),0)",
};

struct reader {
	const struct store *store;	/* for its clock; NULL: reader_on */
	sqlite3 *db;
	const char *path;		/* of the database, for errors */
	int64_t now_ms;
	sqlite3_stmt *statements[READ_STATEMENTS];
};

struct reader *
reader_on(sqlite3 *db, const char *path, struct error *err)
{
	struct reader *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	r->db = db;
	r->path = path;
	for (int i = 0; i < READ_STATEMENTS; i++) {
		r->statements[i] = database_prepare(db, reads[i], path, err);
		if (r->statements[i] == NULL) {
			reader_free(r);
			return NULL;
		}
	}
	return r;
}

struct reader *
reader_new(struct store *s, struct error *err)
{
	sqlite3 *db = database_reader(s->db, err);
	struct reader *r = db != NULL ? reader_on(db, s->path, err) : NULL;

	if (r == NULL) {
		sqlite3_close(db);
		return NULL;
	}
	r->store = s;
	return r;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < READ_STATEMENTS; i++)
		sqlite3_finalize(r->statements[i]);
	if (r->store != NULL)
		sqlite3_close(r->db);
	free(r);
}

void
reader_reset(struct reader *r)
{
	for (int i = READ_LATEST; i < READ_STATEMENTS; i++) {
		if (sqlite3_stmt_busy(r->statements[i]))
			(void)sqlite3_reset(r->statements[i]);
	}
}

int
reader_begin(struct reader *r, struct error *err)
{
	r->now_ms = store_now(r->store);
	return database_run(r->statements[READ_BEGIN], r->path, err);
}

void
reader_end(struct reader *r)
{
	reader_reset(r);
	(void)database_step_once(r->statements[READ_END]);
}

void
reader_set_now(struct reader *r, int64_t now_ms)
{
	r->now_ms = now_ms;
}

/* The statement, ready to be bound. */
static sqlite3_stmt *
reader_take(struct reader *r, enum read_statement which)
{
	sqlite3_stmt *s = r->statements[which];

	if (sqlite3_stmt_busy(s))
		(void)sqlite3_reset(s);
	return s;
}

/* --- versions --- */

static void
view_of(const struct reader *r, sqlite3_stmt *s, struct version_view *v)
{
	int state = sqlite3_column_int(s, 2);

	*v = (struct version_view){
		.offset = (uint64_t)sqlite3_column_int64(s, 0),
		.number = (uint32_t)sqlite3_column_int64(s, 1),
		.created_ms = sqlite3_column_int64(s, 4),
		.created_by = database_text(s, 5, NULL),
		.expires_ms = sqlite3_column_int64(s, 6),
		.deleted_by = database_text(s, 7, NULL),
	};
	if (state == ROW_DELETED) {
		v->status = VERSION_DELETED;
		v->deleted_ms = sqlite3_column_int64(s, 3);
	} else if (state == ROW_EXPIRED || (v->expires_ms != 0 && v->expires_ms <= r->now_ms)) {
		v->status = VERSION_EXPIRED;
	}
	if (sqlite3_column_type(s, 8) != SQLITE_NULL)
		v->sealed = database_blob(s, 8, &v->sealed_len);
}

static int
reader_one(struct reader *r, enum read_statement which, const struct secret_name *name,
    bool sealed, int64_t number, struct version_view *out, struct error *err)
{
	sqlite3_stmt *s = reader_take(r, which);
	int found;

	database_bind(s, "ttii", name->path, name->path_len, name->key, name->key_len,
	    (int64_t)sealed, number);
	found = database_next(s, r->path, err);
	if (found == 1)
		view_of(r, s, out);
	return found;
}

int
reader_latest(struct reader *r, const struct secret_name *name, bool sealed,
    struct version_view *out, struct error *err)
{
	return reader_one(r, READ_LATEST, name, sealed, r->now_ms, out, err);
}

int
reader_version(struct reader *r, const struct secret_name *name, uint32_t number, bool sealed,
    struct version_view *out, struct error *err)
{
	return reader_one(r, READ_VERSION, name, sealed, number, out, err);
}

int
reader_next(struct reader *r, const struct secret_name *name, uint32_t after, bool sealed,
    struct version_view *out, struct error *err)
{
	return reader_one(r, READ_NEXT, name, sealed, after, out, err);
}

/* --- keys --- */

int
reader_settings(struct reader *r, const struct secret_name *name, struct key_settings *out,
    struct error *err)
{
	sqlite3_stmt *s = reader_take(r, READ_SETTING), *h = reader_take(r, READ_HIGH);
	int64_t high;
	int found;

	*out = (struct key_settings){ .custom = "{}", .updated_by = "" };
	database_bind(s, "tt", name->path, name->path_len, name->key, name->key_len);
	database_bind(h, "tt", name->path, name->path_len, name->key, name->key_len);
	if ((found = database_next(s, r->path, err)) == -1 ||
	    database_number(h, &high, r->path, err) == -1)
		return -1;
	if (found == 1) {
		out->high = (uint32_t)sqlite3_column_int64(s, 0);
		out->max_versions = (uint32_t)sqlite3_column_int64(s, 1);
		out->cas_required = sqlite3_column_int(s, 2) != 0;
		out->custom = database_text(s, 3, NULL);
		out->mcas = (uint32_t)sqlite3_column_int64(s, 4);
		out->updated_ms = sqlite3_column_int64(s, 5);
		out->updated_by = database_text(s, 6, NULL);
	}
	if (high > out->high)
		out->high = (uint32_t)high;
	return found == 1 || high > 0;
}

int
reader_key_after(struct reader *r, const char *path, size_t path_len, const char *after,
    size_t after_len, char out[NAME_KEY_MAX + 1], size_t *n, struct error *err)
{
	sqlite3_stmt *s = reader_take(r, READ_KEY_AFTER);
	const char *key;
	int found;

	database_bind(s, "tt", path, path_len, after, after_len);
	found = database_next(s, r->path, err);
	if (found == 1) {
		key = database_text(s, 0, n);
		found = *n > 0 && *n <= NAME_KEY_MAX;
		if (found == 1) {
			memcpy(out, key, *n);
			out[*n] = '\0';
		}
	}
	(void)sqlite3_reset(s);
	return found;
}

/* --- paths --- */

static void
path_view_of(sqlite3_stmt *s, struct path_view *out)
{
	out->name = database_text(s, 0, &out->len);
	out->live = sqlite3_column_int(s, 1) != 0;
	out->deleted = sqlite3_column_int(s, 2) != 0;
}

int
reader_path(struct reader *r, const char *path, size_t len, struct path_view *out,
    struct error *err)
{
	sqlite3_stmt *s = reader_take(r, READ_PATH);
	int64_t known;
	int found;

	database_bind(s, "ti", path, len, r->now_ms);
	found = database_next(s, r->path, err);
	if (found == 1)
		path_view_of(s, out);
	if (found != 0)
		return found;
	*out = (struct path_view){ .name = path, .len = len };
	s = reader_take(r, READ_PATH_KNOWN);
	database_bind(s, "t", path, len);
	return database_number(s, &known, r->path, err) == -1 ? -1 : known != 0;
}

int
reader_paths(struct reader *r, const char *from, size_t len, bool inclusive,
    bool (*visit)(void *cookie, const struct path_view *p), void *cookie, struct error *err)
{
	sqlite3_stmt *s = reader_take(r, inclusive ? READ_PATHS_FROM : READ_PATHS);
	struct path_view p;
	int found;

	database_bind(s, "ti", from, len, r->now_ms);
	while ((found = database_next(s, r->path, err)) == 1) {
		path_view_of(s, &p);
		if (!visit(cookie, &p))
			break;
	}
	(void)sqlite3_reset(s);
	return found == -1 ? -1 : 0;
}

/* --- changes, and how much there is --- */

int
reader_offset(struct reader *r, uint64_t *out, struct error *err)
{
	int64_t n;

	if (database_number(reader_take(r, READ_OFFSET), &n, r->path, err) == -1)
		return -1;
	*out = (uint64_t)n;
	return 0;
}

int
reader_changes(struct reader *r, uint64_t since, size_t max,
    void (*visit)(void *cookie, const struct change_view *c), void *cookie, uint64_t *next,
    struct error *err)
{
	static const char *const words[] = { "created", "deleted", "undeleted", "destroyed",
	    "metadata" };
	sqlite3_stmt *s;
	int64_t first;
	int found;

	if (reader_offset(r, next, err) == -1 ||
	    database_number(reader_take(r, READ_CHANGES_FROM), &first, r->path, err) == -1)
		return -1;
	if (since >= *next)
		return 1;
	if (first == 0)
		first = (int64_t)*next;
	if ((int64_t)since < first - (first == 1))
		return 0;
	s = reader_take(r, READ_CHANGES);
	database_bind(s, "ii", (int64_t)since, (int64_t)max);
	while ((found = database_next(s, r->path, err)) == 1) {
		int what = sqlite3_column_int(s, 4);
		struct change_view c = {
			.offset = (uint64_t)sqlite3_column_int64(s, 0),
			.version = (uint32_t)sqlite3_column_int64(s, 3),
			.what = words[what >= 0 && what < CHANGE_METADATA ? what :
			    CHANGE_METADATA],
		};

		c.path = database_text(s, 1, &c.path_len);
		c.key = database_text(s, 2, &c.key_len);
		*next = c.offset + 1;
		visit(cookie, &c);
	}
	return found == -1 ? -1 : 1;
}

int
reader_count(struct reader *r, struct store_counts *out, struct error *err)
{
	sqlite3_stmt *keys = reader_take(r, READ_COUNT_KEYS);
	sqlite3_stmt *all = reader_take(r, READ_COUNT_ALL);
	sqlite3_stmt *left = reader_take(r, READ_COUNT_LEFT);

	database_bind(keys, "i", r->now_ms);
	database_bind(all, "i", r->now_ms);
	if (database_next(keys, r->path, err) == -1 || database_next(all, r->path, err) == -1 ||
	    database_next(left, r->path, err) == -1)
		return -1;
	*out = (struct store_counts){
		.paths = (uint64_t)sqlite3_column_int64(keys, 0),
		.keys = (uint64_t)sqlite3_column_int64(keys, 1),
		.versions = (uint64_t)sqlite3_column_int64(all, 0),
		.deleted = (uint64_t)sqlite3_column_int64(all, 1),
		.bytes = (uint64_t)sqlite3_column_int64(all, 2),
		.quarantined = (uint64_t)sqlite3_column_int64(left, 0),
		.unknown = (uint64_t)sqlite3_column_int64(left, 1),
	};
	return 0;
}
