#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_internal.h"

/*
 * Deciding actions, one after the other within one transaction: each sees what
 * those before it have written.  All that may be refused is refused before
 * anything is written, as a failure then is that of the whole transaction.
 */

static const char *
decide_by(const struct store_op *op)
{
	return op->by != NULL ? op->by : "";
}

static struct secret_name
decide_name(const struct store_op *op)
{
	return (struct secret_name){ .path = op->path, .path_len = op->path_len, .key = op->key,
	    .key_len = op->key_len };
}

/* Nothing is written for the op itself. */
static int
refuse(struct store_op *op, enum store_result result)
{
	op->result = result;
	return 0;
}

/* Note a change; its offset is ${s}->next - 1 then. */
static int
decide_change(struct store *s, const struct secret_name *name, uint32_t version,
    enum row_change what, struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_CHANGE];

	database_bind(w, "iittii", (int64_t)s->next, s->last_ms, name->path, name->path_len,
	    name->key, name->key_len, (int64_t)version, (int64_t)what);
	if (database_run(w, s->path, err) == -1)
		return -1;
	s->next++;
	/* A few more are remembered, so that not each change forgets one. */
	if (s->next - s->remembered < STORE_CHANGES_MAX + 1024)
		return 0;
	w = s->statements[WRITE_FORGET_CHANGES];
	database_bind(w, "i", (int64_t)(s->next - STORE_CHANGES_MAX));
	if (database_run(w, s->path, err) == -1)
		return -1;
	s->remembered = s->next - STORE_CHANGES_MAX;
	return 0;
}

int
decide_destroy(struct store *s, const struct secret_name *name, uint32_t number,
    uint64_t offset, uint32_t high, struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_HIGH];

	/* The number is never given again. */
	if (number == high) {
		database_bind(w, "tti", name->path, name->path_len, name->key, name->key_len,
		    (int64_t)high);
		if (database_run(w, s->path, err) == -1)
			return -1;
	}
	for (enum write_statement i = WRITE_DESTROY; i <= WRITE_DESTROY_IDEMPOTENCY; i++) {
		database_bind(s->statements[i], "i", (int64_t)offset);
		if (database_run(s->statements[i], s->path, err) == -1)
			return -1;
	}
	return decide_change(s, name, number, CHANGE_DESTROYED, err);
}

static int
set_state(struct store *s, uint64_t offset, enum row_state state, int64_t due, const char *by,
    struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_STATE];

	if (by != NULL)
		database_bind(w, "iizt", (int64_t)offset, (int64_t)state, due, by, strlen(by));
	else
		database_bind(w, "iizn", (int64_t)offset, (int64_t)state, due);
	return database_run(w, s->path, err);
}

static int
write_setting(struct store *s, const struct secret_name *name, const struct key_settings *k,
    struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_SETTING];

	database_bind(w, "ttiiitiit", name->path, name->path_len, name->key, name->key_len,
	    (int64_t)k->high, (int64_t)k->max_versions, (int64_t)k->cas_required, k->custom,
	    strlen(k->custom), (int64_t)k->mcas, k->updated_ms, k->updated_by,
	    strlen(k->updated_by));
	return database_run(w, s->path, err);
}

static bool
is_object(struct buf *text)
{
	json_t *j;
	bool ok;

	if (memchr(text->data, '\0', text->len) != NULL)
		return false;
	j = json_loadb((const char *)text->data, text->len, 0, NULL);
	ok = json_is_object(j);
	json_decref(j);
	return ok;
}

/* May the op's custom metadata be taken over? */
static int
check_custom(struct store_op *op)
{
	if (op->custom.len == 0)
		return 0;
	if (buf_check(&op->custom, &op->err) == -1)
		return -1;
	if (!is_object(&op->custom))
		return error_set(&op->err, ERROR_FORMAT, "metadata is not a JSON object");
	return 0;
}

static int
decide_settings(struct store *s, struct store_op *op, struct error *err)
{
	struct secret_name name = decide_name(op);
	struct key_settings k;

	if (reader_settings(s->reader, &name, &k, err) == -1)
		return -1;
	/* Settings may be there before the first version. */
	op->current = k.mcas;
	if (op->cas >= 0 && op->cas != (int64_t)k.mcas)
		return refuse(op, STORE_CAS_MISMATCH);
	if (op->custom.len == 0 && !op->set_max_versions && !op->set_cas_required)
		return refuse(op, k.high > 0 || k.mcas > 0 ? STORE_DONE : STORE_ABSENT);
	if (check_custom(op) == -1)
		return refuse(op, STORE_FAILED);
	if (op->custom.len > 0)
		k.custom = buf_cstr(&op->custom);
	if (op->set_max_versions)
		k.max_versions = op->max_versions;
	if (op->set_cas_required)
		k.cas_required = op->cas_required;
	k.updated_ms = store_stamp(s);
	k.updated_by = decide_by(op);
	k.mcas++;
	op->current = k.mcas;
	op->result = STORE_DONE;
	return write_setting(s, &name, &k, err) == -1 ||
	    decide_change(s, &name, 0, CHANGE_METADATA, err) == -1 ? -1 : 1;
}

