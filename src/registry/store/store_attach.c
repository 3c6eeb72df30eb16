#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_log.h"

/*
 * How a node comes to its topic: it finds its keyring there or begins a new registry,
 * or goes on where it was, if the topic is the same.
 */

static const char noting[] =
    "PRAGMA temp_store=MEMORY;"
    "CREATE TEMP TABLE touched(kind INTEGER,path TEXT,key TEXT,version INTEGER,"
    "PRIMARY KEY(kind,path,key,version)) WITHOUT ROWID;"
    "CREATE TEMP TABLE heal(kind INTEGER,path TEXT,key TEXT,version INTEGER,sent INTEGER,"
    "PRIMARY KEY(kind,path,key,version)) WITHOUT ROWID;"
    "CREATE TEMP TRIGGER secret_made AFTER INSERT ON main.secret WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,new.path,new.key,new.version); END;"
    "CREATE TEMP TRIGGER secret_changed AFTER UPDATE ON main.secret WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,new.path,new.key,new.version); END;"
    "CREATE TEMP TRIGGER secret_gone AFTER DELETE ON main.secret WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,old.path,old.key,old.version); END;"
    "CREATE TEMP TRIGGER setting_made AFTER INSERT ON main.setting WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(1,new.path,new.key,0); END;"
    "CREATE TEMP TRIGGER setting_changed AFTER UPDATE ON main.setting WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(1,new.path,new.key,0); END;"
    "CREATE TEMP TRIGGER access_made AFTER INSERT ON main.access WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(2,'',new.name,new.kind); END;"
    "CREATE TEMP TRIGGER access_gone AFTER DELETE ON main.access WHEN noting() BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(2,'',old.name,old.kind); END;";

static const char *const log_statements[LOG_STATEMENTS] = {
	[LOG_TOUCHED_SECRETS] = "SELECT t.path,t.key,t.version,s.offset,s.state,coalesce(s.due,0),"
	    "s.created,s.principal,coalesce(s.expires,0),s.deleter,s.sealed,i.digest,i.content "
	    "FROM temp.touched t LEFT JOIN main.secret s USING(path,key,version) "
	    "LEFT JOIN main.idempotency i ON i.offset=s.offset WHERE t.kind=0",
	[LOG_TOUCHED_SETTINGS] = "SELECT t.path,t.key,s.high,s.max_versions,s.cas_required,"
	    "s.custom,s.mcas,s.updated,s.updater FROM temp.touched t "
	    "JOIN main.setting s USING(path,key) WHERE t.kind=1",
	[LOG_TOUCHED_ACCESS] = "SELECT t.path,t.key,t.version,a.value FROM temp.touched t "
	    "LEFT JOIN main.access a ON a.kind=t.version AND a.name=t.key WHERE t.kind=2",
	[LOG_CHANGES] = "SELECT offset,at,path,key,version,what FROM change WHERE offset>=? "
	    "ORDER BY offset",
	[LOG_ANY_TOUCHED] = "SELECT count(*) FROM temp.touched",
	[LOG_HEAL] = "INSERT OR REPLACE INTO temp.heal SELECT ?1,?2,?3,?4,0 WHERE "
	    "(?1=0 AND (?5 OR EXISTS(SELECT 1 FROM main.secret WHERE path=?2 AND key=?3 AND "
	    "version=?4))) OR "
	    "(?1=1 AND EXISTS(SELECT 1 FROM main.setting WHERE path=?2 AND key=?3)) OR "
	    "(?1=2 AND (?5 OR EXISTS(SELECT 1 FROM main.access WHERE kind=?4 AND name=?3)))",
	[LOG_HEAL_SECRETS] = "INSERT OR IGNORE INTO temp.touched SELECT 0,path,key,version "
	    "FROM temp.heal WHERE kind=0",
	[LOG_HEAL_ACCESS] = "INSERT OR IGNORE INTO temp.touched SELECT 2,path,key,version "
	    "FROM temp.heal WHERE kind=2",
	[LOG_HEAL_SETTINGS] = "INSERT OR IGNORE INTO temp.touched SELECT 1,path,key,0 "
	    "FROM temp.heal JOIN main.setting USING(path,key) WHERE kind=1",
	[LOG_HEAL_SENT] = "UPDATE temp.heal SET sent=1",
	[LOG_HEALED] = "DELETE FROM temp.heal WHERE sent=1",
	[LOG_CHANGE_SECRET] = "UPDATE secret SET state=?5,due=?6,created=?7,principal=?8,"
	    "expires=?9,deleter=?10,sealed=?11 WHERE offset=?1 AND path=?2 AND key=?3 AND "
	    "version=?4",
	[LOG_PUT_SECRET] = "INSERT OR REPLACE INTO secret(offset,path,key,version,state,due,"
	    "created,principal,expires,deleter,sealed) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
	[LOG_PUT_IDEMPOTENCY] = "INSERT OR REPLACE INTO idempotency(offset,digest,content) "
	    "VALUES(?,?,?)",
	[LOG_DROP_IDEMPOTENCY] = "DELETE FROM idempotency WHERE offset=(SELECT offset FROM secret "
	    "WHERE path=? AND key=? AND version=?)",
	[LOG_DROP_SECRET] = "DELETE FROM secret WHERE path=? AND key=? AND version=?",
	[LOG_PUT_CHANGE] = "INSERT OR REPLACE INTO change(offset,at,path,key,version,what) "
	    "VALUES(?,?,?,?,?,?)",
	[LOG_DROP_CHANGES] = "DELETE FROM change",
	[LOG_PUT_ACCESS] = "INSERT OR REPLACE INTO access(kind,name,value) VALUES(?,?,?)",
	[LOG_DROP_ACCESS] = "DELETE FROM access WHERE kind=? AND name=?",
	[LOG_PUT_LEADER] = "INSERT OR REPLACE INTO keyring VALUES(2,?)",
	[LOG_LOOK_ACCESS] = "SELECT value FROM access WHERE kind=? AND name=?",
};

