#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_log.h"

#define DRAIN_RECORDS 2000	/* at once, so that others get their turn */
#define FIRST_RECORDS 20000	/* of the first reading in a transaction */
#define STALL_MS 500		/* the rest of a batch is waited for */

/* --- one record into the tables --- */

/* What was under the number of a version that is gone. */
static int
drop_secret(struct store *s, const struct record_name *name, struct error *err)
{
	static const enum log_statement steps[] = { LOG_DROP_IDEMPOTENCY, LOG_DROP_SECRET };
	sqlite3_stmt *w;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		w = s->log->statements[steps[i]];
		database_bind(w, "tti", name->path, name->path_len, name->key, name->key_len,
		    (int64_t)name->number);
		if (database_run(w, s->path, err) != 0)
			return -1;
	}
	return 0;
}

static int
apply_secret(struct store *s, const struct record_name *name, struct record_body *b,
    struct error *err)
{
	static const enum log_statement steps[] = { LOG_CHANGE_SECRET, LOG_PUT_SECRET };
	struct store_log *l = s->log;
	int64_t numbers[4], expires, has_deleter;
	const char *principal, *deleter;
	const void *sealed, *digest, *content;
	size_t n[5];
	sqlite3_stmt *w;

	if (record_get(b) == 0)
		return drop_secret(s, name, err);
	for (int i = 0; i < 4; i++)
		numbers[i] = record_get(b);
	principal = record_get_bytes(b, &n[0]);
	expires = record_get(b);
	has_deleter = record_get(b);
	deleter = record_get_bytes(b, &n[1]);
	sealed = record_get_bytes(b, &n[2]);
	digest = record_get_bytes(b, &n[3]);
	content = record_get_bytes(b, &n[4]);
	if (b->bad)
		return 0;
	/* One that is there changes in its place, and the index by names is left alone. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		w = l->statements[steps[i]];
		if (has_deleter != 0)
			database_bind(w, "ittiizitztb", numbers[0], name->path, name->path_len,
			    name->key, name->key_len, (int64_t)name->number, numbers[1], numbers[2],
			    numbers[3], principal, n[0], expires, deleter, n[1], sealed, n[2]);
		else
			database_bind(w, "ittiizitznb", numbers[0], name->path, name->path_len,
			    name->key, name->key_len, (int64_t)name->number, numbers[1], numbers[2],
			    numbers[3], principal, n[0], expires, sealed, n[2]);
		if (database_run(w, s->path, err) != 0)
			return -1;
		if (sqlite3_changes(sqlite3_db_handle(w)) > 0)
			break;
	}
	s->due |= numbers[2] != 0;
	if (n[3] == 0)
		return 0;
	w = l->statements[LOG_PUT_IDEMPOTENCY];
	database_bind(w, "ibb", numbers[0], digest, n[3], content, n[4]);
	return database_run(w, s->path, err);
}

static int
apply_setting(struct store *s, const struct record_name *name, struct record_body *b,
    struct error *err)
{
	sqlite3_stmt *w = s->statements[WRITE_SETTING];
	int64_t high = record_get(b), versions = record_get(b), cas = record_get(b), mcas, updated;
	size_t custom_len, updater_len;
	const char *custom = record_get_bytes(b, &custom_len), *updater;

	mcas = record_get(b);
	updated = record_get(b);
	updater = record_get_bytes(b, &updater_len);
	if (b->bad)
		return 0;
	database_bind(w, "ttiiitiit", name->path, name->path_len, name->key, name->key_len, high,
	    versions, cas, custom, custom_len, mcas, updated, updater, updater_len);
	return database_run(w, s->path, err);
}

static int
apply_access(struct store *s, const struct record_name *name, struct record_body *b,
    struct error *err)
{
	bool there = record_get(b) != 0;
	size_t n;
	const char *value = record_get_bytes(b, &n);

	return b->bad ? 0 : access_put(s, name->number, name->key, name->key_len,
	    there ? value : NULL, n, err);
}

/* Only the last ones are in the topic: where some are missing, remembering begins. */
static int
apply_changes(struct store *s, struct record_body *b, struct error *err)
{
	sqlite3_stmt *w = s->log->statements[LOG_PUT_CHANGE];
	int64_t offset, at, version, what;
	const char *path, *key;
	size_t path_len, key_len;

	while (b->left > 0) {
		offset = record_get(b);
		at = record_get(b);
		path = record_get_bytes(b, &path_len);
		key = record_get_bytes(b, &key_len);
		version = record_get(b);
		what = record_get(b);
		if (b->bad || offset < (int64_t)s->remembered)
			return 0;
		if (offset != (int64_t)s->next) {
			if (database_run(s->log->statements[LOG_DROP_CHANGES], s->path, err) != 0)
				return -1;
			s->remembered = (uint64_t)offset;
		}
		database_bind(w, "iittii", offset, at, path, path_len, key, key_len, version, what);
		if (database_run(w, s->path, err) != 0)
			return -1;
		s->next = (uint64_t)offset + 1;
	}
	if (s->next - s->remembered < STORE_CHANGES_MAX + 1024)
		return 0;
	w = s->statements[WRITE_FORGET_CHANGES];
	s->remembered = s->next - STORE_CHANGES_MAX;
	database_bind(w, "i", (int64_t)s->remembered);
	return database_run(w, s->path, err);
}

/* One that was opened with the key of the one before is ours.  -1: it is, and no
 * master secret of this node fits it. */
static int
apply_keyring(struct store *s, const struct kafka_message *m, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3_stmt *w = s->statements[WRITE_KEYRING];
	struct keyring *fresh;
	const char *text;
	bool used_old;
	size_t n;

	if ((text = record_keyring_text(m->value, m->value_len, &n)) == NULL)
		return 0;
	database_bind(w, "t", text, n);
	if (database_run(w, s->path, err) != 0)
		return -1;
	buf_clear(&l->text);
	if (keyring_encode(s->ring, &l->text, err) != 0)
		return -1;
	if (l->text.len == n && memcmp(l->text.data, text, n) == 0)
		return 0;
	/* This node's own, and it has changed again since. */
	if (l->flying && l->ring_sent != 0)
		return 0;
	fresh = keyring_open(text, n, l->master, l->old, l->old_count, &used_old, err);
	if (fresh == NULL && l->spare != NULL && err->code == ERROR_KEY)
		fresh = keyring_open(text, n, l->spare, NULL, 0, &used_old, err);
	if (fresh == NULL)
		return -1;
	l->renew |= used_old;
	return keyring_replace(s->ring, fresh, err);
}

/* --- batches --- */

int
fold_attach(struct store *s, int64_t identity, struct error *err)
{
	sqlite3 *db = database_writer(s->db);
	sqlite3_stmt *w = s->statements[WRITE_KEYRING];
	struct buf *text = &s->log->text;

	buf_clear(text);
	if (keyring_encode(s->ring, text, err) != 0 || database_begin(s->db, err) != 0)
		return -1;
	database_bind(w, "t", text->data, text->len);
	if (database_run(w, s->path, err) == 0 &&
	    database_set_meta(db, "log.position", 0, s->path, err) == 0 &&
	    database_set_meta(db, "log.head", -1, s->path, err) == 0 &&
	    database_set_meta(db, "log.identity", identity, s->path, err) == 0)
		return database_commit(s->db, err);
	database_rollback(s->db);
	return -1;
}

/* What was read since is to be read again. */
static void
fold_back(struct store *s)
{
	struct store_log *l = s->log;

	if (l->open) {
		store_rollback(s);
		l->revision = l->kept;
	}
	l->open = false;
	l->again = true;
}

static int
fold_begin(struct store *s, struct error *err)
{
	struct store_log *l = s->log;

	if (l->open)
		return 0;
	if (store_begin(s, err) != 0)
		return -1;
	l->open = true;
	l->leader_read = false;
	l->applied = 0;
	l->pending = l->kept = l->revision;
	return 0;
}

/* Everything up to ${position} is in the tables. */
static int
fold_commit(struct store *s, int64_t position, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3 *db = database_writer(s->db);

	if (!l->open)
		return 0;
	if (database_set_meta(db, "log.position", position, s->path, err) != 0 ||
	    database_set_meta(db, "log.head", l->head, s->path, err) != 0 ||
	    database_set_meta(db, "log.revision", (int64_t)l->pending, s->path, err) != 0)
		return -1;
	l->open = false;
	if (store_commit_here(s, NULL, 0, err) != 0) {
		l->revision = l->kept;
		l->again = true;
		return -1;
	}
	l->position = position;
	l->revision = l->pending;
	return 0;
}

/* The same, maybe in the middle of a batch, the rest of which is no less new for that. */
static int
fold_commit_part(struct store *s, struct error *err)
{
	if (s->log->open && !s->log->whole)
		s->log->pending--;
	return fold_commit(s, s->log->seen, err);
}

/* A record that is not of this registry, or (${old}) is an old one put there again.
 * Where it stands under a key of ours, the leader writes that again; over an old one the
 * mark of a version that is gone, too, or it would be back once that is compacted. */
static int
fold_foreign(struct store *s, const struct kafka_message *m, bool old)
{
	struct store_log *l = s->log;
	sqlite3_stmt *w = l->statements[LOG_HEAL];
	struct record_name name;

	l->now.foreign++;
	if (!record_name_read(m->key, m->key_len, &name))
		return 0;
	if (name.type == RECORD_SECRET || name.type == RECORD_META ||
	    name.type == RECORD_ACCESS) {
		database_bind(w, "ittii", (int64_t)(name.type == RECORD_META ? 1 :
		    name.type == RECORD_ACCESS ? 2 : 0), name.path, name.path_len, name.key,
		    name.key_len, (int64_t)name.number, (int64_t)old);
		(void)database_run(w, s->path, NULL);
	}
	l->heal = true;
	return 0;
}

/* What ends a batch. */
static int
fold_head(struct store *s, const struct kafka_message *m, struct record_body *b,
    struct error *err)
{
	struct store_log *l = s->log;
	int64_t next = record_get(b), last = record_get(b);
	unsigned char batch[LOG_ID];
	const void *id;
	size_t n;

