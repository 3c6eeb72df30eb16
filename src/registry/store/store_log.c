#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "registry/kafka/kafka.h"
#include "registry/kafka/options.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_log.h"

#define RETRY_MS 1000		/* a claim that failed is tried again */
#define CLAIM_MS 20000

/*
 * What the writer decides goes to the topic: the rows that an action changed are
 * noted by triggers, become records, and the transaction is rolled back.  They come
 * into the tables as everything in the topic does, by the reader (store_fold.c).  So
 * leader and followers cannot differ.
 *
 * One batch is under way at a time.  A thread of its own, the courier, waits for the
 * brokers; the writer goes on with the audit lines of reads meanwhile.
 */

static const char noting[] =
    "PRAGMA temp_store=MEMORY;"
    "CREATE TEMP TABLE touched(kind INTEGER,path TEXT,key TEXT,version INTEGER,"
    "PRIMARY KEY(kind,path,key,version)) WITHOUT ROWID;"
    "CREATE TEMP TRIGGER secret_made AFTER INSERT ON main.secret BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,new.path,new.key,new.version); END;"
    "CREATE TEMP TRIGGER secret_changed AFTER UPDATE ON main.secret BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,new.path,new.key,new.version); END;"
    "CREATE TEMP TRIGGER secret_gone AFTER DELETE ON main.secret BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(0,old.path,old.key,old.version); END;"
    "CREATE TEMP TRIGGER setting_made AFTER INSERT ON main.setting BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(1,new.path,new.key,0); END;"
    "CREATE TEMP TRIGGER setting_changed AFTER UPDATE ON main.setting BEGIN "
    "INSERT OR IGNORE INTO touched VALUES(1,new.path,new.key,0); END;";

static const char *const log_statements[LOG_STATEMENTS] = {
	[LOG_TOUCHED_SECRETS] = "SELECT t.path,t.key,t.version,s.offset,s.state,coalesce(s.due,0),"
	    "s.created,s.principal,coalesce(s.expires,0),s.deleter,s.sealed,i.digest,i.content "
	    "FROM temp.touched t LEFT JOIN main.secret s USING(path,key,version) "
	    "LEFT JOIN main.idempotency i ON i.offset=s.offset WHERE t.kind=0",
	[LOG_TOUCHED_SETTINGS] = "SELECT t.path,t.key,s.high,s.max_versions,s.cas_required,"
	    "s.custom,s.mcas,s.updated,s.updater FROM temp.touched t "
	    "JOIN main.setting s USING(path,key) WHERE t.kind=1",
	[LOG_CHANGES] = "SELECT offset,at,path,key,version,what FROM change WHERE offset>=? "
	    "ORDER BY offset",
	[LOG_ANY_TOUCHED] = "SELECT count(*) FROM temp.touched",
	[LOG_FORGET_TOUCHED] = "DELETE FROM temp.touched",
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
};

/* --- waking the writer --- */