/* What is read from the topic is not to be sent there. */
static void
is_noted(sqlite3_context *c, int n, sqlite3_value **values)
{
	const struct store *s = sqlite3_user_data(c);

	(void)n;
	(void)values;
	sqlite3_result_int(c, s->log != NULL && !s->log->open);
}

static int
prepare_log(struct store *s, struct error *err)
{
	sqlite3 *db = database_writer(s->db);

	if (sqlite3_create_function(db, "noting", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, s, is_noted,
	    NULL, NULL) != SQLITE_OK)
		return error_memory(err);
	if (database_access_table(db, s->path, err) != 0 ||
	    database_exec(db, noting, s->path, err) != 0)
		return -1;
	for (int i = 0; i < LOG_STATEMENTS; i++) {
		s->log->statements[i] = database_prepare(db, log_statements[i], s->path, err);
		if (s->log->statements[i] == NULL)
			return -1;
	}
	return 0;
}

/* Is there anything in the tables that a topic's fold would have to agree with? */
static int
has_rows(struct store *s, bool *any, struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(s->db), "SELECT (SELECT count(*) FROM "
	    "secret)+(SELECT count(*) FROM setting)+(SELECT count(*) FROM keyring WHERE id=0)",
	    s->path, err);
	int64_t n = 0;
	int rc = r != NULL ? database_number(r, &n, s->path, err) : -1;

	(void)sqlite3_finalize(r);
	*any = n > 0;
	return rc;
}

/* Take a keyring that a master secret of ours fits, and that its own key vouches for, if
 * it is newer than what was found before. */
static void
try_keyring(struct store *s, const struct kafka_message *m, struct error *why)
{
	struct store_log *l = s->log;
	struct record_seal *seal;
	struct record_name name;
	struct keyring *ring;
	uint64_t revision = 0;
	const char *text;
	bool used_old;
	size_t n;

	if (m->value == NULL || (text = record_keyring_text(m->value, m->value_len, &n)) == NULL ||
	    !record_name_read(m->key, m->key_len, &name) || name.type != RECORD_KEYRING)
		return;
	ring = keyring_open(text, n, l->master, l->old, l->old_count, &used_old, why);
	if (ring == NULL)
		return;
	if ((seal = record_seal_new(keyring_audit_key(ring), why)) == NULL ||
	    record_open_keyring(seal, m->key, m->key_len, m->value, m->value_len, &revision,
	    why) != 0 || (s->ring != NULL && revision < l->ring_revision)) {
		record_seal_free(seal);
		keyring_free(ring);
		return;
	}
	record_seal_free(seal);
	keyring_free(s->ring);
	s->ring = ring;
	l->ring_revision = revision;
	l->renew = used_old;
	l->trusted = true;
}

