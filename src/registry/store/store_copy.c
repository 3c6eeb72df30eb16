#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka.h"
#include "registry/store/store_log.h"

#define CHUNK 2000	/* rows of a batch */

/* A database's secrets into a topic that has nothing, and back out of it. */

/* --- local to topic --- */

/* What is collected, as one batch. */
static int
copy_send(struct store *s, struct error *err)
{
	struct store_log *l = s->log;
	enum kafka_outcome outcome;

	outcome = kafka_append(l->kafka, l->courier.records.items, l->courier.records.len,
	    l->options->init_timeout_ms, err);
	batch_clear(l);
	if (outcome == KAFKA_DONE)
		return 0;
	return error_hint(err, "nothing was changed in --data: delete the topic %s, and begin "
	    "again", l->options->topic);
}

/* The rows of one kind from ${from} on: how many, or -1. */
static int64_t
copy_rows(struct store *s, const char *sql, int64_t from, struct error *err)
{
	sqlite3 *db = database_writer(s->db);
	sqlite3_stmt *w = database_prepare(db, sql, s->path, err);
	int64_t n = -1;
	int rc = -1;

	if (w == NULL || store_begin(s, err) != 0) {
		(void)sqlite3_finalize(w);
		return -1;
	}
	database_bind(w, "ii", (int64_t)CHUNK, from);
	if (database_run(w, s->path, err) == 0) {
		n = sqlite3_changes64(db);
		rc = batch_collect(s, err);
	}
	(void)sqlite3_finalize(w);
	store_rollback(s);
	if (rc == 1 && copy_send(s, err) != 0)
		rc = -1;
	return rc == -1 ? -1 : n;
}

static int
copy_table(struct store *s, const char *sql, uint64_t *count, struct error *err)
{
	int64_t n;

	for (int64_t from = 0; (n = copy_rows(s, sql, from, err)) > 0; from += n)
		*count += (uint64_t)n;
	return n == 0 ? 0 : -1;
}

static int
copy_fill(struct store *s, struct store_copied *out, struct error *err)
{
	struct store_log *l = s->log;
	int64_t identity, first, end;
	uint64_t settings = 0, access = 0;
	unsigned ms = l->options->init_timeout_ms;

	if (kafka_check(l->kafka, true, ms, err) != 0 ||
	    kafka_claim(l->kafka, ms, err) != 0 ||
	    kafka_ends(l->kafka, ms, &first, &end, err) != 0)
		return -1;
	if (end > 0) {
		error_set(err, ERROR_EXISTS, "there is something in the topic %s already",
		    l->options->topic);
		return error_hint(err, "name a new one in kafkastore.topic, or delete it");
	}
	if ((identity = kafka_identity(l->kafka, ms)) == 0)
		return error_set(err, ERROR_IO, "the brokers do not tell which cluster they are");
	/* What was in a topic before is old in this one. */
	l->revision = (l->revision / LOG_AGE + 1) * LOG_AGE;
	if (copy_table(s, "INSERT INTO temp.touched SELECT 0,path,key,version FROM main.secret "
	    "ORDER BY offset LIMIT ? OFFSET ?", &out->versions, err) != 0 ||
	    copy_table(s, "INSERT INTO temp.touched SELECT 1,path,key,0 FROM main.setting "
	    "ORDER BY path,key LIMIT ? OFFSET ?", &settings, err) != 0 ||
	    copy_table(s, "INSERT INTO temp.touched SELECT 2,'',name,kind FROM main.access "
	    "ORDER BY kind,name LIMIT ? OFFSET ?", &access, err) != 0)
		return -1;
	/* The keyring is the last: no other node takes up a half. */
	if (batch_begin(s, err) != 0 || copy_send(s, err) != 0)
		return -1;
	/* The first start reads all of it again. */
	return fold_attach(s, identity, err);
}

/* --- topic to local --- */

static int
copy_drain(struct store *s, struct store_copied *out, struct error *err)
{
	struct store_log *l = s->log;
	int64_t until = clock_ms() + l->options->init_timeout_ms;
	char why[256];

	while (!l->folded && l->stopped == NULL && clock_ms() < until) {
		if (!fold_drain(s))
			clock_pause(20);
	}
	out->stopped = l->stopped;
	if (l->folded || l->stopped != NULL)
		return 0;
	kafka_complaint(l->kafka, why, sizeof(why));
	error_set(err, ERROR_IO, "the topic %s cannot be read to its end in time%s%.200s",
	    l->options->topic, why[0] != '\0' ? ": " : "", why);
	return error_hint(err, "what it has beyond the database would be missing: try again when "
	    "the brokers answer");
}

static int
copy_detach(struct store *s, struct store_copied *out, struct error *err)
{
	sqlite3 *db = database_writer(s->db);
	sqlite3_stmt *r;
	int64_t n = 0;
	int rc;

	if (copy_drain(s, out, err) != 0 || database_begin(s->db, err) != 0)
		return -1;
	/* What is in a topic stays old, should there be another some time. */
	if (database_exec(db, "DELETE FROM meta WHERE name GLOB 'log.*' AND "
	    "name<>'log.revision';DELETE FROM keyring WHERE id=2", s->path, err) != 0) {
		database_rollback(s->db);
		return -1;
	}
	if (database_commit(s->db, err) != 0 || (r = database_prepare(db,
	    "SELECT count(*) FROM secret", s->path, err)) == NULL)
		return -1;
	rc = database_number(r, &n, s->path, err);
	(void)sqlite3_finalize(r);
	out->versions = (uint64_t)n;
	return rc;
}

int
store_copy(const struct store_options *o, struct store_copied *out, struct error *err)
{
	struct store *s = store_open(o, err);
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (s == NULL)
		return -1;
	rc = o->copy == STORE_COPY_TO_TOPIC ? copy_fill(s, out, err) : copy_detach(s, out, err);
	store_close(s);
	return rc;
}