static void
log_wake(void *cookie)
{
	struct store *s = cookie;

	(void)pthread_mutex_lock(&s->mutex);
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

/* --- the courier --- */

static void *
courier(void *store)
{
	struct store *s = store;
	struct log_courier *c = &s->log->courier;
	enum kafka_outcome outcome = KAFKA_DONE;
	struct error why;
	enum log_job job;

	(void)pthread_mutex_lock(&c->mutex);
	while (!c->stopping) {
		if (c->job == JOB_NONE || c->finished) {
			(void)pthread_cond_wait(&c->wake, &c->mutex);
			continue;
		}
		job = c->job;
		(void)pthread_mutex_unlock(&c->mutex);
		memset(&why, 0, sizeof(why));
		if (job == JOB_CLAIM)
			outcome = kafka_claim(s->log->kafka, CLAIM_MS, &why) == 0 ? KAFKA_DONE :
			    KAFKA_REFUSED;
		else if (job == JOB_UNCLAIM)
			kafka_unclaim(s->log->kafka);
		else
			outcome = kafka_append(s->log->kafka, c->records.items, c->records.len,
			    CLAIM_MS, &why);
		(void)pthread_mutex_lock(&c->mutex);
		c->outcome = outcome;
		c->why = why;
		c->finished = true;
		(void)pthread_mutex_unlock(&c->mutex);
		log_wake(s);
		(void)pthread_mutex_lock(&c->mutex);
	}
	(void)pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static void
courier_send(struct store *s, enum log_job job)
{
	struct log_courier *c = &s->log->courier;

	s->log->busy = true;
	(void)pthread_mutex_lock(&c->mutex);
	c->job = job;
	c->finished = false;
	(void)pthread_cond_signal(&c->wake);
	(void)pthread_mutex_unlock(&c->mutex);
}

/* What it has brought back; JOB_NONE: nothing (yet). */
static enum log_job
courier_take(struct store *s, enum kafka_outcome *outcome, struct error *why)
{
	struct log_courier *c = &s->log->courier;
	enum log_job job = JOB_NONE;

	(void)pthread_mutex_lock(&c->mutex);
	if (c->finished) {
		job = c->job;
		*outcome = c->outcome;
		*why = c->why;
		c->job = JOB_NONE;
		c->finished = false;
		s->log->busy = false;
	}
	(void)pthread_mutex_unlock(&c->mutex);
	return job;
}

/* --- a batch --- */

bool
log_may_write(const struct store *s)
{
	const struct store_log *l = s->log;

	return l == NULL || (l->role == LOG_LEADER && !l->flying && !l->busy);
}

bool
log_is_settled(const struct store *s)
{
	return s->log == NULL || !s->log->flying ||
	    store_monotonic_ms() - s->log->flown_ms > LOG_END_MS;
}

int
log_not_leading(const struct store *s, struct error *err)
{
	const struct store_log *l = s->log;

	if (l->stopped != NULL)
		return error_set(err, ERROR_BUSY, "%s", l->stopped);
	if (l->role == LOG_CLAIMING)
		return error_set(err, ERROR_BUSY, "this node is about to lead");
	return l->leader[0] == '\0' ? error_set(err, ERROR_BUSY, "no node leads now") :
	    error_set(err, ERROR_BUSY, "another node leads: %s", l->leader);
}

/* A batch that cannot be sent now: 0: there is none, commit the rest. */
static int
refuse_batch(struct store *s, struct error *err)
{
	struct error why = { 0 };
	int64_t n = 0;

	if (database_number(s->log->statements[LOG_ANY_TOUCHED], &n, s->path, &why) == 0 && n == 0)
		return 0;
	store_rollback(s);
	if (why.code != ERROR_NONE) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return s->log->role != LOG_LEADER ? log_not_leading(s, err) :
	    error_set(err, ERROR_BUSY, "another change is being written");
}

int
log_send(struct store *s, struct store_op *ops, struct error *err)
{
	struct store_log *l = s->log;
	struct error why = { 0 };
	int rc;

	if (!log_may_write(s))
		return refuse_batch(s, err);
	rc = batch_collect(s, &why);
	if (rc == 0)
		return 0;
	store_rollback(s);
	if (rc == -1) {
		batch_clear(l);
		if (err != NULL)
			*err = why;
		return -1;
	}
	l->flying = true;
	l->in_doubt = false;
	l->ops = ops;
	l->flown_ms = store_monotonic_ms();
	courier_send(s, JOB_APPEND);
	return 1;
}

/* Tell the actions of the batch what became of it; ${why} NULL: it is done. */
static void
tell_batch(struct store *s, const struct error *why)
{
	struct store_op *op = s->log->ops, *next;

	s->log->ops = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		op->next = NULL;
		if (why == NULL)
			store_tell(op);
		else
			store_fail(op, why);
	}
}

/* The batch is surely not in the topic. */
static void
batch_failed(struct store *s, const struct error *why)
{
	struct store_log *l = s->log;

	if (!l->flying)
		return;
	l->flying = l->in_doubt = false;
	l->shown.refused++;
	tell_batch(s, why);
	/* Of a rotation's step nothing was done: it begins again. */
	s->rotation.offset = s->rotation.unreadable = 0;
	s->rotation.needed_count = 0;
}

void
log_batch_seen(struct store *s, const unsigned char batch[LOG_ID])
{
	struct store_log *l = s->log;

	if (!l->flying || memcmp(batch, l->batch, LOG_ID) != 0)
		return;
	l->flying = l->in_doubt = false;
	l->shown.commits++;
	if (s->ring_dirty && l->ring_sent == keyring_generation(s->ring))
		s->ring_dirty = false;
	l->ring_sent = 0;
	tell_batch(s, NULL);
}

/* --- roles --- */

static void
step_down(struct store *s)
{
	struct store_log *l = s->log;

	if (l->role == LOG_LEADER)
		l->leader[0] = '\0';
	l->role = LOG_FOLLOWER;
	l->led = false;
}

/* Somebody else has claimed the topic, or a broker has given the claim up.  Whoever has
 * the lease claims again; but when that goes on, somebody without a lease does so, too. */
static void
fenced(struct store *s)
{
	struct store_log *l = s->log;
	int64_t now = store_monotonic_ms();

	step_down(s);
	l->claimed = false;
	l->retry_ms = now + RETRY_MS;
	/* Told by the courier, and by what was read. */
	if (l->fences_ms[0] != 0 && now - l->fences_ms[0] < RETRY_MS)
		return;
	l->shown.fenced++;
	memmove(&l->fences_ms[1], &l->fences_ms[0], sizeof(l->fences_ms) - sizeof(l->fences_ms[0]));
	l->fences_ms[0] = now;
	if (l->fences_ms[LOG_FENCES - 1] != 0 &&
	    now - l->fences_ms[LOG_FENCES - 1] < LOG_FENCES_MS) {
		memset(l->fences_ms, 0, sizeof(l->fences_ms));
		kafka_resign(l->kafka);
	}
}

static void
claim_again(struct store *s, int64_t in_ms)
{
	struct store_log *l = s->log;

	l->role = LOG_CLAIMING;
	l->led = false;
	l->retry_ms = store_monotonic_ms() + in_ms;
}

/* The claim stands: say so in the topic.  Once that is read, everything is. */
static int
send_leader(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	struct record_name name = { .type = RECORD_LEADER };

	batch_clear(l);
	buf_clear(&l->body);
	if (random_bytes(l->term, LOG_ID, err) != 0)
		return -1;
	record_put_bytes(&l->body, l->term, LOG_ID);
	record_put(&l->body, store_now(s));
	record_put_bytes(&l->body, l->url, strlen(l->url));
	if (batch_add(l, &name, err) != 0)
		return -1;
	l->led = true;
	courier_send(s, JOB_LEAD);
	return 0;
}

/* Everything is read, and nobody else can write. */
static void
lead(struct store *s)
{
	struct store_log *l = s->log;
	struct error why = { 0 };

	l->role = LOG_LEADER;
	l->folded = true;
	l->shown.claims++;
	(void)snprintf(l->leader, sizeof(l->leader), "%s", l->url);
	s->due = true;
	if (l->renew && keyring_add(s->ring, &why) == 0) {
		l->renew = false;
		s->ring_dirty = true;
		(void)store_rotation_resume(s, "started", &why);
	} else if (!s->rotation.active) {
		(void)store_rotation_resume(s, "resumed", &why);
	}
}

void
log_leader_seen(struct store *s, const unsigned char term[LOG_ID], const char *url, size_t n)
{
	struct error why = { .code = ERROR_BUSY };
	struct store_log *l = s->log;
	bool ours = l->led && memcmp(term, l->term, LOG_ID) == 0;

	/* Of claims that were read before ours is, all are older. */
	if (!ours && l->role == LOG_CLAIMING && l->led)
		return;
	/* What was sent before somebody claimed is before this, or nowhere. */
	if (l->flying) {
		error_set(&why, ERROR_BUSY, "the leader changed");
		batch_failed(s, &why);
	}
	if (ours) {
		lead(s);
		return;
	}
	if (l->role == LOG_LEADER)
		fenced(s);
	/* A claim of this node that it does not stand by any more leads nobody. */
	if (memcmp(term, l->term, LOG_ID) == 0)
		n = 0;
	(void)snprintf(l->leader, sizeof(l->leader), "%.*s", (int)(n < 255 ? n : 255), url);
}

void
log_stop(struct store *s, const char *why)
{
	struct store_log *l = s->log;
	struct error err;

	if (l->stopped != NULL)
		return;
	l->stopped = why;
	step_down(s);
	error_set(&err, ERROR_STALE, "%s", why);
	if (l->flying) {
		tell_batch(s, &err);
		l->flying = false;
	}
}

/* What the courier has brought. */
static bool
courier_came(struct store *s)
{
	struct store_log *l = s->log;
	enum kafka_outcome outcome = KAFKA_DONE;
	struct error why, ignored;
	enum log_job job = courier_take(s, &outcome, &why);

	if (job == JOB_NONE)
		return false;
	if (l->stopped != NULL)
		return true;
	if (job == JOB_CLAIM) {
		l->claimed = outcome == KAFKA_DONE;
		/* Not any more, if the lease went meanwhile. */
		if (l->role == LOG_CLAIMING && (outcome != KAFKA_DONE ||
		    send_leader(s, &ignored) != 0))
			claim_again(s, RETRY_MS);
		return true;
	}
	if (job == JOB_UNCLAIM)
		return true;
	if (job == JOB_LEAD) {
		/* Nothing is lost by another claim. */
		if (outcome != KAFKA_DONE && l->role == LOG_CLAIMING)
			claim_again(s, RETRY_MS);
		return true;
	}
	switch (outcome) {
	case KAFKA_DONE:
		break;
	case KAFKA_TOO_LARGE:
		why.code = ERROR_LIMIT;
		batch_failed(s, &why);
		break;
	case KAFKA_REFUSED:
		batch_failed(s, &why);
		break;
	case KAFKA_FENCED:
		batch_failed(s, &why);
		fenced(s);
		break;
	case KAFKA_UNKNOWN:
	default:
		/* The next claim's record is behind it, if it is there. */
		if (l->flying) {
			l->in_doubt = true;
			l->shown.unknown++;
		}
		l->claimed = false;
		if (l->role != LOG_FOLLOWER)
			claim_again(s, 0);
		break;
	}
	return true;
}

/* Are actions to wait until they can be written, rather than to be refused? */
static bool
is_waited_for(const struct store *s)
{
	const struct store_log *l = s->log;

	return l->stopped == NULL && (l->role != LOG_FOLLOWER || kafka_is_ours(l->kafka));
}

/* Those who have waited too long. */
static void
expire(struct store *s)
{
	struct store_log *l = s->log;
	int64_t now = store_monotonic_ms(), before = now - l->options->timeout_ms;
	struct store_op *late = NULL, **at, *op;
	struct error why;

	if (l->flying && l->ops != NULL && l->flown_ms < before) {
		error_set(&why, ERROR_STALE, "the topic did not answer in time");
		tell_batch(s, &why);
	}
	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->first; (op = *at) != NULL; ) {
		if (is_waited_for(s) && op->submitted_ms >= before) {
			at = &op->next;
			continue;
		}
		if (log_may_write(s))
			break;
		*at = op->next;
		s->waiting--;
		op->next = late;
		late = op;
	}
	if (s->first == NULL)
		s->last = &s->first;
	else if (late != NULL) {
		for (op = s->first; op->next != NULL; op = op->next)
			continue;
		s->last = &op->next;
	}
	(void)pthread_mutex_unlock(&s->mutex);
	if (late == NULL)
		return;
	if (is_waited_for(s))
		error_set(&why, ERROR_BUSY, "the topic takes nothing now");
	else
		(void)log_not_leading(s, &why);
	while ((op = late) != NULL) {
		late = op->next;
		op->next = NULL;
		store_fail(op, &why);
	}
}