/* --- making a version --- */

/* 1: the same Idempotency-Key again: the first answer, or another body. */
static int
decide_repeated(struct store *s, struct store_op *op, struct error *err)
{
	sqlite3_stmt *r = s->statements[READ_REPEATED];
	const void *content;
	size_t n;
	int found;

	if (!op->has_idem)
		return 0;
	database_bind(r, "b", op->idem, (size_t)32);
	found = database_next(r, s->path, err);
	if (found == 1) {
		content = database_blob(r, 0, &n);
		op->result = secret_equal(content, n, op->idem + 32, 32) ? STORE_REPEATED :
		    STORE_IDEM_MISMATCH;
	}
	if (found == 1 && op->result == STORE_REPEATED) {
		op->version = (uint32_t)sqlite3_column_int64(r, 1);
		op->created_ms = sqlite3_column_int64(r, 2);
		op->expires_ms = sqlite3_column_int64(r, 3);
		op->offset = (uint64_t)sqlite3_column_int64(r, 4);
	}
	(void)sqlite3_reset(r);
	return found;
}

/* What the request and the key's settings say about the current version.  1: it
 * may be made; 0: refused. */
static int
may_create(struct store *s, struct store_op *op, const struct secret_name *name,
    const struct key_settings *k, struct error *err)
{
	struct version_view v;
	int found = reader_latest(s->reader, name, false, &v, err);

	if (found == -1)
		return -1;
	op->current = found == 1 ? v.number : 0;
	if (k->cas_required && op->cas < 0)
		return refuse(op, STORE_CAS_MISSING);
	if (op->cas >= 0 && op->cas != (int64_t)op->current)
		return refuse(op, STORE_CAS_MISMATCH);
	if ((op->if_match >= 0 && op->if_match != (int64_t)op->current) ||
	    (op->if_none_match && op->current != 0))
		return refuse(op, STORE_PRECONDITION);
	if (k->high >= NAME_VERSION_MAX)
		return refuse(op, STORE_EXHAUSTED);
	return 1;
}

/* Which of the limits that is: see STORE_QUOTA. */
static int
refuse_quota(struct store_op *op, uint32_t which)
{
	op->current = which;
	return refuse(op, STORE_QUOTA);
}

/* 1: there is room for ${n} bytes more. */
static int
within_quota(struct store *s, struct store_op *op, size_t n, struct error *err)
{
	sqlite3_stmt *all = s->statements[READ_BYTES], *path = s->statements[READ_PATH_BYTES];
	int64_t bytes = 0;

	if (s->room < (int64_t)n)
		return refuse_quota(op, 2);
	if (s->path_quota > 0) {
		database_bind(path, "t", op->path, op->path_len);
		if (database_number(path, &bytes, s->path, err) == -1)
			return -1;
		if ((uint64_t)bytes + n > s->path_quota)
			return refuse_quota(op, 1);
	}
	if (s->quota > 0) {
		if (database_number(all, &bytes, s->path, err) == -1)
			return -1;
		if ((uint64_t)bytes + n > s->quota)
			return refuse_quota(op, 0);
	}
	s->room -= (int64_t)n;
	return 1;
}

/* Destroy the oldest ones beyond the key's limit. */
static int
prune(struct store *s, const struct secret_name *name, const struct key_settings *k,
    struct error *err)
{
	sqlite3_stmt *r = s->statements[READ_HELD];
	struct version_view v;
	int64_t held;

	if (k->max_versions == 0)
		return 0;
	database_bind(r, "tt", name->path, name->path_len, name->key, name->key_len);
	if (database_number(r, &held, s->path, err) == -1)
		return -1;
	for (; held > (int64_t)k->max_versions; held--) {
		if (reader_next(s->reader, name, 0, false, &v, err) != 1 ||
		    decide_destroy(s, name, v.number, v.offset, k->high, err) == -1)
			return -1;
	}
	return 0;
}

