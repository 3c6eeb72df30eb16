#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "crypto/base64.h"
#include "file/file.h"
#include "file/lock.h"
#include "registry/keys/keyring.h"
#include "registry/store/names.h"
#include "registry/store/store_internal.h"

/*
 * The first edition kept records with a key and a value, both JSON, in the
 * order of their offsets: SECRET (a version), META (a key's settings, and which
 * of its versions are deleted or destroyed), KEYRING, and what is of no use
 * here.  Of several SECRETs of one version the one with the lowest offset
 * counted.
 */

#define FORMAT 1			/* m of the values that are known */
#define ALGORITHM "HKDF-SHA256+AES-256-GCM"
#define IDEM 64
#define SEALED_MAX (2U << 20)

enum record { RECORD_SECRET, RECORD_META, RECORD_KEYRING, RECORD_OTHER, RECORD_UNKNOWN,
    RECORD_GARBAGE };

struct fold {
	sqlite3 *from, *to;
	const char *path;		/* for errors */
	sqlite3_stmt *secret, *idem, *high, *setting, *deleted, *destroyed, *keyring;
	struct takeover *out;
	struct buf sealed;		/* scratch */
	bool keyring_there;
};

static const char *
text_of(const json_t *o, const char *name, size_t *n)
{
	const json_t *v = json_object_get(o, name);

	*n = json_string_length(v);
	return json_string_value(v);
}

/* A whole number up to ${max}; ${*ok} is cleared unless it is one. */
static int64_t
number_of(const json_t *v, int64_t max, bool *ok)
{
	json_int_t n = json_integer_value(v);

	*ok = *ok && json_is_integer(v) && n >= 0 && n <= max;
	return *ok ? n : 0;
}

static int64_t
member(const json_t *o, const char *name, int64_t max, bool *ok)
{
	return number_of(json_object_get(o, name), max, ok);
}

/* What the key says it is, and its names. */
static enum record
record_kind(const json_t *key, struct secret_name *name, uint32_t *version)
{
	size_t n;
	const char *t = text_of(key, "t", &n), *claim;
	unsigned char bytes[16];
	bool ok = true;

	if (t == NULL)
		return RECORD_GARBAGE;
	if (strcmp(t, "KEYRING") == 0)
		return RECORD_KEYRING;
	if (strcmp(t, "LEADER") == 0 || strcmp(t, "NOOP") == 0 || strcmp(t, "AUDIT") == 0)
		return RECORD_OTHER;
	if (strcmp(t, "SECRET") != 0 && strcmp(t, "META") != 0)
		return RECORD_UNKNOWN;
	name->path = text_of(key, "path", &name->path_len);
	name->key = text_of(key, "key", &name->key_len);
	if (name->path == NULL || name->key == NULL ||
	    !name_path_valid(name->path, name->path_len) ||
	    !name_key_valid(name->key, name->key_len))
		return RECORD_GARBAGE;
	if (*t == 'M')
		return RECORD_META;
	claim = text_of(key, "claim", &n);
	*version = (uint32_t)member(key, "version", NAME_VERSION_MAX, &ok);
	return ok && *version > 0 && claim != NULL && n == 2 * sizeof(bytes) &&
	    hex_parse_lower(claim, sizeof(bytes), bytes) ? RECORD_SECRET : RECORD_GARBAGE;
}

/* The value is an object of a format that is known. */
static enum record
record_format(const json_t *value, enum record kind)
{
	bool ok = true;
	int64_t m = member(value, "m", UINT32_MAX, &ok);

	if (kind == RECORD_KEYRING)
		return json_is_object(value) ? kind : RECORD_GARBAGE;
	return !ok || m < FORMAT ? RECORD_GARBAGE : m > FORMAT ? RECORD_UNKNOWN : kind;
}

static bool
append_base64(struct buf *out, const json_t *value, const char *name, size_t want)
{
	size_t n, before = out->len;
	const char *text = text_of(value, name, &n);

	return text != NULL && base64_decode(out, text, n) == 0 &&
	    (want == 0 || out->len - before == want);
}