/* Read all of the topic for the last keyring that a master secret of ours fits.
 * 1: found, and opened; 0: the topic is empty. */
static int
find_keyring(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	int64_t until = clock_ms() + l->options->init_timeout_ms;
	struct error why = { .code = ERROR_NONE };
	struct kafka_message m;
	enum kafka_read what;
	int64_t goal = -1;
	bool any = false;

	if (kafka_seek(l->kafka, 0, err) != 0)
		return -1;
	while ((what = kafka_read(l->kafka, 200, &m, &why)) != KAFKA_END) {
		if (what == KAFKA_GAP) {
			*err = why;
			return error_hint(err, "its first records are gone: is something besides "
			    "compaction deleting them?");
		}
		if (what == KAFKA_TROUBLE && why.code == ERROR_REFUSED) {
			*err = why;
			return -1;
		}
		if (what != KAFKA_MESSAGE && clock_ms() > until) {
			error_set(err, ERROR_IO, "the topic %s cannot be read to its end in time",
			    l->options->topic);
			return why.code != ERROR_NONE ? error_hint(err, "%s", why.text) : -1;
		}
		if (what != KAFKA_MESSAGE)
			continue;
		any = true;
		try_keyring(s, &m, &why);
		if (goal == -1)
			goal = kafka_end_known(l->kafka);
		/* What has come since is read with all the rest. */
		if (goal != -1 && m.offset >= goal)
			break;
	}
	if (s->ring != NULL)
		return 1;
	if (!any)
		return 0;
	if (why.code == ERROR_NONE) {
		error_set(err, ERROR_REFUSED, "the topic %s holds records, but no registry's",
		    l->options->topic);
		return error_hint(err, "name another topic in kafkastore.topic");
	}
	*err = why;
	return -1;
}

/* The first batch of a new registry: its keyring.  1: it is written; 0: look again,
 * somebody else may have been first. */
static int
begin_topic(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	enum kafka_outcome outcome;
	int found;

	if (kafka_claim(l->kafka, l->options->init_timeout_ms, err) != 0)
		return -1;
	/* Now nothing of anybody else's can come any more. */
	if ((found = find_keyring(s, err)) != 0)
		return found;
	if ((s->ring = keyring_new(l->master, err)) == NULL ||
	    (l->seal = record_seal_new(keyring_audit_key(s->ring), err)) == NULL)
		return -1;
	if (batch_begin(s, err) != 0)
		return -1;
	outcome = kafka_append(l->kafka, l->courier.records.items, l->courier.records.len,
	    l->options->init_timeout_ms, err);
	batch_clear(l);
	l->trusted = outcome == KAFKA_DONE;
	if (outcome == KAFKA_DONE)
		return 1;
	keyring_free(s->ring);
	s->ring = NULL;
	record_seal_free(l->seal);
	l->seal = NULL;
	return err->code != ERROR_REFUSED && (outcome == KAFKA_FENCED || outcome == KAFKA_UNKNOWN) ?
	    0 : -1;
}

/* A node that has nothing yet: everything comes from the topic. */
static int
open_fresh(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	bool any;
	int64_t identity;
	int found = 0;

	if (kafka_check(l->kafka, true, l->options->init_timeout_ms, err) != 0 ||
	    has_rows(s, &any, err) != 0)
		return -1;
	if (any) {
		error_set(err, ERROR_REFUSED, "the database has secrets of its own, which are not "
		    "of the topic %s", l->options->topic);
		return error_hint(err, "put them into a topic with `propseal registry copy kafka`, "
		    "or begin with an empty --data");
	}
	for (int i = 0; i < 10 && found == 0; i++) {
		if ((found = find_keyring(s, err)) == 0)
			found = begin_topic(s, err);
	}
	if (found == 0)
		return error_set(err, ERROR_IO, "the topic %s cannot be begun: others claim it "
		    "again and again", l->options->topic);
	if (found == -1)
		return -1;
	if ((identity = kafka_identity(l->kafka, l->options->init_timeout_ms)) == 0)
		return error_set(err, ERROR_IO, "the brokers do not tell which cluster they are");
	return fold_attach(s, identity, err);
}