static int
decide_create(struct store *s, struct store_op *op, struct error *err)
{
	struct secret_name name = decide_name(op);
	struct sealed_name bound;
	struct key_settings k;
	const char *by = decide_by(op);
	sqlite3_stmt *w = s->statements[WRITE_SECRET];
	int may = decide_repeated(s, op, err);

	if (may != 0)
		return may == -1 ? -1 : 0;
	if (reader_settings(s->reader, &name, &k, err) == -1)
		return -1;
	if ((may = may_create(s, op, &name, &k, err)) != 1)
		return may;
	op->created_ms = store_stamp(s);
	if (op->given_ms > 0 && op->given_ms < op->created_ms)
		op->created_ms = op->given_ms;
	op->expires_ms = op->ttl_ms <= 0 ? 0 : op->ttl_ms < INT64_MAX - op->created_ms ?
	    op->created_ms + op->ttl_ms : INT64_MAX;
	op->version = ++k.high;
	bound = (struct sealed_name){ name.path, name.path_len, name.key, name.key_len,
	    op->version, op->created_ms, op->expires_ms };
	buf_clear(&s->sealed);
	if (check_custom(op) == -1 || buf_check(&op->value, &op->err) == -1 ||
	    sealer_seal(s->sealer, &bound, op->value.data, op->value.len, &s->sealed,
	    &op->err) == -1)
		return refuse(op, STORE_FAILED);
	if ((may = within_quota(s, op, s->sealed.len, err)) != 1)
		return may;

	database_bind(w, "ittizitzb", (int64_t)s->next, name.path, name.path_len, name.key,
	    name.key_len, (int64_t)op->version, op->expires_ms, op->created_ms, by, strlen(by),
	    op->expires_ms, s->sealed.data, s->sealed.len);
	if (database_run(w, s->path, err) == -1)
		return -1;
	if (op->has_idem) {
		w = s->statements[WRITE_IDEMPOTENCY];
		database_bind(w, "ibb", (int64_t)s->next, op->idem, (size_t)32, op->idem + 32,
		    (size_t)32);
		if (database_run(w, s->path, err) == -1)
			return -1;
	}
	if (decide_change(s, &name, op->version, CHANGE_CREATED, err) == -1)
		return -1;
	op->offset = s->next - 1;
	if (op->custom.len > 0) {
		k.custom = buf_cstr(&op->custom);
		k.updated_ms = op->created_ms;
		k.updated_by = by;
		k.mcas++;
		if (write_setting(s, &name, &k, err) == -1)
			return -1;
	}
	s->due |= op->expires_ms != 0;
	op->result = STORE_DONE;
	return prune(s, &name, &k, err) == -1 ? -1 : 1;
}

/* --- deleting, undeleting and destroying versions --- */

/* One more version was touched; the key's name comes next in the names. */
static int
touch(struct store_op *op, uint32_t version, size_t key_len, struct error *err)
{
	struct store_touched *t = op->touched;

	/* Powers of two: there is room up to the next one. */
	if ((op->touched_count & (op->touched_count - 1)) == 0) {
		t = realloc(t, (op->touched_count > 0 ? 2 * op->touched_count : 1) * sizeof(*t));
		if (t == NULL)
			return error_memory(err);
		op->touched = t;
	}
	t[op->touched_count++] = (struct store_touched){ op->names.len, key_len, version };
	return 0;
}

/* Versions of this key were touched, the last by the last change. */
static int
touched(struct store *s, struct store_op *op, const struct secret_name *name, struct error *err)
{
	op->result = STORE_DONE;
	op->offset = s->next - 1;
	s->due = true;
	buf_append(&op->names, name->key, name->key_len);
	return buf_check(&op->names, err) == -1 ? -1 : 1;
}

/* Does the request's If-Match allow it?  1, or 0: refused. */
static int
decide_matches(struct store *s, struct store_op *op, const struct secret_name *name,
    struct error *err)
{
	struct version_view v;
	int found;

	if (op->if_match < 0)
		return 1;
	found = reader_latest(s->reader, name, false, &v, err);
	op->current = found == 1 ? v.number : 0;
	if (found == -1 || op->if_match == (int64_t)op->current)
		return found == -1 ? -1 : 1;
	return refuse(op, STORE_PRECONDITION);
}