/* The sealed value's bytes to the scratch; false: it is no such thing. */
static bool
take_sealed(struct buf *out, const json_t *value)
{
	bool ok = true;
	uint32_t kid = (uint32_t)member(value, "kid", UINT32_MAX, &ok);
	unsigned char head[4] = { (unsigned char)(kid >> 24), (unsigned char)(kid >> 16),
	    (unsigned char)(kid >> 8), (unsigned char)kid };

	buf_clear(out);
	buf_append(out, head, sizeof(head));
	return ok && kid > 0 &&
	    append_base64(out, value, "salt", SEALED_IV - SEALED_SALT) &&
	    append_base64(out, value, "iv", SEALED_TEXT - SEALED_IV) &&
	    append_base64(out, value, "ct", 0) && out->len >= SEALED_MIN && !out->failed;
}

/* The number is taken, whatever is left of the version. */
static int
keep_high(struct fold *f, const struct secret_name *name, uint32_t high, struct error *err)
{
	database_bind(f->high, "tti", name->path, name->path_len, name->key, name->key_len,
	    (int64_t)high);
	return database_run(f->high, f->path, err);
}

static int
put_secret(struct fold *f, int64_t offset, const struct secret_name *name, uint32_t version,
    const json_t *value, struct error *err)
{
	unsigned char idem[IDEM / 4 * 3 + 64];
	size_t alg_len, by_len, n;
	const char *alg = text_of(value, "alg", &alg_len);
	const char *by = text_of(value, "createdBy", &by_len), *text;
	bool ok = true;
	int64_t created = member(value, "createdAt", INT64_MAX, &ok);
	int64_t expires = member(value, "expiresAt", INT64_MAX, &ok);

	if (keep_high(f, name, version, err) == -1)
		return -1;
	if (alg != NULL && strcmp(alg, ALGORITHM) != 0) {
		f->out->unknown++;
		return 0;
	}
	if (!ok || alg == NULL || by == NULL || !take_sealed(&f->sealed, value)) {
		f->out->quarantined++;
		return 0;
	}
	database_bind(f->secret, "ittizitzb", offset, name->path, name->path_len, name->key,
	    name->key_len, (int64_t)version, expires, created, by, by_len, expires,
	    f->sealed.data, f->sealed.len);
	if (database_run(f->secret, f->path, err) == -1)
		return -1;
	if (sqlite3_changes(f->to) == 0)
		return 0;
	f->out->secrets++;
	text = text_of(value, "idem", &n);
	if (text == NULL || n > sizeof(idem) / 3 * 4 || base64_read(text, n, idem) != IDEM)
		return 0;
	database_bind(f->idem, "ibb", offset, idem, (size_t)32, idem + 32, (size_t)32);
	return database_run(f->idem, f->path, err);
}

/* Mark or remove the versions from ${from} to ${to}. */
static int
put_range(struct fold *f, const struct secret_name *name, int64_t from, int64_t to, int64_t at,
    const char *by, struct error *err)
{
	sqlite3_stmt *s = by != NULL ? f->deleted : f->destroyed;

	database_bind(s, by != NULL ? "ttiiit" : "ttii", name->path, name->path_len, name->key,
	    name->key_len, from, to, at > 0 ? at : 1, by, by != NULL ? strlen(by) : 0);
	return database_run(s, f->path, err);
}

static int
put_meta(struct fold *f, const struct secret_name *name, const json_t *value, struct error *err)
{
	size_t n, i;
	const char *by = text_of(value, "updatedBy", &n);
	const json_t *custom = json_object_get(value, "custom"), *one;
	bool ok = by != NULL && json_is_object(custom);
	int64_t high = member(value, "high", NAME_VERSION_MAX, &ok);
	int64_t most = member(value, "maxVersions", NAME_VERSION_MAX, &ok);
	int64_t updated = member(value, "updatedAt", INT64_MAX, &ok);
	int64_t mcas = member(value, "mcas", UINT32_MAX, &ok), from, to, at;
	char *text;
	int result;

	if (!ok) {
		f->out->quarantined++;
		return 0;
	}
	if ((text = json_dumps(custom, JSON_COMPACT)) == NULL)
		return error_memory(err);
	database_bind(f->setting, "ttiiitiit", name->path, name->path_len, name->key,
	    name->key_len, high, most, (int64_t)json_is_true(json_object_get(value,
	    "casRequired")), text, strlen(text), mcas, updated, by, n);
	result = database_run(f->setting, f->path, err);
	free(text);
	json_array_foreach(json_object_get(value, "deleted"), i, one) {
		ok = true;
		from = to = member(one, "n", NAME_VERSION_MAX, &ok);
		if (json_object_get(one, "to") != NULL)
			to = member(one, "to", NAME_VERSION_MAX, &ok);
		at = member(one, "at", INT64_MAX, &ok);
		by = text_of(one, "by", &n);
		if (result == 0 && ok && by != NULL)
			result = put_range(f, name, from, to, at, by, err);
	}
	json_array_foreach(json_object_get(value, "destroyed"), i, one) {
		ok = true;
		from = number_of(json_array_get(one, 0), NAME_VERSION_MAX, &ok);
		to = number_of(json_array_get(one, 1), NAME_VERSION_MAX, &ok);
		if (result == 0 && ok)
			result = put_range(f, name, from, to, 0, NULL, err);
	}
	return result;
}