static void
show(struct store *s)
{
	struct store_log *l = s->log;

	(void)pthread_mutex_lock(&s->mutex);
	l->shown.role = l->role;
	l->shown.folded = l->folded;
	l->shown.stopped = l->stopped;
	l->shown.position = l->position;
	l->shown.revision = l->revision;
	l->shown.foreign = l->foreign;
	(void)snprintf(l->shown.leader, sizeof(l->shown.leader), "%s", l->leader);
	(void)pthread_mutex_unlock(&s->mutex);
}

bool
log_step(struct store *s)
{
	struct store_log *l = s->log;
	bool moved = fold_drain(s);

	moved = courier_came(s) || moved;
	if (l->role != LOG_FOLLOWER && !kafka_is_ours(l->kafka))
		step_down(s);
	if (l->role == LOG_FOLLOWER && l->claimed && !l->busy) {
		l->claimed = false;
		courier_send(s, JOB_UNCLAIM);
	}
	if (l->stopped == NULL && l->role == LOG_FOLLOWER && kafka_is_ours(l->kafka) &&
	    store_monotonic_ms() >= l->retry_ms)
		claim_again(s, 0);
	if (l->role == LOG_CLAIMING && !l->led && !l->busy &&
	    store_monotonic_ms() >= l->retry_ms)
		courier_send(s, JOB_CLAIM);
	if (log_may_write(s) && s->ring_dirty)
		(void)store_save_keyring(s, NULL);
	expire(s);
	show(s);
	return moved;
}