/* Delete ${number}, or every live version if it is 0. */
static int
delete_versions(struct store *s, struct store_op *op, const struct secret_name *name,
    uint32_t number, struct error *err)
{
	int64_t at_ms = store_stamp(s);
	size_t from = op->touched_count;
	struct version_view v;
	uint32_t after = number > 0 ? number - 1 : 0;
	int found;

	while ((found = reader_next(s->reader, name, after, false, &v, err)) == 1) {
		after = v.number;
		if (number != 0 && v.number != number)
			break;
		if (v.status == VERSION_LIVE && (touch(op, v.number, name->key_len, err) == -1 ||
		    set_state(s, v.offset, ROW_DELETED, at_ms, decide_by(op), err) == -1 ||
		    decide_change(s, name, v.number, CHANGE_DELETED, err) == -1))
			return -1;
		if (number != 0)
			break;
	}
	if (found == -1)
		return -1;
	return op->touched_count > from ? touched(s, op, name, err) : 0;
}

static int
decide_delete(struct store *s, struct store_op *op, uint32_t number, struct error *err)
{
	struct secret_name name = decide_name(op);
	int may = decide_matches(s, op, &name, err);

	if (may != 1)
		return may;
	op->result = STORE_ABSENT;
	return delete_versions(s, op, &name, number, err);
}

static int
decide_delete_path(struct store *s, struct store_op *op, struct error *err)
{
	struct secret_name name = decide_name(op);
	char key[NAME_KEY_MAX + 1] = "";
	int found;

	op->result = STORE_ABSENT;
	name.key = key;
	name.key_len = 0;
	while ((found = reader_key_after(s->reader, name.path, name.path_len, key, name.key_len,
	    key, &name.key_len, err)) == 1) {
		if (delete_versions(s, op, &name, 0, err) == -1)
			return -1;
	}
	return found == -1 ? -1 : op->result == STORE_DONE;
}

static int
decide_undelete(struct store *s, struct store_op *op, int64_t now_ms, struct error *err)
{
	struct secret_name name = decide_name(op);
	struct key_settings k;
	struct version_view v;
	int found = reader_version(s->reader, &name, op->version, false, &v, err);

	if (found == -1 || reader_settings(s->reader, &name, &k, err) == -1)
		return -1;
	if (found == 0)
		return refuse(op, op->version <= k.high ? STORE_DESTROYED : STORE_ABSENT);
	if (v.deleted_ms != 0 && now_ms > v.deleted_ms &&
	    (uint64_t)(now_ms - v.deleted_ms) >= s->window_ms)
		return refuse(op, STORE_DESTROYED);
	if (v.status == VERSION_EXPIRED || (v.expires_ms != 0 && v.expires_ms <= now_ms))
		return refuse(op, STORE_ABSENT);
	op->offset = v.offset;
	if (v.status == VERSION_LIVE)
		return refuse(op, STORE_DONE);
	if (touch(op, op->version, name.key_len, err) == -1 ||
	    set_state(s, v.offset, ROW_LIVE, v.expires_ms, NULL, err) == -1 ||
	    decide_change(s, &name, op->version, CHANGE_UNDELETED, err) == -1)
		return -1;
	return touched(s, op, &name, err);
}

static int
decide_destroy_one(struct store *s, struct store_op *op, struct error *err)
{
	struct secret_name name = decide_name(op);
	struct key_settings k;
	struct version_view v;
	int found = decide_matches(s, op, &name, err);

	if (found != 1)
		return found;
	found = reader_version(s->reader, &name, op->version, false, &v, err);
	if (found == 0)
		return refuse(op, STORE_ABSENT);
	if (found == -1 || reader_settings(s->reader, &name, &k, err) == -1)
		return -1;
	(void)store_stamp(s);
	if (touch(op, op->version, name.key_len, err) == -1 ||
	    decide_destroy(s, &name, op->version, v.offset, k.high, err) == -1)
		return -1;
	return touched(s, op, &name, err);
}

int
decide_op(struct store *s, struct store_op *op, int64_t now_ms, struct error *err)
{
	int result = 0;

	op->result = STORE_DONE;
	reader_set_now(s->reader, now_ms);
	switch (op->action) {
	case STORE_CREATE:
		result = decide_create(s, op, err);
		break;
	case STORE_DELETE_VERSION:
		result = decide_delete(s, op, op->version, err);
		break;
	case STORE_DELETE_KEY:
		result = decide_delete(s, op, 0, err);
		break;
	case STORE_DELETE_PATH:
		result = decide_delete_path(s, op, err);
		break;
	case STORE_UNDELETE:
		result = decide_undelete(s, op, now_ms, err);
		break;
	case STORE_DESTROY:
		result = decide_destroy_one(s, op, err);
		break;
	case STORE_META:
		result = decide_settings(s, op, err);
		break;
	case STORE_ACCESS:
		result = access_decide(s, op, err);
		break;
	case STORE_RESTORE:
		result = restore_decide(s, op, err);
		break;
	case STORE_BARRIER:
		break;
	}
	reader_reset(s->reader);
	return result;
}