/* One record: SECRETs and the keyring in the first pass, METAs, which speak of
 * those, in the second. */
static int
fold_record(struct fold *f, sqlite3_stmt *r, bool second, struct error *err)
{
	size_t key_len, value_len;
	const char *key_text = database_blob(r, 1, &key_len);
	const char *value_text = database_blob(r, 2, &value_len);
	json_t *key = json_loadb(key_text, key_len, JSON_REJECT_DUPLICATES, NULL), *value = NULL;
	struct secret_name name = { 0 };
	uint32_t version = 0;
	enum record kind = record_kind(key, &name, &version), known = kind;
	int result = 0;

	if (kind <= RECORD_KEYRING && second == (kind == RECORD_META)) {
		value = json_loadb(value_text, value_len, JSON_REJECT_DUPLICATES, NULL);
		known = record_format(value, kind);
	}
	if (kind == RECORD_SECRET && !second && known != kind)
		result = keep_high(f, &name, version, err);
	if (result == 0 && value != NULL && known == RECORD_SECRET) {
		result = put_secret(f, sqlite3_column_int64(r, 0), &name, version, value, err);
	} else if (result == 0 && value != NULL && known == RECORD_META) {
		result = put_meta(f, &name, value, err);
	} else if (result == 0 && value != NULL && known == RECORD_KEYRING) {
		f->keyring_there = true;
		database_bind(f->keyring, "t", value_text, value_len);
		result = database_run(f->keyring, f->path, err);
	} else if (second == (kind == RECORD_META)) {
		f->out->quarantined += known == RECORD_GARBAGE;
		f->out->unknown += known == RECORD_UNKNOWN;
	}
	json_decref(value);
	json_decref(key);
	return result;
}

static int
fold_all(struct fold *f, struct error *err)
{
	sqlite3_stmt *r = database_prepare(f->from, "SELECT offset,CAST(key AS BLOB),"
	    "CAST(value AS BLOB) FROM record ORDER BY offset", f->path, err);
	int found = r != NULL ? 0 : -1;

	for (int pass = 0; pass < 2 && found == 0; pass++) {
		while ((found = database_next(r, f->path, err)) == 1) {
			if (fold_record(f, r, pass == 1, err) == -1) {
				found = -1;
				break;
			}
		}
	}
	(void)sqlite3_finalize(r);
	return found;
}

/* Where its offsets had come to: behind the last record, or what meta says. */
static int
fold_end(struct fold *f, struct error *err)
{
	sqlite3_stmt *r = database_prepare(f->from, "SELECT max((SELECT coalesce(max(offset)+1,0) "
	    "FROM record),(SELECT next FROM meta),1)", f->path, err);
	int64_t next;
	int result = -1;

	if (r != NULL && database_number(r, &next, f->path, err) == 0 &&
	    database_set_meta(f->to, "offset", next, f->path, err) == 0 &&
	    database_set_meta(f->to, "first", 1, f->path, err) == 0 &&
	    database_set_meta(f->to, "quarantined", (int64_t)f->out->quarantined, f->path,
	    err) == 0)
		result = database_set_meta(f->to, "unknown", (int64_t)f->out->unknown, f->path,
		    err);
	(void)sqlite3_finalize(r);
	return result;
}