	id = record_get_bytes(b, &n);
	if (b->bad || n != LOG_ID)
		return fold_foreign(s, m, false);
	memcpy(batch, id, LOG_ID);
	if (next > (int64_t)s->next) {
		if (database_run(s->log->statements[LOG_DROP_CHANGES], s->path, err) != 0)
			return -1;
		s->next = s->remembered = (uint64_t)next;
	}
	if (last > s->last_ms)
		s->last_ms = last;
	if (l->leader_read) {
		database_bind(l->statements[LOG_PUT_LEADER], "t", l->leader_url,
		    strlen(l->leader_url));
		if (database_run(l->statements[LOG_PUT_LEADER], s->path, err) != 0)
			return -1;
	}
	l->head = m->offset;
	/* Of a topic that is read for the first time many batches are committed at once, but
	 * for those that somebody waits for. */
	if (!l->folded && !l->leader_read && !l->flying) {
		l->revision = l->pending;
		l->whole = true;
		return 0;
	}
	if (fold_commit(s, m->offset + 1, err) != 0)
		return -1;
	log_batch_seen(s, batch);
	if (l->leader_read)
		log_leader_seen(s, l->leader_term, l->leader_url);
	l->leader_read = false;
	return 0;
}

/* Who says so, and who it is.  False: it says nothing of the kind. */
static bool
read_leader(struct record_body *b, unsigned char term[LOG_ID], char url[256])
{
	size_t n, url_len;
	const void *id = record_get_bytes(b, &n);
	const char *text;

	(void)record_get(b);
	text = record_get_bytes(b, &url_len);
	if (b->bad || n != LOG_ID || url_len > 255)
		return false;
	memcpy(term, id, LOG_ID);
	memcpy(url, text, url_len);
	url[url_len] = '\0';
	return true;
}

static int
fold_record(struct store *s, const struct kafka_message *m, struct error *err)
{
	struct store_log *l = s->log;
	unsigned char term[LOG_ID];
	struct record_name name;
	struct record_body b;
	uint64_t revision = 0;
	struct error why;
	char url[256];
	int rc;

	if (m->value == NULL || !record_name_read(m->key, m->key_len, &name))
		return fold_foreign(s, m, false);
	buf_clear(&l->body);
	rc = name.type == RECORD_KEYRING ? record_open_keyring(l->seal, m->key, m->key_len,
	    m->value, m->value_len, &revision, &why) : record_open(l->seal, m->key, m->key_len,
	    m->value, m->value_len, &revision, &l->body, &why);
	if (rc != 0)
		return fold_foreign(s, m, false);
	b = (struct record_body){ l->body.data, l->body.len, false };
	/* Of what stands before the position there nothing is in the tables. */
	if (l->position > 0 && revision / LOG_AGE > l->revision / LOG_AGE) {
		log_stop(s, "the topic was made anew by a copy, and this node has read of the one "
		    "before");
		return error_set(err, ERROR_STALE, "%s", l->stopped);
	}
	l->trusted = true;
	if (m->offset < l->seen)
		return 0;
	if (name.type == RECORD_NOOP) {
		if (read_leader(&b, term, url))
			log_noop_seen(s, term, m->offset);
		return 0;
	}
	if (revision <= l->revision || (l->open && revision < l->pending))
		return fold_foreign(s, m, true);
	if (fold_begin(s, err) != 0)
		return -1;
	l->pending = revision;
	l->whole = false;
	l->applied++;
	switch (name.type) {
	case RECORD_SECRET:
		return apply_secret(s, &name, &b, err);
	case RECORD_META:
		return apply_setting(s, &name, &b, err);
	case RECORD_ACCESS:
		return apply_access(s, &name, &b, err);
	case RECORD_KEYRING:
		return revision < l->ring_revision ? 0 : apply_keyring(s, m, err);
	case RECORD_CHANGES:
		return apply_changes(s, &b, err);
	case RECORD_HEAD:
		return fold_head(s, m, &b, err);
	case RECORD_LEADER:
		l->leader_read = read_leader(&b, l->leader_term, l->leader_url);
		return 0;
	case RECORD_NOOP:
	case RECORD_TYPES:
	default:
		return 0;
	}
}

/* All that was there when reading began is in the tables. */
static void
fold_done(struct store *s)
{
	if (s->log->trusted)
		s->log->folded = true;
	else
		log_stop(s, "the topic has nothing of this registry: it was made anew");
}

/* One message; -1: what is open is to be read again. */
static int
fold_message(struct store *s, const struct kafka_message *m, struct error *err)
{
	struct store_log *l = s->log;

	/* What is in the tables is looked at until it is known whose the topic is. */
	if (m->offset < l->seen && l->trusted)
		return 0;
	if (fold_record(s, m, err) != 0)
		return -1;
	if (m->offset < l->seen)
		return 0;
	l->seen = m->offset + 1;
	if (l->folded)
		return 0;
	/* Of a topic that is read for the first time nobody sees a half. */
	if (l->open && l->applied >= FIRST_RECORDS)
		return fold_commit_part(s, err);
	if (l->goal == -1)
		l->goal = kafka_end_known(l->kafka);
	/* While others write there is no end. */
	if (l->goal == -1 || l->seen <= l->goal || (l->open && !l->whole))
		return 0;
	if (fold_commit(s, l->seen, err) != 0)
		return -1;
	fold_done(s);
	return 0;
}

static void
fold_trouble(struct store *s, const struct error *why)
{
	struct store_log *l = s->log;

	fold_back(s);
	if (why->code == ERROR_KEY)
		l->locked = true;
	else if (why->code == ERROR_REFUSED)
		log_stop(s, "the topic has the keyring of another registry");
}

bool
fold_drain(struct store *s)
{
	struct store_log *l = s->log;
	struct error why = { .code = ERROR_NONE };
	struct kafka_message m;
	enum kafka_read what;
	unsigned n;

	if (l->stopped != NULL || l->locked)
		return false;
	if (l->again) {
		if (kafka_seek(l->kafka, !l->trusted && l->head >= 0 ? l->head : l->position,
		    &why) != 0)
			return false;
		l->again = false;
		l->seen = l->position;
	}
	for (n = 0; l->stopped == NULL && (n < DRAIN_RECORDS || l->open); n++) {
		what = kafka_read(l->kafka, l->open ? STALL_MS : 0, &m, &why);
		if (what == KAFKA_MESSAGE) {
			if (fold_message(s, &m, &why) == 0)
				continue;
			fold_trouble(s, &why);
			return false;
		}
		if (what == KAFKA_END) {
			if (fold_commit(s, m.offset, &why) != 0) {
				fold_trouble(s, &why);
				return false;
			}
			fold_done(s);
			continue;
		}
		if (what == KAFKA_GAP)
			log_stop(s, LOG_ANEW);
		if (l->open && (l->folded || fold_commit_part(s, &why) != 0))
			fold_back(s);
		return n > 0;
	}
	return true;
}