void
store_log_state(struct store *s, struct store_log_state *out)
{
	*out = (struct store_log_state){ .role = LOG_LOCAL, .folded = true };
	if (s->log == NULL)
		return;
	(void)pthread_mutex_lock(&s->mutex);
	*out = s->log->shown;
	(void)pthread_mutex_unlock(&s->mutex);
	(void)kafka_complaint(s->log->kafka, out->complaint, sizeof(out->complaint));
}

/* --- opening and closing --- */

static int
prepare_log(struct store *s, struct error *err)
{
	sqlite3 *db = database_writer(s->db);

	if (database_exec(db, noting, s->path, err) != 0)
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

/* Read all of the topic for the last keyring that a master secret of ours fits.
 * 1: found, and opened; 0: the topic is empty. */
static int
find_keyring(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	int64_t until = store_monotonic_ms() + l->options->init_timeout_ms;
	struct error why = { .code = ERROR_NONE };
	struct kafka_message m;
	struct record_name name;
	struct keyring *ring;
	enum kafka_read what;
	bool any = false, used_old;
	const char *text;
	size_t n;

	if (kafka_seek(l->kafka, 0, err) != 0)
		return -1;
	while ((what = kafka_read(l->kafka, 200, &m, &why)) != KAFKA_END) {
		if (what == KAFKA_GAP) {
			*err = why;
			return error_hint(err, "its first records are gone: is something besides "
			    "compaction deleting them?");
		}
		if (what != KAFKA_MESSAGE && store_monotonic_ms() > until) {
			error_set(err, ERROR_IO, "the topic %s cannot be read to its end in time",
			    l->options->topic);
			return why.code != ERROR_NONE ? error_hint(err, "%s", why.text) : -1;
		}
		if (what != KAFKA_MESSAGE)
			continue;
		any = true;
		if (!record_name_read(m.key, m.key_len, &name) || name.type != RECORD_KEYRING ||
		    (text = record_keyring_text(m.value, m.value_len, &n)) == NULL)
			continue;
		ring = keyring_open(text, n, l->master, l->old, l->old_count, &used_old, &why);
		if (ring == NULL)
			continue;
		keyring_free(s->ring);
		s->ring = ring;
		l->renew = used_old;
		why.code = ERROR_NONE;
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
	batch_clear(l);
	if (batch_begin(s, err) != 0)
		return -1;
	outcome = kafka_append(l->kafka, l->courier.records.items, l->courier.records.len,
	    l->options->init_timeout_ms, err);
	batch_clear(l);
	if (outcome == KAFKA_DONE)
		return 1;
	keyring_free(s->ring);
	s->ring = NULL;
	record_seal_free(l->seal);
	l->seal = NULL;
	return outcome == KAFKA_FENCED || outcome == KAFKA_UNKNOWN ? 0 : -1;
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
		return error_hint(err, "begin with an empty --data, or with store.log=local");
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
		log_stop(s, "the topic ends before what this node has read of it: it was made "
		    "anew, or has lost records");
	return 0;
}

static int
open_parts(struct store *s, const struct store_options *o, struct error *err)
{
	struct store_log *l = s->log;
	sqlite3 *db = database_writer(s->db);
	int64_t identity = 0, revision = 0;
	bool used_old = false;
	int found;

	if (prepare_log(s, err) != 0 ||
	    database_meta(db, "log.identity", 0, &identity, s->path, err) != 0 ||
	    database_meta(db, "log.position", 0, &l->position, s->path, err) != 0 ||
	    database_meta(db, "log.revision", 0, &revision, s->path, err) != 0)
		return -1;
	l->revision = (uint64_t)revision;
	if ((l->kafka = kafka_open(l->options, log_wake, s, err)) == NULL)
		return -1;
	if (identity == 0) {
		if (open_fresh(s, err) != 0)
			return -1;
	} else {
		if ((found = store_read_ring(s, o, &used_old, err)) != 1)
			return found == 0 ? database_damaged(s->path, "the keyring is missing",
			    err) : -1;
		l->renew = used_old;
		if (open_again(s, identity, err) != 0)
			return -1;
	}
	if (l->seal == NULL && (l->seal = record_seal_new(keyring_audit_key(s->ring), err)) == NULL)
		return -1;
	l->seen = l->position;
	return l->stopped != NULL ? 0 : kafka_seek(l->kafka, l->position, err);
}

int
log_open(struct store *s, const struct store_options *o, struct error *err)
{
	struct store_log *l = s->log = error_alloc(sizeof(*s->log), err);

	if (l == NULL)
		return -1;
	(void)pthread_mutex_init(&l->courier.mutex, NULL);
	(void)pthread_cond_init(&l->courier.wake, NULL);
	vec_init(&l->courier.records, sizeof(struct kafka_record), LOG_RECORDS_MAX);
	buf_init(&l->key, LOG_KEY_MAX);
	buf_init(&l->value, LOG_VALUE_MAX);
	buf_init(&l->text, LOG_VALUE_MAX);
	buf_init_secret(&l->body, LOG_VALUE_MAX);
	l->options = o->kafka;
	l->url = o->url != NULL ? o->url : "";
	l->master = o->master;
	l->old = o->old;
	l->old_count = o->old_count;
	if (open_parts(s, o, err) != 0)
		return -1;
	l->role = LOG_FOLLOWER;
	if (l->stopped == NULL && kafka_lease(l->kafka, err) != 0)
		return -1;
	if (pthread_create(&l->courier.thread, NULL, courier, s) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start the courier's thread");
	l->courier.started = true;
	show(s);
	return 0;
}

void
log_close(struct store *s)
{
	struct store_log *l = s->log;
	struct store_op *op;
	struct error why;

	if (l == NULL)
		return;
	if (l->courier.started) {
		(void)pthread_mutex_lock(&l->courier.mutex);
		l->courier.stopping = true;
		(void)pthread_cond_signal(&l->courier.wake);
		(void)pthread_mutex_unlock(&l->courier.mutex);
		(void)pthread_join(l->courier.thread, NULL);
	}
	error_set(&why, ERROR_STALE, "the service ended");
	tell_batch(s, &why);
	error_set(&why, ERROR_BUSY, "the service ended");
	while ((op = s->first) != NULL) {
		s->first = op->next;
		store_fail(op, &why);
	}
	s->last = &s->first;
	for (int i = 0; i < LOG_STATEMENTS; i++)
		(void)sqlite3_finalize(l->statements[i]);
	kafka_close(l->kafka);
	batch_clear(l);
	record_seal_free(l->seal);
	buf_release(&l->key);
	buf_release(&l->value);
	buf_release(&l->text);
	buf_release(&l->body);
	(void)pthread_cond_destroy(&l->courier.wake);
	(void)pthread_mutex_destroy(&l->courier.mutex);
	free(l);
	s->log = NULL;
}