/* Who led when this node ended, and may do so still: the record that says it was read. */
static int
recall_leader(struct store *s, struct error *err)
{
	sqlite3_stmt *r = database_prepare(database_writer(s->db), "SELECT text FROM keyring "
	    "WHERE id=2", s->path, err);
	int found = r != NULL ? database_next(r, s->path, err) : -1;
	struct store_log *l = s->log;

	if (found == 1)
		(void)snprintf(l->leader, sizeof(l->leader), "%s", database_text(r, 0, NULL));
	(void)sqlite3_finalize(r);
	if (strcmp(l->leader, l->url) == 0)
		l->leader[0] = '\0';
	return found == -1 ? -1 : 0;
}

/* A node that was here before: it can go on reading whatever becomes of the brokers. */
static int
open_again(struct store *s, int64_t identity, struct error *err)
{
	struct store_log *l = s->log;
	unsigned ms = l->options->init_timeout_ms < LOG_AGAIN_MS ? l->options->init_timeout_ms :
	    LOG_AGAIN_MS;
	int64_t first, end, now;
	struct error why;

	if (kafka_check(l->kafka, false, ms, &why) != 0) {
		if (why.code == ERROR_IO)
			return 0;
		if (why.code != ERROR_MISSING) {
			*err = why;
			return -1;
		}
		log_stop(s, "the topic is gone");
		return 0;
	}
	now = kafka_identity(l->kafka, ms);
	if (now != 0 && now != identity) {
		error_set(err, ERROR_REFUSED, "the database is of another topic or cluster than %s",
		    l->options->topic);
		return error_hint(err, "give the kafkastore.* settings that it was last started "
		    "with, or an empty --data, which is filled from the topic");
	}
	if (kafka_ends(l->kafka, ms, &first, &end, &why) == 0 && end < l->position)
		log_stop(s, LOG_ANEW);
	return 0;
}

int
log_attach(struct store *s, const struct store_options *o, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3 *db = database_writer(s->db);
	int64_t identity = 0, revision = 0;
	bool used_old = false;
	int found;

	if (prepare_log(s, err) != 0 ||
	    database_meta(db, "log.identity", 0, &identity, s->path, err) != 0 ||
	    database_meta(db, "log.position", 0, &l->position, s->path, err) != 0 ||
	    database_meta(db, "log.head", -1, &l->head, s->path, err) != 0 ||
	    database_meta(db, "log.revision", 0, &revision, s->path, err) != 0)
		return -1;
	l->revision = (uint64_t)revision;
	l->goal = -1;
	if ((l->kafka = kafka_open(l->options, log_wake, s, err)) == NULL)
		return -1;
	if (o->copy == STORE_COPY_TO_LOCAL && identity == 0) {
		error_set(err, ERROR_REFUSED, "the database is not the copy of a topic");
		return error_hint(err, "it is a registry of its own already: serve it with "
		    "store.log=local");
	}
	if (identity == 0 && o->copy == STORE_COPY_NONE) {
		if (open_fresh(s, err) != 0)
			return -1;
	} else {
		if ((found = store_read_ring(s, o, &used_old, err)) != 1)
			return found == 0 ? database_damaged(s->path, "the keyring is missing",
			    err) : -1;
		l->renew = used_old;
		if (recall_leader(s, err) != 0)
			return -1;
		if (o->copy != STORE_COPY_TO_TOPIC && open_again(s, identity, err) != 0)
			return -1;
	}
	if (l->seal == NULL && (l->seal = record_seal_new(keyring_audit_key(s->ring), err)) == NULL)
		return -1;
	l->again = true;
	return 0;
}