static int
takeover_fill(void *cookie, sqlite3 *db, struct error *err)
{
	struct fold *f = cookie;
	const struct { sqlite3_stmt **s; const char *sql; } all[] = {
		{ &f->secret, "INSERT OR IGNORE INTO secret(offset,path,key,version,state,due,"
		    "created,principal,expires,sealed) VALUES(?1,?2,?3,?4,0,?5,?6,?7,?8,?9)" },
		{ &f->idem, "INSERT OR IGNORE INTO idempotency VALUES(?,?,?)" },
		{ &f->high, "INSERT INTO setting VALUES(?,?,?,0,0,'{}',0,0,'') "
		    "ON CONFLICT DO UPDATE SET high=max(high,excluded.high)" },
		{ &f->setting, "INSERT INTO setting VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO "
		    "UPDATE SET high=max(high,excluded.high),max_versions=excluded.max_versions,"
		    "cas_required=excluded.cas_required,custom=excluded.custom,"
		    "mcas=excluded.mcas,updated=excluded.updated,updater=excluded.updater" },
		{ &f->deleted, "UPDATE secret SET state=2,due=?5,deleter=?6 WHERE path=?1 AND "
		    "key=?2 AND version BETWEEN ?3 AND ?4" },
		{ &f->destroyed, "DELETE FROM secret WHERE path=?1 AND key=?2 AND version "
		    "BETWEEN ?3 AND ?4" },
		{ &f->keyring, "INSERT OR REPLACE INTO keyring VALUES(0,?)" },
	};
	const size_t count = sizeof(all) / sizeof(all[0]);
	int result = 0;
	size_t i;

	f->to = db;
	for (i = 0; i < count && result == 0; i++)
		result = (*all[i].s = database_prepare(db, all[i].sql, f->path, err)) != NULL ?
		    0 : -1;
	if (result == 0)
		result = fold_all(f, err);
	if (result == 0)
		result = database_exec(db, "DELETE FROM idempotency WHERE offset NOT IN "
		    "(SELECT offset FROM secret)", f->path, err);
	if (result == 0)
		result = fold_end(f, err);
	if (result == 0 && f->out->secrets > 0 && !f->keyring_there) {
		result = error_set(err, ERROR_DAMAGED, "the file holds secrets, but no keyring");
		error_hint(err, "restore a backup: without the keyring its secrets cannot be "
		    "opened");
	}
	for (i = 0; i < count; i++)
		(void)sqlite3_finalize(*all[i].s);
	return result;
}

int
takeover_fold(sqlite3 *from, sqlite3 *to, struct takeover *out, struct error *err)
{
	struct fold f = { .from = from, .path = "", .out = out };
	int result;

	buf_init(&f.sealed, SEALED_MAX);
	result = takeover_fill(&f, to, err);
	buf_release(&f.sealed);
	return result;
}

/* The tables, beside the file. */
static int
make_tables(const char *path, const char *new, struct takeover *out, struct error *err)
{
	struct path place = PATH_NONE;
	struct fold f = { .path = path, .out = out };
	int result = -1;

	buf_init(&f.sealed, SEALED_MAX);
	database_remove(new);
	if (path_open(&place, path, err) == 0 &&
	    (f.from = database_connect(place.real, path, err)) != NULL)
		result = database_make(new, takeover_fill, &f, err);
	/* What its write-ahead log has goes into the file. */
	if (sqlite3_close(f.from) != SQLITE_OK)
		result = error_set(err, ERROR_IO, "the first edition's file cannot be closed");
	buf_release(&f.sealed);
	path_close(&place);
	return result;
}

int
store_take_over(const char *path, struct takeover *out, struct error *err)
{
	struct lock *lock;
	char *old = NULL, *new = NULL;
	int version, result = -1;

	*out = (struct takeover){ 0 };
	if ((lock = database_lock(path, err)) == NULL)
		return -1;
	if (asprintf(&old, "%s.v1", path) == -1 || asprintf(&new, "%s.new", path) == -1) {
		error_memory(err);
		goto done;
	}
	if ((version = database_look(path, err)) == -1)
		goto done;
	result = 0;
	if (version == DATABASE_FIRST) {
		if (make_tables(path, new, out, err) == -1 || database_rename(path, old, err) == -1)
			result = -1;
	} else if (version != 0 || database_look(old, NULL) != DATABASE_FIRST ||
	    database_look(new, NULL) != DATABASE_VERSION) {
		goto done;
	}
	if (result == 0)
		result = database_rename(new, path, err);
	if (result == 0)
		result = 1;
done:
	free(old);
	free(new);
	lock_release(lock);
	return result;
}
